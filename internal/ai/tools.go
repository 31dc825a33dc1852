package ai

import (
	"net/http"
	"regexp"
	"slices"
	"sync"
	"time"

	openai "github.com/sashabaranov/go-openai"
)

// The functions by which the AI says what a customer wants.
const (
	// HumanTool says that the customer wants a person.
	HumanTool = "request_human"
	// StopTool says that the customer wants no more messages.
	StopTool = "stop_contacting"
	// WrongNumberTool says that who writes is not the customer who is meant.
	WrongNumberTool = "wrong_number"
)

const (
	// maxToolCalls bounds the calls that are looked at; what they pass along is not read.
	maxToolCalls = 16
	// toollessFor is how long an endpoint that refused tools is not offered any.
	toollessFor = time.Hour
	maxToolless = 1000
)

// toolUses tell the AI when to call which function.
var toolUses = map[string]string{
	HumanTool: "Hands the conversation over to a person of the store. Call it when the customer asks for a person, " +
		"is upset, " +
		"or needs what only a person can do. No text is needed then.",
	StopTool: "Ends all messages to this customer, for good. Call it when the customer does not want to be written " +
		"to any more, in " +
		"whatever words and language, or wants their number or registration removed from this contact. Do not call " +
		"it when they only " +
		"decline the product, put it off, or want an order or a subscription cancelled. No text is needed then.",
	WrongNumberTool: "Ends all messages to this number, for good. Call it when whoever writes says that they are " +
		"not the customer, or " +
		"know neither the customer nor the purchase. Do not call it because they do not know the product. No text " +
		"is needed then.",
}

// tools are the functions that a request offers. They take no arguments: there is nothing in
// them that could be trusted.
func (r *Request) tools() []openai.Tool {
	var names []string
	if r.OfferHuman {
		names = append(names, HumanTool)
	}
	if r.OfferStop {
		names = append(names, StopTool, WrongNumberTool)
	}
	offered := make([]openai.Tool, 0, len(names))
	for _, name := range names {
		offered = append(offered, openai.Tool{Type: openai.ToolTypeFunction, Function: &openai.FunctionDefinition{
			Name: name, Description: toolUses[name], Parameters: map[string]any{"type": "object",
				"properties": map[string]any{}},
		}})
	}
	return offered
}

// wishes reads which of the offered functions an answer calls. It ignores all others.
func (r *Request) wishes(calls []openai.ToolCall) (wished Answer) {
	calls = calls[:min(len(calls), maxToolCalls)]
	called := func(name string) bool {
		return slices.ContainsFunc(calls, func(call openai.ToolCall) bool { return call.Function.Name == name })
	}
	wished.WantsHuman = r.OfferHuman && called(HumanTool)
	wished.WantsStop = r.OfferStop && called(StopTool)
	wished.WrongNumber = r.OfferStop && called(WrongNumberTool)
	return wished
}

// wishes says whether the answer says what the customer wants, and needs no text.
func (a *Answer) wishes() bool { return a.WantsHuman || a.WantsStop || a.WrongNumber }

var toolWord = regexp.MustCompile(`(?i)\b(?:tools?|tool_choice|tool_calls?|functions?)\b`)

// refusesTools says whether an endpoint refused a call because of its tools. It reads the
// endpoint's own words, which are never shown; taken wrongly, they cost one call.
func refusesTools(status int, body []byte) bool {
	switch status {
	case http.StatusBadRequest, http.StatusNotFound, http.StatusUnprocessableEntity, http.StatusNotImplemented:
		return toolWord.Match(body)
	}
	return false
}

// toolless remembers which models of which endpoints know no tools, or no schemas. The zero value
// remembers nothing yet; it is safe for concurrent use.
type toolless struct {
	mu    sync.Mutex
	until map[string]time.Time
}

func toollessKey(request Request) string { return request.Endpoint.ID() + "/" + request.Model }

func (t *toolless) has(key string, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return now.Before(t.until[key])
}

func (t *toolless) add(key string, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for known, until := range t.until {
		if !now.Before(until) {
			delete(t.until, known)
		}
	}
	if t.until == nil || len(t.until) >= maxToolless {
		t.until = map[string]time.Time{} // forgetting costs a call each
	}
	t.until[key] = now.Add(toollessFor)
}
