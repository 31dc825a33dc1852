package simulated_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image/png"
	"strings"
	"sync"
	"testing"
	"time"

	"cartrecovery.dev/operator/internal/failure"
	"cartrecovery.dev/operator/internal/gateway"
	"cartrecovery.dev/operator/internal/gateway/simulated"
)

var _ gateway.Factory = simulated.New

const customer = "5511900000002"

// clock is a time that only the test moves.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) move(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(by)
}

// instance returns a simulation and the gateway of a new instance in it.
func instance(t *testing.T) (*clock, *simulated.Simulation, gateway.Gateway, string) {
	t.Helper()
	time0 := &clock{at: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)}
	simulation := simulated.NewSimulation(time0.now)
	admin, err := simulation.New(nil, gateway.Endpoint{})
	if err != nil {
		t.Fatal(err)
	}
	if _, found, err := admin.Find(t.Context(), gateway.Identity{}); found || err != nil {
		t.Fatalf("found %v, %v", found, err)
	}
	created, err := admin.Create(t.Context(), gateway.Identity{Name: "shop"})
	if err != nil || !strings.HasPrefix(created.Token, fmt.Sprintf("simulated-%d-", time0.now().Unix())) {
		t.Fatalf("created %+v, %v", created, err)
	}
	made, err := simulation.New(nil, gateway.Endpoint{Token: created.Token, Instance: "shop"})
	if err != nil {
		t.Fatal(err)
	}
	return time0, simulation, made, created.Token
}

// connection checks the state of the connection.
func connection(t *testing.T, g gateway.Gateway, want gateway.Connection) gateway.State {
	t.Helper()
	state, err := g.Status(t.Context())
	if err != nil || state.Connection != want {
		t.Fatalf("got %+v, %v, want %s", state, err, want)
	}
	return state
}

func TestPairing(t *testing.T) {
	time0, _, g, token := instance(t)
	state, err := g.Connect(t.Context(), "")
	if err != nil || state.QRCode == "" || state.QRCode != simulated.QRCode() {
		t.Fatalf("got %+v, %v", state, err)
	}
	time0.move(simulated.PairingTime - time.Second)
	connection(t, g, gateway.Connecting)
	time0.move(time.Second)
	if state := connection(t, g, gateway.Connected); state.Phone != simulated.Phone || state.QRCode != "" {
		t.Errorf("got %+v", state)
	}
	restarted, _ := simulated.NewSimulation(time0.now).New(nil, gateway.Endpoint{Token: token})
	connection(t, restarted, gateway.Connected)
	if err := g.RegisterWebhook(t.Context(), gateway.Webhook{URL: "http://127.0.0.1:1"}); err != nil {
		t.Error(err)
	}
	if err := g.Disconnect(t.Context()); err != nil {
		t.Fatal(err)
	}
	connection(t, g, gateway.Disconnected)
	if state, err := g.Connect(t.Context(), customer); err != nil || state.PairCode != simulated.PairCode ||
		state.QRCode != "" {
		t.Fatalf("got %+v, %v", state, err)
	}
	time0.move(simulated.PairingTime)
	if state := connection(t, g, gateway.Connected); state.Phone != customer {
		t.Errorf("got %+v", state)
	}
	if state, err := g.Connect(t.Context(), ""); err != nil || state.Connection != gateway.Connected {
		t.Errorf("connecting again: %+v, %v", state, err)
	}
	if err := g.Delete(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestSending(t *testing.T) {
	time0, simulation, g, _ := instance(t)
	_, err := g.SendText(t.Context(), gateway.Text{Phone: customer, Body: "oi"})
	if failure.ClassOf(err) != failure.Transient || failure.CodeOf(err) != failure.NotConnected {
		t.Fatalf("got %v", err)
	}
	time0.move(simulated.PairingTime)
	_, err = g.SendText(t.Context(), gateway.Text{Phone: customer})
	if failure.CodeOf(err) != failure.InvalidInput {
		t.Fatalf("got %v", err)
	}
	for n := range simulated.Capacity + 10 {
		receipt, err := g.SendText(t.Context(), gateway.Text{Phone: customer, Body: "oi {{x}}", TrackID: fmt.Sprint(n)})
		if err != nil || receipt.MessageID == "" || !receipt.At.Equal(time0.now()) {
			t.Fatalf("got %+v, %v", receipt, err)
		}
		found, ok, err := g.FindSent(t.Context(), fmt.Sprint(n), customer)
		if err != nil || !ok || found != receipt {
			t.Fatalf("found %+v %v %v, want %+v", found, ok, err, receipt)
		}
	}
	sent := simulation.Sent()
	if len(sent) != simulated.Capacity || sent[0].TrackID != "10" ||
		sent[simulated.Capacity-1].TrackID != fmt.Sprint(simulated.Capacity+9) {
		t.Errorf("%d messages, from %s", len(sent), sent[0].TrackID)
	}
	if sent[0].Instance != "shop" || sent[0].Body != "oi {{x}}" {
		t.Errorf("got %+v", sent[0])
	}
	if _, ok, err := g.FindSent(t.Context(), "3", customer); ok || err != nil {
		t.Errorf("found %v, %v what was forgotten", ok, err)
	}
	if len(simulated.Sent()) != 0 {
		t.Error("two simulations share their messages")
	}
}

func TestStrangeTokens(t *testing.T) {
	for _, token := range []string{"", "simulated-", "simulated-x", "simulated--1", "abc", "simulated-1e9"} {
		g, err := simulated.New(nil, gateway.Endpoint{Token: token})
		if err != nil {
			t.Fatal(err)
		}
		_, status := g.Status(t.Context())
		_, connect := g.Connect(t.Context(), "")
		_, send := g.SendText(t.Context(), gateway.Text{Phone: customer, Body: "oi"})
		for _, err := range []error{status, connect, send, g.RegisterWebhook(t.Context(), gateway.Webhook{URL: "x"})} {
			if failure.CodeOf(err) != failure.Unauthorized {
				t.Errorf("%q: got %v", token, err)
			}
		}
		if g.Disconnect(t.Context()) != nil || g.Delete(t.Context()) != nil {
			t.Errorf("%q: what is gone is not gone", token)
		}
	}
}

func TestQRCodeIsAPicture(t *testing.T) {
	encoded, found := strings.CutPrefix(simulated.QRCode(), "data:image/png;base64,")
	if !found {
		t.Fatal("no data URI of a PNG")
	}
	data, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		t.Fatal(err)
	}
	picture, err := png.Decode(bytes.NewReader(data))
	if err != nil || picture.Bounds().Dx() < 200 {
		t.Fatalf("got %v, %v", picture, err)
	}
	if r, g, b, _ := picture.At(4*8, 4*8).RGBA(); r == 0 || g != 0 || b != 0 {
		t.Error("the corner of the QR is not red")
	}
}
