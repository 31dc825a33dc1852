package plan

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/contacts"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/policy"
)

func done(outcome string, at time.Time) gen.LeadMod {
	return func(recovery *v1alpha1.CartRecovery) {
		Finished(recovery, recovery.Spec.Purchase, outcome, at)(&recovery.Status)
		Summarize(recovery, gen.T0)
	}
}

func unconfirmedUntil(until time.Time) gen.LeadMod {
	return func(recovery *v1alpha1.CartRecovery) {
		Waiting(BlockedUntil(until, v1alpha1.ReasonUnconfirmed, Unconfirmed), gen.T0)(&recovery.Status)
	}
}

func attempts(count int32, retryAt time.Time) func(*v1alpha1.Message) {
	return func(m *v1alpha1.Message) {
		at := v1alpha1.NewTimestamp(retryAt)
		m.Attempts, m.RetryAt = count, &at
	}
}

// planCase is one row of the table: what is known, and the one thing that follows.
type planCase struct {
	name string
	now  time.Duration // after the abandonment
	lead []gen.LeadMod

	noStore, suspended, suppressed bool
	twin                           *v1alpha1.Purchase
	steps                          []v1alpha1.Step
	instances                      []v1alpha1.WhatsAppInstance // one that is connected when nil
	text                           Draft
	// contact is what is known of the number: nothing, and the gateway cannot tell, when
	// empty.
	contact *contacts.Contact

	// with changes the snapshot further.
	with func(*Snapshot)

	want Kind
	// from is the instance that a message is sent from, says its text.
	from, says string
	// until is when a wait ends, after the abandonment.
	until   time.Duration
	blocked string
	outcome string
	message string
	// gate is what holds the message back.
	gate string
	// stops is what a customer asked for who is not to be written to.
	stops v1alpha1.StopReason
	// tokens are what the text of a message that is sent has cost.
	tokens int64
}

const prepareFrom = gen.FirstDue - PrepareAhead

func ready() Draft { return Draft{State: DraftReady, Text: "Oi, Maria!"} }

// twoSteps is a sequence of a first message and another an hour after it.
var twoSteps = []v1alpha1.Step{
	{Name: "first", After: v1alpha1.Duration{Duration: gen.FirstDue}},
	{Name: "second", After: v1alpha1.Duration{Duration: time.Hour}},
}

// firstCases are the rows about a first message, and about an AI that fails to write it.
func firstCases() []planCase {
	sent := gen.FromUs(gen.FirstID, v1alpha1.MessageSent, gen.T0.Add(gen.FirstDue))
	minute := time.Minute
	return []planCase{
		// The first message.
		{name: "a fresh lead waits until its text is wanted", now: 0, want: Wait, until: prepareFrom},
		{name: "a little ahead of the due time the text is written", now: prepareFrom, want: Prepare,
			message: gen.FirstID},
		{name: "a text that is being written is waited for", now: prepareFrom, text: Draft{State: DraftPending},
			want: Wait, until: gen.FirstDue},
		{name: "a text that is ready early waits for its due time", now: prepareFrom + time.Second, text: ready(),
			want: Wait, until: gen.FirstDue},
		{name: "a text that is ready is sent when due", now: gen.FirstDue, text: ready(), want: Send,
			message: gen.FirstID},
		{name: "an overdue lead with no text after a restart has it written at once", now: 5 * time.Hour, want: Prepare,
			message: gen.FirstID},
		{name: "an overdue lead with a text sends at once", now: 5 * time.Hour, text: ready(), want: Send,
			message: gen.FirstID},
		{name: "after the only step the lead waits for an answer", now: time.Hour, lead: []gen.LeadMod{sent},
			want: Wait, until: gen.FirstDue + gen.ExpiresAt},
		{name: "a text that is being written early is waited for until it is due", now: prepareFrom + 30*time.Second,
			text: Draft{State: DraftPending}, want: Wait, until: gen.FirstDue},
		{name: "a lead that was made by hand without a time is due by its creation", now: prepareFrom,
			lead: []gen.LeadMod{func(l *v1alpha1.CartRecovery) { l.Spec.AbandonedAt = nil }}, want: Prepare,
			message: gen.FirstID},
		{name: "a lead without a trigger says that there is no sequence for it", now: gen.FirstDue,
			lead: []gen.LeadMod{func(l *v1alpha1.CartRecovery) { l.Spec.Trigger = "" }}, want: Wait,
			until: gen.ExpiresAt, blocked: v1alpha1.ReasonNoSequence},

		// The AI fails.
		{name: "a failed text before the due time is asked for again, unblocked", now: gen.FirstDue - 30*time.Second,
			text: Draft{State: DraftFailed, Reason: v1alpha1.ReasonAIUnavailable,
				RetryAt: gen.T0.Add(gen.FirstDue - 20*time.Second)}, want: Wait, until: gen.FirstDue - 20*time.Second},
		{name: "a failed text after the due time blocks", now: gen.FirstDue + minute,
			text: Draft{State: DraftFailed, Reason: v1alpha1.ReasonAIUnavailable,
				RetryAt: gen.T0.Add(gen.FirstDue + 2*minute)}, want: Wait, until: gen.FirstDue + 2*minute,
			blocked: v1alpha1.ReasonAIUnavailable},
		{name: "a failed text is asked for again when it is time", now: gen.FirstDue + 2*minute,
			text: Draft{State: DraftFailed, RetryAt: gen.T0.Add(gen.FirstDue + 2*minute)}, want: Prepare,
			message: gen.FirstID},
		{name: "a failed text blocks from the due minute on", now: gen.FirstDue,
			text: Draft{State: DraftFailed, Reason: v1alpha1.ReasonAIUnavailable,
				RetryAt: gen.T0.Add(gen.FirstDue + 2*minute)}, want: Wait, until: gen.FirstDue + 2*minute,
			blocked: v1alpha1.ReasonAIUnavailable},
		{name: "a failed text that is asked for again after the due time is looked at when due",
			now:  gen.FirstDue - 30*time.Second,
			text: Draft{State: DraftFailed, RetryAt: gen.T0.Add(gen.FirstDue + minute)},
			want: Wait, until: gen.FirstDue},
		{name: "a text that failed and is being written again still says why once it is overdue", now: gen.FirstDue,
			text: Draft{State: DraftPending, Failures: 1, Reason: v1alpha1.ReasonAIUnavailable}, want: Wait,
			until: gen.ExpiresAt, blocked: v1alpha1.ReasonAIUnavailable},
		{name: "before it is due a text that failed and is being written again blocks nothing",
			now:  gen.FirstDue - 30*time.Second,
			text: Draft{State: DraftPending, Failures: 1, Reason: v1alpha1.ReasonAIUnavailable}, want: Wait,
			until: gen.FirstDue},
		{name: "a first text in which the AI sees a request to stop is written again", now: gen.FirstDue,
			text: Draft{State: DraftStop}, want: Prepare, message: gen.FirstID},
		{name: "a first text in which the AI sees a wish for a person is written again", now: gen.FirstDue,
			text: Draft{State: DraftHandOff}, want: Prepare, message: gen.FirstID},
	}
}

func (c *planCase) snapshot() Snapshot {
	s := Snapshot{
		Lead: gen.Lead(gen.T0, c.lead...), Store: gen.StoreObject(), Suppressed: c.suppressed, SiblingPurchase: c.twin,
		Instances: c.instances, Now: gen.T0.Add(c.now),
		Draft:    func(TextID) Draft { return c.text },
		Capacity: func(*v1alpha1.WhatsAppInstance, time.Time) Capacity { return Capacity{} },
		Contact:  func(*v1alpha1.WhatsAppInstance) contacts.Contact { return contacts.Contact{State: contacts.Unsure} },
	}
	if c.contact != nil {
		s.Contact = func(*v1alpha1.WhatsAppInstance) contacts.Contact { return *c.contact }
	}
	s.Store.Spec.Suspend = c.suspended
	s.Store.Spec.Recovery.FirstMessageNotice = new("")
	if c.steps != nil {
		s.Store.Spec.Recovery.Sequences = []v1alpha1.Sequence{{Trigger: v1alpha1.TriggerAbandonedCart, Steps: c.steps}}
	}
	if c.instances == nil {
		s.Instances = []v1alpha1.WhatsAppInstance{*gen.InstanceObject()}
	}
	s.Policy = policy.Resolve(s.Store, nil)
	if c.noStore {
		s.Store = nil
	}
	if c.with != nil {
		c.with(&s)
	}
	return s
}

// allCases are the rows of all tables.
func allCases() []planCase {
	return slices.Concat(firstCases(), noSenderCases(), claimCases(), refusedCases(), answerCases(),
		sequenceCases(), boughtCases(), otherSaleCases(), obstacleCases(), endCases(), personCases(), editCases(),
		contactCases(), senderCases(), newSenderCases(), wishCases(), otherRecoveryCases(), nextCycleCases(),
		textCases(),
		quietCases(), earlyCases(), lateCases(), costCases(), paidCases(), machineCases(), stopCases(),
		confirmationCases(), paymentCases(), resumeCases(), noticeCases(), cameBackCases(), restoredCases(),
		holdCases(), importedCases(),
		failoverCases())
}

func TestPlan(t *testing.T) {
	for _, c := range allCases() {
		t.Run(c.name, func(t *testing.T) {
			s := c.snapshot()
			before := s.Lead.DeepCopy()
			c.check(t, Next(s))
			if diff := cmp.Diff(before, s.Lead); diff != "" {
				t.Errorf("the lead was changed (-want +got):\n%s", diff)
			}
		})
	}
}

// decided is what a row looks at of an action.
type decided struct {
	Kind                     Kind
	Blocked, Outcome, Gate   string
	Stops                    v1alpha1.StopReason
	Until                    time.Duration
	Message, From, Text      string
	Tokens                   int64
	HasNoText, IsFromNowhere bool
}

// check compares what was decided with what a row wants. What a row does not name may be anything.
func (c *planCase) check(t *testing.T, got Action) {
	t.Helper()
	want := decided{Kind: c.want, Blocked: c.blocked, Outcome: c.outcome, Gate: c.gate, Stops: c.stops,
		Message: c.message, From: c.from, Text: c.says, Tokens: c.tokens}
	is := decided{Kind: got.Kind, Blocked: got.Blocked, Outcome: got.Outcome}
	if got.Stop != nil {
		is.Stops = got.Stop.Reason
	}
	if got.Kind == Wait && c.until != 0 {
		want.Until, is.Until = c.until, got.Until.Sub(gen.T0)
	}
	if got.Kind == Send {
		is.Tokens, is.HasNoText, is.IsFromNowhere = got.Message.Tokens, got.Message.Text == "",
			got.Message.Instance == nil
	}
	named := func(want, got string) string {
		if want == "" {
			return ""
		}
		return got
	}
	is.Gate, is.Message, is.Text = named(c.gate, got.Gate), named(c.message, got.Message.ID),
		named(c.says, got.Message.Text)
	if got.Message.Instance != nil {
		is.From = named(c.from, got.Message.Instance.Name)
	}
	if diff := cmp.Diff(want, is); diff != "" {
		t.Errorf("rule %s decided, because: %s (-want +got):\n%s", got.Rule, got.Why, diff)
	}
}

// TestEveryRuleDecides: each rule has a row in which it is the one that decides, and a name of its own.
func TestEveryRuleDecides(t *testing.T) {
	rows := map[string]int{}
	for _, c := range allCases() {
		rows[Next(c.snapshot()).Rule]++
	}
	known := map[string]bool{ruleNone: true}
	for _, each := range rules {
		if known[each.name] {
			t.Errorf("two rules are named %s", each.name)
		}
		known[each.name] = true
	}
	for name := range known {
		if rows[name] == 0 {
			t.Errorf("there is no row in which rule %s decides", name)
		}
	}
}

// TestEveryGateHolds: each gate has a row in which it is the one that holds the message, and a name of its own.
func TestEveryGateHolds(t *testing.T) {
	rows := map[string]int{}
	for _, c := range allCases() {
		rows[Next(c.snapshot()).Gate]++
	}
	known := map[string]bool{gatePace: true}
	for i := range gates {
		if known[gates[i].name] {
			t.Errorf("two gates are named %s", gates[i].name)
		}
		known[gates[i].name] = true
		if rows[gates[i].name] == 0 {
			t.Errorf("there is no row in which gate %s holds a message", gates[i].name)
		}
	}
}

// TestGatesAreDocumented: the table of gates in the documentation has the gates, in their order, and the messages
// that have to pass them.
func TestGatesAreDocumented(t *testing.T) {
	written, err := os.ReadFile("../../../docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(written), "| gate | of | holds |")
	mark := func(of kinds) string {
		var names []string
		for i, name := range []string{"steps", "answers", "notices"} {
			if of&(1<<i) != 0 {
				names = append(names, name)
			}
		}
		return strings.Join(names, ", ")
	}
	for _, each := range append(slices.Clone(gates), gate{name: gatePace, of: steps | answers | notices}) {
		row := "| `" + each.name + "` | " + mark(each.of) + " |"
		_, after, found := strings.Cut(table, row)
		if !found {
			t.Fatalf("docs/architecture.md: the table of gates lacks %q, or has it in another place", row)
		}
		table = after
	}
}

// TestRulesAreDocumented: the table of rules in the documentation has the rules, in their order.
func TestRulesAreDocumented(t *testing.T) {
	written, err := os.ReadFile("../../../docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(written), "| rule | says |")
	for _, each := range rules {
		_, after, found := strings.Cut(table, "`"+each.name+"`")
		if !found {
			t.Fatalf("docs/architecture.md: the table of rules lacks %s, or has it in another place", each.name)
		}
		table = after
	}
}

func TestPlanNextResolve(t *testing.T) {
	for age, want := range map[time.Duration]time.Duration{
		0:                AskAfter,
		10 * time.Second: 30 * time.Second,
		31 * time.Second: Grace,
		Grace:            2 * time.Minute,
		5 * time.Minute:  6 * time.Minute,
	} {
		t.Run(age.String(), func(t *testing.T) {
			if diff := cmp.Diff(want, NextResolve(gen.T0, gen.T0.Add(age)).Sub(gen.T0)); diff != "" {
				t.Errorf("asks again after (-want +got):\n%s", diff)
			}
		})
	}
}

func BenchmarkPlan(b *testing.B) {
	c := planCase{now: gen.FirstDue, text: ready()}
	s := c.snapshot()
	b.ReportAllocs()
	for b.Loop() {
		if Next(s).Kind != Send {
			b.Fatal("not sent")
		}
	}
}

// TestPlannedFor: a lead that a person made says what is planned for it, as others do.
func TestPlannedFor(t *testing.T) {
	pix := func(l *v1alpha1.CartRecovery) { l.Spec.Trigger = v1alpha1.TriggerPixPending }
	for name, row := range map[string]struct {
		planCase
		want string
	}{
		"a cart": {planCase{}, gen.T0.Add(gen.FirstDue).UTC().Format(time.RFC3339) + " first"},
		"one that was written to": {planCase{lead: []gen.LeadMod{gen.FromUs(gen.FirstID, v1alpha1.MessageSent,
			gen.T0.Add(gen.FirstDue))}}, ""},
		"one that was bought": {planCase{lead: []gen.LeadMod{gen.Bought(gen.T0)}}, ""},
		"one that is over":    {planCase{lead: []gen.LeadMod{done(v1alpha1.ReasonNeverContacted, gen.T0)}}, ""},
		"a purchase alone": {
			planCase{lead: []gen.LeadMod{func(l *v1alpha1.CartRecovery) { l.Spec.AbandonedAt = nil }}}, "",
		},
		"no sequence": {planCase{lead: []gen.LeadMod{pix}}, ""},
		"no Store":    {planCase{noStore: true}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := row.snapshot()
			if diff := cmp.Diff(row.want, PlannedFor(&s)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
