package policy

import (
	"hash/fnv"
	"slices"
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/instant"
)

const (
	// DefaultQuietSpread is the default of QuietHours.spread, as documented on the field.
	DefaultQuietSpread = 30 * time.Minute
	// maxQuietSpread is the most that the schema allows.
	maxQuietSpread = 12 * time.Hour
	// maxAnswerSpread is over how long answers are spread at most: somebody waits for them.
	maxAnswerSpread = 2 * time.Minute
	// maxMerged is over how many days windows are followed that join each other. Windows are
	// shorter than a day, so that only a change of the clock joins any.
	maxMerged = 8
	// largestChange is further than any zone has ever put its clock: Apia skipped a day.
	largestChange = 48 * time.Hour
)

// silence is quiet hours that were read.
type silence struct {
	// start and end from midnight, as the wall clock counts; the end is the next day's where
	// it is before the start.
	start, end time.Duration
	// days on which it starts, by time.Weekday.
	days [7]bool
	zone *time.Location
}

// window is one silence: from start to just before end.
type window struct{ start, end time.Time }

// Quiet says whether a time lies in the quiet hours, and when they end.
//
// A window is from the first time the wall clock reads its start to the last time it reads
// its end: where clocks are put back it lasts through the repeated hour. A start or an end
// that the clock skips is when it skips. Windows that touch are one.
func (p *Policy) Quiet(at time.Time) (until time.Time, quiet bool) {
	hours, ok := p.silence()
	if !ok {
		return time.Time{}, false
	}
	until = at
	day := dayOf(at, hours.zone)
	for n := -2; n <= maxMerged; n++ {
		next, ok := hours.on(day.AddDate(0, 0, n))
		switch {
		case !ok:
		case next.start.After(until):
			n = maxMerged
		case next.end.After(until):
			until = next.end
		}
	}
	if !until.After(at) {
		return time.Time{}, false
	}
	return until, true
}

// Opening is when a message that is due at a time may go: then, or, where that is in the
// quiet hours, after their end. Those that are moved are spread by their keys over the
// policy's spread, at the most over half of the time until the next quiet hours, so that
// they do not all leave at once; answers to customers over two minutes. The same key,
// the message's, always yields the same time.
func (p *Policy) Opening(due time.Time, key string, answer bool) time.Time {
	until, quiet := p.Quiet(due)
	if !quiet {
		return due
	}
	spread := p.spreadFrom(until)
	if answer {
		spread = min(spread, maxAnswerSpread)
	}
	return until.Add(time.Duration(fraction(key) * float64(spread)).Truncate(time.Millisecond))
}

// Held is when a message may go that was due at a time and did not go until now: its Opening,
// or, where it was in the quiet hours in between, its place behind them. So nobody who was
// held back loses their place when the quiet hours are over.
func (p *Policy) Held(due, now time.Time, key string, answer bool) time.Time {
	moved := p.Opening(due, key, answer)
	if moved.After(now) {
		return moved
	}
	if _, quiet := p.Quiet(now); quiet {
		return p.Opening(now, key, answer)
	}
	if _, ok := p.silence(); !ok {
		return moved
	}
	// The last quiet hours still matter as long as their spread lasts.
	within := now.Add(-quietSpread(p.QuietHours))
	if until, quiet := p.Quiet(within); quiet && due.Before(until) && !until.After(now) {
		return p.Opening(instant.Later(due, within), key, answer)
	}
	return moved
}

// spreadFrom is over how long the messages are spread that were held until a time.
func (p *Policy) spreadFrom(until time.Time) time.Duration {
	spread := quietSpread(p.QuietHours)
	hours, _ := p.silence()
	day := dayOf(until, hours.zone)
	// Two days on there is more than twice the longest spread.
	for n := -1; n <= 2; n++ {
		if next, ok := hours.on(day.AddDate(0, 0, n)); ok && !next.start.Before(until) {
			return min(spread, next.start.Sub(until)/2)
		}
	}
	return spread
}

// quietSpread is the spread of quiet hours, or its default.
func quietSpread(hours *v1alpha1.QuietHours) time.Duration {
	if hours.Spread == nil {
		return DefaultQuietSpread
	}
	return max(0, min(hours.Spread.Duration, maxQuietSpread))
}

// fraction places a key in [0, 1). FNV alone leaves the upper bits of keys that differ in
// their last letters alike; the multiplication spreads them (MurmurHash3's finalizer).
func fraction(key string) float64 {
	sum := fnv.New64a()
	_, _ = sum.Write([]byte(key)) // never fails
	mixed := sum.Sum64()
	mixed = (mixed ^ mixed>>33) * 0xff51afd7ed558ccd
	mixed ^= mixed >> 33
	return float64(mixed>>11) / (1 << 53)
}

// silence reads the quiet hours; false when there are none. What the schema does not allow,
// such as an end that is the start, counts as none: it can neither silence a store for
// ever nor stop a leader.
func (p *Policy) silence() (silence, bool) {
	if p.QuietHours == nil {
		return silence{}, false
	}
	start, ok := clock(p.QuietHours.Start)
	end, also := clock(p.QuietHours.End)
	if !ok || !also || start == end {
		return silence{}, false
	}
	hours := silence{start: start, end: end, zone: p.Location}
	if hours.zone == nil {
		hours.zone = location(DefaultTimeZone)
	}
	for day := range hours.days {
		name := weekdays[day]
		hours.days[day] = len(p.QuietHours.Days) == 0 || slices.Contains(p.QuietHours.Days, name)
	}
	return hours, true
}

// weekdays are the names of days, by time.Weekday.
var weekdays = [7]v1alpha1.Weekday{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"}

// clock reads HH:MM, as the time since midnight.
func clock(text string) (time.Duration, bool) {
	read, err := time.Parse("15:04", text)
	return time.Duration(read.Hour())*time.Hour + time.Duration(read.Minute())*time.Minute, err == nil
}

// dayOf is the day that the calendar of a zone shows, as its midnight in UTC: a day of the
// calendar has no zone, and some have no midnight.
func dayOf(at time.Time, zone *time.Location) time.Time {
	year, month, day := at.In(zone).Date()
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

// on is the window that starts on a day; false when none does, or the clock skips it.
func (s *silence) on(day time.Time) (window, bool) {
	if !s.days[day.Weekday()] {
		return window{}, false
	}
	endDay := day
	if s.end < s.start {
		endDay = day.AddDate(0, 0, 1)
	}
	start, _ := readings(day.Add(s.start), s.zone)
	_, end := readings(endDay.Add(s.end), s.zone)
	return window{start, end}, start.Before(end)
}

// readings are the first and the last time that the wall clock of a zone reads what wall
// does in UTC: two when clocks are put back, else one; when the clock skips it, the time
// at which it does.
func readings(wall time.Time, zone *time.Location) (first, last time.Time) {
	guess := time.Date(wall.Year(), wall.Month(), wall.Day(), wall.Hour(), wall.Minute(), 0, 0, zone)
	begin, end := guess.ZoneBounds()
	if (begin.IsZero() || guess.Sub(begin) > largestChange) && (end.IsZero() || end.Sub(guess) > largestChange) {
		return guess.UTC(), guess.UTC()
	}
	for _, near := range []time.Time{begin.Add(-1), guess, end} {
		at := wall.Add(-offset(near, zone))
		if offset(at, zone) != offset(near, zone) {
			continue
		}
		first, last = instant.EarlierSet(first, at), instant.Later(last, at)
	}
	switch {
	case !first.IsZero():
		return first, last
	case guess.Add(offset(guess, zone)).After(wall):
		return begin.UTC(), begin.UTC()
	default:
		return end.UTC(), end.UTC()
	}
}

// offset is how far a zone is ahead of UTC at a time.
func offset(at time.Time, zone *time.Location) time.Duration {
	_, seconds := at.In(zone).Zone()
	return time.Duration(seconds) * time.Second
}
