package formats

const formatLegacy = "legacy"

func matchesLegacy(top fields) bool { return top.Has("message", "key") }

// parseLegacy reads what the old backend read: {instanceName, message: {key, …}}, with what
// was written in the message, or one message deeper. Its key may be beside the message.
func parseLegacy(top fields) ([]Message, error) {
	return keyedMessage(Message{
		Format:   formatLegacy,
		Instance: line(top.Word("instanceName"), maxInstance),
		Token:    token(top.Word("token")),
		Owner:    ownNumber(top.Word("owner"), top.Word("jid")),
		History:  isHistory(top),
	}, top)
}

// keyedMessage reads a message that holds its own key.
func keyedMessage(base Message, top fields) ([]Message, error) {
	message := top.Child("message")
	if data := top.At("message"); message == nil && data.Is() {
		return nil, &InputError{Field: "message", Expected: "an object"}
	}
	key, found := keyOf(message.At("key"))
	if !found {
		key, found = keyOf(top.At("key"))
	}
	if !found {
		return nil, &InputError{Field: "message.key", Expected: "an object"}
	}
	if base.At = momentOf(message.At("messageTimestamp")); base.At.IsZero() {
		base.At = momentOf(top.At("messageTimestamp"))
	}
	if base.Quotes == "" {
		base.Quotes = quotedBeside(top)
	}
	return []Message{baileysMessage(base, key, readContent(top.At("message"), 0))}, nil
}
