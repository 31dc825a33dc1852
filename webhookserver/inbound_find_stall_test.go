package webhookserver

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/testenv"
	"cartrecovery.dev/operator/webhookserver/formats"
)

// hearer is a replica, fenced or not.
type hearer interface {
	hear(ctx context.Context, instance *v1alpha1.WhatsAppInstance, message *formats.Message) (outcome, error)
}

// taken is what becomes of a message at a replica.
func taken(ctx context.Context, replica hearer, shop phoneShop, message formats.Message) outcome {
	GinkgoHelper()
	got, err := replica.hear(ctx, shop.instance, &message)
	Expect(err).NotTo(HaveOccurred())
	return got
}

// knownTo waits until a replica's cache has this version of a lead.
func knownTo(ctx context.Context, replica *Server, recovery *v1alpha1.CartRecovery) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		var seen v1alpha1.CartRecovery
		g.Expect(replica.Client.Get(ctx, client.ObjectKeyFromObject(recovery), &seen)).To(Succeed())
		g.Expect(seen.ResourceVersion).To(Equal(recovery.ResourceVersion))
	}).Should(Succeed())
}

// read reads a lead from the API server.
func (s shop) read(ctx context.Context, name string) *v1alpha1.CartRecovery {
	GinkgoHelper()
	found := &v1alpha1.CartRecovery{}
	Expect(env.Client.Get(ctx, client.ObjectKey{Namespace: s.namespace, Name: name}, found)).To(Succeed())
	return found
}

func (s shop) hasLeadOf(ctx context.Context, phone string) bool {
	GinkgoHelper()
	return slices.ContainsFunc(s.leads(ctx), func(each v1alpha1.CartRecovery) bool {
		return each.Spec.Customer.Phone == phone
	})
}

var _ = Describe("a replica whose watch of leads stands still", func() {
	It("stores what a customer writes to a lead that it does not know", func(ctx SpecContext) {
		replica := newFenced(200 * time.Millisecond)
		shop := openPhoneShop(ctx)
		knownTo(ctx, replica.Server, shop.lead)
		replica.stall.Hold()
		shop.shop.lead(ctx, named("unknown"), withPhone("+5521911112222"), contacted(time.Now(), v1alpha1.MessageSent))
		message := inboundOf("m-1")
		message.Phone = "5521911112222"
		Expect(taken(ctx, replica, shop, message)).To(Equal(outcome{Result: resultRecorded, Lead: "unknown"}))
		Expect(taken(ctx, replica, shop, message).Result).To(Equal(resultUnchanged))
		Expect(shop.read(ctx, "unknown").Status.Conversation).To(HaveLen(2))
	})

	It("gives a person the conversation of a lead that it does not know, and takes no echo for one",
		func(ctx SpecContext) {
			replica := newFenced(200 * time.Millisecond)
			shop := openPhoneShop(ctx)
			knownTo(ctx, replica.Server, shop.lead)
			replica.stall.Hold()
			shop.shop.lead(ctx, named("unknown"), withPhone("+5521911112222"),
				contacted(time.Now(), v1alpha1.MessageSent), atTheGateway("g-9", "Oi, tudo bem?"))
			message, echo := ownOf("o-1", "Aqui é a Ana"), ownOf("g-9", "Oi, tudo bem?")
			message.Phone, echo.Phone = "5521911112222", "5521911112222"
			Expect(taken(ctx, replica, shop, echo).Reason).To(Equal(formats.ReasonSentByAPI))
			Expect(lead.HandedOff(shop.read(ctx, "unknown"))).To(BeFalse())
			Expect(taken(ctx, replica, shop, message)).To(Equal(outcome{Result: resultRecorded, Lead: "unknown"}))
			Expect(lead.HandedOff(shop.read(ctx, "unknown"))).To(BeTrue())
		})

	It("knows a hidden id that another replica has learned, and what was quoted", func(ctx SpecContext) {
		replica := newFenced(200 * time.Millisecond)
		shop := openPhoneShop(ctx, ours)
		knownTo(ctx, replica.Server, shop.lead)
		replica.stall.Hold()
		first := inboundOf("m-1")
		first.ChatIDs = []string{"7@lid"}
		Expect(shop.hears(ctx, first).Result).To(Equal(resultRecorded))
		hidden := inboundOf("m-2")
		hidden.Phone, hidden.ChatIDs = "", []string{"7@lid"}
		Expect(taken(ctx, replica, shop, hidden)).To(Equal(outcome{Result: resultRecorded, Lead: shop.lead.Name}))

		shop.shop.lead(ctx, named("unknown"), withPhone("+5521911112222"), contacted(time.Now(), v1alpha1.MessageSent),
			atTheGateway("g-9", "Oi!"))
		quoting := inboundOf("m-3")
		quoting.Phone, quoting.Quotes = "5531933334444", "g-9"
		Expect(taken(ctx, replica, shop, quoting)).To(Equal(outcome{Result: resultRecorded, Lead: "unknown"}))
	})

	It("moves what it stored where the customer was written to last", func(ctx SpecContext) {
		replica := newFenced(200 * time.Millisecond)
		shop := openPhoneShop(ctx)
		knownTo(ctx, replica.Server, shop.lead)
		replica.stall.Hold()
		shop.shop.lead(ctx, named("newer"), contacted(time.Now(), v1alpha1.MessageSent), on(gen.Instance))
		Expect(taken(ctx, replica, shop, inboundOf("m-1"))).To(Equal(outcome{Result: resultRecorded, Lead: "newer"}))
		Expect(shop.read(ctx, "newer").Status.Conversation).To(HaveLen(2))
		Expect(shop.current(ctx).Status.Conversation).To(HaveLen(1))
	})

	It("never has it in two conversations, and moves it when it is delivered again", func(ctx SpecContext) {
		replica := newFenced(200 * time.Millisecond)
		shop := openPhoneShop(ctx)
		knownTo(ctx, replica.Server, shop.lead)
		replica.stall.Hold()
		shop.shop.lead(ctx, named("newer"), contacted(time.Now(), v1alpha1.MessageSent), on(gen.Instance))
		failing := newHookedClient(replica.Client)
		replica.Client = failing
		failing.before(func(_ context.Context, verb string, object client.Object) error {
			if object.GetName() == "newer" {
				return apierrors.NewServerTimeout(leadResource, verb, 1)
			}
			return nil
		})
		message := inboundOf("m-1")
		_, err := replica.hear(ctx, shop.instance, &message)
		Expect(err).To(HaveOccurred())
		Expect(shop.current(ctx).Status.Conversation).To(HaveLen(1))
		failing.before(nil)
		Expect(taken(ctx, replica, shop, message)).To(Equal(outcome{Result: resultRecorded, Lead: "newer"}))
	})

	It("moves what it stored with the chat that it came in with, which the first lead forgets again",
		func(ctx SpecContext) {
			replica := newFenced(200 * time.Millisecond)
			shop := openPhoneShop(ctx, withOther)
			knownTo(ctx, replica.Server, shop.lead)
			replica.stall.Hold()
			shop.shop.lead(ctx, named("own"), withPhone("+5521911112222"), contacted(time.Now(), v1alpha1.MessageSent),
				on(gen.Instance))
			message := inboundOf("m-1")
			message.Phone, message.ChatIDs = "5521911112222", []string{"7@lid"}
			Expect(taken(ctx, replica, shop, message)).To(Equal(outcome{Result: resultRecorded, Lead: "own"}))
			Expect(shop.read(ctx, "own").Status.ChatIDs).To(ConsistOf("7@lid"))
			Expect(shop.current(ctx).Status).To(And(HaveField("Conversation", HaveLen(1)),
				HaveField("ChatIDs", BeEmpty())))
		})

	It("stops every open lead of the phone before an opt-out is acknowledged", func(ctx SpecContext) {
		replica := newFenced(200 * time.Millisecond)
		shop := openPhoneShop(ctx)
		shop.shop.lead(ctx, named("known"), ofProduct("2"))
		shop.shop.lead(ctx, named("over"), ofProduct("3"), isFinished)
		knownTo(ctx, replica.Server, shop.read(ctx, "over"))
		replica.stall.Hold()
		shop.shop.lead(ctx, named("unknown"), ofProduct("4"))
		shop.shop.lead(ctx, named("another-s"), withPhone("+5521911112222"), withEmail("ana@example.com"))
		before := shop.read(ctx, "unknown").DeepCopy()

		got := taken(ctx, replica, shop, stops("m-1"))
		Expect(got).To(And(HaveField("Reason", recordedOptOut), HaveField("Lead", shop.lead.Name),
			HaveField("Leads", ConsistOf("known", "unknown"))))
		for name, stopped := range map[string]bool{"known": true, "unknown": true, "over": false, "another-s": false,
			shop.lead.Name: false} {
			Expect(shop.read(ctx, name).Spec.Stop != nil).To(Equal(stopped), name)
		}
		Expect(shop.read(ctx, "known").Spec.Stop.Reason).To(Equal(v1alpha1.StopOptOut))

		By("so that nothing can be claimed that was planned before")
		before.Status.TokensUsed = 1
		Expect(env.Client.Status().Update(ctx, before)).NotTo(Succeed())

		By("and once")
		version := shop.read(ctx, "unknown").ResourceVersion
		Expect(taken(ctx, replica, shop, stops("m-1")).Result).To(Equal(resultUnchanged))
		Expect(shop.read(ctx, "unknown").ResourceVersion).To(Equal(version))
	})
})

var _ = Describe("a customer who asks us to stop, with several leads", func() {
	It("has them all stopped from the cache, once that has the message", func(ctx SpecContext) {
		shop := openPhoneShop(ctx)
		shop.shop.lead(ctx, named("second"), ofProduct("2"), withOther)
		Expect(shop.hears(ctx, stops("m-1"))).To(HaveField("Leads", ConsistOf("second")))
		Expect(shop.read(ctx, "second").Spec.Stop).NotTo(BeNil())
	})

	It("has them all stopped by a request that comes in several messages", func(ctx SpecContext) {
		shop := openPhoneShop(ctx)
		shop.shop.lead(ctx, named("second"), ofProduct("2"))
		says := func(id, text string) formats.Message {
			message := inboundOf(id)
			message.Text = text
			return message
		}
		Expect(shop.hears(ctx, says("m-1", "não quero"))).To(HaveField("Result", resultRecorded))
		Expect(shop.suppressions(ctx)).To(BeEmpty())
		Expect(shop.hears(ctx, says("m-2", "receber mais mensagens"))).To(HaveField("Leads", ConsistOf("second")))
		Expect(shop.read(ctx, "second").Spec.Stop).NotTo(BeNil())
		Expect(shop.suppressions(ctx)).To(HaveLen(1))
	})

	It("is not acknowledged before all of them are", func(ctx SpecContext) {
		shop := openPhoneShop(ctx)
		shop.shop.lead(ctx, named("second"), ofProduct("2"))
		refuseWrites("patch")
		message := stops("m-1")
		_, err := server.hear(ctx, shop.instance, &message)
		Expect(err).To(HaveOccurred())
		Expect(shop.suppressions(ctx)).To(BeEmpty())
		hooked.before(nil)
		Expect(shop.hears(ctx, message)).To(And(HaveField("Result", resultRecorded),
			HaveField("Leads", ConsistOf("second"))))
		Expect(shop.suppressions(ctx)).To(HaveLen(1))
	})

	It("has one stopped that was made before their Suppression, and planned without it", func(ctx SpecContext) {
		shop := openPhoneShop(ctx)
		var late *v1alpha1.CartRecovery
		hooked.before(func(ctx context.Context, verb string, object client.Object) error {
			if _, is := object.(*v1alpha1.Suppression); is && verb == "create" && late == nil {
				late = shop.shop.lead(ctx, named("late"), ofProduct("2"))
			}
			return nil
		})
		Expect(shop.hears(ctx, stops("m-1"))).To(HaveField("Leads", ConsistOf("late")))
		late.Status.TokensUsed = 1
		Expect(env.Client.Status().Update(ctx, late)).NotTo(Succeed())
	})

	It("is known in Mexico, in whichever form", func(ctx SpecContext) {
		shop := openPhoneShop(ctx)
		shop.shop.lead(ctx, named("mexican"), withPhone("+525512345678"), contacted(time.Now(), v1alpha1.MessageSent))
		shop.shop.lead(ctx, named("second"), ofProduct("2"), withPhone("+525512345678"))
		message := stops("m-1")
		message.Phone, message.ChatIDs = "5215512345678", []string{"5215512345678@s.whatsapp.net"}
		got := shop.hears(ctx, message)
		Expect(got).To(And(HaveField("Lead", "mexican"), HaveField("Reason", recordedOptOut),
			HaveField("Leads", ConsistOf("second"))))
		Expect(shop.read(ctx, "mexican").Status.ChatIDs).To(ConsistOf("5215512345678@s.whatsapp.net"))
		Expect(shop.suppressions(ctx)).To(HaveExactElements(HaveField("Spec.PhoneHash",
			lead.PhoneHash("+525512345678"))))
	})

	It("is known by the hidden id of the chat alone, once it was seen", func(ctx SpecContext) {
		shop := openPhoneShop(ctx)
		first := inboundOf("m-1")
		first.ChatIDs = []string{"5511987654321@s.whatsapp.net", "7@lid"}
		Expect(shop.hears(ctx, first).Result).To(Equal(resultRecorded))
		cached(ctx, shop.current(ctx))
		hidden := stops("m-2")
		hidden.Phone, hidden.ChatIDs = "", []string{"7@lid"}
		Expect(shop.hears(ctx, hidden)).To(Equal(outcome{Result: resultRecorded, Reason: recordedOptOut,
			Lead: shop.lead.Name}))
		Expect(shop.suppressions(ctx)).To(HaveExactElements(HaveField("Spec.PhoneHash", lead.PhoneHash(gen.Phone))))
	})

	It("who answers from another number is known by what it quotes, and by the number from then on",
		func(ctx SpecContext) {
			shop := openPhoneShop(ctx, ours)
			quoting := inboundOf("m-1")
			quoting.Phone, quoting.Quotes, quoting.ChatIDs = "5521911112222", "g-1", []string{"9@lid"}
			Expect(shop.hears(ctx, quoting)).To(Equal(outcome{Result: resultRecorded, Lead: shop.lead.Name}))
			Expect(shop.current(ctx).Spec.Customer).To(And(HaveField("Phone", gen.Phone),
				HaveField("OtherPhones", ConsistOf("+5521911112222"))))
			Expect(lead.Labelled(shop.lead)).To(BeTrue())
			Expect(shop.lead.Status.ChatIDs).To(ConsistOf("9@lid"))
			cached(ctx, shop.lead)
			again := inboundOf("m-2")
			again.Phone = "5521911112222"
			Expect(shop.hears(ctx, again)).To(Equal(outcome{Result: resultRecorded, Lead: shop.lead.Name}))
			cached(ctx, shop.current(ctx))

			By("and has both numbers suppressed")
			stop := stops("m-3")
			stop.Phone = "5521911112222"
			Expect(shop.hears(ctx, stop).Reason).To(Equal(recordedOptOut))
			Expect(shop.suppressions(ctx)).To(ConsistOf(
				HaveField("Spec.PhoneHash", lead.PhoneHash(gen.Phone)),
				HaveField("Spec.PhoneHash", lead.PhoneHash("+5521911112222"))))
		})

	It("who was hidden in a receipt is known by it", func(ctx SpecContext) {
		shop := openPhoneShop(ctx, ours)
		read := receipt(formats.Read, "g-1")
		read.Phone, read.ChatIDs = "", []string{"7@lid"}
		Expect(shop.hears(ctx, read).Result).To(Equal(resultGathered))
		Eventually(func() []string { return shop.current(ctx).Status.ChatIDs }).Should(ConsistOf("7@lid"))
		cached(ctx, shop.lead)
		hidden := inboundOf("m-1")
		hidden.Phone, hidden.ChatIDs = "", []string{"7@lid"}
		Expect(shop.hears(ctx, hidden)).To(Equal(outcome{Result: resultRecorded, Lead: shop.lead.Name}))
	})

	It("of old is honoured where it was never seen, if it is not too old", func(ctx SpecContext) {
		shop := openPhoneShop(ctx)
		for days, want := range map[int]string{40: ignoredOldMessage, 3: recordedOptOut} {
			message := stops(fmt.Sprint("m-", days))
			message.At = time.Now().Add(-time.Duration(days) * 24 * time.Hour)
			Expect(shop.hears(ctx, message).Reason).To(Equal(want))
		}
		stranger := stops("m-1")
		stranger.Phone, stranger.At = "5521911112222", time.Now().Add(-40*24*time.Hour)
		Expect(shop.hears(ctx, stranger).Reason).To(Equal(ignoredNoOpenLead))
		Expect(shop.suppressions(ctx)).To(HaveLen(1))
		Expect(shop.current(ctx).Spec.Stop).NotTo(BeNil())
		Expect(shop.lead.Status.Conversation).To(HaveLen(1))
	})
})

// countedReads is the API server, and how often it is read from.
func countedReads() (client.Reader, *atomic.Int32) {
	count := &atomic.Int32{}
	return testenv.Intercept(env.Client, interceptor.Funcs{
		Get: func(
			ctx context.Context, api client.WithWatch, key client.ObjectKey, object client.Object,
			opts ...client.GetOption,
		) error {
			count.Add(1)
			return api.Get(ctx, key, object, opts...)
		},
		List: func(
			ctx context.Context, api client.WithWatch, list client.ObjectList, opts ...client.ListOption,
		) error {
			count.Add(1)
			return api.List(ctx, list, opts...)
		},
	}), count
}

var _ = Describe("an answer", func() {
	It("costs one write, and no read from the API server", func(ctx SpecContext) {
		shop := openPhoneShop(ctx, ours)
		live, reads := countedReads()
		wired := options(live, hooked, prometheus.NewRegistry())
		wired.Fence = server.Fence
		made, err := New(wired)
		Expect(err).NotTo(HaveOccurred())
		writes := statusWrites(shop.namespace)
		message := inboundOf("m-1")
		message.ChatIDs = []string{"5511987654321@s.whatsapp.net", "7@lid"}
		Expect(taken(ctx, made, shop, message).Result).To(Equal(resultRecorded))
		Expect(writes.Load()).To(BeEquivalentTo(1))
		Expect(reads.Load()).To(BeZero())
		Expect(shop.current(ctx).Generation).To(Equal(shop.lead.Generation))
	})
})

var _ = Describe("the paired phone that writes to itself", func() {
	It("is told apart, over and over", func(ctx SpecContext) {
		shop := openPhoneShop(ctx, ours)
		shop.instance.Status.Phone = gen.Phone
		for _, id := range []string{"o-1", "o-2"} {
			got := shop.hears(ctx, ownOf(id, "Funciona mesmo?"))
			Expect(got).To(Equal(outcome{Result: resultRecorded, Reason: recordedPairedPhone, Lead: shop.lead.Name}))
			Expect(lead.HandedOff(shop.current(ctx))).To(BeFalse())
			cached(ctx, shop.lead)
		}
		Expect(handedOff(shop.lead)).To(Equal("False/PairedPhone"))
	})
})

// What two replicas acknowledge of what customers write, while the watch of one stands still now
// and then, is never lost, and never there twice; and whoever asks us to stop is stopped.
var _ = Describe("any messages, at any replica", func() {
	It("are each in one conversation", func(ctx SpecContext) {
		replica := newFenced(200 * time.Millisecond)
		shop := openPhoneShop(ctx)
		seed := uint64(GinkgoRandomSeed())
		chance := rand.New(rand.NewPCG(seed, 7))
		replicas := []*Server{server, replica.Server}
		phones := []string{"5511987654321", "5215512345678", "22507123456"}
		customers := []string{gen.Phone, "+525512345678", "+2250707123456"}
		acknowledged := map[string]bool{}
		opted := map[int]bool{}
		for step := range 60 {
			who := chance.IntN(len(phones))
			switch what := chance.IntN(10); {
			case what == 0:
				replica.stall.Hold()
			case what == 1:
				replica.stall.Release()
			case what < 4:
				made := gen.In(shop.namespace, gen.Lead(time.Now(), named(fmt.Sprint("lead-", step)),
					ofProduct(fmt.Sprint(step)), withPhone(customers[who])))
				made.Labels = lead.Labels(shop.store.Name, made.Spec.Customer)
				Expect(env.Client.Create(ctx, made)).To(Succeed())
			default:
				message := inboundOf(fmt.Sprint("m-", step))
				message.Phone = phones[who]
				if what == 9 {
					message.Text = "parar"
				}
				got := taken(ctx, replicas[chance.IntN(2)], shop, message)
				// A wish of a stranger that is known already is unchanged.
				Expect(got.Result).To(BeElementOf(resultRecorded, resultIgnored, resultUnchanged), "step %d: %+v", step,
					got)
				acknowledged[message.ID] = got.Lead != ""
				Expect(acknowledged[message.ID]).To(Equal(shop.hasLeadOf(ctx, customers[who])), "step %d: %+v", step,
					got)
				if what == 9 {
					opted[who] = true
					for _, each := range shop.leads(ctx) {
						mine := each.Spec.Customer.Phone == customers[who] && !lead.Finished(&each)
						Expect(!mine || each.Spec.Stop != nil || each.Name == got.Lead).To(BeTrue(),
							"step %d: %s is not stopped", step, each.Name)
					}
				}
			}
		}
		stored := map[string]int{}
		for _, each := range shop.leads(ctx) {
			for _, message := range each.Status.Conversation {
				stored[message.ID]++
			}
		}
		for id, recorded := range acknowledged {
			once := stored[id] == 1
			Expect(once).To(Equal(recorded), "seed %d: %s is there %d times", seed, id, stored[id])
		}
		Expect(shop.suppressions(ctx)).To(HaveLen(len(opted)))
	})
})
