package whatsappinstance

import (
	"context"
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/connection"
	"cartrecovery.dev/operator/internal/gateway"
	"cartrecovery.dev/operator/internal/gateway/simulated"
	"cartrecovery.dev/operator/internal/gateway/uazapi"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/pace"
	"cartrecovery.dev/operator/internal/simulator"
)

const otherPhone = "+5511988887777"

// pairCode is the code that people are shown.
func (s *scene) pairCode(ctx context.Context) string {
	return string(s.secret(ctx, "-pairing")[gateway.KeyPairCode])
}

func byCode(number string) func(*v1alpha1.WhatsAppInstance) {
	return func(i *v1alpha1.WhatsAppInstance) {
		i.Spec.Pairing.Method, i.Spec.Pairing.Phone = v1alpha1.PairingPairCode, number
	}
}

// logOut removes the device, and waits until that was noticed.
func (s *scene) logOut(ctx context.Context) {
	GinkgoHelper()
	Expect(s.uazapi.Logout(s.gatewayName(), "401: device removed")).To(Succeed())
	s.becomes(ctx, inPhase(v1alpha1.InstanceDisconnected, v1alpha1.ReasonLoggedOut))
	clk.Forward(connectEvery)
}

// deleteThere deletes the instance at the gateway, behind the operator's back.
func (s *scene) deleteThere(ctx context.Context) {
	GinkgoHelper()
	direct, err := uazapi.New(nil, gateway.Endpoint{BaseURL: s.url, Token: s.uazapi.Instances()[0].Token})
	Expect(err).NotTo(HaveOccurred())
	Expect(direct.Delete(ctx)).To(Succeed())
}

func (s *scene) createNamespace(ctx context.Context, name string) {
	GinkgoHelper()
	Expect(env.Client.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}})).To(Succeed())
	s.setUpIn(ctx, name)
}

var _ = Describe("The life of a WhatsAppInstance", func() {
	var s *scene
	BeforeEach(func() { s = newScene() })
	BeforeEach(func(ctx SpecContext) { s.setUp(ctx) })

	Describe("while it is being paired", func() {
		It("gets a new pair code when the old one is over", func(ctx SpecContext) {
			s.instance(ctx, byCode(phone))
			Eventually(ctx, s.pairCode, soon, often).ShouldNot(BeEmpty())
			first := s.pairCode(ctx)
			s.forward(ctx, 5*time.Minute)
			Eventually(ctx, s.pairCode, soon, often).ShouldNot(BeElementOf(first, ""))
			Expect(s.uazapi.Scan(s.gatewayName(), digits)).To(Succeed())
			connected := s.becomes(ctx, inPhase(v1alpha1.InstanceConnected, v1alpha1.ReasonConnected))
			Expect(connected.Status.Pairing.Attempts).To(BeEquivalentTo(1))
		})

		It("gets a code for another phone when the spec names another", func(ctx SpecContext) {
			s.instance(ctx, byCode(phone))
			Eventually(ctx, s.pairCode, soon, often).ShouldNot(BeEmpty())
			first := s.pairCode(ctx)
			s.change(ctx, byCode(otherPhone))
			Eventually(ctx, s.pairCode, soon, often).ShouldNot(BeElementOf(first, ""))
			Expect(s.shown(ctx)).To(BeEmpty())
		})

		It("shows nothing any more when its Store goes, and begins again with the Store", func(ctx SpecContext) {
			s.instance(ctx)
			Eventually(ctx, s.shown, soon, often).ShouldNot(BeEmpty())
			Expect(env.Client.Delete(ctx, gen.In(s.namespace, gen.StoreObject()))).To(Succeed())
			s.becomes(ctx, And(inPhase(v1alpha1.InstancePending, v1alpha1.ReasonStoreNotFound),
				HaveField("Status.Pairing.SecretRef", BeNil())))
			Expect(s.secret(ctx, "-pairing")).To(BeEmpty())
			clk.Forward(connectEvery)
			Expect(env.Client.Create(ctx, gen.In(s.namespace, gen.StoreObject()))).To(Succeed())
			s.pairs(ctx)
		})

		It("shows nothing of a gateway that the spec names no more, even while the new one is down",
			func(ctx SpecContext) {
				s.instance(ctx)
				Eventually(ctx, s.shown, soon, often).ShouldNot(BeEmpty())
				other := newGateway()
				server, err := simulator.Serve(other)
				Expect(err).NotTo(HaveOccurred())
				url := server.URL()
				Expect(server.Close()).To(Succeed())
				s.change(ctx, func(i *v1alpha1.WhatsAppInstance) { i.Spec.Gateway.BaseURL = url })
				Eventually(ctx, s.shown, soon, often).Should(BeEmpty())
				Eventually(ctx, func(ctx context.Context) map[string][]byte { return s.secret(ctx, "-gateway") }, soon,
					often).
					ShouldNot(HaveKey(gateway.KeyToken))
				Eventually(ctx, s.events, soon, often).Should(ContainElement("InstanceLeftAtGateway"))

				server, err = simulator.ServeAt(address(url), other)
				Expect(err).NotTo(HaveOccurred())
				DeferCleanup(func() { _ = server.Close() })
				s.uazapi = other
				s.pairs(ctx)
			})
	})

	Describe("once it was connected", func() {
		It("is paired again on request, and keeps its warm-up and its webhook", func(ctx SpecContext) {
			s.instance(ctx)
			first := s.pairs(ctx)
			Expect(first.Status.FirstConnectedTime).To(Equal(first.Status.LastConnectedTime))
			clk.Forward(time.Hour)
			s.logOut(ctx)
			s.askForPairing(ctx)
			again := s.pairs(ctx)
			Expect(again.Status.FirstConnectedTime).To(Equal(first.Status.FirstConnectedTime))
			Expect(again.Status.LastConnectedTime.After(first.Status.LastConnectedTime.Time)).To(BeTrue())
			Expect(condition(again, v1alpha1.ConditionWebhookRegistered)).To(Equal("True/Registered"))
			Expect(s.uazapi.Instances()).To(ConsistOf(HaveField("WebhookURL", HavePrefix(publicURL))))
			s.becomes(ctx, HaveField("Status.Pairing.SecretRef", BeNil()))
			Expect(s.secret(ctx, "-pairing")).To(BeEmpty())
		})

		It("is paired again by an instance that was made again, which is told where to post", func(ctx SpecContext) {
			s.instance(ctx)
			first := s.pairs(ctx)
			s.deleteThere(ctx)
			s.becomes(ctx, inPhase(v1alpha1.InstanceDisconnected, v1alpha1.ReasonLoggedOut))
			clk.Forward(connectEvery)
			s.askForPairing(ctx)
			again := s.pairs(ctx)
			Expect(again.Status.FirstConnectedTime).To(Equal(first.Status.FirstConnectedTime))
			Expect(condition(again, v1alpha1.ConditionWebhookRegistered)).To(Equal("True/Registered"))
			Expect(s.uazapi.Instances()).To(ConsistOf(HaveField("WebhookURL", HavePrefix(publicURL))))
		})

		It("is made again on request when its gateway refused it and then lost it", func(ctx SpecContext) {
			s.instance(ctx)
			s.pairs(ctx)
			s.uazapi.Fail(simulator.Fault{Path: "/instance/status", Times: -1, Status: http.StatusUnauthorized,
				Body: `{"error":"no"}`})
			s.becomes(ctx, inPhase(v1alpha1.InstanceFailed, v1alpha1.ReasonGatewayUnauthorized))
			s.deleteThere(ctx)
			s.uazapi.ClearFaults()
			clk.Forward(connectEvery)
			s.askForPairing(ctx)
			s.pairs(ctx)
			Expect(s.uazapi.Instances()).To(HaveLen(1))
		})

		It("moves to a gateway of another type and back, where it is found again", func(ctx SpecContext) {
			made := s.instance(ctx)
			first := s.pairs(ctx)
			s.change(ctx, func(i *v1alpha1.WhatsAppInstance) {
				i.Spec.Gateway = v1alpha1.GatewaySpec{Type: v1alpha1.GatewaySimulated}
			})
			s.becomes(ctx, HaveField("Status.GatewayInstanceID", HavePrefix("simulated:")))
			s.forward(ctx, simulated.PairingTime)
			s.becomes(ctx, And(inPhase(v1alpha1.InstanceConnected, v1alpha1.ReasonConnected),
				HaveField("Status.Phone", "+"+simulated.Phone)))

			s.change(ctx, func(i *v1alpha1.WhatsAppInstance) { i.Spec.Gateway = made.Spec.Gateway })
			again := s.becomes(ctx, And(inPhase(v1alpha1.InstanceConnected, v1alpha1.ReasonConnected),
				HaveField("Status.Phone", phone)))
			Expect(again.Status.FirstConnectedTime).To(Equal(first.Status.FirstConnectedTime))
			Expect(s.uazapi.Instances()).To(HaveLen(1))
		})

		It("shows its pace, and what changed limits allow, and writes nothing otherwise", func(ctx SpecContext) {
			s.instance(ctx)
			connected := s.pairs(ctx)
			Expect(connected.Status.Pace).To(BeNil(), "nobody knows yet what was sent")
			book.Seed(connected.UID, []pace.Sent{
				{At: clk.Now().Add(-time.Second), New: true, Lead: client.ObjectKey{Namespace: s.namespace, Name: "a"}},
				{At: clk.Now().Add(-time.Minute), Lead: client.ObjectKey{Namespace: s.namespace, Name: "b"}},
			})
			shown := s.becomes(ctx, HaveField("Status.Pace", Not(BeNil())))
			Expect(shown.Status.Pace.SentLastHour).To(BeEquivalentTo(2))
			Expect(shown.Status.Pace.NewConversationsAllowedToday).To(BeEquivalentTo(20))
			shown = s.becomes(ctx, HaveField("Status.Pairing.SecretRef", BeNil()))
			Consistently(ctx, s.read, awhile, often).Should(HaveField("ResourceVersion", shown.ResourceVersion))

			s.change(ctx, func(i *v1alpha1.WhatsAppInstance) {
				i.Spec.Limits.WarmUp = &v1alpha1.WarmUp{StartPerDay: new(int32(7)), Days: new(int32(14))}
			})
			s.becomes(ctx, HaveField("Status.Pace.NewConversationsAllowedToday", BeEquivalentTo(7)))
			s.change(ctx, func(i *v1alpha1.WhatsAppInstance) { i.Spec.Limits.NewConversationsPerDay = new(int32(3)) })
			s.becomes(ctx, HaveField("Status.Pace.NewConversationsAllowedToday", BeEquivalentTo(3)))
		})
	})
})

var _ = Describe("A WhatsAppInstance that WhatsApp restricts", func() {
	It("starts conversations again when that is over, long before its next poll", func(ctx SpecContext) {
		s := newScene()
		s.createNamespace(ctx, resting)
		s.instance(ctx)
		s.pairs(ctx)
		current := s.becomes(ctx, HaveField("Status.Pairing.SecretRef", BeNil()))
		before := current.DeepCopy()
		connection.Restrict(current, clk.Now().Add(3*time.Second), clk.Now())
		Expect(env.Client.Status().Patch(ctx, current, client.MergeFrom(before))).To(Succeed())
		s.forward(ctx, 0)
		s.becomes(ctx, inPhase(v1alpha1.InstanceRestricted, v1alpha1.ReasonRestricted))
		s.becomes(ctx, And(inPhase(v1alpha1.InstanceConnected, v1alpha1.ReasonConnected),
			HaveField("Status.NewConversationsPausedUntil", BeNil())))
	})
})

var _ = Describe("A WhatsAppInstance at an Evolution gateway that is being paired", func() {
	It("changes to a pair code, and to another phone, as the spec says", func(ctx SpecContext) {
		s := newScene()
		evo := simulator.NewEvolution(simulator.EvolutionOptions{APIKey: adminToken, Clock: clk.Now})
		DeferCleanup(evo.Close)
		server, err := simulator.Serve(evo)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(func() { _ = server.Close() })
		s.url = server.URL()
		s.createNamespace(ctx, changing)
		s.instance(ctx, func(i *v1alpha1.WhatsAppInstance) { i.Spec.Gateway.Type = v1alpha1.GatewayEvolution })
		Eventually(ctx, s.shown, soon, often).ShouldNot(BeEmpty())

		s.change(ctx, byCode(phone))
		Eventually(ctx, s.pairCode, soon, often).ShouldNot(BeEmpty())
		Expect(s.shown(ctx)).To(BeEmpty())
		first := s.pairCode(ctx)

		By(
			"trying again when the gateway fails to stop what it was asked for before, and when it is slow to free " +
				"the name")
		evo.SlowDeletes()
		evo.Fail(simulator.Fault{Path: "/instance/delete/" + s.gatewayName(), Times: 2,
			Status: http.StatusInternalServerError, Body: `{"error":"no"}`})
		s.change(ctx, byCode(otherPhone))
		Eventually(ctx, s.pairCode, soon, often).Should(BeEmpty())
		evo.FinishDeletes()
		Eventually(ctx, s.pairCode, soon, often).ShouldNot(BeElementOf(first, ""))
		Expect(evo.Scan(s.gatewayName(), otherPhone[1:])).To(Succeed())
		connected := s.becomes(ctx, inPhase(v1alpha1.InstanceConnected, v1alpha1.ReasonConnected))
		Expect(connected.Status.Phone).To(Equal(otherPhone))
		Expect(evo.Instances()).To(HaveLen(1))

		By("hearing customers all the same")
		Eventually(ctx, func() string { return evo.Instances()[0].WebhookURL }, soon, often).ShouldNot(BeEmpty())
		path := "/api/whatsapp/webhook/" + s.namespace + "/" + gen.Instance
		posted.forget(path)
		_, err = evo.Reply(s.gatewayName(), "5511988887777", "alguém?")
		Expect(err).NotTo(HaveOccurred())
		_, heard := posted.key(path)
		Expect(heard).To(BeTrue())
	})
})
