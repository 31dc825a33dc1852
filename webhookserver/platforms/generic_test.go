package platforms

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"reflect"
	"testing"
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
)

// genericEntry makes a Store's entry with the mapping of the fixtures.
func genericEntry(t testing.TB, mods ...func(*v1alpha1.GenericMapping)) *v1alpha1.StorePlatform {
	t.Helper()
	made := &v1alpha1.GenericMapping{}
	if err := json.Unmarshal(fixture(t, "generic/mapping.json"), made); err != nil {
		t.Fatal(err)
	}
	for _, mod := range mods {
		mod(made)
	}
	return &v1alpha1.StorePlatform{Name: v1alpha1.PlatformGeneric, Generic: made}
}

func genericOf(t testing.TB, mods ...func(*v1alpha1.GenericMapping)) Platform {
	t.Helper()
	made, err := Configured(genericEntry(t, mods...))
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func TestGenericEvents(t *testing.T) {
	const cart, order = "generic/cart.json", "generic/order.json"
	topic := func(value any) change { return change{"topic": value} }
	testTable(t, genericOf(t), []row{
		{"cart left", cart, nil, "start: AbandonedCart"},
		{"cart left, no phone", cart, change{"data.buyer.phones": absent}, "start: AbandonedCart"},
		{"cart left, no buyer", cart, change{"data.buyer": absent}, "start: AbandonedCart"},
		{"cart left, in capitals and blanks", cart, topic(" CHECKOUT.Left\n"), "start: AbandonedCart"},
		{"PIX open", order, topic("pix.open"), "start: PixPending"},
		{"boleto open", order, topic("boleto.open"), "start: BoletoPending"},
		{"card refused", order, topic("card.refused"), "start: PaymentRefused"},
		{"paid", order, nil, "purchase, attributed"},
		{"paid, as a text of digits", order, topic("3"), "purchase, attributed"},
		{"paid, as a number", order, topic(3), "purchase, attributed"},
		{"paid, as a number with a point", order, topic(json.Number("3.0")), "purchase, attributed"},
		{"paid, as a truth value", order, topic(true), "purchase, attributed"},
		{"refunded", order, topic("order.refunded"), "reverse: refund"},
		{"disputed", order, topic("order.disputed"), "reverse: refund"},
		{"not mapped", order, topic("order.shipped"), "ignore: UnknownEvent"},
		{"not mapped, paid", order, topic("Payment Approved"), "purchase"},
		{"not mapped, of an order that is paid", order, change{"topic": "order.shipped", "data.payment_status": "paid"},
			"purchase"},
		{"no topic, of an order that is paid", order,
			change{"topic": absent, "data.payment_status": "paid"}, "purchase"},
		{"not mapped, refunded", order, topic("refunded"), "ignore: UnknownEvent"},
		{"not mapped, as a truth value", order, topic(false), "ignore: UnknownEvent"},
	})
}

func genericCartEvent() Event {
	return Event{
		ID: "dlv_40817/checkout.left", Name: "checkout.left", Kind: Abandoned, Trigger: v1alpha1.TriggerAbandonedCart,
		Customer:    Customer{Name: "Helena Prado", Phone: "+5531988776655", Email: "helena.prado@example.com"},
		Product:     Product{ID: "VIO-01", Name: "Violão do Zero"},
		CheckoutURL: "https://shop.example.com/c/9f2k?step=pay", Amount: "347.50", Currency: "BRL",
		OccurredAt: time.Date(2026, 5, 11, 12, 14, 33, 0, time.UTC),
	}
}

func TestGenericJSONAndForm(t *testing.T) {
	testEvents(t, genericOf(t), Delivery{Body: fixture(t, "generic/cart.json")}, genericCartEvent())
	testEvents(t, genericOf(t), Delivery{Body: fixture(t, "generic/cart.txt")}, genericCartEvent())
}

// TestGenericProducts: a path with [*] leads to several products, and each is an event.
func TestGenericProducts(t *testing.T) {
	first := Event{
		Name: "order.paid", Kind: Purchased, Attribute: true, TransactionID: "88123", Currency: "BRL",
		ID:         eventID(nil, "dlv_40990/order.paid", "VIO-01"),
		Customer:   Customer{Name: "Helena Prado", Phone: "+5531988776655", Email: "helena.prado@example.com"},
		Product:    Product{ID: "VIO-01", Name: "Violão do Zero"},
		OccurredAt: time.Date(2026, 5, 11, 10, 2, 7, 0, time.UTC),
	}
	second := first
	second.ID, second.Product = eventID(nil, "dlv_40990/order.paid", "VIO-02"), Product{ID: "VIO-02",
		Name: "Caderno de Acordes"}
	delivery := Delivery{Body: fixture(t, "generic/order.json")}
	t.Run("of the sale's amount no product has a share", func(t *testing.T) {
		testEvents(t, genericOf(t), delivery, first, second)
	})
	t.Run("each has its own amount", func(t *testing.T) {
		first.Amount, second.Amount = "347.50", "29.00"
		testEvents(t, genericOf(t, func(m *v1alpha1.GenericMapping) { m.Fields.Amount = "$.data.items[*].price" }),
			delivery, first, second)
	})
	t.Run("the first only", func(t *testing.T) {
		first.ID, first.Amount = "dlv_40990/order.paid", "376.50"
		testEvents(t, genericOf(t, func(m *v1alpha1.GenericMapping) { m.Fields.ProductID = "$.data.items[0].sku" }),
			delivery, first)
	})
}

// TestGenericTriesAll: where a path leads to several values, the first that can be used.
func TestGenericTriesAll(t *testing.T) {
	platform := genericOf(t, func(m *v1alpha1.GenericMapping) {
		m.Fields.Phone, m.Fields.Email = "$.data.buyer.contacts[*].phone", "$.data.buyer.contacts[*].mail"
	})
	contact := func(phone, mail any) map[string]any { return map[string]any{"phone": phone, "mail": mail} }
	for name, contacts := range map[string][]any{
		"the first is none":   {contact("x", "x"), contact("31988776655", "rui@example.com")},
		"the first is absent": {map[string]any{}, contact(nil, "rui@example.com"), contact("31988776655", 7)},
		"the first counts":    {contact("31988776655", "rui@example.com"), contact("31911112222", "ana@example.com")},
	} {
		events, err := platform.Parse(Delivery{Body: changed(t, "generic/cart.json",
			change{"data.buyer.contacts": contacts})}, Place{Region: "BR"})
		if err != nil || events[0].Customer.Phone != "+5531988776655" || events[0].Customer.Email != "rui@example.com" {
			t.Errorf("%s: got %+v, %v", name, events, err)
		}
	}
}

// TestGenericIsForgiving: values in other types, or absent.
func TestGenericIsForgiving(t *testing.T) {
	for _, test := range []struct {
		name   string
		change change
		check  func(Event) bool
	}{
		{"no id: the body is the id", change{"delivery.id": absent}, func(e Event) bool {
			return len(e.ID) > 7 && e.ID[:7] == "sha256-"
		}},
		{"id as a number", change{"delivery.id": 40817}, func(e Event) bool { return e.ID == "40817/checkout.left" }},
		{"phone as an object",
			change{"data.buyer.phones": []any{map[string]any{"ddi": "55", "ddd": "31", "number": "988776655"}}},
			func(e Event) bool { return e.Customer.Phone == "+5531988776655" }},
		{"phone as a text where a list was", change{"data.buyer.phones": "31988776655"}, func(e Event) bool {
			return e.Customer.Phone == ""
		}},
		{"items as an object", change{"data.items": map[string]any{"0": map[string]any{"sku": 7}}}, func(e Event) bool {
			return e.Product.ID == "7"
		}},
		{"no items", change{"data.items": absent}, func(e Event) bool { return e.Product == Product{} }},
		{"amount that is none", change{"data.total.value": "free"}, func(e Event) bool { return e.Amount == "" }},
		{"link without a scheme", change{"data.links.resume": "shop.example.com/c"}, func(e Event) bool {
			return e.CheckoutURL == ""
		}},
		{"time without a zone", change{"delivery.sent_at": "2026-05-11 09:14:33"}, func(e Event) bool {
			return e.OccurredAt.Equal(time.Date(2026, 5, 11, 12, 14, 33, 0, time.UTC))
		}},
		{"time that is none", change{"delivery.sent_at": "yesterday"}, func(e Event) bool {
			return e.OccurredAt.IsZero()
		}},
		{"nothing but the event", change{"delivery": absent, "data": absent}, func(e Event) bool {
			return e.Customer == Customer{}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			events, err := genericOf(t).Parse(Delivery{Body: changed(t, "generic/cart.json", test.change)},
				Place{Region: "BR"})
			if err != nil || len(events) != 1 {
				t.Fatal(err, len(events))
			}
			checkEvent(t, events[0])
			if events[0].Kind != Abandoned || !test.check(events[0]) {
				t.Errorf("got %+v", events[0])
			}
		})
	}
}

// TestGenericTellsNothing: what the event path finds and the mapping does not know may be
// anything, so that it is neither logged nor shown.
func TestGenericTellsNothing(t *testing.T) {
	toName := genericOf(t, func(m *v1alpha1.GenericMapping) { m.Event = "$.data.buyer.full_name" })
	testEvents(t, toName, Delivery{Body: fixture(t, "generic/cart.json")}, Event{
		ID: "dlv_40817/helena prado", Name: "unmapped", Kind: Ignored, Reason: reasonUnknown,
	})
}

func TestGenericRefuses(t *testing.T) {
	testBroken(t, genericOf(t))
	for name, value := range map[string]any{"absent": absent, "null": nil, "blank": " ", "an object": map[string]any{},
		"a list": []any{"order.paid"}} {
		t.Run("event: "+name, func(t *testing.T) {
			testRefused(t, genericOf(t), changed(t, "generic/cart.json", change{"topic": value}), "event")
		})
	}
}

func TestGenericConfiguration(t *testing.T) {
	type mapping = v1alpha1.GenericMapping
	for field, change := range map[string]func(*mapping){
		"generic.event":        func(m *mapping) { m.Event = "topic" },
		"generic.fields.email": func(m *mapping) { m.Fields.Email = "$..email" },
		"generic.reversal":     func(m *mapping) { m.Reversal = []string{"ORDER.PAID"} },
		"generic.auth.type":    func(m *mapping) { m.Auth.Type = "None" },
	} {
		t.Run(field, func(t *testing.T) {
			_, err := Configured(genericEntry(t, change))
			var wrong *ConfigError
			if !errors.As(err, &wrong) || wrong.Field != field || wrong.Expected == "" {
				t.Errorf("got %v, want %s named", err, field)
			}
		})
	}
	_, err := Configured(&v1alpha1.StorePlatform{Name: v1alpha1.PlatformGeneric})
	if want := (&ConfigError{Field: "generic", Expected: "a mapping"}); !reflect.DeepEqual(err, want) {
		t.Errorf("got %v, want %v", err, want)
	}
}

func carried(name, value string, body []byte) Delivery {
	return Delivery{Body: body, Header: func(asked string) string { return map[string]string{name: value}[asked] }}
}

func genericSign(body []byte, secret string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

func TestGenericHMAC(t *testing.T) {
	body := fixture(t, "generic/cart.json")
	signature := genericSign(body, "gen-1")
	rows := func(name string) []authentication {
		return []authentication{
			{"signed", carried(name, signature, body), []string{"gen-1"}, nil},
			{"signed with the second of two secrets", carried(name, signature, body), []string{"gen-0", "gen-1"}, nil},
			{"signed, with a prefix", carried(name, "sha256="+signature, body), []string{"gen-1"}, nil},
			{"signed with another secret", carried(name, signature, body), []string{"gen-2"}, ErrBadCredential},
			{"one byte more than signed", carried(name, signature, append([]byte(" "), body...)), []string{"gen-1"},
				ErrBadCredential},
			{"signed with an empty secret", carried(name, genericSign(body, ""), body), []string{""}, ErrBadCredential},
			{"the secret itself", carried(name, "gen-1", body), []string{"gen-1"}, ErrBadCredential},
			{"in another header", carried("X-Other", signature, body), []string{"gen-1"}, ErrNoCredential},
			{"as a bearer token", carried("Authorization", "Bearer gen-1", body), []string{"gen-1"}, ErrNoCredential},
			{"not signed", Delivery{Body: body}, []string{"gen-1"}, ErrNoCredential},
		}
	}
	t.Run("header of the mapping", func(t *testing.T) { testVerify(t, genericOf(t), rows("X-Shop-Signature")) })
	t.Run("header by default", func(t *testing.T) {
		testVerify(t, genericOf(t, func(m *v1alpha1.GenericMapping) { m.Auth.Header = "" }), rows("X-Signature"))
	})
}

func bearing(m *v1alpha1.GenericMapping) { m.Auth = v1alpha1.GenericAuth{Type: authBearer} }

func TestGenericBearer(t *testing.T) {
	body := fixture(t, "generic/cart.json")
	with := func(value string) Delivery { return carried("Authorization", value, body) }
	testVerify(t, genericOf(t, bearing), []authentication{
		{"bearer", with("Bearer gen-1"), []string{"gen-1"}, nil},
		{"bearer, in small letters and blanks", with(" bearer  gen-1 "), []string{"gen-0", "gen-1"}, nil},
		{"another token", with("Bearer gen-2"), []string{"gen-1"}, ErrBadCredential},
		{"a token of the same beginning", with("Bearer gen-"), []string{"gen-1"}, ErrBadCredential},
		{"empty, and an empty secret", with("Bearer "), []string{""}, ErrNoCredential},
		{"another scheme", with("Basic gen-1"), []string{"gen-1"}, ErrNoCredential},
		{"no scheme", with("gen-1"), []string{"gen-1"}, ErrNoCredential},
		{"signed instead", carried("X-Shop-Signature", genericSign(body, "gen-1"), body), []string{"gen-1"},
			ErrNoCredential},
		{"nothing", Delivery{Body: body}, []string{"gen-1"}, ErrNoCredential},
	})
}

// FuzzGenericParse feeds any body to any paths: the contract of Event holds, whatever a
// path leads to.
func FuzzGenericParse(f *testing.F) {
	for _, name := range []string{"generic/cart.json", "generic/order.json", "generic/cart.txt"} {
		f.Add(fixture(f, name), "$.topic", "$.data.buyer['e-mail']")
		f.Add(fixture(f, name), "$.delivery.id", "$.data.items[*].sku")
	}
	f.Add([]byte(`{"topic":"order.paid","data":{"items":[[],{},null,"x",1e400]}}`), "$.topic", "$.data.items[*]")
	f.Fuzz(func(t *testing.T, body []byte, event, path string) {
		made, err := Configured(genericEntry(t, func(m *v1alpha1.GenericMapping) {
			to := v1alpha1.JSONPath(path)
			m.Event = v1alpha1.JSONPath(event)
			m.Fields = v1alpha1.GenericFields{
				EventID: to, Name: to, Phone: to, Email: to, ProductID: to, ProductName: to, CheckoutURL: to,
				Amount: to, Currency: to, TransactionID: to, OccurredAt: to,
			}
		}))
		if err != nil {
			if _, ok := errors.AsType[*ConfigError](err); !ok {
				t.Fatalf("error of an unknown type: %v", err)
			}
			return
		}
		events, err := made.Parse(Delivery{Body: body}, Place{Region: "BR"})
		if err != nil {
			checkInputError(t, made, err)
			return
		}
		if len(events) == 0 || len(events) > maxProducts {
			t.Fatalf("%d events", len(events))
		}
		for _, event := range events {
			checkEvent(t, event)
		}
	})
}

func FuzzGenericVerify(f *testing.F) {
	fuzzVerify(f, genericOf(f), func(body []byte, secret string) Delivery {
		return carried("X-Shop-Signature", genericSign(body, secret), body)
	}, "generic/cart.json", "generic/order.json")
}

func FuzzGenericBearer(f *testing.F) {
	for _, value := range []string{"Bearer gen-1", "bearer  gen-1", "Bearer", "Basic gen-1", ""} {
		f.Add(value, "gen-1")
	}
	made := genericOf(f, bearing)
	f.Fuzz(func(t *testing.T, value, secret string) {
		delivery := carried("Authorization", value, nil)
		if made.Verify(delivery, [][]byte{nil, {}}) == nil {
			t.Fatal("authentic without a secret")
		}
		if err := made.Verify(delivery, [][]byte{[]byte(secret)}); err == nil && secret == "" {
			t.Fatal("authentic with an empty secret")
		}
	})
}

func BenchmarkGenericConfigured(b *testing.B) {
	entry := genericEntry(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Configured(entry); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkGenericCart(b *testing.B) {
	body, made := fixture(b, "generic/cart.json"), genericOf(b)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := made.Parse(Delivery{Body: body}, Place{Region: "BR"}); err != nil {
			b.Fatal(err)
		}
	}
}
