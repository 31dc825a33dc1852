package plan

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/lead"
)

// greets is what a paired phone says by itself.
func greets(at time.Time) gen.LeadMod {
	return func(l *v1alpha1.CartRecovery) {
		l.Status.Conversation = append(l.Status.Conversation, v1alpha1.Message{ID: "auto", Role: v1alpha1.RolePerson,
			Automatic: true, Text: "Olá!", At: v1alpha1.NewTimestamp(at)})
	}
}

// nextCycle puts what was said so far into the cycle before.
func nextCycle(l *v1alpha1.CartRecovery) { l.Status.Cycle++ }

// TestWhatAConversationSays is what the plan reads from who wrote, and from what went.
func TestWhatAConversationSays(t *testing.T) {
	type said struct {
		// HasBegun is whether there is a conversation, Opens whether the next message is its first.
		HasBegun, Opens bool
		// Steps are those that went, Last is when the last of them did.
		Steps int
		Last  time.Duration
		// Ours is what the store wrote last, ByPerson whether a person of it has the last word.
		Ours     string
		ByPerson bool
	}
	at := func(minutes int) time.Time { return gen.T0.Add(time.Duration(minutes) * time.Minute) }
	ours := func(state v1alpha1.MessageState) gen.LeadMod { return gen.FromUs(gen.FirstID, state, at(1)) }
	fails := gen.FromUs("c0-step-second", v1alpha1.MessageFailed, at(2), func(m *v1alpha1.Message) { m.Text = "E aí?" })
	answers := gen.FromUs("c0-reply-1", v1alpha1.MessageSent, at(3), func(m *v1alpha1.Message) { m.Step = "" })
	asks, person, greeting := gen.FromCustomer("m1", at(2)), gen.FromPerson("p1", at(3)), greets(at(4))
	one := time.Minute
	for name, row := range map[string]struct {
		lead []gen.LeadMod
		want said
	}{
		"nothing": {nil, said{Opens: true}},
		"a message that went": {
			[]gen.LeadMod{ours("Sent")}, said{HasBegun: true, Steps: 1, Last: one, Ours: "Oi!"},
		},
		"one that may have gone": {
			[]gen.LeadMod{ours("Unknown")}, said{HasBegun: true, Steps: 1, Last: one, Ours: "Oi!"},
		},
		"one that is on its way": {[]gen.LeadMod{ours("Claimed")}, said{HasBegun: true, Steps: 1, Last: one}},
		"one that was cancelled": {[]gen.LeadMod{ours("Cancelled")}, said{Steps: 1, Last: one}},
		"one that failed":        {[]gen.LeadMod{fails}, said{Opens: true}},
		"one that failed after it": {
			[]gen.LeadMod{ours("Sent"), fails}, said{HasBegun: true, Steps: 1, Last: one, Ours: "Oi!"},
		},
		"confirmed later": {
			[]gen.LeadMod{ours("Sent"), on(sentAt(at(2)))}, said{HasBegun: true, Steps: 1, Last: 2 * one, Ours: "Oi!"},
		},
		"an answer is no step":  {[]gen.LeadMod{answers}, said{HasBegun: true, Ours: "Oi!"}},
		"in the cycle before":   {[]gen.LeadMod{ours("Sent"), nextCycle}, said{Opens: true, Ours: "Oi!"}},
		"the customer wrote":    {[]gen.LeadMod{asks}, said{HasBegun: true}},
		"a machine of theirs":   {[]gen.LeadMod{asks, on(gen.Automatic)}, said{HasBegun: true}},
		"a person wrote":        {[]gen.LeadMod{person}, said{HasBegun: true, ByPerson: true}},
		"then the paired phone": {[]gen.LeadMod{person, greeting}, said{HasBegun: true, ByPerson: true}},
		"then we": {
			[]gen.LeadMod{person, answers}, said{HasBegun: true, ByPerson: true, Ours: "Oi!"},
		},
		"then the customer":                    {[]gen.LeadMod{person, asks}, said{HasBegun: true}},
		"a person wrote in the cycle before":   {[]gen.LeadMod{person, nextCycle}, said{Opens: true}},
		"the paired phone greeted by itself":   {[]gen.LeadMod{greeting}, said{Opens: true}},
		"the customer wrote, answered by hand": {[]gen.LeadMod{asks, person}, said{HasBegun: true, ByPerson: true}},
	} {
		t.Run(name, func(t *testing.T) {
			s := (&planCase{lead: row.lead}).snapshot()
			steps, last := stepsDone(&s)
			got := said{HasBegun(s.Lead), opens(&s), steps, last.Sub(gen.T0), lastOfOurs(s.Lead),
				AnsweredByPerson(s.Lead)}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestTalkedSince: what was written before somebody wrote or edited something would answer something else.
func TestTalkedSince(t *testing.T) {
	at := gen.T0.Add(time.Hour)
	asks := gen.FromCustomer("m1", gen.T0)
	for name, row := range map[string]struct {
		lead []gen.LeadMod
		want bool
	}{
		"nobody":                            {nil, false},
		"a person, since":                   {[]gen.LeadMod{gen.FromPerson("p1", at.Add(time.Second))}, true},
		"a person, just then":               {[]gen.LeadMod{gen.FromPerson("p1", at)}, false},
		"a person, before":                  {[]gen.LeadMod{gen.FromPerson("p1", at.Add(-time.Second))}, false},
		"their phone by itself, since":      {[]gen.LeadMod{greets(at.Add(time.Second))}, false},
		"the customer, who is answered yet": {[]gen.LeadMod{gen.FromCustomer("m1", at.Add(time.Second))}, false},
		"an edit since":                     {[]gen.LeadMod{asks, editedAt(at.Add(time.Second))}, true},
		"an edit just then":                 {[]gen.LeadMod{asks, editedAt(at)}, false},
		"an edit before":                    {[]gen.LeadMod{asks, editedAt(at.Add(-time.Second))}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(row.want, talkedSince(gen.Lead(gen.T0, row.lead...), at)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestWhoAsksForAPerson: a wish for a person that nobody has answered, and one that was ever made.
func TestWhoAsksForAPerson(t *testing.T) {
	type asked struct {
		// Open is the message that nobody has answered, Ever whether there is any since a person gave it back.
		Open string
		Ever bool
		// Resumed is when the conversation went back.
		Resumed time.Duration
	}
	const hour, second = time.Hour, time.Second
	in := gen.T0.Add
	wants := func(at time.Duration) gen.LeadMod { return gen.Says("m1", "atendente", in(at)) }
	unclear := gen.Says("m1", "me passa pra alguém daí", in(2*hour))
	ours := func(state v1alpha1.MessageState) gen.LeadMod {
		return gen.FromUs("c0-reply-1", state, in(2*hour+second), func(m *v1alpha1.Message) { m.Text = "atendente" })
	}
	tells := gen.FromUs(lead.HandOffID(0, "m1"), v1alpha1.MessageSent, in(2*hour+second))
	by := func(change Change) gen.LeadMod {
		return func(l *v1alpha1.CartRecovery) { change(&l.Status) }
	}
	back := resumedBy(in(hour))
	for name, row := range map[string]struct {
		lead []gen.LeadMod
		want asked
	}{
		"nobody":                       {nil, asked{}},
		"the customer":                 {[]gen.LeadMod{wants(2 * hour)}, asked{"m1", true, 0}},
		"the customer, something else": {[]gen.LeadMod{gen.FromCustomer("m1", in(hour))}, asked{}},
		"in the cycle before":          {[]gen.LeadMod{wants(2 * hour), nextCycle}, asked{}},
		"we, in what did not go":       {[]gen.LeadMod{ours("Failed")}, asked{}},
		"then we answered":             {[]gen.LeadMod{wants(2 * hour), ours("Sent")}, asked{"", true, 0}},
		"then our answer failed":       {[]gen.LeadMod{wants(2 * hour), ours("Failed")}, asked{"m1", true, 0}},
		"then we said that one comes":  {[]gen.LeadMod{wants(2 * hour), tells}, asked{"m1", true, 0}},
		"as only the AI understood":    {[]gen.LeadMod{unclear, tells}, asked{"m1", true, 0}},
		"as nobody has understood":     {[]gen.LeadMod{unclear}, asked{}},
		"then a person wrote": {
			[]gen.LeadMod{wants(2 * hour), gen.FromPerson("p1", in(3*hour))}, asked{"", true, 0},
		},
		"before one gave it back":       {[]gen.LeadMod{wants(hour - second), back}, asked{"", false, hour + second}},
		"at the instant of the request": {[]gen.LeadMod{wants(hour), back}, asked{"", false, hour + second}},
		"in the second after it":        {[]gen.LeadMod{wants(hour + second), back}, asked{"", true, hour + second}},
		"since one gave it back":        {[]gen.LeadMod{back, wants(2 * hour)}, asked{"m1", true, hour + second}},
		"then a phone whose clock is behind": {
			[]gen.LeadMod{back, wants(2 * hour), greets(in(0))}, asked{"m1", true, hour + second},
		},
		"before it went back by itself": {
			[]gen.LeadMod{wants(hour), by(ResumedFor(v1alpha1.ReasonResumedByTime, "", 1, in(2*hour)))},
			asked{"", true, 2*hour + second},
		},
		"before a request that is no time": {
			[]gen.LeadMod{wants(2 * hour), by(ResumedFor(v1alpha1.ReasonResumed, "yes", 1, in(hour)))},
			asked{"m1", true, hour + second},
		},
		"of one who has it": {
			[]gen.LeadMod{wants(hour), by(HandedOverFor(v1alpha1.ReasonCustomerAsked, 1, in(2*hour)))},
			asked{"m1", true, 0},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := (&planCase{now: 4 * hour, lead: row.lead}).snapshot()
			got := asked{Ever: askedForPerson(&s)}
			if open := asksForPerson(&s); open != nil {
				got.Open = open.ID
			}
			if resumed := ResumedAt(s.Lead); !resumed.IsZero() {
				got.Resumed = resumed.Sub(gen.T0)
			}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestSaidAt: a request to stop was made by the customer's message of its time, in this cycle.
func TestSaidAt(t *testing.T) {
	at := gen.T0.Add(time.Hour)
	asks := gen.FromCustomer("m1", at)
	for name, row := range map[string]struct {
		lead []gen.LeadMod
		want bool
	}{
		"the customer's":      {[]gen.LeadMod{asks}, true},
		"of another time":     {[]gen.LeadMod{gen.FromCustomer("m1", gen.T0)}, false},
		"ours":                {[]gen.LeadMod{gen.FromUs(gen.FirstID, v1alpha1.MessageSent, at)}, false},
		"of the cycle before": {[]gen.LeadMod{asks, nextCycle}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(row.want, saidAt(gen.Lead(gen.T0, row.lead...), at) != nil); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestIsOfAnother: an outcome is written again once another purchase counts than the one that it tells of.
func TestIsOfAnother(t *testing.T) {
	at, later := v1alpha1.NewTimestamp(gen.T0), v1alpha1.NewTimestamp(gen.T0.Add(time.Second))
	purchase := &v1alpha1.Purchase{Amount: "10", Currency: "BRL", At: at}
	for name, row := range map[string]struct {
		result *v1alpha1.RecoveryResult
		want   bool
	}{
		"the same":       {&v1alpha1.RecoveryResult{Amount: "10", Currency: "BRL", BoughtAt: &at}, false},
		"without credit": {nil, false},
		"one that was undone": {
			&v1alpha1.RecoveryResult{Amount: "10", Currency: "BRL", BoughtAt: &at, ReversedAt: &later}, true,
		},
		"of another amount":    {&v1alpha1.RecoveryResult{Amount: "11", Currency: "BRL", BoughtAt: &at}, true},
		"in another currency":  {&v1alpha1.RecoveryResult{Amount: "10", Currency: "USD", BoughtAt: &at}, true},
		"without a time":       {&v1alpha1.RecoveryResult{Amount: "10", Currency: "BRL"}, true},
		"one of a second ago":  {&v1alpha1.RecoveryResult{Amount: "10", Currency: "BRL", BoughtAt: &later}, true},
		"nothing that is told": {&v1alpha1.RecoveryResult{}, true},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(row.want, isOfAnother(row.result, purchase)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestIsLate: a message from about the time of the end counts as one after it, where leads do not last so short.
func TestIsLate(t *testing.T) {
	for name, row := range map[string]struct {
		before, lasts time.Duration
		want          bool
	}{
		"after the end":                     {-time.Second, time.Hour, true},
		"just within the skew":              {lateSkew - time.Microsecond, time.Hour, true},
		"at its edge":                       {lateSkew, time.Hour, false},
		"half the time of a short lead":     {10*time.Second - time.Microsecond, 20 * time.Second, true},
		"at the edge of a short lead":       {10 * time.Second, 20 * time.Second, false},
		"a lead whose half is the skew":     {lateSkew - time.Microsecond, 2 * lateSkew, true},
		"one whose half is a little longer": {lateSkew, 2*lateSkew + time.Second, false},
	} {
		t.Run(name, func(t *testing.T) {
			m := &v1alpha1.Message{At: v1alpha1.NewTimestamp(gen.T0.Add(-row.before))}
			if diff := cmp.Diff(row.want, isLate(m, gen.T0, row.lasts)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestRestoredAt: a lead was restored that was created more than a minute after it was received; one of an earlier
// version, that the ledger knew before.
func TestRestoredAt(t *testing.T) {
	received := func(before time.Duration) gen.LeadMod {
		return func(l *v1alpha1.CartRecovery) {
			at := v1alpha1.NewTimestamp(gen.T0.Add(-before))
			l.Spec.ReceivedAt = &at
		}
	}
	type told struct {
		Restored bool
		Lived    int
	}
	sent := func(after time.Duration) []v1alpha1.LedgerEntry {
		return []v1alpha1.LedgerEntry{noted(v1alpha1.LedgerSent, after)}
	}
	for name, row := range map[string]struct {
		lead   []gen.LeadMod
		ledger []v1alpha1.LedgerEntry
		want   told
	}{
		"created when it was received":      {[]gen.LeadMod{received(0)}, nil, told{false, 0}},
		"a minute later":                    {[]gen.LeadMod{received(time.Minute)}, nil, told{false, 0}},
		"more than a minute later":          {[]gen.LeadMod{received(time.Minute + time.Second)}, nil, told{true, 0}},
		"the ledger knew a namesake":        {[]gen.LeadMod{received(0)}, sent(-time.Second), told{false, 0}},
		"the ledger knew it before":         {nil, sent(-time.Second), told{true, 1}},
		"the ledger knows it since then":    {nil, sent(0), told{false, 1}},
		"the ledger knows it since":         {nil, sent(time.Second), told{false, 1}},
		"the ledger knew it, and something": {nil, append(sent(time.Second), sent(-time.Second)...), told{true, 2}},
	} {
		t.Run(name, func(t *testing.T) {
			s := (&planCase{lead: row.lead, with: tells(row.ledger...)}).snapshot()
			restored := RestoredAt(&s)
			if diff := cmp.Diff(row.want, told{!restored.IsZero(), len(lived(&s))}); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if row.want.Restored && !restored.Equal(gen.T0) {
				t.Errorf("restored at %s, want when it was created, at %s", restored, gen.T0)
			}
		})
	}
}

// TestIsBlockedBy: only a condition that is true stands in the way.
func TestIsBlockedBy(t *testing.T) {
	for name, row := range map[string]struct {
		condition metav1.Condition
		want      bool
	}{
		"it is":              {metav1.Condition{Status: "True", Reason: v1alpha1.ReasonClaimsPaid}, true},
		"for another reason": {metav1.Condition{Status: "True", Reason: v1alpha1.ReasonSuspended}, false},
		"it was":             {metav1.Condition{Status: "False", Reason: v1alpha1.ReasonClaimsPaid}, false},
	} {
		t.Run(name, func(t *testing.T) {
			row.condition.Type = v1alpha1.ConditionBlocked
			recovery := gen.Lead(gen.T0, func(l *v1alpha1.CartRecovery) {
				l.Status.Conditions = []metav1.Condition{row.condition}
			})
			if diff := cmp.Diff(row.want, IsBlockedBy(recovery, v1alpha1.ReasonClaimsPaid)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
