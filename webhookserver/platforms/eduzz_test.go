package platforms

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
)

func TestEduzzHubEvents(t *testing.T) {
	const cart, invoice = "eduzz/hub-cart.json", "eduzz/hub-invoice.json"
	event := func(name string) change { return change{"event": "myeduzz." + name} }
	open := func(name, method string) change {
		return change{"event": "myeduzz." + name, "data.paymentMethod": method}
	}
	testTable(t, eduzz{}, []row{
		{"cart left", cart, nil, "start: AbandonedCart"},
		{"cart left, no phone", cart, change{"data.customer.phone": absent}, "start: AbandonedCart"},
		{"waiting for a PIX", invoice, open("invoice_waiting_payment", "pix"), "start: PixPending"},
		{"waiting for a boleto", invoice, open("invoice_waiting_payment", "bankslip"), "start: BoletoPending"},
		{"waiting for a card", invoice, open("invoice_waiting_payment", "creditCard"), "ignore: CardPending"},
		{"opened for a PIX", invoice, open("invoice_opened", "pix"), "start: PixPending"},
		{"opened, method not told", invoice, change{"event": "myeduzz.invoice_opened", "data.paymentMethod": absent},
			"start: BoletoPending"},
		{"paid", invoice, nil, "purchase, attributed"},
		{"paid, name without its prefix", invoice, change{"event": "invoice_paid"}, "purchase, attributed"},
		{"refused", invoice, event("invoice_refused"), "start: PaymentRefused"},
		{"refund asked for", invoice, event("invoice_waiting_refund"), "reverse: refund"},
		{"refunded", invoice, event("invoice_refunded"), "reverse: refund"},
		{"charged back", invoice, event("invoice_chargeback"), "reverse: chargeback"},
		{"cancelled", invoice, event("invoice_canceled"), "ignore: EventNotUsed"},
		{"expired", invoice, event("invoice_expired"), "payment expired"},
		{"contract", invoice, event("contract_updated"), "ignore: EventNotUsed"},
		{"negotiated", invoice, event("invoice_negotiated"), "ignore: EventNotUsed"},
		{"contract, with a phone of its parts", invoice, change{"event": "myeduzz.contract_created",
			"data": map[string]any{"buyer": map[string]any{"phone": map[string]any{"countryCode": "55",
				"areaCode": "51", "number": "991234567"}}}}, "ignore: EventNotUsed"},
		{"paid, in upper case", invoice, change{"event": "MYEDUZZ.INVOICE_PAID"}, "purchase, attributed"},
		{"no event, status paid", invoice, change{"event": absent}, "purchase, attributed"},
		{"no event, status waitingPayment", invoice, change{"event": absent, "data.status": "waitingPayment"},
			"start: PixPending"},
		{"paid, data is no object", invoice, change{"data": "string"}, "unusable: data.buyer.email"},
		{"paid, data absent", invoice, change{"data": absent}, "unusable: data.buyer.email"},
		{"paid, buyer is a text", invoice, change{"data.buyer": "Lia"}, "unusable: data.buyer.email"},
		{"cart left, customer is a number", cart, change{"data.customer": 1}, "start: AbandonedCart"},
		{"cart left, customer called buyer", cart, change{"data.customer": absent,
			"data.buyer": map[string]any{"email": "lia.torres@example.com"}}, "start: AbandonedCart"},
		{"an event of tomorrow, paid", invoice, event("invoice_teleported"), "purchase"},
		{"an event of tomorrow", invoice, change{"event": "myeduzz.invoice_teleported", "data.status": "late"},
			"ignore: UnknownEvent"},
		{"ping", invoice, change{"event": "ping", "id": absent, "sentDate": absent,
			"data": map[string]any{"message": "ping"}}, "ignore: Ping"},
	})
}

func TestEduzzLegacyStatuses(t *testing.T) {
	const invoice = "eduzz/legacy-invoice.json"
	status := func(status any) change { return change{"trans_status": status} }
	paidBy := func(status, method any) change {
		return change{"trans_status": status, "trans_paymentmethod": method}
	}
	testTable(t, eduzz{}, []row{
		{"1 open, PIX", invoice, status("1"), "start: PixPending"},
		{"1 open, boleto", invoice, paidBy("1", "1"), "start: BoletoPending"},
		{"1 open, boleto as a number", invoice, paidBy(1, 1), "start: BoletoPending"},
		{"1 open, card", invoice, paidBy("1", "15"), "ignore: CardPending"},
		{`"3" paid`, invoice, status("3"), "purchase, attributed"},
		{"3 paid", invoice, status(3), "purchase, attributed"},
		{"3.0 paid", invoice, status(json.RawMessage("3.0")), "purchase, attributed"},
		{`"3.0" paid`, invoice, status("3.0"), "purchase, attributed"},
		{"a word: paid", invoice, status("Paid"), "purchase, attributed"},
		{"a word: waiting_payment", invoice, status("waiting_payment"), "start: PixPending"},
		{"a word of tomorrow", invoice, status("teleported"), "ignore: UnknownEvent"},
		{"no status, named invoice_paid", invoice, change{"trans_status": absent, "event_name": "invoice_paid"},
			"purchase, attributed"},
		{"no status at all", invoice, change{"trans_status": absent}, "ignore: UnknownEvent"},
		{"3 paid, type is a number", invoice, change{"type": 3}, "purchase, attributed"},
		{"3 paid, type absent", invoice, change{"type": absent}, "purchase, attributed"},
		{"3 paid, third charge of a contract", invoice, change{"recurrence_count": "3"}, "purchase"},
		{"3 paid, marked as the first charge", invoice, change{"recurrence_count": "3",
			"recurrence_first_payment": "1"}, "purchase, attributed"},
		{"4 cancelled", invoice, status("4"), "ignore: EventNotUsed"},
		{"6 waiting for a refund", invoice, status("6"), "reverse: refund"},
		{"7 refunded", invoice, status("7"), "reverse: refund"},
		{"9 duplicated", invoice, status("9"), "ignore: EventNotUsed"},
		{"10 expired", invoice, status("10"), "payment expired"},
		{"11 being recovered", invoice, status("11"), "ignore: EventNotUsed"},
		{"15 waiting for payment, PIX", invoice, status("15"), "start: PixPending"},
		{"99, of tomorrow", invoice, status("99"), "ignore: UnknownEvent"},
		{"contract", invoice, change{"type": "contract"}, "ignore: EventNotUsed"},
		{"another type", invoice, change{"type": "teleport", "trans_status": absent}, "ignore: UnknownEvent"},
	})
}

func TestEduzzHubCart(t *testing.T) {
	want := Event{
		ID: "h8s2k4l6m0n1b3v5c7x9z", Name: "sun.cart_abandonment", Kind: Abandoned,
		Trigger: v1alpha1.TriggerAbandonedCart, Customer: Customer{Name: "Lia Torres", Phone: "+5551991234567",
			Email: "lia.torres@example.com"},
		Product:       Product{ID: "1188225"},
		CheckoutURL:   "https://sun.eduzz.com/c_f0e1d2c3b4a5968778695a4b3c2d1e0f",
		TransactionID: "f0e1d2c3b4a5968778695a4b3c2d1e0f",
		OccurredAt:    time.Date(2026, 5, 6, 7, 8, 9, 321_000_000, time.UTC),
	}
	testEvents(t, eduzz{}, Delivery{Body: fixture(t, "eduzz/hub-cart.json")}, want)
	for name, value := range map[string]any{"one id": "1188225", "one number": 1188225,
		"numbers, repeated": []int{1188225, 1188225}} {
		t.Run(name, func(t *testing.T) {
			testEvents(t, eduzz{}, Delivery{Body: changed(t, "eduzz/hub-cart.json", change{"data.productId": value})},
				want)
		})
	}
	t.Run("several products are one cart", func(t *testing.T) {
		testEvents(t, eduzz{},
			Delivery{Body: changed(t, "eduzz/hub-cart.json", change{"data.productId": []any{"1188225", 1188226}})},
			want)
	})
}

func TestEduzzHubInvoice(t *testing.T) {
	first := Event{
		ID: "p9o8i7u6y5t4r3e2w1q0/1188225", Name: "myeduzz.invoice_paid", Kind: Purchased, Attribute: true,
		Customer: Customer{Name: "Lia Torres", Phone: "+5551991234567", Email: "lia.torres@example.com"},
		Product:  Product{ID: "1188225", Name: "Violão do Zero"},
		Amount:   "250.50", Currency: "BRL", TransactionID: "90807060",
		OccurredAt: time.Date(2026, 5, 6, 8, 0, 0, 0, time.UTC),
	}
	second := first
	second.ID, second.Product = "p9o8i7u6y5t4r3e2w1q0/1188226", Product{ID: "1188226", Name: "Caderno de Cifras"}
	second.Amount = "60.00"
	testEvents(t, eduzz{}, Delivery{Body: fixture(t, "eduzz/hub-invoice.json")}, first, second)

	t.Run("one product has the whole amount", func(t *testing.T) {
		one := first
		one.ID, one.Amount = "p9o8i7u6y5t4r3e2w1q0", "312.75"
		items := []any{map[string]any{"productId": 1188225, "name": "Violão do Zero"}}
		testEvents(t, eduzz{}, Delivery{Body: changed(t, "eduzz/hub-invoice.json", change{"data.items": items})}, one)
	})
	t.Run("no product", func(t *testing.T) {
		none := first
		none.ID, none.Amount, none.Product = "p9o8i7u6y5t4r3e2w1q0", "310.50", Product{}
		testEvents(t, eduzz{},
			Delivery{Body: changed(t, "eduzz/hub-invoice.json", change{"data.items": "none", "data.paid": absent})},
			none)
	})
	t.Run("a thousand products make a bounded number of events", func(t *testing.T) {
		var items []any
		for i := range 1000 {
			items = append(items, map[string]any{"productId": i})
		}
		events, err := eduzz{}.Parse(Delivery{Body: changed(t, "eduzz/hub-invoice.json", change{"data.items": items})},
			Place{Region: "BR"})
		if err != nil || len(events) != maxProducts {
			t.Errorf("got %d events, %v", len(events), err)
		}
	})
}

// TestEduzzPhones: the first usable of cellphone, phone, phone2 and the student's.
func TestEduzzPhones(t *testing.T) {
	const cell, landline = "+5551991234567", "+555132224455"
	parts := map[string]any{"countryCode": "55", "areaCode": "51", "number": "991234567"}
	for _, test := range []struct {
		name   string
		change change
		want   string
	}{
		{"cellphone first", nil, cell},
		{"then phone", change{"data.buyer.cellphone": nil}, landline},
		{"an unusable one is passed over", change{"data.buyer.cellphone": "51 19999-9999"}, landline},
		{"then phone2", change{"data.buyer.cellphone": "", "data.buyer.phone": "x", "data.buyer.phone2": "51991234567"},
			cell},
		{"then the student's", change{"data.buyer.cellphone": absent, "data.buyer.phone": absent,
			"data.student": map[string]any{"phone": "51991234567"}}, cell},
		{"as an object of its parts", change{"data.buyer.cellphone": parts}, cell},
		{"none", change{"data.buyer.cellphone": absent, "data.buyer.phone": absent}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			events, err := eduzz{}.Parse(Delivery{Body: changed(t, "eduzz/hub-invoice.json", test.change)},
				Place{Region: "BR"})
			if err != nil {
				t.Fatal(err)
			}
			if got := events[0].Customer.Phone; got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestEduzzLegacyCart(t *testing.T) {
	want := Event{
		ID: "c7a1f5d2-3b4c-4d5e-8f60-718293a4b5c6", Name: "abandonment", Kind: Abandoned,
		Trigger: v1alpha1.TriggerAbandonedCart, Customer: Customer{Name: "Lia Torres", Phone: "+5551991234567",
			Email: "lia.torres@example.com"},
		Product:     Product{ID: "1188225", Name: "Violão do Zero"},
		CheckoutURL: "https://sun.eduzz.com/1188225",
		OccurredAt:  time.Date(2026, 5, 6, 7, 1, 2, 3_000_000, time.UTC),
	}
	nested := `{"type":"abandonment","identifier":"c7a1f5d2-3b4c-4d5e-8f60-718293a4b5c6","checkoutUrl":"https://sun.eduzz.com/1188225",
		"cartAccessedAt":"2026-05-06T07:01:02.003Z","product":{"id":1188225,"title":"Violão do Zero"},
		"customer":{"name":"Lia Torres","phone":51991234567,"email":"lia.torres@example.com"}}`
	for name, delivery := range map[string]Delivery{
		"JSON, bracketed":            {Body: fixture(t, "eduzz/legacy-cart.json"), ContentType: "application/json"},
		"JSON, nested":               {Body: []byte(nested)},
		"JSON that is called a form": {Body: []byte(nested), ContentType: "application/x-www-form-urlencoded"},
		"form": {Body: fixture(t, "eduzz/legacy-cart.txt"),
			ContentType: "application/x-www-form-urlencoded; charset=utf-8"},
		"form without its content type": {Body: fixture(t, "eduzz/legacy-cart.txt")},
	} {
		t.Run(name, func(t *testing.T) { testEvents(t, eduzz{}, delivery, want) })
	}
}

func TestEduzzLegacyInvoice(t *testing.T) {
	want := Event{
		ID: "90807060/3", Name: "invoice/3", Kind: Purchased, Attribute: true,
		Customer:    Customer{Name: "Lia Torres", Phone: "+5551991234567", Email: "lia.torres@example.com"},
		Product:     Product{ID: "1188225", Name: "Violão do Zero"},
		CheckoutURL: "https://sun.eduzz.com/1188225", Amount: "252.75", Currency: "BRL", TransactionID: "90807060",
		OccurredAt: time.Date(2026, 5, 7, 2, 59, 59, 0, time.UTC), // a date alone is the end of its day
	}
	testEvents(t, eduzz{}, Delivery{Body: fixture(t, "eduzz/legacy-invoice.json")}, want)
	t.Run("recovery address first", func(t *testing.T) {
		want := want
		want.CheckoutURL = "https://sun.eduzz.com/r_1"
		testEvents(t, eduzz{},
			Delivery{Body: changed(t, "eduzz/legacy-invoice.json",
				change{"trans_recovery_url": "https://sun.eduzz.com/r_1"})}, want)
	})
	t.Run("several products", func(t *testing.T) {
		first, second := want, want
		first.ID, first.Amount = "90807060/3/1188225", "250.50"
		second.ID, second.Amount = "90807060/3/1188226", "60.00"
		second.Product = Product{ID: "1188226", Name: "Caderno de Cifras"}
		testEvents(t, eduzz{}, Delivery{Body: changed(t, "eduzz/legacy-invoice.json", change{
			"trans_items[1][item_product_id]":   "1188226",
			"trans_items[1][item_product_name]": "Caderno de Cifras",
			"trans_items[1][item_value]":        "60",
		})}, first, second)
	})
}

func TestEduzzRefuses(t *testing.T) {
	testBroken(t, eduzz{})
	t.Run("event", func(t *testing.T) {
		testRefused(t, eduzz{}, changed(t, "eduzz/hub-invoice.json", change{"event": 123}), "event")
	})
	t.Run("type alone, of no use", func(t *testing.T) { testRefused(t, eduzz{}, []byte(`{"type":3}`), "event") })
	t.Run("nothing known", func(t *testing.T) { testRefused(t, eduzz{}, []byte(`{}`), "event") })
}

func eduzzSigned(body []byte, secret string) Delivery {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	signature := hex.EncodeToString(mac.Sum(nil))
	return Delivery{Body: body, Header: func(name string) string {
		if strings.EqualFold(name, "x-signature") {
			return signature
		}
		return ""
	}}
}

func TestEduzzVerify(t *testing.T) {
	body := fixture(t, "eduzz/hub-cart.json")
	signed := eduzzSigned(body, "hub-1")
	prefixed := Delivery{Body: body, Header: func(name string) string { return "sha256=" + signed.Header(name) }}
	tampered := Delivery{Body: append([]byte(" "), body...), Header: signed.Header}
	form := Delivery{Body: fixture(t, "eduzz/legacy-cart.txt")}
	testVerify(t, eduzz{}, []authentication{
		{"signed", signed, []string{"hub-1"}, nil},
		{"signed, with the prefix", prefixed, []string{"hub-1"}, nil},
		{"signed with the third of three keys", signed, []string{"hub-3", "hub-2", "hub-1"}, nil},
		{"origin_secret in JSON", Delivery{Body: fixture(t, "eduzz/legacy-invoice.json")}, []string{"eduzz-origin-1"},
			nil},
		{"origin in JSON", Delivery{Body: fixture(t, "eduzz/legacy-cart.json")}, []string{"eduzz-origin-1"}, nil},
		{"origin in a form", form, []string{"hub-1", "eduzz-origin-1"}, nil},
		{"signed with another key", eduzzSigned(body, "hub-2"), []string{"hub-1"}, ErrBadCredential},
		{"one byte more than signed", tampered, []string{"hub-1"}, ErrBadCredential},
		{"signed with an empty key", eduzzSigned(body, ""), []string{""}, ErrBadCredential},
		{"another origin", form, []string{"eduzz-origin-2"}, ErrBadCredential},
		{"the old api_key", Delivery{Body: []byte(`{"api_key":"eduzz-api-key-1"}`)}, []string{"eduzz-api-key-1"},
			ErrNoCredential},
		{"a wrong signature beside the right origin", Delivery{Body: form.Body, Header: prefixed.Header},
			[]string{"eduzz-origin-1"}, ErrBadCredential},
		{"origin that is a number", Delivery{Body: []byte(`{"origin":1}`)}, []string{"1"}, ErrNoCredential},
		{"neither signed nor an origin", Delivery{Body: body}, []string{"hub-1"}, ErrNoCredential},
		{"ping, not signed", Delivery{Body: []byte(`{"event":"ping"}`)}, []string{"hub-1"}, ErrNoCredential},
	})
	t.Run("broken, not signed", func(t *testing.T) {
		var input *InputError
		if err := (eduzz{}).Verify(Delivery{Body: []byte("{")}, [][]byte{[]byte("hub-1")}); !errors.As(err, &input) {
			t.Errorf("got %v", err)
		}
	})
}

func FuzzEduzzParse(f *testing.F) {
	f.Add([]byte("trans_status=3&product_name=100%&cus_name=a;b&cus_email=a%40b.c&%zz=1"), "", "BR")
	f.Add([]byte(`{"event":"ping","data":{"message":"ping"}}`), "", "BR")
	f.Add([]byte(`{"trans_status":3.0,"trans_items":[{"item_product_id":1},{"item_product_id":2},7]}`), "", "BR")
	fuzzParse(f, eduzz{}, "eduzz/hub-cart.json", "eduzz/hub-invoice.json",
		"eduzz/legacy-cart.json", "eduzz/legacy-cart.txt", "eduzz/legacy-invoice.json")
}

func FuzzEduzzVerify(f *testing.F) {
	fuzzVerify(f, eduzz{}, eduzzSigned, "eduzz/hub-cart.json", "eduzz/legacy-cart.txt", "eduzz/legacy-invoice.json")
}

func ExampleInputError() {
	_, err := eduzz{}.Parse(Delivery{Body: []byte(`{"event":{}}`)}, Place{Region: "BR"})
	fmt.Println(err)
	// Output: field "event": expected a string
}

func TestEduzzWords(t *testing.T) {
	testWords(t, v1alpha1.PlatformEduzz, sortedKeys(eduzzHubEvents), sortedKeys(eduzzWords),
		[]string{"myeduzz.cart_abandonment"})
}
