package webhookserver

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/hex"
	"net/http"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/lead"
)

var leadResource = schema.GroupResource{Group: v1alpha1.GroupVersion.Group, Resource: "cartrecoveries"}

// refuseWrites makes the API server refuse writes of leads.
func refuseWrites(verbs ...string) {
	hooked.before(func(_ context.Context, verb string, object client.Object) error {
		if _, isLead := object.(*v1alpha1.CartRecovery); isLead &&
			(len(verbs) == 0 || strings.Contains(strings.Join(verbs, ","), verb)) {
			return apierrors.NewServerTimeout(leadResource, verb, 1)
		}
		return nil
	})
}

var _ = Describe("a sales webhook", func() {
	It("starts a lead, once", func(ctx SpecContext) {
		shop := openShop(ctx)
		keep(ctx, gen.In(shop.namespace, gen.ProductObject()))
		before := count("hotmart", resultCreated)

		body := hotmart(cartEvent)
		got := shop.post(ctx, body)
		Expect(got.Status).To(Equal(http.StatusOK))
		Expect(got.Body).To(HaveKeyWithValue("result", "created"))
		Expect(count("hotmart", resultCreated)).To(Equal(before + 1))

		leads := shop.leads(ctx)
		Expect(leads).To(HaveLen(1))
		Expect(got.Body).To(HaveKeyWithValue("lead", leads[0].Name))
		spec := leads[0].Spec
		Expect(spec.Customer).To(Equal(v1alpha1.LeadCustomer{Name: "Maria Souza", Phone: gen.Phone, Email: gen.Email}))
		Expect(spec.Trigger).To(Equal(v1alpha1.TriggerAbandonedCart))
		Expect(spec.ProductRef.Name).To(Equal(gen.Product))
		Expect(spec.AbandonedAt.Time).To(BeTemporally("~", time.Now(), time.Minute))
		Expect(leads[0].Status.Phase).To(Equal(v1alpha1.PhasePendingRecovery))

		version := leads[0].ResourceVersion
		for range 3 {
			again := shop.post(ctx, body)
			Expect(again.Status).To(Equal(http.StatusOK))
			Expect(again.Body).To(HaveKeyWithValue("result", "unchanged"))
		}
		Expect(shop.leads(ctx)[0].ResourceVersion).To(Equal(version))
	})

	It("starts one lead however many replicas hear of it at once", func(ctx SpecContext) {
		shop := openShop(ctx)
		results := make(chan any, 8)
		var group sync.WaitGroup
		for range cap(results) {
			group.Go(func() {
				defer GinkgoRecover()
				got := shop.post(ctx, hotmart(cartEvent))
				Expect(got.Status).To(Equal(http.StatusOK))
				results <- got.Body["result"]
			})
		}
		group.Wait()
		close(results)
		created := 0
		for result := range results {
			if result == "created" {
				created++
			}
		}
		Expect(created).To(Equal(1))
		Expect(shop.leads(ctx)).To(HaveLen(1))
	})

	It("lets an open payment say more than the cart before it", func(ctx SpecContext) {
		shop := openShop(ctx, func(s *v1alpha1.Store) {
			for _, trigger := range []v1alpha1.Trigger{v1alpha1.TriggerAbandonedCart, v1alpha1.TriggerPixPending} {
				s.Spec.Recovery.Sequences = append(s.Spec.Recovery.Sequences, v1alpha1.Sequence{
					Trigger: trigger, Steps: []v1alpha1.Step{{Name: "first"}},
				})
			}
		})
		pix := hotmart("PURCHASE_BILLET_PRINTED", change{
			"data.purchase.payment.type": "PIX", "creation_date": time.Now().Add(time.Minute).UnixMilli(),
			"data.buyer.phone": "+55 21 91234-5678",
		})
		Expect(shop.post(ctx, hotmart(cartEvent)).Body).To(HaveKeyWithValue("result", "created"))
		Expect(shop.post(ctx, pix).Body).To(HaveKeyWithValue("result", "recorded"))
		leads := shop.leads(ctx)
		Expect(leads).To(HaveLen(1))
		Expect(leads[0].Spec.Trigger).To(Equal(v1alpha1.TriggerPixPending))
		Expect(leads[0].Spec.Customer.Phone).To(Equal("+5521912345678"))
		labels := lead.Labels(shop.store.Name, leads[0].Spec.Customer)
		labels[lead.SaleKey("HP1")] = ""
		Expect(leads[0].Labels).To(Equal(labels))
		Expect(leads[0].Spec.Payment).To(And(HaveField("Method", v1alpha1.PaymentPix),
			HaveField("TransactionID", "HP1")))
		Expect(shop.post(ctx, pix).Body).To(HaveKeyWithValue("result", "unchanged"))
		Expect(shop.post(ctx, hotmart(cartEvent)).Body).To(HaveKeyWithValue("result", "unchanged"))
		Expect(shop.leads(ctx)[0].ResourceVersion).To(Equal(leads[0].ResourceVersion))
	})

	It("keeps the end of a payment that comes before it, and sends no notice of that", func(ctx SpecContext) {
		shop := openShop(ctx, func(s *v1alpha1.Store) {
			s.Spec.Recovery.Sequences = []v1alpha1.Sequence{{Trigger: v1alpha1.TriggerPixPending,
				Steps: []v1alpha1.Step{{Name: "first"}}}}
		})
		pix := change{"data.purchase.payment.type": "PIX"}
		ended := hotmart("PURCHASE_EXPIRED", pix)
		Expect(shop.post(ctx, ended).Body).To(HaveKeyWithValue("result", "recorded"))
		Expect(shop.post(ctx, ended).Body).To(HaveKeyWithValue("result", "unchanged"))
		leads := shop.leads(ctx)
		Expect(leads).To(HaveLen(1))
		Expect(leads[0].Spec.PaymentExpiredAt).NotTo(BeNil())
		Expect(shop.post(ctx, hotmart("PURCHASE_BILLET_PRINTED", pix)).Body).To(HaveKeyWithValue("result", "recorded"))
		spec := shop.leads(ctx)[0].Spec
		Expect(spec.PaymentExpiredAt).To(BeNil())
		Expect(spec.Payment).To(HaveField("ExpiresAt", HaveValue(HaveField("Time", BeTemporally("<=", time.Now())))))
	})

	DescribeTable("stores nothing and says why", func(ctx SpecContext, status int, reason string, body func() []byte) {
		shop := openShop(ctx)
		got := shop.post(ctx, body())
		Expect(got.Status).To(Equal(status), got.Raw)
		if reason != "" {
			Expect(got.Body).To(HaveKeyWithValue("result", "ignored"))
			Expect(got.Body).To(HaveKeyWithValue("reason", reason))
		} else {
			Expect(got.Body).To(HaveKey("error"))
			Expect(got.Body).To(HaveKey("expected"))
		}
		Expect(shop.leads(ctx)).To(BeEmpty())
	},
		Entry("no phone", 200, "NoPhone", func() []byte { return hotmart(cartEvent, change{"data.buyer.phone": nil}) }),
		Entry("no sequence", 200, "NoSequence", func() []byte { return hotmart("PURCHASE_CANCELED") }),
		Entry("an event not used", 200, "EventNotUsed", func() []byte { return hotmart("PURCHASE_DELAYED") }),
		Entry("an unknown event", 200, "UnknownEvent", func() []byte {
			return hotmart("PURCHASE_TELEPORTED", change{"data.purchase": map[string]any{"status": "STARTED"}})
		}),
		Entry("a cart from before the lead would have expired", 200, "TooOld", func() []byte {
			return hotmart(cartEvent, occurredAgo(73*time.Hour))
		}),
		Entry("no JSON", 400, "", func() []byte { return []byte("event") }),
		Entry("truncated JSON", 400, "", func() []byte { return hotmart(cartEvent)[:40] }),
		Entry("a list", 400, "", func() []byte { return []byte("[]") }),
		Entry("a wrong type", 400, "", func() []byte { return hotmart(cartEvent, change{"event": map[string]any{}}) }),
		Entry("no body", 400, "", func() []byte { return nil }),
	)

	It("ignores a suppressed phone until the suppression expires", func(ctx SpecContext) {
		shop := openShop(ctx)
		suppression := &v1alpha1.Suppression{
			ObjectMeta: metav1.ObjectMeta{Namespace: shop.namespace, Name: "s"},
			Spec: v1alpha1.SuppressionSpec{StoreRef: v1alpha1.ObjectReference{Name: shop.store.Name},
				PhoneHash: lead.PhoneHash(gen.Phone)},
		}
		keep(ctx, suppression)
		Expect(shop.post(ctx, hotmart(cartEvent)).Body).To(HaveKeyWithValue("reason", "Suppressed"))
		suppression.Spec.ExpiresAt = &metav1.Time{Time: time.Now().Add(-time.Second)}
		Expect(env.Client.Update(ctx, suppression)).To(Succeed())
		cached(ctx, suppression)
		Expect(shop.post(ctx, hotmart(cartEvent)).Body).To(HaveKeyWithValue("result", "created"))
	})

	It("answers unknown clients and platforms alike", func(ctx SpecContext) {
		shop := openShop(ctx)
		bodies := map[string]bool{}
		for _, path := range []string{
			"/api/webhooks/hotmart/nobody", "/api/webhooks/nothing/" + shop.namespace, "/api/webhooks/nobody",
			"/api/webhooks/hotmart", "/api/whatsapp/webhook/" + shop.namespace + "/nothing/key", "/api/nothing",
		} {
			got := call(ctx, http.MethodPost, path, hotmart(cartEvent), "X-HOTMART-HOTTOK", hottok)
			Expect(got.Status).To(Equal(http.StatusNotFound), path)
			bodies[got.Raw] = true
		}
		Expect(bodies).To(HaveLen(1))
	})

	It("gives a client id to the older store", func(ctx SpecContext) {
		shop := openShop(ctx)
		younger := gen.In(shop.namespace, gen.StoreObject(func(s *v1alpha1.Store) {
			s.Name, s.Spec.ClientID = "b-younger", shop.namespace
		}))
		keep(ctx, younger)
		Expect(shop.post(ctx, hotmart(cartEvent)).Body).To(HaveKeyWithValue("result", "created"))
		Expect(shop.leads(ctx)[0].Spec.StoreRef.Name).To(Equal(shop.store.Name))
	})

	It("asks to try again when the API server cannot store", func(ctx SpecContext) {
		shop := openShop(ctx)
		refuseWrites()
		for _, event := range []string{cartEvent, purchaseEvent} {
			got := shop.post(ctx, hotmart(event))
			Expect(got.Status).To(Equal(http.StatusServiceUnavailable))
			Expect(got.Header.Get("Retry-After")).To(Equal("5"))
		}
		hooked.before(nil)
		Expect(shop.leads(ctx)).To(BeEmpty())
		Expect(shop.post(ctx, hotmart(cartEvent)).Body).To(HaveKeyWithValue("result", "created"))
	})

	It("does not retry for ever what the schema refuses", func(ctx SpecContext) {
		shop := openShop(ctx)
		hooked.before(func(_ context.Context, verb string, object client.Object) error {
			if created, isLead := object.(*v1alpha1.CartRecovery); isLead && verb == "create" {
				created.Spec.Currency = "not-a-currency"
			}
			return nil
		})
		got := shop.post(ctx, hotmart(cartEvent))
		Expect(got.Status).To(Equal(http.StatusBadRequest))
		Expect(got.Body).To(HaveKeyWithValue("field", "spec.currency"))
		Expect(got.Raw).NotTo(ContainSubstring("not-a-currency"))
	})
})

// rejected reads what the store shows of refused deliveries.
func rejected(ctx context.Context, shop shop) func() *v1alpha1.RejectedDelivery {
	return func() *v1alpha1.RejectedDelivery {
		var store v1alpha1.Store
		Expect(env.Client.Get(ctx, client.ObjectKeyFromObject(shop.store), &store)).To(Succeed())
		return store.Status.LastRejectedDelivery
	}
}

var _ = Describe("the authentication of a sales webhook", func() {
	DescribeTable("refuses, counts, and shows it on the store", func(ctx SpecContext, reason, header, value string,
		mod func(*v1alpha1.Store)) {
		shop := openShop(ctx, mod)
		before := count("hotmart", resultUnauthorized)
		for range 3 {
			got := call(ctx, http.MethodPost, "/api/webhooks/hotmart/"+shop.namespace, hotmart(cartEvent), header,
				value)
			Expect(got.Status).To(Equal(http.StatusUnauthorized))
		}
		Expect(count("hotmart", resultUnauthorized)).To(Equal(before + 3))
		Eventually(rejected(ctx, shop)).Should(HaveField("Reason", reason))
		Expect(rejected(ctx, shop)().Platform).To(Equal(v1alpha1.PlatformHotmart))
		Expect(shop.leads(ctx)).To(BeEmpty())
	},
		Entry("no token", v1alpha1.RejectedNoCredential, "X-Other", "x", func(*v1alpha1.Store) {}),
		Entry("an empty token", v1alpha1.RejectedNoCredential, "X-HOTMART-HOTTOK", "", func(*v1alpha1.Store) {}),
		Entry("a wrong token", v1alpha1.RejectedBadCredential, "X-HOTMART-HOTTOK", "wrong", func(*v1alpha1.Store) {}),
		Entry("a platform not configured", v1alpha1.RejectedPlatformNotConfigured, "X-HOTMART-HOTTOK", hottok,
			func(s *v1alpha1.Store) {
				s.Spec.Platforms = []v1alpha1.StorePlatform{platformWith(v1alpha1.PlatformKiwify, "kiwify")}
			}),
		Entry("no secret", v1alpha1.RejectedSecretMissing, "X-HOTMART-HOTTOK", hottok, func(s *v1alpha1.Store) {
			s.Spec.Platforms = []v1alpha1.StorePlatform{platformWith(v1alpha1.PlatformHotmart, "missing")}
		}),
	)

	It("shows authentic deliveries that cannot be read", func(ctx SpecContext) {
		shop := openShop(ctx)
		Expect(shop.post(ctx, []byte("{")).Status).To(Equal(http.StatusBadRequest))
		Eventually(rejected(ctx, shop)).Should(HaveField("Reason", v1alpha1.RejectedMalformed))
	})

	It("writes at most once a minute and reason, and not before answering", func(ctx SpecContext) {
		shop := openShop(ctx)
		writes, held := make(chan struct{}, 16), make(chan struct{})
		hooked.before(func(ctx context.Context, _ string, object client.Object) error {
			if store, isStore := object.(*v1alpha1.Store); isStore && store.Namespace == shop.namespace {
				writes <- struct{}{}
				select {
				case <-held:
				case <-ctx.Done():
				}
			}
			return nil
		})
		for range 5 {
			got := call(ctx, http.MethodPost, "/api/webhooks/hotmart/"+shop.namespace, hotmart(cartEvent),
				"X-HOTMART-HOTTOK", "wrong")
			Expect(got.Status).To(Equal(http.StatusUnauthorized))
		}
		Eventually(writes).Should(Receive())
		close(held)
		Eventually(rejected(ctx, shop)).ShouldNot(BeNil())
		Expect(writes).NotTo(Receive())
	})

	It("takes a rotated secret beside the old one", func(ctx SpecContext) {
		shop := openShop(ctx, func(s *v1alpha1.Store) {
			s.Spec.Platforms[0].SecretRefs = append([]v1alpha1.SecretKeyReference{
				{Name: "platforms", Key: "kiwify"}, {Name: "gone", Key: "x"},
			}, s.Spec.Platforms[0].SecretRefs...)
		})
		Expect(shop.post(ctx, hotmart(cartEvent)).Status).To(Equal(http.StatusOK))
	})
})

var _ = Describe("the webhook that detects the platform", func() {
	both := func(s *v1alpha1.Store) {
		s.Spec.Platforms = append(s.Spec.Platforms, platformWith(v1alpha1.PlatformKiwify, "kiwify"))
	}
	kiwifySigned := func(body []byte) string {
		mac := hmac.New(sha1.New, []byte("a-kiwify-secret"))
		mac.Write(body)
		return hex.EncodeToString(mac.Sum(nil))
	}

	It("takes the only platform that accepts", func(ctx SpecContext) {
		shop := openShop(ctx, both)
		got := call(ctx, http.MethodPost, "/api/webhooks/"+shop.namespace, hotmart(cartEvent), "X-HOTMART-HOTTOK",
			hottok)
		Expect(got.Status).To(Equal(http.StatusOK))
		Expect(shop.leads(ctx)[0].Spec.Platform).To(Equal(v1alpha1.PlatformHotmart))
	})

	It("refuses what none accepts", func(ctx SpecContext) {
		shop := openShop(ctx, both)
		got := call(ctx, http.MethodPost, "/api/webhooks/"+shop.namespace, hotmart(cartEvent), "X-HOTMART-HOTTOK",
			"wrong")
		Expect(got.Status).To(Equal(http.StatusUnauthorized))
		Expect(got.Body["error"]).To(ContainSubstring("none of the client's platforms"))
	})

	It("does not ask platforms that are not configured", func(ctx SpecContext) {
		shop := openShop(ctx)
		body := hotmart(cartEvent)
		got := call(ctx, http.MethodPost, "/api/webhooks/"+shop.namespace+"?signature="+kiwifySigned(body), body)
		Expect(got.Status).To(Equal(http.StatusUnauthorized))
	})

	It("refuses what several accept", func(ctx SpecContext) {
		shop := openShop(ctx, both)
		body := hotmart(cartEvent)
		got := call(ctx, http.MethodPost, "/api/webhooks/"+shop.namespace+"?signature="+kiwifySigned(body), body,
			"X-HOTMART-HOTTOK", hottok)
		Expect(got.Status).To(Equal(http.StatusBadRequest))
		Expect(got.Body["error"]).To(ContainSubstring("several"))
		Expect(shop.leads(ctx)).To(BeEmpty())
		Eventually(rejected(ctx, shop)).Should(And(
			HaveField("Reason", v1alpha1.RejectedMalformed), HaveField("Platform", v1alpha1.PlatformHotmart),
			HaveField("Message", got.Body["error"])))
	})
})

var _ = Describe("the test call of a platform", func() {
	const ping = `{"event":"ping","data":{}}`
	DescribeTable("is taken, whatever it is signed with", func(ctx SpecContext, key string, header ...string) {
		shop := openShop(ctx, func(s *v1alpha1.Store) {
			s.Spec.Platforms = []v1alpha1.StorePlatform{platformWith(v1alpha1.PlatformEduzz, key)}
		})
		for _, path := range []string{"/api/webhooks/eduzz/", "/api/webhooks/"} {
			got := call(ctx, http.MethodPost, path+shop.namespace, []byte(ping), header...)
			Expect(got.Status).To(Equal(http.StatusOK))
			Expect(got.Body).To(HaveKeyWithValue("reason", ignoredPing))
			refused := call(ctx, http.MethodPost, path+shop.namespace,
				[]byte(`{"event":"myeduzz.invoice_paid","data":{}}`), header...)
			Expect(refused.Status).To(Equal(http.StatusUnauthorized))
		}
	},
		Entry("nothing", "kiwify"),
		Entry("nothing, while the Secret is missing", "missing"),
		Entry("a key that the store does not have", "kiwify", "X-Signature", "00ff"),
		Entry("a key, while the Secret is missing", "missing", "X-Signature", "00ff"),
	)
})

var _ = Describe("a purchase", func() {
	It("stops the lead, once", func(ctx SpecContext) {
		shop := openShop(ctx)
		name := shop.post(ctx, hotmart(cartEvent)).Body["lead"]
		body := hotmart(purchaseEvent)
		got := shop.post(ctx, body)
		Expect(got.Status).To(Equal(http.StatusOK))
		Expect(got.Body).To(HaveKeyWithValue("result", "stopped"))
		Expect(got.Body).To(HaveKeyWithValue("leads", ConsistOf(name)))
		Expect(got.Body).To(HaveKeyWithValue("inFlight", false))
		stopped := shop.leads(ctx)
		Expect(stopped).To(HaveLen(1))
		Expect(*stopped[0].Spec.Purchase).To(And(
			HaveField("TransactionID", "HP1"), HaveField("Amount", "149.90"), HaveField("Currency", "BRL"),
			HaveField("Unattributed", false)))

		again := shop.post(ctx, body)
		Expect(again.Body).To(HaveKeyWithValue("result", "unchanged"))
		Expect(shop.leads(ctx)[0].ResourceVersion).To(Equal(stopped[0].ResourceVersion))
		Expect(shop.post(ctx, hotmart(cartEvent)).Body).To(HaveKeyWithValue("reason", "AlreadyPurchased"))
	})

	It("that comes before its cart is kept, so that the cart starts nothing", func(ctx SpecContext) {
		shop := openShop(ctx)
		got := shop.post(ctx, hotmart(purchaseEvent))
		Expect(got.Body).To(HaveKeyWithValue("result", "recorded"))
		Expect(shop.leads(ctx)[0].Spec.AbandonedAt).To(BeNil())
		late := shop.post(ctx, hotmart(cartEvent))
		Expect(late.Status).To(Equal(http.StatusOK))
		Expect(late.Body).To(HaveKeyWithValue("reason", "AlreadyPurchased"))
		Expect(shop.leads(ctx)).To(HaveLen(1))
		spec := shop.leads(ctx)[0].Spec
		Expect(spec.Trigger).To(Equal(v1alpha1.TriggerAbandonedCart))
		Expect(spec.AbandonedAt).NotTo(BeNil())
		Expect(spec.Purchase.TransactionID).To(Equal("HP1"))
	})

	It("of another product that comes before a cart stops it, when it is recent", func(ctx SpecContext) {
		shop := openShop(ctx)
		other := func(id string, ago time.Duration) []byte {
			return hotmart(purchaseEvent,
				change{"data.product.id": id, "creation_date": time.Now().Add(-ago).UnixMilli()})
		}
		shop.post(ctx, other("2", 2*time.Hour))
		for _, each := range shop.leads(ctx) {
			cached(ctx, &each)
		}
		Expect(shop.post(ctx, hotmart(cartEvent, change{"data.product.id": "3"})).Body).To(HaveKeyWithValue("result",
			"created"))
		shop.post(ctx, other("4", 30*time.Minute))
		for _, each := range shop.leads(ctx) {
			cached(ctx, &each)
		}
		got := shop.post(ctx, hotmart(cartEvent))
		Expect(got.Body).To(HaveKeyWithValue("result", "recorded"))
		for _, each := range shop.leads(ctx) {
			if each.Name == got.Body["lead"] {
				Expect(each.Spec.AbandonedAt).NotTo(BeNil())
				Expect(each.Spec.Purchase.Unattributed).To(BeTrue())
			}
		}
	})

	It("that names the customer by the address only, or the phone only, stops and completes the lead",
		func(ctx SpecContext) {
			for _, missing := range []string{"data.buyer.phone", "data.buyer.email"} {
				shop := openShop(ctx)
				name := shop.post(ctx, hotmart(cartEvent)).Body["lead"]
				cached(ctx, &shop.leads(ctx)[0])
				got := shop.post(ctx, hotmart(purchaseEvent, change{missing: nil, "data.buyer.name": "Maria de Souza"}))
				Expect(got.Body).To(HaveKeyWithValue("result", "stopped"))
				Expect(got.Body).To(HaveKeyWithValue("leads", ConsistOf(name)))
				Expect(shop.leads(ctx)).To(HaveExactElements(HaveField("Spec.Customer.Name", "Maria de Souza")))
			}
		})

	It("fills in an address, with the label that it is found by", func(ctx SpecContext) {
		shop := openShop(ctx)
		shop.post(ctx, hotmart(cartEvent, change{"data.buyer.email": nil}))
		cached(ctx, &shop.leads(ctx)[0])
		shop.post(ctx, hotmart(purchaseEvent))
		leads := shop.leads(ctx)
		Expect(leads).To(HaveLen(1))
		Expect(leads[0].Spec.Customer.Email).To(Equal(gen.Email))
		labels := lead.Labels(shop.store.Name, leads[0].Spec.Customer)
		labels[lead.SaleKey("HP1")] = ""
		Expect(leads[0].Labels).To(Equal(labels))
	})

	It("takes the credit that a completion before it left open", func(ctx SpecContext) {
		shop := openShop(ctx)
		shop.post(ctx, hotmart(cartEvent))
		Expect(shop.post(ctx, hotmart("PURCHASE_COMPLETE")).Body).To(HaveKeyWithValue("result", "stopped"))
		Expect(shop.leads(ctx)[0].Spec.Purchase.Unattributed).To(BeTrue())
		Expect(shop.post(ctx, hotmart(purchaseEvent)).Body).To(HaveKeyWithValue("result", "recorded"))
		Expect(shop.leads(ctx)[0].Spec.Purchase.Unattributed).To(BeFalse())
		Expect(shop.post(ctx, hotmart("PURCHASE_COMPLETE")).Body).To(HaveKeyWithValue("result", "unchanged"))
	})

	It("is kept anew when its lead is deleted while it is written", func(ctx SpecContext) {
		shop := openShop(ctx)
		shop.lead(ctx, withEmail(""))
		gone := false
		hooked.before(func(ctx context.Context, verb string, object client.Object) error {
			if recovery, isLead := object.(*v1alpha1.CartRecovery); isLead && verb == "patch" && !gone {
				gone = true
				return env.Client.Delete(ctx, recovery.DeepCopy())
			}
			return nil
		})
		got := shop.post(ctx, hotmart(purchaseEvent))
		Expect(gone).To(BeTrue())
		Expect(got.Body).To(HaveKeyWithValue("result", "recorded"))
		Expect(shop.leads(ctx)).To(HaveExactElements(HaveField("Spec.Purchase", Not(BeNil()))))
	})

	It("that comes before a cart with an e-mail address of its own keeps that from starting, too",
		func(ctx SpecContext) {
			shop := openShop(ctx)
			bought := shop.post(ctx, hotmart(purchaseEvent, change{"data.buyer.email": nil}))
			Expect(bought.Body).To(HaveKeyWithValue("result", "recorded"))
			kept := shop.leads(ctx)[0]
			cached(ctx, &kept)
			Expect(shop.post(ctx, hotmart(cartEvent)).Body).To(HaveKeyWithValue("reason", "AlreadyPurchased"))
			Expect(shop.leads(ctx)).To(HaveLen(1))
		})

	It("says that a message was in flight", func(ctx SpecContext) {
		shop := openShop(ctx)
		shop.lead(ctx, contacted(time.Now(), v1alpha1.MessageClaimed))
		got := shop.post(ctx, hotmart(purchaseEvent))
		Expect(got.Body).To(HaveKeyWithValue("inFlight", true))
	})

	It("stops a lead of the customer under another name, and is credited to it", func(ctx SpecContext) {
		shop := openShop(ctx)
		shop.lead(ctx, withEmail(""))
		got := shop.post(ctx, hotmart(purchaseEvent))
		Expect(got.Body).To(HaveKeyWithValue("leads", ConsistOf("hotmart-lead")))
		Expect(shop.leads(ctx)).To(HaveExactElements(HaveField("Spec.Purchase.Unattributed", false)))
	})

	It("stops leads of other products without credit, where the policy says so", func(ctx SpecContext) {
		shop := openShop(ctx)
		strict := gen.In(shop.namespace, gen.ProductObject(func(p *v1alpha1.Product) {
			p.Name, p.Spec.PlatformIDs[0].ID = "strict", "3"
			p.Spec.Recovery.KillSwitchScope = v1alpha1.KillSwitchProduct
		}))
		keep(ctx, strict)
		shop.lead(ctx, named("of-2"), ofProduct("2"))
		shop.lead(ctx, named("of-3"), ofProduct("3"), func(l *v1alpha1.CartRecovery) {
			l.Spec.ProductRef = &v1alpha1.ObjectReference{Name: "strict"}
		})
		shop.lead(ctx, named("of-3-unlinked"), ofProduct("3"))
		got := shop.post(ctx, hotmart(purchaseEvent))
		Expect(got.Body).To(HaveKeyWithValue("result", "stopped"))
		purchases := map[string]*v1alpha1.Purchase{}
		for _, each := range shop.leads(ctx) {
			purchases[each.Name] = each.Spec.Purchase
		}
		Expect(purchases).To(HaveLen(4))
		Expect(purchases["of-2"].Unattributed).To(BeTrue())
		Expect(purchases["of-3"]).To(BeNil())
		Expect(purchases["of-3-unlinked"]).To(BeNil())
	})

	It("gets through although the lead is written at the same time", func(ctx SpecContext) {
		shop := openShop(ctx)
		racing := shop.lead(ctx)
		races := 0
		hooked.before(func(ctx context.Context, verb string, object client.Object) error {
			if recovery, isLead := object.(*v1alpha1.CartRecovery); isLead && verb == "patch" && races < 3 {
				races++
				var current v1alpha1.CartRecovery
				Expect(env.Client.Get(ctx, client.ObjectKeyFromObject(recovery), &current)).To(Succeed())
				current.Status.TokensUsed = int64(races)
				if races == 3 {
					contacted(time.Now(), v1alpha1.MessageClaimed)(&current)
				}
				return env.Client.Status().Update(ctx, &current)
			}
			return nil
		})
		got := shop.post(ctx, hotmart(purchaseEvent))
		Expect(got.Body).To(HaveKeyWithValue("result", "stopped"))
		Expect(got.Body).To(HaveKeyWithValue("inFlight", true))
		Expect(races).To(Equal(3))
		Expect(env.Client.Get(ctx, client.ObjectKeyFromObject(racing), racing)).To(Succeed())
		Expect(racing.Spec.Purchase).NotTo(BeNil())
		Expect(racing.Status.Conversation).To(HaveLen(1))
	})

	It("and its cart, in any order and at once, end as one lead that was bought", func(ctx SpecContext) {
		shop := openShop(ctx)
		var group sync.WaitGroup
		for i := range 12 {
			group.Go(func() {
				defer GinkgoRecover()
				event := []string{cartEvent, purchaseEvent}[i%2]
				Expect(shop.post(ctx, hotmart(event)).Status).To(Equal(http.StatusOK))
			})
		}
		group.Wait()
		Expect(shop.leads(ctx)).To(HaveExactElements(HaveField("Spec.Purchase", Not(BeNil()))))
	})

	It("is not acknowledged before it is stored in every lead, and the repetition is", func(ctx SpecContext) {
		shop := openShop(ctx)
		shop.lead(ctx, named("of-2"), ofProduct("2"))
		shop.lead(ctx, named("of-3"), ofProduct("3"))
		refused := false
		hooked.before(func(_ context.Context, verb string, object client.Object) error {
			if _, isLead := object.(*v1alpha1.CartRecovery); isLead && object.GetName() == "of-3" && !refused {
				refused = true
				return apierrors.NewServerTimeout(leadResource, verb, 1)
			}
			return nil
		})
		body := hotmart(purchaseEvent)
		Expect(shop.post(ctx, body).Status).To(Equal(http.StatusServiceUnavailable))
		Expect(shop.post(ctx, body).Status).To(Equal(http.StatusOK))
		Expect(shop.leads(ctx)).To(And(HaveLen(3), HaveEach(HaveField("Spec.Purchase", Not(BeNil())))))
	})

	It("may be taken back before it is known", func(ctx SpecContext) {
		shop := openShop(ctx)
		body := hotmart(refundEvent)
		Expect(shop.post(ctx, body).Body).To(HaveKeyWithValue("result", "recorded"))
		Expect(shop.post(ctx, body).Body).To(HaveKeyWithValue("result", "unchanged"))
		Expect(shop.post(ctx, hotmart(purchaseEvent)).Body).To(HaveKeyWithValue("result", "recorded"))
		Expect(shop.post(ctx, hotmart("PURCHASE_CHARGEBACK")).Body).To(HaveKeyWithValue("result", "reversed"))
		Expect(shop.leads(ctx)).To(HaveExactElements(And(
			HaveField("Spec.Purchase.TransactionID", "HP1"), HaveField("Spec.Reversal.Kind",
				v1alpha1.ReversalChargeback))))
	})

	It("may be taken back", func(ctx SpecContext) {
		shop := openShop(ctx)
		shop.post(ctx, hotmart(purchaseEvent))
		body := hotmart(refundEvent)
		Expect(shop.post(ctx, body).Body).To(HaveKeyWithValue("result", "reversed"))
		Expect(shop.post(ctx, body).Body).To(HaveKeyWithValue("result", "unchanged"))
		Expect(shop.leads(ctx)).To(HaveExactElements(HaveField("Spec.Reversal.Kind", v1alpha1.ReversalRefund)))
	})
})
