package webhookserver

import (
	"slices"
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/lead"
)

// Which leads a purchase, a reversal or the end of a payment is written to. Pure functions.

// salesPlan is what an event writes.
type salesPlan struct {
	// writes are the leads that exist, those that the event is about first.
	writes []leadWrite
	// own are the facts of the event's own lead, which is created where the event is about no lead.
	own lead.Facts
}

// leadWrite is a lead that an event is written to.
type leadWrite struct {
	lead  *v1alpha1.CartRecovery
	facts lead.Facts
	// about is the event, on leads that it is about; it is nil on leads of other products that a purchase stops.
	about *salesEvent
}

// planPurchase plans a purchase. about are the leads that it is about, stopped those of other products that it stops.
func (e *salesEvent) planPurchase(about, stopped []*v1alpha1.CartRecovery) salesPlan {
	plan := salesPlan{own: e.bought()}
	for _, each := range about {
		// One that was given up under another name stays so; the purchase is kept beside it.
		if each.Name == e.name || !lead.Over(each) || !lead.Unsold(each) {
			plan.writes = append(plan.writes, leadWrite{lead: each, facts: plan.own, about: e})
		}
	}
	if len(stopped) == 0 {
		return plan
	}
	stops := lead.Bought(e.purchase(true))
	for _, each := range stopped {
		plan.writes = append(plan.writes, leadWrite{lead: each, facts: stops})
	}
	return plan
}

// stoppable are the leads of the customer's other products that a purchase stops where their killSwitchScope is
// Customer. about are the leads that the purchase is about.
func (e *salesEvent) stoppable(leads []v1alpha1.CartRecovery, about []*v1alpha1.CartRecovery) []*v1alpha1.CartRecovery {
	if len(leads) == len(about) {
		return nil
	}
	var found []*v1alpha1.CartRecovery
	customer := lead.Linked(&e.customer, e.store.Name, leads)
	for i := range leads {
		each := &leads[i]
		if each.Spec.StoreRef.Name == e.store.Name && !slices.Contains(about, each) &&
			lead.SameCustomer(&each.Spec.Customer, &customer) && lead.Reaches(e.occurred.Time, each) {
			found = append(found, each)
		}
	}
	return found
}

// planReversal plans a refund or chargeback: it is written to all leads of the product, finished or not.
func (e *salesEvent) planReversal(leads []v1alpha1.CartRecovery) salesPlan {
	plan := salesPlan{own: e.takenBack()}
	for _, each := range e.about(leads) {
		plan.writes = append(plan.writes, leadWrite{lead: each, facts: plan.own, about: e})
	}
	return plan
}

// planEnd plans the end of an open payment: it is written to the leads of the product that are worked on.
func (e *salesEvent) planEnd(leads []v1alpha1.CartRecovery) salesPlan {
	plan := salesPlan{own: e.ended()}
	for _, each := range e.about(leads) {
		if isWorkedOn(each) {
			plan.writes = append(plan.writes, leadWrite{lead: each, facts: plan.own, about: e})
		}
	}
	return plan
}

// endRefusal is why the end of an open payment changes nothing; "" when it may change something.
func (e *salesEvent) endRefusal(leads []v1alpha1.CartRecovery) string {
	if about := e.about(leads); len(about) > 0 {
		if slices.ContainsFunc(about, isWorkedOn) {
			return ""
		}
		return ignoredAlreadyFinished
	}
	for trigger := range openPayments {
		if _, hasSequence := e.policy.Steps(trigger); hasSequence {
			return ""
		}
	}
	return ignoredNoSequence
}

// applyTo joins the facts to the lead as it was read last, and says whether that changed the lead. A lead of another
// product that was finished meanwhile stays as it is.
func (w *leadWrite) applyTo(recovery *v1alpha1.CartRecovery) (changed bool) {
	facts := asKnownOn(recovery, w.facts)
	switch {
	case w.about != nil:
		return w.about.addTo(recovery, facts)
	case lead.Reaches(facts.Purchase.At.Time, recovery):
		return lead.Add(recovery, facts)
	}
	return false
}

// asKnownOn gives a purchase that a lead knows the time that the lead keeps of it, as salesEvent.asKnownBy does for
// the leads that were known when the event came.
func asKnownOn(recovery *v1alpha1.CartRecovery, facts lead.Facts) lead.Facts {
	purchase := facts.Purchase
	if purchase == nil {
		return facts
	}
	at, isKnown := lead.PurchasedAt([]v1alpha1.CartRecovery{*recovery}, purchase.EventID)
	if !isKnown || at.Equal(purchase.At.Time) {
		return facts
	}
	told := *purchase
	told.At = v1alpha1.NewTimestamp(at)
	facts.Purchase, facts.LastPurchase, facts.Purchases = nil, time.Time{}, ""
	return facts.Join(lead.Bought(&told))
}
