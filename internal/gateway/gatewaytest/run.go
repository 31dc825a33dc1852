// Package gatewaytest holds the client of a gateway to the contract of gateway.Gateway. Every
// gateway's own tests call Run, for each dialect of its type.
package gatewaytest

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/failure"
	"cartrecovery.dev/operator/internal/gateway"
	"cartrecovery.dev/operator/internal/simulator"
)

// Options say what is held to the contract.
type Options struct {
	// Type is the row of the registry.
	Type gateway.Type
	// Dialect is one of its dialects; "" for the default.
	Dialect v1alpha1.GatewayDialect
	// Start starts a server that speaks the dialect, for the rest of the test. Every row has its own.
	Start func(t *testing.T) Server
}

// Server is a simulated server of a gateway, and the people on the other side of it.
type Server struct {
	// BaseURL is where it is; "" for a type that is built in.
	BaseURL string
	// AdminToken authorises the calls of its account; "" for a type that is built in.
	AdminToken string
	// Scan has a phone pair with an instance, after Connect. nil where Connect alone connects.
	Scan func(instance, phone string) error
	// Sent are the texts that it took, in order.
	Sent func() []gateway.Text
	// Reply has a customer write to an instance. nil where Capabilities.Posts is false.
	Reply func(instance, customer, text string) error
}

// The names in every row. They are searched for in errors.
const (
	phone    = "5511900000001"
	customer = "5511988887777"
	words    = "Olá, {{name}}!"
	key      = "webhook-key-3f9a"
	trackID  = "lead.1.first"
)

var (
	identity = gateway.Identity{Name: "shop", Owner: "store/shop", UID: "11111111-2222-3333-4444-555555555555"}
	text     = gateway.Text{Phone: customer, Body: words, TrackID: trackID}
)

// Run holds the gateway to the contract. A row that fails is named after the promise.
func Run(t *testing.T, options Options) {
	can, ok := options.Type.Capabilities(options.Dialect)
	if !ok {
		t.Fatalf("gateway type %s has no dialect %q", options.Type.Name, options.Dialect)
	}
	suite := suite{Options: options, can: can}
	t.Run("an instance lives", suite.lives)
	t.Run("an instance is found by its identity alone", suite.identifies)
	t.Run("a call beyond the capabilities is not made", suite.refuses)
	t.Run("a call that may not begin is not made", suite.begins)
	t.Run("what is printed holds no secret", suite.prints)
	if options.Type.BuiltIn() {
		return
	}
	t.Run("a registered webhook is posted to", suite.posts)
	t.Run("a refused token is Unauthorized", suite.unauthorized)
	t.Run("a call takes at most the timeout", suite.bounds)
	t.Run("a failure is classed", suite.fails)
	t.Run("an answer that is no answer is told from one", suite.misreads)
	t.Run("an answer is bounded", suite.clips)
}

// suite is one run.
type suite struct {
	Options
	can gateway.Capabilities
}

// bench is one server with a proxy before it, and clients of the proxy.
type bench struct {
	suite
	Server
	*proxy
	// base is where the clients call: the proxy, or nowhere.
	base string
	// token is the instance's, once there is one.
	token string
}

// begin starts a server.
func (s suite) begin(t *testing.T) *bench {
	t.Helper()
	b := &bench{suite: s, Server: s.Start(t)}
	if !s.Type.BuiltIn() {
		b.proxy = newProxy(t, b.BaseURL)
		b.base = b.proxy.url
	}
	return b
}

// open returns a client with a token; "" for the account's alone.
func (b *bench) open(t *testing.T, token string) gateway.Gateway {
	t.Helper()
	var client *http.Client
	if b.proxy != nil {
		client = &http.Client{Transport: b.proxy}
	}
	made, err := b.Type.Open(client, gateway.Endpoint{
		BaseURL: b.base, AdminToken: b.AdminToken, Token: token, Instance: identity.Name, Dialect: b.Dialect,
	})
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	return made
}

// create makes the instance and returns its client.
func (b *bench) create(t *testing.T) gateway.Gateway {
	t.Helper()
	made, err := b.open(t, "").Create(t.Context(), identity)
	if err != nil || made.Token == "" {
		t.Fatalf("Create: a token: %t, %v; want one", made.Token != "", err)
	}
	b.token = made.Token
	return b.open(t, made.Token)
}

// pair makes an instance that is connected and returns its client.
func (b *bench) pair(t *testing.T) gateway.Gateway {
	t.Helper()
	g := b.create(t)
	if _, err := g.Connect(t.Context(), ""); err != nil {
		t.Fatalf("Connect: %v", err)
	}
	if b.Scan != nil {
		if err := b.Scan(identity.Name, phone); err != nil {
			t.Fatalf("scan: %v", err)
		}
	}
	return g
}

// method is a method of the contract.
type method struct {
	name string
	// once: its effect must not come twice, so that one whose answer was lost is Ambiguous.
	once bool
	// ends: it succeeds when its object is gone, and what it is answered matters no further.
	ends bool
	// call makes the call, with arguments that are not refused.
	call func(ctx context.Context, g gateway.Gateway) (any, error)
}

// found is what a look-up answers.
type found struct {
	what any
	ok   bool
}

// methods are those that the gateway can.
func (s suite) methods() []method {
	list := []method{
		{name: "Find", call: func(ctx context.Context, g gateway.Gateway) (any, error) {
			instance, ok, err := g.Find(ctx, identity)
			return found{instance, ok}, err
		}},
		// Another instance than the one that is there.
		{name: "Create", once: true, call: func(ctx context.Context, g gateway.Gateway) (any, error) {
			return g.Create(ctx, gateway.Identity{Name: "other", Owner: "store/other", UID: "99999999-2222"})
		}},
		{name: "Connect", call: func(ctx context.Context, g gateway.Gateway) (any, error) {
			return g.Connect(ctx, "")
		}},
		{name: "Status", call: func(ctx context.Context, g gateway.Gateway) (any, error) { return g.Status(ctx) }},
		{name: "RegisterWebhook", call: func(ctx context.Context, g gateway.Gateway) (any, error) {
			return nil, g.RegisterWebhook(ctx, gateway.Webhook{URL: "http://127.0.0.1:1/in", Key: key})
		}},
		{name: "SendText", once: true, call: func(ctx context.Context, g gateway.Gateway) (any, error) {
			return g.SendText(ctx, s.free())
		}},
		{name: "Disconnect", ends: true, call: func(ctx context.Context, g gateway.Gateway) (any, error) {
			return nil, g.Disconnect(ctx)
		}},
		{name: "Delete", ends: true, call: func(ctx context.Context, g gateway.Gateway) (any, error) {
			return nil, g.Delete(ctx)
		}},
	}
	return append(list, s.optional()...)
}

// optional are the methods that not every gateway has.
func (s suite) optional() []method {
	var list []method
	if s.can.CheckNumber {
		list = append(list, method{name: "CheckNumber", call: func(ctx context.Context, g gateway.Gateway) (any,
			error) {
			return g.CheckNumber(ctx, customer)
		}})
	}
	if s.can.FindSent {
		list = append(list, method{name: "FindSent", call: func(ctx context.Context, g gateway.Gateway) (any, error) {
			receipt, ok, err := g.FindSent(ctx, trackID, customer)
			return found{receipt, ok}, err
		}})
	}
	if s.can.Restart {
		list = append(list, method{name: "Restart", call: func(ctx context.Context, g gateway.Gateway) (any, error) {
			return nil, g.Restart(ctx)
		}})
	}
	return list
}

// free is the text as free text that may go.
func (s suite) free() gateway.Text {
	free := text
	free.Heard = now()
	return free
}

// wants checks the class and code of an error, and that it holds no secret.
func (b *bench) wants(t *testing.T, name string, err error, class failure.Class, code failure.Code) *failure.Error {
	t.Helper()
	failed := b.classed(t, name, err)
	if failed == nil {
		t.Fatalf("%s: succeeded; want %s (%s)", name, code, class)
	}
	if failed.Class != class || failed.Code != code {
		t.Errorf("%s: got %v; want %s (%s)", name, failed, code, class)
	}
	if (failed.Class == failure.Throttled) == failed.RetryAt.IsZero() {
		t.Errorf("%s: class %s with RetryAt %v; want a time for Throttled alone", name, failed.Class, failed.RetryAt)
	}
	return failed
}

// classed returns the failure of an error, nil for none. It must be classed and hold no secret.
func (b *bench) classed(t *testing.T, name string, err error) *failure.Error {
	t.Helper()
	if err == nil {
		return nil
	}
	failed, ok := failure.As(err)
	if !ok {
		t.Fatalf("%s: got %v (%T); want a *failure.Error", name, err, err)
	}
	if told := b.tells(fmt.Sprintf("%v %+v", err, failed)); told != "" {
		t.Errorf("%s: the error tells %s: %v", name, told, err)
	}
	return failed
}

// tells says which secret a text tells; "" for none.
func (b *bench) tells(said string) string {
	for name, secret := range map[string]string{
		"the admin token": b.AdminToken, "the instance's token": b.token, "the webhook's key": key,
		"the recipient": customer, "the paired number": phone, "the text": words,
		"the address": strings.TrimPrefix(b.base, "http://"),
	} {
		if secret != "" && strings.Contains(said, secret) {
			return name
		}
	}
	return ""
}

// Taken are the messages that a simulator took, as Server.Sent has them.
func Taken(messages []simulator.SentMessage) []gateway.Text {
	taken := make([]gateway.Text, 0, len(messages))
	for _, each := range messages {
		taken = append(taken, gateway.Text{Phone: each.Number, Body: each.Text, TrackID: each.TrackID})
	}
	return taken
}
