package evolution

import (
	"context"
	"errors"
	"testing"
	"time"

	"cartrecovery.dev/operator/internal/failure"
	"cartrecovery.dev/operator/internal/gateway"
	"cartrecovery.dev/operator/internal/simulator"
)

// This file has what a real server does that no protocol would lead one to expect.

// TestLoading is a server that answers before it has loaded its instances: nothing is sent,
// nothing is lost, and nothing is taken for gone.
func TestLoading(t *testing.T) {
	sim, c := paired(t, simulator.EvolutionOptions{})
	sim.Restart()
	_, err := c.SendText(t.Context(), text)
	want(t, err, failure.Transient, failure.NotConnected)
	_, err = c.CheckNumber(t.Context(), customer)
	want(t, err, failure.Transient, failure.NotConnected)
	_, err = c.Status(t.Context())
	want(t, err, failure.Transient, failure.Unavailable)
	_, err = c.Connect(t.Context(), "")
	want(t, err, failure.Transient, failure.Unavailable)
	want(t, c.RegisterWebhook(t.Context(), gateway.Webhook{URL: "http://127.0.0.1:1", Key: "k"}), failure.Transient,
		failure.Unavailable)
	_, err = c.Create(t.Context(), identity)
	want(t, err, failure.Transient, failure.Unavailable)
	want(t, c.Delete(t.Context()), failure.Transient, failure.Unavailable)
	want(t, c.Disconnect(t.Context()), failure.Transient, failure.Unavailable)
	sim.FinishLoading()
	if state, err := c.Status(t.Context()); err != nil || state != (gateway.State{Connection: gateway.Connecting}) {
		t.Errorf("got %+v, %v", state, err)
	}
	if err := sim.Reconnect(identity.Name); err != nil {
		t.Fatal(err)
	}
	if _, err := c.SendText(t.Context(), text); err != nil {
		t.Error(err)
	}
	if sent := len(sim.Sent()); sent != 1 {
		t.Errorf("%d messages were sent", sent)
	}
}

// TestBeforeTheFirstConnection: an instance that never had a client sends nothing.
func TestBeforeTheFirstConnection(t *testing.T) {
	_, base := server(t, simulator.EvolutionOptions{})
	created, err := dial(t, base, "", "").Create(t.Context(), identity)
	if err != nil {
		t.Fatal(err)
	}
	c := dial(t, base, created.Token, "")
	_, err = c.SendText(t.Context(), text)
	want(t, err, failure.Transient, failure.NotConnected)
	_, err = c.CheckNumber(t.Context(), customer)
	want(t, err, failure.Transient, failure.NotConnected)
}

// TestDatabaseDown: the token is refused, and whoever asks for the instance gets no answer.
func TestDatabaseDown(t *testing.T) {
	sim, c := paired(t, simulator.EvolutionOptions{})
	sim.Database(false)
	_, err := c.Status(t.Context())
	want(t, err, failure.Terminal, failure.Unauthorized)
	_, _, err = c.Find(t.Context(), identity)
	want(t, err, failure.Transient, failure.Unavailable)
	if err := c.Delete(t.Context()); failure.ClassOf(err) != failure.Transient {
		t.Errorf("deleted with %v", err)
	}
	sim.Database(true)
	if found, ok, err := c.Find(t.Context(), identity); err != nil || !ok || found.Token != c.endpoint.Token {
		t.Errorf("found %v, %v", ok, err)
	}
}

// TestNameThatIsNotFreeYet: a deleted instance holds its name for a while.
func TestNameThatIsNotFreeYet(t *testing.T) {
	sim, c := paired(t, simulator.EvolutionOptions{})
	sim.SlowDeletes()
	if err := c.Delete(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, found, err := c.Find(t.Context(), identity); err != nil || found {
		t.Errorf("found %v, %v", found, err)
	}
	_, err := c.Create(t.Context(), identity)
	want(t, err, failure.Transient, failure.Unavailable)
	sim.FinishDeletes()
	if _, err := c.Create(t.Context(), identity); err != nil {
		t.Error(err)
	}
}

// TestRemains: an instance that was deleted while the server loaded it holds its name, until
// somebody deletes it with the global key.
func TestRemains(t *testing.T) {
	remains := func(t *testing.T) (*simulator.Evolution, *client) {
		sim, c := paired(t, simulator.EvolutionOptions{})
		sim.Restart()
		request := call{}
		request.Op, request.Method, request.Path = "x", "DELETE", c.of("/instance/delete")
		if err := c.end(t.Context(), request); err != nil {
			t.Fatal(err)
		}
		sim.FinishLoading()
		return sim, c
	}
	t.Run("in the way", func(t *testing.T) {
		_, c := remains(t)
		_, err := c.Create(t.Context(), identity)
		want(t, err, failure.Transient, failure.Unavailable)
		if _, err := c.Create(t.Context(), identity); err != nil {
			t.Error(err)
		}
	})
	for name, has := range map[string]bool{"deleted with its token": true, "deleted without one": false} {
		t.Run(name, func(t *testing.T) {
			_, c := remains(t)
			if !has {
				c.endpoint.Token = ""
			}
			if err := c.Delete(t.Context()); err != nil {
				t.Error(err)
			}
			if _, err := c.Create(t.Context(), identity); err != nil {
				t.Error(err)
			}
		})
	}
	t.Run("an instance with another token is none", func(t *testing.T) {
		sim, c := paired(t, simulator.EvolutionOptions{})
		c.endpoint.Token = "another"
		want(t, c.Delete(t.Context()), failure.Terminal, failure.Unauthorized)
		if left := len(sim.Instances()); left != 1 {
			t.Errorf("%d instances are left", left)
		}
	})
}

// TestOldQR: what was shown for an earlier pairing is counted lower than what is shown for the
// new one.
func TestOldQR(t *testing.T) {
	sim, c := paired(t, simulator.EvolutionOptions{})
	if err := sim.Logout(identity.Name); err != nil {
		t.Fatal(err)
	}
	old, err := c.Connect(t.Context(), "")
	if err != nil || old.Shown != 1 || old.QRCode == "" {
		t.Fatalf("got %d, %v", old.Shown, err)
	}
	if state, err := c.Status(t.Context()); err != nil || state.Shown != 2 || state.QRCode == old.QRCode {
		t.Errorf("got %d, %v", state.Shown, err)
	}
}

// TestSlowConnect: a call that nobody waits for any more begins the pairing all the same.
func TestSlowConnect(t *testing.T) {
	sim, base := server(t, simulator.EvolutionOptions{})
	created, err := dial(t, base, "", "").Create(t.Context(), identity)
	if err != nil {
		t.Fatal(err)
	}
	c := dial(t, base, created.Token, "")
	sim.Fail(simulator.Fault{Path: "/instance/connect/" + identity.Name, AfterAccept: true,
		HoldUntil: make(chan struct{})})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = c.Connect(ctx, "")
	want(t, err, failure.Transient, failure.TimedOut)
	if state, err := c.Status(t.Context()); err != nil || state.Connection != gateway.Connecting || state.Shown != 1 {
		t.Errorf("got %+v, %v", state, err)
	}
}

// TestRestart: a connection that is open and dead is opened again, where the server can.
func TestRestart(t *testing.T) {
	for name, options := range map[string]simulator.EvolutionOptions{"v2": {}, "v1": {V1: true}} {
		t.Run(name, func(t *testing.T) {
			sim, c := paired(t, options)
			if err := sim.Die(identity.Name, false); err != nil {
				t.Fatal(err)
			}
			_, err := c.SendText(t.Context(), text)
			want(t, err, failure.Transient, failure.NotConnected)
			if state, err := c.Status(t.Context()); err != nil || state.Connection != gateway.Connected {
				t.Errorf("got %+v, %v", state, err)
			}
			if err := c.Restart(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, err := c.SendText(t.Context(), text); err != nil {
				t.Error(err)
			}
			if err := sim.Logout(identity.Name); err != nil {
				t.Fatal(err)
			}
			want(t, c.Restart(t.Context()), failure.Transient, failure.Unavailable)
		})
	}
}

// TestSendThatTakesLong: what nobody waits for any more goes all the same, so that it is
// ambiguous.
func TestSendThatTakesLong(t *testing.T) {
	sim, c := paired(t, simulator.EvolutionOptions{})
	slow, sent := make(chan struct{}), make(chan struct{})
	sim.OnSent(func(simulator.SentMessage) { close(sent) })
	sim.Fail(simulator.Fault{Path: "/message/sendText/" + identity.Name, HoldUntil: slow, KeepsOn: true})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := c.SendText(ctx, text)
	want(t, err, failure.Ambiguous, failure.TimedOut)
	close(slow)
	<-sent
	if _, _, err := c.FindSent(t.Context(), "t", customer); !errors.Is(err, gateway.ErrUnsupported) {
		t.Errorf("got %v", err)
	}
}
