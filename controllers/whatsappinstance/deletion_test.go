package whatsappinstance

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
)

// startClusterControllers runs what a cluster has besides an API server for deletions: the
// namespace controller and garbage collection by owner. They end with the container.
func startClusterControllers() {
	GinkgoHelper()
	program := filepath.Join(os.Getenv("KUBEBUILDER_ASSETS"), "cluster-controllers")
	if _, err := os.Stat(program); err != nil {
		Skip("KUBEBUILDER_ASSETS has no cluster-controllers")
	}
	kubeconfig := filepath.Join(GinkgoT().TempDir(), "kubeconfig")
	Expect(os.WriteFile(kubeconfig, env.Envtest.KubeConfig, 0o600)).To(Succeed())
	running, stop := context.WithCancel(context.Background())
	command := exec.CommandContext(running, program, "--kubeconfig="+kubeconfig)
	Expect(command.Start()).To(Succeed())
	DeferCleanup(func() {
		stop()
		_ = command.Wait()
	})
}

func deleting(i *v1alpha1.WhatsAppInstance) { i.Spec.DeletionPolicy = v1alpha1.DeletionDelete }

func (s *scene) deleteSecret(ctx context.Context, name string) {
	GinkgoHelper()
	Expect(env.Client.Delete(ctx, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace,
		Name: name}})).To(Succeed())
}

func (s *scene) suspend(ctx context.Context) {
	GinkgoHelper()
	s.change(ctx, func(i *v1alpha1.WhatsAppInstance) { i.Spec.Suspend = true })
	s.becomes(ctx, inPhase(v1alpha1.InstanceConnected, v1alpha1.ReasonSuspended))
}

var _ = Describe("In a cluster that deletes what belongs together", Ordered, func() {
	// patience is longer than soon: other controllers have to act, too.
	const patience = time.Minute
	var s *scene
	BeforeAll(startClusterControllers)
	BeforeEach(func() { s = newScene() })
	BeforeEach(func(ctx SpecContext) { s.setUp(ctx) })

	deleteNamespace := func(ctx context.Context) {
		GinkgoHelper()
		Expect(env.Client.Delete(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: s.namespace}})).To(
			Succeed())
	}
	namespaceGone := func(ctx context.Context) bool {
		return apierrors.IsNotFound(env.Client.Get(ctx, client.ObjectKey{Name: s.namespace}, &corev1.Namespace{}))
	}

	It("an instance and its Secrets go with its namespace, in whatever order", func(ctx SpecContext) {
		s.instance(ctx, deleting)
		s.pairs(ctx)
		Expect(env.Client.Delete(ctx, gen.In(s.namespace, gen.StoreObject()))).To(Succeed())
		s.becomes(ctx, inPhase(v1alpha1.InstanceConnected, v1alpha1.ReasonStoreNotFound))
		deleteNamespace(ctx)
		Eventually(ctx, func(ctx context.Context) bool {
			// Without its Secrets it gives up after five minutes.
			if current, err := s.read(ctx); err == nil && current.DeletionTimestamp != nil {
				clk.Forward(5 * time.Minute)
				_ = env.Client.Patch(ctx, current, client.RawPatch("application/merge-patch+json",
					[]byte(`{"metadata":{"annotations":{"test/looked-at":"`+clk.Now().String()+`"}}}`)))
			}
			return namespaceGone(ctx)
		}, patience, time.Second).Should(BeTrue())
	})

	It("an instance at the operator's gateway is deleted there although its Secret went first", func(ctx SpecContext) {
		s.instance(ctx, deleting, func(i *v1alpha1.WhatsAppInstance) {
			i.Spec.Gateway = v1alpha1.GatewaySpec{Type: v1alpha1.GatewayUAZAPI}
		})
		Eventually(ctx, s.shown, soon, often).ShouldNot(BeEmpty())
		Expect(operatorsOwn.Scan(s.gatewayName(), digits)).To(Succeed())
		s.becomes(ctx, inPhase(v1alpha1.InstanceConnected, v1alpha1.ReasonConnected))
		s.suspend(ctx)
		s.deleteSecret(ctx, gen.Instance+"-gateway")
		deleteNamespace(ctx)
		Eventually(ctx, namespaceGone, patience, often).Should(BeTrue())
		Expect(operatorsOwn.Instances()).NotTo(ContainElement(HaveField("Name", s.gatewayName())))
	})

	It("a namespace does not hang on a gateway that is down, with all Secrets gone", func(ctx SpecContext) {
		s.instance(ctx, deleting)
		s.pairs(ctx)
		s.suspend(ctx)
		Expect(s.server.Close()).To(Succeed())
		s.deleteSecret(ctx, gen.Instance+"-gateway")
		s.deleteSecret(ctx, "admin")
		deleteNamespace(ctx)
		s.becomes(ctx, HaveField("DeletionTimestamp", Not(BeNil())))
		Consistently(ctx, namespaceGone, awhile, often).Should(BeFalse())
		s.forward(ctx, 6*time.Minute)
		Eventually(ctx, namespaceGone, patience, often).Should(BeTrue())
	})

	for _, policy := range []v1alpha1.DeletionPolicy{v1alpha1.DeletionRetain, v1alpha1.DeletionDelete} {
		It("the Secrets of an instance with policy "+string(policy)+" go with it", func(ctx SpecContext) {
			instance := s.instance(ctx, func(i *v1alpha1.WhatsAppInstance) { i.Spec.DeletionPolicy = policy })
			s.pairs(ctx)
			Expect(env.Client.Delete(ctx, instance)).To(Succeed())
			Eventually(ctx, func(ctx context.Context) []string {
				var secrets corev1.SecretList
				Expect(env.Client.List(ctx, &secrets, client.InNamespace(s.namespace))).To(Succeed())
				names := make([]string, 0, len(secrets.Items))
				for i := range secrets.Items {
					names = append(names, secrets.Items[i].Name)
				}
				return names
			}, patience, often).Should(ConsistOf("admin"))
			Expect(s.uazapi.Instances()).To(
				HaveLen(map[v1alpha1.DeletionPolicy]int{v1alpha1.DeletionRetain: 1}[policy]))
		})
	}

	It("an instance is deleted at its gateway when its account's Secret was deleted together with it",
		func(ctx SpecContext) {
			instance := s.instance(ctx, deleting)
			s.pairs(ctx)
			s.suspend(ctx)
			s.deleteSecret(ctx, "admin")
			// The operator remembers Secrets for seconds.
			clk.Forward(time.Minute)
			Expect(env.Client.Delete(ctx, instance)).To(Succeed())
			Eventually(ctx, s.uazapi.Instances, soon, often).Should(BeEmpty())
			Eventually(ctx, func(ctx context.Context) bool {
				_, err := s.read(ctx)
				return apierrors.IsNotFound(err)
			}, soon, often).Should(BeTrue())
		})
})
