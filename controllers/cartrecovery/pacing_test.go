package cartrecovery

import (
	"testing"
	"time"

	"cartrecovery.dev/operator/internal/pace"
)

// The last leader sends for a moment after it gave up the lead: the next one begins later than
// that, however fast it started.
func TestSettleFor(t *testing.T) {
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	for name, row := range map[string]struct {
		led  time.Time
		want time.Duration
	}{
		"it leads since now":               {now, pace.Settle},
		"it took a second to start":        {now.Add(-time.Second), pace.Settle - time.Second},
		"it took nearly all of it":         {now.Add(-pace.Settle + time.Millisecond), leastSettling},
		"the number is new":                {now.Add(-time.Hour), pace.Settle},
		"there is no election":             {time.Time{}, pace.Settle},
		"the clock was set back meanwhile": {now.Add(time.Minute), pace.Settle},
	} {
		if got := settleFor(row.led, now); got != row.want {
			t.Errorf("%s: got %s, want %s", name, got, row.want)
		}
	}
}
