// Package dialects understands the webhooks of the WhatsApp gateways: one file per
// dialect, told apart by the shape of the body. No I/O.
package dialects

import (
	"fmt"
	"time"
)

// Kind is what a gateway's delivery tells.
type Kind string

const (
	// Inbound is a message that a customer wrote.
	Inbound Kind = "Inbound"
	// Receipt says that a message was delivered or read.
	Receipt Kind = "Receipt"
	// ConnectionChange says that the number connected, disconnected or waits for
	// pairing.
	ConnectionChange Kind = "ConnectionChange"
	// Ignored is well-formed and not for us. See Message.Reason.
	Ignored Kind = "Ignored"
)

// The reasons of ignored deliveries: one word, safe to log and to answer with.
const (
	ReasonOwnMessage   = "OwnMessage"
	ReasonGroup        = "GroupMessage"
	ReasonBroadcast    = "Broadcast"
	ReasonReaction     = "Reaction"
	ReasonEdited       = "EditedMessage"
	ReasonEmpty        = "EmptyMessage"
	ReasonNoPhone      = "NoPhone"
	ReasonUnknownEvent = "UnknownEvent"
)

// Message is what one delivery says, in one vocabulary for all gateways. Strings are
// copies, trimmed, valid UTF-8, and within the limits of CartRecovery's schema.
type Message struct {
	// Dialect is the name of the dialect, safe to log.
	Dialect string
	// Instance is the gateway's instance name; "" when the delivery has none.
	Instance string
	// Token is the instance token in the body; a secret; "" when there is none.
	Token string
	// Kind is what it is.
	Kind Kind
	// Reason says why it is Ignored.
	Reason string
	// ID is the gateway's id of the message.
	ID string
	// Phone is the other side of the conversation: digits with country code, as
	// WhatsApp writes them (older Brazilian mobiles lack the ninth digit).
	Phone string
	// FromMe is set on messages from the paired number itself.
	FromMe bool
	// Text is what was written; empty for media without a caption.
	Text string
	// Media is the kind of a message that is more than text (audio, image, video,
	// document, sticker, location, contact, poll); "" for text.
	Media string
	// At is when it was written; zero when the gateway does not say.
	At time.Time
}

// InputError says what is wrong with a delivery: which field, and what was expected
// there. It never holds a value of the body.
type InputError struct {
	// Field is the path of the field, "" for the body as a whole.
	Field string
	// Expected says what should have been there.
	Expected string
}

// Error says what was expected where.
func (e *InputError) Error() string {
	if e.Field == "" {
		return "body: expected " + e.Expected
	}
	return fmt.Sprintf("field %q: expected %s", e.Field, e.Expected)
}
