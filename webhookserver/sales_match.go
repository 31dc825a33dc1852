package webhookserver

import (
	"cmp"
	"slices"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/lead"
)

// Which of a customer's leads an event is about. Pure functions.

// matchLead finds the lead that a cart is about: its own, or the same cart under another name, where the customer gave
// an e-mail address in one event and none, or another one, in the other. A lead that is worked on comes first, then
// one that was bought or reversed, then one that is over. It is nil when there is no lead.
func (e *salesEvent) matchLead(leads []v1alpha1.CartRecovery) *v1alpha1.CartRecovery {
	about := e.about(leads)
	if len(about) == 0 {
		return nil
	}
	return slices.MinFunc(about, func(a, b *v1alpha1.CartRecovery) int {
		return cmp.Or(
			cmp.Compare(closeness(a), closeness(b)),
			cmp.Compare(e.otherName(a), e.otherName(b)),
			cmp.Compare(a.Name, b.Name),
		)
	})
}

// closeness orders the leads that a cart is about.
func closeness(recovery *v1alpha1.CartRecovery) int {
	switch {
	case !lead.Unsold(recovery):
		return 1
	case lead.Over(recovery):
		return 2
	}
	return 0
}

// otherName is 0 for the lead that has the event's own name, and 1 for others.
func (e *salesEvent) otherName(recovery *v1alpha1.CartRecovery) int {
	if recovery.Name == e.name {
		return 0
	}
	return 1
}

// about are the leads that an event is about: its own, and those of its product and customer under other names.
func (e *salesEvent) about(leads []v1alpha1.CartRecovery) []*v1alpha1.CartRecovery {
	if len(leads) == 0 {
		return nil
	}
	var about []*v1alpha1.CartRecovery
	customer := lead.Linked(&e.customer, e.store.Name, leads)
	for i := range leads {
		each := &leads[i]
		if each.Spec.StoreRef.Name != e.store.Name {
			continue
		}
		if each.Name == e.name ||
			lead.SameCustomer(&each.Spec.Customer, &customer) && lead.SameProduct(&each.Spec, &e.own.Spec) {
			about = append(about, each)
		}
	}
	return about
}

// isWorkedOn says whether messages of a lead may still be sent.
func isWorkedOn(recovery *v1alpha1.CartRecovery) bool {
	return !lead.Over(recovery) && lead.Unsold(recovery)
}
