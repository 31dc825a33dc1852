package wire

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"cartrecovery.dev/operator/internal/failure"
	"cartrecovery.dev/operator/internal/gateway"
)

// bodies is a server that keeps the bodies that came in whole.
type bodies struct {
	mu    sync.Mutex
	whole []int
}

func (b *bodies) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err == nil {
		b.mu.Lock()
		b.whole = append(b.whole, len(body))
		b.mu.Unlock()
	}
	_, _ = w.Write([]byte(`{}`))
}

func (b *bodies) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.whole)
}

func refuseAll(int, http.Header, []byte) *failure.Error {
	return &failure.Error{Class: failure.Terminal}
}

// clientOf calls a server, and has dialed called once a connection stands.
func clientOf(t *testing.T, url string, dialed func()) *Client {
	t.Helper()
	transport := &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		dialed()
		return conn, err
	}}
	t.Cleanup(transport.CloseIdleConnections)
	client, _, err := NewClient(&http.Client{Transport: transport}, "test", gateway.Endpoint{BaseURL: url, Token: "t"})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func TestLease(t *testing.T) {
	small, large := strings.Repeat("x", 100), strings.Repeat("x", 1<<20)
	for name, test := range map[string]struct {
		body string
		// endsAt is after which question the lease is over; connecting, that it ends with the dial.
		endsAt     int32
		connecting bool
		wants      failure.Code
		arrives    int
	}{
		"it holds":                  {body: small, endsAt: 1000, arrives: 1},
		"it is over from the start": {body: small, wants: failure.LeaseLost},
		"it ends while connecting": {body: small, endsAt: 1000, connecting: true,
			wants: failure.LeaseLost},
		"it ends in the middle of a large body":  {body: large, endsAt: 3, wants: failure.LeaseLost},
		"it ends once the whole body is written": {body: small, endsAt: 1, arrives: 1},
	} {
		t.Run(name, func(t *testing.T) {
			took := &bodies{}
			server := httptest.NewServer(took)
			var asked atomic.Int32
			var over atomic.Bool
			client := clientOf(t, server.URL, func() { over.Store(test.connecting) })
			ctx := gateway.WithLease(t.Context(), func() bool { return asked.Add(1) <= test.endsAt && !over.Load() })
			call := Call{Op: "test", Method: http.MethodPost, Path: "/send", Body: test.body, Header: "token",
				Token: "t", Once: true}
			_, err := client.Do(ctx, call, refuseAll)
			if got := failure.CodeOf(err); got != test.wants {
				t.Errorf("got code %q (%v), want %q", got, err, test.wants)
			}
			if test.wants != "" && failure.ClassOf(err) != failure.Transient {
				t.Errorf("got class %s: a call that was not begun had no effect", failure.ClassOf(err))
			}
			// Close waits for the handlers.
			server.Close()
			if took.count() != test.arrives {
				t.Errorf("%d whole bodies arrived, want %d", took.count(), test.arrives)
			}
		})
	}
}

// A connection that is kept alive is used by calls with leases of their own.
func TestLeaseOnAKeptConnection(t *testing.T) {
	took := &bodies{}
	server := httptest.NewServer(took)
	defer server.Close()
	dials, over := 0, false
	client := clientOf(t, server.URL, func() { dials++ })
	ctx := gateway.WithLease(t.Context(), func() bool { return !over })
	call := Call{Op: "test", Method: http.MethodPost, Path: "/send", Body: "x", Header: "token", Token: "t", Once: true}
	for range 2 {
		if _, err := client.Do(ctx, call, refuseAll); err != nil {
			t.Fatal(err)
		}
	}
	over = true
	if _, err := client.Do(ctx, call, refuseAll); failure.CodeOf(err) != failure.LeaseLost {
		t.Errorf("got %v", err)
	}
	if took.count() != 2 || dials != 1 {
		t.Errorf("%d bodies over %d connections", took.count(), dials)
	}
}
