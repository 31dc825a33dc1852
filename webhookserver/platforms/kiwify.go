package platforms

import (
	"bytes"
	"cmp"
	"crypto/sha1" //nolint:gosec // Kiwify signs with HMAC-SHA1, which SHA-1's collisions do not weaken.
	"encoding/json"
	"strings"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/lax"
)

// kiwify understands Kiwify's webhooks: JSON, signed by ?signature=, the hex
// HMAC-SHA1 of the raw body under the webhook's token. An order is flat or wrapped in
// "order", an abandoned cart flat or wrapped in "cart". Facts: Kiwify's documentation
// for signature and orders, captured deliveries for carts, integrators' code for the
// wrapped forms.
type kiwify struct{}

// kiwifyTypes is what webhook_event_type means. The Portuguese names are those that its
// API gives the triggers.
var kiwifyTypes = map[string]outcome{
	"order_approved":      sold,
	"compra_aprovada":     sold,
	"pix_created":         pixPending,
	"pix_gerado":          pixPending,
	"billet_created":      boletoPending,
	"boleto_gerado":       boletoPending,
	"order_rejected":      paymentRefused,
	"compra_recusada":     paymentRefused,
	"order_refunded":      refunded,
	"compra_reembolsada":  refunded,
	"chargeback":          chargedBack,
	"subscription_late":   notUsed,
	"abandoned":           cartLeft,
	"abandoned_cart":      cartLeft,
	"cart_abandoned":      cartLeft,
	"carrinho_abandonado": cartLeft,
}

// kiwifyStatuses is what order_status means where there is no webhook_event_type.
var kiwifyStatuses = map[string]outcome{
	"paid":             sold,
	"approved":         sold,
	"waiting_payment":  boletoPending,
	"refused":          paymentRefused,
	"refunded":         refunded,
	"chargedback":      chargedBack,
	"abandoned":        cartLeft,
	"authorized":       notUsed,
	"pending":          notUsed,
	"processing":       notUsed,
	"refund_requested": notUsed,
	"pending_refund":   notUsed,
}

// kiwifyWrappings are the fields that a delivery can be wrapped in, the first of them that
// there is. It is the wrapped object that the wrapped form signs, and all that is read.
var kiwifyWrappings = []string{"order", "cart"}

// Name is "kiwify".
func (kiwify) Name() v1alpha1.PlatformName { return v1alpha1.PlatformKiwify }

// Verify checks the signature in the query; without one, that of the wrapped form, which
// signs the order that it wraps.
func (kiwify) Verify(delivery Delivery, secrets [][]byte) error {
	if signature := query(delivery, "signature"); signature != "" {
		return checkHMAC(sha1.New, signature, delivery.Body, secrets)
	}
	body, expected := lax.Checked(withoutBOM(delivery.Body), nil)
	if expected != "" {
		return ErrNoCredential
	}
	wrapped := lax.Pick(body, append([]string{"signature"}, kiwifyWrappings...)...)
	for _, name := range kiwifyWrappings {
		if inner := wrapped.At(name); inner.Kind() == lax.Object && wrapped.At("signature").Text() != "" {
			return checkWrapped(wrapped.At("signature").Text(), []byte(inner.Raw()), secrets)
		}
	}
	return ErrNoCredential
}

// maxOrder bounds the wrapped objects whose blanks are removed to check their signature, in bytes.
const maxOrder = 64 << 10

// checkWrapped checks the signature of a wrapped object: of its bytes as they came, or, as
// the object was signed before it was wrapped, of the same without blanks. No order is so large that
// its blanks were worth the time.
func checkWrapped(signature string, inner []byte, secrets [][]byte) error {
	err := checkHMAC(sha1.New, signature, inner, secrets)
	if err == nil {
		return nil
	}
	var compact bytes.Buffer
	if len(inner) > maxOrder || json.Compact(&compact, inner) != nil {
		return err
	}
	return checkHMAC(sha1.New, signature, compact.Bytes(), secrets)
}

// Parse reads one order or one abandoned cart.
func (kiwify) Parse(delivery Delivery, place Place) ([]Event, error) {
	body, err := kiwifyBody(delivery)
	if err != nil {
		return nil, err
	}
	place = place.within(brazil)
	root, wrapping := kiwifyOrder(body)
	order := root
	kind, status := kiwifyNames(order)
	if kind == "" && status == "" && wrapping != "cart" && order.Name("status") == "" {
		kind = strings.ToLower(toldWithin(order, kiwifyWord))
	}
	method := order.ID("payment_method")
	name := eventName(kind, status)
	meaning := orPaid(kiwifyOutcome(kind, status, method), order, kiwifyWord)
	if kind == "" && status == "" || meaning == cartLeft {
		events, err := kiwifyCart(order, wrapping == "cart" || meaning == cartLeft, delivery.Body, place)
		return completed(events, root, place, "Customer.email"), err
	}
	if meaning == sold && kiwifyRenewal(order) {
		meaning = onlyStop
	}
	orderID := order.ID("order_id", "id")
	event := meaning.event(eventID(delivery.Body, orderID, name, order.ID("updated_at")), name)
	event.OccurredAt = happenedAt(meaning.kind, order.At("updated_at"), place.Zone)
	if event.OccurredAt.IsZero() && meaning.kind == Abandoned {
		event.OccurredAt = timeOf(order.At("created_at"), place.Zone)
	}
	if meaning.kind == Ignored {
		return []Event{event}, nil
	}
	kiwifySale(&event, holding(root, order, "Customer", "customer", "Product", "product"), place)
	event.TransactionID = cmp.Or(orderID, event.TransactionID)
	event.Payment = paymentOf(&event, place, method, order)
	return completed([]Event{event}, root, place, "Customer.email"), nil
}

// kiwifyBody reads a body. Of JSON the names of fields are taken as they are: what a wrapped
// form does not sign must not get into what it signs.
func kiwifyBody(delivery Delivery) (fields, error) {
	if isForm(withoutBOM(delivery.Body), delivery.ContentType) {
		root, _, err := readBody(delivery)
		return root, err
	}
	return readJSON(delivery.Body, charsetOf(delivery.ContentType))
}

// kiwifySale reads who, what and how much.
func kiwifySale(event *Event, order fields, place Place) {
	product, money := order.Inner("Product", "product"), order.Inner("Commissions", "commissions")
	event.Customer = kiwifyCustomer(order, place.Region)
	event.Product = Product{ID: product.ID("product_id", "id"), Name: product.Text(maxName, "product_name", "name")}
	if product == nil {
		event.Product = Product{ID: order.ID("product_id"), Name: order.Text(maxName, "product_name")}
	}
	event.CheckoutURL = kiwifyCheckout(order)
	event.TransactionID = order.ID("order_id", "id")
	event.Amount = centsOf(money.At("charge_amount"))
	event.Currency = currencyOf(lax.Of(money.ID("currency", "product_base_price_currency")))
	if event.Currency == "" {
		event.Currency = currencyIn(money.At("charge_amount"))
	}
}

// kiwifyNames reads the event and the order's status. A field named status is a cart's, unless
// it is the status of an order.
func kiwifyNames(order fields) (kind, status string) {
	kind, status = order.Name("webhook_event_type", "event"), order.Name("order_status")
	told := order.Name("status")
	isCart := told == "" || told == "abandoned"
	if kind == "" && status == "" && !isCart && (order.At("order_id").Is() || kiwifyStatus(told, "") != unknown) {
		status = told
	}
	return kind, status
}

// kiwifyOrder takes the wrapping off, and says which it was.
func kiwifyOrder(root fields) (order fields, wrapping string) {
	for _, name := range kiwifyWrappings {
		if wrapped := root.Child(name); wrapped != nil {
			return wrapped, name
		}
	}
	return root, ""
}

// kiwifyCustomer reads the customer, whose fields a cart has beside its own.
func kiwifyCustomer(order fields, region string) Customer {
	customer := order.Inner("Customer", "customer")
	if customer == nil {
		customer = order
	}
	name := customer.Text(maxName, "full_name", "name")
	if name == "" {
		name = lax.Clean(customer.Text(maxName, "first_name")+" "+customer.Text(maxName, "last_name"), maxName)
	}
	return Customer{
		Name:  name,
		Phone: phoneOf(customer.ID("country"), region, customer.At("mobile"), customer.At("phone")),
		Email: emailOf(customer.At("email")),
	}
}

// kiwifyRenewal tells whether an order is not the first one of its subscription: every
// charge is an order of its own, which is told as an approved order too.
func kiwifyRenewal(order fields) bool {
	charges := order.Inner("Subscription", "subscription").Child("charges")
	return len(charges.At("completed").Elements(maxListed)) > 1
}

// kiwifyOutcome decides by the event and the order's status. A paid order stops, whatever
// event tells of it, except one that takes the payment back.
func kiwifyOutcome(kind, status, paymentMethod string) outcome {
	if kind == "" {
		return kiwifyStatus(status, paymentMethod)
	}
	meaning, found := kiwifyTypes[kind]
	if !found && kind != "subscription_renewed" && kind != "subscription_canceled" {
		meaning = kiwifyStatus(kind, paymentMethod)
		found = meaning != unknown
	}
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

// kiwifyWord is what a word means wherever it stands.
func kiwifyWord(word string) outcome { return kiwifyOutcome(plainWord(word), "", "") }

// kiwifyStatus is what an order's status means, also where it stands for the event.
func kiwifyStatus(status, paymentMethod string) outcome {
	meaning, found := kiwifyStatuses[status]
	switch {
	case !found:
		return commonMeaning(status)
	case meaning == boletoPending && isPix(paymentMethod):
		return pixPending
	}
	return meaning
}

// kiwifyCart reads an abandoned cart: flat, with the customer's fields beside the
// product's, and tax numbers that are not read. known is set where something else than its
// status tells that it is a cart.
func kiwifyCart(cart fields, known bool, body []byte, place Place) ([]Event, error) {
	status := cart.Name("status")
	if status == "" && known {
		status = "abandoned"
	}
	if status == "" {
		return nil, &InputError{Field: "webhook_event_type", Expected: "the type of the event, or a cart's status"}
	}
	id, name := eventID(body, cart.ID("id", "order_id")), eventName("cart", status)
	if status != "abandoned" {
		return []Event{unknown.event(id, name)}, nil
	}
	product := cart.Inner("Product", "product")
	event := cartLeft.event(id, name)
	event.Customer = kiwifyCustomer(cart, place.Region)
	event.Product = Product{ID: cart.ID("product_id"), Name: cart.Text(maxName, "product_name")}
	if product != nil {
		event.Product = Product{ID: product.ID("product_id", "id"), Name: product.Text(maxName, "product_name", "name")}
	}
	event.CheckoutURL = kiwifyCheckout(cart)
	event.OccurredAt = timeOf(cart.At("created_at"), place.Zone)
	return []Event{event}, nil
}

// kiwifyCheckout turns the code of a checkout into its address.
func kiwifyCheckout(order fields) string {
	const maxCode = 64
	link := order.Text(maxURL, "checkout_link")
	if strings.HasPrefix(link, "https://") {
		return linkOf(lax.Of(link))
	}
	if link == "" || len(link) > maxCode || strings.ContainsFunc(link, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_')
	}) {
		return ""
	}
	return "https://pay.kiwify.com.br/" + link
}

// kiwifyRow is Kiwify in the registry.
var kiwifyRow = definition{
	name: v1alpha1.PlatformKiwify, title: "Kiwify", samples: kiwifySamples, starts: everyTrigger,
	make: always(kiwify{}),
	about: About{
		Proof: "`signature` in the query: the HMAC-SHA1 of the body",
		Setup: []string{
			"Secret: the webhook's token. Apps → Webhooks → the webhook. **Each webhook has a token of its own**: " +
				"one webhook for all products is simplest; for several, list each token in `secretRefs`.",
			"Kiwify signs: the query has `signature`, the HMAC-SHA1 of the body. Do not add a `signature` to the URL " +
				"yourself, and have no proxy rewrite the body or the query.",
		},
		Notes: []string{
			"Abandoned carts have to be chosen in the webhook's events like any other.",
			"A cancelled subscription of a paid order says that it is paid: it stops and is not counted.",
			"Orders and carts are understood flat, and wrapped in `order` or `cart`.",
		},
		ProductID: "`Product.product_id`",
		Zone:      "America/Sao_Paulo",
		Amounts:   "cents",
		Currency:  "the Store's",
	},
}

// kiwifySamples has the least delivery of every event.
func kiwifySamples() []sample {
	all := []sample{jsonSample("cart, `status` abandoned", given{"status": "abandoned"})}
	for _, event := range sortedKeys(kiwifyTypes) {
		all = append(all, jsonSample(quoted(event), given{"webhook_event_type": event}))
	}
	for _, pair := range [][2]string{
		{"subscription_renewed", "paid"}, {"subscription_canceled", "paid"}, {"pix_created", "paid"},
		{"subscription_renewed", "refused"}, {"subscription_canceled", "waiting_payment"}, {somethingUnknown, "paid"},
	} {
		event := quoted(pair[0])
		if pair[0] == somethingUnknown {
			event = anythingElse
		}
		all = append(all, jsonSample(event+", `order_status` "+pair[1], given{"webhook_event_type": pair[0],
			"order_status": pair[1]}))
	}
	for _, status := range sortedKeys(kiwifyStatuses) {
		all = append(all, jsonSample("no event, `order_status` "+status, given{"order_status": status}))
	}
	for _, status := range sortedKeys(kiwifyStatuses) {
		if kiwifyTypes[status] == (outcome{}) {
			all = append(all, jsonSample("`webhook_event_type` "+status, given{"webhook_event_type": status}))
		}
	}
	return append(all, jsonSample("no event, `order_status` waiting_payment, PIX",
		given{"order_status": "waiting_payment", "payment_method": "pix"}),
		jsonSample(anythingElse, given{"webhook_event_type": somethingUnknown}))
}
