package formats

const formatMegaAPI = "megaapi"

func matchesMegaAPI(top fields) bool {
	return top.has("instance_key") && (top.hasAny("key", "message", "messageType") || !top.hasAny(wraps...))
}

// parseMegaAPI reads megaapi's shape: Baileys' message with the instance's key and, as jid,
// the paired number beside it. Facts: its documentation of webhooks. It documents received
// messages only; that receipts have the status beside the key, or in an update, as in
// Baileys, is not confirmed.
func parseMegaAPI(top fields) ([]Message, error) {
	base := Message{
		Format:   formatMegaAPI,
		Instance: line(top.text("instance_key"), maxInstance),
		Token:    token(top.text("token")),
		Owner:    ownNumber(top.text("jid")),
		History:  isHistory(top),
		Quotes:   quotedBeside(top),
		At:       top.moment("messageTimestamp").Time,
	}
	var key object[baileysKey]
	top.read("key", &key)
	if key.value == nil {
		return megaAPIOther(base, top)
	}
	update := fieldsOf(top["update"])
	status := statusOf(firstText(update.text("status"), top.text("status"), top.text("ack")))
	if top.has("message") || status == "" {
		return []Message{baileysMessage(base, *key.value, readContent(top["message"], 0))}, nil
	}
	base.ID, base.Phone, base.FromMe = line(key.value.ID, maxID), key.value.phone(), bool(key.value.FromMe)
	base.ChatIDs = key.value.ids()
	switch where := whereFrom(key.value.chats()...); {
	case where != "":
		base = ignored(base, where)
	case base.ID == "":
		base = ignored(base, ReasonEventNotUsed)
	default:
		base.Kind, base.Status = Receipt, status
	}
	return []Message{base}, nil
}

// megaAPIOther reads a delivery without a key: a message that has it inside, or an event of
// another kind, of which only the name is known.
func megaAPIOther(base Message, top fields) ([]Message, error) {
	if fieldsOf(top["message"]).has("key") {
		return keyedMessage(base, top)
	}
	if top.has("message") || top.text("messageType") == "" {
		return nil, &InputError{Field: "key", Expected: "an object"}
	}
	return []Message{ignored(base, ReasonUnknownEvent)}, nil
}
