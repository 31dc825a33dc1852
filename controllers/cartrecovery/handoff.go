package cartrecovery

import (
	"cmp"
	"context"

	corev1 "k8s.io/api/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/controllers/cartrecovery/plan"
	"cartrecovery.dev/operator/internal/lead"
)

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
