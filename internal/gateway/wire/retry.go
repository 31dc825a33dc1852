package wire

import (
	"bytes"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"cartrecovery.dev/operator/internal/failure"
)

const (
	// minRetry and maxRetry bound the Retry-After that is believed.
	minRetry = time.Second
	maxRetry = 24 * time.Hour
	// defaultRetry is how long a server that says 429 without a time is left alone.
	defaultRetry = 30 * time.Second
)

// Refused classes an answer that is not a 2xx by its status alone. body is looked at only
// for a proxy's word that the request may have arrived.
func (r Call) Refused(status int, header http.Header, body []byte, now time.Time) *failure.Error {
	failed := &failure.Error{Class: failure.Terminal, Code: failure.InvalidInput, Op: r.Op, Status: status}
	switch {
	case status < 400:
		failed.Code, failed.Detail = failure.InvalidAnswer, "the server answered with a redirect, which is not followed"
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		failed.Code = failure.Unauthorized
	case status == http.StatusNotFound:
		failed.Code = failure.NotFound
	case status == http.StatusTooManyRequests:
		failed.Class, failed.Code = failure.Throttled, failure.RateLimited
		failed.RetryAt = now.Add(defaultRetry)
		if at, ok := retryAfter(header, now); ok {
			failed.RetryAt = at
		}
	case status == http.StatusServiceUnavailable && !(r.Once && brokenBehindProxy(body)):
		failed.Class, failed.Code = failure.Transient, failure.Unavailable
		if at, ok := retryAfter(header, now); ok {
			failed.Class, failed.RetryAt = failure.Throttled, at
		}
	case status == http.StatusRequestTimeout, status == http.StatusGatewayTimeout:
		failed.Class, failed.Code = r.Lost(failure.Transient), failure.TimedOut
	case status >= 500:
		failed.Class, failed.Code = r.Lost(failure.Transient), failure.Unavailable
	}
	return failed
}

// NotConnected makes it the failure of an instance that no phone is paired with.
func NotConnected(failed *failure.Error) *failure.Error {
	failed.Class, failed.Code, failed.RetryAt = failure.Transient, failure.NotConnected, time.Time{}
	failed.Detail = "the instance is not connected to WhatsApp"
	return failed
}

// NotOnWhatsApp makes it the failure of a recipient without WhatsApp.
func NotOnWhatsApp(failed *failure.Error) *failure.Error {
	failed.Class, failed.Code, failed.RetryAt = failure.Terminal, failure.NotOnWhatsApp, time.Time{}
	failed.Detail = "the recipient has no WhatsApp account"
	return failed
}

// retryAfter reads the header of that name, seconds or an HTTP date (RFC 9110,
// 10.2.3), bounded to [now+minRetry, now+maxRetry].
func retryAfter(header http.Header, now time.Time) (time.Time, bool) {
	value := strings.TrimSpace(header.Get("Retry-After"))
	if value == "" {
		return time.Time{}, false
	}
	// Out of range is an error with the right sign: more than is believed.
	if seconds, err := strconv.ParseFloat(value, 64); seconds >= 0 && (err == nil || math.IsInf(seconds, 1)) {
		// Bounded before it is multiplied: a huge number would wrap around.
		seconds = min(max(seconds, minRetry.Seconds()), maxRetry.Seconds())
		return now.Add(time.Duration(seconds * float64(time.Second))), true
	}
	if at, err := http.ParseTime(value); err == nil {
		return Between(at, now.Add(minRetry), now.Add(maxRetry)), true
	}
	return time.Time{}, false
}

// Between bounds at to [earliest, latest].
func Between(at, earliest, latest time.Time) time.Time {
	if at.Before(earliest) {
		return earliest
	}
	if at.After(latest) {
		return latest
	}
	return at
}

// brokenBehindProxy recognises the 503 with which Envoy tells that the connection
// to the server broke after it was made, so that the request may have arrived.
func brokenBehindProxy(body []byte) bool {
	return bytes.Contains(body, []byte("reset before headers"))
}

// ContainsAny tells whether words holds one of the phrases.
func ContainsAny(words string, phrases ...string) bool {
	for _, phrase := range phrases {
		if strings.Contains(words, phrase) {
			return true
		}
	}
	return false
}
