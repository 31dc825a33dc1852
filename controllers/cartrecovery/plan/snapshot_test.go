package plan

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/contacts"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/lead"
)

// contactCases are the rows about the question whether a number is on WhatsApp.
func contactCases() []planCase {
	known := func(id string) gen.LeadMod {
		return func(l *v1alpha1.CartRecovery) { l.Status.WhatsAppID = id }
	}
	unasked, is, isNot := &contacts.Contact{}, &contacts.Contact{State: contacts.Registered,
		ID: "551187654321"}, &contacts.Contact{State: contacts.Absent}
	const asked = prepareFrom + 3*time.Second
	asking := &contacts.Contact{State: contacts.Asking, Until: gen.T0.Add(asked)}
	away := *gen.InstanceObject(func(i *v1alpha1.WhatsAppInstance) {
		i.Status.Conditions[0].Status = metav1.ConditionFalse
	})
	refusedFirst := gen.FromUs(gen.FirstID, v1alpha1.MessageFailed, gen.T0.Add(gen.FirstDue),
		attempts(1, gen.T0.Add(gen.FirstDue+time.Minute)))
	return []planCase{
		{name: "no number is asked for before its text is wanted", now: 0, contact: unasked, want: Wait,
			until: prepareFrom},
		{name: "a number is asked for before the text is written", now: prepareFrom, contact: unasked, want: Check,
			message: gen.FirstID},
		{name: "a number is asked for although the lead is overdue", now: 5 * time.Hour, contact: unasked, want: Check,
			message: gen.FirstID},
		{name: "a number that is asked for by another lead is waited for", now: prepareFrom, contact: asking,
			want: Wait, until: asked},
		{name: "a number that is asked for is not waited for beyond the due time", now: gen.FirstDue, contact: asking,
			want:    Prepare,
			message: gen.FirstID},
		{name: "a number on WhatsApp gets its text", now: prepareFrom, contact: is, want: Prepare,
			message: gen.FirstID},
		{name: "a number without WhatsApp ends the lead before a text is paid for", now: prepareFrom, contact: isNot,
			want: Finish, outcome: v1alpha1.ReasonNotOnWhatsApp},
		{name: "a number without WhatsApp ends the lead also when that is known only later", now: gen.FirstDue,
			contact: isNot, text: ready(), want: Finish,
			outcome: v1alpha1.ReasonNotOnWhatsApp},
		{name: "a text that is ready is not delayed by a question", now: gen.FirstDue, contact: unasked, text: ready(),
			want: Send, message: gen.FirstID},
		{name: "a text that is being written is not delayed by a question", now: prepareFrom, contact: unasked,
			text: Draft{State: DraftPending},
			want: Wait, until: gen.FirstDue},
		{name: "a lead that knows the id asks no more", now: prepareFrom, contact: unasked,
			lead: []gen.LeadMod{known("551187654321")}, want: Prepare, message: gen.FirstID},
		{name: "a lead with a stranger's id does", now: prepareFrom, contact: unasked,
			lead: []gen.LeadMod{known("551187654322")}, want: Check, message: gen.FirstID},
		{name: "another attempt asks no more", now: gen.FirstDue + 5*time.Minute, contact: unasked,
			lead: []gen.LeadMod{refusedFirst}, want: Send, message: gen.FirstID},
		{name: "a customer who writes has WhatsApp", now: time.Hour, contact: isNot,
			lead: []gen.LeadMod{gen.FromCustomer("m1", gen.T0.Add(time.Minute))}, want: Prepare,
			message: lead.ReplyID(0, "m1")},
		{name: "nobody is asked through a number that is away", now: prepareFrom, contact: unasked,
			instances: []v1alpha1.WhatsAppInstance{away}, want: Wait, until: gen.ExpiresAt,
			blocked: v1alpha1.ReasonNoConnectedInstance},
		{name: "a second message asks no more", now: gen.FirstDue + time.Hour, contact: unasked, steps: twoSteps,
			lead: []gen.LeadMod{gen.FromUs(gen.FirstID, v1alpha1.MessageSent, gen.T0.Add(gen.FirstDue))}, want: Prepare,
			message: "c0-step-second"},
		{name: "a text of the store's own waits for the question", now: gen.FirstDue, contact: unasked,
			steps: []v1alpha1.Step{{Name: "first", Text: "Oi!"}}, want: Check, message: gen.FirstID},
	}
}

func TestPlanSendsToTheID(t *testing.T) {
	c := planCase{now: gen.FirstDue, text: ready(), contact: &contacts.Contact{State: contacts.Registered,
		ID: "551187654321"}}
	if got := Next(c.snapshot()); got.Kind != Send || got.Message.whatsAppID != "551187654321" {
		t.Errorf("got %s to %q", got.Kind, got.Message.whatsAppID)
	}
}
