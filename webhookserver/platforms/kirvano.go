package platforms

import (
	"strings"

	"cartrecovery.dev/operator/api/v1alpha1"
)

// kirvano understands Kirvano's webhook: JSON with the customer, the products of one
// checkout, and prices as people write them ("R$ 169,80"). Facts: the names of the events
// and fields are those that integrators' code agrees on; a captured PIX_GENERATED has its
// times without zone. Not confirmed: where the token is, for which integrators read the
// headers below and the field token, and what a cart holds beyond one example.
type kirvano struct{ tokens }

// kirvanoTokens are the places that integrators read Kirvano's token from.
var kirvanoTokens = tokens{
	headers: []string{"Security-Token", "X-Kirvano-Token", "X-Webhook-Token", "Authorization"},
	fields:  []string{"token"},
}

func newKirvano(where tokens) Platform { return kirvano{where} }

// kirvanoEvents is what the events mean. No field tells a renewal but the event itself.
var kirvanoEvents = map[string]outcome{
	"abandoned_cart":        cartLeft,
	"pix_generated":         pixPending,
	"bank_slip_generated":   boletoPending,
	"sale_refused":          paymentRefused,
	"sale_approved":         sold,
	"subscription_renewed":  onlyStop,
	"sale_refunded":         refunded,
	"sale_chargeback":       chargedBack,
	"pix_expired":           notUsed,
	"bank_slip_expired":     notUsed,
	"subscription_canceled": notUsed,
	"subscription_expired":  notUsed,
}

// Name is "kirvano".
func (kirvano) Name() v1alpha1.PlatformName { return v1alpha1.PlatformKirvano }

// Parse reads one sale or one abandoned cart. What starts a recovery is of the main
// product; a sale and its reversal are events of every product, order bumps too.
func (kirvano) Parse(delivery Delivery, region string) ([]Event, error) {
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
	meaning := meaningOf(kirvanoEvents, strings.ToLower(name))
	sale := root.id("sale_id")
	id := eventID(delivery.Body, root.id("sale_id", "checkout_id"), name, root.id("created_at"))
	event := meaning.event(id, eventName(name))
	event.OccurredAt = timeOf(root["created_at"])
	if meaning.kind == Ignored {
		return []Event{event}, nil
	}
	customer := root.inner("customer")
	event.Customer = Customer{
		Name:  customer.text(maxName, "name"),
		Phone: phoneOf("", region, customer["phone_number"], customer["phone"]),
		Email: emailOf(customer["email"]),
	}
	event.CheckoutURL = linkOf(root["checkout_url"])
	event.TransactionID = sale
	event.Amount, event.Currency = kirvanoPrice(root["total_price"])
	if event.Amount == "" {
		event.Amount = amountOf(root.child("fiscal")["total_value"])
	}
	return perProduct(event, kirvanoItems(root)), nil
}

// kirvanoPrice reads a price, and its currency where the price says it.
func kirvanoPrice(value any) (amount, currency string) {
	amount = amountOf(value)
	if text, _ := value.(string); amount != "" && strings.HasPrefix(strings.TrimSpace(text), "R$") {
		return amount, "BRL"
	}
	return amount, ""
}

// kirvanoItems reads the products, the main one first: the first that is no order bump. An
// offer's id is no product's: a cart may have another than the sale.
func kirvanoItems(root fields) []item {
	var main, bumps []fields
	for _, value := range root.list("products") {
		line, ok := value.(map[string]any)
		switch {
		case !ok:
		case len(main) == 0 && !isTrue(line["is_order_bump"]):
			main = append(main, line)
		default:
			bumps = append(bumps, line)
		}
	}
	var items []item
	for _, line := range append(main, bumps...) {
		one := item{product: Product{ID: line.id("id"), Name: line.text(maxName, "name", "offer_name")}}
		one.amount, one.currency = kirvanoPrice(line["price"])
		items = addItem(items, one)
	}
	return items
}
