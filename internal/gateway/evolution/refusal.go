package evolution

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"cartrecovery.dev/operator/internal/failure"
	"cartrecovery.dev/operator/internal/gateway/wire"
)

// defaultRetry is how long WhatsApp is left alone after it said that it was asked too much.
const defaultRetry = time.Minute

// refusal is what the server says in the body of an error.
type refusal struct {
	// words is its messages, in lower case. It can hold a phone number.
	words string
	// absent: it says that a number has no WhatsApp.
	absent bool
}

// parseRefusal reads the body of an error, {status, error, response{message}}, where message
// is a text, a list of texts or a list of the numbers it refuses. What cannot be read is
// left empty.
func parseRefusal(body []byte) refusal {
	var answer struct {
		Response struct {
			Message json.RawMessage `json:"message"`
		} `json:"response"`
		Message json.RawMessage `json:"message"`
	}
	_ = wire.Decode(body, &answer)
	var said refusal
	for _, message := range []json.RawMessage{answer.Response.Message, answer.Message} {
		said.add(message)
	}
	return said
}

// add takes in one message, or a list of them.
func (s *refusal) add(message json.RawMessage) {
	entries := []json.RawMessage{message}
	if wire.IsList(message) && !wire.Decode(message, &entries) {
		return
	}
	for _, entry := range entries {
		var text wire.Text
		var number struct {
			Exists wire.Flag `json:"exists"`
		}
		if wire.Decode(entry, &text) {
			s.words += strings.ToLower(string(text)) + "\n"
		}
		if wire.IsObject(entry) && wire.Decode(entry, &number) && number.Exists.IsFalse() {
			s.absent = true
		}
	}
}

// notConnected tells whether the server refuses because no phone is paired: with 500
// "Connection Closed" when it was to look the number up, with 400 "Error: Connection Closed"
// when it was to send, or because there has never been a client. Its WhatsApp client says
// so before it writes to a closed socket, and at no other time.
func (s refusal) notConnected() bool {
	return wire.ContainsAny(s.words, "connection closed", "is not connected", "reading 'onwhatsapp'", "reading 'sendmessage'")
}

// overLimit tells whether WhatsApp refused a question that comes before the sending.
func (s refusal) overLimit() bool { return strings.Contains(s.words, "rate-overlimit") }

// invalidInput tells whether the server's validation refuses the request.
func (s refusal) invalidInput() bool {
	return wire.ContainsAny(s.words, "requires property", "is not of a type", "is not one of enum", "does not match pattern",
		"cannot be empty", "is required")
}

// refused classes an answer that is not a 2xx, by its body where that tells more than its
// status.
func (r call) refused(status int, header http.Header, body []byte, now time.Time) *failure.Error {
	failed, said := r.Refused(status, header, body, now), parseRefusal(body)
	switch {
	case status < 400:
	case status == http.StatusForbidden && strings.Contains(said.words, "already in use"):
		return misconfigured(r.Op, taken)
	case failed.Code == failure.Unauthorized, failed.Code == failure.NotFound, failed.Code == failure.RateLimited:
	case said.overLimit():
		failed.Class, failed.Code = failure.Throttled, failure.RateLimited
		if failed.RetryAt.IsZero() {
			failed.RetryAt = now.Add(defaultRetry)
		}
	case r.send && said.absent:
		return wire.NotOnWhatsApp(failed)
	case said.notConnected():
		return wire.NotConnected(failed)
	case r.send && status == http.StatusBadRequest && !said.invalidInput():
		// The server answers so to everything that goes wrong while it sends, also when its
		// database fails after the message went.
		failed.Class, failed.Code = failure.Ambiguous, failure.Unavailable
	}
	return failed
}
