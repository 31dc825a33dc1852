package plan

import (
	"testing"
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/lead"
)

// TestATextThatIsBeingWrittenIsLookedForAgain: every minute, and no longer than the lead lasts.
func TestATextThatIsBeingWrittenIsLookedForAgain(t *testing.T) {
	for _, c := range []planCase{
		{name: "overdue", now: gen.FirstDue + time.Second, want: Wait, until: gen.FirstDue + time.Second + time.Minute},
		{name: "at the end", now: gen.ExpiresAt - time.Second, want: Wait, until: gen.ExpiresAt},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.text = Draft{State: DraftPending}
			c.check(t, Next(c.snapshot()))
		})
	}
}

// TestToldOfPerson: of a notice that went, that is being tried again, or whose end is unknown, the customer was
// understood to ask for a person, and is handed over without the AI. One about another message says nothing.
func TestToldOfPerson(t *testing.T) {
	for state, want := range map[v1alpha1.MessageState]Kind{
		v1alpha1.MessageSent: HandOver, v1alpha1.MessageUnknown: HandOver, v1alpha1.MessageCancelled: HandOver,
		v1alpha1.MessageFailed: Send,
	} {
		for of, want := range map[string]Kind{"m1": want, "another": Wait} {
			t.Run(string(state)+" of "+of, func(t *testing.T) {
				c := planCase{now: time.Hour + time.Minute, want: want, text: Draft{State: DraftPending},
					lead: []gen.LeadMod{gen.FromUs(gen.FirstID, v1alpha1.MessageSent, gen.T0.Add(gen.FirstDue)),
						gen.FromCustomer("m1", gen.T0.Add(time.Hour)), gen.FromUs(lead.HandOffID(0, of), state,
							gen.T0.Add(time.Hour+time.Second), func(m *v1alpha1.Message) { m.Step = "" })},
					with: func(s *Snapshot) { s.Policy.HandOffText = "Já chamo!" }}
				c.check(t, Next(c.snapshot()))
			})
		}
	}
}
