package gatewaytest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"cartrecovery.dev/operator/internal/failure"
	"cartrecovery.dev/operator/internal/gateway"
)

// lives is the life of an instance, as every caller relies on it.
func (s suite) lives(t *testing.T) {
	b := s.begin(t)
	g := b.create(t)
	if _, err := g.Connect(t.Context(), ""); err != nil {
		t.Fatalf("Connect: %v", err)
	}
	b.pairs(t, g)
	b.sends(t, g)
	b.looksUp(t, g)
	if s.can.Restart {
		if err := g.Restart(t.Context()); err != nil {
			t.Errorf("Restart: %v", err)
		}
	}
	b.logsOut(t, g)
	b.goes(t, g)
}

// pairs scans what Status shows.
func (b *bench) pairs(t *testing.T, g gateway.Gateway) {
	t.Helper()
	state, err := g.Status(t.Context())
	if err != nil {
		t.Fatalf("Status before pairing: %v", err)
	}
	if b.Scan != nil {
		if state.Connection != gateway.Connecting || state.QRCode == "" {
			t.Fatalf("Status before pairing: %s, a QR: %t; want Connecting with a QR", state.Connection,
				state.QRCode != "")
		}
		if err := b.Scan(identity.Name, phone); err != nil {
			t.Fatalf("scan: %v", err)
		}
	}
	state, err = g.Status(t.Context())
	if err != nil || state.Connection != gateway.Connected || state.Phone == "" || state.QRCode != "" {
		t.Fatalf("Status when paired: %s, a phone: %t, a QR: %t, %v; want Connected with a phone and no QR",
			state.Connection, state.Phone != "", state.QRCode != "", err)
	}
	if again, err := g.Connect(t.Context(), ""); err != nil || again.Connection != gateway.Connected {
		t.Errorf("Connect when paired: %s, %v; want Connected, and the phone stays", again.Connection, err)
	}
}

// sends hands a message over, and refuses what cannot be one.
func (b *bench) sends(t *testing.T, g gateway.Gateway) {
	t.Helper()
	receipt, err := g.SendText(t.Context(), b.free())
	if err != nil || receipt.MessageID == "" {
		t.Fatalf("SendText: id %q, %v; want an id", receipt.MessageID, err)
	}
	taken := b.Sent()
	if len(taken) != 1 || taken[0].Phone != customer || strings.ReplaceAll(taken[0].Body, "\u2060", "") != words {
		t.Errorf("SendText: the server took %+v; want the text to the letter, to %s", taken, customer)
	}
	if b.can.Templates {
		template := text
		template.TrackID, template.Template = "lead.1.second", &gateway.Template{Name: "cart", Language: "pt_BR",
			Variables: []string{"Ana"}}
		if _, err := g.SendText(t.Context(), template); err != nil {
			t.Errorf("SendText of a template: %v", err)
		}
	}
	for name, wrong := range map[string]gateway.Text{
		"no recipient": {Body: "x"}, "a recipient that is no number": {Phone: "+55 11", Body: "x"},
		"no text": {Phone: customer}, "a blank text": {Phone: customer, Body: " \n"},
	} {
		wrong.Heard = now()
		_, err := g.SendText(t.Context(), wrong)
		_ = b.wants(t, "SendText with "+name, err, failure.Terminal, failure.InvalidInput)
	}
}

// looksUp finds what was sent, and its recipient, where the gateway can.
func (b *bench) looksUp(t *testing.T, g gateway.Gateway) {
	t.Helper()
	if b.can.FindSent {
		sent, ok, err := g.FindSent(t.Context(), trackID, customer)
		if err != nil || !ok || sent.MessageID == "" {
			t.Errorf("FindSent: %t, id %q, %v; want what was sent", ok, sent.MessageID, err)
		}
		if _, ok, err := g.FindSent(t.Context(), "lead.1.never", customer); err != nil || ok {
			t.Errorf("FindSent of what was never sent: %t, %v; want false", ok, err)
		}
	}
	if b.can.CheckNumber {
		if number, err := g.CheckNumber(t.Context(), customer); err != nil || !number.Registered {
			t.Errorf("CheckNumber: %t, %v; want true", number.Registered, err)
		}
		_, err := g.CheckNumber(t.Context(), "+55 11")
		_ = b.wants(t, "CheckNumber of no number", err, failure.Terminal, failure.InvalidInput)
	}
}

// logsOut disconnects twice. With Logout the instance is still there and can be paired again.
func (b *bench) logsOut(t *testing.T, g gateway.Gateway) {
	t.Helper()
	for n := range 2 {
		if err := g.Disconnect(t.Context()); err != nil {
			t.Errorf("Disconnect, call %d: %v; want success also when the phone is gone", n+1, err)
		}
	}
	if !b.can.Logout {
		return
	}
	if state, err := g.Status(t.Context()); err != nil || state.Connection != gateway.Disconnected {
		t.Errorf("Status after Disconnect: %s, %v; want Disconnected", state.Connection, err)
	}
	_, err := g.SendText(t.Context(), b.free())
	_ = b.wants(t, "SendText without a phone", err, failure.Transient, failure.NotConnected)
	if _, err := g.Connect(t.Context(), ""); err != nil {
		t.Errorf("Connect after Disconnect: %v; want another pairing", err)
	}
}

// goes deletes the instance twice. Nothing is left of it.
func (b *bench) goes(t *testing.T, g gateway.Gateway) {
	t.Helper()
	for n := range 2 {
		// A token that is refused is as good as an instance that is gone.
		if err := g.Delete(t.Context()); err != nil && failure.CodeOf(err) != failure.Unauthorized {
			t.Errorf("Delete, call %d: %v; want success also when it is gone", n+1, err)
		}
	}
	if !b.Type.BuiltIn() {
		_, err := g.Status(t.Context())
		if code := failure.CodeOf(err); code != failure.NotFound && code != failure.Unauthorized {
			t.Errorf("Status of what is deleted: %v; want NotFound or Unauthorized", err)
		}
	}
	if _, ok, err := b.open(t, "").Find(t.Context(), identity); err != nil || ok {
		t.Errorf("Find of what is deleted: %t, %v; want false", ok, err)
	}
}

// identifies: Find knows the instance of an identity, and no other of its name; one that was
// deleted can be created again.
func (s suite) identifies(t *testing.T) {
	b := s.begin(t)
	account := b.open(t, "")
	if _, ok, err := account.Find(t.Context(), identity); err != nil || ok {
		t.Fatalf("Find before Create: %t, %v; want false", ok, err)
	}
	created, err := account.Create(t.Context(), identity)
	if err != nil || created.Token == "" || created.ID == "" {
		t.Fatalf("Create: a token: %t, id %q, %v; want both", created.Token != "", created.ID, err)
	}
	b.token = created.Token
	again, ok, err := account.Find(t.Context(), identity)
	if !s.Type.BuiltIn() && (err != nil || !ok || again.Token != created.Token || again.ID != created.ID) {
		t.Errorf("Find: %t, the same token: %t, id %q, %v; want the one that was created, %q", ok,
			again.Token == created.Token, again.ID, err, created.ID)
	}
	stranger := identity
	stranger.UID = "66666666-2222-3333-4444-555555555555"
	if _, ok, err := account.Find(t.Context(), stranger); ok {
		t.Errorf("Find with another UID: %t; want false, or an error", ok)
	} else {
		_ = b.classed(t, "Find with another UID", err)
	}
	if err := b.open(t, created.Token).Delete(t.Context()); err != nil {
		t.Fatalf("Delete: %v", err)
	}
	second, err := account.Create(t.Context(), identity)
	if err != nil || second.Token == "" || second.Token == created.Token {
		t.Errorf("Create after Delete: a token: %t, the old one: %t, %v; want another", second.Token != "",
			second.Token == created.Token, err)
	}
	for name, empty := range map[string]gateway.Identity{"no UID": {Name: "shop", Owner: "store/shop"}, "nothing": {}} {
		if s.Type.BuiltIn() {
			continue
		}
		_, err := account.Create(t.Context(), empty)
		_ = b.wants(t, "Create with "+name, err, failure.Terminal, failure.InvalidInput)
		_, _, err = account.Find(t.Context(), empty)
		_ = b.wants(t, "Find with "+name, err, failure.Terminal, failure.InvalidInput)
	}
}

// refuses: what the capabilities leave out is ErrUnsupported, and nobody is called.
func (s suite) refuses(t *testing.T) {
	b := s.begin(t)
	g := b.pair(t)
	before := len(b.Sent())
	calls := map[string]func() error{}
	if !s.can.CheckNumber {
		calls["CheckNumber"] = func() error { _, err := g.CheckNumber(t.Context(), customer); return err }
	}
	if !s.can.FindSent {
		calls["FindSent"] = func() error { _, _, err := g.FindSent(t.Context(), trackID, customer); return err }
	}
	if !s.can.Restart {
		calls["Restart"] = func() error { return g.Restart(t.Context()) }
	}
	if !s.can.Templates {
		template := s.free()
		template.Template = &gateway.Template{Name: "cart", Language: "pt_BR"}
		calls["SendText of a template"] = func() error { _, err := g.SendText(t.Context(), template); return err }
	}
	if b.proxy != nil {
		b.set(answers(http.StatusTeapot, nil, ""))
	}
	for name, call := range calls {
		if err := call(); !errors.Is(err, gateway.ErrUnsupported) {
			t.Errorf("%s: got %v; want ErrUnsupported", name, err)
		}
	}
	if s.can.FreeTextWindow > 0 {
		late := text
		late.Heard = now().Add(-s.can.FreeTextWindow - time.Minute)
		_, err := g.SendText(t.Context(), late)
		_ = b.wants(t, "SendText after the window", err, failure.Terminal, failure.InvalidInput)
	}
	if b.proxy != nil && b.count() != 0 {
		t.Errorf("the server was called %d times; want 0", b.count())
	}
	if after := len(b.Sent()); after != before {
		t.Errorf("%d messages were sent; want 0", after-before)
	}
}

// begins: a call whose context has ended, or whose lease is over, is not made.
func (s suite) begins(t *testing.T) {
	b := s.begin(t)
	g := b.pair(t)
	before := len(b.Sent())
	if b.proxy != nil {
		b.set(nil)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	late := gateway.WithLease(t.Context(), func() bool { return false })
	for _, m := range s.methods() {
		_, err := m.call(cancelled, g)
		_ = b.wants(t, m.name+" when it is cancelled", err, failure.Transient, failure.Unavailable)
		if m.name == "SendText" {
			_, err = m.call(late, g)
			_ = b.wants(t, m.name+" without its lease", err, failure.Transient, failure.LeaseLost)
		}
	}
	if b.proxy != nil && b.count() != 0 {
		t.Errorf("the server was called %d times; want 0", b.count())
	}
	if after := len(b.Sent()); after != before {
		t.Errorf("%d messages were sent; want 0", after-before)
	}
}

// prints: no secret is in a client's text.
func (s suite) prints(t *testing.T) {
	b := s.begin(t)
	g := b.create(t)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		if told := b.tells(fmt.Sprintf(verb, g)); told != "" {
			t.Errorf("%s prints %s", verb, told)
		}
	}
}

// posts: what comes in is posted to the webhook that was registered last, with its key.
func (s suite) posts(t *testing.T) {
	if !s.can.Posts {
		t.Skip("it posts nothing")
	}
	type post struct{ path, key string }
	posted := make(chan post, 10)
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		posted <- post{r.URL.Path, r.Header.Get(gateway.WebhookKeyHeader)}
	}))
	defer hook.Close()
	b := s.begin(t)
	g := b.pair(t)
	for _, path := range []string{"/old", "/in"} {
		if err := g.RegisterWebhook(t.Context(), gateway.Webhook{URL: hook.URL + path, Key: key}); err != nil {
			t.Fatalf("RegisterWebhook %s: %v", path, err)
		}
	}
	if err := b.Reply(identity.Name, customer, "oi"); err != nil {
		t.Fatalf("reply: %v", err)
	}
	select {
	case got := <-posted:
		if got != (post{"/in", key}) && got != (post{"/in/" + key, ""}) {
			t.Errorf("posted to %q with key %q; want /in with the key in the header, or at the end of the path",
				got.path, got.key)
		}
	case <-time.After(10 * time.Second):
		t.Error("nothing was posted within 10 s")
	}
}
