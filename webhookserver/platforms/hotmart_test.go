package platforms

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
)

func TestHotmartEvents(t *testing.T) {
	const cart, purchase = "hotmart/cart.json", "hotmart/purchase.json"
	event := func(name string) change { return change{"event": name} }
	paidBy := func(name, payment string) change {
		return change{"event": name, "data.purchase.payment.type": payment}
	}
	testTable(t, hotmart{}, []row{
		{"cart left", cart, nil, "start: AbandonedCart"},
		{"cart left, no phone", cart, change{"data.buyer.phone": absent}, "start: AbandonedCart"},
		{"PIX generated", purchase, paidBy("PURCHASE_BILLET_PRINTED", "PIX"), "start: PixPending"},
		{"boleto printed", purchase, paidBy("PURCHASE_BILLET_PRINTED", "BILLET"), "start: BoletoPending"},
		{"boleto printed, payment unknown", purchase, change{"event": "PURCHASE_BILLET_PRINTED",
			"data.purchase.payment": absent}, "start: BoletoPending"},
		{"payment refused", purchase, event("PURCHASE_CANCELED"), "start: PaymentRefused"},
		{"PURCHASE_APPROVED", purchase, nil, "purchase, attributed"},
		{"purchase_approved", purchase, event("purchase_approved"), "purchase, attributed"},
		{"ORDER_APPROVED", purchase, event("ORDER_APPROVED"), "purchase, attributed"},
		{"no recurrence", purchase, change{"data.purchase.recurrence_number": absent}, "purchase, attributed"},
		{"renewal", purchase, change{"data.purchase.recurrence_number": 2}, "purchase"},
		{"renewal, number as a string", purchase, change{"data.purchase.recurrence_number": "12"}, "purchase"},
		{"warranty over", purchase, event("PURCHASE_COMPLETE"), "purchase"},
		{"refunded", purchase, event("PURCHASE_REFUNDED"), "reverse: refund"},
		{"charged back", purchase, event("PURCHASE_CHARGEBACK"), "reverse: chargeback"},
		{"disputed", purchase, event("PURCHASE_PROTEST"), "reverse: chargeback"},
		{"expired", purchase, event("PURCHASE_EXPIRED"), "payment expired"},
		{"delayed", purchase, event("PURCHASE_DELAYED"), "ignore: EventNotUsed"},
		{"subscription cancelled", purchase, event("SUBSCRIPTION_CANCELLATION"), "ignore: EventNotUsed"},
		{"plan switched", purchase, event("SWITCH_PLAN"), "ignore: EventNotUsed"},
		{"charge date changed", purchase, event("UPDATE_SUBSCRIPTION_CHARGE_DATE"), "ignore: EventNotUsed"},
		{"first access to the club", purchase, event("CLUB_FIRST_ACCESS"), "ignore: EventNotUsed"},
		{"waiting for a PIX", purchase, paidBy("PURCHASE_WAITING_PAYMENT", "pix"), "start: PixPending"},
		{"payment refused, the other spelling", purchase, event("PURCHASE_CANCELLED"), "start: PaymentRefused"},
		{"warranty over, the other spelling", purchase, event("PURCHASE_COMPLETED"), "purchase"},
		{"renewal, as 1.0.0 spells it", purchase, change{"data.purchase.recurrence_number": absent,
			"data.purchase.recurrencyNumber": 3}, "purchase"},
		{"no event, status APPROVED", purchase, change{"event": absent}, "purchase, attributed"},
		{"no event, status COMPLETE", purchase, change{"event": nil, "data.purchase.status": "COMPLETE"}, "purchase"},
		{"no event, status WAITING_PAYMENT, PIX", purchase,
			change{"event": "", "data.purchase.status": "WAITING_PAYMENT", "data.purchase.payment.type": "PIX"},
			"start: PixPending"},
		{"no event, status REFUNDED", purchase, change{"event": absent, "data.purchase.status": "REFUNDED"},
			"reverse: refund"},
		{"no event, a status of tomorrow", purchase, change{"event": absent, "data.purchase.status": "TELEPORTED"},
			"ignore: UnknownEvent"},
		{"PURCHASE_APPROVED, data is no object", purchase, change{"data": "string"}, "unusable: data.buyer.email"},
		{"PURCHASE_APPROVED, data absent", purchase, change{"data": absent}, "unusable: data.buyer.email"},
		{"PURCHASE_APPROVED, buyer is a text", purchase, change{"data.buyer": "Joana"}, "unusable: data.buyer.email"},
		{"an event of tomorrow, paid", purchase, event("PURCHASE_TELEPORTED"), "purchase"},
		{"an event of tomorrow", purchase, change{"event": "PURCHASE_TELEPORTED", "data.purchase.status": "LATE"},
			"ignore: UnknownEvent"},
		{"an event of tomorrow without data", purchase, change{"event": "X", "data": "none"}, "ignore: UnknownEvent"},
	})
}

func TestHotmartCart(t *testing.T) {
	testEvents(t, hotmart{}, Delivery{Body: fixture(t, "hotmart/cart.json")}, Event{
		ID: "0b6f3c1e-7a54-4a0e-9d0c-2f6f3e1d5a01", Name: "PURCHASE_OUT_OF_SHOPPING_CART",
		Kind: Abandoned, Trigger: v1alpha1.TriggerAbandonedCart,
		Customer:   Customer{Name: "Joana Prado", Phone: "+5531988776655", Email: "joana.prado@example.com"},
		Product:    Product{ID: "4810077", Name: "Curso de Panificação Artesanal"},
		OccurredAt: time.UnixMilli(1767366245123).UTC(),
	})
}

func TestHotmartPurchase(t *testing.T) {
	testEvents(t, hotmart{}, Delivery{Body: fixture(t, "hotmart/purchase.json")}, Event{
		ID: "5d1c9a52-0f3b-4f0e-8a87-b1d2c3e4f502", Name: "PURCHASE_APPROVED",
		Kind: Purchased, Attribute: true,
		Customer: Customer{Name: "Joana Prado", Phone: "+5531988776655", Email: "joana.prado@example.com"},
		Product:  Product{ID: "4810077", Name: "Curso de Panificação Artesanal"},
		Amount:   "297.00", Currency: "BRL", TransactionID: "HP3141592653",
		OccurredAt: time.UnixMilli(1767369845456).UTC(),
	})
}

func TestHotmartForm(t *testing.T) {
	form := string(fixture(t, "hotmart/v1.txt"))
	const contentType = "application/x-www-form-urlencoded"
	testEvents(t, hotmart{}, Delivery{Body: []byte(form), ContentType: contentType}, Event{
		ID: "HP2718281828/approved", Name: "v1/approved", Kind: Purchased, Attribute: true,
		Customer: Customer{Name: "Joana Prado", Phone: "+5531988776655", Email: "joana.prado@example.com"},
		Product:  Product{ID: "4810077", Name: "Curso de Panificação Artesanal"},
		Amount:   "297.50", Currency: "BRL", TransactionID: "HP2718281828",
		OccurredAt: time.Date(2026, 1, 2, 15, 4, 5, 0, time.UTC),
	})
	for status, want := range map[string]string{
		"approved":        "purchase, attributed",
		"completed":       "purchase",
		"billet_printed":  "start: BoletoPending",
		"canceled":        "start: PaymentRefused",
		"refunded":        "reverse: refund",
		"chargeback":      "reverse: chargeback",
		"dispute":         "reverse: chargeback",
		"blocked":         "ignore: EventNotUsed",
		"delayed":         "ignore: EventNotUsed",
		"expired":         "payment expired",
		"started":         "ignore: EventNotUsed",
		"waiting_payment": "start: BoletoPending",
		"printed_billet":  "start: BoletoPending",
		"cancelled":       "start: PaymentRefused",
		"protested":       "reverse: chargeback",
		"Approved":        "purchase, attributed",
		"under_analisys":  "ignore: EventNotUsed", //nolint:misspell // as Hotmart spells it
		"teleported":      "ignore: UnknownEvent",
	} {
		t.Run(status+" → "+want, func(t *testing.T) {
			body := strings.Replace(form, "status=approved", "status="+status, 1)
			events, err := hotmart{}.Parse(Delivery{Body: []byte(body)}, Place{Region: "BR"})
			if err != nil {
				t.Fatal(err)
			}
			if says(events[0]) != want {
				t.Errorf("%s", says(events[0]))
			}
			checkEvent(t, events[0])
		})
	}
}

// TestHotmartFlatJSON: the fields of 1.0 as JSON.
func TestHotmartFlatJSON(t *testing.T) {
	testEvents(t, hotmart{}, Delivery{Body: fixture(t, "hotmart/v1.json"), ContentType: "application/json"}, Event{
		ID: "HP2718281828/approved", Name: "v1/approved", Kind: Purchased, Attribute: true,
		Customer: Customer{Name: "Joana Prado", Phone: "+5531988776655", Email: "joana.prado@example.com"},
		Product:  Product{ID: "4810077", Name: "Curso de Panificação Artesanal"},
		Amount:   "297.50", Currency: "BRL", TransactionID: "HP2718281828",
	})
	testTable(t, hotmart{}, []row{
		{"renewal of 1.0", "hotmart/v1.json", change{"recurrency": "2"}, "purchase"},
		{"boleto of 1.0", "hotmart/v1.json", change{"status": "billet_printed", "payment_type": "billet"},
			"start: BoletoPending"},
		{"PIX of 1.0", "hotmart/v1.json", change{"status": "billet_printed", "payment_type": "pix"},
			"start: PixPending"},
	})
}

// TestHotmartIsForgiving: the same fields in other types, or absent.
func TestHotmartIsForgiving(t *testing.T) {
	for _, test := range []struct {
		name   string
		change change
		check  func(Event) bool
	}{
		{"product id 0 of the test tool", change{"data.product.id": 0}, func(e Event) bool {
			return e.Product.ID == "0"
		}},
		{"product id as a string", change{"data.product.id": " 4810077 "}, func(e Event) bool {
			return e.Product.ID == "4810077"
		}},
		{"product id as a float", change{"data.product.id": 4810077.0}, func(e Event) bool {
			return e.Product.ID == "4810077"
		}},
		{"product as a string", change{"data.product": "curso"}, func(e Event) bool { return e.Product == Product{} }},
		{"phone as a number", change{"data.buyer.checkout_phone": 5531988776655}, func(e Event) bool {
			return e.Customer.Phone == "+5531988776655"
		}},
		{"phone null", change{"data.buyer.checkout_phone": nil}, func(e Event) bool { return e.Customer.Phone == "" }},
		{"phone with letters", change{"data.buyer.checkout_phone": "+55 31 9887a-665b"}, func(e Event) bool {
			return e.Customer.Phone == ""
		}},
		{"phone of its parts", change{"data.buyer.checkout_phone": map[string]any{"ddi": "55", "ddd": 31,
			"number": "988776655"}}, func(e Event) bool { return e.Customer.Phone == "+5531988776655" }},
		{"phone in another field", change{"data.buyer.checkout_phone": absent, "data.buyer.phone": "31988776655"},
			func(e Event) bool { return e.Customer.Phone == "+5531988776655" }},
		{"phone of another country", change{"data.buyer.checkout_phone": "912345678",
			"data.purchase.checkout_country.iso": "PT"}, func(e Event) bool {
			return e.Customer.Phone == "+351912345678"
		}},
		{"buyer absent", change{"data.buyer": absent}, func(e Event) bool {
			return e.Kind == Unusable && e.TransactionID != ""
		}},
		{"name absent", change{"data.buyer.name": absent}, func(e Event) bool {
			return e.Customer.Name == "Joana Prado"
		}},
		{"name too long", change{"data.buyer.name": strings.Repeat("é", 300)}, func(e Event) bool {
			return e.Customer.Name == strings.Repeat("é", 200)
		}},
		{"name with control characters", change{"data.buyer.name": "Joana\u0000\nPrado"}, func(e Event) bool {
			return e.Customer.Name == "Joana Prado"
		}},
		{"e-mail that is none", change{"data.buyer.email": "joana"}, func(e Event) bool {
			return e.Customer.Email == ""
		}},
		{"price as a string", change{"data.purchase.price.value": "R$ 1.169,80"}, func(e Event) bool {
			return e.Amount == "1169.80"
		}},
		{"price negative", change{"data.purchase.price.value": -5}, func(e Event) bool { return e.Amount == "" }},
		{"currency that is none", change{"data.purchase.price.currency_value": "XY"}, func(e Event) bool {
			return e.Currency == ""
		}},
		{"currency as a sign", change{"data.purchase.price.currency_value": "R$"}, func(e Event) bool {
			return e.Currency == "BRL"
		}},
		{"purchase absent", change{"data.purchase": nil}, func(e Event) bool {
			return e.TransactionID == "" &&
				e.Attribute
		}},
		{"date as a string", change{"creation_date": "1767369845456"}, func(e Event) bool {
			return e.OccurredAt.UnixMilli() == 1767369845456
		}},
		{"date of nobody's time", change{"creation_date": 9e17}, func(e Event) bool { return e.OccurredAt.IsZero() }},
		{"buyer in a list", change{"data.buyer": []any{map[string]any{"email": "joana.prado@example.com"}}},
			func(e Event) bool { return e.Customer == Customer{Email: "joana.prado@example.com"} }},
		{"data as JSON in a text",
			change{"data": `{"buyer":{"email":"joana.prado@example.com"},"product":{"id":"77"}}`}, func(e Event) bool {
				return e.Customer.Email == "joana.prado@example.com" && e.Product.ID == "77"
			}},
		{"data in a list", change{"data": []any{map[string]any{"product": map[string]any{"id": 77}}}},
			func(e Event) bool { return e.Product.ID == "77" }},
		{"no data, all at the top", change{"data": absent, "buyer": map[string]any{"email": "joana.prado@example.com"},
			"purchase": map[string]any{"transaction": "HP1"}}, func(e Event) bool {
			return e.Customer.Email == "joana.prado@example.com" && e.TransactionID == "HP1"
		}},
		{"product id absent, ucode there", change{"data.product.id": absent}, func(e Event) bool {
			return e.Product.ID == "c0ffee00-1111-4222-8333-444455556666"
		}},
		{"price as a number", change{"data.purchase.price": 297.5, "data.purchase.full_price": absent},
			func(e Event) bool { return e.Amount == "297.50" }},
		{"price as 1.0.0 spells it", change{"data.purchase.price": map[string]any{"value": 10, "currencyCode": "eur"}},
			func(e Event) bool { return e.Amount == "10.00" && e.Currency == "EUR" }},
		{"rubbish as phone code", change{"data.buyer.checkout_phone_code": "+55 31 9887a-665b"}, func(e Event) bool {
			return e.Customer.Phone == "+5531988776655"
		}},
		{"country of the address", change{"data.purchase.checkout_country": absent,
			"data.buyer.checkout_phone": "912345678", "data.buyer.address": map[string]any{"country_iso": "PT"}},
			func(e Event) bool { return e.Customer.Phone == "+351912345678" }},
		{"address as a text", change{"data.buyer.address": "none", "data.purchase.checkout_country": "BR"},
			func(e Event) bool { return e.Customer.Phone == "+5531988776655" }},
		{"a name cut within an emoji", change{"data.buyer.name": json.RawMessage(`"Joana \ud83d"`)},
			func(e Event) bool { return e.Customer.Name == "Joana \ufffd" }},
		{"date as creationDate", change{"creation_date": absent, "creationDate": 1767369845456}, func(e Event) bool {
			return e.OccurredAt.UnixMilli() == 1767369845456
		}},
		{"id absent", change{"id": absent}, func(e Event) bool { return strings.HasPrefix(e.ID, "sha256-") }},
	} {
		t.Run(test.name, func(t *testing.T) {
			events, err := hotmart{}.Parse(Delivery{Body: changed(t, "hotmart/purchase.json", test.change)},
				Place{Region: "BR"})
			if err != nil {
				t.Fatal(err)
			}
			checkEvent(t, events[0])
			if events[0].Kind != Purchased && events[0].Missing != "data.buyer.email" || !test.check(events[0]) {
				t.Errorf("got %+v", events[0])
			}
		})
	}
}

func TestHotmartRefuses(t *testing.T) {
	testBroken(t, hotmart{})
	t.Run("event", func(t *testing.T) {
		testRefused(t, hotmart{}, changed(t, "hotmart/purchase.json", change{"event": 123}), "event")
	})
	t.Run("everything in other types", func(t *testing.T) {
		testRefused(t, hotmart{}, []byte(`{"event":123,"data":"string","version":null}`), "event")
	})
	t.Run("event absent", func(t *testing.T) { testRefused(t, hotmart{}, []byte(`{}`), "event") })
	t.Run("status absent", func(t *testing.T) { testRefused(t, hotmart{}, []byte("hottok=x&name=y"), "status") })
}

// TestHotmartFlatPhones: 1.0 sends the area code beside the number, which may have it already.
func TestHotmartFlatPhones(t *testing.T) {
	for _, test := range []struct{ code, number, want string }{
		{"31", "988776655", "+5531988776655"},
		{"031", "988776655", "+5531988776655"},
		{"31", "31988776655", "+5531988776655"},
		{"31", "5531988776655", "+5531988776655"},
		{"31", "+55 31 98877-6655", "+5531988776655"},
		{"31", "031988776655", "+5531988776655"},
		{"988776655", "31988776655", "+5531988776655"},
		{"", "31988776655", "+5531988776655"},
		{"31", "", ""},
		{"31", "00", ""},
		{"", "988776655", ""},
	} {
		form := url.Values{"status": {"billet_printed"}, "phone_checkout_local_code": {test.code},
			"phone_checkout_number": {test.number}}
		events, err := hotmart{}.Parse(Delivery{Body: []byte(form.Encode())}, Place{Region: "BR"})
		if err != nil || events[0].Customer.Phone != test.want {
			t.Errorf("%q, %q: got %+v, %v; want %q", test.code, test.number, events, err, test.want)
		}
	}
}

func TestHotmartVerify(t *testing.T) {
	header := func(token string) Delivery {
		return Delivery{Body: fixture(t, "hotmart/cart.json"), Header: func(name string) string {
			return map[string]string{"X-HOTMART-HOTTOK": token}[name]
		}}
	}
	form := Delivery{Body: fixture(t, "hotmart/v1.txt"), ContentType: "application/x-www-form-urlencoded"}
	testVerify(t, hotmart{}, []authentication{
		{"token in the header", header("hot-token-1"), []string{"hot-token-1"}, nil},
		{"second of two secrets", header("hot-token-1"), []string{"hot-token-0", "hot-token-1"}, nil},
		{"token in a form's body", form, []string{"hot-token-1"}, nil},
		{"token in the body of 2.0.0", Delivery{Body: fixture(t, "hotmart/purchase-token.json")},
			[]string{"hot-token-1"}, nil},
		{"token in a JSON body", Delivery{Body: []byte(`{"hottok":"hot-token-1"}`)}, []string{"hot-token-1"}, nil},
		{"wrong token", header("hot-token-2"), []string{"hot-token-1"}, ErrBadCredential},
		{"beginning of the token", header("hot-token-"), []string{"hot-token-1"}, ErrBadCredential},
		{"token and more", header("hot-token-11"), []string{"hot-token-1"}, ErrBadCredential},
		{"wrong token in the header, right one in the body", Delivery{
			Body: form.Body, Header: func(string) string { return "hot-token-2" },
		}, []string{"hot-token-1"}, ErrBadCredential},
		{"no token", header(""), []string{"hot-token-1"}, ErrNoCredential},
		{"no token and an empty secret", header(""), []string{""}, ErrNoCredential},
		{"token and an empty secret", header("hot-token-1"), []string{""}, ErrBadCredential},
		{"token and no secret", header("hot-token-1"), nil, ErrBadCredential},
		{"no token, broken body", Delivery{Body: []byte("{")}, []string{"hot-token-1"}, ErrNoCredential},
	})
}

func FuzzHotmartParse(f *testing.F) {
	f.Add(fixture(f, "hotmart/purchase-token.json"), "", "BR")
	f.Add([]byte(`{"event":"PURCHASE_APPROVED","data":"{\"buyer\":[{}]}"}`), "", "BR")
	fuzzParse(f, hotmart{}, "hotmart/cart.json", "hotmart/v1.json", "hotmart/purchase.json", "hotmart/v1.txt")
}

func FuzzHotmartVerify(f *testing.F) {
	fuzzVerify(f, hotmart{}, func(body []byte, secret string) Delivery {
		return Delivery{Body: body, Header: func(string) string { return secret }}
	}, "hotmart/cart.json", "hotmart/v1.txt")
}

func TestHotmartWords(t *testing.T) {
	testWords(t, v1alpha1.PlatformHotmart, sortedKeys(hotmartEvents), sortedKeys(hotmartStatuses))
}
