package outbound

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// minWait is the shortest time that an endpoint is left alone which asks for it.
const minWait = time.Second

// RetryAfter reads how long an endpoint asks to be left alone: the header Retry-After, seconds or an HTTP date
// (RFC 9110, 10.2.3), bounded to [1s, most]. It returns false when the header is missing or cannot be understood.
func RetryAfter(header http.Header, now time.Time, most time.Duration) (time.Duration, bool) {
	value := strings.TrimSpace(header.Get("Retry-After"))
	if seconds, ok := number(value); ok {
		return bounded(seconds, most), true
	}
	if at, err := http.ParseTime(value); err == nil {
		return bounded(at.Sub(now).Seconds(), most), true
	}
	return 0, false
}

// RetryAfterMilliseconds is RetryAfter for the header Retry-After-Ms of OpenAI's and Azure's endpoints.
func RetryAfterMilliseconds(header http.Header, most time.Duration) (time.Duration, bool) {
	milliseconds, ok := number(strings.TrimSpace(header.Get("Retry-After-Ms")))
	return bounded(milliseconds/1000, most), ok
}

// BoundWait bounds a wait that an endpoint asks for to [1s, most].
func BoundWait(wait, most time.Duration) time.Duration { return min(max(wait, minWait), most) }

// number reads a number that is not negative. One too large for a float is +Inf.
func number(text string) (float64, bool) {
	value, err := strconv.ParseFloat(text, 64)
	return value, value >= 0 && (err == nil || math.IsInf(value, 1))
}

// bounded is BoundWait of seconds, which may be more than a Duration takes.
func bounded(seconds float64, most time.Duration) time.Duration {
	return BoundWait(time.Duration(min(seconds, most.Seconds())*float64(time.Second)), most)
}
