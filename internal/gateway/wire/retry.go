package wire

import (
	"bytes"
	"net/http"
	"strings"
	"time"

	"cartrecovery.dev/operator/internal/failure"
	"cartrecovery.dev/operator/internal/outbound"
)

const (
	// maxRetry bounds the Retry-After that is believed.
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
		if wait, ok := outbound.RetryAfter(header, now, maxRetry); ok {
			failed.RetryAt = now.Add(wait)
		}
	case status == http.StatusServiceUnavailable && !(r.Once && brokenBehindProxy(body)):
		failed.Class, failed.Code = failure.Transient, failure.Unavailable
		if wait, ok := outbound.RetryAfter(header, now, maxRetry); ok {
			failed.Class, failed.RetryAt = failure.Throttled, now.Add(wait)
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
