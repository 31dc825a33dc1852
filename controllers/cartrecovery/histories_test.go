package cartrecovery

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/policy"
)

// histories is how many random histories are played, fewHistories where it must be quick.
const histories, fewHistories = 30_000, 4_000

// TestHistories plays random lives of leads and judges every message that leaves: never in
// the quiet hours, never to a suppressed number, never after a purchase, never twice, never
// over the pace, never more than may go unanswered, never over a person, never two
// recoveries of a customer at once. What broke a rule is played again with
// HISTORY=<number>; HISTORIES=<count> plays more of them.
func TestHistories(t *testing.T) {
	if number, err := strconv.ParseUint(os.Getenv("HISTORY"), 10, 64); err == nil {
		for _, fault := range playHistory(number, os.Stdout).faults {
			t.Error(fault)
		}
		return
	}
	count := uint64(histories)
	if testing.Short() {
		count = fewHistories
	}
	if more, err := strconv.ParseUint(os.Getenv("HISTORIES"), 10, 64); err == nil {
		count = more
	}
	const players = 4
	var together sync.WaitGroup
	sums := make([]map[string]int, players)
	for player := range uint64(players) {
		sums[player] = map[string]int{}
		together.Go(func() {
			for number := player; number < count && !t.Failed(); number += players {
				played := playHistory(number, nil)
				for _, fault := range played.faults {
					t.Errorf("HISTORY=%d: %s", number, fault)
				}
				for what, times := range played.counts {
					sums[player][what] += times
				}
			}
		})
	}
	together.Wait()
	happened := map[string]int{}
	for _, sum := range sums {
		for what, times := range sum {
			happened[what] += times
		}
	}
	// A test of what never happens is worth what did happen.
	for _, what := range []string{
		"sent", "opt-outs", "handed over", "returned", "early messages", "late messages", "answered late", "stopped",
		"settled", "from machines", "resumed by time", "blocked " + v1alpha1.ReasonClaimsPaid,
		"blocked " + v1alpha1.ReasonAutomaticReplies, "ended " + v1alpha1.ReasonWrongNumber,
		"handed over " + v1alpha1.ReasonPaymentClaimed, "handed over " + v1alpha1.ReasonLateReply, "from Customer",
		"from Person", "blocked " + v1alpha1.ReasonQuietHours, "blocked " + v1alpha1.ReasonPaced,
		"blocked " + v1alpha1.ReasonCooldown, "blocked " + v1alpha1.ReasonRestricted,
		"blocked " + v1alpha1.ReasonNumberLost, "blocked " + v1alpha1.ReasonNoConnectedInstance,
		"blocked " + v1alpha1.ReasonSuspended, "blocked " + v1alpha1.ReasonTextRefused,
		"blocked " + v1alpha1.ReasonTokenBudget, "blocked " + v1alpha1.ReasonAIUnavailable,
		"blocked " + v1alpha1.ReasonUnconfirmed, "moved", "ended " + v1alpha1.ReasonBoughtAfterContact,
		"ended " + v1alpha1.ReasonOptedOut, "ended " + v1alpha1.ReasonUnanswered,
		"ended " + v1alpha1.ReasonConversationEnded, "ended " + v1alpha1.ReasonNeverContacted,
		"ended " + v1alpha1.ReasonSendFailed,
	} {
		if happened[what] == 0 {
			t.Errorf("in %d histories nothing was %q", count, what)
		}
	}
	t.Logf("%d histories: %v", count, happened)
}

// playHistory plays one history; its number is all it depends on.
func playHistory(number uint64, told io.Writer) *simulation {
	random := rand.New(rand.NewPCG(number, 3))
	// Both changes of daylight saving time of New York are within reach.
	start := time.Date(2026, time.March, 2, 0, 0, 0, 0, time.UTC).Add(time.Duration(random.IntN(270*24)) * time.Hour)
	sim := newSimulation(start, number)
	sim.told = told
	store := sim.addStore("shop", 1+random.IntN(2), func(s *v1alpha1.Store) { randomPolicy(random, s) })
	for i := range store.instances {
		store.instances[i].Spec.Limits = randomLimits(random)
	}
	horizon := start.Add(time.Duration(2+random.IntN(8)) * 24 * time.Hour)
	phones := []string{"+5511987650001", "+5511987650002", "+5511987650003"}
	for range 1 + random.IntN(4) {
		phone := phones[random.IntN(len(phones))]
		sim.at(randomTime(random, start, horizon), func() {
			if _, suppressed := store.suppressed[phone]; !suppressed {
				sim.addLead(store, phone)
			}
		})
	}
	for range random.IntN(14) {
		sim.at(randomTime(random, start, horizon), func() { sim.somethingHappens(store) })
	}
	sim.run(horizon.Add(15 * 24 * time.Hour))
	for _, each := range store.leads {
		if !each.deleted && !lead.Finished(each.object) {
			sim.faultf(each, "it is still open two weeks later, and nobody looks at it: %v",
				each.object.Status.NextAction)
		}
	}
	return sim
}

func randomTime(random *rand.Rand, from, until time.Time) time.Time {
	return from.Add(time.Duration(random.Int64N(int64(until.Sub(from)))))
}

func randomDuration(random *rand.Rand, least, most time.Duration) *v1alpha1.Duration {
	return &v1alpha1.Duration{Duration: (least + time.Duration(random.Int64N(int64(most-least)))).Round(time.Second)}
}

func randomPolicy(random *rand.Rand, store *v1alpha1.Store) {
	store.Spec.TimeZone = []string{"America/Sao_Paulo", "America/New_York", "Europe/Lisbon",
		"Asia/Kolkata"}[random.IntN(4)]
	recovery := &store.Spec.Recovery
	if random.IntN(2) == 0 {
		recovery.QuietHours = &v1alpha1.QuietHours{Start: randomOClock(random),
			End: "09:0" + strconv.Itoa(random.IntN(10)), Spread: randomDuration(random, 0, time.Hour)}
		if random.IntN(3) == 0 {
			recovery.QuietHours.Days = []v1alpha1.Weekday{"Fri", "Sat"}
		}
	}
	names := []string{"first", "second", "third"}
	sequence := v1alpha1.Sequence{Trigger: v1alpha1.TriggerAbandonedCart}
	for i := range 1 + random.IntN(3) {
		step := v1alpha1.Step{Name: names[i], After: *randomDuration(random, time.Minute, 20*time.Hour)}
		if random.IntN(3) == 0 {
			step.Text = "Oi, {{.Customer.FirstName}}! " + names[i]
		}
		sequence.Steps = append(sequence.Steps, step)
	}
	recovery.Sequences = []v1alpha1.Sequence{sequence}
	recovery.Cooldown = randomDuration(random, 0, 6*24*time.Hour)
	recovery.ExpireAfter = randomDuration(random, 6*time.Hour, 72*time.Hour)
	unanswered := int32(1 + random.IntN(3))
	recovery.MaxUnanswered = &unanswered
	if random.IntN(2) == 0 {
		recovery.FallbackText = "Oi, {{.Customer.FirstName}}! Posso ajudar?"
	}
	if random.IntN(2) == 0 {
		recovery.HandOffText = "Vou chamar alguém."
	}
	recovery.LateReplies = []v1alpha1.LateReplies{"", v1alpha1.LateRepliesAnswer, v1alpha1.LateRepliesHandOff,
		v1alpha1.LateRepliesIgnore}[random.IntN(4)]
	recovery.ClaimsPaidAfter = randomDuration(random, 0, 5*time.Hour)
	if random.IntN(2) == 0 {
		recovery.HandOff = &v1alpha1.HandOffPolicy{ResumeAfter: randomDuration(random, time.Minute, 20*time.Hour)}
	}
	if random.IntN(2) == 0 {
		recovery.NumberLost = v1alpha1.NumberLostMove
	}
}

func randomOClock(random *rand.Rand) string {
	return fmt.Sprintf("%02d:%02d", (10+random.IntN(22))%24, random.IntN(60))
}

func randomLimits(random *rand.Rand) v1alpha1.InstanceLimits {
	some := func(most int) *int32 {
		value := int32(1 + random.IntN(most))
		return &value
	}
	if random.IntN(3) == 0 {
		return v1alpha1.InstanceLimits{}
	}
	least := randomDuration(random, 0, 20*time.Minute)
	return v1alpha1.InstanceLimits{
		MessagesPerMinute: some(3), MessagesPerHour: some(4), NewConversationsPerDay: some(4),
		NewConversationGap: &v1alpha1.ConversationGap{Min: *least,
			Max: v1alpha1.Duration{Duration: least.Duration + 10*time.Minute}},
		WarmUp: &v1alpha1.WarmUp{StartPerDay: some(2), Days: some(5)},
	}
}

// somethingHappens has the world or a person do something.
func (sim *simulation) somethingHappens(store *simStore) {
	now, random := sim.clock.Now(), sim.random
	later := func(most time.Duration, what func()) {
		sim.at(now.Add(time.Duration(random.Int64N(int64(most)))), what)
	}
	number := random.IntN(len(store.instances))
	switch random.IntN(9) {
	case 0:
		sim.setReady(store, number, false)
		later(12*time.Hour, func() { sim.setReady(store, number, true) })
		return
	case 1:
		sim.restrict(store, number, now.Add(time.Duration(random.Int64N(int64(48*time.Hour)))))
		return
	case 2:
		store.down = true
		later(2*time.Hour, func() { store.down = false })
		return
	case 3:
		store.mute = true
		later(2*time.Hour, func() { store.mute = false })
		return
	case 4:
		store.dumb = true
		later(3*time.Hour, func() { store.dumb = false })
		return
	case 5:
		sim.restart()
		return
	case 6:
		store.store.Spec.Suspend = true
		sim.wakeAll(store)
		later(5*time.Hour, func() { store.store.Spec.Suspend = false; sim.wakeAll(store) })
		return
	}
	if len(store.leads) == 0 {
		return
	}
	each := store.leads[random.IntN(len(store.leads))]
	switch random.IntN(12) {
	case 8:
		sim.says(each, "já paguei")
		later(3*time.Hour, func() { sim.says(each, "quando chega?") })
	case 9:
		sim.says(each, "número errado")
	case 10:
		sim.machineSays(each, "Agora não podemos responder")
		later(time.Hour, func() { sim.machineSays(each, "Estamos fora do horário") })
	case 0:
		sim.buys(each)
	case 1:
		sim.says(each, "PARAR")
	case 2:
		sim.says(each, "atendente")
	case 3:
		sim.takesOver(each)
		later(3*time.Hour, func() { sim.givesBack(each) })
	case 4:
		sim.returns(each)
	default:
		sim.says(each, "Tem desconto?")
		later(time.Minute, func() { sim.says(each, "E garantia?") })
	}
}

// TestPolicyOfHistories makes sure that the random policies are ones a schema lets pass.
func TestPolicyOfHistories(t *testing.T) {
	for number := range uint64(100) {
		random := rand.New(rand.NewPCG(number, 3))
		store := &v1alpha1.Store{}
		randomPolicy(random, store)
		resolved := policy.Resolve(store, nil)
		if hours := resolved.QuietHours; hours != nil && hours.Start == hours.End {
			t.Errorf("%d: the silence never ends", number)
		}
	}
}
