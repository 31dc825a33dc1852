package platforms

import (
	"strconv"
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/lax"
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
func (cakto) Parse(delivery Delivery, place Place) ([]Event, error) {
	root, _, err := readBody(delivery)
	if err != nil {
		return nil, err
	}
	name, err := word(root, "event")
	if err != nil {
		return nil, err
	}
	if name == "" {
		name = toldWithin(root, knownIn(caktoEvents))
	}
	if name == "" {
		return unnamed(root, delivery.Body, "event", "the name of the event")
	}
	known := knownIn(caktoEvents)
	meaning, orders := orPaid(known(name), root, known), caktoOrders(root)
	switch {
	case len(orders) > 0:
	case meaning.matters():
		orders = []fields{nil}
	case meaning.kind != Ignored:
		meaning = noData
	}
	if meaning.kind == Ignored {
		id := eventID(delivery.Body, root.Child("data").ID("id"), name)
		return []Event{meaning.event(id, eventName(name))}, nil
	}
	events := make([]Event, 0, len(orders))
	for i, order := range orders {
		id := eventID(delivery.Body, order.ID("id"), name)
		if len(orders) > 1 {
			id = eventID(nil, id, strconv.Itoa(i+1))
		}
		event := caktoOrder(order, caktoRenewal(meaning, order).event(id, eventName(name)), place)
		within := root
		if order != nil && len(orders) > 1 {
			within = order // another order's customer is another customer
		}
		events = append(events, completed([]Event{event}, within, place, "data.customer.email")...)
	}
	return events, nil
}

// caktoMarks are fields that an order or a checkout has.
var caktoMarks = []string{"customer", "customerEmail", "customerCellphone", "customerName"}

// caktoOrders returns what data holds: one object, or a bounded number out of a list.
func caktoOrders(root fields) []fields {
	data := root.At("data")
	if data.Kind() != lax.List {
		if order := holding(root, root.Inner("data"), caktoMarks...); order != nil {
			return []fields{order}
		}
		return nil
	}
	var orders []fields
	for _, value := range data.List(maxListed) {
		if order := value.Object(); order != nil && len(orders) < maxProducts {
			orders = append(orders, holding(order, order, caktoMarks...))
		}
	}
	return orders
}

// caktoRenewal takes the credit from a payment that is not a subscription's first.
func caktoRenewal(meaning outcome, order fields) outcome {
	subscription := order.Child("subscription")
	period, _ := subscription.Integer("current_period")
	paid, _ := subscription.Integer("paid_payments_quantity")
	if meaning == sold && (period > 1 || paid > 1) {
		return onlyStop
	}
	return meaning
}

// caktoOrder reads one order or checkout into the event that it is. Of the product's two
// ids the short one is in carts and orders alike.
func caktoOrder(order fields, event Event, place Place) Event {
	customer := order.Inner("customer")
	name := customer.Text(maxName, "name")
	if name == "" {
		name = order.Text(maxName, "customerName")
	}
	email := emailOf(customer.At("email"))
	if email == "" {
		email = emailOf(order.At("customerEmail"))
	}
	event.Customer = Customer{
		Name:  name,
		Phone: phoneOf("", place.Region, customer.At("phone"), order.At("customerCellphone")),
		Email: email,
	}
	product, offer := order.Inner("product"), order.Child("offer")
	event.Product = Product{ID: product.ID("short_id", "id"), Name: product.Text(maxName, "name")}
	event.CheckoutURL = linkOf(order.At("checkoutUrl"))
	event.TransactionID = order.ID("id")
	event.Amount = firstAmount(amountOf, order.At("amount"), order.At("baseAmount"), offer.At("price"))
	event.Currency = currencyOf(order.At("currency"))
	event.OccurredAt = caktoTime(order, event, place.Zone)
	event.Payment = paymentOf(&event, place, order.ID("paymentMethod"), order)
	return event
}

// caktoTime is when what the event tells happened; an order has a time for each.
func caktoTime(order fields, event Event, zone *time.Location) time.Time {
	switch {
	case event.Kind == Purchased:
		return timeOf(order.At("paidAt"), zone)
	case event.Chargeback:
		return timeOf(order.At("chargedbackAt"), zone)
	case event.Kind == Reversed:
		return timeOf(order.At("refundedAt"), zone)
	}
	return timeOf(order.At("createdAt"), zone)
}

// caktoRow is Cakto in the registry.
var caktoRow = definition{
	name: v1alpha1.PlatformCakto, title: "Cakto", samples: caktoSamples, starts: everyTrigger,
	tokens: caktoTokens, withTokens: newCakto,
	about: About{
		Setup: []string{
			"Secret: Cakto makes it, and shows it in the settings of the webhook app. It comes in the field `secret` " +
				"of the body.",
		},
		Notes: []string{
			"Cakto treats **any** answer as success, errors too, and posts again only when there is none. So look at " +
				"`status.lastRejectedDelivery` after you have changed a secret.",
		},
		ProductID: "`product.short_id`",
		Zone:      "the Store's zone (its times have one)",
		Amounts:   "units",
		Currency:  "the Store's: it sends none",
	},
}

// caktoSamples has the least delivery of every event.
func caktoSamples() []sample {
	var all []sample
	for _, event := range sortedKeys(caktoEvents) {
		all = append(all, jsonSample(quoted(event), given{"event": event, "data": given{}}))
	}
	return append(all, jsonSample("`purchase_approved`, `current_period` over 1", given{
		"event": "purchase_approved", "data": given{"subscription": given{"current_period": 2}},
	}), jsonSample(anythingElse, given{"event": somethingUnknown}))
}
