package platforms

import (
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"cartrecovery.dev/operator/api/v1alpha1"
)

// Row is a line of the table of a platform's events, in docs/platforms.md.
type Row struct {
	// Event as the platform writes it, in Markdown.
	Event string
	// Meaning says what it does, in the words of a user.
	Meaning string
}

// The words of Row.Meaning, in the order of the table.
const (
	startsRecovery   = "starts a recovery ("
	stopsAndCounts   = "stops; counts as recovered"
	stopsUncounted   = "stops; not counted"
	reversesRefund   = "stops; reverses (refund)"
	reversesDispute  = "stops; reverses (chargeback)"
	paymentIsOver    = "ends an open payment"
	isUnusable       = "cannot be used"
	isIgnored        = "ignored"
	cannotBeRead     = "cannot be read"
	anythingElse     = "anything else"
	somethingUnknown = "something_unknown"
)

// sample is the least delivery of an event that tells its meaning.
type sample struct {
	event    string
	delivery Delivery
}

// samples has the deliveries of every event of a platform, made of the platform's own maps.
var samples = map[v1alpha1.PlatformName]func() []sample{
	v1alpha1.PlatformHotmart:    hotmartSamples,
	v1alpha1.PlatformKiwify:     kiwifySamples,
	v1alpha1.PlatformEduzz:      eduzzSamples,
	v1alpha1.PlatformKirvano:    kirvanoSamples,
	v1alpha1.PlatformCakto:      caktoSamples,
	v1alpha1.PlatformTicto:      tictoSamples,
	v1alpha1.PlatformPerfectPay: perfectpaySamples,
	v1alpha1.PlatformMonetizze:  monetizzeSamples,
	v1alpha1.PlatformGeneric:    genericSamples,
}

// Table returns every event of a platform and what it does, starts first: what the parser
// itself says of the least delivery of each. It is for the documentation; nil for a
// platform that is not understood.
func Table(name v1alpha1.PlatformName) []Row {
	platform, err := Configured(&v1alpha1.StorePlatform{Name: name, Generic: sampleMapping()})
	if err != nil || samples[name] == nil {
		return nil
	}
	var rows []Row
	for _, each := range samples[name]() {
		rows = append(rows, Row{Event: each.event, Meaning: wordsFor(platform, each.delivery)})
	}
	slices.SortStableFunc(rows, func(a, b Row) int { return rank(a) - rank(b) })
	return rows
}

// rank is a row's place: by what it does, and what is said of everything else last.
func rank(row Row) int {
	order := []string{
		startsRecovery + string(v1alpha1.TriggerAbandonedCart) + ")",
		startsRecovery + string(v1alpha1.TriggerPixPending) + ")",
		startsRecovery + string(v1alpha1.TriggerBoletoPending) + ")",
		startsRecovery + string(v1alpha1.TriggerPaymentRefused) + ")", stopsAndCounts, stopsUncounted, reversesRefund,
		reversesDispute, paymentIsOver, isIgnored,
	}
	if at := slices.Index(order, row.Meaning); at >= 0 && row.Event != anythingElse {
		return at
	}
	return len(order)
}

// wordsFor says what a delivery does.
func wordsFor(platform Platform, delivery Delivery) string {
	events, err := platform.Parse(delivery, Place{Region: "BR"})
	if err != nil || len(events) == 0 {
		return cannotBeRead
	}
	return events[0].words()
}

// words says what an event does.
func (e Event) words() string {
	switch {
	case e.Kind == Abandoned:
		return startsRecovery + string(e.Trigger) + ")"
	case e.Kind == Purchased && e.Attribute:
		return stopsAndCounts
	case e.Kind == Purchased:
		return stopsUncounted
	case e.Kind == Reversed && e.Chargeback:
		return reversesDispute
	case e.Kind == Reversed:
		return reversesRefund
	case e.Kind == PaymentExpired:
		return paymentIsOver
	case e.Kind == Unusable:
		return isUnusable
	}
	return isIgnored
}

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

func kirvanoSamples() []sample {
	var all []sample
	for _, event := range sortedKeys(kirvanoEvents) {
		all = append(all, jsonSample(quoted(strings.ToUpper(event)), given{"event": strings.ToUpper(event)}))
	}
	return append(all, jsonSample(anythingElse, given{"event": somethingUnknown}))
}

func caktoSamples() []sample {
	var all []sample
	for _, event := range sortedKeys(caktoEvents) {
		all = append(all, jsonSample(quoted(event), given{"event": event, "data": given{}}))
	}
	return append(all, jsonSample("`purchase_approved`, `current_period` over 1", given{
		"event": "purchase_approved", "data": given{"subscription": given{"current_period": 2}},
	}), jsonSample(anythingElse, given{"event": somethingUnknown}))
}

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

func monetizzeSamples() []sample {
	body := func(number int, note string, more given) sample {
		all := given{"tipoEvento": given{"codigo": number}}
		maps.Copy(all, more)
		return jsonSample("`tipoEvento.codigo` "+strconv.Itoa(number)+note, all)
	}
	paidBy := func(method string) given { return given{"venda": given{"formaPagamento": method}} }
	var all []sample
	for _, number := range sortedKeys(monetizzeCodes) {
		all = append(all, body(number, "", nil))
	}
	for _, status := range sortedKeys(monetizzeStatuses) {
		all = append(all, jsonSample("no code, `venda.status` "+status, given{"venda": given{"status": status}}))
	}
	other := body(0, "", nil)
	other.event = anythingElse
	return append(all, body(1, ", PIX", paidBy("PIX")), body(3, ", PIX or boleto", paidBy("Boleto")),
		body(2, ", `parcela` over 1", given{"assinatura": given{"parcela": 2}}), other)
}

// sampleMapping is a mapping whose values are the names of its lists.
func sampleMapping() *v1alpha1.GenericMapping {
	made := &v1alpha1.GenericMapping{
		Auth: v1alpha1.GenericAuth{Type: authBearer}, Event: "$.event",
		Kill: []string{"kill"}, Stop: []string{"stop"}, Expired: []string{"expired"},
		Fields: v1alpha1.GenericFields{Email: "$.email", ProductID: "$.product"},
	}
	for _, trigger := range sampleTriggers {
		made.Start = append(made.Start, v1alpha1.GenericStart{Value: string(trigger), Trigger: trigger})
	}
	return made
}

var sampleTriggers = []v1alpha1.Trigger{
	v1alpha1.TriggerAbandonedCart, v1alpha1.TriggerPixPending, v1alpha1.TriggerBoletoPending,
	v1alpha1.TriggerPaymentRefused,
}

func genericSamples() []sample {
	var all []sample
	for _, trigger := range sampleTriggers {
		all = append(all, jsonSample("a value of `start`, `trigger` "+string(trigger),
			given{"event": string(trigger)}))
	}
	return append(all, jsonSample("a value of `kill`", given{"event": "kill"}), jsonSample("a value of `stop`",
		given{"event": "stop"}),
		jsonSample("a value of `expired`", given{"event": "expired"}),
		jsonSample(anythingElse, given{"event": somethingUnknown}))
}

// given is a JSON object of a sample.
type given = map[string]any

// sampleCustomer is whom a sample is of: a purchase of nobody can be of no use.
const sampleCustomer = "customer@example.com"

func jsonSample(event string, body given) sample {
	body = maps.Clone(body)
	body["email"] = sampleCustomer
	// Texts, numbers and objects of them: nothing that cannot be written.
	data, _ := json.Marshal(body)
	return sample{event: event, delivery: Delivery{Body: data}}
}

// formSample makes a delivery of names and their values, in turn.
func formSample(event string, pairs ...string) sample {
	form := url.Values{"email": {sampleCustomer}}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return sample{event: event, delivery: Delivery{Body: []byte(form.Encode())}}
}

func quoted(text string) string { return "`" + text + "`" }

func sortedKeys[K int | string, V any](table map[K]V) []K {
	return slices.Sorted(maps.Keys(table))
}
