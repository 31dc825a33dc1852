package plan

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/lead"
)

// TestPaymentClaimsOfWhom: only the customer's own words of this cycle count, since a person knew.
func TestPaymentClaimsOfWhom(t *testing.T) {
	const paid, unpaid = "já paguei", "não paguei ainda"
	at := func(minutes int) time.Time { return gen.T0.Add(time.Duration(minutes) * time.Minute) }
	claims := func(id string, minutes int) gen.LeadMod { return gen.Says(id, paid, at(minutes)) }
	next := func(l *v1alpha1.CartRecovery) { l.Status.Cycle++ }
	now := func(l *v1alpha1.CartRecovery) { // what was said last is of this cycle
		l.Status.Conversation[len(l.Status.Conversation)-1].Cycle = l.Status.Cycle
	}
	says := func(text string) func(*v1alpha1.Message) { return func(m *v1alpha1.Message) { m.Text = text } }
	for name, row := range map[string]struct {
		lead []gen.LeadMod
		want [2]string
	}{
		"nobody":              {nil, [2]string{}},
		"once":                {[]gen.LeadMod{claims("a", 1)}, [2]string{"a", "a"}},
		"twice":               {[]gen.LeadMod{claims("a", 1), claims("b", 2)}, [2]string{"a", "b"}},
		"in the cycle before": {[]gen.LeadMod{claims("a", 1), next}, [2]string{}},
		"in both cycles":      {[]gen.LeadMod{claims("a", 1), next, claims("b", 2), now}, [2]string{"b", "b"}},
		"then not":            {[]gen.LeadMod{claims("a", 1), gen.Says("b", unpaid, at(2))}, [2]string{}},
		"then we say that not": {
			[]gen.LeadMod{claims("a", 1), gen.FromUs("b", v1alpha1.MessageSent, at(2), says(unpaid))},
			[2]string{"a", "a"},
		},
		"we say so": {[]gen.LeadMod{gen.FromUs("b", v1alpha1.MessageSent, at(2), says(paid))},
			[2]string{}},
		"then a person wrote": {[]gen.LeadMod{claims("a", 1), gen.FromPerson("p", at(2))}, [2]string{}},
		"after a person wrote": {
			[]gen.LeadMod{gen.FromPerson("p", at(1)), claims("a", 2)}, [2]string{"a", "a"},
		},
		"before a person gave it back": {[]gen.LeadMod{claims("a", 1), resumedBy(at(2))}, [2]string{}},
		"in the second it was given back": {
			[]gen.LeadMod{resumedBy(at(1).Add(-time.Second)), claims("a", 1)}, [2]string{},
		},
		"since a person gave it back": {[]gen.LeadMod{resumedBy(at(1)), claims("a", 2)}, [2]string{"a", "a"}},
		"something else after that": {[]gen.LeadMod{claims("a", 1), gen.Says("b", "obrigada", at(2))},
			[2]string{"a", "a"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := (&planCase{now: time.Hour, lead: row.lead}).snapshot()
			var got [2]string
			if first, last := PaymentClaims(&s); first != nil && last != nil {
				got = [2]string{first.ID, last.ID}
			}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("the first and the last claim (-want +got):\n%s", diff)
			}
		})
	}
}

func TestNoticeOf(t *testing.T) {
	for name, row := range map[string]struct {
		notice string
		with   func(*Snapshot)
		want   string
	}{
		"none":                       {"", nil, ""},
		"one":                        {" Aqui é {{.Store.Name}}. ", nil, "\n\nAqui é acme."},
		"one that says nothing":      {" \n ", nil, ""},
		"one that cannot be written": {"{{.Nobody}}", nil, ""},
		"one of no Store":            {"Aqui é a loja.", func(s *Snapshot) { s.Store = nil }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := (&planCase{now: gen.FirstDue, with: row.with}).snapshot()
			s.Policy.FirstMessageNotice = row.notice
			if diff := cmp.Diff(row.want, NoticeOf(&s)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestThanksOnce: thanks of another cycle, or that did not go, are none.
func TestThanksOnce(t *testing.T) {
	const minute = time.Minute
	at := gen.T0.Add(minute)
	claims := gen.Says("a", "já paguei", at)
	other, own := lead.PaidID(0, "other"), lead.PaidID(0, "a")
	for _, c := range []planCase{
		{name: "nobody was thanked", now: 2 * minute, lead: []gen.LeadMod{claims}, want: Send, message: own},
		{name: "they were thanked for another", now: 2 * minute, want: Wait, blocked: v1alpha1.ReasonClaimsPaid,
			lead: []gen.LeadMod{gen.FromUs(other, v1alpha1.MessageSent, gen.T0), claims}},
		{name: "that did not go", now: 2 * minute, want: Send, message: own,
			lead: []gen.LeadMod{gen.FromUs(other, v1alpha1.MessageCancelled, gen.T0), claims}},
		{name: "that was in another cycle", now: 2 * minute, want: Send, message: own,
			lead: []gen.LeadMod{gen.FromUs(other, v1alpha1.MessageSent, gen.T0, inCycle(7)), claims}},
	} {
		t.Run(c.name, func(t *testing.T) { c.check(t, Next(c.snapshot())) })
	}
}
