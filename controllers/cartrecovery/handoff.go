package cartrecovery

import (
	"cmp"
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/lead"
)

// tellHandOver is how long ago a person may have taken over for it to be news: a new leader
// does not tell again of everything that its predecessor told of.
const tellHandOver = 10 * time.Minute

// maxTold is how many hand-overs are remembered as told.
const maxTold = 10_000

const (
	resumedMessage       = "a person of the store gave the conversation back to the AI"
	resumedByTimeMessage = "the person of the store has not written for recovery.handOff.resumeAfter: the conversation went back to the AI"
)

// leaveToPerson is silent while a person of the store has the conversation.
func leaveToPerson(s *situation) (action, bool) {
	switch {
	case lead.HandedOff(s.lead):
		return withPerson(s), true
	case apimeta.IsStatusConditionTrue(s.lead.Status.Conditions, v1alpha1.ConditionHandedOff):
		return action{kind: resume}, true
	default:
		return action{}, false
	}
}

// withPerson waits for the person who has the conversation: until the lead expires or, where the
// policy says so, until the conversation goes back by itself.
func withPerson(s *situation) action {
	until, why := expiry(s), "a person of the store has the conversation; the lead expires then"
	if back := goesBackAt(s); !back.IsZero() && !back.After(until) {
		if !s.now.Before(back) {
			return action{kind: resume, outcome: v1alpha1.ReasonResumedByTime}
		}
		until, why = back, "a person of the store has the conversation; it goes back to the AI then"
	}
	return action{kind: wait, until: until, handedOff: true, why: why}
}

// goesBackAt is when a conversation that a person took over by writing goes back by itself; zero
// for never. One that the customer asked a person for never does.
func goesBackAt(s *situation) time.Time {
	condition := apimeta.FindStatusCondition(s.lead.Status.Conditions, v1alpha1.ConditionHandedOff)
	after := s.policy.HandOffResumeAfter
	if after == 0 || condition == nil || condition.Reason != v1alpha1.ReasonOperatorWrote || askedForPerson(s) {
		return time.Time{}
	}
	return latest(condition.LastTransitionTime.Time, lead.LastOperator(s.lead)).Add(after)
}

// askedForPerson says whether the customer asked for a person in this cycle since the last
// request to give the conversation back, also where one has written since.
func askedForPerson(s *situation) bool {
	given, err := time.Parse(time.RFC3339, s.lead.Status.HandledResume)
	if err != nil {
		given = time.Time{}
	}
	for i := range s.lead.Status.Conversation {
		m := &s.lead.Status.Conversation[i]
		asks := m.Cycle == s.lead.Status.Cycle && m.Role == v1alpha1.RoleCustomer && m.At.After(given)
		if asks && (s.means(m.Text).asksForHuman || wasTold(s.lead, m)) {
			return true
		}
	}
	return false
}

// answeredByPerson says whether a person of the store wrote after the customer's last
// message, by the order in which the messages came in.
func answeredByPerson(recovery *v1alpha1.CartRecovery) bool {
	for i := len(recovery.Status.Conversation) - 1; i >= 0; i-- {
		m := &recovery.Status.Conversation[i]
		if m.Cycle == recovery.Status.Cycle && (m.Role == v1alpha1.RoleCustomer || lead.ByPerson(m)) {
			return lead.ByPerson(m)
		}
	}
	return false
}

// resume writes that the conversation goes back to the AI: a person gave it back, or enough
// time has passed.
func (r *Reconciler) resume(ctx context.Context, s situation, reason string) (ctrl.Result, error) {
	written, err := r.write(ctx, s, resumedFor(reason, lead.ResumeRequest(s.lead), s.lead.Generation, s.now))
	if err != nil {
		return afterConflict(err)
	}
	log.FromContext(ctx).Info("The conversation goes back to the AI", "reason", resumeReason(reason))
	r.Recorder.Eventf(written, nil, corev1.EventTypeNormal, resumeReason(reason), "Resume", "%s", resumeMessage(reason))
	return r.soon(), nil
}

// resumeReason is why a conversation goes back; "" is that a person gave it.
func resumeReason(reason string) string { return cmp.Or(reason, v1alpha1.ReasonResumed) }

func resumeMessage(reason string) string {
	if reason == v1alpha1.ReasonResumedByTime {
		return resumedByTimeMessage
	}
	return resumedMessage
}

// handOver writes that a person is to have the conversation, and why; "" is that the customer
// asked for one.
func (r *Reconciler) handOver(ctx context.Context, s situation, reason string) (ctrl.Result, error) {
	reason = cmp.Or(reason, v1alpha1.ReasonCustomerAsked)
	written, err := r.write(ctx, s, handedOverFor(reason, s.lead.Generation, s.now))
	if err != nil {
		return afterConflict(err)
	}
	if reason == v1alpha1.ReasonLeadTokenBudget {
		r.Recorder.Eventf(written, nil, corev1.EventTypeWarning, reason, "HandOver", "%s", lead.HandOffMessage(reason))
	}
	r.drafts.forget(client.ObjectKeyFromObject(s.lead))
	log.FromContext(ctx).Info("The conversation is given to a person", "reason", reason)
	return r.soon(), nil
}

func handedOver(generation int64, now time.Time) change {
	return handedOverFor(v1alpha1.ReasonCustomerAsked, generation, now)
}

// handedOverFor opens a lead that was over again: a person is to see it among the open ones.
func handedOverFor(reason string, generation int64, now time.Time) change {
	return func(status *v1alpha1.CartRecoveryStatus) bool {
		unblock(status)
		late := answeredLate(generation, now)(status)
		given := apimeta.SetStatusCondition(&status.Conditions, metav1.Condition{
			Type: v1alpha1.ConditionHandedOff, Status: metav1.ConditionTrue, Reason: reason, Message: lead.HandOffMessage(reason),
			ObservedGeneration: generation, LastTransitionTime: *whole(now),
		})
		return given || late
	}
}

func resumed(request string, generation int64, now time.Time) change {
	return resumedFor(v1alpha1.ReasonResumed, request, generation, now)
}

// resumedFor counts from the next whole second, which is as fine as a condition tells: what the
// customer asked for before must not ask for a person again.
func resumedFor(reason, request string, generation int64, now time.Time) change {
	return func(status *v1alpha1.CartRecoveryStatus) bool {
		status.HandledResume = request
		if reason == v1alpha1.ReasonResumed {
			// Whoever gives the conversation back wants it answered.
			status.TokensBefore = status.TokensUsed
		}
		return apimeta.SetStatusCondition(&status.Conditions, metav1.Condition{
			Type: v1alpha1.ConditionHandedOff, Status: metav1.ConditionFalse,
			Reason: resumeReason(reason), Message: resumeMessage(reason),
			ObservedGeneration: generation, LastTransitionTime: *whole(now.Add(time.Second)),
		})
	}
}

// takeover is one time that a person took a conversation over.
type takeover struct {
	lead types.UID
	at   int64
}

// tellHandedOff makes an event of a person who took over, once.
func (r *Reconciler) tellHandedOff(recovery *v1alpha1.CartRecovery, now time.Time) {
	condition := apimeta.FindStatusCondition(recovery.Status.Conditions, v1alpha1.ConditionHandedOff)
	if condition == nil || now.Sub(condition.LastTransitionTime.Time) > tellHandOver {
		return
	}
	news := takeover{recovery.UID, condition.LastTransitionTime.Unix()}
	if _, told := r.told.Get(news); told {
		return
	}
	r.told.Add(news, nil)
	r.Recorder.Eventf(recovery, nil, corev1.EventTypeNormal, v1alpha1.ConditionHandedOff, "HandOver", "%s", condition.Message)
}
