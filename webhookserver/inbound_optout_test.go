package webhookserver

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/optouts"
	"cartrecovery.dev/operator/webhookserver/formats"
)

func TestToldToStop(t *testing.T) {
	for name, row := range map[string]struct {
		part       outcome
		stopped    []string
		suppressed bool
		want       outcome
	}{
		"stored": {outcome{Result: resultRecorded, Lead: "a"}, nil, true, outcome{Result: resultRecorded,
			Lead: "a"}},
		"stored, known before": {outcome{Result: resultRecorded, Lead: "a"}, nil, false,
			outcome{Result: resultRecorded, Lead: "a"}},
		"delivered again after its Suppression failed": {outcome{Result: resultUnchanged, Lead: "a"}, nil, true,
			outcome{Result: resultRecorded, Lead: "a"}},
		"delivered again after another lead failed": {outcome{Result: resultUnchanged, Lead: "a"}, []string{"b"}, false,
			outcome{Result: resultRecorded, Lead: "a"}},
		"delivered again": {outcome{Result: resultUnchanged, Lead: "a"}, nil, false,
			outcome{Result: resultUnchanged, Lead: "a"}},
		"of no lead":               {unmatched(ignoredNoOpenLead), nil, true, outcome{Result: resultRecorded}},
		"of no lead, known before": {unmatched(ignoredNoOpenLead), nil, false, outcome{Result: resultUnchanged}},
		"of two numbers": {ignored(ignoredAmbiguous), []string{"a", "b"}, true,
			outcome{Result: resultRecorded}},
	} {
		t.Run(name, func(t *testing.T) {
			row.want.Reason, row.want.Leads = recordedOptOut, row.stopped
			got := toldToStop(row.part, v1alpha1.StopOptOut, row.stopped, row.suppressed)
			if diff := cmp.Diff(row.want, got, cmp.AllowUnexported(outcome{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if got := toldToStop(row.part, v1alpha1.StopWrongNumber, row.stopped,
				row.suppressed); got.Reason != recordedWrongNumber {
				t.Errorf("a wrong number is %s", got.Reason)
			}
		})
	}
}

func TestWhoOptsOut(t *testing.T) {
	all := []v1alpha1.CartRecovery{
		*gen.Lead(noon, named("a")), *gen.Lead(noon, named("b")),
		*gen.Lead(noon, named("c"), withPhone("+5521912345678"), inChats("7@lid")),
	}
	for name, row := range map[string]struct {
		part    outcome
		message formats.Message
		leads   string
		want    string
	}{
		"of the lead it belongs to": {outcome{Lead: "b"}, formats.Message{Phone: "5511987654321"}, "b",
			"5511987654321"},
		"of no one lead": {outcome{}, formats.Message{Phone: "5511987654321"}, "ab", "5511987654321"},
		"of nobody":      {outcome{}, formats.Message{Phone: "5531987654321"}, "", "5531987654321"},
		"from another number": {outcome{Lead: "c"}, formats.Message{Phone: "5511987654321"}, "c",
			"5511987654321 +5521912345678"},
		"hidden, of a lead": {outcome{Lead: "c"}, formats.Message{}, "c", "+5521912345678"},
		"hidden, of a known chat": {outcome{}, formats.Message{ChatIDs: []string{"7@lid"}}, "c",
			"+5521912345678"},
		"hidden, and the lead not known": {outcome{Lead: "d"}, formats.Message{}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			concerned, names := concernedBy(all, row.part, &row.message), ""
			for _, each := range concerned {
				names += each.Name
			}
			got := strings.Join(writers(&row.message, leadNamed(all, row.part.Lead), concerned), " ")
			if names != row.leads || got != row.want {
				t.Errorf("leads %q, numbers %q", names, got)
			}
		})
	}
}

// suppressions returns the Suppressions of a shop, from the API server.
func (s shop) suppressions(ctx context.Context) []v1alpha1.Suppression {
	GinkgoHelper()
	var all v1alpha1.SuppressionList
	Expect(env.Client.List(ctx, &all, client.InNamespace(s.namespace))).To(Succeed())
	return all.Items
}

func stops(id string) formats.Message {
	return formats.Message{Format: "uazapi", Kind: formats.Inbound, ID: id, Phone: "5511987654321",
		Text: "  Parar! "}
}

func replica(cached client.Client) *Server {
	GinkgoHelper()
	made, err := New(options(env.Client, cached, prometheus.NewRegistry()))
	Expect(err).NotTo(HaveOccurred())
	return made
}

// refuseSuppressions makes the API server refuse to write Suppressions.
func refuseSuppressions(verbs string) {
	hooked.before(func(_ context.Context, verb string, object client.Object) error {
		if _, is := object.(*v1alpha1.Suppression); is && strings.Contains(verbs, verb) {
			return apierrors.NewServerTimeout(schema.GroupResource{Group: v1alpha1.GroupVersion.Group,
				Resource: "suppressions"}, verb, 1)
		}
		return nil
	})
}

var _ = Describe("a customer who opts out", func() {
	It("is heard in the conversation and suppressed, once, over HTTP", func(ctx SpecContext) {
		shop := openPhoneShop(ctx)
		body := shop.message("m-1", map[string]any{"text": "PARAR"})
		got := plain(ctx, body)
		Expect(got.Status).To(Equal(http.StatusOK), got.Raw)
		Expect(got.Body).To(And(
			HaveKeyWithValue("result", "recorded"), HaveKeyWithValue("reason", "OptedOut"),
			HaveKeyWithValue("lead", shop.lead.Name)))
		Expect(shop.current(ctx).Status.Conversation).To(HaveLen(2))
		made := shop.suppressions(ctx)
		Expect(made).To(HaveLen(1))
		Expect(made[0].Spec).To(Equal(v1alpha1.SuppressionSpec{
			StoreRef: v1alpha1.ObjectReference{Name: shop.store.Name}, PhoneHash: lead.PhoneHash(gen.Phone),
			Reason: "OptOut",
		}))
		Expect(made[0].OwnerReferences).To(BeEmpty())

		By("with the label that finds everything known of the customer")
		var found v1alpha1.SuppressionList
		Expect(env.Client.List(ctx, &found, client.InNamespace(shop.namespace),
			client.MatchingLabels{v1alpha1.LabelPhoneKey: shop.lead.Labels[v1alpha1.LabelPhoneKey]})).To(Succeed())
		Expect(found.Items).To(HaveLen(1))

		By("and nothing is written when it is delivered again")
		Expect(plain(ctx, body).Body).To(HaveKeyWithValue("result", "unchanged"))
		Expect(shop.suppressions(ctx)[0].ResourceVersion).To(Equal(made[0].ResourceVersion))
	})

	It("gets one Suppression, however many replicas hear of it at once", func(ctx SpecContext) {
		shop := openPhoneShop(ctx)
		other := replica(hooked)
		var group sync.WaitGroup
		for i := range 8 {
			group.Go(func() {
				defer GinkgoRecover()
				message := stops([]string{"m-1", "m-2"}[i/4])
				_, err := []*Server{server, other}[i%2].hear(ctx, shop.instance, &message)
				Expect(err).NotTo(HaveOccurred())
			})
		}
		group.Wait()
		Expect(shop.suppressions(ctx)).To(HaveLen(1))
		Expect(shop.current(ctx).Status.Conversation).To(HaveLen(3))
	})

	It("is not acknowledged before the Suppression is stored", func(ctx SpecContext) {
		shop := openPhoneShop(ctx)
		refuseSuppressions("create")
		body := shop.message("m-1", map[string]any{"text": "sair"})
		got := plain(ctx, body)
		Expect(got.Status).To(Equal(http.StatusServiceUnavailable))
		Expect(got.Header.Get("Retry-After")).To(Equal("5"))
		Expect(shop.current(ctx).Status.Conversation).To(HaveLen(2))
		Expect(shop.suppressions(ctx)).To(BeEmpty())

		By("and the next delivery, whose message is known, stores it")
		hooked.before(nil)
		Expect(plain(ctx, body).Body).To(And(HaveKeyWithValue("result", "recorded"),
			HaveKeyWithValue("lead", shop.lead.Name)))
		Expect(shop.suppressions(ctx)).To(HaveLen(1))
		Expect(shop.current(ctx).Status.Conversation).To(HaveLen(2))
	})

	It("is stored in the conversation before the Suppression", func(ctx SpecContext) {
		shop := openPhoneShop(ctx)
		refuseWrites("patch status")
		Expect(plain(ctx, shop.message("m-1", map[string]any{"text": "sair"})).Status).To(
			Equal(http.StatusServiceUnavailable))
		Expect(shop.suppressions(ctx)).To(BeEmpty())
	})

	DescribeTable("is suppressed where no conversation takes the message",
		func(ctx SpecContext, prepare func(context.Context, phoneShop)) {
			shop := openPhoneShop(ctx)
			prepare(ctx, shop)
			message := stops("m-1")
			message.Phone = "551187654321"
			Expect(shop.hears(ctx, message)).To(Equal(outcome{Result: resultRecorded, Reason: recordedOptOut}))
			Expect(shop.hears(ctx, message)).To(Equal(outcome{Result: resultUnchanged, Reason: recordedOptOut}))
			Expect(shop.suppressions(ctx)).To(HaveLen(1))
		},
		Entry("the lead was deleted", func(ctx context.Context, s phoneShop) {
			Expect(env.Client.Delete(ctx, s.lead)).To(Succeed())
			Eventually(func() error { return hooked.Get(ctx, client.ObjectKeyFromObject(s.lead), s.lead) }).ShouldNot(
				Succeed())
		}),
		Entry("the Store is gone", func(ctx context.Context, s phoneShop) {
			Expect(env.Client.Delete(ctx, s.store)).To(Succeed())
			Expect(env.Client.Delete(ctx, s.lead)).To(Succeed())
			Eventually(func() error { return hooked.Get(ctx, client.ObjectKeyFromObject(s.store), s.store) }).ShouldNot(
				Succeed())
			Eventually(func() error { return hooked.Get(ctx, client.ObjectKeyFromObject(s.lead), s.lead) }).ShouldNot(
				Succeed())
		}),
	)

	DescribeTable("is heard in the conversation, whatever has become of the lead",
		func(ctx SpecContext, prepare func(*v1alpha1.CartRecovery)) {
			shop := openPhoneShop(ctx)
			prepare(shop.lead)
			Expect(env.Client.Status().Update(ctx, shop.lead)).To(Succeed())
			cached(ctx, shop.lead)
			Expect(shop.hears(ctx, stops("m-1"))).To(Equal(outcome{Result: resultRecorded, Reason: recordedOptOut,
				Lead: shop.lead.Name}))
			Expect(shop.suppressions(ctx)).To(HaveLen(1))
			Expect(lead.Find(shop.current(ctx).Status.Conversation, "m-1")).NotTo(BeNil())
		},
		Entry("it is over", func(l *v1alpha1.CartRecovery) {
			l.Status.CompletionTime = &metav1.Time{Time: time.Now()}
		}),
		Entry("it was not written to yet", func(l *v1alpha1.CartRecovery) { l.Status.Conversation = nil }),
	)

	It("is suppressed although two numbers share the key, whichever it is", func(ctx SpecContext) {
		shop := openPhoneShop(ctx)
		at := contacted(time.Now(), v1alpha1.MessageSent)
		shop.shop.lead(ctx, named("mobile"), withPhone("+5511932345678"), at)
		shop.shop.lead(ctx, named("landline"), withPhone("+551132345678"), at)
		message := stops("m-1")
		message.Phone = "551132345678"
		got := shop.hears(ctx, message)
		Expect(got).To(And(HaveField("Result", resultRecorded), HaveField("Reason", recordedOptOut),
			HaveField("Leads", ConsistOf("mobile", "landline"))))
		Expect(shop.suppressions(ctx)).To(HaveExactElements(HaveField("Spec.PhoneHash",
			lead.PhoneHash("+5511932345678"))))
	})

	It("may say so by changing a message", func(ctx SpecContext) {
		shop := openPhoneShop(ctx)
		Expect(shop.hears(ctx, inboundOf("m-1")).Result).To(Equal(resultRecorded))
		Expect(shop.suppressions(ctx)).To(BeEmpty())
		cached(ctx, shop.current(ctx))
		Expect(shop.hears(ctx, editedOf("m-1", "stop")).Reason).To(Equal(recordedOptOut))
		Expect(shop.suppressions(ctx)).To(HaveLen(1))
	})

	DescribeTable("is whoever writes a word of the policy, and nobody else", func(ctx SpecContext, text string,
		want int) {
		shop := openPhoneShop(ctx, func(l *v1alpha1.CartRecovery) {
			l.Spec.ProductRef = &v1alpha1.ObjectReference{Name: gen.Product}
		})
		shop.store.Spec.Recovery.OptOutKeywords = []string{"não me escreva"}
		Expect(env.Client.Update(ctx, shop.store)).To(Succeed())
		cached(ctx, shop.store)
		keep(ctx, gen.In(shop.namespace, gen.ProductObject(func(p *v1alpha1.Product) {
			p.Spec.Recovery.OptOutKeywords = []string{"chega de curso"}
		})))
		message := stops("m-1")
		message.Text = text
		Expect(shop.hears(ctx, message).Result).To(Equal(resultRecorded))
		Expect(shop.suppressions(ctx)).To(HaveLen(want))
		// The wish is in the conversation either way.
		Expect(shop.current(ctx).Status.Conversation).To(HaveLen(2))
	},
		Entry("a built-in word", "Cancelar", 1),
		Entry("the store's", "NAO ME ESCREVA!", 1),
		Entry("the product's", "chega de curso", 1),
		Entry("a word in a sentence", "não vou parar de estudar", 0),
		Entry("nothing", "👍", 0),
	)

	It("has the number itself kept where the store wants that", func(ctx SpecContext) {
		shop := openPhoneShop(ctx)
		shop.store.Spec.SuppressedPhones = v1alpha1.SuppressedPhonesClear
		Expect(env.Client.Update(ctx, shop.store)).To(Succeed())
		cached(ctx, shop.store)
		message := stops("m-1")
		message.Phone = "551187654321"
		Expect(shop.hears(ctx, message).Result).To(Equal(resultRecorded))
		Expect(shop.suppressions(ctx)).To(HaveExactElements(And(
			HaveField("Spec.Phone", gen.Phone), HaveField("Spec.PhoneHash", ""),
			HaveField("Labels", HaveKeyWithValue(v1alpha1.LabelPhoneKey, lead.PhoneHash(gen.Phone))))))
	})

	It("who had lapsed is suppressed again, for ever", func(ctx SpecContext) {
		shop := openPhoneShop(ctx)
		Expect(shop.hears(ctx, stops("m-1")).Result).To(Equal(resultRecorded))
		suppression := shop.suppressions(ctx)[0]
		suppression.Spec.ExpiresAt = &metav1.Time{Time: time.Now().Add(-time.Minute)}
		Expect(env.Client.Update(ctx, &suppression)).To(Succeed())

		refuseSuppressions("patch")
		message := stops("m-2")
		_, err := server.hear(ctx, shop.instance, &message)
		Expect(err).To(HaveOccurred())
		hooked.before(nil)
		Expect(shop.hears(ctx, stops("m-2")).Result).To(Equal(resultRecorded))
		Expect(shop.suppressions(ctx)).To(HaveExactElements(HaveField("Spec.ExpiresAt", BeNil())))
	})

	It("who is suppressed for some time and asks again is suppressed for ever", func(ctx SpecContext) {
		shop := openPhoneShop(ctx)
		Expect(shop.hears(ctx, stops("m-1")).Result).To(Equal(resultRecorded))
		suppression := shop.suppressions(ctx)[0]
		end := metav1.NewTime(time.Now().Add(time.Hour).Truncate(time.Second))
		suppression.Spec.ExpiresAt = &end
		Expect(env.Client.Update(ctx, &suppression)).To(Succeed())

		again := stops("m-1")
		again.At = time.Now().Add(-time.Minute)
		shop.hears(ctx, again)
		Expect(shop.suppressions(ctx)).To(HaveExactElements(HaveField("Spec.ExpiresAt", Not(BeNil()))))
		Expect(shop.hears(ctx, stops("m-2")).Result).To(Equal(resultRecorded))
		Expect(shop.suppressions(ctx)).To(HaveExactElements(HaveField("Spec.ExpiresAt", BeNil())))
	})

	It("is not taken for suppressed while the Suppression is being deleted", func(ctx SpecContext) {
		shop := openPhoneShop(ctx)
		Expect(shop.hears(ctx, stops("m-1")).Result).To(Equal(resultRecorded))
		suppression := shop.suppressions(ctx)[0]
		suppression.Finalizers = []string{"example.com/slow"}
		Expect(env.Client.Update(ctx, &suppression)).To(Succeed())
		Expect(env.Client.Delete(ctx, &suppression)).To(Succeed())
		message := stops("m-2")
		_, err := server.hear(ctx, shop.instance, &message)
		Expect(err).To(MatchError(optouts.ErrLifting))

		fresh := shop.suppressions(ctx)[0]
		fresh.Finalizers = nil
		Expect(env.Client.Update(ctx, &fresh)).To(Succeed())
		Expect(shop.hears(ctx, stops("m-2")).Result).To(Equal(resultRecorded))
		Expect(shop.suppressions(ctx)).To(HaveExactElements(HaveField("DeletionTimestamp", BeNil())))
	})

	It("starts no lead any more, until the Suppression is deleted", func(ctx SpecContext) {
		shop := openPhoneShop(ctx)
		Expect(env.Client.Delete(ctx, shop.lead)).To(Succeed())
		Expect(shop.hears(ctx, stops("m-1")).Result).To(Equal(resultRecorded))
		suppression := shop.suppressions(ctx)[0]
		cached(ctx, &suppression)
		Expect(shop.post(ctx, hotmart(cartEvent)).Body).To(HaveKeyWithValue("reason", "Suppressed"))
		Expect(shop.leads(ctx)).To(BeEmpty())

		Expect(env.Client.Delete(ctx, &suppression)).To(Succeed())
		Eventually(func() any { return shop.post(ctx, hotmart(cartEvent)).Body["result"] }).Should(Equal("created"))
	})

	It("whose number is hidden, of a lead that is not known, cannot be suppressed", func(ctx SpecContext) {
		shop := openPhoneShop(ctx)
		message := stops("m-1")
		message.Phone = ""
		Expect(shop.hears(ctx, message)).To(Equal(unmatched(formats.ReasonNoPhone)))
		Expect(shop.suppressions(ctx)).To(BeEmpty())
	})
})
