package uazapi

import (
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"cartrecovery.dev/operator/internal/failure"
	"cartrecovery.dev/operator/internal/gateway"
	"cartrecovery.dev/operator/internal/gateway/wire"
	"cartrecovery.dev/operator/internal/simulator"
)

// refusalRow is an answer that is no 2xx, and what it means.
type refusalRow struct {
	name   string
	send   bool
	status int
	header http.Header
	body   string
	class  failure.Class
	code   failure.Code
	retry  time.Duration
}

// The kinds of call in a refusalRow.
const text, look = true, false

// refusedAt is when the answers of refusalRows come.
var refusedAt = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

func TestRefusals(t *testing.T) {
	refuses(t, []refusalRow{
		{"unauthorized", text, 401, nil, `{"error":"Invalid token"}`, failure.Terminal, failure.Unauthorized, 0},
		{"forbidden", look, 403, nil, `{"error":"Invalid AdminToken Header"}`, failure.Terminal, failure.Unauthorized,
			0},
		{"not found", look, 404, nil, ``, failure.Terminal, failure.NotFound, 0},
		{"bad input", text, 400, nil, `{"error":"Missing number or text"}`, failure.Terminal, failure.InvalidInput, 0},
		{"no such call", text, 405, nil, `{"code":405,"message":"Method Not Allowed","data":{}}`, failure.Terminal,
			failure.InvalidInput, 0},
		{"too large", text, 413, nil, `<html>`, failure.Terminal, failure.InvalidInput, 0},
		{"unprocessable", text, 422, nil, `[]`, failure.Terminal, failure.InvalidInput, 0},
		{"no WhatsApp, 400", text, 400, nil, `{"error":"The number 5511 is not on WhatsApp"}`, failure.Terminal,
			failure.NotOnWhatsApp, 0},
		{"no WhatsApp, 500", text, 500, nil, `{"error":"the number 5511@s.whatsapp.net is not on WhatsApp"}`,
			failure.Terminal, failure.NotOnWhatsApp, 0},
		{"no WhatsApp, not a send", look, 500, nil, `{"error":"is not on WhatsApp"}`, failure.Transient,
			failure.Unavailable, 0},
		{"unexplained, send", text, 500, nil, `{"error":"Failed to send message"}`, failure.Ambiguous,
			failure.Unavailable, 0},
		{"unexplained, read", look, 500, nil, ``, failure.Transient, failure.Unavailable, 0},
		{"bad gateway, send", text, 502, nil, `<html>`, failure.Ambiguous, failure.Unavailable, 0},
		{"gateway time-out, send", text, 504, nil, ``, failure.Ambiguous, failure.TimedOut, 0},
		{"gateway time-out, read", look, 504, nil, ``, failure.Transient, failure.TimedOut, 0},
		{"request time-out, send", text, 408, nil, ``, failure.Ambiguous, failure.TimedOut, 0},
		{"redirect", text, 302, nil, ``, failure.Terminal, failure.InvalidAnswer, 0},
	})
}

// TestRefusalsForAWhile: the server says when to come back.
func TestRefusalsForAWhile(t *testing.T) {
	after := func(value string) http.Header { return http.Header{"Retry-After": {value}} }
	refuses(t, []refusalRow{
		{"rate limit", text, 429, nil, `{"error":"Rate limit exceeded"}`, failure.Throttled, failure.RateLimited,
			30 * time.Second},
		{"rate limit, seconds", text, 429, after("90"), ``, failure.Throttled, failure.RateLimited, 90 * time.Second},
		{"rate limit, date", text, 429, after("Fri, 01 May 2026 12:05:00 GMT"), ``, failure.Throttled,
			failure.RateLimited, 5 * time.Minute},
		{"rate limit, passed", text, 429, after("Fri, 01 May 2020 12:05:00 GMT"), ``, failure.Throttled,
			failure.RateLimited, time.Second},
		{"rate limit, zero", text, 429, after("0"), ``, failure.Throttled, failure.RateLimited, time.Second},
		{"rate limit, for ever", text, 429, after("4294967295"), ``, failure.Throttled, failure.RateLimited,
			24 * time.Hour},
		{"rate limit, junk", text, 429, after("soon"), ``, failure.Throttled, failure.RateLimited, 30 * time.Second},
		{"busy", text, 503, after("7"), ``, failure.Throttled, failure.Unavailable, 7 * time.Second},
		{"unavailable", text, 503, nil, `<html>`, failure.Transient, failure.Unavailable, 0},
		{"unavailable, junk", text, 503, after("-1"), ``, failure.Transient, failure.Unavailable, 0},
		{"broken behind a proxy, send", text, 503, nil,
			`upstream connect error or disconnect/reset before headers. reset reason: connection termination`,
			failure.Ambiguous, failure.Unavailable, 0},
		{"broken behind a proxy, read", look, 503, nil, `upstream connect error or disconnect/reset before headers`,
			failure.Transient, failure.Unavailable, 0},
	})
}

// TestRefusalsByTheirWords: what the server says tells more than the status.
func TestRefusalsByTheirWords(t *testing.T) {
	restricted := func(until string) string {
		return `{"error":"463","provider_code":463,"details":{"reachout_timelock":{"until":` + until + `}}}`
	}
	refuses(t, []refusalRow{
		{"restricted, RFC 3339", text, 500, nil, restricted(`"2026-05-02T12:00:00Z"`), failure.Throttled,
			failure.Restricted, 24 * time.Hour},
		{"restricted, offset", text, 500, nil, restricted(`"2026-05-01T12:00:00-03:00"`), failure.Throttled,
			failure.Restricted, 3 * time.Hour},
		{"restricted, seconds", text, 500, nil, restricted(`1777637000`), failure.Throttled, failure.Restricted,
			time.Unix(1777637000, 0).Sub(refusedAt)},
		{"restricted, milliseconds", text, 500, nil, restricted(`"1777637000000"`), failure.Throttled,
			failure.Restricted, time.Unix(1777637000, 0).Sub(refusedAt)},
		{"restricted, no end", text, 500, nil, `{"error_key":"WHATSAPP_REACHOUT_TIMELOCK"}`, failure.Throttled,
			failure.Restricted, time.Hour},
		{"restricted, passed", text, 500, nil, restricted(`1`), failure.Throttled, failure.Restricted, time.Hour},
		{"restricted, for ever", text, 500, nil, restricted(`"2999-01-01T00:00:00Z"`), failure.Throttled,
			failure.Restricted, 30 * 24 * time.Hour},
		{"restricted, code as text", text, 400, nil, `{"provider_code":"463","details":"x"}`, failure.Throttled,
			failure.Restricted, time.Hour},
		{"not connected", text, 500, nil, `{"error":"WhatsApp client is not connected"}`, failure.Transient,
			failure.NotConnected, 0},
		{"disconnected", text, 503, nil,
			`{"error":true,"message":"WhatsApp disconnected: session is not reconnectable"}`, failure.Transient,
			failure.NotConnected, 0},
		{"broke under way", text, 500, nil, `{"error":"websocket disconnected before info query returned response"}`,
			failure.Ambiguous, failure.Unavailable, 0},
		{"last of several attempts", text, 500, nil,
			`{"error":"error sending message after 2 attempts: websocket not connected"}`, failure.Ambiguous,
			failure.Unavailable, 0},
	})
}

// refuses has a server answer as each row says.
func refuses(t *testing.T, rows []refusalRow) {
	t.Helper()
	sim, c := paired(t, simulator.UAZAPIOptions{})
	c.now = func() time.Time { return refusedAt }
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			sim.Fail(simulator.Fault{Status: row.status, Header: row.header, Body: row.body})
			var err error
			if row.send {
				_, err = c.SendText(t.Context(), gateway.Text{Phone: customer, Body: "oi", TrackID: "t"})
			} else {
				_, err = c.Status(t.Context())
			}
			failed := wanted(t, err, row.class, row.code)
			if failed.Status != row.status {
				t.Errorf("status %d", failed.Status)
			}
			retry := time.Duration(0)
			if !failed.RetryAt.IsZero() {
				retry = failed.RetryAt.Sub(refusedAt)
			}
			if retry != row.retry {
				t.Errorf("retry after %v, want %v", retry, row.retry)
			}
			if strings.Contains(failed.Error(), "5511") || strings.Contains(failed.Error(), "upstream") {
				t.Errorf("the error repeats the answer: %v", failed)
			}
		})
	}
}

func TestSendAnswers(t *testing.T) {
	table := []struct {
		body string
		id   string
		at   int64
		code failure.Code
	}{
		{body: `{"id":"5511900000001:3EB0AA","messageid":"3EB0AA","messageTimestamp":1700000000123}`, id: "3EB0AA",
			at: 1700000000123},
		{body: `{"id":"5511900000001:3EB0AA"}`, id: "3EB0AA"},
		{body: `{"id":"r1234567","messageTimestamp":"1700000000"}`, id: "r1234567", at: 1700000000000},
		{body: `{"messageId":"3EB0AA","messageTimestamp":null,"content":{"text":"x"},"fromMe":"True"}`, id: "3EB0AA"},
		{body: `{"key":{"id":"3EB0AA"},"messageTimestamp":-5}`, id: "3EB0AA"},
		{body: `{"messageid":12345,"status":7}`, id: "12345"},
		{body: `{"messageid":"3EB0AA","status":"Queued","error":""}`, id: "3EB0AA"},
		{body: `{"messageid":"3EB0AA","status":"Failed"}`, code: failure.InvalidAnswer},
		{body: `{"messageid":"3EB0AA","error":"no"}`, code: failure.InvalidAnswer},
		{body: `{"messageid":"` + strings.Repeat("x", wire.MaxID+1) + `"}`, code: failure.InvalidAnswer},
		{body: `{}`, code: failure.InvalidAnswer},
		{body: `null`, code: failure.InvalidAnswer},
		{body: `"ok"`, code: failure.InvalidAnswer},
		{body: ``, code: failure.InvalidAnswer},
		{body: `<html>sent</html>`, code: failure.InvalidAnswer},
		{body: `{"messageid":"3EB0AA"`, code: failure.InvalidAnswer},
		{body: `{"messageid":"3EB0AA","text":"` + strings.Repeat("x", gateway.MaxAnswer) + `"}`,
			code: failure.InvalidAnswer},
	}
	sim, c := paired(t, simulator.UAZAPIOptions{})
	for _, row := range table {
		sim.Fail(simulator.Fault{Path: "/send/text", Status: 200, Body: row.body})
		receipt, err := c.SendText(t.Context(), gateway.Text{Phone: customer, Body: "oi", TrackID: "t"})
		if row.code != "" {
			want(t, err, failure.Ambiguous, row.code)
			continue
		}
		at := int64(0)
		if !receipt.At.IsZero() {
			at = receipt.At.UnixMilli()
		}
		if err != nil || receipt.MessageID != row.id || at != row.at {
			t.Errorf("%s: got %+v, %v", row.body, receipt, err)
		}
	}
}

func TestFindAnswers(t *testing.T) {
	const ours = `{"messageid":"3EB0AA","track_id":"t","fromMe":true,"chatid":"5511900000002@s.whatsapp.net"}`
	table := []struct {
		name, body string
		found      bool
		class      failure.Class
	}{
		{"page", `{"messages":[` + ours + `],"hasMore":false}`, true, ""},
		{"list", `[` + ours + `]`, true, ""},
		{"lax", `[{"messageid":"3EB0AA","track_id":"t","fromMe":1,"chatid":null,"messageTimestamp":"x","content":"y"}]`,
			true, ""},
		{"without the ninth digit",
			`[{"messageid":"3EB0AA","track_id":"t","fromMe":true,"chatid":"551100000002@s.whatsapp.net"}]`, true, ""},
		{"hidden number", `[{"messageid":"3EB0AA","track_id":"t","fromMe":true,"chatid":"123456789012345@lid"}]`, true,
			""},
		{"failed, then sent", `[{"messageid":"A","track_id":"t","fromMe":true,"status":"Failed"},` + ours + `]`, true,
			""},
		{"nothing", `{"messages":[]}`, false, ""},
		{"null", `{"messages":null,"returnedMessages":0}`, false, ""},
		{"empty list", ` [] `, false, ""},
		{"not ours", `[{"messageid":"3EB0AA","track_id":"t","fromMe":false}]`, false, failure.Ambiguous},
		{"whose is not said", `[{"messageid":"3EB0AA","track_id":"t"}]`, true, ""},
		{"not ours, then ours", `[{"messageid":"A","track_id":"t","fromMe":"False"},` + ours + `]`, true, ""},
		{"another phone",
			`[{"messageid":"3EB0AA","track_id":"t","fromMe":true,"chatid":"5511900000009@s.whatsapp.net"}]`, false,
			failure.Ambiguous},
		{"another phone, then failed",
			`[{"track_id":"t","fromMe":true,"chatid":"5511900000009@s.whatsapp.net"},{"track_id":"t","fromMe":true,"status":"Failed"}]`, false, failure.Ambiguous},
		{"failed", `[{"messageid":"A","track_id":"t","fromMe":true,"status":"Failed"}]`, false, failure.Ambiguous},
		{"filter ignored", `{"messages":[{"messageid":"A","track_id":"","fromMe":true},{"messageid":"B"}]}`, false,
			failure.Terminal},
		{"mistyped", `[1,"x"]`, false, failure.Terminal},
		{"no list", `{"messages":"x"}`, false, failure.Terminal},
		{"an error", `{"error":"x"}`, false, failure.Terminal},
		{"junk", `<html>`, false, failure.Terminal},
		{"empty", ``, false, failure.Terminal},
		{"null alone", `null`, false, failure.Terminal},
		{"too large", `[` + strings.Repeat(" ", gateway.MaxAnswer) + `]`, false, failure.Terminal},
	}
	sim, c := paired(t, simulator.UAZAPIOptions{})
	for _, row := range table {
		t.Run(row.name, func(t *testing.T) {
			sim.Fail(simulator.Fault{Path: "/message/find", Status: 200, Body: row.body})
			receipt, found, err := c.FindSent(t.Context(), "t", customer)
			if (row.class != "" || err != nil) && failure.ClassOf(err) != row.class {
				t.Fatalf("got %v, want %s", err, row.class)
			}
			if found != row.found || (found && receipt.MessageID != "3EB0AA") {
				t.Fatalf("got %+v %v", receipt, found)
			}
		})
	}
}

func TestStateAnswers(t *testing.T) {
	const code = `"qrcode":"data:image/png;base64,AAAA"`
	table := []struct {
		body string
		want gateway.State
		junk bool
	}{
		{
			body: `{"instance":{"status":"connected"},"status":{"connected":true,"loggedIn":true,"jid":{"user":"5511900000001","agent":0}}}`,
			want: gateway.State{Connection: gateway.Connected, Phone: ownPhone}},
		{body: `{"instance":{"status":"connected",` + code +
			`},"status":{"connected":true,"jid":"5511900000001:7@s.whatsapp.net"}}`,
			want: gateway.State{Connection: gateway.Connected, Phone: ownPhone}},
		{
			body: `{"instance":{"status":"connected","owner":"5511900000001"},"status":{"connected":"True","loggedIn":1,"jid":null}}`,
			want: gateway.State{Connection: gateway.Connected, Phone: ownPhone}},
		{body: `{"instance":{"status":"connected","owner":"user@example.com"},"status":"x"}`,
			want: gateway.State{Connection: gateway.Connected}},
		{body: `{"instance":{"status":"connected","owner":"5511900000001"},"status":{"connected":false}}`,
			want: gateway.State{Connection: gateway.Connecting}},
		{body: `{"connected":true,"loggedIn":true,"jid":"5511900000001@s.whatsapp.net","instance":{}}`,
			want: gateway.State{Connection: gateway.Connected, Phone: ownPhone}},
		{body: `{"connected":false,"instance":{"status":"connecting",` + code + `}}`,
			want: gateway.State{Connection: gateway.Connecting, QRCode: "data:image/png;base64,AAAA"}},
		{body: `{"connected":false,"instance":{"qrcode":"AAAA"}}`,
			want: gateway.State{Connection: gateway.Connecting, QRCode: "data:image/png;base64,AAAA"}},
		{body: `{"instance":{"status":"connecting","paircode":"ABCD-EFGH","qrcode":{"x":1}}}`,
			want: gateway.State{Connection: gateway.Connecting, PairCode: "ABCD-EFGH"}},
		{
			body: `{"instance":{"status":"disconnected","lastDisconnectReason":"401: logged\nout","owner":"5511900000001"}}`,
			want: gateway.State{Connection: gateway.Disconnected, DisconnectReason: "401: logged out"}},
		{body: `{"instance":{"status":"hibernated"}}`, want: gateway.State{Connection: gateway.Disconnected,
			DisconnectReason: "hibernated"}},
		{body: `{"instance":{"status":"brand-new"},"status":{"connected":false}}`,
			want: gateway.State{Connection: gateway.Disconnected}},
		{body: `{}`, junk: true},
		{body: `{"instance":null,"status":null}`, junk: true},
		{body: `{"error":"x"}`, junk: true},
		{body: `[]`, junk: true},
		{body: `<html>`, junk: true},
		{body: ``, junk: true},
	}
	sim, c := paired(t, simulator.UAZAPIOptions{})
	for _, row := range table {
		sim.Fail(simulator.Fault{Path: "/instance/status", Status: 200, Body: row.body})
		state, err := c.Status(t.Context())
		if row.junk {
			want(t, err, failure.Terminal, failure.InvalidAnswer)
			continue
		}
		if err != nil || state != row.want {
			t.Errorf("%s: got %+v, %v", row.body, state, err)
		}
	}
}

func TestAdminAnswers(t *testing.T) {
	sim, base := server(t, simulator.UAZAPIOptions{})
	admin := dial(t, gateway.Endpoint{BaseURL: base, AdminToken: adminToken})
	entry := func(token, status string) string {
		return `{"id":"` + token + `","token":"` + token + `","status":"` + status +
			`","adminField01":"store/shop","adminField02":"uid-1"}`
	}
	for body, token := range map[string]string{
		`[` + entry("a", "disconnected") + `,` + entry("b", "connected") + `]`:  "b",
		`[` + entry("a", "connecting") + `,` + entry("b", "disconnected") + `]`: "a",
		`[` + strings.Repeat(" ", 2*gateway.MaxAnswer) + entry("a", "") + `]`:   "a",
		`[]`: "",
		`[{"token":"a","adminField01":null,"adminField02":7}]`: "",
	} {
		sim.Fail(simulator.Fault{Path: "/instance/all", Status: 200, Body: body})
		found, ok, err := admin.Find(t.Context(), identity)
		if err != nil || ok != (token != "") || found.Token != token {
			t.Errorf("%.100s: got %q %v %v", body, found.Token, ok, err)
		}
	}
	for _, body := range []string{`{}`, `null`, `x`, ``, `[` + entry("", "connected") + `]`,
		`[` + strings.Repeat(" ", maxList) + `]`} {
		sim.Fail(simulator.Fault{Path: "/instance/all", Status: 200, Body: body})
		_, _, err := admin.Find(t.Context(), identity)
		want(t, err, failure.Terminal, failure.InvalidAnswer)
	}
	for _, body := range []string{`{}`, `null`, `x`, ``, `{"token":"a b"}`, `{"token":null,"instance":{}}`} {
		sim.Fail(simulator.Fault{Path: "/instance/create", Status: 200, Body: body})
		_, err := admin.Create(t.Context(), identity)
		want(t, err, failure.Ambiguous, failure.InvalidAnswer)
	}
	sim.Fail(simulator.Fault{Path: "/instance/create", Status: 200, Body: `{"instance":{"id":"r1","token":"abc"}}`})
	created, err := admin.Create(t.Context(), identity)
	if err != nil || created.Token != "abc" || created.ID != "r1" {
		t.Errorf("got %v, %v", created.Token, err)
	}
	sim.Fail(simulator.Fault{Path: "/webhook", Status: 200, Body: `<html>`})
	c := dial(t, gateway.Endpoint{BaseURL: base, Token: created.Token})
	want(t, c.RegisterWebhook(t.Context(), gateway.Webhook{URL: "http://127.0.0.1:1", Key: "x"}), failure.Terminal,
		failure.InvalidAnswer)
}

func TestNeutralise(t *testing.T) {
	for given, safe := range map[string]string{
		"": "", "{": "{", "a {b} c": "a {b} c", "{{name}}": "{\u2060{name}}", "{{{{": "{\u2060{\u2060{\u2060{",
		"é{{": "é{\u2060{",
	} {
		if got := neutralise(given); got != safe {
			t.Errorf("%q: got %q", given, got)
		}
	}
}

func FuzzNeutralise(f *testing.F) {
	for _, seed := range []string{"", "{{name}}", "{{{x}}}", "Olá {", "{\u2060{"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, given string) {
		got := neutralise(given)
		if strings.Contains(got, "{{") {
			t.Errorf("%q still begins a placeholder", got)
		}
		if strings.ReplaceAll(got, "\u2060", "") != strings.ReplaceAll(given, "\u2060", "") {
			t.Errorf("%q became %q", given, got)
		}
	})
}

// seeds are answers of every shape for the fuzz targets.
var seeds = []string{
	``, `null`, `{}`, `[]`,
	`{"instance":{"status":"connected"},"status":{"connected":true,"jid":{"user":5511900000001}}}`,
	`{"instance":{"status":"connecting","qrcode":"data:image/png;base64,AA","paircode":"A"},"connected":"False","jid":"1:2@s"}`,
	`{"id":"5511900000001:3EB0AA","messageid":"3EB0AA","messageTimestamp":1700000000123,"status":"Queued","key":{"id":1}}`,
	`{"messages":[{"track_id":"t","fromMe":"True","chatid":"5511900000002@s.whatsapp.net","messageTimestamp":"1e9"}]}`,
	`[{"track_id":"t","fromMe":true,"chatid":"@s.whatsapp.net","status":"Failed"}]`, `{"messages":null}`,
	`{"error":true,"message":"WhatsApp disconnected","provider_code":"463","details":{"reachout_timelock":{"until":"2026-05-01 12:00:00Z"}}}`,
	`[{"id":"r1","token":"x","adminField01":"store/shop","adminField02":"uid-1","status":"connected"}]`,
}

func FuzzParseState(f *testing.F) {
	for _, seed := range seeds {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if state, ok := parseState(body); ok {
			switch state.Connection {
			case gateway.Connected:
				if state.QRCode != "" || (state.Phone != "" && !wire.IsPhone(state.Phone)) {
					t.Errorf("got %+v", state)
				}
			case gateway.Connecting, gateway.Disconnected:
				if utf8.RuneCountInString(state.DisconnectReason) > wire.MaxReason || state.Phone != "" {
					t.Errorf("got %+v", state)
				}
			default:
				t.Errorf("connection %q", state.Connection)
			}
		}
		if created, ok := parseCreated(body); ok && !usable(created.Token) {
			t.Errorf("token %q", created.Token)
		}
		_, _ = parseInstances(body)
	})
}

func FuzzParseSent(f *testing.F) {
	for _, seed := range seeds {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if sent, ok := parseSent(body); ok && len(sent.receipt().MessageID) > wire.MaxID {
			t.Error("an id without bounds")
		}
		if messages, ok := parseFound(body); ok {
			receipt, found, err := call{}.pick(messages, "t", customer)
			if found && (err != nil || len(receipt.MessageID) > wire.MaxID) {
				t.Errorf("got %+v, %v", receipt, err)
			}
			if !found && err == nil && len(messages) > 0 {
				t.Error("a message that is there may be sent again")
			}
		}
	})
}

func FuzzRefused(f *testing.F) {
	for _, seed := range seeds {
		f.Add(500, "30", []byte(seed))
		f.Add(503, "Fri, 01 May 2026 12:05:00 GMT", []byte(seed))
	}
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	c := &client{now: func() time.Time { return now }}
	f.Fuzz(func(t *testing.T, status int, retry string, body []byte) {
		failed := c.refused(call{Call: wire.Call{Op: "x", Once: true}, send: true}, status,
			http.Header{"Retry-After": {retry}}, body)
		if (failed.Class == failure.Throttled) == failed.RetryAt.IsZero() {
			t.Errorf("%v with retry at %v", failed, failed.RetryAt)
		}
		if !failed.RetryAt.IsZero() && (failed.RetryAt.Before(now) || failed.RetryAt.After(now.Add(maxRestriction))) {
			t.Errorf("retry at %v", failed.RetryAt)
		}
		_ = failed.Error()
	})
}

// TestPickTakesTheLast: a lead that was deleted and made again has the track ids of the one before.
func TestPickTakesTheLast(t *testing.T) {
	const old = `{"messageid":"OLD","track_id":"t","fromMe":true,"messageTimestamp":1700000000000}`
	const last = `{"messageid":"LAST","track_id":"t","fromMe":true,"messageTimestamp":1800000000000}`
	for _, list := range []string{old + "," + last, last + "," + old} {
		messages, ok := parseFound([]byte(`{"messages":[` + list + `]}`))
		if !ok {
			t.Fatal("no list")
		}
		if receipt, found, err := (call{}).pick(messages, "t", customer); receipt.MessageID != "LAST" || !found ||
			err != nil {
			t.Errorf("%+v %t %v", receipt, found, err)
		}
	}
}
