package dialects

import (
	"encoding/json"
)

const dialectLegacy = "legacy"

// legacyDelivery is the shape that the old backend read, and megaapi's, which is the
// same with the key beside the message: Baileys' message in a thin envelope.
type legacyDelivery struct {
	InstanceName text                  `json:"instanceName"`
	InstanceKey  text                  `json:"instance_key"`
	Token        text                  `json:"token"`
	Key          object[legacyKey]     `json:"key"`
	Message      object[legacyMessage] `json:"message"`
	Timestamp    moment                `json:"messageTimestamp"`
}

type legacyKey struct {
	RemoteJID    text `json:"remoteJid"`
	RemoteJIDAlt text `json:"remoteJidAlt"`
	SenderPhone  text `json:"senderPn"`
	FromMe       flag `json:"fromMe"`
	ID           text `json:"id"`
}

type legacyMessage struct {
	Key object[legacyKey] `json:"key"`
	legacyContent
	Message   object[legacyContent] `json:"message"`
	Timestamp moment                `json:"messageTimestamp"`
}

// legacyContent is what was written. A disappearing message wraps it once more.
type legacyContent struct {
	Conversation text              `json:"conversation"`
	Extended     legacyExtended    `json:"extendedTextMessage"`
	Ephemeral    object[ephemeral] `json:"ephemeralMessage"`
}

type ephemeral struct {
	Message object[struct {
		Conversation text           `json:"conversation"`
		Extended     legacyExtended `json:"extendedTextMessage"`
	}] `json:"message"`
}

func (c legacyContent) texts() []text {
	hidden := c.Ephemeral.or().Message.or()
	return []text{c.Conversation, text(c.Extended), hidden.Conversation, text(hidden.Extended)}
}

// legacyExtended is the text of an extendedTextMessage: an object with text, or the text.
type legacyExtended text

// UnmarshalJSON never fails.
func (e *legacyExtended) UnmarshalJSON(data []byte) error {
	var extended struct {
		Text text `json:"text"`
	}
	if data[0] != '{' {
		return (*text)(e).UnmarshalJSON(data)
	}
	_ = json.Unmarshal(data, &extended)
	*e = legacyExtended(extended.Text)
	return nil
}

func matchesLegacy(has func(string) bool) bool { return has("message") || has("key") }

// parseLegacy reads a message as the old backend did: own messages and those without
// text are dropped.
func parseLegacy(data []byte) ([]Message, error) {
	var delivery legacyDelivery
	if err := decode(data, &delivery); err != nil {
		return nil, err
	}
	if delivery.Message.wrong {
		return nil, &InputError{Field: "message", Expected: "an object"}
	}
	from := delivery.Message.or()
	key := from.Key.value
	if key == nil {
		key = delivery.Key.value
	}
	if key == nil {
		return nil, &InputError{Field: "message.key", Expected: "an object"}
	}
	message := Message{
		Dialect:  dialectLegacy,
		Instance: line(delivery.InstanceName, maxInstance),
		Token:    token(delivery.Token),
		Kind:     Inbound,
		ID:       line(key.ID, maxID),
		Phone:    firstPhone(string(key.RemoteJID), string(key.RemoteJIDAlt), string(key.SenderPhone)),
		FromMe:   bool(key.FromMe),
		Text:     body(append(from.texts(), from.Message.or().texts()...)...),
		At:       from.Timestamp.Time,
	}
	if message.Instance == "" {
		message.Instance = line(delivery.InstanceKey, maxInstance)
	}
	if message.At.IsZero() {
		message.At = delivery.Timestamp.Time
	}
	if message.ID == "" {
		message.ID = derivedID(message)
	}
	switch reason := whereFrom(string(key.RemoteJID)); {
	case reason != "":
		message = ignored(message, reason)
	case message.FromMe:
		message = ignored(message, ReasonOwnMessage)
	case message.Phone == "":
		message = ignored(message, ReasonNoPhone)
	case message.Text == "":
		message = ignored(message, ReasonEmpty)
	}
	return []Message{message}, nil
}
