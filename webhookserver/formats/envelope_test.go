package formats

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"cartrecovery.dev/operator/internal/lax"
)

func testReadAs(t *testing.T, body, format string, want ...string) {
	t.Helper()
	messages, err := Parse([]byte(body))
	if err != nil || len(messages) != len(want) {
		t.Fatalf("got %+v, %v", messages, err)
	}
	for i, message := range messages {
		if checkMessage(t, message); message.Format != format || describe(message) != want[i] {
			t.Errorf("read as %s: %s", message.Format, describe(message))
		}
	}
}

// TestUAZAPIWrapper: {event, instance, data} is UAZAPI's by what the data holds and, where that
// does not tell, by the name of the event; all else of that form is Evolution's.
func TestUAZAPIWrapper(t *testing.T) {
	const (
		message = `{"messageid":"3EB0AA","chatid":"553188776655@s.whatsapp.net","fromMe":false,"messageType":"Conversation","text":"oi"}`
		said    = `Inbound from 553188776655: text "oi"`
	)
	for _, row := range []struct{ name, body, format, want string }{
		{"the singular name", `{"event":"message","instance":"r1","data":` + message + `}`, "uazapi", said},
		{"the plural name", `{"event":"messages","instance":"r1","data":` + message + `}`, "uazapi", said},
		{"in capitals", `{"event":"MESSAGES","instance":"r1","data":` + message + `}`, "uazapi", said},
		{"Evolution's name", `{"event":"messages.upsert","instance":"r1","data":` + message + `}`, "uazapi", said},
		{"the message and the chat in the data", `{"event":"messages","instance":"r1","data":{"message":` + message +
			`,"chat":{}}}`, "uazapi", said},
		{"the message beside the event", `{"event":"messages","instance":"r1","message":` + message + `}`, "uazapi",
			said},
		{"an instance of several fields", `{"event":"messages","instance":{"id":"r1","name":"loja"},"data":` + message +
			`}`, "uazapi", said},
		{"a message sent by us",
			`{"event":"messages","data":{"chatid":"553188776655@s.whatsapp.net","fromMe":true,"wasSentByApi":true,"text":"oi"}}`, "uazapi", "Ignored: SentByAPI"},
		{"read",
			`{"event":"messages_update","instance":"r1","data":{"MessageIDs":["3EB0AA"],"Type":"Read","Chat":"553188776655@s.whatsapp.net"}}`,
			"uazapi", "Receipt: 3EB0AA, Read, ours: true"},
		{"read, one level deeper",
			`{"event":"messages_update","instance":"r1","data":{"state":"Read","event":{"MessageIDs":["3EB0AA"],"Chat":"553188776655@s.whatsapp.net"}}}`,
			"uazapi", "Receipt: 3EB0AA, Read, ours: true"},
		{"a customer's, read by us",
			`{"event":"messages_update","data":{"messageid":"3EB0AA","chatid":"553188776655@s.whatsapp.net","fromMe":false,"status":"Read"}}`,
			"uazapi", "Receipt: 3EB0AA, Read, ours: false"},
		{"a connection", `{"event":"connection","instance":"r1","data":{"instance":{"status":"connected"}}}`, "uazapi",
			`ConnectionChange: "connected"`},
		{"a presence", `{"event":"presence","instance":"r1","data":{}}`, "uazapi", "Ignored: EventNotUsed"},
		{"Evolution's call", `{"event":"call","instance":"loja","data":{"id":"x"}}`, "evolution",
			"Ignored: EventNotUsed"},
		{"Evolution's presence", `{"event":"presence.update","instance":"loja","data":{"id":"x"}}`, "evolution",
			"Ignored: EventNotUsed"},
		{"Evolution's message",
			`{"event":"messages.upsert","instance":"loja","data":{"key":{"remoteJid":"553188776655@s.whatsapp.net","id":"a"},"message":{"conversation":"oi"}}}`,
			"evolution", said},
		{"Evolution's update",
			`{"event":"messages.update","instance":"loja","data":{"messageId":"x","keyId":"3EB0AA","remoteJid":"553188776655@s.whatsapp.net","fromMe":true,"status":"READ"}}`,
			"evolution", "Receipt: 3EB0AA, Read, ours: true"},
		{"nobody's", `{"event":"telepathy","instance":"loja","data":{}}`, "evolution", "Ignored: UnknownEvent"},
	} {
		t.Run(row.name, func(t *testing.T) { testReadAs(t, row.body, row.format, row.want) })
	}
}

// TestWrapperNamesTheInstance: of the wrapper, or of what it holds.
func TestWrapperNamesTheInstance(t *testing.T) {
	for body, want := range map[string]string{
		`{"event":"messages","instance":"r1","data":{"chatid":"x","text":"oi"}}`:                     "r1",
		`{"event":"messages","instance":{"id":"r1"},"data":{"chatid":"x","text":"oi"}}`:              "r1",
		`{"event":"messages","instance":"r1","instanceName":"loja","data":{"chatid":"x"}}`:           "loja",
		`{"event":"messages","instance":"r1","data":{"EventType":"messages","instanceName":"loja"}}`: "",
	} {
		messages, err := Parse([]byte(body))
		if want == "" {
			if err == nil {
				t.Errorf("%s: no error", body)
			}
			continue
		}
		if err != nil || messages[0].Instance != want {
			t.Errorf("%s: got %+v, %v", body, messages, err)
		}
	}
	messages, err := Parse(
		[]byte(
			`{"event":"messages","instance":"r1","token":"t-1","owner":"5531900001111","data":{"chatid":"x","text":"oi"}}`))
	if err != nil || messages[0].Token != "t-1" || messages[0].Owner != "5531900001111" {
		t.Errorf("got %+v, %v", messages, err)
	}
}

// TestPassedOn: a delivery that something has passed on is read like the delivery itself.
func TestPassedOn(t *testing.T) {
	for format, name := range map[string]string{
		"uazapi": "uazapi/message.json", "evolution": "evolution/conversation.json",
		"megaapi": "megaapi/conversation.json", "legacy": "legacy/message.json",
	} {
		body := string(fixture(t, name))
		direct, err := Parse([]byte(body))
		if err != nil {
			t.Fatal(err)
		}
		quotedBody, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		want := describe(direct[0])
		for _, wrapped := range []string{
			`[` + body + `]`, `{"body":` + body + `}`, `{"headers":{},"query":{},"body":` + body + `}`,
			`{"body":` + string(quotedBody) + `}`, `[{"json":{"headers":{},"body":` + body + `}}]`,
			`{"payload":` + body + `}`, `{"body":[` + body + `]}`, " \n" + body + "\n ",
		} {
			t.Run(format+" "+wrapped[:min(12, len(wrapped))], func(t *testing.T) {
				testReadAs(t, wrapped, format, want)
			})
		}
		testReadAs(t, `[`+body+`,`+body+`]`, format, want, want)
		testReadAs(t, `[`+body+`,{"a":1},7]`, format, want, "Ignored: EventNotUsed")
		testRefused(t, []byte(strings.Repeat(`{"body":`, maxWraps+1)+body+strings.Repeat("}", maxWraps+1)), "")
	}
}

// TestShapes: deliveries whose parts are somewhere else than the gateways' own have them.
func TestShapes(t *testing.T) {
	const (
		uazapi  = `"messageid":"A","chatid":"553188776655@s.whatsapp.net"`
		text    = `{` + uazapi + `,"messageType":"Conversation","text":"oi"}`
		baileys = `{"key":{"remoteJid":"553188776655@s.whatsapp.net","id":"A"},"message":{"conversation":"oi"}}`
		said    = `Inbound from 553188776655: text "oi"`
	)
	of := func(rest string) string { return `{"EventType":"messages","message":{` + uazapi + `,` + rest + `}}` }
	for _, row := range []struct{ name, body, format, want string }{
		{"the message as data", `{"EventType":"messages","data":` + text + `}`, "uazapi", said},
		{"a list of messages", `{"EventType":"messages","messages":[` + text + `]}`, "uazapi", said},
		{"a list as the message", `{"EventType":"messages","message":[` + text + `]}`, "uazapi", said},
		{"messages, one", `{"event":"messages.upsert","instance":"x","data":{"messages":` + baileys + `}}`, "evolution",
			said},
		{"the whole message as message", `{"event":"messages.upsert","instance":"x","data":{"message":` + baileys +
			`}}`, "evolution", said},
		{"megaapi's in data", `{"instance_key":"k","data":` + baileys + `}`, "megaapi", said},
		{"megaapi's in a body", `{"type":"message","instance_key":"k","body":` + baileys + `}`, "megaapi", said},
		{"the old backend's in data", `{"instanceName":"k","data":` + baileys + `}`, "legacy", said},
		{"the old backend's in a list", `{"instanceName":"k","messages":[` + baileys + `]}`, "legacy", said},
		{"a text under its type", of(`"messageType":"Conversation","text":"","content":{"Conversation":"oi"}`),
			"uazapi", said},
		{"a rich text under its type",
			of(`"messageType":"ExtendedTextMessage","text":"","content":{"ExtendedTextMessage":"oi"}`), "uazapi", said},
		{"a caption under its type",
			of(`"messageType":"ImageMessage","type":"media","content":{"ImageMessage":{"caption":"olha"}}`), "uazapi",
			`Inbound from 553188776655: image "olha"`},
		{"a picture under its type, without a type", of(`"content":{"ImageMessage":{"caption":"olha"}}`), "uazapi",
			`Inbound from 553188776655: image "olha"`},
		{"a vote in the content",
			of(`"messageType":"PollUpdateMessage","content":{"vote":{"selectedOptions":["Sim"]}}`), "uazapi",
			`Inbound from 553188776655: text "Sim"`},
		{"a vote under its type",
			of(
				`"messageType":"PollUpdateMessage","content":{"PollUpdateMessage":{"vote":{"selectedOptions":["Sim","Talvez"]}}}`), "uazapi",
			`Inbound from 553188776655: text "Sim, Talvez"`},
		{"a place with a name",
			of(
				`"messageType":"LocationMessage","type":"media","text":"Casa do Pedro","content":{"name":"Casa do Pedro"}`), "uazapi",
			`Inbound from 553188776655: location ""`},
		{"a place with a caption",
			of(`"messageType":"LiveLocationMessage","type":"media","text":"x","content":{"caption":"chego já"}`),
			"uazapi", `Inbound from 553188776655: location "chego já"`},
		{"a card by what it holds", of(`"type":"media","text":"Pedro","content":{"displayName":"Pedro","vcard":"x"}`),
			"uazapi", `Inbound from 553188776655: contact ""`},
		{"cards by what they hold", of(`"text":"Pedro","content":{"contacts":[{}]}`), "uazapi",
			`Inbound from 553188776655: contact ""`},
		{"a card by its type", of(`"type":"contact","text":"Pedro"`), "uazapi",
			`Inbound from 553188776655: contact ""`},
	} {
		t.Run(row.name, func(t *testing.T) { testReadAs(t, row.body, row.format, row.want) })
	}
}

// TestWrappedNames: what is wrapped is of the instance that the wrapper names, where it names
// none itself.
func TestWrappedNames(t *testing.T) {
	const baileys = `{"key":{"remoteJid":"553188776655@s.whatsapp.net","id":"A"},"message":{"conversation":"oi"}`
	for body, want := range map[string]string{
		`{"instanceName":"loja","token":"t-1","data":` + baileys + `}}`:                        "loja t-1",
		`{"instance_key":"loja","token":"t-1","body":` + baileys + `}}`:                        "loja t-1",
		`{"instanceName":"outra","token":"t-2","data":` + baileys + `,"instanceName":"loja"}}`: "loja ",
		`{"headers":{"token":"t-3"},"body":` + baileys + `}}`:                                  " ",
	} {
		messages, err := Parse([]byte(body))
		if err != nil || messages[0].Instance+" "+messages[0].Token != want {
			t.Errorf("%s: got %+v, %v", body, messages, err)
		}
	}
}

// TestManyPassedOn: a list is bounded.
func TestManyPassedOn(t *testing.T) {
	many := strings.Repeat(`{"EventType":"presence"},`, 500)
	messages, err := Parse([]byte(`[` + many + `{"a":1}]`))
	if err != nil || len(messages) != maxMessages {
		t.Errorf("got %d, %v", len(messages), err)
	}
}

// TestQuotes: the id of the message that one answers to, however it is nested; never that of
// one which the quoted message quoted.
func TestQuotes(t *testing.T) {
	for content, want := range map[string]string{
		`{"extendedTextMessage":{"text":"oi","contextInfo":{"stanzaId":"A"}}}`:                                               "A",
		`{"ExtendedTextMessage":{"text":"oi","contextInfo":{"stanzaID":"A"}}}`:                                               "A",
		`{"imageMessage":{"contextInfo":{"stanzaId":"A"}}}`:                                                                  "A",
		`{"ephemeralMessage":{"message":{"audioMessage":{"contextInfo":{"stanzaId":"A"}}}}}`:                                 "A",
		`{"listResponseMessage":{"title":"x","contextInfo":{"stanzaId":"A","quotedMessage":{"listMessage":{}}}}}`:            "A",
		`{"extendedTextMessage":{"contextInfo":{"quotedMessage":{"extendedTextMessage":{"contextInfo":{"stanzaId":"B"}}}}}}`: "",
		`{"conversation":"oi","contextInfo":{"stanzaId":"A"}}`:                                                               "A",
		`{"conversation":"oi","messageContextInfo":{"stanzaId":"B"}}`:                                                        "",
		`{"extendedTextMessage":{"text":"oi","contextInfo":{"expiration":0}}}`:                                               "",
		`{"extendedTextMessage":{"text":"oi","contextInfo":"x"}}`:                                                            "",
		`"oi"`: "",
	} {
		if got := quoted(lax.Parse([]byte(content))); got != want {
			t.Errorf("%s: got %q", content, got)
		}
	}
	deep := strings.Repeat(`{"xMessage":`, 100) + `{"contextInfo":{"stanzaId":"A"}}` + strings.Repeat("}", 100)
	if got := quoted(lax.Parse([]byte(deep))); got != "" {
		t.Errorf("too deep: %q", got)
	}
}

// TestChatIDs: ids of persons in one form, each once, at most four.
func TestChatIDs(t *testing.T) {
	for _, row := range []struct {
		jids []string
		want string
	}{
		{[]string{"5215512345678@s.whatsapp.net"}, "5215512345678@s.whatsapp.net"},
		{[]string{"5215512345678:12@s.whatsapp.net", "5215512345678@C.US", " 5215512345678@S.WhatsApp.net"},
			"5215512345678@s.whatsapp.net"},
		{[]string{"200300400500600:3@lid", "200300400500600@LID"}, "200300400500600@lid"},
		{[]string{"5215512345678@s.whatsapp.net", "200300400500600@lid"},
			"5215512345678@s.whatsapp.net 200300400500600@lid"},
		{[]string{"", "x", "@lid", "a1@lid", "120363000000000001@g.us", "status@broadcast", "1@newsletter",
			"5215512345678"}, ""},
		{[]string{strings.Repeat("1", maxHidden+1) + "@lid"}, ""},
		{[]string{"1@lid", "2@lid", "3@lid", "4@lid", "5@lid"}, "1@lid 2@lid 3@lid 4@lid"},
	} {
		if got := strings.Join(chatIDs(row.jids...), " "); got != row.want {
			t.Errorf("%v: got %q, want %q", row.jids, got, row.want)
		}
	}
}

// TestOwner: the paired number, and what it wrote to itself.
func TestOwner(t *testing.T) {
	for name, change := range map[string]change{
		"uazapi/own.json": {"owner": "5531900001111"}, "uazapi/message.json": {"owner": "5531900001111"},
		"evolution/own.json": {"sender": "5531900001111:4@s.whatsapp.net"},
		"megaapi/own.json":   {"jid": "5531900001111@s.whatsapp.net"},
	} {
		messages, err := Parse(changed(t, name, change))
		if err != nil || messages[0].Owner != "5531900001111" || messages[0].ToSelf {
			t.Errorf("%s: got %+v, %v", name, messages, err)
		}
	}
	for _, owner := range []any{"", "loja", nil, 7, "200300400500600@lid"} {
		messages, err := Parse(changed(t, "evolution/own.json", change{"sender": owner}))
		if err != nil || messages[0].Owner != "" {
			t.Errorf("%v: got %+v, %v", owner, messages, err)
		}
	}
}

// TestMoments: the time as WhatsApp tells it, in every form.
func TestMoments(t *testing.T) {
	want := time.Unix(1767373445, 0).UTC()
	millis := uint64(1767373445000)
	inHalves := fmt.Sprintf(`{"low":%d,"high":%d,"unsigned":false}`, int32(uint32(millis)), millis>>32)
	for _, form := range []string{
		`1767373445`, `"1767373445"`, `1767373445000`, `"1767373445000"`, `1767373445000000`, `1767373445000000000`,
		`1.767373445e9`, `{"low":1767373445,"high":0,"unsigned":true}`, `{"low":1767373445}`,
		`{"low":"1767373445","high":"0"}`, `{"seconds":1767373445,"nanos":1}`, `{"_seconds":"1767373445"}`,
		`"2026-01-02T17:04:05Z"`, `"2026-01-02T14:04:05-03:00"`, inHalves,
	} {
		t.Run(form, func(t *testing.T) {
			if at := momentOf(lax.Parse([]byte(form))); !at.Equal(want) {
				t.Errorf("got %s", at)
			}
		})
	}
	for _, form := range []string{`"yesterday"`, `{}`, `{"low":{}}`, `{"high":1}`, `-5`, `0`, `1e300`, `[]`, `true`,
		`null`, `""`} {
		t.Run(form, func(t *testing.T) {
			if at := momentOf(lax.Parse([]byte(form))); !at.IsZero() {
				t.Errorf("got %s", at)
			}
		})
	}
}

// TestManyValuesAreRefused: commas within a text are none between values.
func TestManyValuesAreRefused(t *testing.T) {
	event := func(value string) []byte {
		return []byte(`{"event":"unknown.event","instance":"a","data":` + value + `}`)
	}
	for name, test := range map[string]struct {
		body   []byte
		reason string
	}{
		"many values":          {event(`[0` + strings.Repeat(",1", lax.MaxValues) + `]`), ""},
		"many commas":          {event(`"` + strings.Repeat(`,\",`, lax.MaxValues) + `"`), ReasonUnknownEvent},
		"as many as there may": {event(`[0` + strings.Repeat(",1", lax.MaxValues-4) + `]`), ReasonUnknownEvent},
	} {
		messages, err := Parse(test.body)
		var input *InputError
		switch {
		case test.reason == "" && !errors.As(err, &input):
			t.Errorf("%s: %v, %v", name, messages, err)
		case test.reason != "" && (len(messages) != 1 || messages[0].Reason != test.reason):
			t.Errorf("%s: %v, %v", name, messages, err)
		}
	}
}
