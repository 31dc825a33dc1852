// Package formats understands the webhooks of the WhatsApp gateways: one file per
// format, told apart by the shape of the body. No I/O.
package formats

import (
	"fmt"
	"time"
)

// Kind is what a gateway's delivery tells.
type Kind string

const (
	// Inbound is a message that a customer wrote.
	Inbound Kind = "Inbound"
	// Edited says that the customer changed a message: ID is that message's, Text what it
	// says now.
	Edited Kind = "Edited"
	// Reaction is the customer's reaction to the message Target: Text is the emoji, ""
	// when it was taken back.
	Reaction Kind = "Reaction"
	// Own is a message of the paired number that did not come from us as far as the
	// gateway can tell: a person wrote it on the phone, or the gateway does not tell our
	// own messages apart. Phone is whom it was written to.
	Own Kind = "Own"
	// Sent is a message that the gateway has sent for its API: with its ID and, where it is one,
	// its Text. Phone is whom it was written to.
	Sent Kind = "Sent"
	// Receipt says that the message ID was delivered or read. See Message.Status.
	Receipt Kind = "Receipt"
	// ConnectionChange says that the number connected, disconnected or waits for
	// pairing. See Message.Connection.
	ConnectionChange Kind = "ConnectionChange"
	// Ignored is well-formed and not for us. See Message.Reason.
	Ignored Kind = "Ignored"
)

// The reasons of ignored deliveries: one word, safe to log and to answer with.
const (
	// ReasonSentByAPI: a message that the operator sent, coming back.
	ReasonSentByAPI = "SentByAPI"
	// ReasonGroup: written in a group.
	ReasonGroup = "GroupMessage"
	// ReasonBroadcast: a broadcast list, a status, a channel.
	ReasonBroadcast = "Broadcast"
	// ReasonEmpty: nothing was written.
	ReasonEmpty = "EmptyMessage"
	// ReasonNoPhone: neither a phone nor a hidden id is known, or only a hidden one of which
	// nobody can tell whose it is.
	ReasonNoPhone = "NoPhone"
	// ReasonEventNotUsed: a known event that there is nothing to do for.
	ReasonEventNotUsed = "EventNotUsed"
	// ReasonUnknownEvent: an event of a name that is not known.
	ReasonUnknownEvent = "UnknownEvent"
)

// Status is how far a message of the operator got.
type Status string

const (
	// Delivered: it reached the customer's phone.
	Delivered Status = "Delivered"
	// Read: the customer has read it (or played it).
	Read Status = "Read"
)

// Message is what one delivery says, in one vocabulary for all gateways. Strings are
// copies, trimmed, valid UTF-8, and within the limits of CartRecovery's schema.
type Message struct {
	// Format is the name of the format, safe to log.
	Format string
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
	// ChatIDs are the gateway's own ids of the chat, each that the delivery names: of its
	// phone (5215512345678@s.whatsapp.net) and its hidden one (123@lid). Without the device;
	// of persons only.
	ChatIDs []string
	// Quotes is the gateway's id of the message that this one answers to; "" for none.
	Quotes string
	// FromMe is set on messages from the paired number itself, and on receipts of them.
	FromMe bool
	// Owner is the paired number itself: digits with country code; "" when the delivery does
	// not name it.
	Owner string
	// ToSelf says that the paired number wrote to itself: whoever holds the paired phone tries
	// things out, as a customer or as the store, and nobody can tell which.
	ToSelf bool
	// Automatic says that the delivery itself calls the message a machine's: the gateway's own
	// AI agent, or a campaign.
	Automatic bool
	// History says that the delivery is of the past: a gateway that connected again tells what
	// was written meanwhile, or long ago. At says when.
	History bool
	// Target is the gateway's id of the message that a Reaction is to.
	Target string
	// Status is set on a Receipt.
	Status Status
	// Connection is what a ConnectionChange says, in the gateway's word; "" when it does
	// not say. At most 64 characters.
	Connection string
	// Text is what was written; empty for media without a caption.
	Text string
	// Media is the kind of a message that is more than text (audio, image, video,
	// document, sticker, location, contact, poll, order, product, or file for one of a kind
	// that is not known); "" for text.
	Media string
	// At is when it happened: written, delivered, read; zero when the gateway does not say.
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
