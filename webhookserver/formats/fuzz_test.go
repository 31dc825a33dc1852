package formats

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"cartrecovery.dev/operator/internal/lax"
)

// namedFields are the fields that errors may name: the body's own could be personal.
var namedFields = []string{"", "EventType", "message", "message.key", "event", "data", "data.key", "key"}

// seed adds the fixtures of a format, all when it is "", and bodies that are none.
func seed(f *testing.F, format string) {
	f.Helper()
	for _, name := range deliveries(f) {
		if format == "" || strings.HasPrefix(name, format+"/") {
			f.Add(fixture(f, name))
		}
	}
	for _, body := range broken {
		if len(body) < 1000 {
			f.Add([]byte(body))
		}
	}
}

// fuzz feeds anything to a parser: it must not panic, must keep to the contract of Message,
// and must hold nothing of the body in errors or by reference.
func fuzz(f *testing.F, parse func(body []byte) ([]Message, error)) {
	f.Fuzz(func(t *testing.T, body []byte) {
		messages, err := parse(body)
		if err != nil {
			var input *InputError
			if !errors.As(err, &input) {
				t.Fatalf("error of an unknown type: %v", err)
			}
			if !slices.Contains(namedFields, input.Field) {
				t.Fatalf("an error names a field that may be personal: %q", input.Field)
			}
			return
		}
		count := map[Kind]int{}
		for _, message := range messages {
			count[message.Kind]++
			checkMessage(t, message)
		}
		if len(messages) == 0 || count[Receipt]+count[Ignored] > maxMessages {
			t.Fatalf("%d messages: %v", len(messages), count)
		}
		before := fmt.Sprintf("%+v", messages)
		if again, err := parse(body); err != nil || fmt.Sprintf("%+v", again) != before {
			t.Fatalf("not the same twice: %s, then %+v, %v", before, again, err)
		}
		for i := range body {
			body[i] = 'x'
		}
		if after := fmt.Sprintf("%+v", messages); after != before {
			t.Fatalf("the messages share memory with the body: %s, then %s", before, after)
		}
	})
}

// only reads bodies as one format, whatever their shape.
func only(parse func(top fields) ([]Message, error)) func(body []byte) ([]Message, error) {
	return func(body []byte) ([]Message, error) {
		checked, expected := lax.Checked(body, nil)
		if expected != "" || !utf8.Valid(body) {
			return nil, &InputError{Expected: "a JSON object"}
		}
		top := lax.Parse(checked).Object()
		if top == nil {
			return nil, &InputError{Expected: "a JSON object"}
		}
		return parse(top)
	}
}

// FuzzParse is about the detection of the format.
func FuzzParse(f *testing.F) {
	seed(f, "")
	for _, body := range []string{
		`[{"body":"{\"EventType\":\"presence\"}"},[[{"event":"message","data":{"chatid":"1@lid","text":"x"}}]]]`,
		`{"payload":{"data":[{"json":{"instance_key":"a","messageType":"x"}},7]}}`,
		`{"event":"messages_update","data":[{"messageid":"a","status":"read"},{"MessageIDs":[1,"b"],"Type":4}]}`,
		`{"message":{"chatid":"1@lid","content":"{\"button\":{\"payload\":\"x\"}}","quoted":{"id":"1:2"}},"chat":{"phone":"+5531988776655"}}`,
	} {
		f.Add([]byte(body))
	}
	fuzz(f, Parse)
}

func FuzzUAZAPI(f *testing.F) {
	seed(f, formatUAZAPI)
	f.Add(
		[]byte(
			`{"EventType":"messages","message":{"fromMe":"True","messageTimestamp":"1e3","content":"x","id":":","edited":0}}`))
	f.Add([]byte(`{"EventType":"messages_update","event":{"MessageIDs":"a","Timestamp":{"low":1767373445},"Type":1}}`))
	f.Add(
		[]byte(
			`{"EventType":"messages","message":{"messageType":"\u0000é\"","content":{"message":{"a":1}},"edited":true}}`))
	f.Add(
		[]byte(
			`{"EventType":"messages","message":{"messageType":"NativeFlowMessage","content":{"NativeFlowMessage":{"paramsJson":"{\"flow_token\":1,\"a\":\"b\"}"}}}}`))
	f.Add(
		[]byte(
			`{"EventType":"messages","owner":"5531900001111","message":{"chatid":"5531900001111@s.whatsapp.net","fromMe":1,"text":"a begin:vcard"}}`))
	fuzz(f, only(parseUAZAPI))
}

func FuzzEvolution(f *testing.F) {
	seed(f, formatEvolution)
	f.Add([]byte(`{"event":"messages.upsert","data":{"messages":[{"key":{"id":1},"message":"x"},3]},"apikey":"a b"}`))
	f.Add(
		[]byte(
			`{"event":"MESSAGES_UPDATE","data":[{"id":7,"status":"3"},{"key":null,"update":{"status":{}}}],"instance":{"name":"x"}}`))
	f.Add(
		[]byte(
			`{"event":"messages.upsert","data":[{"key":7},{"key":{"remoteJid":"5531988776655@s.whatsapp.net","id":"a"},"message":"x"}]}`))
	f.Add([]byte(`{"event":"messages.edited","data":{"type":"EPHEMERAL_SETTING"}}`))
	f.Add(
		[]byte(
			`{"event":"messages.upsert","data":{"key":{"id":"a","remoteJid":"5531988776655@s.whatsapp.net"},"message":{"pollUpdateMessage":{"vote":{"selectedOptions":["a",1,{}]}}}}}`))
	f.Add(
		[]byte(
			`{"event":"messages.upsert","data":{"type":"append","key":{"id":"a","remoteJid":"1@lid","previousRemoteJid":"2@LID"},"message":{"AMessage":{"aMessage":{"contextInfo":{"stanzaId":"b"},"interactive":{"nfm_reply":{"response_json":"{}"}}}}}}}`))
	fuzz(f, only(parseEvolution))
}

func FuzzMegaAPI(f *testing.F) {
	seed(f, formatMegaAPI)
	f.Add([]byte(`{"instance_key":1,"key":{"id":"x"},"ack":"4"}`))
	fuzz(f, only(parseMegaAPI))
}

func FuzzLegacy(f *testing.F) {
	seed(f, formatLegacy)
	f.Add(
		[]byte(
			`{"key":{"remoteJid":1},"message":{"ephemeralMessage":{"message":{"extendedTextMessage":"a\u0000\r\nb"}}}}`))
	fuzz(f, only(parseLegacy))
}
