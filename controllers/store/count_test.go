package store

import (
	"context"
	"fmt"
	"math/big"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/index"
	"cartrecovery.dev/operator/internal/secrets"
)

func with(phase v1alpha1.Phase, mods ...func(*v1alpha1.CartRecovery)) v1alpha1.CartRecovery {
	mods = append([]func(*v1alpha1.CartRecovery){func(l *v1alpha1.CartRecovery) { l.Status.Phase = phase }}, mods...)
	return *gen.Lead(now, mods...)
}

func condition(kind string, status metav1.ConditionStatus, reason string) func(*v1alpha1.CartRecovery) {
	return func(l *v1alpha1.CartRecovery) {
		l.Status.Conditions = append(l.Status.Conditions, metav1.Condition{Type: kind, Status: status, Reason: reason,
			LastTransitionTime: metav1.NewTime(now)})
	}
}

// recovered makes a lead that was bought after a message.
func recovered(amount, currency string, mods ...func(*v1alpha1.CartRecovery)) v1alpha1.CartRecovery {
	mods = append([]func(*v1alpha1.CartRecovery){
		condition(v1alpha1.ConditionSucceeded, metav1.ConditionTrue, v1alpha1.ReasonBoughtAfterContact),
		func(l *v1alpha1.CartRecovery) {
			l.Status.Result = &v1alpha1.RecoveryResult{Step: "first", Messages: 1, Amount: amount, Currency: currency}
		},
	}, mods...)
	return with(v1alpha1.PhaseRecovered, mods...)
}

func ofSale(name, transaction string) func(*v1alpha1.CartRecovery) {
	return func(l *v1alpha1.CartRecovery) {
		l.Name, l.Spec.Purchase = name, &v1alpha1.Purchase{TransactionID: transaction, At: v1alpha1.NewTimestamp(now)}
	}
}

func TestCount(t *testing.T) {
	blocked := condition(v1alpha1.ConditionBlocked, metav1.ConditionTrue, v1alpha1.ReasonPaced)
	handedOff := condition(v1alpha1.ConditionHandedOff, metav1.ConditionTrue, v1alpha1.ReasonPersonWrote)
	succeeded := func(status metav1.ConditionStatus, reason string) func(*v1alpha1.CartRecovery) {
		return condition(v1alpha1.ConditionSucceeded, status, reason)
	}
	for name, row := range map[string]struct {
		leads []v1alpha1.CartRecovery
		want  *v1alpha1.LeadCounts
	}{
		"none": {nil, nil},
		"every phase": {[]v1alpha1.CartRecovery{
			with(v1alpha1.PhasePendingRecovery), with(""), with(v1alpha1.PhaseContacted), with(v1alpha1.PhaseEngaged),
			with(v1alpha1.PhaseEngaged), with(v1alpha1.PhaseRecovered), with(v1alpha1.PhaseConverted),
			with(v1alpha1.PhaseFailed), with(v1alpha1.PhaseOptedOut), with(v1alpha1.PhaseExpired),
		}, &v1alpha1.LeadCounts{Pending: 2, Active: 3, Recovered: 1, Converted: 1, Closed: 3, OptedOut: 1}},
		"blocked": {[]v1alpha1.CartRecovery{
			with(v1alpha1.PhasePendingRecovery, blocked), with(v1alpha1.PhaseEngaged, blocked),
			with(v1alpha1.PhaseContacted, condition(v1alpha1.ConditionBlocked, metav1.ConditionFalse, "No")),
			with(v1alpha1.PhaseExpired, blocked),
		}, &v1alpha1.LeadCounts{Pending: 1, Active: 2, Closed: 1, Blocked: 2}},
		"handed off": {[]v1alpha1.CartRecovery{
			with(v1alpha1.PhaseEngaged, handedOff), with(v1alpha1.PhaseEngaged, handedOff, blocked),
			with(v1alpha1.PhaseEngaged, condition(v1alpha1.ConditionHandedOff, metav1.ConditionFalse,
				v1alpha1.ReasonResumed)),
			with(v1alpha1.PhaseConverted, handedOff),
		}, &v1alpha1.LeadCounts{Active: 3, Converted: 1, HandedOff: 2, Blocked: 1}},
		"reversed": {[]v1alpha1.CartRecovery{
			with(v1alpha1.PhaseFailed, succeeded(metav1.ConditionFalse, v1alpha1.ReasonReversed)),
			with(v1alpha1.PhaseFailed, succeeded(metav1.ConditionFalse, v1alpha1.ReasonSendFailed)),
		}, &v1alpha1.LeadCounts{Closed: 2, Reversed: 1}},
		"revenue": {[]v1alpha1.CartRecovery{
			recovered("197.90", "BRL"), recovered("0.10", "BRL"), recovered("10", "USD"), recovered("0.000001", "EUR"),
		}, &v1alpha1.LeadCounts{Recovered: 4, Revenue: []v1alpha1.Revenue{
			{Currency: "BRL", Amount: "198.00", Leads: 2}, {Currency: "EUR", Amount: "0.000001", Leads: 1},
			{Currency: "USD", Amount: "10", Leads: 1},
		}}},
		"a sale that recovered two leads": {[]v1alpha1.CartRecovery{
			recovered("100.00", "BRL", ofSale("b", "t1")), recovered("100.00", "BRL", ofSale("a", "t1")),
		}, &v1alpha1.LeadCounts{Recovered: 2, Revenue: []v1alpha1.Revenue{{Currency: "BRL", Amount: "100.00",
			Leads: 1}}}},
		"one of them was taken back": {[]v1alpha1.CartRecovery{
			recovered("100.00", "BRL", ofSale("a", "t1"), func(l *v1alpha1.CartRecovery) {
				at := v1alpha1.NewTimestamp(now)
				l.Status.Result.ReversedAt = &at
			}),
			recovered("100.00", "BRL", ofSale("b", "t1")),
		}, &v1alpha1.LeadCounts{Recovered: 2, Revenue: []v1alpha1.Revenue{{Currency: "BRL", Amount: "100.00",
			Leads: 1}}}},
		"several sales, two products of one, and two of no number": {[]v1alpha1.CartRecovery{
			recovered("1", "BRL", ofSale("a", "t1")), recovered("2", "BRL", ofSale("b", "t2")),
			recovered("4", "BRL", ofSale("c", "t1"), func(l *v1alpha1.CartRecovery) { l.Spec.Product.ID = "2" }),
			recovered("8", "BRL", ofSale("d", "t1"), func(l *v1alpha1.CartRecovery) {
				l.Spec.Platform = v1alpha1.PlatformKiwify
			}),
			recovered("16", "BRL", ofSale("e", "")), recovered("32", "BRL", ofSale("f", "")),
		}, &v1alpha1.LeadCounts{Recovered: 6, Revenue: []v1alpha1.Revenue{{Currency: "BRL", Amount: "63", Leads: 6}}}},
		"no revenue": {[]v1alpha1.CartRecovery{
			recovered("", "BRL"), recovered("1", ""), recovered("-1", "BRL"), recovered("1,5", "BRL"),
			recovered("NaN", "BRL"), recovered("1", "BRL", func(l *v1alpha1.CartRecovery) { l.Status.Result = nil }),
			recovered("1", "BRL", func(l *v1alpha1.CartRecovery) {
				at := v1alpha1.NewTimestamp(now)
				l.Status.Result.ReversedAt = &at
			}),
			recovered("1", "BRL", func(l *v1alpha1.CartRecovery) {
				l.Status.Phase, l.Status.Conditions[0].Reason = v1alpha1.PhaseFailed, v1alpha1.ReasonReversed
			}),
			recovered("1", "BRL", func(l *v1alpha1.CartRecovery) {
				l.Status.Conditions[0].Reason = v1alpha1.ReasonBoughtBeforeContact
			}),
		}, &v1alpha1.LeadCounts{Recovered: 8, Closed: 1, Reversed: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			before := (&v1alpha1.CartRecoveryList{Items: row.leads}).DeepCopy()
			if got := count(row.leads, day{}).leads; !reflect.DeepEqual(got, row.want) {
				t.Errorf("got %+v, want %+v", got, row.want)
			}
			if !reflect.DeepEqual(before.Items, row.leads) {
				t.Error("the leads, which are the cache's, were changed")
			}
		})
	}
}

// Whatever a mapping takes for a currency, the status is within its schema.
func TestCountBoundsTheCurrencies(t *testing.T) {
	var leads []v1alpha1.CartRecovery
	for first := 'A'; first <= 'Z'; first++ {
		leads = append(leads, recovered("1.5", "A"+string(first)+"A"))
	}
	leads = append(leads, recovered("1.5", "ZZZ"), recovered("2.25", "ZZZ"))
	revenue := count(leads, day{}).leads.Revenue
	if len(revenue) != maxCurrencies || !slices.IsSortedFunc(revenue, func(a, b v1alpha1.Revenue) int {
		return strings.Compare(a.Currency, b.Currency)
	}) {
		t.Fatalf("got %d currencies: %v", len(revenue), revenue)
	}
	if last := revenue[maxCurrencies-1]; last != (v1alpha1.Revenue{Currency: "ZZZ", Amount: "3.75", Leads: 2}) {
		t.Errorf("the currency with the most leads is not there: %v", last)
	}
	if revenue[0].Currency != "AAA" || revenue[maxCurrencies-2].Currency != "AOA" {
		t.Errorf("those with as many are not told apart by name: %v", revenue)
	}
}

func TestParseDecimal(t *testing.T) {
	for text, want := range map[string]decimal{
		"0": {}, "7": {units: 7}, "007.50": {7, 500_000, 2}, "0.000001": {0, 1, 6},
		"999999999999999.999999": {999999999999999, 999_999, 6},
	} {
		if got, ok := parseDecimal(text); !ok || got != want {
			t.Errorf("%q: %+v, %t", text, got, ok)
		}
	}
	for _, text := range []string{
		"", ".", "1.", ".5", "1.1.1", "+1", "-1", "1e3", "1_000", "1 ", " 1", "0x1", "1.+5", "1.0000000",
		"1000000000000000", "١", "NaN", "1,5", "1.５",
	} {
		if got, ok := parseDecimal(text); ok {
			t.Errorf("%q passes as %+v", text, got)
		}
	}
}

func FuzzParseDecimal(f *testing.F) {
	for _, text := range []string{"0", "197.90", "1.", ".5", "-1", "1e3", "999999999999999.999999", "0.000001", "1_0"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		amount, ok := parseDecimal(text)
		if !ok {
			return
		}
		exact, isNumber := new(big.Rat).SetString(text)
		var total sum
		total.add(amount)
		if again, _ := new(big.Rat).SetString(total.String()); !isNumber || exact.Cmp(again) != 0 {
			t.Errorf("%q became %q", text, total.String())
		}
	})
}

// Sums are those of rational numbers, with no digit more than was given, in any order.
func TestSumIsExact(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		var amounts []string
		digits, exact := 0, new(big.Rat)
		for range 1 + random.IntN(200) {
			amount := fmt.Sprint(random.Int64N(pow10(1 + random.IntN(wholeDigits))))
			if places := random.IntN(fractionDigits + 1); places > 0 {
				amount += fmt.Sprintf(".%0*d", places, random.Int64N(pow10(places)))
				digits = max(digits, places)
			}
			value, _ := new(big.Rat).SetString(amount)
			amounts, exact = append(amounts, amount), exact.Add(exact, value)
		}
		for range 2 {
			var total sum
			for _, amount := range amounts {
				parsed, ok := parseDecimal(amount)
				if !ok {
					t.Fatalf("%q is refused", amount)
				}
				total.add(parsed)
			}
			if want := exact.FloatString(digits); total.String() != want || int(total.leads) != len(amounts) {
				t.Fatalf("sum of %v: %s of %d, want %s", amounts, total.String(), total.leads, want)
			}
			slices.Reverse(amounts)
		}
	}
}

func pow10(digits int) int64 {
	value := int64(1)
	for range digits {
		value *= 10
	}
	return value
}

// The most that there can be is more than 64 bits hold, and fits the schema.
func TestSumOfTheGreatestAmounts(t *testing.T) {
	var total sum
	amount, _ := parseDecimal("999999999999999.999999")
	for range 100_000 {
		total.add(amount)
	}
	if got := total.String(); got != "99999999999999999999.900000" || len(got) > 32 {
		t.Errorf("got %s", got)
	}
}

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	found, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestTokensOfADay(t *testing.T) {
	saoPaulo := zone(t, "America/Sao_Paulo")
	at := func(text string, tokens int64) v1alpha1.Message {
		when, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return v1alpha1.Message{At: v1alpha1.NewTimestamp(when), Tokens: tokens}
	}
	lead := with(v1alpha1.PhaseEngaged, func(l *v1alpha1.CartRecovery) {
		l.Status.TokensUsed = 99999
		l.Status.Conversation = []v1alpha1.Message{
			at("2027-03-01T02:59:59Z", 1), at("2027-03-01T03:00:00Z", 10), at("2027-03-01T12:00:00Z", 0),
			at("2027-03-02T02:59:59Z", 100), at("2027-03-02T03:00:00Z", 1000), at("2026-03-01T12:00:00Z", 10000),
			{Tokens: 5}, at("2027-03-01T12:00:00Z", -7),
		}
	})
	today := dayOf(now, saoPaulo)
	if got := count([]v1alpha1.CartRecovery{lead, lead}, today); got.tokens != 220 || today.String() != "2027-03-01" {
		t.Errorf("%d tokens on %s, want 220", got.tokens, today)
	}
	if got := count([]v1alpha1.CartRecovery{lead}, day{}); got.tokens != 0 {
		t.Errorf("%d tokens on no day", got.tokens)
	}
}

// Days that are longer or shorter, or have no midnight, have all their moments.
func TestDayHasAllItsMoments(t *testing.T) {
	for _, row := range []struct{ zone, around string }{
		{"America/Sao_Paulo", "2018-11-04T12:00:00Z"}, {"America/Sao_Paulo", "2019-02-16T12:00:00Z"},
		{"Europe/Lisbon", "2027-10-31T12:00:00Z"}, {"Australia/Lord_Howe", "2027-04-04T00:00:00Z"},
		{"Pacific/Apia", "2011-12-31T12:00:00Z"}, {"Pacific/Kiritimati", "2027-01-01T00:00:00Z"},
		{"UTC", "2027-01-01T00:00:00Z"},
	} {
		place := zone(t, row.zone)
		around, err := time.Parse(time.RFC3339, row.around)
		if err != nil {
			t.Fatal(err)
		}
		today := dayOf(around, place)
		for moment := around.Add(-72 * time.Hour); moment.Before(around.Add(72 * time.Hour)); moment = moment.Add(
			10 * time.Minute) {
			if want := moment.In(place).Format(time.DateOnly) == today.String(); today.has(moment) != want {
				t.Errorf("%s in %s: %s is of the day: %t, want %t", row.around, row.zone, moment.In(place),
					today.has(moment), want)
			}
		}
	}
}

// ledger is a TokenLedger as the budget's: what it is told is never lowered.
type ledger map[string]int64

func (l ledger) Used(_ types.NamespacedName, day string) int64 { return l[day] }

func (l ledger) Seed(_ types.NamespacedName, day string, used int64) { l[day] = max(l[day], used) }

func TestSettle(t *testing.T) {
	usage := func(day string, used int64) *v1alpha1.TokenUsage {
		return &v1alpha1.TokenUsage{Day: day, Used: used}
	}
	const today, yesterday = "2027-03-01", "2027-02-28"
	for name, row := range map[string]struct {
		known   int64
		derived int64
		last    *v1alpha1.TokenUsage
		want    *v1alpha1.TokenUsage
		seeded  int64
	}{
		"nothing yet":                    {0, 0, nil, nil, 0},
		"a new day":                      {0, 0, usage(yesterday, 7), usage(yesterday, 7), 0},
		"the first of a day":             {5, 0, usage(yesterday, 7), usage(today, 5), 5},
		"a restart, with leads":          {0, 9, usage(today, 7), usage(today, 9), 9},
		"a restart, leads deleted":       {0, 3, usage(today, 7), usage(today, 7), 7},
		"a restart, and used since":      {2, 3, usage(today, 7), usage(today, 7), 7},
		"texts that were not sent":       {20, 9, usage(today, 7), usage(today, 20), 20},
		"yesterday's are not today's":    {0, 3, usage(yesterday, 7000), usage(today, 3), 3},
		"a status from before the spec":  {0, 4, usage("", 100), usage(today, 4), 4},
		"a zone in which it is tomorrow": {0, 4, usage("2027-03-02", 100), usage(today, 4), 4},
	} {
		t.Run(name, func(t *testing.T) {
			tokens := ledger{}
			if row.known > 0 {
				tokens[today] = row.known
			}
			r := &Reconciler{Tokens: tokens}
			if got := r.settle(types.NamespacedName{}, today, row.derived, row.last); !reflect.DeepEqual(got,
				row.want) {
				t.Errorf("status %+v, want %+v", got, row.want)
			}
			if seeded, told := tokens[today]; seeded != row.seeded || !told {
				t.Errorf("the ledger has %d, told: %t, want %d", seeded, told, row.seeded)
			}
		})
	}
}

// stores is a ledger of several Stores, for controllers that work at once.
type stores struct{ used sync.Map }

func (s *stores) Used(store types.NamespacedName, day string) int64 {
	used, _ := s.used.Load(store.String() + day)
	tokens, _ := used.(int64)
	return tokens
}

func (s *stores) Seed(store types.NamespacedName, day string, used int64) {
	s.used.Store(store.String()+day, max(used, s.Used(store, day)))
}

// indexed lets a fake client have the indexes of a cache.
type indexed struct{ *fake.ClientBuilder }

func (b indexed) IndexField(_ context.Context, object client.Object, field string, values client.IndexerFunc) error {
	b.WithIndex(object, field, values)
	return nil
}

// world is an API server, as far as the controller sees it, and counts what it writes.
func world(t *testing.T, objects ...client.Object) (api client.Client, writes *int) {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	writes = new(int)
	b := indexed{fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).WithStatusSubresource(
		objects...).WithInterceptorFuncs(interceptor.Funcs{
		SubResourcePatch: func(ctx context.Context, c client.Client, sub string, object client.Object,
			patch client.Patch, options ...client.SubResourcePatchOption) error {
			*writes++
			return c.SubResource(sub).Patch(ctx, object, patch, options...)
		},
	})}
	if err := index.Register(t.Context(), b, nil); err != nil {
		t.Fatal(err)
	}
	return b.Build(), writes
}

// leader makes a controller that knows nothing yet.
func leader(t *testing.T, api client.Client, clock *clocktesting.FakePassiveClock, tokens TokenLedger) func() {
	t.Helper()
	r := &Reconciler{
		Client: api, Secrets: secrets.NewReader(api, clock.Now), Clock: clock, Recorder: events.NewFakeRecorder(100),
		HasAIKey: true, Tokens: tokens,
	}
	if err := r.complete(); err != nil {
		t.Fatal(err)
	}
	return func() {
		t.Helper()
		name := types.NamespacedName{Namespace: gen.Namespace, Name: gen.Store}
		if _, err := r.Reconcile(t.Context(), reconcile.Request{NamespacedName: name}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAnotherLeaderCountsTheSame(t *testing.T) {
	named := func(name string, lead v1alpha1.CartRecovery, mods ...func(*v1alpha1.CartRecovery)) client.Object {
		lead.Name, lead.UID = name, types.UID(name)
		for _, mod := range mods {
			mod(&lead)
		}
		return &lead
	}
	spent := func(l *v1alpha1.CartRecovery) {
		l.Status.Conversation = []v1alpha1.Message{{ID: "m", Role: v1alpha1.RoleAssistant,
			At: v1alpha1.NewTimestamp(now), Tokens: 40}}
	}
	api, writes := world(t, gen.StoreObject(),
		named("a", with(v1alpha1.PhaseContacted), spent), named("b", recovered("197.90", "BRL"), spent),
		named("c", recovered("2.1", "BRL")), named("d", with(v1alpha1.PhaseOptedOut)), named("e", recovered("5", "BRL"),
			func(l *v1alpha1.CartRecovery) { l.Spec.StoreRef.Name = "other" }),
		named("f", recovered("5", "BRL"), func(l *v1alpha1.CartRecovery) { l.Namespace = "elsewhere" }),
	)
	status := func() v1alpha1.StoreStatus {
		t.Helper()
		var store v1alpha1.Store
		if err := api.Get(t.Context(), types.NamespacedName{Namespace: gen.Namespace, Name: gen.Store},
			&store); err != nil {
			t.Fatal(err)
		}
		return store.Status
	}
	clock := clocktesting.NewFakePassiveClock(now)
	tokens := ledger{}
	first := leader(t, api, clock, tokens)
	first()
	want := &v1alpha1.LeadCounts{Active: 1, Recovered: 2, Closed: 1, OptedOut: 1,
		Revenue: []v1alpha1.Revenue{{Currency: "BRL", Amount: "200.00", Leads: 2}}}
	if got := status(); !reflect.DeepEqual(got.Leads, want) ||
		*got.Tokens != (v1alpha1.TokenUsage{Day: "2027-03-01", Used: 80}) {
		t.Fatalf("got %+v and %+v, want %+v", got.Leads, got.Tokens, want)
	}
	// What was spent on a text that was refused is known to the ledger alone.
	tokens["2027-03-01"] = 90
	clock.SetTime(now.Add(30 * time.Second))
	first()
	written, before := *writes, status()

	// The leader is gone. Nothing happened since: the next one has nothing to write, however
	// often it looks.
	second := leader(t, api, clock, ledger{})
	for range 3 {
		second()
		clock.SetTime(clock.Now().Add(time.Minute))
	}
	if *writes != written || !reflect.DeepEqual(status(), before) || before.Tokens.Used != 90 {
		t.Errorf("the second leader wrote %d times: %+v, was %+v", *writes-written, status(), before)
	}

	// What happened while nobody was there is in the numbers of the third.
	if err := api.Delete(t.Context(),
		named("c", v1alpha1.CartRecovery{ObjectMeta: metav1.ObjectMeta{Namespace: gen.Namespace}})); err != nil {
		t.Fatal(err)
	}
	leader(t, api, clock, ledger{})()
	want.Recovered, want.Revenue = 1, []v1alpha1.Revenue{{Currency: "BRL", Amount: "197.90", Leads: 1}}
	if got := status(); !reflect.DeepEqual(got.Leads, want) || got.Tokens.Used != 90 {
		t.Errorf("got %+v and %+v, want %+v", got.Leads, got.Tokens, want)
	}
}

func TestCountsAreSpaced(t *testing.T) {
	lead := with(v1alpha1.PhaseContacted)
	api, writes := world(t, gen.StoreObject(), &lead)
	clock := clocktesting.NewFakePassiveClock(now)
	look := leader(t, api, clock, nil)
	look()
	lead.Status.Phase = v1alpha1.PhaseEngaged
	lead.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionBlocked, Status: metav1.ConditionTrue,
		Reason: "Paced", LastTransitionTime: metav1.NewTime(now)}}
	if err := api.Status().Update(t.Context(), &lead); err != nil {
		t.Fatal(err)
	}
	before := *writes
	clock.SetTime(now.Add(29 * time.Second))
	look()
	if *writes != before {
		t.Error("counted again within 30s")
	}
	clock.SetTime(now.Add(30 * time.Second))
	look()
	if *writes != before+1 {
		t.Errorf("%d writes after 30s, want one", *writes-before)
	}
}

func TestCountRestored(t *testing.T) {
	waits := func(reason string, over bool) v1alpha1.CartRecovery {
		return *gen.Lead(now, func(l *v1alpha1.CartRecovery) {
			l.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionBlocked, Status: metav1.ConditionTrue,
				Reason: reason}}
			if over {
				l.Status.CompletionTime = &metav1.Time{Time: now}
			}
		})
	}
	leads := []v1alpha1.CartRecovery{
		waits(v1alpha1.ReasonRestoredFromBackup, false), waits(v1alpha1.ReasonRestoredFromBackup, true),
		waits(v1alpha1.ReasonPaced, false), *gen.Lead(now),
	}
	if got := count(leads, dayOf(now, time.UTC)).restored; got != 1 {
		t.Errorf("%d leads wait for a restore, want 1", got)
	}
}
