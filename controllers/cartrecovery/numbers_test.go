package cartrecovery

import (
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clocktesting "k8s.io/utils/clock/testing"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/controllers/cartrecovery/plan"
	"cartrecovery.dev/operator/internal/contacts"
	"cartrecovery.dev/operator/internal/failure"
	"cartrecovery.dev/operator/internal/gateway"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/phone"
	"cartrecovery.dev/operator/internal/simulator"
)

func TestRecipient(t *testing.T) {
	for _, c := range []struct{ phone, id, want string }{
		{"+5531988776655", "", "5531988776655"},
		{"+5531988776655", "553188776655", "553188776655"},
		{"+5531988776655", "5531988776655", "5531988776655"},
		{"+5531988776655", "553188776656", "5531988776655"},
		{"+5531988776655", "553288776655", "5531988776655"},
		{"+5531988776655", "553188776655@lid", "5531988776655"},
		{"+5531988776655", "88776655", "5531988776655"},
		{"+351912345678", "351912345678", "351912345678"},
		{"+351912345678", "351912345679", "351912345678"},
		{"", "553188776655", ""},
	} {
		recovery := gen.Lead(gen.T0, func(l *v1alpha1.CartRecovery) {
			l.Spec.Customer.Phone, l.Status.WhatsAppID = c.phone, c.id
		})
		if got := recipient(recovery); got != c.want {
			t.Errorf("phone %q, id %q: writes to %q, want %q", c.phone, c.id, got, c.want)
		}
	}
}

func FuzzRecipient(f *testing.F) {
	f.Add("+5531988776655", "553188776655")
	f.Add("+351912345678", "351912345678")
	f.Add("+5531988776655", "")
	f.Fuzz(func(t *testing.T, customer, id string) {
		recovery := gen.Lead(gen.T0, func(l *v1alpha1.CartRecovery) {
			l.Spec.Customer.Phone, l.Status.WhatsAppID = customer, id
		})
		got := recipient(recovery)
		for _, r := range got {
			if r < '0' || r > '9' {
				t.Fatalf("%q is no number", got)
			}
		}
		if id != "" && got == id && !contacts.SameSubscriber(id, customer) {
			t.Fatalf("%q is not %q", id, customer)
		}
	})
}

// TestCheckAsksNobodyTwice: a reconciler without a Connector cannot ask.
func TestCheckAsksNobodyTwice(t *testing.T) {
	passive := clocktesting.NewFakePassiveClock(gen.T0)
	r, s := &Reconciler{Clock: passive, contacts: contacts.New(passive)}, plan.Snapshot{Lead: gen.Lead(gen.T0)}
	r.contacts.Begin(contacts.KeyOf(s.Lead), gen.InstanceObject().UID)
	result, err := r.check(t.Context(), s, gen.InstanceObject())
	if err != nil || result.RequeueAfter == 0 {
		t.Errorf("got %+v, %v", result, err)
	}
}

func TestSameInstance(t *testing.T) {
	claimedAt := gen.T0.Add(1500 * time.Millisecond)
	is := func(id string, ready metav1.ConditionStatus, since time.Duration,
		connected time.Duration) *v1alpha1.WhatsAppInstance {
		return gen.InstanceObject(func(i *v1alpha1.WhatsAppInstance) {
			i.Status.GatewayInstanceID = id
			i.Status.Conditions[0].Status = ready
			i.Status.Conditions[0].LastTransitionTime = metav1.NewTime(gen.T0.Add(since))
			i.Status.LastConnectedTime = &metav1.Time{Time: gen.T0.Add(connected)}
		})
	}
	yes, no := metav1.ConditionTrue, metav1.ConditionFalse
	for _, c := range []struct {
		name       string
		remembered string
		instance   *v1alpha1.WhatsAppInstance
		want       bool
	}{
		{"the one it was", "g1", is("g1", yes, 0, 0), true},
		{"the one it was, connected again since", "g1", is("g1", yes, time.Minute, time.Minute), true},
		{"the one it was, not connected now", "g1", is("g1", no, time.Minute, 0), true},
		{"another", "g1", is("g2", yes, 0, 0), false},
		{"lost", "g1", is("", no, time.Minute, 0), false},
		{"connected all the time, after a restart", "", is("g1", yes, time.Second, time.Second), true},
		{"connected again since, after a restart", "", is("g1", yes, time.Second, 2*time.Second), false},
		{"ready again since, after a restart", "", is("g1", yes, 2*time.Second, time.Second), false},
		{"not connected now, after a restart", "", is("g1", no, time.Second, time.Second), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, recovery := &Reconciler{claims: newest[string, string](9)}, gen.Lead(gen.T0)
			if c.remembered != "" {
				r.claims.Add(lead.TrackID(recovery.Name, gen.FirstID), c.remembered)
			}
			if got := r.sameInstance(recovery, plan.Message{ID: gen.FirstID, Due: claimedAt,
				Instance: c.instance}); got != c.want {
				t.Errorf("got %t", got)
			}
		})
	}
}

var _ = Describe("A number that nobody wrote to yet", func() {
	later := steps(v1alpha1.Step{Name: "first", After: after(30 * time.Minute)})
	checked := func(w *world) func() int { return func() int { return w.called(checkPath) } }

	It("is looked up ahead of time, and written to by the id that WhatsApp knows it by", func() {
		w := newWorld(later)
		w.numbers(func(string) (gateway.Number, error) {
			return gateway.Number{Registered: true, ID: "551187654321"},
				nil
		})
		r := w.start()
		name := w.abandon()
		w.advance(29*time.Minute + 10*time.Second)
		Eventually(checked(w)).Should(Equal(1))
		Eventually(w.asked).Should(Equal(1))
		Eventually(r.api.written).Should(BeEmpty())
		w.advance(50 * time.Second)
		Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		Expect(w.sent()[0].Number).To(Equal("551187654321"))
		Expect(w.lead(name).Status.WhatsAppID).To(Equal("551187654321"))
		Eventually(r.api.written).Should(Equal([]string{claims, confirms}))
		w.says(name, "in-1", "Tem desconto?")
		Eventually(w.sent).Should(HaveLen(2))
		Expect(w.sent()[1].Number).To(Equal("551187654321"))
		Expect(w.called(checkPath)).To(Equal(1))
	})

	It("is never one that the gateway mixes up with it", func() {
		w := newWorld()
		w.numbers(func(string) (gateway.Number, error) {
			return gateway.Number{Registered: true, ID: "5511911112222"}, nil
		})
		w.start()
		name := w.abandon()
		Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		Expect(w.sent()[0].Number).To(Equal("5511987654321"))
		Expect(w.lead(name).Status.WhatsAppID).To(BeEmpty())
	})

	It("and has no WhatsApp ends the lead before anything is paid for", func() {
		w := newWorld(uncooled)
		w.numbers(absent)
		r := w.start()
		first := w.abandon()
		Eventually(w.outcome(first)).Should(Equal(v1alpha1.ReasonNotOnWhatsApp))
		Expect(w.phase(first)()).To(Equal(v1alpha1.PhaseFailed))
		second := w.abandon()
		Eventually(w.outcome(second)).Should(Equal(v1alpha1.ReasonNotOnWhatsApp))
		Expect(w.called(checkPath)).To(Equal(1), "the answer is remembered")
		Expect(w.asked()).To(BeZero())
		Expect(w.called(sendPath)).To(BeZero())
		Eventually(r.api.written).Should(Equal([]string{writesOutcome, writesOutcome}))
		w.numbers(registered)
		w.advance(contacts.AbsentFor + time.Minute)
		third := w.abandon()
		Eventually(w.state(third, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
	})

	It("is asked for once, for all leads of it", func() {
		w := newWorld(uncooled)
		held := make(chan struct{})
		w.numbers(func(number string) (gateway.Number, error) {
			<-held
			return registered(number)
		})
		w.start()
		names := []string{w.abandon(), w.abandon(), w.abandon()}
		Eventually(checked(w)).Should(Equal(1))
		Consistently(checked(w)).Should(Equal(1))
		close(held)
		for _, name := range names {
			Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		}
		Expect(w.called(checkPath)).To(Equal(1))
	})

	DescribeTable("is written to all the same when the gateway cannot tell", func(err error) {
		w := newWorld(uncooled)
		w.numbers(func(string) (gateway.Number, error) { return gateway.Number{}, err })
		r := w.start()
		name, other := w.abandon(from(1)), w.abandon(from(1))
		for _, each := range []string{name, other} {
			Eventually(w.state(each, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		}
		Expect(w.called(checkPath)).To(Equal(1))
		Expect(w.lead(name).Status.WhatsAppID).To(BeEmpty())
		Expect(w.blocked(name)()).To(BeEmpty())
		for _, kind := range []string{claims, confirms} {
			Eventually(func() int { return count(r.api.written(), kind) }).Should(Equal(2))
		}
	},
		Entry("because it is down", &failure.Error{Class: failure.Transient, Code: failure.Unavailable, Op: "test"}),
		Entry("because it does not answer", &failure.Error{Class: failure.Ambiguous, Code: failure.TimedOut,
			Op: "test"}),
		Entry("because it refuses", &failure.Error{Class: failure.Terminal, Code: failure.InvalidInput, Op: "test"}),
	)
})

var _ = Describe("A gateway that looks no number up", func() {
	It("is not asked for any, and sends", func() {
		w := newWorld()
		w.start(func(r *replica) {
			r.Connector.Types[v1alpha1.GatewayUAZAPI] = without(w, func(can *gateway.Capabilities) {
				can.CheckNumber = false
			})
		})
		name := w.abandon()
		Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		Expect(w.called(checkPath)).To(BeZero())
	})
})

var _ = Describe("A number that WhatsApp restricts", func() {
	It("starts nothing until the time given, and answers meanwhile", func() {
		w := newWorld()
		w.start()
		open := w.abandon(from(1))
		Eventually(w.state(open, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		until := w.clock.Now().Add(time.Hour)
		Expect(w.whatsapp.Restrict(w.namespace+"."+gen.Instance, until)).To(Succeed())
		met := w.abandon(from(2))
		Eventually(w.blocked(met)).Should(Equal(v1alpha1.ReasonRestricted))
		Eventually(func() *metav1.Time {
			return w.instance(gen.Instance).Status.NewConversationsPausedUntil
		}).ShouldNot(BeNil())
		waits := w.abandon(from(3))
		Eventually(w.blocked(waits)).Should(Equal(v1alpha1.ReasonRestricted))
		Expect(w.lead(waits).Status.NextActionTime.Time).To(BeTemporally("~", until, 2*time.Second))
		_, err := w.whatsapp.Reply(w.namespace+"."+gen.Instance, phone.Digits(phoneOf(1)), "Tem desconto?")
		Expect(err).To(MatchError(simulator.ErrNoWebhook), "the conversation is open all the same")
		w.says(open, "in-1", "Tem desconto?")
		Eventually(w.state(open, lead.ReplyID(0, "in-1"))).Should(Equal(v1alpha1.MessageSent))
		w.advance(50 * time.Minute)
		w.says(open, "in-2", "E boleto?")
		Eventually(w.state(open, lead.ReplyID(0, "in-2"))).Should(Equal(v1alpha1.MessageSent))
		Consistently(w.sent).Should(HaveLen(3))
		w.advance(10*time.Minute + 5*time.Second)
		for _, name := range []string{met, waits} {
			Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
			Eventually(w.blocked(name)).Should(BeEmpty())
		}
		Expect(w.sent()).To(HaveLen(5))
	})
})

var _ = Describe("An instance that is lost and made anew", func() {
	DescribeTable("is not believed about what was claimed before",
		func(id string, change func(*v1alpha1.WhatsAppInstance)) {
			w := newWorld()
			w.setInstance(gen.Instance, func(i *v1alpha1.WhatsAppInstance) { i.Status.GatewayInstanceID = id })
			w.whatsapp.Fail(simulator.Fault{Path: sendPath, Drop: true})
			w.start(func(r *replica) { r.Connector.Guarded.Timeout = 400 * time.Millisecond })
			name := w.abandon()
			Eventually(func() int { return w.called(sendPath) }).Should(Equal(1))
			Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageClaimed))
			w.setInstance(gen.Instance, change)
			for range 7 {
				w.advance(2 * time.Minute)
				Eventually(w.blocked(name)).Should(Equal(v1alpha1.ReasonUnconfirmed))
			}
			Expect(w.state(name, gen.FirstID)()).To(Equal(v1alpha1.MessageClaimed))
			w.advance(90 * time.Second)
			Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageUnknown))
			w.advance(time.Hour)
			Consistently(func() int { return w.called(sendPath) }).Should(Equal(1))
		},
		Entry("by the gateway's id of it", "g1", func(i *v1alpha1.WhatsAppInstance) {
			i.Status.GatewayInstanceID = "g2"
		}),
		Entry("by when it was connected", "", func(i *v1alpha1.WhatsAppInstance) {
			i.Status.LastConnectedTime = &metav1.Time{Time: time.Now().Add(5 * time.Second)}
		}),
	)
})
