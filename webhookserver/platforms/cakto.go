package platforms

import (
	"strconv"
	"strings"
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
)

// cakto understands Cakto's webhook: JSON of {secret, event, data}, in its second version
// with a list of orders as data. An abandoned checkout has the customer's fields flat.
// Facts: Cakto's documentation for the envelope, orders, subscriptions and carts;
// integrators' code for the names of the rarer events. Amounts are decimals; their
// currency is not told. Not confirmed: what beside orders a list holds.
type cakto struct{ tokens }

// caktoTokens: the documentation has the secret in the body.
var caktoTokens = tokens{fields: []string{"secret"}}

func newCakto(where tokens) Platform { return cakto{where} }

// caktoEvents is what the events mean.
var caktoEvents = map[string]outcome{
	"checkout_abandonment":         cartLeft,
	"pix_gerado":                   pixPending,
	"boleto_gerado":                boletoPending,
	"purchase_refused":             paymentRefused,
	"purchase_approved":            sold,
	"subscription_renewed":         onlyStop,
	"subscription_late_recovered":  onlyStop,
	"refund":                       refunded,
	"chargeback":                   chargedBack,
	"initiate_checkout":            notUsed,
	"picpay_gerado":                notUsed, // neither PIX nor boleto: no trigger says it
	"openfinance_nubank_gerado":    notUsed,
	"refund_requested":             notUsed, // "refund" follows when it is granted
	"subscription_created":         notUsed, // "purchase_approved" tells of the payment
	"subscription_canceled":        notUsed,
	"subscription_late":            notUsed,
	"subscription_paused":          notUsed,
	"subscription_resumed":         notUsed,
	"subscription_renewal_refused": notUsed, // Cakto tries again
	"trial":                        onlyStop,
}

// Name is "cakto".
func (cakto) Name() v1alpha1.PlatformName { return v1alpha1.PlatformCakto }

// Parse reads one order or abandoned checkout, or a list of them: an event for each.
func (cakto) Parse(delivery Delivery, region string) ([]Event, error) {
	root, _, err := readBody(delivery)
	if err != nil {
		return nil, err
	}
	name, err := root.word("event", "event")
	if err != nil {
		return nil, err
	}
	if name == "" {
		return unnamed(root, delivery.Body, "event", "the name of the event")
	}
	meaning, orders := meaningOf(caktoEvents, strings.ToLower(name)), caktoOrders(root)
	if meaning.kind != Ignored && len(orders) == 0 {
		meaning = noData
	}
	if meaning.kind == Ignored {
		id := eventID(delivery.Body, root.child("data").id("id"), name)
		return []Event{meaning.event(id, eventName(name))}, nil
	}
	events := make([]Event, 0, len(orders))
	for i, order := range orders {
		id := eventID(delivery.Body, order.id("id"), name)
		if len(orders) > 1 {
			id = eventID(nil, id, strconv.Itoa(i+1))
		}
		events = append(events, caktoOrder(order, caktoRenewal(meaning, order).event(id, eventName(name)), region))
	}
	return events, nil
}

// caktoOrders returns what data holds: one object, or a bounded number out of a list.
func caktoOrders(root fields) []fields {
	list, ok := root["data"].([]any)
	if !ok {
		if order := root.inner("data"); order != nil {
			return []fields{order}
		}
		return nil
	}
	var orders []fields
	for _, value := range list {
		if order, ok := value.(map[string]any); ok && len(orders) < maxProducts {
			orders = append(orders, order)
		}
	}
	return orders
}

// caktoRenewal takes the credit from a payment that is not a subscription's first.
func caktoRenewal(meaning outcome, order fields) outcome {
	subscription := order.child("subscription")
	period, _ := subscription.integer("current_period")
	paid, _ := subscription.integer("paid_payments_quantity")
	if meaning == sold && (period > 1 || paid > 1) {
		return onlyStop
	}
	return meaning
}

// caktoOrder reads one order or checkout into the event that it is. Of the product's two
// ids the short one is in carts and orders alike.
func caktoOrder(order fields, event Event, region string) Event {
	customer := order.inner("customer")
	name := customer.text(maxName, "name")
	if name == "" {
		name = order.text(maxName, "customerName")
	}
	email := emailOf(customer["email"])
	if email == "" {
		email = emailOf(order["customerEmail"])
	}
	event.Customer = Customer{
		Name:  name,
		Phone: phoneOf("", region, customer["phone"], order["customerCellphone"]),
		Email: email,
	}
	product, offer := order.inner("product"), order.child("offer")
	event.Product = Product{ID: product.id("short_id", "id"), Name: product.text(maxName, "name")}
	event.CheckoutURL = linkOf(order["checkoutUrl"])
	event.TransactionID = order.id("id")
	for _, value := range []any{order["amount"], order["baseAmount"], offer["price"]} {
		if event.Amount == "" {
			event.Amount = amountOf(value)
		}
	}
	event.Currency = currencyOf(order["currency"])
	event.OccurredAt = caktoTime(order, event)
	return event
}

// caktoTime is when what the event tells happened; an order has a time for each.
func caktoTime(order fields, event Event) time.Time {
	switch {
	case event.Kind == Purchased:
		return timeOf(order["paidAt"])
	case event.Chargeback:
		return timeOf(order["chargedbackAt"])
	case event.Kind == Reversed:
		return timeOf(order["refundedAt"])
	}
	return timeOf(order["createdAt"])
}
