package cartrecovery

import (
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/controllers/cartrecovery/drafts"
	"cartrecovery.dev/operator/internal/ai"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/simulator"
	"cartrecovery.dev/operator/internal/testenv"
)

var _ = Describe("The review of a text", func() {
	reviewed := func(r *replica) { r.Reviewer = ai.NewOpenAI(nil).Guard(ai.NewGuardedClient(testenv.AnyEndpoint())) }

	It("is given the facts and the draft, and nothing of what the customer wrote", func() {
		w := newWorld()
		w.start(reviewed)
		name := w.abandon()
		Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		w.openai.Answer("Sim, tem boleto.")
		w.says(name, "in-1", "quero saber do xyzzy")
		Eventually(w.sent).Should(HaveLen(2))
		reviews := w.openai.Reviews()
		Expect(reviews).To(HaveLen(2))
		for _, one := range reviews {
			Expect(one.Schema).To(Equal("review"))
			for _, message := range one.Messages {
				Expect(strings.Contains(message.Content, "xyzzy")).To(BeFalse())
			}
		}
		Expect(w.lead(name).Status.TokensUsed).To(BeNumerically(">", costOf(w.openai.Requests()[0], w.sent()[0].Text)))
	})

	It("refuses what no word gives away, and the fallback text is sent", func() {
		w := newWorld(policyOf(func(p *v1alpha1.RecoveryPolicy) { p.FallbackText = "Oi! Posso ajudar?" }))
		w.openai.Behave(simulator.Embellishing)
		w.start(reviewed)
		name := w.abandon()
		Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		Expect(w.sent()[0].Text).To(Equal("Oi! Posso ajudar?"))
		Expect(w.asked()).To(Equal(2))
		Expect(w.openai.Reviews()).To(HaveLen(2))
	})

	It("that is down blocks the lead where there is no fallback text, until it answers", func() {
		w := newWorld()
		w.openai.ReviewAs(simulator.Down)
		w.start(reviewed)
		name := w.abandon()
		Eventually(w.blocked(name)).Should(Equal(v1alpha1.ReasonTextUnreviewed))
		Expect(w.sent()).To(BeEmpty())
		w.openai.ReviewAs(simulator.Honest)
		w.advance(drafts.UnreviewedRetry + time.Second)
		Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
	})

	It("that is down lets the text go where the Store says so", func() {
		w := newWorld(func(s *v1alpha1.Store) {
			s.Spec.AI.Review = &v1alpha1.AIReview{OnError: v1alpha1.ReviewOnErrorSend}
		})
		w.openai.ReviewAs(simulator.Babbling)
		w.start(reviewed)
		name := w.abandon()
		Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		Expect(w.asked()).To(Equal(1))
	})
})
