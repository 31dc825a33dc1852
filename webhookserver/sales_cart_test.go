package webhookserver

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/webhookserver/platforms"
)

func TestRefusal(t *testing.T) {
	of := func(trigger v1alpha1.Trigger) func(*salesEvent) {
		return func(e *salesEvent) { e.event.Trigger = trigger }
	}
	productWants := func(trigger v1alpha1.Trigger) func(*salesEvent) {
		return func(e *salesEvent) {
			e.product = gen.ProductObject()
			e.product.Spec.Recovery.Sequences = []v1alpha1.Sequence{{Trigger: trigger}}
		}
	}
	type mods = []func(*salesEvent)
	for name, row := range map[string]struct {
		mods mods
		want string
	}{
		"a cart":      {nil, ""},
		"no phone":    {mods{func(e *salesEvent) { e.event.Customer.Phone = "" }}, ignoredNoPhone},
		"no sequence": {mods{of(v1alpha1.TriggerPixPending)}, ignoredNoSequence},
		"a sequence of the product": {
			mods{of(v1alpha1.TriggerPixPending), productWants(v1alpha1.TriggerPixPending)}, "",
		},
		"a sequence of the product for another trigger": {
			mods{productWants(v1alpha1.TriggerPixPending)}, ignoredNoSequence,
		},
		"suppressed": {mods{func(e *salesEvent) { e.suppressed = true }}, ignoredSuppressed},
		"a year old": {mods{func(e *salesEvent) { e.event.OccurredAt = noon.AddDate(-1, 0, 0) }}, ignoredTooOld},
	} {
		t.Run(name, func(t *testing.T) {
			if got := eventOf(platforms.Abandoned, row.mods...).refusal(); got != row.want {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
	if got := eventOf(platforms.Purchased, func(e *salesEvent) { e.suppressed = true }).refusal(); got != "" {
		t.Errorf("a purchase is refused: %s", got)
	}
}

// TestCartJoinsALead: what a cart changes in a lead that exists, and how it is answered.
func TestCartJoinsALead(t *testing.T) {
	pix := func(e *salesEvent) { e.event.Trigger, e.event.ID = v1alpha1.TriggerPixPending, "pix" }
	later := func(e *salesEvent) { e.event.OccurredAt = noon.Add(time.Minute) }
	noStart := func(l *v1alpha1.CartRecovery) { l.Spec.AbandonedAt, l.Spec.Trigger = nil, "" }
	type mods = []func(*v1alpha1.CartRecovery)
	joined := outcome{Result: resultRecorded, Lead: "hotmart-lead"}
	unchanged := outcome{Result: resultUnchanged, Lead: "hotmart-lead"}
	purchased := outcome{Result: resultIgnored, Reason: ignoredAlreadyPurchased, Lead: "hotmart-lead"}
	finished := outcome{Result: resultIgnored, Reason: ignoredAlreadyFinished, Lead: "hotmart-lead"}
	for name, row := range map[string]struct {
		event   func(*salesEvent)
		lead    mods
		changed bool
		want    outcome
	}{
		"a later cart on an open lead":            {later, nil, false, unchanged},
		"a PIX on an open lead":                   {pix, nil, true, joined},
		"a PIX on one that was bought":            {pix, mods{isBought}, true, purchased},
		"a cart on a purchase":                    {later, mods{isBought, noStart}, true, purchased},
		"a cart on a finished purchase":           {later, mods{isBought, isFinished, noStart}, true, purchased},
		"a cart on a finished refund":             {later, mods{isReversed, isFinished, noStart}, true, finished},
		"a PIX on a finished one that was bought": {pix, mods{isBought, isFinished}, false, purchased},
		"a PIX on one that was given up":          {pix, mods{isFinished}, false, finished},
		"a cart on one that was reversed":         {later, mods{isReversed}, false, finished},
	} {
		t.Run(name, func(t *testing.T) {
			recovery := gen.Lead(noon, row.lead...)
			before := recovery.DeepCopy()
			e := eventOf(platforms.Abandoned, row.event)
			verdict := e.verdictOn(recovery)
			changed := cartWrite{salesEvent: e}.applyTo(recovery, verdict)
			diff := cmp.Diff(before, recovery)
			if changed != row.changed || changed != (diff != "") {
				t.Errorf("changed %t, want %t (-before +after):\n%s", changed, row.changed, diff)
			}
			answer := verdict.answer(recovery, changed)
			if diff := cmp.Diff(row.want, answer, cmp.AllowUnexported(outcome{})); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
			if changed && recovery.Spec.Trigger != e.event.Trigger {
				t.Errorf("the trigger is %q, want %q", recovery.Spec.Trigger, e.event.Trigger)
			}
		})
	}
}

func TestIsKnownBySame(t *testing.T) {
	customer := v1alpha1.LeadCustomer{Name: "Maria", Phone: gen.Phone, Email: gen.Email}
	for name, row := range map[string]struct {
		change func(*v1alpha1.LeadCustomer)
		want   bool
	}{
		"the same":              {func(*v1alpha1.LeadCustomer) {}, true},
		"another name":          {func(c *v1alpha1.LeadCustomer) { c.Name = "" }, true},
		"other capital letters": {func(c *v1alpha1.LeadCustomer) { c.Email = strings.ToUpper(c.Email) }, true},
		"another number":        {func(c *v1alpha1.LeadCustomer) { c.Phone = phone2 }, false},
		"no address":            {func(c *v1alpha1.LeadCustomer) { c.Email = "" }, false},
		"a further number":      {func(c *v1alpha1.LeadCustomer) { c.OtherPhones = []string{phone2} }, false},
		"a further address":     {func(c *v1alpha1.LeadCustomer) { c.OtherEmails = []string{address2} }, false},
	} {
		t.Run(name, func(t *testing.T) {
			changed := customer
			row.change(&changed)
			if isKnownBySame(&changed, &customer) != row.want || isKnownBySame(&customer, &changed) != row.want {
				t.Errorf("want %t, for both orders", row.want)
			}
		})
	}
}

func TestTooManyOpen(t *testing.T) {
	open := v1alpha1.CartRecovery{}
	ended, sold := open, open
	ended.Status.CompletionTime = &metav1.Time{Time: time.Now()}
	sold.Spec.Purchase = &v1alpha1.Purchase{EventID: "e1"}
	for _, c := range []struct {
		name        string
		open, other int
		want        bool
	}{
		{name: "none"},
		{name: "one less than too many, and many that are over", open: maxOpenLeads - 1, other: maxOpenLeads},
		{name: "too many", open: maxOpenLeads, want: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			leads := slices.Concat(slices.Repeat([]v1alpha1.CartRecovery{open}, c.open),
				slices.Repeat([]v1alpha1.CartRecovery{ended, sold}, c.other))
			if got := tooManyOpen(leads); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}
