package evolution

import (
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"cartrecovery.dev/operator/internal/failure"
	"cartrecovery.dev/operator/internal/gateway"
	"cartrecovery.dev/operator/internal/gateway/wire"
)

func TestSendAnswers(t *testing.T) {
	for body, want := range map[string]gateway.Receipt{
		`{"key":{"id":"3EB0AA","remoteJid":"5531988776655@s.whatsapp.net"},"status":"PENDING","messageTimestamp":1790000000}`: {MessageID: "3EB0AA", At: time.Unix(1790000000, 0).UTC()},
		`{"key":{"id":"3EB0AA"},"messageTimestamp":"1790000000"}`:                                                             {MessageID: "3EB0AA", At: time.Unix(1790000000, 0).UTC()},
		`{"key":{"id":"3EB0AA"},"messageTimestamp":{"low":1,"high":0},"status":1}`:                                            {MessageID: "3EB0AA"},
		`{"key":{"id":"3EB0AA"},"status":"ERROR"}`:                                                                            {},
		`{"key":{"id":"` + strings.Repeat("x", wire.MaxID+1) +
			`"}}`: {},
		`{"key":"3EB0AA"}`: {}, `{}`: {}, `null`: {}, `[]`: {}, ``: {}, `<html>`: {}, `{"key":{"id":"3EB0AA"`: {},
	} {
		if got, ok := parseSent([]byte(body)); ok != (want.MessageID != "") || ok && got != want {
			t.Errorf("%.80s: got %+v %v", body, got, ok)
		}
	}
}

func TestNumberAnswers(t *testing.T) {
	for body, want := range map[string]struct {
		number gateway.Number
		ok     bool
	}{
		`[{"jid":"553188776655@s.whatsapp.net","exists":true,"number":"5531988776655"}]`: {
			gateway.Number{Registered: true, ID: "553188776655"}, true},
		`[{"jid":"123456789012345@lid","exists":true,"number":"5531988776655","lid":"lid"}]`: {
			gateway.Number{Registered: true}, true},
		`[{"jid":"5531988776655@s.whatsapp.net","exists":"true","number":"5531988776655@s.whatsapp.net"}]`: {
			gateway.Number{Registered: true, ID: "5531988776655"}, true},
		`[{"jid":"x","exists":true,"number":"1"},{"exists":false,"number":"+5531988776655"}]`: {gateway.Number{}, true},
		`[{"jid":"5531988776655@s.whatsapp.net","number":"5531988776655"}]`:                   {},
		`[{"jid":"5531988776655@s.whatsapp.net","exists":true,"number":"5531900000001"}]`:     {},
		`[]`: {}, `{}`: {}, `null`: {}, ``: {}, `[1]`: {}, `<html>`: {},
	} {
		if got, ok := parseNumbers([]byte(body), customer); ok != want.ok || got != want.number {
			t.Errorf("%s: got %+v %v", body, got, ok)
		}
	}
}

func TestStateAnswers(t *testing.T) {
	for body, want := range map[string]struct {
		connection gateway.Connection
		loaded, ok bool
	}{
		`{"instance":{"instanceName":"a","state":"open"}}`:       {gateway.Connected, true, true},
		`{"instance":{"instanceName":"a","state":"connecting"}}`: {gateway.Connecting, true, true},
		`{"instance":{"instanceName":"a","state":"close"}}`:      {gateway.Disconnected, true, true},
		`{"instance":{"instanceName":"a","state":"refused"}}`:    {gateway.Disconnected, true, true},
		`{"instance":{"instanceName":"a"}}`:                      {"", false, true},
		`{"instance":{"instanceName":"a","state":"new"}}`:        {"", true, false},
		`{}`: {}, `[]`: {}, `null`: {}, ``: {}, `<html>`: {}, `{"instance":1}`: {},
	} {
		if got, loaded, ok := parseState([]byte(body)); got.Connection != want.connection || loaded != want.loaded ||
			ok != want.ok {
			t.Errorf("%s: got %+v %v %v", body, got, loaded, ok)
		}
	}
}

func TestPairingAnswers(t *testing.T) {
	for body, want := range map[string]struct {
		state      gateway.State
		failed, ok bool
	}{
		`{"pairingCode":null,"code":"2@x","base64":"data:image/png;base64,AA","count":1}`: {
			gateway.State{Connection: gateway.Connecting, QRCode: "data:image/png;base64,AA", Shown: 1}, false, true},
		`{"pairingCode":"ABCDEFGH","code":"2@x","base64":"data:image/png;base64,AA","count":1}`: {
			gateway.State{Connection: gateway.Connecting, PairCode: "ABCDEFGH", Shown: 1}, false, true},
		`{"count":0}`: {gateway.State{Connection: gateway.Connecting}, false, true},
		`{"instance":{"instanceName":"a","state":"open"}}`: {gateway.State{Connection: gateway.Connected}, false, true},
		`{"error":true,"message":"[object Object]"}`:       {gateway.State{}, true, false},
		`{}`: {state: gateway.State{Connection: gateway.Connecting}}, `[]`: {}, ``: {}, `null`: {},
	} {
		if got, failed, ok := parsePairing([]byte(body)); got != want.state || failed != want.failed || ok != want.ok {
			t.Errorf("%s: got %+v %v %v", body, got, failed, ok)
		}
	}
}

func TestCreateAnswers(t *testing.T) {
	for body, want := range map[string]bool{
		`{"instance":{"instanceId":"i"},"hash":"uid.x"}`:            true,
		`{"instance":{"instanceId":"i"},"hash":{"apikey":"uid.x"}}`: true,
		`{"hash":"another"}`: false, `{"hash":null}`: false, `{}`: false, `[]`: false, ``: false, `<html>`: false,
	} {
		if created, ok := parseCreated([]byte(body), "uid.x"); ok != want || ok && created.Token != "uid.x" {
			t.Errorf("%s: got %v", body, ok)
		}
	}
}

func TestInstancesAnswers(t *testing.T) {
	for body, want := range map[string]int{
		`[{"name":"a","token":"t"},{"name":"b"}]`: 2, `{"instance":{"instanceName":"a","apikey":"t"}}`: 1, `[]`: 0,
		`{}`: -1, `null`: -1, ``: -1, `<html>`: -1, `{"error":"x"}`: -1,
	} {
		listed, ok := parseInstances([]byte(body))
		if ok != (want >= 0) || ok && len(listed) != want {
			t.Errorf("%s: got %d %v", body, len(listed), ok)
		}
		if ok && want > 0 && (listed[0].name() != "a" || listed[0].token() != "t") {
			t.Errorf("%s: another is listed", body)
		}
	}
}

// TestRefusals is the table of what the server's errors mean.
func TestRefusals(t *testing.T) {
	said := func(message string) string {
		return `{"status":400,"error":"Bad Request","response":{"message":` + message + `}}`
	}
	table := []struct {
		name   string
		send   bool
		status int
		body   string
		class  failure.Class
		code   failure.Code
	}{
		{"no WhatsApp", true, 400, said(`[{"jid":"x","exists":false,"number":"5531988776655"}]`), failure.Terminal,
			failure.NotOnWhatsApp},
		{"no WhatsApp, but no send", false, 400, said(`[{"exists":false}]`), failure.Terminal, failure.InvalidInput},
		{"validation", true, 400, said(`[["requires property \"textMessage\""]]`), failure.Terminal,
			failure.InvalidInput},
		{"validation of several", true, 400, said(`[["requires property \"number\"","The \"text\" cannot be empty"]]`),
			failure.Terminal, failure.InvalidInput},
		{"validation, nested too deep", true, 400, said(`[[[[["requires property \"text\""]]]]]`), failure.Ambiguous,
			failure.Unavailable},
		{"validation's words in an error", true, 400, said(`["Error: ack is required: requires property \"id\""]`),
			failure.Ambiguous, failure.Unavailable},
		{"validation, no send", false, 400, said(`["requires property \"text\""]`), failure.Terminal,
			failure.InvalidInput},
		{"no text", true, 400, said(`["Text is required"]`), failure.Terminal, failure.InvalidInput},
		{"not loaded yet", true, 500, said(`"Cannot read properties of undefined (reading 'textMessage')"`),
			failure.Transient, failure.NotConnected},
		{"not loaded, in a 400 that can be anything", true, 400, said(`["TypeError: (reading 'textMessage')"]`),
			failure.Ambiguous, failure.Unavailable},
		{"closed while it sends", true, 400, said(`["Error: Connection Closed"]`), failure.Transient,
			failure.NotConnected},
		{"closed, alone", true, 400, said(`"Connection Closed"`), failure.Transient, failure.NotConnected},
		{"closed after it sent", true, 400,
			said(`["PrismaClientKnownRequestError: Connection closed by the database"]`), failure.Ambiguous,
			failure.Unavailable},
		{"closed in a longer 500", true, 500, said(`"pool: connection closed"`), failure.Ambiguous,
			failure.Unavailable},
		{"another is not connected", true, 400, said(`["Error: redis is not connected"]`), failure.Ambiguous,
			failure.Unavailable},
		{"not connected, no send", false, 400, said(`["The \"a\" instance is not connected"]`), failure.Transient,
			failure.NotConnected},
		{"closed while it looks up", true, 500, said(`"Connection Closed"`), failure.Transient, failure.NotConnected},
		{"never connected", true, 500, said(`"Cannot read properties of undefined (reading 'onWhatsApp')"`),
			failure.Transient, failure.NotConnected},
		{"timed out while it sends", true, 400, said(`["Error: Timed Out"]`), failure.Ambiguous, failure.Unavailable},
		{"database failed after it sent", true, 400, said(`["PrismaClientKnownRequestError: x"]`), failure.Ambiguous,
			failure.Unavailable},
		{"unexplained 400, send", true, 400, ``, failure.Ambiguous, failure.Unavailable},
		{"unexplained 400, read", false, 400, ``, failure.Terminal, failure.InvalidInput},
		{"unexplained 500, send", true, 500, `<html>`, failure.Ambiguous, failure.Unavailable},
		{"over the limit", true, 400, said(`["Error: rate-overlimit"]`), failure.Throttled, failure.RateLimited},
		{"taken", false, 403, said(`["This name \"a\" is already in use."]`), failure.Transient, failure.Unavailable},
		{"forbidden", false, 403, said(`["Missing global api key"]`), failure.Terminal, failure.Unauthorized},
		{"gone", true, 404, said(`["The \"a\" instance does not exist"]`), failure.Terminal, failure.NotFound},
		{"broken behind a proxy", true, 503, `upstream connect error or disconnect/reset before headers`,
			failure.Ambiguous, failure.Unavailable},
	}
	for _, row := range table {
		t.Run(row.name, func(t *testing.T) {
			r := call{Call: wire.Call{Op: "x", Once: row.send}, send: row.send}
			failed := wanted(t, r.refused(row.status, nil, []byte(row.body), time.Now()), row.class, row.code)
			if strings.Contains(failed.Error(), "Prisma") {
				t.Errorf("the error repeats the answer: %v", failed)
			}
		})
	}
}

// TestLookUpRefusals is the table of what the look-up of numbers fails with: the bare error.
func TestLookUpRefusals(t *testing.T) {
	boom := func(status, data, message string) string {
		return `{"data":` + data + `,"isBoom":true,"output":{"statusCode":` + status + `,"payload":{"statusCode":` +
			status + `,"message":"` + message + `"}}}`
	}
	for _, row := range []struct {
		name, body string
		class      failure.Class
		code       failure.Code
	}{
		{"no client yet", `{}`, failure.Transient, failure.NotConnected},
		{"the socket is closed", boom("428", "null", "Connection Closed"), failure.Transient, failure.NotConnected},
		{"asked too much", boom("500", "429", "An internal server error occurred"), failure.Throttled,
			failure.RateLimited},
		{"no answer of WhatsApp's", boom("408", "null", "Timed Out"), failure.Transient, failure.TimedOut},
		{"WhatsApp failed", boom("500", "500", "An internal server error occurred"), failure.Transient,
			failure.Unavailable},
		{"validation",
			`{"status":400,"error":"Bad Request","message":[["\"numbers\" must be an array of numeric strings"]]}`,
			failure.Terminal, failure.InvalidInput},
		{"not explained", ``, failure.Terminal, failure.InvalidInput},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := call{Call: wire.Call{Op: "x"}, lookUp: true}
			failed := wanted(t, r.refused(http.StatusBadRequest, nil, []byte(row.body), time.Now()), row.class,
				row.code)
			if (failed.Class == failure.Throttled) == failed.RetryAt.IsZero() {
				t.Errorf("retry at %v", failed.RetryAt)
			}
		})
	}
}

// seeds are answers of every shape for the fuzz targets.
var seeds = []string{
	``, `null`, `{}`, `[]`, `{"instance":{"instanceName":"a","state":"open"}}`, `{"error":true,"message":"x"}`,
	`{"pairingCode":"ABCD","code":"2@x","base64":"AA","count":1}`,
	`{"key":{"id":"3EB0AA"},"status":"PENDING","messageTimestamp":1790000000}`,
	`[{"jid":"553188776655@s.whatsapp.net","exists":true,"number":"5531988776655"}]`,
	`{"hash":{"apikey":"u.x"},"instance":{"status":"close"}}`,
	`[{"id":"i","name":"a","token":"u.x","connectionStatus":"open","ownerJid":"5531900000001:2@s.whatsapp.net","disconnectionReasonCode":401}]`,
	`{"status":400,"response":{"message":[{"exists":false},"Connection Closed"]}}`,
	`{"response":{"message":"rate-overlimit"}}`, `{"response":{"message":[["requires property \"textMessage\""]]}}`,
	`{"response":{"message":[[[["x"]]],{"exists":false}]}}`,
}

func addSeeds(f *testing.F) {
	for _, seed := range seeds {
		f.Add([]byte(seed))
	}
}

func FuzzParseState(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		if state, loaded, ok := parseState(body); ok && loaded && state.Connection == "" {
			t.Error("no connection")
		}
		if state, failed, ok := parsePairing(body); ok && (failed || state.Connection == "" ||
			len(state.PairCode) > wire.MaxID) {
			t.Errorf("got %+v", state)
		}
	})
}

func FuzzParseInstances(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		listed, _ := parseInstances(body)
		for _, each := range listed {
			found, ok, err := each.ours("x", identity)
			if ok == (err != nil) || ok && !strings.HasPrefix(found.Token, identity.UID+".") {
				t.Errorf("got %v, %v", ok, err)
			}
			for _, connection := range []gateway.Connection{gateway.Connected, gateway.Disconnected} {
				state := each.details(gateway.State{Connection: connection})
				if state.Phone != "" && !wire.IsPhone(state.Phone) ||
					utf8.RuneCountInString(state.DisconnectReason) > 2*wire.MaxReason {
					t.Errorf("got %+v", state)
				}
			}
		}
		if created, ok := parseCreated(body, "u.x"); ok && created.Token != "u.x" {
			t.Error("another token")
		}
	})
}

func FuzzParseSent(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		if receipt, ok := parseSent(body); ok && (receipt.MessageID == "" || len(receipt.MessageID) > wire.MaxID) {
			t.Errorf("got %+v", receipt)
		}
	})
}

func FuzzParseNumbers(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		number, ok := parseNumbers(body, customer)
		if !ok && number != (gateway.Number{}) || number.ID != "" && !number.Registered {
			t.Errorf("got %+v %v", number, ok)
		}
	})
}

func FuzzRefused(f *testing.F) {
	for _, seed := range seeds {
		f.Add(400, "30", []byte(seed))
		f.Add(503, "Fri, 01 May 2026 12:05:00 GMT", []byte(seed))
	}
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, status int, retry string, body []byte) {
		failed := call{Call: wire.Call{Op: "x", Once: true}, send: true}.refused(status,
			http.Header{"Retry-After": {retry}}, body, now)
		if (failed.Class == failure.Throttled) == failed.RetryAt.IsZero() {
			t.Errorf("%v with retry at %v", failed, failed.RetryAt)
		}
	})
}
