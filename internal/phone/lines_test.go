package phone

import (
	"math/rand/v2"
	"strconv"
	"testing"
)

// TestBrazilianLinesAreTheLibrarys: what is remembered of the library is what it says of
// any number.
func TestBrazilianLinesAreTheLibrarys(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2)) // the same numbers every time
	for range 20_000 {
		national := strconv.Itoa(11+random.IntN(89)) + strconv.Itoa(1+random.IntN(9)) +
			strconv.Itoa(1_000_000+random.IntN(9_000_000))
		if random.IntN(2) == 0 {
			national += strconv.Itoa(random.IntN(10))
		}
		if got, want := isBrazilianLine(national), libraryKnowsLine(national); got != want {
			t.Fatalf("%s: got %t, the library says %t", national, got, want)
		}
	}
}
