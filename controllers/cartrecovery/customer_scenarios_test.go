package cartrecovery

import (
	"context"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/controllers/cartrecovery/plan"
	"cartrecovery.dev/operator/internal/ai"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/policy"
	"cartrecovery.dev/operator/internal/testenv"
)

// inAnHour has the first message due in an hour.
var inAnHour = steps(v1alpha1.Step{Name: "first", After: after(time.Hour)})

// quick has a lead expire within the given time.
func quick(expires time.Duration, late v1alpha1.LateReplies) func(*v1alpha1.Store) {
	return policyOf(func(p *v1alpha1.RecoveryPolicy) { p.ExpireAfter, p.LateReplies = new(after(expires)), late })
}

var _ = Describe("A customer who writes before the first message", func() {
	It("is answered, and no first message follows", func() {
		w := newWorld(inAnHour)
		r := w.start()
		name := w.abandon(from(1))
		w.says(name, "in-1", "Oi! Deu erro no meu cartão")
		answer := lead.ReplyID(0, "in-1")
		Eventually(w.state(name, answer)).Should(Equal(v1alpha1.MessageSent))
		Expect(w.phase(name)()).To(Equal(v1alpha1.PhaseEngaged))
		told := w.openai.Requests()[0].Messages
		Expect(told[len(told)-2].Content).To(Equal(wroteFirst), "the AI knows who wrote first")
		Expect(told[len(told)-1].Content).To(Equal("Oi! Deu erro no meu cartão"))
		w.advance(2 * time.Hour)
		Consistently(w.sent).Should(HaveLen(1))
		Eventually(r.api.written).Should(Equal([]string{claims, confirms}))
		Expect(w.called(checkPath)).To(BeZero(), "whoever writes has WhatsApp")
	})

	It("is answered from the number that they wrote to, also when it may start no conversations", func() {
		w := newWorld(inAnHour)
		w.pair("second")
		w.setInstance("second", func(i *v1alpha1.WhatsAppInstance) {
			i.Status.NewConversationsPausedUntil = plan.WholeSecond(w.clock.Now().Add(time.Hour))
		})
		w.start()
		name := w.abandon(from(1))
		w.says(name, "in-1", "Oi!", func(m *v1alpha1.Message) { m.Instance = "second" })
		Eventually(w.state(name, lead.ReplyID(0, "in-1"))).Should(Equal(v1alpha1.MessageSent))
		Expect(w.lead(name).Status.InstanceRef.Name).To(Equal("second"))
	})
})

var _ = Describe("A customer who writes after the end", func() {
	expired := func(late v1alpha1.LateReplies) (*world, *replica, string) {
		w, r, name := writtenTo(quick(time.Hour, late))
		w.advance(61 * time.Minute)
		Eventually(w.outcome(name)).Should(Equal(v1alpha1.ReasonUnanswered))
		w.says(name, "in-1", "Oi, quero comprar sim! Ainda dá?")
		return w, r, name
	}

	It("is answered, until the lead ends again", func() {
		w, _, name := expired("")
		Eventually(w.state(name, lead.ReplyID(0, "in-1"))).Should(Equal(v1alpha1.MessageSent))
		Expect(w.outcome(name)()).To(Equal(v1alpha1.ReasonInProgress))
		Expect(w.phase(name)()).To(Equal(v1alpha1.PhaseEngaged))
		w.advance(61 * time.Minute)
		Eventually(w.outcome(name)).Should(Equal(v1alpha1.ReasonConversationEnded))
		w.advance(time.Minute)
		Consistently(w.sent).Should(HaveLen(2))
		w.buys(name)
		Eventually(w.phase(name)).Should(Equal(v1alpha1.PhaseRecovered))
	})

	It("is a person's by policy", func() {
		w, _, name := expired(v1alpha1.LateRepliesHandOff)
		Eventually(w.handedOff(name)).Should(Equal(v1alpha1.ReasonLateReply))
		Expect(w.outcome(name)()).To(Equal(v1alpha1.ReasonInProgress))
		Eventually(w.events).Should(ContainElement(v1alpha1.ConditionHandedOff))
		Consistently(w.sent).Should(HaveLen(1))
	})

	It("is nobody's by policy", func() {
		w, r, name := expired(v1alpha1.LateRepliesIgnore)
		w.poke()
		Consistently(w.outcome(name)).Should(Equal(v1alpha1.ReasonUnanswered))
		Expect(w.sent()).To(HaveLen(1))
		Eventually(r.api.written).Should(Equal([]string{claims, confirms, writesOutcome}))
	})
})

var _ = Describe("A customer who says that they have paid", func() {
	It("is thanked once and sold nothing; then a person has the conversation", func() {
		w, _, name := writtenTo()
		w.says(name, "in-1", "Já paguei!")
		Eventually(w.blocked(name)).Should(Equal(v1alpha1.ReasonClaimsPaid))
		Expect(w.sent()).To(HaveLen(2))
		Expect(w.sent()[1].Text).To(Equal(policy.PaymentThanks("pt-BR")))
		w.says(name, "in-2", "Quando libera o acesso?")
		Eventually(w.state(name, lead.ReplyID(0, "in-2"))).Should(Equal(v1alpha1.MessageSent))
		told := w.openai.Requests()[1].Messages
		Expect(told[len(told)-2].Content).To(Equal(claimsPaid))
		Eventually(w.blocked(name)).Should(Equal(v1alpha1.ReasonClaimsPaid))
		w.advance(time.Hour)
		Eventually(w.handedOff(name)).Should(Equal(v1alpha1.ReasonPaymentClaimed))
		Eventually(w.blocked(name)).Should(BeEmpty())
		Consistently(w.sent).Should(HaveLen(3))
		w.buys(name)
		Eventually(w.phase(name)).Should(Equal(v1alpha1.PhaseRecovered))
	})
})

var _ = Describe("Somebody who is not the customer", func() {
	It("gets an apology, and the lead ends", func() {
		w, _, name := writtenTo()
		w.says(name, "in-1", "Número errado")
		Eventually(w.outcome(name)).Should(Equal(v1alpha1.ReasonWrongNumber))
		Expect(w.phase(name)()).To(Equal(v1alpha1.PhaseFailed))
		Expect(w.sent()[1].Text).To(Equal(policy.WrongNumberApology("pt-BR")))
		w.advance(time.Hour)
		Consistently(w.sent).Should(HaveLen(2))
	})
})

var _ = Describe("A machine that answers for a customer", func() {
	It("is answered once, and is then left alone until somebody else writes", func() {
		w, _, name := writtenTo()
		for n, id := range []string{"in-1", "in-2", "in-3"} {
			w.says(name, id, "Agora não podemos responder", gen.Automatic)
			if n == 0 {
				Eventually(w.state(name, lead.ReplyID(0, id))).Should(Equal(v1alpha1.MessageSent))
			}
		}
		Eventually(w.blocked(name)).Should(Equal(v1alpha1.ReasonAutomaticReplies))
		Eventually(w.events).Should(ContainElement(v1alpha1.ReasonAutomaticReplies))
		Consistently(w.sent).Should(HaveLen(2))
		w.says(name, "in-4", "Oi, sou eu mesma. Tem boleto?")
		Eventually(w.state(name, lead.ReplyID(0, "in-4"))).Should(Equal(v1alpha1.MessageSent))
		Eventually(w.blocked(name)).Should(BeEmpty())
	})
})

var _ = Describe("A conversation that a person took over", func() {
	It("goes back to the AI when they have not written for long enough", func() {
		w, _, name := writtenTo(policyOf(func(p *v1alpha1.RecoveryPolicy) {
			p.HandOff = &v1alpha1.HandOffPolicy{ResumeAfter: new(after(4 * time.Hour))}
		}))
		w.operatorWrites(name, "op-1", "Oi, aqui é a Ana da loja")
		w.says(name, "in-1", "Tem boleto?")
		w.advance(3 * time.Hour)
		Consistently(w.sent).Should(HaveLen(1))
		w.advance(61 * time.Minute)
		Eventually(w.state(name, lead.ReplyID(0, "in-1"))).Should(Equal(v1alpha1.MessageSent))
		Expect(reasonOf(w.lead(name), v1alpha1.ConditionHandedOff)).To(Equal(v1alpha1.ReasonResumedByTime))
		Eventually(w.events).Should(ContainElement(v1alpha1.ReasonResumedByTime))
	})
})

// withoutSuppressions shows no Suppression, as a watch that has stalled does not.
func withoutSuppressions(r *replica) {
	r.Client = testenv.Intercept(r.Client, interceptor.Funcs{List: func(ctx context.Context, calls client.WithWatch,
		list client.ObjectList, options ...client.ListOption) error {
		if _, ok := list.(*v1alpha1.SuppressionList); ok {
			return nil
		}
		return calls.List(ctx, list, options...)
	}})
}

// stopsWriter is an AI that understands a request not to be written to in what holds a word.
type stopsWriter struct {
	ai.Writer
	wrongNumber bool
}

func (s stopsWriter) Write(ctx context.Context, request ai.Request) (ai.Answer, error) {
	if last := request.Messages[len(request.Messages)-1]; strings.Contains(last.Text, "sossego") {
		return ai.Answer{WantsStop: !s.wrongNumber, WrongNumber: s.wrongNumber, Usage: ai.Usage{Prompt: 30}}, nil
	}
	return s.Writer.Write(ctx, request)
}

var _ = Describe("A Suppression that the leader's cache does not show", func() {
	It("is known before a first message all the same", func() {
		w := newWorld()
		made := gen.Lead(w.clock.Now(), from(1))
		w.create(suppressionOf(gen.In(w.namespace, made), v1alpha1.StopOptOut, false))
		r := w.start(withoutSuppressions)
		name := w.abandon(from(1))
		other := w.abandon(from(2))
		Eventually(w.outcome(name)).Should(Equal(v1alpha1.ReasonOptedOut))
		Eventually(w.state(other, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		Expect(w.sent()).To(HaveLen(1))
		Expect(count(r.api.written(), claims)).To(Equal(1))
	})
})

var _ = Describe("A customer of whom only the AI understands that they want no messages", func() {
	start := func(wrongNumber bool) (*world, string, string, string) {
		w := newWorld(uncooled, inAnHour)
		w.start(func(r *replica) { r.Writer = stopsWriter{r.Writer, wrongNumber} })
		name, waits, other := w.abandon(from(1)), w.abandon(from(1), ofAnotherProduct), w.abandon(from(2))
		w.says(name, "in-1", "Quero sossego, viu?")
		return w, name, waits, other
	}

	It("gets one confirmation, and every lead of the phone ends", func() {
		w, name, waits, other := start(false)
		for _, each := range []string{name, waits} {
			Eventually(w.outcome(each)).Should(Equal(v1alpha1.ReasonOptedOut))
			Expect(w.lead(each).Spec.Stop.Reason).To(Equal(v1alpha1.StopOptOut))
		}
		Expect(w.state(name, lead.OptOutID(0))()).To(Equal(v1alpha1.MessageSent))
		suppression := &v1alpha1.Suppression{}
		key := w.key(lead.SuppressionName(gen.Store, lead.PhoneHash(phoneOf(1))))
		Expect(environment.Client.Get(w.ctx, key, suppression)).To(Succeed())
		Expect(suppression.Spec.Reason).To(Equal(v1alpha1.SuppressionOptOut))
		Expect(suppression.Spec.Phone).To(BeEmpty())
		Expect(suppression.Labels).To(Equal(lead.SuppressionLabels(suppression)))
		Expect(w.lead(name).Status.TokensUsed).To(Equal(int64(30)), "what it cost to find out is counted")
		w.advance(time.Hour)
		Eventually(w.state(other, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		Consistently(w.sent).Should(HaveLen(2))
	})

	It("gets an apology where they are not the customer", func() {
		w, name, waits, _ := start(true)
		for _, each := range []string{name, waits} {
			Eventually(w.outcome(each)).Should(Equal(v1alpha1.ReasonWrongNumber))
		}
		Expect(w.sent()).To(HaveLen(1))
		Expect(w.sent()[0].Text).To(Equal(policy.WrongNumberApology("pt-BR")))
	})
})

var _ = Describe("A first message", func() {
	It("says who writes and how to stop, and nothing after it does", func() {
		w := newWorld(policyOf(func(p *v1alpha1.RecoveryPolicy) { p.FirstMessageNotice = nil }))
		w.start()
		name := w.abandon(from(1))
		Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		notice := "\n\nAqui é Bia, da equipe acme. Para não receber mais mensagens, responda PARAR."
		Expect(w.sent()[0].Text).To(HaveSuffix(notice))
		w.says(name, "in-1", "Tem boleto?")
		Eventually(w.state(name, lead.ReplyID(0, "in-1"))).Should(Equal(v1alpha1.MessageSent))
		Expect(w.sent()[1].Text).NotTo(ContainSubstring("PARAR"))
		for _, message := range w.openai.Requests()[1].Messages {
			Expect(message.Content).NotTo(ContainSubstring(notice), "the AI does not learn to say it")
		}
	})
})

var _ = Describe("A PIX that has expired", func() {
	It("is not asked for", func() {
		w := newWorld(policyOf(func(p *v1alpha1.RecoveryPolicy) {
			p.Sequences = append(p.Sequences, v1alpha1.Sequence{Trigger: v1alpha1.TriggerPixPending,
				Steps: []v1alpha1.Step{{Name: "pix", After: after(2 * time.Hour), Text: "Seu PIX"}}})
			p.Sequences[0].Steps[0] = v1alpha1.Step{Name: "first", After: after(2 * time.Hour), Text: "Seu carrinho"}
		}))
		w.start()
		name := w.abandon(from(1), func(l *v1alpha1.CartRecovery) {
			l.Spec.Trigger = v1alpha1.TriggerPixPending
			l.Spec.Payment = &v1alpha1.Payment{Method: v1alpha1.PaymentPix,
				ExpiresAt: new(v1alpha1.NewTimestamp(w.clock.Now().Add(time.Hour)))}
		})
		w.advance(2 * time.Hour)
		Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		Expect(w.sent()).To(HaveLen(1))
		Expect(w.sent()[0].Text).To(Equal("Seu carrinho"))
	})
})
