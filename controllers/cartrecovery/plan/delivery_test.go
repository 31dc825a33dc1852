package plan

import (
	"testing"
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/lead"
)

func TestATextThatIsBeingWrittenIsLookedForAgain(t *testing.T) {
	c := planCase{now: gen.FirstDue + time.Second, text: Draft{State: DraftPending}}
	if got := Next(c.snapshot()); got.Kind != Wait || got.Blocked != "" ||
		!got.Until.Equal(gen.T0.Add(c.now+PrepareAhead)) {
		t.Errorf("got %+v", got)
	}
	c.now = gen.ExpiresAt - time.Second
	if got := Next(c.snapshot()); got.Kind != Wait || !got.Until.Equal(gen.T0.Add(gen.ExpiresAt)) {
		t.Errorf("at the end: got %+v", got)
	}
}

// A notice that went, that is being tried again, or whose end is unknown: the customer was
// understood to ask for a person, and is handed over without the AI.
func TestToldOfPerson(t *testing.T) {
	asked := gen.FromCustomer("m1", gen.T0.Add(time.Hour))
	for state, want := range map[v1alpha1.MessageState]Kind{
		v1alpha1.MessageSent: HandOver, v1alpha1.MessageUnknown: HandOver, v1alpha1.MessageCancelled: HandOver,
		v1alpha1.MessageFailed: Send,
	} {
		notice := gen.FromUs(lead.HandOffID(0, "m1"), state, gen.T0.Add(time.Hour+time.Second),
			func(m *v1alpha1.Message) { m.Step = "" })
		c := planCase{now: time.Hour + time.Minute, lead: []gen.LeadMod{gen.FromUs(gen.FirstID, v1alpha1.MessageSent,
			gen.T0.Add(gen.FirstDue)), asked, notice}}
		s := c.snapshot()
		s.Policy.HandOffText = "Já chamo!"
		if got := Next(s); got.Kind != want {
			t.Errorf("%s: got %s, want %s", state, got.Kind, want)
		}
		s.Lead.Status.Conversation[2].ID = lead.HandOffID(0, "another")
		s.Draft = func(TextID) Draft { return Draft{State: DraftPending} }
		if got := Next(s); got.Kind != Wait {
			t.Errorf("%s, of another message: got %s", state, got.Kind)
		}
	}
}
