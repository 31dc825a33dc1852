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
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/ai"
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
	writes = &countedWrites{counts: map[client.ObjectKey]int{}}
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
	mgr, err := env.NewManager(ctrl.Options{Logger: GinkgoLogr, NewClient: testenv.Intercepted(writes.funcs())})
	Expect(err).NotTo(HaveOccurred())
	// The reader forgets at once: what the tests wait for is the controller.
	var ahead atomic.Int64
	reader := secrets.NewReader(mgr.GetAPIReader(), func() time.Time {
		return time.Now().Add(time.Duration(ahead.Add(int64(secrets.Remembered))))
	})
	reconciler := &Reconciler{
		Client: mgr.GetClient(), Clock: clock.RealClock{}, Recorder: mgr.GetEventRecorder("store"),
		Secrets: reader, AI: &ai.Settings{Secrets: reader,
			Rules: outbound.Rules{Hosts: outbound.ParseHosts("api.openai.com")}},
		PublicURL: publicURL, SkipNameValidation: true, Tokens: &stores{},
		Pace: Pace{Count: 300 * time.Millisecond, Recheck: 300 * time.Millisecond,
			RecheckMissing: 100 * time.Millisecond},
	}
	Expect(reconciler.SetupWithManager(mgr)).To(Succeed())
	stop := testenv.Run(mgr).Stop
	DeferCleanup(func() { Expect(stop()).To(Succeed()) })
}

// countedWrites counts the status patches, by Store.
type countedWrites struct {
	mu     sync.Mutex
	counts map[client.ObjectKey]int
}

// funcs count the status patches of a client.
func (w *countedWrites) funcs() interceptor.Funcs {
	return interceptor.Funcs{SubResourcePatch: func(ctx context.Context, api client.Client, resource string,
		object client.Object, patch client.Patch, options ...client.SubResourcePatchOption) error {
		w.mu.Lock()
		w.counts[client.ObjectKeyFromObject(object)]++
		w.mu.Unlock()
		return api.SubResource(resource).Patch(ctx, object, patch, options...)
	}}
}

func (w *countedWrites) of(store *v1alpha1.Store) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.counts[client.ObjectKeyFromObject(store)]
}
