package webhookserver

import (
	"net/http"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/index"
	"cartrecovery.dev/operator/internal/owner"
)

var _ = Describe("a clientID that two namespaces' Stores name", func() {
	It("answers for the Store whose namespace has the clientID", func(ctx SpecContext) {
		ours := openShop(ctx)
		elsewhere, err := env.Namespace(ctx)
		Expect(err).NotTo(HaveOccurred())
		keep(ctx, &v1alpha1.ClientIDClaim{
			ObjectMeta: metav1.ObjectMeta{Name: owner.ClaimName(ours.namespace)},
			Spec:       v1alpha1.ClientIDClaimSpec{ClientID: ours.namespace, Namespace: ours.namespace},
		})
		keep(ctx, gen.In(elsewhere, gen.StoreObject(func(s *v1alpha1.Store) {
			s.Name, s.Spec.ClientID = "squatter", ours.namespace
			s.Spec.Platforms = ours.store.Spec.Platforms
		})))
		Expect(ours.post(ctx, hotmart(cartEvent)).Status).To(Equal(http.StatusOK))
		claimless := &Server{Options: server.Options}
		claimless.NoClaims = true
		found, err := claimless.store(ctx, ours.namespace)
		Expect(err).NotTo(HaveOccurred())
		// Which of two that were made in one second is the older is told by their names.
		var both v1alpha1.StoreList
		byClientID := client.MatchingFields{index.StoreByClientID: ours.namespace}
		Expect(server.Client.List(ctx, &both, byClientID)).To(Succeed())
		oldest := both.Items[owner.StoreOf(both.Items, "")]
		Expect(found.UID).To(Equal(oldest.UID), "the oldest, where claims are not asked")

		Expect(env.Client.Delete(ctx, ours.store)).To(Succeed())
		// While there are leads of the client its Store may come back.
		Eventually(func() int { return ours.post(ctx, hotmart(purchaseEvent)).Status }).Should(
			Equal(http.StatusServiceUnavailable))
		Eventually(func(g Gomega) {
			found, err := claimless.store(ctx, ours.namespace)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(found.Namespace).To(Equal(elsewhere))
		}).Should(Succeed())
		Expect(shop{namespace: elsewhere}.leads(ctx)).To(BeEmpty())
	})
})
