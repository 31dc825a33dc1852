package lead_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/lead"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func after(minutes int) v1alpha1.Timestamp {
	return v1alpha1.NewTimestamp(noon.Add(time.Duration(minutes) * time.Minute))
}

func started(trigger v1alpha1.Trigger, minutes int, mods ...func(*lead.Start)) lead.Facts {
	start := &lead.Start{Trigger: trigger, AbandonedAt: after(minutes), EventID: "b", Phone: gen.Phone}
	for _, mod := range mods {
		mod(start)
	}
	return lead.Facts{Start: start, FirstAbandoned: start.AbandonedAt.Time, Phones: start.Phone}
}

func bought(minutes int, unattributed bool, id string) lead.Facts {
	return lead.Bought(&v1alpha1.Purchase{EventID: id, At: after(minutes), Unattributed: unattributed})
}

func reversed(kind v1alpha1.ReversalKind, minutes int, id string) lead.Facts {
	return lead.TakenBack(&v1alpha1.Reversal{EventID: id, Kind: kind, At: after(minutes)})
}

// TestWhichFactCounts has the winner first; the order of the two must not matter.
func TestWhichFactCounts(t *testing.T) {
	const cart, pix, boleto, refused = v1alpha1.TriggerAbandonedCart, v1alpha1.TriggerPixPending,
		v1alpha1.TriggerBoletoPending, v1alpha1.TriggerPaymentRefused
	id := func(id string) func(*lead.Start) { return func(s *lead.Start) { s.EventID = id } }
	for name, row := range map[string][2]lead.Facts{
		"a PIX before a cart":               {started(pix, 9), started(cart, 0)},
		"a boleto before a refused payment": {started(boleto, 9), started(refused, 0)},
		"a refused payment before a cart":   {started(refused, 9), started(cart, 0)},
		"the earlier of a PIX and a boleto": {started(pix, 0), started(boleto, 1)},
		"the earlier cart":                  {started(cart, 0, id("c")), started(cart, 1, id("a"))},
		"the smaller trigger":               {started(boleto, 0, id("c")), started(pix, 0, id("a"))},
		"the smaller event of one time":     {started(cart, 0, id("a")), started(cart, 0)},
		"the smaller amount, to have a rule": {started(cart, 0), started(cart, 0, func(s *lead.Start) {
			s.Amount = "1"
		})},
		"the smaller phone, to have a rule": {started(cart, 0), started(cart, 0, func(s *lead.Start) {
			s.Phone += "9"
		})},
		"an attributed purchase":           {bought(9, false, "b"), bought(0, true, "a")},
		"the earlier purchase":             {bought(0, false, "b"), bought(9, false, "a")},
		"the smaller purchase of one time": {bought(0, false, "a"), bought(0, false, "b")},
		"the purchase that is known by more": {bought(0, true, "b"), {Purchase: bought(0, true, "").Purchase,
			LastPurchase: noon}},
		"a chargeback before a refund": {reversed(v1alpha1.ReversalChargeback, 9, "b"),
			reversed(v1alpha1.ReversalRefund, 0, "a")},
		"the earlier reversal": {reversed(v1alpha1.ReversalRefund, 0, "b"),
			reversed(v1alpha1.ReversalRefund, 9, "a")},
		"the smaller reversal of one time": {reversed(v1alpha1.ReversalRefund, 0, "a"),
			reversed(v1alpha1.ReversalRefund, 0, "b")},
		"the longer name":                 {{Name: "Maria Souza"}, {Name: "Ana"}},
		"the smaller name of one length":  {{Name: "Ana"}, {Name: "Eva"}},
		"a name before none":              {{Name: "Ana"}, {}},
		"an e-mail address before none":   {{Emails: "b@example.com"}, {}},
		"a phone before none":             {{Phones: "+5511900000001"}, {}},
		"the longer name of the product":  {{ProductName: "Curso de Violão"}, {ProductName: "Curso"}},
		"the payment that was made later": {paying(9, "a"), paying(0, "b")},
		"a payment whose time is known":   {paying(0, "b"), {Payment: &v1alpha1.Payment{TransactionID: "a"}}},
		"the later consent": {consenting(v1alpha1.ConsentOptedIn, 9), consenting(v1alpha1.ConsentOptedOut,
			0)},
		"no consent before consent": {consenting(v1alpha1.ConsentOptedOut, 0), consenting(v1alpha1.ConsentOptedIn,
			0)},
		"a consent whose time is known": {consenting(v1alpha1.ConsentOptedIn, 0),
			{Consent: &v1alpha1.Consent{Basis: v1alpha1.ConsentOptedOut}}},
	} {
		winner, loser := row[0], row[1]
		for _, joined := range []lead.Facts{winner.Join(loser), loser.Join(winner)} {
			joined.FirstAbandoned, joined.LastPurchase, joined.Purchases = winner.FirstAbandoned, winner.LastPurchase,
				winner.Purchases
			joined.OtherPurchases = winner.OtherPurchases
			joined.Phones = winner.Phones
			if !reflect.DeepEqual(joined, winner) {
				t.Errorf("%s: got %+v, want %+v", name, joined, winner)
			}
		}
	}
}

// anyOf is one of so many texts, or none.
func anyOf(random *rand.Rand, many int) string {
	if at := random.IntN(many + 1); at > 0 {
		return string(rune('a' + at - 1))
	}
	return ""
}

// anyFacts makes facts of few values, so that ties are frequent.
func anyFacts(random *rand.Rand) lead.Facts {
	word := func() string { return []string{"", "a", "b", "aa"}[random.IntN(4)] }
	var facts lead.Facts
	if random.IntN(2) == 0 {
		triggers := []v1alpha1.Trigger{v1alpha1.TriggerAbandonedCart, v1alpha1.TriggerPixPending,
			v1alpha1.TriggerBoletoPending, v1alpha1.TriggerPaymentRefused}
		facts = started(triggers[random.IntN(4)], random.IntN(3), func(s *lead.Start) {
			s.EventID, s.CheckoutURL, s.Amount, s.Currency, s.Phone = word(), word(), word(), word(), word()
		})
	} else {
		facts.Phones = word()
	}
	if random.IntN(2) == 0 {
		made := bought(random.IntN(3), random.IntN(2) == 0, word())
		made.Purchase.Amount, made.Purchase.Currency, made.Purchase.TransactionID = word(), word(), word()
		facts.Purchase, facts.LastPurchase, facts.Purchases = made.Purchase, made.LastPurchase, made.Purchases
	}
	if random.IntN(2) == 0 {
		reversal := reversed([]v1alpha1.ReversalKind{v1alpha1.ReversalRefund,
			v1alpha1.ReversalChargeback}[random.IntN(2)],
			random.IntN(3), word()).Reversal
		reversal.TransactionID = word()
		made := lead.TakenBack(reversal)
		facts.Reversal, facts.Reversals = made.Reversal, made.Reversals
	}
	facts.Name, facts.Emails, facts.ProductName = word(), anyOf(random, 12), word()
	if random.IntN(2) == 0 {
		facts.Payment = &v1alpha1.Payment{TransactionID: word(), PixCode: word(), CreatedAt: maybe(random),
			ExpiresAt: maybe(random)}
	}
	if random.IntN(3) == 0 {
		facts.ExpiredPayments = lead.Expired(word(), after(random.IntN(3))).ExpiredPayments
	}
	if random.IntN(2) == 0 {
		basis := []v1alpha1.ConsentBasis{v1alpha1.ConsentOptedIn, v1alpha1.ConsentOptedOut}[random.IntN(2)]
		facts.Consent = &v1alpha1.Consent{Basis: basis, Source: word(), At: maybe(random)}
	}
	facts.Sales = lead.OfSale(word()).Sales
	if facts.Start == nil {
		facts.Phones = anyOf(random, 12)
	}
	// As a lead keeps them: without a payment where it was bought, and no longer than it can be
	// made.
	return facts.Join(lead.Facts{})
}

// maybe is one of a few times, or none.
func maybe(random *rand.Rand) *v1alpha1.Timestamp {
	if random.IntN(3) == 0 {
		return nil
	}
	at := after(random.IntN(3))
	return &at
}

// TestFactsAreASemilattice is what makes the order and the repetition of deliveries
// irrelevant: the join is commutative, associative and idempotent.
func TestFactsAreASemilattice(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	same := func(law string, got, want lead.Facts) {
		t.Helper()
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%s: %+v is not %+v", law, got, want)
		}
	}
	for range 20_000 {
		a, b, c := anyFacts(random), anyFacts(random), anyFacts(random)
		same("commutative", a.Join(b), b.Join(a))
		same("associative", a.Join(b).Join(c), a.Join(b.Join(c)))
		same("idempotent", a.Join(a), a)
		same("neutral", a.Join(lead.Facts{}), a)
		if joined := a.Join(b); joined.Join(b) != joined || joined.Join(a) != joined {
			t.Fatal("what adds nothing must change nothing")
		}
	}
}

// readBack is a lead as the API server returns it.
func readBack(t *testing.T, recovery *v1alpha1.CartRecovery) *v1alpha1.CartRecovery {
	t.Helper()
	data, err := json.Marshal(recovery)
	if err != nil {
		t.Fatal(err)
	}
	var stored v1alpha1.CartRecovery
	if err := json.Unmarshal(data, &stored); err != nil {
		t.Fatal(err)
	}
	return &stored
}

// TestAdd brings facts to leads in every order: what a lead keeps of them must be as good as
// the facts themselves.
func TestAdd(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 2_000 {
		facts := make([]lead.Facts, 1+random.IntN(14)) // more than there are places for
		for i := range facts {
			facts[i] = anyFacts(random)
		}
		var first *v1alpha1.CartRecovery
		for range 4 {
			random.Shuffle(len(facts), func(i, j int) { facts[i], facts[j] = facts[j], facts[i] })
			recovery := gen.Lead(noon)
			recovery.Labels, recovery.Spec = nil, v1alpha1.CartRecoverySpec{StoreRef: recovery.Spec.StoreRef,
				Platform: recovery.Spec.Platform}
			for _, each := range facts {
				before := recovery.DeepCopy()
				changed := lead.Add(recovery, each)
				if changed == reflect.DeepEqual(before, recovery) {
					t.Fatalf("changed %t: %+v, then %+v", changed, before, recovery)
				}
				if stored := readBack(t, recovery); changed && !reflect.DeepEqual(stored.Spec, recovery.Spec) {
					t.Fatalf("read back as %+v: %+v", stored.Spec, recovery.Spec)
				}
				if lead.Add(recovery, each) {
					t.Fatal("facts that are known changed something")
				}
			}
			if first == nil {
				first = recovery
			}
			if !reflect.DeepEqual(first.Spec, recovery.Spec) || !maps.Equal(first.Labels, recovery.Labels) ||
				!maps.Equal(first.Annotations, recovery.Annotations) {
				t.Fatalf("the order matters:\n%+v\n%+v", first, recovery)
			}
		}
	}
}

func TestAddLabelsWhatItFillsIn(t *testing.T) {
	recovery := gen.Lead(noon, func(l *v1alpha1.CartRecovery) {
		l.Spec.Customer.Email = ""
		l.Labels = lead.Labels(gen.Store, l.Spec.Customer)
		l.Labels["team"] = "a"
		l.Labels[v1alpha1.LabelEmailPrefix+"gone"] = ""
	})
	if !lead.Add(recovery, lead.Facts{Emails: gen.Email}) {
		t.Fatal("nothing changed")
	}
	want := lead.Labels(gen.Store, recovery.Spec.Customer)
	want["team"] = "a"
	if !maps.Equal(recovery.Labels, want) || !lead.Labelled(recovery) {
		t.Errorf("labels %v, want %v", recovery.Labels, want)
	}
}

// TestAddKeepsEveryAddressAndNumber is what the kill switch depends on: a purchase may name
// any of them.
func TestAddKeepsEveryAddressAndNumber(t *testing.T) {
	const second, third = "+5511900000001", "+5511900000002"
	recovery := gen.Lead(noon)
	pix := started(v1alpha1.TriggerPixPending, 9, func(s *lead.Start) { s.Phone = second })
	pix.Emails = "ana@example.com"
	lead.Add(recovery, lead.Facts{Emails: "zoe@example.com", Phones: third})
	lead.Add(recovery, pix)
	want := v1alpha1.LeadCustomer{
		Name: "Maria Souza", Phone: second, OtherPhones: []string{third, gen.Phone},
		Email: "ana@example.com", OtherEmails: []string{gen.Email, "zoe@example.com"},
	}
	if !reflect.DeepEqual(recovery.Spec.Customer, want) {
		t.Errorf("got %+v, want %+v", recovery.Spec.Customer, want)
	}
	for _, each := range []v1alpha1.LeadCustomer{
		{Email: gen.Email}, {Email: "ana@example.com"}, {Email: "zoe@example.com"}, {Phone: gen.Phone}, {Phone: second},
		{Phone: third},
	} {
		for _, key := range lead.CustomerKeys(&each) {
			if _, has := recovery.Labels[key]; !has || !lead.SameCustomer(&each, &recovery.Spec.Customer) {
				t.Errorf("%+v does not find the lead", each)
			}
		}
	}
	for n := range 100 {
		lead.Add(recovery, lead.Facts{Emails: fmt.Sprintf("x%02d@example.com", n),
			Phones: fmt.Sprintf("+55119000001%02d", n)})
	}
	if customer := recovery.Spec.Customer; len(customer.OtherEmails) > 7 || len(customer.OtherPhones) > 8 ||
		customer.Phone != second {
		t.Errorf("too much is kept: %+v", customer)
	}
}

func TestPurchasedAt(t *testing.T) {
	recovery := gen.Lead(noon)
	if _, known := lead.PurchasedAt([]v1alpha1.CartRecovery{*recovery}, "first"); known {
		t.Error("a purchase is known that nobody told")
	}
	for _, facts := range []lead.Facts{bought(9, false, "first"), bought(20, true, "middle"), bought(30, true, "last"),
		bought(25, true, "middle"), bought(5, true, "")} {
		lead.Add(recovery, facts)
	}
	leads := []v1alpha1.CartRecovery{*gen.Lead(noon), *recovery}
	for id, want := range map[string]int{"first": 9, "middle": 20, "last": 30, "other": -1, "": -1} {
		at, known := lead.PurchasedAt(leads, id)
		if known != (want >= 0) || known && !at.Equal(after(want).Time) {
			t.Errorf("%q: got %s, %t", id, at, known)
		}
	}
	recovery.Annotations[v1alpha1.AnnotationPurchases] = "yesterday middle, ,2026"
	if _, known := lead.PurchasedAt([]v1alpha1.CartRecovery{*recovery}, "middle"); known {
		t.Error("an annotation that holds no purchases was read")
	}
	for n := range 100 {
		lead.Add(recovery, bought(100+n, true, fmt.Sprint("renewal-", n)))
	}
	if size := len(recovery.Annotations[v1alpha1.AnnotationPurchases]); size > 1024 {
		t.Errorf("%d bytes of purchases are kept", size)
	}
	if _, known := lead.PurchasedAt([]v1alpha1.CartRecovery{*recovery}, "renewal-99"); !known {
		t.Error("the latest purchase was dropped")
	}
}

func TestReversed(t *testing.T) {
	reversal := func(minutes int, sale string) lead.Facts {
		return lead.TakenBack(&v1alpha1.Reversal{EventID: "r" + sale, Kind: v1alpha1.ReversalRefund,
			TransactionID: sale, At: after(minutes)})
	}
	purchase := func(sale string) *v1alpha1.Purchase {
		return &v1alpha1.Purchase{EventID: "p" + sale, TransactionID: sale, At: after(1)}
	}
	for name, row := range map[string]struct {
		reversals []lead.Facts
		purchase  *v1alpha1.Purchase
		want      bool
	}{
		"nothing":                          {nil, purchase("t1"), false},
		"its own":                          {[]lead.Facts{reversal(2, "t1")}, purchase("t1"), true},
		"of another sale":                  {[]lead.Facts{reversal(2, "t2")}, purchase("t1"), false},
		"its own after another's":          {[]lead.Facts{reversal(2, "t2"), reversal(3, "t1")}, purchase("t1"), true},
		"its own before another's":         {[]lead.Facts{reversal(2, "t1"), reversal(3, "t2")}, purchase("t1"), true},
		"of no sale that is told":          {[]lead.Facts{reversal(2, "")}, purchase("t1"), true},
		"of no sale told, after another's": {[]lead.Facts{reversal(2, "t2"), reversal(3, "")}, purchase("t1"), true},
		"of a purchase without a sale":     {[]lead.Facts{reversal(2, "t2")}, purchase(""), true},
		"of a purchase known by its time":  {[]lead.Facts{reversal(2, "t2")}, &v1alpha1.Purchase{At: after(1)}, false},
		"before any purchase":              {[]lead.Facts{reversal(2, "t2")}, nil, true},
	} {
		recovery := gen.Lead(noon)
		for _, facts := range row.reversals {
			lead.Add(recovery, facts)
		}
		if got := lead.Reversed(recovery, row.purchase); got != row.want {
			t.Errorf("%s: got %t", name, got)
		}
	}
}

// TestWhichPurchaseStands tells, in every order of the events, which of several sales of one
// product counts, and whether it was taken back.
func TestWhichPurchaseStands(t *testing.T) {
	sale := func(minutes int, sale, amount string) lead.Facts {
		return lead.Bought(&v1alpha1.Purchase{EventID: "p" + sale, TransactionID: sale, Amount: amount,
			At: after(minutes)})
	}
	renewal := func(minutes int, sale string) lead.Facts {
		return lead.Bought(&v1alpha1.Purchase{EventID: "p" + sale, TransactionID: sale, At: after(minutes),
			Unattributed: true})
	}
	refund := func(minutes int, sale string) lead.Facts {
		return lead.TakenBack(&v1alpha1.Reversal{EventID: "r" + sale, Kind: v1alpha1.ReversalRefund,
			TransactionID: sale, At: after(minutes)})
	}
	for name, row := range map[string]struct {
		events   []lead.Facts
		sale     string
		others   int
		reversed bool
	}{
		"paid once":  {[]lead.Facts{sale(1, "a", "10")}, "a", 0, false},
		"paid twice": {[]lead.Facts{sale(1, "a", "10"), sale(2, "b", "20")}, "a", 1, false},
		"paid twice, the first refunded": {[]lead.Facts{sale(1, "a", "10"), sale(2, "b", "20"), refund(3, "a")},
			"b", 1, false},
		"paid twice, the second refunded": {[]lead.Facts{sale(1, "a", "10"), sale(2, "b", "20"), refund(3, "b")},
			"a", 1, false},
		"paid twice, both refunded": {[]lead.Facts{sale(1, "a", "10"), sale(2, "b", "20"), refund(3, "a"),
			refund(4, "b")}, "a", 1, true},
		"refunded, and bought again": {[]lead.Facts{sale(1, "a", "10"), refund(2, "a"), sale(3, "b", "20")},
			"b", 1, false},
		"a refund of no sale that is told": {[]lead.Facts{sale(1, "a", "10"), sale(2, "b", "20"), refund(3, "")},
			"a", 1, true},
		"two events of one sale": {[]lead.Facts{sale(1, "a", "10"), sale(2, "a", "10"), refund(3, "a")},
			"a", 0, true},
		"a renewal is no sale beside it": {[]lead.Facts{sale(1, "a", "10"), renewal(2, "b"), refund(3, "a")}, "a",
			0, true},
		"two in one second, either may stand": {[]lead.Facts{sale(1, "a", "10"), sale(1, "b", "1000")}, "a", 1, false},
	} {
		permutations(len(row.events), func(order []int) {
			recovery := gen.Lead(noon)
			for _, at := range order {
				lead.Add(recovery, row.events[at])
				lead.Add(recovery, row.events[order[0]])
			}
			spec := readBack(t, recovery).Spec
			got := fmt.Sprint(spec.Purchase.TransactionID, len(spec.OtherPurchases),
				lead.Reversed(recovery, spec.Purchase))
			if want := fmt.Sprint(row.sale, row.others, row.reversed); got != want {
				t.Errorf("%s in the order %v: got %s, want %s", name, order, got, want)
			}
		})
	}
}

// permutations calls with every order of so many.
func permutations(many int, with func([]int)) {
	order := make([]int, many)
	for i := range order {
		order[i] = i
	}
	var swap func(int)
	swap = func(at int) {
		if at == many {
			with(order)
			return
		}
		for i := at; i < many; i++ {
			order[at], order[i] = order[i], order[at]
			swap(at + 1)
			order[at], order[i] = order[i], order[at]
		}
	}
	swap(0)
}

func TestALeadMayBeginWithTheEndOfItsPayment(t *testing.T) {
	recovery := gen.Lead(noon)
	recovery.Spec.AbandonedAt = nil
	lead.Add(recovery, lead.Expired("t1", after(2)).Join(lead.Expired("t2", after(1))))
	if at := recovery.Spec.PaymentExpiredAt; at == nil || !at.Equal(after(2).Time) {
		t.Errorf("spec.paymentExpiredAt is %v", at)
	}
}

func TestAddKeepsTheTimesThatTheSpecHasNoPlaceFor(t *testing.T) {
	recovery := gen.Lead(noon)
	lead.Add(recovery, started(v1alpha1.TriggerPixPending, 120))
	lead.Add(recovery, bought(1, false, "first"))
	lead.Add(recovery, bought(90, true, "renewal"))
	facts := lead.FactsOf(recovery)
	if !recovery.Spec.AbandonedAt.Equal(after(120).Time) || !facts.FirstAbandoned.Equal(noon) {
		t.Errorf("abandoned at %s, first at %s", recovery.Spec.AbandonedAt, facts.FirstAbandoned)
	}
	if recovery.Spec.Purchase.EventID != "first" || !facts.LastPurchase.Equal(after(90).Time) {
		t.Errorf("purchase %+v, last at %s", recovery.Spec.Purchase, facts.LastPurchase)
	}
	recovery.Annotations[v1alpha1.AnnotationFirstAbandoned] = "yesterday"
	if facts := lead.FactsOf(recovery); !facts.FirstAbandoned.Equal(after(120).Time) {
		t.Errorf("an annotation that is no time was read as %s", facts.FirstAbandoned)
	}
}

func paying(minutes int, sale string) lead.Facts {
	at := after(minutes)
	return lead.Facts{Payment: &v1alpha1.Payment{Method: v1alpha1.PaymentPix, CreatedAt: &at, TransactionID: sale}}
}

func consenting(basis v1alpha1.ConsentBasis, minutes int) lead.Facts {
	at := after(minutes)
	return lead.Facts{Consent: &v1alpha1.Consent{Basis: basis, At: &at}}
}

// TestWhenAPaymentExpires joins each row in every order.
func TestWhenAPaymentExpires(t *testing.T) {
	until := func(facts lead.Facts, minutes int) lead.Facts {
		at := after(minutes)
		facts.Payment.ExpiresAt = &at
		return facts
	}
	for name, row := range map[string]struct {
		facts []lead.Facts
		want  int // minutes; -1 for never
	}{
		"as it was told": {[]lead.Facts{until(paying(0, "t1"), 60)}, 60},
		"reported":       {[]lead.Facts{paying(0, "t1"), lead.Expired("t1", after(30))}, 30},
		"reported earlier than told": {[]lead.Facts{until(paying(0, "t1"), 60), lead.Expired("t1", after(30))},
			30},
		"reported later than told": {[]lead.Facts{until(paying(0, "t1"), 60), lead.Expired("t1", after(90))},
			60},
		"reported twice": {[]lead.Facts{paying(0, "t1"), lead.Expired("t1", after(50)),
			lead.Expired("t1", after(30))}, 30},
		"of another sale": {[]lead.Facts{paying(0, "t1"), lead.Expired("t2", after(30))}, -1},
		"of the one before": {[]lead.Facts{paying(0, "t1"), paying(40, "t2"),
			lead.Expired("t1", after(60))}, -1},
		"of the last of two": {[]lead.Facts{paying(0, "t1"), paying(40, "t2"),
			lead.Expired("t2", after(60))}, 60},
		"of no sale that is told":           {[]lead.Facts{paying(0, "t1"), lead.Expired("", after(30))}, 30},
		"of no sale, before it was made":    {[]lead.Facts{paying(40, "t1"), lead.Expired("", after(30))}, -1},
		"a payment of no sale that is told": {[]lead.Facts{paying(0, ""), lead.Expired("t1", after(30))}, 30},
		"by a clock that is ahead":          {[]lead.Facts{paying(40, "t1"), lead.Expired("t1", after(39))}, 39},
		"bought meanwhile, and nothing open": {[]lead.Facts{paying(0, "t1"), lead.Expired("t1", after(30)),
			bought(20, false, "b")}, -2},
	} {
		for turn := range row.facts {
			var joined lead.Facts
			for i := range row.facts {
				joined = joined.Join(row.facts[(turn+i)%len(row.facts)])
			}
			switch payment := joined.Payment; {
			case row.want == -2 && payment == nil:
			case row.want == -1 && payment != nil && payment.ExpiresAt == nil:
			case row.want >= 0 && payment != nil && payment.ExpiresAt != nil &&
				payment.ExpiresAt.Equal(after(row.want).Time):
			default:
				t.Errorf("%s, from %d on: %+v", name, turn, payment)
			}
		}
	}
}

func TestSalesOf(t *testing.T) {
	recovery := gen.Lead(noon)
	lead.Add(recovery, lead.OfSale("t1"))
	lead.Add(recovery, lead.OfSale("t2").Join(lead.Bought(&v1alpha1.Purchase{EventID: "p", TransactionID: "t2",
		At: after(1)})))
	recovery.Spec.Purchase.TransactionID = "t3"
	want := []string{lead.SaleHash("t1"), lead.SaleHash("t2"), lead.SaleHash("t3")}
	slices.Sort(want)
	if got := lead.SalesOf(recovery); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if _, has := recovery.Labels[lead.SaleKey("t1")]; !has || !lead.Labelled(recovery) {
		t.Errorf("labels %v", recovery.Labels)
	}
}
