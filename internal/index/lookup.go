package index

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/owner"
)

// The look-ups that the webhook server and the controllers must make alike. The reader is
// the manager's cache, with the indexes of Register.

// ProductByID finds the Product with this id at a platform, the oldest when several claim
// it; nil when there is none.
func ProductByID(ctx context.Context, reader client.Reader, namespace, store string, platform v1alpha1.PlatformName, id string) (*v1alpha1.Product, error) {
	if id == "" {
		return nil, nil
	}
	var products v1alpha1.ProductList
	key := ProductKey(store, platform, id)
	err := reader.List(ctx, &products, client.InNamespace(namespace), client.MatchingFields{ProductByPlatformID: key})
	if err != nil {
		return nil, fmt.Errorf("find a product by its platform's id: %w", err)
	}
	if at := owner.Oldest(products.Items); at >= 0 {
		return &products.Items[at], nil
	}
	return nil, nil
}

// ProductOf finds the Product of a lead: the one it names, where that is of the same Store,
// else the one that has its product's id by now; nil when there is none.
func ProductOf(ctx context.Context, reader client.Reader, recovery *v1alpha1.CartRecovery) (*v1alpha1.Product, error) {
	spec := &recovery.Spec
	if spec.ProductRef != nil {
		product := &v1alpha1.Product{}
		err := reader.Get(ctx, client.ObjectKey{Namespace: recovery.Namespace, Name: spec.ProductRef.Name}, product)
		if err == nil && product.Spec.StoreRef == spec.StoreRef {
			return product, nil
		}
		if err != nil && !apierrors.IsNotFound(err) {
			return nil, fmt.Errorf("find the product of a lead: %w", err)
		}
	}
	return ProductByID(ctx, reader, recovery.Namespace, spec.StoreRef.Name, spec.Platform, spec.Product.ID)
}

// Suppressed says whether a phone number must not be written to in a store now.
func Suppressed(ctx context.Context, reader client.Reader, namespace, store, phone string, now time.Time) (bool, error) {
	if phone == "" {
		return false, nil
	}
	var suppressions v1alpha1.SuppressionList
	key := LeadPhoneKey(store, lead.PhoneHash(phone))
	err := reader.List(ctx, &suppressions, client.InNamespace(namespace), client.MatchingFields{SuppressionByPhone: key})
	if err != nil {
		return false, fmt.Errorf("find suppressions: %w", err)
	}
	for i := range suppressions.Items {
		if until := suppressions.Items[i].Spec.ExpiresAt; until == nil || until.After(now) {
			return true, nil
		}
	}
	return false, nil
}

// PurchaseOfTwin finds the purchase of the same product by the same phone that stands on
// another lead of the Store, nil when there is none. A cart with an e-mail address and a
// purchase without one have different names; when both come within milliseconds, on
// different replicas, neither sees the other.
func PurchaseOfTwin(ctx context.Context, reader client.Reader, recovery *v1alpha1.CartRecovery) (*v1alpha1.Purchase, error) {
	spec := &recovery.Spec
	if spec.Customer.Phone == "" {
		return nil, nil
	}
	var leads v1alpha1.CartRecoveryList
	key := LeadPhoneKey(spec.StoreRef.Name, lead.PhoneHash(spec.Customer.Phone))
	err := reader.List(ctx, &leads, client.InNamespace(recovery.Namespace), client.MatchingFields{LeadByPhone: key}, client.UnsafeDisableDeepCopy)
	if err != nil {
		return nil, fmt.Errorf("find the leads of a phone: %w", err)
	}
	for i := range leads.Items {
		twin := &leads.Items[i].Spec
		if leads.Items[i].Name != recovery.Name && twin.Purchase != nil && !twin.Purchase.Unattributed && sameProduct(twin, spec) {
			return twin.Purchase.DeepCopy(), nil
		}
	}
	return nil, nil
}

func sameProduct(a, b *v1alpha1.CartRecoverySpec) bool {
	if a.ProductRef != nil && b.ProductRef != nil && *a.ProductRef == *b.ProductRef {
		return true
	}
	return a.Platform == b.Platform && a.Product.ID != "" && a.Product.ID == b.Product.ID
}
