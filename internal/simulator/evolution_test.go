package simulator_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"cartrecovery.dev/operator/internal/simulator"
)

// evolutionPost is what a webhook of the Evolution server was posted.
type evolutionPost struct {
	key      string
	Event    string         `json:"event"`
	Instance string         `json:"instance"`
	Sender   string         `json:"sender"`
	APIKey   string         `json:"apikey"`
	Data     map[string]any `json:"data"`
}

// evolutionBench is a served Evolution simulator with an instance and its webhook.
type evolutionBench struct {
	testing.TB
	sim   *simulator.Evolution
	url   string
	hook  string
	posts chan evolutionPost
}

// call makes a call with the global key.
func (b *evolutionBench) call(method, path, body string) (int, map[string]any) {
	b.Helper()
	return b.callAs("global", method, path, body)
}

func (b *evolutionBench) callAs(key, method, path, body string) (int, map[string]any) {
	b.Helper()
	request, err := http.NewRequestWithContext(b.Context(), method, b.url+path, strings.NewReader(body))
	if err != nil {
		b.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("apikey", key)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	var content map[string]any
	_ = json.NewDecoder(response.Body).Decode(&content)
	return response.StatusCode, content
}

// pairedEvolution runs a simulator with one connected instance, named shop, and a webhook.
func pairedEvolution(t testing.TB, options simulator.EvolutionOptions) *evolutionBench {
	t.Helper()
	options.APIKey, options.WebhookRetry = "global", time.Millisecond
	b := &evolutionBench{TB: t, sim: simulator.NewEvolution(options), posts: make(chan evolutionPost, 100)}
	server, err := simulator.Serve(b.sim)
	if err != nil {
		t.Fatal(err)
	}
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		posted := evolutionPost{key: r.Header.Get("X-Key")}
		if err := json.NewDecoder(r.Body).Decode(&posted); err != nil {
			t.Error(err)
		}
		b.posts <- posted
	}))
	b.url, b.hook = server.URL(), hook.URL
	t.Cleanup(func() {
		_ = server.Close()
		_ = b.sim.Close()
		hook.Close()
	})
	for _, call := range [][3]string{
		{"POST", "/instance/create", `{"instanceName":"shop","token":"own","integration":"WHATSAPP-BAILEYS"}`},
		{"GET", "/instance/connect/shop", ``},
		{"POST", "/webhook/set/shop", `{"webhook":{"enabled":true,"url":"` + hook.URL +
			`","headers":{"X-Key":"k"},"events":["MESSAGES_UPSERT","MESSAGES_UPDATE","MESSAGES_EDITED","CONNECTION_UPDATE"]}}`},
	} {
		if status, content := b.call(call[0], call[1], call[2]); status/100 != 2 {
			t.Fatalf("%s %s answers %d %v", call[0], call[1], status, content)
		}
	}
	if err := b.sim.Scan("shop", shopPhone); err != nil {
		t.Fatal(err)
	}
	return b
}

// next is the next post, which must be of that event.
func (b *evolutionBench) next(event string) evolutionPost {
	b.Helper()
	select {
	case posted := <-b.posts:
		if posted.Event != event || posted.key != "k" || posted.Instance != "shop" || posted.APIKey != "own" {
			b.Fatalf("posted %+v, want %s", posted, event)
		}
		return posted
	case <-time.After(10 * time.Second):
		b.Fatalf("no %s was posted", event)
	}
	return evolutionPost{}
}

func TestEvolutionIsStrict(t *testing.T) {
	b := pairedEvolution(t, simulator.EvolutionOptions{})
	for _, row := range []struct {
		key, method, path, body string
		status                  int
	}{
		{"global", "POST", "/instance/create", `{"instanceName":"shop","integration":"WHATSAPP-BAILEYS"}`, 403},
		{"global", "POST", "/instance/create", `{"instanceName":"","integration":"WHATSAPP-BAILEYS"}`, 400},
		{"global", "POST", "/instance/create", `{"instanceName":"other","integration":"NONE"}`, 400},
		{"own", "POST", "/instance/create", `{"instanceName":"other","integration":"WHATSAPP-BAILEYS"}`, 401},
		{"own", "GET", "/instance/fetchInstances", ``, 200},
		{"wrong", "GET", "/instance/fetchInstances", ``, 401},
		{"global", "GET", "/instance/fetchInstances?instanceName=none", ``, 404},
		{"wrong", "GET", "/instance/connectionState/shop", ``, 401},
		{"own", "GET", "/instance/connectionState/none", ``, 404},
		{"own", "GET", "/no/such/call", ``, 404},
		{"own", "POST", "/message/sendText/shop", `{"number":"` + customer + `"}`, 400},
		{"own", "POST", "/message/sendText/shop", `{"number":"` + customer + `","textMessage":{"text":"oi"}}`, 400},
		{"own", "POST", "/message/sendText/shop", `{"number":"` + customer + `","text":"oi"}`, 201},
		{"own", "POST", "/chat/whatsappNumbers/shop", `{"numbers":[]}`, 400},
		{"own", "POST", "/webhook/set/shop",
			`{"webhook":{"enabled":true,"url":"http://127.0.0.1:1","events":["NONE"]}}`, 400},
		{"own", "POST", "/webhook/set/shop", `{"webhook":{"enabled":true,"url":""}}`, 400},
	} {
		if status, content := b.callAs(row.key, row.method, row.path, row.body); status != row.status {
			t.Errorf("%s %s %s as %s: %d %v, want %d", row.method, row.path, row.body, row.key, status, content,
				row.status)
		}
	}
}

// TestEvolutionMessages is what the webhook is told of messages of every kind.
func TestEvolutionMessages(t *testing.T) {
	b := pairedEvolution(t, simulator.EvolutionOptions{})
	if opened := b.next("connection.update"); opened.Data["state"] != "open" ||
		opened.Sender != shopPhone+"@s.whatsapp.net" {
		t.Errorf("posted %+v", opened)
	}
	for _, row := range []struct {
		message simulator.Inbound
		event   string
		kind    string
		// alt is the field of the key with the number; "none" where there is none.
		alt string
	}{
		{simulator.Inbound{Text: "oi"}, "messages.upsert", "conversation", "remoteJid"},
		{simulator.Inbound{Text: "oi", FromMe: true}, "messages.upsert", "conversation", "remoteJid"},
		{simulator.Inbound{Text: "oi", Hidden: simulator.HiddenWithAlt}, "messages.upsert", "conversation",
			"remoteJidAlt"},
		{simulator.Inbound{Text: "oi", Hidden: simulator.HiddenWithSender}, "messages.upsert", "conversation",
			"senderPn"},
		{simulator.Inbound{Text: "oi", Hidden: simulator.HiddenEntirely}, "messages.upsert", "conversation", "none"},
		{simulator.Inbound{Text: "oi", Group: true}, "messages.upsert", "conversation", "participant"},
		{simulator.Inbound{Kind: simulator.KindAudio}, "messages.upsert", "audioMessage", "remoteJid"},
		{simulator.Inbound{Kind: simulator.KindImage}, "messages.upsert", "imageMessage", "remoteJid"},
		{simulator.Inbound{Kind: simulator.KindReaction, Text: "❤️", ReactsTo: "3EB0"}, "messages.upsert",
			"reactionMessage", "remoteJid"},
		{simulator.Inbound{Kind: simulator.KindListReply, Text: "Sim"}, "messages.upsert", "listResponseMessage",
			"remoteJid"},
		{simulator.Inbound{Text: "changed", Edits: "3EB0"}, "messages.edited", "", "remoteJid"},
	} {
		row.message.Phone = customer
		id, err := b.sim.Receive("shop", row.message)
		if err != nil {
			t.Fatal(err)
		}
		posted := b.next(row.event)
		key := posted.Data["key"].(map[string]any)
		if kind, _ := posted.Data["messageType"].(string); kind != row.kind {
			t.Errorf("%+v came as %s", row.message, kind)
		}
		if expected := id; row.message.Edits == "" && key["id"] != expected || key["fromMe"] != row.message.FromMe {
			t.Errorf("%+v came with key %v", row.message, key)
		}
		where := "none"
		for field, value := range key {
			if value == customer+"@s.whatsapp.net" {
				where = field
			}
		}
		if where != row.alt {
			t.Errorf("%+v has the number at %s", row.message, where)
		}
	}
}

func TestEvolutionReceipts(t *testing.T) {
	b := pairedEvolution(t, simulator.EvolutionOptions{ReadReceipts: true})
	b.next("connection.update")
	b.sim.KnownAs("5531988776655", "553188776655")
	status, content := b.call("POST", "/message/sendText/shop", `{"number":"5531988776655","text":"oi"}`)
	if status != 201 {
		t.Fatalf("%d %v", status, content)
	}
	id := b.sim.Sent()[0].MessageID
	for _, state := range []string{"DELIVERY_ACK", "READ"} {
		if data := b.next("messages.update").Data; data["keyId"] != id || data["status"] != state ||
			data["remoteJid"] != "553188776655@s.whatsapp.net" {
			t.Errorf("posted %v, want %s", data, state)
		}
	}
	if err := b.sim.Acknowledge("shop", id, simulator.Read); err != nil {
		t.Error(err)
	}
	b.next("messages.update")
	if err := b.sim.Acknowledge("shop", "none", simulator.Read); !errors.Is(err, simulator.ErrNoMessage) {
		t.Errorf("got %v", err)
	}
	b.sim.LoseWebhooks(1)
	if _, err := b.sim.Reply("shop", customer, "lost"); err != nil {
		t.Error(err)
	}
	if err := b.sim.Logout("shop"); err != nil {
		t.Fatal(err)
	}
	if closed := b.next("connection.update"); closed.Data["state"] != "close" || closed.Data["statusReason"] != 401.0 {
		t.Errorf("posted %+v", closed)
	}
	if _, err := b.sim.Reply("shop", customer, "oi"); !errors.Is(err, simulator.ErrNotConnected) {
		t.Errorf("got %v", err)
	}
}

// TestEvolutionEcho: what was sent comes back as if it had been written on the phone.
func TestEvolutionEcho(t *testing.T) {
	b := pairedEvolution(t, simulator.EvolutionOptions{EchoSent: true})
	b.next("connection.update")
	if status, content := b.call("POST", "/message/sendText/shop",
		`{"number":"`+customer+`","text":"oi"}`); status != 201 {
		t.Fatalf("%d %v", status, content)
	}
	key := b.next("messages.upsert").Data["key"].(map[string]any)
	if key["fromMe"] != true || key["id"] != b.sim.Sent()[0].MessageID {
		t.Errorf("posted %v", key)
	}
}

// TestUAZAPIReceipts: a message is delivered, then read, and told of by WhatsApp's id.
func TestUAZAPIReceipts(t *testing.T) {
	b := pairedUAZAPI(t, simulator.UAZAPIOptions{ReadReceipts: true})
	posts := make(chan map[string]any, 10)
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var posted map[string]any
		_ = json.NewDecoder(r.Body).Decode(&posted)
		posts <- posted
	}))
	defer hook.Close()
	b.ok("POST", "/webhook", `{"enabled":true,"url":"`+hook.URL+`","events":["messages_update"]}`)
	b.sim.KnownAs("5531988776655", "553188776655")
	b.ok("POST", "/send/text", `{"number":"5531988776655","text":"oi"}`)
	for _, kind := range []string{"Delivered", "Read"} {
		event := (<-posts)["event"].(map[string]any)
		if event["Type"] != kind || event["Chat"] != "553188776655@s.whatsapp.net" {
			t.Errorf("posted %v, want %s", event, kind)
		}
	}
	list := b.ok("POST", "/chat/check", `{"numbers":["5531988776655"]}`)["list"].([]any)
	if entry := list[0].(map[string]any); entry["jid"] != "553188776655@s.whatsapp.net" ||
		entry["query"] != "5531988776655" {
		t.Errorf("checked %v", entry)
	}
}
