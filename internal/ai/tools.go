package ai

import (
	"net/http"
	"regexp"
	"slices"
	"sync"
	"time"

	openai "github.com/sashabaranov/go-openai"
)

// HumanTool is the function by which the AI says that the customer wants a person.
const HumanTool = "request_human"

const (
	// maxToolCalls bounds the calls that are looked at; what they pass along is not read.
	maxToolCalls = 16
	// toollessFor is how long an endpoint that refused tools is not offered any.
	toollessFor = time.Hour
	maxToolless = 1000
)

// humanTool is how the function is offered. It takes no arguments: there is nothing in them
// that could be trusted.
func humanTool() openai.Tool {
	return openai.Tool{Type: openai.ToolTypeFunction, Function: &openai.FunctionDefinition{
		Name: HumanTool,
		Description: "Hands the conversation over to a person of the store. Call it when the customer asks for a person, is upset, " +
			"or needs what only a person can do. No text is needed then.",
		Parameters: map[string]any{"type": "object", "properties": map[string]any{}},
	}}
}

// callsHuman says whether one of the calls is HumanTool; others were never offered.
func callsHuman(calls []openai.ToolCall) bool {
	return slices.ContainsFunc(calls[:min(len(calls), maxToolCalls)], func(call openai.ToolCall) bool {
		return call.Function.Name == HumanTool
	})
}

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

// toolless remembers which models of which endpoints know no tools. The zero value
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
