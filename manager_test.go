package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	ctrlmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"
	"sigs.k8s.io/yaml"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/ai"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/serving"
	"cartrecovery.dev/operator/internal/simulator"
	"cartrecovery.dev/operator/internal/testenv"
)

// TestCluster has what needs an API server, on one of them.
func TestCluster(t *testing.T) {
	environment := testenv.ForTest(t)
	t.Run("the manager", func(t *testing.T) { testManager(t, environment) })
	t.Run("somebody who may do nothing", func(t *testing.T) { testForbidden(t, environment) })
	t.Run("older and missing resources", func(t *testing.T) { testMissing(t, environment) })
}

// testManager runs the whole operator as main does: it becomes ready, takes a cart, sends
// its message from a Simulated instance, and stops when it is told to.
func testManager(t *testing.T, environment *testenv.Environment) {
	namespace := prepareShop(t, environment)
	addHistory(t, environment.Client, namespace)
	addSuspended(t, environment.Client, namespace)
	settings, authority := testSettings(t), testenv.NewAuthority(t)
	settings.webhookCertDir = t.TempDir()
	authority.Issue(t, settings.webhookCertDir, 2)
	if err := checkCluster(t.Context(), environment.Config, settings, time.Second); err != nil {
		t.Errorf("an installed cluster is refused: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	mgr, err := newManager(ctx, environment.Config, settings, nil)
	if err != nil {
		t.Fatal(err)
	}
	stop := testenv.Run(mgr).Stop
	t.Cleanup(func() { _ = stop() })

	within(t, "ready", func() bool { return get(t, "http://"+settings.probeAddress+"/readyz") == http.StatusOK })
	within(t, "the number is connected", func() bool {
		return phaseOf(t, environment.Client, namespace) == v1alpha1.InstanceConnected
	})
	if status := postCart(t, settings.webhookAddress, authority); status != http.StatusOK {
		t.Fatalf("the cart was answered with %d", status)
	}
	within(t, "the customer is written to", func() bool {
		var leads v1alpha1.CartRecoveryList
		if err := environment.Client.List(t.Context(), &leads, client.InNamespace(namespace)); err != nil {
			t.Fatal(err)
		}
		return slices.ContainsFunc(leads.Items, func(lead v1alpha1.CartRecovery) bool {
			return lead.Status.Phase == v1alpha1.PhaseContacted
		})
	})

	within(t, "the leader exports what the Store has", func() bool {
		found, err := testutil.GatherAndCount(ctrlmetrics.Registry, "cartrecovery_leads_blocked",
			"cartrecovery_revenue")
		return err == nil && found == 2
	})
	testExported(t)
	testMetricsByToken(t, environment, namespace, "https://"+settings.metrics.Address+"/metrics")

	cancel()
	if err := stop(); err != nil {
		t.Errorf("the manager ended with %v", err)
	}
}

// testMetricsByToken reads metrics with the tokens of those who may and who may not, with the role that is installed.
func testMetricsByToken(t *testing.T, environment *testenv.Environment, namespace, url string) {
	t.Helper()
	manifest, err := os.ReadFile("config/rbac/metrics_reader_role.yaml")
	if err != nil {
		t.Fatal(err)
	}
	reader := &rbacv1.ClusterRole{}
	if err := yaml.Unmarshal(manifest, reader); err != nil {
		t.Fatal(err)
	}
	binding := &rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: "metrics-of-" + namespace},
		RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: reader.Name},
		Subjects: []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: namespace, Name: "prometheus"}}}
	for _, object := range []client.Object{reader, binding} {
		if err := environment.Client.Create(t.Context(), object); err != nil {
			t.Fatal(err)
		}
	}
	// What is no token is an internal error to the library.
	for name, want := range map[string]int{"": http.StatusUnauthorized, "nobody": http.StatusInternalServerError,
		"somebody": http.StatusForbidden, "prometheus": http.StatusOK} {
		token := name
		if want == http.StatusForbidden || want == http.StatusOK {
			token = tokenOf(t, environment, namespace, name)
		}
		within(t, fmt.Sprintf("%q is answered %d", name, want), func() bool { return getAs(t, url, token) == want })
	}
}

// tokenOf makes a service account, and returns a token of its own.
func tokenOf(t *testing.T, environment *testenv.Environment, namespace, name string) string {
	t.Helper()
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	request := &authenticationv1.TokenRequest{}
	if err := environment.Client.Create(t.Context(), account); err != nil {
		t.Fatal(err)
	}
	if err := environment.Client.SubResource("token").Create(t.Context(), account, request); err != nil {
		t.Fatal(err)
	}
	return request.Status.Token
}

// getAs is the status of an answer to somebody with a token; 0 for no answer.
func getAs(t *testing.T, url, token string) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	// The server signs its certificate itself.
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	defer transport.CloseIdleConnections()
	answer, err := (&http.Client{Transport: transport, Timeout: 10 * time.Second}).Do(request)
	if err != nil {
		return 0
	}
	_ = answer.Body.Close()
	return answer.StatusCode
}

func testSettings(t *testing.T) settings {
	t.Helper()
	writer, err := simulator.Serve(simulator.NewOpenAI(simulator.OpenAIOptions{APIKey: "key"}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = writer.Close() })
	return settings{
		roles:          roles{webhooks: true, controllers: true},
		webhookAddress: freeAddress(t), probeAddress: freeAddress(t),
		metrics:   serving.Metrics{Address: freeAddress(t), Auth: serving.MetricsByToken},
		publicURL: "https://hooks.example.com", drain: time.Second, metricsStoreLabel: true,
		ai: ai.Defaults{BaseURL: writer.URL() + "/v1", APIKey: "key"},
	}
}

// prepareShop makes a Store whose messages are due at once, its hottok, and a Simulated
// number.
func prepareShop(t *testing.T, environment *testenv.Environment) string {
	t.Helper()
	namespace, err := environment.Namespace(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, object := range []client.Object{
		&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "hotmart"},
			Data: map[string][]byte{"hottok": []byte("tok")}},
		gen.In(namespace, gen.StoreObject(func(s *v1alpha1.Store) {
			s.Spec.Platforms = []v1alpha1.StorePlatform{{Name: v1alpha1.PlatformHotmart,
				SecretRefs: []v1alpha1.SecretKeyReference{{Name: "hotmart", Key: "hottok"}}}}
			s.Spec.Recovery.Sequences = []v1alpha1.Sequence{{Trigger: v1alpha1.TriggerAbandonedCart,
				Steps: []v1alpha1.Step{{Name: "first"}}}}
		})),
		gen.In(namespace, gen.InstanceObject(func(i *v1alpha1.WhatsAppInstance) {
			i.Spec.Gateway.Type = v1alpha1.GatewaySimulated
		})),
	} {
		if err := environment.Client.Create(t.Context(), object); err != nil {
			t.Fatal(err)
		}
	}
	return namespace
}

// addHistory makes a lead that was recovered.
func addHistory(t *testing.T, kube client.Client, namespace string) {
	t.Helper()
	now := time.Now()
	bought, at := v1alpha1.NewTimestamp(now), metav1.NewTime(now)
	lead := gen.In(namespace, gen.Lead(now.Add(-time.Hour), func(lead *v1alpha1.CartRecovery) {
		lead.Spec.Customer = v1alpha1.LeadCustomer{Name: "Ana", Phone: "+5511900000077"}
		lead.Labels = nil
		lead.Spec.Purchase = &v1alpha1.Purchase{At: bought, Amount: "297.00", Currency: "BRL"}
	}, gen.FromUs(gen.FirstID, v1alpha1.MessageSent, now.Add(-time.Minute))))
	status := lead.Status
	if err := kube.Create(t.Context(), lead); err != nil {
		t.Fatal(err)
	}
	lead.Status = status
	lead.Status.Phase, lead.Status.CompletionTime = v1alpha1.PhaseRecovered, &at
	lead.Status.Result = &v1alpha1.RecoveryResult{Step: "first", Messages: 1, Amount: "297.00", Currency: "BRL"}
	lead.Status.Conditions = []metav1.Condition{{
		Type: v1alpha1.ConditionSucceeded, Status: metav1.ConditionTrue,
		Reason: v1alpha1.ReasonBoughtAfterContact, LastTransitionTime: at,
	}}
	if err := kube.Status().Update(t.Context(), lead); err != nil {
		t.Fatal(err)
	}
}

// addSuspended makes a lead that waits for a person.
func addSuspended(t *testing.T, kube client.Client, namespace string) {
	t.Helper()
	lead := gen.In(namespace, gen.Lead(time.Now(), func(lead *v1alpha1.CartRecovery) {
		lead.Spec.Customer = v1alpha1.LeadCustomer{Name: "Bia", Phone: "+5511900000078"}
		lead.Name, lead.Labels, lead.Spec.Suspend = "suspended", nil, true
	}))
	if err := kube.Create(t.Context(), lead); err != nil {
		t.Fatal(err)
	}
}

func postCart(t *testing.T, address string, trusted *testenv.Authority) int {
	t.Helper()
	body := `{"id":"e1","event":"PURCHASE_OUT_OF_SHOPPING_CART","version":"2.0.0","data":{"product":{"id":1001,"name":"Curso"},"buyer":{"name":"Maria","email":"maria@example.com","phone":"+5511987654321"}}}`
	url := "https://" + address + "/api/webhooks/hotmart/" + gen.Store
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-Hotmart-Hottok", "tok")
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted.Pool()}}
	defer transport.CloseIdleConnections()
	return do(t, &http.Client{Transport: transport, Timeout: 10 * time.Second}, request)
}

func get(t *testing.T, url string) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	return do(t, http.DefaultClient, request)
}

// do returns the status of an answer, 0 when there is none yet.
func do(t *testing.T, with *http.Client, request *http.Request) int {
	t.Helper()
	answer, err := with.Do(request)
	if err != nil {
		return 0
	}
	if err := answer.Body.Close(); err != nil {
		t.Error(err)
	}
	return answer.StatusCode
}

func phaseOf(t *testing.T, kube client.Client, namespace string) v1alpha1.InstancePhase {
	t.Helper()
	var instance v1alpha1.WhatsAppInstance
	if err := kube.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: gen.Instance}, &instance); err != nil {
		t.Fatal(err)
	}
	return instance.Status.Phase
}

func within(t *testing.T, what string, holds func() bool) {
	t.Helper()
	limit := time.After(30 * time.Second)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("not within 30 s: %s", what)
		}
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	return listener.Addr().String()
}
