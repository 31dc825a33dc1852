package webhookserver

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/runtime"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/fence"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/index"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/metrics"
	"cartrecovery.dev/operator/webhookserver/platforms"
)

// The deliveries of one customer, in any order and however often each of them comes, end in
// the same facts. A fact is what stands on any lead of a product, and the purchase that the
// planner finds for one (index.StoppingPurchase) as well as the one that stands on it: a
// customer who gives an e-mail address here and a phone there has two leads until an event
// names both, and how many depends on the order.
//
// Deliberately outside: events without a time of the platform's, which take that of their
// arrival (see TestARepetitionWithoutATimeChangesNothing); customers of whom it takes more
// than one event between two to show that they are the same (see linked); leads that the controller finished
// between two deliveries, which stay as they are; and the details of a purchase without credit, other than
// that there is one, where a product was bought several times and another is in play (see boughtOften).

// memory is an API server and a cache in memory.
type memory struct{ *fake.ClientBuilder }

// IndexField adds an index of the cache.
func (m memory) IndexField(_ context.Context, object client.Object, field string, values client.IndexerFunc) error {
	m.WithIndex(object, field, values)
	return nil
}

// world is a server over a memory.
type world struct {
	*Server
	calls *calls
	clock *clocktesting.FakePassiveClock
}

// calls counts what a server asks for: the lists of leads in its cache, the reads at the API server, and the writes
// there.
type calls struct{ cached, live, writes int }

// cachedBy counts what is asked of the cache, and written.
func (c *calls) cachedBy(api client.WithWatch) client.Client {
	return interceptor.NewClient(api, interceptor.Funcs{
		List: func(
			ctx context.Context, api client.WithWatch, list client.ObjectList, options ...client.ListOption,
		) error {
			if _, isLeads := list.(*v1alpha1.CartRecoveryList); isLeads {
				c.cached++
			}
			return api.List(ctx, list, options...)
		},
		Create: func(
			ctx context.Context, api client.WithWatch, object client.Object, options ...client.CreateOption,
		) error {
			c.writes++
			return api.Create(ctx, object, options...)
		},
		Patch: func(
			ctx context.Context, api client.WithWatch, object client.Object, patch client.Patch,
			options ...client.PatchOption,
		) error {
			c.writes++
			return api.Patch(ctx, object, patch, options...)
		},
	})
}

// liveBy counts what is read at the API server.
func (c *calls) liveBy(api client.WithWatch) client.Reader {
	return interceptor.NewClient(api, interceptor.Funcs{
		List: func(
			ctx context.Context, api client.WithWatch, list client.ObjectList, options ...client.ListOption,
		) error {
			c.live++
			return api.List(ctx, list, options...)
		},
		Get: func(
			ctx context.Context, api client.WithWatch, key client.ObjectKey, object client.Object,
			options ...client.GetOption,
		) error {
			c.live++
			return api.Get(ctx, key, object, options...)
		},
	})
}

func newWorld(t *testing.T) world {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	m := memory{fake.NewClientBuilder().WithScheme(scheme)}
	if err := index.Register(t.Context(), m, nil); err != nil {
		t.Fatal(err)
	}
	counted, err := metrics.New(prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	api, made, clock := m.Build(), &calls{}, clocktesting.NewFakePassiveClock(noon.Add(24*time.Hour))
	live := made.liveBy(api)
	options := Options{Client: made.cachedBy(api), Live: live, Fence: (*fence.Fence)(nil), Clock: clock,
		Logger: logr.Discard(), Metrics: counted}
	s := &Server{Options: options, live: index.NewLive(live), rejections: newRejections(), sent: newSentLater()}
	return world{s, made, clock}
}

// allTriggers is a Store that recovers whatever was left open.
func allTriggers() *v1alpha1.Store {
	return gen.StoreObject(func(s *v1alpha1.Store) {
		for _, trigger := range []v1alpha1.Trigger{
			v1alpha1.TriggerAbandonedCart, v1alpha1.TriggerPixPending, v1alpha1.TriggerBoletoPending,
			v1alpha1.TriggerPaymentRefused,
		} {
			s.Spec.Recovery.Sequences = append(s.Spec.Recovery.Sequences, v1alpha1.Sequence{Trigger: trigger})
		}
	})
}

// What the customer gives at some checkouts instead of gen's; the address is a smaller one.
const address2, phone2 = "a.souza@example.com", "+5511900000001"

// told is an event at so many minutes after noon.
func told(id string, minutes int, kind platforms.Kind, mods ...func(*platforms.Event)) platforms.Event {
	event := platforms.Event{
		ID: id, Kind: kind, OccurredAt: noon.Add(time.Duration(minutes) * time.Minute), TransactionID: "HP-" + id,
		Customer: platforms.Customer{Name: "Maria Souza", Phone: gen.Phone, Email: gen.Email},
		Product:  platforms.Product{ID: gen.ProductID, Name: "Curso de Violão"}, Amount: "149.90", Currency: "BRL",
	}
	for _, mod := range mods {
		mod(&event)
	}
	return event
}

func triggered(trigger v1alpha1.Trigger) func(*platforms.Event) {
	return func(e *platforms.Event) { e.Trigger, e.CheckoutURL = trigger, "https://pay.example.com/"+e.ID }
}

func ofSale(id string) func(*platforms.Event) {
	return func(e *platforms.Event) { e.TransactionID = id }
}

func credited(e *platforms.Event)     { e.Attribute = true }
func chargedBack(e *platforms.Event)  { e.Chargeback = true }
func byPhoneOnly(e *platforms.Event)  { e.Customer.Email, e.Customer.Name = "", "Maria" }
func byEmailOnly(e *platforms.Event)  { e.Customer.Phone, e.Customer.Name = "", "M. Souza" }
func byAddress2(e *platforms.Event)   { e.Customer.Phone, e.Customer.Email = "", address2 }
func withAddress2(e *platforms.Event) { e.Customer.Email = address2 }
func withPhone2(e *platforms.Event)   { e.Customer.Phone = phone2 }
func byPhone2(e *platforms.Event)     { e.Customer.Phone, e.Customer.Email = phone2, "" }
func ofThird(e *platforms.Event)      { e.Product = platforms.Product{ID: "3", Name: "Curso de Flauta"} }
func ofOther(e *platforms.Event)      { e.Product = platforms.Product{ID: "2", Name: "Curso de Canto"} }
func namedOnly(e *platforms.Event)    { e.Product.ID, e.Product.Name = "", "curso de violão" }
func unnamed(e *platforms.Event)      { e.Product.Name = "" }

// deliveries are what platforms have to tell of one customer. The second PIX of a cart is
// made hours later, and the other product bought in between and before.
func deliveries() map[string]platforms.Event {
	all := map[string]platforms.Event{}
	for _, each := range []platforms.Event{
		told("cart", 0, platforms.Abandoned, triggered(v1alpha1.TriggerAbandonedCart)),
		told("cart-again", 30, platforms.Abandoned, triggered(v1alpha1.TriggerAbandonedCart), unnamed),
		told("cart-by-phone", 5, platforms.Abandoned, triggered(v1alpha1.TriggerAbandonedCart), byPhoneOnly),
		told("pix", 150, platforms.Abandoned, triggered(v1alpha1.TriggerPixPending)),
		told("boleto", 200, platforms.Abandoned, triggered(v1alpha1.TriggerBoletoPending)),
		told("refused", 140, platforms.Abandoned, triggered(v1alpha1.TriggerPaymentRefused), byPhoneOnly),
		told("approved", 210, platforms.Purchased, credited),
		told("approved-by-email", 211, platforms.Purchased, credited, byEmailOnly),
		told("approved-by-phone", 212, platforms.Purchased, credited, byPhoneOnly),
		told("complete", 900, platforms.Purchased),
		told("renewal-by-email", 100, platforms.Purchased, byEmailOnly),
		told("refund", 1000, platforms.Reversed),
		told("refund-by-email", 1001, platforms.Reversed, byEmailOnly),
		told("chargeback", 1100, platforms.Reversed, chargedBack),
		told("other-cart", 20, platforms.Abandoned, triggered(v1alpha1.TriggerAbandonedCart), ofOther),
		told("other", 10, platforms.Purchased, credited, ofOther),
		told("other-before", -59, platforms.Purchased, credited, ofOther),
		told("other-long-before", -3000, platforms.Purchased, credited, ofOther, byPhoneOnly),
		told("other-by-email", -20, platforms.Purchased, ofOther, byEmailOnly),
		told("other-renewal", 60, platforms.Purchased, ofOther),
		told("other-refund", 1200, platforms.Reversed, ofOther),
		told("refund-of-2nd", 1003, platforms.Reversed, ofSale("HP-approved-by-phone")),
		told("refund-of-1st", 1004, platforms.Reversed, ofSale("HP-approved")),
		told("cart-by-name", 6, platforms.Abandoned, triggered(v1alpha1.TriggerAbandonedCart), namedOnly),
		told("approved-by-name", 215, platforms.Purchased, credited, namedOnly),
		told("cart-2nd-address", 7, platforms.Abandoned, triggered(v1alpha1.TriggerAbandonedCart), withAddress2),
		told("pix-2nd-phone", 160, platforms.Abandoned, triggered(v1alpha1.TriggerPixPending), withPhone2),
		told("approved-2nd-address", 213, platforms.Purchased, credited, byAddress2),
		told("approved-2nd-phone", 214, platforms.Purchased, credited, byPhone2),
		told("refund-2nd-address", 1002, platforms.Reversed, byAddress2),
		told("other-cart-2nd-address", 25, platforms.Abandoned, triggered(v1alpha1.TriggerAbandonedCart), ofOther,
			withAddress2),
		told("other-2nd-address", 30, platforms.Purchased, credited, ofOther, byAddress2),
		told("third-2nd-address", 40, platforms.Purchased, credited, ofThird, byAddress2),
		told("pix-expired", 180, platforms.PaymentExpired, ofSale("HP-pix")),
		told("pix-expired-by-email", 181, platforms.PaymentExpired, byEmailOnly, ofSale("")),
		told("boleto-expired", 230, platforms.PaymentExpired, ofSale("HP-boleto")),
		told("third-2nd-phone", 41, platforms.Purchased, credited, ofThird, byPhone2),
	} {
		all[each.ID] = each
	}
	return all
}

// run delivers events to an empty store and returns what is known in the end.
func (w world) run(t *testing.T, store *v1alpha1.Store, events []platforms.Event) string {
	t.Helper()
	if err := w.Client.DeleteAllOf(t.Context(), &v1alpha1.CartRecovery{},
		client.InNamespace(store.Namespace)); err != nil {
		t.Fatal(err)
	}
	for _, event := range events {
		if _, err := w.take(t.Context(), store, v1alpha1.PlatformHotmart, event); err != nil {
			t.Fatalf("%s of %s: %v", event.ID, order(events), err)
		}
	}
	return w.facts(t, boughtOften(events))
}

// boughtOften says whether one of two products was bought several times: a lead keeps the
// purchase that counts, and of the others only when the last was, so that which of them is
// shown on a lead of the other product depends on which were known when it was stopped.
func boughtOften(events []platforms.Event) bool {
	products, bought := map[string]bool{}, map[string]map[string]bool{}
	for _, event := range events {
		products[event.Product.ID] = true
		if event.Kind != platforms.Purchased {
			continue
		}
		if bought[event.Product.ID] == nil {
			bought[event.Product.ID] = map[string]bool{}
		}
		bought[event.Product.ID][event.ID] = true
	}
	several := func(ids map[string]bool) bool { return len(ids) > 1 }
	return len(products) > 1 && slices.ContainsFunc(slices.Collect(maps.Values(bought)), several)
}

// linked says whether the events show that they are of one customer: of every two, both name
// one phone or address, or another event names one of each. And that they are of the product
// that they are of: not some by its id alone, and others by its name.
func linked(events []platforms.Event) bool {
	some := func(is func(platforms.Product) bool) bool {
		return slices.ContainsFunc(events, func(e platforms.Event) bool { return is(e.Product) })
	}
	if some(func(p platforms.Product) bool { return p.ID == "" }) && some(func(p platforms.Product) bool {
		return p.Name == ""
	}) {
		return false
	}
	share := func(a, b platforms.Event) bool {
		return a.Customer.Email != "" && a.Customer.Email == b.Customer.Email || a.Customer.Phone != "" &&
			a.Customer.Phone == b.Customer.Phone
	}
	for _, a := range events {
		for _, b := range events {
			if !slices.ContainsFunc(events, func(between platforms.Event) bool {
				return share(a, between) && share(between, b)
			}) {
				return false
			}
		}
	}
	return true
}

// facts is what is known of each product, and whether a lead of it is still worked on.
func (w world) facts(t *testing.T, bare bool) string {
	t.Helper()
	var leads v1alpha1.CartRecoveryList
	if err := w.Live.List(t.Context(), &leads); err != nil {
		t.Fatal(err)
	}
	joined, open, reversed := map[string]lead.Facts{}, map[string]bool{}, map[string]bool{}
	for i := range leads.Items {
		each := &leads.Items[i]
		elsewhere, err := index.StoppingPurchase(t.Context(), w.Client, each, v1alpha1.KillSwitchCustomer)
		if err != nil {
			t.Fatal(err)
		}
		facts := lead.FactsOf(each)
		facts.Purchase = lead.BetterPurchase(facts.Purchase, elsewhere)
		product := each.Spec.Product.ID
		if product == "" { // namedOnly is of gen's product alone
			product = gen.ProductID
		}
		joined[product] = joined[product].Join(facts)
		reversed[product] = reversed[product] || lead.Reversed(each, facts.Purchase)
		open[product] = open[product] || facts.Start != nil && facts.Purchase == nil
	}
	var lines []string
	for product, facts := range joined {
		line := fmt.Sprintf("%s: open %t, %q, %q, %q, %q", product, open[product], facts.Name, facts.Emails,
			facts.Phones, facts.ProductName)
		if facts.Start != nil {
			line += fmt.Sprintf(", start %+v, first %s", *facts.Start, facts.FirstAbandoned.UTC())
		}
		switch {
		case facts.Purchase == nil:
		case bare && facts.Purchase.Unattributed:
			line += ", an unattributed purchase"
		default:
			line += fmt.Sprintf(", purchase %+v", *facts.Purchase)
		}
		if payment := facts.Payment; payment != nil && open[product] {
			line += fmt.Sprintf(", %s of %s made %s expires %s", payment.Method, payment.TransactionID,
				payment.CreatedAt, payment.ExpiresAt)
		}
		if facts.Reversal != nil {
			line += fmt.Sprintf(", reversal %+v of %q, counts %t", *facts.Reversal, facts.Reversals, reversed[product])
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func order(events []platforms.Event) string {
	ids := make([]string, 0, len(events))
	for _, event := range events {
		ids = append(ids, event.ID)
	}
	return strings.Join(ids, ", ")
}

// permute calls each with every order of events.
func permute(events []platforms.Event, each func([]platforms.Event)) {
	var place func(int)
	place = func(at int) {
		if at == len(events) {
			each(events)
			return
		}
		for i := at; i < len(events); i++ {
			events[at], events[i] = events[i], events[at]
			place(at + 1)
			events[at], events[i] = events[i], events[at]
		}
	}
	place(0)
}

func TestEveryOrderEndsTheSame(t *testing.T) {
	w, store, all, runs := newWorld(t), allTriggers(), deliveries(), 0
	for _, set := range [][]string{
		{"cart", "pix", "approved", "complete", "refund"},
		{"cart", "pix", "other-before", "other-renewal", "cart-by-phone"},
		{"cart-by-phone", "cart", "approved-by-email", "refund-by-email"},
		{"cart-by-phone", "approved-by-email", "approved", "chargeback"},
		{"cart", "pix", "other", "refused"},
		{"cart-again", "pix", "other-by-email", "other-cart"},
		{"cart-by-phone", "pix", "other-by-email", "renewal-by-email"},
		{"cart", "other-long-before", "other-renewal", "other-refund"},
		{"boleto", "pix", "cart-again", "approved-by-phone"},
		{"refund", "chargeback", "cart", "approved"},
		{"cart", "approved", "approved-by-phone", "refund-of-2nd"},
		{"cart", "approved", "refund-of-1st", "refund-of-2nd", "chargeback"},
		{"cart-by-name", "cart", "approved", "refund"},
		{"cart-by-name", "other-cart", "approved", "cart-again"},
		{"cart", "approved-by-name", "other", "refund"},
		{"cart", "cart-2nd-address", "approved-2nd-address", "refund"},
		{"cart", "pix-2nd-phone", "approved-by-phone", "cart-2nd-address"},
		{"cart", "pix-2nd-phone", "approved-2nd-phone", "refund"},
		{"cart", "cart-2nd-address", "third-2nd-address"},
		{"cart", "cart-2nd-address", "pix-2nd-phone", "other-2nd-address"},
		{"cart", "other-cart-2nd-address", "third-2nd-address"},
		{"cart", "other-cart-2nd-address", "approved-2nd-address", "refund-2nd-address"},
		{"cart", "pix-2nd-phone", "other-cart-2nd-address", "third-2nd-phone"},
		{"pix", "pix-expired", "cart", "boleto", "boleto-expired"},
		{"pix", "pix-expired-by-email", "cart-by-phone", "other"},
		{"pix", "pix-expired", "approved", "refund"},
	} {
		events := make([]platforms.Event, 0, len(set))
		for _, id := range set {
			events = append(events, all[id])
		}
		want, first := "", ""
		permute(events, func(events []platforms.Event) {
			runs++
			got := w.run(t, store, events)
			if want == "" {
				want, first = got, order(events)
			}
			if got != want {
				t.Fatalf("%s:\n%s\n%s:\n%s", first, want, order(events), got)
			}
		})
	}
	t.Logf("%d sequences", runs)
}

func TestRandomOrdersAndRepetitionsEndTheSame(t *testing.T) {
	w, store, all, runs := newWorld(t), allTriggers(), deliveries(), 0
	random := rand.New(rand.NewPCG(5, 6))
	ids := slices.Sorted(maps.Keys(all))
	for range 60 {
		events := make([]platforms.Event, 0, 9)
		for _, at := range random.Perm(len(ids))[:3+random.IntN(7)] {
			events = append(events, all[ids[at]])
		}
		if !linked(events) {
			continue
		}
		want, first := w.run(t, store, events), order(events)
		for range 4 {
			runs++
			again := slices.Clone(events)
			for range random.IntN(3) {
				again = append(again, events[random.IntN(len(events))])
			}
			random.Shuffle(len(again), func(i, j int) { again[i], again[j] = again[j], again[i] })
			if got := w.run(t, store, again); got != want {
				t.Fatalf("%s:\n%s\n%s:\n%s", first, want, order(again), got)
			}
		}
	}
	t.Logf("%d sequences", runs)
}

// TestARepetitionWithoutATimeChangesNothing has the clock go on, two hours from event to
// event, and some of them delivered again between the others, most of which tell no time.
func TestARepetitionWithoutATimeChangesNothing(t *testing.T) {
	w, store, all, runs := newWorld(t), allTriggers(), deliveries(), 0
	random := rand.New(rand.NewPCG(7, 8))
	ids := slices.Sorted(maps.Keys(all))
	for range 80 {
		events := make([]platforms.Event, 0, 8)
		for _, at := range random.Perm(len(ids))[:2+random.IntN(6)] {
			event := all[ids[at]]
			if random.IntN(4) > 0 {
				event.OccurredAt = time.Time{}
			}
			events = append(events, event)
		}
		if !linked(events) {
			continue
		}
		want := w.runOver(t, store, events, nil)
		var got string
		for range 3 {
			runs++
			again := make([][]platforms.Event, len(events))
			for at := range again {
				again[at] = events[:random.IntN(at+2)]
			}
			if got = w.runOver(t, store, events, again); got != want {
				t.Fatalf("%s:\n%s\nwith repetitions %v:\n%s", order(events), want, again, got)
			}
		}
	}
	t.Logf("%d sequences", runs)
}

// runOver delivers events two hours apart, and after each of them once more those of again.
func (w world) runOver(t *testing.T, store *v1alpha1.Store, events []platforms.Event,
	again [][]platforms.Event) string {
	t.Helper()
	w.run(t, store, nil)
	for i, event := range events {
		at := noon.Add(time.Duration(24+2*i) * time.Hour)
		w.clock.SetTime(at)
		w.deliver(t, store, v1alpha1.PlatformHotmart, event)
		if i >= len(again) {
			continue
		}
		for n, each := range again[i] {
			w.clock.SetTime(at.Add(time.Duration(10*(n+1)) * time.Minute))
			w.deliver(t, store, v1alpha1.PlatformHotmart, each)
		}
	}
	return w.facts(t, boughtOften(events))
}

// TestARedeliveredPurchaseStopsNothingNew: a customer buys, leaves another cart days later, and
// then the platform delivers the purchase once more.
func TestARedeliveredPurchaseStopsNothingNew(t *testing.T) {
	all := deliveries()
	cart := all["other-cart"]
	cart.OccurredAt = noon.Add(8 * 24 * time.Hour)
	for name, row := range map[string]struct {
		bought []string
		timed  bool
		again  string
	}{
		"one that told no time":          {[]string{"approved"}, false, "approved"},
		"one that told its time":         {[]string{"approved"}, true, "approved"},
		"one that another counts before": {[]string{"approved", "complete"}, false, "complete"},
		"one that is neither the first nor the last": {[]string{"approved", "approved-by-email", "complete"}, false,
			"approved-by-email"},
	} {
		t.Run(name, func(t *testing.T) {
			w, store := newWorld(t), allTriggers()
			told := func(id string, at time.Time) {
				event := all[id]
				if !row.timed {
					event.OccurredAt = time.Time{}
				}
				w.clock.SetTime(at)
				w.deliver(t, store, v1alpha1.PlatformHotmart, event)
			}
			for i, id := range row.bought {
				told(id, noon.Add(time.Duration(i)*time.Hour))
			}
			w.clock.SetTime(cart.OccurredAt)
			if done := w.deliver(t, store, v1alpha1.PlatformHotmart, cart); done[0].Result != resultCreated {
				t.Fatalf("the cart is %s", done[0].Result)
			}
			before := w.calls.writes
			told(row.again, cart.OccurredAt.Add(5*time.Minute))
			if facts := w.facts(t, false); w.calls.writes != before || !strings.Contains(facts, "2: open true") {
				t.Errorf("%d writes, %s", w.calls.writes-before, facts)
			}
		})
	}
}

func TestARepetitionIsNotWritten(t *testing.T) {
	w, store, all := newWorld(t), allTriggers(), deliveries()
	ids := slices.Sorted(maps.Keys(all))
	events := make([]platforms.Event, 0, len(ids))
	for _, id := range ids {
		events = append(events, all[id])
	}
	// The second time may link what was not linked at first; the third says nothing new.
	w.run(t, store, append(slices.Clone(events), events...))
	before := w.calls.writes
	for _, event := range events {
		if _, err := w.take(t.Context(), store, v1alpha1.PlatformHotmart, event); err != nil {
			t.Fatal(err)
		}
		if w.calls.writes != before {
			t.Fatalf("%s was written again", event.ID)
		}
	}
}
