package cartrecovery

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/controllers/cartrecovery/plan"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/pace"
)

// limit changes the limits of the store's first number.
func (w *world) limit(change func(*v1alpha1.InstanceLimits)) {
	GinkgoHelper()
	instance := w.instance(gen.Instance)
	before := instance.DeepCopy()
	change(&instance.Spec.Limits)
	Expect(environment.Client.Patch(w.ctx, instance, client.MergeFrom(before))).To(Succeed())
}

func oneAMinute(limits *v1alpha1.InstanceLimits) { limits.MessagesPerMinute = new(int32(1)) }

// settling has a replica line up what waits before it sends, as in production.
func settling(r *replica) { r.Pacer = pace.NewPacer(r.Clock, pace.Settle) }

// dueAgo makes a lead of a number that has been due for a time.
func (w *world) dueAgo(number int, ago time.Duration) string {
	GinkgoHelper()
	return w.abandon(from(number), func(l *v1alpha1.CartRecovery) {
		l.Spec.AbandonedAt = new(v1alpha1.NewTimestamp(w.clock.Now().Add(-ago - soonDue)))
	})
}

// sinceWhen sets an instance's condition Ready, as of a time.
func sinceWhen(status metav1.ConditionStatus, reason string, since time.Time) func(*v1alpha1.WhatsAppInstance) {
	return func(instance *v1alpha1.WhatsAppInstance) {
		instance.Status.Conditions[0].Status = status
		instance.Status.Conditions[0].Reason = reason
		instance.Status.Conditions[0].LastTransitionTime = metav1.NewTime(since.UTC().Truncate(time.Second))
	}
}

// senders are the numbers that messages left from, in the order in which they did.
func (w *world) senders() []string {
	var names []string
	for _, sent := range w.sent() {
		names = append(names, sent.Instance[len(w.namespace)+1:])
	}
	return names
}

// onTheWay waits until so many messages have left, and returns to whom.
func (w *world) onTheWay(count int) []string {
	GinkgoHelper()
	Eventually(w.sent).Should(HaveLen(count))
	Consistently(w.sent).Should(HaveLen(count))
	return w.recipients()
}

var _ = Describe("The pace of a number", func() {
	It("lets what is due go in order, and shows what waits for longer than a minute", func() {
		w := newWorld()
		w.limit(oneAMinute)
		third, first, second := w.dueAgo(3, 10*time.Second), w.dueAgo(1, 30*time.Second), w.dueAgo(2, 20*time.Second)
		r := w.start(settling)
		Expect(w.onTheWay(1)).To(Equal([]string{digits(1)}))
		for _, name := range []string{second, third} {
			Expect(w.blocked(name)()).To(BeEmpty(), "a short wait is nobody's concern")
		}
		w.advance(61 * time.Second)
		Expect(w.onTheWay(2)).To(Equal([]string{digits(1), digits(2)}))
		Eventually(w.blocked(third)).Should(Equal(v1alpha1.ReasonPaced))
		w.advance(61 * time.Second)
		Expect(w.onTheWay(3)).To(Equal([]string{digits(1), digits(2), digits(3)}))
		for _, name := range []string{first, second, third} {
			Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
			Expect(w.blocked(name)()).To(BeEmpty())
		}
		Expect(w.events()).NotTo(ContainElement(v1alpha1.ReasonPaced))
		Expect(count(r.api.written(), claims)).To(Equal(3))
		Expect(count(r.api.written(), writesConditions)).To(BeNumerically("<=", 2))
	})

	It("lets answers go before first messages, and those before follow-ups", func() {
		w := newWorld(steps(v1alpha1.Step{Name: "first", After: after(soonDue)},
			v1alpha1.Step{Name: "second", After: after(time.Hour)}))
		r := w.start(settling)
		asks, silent := w.abandon(from(1)), w.abandon(from(2))
		for _, name := range []string{asks, silent} {
			Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		}
		w.limit(oneAMinute)
		w.setInstance(gen.Instance, online(metav1.ConditionFalse))
		r.saw(w, &v1alpha1.WhatsAppInstance{}, gen.Instance)
		w.advance(time.Hour + time.Minute)
		fresh := w.abandon(from(3))
		w.says(asks, "in-1", "Tem boleto?")
		for _, name := range []string{asks, silent, fresh} {
			Eventually(w.blocked(name)).Should(Equal(v1alpha1.ReasonNoConnectedInstance))
		}
		w.setInstance(gen.Instance, online(metav1.ConditionTrue))
		Expect(w.onTheWay(3)[2:]).To(Equal([]string{digits(1)}), "the answer, due last")
		w.advance(61 * time.Second)
		Expect(w.onTheWay(4)[3:]).To(Equal([]string{digits(3)}), "then who was never written to")
		w.advance(61 * time.Second)
		Expect(w.onTheWay(5)[4:]).To(Equal([]string{digits(2)}), "then the follow-up, due first")
	})

	It("lets an answer pass a first message that waits already", func() {
		w := newWorld()
		r := w.start()
		asks := w.abandon(from(1))
		Eventually(w.state(asks, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		w.limit(oneAMinute)
		r.saw(w, &v1alpha1.WhatsAppInstance{}, gen.Instance)
		waits := w.abandon(from(2))
		Eventually(w.asked).Should(Equal(2))
		w.says(asks, "in-1", "Tem boleto?")
		Eventually(w.asked).Should(Equal(3))
		Consistently(w.sent).Should(HaveLen(1))
		w.advance(61 * time.Second)
		Expect(w.onTheWay(2)).To(Equal([]string{digits(1), digits(1)}))
		w.advance(61 * time.Second)
		Expect(w.onTheWay(3)[2]).To(Equal(digits(2)))
		Eventually(w.state(waits, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
	})

	It("is kept by a new leader that remembers nothing", func() {
		w := newWorld()
		w.atNoon()
		w.limit(func(limits *v1alpha1.InstanceLimits) {
			oneAMinute(limits)
			limits.NewConversationsPerDay = new(int32(2))
		})
		old := w.start()
		first := w.abandon(from(1))
		Eventually(w.state(first, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		old.stop()
		w.abandon(from(2))
		middle := w.start()
		Eventually(w.asked).Should(Equal(2))
		Expect(w.onTheWay(1)).To(HaveLen(1), "within the minute of the old leader's message")
		w.advance(61 * time.Second)
		Expect(w.onTheWay(2)).To(HaveLen(2))
		middle.stop()
		last := w.abandon(from(3))
		w.start()
		w.advance(2 * time.Minute)
		Eventually(w.blocked(last)).Should(Equal(v1alpha1.ReasonPaced))
		w.advance(11 * time.Hour)
		Consistently(w.sent).Should(HaveLen(2), "the day's conversations are used up")
		w.advance(time.Hour)
		Eventually(w.state(last, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		Eventually(w.blocked(last)).Should(BeEmpty())
	})
})

var _ = Describe("A store with two numbers", func() {
	// begun is a world in which one customer is written to from each number.
	begun := func(mods ...func(*v1alpha1.Store)) (w *world, r *replica, here, there string) {
		w = newWorld(mods...)
		w.pair("second")
		r = w.start()
		here = w.abandon(from(1))
		Eventually(w.state(here, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		there = w.abandon(from(2))
		Eventually(w.state(there, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		return w, r, here, there
	}
	moves := policyOf(func(p *v1alpha1.RecoveryPolicy) { p.NumberLost = v1alpha1.NumberLostMove })
	answerOf := lead.ReplyID(0, "in-1")

	It("begins each conversation on the freer one, and stays there", func() {
		w, r, here, there := begun()
		third := w.abandon(from(3))
		Eventually(w.state(third, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		fourth := w.abandon(from(4))
		Eventually(w.state(fourth, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		Expect(w.senders()).To(Equal([]string{gen.Instance, "second", gen.Instance, "second"}))
		for _, name := range []string{there, here} {
			w.says(name, "in-1", "Tem boleto?")
			Eventually(w.state(name, answerOf)).Should(Equal(v1alpha1.MessageSent))
		}
		Expect(w.senders()[4:]).To(Equal([]string{"second", gen.Instance}))
		w.setInstance(gen.Instance, online(metav1.ConditionFalse))
		r.saw(w, &v1alpha1.WhatsAppInstance{}, gen.Instance)
		w.says(here, "in-2", "E PIX?")
		Eventually(w.blocked(here)).Should(Equal(v1alpha1.ReasonNoConnectedInstance))
		w.advance(time.Hour)
		Consistently(w.sent).Should(HaveLen(6), "also while its number is away")
	})

	It("has a customer's next recovery begin on the number that the customer knows", func() {
		w, _, _, there := begun(uncooled)
		again := w.abandon(from(2), ofAnotherProduct)
		Eventually(w.state(again, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		Expect(w.senders()[2:]).To(Equal([]string{"second"}))
		Expect(w.lead(again).Status.InstanceRef).To(Equal(w.lead(there).Status.InstanceRef))
	})

	It("has conversations wait for a number that was logged out", func() {
		w, r, _, there := begun()
		w.setInstance("second", sinceWhen(metav1.ConditionFalse, v1alpha1.ReasonLoggedOut,
			w.clock.Now().Add(-plan.LostAfter+4*time.Second)))
		r.saw(w, &v1alpha1.WhatsAppInstance{}, "second")
		w.says(there, "in-1", "Tem boleto?")
		Eventually(w.blocked(there)).Should(Equal(v1alpha1.ReasonNoConnectedInstance))
		Eventually(w.blocked(there)).Should(Equal(v1alpha1.ReasonNumberLost), "by its own timer")
		Expect(w.blockedMessage(there)).To(ContainSubstring("second"))
		Eventually(w.events).Should(ContainElement(v1alpha1.ReasonNumberLost))
		fresh := w.abandon(from(3))
		Eventually(w.state(fresh, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		w.advance(time.Hour)
		Consistently(w.sent).Should(HaveLen(3))
		Expect(w.senders()[2]).To(Equal(gen.Instance))
		w.setInstance("second", sinceWhen(metav1.ConditionTrue, v1alpha1.ReasonConnected, w.clock.Now()))
		Eventually(w.state(there, answerOf)).Should(Equal(v1alpha1.MessageSent))
		Eventually(w.blocked(there)).Should(BeEmpty())
		Expect(w.senders()[3]).To(Equal("second"))
		Expect(count(r.api.written(), claims)).To(Equal(4))
	})

	It("moves them after ten minutes where that was asked for", func() {
		w, r, _, there := begun(moves)
		lost := w.clock.Now().Add(-plan.LostAfter + 5*time.Second)
		w.setInstance("second", sinceWhen(metav1.ConditionFalse, v1alpha1.ReasonLoggedOut, lost))
		r.saw(w, &v1alpha1.WhatsAppInstance{}, "second")
		w.says(there, "in-1", "Tem boleto?")
		Eventually(w.blocked(there)).Should(Equal(v1alpha1.ReasonNoConnectedInstance))
		Expect(w.sent()).To(HaveLen(2))
		Eventually(w.state(there, answerOf)).Should(Equal(v1alpha1.MessageSent), "by its own timer")
		Expect(w.sent()[2].ReceivedAt).To(BeTemporally(">=", lost.UTC().Truncate(time.Second).Add(plan.LostAfter)))
		got := w.lead(there).Status
		Expect(lead.Find(got.Conversation, answerOf).Instance).To(Equal(gen.Instance))
		Expect(lead.Find(got.Conversation, gen.FirstID).Instance).To(Equal("second"))
		Expect(got.InstanceRef.Name).To(Equal(gen.Instance))
		Eventually(w.blocked(there)).Should(BeEmpty())
		w.setInstance("second", sinceWhen(metav1.ConditionTrue, v1alpha1.ReasonConnected, w.clock.Now()))
		r.saw(w, &v1alpha1.WhatsAppInstance{}, "second")
		w.says(there, "in-2", "E PIX?")
		Eventually(w.state(there, lead.ReplyID(0, "in-2"))).Should(Equal(v1alpha1.MessageSent))
		Expect(w.senders()).To(Equal([]string{gen.Instance, "second", gen.Instance, gen.Instance}),
			"it does not move back")
	})

	It("moves no conversation of a number that is only away", func() {
		w, r, _, there := begun(moves)
		w.setInstance("second", func(i *v1alpha1.WhatsAppInstance) {
			apimeta.SetStatusCondition(&i.Status.Conditions, metav1.Condition{
				Type: v1alpha1.ConditionGatewayReachable, Status: metav1.ConditionFalse,
				Reason: v1alpha1.ReasonGatewayUnreachable,
			})
		})
		r.saw(w, &v1alpha1.WhatsAppInstance{}, "second")
		w.says(there, "in-1", "Tem boleto?")
		Eventually(w.blocked(there)).Should(Equal(v1alpha1.ReasonGatewayUnreachable))
		w.advance(2 * time.Hour)
		Consistently(w.sent).Should(HaveLen(2))
	})

	It("begins conversations on the other one while one is restricted, at once", func() {
		w := newWorld()
		w.pair("second")
		w.setInstance(gen.Instance, func(i *v1alpha1.WhatsAppInstance) {
			i.Status.NewConversationsPausedUntil = &metav1.Time{Time: w.clock.Now().Add(time.Hour)}
		})
		r := w.start()
		for number := range 3 {
			name := w.abandon(from(number))
			Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		}
		Expect(w.senders()).To(Equal([]string{"second", "second", "second"}))
		Expect(count(r.api.written(), writesConditions)).To(BeZero(), "nothing stood in the way")
	})
})

var _ = Describe("A store with many leads", func() {
	It("delays no other store's one, neither at the AI nor at the number", func() {
		w := newWorld()
		w.secondStore("other")
		w.limit(oneAMinute)
		held := make(chan struct{})
		w.openai.HoldUntil(held)
		for number := range 20 {
			w.dueAgo(100+number, time.Minute)
		}
		w.start(settling)
		Eventually(w.asked).Should(BeNumerically(">=", 1))
		theirs := w.abandon(from(1), inStore("other"))
		Eventually(w.state(theirs, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		Expect(w.senders()).To(Equal([]string{"other-phone"}))
		close(held)
		Expect(w.onTheWay(2)).To(HaveLen(2))
	})
})

var _ = Describe("A number that is suspended", func() {
	It("sends nothing until it no longer is, and its leads wait for it", func() {
		w := newWorld()
		r := w.start()
		open := w.abandon(from(1))
		Eventually(w.state(open, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		suspend := func(value bool) {
			instance := w.instance(gen.Instance)
			before := instance.DeepCopy()
			instance.Spec.Suspend = value
			Expect(environment.Client.Patch(w.ctx, instance, client.MergeFrom(before))).To(Succeed())
		}
		suspend(true)
		r.saw(w, &v1alpha1.WhatsAppInstance{}, gen.Instance)
		w.says(open, "in-1", "Tem boleto?")
		fresh := w.abandon(from(2))
		for _, name := range []string{open, fresh} {
			Eventually(w.blocked(name)).Should(Equal(v1alpha1.ReasonNoConnectedInstance))
		}
		w.advance(time.Hour)
		Consistently(w.sent).Should(HaveLen(1))
		suspend(false)
		Eventually(w.state(open, lead.ReplyID(0, "in-1"))).Should(Equal(v1alpha1.MessageSent))
		Eventually(w.state(fresh, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		Expect(w.sent()).To(HaveLen(3))
	})
})

// blockedMessage is what a lead's Blocked condition says.
func (w *world) blockedMessage(name string) string {
	GinkgoHelper()
	condition := apimeta.FindStatusCondition(w.lead(name).Status.Conditions, v1alpha1.ConditionBlocked)
	Expect(condition).NotTo(BeNil())
	return condition.Message
}

var _ = Describe("A number that was away", func() {
	It("catches up in order, no faster than its pace, and without what has become too old", func() {
		w := newWorld(policyOf(func(p *v1alpha1.RecoveryPolicy) { p.ExpireAfter = new(after(2 * time.Hour)) }))
		w.limit(oneAMinute)
		w.setInstance(gen.Instance, online(metav1.ConditionFalse))
		r := w.start(settling)
		names := map[int]string{}
		for _, number := range []int{3, 1, 5, 2, 4} {
			names[number] = w.dueAgo(number, time.Duration(6-number)*10*time.Minute)
		}
		for _, name := range names {
			Eventually(w.blocked(name)).Should(Equal(v1alpha1.ReasonNoConnectedInstance))
		}
		w.advance(75 * time.Minute)
		Eventually(w.outcome(names[1])).Should(Equal(v1alpha1.ReasonNeverContacted), "left more than two hours ago")
		Expect(w.sent()).To(BeEmpty())
		Expect(w.asked()).To(BeZero())
		w.setInstance(gen.Instance, online(metav1.ConditionTrue))
		for sent := 1; sent <= 4; sent++ {
			Expect(w.onTheWay(sent)).To(Equal([]string{digits(2), digits(3), digits(4), digits(5)}[:sent]))
			for waiting := sent + 2; waiting <= 5; waiting++ {
				Eventually(w.blocked(names[waiting])).Should(Equal(v1alpha1.ReasonPaced))
			}
			w.advance(61 * time.Second)
		}
		for number := 2; number <= 5; number++ {
			Eventually(w.state(names[number], gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
			Eventually(w.blocked(names[number])).Should(BeEmpty())
		}
		Expect(count(r.api.written(), claims)).To(Equal(4))
		Expect(count(r.api.written(), writesOutcome)).To(Equal(1))
	})
})

var _ = Describe("What a recovery was worth", func() {
	It("is in the status: the step that won, the messages, the money and the time", func() {
		w := newWorld(steps(v1alpha1.Step{Name: "first", After: after(soonDue)},
			v1alpha1.Step{Name: "second", After: after(time.Hour)},
			v1alpha1.Step{Name: "third", After: after(24 * time.Hour)}))
		r := w.start()
		name := w.abandon()
		Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		w.advance(time.Hour + time.Second)
		Eventually(w.state(name, lead.StepID(0, "second"))).Should(Equal(v1alpha1.MessageSent))
		w.advance(30 * time.Minute)
		abandoned, boughtAt := w.lead(name).Spec.AbandonedAt, w.clock.Now()
		w.change(name, func(l *v1alpha1.CartRecovery) {
			gen.Bought(boughtAt)(l)
			l.Spec.Purchase.Amount, l.Spec.Purchase.Currency = "197.90", "BRL"
		})
		Eventually(w.outcome(name)).Should(Equal(v1alpha1.ReasonBoughtAfterContact))
		result := w.lead(name).Status.Result
		Expect(result).NotTo(BeNil())
		Expect(*result).To(And(HaveField("Step", "second"), HaveField("Messages", int32(2)),
			HaveField("Amount", "197.90"), HaveField("Currency", "BRL"),
			HaveField("ReversedAt", BeNil())))
		Expect(result.TimeToRecovery.Duration).To(BeNumerically("~", boughtAt.Sub(abandoned.Time), time.Second))
		Expect(result.TimeFromMessage.Duration).To(BeNumerically("~", 30*time.Minute, 20*time.Second))
		reversedAt := v1alpha1.NewTimestamp(w.clock.Now())
		w.change(name, func(l *v1alpha1.CartRecovery) {
			l.Spec.Reversal = &v1alpha1.Reversal{EventID: "e2", Kind: v1alpha1.ReversalChargeback, At: reversedAt}
		})
		Eventually(w.outcome(name)).Should(Equal(v1alpha1.ReasonReversed))
		reversed := w.lead(name).Status.Result
		Expect(reversed.ReversedAt).To(HaveValue(HaveField("Time", BeTemporally("==", reversedAt.Time))))
		Expect(reversed.Amount).To(Equal("197.90"), "what was lost is still told")
		Eventually(r.api.written).Should(Equal([]string{claims, confirms, claims, confirms, writesOutcome,
			writesConditions}))
	})

	It("is nothing for a customer who bought before any message", func() {
		w := newWorld(steps(v1alpha1.Step{Name: "first", After: after(time.Hour)}))
		w.start()
		name := w.abandon()
		w.buys(name)
		Eventually(w.outcome(name)).Should(Equal(v1alpha1.ReasonBoughtBeforeContact))
		Expect(w.lead(name).Status.Result).To(BeNil())
	})
})

var _ = Describe("What comes next", func() {
	It("is told from the first write on, and costs none", func() {
		w := newWorld(steps(v1alpha1.Step{Name: "first", After: after(soonDue)},
			v1alpha1.Step{Name: "second", After: after(24 * time.Hour)}))
		r := w.start()
		name := w.abandon()
		Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		status := w.lead(name).Status
		due := status.Conversation[0].SentAt.Add(24 * time.Hour)
		Expect(status.NextAction).To(HaveValue(And(
			HaveField("Action", "Send"), HaveField("MessageID", "c0-step-second"),
			HaveField("Time.Time", BeTemporally("~", due, time.Second)),
			HaveField("Message", ContainSubstring("is due at")))))
		Expect(status.NextActionTime).To(Equal(status.NextAction.Time))
		w.poke()
		Consistently(r.api.written).Should(Equal([]string{claims, confirms}),
			"a fresh lead costs a claim and a confirmation")

		w.change(name, func(l *v1alpha1.CartRecovery) { l.Spec.Suspend = true })
		Eventually(w.blocked(name)).Should(Equal(v1alpha1.ReasonSuspended))
		next := w.lead(name).Status.NextAction
		Expect(next).To(HaveValue(And(HaveField("Action", "Wait"), HaveField("Message", "spec.suspend is set"))))
		w.change(name, func(l *v1alpha1.CartRecovery) { l.Spec.Suspend = false })
		Eventually(w.blocked(name)).Should(BeEmpty())
		Expect(w.lead(name).Status.NextAction).To(HaveValue(HaveField("MessageID", "c0-step-second")))
		w.buys(name)
		Eventually(w.outcome(name)).Should(Equal(v1alpha1.ReasonBoughtAfterContact))
		status = w.lead(name).Status
		Expect(status.NextAction).To(HaveValue(And(HaveField("Action", "Wait"),
			HaveField("Message", ContainSubstring("deleted")),
			HaveField("Time.Time", BeTemporally(">", status.CompletionTime.Time)))))
		Eventually(r.api.written).Should(Equal([]string{claims, confirms, writesConditions, writesConditions,
			writesOutcome}))
	})
})
