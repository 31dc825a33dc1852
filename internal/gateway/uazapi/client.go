package uazapi

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/failure"
	"cartrecovery.dev/operator/internal/gateway"
	"cartrecovery.dev/operator/internal/gateway/wire"
	"cartrecovery.dev/operator/internal/outbound"
)

// configure names the operation in the failure of a setting.
const configure = "uazapi: configure"

// TrackSource marks the messages that this operator has sent, next to their track
// id, in the gateway's own records.
const TrackSource = wire.UserAgent

// maxList bounds the answer to GET /instance/all in bytes: it lists every instance
// of the account, each with its picture to scan while it is pairing.
const maxList = 16 * gateway.MaxAnswer

// findLimit is how many messages with one track id are asked for. There should be
// one; a few more show whether the server filters at all.
const findLimit = 10

// client is one UAZAPI server, called with the credentials of one instance. It restarts nothing.
type client struct {
	gateway.Unsupported
	wire     *wire.Client
	endpoint gateway.Endpoint
	now      func() time.Time
}

// Format keeps the credentials out of every log line and error, however the client
// is printed.
func (c *client) Format(state fmt.State, _ rune) {
	_, _ = fmt.Fprintf(state, "UAZAPI client (instance %s)", c.endpoint.Instance)
}

// New returns a client of the UAZAPI v2 server at endpoint; it is a
// gateway.Factory. It makes no call. The HTTP client may be nil for
// gateway.NewHTTPClient; its redirect policy is not used: redirects are never
// followed. A base URL that cannot be called, or a token that cannot be sent, is
// failure.Misconfigured.
func New(httpClient *http.Client, endpoint gateway.Endpoint) (gateway.Gateway, error) {
	made, err := newClient(httpClient, endpoint, time.Now)
	if err != nil {
		return nil, err
	}
	return made, nil
}

// Type is the row of UAZAPI in the registry of gateway types.
func Type() gateway.Type {
	can := gateway.Capabilities{FindSent: true, CheckNumber: true, Logout: true, Posts: true}
	legacy := can
	legacy.FindSent = false
	return gateway.Type{
		Name: v1alpha1.GatewayUAZAPI, New: New,
		Dialects: []gateway.Dialect{
			{Name: v1alpha1.DialectV2, For: "UAZAPI v2", Can: can},
			{Name: v1alpha1.DialectLegacy, For: "a proxy that takes the old backend's `POST /message/text`", Can: legacy},
		},
		BaseURLVariable: "UAZAPI_BASE_URL", AdminTokenVariable: "UAZAPI_ADMIN_TOKEN",
	}
}

// newClient is New with a clock, which times that the server gives in relation to
// its answer are counted from.
func newClient(httpClient *http.Client, endpoint gateway.Endpoint, now func() time.Time) (*client, error) {
	called, endpoint, err := wire.NewClient(httpClient, configure, endpoint)
	if err != nil {
		return nil, err
	}
	return &client{wire: called, endpoint: endpoint, now: now}, nil
}

// usable tells whether a token that the server gave can authorise calls.
func usable(token string) bool {
	return token != "" && len(token) <= wire.MaxID && outbound.Sendable(token)
}

// Find looks among all instances of the account for the one that Create has marked
// with this owner and UID. The name alone proves nothing: names need not be unique
// (UAZAPI v2 OpenAPI). Of several, a connected one wins, then the first listed.
func (c *client) Find(ctx context.Context, id gateway.Identity) (gateway.Instance, bool, error) {
	request := call{Call: wire.Call{Op: "uazapi: find instance", Method: http.MethodGet, Path: "/instance/all",
		Limit: maxList}, admin: true}
	if id.UID == "" || id.Owner == "" {
		return gateway.Instance{}, false, request.Invalid("an identity needs an owner and a UID")
	}
	body, err := c.do(ctx, request)
	if err != nil {
		return gateway.Instance{}, false, err
	}
	listed, ok := parseInstances(body)
	if !ok {
		return gateway.Instance{}, false, request.Junk(http.StatusOK, "the answer is no list of instances")
	}
	var found []gateway.Instance
	for _, each := range listed {
		if string(each.AdminField01) != id.Owner || string(each.AdminField02) != id.UID {
			continue
		}
		if !usable(string(each.Token)) {
			return gateway.Instance{}, false, request.Junk(http.StatusOK, "the list leaves the instance's token out")
		}
		if instance := each.instance(); instance.State.Connection == gateway.Connected {
			return instance, true, nil
		}
		found = append(found, each.instance())
	}
	if len(found) == 0 {
		return gateway.Instance{}, false, nil
	}
	return found[0], true, nil
}

// Create makes the instance and marks it for Find. Servers older than v2.0 have
// the call under /instance/init. A failure.Ambiguous creation may have happened:
// Find tells.
func (c *client) Create(ctx context.Context, id gateway.Identity) (gateway.Instance, error) {
	request := call{Call: wire.Call{
		Op: "uazapi: create instance", Method: http.MethodPost, Path: "/instance/create", Once: true,
		Body: map[string]any{"name": id.Name, "adminField01": id.Owner, "adminField02": id.UID},
	}, admin: true}
	if id.Name == "" || id.Owner == "" || id.UID == "" {
		return gateway.Instance{}, request.Invalid("an identity needs a name, an owner and a UID")
	}
	body, err := c.do(ctx, request)
	if status := wire.StatusOf(err); status == http.StatusNotFound || status == http.StatusMethodNotAllowed {
		request.Path = "/instance/init"
		body, err = c.do(ctx, request)
	}
	if err != nil {
		return gateway.Instance{}, err
	}
	created, ok := parseCreated(body)
	if !ok {
		return gateway.Instance{}, request.Junk(http.StatusOK, "the answer holds no token of an instance")
	}
	return created, nil
}

// Connect starts pairing: by QR, which lives 2 minutes, or by pair code, which
// lives 5, when phone is not empty (UAZAPI v2 OpenAPI).
func (c *client) Connect(ctx context.Context, phone string) (gateway.State, error) {
	request := call{Call: wire.Call{Op: "uazapi: connect", Method: http.MethodPost, Path: "/instance/connect",
		Body: map[string]any{}}}
	if phone != "" {
		if !wire.IsPhone(phone) {
			return gateway.State{}, request.Invalid("a phone number is digits with country code")
		}
		request.Body = map[string]any{"phone": phone}
	}
	return c.state(ctx, request)
}

// Status asks for the connection and, while pairing, the refreshed QR or pair code.
func (c *client) Status(ctx context.Context) (gateway.State, error) {
	return c.state(ctx, call{Call: wire.Call{Op: "uazapi: status", Method: http.MethodGet, Path: "/instance/status"}})
}

// state makes a call whose answer describes the connection.
func (c *client) state(ctx context.Context, request call) (gateway.State, error) {
	body, err := c.do(ctx, request)
	if err != nil {
		return gateway.State{}, err
	}
	state, ok := parseState(body)
	if !ok {
		return gateway.State{}, request.Junk(http.StatusOK, "the answer tells no connection state")
	}
	return state, nil
}

// RegisterWebhook makes the keyed URL the instance's webhook ("simple mode" of UAZAPI v2
// OpenAPI: one webhook an instance, created or replaced). Messages that went out
// through the API are left out of it, so that nothing answers itself.
func (c *client) RegisterWebhook(ctx context.Context, webhook gateway.Webhook) error {
	request := call{Call: wire.Call{
		Op: "uazapi: register webhook", Method: http.MethodPost, Path: "/webhook",
		Body: map[string]any{
			"enabled":         true,
			"url":             webhook.KeyedURL(),
			"events":          []string{"messages", "messages_update", "connection"},
			"excludeMessages": []string{"wasSentByApi"},
		},
	}}
	body, err := c.do(ctx, request)
	if err != nil {
		return err
	}
	if !json.Valid(body) {
		return request.Junk(http.StatusOK, "the answer is not JSON")
	}
	return nil
}

// CheckNumber asks POST /chat/check (UAZAPI v2 OpenAPI). An answer that leaves the number
// out proves nothing, and is failure.InvalidAnswer.
func (c *client) CheckNumber(ctx context.Context, phone string) (gateway.Number, error) {
	request := call{Call: wire.Call{
		Op: "uazapi: check number", Method: http.MethodPost, Path: "/chat/check",
		Body: map[string]any{"numbers": []string{phone}},
	}}
	if !wire.IsPhone(phone) {
		return gateway.Number{}, request.Invalid("a phone number is digits with country code")
	}
	body, err := c.do(ctx, request)
	if err != nil {
		return gateway.Number{}, err
	}
	number, ok := parseNumbers(body, phone)
	if !ok {
		return gateway.Number{}, request.Junk(http.StatusOK, "the answer does not tell of the number")
	}
	return number, nil
}

// SendText sends a message. The server would replace {{…}} in it; see neutralise.
func (c *client) SendText(ctx context.Context, text gateway.Text) (gateway.Receipt, error) {
	request := call{Call: wire.Call{Op: "uazapi: send text", Method: http.MethodPost, Path: "/send/text", Once: true},
		send: true}
	if !wire.IsPhone(text.Phone) {
		return gateway.Receipt{}, request.Invalid("a phone number is digits with country code")
	}
	if strings.TrimSpace(text.Body) == "" {
		return gateway.Receipt{}, request.Invalid("a message needs a text")
	}
	if c.endpoint.Dialect == v1alpha1.DialectLegacy {
		return c.sendLegacy(ctx, request, text)
	}
	request.Body = map[string]any{
		"number": text.Phone, "text": neutralise(text.Body), "track_source": TrackSource, "track_id": text.TrackID,
	}
	body, err := c.do(ctx, request)
	if err != nil {
		return gateway.Receipt{}, err
	}
	sent, ok := parseSent(body)
	switch {
	case !ok || sent.messageID() == "":
		return gateway.Receipt{}, request.Junk(http.StatusOK, "the answer holds no message id")
	case sent.failed():
		return gateway.Receipt{}, request.Junk(http.StatusOK, "the answer calls the accepted message failed")
	}
	return sent.receipt(), nil
}

// sendLegacy makes the old backend's call, which no version of UAZAPI documents.
// That backend took every 2xx for sent; here the answer must at least be a JSON
// object without an error, and the receipt's MessageID is empty when it holds none.
func (c *client) sendLegacy(ctx context.Context, request call, text gateway.Text) (gateway.Receipt, error) {
	if c.endpoint.Instance == "" {
		return gateway.Receipt{}, wire.Misconfigured(configure, "the legacy send call needs an instance name")
	}
	request.Path = "/message/text"
	request.Body = map[string]any{
		"instanceName": c.endpoint.Instance, "number": text.Phone, "text": neutralise(text.Body),
	}
	body, err := c.do(ctx, request)
	if err != nil {
		return gateway.Receipt{}, err
	}
	sent, ok := parseSent(body)
	if !ok || sent.failed() {
		return gateway.Receipt{}, request.Junk(http.StatusOK, "the answer is no receipt")
	}
	return sent.receipt(), nil
}

// FindSent looks for a message by its track id. It asks for no chat: WhatsApp may know a phone by another number than
// the one written to (Brazilian mobiles with and without their ninth digit), and a filter that misses would have the
// message sent twice. Where the server shows that it does not filter by track id, that the message failed in a way that
// leaves its fate open, or that the track id is on a message which does not look like the one that was sent, that is an
// error and never "not found".
func (c *client) FindSent(ctx context.Context, trackID, phone string) (gateway.Receipt, bool, error) {
	if c.endpoint.Dialect == v1alpha1.DialectLegacy {
		return c.Unsupported.FindSent(ctx, trackID, phone)
	}
	request := call{Call: wire.Call{
		Op: "uazapi: find sent message", Method: http.MethodPost, Path: "/message/find",
		Body: map[string]any{"track_source": TrackSource, "track_id": trackID, "limit": findLimit},
	}}
	if trackID == "" || !wire.IsPhone(phone) {
		return gateway.Receipt{}, false, request.Invalid("a track id and a phone number (digits) are needed")
	}
	body, err := c.do(ctx, request)
	if err != nil {
		return gateway.Receipt{}, false, err
	}
	messages, ok := parseFound(body)
	if !ok {
		return gateway.Receipt{}, false, request.Junk(http.StatusOK, "the answer is no list of messages")
	}
	return request.pick(messages, trackID, phone)
}

// pick finds the message in an answer of /message/find. Nobody else uses the track id, so an entry that has it is the
// message, unless it says that it is not. Of several the last counts: a lead that was deleted and made again has the
// track ids of the one before.
func (r call) pick(messages []message, trackID, phone string) (gateway.Receipt, bool, error) {
	doubt, picked := "", (*gateway.Receipt)(nil)
	for _, each := range messages {
		switch {
		case string(each.TrackID) != trackID:
		case each.FromMe.IsFalse() || !each.isTo(phone):
			doubt = "the server has the track id on a message to somebody else, or not from us"
		case each.failed():
			doubt = "the server recorded the message as failed"
		default:
			if receipt := each.receipt(); picked == nil || receipt.At.After(picked.At) {
				picked = &receipt
			}
		}
	}
	switch {
	case picked != nil:
		return *picked, true, nil
	case doubt != "":
		return gateway.Receipt{}, false, &failure.Error{
			Class: failure.Ambiguous, Code: failure.Unavailable, Op: r.Op, Status: http.StatusOK, Detail: doubt,
		}
	case len(messages) > 0:
		return gateway.Receipt{}, false, r.Junk(http.StatusOK, "the server does not look up by track id")
	}
	return gateway.Receipt{}, false, nil
}

// Disconnect logs the phone out; afterwards pairing starts from the beginning.
func (c *client) Disconnect(ctx context.Context) error {
	return c.end(ctx, call{Call: wire.Call{Op: "uazapi: disconnect", Method: http.MethodPost,
		Path: "/instance/disconnect", Body: map[string]any{}}})
}

// Delete removes the instance from the server.
func (c *client) Delete(ctx context.Context) error {
	return c.end(ctx, call{Call: wire.Call{Op: "uazapi: delete instance", Method: http.MethodDelete,
		Path: "/instance"}})
}

// end makes a call that has succeeded when its object is gone already.
func (c *client) end(ctx context.Context, request call) error {
	_, err := c.do(ctx, request)
	if wire.StatusOf(err) == http.StatusNotFound {
		return nil
	}
	return err
}

// neutralise keeps the server from substituting {{…}} in a text that a customer or
// the AI wrote (UAZAPI v2 OpenAPI, "placeholders"): a word joiner, which is
// invisible and has no width, goes between each two opening braces, so that no
// placeholder ever begins.
func neutralise(text string) string {
	if !strings.Contains(text, "{{") {
		return text
	}
	var out strings.Builder
	out.Grow(len(text) + 8)
	for i := range len(text) {
		if i > 0 && text[i] == '{' && text[i-1] == '{' {
			out.WriteRune('\u2060')
		}
		out.WriteByte(text[i])
	}
	return out.String()
}
