package cartrecovery

import (
	"context"
	"fmt"
	"reflect"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/budget"
	"cartrecovery.dev/operator/internal/failure"
	"cartrecovery.dev/operator/internal/lead"
)

// outcomeWriteTimeout bounds the write of an outcome, which happens even when the
// reconcile itself has run out of time or the manager is stopping.
const outcomeWriteTimeout = 10 * time.Second

// outcomeWrites is how often an outcome is written anew after a conflict.
const outcomeWrites = 20

// change is one status transaction: it changes a copy, and says false when there is
// nothing to do any more.
type change func(status *v1alpha1.CartRecoveryStatus) bool

// write applies a change to the situation's lead under an optimistic lock: it fails with a
// conflict when the lead has changed since it was read. With it goes what the lead's texts have
// cost since the last write. A change that changes nothing is not sent.
func (r *Reconciler) write(ctx context.Context, s situation, apply change) (*v1alpha1.CartRecovery, error) {
	next, name := s.lead.DeepCopy(), client.ObjectKeyFromObject(s.lead)
	if !apply(&next.Status) {
		return s.lead, nil
	}
	tokens := r.drafts.spent(name)
	next.Status.TokensUsed = budget.Sum(next.Status.TokensUsed, tokens)
	if reflect.DeepEqual(s.lead.Status, next.Status) {
		return s.lead, nil
	}
	s.unbooked = 0
	sumUp(next)
	withNext(s, next)
	patch := client.MergeFromWithOptions(s.lead, client.MergeFromWithOptimisticLock{})
	if err := r.Client.Status().Patch(ctx, next, patch); err != nil {
		return nil, fmt.Errorf("write status of CartRecovery %s: %w", s.lead.Name, err)
	}
	r.drafts.booked(name, tokens)
	return next, nil
}

// book writes what the lead's texts have cost, and nothing else.
func book(*v1alpha1.CartRecoveryStatus) bool { return true }

// writeOutcome applies a change that must not be lost: a conflict is read again and tried
// again, and neither a timeout of the reconcile nor a stopping manager prevents it.
func (r *Reconciler) writeOutcome(ctx context.Context, s situation, apply change) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), outcomeWriteTimeout)
	defer cancel()
	for attempt := 1; ; attempt++ {
		_, err := r.write(ctx, s, apply)
		if err == nil || !apierrors.IsConflict(err) || attempt == outcomeWrites {
			return err
		}
		fresh := &v1alpha1.CartRecovery{}
		if err := r.Live.Get(ctx, client.ObjectKeyFromObject(s.lead), fresh); err != nil {
			return fmt.Errorf("read CartRecovery %s again: %w", s.lead.Name, err)
		}
		s.lead = fresh
	}
}

// sumUp derives from the facts what is in the status for people.
func sumUp(recovery *v1alpha1.CartRecovery) {
	recovery.Status.ObservedGeneration = recovery.Generation
	recovery.Status.Phase = lead.PhaseOf(recovery, outcomeOf(recovery))
}

// outcomeOf is the reason the lead was finished with, "" while it is worked on.
func outcomeOf(recovery *v1alpha1.CartRecovery) string {
	if !lead.Finished(recovery) {
		return ""
	}
	if succeeded := apimeta.FindStatusCondition(recovery.Status.Conditions, v1alpha1.ConditionSucceeded); succeeded != nil {
		return succeeded.Reason
	}
	return ""
}

// claim says that a message is about to be handed to the gateway.
func claim(wanted message, generation int64, now time.Time) change {
	return func(status *v1alpha1.CartRecoveryStatus) bool {
		claimed := v1alpha1.Message{
			ID: wanted.id, Role: v1alpha1.RoleAssistant, Cycle: status.Cycle,
			Text: wanted.text, State: v1alpha1.MessageClaimed, At: v1alpha1.NewTimestamp(now), Attempts: 1,
			Tokens: wanted.tokens, Instance: wanted.instance.Name,
		}
		if wanted.step != nil {
			claimed.Step = wanted.step.Name
		}
		if wanted.step == nil {
			lead.CountAnswer(status, now)
		}
		if before := lead.Find(status.Conversation, wanted.id); before != nil {
			claimed.Attempts, claimed.Tokens = before.Attempts+1, budget.Sum(before.Tokens, wanted.tokens)
			*before = claimed
		} else {
			status.Conversation = lead.Append(status.Conversation, claimed)
		}
		status.Attempts = claimed.Attempts
		if wanted.whatsAppID != "" {
			status.WhatsAppID = wanted.whatsAppID
		}
		status.InstanceRef = &v1alpha1.ObjectReference{Name: wanted.instance.Name}
		unblock(status)
		setSucceeded(status, metav1.ConditionUnknown, v1alpha1.ReasonInProgress, "the lead is worked on", generation, now)
		return true
	}
}

// maxGatewayID is what the schema takes of a gateway's message id.
const maxGatewayID = 160

// sent is what a gateway tells of a message that it took: its id of it, and when, zero where it
// does not say.
type sent struct {
	gatewayID string
	at        time.Time
}

// confirm says that the gateway accepted a claimed message. Its clock is believed only
// between the claim and now.
func confirm(id string, receipt sent, now time.Time) change {
	return onClaimed(id, func(status *v1alpha1.CartRecoveryStatus, m *v1alpha1.Message) {
		at := v1alpha1.NewTimestamp(now)
		if receipt.at.After(m.At.Time) && receipt.at.Before(now) {
			at = v1alpha1.NewTimestamp(receipt.at)
		}
		m.State, m.SentAt, m.Error, m.RetryAt = v1alpha1.MessageSent, &at, "", nil
		m.GatewayID = receipt.gatewayID[:min(len(receipt.gatewayID), maxGatewayID)]
		unblock(status)
	})
}

// refused says that the gateway definitely did not take a claimed message.
func refused(id string, why refusal) change {
	return onClaimed(id, func(status *v1alpha1.CartRecoveryStatus, m *v1alpha1.Message) {
		retry := v1alpha1.NewTimestamp(why.retryAt)
		m.State, m.Error, m.RetryAt = v1alpha1.MessageFailed, why.word, &retry
		if !why.counts {
			m.Attempts--
		}
		status.Attempts = m.Attempts
		lead.UncountAnswer(status, m.At)
		setBlocked(status, why.blocked, why.message, why.now)
	})
}

// notSent says that a claimed message certainly did not go: it may be claimed anew, or it
// is cancelled when it is no longer wanted.
func notSent(id string, wanted bool, now time.Time) change {
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

// unknown says that nobody can tell whether a claimed message went.
func unknown(id string) change {
	return onClaimed(id, func(status *v1alpha1.CartRecoveryStatus, m *v1alpha1.Message) {
		m.State, m.Error = v1alpha1.MessageUnknown, "Unresolved"
		unblock(status)
	})
}

func onClaimed(id string, apply func(*v1alpha1.CartRecoveryStatus, *v1alpha1.Message)) change {
	return func(status *v1alpha1.CartRecoveryStatus) bool {
		m := lead.Find(status.Conversation, id)
		if m == nil || m.State != v1alpha1.MessageClaimed {
			return false
		}
		apply(status, m)
		return true
	}
}

// finished writes the outcome, and what the recovery was worth; a lead that is finished
// again (a purchase after we gave up) keeps its first completion time.
func finished(recovery *v1alpha1.CartRecovery, purchase *v1alpha1.Purchase, outcome string, now time.Time) change {
	return func(status *v1alpha1.CartRecoveryStatus) bool {
		if lead.CycleAsked(recovery) {
			// It ends before it has begun, and must not begin later.
			status.Cycle++
			status.CompletionTime = nil
		}
		if status.CompletionTime == nil {
			status.CompletionTime = whole(now)
		}
		unblock(status)
		value := metav1.ConditionFalse
		switch outcome {
		case v1alpha1.ReasonBoughtAfterContact, v1alpha1.ReasonBoughtBeforeContact, v1alpha1.ReasonPurchaseNotAttributed:
			value = metav1.ConditionTrue
			status.Result = lead.Result(recovery, purchase)
		case v1alpha1.ReasonReversed:
			status.Result = lead.WithReversal(status.Result, recovery.Spec.Reversal)
		}
		setSucceeded(status, value, outcome, outcomeMessages[outcome], recovery.Generation, now)
		return true
	}
}

// reopened begins the next cycle: what was said stays, and the number it was said from.
// Late messages are brought along for as long as late is.
func reopened(generation int64, late time.Duration, now time.Time) change {
	return func(status *v1alpha1.CartRecoveryStatus) bool {
		if succeeded := apimeta.FindStatusCondition(status.Conditions, v1alpha1.ConditionSucceeded); succeeded != nil {
			bringAlong(status, succeeded.Reason, late, now)
		}
		status.Cycle++
		status.CompletionTime, status.Result, status.Attempts = nil, nil, 0
		status.TokensBefore = status.TokensUsed
		unblock(status)
		apimeta.RemoveStatusCondition(&status.Conditions, v1alpha1.ConditionHandedOff)
		setSucceeded(status, metav1.ConditionUnknown, v1alpha1.ReasonInProgress, "the customer left the checkout again", generation, now)
		return true
	}
}

var outcomeMessages = map[string]string{
	v1alpha1.ReasonBoughtAfterContact:    "the customer bought after our message",
	v1alpha1.ReasonBoughtBeforeContact:   "the customer bought before any message of ours",
	v1alpha1.ReasonPurchaseNotAttributed: "the customer bought; no recovery takes credit for it",
	v1alpha1.ReasonReversed:              "the purchase was refunded or charged back",
	v1alpha1.ReasonSendFailed:            "the gateway refused the message in every attempt; see status.conversation",
	v1alpha1.ReasonNotOnWhatsApp:         "the customer's number has no WhatsApp",
	v1alpha1.ReasonOptedOut:              "the customer asked us to stop, or the number is suppressed in this store",
	v1alpha1.ReasonWrongNumber:           "who has the number says that they are not the customer",
	v1alpha1.ReasonUnanswered:            "the sequence ended and the customer did not answer",
	v1alpha1.ReasonConversationEnded:     "the conversation went quiet without a purchase",
	v1alpha1.ReasonNeverContacted:        "the time ran out before a first message could be sent",
}

// waiting says what stands in the way of the lead; "" for nothing. It also brings the time of the
// next action up to date where that has passed.
func waiting(planned action, now time.Time) change {
	return func(status *v1alpha1.CartRecoveryStatus) bool {
		current := apimeta.FindStatusCondition(status.Conditions, v1alpha1.ConditionBlocked)
		if planned.blocked == "" {
			stale := overdue(status, planned, now)
			if stale {
				status.NextActionTime = nil // withNext knows the new one
			}
			keep := planned.writing || planned.refused && current != nil && (current.Reason == v1alpha1.ReasonGatewayUnavailable || current.Reason == v1alpha1.ReasonThrottled || current.Reason == v1alpha1.ReasonRestricted)
			return !keep && unblock(status) || stale
		}
		if current != nil && current.Reason == planned.blocked && current.Message == planned.why && !overdue(status, planned, now) {
			return false
		}
		status.NextActionTime = nil
		if !planned.until.IsZero() {
			status.NextActionTime = whole(planned.until)
		}
		setBlocked(status, planned.blocked, planned.why, now)
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

func setSucceeded(status *v1alpha1.CartRecoveryStatus, value metav1.ConditionStatus, reason, message string, generation int64, now time.Time) {
	apimeta.SetStatusCondition(&status.Conditions, metav1.Condition{
		Type: v1alpha1.ConditionSucceeded, Status: value, Reason: reason, Message: message,
		ObservedGeneration: generation, LastTransitionTime: metav1.NewTime(now.UTC().Truncate(time.Second)),
	})
}

// refusal is what a definite refusal of the gateway means to a message.
type refusal struct {
	// word is why, in one word.
	word string
	// counts says that the attempt counts against the message, numbers that the next message
	// from the number would be refused as well.
	counts, numbers bool
	// retryAt is when it may be tried again.
	retryAt time.Time
	// blocked and message are for the Blocked condition.
	blocked, message string
	now              time.Time
}

// refusalOf decides what a definite refusal means; attempt is which one it was, from 1, base how long
// the first waits, and spread makes waits differ.
func refusalOf(err error, attempt int32, base time.Duration, spread func(time.Duration) time.Duration, now time.Time) refusal {
	why := refusal{
		word: "Refused", counts: true, now: now,
		retryAt: now.Add(spread(base << min(max(attempt-1, 0), 10))),
		blocked: v1alpha1.ReasonGatewayUnavailable, message: "the gateway refused the message; it is sent again",
	}
	failed, ok := failure.As(err)
	if !ok {
		return why
	}
	why.word, why.message = string(failed.Code), failed.Error()
	switch {
	case failed.Code == failure.NotOnWhatsApp:
		why.word = v1alpha1.ReasonNotOnWhatsApp
	case failed.Code == failure.Restricted:
		// The number is paused until then; another may be free now.
		why.counts, why.blocked, why.retryAt = false, v1alpha1.ReasonRestricted, now.Add(spread(30*time.Second))
	case failed.Class == failure.Throttled:
		why.counts, why.blocked = false, v1alpha1.ReasonThrottled
		if failed.RetryAt.After(now) {
			why.retryAt = failed.RetryAt.Add(spread(time.Second))
		}
	case failed.Class == failure.Transient, failed.Code == failure.NotConnected,
		failed.Code == failure.Unauthorized, failed.Code == failure.NotFound,
		failed.Code == failure.Misconfigured:
		why.counts, why.numbers, why.retryAt = false, true, now.Add(spread(30*time.Second))
	}
	return why
}
