package outbound_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/failure"
	"cartrecovery.dev/operator/internal/outbound"
	"cartrecovery.dev/operator/internal/secrets"
)

// TestASecretGoesOnlyWhereItSays is the table of which Secret may be sent to which host.
func TestASecretGoesOnlyWhereItSays(t *testing.T) {
	for name, row := range map[string]struct {
		annotations map[string]string
		operators   string
		base        string
		want        bool
	}{
		"it names the host": {
			map[string]string{v1alpha1.AnnotationAllowedHosts: "llm.example.com"}, "", "https://llm.example.com/v1",
			true},
		"it names another": {
			map[string]string{v1alpha1.AnnotationAllowedHosts: "llm.example.com"}, "", "https://evil.example.com",
			false},
		"it names none":                           {nil, "", "https://evil.example.com", false},
		"it names none, and the operator does":    {nil, "api.openai.com", "https://api.openai.com/v1", true},
		"it names none, and the operator another": {nil, "api.openai.com", "https://evil.example.com", false},
		"it names another, and the operator the host": {
			map[string]string{v1alpha1.AnnotationAllowedHosts: "llm.example.com"}, "api.openai.com",
			"https://api.openai.com/v1", false},
		"it says that it goes nowhere": {map[string]string{v1alpha1.AnnotationAllowedHosts: ""},
			"api.openai.com", "https://api.openai.com/v1", false},
		"the operator lets Secrets go anywhere": {nil, "*", "https://anything.example.org", true},
		"the operator does, and the Secret knows better": {
			map[string]string{v1alpha1.AnnotationAllowedHosts: "llm.example.com"}, "*", "https://anything.example.org",
			false},
	} {
		t.Run(name, func(t *testing.T) {
			live := fake.NewClientBuilder().WithObjects(&corev1.Secret{
				ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "llm", Annotations: row.annotations},
				Data:       map[string][]byte{"key": []byte("hidden")},
			}).Build()
			sender := outbound.Sender{
				Secrets: secrets.NewReader(live, time.Now),
				Rules:   outbound.Rules{Hosts: outbound.ParseHosts(row.operators)},
			}
			base, err := outbound.ParseBase(row.base)
			if err != nil {
				t.Fatal(err)
			}
			from := outbound.Reference{
				Namespace: "shop", Field: "spec.ai.apiKeySecretRef", Ref: v1alpha1.SecretKeyReference{Name: "llm",
					Key: "key"},
			}
			value, err := sender.Read(t.Context(), from, base)
			if row.want {
				if err != nil || string(value) != "hidden" {
					t.Errorf("got %q, %v", value, err)
				}
				return
			}
			failed, classed := failure.As(err)
			if !classed || failed.Reason != v1alpha1.ReasonSecretNotAllowed || failed.Code != failure.Misconfigured ||
				value != nil {
				t.Fatalf("got %q, %v", value, err)
			}
			for _, told := range []string{"spec.ai.apiKeySecretRef", `"llm"`, v1alpha1.AnnotationAllowedHosts + ": " +
				base.Hostname()} {
				if !strings.Contains(failed.Shown(), told) {
					t.Errorf("%q does not tell %s", failed.Shown(), told)
				}
			}
			from.Ref.Name = "none"
			if _, err := sender.Read(t.Context(), from, base); !errors.Is(err, secrets.ErrNotFound) {
				t.Errorf("a Secret that does not exist: %v", err)
			}
		})
	}
}
