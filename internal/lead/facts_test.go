package lead_test

import (
	"maps"
	"math/rand/v2"
	"reflect"
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
	return lead.Facts{Start: start, FirstAbandoned: start.AbandonedAt.Time}
}

func bought(minutes int, unattributed bool, id string) lead.Facts {
	at := after(minutes)
	return lead.Facts{Purchase: &v1alpha1.Purchase{EventID: id, At: at, Unattributed: unattributed}, LastPurchase: at.Time}
}

func reversed(kind string, minutes int, id string) lead.Facts {
	return lead.Facts{Reversal: &v1alpha1.Reversal{EventID: id, Kind: kind, At: after(minutes)}}
}

// TestWhichFactCounts has the winner first; the order of the two must not matter.
func TestWhichFactCounts(t *testing.T) {
	const cart, pix, boleto, refused = v1alpha1.TriggerAbandonedCart, v1alpha1.TriggerPixPending, v1alpha1.TriggerBoletoPending, v1alpha1.TriggerPaymentRefused
	id := func(id string) func(*lead.Start) { return func(s *lead.Start) { s.EventID = id } }
	for name, row := range map[string][2]lead.Facts{
		"a PIX before a cart":                   {started(pix, 9), started(cart, 0)},
		"a boleto before a refused payment":     {started(boleto, 9), started(refused, 0)},
		"a refused payment before a cart":       {started(refused, 9), started(cart, 0)},
		"the earlier of a PIX and a boleto":     {started(pix, 0), started(boleto, 1)},
		"the earlier cart":                      {started(cart, 0, id("c")), started(cart, 1, id("a"))},
		"the smaller trigger":                   {started(boleto, 0, id("c")), started(pix, 0, id("a"))},
		"the smaller event of one time":         {started(cart, 0, id("a")), started(cart, 0)},
		"the smaller amount, to have a rule":    {started(cart, 0), started(cart, 0, func(s *lead.Start) { s.Amount = "1" })},
		"the smaller phone, to have a rule":     {started(cart, 0), started(cart, 0, func(s *lead.Start) { s.Phone += "9" })},
		"an attributed purchase":                {bought(9, false, "b"), bought(0, true, "a")},
		"the earlier purchase":                  {bought(0, false, "b"), bought(9, false, "a")},
		"the smaller purchase of one time":      {bought(0, false, "a"), bought(0, false, "b")},
		"a chargeback before a refund":          {reversed(v1alpha1.ReversalChargeback, 9, "b"), reversed(v1alpha1.ReversalRefund, 0, "a")},
		"the earlier reversal":                  {reversed(v1alpha1.ReversalRefund, 0, "b"), reversed(v1alpha1.ReversalRefund, 9, "a")},
		"the smaller reversal of one time":      {reversed(v1alpha1.ReversalRefund, 0, "a"), reversed(v1alpha1.ReversalRefund, 0, "b")},
		"the longer name":                       {{Name: "Maria Souza"}, {Name: "Ana"}},
		"the smaller name of one length":        {{Name: "Ana"}, {Name: "Eva"}},
		"a name before none":                    {{Name: "Ana"}, {}},
		"the smaller e-mail address":            {{Email: "a@example.com"}, {Email: "b@example.com"}},
		"an e-mail address before none":         {{Email: "b@example.com"}, {}},
		"the smaller phone without a start":     {{Phone: "+5511900000001"}, {Phone: "+5511900000002"}},
		"a phone before none":                   {{Phone: "+5511900000001"}, {}},
		"the longer name of the product":        {{ProductName: "Curso de Violão"}, {ProductName: "Curso"}},
		"the start's phone before a purchase's": {started(cart, 0), {Phone: "+5511900000001"}},
	} {
		winner, loser := row[0], row[1]
		for _, joined := range []lead.Facts{winner.Join(loser), loser.Join(winner)} {
			joined.FirstAbandoned, joined.LastPurchase = winner.FirstAbandoned, winner.LastPurchase
			if !reflect.DeepEqual(joined, winner) {
				t.Errorf("%s: got %+v, want %+v", name, joined, winner)
			}
		}
	}
}

// anyFacts makes facts of few values, so that ties are frequent.
func anyFacts(random *rand.Rand) lead.Facts {
	word := func() string { return []string{"", "a", "b", "aa"}[random.IntN(4)] }
	var facts lead.Facts
	if random.IntN(2) == 0 {
		triggers := []v1alpha1.Trigger{v1alpha1.TriggerAbandonedCart, v1alpha1.TriggerPixPending, v1alpha1.TriggerBoletoPending, v1alpha1.TriggerPaymentRefused}
		facts = started(triggers[random.IntN(4)], random.IntN(3), func(s *lead.Start) {
			s.EventID, s.CheckoutURL, s.Amount, s.Currency, s.Phone = word(), word(), word(), word(), word()
		})
	} else {
		facts.Phone = word()
	}
	if random.IntN(2) == 0 {
		made := bought(random.IntN(3), random.IntN(2) == 0, word())
		made.Purchase.Amount, made.Purchase.Currency, made.Purchase.TransactionID = word(), word(), word()
		facts.Purchase, facts.LastPurchase = made.Purchase, made.LastPurchase
	}
	if random.IntN(2) == 0 {
		facts.Reversal = reversed([]string{v1alpha1.ReversalRefund, v1alpha1.ReversalChargeback}[random.IntN(2)], random.IntN(3), word()).Reversal
		facts.Reversal.TransactionID = word()
	}
	facts.Name, facts.Email, facts.ProductName = word(), word(), word()
	return facts
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

// TestAdd brings facts to leads in every order: what a lead keeps of them must be as good as
// the facts themselves.
func TestAdd(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 2_000 {
		facts := []lead.Facts{anyFacts(random), anyFacts(random), anyFacts(random), anyFacts(random)}
		var first *v1alpha1.CartRecovery
		for range 4 {
			random.Shuffle(len(facts), func(i, j int) { facts[i], facts[j] = facts[j], facts[i] })
			recovery := gen.Lead(noon)
			recovery.Labels, recovery.Spec = nil, v1alpha1.CartRecoverySpec{StoreRef: recovery.Spec.StoreRef, Platform: recovery.Spec.Platform}
			for _, each := range facts {
				before := recovery.DeepCopy()
				if changed := lead.Add(recovery, each); changed == reflect.DeepEqual(before, recovery) {
					t.Fatalf("changed %t: %+v, then %+v", changed, before, recovery)
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
		delete(l.Labels, v1alpha1.LabelEmailKey)
	})
	if !lead.Add(recovery, lead.Facts{Email: gen.Email}) || !reflect.DeepEqual(recovery.Labels, lead.Labels(gen.Store, recovery.Spec.Customer)) {
		t.Errorf("labels %v", recovery.Labels)
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
