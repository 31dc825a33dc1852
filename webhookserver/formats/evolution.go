package formats

import (
	"slices"
	"strings"
	"unicode"

	"cartrecovery.dev/operator/internal/lax"
)

const formatEvolution = "evolution"

// evolutionEvents are the events of the Evolution API, versions 1 and 2, and what reads
// them; nil is an event that there is nothing to do for. Facts: its source, and captured
// deliveries.
var evolutionEvents = map[string]func(base Message, top fields) ([]Message, error){
	"messages.upsert":     evolutionUpsert,
	"send.message":        evolutionSent,
	"send.message.update": evolutionSentEdit,
	"messages.update":     evolutionReceipts,
	"messages.edited":     evolutionEdited,
	"connection.update":   evolutionConnection,
	"qrcode.updated":      evolutionPairing,
	"logout.instance":     evolutionGone,
	"remove.instance":     evolutionGone,

	"messages.set":              nil,
	"messages.delete":           nil,
	"contacts.set":              nil,
	"contacts.upsert":           nil,
	"contacts.update":           nil,
	"presence.update":           nil,
	"chats.set":                 nil,
	"chats.upsert":              nil,
	"chats.update":              nil,
	"chats.delete":              nil,
	"groups.upsert":             nil,
	"group.update":              nil,
	"groups.update":             nil,
	"group.participants.update": nil,
	"labels.edit":               nil,
	"labels.association":        nil,
	"call":                      nil,
	"typebot.start":             nil,
	"typebot.change.status":     nil,
	"application.startup":       nil,
	"instance.create":           nil,
	"instance.delete":           nil,
	"status.instance":           nil,
	"new.jwt.token":             nil,
	"errors":                    nil,
}

func matchesEvolution(top fields) bool { return top.Has("event") && top.Has("data", "instance") }

// parseEvolution reads {event, instance, data, sender, apikey}. The sender is the paired
// number itself, never the customer; date_time is the server's local time written as if it
// were UTC, and is not read.
func parseEvolution(top fields) ([]Message, error) {
	name := evolutionEvent(top.Word("event"))
	if name == "" {
		return nil, &InputError{Field: "event", Expected: "the name of the event"}
	}
	base := Message{
		Format: formatEvolution, Instance: evolutionInstance(top), Token: evolutionToken(top.Word("apikey")),
		Owner: ownNumber(top.Word("sender")), History: isHistory(top) || isHistory(top.Child("data")),
	}
	read, isKnown := evolutionEvents[name]
	switch {
	case !isKnown:
		return []Message{ignored(base, ReasonUnknownEvent)}, nil
	case read == nil:
		return []Message{ignored(base, ReasonEventNotUsed)}, nil
	}
	return read(base, top)
}

// evolutionEvent brings the names of both versions into one form: messages.upsert, and
// MESSAGES_UPSERT of version 1.
func evolutionEvent(name string) string {
	return separators.Replace(strings.ToLower(strings.TrimSpace(name)))
}

var separators = strings.NewReplacer("_", ".", "-", ".")

// evolutionInstance reads the instance's name, which some versions put into an object.
func evolutionInstance(top fields) string {
	if name := line(top.Word("instance"), maxInstance); name != "" {
		return name
	}
	about := top.Child("instance")
	return line(firstText(about.Word("instanceName"), about.Word("name")), maxInstance)
}

// evolutionToken reads apikey. Where the server does not expose the instance's token it
// writes a sentence there ("Apikey not found"), which proves and disproves nothing.
func evolutionToken(apikey string) string {
	if strings.ContainsFunc(apikey, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }) {
		return ""
	}
	return token(apikey)
}

// evolutionData returns the objects of data, which is one or a list; empty lists happen.
func evolutionData(top fields) ([]lax.Value, error) {
	data := top.At("data")
	if one := top.Child("data"); one != nil {
		inner := one.At("messages")
		if !one.Has("messages") && one.Child("message").Has("key") {
			inner = one.At("message")
		}
		if one.Has("key") || !inner.Is() && !one.Has("messages") {
			return []lax.Value{data}, nil
		}
		if data = inner; inner.Kind() == lax.Object {
			return []lax.Value{inner}, nil
		}
	}
	if data.Kind() != lax.List {
		return nil, &InputError{Field: "data", Expected: "an object, or a list of objects"}
	}
	isNoObject := func(each lax.Value) bool { return each.Kind() != lax.Object }
	return slices.DeleteFunc(data.List(lax.MaxValues), isNoObject), nil
}

// evolutionEach reads each object of data into one message. One that cannot be read is ignored
// with the others there, and an error where it is all that is there. Receipts and what is
// ignored are bounded: the body bounds what somebody wrote.
func evolutionEach(base Message, top fields, read func(Message, fields) (Message, error)) ([]Message, error) {
	data, err := evolutionData(top)
	if err != nil {
		return nil, err
	}
	if len(data) == 0 {
		return []Message{ignored(base, ReasonEmpty)}, nil
	}
	var messages []Message
	var failure error
	unread, unwritten := 0, 0
	for _, each := range data {
		message, err := read(base, each.Object())
		if err != nil {
			message, failure = ignored(base, ReasonEventNotUsed), err
			unread++
		}
		if message.Kind == Ignored || message.Kind == Receipt {
			if unwritten++; unwritten > maxMessages {
				continue
			}
		}
		messages = append(messages, message)
	}
	if unread == len(data) {
		return nil, failure
	}
	return messages, nil
}

func evolutionUpsert(base Message, top fields) ([]Message, error) {
	return evolutionEach(base, top, evolutionMessage)
}

// evolutionMessage reads one message, of either side: Evolution tells of those that we
// sent as well, and does not say which they are.
func evolutionMessage(base Message, from fields) (Message, error) {
	key, found := keyOf(from.At("key"))
	if !found {
		return Message{}, &InputError{Field: "data.key", Expected: "an object"}
	}
	base.At = momentOf(from.At("messageTimestamp"))
	base.Quotes = quotedBeside(from)
	return baileysMessage(base, key, readContent(from.At("message"), 0)), nil
}

// evolutionSent reads what Evolution reports about a message that it sent for the operator. Its own calls that
// change a message are of no use.
func evolutionSent(base Message, top fields) ([]Message, error) {
	return evolutionEach(base, top, func(base Message, from fields) (Message, error) {
		message, err := evolutionMessage(base, from)
		if err != nil {
			message, message.FromMe = base, true
		}
		if err != nil || message.Kind != Own || message.ID == "" || message.Text == "" {
			//nolint:nilerr // What cannot be read was not written by the customer.
			return ignored(message, ReasonSentByAPI), nil
		}
		message.Kind = Sent
		return message, nil
	})
}

// evolutionSentEdit reads what Evolution reports about a message that it edited for the operator.
func evolutionSentEdit(base Message, _ fields) ([]Message, error) {
	base.FromMe = true
	return []Message{ignored(base, ReasonSentByAPI)}, nil
}

// evolutionReceipts reads messages.update: version 2 names the message keyId (messageId is
// the id in its own database), version 1 has the key's fields beside the status, and
// Baileys itself a key and an update. The status is a word or a number.
func evolutionReceipts(base Message, top fields) ([]Message, error) {
	return evolutionEach(base, top, func(base Message, from fields) (Message, error) {
		key, update := from.Child("key"), from.Child("update")
		about := from
		if !from.Has("remoteJid") && key != nil {
			about = key
		}
		base.ID = line(firstText(from.Word("keyId"), key.Word("id"), from.Word("id")), maxID)
		chat, alt := about.Word("remoteJid"), about.Word("remoteJidAlt")
		base.Phone = firstPhone(chat, alt)
		base.ChatIDs = chatIDs(chat, alt, about.Word("previousRemoteJid"))
		// Without the flag the paired number may have sent it: the id tells.
		base.FromMe = !about.Has("fromMe") || about.At("fromMe").True()
		base.At = momentOf(from.At("datetime"))
		base.Status = statusOf(firstText(from.Word("status"), update.Word("status")))
		where := whereFrom(chat, alt)
		switch {
		case where != "":
			return ignored(base, where), nil
		case base.Status == "" || base.ID == "":
			return ignored(base, ReasonEventNotUsed), nil
		}
		base.Kind = Receipt
		return base, nil
	})
}

// evolutionEdited reads messages.edited: the protocolMessage as the editing phone wrote it.
// Its key is that phone's view: an edit of the customer's comes with fromMe and the paired
// number as the chat (Evolution's issues 1367 and 1647). Then only the id is certain.
func evolutionEdited(base Message, top fields) ([]Message, error) {
	own := firstPhone(top.Word("sender"))
	return evolutionEach(base, top, func(base Message, from fields) (Message, error) {
		if from.Has("message") {
			return evolutionMessage(base, from)
		}
		seen, found := keyOf(from.At("key"))
		if !found { // it is told for every protocolMessage, such as a setting of the chat
			return ignored(base, ReasonEventNotUsed), nil
		}
		if chat := seen.phone(); seen.fromMe && (chat == "" || chat == own) {
			seen.fromMe, seen.remoteJIDAlt, seen.previous, seen.senderPhone, seen.senderLID = false, "", "", "", ""
			if whereFrom(seen.remoteJID) == "" {
				seen.remoteJID = ""
			}
		}
		base.At = momentOf(from.At("timestampMs"))
		said := readContent(from.At("editedMessage"), 0)
		said.edits, said.reaction, said.nothing = seen.id, false, said.nothing || seen.id == ""
		return baileysMessage(base, seen, said), nil
	})
}

func evolutionConnection(base Message, top fields) ([]Message, error) {
	data := top.Child("data")
	return connectionChange(base, firstText(data.Word("state"), data.Word("connection"), data.Word("status")))
}

// evolutionPairing reads qrcode.updated: there is another QR to show. The QR is a credential
// and is not read here; the gateway is asked for it.
func evolutionPairing(base Message, _ fields) ([]Message, error) {
	return connectionChange(base, "connecting")
}

// evolutionGone reads that the instance was logged out or deleted.
func evolutionGone(base Message, _ fields) ([]Message, error) { return connectionChange(base, "close") }

func connectionChange(base Message, word string) ([]Message, error) {
	base.Kind, base.Connection = ConnectionChange, line(word, maxConnection)
	return []Message{base}, nil
}
