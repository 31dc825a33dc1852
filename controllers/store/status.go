package store

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

// write writes the findings, if they are new. It is a patch of what this controller owns:
// status.lastRejectedDelivery, which the webhook server writes, is never part of it.
func (r *Reconciler) write(ctx context.Context, store *v1alpha1.Store, found findings) error {
	before := store.DeepCopy()
	apply(store, found, metav1.NewTime(r.Clock.Now().UTC()))
	if apiequality.Semantic.DeepEqual(before.Status, store.Status) {
		return nil
	}
	if err := r.Client.Status().Patch(ctx, store, client.MergeFrom(before)); err != nil {
		if client.IgnoreNotFound(err) == nil {
			return nil
		}
		return fmt.Errorf("write the status of the Store: %w", err)
	}
	r.tell(before, store)
	return nil
}

// apply puts the findings into the status.
func apply(store *v1alpha1.Store, found findings, now metav1.Time) {
	status := &store.Status
	status.ObservedGeneration = store.Generation
	status.Webhooks, status.Leads, status.Tokens = found.webhooks, found.leads, found.tokens
	status.EffectivePolicy = found.effective
	message := []rune(found.message)
	if len(message) > maxMessage {
		message = message[:maxMessage]
	}
	apimeta.SetStatusCondition(&status.Conditions, metav1.Condition{
		Type: v1alpha1.ConditionReady, Status: found.ready, Reason: found.reason, Message: string(message),
		ObservedGeneration: store.Generation, LastTransitionTime: now,
	})
	policy.Warn(&status.Conditions, found.warnings, store.Generation, now)
}

// tell emits an event when the reason of Ready has changed, and one for each new warning.
func (r *Reconciler) tell(before, after *v1alpha1.Store) {
	was := apimeta.FindStatusCondition(before.Status.Conditions, v1alpha1.ConditionReady)
	if warning := policy.NewWarning(before.Status.Conditions, after.Status.Conditions); warning != "" {
		r.Recorder.Eventf(after, nil, corev1.EventTypeWarning, v1alpha1.ReasonNeverActs, "Reconcile", "%s", warning)
	}
	is := apimeta.FindStatusCondition(after.Status.Conditions, v1alpha1.ConditionReady)
	if is == nil || (was != nil && was.Reason == is.Reason) {
		return
	}
	kind := corev1.EventTypeWarning
	if is.Status == metav1.ConditionTrue || is.Reason == v1alpha1.ReasonSuspended {
		kind = corev1.EventTypeNormal
	}
	r.Recorder.Eventf(after, nil, kind, is.Reason, "Reconcile", "%s", is.Message)
}
