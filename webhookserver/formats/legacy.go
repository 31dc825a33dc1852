package formats

const formatLegacy = "legacy"

func matchesLegacy(top fields) bool { return top.hasAny("message", "key") }

// parseLegacy reads what the old backend read: {instanceName, message: {key, …}}, with what
// was written in the message, or one message deeper. Its key may be beside the message.
func parseLegacy(top fields) ([]Message, error) {
	return keyedMessage(Message{
		Format:   formatLegacy,
		Instance: line(top.text("instanceName"), maxInstance),
		Token:    token(top.text("token")),
		Owner:    ownNumber(top.text("owner"), top.text("jid")),
		History:  isHistory(top),
	}, top)
}

// keyedMessage reads a message that holds its own key.
func keyedMessage(base Message, top fields) ([]Message, error) {
	message := fieldsOf(top["message"])
	if data := top["message"]; message == nil && len(data) > 0 && string(data) != "null" {
		return nil, &InputError{Field: "message", Expected: "an object"}
	}
	var key object[baileysKey]
	if message.read("key", &key); key.value == nil {
		top.read("key", &key)
	}
	if key.value == nil {
		return nil, &InputError{Field: "message.key", Expected: "an object"}
	}
	if base.At = message.moment("messageTimestamp").Time; base.At.IsZero() {
		base.At = top.moment("messageTimestamp").Time
	}
	if base.Quotes == "" {
		base.Quotes = quotedBeside(top)
	}
	return []Message{baileysMessage(base, *key.value, readContent(top["message"], 0))}, nil
}
