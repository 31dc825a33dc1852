// Package ai writes messages: the prompt built from a template and the
// conversation, and the call to an OpenAI-compatible chat endpoint.
package ai

import (
	"context"
	"fmt"
	"time"
)

// Timeout bounds one call to the AI. It is shorter than a reconcile may take.
const Timeout = 30 * time.Second

// MaxAnswer bounds an answer of the endpoint in bytes.
const MaxAnswer = 1 << 20

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
}

// Format keeps the key out of every log line and error, however it is printed.
func (e Endpoint) Format(state fmt.State, _ rune) {
	_, _ = fmt.Fprint(state, "AI endpoint")
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
}

// Usage counts what a call cost, in tokens.
type Usage struct {
	Prompt     int64
	Completion int64
}

// Total is all tokens of the call.
func (u Usage) Total() int64 { return u.Prompt + u.Completion }

// Answer is what the AI wrote.
type Answer struct {
	// Text is trimmed; it is empty only when WantsHuman.
	Text string
	// WantsHuman is true when the AI says that the customer wants a person. It is only ever
	// true when the request offered that.
	WantsHuman bool
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
