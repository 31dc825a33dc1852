package platforms

import (
	"strings"
	"testing"
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
)

var kirvanoUsual = kirvano{kirvanoTokens}

func TestKirvanoEvents(t *testing.T) {
	const cart, sale = "kirvano/cart.json", "kirvano/sale.json"
	event := func(name string) change { return change{"event": name} }
	testTable(t, kirvanoUsual, []row{
		{"ABANDONED_CART", cart, nil, "start: AbandonedCart"},
		{"ABANDONED_CART, no phone", cart, change{"customer.phone_number": nil}, "start: AbandonedCart"},
		{"PIX_GENERATED", sale, event("PIX_GENERATED"), "start: PixPending"},
		{"BANK_SLIP_GENERATED", sale, event("BANK_SLIP_GENERATED"), "start: BoletoPending"},
		{"SALE_REFUSED", sale, event("SALE_REFUSED"), "start: PaymentRefused"},
		{"SALE_APPROVED", sale, nil, "purchase, attributed"},
		{"SALE_APPROVED of a subscription", sale, change{"type": "RECURRING"}, "purchase, attributed"},
		{"sale_approved in lower case", sale, event("sale_approved"), "purchase, attributed"},
		{"SUBSCRIPTION_RENEWED", sale, event("SUBSCRIPTION_RENEWED"), "purchase"},
		{"SALE_REFUNDED", sale, event("SALE_REFUNDED"), "reverse: refund"},
		{"SALE_CHARGEBACK", sale, event("SALE_CHARGEBACK"), "reverse: chargeback"},
		{"PIX_EXPIRED", sale, event("PIX_EXPIRED"), "payment expired"},
		{"BANK_SLIP_EXPIRED", sale, event("BANK_SLIP_EXPIRED"), "payment expired"},
		{"SUBSCRIPTION_CANCELED", sale, event("SUBSCRIPTION_CANCELED"), "ignore: EventNotUsed"},
		{"SUBSCRIPTION_EXPIRED", sale, event("SUBSCRIPTION_EXPIRED"), "ignore: EventNotUsed"},
		{"an event of tomorrow, paid", sale, event("SALE_TELEPORTED"), "purchase"},
		{"an event of tomorrow", sale, change{"event": "SALE_TELEPORTED", "status": "LATE"}, "ignore: UnknownEvent"},
		{"TEST", sale, event("TEST"), "ignore: Ping"},
	})
}

func kirvanoCustomer() Customer {
	return Customer{Name: "Bia Moura", Phone: "+5562998877665", Email: "bia.moura@example.com"}
}

func TestKirvanoCart(t *testing.T) {
	testEvents(t, kirvanoUsual, Delivery{Body: fixture(t, "kirvano/cart.json")}, Event{
		ID: "CK7L2M9P/ABANDONED_CART/2026-04-05 10:20:30", Name: "ABANDONED_CART", Kind: Abandoned,
		Trigger: v1alpha1.TriggerAbandonedCart, Customer: kirvanoCustomer(),
		Product:     Product{ID: "0c9a7e61-12ab-4c3d-8e4f-5a6b7c8d9e0f", Name: "Bordado Livre"},
		CheckoutURL: "https://pay.kirvano.com/recovery/CK7L2M9P", Amount: "1249.90", Currency: "BRL",
		OccurredAt: time.Date(2026, 4, 5, 13, 20, 30, 0, time.UTC),
	})
}

// TestKirvanoSale: the main product first, wherever it is in the list, then order bumps.
func TestKirvanoSale(t *testing.T) {
	const id = "SL4T8W1X/SALE_APPROVED/2026-04-05 11:00:00/"
	main := Event{
		ID: id + "0c9a7e61-12ab-4c3d-8e4f-5a6b7c8d9e0f", Name: "SALE_APPROVED", Kind: Purchased, Attribute: true,
		Customer: kirvanoCustomer(),
		Product:  Product{ID: "0c9a7e61-12ab-4c3d-8e4f-5a6b7c8d9e0f", Name: "Bordado Livre"},
		Amount:   "1249.90", Currency: "BRL", TransactionID: "SL4T8W1X",
		OccurredAt: time.Date(2026, 4, 5, 14, 0, 9, 0, time.UTC),
	}
	bump := main
	bump.ID, bump.Amount = id+"7d6c5b4a-3928-4716-8504-f3e2d1c0b9a8", "39.90"
	bump.Product = Product{ID: "7d6c5b4a-3928-4716-8504-f3e2d1c0b9a8", Name: "Caixa de Linhas"}
	testEvents(t, kirvanoUsual, Delivery{Body: fixture(t, "kirvano/sale.json")}, main, bump)

	t.Run("what starts a recovery is of the main product alone", func(t *testing.T) {
		pending := main
		pending.ID, pending.Name = "SL4T8W1X/PIX_GENERATED/2026-04-05 11:00:00", "PIX_GENERATED"
		pending.Kind, pending.Trigger, pending.Attribute, pending.Amount = Abandoned, v1alpha1.TriggerPixPending, false,
			"1289.80"
		pending.OccurredAt, pending.Payment = time.Date(2026, 4, 5, 14, 0, 0, 0,
			time.UTC), &v1alpha1.Payment{Method: v1alpha1.PaymentPix}
		testEvents(t, kirvanoUsual, Delivery{Body: changed(t, "kirvano/sale.json", change{"event": "PIX_GENERATED"})},
			pending)
	})
	t.Run("products that have names alone, or offers", func(t *testing.T) {
		products := []any{
			map[string]any{"name": "Bordado Livre", "offer_id": "o1"}, map[string]any{"name": "Caixa de Linhas",
				"is_order_bump": true},
			map[string]any{"name": "Bordado Livre"}, map[string]any{"offer_id": "o2"},
		}
		events, err := kirvanoUsual.Parse(Delivery{Body: changed(t, "kirvano/sale.json", change{"products": products})},
			Place{Region: "BR"})
		if err != nil || len(events) != 2 || events[0].Product != (Product{Name: "Bordado Livre"}) ||
			events[1].Product != (Product{Name: "Caixa de Linhas"}) || events[0].ID == events[1].ID {
			t.Errorf("got %+v, %v", events, err)
		}
	})
	t.Run("a thousand products make a bounded number of events", func(t *testing.T) {
		var products []any
		for i := range 1000 {
			products = append(products, map[string]any{"id": i, "is_order_bump": i > 0})
		}
		events, err := kirvanoUsual.Parse(Delivery{Body: changed(t, "kirvano/sale.json", change{"products": products})},
			Place{Region: "BR"})
		if err != nil || len(events) != maxProducts {
			t.Errorf("got %d events, %v", len(events), err)
		}
	})
}

// TestKirvanoIsForgiving: the same fields in other types, or absent.
func TestKirvanoIsForgiving(t *testing.T) {
	one := func(product any) change { return change{"products": []any{product}} }
	const cart = "start: AbandonedCart"
	testForgiving(t, kirvanoUsual, "kirvano/cart.json", []forgiving{
		{"customer absent", change{"customer": absent}, cart, func(e Event) bool { return e.Customer == Customer{} }},
		{"phone as a number", change{"customer.phone_number": 62998877665}, cart, func(e Event) bool {
			return e.Customer.Phone == "+5562998877665"
		}},
		{"products absent", change{"products": absent}, cart, func(e Event) bool {
			return e.Product == Product{} &&
				e.Amount == "1249.90"
		}},
		{"products as an object", change{"products": map[string]any{"0": map[string]any{"id": 5, "name": "A"}}}, cart,
			func(e Event) bool { return e.Product == Product{ID: "5", Name: "A"} }},
		{"product as a text", one("Bordado"), cart, func(e Event) bool { return e.Product == Product{} }},
		{"product with a name alone", one(map[string]any{"name": "Bordado Livre"}), cart, func(e Event) bool {
			return e.Product == Product{Name: "Bordado Livre"}
		}},
		{"product that is an order bump alone", one(map[string]any{"id": "b", "is_order_bump": "true"}), cart,
			func(e Event) bool { return e.Product.ID == "b" }},
		{"price as a number", change{"total_price": 1249.9}, cart, func(e Event) bool {
			return e.Amount == "1249.90" &&
				e.Currency == ""
		}},
		{"price as a text that is none", change{"total_price": "R$ grátis"}, cart, func(e Event) bool {
			return e.Amount == "" && e.Currency == ""
		}},
		{"price absent, fiscal there", change{"total_price": absent, "fiscal": map[string]any{"total_value": 97}}, cart,
			func(e Event) bool { return e.Amount == "97.00" }},
		{"checkout as a script", change{"checkout_url": "javascript:alert(1)"}, cart, func(e Event) bool {
			return e.CheckoutURL == ""
		}},
		{"ids absent", change{"checkout_id": absent}, cart, func(e Event) bool {
			return strings.HasPrefix(e.ID, "sha256-")
		}},
		{"time with a zone", change{"created_at": "2026-04-05T10:20:30-03:00"}, cart, func(e Event) bool {
			return e.OccurredAt.Equal(time.Date(2026, 4, 5, 13, 20, 30, 0, time.UTC))
		}},
	})
}

func TestKirvanoRefuses(t *testing.T) {
	testBroken(t, kirvanoUsual)
	testTests(t, kirvanoUsual, "token")
	for field, change := range map[string]change{"event": {"event": 123}} {
		t.Run(field, func(t *testing.T) {
			testRefused(t, kirvanoUsual, changed(t, "kirvano/sale.json", change),
				field)
		})
	}
	t.Run("nothing known", func(t *testing.T) { testRefused(t, kirvanoUsual, []byte(`{"test":false}`), "event") })
}

func TestKirvanoVerify(t *testing.T) {
	body := fixture(t, "kirvano/cart.json")
	testVerify(t, kirvanoUsual, []authentication{
		{"token in the body", Delivery{Body: body}, []string{"kirvano-token-1"}, nil},
		{"another token in the body", Delivery{Body: body}, []string{"kirvano-token-2"}, ErrBadCredential},
		{"no token", Delivery{Body: fixture(t, "kirvano/sale.json")}, []string{"kirvano-token-1"}, ErrNoCredential},
	})
}

func FuzzKirvanoParse(f *testing.F) {
	f.Add([]byte(`{"event":"SALE_APPROVED","customer":[],"products":[{"name":"a"},{"name":"b"},{"offer_id":"c"}]}`), "",
		"BR")
	f.Add([]byte(`{"event":"SALE_APPROVED","products":[{"name":"a"},{"id":1},7,{"id":1}],"total_price":"R$ 1,5"}`), "",
		"BR")
	fuzzParse(f, kirvanoUsual, "kirvano/cart.json", "kirvano/sale.json")
}

func FuzzKirvanoVerify(f *testing.F) {
	fuzzVerify(f, kirvanoUsual, func(body []byte, secret string) Delivery {
		return withHeaders(body, map[string]string{"x-kirvano-token": secret})
	}, "kirvano/cart.json", "kirvano/sale.json")
}

func TestKirvanoWords(t *testing.T) {
	testWords(t, v1alpha1.PlatformKirvano, sortedKeys(kirvanoEvents))
}
