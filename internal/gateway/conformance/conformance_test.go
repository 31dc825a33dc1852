// Package conformance holds every gateway client to the contract of gateway.Gateway, against its
// simulated server.
package conformance

import (
	"errors"
	"testing"
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/failure"
	"cartrecovery.dev/operator/internal/gateway"
	"cartrecovery.dev/operator/internal/gateway/evolution"
	"cartrecovery.dev/operator/internal/gateway/simulated"
	"cartrecovery.dev/operator/internal/gateway/uazapi"
	"cartrecovery.dev/operator/internal/simulator"
)

const (
	admin    = "admin-token"
	phone    = "5511900000001"
	customer = "5511988887777"
)

var identity = gateway.Identity{Name: "shop", Owner: "store/shop", UID: "11111111-2222-3333-4444-555555555555"}

// bench is one gateway: what makes its clients, and how a phone is paired with its instance.
type bench struct {
	factory gateway.Factory
	base    string
	dialect v1alpha1.GatewayDialect
	scan    func() error
	// tokenIsAll: there is no server. An instance is nothing but its token, which is never found
	// and always good, and everything that is sent is taken.
	tokenIsAll bool
}

// client returns a client with a token.
func (b bench) client(t *testing.T, token string) gateway.Gateway {
	t.Helper()
	made, err := b.factory(nil, gateway.Endpoint{
		BaseURL: b.base, AdminToken: admin, Token: token, Instance: identity.Name, Dialect: b.dialect,
	})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// serve serves a simulator until the test ends.
func serve(t *testing.T, made interface {
	Close() error
}, server *simulator.Server, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = server.Close(), made.Close() })
	return server.URL()
}

func uazapiBench(t *testing.T) bench {
	made := simulator.NewUAZAPI(simulator.UAZAPIOptions{AdminToken: admin})
	server, err := simulator.Serve(made)
	return bench{uazapi.New, serve(t, made, server, err), "", func() error { return made.Scan(identity.Name, phone) },
		false}
}

func evolutionBench(v1 bool) func(t *testing.T) bench {
	return func(t *testing.T) bench {
		made := simulator.NewEvolution(simulator.EvolutionOptions{APIKey: admin, V1: v1})
		server, err := simulator.Serve(made)
		dialect := v1alpha1.GatewayDialect("")
		if v1 {
			dialect = v1alpha1.DialectV1
		}
		return bench{evolution.New, serve(t, made, server, err), dialect, func() error {
			return made.Scan(identity.Name, phone)
		}, false}
	}
}

func simulatedBench(*testing.T) bench {
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	return bench{tokenIsAll: true, factory: simulated.NewSimulation(func() time.Time { return now }).New,
		scan: func() error {
			now = now.Add(simulated.PairingTime)
			return nil
		}}
}

// TestContract is the life of an instance, as every caller relies on it.
func TestContract(t *testing.T) {
	for name, begin := range map[string]func(*testing.T) bench{
		"UAZAPI": uazapiBench, "Evolution": evolutionBench(false), "Evolution V1": evolutionBench(true),
		"Simulated": simulatedBench,
	} {
		t.Run(name, func(t *testing.T) {
			b := begin(t)
			c := b.client(t, made(t, b))
			paired(t, b, c)
			writes(t, c, !b.tokenIsAll)
			ends(t, b, c)
		})
	}
}

// made creates the instance: Find knows it from then on, and it alone. It returns its token.
func made(t *testing.T, b bench) string {
	t.Helper()
	account := b.client(t, "")
	if _, found, err := account.Find(t.Context(), identity); err != nil || found {
		t.Fatalf("found %t before it is made: %v", found, err)
	}
	created, err := account.Create(t.Context(), identity)
	if err != nil || created.Token == "" || created.ID == "" {
		t.Fatalf("made one with a token: %t, %v", created.Token != "", err)
	}
	found, ok, err := account.Find(t.Context(), identity)
	if err != nil || ok == b.tokenIsAll || ok && (found.Token != created.Token || found.ID != created.ID) {
		t.Fatalf("found it: %t, %v", ok, err)
	}
	return created.Token
}

// paired pairs a phone: Status shows something to pair with before, and the number after.
func paired(t *testing.T, b bench, c gateway.Gateway) {
	t.Helper()
	if _, err := c.Connect(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	if state, err := c.Status(t.Context()); err != nil || state.Connection != gateway.Connecting || state.QRCode == "" {
		t.Fatalf("status is %s with a QR: %t, %v", state.Connection, state.QRCode != "", err)
	}
	if err := b.scan(); err != nil {
		t.Fatal(err)
	}
	if state, err := c.Status(t.Context()); err != nil || state.Connection != gateway.Connected || state.Phone == "" ||
		state.QRCode != "" {
		t.Fatalf("status is %s, a QR: %t, %v", state.Connection, state.QRCode != "", err)
	}
	if err := c.RegisterWebhook(t.Context(), gateway.Webhook{URL: "http://127.0.0.1:1/in", Key: "key"}); err != nil {
		t.Errorf("webhook: %v", err)
	}
}

// writes sends a message, and looks it and its recipient up where the gateway can; a strict one
// takes nothing that cannot be sent.
func writes(t *testing.T, c gateway.Gateway, strict bool) {
	t.Helper()
	number, err := c.CheckNumber(t.Context(), customer)
	if !errors.Is(err, gateway.ErrNoLookup) && (err != nil || !number.Registered) {
		t.Errorf("the number has WhatsApp: %t, %v", number.Registered, err)
	}
	receipt, err := c.SendText(t.Context(), gateway.Text{Phone: customer, Body: "Olá!", TrackID: "lead.1.first"})
	if err != nil || receipt.MessageID == "" {
		t.Fatalf("sent %+v, %v", receipt, err)
	}
	found, ok, err := c.FindSent(t.Context(), "lead.1.first", customer)
	if !errors.Is(err, gateway.ErrNoLookup) && (err != nil || !ok || found.MessageID != receipt.MessageID) {
		t.Errorf("found what was sent: %t, %v", ok, err)
	}
	for _, wrong := range []gateway.Text{{Phone: "+55 11", Body: "x"}, {Phone: customer}} {
		if _, err := c.SendText(t.Context(), wrong); strict && failure.ClassOf(err) != failure.Terminal {
			t.Errorf("a message to %q is answered %v", wrong.Phone, err)
		}
	}
}

// ends disconnects and deletes the instance, each twice; nothing is left of it after that.
func ends(t *testing.T, b bench, c gateway.Gateway) {
	t.Helper()
	for range 2 {
		if err := c.Disconnect(t.Context()); err != nil && !errors.Is(err, gateway.ErrRemoved) {
			t.Errorf("disconnect: %v", err)
		}
	}
	// A token that is refused is as good as an instance that is gone.
	for range 2 {
		if err := c.Delete(t.Context()); err != nil && failure.CodeOf(err) != failure.Unauthorized {
			t.Errorf("delete: %v", err)
		}
	}
	_, err := c.Status(t.Context())
	if code := failure.CodeOf(err); !b.tokenIsAll && code != failure.NotFound && code != failure.Unauthorized {
		t.Errorf("the status of what is gone is answered %v", err)
	}
	if _, found, err := b.client(t, "").Find(t.Context(), identity); err != nil || found {
		t.Errorf("found %t after it was deleted: %v", found, err)
	}
}
