package simulator_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"

	"cartrecovery.dev/operator/internal/simulator"
)

// said is what an error of the server says, as text.
func said(content map[string]any) string {
	response, _ := content["response"].(map[string]any)
	switch message := response["message"].(type) {
	case string:
		return message
	case []any:
		var all []string
		for _, each := range message {
			switch each := each.(type) {
			case string:
				all = append(all, each)
			case []any:
				for _, one := range each {
					text, _ := one.(string)
					all = append(all, text)
				}
			}
		}
		return strings.Join(all, "; ")
	}
	return ""
}

// expect makes a call with the global key and checks its answer.
func (b *evolutionBench) expect(method, path, body string, status int, text string) map[string]any {
	b.Helper()
	return b.expectAs("global", method, path, body, status, text)
}

func (b *evolutionBench) expectAs(key, method, path, body string, status int, text string) map[string]any {
	b.Helper()
	got, content := b.callAs(key, method, path, body)
	if got != status || !strings.Contains(said(content), text) {
		b.Errorf("%s %s as %s answers %d %v, want %d %q", method, path, key, got, content, status, text)
	}
	return content
}

const (
	sendBody   = `{"number":"` + customer + `","text":"oi","surplus":1}`
	numberBody = `{"numbers":["` + customer + `"]}`
	createShop = `{"instanceName":"shop","integration":"WHATSAPP-BAILEYS"}`
	fetchShop  = "/instance/fetchInstances?instanceName=shop"
)

func TestEvolutionErrorsByShape(t *testing.T) {
	b := pairedEvolution(t, simulator.EvolutionOptions{})
	_, content := b.callAs("wrong", "GET", "/instance/connectionState/shop", "")
	if text, is := content["response"].(map[string]any)["message"].(string); !is || text != "Unauthorized" {
		t.Errorf("an unknown key is answered %v", content)
	}
	b.expect("POST", "/message/sendText/shop", `{}`, 400,
		`instance requires property "number"; instance requires property "text"`)
	b.expect("POST", "/message/sendText/shop", `{"number":"`+customer+`","text":" "}`, 400, "Text is required")
	b.expect("POST", "/message/sendText/shop", sendBody, 201, "")
	b.expect("POST", "/webhook/set/shop", `{"webhook":{"url":"x"}}`, 400, `webhook requires property "enabled"`)
	b.expect("POST", "/webhook/set/shop", `{"webhook":{"enabled":true,"url":"x"}}`, 500, "reading 'length'")
	b.expect("POST", "/webhook/set/shop", `{"webhook":{"enabled":true,"url":"no URL","events":["CALL"]}}`, 201, "")
	kept := b.expect("POST", "/webhook/set/shop", `{"webhook":{"enabled":true,"url":"x","events":[]}}`, 201, "")
	if events, _ := kept["events"].([]any); len(events) < 20 {
		t.Errorf("no events are %d events", len(events))
	}
	if headers, _ := kept["headers"].(map[string]any); headers["X-Key"] != "k" {
		t.Errorf("headers that were left out became %v", headers)
	}
	status, content := b.call("POST", "/chat/whatsappNumbers/shop", `{}`)
	if status != 400 || content["message"] == nil || content["response"] != nil {
		t.Errorf("no numbers are answered %d %v", status, content)
	}
}

func TestEvolutionNumbers(t *testing.T) {
	b := pairedEvolution(t, simulator.EvolutionOptions{})
	for asked, known := range map[string]string{
		"5531988776655": "553188776655", "5511988776655": "5511988776655", "5531968776655": "5531968776655",
		"5214421234567": "524421234567", "5491123456789": "541123456789", "351912345678": "351912345678",
	} {
		content := b.expect("POST", "/message/sendText/shop", `{"number":"`+asked+`","text":"oi"}`, 201, "")
		if chat := content["key"].(map[string]any)["remoteJid"]; chat != known+"@s.whatsapp.net" {
			t.Errorf("%s is written to at %v", asked, chat)
		}
	}
}

// TestEvolutionRestart is a server that answers before it has loaded its instances.
func TestEvolutionRestart(t *testing.T) {
	b := pairedEvolution(t, simulator.EvolutionOptions{})
	b.sim.Restart()
	b.expect("GET", fetchShop, "", 404, "not found")
	b.expect("POST", "/instance/create", createShop, 403, "already in use")
	about := b.expect("GET", "/instance/connectionState/shop", "", 200, "")["instance"].(map[string]any)
	if _, has := about["state"]; has || about["instanceName"] != "shop" {
		t.Errorf("the state is %v", about)
	}
	b.expectAs("own", "POST", "/message/sendText/shop", sendBody, 500, "reading 'textMessage'")
	if status, content := b.call("POST", "/chat/whatsappNumbers/shop", numberBody); status != 400 || len(content) != 0 {
		t.Errorf("a number is answered %d %v", status, content)
	}
	b.expect("POST", "/webhook/set/shop", `{"webhook":{"enabled":true,"url":"x","events":[]}}`, 500,
		"reading 'instanceId'")
	b.expect("DELETE", "/instance/logout/shop", "", 200, "")
	if connected := b.expect("GET", "/instance/connect/shop", "", 200, ""); connected["error"] != true {
		t.Errorf("connect answers %v", connected)
	}
	b.sim.FinishLoading()
	if state := b.sim.Instances()[0].State; state != simulator.Connecting {
		t.Errorf("it is %s", state)
	}
	if shown := b.expect("GET", "/instance/connect/shop", "", 200, ""); len(shown) != 1 || shown["count"] != 0.0 {
		t.Errorf("a paired instance that reconnects shows %v", shown)
	}
	if err := b.sim.Reconnect("shop"); err != nil {
		t.Fatal(err)
	}
	b.expectAs("own", "POST", "/message/sendText/shop", sendBody, 201, "")
}

func TestEvolutionDatabaseDown(t *testing.T) {
	b := pairedEvolution(t, simulator.EvolutionOptions{})
	b.next("connection.update")
	b.sim.Database(false)
	b.expectAs("own", "GET", "/instance/connectionState/shop", "", 401, "Unauthorized")
	b.expectAs("own", "POST", "/message/sendText/shop", sendBody, 401, "Unauthorized")
	b.expect("GET", "/instance/connectionState/shop", "", 200, "")
	b.expect("GET", fetchShop, "", 500, "Prisma")
	b.expect("POST", "/instance/create", strings.Replace(createShop, "shop", "other", 1), 500, "Prisma")
	if _, err := b.sim.Reply("shop", customer, "lost"); err != nil {
		t.Error(err)
	}
	if err := b.sim.Logout("shop"); err != nil {
		t.Error(err)
	}
	b.sim.Database(true)
	b.expectAs("own", "GET", "/instance/connectionState/shop", "", 200, "")
	b.silent()
}

// silent checks that nothing more was posted.
func (b *evolutionBench) silent() {
	b.Helper()
	select {
	case posted := <-b.posts:
		b.Errorf("posted %+v", posted)
	default:
	}
}

func TestEvolutionDeletes(t *testing.T) {
	t.Run("slowly", func(t *testing.T) {
		b := pairedEvolution(t, simulator.EvolutionOptions{})
		b.sim.SlowDeletes()
		b.expectAs("own", "DELETE", "/instance/delete/shop", "", 200, "")
		b.expect("GET", fetchShop, "", 404, "not found")
		b.expect("POST", "/instance/create", createShop, 403, "already in use")
		b.sim.FinishDeletes()
		b.expect("POST", "/instance/create", createShop, 201, "")
	})
	t.Run("while it is loading", func(t *testing.T) {
		b := pairedEvolution(t, simulator.EvolutionOptions{})
		b.sim.Restart()
		b.expectAs("own", "DELETE", "/instance/delete/shop", "", 200, "")
		b.sim.FinishLoading()
		b.expect("GET", fetchShop, "", 200, "")
		b.expect("POST", "/instance/create", createShop, 403, "already in use")
		b.expectAs("own", "DELETE", "/instance/delete/shop", "", 401, "Unauthorized")
		b.expect("DELETE", "/instance/delete/shop", "", 200, "")
		b.expect("GET", fetchShop, "", 404, "not found")
		b.expect("POST", "/instance/create", createShop, 201, "")
	})
}

// TestEvolutionLogout: what the API has logged out hears nothing any more, not even when it is
// paired again, and shows the QR from before at first.
func TestEvolutionLogout(t *testing.T) {
	b := pairedEvolution(t, simulator.EvolutionOptions{})
	b.next("connection.update")
	before := b.expect("GET", "/instance/connectionState/shop", "", 200, "")
	b.expectAs("own", "DELETE", "/instance/logout/shop", "", 200, "")
	b.next("connection.update")
	b.expectAs("own", "DELETE", "/instance/logout/shop", "", 400, "is not connected")
	first := b.expectAs("own", "GET", "/instance/connect/shop", "", 200, "")
	second := b.expectAs("own", "GET", "/instance/connect/shop", "", 200, "")
	if first["count"] != 1.0 || first["base64"] == nil || second["count"] != 2.0 ||
		second["base64"] == first["base64"] {
		t.Errorf("it shows %v, then %v", first["count"], second["count"])
	}
	if err := b.sim.Scan("shop", shopPhone); err != nil {
		t.Fatal(err)
	}
	b.next("connection.update")
	if _, err := b.sim.Reply("shop", customer, "does anybody hear me?"); err != nil {
		t.Fatal(err)
	}
	b.silent()
	if after := b.expect("GET", "/instance/connectionState/shop", "", 200,
		""); after["instance"].(map[string]any)["state"] != "open" {
		t.Errorf("it was %v and is %v", before, after)
	}
}

// TestEvolutionFirstQR: the call that begins a pairing has no QR, nor has one for which WhatsApp
// takes its time; before there was a client numbers cannot be looked up.
func TestEvolutionFirstQR(t *testing.T) {
	clock := clocktesting.NewFakeClock(time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC))
	b := pairedEvolution(t, simulator.EvolutionOptions{})
	sim := simulator.NewEvolution(simulator.EvolutionOptions{APIKey: "global", QRAfter: 10 * time.Second,
		Clock: clock.Now})
	server, err := simulator.Serve(sim)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = server.Close(), sim.Close() })
	b.url = server.URL()
	b.expect("POST", "/instance/create", createShop, 201, "")
	b.expect("POST", "/message/sendText/shop", sendBody, 500, "reading 'onWhatsApp'")
	count := func() float64 {
		t.Helper()
		return b.expect("GET", "/instance/connect/shop", "", 200, "")["count"].(float64)
	}
	for _, step := range []struct {
		after time.Duration
		want  float64
	}{{0, 0}, {0, 0}, {9 * time.Second, 0}, {time.Second, 1}, {time.Second, 1}, {20 * time.Second, 2}} {
		clock.Step(step.after)
		if got := count(); got != step.want {
			t.Errorf("after %s more: %v pictures, want %v", step.after, got, step.want)
		}
	}
	clock.Step(10 * time.Minute)
	if got := count(); got != 0 {
		t.Errorf("a new pairing shows picture %v of one that has ended", got)
	}
	if err := sim.WithholdQR("shop", true); err != nil {
		t.Fatal(err)
	}
	clock.Step(time.Minute)
	if got := count(); got != 0 {
		t.Errorf("%v pictures where WhatsApp sends none", got)
	}
}

// TestEvolutionEvents: what is told of an instance that is sent from, logged out and deleted;
// before a phone is paired without a sender.
func TestEvolutionEvents(t *testing.T) {
	b := pairedEvolution(t, simulator.EvolutionOptions{HideTokens: true})
	if posted := <-b.posts; posted.APIKey != "" || posted.Event != "connection.update" {
		t.Errorf("posted %+v", posted)
	}
	if listed := b.sim.Instances(); listed[0].Token != "own" {
		t.Errorf("listed %+v", listed)
	}
	b.expect("POST", "/webhook/set/shop", `{"webhook":{"enabled":true,"url":"`+b.hook+`","events":[]}}`, 201, "")
	b.expect("POST", "/message/sendText/shop", sendBody, 201, "")
	b.event("send.message")
	if err := b.sim.Logout("shop"); err != nil {
		t.Fatal(err)
	}
	for _, event := range []string{"status.instance", "logout.instance", "connection.update"} {
		b.event(event)
	}
	b.expect("DELETE", "/instance/delete/shop", "", 200, "")
	if told := b.event("instance.delete"); told.Sender != "" {
		t.Errorf("without a phone it has the sender %s", told.Sender)
	}
	b.event("remove.instance")
}

// event is the next post, which must be of that event.
func (b *evolutionBench) event(want string) evolutionPost {
	b.Helper()
	select {
	case posted := <-b.posts:
		if posted.Event != want {
			b.Fatalf("posted %s, want %s", posted.Event, want)
		}
		return posted
	case <-time.After(10 * time.Second):
		b.Fatalf("no %s was posted", want)
	}
	return evolutionPost{}
}

func TestEvolutionRepeatsWebhooks(t *testing.T) {
	for status, want := range map[int]int64{500: 10, 503: 10, 400: 1, 401: 1, 403: 1, 404: 1, 422: 1, 200: 1} {
		b := pairedEvolution(t, simulator.EvolutionOptions{})
		var posts atomic.Int64
		hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			posts.Add(1)
			w.WriteHeader(status)
		}))
		b.expect("POST", "/webhook/set/shop", `{"webhook":{"enabled":true,"url":"`+hook.URL+
			`","events":["MESSAGES_UPSERT"]}}`, 201, "")
		_, err := b.sim.Reply("shop", customer, "oi")
		if (err == nil) != (status == 200) || posts.Load() != want {
			t.Errorf("%d: posted %d times, want %d: %v", status, posts.Load(), want, err)
		}
		hook.Close()
	}
}

// TestEvolutionDead: open, and every message is refused; a restart of the instance heals it.
func TestEvolutionDead(t *testing.T) {
	b := pairedEvolution(t, simulator.EvolutionOptions{})
	for _, inVain := range []bool{true, false} {
		if err := b.sim.Die("shop", inVain); err != nil {
			t.Fatal(err)
		}
		b.expectAs("own", "POST", "/message/sendText/shop", sendBody, 500, "Connection Closed")
		status, content := b.callAs("own", "POST", "/chat/whatsappNumbers/shop", numberBody)
		payload, _ := content["output"].(map[string]any)["payload"].(map[string]any)
		if status != 400 || payload["message"] != "Connection Closed" {
			t.Errorf("a number is answered %d %v", status, content)
		}
		b.expectAs("own", "POST", "/instance/restart/shop", "", 200, "")
	}
	b.expectAs("own", "POST", "/message/sendText/shop", sendBody, 201, "")
	if err := b.sim.Die("shop", false); err != nil {
		t.Fatal(err)
	}
	b.expectAs("own", "POST", "/message/sendText/shop", sendBody, 400, "Error: Connection Closed")
}
