// Package simulator stands in for the services that the operator calls, in the
// process that uses it, over real HTTP and as strict as the real ones: for tests,
// demonstrations and benchmarks. Each simulator has the failures the operator must
// live with, to be switched on by its methods.
package simulator

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"time"
)

const (
	// maxBody bounds a request in bytes.
	maxBody = 1 << 20
	// defaultKeep is how many sent messages are remembered by default.
	defaultKeep = 100_000
)

// UAZAPIOptions configures a simulated server; the zero value will do, except that
// nothing is authorised without an AdminToken.
type UAZAPIOptions struct {
	// AdminToken is what the admintoken header must hold.
	AdminToken string
	// Clock tells the time; time.Now when nil. Pair codes and QRs expire by it.
	Clock func() time.Time
	// Client posts webhooks; one with a time-out of 10 s when nil.
	Client *http.Client
	// LegacySend adds POST /message/text, the old backend's send call.
	LegacySend bool
	// Receipts posts a Delivered receipt for each sent message, if the instance's
	// webhook wants messages_update.
	Receipts bool
	// ReadReceipts has each sent message read right after it was delivered, and implies
	// Receipts.
	ReadReceipts bool
	// KeepSent is how many sent messages are remembered; 100,000 when 0.
	KeepSent int
	// WebhookRetry is the pause between two attempts to post a webhook; 200 ms when 0.
	WebhookRetry time.Duration
}

// UAZAPI is a simulated server: an http.Handler, to be run by Serve or ServeAt, and
// the controls of what happens on its phones. All methods may be called at any time
// from any goroutine.
type UAZAPI struct {
	phones
	options UAZAPIOptions
	routes  map[string]map[string]route

	instances []*instance
	byToken   map[string]*instance
}

// route is one call the server knows.
type route struct {
	// admin: authorised by the account's token instead of an instance's.
	admin  bool
	handle func(*UAZAPI, *exchange) (int, any)
}

// exchange is one authorised request.
type exchange struct {
	request *http.Request
	body    []byte
	// instance is whose token came; nil for an admin call.
	instance *instance
}

// failed is the body of the server's errors.
type failed struct {
	Error string `json:"error"`
}

// unrouted is the body of the router's errors.
type unrouted struct {
	Code    int      `json:"code"`
	Message string   `json:"message"`
	Data    struct{} `json:"data"`
}

// NewUAZAPI returns a server without instances. Close ends what it does on its own.
func NewUAZAPI(options UAZAPIOptions) *UAZAPI {
	u := &UAZAPI{options: options, routes: routes(options.LegacySend), byToken: make(map[string]*instance)}
	u.setUp(options.Clock, options.Client, options.WebhookRetry, options.KeepSent)
	return u
}

// routes are the calls of UAZAPI v2 that the operator makes or may come to make.
func routes(legacy bool) map[string]map[string]route {
	known := map[string]map[string]route{
		"/instance/create":             {http.MethodPost: {admin: true, handle: (*UAZAPI).create}},
		"/instance/init":               {http.MethodPost: {admin: true, handle: (*UAZAPI).create}},
		"/instance/all":                {http.MethodGet: {admin: true, handle: (*UAZAPI).all}},
		"/instance/connect":            {http.MethodPost: {handle: (*UAZAPI).connect}},
		"/instance/status":             {http.MethodGet: {handle: (*UAZAPI).status}},
		"/instance/disconnect":         {http.MethodPost: {handle: (*UAZAPI).disconnect}},
		"/instance":                    {http.MethodDelete: {handle: (*UAZAPI).remove}},
		"/instance/wa_messages_limits": {http.MethodGet: {handle: (*UAZAPI).limits}},
		"/send/text":                   {http.MethodPost: {handle: (*UAZAPI).sendText}},
		"/message/find":                {http.MethodPost: {handle: (*UAZAPI).find}},
		"/chat/check":                  {http.MethodPost: {handle: (*UAZAPI).check}},
		"/webhook": {
			http.MethodPost: {handle: (*UAZAPI).setWebhook},
			http.MethodGet:  {handle: (*UAZAPI).getWebhook},
		},
	}
	if legacy {
		known["/message/text"] = map[string]route{http.MethodPost: {handle: (*UAZAPI).sendLegacy}}
	}
	return known
}

// ServeHTTP answers one call, or fails it as a Fault says.
func (u *UAZAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	serve(w, r, &u.faults, failed{"Payload too large"}, u.handle)
}

// serve answers one call by handle, or fails it as one of the faults says.
func serve(w http.ResponseWriter, r *http.Request, faults *faultList, tooLarge any,
	handle func(*http.Request, []byte) (int, any)) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		answer(w, http.StatusRequestEntityTooLarge, tooLarge)
		return
	}
	fault, faulty := faults.take(r.URL.Path)
	if faulty && !fault.AfterAccept {
		if !fault.pass(w, r) {
			return
		}
	}
	status, content := handle(r, body)
	if faulty && fault.AfterAccept && status/100 == 2 {
		fault.Drop = fault.Status == 0
		fault.pass(w, r)
		return
	}
	answer(w, status, content)
}

// handle routes and authorises a call as the real server does, in that order.
func (u *UAZAPI) handle(r *http.Request, body []byte) (int, any) {
	found, known := u.routes[r.URL.Path][r.Method]
	if !known {
		return http.StatusMethodNotAllowed, unrouted{Code: http.StatusMethodNotAllowed, Message: "Method Not Allowed"}
	}
	x := &exchange{request: r, body: body}
	if found.admin {
		if token := r.Header.Get("admintoken"); token == "" || token != u.options.AdminToken {
			return http.StatusUnauthorized, failed{"Unauthorized"}
		}
		return found.handle(u, x)
	}
	token := r.Header.Get("token")
	if token == "" {
		return http.StatusUnauthorized, failed{"missing token"}
	}
	u.mu.Lock()
	x.instance = u.byToken[token]
	u.mu.Unlock()
	if x.instance == nil {
		return http.StatusUnauthorized, failed{"Invalid token"}
	}
	return found.handle(u, x)
}

// decode reads the body into target: JSON of that shape and nothing else. An empty
// body is {} where the call allows none.
func (x *exchange) decode(target any, optional bool) error {
	if len(x.body) == 0 && optional {
		return nil
	}
	media, _, err := mime.ParseMediaType(x.request.Header.Get("Content-Type"))
	if err != nil || media != "application/json" {
		return errors.New("the body is not declared as JSON")
	}
	decoder := json.NewDecoder(bytes.NewReader(x.body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(target); err != nil {
		return fmt.Errorf("the body does not fit: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("the body goes on after its end")
	}
	return nil
}

// answer writes content as JSON.
func answer(w http.ResponseWriter, status int, content any) {
	encoded, err := json.Marshal(content)
	if err != nil {
		status, encoded = http.StatusInternalServerError, []byte(`{"error":"Internal server error"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(encoded)
}

// hexUpper is data in capital hexadecimal digits.
func hexUpper(data []byte) string {
	const digits = "0123456789ABCDEF"
	out := make([]byte, 0, 2*len(data))
	for _, b := range data {
		out = append(out, digits[b>>4], digits[b&0xF])
	}
	return string(out)
}

// random returns n random bytes.
func random(n int) []byte {
	data := make([]byte, n)
	_, _ = rand.Read(data)
	return data
}

// newToken returns a token of the form of the real ones, a random UUID.
func newToken() string {
	data := random(16)
	data[6], data[8] = data[6]&0x0F|0x40, data[8]&0x3F|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", data[:4], data[4:6], data[6:8], data[8:10], data[10:])
}

// wait holds until the time has passed or done is closed, whichever comes first, and
// tells whether ctx is still alive. Each may be absent (0, nil); with both, the time
// comes first.
func wait(ctx context.Context, pause time.Duration, until <-chan struct{}) bool {
	if pause > 0 {
		timer := time.NewTimer(pause)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return false
		}
	}
	if until != nil {
		select {
		case <-until:
		case <-ctx.Done():
			return false
		}
	}
	return ctx.Err() == nil
}
