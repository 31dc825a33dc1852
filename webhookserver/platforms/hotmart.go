package platforms

import (
	"strings"

	"cartrecovery.dev/operator/api/v1alpha1"
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
	return checkSecret(root.raw("hottok"), secrets)
}

// Parse reads one event.
func (hotmart) Parse(delivery Delivery, place Place) ([]Event, error) {
	root, form, err := readBody(delivery)
	if err != nil {
		return nil, err
	}
	name, err := root.word("event", "event")
	if err != nil {
		return nil, err
	}
	if name == "" && (root["status"] != nil || form && toldWithin(root, hotmartStatus) == "") {
		return hotmartFlat(root, delivery.Body, place)
	}
	data := holding(root, root.inner("data"), "buyer", "purchase", "product")
	meaning := orPaid(hotmartOutcome(name), root, hotmartStatus)
	if name == "" {
		status := data.inner("purchase").name("status")
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
	event := hotmartPayment(meaning, data.inner("purchase")).event(eventID(delivery.Body, root.id("id")),
		eventName(name))
	event.OccurredAt = firstTimeOf(place.Zone, root["creation_date"], root["creationDate"])
	if event.Kind != Ignored {
		hotmartSale(&event, data, place)
	}
	return completed([]Event{event}, root, place, "data.buyer.email"), nil
}

// hotmartSale reads who, what and how much.
func hotmartSale(event *Event, data fields, place Place) {
	purchase, product := data.inner("purchase"), data.inner("product", "products")
	price := purchase.child("price", "full_price")
	event.Customer = hotmartBuyer(data, purchase, place.Region)
	event.Product = Product{ID: product.id("id", "ucode"), Name: product.text(maxName, "name")}
	event.TransactionID = purchase.id("transaction")
	event.Amount = amountOf(price["value"])
	if price == nil {
		event.Amount = amountOf(purchase["price"])
	}
	event.Currency = currencyOf(price.text(maxID, "currency_value", "currency_code", "currencyCode"))
	payment := purchase.child("payment")
	event.Payment = paymentOf(event, place, payment.text(maxID, "type", "method"), payment)
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
	if meaning == boletoPending && isPix(purchase.child("payment").text(maxID, "type", "method")) {
		return pixPending
	}
	for _, name := range []string{"recurrence_number", "recurrenceNumber", "recurrencyNumber"} {
		if number, ok := purchase.integer(name); ok && number > 1 {
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
	buyer := data.inner("buyer", "customer", "user")
	country := data.child("checkout_country", "checkoutCountry").text(maxID, "iso")
	if country == "" {
		country = purchase.child("checkout_country", "checkoutCountry").text(maxID, "iso")
	}
	if country == "" {
		country = buyer.child("address").text(maxID, "country_iso")
	}
	return Customer{
		Name: hotmartName(buyer),
		Phone: phoneOf(country, region, buyer["checkout_phone"], buyer["phone"],
			buyer["checkoutPhone"], buyer["phone_number"], buyer["cellphone"]),
		Email: emailOf(buyer["email"]),
	}
}

func hotmartName(person fields) string {
	if name := person.text(maxName, "name", "buyer_name"); name != "" {
		return name
	}
	return clean(person.text(maxName, "first_name")+" "+person.text(maxName, "last_name"), maxName)
}

// hotmartFlat reads a delivery of 1.0.
func hotmartFlat(form fields, body []byte, place Place) ([]Event, error) {
	status := strings.ToLower(form.text(maxEvent, "status"))
	if status == "" {
		return nil, &InputError{Field: "status", Expected: "the status of the purchase"}
	}
	meaning := hotmartStatus(status)
	if meaning == boletoPending && isPix(form.text(maxID, "payment_type")) {
		meaning = pixPending
	}
	if number, ok := form.integer("recurrency"); ok && number > 1 {
		meaning.attribute = false
	}
	transaction := form.id("transaction")
	event := meaning.event(eventID(body, transaction, status), eventName("v1", status))
	if meaning.kind == Ignored {
		return []Event{event}, nil
	}
	event.Customer = Customer{
		Name: hotmartName(form),
		Phone: phoneOf("", place.Region,
			withAreaCode(form, "phone_checkout_local_code", "phone_checkout_number"),
			withAreaCode(form, "phone_local_code", "phone_number")),
		Email: emailOf(form["email"], form["buyer_email"]),
	}
	event.Product = Product{ID: form.id("prod", "product_id"), Name: form.text(maxName, "prod_name", "product_name")}
	event.TransactionID = transaction
	event.Amount, event.Currency = amountOf(form["price"]), currencyOf(form["currency"])
	if price := form.child("price"); price != nil {
		event.Amount, event.Currency = amountOf(price["value"]), currencyOf(price["currency_value"])
	}
	event.Payment = paymentOf(&event, place, form.text(maxID, "payment_type"), form)
	if meaning == sold {
		event.OccurredAt = timeOf(form["confirmation_purchase_date"], place.Zone)
	}
	if event.OccurredAt.IsZero() && meaning.kind == Abandoned {
		event.OccurredAt = timeOf(form["purchase_date"], place.Zone)
	}
	return completed([]Event{event}, form, place, "email"), nil
}

// withAreaCode are an area code and a number, where the first is an area code.
func withAreaCode(form fields, codeField, numberField string) any {
	number := form.text(maxID, numberField)
	if code := strings.TrimPrefix(phone.Digits(form.text(maxID, codeField)), "0"); len(code) == 2 {
		return map[string]any{"ddd": code, "number": number}
	}
	return number
}
