package dialects

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// fixture reads a delivery out of testdata.
func fixture(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// change is what a delivery has differently from its fixture: values by path
// ("message.text"); absent removes the field.
type change map[string]any

var absent = new(int)

// changed returns a fixture with changes.
func changed(t testing.TB, name string, changes change) []byte {
	t.Helper()
	var root map[string]any
	if err := json.Unmarshal(fixture(t, name), &root); err != nil {
		t.Fatal(err)
	}
	for path, value := range changes {
		object, names := root, strings.Split(path, ".")
		for _, name := range names[:len(names)-1] {
			next, ok := object[name].(map[string]any)
			if !ok {
				next = map[string]any{}
				object[name] = next
			}
			object = next
		}
		if value == absent {
			delete(object, names[len(names)-1])
			continue
		}
		object[names[len(names)-1]] = value
	}
	data, err := json.Marshal(root)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// says puts what a delivery tells into words, as the tables write it.
func says(message Message) string {
	switch {
	case message.Kind == Ignored:
		return "ignore: " + message.Reason
	case message.Media != "":
		return fmt.Sprintf("%s: %s %q", message.Kind, message.Media, message.Text)
	case message.Kind == Inbound:
		return fmt.Sprintf("%s: %q", message.Kind, message.Text)
	}
	return string(message.Kind)
}

// row is a line of a dialect's table: what comes in and what it tells.
type row struct {
	delivery string
	fixture  string
	change   change
	want     string
}

func testTable(t *testing.T, rows []row) {
	t.Helper()
	for _, row := range rows {
		t.Run(row.delivery+" → "+row.want, func(t *testing.T) {
			messages, err := Parse(changed(t, row.fixture, row.change))
			if err != nil {
				t.Fatalf("not parsed: %v", err)
			}
			for _, message := range messages {
				if says(message) != row.want {
					t.Errorf("%s", says(message))
				}
				checkMessage(t, message)
			}
		})
	}
}

// testMessages compares everything that a delivery tells.
func testMessages(t *testing.T, body []byte, want ...Message) {
	t.Helper()
	got, err := Parse(body)
	if err != nil {
		t.Fatalf("not parsed: %v", err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("\n got %+v\nwant %+v", got, want)
	}
}

func testRefused(t *testing.T, body []byte, field string) {
	t.Helper()
	_, err := Parse(body)
	var input *InputError
	if !errors.As(err, &input) {
		t.Fatalf("got error %v, want an *InputError", err)
	}
	if input.Field != field || input.Expected == "" {
		t.Errorf("got %q, want the field %q named", input, field)
	}
}

// checkMessage checks what holds for every message of every dialect.
func checkMessage(t *testing.T, message Message) {
	t.Helper()
	for _, text := range []struct {
		name, value string
		limit       int
		lines       bool
	}{
		{"ID", message.ID, maxID, false}, {"instance", message.Instance, maxInstance, false}, {"text", message.Text, maxText, true},
	} {
		if !utf8.ValidString(text.value) || strings.TrimSpace(text.value) != text.value || utf8.RuneCountInString(text.value) > text.limit ||
			strings.ContainsFunc(text.value, func(r rune) bool {
				return unicode.IsControl(r) && !(text.lines && (r == '\n' || r == '\t'))
			}) {
			t.Errorf("%s is not fit to be kept: %q", text.name, text.value)
		}
	}
	if strings.Trim(message.Phone, "0123456789") != "" || len(message.Phone) > 15 {
		t.Errorf("no phone: %q", message.Phone)
	}
	if (message.Kind == Ignored) != (message.Reason != "") {
		t.Errorf("%s with reason %q", message.Kind, message.Reason)
	}
	if message.Kind == Inbound && (message.FromMe || message.Phone == "" || message.ID == "" || message.Text == "" && message.Media == "") {
		t.Errorf("nobody can answer this: %+v", message)
	}
	if message.Dialect == "" {
		t.Error("no dialect")
	}
	if !message.At.IsZero() && (message.At.Year() < 2000 || message.At.Year() > 2099) {
		t.Errorf("out of time: %s", message.At)
	}
}

// broken are bodies that no gateway's delivery can be.
var broken = map[string]string{
	"empty":            "",
	"text":             "hello",
	"null":             "null",
	"array":            `[{"EventType":"messages"}]`,
	"truncated":        `{"EventType":"mess`,
	"trailing garbage": `{"EventType":"messages","message":{}} x`,
	"endless nesting":  strings.Repeat(`{"message":`, 100_000),
	"another gateway":  `{"event":"messages.upsert","instance":"x","data":{}}`,
	"nothing known":    `{}`,
}

func TestParseRefuses(t *testing.T) {
	for name, body := range broken {
		t.Run(name, func(t *testing.T) { testRefused(t, []byte(body), "") })
	}
	for _, test := range []struct {
		field, fixture string
		change         change
	}{
		{"EventType", "uazapi/message.json", change{"EventType": []int{1}}},
		{"message", "uazapi/message.json", change{"message": absent}},
		{"message", "uazapi/message.json", change{"message": "oi"}},
		{"event", "uazapi/receipt.json", change{"event": "Read"}},
		{"message", "legacy/message.json", change{"message": "oi"}},
		{"message.key", "legacy/message.json", change{"message.key": "5551991234567"}},
		{"message.key", "legacy/message.json", change{"message": map[string]any{}}},
	} {
		t.Run(test.field, func(t *testing.T) { testRefused(t, changed(t, test.fixture, test.change), test.field) })
	}
}

// FuzzParse feeds anything: it must not panic, must keep to the contract of Message, and
// must hold nothing of the body in errors or by reference.
func FuzzParse(f *testing.F) {
	for _, name := range []string{
		"uazapi/message.json", "uazapi/receipt.json", "uazapi/connection.json", "legacy/message.json", "legacy/flat.json",
	} {
		f.Add(fixture(f, name))
	}
	for _, body := range broken {
		if len(body) < 1000 {
			f.Add([]byte(body))
		}
	}
	f.Add([]byte(`{"EventType":"messages","message":{"fromMe":"True","messageTimestamp":"1e3","content":"x","id":":","edited":0}}`))
	f.Add([]byte(`{"EventType":"messages_update","event":{"MessageIDs":"a","Timestamp":{"low":1767373445},"Type":1}}`))
	f.Add([]byte(`{"key":{"remoteJid":1},"message":{"ephemeralMessage":{"message":{"extendedTextMessage":"a\u0000\r\nb"}}}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		messages, err := Parse(body)
		if err != nil {
			var input *InputError
			if !errors.As(err, &input) {
				t.Fatalf("error of an unknown type: %v", err)
			}
			switch input.Field {
			case "", "EventType", "message", "message.key", "event":
			default:
				t.Fatalf("an error names a field that may be personal: %q", input.Field)
			}
			return
		}
		if len(messages) == 0 || len(messages) > maxReceipts {
			t.Fatalf("%d messages", len(messages))
		}
		for _, message := range messages {
			checkMessage(t, message)
		}
		before := fmt.Sprintf("%+v", messages)
		if again, err := Parse(body); err != nil || fmt.Sprintf("%+v", again) != before {
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

func benchmarkParse(b *testing.B, name string) {
	body := fixture(b, name)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(body); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkUAZAPIMessage(b *testing.B) { benchmarkParse(b, "uazapi/message.json") }
func BenchmarkUAZAPIReceipt(b *testing.B) { benchmarkParse(b, "uazapi/receipt.json") }
func BenchmarkLegacyMessage(b *testing.B) { benchmarkParse(b, "legacy/message.json") }
