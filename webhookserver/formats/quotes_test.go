package formats

import (
	"fmt"
	"testing"
)

// TestQuotedAnywhere: what a message answers to is found wherever a server of UAZAPI's writes it.
func TestQuotedAnywhere(t *testing.T) {
	for _, quote := range []string{
		`"quoted":"Q1"`, `"quoted":"5511900000000:Q1"`, `"quoted":{"messageid":"Q1"}`, `"quoted":{"key":{"id":"Q1"}}`,
		`"replyid":"Q1"`, `"quotedMessageId":"Q1"`, `"contextInfo":{"stanzaId":"Q1"}`,
		`"content":{"text":"PARAR","contextInfo":{"stanzaID":"Q1"}}`,
		`"content":{"Text":"PARAR","ContextInfo":{"StanzaId":"Q1"}}`,
		`"content":"{\"text\":\"PARAR\",\"contextInfo\":{\"stanzaID\":\"Q1\"}}"`,
	} {
		body := `{"EventType":"messages","message":{"messageid":"A1","chatid":"5521987654321@s.whatsapp.net","text":"PARAR",` +
			quote + `}}`
		messages, err := Parse([]byte(body))
		if err != nil || len(messages) != 1 || messages[0].Kind != Inbound || messages[0].Quotes != "Q1" {
			t.Errorf("%s: %+v, %v", quote, messages, err)
		}
	}
}

// TestPassedOn: a delivery is found in what flows and relays put around it.
func TestPassedOnByOthers(t *testing.T) {
	const inner = `{"EventType":"messages","message":{"messageid":"A1","chatid":"5521987654321@s.whatsapp.net","text":"PARAR"}}`
	for _, around := range []string{
		`{"body":%s}`, `[{"body":%s,"headers":{}}]`, `{"payload":{"body":%s}}`, `{"json":{"body":%s}}`,
		`{"request":{"body":%s}}`, `{"webhook":%s}`, `{"result":%s}`, `{"event":%s}`, `{"content":%s}`, `{"value":%s}`,
	} {
		messages, err := Parse(fmt.Appendf(nil, around, inner))
		if err != nil || len(messages) != 1 || messages[0].Kind != Inbound || messages[0].Text != "PARAR" {
			t.Errorf("%s: %+v, %v", around, messages, err)
		}
	}
}

// TestCardByItsType: a contact card that only its type tells is one.
func TestCardByItsType(t *testing.T) {
	const body = `{"EventType":"messages","message":{"messageid":"A1","chatid":"5521987654321@s.whatsapp.net","type":"vcard","text":"Joe"}}`
	messages, err := Parse([]byte(body))
	if err != nil || len(messages) != 1 || messages[0].Media != mediaContact || messages[0].Text != "" {
		t.Errorf("%+v, %v", messages, err)
	}
}
