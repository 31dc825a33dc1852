package pace_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"
	clocktesting "k8s.io/utils/clock/testing"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/pace"
)

const instance types.UID = "instance"

var noon = time.Date(2026, 3, 10, 12, 0, 0, 0, saoPaulo)

// desk is a pacer and what its leads ask with.
type desk struct {
	*pace.Pacer
	t     testing.TB
	clock *clocktesting.FakePassiveClock
	of    pace.Number
}

// open is a desk whose number has sent nothing, with a limit of 10 a minute and a gap of 20 s.
func open(t testing.TB, history ...pace.Sent) *desk {
	clock := clocktesting.NewFakePassiveClock(noon)
	d := &desk{Pacer: pace.NewPacer(clock, 30*time.Second), t: t, clock: clock, of: pace.Number{
		Limits:   wide(func(l *pace.Limits) { l.PerMinute, l.GapMin, l.GapMax = 10, 20*time.Second, 20*time.Second }),
		Location: saoPaulo, Seed: "seed",
	}}
	d.Seed(instance, history)
	return d
}

func key(name string) types.NamespacedName {
	return types.NamespacedName{Namespace: "loja", Name: name}
}

func (d *desk) forward(by time.Duration) { d.clock.SetTime(d.clock.Now().Add(by)) }

// ask asks for a lead whose message was due so long before noon.
func (d *desk) ask(lead string, class pace.Class, due time.Duration) pace.Turn {
	return d.Request(instance, d.of, key(lead), class, noon.Add(-due))
}

func (d *desk) take(lead string, class pace.Class) bool {
	return d.Acquire(instance, d.of, key(lead), class, d.clock.Now())
}

// now fails the test unless it is the lead's turn.
func (d *desk) now(lead string, class pace.Class, due time.Duration) {
	d.t.Helper()
	if turn := d.ask(lead, class, due); !turn.Now {
		d.t.Fatalf("%s: not its turn: %+v", lead, turn)
	}
}

// later fails the test unless the lead has to wait behind so many.
func (d *desk) later(lead string, class pace.Class, due time.Duration, ahead int) pace.Turn {
	d.t.Helper()
	turn := d.ask(lead, class, due)
	if turn.Now || turn.Ahead != ahead || !turn.At.After(d.clock.Now()) {
		d.t.Fatalf("%s at %s: want later, behind %d: %+v", lead, d.clock.Now(), ahead, turn)
	}
	return turn
}

// send asks and takes.
func (d *desk) send(lead string, class pace.Class) {
	d.t.Helper()
	d.now(lead, class, 0)
	if !d.take(lead, class) {
		d.t.Fatalf("%s: was told it is its turn and may not take it", lead)
	}
}

func (d *desk) stats() v1alpha1.PaceStatus { return d.Stats(instance, d.of) }

func TestOrder(t *testing.T) {
	d := open(t)
	d.now("follow-up", pace.FollowUp, time.Hour)
	d.now("late", pace.First, 0)
	d.now("early", pace.First, time.Minute)
	d.now("answer", pace.Answer, 0)

	d.later("late", pace.First, 0, 2)
	d.later("early", pace.First, time.Minute, 1)
	d.later("follow-up", pace.FollowUp, time.Hour, 3)
	if d.take("early", pace.First) {
		t.Error("a first message went before an answer")
	}
	if !d.take("answer", pace.Answer) || d.take("late", pace.First) || !d.take("early", pace.First) {
		t.Error("not in order")
	}
	if turn := d.later("late", pace.First, 0, 0); !turn.At.Equal(noon.Add(20 * time.Second)) {
		t.Errorf("the gap ends at %s", turn.At)
	}
}

func TestEqualDueGoesByName(t *testing.T) {
	d := open(t)
	d.ask("b", pace.FollowUp, 0)
	d.now("a", pace.FollowUp, 0)
	d.later("b", pace.FollowUp, 0, 1)
	if other := (types.NamespacedName{Namespace: "aaa", Name: "z"}); !d.Request(instance, d.of, other, pace.FollowUp,
		noon).Now {
		t.Error("the namespace does not count")
	}
}

// While first messages wait for their gap, follow-ups may go, but not fill their places.
func TestFollowUpsBetweenFirstMessages(t *testing.T) {
	d := open(t)
	d.send("first", pace.First)
	for i := range 3 {
		d.ask(fmt.Sprintf("waits-%d", i), pace.First, 0)
	}
	// 7 of 10 is the share: one is sent, three places are kept.
	for i := range 3 {
		d.send(fmt.Sprintf("follow-up-%d", i), pace.FollowUp)
	}
	d.later("follow-up-3", pace.FollowUp, 0, 3)

	d.of.Limits.NewPerDay = 1
	d.send("follow-up-3", pace.FollowUp)
}

func TestTurnsAreTakenOnce(t *testing.T) {
	d := open(t)
	if d.take("a", pace.First) {
		t.Error("taken without asking")
	}
	d.now("a", pace.First, 0)
	if d.take("a", pace.FollowUp) || d.Acquire("other", d.of, key("a"), pace.First, noon) {
		t.Error("taken for another message, or at another instance")
	}
	if !d.take("a", pace.First) || d.take("a", pace.First) {
		t.Error("not taken exactly once")
	}
	want := v1alpha1.PaceStatus{SentLastHour: 1, NewConversationsToday: 1, NewConversationsAllowedToday: 100_000}
	if diff := cmp.Diff(want, d.stats()); diff != "" {
		t.Errorf("stats (-want +got):\n%s", diff)
	}
}

func TestRefused(t *testing.T) {
	d := open(t)
	d.send("kept", pace.Answer)
	d.send("a", pace.First)
	d.later("b", pace.First, 0, 0)
	d.Refused(instance, key("a"))
	d.Refused(instance, key("a"))
	d.Refused("other", key("a"))
	d.send("b", pace.First)
	d.Refused(instance, key("b"))
	if got := d.stats(); got.NewConversationsToday != 0 || got.SentLastHour == 0 {
		t.Errorf("%+v", got)
	}
}

// What was sent before does not come back with what is given back, and a failed Take makes a
// second Refused harmless.
func TestRefusedKeepsWhatWasSent(t *testing.T) {
	d := open(t, pace.Sent{At: noon.Add(-2 * time.Minute), New: true, Lead: key("a")})
	d.send("a", pace.Answer)
	d.send("a", pace.Answer)
	d.Refused(instance, key("a"))
	d.Refused(instance, key("a"))
	if got := d.stats(); got.SentLastHour != 2 || got.NewConversationsToday != 1 {
		t.Errorf("stats %+v", got)
	}
}

// A successor learns of its predecessor's claim that the gateway never had.
func TestRefusedAfterRestart(t *testing.T) {
	d := open(t, pace.Sent{At: noon.Add(-time.Second), New: true, Lead: key("a"), Claimed: true})
	d.later("b", pace.First, 0, 0)
	d.Refused(instance, key("a"))
	d.send("b", pace.First)
}

func TestNothingIsSentBeforeSeed(t *testing.T) {
	d := open(t)
	d.Close(instance)
	if d.Seeded(instance) {
		t.Error("seeded")
	}
	d.later("a", pace.Answer, 0, 0)
	if d.take("a", pace.Answer) {
		t.Error("taken")
	}
	d.Seed(instance, nil)
	if !d.Seeded(instance) {
		t.Error("not seeded")
	}
	d.send("a", pace.Answer)
}

func TestSeedIsMerged(t *testing.T) {
	d := open(t)
	d.send("shown", pace.First)
	d.forward(20 * time.Second)
	d.send("not-yet", pace.First)
	derived := []pace.Sent{
		{At: noon.Add(2 * time.Second), New: true, Lead: key("shown")},
		{At: noon.Add(-time.Hour / 2), New: true, Lead: key("before")},
	}
	for range 3 {
		d.Seed(instance, derived)
		if got := d.stats(); got.SentLastHour != 3 || got.NewConversationsToday != 3 {
			t.Fatalf("stats %+v", got)
		}
	}
	d.Seed(instance, nil)
	if got := d.stats(); got.SentLastHour != 2 {
		t.Errorf("what was taken here was forgotten: %+v", got)
	}
	if derived[0].Lead != key("shown") {
		t.Error("Seed changed what it was given")
	}
	d.forward(26 * time.Hour)
	if got := d.stats(); got.SentLastHour != 0 || got.NewConversationsToday != 0 {
		t.Errorf("stats a day later: %+v", got)
	}
}

// Two messages of one lead within the time that tells one from another are two.
func TestSeedMatchesOneToOne(t *testing.T) {
	d := open(t)
	d.send("a", pace.First)
	d.send("a", pace.Answer)
	d.Seed(instance, []pace.Sent{{At: noon, New: true, Lead: key("a")}})
	if got := d.stats(); got.SentLastHour != 2 {
		t.Errorf("stats %+v", got)
	}
}

// What a restarted leader derives gives the same turns as what the old one remembered.
func TestRestartDrawsTheSame(t *testing.T) {
	d := open(t)
	d.of.Limits.GapMin, d.of.Limits.GapMax = 5*time.Second, 30*time.Second
	d.clock.SetTime(noon.Add(123_456_789 * time.Nanosecond))
	d.send("a", pace.First)
	before := d.ask("b", pace.First, 0)

	successor := pace.NewPacer(d.clock, time.Minute)
	claimed := v1alpha1.NewTimestamp(d.clock.Now())
	successor.Seed(instance, []pace.Sent{{At: claimed.Time, New: true, Lead: key("a"), Claimed: true}})
	if after := successor.Request(instance, d.of, key("b"), pace.First, noon); after != before {
		t.Errorf("before %+v, after %+v", before, after)
	}
}

func TestSettle(t *testing.T) {
	d := open(t)
	d.Open(instance)
	if turn := d.later("late", pace.First, 0, 0); !turn.At.Equal(noon.Add(30 * time.Second)) {
		t.Errorf("asks again at %s", turn.At)
	}
	d.later("follow-up", pace.FollowUp, time.Hour, 1)
	d.send("answer", pace.Answer)
	d.forward(29 * time.Second)
	d.later("early", pace.First, time.Hour, 0)
	d.later("late", pace.First, 0, 1)
	if d.take("early", pace.First) {
		t.Error("taken too soon")
	}
	d.forward(time.Second)
	d.send("early", pace.First)
}

// A lead that does not come back loses its place, and gets it again.
func TestLostLeads(t *testing.T) {
	d := open(t)
	d.now("lost", pace.First, time.Hour)
	d.later("next", pace.First, 0, 1)
	d.forward(10 * time.Second)
	d.later("next", pace.First, 0, 1)
	d.forward(time.Millisecond)
	d.now("next", pace.First, 0)
	if got := d.stats().Waiting; got != 1 {
		t.Errorf("%d wait", got)
	}
	if d.take("lost", pace.First) {
		t.Error("taken without a place")
	}
	d.now("lost", pace.First, time.Hour)
	d.later("next", pace.First, 0, 1)

	d.forward(12 * time.Hour)
	if got := d.stats().Waiting; got != 0 {
		t.Errorf("%d wait for ever", got)
	}
}

func TestForget(t *testing.T) {
	d := open(t)
	d.ask("a", pace.First, time.Hour)
	d.later("b", pace.First, 0, 1)
	d.Forget(key("a"))
	d.Forget(key("a"))
	d.Forget(key("unknown"))
	d.now("b", pace.First, 0)
}

// A lead waits in one place.
func TestMoves(t *testing.T) {
	d := open(t)
	d.Seed("other", nil)
	d.now("a", pace.First, time.Hour)
	d.later("b", pace.First, time.Minute, 1)
	if !d.Request("other", d.of, key("a"), pace.First, noon).Now {
		t.Error("not at the other")
	}
	d.now("b", pace.First, time.Minute)
	if d.take("a", pace.First) {
		t.Error("taken where it no longer waits")
	}
	d.now("a", pace.First, time.Hour)
	d.now("a", pace.Answer, 0) // The customer wrote.
	d.Forget(key("a"))
	d.ask("a", pace.First, 0) // And it is due later than it was.
	d.now("b", pace.First, time.Minute)
	if got := d.stats().Waiting; got != 2 {
		t.Errorf("%d wait", got)
	}
}

func TestClose(t *testing.T) {
	d := open(t)
	d.ask("a", pace.First, 0)
	d.ask("b", pace.Answer, 0)
	d.Close(instance)
	d.Close("unknown")
	d.Forget(key("a"))
	if d.take("b", pace.Answer) {
		t.Error("taken at an instance that is gone")
	}
	d.Refused(instance, key("b"))
	if got := d.stats(); got != (v1alpha1.PaceStatus{NewConversationsAllowedToday: 100_000}) {
		t.Errorf("stats %+v", got)
	}
	d.Seed(instance, nil)
	d.send("b", pace.Answer)
}

func TestPeek(t *testing.T) {
	d := open(t)
	peek := func(lead string, due time.Duration) time.Duration {
		return d.Peek(instance, d.of, key(lead), pace.First, noon.Add(-due)).Sub(noon)
	}
	if got := d.Peek("unknown", d.of, key("a"), pace.First, noon); !got.Equal(noon) {
		t.Errorf("at an unknown instance: %s", got)
	}
	if got := peek("a", 0); got != 0 {
		t.Errorf("at an idle one: %s", got)
	}
	d.send("first", pace.First)
	d.ask("b", pace.First, time.Minute)
	d.ask("c", pace.First, time.Minute)
	for lead, want := range map[string]int{"b": 20, "c": 40, "z": 60} {
		due := time.Minute
		if got := peek(lead, due); got != time.Duration(want)*time.Second {
			t.Errorf("%s: %s", lead, got)
		}
	}
	if got := peek("early", time.Hour); got != 20*time.Second {
		t.Errorf("who is due first is next: %s", got)
	}
	if got := d.stats().Waiting; got != 2 {
		t.Errorf("%d wait: Peek registered one", got)
	}
	d.Open(instance)
	if got := peek("early", time.Hour); got != 30*time.Second {
		t.Errorf("while it settles: %s", got)
	}
}

// What is expected is what the limits leave, as if all went as soon as they may.
func TestExpected(t *testing.T) {
	d := open(t, sent(noon, false, times(10, 2*time.Minute)...)...)
	for i := range 30 {
		d.ask(fmt.Sprintf("%02d", i), pace.Answer, 0)
	}
	expect := func(rank int, want time.Duration) {
		t.Helper()
		if got := d.Peek(instance, d.of, key(fmt.Sprintf("%02d", rank)), pace.Answer, noon).Sub(noon); got != want {
			t.Errorf("place %d: in %s, want %s", rank, got, want)
		}
	}
	expect(9, 0)
	expect(10, time.Minute)
	expect(20, 2*time.Minute)
	for i := range 10 {
		d.send(fmt.Sprintf("%02d", i), pace.Answer)
	}
	expect(10, time.Minute)
	expect(19, time.Minute)
	expect(20, 2*time.Minute)
	expect(29, 2*time.Minute)
}

// Those for whom today has no room are expected tomorrow, one after the other.
func TestExpectedTomorrow(t *testing.T) {
	d := open(t)
	d.of.Limits.NewPerDay = 2
	for i := range 4 {
		d.ask(fmt.Sprint(i), pace.First, 0)
	}
	for lead, want := range map[string]time.Duration{"1": 20 * time.Second, "2": 12 * time.Hour,
		"3": 12*time.Hour + 20*time.Second} {
		if got := d.Peek(instance, d.of, key(lead), pace.First, noon).Sub(noon); got != want {
			t.Errorf("lead %s: in %s, want %s", lead, got, want)
		}
	}
}

// Who is far back asks about halfway, and not all at once.
func TestAsksHalfway(t *testing.T) {
	d := open(t)
	at := map[time.Time]bool{}
	for i := range 100 {
		lead := fmt.Sprintf("%03d", i)
		d.ask(lead, pace.First, 0)
		turn := d.ask(lead, pace.First, 0)
		if part := float64(turn.At.Sub(noon)) / float64(turn.Expected.Sub(noon)); i > 10 &&
			(part < 0.37 || part > 0.63) {
			t.Errorf("place %d: asks at %s, expected at %s", i, turn.At, turn.Expected)
		}
		at[turn.At] = true
	}
	if len(at) < 95 {
		t.Errorf("100 leads ask at %d times", len(at))
	}
}

// Who becomes first in line sooner than was expected is woken, once.
func TestWoken(t *testing.T) {
	woken := func(d *desk) string {
		select {
		case called := <-d.Woken():
			return called.Object.Namespace + "/" + called.Object.Name
		default:
			return ""
		}
	}
	full := func() *desk {
		d := open(t)
		d.send("sent", pace.First)
		for _, lead := range []string{"a", "b", "c"} {
			d.ask(lead, pace.First, 0)
		}
		if got := woken(d); got != "" {
			t.Fatalf("%s was woken", got)
		}
		return d
	}
	for name, row := range map[string]struct {
		change func(*desk)
		want   string
	}{
		"the first gives up":      {func(d *desk) { d.Forget(key("a")) }, "loja/b"},
		"the first moves":         {func(d *desk) { d.Request("other", d.of, key("a"), pace.First, noon) }, "loja/b"},
		"another gives up":        {func(d *desk) { d.Forget(key("b")) }, ""},
		"a message was not taken": {func(d *desk) { d.Refused(instance, key("sent")) }, "loja/a"},
		"a limit is raised": {func(d *desk) {
			d.of.Limits.GapMin, d.of.Limits.GapMax = 0, 0
			d.ask("c", pace.First, 0)
		}, "loja/a"},
	} {
		d := full()
		row.change(d)
		if got := woken(d); got != row.want {
			t.Errorf("%s: %q was woken, want %q", name, got, row.want)
		}
		if got := woken(d); got != "" {
			t.Errorf("%s: then %q was woken", name, got)
		}
	}
}

// A limit that is lowered holds for what was sent before.
func TestLimitsLowered(t *testing.T) {
	d := open(t)
	for i := range 8 {
		d.send(fmt.Sprint(i), pace.Answer)
		d.forward(time.Second)
	}
	d.of.Limits.PerMinute = 2
	if turn := d.later("a", pace.Answer, 0, 0); !turn.At.Equal(noon.Add(66 * time.Second)) {
		t.Errorf("asks again at %s", turn.At)
	}
	d.of.Limits.PerMinute = 20
	d.now("a", pace.Answer, 0)
}

// A clock that is set back makes what was sent as young as it can be, and blocks nothing for
// longer than the limits ask for.
func TestClockSetBack(t *testing.T) {
	d := open(t)
	for i := range 10 {
		d.send(fmt.Sprint(i), pace.Answer)
	}
	d.later("a", pace.Answer, 0, 0)
	d.forward(-8 * time.Hour)
	if turn := d.later("a", pace.Answer, 0, 0); !turn.At.Equal(d.clock.Now().Add(time.Minute)) {
		t.Errorf("asks again at %s", turn.At)
	}
	d.later("b", pace.Answer, 0, 1)
	d.Seed(instance, []pace.Sent{{At: noon, Lead: key("other")}})
	d.forward(time.Minute)
	d.send("a", pace.Answer)
}

// The clock of the leader before may have been a little ahead: its messages keep their time,
// and with it their gap.
func TestClockAhead(t *testing.T) {
	d := open(t, pace.Sent{At: noon.Add(5 * time.Second), New: true, Lead: key("a")})
	if turn := d.later("b", pace.First, 0, 0); !turn.At.Equal(noon.Add(25 * time.Second)) {
		t.Errorf("asks again at %s", turn.At)
	}
}

// Workers whose clocks were read in one order and that come in another keep the limits.
func TestTimesOutOfOrder(t *testing.T) {
	d := open(t)
	d.of.Limits.PerMinute = 2
	for i, at := range []int{5, 0, 3} {
		d.ask(fmt.Sprint(i), pace.Answer, 0)
		taken := d.Acquire(instance, d.of, key(fmt.Sprint(i)), pace.Answer,
			noon.Add(time.Duration(at)*time.Millisecond))
		if taken != (i < 2) {
			t.Errorf("message %d: %t", i, taken)
		}
	}
	if turn := d.later("2", pace.Answer, 0, 0); !turn.At.Equal(noon.Add(time.Minute)) {
		t.Errorf("asks again at %s", turn.At)
	}
}

// At most the limit is taken, however many try at once.
func TestManyAtOnce(t *testing.T) {
	d := open(t)
	const workers = 40
	var group sync.WaitGroup
	taken := make(chan int, workers*10)
	for worker := range workers {
		group.Go(func() {
			lead := fmt.Sprint(worker)
			for range 10 {
				d.ask(lead, pace.Class(worker%3), 0)
				if d.take(lead, pace.Class(worker%3)) {
					taken <- worker
				}
				d.Peek(instance, d.of, key(lead), pace.First, noon)
				d.Seed(instance, nil)
				d.stats()
			}
			d.Forget(key(lead))
		})
	}
	group.Wait()
	if got := len(taken); got == 0 || got > 10 {
		t.Errorf("%d were taken", got)
	}
	if got := d.stats(); int(got.SentLastHour) != len(taken) || got.Waiting != 0 {
		t.Errorf("stats %+v, %d were taken", got, len(taken))
	}
}

// Part of the time has passed already, and more than all of it never does.
func TestOpenWithin(t *testing.T) {
	for rest, want := range map[time.Duration]time.Duration{time.Second: time.Second, time.Hour: 30 * time.Second} {
		d := open(t)
		d.OpenWithin(instance, rest)
		if turn := d.later("first", pace.First, 0, 0); !turn.At.Equal(noon.Add(want)) {
			t.Errorf("with %s left it asks again at %s, want %s", rest, turn.At, noon.Add(want))
		}
	}
}
