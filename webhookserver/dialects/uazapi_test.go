package dialects

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestUAZAPIMessages(t *testing.T) {
	const fixture = "uazapi/message.json"
	media := func(messageType, mediaType, text string) change {
		return change{
			"message.type": "media", "message.messageType": messageType, "message.mediaType": mediaType,
			"message.text": text, "message.content": map[string]any{"mimetype": "x"},
		}
	}
	reply := func(field, value string) change {
		return change{
			"message.type": "media", "message.messageType": "ListResponseMessage", "message.mediaType": "list_response",
			"message.text": "", "message.content": map[string]any{"title": "x"}, "message." + field: value,
		}
	}
	testTable(t, []row{
		{"a text", fixture, nil, `Inbound: "ainda tem desconto?"`},
		{"a text in the content only", fixture, change{"message.text": absent}, `Inbound: "ainda tem desconto?"`},
		{"a text as the content", fixture, change{"message.text": "", "message.content": "oi"}, `Inbound: "oi"`},
		{"a text of several lines", fixture, change{"message.text": " oi\r\n\u0000tudo bem?\n"}, `Inbound: "oi\ntudo bem?"`},
		{"a number as the text", fixture, change{"message.text": 42}, `Inbound: "42"`},
		{"event name in capitals", fixture, change{"EventType": "Messages"}, `Inbound: "ainda tem desconto?"`},
		{"a choice of a list", fixture, reply("vote", "Boleto"), `Inbound: "Boleto"`},
		{"a choice of a list, its id only", fixture, reply("buttonOrListid", "pay-boleto"), `Inbound: "pay-boleto"`},
		{"a voice message", fixture, media("AudioMessage", "ptt", ""), `Inbound: audio ""`},
		{"an audio", fixture, media("AudioMessage", "audio", ""), `Inbound: audio ""`},
		{"a picture with a caption", fixture, media("ImageMessage", "image", "o erro é este"), `Inbound: image "o erro é este"`},
		{"a picture with a caption in the content", fixture, change{
			"message.messageType": "ImageMessage", "message.text": "", "message.content": map[string]any{"caption": "o erro é este"},
		}, `Inbound: image "o erro é este"`},
		{"a video", fixture, media("VideoMessage", "video", ""), `Inbound: video ""`},
		{"a round video", fixture, media("PtvMessage", "ptv", ""), `Inbound: video ""`},
		{"a document", fixture, media("DocumentWithCaptionMessage", "", ""), `Inbound: document ""`},
		{"a sticker", fixture, media("StickerMessage", "sticker", ""), `Inbound: sticker ""`},
		{"a place", fixture, media("LiveLocationMessage", "", ""), `Inbound: location ""`},
		{"a contact", fixture, media("ContactsArrayMessage", "vcard", ""), `Inbound: contact ""`},
		{"a poll", fixture, media("PollCreationMessage", "poll", "Qual?"), `Inbound: poll "Qual?"`},
		{"an empty text", fixture, change{"message.text": " ", "message.content": ""}, "ignore: EmptyMessage"},
		{"something new without a text", fixture, media("HologramMessage", "", ""), "ignore: EmptyMessage"},
		{"a reaction", fixture, change{"message.type": "reaction", "message.text": "❤️"}, "ignore: Reaction"},
		{"a reaction by its message type", fixture, change{"message.messageType": "ReactionMessage", "message.text": "❤️"}, "ignore: Reaction"},
		{"an edit", fixture, change{"message.edited": "3EB0AA11BB22CC33DD00"}, "ignore: EditedMessage"},
		{"not an edit", fixture, change{"message.edited": false}, `Inbound: "ainda tem desconto?"`},
		{"written on the paired phone", fixture, change{"message.fromMe": true}, "ignore: OwnMessage"},
		{"written on the paired phone, a string tells", fixture, change{"message.fromMe": "True"}, "ignore: OwnMessage"},
		{"written on the paired phone, a number tells", fixture, change{"message.fromMe": 1}, "ignore: OwnMessage"},
		{"sent through the gateway", fixture, change{"message.fromMe": true, "message.wasSentByApi": true}, "ignore: SentByAPI"},
		{"a group", fixture, change{"message.chatid": "120363000000000001@g.us"}, "ignore: GroupMessage"},
		{"a group, a flag tells", fixture, change{"message.isGroup": "true"}, "ignore: GroupMessage"},
		{"a group, the chat tells", fixture, change{"message.chatid": absent, "chat.wa_chatid": "120363000000000001@g.us"}, "ignore: GroupMessage"},
		{"own in a group", fixture, change{"message.chatid": "120363000000000001@g.us", "message.fromMe": true}, "ignore: GroupMessage"},
		{"a status", fixture, change{"message.chatid": "status@broadcast"}, "ignore: Broadcast"},
		{"a broadcast list", fixture, change{"message.chatid": "1767000000@broadcast"}, "ignore: Broadcast"},
		{"a newsletter", fixture, change{"message.chatid": "120363000000000002@newsletter"}, "ignore: Broadcast"},
		{"only hidden ids", fixture, change{
			"message.sender_pn": "", "message.chatid": "200300400500600@lid", "chat.wa_chatid": "200300400500600@lid",
		}, "ignore: NoPhone"},
		{"another event", fixture, change{"EventType": "groups"}, "ignore: UnknownEvent"},
		{"another event, nothing in it", fixture, change{"EventType": "presence", "message": "x", "chat": 1}, "ignore: UnknownEvent"},
	})
}

func uazapiText() Message {
	return Message{
		Dialect: "uazapi", Instance: "loja-norte", Token: "instance-token-1", Kind: Inbound,
		ID: "3EB0AA11BB22CC33DD44", Phone: "553188776655", Text: "ainda tem desconto?",
		At: time.UnixMilli(1767373445678).UTC(),
	}
}

func TestUAZAPIMessage(t *testing.T) {
	testMessages(t, fixture(t, "uazapi/message.json"), uazapiText())
	for name, change := range map[string]change{
		"id with the owner in front":   {"message.messageid": absent},
		"time as a string":             {"message.messageTimestamp": "1767373445678"},
		"phone from the chat id":       {"message.sender_pn": absent},
		"phone from the chat":          {"message.sender_pn": "", "message.chatid": "200300400500600@lid"},
		"phone with a device":          {"message.sender_pn": "553188776655:7@s.whatsapp.net"},
		"sender first":                 {"message.chatid": "5500000000000@s.whatsapp.net"},
		"instance by its own name":     {"instanceName": absent, "instance": map[string]any{"name": "loja-norte"}},
		"no chat":                      {"chat": absent},
		"chat and sender of odd types": {"chat": "x", "message.sender": 1, "message.content": []any{1}},
	} {
		t.Run(name, func(t *testing.T) { testMessages(t, changed(t, "uazapi/message.json", change), uazapiText()) })
	}
	t.Run("in seconds", func(t *testing.T) {
		want := uazapiText()
		want.At = time.Unix(1767373445, 0).UTC()
		testMessages(t, changed(t, "uazapi/message.json", change{"message.messageTimestamp": 1767373445}), want)
	})
	t.Run("without a time", func(t *testing.T) {
		want := uazapiText()
		want.At = time.Time{}
		testMessages(t, changed(t, "uazapi/message.json", change{"message.messageTimestamp": "soon"}), want)
	})
	t.Run("too long", func(t *testing.T) {
		want := uazapiText()
		want.Text = strings.Repeat("ã", maxText)
		testMessages(t, changed(t, "uazapi/message.json", change{"message.text": strings.Repeat("ã", 5000)}), want)
	})
}

// TestUAZAPIOwnMessage: with fromMe the sender is the paired number, and the customer is
// the chat.
func TestUAZAPIOwnMessage(t *testing.T) {
	want := uazapiText()
	want.Kind, want.Reason, want.FromMe = Ignored, ReasonOwnMessage, true
	testMessages(t, changed(t, "uazapi/message.json", change{
		"message.fromMe": true, "message.sender_pn": "5531900001111@s.whatsapp.net",
	}), want)
}

func TestUAZAPIWithoutID(t *testing.T) {
	without := change{"message.id": absent, "message.messageid": absent}
	first, err := Parse(changed(t, "uazapi/message.json", without))
	if err != nil {
		t.Fatal(err)
	}
	without["message.text"] = "outra"
	second, err := Parse(changed(t, "uazapi/message.json", without))
	if err != nil {
		t.Fatal(err)
	}
	if first[0].ID == "" || first[0].ID == second[0].ID {
		t.Errorf("two messages have the ids %q and %q", first[0].ID, second[0].ID)
	}
}

func TestUAZAPIReceipts(t *testing.T) {
	first := Message{
		Dialect: "uazapi", Instance: "loja-norte", Token: "instance-token-1", Kind: Receipt,
		ID: "3EB0000000000000AAAA", Phone: "553188776655", At: time.Unix(1767373500, 0).UTC(),
	}
	second := first
	second.ID = "3EB0000000000000BBBB"
	testMessages(t, fixture(t, "uazapi/receipt.json"), first, second)
	testMessages(t, changed(t, "uazapi/receipt.json", change{
		"event.IsFromMe": false, "event.IsGroup": 0, "event.Timestamp": 1767373500, "event.Type": "Read",
		"event.MessageIDs": "3EB0000000000000AAAA", "event.Chat": "200300400500600@lid",
	}), first)

	const receipt = "uazapi/receipt.json"
	testTable(t, []row{
		{"delivered", receipt, nil, "Receipt"},
		{"read", receipt, change{"event.Type": "Read"}, "Receipt"},
		{"played", receipt, change{"event.Type": "Played"}, "Receipt"},
		{"the state tells", receipt, change{"event.Type": absent}, "Receipt"},
		{"retried", receipt, change{"event.Type": "Retry"}, "ignore: UnknownEvent"},
		{"of a group", receipt, change{"event.Chat": "120363000000000001@g.us"}, "ignore: GroupMessage"},
		{"of a group, a flag tells", receipt, change{"event.IsGroup": "True"}, "ignore: GroupMessage"},
		{"of a status", receipt, change{"event.Chat": "status@broadcast"}, "ignore: Broadcast"},
		{"of nothing", receipt, change{"event.MessageIDs": []string{}}, "ignore: UnknownEvent"},
		{"empty", receipt, change{"event": nil}, "ignore: UnknownEvent"},
	})
	t.Run("of a thousand messages", func(t *testing.T) {
		var ids []string
		for i := range 1000 {
			ids = append(ids, fmt.Sprint("3EB0", i))
		}
		messages, err := Parse(changed(t, receipt, change{"event.MessageIDs": ids}))
		if err != nil || len(messages) != maxReceipts {
			t.Errorf("got %d receipts, %v", len(messages), err)
		}
	})
}

func TestUAZAPIConnection(t *testing.T) {
	testMessages(t, fixture(t, "uazapi/connection.json"), Message{
		Dialect: "uazapi", Instance: "loja-norte", Token: "instance-token-1", Kind: ConnectionChange,
	})
}
