package cartrecovery

import (
	"sync"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/client-go/tools/events"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/controllers/cartrecovery/plan"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/simulator"
)

func TestTellHandedOff(t *testing.T) {
	recorder := events.NewFakeRecorder(10)
	r := &Reconciler{Recorder: recorder, notified: newest[takeover, struct{}](9)}
	recovery := gen.Lead(gen.T0, gen.FromPerson("op1", gen.T0))
	r.notifyHandedOff(recovery, gen.T0.Add(notifyHandOver+time.Second))
	if len(recorder.Events) != 0 {
		t.Error("it tells of what its predecessor told of")
	}
	r.notifyHandedOff(recovery, gen.T0.Add(time.Minute))
	r.notifyHandedOff(recovery, gen.T0.Add(2*time.Minute))
	if len(recorder.Events) != 1 {
		t.Errorf("it tells %d times", len(recorder.Events))
	}
	plan.ResumedFor(v1alpha1.ReasonResumed, "", 1, gen.T0.Add(time.Hour))(&recovery.Status)
	gen.FromPerson("op2", gen.T0.Add(2*time.Hour))(recovery)
	r.notifyHandedOff(recovery, gen.T0.Add(2*time.Hour))
	if len(recorder.Events) != 2 {
		t.Error("it does not tell of a person who takes over again")
	}
}

// handedOff is the reason of a lead's HandedOff condition.
func (w *world) handedOff(name string) func() string {
	return func() string { return reasonOf(w.lead(name), v1alpha1.ConditionHandedOff) }
}

// count is how often a reason is among the events, repetitions of one included.
func count(reasons []string, reason string) int {
	n := 0
	for _, each := range reasons {
		if each == reason {
			n++
		}
	}
	return n
}

var _ = Describe("A person who takes over", func() {
	twoSteps := steps(v1alpha1.Step{Name: "first", After: after(soonDue)},
		v1alpha1.Step{Name: "second", After: after(time.Hour)})
	contacted := func() (*world, *replica, string) {
		w := newWorld(twoSteps)
		r := w.start()
		name := w.abandon()
		Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		return w, r, name
	}

	It("is not talked over, and the purchase still counts", func() {
		w, r, name := contacted()
		w.operatorWrites(name, "op-1", "Oi, aqui é a Ana da loja")
		Eventually(w.events).Should(ContainElement(v1alpha1.ConditionHandedOff))
		w.advance(2 * time.Hour)
		w.says(name, "in-1", "Tem desconto?")
		w.advance(time.Minute)
		Consistently(w.sent).Should(HaveLen(1))
		Expect(w.asked()).To(Equal(1), "no text is written either")
		Expect(w.blocked(name)()).To(BeEmpty(), "it is wanted")
		Expect(count(w.events(), v1alpha1.ConditionHandedOff)).To(Equal(1))
		w.buys(name)
		Eventually(w.phase(name)).Should(Equal(v1alpha1.PhaseRecovered))
		Eventually(r.api.written).Should(Equal([]string{claims, confirms, writesOutcome}), "silence costs no write")
	})

	It("gives the conversation back, and is not repeated", func() {
		w, r, name := contacted()
		w.says(name, "in-1", "Tem desconto?", func(m *v1alpha1.Message) {
			m.At = v1alpha1.NewTimestamp(w.clock.Now().Add(time.Hour))
		})
		w.operatorWrites(name, "op-1", "Tem sim, 10%")
		w.advance(time.Hour + time.Minute)
		w.resumes(name)
		Eventually(w.handedOff(name)).Should(Equal(v1alpha1.ReasonResumed))
		Eventually(w.events).Should(ContainElement(v1alpha1.ReasonResumed))
		Consistently(w.sent).Should(HaveLen(1))
		w.says(name, "in-2", "E boleto?")
		Eventually(w.state(name, lead.ReplyID(0, "in-2"))).Should(Equal(v1alpha1.MessageSent))
		Expect(w.sent()).To(HaveLen(2))
		asked := w.openai.Requests()[1].Messages
		Expect(asked[len(asked)-3:]).To(Equal([]simulator.ChatMessage{
			{Role: "user", Content: "Tem desconto?"}, {Role: "assistant", Content: "Tem sim, 10%"},
			{Role: "user", Content: "E boleto?"},
		}))
		Eventually(r.api.written).Should(Equal([]string{claims, confirms, writesConditions, claims, confirms}))
		w.advance(time.Minute)
		w.operatorWrites(name, "op-2", "Deixa comigo")
		w.says(name, "in-3", "Ok")
		w.advance(time.Minute)
		Consistently(w.sent).Should(HaveLen(2))
		Expect(w.handedOff(name)()).To(Equal(v1alpha1.ReasonPersonWrote))
	})

	It("lets a customer who did not answer hear the next step, counted from the person's message", func() {
		w, _, name := contacted()
		w.advance(50 * time.Minute)
		w.operatorWrites(name, "op-1", "Oi, posso ajudar?")
		w.advance(10 * time.Second)
		w.resumes(name)
		Eventually(w.handedOff(name)).Should(Equal(v1alpha1.ReasonResumed))
		w.advance(30 * time.Minute)
		Consistently(w.asked).Should(Equal(1))
		w.advance(30 * time.Minute)
		Eventually(w.state(name, lead.StepID(0, "second"))).Should(Equal(v1alpha1.MessageSent))
	})

	It("just before a message is claimed stops that message", func() {
		w := newWorld()
		var once sync.Once
		var refusal error
		w.start(around(func(kind string, recovery *v1alpha1.CartRecovery, write func() error) error {
			if kind != claims {
				return write()
			}
			once.Do(func() { w.operatorWrites(recovery.Name, "op-1", "Oi, aqui é a Ana") })
			refusal = write()
			return refusal
		}))
		name := w.abandon()
		Eventually(w.events).Should(ContainElement(v1alpha1.ConditionHandedOff))
		Expect(refusal).To(MatchError(ContainSubstring("the object has been modified")))
		w.advance(time.Hour)
		Consistently(func() int { return w.called(sendPath) }).Should(BeZero())
		Expect(w.lead(name).Status.Conversation).To(HaveLen(1))
	})
})

var _ = Describe("A message that the customer changes", func() {
	contacted := func(mods ...func(*v1alpha1.Store)) (*world, *replica, string) {
		w := newWorld(mods...)
		r := w.start()
		name := w.abandon()
		Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		return w, r, name
	}

	It("while its answer is written is answered as changed, once", func() {
		w, _, name := contacted()
		held := make(chan struct{})
		w.openai.HoldUntil(held)
		w.says(name, "in-1", "Tem desconto?")
		Eventually(w.asked).Should(Equal(2))
		w.edits(name, "Tem boleto?")
		Eventually(w.asked).Should(Equal(3))
		close(held)
		Eventually(w.state(name, lead.ReplyID(0, "in-1"))).Should(Equal(v1alpha1.MessageSent))
		Consistently(w.sent).Should(HaveLen(2))
		asked := w.openai.Requests()[2].Messages
		Expect(asked[len(asked)-1].Content).To(Equal("Tem boleto?"))
		w.edits(name, "Tem boleto parcelado?")
		w.advance(time.Minute)
		Consistently(w.asked).Should(Equal(3), "what was answered is not answered again")
		Expect(w.sent()).To(HaveLen(2))
	})

	It("just before its answer is claimed is answered as changed", func() {
		w := newWorld()
		var once sync.Once
		w.start(around(func(kind string, recovery *v1alpha1.CartRecovery, write func() error) error {
			if m := lead.Find(recovery.Status.Conversation, lead.ReplyID(0, "in-1")); kind == claims && m != nil {
				once.Do(func() { w.edits(recovery.Name, "Tem boleto?") })
			}
			return write()
		}))
		name := w.abandon()
		Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		w.says(name, "in-1", "Tem desconto?")
		Eventually(w.state(name, lead.ReplyID(0, "in-1"))).Should(Equal(v1alpha1.MessageSent))
		Consistently(w.sent).Should(HaveLen(2))
		Expect(w.asked()).To(Equal(3))
		asked := w.openai.Requests()[2].Messages
		Expect(asked[len(asked)-1].Content).To(Equal("Tem boleto?"))
	})

	It("into a word that stops us stops us", func() {
		w, _, name := contacted(func(s *v1alpha1.Store) { s.Spec.Recovery.ReplyDebounce = new(after(time.Minute)) })
		w.says(name, "in-1", "Para")
		w.edits(name, "PARAR")
		Eventually(w.outcome(name)).Should(Equal(v1alpha1.ReasonOptedOut))
		Expect(w.state(name, lead.OptOutID(0))()).To(Equal(v1alpha1.MessageSent))
		w.advance(time.Hour)
		Consistently(w.sent).Should(HaveLen(2))
	})

	It("or reads, or reacts to, costs no write and no message", func() {
		w, r, name := contacted(steps(v1alpha1.Step{Name: "first", After: after(soonDue)},
			v1alpha1.Step{Name: "second", After: after(time.Hour)}))
		at := v1alpha1.NewTimestamp(w.clock.Now())
		w.status(name, func(status *v1alpha1.CartRecoveryStatus) {
			status.Conversation[0].DeliveredAt, status.Conversation[0].ReadAt = &at, &at
		})
		w.status(name, func(status *v1alpha1.CartRecoveryStatus) { status.Conversation[0].Reaction = "👍" })
		w.poke()
		Consistently(r.api.written).Should(Equal([]string{claims, confirms}))
		Expect(w.sent()).To(HaveLen(1))
		Expect(w.asked()).To(Equal(1))
		w.advance(time.Hour + time.Second)
		Eventually(w.state(name, lead.StepID(0, "second"))).Should(Equal(v1alpha1.MessageSent))
		Expect(w.lead(name).Status.Conversation[0].Reaction).To(Equal("👍"), "what others write is kept")
	})
})
