package formats

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestUAZAPIHiddenIDs: a hidden id is no phone, and the customer's all the same.
func TestUAZAPIHiddenIDs(t *testing.T) {
	const fixture = "uazapi/message.json"
	testTable(t, []row{
		{"only hidden ids", fixture, change{
			"message.sender_pn": "", "message.chatid": "200300400500600@lid", "chat.wa_chatid": "200300400500600@lid",
			"chat.phone": "",
		}, `Inbound: text "ainda tem desconto?"`},
		{"hidden ids, and the phone beside the chat", fixture, change{
			"message.sender_pn": "", "message.chatid": "200300400500600@lid", "chat.wa_chatid": "200300400500600@lid",
			"chat.phone": "+55 31 98877-6655",
		}, `Inbound from 5531988776655: text "ainda tem desconto?"`},
		{"hidden ids, and half a phone beside the chat", fixture, change{
			"message.sender_pn": "", "message.chatid": "200300400500600@lid", "chat.wa_chatid": "200300400500600@lid",
			"chat.phone": "31 98877",
		}, `Inbound: text "ainda tem desconto?"`},
		{"no id at all", fixture, change{
			"message.sender": "", "message.sender_pn": "", "message.sender_lid": "", "message.chatid": "",
			"message.chatlid": "", "chat": absent,
		}, "Ignored: NoPhone"},
	})
}

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
		{"a text", fixture, nil, `Inbound from 553188776655: text "ainda tem desconto?"`},
		{"a text in the content only", fixture, change{"message.text": absent},
			`Inbound from 553188776655: text "ainda tem desconto?"`},
		{"a text as the content", fixture, change{"message.text": "", "message.content": "oi"},
			`Inbound from 553188776655: text "oi"`},
		{"a text of several lines", fixture, change{"message.text": " oi\r\n\u0000tudo bem?\n"},
			`Inbound from 553188776655: text "oi\ntudo bem?"`},
		{"a number as the text", fixture, change{"message.text": 42}, `Inbound from 553188776655: text "42"`},
		{"event name in capitals", fixture, change{"EventType": "Messages"},
			`Inbound from 553188776655: text "ainda tem desconto?"`},
		{"a choice of a list", fixture, reply("vote", "Boleto"), `Inbound from 553188776655: text "Boleto"`},
		{"a choice of a list, its title and its id", fixture, reply("buttonOrListid", "pay-boleto"),
			`Inbound from 553188776655: text "x"`},
		{"a choice of a list, its id only", fixture, change{
			"message.type": "media", "message.messageType": "ListResponseMessage", "message.text": "",
			"message.content": map[string]any{}, "message.buttonOrListid": "pay-boleto",
		}, `Inbound from 553188776655: text "pay-boleto"`},
		{"a choice of buttons, as the library has it", fixture, change{
			"message.messageType": "ButtonsResponseMessage", "message.text": "", "message.buttonOrListid": "b-1",
			"message.content": map[string]any{"selectedButtonID": "b-1",
				"Response": map[string]any{"SelectedDisplayText": "Boleto"}},
		}, `Inbound from 553188776655: text "Boleto"`},
		{"a link with a preview", fixture, change{"message.messageType": "ExtendedTextMessage",
			"message.mediaType": "image"}, `Inbound from 553188776655: text "ainda tem desconto?"`},
		{"a plain text that is called a picture", fixture, change{"message.messageType": "conversation",
			"message.mediaType": "image"}, `Inbound from 553188776655: text "ainda tem desconto?"`},
		{"a voice message", fixture, media("AudioMessage", "ptt", ""), `Inbound from 553188776655: audio ""`},
		{"an audio", fixture, media("AudioMessage", "audio", ""), `Inbound from 553188776655: audio ""`},
		{"a picture with a caption", fixture, media("ImageMessage", "image", "o erro é este"),
			`Inbound from 553188776655: image "o erro é este"`},
		{"a picture with a caption in the content", fixture, change{
			"message.messageType": "ImageMessage", "message.text": "",
			"message.content": map[string]any{"caption": "o erro é este"},
		}, `Inbound from 553188776655: image "o erro é este"`},
		{"a video", fixture, media("VideoMessage", "video", ""), `Inbound from 553188776655: video ""`},
		{"a round video", fixture, media("PtvMessage", "ptv", ""), `Inbound from 553188776655: video ""`},
		{"a document", fixture, media("DocumentWithCaptionMessage", "", ""), `Inbound from 553188776655: document ""`},
		{"a sticker", fixture, media("StickerMessage", "sticker", ""), `Inbound from 553188776655: sticker ""`},
		{"a place", fixture, media("LiveLocationMessage", "", ""), `Inbound from 553188776655: location ""`},
		{"a contact", fixture, media("ContactsArrayMessage", "vcard", ""), `Inbound from 553188776655: contact ""`},
		{"a poll", fixture, media("PollCreationMessage", "poll", "Qual?"), `Inbound from 553188776655: poll "Qual?"`},
		{"an empty text", fixture, change{"message.text": " ", "message.content": ""}, "Ignored: EmptyMessage"},
		{"an order", fixture, change{
			"message.type": "media", "message.messageType": "OrderMessage", "message.text": "",
			"message.content": map[string]any{"message": "quero dois", "orderTitle": "Loja"},
		}, `Inbound from 553188776655: order "quero dois"`},
		{"a product", fixture, change{
			"message.messageType": "ProductMessage", "message.text": "quero este",
			"message.content": map[string]any{"product": map[string]any{"title": "Curso"}},
		}, `Inbound from 553188776655: product "quero este"`},
		{"something new without a text", fixture, media("HologramMessage", "", ""),
			`Inbound from 553188776655: file ""`},
		{"something new that is no media", fixture, change{
			"message.type": "hologram", "message.messageType": "HologramMessage", "message.text": "",
			"message.content": map[string]any{"a": 1},
		}, "Ignored: EmptyMessage"},
		{"a reaction in capitals", fixture, change{"message.type": "Reaction", "message.messageType": "",
			"message.text": "❤️", "message.reaction": "3EB0FF00"}, `Reaction from 553188776655: "❤️" to 3EB0FF00`},
		{"a reaction", fixture, change{"message.type": "reaction", "message.text": "❤️",
			"message.reaction": "3EB0FF00"}, `Reaction from 553188776655: "❤️" to 3EB0FF00`},
		{"a reaction by its message type", fixture, change{
			"message.messageType": "ReactionMessage", "message.text": "❤️",
			"message.content": map[string]any{"key": map[string]any{"ID": "3EB0FF00"}},
		}, `Reaction from 553188776655: "❤️" to 3EB0FF00`},
		{"an edit", fixture, change{"message.edited": "3EB0AA11BB22CC33DD00"},
			`Edited from 553188776655: 3EB0AA11BB22CC33DD00 says text "ainda tem desconto?"`},
		{"an edit, the owner's number in front", fixture,
			change{"message.edited": "5531900001111:3EB0AA11BB22CC33DD00"},
			`Edited from 553188776655: 3EB0AA11BB22CC33DD00 says text "ainda tem desconto?"`},
		{"an edit of itself", fixture, change{"message.edited": true},
			`Edited from 553188776655: 3EB0AA11BB22CC33DD44 says text "ainda tem desconto?"`},
		{"an edit to nothing", fixture, change{"message.edited": "3EB0AA11BB22CC33DD00", "message.text": "",
			"message.content": ""}, "Ignored: EmptyMessage"},
		{"an edit in an unreadable chat", fixture, change{
			"message.edited": "3EB0AA11BB22CC33DD00", "message.sender_pn": "", "message.chatid": "200300400500600@lid",
			"chat": absent,
		}, `Edited: 3EB0AA11BB22CC33DD00 says text "ainda tem desconto?"`},
		{"a reaction to nothing", fixture, change{"message.type": "reaction", "message.text": "❤️"},
			"Ignored: EventNotUsed"},
		{"not an edit", fixture, change{"message.edited": false},
			`Inbound from 553188776655: text "ainda tem desconto?"`},
		{"written on the paired phone", fixture, change{"message.fromMe": true},
			`Own to 553188776655: text "ainda tem desconto?"`},
		{"written on the paired phone, a string tells", fixture, change{"message.fromMe": "True"},
			`Own to 553188776655: text "ainda tem desconto?"`},
		{"written on the paired phone, a number tells", fixture, change{"message.fromMe": 1},
			`Own to 553188776655: text "ainda tem desconto?"`},
		{"sent through the gateway", fixture, change{"message.fromMe": true, "message.wasSentByApi": true},
			"Ignored: SentByAPI"},
		{"a group", fixture, change{"message.chatid": "120363000000000001@g.us"}, "Ignored: GroupMessage"},
		{"a group, a flag tells", fixture, change{"message.isGroup": "true"}, "Ignored: GroupMessage"},
		{"a group, the chat tells", fixture, change{"message.chatid": absent,
			"chat.wa_chatid": "120363000000000001@g.us"}, "Ignored: GroupMessage"},
		{"own in a group", fixture, change{"message.chatid": "120363000000000001@g.us", "message.fromMe": true},
			"Ignored: GroupMessage"},
		{"a status", fixture, change{"message.chatid": "status@broadcast"}, "Ignored: Broadcast"},
		{"a broadcast list", fixture, change{"message.chatid": "1767000000@broadcast"}, "Ignored: Broadcast"},
		{"a newsletter", fixture, change{"message.chatid": "120363000000000002@newsletter"}, "Ignored: Broadcast"},
		{"another event", fixture, change{"EventType": "groups"}, "Ignored: EventNotUsed"},
		{"another event, nothing in it", fixture, change{"EventType": "presence", "message": "x", "chat": 1},
			"Ignored: EventNotUsed"},
	})
}

func uazapiText() Message {
	return Message{
		Format: "uazapi", Instance: "loja-norte", Token: "instance-token-1", Kind: Inbound,
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
		want.Text = strings.Repeat("ã", maxText+beyondText)
		testMessages(t, changed(t, "uazapi/message.json", change{"message.text": strings.Repeat("ã", 5000)}), want)
	})
}

// TestUAZAPIOwnMessage: with fromMe the sender is the paired number, and the customer is
// the chat.
func TestUAZAPIOwnMessage(t *testing.T) {
	want := uazapiText()
	want.Kind, want.FromMe = Own, true
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
		Format: "uazapi", Instance: "loja-norte", Token: "instance-token-1", Kind: Receipt, FromMe: true,
		Status: Delivered, ID: "3EB0000000000000AAAA", Phone: "553188776655", At: time.Unix(1767373500, 0).UTC(),
	}
	second := first
	second.ID = "3EB0000000000000BBBB"
	testMessages(t, fixture(t, "uazapi/receipt.json"), first, second)
	first.Status = Read
	testMessages(t, changed(t, "uazapi/receipt.json", change{
		"event.IsFromMe": false, "event.IsGroup": 0, "event.Timestamp": 1767373500, "event.Type": "Read",
		"event.MessageIDs": "3EB0000000000000AAAA", "event.Chat": "200300400500600@lid",
	}), first)

	const receipt = "uazapi/receipt-read.json"
	const own = "5531900001111@s.whatsapp.net"
	says := func(status Status, ours bool) string {
		return fmt.Sprintf("Receipt: 3EB0000000000000AAAA, %s, ours: %t", status, ours)
	}
	testTable(t, []row{
		{"delivered", receipt, change{"event.Type": "Delivered"}, says(Delivered, true)},
		{"read", receipt, nil, says(Read, true)},
		{"played", receipt, change{"event.Type": "Played"}, says(Read, true)},
		{"the state tells", receipt, change{"event.Type": absent}, says(Read, true)},
		{"the customer's, read on the paired phone", receipt, change{"event.IsFromMe": true, "event.Sender": own},
			says(Read, false)},
		{"the customer's, a string tells", receipt, change{"event.IsFromMe": "True", "event.Sender": "1@lid",
			"event.sender_pn": own}, says(Read, false)},
		{"from the customer, whatever the flag", receipt, change{"event.IsFromMe": true}, says(Read, true)},
		{"from nobody", receipt, change{"event.IsFromMe": true, "event.Sender": absent}, says(Read, true)},
		{"the owner's number in front", receipt, change{"event.MessageIDs": "5531900001111:3EB0000000000000AAAA"},
			says(Read, true)},
		{"retried", receipt, change{"event.Type": "Retry"}, "Ignored: EventNotUsed"},
		{"of a group", receipt, change{"event.Chat": "120363000000000001@g.us"}, "Ignored: GroupMessage"},
		{"of a group, a flag tells", receipt, change{"event.IsGroup": "True"}, "Ignored: GroupMessage"},
		{"of a status", receipt, change{"event.Chat": "status@broadcast"}, "Ignored: Broadcast"},
		{"of nothing", receipt, change{"event.MessageIDs": []string{}}, "Ignored: EventNotUsed"},
	})
	t.Run("of a thousand messages", func(t *testing.T) {
		var ids []string
		for i := range 1000 {
			ids = append(ids, fmt.Sprint("3EB0", i))
		}
		messages, err := Parse(changed(t, receipt, change{"event.MessageIDs": ids}))
		if err != nil || len(messages) != maxMessages {
			t.Errorf("got %d receipts, %v", len(messages), err)
		}
	})
}

func TestUAZAPIConnection(t *testing.T) {
	const connection = "uazapi/connection.json"
	testMessages(t, fixture(t, connection), Message{
		Format: "uazapi", Instance: "loja-norte", Token: "instance-token-1", Kind: ConnectionChange,
		Connection: "disconnected",
	})
	testTable(t, []row{
		{"only a reason", connection, change{"instance.status": absent}, `ConnectionChange: "disconnected"`},
		{"only a type", connection, change{"instance": absent}, `ConnectionChange: "LoggedOut"`},
		{"a state beside the instance", connection, change{"instance": "loja-norte", "state": "connected"},
			`ConnectionChange: "connected"`},
		{"a name for the instance", connection, change{"instance": "loja-norte", "type": absent},
			`ConnectionChange: ""`},
		{"a long word", connection, change{"instance.status": strings.Repeat("é", 100)},
			`ConnectionChange: "` + strings.Repeat("é", 64) + `"`},
	})
}
