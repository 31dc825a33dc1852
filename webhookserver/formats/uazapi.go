package formats

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"cartrecovery.dev/operator/internal/lax"
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

// uazapiChat is the chat of a message, by the names of its fields in small letters.
type uazapiChat struct{ fields }

// phone returns the chat's phone as UAZAPI shows it to people ("+55 31 98877-6655"), "" where
// it is not whole.
func (c uazapiChat) phone() string {
	shown := strings.TrimSpace(c.Word("phone"))
	if e164, ok := phone.Normalize(shown, ""); ok && strings.HasPrefix(shown, "+") && !c.At("wa_isgroup").True() {
		return phone.Digits(e164)
	}
	return ""
}

// uazapiMessage is a message. Its sender is usually a hidden id (@lid), never to be taken
// for the phone. Facts: captured deliveries.
// By the names of its fields in small letters.
type uazapiMessage struct{ fields }

func (m uazapiMessage) fromMe() bool { return m.At("fromme").True() }

// ids are those of the other side. With fromMe the sender is the paired number itself.
func (m uazapiMessage) ids(chat uazapiChat) []string {
	ofChat := []string{m.Word("chatid"), chat.Word("wa_chatid"), m.Word("chatlid"), chat.Word("wa_chatlid")}
	if m.fromMe() {
		return chatIDs(ofChat...)
	}
	return chatIDs(slices.Concat([]string{m.Word("sender_pn")}, ofChat,
		[]string{m.Word("sender_lid"), m.Word("sender")})...)
}

// quotes returns the id of the message that is quoted: a field of its own, which some servers
// fill with the message itself, or that of the content.
func (m uazapiMessage) quotes() string {
	about := m.At("quoted").Object()
	for _, id := range []string{
		m.Word("quoted"), about.Word("messageid"), about.Word("id"), about.Word("stanzaID"),
		about.Child("key").Word("id"), m.Word("replyid"), m.Word("quotedmessageid"),
	} {
		if found := unowned(id); found != "" {
			return found
		}
	}
	if found := contextID(lax.Some(map[string]lax.Value{"contextInfo": m.At("contextinfo")})); found != "" {
		return found
	}
	return quoted(decoded(m.At("content")))
}

func matchesUAZAPI(top fields) bool {
	return top.Has("EventType") || isUAZAPIWrapper(top) || isUAZAPIMessage(top.Child("message"))
}

func parseUAZAPI(top fields) ([]Message, error) {
	if !top.Has("EventType") {
		return parseUAZAPIWrapper(top)
	}
	event := uazapiEvent(top.Word("EventType"))
	if event == "" {
		return nil, &InputError{Field: "EventType", Expected: "the name of the event"}
	}
	if parts := uazapiData(top); event == "messages" && top.Child("message") == nil && len(parts) > 0 {
		return parseEach(uazapiDeliveries(with(top, "event", "messages"), parts))
	}
	base := Message{
		Format:   formatUAZAPI,
		Instance: line(firstText(top.Word("instanceName"), uazapiInstance(top).Word("name")), maxInstance),
		Token:    token(top.Word("token")),
		Owner:    ownNumber(top.Word("owner")),
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
	return top.At("instance").Within(maxParams).Object()
}

func uazapiMessages(base Message, top fields) ([]Message, error) {
	from := uazapiMessage{top.At("message").Folded()}
	if from.fields == nil {
		return nil, &InputError{Field: "message", Expected: "an object"}
	}
	return []Message{uazapiOne(base, from, uazapiChat{top.At("chat").Folded()})}, nil
}

func uazapiOne(message Message, from uazapiMessage, chat uazapiChat) Message {
	message.FromMe = from.fromMe()
	message.Phone = firstPhone(from.Word("chatid"), chat.Word("wa_chatid"))
	if !message.FromMe { // else the sender is the paired number itself
		message.Phone = firstPhone(from.Word("sender_pn"), from.Word("chatid"), chat.Word("wa_chatid"))
	}
	if message.Phone == "" {
		message.Phone = chat.phone()
	}
	message.ChatIDs = from.ids(chat)
	if message.Owner == "" {
		message.Owner = ownNumber(from.Word("owner"))
	}
	message.ToSelf = isToSelf(message) || message.FromMe && isSame(from.Word("chatid"), from.Word("sender_lid"))
	message.Automatic = from.Word("send_folder_id") != "" || from.At("ai_metadata").Folded().Word("agent_id") != ""
	message.Quotes = from.quotes()
	said := uazapiContent(from)
	message.Text, message.Media = body(said.text), said.media
	message.At = momentOf(from.At("messagetimestamp"))
	message.Target = line(said.target, maxID)
	if message.ID = unowned(firstText(from.Word("messageid"), from.Word("id"))); message.ID == "" {
		message.ID = derivedID(message)
	}
	return classify(message, told{
		chats:     []string{from.Word("chatid"), chat.Word("wa_chatid")},
		group:     from.At("isgroup").True() || chat.At("wa_isgroup").True(),
		sentByAPI: message.FromMe && from.At("wassentbyapi").True(),
		nothing:   said.nothing,
		reaction:  said.reaction,
		edits:     uazapiEdits(from.At("edited"), message.ID),
	})
}

// unowned returns the id that receipts name; the field id of UAZAPI has the owner's number in
// front of it.
func unowned(id string) string {
	if _, after, found := strings.Cut(id, ":"); found {
		id = after
	}
	return line(id, maxID)
}

// uazapiEdits returns the id of the message that was edited; "" when none was. own is that
// of the message itself, for servers that say only that it was edited.
func uazapiEdits(data lax.Value, own string) string {
	original := data.Word()
	if data.Kind() == lax.Truth {
		original = strconv.FormatBool(data.True())
	}
	switch strings.ToLower(strings.TrimSpace(original)) {
	case "", "0", "1", "false", "true":
		if data.True() {
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
	kind := strings.ToLower(from.Word("messagetype"))
	if strings.EqualFold(from.Word("type"), "reaction") || strings.HasPrefix(kind, "reaction") {
		inner := readReaction(from.At("content"))
		target := unowned(firstText(from.Word("reaction"), inner.target))
		return content{reaction: true, target: target, text: firstText(from.Word("text"), inner.text)}
	}
	if from.isCard() {
		return aContact // the text, where there is one, is the card or its name
	}
	if mediaKind(from.Word("mediatype"), from.Word("messagetype")) == mediaLocation {
		from.Set("text", lax.Value{}) // the name of the place, which may be somebody's; a caption is in the content
	}
	said := firstText(from.Word("text"), from.Word("vote"), from.Word("buttonorlistid"))
	switch {
	case strings.Contains(kind, "pollupdate"):
		said = firstText(said, readVote(from.At("content")), readContent(from.At("content"), 0).text)
		return content{text: said, nothing: said == ""}
	case strings.HasPrefix(kind, "protocol"), strings.HasPrefix(kind, "encreaction"),
		strings.HasPrefix(kind, "secretencrypted"):
		return content{text: said, nothing: said == "" || uazapiEdits(from.At("edited"), "x") == ""}
	}
	if plain := kind == "" || strings.HasPrefix(kind, "conversation") ||
		strings.HasPrefix(kind, "extendedtext"); !plain {
		from.Set("content", decoded(from.At("content")))
	}
	found := uazapiWritten(from, kind)
	switch {
	case found.media == mediaContact:
		return aContact
	case found.text == "" && said != "" && !found.reaction && found.edits == "":
		found.text, found.nothing = said, false
	case !found.found() && strings.EqualFold(from.Word("type"), "media"):
		found.media = mediaFile
	}
	return found
}

// isCard says whether a message is a contact card, or holds one.
func (m uazapiMessage) isCard() bool {
	about := typesOf(decoded(m.At("content")))
	return mediaKind(m.Word("mediatype"), m.Word("messagetype")) == mediaContact ||
		mediaKind(m.Word("type")) == mediaContact || isCard(m.Word("text")) ||
		about.Has("vcard", "vCard", "contacts", "contactMessage", "contactsArrayMessage")
}

// decoded returns a content of another type than a text that is written as JSON in a string.
func decoded(data lax.Value) lax.Value { return data.Within(maxParams) }

// uazapiWritten reads a message that is written, or media. The picture of a text is that of
// the page it links to.
func uazapiWritten(from uazapiMessage, kind string) content {
	found := content{text: firstText(from.Word("text"), from.Word("vote"))}
	business := strings.HasPrefix(kind, "order") || strings.HasPrefix(kind, "product")
	if kind != "conversation" && kind != "extendedtextmessage" {
		found.media = mediaKind(from.Word("mediatype"), from.Word("messagetype"))
	}
	if kind == "" {
		if inner := readContent(from.At("content"), 0); inner.media != "" {
			inner.text = firstText(found.text, inner.text)
			return inner
		}
	}
	if found.text == "" && !business {
		found.text = contentText(from.At("content"), kind, found.media)
	}
	if isCard(found.text) {
		return aContact
	}
	if found.media == "" && (found.text == "" || business || strings.HasPrefix(kind, "viewonce")) {
		inner := readContent(wrapped(from.Word("messagetype"), from.At("content")), 0)
		if !inner.found() {
			inner = readContent(from.At("content"), 0)
		}
		inner.text = firstText(found.text, inner.text)
		return inner
	}
	return found
}

// wrapped puts a content under its type, as WhatsApp has it, so that the wrappers of
// disappearing messages and of those to be viewed once are gone through. It never takes
// the type for more than a name.
func wrapped(messageType string, data lax.Value) lax.Value {
	if messageType == "" || data.Kind() != lax.Object || line(messageType, maxID) != messageType ||
		strings.ContainsAny(messageType, `"\<>&`) {
		return data
	}
	name := strings.ToLower(messageType[:1]) + messageType[1:]
	return lax.Made(lax.Some(map[string]lax.Value{name: data}))
}

// contentText reads a text out of a content: the caption, what the customer chose in a list
// or of buttons, or the question of a poll. The title of a document is no text.
func contentText(data lax.Value, kind, media string) string {
	switch {
	case data.Kind() == lax.Text, data.Is() && (strings.Contains(kind, "response") || strings.Contains(kind, "reply")):
		return readChoice(data)
	case data.Kind() != lax.Object:
		return ""
	}
	rich := data.Folded()
	if media == "poll" {
		return rich.Word("name")
	}
	if said := firstText(rich.Word("text"), rich.Word("caption")); said != "" {
		return said
	}
	// A wrapper holds it in its message, such as a document with its caption.
	if said := readContent(rich.At("message"), 0).text; said != "" {
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
func mediaKind(types ...string) string {
	for _, each := range types {
		lower := strings.ToLower(each)
		for _, media := range mediaKinds {
			if strings.Contains(lower, media.word) {
				return media.kind
			}
		}
	}
	return ""
}

// uazapiReceipt is the event of messages_update, by the names of its fields in small letters. Flags and times can
// be strings.
type uazapiReceipt struct {
	ids               []string
	chat, sender      string
	senderPhone       string
	senderLID, status string
	at                time.Time
	isFromMe, isGroup bool
}

// receiptOf reads a receipt, or what stands for one: a message of the paired number that is delivered again with its
// status.
func receiptOf(from fields) uazapiReceipt {
	receipt := uazapiReceipt{
		ids: words(from.At("messageids")), chat: from.Word("chat"), status: from.Word("type"),
		at: momentOf(from.At("timestamp")), isGroup: from.At("isgroup").True(),
	}
	id := firstText(from.Word("messageid"), from.Word("id"))
	if status := from.Word("status"); len(receipt.ids) == 0 && id != "" && status != "" {
		receipt.ids, receipt.chat, receipt.status = []string{id}, firstText(receipt.chat, from.Word("chatid")), status
		receipt.sender, receipt.isFromMe = "someone", !from.At("fromme").True()
		return receipt
	}
	receipt.sender, receipt.senderPhone = from.Word("sender"), from.Word("sender_pn")
	receipt.senderLID, receipt.isFromMe = from.Word("sender_lid"), from.At("isfromme").True()
	return receipt
}

// isOfPairedNumber says whether the receipt may be of a message that the paired number sent. IsFromMe says who sent
// the receipt, not the message: captured receipts of the paired number's messages have False and the customer as the
// sender, and True is the paired phone that read what the customer wrote. A receipt with True that names the customer
// as its sender, or nobody, may be of such a message all the same: its ids tell.
func (r uazapiReceipt) isOfPairedNumber() bool {
	by := firstPhone(r.senderPhone, r.sender)
	return !r.isFromMe || r.sender == "" && r.senderPhone == "" || by != "" && by == firstPhone(r.chat)
}

// uazapiReceipts reads a messages_update: one receipt for each message it names.
func uazapiReceipts(base Message, top fields) ([]Message, error) {
	event := top.At("event").Folded()
	if event == nil {
		return nil, &InputError{Field: "event", Expected: "an object"}
	}
	from := receiptOf(event)
	base.FromMe = from.isOfPairedNumber()
	base.Phone = firstPhone(from.chat)
	if base.Phone == "" && !from.isFromMe {
		base.Phone = firstPhone(from.senderPhone, from.sender)
	}
	base.At = from.at
	if base.ChatIDs = chatIDs(from.chat); !from.isFromMe {
		base.ChatIDs = chatIDs(from.chat, from.senderPhone, from.senderLID, from.sender)
	}
	where := whereFrom(from.chat)
	switch {
	case where != "":
		return []Message{ignored(base, where)}, nil
	case from.isGroup:
		return []Message{ignored(base, ReasonGroup)}, nil
	}
	base.Status = statusOf(firstText(from.status, top.Word("state")))
	if base.Status == "" {
		return []Message{ignored(base, ReasonEventNotUsed)}, nil
	}
	base.Kind = Receipt
	var receipts []Message
	for _, id := range from.ids[:min(len(from.ids), maxMessages)] {
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
	word := firstText(about.Word("status"), top.Word("status"), top.Word("state"))
	plain := strings.TrimSpace(top.Word("instance"))
	switch {
	case word != "":
	case plain == "connected", plain == "connecting", plain == "disconnected", plain == "hibernated":
		word = plain
	case about.Word("lastDisconnectReason") != "":
		word = "disconnected"
	default:
		word = top.Word("type")
	}
	return connectionChange(base, word)
}
