package dialects

import (
	"encoding/json"
	"slices"
	"strings"
)

// ReasonSentByAPI is the reason of a message of the paired number that was sent through
// the gateway: one of ours coming back. ReasonOwnMessage, in contrast, is one that a
// person wrote on the paired phone.
const ReasonSentByAPI = "SentByAPI"

const dialectUAZAPI = "uazapi"

// uazapiDelivery is the envelope of UAZAPI v2's webhooks. Facts: captured deliveries.
type uazapiDelivery struct {
	EventType    text                   `json:"EventType"`
	InstanceName text                   `json:"instanceName"`
	Token        text                   `json:"token"`
	State        text                   `json:"state"`
	Chat         object[uazapiChat]     `json:"chat"`
	Message      object[uazapiMessage]  `json:"message"`
	Event        object[uazapiReceipt]  `json:"event"`
	Instance     object[uazapiInstance] `json:"instance"`
}

type uazapiChat struct {
	ChatID text `json:"wa_chatid"`
}

type uazapiInstance struct {
	Name text `json:"name"`
}

// uazapiMessage is a message. Its sender is usually a hidden id (@lid), never to be taken
// for the phone.
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
	Edited         text            `json:"edited"`
	Vote           text            `json:"vote"`
	ButtonOrListID text            `json:"buttonOrListid"`
}

// uazapiReceipt is the event of messages_update.
type uazapiReceipt struct {
	MessageIDs  texts  `json:"MessageIDs"`
	Chat        text   `json:"Chat"`
	SenderPhone text   `json:"sender_pn"`
	Type        text   `json:"Type"`
	Timestamp   moment `json:"Timestamp"`
	IsFromMe    flag   `json:"IsFromMe"`
	IsGroup     flag   `json:"IsGroup"`
}

func matchesUAZAPI(has func(string) bool) bool { return has("EventType") }

func parseUAZAPI(data []byte) ([]Message, error) {
	var delivery uazapiDelivery
	if err := decode(data, &delivery); err != nil {
		return nil, err
	}
	base := Message{Dialect: dialectUAZAPI, Instance: line(delivery.InstanceName, maxInstance), Token: token(delivery.Token)}
	if base.Instance == "" {
		base.Instance = line(delivery.Instance.or().Name, maxInstance)
	}
	switch strings.ToLower(string(delivery.EventType)) {
	case "":
		return nil, &InputError{Field: "EventType", Expected: "the name of the event"}
	case "messages":
		if delivery.Message.value == nil {
			return nil, &InputError{Field: "message", Expected: "an object"}
		}
		return []Message{uazapiInbound(base, *delivery.Message.value, string(delivery.Chat.or().ChatID))}, nil
	case "messages_update":
		if delivery.Event.wrong {
			return nil, &InputError{Field: "event", Expected: "an object"}
		}
		return uazapiReceipts(base, delivery.Event.or(), delivery.State), nil
	case "connection":
		base.Kind = ConnectionChange
		return []Message{base}, nil
	}
	return []Message{ignored(base, ReasonUnknownEvent)}, nil
}

func ignored(message Message, reason string) Message {
	message.Kind, message.Reason = Ignored, reason
	return message
}

// uazapiInbound reads a message. An ignored one keeps what was read of it.
func uazapiInbound(message Message, from uazapiMessage, waChatID string) Message {
	chat := string(from.ChatID)
	message.Kind = Inbound
	message.FromMe = bool(from.FromMe)
	message.Phone = firstPhone(string(from.SenderPhone), chat, waChatID)
	if message.FromMe { // then the sender is the paired number itself
		message.Phone = firstPhone(chat, waChatID)
	}
	message.Media = mediaKind(from.MediaType, from.MessageType)
	message.Text = body(from.Text, from.Vote, from.ButtonOrListID, contentText(from.Content))
	message.At = from.Timestamp.Time
	message.ID = uazapiMessageID(from)
	if message.ID == "" {
		message.ID = derivedID(message)
	}
	switch reason := whereFrom(chat, waChatID); {
	case reason != "":
		return ignored(message, reason)
	case bool(from.IsGroup):
		return ignored(message, ReasonGroup)
	case from.Type == "reaction" || strings.HasPrefix(string(from.MessageType), "Reaction"):
		return ignored(message, ReasonReaction)
	case !slices.Contains([]text{"", "0", "false"}, from.Edited):
		return ignored(message, ReasonEdited)
	case message.FromMe && bool(from.WasSentByAPI):
		return ignored(message, ReasonSentByAPI)
	case message.FromMe:
		return ignored(message, ReasonOwnMessage)
	case message.Phone == "":
		return ignored(message, ReasonNoPhone)
	case message.Text == "" && message.Media == "":
		return ignored(message, ReasonEmpty)
	}
	return message
}

// uazapiMessageID prefers the id that receipts name; id has the owner's number in front.
func uazapiMessageID(from uazapiMessage) string {
	if id := line(from.MessageID, maxID); id != "" {
		return id
	}
	id := string(from.ID)
	if _, after, found := strings.Cut(id, ":"); found {
		id = after
	}
	return line(text(id), maxID)
}

// contentText reads what a message says where its text field does not: the content is a
// string for plain messages, and an object for all others.
func contentText(content json.RawMessage) text {
	if len(content) == 0 {
		return ""
	}
	if content[0] == '"' {
		var plain text
		_ = json.Unmarshal(content, &plain)
		return plain
	}
	var rich struct {
		Text    text `json:"text"`
		Caption text `json:"caption"`
	}
	_ = json.Unmarshal(content, &rich)
	if rich.Text != "" {
		return rich.Text
	}
	return rich.Caption
}

// mediaKinds are the kinds of messages that are more than text, by words that appear in
// a mediaType or messageType.
var mediaKinds = []struct{ word, kind string }{
	{"ptt", "audio"}, {"audio", "audio"},
	{"image", "image"},
	{"video", "video"}, {"ptv", "video"},
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

// uazapiReceipts reads a messages_update: one receipt for each message it names.
func uazapiReceipts(base Message, from uazapiReceipt, state text) []Message {
	kind := from.Type
	if kind == "" {
		kind = state
	}
	base.Kind = Receipt
	base.FromMe = bool(from.IsFromMe)
	base.Phone = firstPhone(string(from.Chat), string(from.SenderPhone))
	base.At = from.Timestamp.Time
	switch reason := whereFrom(string(from.Chat)); {
	case reason != "":
		return []Message{ignored(base, reason)}
	case bool(from.IsGroup):
		return []Message{ignored(base, ReasonGroup)}
	}
	var receipts []Message
	switch strings.ToLower(string(kind)) {
	case "delivered", "read", "played":
		for _, id := range from.MessageIDs[:min(len(from.MessageIDs), maxReceipts)] {
			receipt := base
			if receipt.ID = line(id, maxID); receipt.ID != "" {
				receipts = append(receipts, receipt)
			}
		}
	}
	if len(receipts) == 0 {
		return []Message{ignored(base, ReasonUnknownEvent)}
	}
	return receipts
}
