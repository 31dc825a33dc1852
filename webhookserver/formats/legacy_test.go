package formats

import (
	"testing"
	"time"
)

func TestLegacyMessages(t *testing.T) {
	const fixture = "legacy/message.json"
	says := func(content any) change {
		return change{"message.conversation": absent, "message.extendedTextMessage": content}
	}
	testTable(t, []row{
		{"conversation", fixture, nil, `Inbound from 5551991234567: text "quero pagar no boleto"`},
		{"extendedTextMessage", fixture, says(map[string]any{"text": "oi"}), `Inbound from 5551991234567: text "oi"`},
		{"extendedTextMessage as a string", fixture, says("oi"), `Inbound from 5551991234567: text "oi"`},
		{"in an inner message", fixture, change{
			"message.conversation": absent, "message.message": map[string]any{"conversation": "oi"},
		}, `Inbound from 5551991234567: text "oi"`},
		{"disappearing", fixture, change{
			"message.conversation": absent,
			"message.ephemeralMessage": map[string]any{"message": map[string]any{"extendedTextMessage": map[string]any{
				"text": "oi"}}},
		}, `Inbound from 5551991234567: text "oi"`},
		{"own", fixture, change{"message.key.fromMe": true}, `Own to 5551991234567: text "quero pagar no boleto"`},
		{"own, a string tells", fixture, change{"message.key.fromMe": "true"},
			`Own to 5551991234567: text "quero pagar no boleto"`},
		{"empty", fixture, change{"message.conversation": "  "}, "Ignored: EmptyMessage"},
		{"a picture", fixture, change{"message.conversation": absent,
			"message.imageMessage": map[string]any{"url": "x"}}, `Inbound from 5551991234567: image ""`},
		{"a group", fixture, change{"message.key.remoteJid": "120363000000000001@g.us"}, "Ignored: GroupMessage"},
		{"a status", fixture, change{"message.key.remoteJid": "status@broadcast"}, "Ignored: Broadcast"},
		{"a newsletter", fixture, change{"message.key.remoteJid": "120363000000000002@newsletter"},
			"Ignored: Broadcast"},
		{"a hidden id", fixture, change{"message.key.remoteJid": "200300400500600@lid"},
			`Inbound: text "quero pagar no boleto"`},
		{"a hidden id and the phone beside it", fixture, change{
			"message.key.remoteJid": "200300400500600@lid", "message.key.senderPn": "5551991234567@s.whatsapp.net",
		}, `Inbound from 5551991234567: text "quero pagar no boleto"`},
		{"no id of a chat", fixture, change{"message.key.remoteJid": absent}, "Ignored: NoPhone"},
	})
}

func TestLegacyMessage(t *testing.T) {
	want := Message{
		Format: "legacy", Instance: "loja-sul", Kind: Inbound, ID: "ABCD0011EF223344",
		Phone: "5551991234567", Text: "quero pagar no boleto", At: time.Unix(1767373445, 0).UTC(),
	}
	testMessages(t, fixture(t, "legacy/message.json"), want)
	testMessages(t, changed(t, "legacy/message.json",
		change{"message.messageTimestamp": map[string]any{"low": 1767373445, "high": 0}}), want)
	testMessages(t, fixture(t, "legacy/flat.json"), want)
	want.Format, want.Instance, want.Phone = "megaapi", "chave-da-loja", "555191234567"
	testMessages(t, fixture(t, "megaapi/conversation.json"), want)
}

func TestLegacyWithoutID(t *testing.T) {
	id := func(change change) string {
		change["message.key.id"] = absent
		messages, err := Parse(changed(t, "legacy/message.json", change))
		if err != nil {
			t.Fatal(err)
		}
		return messages[0].ID
	}
	first := id(change{})
	if first == "" || first != id(change{}) {
		t.Errorf("the id is not derived from the message: %q", first)
	}
	for name, change := range map[string]change{
		"text":  {"message.conversation": "outra"},
		"phone": {"message.key.remoteJid": "5551991234568@s.whatsapp.net"},
		"time":  {"message.messageTimestamp": 1767373446},
	} {
		if id(change) == first {
			t.Errorf("another %s, the same id", name)
		}
	}
}
