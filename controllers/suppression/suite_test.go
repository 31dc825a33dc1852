package suppression

import (
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"

	"cartrecovery.dev/operator/internal/testenv"
)

const (
	soon  = 15 * time.Second
	often = 20 * time.Millisecond
)

var (
	env *testenv.Environment
	// keys are those that the controller has.
	keys = testenv.SuppressionKeys('a')
)

func TestSuppressionController(t *testing.T) {
	if testing.Short() {
		t.Skip("needs an API server")
	}
	RegisterFailHandler(Fail)
	RunSpecs(t, "Suppression controller")
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
	mgr, err := env.NewManager(ctrl.Options{Logger: GinkgoLogr})
	Expect(err).NotTo(HaveOccurred())
	reconciler := &Reconciler{
		Client: mgr.GetClient(), Live: mgr.GetAPIReader(), Clock: clock.RealClock{},
		Recorder: mgr.GetEventRecorder("suppression"), Keys: keys, SkipNameValidation: true,
	}
	Expect(reconciler.SetupWithManager(mgr)).To(Succeed())
	stop := testenv.Run(mgr).Stop
	DeferCleanup(func() { Expect(stop()).To(Succeed()) })
}
