package platforms

import (
	"strings"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/lax"
	"cartrecovery.dev/operator/internal/phone"
)

// hotmart understands Hotmart's webhook 2.0.0, which is JSON with a static token in the
// X-HOTMART-HOTTOK header or in the field hottok, and of its predecessor 1.0, which is flat
// (a form, or the same fields as JSON) with the token in the field hottok, the sales.
// Facts: Hotmart's documentation, captured deliveries for headers, tokens in the body and
// forms, and integrators' code for other spellings of events and fields.
type hotmart struct{}

// hotmartEvents is what the events of 2.0.0 mean. Open payments are decided by the
// payment type.
var hotmartEvents = map[string]outcome{
	"PURCHASE_OUT_OF_SHOPPING_CART":   cartLeft,
	"PURCHASE_BILLET_PRINTED":         boletoPending,
	"PURCHASE_WAITING_PAYMENT":        boletoPending,
	"PURCHASE_CANCELED":               paymentRefused,
	"PURCHASE_CANCELLED":              paymentRefused,
	"PURCHASE_APPROVED":               sold,
	"ORDER_APPROVED":                  sold,
	"PURCHASE_COMPLETE":               onlyStop,
	"PURCHASE_COMPLETED":              onlyStop,
	"PURCHASE_REFUNDED":               refunded,
	"PURCHASE_CHARGEBACK":             chargedBack,
	"PURCHASE_PROTEST":                chargedBack,
	"PURCHASE_EXPIRED":                paymentExpired,
	"PURCHASE_DELAYED":                notUsed,
	"SWITCH_PLAN":                     notUsed,
	"UPDATE_SUBSCRIPTION_CHARGE_DATE": notUsed,
}

// hotmartStatuses is what the statuses of 1.0 mean, and those of a purchase of 2.0.0
// whose event has no name. Open payments are decided by the payment type.
var hotmartStatuses = map[string]outcome{
	"approved":               sold,
	"complete":               onlyStop,
	"completed":              onlyStop,
	"billet_printed":         boletoPending,
	"printed_billet":         boletoPending,
	"waiting_payment":        boletoPending,
	"canceled":               paymentRefused,
	"cancelled":              paymentRefused,
	"no_funds":               paymentRefused,
	"refunded":               refunded,
	"chargeback":             chargedBack,
	"dispute":                chargedBack,
	"protested":              chargedBack,
	"partially_refunded":     notUsed,
	"blocked":                notUsed,
	"delayed":                notUsed,
	"overdue":                notUsed,
	"expired":                paymentExpired,
	"started":                notUsed,
	"pre_order":              notUsed,
	"under_analisys":         notUsed, //nolint:misspell // as Hotmart spells it
	"under_analysis":         notUsed,
	"processing_transaction": notUsed,
}

// Name is "hotmart".
func (hotmart) Name() v1alpha1.PlatformName { return v1alpha1.PlatformHotmart }

// Verify compares the token of the header; without one, that of the body.
func (hotmart) Verify(delivery Delivery, secrets [][]byte) error {
	if token := header(delivery, "X-HOTMART-HOTTOK"); token != "" {
		return checkSecret(token, secrets)
	}
	root, err := credentials(delivery, "hottok")
	if err != nil {
		return ErrNoCredential
	}
	return checkSecret(root.At("hottok").Text(), secrets)
}

// Parse reads one event.
func (hotmart) Parse(delivery Delivery, place Place) ([]Event, error) {
	root, form, err := readBody(delivery)
	if err != nil {
		return nil, err
	}
	name, err := word(root, "event")
	if err != nil {
		return nil, err
	}
	if name == "" && (root.At("status").Is() || form && toldWithin(root, hotmartStatus) == "") {
		return hotmartFlat(root, delivery.Body, place)
	}
	data := holding(root, root.Inner("data"), "buyer", "purchase", "product")
	meaning := orPaid(hotmartOutcome(name), root, hotmartStatus)
	if name == "" {
		status := data.Inner("purchase").Name("status")
		if status == "" {
			status = strings.ToLower(toldWithin(root, hotmartStatus))
		}
		if status == "" {
			return nil, &InputError{Field: "event", Expected: "the name of the event"}
		}
		name, meaning = "status/"+status, hotmartStatus(status)
	}
	if data == nil && !meaning.matters() && meaning.kind != Ignored {
		meaning = noData
	}
	event := hotmartPayment(meaning, data.Inner("purchase")).event(eventID(delivery.Body, root.ID("id")),
		eventName(name))
	event.OccurredAt = firstTimeOf(place.Zone, root.At("creation_date"), root.At("creationDate"))
	if event.Kind != Ignored {
		hotmartSale(&event, data, place)
	}
	return completed([]Event{event}, root, place, "data.buyer.email"), nil
}

// hotmartSale reads who, what and how much.
func hotmartSale(event *Event, data fields, place Place) {
	purchase, product := data.Inner("purchase"), data.Inner("product", "products")
	price := purchase.Child("price", "full_price")
	event.Customer = hotmartBuyer(data, purchase, place.Region)
	event.Product = Product{ID: product.ID("id", "ucode"), Name: product.Text(maxName, "name")}
	event.TransactionID = purchase.ID("transaction")
	event.Amount = amountOf(price.At("value"))
	if price == nil {
		event.Amount = amountOf(purchase.At("price"))
	}
	event.Currency = currencyOf(lax.Of(price.ID("currency_value", "currency_code", "currencyCode")))
	payment := purchase.Child("payment")
	event.Payment = paymentOf(event, place, payment.ID("type", "method"), payment)
}

func hotmartOutcome(name string) outcome {
	name = strings.ToUpper(plainWord(name))
	if meaning, found := hotmartEvents[name]; found {
		return meaning
	}
	if meaning, found := hotmartStatuses[strings.ToLower(name)]; found {
		return meaning
	}
	if meaning := commonMeaning(name); meaning != unknown {
		return meaning
	}
	if strings.HasPrefix(name, "SUBSCRIPTION_") || strings.HasPrefix(name, "CLUB_") {
		return notUsed
	}
	return unknown
}

// hotmartStatus is what a status means; where an event's name stands for one, the event.
func hotmartStatus(status string) outcome {
	if meaning, found := hotmartStatuses[strings.ToLower(status)]; found {
		return meaning
	}
	return hotmartOutcome(status)
}

// hotmartPayment looks into the purchase: a printed "billet" may be a PIX, and an
// approval the renewal of a subscription.
func hotmartPayment(meaning outcome, purchase fields) outcome {
	if meaning == boletoPending && isPix(purchase.Child("payment").ID("type", "method")) {
		return pixPending
	}
	for _, name := range []string{"recurrence_number", "recurrenceNumber", "recurrencyNumber"} {
		if number, ok := purchase.Integer(name); ok && number > 1 {
			meaning.attribute = false
		}
	}
	return meaning
}

func isPix(paymentType string) bool {
	return strings.Contains(strings.ToUpper(paymentType), "PIX")
}

// hotmartBuyer reads the buyer. checkout_phone is complete by itself; the field
// checkout_phone_code beside it is not to be relied on.
func hotmartBuyer(data, purchase fields, region string) Customer {
	buyer := data.Inner("buyer", "customer", "user")
	country := data.Child("checkout_country", "checkoutCountry").ID("iso")
	if country == "" {
		country = purchase.Child("checkout_country", "checkoutCountry").ID("iso")
	}
	if country == "" {
		country = buyer.Child("address").ID("country_iso")
	}
	return Customer{
		Name: hotmartName(buyer),
		Phone: phoneOf(country, region, buyer.At("checkout_phone"), buyer.At("phone"),
			buyer.At("checkoutPhone"), buyer.At("phone_number"), buyer.At("cellphone")),
		Email: emailOf(buyer.At("email")),
	}
}

func hotmartName(person fields) string {
	if name := person.Text(maxName, "name", "buyer_name"); name != "" {
		return name
	}
	return lax.Clean(person.Text(maxName, "first_name")+" "+person.Text(maxName, "last_name"), maxName)
}

// hotmartFlat reads a delivery of 1.0.
func hotmartFlat(form fields, body []byte, place Place) ([]Event, error) {
	status := strings.ToLower(form.Text(maxEvent, "status"))
	if status == "" {
		return nil, &InputError{Field: "status", Expected: "the status of the purchase"}
	}
	meaning := hotmartStatus(status)
	if meaning == boletoPending && isPix(form.ID("payment_type")) {
		meaning = pixPending
	}
	if number, ok := form.Integer("recurrency"); ok && number > 1 {
		meaning.attribute = false
	}
	transaction := form.ID("transaction")
	event := meaning.event(eventID(body, transaction, status), eventName("v1", status))
	if meaning.kind == Ignored {
		return []Event{event}, nil
	}
	event.Customer = Customer{
		Name: hotmartName(form),
		Phone: phoneOf("", place.Region,
			withAreaCode(form, "phone_checkout_local_code", "phone_checkout_number"),
			withAreaCode(form, "phone_local_code", "phone_number")),
		Email: emailOf(form.At("email"), form.At("buyer_email")),
	}
	event.Product = Product{ID: form.ID("prod", "product_id"), Name: form.Text(maxName, "prod_name", "product_name")}
	event.TransactionID = transaction
	event.Amount, event.Currency = amountOf(form.At("price")), currencyOf(form.At("currency"))
	if price := form.Child("price"); price != nil {
		event.Amount, event.Currency = amountOf(price.At("value")), currencyOf(price.At("currency_value"))
	}
	event.Payment = paymentOf(&event, place, form.ID("payment_type"), form)
	if meaning == sold {
		event.OccurredAt = timeOf(form.At("confirmation_purchase_date"), place.Zone)
	}
	if event.OccurredAt.IsZero() && meaning.kind == Abandoned {
		event.OccurredAt = timeOf(form.At("purchase_date"), place.Zone)
	}
	return completed([]Event{event}, form, place, "email"), nil
}

// withAreaCode are an area code and a number, where the first is an area code.
func withAreaCode(form fields, codeField, numberField string) lax.Value {
	number := form.ID(numberField)
	if code := strings.TrimPrefix(phone.Digits(form.ID(codeField)), "0"); len(code) == 2 {
		return phoneInParts(lax.Value{}, lax.Of(code), lax.Of(number))
	}
	return lax.Of(number)
}

// hotmartRow is Hotmart in the registry.
var hotmartRow = definition{
	name: v1alpha1.PlatformHotmart, title: "Hotmart", samples: hotmartSamples, starts: everyTrigger,
	make: always(hotmart{}),
	about: About{
		Proof: "the hottok, in the header `X-HOTMART-HOTTOK`; in version 1 in the field `hottok` of the body",
		Setup: []string{
			"Secret: the hottok. Tools → Webhook (API and notifications) → tab *Authentication*. It is one for the " +
				"whole account.",
			"Webhook: in the same place, *Register webhook*, version 2.0.0. The token comes in the header " +
				"`X-HOTMART-HOTTOK`; version 1 has it in the body. Both versions are understood, also at the same " +
				"URL.",
		},
		Notes: []string{
			"Carts come without a price and without a link: set `spec.checkoutURL` of the Product, or the message " +
				"has none.",
			"Whether the cart has a phone depends on how far the customer got.",
			"The panel's test sends product id `0` and invented customers. It is authentic and handled like a real " +
				"cart: test with a Store that is suspended (`spec.suspend`) or has a `Simulated` WhatsAppInstance.",
			"Hotmart switches off a URL that fails too often.",
		},
		ProductID: "the number in the product's address, `data.product.id`",
		Zone:      "the Store's zone (nearly all of its times have one)",
		Amounts:   "units",
		Currency:  "always sent",
	},
}

// hotmartSamples has the least delivery of every event.
func hotmartSamples() []sample {
	body := func(event, note string, purchase given) sample {
		return jsonSample(quoted(event)+note, given{"event": event, "data": given{"purchase": purchase}})
	}
	var all []sample
	for _, event := range sortedKeys(hotmartEvents) {
		all = append(all, body(event, "", nil))
	}
	all = append(all,
		body("PURCHASE_BILLET_PRINTED", ", `payment.type` PIX", given{"payment": given{"type": "PIX"}}),
		body("PURCHASE_WAITING_PAYMENT", ", `payment.type` PIX", given{"payment": given{"type": "PIX"}}),
		body("PURCHASE_APPROVED", ", `recurrence_number` over 1", given{"recurrence_number": 2}),
		jsonSample("`SUBSCRIPTION_…`", given{"event": "SUBSCRIPTION_CANCELLATION"}),
		jsonSample("`CLUB_…`", given{"event": "CLUB_FIRST_ACCESS"}))
	for _, status := range sortedKeys(hotmartStatuses) {
		all = append(all, formSample("version 1, `status` "+status, "status", status))
	}
	for _, status := range []string{"billet_printed", "printed_billet", "waiting_payment"} {
		all = append(all, formSample("version 1, `status` "+status+", PIX", "status", status, "payment_type", "pix"))
	}
	return append(all,
		jsonSample(anythingElse, given{"event": somethingUnknown}))
}
