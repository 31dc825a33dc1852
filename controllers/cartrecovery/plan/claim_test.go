package plan

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
)

// TestUncalled: a claim that nobody was called for counts as no attempt, and no other claim is touched.
func TestUncalled(t *testing.T) {
	at := gen.T0.Add(gen.FirstDue)
	for _, c := range []struct {
		name   string
		state  v1alpha1.MessageState
		at     time.Time
		wanted bool
		want   v1alpha1.MessageState
	}{
		{"is planned again", v1alpha1.MessageClaimed, at, true, v1alpha1.MessageFailed},
		{"is cancelled when it is no longer wanted", v1alpha1.MessageClaimed, at, false, v1alpha1.MessageCancelled},
		{"another claim of the message stays", v1alpha1.MessageClaimed, at.Add(time.Second), true,
			v1alpha1.MessageClaimed},
		{"one that went stays", v1alpha1.MessageSent, at, true, v1alpha1.MessageSent},
	} {
		t.Run(c.name, func(t *testing.T) {
			recovery := gen.Lead(gen.T0, gen.FromUs(gen.FirstID, c.state, c.at))
			changed := Uncalled(gen.FirstID, at, c.wanted, at.Add(time.Minute))(&recovery.Status)
			type claim struct {
				Changed  bool
				State    v1alpha1.MessageState
				Attempts int32
			}
			m, want := recovery.Status.Conversation[0], claim{c.want != c.state, c.want, 1}
			if want.Changed {
				want.Attempts = 0
			}
			if diff := cmp.Diff(want, claim{changed, m.State, m.Attempts}); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestStillWanted(t *testing.T) {
	for _, c := range []struct {
		name string
		lead []gen.LeadMod
		with func(*Snapshot)
		want bool
	}{
		{name: "a lead that nothing has stopped", want: true},
		{name: "one that was bought", lead: []gen.LeadMod{gen.Bought(gen.T0)}},
		{name: "one that was bought on another lead", with: func(s *Snapshot) {
			s.SiblingPurchase = &v1alpha1.Purchase{At: v1alpha1.NewTimestamp(gen.T0)}
		}},
		{name: "one whose number is suppressed", with: func(s *Snapshot) { s.Suppressed = true }},
		{name: "one that was stopped", lead: []gen.LeadMod{func(l *v1alpha1.CartRecovery) {
			l.Spec.Stop = &v1alpha1.Stop{Reason: v1alpha1.StopOptOut, At: v1alpha1.NewTimestamp(gen.T0)}
		}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := (&planCase{now: gen.FirstDue, lead: c.lead, with: c.with}).snapshot()
			if diff := cmp.Diff(c.want, StillWanted(&s)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
