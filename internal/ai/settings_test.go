package ai

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/failure"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/outbound"
	"cartrecovery.dev/operator/internal/secrets"
)

// TestWhereAStoresKeyGoes is the table of endpoints that Stores name, of the keys that may be
// sent there, and of the client they are called with.
func TestWhereAStoresKeyGoes(t *testing.T) {
	own := Defaults{BaseURL: "http://llm.inside:8000/v1", APIKey: "ours"}
	key := &v1alpha1.SecretKeyReference{Name: "key", Key: "key"}
	for name, row := range map[string]struct {
		ai     v1alpha1.AISettings
		key    string
		named  bool
		reason string
	}{
		"the operator's":             {ai: v1alpha1.AISettings{}, key: "ours"},
		"the operator's, an own key": {ai: v1alpha1.AISettings{APIKeySecretRef: key}, key: "theirs"},
		"the operator's, by name": {ai: v1alpha1.AISettings{APIKeySecretRef: key, BaseURL: own.BaseURL + "/"},
			key: "theirs"},
		"an own one that the Secret names": {ai: v1alpha1.AISettings{APIKeySecretRef: key,
			BaseURL: "https://theirs.example.com/v1"}, key: "theirs", named: true},
		"one that the Secret does not name": {ai: v1alpha1.AISettings{APIKeySecretRef: key,
			BaseURL: "https://evil.example.com"}, reason: v1alpha1.ReasonSecretNotAllowed},
		"one without TLS": {ai: v1alpha1.AISettings{APIKeySecretRef: key, BaseURL: "http://theirs.example.com/v1"},
			reason: v1alpha1.ReasonEndpointNotAllowed},
		"one of the cluster": {ai: v1alpha1.AISettings{APIKeySecretRef: key, BaseURL: "https://10.96.0.1/v1"},
			reason: v1alpha1.ReasonEndpointNotAllowed},
	} {
		t.Run(name, func(t *testing.T) {
			live := fake.NewClientBuilder().WithObjects(&corev1.Secret{
				ObjectMeta: metav1.ObjectMeta{
					Namespace: gen.Namespace, Name: "key",
					Annotations: map[string]string{
						v1alpha1.AnnotationAllowedHosts: "theirs.example.com,llm.inside:8000"},
				},
				Data: map[string][]byte{"key": []byte("theirs")},
			}).Build()
			settings := &Settings{Secrets: secrets.NewReader(live, time.Now), Defaults: own}
			store := gen.In(gen.Namespace, gen.StoreObject(func(s *v1alpha1.Store) { s.Spec.AI = row.ai }))
			request, err := settings.Request(t.Context(), store)
			if failure.ReasonOf(err, "") != row.reason {
				t.Fatalf("got %v, want reason %q", err, row.reason)
			}
			if request.Endpoint.APIKey != row.key || request.Endpoint.Named != row.named {
				t.Errorf("got key %q, named %t", request.Endpoint.APIKey, request.Endpoint.Named)
			}
		})
	}
}

// The address is checked when the call is made: what a Store's host resolves to nobody knows before.
func TestAStoresEndpointIsCalledWithGuard(t *testing.T) {
	var calls atomic.Int32
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { calls.Add(1) }))
	defer inside.Close()
	request := Request{
		Endpoint: Endpoint{BaseURL: strings.Replace(inside.URL, "127.0.0.1", "localhost", 1) + "/v1", APIKey: "theirs",
			Named: true},
		Model: DefaultModel, MaxTokens: 10, Messages: []Message{{Role: User, Text: "Oi"}},
	}
	writer := NewOpenAI(nil).Guard(NewGuardedClient(outbound.Rules{AllowHTTP: true}))
	_, err := writer.Write(t.Context(), request)
	if failure.ReasonOf(err, "") != v1alpha1.ReasonEndpointNotAllowed || failure.ClassOf(err) != failure.Terminal {
		t.Errorf("got %v", err)
	}
	reviewed := ReviewRequest{Endpoint: request.Endpoint, Model: DefaultModel, Facts: "{}", Draft: "Oi"}
	if _, err := writer.Review(t.Context(), reviewed); failure.ReasonOf(err, "") != v1alpha1.ReasonEndpointNotAllowed {
		t.Errorf("a review: got %v", err)
	}
	if calls.Load() != 0 {
		t.Error("an address of the inside was called")
	}
}

func TestBudgetWarning(t *testing.T) {
	tokens := func(n int64) *int64 { return &n }
	for name, row := range map[string]struct {
		daily *int64
		warns bool
	}{"none": {nil, false}, "enough": {tokens(2000), false}, "for no text": {tokens(1999), true},
		"nothing": {tokens(0), true}} {
		store := &v1alpha1.Store{Spec: v1alpha1.StoreSpec{AI: v1alpha1.AISettings{DailyTokenBudget: row.daily,
			LeadTokenBudget: tokens(1)}}}
		if got := BudgetWarning(store); (got != "") != row.warns || row.warns &&
			!strings.Contains(got, "spec.ai.dailyTokenBudget") {
			t.Errorf("%s: got %q", name, got)
		}
	}
}
