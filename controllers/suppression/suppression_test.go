package suppression

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/lead"
)

func read(ctx context.Context, suppression *v1alpha1.Suppression) func() (*v1alpha1.Suppression, error) {
	return func() (*v1alpha1.Suppression, error) {
		fresh := &v1alpha1.Suppression{}
		return fresh, env.Client.Get(ctx, client.ObjectKeyFromObject(suppression), fresh)
	}
}

func change(ctx context.Context, suppression *v1alpha1.Suppression, change func(*v1alpha1.Suppression)) {
	GinkgoHelper()
	fresh, err := read(ctx, suppression)()
	Expect(err).NotTo(HaveOccurred())
	before := fresh.DeepCopy()
	change(fresh)
	Expect(env.Client.Patch(ctx, fresh, client.MergeFrom(before))).To(Succeed())
}

func beActive(want string, says string) types.GomegaMatcher {
	return WithTransform(func(s *v1alpha1.Suppression) []string {
		active := apimeta.FindStatusCondition(s.Status.Conditions, v1alpha1.ConditionActive)
		if active == nil || s.Status.ObservedGeneration != s.Generation {
			return []string{"", ""}
		}
		return []string{string(active.Status) + "/" + active.Reason, active.Message}
	}, HaveExactElements(Equal(want), ContainSubstring(says)))
}

var _ = Describe("A Suppression", func() {
	var (
		namespace   string
		suppression *v1alpha1.Suppression
	)
	BeforeEach(func(ctx SpecContext) {
		var err error
		namespace, err = env.Namespace(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(env.Client.Create(ctx,
			gen.In(namespace, gen.StoreObject(func(s *v1alpha1.Store) { s.Spec.ClientID = namespace })))).To(Succeed())
		suppression = gen.In(namespace, object())
	})

	It("holds, and has the labels that a lead of the number has", func(ctx SpecContext) {
		suppression.Labels = map[string]string{"team": "a", v1alpha1.LabelPhoneKey: "another"}
		Expect(env.Client.Create(ctx, suppression)).To(Succeed())
		Eventually(ctx, read(ctx, suppression), soon, often).Should(beActive("True/Suppressing", "not written to"))
		want := map[string]string{"team": "a", v1alpha1.LabelStore: gen.Store,
			v1alpha1.LabelPhoneKey: lead.PhoneHash(gen.Phone)}
		labelled := HaveField("Labels", Equal(want))
		Eventually(ctx, read(ctx, suppression), soon, often).Should(labelled)

		By("also after somebody has taken them away")
		change(ctx, suppression, func(s *v1alpha1.Suppression) { s.Labels = map[string]string{"team": "a"} })
		Eventually(ctx, read(ctx, suppression), soon, often).Should(labelled)
	})

	It("holds whether or not there is a Store of the name", func(ctx SpecContext) {
		suppression.Spec.StoreRef.Name = "later"
		Expect(env.Client.Create(ctx, suppression)).To(Succeed())
		Eventually(ctx, read(ctx, suppression), soon, often).Should(beActive("True/Suppressing", "no Store later"))
		store := gen.In(namespace, gen.StoreObject(func(s *v1alpha1.Store) {
			s.Name, s.Spec.ClientID = "later",
				namespace+"-later"
		}))
		Expect(env.Client.Create(ctx, store)).To(Succeed())
		Eventually(ctx, read(ctx, suppression), soon, often).ShouldNot(beActive("True/Suppressing", "no Store"))
		Expect(env.Client.Delete(ctx, store)).To(Succeed())
		Eventually(ctx, read(ctx, suppression), soon, often).Should(beActive("True/Suppressing", "no Store later"))
	})

	It("lapses by itself, and holds again when its end is moved or taken away", func(ctx SpecContext) {
		suppression.Spec.ExpiresAt = &metav1.Time{Time: time.Now().Add(time.Hour)}
		Expect(env.Client.Create(ctx, suppression)).To(Succeed())
		Eventually(ctx, read(ctx, suppression), soon, often).Should(beActive("True/Suppressing",
			"until spec.expiresAt"))
		change(ctx, suppression, func(s *v1alpha1.Suppression) {
			s.Spec.ExpiresAt = &metav1.Time{Time: time.Now().Add(2 * time.Second)}
		})
		Eventually(ctx, read(ctx, suppression), soon, often).Should(beActive("False/Lapsed", "may be written to again"))
		change(ctx, suppression, func(s *v1alpha1.Suppression) {
			s.Spec.ExpiresAt = &metav1.Time{Time: time.Now().Add(time.Hour)}
		})
		Eventually(ctx, read(ctx, suppression), soon, often).Should(beActive("True/Suppressing", "until"))
		change(ctx, suppression, func(s *v1alpha1.Suppression) { s.Spec.ExpiresAt = nil })
		Eventually(ctx, read(ctx, suppression), soon, often).Should(beActive("True/Suppressing", "not written to"))
	})
})
