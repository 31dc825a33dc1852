package cartrecovery

import (
	"cmp"
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/controllers/cartrecovery/plan"
	"cartrecovery.dev/operator/internal/lead"
)

// tellHandOver is how long ago a person may have taken over for it to be news: a new leader
// does not tell again of everything that its predecessor told of.
const tellHandOver = 10 * time.Minute

// maxTold is how many hand-overs are remembered as told.
const maxTold = 10_000

// resume writes that the conversation goes back to the AI: a person gave it back, or enough
// time has passed.
func (r *Reconciler) resume(ctx context.Context, s plan.Snapshot, reason string) (ctrl.Result, error) {
	written, err := r.write(ctx, s, plan.ResumedFor(reason, lead.ResumeRequest(s.Lead), s.Lead.Generation, s.Now))
	if err != nil {
		return afterConflict(err)
	}
	log.FromContext(ctx).Info("The conversation goes back to the AI", "reason", plan.ResumeReason(reason))
	r.Recorder.Eventf(written, nil, corev1.EventTypeNormal, plan.ResumeReason(reason), "Resume", "%s",
		plan.ResumeMessage(reason))
	return r.soon(), nil
}

// handOver writes that a person is to have the conversation, and why; "" is that the customer
// asked for one.
func (r *Reconciler) handOver(ctx context.Context, s plan.Snapshot, reason string) (ctrl.Result, error) {
	reason = cmp.Or(reason, v1alpha1.ReasonCustomerAsked)
	written, err := r.write(ctx, s, plan.HandedOverFor(reason, s.Lead.Generation, s.Now))
	if err != nil {
		return afterConflict(err)
	}
	if reason == v1alpha1.ReasonLeadTokenBudget {
		r.Recorder.Eventf(written, nil, corev1.EventTypeWarning, reason, "HandOver", "%s", lead.HandOffMessage(reason))
	}
	r.drafts.Forget(client.ObjectKeyFromObject(s.Lead))
	log.FromContext(ctx).Info("The conversation is given to a person", "reason", reason)
	return r.soon(), nil
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
	r.Recorder.Eventf(recovery, nil, corev1.EventTypeNormal, v1alpha1.ConditionHandedOff, "HandOver", "%s",
		condition.Message)
}
