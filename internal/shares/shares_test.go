package shares

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

func holder(namespace, name int) Holder {
	return Holder{Namespace: fmt.Sprint(namespace), Name: fmt.Sprint(name)}
}

// fill takes places for a holder until there are none for it.
func fill(s *Shares, of Holder) int {
	taken := 0
	for s.Open(of) {
		s.Take(of)
		taken++
	}
	return taken
}

func TestShares(t *testing.T) {
	for _, c := range []struct {
		places int
		// of is the namespace and name of each holder that takes what it can, one after the other.
		of   [][2]int
		want []int
	}{
		{0, [][2]int{{1, 1}, {2, 1}}, []int{1, 0}},
		{1, [][2]int{{1, 1}, {2, 1}}, []int{1, 0}},
		{2, [][2]int{{1, 1}, {1, 2}, {2, 1}}, []int{1, 0, 1}},
		{8, [][2]int{{1, 1}, {1, 2}, {1, 3}, {2, 1}}, []int{2, 1, 1, 2}},
		{64, [][2]int{{1, 1}, {1, 2}, {1, 3}, {1, 4}, {1, 5}, {1, 6}, {1, 7}, {2, 1}}, []int{16, 8, 4, 2, 1, 1, 0, 16}},
	} {
		s := New(c.places)
		for i, of := range c.of {
			if got := fill(s, holder(of[0], of[1])); got != c.want[i] {
				t.Errorf("of %d places holder %v gets %d, want %d", c.places, of, got, c.want[i])
			}
		}
	}
}

// TestSharesHold runs random histories: no namespace and no holder has more than its share, and the
// counts are right.
func TestSharesHold(t *testing.T) {
	for history := range 200 {
		random := rand.New(rand.NewPCG(uint64(history), 7))
		places := 1 + random.IntN(130)
		s, held := New(places), map[Holder]int{}
		for range 500 {
			of := holder(random.IntN(4), random.IntN(20))
			if random.IntN(3) > 0 {
				if s.Open(of) {
					s.Take(of)
					held[of]++
				}
			} else {
				s.Give(of)
				held[of] = max(held[of]-1, 0)
			}
			total, byNamespace := 0, map[string]int{}
			for each, count := range held {
				total += count
				byNamespace[each.Namespace] += count
				if s.Held(each) != count || count > half(half(places)) {
					t.Fatalf("history %d: %v holds %d of %d places, and %d are known", history, each, count, places,
						s.Held(each))
				}
			}
			for namespace, count := range byNamespace {
				if count > half(places) {
					t.Fatalf("history %d: namespace %s holds %d of %d places", history, namespace, count, places)
				}
			}
			if s.Busy() != total || total > places {
				t.Fatalf("history %d: %d of %d places are held, want %d", history, s.Busy(), places, total)
			}
		}
	}
}
