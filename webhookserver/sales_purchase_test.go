package webhookserver

import (
	"context"
	"testing"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/webhookserver/platforms"
)

// deliver takes events of one platform in their order.
func (w world) deliver(t *testing.T, store *v1alpha1.Store, platform v1alpha1.PlatformName,
	events ...platforms.Event) []outcome {
	t.Helper()
	outcomes := make([]outcome, 0, len(events))
	for _, event := range events {
		done, err := w.take(t.Context(), store, platform, event)
		if err != nil {
			t.Fatalf("%s: %v", event.ID, err)
		}
		outcomes = append(outcomes, done)
	}
	return outcomes
}

// TestPurchaseReads: what a purchase costs at the API server.
func TestPurchaseReads(t *testing.T) {
	all := deliveries()
	for name, row := range map[string]struct {
		before []string
		then   string
		lists  int
		want   string
	}{
		"nobody":                      {nil, "approved", 2, resultRecorded},
		"the customer of a cart":      {[]string{"cart"}, "approved", 2, resultStopped},
		"a customer of several leads": {[]string{"cart", "other-cart"}, "approved", 2, resultStopped},
		"by the phone of a cart":      {[]string{"cart-by-phone"}, "approved-by-phone", 1, resultStopped},
		"by one of two addresses": {[]string{"cart", "cart-2nd-address"}, "approved-2nd-address", 3,
			resultStopped},
		"by an address that another lead has": {[]string{"cart", "other-cart-2nd-address"}, "approved-2nd-address", 3,
			resultStopped},
		"by one of two numbers": {[]string{"cart", "pix-2nd-phone"}, "approved-by-phone", 3,
			resultStopped},
		"by an address that no lead has": {[]string{"cart"}, "approved-2nd-address", 1, resultRecorded},
		"another product, by another's number": {[]string{"cart", "other-cart-2nd-address"}, "third-2nd-address", 2,
			resultStopped},
	} {
		t.Run(name, func(t *testing.T) {
			w, store := newWorld(t), allTriggers()
			for _, id := range row.before {
				w.deliver(t, store, v1alpha1.PlatformHotmart, all[id])
			}
			w.calls.live = 0
			done := w.deliver(t, store, v1alpha1.PlatformHotmart, all[row.then])
			if done[0].Result != row.want || w.calls.live != row.lists {
				t.Errorf("%s after %d lists, want %s after %d", done[0].Result, w.calls.live, row.want, row.lists)
			}
			// A cache that has the purchase's first write knows the rest, unless nothing was written.
			w.Fence, w.calls.live = seeing{}, 0
			for _, id := range row.before {
				w.deliver(t, store, v1alpha1.PlatformHotmart, all[id])
			}
			w.deliver(t, store, v1alpha1.PlatformHotmart, all["complete"])
			if w.calls.live != 0 {
				t.Errorf("%d lists though the cache is not behind", w.calls.live)
			}
			w.deliver(t, store, v1alpha1.PlatformHotmart, all["complete"])
			if w.calls.live == 0 {
				t.Error("a repetition, which writes nothing, relied on the cache")
			}
		})
	}
}

// TestCallsOfADelivery: what an event costs, at the API server and in the cache.
func TestCallsOfADelivery(t *testing.T) {
	all := deliveries()
	for name, row := range map[string]struct {
		before []string
		then   string
		want   calls
	}{
		"a new cart":                        {nil, "cart", calls{cached: 2, writes: 1}},
		"a cart again":                      {[]string{"cart"}, "cart-again", calls{cached: 2, writes: 1}},
		"a payment of a cart":               {[]string{"cart"}, "pix", calls{cached: 2, writes: 1}},
		"a cart with another number":        {[]string{"cart"}, "pix-2nd-phone", calls{cached: 6, writes: 1}},
		"a purchase of nobody":              {nil, "approved", calls{cached: 2, live: 2, writes: 1}},
		"a purchase of a cart":              {[]string{"cart"}, "approved", calls{cached: 2, live: 2, writes: 1}},
		"a purchase of two carts":           {[]string{"cart", "other-cart"}, "approved", calls{2, 2, 2}},
		"a purchase again":                  {[]string{"approved"}, "approved", calls{cached: 2, live: 2}},
		"a refund":                          {[]string{"approved"}, "refund", calls{cached: 2, live: 2, writes: 1}},
		"the end of a payment":              {[]string{"pix"}, "pix-expired", calls{cached: 2, live: 2, writes: 1}},
		"the end of a payment that is over": {[]string{"pix", "approved"}, "pix-expired", calls{cached: 2}},
	} {
		t.Run(name, func(t *testing.T) {
			w, store := newWorld(t), allTriggers()
			for _, id := range row.before {
				w.deliver(t, store, v1alpha1.PlatformHotmart, all[id])
			}
			*w.calls = calls{}
			w.deliver(t, store, v1alpha1.PlatformHotmart, all[row.then])
			if *w.calls != row.want {
				t.Errorf("got %+v, want %+v", *w.calls, row.want)
			}
		})
	}
}

// seeing is a cache that is never behind.
type seeing struct{}

func (seeing) Await(context.Context, string, string) error { return nil }

// TestACartByNameIsStoppedByASaleByID: Kirvano's carts name the product, and its sales have an
// id too.
func TestACartByNameIsStoppedByASaleByID(t *testing.T) {
	all := deliveries()
	for _, scope := range []v1alpha1.KillSwitchScope{v1alpha1.KillSwitchCustomer, v1alpha1.KillSwitchProduct} {
		w, store := newWorld(t), allTriggers()
		store.Spec.Recovery.KillSwitchScope = scope
		done := w.deliver(t, store, v1alpha1.PlatformKirvano, all["cart-by-name"], all["other-cart"], all["approved"],
			all["cart-by-name"])
		if done[2].Result != resultStopped || done[3].Reason != ignoredAlreadyPurchased {
			t.Errorf("scope %s: %+v", scope, done)
		}
		var leads v1alpha1.CartRecoveryList
		if err := w.Live.List(t.Context(), &leads); err != nil {
			t.Fatal(err)
		}
		for i := range leads.Items {
			spec := &leads.Items[i].Spec
			own := spec.Product.ID != "2"
			if stopped := spec.Purchase != nil; stopped != (own || scope == v1alpha1.KillSwitchCustomer) || stopped &&
				spec.Purchase.Unattributed == own {
				t.Errorf("scope %s: product %+v: purchase %+v", scope, spec.Product, spec.Purchase)
			}
		}
		if len(leads.Items) != 2 {
			t.Errorf("scope %s: %d leads", scope, len(leads.Items))
		}
	}
}

// TestTheEndOfAPayment: the notice of a payment that has expired is not sent, whichever came first.
func TestTheEndOfAPayment(t *testing.T) {
	const never, noPayment = -1, -2
	all := deliveries()
	for name, row := range map[string]struct {
		events []string
		want   outcome // of the last
		ends   int     // minutes after noon; never for a payment without an end, noPayment for none
	}{
		"after it was printed": {[]string{"pix", "pix-expired"}, outcome{Result: resultRecorded}, 180},
		"told twice": {
			[]string{"pix", "pix-expired", "pix-expired"}, outcome{Result: resultUnchanged}, 180,
		},
		"before it was printed":   {[]string{"pix-expired", "pix"}, outcome{Result: resultRecorded}, 180},
		"of another sale":         {[]string{"pix", "boleto-expired"}, outcome{Result: resultUnchanged}, never},
		"of no sale that is told": {[]string{"pix", "pix-expired-by-email"}, outcome{Result: resultRecorded}, 181},
		"of one that was bought": {[]string{"pix", "approved", "pix-expired"}, outcome{Result: resultIgnored,
			Reason: ignoredAlreadyFinished}, noPayment},
		"of a PIX that a boleto bests": {
			[]string{"pix", "boleto", "pix-expired"}, outcome{Result: resultUnchanged}, never,
		},
	} {
		t.Run(name, func(t *testing.T) {
			w, store := newWorld(t), allTriggers()
			var events []platforms.Event
			for _, id := range row.events {
				events = append(events, all[id])
			}
			done := w.deliver(t, store, v1alpha1.PlatformHotmart, events...)
			if last := done[len(done)-1]; last.Result != row.want.Result || last.Reason != row.want.Reason {
				t.Errorf("answered %s %s, want %s %s", last.Result, last.Reason, row.want.Result, row.want.Reason)
			}
			leads := w.all(t)
			if len(leads) != 1 {
				t.Fatalf("%d leads", len(leads))
			}
			got := noPayment
			if payment := leads[0].Spec.Payment; payment != nil {
				got = never
				if payment.ExpiresAt != nil {
					got = int(payment.ExpiresAt.Sub(noon).Minutes())
				}
			}
			if got != row.ends {
				t.Errorf("the payment ends %d minutes after noon, want %d", got, row.ends)
			}
		})
	}
}

func TestTheEndOfAPaymentThatNobodyAsksFor(t *testing.T) {
	w := newWorld(t)
	done := w.deliver(t, gen.StoreObject(), v1alpha1.PlatformHotmart, deliveries()["pix-expired"])[0]
	if done.Reason != ignoredNoSequence || len(w.all(t)) != 0 {
		t.Errorf("answered %s %s, with %d leads", done.Result, done.Reason, len(w.all(t)))
	}
}

// TestARepeatedPurchaseSaysWhatIsInFlight whatever it changed.
func TestARepeatedPurchaseSaysWhatIsInFlight(t *testing.T) {
	w, store, all := newWorld(t), allTriggers(), deliveries()
	w.deliver(t, store, v1alpha1.PlatformHotmart, all["cart"], all["approved"])
	for _, state := range []v1alpha1.MessageState{v1alpha1.MessageClaimed, v1alpha1.MessageSent} {
		w.control(t, func(l *v1alpha1.CartRecovery) bool {
			l.Status.Conversation = []v1alpha1.Message{{ID: "c0-step-first", Role: v1alpha1.RoleAssistant,
				State: state}}
			return true
		})
		done := w.deliver(t, store, v1alpha1.PlatformHotmart, all["approved"])[0]
		if done.Result != resultUnchanged || done.InFlight == nil ||
			*done.InFlight != (state == v1alpha1.MessageClaimed) {
			t.Errorf("%s: %s, in flight %v", state, done.Result, *done.InFlight)
		}
	}
}

// TestAnEventWithoutABuyerIsOfItsTransaction, and not of one of the same number at another
// platform, or in another Store.
func TestAnEventWithoutABuyerIsOfItsTransaction(t *testing.T) {
	nobody := func(e *platforms.Event) { e.Customer, e.Product = platforms.Customer{}, platforms.Product{} }
	all := deliveries()
	pix := all["pix"]
	for name, row := range map[string]struct {
		before   []platforms.Event
		platform v1alpha1.PlatformName
		then     platforms.Event
		want     string
	}{
		"a refund of a purchase": {[]platforms.Event{pix, all["approved"]}, v1alpha1.PlatformHotmart,
			told("r", 300, platforms.Reversed, nobody, ofSale("HP-approved")), resultReversed},
		"a chargeback": {[]platforms.Event{all["approved"]}, v1alpha1.PlatformHotmart,
			told("r", 300, platforms.Reversed, nobody, chargedBack, ofSale("HP-approved")), resultReversed},
		"the purchase of a PIX": {[]platforms.Event{pix}, v1alpha1.PlatformHotmart,
			told("p", 300, platforms.Purchased, nobody, credited, ofSale("HP-pix")), resultStopped},
		"the end of a PIX": {[]platforms.Event{pix}, v1alpha1.PlatformHotmart,
			told("x", 300, platforms.PaymentExpired, nobody, ofSale("HP-pix")), resultRecorded},
		"a purchase of another sale": {[]platforms.Event{pix}, v1alpha1.PlatformHotmart,
			told("p", 300, platforms.Purchased, nobody, ofSale("HP-other")), resultUnusable},
		"another platform's sale": {[]platforms.Event{pix}, v1alpha1.PlatformKiwify,
			told("p", 300, platforms.Purchased, nobody, ofSale("HP-pix")), resultUnusable},
		"a purchase of no sale": {[]platforms.Event{pix}, v1alpha1.PlatformHotmart,
			told("p", 300, platforms.Purchased, nobody, ofSale("")), resultUnusable},
		"the end of another PIX": {[]platforms.Event{pix}, v1alpha1.PlatformHotmart,
			told("x", 300, platforms.PaymentExpired, nobody, ofSale("HP-other")), resultIgnored},
		"what the platform's parser found unusable": {nil, v1alpha1.PlatformHotmart, told("u", 300, platforms.Unusable,
			nobody), resultUnusable},
	} {
		t.Run(name, func(t *testing.T) {
			w, store := newWorld(t), allTriggers()
			w.deliver(t, store, v1alpha1.PlatformHotmart, row.before...)
			done := w.deliver(t, store, row.platform, row.then)[0]
			if done.Result != row.want {
				t.Errorf("%s %s, want %s", done.Result, done.Reason, row.want)
			}
			other := gen.StoreObject(func(s *v1alpha1.Store) { s.Name = "other" })
			if len(row.before) > 0 && row.then.Kind != platforms.PaymentExpired {
				if done := w.deliver(t, other, row.platform, row.then)[0]; done.Result != resultUnusable {
					t.Errorf("in another store: %s %s, want %s", done.Result, done.Reason, resultUnusable)
				}
			}
		})
	}
}

// TestOneOrderOfTwoProductsIsToldApart: a refund that names its product is of that one.
func TestOneOrderOfTwoProductsIsToldApart(t *testing.T) {
	w, store := newWorld(t), allTriggers()
	of := ofSale("HP-1")
	w.deliver(t, store, v1alpha1.PlatformHotmart, told("a", 0, platforms.Purchased, credited, of),
		told("b", 1, platforms.Purchased, credited, ofOther, of))
	w.deliver(t, store, v1alpha1.PlatformHotmart, told("r", 2, platforms.Reversed, ofOther, of,
		func(e *platforms.Event) { e.Customer = platforms.Customer{} }))
	for _, each := range w.all(t) {
		if (each.Spec.Reversal != nil) != (each.Spec.Product.ID == "2") {
			t.Errorf("product %s: reversal %+v", each.Spec.Product.ID, each.Spec.Reversal)
		}
	}
}

// TestAPurchaseHasTheStoresCurrency where its platform tells none.
func TestAPurchaseHasTheStoresCurrency(t *testing.T) {
	for name, row := range map[string]struct{ store, amount, told, want string }{
		"the platform's":     {"USD", "10", "EUR", "EUR"},
		"the Store's":        {"USD", "10", "", "USD"},
		"the default":        {"", "10", "", "BRL"},
		"no amount, no need": {"USD", "", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			w, store := newWorld(t), allTriggers()
			store.Spec.Currency = row.store
			w.deliver(t, store, v1alpha1.PlatformHotmart, told("p", 0, platforms.Purchased, credited,
				func(e *platforms.Event) { e.Amount, e.Currency = row.amount, row.told }))
			if got := w.all(t)[0].Spec.Purchase.Currency; got != row.want {
				t.Errorf("%q, want %q", got, row.want)
			}
		})
	}
}
