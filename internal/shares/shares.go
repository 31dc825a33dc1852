// Package shares divides a number of places among tenants, so that whoever holds one for long holds
// up nobody else. It knows of no lock, no clock and no work.
package shares

import "k8s.io/apimachinery/pkg/types"

// Holder is who holds places: a Store or a number, in its namespace.
type Holder = types.NamespacedName

// Shares are the places, and who holds them.
type Shares struct {
	places, busy int
	namespaces   map[string]int
	holders      map[Holder]int
}

// New divides so many places; at least one.
func New(places int) *Shares {
	return &Shares{places: max(places, 1), namespaces: map[string]int{}, holders: map[Holder]int{}}
}

// Open says whether a holder may take one more place. A namespace holds at most half of the places, and
// never more than are free: while those of several namespaces are held for long, the next still finds
// some. Within its namespace's half the same goes for a holder.
func (s *Shares) Open(of Holder) bool {
	return s.OpenTo(of.Namespace) && fits(s.holders[of], s.namespaces[of.Namespace], half(s.places))
}

// OpenTo says whether a namespace may take one more place, whoever of it does.
func (s *Shares) OpenTo(namespace string) bool {
	return fits(s.namespaces[namespace], s.busy, s.places)
}

// fits says whether who holds so many may take one more of so many places, of which busy are held.
func fits(held, busy, places int) bool { return held < half(places) && held < places-busy }

func half(places int) int { return max(places/2, 1) }

// Take takes a place. Every one that is taken is given back.
func (s *Shares) Take(of Holder) {
	s.busy++
	s.namespaces[of.Namespace]++
	s.holders[of]++
}

// Give gives a place back.
func (s *Shares) Give(of Holder) {
	if s.holders[of] == 0 {
		return
	}
	s.busy--
	lower(s.namespaces, of.Namespace)
	lower(s.holders, of)
}

// Held is how many places a holder has.
func (s *Shares) Held(of Holder) int { return s.holders[of] }

// Busy is how many places are held.
func (s *Shares) Busy() int { return s.busy }

// lower takes one off a count, and drops what comes to nothing.
func lower[K comparable](counts map[K]int, of K) {
	if counts[of]--; counts[of] <= 0 {
		delete(counts, of)
	}
}
