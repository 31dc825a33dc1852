package platforms

import (
	"strings"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/lax"
)

// ticto understands Ticto's webhook 2.0: JSON with the status of one order, amounts in
// cents, and the phone in its parts. Some deliveries are flat, with the object's name in
// front of each field ("customer_phone_ddd"). Facts: integrators' copies of Ticto's
// documentation for statuses and fields, and their code for subscriptions. Times have no
// zone and no currency is told. Not confirmed: what a cart holds beyond one example.
type ticto struct{ tokens }

// tictoTokens: integrators read the token in the body.
var tictoTokens = tokens{fields: []string{"token"}}

func newTicto(where tokens) Platform { return ticto{where} }

// tictoStatuses is what the statuses mean. waiting_payment is decided by the method of
// payment.
var tictoStatuses = map[string]outcome{
	"abandoned_cart":        cartLeft,
	"pix_created":           pixPending,
	"bank_slip_created":     boletoPending,
	"waiting_payment":       boletoPending,
	"refused":               paymentRefused,
	"authorized":            sold,
	"refunded":              refunded,
	"chargeback":            chargedBack,
	"claimed":               chargedBack, // the customer disputes the sale
	"pix_expired":           paymentExpired,
	"bank_slip_expired":     paymentExpired,
	"bank_slip_delayed":     paymentExpired, // nobody paid it in time
	"close":                 notUsed,
	"trial":                 onlyStop,
	"trial_started":         onlyStop,
	"trial_ended":           notUsed,
	"all_charges_paid":      notUsed,
	"card_exchanged":        notUsed,
	"extended":              notUsed,
	"uncanceled":            notUsed,
	"subscription_canceled": notUsed,
	"subscription_delayed":  notUsed,
}

// Name is "ticto".
func (ticto) Name() v1alpha1.PlatformName { return v1alpha1.PlatformTicto }

// Parse reads one change of an order's status, or one abandoned cart.
func (ticto) Parse(delivery Delivery, place Place) ([]Event, error) {
	root, _, err := readBody(delivery)
	if err != nil {
		return nil, err
	}
	status, err := word(root, "status")
	if err != nil {
		return nil, err
	}
	if status == "" {
		status = toldWithin(root, knownIn(tictoStatuses))
	}
	if status == "" {
		return unnamed(root, delivery.Body, "status", "the status of the order")
	}
	place, body := place.within(brazil), root
	if !hasPrefixed(root, "customer") {
		root = holding(root, root, "customer", "item")
	}
	order, product := flat(root, "order", "_"), flat(root, "item", "_")
	method := firstText(body.At("payment_method"), root.At("payment_method"))
	meaning := tictoOutcome(strings.ToLower(status), method, root)
	transaction := order.ID("hash", "id")
	event := meaning.event(eventID(delivery.Body, transaction, status, body.ID("status_date")), eventName(status))
	event.OccurredAt = firstTimeOf(place.Zone, body.At("status_date"), root.At("status_date"), order.At("order_date"))
	if meaning.kind == Ignored {
		return []Event{event}, nil
	}
	customer := flat(root, "customer", "_")
	event.Customer = Customer{
		Name: customer.Text(maxName, "name"),
		Phone: phoneOf("", place.Region, customer.At("phone"),
			lax.Made(flat(customer, "phone", "_")), root.At("telefone")),
		Email: emailOf(customer.At("email")),
	}
	event.Product = Product{ID: product.ID("product_id"), Name: product.Text(maxName, "product_name")}
	event.CheckoutURL = linkOf(root.At("checkout_url"))
	event.TransactionID = transaction
	event.Amount = firstAmount(centsOf, order.At("paid_amount"), product.At("amount"))
	event.Currency = firstCurrency(currencyOf(order.At("currency")), currencyIn(order.At("paid_amount")))
	event.Payment = paymentOf(&event, place, method, root, order, flat(root, "transaction", "_"))
	return completed([]Event{event}, body, place, "customer.email"), nil
}

// hasPrefixed says whether an object has another one, or its fields flat.
func hasPrefixed(root fields, object string) bool {
	if root.At(object).Is() {
		return true
	}
	for name := range root.Each() {
		if strings.HasPrefix(name, object+"_") {
			return true
		}
	}
	return false
}

// tictoOutcome looks into the order: what it waits for, and whether it renews.
func tictoOutcome(status, method string, root fields) outcome {
	known := knownIn(tictoStatuses)
	meaning := orPaid(known(status), root, known)
	if status == "waiting_payment" {
		return waiting(method)
	}
	for _, value := range root.At("subscriptions").Elements(maxListed) {
		subscription := value.Object()
		if charges, ok := subscription.Integer("successful_charges"); ok && charges > 1 && meaning == sold {
			return onlyStop
		}
	}
	return meaning
}

// tictoRow is Ticto in the registry.
var tictoRow = definition{
	name: v1alpha1.PlatformTicto, title: "Ticto", samples: tictoSamples, starts: everyTrigger,
	tokens: tictoTokens, withTokens: newTicto,
	about: About{
		Unconfirmed: true,
		Setup: []string{
			"Secret: the token of the webhook (choose version 2.0), as Ticto's panel shows it. It comes in the field " +
				"`token` of the body. The events are values of `status`.",
		},
		ProductID: "`item.product_id`",
		Zone:      "America/Sao_Paulo",
		Amounts:   "cents",
		Currency:  "the Store's: it sends none",
	},
}

// tictoSamples has the least delivery of every event.
func tictoSamples() []sample {
	var all []sample
	for _, status := range sortedKeys(tictoStatuses) {
		all = append(all, jsonSample(quoted(status), given{"status": status}))
	}
	return append(all, jsonSample("`waiting_payment`, PIX", given{"status": "waiting_payment",
		"payment_method": "pix"}),
		jsonSample("`waiting_payment`, card", given{"status": "waiting_payment", "payment_method": "credit_card"}),
		jsonSample("`authorized`, `successful_charges` over 1", given{"status": "authorized",
			"subscriptions": []any{given{"successful_charges": 2}}}),
		jsonSample(anythingElse, given{"status": somethingUnknown}))
}
