package store

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/status"
)

// kind describes the status of Stores. What the webhook server writes, status.lastRejectedDelivery and
// status.lastUnusableDelivery, is never part of what this controller writes.
var kind = status.Kind[*v1alpha1.Store]{
	Name:       "Store",
	Condition:  v1alpha1.ConditionReady,
	Tells:      v1alpha1.ConditionCanSend,
	Conditions: func(store *v1alpha1.Store) *[]metav1.Condition { return &store.Status.Conditions },
	Warns: func(ready *metav1.Condition) bool {
		return ready.Status != metav1.ConditionTrue && ready.Reason != v1alpha1.ReasonSuspended
	},
}

// write writes the findings to the status.
func (r *Reconciler) write(ctx context.Context, store *v1alpha1.Store, found findings) error {
	writer := status.Writer[*v1alpha1.Store]{Kind: kind, Client: r.Client, Recorder: r.Recorder, Clock: r.Clock}
	return writer.Write(ctx, store, found.Finding, func(store *v1alpha1.Store) {
		store.Status.ObservedGeneration, store.Status.EffectivePolicy = store.Generation, found.effective
		store.Status.Webhooks, store.Status.Leads, store.Status.Tokens = found.webhooks, found.leads, found.tokens
		store.Status.Summary = found.summary
	})
}
