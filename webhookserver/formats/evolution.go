package formats

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode"
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

func matchesEvolution(top fields) bool { return top.has("event") && top.hasAny("data", "instance") }

// parseEvolution reads {event, instance, data, sender, apikey}. The sender is the paired
// number itself, never the customer; date_time is the server's local time written as if it
// were UTC, and is not read.
func parseEvolution(top fields) ([]Message, error) {
	name := evolutionEvent(top.text("event"))
	if name == "" {
		return nil, &InputError{Field: "event", Expected: "the name of the event"}
	}
	base := Message{
		Format: formatEvolution, Instance: evolutionInstance(top), Token: evolutionToken(top.text("apikey")),
		Owner: ownNumber(top.text("sender")), History: isHistory(top) || isHistory(fieldsOf(top["data"])),
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
func evolutionEvent(name text) string {
	return separators.Replace(strings.ToLower(strings.TrimSpace(string(name))))
}

var separators = strings.NewReplacer("_", ".", "-", ".")

// evolutionInstance reads the instance's name, which some versions put into an object.
func evolutionInstance(top fields) string {
	if name := line(top.text("instance"), maxInstance); name != "" {
		return name
	}
	about := fieldsOf(top["instance"])
	return line(firstText(about.text("instanceName"), about.text("name")), maxInstance)
}

// evolutionToken reads apikey. Where the server does not expose the instance's token it
// writes a sentence there ("Apikey not found"), which proves and disproves nothing.
func evolutionToken(apikey text) string {
	if strings.ContainsFunc(string(apikey), func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }) {
		return ""
	}
	return token(apikey)
}

// evolutionData returns the objects of data, which is one or a list; empty lists happen.
func evolutionData(top fields) ([]json.RawMessage, error) {
	data := top["data"]
	if one := fieldsOf(data); one != nil {
		inner := one["messages"]
		if !one.has("messages") && fieldsOf(one["message"]).has("key") {
			inner = one["message"]
		}
		if len(inner) == 0 || one.has("key") {
			return []json.RawMessage{data}, nil
		}
		if data = inner; inner[0] == '{' {
			return []json.RawMessage{inner}, nil
		}
	}
	var list []json.RawMessage
	if len(data) == 0 || data[0] != '[' || json.Unmarshal(data, &list) != nil {
		return nil, &InputError{Field: "data", Expected: "an object, or a list of objects"}
	}
	return slices.DeleteFunc(list, func(each json.RawMessage) bool { return each[0] != '{' }), nil
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
		message, err := read(base, fieldsOf(each))
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
	var key object[baileysKey]
	from.read("key", &key)
	if key.value == nil {
		return Message{}, &InputError{Field: "data.key", Expected: "an object"}
	}
	base.At = from.moment("messageTimestamp").Time
	base.Quotes = quotedBeside(from)
	return baileysMessage(base, *key.value, readContent(from["message"], 0)), nil
}

// evolutionSent reads what Evolution says of a message that it sent for us. Its own calls that
// change a message are of no use.
func evolutionSent(base Message, top fields) ([]Message, error) {
	return evolutionEach(base, top, func(base Message, from fields) (Message, error) {
		message, err := evolutionMessage(base, from)
		if err != nil {
			message, message.FromMe = base, true
		}
		if err != nil || message.Kind != Own || message.ID == "" || message.Text == "" {
			return ignored(message, ReasonSentByAPI), nil
		}
		message.Kind = Sent
		return message, nil
	})
}

// evolutionSentEdit reads what Evolution says of a message that it changed for us.
func evolutionSentEdit(base Message, _ fields) ([]Message, error) {
	base.FromMe = true
	return []Message{ignored(base, ReasonSentByAPI)}, nil
}

// evolutionReceipts reads messages.update: version 2 names the message keyId (messageId is
// the id in its own database), version 1 has the key's fields beside the status, and
// Baileys itself a key and an update. The status is a word or a number.
func evolutionReceipts(base Message, top fields) ([]Message, error) {
	return evolutionEach(base, top, func(base Message, from fields) (Message, error) {
		key, update := fieldsOf(from["key"]), fieldsOf(from["update"])
		about := from
		if !from.has("remoteJid") && key != nil {
			about = key
		}
		base.ID = line(firstText(from.text("keyId"), key.text("id"), from.text("id")), maxID)
		chat, alt := about.text("remoteJid"), about.text("remoteJidAlt")
		base.Phone = firstPhone(chat, alt)
		base.ChatIDs = chatIDs(chat, alt, about.text("previousRemoteJid"))
		// Without the flag it may be ours: the id tells.
		base.FromMe = !about.has("fromMe") || about.flag("fromMe")
		base.At = from.moment("datetime").Time
		base.Status = statusOf(firstText(from.text("status"), update.text("status")))
		where := whereFrom(string(chat), string(alt))
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
	own := firstPhone(top.text("sender"))
	return evolutionEach(base, top, func(base Message, from fields) (Message, error) {
		if from.has("message") {
			return evolutionMessage(base, from)
		}
		var key object[baileysKey]
		from.read("key", &key)
		if key.value == nil { // it is told for every protocolMessage, such as a setting of the chat
			return ignored(base, ReasonEventNotUsed), nil
		}
		seen := *key.value
		if chat := seen.phone(); bool(seen.FromMe) && (chat == "" || chat == own) {
			seen.FromMe, seen.RemoteJIDAlt, seen.Previous, seen.SenderPhone, seen.SenderLID = false, "", "", "", ""
			if whereFrom(string(seen.RemoteJID)) == "" {
				seen.RemoteJID = ""
			}
		}
		base.At = from.moment("timestampMs").Time
		said := readContent(from["editedMessage"], 0)
		said.edits, said.reaction, said.nothing = seen.ID, false, said.nothing || seen.ID == ""
		return baileysMessage(base, seen, said), nil
	})
}

func evolutionConnection(base Message, top fields) ([]Message, error) {
	data := fieldsOf(top["data"])
	return connectionChange(base, firstText(data.text("state"), data.text("connection"), data.text("status")))
}

// evolutionPairing reads qrcode.updated: there is another QR to show. The QR is a credential
// and is not read here; the gateway is asked for it.
func evolutionPairing(base Message, _ fields) ([]Message, error) {
	return connectionChange(base, "connecting")
}

// evolutionGone reads that the instance was logged out or deleted.
func evolutionGone(base Message, _ fields) ([]Message, error) { return connectionChange(base, "close") }

func connectionChange(base Message, word text) ([]Message, error) {
	base.Kind, base.Connection = ConnectionChange, line(word, maxConnection)
	return []Message{base}, nil
}
