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

// findBuyer fills in whose an event is that names no buyer, from the leads that know its
// transaction; it says whether there is one. A lead that the cache does not know yet is looked
// for at the API server.
func (s *Server) findBuyer(ctx context.Context, r *report) (found bool, err error) {
	if r.event.TransactionID == "" {
		return false, nil
	}
	namespace, store := r.store.Namespace, r.store.Name
	leads, err := index.LeadsOfSale(ctx, s.Client, namespace, store, r.event.TransactionID)
	if err != nil {
		return false, err
	}
	if r.buyFrom(leads) {
		return true, nil
	}
	if leads, err = s.live.Leads(ctx, namespace, store, []string{lead.SaleKey(r.event.TransactionID)}); err != nil {
		return false, err
	}
	return r.buyFrom(leads), nil
}

// buyFrom takes the customer, and the product where the event names none, from the lead among
// these that the event's transaction is most likely of. A transaction's id is the platform's.
func (r *report) buyFrom(leads []v1alpha1.CartRecovery) bool {
	leads = slices.DeleteFunc(slices.Clone(leads), func(each v1alpha1.CartRecovery) bool {
		return each.Spec.Platform != r.platform
	})
	if len(leads) == 0 {
		return false
	}
	best := slices.MinFunc(leads, func(a, b v1alpha1.CartRecovery) int {
		return cmp.Or(cmp.Compare(r.distance(&a), r.distance(&b)), cmp.Compare(a.Name, b.Name))
	})
	r.event.Customer.Phone, r.event.Customer.Email = best.Spec.Customer.Phone, best.Spec.Customer.Email
	if r.event.Product == (platforms.Product{}) {
		r.event.Product = platforms.Product{ID: best.Spec.Product.ID, Name: best.Spec.Product.Name}
	}
	return true
}

// distance orders the leads that know the event's transaction: those that it is about before
// those that a purchase of something else stopped, and of those the event's own product first.
func (r *report) distance(recovery *v1alpha1.CartRecovery) int {
	distance := 0
	if _, about := recovery.Labels[lead.SaleKey(r.event.TransactionID)]; !about {
		distance = 2
	}
	product := r.event.Product
	if product != (platforms.Product{}) && product.ID != recovery.Spec.Product.ID {
		distance++
	}
	return distance
}
