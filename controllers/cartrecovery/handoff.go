package cartrecovery

import (
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

const resumedMessage = "a person of the store gave the conversation back to the AI"

// leaveToPerson is silent while a person of the store has the conversation.
func leaveToPerson(s *situation) (action, bool) {
	switch {
	case lead.HandedOff(s.lead):
		return action{kind: wait, until: expiry(s), handedOff: true, why: "a person of the store has the conversation; the lead expires then"}, true
	case apimeta.IsStatusConditionTrue(s.lead.Status.Conditions, v1alpha1.ConditionHandedOff):
		return action{kind: resume}, true
	default:
		return action{}, false
	}
}

// answeredByPerson says whether a person of the store wrote after the customer's last
// message, by the order in which the messages came in.
func answeredByPerson(recovery *v1alpha1.CartRecovery) bool {
	for i := len(recovery.Status.Conversation) - 1; i >= 0; i-- {
		m := &recovery.Status.Conversation[i]
		if m.Cycle == recovery.Status.Cycle && m.Role != v1alpha1.RoleAssistant {
			return m.Role == v1alpha1.RoleOperator
		}
	}
	return false
}

// resume writes that a person gave the conversation back.
func (r *Reconciler) resume(ctx context.Context, s situation) (ctrl.Result, error) {
	written, err := r.write(ctx, s, resumed(lead.ResumeRequest(s.lead), s.lead.Generation, s.now))
	if err != nil {
		return afterConflict(err)
	}
	log.FromContext(ctx).Info("A person gave the conversation back")
	r.Recorder.Eventf(written, nil, corev1.EventTypeNormal, v1alpha1.ReasonResumed, "Resume", "%s", resumedMessage)
	return r.soon(), nil
}

// handOver writes that the customer asked for a person.
func (r *Reconciler) handOver(ctx context.Context, s situation) (ctrl.Result, error) {
	tokens := r.drafts.spent(client.ObjectKeyFromObject(s.lead))
	if _, err := r.write(ctx, s, handedOver(s.lead.Generation, tokens, s.now)); err != nil {
		return afterConflict(err)
	}
	r.drafts.forget(client.ObjectKeyFromObject(s.lead))
	log.FromContext(ctx).Info("The customer asked for a person")
	return r.soon(), nil
}

func handedOver(generation, tokens int64, now time.Time) change {
	return func(status *v1alpha1.CartRecoveryStatus) bool {
		unblock(status)
		status.TokensUsed += tokens
		return apimeta.SetStatusCondition(&status.Conditions, metav1.Condition{
			Type: v1alpha1.ConditionHandedOff, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonCustomerAsked, Message: lead.CustomerAskedMessage,
			ObservedGeneration: generation, LastTransitionTime: *whole(now),
		})
	}
}

// resumed counts from the next whole second, which is as fine as a condition tells: what the
// customer asked for before must not ask for a person again.
func resumed(request string, generation int64, now time.Time) change {
	return func(status *v1alpha1.CartRecoveryStatus) bool {
		status.HandledResume = request
		return apimeta.SetStatusCondition(&status.Conditions, metav1.Condition{
			Type: v1alpha1.ConditionHandedOff, Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonResumed, Message: resumedMessage,
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
