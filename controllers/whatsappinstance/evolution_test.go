package whatsappinstance

import (
	"context"
	"net/http"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/connection"
	"cartrecovery.dev/operator/internal/gateway"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/simulator"
)

// TestDisplay: a QR counts only when it is of the pairing that goes on.
func TestDisplay(t *testing.T) {
	shown := func(count int) gateway.State { return gateway.State{Connection: gateway.Connecting, Shown: count} }
	for _, row := range []struct {
		name    string
		known   display
		ever    bool
		answer  int
		looks   []int
		isOfNow []bool
	}{
		{"a gateway that does not count", display{}, true, 0, []int{0, 0}, []bool{true, true}},
		{"the first pairing of all", display{}, false, 0, []int{0, 1, 2}, []bool{true, true, true}},
		{"the first pairing of all, and a quick gateway", display{}, false, 1, []int{1, 2}, []bool{true, true}},
		{"a pairing after one that was watched", display{known: true, shown: 4}, true, 4, []int{4, 4, 5},
			[]bool{false, false, true}},
		{"a pairing after one that was watched, and a quick gateway", display{known: true, shown: 4}, true, 5, []int{5},
			[]bool{true}},
		{"a pairing after one that nobody watched", display{}, true, 1, []int{1, 2}, []bool{false, true}},
		{"a pairing of which nothing is known", display{}, false, 3, []int{3, 4}, []bool{false, true}},
		{"of an instance that was just made", display{known: true}, true, 1, []int{1}, []bool{true}},
		{"the gateway was restarted", display{known: true, shown: 4}, true, 0, []int{0, 1, 2},
			[]bool{true, true, true}},
	} {
		t.Run(row.name, func(t *testing.T) {
			d := row.known
			d.begin(shown(row.answer), row.ever)
			for at, count := range row.looks {
				if got := d.look(shown(count)); got != row.isOfNow[at] {
					t.Errorf("picture %d, as number %d: of now %t", count, at, got)
				}
			}
		})
	}
}

// TestPlanRevival: one restart is tried, of a number that is connected and sends nothing.
func TestPlanRevival(t *testing.T) {
	dead := func(s *snapshot) { connection.NotSending(s.instance, now) }
	for name, row := range map[string]struct {
		mods []func(*snapshot)
		want kind
	}{
		"it sends":         {nil, wait},
		"it does not send": {[]func(*snapshot){dead}, revive},
		"it was restarted": {[]func(*snapshot){dead, func(s *snapshot) { s.memory.revived.restarted = true }},
			wait},
		"it is not connected": {[]func(*snapshot){dead, loggedOut}, wait},
	} {
		t.Run(name, func(t *testing.T) {
			if got := plan(settledSituation(row.mods...)); got.kind != row.want {
				t.Errorf("planned %s, want %s", got.kind, row.want)
			}
		})
	}
}

var _ = Describe("A WhatsAppInstance at an Evolution gateway as it is", Ordered, func() {
	var s *scene
	var evo *simulator.Evolution
	AfterEach(func(ctx SpecContext) { // nobody collects what was the instance's
		s.tearDown(ctx)
		for _, suffix := range []string{"-gateway", "-pairing"} {
			secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: odd, Name: gen.Instance + suffix}}
			Expect(client.IgnoreNotFound(env.Client.Delete(ctx, secret))).To(Succeed())
		}
	})
	BeforeAll(func(ctx SpecContext) {
		Expect(env.Client.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: odd}})).To(Succeed())
		made := &scene{namespace: odd}
		Expect(env.Client.Create(ctx, gen.In(odd, gen.StoreObject()))).To(Succeed())
		made.adminSecret(ctx, adminToken)
	})
	begin := func(ctx context.Context, options simulator.EvolutionOptions) {
		GinkgoHelper()
		s = newScene()
		s.namespace = odd
		options.APIKey, options.Clock = adminToken, clk.Now
		evo = simulator.NewEvolution(options)
		DeferCleanup(evo.Close)
		server, err := simulator.Serve(evo)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(func() { _ = server.Close() })
		s.url = server.URL()
		s.instance(ctx, func(i *v1alpha1.WhatsAppInstance) { i.Spec.Gateway.Type = v1alpha1.GatewayEvolution })
	}
	pairs := func(ctx context.Context) *v1alpha1.WhatsAppInstance {
		GinkgoHelper()
		Eventually(ctx, s.shown, soon, often).ShouldNot(BeEmpty())
		Expect(evo.Scan(s.gatewayName(), digits)).To(Succeed())
		return s.becomes(ctx, inPhase(v1alpha1.InstanceConnected, v1alpha1.ReasonConnected))
	}

	It("is not ready while it sends nothing, is restarted once, and is ready again when a message went",
		func(ctx SpecContext) {
			begin(ctx, simulator.EvolutionOptions{})
			connected := pairs(ctx)
			dies := func() {
				GinkgoHelper()
				Expect(evo.Die(s.gatewayName(), true)).To(Succeed())
				for range 3 {
					book.Failed(connected.UID, clk.Now())
					clk.Forward(31 * time.Second)
				}
			}
			dies()
			By("restarting it at the gateway")
			Eventually(ctx, evo.Restarts, soon, often).Should(Equal(1))
			s.becomes(ctx, inPhase(v1alpha1.InstanceConnected, v1alpha1.ReasonConnected))
			Eventually(ctx, s.events, soon, often).Should(ContainElements("NotSending", "Restarted"))

			By("leaving it to a person after that")
			dies()
			s.becomes(ctx, inPhase(v1alpha1.InstanceConnected, v1alpha1.ReasonNotSending))
			Consistently(ctx, s.read, awhile, often).Should(inPhase(v1alpha1.InstanceConnected,
				v1alpha1.ReasonNotSending))
			Expect(evo.Restarts()).To(Equal(1))

			By("believing a gateway that can look its own number up")
			Expect(evo.Revive(s.gatewayName())).To(Succeed())
			s.becomes(ctx, inPhase(v1alpha1.InstanceConnected, v1alpha1.ReasonConnected))

			By("not believing it twice, but a message that went")
			for range 3 {
				book.Failed(connected.UID, clk.Now())
				clk.Forward(31 * time.Second)
			}
			s.becomes(ctx, inPhase(v1alpha1.InstanceConnected, v1alpha1.ReasonNotSending))
			Consistently(ctx, s.read, awhile, often).Should(inPhase(v1alpha1.InstanceConnected,
				v1alpha1.ReasonNotSending))
			clk.Forward(time.Second)
			book.Succeeded(connected.UID)
			s.becomes(ctx, inPhase(v1alpha1.InstanceConnected, v1alpha1.ReasonConnected))
		})

	It("says that there is no QR, and names no Secret that is not there", func(ctx SpecContext) {
		begin(ctx, simulator.EvolutionOptions{QRAfter: 90 * time.Second})
		s.becomes(ctx, And(inPhase(v1alpha1.InstancePairing, v1alpha1.ReasonPairing),
			HaveField("Status.Pairing.SecretRef", BeNil())))
		Eventually(ctx, evo.Instances, soon, often).Should(ConsistOf(HaveField("State", simulator.Connecting)))
		clk.Forward(75 * time.Second)
		s.becomes(ctx, And(inPhase(v1alpha1.InstancePairing, v1alpha1.ReasonNoQRCode),
			HaveField("Status.Pairing.SecretRef", BeNil())))
		named := client.ObjectKey{Namespace: s.namespace, Name: gen.Instance + "-pairing"}
		Expect(env.Client.Get(ctx, named, &corev1.Secret{})).To(Satisfy(apierrors.IsNotFound))
		clk.Forward(20 * time.Second)
		s.becomes(ctx, And(inPhase(v1alpha1.InstancePairing, v1alpha1.ReasonPairing),
			HaveField("Status.Pairing.SecretRef", Not(BeNil()))))
		Eventually(ctx, s.shown, soon, often).ShouldNot(BeEmpty())
	})

	It("keeps its token while the gateway's database does not answer", func(ctx SpecContext) {
		begin(ctx, simulator.EvolutionOptions{})
		pairs(ctx)
		token := string(s.secret(ctx, "-gateway")[gateway.KeyToken])
		evo.Database(false)
		s.becomes(ctx, And(inPhase(v1alpha1.InstanceConnected, v1alpha1.ReasonConnected), WithTransform(
			func(i *v1alpha1.WhatsAppInstance) string { return condition(i, v1alpha1.ConditionGatewayReachable) },
			HavePrefix("False/"))))
		Consistently(ctx, func() string { return string(s.secret(ctx, "-gateway")[gateway.KeyToken]) }, awhile,
			often).Should(Equal(token))
		evo.Database(true)
		s.becomes(ctx, WithTransform(
			func(i *v1alpha1.WhatsAppInstance) string { return condition(i, v1alpha1.ConditionGatewayReachable) },
			HavePrefix("True/")))
		Expect(string(s.secret(ctx, "-gateway")[gateway.KeyToken])).To(Equal(token))
	})

	for name, secrets := range map[string]bool{"with its Secrets": true, "without its Secrets": false} {
		It("keeps its number when it is made again from a backup, "+name, func(ctx SpecContext) {
			begin(ctx, simulator.EvolutionOptions{})
			before := pairs(ctx)
			s.restored(ctx, secrets)
			after := s.becomes(ctx, inPhase(v1alpha1.InstanceConnected, v1alpha1.ReasonConnected))
			Expect(after.Status.GatewayInstanceID).To(Equal(before.Status.GatewayInstanceID))
			Expect(evo.Instances()).To(HaveLen(1))
		})
	}

	It("is asked for a QR once, and watched, when that takes long", func(ctx SpecContext) {
		s = newScene()
		s.namespace = odd
		evo = simulator.NewEvolution(simulator.EvolutionOptions{APIKey: adminToken, Clock: clk.Now})
		DeferCleanup(evo.Close)
		server, err := simulator.Serve(evo)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(func() { _ = server.Close() })
		s.url = server.URL()
		evo.Fail(simulator.Fault{Path: "/instance/connect/" + s.gatewayName(), AfterAccept: true,
			Status: http.StatusGatewayTimeout})
		s.instance(ctx, func(i *v1alpha1.WhatsAppInstance) { i.Spec.Gateway.Type = v1alpha1.GatewayEvolution })
		Eventually(ctx, s.shown, soon, often).ShouldNot(BeEmpty())
		Expect(evo.Instances()).To(ConsistOf(HaveField("State", simulator.Connecting)))
	})
})
