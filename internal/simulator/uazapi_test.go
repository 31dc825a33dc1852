package simulator_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"image/png"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"

	"cartrecovery.dev/operator/internal/simulator"
)

const (
	adminToken = "admin-secret"
	shopPhone  = "5511900000001"
	customer   = "5511900000002"
)

// bench is a served simulator, and calls to it.
type bench struct {
	testing.TB
	sim   *simulator.UAZAPI
	clock *clocktesting.FakeClock
	url   string
	token string
}

// serveUAZAPI runs a simulator until the end of the test.
func serveUAZAPI(t testing.TB, options simulator.UAZAPIOptions) *bench {
	t.Helper()
	b := &bench{TB: t, clock: clocktesting.NewFakeClock(time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC))}
	options.AdminToken, options.Clock, options.WebhookRetry = adminToken, b.clock.Now, time.Millisecond
	b.sim = simulator.NewUAZAPI(options)
	server, err := simulator.Serve(b.sim)
	if err != nil {
		t.Fatal(err)
	}
	b.url = server.URL()
	t.Cleanup(func() {
		_ = server.Close()
		_ = b.sim.Close()
	})
	return b
}

// pairedUAZAPI runs a simulator with one connected instance, named shop.
func pairedUAZAPI(t testing.TB, options simulator.UAZAPIOptions) *bench {
	t.Helper()
	b := serveUAZAPI(t, options)
	b.create()
	b.ok("POST", "/instance/connect", `{}`)
	if err := b.sim.Scan("shop", shopPhone); err != nil {
		t.Fatal(err)
	}
	return b
}

// create makes an instance named shop and uses its token from now on.
func (b *bench) create() {
	b.Helper()
	status, answer := b.call("POST", "/instance/create", `{"name":"shop","adminField01":"a","adminField02":"b"}`,
		"admintoken", adminToken)
	b.token, _ = answer["token"].(string)
	if status != http.StatusOK || b.token == "" {
		b.Fatalf("create: %d %v", status, answer)
	}
}

// call makes a call; a header is a name and a value. An answer that is a list comes
// under "list".
func (b *bench) call(method, path, body string, header ...string) (int, map[string]any) {
	b.Helper()
	request, err := http.NewRequestWithContext(b.Context(), method, b.url+path, strings.NewReader(body))
	if err != nil {
		b.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	for at := 0; at+1 < len(header); at += 2 {
		request.Header.Set(header[at], header[at+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	data, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		b.Fatal(err)
	}
	if bytes.HasPrefix(data, []byte("[")) {
		data = slices.Concat([]byte(`{"list":`), data, []byte(`}`))
	}
	answer := map[string]any{}
	if err := json.Unmarshal(data, &answer); err != nil {
		b.Fatalf("%s %s: %d %s", method, path, response.StatusCode, data)
	}
	return response.StatusCode, answer
}

// ok makes a call with the instance's token that must be answered with 200.
func (b *bench) ok(method, path, body string) map[string]any {
	b.Helper()
	status, answer := b.call(method, path, body, "token", b.token)
	if status != http.StatusOK {
		b.Fatalf("%s %s: %d %v", method, path, status, answer)
	}
	return answer
}

// send sends a text to the customer, and returns the status and the answer.
func (b *bench) send(track string) (int, map[string]any) {
	b.Helper()
	return b.call("POST", "/send/text", `{"number":"`+customer+`","text":"oi","track_source":"s","track_id":"`+track+
		`"}`, "token", b.token)
}

// state is the instance as /instance/status describes it.
func (b *bench) state() (instance, session map[string]any) {
	b.Helper()
	answer := b.ok("GET", "/instance/status", "")
	return answer["instance"].(map[string]any), answer["status"].(map[string]any)
}

// receiver is a webhook's other end.
type receiver struct {
	*httptest.Server
	bodies chan map[string]any
	// status answers the posts.
	mu     sync.Mutex
	status []int
}

// receive starts a receiver and registers it with the bench's instance.
func (b *bench) receive(events string) *receiver {
	b.Helper()
	r := &receiver{bodies: make(chan map[string]any, 1000)}
	r.Server = httptest.NewServer(r)
	b.Cleanup(r.Close)
	b.ok("POST", "/webhook", `{"enabled":true,"url":"`+r.URL+`/hook","events":`+events+
		`,"excludeMessages":["wasSentByApi"]}`)
	return r
}

// ServeHTTP takes a post, with the next of r.status.
func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body := map[string]any{}
	_ = json.NewDecoder(request.Body).Decode(&body)
	r.mu.Lock()
	if len(r.status) > 0 {
		w.WriteHeader(r.status[0])
		r.status = r.status[1:]
	}
	r.mu.Unlock()
	r.bodies <- body
}

// answers sets the statuses of the next posts; after them it is 200.
func (r *receiver) answers(status ...int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status = status
}

// next is the next post.
func (r *receiver) next(t testing.TB) map[string]any {
	t.Helper()
	select {
	case body := <-r.bodies:
		return body
	case <-time.After(10 * time.Second):
		t.Fatal("no webhook came")
		return nil
	}
}

func TestUAZAPIIsStrict(t *testing.T) {
	b := pairedUAZAPI(t, simulator.UAZAPIOptions{})
	const text = `{"number":"5511900000002","text":"oi"}`
	table := []struct {
		name, method, path, body, header, token string
		status                                  int
	}{
		{"no token", "POST", "/send/text", text, "token", "", 401},
		{"wrong token", "POST", "/send/text", text, "token", "x", 401},
		{"admin token instead", "POST", "/send/text", text, "admintoken", adminToken, 401},
		{"token instead of admin", "GET", "/instance/all", "", "token", b.token, 401},
		{"wrong admin token", "POST", "/instance/create", `{"name":"x"}`, "admintoken", "x", 401},
		{"token before body", "POST", "/send/text", `junk`, "token", "x", 401},
		{"unknown path", "POST", "/message/text", text, "token", b.token, 405},
		{"unknown path before token", "GET", "/nothing", "", "token", "", 405},
		{"wrong method", "GET", "/send/text", "", "token", b.token, 405},
		{"slash too many", "POST", "/send/text/", text, "token", b.token, 405},
		{"no body", "POST", "/send/text", ``, "token", b.token, 400},
		{"no JSON", "POST", "/send/text", `number=1`, "token", b.token, 400},
		{"a list", "POST", "/send/text", `[]`, "token", b.token, 400},
		{"number as a number", "POST", "/send/text", `{"number":5511900000002,"text":"oi"}`, "token", b.token, 400},
		{"no text", "POST", "/send/text", `{"number":"5511900000002"}`, "token", b.token, 400},
		{"null text", "POST", "/send/text", `{"number":"5511900000002","text":null}`, "token", b.token, 400},
		{"unknown field", "POST", "/send/text", `{"number":"5511900000002","text":"oi","trackId":"x"}`, "token",
			b.token, 400},
		{"plus", "POST", "/send/text", `{"number":"+5511900000002","text":"oi"}`, "token", b.token, 400},
		{"negative delay", "POST", "/send/text", `{"number":"5511900000002","text":"oi","delay":-1}`, "token", b.token,
			400},
		{"goes on", "POST", "/send/text", text + `{}`, "token", b.token, 400},
		{"name missing", "POST", "/instance/create", `{}`, "admintoken", adminToken, 400},
		{"phone with letters", "POST", "/instance/connect", `{"phone":"+55 11"}`, "token", b.token, 400},
		{"limit as text", "POST", "/message/find", `{"limit":"1"}`, "token", b.token, 400},
		{"limit zero", "POST", "/message/find", `{"limit":0}`, "token", b.token, 400},
		{"unknown chat", "POST", "/message/find", `{"chatid":"5511900000009@s.whatsapp.net"}`, "token", b.token, 404},
		{"no numbers", "POST", "/chat/check", `{"numbers":[]}`, "token", b.token, 400},
		{"no url", "POST", "/webhook", `{"enabled":true}`, "token", b.token, 400},
		{"relative url", "POST", "/webhook", `{"url":"/x"}`, "token", b.token, 400},
		{"unknown event", "POST", "/webhook", `{"url":"http://x/","events":["message"]}`, "token", b.token, 400},
		{"unknown filter", "POST", "/webhook", `{"url":"http://x/","excludeMessages":["sentByApi"]}`, "token", b.token,
			400},
		{"advanced mode", "POST", "/webhook", `{"url":"http://x/","action":"add"}`, "token", b.token, 400},
		{"too large", "POST", "/send/text", strings.Repeat(" ", 1<<20+1), "token", b.token, 413},
	}
	for _, row := range table {
		status, answer := b.call(row.method, row.path, row.body, row.header, row.token)
		if status != row.status {
			t.Errorf("%s: %d %v, want %d", row.name, status, answer, row.status)
		}
		if _, routed := answer["code"]; routed != (row.status == 405) || (routed && answer["code"] != 405.0) {
			t.Errorf("%s: the error has the wrong shape: %v", row.name, answer)
		} else if said, _ := answer["error"].(string); !routed && said == "" {
			t.Errorf("%s: %v says nothing", row.name, answer)
		}
	}
	if status, _ := b.call("POST", "/send/text", text, "token", b.token, "Content-Type", "text/plain"); status != 400 {
		t.Errorf("text/plain: %d", status)
	}
	if sent := b.sim.Sent(); len(sent) != 0 {
		t.Errorf("sent %+v", sent)
	}
}

func TestUAZAPIPairing(t *testing.T) {
	b := serveUAZAPI(t, simulator.UAZAPIOptions{})
	b.create()
	if err := b.sim.Scan("shop", shopPhone); !errors.Is(err, simulator.ErrNotPairing) {
		t.Errorf("got %v", err)
	}
	if _, err := b.sim.QRCode("shop"); !errors.Is(err, simulator.ErrNotPairing) {
		t.Errorf("got %v", err)
	}
	if err := b.sim.Scan("other", shopPhone); !errors.Is(err, simulator.ErrNoInstance) {
		t.Errorf("got %v", err)
	}
	answer := b.ok("POST", "/instance/connect", "")
	first := answer["instance"].(map[string]any)["qrcode"].(string)
	data, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(first, "data:image/png;base64,"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := png.Decode(bytes.NewReader(data)); err != nil {
		t.Fatalf("the QR is no picture: %v", err)
	}
	if shown, err := b.sim.QRCode("shop"); err != nil || shown != first {
		t.Errorf("another QR is shown than was answered: %v", err)
	}
	b.clock.Step(30 * time.Second)
	if instance, _ := b.state(); instance["status"] != "connecting" || instance["qrcode"] == first ||
		instance["qrcode"] == "" {
		t.Error("the QR was not refreshed")
	}
	b.clock.Step(90 * time.Second)
	if instance, _ := b.state(); instance["status"] != "disconnected" || instance["qrcode"] != "" ||
		instance["lastDisconnectReason"] == "" {
		t.Errorf("the QR has not expired: %v", instance["status"])
	}
	code := b.ok("POST", "/instance/connect", `{"phone":"`+shopPhone+`"}`)["instance"].(map[string]any)
	if len(code["paircode"].(string)) != 9 || code["qrcode"] != "" {
		t.Errorf("got %v", code)
	}
	if err := b.sim.Scan("shop", customer); !errors.Is(err, simulator.ErrWrongPhone) {
		t.Errorf("got %v", err)
	}
	b.clock.Step(4 * time.Minute)
	if err := b.sim.Scan("shop", shopPhone); err != nil {
		t.Fatal(err)
	}
	instance, session := b.state()
	if instance["status"] != "connected" || instance["owner"] != shopPhone || instance["paircode"] != "" ||
		session["connected"] != true {
		t.Errorf("got %v %v", instance, session)
	}
	if jid := session["jid"].(map[string]any); jid["user"] != shopPhone {
		t.Errorf("got %v", jid)
	}
	if again := b.ok("POST", "/instance/connect", `{}`); again["connected"] != true {
		t.Errorf("connecting again: %v", again)
	}
	b.ok("POST", "/instance/disconnect", "")
	b.ok("POST", "/instance/connect", `{"phone":"`+shopPhone+`"}`)
	b.clock.Step(5 * time.Minute)
	if instance, session := b.state(); instance["status"] != "disconnected" || session["jid"] != nil {
		t.Error("the pair code has not expired")
	}
}

func TestUAZAPIInstances(t *testing.T) {
	b := serveUAZAPI(t, simulator.UAZAPIOptions{})
	b.create()
	older := b.token
	b.create()
	_, answer := b.call("GET", "/instance/all", "", "admintoken", adminToken)
	if list := answer["list"].([]any); len(list) != 2 || list[0].(map[string]any)["token"] != older ||
		list[1].(map[string]any)["adminField02"] != "b" {
		t.Errorf("got %v", answer)
	}
	b.ok("POST", "/instance/connect", `{}`)
	if err := b.sim.Scan("shop", shopPhone); err != nil {
		t.Fatal(err)
	}
	b.ok("POST", "/webhook", `{"enabled":true,"url":"http://127.0.0.1:1/x"}`)
	all := b.sim.Instances()
	if len(all) != 2 || all[0].State != simulator.Disconnected || all[1].State != simulator.Connected ||
		all[1].Phone != shopPhone ||
		all[1].WebhookURL != "http://127.0.0.1:1/x" || all[1].AdminField01 != "a" || all[1].Token != b.token {
		t.Errorf("got %+v", all)
	}
	if list := b.ok("GET", "/webhook", "")["list"].([]any); len(list) != 1 {
		t.Errorf("got %v", list)
	}
	b.ok("DELETE", "/instance", "")
	if status, _ := b.call("GET", "/instance/status", "", "token", b.token); status != http.StatusUnauthorized {
		t.Errorf("a deleted instance answers %d", status)
	}
	if all := b.sim.Instances(); len(all) != 1 || all[0].Token != older {
		t.Errorf("got %+v", all)
	}
	b.token = older
	if list := b.ok("GET", "/webhook", "")["list"].([]any); len(list) != 0 {
		t.Errorf("got %v", list)
	}
}

func TestUAZAPISending(t *testing.T) {
	b := pairedUAZAPI(t, simulator.UAZAPIOptions{})
	var observed []simulator.SentMessage
	b.sim.OnSent(func(message simulator.SentMessage) { observed = append(observed, message) })
	first := b.ok("POST", "/send/text",
		`{"number":"`+customer+`","text":"a {{name}} b {{","track_source":"s","track_id":"t"}`)
	b.clock.Step(time.Second)
	second := b.ok("POST", "/send/text",
		`{"number":"`+customer+`@s.whatsapp.net","text":"c","track_source":"s","track_id":"t","delay":1}`)
	b.sim.OnSent(nil)
	b.ok("POST", "/send/text", `{"number":"5511900000003","text":"d","track_source":"x","track_id":"t"}`)
	if first["id"] != shopPhone+":"+first["messageid"].(string) || first["chatid"] != customer+"@s.whatsapp.net" ||
		first["messageTimestamp"] != float64(b.clock.Now().Add(-time.Second).UnixMilli()) ||
		first["messageid"] == second["messageid"] {
		t.Errorf("got %v", first)
	}
	sent := b.sim.Sent()
	if len(sent) != 3 || sent[0].Text != "a  b {{" || sent[1].Number != customer || sent[2].MessageID == "" ||
		sent[0].Instance != "shop" {
		t.Errorf("got %+v", sent)
	}
	if !slices.Equal(observed, sent[:2]) {
		t.Errorf("observed %+v", observed)
	}
	for body, texts := range map[string][]string{
		`{"track_source":"s","track_id":"t"}`:           {"c", "a  b {{"},
		`{"track_id":"t","limit":1}`:                    {"d"},
		`{"track_id":"t","limit":1,"offset":1}`:         {"c"},
		`{"track_id":"t2"}`:                             {},
		`{"chatid":"5511900000003@s.whatsapp.net"}`:     {"d"},
		`{"id":"` + second["id"].(string) + `"}`:        {"c"},
		`{"id":"` + second["messageid"].(string) + `"}`: {"c"},
		`{}`: {"d", "c", "a  b {{"},
		`{"chatid":"` + customer + `@s.whatsapp.net","limit":1}`: {"c"},
	} {
		page := b.ok("POST", "/message/find", body)
		got := []string{}
		for _, each := range page["messages"].([]any) {
			got = append(got, each.(map[string]any)["text"].(string))
		}
		if !slices.Equal(got, texts) {
			t.Errorf("%s: got %q, want %q", body, got, texts)
		}
	}
	if page := b.ok("POST", "/message/find", `{"limit":2}`); page["hasMore"] != true || page["nextOffset"] != 2.0 {
		t.Errorf("got %v", page)
	}
}

func TestUAZAPIForgetsOldMessages(t *testing.T) {
	b := pairedUAZAPI(t, simulator.UAZAPIOptions{KeepSent: 5})
	for n := range 23 {
		b.send(fmt.Sprint("t-", n%20))
	}
	sent := b.sim.Sent()
	if len(sent) < 5 || len(sent) > 10 || sent[len(sent)-1].TrackID != "t-2" {
		t.Errorf("%d messages, %+v", len(sent), sent)
	}
	for track, want := range map[string]float64{"t-2": 1, "t-19": 1, "t-4": 0, "t-0": 1} {
		if page := b.ok("POST", "/message/find", `{"track_id":"`+track+`"}`); page["returnedMessages"] != want {
			t.Errorf("%s: got %v", track, page["returnedMessages"])
		}
	}
}

func TestUAZAPIRefusesToSend(t *testing.T) {
	b := serveUAZAPI(t, simulator.UAZAPIOptions{})
	b.create()
	if status, answer := b.send("t"); status != 500 || !strings.Contains(answer["error"].(string), "not connected") {
		t.Errorf("got %d %v", status, answer)
	}
	if status, _ := b.call("POST", "/chat/check", `{"numbers":["5511900000002"]}`, "token", b.token); status != 500 {
		t.Errorf("check answers %d", status)
	}
	if status, _ := b.call("GET", "/instance/wa_messages_limits", "", "token", b.token); status != 500 {
		t.Errorf("limits answer %d", status)
	}
	b.ok("POST", "/instance/connect", `{}`)
	if err := b.sim.Scan("shop", shopPhone); err != nil {
		t.Fatal(err)
	}
	b.receive(`["messages"]`)
	b.sim.WithoutWhatsApp("5511900000009")
	status, answer := b.call("POST", "/send/text", `{"number":"5511900000009","text":"oi"}`, "token", b.token)
	if status != 500 || !strings.Contains(answer["error"].(string), "is not on WhatsApp") {
		t.Errorf("got %d %v", status, answer)
	}
	list := b.ok("POST", "/chat/check", `{"numbers":["5511900000009","`+customer+`"]}`)["list"].([]any)
	if list[0].(map[string]any)["isInWhatsapp"] != false || list[1].(map[string]any)["isInWhatsapp"] != true {
		t.Errorf("got %v", list)
	}
	until := b.clock.Now().Add(time.Hour)
	if err := b.sim.Restrict("shop", until); err != nil {
		t.Fatal(err)
	}
	status, answer = b.send("t")
	lock, _ := answer["details"].(map[string]any)["reachout_timelock"].(map[string]any)
	if status != 500 || answer["provider_code"] != 463.0 || lock["until"] != until.Format(time.RFC3339) {
		t.Errorf("got %d %v", status, answer)
	}
	if limits := b.ok("GET", "/instance/wa_messages_limits", ""); limits["can_send_new_messages"] != false {
		t.Errorf("got %v", limits)
	}
	if _, err := b.sim.Reply("shop", customer, "oi"); err != nil {
		t.Fatal(err)
	}
	if status, answer := b.send("t"); status != 200 {
		t.Errorf("in an open conversation: %d %v", status, answer)
	}
	b.clock.Step(time.Hour)
	if limits := b.ok("GET", "/instance/wa_messages_limits", ""); limits["can_send_new_messages"] != true {
		t.Errorf("got %v", limits)
	}
	if err := b.sim.Logout("shop", ""); err != nil {
		t.Fatal(err)
	}
	if status, answer := b.send("t"); status != 503 || answer["error"] != true ||
		!strings.Contains(answer["message"].(string), "disconnected") {
		t.Errorf("got %d %v", status, answer)
	}
	if len(b.sim.Sent()) != 1 {
		t.Errorf("sent %+v", b.sim.Sent())
	}
	for _, err := range []error{b.sim.Restrict("x", until), b.sim.Logout("x", "")} {
		if !errors.Is(err, simulator.ErrNoInstance) {
			t.Errorf("got %v", err)
		}
	}
}

func TestUAZAPILegacySend(t *testing.T) {
	b := pairedUAZAPI(t, simulator.UAZAPIOptions{LegacySend: true})
	if answer := b.ok("POST", "/message/text", `{"instanceName":"shop","number":"`+customer+
		`","text":"oi"}`); answer["status"] != "success" {
		t.Errorf("got %v", answer)
	}
	for _, body := range []string{`{"instanceName":"x","number":"5511900000002","text":"oi"}`, `{"number":1}`, ``} {
		if status, _ := b.call("POST", "/message/text", body, "token", b.token); status != 400 {
			t.Errorf("%s: %d", body, status)
		}
	}
	_ = b.sim.Logout("shop", "")
	if status, _ := b.call("POST", "/message/text", `{"instanceName":"shop","number":"5511900000002","text":"oi"}`,
		"token", b.token); status != 503 {
		t.Errorf("got %d", status)
	}
	if sent := b.sim.Sent(); len(sent) != 1 {
		t.Errorf("got %+v", sent)
	}
}

func TestUAZAPIWebhooks(t *testing.T) {
	b := serveUAZAPI(t, simulator.UAZAPIOptions{})
	b.create()
	b.ok("POST", "/instance/connect", `{}`)
	r := b.receive(`["messages","connection"]`)
	if err := b.sim.Scan("shop", shopPhone); err != nil {
		t.Fatal(err)
	}
	body := r.next(t)
	if body["EventType"] != "connection" || body["instanceName"] != "shop" || body["token"] != b.token ||
		body["owner"] != shopPhone ||
		body["BaseUrl"] != b.url || body["instance"].(map[string]any)["status"] != "connected" {
		t.Errorf("got %v", body)
	}
	id, err := b.sim.Reply("shop", customer, "Oi, ainda quero")
	if err != nil {
		t.Fatal(err)
	}
	body = r.next(t)
	message := body["message"].(map[string]any)
	for name, want := range map[string]any{
		"messageid": id, "id": shopPhone + ":" + id, "chatid": customer + "@s.whatsapp.net",
		"sender_pn": customer + "@s.whatsapp.net", "fromMe": false, "wasSentByApi": false, "isGroup": false,
		"type": "text", "messageType": "Conversation", "edited": "", "text": "Oi, ainda quero",
		"content": "Oi, ainda quero", "messageTimestamp": float64(b.clock.Now().UnixMilli()),
	} {
		if message[name] != want {
			t.Errorf("%s is %v, want %v", name, message[name], want)
		}
	}
	sender := message["sender"].(string)
	if body["EventType"] != "messages" || !strings.HasSuffix(sender, "@lid") || strings.Contains(sender, customer) {
		t.Errorf("got %v", body)
	}
	if err := b.sim.ReplyWithID("shop", customer, "de novo", id); err != nil {
		t.Fatal(err)
	}
	if again := r.next(t)["message"].(map[string]any); again["messageid"] != id || again["sender"] != sender {
		t.Errorf("got %v", again)
	}
	if err := b.sim.Logout("shop", "401: banned"); err != nil {
		t.Fatal(err)
	}
	body = r.next(t)
	if instance := body["instance"].(map[string]any); body["type"] != "LoggedOut" ||
		instance["status"] != "disconnected" || instance["lastDisconnectReason"] != "401: banned" {
		t.Errorf("got %v", body)
	}
	if _, err := b.sim.Reply("shop", customer, "oi"); !errors.Is(err, simulator.ErrNotConnected) {
		t.Errorf("got %v", err)
	}
}

func TestUAZAPIKindsOfMessages(t *testing.T) {
	b := pairedUAZAPI(t, simulator.UAZAPIOptions{})
	r := b.receive(`["messages"]`)
	table := []struct {
		inbound simulator.Inbound
		want    map[string]any
	}{
		{simulator.Inbound{Phone: customer, Kind: simulator.KindAudio}, map[string]any{"type": "media",
			"mediaType": "ptt", "text": ""}},
		{simulator.Inbound{Phone: customer, Kind: simulator.KindImage}, map[string]any{"type": "media",
			"mediaType": "image", "text": ""}},
		{simulator.Inbound{Phone: customer, Kind: simulator.KindReaction, Text: "❤️"},
			map[string]any{"type": "reaction", "text": "❤️"}},
		{simulator.Inbound{Phone: customer, Kind: simulator.KindListReply, Text: "Sim"},
			map[string]any{"text": "", "vote": "Sim", "buttonOrListid": "sim"}},
		{simulator.Inbound{Phone: customer, Text: "x", Edits: "3EB0"}, map[string]any{"edited": "3EB0", "text": "x"}},
		{simulator.Inbound{Phone: customer, Text: "x", FromMe: true}, map[string]any{
			"fromMe": true, "wasSentByApi": false, "sender_pn": shopPhone + "@s.whatsapp.net",
			"chatid": customer + "@s.whatsapp.net",
		}},
		{simulator.Inbound{Phone: customer, Text: "x", Group: true}, map[string]any{"isGroup": true,
			"sender_pn": customer + "@s.whatsapp.net"}},
	}
	for _, row := range table {
		if _, err := b.sim.Receive("shop", row.inbound); err != nil {
			t.Fatalf("%+v: %v", row.inbound, err)
		}
		message := r.next(t)["message"].(map[string]any)
		for name, want := range row.want {
			if message[name] != want {
				t.Errorf("%+v: %s is %v, want %v", row.inbound, name, message[name], want)
			}
		}
		if strings.HasSuffix(message["chatid"].(string), "@g.us") != row.inbound.Group {
			t.Errorf("%+v: chat %v", row.inbound, message["chatid"])
		}
	}
	for _, invalid := range []simulator.Inbound{{Phone: "x", Text: "oi"}, {Phone: customer},
		{Phone: customer, Kind: simulator.KindReaction}} {
		if _, err := b.sim.Receive("shop", invalid); !errors.Is(err, simulator.ErrInvalidMessage) {
			t.Errorf("%+v: got %v", invalid, err)
		}
	}
	if _, err := b.sim.Reply("other", customer, "x"); !errors.Is(err, simulator.ErrNoInstance) {
		t.Errorf("got %v", err)
	}
}

func TestUAZAPIWebhookDelivery(t *testing.T) {
	b := pairedUAZAPI(t, simulator.UAZAPIOptions{})
	if _, err := b.sim.Reply("shop", customer, "x"); !errors.Is(err, simulator.ErrNoWebhook) {
		t.Errorf("without a webhook: %v", err)
	}
	r := b.receive(`["connection"]`)
	if _, err := b.sim.Reply("shop", customer, "x"); !errors.Is(err, simulator.ErrNoWebhook) {
		t.Errorf("without the event: %v", err)
	}
	b.ok("POST", "/webhook", `{"url":"`+r.URL+`","events":["messages"]}`)
	if _, err := b.sim.Reply("shop", customer, "x"); !errors.Is(err, simulator.ErrNoWebhook) {
		t.Errorf("not enabled: %v", err)
	}
	r = b.receive(`["messages"]`)
	r.answers(503, 500)
	if _, err := b.sim.Reply("shop", customer, "x"); err != nil {
		t.Errorf("the third attempt was answered: %v", err)
	}
	first := r.next(t)["message"].(map[string]any)["messageid"]
	for range 2 {
		if again := r.next(t)["message"].(map[string]any)["messageid"]; again != first {
			t.Errorf("repeated as %v, not %v", again, first)
		}
	}
	r.answers(401, 401, 401)
	var failed *simulator.WebhookError
	if _, err := b.sim.Reply("shop", customer, "x"); !errors.As(err, &failed) || failed.Status != 401 ||
		failed.Attempts != 3 {
		t.Errorf("got %v", err)
	}
	for range 3 {
		r.next(t)
	}
	b.sim.LoseWebhooks(2)
	for n := range 3 {
		if _, err := b.sim.Reply("shop", customer, fmt.Sprint("lost ", n)); err != nil {
			t.Error(err)
		}
	}
	if text := r.next(t)["message"].(map[string]any)["text"]; text != "lost 2" {
		t.Errorf("got %v", text)
	}
	r.Close()
	if _, err := b.sim.Reply("shop", customer, "x"); !errors.As(err, &failed) || failed.Status != 0 ||
		strings.Contains(err.Error(), "/hook") {
		t.Errorf("got %v", err)
	}
}

func TestUAZAPIAnnouncesWhatWasSent(t *testing.T) {
	b := pairedUAZAPI(t, simulator.UAZAPIOptions{Receipts: true})
	r := b.receive(`["messages","messages_update"]`)
	_, sent := b.send("t")
	body := r.next(t)
	event := body["event"].(map[string]any)
	if body["EventType"] != "messages_update" || event["Type"] != "Delivered" ||
		event["Chat"] != customer+"@s.whatsapp.net" ||
		event["MessageIDs"].([]any)[0] != sent["messageid"] || event["Timestamp"] != fmt.Sprint(b.clock.Now().Unix()) {
		t.Errorf("got %v", body)
	}
	b.ok("POST", "/webhook", `{"enabled":true,"url":"`+r.URL+`/x","events":["messages"],"addUrlEvents":true}`)
	b.send("t")
	if message := r.next(t)["message"].(map[string]any); message["fromMe"] != true || message["wasSentByApi"] != true ||
		message["track_id"] != "t" {
		t.Errorf("without excludeMessages the echo is missing: %v", message)
	}
	if err := b.sim.Close(); err != nil {
		t.Fatal(err)
	}
	b.send("t")
	if dropped := b.sim.DroppedWebhooks(); dropped != 1 {
		t.Errorf("%d dropped after Close", dropped)
	}
}

func TestUAZAPIFaults(t *testing.T) {
	b := pairedUAZAPI(t, simulator.UAZAPIOptions{})
	b.sim.Fail(simulator.Fault{Path: "/send/text", Times: 2, Status: 429, Body: `{"error":"x"}`,
		Header: http.Header{"retry-after": {"7"}}})
	for range 2 {
		if status, answer := b.send("t"); status != 429 || answer["error"] != "x" {
			t.Errorf("got %d %v", status, answer)
		}
	}
	b.ok("GET", "/instance/status", "")
	if status, _ := b.send("t"); status != 200 {
		t.Errorf("after its times: %d", status)
	}
	b.sim.Fail(simulator.Fault{Times: -1, Status: 500, Body: `{}`})
	for range 5 {
		if status, _ := b.send("t"); status != 500 {
			t.Errorf("for ever: %d", status)
		}
	}
	b.sim.ClearFaults()
	b.sim.Fail(simulator.Fault{Delay: time.Millisecond})
	if status, _ := b.send("t"); status != 200 {
		t.Errorf("delayed: %d", status)
	}
	b.sim.Fail(simulator.Fault{Path: "/send/text", AfterAccept: true, Status: 502, Body: `{}`})
	if status, _ := b.send("t"); status != 502 {
		t.Errorf("accepted: %d", status)
	}
	b.sim.Fail(simulator.Fault{Path: "/send/text", AfterAccept: true, Status: 502, Body: `{}`})
	if status, _ := b.call("POST", "/send/text", `{}`, "token", b.token); status != 400 {
		t.Errorf("not accepted: %d", status)
	}
	if sent := len(b.sim.Sent()); sent != 3 {
		t.Errorf("%d sent", sent)
	}
}

// TestUAZAPIHeldCalls: what a fault holds ends with the client, with the channel, or
// with the server.
func TestUAZAPIHeldCalls(t *testing.T) {
	b := pairedUAZAPI(t, simulator.UAZAPIOptions{})
	post := func(ctx context.Context) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, b.url+"/send/text",
			strings.NewReader(`{"number":"`+customer+`","text":"oi"}`))
		if err != nil {
			return err
		}
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("token", b.token)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		return response.Body.Close()
	}
	b.sim.Fail(simulator.Fault{Path: "/send/text", Delay: time.Hour})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := post(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	accepted := make(chan struct{})
	b.sim.OnSent(func(simulator.SentMessage) { close(accepted) })
	release, ended := make(chan struct{}), make(chan error, 1)
	b.sim.Fail(simulator.Fault{Path: "/send/text", AfterAccept: true, HoldUntil: release})
	go func() { ended <- post(t.Context()) }()
	<-accepted
	select {
	case err := <-ended:
		t.Fatalf("not held: %v", err)
	default:
	}
	close(release)
	if err := <-ended; err == nil {
		t.Error("answered, though it should break")
	}
	b.sim.OnSent(nil)
	if sent := len(b.sim.Sent()); sent != 1 {
		t.Errorf("%d sent", sent)
	}
}

func TestServerOutage(t *testing.T) {
	sim := simulator.NewUAZAPI(simulator.UAZAPIOptions{AdminToken: adminToken})
	server, err := simulator.Serve(sim)
	if err != nil {
		t.Fatal(err)
	}
	held := make(chan error, 1)
	entered := make(chan struct{})
	outer, err := simulator.Serve(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(entered)
		<-r.Context().Done()
	}))
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		response, err := http.Get(outer.URL())
		if err == nil {
			_ = response.Body.Close()
		}
		held <- err
	}()
	<-entered
	if err := outer.Close(); err != nil {
		t.Error(err)
	}
	if err := <-held; err == nil {
		t.Error("a held call was answered")
	}
	if err := server.Close(); err != nil {
		t.Error(err)
	}
	if err := server.Close(); err != nil {
		t.Errorf("closing twice: %v", err)
	}
	if response, err := http.Get(server.URL()); err == nil {
		_ = response.Body.Close()
		t.Error("closed, but answers")
	}
	again, err := simulator.ServeAt(strings.TrimPrefix(server.URL(), "http://"), sim)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = again.Close() }()
	response, err := http.Get(again.URL())
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if _, err := simulator.ServeAt(strings.TrimPrefix(again.URL(), "http://"), sim); err == nil {
		t.Error("one address, served twice")
	}
}

func TestUAZAPIConcurrently(t *testing.T) {
	b := pairedUAZAPI(t, simulator.UAZAPIOptions{Receipts: true})
	r := b.receive(`["messages","messages_update","connection"]`)
	const senders, each = 8, 25
	var group sync.WaitGroup
	for n := range senders {
		group.Go(func() {
			for m := range each {
				if status, answer := b.send(fmt.Sprint(n, "-", m)); status != 200 {
					t.Errorf("got %d %v", status, answer)
				}
				b.sim.Instances()
				b.sim.Sent()
				if _, err := b.sim.Reply("shop", customer, "oi"); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	ids := map[string]bool{}
	for _, message := range b.sim.Sent() {
		ids[message.MessageID] = true
	}
	if len(ids) != senders*each {
		t.Errorf("%d ids", len(ids))
	}
	for range 2 * senders * each {
		r.next(t)
	}
}
