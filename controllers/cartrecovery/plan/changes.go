package plan

import (
	"cmp"
	"time"

	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/budget"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/ledger"
	"cartrecovery.dev/operator/internal/policy"
)

const (
	resumedMessage       = "a person of the store gave the conversation back to the AI"
	resumedByTimeMessage = "the person of the store has not written for recovery.handOff.resumeAfter: the " +
		"conversation went back to the AI"
)

// ResumeReason is why a conversation goes back; "" is that a person gave it.
func ResumeReason(reason string) string { return cmp.Or(reason, v1alpha1.ReasonResumed) }

// ResumeMessage says in words why a conversation goes back.
func ResumeMessage(reason string) string {
	if reason == v1alpha1.ReasonResumedByTime {
		return resumedByTimeMessage
	}
	return resumedMessage
}

// HandedOverFor opens a lead that was over again: a person is to see it among the open ones.
func HandedOverFor(reason string, generation int64, now time.Time) Change {
	return func(status *v1alpha1.CartRecoveryStatus) bool {
		unblock(status)
		late := AnsweredLate(generation, now)(status)
		given := apimeta.SetStatusCondition(&status.Conditions, metav1.Condition{
			Type: v1alpha1.ConditionHandedOff, Status: metav1.ConditionTrue, Reason: reason,
			Message: lead.HandOffMessage(reason), ObservedGeneration: generation, LastTransitionTime: *WholeSecond(now),
		})
		return given || late
	}
}

// ResumedFor counts from the next whole second, which is as fine as a condition tells: what the
// customer asked for before must not ask for a person again.
func ResumedFor(reason, request string, generation int64, now time.Time) Change {
	return func(status *v1alpha1.CartRecoveryStatus) bool {
		status.HandledResumeRequest = request
		if reason == v1alpha1.ReasonResumed {
			// Whoever gives the conversation back wants it answered.
			status.TokensUsedBefore = status.TokensUsed
		}
		return apimeta.SetStatusCondition(&status.Conditions, metav1.Condition{
			Type: v1alpha1.ConditionHandedOff, Status: metav1.ConditionFalse,
			Reason: ResumeReason(reason), Message: ResumeMessage(reason),
			ObservedGeneration: generation, LastTransitionTime: *WholeSecond(now.Add(time.Second)),
		})
	}
}

// AnsweredLate opens a lead again for answers: its cycle stays what it is, and as the customer
// has written in it, no step of the sequence follows.
func AnsweredLate(generation int64, now time.Time) Change {
	return func(status *v1alpha1.CartRecoveryStatus) bool {
		if status.CompletionTime == nil {
			return false
		}
		status.CompletionTime = nil
		unblock(status)
		setSucceeded(status, metav1.ConditionUnknown, v1alpha1.ReasonInProgress, "the customer wrote after the end",
			generation, now)
		return true
	}
}

// bringAlong makes what a customer wrote after a cycle expired part of the next, which then
// begins with it: it is answered, and no first message follows. What they wrote to a lead that
// ended otherwise was part of its end; and what would have opened the lead for no answer (see
// lateReply) is answered no more by a cart.
func bringAlong(status *v1alpha1.CartRecoveryStatus, outcome string, expireAfter time.Duration, now time.Time) {
	if !IsExpiry(outcome) || status.CompletionTime == nil {
		return
	}
	ended := status.CompletionTime.Time
	for i := len(status.Conversation) - 1; i >= 0; i-- {
		m := &status.Conversation[i]
		switch {
		case m.Cycle != status.Cycle:
		case lead.ByPerson(m):
			return
		case m.Role != v1alpha1.RoleCustomer, m.Automatic, policy.LooksAutomatic(m.Text):
		case isLate(m, ended, expireAfter) && now.Sub(m.At.Time) < expireAfter:
			m.Cycle++
		}
	}
}

// stepsOf are the steps that were sent in a cycle.
func stepsOf(told ledger.Told, cycle int32) []v1alpha1.Message {
	var steps []v1alpha1.Message
	for i := range told.Messages {
		if m := told.Messages[i]; m.Cycle == cycle && m.Step != "" {
			steps = append(steps, m)
		}
	}
	return steps
}

// Rebuilt writes what the ledger knows into a status that lacks it. What the status says of
// hand-off and outcome is left alone, where it says anything.
func Rebuilt(s *Snapshot) Change {
	told := ledger.Tell(lived(s))
	return func(status *v1alpha1.CartRecoveryStatus) bool {
		if apimeta.FindStatusCondition(status.Conditions, v1alpha1.ConditionSucceeded) != nil {
			joined, changed := ledger.Join(status.Conversation, stepsOf(told, status.Cycle))
			status.Conversation = joined
			return changed
		}
		status.Cycle = max(status.Cycle, told.Cycle)
		status.Conversation, _ = ledger.Join(status.Conversation, told.Messages)
		unblock(status)
		for i := range told.Messages {
			if from := told.Messages[i].Instance; from != "" {
				status.InstanceRef = &v1alpha1.ObjectReference{Name: from}
			}
		}
		setSucceeded(status, metav1.ConditionUnknown, v1alpha1.ReasonInProgress,
			"the lead is worked on; its status was restored from the ledger", s.Lead.Generation, s.Now)
		handOverAgain(status, told.HandedOff, s.Lead.Generation)
		endAgain(s.Lead, status, told.Ended)
		return true
	}
}

// handOverAgain gives a conversation that a person had back to them.
func handOverAgain(status *v1alpha1.CartRecoveryStatus, entry *v1alpha1.LedgerEntry, generation int64) {
	if entry == nil || apimeta.FindStatusCondition(status.Conditions, v1alpha1.ConditionHandedOff) != nil {
		return
	}
	message := lead.HandedOffMessage
	if entry.Reason == v1alpha1.ReasonCustomerAsked {
		message = lead.CustomerAskedMessage
	}
	apimeta.SetStatusCondition(&status.Conditions, metav1.Condition{
		Type: v1alpha1.ConditionHandedOff, Status: metav1.ConditionTrue, Reason: entry.Reason, Message: message,
		ObservedGeneration: generation, LastTransitionTime: *WholeSecond(entry.At.Time),
	})
}

// endAgain writes the outcome that a lead had. What it was worth is derived again from its
// purchase.
func endAgain(recovery *v1alpha1.CartRecovery, status *v1alpha1.CartRecoveryStatus, entry *v1alpha1.LedgerEntry) {
	if entry == nil {
		return
	}
	ended := recovery.DeepCopy()
	ended.Status = *status.DeepCopy()
	status.CompletionTime = WholeSecond(entry.At.Time)
	value := metav1.ConditionFalse
	switch entry.Reason {
	case v1alpha1.ReasonBoughtAfterContact, v1alpha1.ReasonBoughtBeforeContact, v1alpha1.ReasonPurchaseNotAttributed:
		value = metav1.ConditionTrue
		status.Result = lead.Result(ended, recovery.Spec.Purchase)
	case v1alpha1.ReasonReversed:
		status.Result = lead.WithReversal(lead.Result(ended, recovery.Spec.Purchase), recovery.Spec.Reversal)
	}
	setSucceeded(status, value, entry.Reason, OutcomeMessages[entry.Reason], recovery.Generation, entry.At.Time)
}

// SentBefore writes that a message was sent before, as the gateway tells.
func SentBefore(wanted Message, known Proof, generation int64, now time.Time) Change {
	return func(status *v1alpha1.CartRecoveryStatus) bool {
		at, from := v1alpha1.NewTimestamp(now), cmp.Or(known.Number, wanted.Instance.Name)
		if !known.At.IsZero() && known.At.Before(now) {
			at = v1alpha1.NewTimestamp(known.At)
		}
		sent := v1alpha1.Message{
			ID: wanted.ID, Role: v1alpha1.RoleAssistant, Cycle: status.Cycle, State: v1alpha1.MessageSent, At: at,
			SentAt: &at, Attempts: 1, Instance: from,
			GatewayID: known.GatewayID[:min(len(known.GatewayID), maxGatewayID)],
		}
		if wanted.Step != nil {
			sent.Step = wanted.Step.Name
		}
		if before := lead.Find(status.Conversation, wanted.ID); before != nil {
			sent.Text, sent.Tokens = before.Text, before.Tokens
			*before = sent
		} else {
			status.Conversation = lead.Append(status.Conversation, sent)
		}
		status.InstanceRef = &v1alpha1.ObjectReference{Name: from}
		unblock(status)
		setSucceeded(status, metav1.ConditionUnknown, v1alpha1.ReasonInProgress, "the lead is worked on", generation,
			now)
		return true
	}
}

// Change is one status transaction: it changes a copy, and says false when there is
// nothing to do any more.
type Change func(status *v1alpha1.CartRecoveryStatus) bool

// CountTokens writes what the lead's texts have cost, and nothing else.
func CountTokens(*v1alpha1.CartRecoveryStatus) bool { return true }

// Summarize derives from the facts what is in the status for people.
func Summarize(recovery *v1alpha1.CartRecovery, now time.Time) {
	recovery.Status.ObservedGeneration = recovery.Generation
	lead.Summarize(recovery, OutcomeOf(recovery), now)
}

// OutcomeOf is the reason the lead was finished with, "" while it is worked on.
func OutcomeOf(recovery *v1alpha1.CartRecovery) string {
	if !lead.Finished(recovery) {
		return ""
	}
	return lead.SucceededReason(recovery)
}

// Claim says that a message is about to be handed to the gateway.
func Claim(wanted Message, generation int64, now time.Time) Change {
	return func(status *v1alpha1.CartRecoveryStatus) bool {
		claimed := v1alpha1.Message{
			ID: wanted.ID, Role: v1alpha1.RoleAssistant, Cycle: status.Cycle,
			Text: wanted.Text, State: v1alpha1.MessageClaimed, At: v1alpha1.NewTimestamp(now), Attempts: 1,
			Tokens: wanted.Tokens, Instance: wanted.Instance.Name,
		}
		if wanted.Step != nil {
			claimed.Step = wanted.Step.Name
		}
		if wanted.Step == nil {
			lead.CountAnswer(status, now)
		}
		if before := lead.Find(status.Conversation, wanted.ID); before != nil {
			claimed.Attempts, claimed.Tokens = before.Attempts+1, budget.Sum(before.Tokens, wanted.Tokens)
			*before = claimed
		} else {
			status.Conversation = lead.Append(status.Conversation, claimed)
		}
		status.Attempts = claimed.Attempts
		if wanted.whatsAppID != "" {
			status.WhatsAppID = wanted.whatsAppID
		}
		status.InstanceRef = &v1alpha1.ObjectReference{Name: wanted.Instance.Name}
		unblock(status)
		setSucceeded(status, metav1.ConditionUnknown, v1alpha1.ReasonInProgress, "the lead is worked on", generation,
			now)
		return true
	}
}

// maxGatewayID is what the schema takes of a gateway's message id.
const maxGatewayID = 160

// Receipt is what a gateway tells of a message that it took: its id of it, and when, zero where it
// does not say.
type Receipt struct {
	GatewayID string
	At        time.Time
}

// Confirm says that the gateway accepted a claimed message. Its clock is believed only
// between the claim and now.
func Confirm(id string, receipt Receipt, now time.Time) Change {
	return onClaimed(id, func(status *v1alpha1.CartRecoveryStatus, m *v1alpha1.Message) {
		at := v1alpha1.NewTimestamp(now)
		if receipt.At.After(m.At.Time) && receipt.At.Before(now) {
			at = v1alpha1.NewTimestamp(receipt.At)
		}
		m.State, m.SentAt, m.Error, m.RetryAt = v1alpha1.MessageSent, &at, "", nil
		m.GatewayID = receipt.GatewayID[:min(len(receipt.GatewayID), maxGatewayID)]
		unblock(status)
	})
}

// NotSent says that a claimed message certainly did not go: it may be claimed again, or it
// is cancelled when it is no longer wanted.
func NotSent(id string, wanted bool, now time.Time) Change {
	return onClaimed(id, func(status *v1alpha1.CartRecoveryStatus, m *v1alpha1.Message) {
		m.State, m.Error = v1alpha1.MessageCancelled, ""
		if wanted {
			at := v1alpha1.NewTimestamp(now)
			m.State, m.Error, m.RetryAt = v1alpha1.MessageFailed, "NotSent", &at
		}
		lead.UncountAnswer(status, m.At)
		unblock(status)
	})
}

// Unknown says that nobody can tell whether a claimed message went.
func Unknown(id string) Change {
	return onClaimed(id, func(status *v1alpha1.CartRecoveryStatus, m *v1alpha1.Message) {
		m.State, m.Error = v1alpha1.MessageUnknown, "Unresolved"
		unblock(status)
	})
}

func onClaimed(id string, apply func(*v1alpha1.CartRecoveryStatus, *v1alpha1.Message)) Change {
	return func(status *v1alpha1.CartRecoveryStatus) bool {
		m := lead.Find(status.Conversation, id)
		if m == nil || m.State != v1alpha1.MessageClaimed {
			return false
		}
		apply(status, m)
		return true
	}
}

// Finished writes the outcome, and what the recovery was worth; a lead that is finished
// again (a purchase after we gave up) keeps its first completion time.
func Finished(recovery *v1alpha1.CartRecovery, purchase *v1alpha1.Purchase, outcome string, now time.Time) Change {
	return func(status *v1alpha1.CartRecoveryStatus) bool {
		if lead.CycleAsked(recovery) {
			// It ends before it has begun, and must not begin later.
			status.Cycle++
			status.CompletionTime = nil
		}
		if status.CompletionTime == nil {
			status.CompletionTime = WholeSecond(now)
		}
		unblock(status)
		value := metav1.ConditionFalse
		switch outcome {
		case v1alpha1.ReasonBoughtAfterContact, v1alpha1.ReasonBoughtBeforeContact,
			v1alpha1.ReasonPurchaseNotAttributed:
			value = metav1.ConditionTrue
			status.Result = lead.Result(recovery, purchase)
		case v1alpha1.ReasonReversed:
			status.Result = lead.WithReversal(status.Result, recovery.Spec.Reversal)
		}
		setSucceeded(status, value, outcome, OutcomeMessages[outcome], recovery.Generation, now)
		return true
	}
}

// Reopened begins the next cycle: what was said stays, and the number it was said from.
// Late messages are brought along for as long as late is.
func Reopened(generation int64, late time.Duration, now time.Time) Change {
	return func(status *v1alpha1.CartRecoveryStatus) bool {
		if succeeded := apimeta.FindStatusCondition(status.Conditions, v1alpha1.ConditionSucceeded); succeeded != nil {
			bringAlong(status, succeeded.Reason, late, now)
		}
		status.Cycle++
		status.CompletionTime, status.Result, status.Attempts = nil, nil, 0
		status.TokensUsedBefore = status.TokensUsed
		unblock(status)
		apimeta.RemoveStatusCondition(&status.Conditions, v1alpha1.ConditionHandedOff)
		setSucceeded(status, metav1.ConditionUnknown, v1alpha1.ReasonInProgress, "the customer left the checkout again",
			generation, now)
		return true
	}
}

// OutcomeMessages say each outcome in words.
var OutcomeMessages = map[string]string{
	v1alpha1.ReasonBoughtAfterContact:    "the customer bought after our message",
	v1alpha1.ReasonBoughtBeforeContact:   "the customer bought before any message of ours",
	v1alpha1.ReasonPurchaseNotAttributed: "the customer bought; no recovery takes credit for it",
	v1alpha1.ReasonReversed:              "the purchase was refunded or charged back",
	v1alpha1.ReasonSendFailed:            "the gateway refused the message in every attempt; see status.conversation",
	v1alpha1.ReasonNotOnWhatsApp:         "the customer's number has no WhatsApp",
	v1alpha1.ReasonOptedOut:              "the customer asked not to be written to, or the number is suppressed here",
	v1alpha1.ReasonWrongNumber:           "who has the number says that they are not the customer",
	v1alpha1.ReasonUnanswered:            "the sequence ended and the customer did not answer",
	v1alpha1.ReasonConversationEnded:     "the conversation went quiet without a purchase",
	v1alpha1.ReasonNeverContacted:        "the time ran out before a first message could be sent",
}

// Waiting says what stands in the way of the lead; "" for nothing. It also brings the time of the
// next action up to date where that has passed.
func Waiting(planned Action, now time.Time) Change {
	return func(status *v1alpha1.CartRecoveryStatus) bool {
		current := apimeta.FindStatusCondition(status.Conditions, v1alpha1.ConditionBlocked)
		if planned.Blocked == "" {
			stale := overdue(status, planned, now)
			if stale {
				status.NextActionTime = nil // withNext knows the new one
			}
			keep := planned.Writing || planned.refused && current != nil && blockedReasons[current.Reason].isSticky
			return !keep && unblock(status) || stale
		}
		if current != nil && current.Reason == planned.Blocked && current.Message == planned.Why &&
			!overdue(status, planned, now) {
			return false
		}
		status.NextActionTime = nil
		if !planned.Until.IsZero() {
			status.NextActionTime = WholeSecond(planned.Until)
		}
		setBlocked(status, planned.Blocked, planned.Why, now)
		return true
	}
}

func setBlocked(status *v1alpha1.CartRecoveryStatus, reason, message string, now time.Time) {
	apimeta.SetStatusCondition(&status.Conditions, metav1.Condition{
		Type: v1alpha1.ConditionBlocked, Status: metav1.ConditionTrue, Reason: reason, Message: message,
		LastTransitionTime: metav1.NewTime(now.UTC().Truncate(time.Second)),
	})
}

func unblock(status *v1alpha1.CartRecoveryStatus) bool {
	return apimeta.RemoveStatusCondition(&status.Conditions, v1alpha1.ConditionBlocked)
}

func setSucceeded(status *v1alpha1.CartRecoveryStatus, value metav1.ConditionStatus, reason, message string,
	generation int64, now time.Time) {
	apimeta.SetStatusCondition(&status.Conditions, metav1.Condition{
		Type: v1alpha1.ConditionSucceeded, Status: value, Reason: reason, Message: message,
		ObservedGeneration: generation, LastTransitionTime: metav1.NewTime(now.UTC().Truncate(time.Second)),
	})
}
