package cartrecovery

import (
	"context"
	"fmt"
	"maps"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/controllers/cartrecovery/plan"
	"cartrecovery.dev/operator/internal/lead"
)

func (r *Reconciler) finish(ctx context.Context, s plan.Snapshot, outcome string) (ctrl.Result, error) {
	written, err := r.write(ctx, s, plan.Finished(s.Lead, plan.PurchaseOf(&s), outcome, s.Now))
	if err != nil {
		return afterConflict(err)
	}
	r.drafts.Forget(client.ObjectKeyFromObject(s.Lead))
	log.FromContext(ctx).Info("Finished", "outcome", outcome)
	first := plan.OutcomeOf(s.Lead) != outcome
	if result := written.Status.Result; first && outcome == v1alpha1.ReasonBoughtAfterContact && result != nil &&
		result.TimeToRecovery != nil {
		r.Metrics.TimeToRecovery.Observe(result.TimeToRecovery.Seconds())
	}
	if written.Status.Phase == v1alpha1.PhaseFailed {
		r.Recorder.Eventf(written, nil, corev1.EventTypeWarning, outcome, "Finish", "%s", plan.OutcomeMessages[outcome])
	}
	return ctrl.Result{}, nil
}

// reopen begins the next cycle.
func (r *Reconciler) reopen(ctx context.Context, s plan.Snapshot) (ctrl.Result, error) {
	if _, err := r.write(ctx, s, plan.Reopened(s.Lead.Generation, plan.AnswersLate(&s.Policy), s.Now)); err != nil {
		return afterConflict(err)
	}
	log.FromContext(ctx).Info("Opened again", "cycle", s.Lead.Status.Cycle+1)
	return r.soon(), nil
}

// reopenForAnswer writes that a lead that had ended is answered again.
func (r *Reconciler) reopenForAnswer(ctx context.Context, s plan.Snapshot) (ctrl.Result, error) {
	if _, err := r.write(ctx, s, plan.AnsweredLate(s.Lead.Generation, s.Now)); err != nil {
		return afterConflict(err)
	}
	log.FromContext(ctx).Info("Opened again for an answer")
	return r.soon(), nil
}

func (r *Reconciler) remove(ctx context.Context, recovery *v1alpha1.CartRecovery) (ctrl.Result, error) {
	uid, version := recovery.UID, recovery.ResourceVersion
	err := r.Client.Delete(ctx, recovery, client.Preconditions{UID: &uid, ResourceVersion: &version})
	if err != nil && !apierrors.IsNotFound(err) {
		return afterConflict(fmt.Errorf("delete CartRecovery %s: %w", recovery.Name, err))
	}
	r.drafts.Remove(client.ObjectKeyFromObject(recovery))
	return ctrl.Result{}, nil
}

// label gives a lead the labels that it is found by, and takes the open payment off one that is
// over.
func (r *Reconciler) label(ctx context.Context, s plan.Snapshot) (ctrl.Result, error) {
	recovery := s.Lead
	labelled := recovery.DeepCopy()
	if labelled.Labels == nil {
		labelled.Labels = map[string]string{}
	}
	maps.Copy(labelled.Labels, lead.Labels(recovery.Spec.StoreRef.Name, recovery.Spec.Customer))
	if lead.Over(recovery) {
		labelled.Spec.Payment = nil
	}
	if planned := plan.PlannedFor(&s); planned != "" {
		metav1.SetMetaDataAnnotation(&labelled.ObjectMeta, v1alpha1.AnnotationPlanned, planned)
	}
	// A cart that re-opens the lead meanwhile may bring a payment of its own.
	if err := r.Client.Patch(ctx, labelled, client.MergeFromWithOptions(recovery,
		client.MergeFromWithOptimisticLock{})); err != nil {
		return afterConflict(fmt.Errorf("label CartRecovery %s: %w", recovery.Name, err))
	}
	return ctrl.Result{}, nil
}
