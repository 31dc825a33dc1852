// Package instant compares two times. It says for each function what the zero time means to it.
package instant

import "time"

// Earlier returns the earlier of two times. The zero time is the earliest of all.
func Earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// EarlierSet returns the earlier of two times, of which the zero time is not set: then it returns the other.
func EarlierSet(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// Later returns the later of two times. The zero time is the earliest of all, and so counts as not set, too.
func Later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
