package store

import (
	"context"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	apitypes "k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/connection"
	"cartrecovery.dev/operator/internal/gateway"
	"cartrecovery.dev/operator/internal/gen"
)

// newNamespace makes a namespace with the Secrets that well has.
func newNamespace(ctx context.Context) string {
	GinkgoHelper()
	namespace, err := env.Namespace(ctx)
	Expect(err).NotTo(HaveOccurred())
	newSecret(ctx, namespace, "credentials")
	return namespace
}

func newSecret(ctx context.Context, namespace, name string) {
	GinkgoHelper()
	Expect(env.Client.Create(ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		StringData: map[string]string{"hottok": "a", "openai": "b"},
	})).To(Succeed())
}

// create makes a Store that lacks nothing, with a clientID of its own, changed by mods.
func create(ctx context.Context, namespace string, mods ...func(*v1alpha1.Store)) *v1alpha1.Store {
	GinkgoHelper()
	mods = append([]func(*v1alpha1.Store){func(s *v1alpha1.Store) {
		s.Spec.ClientID = namespace
		s.Spec.AI.APIKeySecretRef = &v1alpha1.SecretKeyReference{Name: "credentials", Key: "openai"}
		s.Spec.Platforms = []v1alpha1.StorePlatform{{
			Name: v1alpha1.PlatformHotmart, SecretRefs: []v1alpha1.SecretKeyReference{{Name: "credentials",
				Key: "hottok"}},
		}}
	}}, mods...)
	store := gen.In(namespace, gen.StoreObject(mods...))
	Expect(env.Client.Create(ctx, store)).To(Succeed())
	return store
}

func read(ctx context.Context, store *v1alpha1.Store) func() (*v1alpha1.Store, error) {
	return func() (*v1alpha1.Store, error) {
		fresh := &v1alpha1.Store{}
		return fresh, env.Client.Get(ctx, client.ObjectKeyFromObject(store), fresh)
	}
}

func change(ctx context.Context, store *v1alpha1.Store, change func(*v1alpha1.Store)) {
	GinkgoHelper()
	fresh, err := read(ctx, store)()
	Expect(err).NotTo(HaveOccurred())
	before := fresh.DeepCopy()
	change(fresh)
	Expect(env.Client.Patch(ctx, fresh, client.MergeFrom(before))).To(Succeed())
}

func beReady(want string) types.GomegaMatcher {
	return WithTransform(func(s *v1alpha1.Store) string {
		ready := apimeta.FindStatusCondition(s.Status.Conditions, v1alpha1.ConditionReady)
		if ready == nil || s.Status.ObservedGeneration != s.Generation {
			return ""
		}
		return string(ready.Status) + "/" + ready.Reason
	}, Equal(want))
}

func leadOf(ctx context.Context, namespace, name string, phase v1alpha1.Phase) *v1alpha1.CartRecovery {
	GinkgoHelper()
	made := gen.In(namespace, gen.Lead(time.Now(), func(l *v1alpha1.CartRecovery) { l.Name = name }))
	Expect(env.Client.Create(ctx, made)).To(Succeed())
	before := made.DeepCopy()
	made.Status.Phase = phase
	Expect(env.Client.Status().Patch(ctx, made, client.MergeFrom(before))).To(Succeed())
	return made
}

var _ = Describe("A Store", func() {
	var namespace string
	BeforeEach(func(ctx SpecContext) { namespace = newNamespace(ctx) })

	It("is ready and shows the URLs to enter at its platforms", func(ctx SpecContext) {
		store := create(ctx, namespace)
		Eventually(ctx, read(ctx, store), soon, often).Should(beReady("True/Ready"))
		ready, err := read(ctx, store)()
		Expect(err).NotTo(HaveOccurred())
		Expect(ready.Status.Webhooks).To(ConsistOf(v1alpha1.StoreWebhook{
			Platform: v1alpha1.PlatformHotmart, URL: publicURL + "/api/webhooks/hotmart/" + namespace,
		}))
		Expect(ready.Status.Leads).To(BeNil())
		Eventually(ctx, func(ctx context.Context) ([]eventsv1.Event, error) {
			var list eventsv1.EventList
			err := env.Client.List(ctx, &list, client.InNamespace(namespace))
			return list.Items, err
		}, soon, often).Should(ConsistOf(And(HaveField("Reason", "Ready"), HaveField("Type", "Normal"))))
	})

	It("says from how many of its numbers recoveries can begin", func(ctx SpecContext) {
		store := create(ctx, namespace)
		canSend := func() (string, error) {
			fresh, err := read(ctx, store)()
			if err != nil || fresh.Status.Summary == nil {
				return "", err
			}
			found := apimeta.FindStatusCondition(fresh.Status.Conditions, v1alpha1.ConditionCanSend)
			return fresh.Status.Summary.Numbers + " " + found.Reason, nil
		}
		Eventually(ctx, canSend, soon, often).Should(Equal("0/0 NoNumber"))
		number := gen.In(namespace, gen.InstanceObject())
		Expect(env.Client.Create(ctx, number)).To(Succeed())
		Eventually(ctx, canSend, soon, often).Should(Equal("0/1 NoNumberCanSend"))
		number.Status.CredentialsSecretRef = &v1alpha1.ObjectReference{Name: "token"}
		connection.Observe(number, gateway.State{Connection: gateway.Connected}, time.Now())
		Expect(env.Client.Status().Update(ctx, number)).To(Succeed())
		Eventually(ctx, canSend, soon, often).Should(Equal("1/1 NumbersCanSend"))
		change(ctx, store, func(s *v1alpha1.Store) { s.Spec.Suspend = true })
		Eventually(ctx, canSend, soon, often).Should(Equal("1/1 Suspended"))
	})

	It("says that nothing is sent while a keyed Suppression cannot be read", func(ctx SpecContext) {
		store := create(ctx, namespace)
		Eventually(ctx, read(ctx, store), soon, often).Should(beReady("True/Ready"))
		keyed := &v1alpha1.Suppression{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "erased"},
			Spec: v1alpha1.SuppressionSpec{StoreRef: v1alpha1.ObjectReference{Name: store.Name},
				PhoneHMAC: "v1.01234567." + strings.Repeat("0", 64)}}
		Expect(env.Client.Create(ctx, keyed)).To(Succeed())
		Eventually(ctx, read(ctx, store), soon, often).Should(beReady("False/SuppressionKeyMissing"))
		Expect(env.Client.Delete(ctx, keyed)).To(Succeed())
		Eventually(ctx, read(ctx, store), soon, often).Should(beReady("True/Ready"))
	})

	It("is stalled by what only a person mends, and reconciling while a Secret is missing", func(ctx SpecContext) {
		store := create(ctx, namespace, func(s *v1alpha1.Store) { s.Spec.TimeZone = "Mars/Base" })
		holds := func(kind string) func(*v1alpha1.Store) bool {
			return func(s *v1alpha1.Store) bool { return apimeta.IsStatusConditionTrue(s.Status.Conditions, kind) }
		}
		Eventually(ctx, read(ctx, store), soon, often).Should(And(beReady("False/InvalidTimeZone"),
			WithTransform(holds(v1alpha1.ConditionStalled), BeTrue()),
			WithTransform(holds(v1alpha1.ConditionReconciling), BeFalse())))
		change(ctx, store, func(s *v1alpha1.Store) {
			s.Spec.TimeZone = "America/Sao_Paulo"
			s.Spec.AI.APIKeySecretRef.Name = "missing"
		})
		Eventually(ctx, read(ctx, store), soon, often).Should(And(beReady("False/SecretNotFound"),
			WithTransform(holds(v1alpha1.ConditionStalled), BeFalse()),
			WithTransform(holds(v1alpha1.ConditionReconciling), BeTrue())))
	})

	It("has no traffic while an older one, or another namespace, has its clientID", func(ctx SpecContext) {
		winner := create(ctx, namespace)
		Eventually(ctx, read(ctx, winner), soon, often).Should(beReady("True/Ready"))
		elsewhere := newNamespace(ctx)
		loser := create(ctx, elsewhere, func(s *v1alpha1.Store) { s.Name, s.Spec.ClientID = "zzz", namespace })
		Eventually(ctx, read(ctx, loser), soon, often).Should(beReady("False/ClientIDTaken"))
		taken, err := read(ctx, loser)()
		Expect(err).NotTo(HaveOccurred())
		Expect(taken.Status.Webhooks).To(BeEmpty())
		Expect(taken.Status.Conditions[0].Message).To(ContainSubstring(winner.Namespace + "/" + winner.Name))
		Eventually(ctx, read(ctx, winner), soon, often).Should(beReady("True/Ready"))

		By("staying with the namespace that had it when that one's Store is deleted")
		Expect(env.Client.Delete(ctx, winner)).To(Succeed())
		Eventually(ctx, func(g Gomega) {
			left, err := read(ctx, loser)()
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(left.Status.Conditions[0].Message).To(And(
				ContainSubstring("namespace "+winner.Namespace), ContainSubstring("ClientIDClaim "+namespace)))
		}, soon, often).Should(Succeed())
		again := create(ctx, winner.Namespace, func(s *v1alpha1.Store) { s.Name, s.Spec.ClientID = "again", namespace })
		Eventually(ctx, read(ctx, again), soon, often).Should(beReady("True/Ready"))
		Consistently(ctx, read(ctx, loser), awhile, often).Should(beReady("False/ClientIDTaken"))

		By("changing hands when a person says so")
		claim := &v1alpha1.ClientIDClaim{ObjectMeta: metav1.ObjectMeta{Name: namespace}}
		Expect(env.Client.Patch(ctx, claim, client.RawPatch(apitypes.MergePatchType,
			[]byte(`{"spec":{"namespace":"`+loser.Namespace+`"}}`)))).To(Succeed())
		Eventually(ctx, read(ctx, loser), soon, often).Should(beReady("True/Ready"))
		Eventually(ctx, read(ctx, again), soon, often).Should(beReady("False/ClientIDTaken"))

		By("being free when a person lets go")
		Expect(env.Client.Delete(ctx, loser)).To(Succeed())
		// A Store that the cache still has takes a clientID that comes free.
		Eventually(ctx, read(ctx, again), soon, often).Should(HaveField("Status.Conditions", ContainElement(
			HaveField("Message", ContainSubstring("ClientIDClaim "+namespace)))))
		Expect(env.Client.Delete(ctx, claim)).To(Succeed())
		Eventually(ctx, read(ctx, again), soon, often).Should(beReady("True/Ready"))
		Expect(env.Client.Get(ctx, client.ObjectKeyFromObject(claim), claim)).To(Succeed())
		Expect(claim.Spec.Namespace).To(Equal(again.Namespace))
	})

	It("sends no key to a host that its Secret does not name", func(ctx SpecContext) {
		store := create(ctx, namespace, func(s *v1alpha1.Store) {
			s.Spec.AI = v1alpha1.AISettings{
				BaseURL:         "https://llm.example.com/v1",
				APIKeySecretRef: &v1alpha1.SecretKeyReference{Name: "credentials", Key: "hottok"},
			}
		})
		Eventually(ctx, read(ctx, store), soon, often).Should(beReady("False/SecretNotAllowed"))
		secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "credentials"}}
		Expect(env.Client.Patch(ctx, secret, client.RawPatch(apitypes.MergePatchType,
			[]byte(`{"metadata":{"annotations":{"`+v1alpha1.AnnotationAllowedHosts+`":"llm.example.com"}}}`)))).To(
			Succeed())
		Eventually(ctx, read(ctx, store), soon, often).Should(beReady("True/Ready"))
	})

	It("notices Secrets that come and go, which nobody tells it of", func(ctx SpecContext) {
		store := create(ctx, namespace, func(s *v1alpha1.Store) {
			refs := &s.Spec.Platforms[0].SecretRefs
			*refs = append(*refs, v1alpha1.SecretKeyReference{Name: "rotated", Key: "hottok"})
		})
		Eventually(ctx, read(ctx, store), soon, often).Should(beReady("False/SecretNotFound"))
		newSecret(ctx, namespace, "rotated")
		Eventually(ctx, read(ctx, store), soon, often).Should(beReady("True/Ready"))
		Expect(env.Client.Delete(ctx, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace,
			Name: "credentials"}})).To(Succeed())
		Eventually(ctx, read(ctx, store), soon, often).Should(beReady("False/SecretNotFound"))
	})

	DescribeTable("says what keeps it from working, until that is put right",
		func(ctx SpecContext, broken, repaired func(*v1alpha1.Store), reason string) {
			store := create(ctx, namespace, broken)
			Eventually(ctx, read(ctx, store), soon, often).Should(beReady("False/" + reason))
			change(ctx, store, repaired)
			Eventually(ctx, read(ctx, store), soon, often).Should(beReady("True/Ready"))
		},
		Entry("its time zone", func(s *v1alpha1.Store) { s.Spec.TimeZone = "America/Atlantis" },
			func(s *v1alpha1.Store) { s.Spec.TimeZone = "Europe/Lisbon" }, v1alpha1.ReasonInvalidTimeZone),
		Entry("a path of its mapping", generic(func(m *v1alpha1.GenericMapping) { m.Fields.Email = "$..email" }),
			func(s *v1alpha1.Store) { s.Spec.Platforms[1].Generic.Fields.Email = "$.data.email" },
			v1alpha1.ReasonInvalidMapping),
		Entry("an event that means two things",
			generic(func(m *v1alpha1.GenericMapping) { m.Reversal = []string{"Paid"} }),
			func(s *v1alpha1.Store) { s.Spec.Platforms[1].Generic.Reversal = []string{"refunded"} },
			v1alpha1.ReasonInvalidMapping),
		Entry("its prompt", func(s *v1alpha1.Store) { s.Spec.AI.SystemPrompt = "{{.Customer.Shoes}}" },
			func(s *v1alpha1.Store) { s.Spec.AI.SystemPrompt = "{{.Customer.Name}}" }, v1alpha1.ReasonInvalidTemplate),
		Entry("a keyword that nobody can say", func(s *v1alpha1.Store) {
			s.Spec.Recovery.OptOutKeywords = []string{"chega", "!!"}
		},
			func(s *v1alpha1.Store) { s.Spec.Recovery.OptOutKeywords = []string{"chega", "Chega!"} },
			v1alpha1.ReasonInvalidPolicy),
		Entry("a URL for a host", func(s *v1alpha1.Store) {
			s.Spec.Recovery.AllowedLinkHosts = []string{"https://wa.me/55"}
		},
			func(s *v1alpha1.Store) { s.Spec.Recovery.AllowedLinkHosts = []string{"wa.me"} },
			v1alpha1.ReasonInvalidPolicy),
		Entry("an end before the first message", func(s *v1alpha1.Store) {
			s.Spec.Recovery.ExpireAfter = &v1alpha1.Duration{Duration: 15 * time.Minute}
		},
			func(s *v1alpha1.Store) { s.Spec.Recovery.ExpireAfter = &v1alpha1.Duration{Duration: time.Hour} },
			v1alpha1.ReasonInvalidPolicy),
		Entry("no key for the AI", func(s *v1alpha1.Store) { s.Spec.AI.APIKeySecretRef = nil },
			func(s *v1alpha1.Store) {
				s.Spec.AI.APIKeySecretRef = &v1alpha1.SecretKeyReference{Name: "credentials", Key: "openai"}
			}, v1alpha1.ReasonNoCredentials),
		Entry("that it is suspended", func(s *v1alpha1.Store) { s.Spec.Suspend = true },
			func(s *v1alpha1.Store) { s.Spec.Suspend = false }, v1alpha1.ReasonSuspended),
	)

	It("names the field of the mapping that is wrong", func(ctx SpecContext) {
		store := create(ctx, namespace, generic(func(m *v1alpha1.GenericMapping) { m.Fields.Email = "data.email" }))
		Eventually(ctx, read(ctx, store), soon, often).Should(beReady("False/InvalidMapping"))
		Expect(read(ctx, store)()).To(HaveField("Status.Conditions", ContainElement(HaveField("Message",
			HavePrefix("spec.platforms[generic].generic.fields.email: expected a path such as $.data.buyer.email")))))
	})

	It("counts its leads by phase, and writes only when that has changed", func(ctx SpecContext) {
		store := create(ctx, namespace)
		Eventually(ctx, read(ctx, store), soon, often).Should(beReady("True/Ready"))
		leadOf(ctx, namespace, "hotmart-a", v1alpha1.PhasePendingRecovery)
		engaged := leadOf(ctx, namespace, "hotmart-b", v1alpha1.PhaseEngaged)
		leadOf(ctx, namespace, "hotmart-c", v1alpha1.PhaseRecovered)
		Eventually(ctx, read(ctx, store), soon, often).Should(HaveField("Status.Leads",
			Equal(&v1alpha1.LeadCounts{Pending: 1, Active: 1, Recovered: 1})))

		written := writes.of(store)
		Consistently(ctx, func() int { return writes.of(store) }, 2*awhile, often).Should(Equal(written))

		before := engaged.DeepCopy()
		engaged.Status.Phase = v1alpha1.PhaseOptedOut
		Expect(env.Client.Status().Patch(ctx, engaged, client.MergeFrom(before))).To(Succeed())
		Eventually(ctx, read(ctx, store), soon, often).Should(HaveField("Status.Leads",
			Equal(&v1alpha1.LeadCounts{Pending: 1, Recovered: 1, Closed: 1, OptedOut: 1})))

		Expect(env.Client.DeleteAllOf(ctx, &v1alpha1.CartRecovery{}, client.InNamespace(namespace))).To(Succeed())
		Eventually(ctx, read(ctx, store), soon, often).Should(HaveField("Status.Leads", BeNil()))
	})

	It("leaves alone what the webhook server writes", func(ctx SpecContext) {
		store := create(ctx, namespace)
		Eventually(ctx, read(ctx, store), soon, often).Should(beReady("True/Ready"))
		fresh, err := read(ctx, store)()
		Expect(err).NotTo(HaveOccurred())
		before := fresh.DeepCopy()
		fresh.Status.LastRejectedDelivery = &v1alpha1.RejectedDelivery{
			Time: metav1.Now(), Platform: v1alpha1.PlatformHotmart, Reason: v1alpha1.RejectedBadCredential,
		}
		Expect(env.Client.Status().Patch(ctx, fresh, client.MergeFrom(before))).To(Succeed())
		leadOf(ctx, namespace, "hotmart-a", v1alpha1.PhaseContacted)
		change(ctx, store, func(s *v1alpha1.Store) { s.Spec.Suspend = true })
		Eventually(ctx, read(ctx, store), soon, often).Should(And(beReady("False/Suspended"),
			HaveField("Status.Leads", Not(BeNil()))))
		Expect(read(ctx, store)()).To(HaveField("Status.LastRejectedDelivery.Reason", v1alpha1.RejectedBadCredential))
	})

	It("shows the policy that holds for leads without a Product", func(ctx SpecContext) {
		store := create(ctx, namespace)
		Eventually(ctx, read(ctx, store), soon, often).Should(HaveField("Status.EffectivePolicy",
			And(Not(BeNil()), HaveField("QuietHours", "none"))))
		change(ctx, store, func(s *v1alpha1.Store) {
			s.Spec.Recovery.QuietHours = &v1alpha1.QuietHours{Start: "22:00", End: "08:00"}
		})
		Eventually(ctx, read(ctx, store), soon, often).Should(HaveField("Status.EffectivePolicy.QuietHours",
			ContainSubstring("22:00")))
	})

	// The API server takes every number that there can be.
	It("adds up what its leads were worth, and what they cost today", func(ctx SpecContext) {
		store := create(ctx, namespace)
		for name, amount := range map[string]string{"hotmart-a": "999999999999999.999999",
			"hotmart-b": "999999999999999.9"} {
			bought := leadOf(ctx, namespace, name, v1alpha1.PhaseRecovered)
			before := bought.DeepCopy()
			at := v1alpha1.NewTimestamp(time.Now())
			bought.Status.Conditions = []metav1.Condition{{
				Type: v1alpha1.ConditionSucceeded, Status: metav1.ConditionTrue,
				Reason: v1alpha1.ReasonBoughtAfterContact, LastTransitionTime: metav1.Now(),
			}}
			bought.Status.Result = &v1alpha1.RecoveryResult{Step: "first", Messages: 1, Amount: amount, Currency: "BRL",
				BoughtAt: &at}
			bought.Status.Conversation = []v1alpha1.Message{{ID: "m", Role: v1alpha1.RoleAssistant, At: at, Tokens: 21}}
			Expect(env.Client.Status().Patch(ctx, bought, client.MergeFrom(before))).To(Succeed())
		}
		Eventually(ctx, read(ctx, store), soon, often).Should(And(
			HaveField("Status.Leads", Equal(&v1alpha1.LeadCounts{Recovered: 2, Revenue: []v1alpha1.Revenue{
				{Currency: "BRL", Amount: "1999999999999999.899999", Leads: 2},
			}})),
			HaveField("Status.Tokens", HaveValue(HaveField("Used", int64(42)))),
		))

		Expect(env.Client.DeleteAllOf(ctx, &v1alpha1.CartRecovery{}, client.InNamespace(namespace))).To(Succeed())
		Eventually(ctx, read(ctx, store), soon, often).Should(HaveField("Status.Leads", BeNil()))
		Expect(read(ctx, store)()).To(HaveField("Status.Tokens.Used", int64(42)))
	})
})
