package ai

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"cartrecovery.dev/operator/internal/failure"
)

const (
	testKey  = "sk-test-0123456789"
	testText = "meu segredo: comprei para a Ana"
)

var testNow = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// endpoint serves one fixed answer and keeps what it was asked.
type endpoint struct {
	*httptest.Server
	mu      sync.Mutex
	request *http.Request
	body    map[string]any
}

func serve(t *testing.T, status int, header map[string]string, body string) *endpoint {
	t.Helper()
	served := &endpoint{}
	served.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		served.mu.Lock()
		served.request = r
		_ = json.Unmarshal(raw, &served.body)
		served.mu.Unlock()
		for name, value := range header {
			w.Header().Set(name, value)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(served.Close)
	return served
}

func writer() *OpenAI {
	own := NewOpenAI(nil)
	own.now = func() time.Time { return testNow }
	return own
}

func request(url string) Request {
	return Request{
		Endpoint: Endpoint{BaseURL: url + "/v1/", APIKey: testKey + "\n"}, Model: DefaultModel,
		MaxTokens: DefaultMaxTokens, Temperature: DefaultTemperature, PresencePenalty: DefaultPresencePenalty,
		Messages: []Message{{System, "be kind"}, {Assistant, "oi"}, {User, testText}},
	}
}

// inJSON writes what JSON can always say.
func inJSON(value any) string {
	content, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return string(content)
}

func completion(text, finish string) string {
	return fmt.Sprintf(
		`{"id":"x","object":"chat.completion","model":"m","choices":[{"index":0,"message":{"role":"assistant",`+
			`"content":%s},"finish_reason":%q}],"usage":{"prompt_tokens":12,"completion_tokens":5,"total_tokens":17}}`,
		inJSON(text), finish)
}

// mustFail writes and returns the classed failure, having checked that it is safe to show.
func mustFail(t *testing.T, own *OpenAI, r Request) (Answer, *failure.Error) {
	t.Helper()
	answer, err := own.Write(t.Context(), r)
	failed, ok := failure.As(err)
	if !ok {
		t.Fatalf("got %v, %v; want a classed failure", answer, err)
	}
	if answer.Text != "" || failed.Op == "" || failed.Detail == "" {
		t.Errorf("got %+v with %+v", answer, failed)
	}
	for _, secret := range []string{testKey, "sk-", "segredo", "Ana", "be kind", "127.0.0.1"} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("the failure tells %q: %v", secret, err)
		}
	}
	return answer, failed
}

func TestOpenAIWritesTheRequest(t *testing.T) {
	served := serve(t, 200, nil, completion("  \"Oi, Maria!\"\n", "stop"))
	answer, err := writer().Write(t.Context(), request(served.URL))
	if err != nil || answer.Text != "Oi, Maria!" || answer.Usage != (Usage{Prompt: 12, Completion: 5}) ||
		answer.Usage.Total() != 17 {
		t.Fatalf("got %+v, %v", answer, err)
	}
	if r := served.request; r.Method != http.MethodPost || r.URL.Path != "/v1/chat/completions" ||
		r.Header.Get("Authorization") != "Bearer "+testKey {
		t.Errorf("got %s %s", r.Method, r.URL)
	}
	want := map[string]any{
		"model": "gpt-4o-mini", "max_tokens": 150.0, "temperature": 0.7, "presence_penalty": 0.6, "stream": false,
		"messages": []any{
			map[string]any{"role": "system", "content": "be kind"},
			map[string]any{"role": "assistant", "content": "oi"},
			map[string]any{"role": "user", "content": testText},
		},
	}
	if got, wanted := fmt.Sprint(served.body), fmt.Sprint(want); got != wanted {
		t.Errorf("got  %s\nwant %s", got, wanted)
	}
}

func TestOpenAITemperatureZeroIsSent(t *testing.T) {
	served := serve(t, 200, nil, completion("oi", "stop"))
	r := request(served.URL)
	r.Temperature = 0
	if _, err := writer().Write(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	got, ok := served.body["temperature"].(float64)
	if !ok || got <= 0 || got > 1e-40 {
		t.Errorf("got temperature %v", served.body["temperature"])
	}
}

func TestOpenAIReasoningModels(t *testing.T) {
	served := serve(t, 200, nil, completion("oi", "stop"))
	for _, model := range []string{"gpt-5-mini", "o4-mini"} {
		r := request(served.URL)
		r.Model = model
		if _, err := writer().Write(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		_, temperature := served.body["temperature"]
		if temperature || served.body["max_completion_tokens"] != 150.0 {
			t.Errorf("%s: got %v", model, served.body)
		}
	}
}

func apiError(kind, code string) string {
	return fmt.Sprintf(`{"error":{"message":"bad key sk-te***6789 for: %s","type":%q,"param":null,"code":%s}}`,
		testText, kind, code)
}

func TestOpenAIClassifiesStatus(t *testing.T) {
	in := testNow.Add
	after := func(value string) map[string]string { return map[string]string{"Retry-After": value} }
	resets := map[string]string{
		"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1m12s",
		"x-ratelimit-remaining-tokens": "7", "x-ratelimit-reset-tokens": "30m",
	}
	for name, c := range map[string]struct {
		status  int
		header  map[string]string
		body    string
		class   failure.Class
		code    failure.Code
		retryAt time.Time
		detail  string
	}{
		"rate limit, seconds": {429, after("7"), apiError("tokens", `"rate_limit_exceeded"`), failure.Throttled,
			failure.RateLimited, in(7 * time.Second), "(rate_limit_exceeded)"},
		"rate limit, date": {429, after("Wed, 04 Mar 2026 12:02:00 GMT"), "{}", failure.Throttled,
			failure.RateLimited, in(2 * time.Minute), "too many"},
		"date in the past": {429, after("Wed, 04 Mar 2020 12:02:00 GMT"), "", failure.Throttled, failure.RateLimited,
			in(time.Second), ""},
		"too short": {429, after("0"), "", failure.Throttled, failure.RateLimited, in(time.Second), ""},
		"negative":  {429, after("-5"), "", failure.Throttled, failure.RateLimited, time.Time{}, ""},
		"too long": {429, after("999999999999999999999"), "", failure.Throttled, failure.RateLimited,
			in(time.Hour), ""},
		"not a number": {429, after("NaN"), "", failure.Throttled, failure.RateLimited, time.Time{}, ""},
		"fraction": {429, after("1.5"), "", failure.Throttled, failure.RateLimited,
			in(1500 * time.Millisecond), ""},
		"milliseconds": {429, map[string]string{"Retry-After-Ms": "2500", "Retry-After": "9"}, "",
			failure.Throttled, failure.RateLimited, in(2500 * time.Millisecond), ""},
		"nonsense": {429, after("soon"), "", failure.Throttled, failure.RateLimited, time.Time{}, ""},
		"silent": {429, nil, `{"error":"slow down"}`, failure.Throttled, failure.RateLimited, time.Time{},
			""},
		"reset headers": {429, resets, "", failure.Throttled, failure.RateLimited, in(72 * time.Second), ""},
		"quota": {429, after("3"), apiError("insufficient_quota", `"insufficient_quota"`),
			failure.Throttled, failure.RateLimited, in(10 * time.Minute), "quota is exhausted"},
		"quota by type": {429, after("1800"), apiError("insufficient_quota", "null"), failure.Throttled,
			failure.RateLimited, in(30 * time.Minute), "quota is exhausted"},
		"billing limit": {400, nil, apiError("invalid_request_error", `"billing_hard_limit_reached"`),
			failure.Throttled, failure.RateLimited, in(10 * time.Minute), "quota is exhausted"},
		"payment required": {402, nil, "", failure.Throttled, failure.RateLimited, in(10 * time.Minute),
			"quota is exhausted"},
		"unavailable, asked": {503, after("20"), "<html>", failure.Throttled, failure.Unavailable, in(20 * time.Second),
			""},
		"unavailable": {503, nil, "", failure.Transient, failure.Unavailable, time.Time{}, ""},
		"key": {401, nil, apiError("invalid_request_error", `"invalid_api_key"`), failure.Terminal,
			failure.Unauthorized, time.Time{}, "key (invalid_api_key)"},
		"forbidden": {403, nil, "", failure.Terminal, failure.Unauthorized, time.Time{}, ""},
		"model": {404, nil, apiError("invalid_request_error", `"model_not_found"`), failure.Terminal,
			failure.NotFound, time.Time{}, "no such model"},
		"model as 400": {400, nil, apiError("invalid_request_error", `"model_not_found"`), failure.Terminal,
			failure.NotFound, time.Time{}, "no such model"},
		"bad request": {400, nil, apiError("invalid_request_error", "17"), failure.Terminal, failure.InvalidInput,
			time.Time{}, "(17)"},
		"unsafe words": {400, nil, apiError("Ana diz oi", `"sk-abc"`), failure.Terminal, failure.InvalidInput,
			time.Time{}, "did not accept the request"},
		"unprocessable":   {422, nil, "", failure.Terminal, failure.InvalidInput, time.Time{}, ""},
		"too large":       {413, nil, "", failure.Terminal, failure.InvalidInput, time.Time{}, ""},
		"conflict":        {409, nil, "", failure.Transient, failure.Unavailable, time.Time{}, ""},
		"request timeout": {408, nil, "", failure.Transient, failure.TimedOut, time.Time{}, ""},
		"server error": {500, nil, apiError("server_error", "null"), failure.Transient, failure.Unavailable,
			time.Time{}, "(server_error)"},
		"overloaded": {529, after("5"), "", failure.Transient, failure.Unavailable, time.Time{}, ""},
		"long error": {502, nil, strings.Repeat("x", MaxAnswer+10), failure.Transient, failure.Unavailable,
			time.Time{}, ""},
		"redirect": {302, map[string]string{"Location": "http://127.0.0.1:1/"}, "", failure.Terminal,
			failure.Misconfigured, time.Time{}, "redirects"},
		"not modified": {304, nil, "", failure.Terminal, failure.Misconfigured, time.Time{}, "redirects"},
	} {
		t.Run(name, func(t *testing.T) {
			_, failed := mustFail(t, writer(), request(serve(t, c.status, c.header, c.body).URL))
			if failed.Class != c.class || failed.Code != c.code || !failed.RetryAt.Equal(c.retryAt) ||
				failed.Status != c.status ||
				!strings.Contains(failed.Detail, c.detail) {
				t.Errorf("got %+v", failed)
			}
		})
	}
}

func TestOpenAIClassifiesAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		body   string
		usage  int64
		detail string
	}{
		"no choices": {`{"choices":[],"usage":{"prompt_tokens":3}}`, 3, "no choice"},
		"empty":      {completion(" \n\"\" ", "stop"), 17, "no text"},
		"filtered":   {completion("Oi", "content_filter"), 17, "content filter"},
		"cut short":  {completion("palavr", "length"), 17, "used up its tokens"},
		"refusal": {`{"choices":[{"message":{"role":"assistant","content":null,"refusal":"Ana? no"}}]}`, 0,
			"refused"},
		"html":        {"<html>Ana</html>", 0, "not a chat completion"},
		"nothing":     {"", 0, "not a chat completion"},
		"wrong types": {`{"choices":"Ana"}`, 0, "not a chat completion"},
		"negative":    {`{"choices":[],"usage":{"prompt_tokens":-3}}`, 0, "no choice"},
		"too long":    {completion(strings.Repeat("a", MaxAnswer), "stop"), 0, "longer than"},
	} {
		t.Run(name, func(t *testing.T) {
			answer, failed := mustFail(t, writer(), request(serve(t, 200, nil, c.body).URL))
			if failed.Class != failure.Transient || failed.Code != failure.InvalidAnswer || failed.Status != 200 ||
				!strings.Contains(failed.Detail, c.detail) || answer.Usage.Total() != c.usage {
				t.Errorf("got %+v with usage %+v", failed, answer.Usage)
			}
		})
	}
}

func TestOpenAICutsAtASentence(t *testing.T) {
	served := serve(t, 200, nil, completion("Oi, Maria! Veja: https://pay.exam", "length"))
	answer, err := writer().Write(t.Context(), request(served.URL))
	if err != nil || answer.Text != "Oi, Maria!" {
		t.Errorf("got %+v, %v", answer, err)
	}
}

func TestOpenAIRefusesWithoutCalling(t *testing.T) {
	served := serve(t, 200, nil, completion("oi", "stop"))
	for name, c := range map[string]struct {
		change func(*Request)
		code   failure.Code
	}{
		"scheme":  {func(r *Request) { r.Endpoint.BaseURL = "ftp://host/v1" }, failure.Misconfigured},
		"no host": {func(r *Request) { r.Endpoint.BaseURL = "https:///v1" }, failure.Misconfigured},
		"credentials": {func(r *Request) { r.Endpoint.BaseURL = "https://u:" + testKey + "@host/v1" },
			failure.Misconfigured},
		"query": {func(r *Request) { r.Endpoint.BaseURL = "https://host/v1?key=" + testKey },
			failure.Misconfigured},
		"not a URL":   {func(r *Request) { r.Endpoint.BaseURL = "https://%zz/" + testKey }, failure.Misconfigured},
		"broken key":  {func(r *Request) { r.Endpoint.APIKey = "sk-a\r\nX: y" }, failure.Misconfigured},
		"no model":    {func(r *Request) { r.Model = "" }, failure.Misconfigured},
		"other model": {func(r *Request) { r.Model = "text-davinci-003" }, failure.InvalidInput},
		"no messages": {func(r *Request) { r.Messages = nil }, failure.InvalidInput},
		"no text":     {func(r *Request) { r.Messages = []Message{{System, "a"}, {User, " "}} }, failure.InvalidInput},
		"not finite":  {func(r *Request) { r.Temperature = float32(math.NaN()) }, failure.InvalidInput},
	} {
		t.Run(name, func(t *testing.T) {
			r := request(served.URL)
			c.change(&r)
			_, failed := mustFail(t, writer(), r)
			if failed.Class != failure.Terminal || failed.Code != c.code || failed.Status != 0 {
				t.Errorf("got %+v", failed)
			}
		})
	}
	if served.request != nil {
		t.Error("the endpoint was called")
	}
}

func TestOpenAINetwork(t *testing.T) {
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	dropped := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if connection, _, err := http.NewResponseController(w).Hijack(); err == nil {
			_ = connection.Close()
		}
	}))
	defer dropped.Close()
	half := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		_, _ = io.WriteString(w, `{"choices":`)
	}))
	defer half.Close()
	certificate := httptest.NewUnstartedServer(http.NotFoundHandler())
	certificate.Config.ErrorLog = log.New(io.Discard, "", 0)
	certificate.StartTLS()
	defer certificate.Close()
	for name, c := range map[string]struct{ url, detail string }{
		"refused":     {closed.URL, "refused"},
		"dropped":     {dropped.URL, "connection"},
		"half":        {half.URL, "connection"},
		"certificate": {certificate.URL, "certificate"},
	} {
		t.Run(name, func(t *testing.T) {
			_, failed := mustFail(t, writer(), request(c.url))
			if failed.Class != failure.Transient || failed.Code != failure.Unavailable ||
				!strings.Contains(failed.Detail, c.detail) {
				t.Errorf("got %+v", failed)
			}
		})
	}
}

type noHost struct{}

func (noHost) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "sk-secret.example",
		IsNotFound: true}}
}

func TestOpenAIUnknownHost(t *testing.T) {
	_, failed := mustFail(t, NewOpenAI(&http.Client{Transport: noHost{}}), request("https://sk-secret.example"))
	if failed.Class != failure.Transient || failed.Code != failure.Unavailable || !strings.Contains(failed.Detail,
		"resolved") {
		t.Errorf("got %+v", failed)
	}
}

func TestOpenAITimeouts(t *testing.T) {
	release := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	defer slow.Close()
	defer close(release)
	own := writer()
	own.timeout = 20 * time.Millisecond
	_, failed := mustFail(t, own, request(slow.URL))
	if failed.Class != failure.Transient || failed.Code != failure.TimedOut || failed.Detail != "no answer in time" {
		t.Errorf("own timeout: got %+v", failed)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := writer().Write(ctx, request(slow.URL))
	if failed, ok := failure.As(err); !ok || failed.Code != failure.TimedOut || !strings.Contains(failed.Detail,
		"cancelled") {
		t.Errorf("cancelled: got %v", err)
	}
	if errors.Is(err, context.Canceled) {
		t.Error("the failure carries the cause's text along")
	}
}

func TestNewHTTPClientIsBounded(t *testing.T) {
	client := NewHTTPClient()
	if client.Timeout != Timeout || client.CheckRedirect == nil {
		t.Errorf("got %+v", client)
	}
	given := &http.Client{}
	own := NewOpenAI(given)
	if given.CheckRedirect != nil || own.client.CheckRedirect == nil {
		t.Error("NewOpenAI changed the client it was given")
	}
}

func TestOpenAIReusesConnections(t *testing.T) {
	var mu sync.Mutex
	connections := map[string]bool{}
	served := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		connections[r.RemoteAddr] = true
		mu.Unlock()
		_, _ = io.WriteString(w, completion("oi", "stop")+strings.Repeat("\n", 8192))
	}))
	defer served.Close()
	own := writer()
	for range 5 {
		if _, err := own.Write(t.Context(), request(served.URL)); err != nil {
			t.Fatal(err)
		}
	}
	if len(connections) != 1 {
		t.Errorf("5 calls took %d connections", len(connections))
	}
}
