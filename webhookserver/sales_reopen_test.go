package webhookserver

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/webhookserver/platforms"
)

const (
	day = 24 * time.Hour
	// minutesADay counts the time of told.
	minutesADay = 24 * 60
)

// over finishes a lead so long after noon.
func over(after time.Duration) func(*v1alpha1.CartRecovery) {
	return func(l *v1alpha1.CartRecovery) { l.Status.CompletionTime = &metav1.Time{Time: noon.Add(after)} }
}

// cycled says that the cycle before was finished so long after noon.
func cycled(after time.Duration) func(*v1alpha1.CartRecovery) {
	return func(l *v1alpha1.CartRecovery) {
		setAnnotation(l, v1alpha1.AnnotationPreviousCompleted, noon.Add(after).Format(time.RFC3339))
	}
}

// begun makes a lead one whose second cycle the controller has begun.
func begun(l *v1alpha1.CartRecovery) { l.Status.Cycle, l.Status.CompletionTime = 1, nil }

func cartWithID(id string) func(*v1alpha1.CartRecovery) {
	return func(l *v1alpha1.CartRecovery) { l.Spec.EventID = id }
}

func TestVerdictOn(t *testing.T) {
	type mods = []func(*v1alpha1.CartRecovery)
	sent, unsent := contacted(noon, v1alpha1.MessageSent), contacted(noon, v1alpha1.MessageFailed)
	noCart := func(l *v1alpha1.CartRecovery) { l.Spec.AbandonedAt = nil }
	for name, row := range map[string]struct {
		lead mods
		at   time.Duration
		want verdict
	}{
		"open":                             {nil, 0, verdictJoins},
		"open, contacted":                  {mods{sent}, day, verdictJoins},
		"over, long ago":                   {mods{over(3 * day), sent}, 8 * day, verdictReopens},
		"over, to the end of the cooldown": {mods{over(3 * day), sent}, 7 * day, verdictReopens},
		"over, within the cooldown":        {mods{over(3 * day), sent}, 7*day - time.Microsecond, verdictCooling},
		"over, never contacted":            {mods{over(3 * day)}, 3*day + time.Second, verdictReopens},
		"over, not reached":                {mods{over(3 * day), unsent}, 4 * day, verdictReopens},
		"over, as it was finished":         {mods{over(3 * day)}, 3 * day, verdictEarlier},
		"over, and late":                   {mods{over(30 * day), sent}, 10 * day, verdictEarlier},
		"over, the event that made it":     {mods{over(3 * day), cartWithID("event-1")}, 9 * day, verdictEarlier},
		"over, made by another event":      {mods{over(3 * day), cartWithID("event-0")}, 9 * day, verdictReopens},
		"over, bought":                     {mods{over(3 * day), isBought}, 9 * day, verdictClosed},
		"over, reversed":                   {mods{over(3 * day), isReversed}, 9 * day, verdictClosed},
		"over, bought before its cart":     {mods{over(3 * day), isBought, noCart}, 9 * day, verdictJoins},
		"asked for":                        {mods{over(3 * day), cycled(3 * day), sent}, 8 * day, verdictJoins},
		"asked for, and late":              {mods{over(3 * day), cycled(3 * day), sent}, 3 * day, verdictEarlier},
		"asked for, within the cooldown":   {mods{over(3 * day), cycled(3 * day), sent}, 6 * day, verdictCooling},
		"asked for, the event that asked": {mods{over(3 * day), cycled(3 * day), cartWithID("event-1")}, 8 * day,
			verdictJoins},
		"asked for, and bought":           {mods{over(3 * day), cycled(3 * day), isBought}, 8 * day, verdictJoins},
		"begun":                           {mods{cycled(3 * day), sent, begun}, 8 * day, verdictJoins},
		"begun, and late":                 {mods{cycled(3 * day), sent, begun}, 2 * day, verdictEarlier},
		"begun, within the first cycle's": {mods{cycled(3 * day), sent, begun}, 6 * day, verdictCooling},
		"the second over": {mods{cycled(3 * day), sent, begun, over(20 * day)}, 21 * day,
			verdictReopens},
		"the second over, a late one of it": {mods{cycled(3 * day), sent, begun, over(20 * day)}, 19 * day,
			verdictEarlier},
		"the second over, a late one of a first": {mods{cycled(3 * day), sent, begun, over(20 * day)}, day,
			verdictEarlier},
	} {
		t.Run(name, func(t *testing.T) {
			recovery := gen.Lead(noon, row.lead...)
			e := eventOf(platforms.Abandoned, func(e *salesEvent) {
				e.now, e.event.OccurredAt = noon.Add(60*day), noon.Add(row.at)
			})
			if got := e.verdictOn(recovery); got != row.want {
				t.Fatalf("got %s, want %s", got, row.want)
			}
			before := recovery.Status.DeepCopy()
			changed := cartWrite{salesEvent: e}.applyTo(recovery, row.want)
			if row.want != verdictJoins && changed != (row.want == verdictReopens) {
				t.Errorf("changed %t", changed)
			}
			if row.want == verdictReopens && !lead.Reopened(recovery) {
				t.Error("not re-opened")
			}
			if diff := cmp.Diff(before, &recovery.Status); diff != "" {
				t.Errorf("the status, which is the controller's (-before +after):\n%s", diff)
			}
		})
	}
}

func TestVerdictOnAnEventWithoutAnID(t *testing.T) {
	e := eventOf(platforms.Abandoned, func(e *salesEvent) {
		e.event.ID, e.event.OccurredAt, e.now = "", noon.Add(9*day), noon.Add(9*day)
	})
	if got := e.verdictOn(gen.Lead(noon, over(day))); got != verdictReopens {
		t.Errorf("got %s, want %s", got, verdictReopens)
	}
}

func TestCooldownOfThePolicy(t *testing.T) {
	none, month := v1alpha1.Duration{}, v1alpha1.Duration{Duration: 30 * day}
	for name, row := range map[string]struct {
		store, product *v1alpha1.Duration
		want           verdict
	}{
		"the default":   {nil, nil, verdictReopens},
		"the store's":   {&month, nil, verdictCooling},
		"the product's": {&month, &none, verdictReopens},
	} {
		t.Run(name, func(t *testing.T) {
			e := eventOf(platforms.Abandoned, func(e *salesEvent) {
				e.now, e.product = noon.Add(9*day), gen.ProductObject()
				e.store.Spec.Recovery.Cooldown, e.product.Spec.Recovery.Cooldown = row.store, row.product
			})
			recovery := gen.Lead(noon, over(day), contacted(noon, v1alpha1.MessageSent))
			if got := e.verdictOn(recovery); got != row.want {
				t.Errorf("got %s, want %s", got, row.want)
			}
		})
	}
}

// nextCart is a cart nine days after noon, of a customer with another name and number.
func nextCart() *salesEvent {
	return eventOf(platforms.Abandoned, func(e *salesEvent) {
		e.now = noon.Add(9 * day)
		e.event.Customer.Name, e.event.Customer.Phone = "Maria Souza Lima", "+5521912345678"
		e.event.Amount, e.event.Currency = "99.90", "BRL"
	})
}

func TestReopen(t *testing.T) {
	recovery := gen.Lead(noon, over(3*day), func(l *v1alpha1.CartRecovery) {
		l.Spec.Trigger, l.Spec.EventID, l.Spec.CheckoutURL = v1alpha1.TriggerPixPending, "old",
			"https://old.example.com"
		l.Spec.Amount, l.Spec.Currency = "1", "USD"
		setAnnotation(l, v1alpha1.AnnotationFirstAbandoned, "2026-03-01T00:00:00Z")
		setAnnotation(l, v1alpha1.AnnotationLastPurchase, "2026-03-01T00:00:00Z")
		setAnnotation(l, v1alpha1.AnnotationPlanned, "2026-03-01T00:00:00Z first")
		setAnnotation(l, v1alpha1.AnnotationResumeRequested, "2026-03-01T00:00:00Z")
	})
	want := recovery.DeepCopy()
	abandoned := v1alpha1.NewTimestamp(noon.Add(9 * day))
	want.Spec.Trigger, want.Spec.EventID, want.Spec.CheckoutURL = v1alpha1.TriggerAbandonedCart, "event-1", ""
	want.Spec.Amount, want.Spec.Currency, want.Spec.AbandonedAt = "99.90", "BRL", &abandoned
	want.Spec.Customer.Name, want.Spec.Customer.Phone = "Maria Souza Lima", "+5521912345678"
	want.Spec.Customer.OtherPhones = []string{gen.Phone}
	want.Annotations = map[string]string{
		v1alpha1.AnnotationPreviousCompleted: noon.Add(3 * day).Format(time.RFC3339),
		v1alpha1.AnnotationPlanned:           noon.Add(9*day+15*time.Minute).Format(time.RFC3339) + " first",
		v1alpha1.AnnotationResumeRequested:   "2026-03-01T00:00:00Z",
	}

	cart := cartWrite{salesEvent: nextCart()}
	if !cart.applyTo(recovery, cart.verdictOn(recovery)) {
		t.Fatal("not changed")
	}
	if diff := cmp.Diff(want, recovery, cmpopts.IgnoreFields(metav1.ObjectMeta{}, "Labels")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if recovery.Labels[v1alpha1.LabelPhoneKey] != lead.PhoneHash("+5521912345678") {
		t.Error("the lead is not found by its new number")
	}
	if cart.applyTo(recovery, cart.verdictOn(recovery)) {
		t.Error("a repetition changed the lead")
	}
}

func TestReopenByACartThatWasBought(t *testing.T) {
	recovery := gen.Lead(noon, over(3*day))
	cart := cartWrite{salesEvent: nextCart(), purchase: &v1alpha1.Purchase{
		EventID: "other", At: v1alpha1.NewTimestamp(noon.Add(9 * day)), Unattributed: true,
	}}
	if !cart.applyTo(recovery, cart.verdictOn(recovery)) || lead.Reopened(recovery) {
		t.Error("a cycle is worked on that a purchase of another product stops")
	}
	if diff := cmp.Diff(cart.purchase, recovery.Spec.Purchase); diff != "" {
		t.Errorf("purchase (-want +got):\n%s", diff)
	}
	if planned := recovery.Annotations[v1alpha1.AnnotationPlanned]; planned != "" {
		t.Errorf("planned %q, want nothing", planned)
	}
}

func TestVerdictAnswers(t *testing.T) {
	asked := func(l *v1alpha1.CartRecovery) { over(day)(l); cycled(day)(l) }
	purchased := outcome{Result: resultIgnored, Reason: ignoredAlreadyPurchased}
	finished := outcome{Result: resultIgnored, Reason: ignoredAlreadyFinished}
	cooling := outcome{Result: resultIgnored, Reason: ignoredCooldown}
	for name, row := range map[string]struct {
		verdict verdict
		lead    func(*v1alpha1.CartRecovery)
		hasNews bool
		want    outcome
	}{
		"joined, with news":         {verdictJoins, cartWithID("x"), true, outcome{Result: resultRecorded}},
		"joined, without news":      {verdictJoins, cartWithID("x"), false, outcome{Result: resultUnchanged}},
		"re-opened":                 {verdictReopens, over(day), true, outcome{Result: resultReopened}},
		"re-opened and bought":      {verdictReopens, isBought, true, purchased},
		"too soon":                  {verdictCooling, over(day), false, cooling},
		"late":                      {verdictEarlier, cycled(day), false, finished},
		"late, of what is bought":   {verdictEarlier, isBought, false, purchased},
		"closed":                    {verdictClosed, isBought, false, purchased},
		"closed by a reversal":      {verdictClosed, isReversed, false, finished},
		"joined what was asked for": {verdictJoins, asked, true, outcome{Result: resultRecorded}},
	} {
		t.Run(name, func(t *testing.T) {
			got := row.verdict.answer(gen.Lead(noon, row.lead), row.hasNews)
			row.want.Lead = "hotmart-lead"
			if diff := cmp.Diff(row.want, got, cmp.AllowUnexported(outcome{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if !slices.Contains(weights, counted(got)) {
				t.Errorf("the result %q has no weight", counted(got))
			}
		})
	}
}

func TestPlannedAnnotation(t *testing.T) {
	steps := func(steps ...v1alpha1.Step) func(*salesEvent) {
		return func(e *salesEvent) {
			e.store.Spec.Recovery.Sequences = []v1alpha1.Sequence{{Trigger: v1alpha1.TriggerAbandonedCart,
				Steps: steps}}
		}
	}
	hour := v1alpha1.Duration{Duration: time.Hour}
	for name, row := range map[string]struct {
		mod  func(*salesEvent)
		want string
	}{
		"the default": {func(*salesEvent) {}, "2026-03-02T12:15:00Z first"},
		"the first step": {steps(v1alpha1.Step{Name: "a", After: hour}, v1alpha1.Step{Name: "b"}),
			"2026-03-02T13:00:00Z a"},
		"of an old event": {
			func(e *salesEvent) { e.event.OccurredAt = noon.Add(-day) }, "2026-03-01T12:15:00Z first",
		},
		"no steps":    {steps(), ""},
		"no sequence": {func(e *salesEvent) { e.event.Trigger = v1alpha1.TriggerPixPending }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			e := eventOf(platforms.Abandoned, row.mod)
			if got := e.plannedAnnotation(e.own); got != row.want {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}

// A purchase of its own product, under another name, or of another product is written to a
// lead whose next cycle was asked for and not begun.
func TestAPurchaseStopsACycleThatWasAskedFor(t *testing.T) {
	for name, mods := range map[string][]func(*v1alpha1.CartRecovery){
		"of its product": nil, "of another product": {ofProduct("2")},
	} {
		t.Run(name, func(t *testing.T) {
			recovery := askedLead(mods...)
			e, given := eventOf(platforms.Purchased), []v1alpha1.CartRecovery{*recovery}
			about := e.about(given)
			writes := e.planPurchase(about, e.stoppable(given, about)).writes
			if len(writes) != 1 || !writes[0].applyTo(recovery) || recovery.Spec.Purchase == nil {
				t.Errorf("not stopped by %d writes", len(writes))
			}
		})
	}
}

func TestACartIsAboutTheLeadThatWasReopened(t *testing.T) {
	twins := []v1alpha1.CartRecovery{*gen.Lead(noon, named("a"), over(-day)), *askedLead(named("b"))}
	if got := eventOf(platforms.Abandoned).matchLead(twins); got.Name != "b" {
		t.Errorf("got %q, want %q", got.Name, "b")
	}
}

// askedLead is a lead whose next cycle was asked for and not begun.
func askedLead(mods ...func(*v1alpha1.CartRecovery)) *v1alpha1.CartRecovery {
	return gen.Lead(noon, append([]func(*v1alpha1.CartRecovery){over(-day), cycled(-day)}, mods...)...)
}

// cycleStory is the first cycle of a lead, what is told late of it, and what of the next one.
// A cart within the cooldown is told of late too; that is of the next cycle where the
// customer was not written to in the first.
func cycleStory(contacted bool) (first, late, next []platforms.Event) {
	cart, pix := triggered(v1alpha1.TriggerAbandonedCart), triggered(v1alpha1.TriggerPixPending)
	first = []platforms.Event{
		told("cart", 0, platforms.Abandoned, cart), told("pix", 150, platforms.Abandoned, pix),
		told("cart-again", 160, platforms.Abandoned, cart, unnamed),
	}
	late = []platforms.Event{told("unknown-till-late", 170, platforms.Abandoned, pix)}
	if contacted {
		late = append(late, told("too-soon", 5*minutesADay, platforms.Abandoned, pix))
	}
	next = []platforms.Event{
		told("next-cart", 20*minutesADay, platforms.Abandoned, cart),
		told("next-pix", 20*minutesADay+150, platforms.Abandoned, pix, func(e *platforms.Event) {
			e.Customer.Name, e.Customer.Phone, e.Amount = "Maria Souza Lima", "+5521912345678", "99.90"
		}),
	}
	return first, late, next
}

// endFirstCycle has the controller write to the customer, where it can, and finish the lead.
func (w world) endFirstCycle(t *testing.T, state v1alpha1.MessageState) {
	t.Helper()
	w.control(t, func(l *v1alpha1.CartRecovery) bool {
		contacted(noon.Add(15*time.Minute), state)(l)
		over(3 * day)(l)
		return true
	})
}

// begin has the controller begin the cycles that were asked for.
func (w world) begin(t *testing.T) {
	t.Helper()
	w.control(t, func(l *v1alpha1.CartRecovery) bool {
		if !lead.Reopened(l) {
			return false
		}
		l.Status.Cycle++
		l.Status.CompletionTime = nil
		return true
	})
}

func (w world) control(t *testing.T, change func(*v1alpha1.CartRecovery) bool) {
	t.Helper()
	for _, each := range w.all(t) {
		if change(&each) {
			if err := w.Client.Update(t.Context(), &each); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func (w world) all(t *testing.T) []v1alpha1.CartRecovery {
	t.Helper()
	var leads v1alpha1.CartRecoveryList
	if err := w.Client.List(t.Context(), &leads); err != nil {
		t.Fatal(err)
	}
	return leads.Items
}

// specs is what the leads' specs say, with what the webhook server keeps beside them.
func (w world) specs(t *testing.T) string {
	t.Helper()
	text := ""
	for _, each := range w.all(t) {
		encoded, err := json.Marshal([]any{each.Name, each.Spec, each.Labels,
			each.Annotations[v1alpha1.AnnotationPreviousCompleted],
			each.Annotations[v1alpha1.AnnotationFirstAbandoned]})
		if err != nil {
			t.Fatal(err)
		}
		text += string(encoded) + "\n"
	}
	return text
}

// tell runs a first cycle and then events, with the controller getting its turn after an
// event wherever turns says so.
func (w world) tell(
	t *testing.T, store *v1alpha1.Store, state v1alpha1.MessageState, first, events []platforms.Event,
	turns func() bool,
) string {
	t.Helper()
	if err := w.Client.DeleteAllOf(t.Context(), &v1alpha1.CartRecovery{},
		client.InNamespace(store.Namespace)); err != nil {
		t.Fatal(err)
	}
	for _, event := range first {
		if _, err := w.take(t.Context(), store, v1alpha1.PlatformHotmart, event); err != nil {
			t.Fatal(err)
		}
	}
	w.endFirstCycle(t, state)
	for _, event := range events {
		if _, err := w.take(t.Context(), store, v1alpha1.PlatformHotmart, event); err != nil {
			t.Fatal(err)
		}
		if turns() {
			w.begin(t)
		}
	}
	w.begin(t)
	return w.specs(t)
}

func TestEveryOrderOfANextCycleEndsTheSame(t *testing.T) {
	w, store := newWorld(t), allTriggers()
	w.Clock = clocktesting.NewFakePassiveClock(noon.Add(60 * day))
	// Else the events of the first cycle are too old to mean anything.
	store.Spec.Recovery.ExpireAfter = &v1alpha1.Duration{Duration: 90 * day}
	random := rand.New(rand.NewPCG(7, 8))
	always, never, sometimes := func() bool { return true }, func() bool { return false }, func() bool {
		return random.IntN(2) == 0
	}
	for _, state := range []v1alpha1.MessageState{v1alpha1.MessageSent, v1alpha1.MessageFailed} {
		first, late, next := cycleStory(state == v1alpha1.MessageSent)
		want := w.tell(t, store, state, first, next, always)
		if leads := w.all(t); len(leads) != 1 || leads[0].Status.Cycle != 1 || leads[0].Spec.EventID != "next-pix" ||
			leads[0].Spec.Customer.Phone != "+5521912345678" {
			t.Fatalf("the next cycle is %+v", leads)
		}
		check := func(events []platforms.Event) {
			for _, turns := range []func() bool{always, never, sometimes} {
				if got := w.tell(t, store, state, first, events, turns); got != want {
					t.Fatalf("%s, the first message %s:\n%s\nwant\n%s", order(events), state, got, want)
				}
			}
		}
		permute(slices.Concat(next, late, first[:1]), check)

		everything := slices.Concat(next, late, first)
		for range 30 {
			events := slices.Clone(next)
			for range random.IntN(8) {
				events = append(events, everything[random.IntN(len(everything))])
			}
			random.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
			check(events)
		}
	}
}

func TestNothingOfTheFirstCycleReopens(t *testing.T) {
	w, store := newWorld(t), allTriggers()
	w.Clock = clocktesting.NewFakePassiveClock(noon.Add(60 * day))
	turns := func() bool { return true }
	for _, state := range []v1alpha1.MessageState{v1alpha1.MessageSent, v1alpha1.MessageFailed} {
		first, late, _ := cycleStory(state == v1alpha1.MessageSent)
		want := w.tell(t, store, state, first, nil, turns)
		if got := w.tell(t, store, state, first, slices.Concat(first, late, first), turns); got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", state, got, want)
		}
	}
}

// ended makes a lead of the shop that was written to and finished so long ago.
func (s shop) ended(ctx context.Context, ago time.Duration,
	mods ...func(*v1alpha1.CartRecovery)) *v1alpha1.CartRecovery {
	GinkgoHelper()
	at := time.Now().Add(-ago)
	made := s.lead(ctx, append([]func(*v1alpha1.CartRecovery){
		withEmail(gen.Email), contacted(at.Add(-time.Hour), v1alpha1.MessageSent), func(l *v1alpha1.CartRecovery) {
			abandoned := v1alpha1.NewTimestamp(at.Add(-2 * time.Hour))
			l.Spec.AbandonedAt, l.Spec.EventID = &abandoned, "the-first"
			l.Status.CompletionTime = &metav1.Time{Time: at}
		}}, mods...)...)
	Expect(env.Client.Get(ctx, client.ObjectKeyFromObject(made), made)).To(Succeed())
	return made
}

func occurredAgo(ago time.Duration) change {
	return change{"creation_date": time.Now().Add(-ago).UnixMilli()}
}

var _ = Describe("a cart of a lead that has ended", func() {
	It("re-opens it, once, and what comes later joins", func(ctx SpecContext) {
		shop := openShop(ctx)
		ended := shop.ended(ctx, 30*day)
		body := hotmart(cartEvent)
		before := count("hotmart", resultReopened)
		got := shop.post(ctx, body)
		Expect(got.Status).To(Equal(http.StatusOK))
		Expect(got.Body).To(And(HaveKeyWithValue("result", "reopened"), HaveKeyWithValue("lead", ended.Name)))
		Expect(count("hotmart", resultReopened)).To(Equal(before + 1))
		stored := shop.leads(ctx)
		Expect(stored).To(HaveLen(1))
		Expect(lead.Reopened(&stored[0])).To(BeTrue())
		Expect(stored[0].Spec.AbandonedAt.Time).To(BeTemporally("~", time.Now(), time.Minute))
		Expect(stored[0].Annotations).To(And(
			HaveKeyWithValue(v1alpha1.AnnotationPreviousCompleted,
				ended.Status.CompletionTime.UTC().Format(time.RFC3339)),
			HaveKeyWithValue(v1alpha1.AnnotationPlanned, HaveSuffix(" first"))))
		Expect(stored[0].Status.Conversation).To(HaveLen(1))

		Expect(shop.post(ctx, body).Body).To(HaveKeyWithValue("result", "unchanged"))
		Expect(shop.post(ctx, hotmart(cartEvent, occurredAgo(time.Hour))).Body).To(HaveKeyWithValue("result",
			"recorded"))
		Expect(shop.post(ctx, hotmart(cartEvent, occurredAgo(31*day))).Body).To(HaveKeyWithValue("reason", "TooOld"))

		By("and a purchase stops it before the cycle has begun")
		Expect(shop.post(ctx, hotmart(purchaseEvent)).Body).To(HaveKeyWithValue("result", "stopped"))
		Expect(shop.leads(ctx)).To(HaveExactElements(HaveField("Spec.Purchase", Not(BeNil()))))
	})

	It("re-opens it once, however many replicas hear of it at once", func(ctx SpecContext) {
		shop := openShop(ctx)
		shop.ended(ctx, 30*day)
		results := make(chan any, 8)
		bodies := [][]byte{hotmart(cartEvent), hotmart(cartEvent, occurredAgo(time.Minute))}
		var group sync.WaitGroup
		for i := range cap(results) {
			group.Go(func() {
				defer GinkgoRecover()
				got := shop.post(ctx, bodies[i%2])
				Expect(got.Status).To(Equal(http.StatusOK))
				results <- got.Body["result"]
			})
		}
		group.Wait()
		close(results)
		reopened := 0
		for result := range results {
			if result == "reopened" {
				reopened++
			}
		}
		Expect(reopened).To(Equal(1))
		Expect(shop.leads(ctx)).To(HaveExactElements(HaveField("Spec.AbandonedAt.Time",
			BeTemporally("<", time.Now().Add(-30*time.Second)))))
	})

	DescribeTable("leaves it as it is", func(ctx SpecContext, reason string, ago, occurred time.Duration,
		mods ...func(*v1alpha1.CartRecovery)) {
		shop := openShop(ctx, func(s *v1alpha1.Store) {
			s.Spec.Recovery.ExpireAfter = &v1alpha1.Duration{Duration: 60 * day}
		})
		ended := shop.ended(ctx, ago, mods...)
		Expect(shop.post(ctx, hotmart(cartEvent, occurredAgo(occurred), change{"id": "the-second"})).Body).To(And(
			HaveKeyWithValue("result", "ignored"), HaveKeyWithValue("reason", reason),
			HaveKeyWithValue("lead", ended.Name)))
		Expect(shop.leads(ctx)).To(HaveExactElements(HaveField("ResourceVersion", ended.ResourceVersion)))
	},
		Entry("within the cooldown", "Cooldown", 2*day, time.Duration(0)),
		Entry("before it was finished", "AlreadyFinished", 30*day, 31*day),
		Entry("the event that made it", "AlreadyFinished", 30*day, time.Duration(0), cartWithID("the-second")),
		Entry("bought", "AlreadyPurchased", 30*day, time.Duration(0), func(l *v1alpha1.CartRecovery) {
			l.Spec.Purchase = &v1alpha1.Purchase{EventID: "e", At: v1alpha1.NewTimestamp(time.Now())}
		}),
		Entry("reversed", "AlreadyFinished", 30*day, time.Duration(0), func(l *v1alpha1.CartRecovery) {
			l.Spec.Reversal = &v1alpha1.Reversal{EventID: "e", Kind: v1alpha1.ReversalRefund,
				At: v1alpha1.NewTimestamp(time.Now())}
		}),
	)

	It("does not re-open it while the number is suppressed", func(ctx SpecContext) {
		shop := openShop(ctx)
		ended := shop.ended(ctx, 30*day)
		keep(ctx, lead.NewSuppression(shop.namespace, shop.store.Name, gen.Phone, false, v1alpha1.SuppressionOptOut))
		Expect(shop.post(ctx, hotmart(cartEvent)).Body).To(HaveKeyWithValue("reason", "Suppressed"))
		Expect(shop.leads(ctx)).To(HaveExactElements(HaveField("ResourceVersion", ended.ResourceVersion)))
	})

	It("forgets that the customer asked us to stop only once that was taken back", func(ctx SpecContext) {
		shop := openShop(ctx)
		stop := &v1alpha1.Stop{Reason: v1alpha1.StopOptOut, At: v1alpha1.NewTimestamp(time.Now().Add(-31 * day))}
		ended := shop.ended(ctx, 30*day, func(l *v1alpha1.CartRecovery) { l.Spec.Stop = stop })
		// The cache need not know it yet.
		suppression := lead.NewSuppression(shop.namespace, shop.store.Name, gen.Phone, false,
			v1alpha1.SuppressionOptOut)
		Expect(env.Client.Create(ctx, suppression)).To(Succeed())
		Expect(shop.post(ctx, hotmart(cartEvent)).Body).To(HaveKeyWithValue("reason", "Suppressed"))
		Expect(shop.leads(ctx)).To(HaveExactElements(HaveField("ResourceVersion", ended.ResourceVersion)))
		Expect(env.Client.Delete(ctx, suppression)).To(Succeed())
		Eventually(func() any { return shop.post(ctx, hotmart(cartEvent)).Body["result"] }).Should(Equal("reopened"))
		Expect(shop.leads(ctx)).To(HaveExactElements(HaveField("Spec.Stop", BeNil())))
	})

	It("finds the lead finished that the cache believes open", func(ctx SpecContext) {
		shop := openShop(ctx)
		made := shop.ended(ctx, 30*day, func(l *v1alpha1.CartRecovery) { l.Status.CompletionTime = nil })
		finished := false
		hooked.before(func(ctx context.Context, verb string, object client.Object) error {
			if _, isLead := object.(*v1alpha1.CartRecovery); isLead && verb == "patch" && !finished {
				finished = true
				made.Status.CompletionTime = &metav1.Time{Time: time.Now().Add(-29 * day)}
				return env.Client.Status().Update(ctx, made)
			}
			return nil
		})
		pix := hotmart(cartEvent, change{"data.buyer.name": "Maria Souza Lima"})
		Expect(shop.post(ctx, pix).Body).To(HaveKeyWithValue("result", "reopened"))
		Expect(finished).To(BeTrue())
		Expect(lead.Reopened(&shop.leads(ctx)[0])).To(BeTrue())
	})
})
