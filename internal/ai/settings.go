package ai

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/failure"
	"cartrecovery.dev/operator/internal/outbound"
	"cartrecovery.dev/operator/internal/secrets"
)

// Defaults are the operator's own AI endpoint and its key. They are only ever used
// together: the key is never sent anywhere else.
type Defaults struct {
	// BaseURL of the operator's endpoint; "" is DefaultBaseURL.
	BaseURL string
	// APIKey of the operator; "" when it has none. A secret.
	APIKey string
}

// Format keeps the key out of every log line and error, however it is printed.
func (d Defaults) Format(state fmt.State, _ rune) {
	_, _ = fmt.Fprint(state, "AI defaults")
}

// Settings builds requests with what a Store says of its AI, and the defaults for what it
// leaves out.
type Settings struct {
	// Secrets reads the Stores' own keys.
	Secrets *secrets.Reader
	// Defaults are the operator's own endpoint.
	Defaults Defaults
	// Rules say which endpoints Stores may name, and which Secrets may be sent to them.
	Rules outbound.Rules
}

// Request returns a request with everything but its messages. The error is a
// *failure.Error with code Misconfigured that says which field to set, or the API
// server's when a Secret could not be read.
func (s *Settings) Request(ctx context.Context, store *v1alpha1.Store) (Request, error) {
	endpoint, err := s.endpoint(ctx, store)
	if err != nil {
		return Request{}, err
	}
	settings := &store.Spec.AI
	request := Request{
		Endpoint:        endpoint,
		Model:           settings.Model,
		MaxTokens:       DefaultMaxTokens,
		Temperature:     decimal(settings.Temperature, DefaultTemperature),
		PresencePenalty: decimal(settings.PresencePenalty, DefaultPresencePenalty),
	}
	if request.Model == "" {
		request.Model = DefaultModel
	}
	if settings.MaxTokens != nil {
		request.MaxTokens = int(*settings.MaxTokens)
	}
	return request, nil
}

// ReviewModel is the model that looks at a Store's texts; "" when nobody does.
func ReviewModel(store *v1alpha1.Store) string {
	review, model := store.Spec.AI.Review, cmp.Or(store.Spec.AI.Model, DefaultModel)
	switch {
	case review == nil:
		return model
	case review.Enabled != nil && !*review.Enabled:
		return ""
	}
	return cmp.Or(review.Model, model)
}

// SendsUnreviewed says whether a text of the Store is sent when no review came.
func SendsUnreviewed(store *v1alpha1.Store) bool {
	return store.Spec.AI.Review != nil && store.Spec.AI.Review.OnError == v1alpha1.ReviewOnErrorSend
}

func (s *Settings) endpoint(ctx context.Context, store *v1alpha1.Store) (Endpoint, error) {
	settings := &store.Spec.AI
	base := settings.BaseURL
	if base == "" {
		base = s.Defaults.BaseURL
	}
	if base == "" {
		base = DefaultBaseURL
	}
	if settings.APIKeySecretRef == nil {
		if s.Defaults.APIKey == "" || settings.BaseURL != "" {
			return Endpoint{}, misconfigured(
				"Store %q: set spec.ai.apiKeySecretRef, or give the operator OPENAI_API_KEY", store.Name)
		}
		return Endpoint{BaseURL: base, APIKey: s.Defaults.APIKey}, nil
	}
	named := settings.BaseURL != "" && !sameBase(settings.BaseURL, cmp.Or(s.Defaults.BaseURL, DefaultBaseURL))
	key, err := s.key(ctx, store, base, named)
	if errors.Is(err, secrets.ErrNotFound) {
		return Endpoint{}, misconfigured("Store %q: spec.ai.apiKeySecretRef needs a Secret %q with a key %q",
			store.Name, settings.APIKeySecretRef.Name, settings.APIKeySecretRef.Key)
	}
	if err != nil {
		return Endpoint{}, err
	}
	return Endpoint{BaseURL: base, APIKey: string(key), Named: named}, nil
}

func sameBase(a, b string) bool { return strings.TrimRight(a, "/") == strings.TrimRight(b, "/") }

// key reads a Store's own key, where it may be sent to the endpoint at base; named says that the
// Store names the endpoint, and not the operator.
func (s *Settings) key(ctx context.Context, store *v1alpha1.Store, base string, named bool) ([]byte, error) {
	parsed, err := outbound.ParseField("spec.ai.baseURL", base)
	if err != nil {
		return nil, err
	}
	if named {
		if err := s.Rules.Check("spec.ai.baseURL", parsed); err != nil {
			return nil, err
		}
	}
	return outbound.Sender{Secrets: s.Secrets, Rules: s.Rules}.Read(ctx, outbound.Reference{
		Namespace: store.Namespace, Field: "spec.ai.apiKeySecretRef", Ref: *store.Spec.AI.APIKeySecretRef,
	}, parsed)
}

// HistoryMessages is how many of the last messages the AI sees for a Store.
func HistoryMessages(store *v1alpha1.Store) int {
	if store.Spec.AI.HistoryMessages != nil {
		return int(*store.Spec.AI.HistoryMessages)
	}
	return DefaultHistoryMessages
}

// leastTokens is what one text and the review of it use, with a short prompt.
const leastTokens = 2000

// BudgetWarning says that a Store's tokens of a day may be too few for one text; "" when they are not. Those of a
// lead let one text be begun however few they are.
func BudgetWarning(store *v1alpha1.Store) string {
	daily := store.Spec.AI.DailyTokenBudget
	if daily == nil || *daily >= leastTokens {
		return ""
	}
	return fmt.Sprintf(
		"spec.ai.dailyTokenBudget: %d is less than what a text and its review use, which is some %d tokens: the AI "+
			"writes nothing", *daily, leastTokens)
}

// LeadTokenBudget is how many tokens the texts of one lead may use for a Store.
func LeadTokenBudget(store *v1alpha1.Store) int64 {
	if store != nil && store.Spec.AI.LeadTokenBudget != nil {
		return *store.Spec.AI.LeadTokenBudget
	}
	return DefaultTokensPerLead
}

func decimal(text string, otherwise float32) float32 {
	value, err := strconv.ParseFloat(text, 32)
	if err != nil {
		return otherwise
	}
	return float32(value)
}

func misconfigured(format string, args ...any) *failure.Error {
	return &failure.Error{
		Class: failure.Terminal, Code: failure.Misconfigured, Op: "ai: configure",
		Detail: fmt.Sprintf(format, args...),
	}
}
