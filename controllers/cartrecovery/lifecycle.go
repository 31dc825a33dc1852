package cartrecovery

import (
	"context"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/policy"
)

// This file decides what becomes of a message that a customer writes to a lead that has ended,
// and of one whose payment can no longer be made. Pure functions but for reopenForAnswer.

// lateSkew is how far the clock of the replica that took a message may be behind the leader's:
// a message of the time of the end is taken for one after it.
const lateSkew = 30 * time.Second

// hearLate opens a lead again whose customer writes after its end. Whoever bought, opted out or
// cannot be reached is left alone. A late request not to be written to is confirmed like any
// other, and is no matter for a person.
func hearLate(s *situation) (action, bool) {
	late := lateReply(s)
	if late == nil || s.policy.LateReplies == v1alpha1.LateRepliesIgnore {
		return action{}, false
	}
	switch {
	case s.means(late.Text).stops():
		return action{kind: reopenForAnswer}, true
	case s.suppressed:
		return action{}, false
	case s.policy.LateReplies == v1alpha1.LateRepliesHandOff:
		return action{kind: handOver, outcome: v1alpha1.ReasonLateReply}, true
	default:
		return action{kind: reopenForAnswer}, true
	}
}

// lateReply is the customer's last message, where it came in after the lead had expired and is
// still of interest; nil otherwise. It is not, once the lead would expire again at once.
func lateReply(s *situation) *v1alpha1.Message {
	if !isExpiry(outcomeOf(s.lead)) {
		return nil
	}
	last := lead.LastInbound(s.lead)
	if last == nil || lead.CycleAsked(s.lead) || looksAutomatic(s, last) || answeredByPerson(s.lead) {
		return nil
	}
	if !isLate(last, s.lead.Status.CompletionTime.Time, s.policy.ExpireAfter) || expired(s) {
		return nil
	}
	return last
}

// isExpiry says whether a lead with this outcome ended because its time was over.
func isExpiry(outcome string) bool {
	switch outcome {
	case v1alpha1.ReasonUnanswered, v1alpha1.ReasonConversationEnded, v1alpha1.ReasonNeverContacted:
		return true
	default:
		return false
	}
}

// isLate says whether a message came in after an end. A lead expires when nothing was said for
// expireAfter, so that none of the messages before is within half of that of its end.
func isLate(m *v1alpha1.Message, ended time.Time, expireAfter time.Duration) bool {
	return m.At.After(ended.Add(-min(lateSkew, expireAfter/2)))
}

// answeredLate opens a lead again for answers: its cycle stays what it is, and as the customer
// has written in it, no step of the sequence follows.
func answeredLate(generation int64, now time.Time) change {
	return func(status *v1alpha1.CartRecoveryStatus) bool {
		if status.CompletionTime == nil {
			return false
		}
		status.CompletionTime = nil
		unblock(status)
		setSucceeded(status, metav1.ConditionUnknown, v1alpha1.ReasonInProgress, "the customer wrote after the end", generation, now)
		return true
	}
}

// bringAlong makes what a customer wrote after a cycle expired part of the next, which then
// begins with it: it is answered, and no first message follows. What they wrote to a lead that
// ended otherwise was part of its end; and what would have opened the lead for no answer (see
// lateReply) is answered no more by a cart.
func bringAlong(status *v1alpha1.CartRecoveryStatus, outcome string, expireAfter time.Duration, now time.Time) {
	if !isExpiry(outcome) || status.CompletionTime == nil {
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

// answersLate is for how long after it came in a late message is answered; 0 for never.
func answersLate(p *policy.Policy) time.Duration {
	if p.LateReplies == v1alpha1.LateRepliesIgnore {
		return 0
	}
	return p.ExpireAfter
}

// reopenForAnswer writes that a lead that had ended is answered again.
func (r *Reconciler) reopenForAnswer(ctx context.Context, s situation) (ctrl.Result, error) {
	if _, err := r.write(ctx, s, answeredLate(s.lead.Generation, s.now)); err != nil {
		return afterConflict(err)
	}
	log.FromContext(ctx).Info("Opened again for an answer")
	return r.soon(), nil
}

// triggerOf is what a lead is about now: an open payment that has run out is an abandoned cart.
func triggerOf(s *situation) v1alpha1.Trigger {
	if paymentExpired(s) {
		return v1alpha1.TriggerAbandonedCart
	}
	return s.lead.Spec.Trigger
}

// paymentExpired says whether the PIX or boleto that a lead is about can no longer be paid.
func paymentExpired(s *situation) bool {
	ends := paymentEnds(s)
	return !ends.IsZero() && !s.now.Before(ends)
}

// paymentEnds is until when the PIX or boleto that a lead is about can be paid; zero where that
// is not known, or there is none.
func paymentEnds(s *situation) time.Time {
	spec := &s.lead.Spec
	open := spec.Trigger == v1alpha1.TriggerPixPending || spec.Trigger == v1alpha1.TriggerBoletoPending
	if !open || spec.Payment == nil || spec.Payment.ExpiresAt == nil {
		return time.Time{}
	}
	return spec.Payment.ExpiresAt.Time
}

// finishUnpayable ends a lead that nobody was written to, whose payment has run out, and which
// the policy has no sequence for as a cart: nothing would ever be sent.
func finishUnpayable(s *situation) (action, bool) {
	if !paymentExpired(s) || hasBegun(s.lead) {
		return action{}, false
	}
	_, goesOn := s.policy.Steps(v1alpha1.TriggerAbandonedCart)
	return action{kind: finish, outcome: v1alpha1.ReasonNeverContacted}, !goesOn
}
