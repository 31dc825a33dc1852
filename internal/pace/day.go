package pace

import "time"

// daysBetween counts the local midnights from one time to another.
func daysBetween(from, to time.Time, loc *time.Location) int {
	return int(dateOf(to, loc).Sub(dateOf(from, loc)) / (24 * time.Hour))
}

// dateOf is the local date of a time, as its midnight in UTC.
func dateOf(at time.Time, loc *time.Location) time.Time {
	year, month, day := at.In(zone(loc)).Date()
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

func zone(loc *time.Location) *time.Location {
	if loc == nil {
		return time.UTC
	}
	return loc
}

// startOfDay is the first instant of the local day of a time.
func startOfDay(at time.Time, loc *time.Location) time.Time {
	return begins(dateOf(at, loc), loc)
}

// nextDay is the first instant after the local day of a time.
func nextDay(at time.Time, loc *time.Location) time.Time {
	return begins(dateOf(at, loc).AddDate(0, 0, 1), loc)
}

// begins is the first instant whose local date is this one, or, where the calendar leaves it
// out, a later one. Clocks are set at midnight in some zones: there may be no 0:00, and there
// may be two.
func begins(date time.Time, loc *time.Location) time.Time {
	const step = 30 * time.Minute
	at := time.Date(date.Year(), date.Month(), date.Day(), 0, 0, 0, 0, zone(loc))
	if dateOf(at, loc).Before(date) {
		_, at = at.ZoneBounds()
	}
	for !dateOf(at.Add(-step), loc).Before(date) {
		at = at.Add(-step)
	}
	return at
}
