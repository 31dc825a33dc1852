package v1alpha1_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/testenv"
)

// start starts an API server for one test and returns a client and a namespace.
func start(t *testing.T) (client.Client, string) {
	t.Helper()
	if testing.Short() {
		t.Skip("needs an API server")
	}
	environment, err := testenv.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := environment.Stop(); err != nil {
			t.Error(err)
		}
	})
	namespace, err := environment.Namespace(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return environment.Client, namespace
}

// TestSchemas holds the rules of the schemas against a real API server: each row is an
// object that must be refused, and a word of what is said.
func TestSchemas(t *testing.T) {
	kube, namespace := start(t)
	t.Run("refused", func(t *testing.T) { refuses(t, kube, namespace) })
	t.Run("immutable", func(t *testing.T) { keeps(t, kube, namespace) })
	t.Run("defaults", func(t *testing.T) { defaults(t, kube, namespace) })
	t.Run("samples", func(t *testing.T) { samples(t, kube, namespace) })
}

func refuses(t *testing.T, kube client.Client, namespace string) {
	long := v1alpha1.Duration{Duration: 9000 * time.Hour}
	for name, row := range map[string]struct {
		object client.Object
		says   string
	}{
		"a clientID with a slash":           {gen.StoreObject(func(s *v1alpha1.Store) { s.Spec.ClientID = "a/b" }), "spec.clientID"},
		"a cooldown over a year":            {gen.StoreObject(func(s *v1alpha1.Store) { s.Spec.Recovery.Cooldown = &long }), "cooldown must be between"},
		"an own AI endpoint without a key":  {gen.StoreObject(func(s *v1alpha1.Store) { s.Spec.AI.BaseURL = "https://ai.example.com/v1" }), "own apiKeySecretRef"},
		"a temperature that is too high":    {gen.StoreObject(func(s *v1alpha1.Store) { s.Spec.AI.Temperature = "2.5" }), "temperature"},
		"an AI endpoint with credentials":   {gen.StoreObject(func(s *v1alpha1.Store) { s.Spec.AI.BaseURL = "https://me:secret@ai.example.com" }), "baseURL"},
		"a step with instructions and text": {gen.StoreObject(func(s *v1alpha1.Store) { s.Spec.Recovery.Sequences = sequence("hint", "text") }), "not both"},
		"quiet hours of no length": {gen.StoreObject(func(s *v1alpha1.Store) {
			s.Spec.Recovery.QuietHours = &v1alpha1.QuietHours{Start: "22:00", End: "22:00"}
		}), "must differ"},
		"a generic platform without mapping": {gen.StoreObject(func(s *v1alpha1.Store) { s.Spec.Platforms = platform("generic") }), "generic mapping"},
		"an unknown platform":                {gen.StoreObject(func(s *v1alpha1.Store) { s.Spec.Platforms = platform("shopify") }), "Unsupported value"},
		"a product without platform ids":     {gen.ProductObject(func(p *v1alpha1.Product) { p.Spec.PlatformIDs = nil }), "platformIDs"},
		"an own gateway without a token":     {gen.InstanceObject(func(i *v1alpha1.WhatsAppInstance) { i.Spec.Gateway.BaseURL = "https://x.uazapi.com" }), "own adminTokenSecretRef"},
		"a pair code without a phone":        {gen.InstanceObject(func(i *v1alpha1.WhatsAppInstance) { i.Spec.Pairing.Method = v1alpha1.PairingPairCode }), "needs the phone"},
		"a phone that is not E.164":          {gen.Lead(time.Now(), func(l *v1alpha1.CartRecovery) { l.Spec.Customer.Phone = "11 98765-4321" }), "customer.phone"},
		"a cart without a phone":             {gen.Lead(time.Now(), func(l *v1alpha1.CartRecovery) { l.Spec.Customer.Phone = "" }), "needs a trigger and customer.phone"},
		"a lead of nothing":                  {gen.Lead(time.Now(), func(l *v1alpha1.CartRecovery) { l.Spec.AbandonedAt = nil }), "a lead starts with"},
		"an amount with a comma":             {gen.Lead(time.Now(), func(l *v1alpha1.CartRecovery) { l.Spec.Amount = "297,00" }), "spec.amount"},
		"a suppression of nobody":            {&v1alpha1.Suppression{ObjectMeta: metav1.ObjectMeta{Name: "s"}, Spec: v1alpha1.SuppressionSpec{StoreRef: v1alpha1.ObjectReference{Name: "acme"}}}, "exactly one of phone and phoneHash"},
	} {
		err := kube.Create(t.Context(), gen.In(namespace, row.object))
		if !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: got %v, want it refused with %q", name, err, row.says)
		}
	}
}

func sequence(instructions, text string) []v1alpha1.Sequence {
	return []v1alpha1.Sequence{{Trigger: v1alpha1.TriggerAbandonedCart, Steps: []v1alpha1.Step{{
		Name: "first", After: v1alpha1.Duration{Duration: time.Minute}, Instructions: instructions, Text: text,
	}}}}
}

func platform(name v1alpha1.PlatformName) []v1alpha1.StorePlatform {
	return []v1alpha1.StorePlatform{{Name: name, SecretRefs: []v1alpha1.SecretKeyReference{{Name: "s", Key: "k"}}}}
}

func keeps(t *testing.T, kube client.Client, namespace string) {
	store := gen.In(namespace, gen.StoreObject(func(s *v1alpha1.Store) { s.Name = "kept" }))
	if err := kube.Create(t.Context(), store); err != nil {
		t.Fatal(err)
	}
	store.Spec.ClientID = "other"
	if err := kube.Update(t.Context(), store); !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), "clientID is immutable") {
		t.Errorf("changing clientID: got %v", err)
	}
	instance := gen.In(namespace, gen.InstanceObject(func(i *v1alpha1.WhatsAppInstance) { i.Spec.InstanceName = "one" }))
	if err := kube.Create(t.Context(), instance); err != nil {
		t.Fatal(err)
	}
	instance.Spec.InstanceName = ""
	if err := kube.Update(t.Context(), instance); !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), "instanceName is immutable") {
		t.Errorf("removing instanceName: got %v", err)
	}
}

// defaults checks what a fresh object says before any controller has seen it.
func defaults(t *testing.T, kube client.Client, namespace string) {
	fresh := gen.In(namespace, gen.Lead(time.Now()))
	if err := kube.Create(t.Context(), fresh); err != nil {
		t.Fatal(err)
	}
	var read v1alpha1.CartRecovery
	if err := kube.Get(t.Context(), client.ObjectKeyFromObject(fresh), &read); err != nil {
		t.Fatal(err)
	}
	if read.Status.Phase != v1alpha1.PhasePendingRecovery || read.Status.ObservedGeneration != -1 {
		t.Errorf("a fresh lead is %q, observed %d", read.Status.Phase, read.Status.ObservedGeneration)
	}
	if *read.Spec.AbandonedAt != *fresh.Spec.AbandonedAt {
		t.Errorf("abandonedAt was %s, is %s", fresh.Spec.AbandonedAt, read.Spec.AbandonedAt)
	}
}

// samples applies every file of config/samples.
func samples(t *testing.T, kube client.Client, namespace string) {
	files, err := filepath.Glob(filepath.Join(testenv.Root(), "config", "samples", "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	applied := 0
	for _, file := range files {
		if filepath.Base(file) == "kustomization.yaml" {
			continue
		}
		if err := applySample(t.Context(), kube, namespace, file); err != nil {
			t.Errorf("%s: %v", filepath.Base(file), err)
		}
		applied++
	}
	if applied < 6 {
		t.Errorf("only %d samples found", applied)
	}
}

func applySample(ctx context.Context, kube client.Client, namespace, file string) error {
	content, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	object := &unstructured.Unstructured{}
	if err := yaml.Unmarshal(content, &object.Object); err != nil {
		return err
	}
	object.SetNamespace(namespace)
	strict := client.WithFieldValidation(kube, metav1.FieldValidationStrict)
	return strict.Create(ctx, object)
}
