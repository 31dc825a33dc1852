package webhookserver

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr/funcr"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/fence"
	"cartrecovery.dev/operator/internal/gateway"
	"cartrecovery.dev/operator/internal/gateway/simulated"
	"cartrecovery.dev/operator/internal/gateway/uazapi"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/metrics"
	"cartrecovery.dev/operator/internal/secrets"
	"cartrecovery.dev/operator/internal/testenv"
)

const (
	hottok = "a-hotmart-secret"
	// testWindow is how long receipts are gathered.
	testWindow = 100 * time.Millisecond
)

var (
	env    *testenv.Environment
	hooked *hookedClient
	server *Server
	// registry has what the server counts, written what it logs, up to V(1).
	registry *prometheus.Registry
	written  logBook
	// gatewayState is what the gateway of type UAZAPI says.
	gatewayState fakeGateway
	stopManager  func() error
)

func TestWebhookServer(t *testing.T) {
	if testing.Short() {
		t.Skip("needs an API server")
	}
	RegisterFailHandler(Fail)
	RunSpecs(t, "webhook server")
}

var _ = BeforeSuite(func() {
	SetDefaultEventuallyTimeout(10 * time.Second)
	SetDefaultEventuallyPollingInterval(10 * time.Millisecond)
	var err error
	env, err = testenv.Start()
	Expect(err).NotTo(HaveOccurred())

	mgr, err := env.NewManager(ctrl.Options{Logger: GinkgoLogr})
	Expect(err).NotTo(HaveOccurred())
	hooked = newHookedClient(mgr.GetClient())
	registry = prometheus.NewRegistry()
	wired := options(mgr.GetAPIReader(), hooked, registry)
	wired.Fence, err = fence.New(context.Background(), mgr.GetCache(), &v1alpha1.CartRecovery{}, 0)
	Expect(err).NotTo(HaveOccurred())
	server, err = New(wired)
	Expect(err).NotTo(HaveOccurred())
	Expect(mgr.Add(server)).To(Succeed())
	stopManager = testenv.Run(mgr).Stop
	Eventually(server.Addr).ShouldNot(BeNil())
})

var _ = AfterSuite(func() {
	if stopManager != nil {
		Expect(stopManager()).To(Succeed())
	}
	if env != nil {
		Expect(env.Stop()).To(Succeed())
	}
	for _, personal := range []string{
		hottok, "987654321", "maria", "Maria", webhookKey, instanceToken, "quero saber", "Aqui é a Ana", "tudo bem?",
		"shown-only-to-the-caller",
	} {
		Expect(written.String()).NotTo(ContainSubstring(personal))
	}
})

// options are those of a server for tests on this machine.
func options(live client.Reader, cached client.Client, registerer prometheus.Registerer) Options {
	counted, err := metrics.New(registerer)
	Expect(err).NotTo(HaveOccurred())
	reader := secrets.NewReader(live, time.Now)
	return Options{
		Client: cached, Live: live, Secrets: reader, Metrics: counted,
		Connector: &gateway.Connector{
			Secrets: reader, Client: http.DefaultClient,
			Types: gateway.ByName(simulated.Type(), uazapi.Type().With(gatewayState.factory)),
			Defaults: map[v1alpha1.GatewayType]gateway.Defaults{
				v1alpha1.GatewayUAZAPI: {BaseURL: "http://gateway.invalid", AdminToken: "x"},
			},
		},
		Logger: funcr.New(func(prefix, args string) { written.add(prefix + " " + args) }, funcr.Options{Verbosity: 1}),

		BindAddress: "127.0.0.1:0", ConnectWait: 2 * time.Second, RequestTimeout: 5 * time.Second,
		DrainTimeout: 5 * time.Second, ReceiptWindow: testWindow,
	}
}

// logBook keeps what was logged.
type logBook struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logBook) add(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.WriteString(line + "\n")
}

func (l *logBook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// fakeGateway is a gateway that tells what it is told to tell.
type fakeGateway struct {
	gateway.Gateway
	mu    sync.Mutex
	state gateway.State
	err   error
}

func (f *fakeGateway) factory(*http.Client, gateway.Endpoint) (gateway.Gateway, error) { return f, nil }

func (f *fakeGateway) says(state gateway.State, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.state, f.err = state, err
}

func (f *fakeGateway) Status(context.Context) (gateway.State, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.state, f.err
}

// hookedClient is a client with something that happens before its writes.
type hookedClient struct {
	client.Client
	mu   sync.Mutex
	hook func(ctx context.Context, verb string, object client.Object) error
}

func newHookedClient(calls client.Client) *hookedClient {
	h := &hookedClient{}
	h.Client = testenv.Intercept(calls, interceptor.Funcs{
		Create: func(
			ctx context.Context, calls client.WithWatch, object client.Object, opts ...client.CreateOption,
		) error {
			if err := h.call(ctx, "create", object); err != nil {
				return err
			}
			return calls.Create(ctx, object, opts...)
		},
		Patch: func(
			ctx context.Context, calls client.WithWatch, object client.Object, patch client.Patch,
			opts ...client.PatchOption,
		) error {
			if err := h.call(ctx, "patch", object); err != nil {
				return err
			}
			return calls.Patch(ctx, object, patch, opts...)
		},
		SubResourcePatch: func(
			ctx context.Context, calls client.Client, name string, object client.Object, patch client.Patch,
			opts ...client.SubResourcePatchOption,
		) error {
			if err := h.call(ctx, "patch "+name, object); err != nil {
				return err
			}
			return calls.SubResource(name).Patch(ctx, object, patch, opts...)
		},
	})
	return h
}

// before sets what happens before writes, until the spec is over.
func (h *hookedClient) before(hook func(ctx context.Context, verb string, object client.Object) error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.hook = hook
	if hook != nil {
		DeferCleanup(func() { h.before(nil) })
	}
}

func (h *hookedClient) call(ctx context.Context, verb string, object client.Object) error {
	h.mu.Lock()
	hook := h.hook
	h.mu.Unlock()
	if hook == nil {
		return nil
	}
	return hook(ctx, verb, object)
}

// shop is a namespace with a Store that takes Hotmart's deliveries.
type shop struct {
	namespace string
	store     *v1alpha1.Store
}

// openShop makes a shop of its own for a spec. Its client id is the namespace's name.
func openShop(ctx context.Context, mods ...func(*v1alpha1.Store)) shop {
	GinkgoHelper()
	namespace, err := env.Namespace(ctx)
	Expect(err).NotTo(HaveOccurred())
	keep(ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "platforms"},
		StringData: map[string]string{"hotmart": hottok, "kiwify": "a-kiwify-secret"},
	})
	store := gen.In(namespace, gen.StoreObject(append([]func(*v1alpha1.Store){func(s *v1alpha1.Store) {
		s.Spec.ClientID = namespace
		s.Spec.Platforms = []v1alpha1.StorePlatform{platformWith(v1alpha1.PlatformHotmart, "hotmart")}
	}}, mods...)...))
	keep(ctx, store)
	return shop{namespace, store}
}

func platformWith(name v1alpha1.PlatformName, key string) v1alpha1.StorePlatform {
	return v1alpha1.StorePlatform{Name: name, SecretRefs: []v1alpha1.SecretKeyReference{{Name: "platforms", Key: key}}}
}

// keep creates an object and, where it has one, its status, and waits until the server's
// cache has it. Secrets are not cached.
func keep(ctx context.Context, object client.Object) {
	GinkgoHelper()
	wanted := object.DeepCopyObject().(client.Object)
	Expect(env.Client.Create(ctx, object)).To(Succeed())
	if _, isSecret := object.(*corev1.Secret); isSecret {
		return
	}
	wanted.SetResourceVersion(object.GetResourceVersion())
	wanted.SetUID(object.GetUID())
	switch wanted.(type) {
	case *v1alpha1.CartRecovery, *v1alpha1.WhatsAppInstance:
		Expect(env.Client.Status().Update(ctx, wanted)).To(Succeed())
		object.SetResourceVersion(wanted.GetResourceVersion())
	}
	cached(ctx, object)
}

// cached waits until the server's cache has this version of an object.
func cached(ctx context.Context, object client.Object) {
	GinkgoHelper()
	seen := object.DeepCopyObject().(client.Object)
	Eventually(func(g Gomega) {
		g.Expect(hooked.Get(ctx, client.ObjectKeyFromObject(object), seen)).To(Succeed())
		g.Expect(seen.GetResourceVersion()).To(Equal(object.GetResourceVersion()))
	}).Should(Succeed())
}

// leadsIn returns the leads of a shop, from the API server.
func (s shop) leads(ctx context.Context) []v1alpha1.CartRecovery {
	GinkgoHelper()
	var leads v1alpha1.CartRecoveryList
	Expect(env.Client.List(ctx, &leads, client.InNamespace(s.namespace))).To(Succeed())
	return leads.Items
}

// lead makes a lead of the shop.
func (s shop) lead(ctx context.Context, mods ...func(*v1alpha1.CartRecovery)) *v1alpha1.CartRecovery {
	GinkgoHelper()
	made := gen.In(s.namespace, gen.Lead(time.Now().Add(-time.Hour), mods...))
	made.Labels = lead.Labels(s.store.Name, made.Spec.Customer)
	keep(ctx, made)
	return made
}

// answered is an answer of the server.
type answered struct {
	Status int
	Header http.Header
	Body   map[string]any
	Raw    string
}

// call calls the server.
func call(ctx context.Context, method, path string, body []byte, headers ...string) answered {
	GinkgoHelper()
	request, err := http.NewRequestWithContext(ctx, method, "http://"+server.Addr().String()+path,
		bytes.NewReader(body))
	Expect(err).NotTo(HaveOccurred())
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	Expect(err).NotTo(HaveOccurred())
	defer func() { _ = response.Body.Close() }()
	raw, err := io.ReadAll(response.Body)
	Expect(err).NotTo(HaveOccurred())
	got := answered{Status: response.StatusCode, Header: response.Header, Raw: string(raw)}
	Expect(response.Header.Get("Content-Type")).To(HavePrefix("application/json"))
	Expect(json.Unmarshal(raw, &got.Body)).To(Succeed(), got.Raw)
	return got
}

// change is what is different in a Hotmart delivery: values by path.
type change map[string]any

// hotmart is a Hotmart delivery of gen's customer and product.
func hotmart(event string, changes ...change) []byte {
	GinkgoHelper()
	body := map[string]any{
		"id": rand.Text(), "creation_date": time.Now().UnixMilli(), "event": event, "version": "2.0.0",
		"data": map[string]any{
			"product": map[string]any{"id": gen.ProductID, "name": "Curso de Violão"},
			"buyer":   map[string]any{"name": "Maria Souza", "email": gen.Email, "phone": gen.Phone},
			"purchase": map[string]any{
				"transaction": "HP1", "status": "APPROVED", "payment": map[string]any{"type": "CREDIT_CARD"},
				"price": map[string]any{"value": 149.9, "currency_value": "BRL"},
			},
		},
	}
	for _, each := range changes {
		for path, value := range each {
			at, steps := body, strings.Split(path, ".")
			for _, step := range steps[:len(steps)-1] {
				at = at[step].(map[string]any)
			}
			at[steps[len(steps)-1]] = value
		}
	}
	encoded, err := json.Marshal(body)
	Expect(err).NotTo(HaveOccurred())
	return encoded
}

const (
	cartEvent     = "PURCHASE_OUT_OF_SHOPPING_CART"
	purchaseEvent = "PURCHASE_APPROVED"
	refundEvent   = "PURCHASE_REFUNDED"
)

// post delivers for Hotmart, with the right token.
func (s shop) post(ctx context.Context, body []byte) answered {
	GinkgoHelper()
	return call(ctx, http.MethodPost, "/api/webhooks/hotmart/"+s.namespace, body, "X-HOTMART-HOTTOK", hottok)
}

// count is how often deliveries of a source had a result.
func count(source, result string) float64 {
	GinkgoHelper()
	families, err := registry.Gather()
	Expect(err).NotTo(HaveOccurred())
	for _, family := range families {
		if family.GetName() != "cartrecovery_webhook_deliveries_total" {
			continue
		}
		for _, metric := range family.GetMetric() {
			labels := map[string]string{}
			for _, label := range metric.GetLabel() {
				labels[label.GetName()] = label.GetValue()
			}
			if labels["source"] == source && labels["result"] == result {
				return metric.GetCounter().GetValue()
			}
		}
	}
	return 0
}
