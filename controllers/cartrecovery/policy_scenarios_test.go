package cartrecovery

import (
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/controllers/cartrecovery/plan"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/phone"
	"cartrecovery.dev/operator/internal/simulator"
)

// policyOf changes the Store's policy.
func policyOf(change func(*v1alpha1.RecoveryPolicy)) func(*v1alpha1.Store) {
	return func(store *v1alpha1.Store) { change(&store.Spec.Recovery) }
}

// atNoon sets the clock to the store's next noon, so that the day of the test does not matter.
func (w *world) atNoon() time.Time {
	GinkgoHelper()
	zone, err := time.LoadLocation("America/Sao_Paulo")
	Expect(err).NotTo(HaveOccurred())
	now := w.clock.Now().In(zone)
	noon := time.Date(now.Year(), now.Month(), now.Day()+1, 12, 0, 0, 0, zone)
	w.clock.Forward(noon.Sub(now))
	return noon
}

// advanceTo sets the clock to a time, as advance does.
func (w *world) advanceTo(at time.Time) {
	GinkgoHelper()
	w.advance(at.Sub(w.clock.Now()))
}

// gone says whether a lead was deleted.
func (w *world) gone(name string) func() bool {
	return func() bool { return apierrors.IsNotFound(w.lookFor(name)) }
}

// recipients are the numbers that messages went to, in the order in which they left.
func (w *world) recipients() []string {
	var numbers []string
	for _, sent := range w.sent() {
		numbers = append(numbers, sent.Number)
	}
	return numbers
}

// digits are a customer's number as the gateway is given it.
func digits(number int) string { return phone.Digits(phoneOf(number)) }

// ofAnotherProduct makes a lead one of a product that has no Product.
func ofAnotherProduct(recovery *v1alpha1.CartRecovery) {
	recovery.Spec.Product = v1alpha1.LeadProduct{ID: "77", Name: "Mentoria"}
}

// returns has a customer leave the checkout again, as the webhook server writes it.
func (w *world) returns(name string) {
	GinkgoHelper()
	w.change(name, func(recovery *v1alpha1.CartRecovery) {
		at := v1alpha1.NewTimestamp(w.clock.Now())
		recovery.Annotations = map[string]string{
			v1alpha1.AnnotationPreviousCompleted: recovery.Status.CompletionTime.UTC().Format(time.RFC3339),
		}
		recovery.Spec.AbandonedAt, recovery.Spec.EventID = &at, "again"
	})
}

var _ = Describe("Quiet hours", func() {
	It("keep first messages and answers back, without an event, and spread them after the end", func() {
		w := newWorld(policyOf(func(p *v1alpha1.RecoveryPolicy) { p.MaxUnanswered = new(int32(1)) }))
		noon := w.atNoon()
		var told atomic.Int32
		r := w.start(around(func(_ string, recovery *v1alpha1.CartRecovery, write func() error) error {
			err := write()
			if err == nil && reasonOf(recovery, v1alpha1.ConditionBlocked) == v1alpha1.ReasonQuietHours {
				told.Add(1)
			}
			return err
		}))
		open := w.abandon(from(1))
		Eventually(w.state(open, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		w.changeStore(policyOf(func(p *v1alpha1.RecoveryPolicy) {
			p.QuietHours = &v1alpha1.QuietHours{Start: "11:59", End: "14:00", Spread: new(after(20 * time.Minute))}
		}))
		r.saw(w, &v1alpha1.Store{}, gen.Store)
		end := noon.Add(2 * time.Hour)
		w.says(open, "in-1", "Tem desconto?")
		night := []string{w.abandon(from(2)), w.abandon(from(3)), w.abandon(from(4))}
		for _, name := range append([]string{open}, night...) {
			Eventually(w.blocked(name)).Should(Equal(v1alpha1.ReasonQuietHours))
			next := w.lead(name).Status
			Expect(next.NextActionTime.Time).To(BeTemporally(">=", end.Add(-plan.PrepareAhead)))
			Expect(next.NextActionTime.Time).To(BeTemporally("<", end.Add(20*time.Minute)))
			Expect(next.NextAction.Message).To(ContainSubstring("quiet hours"))
		}
		w.advanceTo(end.Add(-5 * time.Minute))
		Consistently(w.sent).Should(HaveLen(1))
		Expect(w.asked()).To(Equal(1))
		w.advanceTo(end.Add(2*time.Minute + time.Second))
		Eventually(w.state(open, lead.ReplyID(0, "in-1"))).Should(Equal(v1alpha1.MessageSent),
			"an answer waits two minutes more at most")
		w.advanceTo(end.Add(20*time.Minute + time.Second))
		for _, name := range night {
			Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
			Eventually(w.blocked(name)).Should(BeEmpty())
		}
		for _, sent := range w.sent()[1:] {
			Expect(sent.ReceivedAt).To(BeTemporally(">=", end))
		}
		Expect(w.sent()).To(HaveLen(5))
		Expect(w.events()).NotTo(ContainElement(v1alpha1.ReasonQuietHours))
		Expect(count(r.api.written(), claims)).To(Equal(5))
		Expect(told.Load()).To(Equal(int32(4)), "each is told once")
	})

	It("do not keep a purchase or a wish to be left alone from taking effect", func() {
		w := newWorld()
		w.atNoon()
		r := w.start()
		buyer, leaver := w.abandon(from(1)), w.abandon(from(2))
		for _, name := range []string{buyer, leaver} {
			Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		}
		w.changeStore(policyOf(func(p *v1alpha1.RecoveryPolicy) {
			p.QuietHours = &v1alpha1.QuietHours{Start: "11:59", End: "14:00"}
		}))
		r.saw(w, &v1alpha1.Store{}, gen.Store)
		w.optsOut(leaver, "parar", 2)
		w.buys(buyer)
		Eventually(w.outcome(leaver)).Should(Equal(v1alpha1.ReasonOptedOut))
		Eventually(w.outcome(buyer)).Should(Equal(v1alpha1.ReasonBoughtAfterContact))
		w.advance(3 * time.Hour)
		Consistently(w.sent).Should(HaveLen(2), "the confirmation is not sent later either")
	})
})

var _ = Describe("The cooldown", func() {
	It("keeps a second recovery of the customer waiting, and nobody else's", func() {
		w := newWorld(policyOf(func(p *v1alpha1.RecoveryPolicy) { p.Cooldown = new(after(2 * time.Hour)) }))
		r := w.start()
		first := w.abandon(from(1))
		Eventually(w.state(first, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		opened := w.lead(first).Status.Conversation[0].At
		second, other := w.abandon(from(1), ofAnotherProduct), w.abandon(from(2), ofAnotherProduct)
		Eventually(w.blocked(second)).Should(Equal(v1alpha1.ReasonCooldown))
		Eventually(w.state(other, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		Expect(w.lead(second).Status.NextActionTime.Time).To(BeTemporally("~", opened.Add(2*time.Hour), time.Second))
		w.advance(2*time.Hour - time.Minute)
		Consistently(w.sent).Should(HaveLen(2))
		Expect(w.asked()).To(Equal(2), "its text is not paid for ahead")
		w.says(first, "in-1", "Tem desconto?")
		Eventually(w.state(first, lead.ReplyID(0, "in-1"))).Should(Equal(v1alpha1.MessageSent),
			"a conversation that has begun goes on")
		w.advance(time.Minute + time.Second)
		Eventually(w.blocked(second)).Should(Equal(v1alpha1.ReasonInConversation), "and nothing is sold beside it")
		w.advance(plan.ConversationLasts)
		Eventually(w.state(second, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		Eventually(w.blocked(second)).Should(BeEmpty())
		Expect(w.recipients()).To(Equal([]string{digits(1), digits(2), digits(1), digits(1)}))
		Expect(w.events()).NotTo(ContainElement(v1alpha1.ReasonCooldown))
		Eventually(r.api.written).Should(ConsistOf(
			claims, confirms, writesConditions, claims, confirms, claims, confirms, writesConditions, claims, confirms,
		))
	})

	It("counts for a restarted controller, and what it outlasts expires unwritten", func() {
		w := newWorld(policyOf(func(p *v1alpha1.RecoveryPolicy) { p.ExpireAfter = new(after(24 * time.Hour)) }))
		before := w.start()
		first := w.abandon(from(1))
		Eventually(w.state(first, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		before.stop()
		w.start()
		second := w.abandon(from(1), ofAnotherProduct)
		Eventually(w.blocked(second)).Should(Equal(v1alpha1.ReasonCooldown))
		w.advance(25 * time.Hour)
		Eventually(w.outcome(second)).Should(Equal(v1alpha1.ReasonNeverContacted))
		Consistently(w.sent).Should(HaveLen(1))
	})
})

var _ = Describe("A customer who leaves the checkout again", func() {
	// ended is a lead whose first cycle is over: written to, answered, handed over, expired.
	ended := func(mods ...func(*v1alpha1.Store)) (*world, *replica, string) {
		w := newWorld(append(mods, policyOf(func(p *v1alpha1.RecoveryPolicy) {
			p.ExpireAfter, p.Cooldown = new(after(24*time.Hour)), new(after(12*time.Hour))
		}))...)
		r := w.start()
		name := w.abandon()
		Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		w.says(name, "in-1", "Tem boleto?")
		Eventually(w.state(name, lead.ReplyID(0, "in-1"))).Should(Equal(v1alpha1.MessageSent))
		w.operatorWrites(name, "op-1", "Oi, aqui é a Ana da loja")
		w.advance(25 * time.Hour)
		Eventually(w.outcome(name)).Should(Equal(v1alpha1.ReasonConversationEnded))
		return w, r, name
	}

	It("is written to anew, and the AI knows what was said before", func() {
		w, r, name := ended()
		was := w.lead(name).Status
		Expect(w.handedOff(name)()).To(Equal(v1alpha1.ReasonPersonWrote))
		before := len(r.api.written())
		w.returns(name)
		again := lead.StepID(1, "first")
		Expect(again).To(Equal("c1-step-first"))
		Eventually(w.state(name, again)).Should(Equal(v1alpha1.MessageSent))
		got := w.lead(name).Status
		Expect(got.Cycle).To(Equal(int32(1)))
		Expect(got.CompletionTime).To(BeNil())
		Expect(got.Phase).To(Equal(v1alpha1.PhaseContacted))
		Expect(w.handedOff(name)()).To(BeEmpty())
		Expect(w.outcome(name)()).To(Equal(v1alpha1.ReasonInProgress))
		Expect(got.Conversation[:4]).To(Equal(was.Conversation), "what was said is kept")
		Expect(got.Conversation).To(HaveLen(5))
		Expect(got.Conversation[4].Cycle).To(Equal(int32(1)))
		asked := w.openai.Requests()[2].Messages
		Expect(asked[2:6]).To(Equal([]simulator.ChatMessage{
			{Role: "assistant", Content: w.sent()[0].Text}, {Role: "user", Content: "Tem boleto?"},
			{Role: "assistant", Content: w.sent()[1].Text}, {Role: "assistant", Content: "Oi, aqui é a Ana da loja"},
		}))
		Expect(asked[6]).To(Equal(simulator.ChatMessage{Role: "user", Content: earlierRecovery}))
		Expect(r.api.written()[before:]).To(Equal([]string{writesConditions, claims, confirms}))
		w.poke()
		Consistently(w.sent).Should(HaveLen(3))
	})

	It("and buys after the new message is a recovery of that cycle alone", func() {
		w, _, name := ended()
		w.returns(name)
		Eventually(w.state(name, lead.StepID(1, "first"))).Should(Equal(v1alpha1.MessageSent))
		w.advance(time.Hour)
		w.buys(name)
		Eventually(w.outcome(name)).Should(Equal(v1alpha1.ReasonBoughtAfterContact))
		result := w.lead(name).Status.Result
		Expect(result).To(And(HaveField("Messages", int32(1)), HaveField("Step", "first")))
		Expect(result.TimeToRecovery.Duration).To(BeNumerically("~", time.Hour, 30*time.Second))
	})

	It("and buys before the new message has bought without one", func() {
		w, r, name := ended(steps(v1alpha1.Step{Name: "first", After: after(soonDue)}))
		w.changeStore(steps(v1alpha1.Step{Name: "first", After: after(30 * time.Minute)}))
		r.saw(w, &v1alpha1.Store{}, gen.Store)
		w.returns(name)
		Eventually(func() int32 { return w.lead(name).Status.Cycle }).Should(Equal(int32(1)))
		w.buys(name)
		Eventually(w.outcome(name)).Should(Equal(v1alpha1.ReasonBoughtBeforeContact))
		Expect(w.lead(name).Status.Result).To(BeNil())
		w.advance(time.Hour)
		Consistently(w.sent).Should(HaveLen(2))
	})
})

var _ = Describe("A purchase of another product", func() {
	DescribeTable("stops the lead as far as the kill switch reaches", func(scope v1alpha1.KillSwitchScope,
		outcome string, messages int) {
		w := newWorld(uncooled, steps(v1alpha1.Step{Name: "first", After: after(soonDue)},
			v1alpha1.Step{Name: "second", After: after(time.Hour)}),
			policyOf(func(p *v1alpha1.RecoveryPolicy) { p.KillSwitchScope = scope }))
		w.start()
		name := w.abandon(from(1))
		Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		other := w.abandon(from(1), ofAnotherProduct, gen.Bought(w.clock.Now()))
		Eventually(w.outcome(other)).Should(Equal(v1alpha1.ReasonBoughtBeforeContact))
		w.advance(time.Hour + time.Second)
		Eventually(w.outcome(name)).Should(Equal(outcome))
		Eventually(w.sent).Should(HaveLen(messages))
		Consistently(w.sent).Should(HaveLen(messages))
		Expect(w.lead(name).Status.Result).To(BeNil(), "it is no success of this one")
	},
		Entry("to the customer", v1alpha1.KillSwitchCustomer, v1alpha1.ReasonPurchaseNotAttributed, 1),
		Entry("to the product", v1alpha1.KillSwitchProduct, v1alpha1.ReasonInProgress, 2),
	)
})

var _ = Describe("A customer who does not answer", func() {
	It("is left in peace after so many messages, and the lead expires", func() {
		w := newWorld(steps(v1alpha1.Step{Name: "first", After: after(soonDue)},
			v1alpha1.Step{Name: "second", After: after(time.Hour)},
			v1alpha1.Step{Name: "third", After: after(time.Hour)}), policyOf(func(p *v1alpha1.RecoveryPolicy) {
			p.MaxUnanswered, p.ExpireAfter = new(int32(2)), new(after(24*time.Hour))
		}))
		r := w.start()
		name := w.abandon()
		Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		w.advance(time.Hour + time.Second)
		Eventually(w.state(name, lead.StepID(0, "second"))).Should(Equal(v1alpha1.MessageSent))
		Expect(w.lead(name).Status.NextAction).To(HaveValue(And(
			HaveField("Action", "Wait"), HaveField("MessageID", ""))))
		w.advance(20 * time.Hour)
		Consistently(w.sent).Should(HaveLen(2))
		w.advance(4 * time.Hour)
		Eventually(w.outcome(name)).Should(Equal(v1alpha1.ReasonUnanswered))
		Expect(w.asked()).To(Equal(2))
		Eventually(r.api.written).Should(Equal([]string{claims, confirms, claims, confirms, writesOutcome}))
	})
})

var _ = Describe("A lead that is over", func() {
	hours := func(n int) *v1alpha1.Duration { return new(after(time.Duration(n) * time.Hour)) }

	DescribeTable("is kept as long as its ending says", func(end func(w *world, name string), want v1alpha1.Phase,
		kept time.Duration) {
		w := newWorld(policyOf(func(p *v1alpha1.RecoveryPolicy) {
			p.ExpireAfter, p.TTLAfterFinished, p.TTLAfterPurchaseOnly = hours(24), hours(400), hours(1)
			p.TTLByPhase = &v1alpha1.PhaseTTL{OptedOut: hours(10), Expired: hours(20), Recovered: hours(30),
				Converted: hours(40), Failed: hours(50)}
		}))
		w.start()
		name := w.abandon(from(1))
		Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		end(w, name)
		Eventually(w.phase(name)).Should(Equal(want))
		status := w.lead(name).Status
		Expect(status.NextAction).To(HaveValue(HaveField("Time.Time", BeTemporally("~", status.CompletionTime.Add(kept),
			time.Second))))
		w.advanceTo(status.CompletionTime.Add(kept - time.Minute))
		Consistently(w.gone(name)).Should(BeFalse())
		w.advanceTo(status.CompletionTime.Add(kept + time.Second))
		Eventually(w.gone(name)).Should(BeTrue())
	},
		Entry("opted out", func(w *world, name string) { w.optsOut(name, "Parar!", 1) }, v1alpha1.PhaseOptedOut,
			10*time.Hour),
		Entry("expired", func(w *world, _ string) { w.advance(25 * time.Hour) }, v1alpha1.PhaseExpired, 20*time.Hour),
		Entry("recovered", func(w *world, name string) { w.buys(name) }, v1alpha1.PhaseRecovered, 30*time.Hour),
		Entry("converted", func(w *world, name string) {
			w.change(name, func(l *v1alpha1.CartRecovery) {
				gen.Bought(w.clock.Now())(l)
				l.Spec.Purchase.Unattributed = true
			})
		}, v1alpha1.PhaseConverted, 40*time.Hour),
		Entry("failed", func(w *world, name string) {
			w.change(name, func(l *v1alpha1.CartRecovery) {
				gen.Bought(w.clock.Now())(l)
				l.Spec.Reversal = &v1alpha1.Reversal{EventID: "e2", Kind: v1alpha1.ReversalRefund,
					At: v1alpha1.NewTimestamp(w.clock.Now())}
			})
		}, v1alpha1.PhaseFailed, 50*time.Hour),
	)
})

// optsOut has a customer ask to stop, as the webhook server stores it: the message first, then
// the Suppression, which is returned.
func (w *world) optsOut(name, text string, number int) *v1alpha1.Suppression {
	GinkgoHelper()
	w.says(name, "in-1", text)
	suppression := &v1alpha1.Suppression{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "out-" + digits(number)},
		Spec: v1alpha1.SuppressionSpec{
			StoreRef: w.lead(name).Spec.StoreRef, PhoneHash: lead.PhoneHash(phoneOf(number)), Reason: "OptOut",
		},
	}
	suppression.Labels = lead.SuppressionLabels(suppression)
	w.create(suppression)
	return suppression
}
