package platforms

import (
	"crypto/sha256"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/lax"
)

// eduzz understands both webhooks of Eduzz: the Developer Hub's, JSON signed by
// x-signature (hex HMAC-SHA256 of the raw body), and the legacy one, JSON or a form with
// a secret in the body. Facts: Eduzz's documentation of both, a captured cart of the
// Developer Hub, and integrators' code for paidAt.
type eduzz struct{}

// maxProducts bounds the events that one delivery can make.
const maxProducts = 50

// eduzzStatuses is what the legacy trans_status means. Open ones are decided by the
// payment method.
var eduzzStatuses = map[int]outcome{
	1:  boletoPending, // open: a boleto or PIX was made
	3:  sold,
	4:  notUsed, // cancelled by Eduzz
	6:  refunded,
	7:  refunded,
	9:  notUsed, // duplicate of another invoice, not charged
	10: paymentExpired,
	11: notUsed, // being recovered by Eduzz
	15: boletoPending,
}

// eduzzWords is what stands for a legacy trans_status where a word is sent instead.
var eduzzWords = map[string]int{
	"open": 1, "opened": 1, "paid": 3, "canceled": 4, "cancelled": 4, "waiting_refund": 6, "refunded": 7,
	"duplicated": 9, "expired": 10, "recovering": 11, "waiting_payment": 15,
}

// eduzzHubEvents is what the Developer Hub's events mean, without their prefix.
var eduzzHubEvents = map[string]outcome{
	"cart_abandonment":        cartLeft,
	"invoice_opened":          boletoPending,
	"invoice_waiting_payment": boletoPending,
	"invoice_paid":            sold,
	"invoice_refused":         paymentRefused,
	"invoice_waiting_refund":  refunded,
	"invoice_refunded":        refunded,
	"invoice_chargeback":      chargedBack,
	"invoice_canceled":        notUsed,
	"invoice_expired":         paymentExpired,
	"invoice_duplicated":      notUsed,
	"invoice_recovering":      notUsed,
	"invoice_negotiated":      notUsed,
	"invoice_scheduled":       notUsed,
	"invoice_overdue":         notUsed,
	"invoice_trial":           notUsed,
	"invoice_partial_refund":  notUsed,
	"ping":                    {kind: Ignored, reason: reasonPing},
}

// Name is "eduzz".
func (eduzz) Name() v1alpha1.PlatformName { return v1alpha1.PlatformEduzz }

// Verify checks the Developer Hub's signature; without one, the secret in a legacy body:
// origin_secret, or origin where that is the only one. Its api_key proves nothing.
func (eduzz) Verify(delivery Delivery, secrets [][]byte) error {
	if signature := header(delivery, "X-Signature"); signature != "" {
		return checkHMAC(sha256.New, signature, delivery.Body, secrets)
	}
	root, err := credentials(delivery, "origin_secret", "origin")
	if err != nil {
		return err
	}
	secret := root.At("origin_secret").Text()
	if secret == "" {
		secret = root.At("origin").Text()
	}
	return checkSecret(secret, secrets)
}

// IsPing tells the tests of a URL: the Developer Hub's, which may come unsigned, and that of
// the old format, which is an example of the documentation without a secret.
func (eduzz) IsPing(delivery Delivery) bool {
	root, _, err := readBody(delivery)
	if err != nil {
		return false
	}
	return root.Name("event") == "ping" || eduzzExample(delivery, root)
}

// eduzzExamples are the customers of the documentation's examples.
var eduzzExamples = []string{"webhook@eduzz.com", "emaildocliente@provedor.com", "emaildoaluno@provedor.com",
	"teste@eduzz.com"}

// eduzzExample tells the old format's test of a URL. A real delivery whose secret is missing
// is none, so that the fault shows.
func eduzzExample(delivery Delivery, root fields) bool {
	secret := root.At("origin_secret").Text() + root.At("origin").Text()
	if secret != "" || header(delivery, "X-Signature") != "" || root.At("event").Is() {
		return false
	}
	customer := root.Inner("customer")
	email := emailOf(root.At("cus_email"), customer.At("email"))
	if slices.Contains(eduzzExamples, email) {
		return true
	}
	phones := append(eduzzPhones(customer), root.At("cus_cel"), root.At("cus_tel"))
	nobody := email == "" && phoneOf("", "BR", phones...) == ""
	return nobody && (root.Len() == 0 || root.At("type").Is() || root.At("trans_status").Is())
}

// Parse reads one invoice or cart: an event for each of its products.
func (eduzz) Parse(delivery Delivery, place Place) ([]Event, error) {
	root, _, err := readBody(delivery)
	if err != nil {
		return nil, err
	}
	name, err := eduzzName(root)
	if err != nil {
		return nil, err
	}
	place = place.within(brazil)
	data := eduzzData(root)
	if status := data.Text(maxEvent, "status"); name == "" && status != "" && root.Child("contract") == nil {
		name = "invoice" + snake(status)
	}
	if name == "" && !root.At("trans_status").Is() && root.Name("type") == "" {
		name = eduzzWithin(root)
	}
	kind := root.Name("type")
	var events []Event
	switch _, numbered := eduzzNumber(name); {
	case name == "" && (kind == "contract" || root.Child("contract") != nil):
		return []Event{notUsed.event(eventID(delivery.Body, ""), "contract")}, nil
	case name != "" && (data != nil || !numbered):
		events = eduzzHub(root, data, name, delivery.Body, place)
	case kind == "abandonment":
		events = eduzzCart(root, delivery.Body, place)
	case kind == "invoice" || numbered || root.At("trans_status").Is():
		events = eduzzInvoice(root, name, delivery.Body, place)
	case kind == "" && eduzzSample(root):
		return []Event{notUsed.event(eventID(delivery.Body, ""), "unnamed")}, nil
	case kind == "":
		return nil, &InputError{Field: "event", Expected: "the name of the event, or a legacy type"}
	default:
		return []Event{commonMeaning(kind).event(eventID(delivery.Body, ""), eventName(kind))}, nil
	}
	return completed(events, root, place, eduzzMissing(events)), nil
}

// eduzzWithin reads the name of an event that stands elsewhere. A cart that the documentation
// shows without its envelope is told by what only a cart has.
func eduzzWithin(root fields) string {
	if root.Child("contract") != nil {
		return ""
	}
	if root.At("saleRecoveryUrl").Is() {
		return "sun.cart_abandonment"
	}
	return toldWithin(root, eduzzOutcome)
}

// eduzzSample tells what the documentation shows without its envelope: an object with an id,
// or of other objects, and nothing that names an event.
func eduzzSample(root fields) bool {
	for name, value := range root.Each() {
		if value.Kind() == lax.Object || value.Kind() == lax.List || name == "id" && value.Is() {
			return true
		}
	}
	return false
}

// eduzzMissing is where the customer usually is.
func eduzzMissing(events []Event) string {
	if len(events) > 0 && strings.HasPrefix(events[0].Name, "invoice/") {
		return "cus_email"
	}
	return "data.buyer.email"
}

// eduzzName reads the name of the event: a text, or the number of a status. Where there is
// none, the status of a body that is no invoice of the Developer Hub may be one.
func eduzzName(root fields) (string, error) {
	if number := root.At("event"); number.Kind() == lax.Number {
		if _, known := eduzzNumber(number.Word()); known {
			return number.Clean(maxEvent), nil
		}
	}
	name, err := word(root, "event")
	if err != nil || name != "" || root.At("trans_status").Is() {
		return name, err
	}
	for _, field := range []string{"event_name", "status", "invoice_status"} {
		status := root.Text(maxEvent, field)
		if _, known := eduzzNumber(status); known || status != "" && commonMeaning(status) != unknown {
			return status, nil
		}
	}
	return "", nil
}

// eduzzNumber reads the number of a status, or the word that stands for one.
func eduzzNumber(text string) (number int, known bool) {
	if number, ok := lax.Of(text).Integer(); ok {
		_, known := eduzzStatuses[number]
		return number, known
	}
	number, known = eduzzWords[strings.ToLower(text)]
	return number, known
}

// eduzzData is what a delivery of the Developer Hub is about. The documentation shows it
// without its envelope too.
func eduzzData(root fields) fields {
	data := root.Inner("data")
	if root.Name("type") != "" || root.At("trans_status").Is() {
		return data
	}
	if found := holding(root, data, "buyer", "student", "items", "productId"); found != nil {
		return found
	}
	return data
}

// snake writes a status as events do: waitingPayment as _waiting_payment.
func snake(status string) string {
	var name strings.Builder
	for i, r := range status {
		if i == 0 || unicode.IsUpper(r) {
			name.WriteByte('_')
		}
		name.WriteRune(unicode.ToLower(r))
	}
	return name.String()
}

// eduzzOutcome is what an event of the Developer Hub means.
func eduzzOutcome(name string) outcome {
	name = strings.ToLower(name)
	if meaning, found := eduzzHubEvents[strings.TrimPrefix(strings.TrimPrefix(name, "myeduzz."), "sun.")]; found {
		return meaning
	}
	if strings.Contains(name, "contract_") {
		return notUsed
	}
	if number, known := eduzzNumber(name); known {
		return eduzzStatuses[number]
	}
	return commonMeaning(name)
}

// eduzzHub reads a delivery of the Developer Hub. data.href is not read: it holds what
// the customer typed in.
func eduzzHub(root, data fields, name string, body []byte, place Place) []Event {
	meaning := orPaid(eduzzOutcome(name), root, eduzzOutcome)
	if data == nil && meaning.kind != Ignored && !meaning.matters() {
		meaning = noData
	}
	left := meaning == cartLeft
	event := eduzzOpen(meaning, data.At("paymentMethod")).event(eventID(body, root.ID("id")), eventName(name))
	event.OccurredAt = timeOf(root.At("sentDate"), place.Zone)
	if event.Kind == Ignored {
		return []Event{event}
	}
	buyer, student := data.Inner("buyer", "customer"), data.Inner("student")
	if left {
		buyer = data.Inner("customer", "buyer")
	}
	event.Customer = Customer{
		Name:  buyer.Text(maxName, "name"),
		Phone: phoneOf("", place.Region, append(eduzzPhones(buyer), eduzzPhones(student)...)...),
		Email: emailOf(buyer.At("email"), student.At("email")),
	}
	if left {
		event.CheckoutURL = linkOf(data.At("saleRecoveryUrl"))
		event.TransactionID = data.ID("transactionId")
		event.OccurredAt = firstTime(timeOf(data.At("updatedAt"), place.Zone), event.OccurredAt)
		return perProduct(event, eduzzCartProducts(data))
	}
	event.TransactionID = data.ID("id")
	if event.TransactionID == "" {
		event.TransactionID = data.Inner("transaction").ID("id")
	}
	event.Amount, event.Currency = eduzzTotal(data)
	if meaning == sold {
		event.OccurredAt = firstTime(timeOf(data.At("paidAt"), place.Zone), event.OccurredAt)
	}
	event.Payment = paymentOf(&event, place, eduzzMethod(data.At("paymentMethod")), data)
	return perProduct(event, eduzzItems(data))
}

// eduzzTotal reads what was paid; what is to be paid while nothing was.
func eduzzTotal(data fields) (amount, currency string) {
	for _, name := range []string{"paid", "price"} {
		total := data.Child(name)
		if value := amountOf(total.At("value")); value != "" {
			amount, currency = value, currencyOf(total.At("currency"))
			if value != "0.00" {
				break
			}
		}
	}
	return amount, currency
}

func eduzzPhones(person fields) []lax.Value {
	return []lax.Value{person.At("cellphone"), person.At("phone"), person.At("phone2")}
}

// eduzzOpen decides what an open invoice waits for: Eduzz opens one when a boleto is
// made, but also while a card is being charged.
func eduzzOpen(meaning outcome, method lax.Value) outcome {
	if meaning != boletoPending {
		return meaning
	}
	switch eduzzMethod(method) {
	case "pix":
		return pixPending
	case "card":
		return outcome{kind: Ignored, reason: reasonCard}
	}
	return meaning
}

// eduzzMethod is a method of payment by its name or its number: pix, card, or as it is told.
func eduzzMethod(method lax.Value) string {
	text := strings.ToLower(method.Clean(maxID))
	switch text {
	case "32", "pix":
		return "pix"
	case "9", "13", "14", "15", "16", "17", "18", "19", "21", "22", "23", "24", "25", "27",
		"creditcard", "credit_card", "debitcard", "debit_card", "paypal":
		return "card"
	}
	if strings.Trim(text, "0123456789") == "" {
		return ""
	}
	return text
}

// eduzzCart reads a legacy abandoned cart.
func eduzzCart(root fields, body []byte, place Place) []Event {
	customer, product := root.Inner("customer"), root.Inner("product")
	event := cartLeft.event(eventID(body, root.ID("identifier")), "abandonment")
	event.Customer = Customer{
		Name:  customer.Text(maxName, "name"),
		Phone: phoneOf("", place.Region, eduzzPhones(customer)...),
		Email: emailOf(customer.At("email")),
	}
	event.Product = Product{ID: product.ID("id"), Name: product.Text(maxName, "title", "name")}
	event.CheckoutURL = linkOf(root.At("checkoutUrl"))
	event.TransactionID = root.ID("invoiceId")
	event.OccurredAt = timeOf(root.At("cartAccessedAt"), place.Zone)
	return []Event{event}
}

// eduzzStatus reads a legacy trans_status. Where it says nothing, the event's name may.
func eduzzStatus(root fields, name string) (text string, meaning outcome) {
	status, ok := root.Integer("trans_status")
	if !ok {
		status = eduzzWords[root.Name("trans_status")]
	}
	if status == 0 {
		status = eduzzWords[strings.TrimPrefix(root.Name("event_name"), "invoice_")]
	}
	if status == 0 {
		status, _ = eduzzNumber(name)
	}
	meaning, found := eduzzStatuses[status]
	if !found {
		meaning = commonMeaning(root.Name("trans_status"))
	}
	return strconv.Itoa(status), meaning
}

// eduzzTime is when an invoice of the old format was made or paid.
func eduzzTime(root fields, kind Kind, zone *time.Location) time.Time {
	switch kind {
	case Purchased:
		return timeOfBoth(root.At("trans_paiddate"), root.At("trans_paidtime"), zone)
	case Abandoned:
		return timeOfBoth(root.At("trans_createdate"), root.At("trans_createtime"), zone)
	}
	return time.Time{}
}

// eduzzInvoice reads a legacy change of an invoice's status.
func eduzzInvoice(root fields, name string, body []byte, place Place) []Event {
	text, meaning := eduzzStatus(root, name)
	meaning = eduzzOpen(meaning, root.At("trans_paymentmethod"))
	if meaning == sold && eduzzRenewal(root) {
		meaning = onlyStop
	}
	invoice := root.ID("trans_cod")
	event := meaning.event(eventID(body, invoice, text), eventName("invoice", text))
	if meaning.kind == Ignored {
		return []Event{event}
	}
	event.Customer = Customer{
		Name: root.Text(maxName, "cus_name"),
		Phone: phoneOf("", place.Region, root.At("cus_cel"), root.At("cus_tel"), root.At("cus_tel2"),
			root.At("student_cel"), root.At("student_tel"), root.At("student_tel2")),
		Email: emailOf(root.At("cus_email"), root.At("student_email")),
	}
	event.CheckoutURL = linkOf(root.At("trans_recovery_url"))
	if event.CheckoutURL == "" {
		event.CheckoutURL = linkOf(root.At("page_checkout_url"))
	}
	event.TransactionID = invoice
	event.Amount = amountOf(root.At("trans_value"))
	if paid := amountOf(root.At("trans_paid")); meaning.kind == Purchased && paid != "" {
		event.Amount = paid
	}
	event.Currency = currencyOf(root.At("trans_currency"))
	event.OccurredAt = eduzzTime(root, event.Kind, place.Zone)
	event.Payment = paymentOf(&event, place, eduzzMethod(root.At("trans_paymentmethod")), root)
	due := timeOfBoth(root.At("trans_duedate"), root.At("trans_duetime"), place.Zone)
	if event.Payment != nil && !due.IsZero() {
		at := v1alpha1.NewTimestamp(due)
		event.Payment.ExpiresAt = &at
	}
	return perProduct(event, eduzzLegacyItems(root))
}

// eduzzRenewal tells whether a paid invoice is not the first one of its contract.
func eduzzRenewal(root fields) bool {
	if first, ok := root.Integer("recurrence_first_payment"); ok && first == 1 {
		return false
	}
	count, ok := root.Integer("recurrence_count")
	return ok && count > 1
}

// eduzzCartProducts reads productId, an array of ids, or one; without it the products that
// MyEduzz lists as those of an invoice.
func eduzzCartProducts(data fields) []item {
	values := data.At("productId").Elements(maxListed)
	if values == nil {
		values = []lax.Value{data.At("productId")}
	}
	if !data.At("productId").Is() {
		if items := eduzzItems(data); items != nil {
			return items
		}
		product := data.Inner("products", "product", "item")
		one := Product{ID: product.ID("productId", "id"), Name: product.Text(maxName, "name", "title")}
		return addItem(nil, item{product: one})
	}
	var items []item
	for _, value := range values {
		items = addItem(items, item{product: Product{ID: value.Clean(maxID)}})
	}
	return items
}

func eduzzItems(data fields) []item {
	var items []item
	for _, value := range data.At("items").Elements(maxListed) {
		one := value.Object()
		price := one.Child("price")
		items = addItem(items, item{
			product: Product{ID: one.ID("productId"), Name: one.Text(maxName, "name")},
			amount:  amountOf(price.At("value")), currency: currencyOf(price.At("currency")),
		})
	}
	return items
}

// eduzzLegacyItems reads the invoice's product, which a sale of several lists again.
func eduzzLegacyItems(root fields) []item {
	items := addItem(nil, item{
		product: Product{ID: root.ID("product_cod"), Name: root.Text(maxName, "product_name")},
	})
	currency := currencyOf(root.At("trans_currency"))
	for _, value := range root.At("trans_items").Elements(maxListed) {
		one := value.Object()
		added := item{
			product:  Product{ID: one.ID("item_product_id"), Name: one.Text(maxName, "item_product_name", "item_name")},
			amount:   amountOf(one.At("item_value")),
			currency: currency,
		}
		if len(items) > 0 && items[0].product.key() == added.product.key() {
			items[0].amount, items[0].currency = added.amount, currency
			continue
		}
		items = addItem(items, added)
	}
	return items
}

// eduzzRow is Eduzz in the registry.
var eduzzRow = definition{
	name: v1alpha1.PlatformEduzz, title: "Eduzz", samples: eduzzSamples, starts: everyTrigger,
	make: always(eduzz{}),
	about: About{
		Proof: "the header `x-signature`: the HMAC-SHA256 of the body; in the old format the secret itself, in the " +
			"body",
		Keys: []string{"eduzz-hub", "eduzz-origin"},
		Setup: []string{
			"Eduzz has two formats. Both are understood at the same URL, and a Store may use both while it moves " +
				"from one to the other.",
			"| | Developer Hub | old format |\n|---|---|---|\n| where | " +
				"[integrations.eduzz.com/webhook/configs](https://integrations.eduzz.com/webhook/configs) | the " +
				"delivery settings of the account |\n| secret | the access key that the configuration names | the " +
				"origin secret (`origin_secret`, or `origin`) |\n| how it is proved | header `x-signature`, " +
				"HMAC-SHA256 of the body | the secret itself, in the body |\n| body | JSON | JSON or a form, with " +
				"names such as `customer[phone]` |",
			"The account can have several access keys, and each configuration its own: list all in `secretRefs`. The " +
				"old format's `api_key` proves nothing and is ignored. Eduzz has announced the end of the old " +
				"format; use the Developer Hub for everything new.",
		},
		Notes: []string{
			"Each event of the Developer Hub is understood with the prefix `myeduzz.`, with `sun.` and without one.",
			"The old format's test of a URL is an example of Eduzz's documentation without `origin_secret`: it is " +
				"answered with 200 and has no effect. Any other delivery without a secret is refused.",
			"*Verify URL* sends a `ping`, which may come unsigned, or signed with a key that the Store does not have " +
				"yet: it is answered with 200 and has no effect. A URL that does not answer the ping cannot be saved.",
			"A paid invoice of several products is one event for each; an open invoice, or a cart, starts a recovery " +
				"of the first product only.",
			"The cart's `href` repeats what the customer typed in; it is not read. The link is `saleRecoveryUrl`.",
		},
		ProductID: "`productId` (Developer Hub), `product_cod` (old format)",
		Zone:      "America/Sao_Paulo",
		Amounts:   "units",
		Currency:  "the Store's",
	},
}

// eduzzSamples has the least delivery of every event.
func eduzzSamples() []sample {
	var all []sample
	body := func(event, note string, data given) sample {
		return jsonSample(quoted(event)+note, given{"event": event, "data": data})
	}
	for _, event := range sortedKeys(eduzzHubEvents) {
		switch event {
		case "cart_abandonment":
			all = append(all, body("sun."+event, "", given{}), body("myeduzz."+event, "", given{}))
		case "ping":
			all = append(all, body(event, "", given{}))
		default:
			all = append(all, body("myeduzz."+event, "", given{}))
		}
	}
	all = append(all, body("myeduzz.invoice_waiting_payment", ", PIX", given{"paymentMethod": "pix"}),
		body("myeduzz.invoice_waiting_payment", ", card", given{"paymentMethod": "creditCard"}),
		jsonSample("`myeduzz.contract_…`", given{"event": "myeduzz.contract_created"}),
		jsonSample("old format, `type` abandonment", given{"type": "abandonment"}))
	for _, status := range sortedKeys(eduzzStatuses) {
		all = append(all, jsonSample("old format, `trans_status` "+strconv.Itoa(status),
			given{"trans_status": status}))
	}
	for _, word := range sortedKeys(eduzzWords) {
		all = append(all, jsonSample("old format, `trans_status` "+word, given{"trans_status": word}))
	}
	return append(all, jsonSample("`event` or `status` 3, as a number or a text", given{"event": 3}),
		body("myeduzz.invoice_opened", ", PIX", given{"paymentMethod": "pix"}),
		body("myeduzz.invoice_opened", ", card", given{"paymentMethod": "creditCard"}),
		jsonSample("a body of `contract` alone", given{"contract": given{"id": "1"}}),
		jsonSample("old format, `type` contract", given{"type": "contract"}),
		jsonSample("old format, `trans_status` 15, PIX", given{"trans_status": 15, "trans_paymentmethod": 32}),
		jsonSample("old format, `trans_status` 15, card", given{"trans_status": 15, "trans_paymentmethod": 13}),
		jsonSample("old format, `trans_status` 1, PIX", given{"trans_status": 1, "trans_paymentmethod": 32}),
		jsonSample("old format, `trans_status` 1, card", given{"trans_status": 1, "trans_paymentmethod": 13}),
		jsonSample("old format, `trans_status` 3, `recurrence_count` over 1",
			given{"trans_status": 3, "recurrence_count": 2}),
		jsonSample(anythingElse, given{"event": somethingUnknown}))
}
