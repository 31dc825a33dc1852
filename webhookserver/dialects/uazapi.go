package dialects

import (
	"encoding/json"
	"strings"
)

const dialectUAZAPI = "uazapi"

// uazapiEvents are the events that UAZAPI's documentation names (OpenAPI of v2), and what
// reads them; nil is an event that there is nothing to do for.
var uazapiEvents = map[string]func(base Message, top fields) ([]Message, error){
	"messages":        uazapiMessages,
	"messages_update": uazapiReceipts,
	"connection":      uazapiConnection,

	"history":             nil,
	"newsletter_messages": nil,
	"call":                nil,
	"contacts":            nil,
	"presence":            nil,
	"groups":              nil,
	"labels":              nil,
	"chats":               nil,
	"chat_labels":         nil,
	"blocks":              nil,
	"leads":               nil,
	"sender":              nil,
}

type uazapiChat struct {
	ChatID  text `json:"wa_chatid"`
	IsGroup flag `json:"wa_isGroup"`
}

// uazapiMessage is a message. Its sender is usually a hidden id (@lid), never to be taken
// for the phone. Facts: captured deliveries.
type uazapiMessage struct {
	ID             text            `json:"id"`
	MessageID      text            `json:"messageid"`
	ChatID         text            `json:"chatid"`
	SenderPhone    text            `json:"sender_pn"`
	FromMe         flag            `json:"fromMe"`
	WasSentByAPI   flag            `json:"wasSentByApi"`
	IsGroup        flag            `json:"isGroup"`
	MessageType    text            `json:"messageType"`
	Type           text            `json:"type"`
	MediaType      text            `json:"mediaType"`
	Text           text            `json:"text"`
	Content        json.RawMessage `json:"content"`
	Timestamp      moment          `json:"messageTimestamp"`
	Edited         json.RawMessage `json:"edited"`
	Reaction       text            `json:"reaction"`
	Vote           text            `json:"vote"`
	ButtonOrListID text            `json:"buttonOrListid"`
}

func matchesUAZAPI(top fields) bool { return top.has("EventType") }

func parseUAZAPI(top fields) ([]Message, error) {
	event := strings.ToLower(strings.TrimSpace(string(top.text("EventType"))))
	if event == "" {
		return nil, &InputError{Field: "EventType", Expected: "the name of the event"}
	}
	base := Message{
		Dialect:  dialectUAZAPI,
		Instance: line(firstText(top.text("instanceName"), uazapiInstance(top).text("name")), maxInstance),
		Token:    token(top.text("token")),
	}
	read, isKnown := uazapiEvents[event]
	switch {
	case !isKnown:
		return []Message{ignored(base, ReasonUnknownEvent)}, nil
	case read == nil:
		return []Message{ignored(base, ReasonEventNotUsed)}, nil
	}
	return read(base, top)
}

// uazapiInstance returns what a delivery says of its instance, which can be written as
// JSON in a string.
func uazapiInstance(top fields) fields {
	if about := fieldsOf(top["instance"]); about != nil {
		return about
	}
	return fieldsOf(json.RawMessage(strings.TrimSpace(string(top.text("instance")))))
}

func uazapiMessages(base Message, top fields) ([]Message, error) {
	var from object[uazapiMessage]
	var chat object[uazapiChat]
	if top.read("message", &from); from.value == nil {
		return nil, &InputError{Field: "message", Expected: "an object"}
	}
	top.read("chat", &chat)
	return []Message{uazapiOne(base, *from.value, chat.or())}, nil
}

func uazapiOne(message Message, from uazapiMessage, chat uazapiChat) Message {
	message.FromMe = bool(from.FromMe)
	message.Phone = firstPhone(from.SenderPhone, from.ChatID, chat.ChatID)
	if message.FromMe { // then the sender is the paired number itself
		message.Phone = firstPhone(from.ChatID, chat.ChatID)
	}
	said := uazapiContent(from)
	message.Text, message.Media = body(said.text), said.media
	message.At = from.Timestamp.Time
	message.Target = line(said.target, maxID)
	if message.ID = uazapiID(firstText(from.MessageID, from.ID)); message.ID == "" {
		message.ID = derivedID(message)
	}
	return classify(message, told{
		chats:     []string{string(from.ChatID), string(chat.ChatID)},
		group:     bool(from.IsGroup) || bool(chat.IsGroup),
		sentByAPI: message.FromMe && bool(from.WasSentByAPI),
		nothing:   said.nothing,
		reaction:  said.reaction,
		edits:     uazapiEdits(from.Edited, message.ID),
	})
}

// uazapiID returns the id that receipts name; the field id has the owner's number in front
// of it.
func uazapiID(id text) string {
	if _, after, found := strings.Cut(string(id), ":"); found {
		id = text(after)
	}
	return line(id, maxID)
}

// uazapiEdits returns the id of the message that was edited; "" when none was. own is that
// of the message itself, for servers that say only that it was edited.
func uazapiEdits(data json.RawMessage, own string) string {
	var original text
	var yes flag
	if len(data) == 0 {
		return ""
	}
	_, _ = original.UnmarshalJSON(data), yes.UnmarshalJSON(data)
	switch strings.ToLower(strings.TrimSpace(string(original))) {
	case "", "0", "1", "false", "true":
		if yes {
			return own
		}
		return ""
	}
	return uazapiID(original)
}

// uazapiContent reads what a message says: its text, what was chosen, and else its content,
// which is a string for plain messages and WhatsApp's own type for all others. The id of what
// was chosen is nothing that the customer saw: it is read where there is nothing else.
func uazapiContent(from uazapiMessage) content {
	kind := strings.ToLower(string(from.MessageType))
	if strings.EqualFold(string(from.Type), "reaction") || strings.HasPrefix(kind, "reaction") {
		inner := readReaction(orNull(from.Content))
		target := text(uazapiID(firstText(from.Reaction, inner.target)))
		return content{reaction: true, target: target, text: firstText(from.Text, inner.text)}
	}
	said := firstText(from.Text, from.Vote, from.ButtonOrListID)
	switch {
	case strings.Contains(kind, "pollupdate"):
		return content{text: said, nothing: said == ""}
	case strings.HasPrefix(kind, "protocol"), strings.HasPrefix(kind, "encreaction"), strings.HasPrefix(kind, "secretencrypted"):
		return content{text: said, nothing: said == "" || uazapiEdits(from.Edited, "x") == ""}
	}
	found := uazapiWritten(from, kind)
	switch {
	case found.text == "" && said != "" && !found.reaction && found.edits == "":
		found.text, found.nothing = said, false
	case !found.found() && strings.EqualFold(string(from.Type), "media"):
		found.media = "file"
	}
	return found
}

// uazapiWritten reads a message that is written, or media. The picture of a text is that of
// the page it links to.
func uazapiWritten(from uazapiMessage, kind string) content {
	found := content{text: firstText(from.Text, from.Vote)}
	business := strings.HasPrefix(kind, "order") || strings.HasPrefix(kind, "product")
	if kind != "conversation" && kind != "extendedtextmessage" {
		found.media = mediaKind(from.MediaType, from.MessageType)
	}
	if found.text == "" && !business {
		found.text = contentText(from.Content, kind, found.media)
	}
	if found.media == "" && (found.text == "" || business || strings.HasPrefix(kind, "viewonce")) {
		inner := readContent(wrapped(from.MessageType, from.Content), 0)
		inner.text = firstText(found.text, inner.text)
		return inner
	}
	return found
}

func orNull(data json.RawMessage) json.RawMessage {
	if len(data) == 0 {
		return json.RawMessage("null")
	}
	return data
}

// wrapped puts a content under its type, as WhatsApp has it, so that the wrappers of
// disappearing messages and of those to be viewed once are gone through. It never takes
// the type for more than a name.
func wrapped(messageType text, data json.RawMessage) json.RawMessage {
	name := string(messageType)
	if name == "" || len(data) == 0 || data[0] != '{' || line(messageType, maxID) != name || strings.ContainsAny(name, `"\<>&`) {
		return data
	}
	name = strings.ToLower(name[:1]) + name[1:]
	return append(append([]byte(`{"`+name+`":`), data...), '}')
}

// contentText reads a text out of a content: the caption, what the customer chose in a list
// or of buttons, or the question of a poll. The title of a document is no text.
func contentText(data json.RawMessage, kind, media string) text {
	var reply baileysReply
	switch {
	case len(data) == 0:
		return ""
	case data[0] == '"', strings.Contains(kind, "response"), strings.Contains(kind, "reply"):
		_ = reply.UnmarshalJSON(data)
		return text(reply)
	case data[0] != '{':
		return ""
	}
	var rich object[struct {
		Text    text `json:"text"`
		Caption text `json:"caption"`
		Name    text `json:"name"`
		// Message is what a wrapper holds, such as a document with its caption.
		Message json.RawMessage `json:"message"`
	}]
	_ = rich.UnmarshalJSON(data)
	if media == "poll" {
		return rich.or().Name
	}
	if said := firstText(rich.or().Text, rich.or().Caption); said != "" {
		return said
	}
	return readContent(rich.or().Message, 0).text
}

// mediaKinds are the kinds of messages that are more than text, by words that appear in
// a mediaType or messageType.
var mediaKinds = []struct{ word, kind string }{
	{"ptt", "audio"}, {"audio", "audio"},
	{"image", "image"},
	{"video", "video"}, {"ptv", "video"}, {"gif", "video"},
	{"document", "document"},
	{"sticker", "sticker"},
	{"location", "location"},
	{"contact", "contact"}, {"vcard", "contact"},
	{"poll", "poll"},
}

// mediaKind tells the kind of a message; "" for text, and for replies to lists and
// buttons, which are text.
func mediaKind(types ...text) string {
	for _, each := range types {
		lower := strings.ToLower(string(each))
		for _, media := range mediaKinds {
			if strings.Contains(lower, media.word) {
				return media.kind
			}
		}
	}
	return ""
}

// uazapiReceipt is the event of messages_update. Flags and times can be strings.
type uazapiReceipt struct {
	MessageIDs  texts  `json:"MessageIDs"`
	Chat        text   `json:"Chat"`
	Sender      text   `json:"Sender"`
	SenderPhone text   `json:"sender_pn"`
	Type        text   `json:"Type"`
	Timestamp   moment `json:"Timestamp"`
	IsFromMe    flag   `json:"IsFromMe"`
	IsGroup     flag   `json:"IsGroup"`
}

// ofOurs says whether the receipt is of a message of ours. IsFromMe is not of the message but
// of the receipt: the captured ones, all of messages of the paired number, have False and the
// customer as the sender; True is the paired phone that read what the customer wrote. A
// receipt that says True and names the customer as its sender, or nobody, may be of ours
// all the same: its ids tell.
func (r uazapiReceipt) ofOurs() bool {
	by := firstPhone(r.SenderPhone, r.Sender)
	return !bool(r.IsFromMe) || r.Sender == "" && r.SenderPhone == "" || by != "" && by == firstPhone(r.Chat)
}

// uazapiReceipts reads a messages_update: one receipt for each message it names.
func uazapiReceipts(base Message, top fields) ([]Message, error) {
	var event object[uazapiReceipt]
	if top.read("event", &event); event.value == nil {
		return nil, &InputError{Field: "event", Expected: "an object"}
	}
	from := *event.value
	base.FromMe = from.ofOurs()
	base.Phone = firstPhone(from.Chat)
	if base.Phone == "" && !bool(from.IsFromMe) {
		base.Phone = firstPhone(from.SenderPhone, from.Sender)
	}
	base.At = from.Timestamp.Time
	where := whereFrom(string(from.Chat))
	switch {
	case where != "":
		return []Message{ignored(base, where)}, nil
	case bool(from.IsGroup):
		return []Message{ignored(base, ReasonGroup)}, nil
	}
	base.Status = statusOf(firstText(from.Type, top.text("state")))
	if base.Status == "" {
		return []Message{ignored(base, ReasonEventNotUsed)}, nil
	}
	base.Kind = Receipt
	var receipts []Message
	for _, id := range from.MessageIDs[:min(len(from.MessageIDs), maxMessages)] {
		if base.ID = uazapiID(id); base.ID != "" {
			receipts = append(receipts, base)
		}
	}
	if len(receipts) == 0 {
		return []Message{ignored(base, ReasonEventNotUsed)}, nil
	}
	return receipts, nil
}

// uazapiConnection reads connection: the instance's status (disconnected, connecting,
// connected; hibernated on newer servers). The QR in it is a credential and is not read.
func uazapiConnection(base Message, top fields) ([]Message, error) {
	about := uazapiInstance(top)
	word := firstText(about.text("status"), top.text("status"), top.text("state"))
	plain := text(strings.TrimSpace(string(top.text("instance"))))
	switch {
	case word != "":
	case plain == "connected", plain == "connecting", plain == "disconnected", plain == "hibernated":
		word = plain
	case about.text("lastDisconnectReason") != "":
		word = "disconnected"
	default:
		word = top.text("type")
	}
	return connectionChange(base, word)
}
