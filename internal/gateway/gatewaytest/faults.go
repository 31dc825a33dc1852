package gatewaytest

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"cartrecovery.dev/operator/internal/failure"
	"cartrecovery.dev/operator/internal/gateway"
)

// unauthorized: a token that the server does not know is Terminal, Unauthorized.
func (s suite) unauthorized(t *testing.T) {
	b := s.begin(t)
	b.create(t)
	g := b.open(t, "another-token")
	_, err := g.Status(t.Context())
	_ = b.wants(t, "Status", err, failure.Terminal, failure.Unauthorized)
	_, err = g.SendText(t.Context(), s.free())
	_ = b.wants(t, "SendText", err, failure.Terminal, failure.Unauthorized)
	b.AdminToken = "another-admin-token"
	_, _, err = b.open(t, b.token).Find(t.Context(), identity)
	_ = b.wants(t, "Find", err, failure.Terminal, failure.Unauthorized)
}

// bounds: every call has one deadline, however many requests it makes, within gateway.Timeout.
func (s suite) bounds(t *testing.T) {
	for _, m := range s.methods() {
		t.Run(m.name, func(t *testing.T) {
			b := s.begin(t)
			g := b.pair(t)
			for _, status := range []int{0, http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound} {
				if b.set(nil); status != 0 {
					b.set(answers(status, nil, `{"response":{"message":["already in use"]}}`))
				}
				began := now()
				_, _ = m.call(t.Context(), g)
				ended := now()
				b.mu.Lock()
				for n, deadline := range b.deadlines {
					switch {
					case deadline.IsZero():
						t.Errorf("answered %d, request %d has no deadline", status, n+1)
					case deadline.After(ended.Add(gateway.Timeout)), deadline.Before(began):
						t.Errorf("answered %d, request %d may take until %s after the beginning", status, n+1,
							deadline.Sub(began))
					case !deadline.Equal(b.deadlines[0]):
						t.Errorf("answered %d, request %d may end %s after the first one's deadline", status, n+1,
							deadline.Sub(b.deadlines[0]))
					}
				}
				b.mu.Unlock()
			}
		})
	}
}

// fault is what can happen to a call, and what it is called.
type fault struct {
	name    string
	instead func(*proxy, http.ResponseWriter, *http.Request)
	// class and code are wanted; once is the class for what must not come twice.
	class, once failure.Class
	code        failure.Code
	// waits is how long the caller waits, 0 for as long as it takes.
	waits time.Duration
}

// faults are what every server can do. echo is the body of each error.
func faults(echo string) []fault {
	later := http.Header{"Retry-After": {"7"}}
	elsewhere := http.Header{"Location": {"http://127.0.0.1:1/elsewhere"}}
	return []fault{
		{"401", answers(401, nil, echo), failure.Terminal, failure.Terminal, failure.Unauthorized, 0},
		{"429 with Retry-After", answers(429, later, echo), failure.Throttled, failure.Throttled, failure.RateLimited,
			0},
		{"429", answers(429, nil, echo), failure.Throttled, failure.Throttled, failure.RateLimited, 0},
		{"503 with Retry-After", answers(503, later, echo), failure.Throttled, failure.Throttled, failure.Unavailable,
			0},
		{"503", answers(503, nil, echo), failure.Transient, failure.Transient, failure.Unavailable, 0},
		{"500", answers(500, nil, echo), failure.Transient, failure.Ambiguous, failure.Unavailable, 0},
		{"502", answers(502, nil, "<html>"), failure.Transient, failure.Ambiguous, failure.Unavailable, 0},
		{"504", answers(504, nil, echo), failure.Transient, failure.Ambiguous, failure.TimedOut, 0},
		{"a redirect", answers(302, elsewhere, ""), failure.Terminal, failure.Terminal, failure.InvalidAnswer, 0},
		{"a redirect that keeps the method", answers(307, elsewhere, ""), failure.Terminal, failure.Terminal,
			failure.InvalidAnswer, 0},
		{"the connection breaks before an answer", drops, failure.Transient, failure.Ambiguous, failure.Unavailable, 0},
		{"the answer is lost", loses, failure.Transient, failure.Ambiguous, failure.Unavailable, 0},
		{"the answer breaks off", breaksOff, failure.Transient, failure.Ambiguous, failure.Unavailable, 0},
		{"no answer in time", holds, failure.Transient, failure.Ambiguous, failure.TimedOut, 100 * time.Millisecond},
	}
}

// echo is a body with every secret of a bench, where servers say what is wrong.
func (b *bench) echo() string {
	said := strings.Join([]string{b.AdminToken, b.token, customer, phone, words, key, b.base}, " ")
	body, err := json.Marshal(map[string]any{"error": said, "message": said,
		"response": map[string]any{"message": []string{said}}})
	if err != nil {
		return said
	}
	return string(body)
}

// fails: every method says of every fault whether it had its effect, and when to try again.
func (s suite) fails(t *testing.T) {
	for n, named := range faults("") {
		t.Run(named.name, func(t *testing.T) {
			for _, m := range s.methods() {
				b := s.begin(t)
				g := b.pair(t)
				fault := faults(b.echo())[n]
				b.set(fault.instead)
				ctx, cancel := t.Context(), context.CancelFunc(func() {})
				if fault.waits > 0 {
					ctx, cancel = context.WithTimeout(ctx, fault.waits)
				}
				_, err := m.call(ctx, g)
				cancel()
				class := fault.class
				if m.once {
					class = fault.once
				}
				failed := b.wants(t, m.name, err, class, fault.code)
				if in := time.Until(failed.RetryAt); fault.name == "429 with Retry-After" &&
					(in < 0 || in > 8*time.Second) {
					t.Errorf("%s: to be tried again in %s; want 7 s", m.name, in)
				}
			}
		})
	}
	t.Run("404 is success where the end is wanted, else NotFound", s.misses)
	t.Run("no refusal tells a secret", s.keepsSecrets)
}

// misses: 404 is success of what ends an instance, and NotFound of what needs it.
func (s suite) misses(t *testing.T) {
	b := s.begin(t)
	g := b.pair(t)
	b.set(answers(http.StatusNotFound, nil, b.echo()))
	for _, m := range s.methods() {
		_, err := m.call(t.Context(), g)
		failed := b.classed(t, m.name, err)
		switch {
		case m.ends && err != nil:
			t.Errorf("%s: got %v; want success", m.name, err)
		case m.name == "Status" || m.name == "SendText":
			if failed == nil || failed.Class != failure.Terminal || failed.Code != failure.NotFound {
				t.Errorf("%s: got %v; want NotFound (Terminal)", m.name, err)
			}
		}
	}
}

// keepsSecrets: whatever a refusal says, its error repeats nothing of it.
func (s suite) keepsSecrets(t *testing.T) {
	for _, status := range []int{400, 403, 405, 406, 409, 413, 422, 451, 501, 599} {
		b := s.begin(t)
		g := b.pair(t)
		b.set(answers(status, nil, b.echo()))
		for _, m := range s.methods() {
			_, err := m.call(t.Context(), g)
			if failed := b.classed(t, m.name, err); failed == nil && !m.ends {
				t.Errorf("%s answered %d: succeeded", m.name, status)
			}
		}
	}
}
