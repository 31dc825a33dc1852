package formats

const formatMegaAPI = "megaapi"

func matchesMegaAPI(top fields) bool {
	return top.Has("instance_key") && (top.Has("key", "message", "messageType") || !top.Has(wraps...))
}

// parseMegaAPI reads megaapi's shape: Baileys' message with the instance's key and, as jid,
// the paired number beside it. Facts: its documentation of webhooks. It documents received
// messages only; that receipts have the status beside the key, or in an update, as in
// Baileys, is not confirmed.
func parseMegaAPI(top fields) ([]Message, error) {
	base := Message{
		Format:   formatMegaAPI,
		Instance: line(top.Word("instance_key"), maxInstance),
		Token:    token(top.Word("token")),
		Owner:    ownNumber(top.Word("jid")),
		History:  isHistory(top),
		Quotes:   quotedBeside(top),
		At:       momentOf(top.At("messageTimestamp")),
	}
	key, found := keyOf(top.At("key"))
	if !found {
		return megaAPIOther(base, top)
	}
	update := top.Child("update")
	status := statusOf(firstText(update.Word("status"), top.Word("status"), top.Word("ack")))
	if top.Has("message") || status == "" {
		return []Message{baileysMessage(base, key, readContent(top.At("message"), 0))}, nil
	}
	base.ID, base.Phone, base.FromMe = line(key.id, maxID), key.phone(), key.fromMe
	base.ChatIDs = key.ids()
	switch where := whereFrom(key.chats()...); {
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
	if top.Child("message").Has("key") {
		return keyedMessage(base, top)
	}
	if top.Has("message") || top.Word("messageType") == "" {
		return nil, &InputError{Field: "key", Expected: "an object"}
	}
	return []Message{ignored(base, ReasonUnknownEvent)}, nil
}
