package uazapi

import (
	"net/http"
	"testing"
	"time"

	"cartrecovery.dev/operator/internal/failure"
	"cartrecovery.dev/operator/internal/gateway"
	"cartrecovery.dev/operator/internal/simulator"
)

// mobile is known to WhatsApp without its ninth digit.
const mobile = "5531988776655"

func TestCheckNumber(t *testing.T) {
	sim, c := paired(t, simulator.UAZAPIOptions{})
	sim.KnownAs(mobile, "553188776655")
	sim.WithoutWhatsApp("5511900000009")
	for asked, want := range map[string]gateway.Number{
		mobile: {Registered: true, ID: "553188776655"}, "5511900000009": {}, customer: {Registered: true, ID: customer},
	} {
		if got, err := c.CheckNumber(t.Context(), asked); err != nil || got != want {
			t.Errorf("got %+v, %v, want %+v", got, err, want)
		}
	}
	_, err := c.CheckNumber(t.Context(), "+5531")
	want(t, err, failure.Terminal, failure.InvalidInput)
	sim.Fail(simulator.Fault{Path: "/chat/check", Status: 429, Header: http.Header{"Retry-After": {"5"}}})
	_, err = c.CheckNumber(t.Context(), mobile)
	if failed := wanted(t, err, failure.Throttled, failure.RateLimited); time.Until(failed.RetryAt) > 5*time.Second {
		t.Errorf("retry at %v", failed.RetryAt)
	}
	sim.Fail(simulator.Fault{Path: "/chat/check", Drop: true})
	_, err = c.CheckNumber(t.Context(), mobile)
	want(t, err, failure.Transient, failure.Unavailable)
	if err := sim.Logout(identity.Name, ""); err != nil {
		t.Fatal(err)
	}
	_, err = c.CheckNumber(t.Context(), mobile)
	want(t, err, failure.Transient, failure.NotConnected)
}

// TestSentToTheID: a message to the number WhatsApp knows is found again by the number that
// the customer gave.
func TestSentToTheID(t *testing.T) {
	sim, c := paired(t, simulator.UAZAPIOptions{})
	sim.KnownAs(mobile, "553188776655")
	for track, number := range map[string]string{"a": mobile, "b": "553188776655"} {
		if _, err := c.SendText(t.Context(), gateway.Text{Phone: number, Body: "oi", TrackID: track}); err != nil {
			t.Fatal(err)
		}
		if _, found, err := c.FindSent(t.Context(), track, mobile); err != nil || !found {
			t.Errorf("found %v, %v", found, err)
		}
	}
}

func TestNumberAnswers(t *testing.T) {
	for body, want := range map[string]struct {
		number gateway.Number
		ok     bool
	}{
		`[{"query":"5531988776655","jid":"553188776655@s.whatsapp.net","lid":"1@lid","isInWhatsapp":true}]`: {
			gateway.Number{Registered: true, ID: "553188776655"}, true},
		`[{"query":"5531988776655","jid":"123456789012345@lid","isInWhatsapp":true}]`: {
			gateway.Number{Registered: true}, true},
		`[{"query":"5531988776655","jid":null,"isInWhatsapp":"True"}]`: {
			gateway.Number{Registered: true}, true},
		`[{"query":"+55 31 98877-6655@s.whatsapp.net","jid":{"user":"x"},"isInWhatsapp":1}]`: {
			gateway.Number{Registered: true}, true},
		`[{"query":"5531988776655","isInWhatsapp":false}]`:                                 {gateway.Number{}, true},
		`[{"query":"1","isInWhatsapp":true},{"query":5531988776655,"isInWhatsapp":false}]`: {gateway.Number{}, true},
		`[{"query":"5531988776655","isInWhatsapp":false,"error":""}]`:                      {gateway.Number{}, true},
		`[{"query":"5531988776655","isInWhatsapp":false,"error":"info query timeout"}]`:    {},
		`[{"query":"5531988776655","isInWhatsapp":false,"error":true}]`:                    {},
		`[{"query":"5531988776655","isInWhatsapp":true,"error":"no picture"}]`: {
			gateway.Number{Registered: true}, true},
		`[{"query":"5531988776655","jid":"553188776655@s.whatsapp.net"}]`:                    {},
		`[{"query":"553188776655","jid":"553188776655@s.whatsapp.net","isInWhatsapp":true}]`: {},
		`[]`: {}, `{}`: {}, `null`: {}, ``: {}, `[1,"x"]`: {}, `<html>`: {}, `{"error":"x"}`: {},
	} {
		if got, ok := parseNumbers([]byte(body), mobile); ok != want.ok || got != want.number {
			t.Errorf("%s: got %+v %v", body, got, ok)
		}
	}
	sim, c := paired(t, simulator.UAZAPIOptions{})
	sim.Fail(simulator.Fault{Path: "/chat/check", Status: 200, Body: `[]`})
	_, err := c.CheckNumber(t.Context(), mobile)
	want(t, err, failure.Terminal, failure.InvalidAnswer)
}

func FuzzParseNumbers(f *testing.F) {
	for _, seed := range append(seeds,
		`[{"query":"5531988776655","jid":"553188776655@s.whatsapp.net","isInWhatsapp":true}]`,
		`[{"query":"5531988776655","isInWhatsapp":false,"error":"timeout"}]`) {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		number, ok := parseNumbers(body, mobile)
		if !ok && number != (gateway.Number{}) || number.ID != "" && !number.Registered {
			t.Errorf("got %+v %v", number, ok)
		}
	})
}

// TestWebhookIsAsked: the key is in the URL, and what the operator sent itself is left out.
func TestWebhookIsAsked(t *testing.T) {
	sim, c := paired(t, simulator.UAZAPIOptions{})
	if err := c.RegisterWebhook(t.Context(), gateway.Webhook{URL: "http://127.0.0.1:1/in/", Key: "k"}); err != nil {
		t.Fatal(err)
	}
	if got := sim.Instances()[0].WebhookURL; got != "http://127.0.0.1:1/in/k" {
		t.Errorf("posts to %s", got)
	}
	sim.LoseWebhooks(3)
	for name, err := range map[string]error{
		"message": second(sim.Reply(identity.Name, customer, "oi")),
		"receipt": func() error {
			receipt, err := c.SendText(t.Context(), gateway.Text{Phone: customer, Body: "oi", TrackID: "t"})
			if err != nil {
				return err
			}
			return sim.Acknowledge(identity.Name, receipt.MessageID, simulator.Read)
		}(),
	} {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func second(_ string, err error) error { return err }

// TestBusyHost: connecting is refused while the server is full or its host is busy.
func TestBusyHost(t *testing.T) {
	sim, c := paired(t, simulator.UAZAPIOptions{})
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	c.now = func() time.Time { return now }
	for status, code := range map[int]failure.Code{http.StatusTooManyRequests: failure.RateLimited,
		http.StatusServiceUnavailable: failure.Unavailable} {
		sim.Fail(simulator.Fault{Path: "/instance/connect", Status: status, Header: http.Header{"Retry-After": {"40"}}})
		_, err := c.Connect(t.Context(), "")
		if failed := wanted(t, err, failure.Throttled, code); !failed.RetryAt.Equal(now.Add(40 * time.Second)) {
			t.Errorf("%d: retry at %v", status, failed.RetryAt)
		}
	}
}
