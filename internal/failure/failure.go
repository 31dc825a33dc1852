// Package failure classes what can go wrong with a call to the outside, once,
// where it happened, so that everything above decides on the class and never on
// a status code or a text.
package failure

import (
	"errors"
	"fmt"
	"time"
)

// Class says what may be done about a failed call.
type Class string

const (
	// Transient: the call had no effect and may succeed later (connection
	// refused, the service says it is unavailable).
	Transient Class = "Transient"
	// Throttled: the call had no effect, and the service asks to be left alone
	// until a time (429, 503 with Retry-After, a restricted number).
	Throttled Class = "Throttled"
	// Terminal: the call had no effect and the same call will fail again (bad
	// input, bad credentials, not found).
	Terminal Class = "Terminal"
	// Ambiguous: nobody can tell whether the call had its effect (a timeout or
	// a broken connection after the request was written, an unexplained 500).
	Ambiguous Class = "Ambiguous"
)

// Code names a cause that callers treat differently from others of its class.
type Code string

const (
	// Unauthorized: the service refused the credentials.
	Unauthorized Code = "Unauthorized"
	// NotFound: the thing named in the call does not exist.
	NotFound Code = "NotFound"
	// NotConnected: the WhatsApp number of the instance is not connected.
	NotConnected Code = "NotConnected"
	// NotOnWhatsApp: the recipient has no WhatsApp account.
	NotOnWhatsApp Code = "NotOnWhatsApp"
	// Restricted: WhatsApp lets this number start no new conversations until
	// RetryAt.
	Restricted Code = "Restricted"
	// RateLimited: too many calls.
	RateLimited Code = "RateLimited"
	// Unavailable: the service or the way to it is down.
	Unavailable Code = "Unavailable"
	// TimedOut: no answer in time.
	TimedOut Code = "TimedOut"
	// InvalidInput: the service did not accept what it was sent.
	InvalidInput Code = "InvalidInput"
	// InvalidAnswer: the service answered something that is not its protocol.
	InvalidAnswer Code = "InvalidAnswer"
	// Misconfigured: the call could not be made because of a setting; it is Terminal until a person changes it.
	Misconfigured Code = "Misconfigured"
	// Fault: the operator itself failed at this piece of work; see internal/panics.
	Fault Code = "Fault"
	// LeaseLost: the call was not begun, because the time in which it might begin was over.
	LeaseLost Code = "LeaseLost"
)

// Error is a classed failure of one outgoing call. Its text never holds a
// secret, a phone number, a name or a message text, so it may be logged and
// shown in a status.
type Error struct {
	// Class says what may be done about it.
	Class Class
	// Code names the cause.
	Code Code
	// Reason is the reason of the condition that tells of it; "" where the code says enough.
	Reason string
	// Op is the call, for example "uazapi: send text".
	Op string
	// Status is the HTTP status of the answer, 0 when there was none.
	Status int
	// RetryAt is when the service may be called again; zero when it did not say.
	RetryAt time.Time
	// Detail says in fixed, safe words what was expected and what came.
	Detail string
}

// Error describes the failure in words that are safe to show.
func (e *Error) Error() string {
	text := fmt.Sprintf("%s: %s (%s)", e.Op, e.Code, e.Class)
	if e.Status != 0 {
		text += fmt.Sprintf(", HTTP %d", e.Status)
	}
	if e.Detail != "" {
		text += ": " + e.Detail
	}
	return text
}

// Shown is the text for people who can change something: of a setting only what is wrong with it, of a call everything.
func (e *Error) Shown() string {
	if e.Code == Misconfigured && e.Detail != "" {
		return e.Detail
	}
	return e.Error()
}

// As returns the classed failure in err, if there is one.
func As(err error) (*Error, bool) {
	var failed *Error
	ok := errors.As(err, &failed)
	return failed, ok
}

// ClassOf returns the class of err; an error nobody classed is Ambiguous, the
// only class that never leads to a second message.
func ClassOf(err error) Class {
	if failed, ok := As(err); ok {
		return failed.Class
	}
	return Ambiguous
}

// CodeOf returns the code of err, empty for an error nobody classed.
func CodeOf(err error) Code {
	if failed, ok := As(err); ok {
		return failed.Code
	}
	return ""
}

// ReasonOf returns the reason that err names for a condition, else the one given.
func ReasonOf(err error, otherwise string) string {
	if failed, ok := As(err); ok && failed.Reason != "" {
		return failed.Reason
	}
	return otherwise
}
