package lead

import (
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
)

// Recovered says whether a purchase came after a message of the store in the lead's current
// cycle, and may be credited to it.
func Recovered(recovery *v1alpha1.CartRecovery, purchase *v1alpha1.Purchase) bool {
	if purchase == nil || purchase.Unattributed || CycleAsked(recovery) {
		// Nothing was sent yet in a cycle that was only asked for.
		return false
	}
	contact := FirstContact(recovery)
	return !contact.IsZero() && !contact.After(purchase.At.Time)
}

// Result is what a recovery was worth: the purchase, and which messages of the store came before it. It is
// nil for a lead that was not Recovered. Messages that the conversation has dropped (see
// Append) are not counted; steps are never dropped. Lengths of time are whole seconds.
func Result(recovery *v1alpha1.CartRecovery, purchase *v1alpha1.Purchase) *v1alpha1.RecoveryResult {
	if !Recovered(recovery, purchase) {
		return nil
	}
	boughtAt := purchase.At
	result := &v1alpha1.RecoveryResult{
		Amount: purchase.Amount, Currency: purchase.Currency, BoughtAt: &boughtAt,
		TimeToRecovery: elapsed(abandonedAt(recovery), boughtAt.Time),
	}
	messages, step := sentBefore(recovery, boughtAt.Time)
	result.Messages = messages
	if step != nil {
		result.Step = step.Step
		result.TimeFromMessage = elapsed(sentAt(step), boughtAt.Time)
	}
	return result
}

// WithReversal returns the result with what the reversal says: when the purchase was taken
// back, or that it was not. Both may be nil; the result that is given is not changed.
func WithReversal(result *v1alpha1.RecoveryResult, reversal *v1alpha1.Reversal) *v1alpha1.RecoveryResult {
	changed := result.DeepCopy()
	if changed == nil {
		return nil
	}
	changed.ReversedAt = nil
	if reversal != nil {
		at := reversal.At
		changed.ReversedAt = &at
	}
	return changed
}

// sentBefore counts the store's messages of this cycle that were sent before a time, and finds the last step among
// them, nil for none. As for the outcome, a message counts from its claim: the gateway's confirmation can come later
// than the purchase.
func sentBefore(recovery *v1alpha1.CartRecovery, at time.Time) (messages int32, step *v1alpha1.Message) {
	for i := range recovery.Status.Conversation {
		m := &recovery.Status.Conversation[i]
		ours := m.Role == v1alpha1.RoleAssistant && m.State == v1alpha1.MessageSent
		if m.Cycle != recovery.Status.Cycle || !ours || m.At.After(at) {
			continue
		}
		messages++
		// A step that was refused at first keeps its place and is claimed later.
		if m.Step != "" && (step == nil || !m.At.Before(step.At.Time)) {
			step = m
		}
	}
	return messages, step
}

func sentAt(message *v1alpha1.Message) time.Time {
	if message.SentAt != nil {
		return message.SentAt.Time
	}
	return message.At.Time
}

func abandonedAt(recovery *v1alpha1.CartRecovery) time.Time {
	if recovery.Spec.AbandonedAt != nil {
		return recovery.Spec.AbandonedAt.Time
	}
	return recovery.CreationTimestamp.Time
}

// elapsed is the time between two points in whole seconds, never less than none: the clocks
// of a platform and a gateway differ, and the schema takes no microseconds.
func elapsed(from, to time.Time) *v1alpha1.Duration {
	return &v1alpha1.Duration{Duration: max(0, to.Sub(from)).Truncate(time.Second)}
}
