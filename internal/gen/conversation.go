package gen

import (
	"time"

	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/policy"
)

// Automatic says that a machine wrote a message.
func Automatic(m *v1alpha1.Message) { m.Automatic = true }

// TakenOver is what the webhook server writes of a message from the paired phone.
func TakenOver(id, text string, at time.Time) func(*v1alpha1.CartRecoveryStatus) {
	return func(status *v1alpha1.CartRecoveryStatus) {
		status.NextActionTime = nil
		status.Conversation = lead.Append(status.Conversation, v1alpha1.Message{
			ID: id, Role: v1alpha1.RolePerson, Cycle: status.Cycle, Text: text, At: v1alpha1.NewTimestamp(at),
		})
		apimeta.SetStatusCondition(&status.Conditions, metav1.Condition{
			Type: v1alpha1.ConditionHandedOff, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonPersonWrote,
			LastTransitionTime: metav1.NewTime(at.UTC().Truncate(time.Second)),
		})
	}
}

// FromPerson adds a message of a person of the store, who has the conversation from then on.
func FromPerson(id string, at time.Time) LeadMod {
	return func(recovery *v1alpha1.CartRecovery) { TakenOver(id, "Já te ajudo", at)(&recovery.Status) }
}

// T0 is when every lead of a table was abandoned.
var T0 = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// LeadMod changes a lead as it is made.
type LeadMod = func(*v1alpha1.CartRecovery)

// FromUs adds a message of the store in a state. Where it was sent, it was sent when it was claimed.
func FromUs(id string, state v1alpha1.MessageState, at time.Time, mods ...func(*v1alpha1.Message)) LeadMod {
	return func(recovery *v1alpha1.CartRecovery) {
		m := v1alpha1.Message{
			ID: id, Role: v1alpha1.RoleAssistant, Step: policy.DefaultStepName, Text: "Oi!",
			State: state, At: v1alpha1.NewTimestamp(at), Attempts: 1,
		}
		if state == v1alpha1.MessageSent {
			sent := v1alpha1.NewTimestamp(at)
			m.SentAt = &sent
		}
		for _, mod := range mods {
			mod(&m)
		}
		recovery.Status.Conversation = append(recovery.Status.Conversation, m)
		recovery.Status.InstanceRef = &v1alpha1.ObjectReference{Name: Instance}
	}
}

// FromCustomer adds a message of the customer.
func FromCustomer(id string, at time.Time) LeadMod {
	return func(recovery *v1alpha1.CartRecovery) {
		recovery.Status.Conversation = append(recovery.Status.Conversation, v1alpha1.Message{
			ID: id, Role: v1alpha1.RoleCustomer, Text: "Tem desconto?", At: v1alpha1.NewTimestamp(at),
		})
	}
}

// Says adds a message of the customer with a text.
func Says(id, text string, at time.Time) LeadMod {
	return func(recovery *v1alpha1.CartRecovery) {
		FromCustomer(id, at)(recovery)
		recovery.Status.Conversation[len(recovery.Status.Conversation)-1].Text = text
	}
}

// Bought adds a purchase.
func Bought(at time.Time) LeadMod {
	return func(recovery *v1alpha1.CartRecovery) {
		recovery.Spec.Purchase = &v1alpha1.Purchase{EventID: "e1", At: v1alpha1.NewTimestamp(at)}
	}
}

const (
	// FirstDue is when a first message is due by default.
	FirstDue = policy.DefaultFirstDelay
	// FirstID is the id of a first message.
	FirstID = "c0-step-first"
	// ExpiresAt is when a lead expires by default.
	ExpiresAt = policy.DefaultExpireAfter
)
