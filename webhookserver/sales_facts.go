package webhookserver

import (
	"maps"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/lead"
)

// What each kind of event says about a lead, as the facts that internal/lead joins. Pure functions.

// started is what a cart says about its lead.
func (e *salesEvent) started() lead.Facts {
	facts := lead.Begin(lead.FactsOf(e.own), lead.Start{
		Trigger: e.event.Trigger, AbandonedAt: e.occurred, EventID: e.event.ID, CheckoutURL: e.event.CheckoutURL,
		Amount: e.event.Amount, Currency: e.event.Currency, Phone: e.event.Customer.Phone,
	})
	facts.Payment, facts.Consent = e.payment(), e.event.Consent
	facts.Sales = lead.SaleHash(e.event.TransactionID)
	return facts
}

// bought is what a purchase says about the leads of its product.
func (e *salesEvent) bought() lead.Facts {
	return e.ofSale().Join(lead.Bought(e.purchase(!e.event.Attribute)))
}

// takenBack is what a refund or chargeback says about the leads of its product.
func (e *salesEvent) takenBack() lead.Facts {
	return e.ofSale().Join(lead.TakenBack(e.reversal()))
}

// ended is what the end of an open payment says about the leads of its product.
func (e *salesEvent) ended() lead.Facts {
	return e.ofSale().Join(lead.Expired(e.event.TransactionID, e.occurred))
}

// ofSale is what every event of a sale says: the customer, the product and the transaction.
func (e *salesEvent) ofSale() lead.Facts {
	facts := lead.FactsOf(e.own)
	facts.Consent = e.event.Consent
	return facts.Join(lead.OfSale(e.event.TransactionID))
}

func (e *salesEvent) purchase(unattributed bool) *v1alpha1.Purchase {
	return &v1alpha1.Purchase{
		EventID: e.event.ID, TransactionID: e.event.TransactionID,
		Amount: e.event.Amount, Currency: e.event.Currency,
		At: e.occurred, Unattributed: unattributed,
	}
}

func (e *salesEvent) reversal() *v1alpha1.Reversal {
	kind := v1alpha1.ReversalRefund
	if e.event.Chargeback {
		kind = v1alpha1.ReversalChargeback
	}
	return &v1alpha1.Reversal{
		EventID: e.event.ID, Kind: kind, TransactionID: e.event.TransactionID, At: e.occurred,
	}
}

// openPayments are the triggers of a payment that was made out and not paid.
var openPayments = map[v1alpha1.Trigger]v1alpha1.PaymentMethod{
	v1alpha1.TriggerPixPending:    v1alpha1.PaymentPix,
	v1alpha1.TriggerBoletoPending: v1alpha1.PaymentBoleto,
}

// payment is the open payment of a cart, nil when it has none. A payment that the platform tells nothing about still
// counts, because it can expire.
func (e *salesEvent) payment() *v1alpha1.Payment {
	method, isOpen := openPayments[e.event.Trigger]
	if e.event.Payment == nil && !isOpen {
		return nil
	}
	payment := &v1alpha1.Payment{}
	if e.event.Payment != nil {
		payment = e.event.Payment.DeepCopy()
	}
	if payment.Method == "" {
		payment.Method = method
	}
	if payment.TransactionID == "" {
		payment.TransactionID = e.event.TransactionID
	}
	// Without the platform's time a repetition would look like a new payment.
	if at := e.occurred; payment.CreatedAt == nil && at.Equal(e.event.OccurredAt) {
		payment.CreatedAt = &at
	}
	return payment
}

// leadWith is the event's own lead with these facts.
func (e *salesEvent) leadWith(facts lead.Facts) *v1alpha1.CartRecovery {
	created := *e.own
	created.Labels = maps.Clone(created.Labels)
	lead.Received(&created, e.now)
	lead.Add(&created, facts)
	return &created
}

// addTo joins facts to a lead of the event's product, and says whether that changed the lead. A lead that knows its
// product by name only learns the id.
func (e *salesEvent) addTo(recovery *v1alpha1.CartRecovery, facts lead.Facts) (changed bool) {
	changed = lead.Add(recovery, facts)
	if changed && recovery.Spec.ClientID == "" {
		recovery.Spec.ClientID = e.store.Spec.ClientID
	}
	if id := e.event.Product.ID; id != "" && recovery.Spec.Product.ID == "" && recovery.Spec.Platform == e.platform {
		recovery.Spec.Product.ID, changed = id, true
	}
	return changed
}
