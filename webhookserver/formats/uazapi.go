package formats

import (
	"encoding/json"
	"strings"

	"cartrecovery.dev/operator/internal/phone"
)

const formatUAZAPI = "uazapi"

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
	ChatLID text `json:"wa_chatlid"`
	Phone   text `json:"phone"`
	IsGroup flag `json:"wa_isGroup"`
}

// phone returns the chat's phone as UAZAPI shows it to people ("+55 31 98877-6655"), "" where
// it is not whole.
func (c uazapiChat) phone() string {
	shown := strings.TrimSpace(string(c.Phone))
	if e164, ok := phone.Normalize(shown, ""); ok && strings.HasPrefix(shown, "+") && !bool(c.IsGroup) {
		return phone.Digits(e164)
	}
	return ""
}

// uazapiMessage is a message. Its sender is usually a hidden id (@lid), never to be taken
// for the phone. Facts: captured deliveries.
type uazapiMessage struct {
	ID             text            `json:"id"`
	MessageID      text            `json:"messageid"`
	ChatID         text            `json:"chatid"`
	ChatLID        text            `json:"chatlid"`
	Sender         text            `json:"sender"`
	SenderPhone    text            `json:"sender_pn"`
	SenderLID      text            `json:"sender_lid"`
	Owner          text            `json:"owner"`
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
	Quoted         json.RawMessage `json:"quoted"`
	ReplyID        text            `json:"replyid"`
	QuotedID       text            `json:"quotedMessageId"`
	Context        json.RawMessage `json:"contextInfo"`
	Campaign       text            `json:"send_folder_id"`
	AI             object[struct {
		Agent text `json:"agent_id"`
	}] `json:"ai_metadata"`
}

// ids are those of the other side. With fromMe the sender is the paired number itself.
func (m uazapiMessage) ids(chat uazapiChat) []string {
	if m.FromMe {
		return chatIDs(m.ChatID, chat.ChatID, m.ChatLID, chat.ChatLID)
	}
	return chatIDs(m.SenderPhone, m.ChatID, chat.ChatID, m.ChatLID, chat.ChatLID, m.SenderLID, m.Sender)
}

// quotes returns the id of the message that is quoted: a field of its own, which some servers
// fill with the message itself, or that of the content.
func (m uazapiMessage) quotes() string {
	var plain text
	if len(m.Quoted) > 0 {
		_ = plain.UnmarshalJSON(m.Quoted)
	}
	about := fieldsOf(m.Quoted)
	key := fieldsOf(about["key"])
	for _, id := range []text{
		plain, about.text("messageid"), about.text("id"), about.text("stanzaID"), key.text("id"), m.ReplyID, m.QuotedID,
	} {
		if found := unowned(id); found != "" {
			return found
		}
	}
	if found := contextID(fields{"contextInfo": m.Context}); found != "" {
		return found
	}
	return quoted(decoded(m.Content))
}

func matchesUAZAPI(top fields) bool {
	return top.has("EventType") || isUAZAPIWrapper(top) || isUAZAPIMessage(fieldsOf(top["message"]))
}

func parseUAZAPI(top fields) ([]Message, error) {
	if !top.has("EventType") {
		return parseUAZAPIWrapper(top)
	}
	event := uazapiEvent(top.text("EventType"))
	if event == "" {
		return nil, &InputError{Field: "EventType", Expected: "the name of the event"}
	}
	if parts := uazapiData(top); event == "messages" && fieldsOf(top["message"]) == nil && len(parts) > 0 {
		return parseEach(uazapiDeliveries(top.with("event", "messages"), parts))
	}
	base := Message{
		Format:   formatUAZAPI,
		Instance: line(firstText(top.text("instanceName"), uazapiInstance(top).text("name")), maxInstance),
		Token:    token(top.text("token")),
		Owner:    ownNumber(top.text("owner")),
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
	if message.Phone == "" {
		message.Phone = chat.phone()
	}
	message.ChatIDs = from.ids(chat)
	if message.Owner == "" {
		message.Owner = ownNumber(from.Owner)
	}
	message.ToSelf = isToSelf(message) || message.FromMe && isSame(from.ChatID, from.SenderLID)
	message.Automatic = from.Campaign != "" || from.AI.or().Agent != ""
	said := uazapiContent(from)
	message.Text, message.Media = body(said.text), said.media
	message.Quotes = from.quotes()
	message.At = from.Timestamp.Time
	message.Target = line(said.target, maxID)
	if message.ID = unowned(firstText(from.MessageID, from.ID)); message.ID == "" {
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

// unowned returns the id that receipts name; the field id of UAZAPI has the owner's number in
// front of it.
func unowned(id text) string {
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
	return unowned(original)
}

// uazapiContent reads what a message says: its text, what was chosen, and else its content,
// which is a string for plain messages and WhatsApp's own type for all others. The id of what
// was chosen is nothing that the customer saw: it is read where there is nothing else.
func uazapiContent(from uazapiMessage) content {
	kind := strings.ToLower(string(from.MessageType))
	if strings.EqualFold(string(from.Type), "reaction") || strings.HasPrefix(kind, "reaction") {
		inner := readReaction(orNull(from.Content))
		target := text(unowned(firstText(from.Reaction, inner.target)))
		return content{reaction: true, target: target, text: firstText(from.Text, inner.text)}
	}
	if from.isCard() {
		return aContact // the text, where there is one, is the card or its name
	}
	if mediaKind(from.MediaType, from.MessageType) == mediaLocation {
		from.Text = "" // the name of the place, which may be somebody's; a caption is in the content
	}
	said := firstText(from.Text, from.Vote, from.ButtonOrListID)
	switch {
	case strings.Contains(kind, "pollupdate"):
		said = firstText(said, readVote(from.Content), readContent(from.Content, 0).text)
		return content{text: said, nothing: said == ""}
	case strings.HasPrefix(kind, "protocol"), strings.HasPrefix(kind, "encreaction"),
		strings.HasPrefix(kind, "secretencrypted"):
		return content{text: said, nothing: said == "" || uazapiEdits(from.Edited, "x") == ""}
	}
	if plain := kind == "" || strings.HasPrefix(kind, "conversation") ||
		strings.HasPrefix(kind, "extendedtext"); !plain {
		from.Content = decoded(from.Content)
	}
	found := uazapiWritten(from, kind)
	switch {
	case found.media == mediaContact:
		return aContact
	case found.text == "" && said != "" && !found.reaction && found.edits == "":
		found.text, found.nothing = said, false
	case !found.found() && strings.EqualFold(string(from.Type), "media"):
		found.media = mediaFile
	}
	return found
}

// isCard says whether a message is a contact card, or holds one.
func (m uazapiMessage) isCard() bool {
	about := typesOf(decoded(m.Content))
	return mediaKind(m.MediaType, m.MessageType) == mediaContact ||
		mediaKind(m.Type) == mediaContact || isCard(m.Text) ||
		about.hasAny("vcard", "vCard", "contacts", "contactMessage", "contactsArrayMessage")
}

// decoded returns a content of another type than a text that is written as JSON in a string.
func decoded(data json.RawMessage) json.RawMessage {
	if len(data) == 0 || data[0] != '"' {
		return data
	}
	var plain text
	_ = plain.UnmarshalJSON(data)
	inner := strings.TrimSpace(string(plain))
	if len(inner) > maxParams || !json.Valid([]byte(inner)) || !strings.HasPrefix(inner, "{") {
		return data
	}
	return json.RawMessage(inner)
}

// uazapiWritten reads a message that is written, or media. The picture of a text is that of
// the page it links to.
func uazapiWritten(from uazapiMessage, kind string) content {
	found := content{text: firstText(from.Text, from.Vote)}
	business := strings.HasPrefix(kind, "order") || strings.HasPrefix(kind, "product")
	if kind != "conversation" && kind != "extendedtextmessage" {
		found.media = mediaKind(from.MediaType, from.MessageType)
	}
	if kind == "" {
		if inner := readContent(from.Content, 0); inner.media != "" {
			inner.text = firstText(found.text, inner.text)
			return inner
		}
	}
	if found.text == "" && !business {
		found.text = contentText(from.Content, kind, found.media)
	}
	if isCard(found.text) {
		return aContact
	}
	if found.media == "" && (found.text == "" || business || strings.HasPrefix(kind, "viewonce")) {
		inner := readContent(wrapped(from.MessageType, from.Content), 0)
		if !inner.found() {
			inner = readContent(from.Content, 0)
		}
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
	if name == "" || len(data) == 0 || data[0] != '{' || line(messageType, maxID) != name ||
		strings.ContainsAny(name, `"\<>&`) {
		return data
	}
	name = strings.ToLower(name[:1]) + name[1:]
	return append(append([]byte(`{"`+name+`":`), data...), '}')
}

// contentText reads a text out of a content: the caption, what the customer chose in a list
// or of buttons, or the question of a poll. The title of a document is no text.
func contentText(data json.RawMessage, kind, media string) text {
	switch {
	case len(data) == 0:
		return ""
	case data[0] == '"', strings.Contains(kind, "response"), strings.Contains(kind, "reply"):
		return readChoice(data)
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
	if said := readContent(rich.or().Message, 0).text; said != "" {
		return said
	}
	return readContent(data, 0).text // under the name of its type
}

// mediaKinds are the kinds of messages that are more than text, by words that appear in
// a mediaType or messageType.
var mediaKinds = []struct{ word, kind string }{
	{"ptt", "audio"}, {"audio", "audio"},
	{"image", "image"},
	{"video", "video"}, {"ptv", "video"}, {"gif", "video"},
	{"document", "document"},
	{"sticker", "sticker"},
	{"location", mediaLocation},
	{"contact", mediaContact}, {"vcard", mediaContact},
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
	SenderLID   text   `json:"sender_lid"`
	Type        text   `json:"Type"`
	Timestamp   moment `json:"Timestamp"`
	IsFromMe    flag   `json:"IsFromMe"`
	IsGroup     flag   `json:"IsGroup"`
	// Of a message that is told with its status.
	MessageID text `json:"messageid"`
	ID        text `json:"id"`
	ChatID    text `json:"chatid"`
	Status    text `json:"status"`
	FromMe    flag `json:"fromMe"`
}

// asReceipt returns the receipt that a message with its status stands for: of a message of
// ours, where it is from the paired number.
func (r uazapiReceipt) asReceipt() uazapiReceipt {
	if id := firstText(r.MessageID, r.ID); len(r.MessageIDs) == 0 && id != "" && r.Status != "" {
		return uazapiReceipt{
			MessageIDs: texts{id}, Chat: firstText(r.Chat, r.ChatID), Type: r.Status, Timestamp: r.Timestamp,
			IsGroup: r.IsGroup, Sender: "someone", IsFromMe: !r.FromMe,
		}
	}
	return r
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
	from := event.value.asReceipt()
	base.FromMe = from.ofOurs()
	base.Phone = firstPhone(from.Chat)
	if base.Phone == "" && !bool(from.IsFromMe) {
		base.Phone = firstPhone(from.SenderPhone, from.Sender)
	}
	base.At = from.Timestamp.Time
	if base.ChatIDs = chatIDs(from.Chat); !bool(from.IsFromMe) {
		base.ChatIDs = chatIDs(from.Chat, from.SenderPhone, from.SenderLID, from.Sender)
	}
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
		if base.ID = unowned(id); base.ID != "" {
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
