package uazapi

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/failure"
	"cartrecovery.dev/operator/internal/gateway"
	"cartrecovery.dev/operator/internal/gateway/wire"
	"cartrecovery.dev/operator/internal/simulator"
)

const (
	adminToken = "admin-secret"
	ownPhone   = "5511900000001"
	customer   = "5511900000002"
)

var identity = gateway.Identity{Name: "shop", Owner: "store/shop", UID: "uid-1"}

// server runs a simulator and returns it with its address.
func server(t testing.TB, options simulator.UAZAPIOptions) (*simulator.UAZAPI, string) {
	t.Helper()
	options.AdminToken = adminToken
	sim := simulator.NewUAZAPI(options)
	served, err := simulator.Serve(sim)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = served.Close()
		_ = sim.Close()
	})
	return sim, served.URL()
}

// dial returns a client of the server at base.
func dial(t testing.TB, endpoint gateway.Endpoint) *client {
	t.Helper()
	made, err := newClient(gateway.NewHTTPClient(), endpoint, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// paired returns a simulator with one connected instance, and its client.
func paired(t testing.TB, options simulator.UAZAPIOptions) (*simulator.UAZAPI, *client) {
	t.Helper()
	sim, base := server(t, options)
	created, err := dial(t, gateway.Endpoint{BaseURL: base, AdminToken: adminToken}).Create(t.Context(), identity)
	if err != nil {
		t.Fatal(err)
	}
	endpoint := gateway.Endpoint{BaseURL: base, Token: created.Token, Instance: identity.Name}
	if options.LegacySend {
		endpoint.Dialect = v1alpha1.DialectLegacy
	}
	c := dial(t, endpoint)
	if _, err := c.Connect(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	if err := sim.Scan(identity.Name, ownPhone); err != nil {
		t.Fatal(err)
	}
	return sim, c
}

// want checks the class and code of an error.
func want(t *testing.T, err error, class failure.Class, code failure.Code) {
	t.Helper()
	_ = wanted(t, err, class, code)
}

// wanted is want that returns the failure.
func wanted(t *testing.T, err error, class failure.Class, code failure.Code) *failure.Error {
	t.Helper()
	failed, ok := failure.As(err)
	if !ok {
		t.Fatalf("got %v, want a classed failure", err)
	}
	if failed.Class != class || failed.Code != code {
		t.Fatalf("got %v, want %s %s", failed, class, code)
	}
	return failed
}

func TestNewRefusesWhatCannotBeCalled(t *testing.T) {
	for _, base := range []string{
		"", "store.uazapi.com", "ftp://store.uazapi.com", "https://", "https://:443",
		"https://user:pass@store.uazapi.com",
		"https://store.uazapi.com?x=1", "https://store.uazapi.com/#x", "http://[", "mailto:a@b",
	} {
		_, err := New(nil, gateway.Endpoint{BaseURL: base})
		failed := wanted(t, err, failure.Terminal, failure.Misconfigured)
		if strings.Contains(failed.Error(), "user:pass") {
			t.Errorf("the error holds the password: %v", failed)
		}
	}
	if _, err := New(nil, gateway.Endpoint{BaseURL: "https://store.uazapi.com", Token: "a\nb"}); err == nil {
		t.Error("a token with a line break is accepted")
	}
	made, err := New(nil, gateway.Endpoint{BaseURL: " https://store.uazapi.com/ ", Token: "secret-token\n",
		AdminToken: "secret-admin"})
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		if printed := fmt.Sprintf(format, made); strings.Contains(printed, "secret") {
			t.Errorf("%s prints %s", format, printed)
		}
	}
}

func TestProvisioning(t *testing.T) {
	sim, base := server(t, simulator.UAZAPIOptions{})
	admin := dial(t, gateway.Endpoint{BaseURL: base + "/", AdminToken: adminToken})
	if _, found, err := admin.Find(t.Context(), identity); err != nil || found {
		t.Fatalf("found %v, %v before it is created", found, err)
	}
	for _, other := range []gateway.Identity{
		{Name: identity.Name, Owner: "store/other", UID: identity.UID}, {Name: identity.Name, Owner: identity.Owner,
			UID: "uid-2"},
	} {
		if _, err := admin.Create(t.Context(), other); err != nil {
			t.Fatal(err)
		}
	}
	if _, found, err := admin.Find(t.Context(), identity); err != nil || found {
		t.Fatalf("found %v, %v by its name", found, err)
	}
	created, err := admin.Create(t.Context(), identity)
	if err != nil || created.Token == "" || created.ID == "" || created.State.Connection != gateway.Disconnected {
		t.Fatalf("created %+v, %v", created, err)
	}
	found, ok, err := admin.Find(t.Context(), identity)
	if err != nil || !ok || found != created {
		t.Fatalf("found %+v %v %v, want %+v", found, ok, err, created)
	}
	c := dial(t, gateway.Endpoint{BaseURL: base, Token: created.Token})
	state, err := c.Connect(t.Context(), "")
	if err != nil || state.Connection != gateway.Connecting || !strings.HasPrefix(state.QRCode, wire.PicturePrefix) {
		t.Fatalf("connect: %+v, %v", state, err)
	}
	if shown, _ := sim.QRCode(identity.Name); shown != state.QRCode {
		t.Error("another QR is shown than was answered")
	}
	if err := c.RegisterWebhook(t.Context(), gateway.Webhook{URL: "http://127.0.0.1:1", Key: "secret"}); err != nil {
		t.Fatal(err)
	}
	if err := sim.Scan(identity.Name, ownPhone); err != nil {
		t.Fatal(err)
	}
	state, err = c.Status(t.Context())
	if err != nil || state != (gateway.State{Connection: gateway.Connected, Phone: ownPhone}) {
		t.Fatalf("status: %+v, %v", state, err)
	}
	if err := c.Disconnect(t.Context()); err != nil {
		t.Fatal(err)
	}
	state, err = c.Status(t.Context())
	if err != nil || state.Connection != gateway.Disconnected || state.DisconnectReason == "" || state.Phone != "" {
		t.Fatalf("status after disconnect: %+v, %v", state, err)
	}
	if err := c.Delete(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, err = c.Status(t.Context())
	want(t, err, failure.Terminal, failure.Unauthorized)
}

func TestPairCode(t *testing.T) {
	_, base := server(t, simulator.UAZAPIOptions{})
	created, err := dial(t, gateway.Endpoint{BaseURL: base, AdminToken: adminToken}).Create(t.Context(), identity)
	if err != nil {
		t.Fatal(err)
	}
	c := dial(t, gateway.Endpoint{BaseURL: base, Token: created.Token})
	state, err := c.Connect(t.Context(), ownPhone)
	if err != nil || len(state.PairCode) != 9 || state.QRCode != "" {
		t.Fatalf("got %+v, %v", state, err)
	}
	_, err = c.Connect(t.Context(), "+55 11")
	want(t, err, failure.Terminal, failure.InvalidInput)
}

func TestCreateFallsBack(t *testing.T) {
	for _, status := range []int{http.StatusNotFound, http.StatusMethodNotAllowed} {
		sim, base := server(t, simulator.UAZAPIOptions{})
		sim.Fail(simulator.Fault{Path: "/instance/create", Status: status,
			Body: `{"code":405,"message":"Method Not Allowed","data":{}}`})
		admin := dial(t, gateway.Endpoint{BaseURL: base, AdminToken: adminToken})
		if created, err := admin.Create(t.Context(), identity); err != nil || created.Token == "" {
			t.Errorf("%d: %v", status, err)
		}
		sim.Fail(simulator.Fault{Path: "/instance/create", Status: http.StatusUnauthorized})
		_, err := admin.Create(t.Context(), identity)
		want(t, err, failure.Terminal, failure.Unauthorized)
		if made := len(sim.Instances()); made != 1 {
			t.Errorf("%d: %d instances", status, made)
		}
	}
}

func TestCallsWithoutCredentials(t *testing.T) {
	_, base := server(t, simulator.UAZAPIOptions{})
	c := dial(t, gateway.Endpoint{BaseURL: base})
	_, _, err := c.Find(t.Context(), identity)
	want(t, err, failure.Terminal, failure.Misconfigured)
	_, err = c.Status(t.Context())
	want(t, err, failure.Terminal, failure.Misconfigured)
	c = dial(t, gateway.Endpoint{BaseURL: base, AdminToken: "wrong", Token: "wrong"})
	_, _, err = c.Find(t.Context(), identity)
	want(t, err, failure.Terminal, failure.Unauthorized)
	_, err = c.Status(t.Context())
	want(t, err, failure.Terminal, failure.Unauthorized)
	_, _, err = c.Find(t.Context(), gateway.Identity{Name: "shop"})
	want(t, err, failure.Terminal, failure.InvalidInput)
	_, err = c.Create(t.Context(), gateway.Identity{Name: "shop"})
	want(t, err, failure.Terminal, failure.InvalidInput)
}

func TestSendText(t *testing.T) {
	sim, c := paired(t, simulator.UAZAPIOptions{})
	body := "Olá! {{name}} e {{{x}}} custam R$ 10 & <b>\nhttps://loja.example/?a=1"
	receipt, err := c.SendText(t.Context(), gateway.Text{Phone: customer, Body: body, TrackID: "t-1"})
	if err != nil || receipt.MessageID == "" || receipt.At.IsZero() {
		t.Fatalf("got %+v, %v", receipt, err)
	}
	sent := sim.Sent()
	if len(sent) != 1 || sent[0].TrackID != "t-1" || sent[0].Number != customer ||
		sent[0].MessageID != receipt.MessageID {
		t.Fatalf("sent %+v", sent)
	}
	if strings.ReplaceAll(sent[0].Text, "\u2060", "") != body {
		t.Errorf("%q arrived for %q", sent[0].Text, body)
	}
	found, ok, err := c.FindSent(t.Context(), "t-1", customer)
	if err != nil || !ok || found != receipt {
		t.Fatalf("found %+v %v %v, want %+v", found, ok, err, receipt)
	}
	if _, ok, err = c.FindSent(t.Context(), "t-2", customer); err != nil || ok {
		t.Fatalf("found %v, %v what was not sent", ok, err)
	}
	for _, text := range []gateway.Text{{Phone: "+551190", Body: "x"}, {Phone: customer},
		{Phone: customer, Body: " \n"}, {Body: "x"}} {
		_, err := c.SendText(t.Context(), text)
		want(t, err, failure.Terminal, failure.InvalidInput)
	}
	_, _, err = c.FindSent(t.Context(), "", customer)
	want(t, err, failure.Terminal, failure.InvalidInput)
}

func TestSendTextLegacy(t *testing.T) {
	sim, c := paired(t, simulator.UAZAPIOptions{LegacySend: true})
	receipt, err := c.SendText(t.Context(), gateway.Text{Phone: customer, Body: "oi", TrackID: "t-1"})
	if err != nil || receipt.MessageID != sim.Sent()[0].MessageID {
		t.Fatalf("got %+v, %v", receipt, err)
	}
	if _, _, err := c.FindSent(t.Context(), "t-1", customer); !errors.Is(err, gateway.ErrUnsupported) {
		t.Fatalf("got %v", err)
	}
	for body, code := range map[string]failure.Code{
		`{"status":"ok"}`: "", `{"error":false}`: "", `{"error":"x"}`: failure.InvalidAnswer,
		`<html>`: failure.InvalidAnswer, ``: failure.InvalidAnswer,
	} {
		sim.Fail(simulator.Fault{Path: "/message/text", Status: 200, Body: body})
		_, err := c.SendText(t.Context(), gateway.Text{Phone: customer, Body: "oi"})
		if failure.CodeOf(err) != code {
			t.Errorf("%s: got %v", body, err)
		}
	}
	c.endpoint.Instance = ""
	_, err = c.SendText(t.Context(), gateway.Text{Phone: customer, Body: "oi"})
	want(t, err, failure.Terminal, failure.Misconfigured)
}

func TestSendTextRefused(t *testing.T) {
	sim, c := paired(t, simulator.UAZAPIOptions{})
	send := func() error {
		_, err := c.SendText(t.Context(), gateway.Text{Phone: customer, Body: "oi", TrackID: "t"})
		return err
	}
	until := time.Now().Add(3 * time.Hour).Truncate(time.Second)
	if err := sim.Restrict(identity.Name, until); err != nil {
		t.Fatal(err)
	}
	if failed := wanted(t, send(), failure.Throttled, failure.Restricted); !failed.RetryAt.Equal(until) {
		t.Errorf("retry at %v, want %v", failed.RetryAt, until)
	}
	_ = sim.Restrict(identity.Name, time.Time{})
	sim.WithoutWhatsApp(customer)
	failed := wanted(t, send(), failure.Terminal, failure.NotOnWhatsApp)
	if strings.Contains(failed.Error(), customer) {
		t.Error("the error holds the phone number")
	}
	if err := sim.Logout(identity.Name, ""); err != nil {
		t.Fatal(err)
	}
	want(t, send(), failure.Transient, failure.NotConnected)
	if _, err := c.Connect(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	want(t, send(), failure.Transient, failure.NotConnected)
	if sent := sim.Sent(); len(sent) != 0 {
		t.Errorf("sent %+v", sent)
	}
}

// TestBrokenCalls breaks calls before and after the request was written.
func TestBrokenCalls(t *testing.T) {
	text := gateway.Text{Phone: customer, Body: "oi", TrackID: "t"}
	t.Run("dropped unanswered", func(t *testing.T) {
		sim, c := paired(t, simulator.UAZAPIOptions{})
		sim.Fail(simulator.Fault{Drop: true, Times: 2})
		_, err := c.SendText(t.Context(), text)
		want(t, err, failure.Ambiguous, failure.Unavailable)
		_, _, err = c.FindSent(t.Context(), "t", customer)
		want(t, err, failure.Transient, failure.Unavailable)
		if _, ok, err := c.FindSent(t.Context(), "t", customer); ok || err != nil || len(sim.Sent()) != 0 {
			t.Errorf("found %v, %v what was never accepted", ok, err)
		}
	})
	t.Run("accepted, then broken", func(t *testing.T) {
		sim, c := paired(t, simulator.UAZAPIOptions{})
		sim.Fail(simulator.Fault{Path: "/send/text", AfterAccept: true})
		_, err := c.SendText(t.Context(), text)
		want(t, err, failure.Ambiguous, failure.Unavailable)
		if _, ok, err := c.FindSent(t.Context(), "t", customer); err != nil || !ok {
			t.Errorf("found %v, %v", ok, err)
		}
	})
	t.Run("held until the caller gives up", func(t *testing.T) {
		sim, c := paired(t, simulator.UAZAPIOptions{})
		sim.Fail(simulator.Fault{Path: "/send/text", HoldUntil: make(chan struct{})})
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		_, err := c.SendText(ctx, text)
		want(t, err, failure.Ambiguous, failure.TimedOut)
		sim.Fail(simulator.Fault{Path: "/instance/status", HoldUntil: make(chan struct{})})
		ctx, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		_, err = c.Status(ctx)
		want(t, err, failure.Transient, failure.TimedOut)
	})
	t.Run("given up before it began", func(t *testing.T) {
		_, c := paired(t, simulator.UAZAPIOptions{})
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := c.SendText(ctx, text)
		want(t, err, failure.Transient, failure.Unavailable)
	})
	t.Run("refused connection, unknown host, no TLS", func(t *testing.T) {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		closed := "http://" + listener.Addr().String()
		_ = listener.Close()
		untrusted := httptest.NewTLSServer(http.NotFoundHandler())
		defer untrusted.Close()
		plain := httptest.NewServer(http.NotFoundHandler())
		defer plain.Close()
		for _, base := range []string{closed, untrusted.URL, strings.Replace(plain.URL, "http:", "https:", 1),
			"http://no-such-host.invalid"} {
			c := dial(t, gateway.Endpoint{BaseURL: base, Token: "secret-token"})
			_, err := c.SendText(t.Context(), text)
			failed := wanted(t, err, failure.Transient, failure.Unavailable)
			if strings.Contains(failed.Error(), base) || strings.Contains(failed.Error(), "secret") {
				t.Errorf("the error tells too much: %v", failed)
			}
			t.Log(failed)
		}
	})
	t.Run("answer cut off", func(t *testing.T) {
		cut := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = w.Write([]byte(`{"messageid":"`))
		}))
		defer cut.Close()
		c := dial(t, gateway.Endpoint{BaseURL: cut.URL, Token: "x"})
		_, err := c.SendText(t.Context(), text)
		want(t, err, failure.Ambiguous, failure.Unavailable)
		_, err = c.Status(t.Context())
		want(t, err, failure.Transient, failure.Unavailable)
	})
}

// TestRestartedServer: a connection kept from before an outage must not make a
// refused send look like one that may have gone.
func TestRestartedServer(t *testing.T) {
	sim := simulator.NewUAZAPI(simulator.UAZAPIOptions{AdminToken: adminToken})
	served, err := simulator.Serve(sim)
	if err != nil {
		t.Fatal(err)
	}
	admin := dial(t, gateway.Endpoint{BaseURL: served.URL(), AdminToken: adminToken})
	created, err := admin.Create(t.Context(), identity)
	if err != nil {
		t.Fatal(err)
	}
	c := dial(t, gateway.Endpoint{BaseURL: served.URL(), Token: created.Token})
	if _, err := c.Status(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := served.Close(); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		_, err = c.SendText(t.Context(), gateway.Text{Phone: customer, Body: "oi"})
		if failure.ClassOf(err) == failure.Transient {
			break
		}
	}
	want(t, err, failure.Transient, failure.Unavailable)
	again, err := simulator.ServeAt(strings.TrimPrefix(served.URL(), "http://"), sim)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = again.Close() }()
	if _, err := c.Status(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	followed := false
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { followed = true }))
	defer elsewhere.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		moved := httptest.NewServer(http.RedirectHandler(elsewhere.URL, status))
		made, err := New(&http.Client{}, gateway.Endpoint{BaseURL: moved.URL, Token: "secret"})
		if err != nil {
			t.Fatal(err)
		}
		_, err = made.SendText(t.Context(), gateway.Text{Phone: customer, Body: "oi"})
		want(t, err, failure.Terminal, failure.InvalidAnswer)
		_, err = made.Status(t.Context())
		want(t, err, failure.Terminal, failure.InvalidAnswer)
		moved.Close()
	}
	if followed {
		t.Error("a redirect was followed")
	}
}

func TestGoneIsGone(t *testing.T) {
	sim, c := paired(t, simulator.UAZAPIOptions{})
	sim.Fail(simulator.Fault{Status: http.StatusNotFound, Times: 2, Body: `{"error":"instance not found"}`})
	if err := c.Disconnect(t.Context()); err != nil {
		t.Error(err)
	}
	if err := c.Delete(t.Context()); err != nil {
		t.Error(err)
	}
	sim.Fail(simulator.Fault{Status: http.StatusInternalServerError, Times: 2})
	want(t, c.Disconnect(t.Context()), failure.Transient, failure.Unavailable)
	want(t, c.Delete(t.Context()), failure.Transient, failure.Unavailable)
}

func BenchmarkSendText(b *testing.B) {
	_, c := paired(b, simulator.UAZAPIOptions{})
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for n := 0; pb.Next(); n++ {
			text := gateway.Text{Phone: customer, Body: "Olá, seu carrinho espera por você.",
				TrackID: fmt.Sprint("t-", n)}
			if _, err := c.SendText(b.Context(), text); err != nil {
				b.Error(err)
				return
			}
		}
	})
}
