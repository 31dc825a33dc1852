package simulator

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"maps"
	"math"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"cartrecovery.dev/operator/internal/clip"
)

const (
	// ChatPath is where the OpenAI simulator answers; its base URL ends in /v1.
	ChatPath = "/v1/chat/completions"

	maxChatBody     = 4 << 20
	maxChatRequests = 10_000
	maxChatFaults   = 1_000
	maxChatAnswers  = 10_000
	maxChatTools    = 128
	charsPerToken   = 4
)

// OpenAIOptions set up an OpenAI simulator.
type OpenAIOptions struct {
	// APIKey every call must carry; when empty, any key does.
	APIKey string
	// Models that exist; when empty, all do.
	Models []string
	// NoSchemas refuses calls that ask for an answer of a schema.
	NoSchemas bool
	// NoTools refuses calls that offer tools, as endpoints do that know none.
	NoTools bool
	// Latency is how long an answer takes; none when nil.
	Latency func() time.Duration
	// Clock tells the time; time.Now when nil.
	Clock func() time.Time
}

// ChatMessage is one message of a ChatRequest.
type ChatMessage struct {
	Role    string
	Content string
}

// ChatRequest is what the simulator was asked.
type ChatRequest struct {
	Model    string
	Messages []ChatMessage
	// MaxTokens is max_tokens or max_completion_tokens; 0 when neither was sent.
	MaxTokens int
	// Temperature is 1, OpenAI's default, when it was not sent.
	Temperature float64
	// PresencePenalty is 0, OpenAI's default, when it was not sent.
	PresencePenalty float64
	// Tools are the names of the functions that may be called.
	Tools []string
	// Schema is the name of the schema that the answer must have; "" for none.
	Schema string
	// At is when the request came in.
	At time.Time
}

// chatFault is a failure to answer with.
type chatFault struct {
	status int
	body   string
	header http.Header
	left   int // negative: for ever
}

// chatAnswer is what to answer: a text, a call of a function, or both.
type chatAnswer struct {
	text string
	// tool is the function to call; it is left out where it was not offered.
	tool string
}

// OpenAI is an OpenAI-compatible chat endpoint that is as strict as the real one and
// answers with short Portuguese messages made from what it is asked: the same
// question always gets the same answer. A customer who asks for a person, for no more
// messages in words that are not clear, or who is somebody else gets a call of request_human,
// stop_contacting or wrong_number where that was offered. It is an http.Handler and safe for
// concurrent use.
type OpenAI struct {
	options OpenAIOptions

	mu sync.Mutex
	// requests is a ring of the last maxChatRequests; next is where the next goes.
	requests []ChatRequest
	next     int
	accepted uint64
	rejected int
	answers  []chatAnswer
	faults   []chatFault
	hold     <-chan struct{}
	// conduct is how it writes, manner how it reviews, reviews what it was asked to.
	conduct Conduct
	manner  Manner
	reviews []ChatRequest
}

// NewOpenAI returns a simulator that accepts well-formed calls and answers them.
func NewOpenAI(options OpenAIOptions) *OpenAI {
	if options.Latency == nil {
		options.Latency = func() time.Duration { return 0 }
	}
	if options.Clock == nil {
		options.Clock = time.Now
	}
	return &OpenAI{options: options}
}

// Requests returns the last 10,000 well-formed requests, oldest first. Their
// messages are shared: do not change them.
func (o *OpenAI) Requests() []ChatRequest {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Concat(o.requests[o.next:], o.requests[:o.next])
}

// Rejected returns how many calls were refused because of what they sent.
func (o *OpenAI) Rejected() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.rejected
}

// Answer makes text the next answer, after those already queued.
func (o *OpenAI) Answer(text string) { o.queue(chatAnswer{text: text}) }

// AnswerCall makes a call of a function the next answer, after those already queued, with
// a text beside it when that is not empty. A function that was not offered is not
// called: the answer is then the text alone, or what is written by default.
func (o *OpenAI) AnswerCall(tool, text string) { o.queue(chatAnswer{text: text, tool: tool}) }

func (o *OpenAI) queue(answer chatAnswer) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.answers) < maxChatAnswers {
		o.answers = append(o.answers, answer)
	}
}

// Fail makes well-formed calls fail so many times, for ever when times is negative,
// after the failures already asked for. An empty body stands for OpenAI's error of
// that status; status 0 drops the connection instead of answering.
func (o *OpenAI) Fail(status int, body string, header http.Header, times int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if times != 0 && len(o.faults) < maxChatFaults {
		o.faults = append(o.faults, chatFault{status: status, body: body, header: header.Clone(), left: times})
	}
}

// ClearFaults ends all failures and what HoldUntil asked for.
func (o *OpenAI) ClearFaults() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.faults, o.hold = nil, nil
}

// HoldUntil lets no call that comes in from now on be answered before ch is closed.
// A held call is in Requests already.
func (o *OpenAI) HoldUntil(ch <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.hold = ch
}

// ServeHTTP implements http.Handler.
func (o *OpenAI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	request, refusal := o.read(w, r)
	if refusal != nil {
		o.mu.Lock()
		o.rejected++
		o.mu.Unlock()
		refusal.write(w)
		return
	}
	if isReview(request) {
		o.review(w, r, request)
		return
	}
	number, hold := o.record(request)
	if !o.wait(r, hold) {
		return
	}
	fault, failing, answer := o.outcome()
	if failing {
		fault.write(w)
		return
	}
	if !slices.Contains(request.Tools, answer.tool) {
		answer.tool = ""
	}
	if answer == (chatAnswer{}) {
		answer = o.misbehave(request)
	}
	o.complete(w, request, number, answer)
}

// record keeps a request and returns its number and what holds its answer back.
func (o *OpenAI) record(request ChatRequest) (uint64, <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.requests) < maxChatRequests {
		o.requests = append(o.requests, request)
	} else {
		o.requests[o.next] = request
		o.next = (o.next + 1) % maxChatRequests
	}
	o.accepted++
	return o.accepted, o.hold
}

// wait takes as long as an answer takes; false when the caller has gone.
func (o *OpenAI) wait(r *http.Request, hold <-chan struct{}) bool {
	if hold != nil {
		select {
		case <-hold:
		case <-r.Context().Done():
			return false
		}
	}
	latency := o.options.Latency()
	if latency <= 0 {
		return r.Context().Err() == nil
	}
	timer := time.NewTimer(latency)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
		return false
	}
}

// outcome takes the next failure, else the next queued answer.
func (o *OpenAI) outcome() (fault chatFault, failing bool, answer chatAnswer) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.faults) > 0 {
		fault = o.faults[0]
		if fault.left > 0 {
			o.faults[0].left--
		}
		if o.faults[0].left == 0 {
			o.faults = o.faults[1:]
		}
		return fault, true, chatAnswer{}
	}
	if len(o.answers) > 0 {
		answer, o.answers = o.answers[0], o.answers[1:]
	}
	return chatFault{}, false, answer
}

func (f chatFault) write(w http.ResponseWriter) {
	if f.status == 0 {
		if connection, _, err := http.NewResponseController(w).Hijack(); err == nil {
			_ = connection.Close()
		}
		return
	}
	for name, values := range f.header {
		w.Header()[name] = slices.Clone(values)
	}
	if f.body == "" {
		openAIErrorFor(f.status).write(w)
		return
	}
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "application/json")
	}
	w.WriteHeader(f.status)
	_, _ = io.WriteString(w, f.body)
}

// openAIError is an error in OpenAI's shape.
type openAIError struct {
	status  int
	Message string  `json:"message"`
	Type    string  `json:"type"`
	Param   *string `json:"param"`
	Code    *string `json:"code"`
}

func (e *openAIError) write(w http.ResponseWriter) {
	answer(w, e.status, map[string]*openAIError{"error": e})
}

func invalidChat(status int, message, param, code string) *openAIError {
	failed := &openAIError{status: status, Message: message, Type: "invalid_request_error"}
	if param != "" {
		failed.Param = &param
	}
	if code != "" {
		failed.Code = &code
	}
	return failed
}

// openAIErrorFor is what OpenAI answers with a status.
func openAIErrorFor(status int) *openAIError {
	switch status {
	case http.StatusUnauthorized:
		return invalidChat(status, "Incorrect API key provided.", "", "invalid_api_key")
	case http.StatusTooManyRequests:
		failed := invalidChat(status, "Rate limit reached for requests.", "", "rate_limit_exceeded")
		failed.Type = "requests"
		return failed
	case http.StatusServiceUnavailable:
		failed := invalidChat(status, "The engine is currently overloaded, please try again later.", "", "")
		failed.Type = "server_error"
		return failed
	}
	failed := invalidChat(status, "The server had an error while processing your request. Sorry about that!", "", "")
	if status >= 500 {
		failed.Type = "server_error"
	}
	return failed
}

// read checks a call as the real endpoint does.
func (o *OpenAI) read(w http.ResponseWriter, r *http.Request) (ChatRequest, *openAIError) {
	if r.URL.Path != ChatPath {
		return ChatRequest{}, invalidChat(http.StatusNotFound, fmt.Sprintf("Invalid URL (%s %s)", r.Method, r.URL.Path),
			"", "")
	}
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return ChatRequest{}, invalidChat(http.StatusMethodNotAllowed,
			fmt.Sprintf("Not allowed to %s on %s. (HINT: Perhaps you meant to use a different HTTP method?)", r.Method,
				r.URL.Path),
			"", "method_not_supported")
	}
	if refusal := o.authorise(r); refusal != nil {
		return ChatRequest{}, refusal
	}
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxChatBody))
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return ChatRequest{}, invalidChat(http.StatusRequestEntityTooLarge, "The request is too large.", "", "")
	}
	var fields map[string]json.RawMessage
	if err != nil || json.Unmarshal(raw, &fields) != nil || fields == nil {
		return ChatRequest{}, invalidChat(http.StatusBadRequest, "We could not parse the JSON body of your request.",
			"", "")
	}
	request, refusal := parseChat(fields)
	if refusal != nil {
		return ChatRequest{}, refusal
	}
	if len(o.options.Models) > 0 && !slices.Contains(o.options.Models, request.Model) {
		return ChatRequest{}, invalidChat(http.StatusNotFound,
			"The model `"+request.Model+"` does not exist or you do not have access to it.", "", "model_not_found")
	}
	if o.options.NoTools && fields["tools"] != nil {
		return ChatRequest{}, invalidChat(http.StatusBadRequest, "Unknown parameter: 'tools'.", "tools",
			"unknown_parameter")
	}
	if o.options.NoSchemas && request.Schema != "" {
		return ChatRequest{}, invalidChat(http.StatusBadRequest,
			"Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model.",
			"response_format", "")
	}
	request.At = o.options.Clock()
	return request, nil
}

func (o *OpenAI) authorise(r *http.Request) *openAIError {
	key, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	switch {
	case !ok || key == "":
		return invalidChat(http.StatusUnauthorized,
			"You didn't provide an API key. You need to provide your API key in an "+
				"Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).", "", "")
	case o.options.APIKey != "" && key != o.options.APIKey:
		return invalidChat(http.StatusUnauthorized,
			fmt.Sprintf("Incorrect API key provided: %s.", maskKey(key)), "", "invalid_api_key")
	}
	return nil
}

// maskKey hides the middle of a key, as OpenAI's error does.
func maskKey(key string) string {
	if len(key) <= 12 {
		return strings.Repeat("*", len(key))
	}
	return key[:8] + strings.Repeat("*", len(key)-12) + key[len(key)-4:]
}

// chatParameters are the parameters of a chat completion the simulator accepts; those
// with a check are looked into.
var chatParameters = map[string]func(raw json.RawMessage, request *ChatRequest) string{
	"model":                 readChatModel,
	"messages":              nil, // see parseChat
	"max_tokens":            readChatTokens,
	"max_completion_tokens": readChatTokens,
	"temperature": func(raw json.RawMessage, request *ChatRequest) string {
		return readChatNumber(raw, 0, 2, &request.Temperature)
	},
	"presence_penalty": func(raw json.RawMessage, request *ChatRequest) string {
		return readChatNumber(raw, -2, 2, &request.PresencePenalty)
	},
	"frequency_penalty": func(raw json.RawMessage, _ *ChatRequest) string {
		return readChatNumber(raw, -2, 2, new(float64))
	},
	"top_p": func(raw json.RawMessage, _ *ChatRequest) string {
		return readChatNumber(raw, 0, 1, new(float64))
	},
	"n":                func(raw json.RawMessage, _ *ChatRequest) string { return wantChatJSON(raw, "1") },
	"stream":           func(raw json.RawMessage, _ *ChatRequest) string { return wantChatJSON(raw, "false") },
	"user":             nil,
	"stop":             nil,
	"seed":             nil,
	"store":            nil,
	"metadata":         nil,
	"service_tier":     nil,
	"reasoning_effort": nil,
	"response_format":  readChatFormat,
	"tools":            readChatTools,
	"tool_choice":      func(raw json.RawMessage, _ *ChatRequest) string { return wantChatJSON(raw, `"auto"`) },
}

// parseChat reads the parameters of a call; it reports the first thing wrong.
func parseChat(fields map[string]json.RawMessage) (ChatRequest, *openAIError) {
	request := ChatRequest{Temperature: 1}
	for _, required := range []string{"model", "messages"} {
		if raw, ok := fields[required]; !ok || string(raw) == "null" {
			return request, invalidChat(http.StatusBadRequest,
				fmt.Sprintf("Missing required parameter: '%s'.", required), required, "missing_required_parameter")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		raw := fields[name]
		check, known := chatParameters[name]
		if !known {
			return request, invalidChat(http.StatusBadRequest, fmt.Sprintf("Unknown parameter: '%s'.", name), name,
				"unknown_parameter")
		}
		if check == nil || string(raw) == "null" {
			continue
		}
		if wanted := check(raw, &request); wanted != "" {
			return request, invalidChat(http.StatusBadRequest,
				fmt.Sprintf("Invalid value for '%s': expected %s.", name, wanted), name, "invalid_value")
		}
	}
	var refusal *openAIError
	request.Messages, refusal = parseChatMessages(fields["messages"])
	return request, refusal
}

// parseChatMessages reads the messages of a call.
func parseChatMessages(raw json.RawMessage) ([]ChatMessage, *openAIError) {
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		return nil, invalidChat(http.StatusBadRequest,
			"Invalid type for 'messages': expected an array of objects.", "messages", "invalid_type")
	}
	if len(list) == 0 {
		return nil, invalidChat(http.StatusBadRequest, "Invalid 'messages': empty array. "+
			"Expected an array with minimum length 1, but got an empty array instead.", "messages", "empty_array")
	}
	messages := make([]ChatMessage, 0, len(list))
	for i, item := range list {
		var message struct {
			Role    *string         `json:"role"`
			Content json.RawMessage `json:"content"`
		}
		at := fmt.Sprintf("messages[%d]", i)
		if json.Unmarshal(item, &message) != nil {
			return nil, invalidChat(http.StatusBadRequest, fmt.Sprintf("Invalid type for '%s': expected an object.",
				at), at, "invalid_type")
		}
		if message.Role == nil || !slices.Contains([]string{"system", "developer", "user", "assistant", "tool",
			"function"}, *message.Role) {
			return nil, invalidChat(http.StatusBadRequest,
				fmt.Sprintf("Invalid value for '%s.role'. Supported values are: "+
					"'system', 'assistant', 'user', 'function', 'tool', and 'developer'.", at), at+".role",
				"invalid_value")
		}
		content, ok := readChatContent(message.Content)
		if !ok {
			return nil, invalidChat(http.StatusBadRequest, fmt.Sprintf(
				"Invalid type for '%s.content': expected a string or an array of text parts.", at), at+".content",
				"invalid_type")
		}
		messages = append(messages, ChatMessage{Role: *message.Role, Content: content})
	}
	return messages, nil
}

// readChatContent reads a message's content: a text, or text parts.
func readChatContent(raw json.RawMessage) (string, bool) {
	var text *string
	if json.Unmarshal(raw, &text) == nil {
		if text == nil {
			return "", false
		}
		return *text, true
	}
	var parts []struct {
		Type string  `json:"type"`
		Text *string `json:"text"`
	}
	if json.Unmarshal(raw, &parts) != nil || len(parts) == 0 {
		return "", false
	}
	var all strings.Builder
	for _, part := range parts {
		if part.Type != "text" || part.Text == nil {
			return "", false
		}
		all.WriteString(*part.Text)
	}
	return all.String(), true
}

func readChatModel(raw json.RawMessage, request *ChatRequest) string {
	if json.Unmarshal(raw, &request.Model) != nil || request.Model == "" {
		return "a model name"
	}
	return ""
}

func readChatTokens(raw json.RawMessage, request *ChatRequest) string {
	if json.Unmarshal(raw, &request.MaxTokens) != nil || request.MaxTokens < 1 {
		return "a whole number of at least 1"
	}
	return ""
}

// chatFunctionName is what a function may be called.
var chatFunctionName = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,64}$`)

func readChatTools(raw json.RawMessage, request *ChatRequest) string {
	var tools []struct {
		Type     string `json:"type"`
		Function struct {
			Name        string          `json:"name"`
			Description string          `json:"description"`
			Strict      bool            `json:"strict"`
			Parameters  json.RawMessage `json:"parameters"`
		} `json:"function"`
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	if decoder.Decode(&tools) != nil || len(tools) == 0 || len(tools) > maxChatTools {
		return fmt.Sprintf("an array of 1 to %d tools", maxChatTools)
	}
	for _, tool := range tools {
		var schema struct {
			Type string `json:"type"`
		}
		known := tool.Function.Parameters == nil || json.Unmarshal(tool.Function.Parameters, &schema) == nil &&
			schema.Type == "object"
		if tool.Type != "function" || !chatFunctionName.MatchString(tool.Function.Name) || !known {
			return "functions, each with a name of letters, digits, _ and - and, when it has parameters, the schema " +
				"of an object"
		}
		request.Tools = append(request.Tools, tool.Function.Name)
	}
	return ""
}

func readChatNumber(raw json.RawMessage, least, most float64, value *float64) string {
	if json.Unmarshal(raw, value) != nil || math.IsNaN(*value) || *value < least || *value > most {
		return fmt.Sprintf("a number between %g and %g", least, most)
	}
	return ""
}

func wantChatJSON(raw json.RawMessage, only string) string {
	if strings.TrimSpace(string(raw)) != only {
		return only + ", the only value that is simulated"
	}
	return ""
}

// chatCompletion is the answer to a call.
type chatCompletion struct {
	ID                string       `json:"id"`
	Object            string       `json:"object"`
	Created           int64        `json:"created"`
	Model             string       `json:"model"`
	Choices           []chatChoice `json:"choices"`
	Usage             chatUsage    `json:"usage"`
	SystemFingerprint string       `json:"system_fingerprint"`
}

type chatChoice struct {
	Index        int             `json:"index"`
	Message      chatCompletedBy `json:"message"`
	LogProbs     *struct{}       `json:"logprobs"`
	FinishReason string          `json:"finish_reason"`
}

type chatCompletedBy struct {
	Role      string         `json:"role"`
	Content   *string        `json:"content"`
	Refusal   *string        `json:"refusal"`
	ToolCalls []chatToolCall `json:"tool_calls,omitempty"`
}

type chatToolCall struct {
	ID       string           `json:"id"`
	Type     string           `json:"type"`
	Function chatFunctionCall `json:"function"`
}

type chatFunctionCall struct {
	Name      string `json:"name"`
	Arguments string `json:"arguments"`
}

type chatUsage struct {
	Prompt     int `json:"prompt_tokens"`
	Completion int `json:"completion_tokens"`
	Total      int `json:"total_tokens"`
}

// complete answers a call; its text is cut off where its tokens end.
func (o *OpenAI) complete(w http.ResponseWriter, request ChatRequest, number uint64, made chatAnswer) {
	text, finish := made.text, "stop"
	if request.MaxTokens > 0 && countTokens(text) > request.MaxTokens {
		most := request.MaxTokens * charsPerToken
		for !utf8.RuneStart(text[most]) {
			most--
		}
		text, finish = text[:most], "length"
	}
	usage := chatUsage{Completion: countTokens(text) + countTokens(made.tool)}
	for _, message := range request.Messages {
		usage.Prompt += countTokens(message.Content) + 4
	}
	usage.Total = usage.Prompt + usage.Completion
	completed := chatCompletedBy{Role: "assistant", Content: &text}
	if made.tool != "" {
		finish = "tool_calls"
		completed.ToolCalls = []chatToolCall{{
			ID: fmt.Sprintf("call_%016x", number), Type: "function", Function: chatFunctionCall{Name: made.tool,
				Arguments: "{}"},
		}}
		if text == "" {
			completed.Content = nil
		}
	}
	w.Header().Set("X-Request-Id", fmt.Sprintf("req_%016x", number))
	answer(w, http.StatusOK, chatCompletion{
		ID: fmt.Sprintf("chatcmpl-%08x%016x", chatHash(request.Messages), number), Object: "chat.completion",
		Created: o.options.Clock().Unix(), Model: request.Model, Usage: usage, SystemFingerprint: "fp_simulated",
		Choices: []chatChoice{{Message: completed, FinishReason: finish}},
	})
}

func countTokens(text string) int {
	return (len(text) + charsPerToken - 1) / charsPerToken
}

func chatHash(messages []ChatMessage) uint32 {
	sum := fnv.New32a()
	for _, message := range messages {
		_, _ = io.WriteString(sum, message.Role)
		_, _ = sum.Write([]byte{0})
		_, _ = io.WriteString(sum, message.Content)
		_, _ = sum.Write([]byte{0})
	}
	return sum.Sum32()
}

// chatFacts is what the simulator understands of a prompt.
type chatFacts struct {
	name, product, link, coupon string
	// question is the customer's last message, empty when there is nothing to
	// answer.
	question string
}

// readChatFacts looks for lines like "Cliente: Maria" in the system messages, in
// Portuguese or English.
func readChatFacts(messages []ChatMessage) chatFacts {
	var facts chatFacts
	for _, message := range messages {
		switch message.Role {
		case "system", "developer":
			for line := range strings.Lines(message.Content) {
				facts.readLine(strings.TrimSpace(line))
			}
		}
	}
	if last := messages[len(messages)-1]; last.Role == "user" {
		facts.question = shortenChat(last.Content, 60)
	}
	return facts
}

func (f *chatFacts) readLine(line string) {
	if f.link == "" {
		f.link = findChatLink(line)
	}
	label, value, ok := strings.Cut(line, ":")
	if !ok || len(label) > 20 {
		return
	}
	value = strings.TrimSpace(value)
	var known *string
	switch strings.ToLower(strings.TrimSpace(label)) {
	case "cliente", "customer", "name", "nome":
		known = &f.name
		value, _, _ = strings.Cut(value, " ")
	case "produto", "product":
		known = &f.product
	case "cupom", "coupon":
		known = &f.coupon
		value, _, _ = strings.Cut(value, " ")
	default:
		return
	}
	if *known == "" {
		*known = shortenChat(value, 80)
	}
}

func findChatLink(line string) string {
	for _, scheme := range []string{"https://", "http://"} {
		if start := strings.Index(line, scheme); start >= 0 {
			link, _, _ := strings.Cut(line[start:], " ")
			return strings.TrimRight(link, ".,;)\"'")
		}
	}
	return ""
}

// shortenChat makes one line of at most so many characters of a text.
func shortenChat(text string, most int) string {
	return clip.Marked(strings.Join(strings.Fields(clip.Bytes(text, most*8)), " "), most)
}

var (
	chatGreetings = []string{"Oi%s!", "Olá%s, tudo bem?", "Oi%s, tudo certo?", "Olá%s!"}
	chatOpenings  = []string{
		"Vi que você quase garantiu %s e parou no caminho. Ficou alguma dúvida?",
		"Seu carrinho com %s continua guardado. Posso te ajudar a finalizar?",
		"Passei para saber se deu algo errado na compra de %s. Quer uma mãozinha?",
		"Notei que a compra de %s não foi concluída. Está tudo bem por aí?",
	}
	chatReplies = []string{
		`Sobre "%s": posso te explicar direitinho com o que sei de %s.`,
		`Entendi, você disse "%s". Vamos resolver isso juntos para você aproveitar %s.`,
		`Boa pergunta! Sobre "%s", te ajudo no que precisar com %s.`,
		`Claro! Quanto a "%s", fico por aqui para te ajudar com %s.`,
	}
)

// chatTools are the functions that the simulator calls, and the questions it calls them at,
// in the three languages: a person, no more messages, and somebody else's number.
var chatTools = []struct {
	name  string
	calls *regexp.Regexp
}{
	{"wrong_number",
		regexp.MustCompile(
			`(?i)\b(?:n[ãa]o (?:te )?conhe[çc]o|n[ãa]o sei quem (?:é|e|eh)|no (?:te |lo |la )?conozco|don'?t know (?:you|who)|outra pessoa|otra persona)`)},
	{"stop_contacting",
		regexp.MustCompile(
			`(?i)(?:\bpara por favor|\bpor favor,? para\s*$|cancel(?:ar|a|e) (?:o |meu |minha |mi )?(?:cadastro|registro|assinatura|suscripci[óo]n)|` +
				`\bme deixa\s*$|\bd[ée]jame\s*$|no quiero saber nada|had enough|tire meu nome|👎)`)},
	{"request_human", regexp.MustCompile(`(?i)\b(?:pessoa|humano|human|persona)\b`)},
}

// writeChat answers a prompt.
func writeChat(request ChatRequest) chatAnswer {
	facts := readChatFacts(request.Messages)
	for _, tool := range chatTools {
		if slices.Contains(request.Tools, tool.name) && tool.calls.MatchString(facts.question) {
			return chatAnswer{tool: tool.name}
		}
	}
	return chatAnswer{text: writeChatText(facts, int(chatHash(request.Messages)))}
}

// writeChatText writes a message; variant chooses its words.
func writeChatText(facts chatFacts, variant int) string {
	pick := func(texts []string) string {
		text := texts[variant%len(texts)]
		variant /= len(texts)
		return text
	}
	name, product := facts.name, facts.product
	if name != "" {
		name = ", " + name
	}
	if product == "" {
		product = "o seu produto"
	}
	var text strings.Builder
	if facts.question != "" {
		fmt.Fprintf(&text, pick(chatReplies), facts.question, product)
	} else {
		fmt.Fprintf(&text, pick(chatGreetings), name)
		text.WriteString(" ")
		fmt.Fprintf(&text, pick(chatOpenings), product)
		if facts.coupon != "" {
			text.WriteString(" O cupom " + facts.coupon + " está valendo.")
		}
	}
	if facts.link != "" {
		text.WriteString("\n" + facts.link)
	}
	return text.String()
}
