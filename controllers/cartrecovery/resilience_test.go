package cartrecovery

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/simulator"
)

// trackIDs counts the messages that the gateway took by track id.
func (w *world) trackIDs() map[string]int {
	counts := map[string]int{}
	for _, each := range w.sent() {
		counts[each.TrackID]++
	}
	return counts
}

var _ = Describe("A crash", func() {
	It("between the claim and the call is found out, and the message goes once", func() {
		w := newWorld()
		died := make(chan struct{})
		old := w.start(func(r *replica) {
			r.api.around = func(kind string, _ *v1alpha1.CartRecovery, write func() error) error {
				if err := write(); err != nil || kind != claims {
					return err
				}
				r.api.dead.Store(true)
				close(died)
				return errDead
			}
		})
		name := w.abandon()
		Eventually(died).Should(BeClosed())
		Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageClaimed))
		old.stop()
		w.start()
		Consistently(func() int { return w.called(findPath) }).Should(BeZero(), "a fresh claim is its holder's")
		w.advance(11 * time.Second)
		Eventually(w.blocked(name)).Should(Equal(v1alpha1.ReasonUnconfirmed))
		w.advance(20 * time.Second)
		Consistently(func() int { return w.called(sendPath) }).Should(BeZero(), "the holder may still be about to call")
		w.advance(30 * time.Second)
		Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		Eventually(w.blocked(name)).Should(BeEmpty())
		Expect(w.trackIDs()).To(Equal(map[string]int{lead.TrackID(w.lead(name).Name, gen.FirstID): 1}))
		Expect(w.lead(name).Status.Conversation).To(HaveLen(1))
	})

	It("between the call and its confirmation is found out, and the message is not sent again", func() {
		w := newWorld()
		died := make(chan struct{})
		old := w.start(func(r *replica) {
			r.api.around = func(kind string, _ *v1alpha1.CartRecovery, write func() error) error {
				if kind != confirms {
					return write()
				}
				if !r.api.dead.Swap(true) {
					close(died)
				}
				return errDead
			}
		})
		name := w.abandon()
		Eventually(died).Should(BeClosed())
		old.stop()
		Expect(w.state(name, gen.FirstID)()).To(Equal(v1alpha1.MessageClaimed))
		Expect(w.sent()).To(HaveLen(1))
		r := w.start()
		w.advance(11 * time.Second)
		Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		m := w.lead(name).Status.Conversation[0]
		Expect(m.GatewayID).To(Equal(w.sent()[0].MessageID))
		Expect(m.SentAt.Time).To(BeTemporally("~", w.sent()[0].ReceivedAt, time.Second),
			"it says when it went, not when that was found out")
		w.advance(2 * time.Minute)
		Consistently(w.sent).Should(HaveLen(1))
		Eventually(r.api.written).Should(Equal([]string{confirms}))
	})

	It("that leaves a claim is resolved before a purchase is counted", func() {
		w := newWorld()
		old := w.start(func(r *replica) {
			r.api.around = func(kind string, _ *v1alpha1.CartRecovery, write func() error) error {
				err := write()
				if kind == claims {
					r.api.dead.Store(true)
					return errDead
				}
				return err
			}
		})
		name := w.abandon()
		Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageClaimed))
		old.stop()
		w.buys(name)
		w.start()
		w.advance(11 * time.Second)
		Eventually(w.blocked(name)).Should(Equal(v1alpha1.ReasonUnconfirmed))
		w.advance(50 * time.Second)
		Eventually(w.phase(name)).Should(Equal(v1alpha1.PhaseConverted))
		Expect(w.state(name, gen.FirstID)()).To(Equal(v1alpha1.MessageCancelled))
		Expect(w.sent()).To(BeEmpty())
	})

	It("of the leader is no more than a delay: what is overdue leaves, the earliest due first", func() {
		w := newWorld(steps(v1alpha1.Step{Name: "first", After: after(30 * time.Minute)}))
		held := make(chan struct{})
		w.openai.HoldUntil(held)
		customers := []string{"Ana", "Bruno", "Carla", "Davi", "Elisa", "Fabio"}
		for _, number := range []int{3, 0, 5, 1, 4, 2} {
			w.abandon(from(number), func(l *v1alpha1.CartRecovery) {
				l.Spec.Customer.Name = customers[number]
				l.Spec.AbandonedAt = new(v1alpha1.NewTimestamp(w.clock.Now().Add(-time.Hour +
					time.Duration(number)*time.Minute)))
			})
		}
		r := w.start(func(r *replica) { r.Writers = 1 })
		Eventually(w.asked).Should(Equal(1))
		Eventually(r.drafts.Waiting).Should(Equal(5))
		close(held)
		Eventually(w.sent).Should(HaveLen(6))
		var order []string
		for _, request := range w.openai.Requests() {
			_, rest, _ := strings.Cut(request.Messages[0].Content, "Cliente: ")
			customer, _, _ := strings.Cut(rest, "\n")
			order = append(order, customer)
		}
		began := order[0]
		Expect(order[1:]).To(Equal(slices.DeleteFunc(customers, func(c string) bool { return c == began })))
	})

	It("is none when the manager is stopped: a call under way is waited for and confirmed", func() {
		w := newWorld()
		held := make(chan struct{})
		w.whatsapp.Fail(simulator.Fault{Path: sendPath, HoldUntil: held})
		r := w.start()
		name := w.abandon()
		Eventually(func() int { return w.called(sendPath) }).Should(Equal(1))
		stopped := make(chan struct{})
		go func() {
			defer GinkgoRecover()
			defer close(stopped)
			r.stop()
		}()
		Consistently(stopped).ShouldNot(BeClosed())
		close(held)
		Eventually(stopped).Should(BeClosed())
		Expect(w.state(name, gen.FirstID)()).To(Equal(v1alpha1.MessageSent))
		Expect(w.sent()).To(HaveLen(1))
	})
})

var _ = Describe("A race for a lead", func() {
	It("that the purchase wins: the claim fails, and nothing is sent", func() {
		w := newWorld()
		var once sync.Once
		var refusal error
		w.start(around(func(kind string, recovery *v1alpha1.CartRecovery, write func() error) error {
			if kind != claims {
				return write()
			}
			once.Do(func() { w.buys(recovery.Name) })
			refusal = write()
			return refusal
		}))
		name := w.abandon()
		Eventually(w.phase(name)).Should(Equal(v1alpha1.PhaseConverted))
		Expect(refusal).To(MatchError(ContainSubstring("the object has been modified")))
		w.advance(time.Hour)
		Consistently(func() int { return w.called(sendPath) }).Should(BeZero())
		Expect(w.lead(name).Status.Conversation).To(BeEmpty())
	})

	It("that the claim wins: the message goes, and the purchase is a recovery", func() {
		w := newWorld()
		var once sync.Once
		w.start(around(func(kind string, recovery *v1alpha1.CartRecovery, write func() error) error {
			err := write()
			if kind == claims {
				once.Do(func() { w.buys(recovery.Name) })
			}
			return err
		}))
		name := w.abandon()
		Eventually(w.phase(name)).Should(Equal(v1alpha1.PhaseRecovered))
		Expect(w.state(name, gen.FirstID)()).To(Equal(v1alpha1.MessageSent))
		Consistently(w.sent).Should(HaveLen(1))
		Expect(w.called(findPath)).To(BeZero(), "the confirmation is written at once, on top of the purchase")
	})

	It("that an answer wins: the claim fails, and the sequence ends with it", func() {
		w := newWorld(steps(v1alpha1.Step{Name: "first", After: after(soonDue)},
			v1alpha1.Step{Name: "second", After: after(time.Hour)}))
		second := lead.StepID(0, "second")
		var once sync.Once
		w.start(around(func(kind string, recovery *v1alpha1.CartRecovery, write func() error) error {
			if m := lead.Find(recovery.Status.Conversation, second); kind == claims && m != nil {
				once.Do(func() { w.says(recovery.Name, "in-1", "Tem desconto?") })
			}
			return write()
		}))
		name := w.abandon()
		Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		w.advance(time.Hour + time.Second)
		Eventually(w.state(name, lead.ReplyID(0, "in-1"))).Should(Equal(v1alpha1.MessageSent))
		Consistently(w.sent).Should(HaveLen(2))
		Expect(lead.Find(w.lead(name).Status.Conversation, second)).To(BeNil())
	})

	It("with a writer who only touches it: the message goes, once", func() {
		w := newWorld()
		conflicts := 0
		w.start(around(func(kind string, recovery *v1alpha1.CartRecovery, write func() error) error {
			if kind == claims && conflicts < 3 {
				conflicts++
				w.change(recovery.Name, func(l *v1alpha1.CartRecovery) { l.Spec.Customer.Name += "!" })
			}
			return write()
		}))
		name := w.abandon()
		Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		w.poke()
		Consistently(w.sent).Should(HaveLen(1))
		Expect(conflicts).To(Equal(3))
		Expect(w.lead(name).Status.Conversation[0].Attempts).To(Equal(int32(1)))
	})

	It("with a writer who comes between the call and its confirmation: both are kept", func() {
		w := newWorld()
		conflicts := 0
		w.start(around(func(kind string, recovery *v1alpha1.CartRecovery, write func() error) error {
			if kind == confirms && conflicts < 5 {
				conflicts++
				w.says(recovery.Name, "in-"+string(rune('0'+conflicts)), "Oi")
			}
			return write()
		}))
		name := w.abandon()
		Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		Eventually(w.state(name, lead.ReplyID(0, "in-5"))).Should(Equal(v1alpha1.MessageSent))
		Consistently(w.sent).Should(HaveLen(2))
		Expect(w.called(findPath)).To(BeZero(), "the confirmation is written at once, on top of the answers")
		for _, id := range []string{"in-1", "in-2", "in-3", "in-4", "in-5"} {
			Expect(lead.Find(w.lead(name).Status.Conversation, id)).NotTo(BeNil())
		}
	})

	It("between two leaders: every lead is written to once", func() {
		w := newWorld(steps(v1alpha1.Step{Name: "first", After: after(1500 * time.Millisecond)}))
		w.start()
		w.start()
		names := make([]string, 0, 20)
		for number := range 20 {
			names = append(names, w.abandon(from(number)))
		}
		for _, name := range names {
			Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		}
		w.advance(15 * time.Second)
		Consistently(func() int { return w.called(sendPath) }).Should(Equal(20))
		Expect(w.trackIDs()).To(HaveLen(20))
		for _, name := range names {
			Expect(w.lead(name).Status.Conversation).To(HaveExactElements(HaveField("Attempts", int32(1))))
		}
	})
})

var _ = Describe("A call of the gateway that nobody knows the end of", func() {
	const patience = 400 * time.Millisecond
	impatient := func(r *replica) { r.Connector.Guarded.Timeout = patience }

	It("is confirmed when the gateway did accept it", func() {
		w := newWorld()
		never := make(chan struct{})
		DeferCleanup(func() { close(never) })
		w.whatsapp.Fail(simulator.Fault{Path: sendPath, AfterAccept: true, HoldUntil: never})
		w.start(impatient)
		name := w.abandon()
		Eventually(w.sent).Should(HaveLen(1))
		Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageClaimed))
		w.advance(11 * time.Second)
		Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		w.advance(2 * time.Minute)
		Consistently(func() int { return w.called(sendPath) }).Should(Equal(1))
		Expect(w.lead(name).Status.Conversation[0].GatewayID).To(Equal(w.sent()[0].MessageID))
	})

	It("is made again, under the same id, when the gateway certainly does not know of it", func() {
		w := newWorld()
		w.whatsapp.Fail(simulator.Fault{Path: sendPath, Drop: true})
		r := w.start(impatient)
		name := w.abandon()
		Eventually(func() int { return w.called(sendPath) }).Should(Equal(1))
		w.advance(11 * time.Second)
		Eventually(w.blocked(name)).Should(Equal(v1alpha1.ReasonUnconfirmed))
		w.advance(45 * time.Second)
		Consistently(func() int { return w.called(sendPath) }).Should(Equal(1))
		w.advance(5 * time.Second)
		Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		Eventually(w.blocked(name)).Should(BeEmpty())
		w.advance(2 * time.Minute)
		Consistently(func() int { return w.called(sendPath) }).Should(Equal(2))
		Expect(w.trackIDs()).To(Equal(map[string]int{lead.TrackID(w.lead(name).Name, gen.FirstID): 1}))
		Expect(w.asked()).To(Equal(1), "it is the same message")
		Eventually(r.api.written).Should(Equal([]string{claims, writesConditions, writesConditions, refuses, claims,
			confirms}),
			"each time that it is asked for in vain, the status says when it is asked for next")
	})

	DescribeTable("is left alone for good when nobody can tell", func(accepted bool) {
		w := newWorld()
		w.whatsapp.Fail(simulator.Fault{Path: sendPath, Drop: true, AfterAccept: accepted})
		w.whatsapp.Fail(simulator.Fault{Path: findPath, Status: http.StatusBadGateway, Times: -1})
		w.start(impatient)
		name := w.abandon()
		Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageClaimed))
		Eventually(func() int { return w.called(sendPath) }).Should(Equal(1))
		for range 7 {
			w.advance(2 * time.Minute)
			Eventually(w.blocked(name)).Should(Equal(v1alpha1.ReasonUnconfirmed))
			// The reason stays from one look-up to the next: that it was asked again shows in when it is asked next.
			Eventually(func() time.Time {
				return w.lead(name).Status.NextActionTime.Time
			}).Should(BeTemporally(">", w.clock.Now()))
		}
		Expect(w.state(name, gen.FirstID)()).To(Equal(v1alpha1.MessageClaimed))
		w.advance(90 * time.Second)
		Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageUnknown))
		Eventually(w.blocked(name)).Should(BeEmpty())
		w.whatsapp.ClearFaults()
		w.advance(time.Hour)
		Consistently(func() int { return w.called(sendPath) }).Should(Equal(1))
	},
		Entry("and it had been accepted", true),
		Entry("and it had not", false),
	)

	It("is left alone at once where the gateway has no look-up", func() {
		w := newWorld()
		instance := w.instance(gen.Instance)
		before := instance.DeepCopy()
		instance.Spec.Gateway.Dialect = "Legacy"
		Expect(environment.Client.Patch(w.ctx, instance, client.MergeFrom(before))).To(Succeed())
		w.whatsapp.Fail(simulator.Fault{Path: "/message/text", Drop: true})
		w.start(impatient)
		name := w.abandon()
		Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageClaimed))
		w.advance(11 * time.Second)
		Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageUnknown))
		w.advance(time.Hour)
		Consistently(func() int { return w.called("/message/text") }).Should(Equal(1))
	})

	It("that begins too late is not begun, and the message is claimed anew at once", func() {
		w := newWorld()
		frozen := false
		r := w.start(around(func(kind string, _ *v1alpha1.CartRecovery, write func() error) error {
			err := write()
			if kind == claims && !frozen {
				frozen = true
				w.clock.Forward(claimLease + time.Second)
			}
			return err
		}))
		name := w.abandon()
		Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		Expect(w.sent()).To(HaveLen(1))
		Eventually(r.api.written).Should(Equal([]string{claims, refuses, claims, confirms}))
		Expect(lead.Find(w.lead(name).Status.Conversation, gen.FirstID).Attempts).To(Equal(int32(1)),
			"what was not called for is no attempt")
		Expect(w.called(findPath)).To(BeZero(), "nobody needs to ask who called nobody")
	})

	It("is not begun by a process that was frozen between the claim and the wire", func() {
		w := newWorld()
		frozen := false
		r := w.start(func(r *replica) {
			r.Connector.Guarded = &http.Client{Transport: roundTrips(func(request *http.Request) (*http.Response,
				error) {
				if request.URL.Path == sendPath && !frozen {
					frozen = true
					w.clock.Forward(claimLease + time.Second)
				}
				return http.DefaultTransport.RoundTrip(request)
			})}
		})
		name := w.abandon()
		Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		Expect(w.sent()).To(HaveLen(1))
		Eventually(r.api.written).Should(Equal([]string{claims, refuses, claims, confirms}))
		Expect(w.called(findPath)).To(BeZero(), "nobody needs to ask who called nobody")
	})
})

// roundTrips is a function that makes HTTP calls.
type roundTrips func(*http.Request) (*http.Response, error)

func (f roundTrips) RoundTrip(request *http.Request) (*http.Response, error) { return f(request) }

var _ = Describe("A process that does not know whether it leads", func() {
	It("begins nothing until it does", func() {
		w := newWorld()
		var leads atomic.Bool
		w.start(func(r *replica) { r.Leads = leads.Load })
		name := w.abandon()
		w.advance(time.Hour)
		Consistently(func() int { return w.called(sendPath) }).Should(BeZero())
		Expect(w.state(name, gen.FirstID)()).To(BeEmpty())
		leads.Store(true)
		Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
	})
})

var _ = Describe("An API server that does not answer", func() {
	It("delays a claim and nothing more", func() {
		w := newWorld()
		failures := 0
		w.start(around(func(kind string, _ *v1alpha1.CartRecovery, write func() error) error {
			if kind == claims && failures < 2 {
				failures++
				return errors.New("no answer")
			}
			return write()
		}))
		name := w.abandon()
		Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		Expect(w.sent()).To(HaveLen(1))
		Expect(w.asked()).To(Equal(1))
	})

	It("delays a confirmation, and the message is not sent again", func() {
		w := newWorld()
		failed := false
		w.start(around(func(kind string, _ *v1alpha1.CartRecovery, write func() error) error {
			if kind == confirms && !failed {
				failed = true
				return errors.New("no answer")
			}
			return write()
		}))
		name := w.abandon()
		Eventually(w.sent).Should(HaveLen(1))
		Consistently(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageClaimed))
		w.advance(11 * time.Second)
		Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		Consistently(w.sent).Should(HaveLen(1))
	})

	// lostClaims loses the answers to the first claims; also has something happen before the loss
	// is noticed.
	lostClaims := func(count int, also func(name string)) func(*replica) {
		return around(func(kind string, recovery *v1alpha1.CartRecovery, write func() error) error {
			err := write()
			if kind == claims && err == nil && count > 0 {
				count--
				also(recovery.Name)
				return errors.New("the connection broke")
			}
			return err
		})
	}

	It("is asked for the truth when its answer to a claim was lost, and the message goes at once", func() {
		w := newWorld()
		r := w.start(lostClaims(1, func(string) {}))
		name := w.abandon()
		Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		Expect(w.sent()).To(HaveLen(1))
		Eventually(r.api.written).Should(Equal([]string{claims, confirms}))
		Expect(w.called(findPath)).To(BeZero())
	})

	It("does not have a customer written to who bought while the answer to a claim was lost", func() {
		w := newWorld()
		w.start(lostClaims(1, w.buys))
		name := w.abandon()
		Eventually(w.phase(name)).Should(Equal(v1alpha1.PhaseConverted))
		// Failed is what it stays where the claim was taken back before the purchase was seen.
		Expect(w.state(name, gen.FirstID)()).To(BeElementOf(v1alpha1.MessageCancelled, v1alpha1.MessageFailed))
		w.advance(time.Hour)
		Consistently(func() int { return w.called(sendPath) }).Should(BeZero())
	})

	It("does not have a claim wait for a minute when it cannot be asked either", func() {
		w := newWorld()
		r := w.start(lostClaims(2, func(string) {}))
		r.Live = noReader{}
		name := w.abandon()
		Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		Expect(w.sent()).To(HaveLen(1))
		Eventually(r.api.written).Should(Equal([]string{claims, refuses, claims, refuses, claims, confirms}))
	})
})

// noReader reads nothing of leads.
type noReader struct{ client.Reader }

func (noReader) Get(_ context.Context, key client.ObjectKey, object client.Object, _ ...client.GetOption) error {
	if _, ok := object.(*v1alpha1.Suppression); ok {
		return apierrors.NewNotFound(schema.GroupResource{Resource: "suppressions"}, key.Name)
	}
	return errors.New("no answer")
}

var _ = Describe("A lead that is deleted", func() {
	It("and made anew is a new one, with a message of its own", func() {
		w := newWorld()
		w.start()
		name := w.abandon()
		Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		old := w.lead(name)
		Expect(environment.Client.Delete(w.ctx, old)).To(Succeed())
		again := gen.In(w.namespace, gen.Lead(w.clock.Now()))
		again.Name = name
		w.create(again)
		Eventually(w.state(name, gen.FirstID)).Should(Equal(v1alpha1.MessageSent))
		Expect(w.trackIDs()).To(Equal(map[string]int{
			lead.TrackID(old.Name, gen.FirstID): 1, lead.TrackID(w.lead(name).Name, gen.FirstID): 1,
		}))
	})

	It("while its text is written gets no message", func() {
		w := newWorld()
		held := make(chan struct{})
		w.openai.HoldUntil(held)
		w.start()
		name := w.abandon()
		Eventually(w.asked).Should(Equal(1))
		Expect(environment.Client.Delete(w.ctx, w.lead(name))).To(Succeed())
		close(held)
		Consistently(func() int { return w.called(sendPath) }).Should(BeZero())
	})
})
