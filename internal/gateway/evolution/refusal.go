package evolution

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"cartrecovery.dev/operator/internal/failure"
	"cartrecovery.dev/operator/internal/gateway/wire"
)

// defaultRetry is how long WhatsApp is left alone after it said that it was asked too much.
const defaultRetry = time.Minute

// maxNested bounds the lists within lists that are gone through.
const maxNested = 3

// refusal is what the server says in the body of an error.
type refusal struct {
	// messages are what it says, in lower case. They can hold a phone number.
	messages []string
	// invalid: its validation, which comes before everything else, says so.
	invalid bool
	// absent: it says that a number has no WhatsApp.
	absent bool
	// empty: it says nothing at all.
	empty bool
	// client is the HTTP status of its WhatsApp client's error, and asked WhatsApp's own; 0
	// without one.
	client, asked int
}

// tooMany is WhatsApp's word for having been asked too much.
const tooMany = http.StatusTooManyRequests

// parseRefusal reads the body of an error, {status, error, response{message}}, where message
// is a text, a list of texts, a list of the numbers it refuses or, of its validation alone, a
// list with a list of texts in it. The look-up of numbers answers with the bare error
// instead: {} or, of its WhatsApp client, {data, output{statusCode, payload{message}}}. What
// cannot be read is left empty.
func parseRefusal(body []byte) refusal {
	var answer struct {
		Response struct {
			Message json.RawMessage `json:"message"`
		} `json:"response"`
		Message json.RawMessage `json:"message"`
		Data    wire.Text       `json:"data"`
		Output  struct {
			Status  wire.Text `json:"statusCode"`
			Payload struct {
				Message wire.Text `json:"message"`
			} `json:"payload"`
		} `json:"output"`
	}
	_ = wire.Decode(body, &answer)
	said := refusal{empty: bytes.Equal(bytes.TrimSpace(body), []byte("{}"))}
	said.client, _ = strconv.Atoi(string(answer.Output.Status))
	said.asked, _ = strconv.Atoi(string(answer.Data))
	if text := string(answer.Output.Payload.Message); text != "" {
		said.messages = append(said.messages, strings.ToLower(strings.TrimSpace(text)))
	}
	for _, message := range []json.RawMessage{answer.Response.Message, answer.Message} {
		said.add(message, 0)
	}
	return said
}

// add takes in one message, or a list of them, nested so many lists deep.
func (s *refusal) add(message json.RawMessage, nested int) {
	if wire.IsList(message) {
		var entries []json.RawMessage
		if nested == maxNested || !wire.Decode(message, &entries) {
			return
		}
		for _, entry := range entries {
			s.add(entry, nested+1)
		}
		return
	}
	var text wire.Text
	if wire.Decode(message, &text) && text != "" {
		said := strings.ToLower(strings.TrimSpace(string(text)))
		s.messages, s.invalid = append(s.messages, said), s.invalid || nested > 1 && isValidation(said)
	}
	var number struct {
		Exists wire.Flag `json:"exists"`
	}
	if wire.IsObject(message) && wire.Decode(message, &number) && number.Exists.IsFalse() {
		s.absent = true
	}
}

// isValidation tells whether a message is one of the server's validation.
func isValidation(said string) bool {
	return wire.ContainsAny(said, "requires property", "is not of a type", "is not one of enum",
		"does not match pattern",
		"cannot be empty", "is required")
}

// say tells whether one of the messages holds one of the phrases.
func (s refusal) say(phrases ...string) bool {
	return slices.ContainsFunc(s.messages, func(said string) bool { return wire.ContainsAny(said, phrases...) })
}

// notConnected tells whether the server refuses because no phone is paired, or because it has
// not loaded the instance yet: with 500 "Connection Closed" when it was to look the number up,
// with 400 "Error: Connection Closed" when it was to send, because there has never been a
// client, or no instance. Its WhatsApp client says so before it writes to a closed socket, and
// at no other time; but words of the kind in a longer message can be those of its database,
// after the message went.
func (r call) notConnected(status int, said refusal) bool {
	closed := slices.ContainsFunc(said.messages, func(each string) bool {
		return each == "connection closed" || each == "error: connection closed"
	})
	switch {
	case closed:
		return true
	case r.send: // without a client it cannot look the number up, and without an instance nothing
		return status != http.StatusBadRequest && said.say("reading 'onwhatsapp'", "reading 'textmessage'")
	case r.lookUp:
		return status == http.StatusBadRequest && said.empty
	}
	return said.say("connection closed", "is not connected", "reading 'onwhatsapp'", "reading 'sendmessage'")
}

// refused classes an answer that is not a 2xx, by its body where that tells more than its
// status.
func (r call) refused(status int, header http.Header, body []byte, now time.Time) *failure.Error {
	failed, said := r.Refused(status, header, body, now), parseRefusal(body)
	switch {
	case status < 400:
	case status == http.StatusForbidden && said.say("already in use"):
		failed.Class, failed.Code, failed.Detail = failure.Transient, failure.Unavailable, inUse
	case failed.Code == failure.Unauthorized, failed.Code == failure.NotFound, failed.Code == failure.RateLimited:
	case said.say("rate-overlimit"), said.client != 0 && said.asked == tooMany: // of a question before the sending
		failed.Class, failed.Code = failure.Throttled, failure.RateLimited
		if failed.RetryAt.IsZero() {
			failed.RetryAt = now.Add(defaultRetry)
		}
	case r.send && said.absent:
		return wire.NotOnWhatsApp(failed)
	case r.notConnected(status, said):
		return wire.NotConnected(failed)
	case r.lookUp && said.client != 0: // its WhatsApp client failed, not the question
		failed.Class, failed.Code = failure.Transient, failure.Unavailable
		if said.client == http.StatusRequestTimeout {
			failed.Code = failure.TimedOut
		}
	case r.send && status == http.StatusBadRequest && slices.Contains(said.messages, "text is required"):
	case r.send && status == http.StatusBadRequest && !said.invalid:
		// The server answers so to everything that goes wrong while it sends, also when its
		// database fails after the message went.
		failed.Class, failed.Code = failure.Ambiguous, failure.Unavailable
	}
	return failed
}
