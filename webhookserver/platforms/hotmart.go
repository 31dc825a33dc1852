package platforms

import (
	"strings"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/phone"
)

// hotmart understands Hotmart's webhook 2.0.0, which is JSON with a static token in the
// X-HOTMART-HOTTOK header, and of its predecessor 1.0, a form with the token in the
// field hottok, the sales. Facts: Hotmart's documentation, and captured deliveries for
// both headers and forms.
type hotmart struct{}

// hotmartEvents is what the events of 2.0.0 mean. PURCHASE_BILLET_PRINTED is decided by
// the payment type.
var hotmartEvents = map[string]outcome{
	"PURCHASE_OUT_OF_SHOPPING_CART":   cartLeft,
	"PURCHASE_BILLET_PRINTED":         boletoPending,
	"PURCHASE_CANCELED":               paymentRefused,
	"PURCHASE_APPROVED":               sold,
	"ORDER_APPROVED":                  sold,
	"PURCHASE_COMPLETE":               onlyStop,
	"PURCHASE_REFUNDED":               refunded,
	"PURCHASE_CHARGEBACK":             chargedBack,
	"PURCHASE_PROTEST":                chargedBack,
	"PURCHASE_EXPIRED":                notUsed,
	"PURCHASE_DELAYED":                notUsed,
	"SWITCH_PLAN":                     notUsed,
	"UPDATE_SUBSCRIPTION_CHARGE_DATE": notUsed,
}

// hotmartStatuses is what the statuses of 1.0 mean.
var hotmartStatuses = map[string]outcome{
	"approved":       sold,
	"completed":      onlyStop,
	"billet_printed": boletoPending,
	"canceled":       paymentRefused,
	"refunded":       refunded,
	"chargeback":     chargedBack,
	"dispute":        chargedBack,
	"blocked":        notUsed,
	"delayed":        notUsed,
	"expired":        notUsed,
}

// Name is "hotmart".
func (hotmart) Name() v1alpha1.PlatformName { return v1alpha1.PlatformHotmart }

// Verify compares the token of the header; without one, that of the body.
func (hotmart) Verify(delivery Delivery, secrets [][]byte) error {
	if token := header(delivery, "X-HOTMART-HOTTOK"); token != "" {
		return checkSecret(token, secrets)
	}
	root, _, err := readBody(delivery)
	if err != nil {
		return ErrNoCredential
	}
	return checkSecret(root.raw("hottok"), secrets)
}

// Parse reads one event.
func (hotmart) Parse(delivery Delivery, region string) ([]Event, error) {
	root, form, err := readBody(delivery)
	if err != nil {
		return nil, err
	}
	if form {
		return hotmartForm(root, delivery.Body, region)
	}
	name, err := root.word("event", "event")
	if err != nil {
		return nil, err
	}
	if name == "" {
		return nil, &InputError{Field: "event", Expected: "the name of the event"}
	}
	id, at := eventID(delivery.Body, root.id("id")), millisOf(root["creation_date"])
	if at.IsZero() { // CLUB_FIRST_ACCESS
		at = millisOf(root["creationDate"])
	}
	meaning := hotmartOutcome(name)
	if meaning.kind == Ignored {
		event := meaning.event(id, eventName(name))
		event.OccurredAt = at
		return []Event{event}, nil
	}
	data, err := root.object("data", "data")
	if err != nil {
		return nil, err
	}
	if data == nil {
		return nil, &InputError{Field: "data", Expected: "an object"}
	}
	buyer, err := data.object("buyer", "data.buyer")
	if err != nil {
		return nil, err
	}
	purchase, product := data.child("purchase"), data.child("product")
	event := hotmartPayment(meaning, purchase).event(id, eventName(name))
	event.OccurredAt = at
	event.Customer = hotmartBuyer(buyer, hotmartCountry(data, purchase), region)
	event.Product = Product{ID: product.id("id"), Name: product.text(maxName, "name")}
	event.TransactionID = purchase.id("transaction")
	event.Amount = amountOf(purchase.child("price")["value"])
	event.Currency = currencyOf(purchase.child("price")["currency_value"])
	return []Event{event}, nil
}

func hotmartOutcome(name string) outcome {
	name = strings.ToUpper(name)
	if meaning, found := hotmartEvents[name]; found {
		return meaning
	}
	if strings.HasPrefix(name, "SUBSCRIPTION_") || strings.HasPrefix(name, "CLUB_") {
		return notUsed
	}
	return unknown
}

// hotmartPayment looks into the purchase: a printed "billet" may be a PIX, and an
// approval the renewal of a subscription.
func hotmartPayment(meaning outcome, purchase fields) outcome {
	if meaning == boletoPending && isPix(purchase.child("payment").text(maxID, "type")) {
		return pixPending
	}
	if number, ok := purchase.integer("recurrence_number"); ok && number > 1 {
		meaning.attribute = false
	}
	return meaning
}

func isPix(paymentType string) bool {
	return strings.Contains(strings.ToUpper(paymentType), "PIX")
}

func hotmartCountry(data, purchase fields) string {
	if country := data.child("checkout_country").text(maxID, "iso"); country != "" {
		return country
	}
	return purchase.child("checkout_country").text(maxID, "iso")
}

// hotmartBuyer reads the buyer. checkout_phone is complete by itself; the field
// checkout_phone_code beside it is not to be relied on.
func hotmartBuyer(buyer fields, country, region string) Customer {
	name := buyer.text(maxName, "name")
	if name == "" {
		name = clean(buyer.text(maxName, "first_name")+" "+buyer.text(maxName, "last_name"), maxName)
	}
	return Customer{
		Name:  name,
		Phone: phoneOf(country, region, buyer["checkout_phone"], buyer["phone"]),
		Email: emailOf(buyer["email"]),
	}
}

// hotmartForm reads a delivery of 1.0.
func hotmartForm(form fields, body []byte, region string) ([]Event, error) {
	status := strings.ToLower(form.text(maxEvent, "status"))
	if status == "" {
		return nil, &InputError{Field: "status", Expected: "the status of the purchase"}
	}
	meaning, found := hotmartStatuses[status]
	if !found {
		meaning = unknown
	}
	if meaning == boletoPending && isPix(form.text(maxID, "payment_type")) {
		meaning = pixPending
	}
	transaction := form.id("transaction")
	event := meaning.event(eventID(body, transaction, status), eventName("v1", status))
	if meaning.kind == Ignored {
		return []Event{event}, nil
	}
	event.Customer = Customer{
		Name: form.text(maxName, "name"),
		Phone: phoneOf("", region,
			withAreaCode(form, "phone_checkout_local_code", "phone_checkout_number"),
			withAreaCode(form, "phone_local_code", "phone_number")),
		Email: emailOf(form["email"]),
	}
	event.Product = Product{ID: form.id("prod"), Name: form.text(maxName, "prod_name")}
	event.TransactionID = transaction
	event.Amount, event.Currency = amountOf(form["price"]), currencyOf(form["currency"])
	if meaning == sold {
		event.OccurredAt = timeOf(form["confirmation_purchase_date"])
	}
	return []Event{event}, nil
}

// withAreaCode joins an area code and a number, where the first is an area code.
func withAreaCode(form fields, codeField, numberField string) string {
	code, number := phone.Digits(form.text(maxID, codeField)), form.text(maxID, numberField)
	if code = strings.TrimPrefix(code, "0"); len(code) == 2 && number != "" {
		return code + number
	}
	return number
}
