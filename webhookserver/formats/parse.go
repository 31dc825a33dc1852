package formats

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"cartrecovery.dev/operator/internal/lax"
	"cartrecovery.dev/operator/internal/phone"
)

// format is one gateway's way of telling things.
type format struct {
	// name is the format's name in messages, metrics and the documentation.
	name string
	// matches looks at the names of a delivery's top-level fields.
	matches func(top fields) bool
	parse   func(top fields) ([]Message, error)
}

// known is every format that is understood; the first that matches reads the delivery, so
// that one which fits two is always read the same way. The envelopes of the gateways come
// first, the old backend's shape, which is the least special, last. A new format is one
// file and one line here.
var known = []format{
	{formatUAZAPI, matchesUAZAPI, parseUAZAPI},
	{formatEvolution, matchesEvolution, parseEvolution},
	{formatMegaAPI, matchesMegaAPI, parseMegaAPI},
	{formatLegacy, matchesLegacy, parseLegacy},
}

// maxMessages bounds the receipts of one delivery, and what is ignored of it.
const maxMessages = 100

// Parse reads a gateway's delivery; its shape tells the format. A delivery can tell
// several things, such as the receipts of several messages, of which more than 100 are cut
// off. It can be a list, and wrapped by what has passed it on (see envelope.go). The error is
// an *InputError.
func Parse(body []byte) ([]Message, error) {
	var text func(string) string
	if !utf8.Valid(body) { // every byte that is of no character becomes U+FFFD
		text = func(text string) string { return string([]rune(text)) }
	}
	checked, expected := lax.Checked(bytes.TrimSpace(withoutBOM(body)), text)
	if expected != "" {
		return nil, &InputError{Expected: expected}
	}
	parts := unwrap(lax.Parse(checked), 0)
	if len(parts) == 0 {
		return nil, &InputError{Expected: "a JSON object"}
	}
	return parseEach(parts)
}

// formatOf returns the format of a delivery; nil when none fits.
func formatOf(top fields) *format {
	for i := range known {
		if known[i].matches(top) {
			return &known[i]
		}
	}
	return nil
}

func withoutBOM(body []byte) []byte {
	return bytes.TrimPrefix(body, []byte("\ufeff"))
}

// fields are those of an object. A body is gone through once, and what nobody asks for is not read.
type fields = *lax.Fields

// wordAt returns the text at a path.
func wordAt(from fields, path []string) string {
	for _, name := range path[:len(path)-1] {
		from = from.Child(name)
	}
	return from.Word(path[len(path)-1])
}

// told is what a format has read of a message, beside the message itself.
type told struct {
	// chats are the ids of the chat.
	chats []string
	// group says that the gateway calls it a group.
	group bool
	// sentByAPI says that the gateway sent it for us.
	sentByAPI bool
	// nothing says that it is known, and nothing to be answered: a deletion, a vote that
	// cannot be read.
	nothing bool
	// reaction says that it is a reaction, to the message.Target.
	reaction bool
	// edits is the id of the message that it changes.
	edits string
}

// classify decides what a message is. An ignored one keeps what was read of it.
func classify(message Message, told told) Message {
	where := whereFrom(told.chats...)
	if where == "" && told.group {
		where = ReasonGroup
	}
	empty := message.Text == "" && message.Media == ""
	switch {
	case where != "":
		return ignored(message, where)
	case told.sentByAPI:
		return ignored(message, ReasonSentByAPI)
	case told.reaction && (message.FromMe || message.Target == ""), told.nothing:
		return ignored(message, ReasonEventNotUsed)
	case told.reaction:
		message.Kind, message.Media = Reaction, ""
		return message
	case empty:
		return ignored(message, ReasonEmpty)
	case told.edits != "":
		message.Kind, message.ID = Edited, told.edits
		return message
	case message.Phone == "" && len(message.ChatIDs) == 0:
		return ignored(message, ReasonNoPhone)
	case message.FromMe:
		message.Kind = Own
		return message
	}
	message.Kind = Inbound
	return message
}

func ignored(message Message, reason string) Message {
	message.Kind, message.Reason = Ignored, reason
	message.Target, message.Status, message.Connection = "", "", ""
	message.ChatIDs, message.Quotes = nil, ""
	return message
}

// whereFrom tells why a chat is not that of a single customer; "" when it is.
func whereFrom(chats ...string) (reason string) {
	for _, chat := range chats {
		_, server, _ := strings.Cut(strings.TrimSpace(strings.ToLower(chat)), "@")
		switch server {
		case "g.us":
			return ReasonGroup
		case "broadcast", "newsletter":
			return ReasonBroadcast
		}
	}
	return ""
}

// firstPhone returns the phone of the first id that holds one; "" when none does. A hidden
// id (@lid) holds none.
func firstPhone(jids ...string) string {
	for _, jid := range jids {
		if digits, ok := phone.FromJID(jid); ok {
			return digits
		}
	}
	return ""
}

// statusOf reads how far a message got: UAZAPI's words, and Baileys' words and numbers. A
// voice message that was played was read. "" for what comes before it, and for words that are no status.
func statusOf(word string) Status {
	switch strings.ToLower(strings.TrimSpace(word)) {
	case "delivered", "delivery_ack", "3":
		return Delivered
	case "read", "played", "4", "5":
		return Read
	}
	return ""
}
