package product

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/index"
	"cartrecovery.dev/operator/internal/policy"
)

// look reads everything plan decides on.
func (r *Reconciler) look(ctx context.Context, product *v1alpha1.Product) (*snapshot, error) {
	store := &v1alpha1.Store{}
	err := r.Client.Get(ctx, types.NamespacedName{Namespace: product.Namespace, Name: product.Spec.StoreRef.Name},
		store)
	if client.IgnoreNotFound(err) != nil {
		return nil, fmt.Errorf("read Store: %w", err)
	}
	seen := &snapshot{product: product, storeFound: err == nil, policy: policy.Resolve(store, product)}
	seen.ofStore, seen.platforms = policy.Resolve(store, nil), store.Spec.Platforms
	seen.rivals, err = r.rivals(ctx, product)
	return seen, err
}

// rivals are the other Products of the same Store that claim one of the same ids.
func (r *Reconciler) rivals(ctx context.Context, product *v1alpha1.Product) ([]v1alpha1.Product, error) {
	var rivals []v1alpha1.Product
	seen := map[types.UID]bool{product.UID: true}
	for _, id := range product.Spec.PlatformIDs {
		key := index.ProductKey(product.Spec.StoreRef.Name, id.Platform, id.ID)
		var claimants v1alpha1.ProductList
		if err := r.Client.List(ctx, &claimants, client.InNamespace(product.Namespace),
			client.MatchingFields{index.ProductByPlatformID: key}); err != nil {
			return nil, fmt.Errorf("list the Products of an id: %w", err)
		}
		for i := range claimants.Items {
			if uid := claimants.Items[i].UID; !seen[uid] {
				seen[uid] = true
				rivals = append(rivals, claimants.Items[i])
			}
		}
	}
	return rivals, nil
}
