package simulator

import (
	"encoding/json"
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
	// HideTokens leaves the instances' tokens out of what is posted to webhooks and, of version
	// 1, out of the list of instances.
	HideTokens bool
	// Clock tells the time; time.Now when nil. Pair codes and QRs expire by it.
	Clock func() time.Time
	// QRAfter is how long after the beginning of a pairing WhatsApp sends the first QR. The call
	// that begins a pairing never has one of its own.
	QRAfter time.Duration
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
// time from any goroutine. It is as odd as release 2.3.6 is.
type Evolution struct {
	phones
	options EvolutionOptions

	instances map[string]*evolutionInstance
	// databaseDown: the server's database does not answer.
	databaseDown bool
	// slowDeletes: rows of deleted instances stay until FinishDeletes.
	slowDeletes bool
	// restarts counts the calls that restart an instance, which restartsInVain heal nothing.
	restarts       int
	restartsInVain bool
}

// evolutionInstance is one instance; everything in it is guarded by Evolution.mu. The server
// knows it in two places that can disagree: its memory and its database.
type evolutionInstance struct {
	instance
	hook evolutionWebhook
	// address is the server's, as the one who made the instance called it.
	address string

	// loaded: it is in memory; stored: it is in the database.
	loaded, stored bool
	// loading: a restarted server will have it in memory.
	loading bool
	// hasClient: it has been connected once since it is in memory.
	hasClient bool
	// deaf: what comes in is neither posted nor kept, since the API logged it out.
	deaf bool
	// dead: WhatsApp's side of the connection is gone, and the server has not noticed.
	dead bool
	// noQR: WhatsApp sends no QR.
	noQR bool
	// display is what there is to scan or enter; it outlives the pairing it was made for.
	display evolutionDisplay
}

// evolutionDisplay is the server's memory of the last QR and pair code.
type evolutionDisplay struct {
	picture, code string
	count         int64
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
	{http.MethodPost, "/instance/restart/", (*Evolution).restart},
	{http.MethodPut, "/instance/restart/", (*Evolution).restart},
	{http.MethodDelete, "/instance/logout/", (*Evolution).logout},
	{http.MethodDelete, "/instance/delete/", (*Evolution).remove},
	{http.MethodPost, "/webhook/set/", (*Evolution).setWebhook},
	{http.MethodPost, "/message/sendText/", (*Evolution).sendText},
	{http.MethodPost, "/chat/whatsappNumbers/", (*Evolution).whatsappNumbers},
}

// The server posts a webhook up to ten times, and not again after these answers.
const evolutionAttempts = 10

var evolutionFinal = []int{
	http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound,
	http.StatusUnprocessableEntity,
}

// databaseFailed is what the server says when its database does not answer.
const databaseFailed = "PrismaClientInitializationError: Can't reach database server at `postgres:5432`"

// NewEvolution returns a server without instances. Close ends what it does on its own.
func NewEvolution(options EvolutionOptions) *Evolution {
	e := &Evolution{options: options, instances: make(map[string]*evolutionInstance)}
	e.setUp(options.Clock, options.Client, options.WebhookRetry, options.KeepSent)
	e.webhooks.attempts, e.webhooks.final = evolutionAttempts, evolutionFinal
	return e
}

// ServeHTTP answers one call, or fails it as a Fault says.
func (e *Evolution) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	serve(w, r, &e.faults, thrown(http.StatusRequestEntityTooLarge, "request entity too large"), e.handle)
}

// refuse is an error that the server throws itself: a list of what it says.
func refuse(status int, messages ...any) (int, any) {
	return status, map[string]any{
		"status": status, "error": http.StatusText(status), "response": map[string]any{"message": messages},
	}
}

// thrown is the body of an error that the server did not throw itself: its text alone.
func thrown(status int, message string) map[string]any {
	return map[string]any{
		"status": status, "error": http.StatusText(status), "response": map[string]any{"message": message},
	}
}

// crash is the answer to what the server did not expect.
func crash(message string) (int, any) {
	return http.StatusInternalServerError, thrown(http.StatusInternalServerError, message)
}

// unread is what the server says when it looks into something that is not there.
func unread(property string) string {
	return "Cannot read properties of undefined (reading '" + property + "')"
}

// invalid is an error of the server's validation: a list with the list of what it found.
func invalid(found ...string) (int, any) { return refuse(http.StatusBadRequest, found) }

// unauthorized is the server's answer to a key that opens nothing: a text, not a list.
func unauthorized() (int, any) {
	return http.StatusUnauthorized, thrown(http.StatusUnauthorized, "Unauthorized")
}

// lenient reads a body as the server does: unknown properties are ignored, and a body that
// cannot be read is an error of the parser's.
func (x *evolutionExchange) lenient(target any) error {
	if len(x.body) == 0 || !strings.HasPrefix(x.request.Header.Get("Content-Type"), "application/json") {
		return nil
	}
	return json.Unmarshal(x.body, target)
}

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
		return e.handleOn(x, name, key, each.handle)
	}
	return refuse(http.StatusNotFound, "Cannot "+r.Method+" "+r.URL.Path)
}

// handleOn handles a call on the instance of a name.
func (e *Evolution) handleOn(
	x *evolutionExchange, name, key string, handle func(*Evolution, *evolutionExchange) (int, any),
) (int, any) {
	x.of = e.instances[name]
	switch {
	case (x.of == nil || !x.of.loaded) && e.databaseDown:
		return refuse(http.StatusInternalServerError, databaseFailed)
	case !e.exists(name):
		return refuse(http.StatusNotFound, `The "`+name+`" instance does not exist`)
	case !x.admin && !e.opens(key, x.of):
		return unauthorized()
	}
	x.of.look(e.clock(), e.options.QRAfter)
	return handle(e, x)
}

// exists tells whether the server has an instance of this name in one of its places.
func (e *Evolution) exists(name string) bool {
	found := e.instances[name]
	return found != nil && (found.loaded || found.stored)
}

// opens tells whether a key is an instance's token, which is in the database alone.
func (e *Evolution) opens(key string, of *evolutionInstance) bool {
	return key != "" && !e.databaseDown && of.stored && key == of.token
}

// create answers POST /instance/create.
func (e *Evolution) create(x *evolutionExchange) (int, any) {
	var input struct {
		InstanceName string `json:"instanceName"`
		Token        string `json:"token"`
		QRCode       bool   `json:"qrcode"`
		Integration  string `json:"integration"`
	}
	if err := x.lenient(&input); err != nil {
		return refuse(http.StatusBadRequest, err.Error())
	}
	found := e.instances[input.InstanceName]
	switch {
	case (found == nil || !found.loaded) && e.databaseDown:
		return refuse(http.StatusInternalServerError, databaseFailed)
	case e.exists(input.InstanceName):
		return refuse(http.StatusForbidden, `This name "`+input.InstanceName+`" is already in use.`)
	case !x.admin:
		return unauthorized()
	case input.InstanceName == "":
		return invalid(`The "instanceName" cannot be empty`)
	case input.Integration != "WHATSAPP-BAILEYS":
		return refuse(http.StatusBadRequest, "Invalid integration")
	}
	return http.StatusCreated, e.made(x, input.InstanceName, input.Token, input.QRCode)
}

// made makes an instance and describes it as the answer to its creation does.
func (e *Evolution) made(x *evolutionExchange, name, token string, qrCode bool) map[string]any {
	if token == "" {
		token = strings.ToUpper(newToken())
	}
	now := e.clock()
	made := &evolutionInstance{
		instance: instance{
			id: newToken(), name: name, token: token, created: now, state: Disconnected,
			open: make(map[string]bool), chats: make(map[string]bool),
		},
		address: "http://" + x.request.Host, loaded: true, stored: true,
	}
	e.instances[name] = made
	content := map[string]any{
		"instance": map[string]any{
			"instanceName": name, "instanceId": made.id, "integration": "WHATSAPP-BAILEYS", "status": "close",
		},
		"hash": token, "webhook": map[string]any{}, "settings": map[string]any{"groupsIgnore": false},
	}
	if e.options.V1 {
		content["hash"] = map[string]any{"apikey": token}
	}
	if qrCode {
		made.begin(now, "")
		made.look(now, e.options.QRAfter)
		content["qrcode"] = made.shownNow()
	}
	return content
}

// fetchInstances answers GET /instance/fetchInstances: an instance's own token shows that
// instance. One that is asked for by name must be in memory, and is shown from the database.
func (e *Evolution) fetchInstances(x *evolutionExchange, key string) (int, any) {
	name := x.request.URL.Query().Get("instanceName")
	found := e.instances[name]
	switch {
	case !x.admin && (e.databaseDown || !e.opensAny(key)):
		return unauthorized()
	case name != "" && (found == nil || !found.loaded):
		return refuse(http.StatusNotFound, `Instance "`+name+`" not found`)
	case e.databaseDown:
		return crash(databaseFailed)
	}
	views, now := []any{}, e.clock()
	for _, each := range e.instances {
		if each.stored && (name == "" || name == each.name) && (x.admin || key == each.token) {
			each.look(now, e.options.QRAfter)
			views = append(views, e.view(each))
		}
	}
	switch {
	case len(views) == 0 && !x.admin:
		return unauthorized()
	case e.options.V1 && name != "" && x.admin && len(views) == 1:
		return http.StatusOK, views[0]
	}
	return http.StatusOK, views
}

// opensAny tells whether a key is any instance's token.
func (e *Evolution) opensAny(key string) bool {
	for _, each := range e.instances {
		if e.opens(key, each) {
			return true
		}
	}
	return false
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
