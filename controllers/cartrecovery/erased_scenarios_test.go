package cartrecovery

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/controllers/cartrecovery/plan"
	"cartrecovery.dev/operator/internal/contacts"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/suppressionkeys"
	"cartrecovery.dev/operator/internal/testenv"
)

// withKeys has a replica recognise keyed Suppressions.
func withKeys(r *replica) { r.SuppressionKeys = environment.SuppressionKeys }

// erased makes what is left of the first customer's Suppression that was erased, under a key.
func (w *world) erased(keys *suppressionkeys.Keys) *v1alpha1.Suppression {
	GinkgoHelper()
	mac := keys.Make(gen.Store, lead.PhoneHash(phoneOf(1)))
	made := &v1alpha1.Suppression{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: suppressionkeys.Name(mac)},
		Spec: v1alpha1.SuppressionSpec{
			StoreRef: v1alpha1.ObjectReference{Name: gen.Store}, PhoneHMAC: mac, Reason: v1alpha1.SuppressionOptOut,
		},
	}
	w.create(made)
	return made
}

var _ = Describe("A lead that is deleted", func() {
	It("is in no memory of the leader any more", func() {
		w := newWorld(steps(v1alpha1.Step{Name: "first", After: after(soonDue)},
			v1alpha1.Step{Name: "second", After: after(30 * time.Second)}))
		w.numbers(registered)
		r := w.start()
		name := w.abandon(from(1))
		Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		made, key := w.lead(name), w.key(name)
		seen, err := r.read(w.ctx, ctrl.Request{NamespacedName: key})
		Expect(err).NotTo(HaveOccurred())
		second, instance := seen.TextID(lead.StepID(0, "second")), w.instance(gen.Instance)
		known := func() []bool {
			return []bool{
				r.drafts.Get(key, second).State == plan.DraftReady, r.firstContacts.get(customerOf(made)).Lead != "",
				r.contacts.Get(contacts.KeyOf(made), instance.UID).State != contacts.Unasked,
			}
		}
		Eventually(known).Should(Equal([]bool{true, true, true}),
			"its next text, whom it wrote to, and that they exist")
		Expect(environment.Client.Delete(w.ctx, made)).To(Succeed())
		Eventually(known).Should(Equal([]bool{false, false, false}))
	})
})

var _ = Describe("A Suppression whose number was erased", func() {
	It("ends every lead of the number, those that wait and those that come", func() {
		w := newWorld(inAnHour)
		w.start(withKeys)
		waits, other := w.abandon(from(1)), w.abandon(from(2))
		// A key that has been replaced since is known as well.
		w.erased(testenv.SuppressionKeys('b'))
		Eventually(w.outcome(waits)).Should(Equal(v1alpha1.ReasonOptedOut))
		late := w.abandon(from(1), ofAnotherProduct)
		Eventually(w.outcome(late)).Should(Equal(v1alpha1.ReasonOptedOut))
		w.advance(61 * time.Minute)
		Eventually(w.state(other, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		Consistently(w.sent).Should(HaveLen(1))
	})

	It("holds for a customer whose request the webhook server, which cannot read it, takes for lifted", func() {
		w := newWorld(uncooled)
		w.start(withKeys)
		name := w.abandon(from(1))
		Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		plain := w.optsOut(name, "parar", 1)
		Eventually(w.outcome(name)).Should(Equal(v1alpha1.ReasonOptedOut))
		sent := len(w.sent())
		w.erased(environment.SuppressionKeys)
		Expect(environment.Client.Delete(w.ctx, plain)).To(Succeed())
		w.advance(time.Hour)
		w.returns(name)
		Eventually(func() int32 { return w.lead(name).Status.Cycle }).Should(Equal(int32(1)))
		Eventually(w.outcome(name)).Should(Equal(v1alpha1.ReasonOptedOut))
		Consistently(w.sent).Should(HaveLen(sent))
	})

	It("is known before a first message when the cache does not show it", func() {
		w := newWorld()
		w.erased(testenv.SuppressionKeys('b'))
		w.start(withKeys, withoutSuppressions)
		name, other := w.abandon(from(1)), w.abandon(from(2))
		Eventually(w.outcome(name)).Should(Equal(v1alpha1.ReasonOptedOut))
		Eventually(w.state(other, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		Expect(w.sent()).To(HaveLen(1))
	})

	It("holds the whole Store while its key is not there, until it is deleted", func() {
		w := newWorld()
		unknown := w.erased(testenv.SuppressionKeys('x'))
		w.start(withKeys)
		name := w.abandon(from(2))
		Eventually(w.blocked(name)).Should(Equal(v1alpha1.ReasonSuppressionKeyMissing))
		Eventually(w.events).Should(ContainElement(v1alpha1.ReasonSuppressionKeyMissing))
		Consistently(w.sent).Should(BeEmpty())
		Expect(environment.Client.Delete(w.ctx, unknown)).To(Succeed())
		Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
	})
})
