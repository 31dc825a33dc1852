package platforms

import (
	"crypto/sha1" //nolint:gosec // Kiwify signs with HMAC-SHA1, which SHA-1's collisions do not weaken.
	"encoding/json"
	"strings"

	"cartrecovery.dev/operator/api/v1alpha1"
)

// kiwify understands Kiwify's webhooks: JSON, signed by ?signature=, the hex
// HMAC-SHA1 of the raw body under the webhook's token. An order is flat or wrapped in
// "order", an abandoned cart flat or wrapped in "cart". Facts: Kiwify's documentation
// for signature and orders, captured deliveries for carts, integrators' code for the
// wrapped forms.
type kiwify struct{}

// kiwifyTypes is what webhook_event_type means.
var kiwifyTypes = map[string]outcome{
	"order_approved":    sold,
	"pix_created":       pixPending,
	"billet_created":    boletoPending,
	"order_rejected":    paymentRefused,
	"order_refunded":    refunded,
	"chargeback":        chargedBack,
	"subscription_late": notUsed,
	"abandoned":         cartLeft,
	"abandoned_cart":    cartLeft,
	"cart_abandoned":    cartLeft,
}

// kiwifyStatuses is what order_status means where there is no webhook_event_type.
var kiwifyStatuses = map[string]outcome{
	"paid":            sold,
	"waiting_payment": boletoPending,
	"refused":         paymentRefused,
	"refunded":        refunded,
	"chargedback":     chargedBack,
	"abandoned":       cartLeft,
}

// Name is "kiwify".
func (kiwify) Name() v1alpha1.PlatformName { return v1alpha1.PlatformKiwify }

// Verify checks the signature in the query; without one, that of the wrapped form, which
// signs the order that it wraps.
func (kiwify) Verify(delivery Delivery, secrets [][]byte) error {
	if signature := query(delivery, "signature"); signature != "" {
		return checkHMAC(sha1.New, signature, delivery.Body, secrets)
	}
	var wrapped map[string]json.RawMessage
	var signature string
	if json.Unmarshal(withoutBOM(delivery.Body), &wrapped) != nil || json.Unmarshal(wrapped["signature"], &signature) != nil {
		return ErrNoCredential
	}
	order := wrapped["order"]
	if len(order) == 0 || order[0] != '{' {
		return ErrNoCredential
	}
	return checkHMAC(sha1.New, signature, order, secrets)
}

// Parse reads one order or one abandoned cart.
func (kiwify) Parse(delivery Delivery, region string) ([]Event, error) {
	root, err := readJSON(delivery.Body)
	if err != nil {
		return nil, err
	}
	order, err := kiwifyOrder(root)
	if err != nil {
		return nil, err
	}
	kind, err := order.word("webhook_event_type", "webhook_event_type")
	if err != nil {
		return nil, err
	}
	status, err := order.word("order_status", "order_status")
	if err != nil {
		return nil, err
	}
	if kind == "" && status == "" {
		return kiwifyCart(order, root["cart"] != nil, delivery.Body, region)
	}
	kind, status = strings.ToLower(kind), strings.ToLower(status)
	name := eventName(kind, status)
	orderID := order.id("order_id")
	id := eventID(delivery.Body, orderID, name, order.id("updated_at"))
	meaning := kiwifyOutcome(kind, status, order.text(maxID, "payment_method"))
	event := meaning.event(id, name)
	event.OccurredAt = timeOf(order["updated_at"])
	if meaning.kind == Ignored {
		return []Event{event}, nil
	}
	customer, err := kiwifyCustomer(order)
	if err != nil {
		return nil, err
	}
	product, money := order.child("Product", "product"), order.child("Commissions", "commissions")
	event.Customer = Customer{
		Name:  customer.text(maxName, "full_name", "name", "first_name"),
		Phone: phoneOf(customer.text(maxID, "country"), region, customer["mobile"], customer["phone"]),
		Email: emailOf(customer["email"]),
	}
	event.Product = Product{ID: product.id("product_id", "id"), Name: product.text(maxName, "product_name", "name")}
	event.CheckoutURL = kiwifyCheckout(order)
	event.TransactionID = orderID
	event.Amount, event.Currency = centsOf(money["charge_amount"]), currencyOf(money["currency"])
	return []Event{event}, nil
}

// kiwifyOrder takes the wrapping off. A wrapped order is the only thing that is read of
// its delivery: it is what the wrapped form signs.
func kiwifyOrder(root fields) (fields, error) {
	for _, name := range []string{"order", "cart"} {
		if wrapped, err := root.object(name, name); wrapped != nil || err != nil {
			return wrapped, err
		}
	}
	return root, nil
}

func kiwifyCustomer(order fields) (fields, error) {
	name := "Customer"
	if order[name] == nil {
		name = "customer"
	}
	return order.object(name, name)
}

// kiwifyOutcome decides by the event and the order's status. A paid order stops, whatever
// event tells of it, except one that takes the payment back.
func kiwifyOutcome(kind, status, paymentMethod string) outcome {
	if kind == "" {
		meaning, found := kiwifyStatuses[status]
		if !found {
			return unknown
		}
		if meaning == boletoPending && isPix(paymentMethod) {
			return pixPending
		}
		return meaning
	}
	meaning, found := kiwifyTypes[kind]
	switch {
	case status == "paid" && (!found || meaning.kind == Abandoned):
		return onlyStop
	case found:
		return meaning
	case kind == "subscription_renewed" && status == "":
		return onlyStop
	case kind == "subscription_renewed" || kind == "subscription_canceled":
		return outcome{kind: Ignored, reason: reasonNotPaid}
	}
	return unknown
}

// kiwifyCart reads an abandoned cart: flat, with the customer's fields beside the
// product's, and tax numbers that are not read.
func kiwifyCart(cart fields, wrapped bool, body []byte, region string) ([]Event, error) {
	status, err := cart.word("status", "status")
	if err != nil {
		return nil, err
	}
	if status == "" && wrapped {
		status = "abandoned"
	}
	if status == "" {
		return nil, &InputError{Field: "webhook_event_type", Expected: "the type of the event, or a cart's status"}
	}
	status = strings.ToLower(status)
	id, name := eventID(body, cart.id("id")), eventName("cart", status)
	if status != "abandoned" {
		return []Event{unknown.event(id, name)}, nil
	}
	event := cartLeft.event(id, name)
	event.Customer = Customer{
		Name:  cart.text(maxName, "name"),
		Phone: phoneOf(cart.text(maxID, "country"), region, cart["phone"], cart["mobile"]),
		Email: emailOf(cart["email"]),
	}
	event.Product = Product{ID: cart.id("product_id"), Name: cart.text(maxName, "product_name")}
	event.CheckoutURL = kiwifyCheckout(cart)
	event.OccurredAt = timeOf(cart["created_at"])
	return []Event{event}, nil
}

// kiwifyCheckout turns the code of a checkout into its address.
func kiwifyCheckout(order fields) string {
	const maxCode = 64
	link := order.text(maxURL, "checkout_link")
	if strings.HasPrefix(link, "https://") {
		return linkOf(link)
	}
	if link == "" || len(link) > maxCode || strings.ContainsFunc(link, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_')
	}) {
		return ""
	}
	return "https://pay.kiwify.com.br/" + link
}
