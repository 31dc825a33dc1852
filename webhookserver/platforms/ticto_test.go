package platforms

import (
	"strings"
	"testing"
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
)

var tictoUsual = ticto{tictoTokens}

func TestTictoStatuses(t *testing.T) {
	const cart, order = "ticto/cart.json", "ticto/order.json"
	status := func(name string) change { return change{"status": name} }
	waitsFor := func(method any) change { return change{"status": "waiting_payment", "payment_method": method} }
	charges := func(counts ...any) change {
		var subscriptions []any
		for _, count := range counts {
			subscriptions = append(subscriptions, map[string]any{"id": 1, "successful_charges": count})
		}
		return change{"subscriptions": subscriptions}
	}
	testTable(t, tictoUsual, []row{
		{"abandoned_cart", cart, nil, "start: AbandonedCart"},
		{"abandoned_cart, no phone", cart, change{"customer.phone": absent}, "start: AbandonedCart"},
		{"pix_created", order, status("pix_created"), "start: PixPending"},
		{"bank_slip_created", order, status("bank_slip_created"), "start: BoletoPending"},
		{"waiting_payment, pix", order, waitsFor("pix"), "start: PixPending"},
		{"waiting_payment, bank_slip", order, waitsFor("bank_slip"), "start: BoletoPending"},
		{"waiting_payment, method not told", order, waitsFor(absent), "start: BoletoPending"},
		{"waiting_payment, credit_card", order, waitsFor("credit_card"), "ignore: CardPending"},
		{"refused", order, status("refused"), "start: PaymentRefused"},
		{"authorized", order, nil, "purchase, attributed"},
		{"AUTHORIZED", order, status("AUTHORIZED"), "purchase, attributed"},
		{"authorized, first charge of a subscription", order, charges(1), "purchase, attributed"},
		{"authorized, second charge", order, charges(2), "purchase"},
		{"authorized, second charge as a string", order, charges("2"), "purchase"},
		{"authorized, third charge of the second subscription", order, charges(1, 3), "purchase"},
		{"refunded", order, status("refunded"), "reverse: refund"},
		{"chargeback", order, status("chargeback"), "reverse: chargeback"},
		{"claimed", order, status("claimed"), "reverse: chargeback"},
		{"pix_expired", order, status("pix_expired"), "payment expired"},
		{"bank_slip_delayed", order, status("bank_slip_delayed"), "payment expired"},
		{"close", order, status("close"), "ignore: EventNotUsed"},
		{"trial", order, status("trial"), "purchase"},
		{"trial_started", order, status("trial_started"), "purchase"},
		{"trial_ended", order, status("trial_ended"), "ignore: EventNotUsed"},
		{"all_charges_paid", order, status("all_charges_paid"), "ignore: EventNotUsed"},
		{"card_exchanged", order, status("card_exchanged"), "ignore: EventNotUsed"},
		{"extended", order, status("extended"), "ignore: EventNotUsed"},
		{"uncanceled", order, status("uncanceled"), "ignore: EventNotUsed"},
		{"subscription_canceled", order, status("subscription_canceled"), "ignore: EventNotUsed"},
		{"subscription_delayed", order, status("subscription_delayed"), "ignore: EventNotUsed"},
		{"a status of tomorrow", order, status("teleported"), "ignore: UnknownEvent"},
		{"test", order, status("test"), "ignore: Ping"},
	})
}

func tictoOrderEvent() Event {
	return Event{
		ID: "TOH44556677/authorized/2026-06-07 09:00:01", Name: "authorized", Kind: Purchased, Attribute: true,
		Customer:    Customer{Name: "Téo Ramos", Phone: "+5571987651234", Email: "teo.ramos@example.com"},
		Product:     Product{ID: "55021", Name: "Capoeira do Zero"},
		CheckoutURL: "https://checkout.ticto.app/OAB12CD34", Amount: "347.90", TransactionID: "TOH44556677",
		OccurredAt: time.Date(2026, 6, 7, 12, 0, 1, 0, time.UTC),
	}
}

func TestTictoCart(t *testing.T) {
	body := fixture(t, "ticto/cart.json")
	testEvents(t, tictoUsual, Delivery{Body: body}, Event{
		ID: digest(body), Name: "abandoned_cart", Kind: Abandoned, Trigger: v1alpha1.TriggerAbandonedCart,
		Customer:    Customer{Name: "Téo Ramos", Phone: "+5571987651234", Email: "teo.ramos@example.com"},
		Product:     Product{Name: "Capoeira do Zero"},
		CheckoutURL: "https://checkout.ticto.app/OAB12CD34",
		OccurredAt:  time.Date(2026, 6, 7, 11, 9, 10, 0, time.UTC),
	})
}

func TestTictoOrder(t *testing.T) {
	testEvents(t, tictoUsual, Delivery{Body: fixture(t, "ticto/order.json")}, tictoOrderEvent())
	form := fixture(t, "ticto/flat.txt")
	t.Run("flat", func(t *testing.T) { testEvents(t, tictoUsual, Delivery{Body: form}, tictoOrderEvent()) })
	t.Run("flat, its type told", func(t *testing.T) {
		testEvents(t, tictoUsual, Delivery{Body: form, ContentType: "application/x-www-form-urlencoded"},
			tictoOrderEvent())
	})
}

// TestTictoIsForgiving: the same fields in other types, or absent.
func TestTictoIsForgiving(t *testing.T) {
	const paid = "purchase, attributed"
	phone := func(value any) change { return change{"customer.phone": value} }
	isPhone := func(e Event) bool { return e.Customer.Phone == "+5571987651234" }
	testForgiving(t, tictoUsual, "ticto/order.json", []forgiving{
		{"customer absent", change{"customer": absent}, "unusable: customer.email", func(e Event) bool {
			return e.Customer == Customer{}
		}},
		{"phone as a text", phone("(71) 98765-1234"), paid, isPhone},
		{"phone as a number", phone(71987651234), paid, isPhone},
		{"phone in numbers", phone(map[string]any{"ddi": 55, "ddd": 71, "number": 987651234}), paid, isPhone},
		{"phone without its country", phone(map[string]any{"ddd": "71", "number": "98765-1234"}), paid, isPhone},
		{"phone in flat parts", change{"customer.phone": absent, "customer.phone_ddi": "55", "customer.phone_ddd": "71",
			"customer.phone_number": "987651234"}, paid, isPhone},
		{"phone as telefone", change{"customer.phone": absent, "telefone": "5571987651234"}, paid, isPhone},
		{"phone without its number", phone(map[string]any{"ddi": "55", "ddd": "71"}), paid, func(e Event) bool {
			return e.Customer.Phone == ""
		}},
		{"cents as a string", change{"order.paid_amount": "5"}, paid, func(e Event) bool { return e.Amount == "0.05" }},
		{"cents with a point", change{"order.paid_amount": 12.34, "item.amount": nil}, paid, func(e Event) bool {
			return e.Amount == "12.34"
		}},
		{"paid amount absent", change{"order.paid_amount": absent}, paid, func(e Event) bool {
			return e.Amount == "339.90"
		}},
		{"item as an array", change{"item": []any{}}, paid, func(e Event) bool { return e.Product == Product{} }},
		{"product without its id", change{"item.product_id": nil}, paid, func(e Event) bool {
			return e.Product == Product{Name: "Capoeira do Zero"}
		}},
		{"order without its hash", change{"order.hash": absent}, paid, func(e Event) bool {
			return e.TransactionID == "880011"
		}},
		{"order absent", change{"order": absent}, paid, func(e Event) bool {
			return strings.HasPrefix(e.ID, "sha256-") && e.TransactionID == ""
		}},
		{"subscriptions as a text", change{"subscriptions": "none"}, paid, func(Event) bool { return true }},
		{"time with a zone", change{"status_date": "2026-06-07T09:00:01-03:00"}, paid, func(e Event) bool {
			return e.OccurredAt.Equal(time.Date(2026, 6, 7, 12, 0, 1, 0, time.UTC))
		}},
	})
}

func TestTictoRefuses(t *testing.T) {
	testBroken(t, tictoUsual)
	testTests(t, tictoUsual, "token")
	for field, change := range map[string]change{"status": {"status": 3}} {
		t.Run(field, func(t *testing.T) { testRefused(t, tictoUsual, changed(t, "ticto/order.json", change), field) })
	}
	t.Run("nothing known", func(t *testing.T) {
		testRefused(t, tictoUsual, []byte(`{"event":"teleported"}`),
			"status")
	})
}

func TestTictoVerify(t *testing.T) {
	testVerify(t, tictoUsual, []authentication{
		{"token", Delivery{Body: fixture(t, "ticto/cart.json")}, []string{"ticto-token-1"}, nil},
		{"token in a form", Delivery{Body: fixture(t, "ticto/flat.txt")}, []string{"ticto-token-0", "ticto-token-1"},
			nil},
		{"another token", Delivery{Body: fixture(t, "ticto/order.json")}, []string{"ticto-token-2"}, ErrBadCredential},
		{"no token", Delivery{Body: []byte(`{"status":"authorized"}`)}, []string{"ticto-token-1"}, ErrNoCredential},
	})
}

func FuzzTictoParse(f *testing.F) {
	f.Add(
		[]byte(`{"status":"abandoned_cart","customer":[{"phone":{"ddi":"+55","ddd":"011","number":"+011987654321"}}]}`),
		"", "BR")
	f.Add(
		[]byte(
			`{"status":"authorized","customer_phone_ddd":11,"customer_phone_number":1,"subscriptions":[1,{"successful_charges":2}]}`), "", "BR")
	fuzzParse(f, tictoUsual, "ticto/cart.json", "ticto/order.json", "ticto/flat.txt")
}

func FuzzTictoVerify(f *testing.F) {
	fuzzVerify(f, tictoUsual, tokenInForm("token"), "ticto/cart.json", "ticto/order.json", "ticto/flat.txt")
}

func TestTictoWords(t *testing.T) {
	testWords(t, v1alpha1.PlatformTicto, sortedKeys(tictoStatuses))
}
