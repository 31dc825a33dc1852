package platforms

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
)

var perfectpayUsual = perfectpay{perfectpayTokens}

func TestPerfectpayStatuses(t *testing.T) {
	const cart, sale = "perfectpay/cart.json", "perfectpay/sale.json"
	status := func(status any) change { return change{"sale_status_enum": status} }
	pending := func(number, key any) change {
		return change{"sale_status_enum": 1, "payment_type_enum": number, "payment_type_enum_key": key}
	}
	charges := func(count any) change { return change{"subscription": map[string]any{"charges_made": count}} }
	testTable(t, perfectpayUsual, []row{
		{"12 pre-checkout", cart, nil, "start: AbandonedCart"},
		{"12 pre-checkout, no phone", cart, change{"customer.phone_number": nil}, "start: AbandonedCart"},
		{"1 pending, PIX", sale, status(1), "start: PixPending"},
		{"1 pending, boleto", sale, pending(2, "billet"), "start: BoletoPending"},
		{"1 pending, boleto in instalments", sale, pending("8", absent), "start: BoletoPending"},
		{"1 pending, PIX by its key", sale, pending(absent, "pix"), "start: PixPending"},
		{"1 pending, type not told", sale, pending(absent, absent), "start: BoletoPending"},
		{"1 pending, card", sale, pending(1, "credit_card"), "ignore: CardPending"},
		{"1 pending, PayPal", sale, pending(3, "paypal"), "ignore: EventNotUsed"},
		{"1 pending, another number", sale, pending(9, absent), "ignore: EventNotUsed"},
		{"2 approved", sale, nil, "purchase, attributed"},
		{`"2" approved`, sale, status("2"), "purchase, attributed"},
		{"2.0 approved", sale, status(json.RawMessage("2.0")), "purchase, attributed"},
		{"2 approved, first charge of a subscription", sale, charges(1), "purchase, attributed"},
		{"2 approved, second charge", sale, charges("2"), "purchase"},
		{"3 in process", sale, status(3), "ignore: EventNotUsed"},
		{"4 in mediation", sale, status(4), "ignore: EventNotUsed"},
		{"5 rejected", sale, status(5), "start: PaymentRefused"},
		{"6 cancelled", sale, status(6), "start: PaymentRefused"},
		{"7 refunded", sale, status(7), "reverse: refund"},
		{"8 authorized", sale, status(8), "purchase, attributed"},
		{"9 charged back", sale, status(9), "reverse: chargeback"},
		{"10 completed", sale, status(10), "purchase"},
		{"11 error in the checkout", sale, status(11), "start: PaymentRefused"},
		{"13 expired", sale, status(13), "payment expired"},
		{"14", sale, status(14), "ignore: UnknownEvent"},
		{"15 cancelled for another boleto", sale, status(15), "ignore: EventNotUsed"},
		{"16 in review", sale, status(16), "purchase, attributed"},
		{"17 chargeback announced", sale, status(17), "reverse: chargeback"},
		{"18 refund announced", sale, status(18), "reverse: refund"},
		{"19 given back by the bank", sale, status(19), "reverse: refund"},
		{"20 to be given back by the bank", sale, status(20), "reverse: refund"},
		{"a word", sale, status("teleported"), "ignore: UnknownEvent"},
		{"half a number", sale, status(2.5), "ignore: UnknownEvent"},
	})
}

func TestPerfectpaySale(t *testing.T) {
	customer := Customer{Name: "Eva Lins", Phone: "+5581991239876", Email: "eva.lins@example.com"}
	product := Product{ID: "PPPBAB12", Name: "Cerâmica Fria"}
	testEvents(t, perfectpayUsual, Delivery{Body: fixture(t, "perfectpay/sale.json")}, Event{
		ID: "PPCPMTB0AB1CD2/2", Name: "sale/2", Kind: Purchased, Attribute: true,
		Customer: customer, Product: product, Amount: "129.90", Currency: "BRL", TransactionID: "PPCPMTB0AB1CD2",
		OccurredAt: time.Date(2026, 8, 9, 13, 12, 13, 0, time.UTC),
	})
	testEvents(t, perfectpayUsual, Delivery{Body: fixture(t, "perfectpay/cart.json")}, Event{
		ID: "PPCART77/12", Name: "sale/12", Kind: Abandoned, Trigger: v1alpha1.TriggerAbandonedCart,
		Customer: customer, Product: product, Amount: "129.90", TransactionID: "PPCART77",
	})
	t.Run("in a form", func(t *testing.T) {
		form := "token=perfectpay-token-1&code=PPCART77&sale_status_enum=12&sale_amount=129.90" +
			"&product%5Bcode%5D=PPPBAB12" +
			"&product%5Bname%5D=Cer%C3%A2mica+Fria&customer%5Bemail%5D=eva.lins%40example.com" +
			"&customer%5Bfull_name%5D=Eva+Lins" +
			"&customer%5Bphone_area_code%5D=81&customer%5Bphone_number%5D=991239876"
		testEvents(t, perfectpayUsual, Delivery{Body: []byte(form)}, Event{
			ID: "PPCART77/12", Name: "sale/12", Kind: Abandoned, Trigger: v1alpha1.TriggerAbandonedCart,
			Customer: customer, Product: product, Amount: "129.90", TransactionID: "PPCART77",
		})
	})
}

// TestPerfectpayIsForgiving: the same fields in other types, or absent.
func TestPerfectpayIsForgiving(t *testing.T) {
	const paid = "purchase, attributed"
	isPhone := func(e Event) bool { return e.Customer.Phone == "+5581991239876" }
	testForgiving(t, perfectpayUsual, "perfectpay/sale.json", []forgiving{
		{"customer absent", change{"customer": absent}, "unusable: customer.email", func(e Event) bool {
			return e.Customer == Customer{}
		}},
		{"phone in numbers", change{"customer.phone_extension": 55, "customer.phone_area_code": 81,
			"customer.phone_number": 991239876}, paid, isPhone},
		{"phone without its country", change{"customer.phone_extension": absent}, paid, isPhone},
		{"phone formatted alone", change{"customer.phone_number": nil}, paid, isPhone},
		{"phone formatted without its country", change{"customer.phone_number": nil,
			"customer.phone_formated_ddi": absent}, paid, isPhone},
		{"phone of another country", change{"customer.phone_extension": "351", "customer.phone_area_code": "",
			"customer.phone_number": "912345678", "customer.country": "PT"}, paid, func(e Event) bool {
			return e.Customer.Phone == "+351912345678"
		}},
		{"product as a text", change{"product": "PPPBAB12"}, paid, func(e Event) bool {
			return e.Product == Product{}
		}},
		{"product code as a number", change{"product.code": 12}, paid, func(e Event) bool {
			return e.Product.ID == "12"
		}},
		{"amount as a string", change{"sale_amount": "5"}, paid, func(e Event) bool { return e.Amount == "5.00" }},
		{"amount absent", change{"sale_amount": absent}, paid, func(e Event) bool { return e.Amount == "" }},
		{"currency by its number", change{"currency_enum_key": absent, "currency_enum": "2"}, paid, func(e Event) bool {
			return e.Currency == "USD"
		}},
		{"currency of another number", change{"currency_enum_key": nil, "currency_enum": 77}, paid, func(e Event) bool {
			return e.Currency == ""
		}},
		{"subscription as an array", change{"subscription": []any{}}, paid, func(Event) bool { return true }},
		{"code absent", change{"code": absent}, paid, func(e Event) bool {
			return strings.HasPrefix(e.ID, "sha256-") &&
				e.TransactionID == ""
		}},
		{"dates without a zone", nil, paid, func(e Event) bool {
			return e.OccurredAt.Equal(time.Date(2026, 8, 9, 13, 12, 13, 0, time.UTC))
		}},
	})
}

func TestPerfectpayRefuses(t *testing.T) {
	testBroken(t, perfectpayUsual)
	testTests(t, perfectpayUsual, "token")
	for field, change := range map[string]change{
		"sale_status_enum": {"sale_status_enum": map[string]any{"id": 2}, "sale_status_enum_key": absent},
	} {
		t.Run(field, func(t *testing.T) {
			testRefused(t, perfectpayUsual, changed(t, "perfectpay/sale.json", change),
				field)
		})
	}
	t.Run("nothing known", func(t *testing.T) { testRefused(t, perfectpayUsual, []byte(`{}`), "sale_status_enum") })
}

func TestPerfectpayVerify(t *testing.T) {
	testVerify(t, perfectpayUsual, []authentication{
		{"token", Delivery{Body: fixture(t, "perfectpay/sale.json")}, []string{"perfectpay-token-1"}, nil},
		{"another token", Delivery{Body: fixture(t, "perfectpay/cart.json")}, []string{"perfectpay-token-2"},
			ErrBadCredential},
		{"no token", Delivery{Body: []byte(`{"sale_status_enum":2}`)}, []string{"perfectpay-token-1"}, ErrNoCredential},
	})
}

func FuzzPerfectpayParse(f *testing.F) {
	f.Add(
		[]byte(
			`{"sale_status_enum":"1e0","payment_type_enum":"x","currency_enum":3.0,"subscription":{"charges_made":2}}`),
		"", "BR")
	fuzzParse(f, perfectpayUsual, "perfectpay/cart.json", "perfectpay/sale.json")
}

func FuzzPerfectpayVerify(f *testing.F) {
	fuzzVerify(f, perfectpayUsual, tokenInForm("token"), "perfectpay/cart.json", "perfectpay/sale.json")
}
