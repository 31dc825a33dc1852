package shapes

import (
	"testing"
	"time"
)

func TestShapes(t *testing.T) {
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	at := stamp{now}
	if ok, _ := conditions(true, false, false, nil); ok {
		t.Error("conditions")
	}
	if total, of := numbers([]int{1, 2, 3, 4, 5}, 9, 1); total != 30-4 || of != 6 {
		t.Errorf("numbers are %d and %d", total, of)
	}
	if wait, soon := times(at, &at, now, 1); wait != 30*time.Minute || !soon {
		t.Errorf("times are %s and %t", wait, soon)
	}
	if got := switches(open, nil, 0, 'b'); got != 1 {
		t.Errorf("switches to %d", got)
	}
	if !closures([]string{"a"})() {
		t.Error("closures")
	}
}
