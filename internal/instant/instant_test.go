package instant_test

import (
	"testing"
	"time"

	"cartrecovery.dev/operator/internal/instant"
)

func TestInstant(t *testing.T) {
	var zero time.Time
	early := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	late := early.Add(time.Hour)
	for _, test := range []struct {
		name                       string
		a, b                       time.Time
		earlier, earlierSet, later time.Time
	}{
		{"two times", early, late, early, early, late},
		{"the zero time and another", zero, early, zero, early, early},
		{"the zero time twice", zero, zero, zero, zero, zero},
		{"one time twice", late, late, late, late, late},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, pair := range [][2]time.Time{{test.a, test.b}, {test.b, test.a}} {
				if got := instant.Earlier(pair[0], pair[1]); !got.Equal(test.earlier) {
					t.Errorf("Earlier%v = %v, want %v", pair, got, test.earlier)
				}
				if got := instant.EarlierSet(pair[0], pair[1]); !got.Equal(test.earlierSet) {
					t.Errorf("EarlierSet%v = %v, want %v", pair, got, test.earlierSet)
				}
				if got := instant.Later(pair[0], pair[1]); !got.Equal(test.later) {
					t.Errorf("Later%v = %v, want %v", pair, got, test.later)
				}
			}
		})
	}
}
