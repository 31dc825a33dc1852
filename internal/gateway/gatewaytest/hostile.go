package gatewaytest

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"cartrecovery.dev/operator/internal/failure"
	"cartrecovery.dev/operator/internal/gateway"
)

// The most that an instance's ids may be long: as much as the schema takes.
const (
	maxID = 160
	// maxTaken is how much of an answer without end is taken in at most: a list of instances, and
	// what lies in buffers.
	maxTaken = 24 << 20
)

// misreads: a 2xx that is not the protocol is InvalidAnswer, never "there is none"; of what must not
// come twice it is Ambiguous.
func (s suite) misreads(t *testing.T) {
	for name, body := range map[string]string{
		"nothing": "", "a page": "<!DOCTYPE html><html><body>OK</body></html>", "words": "ok",
		"an object that breaks off": `{"instance":{"id":"r1","status":"connected"`,
		"a list that breaks off":    `[{"id":"r1","key":{"id":"A"}`,
		"lists without end":         strings.Repeat("[", 100_000), "objects without end": strings.Repeat(`{"a":`,
			100_000),
		"a number": "42", "a text": `"connected"`, "null": "null", "true": "true",
		"blanks": strings.Repeat(" ", 2*gateway.MaxAnswer),
	} {
		t.Run(name, func(t *testing.T) {
			b := s.begin(t)
			g := b.pair(t)
			b.set(answers(http.StatusOK, http.Header{"Content-Type": {"application/json"}}, body))
			isJSON := json.Valid([]byte(body))
			for _, m := range s.methods() {
				// Whether these had their effect Status tells; a gateway may confirm them with anything.
				if m.ends || m.name == "Restart" || m.name == "RegisterWebhook" && isJSON {
					continue
				}
				class := failure.Terminal
				if m.once {
					class = failure.Ambiguous
				}
				_, err := m.call(t.Context(), g)
				_ = b.wants(t, m.name, err, class, failure.InvalidAnswer)
			}
		})
	}
	t.Run("without end", func(t *testing.T) {
		for _, m := range s.methods() {
			b := s.begin(t)
			g := b.pair(t)
			b.set(floods)
			_, err := m.call(t.Context(), g)
			if b.classed(t, m.name, err) == nil {
				t.Errorf("%s: succeeded", m.name)
			}
			b.mu.Lock()
			if b.written > maxTaken {
				t.Errorf("%s: took %d bytes; want %d at most", m.name, b.written, maxTaken)
			}
			b.mu.Unlock()
		}
	})
}

// clips: whatever a server writes into the fields of its answers, values come bounded and hold no
// credential.
func (s suite) clips(t *testing.T) {
	for name, change := range map[string]func(b *bench, value any) any{
		"texts are the token":       texts(func(b *bench) any { return b.token }),
		"texts are the admin token": texts(func(b *bench) any { return "x" + b.AdminToken + "x" }),
		"texts are long":            texts(func(*bench) any { return strings.Repeat("1234567890", 2000) }),
		"texts are pages":           texts(func(*bench) any { return "<script>alert(1)</script>\x00\n" }),
		"texts are numbers":         texts(func(*bench) any { return json.Number("12345678901234567890") }),
		"texts are objects":         texts(func(*bench) any { return map[string]any{"a": []any{nil}} }),
		"numbers are huge":          numbers("1e300"),
		"numbers are negative":      numbers("-9223372036854775808"),
		"everything is null":        func(*bench, any) any { return nil },
		"everything is a list":      func(*bench, any) any { return []any{[]any{}, "x"} },
	} {
		t.Run(name, func(t *testing.T) {
			for _, m := range s.methods() {
				b := s.begin(t)
				g := b.pair(t)
				b.set(func(p *proxy, w http.ResponseWriter, r *http.Request) {
					p.forward(r, func(response *http.Response, body []byte) {
						reply(w, response, b.rewrite(body, change))
					})
				})
				got, err := m.call(t.Context(), g)
				b.fits(t, m.name, got)
				failed := b.classed(t, m.name, err)
				if m.once && failed != nil && failed.Class != failure.Ambiguous {
					t.Errorf("%s: got %v; want Ambiguous, because the server may have done it", m.name, failed)
				}
			}
		})
	}
}

// texts replaces the texts of an answer.
func texts(by func(*bench) any) func(*bench, any) any {
	return func(b *bench, value any) any {
		if _, is := value.(string); is {
			return by(b)
		}
		return value
	}
}

// numbers replaces the numbers of an answer.
func numbers(by json.Number) func(*bench, any) any {
	return func(_ *bench, value any) any {
		if _, is := value.(json.Number); is {
			return by
		}
		return value
	}
}

// rewrite changes every value within an answer; one that is not JSON stays as it is.
func (b *bench) rewrite(body []byte, change func(*bench, any) any) []byte {
	decoder := json.NewDecoder(strings.NewReader(string(body)))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return body
	}
	fresh, err := json.Marshal(b.changed(value, change))
	if err != nil {
		return body
	}
	return fresh
}

// changed is a value with its leaves changed.
func (b *bench) changed(value any, change func(*bench, any) any) any {
	switch value := value.(type) {
	case map[string]any:
		for name := range value {
			value[name] = b.changed(value[name], change)
		}
		return value
	case []any:
		for i := range value {
			value[i] = b.changed(value[i], change)
		}
		return value
	}
	return change(b, value)
}

// fits checks that a value is bounded and tells no secret.
func (b *bench) fits(t *testing.T, name string, value any) {
	t.Helper()
	switch value := value.(type) {
	case found:
		if instance, is := value.what.(gateway.Instance); is && value.ok && instance.Token == "" {
			t.Errorf("%s: found an instance without a token", name)
		}
		b.fits(t, name, value.what)
	case gateway.Instance:
		b.fitsID(t, name+": ID", value.ID)
		if strings.ContainsAny(value.Token, " \n\x00") || len(value.Token) > 512 {
			t.Errorf("%s: a token of %d bytes, or one that no header can carry", name, len(value.Token))
		}
		b.fits(t, name, value.State)
	case gateway.State:
		switch value.Connection {
		case "", gateway.Connected, gateway.Connecting, gateway.Disconnected:
		default:
			t.Errorf("%s: Connection is %q", name, value.Connection)
		}
		if strings.Trim(value.Phone, "0123456789") != "" || len(value.Phone) > 15 {
			t.Errorf("%s: Phone is no number of 15 digits", name)
		}
		if value.QRCode != "" && !strings.HasPrefix(value.QRCode, "data:image/") {
			t.Errorf("%s: QRCode is no picture", name)
		}
		for field, said := range map[string]string{"QRCode": value.QRCode, "PairCode": value.PairCode,
			"DisconnectReason": value.DisconnectReason} {
			if told := b.tells(said); told != "" || strings.ContainsAny(said, "<>\x00") || len(said) > 128<<10 {
				t.Errorf("%s: %s of %d bytes tells %q, or holds a page", name, field, len(said), told)
			}
		}
	case gateway.Receipt:
		b.fitsID(t, name+": MessageID", value.MessageID)
	case gateway.Number:
		if strings.Trim(value.ID, "0123456789") != "" || len(value.ID) > 15 {
			t.Errorf("%s: ID is no number of 15 digits", name)
		}
	}
}

// fitsID checks an id.
func (b *bench) fitsID(t *testing.T, name, id string) {
	t.Helper()
	if told := b.tells(id); told != "" || len(id) > maxID || strings.ContainsAny(id, " \x00\n") {
		t.Errorf("%s: %d bytes that tell %q, or are not printed", name, len(id), told)
	}
}
