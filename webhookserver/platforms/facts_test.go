package platforms

import (
	"strings"
	"testing"
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
)

// TestPurchasesAreFound: a purchase whose customer is a level deeper or higher than usual, or
// goes by the name that another platform gives them.
func TestPurchasesAreFound(t *testing.T) {
	for _, test := range []struct {
		name     string
		platform Platform
		body     string
		product  string
	}{
		{"Cakto, in an order", caktoUsual, `{"event":"purchase_approved","data":{"order":{"id":"1",
			"product":{"short_id":"p1"},"customer":{"email":"ana@example.com","phone":"11987650001"}}}}`, "p1"},
		{"Cakto, at the top", caktoUsual,
			`{"event":"purchase_approved","data":{"id":"1"},"customer":{"email":"ana@example.com"}}`, ""},
		{"Cakto, a buyer", caktoUsual,
			`{"event":"purchase_approved","data":{"id":"1","buyer":{"email":"ana@example.com"}}}`, ""},
		{"Cakto, a list of orders in orders", caktoUsual,
			`{"event":"purchase_approved","data":[{"order":{"customer":{"email":"ana@example.com"}}}]}`, ""},
		{"Hotmart, at the top", hotmart{},
			`{"event":"PURCHASE_APPROVED","buyer":{"email":"ana@example.com"},"product":{"id":5}}`, "5"},
		{"Hotmart, in a purchase", hotmart{},
			`{"event":"PURCHASE_APPROVED","data":{"purchase":{"transaction":"T","buyer":{"email":"ana@example.com"}}}}`,
			""},
		{"Hotmart, a subscriber", hotmart{},
			`{"event":"PURCHASE_APPROVED","data":{"subscription":{"subscriber":{"email":"ana@example.com"}},"product":{"id":5}}}`, "5"},
		{"Hotmart, two levels deeper", hotmart{},
			`{"event":"PURCHASE_APPROVED","data":{"payload":{"order":{"client":{"e_mail":"x","email":"ana@example.com"}}}}}`, ""},
		{"Hotmart 1.0, as another calls it", hotmart{},
			`{"status":"approved","customer_email":"ana@example.com","prod":"5"}`, "5"},
		{"Kiwify, in data", kiwify{},
			`{"webhook_event_type":"order_approved","data":{"order_id":"o","Customer":{"email":"ana@example.com"},"Product":{"product_id":"k"}}}`, "k"},
		{"Kiwify, a payer", kiwify{}, `{"order_status":"paid","order_id":"o","payer":{"email":"ana@example.com"}}`, ""},
		{"Eduzz, at the top", eduzz{},
			`{"event":"myeduzz.invoice_paid","buyer":{"email":"ana@example.com"},"items":[{"productId":"7"}]}`, "7"},
		{"Eduzz, in an invoice", eduzz{},
			`{"event":"myeduzz.invoice_paid","data":{"invoice":{"id":"1","buyer":{"email":"ana@example.com"},"items":[{"productId":"7"}]}}}`, "7"},
		{"Eduzz, a client", eduzz{},
			`{"event":"myeduzz.invoice_paid","data":{"id":"1","client":{"email":"ana@example.com"}}}`, ""},
		{"Eduzz, old format, a customer", eduzz{}, `{"trans_status":3,"customer":{"email":"ana@example.com"}}`, ""},
		{"Kirvano, in data", kirvanoUsual,
			`{"event":"SALE_APPROVED","data":{"sale_id":"s","customer":{"email":"ana@example.com"},"products":[{"id":"k1"}]}}`, "k1"},
		{"Ticto, in data", tictoUsual,
			`{"status":"authorized","data":{"customer":{"email":"ana@example.com"},"item":{"product_id":9}}}`, "9"},
		{"Ticto, a contact", tictoUsual,
			`{"status":"authorized","contact":{"email":"ana@example.com"},"item":{"product_id":9}}`, "9"},
		{"PerfectPay, in a sale", perfectpayUsual,
			`{"sale_status_enum":2,"sale":{"customer":{"email":"ana@example.com"},"product":{"code":"c"}}}`, "c"},
		{"Monetizze, in data", monetizzeUsual,
			`{"tipoEvento":{"codigo":2},"data":{"comprador":{"email":"ana@example.com"},"produto":{"codigo":4}}}`, "4"},
		{"Monetizze, a cliente", monetizzeUsual,
			`{"tipoEvento":{"codigo":2},"cliente":{"email":"ana@example.com"},"produto":{"codigo":4}}`, "4"},
		{"generic, elsewhere than mapped", genericOf(t),
			`{"topic":"order.paid","data":{"customer":{"email":"ana@example.com"},"items":[{"sku":"s"}]}}`, "s"},
	} {
		t.Run(test.name, func(t *testing.T) {
			events, err := test.platform.Parse(Delivery{Body: []byte(test.body)}, Place{Region: "BR"})
			if err != nil || len(events) != 1 {
				t.Fatalf("got %+v, %v", events, err)
			}
			checkEvent(t, events[0])
			if events[0].Kind != Purchased || events[0].Customer.Email != "ana@example.com" ||
				events[0].Product.ID != test.product {
				t.Errorf("got %s", printed(t, events[0]))
			}
		})
	}
}

// TestNobodysPurchases: what matters and is of nobody says which field is missing, and takes
// nobody else for the customer.
func TestNobodysPurchases(t *testing.T) {
	for _, test := range []struct {
		name     string
		platform Platform
		body     string
		want     string
	}{
		{"Hotmart", hotmart{},
			`{"event":"PURCHASE_APPROVED","data":{"producer":{"email":"shop@example.com"},"affiliates":[{"email":"a@example.com"}]}}`,
			"unusable: data.buyer.email"},
		{"Hotmart, support", hotmart{},
			`{"event":"PURCHASE_APPROVED","data":{"product":{"id":1,"support_email":"shop@example.com"}}}`,
			"unusable: data.buyer.email"},
		{"Hotmart, an address that is none", hotmart{},
			`{"event":"PURCHASE_APPROVED","data":{"buyer":{"email":"x","phone":"1"}}}`,
			"unusable: data.buyer.email"},
		{"Hotmart, refund of a sale", hotmart{},
			`{"event":"PURCHASE_REFUNDED","data":{"purchase":{"transaction":"HP1"}}}`, "reverse: refund"},
		{"Hotmart, chargeback of a sale", hotmart{},
			`{"event":"PURCHASE_CHARGEBACK","data":{"purchase":{"transaction":"HP1"}}}`, "reverse: chargeback"},
		{"Hotmart, refund of nothing", hotmart{}, `{"event":"PURCHASE_REFUNDED","data":{}}`,
			"unusable: data.buyer.email"},
		{"Hotmart, expiry of a sale", hotmart{},
			`{"event":"PURCHASE_EXPIRED","data":{"purchase":{"transaction":"HP1"}}}`, "payment expired"},
		{"Hotmart 1.0", hotmart{}, `{"status":"approved"}`, "unusable: email"},
		{"Kiwify", kiwify{}, `{"order_status":"paid","order_id":"1"}`, "unusable: Customer.email"},
		{"Eduzz", eduzz{}, `{"event":"myeduzz.invoice_paid","data":{"id":"1"}}`, "unusable: data.buyer.email"},
		{"Eduzz, old format", eduzz{}, `{"trans_status":3}`, "unusable: cus_email"},
		{"Kirvano", kirvanoUsual, `{"event":"SALE_APPROVED"}`, "unusable: customer.email"},
		{"Ticto", tictoUsual, `{"status":"authorized"}`, "unusable: customer.email"},
		{"PerfectPay", perfectpayUsual, `{"sale_status_enum":2}`, "unusable: customer.email"},
		{"Monetizze", monetizzeUsual, `{"tipoEvento":{"codigo":2}}`, "unusable: comprador.email"},
		{"generic", genericOf(t), `{"topic":"order.paid"}`, "unusable: $.data.buyer['e-mail']"},
		{"a cart of nobody matters little", kirvanoUsual, `{"event":"ABANDONED_CART"}`, "start: AbandonedCart"},
	} {
		t.Run(test.name, func(t *testing.T) {
			events, err := test.platform.Parse(Delivery{Body: []byte(test.body)}, Place{Region: "BR"})
			if err != nil || len(events) != 1 || says(events[0]) != test.want || events[0].Customer.reachable() {
				t.Errorf("got %+v, %v, want %s", events, err, test.want)
			}
			checkEvent(t, events[0])
		})
	}
}

// TestBareWords: the words that old backends stopped on, in whichever field and type.
func TestBareWords(t *testing.T) {
	for name, test := range map[string]struct {
		platform Platform
		bodies   []string
	}{
		"kiwify": {kiwify{}, []string{
			`"event":"paid"`, `"webhook_event_type":"paid"`, `"order_status":"PAID"`, `"status":"paid"`,
			`"event":"approved"`, `"webhook_event_type":"pago"`, `"event":"ORDER_APPROVED"`,
			`"event":"purchase_approved"`,
		}},
		"eduzz": {eduzz{}, []string{
			`"event":"3"`, `"event":3`, `"event":3.0`, `"status":3`, `"status":"3"`, `"status":"paid"`,
			`"event":"paid"`, `"trans_status":"3"`, `"trans_status":3`, `"trans_status":"paid"`,
			`"trans_status":"pago"`, `"event":"invoice_paid"`, `"event_name":"invoice_paid"`,
			`"event":"myeduzz.invoice_paid"`, `"event":"MYEDUZZ.INVOICE_PAID"`,
		}},
		"hotmart": {hotmart{}, []string{
			`"event":"PURCHASE_APPROVED"`, `"event":"purchase_approved"`, `"event":"ORDER_APPROVED"`,
			`"status":"PURCHASE_APPROVED"`, `"status":"approved"`, `"event":"approved"`, `"event":"paid"`,
			`"status":"paid"`, `"status":"ORDER_APPROVED"`,
		}},
		"kirvano": {kirvanoUsual, []string{`"event":"SALE_APPROVED"`, `"event":"paid"`, `"event":"approved"`,
			`"event":"PURCHASE_APPROVED"`}},
		"cakto": {caktoUsual, []string{`"event":"purchase_approved"`, `"event":"paid"`, `"event":"order_approved"`}},
		"ticto": {tictoUsual, []string{`"status":"authorized"`, `"status":"paid"`, `"status":"approved"`}},
		"perfectpay": {perfectpayUsual, []string{
			`"sale_status_enum":2`, `"sale_status_enum":"2"`, `"sale_status_enum":"approved"`,
		}},
		"monetizze": {monetizzeUsual, []string{
			`"tipoEvento":{"codigo":2}`, `"codigo_status":"2"`, `"venda":{"status":"Finalizada"}`,
			`"venda":{"status":"paga"}`,
		}},
	} {
		for _, body := range test.bodies {
			t.Run(name+" "+body, func(t *testing.T) {
				whole := `{` + body +
					`,"email":"ana@example.com","data":{"buyer":{"email":"ana@example.com"},"customer":{"email":"ana@example.com"}}}`
				events, err := test.platform.Parse(Delivery{Body: []byte(whole)}, Place{Region: "BR"})
				if err != nil || len(events) != 1 || says(events[0]) != "purchase, attributed" ||
					events[0].Customer.Email != "ana@example.com" {
					t.Errorf("got %+v, %v", events, err)
				}
			})
		}
	}
}

// TestPaidIsFound: what says "paid" elsewhere than the platform does, or spells it otherwise,
// stops all the same.
func TestPaidIsFound(t *testing.T) {
	const customer = `"customer":{"name":"Rita","email":"rita@example.com"}`
	for _, test := range []struct {
		platform   Platform
		body, want string
	}{
		{hotmart{}, `{"event":"Purchase.Approved","data":{` + customer + `}}`, "purchase, attributed"},
		{hotmart{}, `{"event":"purchaseApproved","data":{` + customer + `}}`, "purchase, attributed"},
		{hotmart{}, `{"event":"SUBSCRIPTION_PAID","data":{` + customer + `}}`, "purchase"},
		{hotmart{}, `payload={"event":"PURCHASE_APPROVED","data":{` + customer + `}}`, "purchase, attributed"},
		{hotmart{}, `{"type":"PURCHASE_APPROVED","data":{` + customer + `}}`, "purchase, attributed"},
		{hotmart{}, `{"payload":{"event":"PURCHASE_APPROVED","data":{` + customer + `}}}`, "purchase, attributed"},
		{hotmart{}, `{"event":"PURCHASE_TOUCHED","data":{"order":{"status":"paid"},` + customer + `}}`, "purchase"},
		{kiwify{}, `{"event_type":"Compra aprovada",` + customer + `}`, "purchase, attributed"},
		{kiwify{}, `{"data":{"order_status":"paid","order_id":"K",` + customer + `}}`, "purchase, attributed"},
		{kiwify{}, `{"webhook_event_type":"order_touched","status":"paid",` + customer + `}`, "purchase"},
		{kiwify{}, `{"webhook_event_type":"pix_expirado","order_id":"K"}`, "payment expired"},
		{kiwify{}, `{"order_status":"expired","order_id":"K"}`, "payment expired"},
		{eduzz{}, `{"data":{"trans_status":3,"cus_email":"rita@example.com"}}`, "purchase, attributed"},
		{eduzz{}, `{"event":"myeduzz.invoice_touched","data":{"status":"paid",` + customer + `}}`, "purchase"},
		{caktoUsual, `{"data":{"event":"purchase_approved","order":{` + customer + `}}}`, "purchase, attributed"},
		{caktoUsual, `{"event":"purchase_approved","data":{"orders":[{` + customer + `}]}}`, "purchase, attributed"},
		{caktoUsual, `{"event":"order_touched","data":{"status":"paid",` + customer + `}}`, "purchase"},
		{tictoUsual, `{"order":{"status":"authorized"},` + customer + `}`, "purchase, attributed"},
		{tictoUsual, `{"event":"authorized",` + customer + `}`, "purchase, attributed"},
		{kirvanoUsual, `{"status":"APPROVED",` + customer + `}`, "purchase, attributed"},
		{kirvanoUsual, `{"data":{"event":"SALE_APPROVED",` + customer + `}}`, "purchase, attributed"},
		{perfectpayUsual, `{"data":{"sale_status_enum":2,` + customer + `}}`, "purchase, attributed"},
		{perfectpayUsual, `{"sale_status_enum_key":"approved",` + customer + `}`, "purchase, attributed"},
		{monetizzeUsual, `{"event":"paid",` + customer + `}`, "purchase, attributed"},
		{monetizzeUsual, `{"tipoEvento":{"descricao":"Compra aprovada"},` + customer + `}`, "purchase, attributed"},
		{monetizzeUsual, `{"tipoEvento":2,` + customer + `}`, "purchase, attributed"},
	} {
		events, err := test.platform.Parse(Delivery{Body: []byte(test.body)}, Place{Region: "BR"})
		if err != nil || len(events) != 1 || says(events[0]) != test.want {
			t.Errorf("%s: got %+v, %v, want %s", test.body, events, err, test.want)
			continue
		}
		checkEvent(t, events[0])
		if events[0].Kind == Purchased && events[0].Customer.Email != "rita@example.com" {
			t.Errorf("%s: of %+v", test.body, events[0].Customer)
		}
	}
}

// TestOpenPayments: how an open payment can be made, as each platform tells it.
func TestOpenPayments(t *testing.T) {
	const pix, line, link = "00020101021226740014br.gov.bcb.pix2552pix.example.com/qr/v2/A1",
		"34191.79001 01043.510047 91020.150008 5 99990000039700",
		"https://boleto.example.com/9a8b"
	due := v1alpha1.NewTimestamp(time.Date(2026, 8, 6, 15, 0, 0, 0, time.UTC))
	day := v1alpha1.NewTimestamp(time.Date(2026, 8, 7, 2, 59, 59, 0, time.UTC))
	pixOf := &v1alpha1.Payment{Method: v1alpha1.PaymentPix, PixCode: pix, ExpiresAt: &due}
	boletoOf := &v1alpha1.Payment{Method: v1alpha1.PaymentBoleto, BoletoLine: line, URL: link, ExpiresAt: &day}
	for _, test := range []struct {
		name     string
		platform Platform
		body     string
		want     *v1alpha1.Payment
	}{
		{"Hotmart, PIX", hotmart{},
			`{"event":"PURCHASE_BILLET_PRINTED","data":{"purchase":{"payment":{"type":"PIX","pix_code":"` + pix +
				`","pix_expiration_date":1786028400000}}}}`, pixOf},
		{"Hotmart, boleto", hotmart{},
			`{"event":"PURCHASE_BILLET_PRINTED","data":{"purchase":{"payment":{"type":"BILLET","billet_barcode":"` +
				line +
				`","billet_url":"` + link + `","billet_expiration_date":"2026-08-06"}}}}`, boletoOf},
		{"Hotmart, card refused", hotmart{},
			`{"event":"PURCHASE_CANCELED","data":{"purchase":{"payment":{"type":"CREDIT_CARD"}}}}`,
			&v1alpha1.Payment{Method: v1alpha1.PaymentCard}},
		{"Hotmart 1.0", hotmart{}, `{"status":"billet_printed","payment_type":"billet","billet_barcode":"` + line +
			`","billet_url":"` + link + `"}`,
			&v1alpha1.Payment{Method: v1alpha1.PaymentBoleto, BoletoLine: line, URL: link}},
		{"Kiwify, PIX", kiwify{}, `{"webhook_event_type":"pix_created","payment_method":"pix","pix_code":"` + pix +
			`","pix_expiration":"06/08/2026 12:00",
			"boleto_URL":null}`, pixOf},
		{"Kiwify, boleto", kiwify{}, `{"webhook_event_type":"billet_created","payment_method":"boleto","boleto_URL":"` +
			link + `","boleto_barcode":"` + line +
			`","boleto_expiry_date":"2026-08-06"}`, boletoOf},
		{"Eduzz, old format", eduzz{}, `{"trans_status":1,"trans_paymentmethod":"1","trans_barcode":"` + line +
			`","billet_url":"` + link +
			`","trans_duedate":"20260806"}`, boletoOf},
		{"Eduzz, PIX", eduzz{},
			`{"event":"myeduzz.invoice_waiting_payment","data":{"paymentMethod":"pix","buyer":{},"pix":{"qrCode":"` +
				pix +
				`","expiresAt":"2026-08-06T12:00:00-03:00"}}}`, pixOf},
		{"Kirvano, PIX", kirvanoUsual, `{"event":"PIX_GENERATED","payment":{"method":"PIX","qrcode":"` + pix +
			`","expires_at":"2026-08-06 12:00:00"}}`, pixOf},
		{"Kirvano, boleto", kirvanoUsual,
			`{"event":"BANK_SLIP_GENERATED","payment":{"method":"BANK_SLIP","barcode":"34195999900000397001790001043510049102015000","digitable_line":"` +
				line + `","link":"` + link + `","expires_at":"2026-08-06"}}`, boletoOf},
		{"Cakto, PIX", caktoUsual, `{"event":"pix_gerado","data":{"customer":{},"pix":{"qrCode":"` + pix +
			`","expirationDate":"2026-08-06T12:00:00-03:00"}}}`, pixOf},
		{"Cakto, boleto", caktoUsual, `{"event":"boleto_gerado","data":{"customer":{},"boleto":{"barcode":"` + line +
			`","boletoUrl":"` + link +
			`","expirationDate":"2026-08-06"}}}`, boletoOf},
		{"Ticto, PIX", tictoUsual, `{"status":"pix_created","transaction":{"pix_qr_code":"` + pix +
			`","pix_expires_at":"2026-08-06 12:00:00"}}`, pixOf},
		{"Ticto, boleto", tictoUsual, `{"status":"bank_slip_created","transaction":{"bank_slip_code":"` + line +
			`","bank_slip_url":"` + link +
			`","due_date":"2026-08-06"}}`, boletoOf},
		{"PerfectPay", perfectpayUsual, `{"sale_status_enum":1,"payment_type_enum":2,"billet_number":"` + line +
			`","billet_url":"` + link +
			`","billet_expiration":"2026-08-06"}`, boletoOf},
		{"Monetizze", monetizzeUsual,
			`{"tipoEvento":{"codigo":1},"venda":{"formaPagamento":"Boleto","linha_digitavel":"` + line +
				`","linkBoleto":"` + link +
				`","dataVencimento":"2026-08-06"}}`, boletoOf},
		{"an address is no code", kiwify{},
			`{"webhook_event_type":"pix_created","pix_code":"https://pix.example.com/x"}`,
			&v1alpha1.Payment{Method: v1alpha1.PaymentPix}},
		{"what does not fit", kiwify{}, `{"webhook_event_type":"pix_created","pix_code":"` + strings.Repeat("0", 1025) +
			`","boleto_barcode":"` +
			strings.Repeat("1", 129) + `","pix_expiration":"soon"}`, &v1alpha1.Payment{Method: v1alpha1.PaymentPix}},
		{"a cart", kiwify{}, `{"status":"abandoned","pix_code":"` + pix + `"}`, nil},
		{"a purchase", kiwify{}, `{"order_status":"paid","email":"ana@example.com","pix_code":"` + pix + `"}`, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			events, err := test.platform.Parse(Delivery{Body: []byte(test.body)}, Place{Region: "BR"})
			if err != nil || len(events) != 1 {
				t.Fatalf("got %+v, %v", events, err)
			}
			if got, want := printed(t, events[0].Payment), printed(t, test.want); got != want {
				t.Errorf("\n got %s\nwant %s", got, want)
			}
		})
	}
}

func TestConsents(t *testing.T) {
	for _, test := range []struct {
		value any
		want  v1alpha1.ConsentBasis
	}{
		{true, v1alpha1.ConsentOptedIn}, {"1", v1alpha1.ConsentOptedIn}, {"Subscribed", v1alpha1.ConsentOptedIn},
		{"sim", v1alpha1.ConsentOptedIn}, {false, v1alpha1.ConsentOptedOut},
		{"not_subscribed", v1alpha1.ConsentOptedOut}, {"não", v1alpha1.ConsentOptedOut},
		{map[string]any{"state": "unsubscribed"}, v1alpha1.ConsentOptedOut},
		{nil, ""}, {"", ""}, {"pending", ""}, {map[string]any{"state": map[string]any{"state": "x"}}, ""},
		{[]any{true}, ""},
	} {
		got := consentOf(sent(test.value), "$.consent", Place{})
		if got == nil && test.want != "" || got != nil && (got.Basis != test.want || got.Source != "$.consent") {
			t.Errorf("consentOf(%v) = %+v, want %q", test.value, got, test.want)
		}
	}
}

// TestEduzzSamplesOfTheDocumentation: what the documentation shows without its envelope.
func TestEduzzSamplesOfTheDocumentation(t *testing.T) {
	for body, want := range map[string]string{
		`{"contract":{"id":"1"}}`:                                                                               "ignore: EventNotUsed",
		`{"contract":{"id":"1","status":"canceled"}}`:                                                           "ignore: EventNotUsed",
		`{"data":{"contract":{"id":"1"}},"event":"myeduzz.contract_created"}`:                                   "ignore: EventNotUsed",
		`{"id":"1","status":"paid","buyer":{"email":"ana@example.com"},"items":[{"productId":"P5"}]}`:           "purchase, attributed",
		`{"invoice":{"id":"1","status":"paid","buyer":{"email":"ana@example.com"}}}`:                            "purchase, attributed",
		`{"subscription":{"id":"1"},"student":{"name":"Rita"}}`:                                                 "ignore: EventNotUsed",
		`{"id":"1","createdAt":"2026-02-03"}`:                                                                   "ignore: EventNotUsed",
		`{"customer":{"email":"ana@example.com"},"productId":["P5"],"saleRecoveryUrl":"https://e.example.com"}`: "start: AbandonedCart",
		`{"type":"contract","contract_id":"1"}`:                                                                 "ignore: EventNotUsed",
	} {
		events, err := eduzz{}.Parse(Delivery{Body: []byte(body)}, Place{Region: "BR"})
		if err != nil || says(events[0]) != want {
			t.Errorf("%s: got %+v, %v, want %s", body, events, err, want)
		}
	}
}

// TestEduzzTriesAddresses: the old format tries a URL with an example, which has no secret.
func TestEduzzTriesAddresses(t *testing.T) {
	for body, want := range map[string]bool{
		`{"event":"ping","data":{"message":"ping"}}`: true,
		`{"type":"invoice","trans_cod":"1","trans_status":"3","cus_email":"webhook@eduzz.com","cus_cel":"011999999999"}`: true,
		`{"type":"abandonment","customer[email]":"emaildocliente@provedor.com"}`:                                         true,
		`type=abandonment&customer%5Bemail%5D=emaildocliente%40provedor.com`:                                             true,
		`{"type":"invoice","trans_status":"3"}`:                                                                          true,
		`{"type":"invoice","trans_status":"3","cus_email":"ana@example.com"}`:                                            false,
		`{"type":"invoice","trans_status":"3","cus_cel":"31988776655"}`:                                                  false,
		`{"type":"invoice","cus_email":"webhook@eduzz.com","origin_secret":"x"}`:                                         false,
		`{"event":"myeduzz.invoice_paid","data":{}}`:                                                                     false,
		`{"name":"x"}`: false,
		`x`:            false,
	} {
		if got := (eduzz{}).IsPing(Delivery{Body: []byte(body)}); got != want {
			t.Errorf("%s: %t", body, got)
		}
	}
}

// TestEduzzCarts: a cart of MyEduzz has its products as an invoice has them.
func TestEduzzCarts(t *testing.T) {
	for _, products := range []string{
		`"items":[{"productId":"P5","name":"Violão"}]`, `"productId":["P5"]`, `"productId":"P5"`,
		`"product":{"id":"P5"}`, `"products":[{"id":"P5"}]`,
	} {
		for _, prefix := range []string{"myeduzz.", "sun.", ""} {
			body := `{"id":"1","event":"` + prefix +
				`cart_abandonment","data":{"buyer":{"email":"ana@example.com","phone":"31988776655"},` + products + `}}`
			events, err := eduzz{}.Parse(Delivery{Body: []byte(body)}, Place{Region: "BR"})
			if err != nil || len(events) != 1 || says(events[0]) != "start: AbandonedCart" ||
				events[0].Product.ID != "P5" {
				t.Errorf("%s: got %+v, %v", body, events, err)
			}
		}
	}
}
