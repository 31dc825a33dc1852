package evolution

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/failure"
	"cartrecovery.dev/operator/internal/gateway"
	"cartrecovery.dev/operator/internal/gateway/wire"
	"cartrecovery.dev/operator/internal/outbound"
)

const (
	// integration is the server's own WhatsApp Web client.
	integration = "WHATSAPP-BAILEYS"
	// tokenBytes of randomness go into an instance's token.
	tokenBytes = 16
)

// client is one Evolution server, called with the credentials of one instance. It finds no message
// again; see the package's documentation.
type client struct {
	gateway.Unsupported
	wire     *wire.Client
	endpoint gateway.Endpoint
	now      func() time.Time
}

// Format keeps the credentials out of every log line and error, however the client
// is printed.
func (c *client) Format(state fmt.State, _ rune) {
	_, _ = fmt.Fprintf(state, "Evolution client (instance %s)", c.endpoint.Instance)
}

// New returns a client of the Evolution server at endpoint; it is a gateway.Factory. It
// makes no call. The HTTP client may be nil for gateway.NewHTTPClient; redirects are never
// followed. A base URL that cannot be called, a token that cannot be sent, or a missing
// instance name is failure.Misconfigured.
func New(httpClient *http.Client, endpoint gateway.Endpoint) (gateway.Gateway, error) {
	made, err := newClient(httpClient, endpoint, time.Now)
	if err != nil {
		return nil, err
	}
	return made, nil
}

// Type is the row of Evolution in the registry of gateway types.
func Type() gateway.Type {
	can := gateway.Capabilities{CheckNumber: true, Restart: true, Posts: true}
	return gateway.Type{
		Name: v1alpha1.GatewayEvolution, New: New,
		Dialects: []gateway.Dialect{
			{Name: v1alpha1.DialectV2, For: "the Evolution API, version 2", Can: can},
			{Name: v1alpha1.DialectV1, For: "the Evolution API, version 1", Can: can},
		},
		BaseURLVariable: "EVOLUTION_BASE_URL", AdminTokenVariable: "EVOLUTION_API_KEY",
	}
}

// newClient is New with a clock, which times that the server gives in relation to
// its answer are counted from.
func newClient(httpClient *http.Client, endpoint gateway.Endpoint, now func() time.Time) (*client, error) {
	const op = "evolution: configure"
	called, endpoint, err := wire.NewClient(httpClient, op, endpoint)
	switch {
	case err != nil:
		return nil, err
	case endpoint.Instance == "" || endpoint.Instance == "." || endpoint.Instance == "..":
		return nil, wire.Misconfigured(op, "an instance name is needed, which must not be . or ..")
	}
	return &client{wire: called, endpoint: endpoint, now: now}, nil
}

// call is one request to the server.
type call struct {
	wire.Call
	// admin: authorised by the server's global key instead of the instance's token.
	admin bool
	// send: the call sends a message, so the server may refuse its recipient, and an error
	// that it does not explain may have come after the message went.
	send bool
	// lookUp: the call looks a number up, which fails in a way of its own.
	lookUp bool
}

// of is the path of a call on the instance.
func (c *client) of(path string) string { return path + "/" + url.PathEscape(c.endpoint.Instance) }

// do makes the call with the credentials it needs and returns the body of a 2xx answer.
// Every failure is a *failure.Error.
func (c *client) do(ctx context.Context, r call) ([]byte, error) {
	r.Header, r.Token = "apikey", c.endpoint.Token
	if r.admin {
		r.Token = c.endpoint.AdminToken
	}
	return c.wire.Do(ctx, r.Call, func(status int, header http.Header, body []byte) *failure.Error {
		return r.refused(status, header, body, c.now())
	})
}

// inUse tells a person that the name is not free yet.
const inUse = "the server has not freed the instance's name: one of it is being loaded or deleted; " +
	"if this lasts, delete it at the server"

// Find looks for an instance of the identity's name, which is unique at a server, and accepts it when its token begins
// with the UID. Any other instance of that name is a refusal: a person has to choose.
func (c *client) Find(ctx context.Context, id gateway.Identity) (gateway.Instance, bool, error) {
	request := call{Call: wire.Call{Op: "evolution: find instance"}}
	if id.Name == "" || id.UID == "" {
		return gateway.Instance{}, false, request.Invalid("an identity needs a name and a UID")
	}
	listed, _, err := c.list(ctx, request.Op, id.Name)
	if err != nil {
		return gateway.Instance{}, false, err
	}
	for _, each := range listed {
		if each.name() == id.Name {
			return each.ours(request.Op, id)
		}
	}
	return gateway.Instance{}, false, nil
}

// list asks for the instances of a name with the global key; known is false when the server
// knows none. Of one that was deleted while the server loaded it, the server knows the name
// and nothing else: the list is empty.
func (c *client) list(ctx context.Context, op, name string) (listed []instance, known bool, err error) {
	request := call{Call: wire.Call{
		Op: op, Method: http.MethodGet, Path: "/instance/fetchInstances?instanceName=" + url.QueryEscape(name),
	}, admin: true}
	body, err := c.do(ctx, request)
	if failure.CodeOf(err) == failure.NotFound {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	listed, ok := parseInstances(body)
	if !ok {
		return nil, false, request.Junk(http.StatusOK, "the answer is no list of instances")
	}
	return listed, true, nil
}

// Create makes the instance with a token that Find knows it by. It does not begin to pair:
// nobody may be there to scan yet. A name that is taken is a refusal; one that the server has
// not freed yet is failure.Transient. A failure.Ambiguous creation may have happened: Find
// tells.
func (c *client) Create(ctx context.Context, id gateway.Identity) (gateway.Instance, error) {
	random := make([]byte, tokenBytes)
	_, _ = rand.Read(random)
	token := prefix(id) + hex.EncodeToString(random)
	request := call{Call: wire.Call{
		Op: "evolution: create instance", Method: http.MethodPost, Path: "/instance/create", Once: true,
		Body: map[string]any{"instanceName": id.Name, "token": token, "qrcode": false, "integration": integration},
	}, admin: true}
	if id.Name == "" || id.UID == "" || !outbound.Sendable(id.UID) {
		return gateway.Instance{}, request.Invalid("an identity needs a name and a UID")
	}
	body, err := c.do(ctx, request)
	if wire.StatusOf(err) == http.StatusForbidden && failure.ClassOf(err) == failure.Transient {
		return gateway.Instance{}, c.nameHeld(ctx, id, err)
	}
	if err != nil {
		return gateway.Instance{}, err
	}
	created, ok := parseCreated(body, token)
	if !ok {
		return gateway.Instance{}, request.Junk(http.StatusCreated, "the answer does not confirm the instance's token")
	}
	return created, nil
}

// nameHeld is why a name is held: by another instance, which is a refusal, or for a while. What
// is left of a deleted one is removed.
func (c *client) nameHeld(ctx context.Context, id gateway.Identity, held error) error {
	if _, _, err := c.Find(ctx, id); failure.ClassOf(err) == failure.Terminal && err != nil {
		return err
	}
	if _, err := c.removeRemains(ctx, id.Name); err != nil {
		return err
	}
	return held
}

// removeRemains removes what is left of an instance that was deleted while the server loaded
// it: it holds the name for good and opens to no token, so that it is nobody's.
func (c *client) removeRemains(ctx context.Context, name string) (removed bool, err error) {
	listed, known, err := c.list(ctx, "evolution: delete instance", name)
	if err != nil || !known || len(listed) > 0 {
		return false, err
	}
	return true, c.end(ctx, call{Call: wire.Call{
		Op: "evolution: delete instance", Method: http.MethodDelete, Path: "/instance/delete/" + url.PathEscape(name),
	}, admin: true})
}

// Connect starts pairing: by QR or, when phone is not empty, by pair code. The first answer
// comes before there is a QR or code, or with the one of an earlier pairing: Status has it
// then. While pairing is under way it goes on as it began.
func (c *client) Connect(ctx context.Context, phone string) (gateway.State, error) {
	request := call{Call: wire.Call{Op: "evolution: connect", Method: http.MethodGet, Path: c.of("/instance/connect")}}
	if phone != "" {
		if !wire.IsPhone(phone) {
			return gateway.State{}, request.Invalid("a phone number is digits with country code")
		}
		request.Path += "?number=" + phone
	}
	return c.pairing(ctx, request)
}

// pairing makes a call that answers with what a phone is to scan or enter.
func (c *client) pairing(ctx context.Context, request call) (gateway.State, error) {
	body, err := c.do(ctx, request)
	if err != nil {
		return gateway.State{}, err
	}
	state, failed, ok := parsePairing(body)
	switch {
	case failed:
		return gateway.State{}, &failure.Error{
			Class: failure.Transient, Code: failure.Unavailable, Op: request.Op, Status: http.StatusOK,
			Detail: "the server could not connect the instance",
		}
	case !ok:
		return gateway.State{}, request.Junk(http.StatusOK, "the answer tells no connection state")
	}
	return state, nil
}

// Status asks for the connection, then for what goes with it: the QR or pair code as it is
// now, the paired number, or why the phone is gone. Only the first must succeed.
func (c *client) Status(ctx context.Context) (gateway.State, error) {
	ctx, cancel := context.WithTimeout(ctx, gateway.Timeout)
	defer cancel()
	request := call{Call: wire.Call{Op: "evolution: status", Method: http.MethodGet,
		Path: c.of("/instance/connectionState")}}
	state, err := c.state(ctx, request)
	if err != nil {
		return gateway.State{}, err
	}
	return c.detailed(ctx, state), nil
}

// state asks for the connection alone.
func (c *client) state(ctx context.Context, request call) (gateway.State, error) {
	body, err := c.do(ctx, request)
	if err != nil {
		return gateway.State{}, err
	}
	state, loaded, ok := parseState(body)
	switch {
	case !ok:
		return gateway.State{}, request.Junk(http.StatusOK, "the answer tells no connection state")
	case !loaded:
		return gateway.State{}, &failure.Error{
			Class: failure.Transient, Code: failure.Unavailable, Op: request.Op, Status: http.StatusOK,
			Detail: "the server has not loaded the instance",
		}
	}
	return state, nil
}

// detailed adds to a state what the server tells elsewhere. While an instance is connecting,
// the call that connects it answers with the picture and changes nothing.
func (c *client) detailed(ctx context.Context, state gateway.State) gateway.State {
	request := call{Call: wire.Call{Op: "evolution: status", Method: http.MethodGet}}
	if state.Connection == gateway.Connecting {
		request.Path = c.of("/instance/connect")
		if shown, err := c.pairing(ctx, request); err == nil {
			return shown
		}
		return state
	}
	request.Path = "/instance/fetchInstances?instanceName=" + url.QueryEscape(c.endpoint.Instance)
	body, err := c.do(ctx, request)
	if err != nil {
		return state
	}
	listed, _ := parseInstances(body)
	for _, each := range listed {
		if each.name() == c.endpoint.Instance {
			return each.details(state)
		}
	}
	return state
}

// Disconnect deletes the instance: one that was logged out by a call takes in no message ever
// again, however it is paired.
func (c *client) Disconnect(ctx context.Context) error {
	return c.Delete(ctx)
}

// Delete removes the instance from the server. It is authorised by the instance's token, which cannot delete somebody
// else's instance of the same name. Only an instance without a token is deleted with the global key. One that is not
// loaded is not deleted: its name would be lost.
func (c *client) Delete(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, gateway.Timeout)
	defer cancel()
	const op = "evolution: delete instance"
	request := call{Call: wire.Call{Op: op, Method: http.MethodGet, Path: c.of("/instance/connectionState")}}
	_, err := c.state(ctx, request)
	if err == nil {
		request.Method, request.Path = http.MethodDelete, c.of("/instance/delete")
		err = c.end(ctx, request)
	}
	code := failure.CodeOf(err)
	switch noToken := c.endpoint.Token == "" || code == failure.Unauthorized; {
	case code == failure.NotFound:
		return nil
	case noToken && c.endpoint.AdminToken != "":
		if removed, failed := c.removeRemains(ctx, c.endpoint.Instance); removed || failed != nil {
			return failed
		}
	}
	return err
}

// Restart closes the instance's socket and opens it again.
func (c *client) Restart(ctx context.Context) error {
	request := call{Call: wire.Call{
		Op: "evolution: restart instance", Method: http.MethodPost, Path: c.of("/instance/restart"),
		Body: map[string]any{},
	}}
	if c.endpoint.Dialect == v1alpha1.DialectV1 {
		request.Method = http.MethodPut
	}
	_, err := c.pairing(ctx, request)
	return err
}

// end makes a call that has succeeded when its object is gone already.
func (c *client) end(ctx context.Context, request call) error {
	_, err := c.do(ctx, request)
	switch failure.CodeOf(err) {
	case failure.NotFound, failure.NotConnected:
		if wire.StatusOf(err) == http.StatusNotFound || wire.StatusOf(err) == http.StatusBadRequest {
			return nil
		}
	}
	return err
}

// RegisterWebhook makes the URL the instance's webhook; the key goes along in a header.
// Version 1 of the server sends no headers: there it is in the URL.
func (c *client) RegisterWebhook(ctx context.Context, webhook gateway.Webhook) error {
	if c.endpoint.Dialect != v1alpha1.DialectV1 {
		err := c.setWebhook(ctx, webhook,
			"MESSAGES_UPSERT", "MESSAGES_UPDATE", "MESSAGES_EDITED", "SEND_MESSAGE", "CONNECTION_UPDATE")
		// Servers before 2.2 have no MESSAGES_EDITED and refuse what they do not know.
		if wire.StatusOf(err) != http.StatusBadRequest {
			return err
		}
	}
	return c.setWebhook(ctx, webhook, "MESSAGES_UPSERT", "MESSAGES_UPDATE", "SEND_MESSAGE", "CONNECTION_UPDATE")
}

func (c *client) setWebhook(ctx context.Context, webhook gateway.Webhook, events ...string) error {
	request := call{Call: wire.Call{
		Op: "evolution: register webhook", Method: http.MethodPost, Path: c.of("/webhook/set"),
		Body: map[string]any{"webhook": map[string]any{
			"enabled": true, "url": webhook.URL, "headers": map[string]string{gateway.WebhookKeyHeader: webhook.Key},
			"events": events, "byEvents": false, "base64": false,
		}},
	}}
	if c.endpoint.Dialect == v1alpha1.DialectV1 {
		request.Body = map[string]any{
			"enabled": true, "url": webhook.KeyedURL(), "events": events, "webhook_by_events": false,
			"webhook_base64": false,
		}
	}
	body, err := c.do(ctx, request)
	if err != nil {
		return err
	}
	if !wire.IsObject(body) || !json.Valid(body) {
		return request.Junk(http.StatusCreated, "the answer is not a JSON object")
	}
	return nil
}
