// Package budget keeps what a store's texts cost, in AI tokens, within what it may use in a
// day.
package budget

import (
	"math"
	"sync"

	"k8s.io/apimachinery/pkg/types"
)

const (
	// keptDays is how many days are remembered. Between the westernmost and the easternmost
	// time zone it can be three of them at once.
	keptDays = 5
	// leastRequest is about what the smallest request costs, in tokens: a store with less
	// left than that has nothing left.
	leastRequest = 64
)

// Ledger holds the tokens of every store, by its local day: those that are used, and those
// that calls under way may use. It lives in the leader's memory; after a start, Seed tells it
// what was used before. It is safe for concurrent use.
type Ledger struct {
	mu   sync.Mutex
	days map[string]map[types.NamespacedName]*account
}

// account is one store's day.
type account struct {
	used, reserved int64
	seeded         bool
}

// NewLedger returns an empty Ledger.
func NewLedger() *Ledger { return &Ledger{days: map[string]map[types.NamespacedName]*account{}} }

// Seed tells how many tokens a store is known to have used on a day; what is known already
// is never lowered. It may be told any number of times, and should be before the first
// Reserve of a day: what is reserved in between may be among what it tells, or not.
func (l *Ledger) Seed(store types.NamespacedName, day string, used int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	found := l.open(store, day)
	found.used, found.seeded = max(found.used, used), true
}

// Seeded says whether Seed was called for a store and day.
func (l *Ledger) Seeded(store types.NamespacedName, day string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	found := l.days[day][store]
	return found != nil && found.seeded
}

// Reserve sets tokens aside for a call that is estimated to use so many, and is false when
// they, what is used and what other calls have set aside would be more than the limit; nil is
// no limit. However many calls are made at once, the limit is only exceeded by what they use
// beyond their estimates.
//
// release ends the reservation with what the call did use; only its first call counts. It
// must be called, and is never nil.
func (l *Ledger) Reserve(store types.NamespacedName, day string, limit *int64,
	estimate int64) (release func(used int64), ok bool) {
	estimate = max(estimate, 0)
	l.mu.Lock()
	defer l.mu.Unlock()
	if limit != nil && Sum(estimate, l.read(store, day).used, l.read(store, day).reserved) > *limit {
		return func(int64) {}, false
	}
	found := l.open(store, day)
	found.reserved = Sum(found.reserved, estimate)
	settled := false
	return func(used int64) {
		l.mu.Lock()
		defer l.mu.Unlock()
		if settled {
			return
		}
		settled = true
		found.reserved = max(found.reserved-estimate, 0)
		found.used = Sum(found.used, max(used, 0))
	}, true
}

// Used is how many tokens a store used on a day, without those of calls under way.
func (l *Ledger) Used(store types.NamespacedName, day string) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.read(store, day).used
}

// Exhausted says whether a store has used so much on a day that not even a small request is
// within the limit; nil is no limit.
func (l *Ledger) Exhausted(store types.NamespacedName, day string, limit *int64) bool {
	return limit != nil && Sum(l.Used(store, day), leastRequest) >= *limit
}

// read returns a copy of an account, the empty one when there is none.
func (l *Ledger) read(store types.NamespacedName, day string) account {
	if found := l.days[day][store]; found != nil {
		return *found
	}
	return account{}
}

// open returns an account, and makes it when there is none. The oldest day makes room for a
// new one.
func (l *Ledger) open(store types.NamespacedName, day string) *account {
	stores := l.days[day]
	if stores == nil {
		stores = map[types.NamespacedName]*account{}
		l.days[day] = stores
		l.dropOldest(day)
	}
	if stores[store] == nil {
		stores[store] = &account{}
	}
	return stores[store]
}

func (l *Ledger) dropOldest(except string) {
	if len(l.days) <= keptDays {
		return
	}
	oldest := ""
	for day := range l.days {
		if day != except && (oldest == "" || day < oldest) {
			oldest = day
		}
	}
	delete(l.days, oldest)
}

// Sum adds up, and stays at the largest number rather than wrap around. What is negative counts as
// nothing.
func Sum(numbers ...int64) int64 {
	total := int64(0)
	for _, n := range numbers {
		n = max(n, 0)
		if n > math.MaxInt64-total {
			return math.MaxInt64
		}
		total += n
	}
	return total
}
