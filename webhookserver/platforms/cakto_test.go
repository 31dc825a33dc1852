package platforms

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
)

var caktoUsual = cakto{caktoTokens}

func TestCaktoEvents(t *testing.T) {
	const cart, order = "cakto/cart.json", "cakto/order.json"
	event := func(name string) change { return change{"event": name} }
	subscription := func(period, paid any) change {
		return change{"data.subscription": map[string]any{"current_period": period, "paid_payments_quantity": paid}}
	}
	testTable(t, caktoUsual, []row{
		{"checkout_abandonment", cart, nil, "start: AbandonedCart"},
		{"checkout_abandonment, no phone", cart, change{"data.customerCellphone": nil}, "start: AbandonedCart"},
		{"pix_gerado", order, event("pix_gerado"), "start: PixPending"},
		{"boleto_gerado", order, event("boleto_gerado"), "start: BoletoPending"},
		{"purchase_refused", order, event("purchase_refused"), "start: PaymentRefused"},
		{"purchase_approved", order, nil, "purchase, attributed"},
		{"purchase_approved of an order bump", order, change{"data.offer_type": "orderbump"}, "purchase, attributed"},
		{"purchase_approved, first of a subscription", order, subscription(1, 1), "purchase, attributed"},
		{"purchase_approved, eighth of a subscription", order, subscription(8, 8), "purchase"},
		{"purchase_approved, eighth as a string", order, subscription("8", nil), "purchase"},
		{"purchase_approved, second payment", order, subscription(nil, 2), "purchase"},
		{"subscription_renewed", order, event("subscription_renewed"), "purchase"},
		{"subscription_late_recovered", order, event("subscription_late_recovered"), "purchase"},
		{"refund", order, event("refund"), "reverse: refund"},
		{"chargeback", order, event("chargeback"), "reverse: chargeback"},
		{"initiate_checkout", cart, event("initiate_checkout"), "ignore: EventNotUsed"},
		{"picpay_gerado", order, event("picpay_gerado"), "ignore: EventNotUsed"},
		{"openfinance_nubank_gerado", order, event("openfinance_nubank_gerado"), "ignore: EventNotUsed"},
		{"refund_requested", order, event("refund_requested"), "ignore: EventNotUsed"},
		{"subscription_created", order, event("subscription_created"), "ignore: EventNotUsed"},
		{"subscription_canceled", order, event("subscription_canceled"), "ignore: EventNotUsed"},
		{"subscription_late", order, event("subscription_late"), "ignore: EventNotUsed"},
		{"subscription_paused", order, event("subscription_paused"), "ignore: EventNotUsed"},
		{"subscription_resumed", order, event("subscription_resumed"), "ignore: EventNotUsed"},
		{"subscription_renewal_refused", order, event("subscription_renewal_refused"), "ignore: EventNotUsed"},
		{"trial", order, event("trial"), "purchase"},
		{"an event of tomorrow, paid", order, event("order_teleported"), "purchase"},
		{"an event of tomorrow", order, change{"event": "order_teleported", "data.status": "late"},
			"ignore: UnknownEvent"},
		{"an event of tomorrow, data a text", order, change{"event": "order_teleported", "data": "x"},
			"ignore: UnknownEvent"},
	})
}

func caktoOrderEvent() Event {
	return Event{
		ID: "5f4e3d2c-1b0a-4998-8776-655443322110/purchase_approved", Name: "purchase_approved", Kind: Purchased,
		Attribute: true, Customer: Customer{Name: "Ivo Nunes", Phone: "+5541987654321", Email: "ivo.nunes@example.com"},
		Product:     Product{ID: "mc4Tq7Z", Name: "Marcenaria em Casa"},
		CheckoutURL: "https://pay.cakto.com.br/of3Kp9a", Amount: "62.40",
		TransactionID: "5f4e3d2c-1b0a-4998-8776-655443322110",
		OccurredAt:    time.Date(2026, 2, 3, 12, 31, 2, 0, time.UTC),
	}
}

func TestCaktoCart(t *testing.T) {
	body := fixture(t, "cakto/cart.json")
	testEvents(t, caktoUsual, Delivery{Body: body}, Event{
		ID: digest(body), Name: "checkout_abandonment", Kind: Abandoned, Trigger: v1alpha1.TriggerAbandonedCart,
		Customer:    Customer{Name: "Ivo Nunes", Phone: "+5541987654321", Email: "ivo.nunes@example.com"},
		Product:     Product{ID: "mc4Tq7Z", Name: "Marcenaria em Casa"},
		CheckoutURL: "https://pay.cakto.com.br/of3Kp9a", Amount: "59.90",
		OccurredAt: time.Date(2026, 2, 3, 12, 8, 7, 654_321_000, time.UTC),
	})
}

func TestCaktoOrder(t *testing.T) {
	testEvents(t, caktoUsual, Delivery{Body: fixture(t, "cakto/order.json")}, caktoOrderEvent())
}

// TestCaktoTimes: each event has its own time in the order.
func TestCaktoTimes(t *testing.T) {
	for event, want := range map[string]time.Time{
		"pix_gerado":        time.Date(2026, 2, 3, 12, 30, 0, 0, time.UTC),
		"purchase_refused":  time.Date(2026, 2, 3, 12, 30, 0, 0, time.UTC),
		"purchase_approved": time.Date(2026, 2, 3, 12, 31, 2, 0, time.UTC),
		"refund":            time.Date(2026, 2, 5, 12, 0, 0, 0, time.UTC),
		"chargeback":        time.Date(2026, 2, 6, 12, 0, 0, 0, time.UTC),
	} {
		events, err := caktoUsual.Parse(Delivery{Body: changed(t, "cakto/order.json", change{"event": event})},
			Place{Region: "BR"})
		if err != nil || !events[0].OccurredAt.Equal(want) {
			t.Errorf("%s: got %+v, %v", event, events, err)
		}
	}
}

// TestCaktoList: the second version has a list as data.
func TestCaktoList(t *testing.T) {
	var root map[string]any
	if err := json.Unmarshal(fixture(t, "cakto/order.json"), &root); err != nil {
		t.Fatal(err)
	}
	order := root["data"]
	t.Run("of one order", func(t *testing.T) {
		testEvents(t, caktoUsual, Delivery{Body: changed(t, "cakto/order.json", change{"data": []any{order}})},
			caktoOrderEvent())
	})
	t.Run("of several, and what is none", func(t *testing.T) {
		bump := map[string]any{"amount": "19.00", "product": map[string]any{"id": 77},
			"customer": map[string]any{"phone": 41987654321}}
		body := changed(t, "cakto/order.json", change{"data": []any{order, "x", bump}})
		first := caktoOrderEvent()
		first.ID += "/1"
		second := Event{
			ID: digest(body) + "/2", Name: "purchase_approved", Kind: Purchased, Attribute: true,
			Customer: Customer{Phone: "+5541987654321"}, Product: Product{ID: "77"}, Amount: "19.00",
		}
		testEvents(t, caktoUsual, Delivery{Body: body}, first, second)
	})
	t.Run("of a thousand", func(t *testing.T) {
		orders := make([]any, 1000)
		for i := range orders {
			orders[i] = map[string]any{"id": i}
		}
		events, err := caktoUsual.Parse(Delivery{Body: changed(t, "cakto/order.json", change{"data": orders})},
			Place{Region: "BR"})
		if err != nil || len(events) != maxProducts {
			t.Errorf("got %d events, %v", len(events), err)
		}
	})
}

// TestCaktoIsForgiving: the same fields in other types, or absent.
func TestCaktoIsForgiving(t *testing.T) {
	const paid = "purchase, attributed"
	testForgiving(t, caktoUsual, "cakto/order.json", []forgiving{
		{"customer absent", change{"data.customer": absent}, "unusable: data.customer.email", func(e Event) bool {
			return e.Customer == Customer{} && e.TransactionID != ""
		}},
		{"customer flat", change{"data.customer": absent, "data.customerName": "Ivo",
			"data.customerCellphone": 41987654321, "data.customerEmail": "a@example.com"}, paid, func(e Event) bool {
			return e.Customer == Customer{Name: "Ivo", Phone: "+5541987654321", Email: "a@example.com"}
		}},
		{"product with its long id alone", change{"data.product": map[string]any{"id": "ff3fdf61"}}, paid,
			func(e Event) bool { return e.Product == Product{ID: "ff3fdf61"} }},
		{"product as a text", change{"data.product": "a"}, paid, func(e Event) bool { return e.Product == Product{} }},
		{"amount as a string", change{"data.amount": "47.5"}, paid, func(e Event) bool { return e.Amount == "47.50" }},
		{"amount absent", change{"data.amount": absent}, paid, func(e Event) bool { return e.Amount == "59.90" }},
		{"amounts absent", change{"data.amount": absent, "data.baseAmount": nil, "data.offer": []any{}}, paid,
			func(e Event) bool { return e.Amount == "" }},
		{"currency told", change{"data.currency": "brl"}, paid, func(e Event) bool { return e.Currency == "BRL" }},
		{"subscription as a text", change{"data.subscription": "8"}, paid, func(Event) bool { return true }},
		{"order id absent", change{"data.id": absent}, paid, func(e Event) bool {
			return strings.HasPrefix(e.ID, "sha256-") && e.TransactionID == ""
		}},
		{"time without a zone", change{"data.paidAt": "2026-02-03 12:31:02"}, paid, func(e Event) bool {
			return e.OccurredAt.Equal(time.Date(2026, 2, 3, 15, 31, 2, 0, time.UTC))
		}},
		{"checkout with brackets around", change{"data.checkoutUrl": "<https://pay.cakto.com.br/a>"}, paid,
			func(e Event) bool { return e.CheckoutURL == "" }},
	})
}

func TestCaktoRefuses(t *testing.T) {
	testBroken(t, caktoUsual)
	testTests(t, caktoUsual, "secret")
	t.Run("event", func(t *testing.T) {
		testRefused(t, caktoUsual, changed(t, "cakto/order.json", change{"event": 123}), "event")
	})
	t.Run("nothing known", func(t *testing.T) { testRefused(t, caktoUsual, []byte(`{}`), "event") })
}

// TestCaktoWithoutData: what is known by its name alone is taken; what matters is told.
func TestCaktoWithoutData(t *testing.T) {
	testTable(t, caktoUsual, []row{
		{"data as a text", "cakto/order.json", change{"data": "string"}, "unusable: data.customer.email"},
		{"data absent", "cakto/order.json", change{"data": absent}, "unusable: data.customer.email"},
		{"data empty", "cakto/order.json", change{"data": []any{}}, "unusable: data.customer.email"},
		{"data of no objects", "cakto/order.json", change{"data": []any{1, "x"}}, "unusable: data.customer.email"},
		{"data as JSON in a text", "cakto/order.json",
			change{"data": `{"id":"1","customer":{"email":"ivo@example.com"}}`}, "purchase, attributed"},
		{"a cart without data", "cakto/cart.json", change{"data": absent}, "ignore: NoData"},
		{"an event that is not used", "cakto/order.json", change{"event": "subscription_late", "data": []any{}},
			"ignore: EventNotUsed"},
	})
	for name, customer := range map[string]any{"a text": "Ivo", "an empty list": []any{}, "null": nil} {
		changes := change{"data.customer": customer, "data.customerEmail": "ivo@example.com"}
		events, err := caktoUsual.Parse(Delivery{Body: changed(t, "cakto/order.json", changes)}, Place{Region: "BR"})
		if err != nil || len(events) != 1 || events[0].Customer.Email != "ivo@example.com" {
			t.Errorf("customer as %s: got %+v, %v", name, events, err)
		}
	}
}

func TestCaktoVerify(t *testing.T) {
	testVerify(t, caktoUsual, []authentication{
		{"secret", Delivery{Body: fixture(t, "cakto/cart.json")}, []string{"cakto-secret-0", "cakto-secret-1"}, nil},
		{"another secret", Delivery{Body: fixture(t, "cakto/order.json")}, []string{"cakto-secret-2"},
			ErrBadCredential},
		{"secret in data", Delivery{Body: []byte(`{"data":{"secret":"cakto-secret-1"}}`)}, []string{"cakto-secret-1"},
			ErrNoCredential},
	})
}

func FuzzCaktoParse(f *testing.F) {
	f.Add([]byte(`{"event":"purchase_approved","data":[]}`), "", "BR")
	f.Add([]byte(`{"event":"purchase_approved","data":[{"id":1},{"id":1},{"customer":{"phone":{"number":"1"}}}]}`), "",
		"BR")
	fuzzParse(f, caktoUsual, "cakto/cart.json", "cakto/order.json")
}

func FuzzCaktoVerify(f *testing.F) {
	fuzzVerify(f, caktoUsual, tokenInForm("secret"), "cakto/cart.json", "cakto/order.json")
}

func TestCaktoWords(t *testing.T) {
	testWords(t, v1alpha1.PlatformCakto, sortedKeys(caktoEvents))
}
