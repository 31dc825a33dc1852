package formats

import (
	"encoding/json"
	"strings"
	"testing"

	"cartrecovery.dev/operator/internal/lax"
)

// TestChoices: what was chosen is read in every form that it is written in, as UAZAPI's content
// and as Baileys' message.
func TestChoices(t *testing.T) {
	for _, row := range []struct{ name, content, want string }{
		{"a button", `{"buttonsResponseMessage":{"selectedButtonId":"n","selectedDisplayText":"Agora não"}}`,
			"Agora não"},
		{"a button, its text alone", `{"buttonsResponseMessage":{"displayText":"Agora não"}}`, "Agora não"},
		{"a button, its id alone", `{"buttonsResponseMessage":{"selectedButtonId":"agora-nao"}}`, "agora-nao"},
		{"a button, in capitals",
			`{"ButtonsResponseMessage":{"SelectedButtonID":"n","Response":{"SelectedDisplayText":"Agora não"}}}`,
			"Agora não"},
		{"a button, twice under its name",
			`{"ButtonsResponseMessage":{"ButtonsResponseMessage":{"selectedButtonId":"n","displayText":"Agora não"}}}`,
			"Agora não"},
		{"a template's button",
			`{"templateButtonReplyMessage":{"selectedId":"n","selectedDisplayText":"Agora não","selectedIndex":0}}`,
			"Agora não"},
		{"a list",
			`{"listResponseMessage":{"title":"Boleto","description":"vence amanhã","singleSelectReply":{"selectedRowId":"b"}}}`, "Boleto"},
		{"a list, its id alone", `{"ListResponseMessage":{"singleSelectReply":{"selectedRowID":"boleto"}}}`, "boleto"},
		{"a flow's button",
			`{"interactiveResponseMessage":{"nativeFlowResponseMessage":{"name":"quick_reply","paramsJson":"{\"id\":\"pix\"}"}}}`, "pix"},
		{"a flow's button, what was seen",
			`{"interactiveResponseMessage":{"body":{"text":"Pagar no pix"},"nativeFlowResponseMessage":{"paramsJson":"{\"id\":\"pix\"}"}}}`, "Pagar no pix"},
		{"a flow's button, in capitals",
			`{"InteractiveResponseMessage":{"NativeFlowResponseMessage":{"paramsJSON":"{\"display_text\":\"Pagar no pix\",\"id\":\"p\"}"}}}`, "Pagar no pix"},
		{"a flow's button, the name of a question", `{"NativeFlowMessage":{"paramsJson":"{\"id\":\"pix\"}"}}`, "pix"},
		{"a flow's list",
			`{"nativeFlowResponseMessage":{"name":"single_select","paramsJson":"{\"title\":\"Boleto\",\"id\":\"b\"}"}}`,
			"Boleto"},
		{"a form",
			`{"interactiveResponseMessage":{"nativeFlowResponseMessage":{"paramsJson":"{\"flow_token\":\"t\",\"b_hora\":\"18h\",\"a_dia\":\"terça\"}"}}}`, "terça, 18h"},
		{"disappearing",
			`{"ephemeralMessage":{"message":{"buttonsResponseMessage":{"selectedDisplayText":"Agora não"}}}}`,
			"Agora não"},
		{"to be viewed once", `{"viewOnceMessageV2":{"message":{"listResponseMessage":{"title":"Boleto"}}}}`, "Boleto"},
		{"in a wrapper of tomorrow", `{"hologramMessage":{"message":{"listResponseMessage":{"title":"Boleto"}}}}`,
			"Boleto"},
		{"as the platform's own interface has it",
			`{"interactive":{"type":"button_reply","button_reply":{"id":"n","title":"Agora não"}}}`, "Agora não"},
		{"a quick reply of a template there", `{"button":{"payload":"n","text":"Agora não"}}`, "Agora não"},
		{"an edit of its own", `{"editedMessage":{"message":{"conversation":"oi"}}}`, "oi"},
	} {
		t.Run(row.name, func(t *testing.T) {
			want := `Inbound from 553188776655: text "` + row.want + `"`
			var content any
			if err := json.Unmarshal([]byte(row.content), &content); err != nil {
				t.Fatal(err)
			}
			bodies := map[string][]byte{"Baileys": changed(t, "evolution/conversation.json",
				change{"data.message": content})}
			for _, kind := range []string{"", "InteractiveResponseMessage", "NativeFlowMessage",
				"ButtonsResponseMessage", "HologramMessage"} {
				for _, general := range []string{"text", "media", "interactive"} {
					bodies["UAZAPI "+kind+" "+general] = changed(t, "uazapi/message.json", change{
						"message.messageType": kind, "message.type": general, "message.text": "",
						"message.content": content,
					})
				}
			}
			for name, body := range bodies {
				messages, err := Parse(body)
				if err != nil || len(messages) != 1 || describe(messages[0]) != want {
					t.Errorf("%s: got %+v, %v", name, messages, err)
				}
			}
		})
	}
}

// TestChoiceIsBounded: JSON in a string is read up to a length, and nothing is read too deep.
func TestChoiceIsBounded(t *testing.T) {
	params, err := json.Marshal(`{"id":"` + strings.Repeat("x", maxParams) + `"}`)
	if err != nil {
		t.Fatal(err)
	}
	if said := readChoice(lax.Parse([]byte(`{"paramsJson":` + string(params) + `}`))); said != "" {
		t.Errorf("read %d bytes", len(said))
	}
	deep := strings.Repeat(`{"response":`, 50) + `{"id":"x"}` + strings.Repeat("}", 50)
	if said := readChoice(lax.Parse([]byte(deep))); said != "" {
		t.Errorf("read %q", said)
	}
}

// TestCards: nothing of a contact card is told, wherever a gateway puts it.
func TestCards(t *testing.T) {
	const card = "BEGIN:VCARD\nVERSION:3.0\nFN:Pedro Alves\nTEL;waid=5521933334444:+55 21 93333-4444\nEND:VCARD"
	one := map[string]any{"displayName": "Pedro Alves", "vcard": card}
	several := map[string]any{"displayName": "2 contatos", "contacts": []any{one, one}}
	bodies := map[string][]byte{}
	for kind, content := range map[string]any{
		"ContactMessage": one, "contactMessage": map[string]any{"ContactMessage": one}, "ContactsArrayMessage": several,
		"vcard": card, "Contact": "Pedro Alves",
	} {
		for name, said := range map[string]string{"no text": "", "the name": "Pedro Alves", "the card": card} {
			bodies["UAZAPI "+kind+", "+name] = changed(t, "uazapi/message.json", change{
				"message.type": "media", "message.messageType": kind, "message.text": said, "message.content": content,
			})
		}
	}
	for name, message := range map[string]any{
		"one": map[string]any{"contactMessage": one}, "several": map[string]any{"contactsArrayMessage": several},
		"as a text":      map[string]any{"conversation": "veja:\n" + card},
		"as a rich text": map[string]any{"extendedTextMessage": map[string]any{"text": card}},
		"disappearing": map[string]any{"ephemeralMessage": map[string]any{
			"message": map[string]any{"contactMessage": one}}},
	} {
		bodies["Baileys, "+name] = changed(t, "evolution/conversation.json", change{"data.message": message})
	}
	bodies["UAZAPI, as a text"] = changed(t, "uazapi/message.json", change{"message.messageType": "Conversation",
		"message.text": card, "message.content": card})
	bodies["UAZAPI, as a content"] = changed(t, "uazapi/message.json", change{"message.messageType": "Conversation",
		"message.text": "", "message.content": card})
	for name, body := range bodies {
		messages, err := Parse(body)
		if err != nil || len(messages) != 1 || describe(messages[0]) != `Inbound from 553188776655: contact ""` {
			t.Errorf("%s: got %+v, %v", name, messages, err)
		}
	}
}
