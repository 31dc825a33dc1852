package platforms

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
)

func TestKiwifyEvents(t *testing.T) {
	const cart, order = "kiwify/cart.json", "kiwify/order.json"
	event := func(name, status string) change {
		return change{"webhook_event_type": name, "order_status": status}
	}
	status := func(status, method string) change {
		return change{"webhook_event_type": absent, "order_status": status, "payment_method": method}
	}
	testTable(t, kiwify{}, []row{
		{"cart left", cart, nil, "start: AbandonedCart"},
		{"cart left, no phone", cart, change{"phone": absent}, "start: AbandonedCart"},
		{"cart left by a company", cart, change{"cpf": absent, "cnpj": "11222333000181"}, "start: AbandonedCart"},
		{"cart in another state", cart, change{"status": "open"}, "ignore: UnknownEvent"},
		{"order_approved", order, nil, "purchase, attributed"},
		{"order_approved, no status", order, change{"order_status": absent}, "purchase, attributed"},
		{"subscription_renewed", order, event("subscription_renewed", "paid"), "purchase"},
		{"subscription_renewed, no status", order, change{"webhook_event_type": "subscription_renewed",
			"order_status": absent}, "purchase"},
		{"subscription_renewed, refused", order, event("subscription_renewed", "refused"), "ignore: NotPaid"},
		{"subscription_canceled of a paid order", order, event("subscription_canceled", "paid"), "purchase"},
		{"subscription_canceled of an unpaid order", order, event("subscription_canceled", "waiting_payment"),
			"ignore: NotPaid"},
		{"subscription_late", order, event("subscription_late", "waiting_payment"), "ignore: EventNotUsed"},
		{"pix_created", order, event("pix_created", "waiting_payment"), "start: PixPending"},
		{"pix_created, paid by the time it is sent", order, event("pix_created", "paid"), "purchase"},
		{"billet_created", order, event("billet_created", "waiting_payment"), "start: BoletoPending"},
		{"order_rejected", order, event("order_rejected", "refused"), "start: PaymentRefused"},
		{"order_refunded", order, event("order_refunded", "refunded"), "reverse: refund"},
		{"order_refunded, status still paid", order, event("order_refunded", "paid"), "reverse: refund"},
		{"chargeback", order, event("chargeback", "chargedback"), "reverse: chargeback"},
		{"an event of tomorrow, paid", order, event("order_teleported", "paid"), "purchase"},
		{"an event of tomorrow", order, event("order_teleported", "waiting_payment"), "ignore: UnknownEvent"},
		{"status paid alone", order, status("paid", "pix"), "purchase, attributed"},
		{"status waiting_payment alone, PIX", order, status("waiting_payment", "pix"), "start: PixPending"},
		{"status waiting_payment alone, boleto", order, status("waiting_payment", "boleto"), "start: BoletoPending"},
		{"status refused alone", order, status("refused", "credit_card"), "start: PaymentRefused"},
		{"status refunded alone", order, status("refunded", "credit_card"), "reverse: refund"},
		{"status chargedback alone", order, status("chargedback", "credit_card"), "reverse: chargeback"},
		{"status approved alone", order, status("approved", "credit_card"), "purchase, attributed"},
		{"status refund_requested alone", order, status("refund_requested", "credit_card"), "ignore: EventNotUsed"},
		{"status in another field", order, change{"webhook_event_type": absent, "order_status": absent,
			"status": "paid"}, "purchase, attributed"},
		{"type that is a number, status paid", order, change{"webhook_event_type": 1}, "purchase, attributed"},
		{"status that is a list", order, change{"order_status": []string{"paid"}}, "purchase, attributed"},
		{"compra_aprovada", order, event("compra_aprovada", "paid"), "purchase, attributed"},
		{"carrinho_abandonado", cart, change{"webhook_event_type": "carrinho_abandonado", "status": absent},
			"start: AbandonedCart"},
		{"cart with a type and a status", cart, change{"webhook_event_type": "cart_abandoned"}, "start: AbandonedCart"},
		{"first charge of a subscription", order,
			change{"Subscription.charges.completed": []any{map[string]any{"order_id": "1"}}}, "purchase, attributed"},
		{"second charge of a subscription", order,
			change{"Subscription.charges.completed": []any{map[string]any{"order_id": "1"},
				map[string]any{"order_id": "2"}}}, "purchase"},
		{"refund of a renewal", order, change{"webhook_event_type": "order_refunded", "order_status": "refunded",
			"Subscription.charges.completed": []any{1, 2}}, "reverse: refund"},
		{"an order beside a field called order", order, change{"order": "flat", "cart": 1}, "purchase, attributed"},
		{"a status of tomorrow alone", order, status("teleported", "pix"), "ignore: UnknownEvent"},
	})
}

func kiwifyCartEvent() Event {
	return Event{
		ID: "k4v9q2w7e1r8t3y6u5", Name: "cart/abandoned", Kind: Abandoned, Trigger: v1alpha1.TriggerAbandonedCart,
		Customer:    Customer{Name: "Rui Campos", Phone: "+5585981122334", Email: "rui.campos@example.com"},
		Product:     Product{ID: "3f2b8a10-5c6d-4e7f-8091-a2b3c4d5e6f7", Name: "Fotografia com o Celular"},
		CheckoutURL: "https://pay.kiwify.com.br/Qw3rTy7",
		OccurredAt:  time.Date(2026, 3, 4, 18, 20, 31, 512_000_000, time.UTC),
	}
}

func kiwifyOrderEvent() Event {
	return Event{
		ID:   "7c1de2f3-4a5b-4c6d-9e8f-0a1b2c3d4e5f/order_approved/paid/2026-03-04 15:42",
		Name: "order_approved/paid", Kind: Purchased, Attribute: true,
		Customer:    Customer{Name: "Rui Campos", Phone: "+5585981122334", Email: "rui.campos@example.com"},
		Product:     Product{ID: "3f2b8a10-5c6d-4e7f-8091-a2b3c4d5e6f7", Name: "Fotografia com o Celular"},
		CheckoutURL: "https://pay.kiwify.com.br/Qw3rTy7", Amount: "197.90", Currency: "BRL",
		TransactionID: "7c1de2f3-4a5b-4c6d-9e8f-0a1b2c3d4e5f", OccurredAt: time.Date(2026, 3, 4, 18, 42, 59, 0,
			time.UTC),
	}
}

func TestKiwifyFlat(t *testing.T) {
	testEvents(t, kiwify{}, Delivery{Body: fixture(t, "kiwify/cart.json")}, kiwifyCartEvent())
	testEvents(t, kiwify{}, Delivery{Body: fixture(t, "kiwify/order.json")}, kiwifyOrderEvent())
}

func TestKiwifyWrapped(t *testing.T) {
	cart, order := string(fixture(t, "kiwify/cart.json")), string(fixture(t, "kiwify/order.json"))
	testEvents(t, kiwify{}, Delivery{Body: []byte(`{"cart":` + cart + `}`)}, kiwifyCartEvent())
	testEvents(t, kiwify{}, Delivery{Body: []byte(`{"order":` + order + `}`)}, kiwifyOrderEvent())
	testEvents(t, kiwify{}, Delivery{Body: []byte(`{"signature":"00","order":` + order + `}`)}, kiwifyOrderEvent())
	t.Run("nothing beside a wrapped order is read", func(t *testing.T) {
		testEvents(t, kiwify{}, Delivery{Body: []byte(
			`{"order":` + order + `,"cart":` + cart + `,"order_status":"refunded","order[order_status]":"refunded"}`)},
			kiwifyOrderEvent())
	})
	t.Run("a cart with an e-mail only", func(t *testing.T) {
		events, err := kiwify{}.Parse(
			Delivery{Body: []byte(`{"cart":{"status":"abandoned","email":"rui.campos@example.com"}}`)},
			Place{Region: "BR"})
		if err != nil {
			t.Fatal(err)
		}
		if says(events[0]) != "start: AbandonedCart" ||
			events[0].Customer != (Customer{Email: "rui.campos@example.com"}) {
			t.Errorf("got %+v", events[0])
		}
		checkEvent(t, events[0])
	})
}

// TestKiwifyIsForgiving: the same fields in other types, or absent.
func TestKiwifyIsForgiving(t *testing.T) {
	for _, test := range []struct {
		name   string
		change change
		check  func(Event) bool
	}{
		{"names in lower case", change{"Customer": absent, "customer": map[string]any{"first_name": "Rui",
			"mobile": "85981122334"}}, func(e Event) bool {
			return e.Customer == Customer{Name: "Rui", Phone: "+5585981122334"}
		}},
		{"customer's fields at the top", change{"Customer": absent, "name": "Rui Campos",
			"email": "rui.campos@example.com", "phone": "85981122334"}, func(e Event) bool {
			return e.Customer == Customer{Name: "Rui Campos", Phone: "+5585981122334", Email: "rui.campos@example.com"}
		}},
		{"customer as a text", change{"Customer": "Rui"}, func(e Event) bool { return e.Kind == Unusable }},
		{"product's fields at the top", change{"Product": absent, "product_id": "p1", "product_name": "Fotografia"},
			func(e Event) bool { return e.Product == Product{ID: "p1", Name: "Fotografia"} }},
		{"phone of another country", change{"Customer.mobile": "+44201581389"}, func(e Event) bool {
			return e.Customer.Phone == "+44201581389"
		}},
		{"customer absent", change{"Customer": absent}, func(e Event) bool { return e.Kind == Unusable }},
		{"product id as a number", change{"Product.product_id": 77}, func(e Event) bool {
			return e.Product.ID == "77"
		}},
		{"product as an array", change{"Product": []any{}}, func(e Event) bool { return e.Product == Product{} }},
		{"phone as a number", change{"Customer.mobile": 5585981122334}, func(e Event) bool {
			return e.Customer.Phone == "+5585981122334"
		}},
		{"cents as a string", change{"Commissions.charge_amount": "5"}, func(e Event) bool {
			return e.Amount == "0.05"
		}},
		{"cents with a point", change{"Commissions.charge_amount": 59.12}, func(e Event) bool {
			return e.Amount == "59.12"
		}},
		{"money absent", change{"Commissions": absent}, func(e Event) bool {
			return e.Amount == "" && e.Currency == ""
		}},
		{"checkout as an address", change{"checkout_link": "https://pay.kiwify.com/Qw3?x=1"}, func(e Event) bool {
			return e.CheckoutURL == "https://pay.kiwify.com/Qw3?x=1"
		}},
		{"checkout as an address without TLS", change{"checkout_link": "http://pay.kiwify.com/Qw3"},
			func(e Event) bool { return e.CheckoutURL == "" }},
		{"checkout as a script", change{"checkout_link": "javascript:alert(1)"}, func(e Event) bool {
			return e.CheckoutURL == ""
		}},
		{"checkout as a path", change{"checkout_link": "../evil"}, func(e Event) bool { return e.CheckoutURL == "" }},
		{"checkout with a user", change{"checkout_link": "https://pay.kiwify.com.br@evil.example/x"},
			func(e Event) bool { return e.CheckoutURL == "" }},
		{"time with a zone", change{"updated_at": "2026-03-04T15:42:10-03:00"}, func(e Event) bool {
			return e.OccurredAt.Equal(time.Date(2026, 3, 4, 18, 42, 10, 0, time.UTC))
		}},
		{"time without a zone", change{"updated_at": "2026-03-04 15:42:10"}, func(e Event) bool {
			return e.OccurredAt.Equal(time.Date(2026, 3, 4, 18, 42, 10, 0, time.UTC))
		}},
		{"order id absent", change{"order_id": absent}, func(e Event) bool {
			return strings.HasPrefix(e.ID, "sha256-") && e.TransactionID == ""
		}},
		{"order id too long", change{"order_id": strings.Repeat("7", 500)}, func(e Event) bool {
			return strings.HasPrefix(e.ID, "sha256-") && len(e.TransactionID) == 128
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			events, err := kiwify{}.Parse(Delivery{Body: changed(t, "kiwify/order.json", test.change)},
				Place{Region: "BR"})
			if err != nil {
				t.Fatal(err)
			}
			checkEvent(t, events[0])
			if events[0].Kind != Purchased && events[0].Missing != "Customer.email" || !test.check(events[0]) {
				t.Errorf("got %+v", events[0])
			}
		})
	}
}

func TestKiwifyRefuses(t *testing.T) {
	testBroken(t, kiwify{})
	t.Run("nothing known", func(t *testing.T) { testRefused(t, kiwify{}, []byte(`{}`), "webhook_event_type") })
	t.Run("status of a cart", func(t *testing.T) {
		testRefused(t, kiwify{}, []byte(`{"status":1}`), "webhook_event_type")
	})
	t.Run("type and status of no use", func(t *testing.T) {
		testRefused(t, kiwify{}, changed(t, "kiwify/order.json", change{"webhook_event_type": 1,
			"order_status": []string{"paid"}}), "webhook_event_type")
	})
}

func kiwifySign(body []byte, secret string) string {
	mac := hmac.New(sha1.New, []byte(secret))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

func kiwifySigned(body []byte, secret string) Delivery {
	signature := kiwifySign(body, secret)
	return Delivery{Body: body, Query: func(name string) string {
		return map[string]string{"signature": signature}[name]
	}}
}

func TestKiwifyVerify(t *testing.T) {
	body := fixture(t, "kiwify/order.json")
	tampered := kiwifySigned(body, "kiwi-1")
	tampered.Body = append([]byte(" "), body...)
	wrapped := func(signature string) Delivery {
		return Delivery{Body: []byte(`{"signature":"` + signature + `", "order": ` + string(body) + `}`)}
	}
	order := []byte(strings.TrimSpace(string(body)))
	var compact bytes.Buffer
	if err := json.Compact(&compact, order); err != nil {
		t.Fatal(err)
	}
	wrappedCart := []byte(`{"signature":"` + kiwifySign([]byte(`{"status":"abandoned"}`), "kiwi-1") +
		`","cart":{"status":"abandoned"}}`)
	unsignedOrder := []byte(`{"signature":"` + kiwifySign([]byte(`{"status":"abandoned"}`), "kiwi-1") +
		`","cart":{"status":"abandoned"},"order":{"order_status":"paid"}}`)
	testVerify(t, kiwify{}, []authentication{
		{"signed", kiwifySigned(body, "kiwi-1"), []string{"kiwi-1"}, nil},
		{"signed with the second of two secrets", kiwifySigned(body, "kiwi-1"), []string{"kiwi-0", "kiwi-1"}, nil},
		{"signed with the first of two secrets", kiwifySigned(body, "kiwi-0"), []string{"kiwi-0", "kiwi-1"}, nil},
		{"wrapped, its order signed", wrapped(kiwifySign(order, "kiwi-1")), []string{"kiwi-1"}, nil},
		{"wrapped, its order signed without blanks", wrapped(kiwifySign(compact.Bytes(), "kiwi-1")), []string{"kiwi-1"},
			nil},
		{"wrapped, its cart signed", Delivery{Body: wrappedCart}, []string{"kiwi-1"}, nil},
		{"wrapped, the cart signed and not the order that is read", Delivery{Body: unsignedOrder}, []string{"kiwi-1"},
			ErrBadCredential},
		{"signed with another secret", kiwifySigned(body, "kiwi-2"), []string{"kiwi-1"}, ErrBadCredential},
		{"one byte more than signed", tampered, []string{"kiwi-1"}, ErrBadCredential},
		{"signed with an empty secret", kiwifySigned(body, ""), []string{""}, ErrBadCredential},
		{"signed, no secret", kiwifySigned(body, "kiwi-1"), nil, ErrBadCredential},
		{"wrapped, its order signed with another secret", wrapped(kiwifySign(order, "kiwi-2")), []string{"kiwi-1"},
			ErrBadCredential},
		{"wrapped, no order signed",
			Delivery{Body: []byte(`{"signature":"` + kiwifySign([]byte(`""`), "kiwi-1") + `","order":""}`)},
			[]string{"kiwi-1"}, ErrNoCredential},
		{"not signed", Delivery{Body: body}, []string{"kiwi-1"}, ErrNoCredential},
		{"broken, not signed", Delivery{Body: []byte("{")}, []string{"kiwi-1"}, ErrNoCredential},
		{"broken, signed", kiwifySigned([]byte("{"), "kiwi-1"), []string{"kiwi-1"}, nil},
	})
}

func FuzzKiwifyParse(f *testing.F) {
	f.Add([]byte(`{"cart":{"status":"abandoned","email":"rui.campos@example.com"}}`), "", "BR")
	f.Add([]byte(`{"signature":"00","order":{"order_status":"paid","Customer":{"mobile":{"number":"1"}}}}`), "", "BR")
	fuzzParse(f, kiwify{}, "kiwify/cart.json", "kiwify/order.json")
}

func FuzzKiwifyVerify(f *testing.F) {
	fuzzVerify(f, kiwify{}, kiwifySigned, "kiwify/cart.json", "kiwify/order.json")
}

func TestKiwifyWords(t *testing.T) {
	testWords(t, v1alpha1.PlatformKiwify, sortedKeys(kiwifyTypes), sortedKeys(kiwifyStatuses))
}
