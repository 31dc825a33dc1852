package uazapi

import (
	"bytes"
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
	// defaultRestriction is how long a restriction lasts that names no end, and
	// maxRestriction the longest that is believed.
	defaultRestriction = time.Hour
	maxRestriction     = 30 * 24 * time.Hour
	// restrictedCode and restrictedKey are WhatsApp's "no new conversations"
	// (UAZAPI v2 OpenAPI, /instance/wa_messages_limits).
	restrictedCode = "463"
	restrictedKey  = "WHATSAPP_REACHOUT_TIMELOCK"
)

// refused classes an answer that is not a 2xx, by its status and, where the status
// does not tell enough, by its body.
func (c *client) refused(r call, status int, header http.Header, body []byte) *failure.Error {
	failed := &failure.Error{Class: failure.Terminal, Code: failure.InvalidInput, Op: r.op, Status: status}
	now, said := c.now(), parseRefusal(body)
	switch {
	case status < 400:
		failed.Code, failed.Detail = failure.InvalidAnswer, "the server answered with a redirect, which is not followed"
	case said.restricted():
		failed.Class, failed.Code = failure.Throttled, failure.Restricted
		failed.RetryAt = restrictedUntil(said.Details.Timelock.Until, now)
		failed.Detail = "WhatsApp lets this number start no new conversations"
	case r.send && said.notOnWhatsApp():
		failed.Code, failed.Detail = failure.NotOnWhatsApp, "the recipient has no WhatsApp account"
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
	case said.notConnected():
		failed.Class, failed.Code = failure.Transient, failure.NotConnected
		failed.Detail = "the instance is not connected to WhatsApp"
	case status == http.StatusServiceUnavailable && !(r.once && brokenBehindProxy(body)):
		failed.Class, failed.Code = failure.Transient, failure.Unavailable
		if at, ok := retryAfter(header, now); ok {
			failed.Class, failed.RetryAt = failure.Throttled, at
		}
	case status == http.StatusRequestTimeout, status == http.StatusGatewayTimeout:
		failed.Class, failed.Code = r.lost(failure.Transient), failure.TimedOut
	case status >= 500:
		failed.Class, failed.Code = r.lost(failure.Transient), failure.Unavailable
	}
	return failed
}

// retryAfter reads the header of that name, seconds or an HTTP date (RFC 9110,
// 10.2.3), bounded to [now+minRetry, now+maxRetry].
func retryAfter(header http.Header, now time.Time) (time.Time, bool) {
	value := strings.TrimSpace(header.Get("Retry-After"))
	if value == "" {
		return time.Time{}, false
	}
	if seconds, err := strconv.ParseUint(value, 10, 32); err == nil {
		return between(now.Add(time.Duration(seconds)*time.Second), now.Add(minRetry), now.Add(maxRetry)), true
	}
	if at, err := http.ParseTime(value); err == nil {
		return between(at, now.Add(minRetry), now.Add(maxRetry)), true
	}
	return time.Time{}, false
}

// restrictedUntil is when a restriction ends; one that names no end, or one that
// has passed, is taken to last defaultRestriction.
func restrictedUntil(until moment, now time.Time) time.Time {
	if !until.After(now) {
		return now.Add(defaultRestriction)
	}
	return between(until.Time, now, now.Add(maxRestriction))
}

// between bounds at to [earliest, latest].
func between(at, earliest, latest time.Time) time.Time {
	if at.Before(earliest) {
		return earliest
	}
	if at.After(latest) {
		return latest
	}
	return at
}

// refusal is the body of an error. Error is a text in most versions and true in
// some, where Message has the text (observed).
type refusal struct {
	Error        text `json:"error"`
	Message      text `json:"message"`
	ProviderCode text `json:"provider_code"`
	ErrorKey     text `json:"error_key"`
	Details      struct {
		Timelock struct {
			Until moment `json:"until"`
		} `json:"reachout_timelock"`
	} `json:"details"`
}

// parseRefusal reads the body of an error; what cannot be read is left empty.
func parseRefusal(body []byte) refusal {
	var said refusal
	_ = decode(body, &said)
	return said
}

// restricted tells whether WhatsApp restricts the number.
func (s refusal) restricted() bool {
	return s.ProviderCode == restrictedCode || s.ErrorKey == restrictedKey
}

// words is what the server says, in lower case. It can hold a phone number.
func (s refusal) words() string {
	return strings.ToLower(string(s.Error) + "\n" + string(s.Message))
}

// notOnWhatsApp tells whether the server refuses the recipient. It does so with 400
// or, observed, with 500 and "the number … is not on WhatsApp".
func (s refusal) notOnWhatsApp() bool {
	return containsAny(s.words(), "not on whatsapp", "not registered on whatsapp", "não está no whatsapp", "nao esta no whatsapp")
}

// notConnected tells whether the server refuses because the instance is not
// connected, for example with 500 "WhatsApp client is not connected" or 503
// "WhatsApp disconnected: session is not reconnectable" (observed). Two errors that
// look alike are left out: a connection that broke while the message was under way,
// and the last of several attempts, of which an earlier one may have gone through.
func (s refusal) notConnected() bool {
	words := s.words()
	if containsAny(words, "disconnected before", "attempts", "timed out", "timeout") {
		return false
	}
	return containsAny(words, "whatsapp disconnected", "instance disconnected", "is disconnected",
		"not connected", "not logged in", "not reconnectable", "no active session")
}

// brokenBehindProxy recognises the 503 with which Envoy tells that the connection
// to the server broke after it was made, so that the request may have arrived.
func brokenBehindProxy(body []byte) bool {
	return bytes.Contains(body, []byte("reset before headers"))
}

// containsAny tells whether words holds one of the phrases.
func containsAny(words string, phrases ...string) bool {
	for _, phrase := range phrases {
		if strings.Contains(words, phrase) {
			return true
		}
	}
	return false
}
