// Package simulated is the gateway type that needs no gateway: it shows a QR marked
// as a mock, pairs by itself after a few seconds, and records messages instead of
// sending them. It is a dry run of policies and prompts, and only ever chosen, never
// fallen back to.
package simulated

import (
	"context"
	"crypto/rand"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/failure"
	"cartrecovery.dev/operator/internal/gateway"
	"cartrecovery.dev/operator/internal/gateway/wire"
)

const (
	// PairingTime is how long an instance shows its QR before it is connected.
	PairingTime = 3 * time.Second
	// Capacity is how many of the last messages are remembered.
	Capacity = 1000
	// Phone is the number an instance is paired with when it was not given one; no
	// such number exists (there is no area code 00).
	Phone = "5500000000000"
	// PairCode is what is shown where a phone would enter a code.
	PairCode = "SIMU-LATE"

	tokenPrefix = "simulated-"
)

// Message is a message that would have been sent.
type Message struct {
	// Instance is the name of the instance it would have been sent from.
	Instance string
	// Text is what would have been sent, and to whom.
	gateway.Text
	// MessageID is the id its sender was given.
	MessageID string
	// At is when it was recorded.
	At time.Time
}

// Simulation is what the simulated gateways of one process share. A token tells by
// itself when its instance was created, so nothing is lost with the process but the
// recorded messages.
type Simulation struct {
	now func() time.Time

	mu sync.Mutex
	// sent is a ring: the newest message is before next.
	sent  []Message
	next  int
	count uint64
	// pairings holds the instances that were paired again or logged out, by token.
	pairings map[string]pairing
}

// pairing is what an instance's token does not tell.
type pairing struct {
	// from is when pairing began; zero when the instance is logged out.
	from time.Time
	// phone is the number to pair by code; empty for a QR.
	phone string
}

// NewSimulation returns a simulation of its own, with a clock that must not be nil.
func NewSimulation(now func() time.Time) *Simulation {
	return &Simulation{now: now, pairings: make(map[string]pairing)}
}

// standard is the simulation of New.
var standard = NewSimulation(time.Now)

// New is a gateway.Factory of gateways that share one simulation in this process. It
// uses nothing of the endpoint but its Token and Instance, and never fails.
func New(client *http.Client, endpoint gateway.Endpoint) (gateway.Gateway, error) {
	return standard.New(client, endpoint)
}

// Type is the row of simulated numbers in the registry of gateway types.
func Type() gateway.Type {
	return gateway.Type{
		Name: v1alpha1.GatewaySimulated, New: New,
		Dialects: []gateway.Dialect{{
			For: "trying things out: built in, sends nothing", Can: gateway.Capabilities{FindSent: true, Logout: true},
		}},
	}
}

// Sent returns the messages recorded by the gateways of New, oldest first, at most
// Capacity.
func Sent() []Message { return standard.Sent() }

// New is a gateway.Factory of gateways that share this simulation. It never fails.
func (s *Simulation) New(_ *http.Client, endpoint gateway.Endpoint) (gateway.Gateway, error) {
	return &simulated{simulation: s, token: endpoint.Token, instance: endpoint.Instance}, nil
}

// Sent returns the recorded messages, oldest first, at most Capacity.
func (s *Simulation) Sent() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append(append(make([]Message, 0, len(s.sent)), s.sent[s.next:]...), s.sent[:s.next]...)
}

// record keeps the message, in the place of the oldest when there are Capacity.
func (s *Simulation) record(message Message) Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count++
	message.MessageID = "SIMULATED" + strconv.FormatInt(message.At.Unix(), 10) + "-" + strconv.FormatUint(s.count, 10)
	if len(s.sent) < Capacity {
		s.sent = append(s.sent, message)
		return message
	}
	s.sent[s.next] = message
	s.next = (s.next + 1) % Capacity
	return message
}

// pairingOf returns how the instance of a token is paired; false for a token that
// no simulation has made.
func (s *Simulation) pairingOf(token string) (pairing, bool) {
	written, isOurs := strings.CutPrefix(token, tokenPrefix)
	seconds, _, _ := strings.Cut(written, "-")
	created, err := strconv.ParseInt(seconds, 10, 64)
	if !isOurs || err != nil || created < 0 {
		return pairing{}, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if known, found := s.pairings[token]; found {
		return known, true
	}
	return pairing{from: time.Unix(created, 0)}, true
}

// pair remembers how an instance is paired. Of more than Capacity any one is
// forgotten, which makes it connected.
func (s *Simulation) pair(token string, as pairing) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for forgotten := range s.pairings {
		if len(s.pairings) < Capacity {
			break
		}
		delete(s.pairings, forgotten)
	}
	s.pairings[token] = as
}

// forget drops what is remembered of an instance.
func (s *Simulation) forget(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.pairings, token)
}

// simulated is the gateway of one instance. It looks no number up and restarts nothing.
type simulated struct {
	gateway.Unsupported
	simulation *Simulation
	token      string
	instance   string
}

// Find never finds one: an instance is nothing but its token.
func (g *simulated) Find(context.Context, gateway.Identity) (gateway.Instance, bool, error) {
	return gateway.Instance{}, false, nil
}

// Create returns a new token, which holds the time of its creation and a random
// part that nobody can guess.
func (g *simulated) Create(_ context.Context, id gateway.Identity) (gateway.Instance, error) {
	created := g.simulation.now()
	return gateway.Instance{
		ID:    "simulated:" + id.Name,
		Token: tokenPrefix + strconv.FormatInt(created.Unix(), 10) + "-" + rand.Text(),
		State: gateway.State{Connection: gateway.Disconnected},
	}, nil
}

// Connect pairs the instance, PairingTime after it was created or, when it was
// logged out, from now.
func (g *simulated) Connect(ctx context.Context, phone string) (gateway.State, error) {
	known, ok := g.simulation.pairingOf(g.token)
	if !ok {
		return gateway.State{}, unauthorized("connect")
	}
	if known.from.IsZero() || g.simulation.now().Before(known.from.Add(PairingTime)) {
		if known.from.IsZero() {
			known.from = g.simulation.now()
		}
		known.phone = phone
		g.simulation.pair(g.token, known)
	}
	return g.Status(ctx)
}

// Status tells the connection from the time that has passed.
func (g *simulated) Status(context.Context) (gateway.State, error) {
	known, ok := g.simulation.pairingOf(g.token)
	switch {
	case !ok:
		return gateway.State{}, unauthorized("status")
	case known.from.IsZero():
		return gateway.State{Connection: gateway.Disconnected, DisconnectReason: "simulated: logged out"}, nil
	case !g.simulation.now().Before(known.from.Add(PairingTime)):
		phone := known.phone
		if phone == "" {
			phone = Phone
		}
		return gateway.State{Connection: gateway.Connected, Phone: phone}, nil
	case known.phone != "":
		return gateway.State{Connection: gateway.Connecting, PairCode: PairCode}, nil
	}
	return gateway.State{Connection: gateway.Connecting, QRCode: QRCode()}, nil
}

// RegisterWebhook does nothing: nobody answers.
func (g *simulated) RegisterWebhook(context.Context, gateway.Webhook) error {
	if _, ok := g.simulation.pairingOf(g.token); !ok {
		return unauthorized("register webhook")
	}
	return nil
}

// SendText records the message. It fails, as a real gateway does, while the instance
// is not connected.
func (g *simulated) SendText(ctx context.Context, text gateway.Text) (gateway.Receipt, error) {
	state, err := g.Status(ctx)
	if err != nil {
		return gateway.Receipt{}, unauthorized("send text")
	}
	if state.Connection != gateway.Connected {
		return gateway.Receipt{}, &failure.Error{
			Class: failure.Transient, Code: failure.NotConnected, Op: "simulated: send text",
			Detail: "the instance is not connected",
		}
	}
	if !wire.IsPhone(text.Phone) || strings.TrimSpace(text.Body) == "" {
		return gateway.Receipt{}, &failure.Error{
			Class: failure.Terminal, Code: failure.InvalidInput, Op: "simulated: send text",
			Detail: "a message needs a phone number and a text",
		}
	}
	kept := g.simulation.record(Message{Instance: g.instance, Text: text, At: g.simulation.now()})
	return gateway.Receipt{MessageID: kept.MessageID, At: kept.At}, nil
}

// FindSent looks among the last Capacity messages of this process, for the last of the track id.
func (g *simulated) FindSent(_ context.Context, trackID, phone string) (gateway.Receipt, bool, error) {
	for _, each := range slices.Backward(g.simulation.Sent()) {
		if each.TrackID == trackID && each.Phone == phone {
			return gateway.Receipt{MessageID: each.MessageID, At: each.At}, true, nil
		}
	}
	return gateway.Receipt{}, false, nil
}

// Disconnect logs the instance out, until Connect or the end of the process.
func (g *simulated) Disconnect(context.Context) error {
	if _, ok := g.simulation.pairingOf(g.token); ok {
		g.simulation.pair(g.token, pairing{})
	}
	return nil
}

// Delete forgets the instance.
func (g *simulated) Delete(context.Context) error {
	g.simulation.forget(g.token)
	return nil
}

// unauthorized is the failure of a token that no simulation has made.
func unauthorized(operation string) *failure.Error {
	return &failure.Error{
		Class: failure.Terminal, Code: failure.Unauthorized, Op: "simulated: " + operation,
		Detail: "this is no token of a simulated instance",
	}
}
