package v1alpha1_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/testenv"
)

// apply makes the objects of a manifest, in a namespace where they are in one.
func apply(t *testing.T, kube client.Client, namespace string, path ...string) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(append([]string{testenv.Root()}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(content), 4096)
	for {
		object := &unstructured.Unstructured{}
		if err := decoder.Decode(&object.Object); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
		if object.GetNamespace() != "" {
			object.SetNamespace(namespace)
		}
		if err := kube.Create(t.Context(), object, client.FieldValidation("Strict")); err != nil {
			t.Errorf("%s of %v: %v", object.GetKind(), path, err)
		}
	}
}

// TestPolicies holds the samples of policies against a real API server.
func TestPolicies(t *testing.T) {
	environment := testenv.ForTest(t)
	namespace, err := environment.Namespace(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Run("network", func(t *testing.T) {
		for _, file := range []string{"allow_metrics.yaml", "allow_webhooks.yaml", "limit_egress.yaml"} {
			apply(t, environment.Client, namespace, "config", "network-policy", file)
		}
	})
	t.Run("endpoints", func(t *testing.T) { endpointsPolicy(t, environment, namespace) })
}

// tenant is a client of somebody who may write Stores and instances, and what else is granted.
func tenant(t *testing.T, environment *testenv.Environment, namespace, name string, roles ...string) client.Client {
	t.Helper()
	for _, role := range append([]string{"tenant"}, roles...) {
		if err := environment.Client.Create(t.Context(), &rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name + "-" + role},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
			Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: "User", Name: name}},
		}); err != nil {
			t.Fatal(err)
		}
	}
	config := rest.CopyConfig(environment.Config)
	config.Impersonate.UserName = name
	made, err := client.New(config, client.Options{Scheme: environment.Client.Scheme()})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func endpointsPolicy(t *testing.T, environment *testenv.Environment, namespace string) {
	for _, file := range []string{"endpoints_role.yaml", "endpoints_policy.yaml"} {
		apply(t, environment.Client, namespace, "config", "samples", "security", file)
	}
	if err := environment.Client.Create(t.Context(), &rbacv1.ClusterRole{
		ObjectMeta: metav1.ObjectMeta{Name: "tenant"},
		Rules: []rbacv1.PolicyRule{{APIGroups: []string{v1alpha1.GroupVersion.Group}, Resources: []string{"*"},
			Verbs: []string{"get", "create", "patch"}}},
	}); err != nil {
		t.Fatal(err)
	}
	store := func(name, url, secret string) *v1alpha1.Store {
		return gen.In(namespace, gen.StoreObject(func(s *v1alpha1.Store) {
			s.Name, s.Spec.ClientID = name, name
			s.Spec.AI = v1alpha1.AISettings{BaseURL: url}
			if secret != "" {
				s.Spec.AI.APIKeySecretRef = &v1alpha1.SecretKeyReference{Name: secret, Key: "key"}
			}
		}))
	}
	instance := func(name, url, secret string) *v1alpha1.WhatsAppInstance {
		return gen.In(namespace, gen.InstanceObject(func(i *v1alpha1.WhatsAppInstance) {
			i.Name = name
			i.Spec.Gateway = v1alpha1.GatewaySpec{
				Type: v1alpha1.GatewayUAZAPI, BaseURL: url,
				AdminTokenSecretRef: &v1alpha1.SecretKeyReference{Name: secret, Key: "key"},
			}
		}))
	}
	plain := tenant(t, environment, namespace, "plain-tenant")
	trusted := tenant(t, environment, namespace, "trusted-tenant", "cart-recovery-endpoints")

	// A policy takes a moment to hold, a role to be known.
	deadline := time.Now().Add(time.Minute)
	for {
		err := plain.Create(t.Context(), store("probe", "https://evil.example.com", "any"), client.DryRunAll)
		if apierrors.IsForbidden(err) && strings.Contains(err.Error(), "use-endpoints") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the policy does not hold: %v", err)
		}
		<-time.After(200 * time.Millisecond)
	}
	for name, row := range map[string]struct {
		as      client.Client
		object  client.Object
		refused bool
	}{
		"no endpoint":          {plain, store("none", "", ""), false},
		"an endpoint":          {plain, store("named", "https://evil.example.com", "any"), true},
		"a Secret":             {plain, store("keyed", "", "any"), true},
		"a gateway":            {plain, instance("gateway", "https://evil.example.com", "any"), true},
		"an endpoint, allowed": {trusted, store("allowed", "https://llm.example.com", "llm"), false},
		"a gateway, allowed":   {trusted, instance("allowed", "https://gateway.example.com", "admin"), false},
	} {
		t.Run(name, func(t *testing.T) {
			err := row.as.Create(t.Context(), row.object)
			if apierrors.IsForbidden(err) != row.refused || !row.refused && err != nil {
				t.Errorf("got %v, want it refused: %t", err, row.refused)
			}
		})
	}
	// In this order: the last one takes away what the others change.
	for _, row := range []struct {
		patch   string
		refused bool
	}{
		{`{"spec":{"suspend":true}}`, false},
		{`{"spec":{"ai":{"baseURL":"https://evil.example.com"}}}`, true},
		{`{"spec":{"ai":{"apiKeySecretRef":{"name":"another"}}}}`, true},
		{`{"spec":{"ai":{"baseURL":null,"apiKeySecretRef":null}}}`, false},
	} {
		err := plain.Patch(t.Context(), store("allowed", "", ""), client.RawPatch("application/merge-patch+json",
			[]byte(row.patch)))
		if apierrors.IsForbidden(err) != row.refused || !row.refused && err != nil {
			t.Errorf("%s: got %v, want it refused: %t", row.patch, err, row.refused)
		}
	}
}
