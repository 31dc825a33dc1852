package index

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/owner"
	"cartrecovery.dev/operator/internal/suppressionkeys"
)

// The look-ups that the webhook server and the controllers must make alike. The reader is
// the manager's cache, with the indexes of Register.

// ProductByID finds the Product with this id at a platform, the oldest when several claim
// it; nil when there is none.
func ProductByID(ctx context.Context, reader client.Reader, namespace, store string, platform v1alpha1.PlatformName,
	id string) (*v1alpha1.Product, error) {
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

// ProductFor finds the Product of what a platform calls a product: the one with its id or,
// where the platform tells none, the only one of the Store with its name; nil when there is
// none.
func ProductFor(ctx context.Context, reader client.Reader, namespace, store string, platform v1alpha1.PlatformName,
	told v1alpha1.LeadProduct) (*v1alpha1.Product, error) {
	if told.ID != "" || strings.TrimSpace(told.Name) == "" {
		return ProductByID(ctx, reader, namespace, store, platform, told.ID)
	}
	var products v1alpha1.ProductList
	key := ProductNameKey(store, told.Name)
	err := reader.List(ctx, &products, client.InNamespace(namespace), client.MatchingFields{ProductByName: key})
	if err != nil {
		return nil, fmt.Errorf("find a product by its name: %w", err)
	}
	if len(products.Items) != 1 {
		return nil, nil
	}
	return &products.Items[0], nil
}

// ProductAmong is ProductFor where all Products are at hand.
func ProductAmong(products []v1alpha1.Product, store string, platform v1alpha1.PlatformName, told v1alpha1.LeadProduct,
) *v1alpha1.Product {
	keys, key := productName, ProductNameKey(store, told.Name)
	byID := told.ID != "" || strings.TrimSpace(told.Name) == ""
	if byID {
		keys, key = productPlatformIDs, ProductKey(store, platform, told.ID)
	}
	var found []v1alpha1.Product
	for i := range products {
		if slices.Contains(keys(&products[i]), key) {
			found = append(found, products[i])
		}
	}
	if at := owner.Oldest(found); byID && told.ID != "" && at >= 0 {
		return &found[at]
	}
	if !byID && len(found) == 1 {
		return &found[0]
	}
	return nil
}

// ProductOf finds the Product of a lead: the one it names, where that is of the same Store,
// else the one that has its product's id, or name, by now (see ProductFor); nil when there is
// none.
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
	return ProductFor(ctx, reader, recovery.Namespace, spec.StoreRef.Name, spec.Platform, spec.Product)
}

// Suppressed says whether a phone number must not be written to in a store now. Keyed Suppressions are found with the
// keys that they were made with; without any they are not looked for.
func Suppressed(ctx context.Context, reader client.Reader, keys *suppressionkeys.Keys, namespace, store, phone string,
	now time.Time) (bool, error) {
	if phone == "" {
		return false, nil
	}
	for _, hash := range lead.PhoneHashes(phone) {
		if held, err := holds(ctx, reader, namespace, LeadPhoneKey(store, hash), now); held || err != nil {
			return held, err
		}
	}
	for _, key := range keyedPhoneKeys(keys, store, phone) {
		if held, err := holds(ctx, reader, namespace, key, now); held || err != nil {
			return held, err
		}
	}
	return false, nil
}

// SuppressedUnknown says whether a Store has a Suppression of which nobody can tell whose number it is, because its key
// is not there.
func SuppressedUnknown(ctx context.Context, reader client.Reader, namespace, store string, now time.Time) (bool,
	error) {
	return holds(ctx, reader, namespace, LeadPhoneKey(store, unreadable), now)
}

// holds says whether one of the Suppressions with a key of SuppressionByPhone does.
func holds(ctx context.Context, reader client.Reader, namespace, key string, now time.Time) (bool, error) {
	var suppressions v1alpha1.SuppressionList
	err := reader.List(ctx, &suppressions, client.InNamespace(namespace),
		client.MatchingFields{SuppressionByPhone: key}, client.UnsafeDisableDeepCopy)
	if err != nil {
		return false, fmt.Errorf("find suppressions: %w", err)
	}
	return slices.ContainsFunc(suppressions.Items, func(each v1alpha1.Suppression) bool {
		return !lead.Lapsed(&each, now)
	}), nil
}

// StoppingPurchase finds the purchase that stops a lead and stands on another lead of the
// Store, the one that counts where there are several; nil when there is none (see
// lead.StoppedByAny). scope is the killSwitchScope that holds for the lead. A cache that has the
// lead has every purchase that was written before it; one written after it finds the lead. Those
// of a customer who gave an e-mail address here and a phone there are linked only by
// what comes later, or by another lead that has both (see lead.Linked).
func StoppingPurchase(
	ctx context.Context, reader client.Reader, recovery *v1alpha1.CartRecovery, scope v1alpha1.KillSwitchScope,
) (*v1alpha1.Purchase, error) {
	others, err := leadsOf(ctx, reader, recovery.Namespace, recovery.Spec.StoreRef.Name, recovery.Spec.Customer,
		client.UnsafeDisableDeepCopy)
	return lead.StoppedByAny(recovery, others, scope), err
}

// LeadsOfSale finds the leads of a Store that know a transaction, finished or not.
func LeadsOfSale(ctx context.Context, reader client.Reader, namespace, store,
	transactionID string) ([]v1alpha1.CartRecovery, error) {
	if transactionID == "" {
		return nil, nil
	}
	var leads v1alpha1.CartRecoveryList
	key := LeadSaleKey(store, lead.SaleHash(transactionID))
	if err := reader.List(ctx, &leads, client.InNamespace(namespace),
		client.MatchingFields{LeadBySale: key}); err != nil {
		return nil, fmt.Errorf("find the leads of a sale: %w", err)
	}
	return leads.Items, nil
}

// HasLeadsOf says whether there are leads of a clientID, in whichever namespace.
func HasLeadsOf(ctx context.Context, reader client.Reader, clientID string) (bool, error) {
	var leads v1alpha1.CartRecoveryList
	err := reader.List(ctx, &leads, client.MatchingFields{LeadByClientID: clientID}, client.Limit(1),
		client.UnsafeDisableDeepCopy)
	if err != nil {
		return false, fmt.Errorf("find the leads of a client: %w", err)
	}
	return len(leads.Items) > 0, nil
}

// LeadsOf finds the leads with a phone key or e-mail address of a customer in a Store, and
// with those that they add to it (see lead.Linked), each once and finished or not. A key says
// less than a phone: see lead.SameCustomer.
func LeadsOf(ctx context.Context, reader client.Reader, namespace, store string,
	customer v1alpha1.LeadCustomer) ([]v1alpha1.CartRecovery, error) {
	return leadsOf(ctx, reader, namespace, store, customer)
}

func leadsOf(
	ctx context.Context, reader client.Reader, namespace, store string, customer v1alpha1.LeadCustomer,
	options ...client.ListOption,
) ([]v1alpha1.CartRecovery, error) {
	var found []v1alpha1.CartRecovery
	var asked []lookup
	wanted := customer
	for range 2 {
		all := lookups(store, &wanted)
		for _, by := range all {
			if slices.Contains(asked, by) {
				continue
			}
			var leads v1alpha1.CartRecoveryList
			err := reader.List(ctx, &leads, append(options, client.InNamespace(namespace),
				client.MatchingFields{by.field: by.key})...)
			if err != nil {
				return nil, fmt.Errorf("find the leads of a customer: %w", err)
			}
			found = Together(found, leads.Items)
		}
		if len(found) == 0 {
			break
		}
		asked = all
		wanted = lead.Linked(&customer, store, found)
	}
	return found, nil
}

// lookup is a value of an index.
type lookup struct{ field, key string }

// lookups find a customer's leads.
func lookups(store string, customer *v1alpha1.LeadCustomer) []lookup {
	phones, emails := phoneKeys(store, customer), emailKeys(store, customer)
	all := make([]lookup, 0, len(phones)+len(emails))
	for _, key := range phones {
		all = append(all, lookup{LeadByAnyPhone, key})
	}
	for _, key := range emails {
		all = append(all, lookup{LeadByEmail, key})
	}
	return all
}

// Together joins two lists of leads, each lead once, by its name. Neither list has one twice. A placeholder that a
// checkout sends for everybody makes one customer of thousands, so each is looked at once.
func Together(leads, more []v1alpha1.CartRecovery) []v1alpha1.CartRecovery {
	if len(leads) == 0 || len(more) == 0 {
		return slices.Concat(leads, more)
	}
	known := make(map[string]bool, len(leads))
	for i := range leads {
		known[leads[i].Name] = true
	}
	for i := range more {
		if !known[more[i].Name] {
			leads = append(leads, more[i])
		}
	}
	return leads
}
