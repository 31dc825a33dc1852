package evolution

import (
	"context"
	"errors"
	"fmt"
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
	globalKey = "global-secret"
	ownPhone  = "5531900000001"
	customer  = "5531988776655"
)

var identity = gateway.Identity{Name: "shop one", Owner: "store/shop", UID: "11111111-2222-3333-4444-555555555555"}

var text = gateway.Text{Phone: customer, Body: "oi", TrackID: "t"}

// server runs a simulator and returns it with its address.
func server(t testing.TB, options simulator.EvolutionOptions) (*simulator.Evolution, string) {
	t.Helper()
	options.APIKey, options.WebhookRetry = globalKey, time.Millisecond
	sim := simulator.NewEvolution(options)
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
func dial(t testing.TB, base, token string, dialect v1alpha1.GatewayDialect) *client {
	t.Helper()
	made, err := newClient(gateway.NewHTTPClient(), gateway.Endpoint{
		BaseURL: base, AdminToken: globalKey, Token: token, Instance: identity.Name, Dialect: dialect,
	}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// dialect of a server with these options.
func dialect(options simulator.EvolutionOptions) v1alpha1.GatewayDialect {
	if options.V1 {
		return v1alpha1.DialectV1
	}
	return ""
}

// paired returns a simulator with one connected instance, and its client.
func paired(t testing.TB, options simulator.EvolutionOptions) (*simulator.Evolution, *client) {
	t.Helper()
	sim, base := server(t, options)
	created, err := dial(t, base, "", dialect(options)).Create(t.Context(), identity)
	if err != nil {
		t.Fatal(err)
	}
	c := dial(t, base, created.Token, dialect(options))
	if _, err := c.Connect(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	if err := sim.Scan(identity.Name, ownPhone); err != nil {
		t.Fatal(err)
	}
	return sim, c
}

// want checks the class and code of an error, and that it tells nothing secret.
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
	for _, secret := range []string{globalKey, identity.UID, customer, "127.0.0.1", "secret"} {
		if strings.Contains(failed.Error(), secret) {
			t.Errorf("the error tells too much: %v", failed)
		}
	}
	return failed
}

func TestNewRefusesWhatCannotBeCalled(t *testing.T) {
	for _, endpoint := range []gateway.Endpoint{
		{Instance: "a"}, {BaseURL: "evolution.example.com", Instance: "a"},
		{BaseURL: "https://u:secret@evolution.example.com", Instance: "a"},
		{BaseURL: "https://evolution.example.com"}, {BaseURL: "https://evolution.example.com", Instance: ".."},
		{BaseURL: "https://evolution.example.com", Instance: "a", Token: "a\nb"},
	} {
		_, err := New(nil, endpoint)
		want(t, err, failure.Terminal, failure.Misconfigured)
	}
	made, err := New(nil, gateway.Endpoint{BaseURL: "https://evolution.example.com/", Instance: "a",
		Token: "hidden-token", AdminToken: "hidden-key"})
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		if printed := fmt.Sprintf(format, made); strings.Contains(printed, "hidden") {
			t.Errorf("%s prints %s", format, printed)
		}
	}
}

// TestLife is the life of an instance, from before it is made until it is gone, with both
// versions of the server.
func TestLife(t *testing.T) {
	for name, options := range map[string]simulator.EvolutionOptions{"v2": {}, "v1": {V1: true}} {
		t.Run(name, func(t *testing.T) {
			sim, base := server(t, options)
			admin := dial(t, base, "", dialect(options))
			if _, found, err := admin.Find(t.Context(), identity); err != nil || found {
				t.Fatalf("found %v, %v before it is created", found, err)
			}
			created, err := admin.Create(t.Context(), identity)
			if err != nil || created.ID == "" || created.State.Connection != gateway.Disconnected {
				t.Fatalf("created %+v, %v", created.State, err)
			}
			if random, ours := strings.CutPrefix(created.Token, identity.UID+"."); !ours || len(random) != 32 {
				t.Fatalf("the token does not begin with the UID, or its random part is %d long", len(random))
			}
			found, ok, err := admin.Find(t.Context(), identity)
			if err != nil || !ok || found != created {
				t.Fatalf("found %v %v, another than was created: %v", ok, err, found != created)
			}
			c := dial(t, base, created.Token, dialect(options))
			state, err := c.Connect(t.Context(), "")
			if err != nil || state != (gateway.State{Connection: gateway.Connecting}) {
				t.Fatalf("connect: %s, %v", state.Connection, err)
			}
			state, err = c.Status(t.Context())
			if err != nil || state.Connection != gateway.Connecting || !strings.HasPrefix(state.QRCode,
				wire.PicturePrefix) || state.Shown != 1 {
				t.Fatalf("status while connecting: %s, %v", state.Connection, err)
			}
			if err := sim.Scan(identity.Name, ownPhone); err != nil {
				t.Fatal(err)
			}
			connected := gateway.State{Connection: gateway.Connected, Phone: ownPhone}
			if state, err := c.Status(t.Context()); err != nil || state != connected {
				t.Fatalf("status: %+v, %v", state, err)
			}
			if state, err := c.Connect(t.Context(), ""); err != nil || state.Connection != gateway.Connected {
				t.Fatalf("connect again: %+v, %v", state, err)
			}
			ends(t, c)
		})
	}
}

// ends deletes the instance, to log the phone out and for good, twice each.
func ends(t *testing.T, c *client) {
	t.Helper()
	for range 2 {
		if err := c.Disconnect(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := c.Delete(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	_, err := c.Status(t.Context())
	want(t, err, failure.Terminal, failure.NotFound)
}

func TestPairCode(t *testing.T) {
	sim, base := server(t, simulator.EvolutionOptions{})
	created, err := dial(t, base, "", "").Create(t.Context(), identity)
	if err != nil {
		t.Fatal(err)
	}
	c := dial(t, base, created.Token, "")
	if _, err := c.Connect(t.Context(), ownPhone); err != nil {
		t.Fatal(err)
	}
	state, err := c.Status(t.Context())
	if err != nil || len(state.PairCode) != 8 || state.QRCode != "" {
		t.Fatalf("got %+v, %v", state, err)
	}
	if err := sim.Scan(identity.Name, ownPhone); err != nil {
		t.Fatal(err)
	}
	if err := sim.Logout(identity.Name); err != nil {
		t.Fatal(err)
	}
	if state, err := c.Status(t.Context()); err != nil || !strings.Contains(state.DisconnectReason, "401") {
		t.Errorf("got %+v, %v", state, err)
	}
	_, err = c.Connect(t.Context(), "+55 31")
	want(t, err, failure.Terminal, failure.InvalidInput)
}

// TestOwnership: an instance of the name is accepted only by its token.
func TestOwnership(t *testing.T) {
	other := gateway.Identity{Name: identity.Name, Owner: "other/shop", UID: "another-uid"}
	t.Run("another's", func(t *testing.T) {
		sim, base := server(t, simulator.EvolutionOptions{})
		admin := dial(t, base, "", "")
		if _, err := admin.Create(t.Context(), other); err != nil {
			t.Fatal(err)
		}
		_, _, err := admin.Find(t.Context(), identity)
		if failed := wanted(t, err, failure.Terminal, failure.InvalidInput); !strings.Contains(failed.Detail,
			"spec.instanceName") {
			t.Errorf("no advice: %v", failed)
		}
		_, err = admin.Create(t.Context(), identity)
		want(t, err, failure.Terminal, failure.InvalidInput)
		stranger := dial(t, base, identity.UID+".0", "")
		want(t, stranger.Delete(t.Context()), failure.Terminal, failure.Unauthorized)
		want(t, stranger.Disconnect(t.Context()), failure.Terminal, failure.Unauthorized)
		want(t, admin.Delete(t.Context()), failure.Terminal, failure.Misconfigured)
		if left := len(sim.Instances()); left != 1 {
			t.Errorf("%d instances are left", left)
		}
	})
	t.Run("hidden", func(t *testing.T) { // version 2 lists tokens either way
		_, base := server(t, simulator.EvolutionOptions{HideTokens: true})
		admin := dial(t, base, "", "")
		created, err := admin.Create(t.Context(), identity)
		if err != nil {
			t.Fatal(err)
		}
		if found, ok, err := admin.Find(t.Context(), identity); err != nil || !ok || found != created {
			t.Errorf("found %v, %v", ok, err)
		}
	})
	t.Run("hidden, v1", func(t *testing.T) {
		options := simulator.EvolutionOptions{HideTokens: true, V1: true}
		_, base := server(t, options)
		admin := dial(t, base, "", dialect(options))
		if _, err := admin.Create(t.Context(), identity); err != nil {
			t.Fatal(err)
		}
		_, _, err := admin.Find(t.Context(), identity)
		if failed := wanted(t, err, failure.Terminal, failure.Misconfigured); !strings.Contains(failed.Detail,
			"EXPOSE_IN_FETCH_INSTANCES") {
			t.Errorf("no advice: %v", failed)
		}
	})
	t.Run("the UID is not a mere prefix", func(t *testing.T) {
		_, base := server(t, simulator.EvolutionOptions{})
		admin := dial(t, base, "", "")
		longer := gateway.Identity{Name: identity.Name, UID: identity.UID + "6"}
		if _, err := admin.Create(t.Context(), longer); err != nil {
			t.Fatal(err)
		}
		_, _, err := admin.Find(t.Context(), identity)
		want(t, err, failure.Terminal, failure.InvalidInput)
	})
}

// TestCreateLost: the answer of a creation was lost; Find has its outcome.
func TestCreateLost(t *testing.T) {
	sim, base := server(t, simulator.EvolutionOptions{})
	sim.Fail(simulator.Fault{Path: "/instance/create", AfterAccept: true})
	admin := dial(t, base, "", "")
	_, err := admin.Create(t.Context(), identity)
	want(t, err, failure.Ambiguous, failure.Unavailable)
	found, ok, err := admin.Find(t.Context(), identity)
	if err != nil || !ok || found.Token != sim.Instances()[0].Token {
		t.Errorf("found %v, %v", ok, err)
	}
}

func TestCredentials(t *testing.T) {
	_, base := server(t, simulator.EvolutionOptions{})
	c, err := newClient(nil, gateway.Endpoint{BaseURL: base, Instance: identity.Name}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = c.Find(t.Context(), identity)
	want(t, err, failure.Terminal, failure.Misconfigured)
	_, err = c.Status(t.Context())
	want(t, err, failure.Terminal, failure.Misconfigured)
	c.endpoint.AdminToken = "wrong"
	_, _, err = c.Find(t.Context(), identity)
	want(t, err, failure.Terminal, failure.Unauthorized)
	_, err = c.Create(t.Context(), identity)
	want(t, err, failure.Terminal, failure.Unauthorized)
	_, err = c.Create(t.Context(), gateway.Identity{Name: "shop"})
	want(t, err, failure.Terminal, failure.InvalidInput)
	_, _, err = c.Find(t.Context(), gateway.Identity{UID: "u"})
	want(t, err, failure.Terminal, failure.InvalidInput)
}

func TestSendText(t *testing.T) {
	for name, options := range map[string]simulator.EvolutionOptions{"v2": {}, "v1": {V1: true}} {
		t.Run(name, func(t *testing.T) {
			sim, c := paired(t, options)
			body := "Olá! {{name}} custa R$ 10 & <b>\nhttps://loja.example/?a=1"
			receipt, err := c.SendText(t.Context(), gateway.Text{Phone: customer, Body: body, TrackID: "t-1"})
			if err != nil || receipt.MessageID == "" || receipt.At.IsZero() {
				t.Fatalf("got %+v, %v", receipt, err)
			}
			sent := sim.Sent()
			if len(sent) != 1 || sent[0].Text != body || sent[0].Number != customer ||
				sent[0].MessageID != receipt.MessageID {
				t.Fatalf("sent %+v", sent)
			}
			if _, _, err := c.FindSent(t.Context(), "t-1", customer); !errors.Is(err, gateway.ErrUnsupported) {
				t.Errorf("got %v", err)
			}
			for _, bad := range []gateway.Text{{Phone: "+5531", Body: "x"}, {Phone: customer},
				{Phone: customer, Body: " \n"}} {
				_, err := c.SendText(t.Context(), bad)
				want(t, err, failure.Terminal, failure.InvalidInput)
			}
			sim.WithoutWhatsApp(customer)
			_, err = c.SendText(t.Context(), text)
			want(t, err, failure.Terminal, failure.NotOnWhatsApp)
			if err := sim.Logout(identity.Name); err != nil {
				t.Fatal(err)
			}
			_, err = c.SendText(t.Context(), text)
			want(t, err, failure.Transient, failure.NotConnected)
			if len(sim.Sent()) != 1 {
				t.Error("something else was sent")
			}
		})
	}
}

func TestCheckNumber(t *testing.T) {
	sim, c := paired(t, simulator.EvolutionOptions{})
	sim.KnownAs(customer, "553188776655")
	sim.WithoutWhatsApp("5531900000009")
	for asked, want := range map[string]gateway.Number{
		customer: {Registered: true, ID: "553188776655"}, "5531900000009": {},
		ownPhone: {Registered: true, ID: ownPhone},
	} {
		if got, err := c.CheckNumber(t.Context(), asked); err != nil || got != want {
			t.Errorf("got %+v, %v, want %+v", got, err, want)
		}
	}
	_, err := c.CheckNumber(t.Context(), "+5531")
	want(t, err, failure.Terminal, failure.InvalidInput)
	if err := sim.Logout(identity.Name); err != nil {
		t.Fatal(err)
	}
	_, err = c.CheckNumber(t.Context(), customer)
	want(t, err, failure.Transient, failure.NotConnected)
}

// TestWebhook: the key comes in the header (version 2) or the URL (version 1), and what is
// posted arrives.
func TestWebhook(t *testing.T) {
	for name, options := range map[string]simulator.EvolutionOptions{"v2": {}, "v1": {V1: true}} {
		t.Run(name, func(t *testing.T) {
			type posted struct{ path, key string }
			posts := make(chan posted, 10)
			hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				posts <- posted{r.URL.Path, r.Header.Get(gateway.WebhookKeyHeader)}
			}))
			defer hook.Close()
			sim, c := paired(t, options)
			if err := c.RegisterWebhook(t.Context(), gateway.Webhook{URL: hook.URL + "/in", Key: "k"}); err != nil {
				t.Fatal(err)
			}
			expected := posted{"/in", "k"}
			if options.V1 {
				expected = posted{"/in/k", ""}
			}
			if _, err := sim.Reply(identity.Name, customer, "oi"); err != nil {
				t.Fatal(err)
			}
			if got := <-posts; got != expected {
				t.Errorf("posted %+v, want %+v", got, expected)
			}
			if err := sim.Logout(identity.Name); err != nil {
				t.Fatal(err)
			}
			if got := <-posts; got != expected {
				t.Errorf("posted %+v, want %+v", got, expected)
			}
		})
	}
	t.Run("a server without MESSAGES_EDITED", func(t *testing.T) {
		sim, c := paired(t, simulator.EvolutionOptions{})
		path := "/webhook/set/" + identity.Name
		sim.Fail(simulator.Fault{Path: path, Status: 400,
			Body: `{"status":400,"response":{"message":["webhook.events[2] is not one of enum values: X"]}}`})
		if err := c.RegisterWebhook(t.Context(), gateway.Webhook{URL: "http://127.0.0.1:1/in", Key: "k"}); err != nil {
			t.Fatal(err)
		}
		sim.Fail(simulator.Fault{Path: path, Status: 400, Times: 2})
		want(t, c.RegisterWebhook(t.Context(), gateway.Webhook{URL: "http://127.0.0.1:1/in", Key: "secret"}),
			failure.Terminal, failure.InvalidInput)
		sim.Fail(simulator.Fault{Path: path, Status: 201, Body: "<html>"})
		want(t, c.RegisterWebhook(t.Context(), gateway.Webhook{URL: "http://127.0.0.1:1/in", Key: "secret"}),
			failure.Terminal, failure.InvalidAnswer)
	})
}

// method is one method of the interface, by name.
type method struct {
	name string
	// once: its effect must not come twice.
	once bool
	call func(context.Context, *client) error
}

var methods = []method{
	{"Find", false, func(ctx context.Context, c *client) error { _, _, err := c.Find(ctx, identity); return err }},
	{"Create", true, func(ctx context.Context, c *client) error { _, err := c.Create(ctx, identity); return err }},
	{"Connect", false, func(ctx context.Context, c *client) error { _, err := c.Connect(ctx, ""); return err }},
	{"Status", false, func(ctx context.Context, c *client) error { _, err := c.Status(ctx); return err }},
	{"RegisterWebhook", false, func(ctx context.Context, c *client) error {
		return c.RegisterWebhook(ctx, gateway.Webhook{URL: "http://127.0.0.1:1", Key: "secret"})
	}},
	{"CheckNumber", false, func(ctx context.Context, c *client) error {
		_, err := c.CheckNumber(ctx, customer)
		return err
	}},
	{"SendText", true, func(ctx context.Context, c *client) error { _, err := c.SendText(ctx, text); return err }},
	{"Disconnect", false, func(ctx context.Context, c *client) error { return c.Disconnect(ctx) }},
	{"Delete", false, func(ctx context.Context, c *client) error { return c.Delete(ctx) }},
}

// TestEveryMethodWithItsServersFaults is every method against what an Evolution server says in words of its
// own; gatewaytest has what every server can do.
func TestEveryMethodWithItsServersFaults(t *testing.T) {
	faults := []struct {
		name  string
		fault simulator.Fault
		class failure.Class
		once  failure.Class
		code  failure.Code
	}{
		{"connection closed",
			simulator.Fault{Status: 500, Body: `{"status":500,"response":{"message":"Connection Closed"}}`},
			failure.Transient, failure.Transient, failure.NotConnected},
		{"over WhatsApp's limit",
			simulator.Fault{Status: 500, Body: `{"status":500,"response":{"message":"rate-overlimit"}}`},
			failure.Throttled, failure.Throttled, failure.RateLimited},
	}
	for _, each := range faults {
		for _, method := range methods {
			t.Run(each.name+", "+method.name, func(t *testing.T) {
				sim, c := paired(t, simulator.EvolutionOptions{})
				if method.name == "Create" {
					if err := c.Delete(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				sim.Fail(each.fault)
				class := each.class
				if method.once {
					class = each.once
				}
				failed := wanted(t, method.call(t.Context(), c), class, each.code)
				if (failed.Class == failure.Throttled) == failed.RetryAt.IsZero() {
					t.Errorf("retry at %v", failed.RetryAt)
				}
			})
		}
	}
}

// TestAcceptedThenBroken: the message went, its receipt was lost.
func TestAcceptedThenBroken(t *testing.T) {
	sim, c := paired(t, simulator.EvolutionOptions{})
	sim.Fail(simulator.Fault{Path: "/message/sendText/" + identity.Name, AfterAccept: true})
	_, err := c.SendText(t.Context(), text)
	want(t, err, failure.Ambiguous, failure.Unavailable)
	if len(sim.Sent()) != 1 {
		t.Error("it did not go")
	}
}

// TestStatusWithoutDetails: only the connection itself must be told.
func TestStatusWithoutDetails(t *testing.T) {
	sim, c := paired(t, simulator.EvolutionOptions{})
	sim.Fail(simulator.Fault{Path: "/instance/fetchInstances", Status: 500})
	if state, err := c.Status(t.Context()); err != nil || state != (gateway.State{Connection: gateway.Connected}) {
		t.Errorf("got %+v, %v", state, err)
	}
	if err := sim.Logout(identity.Name); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Connect(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	sim.Fail(simulator.Fault{Path: "/instance/connect/" + identity.Name, Status: 500})
	if state, err := c.Status(t.Context()); err != nil || state != (gateway.State{Connection: gateway.Connecting}) {
		t.Errorf("got %+v, %v", state, err)
	}
}
