package cartrecovery

import (
	"fmt"
	"testing"

	"k8s.io/apimachinery/pkg/types"

	"cartrecovery.dev/operator/internal/shares"
)

func number(namespace, name string) shares.Holder {
	return shares.Holder{Namespace: namespace, Name: name}
}

func leadIn(namespace string, n int) types.NamespacedName {
	return types.NamespacedName{Namespace: namespace, Name: fmt.Sprintf("lead-%d", n)}
}

// TestAHangingGatewayLeavesPlaces: of 250 leads of one number whose gateway hangs a quarter of half the
// workers waits, and another namespace's lead calls at once.
func TestAHangingGatewayLeavesPlaces(t *testing.T) {
	c := newCalls(DefaultConcurrency)
	hanging := 0
	for n := range 250 {
		if c.begin(leadIn("bad", n), number("bad", "one")) {
			hanging++
		}
	}
	if hanging != DefaultConcurrency/4 {
		t.Errorf("%d of %d workers wait for one number", hanging, DefaultConcurrency)
	}
	for n := range 1000 {
		if c.begin(leadIn("bad", 1000+n), number("bad", fmt.Sprint(n))) {
			hanging++
		}
	}
	if hanging != DefaultConcurrency/2 {
		t.Errorf("%d of %d workers wait for the numbers of one namespace", hanging, DefaultConcurrency)
	}
	for n := range DefaultConcurrency / 8 {
		if !c.begin(leadIn("good", n), number("good", "one")) {
			t.Fatalf("the lead %d of another namespace finds no place", n)
		}
	}
}

// TestAPlaceWakesWhoMayHaveIt: not the first in line, whose number has its share, but the first that may.
func TestAPlaceWakesWhoMayHaveIt(t *testing.T) {
	c := newCalls(4) // two a namespace, one a number
	for n, from := range []shares.Holder{number("a", "1"), number("a", "2"), number("b", "1")} {
		if !c.begin(leadIn(from.Namespace, n), from) {
			t.Fatalf("%v finds no place", from)
		}
	}
	for n, from := range []shares.Holder{number("a", "1"), number("b", "1"), number("b", "1")} {
		if c.begin(leadIn(from.Namespace, 10+n), from) {
			t.Fatalf("%v finds a place beyond its share", from)
		}
	}
	// Who comes back waits once.
	if c.begin(leadIn("b", 11), number("b", "1")) || len(c.waiting) != 3 {
		t.Fatalf("%d wait", len(c.waiting))
	}
	c.end(number("b", "1"))
	select {
	case woken := <-c.woken:
		if woken.Object.Namespace != "b" || woken.Object.Name != "lead-12" {
			t.Errorf("woke %s/%s", woken.Object.Namespace, woken.Object.Name)
		}
	default:
		t.Fatal("nobody is woken")
	}
	if !c.begin(leadIn("b", 12), number("b", "1")) || len(c.waiting) != 2 {
		t.Errorf("who was woken finds no place, or still waits: %d", len(c.waiting))
	}
}

func TestCallersAreBounded(t *testing.T) {
	c := newCalls(1)
	c.begin(leadIn("a", 0), number("a", "1"))
	for n := range 2 * maxCallers {
		c.begin(leadIn("a", 1+n), number("a", "1"))
	}
	if len(c.waiting) != maxCallers {
		t.Errorf("%d wait, want %d", len(c.waiting), maxCallers)
	}
	for range 2 * maxCallers {
		c.end(number("a", "1"))
		c.begin(leadIn("b", 0), number("a", "1"))
	}
	if len(c.woken) != maxCallers {
		t.Errorf("%d are woken", len(c.woken))
	}
}
