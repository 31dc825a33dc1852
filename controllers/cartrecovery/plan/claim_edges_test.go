package plan

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
)

// claimEdgeCases are rows about a claim whose outcome nobody knows.
func claimEdgeCases() []planCase {
	claimed := gen.FromUs(gen.FirstID, v1alpha1.MessageClaimed, gen.T0.Add(gen.FirstDue))
	calls := func(uncalled bool) func(*Snapshot) {
		return func(s *Snapshot) { s.Uncalled = func(string, time.Time) bool { return uncalled } }
	}
	next := func(at *time.Duration, blocked string) gen.LeadMod {
		return func(l *v1alpha1.CartRecovery) {
			if blocked != "" {
				Waiting(Action{Blocked: blocked, Why: "why"}, gen.T0)(&l.Status)
			}
			if at != nil {
				l.Status.NextActionTime = WholeSecond(gen.T0.Add(*at))
			}
		}
	}
	later, now := gen.FirstDue+time.Hour, gen.FirstDue+time.Minute
	return []planCase{
		{name: "a claim that was never handed over is settled", now: now, lead: []gen.LeadMod{claimed},
			with: calls(true),
			want: Settle, message: gen.FirstID},
		{name: "a claim that was handed over is asked for", now: now, lead: []gen.LeadMod{claimed}, with: calls(false),
			want: Resolve, message: gen.FirstID},
		{name: "a claim is asked for although the next time is of something else", now: now,
			lead: []gen.LeadMod{claimed, next(&later, "")},
			want: Resolve, message: gen.FirstID},
		{name: "a claim is asked for although something else is in the way", now: now, want: Resolve,
			message: gen.FirstID,
			lead:    []gen.LeadMod{claimed, next(&later, v1alpha1.ReasonSuspended)}},
		{name: "a claim that was asked for is asked for again where nobody says when", now: now, want: Resolve,
			message: gen.FirstID,
			lead:    []gen.LeadMod{claimed, next(nil, v1alpha1.ReasonUnconfirmed)}},
		{name: "a claim that is to be asked for later waits", now: now, want: Wait, until: later,
			blocked: v1alpha1.ReasonUnconfirmed,
			lead:    []gen.LeadMod{claimed, next(&later, v1alpha1.ReasonUnconfirmed)}},
	}
}

// saidEdgeCases are rows about who said something, and in which cycle.
func saidEdgeCases() []planCase {
	const stop = "PARAR"
	text := func(m *v1alpha1.Message) { m.Text = stop }
	inCycle := func(l *v1alpha1.CartRecovery) { l.Status.Cycle = 1 }
	before := func(l *v1alpha1.CartRecovery) {
		gen.FromCustomer("m1", gen.T0)(l)
		l.Status.Conversation[0].Text = stop
	}
	ours := gen.FromUs("c0-reply-x", v1alpha1.MessageSent, gen.T0, text)
	return []planCase{
		{name: "an opt-out of this cycle ends it", now: time.Hour, lead: []gen.LeadMod{before}, want: Finish,
			outcome: v1alpha1.ReasonOptedOut},
		{name: "an opt-out of the cycle before does not end this one", now: 0, lead: []gen.LeadMod{before, inCycle},
			want:  Wait,
			until: prepareFrom},
		{name: "an opt-out word in what we wrote ends nothing", now: 0, lead: []gen.LeadMod{ours}, want: Wait,
			until: gen.ExpiresAt},
	}
}

func TestPlanAtItsEdges(t *testing.T) {
	for _, c := range append(claimEdgeCases(), saidEdgeCases()...) {
		t.Run(c.name, func(t *testing.T) { c.check(t, Next(c.snapshot())) })
	}
}

// TestUncalledChanges compares the whole status: what is no such claim is left as it is.
func TestUncalledChanges(t *testing.T) {
	at := gen.T0.Add(gen.FirstDue)
	twice := func(m *v1alpha1.Message) { m.Attempts = 2 }
	claimed := gen.FromUs(gen.FirstID, v1alpha1.MessageClaimed, at, twice)
	for name, row := range map[string]struct {
		lead    gen.LeadMod
		id      string
		changed bool
		want    int32
	}{
		"a claim":         {claimed, gen.FirstID, true, 1},
		"another message": {claimed, "c0-step-other", false, 2},
		"one that went": {
			gen.FromUs(gen.FirstID, v1alpha1.MessageSent, at, twice), gen.FirstID, false, 2,
		},
	} {
		t.Run(name, func(t *testing.T) {
			recovery := gen.Lead(gen.T0, row.lead)
			recovery.Status.Attempts = 2
			changed := Uncalled(row.id, at, true, at.Add(time.Minute))(&recovery.Status)
			got := []any{changed, recovery.Status.Conversation[0].Attempts, recovery.Status.Attempts}
			if diff := cmp.Diff([]any{row.changed, row.want, row.want}, got); diff != "" {
				t.Errorf("changed, attempts of the message and of the lead (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAReversedLeadIsNotWanted(t *testing.T) {
	s := (&planCase{now: gen.FirstDue, lead: []gen.LeadMod{func(l *v1alpha1.CartRecovery) {
		l.Spec.Reversal = &v1alpha1.Reversal{At: v1alpha1.NewTimestamp(gen.T0)}
	}}}).snapshot()
	if StillWanted(&s) {
		t.Error("a message is wanted for a lead whose sale was taken back")
	}
}

// TestConditionsAreAsFineAsASecond: a change within a second is none.
func TestConditionsAreAsFineAsASecond(t *testing.T) {
	for name, after := range map[string]time.Duration{"at the second": 0,
		"within the second": 1999 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			at := gen.T0.Add(after)
			status := statusAfter(Claim(wantedFirst(), 1, at), Waiting(Action{Blocked: v1alpha1.ReasonSuspended}, at))
			want := gen.T0.Add(after.Truncate(time.Second))
			for _, each := range status.Conditions {
				if diff := cmp.Diff(want, each.LastTransitionTime.UTC()); diff != "" {
					t.Errorf("%s (-want +got):\n%s", each.Type, diff)
				}
			}
		})
	}
}

// TestWaitingWithNothingInTheWay: whether what stood in the way is taken away, and written.
func TestWaitingWithNothingInTheWay(t *testing.T) {
	for name, row := range map[string]struct {
		planned          Action
		blocked          string
		changes, remains bool
	}{
		"what stood there goes":               {Action{}, v1alpha1.ReasonGatewayUnavailable, true, false},
		"nothing stood there":                 {Action{}, "", false, false},
		"an attempt is waited for":            {Action{refused: true}, v1alpha1.ReasonGatewayUnavailable, false, true},
		"a text is waited for":                {Action{Writing: true}, v1alpha1.ReasonSuspended, false, true},
		"an attempt, with nothing in its way": {Action{refused: true}, "", false, false},
	} {
		t.Run(name, func(t *testing.T) {
			status := statusAfter()
			if row.blocked != "" {
				Waiting(Action{Blocked: row.blocked, Why: "why"}, gen.T0)(status)
			}
			changes := Waiting(row.planned, gen.T0)(status)
			if diff := cmp.Diff([]bool{row.changes, row.remains},
				[]bool{changes, len(status.Conditions) > 0}); diff != "" {
				t.Errorf("changes, and is blocked (-want +got):\n%s", diff)
			}
		})
	}
}
