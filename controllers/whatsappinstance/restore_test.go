package whatsappinstance

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
)

// restored deletes the instance and makes it again as a backup brings it back: another UID, no
// status. Its Secrets are brought back with it, or garbage collection has taken them.
func (s *scene) restored(ctx context.Context, secrets bool, mods ...func(*v1alpha1.WhatsAppInstance)) {
	GinkgoHelper()
	backup, err := s.read(ctx)
	Expect(err).NotTo(HaveOccurred())
	Expect(env.Client.Delete(ctx, backup)).To(Succeed())
	if !secrets {
		for _, suffix := range []string{"-gateway", "-pairing"} {
			gone := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: gen.Instance + suffix}}
			Expect(client.IgnoreNotFound(env.Client.Delete(ctx, gone))).To(Succeed())
		}
	}
	made := &v1alpha1.WhatsAppInstance{ObjectMeta: metav1.ObjectMeta{
		Namespace: backup.Namespace, Name: backup.Name, Annotations: backup.Annotations,
	}, Spec: backup.Spec}
	for _, mod := range mods {
		mod(made)
	}
	Expect(env.Client.Create(ctx, made)).To(Succeed())
	Expect(made.UID).NotTo(Equal(backup.UID))
}

var _ = Describe("A WhatsAppInstance that is made again from a backup", func() {
	var s *scene
	BeforeEach(func(ctx SpecContext) {
		s = newScene()
		s.setUp(ctx)
	})

	for _, with := range []struct {
		name    string
		secrets bool
	}{{"with its Secrets", true}, {"without its Secrets", false}} {
		It("keeps its number, "+with.name, func(ctx SpecContext) {
			s.instance(ctx)
			before := s.pairs(ctx)
			s.restored(ctx, with.secrets)
			after := s.becomes(ctx, inPhase(v1alpha1.InstanceConnected, v1alpha1.ReasonConnected))
			Expect(after.Status.GatewayInstanceID).To(Equal(before.Status.GatewayInstanceID))
			Expect(s.uazapi.Instances()).To(HaveLen(1))
			Eventually(ctx, s.events, soon, often).Should(ContainElement("InstanceAdopted"))

			By("and again")
			s.restored(ctx, with.secrets)
			s.becomes(ctx, inPhase(v1alpha1.InstanceConnected, v1alpha1.ReasonConnected))
			Expect(s.uazapi.Instances()).To(HaveLen(1))
		})
	}

	It("is made again where the gateway has it no more, and says so", func(ctx SpecContext) {
		s.instance(ctx)
		s.pairs(ctx)
		s.change(ctx, func(i *v1alpha1.WhatsAppInstance) { i.Spec.Suspend = true })
		s.becomes(ctx, inPhase(v1alpha1.InstanceConnected, v1alpha1.ReasonSuspended))
		s.deleteThere(ctx)
		s.restored(ctx, false, func(i *v1alpha1.WhatsAppInstance) { i.Spec.Suspend = false })
		Eventually(ctx, s.events, soon, often).Should(ContainElement("InstanceLost"))
		s.pairs(ctx)
		Expect(s.uazapi.Instances()).To(HaveLen(1))
	})

	It("takes no number over by a UID that somebody wrote down", func(ctx SpecContext) {
		before := s.instance(ctx)
		s.pairs(ctx)
		s.restored(ctx, false, func(i *v1alpha1.WhatsAppInstance) {
			i.Annotations[v1alpha1.AnnotationGatewayIdentity] = string(before.UID) + ".0000"
		})
		s.becomes(ctx, inPhase(v1alpha1.InstancePairing, v1alpha1.ReasonPairing))
		Expect(s.uazapi.Instances()).To(HaveLen(2))
	})
})
