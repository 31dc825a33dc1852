package ai

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	openai "github.com/sashabaranov/go-openai"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/clip"
	"cartrecovery.dev/operator/internal/failure"
	"cartrecovery.dev/operator/internal/outbound"
)

const (
	opWrite = "ai: write"

	// quotaWait is how long an endpoint whose quota is used up is left alone; only
	// a person can change that, and asking more often changes nothing.
	quotaWait = 10 * time.Minute
	// maxWait bounds how long an endpoint is left alone that asks for it.
	maxWait = time.Hour
)

var (
	errRedirected = errors.New("the endpoint answered with a redirect")
	errTooLong    = errors.New("the answer is longer than allowed")
)

// OpenAI is the Writer for OpenAI and for every endpoint that speaks its chat
// completions protocol. It is safe for concurrent use.
type OpenAI struct {
	// client calls the operator's own endpoint, guarded those that Stores name.
	client, guarded *http.Client

	now     func() time.Time
	timeout time.Duration
	// toolless are the endpoints that are offered no tools.
	toolless toolless
	// schemaless are the endpoints that are given no schema for a review.
	schemaless toolless
}

var _ Writer = (*OpenAI)(nil)

// NewOpenAI returns a Writer that calls over client, or over NewHTTPClient's when client is nil,
// and endpoints that Stores name over a guarded client with the strictest rules; see Guard.
// Redirects are never followed, whatever client says.
func NewOpenAI(client *http.Client) *OpenAI {
	if client == nil {
		client = NewHTTPClient()
	}
	o := &OpenAI{client: outbound.WithoutRedirects(client), now: time.Now, timeout: Timeout}
	return o.Guard(outbound.NewGuardedClient(Timeout, outbound.Rules{}))
}

// Guard has endpoints that Stores name called over client. It is for before the first call.
func (o *OpenAI) Guard(client *http.Client) *OpenAI {
	o.guarded = outbound.WithoutRedirects(client)
	return o
}

// NewHTTPClient returns the client of the operator's own endpoint; see outbound.NewClient.
func NewHTTPClient() *http.Client { return outbound.NewClient(Timeout) }

// NewGuardedClient returns the client of endpoints that Stores name; see
// outbound.NewGuardedClient.
func NewGuardedClient(rules outbound.Rules) *http.Client {
	return outbound.NewGuardedClient(Timeout, rules)
}

// Write asks the endpoint for one text. When the endpoint answered but its answer
// cannot be used, the Answer beside the error still carries the Usage it cost. An endpoint
// that refuses tools is asked once more without them, within the same time.
func (o *OpenAI) Write(ctx context.Context, request Request) (Answer, error) {
	config, err := clientConfig(request.Endpoint)
	if err != nil {
		return Answer{}, err
	}
	if err := checkRequest(request); err != nil {
		return Answer{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	key := toollessKey(request)
	if o.toolless.has(key, o.now()) {
		request.OfferHuman, request.OfferStop = false, false
	}
	answer, call, err := o.call(ctx, config, request)
	if err == nil || !request.offersTools() || !refusesTools(call.status, call.refusal) {
		return answer, err
	}
	request.OfferHuman, request.OfferStop = false, false
	answer, _, err = o.call(ctx, config, request)
	if err == nil {
		o.toolless.add(key, o.now())
	}
	return answer, err
}

// call makes one call and reads its answer.
func (o *OpenAI) call(ctx context.Context, config openai.ClientConfig, request Request) (Answer, *exchange, error) {
	call := &exchange{client: o.clientFor(request.Endpoint)}
	config.HTTPClient = call
	response, err := openai.NewClientWithConfig(config).CreateChatCompletion(ctx, chatRequest(request))
	if err != nil {
		return Answer{}, call, o.classify(call, err)
	}
	answer, err := readAnswer(response, call, &request)
	return answer, call, err
}

// clientFor is the client that may call an endpoint.
func (o *OpenAI) clientFor(endpoint Endpoint) *http.Client {
	if endpoint.Named {
		return o.guarded
	}
	return o.client
}

// clientConfig turns an Endpoint into the client's configuration.
func clientConfig(endpoint Endpoint) (openai.ClientConfig, error) {
	base := endpoint.BaseURL
	if base == "" {
		base = DefaultBaseURL
	}
	if _, err := outbound.ParseBase(base); err != nil {
		return openai.ClientConfig{}, wrongSetting(
			"the AI base URL must look like https://host/v1, without credentials, query or fragment")
	}
	key := strings.TrimSpace(endpoint.APIKey)
	if !outbound.Sendable(key) {
		return openai.ClientConfig{},
			wrongSetting("the AI key holds characters no key has (space, line break, non-ASCII)")
	}
	config := openai.DefaultConfig(key)
	config.BaseURL = strings.TrimRight(strings.TrimSpace(base), "/")
	return config, nil
}

// checkRequest finds what the endpoint would only refuse.
func checkRequest(request Request) error {
	if request.Model == "" {
		return wrongSetting("no AI model is set")
	}
	if len(request.Messages) == 0 {
		return invalidInput("the prompt holds no message")
	}
	for _, message := range request.Messages {
		if strings.TrimSpace(message.Text) == "" {
			return invalidInput("the prompt holds an empty message")
		}
	}
	return nil
}

func wrongSetting(detail string) *failure.Error {
	return &failure.Error{Class: failure.Terminal, Code: failure.Misconfigured, Op: opWrite, Detail: detail}
}

func invalidInput(detail string) *failure.Error {
	return &failure.Error{Class: failure.Terminal, Code: failure.InvalidInput, Op: opWrite, Detail: detail}
}

// chatRequest writes a Request in the protocol's terms.
func chatRequest(request Request) openai.ChatCompletionRequest {
	chat := openai.ChatCompletionRequest{
		Model:    request.Model,
		Messages: make([]openai.ChatCompletionMessage, 0, len(request.Messages)),
	}
	for _, message := range request.Messages {
		chat.Messages = append(chat.Messages, openai.ChatCompletionMessage{
			Role: string(message.Role), Content: message.Text,
		})
	}
	if request.offersTools() {
		chat.Tools = request.tools()
	}
	if reasons(request.Model) {
		chat.MaxCompletionTokens = request.MaxTokens
		return chat
	}
	chat.MaxTokens = request.MaxTokens //nolint:staticcheck // what OpenAI-compatible endpoints understand
	chat.PresencePenalty = request.PresencePenalty
	chat.Temperature = request.Temperature
	if chat.Temperature == 0 {
		// The client leaves a zero out, which would mean the endpoint's default of 1.
		chat.Temperature = math.SmallestNonzeroFloat32
	}
	return chat
}

// reasons tells the models that take neither temperature nor presence penalty and
// count their thoughts as part of the answer.
func reasons(model string) bool {
	for _, family := range []string{"o1", "o3", "o4", "gpt-5", "gpt-6"} {
		if strings.HasPrefix(model, family) {
			return true
		}
	}
	return false
}

// readAnswer takes the text out of a well-formed response, and the customer's wishes where
// the request offered functions for them.
func readAnswer(response openai.ChatCompletionResponse, call *exchange, request *Request) (Answer, error) {
	answer, status := Answer{Usage: call.usage}, call.status
	if len(response.Choices) == 0 {
		return answer, invalidAnswer(status, "the answer holds no choice")
	}
	choice := response.Choices[0]
	wished := request.wishes(choice.Message.ToolCalls)
	text := CleanAnswer(clip.Bytes(choice.Message.Content, maxContent))
	switch choice.FinishReason {
	case openai.FinishReasonContentFilter:
		return answer, invalidAnswer(status, "the provider's content filter stopped the answer")
	case openai.FinishReasonLength:
		text = wholeSentences(text)
		if text == "" && !wished.wishes() {
			return answer, invalidAnswer(status,
				"the model used up its tokens before it finished a word; allow it more")
		}
	}
	switch {
	case text != "" || wished.wishes():
		wished.Text, wished.Usage = text, answer.Usage
		return wished, nil
	case choice.Message.Refusal != "":
		return answer, invalidAnswer(status, "the model refused to answer")
	}
	return answer, invalidAnswer(status, "the answer holds no text")
}

func invalidAnswer(status int, detail string) *failure.Error {
	return &failure.Error{
		Class: failure.Transient, Code: failure.InvalidAnswer, Op: opWrite, Status: status, Detail: detail,
	}
}

// exchange does one HTTP call of a Write. It reads the whole answer, bounded,
// and keeps of it what the client does not hand on.
type exchange struct {
	client *http.Client
	// sent is true once the call was tried.
	sent bool
	// status and header are the answer's; 0 and nil when there was none.
	status int
	header http.Header
	// broken is why the answer did not arrive, or not completely.
	broken error
	// refusal is what the endpoint wrote with a status that is an error; never to be shown.
	refusal []byte
	// usage is what a completion says that it cost, bounded.
	usage Usage
}

// Do implements the client's HTTPDoer.
func (e *exchange) Do(request *http.Request) (*http.Response, error) {
	e.sent = true
	response, err := e.client.Do(request)
	if err != nil {
		e.broken = err
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	e.status, e.header = response.StatusCode, response.Header
	if e.status >= 300 && e.status < 400 {
		e.broken = errRedirected
		return nil, e.broken
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, MaxAnswer+1))
	if err == nil && len(body) > MaxAnswer {
		err = errTooLong
	}
	if err != nil {
		e.broken = err
		return nil, err
	}
	if e.status >= 400 {
		e.refusal = body
	} else {
		body, e.usage = takeUsage(body)
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	return response, nil
}

// classify says what a failed call means.
func (o *OpenAI) classify(call *exchange, err error) *failure.Error {
	failed := &failure.Error{Class: failure.Transient, Op: opWrite, Status: call.status}
	switch {
	case !call.sent:
		failed.Class, failed.Code = failure.Terminal, failure.InvalidInput
		failed.Detail = "the request could not be written: the model or a parameter is not one the chat protocol takes"
	case errors.Is(call.broken, errRedirected):
		failed.Class, failed.Code = failure.Terminal, failure.Misconfigured
		failed.Detail = "the endpoint redirects, which is not followed: set the AI base URL to where it leads"
	case call.status >= 400:
		o.classifyStatus(failed, call.header, providerWords(err))
	case errors.Is(call.broken, errTooLong):
		failed.Code, failed.Detail = failure.InvalidAnswer, fmt.Sprintf("the answer is longer than %d bytes", MaxAnswer)
	case outbound.Refusal(call.broken) != "":
		failed.Class, failed.Code, failed.Reason = failure.Terminal, failure.Misconfigured,
			v1alpha1.ReasonEndpointNotAllowed
		failed.Detail = "spec.ai.baseURL: " + outbound.Refusal(call.broken)
	case call.broken != nil:
		failed.Code, failed.Detail = networkCause(call.broken)
	default:
		failed.Code, failed.Detail = failure.InvalidAnswer, "the answer is not a chat completion"
	}
	return failed
}

// classifyStatus says what an error status means; words are the provider's own for
// it.
func (o *OpenAI) classifyStatus(failed *failure.Error, header http.Header, words []string) {
	wait, asked := retryAfter(header, o.now())
	failed.Class, failed.Code, failed.Detail = statusCause(failed.Status)
	switch {
	case failed.Status == http.StatusPaymentRequired || slices.ContainsFunc(words, outOfQuota):
		failed.Class, failed.Code = failure.Throttled, failure.RateLimited
		failed.Detail = "the account's quota is exhausted: check its plan and billing"
		wait, asked = max(wait, quotaWait), true
	case failed.Status == http.StatusTooManyRequests && !asked:
		wait, asked = rateLimitReset(header)
	case failed.Status == http.StatusServiceUnavailable && asked:
		failed.Class = failure.Throttled
	case slices.Contains(words, "model_not_found"):
		failed.Class, failed.Code, failed.Detail = statusCause(http.StatusNotFound)
	}
	if failed.Class == failure.Throttled && asked {
		failed.RetryAt = o.now().Add(wait)
	}
	if len(words) > 0 {
		failed.Detail += " (" + words[0] + ")"
	}
}

// outOfQuota tells an account that cannot pay from one that asks too often.
func outOfQuota(word string) bool {
	return word == "insufficient_quota" || word == "billing_hard_limit_reached" || word == "billing_not_active"
}

// statusCause is what a status means when nothing else is known.
func statusCause(status int) (failure.Class, failure.Code, string) {
	switch status {
	case http.StatusTooManyRequests:
		return failure.Throttled, failure.RateLimited, "too many calls or tokens"
	case http.StatusUnauthorized, http.StatusForbidden:
		return failure.Terminal, failure.Unauthorized, "the endpoint refused the AI key"
	case http.StatusNotFound:
		return failure.Terminal, failure.NotFound, "the endpoint has no such model or path"
	case http.StatusRequestTimeout:
		return failure.Transient, failure.TimedOut, "the endpoint gave up waiting"
	case http.StatusConflict, http.StatusTooEarly:
		return failure.Transient, failure.Unavailable, "the endpoint asks to try again"
	}
	if status >= 500 {
		return failure.Transient, failure.Unavailable, "the endpoint failed"
	}
	return failure.Terminal, failure.InvalidInput, "the endpoint did not accept the request"
}

// providerWords returns the provider's code for an error and its type, where they are known ones.
// Its message is never shown, because it may repeat the prompt or the key.
func providerWords(err error) []string {
	var refused *openai.APIError
	if !errors.As(err, &refused) {
		return nil
	}
	words := []string{fmt.Sprint(refused.Code), refused.Type}
	return slices.DeleteFunc(words, func(word string) bool {
		return !isKnownWord(word)
	})
}

// networkCause says why no complete answer came. A call that was cancelled may have been paid for, like one that
// timed out.
func networkCause(err error) (failure.Code, string) {
	if outbound.TimedOut(err) || errors.Is(err, context.Canceled) {
		return failure.TimedOut, outbound.Cause(err)
	}
	return failure.Unavailable, outbound.Cause(err)
}

// retryAfter reads how long the endpoint asks to be left alone; false when it does not say, or not intelligibly.
func retryAfter(header http.Header, now time.Time) (time.Duration, bool) {
	if wait, ok := outbound.RetryAfterMilliseconds(header, maxWait); ok {
		return wait, true
	}
	return outbound.RetryAfter(header, now, maxWait)
}

// rateLimitReset reads when the limit that is used up is reset, from OpenAI's own
// headers; false when none says so.
func rateLimitReset(header http.Header) (time.Duration, bool) {
	wait, found := time.Duration(0), false
	for _, limit := range []string{"Requests", "Tokens"} {
		if header.Get("X-Ratelimit-Remaining-"+limit) != "0" {
			continue
		}
		reset, err := time.ParseDuration(header.Get("X-Ratelimit-Reset-" + limit))
		if err == nil {
			wait, found = max(wait, outbound.BoundWait(reset, maxWait)), true
		}
	}
	return wait, found
}
