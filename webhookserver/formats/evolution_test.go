package formats

import (
	"strings"
	"testing"
	"time"
)

func evolutionText() Message {
	return Message{
		Format: "evolution", Instance: "loja-leste", Token: "11111111-2222-4333-8444-555555555555", Kind: Inbound,
		ID: "3EB0E0E0E0E0E0E0E0E0", Phone: "553188776655", Text: "ainda tem desconto?",
		At: time.Unix(1767373445, 0).UTC(),
	}
}

func TestEvolutionMessage(t *testing.T) {
	for _, name := range []string{"conversation", "extended-text", "v1-conversation", "lid-with-alt",
		"lid-with-sender-pn", "ephemeral"} {
		t.Run(name, func(t *testing.T) { testMessages(t, fixture(t, "evolution/"+name+".json"), evolutionText()) })
	}
	const conversation = "evolution/conversation.json"
	for name, change := range map[string]change{
		"time as a string": {"data.messageTimestamp": "1767373445"},
		"time as a long": {"data.messageTimestamp": map[string]any{"low": 1767373445, "high": 0,
			"unsigned": true}},
		"an instance of two fields": {"instance": map[string]any{"instanceName": "loja-leste"}},
		"name with dashes":          {"event": "messages-upsert"},
		"a phone with a device":     {"data.key.remoteJid": "553188776655:12@s.whatsapp.net"},
		"no sender":                 {"sender": absent},
	} {
		t.Run(name, func(t *testing.T) { testMessages(t, changed(t, conversation, change), evolutionText()) })
	}
	t.Run("Baileys' own list", func(t *testing.T) {
		one := map[string]any{"key": map[string]any{"remoteJid": "553188776655@s.whatsapp.net",
			"id": "3EB0E0E0E0E0E0E0E0E0"}, "message": "ainda tem desconto?"}
		want := evolutionText()
		want.At = time.Time{}
		testMessages(t, changed(t, conversation,
			change{"data": map[string]any{"messages": []any{one}, "type": "notify"}}), want)
	})
}

// TestEvolutionToken: a sentence is no token, so that the header alone decides.
func TestEvolutionToken(t *testing.T) {
	for apikey, want := range map[any]string{
		"Apikey not found": "", "11111111-2222": "11111111-2222", nil: "", "a\u00a0b": "", "tab\t": "", 7: "7",
		strings.Repeat("x", maxToken+1): "",
	} {
		messages, err := Parse(changed(t, "evolution/conversation.json", change{"apikey": apikey}))
		if err != nil || messages[0].Token != want {
			t.Errorf("apikey %v: got the token %q, %v", apikey, messages[0].Token, err)
		}
	}
}

// TestEvolutionNeverGuesses: neither the instance's number nor a hidden id is the customer's.
func TestEvolutionNeverGuesses(t *testing.T) {
	const conversation = "evolution/conversation.json"
	testTable(t, []row{
		{"a hidden id", conversation, change{"data.key.remoteJid": "200300400500600@lid"},
			`Inbound: text "ainda tem desconto?"`},
		{"two hidden ids", conversation, change{"data.key.remoteJid": "200300400500600@lid",
			"data.key.senderPn": "1@lid"}, `Inbound: text "ainda tem desconto?"`},
		{"a participant only", conversation, change{
			"data.key.remoteJid": "200300400500600@lid", "data.key.participant": "553188776655@s.whatsapp.net",
		}, `Inbound: text "ainda tem desconto?"`},
		{"an id of nobody", conversation, change{"data.key.remoteJid": "200300400500600@hologram"}, "Ignored: NoPhone"},
		{"no chat", conversation, change{"data.key.remoteJid": absent}, "Ignored: NoPhone"},
		{"a group behind a phone", conversation, change{"data.key.remoteJidAlt": "120363000000000001@g.us"},
			"Ignored: GroupMessage"},
		{"nothing at all", conversation, change{"data": []any{}}, "Ignored: EmptyMessage"},
		{"a list of nothing", conversation, change{"data": []any{1, "x", nil}}, "Ignored: EmptyMessage"},
	})
}

// TestEvolutionEdited: messages.edited has the key as the editing phone sees it.
func TestEvolutionEdited(t *testing.T) {
	want := evolutionText()
	want.Kind, want.ID, want.Phone = Edited, "3EB0E0E0E0E0E0E0E000", ""
	want.Text, want.At = "ainda tem desconto hoje?", time.Unix(1767373475, 0).UTC()
	testMessages(t, fixture(t, "evolution/edited.json"), want)
	testMessages(t, fixture(t, "evolution/edited-lid.json"), want)
	want.Phone, want.At = "553188776655", time.Unix(1767373445, 0).UTC()
	testMessages(t, fixture(t, "evolution/edited-upsert.json"), want)
	testMessages(t, fixture(t, "evolution/edited-protocol.json"), want)
	testTable(t, []row{
		{"by the customer, told right", "evolution/edited.json", change{
			"data.key.remoteJid": "553188776655@s.whatsapp.net", "data.key.fromMe": false,
		}, `Edited from 553188776655: 3EB0E0E0E0E0E0E0E000 says text "ainda tem desconto hoje?"`},
		{"in a group", "evolution/edited.json", change{"data.key.remoteJid": "120363000000000001@g.us"},
			"Ignored: GroupMessage"},
		{"as a message", "evolution/edited.json", change{
			"data.key.remoteJid": "553188776655@s.whatsapp.net", "data.key.fromMe": false, "data.key.id": "new",
			"data.message": map[string]any{"protocolMessage": map[string]any{
				"key":           map[string]any{"id": "3EB0E0E0E0E0E0E0E000"},
				"editedMessage": map[string]any{"conversation": "oi"},
			}},
		}, `Edited from 553188776655: 3EB0E0E0E0E0E0E0E000 says text "oi"`},
		{"without an id", "evolution/edited.json", change{"data.key.id": ""}, "Ignored: EventNotUsed"},
		{"to nothing", "evolution/edited.json", change{"data.editedMessage": absent}, "Ignored: EmptyMessage"},
	})
}

// TestEvolutionOddElements: an element that cannot be read does not take the others with it.
func TestEvolutionOddElements(t *testing.T) {
	good := map[string]any{"key": map[string]any{"remoteJid": "553188776655@s.whatsapp.net", "id": "a"},
		"message": "oi"}
	odd := map[string]any{"key": nil, "message": "x"}
	messages, err := Parse(changed(t, "evolution/conversation.json", change{"data": []any{odd, good, 7, odd, good}}))
	if err != nil || len(messages) != 4 {
		t.Fatalf("got %d, %v", len(messages), err)
	}
	for i, want := range []string{"Ignored: EventNotUsed", `Inbound from 553188776655: text "oi"`,
		"Ignored: EventNotUsed", `Inbound from 553188776655: text "oi"`} {
		if got := describe(messages[i]); got != want {
			t.Errorf("%d is %s", i, got)
		}
	}
	testTable(t, []row{
		{"a protocol message without a key", "evolution/edited.json", change{"data.key": absent},
			"Ignored: EventNotUsed"},
		{"a setting of the chat", "evolution/edited.json",
			change{"data": map[string]any{"type": "EPHEMERAL_SETTING", "ephemeralExpiration": 86400}},
			"Ignored: EventNotUsed"},
	})
}

// TestEvolutionMany: no message is lost for the many others that come with it; receipts, and
// what is nobody's, are bounded.
func TestEvolutionMany(t *testing.T) {
	count := func(event string, each map[string]any) int {
		t.Helper()
		many := make([]any, 0, 500)
		for range 500 {
			many = append(many, each)
		}
		messages, err := Parse(changed(t, "evolution/conversation.json", change{"event": event, "data": many}))
		if err != nil {
			t.Fatal(err)
		}
		return len(messages)
	}
	key := map[string]any{"remoteJid": "553188776655@s.whatsapp.net", "id": "a"}
	for name, got := range map[string]struct{ count, want int }{
		"messages": {count("messages.upsert", map[string]any{"key": key, "message": "oi"}), 500},
		"edits": {count("messages.edited",
			map[string]any{"key": key, "editedMessage": map[string]any{"conversation": "oi"}}), 500},
		"receipts": {count("messages.update", map[string]any{"keyId": "a", "status": "READ"}), maxMessages},
		"nothing":  {count("messages.upsert", map[string]any{"key": key}), maxMessages},
	} {
		if got.count != got.want {
			t.Errorf("%d %s, want %d", got.count, name, got.want)
		}
	}
}

func TestEvolutionReceipt(t *testing.T) {
	want := evolutionText()
	want.Kind, want.ID, want.FromMe, want.Status, want.Text, want.At = Receipt, "3EB0000000000000AAAA", true, Read, "",
		time.Time{}
	testMessages(t, fixture(t, "evolution/receipt-read.json"), want)
	want.At = time.UnixMilli(1767373560000).UTC()
	testMessages(t, fixture(t, "evolution/receipt-v1.json"), want)
	const receipt = "evolution/receipt-read.json"
	read, delivered := "Receipt: 3EB0000000000000AAAA, Read, ours: true",
		"Receipt: 3EB0000000000000AAAA, Delivered, ours: true"
	testTable(t, []row{
		{"3", receipt, change{"data.status": 3}, delivered},
		{`"3"`, receipt, change{"data.status": "3"}, delivered},
		{"4", receipt, change{"data.status": 4}, read},
		{"5", receipt, change{"data.status": 5}, read},
		{"pending", receipt, change{"data.status": 1}, "Ignored: EventNotUsed"},
		{"sent", receipt, change{"data.status": "SERVER_ACK"}, "Ignored: EventNotUsed"},
		{"failed", receipt, change{"data.status": "ERROR"}, "Ignored: EventNotUsed"},
		{"nothing said", receipt, change{"data.status": absent}, "Ignored: EventNotUsed"},
		{"nobody's", receipt, change{"data.keyId": absent}, "Ignored: EventNotUsed"},
		{"whose is not said", receipt, change{"data.fromMe": absent}, read},
		{"in a status", receipt, change{"data.remoteJid": "status@broadcast"}, "Ignored: Broadcast"},
	})
}

// TestDepth: what is wrapped too often is not read, and costs nothing.
func TestDepth(t *testing.T) {
	wrapped := `{"conversation":"oi"}`
	for range 200 {
		wrapped = `{"ephemeralMessage":{"message":` + wrapped + `}}`
	}
	messages, err := Parse(
		[]byte(
			`{"event":"messages.upsert","data":{"key":{"remoteJid":"553188776655@s.whatsapp.net","id":"a"},"message":` +
				wrapped + `}}`))
	if err != nil || len(messages) != 1 || messages[0].Reason != ReasonEmpty {
		t.Errorf("got %+v, %v", messages, err)
	}
}
