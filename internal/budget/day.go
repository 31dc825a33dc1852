package budget

import (
	"sort"
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
)

// longestDay is longer than a day can be, the hours that clocks are set back and a date that
// a country leaves out included.
const longestDay = 50 * time.Hour

// Day is the date in a time zone, as 2006-01-02; nil is UTC.
func Day(now time.Time, zone *time.Location) string {
	if zone == nil {
		zone = time.UTC
	}
	return now.In(zone).Format(time.DateOnly)
}

// NextDay is when the next day begins in a time zone, which is not midnight where clocks are
// set forward at midnight; nil is UTC.
func NextDay(now time.Time, zone *time.Location) time.Time {
	today, from := Day(now, zone), now.Truncate(time.Second)
	seconds := sort.Search(int(longestDay/time.Second), func(after int) bool {
		return Day(from.Add(time.Duration(after)*time.Second), zone) > today
	})
	return from.Add(time.Duration(seconds) * time.Second)
}

// UsedOf is how many tokens the messages that were claimed on a day cost, as far as a store's leads record it. A new
// leader learns by it what its predecessor used; texts that were never claimed are missing.
func UsedOf(leads []v1alpha1.CartRecovery, store, day string, zone *time.Location) int64 {
	used := int64(0)
	for i := range leads {
		if leads[i].Spec.StoreRef.Name != store {
			continue
		}
		for j := range leads[i].Status.Conversation {
			m := &leads[i].Status.Conversation[j]
			if m.Tokens > 0 && Day(m.At.Time, zone) == day {
				used = Sum(used, m.Tokens)
			}
		}
	}
	return used
}
