package cartrecovery

import (
	"sync"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/lru"
	"k8s.io/utils/ptr"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/policy"
	"cartrecovery.dev/operator/internal/simulator"
)

// resumedAt is the annotation that asks for it.
func resumeAskedAt(at time.Time) gen.LeadMod {
	return func(recovery *v1alpha1.CartRecovery) {
		recovery.Annotations = map[string]string{v1alpha1.AnnotationResumeRequested: at.Format(time.RFC3339)}
	}
}

// resumedBy is a lead that was given back.
func resumedBy(at time.Time) gen.LeadMod {
	return func(recovery *v1alpha1.CartRecovery) {
		resumeAskedAt(at)(recovery)
		resumed(lead.ResumeRequest(recovery), 1, at)(&recovery.Status)
	}
}

func editedAt(at time.Time) gen.LeadMod {
	return func(recovery *v1alpha1.CartRecovery) {
		edited := v1alpha1.NewTimestamp(at)
		recovery.Status.Conversation[len(recovery.Status.Conversation)-1].EditedAt = &edited
	}
}

// handOffCases are the rows about a person who takes over, and about edits and receipts.
func handOffCases() []planCase {
	const hour = time.Hour
	sent := gen.FromUs(gen.FirstID, v1alpha1.MessageSent, gen.T0.Add(gen.FirstDue))
	asks, takes := gen.FromCustomer("m1", gen.T0.Add(hour)), gen.FromPerson("op1", gen.T0.Add(hour+time.Minute))
	asksBefore, gives := gen.FromCustomer("m1", gen.T0.Add(hour-time.Minute)), resumedBy(gen.T0.Add(2*hour))
	replyID := lead.ReplyID(0, "m1")
	twoSteps := []v1alpha1.Step{
		{Name: "first", After: v1alpha1.Duration{Duration: gen.FirstDue}},
		{Name: "second", After: v1alpha1.Duration{Duration: hour}},
	}
	later := 2*hour + time.Minute
	receipts := func(l *v1alpha1.CartRecovery) {
		at := v1alpha1.NewTimestamp(gen.T0.Add(hour))
		m := &l.Status.Conversation[0]
		m.DeliveredAt, m.ReadAt, m.Reaction = &at, &at, "👍"
	}
	reply := func(state v1alpha1.MessageState, at time.Duration) gen.LeadMod {
		return gen.FromUs(replyID, state, gen.T0.Add(at), func(m *v1alpha1.Message) { m.Step = "" }, attempts(1, gen.T0.Add(at)))
	}
	return []planCase{
		{name: "a person who took over is left alone", now: later, text: ready(), lead: []gen.LeadMod{sent, takes, asksBefore}, want: wait, until: hour + time.Minute + gen.ExpiresAt},
		{name: "no text is written meanwhile", now: later, lead: []gen.LeadMod{sent, asksBefore, takes}, want: wait, until: hour + time.Minute + gen.ExpiresAt},
		{name: "no step goes meanwhile", now: 3 * hour, text: ready(), steps: twoSteps, lead: []gen.LeadMod{sent, takes}, want: wait, until: hour + time.Minute + gen.ExpiresAt},
		{name: "nor does a first message", now: later, text: ready(), lead: []gen.LeadMod{takes}, want: wait, until: hour + time.Minute + gen.ExpiresAt},
		{name: "a purchase counts all the same", now: later, lead: []gen.LeadMod{sent, takes, gen.Bought(gen.T0.Add(later))}, want: finish, outcome: v1alpha1.ReasonBoughtAfterContact},
		{name: "so does a wish to be left alone", now: later, lead: []gen.LeadMod{sent, takes, asks, func(l *v1alpha1.CartRecovery) { l.Status.Conversation[2].Text = "parar" }}, want: finish, outcome: v1alpha1.ReasonOptedOut},
		{name: "so does a suspended store", now: later, suspended: true, lead: []gen.LeadMod{sent, takes}, want: wait, until: hour + time.Minute + gen.ExpiresAt, blocked: v1alpha1.ReasonSuspended},
		{name: "a claim is resolved all the same", now: later, lead: []gen.LeadMod{gen.FromUs(gen.FirstID, v1alpha1.MessageClaimed, gen.T0.Add(gen.FirstDue)), takes}, want: resolve, message: gen.FirstID},
		{name: "and the lead expires, counted from the person's message", now: hour + time.Minute + gen.ExpiresAt, lead: []gen.LeadMod{sent, takes}, want: finish, outcome: v1alpha1.ReasonUnanswered},
		{name: "somebody whom a person wrote to was contacted", now: hour + time.Minute + gen.ExpiresAt, lead: []gen.LeadMod{takes}, want: finish, outcome: v1alpha1.ReasonUnanswered},

		{name: "what was given back is resumed", now: later, text: ready(), lead: []gen.LeadMod{sent, takes, resumeAskedAt(gen.T0.Add(2 * hour))}, want: resume},
		{name: "what was given back before the person wrote is not", now: later, lead: []gen.LeadMod{sent, takes, resumeAskedAt(gen.T0.Add(hour))}, want: wait, until: hour + time.Minute + gen.ExpiresAt},
		{name: "what is no time gives nothing back", now: later, lead: []gen.LeadMod{sent, takes, func(l *v1alpha1.CartRecovery) {
			l.Annotations = map[string]string{v1alpha1.AnnotationResumeRequested: "yes"}
		}}, want: wait, until: hour + time.Minute + gen.ExpiresAt},
		{name: "after it, what the person answered is not answered again", now: later, text: ready(), lead: []gen.LeadMod{sent, asksBefore, takes, gives}, want: wait, until: hour + time.Minute + gen.ExpiresAt},
		{name: "after it, what came after the person's message is answered", now: later, text: ready(), lead: []gen.LeadMod{sent, takes, gen.FromCustomer("m1", gen.T0.Add(hour+2*time.Minute)), gives}, want: send, message: replyID},
		{name: "by the order in which they came, whatever the clocks say", now: later, text: ready(), lead: []gen.LeadMod{sent, takes, asks, gives}, want: send, message: replyID},
		{name: "after it, a step counts from the person's message", now: hour + 2*time.Minute, text: ready(), steps: twoSteps, lead: []gen.LeadMod{sent, takes, gives}, want: wait, until: 2*hour + time.Minute - prepareAhead},
		{name: "and goes", now: later, text: ready(), steps: twoSteps, lead: []gen.LeadMod{sent, takes, gives}, want: send, message: "c0-step-second"},
		{name: "unless the customer wrote at all", now: 3 * hour, text: ready(), steps: twoSteps, lead: []gen.LeadMod{sent, asksBefore, takes, gives}, want: wait, until: hour + time.Minute + gen.ExpiresAt},
		{name: "a refused step waits for its delay from the person's message", now: hour + 2*time.Minute, text: ready(),
			lead: []gen.LeadMod{gen.FromUs(gen.FirstID, v1alpha1.MessageFailed, gen.T0.Add(gen.FirstDue), attempts(1, gen.T0.Add(gen.FirstDue+time.Minute))), takes, gives}, want: wait, until: hour + time.Minute + gen.FirstDue - prepareAhead},
		{name: "and is written anew", now: later, lead: []gen.LeadMod{gen.FromUs(gen.FirstID, v1alpha1.MessageFailed, gen.T0.Add(gen.FirstDue), attempts(1, gen.T0.Add(gen.FirstDue+time.Minute))), takes, gives}, want: prepare, message: gen.FirstID},

		{name: "an edited message is answered as edited, after the debounce", now: hour + 10*time.Second, lead: []gen.LeadMod{sent, asks, editedAt(gen.T0.Add(hour + 9*time.Second))}, want: wait, until: hour + 9*time.Second + policy.DefaultReplyDebounce},
		{name: "an edit that is still to come delays nothing", now: hour + 10*time.Second, text: ready(), lead: []gen.LeadMod{sent, asks, editedAt(gen.T0.Add(24 * hour))}, want: send, message: replyID},
		{name: "a refused answer to the old text is written anew", now: later, lead: []gen.LeadMod{sent, reply(v1alpha1.MessageFailed, hour+time.Minute), asks, editedAt(gen.T0.Add(hour + 2*time.Minute))}, want: prepare, message: replyID},
		{name: "a refused answer to the text as it is is sent as it is", now: hour + 10*time.Minute, lead: []gen.LeadMod{sent, reply(v1alpha1.MessageFailed, hour+time.Minute), asks, editedAt(gen.T0.Add(hour + 30*time.Second))}, want: send, message: replyID},
		{name: "an answered message that is edited is not answered again", now: later, text: ready(), lead: []gen.LeadMod{sent, reply(v1alpha1.MessageSent, hour+time.Minute), asks, editedAt(gen.T0.Add(hour + 2*time.Minute))}, want: wait},
		{name: "receipts and reactions decide nothing", now: later, text: ready(), lead: []gen.LeadMod{sent, receipts}, want: wait, until: gen.FirstDue + gen.ExpiresAt},
	}
}

func TestTextIDFollowsWhatOthersSay(t *testing.T) {
	id := func(mods ...gen.LeadMod) textID {
		s := situation{lead: gen.Lead(gen.T0, mods...), store: gen.StoreObject()}
		return s.textID("c0-reply-1")
	}
	asks, sent := gen.FromCustomer("m1", gen.T0), gen.FromUs(gen.FirstID, v1alpha1.MessageSent, gen.T0)
	plain := id(sent, asks)
	if id(gen.FromUs(gen.FirstID, v1alpha1.MessageUnknown, gen.T0), asks) != plain {
		t.Error("what became of a message of ours changes what was said")
	}
	for name, other := range map[string]textID{
		"an edit":          id(sent, asks, func(l *v1alpha1.CartRecovery) { l.Status.Conversation[1].Text = "Tem boleto?" }),
		"a person's text":  id(sent, asks, gen.FromPerson("op1", gen.T0)),
		"another question": id(sent, asks, gen.FromCustomer("m2", gen.T0)),
		"another store": func() textID {
			s := situation{lead: gen.Lead(gen.T0, sent, asks), store: gen.StoreObject(func(s *v1alpha1.Store) { s.Generation = 9 })}
			return s.textID("c0-reply-1")
		}(),
	} {
		if other == plain {
			t.Errorf("%s leaves the text what it was", name)
		}
	}
}

func TestResumed(t *testing.T) {
	recovery := gen.Lead(gen.T0, gen.FromPerson("op1", gen.T0), resumeAskedAt(gen.T0.Add(time.Hour)))
	if lead.HandedOff(recovery) {
		t.Fatal("still handed off")
	}
	if !resumed(lead.ResumeRequest(recovery), 4, gen.T0.Add(90*time.Minute))(&recovery.Status) || resumed(lead.ResumeRequest(recovery), 4, gen.T0.Add(2*time.Hour))(&recovery.Status) {
		t.Error("it is written once")
	}
	got := apimeta.FindStatusCondition(recovery.Status.Conditions, v1alpha1.ConditionHandedOff)
	if got.Status != metav1.ConditionFalse || got.Reason != v1alpha1.ReasonResumed || got.ObservedGeneration != 4 || !got.LastTransitionTime.Time.Equal(gen.T0.Add(90*time.Minute+time.Second)) {
		t.Errorf("condition %+v", got)
	}
	gen.FromPerson("op2", gen.T0.Add(3*time.Hour))(recovery)
	if !lead.HandedOff(recovery) {
		t.Error("a person who writes again has it again")
	}
}

// A request whose time is ahead of the clock gives a conversation back once, and not again
// when the customer asks for a person after it.
func TestResumedAheadOfTheClock(t *testing.T) {
	recovery := gen.Lead(gen.T0, gen.FromPerson("op1", gen.T0), resumeAskedAt(gen.T0.Add(time.Hour)))
	resumed(lead.ResumeRequest(recovery), 1, gen.T0.Add(time.Minute))(&recovery.Status)
	handedOver(1, gen.T0.Add(2*time.Minute))(&recovery.Status)
	if !lead.HandedOff(recovery) {
		t.Error("it is given back again")
	}
	resumeAskedAt(gen.T0.Add(2 * time.Hour))(recovery)
	if lead.HandedOff(recovery) {
		t.Error("a new request gives nothing back")
	}
}

// What the customer asked for in the second in which the conversation was given back is over.
func TestResumedWithinTheSecond(t *testing.T) {
	c := planCase{now: time.Hour + time.Minute, text: ready(), lead: []gen.LeadMod{
		gen.FromUs(gen.FirstID, v1alpha1.MessageSent, gen.T0), gen.FromCustomer("m1", gen.T0.Add(time.Hour+300*time.Millisecond)),
		func(l *v1alpha1.CartRecovery) { l.Status.Conversation[1].Text = "atendente" }, resumedBy(gen.T0.Add(time.Hour + 500*time.Millisecond)),
	}}
	if got := plan(c.situation()); got.kind != send {
		t.Errorf("got %s, want the answer", got.kind)
	}
}

func TestTellHandedOff(t *testing.T) {
	recorder := events.NewFakeRecorder(10)
	r := &Reconciler{Recorder: recorder, told: lru.New(9)}
	recovery := gen.Lead(gen.T0, gen.FromPerson("op1", gen.T0))
	r.tellHandedOff(recovery, gen.T0.Add(tellHandOver+time.Second))
	if len(recorder.Events) != 0 {
		t.Error("it tells of what its predecessor told of")
	}
	r.tellHandedOff(recovery, gen.T0.Add(time.Minute))
	r.tellHandedOff(recovery, gen.T0.Add(2*time.Minute))
	if len(recorder.Events) != 1 {
		t.Errorf("it tells %d times", len(recorder.Events))
	}
	resumed("", 1, gen.T0.Add(time.Hour))(&recovery.Status)
	gen.FromPerson("op2", gen.T0.Add(2*time.Hour))(recovery)
	r.tellHandedOff(recovery, gen.T0.Add(2*time.Hour))
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
	twoSteps := steps(v1alpha1.Step{Name: "first", After: after(soonDue)}, v1alpha1.Step{Name: "second", After: after(time.Hour)})
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
		w.says(name, "in-1", "Tem desconto?", func(m *v1alpha1.Message) { m.At = v1alpha1.NewTimestamp(w.clock.Now().Add(time.Hour)) })
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
			{Role: "user", Content: "Tem desconto?"}, {Role: "assistant", Content: "Tem sim, 10%"}, {Role: "user", Content: "E boleto?"},
		}))
		Eventually(r.api.written).Should(Equal([]string{claims, confirms, writesConditions, claims, confirms}))
		w.advance(time.Minute)
		w.operatorWrites(name, "op-2", "Deixa comigo")
		w.says(name, "in-3", "Ok")
		w.advance(time.Minute)
		Consistently(w.sent).Should(HaveLen(2))
		Expect(w.handedOff(name)()).To(Equal(v1alpha1.ReasonOperatorWrote))
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
		w, _, name := contacted(func(s *v1alpha1.Store) { s.Spec.Recovery.ReplyDebounce = ptr.To(after(time.Minute)) })
		w.says(name, "in-1", "Para")
		w.edits(name, "PARAR")
		Eventually(w.outcome(name)).Should(Equal(v1alpha1.ReasonOptedOut))
		Expect(w.state(name, lead.OptOutID(0))()).To(Equal(v1alpha1.MessageSent))
		w.advance(time.Hour)
		Consistently(w.sent).Should(HaveLen(2))
	})

	It("or reads, or reacts to, costs no write and no message", func() {
		w, r, name := contacted(steps(v1alpha1.Step{Name: "first", After: after(soonDue)}, v1alpha1.Step{Name: "second", After: after(time.Hour)}))
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
