package simulator

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestConduct(t *testing.T) {
	ai := NewOpenAI(OpenAIOptions{})
	request := ChatRequest{Messages: []ChatMessage{{Role: "system", Content: "Produto: Curso"},
		{Role: "user", Content: "oi"}}}
	if got := ai.misbehave(request); got != writeChat(request) {
		t.Errorf("by default it writes %q", got.text)
	}
	for conduct, texts := range misconduct {
		ai.Behave(conduct)
		if got := ai.misbehave(request); !strings.Contains(strings.Join(texts, "\n"), got.text) ||
			conduct.reason() == "" {
			t.Errorf("%s: writes %q", conduct, got.text)
		}
	}
}

func TestVerdicts(t *testing.T) {
	for _, c := range []struct {
		manner Manner
		draft  string
		want   string
	}{
		{Honest, "Oi!", `{"allowed":true,"reason":"None"}`},
		{Honest, "Oi! Prontinho, cancelado!", `{"allowed":false,"reason":"Identity"}`},
		{Lax, "Prontinho, cancelado!", `{"allowed":true,"reason":"None"}`},
		{Strict, "Oi!", `{"allowed":false,"reason":"Fact"}`},
	} {
		if got := verdictOf(c.manner, c.draft); got != c.want {
			t.Errorf("%q of %q: %s, want %s", c.manner, c.draft, got, c.want)
		}
	}
	if json.Valid([]byte(verdictOf(Babbling, ""))) || !json.Valid([]byte(verdictOf(Foreign, ""))) {
		t.Error("Babbling is to be no JSON, Foreign is")
	}
}

func TestReadChatFormat(t *testing.T) {
	for raw, want := range map[string]struct {
		schema string
		ok     bool
	}{
		`{"type":"text"}`: {"", true}, `{"type":"json_object"}`: {"", true},
		`{"type":"json_schema","json_schema":{"name":"review","schema":{}}}`: {"review", true},
		`{"type":"json_schema"}`: {"", false},
		`{"type":"json_schema","json_schema":{"name":"no good","schema":{}}}`: {"", false},
		`{"type":"xml"}`: {"", false}, `"text"`: {"", false},
	} {
		var request ChatRequest
		if wrong := readChatFormat(json.RawMessage(raw), &request); (wrong == "") != want.ok ||
			request.Schema != want.schema {
			t.Errorf("%s: %q, schema %q", raw, wrong, request.Schema)
		}
	}
}
