package suppression

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
)

// maxMessage bounds the message of a condition, in runes.
const maxMessage = 512

// write writes the findings, if they are new, and tells of a transition.
func (r *Reconciler) write(ctx context.Context, suppression *v1alpha1.Suppression, found findings) error {
	before := suppression.DeepCopy()
	apply(suppression, found, metav1.NewTime(r.Clock.Now().UTC()))
	if apiequality.Semantic.DeepEqual(before.Status, suppression.Status) {
		return nil
	}
	if err := r.Client.Status().Patch(ctx, suppression, client.MergeFrom(before)); err != nil {
		if client.IgnoreNotFound(err) == nil {
			return nil
		}
		return fmt.Errorf("write the status of the Suppression: %w", err)
	}
	r.tell(before, suppression)
	return nil
}

// apply puts the findings into the status.
func apply(suppression *v1alpha1.Suppression, found findings, now metav1.Time) {
	suppression.Status.ObservedGeneration = suppression.Generation
	message := []rune(found.message)
	if len(message) > maxMessage {
		message = message[:maxMessage]
	}
	apimeta.SetStatusCondition(&suppression.Status.Conditions, metav1.Condition{
		Type: v1alpha1.ConditionActive, Status: found.active, Reason: found.reason, Message: string(message),
		ObservedGeneration: suppression.Generation, LastTransitionTime: now,
	})
}

// tell emits an event when the reason of Active has changed.
func (r *Reconciler) tell(before, after *v1alpha1.Suppression) {
	was := apimeta.FindStatusCondition(before.Status.Conditions, v1alpha1.ConditionActive)
	is := apimeta.FindStatusCondition(after.Status.Conditions, v1alpha1.ConditionActive)
	if is == nil || (was != nil && was.Reason == is.Reason) {
		return
	}
	r.Recorder.Eventf(after, nil, corev1.EventTypeNormal, is.Reason, "Reconcile", "%s", is.Message)
}
