package plan

import (
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/policy"
)

// This file decides what becomes of a message that a customer writes to a lead that has ended,
// and of one whose payment can no longer be made. Pure functions but for reopenForAnswer.

// lateSkew is how far the clock of the replica that took a message may be behind the leader's. A message from
// about the time of the end counts as one after it.
const lateSkew = 30 * time.Second

// hearLate opens a lead again when its customer writes after it expired. Nothing is opened for somebody who
// bought, opted out or cannot be reached. A late opt-out is confirmed like any other and needs no person.
func hearLate(s *Snapshot) (Action, bool) {
	late := lateReply(s)
	if late == nil || s.Policy.LateReplies == v1alpha1.LateRepliesIgnore {
		return Action{}, false
	}
	switch {
	case s.means(late.Text).stops():
		return Action{Kind: ReopenForAnswer}, true
	case s.Suppressed:
		return Action{}, false
	case s.Policy.LateReplies == v1alpha1.LateRepliesHandOff:
		return Action{Kind: HandOver, Outcome: v1alpha1.ReasonLateReply}, true
	default:
		return Action{Kind: ReopenForAnswer}, true
	}
}

// lateReply is the customer's last message if it came in after the lead had expired and is still worth an answer;
// nil otherwise. It is not worth one once the lead would expire again at once.
func lateReply(s *Snapshot) *v1alpha1.Message {
	if !IsExpiry(OutcomeOf(s.Lead)) {
		return nil
	}
	last := lead.LastInbound(s.Lead)
	if last == nil || looksAutomatic(s, last) || AnsweredByPerson(s.Lead) {
		return nil
	}
	if !isLate(last, s.Lead.Status.CompletionTime.Time, s.Policy.ExpireAfter) || expired(s) {
		return nil
	}
	return last
}

// IsExpiry says whether an outcome means that the lead's time was over.
func IsExpiry(outcome string) bool {
	switch outcome {
	case v1alpha1.ReasonUnanswered, v1alpha1.ReasonConversationEnded, v1alpha1.ReasonNeverContacted:
		return true
	default:
		return false
	}
}

// isLate says whether a message came in after an end. A lead expires when nothing was said for expireAfter, so no
// earlier message lies within half of that before its end.
func isLate(m *v1alpha1.Message, ended time.Time, expireAfter time.Duration) bool {
	return m.At.After(ended.Add(-min(lateSkew, expireAfter/2)))
}

// AnswersLate is how long after it came in a late message is still answered; 0 for not at all.
func AnswersLate(p *policy.Policy) time.Duration {
	if p.LateReplies == v1alpha1.LateRepliesIgnore {
		return 0
	}
	return p.ExpireAfter
}

// triggerOf is the trigger whose sequence a lead follows now: an open payment that has expired counts as an
// abandoned cart.
func triggerOf(s *Snapshot) v1alpha1.Trigger {
	if paymentExpired(s) {
		return v1alpha1.TriggerAbandonedCart
	}
	return s.Lead.Spec.Trigger
}

// paymentExpired says whether the PIX or boleto of a lead can no longer be paid.
func paymentExpired(s *Snapshot) bool {
	ends := paymentEnds(s)
	return !ends.IsZero() && !s.Now.Before(ends)
}

// paymentEnds is until when the PIX or boleto of a lead can be paid; zero when that is not known, or the lead has
// neither.
func paymentEnds(s *Snapshot) time.Time {
	spec := &s.Lead.Spec
	open := spec.Trigger == v1alpha1.TriggerPixPending || spec.Trigger == v1alpha1.TriggerBoletoPending
	if !open || spec.Payment == nil || spec.Payment.ExpiresAt == nil {
		return time.Time{}
	}
	return spec.Payment.ExpiresAt.Time
}

// finishUnpayable ends a lead without any message whose payment has expired when the policy has no sequence for
// abandoned carts: nothing would ever be sent.
func finishUnpayable(s *Snapshot) (Action, bool) {
	if !paymentExpired(s) || HasBegun(s.Lead) {
		return Action{}, false
	}
	_, goesOn := s.Policy.Steps(v1alpha1.TriggerAbandonedCart)
	return Action{Kind: Finish, Outcome: v1alpha1.ReasonNeverContacted}, !goesOn
}
