package budget

import (
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
)

var (
	ours   = types.NamespacedName{Namespace: "shop", Name: "ours"}
	theirs = types.NamespacedName{Namespace: "shop", Name: "theirs"}
)

const today = "2026-11-24"

func TestReserve(t *testing.T) {
	for _, c := range []struct {
		name           string
		used, reserved int64
		limit          *int64
		estimate       int64
		want           bool
	}{
		{name: "the first call of a day", limit: ptr.To[int64](1000), estimate: 300, want: true},
		{name: "exactly what is left", used: 500, reserved: 200, limit: ptr.To[int64](1000), estimate: 300, want: true},
		{name: "one more than is left", used: 500, reserved: 201, limit: ptr.To[int64](1000), estimate: 300},
		{name: "what other calls may use", reserved: 1000, limit: ptr.To[int64](1000), estimate: 1},
		{name: "what was used before a restart", used: 1000, limit: ptr.To[int64](1000), estimate: 1},
		{name: "more than the whole limit", limit: ptr.To[int64](1), estimate: 2},
		{name: "no limit", used: math.MaxInt64 - 1, reserved: 10, estimate: math.MaxInt64, want: true},
		{name: "an estimate that is no number of tokens", used: 1000, limit: ptr.To[int64](1000), estimate: -5,
			want: true},
		{name: "an estimate beyond all numbers", used: 1, limit: ptr.To[int64](math.MaxInt64 - 1),
			estimate: math.MaxInt64},
		{name: "a limit that was lowered", used: 500, limit: ptr.To[int64](100), estimate: 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := NewLedger()
			l.Seed(ours, today, c.used)
			if _, ok := l.Reserve(ours, today, nil, c.reserved); !ok {
				t.Fatal("refused without a limit")
			}
			release, ok := l.Reserve(ours, today, c.limit, c.estimate)
			if ok != c.want {
				t.Errorf("reserved: %v, want %v", ok, c.want)
			}
			release(0)
			if got := l.Used(ours, today); got != c.used {
				t.Errorf("a call that used nothing changed what is used to %d", got)
			}
		})
	}
}

func TestRelease(t *testing.T) {
	l := NewLedger()
	limit := ptr.To[int64](1000)
	first, _ := l.Reserve(ours, today, limit, 600)
	if _, ok := l.Reserve(ours, today, limit, 600); ok {
		t.Fatal("two calls of 600 within 1000")
	}
	first(100)
	first(900)
	first(-900)
	if got := l.Used(ours, today); got != 100 {
		t.Errorf("used %d, want what the first release told", got)
	}
	second, ok := l.Reserve(ours, today, limit, 900)
	if !ok {
		t.Fatal("what was reserved and not used is not free again")
	}
	second(950)
	if got := l.Used(ours, today); got != 1050 {
		t.Errorf("used %d: what a call used beyond its estimate counts", got)
	}
	third, _ := l.Reserve(theirs, today, limit, 1000)
	third(-1)
	if got := l.Used(theirs, today); got != 0 {
		t.Errorf("another store used %d", got)
	}
}

func TestSeed(t *testing.T) {
	l := NewLedger()
	if l.Seeded(ours, today) {
		t.Error("seeded before")
	}
	release, _ := l.Reserve(ours, today, nil, 10)
	if l.Seeded(ours, today) {
		t.Error("seeded by a call")
	}
	release(70)
	for _, told := range []int64{50, 90, 90, 60, -1} {
		l.Seed(ours, today, told)
	}
	if got := l.Used(ours, today); got != 90 {
		t.Errorf("used %d, want the most that was told", got)
	}
	if !l.Seeded(ours, today) || l.Seeded(theirs, today) || l.Seeded(ours, "2026-11-25") {
		t.Error("seeded is not what was told")
	}
	l.Seed(theirs, today, -1)
	if got := l.Used(theirs, today); got != 0 {
		t.Errorf("used %d", got)
	}
}

func TestExhausted(t *testing.T) {
	for _, c := range []struct {
		used  int64
		limit *int64
		want  bool
	}{
		{0, nil, false},
		{math.MaxInt64, nil, false},
		{0, ptr.To[int64](1000), false},
		{1000 - leastRequest - 1, ptr.To[int64](1000), false},
		{1000 - leastRequest, ptr.To[int64](1000), true},
		{2000, ptr.To[int64](1000), true},
		{math.MaxInt64, ptr.To[int64](math.MaxInt64), true},
		{0, ptr.To[int64](1), true},
	} {
		l := NewLedger()
		l.Seed(ours, today, c.used)
		if got := l.Exhausted(ours, today, c.limit); got != c.want {
			t.Errorf("used %d of %v: exhausted %v", c.used, ptr.Deref(c.limit, -1), got)
		}
	}
}

func TestDaysAreApart(t *testing.T) {
	l := NewLedger()
	limit := ptr.To[int64](100)
	late, _ := l.Reserve(ours, today, limit, 100)
	if _, ok := l.Reserve(ours, "2026-11-25", limit, 100); !ok {
		t.Error("a new day does not start at zero")
	}
	late(80)
	if yesterday, now := l.Used(ours, today), l.Used(ours, "2026-11-25"); yesterday != 80 || now != 0 {
		t.Errorf("a call over midnight: %d and %d", yesterday, now)
	}
}

func TestOldDaysAreDropped(t *testing.T) {
	l := NewLedger()
	days := []string{"2026-11-20", "2026-11-21", "2026-11-22", "2026-11-23", "2026-11-24", "2026-11-25", "2026-11-26"}
	late, _ := l.Reserve(ours, days[0], nil, 5)
	for _, day := range days {
		l.Seed(ours, day, 7)
		l.Seed(theirs, day, 8)
	}
	late(5)
	if len(l.days) != keptDays {
		t.Errorf("%d days are kept", len(l.days))
	}
	if l.Seeded(ours, days[0]) || l.Used(ours, days[1]) != 0 || l.Used(ours, days[2]) != 7 ||
		l.Used(theirs, days[6]) != 8 {
		t.Error("not the oldest days were dropped")
	}
	l.Seed(ours, "2020-01-01", 3)
	if l.Used(ours, "2020-01-01") != 3 || len(l.days) != keptDays {
		t.Error("a clock that was set back has no day")
	}
	for range 3 {
		_ = l.Used(ours, "1999-01-01")
		_, _ = l.Reserve(ours, "1999-01-01", ptr.To[int64](0), 1)
	}
	if len(l.days) != keptDays || l.Used(ours, days[6]) != 7 {
		t.Error("asking alone drops a day")
	}
}

// TestManyAtOnce: however many calls are made at once, what is used and what may still be
// used is never more than the limit.
func TestManyAtOnce(t *testing.T) {
	const writers, calls, estimate = 64, 200, 50
	limit := int64(100_000)
	l := NewLedger()
	var settled atomic.Int64
	var group sync.WaitGroup
	for writer := range writers {
		random := rand.New(rand.NewPCG(uint64(writer), 7))
		group.Go(func() {
			for range calls {
				release, ok := l.Reserve(ours, today, &limit, estimate)
				if !ok {
					continue
				}
				l.mu.Lock()
				now := l.read(ours, today)
				l.mu.Unlock()
				if now.used+now.reserved > limit {
					t.Errorf("%+v within %d", now, limit)
				}
				actual := random.Int64N(estimate + 1)
				release(actual)
				release(actual)
				settled.Add(actual)
			}
		})
	}
	group.Wait()
	if got := l.Used(ours, today); got != settled.Load() || got > limit {
		t.Errorf("used %d of %d, settled %d", got, limit, settled.Load())
	}
	if left := l.read(ours, today).reserved; left != 0 {
		t.Errorf("%d tokens are still reserved", left)
	}
}

// TestLedgerHolds runs random histories of a store's day against a plain account of it.
func TestLedgerHolds(t *testing.T) {
	type call struct {
		release  func(int64)
		estimate int64
	}
	for history := range 2000 {
		random := rand.New(rand.NewPCG(uint64(history), 11))
		l, limit := NewLedger(), 1+random.Int64N(3000)
		var open []call
		var used, reserved, beyond int64 // beyond what was estimated, or not known
		for step := range 100 {
			switch random.IntN(4) {
			case 0, 1:
				estimate := random.Int64N(400) - 20
				release, ok := l.Reserve(ours, today, &limit, estimate)
				estimate = max(estimate, 0)
				if want := used+reserved+estimate <= limit; ok != want {
					t.Fatalf("history %d, step %d: reserved %v, want %v", history, step, ok, want)
				}
				if ok {
					open, reserved = append(open, call{release, estimate}), reserved+estimate
				}
			case 2:
				if len(open) == 0 {
					continue
				}
				ended := open[0]
				open = open[1:]
				actual := random.Int64N(500) - 50
				ended.release(actual)
				ended.release(random.Int64N(500))
				actual = max(actual, 0)
				used, reserved, beyond = used+actual, reserved-ended.estimate, beyond+max(0, actual-ended.estimate)
			case 3:
				if random.IntN(10) == 0 {
					told := random.Int64N(limit) - 10
					used, beyond = max(used, told), beyond+max(0, told-used)
					l.Seed(ours, today, told)
				}
			}
			got := l.read(ours, today)
			if got.used != used || got.reserved != reserved || got.used < 0 || got.reserved < 0 {
				t.Fatalf("history %d, step %d: %+v, want %d used and %d reserved", history, step, got, used, reserved)
			}
			if got.used+got.reserved > limit+beyond {
				t.Fatalf("history %d, step %d: %d of %d, of which at most %d could not be known", history, step,
					got.used+got.reserved, limit, beyond)
			}
		}
	}
}
