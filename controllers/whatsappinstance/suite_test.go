package whatsappinstance

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/fields"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gateway"
	"cartrecovery.dev/operator/internal/gateway/evolution"
	"cartrecovery.dev/operator/internal/gateway/simulated"
	"cartrecovery.dev/operator/internal/gateway/uazapi"
	"cartrecovery.dev/operator/internal/pace"
	"cartrecovery.dev/operator/internal/secrets"
	"cartrecovery.dev/operator/internal/simulator"
	"cartrecovery.dev/operator/internal/testenv"
)

const (
	soon       = 15 * time.Second
	often      = 20 * time.Millisecond
	awhile     = 600 * time.Millisecond
	adminToken = "admin-token-of-the-tests"
	// These are the namespaces whose controller polls connected instances once an hour, and
	// knows gateways of type Evolution. One spec each.
	patient, evolving, resting, changing = "patient", "evolving", "resting", "changing"
	// odd is the namespace of Evolution's instances that are polled often.
	odd = "odd"
)

var (
	env       *testenv.Environment
	clk       = &testenv.Clock{}
	flaky     = &flakyWrites{}
	publicURL string
	posted    = &postings{keys: map[string]string{}}
	// operatorsOwn is the gateway of instances that name none.
	operatorsOwn *simulator.UAZAPI
	// book tells the pace of the instances that a test seeds.
	book = pace.NewPacer(clk, pace.Settle)
)

func TestWhatsAppInstanceController(t *testing.T) {
	if testing.Short() {
		t.Skip("needs an API server")
	}
	RegisterFailHandler(Fail)
	RunSpecs(t, "WhatsAppInstance controller")
}

var _ = BeforeSuite(func(SpecContext) {
	ctrl.SetLogger(GinkgoLogr)
	var err error
	env, err = testenv.Start()
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { Expect(env.Stop()).To(Succeed()) })

	hook := httptest.NewServer(posted)
	DeferCleanup(hook.Close)
	publicURL = hook.URL

	operatorsOwn = newGateway()
	server, err := simulator.Serve(operatorsOwn)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { _ = server.Close() })
	hourly, others := map[string]cache.Config{}, []fields.Selector{}
	for _, namespace := range []string{patient, evolving, resting, changing} {
		hourly[namespace] = cache.Config{}
		others = append(others, fields.OneTermNotEqualSelector("metadata.namespace", namespace))
	}
	others = append(others, fields.OneTermNotEqualSelector("metadata.namespace", odd))
	startManager(cache.Options{DefaultNamespaces: map[string]cache.Config{odd: {}}}, func(r *Reconciler) {
		r.Connector.Types[v1alpha1.GatewayEvolution] = evolution.Type()
	})
	startManager(cache.Options{DefaultFieldSelector: fields.AndSelectors(others...)}, func(r *Reconciler) {
		r.Connector.Defaults[v1alpha1.GatewayUAZAPI] = gateway.Defaults{BaseURL: server.URL(), AdminToken: adminToken}
		r.Client = testenv.Intercept(r.Client, flaky.funcs())
	})
	startManager(cache.Options{DefaultNamespaces: hourly}, func(r *Reconciler) {
		r.Pace.Connected = time.Hour
		r.Connector.Types[v1alpha1.GatewayEvolution] = evolution.Type()
	})
})

// startManager runs the controller, changed by mod, and nothing else, until the suite ends.
func startManager(sees cache.Options, mod func(*Reconciler)) {
	mgr, err := env.NewManager(ctrl.Options{Logger: GinkgoLogr, Cache: sees})
	Expect(err).NotTo(HaveOccurred())
	reconciler := &Reconciler{
		Client: mgr.GetClient(), Live: mgr.GetAPIReader(), Clock: clk,
		Recorder: mgr.GetEventRecorder("whatsappinstance"), PublicURL: publicURL, SkipNameValidation: true, Paced: book,
		Pace: Pace{Pairing: 50 * time.Millisecond, Connected: 200 * time.Millisecond, Retry: 50 * time.Millisecond},
		Connector: &gateway.Connector{
			Secrets: secrets.NewReader(mgr.GetAPIReader(), clk.Now),
			Types:   gateway.ByName(uazapi.Type(), simulated.Type().With(simulated.NewSimulation(clk.Now).New)),
			Defaults: map[v1alpha1.GatewayType]gateway.Defaults{
				v1alpha1.GatewayUAZAPI: {AdminToken: adminToken},
			},
			Client: gateway.NewHTTPClient(), Rules: testenv.AnyEndpoint(),
		},
	}
	mod(reconciler)
	Expect(reconciler.SetupWithManager(mgr)).To(Succeed())
	stop := testenv.Run(mgr).Stop
	DeferCleanup(func() { Expect(stop()).To(Succeed()) })
}

func newGateway() *simulator.UAZAPI {
	uaz := simulator.NewUAZAPI(simulator.UAZAPIOptions{AdminToken: adminToken, Clock: clk.Now})
	DeferCleanup(uaz.Close)
	return uaz
}

// flakyWrites fails the writes that a test wants to fail.
type flakyWrites struct {
	mu   sync.Mutex
	fail func(client.Object) bool
}

var errInjected = errors.New("injected: the API server did not take the write")

func (c *flakyWrites) failing(fail func(client.Object) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fail = fail
}

// funcs are what stands between a client and the API server.
func (c *flakyWrites) funcs() interceptor.Funcs {
	return interceptor.Funcs{Patch: func(ctx context.Context, calls client.WithWatch, object client.Object,
		patch client.Patch, options ...client.PatchOption) error {
		c.mu.Lock()
		fails := c.fail != nil && c.fail(object)
		c.mu.Unlock()
		if fails {
			return errInjected
		}
		return calls.Patch(ctx, object, patch, options...)
	}}
}

// firstTokenWrites fails the first n writes that would store a token.
func firstTokenWrites(n int, namespace string) func(client.Object) bool {
	return func(object client.Object) bool {
		secret, ok := object.(*corev1.Secret)
		if !ok || secret.Namespace != namespace || len(secret.Data[gateway.KeyToken]) == 0 || n == 0 {
			return false
		}
		n--
		return true
	}
}

// postings notes what gateways post to the operator: the key in the header, by path.
type postings struct {
	mu   sync.Mutex
	keys map[string]string
}

func (p *postings) ServeHTTP(out http.ResponseWriter, request *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keys[request.URL.Path] = request.Header.Get(gateway.WebhookKeyHeader)
	out.WriteHeader(http.StatusOK)
}

// key is the one that came in the header of the last post to a path; false without a post.
func (p *postings) key(path string) (string, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	key, found := p.keys[path]
	return key, found
}

// forget forgets what came to a path.
func (p *postings) forget(path string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.keys, path)
}

// tokenWatch notes which tokens a server is sent, and which paths are called how often.
type tokenWatch struct {
	next  http.Handler
	mu    sync.Mutex
	seen  map[string]bool
	paths map[string]int
}

func watching(next http.Handler) *tokenWatch {
	return &tokenWatch{next: next, seen: map[string]bool{}, paths: map[string]int{}}
}

func (w *tokenWatch) ServeHTTP(out http.ResponseWriter, request *http.Request) {
	w.mu.Lock()
	w.paths[request.URL.Path]++
	if token := request.Header.Get("token"); token != "" {
		w.seen[token] = true
	}
	w.mu.Unlock()
	w.next.ServeHTTP(out, request)
}

func (w *tokenWatch) tokens() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := make([]string, 0, len(w.seen))
	for token := range w.seen {
		all = append(all, token)
	}
	return all
}

func (w *tokenWatch) calls(path string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.paths[path]
}

func address(url string) string { return strings.TrimPrefix(url, "http://") }
