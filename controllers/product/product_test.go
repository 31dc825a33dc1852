package product

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"
	eventsv1 "k8s.io/api/events/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
)

func create(ctx context.Context, namespace, name string, mods ...func(*v1alpha1.Product)) *v1alpha1.Product {
	GinkgoHelper()
	mods = append([]func(*v1alpha1.Product){func(p *v1alpha1.Product) { p.Name = name }}, mods...)
	product := gen.In(namespace, gen.ProductObject(mods...))
	Expect(env.Client.Create(ctx, product)).To(Succeed())
	return product
}

func read(ctx context.Context, product *v1alpha1.Product) func() (*v1alpha1.Product, error) {
	return func() (*v1alpha1.Product, error) {
		fresh := &v1alpha1.Product{}
		return fresh, env.Client.Get(ctx, client.ObjectKeyFromObject(product), fresh)
	}
}

func change(ctx context.Context, product *v1alpha1.Product, change func(*v1alpha1.Product)) {
	GinkgoHelper()
	fresh, err := read(ctx, product)()
	Expect(err).NotTo(HaveOccurred())
	before := fresh.DeepCopy()
	change(fresh)
	Expect(env.Client.Patch(ctx, fresh, client.MergeFrom(before))).To(Succeed())
}

func beReady(want string) types.GomegaMatcher {
	return WithTransform(func(p *v1alpha1.Product) string {
		ready := apimeta.FindStatusCondition(p.Status.Conditions, v1alpha1.ConditionReady)
		if ready == nil || p.Status.ObservedGeneration != p.Generation {
			return ""
		}
		return string(ready.Status) + "/" + ready.Reason
	}, Equal(want))
}

var _ = Describe("A Product", func() {
	var (
		namespace string
		store     *v1alpha1.Store
	)
	BeforeEach(func(ctx SpecContext) {
		var err error
		namespace, err = env.Namespace(ctx)
		Expect(err).NotTo(HaveOccurred())
		store = gen.In(namespace, gen.StoreObject(func(s *v1alpha1.Store) { s.Spec.ClientID = namespace }))
		Expect(env.Client.Create(ctx, store)).To(Succeed())
	})

	It("is ready with its Store, and not without", func(ctx SpecContext) {
		product := create(ctx, namespace, "course")
		Eventually(ctx, read(ctx, product), soon, often).Should(beReady("True/Ready"))
		Expect(env.Client.Delete(ctx, store)).To(Succeed())
		Eventually(ctx, read(ctx, product), soon, often).Should(beReady("False/StoreNotFound"))
		Expect(env.Client.Create(ctx, gen.In(namespace, gen.StoreObject()))).To(Succeed())
		Eventually(ctx, read(ctx, product), soon, often).Should(beReady("True/Ready"))

		Eventually(ctx, func(ctx context.Context) ([]string, error) {
			var list eventsv1.EventList
			err := env.Client.List(ctx, &list, client.InNamespace(namespace))
			reasons := make([]string, 0, len(list.Items))
			for i := range list.Items {
				reasons = append(reasons, list.Items[i].Reason)
			}
			return reasons, err
		}, soon, often).Should(ContainElements("Ready", "StoreNotFound"))
	})

	It("says that a template is broken, until it is not", func(ctx SpecContext) {
		product := create(ctx, namespace, "course", func(p *v1alpha1.Product) {
			p.Spec.SystemPrompt = "{{.Customer.Shoes}}"
		})
		Eventually(ctx, read(ctx, product), soon, often).Should(beReady("False/InvalidTemplate"))
		change(ctx, product, func(p *v1alpha1.Product) { p.Spec.SystemPrompt = "Olá, {{.Customer.FirstName}}" })
		Eventually(ctx, read(ctx, product), soon, often).Should(beReady("True/Ready"))
	})

	// Objects of the same second are told apart by name.
	It("leaves an id to the older of two Products, until that one goes", func(ctx SpecContext) {
		older := create(ctx, namespace, "a-older")
		younger := create(ctx, namespace, "b-younger")
		Eventually(ctx, read(ctx, younger), soon, often).Should(beReady("False/PlatformIDTaken"))
		Eventually(ctx, read(ctx, older), soon, often).Should(beReady("True/Ready"))
		Expect(env.Client.Delete(ctx, older)).To(Succeed())
		Eventually(ctx, read(ctx, younger), soon, often).Should(beReady("True/Ready"))
	})

	It("gets an id that the older of two Products lets go, and loses one that it takes", func(ctx SpecContext) {
		older := create(ctx, namespace, "a-older")
		younger := create(ctx, namespace, "b-younger")
		Eventually(ctx, read(ctx, younger), soon, often).Should(beReady("False/PlatformIDTaken"))
		change(ctx, older, func(p *v1alpha1.Product) { p.Spec.PlatformIDs[0].ID = "other" })
		Eventually(ctx, read(ctx, younger), soon, often).Should(beReady("True/Ready"))
		change(ctx, older, func(p *v1alpha1.Product) {
			p.Spec.PlatformIDs = append(p.Spec.PlatformIDs, v1alpha1.PlatformID{Platform: v1alpha1.PlatformHotmart,
				ID: gen.ProductID})
		})
		Eventually(ctx, read(ctx, younger), soon, often).Should(beReady("False/PlatformIDTaken"))
	})

	It("shares an id with a Product of another Store", func(ctx SpecContext) {
		other := gen.In(namespace, gen.StoreObject(func(s *v1alpha1.Store) {
			s.Name, s.Spec.ClientID = "other",
				namespace+"-2"
		}))
		Expect(env.Client.Create(ctx, other)).To(Succeed())
		create(ctx, namespace, "a-older", func(p *v1alpha1.Product) { p.Spec.StoreRef.Name = "other" })
		product := create(ctx, namespace, "b-younger")
		Eventually(ctx, read(ctx, product), soon, often).Should(beReady("True/Ready"))
	})

	It("shows the policy that holds for it, and follows its Store's", func(ctx SpecContext) {
		product := create(ctx, namespace, "course", func(p *v1alpha1.Product) {
			p.Spec.Recovery.MaxUnanswered = new(int32(2))
		})
		policyOf := func(p *v1alpha1.Product) v1alpha1.EffectivePolicy {
			if p.Status.EffectivePolicy == nil {
				return v1alpha1.EffectivePolicy{}
			}
			return *p.Status.EffectivePolicy
		}
		Eventually(ctx, read(ctx, product), soon, often).Should(WithTransform(policyOf, And(
			HaveField("MaxUnanswered", int32(2)), HaveField("OptOutKeywords", BeEmpty()),
			HaveField("QuietHours", "none"))))

		before := store.DeepCopy()
		store.Spec.Recovery.OptOutKeywords, store.Spec.Recovery.MaxUnanswered = []string{"chega"}, new(int32(5))
		Expect(env.Client.Patch(ctx, store, client.MergeFrom(before))).To(Succeed())
		Eventually(ctx, read(ctx, product), soon, often).Should(WithTransform(policyOf, And(
			HaveField("MaxUnanswered", int32(2)), HaveField("OptOutKeywords", ConsistOf("chega")))))

		Expect(env.Client.Delete(ctx, store)).To(Succeed())
		Eventually(ctx, read(ctx, product), soon, often).Should(And(beReady("False/StoreNotFound"),
			HaveField("Status.EffectivePolicy", BeNil())))
	})

	It("says that it can never send, with its own policy or its Store's", func(ctx SpecContext) {
		product := create(ctx, namespace, "course", func(p *v1alpha1.Product) {
			p.Spec.Recovery.ExpireAfter = &v1alpha1.Duration{Duration: time.Minute}
		})
		Eventually(ctx, read(ctx, product), soon, often).Should(beReady("False/InvalidPolicy"))
		change(ctx, product, func(p *v1alpha1.Product) { p.Spec.Recovery.ExpireAfter = nil })
		Eventually(ctx, read(ctx, product), soon, often).Should(beReady("True/Ready"))
		before := store.DeepCopy()
		store.Spec.Recovery.ExpireAfter = &v1alpha1.Duration{Duration: time.Minute}
		Expect(env.Client.Patch(ctx, store, client.MergeFrom(before))).To(Succeed())
		Eventually(ctx, read(ctx, product), soon, often).Should(beReady("False/InvalidPolicy"))
	})
})
