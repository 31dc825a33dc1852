package formats

import (
	"encoding/json"
	"errors"
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

// row is a line of a format's table: what comes in and what it tells.
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
				if describe(message) != row.want {
					t.Errorf("%s", describe(message))
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
	for i := range got { // the golden file has these, of every fixture
		if i < len(want) && want[i].ChatIDs == nil {
			got[i].ChatIDs = nil
		}
		if i < len(want) && want[i].Owner == "" {
			got[i].Owner = ""
		}
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

// checkMessage checks what holds for every message of every format.
func checkMessage(t *testing.T, message Message) {
	t.Helper()
	for _, text := range []struct {
		name, value string
		limit       int
		lines       bool
	}{
		{"ID", message.ID, maxID, false}, {"instance", message.Instance, maxInstance, false},
		{"text", message.Text, maxText + beyondText, true}, {"target", message.Target, maxID, false},
		{"connection", message.Connection, maxConnection, false},
	} {
		if !utf8.ValidString(text.value) || strings.TrimSpace(text.value) != text.value ||
			utf8.RuneCountInString(text.value) > text.limit ||
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
	if (message.Kind == Reaction) != (message.Target != "") || (message.Kind == Receipt) != (message.Status != "") ||
		message.Connection != "" && message.Kind != ConnectionChange {
		t.Errorf("a %s tells what another kind does: %+v", message.Kind, message)
	}
	checkWho(t, message)
	known := message.Phone != "" || len(message.ChatIDs) > 0
	written := message.ID != "" && (message.Text != "" || message.Media != "")
	switch message.Kind {
	case Inbound:
		if message.FromMe || !known || !written {
			t.Errorf("nobody can answer this: %+v", message)
		}
	case Own, Sent:
		if !message.FromMe || !known || !written {
			t.Errorf("nobody took this over: %+v", message)
		}
	case Edited:
		if !written {
			t.Errorf("nothing was edited: %+v", message)
		}
	case Receipt:
		if message.ID == "" || message.Status != Delivered && message.Status != Read {
			t.Errorf("a receipt of nothing: %+v", message)
		}
	case Reaction:
		if message.FromMe {
			t.Errorf("not the customer's: %+v", message)
		}
	case ConnectionChange, Ignored:
	default:
		t.Errorf("a kind that is none: %q", message.Kind)
	}
	if message.Format == "" {
		t.Error("no format")
	}
	if !message.At.IsZero() && (message.At.Year() < 2000 || message.At.Year() > 2099) {
		t.Errorf("out of time: %s", message.At)
	}
}

// checkWho checks the ids of a message, and that nothing of a contact card is kept.
func checkWho(t *testing.T, message Message) {
	t.Helper()
	if len(message.ChatIDs) > maxChatIDs {
		t.Errorf("too many ids: %v", message.ChatIDs)
	}
	for _, id := range message.ChatIDs {
		if personID(id) != id {
			t.Errorf("an id in another form: %q", id)
		}
	}
	if strings.Trim(message.Owner, "0123456789") != "" || len(message.Owner) > 15 {
		t.Errorf("no number: %q", message.Owner)
	}
	if utf8.RuneCountInString(message.Quotes) > maxID || message.Kind == Ignored &&
		(message.Quotes != "" || message.ChatIDs != nil) {
		t.Errorf("quotes what nobody asks for: %+v", message)
	}
	if message.Media == mediaContact && message.Text != "" || strings.Contains(strings.ToLower(message.Text),
		"begin:vcard") {
		t.Errorf("tells of somebody else: %+v", message)
	}
	if message.ToSelf && !message.FromMe {
		t.Errorf("to itself, and not from itself: %+v", message)
	}
}

// broken are bodies that no gateway's delivery can be.
var broken = map[string]string{
	"empty":            "",
	"text":             "hello",
	"null":             "null",
	"empty array":      "[]",
	"array of nothing": `[1, "x", null]`,
	"endless arrays":   strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000),
	"wrapped nothing":  `{"body":{"body":{"a":1}}}`,
	"truncated":        `{"EventType":"mess`,
	"trailing garbage": `{"EventType":"messages","message":{}} x`,
	"endless nesting":  strings.Repeat(`{"message":`, 100_000),
	"another gateway":  `{"type":"ReceivedCallback","phone":"5531988776655","text":{"message":"oi"}}`,
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
		{"event", "uazapi/receipt.json", change{"event": absent}},
		{"event", "evolution/conversation.json", change{"event": false}},
		{"data", "evolution/conversation.json", change{"data": "oi"}},
		{"data", "evolution/receipt-read.json", change{"data": nil}},
		{"data.key", "evolution/conversation.json", change{"data.key": "5531988776655"}},
		{"data.key", "evolution/conversation.json",
			change{"data": []any{map[string]any{"key": 1}, map[string]any{"message": "x"}}}},
		{"key", "megaapi/conversation.json", change{"key": absent}},
		{"message", "legacy/message.json", change{"message": "oi"}},
		{"message.key", "legacy/message.json", change{"message.key": "5551991234567"}},
		{"message.key", "legacy/message.json", change{"message": map[string]any{}}},
	} {
		t.Run(test.fixture+" "+test.field, func(t *testing.T) {
			testRefused(t, changed(t, test.fixture, test.change), test.field)
		})
	}
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

func BenchmarkEvolutionMessage(b *testing.B)    { benchmarkParse(b, "evolution/conversation.json") }
func BenchmarkEvolutionReceipt(b *testing.B)    { benchmarkParse(b, "evolution/receipt-read.json") }
func BenchmarkEvolutionConnection(b *testing.B) { benchmarkParse(b, "evolution/connection-open.json") }
func BenchmarkMegaAPIMessage(b *testing.B)      { benchmarkParse(b, "megaapi/conversation.json") }
func BenchmarkLegacyMessage(b *testing.B)       { benchmarkParse(b, "legacy/message.json") }
