package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/movein"
)

// kind is what a file has.
type kind struct {
	// flag that names the file, and what the report calls its rows.
	flag    string
	columns movein.Columns
	// isHeld: what is made of it waits for its release.
	isHeld bool
	// make tells what a row becomes.
	make func(*movein.Target, movein.Row) (item, string, []movein.Problem)
}

// item is what a row becomes: one of a movein.Lead, a movein.Number and a Suppression.
type item struct {
	lead     *movein.Lead
	number   *movein.Number
	suppress *v1alpha1.Suppression
}

// name of its object, "" for nothing.
func (i *item) name() string {
	switch {
	case i.number != nil:
		return i.number.Object.Name
	case i.suppress != nil:
		return i.suppress.Name
	case i.lead != nil:
		return i.lead.Object.Name
	}
	return ""
}

// kinds in the order in which they are imported: who opted out is known before a lead is, and numbers before the
// conversations that are on them.
var kinds = []kind{
	{flag: "opt-outs", columns: movein.OptOutColumns, make: func(t *movein.Target, row movein.Row) (item, string,
		[]movein.Problem) {
		made, skipped, problems := t.OptOut(row)
		return item{suppress: made}, skipped, problems
	}},
	{flag: "instances", columns: movein.InstanceColumns, isHeld: true, make: func(t *movein.Target,
		row movein.Row) (item,
		string, []movein.Problem) {
		made, skipped, problems := t.Number(row)
		return item{number: made}, skipped, problems
	}},
	{flag: "leads", columns: movein.LeadColumns, isHeld: true, make: func(t *movein.Target, row movein.Row) (item,
		string,
		[]movein.Problem) {
		made, skipped, problems := t.Lead(row)
		if made != nil && made.OptOut != nil {
			return item{suppress: made.OptOut}, skipped, problems
		}
		return item{lead: made}, skipped, problems
	}},
}

// skippedTwice: another row says the same, and more lately, or of an opt-out that it holds longer.
const skippedTwice = "the same as another row"

// skippedBought: another row says that this cart, or a later one of the lead, was bought.
const skippedBought = "bought, as another row says"

// file is what is known of a file once it was read.
type file struct {
	kind    kind
	each    func(func(movein.Row, *movein.Problem) error) error
	wanted  map[string]best
	skipped map[string]int
	wrong   int
	// bought is when the last cart of a lead was left that a row says was bought, by the lead's name.
	bought map[string]v1alpha1.Timestamp
	// ended are rows that are skipped because they have ended, by the lead's name.
	ended map[string]ending
	// instances that it has.
	instances []v1alpha1.WhatsAppInstance
}

// best is the row that counts of those about one object.
type best struct {
	row  int
	lead *rank
	// until is when an opt-out ends, nil for never.
	until *metav1.Time
}

// rank is what is kept of a lead to compare it with others.
type rank struct {
	hasEnded, wasBought bool
	// wasWritten: there is a conversation.
	wasWritten bool
	at         v1alpha1.Timestamp
}

func rankOf(made *movein.Lead) *rank {
	return &rank{hasEnded: made.Ended != "", wasBought: made.Bought, wasWritten: len(made.Conversation) > 0,
		at: *made.Object.Spec.AbandonedAt}
}

// maxShown is how many wrong rows are shown.
const maxShown = 50

// read checks every row of a file, and keeps which of them count.
func (i *importing) read(kind kind, path string, target *movein.Target) (*file, error) {
	open, format, err := i.open(path)
	if err != nil {
		return nil, err
	}
	var unknown []string
	f := &file{kind: kind, wanted: map[string]best{}, skipped: map[string]int{},
		bought: map[string]v1alpha1.Timestamp{}, ended: map[string]ending{}}
	f.each = func(each func(movein.Row, *movein.Problem) error) error {
		content, err := open()
		if err != nil {
			return err
		}
		unknown, err = movein.Read(content, format, kind.columns, each)
		return errors.Join(err, content.Close())
	}
	err = f.each(func(row movein.Row, problem *movein.Problem) error {
		f.check(target, row, problem, func(shown string) { _, _ = fmt.Fprintln(i.Err, shown) })
		return nil
	})
	f.leaveBought()
	f.leaveReopened()
	if f.wrong > maxShown {
		_, _ = fmt.Fprintf(i.Err, "%s: … and %d more wrong rows\n", kind.flag, f.wrong-maxShown)
	}
	if len(unknown) > 0 {
		_, _ = fmt.Fprintf(i.Err, "%s: not used: %q\n", kind.flag, strings.Join(unknown, ", "))
	}
	return f, err
}

// check takes in a row.
func (f *file) check(target *movein.Target, row movein.Row, problem *movein.Problem, show func(string)) {
	var made item
	var skipped string
	var problems []movein.Problem
	if problem != nil {
		problems = []movein.Problem{*problem}
	} else {
		made, skipped, problems = f.kind.make(target, row)
	}
	switch {
	case len(problems) > 0:
		if f.wrong++; f.wrong <= maxShown {
			for _, each := range problems {
				show(f.kind.flag + ": " + each.String())
			}
		}
	case skipped != "":
		f.skipped[skipped]++
		f.noteBought(made.lead)
		f.noteEnded(made.lead, skipped, row.Number)
	case f.takesNameOf(&made):
		if f.wrong++; f.wrong <= maxShown {
			show(fmt.Sprintf("%s: %s: name: expected another name than that of another row's instance",
				f.kind.flag, row.Place))
		}
	default:
		f.want(&made, row.Number)
	}
}

// takesNameOf says whether a number has the name of another that is another instance at its gateway.
func (f *file) takesNameOf(made *item) bool {
	return made.number != nil && slices.ContainsFunc(f.instances, func(each v1alpha1.WhatsAppInstance) bool {
		return each.Name == made.number.Object.Name && each.Spec.InstanceName != made.number.Object.Spec.InstanceName
	})
}

// want keeps a row, or the one that says more of the same object.
func (f *file) want(made *item, row int) {
	name, fresh := made.name(), best{row: row}
	if made.lead != nil {
		fresh.lead = rankOf(made.lead)
		f.noteBought(made.lead)
	}
	if made.number != nil {
		f.instances = append(f.instances, *made.number.Object)
	}
	if made.suppress != nil {
		fresh.until = made.suppress.Spec.ExpiresAt
	}
	known, twice := f.wanted[name]
	if twice {
		f.skipped[skippedTwice]++
	}
	if !twice || made.suppress != nil && lead.EndsLater(fresh.until, known.until) ||
		fresh.lead != nil && known.lead != nil && fresh.lead.before(known.lead) {
		f.wanted[name] = fresh
	}
}

// noteBought keeps when the cart was left that a row says was bought.
func (f *file) noteBought(told *movein.Lead) {
	if told == nil || !told.Bought {
		return
	}
	name, at := told.Object.Name, *told.Object.Spec.AbandonedAt
	if known, has := f.bought[name]; !has || at.After(known.Time) {
		f.bought[name] = at
	}
}

// leaveBought leaves out the open leads of which another row says that this cart, or a later one, was bought.
func (f *file) leaveBought() {
	for name, at := range f.bought {
		known, has := f.wanted[name]
		if has && known.lead != nil && !known.lead.hasEnded && !known.lead.at.After(at.Time) {
			delete(f.wanted, name)
			f.skipped[skippedBought]++
		}
	}
}

// before says whether a row of a lead counts more than another: one that was written to more than one that was not,
// which would have the customer written to again; an open one more than one that ended, unless that was bought and is
// as late; a later one more than an earlier one.
func (r *rank) before(other *rank) bool {
	switch {
	case r.wasWritten != other.wasWritten:
		return r.wasWritten
	case r.hasEnded && !other.hasEnded:
		return r.wasBought && !r.at.Before(other.at.Time)
	case other.hasEnded && !r.hasEnded:
		return !other.wasBought || other.at.Before(r.at.Time)
	}
	return r.at.After(other.at.Time)
}
