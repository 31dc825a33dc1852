package whatsappinstance

import (
	"context"
	"net/http"
	"strconv"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/connection"
	"cartrecovery.dev/operator/internal/gateway"
	"cartrecovery.dev/operator/internal/gateway/simulated"
	"cartrecovery.dev/operator/internal/gateway/uazapi"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/simulator"
)

const (
	digits = "5511999990000"
	phone  = "+" + digits
)

// scene is a namespace with a Store, and a gateway that belongs to its instance alone.
type scene struct {
	namespace string
	uazapi    *simulator.UAZAPI
	server    *simulator.Server
	url       string
}

func newScene() *scene {
	GinkgoHelper()
	clk.Reset()
	s := &scene{uazapi: newGateway()}
	var err error
	s.server, err = simulator.Serve(s.uazapi)
	Expect(err).NotTo(HaveOccurred())
	s.url = s.server.URL()
	return s
}

func (s *scene) setUp(ctx context.Context) {
	GinkgoHelper()
	namespace, err := env.Namespace(ctx)
	Expect(err).NotTo(HaveOccurred())
	s.setUpIn(ctx, namespace)
}

func (s *scene) setUpIn(ctx context.Context, namespace string) {
	GinkgoHelper()
	s.namespace = namespace
	Expect(env.Client.Create(ctx, gen.In(s.namespace, gen.StoreObject()))).To(Succeed())
	s.adminSecret(ctx, adminToken)
	DeferCleanup(s.tearDown)
}

// tearDown removes the instances, so that nobody polls a gateway of a test that has ended.
func (s *scene) tearDown(ctx SpecContext) {
	defer func() { _ = s.server.Close() }()
	var instances v1alpha1.WhatsAppInstanceList
	Expect(env.Client.List(ctx, &instances, client.InNamespace(s.namespace))).To(Succeed())
	for i := range instances.Items {
		instance := &instances.Items[i]
		patch := client.RawPatch("application/merge-patch+json", []byte(`{"metadata":{"finalizers":null}}`))
		Expect(client.IgnoreNotFound(env.Client.Patch(ctx, instance, patch))).To(Succeed())
		Expect(client.IgnoreNotFound(env.Client.Delete(ctx, instance))).To(Succeed())
	}
}

func (s *scene) adminSecret(ctx context.Context, token string) {
	GinkgoHelper()
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: "admin"}}
	Expect(client.IgnoreNotFound(env.Client.Delete(ctx, secret))).To(Succeed())
	secret = &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: "admin"},
		StringData: map[string]string{"token": token},
	}
	Expect(env.Client.Create(ctx, secret)).To(Succeed())
}

// instance makes the scene's WhatsAppInstance.
func (s *scene) instance(ctx context.Context, mods ...func(*v1alpha1.WhatsAppInstance)) *v1alpha1.WhatsAppInstance {
	GinkgoHelper()
	mods = append([]func(*v1alpha1.WhatsAppInstance){func(i *v1alpha1.WhatsAppInstance) {
		i.Status = v1alpha1.WhatsAppInstanceStatus{}
		i.Spec.Gateway.BaseURL = s.url
		i.Spec.Gateway.AdminTokenSecretRef = &v1alpha1.SecretKeyReference{Name: "admin", Key: "token"}
	}}, mods...)
	instance := gen.In(s.namespace, gen.InstanceObject(mods...))
	Expect(env.Client.Create(ctx, instance)).To(Succeed())
	return instance
}

func (s *scene) gatewayName() string { return s.namespace + "." + gen.Instance }

// read is the instance as it is now.
func (s *scene) read(ctx context.Context) (*v1alpha1.WhatsAppInstance, error) {
	instance := &v1alpha1.WhatsAppInstance{}
	return instance, env.Client.Get(ctx, client.ObjectKey{Namespace: s.namespace, Name: gen.Instance}, instance)
}

// becomes waits until the instance fits.
func (s *scene) becomes(ctx context.Context, fits types.GomegaMatcher) *v1alpha1.WhatsAppInstance {
	GinkgoHelper()
	var instance *v1alpha1.WhatsAppInstance
	Eventually(ctx, func(ctx context.Context) (*v1alpha1.WhatsAppInstance, error) {
		var err error
		instance, err = s.read(ctx)
		return instance, err
	}, soon, often).Should(fits)
	return instance
}

// change patches the instance's spec or metadata.
func (s *scene) change(ctx context.Context, change func(*v1alpha1.WhatsAppInstance)) {
	GinkgoHelper()
	instance, err := s.read(ctx)
	Expect(err).NotTo(HaveOccurred())
	before := instance.DeepCopy()
	change(instance)
	Expect(env.Client.Patch(ctx, instance, client.MergeFrom(before))).To(Succeed())
}

// forward moves the clock and has the controller look at it.
//
// An object that is being deleted may be released as soon as the clock has moved: it need not be
// looked at any more then.
func (s *scene) forward(ctx context.Context, by time.Duration) {
	GinkgoHelper()
	clk.Forward(by)
	instance, err := s.read(ctx)
	if err == nil {
		before := instance.DeepCopy()
		metav1.SetMetaDataAnnotation(&instance.ObjectMeta, "test/looked-at", clk.Now().String())
		err = env.Client.Patch(ctx, instance, client.MergeFrom(before))
	}
	Expect(client.IgnoreNotFound(err)).NotTo(HaveOccurred())
}

func (s *scene) askForPairing(ctx context.Context) {
	GinkgoHelper()
	s.change(ctx, func(i *v1alpha1.WhatsAppInstance) {
		metav1.SetMetaDataAnnotation(&i.ObjectMeta, v1alpha1.AnnotationPairRequested,
			clk.Now().Format(time.RFC3339Nano))
	})
}

// secret is the data of a Secret, nil when there is none.
func (s *scene) secret(ctx context.Context, suffix string) map[string][]byte {
	GinkgoHelper()
	var secret corev1.Secret
	err := env.Client.Get(ctx, client.ObjectKey{Namespace: s.namespace, Name: gen.Instance + suffix}, &secret)
	Expect(client.IgnoreNotFound(err)).NotTo(HaveOccurred())
	return secret.Data
}

// shown is the QR that people are shown.
func (s *scene) shown(ctx context.Context) string {
	return string(s.secret(ctx, "-pairing")[gateway.KeyQR])
}

// pairs waits for the QR and scans it.
func (s *scene) pairs(ctx context.Context) *v1alpha1.WhatsAppInstance {
	GinkgoHelper()
	s.becomes(ctx, inPhase(v1alpha1.InstancePairing, v1alpha1.ReasonPairing))
	Eventually(ctx, s.shown, soon, often).ShouldNot(BeEmpty())
	Expect(s.uazapi.Scan(s.gatewayName(), digits)).To(Succeed())
	return s.becomes(ctx, inPhase(v1alpha1.InstanceConnected, v1alpha1.ReasonConnected))
}

// events are the reasons of the events of the instance.
func (s *scene) events(ctx context.Context) []string {
	GinkgoHelper()
	var list eventsv1.EventList
	Expect(env.Client.List(ctx, &list, client.InNamespace(s.namespace))).To(Succeed())
	reasons := make([]string, 0, len(list.Items))
	for i := range list.Items {
		reasons = append(reasons, list.Items[i].Reason)
	}
	return reasons
}

func condition(instance *v1alpha1.WhatsAppInstance, kind string) string {
	found := apimeta.FindStatusCondition(instance.Status.Conditions, kind)
	if found == nil {
		return ""
	}
	return string(found.Status) + "/" + found.Reason
}

func inPhase(phase v1alpha1.InstancePhase, reason string) types.GomegaMatcher {
	return And(
		HaveField("Status.Phase", phase),
		WithTransform(func(i *v1alpha1.WhatsAppInstance) string { return condition(i, v1alpha1.ConditionReady) },
			HaveSuffix("/"+reason)),
		WithTransform(func(i *v1alpha1.WhatsAppInstance) bool { return i.Status.ObservedGeneration == i.Generation },
			BeTrue()),
	)
}

func beReachable(want string) types.GomegaMatcher {
	return WithTransform(func(i *v1alpha1.WhatsAppInstance) string {
		return condition(i, v1alpha1.ConditionGatewayReachable)
	}, Equal(want))
}

var _ = Describe("A WhatsAppInstance", func() {
	var s *scene
	BeforeEach(func() { s = newScene() })
	BeforeEach(func(ctx SpecContext) { s.setUp(ctx) })

	It("is made at the gateway, shows a QR, and is connected once a phone has scanned it", func(ctx SpecContext) {
		s.instance(ctx)
		pairing := s.becomes(ctx, And(
			inPhase(v1alpha1.InstancePairing, v1alpha1.ReasonPairing), HaveField("Status.Pairing.SecretRef",
				Not(BeNil())),
		))
		Expect(pairing.Status.Pairing.SecretRef).To(HaveField("Name", gen.Instance+"-pairing"))
		Expect(pairing.Status.Pairing.Attempts).To(BeEquivalentTo(1))

		connected := s.pairs(ctx)
		Expect(connected.Status.Phone).To(Equal(phone))
		Expect(connected.Status.LastConnectedTime).NotTo(BeNil())
		Expect(connected.Status.GatewayInstanceID).NotTo(BeEmpty())
		Expect(condition(connected, v1alpha1.ConditionGatewayReachable)).To(Equal("True/Reachable"))

		ended := s.becomes(ctx, HaveField("Status.Pairing.SecretRef", BeNil()))
		Expect(s.secret(ctx, "-pairing")).To(BeEmpty())
		Expect(ended.Status.Pairing.ExpiresAt).To(BeNil())

		By("having told the gateway where to post")
		at := s.uazapi.Instances()
		Expect(at).To(HaveLen(1))
		key := string(s.secret(ctx, "-gateway")[gateway.KeyWebhook])
		Expect(key).To(HaveLen(43))
		Expect(at[0].WebhookURL).To(Equal(publicURL + "/api/whatsapp/webhook/" + s.namespace + "/" + gen.Instance +
			"/" + key))
		Expect(condition(ended, v1alpha1.ConditionWebhookRegistered)).To(Equal("True/Registered"))

		By("having kept the token, and only in the Secret")
		Expect(string(s.secret(ctx, "-gateway")[gateway.KeyToken])).To(Equal(at[0].Token))
		Expect(s.gatewayName()).To(Equal(at[0].Name))
		Eventually(ctx, s.events, soon, often).Should(ContainElements("Provisioning", "Pairing", "Connected"))
	})

	It("uses the operator's own gateway when it names none", func(ctx SpecContext) {
		s.instance(ctx, func(i *v1alpha1.WhatsAppInstance) {
			i.Spec.Gateway = v1alpha1.GatewaySpec{Type: v1alpha1.GatewayUAZAPI}
		})
		Eventually(ctx, s.shown, soon, often).ShouldNot(BeEmpty())
		Expect(operatorsOwn.Scan(s.gatewayName(), digits)).To(Succeed())
		s.becomes(ctx, inPhase(v1alpha1.InstanceConnected, v1alpha1.ReasonConnected))
		Expect(s.uazapi.Instances()).To(BeEmpty())
	})

	It("pairs by code", func(ctx SpecContext) {
		s.instance(ctx, func(i *v1alpha1.WhatsAppInstance) {
			i.Spec.Pairing = v1alpha1.PairingSpec{Method: v1alpha1.PairingPairCode, Phone: phone}
		})
		Eventually(ctx, func(ctx context.Context) string {
			return string(s.secret(ctx, "-pairing")[gateway.KeyPairCode])
		}, soon, often).ShouldNot(BeEmpty())
		Expect(s.shown(ctx)).To(BeEmpty())
		Expect(s.uazapi.Scan(s.gatewayName(), digits)).To(Succeed())
		s.becomes(ctx, inPhase(v1alpha1.InstanceConnected, v1alpha1.ReasonConnected))
	})

	It("pairs by itself when it is simulated", func(ctx SpecContext) {
		s.instance(ctx, func(i *v1alpha1.WhatsAppInstance) {
			i.Spec.Gateway = v1alpha1.GatewaySpec{Type: v1alpha1.GatewaySimulated}
		})
		Eventually(ctx, s.shown, soon, often).Should(Equal(simulated.QRCode()))
		s.forward(ctx, simulated.PairingTime)
		s.becomes(ctx, And(inPhase(v1alpha1.InstanceConnected, v1alpha1.ReasonConnected),
			HaveField("Status.Pairing.SecretRef", BeNil())))
	})

	Describe("whose creation is interrupted", func() {
		It("is found again when its token could not be stored", func(ctx SpecContext) {
			flaky.failing(firstTokenWrites(2, s.namespace))
			DeferCleanup(func() { flaky.failing(nil) })
			s.instance(ctx)
			s.pairs(ctx)
			Expect(s.uazapi.Instances()).To(HaveLen(1))
		})

		It("is found again when the operator stopped before it stored anything", func(ctx SpecContext) {
			made := s.instance(ctx, func(i *v1alpha1.WhatsAppInstance) { i.Spec.Suspend = true })
			direct, err := uazapi.New(nil, gateway.Endpoint{BaseURL: s.url, AdminToken: adminToken})
			Expect(err).NotTo(HaveOccurred())
			_, err = direct.Create(ctx, identity(&pass{snapshot: snapshot{instance: made}, uid: string(made.UID)}))
			Expect(err).NotTo(HaveOccurred())
			s.change(ctx, func(i *v1alpha1.WhatsAppInstance) { i.Spec.Suspend = false })
			s.pairs(ctx)
			Expect(s.uazapi.Instances()).To(HaveLen(1))
		})

		It("is looked for again, later, when the answer was lost", func(ctx SpecContext) {
			s.uazapi.Fail(simulator.Fault{Path: "/instance/create", AfterAccept: true})
			s.instance(ctx)
			s.becomes(ctx, beReachable("False/GatewayUnreachable"))
			s.forward(ctx, settleAfter)
			s.pairs(ctx)
			Expect(s.uazapi.Instances()).To(HaveLen(1))
		})

		It("does not take another's instance of the same name for its own", func(ctx SpecContext) {
			direct, err := uazapi.New(nil, gateway.Endpoint{BaseURL: s.url, AdminToken: adminToken})
			Expect(err).NotTo(HaveOccurred())
			_, err = direct.Create(ctx, gateway.Identity{Name: s.gatewayName(), Owner: "elsewhere/other",
				UID: "another"})
			Expect(err).NotTo(HaveOccurred())
			s.instance(ctx)
			s.pairs(ctx)
			Expect(s.uazapi.Instances()).To(HaveLen(2))
		})
	})

	Describe("that is being paired", func() {
		It("shows every new QR", func(ctx SpecContext) {
			s.instance(ctx)
			Eventually(ctx, s.shown, soon, often).ShouldNot(BeEmpty())
			first := s.shown(ctx)
			s.forward(ctx, 21*time.Second)
			Eventually(ctx, s.shown, soon, often).ShouldNot(Equal(first))

			By("asking for a new one when the gateway has given up")
			second := s.shown(ctx)
			s.forward(ctx, 2*time.Minute)
			Eventually(ctx, s.shown, soon, often).ShouldNot(Equal(second))
			connected := s.pairs(ctx)
			Expect(connected.Status.Pairing.Attempts).To(BeEquivalentTo(1))
		})

		It("gives up in time, and tries again only when it is asked to", func(ctx SpecContext) {
			s.instance(ctx)
			Eventually(ctx, s.shown, soon, often).ShouldNot(BeEmpty())
			s.forward(ctx, 10*time.Minute+time.Second)
			s.becomes(ctx, And(
				inPhase(v1alpha1.InstanceDisconnected, v1alpha1.ReasonPairingTimedOut),
				HaveField("Status.Pairing.SecretRef", BeNil()),
			))
			Expect(s.secret(ctx, "-pairing")).To(BeEmpty())
			s.forward(ctx, 10*time.Minute)
			Consistently(ctx, s.shown, awhile, often).Should(BeEmpty())

			s.askForPairing(ctx)
			connected := s.pairs(ctx)
			Expect(connected.Status.Pairing.Attempts).To(BeEquivalentTo(2))
		})

		It("stops showing the QR when it is suspended, and shows one afterwards", func(ctx SpecContext) {
			s.instance(ctx)
			Eventually(ctx, s.shown, soon, often).ShouldNot(BeEmpty())
			s.change(ctx, func(i *v1alpha1.WhatsAppInstance) { i.Spec.Suspend = true })
			s.becomes(ctx, inPhase(v1alpha1.InstancePending, v1alpha1.ReasonSuspended))
			Expect(s.secret(ctx, "-pairing")).To(BeEmpty())
			s.change(ctx, func(i *v1alpha1.WhatsAppInstance) { i.Spec.Suspend = false })
			clk.Forward(connectEvery)
			s.pairs(ctx)
		})

		It("keeps its QR and gets more time when it is asked for again", func(ctx SpecContext) {
			s.instance(ctx)
			Eventually(ctx, s.shown, soon, often).ShouldNot(BeEmpty())
			first, err := s.read(ctx)
			Expect(err).NotTo(HaveOccurred())
			shown := s.shown(ctx)
			clk.Forward(2 * time.Second)
			s.askForPairing(ctx)
			again := s.becomes(ctx, HaveField("Status.Pairing.HandledRequest", Not(BeEmpty())))
			Expect(again.Status.Pairing.ExpiresAt.After(first.Status.Pairing.ExpiresAt.Time)).To(BeTrue())
			Expect(again.Status.Pairing.Attempts).To(BeEquivalentTo(1))
			Expect(s.shown(ctx)).To(Equal(shown))
			s.pairs(ctx)
		})

		It("changes from the QR to a pair code when it is asked to", func(ctx SpecContext) {
			s.instance(ctx)
			Eventually(ctx, s.shown, soon, often).ShouldNot(BeEmpty())
			s.change(ctx, func(i *v1alpha1.WhatsAppInstance) {
				i.Spec.Pairing.Method, i.Spec.Pairing.Phone = v1alpha1.PairingPairCode, phone
				metav1.SetMetaDataAnnotation(&i.ObjectMeta, v1alpha1.AnnotationPairRequested,
					clk.Now().Format(time.RFC3339Nano))
			})
			s.becomes(ctx, HaveField("Status.Pairing.HandledRequest", Not(BeEmpty())))
			Expect(s.shown(ctx)).To(BeEmpty())
			Eventually(ctx, func(ctx context.Context) map[string][]byte { return s.secret(ctx, "-pairing") }, soon,
				often).Should(HaveKey(gateway.KeyPairCode))
			Expect(s.uazapi.Scan(s.gatewayName(), digits)).To(Succeed())
			s.becomes(ctx, inPhase(v1alpha1.InstanceConnected, v1alpha1.ReasonConnected))
		})

		It("changes from the QR to a pair code when a request names a phone, and back with one that names none",
			func(ctx SpecContext) {
				s.instance(ctx)
				Eventually(ctx, s.shown, soon, often).ShouldNot(BeEmpty())
				s.change(ctx, func(i *v1alpha1.WhatsAppInstance) {
					connection.AskToPair(i, clk.Now().Format(time.RFC3339Nano), phone)
				})
				Eventually(ctx, s.pairCode, soon, often).ShouldNot(BeEmpty())
				Expect(s.shown(ctx)).To(BeEmpty())
				clk.Forward(connectEvery)
				s.change(ctx, func(i *v1alpha1.WhatsAppInstance) {
					connection.AskToPair(i, clk.Now().Format(time.RFC3339Nano), "")
				})
				Eventually(ctx, s.shown, soon, often).ShouldNot(BeEmpty())
				Expect(s.pairCode(ctx)).To(BeEmpty())
			})

		It("reports a gateway that refuses to pair, and recovers", func(ctx SpecContext) {
			s.uazapi.Fail(simulator.Fault{Path: "/instance/connect", Times: 3, Status: http.StatusBadRequest,
				Body: `{"error":"no"}`})
			s.instance(ctx)
			s.becomes(ctx, inPhase(v1alpha1.InstanceFailed, v1alpha1.ReasonGatewayRefused))
			s.pairs(ctx)
		})

		It("pairs although the gateway does not take its webhook, and says so", func(ctx SpecContext) {
			s.uazapi.Fail(simulator.Fault{Path: "/webhook", Times: -1, Status: http.StatusNotFound,
				Body: `{"error":"no"}`})
			s.instance(ctx)
			connected := s.pairs(ctx)
			Expect(condition(connected, v1alpha1.ConditionWebhookRegistered)).To(HavePrefix("False/"))
		})
	})

	Describe("that is connected", func() {
		It("keeps its last known state while the gateway is down", func(ctx SpecContext) {
			s.instance(ctx)
			s.pairs(ctx)
			Expect(s.server.Close()).To(Succeed())
			down := s.becomes(ctx, beReachable("False/GatewayUnreachable"))
			Expect(condition(down, v1alpha1.ConditionReady)).To(Equal("True/Connected"))

			var err error
			s.server, err = simulator.ServeAt(address(s.url), s.uazapi)
			Expect(err).NotTo(HaveOccurred())
			s.becomes(ctx, beReachable("True/Reachable"))
			Expect(s.uazapi.Instances()).To(HaveLen(1))
		})

		It("is not paired again by itself after it was logged out", func(ctx SpecContext) {
			s.instance(ctx)
			s.pairs(ctx)
			Expect(s.uazapi.Logout(s.gatewayName(), "401: device removed")).To(Succeed())
			away := s.becomes(ctx, inPhase(v1alpha1.InstanceDisconnected, v1alpha1.ReasonLoggedOut))
			Expect(away.Status.LastDisconnectReason).To(Equal("401: device removed"))
			Consistently(ctx, s.shown, awhile, often).Should(BeEmpty())

			clk.Forward(connectEvery)
			s.askForPairing(ctx)
			again := s.pairs(ctx)
			Expect(again.Status.Pairing.Attempts).To(BeEquivalentTo(2))
		})

		It("takes note of a pairing request that there is no need for", func(ctx SpecContext) {
			s.instance(ctx)
			s.pairs(ctx)
			s.askForPairing(ctx)
			noted := s.becomes(ctx, HaveField("Status.Pairing.HandledRequest", Not(BeEmpty())))
			Expect(noted.Status.Phase).To(Equal(v1alpha1.InstanceConnected))
			Expect(noted.Status.Pairing.Attempts).To(BeEquivalentTo(1))
		})

		It("is not asked for while it is suspended", func(ctx SpecContext) {
			s.instance(ctx)
			s.pairs(ctx)
			s.change(ctx, func(i *v1alpha1.WhatsAppInstance) { i.Spec.Suspend = true })
			s.becomes(ctx, inPhase(v1alpha1.InstanceConnected, v1alpha1.ReasonSuspended))
			Expect(s.uazapi.Logout(s.gatewayName(), "")).To(Succeed())
			Consistently(ctx, s.read, awhile, often).Should(inPhase(v1alpha1.InstanceConnected,
				v1alpha1.ReasonSuspended))
			s.change(ctx, func(i *v1alpha1.WhatsAppInstance) { i.Spec.Suspend = false })
			s.becomes(ctx, inPhase(v1alpha1.InstanceDisconnected, v1alpha1.ReasonLoggedOut))
		})

		It("is made again when the gateway has lost it", func(ctx SpecContext) {
			s.instance(ctx)
			s.pairs(ctx)
			old := s.uazapi.Instances()[0].Token
			direct, err := uazapi.New(nil, gateway.Endpoint{BaseURL: s.url, Token: old})
			Expect(err).NotTo(HaveOccurred())
			Expect(direct.Delete(ctx)).To(Succeed())
			s.becomes(ctx, inPhase(v1alpha1.InstanceDisconnected, v1alpha1.ReasonLoggedOut))
			Expect(s.uazapi.Instances()).To(HaveLen(1))
			Expect(string(s.secret(ctx, "-gateway")[gateway.KeyToken])).NotTo(Equal(old))
			Eventually(ctx, func() string { return s.uazapi.Instances()[0].WebhookURL }, soon,
				often).ShouldNot(BeEmpty())
		})

		It("fails when the gateway refuses its new token too, and recovers with the gateway", func(ctx SpecContext) {
			s.instance(ctx)
			s.pairs(ctx)
			s.uazapi.Fail(simulator.Fault{Path: "/instance/status", Times: -1, Status: http.StatusUnauthorized,
				Body: `{"error":"no"}`})
			s.becomes(ctx, inPhase(v1alpha1.InstanceFailed, v1alpha1.ReasonGatewayUnauthorized))
			s.uazapi.ClearFaults()
			s.becomes(ctx, inPhase(v1alpha1.InstanceConnected, v1alpha1.ReasonConnected))
			Expect(s.uazapi.Instances()).To(HaveLen(1))
		})

		It("is found again when its Secret was deleted, with a new webhook key", func(ctx SpecContext) {
			s.instance(ctx)
			s.pairs(ctx)
			old := s.uazapi.Instances()[0].WebhookURL
			Expect(env.Client.Delete(ctx, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace,
				Name: gen.Instance + "-gateway"}})).To(Succeed())
			Eventually(ctx, func() string { return s.uazapi.Instances()[0].WebhookURL }, soon,
				often).ShouldNot(Equal(old))
			s.becomes(ctx, inPhase(v1alpha1.InstanceConnected, v1alpha1.ReasonConnected))
			Expect(s.uazapi.Instances()).To(HaveLen(1))
		})

		It("never sends one gateway's token to another", func(ctx SpecContext) {
			s.instance(ctx)
			s.pairs(ctx)
			token := s.uazapi.Instances()[0].Token
			other := newGateway()
			watch := watching(other)
			server, err := simulator.Serve(watch)
			Expect(err).NotTo(HaveOccurred())
			DeferCleanup(func() { _ = server.Close() })
			s.change(ctx, func(i *v1alpha1.WhatsAppInstance) { i.Spec.Gateway.BaseURL = server.URL() })
			Eventually(ctx, other.Instances, soon, often).Should(HaveLen(1))
			Eventually(ctx, watch.tokens, soon, often).ShouldNot(BeEmpty())
			Expect(watch.tokens()).NotTo(ContainElement(token))
			Expect(s.uazapi.Instances()).To(HaveLen(1))
		})
	})

	Describe("that lacks something", func() {
		It("waits for its Store", func(ctx SpecContext) {
			s.instance(ctx, func(i *v1alpha1.WhatsAppInstance) { i.Spec.StoreRef.Name = "later" })
			s.becomes(ctx, inPhase(v1alpha1.InstancePending, v1alpha1.ReasonStoreNotFound))
			Expect(s.uazapi.Instances()).To(BeEmpty())
			later := gen.StoreObject(func(store *v1alpha1.Store) {
				store.Name, store.Spec.ClientID = "later",
					s.namespace
			})
			Expect(env.Client.Create(ctx, gen.In(s.namespace, later))).To(Succeed())
			s.pairs(ctx)
		})

		It("says that its gateway is not supported", func(ctx SpecContext) {
			s.instance(ctx, func(i *v1alpha1.WhatsAppInstance) { i.Spec.Gateway.Type = v1alpha1.GatewayEvolution })
			s.becomes(ctx, inPhase(v1alpha1.InstanceFailed, v1alpha1.ReasonGatewayUnsupported))
		})

		It("says that credentials are missing, and goes on when they are there", func(ctx SpecContext) {
			s.instance(ctx, func(i *v1alpha1.WhatsAppInstance) { i.Spec.Gateway.AdminTokenSecretRef.Name = "missing" })
			s.becomes(ctx, inPhase(v1alpha1.InstanceFailed, v1alpha1.ReasonNoCredentials))
			s.change(ctx, func(i *v1alpha1.WhatsAppInstance) { i.Spec.Gateway.AdminTokenSecretRef.Name = "admin" })
			s.pairs(ctx)
		})

		It("says that the gateway refuses the credentials, and goes on when it does not", func(ctx SpecContext) {
			s.adminSecret(ctx, "wrong")
			s.instance(ctx)
			s.becomes(ctx, inPhase(v1alpha1.InstanceFailed, v1alpha1.ReasonGatewayUnauthorized))
			s.adminSecret(ctx, adminToken)
			s.forward(ctx, maxTerminalRetry)
			s.pairs(ctx)
			Expect(s.uazapi.Instances()).To(HaveLen(1))
		})

		It("does not touch a Secret that is not its own", func(ctx SpecContext) {
			foreign := &corev1.Secret{
				ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: gen.Instance + "-gateway"},
				StringData: map[string]string{gateway.KeyToken: "planted", gateway.KeyWebhook: "planted"},
			}
			Expect(env.Client.Create(ctx, foreign)).To(Succeed())
			s.instance(ctx)
			s.becomes(ctx, inPhase(v1alpha1.InstanceFailed, v1alpha1.ReasonNoCredentials))
			Expect(s.secret(ctx, "-gateway")).To(HaveLen(2))
			Expect(s.uazapi.Instances()).To(BeEmpty())
		})

		It("waits for a gateway that is down from the start", func(ctx SpecContext) {
			Expect(s.server.Close()).To(Succeed())
			s.instance(ctx)
			s.becomes(ctx, inPhase(v1alpha1.InstancePending, v1alpha1.ReasonGatewayUnreachable))
			var err error
			s.server, err = simulator.ServeAt(address(s.url), s.uazapi)
			Expect(err).NotTo(HaveOccurred())
			s.pairs(ctx)
			Expect(s.uazapi.Instances()).To(HaveLen(1))
		})

		It("leaves a gateway alone for as long as it asks for", func(ctx SpecContext) {
			s.uazapi.Fail(simulator.Fault{
				Path: "/instance/all", Times: 1, Status: http.StatusTooManyRequests,
				Header: http.Header{"Retry-After": {strconv.Itoa(600)}},
			})
			s.instance(ctx)
			s.becomes(ctx, inPhase(v1alpha1.InstancePending, v1alpha1.ReasonThrottled))
			Consistently(ctx, s.uazapi.Instances, awhile, often).Should(BeEmpty())
			s.forward(ctx, 11*time.Minute)
			s.pairs(ctx)
		})
	})

	Describe("that is deleted", func() {
		gone := func(ctx context.Context) bool {
			_, err := s.read(ctx)
			return apierrors.IsNotFound(err)
		}
		remove := func(ctx context.Context) {
			GinkgoHelper()
			instance, err := s.read(ctx)
			Expect(err).NotTo(HaveOccurred())
			Expect(env.Client.Delete(ctx, instance)).To(Succeed())
		}
		withPolicy := func(policy v1alpha1.DeletionPolicy) func(*v1alpha1.WhatsAppInstance) {
			return func(i *v1alpha1.WhatsAppInstance) { i.Spec.DeletionPolicy = policy }
		}

		It("stays at the gateway by default", func(ctx SpecContext) {
			instance := s.instance(ctx)
			Expect(s.pairs(ctx).Finalizers).To(BeEmpty())
			Expect(instance.Spec.DeletionPolicy).To(Equal(v1alpha1.DeletionRetain))
			remove(ctx)
			Eventually(ctx, gone, soon, often).Should(BeTrue())
			Expect(s.uazapi.Instances()).To(ConsistOf(HaveField("State", simulator.Connected)))
		})

		It("is deleted at the gateway too, where that is the policy", func(ctx SpecContext) {
			s.instance(ctx, withPolicy(v1alpha1.DeletionDelete))
			Expect(s.pairs(ctx).Finalizers).To(ConsistOf(v1alpha1.Finalizer))
			remove(ctx)
			Eventually(ctx, gone, soon, often).Should(BeTrue())
			Expect(s.uazapi.Instances()).To(BeEmpty())
		})

		It("loses its finalizer with the policy", func(ctx SpecContext) {
			s.instance(ctx, withPolicy(v1alpha1.DeletionDelete))
			s.pairs(ctx)
			s.change(ctx, withPolicy(v1alpha1.DeletionRetain))
			s.becomes(ctx, HaveField("Finalizers", BeEmpty()))
		})

		It("is found and deleted even when its Secret went first", func(ctx SpecContext) {
			s.instance(ctx, withPolicy(v1alpha1.DeletionDelete))
			s.pairs(ctx)
			s.change(ctx, func(i *v1alpha1.WhatsAppInstance) { i.Spec.Suspend = true })
			s.becomes(ctx, inPhase(v1alpha1.InstanceConnected, v1alpha1.ReasonSuspended))
			Expect(env.Client.Delete(ctx, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace,
				Name: gen.Instance + "-gateway"}})).To(Succeed())
			remove(ctx)
			Eventually(ctx, gone, soon, often).Should(BeTrue())
			Expect(s.uazapi.Instances()).To(BeEmpty())
		})

		It("waits for a gateway that is down, but not for ever", func(ctx SpecContext) {
			s.instance(ctx, withPolicy(v1alpha1.DeletionDelete))
			s.pairs(ctx)
			Expect(s.server.Close()).To(Succeed())
			remove(ctx)
			s.becomes(ctx, And(
				beReachable("False/GatewayUnreachable"), HaveField("DeletionTimestamp", Not(BeNil())),
			))
			s.forward(ctx, 6*time.Minute)
			Eventually(ctx, gone, soon, often).Should(BeTrue())
			Eventually(ctx, s.events, soon, often).Should(ContainElement("InstanceLeftAtGateway"))
		})

		It("is gone at once when nothing was ever made", func(ctx SpecContext) {
			s.instance(ctx, withPolicy(v1alpha1.DeletionDelete), func(i *v1alpha1.WhatsAppInstance) {
				i.Spec.StoreRef.Name = "missing"
			})
			s.becomes(ctx, And(inPhase(v1alpha1.InstancePending, v1alpha1.ReasonStoreNotFound),
				HaveField("Finalizers", Not(BeEmpty()))))
			remove(ctx)
			Eventually(ctx, gone, soon, often).Should(BeTrue())
		})
	})
})

var _ = Describe("A WhatsAppInstance whose next poll is an hour away", func() {
	It("is asked for at once when the gateway says that the connection has changed", func(ctx SpecContext) {
		s := newScene()
		watch := watching(s.uazapi)
		server, err := simulator.Serve(watch)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(func() { _ = server.Close() })
		s.url = server.URL()
		Expect(env.Client.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: patient}})).To(Succeed())
		s.setUpIn(ctx, patient)
		changed := func() {
			GinkgoHelper()
			s.change(ctx, func(i *v1alpha1.WhatsAppInstance) {
				metav1.SetMetaDataAnnotation(&i.ObjectMeta, v1alpha1.AnnotationConnectionChanged,
					clk.Now().UTC().Format(time.RFC3339Nano))
			})
		}
		s.instance(ctx)
		s.pairs(ctx)

		By("not noticing without being told")
		Expect(s.uazapi.Logout(s.gatewayName(), "401: device removed")).To(Succeed())
		Consistently(ctx, s.read, awhile, often).Should(inPhase(v1alpha1.InstanceConnected, v1alpha1.ReasonConnected))

		By("asking the gateway once it is told")
		changed()
		away := s.becomes(ctx, inPhase(v1alpha1.InstanceDisconnected, v1alpha1.ReasonLoggedOut))
		Expect(away.Status.LastDisconnectReason).To(Equal("401: device removed"))

		By("asking once only for each time it is told")
		polls := func() int { return watch.calls("/instance/status") }
		Eventually(ctx, polls, soon, often).Should(BeNumerically(">", 0))
		before := polls()
		Consistently(ctx, polls, awhile, often).Should(Equal(before))
		changed()
		Eventually(ctx, polls, soon, often).Should(Equal(before + 1))
		Consistently(ctx, polls, awhile, often).Should(Equal(before + 1))
	})
})

var _ = Describe("A WhatsAppInstance at an Evolution gateway", func() {
	It("is made, paired, and told where to post, with the key in a header", func(ctx SpecContext) {
		s := newScene()
		evo := simulator.NewEvolution(simulator.EvolutionOptions{APIKey: adminToken, Clock: clk.Now})
		DeferCleanup(evo.Close)
		server, err := simulator.Serve(evo)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(func() { _ = server.Close() })
		s.url = server.URL()
		Expect(env.Client.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: evolving}})).To(Succeed())
		s.setUpIn(ctx, evolving)
		s.instance(ctx, func(i *v1alpha1.WhatsAppInstance) { i.Spec.Gateway.Type = v1alpha1.GatewayEvolution })

		s.becomes(ctx, inPhase(v1alpha1.InstancePairing, v1alpha1.ReasonPairing))
		Eventually(ctx, s.shown, soon, often).ShouldNot(BeEmpty())
		Expect(evo.Scan(s.gatewayName(), digits)).To(Succeed())
		connected := s.becomes(ctx, And(
			inPhase(v1alpha1.InstanceConnected, v1alpha1.ReasonConnected), HaveField("Status.Pairing.SecretRef",
				BeNil()),
		))
		Expect(connected.Status.Phone).To(Equal(phone))
		Expect(condition(connected, v1alpha1.ConditionWebhookRegistered)).To(Equal("True/Registered"))

		path := "/api/whatsapp/webhook/" + s.namespace + "/" + gen.Instance
		Expect(evo.Instances()).To(ConsistOf(And(HaveField("Name", s.gatewayName()),
			HaveField("WebhookURL", publicURL+path))))
		key := string(s.secret(ctx, "-gateway")[gateway.KeyWebhook])
		Expect(key).To(HaveLen(43))
		used, was := posted.key(path)
		Expect(was).To(BeTrue())
		Expect(used).To(Equal(key))
		Expect(connected.Status.RegisteredWebhook).To(Equal(hash(gateway.Webhook{URL: publicURL + path,
			Key: key}.KeyedURL())))

		By("telling it again when only the key has changed")
		Expect(env.Client.Delete(ctx, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace,
			Name: gen.Instance + "-gateway"}})).To(Succeed())
		s.forward(ctx, time.Second)
		s.becomes(ctx, And(
			inPhase(v1alpha1.InstanceConnected, v1alpha1.ReasonConnected),
			HaveField("Status.RegisteredWebhook", Not(BeElementOf("", connected.Status.RegisteredWebhook))),
		))
		Expect(evo.Instances()).To(HaveLen(1))
		Expect(evo.Logout(s.gatewayName())).To(Succeed())
		used, _ = posted.key(path)
		Expect(used).To(And(Not(Equal(key)), Equal(string(s.secret(ctx, "-gateway")[gateway.KeyWebhook]))))
	})
})
