package cartrecovery

import (
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/controllers/cartrecovery/plan"
	"cartrecovery.dev/operator/internal/budget"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/simulator"
)

// writtenTo is a world whose store has written to one customer.
func writtenTo(mods ...func(*v1alpha1.Store)) (*world, *replica, string) {
	GinkgoHelper()
	w := newWorld(mods...)
	r := w.start()
	name := w.abandon(from(1))
	Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
	return w, r, name
}

// costOf is what the simulated AI counts for a request and its answer.
func costOf(request simulator.ChatRequest, answer string) int64 {
	count := func(text string) int64 { return int64(len(text)+3) / 4 }
	cost := count(answer)
	for _, message := range request.Messages {
		cost += count(message.Content) + 4
	}
	return cost
}

const (
	foreignLink = "Compre aqui: https://evil.example.net/violao"
	bigDiscount = "Hoje tem 90% de desconto para você, aproveite!"
	goodText    = "Oi, Maria! Posso te ajudar com o Curso de Violão?"
)

var _ = Describe("A customer who asks us to stop", func() {
	It("gets one message in the store's words, and every lead of the phone ends", func() {
		w, r, name := writtenTo(policyOf(func(p *v1alpha1.RecoveryPolicy) {
			p.OptOutConfirmation = new("Pronto, {{.Customer.FirstName}}, não escrevemos mais.")
		}))
		waits := w.abandon(from(1), ofAnotherProduct)
		Eventually(w.blocked(waits)).Should(Equal(v1alpha1.ReasonCooldown))
		w.optsOut(name, "Por favor, PARAR!!", 1)
		for _, each := range []string{name, waits} {
			Eventually(w.outcome(each)).Should(Equal(v1alpha1.ReasonOptedOut))
			Expect(w.phase(each)()).To(Equal(v1alpha1.PhaseOptedOut))
			Expect(w.blocked(each)()).To(BeEmpty())
		}
		Expect(w.state(name, lead.OptOutID(0))()).To(Equal(v1alpha1.MessageSent))
		w.advance(time.Hour)
		Consistently(w.sent).Should(HaveLen(2))
		Expect(w.sent()[1].Text).To(Equal("Pronto, Maria, não escrevemos mais."))
		Expect(w.asked()).To(Equal(1))
		Expect(w.lead(waits).Status.Conversation).To(BeEmpty())
		Expect(count(r.api.written(), claims)).To(Equal(2))
		Expect(count(r.api.written(), writesOutcome)).To(Equal(2))
	})

	It("gets none where the store wants none", func() {
		w, r, name := writtenTo(policyOf(func(p *v1alpha1.RecoveryPolicy) { p.OptOutConfirmation = new("") }))
		w.optsOut(name, "parar", 1)
		Eventually(w.outcome(name)).Should(Equal(v1alpha1.ReasonOptedOut))
		w.advance(time.Hour)
		Consistently(w.sent).Should(HaveLen(1))
		Eventually(r.api.written).Should(Equal([]string{claims, confirms, writesOutcome}))
	})

	It("gets it once, however often it is asked and whoever leads", func() {
		w, old, name := writtenTo()
		w.optsOut(name, "parar", 1)
		Eventually(w.outcome(name)).Should(Equal(v1alpha1.ReasonOptedOut))
		old.stop()
		w.says(name, "in-2", "PARAR")
		w.start()
		w.advance(time.Minute)
		Consistently(w.sent).Should(HaveLen(2))
		Expect(w.sent()[1].Text).To(Equal("Tudo bem, você não vai mais receber mensagens nossas por aqui."))
	})

	It("is written to again once the Suppression is deleted and the customer comes back", func() {
		w, _, name := writtenTo(uncooled)
		suppression := w.optsOut(name, "parar", 1)
		Eventually(w.outcome(name)).Should(Equal(v1alpha1.ReasonOptedOut))
		w.advance(time.Hour)
		w.returns(name)
		Eventually(func() int32 { return w.lead(name).Status.Cycle }).Should(Equal(int32(1)))
		Eventually(w.outcome(name)).Should(Equal(v1alpha1.ReasonOptedOut), "as long as it is there")
		Expect(environment.Client.Delete(w.ctx, suppression)).To(Succeed())
		w.poke()
		Consistently(w.sent).Should(HaveLen(2), "what has ended stays ended")
		w.advance(time.Hour)
		w.returns(name)
		Eventually(w.state(name, lead.StepID(2, "first"))).Should(Equal(v1alpha1.MessageSent))
		Expect(w.sent()).To(HaveLen(3))
		Expect(w.outcome(name)()).To(Equal(v1alpha1.ReasonInProgress))
	})
})

var _ = Describe("A customer who asks for a person", func() {
	const callsSomebody = "Já chamo alguém da equipe, {{.Customer.FirstName}}!"
	handsOff := policyOf(func(p *v1alpha1.RecoveryPolicy) { p.HandOffText = callsSomebody })

	It("with one of the words is told so once, and left to the person, without the AI", func() {
		w, r, name := writtenTo(handsOff)
		w.says(name, "in-1", "Atendente, por favor")
		Eventually(w.handedOff(name)).Should(Equal(v1alpha1.ReasonCustomerAsked))
		Eventually(w.events).Should(ContainElement(v1alpha1.ConditionHandedOff))
		w.says(name, "in-2", "atendente")
		w.says(name, "in-3", "Tem desconto?")
		w.advance(time.Hour)
		Consistently(w.sent).Should(HaveLen(2))
		Expect(w.sent()[1].Text).To(Equal("Já chamo alguém da equipe, Maria!"))
		Expect(w.state(name, lead.HandOffID(0, "in-1"))()).To(Equal(v1alpha1.MessageSent))
		Expect(w.asked()).To(Equal(1))
		Expect(w.blocked(name)()).To(BeEmpty())
		Expect(count(w.events(), v1alpha1.ConditionHandedOff)).To(Equal(1))
		Eventually(r.api.written).Should(Equal([]string{claims, confirms, claims, confirms, writesConditions}))
	})

	It("in words that only the AI understands gets the same", func() {
		w, r, name := writtenTo(handsOff)
		w.openai.AnswerCall("request_human", "")
		w.says(name, "in-1", "Não entendi nada, me liga alguém aí da loja")
		Eventually(w.handedOff(name)).Should(Equal(v1alpha1.ReasonCustomerAsked))
		Eventually(w.events).Should(ContainElement(v1alpha1.ConditionHandedOff))
		w.advance(time.Hour)
		Consistently(w.sent).Should(HaveLen(2))
		Expect(w.sent()[1].Text).To(Equal("Já chamo alguém da equipe, Maria!"))
		Expect(w.openai.Requests()).To(HaveLen(2))
		Expect(w.openai.Requests()[0].Tools).To(BeEmpty(), "a first message offers nobody")
		Expect(w.openai.Requests()[1].Tools).To(ConsistOf("request_human", "stop_contacting", "wrong_number"))
		Eventually(r.api.written).Should(Equal([]string{claims, confirms, claims, confirms, writesConditions}))
	})

	It("in words that only the AI understands is not asked about again when a restart comes between", func() {
		w := newWorld(handsOff)
		old := w.start(around(func(kind string, _ *v1alpha1.CartRecovery, write func() error) error {
			if kind == writesConditions {
				return errDead
			}
			return write()
		}))
		name := w.abandon(from(1))
		Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		w.openai.AnswerCall("request_human", "")
		w.says(name, "in-1", "Me liga alguém aí")
		Eventually(w.state(name, lead.HandOffID(0, "in-1"))).Should(Equal(v1alpha1.MessageSent))
		old.stop()
		w.start()
		Eventually(w.handedOff(name)).Should(Equal(v1alpha1.ReasonCustomerAsked))
		Consistently(w.sent).Should(HaveLen(2))
		Expect(w.asked()).To(Equal(2))
	})

	It("is told nothing where the store has no words for it", func() {
		w, r, name := writtenTo()
		w.openai.AnswerCall("request_human", "Claro, já chamo.")
		w.says(name, "in-1", "Me liga alguém aí")
		Eventually(w.handedOff(name)).Should(Equal(v1alpha1.ReasonCustomerAsked))
		w.poke()
		Consistently(w.sent).Should(HaveLen(1))
		Eventually(r.api.written).Should(Equal([]string{claims, confirms, writesConditions}))
	})

	It("is answered by the AI again once a person gave the conversation back", func() {
		w, _, name := writtenTo(handsOff)
		w.says(name, "in-1", "quero falar com uma pessoa")
		Eventually(w.handedOff(name)).Should(Equal(v1alpha1.ReasonCustomerAsked))
		w.advance(time.Minute)
		w.resumes(name)
		Eventually(w.handedOff(name)).Should(Equal(v1alpha1.ReasonResumed))
		Eventually(w.events).Should(ContainElement(v1alpha1.ReasonResumed))
		w.advance(time.Minute)
		w.says(name, "in-2", "Tem boleto?")
		Eventually(w.state(name, lead.ReplyID(0, "in-2"))).Should(Equal(v1alpha1.MessageSent))
		Expect(w.handedOff(name)()).To(Equal(v1alpha1.ReasonResumed))
		before, asked := len(w.sent()), w.asked()
		w.advance(time.Minute)
		w.says(name, "in-3", "atendente")
		Eventually(w.handedOff(name)).Should(Equal(v1alpha1.ReasonCustomerAsked),
			"whoever asks again gets a person again")
		Eventually(w.sent).Should(HaveLen(before + 1))
		Expect(w.asked()).To(Equal(asked), "the word is enough")
	})

	It("holds the customer's other recoveries until a person gives the conversation back", func() {
		w, _, name := writtenTo(uncooled)
		w.says(name, "in-1", "quero falar com uma pessoa")
		Eventually(w.handedOff(name)).Should(Equal(v1alpha1.ReasonCustomerAsked))
		other := w.abandon(from(1), ofAnotherProduct)
		Eventually(w.blocked(other)).Should(Equal(v1alpha1.ReasonWithPerson))
		w.advance(time.Minute)
		w.resumes(name)
		Eventually(w.blocked(other)).Should(Equal(v1alpha1.ReasonInConversation))
		// The answer that is given now is part of the conversation.
		w.advance(time.Minute)
		Eventually(w.state(name, lead.ReplyID(0, "in-1"))).Should(Equal(v1alpha1.MessageSent))
		w.advance(plan.ConversationLasts + time.Minute)
		Eventually(w.state(other, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
	})

	DescribeTable("holds back what another recovery would sell meanwhile", func(says string) {
		w := newWorld(uncooled, steps(
			v1alpha1.Step{Name: "first", After: after(soonDue)},
			v1alpha1.Step{Name: "second", After: after(10 * time.Minute)},
		))
		w.start()
		name, other := w.abandon(from(1)), w.abandon(from(1), ofAnotherProduct)
		for _, each := range []string{name, other} {
			Eventually(w.state(each, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		}
		w.says(name, "in-1", says)
		w.advance(30 * time.Minute)
		Eventually(w.blocked(other)).Should(Equal(v1alpha1.ReasonInConversation))
		Expect(w.state(other, lead.StepID(0, "second"))()).To(BeEmpty())
	},
		Entry("of who says that they have paid", "já paguei"),
		Entry("of who asks", "oi, tem garantia?"),
	)

	It("of a lead that is suspended is not answered until it no longer is", func() {
		w, r, name := writtenTo()
		w.change(name, func(l *v1alpha1.CartRecovery) { l.Spec.Suspend = true })
		Eventually(w.blocked(name)).Should(Equal(v1alpha1.ReasonSuspended))
		w.says(name, "in-1", "Tem boleto?")
		w.advance(time.Hour)
		Consistently(w.sent).Should(HaveLen(1))
		Expect(w.asked()).To(Equal(1))
		w.change(name, func(l *v1alpha1.CartRecovery) { l.Spec.Suspend = false })
		Eventually(w.state(name, lead.ReplyID(0, "in-1"))).Should(Equal(v1alpha1.MessageSent))
		Eventually(w.blocked(name)).Should(BeEmpty())
		Eventually(r.api.written).Should(Equal([]string{claims, confirms, writesConditions, claims, confirms}))
	})
})

var _ = Describe("A text that may not be sent", func() {
	It("is asked for once more with the reason, and both are paid for", func() {
		w := newWorld()
		w.openai.Answer(foreignLink)
		w.openai.Answer(goodText)
		r := w.start()
		name := w.abandon()
		Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		Expect(w.sent()).To(HaveLen(1))
		Expect(w.sent()[0].Text).To(Equal(goodText))
		asked := w.openai.Requests()
		Expect(asked).To(HaveLen(2))
		Expect(asked[1].Messages[:len(asked[0].Messages)]).To(Equal(asked[0].Messages))
		added := asked[1].Messages[len(asked[0].Messages):]
		Expect(added).To(HaveLen(2))
		Expect(added[0]).To(Equal(simulator.ChatMessage{Role: "assistant", Content: foreignLink}))
		Expect(added[1].Content).To(And(ContainSubstring("may not be sent"), ContainSubstring("link"),
			Not(ContainSubstring("evil"))))
		both := costOf(asked[0], foreignLink) + costOf(asked[1], goodText)
		got := w.lead(name).Status
		Expect(got.Conversation[0].Tokens).To(Equal(both))
		Expect(got.TokensUsed).To(Equal(both))
		Eventually(r.api.written).Should(Equal([]string{claims, confirms}))
	})

	It("twice gives way to the fallback text", func() {
		w := newWorld(policyOf(func(p *v1alpha1.RecoveryPolicy) {
			p.FallbackText = "Oi, {{.Customer.FirstName}}! {{.CheckoutURL}}"
		}))
		w.openai.Answer(foreignLink)
		w.openai.Answer(bigDiscount)
		r := w.start()
		name := w.abandon()
		Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		Expect(w.sent()[0].Text).To(Equal("Oi, Maria! https://pay.example.com/violao"))
		asked := w.openai.Requests()
		Expect(w.lead(name).Status.TokensUsed).To(Equal(costOf(asked[0], foreignLink) + costOf(asked[1], bigDiscount)))
		w.poke()
		Consistently(w.asked).Should(Equal(2))
		Eventually(r.api.written).Should(Equal([]string{claims, confirms}))
	})

	It("twice blocks the lead where there is none, until the store is changed", func() {
		w := newWorld()
		w.openai.Answer(foreignLink)
		w.openai.Answer(bigDiscount)
		r := w.start()
		name := w.abandon()
		Eventually(w.blocked(name)).Should(Equal(v1alpha1.ReasonTextRefused))
		Eventually(w.events).Should(ContainElement(v1alpha1.ReasonTextRefused))
		w.advance(30 * time.Minute)
		Consistently(w.asked).Should(Equal(2), "it is not paid for again and again")
		Expect(w.sent()).To(BeEmpty())
		wasted := costOf(w.openai.Requests()[0], foreignLink) + costOf(w.openai.Requests()[1], bigDiscount)
		w.openai.Answer(goodText)
		w.changeStore(func(s *v1alpha1.Store) { s.Spec.DisplayName = "Loja da Ana" })
		Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		Eventually(w.blocked(name)).Should(BeEmpty())
		Expect(w.sent()).To(HaveLen(1))
		Expect(w.lead(name).Status.TokensUsed).To(Equal(wasted + costOf(w.openai.Requests()[2], goodText)))
		Eventually(r.api.written).Should(Equal([]string{writesConditions, claims, confirms}))
	})
})

var _ = Describe("An AI that stays away", func() {
	It("gives way to the fallback text after a quarter of an hour, which is not repeated", func() {
		w := newWorld(policyOf(func(p *v1alpha1.RecoveryPolicy) {
			p.FallbackText = "Oi! Posso ajudar? {{.CheckoutURL}}"
		}))
		w.openai.Fail(http.StatusInternalServerError, "", nil, -1)
		w.start()
		name := w.abandon()
		Eventually(w.blocked(name)).Should(Equal(v1alpha1.ReasonAIUnavailable))
		w.advance(14 * time.Minute)
		Consistently(w.sent).Should(BeEmpty())
		w.advance(time.Minute + time.Second)
		Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		Expect(w.sent()[0].Text).To(Equal("Oi! Posso ajudar? https://pay.example.com/violao"))
		w.says(name, "in-1", "Tem boleto?")
		Eventually(w.blocked(name)).Should(Equal(v1alpha1.ReasonAIUnavailable))
		w.advance(16 * time.Minute)
		w.poke()
		Consistently(w.sent).Should(HaveLen(1), "nobody is told the same twice in a row")
		Expect(w.blocked(name)()).To(Equal(v1alpha1.ReasonAIUnavailable))
		w.openai.ClearFaults()
		w.advance(2 * time.Minute)
		Eventually(w.state(name, lead.ReplyID(0, "in-1"))).Should(Equal(v1alpha1.MessageSent))
		Eventually(w.blocked(name)).Should(BeEmpty())
		Expect(w.sent()).To(HaveLen(2))
	})
})

var _ = Describe("A daily budget of tokens", func() {
	// spentBudget is a world whose store has used up its budget with one message: what is left is less than
	// a text is estimated at, and the whole is more.
	spentBudget := func() (w *world, r *replica, noon time.Time) {
		w = newWorld()
		noon = w.atNoon()
		r = w.start()
		first := w.abandon(from(1))
		Eventually(w.state(first, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		used := w.lead(first).Status.TokensUsed
		w.changeStore(func(s *v1alpha1.Store) { s.Spec.AI.DailyTokenBudget = new(7 * used / 2) })
		r.saw(w, &v1alpha1.Store{}, gen.Store)
		return w, r, noon
	}

	It("that is used up blocks what is left until the store's next day, also after a restart", func() {
		w, old, noon := spentBudget()
		name := w.abandon(from(2))
		Eventually(w.blocked(name)).Should(Equal(v1alpha1.ReasonTokenBudget))
		Eventually(w.events).Should(ContainElement(v1alpha1.ReasonTokenBudget))
		midnight := budget.NextDay(noon, noon.Location())
		Expect(midnight).To(BeTemporally("==", noon.Add(12*time.Hour)))
		Expect(w.lead(name).Status.NextActionTime.Time).To(BeTemporally("~", midnight, time.Second))
		old.stop()
		again := w.start()
		other := w.abandon(from(3))
		Eventually(w.blocked(other)).Should(Equal(v1alpha1.ReasonTokenBudget))
		w.advanceTo(midnight.Add(-time.Minute))
		Consistently(w.asked).Should(Equal(1), "a new controller knows what was used")
		w.advanceTo(midnight.Add(time.Second))
		Eventually(func() int { return len(w.sent()) }).Should(Equal(2), "the budget of a day is enough for one")
		Expect(count(again.api.written(), claims)).To(Equal(1))
		Consistently(w.sent).Should(HaveLen(2))
		w.advance(24 * time.Hour)
		for _, each := range []string{name, other} {
			Eventually(w.state(each, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
			Eventually(w.blocked(each)).Should(BeEmpty())
		}
		Expect(w.asked()).To(Equal(3))
	})

	It("that is used up has the fallback text sent, which costs nothing", func() {
		w, r, _ := spentBudget()
		w.changeStore(policyOf(func(p *v1alpha1.RecoveryPolicy) { p.FallbackText = "Oi! Posso ajudar?" }))
		r.saw(w, &v1alpha1.Store{}, gen.Store)
		name := w.abandon(from(2))
		Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		Expect(w.sent()[1].Text).To(Equal("Oi! Posso ajudar?"))
		Expect(w.lead(name).Status.TokensUsed).To(BeZero())
		Expect(w.asked()).To(Equal(1))
		Eventually(r.api.written).Should(Equal([]string{claims, confirms, claims, confirms}))
	})
})

var _ = Describe("An AI that asks to be called less", func() {
	It("is left alone for the whole store, and for no other store", func() {
		w := newWorld()
		elsewhere := w.secondStore("other")
		w.openai.Fail(http.StatusTooManyRequests, "", http.Header{"Retry-After": {"600"}}, 1)
		w.start()
		first := w.abandon(from(1))
		Eventually(w.blocked(first)).Should(Equal(v1alpha1.ReasonAIUnavailable))
		second := w.abandon(from(2), func(l *v1alpha1.CartRecovery) {
			l.Spec.AbandonedAt = new(v1alpha1.NewTimestamp(w.clock.Now().Add(2 * time.Second)))
		})
		Eventually(w.blocked(second)).Should(Equal(v1alpha1.ReasonAIUnavailable),
			"at its due time, although it was never asked for")
		theirs := w.abandon(from(3), inStore("other"))
		Eventually(w.state(theirs, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		Expect(elsewhere.Requests()).To(HaveLen(1))
		w.advance(9*time.Minute + 30*time.Second)
		Consistently(w.asked).Should(Equal(1))
		w.advance(time.Minute)
		for _, name := range []string{first, second} {
			Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
			Eventually(w.blocked(name)).Should(BeEmpty())
		}
		Expect(w.asked()).To(Equal(3))
		Expect(w.sent()).To(HaveLen(3))
	})
})

// secondStore makes a store with an AI and a number of its own, and returns the AI.
func (w *world) secondStore(name string) *simulator.OpenAI {
	GinkgoHelper()
	openai := simulator.NewOpenAI(simulator.OpenAIOptions{APIKey: aiKey, Clock: w.clock.Now})
	store := gen.In(w.namespace, gen.StoreObject(steps(v1alpha1.Step{Name: "first", After: after(soonDue)})))
	store.Name, store.Spec.ClientID = name, name
	store.Spec.AI.BaseURL = serve(openai).URL() + "/v1"
	store.Spec.AI.APIKeySecretRef = &v1alpha1.SecretKeyReference{Name: "ai", Key: "key"}
	w.create(store)
	w.pair(name+"-phone", func(i *v1alpha1.WhatsAppInstance) { i.Spec.StoreRef.Name = name })
	return openai
}

// inStore makes a lead one of another store.
func inStore(name string) gen.LeadMod {
	return func(recovery *v1alpha1.CartRecovery) {
		recovery.Spec.StoreRef.Name = name
		recovery.Labels = lead.Labels(name, recovery.Spec.Customer)
	}
}
