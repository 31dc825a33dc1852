package platforms

import (
	"strings"
	"testing"
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/lax"
)

var monetizzeUsual = monetizze{monetizzeTokens}

func TestMonetizzeCodes(t *testing.T) {
	const sale = "monetizze/sale.json"
	code := func(code any) change { return change{"tipoEvento.codigo": code} }
	by := func(code any, method any) change {
		return change{"tipoEvento.codigo": code, "venda.formaPagamento": method}
	}
	alone := func(status any) change { return change{"tipoEvento": absent, "venda.status": status} }
	charge := func(number any) change { return change{"assinatura": map[string]any{"parcela": number}} }
	testTable(t, monetizzeUsual, []row{
		{"7 abandoned checkout", sale, change{"tipoEvento.codigo": 7, "venda": absent}, "start: AbandonedCart"},
		{"7 abandoned checkout, no phone", sale, change{"tipoEvento.codigo": 7, "comprador.telefone": ""},
			"start: AbandonedCart"},
		{"1 waiting, PIX", sale, code(1), "start: PixPending"},
		{"1 waiting, boleto", sale, by(1, "Boleto"), "start: BoletoPending"},
		{"1 waiting, method not told", sale, by(1, absent), "start: BoletoPending"},
		{"1 waiting, card", sale, by(1, "Cartão de crédito"), "ignore: CardPending"},
		{"1 waiting, free", sale, by(1, "Gratis"), "ignore: EventNotUsed"},
		{"2 approved", sale, nil, "purchase, attributed"},
		{`"2" approved`, sale, code("2"), "purchase, attributed"},
		{"2 approved, first charge of a subscription", sale, charge(1), "purchase, attributed"},
		{"2 approved, second charge", sale, charge("2"), "purchase"},
		{"3 cancelled, card", sale, by(3, "Cartão de crédito"), "start: PaymentRefused"},
		{"3 cancelled, method not told", sale, by(3, absent), "start: PaymentRefused"},
		{"3 cancelled, boleto", sale, by(3, "Boleto"), "payment expired"},
		{"3 cancelled, PIX", sale, by(3, "Pix"), "payment expired"},
		{"4 given back", sale, code(4), "reverse: refund"},
		{"5 blocked", sale, code(5), "reverse: chargeback"},
		{"6 complete", sale, code(6), "purchase"},
		{"8 hidden", sale, code(8), "ignore: EventNotUsed"},
		{"9, of a sale that is paid", sale, code(9), "purchase"},
		{"9", sale, change{"tipoEvento.codigo": 9, "venda.status": absent}, "ignore: UnknownEvent"},
		{"70 tickets", sale, code(70), "ignore: EventNotUsed"},
		{"98 card", sale, code(98), "ignore: EventNotUsed"},
		{"99 boleto", sale, code(99), "ignore: EventNotUsed"},
		{"101 subscription active", sale, code(101), "purchase"},
		{"102 subscription overdue", sale, code(102), "ignore: EventNotUsed"},
		{"103 subscription cancelled", sale, code(103), "ignore: EventNotUsed"},
		{"104 subscription waiting", sale, code(104), "ignore: EventNotUsed"},
		{"105 recovery in instalments", sale, code(105), "ignore: EventNotUsed"},
		{"106 recovery cancelled", sale, code(106), "ignore: EventNotUsed"},
		{"120 shipping", sale, code(120), "ignore: EventNotUsed"},
		{"codigo_status 2", sale, change{"tipoEvento": absent, "codigo_status": "2"}, "purchase, attributed"},
		{"postback_evento 4", sale, change{"tipoEvento": absent, "postback_evento": 4}, "reverse: refund"},
		{"Aguardando pagamento alone", sale, alone("Aguardando pagamento"), "start: PixPending"},
		{"Finalizada alone", sale, alone("Finalizada"), "purchase, attributed"},
		{"Aprovada alone", sale, alone("Aprovada"), "purchase, attributed"},
		{"Cancelada alone", sale, alone("Cancelada"), "payment expired"},
		{"Devolvida alone", sale, alone("Devolvida"), "reverse: refund"},
		{"Bloqueada alone", sale, alone("Bloqueada"), "reverse: chargeback"},
		{"Completa alone", sale, alone("Completa"), "purchase"},
		{"Abandono de Checkout alone", sale, alone("Abandono de Checkout"), "start: AbandonedCart"},
		{"a status of tomorrow alone", sale, alone("Teleportada"), "ignore: UnknownEvent"},
		{"a word for a code, a status that is known", sale, code("x"), "purchase, attributed"},
		{"a word for a code alone", sale, change{"tipoEvento.codigo": "x", "venda": absent}, "ignore: UnknownEvent"},
	})
}

func monetizzeSaleEvent() Event {
	return Event{
		ID: "7700123/2", Name: "event/2", Kind: Purchased, Attribute: true,
		Customer: Customer{Name: "Noé Brito", Phone: "+5592993456789", Email: "noe.brito@example.com"},
		Product:  Product{ID: "40811", Name: "Horta na Varanda"}, Amount: "247.00", TransactionID: "7700123",
		OccurredAt: time.Date(2026, 9, 10, 14, 13, 0, 0, time.UTC),
	}
}

func TestMonetizzeSale(t *testing.T) {
	form := fixture(t, "monetizze/sale.txt")
	for name, delivery := range map[string]Delivery{
		"form":                          {Body: form, ContentType: "application/x-www-form-urlencoded"},
		"form without its content type": {Body: form},
		"JSON":                          {Body: fixture(t, "monetizze/sale.json")},
		"JSON with dotted names":        {Body: fixture(t, "monetizze/dotted.json")},
	} {
		t.Run(name, func(t *testing.T) { testEvents(t, monetizzeUsual, delivery, monetizzeSaleEvent()) })
	}
	t.Run("with an order bump", func(t *testing.T) {
		first, second := monetizzeSaleEvent(), monetizzeSaleEvent()
		first.ID, first.Amount = "7700123/2/40811", "197.00"
		second.ID, second.Amount, second.Product = "7700123/2/40812", "50.00", Product{ID: "40812", Name: "Composteira"}
		testEvents(t, monetizzeUsual, Delivery{Body: fixture(t, "monetizze/bumps.txt")}, first, second)
	})
	t.Run("what starts a recovery is of the main product alone", func(t *testing.T) {
		body := strings.Replace(string(fixture(t, "monetizze/bumps.txt")), "tipoEvento%5Bcodigo%5D=2",
			"tipoEvento%5Bcodigo%5D=1", 1)
		want := monetizzeSaleEvent()
		want.ID, want.Name, want.Kind, want.Trigger, want.Attribute = "7700123/1", "event/1", Abandoned,
			v1alpha1.TriggerPixPending, false
		want.OccurredAt, want.Payment = time.Date(2026, 9, 10, 14, 12, 13, 0,
			time.UTC), &v1alpha1.Payment{Method: v1alpha1.PaymentPix}
		testEvents(t, monetizzeUsual, Delivery{Body: []byte(body)}, want)
	})
}

func TestMonetizzeCart(t *testing.T) {
	body := fixture(t, "monetizze/cart.txt")
	testEvents(t, monetizzeUsual, Delivery{Body: body}, Event{
		ID: digest(body), Name: "event/7", Kind: Abandoned, Trigger: v1alpha1.TriggerAbandonedCart,
		Customer:    monetizzeSaleEvent().Customer,
		Product:     Product{ID: "40811", Name: "Horta na Varanda"},
		CheckoutURL: "https://app.monetizze.com.br/checkout/HV40811?r=1",
	})
}

// TestMonetizzeLink: the link back to the checkout without what the customer typed in.
func TestMonetizzeLink(t *testing.T) {
	const plain = "https://app.monetizze.com.br/checkout/HV40811"
	for link, want := range map[string]string{
		plain:                               plain,
		plain + "?r=1&c=AB77":               plain + "?r=1&c=AB77",
		plain + "?r=1&email=noe%40mail.com": plain,
		plain + "?doc=111.444.777-35#x":     plain,
		plain + "?tel=92993456789":          plain,
		"javascript:alert(1)":               "",
		"":                                  "",
	} {
		if got := monetizzeLink(lax.Of(link)); got != want {
			t.Errorf("%q: got %q, want %q", link, got, want)
		}
	}
}

// TestMonetizzeIsForgiving: the same fields in other types, or absent.
func TestMonetizzeIsForgiving(t *testing.T) {
	const paid = "purchase, attributed"
	testForgiving(t, monetizzeUsual, "monetizze/sale.json", []forgiving{
		{"buyer absent", change{"comprador": absent}, "unusable: comprador.email", func(e Event) bool {
			return e.Customer == Customer{}
		}},
		{"buyer as a text", change{"comprador": "Noé"}, "unusable: comprador.email", func(e Event) bool {
			return e.Customer == Customer{}
		}},
		{"phone as a number", change{"comprador.telefone": 92993456789}, paid, func(e Event) bool {
			return e.Customer.Phone == "+5592993456789"
		}},
		{"product absent", change{"produto": absent}, paid, func(e Event) bool { return e.Product == Product{} }},
		{"product code as a string", change{"produto.codigo": "40811"}, paid, func(e Event) bool {
			return e.Product.ID == "40811"
		}},
		{"amount as people write it", change{"venda.valor": "1.247,00"}, paid, func(e Event) bool {
			return e.Amount == "1247.00"
		}},
		{"amount as a number", change{"venda.valor": 247}, paid, func(e Event) bool { return e.Amount == "247.00" }},
		{"sale absent", change{"venda": absent}, paid, func(e Event) bool {
			return strings.HasPrefix(e.ID, "sha256-") && e.TransactionID == "" && e.Amount == ""
		}},
		{"subscription as an array", change{"assinatura": []any{}}, paid, func(Event) bool { return true }},
		{"order bumps as a text", change{"venda_item_order_bump": "none"}, paid, func(e Event) bool {
			return e.Amount == "247.00"
		}},
		{"dates without a zone", nil, paid, func(e Event) bool {
			return e.OccurredAt.Equal(time.Date(2026, 9, 10, 14, 13, 0, 0, time.UTC))
		}},
	})
	t.Run("a thousand products make a bounded number of events", func(t *testing.T) {
		var products []any
		for i := range 1000 {
			products = append(products, map[string]any{"produto": i})
		}
		events, err := monetizzeUsual.Parse(Delivery{Body: changed(t, "monetizze/sale.json",
			change{"venda_item_order_bump": products})}, Place{Region: "BR"})
		if err != nil || len(events) != maxProducts {
			t.Errorf("got %d events, %v", len(events), err)
		}
	})
}

func TestMonetizzeRefuses(t *testing.T) {
	testBroken(t, monetizzeUsual)
	testTests(t, monetizzeUsual, "chave_unica")
	t.Run("nothing known", func(t *testing.T) { testRefused(t, monetizzeUsual, []byte(`{}`), "tipoEvento") })
	t.Run("no code", func(t *testing.T) {
		testRefused(t, monetizzeUsual, changed(t, "monetizze/sale.json", change{"tipoEvento.codigo": []any{2},
			"tipoEvento.descricao": absent, "venda.status": absent}), "tipoEvento")
	})
}

func TestMonetizzeVerify(t *testing.T) {
	testVerify(t, monetizzeUsual, []authentication{
		{"chave_unica in a form", Delivery{Body: fixture(t, "monetizze/sale.txt")},
			[]string{"monetizze-key-0", "monetizze-key-1"}, nil},
		{"chave_unica in JSON", Delivery{Body: fixture(t, "monetizze/dotted.json")}, []string{"monetizze-key-1"}, nil},
		{"another chave_unica", Delivery{Body: fixture(t, "monetizze/cart.txt")}, []string{"monetizze-key-2"},
			ErrBadCredential},
		{"the product's key alone", Delivery{Body: []byte("produto%5Bchave%5D=monetizze-key-1")},
			[]string{"monetizze-key-1"}, ErrNoCredential},
	})
}

func FuzzMonetizzeParse(f *testing.F) {
	f.Add([]byte("--b\r\nContent-Disposition: form-data; name=\"tipoEvento[codigo]\"\r\n\r\n2\r\n--b--"),
		"multipart/form-data; boundary=b", "BR")
	f.Add([]byte(`{"tipoEvento.codigo":"2","venda.codigo":1,"venda_item_order_bump":[{"produto":1},{"produto":2},3]}`),
		"", "BR")
	f.Add([]byte("tipoEvento[codigo]=7&url_recuperacao=http://a/?b=%2540@&venda[status]=Completa"), "", "BR")
	fuzzParse(f, monetizzeUsual, "monetizze/cart.txt", "monetizze/sale.txt", "monetizze/bumps.txt",
		"monetizze/sale.json", "monetizze/dotted.json")
}

func FuzzMonetizzeVerify(f *testing.F) {
	fuzzVerify(f, monetizzeUsual, tokenInForm("chave_unica"), "monetizze/sale.txt", "monetizze/sale.json")
}

func TestMonetizzeWords(t *testing.T) {
	testWords(t, v1alpha1.PlatformMonetizze, sortedKeys(monetizzeStatuses))
}
