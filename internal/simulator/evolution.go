package simulator

import (
	"net/http"
	"strings"
	"time"
)

// EvolutionOptions configures a simulated Evolution server; the zero value will do, except
// that no instance can be made without an APIKey.
type EvolutionOptions struct {
	// APIKey is the server's global key.
	APIKey string
	// V1 has the server speak version 1 of its API.
	V1 bool
	// HideTokens leaves the instances' tokens out of the list of instances.
	HideTokens bool
	// Clock tells the time; time.Now when nil. Pair codes and QRs expire by it.
	Clock func() time.Time
	// Client posts webhooks; one with a time-out of 10 s when nil.
	Client *http.Client
	// Receipts posts a receipt for each sent message that was delivered, and ReadReceipts
	// one more when it was read, if the instance's webhook wants MESSAGES_UPDATE.
	Receipts, ReadReceipts bool
	// EchoSent posts each sent message as the owner's own, which nothing but its id and text
	// tells from one that was written on the phone, if the webhook wants MESSAGES_UPSERT.
	EchoSent bool
	// KeepSent is how many sent messages are remembered; 100,000 when 0.
	KeepSent int
	// WebhookRetry is the pause between two attempts to post a webhook; 200 ms when 0.
	WebhookRetry time.Duration
}

// Evolution is a simulated Evolution server: an http.Handler, to be run by Serve or
// ServeAt, and the controls of what happens on its phones. All methods may be called at any
// time from any goroutine.
type Evolution struct {
	phones
	options EvolutionOptions

	instances map[string]*evolutionInstance
}

// evolutionInstance is one instance; everything in it is guarded by Evolution.mu.
type evolutionInstance struct {
	instance
	hook evolutionWebhook
	// address is the server's, as the one who made the instance called it.
	address string
}

// evolutionRoute is one call the server knows.
type evolutionRoute struct {
	method, path string
	handle       func(*Evolution, *evolutionExchange) (int, any)
}

// evolutionExchange is one authorised request.
type evolutionExchange struct {
	exchange
	// of is the instance that the path names; nil for a call that names none.
	of *evolutionInstance
	// admin: authorised by the global key.
	admin bool
}

// evolutionRoutes are the calls on an instance, which their path ends with.
var evolutionRoutes = []evolutionRoute{
	{http.MethodGet, "/instance/connect/", (*Evolution).connect},
	{http.MethodGet, "/instance/connectionState/", (*Evolution).connectionState},
	{http.MethodDelete, "/instance/logout/", (*Evolution).logout},
	{http.MethodDelete, "/instance/delete/", (*Evolution).remove},
	{http.MethodPost, "/webhook/set/", (*Evolution).setWebhook},
	{http.MethodPost, "/message/sendText/", (*Evolution).sendText},
	{http.MethodPost, "/chat/whatsappNumbers/", (*Evolution).whatsappNumbers},
}

// NewEvolution returns a server without instances. Close ends what it does on its own.
func NewEvolution(options EvolutionOptions) *Evolution {
	e := &Evolution{options: options, instances: make(map[string]*evolutionInstance)}
	e.setUp(options.Clock, options.Client, options.WebhookRetry, options.KeepSent)
	return e
}

// ServeHTTP answers one call, or fails it as a Fault says.
func (e *Evolution) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	serve(w, r, &e.faults, refusal(http.StatusRequestEntityTooLarge, "request entity too large"), e.handle)
}

// refusal is the body of the server's errors.
func refusal(status int, messages ...any) map[string]any {
	said := map[string]any{"status": status, "error": http.StatusText(status)}
	if status >= http.StatusInternalServerError && len(messages) == 1 {
		said["response"] = map[string]any{"message": messages[0]} // of an error that the server did not throw itself
		return said
	}
	said["response"] = map[string]any{"message": messages}
	return said
}

// refuse is an error as a handler returns it.
func refuse(status int, messages ...any) (int, any) { return status, refusal(status, messages...) }

// invalid is an error of the server's validation: a list with the list of what it found.
func invalid(found ...string) (int, any) { return refuse(http.StatusBadRequest, found) }

// handle routes and authorises a call as the real server does: it looks for the instance
// first, and for the key then.
func (e *Evolution) handle(r *http.Request, body []byte) (int, any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	x := &evolutionExchange{exchange: exchange{request: r, body: body}}
	key := r.Header.Get("apikey")
	x.admin = key != "" && key == e.options.APIKey
	switch r.Method + " " + r.URL.Path {
	case "POST /instance/create":
		return e.create(x)
	case "GET /instance/fetchInstances":
		return e.fetchInstances(x, key)
	}
	for _, each := range evolutionRoutes {
		name, found := strings.CutPrefix(r.URL.Path, each.path)
		if !found || each.method != r.Method || name == "" {
			continue
		}
		x.of = e.instances[name]
		switch {
		case x.of == nil:
			return refuse(http.StatusNotFound, `The "`+name+`" instance does not exist`)
		case !x.admin && (key == "" || key != x.of.token):
			return refuse(http.StatusUnauthorized, "Unauthorized")
		}
		x.of.refresh(e.clock())
		return each.handle(e, x)
	}
	return refuse(http.StatusNotFound, "Cannot "+r.Method+" "+r.URL.Path)
}

// create answers POST /instance/create.
func (e *Evolution) create(x *evolutionExchange) (int, any) {
	var input struct {
		InstanceName string `json:"instanceName"`
		Token        string `json:"token"`
		QRCode       bool   `json:"qrcode"`
		Integration  string `json:"integration"`
	}
	if err := x.decode(&input, false); err != nil {
		return refuse(http.StatusBadRequest, err.Error())
	}
	switch {
	case e.instances[input.InstanceName] != nil:
		return refuse(http.StatusForbidden, `This name "`+input.InstanceName+`" is already in use.`)
	case !x.admin:
		return refuse(http.StatusUnauthorized, "Unauthorized")
	case input.InstanceName == "":
		return refuse(http.StatusBadRequest, `The "instanceName" cannot be empty`)
	case input.Integration != "WHATSAPP-BAILEYS":
		return refuse(http.StatusBadRequest, "Invalid integration")
	}
	if input.Token == "" {
		input.Token = strings.ToUpper(newToken())
	}
	now := e.clock()
	made := &evolutionInstance{
		instance: instance{
			id: newToken(), name: input.InstanceName, token: input.Token, created: now, state: Disconnected,
			open: make(map[string]bool), chats: make(map[string]bool),
		},
		address: "http://" + x.request.Host,
	}
	e.instances[made.name] = made
	content := map[string]any{
		"instance": map[string]any{
			"instanceName": made.name, "instanceId": made.id, "integration": input.Integration, "status": "close",
		},
		"hash": made.token, "webhook": map[string]any{}, "settings": map[string]any{"groupsIgnore": false},
	}
	if e.options.V1 {
		content["hash"] = map[string]any{"apikey": made.token}
	}
	if input.QRCode {
		made.pair(now, "")
		content["qrcode"] = made.pairingView(now)
	}
	return http.StatusCreated, content
}

// fetchInstances answers GET /instance/fetchInstances: an instance's own token shows that
// instance.
func (e *Evolution) fetchInstances(x *evolutionExchange, key string) (int, any) {
	name, views := x.request.URL.Query().Get("instanceName"), []any{}
	now := e.clock()
	for _, each := range e.instances {
		if (name == "" || name == each.name) && (x.admin || key != "" && key == each.token) {
			each.refresh(now)
			views = append(views, e.view(each))
		}
	}
	switch {
	case len(views) == 0 && !x.admin:
		return refuse(http.StatusUnauthorized, "Unauthorized")
	case len(views) == 0 && name != "":
		return refuse(http.StatusNotFound, `Instance "`+name+`" not found`)
	case e.options.V1 && name != "" && x.admin:
		return http.StatusOK, views[0]
	}
	return http.StatusOK, views
}

// view describes an instance as the list does.
func (e *Evolution) view(i *evolutionInstance) map[string]any {
	owner := any(nil)
	if i.phone != "" {
		owner = i.phone + chatServer
	}
	if e.options.V1 {
		view := map[string]any{"instanceName": i.name, "instanceId": i.id, "status": i.word()}
		if owner != nil {
			view["owner"] = owner
		}
		if !e.options.HideTokens {
			view["apikey"] = i.token
		}
		return map[string]any{"instance": view}
	}
	view := map[string]any{
		"id": i.id, "name": i.name, "connectionStatus": i.word(), "ownerJid": owner, "profileName": nil, "number": nil,
		"integration": "WHATSAPP-BAILEYS", "token": i.token, "clientName": "simulated", "disconnectionReasonCode": nil,
		"createdAt": i.created.UTC().Format(timeLayout), "Setting": map[string]any{"groupsIgnore": false},
	}
	if e.options.HideTokens {
		view["token"] = nil
	}
	if i.state == Disconnected && i.reason != "" {
		view["disconnectionReasonCode"] = 401
	}
	return view
}

// word is the server's word for the instance's state.
func (i *evolutionInstance) word() string {
	switch i.state {
	case Connected:
		return "open"
	case Connecting:
		return "connecting"
	}
	return "close"
}

// pairingView is what a phone is to scan or enter now.
func (i *evolutionInstance) pairingView(now time.Time) map[string]any {
	if i.pairCode != "" {
		code := strings.ReplaceAll(i.pairCode, "-", "")
		return map[string]any{"pairingCode": code, "code": "2@simulated", "base64": drawQR("SIMULATED"), "count": 1}
	}
	return map[string]any{"pairingCode": nil, "code": "2@simulated", "base64": i.qrCode(now), "count": 1 + i.pictureAt}
}

// connect answers GET /instance/connect/{name}. While pairing is under way it goes on as it
// began.
func (e *Evolution) connect(x *evolutionExchange) (int, any) {
	now := e.clock()
	switch x.of.state {
	case Connected:
		return e.connectionState(x)
	case Disconnected:
		number := x.request.URL.Query().Get("number")
		if number != "" && !isPhone(number) {
			return http.StatusOK, map[string]any{"error": true, "message": "Error: invalid number"}
		}
		x.of.pair(now, number)
	}
	return http.StatusOK, x.of.pairingView(now)
}

// connectionState answers GET /instance/connectionState/{name}.
func (e *Evolution) connectionState(x *evolutionExchange) (int, any) {
	return http.StatusOK, map[string]any{"instance": map[string]any{"instanceName": x.of.name, "state": x.of.word()}}
}

// logout answers DELETE /instance/logout/{name}.
func (e *Evolution) logout(x *evolutionExchange) (int, any) {
	if x.of.state == Disconnected {
		return refuse(http.StatusBadRequest, `The "`+x.of.name+`" instance is not connected`)
	}
	x.of.end(e.clock(), "logged out")
	return http.StatusOK, map[string]any{"status": "SUCCESS", "error": false, "response": map[string]any{"message": "Instance logged out"}}
}

// remove answers DELETE /instance/delete/{name}.
func (e *Evolution) remove(x *evolutionExchange) (int, any) {
	delete(e.instances, x.of.name)
	return http.StatusOK, map[string]any{"status": "SUCCESS", "error": false, "response": map[string]any{"message": "Instance deleted"}}
}
