// Package backoff says how long to wait before something is tried again. It is pure: randomness comes in.
package backoff

import "time"

// Random returns numbers in [0, 1), as math/rand's Float64 does.
type Random func() float64

// Doubled is the wait after so many failures in a row, from 1: the first wait, doubled for each further one, and never
// more than most. A count below 1 is taken for 1.
func Doubled(first, most time.Duration, failures int) time.Duration {
	if first <= 0 {
		return 0
	}
	wait := first
	for ; failures > 1 && wait < most; failures-- {
		if wait > most/2 {
			return most
		}
		wait *= 2
	}
	return min(wait, most)
}

// Spread is the share of itself by which a wait is spread either way by default.
const Spread = 0.2

// Around spreads a wait by a share of it either way, so that not all who wait come back at once.
func Around(wait time.Duration, share float64, random Random) time.Duration {
	return wait + time.Duration((2*random()-1)*share*float64(wait))
}

// Beyond spreads a wait by a share of it to later times only.
func Beyond(wait time.Duration, share float64, random Random) time.Duration {
	return wait + time.Duration(random()*share*float64(wait))
}
