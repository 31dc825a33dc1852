package store

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/ai"
	"cartrecovery.dev/operator/internal/index"
	"cartrecovery.dev/operator/internal/outbound"
	"cartrecovery.dev/operator/internal/secrets"
	"cartrecovery.dev/operator/internal/testenv"
)

const (
	soon   = 15 * time.Second
	often  = 20 * time.Millisecond
	awhile = 500 * time.Millisecond

	publicURL = "https://hooks.example.com"
)

var (
	env    *testenv.Environment
	writes = &countingClient{}
)

func TestStoreController(t *testing.T) {
	if testing.Short() {
		t.Skip("needs an API server")
	}
	RegisterFailHandler(Fail)
	RunSpecs(t, "Store controller")
}

var _ = BeforeSuite(func(SpecContext) {
	ctrl.SetLogger(GinkgoLogr)
	var err error
	env, err = testenv.Start()
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { Expect(env.Stop()).To(Succeed()) })
	startManager()
})

// startManager runs the controller, and nothing else, until the suite ends.
func startManager() {
	mgr, err := ctrl.NewManager(env.Config, ctrl.Options{
		Scheme: env.Client.Scheme(), Metrics: metricsserver.Options{BindAddress: "0"}, Logger: GinkgoLogr,
	})
	Expect(err).NotTo(HaveOccurred())
	Expect(index.Register(context.Background(), mgr.GetFieldIndexer())).To(Succeed())
	writes.Client = mgr.GetClient()
	// The reader forgets at once: what the tests wait for is the controller.
	var ahead atomic.Int64
	reader := secrets.NewReader(mgr.GetAPIReader(), func() time.Time {
		return time.Now().Add(time.Duration(ahead.Add(int64(secrets.Remembered))))
	})
	reconciler := &Reconciler{
		Client: writes, Clock: clock.RealClock{}, Recorder: mgr.GetEventRecorder("store"),
		Secrets: reader, AI: &ai.Settings{Secrets: reader,
			Rules: outbound.Rules{Hosts: outbound.ParseHosts("api.openai.com")}},
		PublicURL: publicURL, SkipNameValidation: true, Tokens: &stores{},
		Pace: Pace{Count: 300 * time.Millisecond, Recheck: 300 * time.Millisecond,
			RecheckMissing: 100 * time.Millisecond},
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

// countingClient counts the status patches, by Store.
type countingClient struct {
	client.Client
	mu     sync.Mutex
	counts map[client.ObjectKey]int
}

func (c *countingClient) Status() client.SubResourceWriter {
	return countingWriter{SubResourceWriter: c.Client.Status(), counts: c}
}

func (c *countingClient) of(store *v1alpha1.Store) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.counts[client.ObjectKeyFromObject(store)]
}

type countingWriter struct {
	client.SubResourceWriter
	counts *countingClient
}

func (w countingWriter) Patch(ctx context.Context, object client.Object, patch client.Patch,
	options ...client.SubResourcePatchOption) error {
	w.counts.mu.Lock()
	if w.counts.counts == nil {
		w.counts.counts = map[client.ObjectKey]int{}
	}
	w.counts.counts[client.ObjectKeyFromObject(object)]++
	w.counts.mu.Unlock()
	return w.SubResourceWriter.Patch(ctx, object, patch, options...)
}
