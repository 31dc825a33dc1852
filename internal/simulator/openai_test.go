package simulator_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"cartrecovery.dev/operator/internal/ai"
	"cartrecovery.dev/operator/internal/failure"
	"cartrecovery.dev/operator/internal/guard"
	"cartrecovery.dev/operator/internal/simulator"
)

const openAIKey = "sk-simulated-0123456789"

func openAIServer(t testing.TB, options simulator.OpenAIOptions) (*simulator.OpenAI, *httptest.Server) {
	t.Helper()
	options.APIKey = openAIKey
	simulated := simulator.NewOpenAI(options)
	server := httptest.NewServer(simulated)
	t.Cleanup(server.Close)
	return simulated, server
}

func openAIRequest(t testing.TB, server *httptest.Server, question string) ai.Request {
	t.Helper()
	prompt, err := ai.ParsePrompt(ai.DefaultSystemPrompt)
	if err != nil {
		t.Fatal(err)
	}
	system, err := prompt.Render(ai.PromptData{
		Store: ai.PromptStore{Name: "Loja Sol"}, Product: ai.PromptProduct{Name: "Curso de Violão"},
		Customer: ai.PromptCustomer{Name: "MARIA DA SILVA"}, CheckoutURL: "https://pay.example.com/c/42",
		Coupon: ai.PromptCoupon{Code: "VOLTA10"}, Trigger: "AbandonedCart", IsReply: question != "",
	})
	if err != nil {
		t.Fatal(err)
	}
	messages := ai.Compose(system, nil, ai.DefaultHistoryMessages, ai.StepInstruction("first"))
	if question != "" {
		messages = ai.Compose(system, []ai.Message{{Role: ai.User, Text: question}}, ai.DefaultHistoryMessages, "")
	}
	return ai.Request{
		Endpoint: ai.Endpoint{BaseURL: server.URL + "/v1", APIKey: openAIKey}, Model: ai.DefaultModel,
		MaxTokens: ai.DefaultMaxTokens, Temperature: ai.DefaultTemperature, PresencePenalty: ai.DefaultPresencePenalty,
		Messages: messages,
	}
}

// openAIWrite calls the simulator with the operator's own client.
func openAIWrite(t testing.TB, request ai.Request) (ai.Answer, *failure.Error) {
	t.Helper()
	answer, err := ai.NewOpenAI(nil).Write(context.Background(), request)
	if err == nil {
		return answer, nil
	}
	failed, ok := failure.As(err)
	if !ok || strings.Contains(err.Error(), openAIKey[:8]) {
		t.Fatalf("not classed, or tells the key: %v", err)
	}
	return answer, failed
}

func TestOpenAIAnswers(t *testing.T) {
	now := time.Date(2026, 5, 1, 9, 0, 0, 0, time.UTC)
	simulated, server := openAIServer(t, simulator.OpenAIOptions{Clock: func() time.Time { return now }})
	first, failed := openAIWrite(t, openAIRequest(t, server, ""))
	if failed != nil {
		t.Fatal(failed)
	}
	for _, want := range []string{", Maria", "Curso de Violão", "VOLTA10", "\nhttps://pay.example.com/c/42"} {
		if !strings.Contains(first.Text, want) {
			t.Errorf("%q misses %q", first.Text, want)
		}
	}
	if first.Usage.Prompt < 300 || first.Usage.Completion < 10 {
		t.Errorf("usage %+v", first.Usage)
	}
	if again, _ := openAIWrite(t, openAIRequest(t, server, "")); again != first {
		t.Errorf("the same question got %q and %q", first.Text, again.Text)
	}
	reply, _ := openAIWrite(t, openAIRequest(t, server, "Tem garantia?\nE parcela?"))
	if !strings.Contains(reply.Text, `"Tem garantia? E parcela?"`) {
		t.Errorf("got %q", reply.Text)
	}
	seen := map[string]bool{}
	for i := range 64 {
		answer, _ := openAIWrite(t, openAIRequest(t, server, fmt.Sprintf("pergunta %d", i)))
		seen[strings.Replace(answer.Text, fmt.Sprintf("pergunta %d", i), "", 1)] = true
	}
	if len(seen) < 4 {
		t.Errorf("64 questions got answers of %d kinds", len(seen))
	}
	requests := simulated.Requests()
	got := requests[0]
	if len(requests) != 67 || got.Model != ai.DefaultModel || got.MaxTokens != 150 || got.Temperature != 0.7 ||
		got.PresencePenalty != 0.6 || !got.At.Equal(now) || len(got.Messages) != 3 || got.Messages[0].Role != "system" {
		t.Errorf("%d requests, first %+v", len(requests), got)
	}
}

func TestOpenAIAnswersWhatIsQueued(t *testing.T) {
	simulated, server := openAIServer(t, simulator.OpenAIOptions{})
	simulated.Answer("um")
	simulated.Answer("Primeira frase. " + strings.Repeat("é", 1000))
	for _, want := range []string{"um", "Primeira frase."} {
		if answer, failed := openAIWrite(t, openAIRequest(t, server, "oi")); failed != nil || answer.Text != want {
			t.Errorf("got %q, %v; want %q", answer.Text, failed, want)
		}
	}
	if answer, _ := openAIWrite(t, openAIRequest(t, server, "oi")); !strings.Contains(answer.Text, `"oi"`) {
		t.Errorf("got %q", answer.Text)
	}
}

func TestOpenAICallsForAPerson(t *testing.T) {
	simulated, server := openAIServer(t, simulator.OpenAIOptions{})
	offered, silent := openAIRequest(t, server, "Quero falar com uma pessoa!"), openAIRequest(t, server,
		"Quero falar com uma pessoa!")
	offered.OfferHuman = true
	other := openAIRequest(t, server, "Tem garantia?")
	other.OfferHuman = true
	for name, c := range map[string]struct {
		request    ai.Request
		human, any bool
	}{
		"asked for and offered": {offered, true, false},
		"not offered":           {silent, false, true},
		"not asked for":         {other, false, true},
	} {
		answer, failed := openAIWrite(t, c.request)
		if failed != nil || answer.WantsHuman != c.human || (answer.Text != "") != c.any || answer.Usage.Total() == 0 {
			t.Errorf("%s: got %+v, %v", name, answer, failed)
		}
	}
	for _, request := range simulated.Requests() {
		if len(request.Tools) > 1 || len(request.Tools) == 1 && request.Tools[0] != ai.HumanTool {
			t.Errorf("offered %q", request.Tools)
		}
	}
	for _, c := range []struct {
		tool, text string
		request    ai.Request
		want       ai.Answer
	}{
		{ai.HumanTool, "", other, ai.Answer{WantsHuman: true}},
		{ai.HumanTool, "Já chamo.", other, ai.Answer{WantsHuman: true, Text: "Já chamo."}},
		{ai.HumanTool, "Já chamo.", silent, ai.Answer{Text: "Já chamo."}},
		{"drop_table", "Oi!", other, ai.Answer{Text: "Oi!"}},
	} {
		simulated.AnswerCall(c.tool, c.text)
		answer, failed := openAIWrite(t, c.request)
		answer.Usage = ai.Usage{}
		if failed != nil || answer != c.want {
			t.Errorf("%+v: got %+v, %v", c.want, answer, failed)
		}
	}
}

// TestOpenAICallsToStop: texts that no pattern sees are called for where that was offered.
func TestOpenAICallsToStop(t *testing.T) {
	_, server := openAIServer(t, simulator.OpenAIOptions{})
	for text, want := range map[string]ai.Answer{
		"para por favor": {WantsStop: true}, "cancela meu cadastro": {WantsStop: true},
		"Cancelar assinatura": {WantsStop: true}, "👎": {WantsStop: true}, "não conheço": {WrongNumber: true},
		"No la conozco": {WrongNumber: true}, "quero falar com uma pessoa": {WantsHuman: true},
		"para mim está ótimo, como pago?": {}, "tem garantia?": {},
	} {
		request := openAIRequest(t, server, text)
		if answer, failed := openAIWrite(t, request); failed != nil || answer.WantsStop || answer.WrongNumber ||
			answer.Text == "" {
			t.Errorf("%q, nothing offered: got %+v, %v", text, answer, failed)
		}
		request.OfferHuman, request.OfferStop = true, true
		answer, failed := openAIWrite(t, request)
		if failed != nil || answer.WantsStop != want.WantsStop || answer.WrongNumber != want.WrongNumber ||
			answer.WantsHuman != want.WantsHuman {
			t.Errorf("%q: got %+v, %v, want %+v", text, answer, failed, want)
		}
	}
}

func TestOpenAIWithoutTools(t *testing.T) {
	simulated, server := openAIServer(t, simulator.OpenAIOptions{NoTools: true})
	request, own := openAIRequest(t, server, "Quero uma pessoa"), ai.NewOpenAI(nil)
	request.OfferHuman = true
	for range 3 {
		if answer, err := own.Write(t.Context(), request); err != nil || answer.WantsHuman || answer.Text == "" {
			t.Fatalf("got %+v, %v", answer, err)
		}
	}
	if simulated.Rejected() != 1 || len(simulated.Requests()) != 3 {
		t.Errorf("%d refused, %d accepted", simulated.Rejected(), len(simulated.Requests()))
	}
}

// What is written by default must pass the guard, or every simulated store would be blocked.
func TestOpenAIWritesWhatMayBeSent(t *testing.T) {
	_, server := openAIServer(t, simulator.OpenAIOptions{})
	questions := []string{"", "Tem garantia?", "Tem desconto?", "E boleto?", "me dá frete grátis", "oi",
		"quanto custa, em 12x?"}
	for i := range 40 {
		questions = append(questions, fmt.Sprintf("pergunta %d", i))
	}
	for _, question := range questions {
		request := openAIRequest(t, server, question)
		answer, failed := openAIWrite(t, request)
		if failed != nil {
			t.Fatal(failed)
		}
		facts := guard.Facts{
			Prompt: request.Messages[0].Text, Hosts: []string{"pay.example.com"}, Coupon: "VOLTA10", Locale: "pt-BR",
			Customer: []string{question},
		}
		if refusal := guard.Check(answer.Text, facts); refusal != nil && !strings.Contains(question, "12x") {
			t.Errorf("asked %q, writes %q: %s", question, answer.Text, refusal.Reason)
		}
	}
}

func openAICall(t *testing.T, server *httptest.Server, method, path, authorization, body string) (int, map[string]any) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", authorization)
	response, err := server.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	var answer struct {
		Error map[string]any `json:"error"`
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, answer.Error
}

func TestOpenAIIsStrict(t *testing.T) {
	simulated, server := openAIServer(t, simulator.OpenAIOptions{Models: []string{"gpt-4o-mini"}})
	bearer := "Bearer " + openAIKey
	valid := `{"model":"gpt-4o-mini","messages":[{"role":"user","content":"oi"}]`
	cases := []struct {
		name, method, path, authorization, body string
		status                                  int
		param, code                             any
	}{
		{"no key", http.MethodPost, simulator.ChatPath, "", valid + "}", 401, nil, nil},
		{"basic", http.MethodPost, simulator.ChatPath, "Basic eDp5", valid + "}", 401, nil, nil},
		{"wrong key", http.MethodPost, simulator.ChatPath, "Bearer sk-other-0123456789", valid + "}", 401, nil,
			"invalid_api_key"},
		{"path", http.MethodPost, "/chat/completions", bearer, valid + "}", 404, nil, nil},
		{"method", "GET", simulator.ChatPath, bearer, "", 405, nil, "method_not_supported"},
		{"no JSON", http.MethodPost, simulator.ChatPath, bearer, "{", 400, nil, nil},
		{"no object", http.MethodPost, simulator.ChatPath, bearer, "null", 400, nil, nil},
		{"too large", http.MethodPost, simulator.ChatPath, bearer, strings.Repeat("x", 5<<20), 413, nil, nil},
		{"no model", http.MethodPost, simulator.ChatPath, bearer, `{"messages":[]}`, 400, "model",
			"missing_required_parameter"},
		{"null model", http.MethodPost, simulator.ChatPath, bearer, `{"model":null,"messages":[]}`, 400, "model",
			"missing_required_parameter"},
		{"model type", http.MethodPost, simulator.ChatPath, bearer, `{"model":4,"messages":[]}`, 400, "model",
			"invalid_value"},
		{"other model", http.MethodPost, simulator.ChatPath, bearer, strings.Replace(valid, "mini", "maxi", 1) + "}",
			404, nil,
			"model_not_found"},
		{"no messages", http.MethodPost, simulator.ChatPath, bearer, `{"model":"m"}`, 400, "messages",
			"missing_required_parameter"},
		{"messages type", http.MethodPost, simulator.ChatPath, bearer, `{"model":"m","messages":"oi"}`, 400, "messages",
			"invalid_type"},
		{"empty messages", http.MethodPost, simulator.ChatPath, bearer, `{"model":"m","messages":[]}`, 400, "messages",
			"empty_array"},
		{"message type", http.MethodPost, simulator.ChatPath, bearer, `{"model":"m","messages":["oi"]}`, 400,
			"messages[0]",
			"invalid_type"},
		{"role", http.MethodPost, simulator.ChatPath, bearer, `{"model":"m","messages":[{"role":"x","content":"oi"}]}`,
			400,
			"messages[0].role", "invalid_value"},
		{"no role", http.MethodPost, simulator.ChatPath, bearer, `{"model":"m","messages":[{"content":"oi"}]}`, 400,
			"messages[0].role", "invalid_value"},
		{"no content", http.MethodPost, simulator.ChatPath, bearer, `{"model":"m","messages":[{"role":"user"}]}`, 400,
			"messages[0].content", "invalid_type"},
		{"content null", http.MethodPost, simulator.ChatPath, bearer,
			`{"model":"m","messages":[{"role":"user","content":null}]}`, 400, "messages[0].content", "invalid_type"},
		{"content part", http.MethodPost, simulator.ChatPath, bearer,
			`{"model":"m","messages":[{"role":"user","content":[{"type":"image_url"}]}]}`, 400, "messages[0].content",
			"invalid_type"},
		{"tokens", http.MethodPost, simulator.ChatPath, bearer, valid + `,"max_tokens":0}`, 400, "max_tokens",
			"invalid_value"},
		{"tokens type", http.MethodPost, simulator.ChatPath, bearer, valid + `,"max_tokens":"150"}`, 400, "max_tokens",
			"invalid_value"},
		{"temperature", http.MethodPost, simulator.ChatPath, bearer, valid + `,"temperature":2.1}`, 400, "temperature",
			"invalid_value"},
		{"penalty", http.MethodPost, simulator.ChatPath, bearer, valid + `,"presence_penalty":-3}`, 400,
			"presence_penalty",
			"invalid_value"},
		{"stream", http.MethodPost, simulator.ChatPath, bearer, valid + `,"stream":true}`, 400, "stream",
			"invalid_value"},
		{"tools type", http.MethodPost, simulator.ChatPath, bearer, valid + `,"tools":{}}`, 400, "tools",
			"invalid_value"},
		{"no tools", http.MethodPost, simulator.ChatPath, bearer, valid + `,"tools":[]}`, 400, "tools",
			"invalid_value"},
		{"tool kind", http.MethodPost, simulator.ChatPath, bearer, valid + `,"tools":[{"type":"web_search"}]}`, 400,
			"tools",
			"invalid_value"},
		{"tool name", http.MethodPost, simulator.ChatPath, bearer,
			valid + `,"tools":[{"type":"function","function":{"name":"a b"}}]}`, 400, "tools", "invalid_value"},
		{"tool field", http.MethodPost, simulator.ChatPath, bearer,
			valid + `,"tools":[{"type":"function","function":{"nome":"a"}}]}`, 400, "tools", "invalid_value"},
		{"tool schema", http.MethodPost, simulator.ChatPath, bearer,
			valid + `,"tools":[{"type":"function","function":{"name":"a","parameters":{"type":"string"}}}]}`, 400,
			"tools", "invalid_value"},
		{"tool choice", http.MethodPost, simulator.ChatPath, bearer, valid + `,"tool_choice":"required"}`, 400,
			"tool_choice",
			"invalid_value"},
		{"unknown", http.MethodPost, simulator.ChatPath, bearer, valid + `,"maxTokens":1}`, 400, "maxTokens",
			"unknown_parameter"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			status, got := openAICall(t, server, c.method, c.path, c.authorization, c.body)
			if status != c.status || got["param"] != c.param || got["code"] != c.code || got["message"] == "" ||
				got["type"] != "invalid_request_error" {
				t.Errorf("got %d %v", status, got)
			}
			if strings.Contains(fmt.Sprint(got), "sk-other-0123456789") {
				t.Errorf("tells the key: %v", got)
			}
		})
	}
	if simulated.Rejected() != len(cases) || len(simulated.Requests()) != 0 {
		t.Errorf("%d rejected, %d accepted", simulated.Rejected(), len(simulated.Requests()))
	}
	parts := strings.Replace(valid, `"oi"`, `[{"type":"text","text":"o"},{"type":"text","text":"i"}]`, 1)
	if status, failed := openAICall(t, server, http.MethodPost, simulator.ChatPath, bearer,
		parts+`,"user":null,"n":1}`); status != 200 {
		t.Fatalf("got %d %v", status, failed)
	}
	if got := simulated.Requests()[0]; got.Messages[0].Content != "oi" || got.Temperature != 1 || got.MaxTokens != 0 {
		t.Errorf("got %+v", got)
	}
}

func TestOpenAIFails(t *testing.T) {
	simulated, server := openAIServer(t, simulator.OpenAIOptions{})
	request := openAIRequest(t, server, "oi")
	simulated.Fail(429, "", http.Header{"Retry-After": {"30"}}, 1)
	simulated.Fail(0, "", nil, 1)
	simulated.Fail(500, "<html>", http.Header{"Content-Type": {"text/html"}}, 2)
	simulated.Fail(401, "", nil, 1)
	simulated.Fail(418, "", nil, 0)
	simulated.Fail(200, `{"choices":[]}`, nil, -1)
	for i, want := range []failure.Code{
		failure.RateLimited, failure.Unavailable, failure.Unavailable, failure.Unavailable, failure.Unauthorized,
		failure.InvalidAnswer, failure.InvalidAnswer, failure.InvalidAnswer,
	} {
		_, failed := openAIWrite(t, request)
		if failed == nil || failed.Code != want {
			t.Fatalf("call %d: got %v, want %s", i, failed, want)
		}
		if want == failure.RateLimited && time.Until(failed.RetryAt) < 20*time.Second {
			t.Errorf("retry at %s", failed.RetryAt)
		}
	}
	simulated.ClearFaults()
	if _, failed := openAIWrite(t, request); failed != nil {
		t.Error(failed)
	}
	if got := len(simulated.Requests()); got != 9 {
		t.Errorf("%d requests kept", got)
	}
	simulated.Fail(503, "", nil, 1)
	status, got := openAICall(t, server, http.MethodPost, simulator.ChatPath, "Bearer "+openAIKey,
		`{"model":"m","messages":[{"role":"user","content":"oi"}]}`)
	if status != 503 || got["type"] != "server_error" {
		t.Errorf("got %d %v", status, got)
	}
}

func TestOpenAIHoldsAndTakesItsTime(t *testing.T) {
	var mu sync.Mutex
	latency := time.Duration(0)
	simulated, server := openAIServer(t, simulator.OpenAIOptions{Latency: func() time.Duration {
		mu.Lock()
		defer mu.Unlock()
		return latency
	}})
	request := openAIRequest(t, server, "oi")
	held := make(chan struct{})
	simulated.HoldUntil(held)
	answered := make(chan ai.Answer, 1)
	go func() {
		answer, _ := ai.NewOpenAI(nil).Write(context.Background(), request)
		answered <- answer
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := ai.NewOpenAI(nil).Write(ctx, request); failure.CodeOf(err) != failure.TimedOut {
		t.Errorf("held: got %v", err)
	}
	if len(answered) != 0 {
		t.Error("answered while held")
	}
	close(held)
	if answer := <-answered; answer.Text == "" {
		t.Error("not answered when released")
	}
	mu.Lock()
	latency = time.Hour
	mu.Unlock()
	ctx, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := ai.NewOpenAI(nil).Write(ctx, request); failure.CodeOf(err) != failure.TimedOut {
		t.Errorf("slow: got %v", err)
	}
}

func TestOpenAIKeepsTheLastRequests(t *testing.T) {
	simulated := simulator.NewOpenAI(simulator.OpenAIOptions{})
	ask := func(i int) int {
		body := fmt.Sprintf(`{"model":"m","messages":[{"role":"user","content":"%d"}]}`, i)
		request := httptest.NewRequest(http.MethodPost, simulator.ChatPath, strings.NewReader(body))
		request.Header.Set("Authorization", "Bearer any")
		recorder := httptest.NewRecorder()
		simulated.ServeHTTP(recorder, request)
		return recorder.Code
	}
	for i := range 10_050 {
		if status := ask(i); status != 200 {
			t.Fatalf("got %d", status)
		}
	}
	requests := simulated.Requests()
	if len(requests) != 10_000 || requests[0].Messages[0].Content != "50" ||
		requests[9999].Messages[0].Content != "10049" {
		t.Errorf("%d requests, %v to %v", len(requests), requests[0].Messages, requests[len(requests)-1].Messages)
	}
}

func TestOpenAIConcurrently(t *testing.T) {
	simulated, server := openAIServer(t, simulator.OpenAIOptions{})
	request := openAIRequest(t, server, "oi")
	own := ai.NewOpenAI(server.Client())
	var calls sync.WaitGroup
	for range 20 {
		calls.Go(func() {
			for range 10 {
				if answer, err := own.Write(context.Background(), request); err != nil || answer.Text == "" {
					t.Errorf("got %+v, %v", answer, err)
				}
				_ = simulated.Requests()
			}
		})
	}
	calls.Wait()
	if got := len(simulated.Requests()); got != 200 {
		t.Errorf("%d requests", got)
	}
}

func BenchmarkOpenAI(b *testing.B) {
	simulated := simulator.NewOpenAI(simulator.OpenAIOptions{})
	server := httptest.NewServer(simulated)
	defer server.Close()
	request := openAIRequest(b, server, "Tem garantia?")
	var body bytes.Buffer
	messages := make([]map[string]string, 0, len(request.Messages))
	for _, message := range request.Messages {
		messages = append(messages, map[string]string{"role": string(message.Role), "content": message.Text})
	}
	if err := json.NewEncoder(&body).Encode(map[string]any{"model": "m", "messages": messages}); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		call := httptest.NewRequest(http.MethodPost, simulator.ChatPath, bytes.NewReader(body.Bytes()))
		call.Header.Set("Authorization", "Bearer any")
		recorder := httptest.NewRecorder()
		simulated.ServeHTTP(recorder, call)
		if _, err := io.Copy(io.Discard, recorder.Body); err != nil || recorder.Code != 200 {
			b.Fatal(recorder.Code, err)
		}
	}
}
