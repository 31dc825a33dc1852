package product

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/policy"
)

// maxMessage bounds the message of a condition, in runes.
const maxMessage = 512

// write writes the findings, if they are new, and tells of a transition.
func (r *Reconciler) write(ctx context.Context, product *v1alpha1.Product, found findings) error {
	before := product.DeepCopy()
	apply(product, found, metav1.NewTime(r.Clock.Now().UTC()))
	if apiequality.Semantic.DeepEqual(before.Status, product.Status) {
		return nil
	}
	if err := r.Client.Status().Patch(ctx, product, client.MergeFrom(before)); err != nil {
		if client.IgnoreNotFound(err) == nil {
			return nil
		}
		return fmt.Errorf("write the status of the Product: %w", err)
	}
	r.tell(before, product)
	return nil
}

// apply puts the findings into the status.
func apply(product *v1alpha1.Product, found findings, now metav1.Time) {
	product.Status.ObservedGeneration, product.Status.EffectivePolicy = product.Generation, found.effective
	message := []rune(found.message)
	if len(message) > maxMessage {
		message = message[:maxMessage]
	}
	apimeta.SetStatusCondition(&product.Status.Conditions, metav1.Condition{
		Type: v1alpha1.ConditionReady, Status: found.ready, Reason: found.reason, Message: string(message),
		ObservedGeneration: product.Generation, LastTransitionTime: now,
	})
	policy.Warn(&product.Status.Conditions, found.warnings, product.Generation, now)
}

// tell emits an event when the reason of Ready has changed, and one for each new warning.
func (r *Reconciler) tell(before, after *v1alpha1.Product) {
	was := apimeta.FindStatusCondition(before.Status.Conditions, v1alpha1.ConditionReady)
	if warning := policy.NewWarning(before.Status.Conditions, after.Status.Conditions); warning != "" {
		r.Recorder.Eventf(after, nil, corev1.EventTypeWarning, v1alpha1.ReasonNeverActs, "Reconcile", "%s", warning)
	}
	is := apimeta.FindStatusCondition(after.Status.Conditions, v1alpha1.ConditionReady)
	if is == nil || (was != nil && was.Reason == is.Reason) {
		return
	}
	kind := corev1.EventTypeWarning
	if is.Status == metav1.ConditionTrue {
		kind = corev1.EventTypeNormal
	}
	r.Recorder.Eventf(after, nil, kind, is.Reason, "Reconcile", "%s", is.Message)
}
