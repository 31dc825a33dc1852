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
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gateway"
	"cartrecovery.dev/operator/internal/gateway/simulated"
	"cartrecovery.dev/operator/internal/gateway/uazapi"
	"cartrecovery.dev/operator/internal/index"
	"cartrecovery.dev/operator/internal/secrets"
	"cartrecovery.dev/operator/internal/simulator"
	"cartrecovery.dev/operator/internal/testenv"
)

const (
	soon       = 15 * time.Second
	often      = 20 * time.Millisecond
	awhile     = 600 * time.Millisecond
	adminToken = "admin-token-of-the-tests"
)

var (
	env       *testenv.Environment
	clk       = &movableClock{}
	flaky     *flakyClient
	publicURL string
	// operatorsOwn is the gateway of instances that name none.
	operatorsOwn *simulator.UAZAPI
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

	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }))
	DeferCleanup(hook.Close)
	publicURL = hook.URL

	operatorsOwn = newGateway()
	server, err := simulator.Serve(operatorsOwn)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { _ = server.Close() })
	startManager(server.URL())
})

// startManager runs the controller, and nothing else, until the suite ends.
func startManager(defaultGateway string) {
	mgr, err := ctrl.NewManager(env.Config, ctrl.Options{
		Scheme: env.Client.Scheme(), Metrics: metricsserver.Options{BindAddress: "0"}, Logger: GinkgoLogr,
	})
	Expect(err).NotTo(HaveOccurred())
	Expect(index.Register(context.Background(), mgr.GetFieldIndexer())).To(Succeed())
	flaky = &flakyClient{Client: mgr.GetClient()}
	reconciler := &Reconciler{
		Client: flaky, Live: mgr.GetAPIReader(), Clock: clk, Recorder: mgr.GetEventRecorder("whatsappinstance"),
		PublicURL: publicURL, SkipNameValidation: true,
		Pace: Pace{Pairing: 50 * time.Millisecond, Connected: 200 * time.Millisecond, Retry: 50 * time.Millisecond},
		Connector: &gateway.Connector{
			Secrets: secrets.NewReader(mgr.GetAPIReader(), clk.Now),
			Factories: map[v1alpha1.GatewayType]gateway.Factory{
				v1alpha1.GatewayUAZAPI: uazapi.New, v1alpha1.GatewaySimulated: simulated.NewSimulation(clk.Now).New,
			},
			Defaults: gateway.Defaults{BaseURL: defaultGateway, AdminToken: adminToken},
			Client:   gateway.NewHTTPClient(),
		},
	}
	Expect(reconciler.SetupWithManager(mgr)).To(Succeed())

	running, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(running) }()
	DeferCleanup(func() {
		stop()
		Eventually(ended, soon).Should(Receive(BeNil()))
	})
}

func newGateway() *simulator.UAZAPI {
	uaz := simulator.NewUAZAPI(simulator.UAZAPIOptions{AdminToken: adminToken, Clock: clk.Now})
	DeferCleanup(uaz.Close)
	return uaz
}

// movableClock is the real time, moved forward by the tests.
type movableClock struct {
	mu    sync.Mutex
	ahead time.Duration
}

func (c *movableClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.ahead)
}

func (c *movableClock) Since(t time.Time) time.Duration { return c.Now().Sub(t) }

func (c *movableClock) forward(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += by
}

// reset returns to the real time.
func (c *movableClock) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead = 0
}

// flakyClient fails the writes that a test wants to fail.
type flakyClient struct {
	client.Client
	mu   sync.Mutex
	fail func(client.Object) bool
}

var errInjected = errors.New("injected: the API server did not take the write")

func (c *flakyClient) failing(fail func(client.Object) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fail = fail
}

func (c *flakyClient) Patch(ctx context.Context, object client.Object, patch client.Patch, options ...client.PatchOption) error {
	c.mu.Lock()
	fails := c.fail != nil && c.fail(object)
	c.mu.Unlock()
	if fails {
		return errInjected
	}
	return c.Client.Patch(ctx, object, patch, options...)
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

// tokenWatch notes which tokens a server is sent.
type tokenWatch struct {
	next http.Handler
	mu   sync.Mutex
	seen map[string]bool
}

func (w *tokenWatch) ServeHTTP(out http.ResponseWriter, request *http.Request) {
	w.mu.Lock()
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

func address(url string) string { return strings.TrimPrefix(url, "http://") }
