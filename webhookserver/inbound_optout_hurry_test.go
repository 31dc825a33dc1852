package webhookserver

import (
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/webhookserver/formats"
)

// inAFlood has a namespace's floods and strangers wait for a time that never comes.
func (s phoneShop) inAFlood() {
	ends := func(time.Duration) <-chan time.Time { return nil }
	server.joiner.mu.Lock()
	server.joiner.next[s.namespace] = time.Now().Add(time.Hour)
	server.joiner.after = ends
	server.joiner.mu.Unlock()
	server.strangers.mu.Lock()
	server.strangers.next[s.namespace] = time.Now().Add(time.Hour)
	server.strangers.after = ends
	server.strangers.mu.Unlock()
	DeferCleanup(func() { server.joiner.after, server.strangers.after = time.After, time.After })
}

// texts are messages of a customer, one after the other.
func texts(all ...string) []formats.Message {
	messages := make([]formats.Message, 0, len(all))
	for n, text := range all {
		message := inboundOf(fmt.Sprint("t-", n))
		message.Text = text
		messages = append(messages, message)
	}
	return messages
}

var _ = Describe("Who waits for nothing in a flood", func() {
	It("is a person at the paired phone", func(ctx SpecContext) {
		shop := openPhoneShop(ctx)
		shop.inAFlood()
		Expect(shop.hears(ctx, ownOf("o-1", "Aqui é a Ana")).Result).To(Equal(resultRecorded))
		Expect(lead.HandedOff(shop.current(ctx))).To(BeTrue())
	}, SpecTimeout(20*time.Second))

	It("is an opt-out that may be of two customers", func(ctx SpecContext) {
		shop := openPhoneShop(ctx)
		landline := shop.shop.lead(ctx, named("landline"), withPhone("+551132345678"),
			contacted(time.Now(), v1alpha1.MessageSent))
		shop.shop.lead(ctx, named("mobile"), withPhone("+5511932345678"), contacted(time.Now(), v1alpha1.MessageSent))
		shop.inAFlood()
		message := inboundOf("m-1")
		message.Phone, message.Text = "551132345678", "parar"
		shop.hears(ctx, message)
		stopped := phoneShop{shop.shop, shop.instance, landline}.current(ctx)
		Expect(lead.Stopped(stopped)).NotTo(BeNil())
	}, SpecTimeout(20*time.Second))

	It("is an opt-out in two messages", func(ctx SpecContext) {
		shop := openPhoneShop(ctx)
		both := texts("não quero", "receber mais mensagens")
		shop.hears(ctx, both[0])
		knownTo(ctx, server, shop.current(ctx))
		shop.inAFlood()
		Expect(shop.hears(ctx, both[1]).Reason).To(Equal(recordedOptOut))
	}, SpecTimeout(20*time.Second))

	It("is an opt-out behind other messages of its delivery", func(ctx SpecContext) {
		shop := openPhoneShop(ctx)
		shop.hears(ctx, inboundOf("m-1"))
		shop.inAFlood()
		server.hearAll(ctx, shop.instance, texts("oi", "tudo bem?", "olha", "parar"))
		Expect(shop.current(ctx).Status.Conversation).To(ContainElement(HaveField("Text", "parar")))
	}, SpecTimeout(20*time.Second))

	It("is an opt-out behind another customer's message of its delivery", func(ctx SpecContext) {
		shop := openPhoneShop(ctx)
		shop.hears(ctx, inboundOf("m-1"))
		other := shop.shop.lead(ctx, named("other"), withPhone("+5521911112222"),
			contacted(time.Now(), v1alpha1.MessageSent))
		shop.inAFlood()
		both := texts("oi", "parar")
		both[1].Phone = "5521911112222"
		server.hearAll(ctx, shop.instance, both)
		Expect(phoneShop{shop.shop, shop.instance, other}.current(ctx).Status.Conversation).To(
			ContainElement(HaveField("Text", "parar")))
	}, SpecTimeout(20*time.Second))

	It("is a message that is delivered again", func(ctx SpecContext) {
		shop := openPhoneShop(ctx)
		shop.hears(ctx, inboundOf("m-1"))
		knownTo(ctx, server, shop.current(ctx))
		shop.inAFlood()
		Expect(shop.hears(ctx, inboundOf("m-1")).Result).To(Equal(resultUnchanged))
	}, SpecTimeout(20*time.Second))

	It("is not a customer who has been heard", func(ctx SpecContext) {
		shop := openPhoneShop(ctx)
		message := inboundOf("m-1")
		message.Text = "parar"
		Expect(shop.hears(ctx, message).Reason).To(Equal(recordedOptOut))
		Eventually(func() bool {
			return server.hasBeenHeard(ctx, shop.lead, message.Phone)
		}).Should(BeTrue())
		Expect(server.mayAskToStop(ctx, shop.instance, shop.lead, nil, &message)).To(BeFalse())
	}, SpecTimeout(20*time.Second))

	It("is, of several strangers in one delivery, any but the first", func(ctx SpecContext) {
		shop := openPhoneShop(ctx)
		waits := 0
		shop.inAFlood()
		over := make(chan time.Time)
		close(over)
		server.strangers.after = func(time.Duration) <-chan time.Time {
			waits++
			return over
		}
		var all []formats.Message
		for n := range 20 {
			message := inboundOf(fmt.Sprint("m-", n))
			message.Phone, message.Text = fmt.Sprint("55219111122", 10+n), "oi"
			all = append(all, message)
		}
		Expect(server.hearAll(ctx, shop.instance, all).status).To(Equal(200))
		Expect(waits).To(Equal(1))
	}, SpecTimeout(20*time.Second))
})
