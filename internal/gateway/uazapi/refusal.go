package uazapi

import (
	"net/http"
	"strings"
	"time"

	"cartrecovery.dev/operator/internal/failure"
	"cartrecovery.dev/operator/internal/gateway/wire"
)

const (
	// defaultRestriction is how long a restriction lasts that names no end, and
	// maxRestriction the longest that is believed.
	defaultRestriction = time.Hour
	maxRestriction     = 30 * 24 * time.Hour
	// restrictedCode and restrictedKey are WhatsApp's "no new conversations"
	// (UAZAPI v2 OpenAPI, /instance/wa_messages_limits).
	restrictedCode = "463"
	restrictedKey  = "WHATSAPP_REACHOUT_TIMELOCK"
)

// refused classes an answer that is not a 2xx, by its body where that tells more than its
// status.
func (c *client) refused(r call, status int, header http.Header, body []byte) *failure.Error {
	now, said := c.now(), parseRefusal(body)
	failed := r.Refused(status, header, body, now)
	switch {
	case status < 400:
	case said.restricted():
		failed.Class, failed.Code = failure.Throttled, failure.Restricted
		failed.RetryAt = restrictedUntil(said.Details.Timelock.Until, now)
		failed.Detail = "WhatsApp lets this number start no new conversations"
	case r.send && said.notOnWhatsApp():
		return wire.NotOnWhatsApp(failed)
	case failed.Code == failure.Unauthorized, failed.Code == failure.NotFound, failed.Code == failure.RateLimited:
	case said.notConnected():
		return wire.NotConnected(failed)
	}
	return failed
}

// restrictedUntil is when a restriction ends; one that names no end, or one that
// has passed, is taken to last defaultRestriction.
func restrictedUntil(until wire.Moment, now time.Time) time.Time {
	if !until.After(now) {
		return now.Add(defaultRestriction)
	}
	if latest := now.Add(maxRestriction); until.After(latest) {
		return latest
	}
	return until.Time
}

// refusal is the body of an error. Error is a text in most versions and true in
// some, where Message has the text (observed).
type refusal struct {
	Error        wire.Text `json:"error"`
	Message      wire.Text `json:"message"`
	ProviderCode wire.Text `json:"provider_code"`
	ErrorKey     wire.Text `json:"error_key"`
	Details      struct {
		Timelock struct {
			Until wire.Moment `json:"until"`
		} `json:"reachout_timelock"`
	} `json:"details"`
}

// parseRefusal reads the body of an error; what cannot be read is left empty.
func parseRefusal(body []byte) refusal {
	var said refusal
	_ = wire.Decode(body, &said)
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
	return wire.ContainsAny(s.words(), "not on whatsapp", "not registered on whatsapp", "não está no whatsapp",
		"nao esta no whatsapp")
}

// notConnected tells whether the server refuses because the instance is not
// connected, for example with 500 "WhatsApp client is not connected" or 503
// "WhatsApp disconnected: session is not reconnectable" (observed). Two errors that
// look alike are left out: a connection that broke while the message was under way,
// and the last of several attempts, of which an earlier one may have gone through.
func (s refusal) notConnected() bool {
	words := s.words()
	if wire.ContainsAny(words, "disconnected before", "attempts", "timed out", "timeout") {
		return false
	}
	return wire.ContainsAny(words, "whatsapp disconnected", "instance disconnected", "is disconnected",
		"not connected", "not logged in", "not reconnectable", "no active session")
}
