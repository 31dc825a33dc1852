package platforms

import (
	"cmp"
	"maps"
	"strconv"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/lax"
)

// perfectpay understands PerfectPay's postback: JSON with a number for the status of one
// sale and for each other choice. Facts: integrators' copies of PerfectPay's
// documentation for the numbers, and a captured sale for the fields. Amounts are decimals;
// times have no zone; no field leads back to the checkout. Not confirmed: an abandoned
// checkout beyond one example.
type perfectpay struct{ tokens }

// perfectpayTokens: a captured sale has the token in the body.
var perfectpayTokens = tokens{fields: []string{"token"}}

func newPerfectpay(where tokens) Platform { return perfectpay{where} }

// perfectpayStatuses is what sale_status_enum means. The postback turns some into others
// (8, 10 and 16 into 2, 11 into 6, 17 into 9, 18 to 20 into 7), which is not relied on. A
// pending one is decided by the type of payment.
var perfectpayStatuses = map[int]outcome{
	1:  boletoPending,
	2:  sold,
	3:  notUsed,        // in process: under review
	4:  notUsed,        // in mediation: 2 or 9 follows
	5:  paymentRefused, // rejected
	6:  paymentRefused, // cancelled
	7:  refunded,
	8:  sold, // authorized
	9:  chargedBack,
	10: onlyStop,       // completed: thirty days after the sale
	11: paymentRefused, // error in the checkout
	12: cartLeft,       // pre-checkout
	13: paymentExpired, // expired
	15: notUsed,        // cancelled for another boleto
	16: sold,           // paid, and looked into for fraud
	17: chargedBack,    // announced
	18: refunded,       // announced
	19: refunded,       // a PIX given back by the bank (MED)
	20: refunded,       // the same, announced
}

// perfectpayMethods is what payment_type_enum means, of what a sale waits for.
var perfectpayMethods = map[int]string{
	1: "card", 2: "billet", 4: "card", 6: "card", 7: "pix", 8: "billet", 10: "card", 11: "card",
}

// Name is "perfectpay".
func (perfectpay) Name() v1alpha1.PlatformName { return v1alpha1.PlatformPerfectPay }

// Parse reads one change of a sale's status.
func (perfectpay) Parse(delivery Delivery, place Place) ([]Event, error) {
	const field = "sale_status_enum"
	body, _, err := readBody(delivery)
	if err != nil {
		return nil, err
	}
	root := holding(body, body, field)
	status, ok := root.Integer(field)
	meaning, text, sale := perfectpayOutcome(status, root), strconv.Itoa(status), root.ID("code")
	if !ok {
		text = cmp.Or(root.Text(maxEvent, field), toldWithin(body, commonMeaning))
		meaning = commonMeaning(text)
	}
	if text == "" {
		return unnamed(root, delivery.Body, field, "a whole number")
	}
	place = place.within(brazil)
	event := meaning.event(eventID(delivery.Body, sale, text), eventName("sale", text))
	if meaning.kind == Ignored {
		return []Event{event}, nil
	}
	switch event.Kind {
	case Purchased:
		event.OccurredAt = firstTimeOf(place.Zone, root.At("date_approved"), root.At("date_created"))
	case Abandoned:
		event.OccurredAt = timeOf(root.At("date_created"), place.Zone)
	}
	root = holding(root, root, "customer", "product")
	customer, product := root.Inner("customer"), root.Inner("product")
	event.Customer = Customer{
		Name: customer.Text(maxName, "full_name", "name"),
		Phone: phoneOf(customer.ID("country"), place.Region,
			perfectpayPhone(customer), customer.At("phone_formated_ddi"), customer.At("phone_formated")),
		Email: emailOf(customer.At("email")),
	}
	event.Product = Product{ID: product.ID("code"), Name: product.Text(maxName, "name")}
	event.TransactionID = sale
	event.Amount, event.Currency = amountOf(root.At("sale_amount")), perfectpayCurrency(root)
	event.Payment = paymentOf(&event, place, perfectpayMethod(root), root)
	return completed([]Event{event}, body, place, "customer.email"), nil
}

// perfectpayOutcome looks into the sale: what it waits for, and whether it renews.
func perfectpayOutcome(status int, root fields) outcome {
	meaning, found := perfectpayStatuses[status]
	if !found {
		return unknown
	}
	if status == 1 {
		return waiting(perfectpayMethod(root))
	}
	if charges, ok := root.Child("subscription").Integer("charges_made"); ok && charges > 1 && meaning == sold {
		return onlyStop
	}
	return meaning
}

// perfectpayMethod is the method of payment, by its number or its name.
func perfectpayMethod(root fields) string {
	number, _ := root.Integer("payment_type_enum")
	if method, known := perfectpayMethods[number]; known {
		return method
	}
	return root.ID("payment_type_enum_key", "payment_type_enum")
}

// perfectpayPhone puts the phone together: phone_extension is the country code.
func perfectpayPhone(customer fields) lax.Value {
	return phoneInParts(customer.At("phone_extension"), customer.At("phone_area_code"), customer.At("phone_number"))
}

// perfectpayCurrency reads the currency's code, or else its number.
func perfectpayCurrency(root fields) string {
	if code := currencyOf(root.At("currency_enum_key")); code != "" {
		return code
	}
	number, _ := root.Integer("currency_enum")
	return map[int]string{1: "BRL", 2: "USD", 3: "EUR"}[number]
}

// perfectpayRow is PerfectPay in the registry.
var perfectpayRow = definition{
	name: v1alpha1.PlatformPerfectPay, title: "PerfectPay", samples: perfectpaySamples, starts: everyTrigger,
	tokens: perfectpayTokens, withTokens: newPerfectpay,
	about: About{
		Unconfirmed: true,
		Setup: []string{
			"Webhook: Tools → Webhook - Sales → *Add*. Choose the format of PerfectPay itself, and no delay. Secret: " +
				"the token that comes in the field `token` of the body, as PerfectPay's panel shows it.",
		},
		Notes: []string{
			"No field leads back to the checkout: set `spec.checkoutURL` of the Product.",
			"Abandoned checkouts are the event *Pre checkout*.",
		},
		ProductID: "`product.code`",
		Zone:      "America/Sao_Paulo",
		Amounts:   "units",
		Currency:  "the Store's",
	},
}

// perfectpaySamples has the least delivery of every event.
func perfectpaySamples() []sample {
	body := func(status int, note string, more given) sample {
		all := given{"sale_status_enum": status}
		maps.Copy(all, more)
		return jsonSample("`sale_status_enum` "+strconv.Itoa(status)+note, all)
	}
	var all []sample
	for _, status := range sortedKeys(perfectpayStatuses) {
		all = append(all, body(status, "", nil))
	}
	other := body(0, "", nil)
	other.event = anythingElse
	return append(all, body(1, ", PIX", given{"payment_type_enum": 7}),
		body(1, ", card", given{"payment_type_enum": 1}),
		body(2, ", `charges_made` over 1", given{"subscription": given{"charges_made": 2}}), other)
}
