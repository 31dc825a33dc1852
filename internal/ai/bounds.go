package ai

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
)

// This file bounds what an endpoint says: it can be a tenant's own, and answer anything.

const (
	// maxUsage bounds each count of tokens of one call: more than any model takes or writes.
	maxUsage = 10_000_000
	// maxContent bounds the text of an answer that is looked at, in bytes. No message is as long.
	maxContent = 32 << 10
)

// knownWords are the codes and types of errors that are shown: those of OpenAI and of the endpoints
// that speak its protocol. Any other word could be a secret that the endpoint repeats.
var knownWords = []string{
	"account_deactivated", "api_error", "authentication_error", "billing_error", "billing_hard_limit_reached",
	"billing_not_active", "content_filter", "content_policy_violation", "context_length_exceeded",
	"deployment_not_found", "engine_overloaded", "insufficient_permissions", "insufficient_quota", "internal_error",
	"internal_server_error", "invalid_api_key", "invalid_model", "invalid_organization", "invalid_prompt",
	"invalid_request_error", "invalid_type", "invalid_value", "missing_required_parameter", "model_not_available",
	"model_not_found", "not_found_error", "overloaded_error", "permission_error", "rate_limit_error",
	"rate_limit_exceeded", "request_timeout", "requests", "server_error", "service_unavailable",
	"string_above_max_length", "timeout", "timeout_error", "tokens", "unknown_parameter",
	"unknown_url", "unsupported_country_region_territory", "unsupported_model", "unsupported_parameter",
	"unsupported_value",
}

// isKnownWord says whether an endpoint's code or type of an error may be shown: one of knownWords, or
// a number that is no longer than an HTTP status. The client reads a code of null as 0.
func isKnownWord(word string) bool {
	if number, err := strconv.Atoi(word); err == nil {
		return number > 0 && number < 1000
	}
	return slices.Contains(knownWords, word)
}

// takeUsage takes the usage out of a chat completion and returns the rest. Counts that are
// not whole numbers, or not numbers, must not make the text useless that was paid for.
func takeUsage(body []byte) ([]byte, Usage) {
	var answer map[string]json.RawMessage
	if json.Unmarshal(body, &answer) != nil {
		return body, Usage{}
	}
	usage, found := Usage{}, false
	for name, value := range answer {
		// As encoding/json takes it, a name is the same in any case.
		if strings.EqualFold(name, "usage") {
			usage, found = readUsage(value), true
			delete(answer, name)
		}
	}
	if !found {
		return body, Usage{}
	}
	rest, err := json.Marshal(answer)
	if err != nil {
		return body, usage
	}
	return rest, usage
}

func readUsage(value json.RawMessage) Usage {
	var counts map[string]json.RawMessage
	if json.Unmarshal(value, &counts) != nil {
		return Usage{}
	}
	return Usage{Prompt: countOf(counts["prompt_tokens"]), Completion: countOf(counts["completion_tokens"])}
}

// countOf reads a number of tokens, however it is written, from 0 to maxUsage; 0 for anything else.
func countOf(value json.RawMessage) int64 {
	number, err := strconv.ParseFloat(strings.Trim(string(value), `" `), 64)
	switch {
	case number >= maxUsage: // also where ParseFloat calls it out of range
		return maxUsage
	case err != nil || math.IsNaN(number) || number <= 0:
		return 0
	}
	return int64(number)
}
