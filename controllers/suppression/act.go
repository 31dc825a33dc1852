package suppression

import (
	"context"
	"fmt"
	"maps"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
)

// look reads everything plan decides on.
func (r *Reconciler) look(ctx context.Context, suppression *v1alpha1.Suppression) (*snapshot, error) {
	key := types.NamespacedName{Namespace: suppression.Namespace, Name: suppression.Spec.StoreRef.Name}
	err := r.Client.Get(ctx, key, &v1alpha1.Store{})
	if client.IgnoreNotFound(err) != nil {
		return nil, fmt.Errorf("read Store: %w", err)
	}
	return &snapshot{suppression: suppression, storeFound: err == nil, now: r.Clock.Now(), keys: r.Keys}, nil
}

// label gives a Suppression the labels that it lacks.
func (r *Reconciler) label(ctx context.Context, suppression *v1alpha1.Suppression, labels map[string]string) error {
	before := suppression.DeepCopy()
	if suppression.Labels == nil {
		suppression.Labels = map[string]string{}
	}
	maps.Copy(suppression.Labels, labels)
	err := r.Client.Patch(ctx, suppression, client.MergeFrom(before))
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("write the labels of the Suppression: %w", err)
	}
	return nil
}
