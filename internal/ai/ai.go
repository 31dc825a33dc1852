// Package ai writes messages: the prompt built from a template and the
// conversation, and the call to an OpenAI-compatible chat endpoint.
package ai

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"strings"
	"time"
)

// Timeout bounds one call to the AI. It is shorter than a reconcile may take.
const Timeout = 30 * time.Second

// MaxAnswer bounds an answer of the endpoint in bytes.
const MaxAnswer = 1 << 20

// DefaultTokensPerLead is the default of a Store's ai.leadTokenBudget: some 60 answers with a long
// prompt, for which gpt-4o-mini costs about two US cents.
const DefaultTokensPerLead = 100_000

// The old backend's parameters, used where a Store sets none.
const (
	DefaultModel           = "gpt-4o-mini"
	DefaultMaxTokens       = 150
	DefaultTemperature     = float32(0.7)
	DefaultPresencePenalty = float32(0.6)
	DefaultHistoryMessages = 6
	DefaultBaseURL         = "https://api.openai.com/v1"
)

// Role is who speaks in a prompt.
type Role string

const (
	// System is the instruction to the AI.
	System Role = "system"
	// User is the customer.
	User Role = "user"
	// Assistant is the AI, or a person of the store.
	Assistant Role = "assistant"
)

// Message is one message of a prompt.
type Message struct {
	Role Role
	Text string
}

// Endpoint is where the AI is and what authorises calls to it.
type Endpoint struct {
	// BaseURL of the OpenAI-compatible API, for example https://api.openai.com/v1.
	BaseURL string
	// APIKey is a secret.
	APIKey string
	// Named says that a Store names the endpoint, and not the operator.
	Named bool
}

// Format keeps the key out of every log line and error, however it is printed.
func (e Endpoint) Format(state fmt.State, _ rune) {
	_, _ = fmt.Fprint(state, "AI endpoint")
}

// ID names the endpoint and the key, so that what the service says of one account can be
// remembered for it. It is a hash and tells neither.
func (e Endpoint) ID() string {
	base := strings.TrimRight(cmp.Or(e.BaseURL, DefaultBaseURL), "/")
	sum := sha256.Sum256([]byte(base + "\x00" + strings.TrimSpace(e.APIKey)))
	return hex.EncodeToString(sum[:12])
}

// Request is one text to write.
type Request struct {
	Endpoint        Endpoint
	Model           string
	MaxTokens       int
	Temperature     float32
	PresencePenalty float32
	// Messages is the whole prompt, system message first.
	Messages []Message
	// OfferHuman lets the AI ask for a person instead of writing, or beside it, by calling
	// HumanTool.
	OfferHuman bool
	// OfferStop lets the AI say that the customer wants no more messages, or is somebody else,
	// by calling StopTool or WrongNumberTool.
	OfferStop bool
}

// offersTools says whether the request offers any function.
func (r *Request) offersTools() bool { return r.OfferHuman || r.OfferStop }

const (
	// bytesPerToken is fewer than a token has in any language customers are written to in,
	// so that an estimate is rather too high.
	bytesPerToken = 3
	// messageTokens is what a message costs beside its text, toolTokens what each offered
	// function costs.
	messageTokens = 4
	toolTokens    = 120
)

// EstimateTokens is what the request will cost at most, roughly, in tokens: its prompt and
// the longest answer. A budget is reserved by it before the call; the call's Usage is what
// counts after it.
func (r *Request) EstimateTokens() int64 {
	tokens := int64(max(r.MaxTokens, 0))
	for _, message := range r.Messages {
		tokens += int64(len(message.Text)/bytesPerToken + messageTokens + 1)
	}
	return tokens + int64(len(r.tools()))*toolTokens
}

// Usage counts what a call cost, in tokens.
type Usage struct {
	Prompt     int64
	Completion int64
}

// Total is all tokens of the call: never negative, and the largest number rather than a wrapped one.
func (u Usage) Total() int64 {
	prompt, completion := max(u.Prompt, 0), max(u.Completion, 0)
	if prompt > math.MaxInt64-completion {
		return math.MaxInt64
	}
	return prompt + completion
}

// Answer is what the AI wrote.
type Answer struct {
	// Text is trimmed; it is empty only when WantsHuman, WantsStop or WrongNumber.
	Text string
	// WantsHuman is true when the AI says that the customer wants a person. It is only ever
	// true when the request offered that.
	WantsHuman bool
	// WantsStop is true when the AI says that the customer asks not to be written to any more,
	// WrongNumber when it says that who writes is not the customer. They are only ever true
	// when the request offered that.
	WantsStop, WrongNumber bool
	// Usage is what it cost.
	Usage Usage
}

// Writer writes one text. It returns a *failure.Error when it fails: Throttled with
// a time when the service asked to wait, Terminal for a bad key, model or
// request, Transient otherwise (asking again costs tokens but sends nothing twice,
// so nothing about a Writer is Ambiguous).
type Writer interface {
	Write(ctx context.Context, request Request) (Answer, error)
}
