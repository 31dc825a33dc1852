package cartrecovery

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/simulator"
)

var _ = Describe("The first message", func() {
	It("is written ahead, leaves when it is due, and costs two status writes", func() {
		w := newWorld(steps(v1alpha1.Step{Name: "first", After: after(30 * time.Minute)}))
		w.numbers(registered)
		r := w.start()
		name := w.abandon()
		Consistently(w.asked).Should(BeZero())
		Expect(w.called(checkPath)).To(BeZero())
		w.advance(29*time.Minute + 10*time.Second)
		Eventually(w.asked).Should(Equal(1))
		Consistently(w.sent).Should(BeEmpty())
		w.advance(50 * time.Second)
		Eventually(w.sent).Should(HaveLen(1))
		Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		w.poke()
		Consistently(r.api.written).Should(Equal([]string{claims, confirms}))
		Expect(w.asked()).To(Equal(1))
		Expect(w.called(checkPath)).To(Equal(1))
		Expect(w.called(sendPath)).To(Equal(1))

		got, sent := w.lead(name), w.sent()[0]
		Expect(got.Status.WhatsAppID).To(Equal("5511987654321"), "it is written with the claim")
		Expect(got.Status.Phase).To(Equal(v1alpha1.PhaseContacted))
		Expect(got.Status.InstanceRef).To(Equal(&v1alpha1.ObjectReference{Name: gen.Instance}))
		Expect(got.Status.TokensUsed).To(BeNumerically(">", 0))
		Expect(got.Status.ObservedGeneration).To(Equal(got.Generation))
		Expect(reasonOf(got, v1alpha1.ConditionSucceeded)).To(Equal(v1alpha1.ReasonInProgress))
		Expect(reasonOf(got, v1alpha1.ConditionBlocked)).To(BeEmpty())
		Expect(got.Status.Conversation).To(HaveLen(1))
		m := got.Status.Conversation[0]
		Expect(m).To(And(HaveField("ID", gen.FirstID), HaveField("Role", v1alpha1.RoleAssistant),
			HaveField("Step", "first"), HaveField("Attempts", int32(1)), HaveField("GatewayID", sent.MessageID)))
		Expect(sent.Number).To(Equal("5511987654321"))
		Expect(sent.Text).To(Equal(m.Text))
		Expect(sent.TrackID).To(Equal(lead.TrackID(got.Name, gen.FirstID)))
		Expect(sent.Instance).To(Equal(w.namespace + "." + gen.Instance))
	})

	It("leaves by its own timer, on time", func() {
		w := newWorld(steps(v1alpha1.Step{Name: "first", After: after(700 * time.Millisecond)}))
		w.start()
		name := w.abandon()
		Eventually(w.sent).Should(HaveLen(1))
		due := w.lead(name).Spec.AbandonedAt.Add(700 * time.Millisecond)
		Expect(w.sent()[0].ReceivedAt).To(BeTemporally(">=", due))
		Expect(w.sent()[0].ReceivedAt).To(BeTemporally("<", due.Add(3*time.Second)))
	})

	It("tells the AI of the product, the customer and the step", func() {
		w := newWorld(steps(v1alpha1.Step{Name: "first", After: after(soonDue),
			Instructions: "Ofereça ajuda com o PIX."}))
		w.start()
		w.abandon()
		Eventually(w.sent).Should(HaveLen(1))
		request := w.openai.Requests()[0]
		Expect(request.Model).To(Equal("gpt-4o-mini"))
		Expect(request.MaxTokens).To(Equal(150))
		Expect(request.Messages[0].Role).To(Equal("system"))
		Expect(request.Messages[0].Content).To(And(ContainSubstring("Curso de Violão"),
			ContainSubstring("Cliente: Maria"),
			ContainSubstring("Seu nome é Bia"), ContainSubstring("https://pay.example.com/violao"),
			ContainSubstring("Ofereça ajuda com o PIX.")))
	})

	It("goes out for a product without a Product", func() {
		w := newWorld()
		w.start()
		w.abandon(func(l *v1alpha1.CartRecovery) { l.Spec.Product = v1alpha1.LeadProduct{ID: "77", Name: "Mentoria"} })
		Eventually(w.sent).Should(HaveLen(1))
		Expect(w.openai.Requests()[0].Messages[0].Content).To(ContainSubstring("Produto: Mentoria"))
	})

	It("is a fixed text where the step has one, and asks no AI", func() {
		w := newWorld(steps(v1alpha1.Step{Name: "first", After: after(soonDue),
			Text: "Oi {{.Customer.FirstName}}, volte: {{.CheckoutURL}}"}))
		w.start()
		name := w.abandon()
		Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		Expect(w.sent()).To(HaveLen(1))
		Expect(w.sent()[0].Text).To(Equal("Oi Maria, volte: https://pay.example.com/violao"))
		Expect(w.asked()).To(BeZero())
		Expect(w.lead(name).Status.TokensUsed).To(BeZero())
	})

	It("follows a policy that changes while it waits", func() {
		w := newWorld(steps(v1alpha1.Step{Name: "first", After: after(30 * time.Minute)}))
		w.start()
		w.abandon()
		Consistently(w.asked).Should(BeZero())
		w.changeStore(steps(v1alpha1.Step{Name: "first", After: after(soonDue)}))
		Eventually(w.sent).Should(HaveLen(1))
	})

	It("follows a Product that overrides the policy", func() {
		w := newWorld(steps(v1alpha1.Step{Name: "first", After: after(30 * time.Minute)}))
		w.start()
		w.abandon()
		Consistently(w.asked).Should(BeZero())
		w.changeProduct(func(p *v1alpha1.Product) {
			p.Spec.Recovery.Sequences = []v1alpha1.Sequence{{
				Trigger: v1alpha1.TriggerAbandonedCart, Steps: []v1alpha1.Step{{Name: "first", After: after(soonDue)}},
			}}
		})
		Eventually(w.sent).Should(HaveLen(1))
	})

	It("follows a Product that the lead names, whatever its id", func() {
		w := newWorld(steps(v1alpha1.Step{Name: "first", After: after(30 * time.Minute)}))
		w.start()
		w.abandon(func(l *v1alpha1.CartRecovery) {
			l.Spec.Product.ID, l.Spec.ProductRef = "77", &v1alpha1.ObjectReference{Name: gen.Product}
		})
		Consistently(w.asked).Should(BeZero())
		w.changeProduct(func(p *v1alpha1.Product) {
			p.Spec.Recovery.Sequences = []v1alpha1.Sequence{{
				Trigger: v1alpha1.TriggerAbandonedCart, Steps: []v1alpha1.Step{{Name: "first", After: after(soonDue),
					Text: "Oi!"}},
			}}
		})
		Eventually(w.sent).Should(HaveLen(1))
	})

	It("is followed by the second, counted from the first", func() {
		w := newWorld(steps(v1alpha1.Step{Name: "first", After: after(soonDue)},
			v1alpha1.Step{Name: "second", After: after(2 * time.Hour)}))
		w.start()
		name := w.abandon()
		Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		w.advance(time.Hour)
		Consistently(w.asked).Should(Equal(1))
		w.advance(time.Hour + time.Second)
		Eventually(w.state(name, lead.StepID(0, "second"))).Should(Equal(v1alpha1.MessageSent))
		Expect(w.sent()).To(HaveLen(2))
		Expect(w.sent()[1].TrackID).NotTo(Equal(w.sent()[0].TrackID))
		second := w.openai.Requests()[1].Messages
		Expect(second[2]).To(Equal(simulator.ChatMessage{Role: "assistant", Content: w.sent()[0].Text}))
	})
})

var _ = Describe("A text that cannot be had", func() {
	It("blocks the lead only once it is due, and no longer than the AI is down", func() {
		w := newWorld(steps(v1alpha1.Step{Name: "first", After: after(30 * time.Minute)}))
		w.start()
		name := w.abandon()
		w.openai.Fail(http.StatusInternalServerError, "", nil, -1)
		w.advance(29*time.Minute + 30*time.Second)
		Eventually(w.asked).Should(BeNumerically(">=", 1))
		Consistently(w.blocked(name)).Should(BeEmpty())
		w.advance(31 * time.Second)
		Eventually(w.blocked(name)).Should(Equal(v1alpha1.ReasonAIUnavailable))
		held := make(chan struct{})
		w.openai.HoldUntil(held)
		before := w.asked()
		w.advance(2 * time.Minute)
		Eventually(w.asked).Should(BeNumerically(">", before))
		w.poke()
		Consistently(w.blocked(name)).Should(Equal(v1alpha1.ReasonAIUnavailable), "also while the AI is asked again")
		w.openai.ClearFaults()
		close(held)
		Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		Eventually(w.blocked(name)).Should(BeEmpty())
		Expect(w.sent()).To(HaveLen(1))
	})

	It("is asked for again when the AI cannot be reached at all", func() {
		w := newWorld()
		address, err := url.Parse(w.aiServer.URL())
		Expect(err).NotTo(HaveOccurred())
		Expect(w.aiServer.Close()).To(Succeed())
		w.start()
		name := w.abandon()
		Eventually(w.blocked(name)).Should(Equal(v1alpha1.ReasonAIUnavailable))
		again, err := simulator.ServeAt(address.Host, w.openai)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(again.Close)
		w.advance(2 * time.Minute)
		Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		Eventually(w.blocked(name)).Should(BeEmpty())
	})

	It("says so when the AI refuses, and is asked for again later", func() {
		w := newWorld()
		w.openai.Fail(http.StatusUnauthorized, "", nil, 1)
		w.start()
		name := w.abandon()
		Eventually(w.blocked(name)).Should(Equal(v1alpha1.ReasonAIRefused))
		w.advance(time.Minute)
		Consistently(w.asked).Should(Equal(1))
		w.advance(2 * time.Minute)
		Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
	})

	It("names the missing key", func() {
		w := newWorld(func(s *v1alpha1.Store) { s.Spec.AI.APIKeySecretRef.Name = "missing" })
		w.start()
		name := w.abandon()
		Eventually(w.blocked(name)).Should(Equal(v1alpha1.ReasonNoCredentials))
		Expect(w.asked()).To(BeZero())
	})

	DescribeTable("names a template that does not work", func(text string) {
		w := newWorld(steps(v1alpha1.Step{Name: "first", After: after(soonDue), Text: text}))
		w.start()
		name := w.abandon(func(l *v1alpha1.CartRecovery) {
			l.Spec.CheckoutURL = "https://pay.example.com/" + strings.Repeat("x", 1900)
		})
		Eventually(w.blocked(name)).Should(Equal(v1alpha1.ReasonInvalidTemplate))
		Expect(w.sent()).To(BeEmpty())
	},
		Entry("that does not parse", "Oi {{.Customer.Nickname}}"),
		Entry("that writes nothing", `{{if eq .Trigger "PixPending"}}Oi{{end}}`),
		Entry("that writes more than a message may hold", strings.Repeat("Oi ", 100)+"{{.CheckoutURL}}"),
	)
})

var _ = Describe("A lead without a number to write from", func() {
	It("waits while the instance is away, and is written to when it is back", func() {
		w := newWorld()
		w.setInstance(gen.Instance, online(metav1.ConditionFalse))
		w.start()
		names := []string{w.abandon(from(1)), w.abandon(from(2)), w.abandon(from(3))}
		for _, name := range names {
			Eventually(w.blocked(name)).Should(Equal(v1alpha1.ReasonNoConnectedInstance))
		}
		Consistently(w.sent).Should(BeEmpty())
		Eventually(w.events).Should(ContainElement(v1alpha1.ReasonNoConnectedInstance))
		Expect(w.asked()).To(BeZero(), "a text is paid for only when it can be sent")
		w.setInstance(gen.Instance, online(metav1.ConditionTrue))
		for _, name := range names {
			Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
			Eventually(w.blocked(name)).Should(BeEmpty())
		}
		Expect(w.sent()).To(HaveLen(3))
	})

	It("waits until the store has one at all", func() {
		w := newWorld()
		Expect(environment.Client.Delete(w.ctx, w.instance(gen.Instance))).To(Succeed())
		w.start()
		name := w.abandon()
		Eventually(w.blocked(name)).Should(Equal(v1alpha1.ReasonNoConnectedInstance))
		w.pair("second")
		Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		Expect(w.lead(name).Status.InstanceRef.Name).To(Equal("second"))
	})

	It("names credentials that are not there", func() {
		w := newWorld()
		admin := w.instance(gen.Instance)
		before := admin.DeepCopy()
		admin.Spec.Gateway.AdminTokenSecretRef.Name = "missing"
		Expect(environment.Client.Patch(w.ctx, admin, client.MergeFrom(before))).To(Succeed())
		w.start()
		name := w.abandon()
		Eventually(w.blocked(name)).Should(Equal(v1alpha1.ReasonNoCredentials))
		Expect(w.called(sendPath)).To(BeZero())
	})
})

var _ = Describe("A message that the gateway refuses", func() {
	It("is tried three times, ever later, and then the lead has failed", func() {
		w := newWorld()
		w.whatsapp.Fail(simulator.Fault{Path: sendPath, Status: http.StatusBadRequest,
			Body: `{"error":"Invalid payload"}`, Times: -1})
		r := w.start()
		name := w.abandon()
		Eventually(w.blocked(name)).Should(Equal(v1alpha1.ReasonGatewayUnavailable))
		Consistently(w.blocked(name)).Should(Equal(v1alpha1.ReasonGatewayUnavailable),
			"it is shown until the next attempt")
		Expect(w.called(sendPath)).To(Equal(1))
		w.advance(40 * time.Second)
		Consistently(func() int { return w.called(sendPath) }).Should(Equal(1))
		w.advance(40 * time.Second)
		Eventually(func() int { return w.called(sendPath) }).Should(Equal(2))
		Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageFailed))
		w.advance(80 * time.Second)
		Consistently(func() int { return w.called(sendPath) }).Should(Equal(2))
		w.advance(80 * time.Second)
		Eventually(w.outcome(name)).Should(Equal(v1alpha1.ReasonSendFailed))
		Expect(w.phase(name)()).To(Equal(v1alpha1.PhaseFailed))
		Expect(w.blocked(name)()).To(BeEmpty())
		Expect(w.lead(name).Status.Conversation[0].Attempts).To(Equal(int32(3)))
		w.advance(time.Hour)
		Consistently(func() int { return w.called(sendPath) }).Should(Equal(3))
		Eventually(r.api.written).Should(Equal([]string{claims, refuses, claims, refuses, claims, refuses,
			writesOutcome}))
		Eventually(w.events).Should(ContainElement(v1alpha1.ReasonSendFailed))
		Expect(w.asked()).To(Equal(1), "every attempt has the same text")
	})

	It("is not tried again for a number without WhatsApp", func() {
		w := newWorld()
		w.numbers(noLookup)
		w.whatsapp.WithoutWhatsApp("5511987654321")
		w.start()
		name := w.abandon()
		Eventually(w.outcome(name)).Should(Equal(v1alpha1.ReasonNotOnWhatsApp))
		Expect(w.phase(name)()).To(Equal(v1alpha1.PhaseFailed))
		w.advance(time.Hour)
		Consistently(func() int { return w.called(sendPath) }).Should(Equal(1))
	})

	It("waits as long as a throttling gateway asks, and that is no attempt", func() {
		w := newWorld()
		w.whatsapp.Fail(simulator.Fault{Path: sendPath, Status: http.StatusTooManyRequests,
			Body:   `{"error":"Too many requests"}`,
			Header: http.Header{"Retry-After": {"600"}}})
		w.start()
		name := w.abandon()
		Eventually(w.blocked(name)).Should(Equal(v1alpha1.ReasonThrottled))
		Expect(w.lead(name).Status.Conversation[0].Attempts).To(BeZero())
		w.advance(9*time.Minute + 30*time.Second)
		Consistently(w.sent).Should(BeEmpty())
		Expect(w.blocked(name)()).To(Equal(v1alpha1.ReasonThrottled))
		w.advance(time.Minute)
		Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		Expect(w.lead(name).Status.Conversation[0].Attempts).To(Equal(int32(1)))
		Eventually(w.blocked(name)).Should(BeEmpty())
	})

	It("does not count against the lead when the number is not connected", func() {
		w := newWorld()
		Expect(w.whatsapp.Logout(w.namespace+"."+gen.Instance, "")).To(Succeed())
		w.start()
		name := w.abandon()
		for attempt := 1; attempt <= 5; attempt++ {
			Eventually(func() int { return w.called(sendPath) }).Should(Equal(attempt))
			Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageFailed))
			w.advance(10 * time.Minute)
		}
		Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageFailed))
		Expect(w.outcome(name)()).To(Equal(v1alpha1.ReasonInProgress))
	})

	It("pauses new conversations of a number that WhatsApp restricts", func() {
		w := newWorld()
		until := w.clock.Now().Add(time.Hour)
		Expect(w.whatsapp.Restrict(w.namespace+"."+gen.Instance, until)).To(Succeed())
		w.start()
		name := w.abandon()
		Eventually(func() *metav1.Time {
			return w.instance(gen.Instance).Status.NewConversationsPausedUntil
		}).ShouldNot(BeNil())
		paused := w.instance(gen.Instance).Status
		Expect(paused.NewConversationsPausedUntil.Time).To(BeTemporally("~", until, 2*time.Second))
		Expect(paused.Phase).To(Equal(v1alpha1.InstanceRestricted))
		Eventually(w.blocked(name)).Should(Equal(v1alpha1.ReasonRestricted))
		other := w.abandon(from(2))
		Eventually(w.blocked(other)).Should(Equal(v1alpha1.ReasonRestricted))
		Consistently(func() int { return w.called(sendPath) }).Should(Equal(1))
		w.advance(time.Hour + 5*time.Second)
		for _, each := range []string{name, other} {
			Eventually(w.state(each, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
			Eventually(w.blocked(each)).Should(BeEmpty())
		}
	})

	It("has no number to move to once a conversation has begun", func() {
		w := newWorld()
		w.start()
		name := w.abandon()
		Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		w.pair("second")
		w.setInstance(gen.Instance, online(metav1.ConditionFalse))
		w.says(name, "in-1", "Tem desconto?")
		Eventually(w.blocked(name)).Should(Equal(v1alpha1.ReasonNoConnectedInstance))
		w.setInstance(gen.Instance, online(metav1.ConditionTrue))
		Eventually(w.sent).Should(HaveLen(2))
		Expect(w.sent()[1].Instance).To(Equal(w.namespace + "." + gen.Instance))
	})
})

var _ = Describe("A customer's answer", func() {
	contacted := func(mods ...func(*v1alpha1.Store)) (*world, string) {
		w := newWorld(mods...)
		w.start()
		name := w.abandon()
		Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		return w, name
	}

	It("is answered once, even when it comes in three messages", func() {
		w, name := contacted(func(s *v1alpha1.Store) {
			s.Spec.Recovery.ReplyDebounce = new(after(800 * time.Millisecond))
		})
		w.says(name, "in-1", "Oi")
		w.says(name, "in-2", "Tem desconto?")
		w.says(name, "in-3", "E boleto?")
		answer := lead.ReplyID(0, "in-3")
		Eventually(w.state(name, answer)).Should(Equal(v1alpha1.MessageSent))
		w.poke()
		Consistently(w.sent).Should(HaveLen(2))
		got := w.lead(name)
		Expect(got.Status.Phase).To(Equal(v1alpha1.PhaseEngaged))
		Expect(got.Status.Conversation).To(HaveLen(5))
		Expect(got.Status.Conversation[4]).To(And(HaveField("ID", answer), HaveField("Step", ""),
			HaveField("Text", w.sent()[1].Text)))
		Expect(w.sent()[1].TrackID).To(Equal(lead.TrackID(got.Name, answer)))
		Expect(w.asked()).To(Equal(2))
		asked := w.openai.Requests()[1].Messages
		Expect(asked[0].Content).To(ContainSubstring("Responda à última mensagem do cliente"))
		Expect(asked[2:]).To(Equal([]simulator.ChatMessage{
			{Role: "assistant", Content: w.sent()[0].Text}, {Role: "user", Content: "Oi"},
			{Role: "user", Content: "Tem desconto?"}, {Role: "user", Content: "E boleto?"},
		}))
	})

	It("is answered with the last six messages in view", func() {
		w, name := contacted()
		for i := 1; i <= 4; i++ {
			id := fmt.Sprintf("in-%d", i)
			w.says(name, id, fmt.Sprintf("pergunta %d", i))
			Eventually(w.state(name, lead.ReplyID(0, id))).Should(Equal(v1alpha1.MessageSent))
		}
		Expect(w.sent()).To(HaveLen(5))
		asked := w.openai.Requests()[4].Messages
		Expect(asked).To(HaveLen(2 + 6))
		Expect(asked[2]).To(Equal(simulator.ChatMessage{Role: "assistant", Content: w.sent()[1].Text}))
		Expect(asked[7]).To(Equal(simulator.ChatMessage{Role: "user", Content: "pergunta 4"}))
	})

	It("is told to the AI for what it is when it is no text", func() {
		w, name := contacted()
		w.says(name, "in-1", "", func(m *v1alpha1.Message) { m.Media = "audio" })
		Eventually(w.sent).Should(HaveLen(2))
		asked := w.openai.Requests()[1].Messages
		Expect(asked[len(asked)-1]).To(Equal(simulator.ChatMessage{Role: "user", Content: voiceMessage}))
	})

	It("that comes while its answer is written gets one answer, to the last", func() {
		w, name := contacted()
		held := make(chan struct{})
		w.openai.HoldUntil(held)
		w.says(name, "in-1", "Oi")
		Eventually(w.asked).Should(Equal(2))
		w.says(name, "in-2", "Tem desconto?")
		Eventually(w.asked).Should(Equal(3))
		close(held)
		Eventually(w.state(name, lead.ReplyID(0, "in-2"))).Should(Equal(v1alpha1.MessageSent))
		Consistently(w.sent).Should(HaveLen(2))
	})

	It("that comes while its answer is sent is kept, and answered too", func() {
		w, name := contacted()
		held := make(chan struct{})
		w.whatsapp.Fail(simulator.Fault{Path: sendPath, HoldUntil: held})
		w.says(name, "in-1", "Oi")
		Eventually(w.state(name, lead.ReplyID(0, "in-1"))).Should(Equal(v1alpha1.MessageClaimed))
		w.says(name, "in-2", "Tem desconto?")
		close(held)
		Eventually(w.state(name, lead.ReplyID(0, "in-1"))).Should(Equal(v1alpha1.MessageSent))
		Eventually(w.state(name, lead.ReplyID(0, "in-2"))).Should(Equal(v1alpha1.MessageSent))
		Expect(w.sent()).To(HaveLen(3))
		Expect(w.called(findPath)).To(BeZero())
		Expect(lead.Find(w.lead(name).Status.Conversation, "in-2")).NotTo(BeNil())
	})

	It("ends the sequence", func() {
		w, name := contacted(steps(
			v1alpha1.Step{Name: "first", After: after(soonDue)},
			v1alpha1.Step{Name: "second", After: after(2 * time.Hour)}))
		w.says(name, "in-1", "Depois eu vejo")
		Eventually(w.sent).Should(HaveLen(2))
		w.advance(3 * time.Hour)
		Consistently(w.sent).Should(HaveLen(2))
	})
})

var _ = Describe("A purchase", func() {
	later := steps(v1alpha1.Step{Name: "first", After: after(30 * time.Minute)})

	It("before any message stops everything", func() {
		w := newWorld(later)
		r := w.start()
		name := w.abandon()
		w.buys(name)
		Eventually(w.phase(name)).Should(Equal(v1alpha1.PhaseConverted))
		Expect(w.outcome(name)()).To(Equal(v1alpha1.ReasonBoughtBeforeContact))
		Expect(w.lead(name).Status.CompletionTime).NotTo(BeNil())
		w.advance(time.Hour)
		Consistently(w.sent).Should(BeEmpty())
		Expect(w.asked()).To(BeZero())
		Eventually(r.api.written).Should(Equal([]string{writesOutcome}))
	})

	It("with the text at hand stops the message all the same", func() {
		w := newWorld(later)
		w.start()
		name := w.abandon()
		w.advance(29*time.Minute + 30*time.Second)
		Eventually(w.asked).Should(Equal(1))
		w.buys(name)
		w.advance(time.Hour)
		Eventually(w.phase(name)).Should(Equal(v1alpha1.PhaseConverted))
		Consistently(w.sent).Should(BeEmpty())
	})

	It("after a message is a recovery, and ends the conversation", func() {
		w := newWorld()
		w.start()
		name := w.abandon()
		Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		w.buys(name)
		Eventually(w.phase(name)).Should(Equal(v1alpha1.PhaseRecovered))
		Expect(w.outcome(name)()).To(Equal(v1alpha1.ReasonBoughtAfterContact))
		w.says(name, "in-1", "Comprei!")
		Consistently(w.sent).Should(HaveLen(1))
	})

	DescribeTable("after we gave up still counts", func(contacted bool, expired, bought v1alpha1.Phase, why string) {
		w := newWorld(func(s *v1alpha1.Store) { s.Spec.Recovery.ExpireAfter = new(after(24 * time.Hour)) })
		if !contacted {
			w.setInstance(gen.Instance, online(metav1.ConditionFalse))
		}
		w.start()
		name := w.abandon()
		if contacted {
			Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		} else {
			Eventually(w.blocked(name)).Should(Equal(v1alpha1.ReasonNoConnectedInstance))
		}
		w.advance(25 * time.Hour)
		Eventually(w.phase(name)).Should(Equal(expired))
		Expect(w.outcome(name)()).To(Equal(why))
		Expect(w.blocked(name)()).To(BeEmpty())
		finishedAt := w.lead(name).Status.CompletionTime
		w.buys(name)
		Eventually(w.phase(name)).Should(Equal(bought))
		Expect(w.lead(name).Status.CompletionTime).To(Equal(finishedAt))
	},
		Entry("as a recovery after a message", true, v1alpha1.PhaseExpired, v1alpha1.PhaseRecovered,
			v1alpha1.ReasonUnanswered),
		Entry("as a conversion without one", false, v1alpha1.PhaseExpired, v1alpha1.PhaseConverted,
			v1alpha1.ReasonNeverContacted),
	)

	It("that is not ours to count stops the lead and is no recovery", func() {
		w := newWorld()
		w.start()
		name := w.abandon()
		Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		w.change(name, func(l *v1alpha1.CartRecovery) {
			gen.Bought(w.clock.Now())(l)
			l.Spec.Purchase.Unattributed = true
		})
		Eventually(w.phase(name)).Should(Equal(v1alpha1.PhaseConverted))
		Expect(w.outcome(name)()).To(Equal(v1alpha1.ReasonPurchaseNotAttributed))
	})

	It("that is taken back is none", func() {
		w := newWorld()
		w.start()
		name := w.abandon()
		Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		w.buys(name)
		Eventually(w.phase(name)).Should(Equal(v1alpha1.PhaseRecovered))
		w.change(name, func(l *v1alpha1.CartRecovery) {
			l.Spec.Reversal = &v1alpha1.Reversal{EventID: "e2", Kind: v1alpha1.ReversalRefund,
				At: v1alpha1.NewTimestamp(w.clock.Now())}
		})
		Eventually(w.phase(name)).Should(Equal(v1alpha1.PhaseFailed))
		Expect(w.outcome(name)()).To(Equal(v1alpha1.ReasonReversed))
		w.advance(time.Hour)
		Consistently(w.sent).Should(HaveLen(1))
	})
})

var _ = Describe("What people want", func() {
	later := steps(v1alpha1.Step{Name: "first", After: after(30 * time.Minute)})

	It("is respected when a number is suppressed, for every lead of it", func() {
		w := newWorld(later)
		w.start()
		first, second, other := w.abandon(from(1)), w.abandon(from(1)), w.abandon(from(2))
		suppression := &v1alpha1.Suppression{Spec: v1alpha1.SuppressionSpec{
			StoreRef: v1alpha1.ObjectReference{Name: gen.Store}, Phone: phoneOf(1),
		}}
		suppression.Namespace, suppression.Name = w.namespace, "out"
		w.create(suppression)
		for _, name := range []string{first, second} {
			Eventually(w.phase(name)).Should(Equal(v1alpha1.PhaseOptedOut))
			Expect(w.outcome(name)()).To(Equal(v1alpha1.ReasonOptedOut))
		}
		late := w.abandon(from(1))
		Eventually(w.phase(late)).Should(Equal(v1alpha1.PhaseOptedOut))
		w.advance(31 * time.Minute)
		Eventually(w.state(other, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		Consistently(w.sent).Should(HaveLen(1))
	})

	It("is respected when the store is suspended, and again when it no longer is", func() {
		w := newWorld(func(s *v1alpha1.Store) { s.Spec.Suspend = true })
		w.start()
		name := w.abandon()
		Eventually(w.blocked(name)).Should(Equal(v1alpha1.ReasonSuspended))
		w.advance(time.Hour)
		Consistently(w.sent).Should(BeEmpty())
		w.changeStore(func(s *v1alpha1.Store) { s.Spec.Suspend = false })
		Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		Eventually(w.blocked(name)).Should(BeEmpty())
	})

	It("is respected when one lead is suspended", func() {
		w := newWorld()
		w.start()
		name := w.abandon(func(l *v1alpha1.CartRecovery) { l.Spec.Suspend = true })
		Eventually(w.blocked(name)).Should(Equal(v1alpha1.ReasonSuspended))
		w.change(name, func(l *v1alpha1.CartRecovery) { l.Spec.Suspend = false })
		Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
	})

	It("is not guessed when the store is missing", func() {
		w := newWorld()
		w.start()
		name := w.abandon(func(l *v1alpha1.CartRecovery) { l.Spec.StoreRef.Name = "nobody" })
		Eventually(w.blocked(name)).Should(Equal(v1alpha1.ReasonStoreNotFound))
		Consistently(w.sent).Should(BeEmpty())
	})

	It("is that nothing of them is kept for ever", func() {
		w := newWorld(func(s *v1alpha1.Store) {
			s.Spec.Recovery.TTLAfterFinished = new(after(24 * time.Hour))
			s.Spec.Recovery.TTLAfterPurchaseOnly = new(after(time.Hour))
		})
		w.start()
		name := w.abandon()
		Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		w.buys(name)
		Eventually(w.phase(name)).Should(Equal(v1alpha1.PhaseRecovered))
		w.advance(23 * time.Hour)
		Consistently(func() error { return w.lookFor(name) }).Should(Succeed())
		w.advance(2 * time.Hour)
		Eventually(func() bool { return apierrors.IsNotFound(w.lookFor(name)) }).Should(BeTrue())
	})

	It("is that a purchase without a cart is kept for a shorter time", func() {
		w := newWorld(func(s *v1alpha1.Store) { s.Spec.Recovery.TTLAfterPurchaseOnly = new(after(time.Hour)) })
		w.start()
		name := w.abandon(func(l *v1alpha1.CartRecovery) {
			l.Spec.AbandonedAt, l.Spec.Trigger = nil, ""
			gen.Bought(w.clock.Now())(l)
		})
		Eventually(w.phase(name)).Should(Equal(v1alpha1.PhaseConverted))
		w.advance(2 * time.Hour)
		Eventually(func() bool { return apierrors.IsNotFound(w.lookFor(name)) }).Should(BeTrue())
	})
})

func (w *world) lookFor(name string) error {
	return environment.Client.Get(w.ctx, w.key(name), &v1alpha1.CartRecovery{})
}
