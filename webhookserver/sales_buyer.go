package webhookserver

import (
	"cmp"
	"context"
	"slices"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/index"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/webhookserver/platforms"
)

// Events that name no buyer are those of the buyer of their transaction, where a lead knows it.

// identify fills in the buyer of an event that names none. Where nobody knows the buyer, refusal says what becomes of
// the event.
func (s *Server) identify(
	ctx context.Context, store *v1alpha1.Store, platform v1alpha1.PlatformName, told platforms.Event,
) (identified platforms.Event, refusal *outcome, err error) {
	if told.Kind == platforms.Unusable {
		if told.TransactionID == "" {
			refusal = s.unusable(store, platform, &told, v1alpha1.UnusableNoCustomer)
			return told, refusal, nil
		}
		// A lead that knows the sale is the one that the sale is of, so the credit is its own.
		told.Kind, told.Attribute = platforms.Purchased, true
	}
	if told.Customer.Phone != "" || told.Customer.Email != "" {
		return told, nil, nil
	}
	if told.Kind == platforms.Abandoned {
		return told, &outcome{Result: resultIgnored, Reason: ignoredNoPhone}, nil
	}
	identified, isKnown, err := s.findBuyer(ctx, store, platform, told)
	switch {
	case err != nil || isKnown:
		return identified, nil, err
	case told.Kind == platforms.PaymentExpired:
		return told, &outcome{Result: resultIgnored, Reason: ignoredNoCustomer}, nil
	}
	refusal = s.unusable(store, platform, &told, unusableReason(&told))
	return told, refusal, nil
}

// findBuyer looks for the leads that know an event's transaction, in the cache and then at the API server, and takes
// the buyer from them.
func (s *Server) findBuyer(
	ctx context.Context, store *v1alpha1.Store, platform v1alpha1.PlatformName, told platforms.Event,
) (identified platforms.Event, isKnown bool, err error) {
	if told.TransactionID == "" {
		return told, false, nil
	}
	leads, err := index.LeadsOfSale(ctx, s.Client, store.Namespace, store.Name, told.TransactionID)
	if err != nil {
		return told, false, err
	}
	if identified, isKnown = withBuyer(told, platform, leads); isKnown {
		return identified, true, nil
	}
	leads, err = s.live.Leads(ctx, store.Namespace, store.Name, []string{lead.SaleKey(told.TransactionID)})
	if err != nil {
		return told, false, err
	}
	identified, isKnown = withBuyer(told, platform, leads)
	return identified, isKnown, nil
}

// withBuyer takes the customer, and the product where the event names none, from the lead that the event's transaction
// is most likely of. The id of a transaction is its platform's.
func withBuyer(
	told platforms.Event, platform v1alpha1.PlatformName, leads []v1alpha1.CartRecovery,
) (identified platforms.Event, isKnown bool) {
	leads = slices.DeleteFunc(slices.Clone(leads), func(each v1alpha1.CartRecovery) bool {
		return each.Spec.Platform != platform
	})
	if len(leads) == 0 {
		return told, false
	}
	best := slices.MinFunc(leads, func(a, b v1alpha1.CartRecovery) int {
		return cmp.Or(cmp.Compare(saleDistance(&told, &a), saleDistance(&told, &b)), cmp.Compare(a.Name, b.Name))
	})
	told.Customer.Phone, told.Customer.Email = best.Spec.Customer.Phone, best.Spec.Customer.Email
	if told.Product == (platforms.Product{}) {
		told.Product = platforms.Product{ID: best.Spec.Product.ID, Name: best.Spec.Product.Name}
	}
	return told, true
}

// saleDistance orders the leads that know an event's transaction: leads of the transaction come before those that a
// purchase of something else stopped, and among them those of the event's own product.
func saleDistance(told *platforms.Event, recovery *v1alpha1.CartRecovery) int {
	distance := 0
	if _, isOfSale := recovery.Labels[lead.SaleKey(told.TransactionID)]; !isOfSale {
		distance = 2
	}
	if told.Product != (platforms.Product{}) && told.Product.ID != recovery.Spec.Product.ID {
		distance++
	}
	return distance
}
