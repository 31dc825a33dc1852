package pace_test

import (
	"fmt"
	"math/rand/v2"
	"sort"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
	clocktesting "k8s.io/utils/clock/testing"

	"cartrecovery.dev/operator/internal/pace"
)

// world is a random history: what the leads know of it, and the rules, told once more and
// without regard to speed.
type world struct {
	t      *testing.T
	seed   uint64
	random *rand.Rand
	clock  *clocktesting.FakePassiveClock
	pacer  *pace.Pacer
	of     pace.Number
	sent   []pace.Sent
	waits  map[types.NamespacedName]*waiter
	names  []types.NamespacedName
	log    []asked
}

// asked is what a lead asked and was told.
type asked struct {
	at   time.Time
	by   waiter
	turn pace.Turn
}

type waiter struct {
	lead  types.NamespacedName
	class pace.Class
	due   time.Time
	back  time.Time
}

var zones = []*time.Location{nil, saoPaulo, mustLoad("Europe/Lisbon"), mustLoad("America/Havana")}

// evenings are days that have 23, 24 and 25 hours somewhere.
var evenings = []time.Time{
	time.Date(2026, 3, 28, 20, 0, 0, 0, time.UTC), time.Date(2026, 10, 24, 20, 0, 0, 0, time.UTC),
	time.Date(2026, 11, 1, 1, 0, 0, 0, time.UTC), time.Date(2018, 11, 3, 23, 0, 0, 0, time.UTC),
}

func newWorld(t *testing.T, seed uint64) *world {
	random := rand.New(rand.NewPCG(seed, 7))
	w := &world{t: t, seed: seed, random: random, waits: map[types.NamespacedName]*waiter{}}
	start := evenings[random.IntN(len(evenings))].Add(time.Duration(random.Int64N(int64(6 * time.Hour))))
	w.clock = clocktesting.NewFakePassiveClock(start)
	gap := time.Duration(random.IntN(40)) * time.Second
	w.of = pace.Number{
		Limits: pace.Limits{
			PerMinute: 1 + random.IntN(8), PerHour: 1 + random.IntN(25), NewPerDay: 1 + random.IntN(12),
			GapMin: gap, GapMax: gap + time.Duration(random.IntN(60))*time.Second,
			WarmUpStart: 1 + random.IntN(5), WarmUpDays: random.IntN(3),
		},
		FirstConnected: start.Add(-time.Duration(random.IntN(50)) * time.Hour),
		Location:       zones[random.IntN(len(zones))],
		Seed:           fmt.Sprint(seed),
	}
	for i := range 2 + random.IntN(8) {
		w.names = append(w.names, key(fmt.Sprint("lead-", i)))
	}
	w.restart()
	return w
}

// restart has a new leader learn from the leads what was sent.
func (w *world) restart() {
	w.pacer = pace.NewPacer(w.clock, 20*time.Second)
	w.waits = map[types.NamespacedName]*waiter{}
	w.seedPacer()
}

func (w *world) seedPacer() {
	var recent []pace.Sent
	for _, s := range w.sent {
		if w.clock.Now().Sub(s.At) <= pace.HistoryLength {
			recent = append(recent, s)
		}
	}
	w.pacer.Seed(instance, recent)
}

func (w *world) failf(format string, args ...any) {
	w.t.Helper()
	for _, a := range w.log {
		w.t.Logf("%s %s class %d due %s: %+v", a.at.Format(time.RFC3339Nano), a.by.lead.Name, a.by.class,
			a.by.due.Format(time.TimeOnly), a.turn)
	}
	w.t.Fatalf("history %d, %+v, at %s: %s", w.seed, w.of, w.clock.Now().In(w.location()), fmt.Sprintf(format, args...))
}

func (w *world) location() *time.Location {
	if w.of.Location == nil {
		return time.UTC
	}
	return w.of.Location
}

// pauses between two things that happen.
var pauses = []time.Duration{0, 0, time.Millisecond, time.Second, 7 * time.Second, 30 * time.Second, time.Minute,
	10 * time.Minute, time.Hour}

// step is one thing that happens.
func (w *world) step() {
	w.clock.SetTime(w.clock.Now().Add(time.Duration(w.random.Float64() * float64(pauses[w.random.IntN(len(pauses))]))))
	name := w.names[w.random.IntN(len(w.names))]
	defer w.hear()
	switch w.random.IntN(40) {
	case 0:
		w.restart()
	case 1:
		w.seedPacer()
	case 2:
		w.of.Limits.PerMinute = 1 + w.random.IntN(8)
	case 3:
		w.of.Limits.PerHour = 1 + w.random.IntN(25)
	case 4, 5:
		w.pacer.Forget(name)
		delete(w.waits, name)
	case 6:
		w.pacer.Open(instance)
	default:
		w.ask(name)
	}
}

// ask has a lead ask, and go when it may. One that waits mostly asks for the same message.
func (w *world) ask(name types.NamespacedName) {
	now := w.clock.Now()
	asks := w.waits[name]
	if asks == nil || w.random.IntN(6) == 0 {
		asks = &waiter{lead: name, class: pace.Class(w.random.IntN(3)),
			due: now.Add(-time.Duration(w.random.IntN(4)) * time.Minute)}
	}
	peek := w.pacer.Peek(instance, w.of, name, asks.class, asks.due)
	turn := w.pacer.Request(instance, w.of, name, asks.class, asks.due)
	asks.back = turn.At
	w.waits[name] = asks
	w.log = append(w.log, asked{at: now, by: *asks, turn: turn})
	switch {
	case peek.Before(now) || turn.Expected.Before(now):
		w.failf("%s: expected in the past", name)
	case !turn.Now && (!turn.At.After(now) || turn.At.Sub(now) > 2*time.Hour):
		w.failf("%s: asks again at %s", name, turn.At)
	case !turn.Now:
		if w.pacer.Acquire(instance, w.of, name, asks.class, now) {
			w.failf("%s: was told to wait and could take", name)
		}
	case w.random.IntN(10) > 0:
		w.take(asks)
	}
}

func (w *world) take(asks *waiter) {
	now := w.clock.Now()
	if !w.pacer.Acquire(instance, w.of, asks.lead, asks.class, now) {
		w.failf("%s: was told to go and cannot take", asks.lead)
	}
	if why := w.forbidden(asks.class, now); why != "" {
		w.failf("%s went: %s", asks.lead, why)
	}
	w.jumped(asks, now)
	delete(w.waits, asks.lead)
	if w.pacer.Acquire(instance, w.of, asks.lead, asks.class, now) {
		w.failf("%s: taken twice", asks.lead)
	}
	switch w.random.IntN(10) {
	case 0:
		w.pacer.Refused(instance, asks.lead)
	case 1:
		w.pacer.Refused(instance, asks.lead)
		w.pacer.Refused(instance, asks.lead)
	default:
		w.sent = append(w.sent, pace.Sent{At: now.UTC().Truncate(time.Microsecond), New: asks.class == pace.First,
			Lead: asks.lead, Claimed: true})
	}
	if w.random.IntN(8) == 0 {
		w.agrees()
	}
}

// forbidden is why a message of a class may not be sent now, "" when it may.
func (w *world) forbidden(class pace.Class, now time.Time) string {
	minute, hour, today := 0, 0, 0
	var last time.Time
	for _, s := range w.sent {
		if now.Sub(s.At) < time.Minute {
			minute++
		}
		if now.Sub(s.At) < time.Hour {
			hour++
		}
		if s.New {
			last = s.At
			if s.At.In(w.location()).Format(time.DateOnly) == now.In(w.location()).Format(time.DateOnly) {
				today++
			}
		}
	}
	percent := []float64{1, 0.8, 0.7}[class]
	limits := w.of.Limits
	switch {
	case minute >= max(1, int(float64(limits.PerMinute)*percent+1e-9)):
		return fmt.Sprintf("%d within a minute", minute)
	case hour >= max(1, int(float64(limits.PerHour)*percent+1e-9)):
		return fmt.Sprintf("%d within an hour", hour)
	case class != pace.First:
		return ""
	case today >= limits.NewAllowed(w.of.FirstConnected, now, w.of.Location):
		return fmt.Sprintf("%d new on that day", today)
	case !last.IsZero() && now.Before(pace.Earliest([]pace.Sent{{At: last, New: true}}, pace.First,
		pace.Limits{PerMinute: 99, PerHour: 99, NewPerDay: 99, GapMin: limits.GapMin, GapMax: limits.GapMax},
		time.Time{}, last, nil, w.of.Seed)):
		return fmt.Sprintf("the gap since %s is not over", last)
	case !last.IsZero() && now.Sub(last) < limits.GapMin:
		return fmt.Sprintf("only %s since the last", now.Sub(last))
	}
	return ""
}

// jumped fails if a message went before another that waits, is allowed, and comes first.
func (w *world) jumped(went *waiter, now time.Time) {
	for _, other := range w.waits {
		if other.lead == went.lead || now.Sub(other.back) > 10*time.Second {
			continue
		}
		first := other.class < went.class && w.forbidden(other.class, now) == ""
		if other.class == went.class {
			first = other.due.Before(went.due) || other.due.Equal(went.due) && other.lead.Name < went.lead.Name
		}
		if first {
			w.failf("%+v went before %+v", *went, *other)
		}
	}
}

// agrees fails if a leader that starts now would decide differently.
func (w *world) agrees() {
	restarted := pace.NewPacer(w.clock, 0)
	restarted.Seed(instance, w.sent)
	for class := pace.Answer; class <= pace.FollowUp; class++ {
		fresh := restarted.Peek(instance, w.of, key("x"), class, time.Time{})
		pure := pace.Earliest(w.sent, class, w.of.Limits, w.of.FirstConnected, w.clock.Now(), w.of.Location, w.of.Seed)
		if !fresh.Equal(pure) {
			w.failf("class %d: a new leader sends at %s, what was sent says %s", class, fresh, pure)
		}
		if !pure.After(w.clock.Now()) != (w.forbidden(class, w.clock.Now()) == "") {
			w.failf("class %d: %s, and %q", class, pure, w.forbidden(class, w.clock.Now()))
		}
		if why := w.forbidden(class, pure); why != "" {
			w.failf("class %d is sent at %s, and then %s", class, pure, why)
		}
	}
}

// drain has every lead come back when it was told to, until all have gone.
func (w *world) drain() {
	for _, name := range w.names {
		w.ask(name)
	}
	for asks := 0; len(w.waits) > 0; asks++ {
		if asks > 5000 {
			w.failf("%d leads still wait", len(w.waits))
		}
		next := w.nextBack()
		if next.back.After(w.clock.Now()) {
			w.clock.SetTime(next.back)
		}
		turn := w.pacer.Request(instance, w.of, next.lead, next.class, next.due)
		next.back = turn.At
		if turn.Now {
			w.take(next)
		}
	}
}

// hear notes who is called.
func (w *world) hear() {
	for len(w.pacer.Woken()) > 0 {
		woken := <-w.pacer.Woken()
		if waits := w.waits[key(woken.Object.Name)]; waits != nil && waits.back.After(w.clock.Now()) {
			waits.back = w.clock.Now()
		}
	}
}

// nextBack is the lead that comes back next, or is woken.
func (w *world) nextBack() *waiter {
	w.hear()
	all := make([]*waiter, 0, len(w.waits))
	for _, waits := range w.waits {
		all = append(all, waits)
	}
	sort.Slice(all, func(i, j int) bool {
		if !all[i].back.Equal(all[j].back) {
			return all[i].back.Before(all[j].back)
		}
		return all[i].lead.Name < all[j].lead.Name
	})
	return all[0]
}

// No random history is over the limits, jumps the line, or is decided differently after a
// restart; and in the end everybody has gone.
func TestRandomHistories(t *testing.T) {
	histories := uint64(100_000)
	if testing.Short() {
		histories = 5_000
	}
	sent := 0
	for seed := range histories {
		w := newWorld(t, seed)
		for range 25 {
			w.step()
		}
		if seed%50 == 0 {
			w.drain()
		}
		sent += len(w.sent)
	}
	if uint64(sent) < 2*histories {
		t.Errorf("only %d messages were sent: this tests little", sent)
	}
	t.Logf("%d histories, %d messages", histories, sent)
}
