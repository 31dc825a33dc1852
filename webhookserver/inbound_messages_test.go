package webhookserver

import (
	"context"
	"errors"
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/index"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/testenv"
	"cartrecovery.dev/operator/webhookserver/formats"
)

// staleClient is a cache that does not know any message yet: it has leads as they were made.
func staleClient() client.Client {
	return testenv.Intercept(hooked, interceptor.Funcs{List: func(
		ctx context.Context, cache client.WithWatch, list client.ObjectList, opts ...client.ListOption,
	) error {
		err := cache.List(ctx, list, opts...)
		if leads, isLeads := list.(*v1alpha1.CartRecoveryList); isLeads {
			for i := range leads.Items {
				leads.Items[i].Status.Conversation, leads.Items[i].ResourceVersion = nil, "1"
			}
		}
		return err
	}})
}

// brokenReader is an API server that does not answer when leads are read.
func brokenReader() client.Reader {
	silent := errors.New("the API server does not answer")
	return testenv.Intercept(env.Client, interceptor.Funcs{
		List: func(context.Context, client.WithWatch, client.ObjectList, ...client.ListOption) error { return silent },
		Get: func(
			ctx context.Context, api client.WithWatch, key client.ObjectKey, object client.Object,
			opts ...client.GetOption,
		) error {
			if _, isLead := object.(*v1alpha1.CartRecovery); isLead {
				return silent
			}
			return api.Get(ctx, key, object, opts...)
		},
	})
}

// staleServer is a server whose cache is behind.
func staleServer(live client.Reader) *Server {
	GinkgoHelper()
	made, err := New(options(live, staleClient(), prometheus.NewRegistry()))
	Expect(err).NotTo(HaveOccurred())
	return made
}

func inboundOf(id string) formats.Message {
	return formats.Message{Format: "uazapi", Kind: formats.Inbound, ID: id, Phone: "5511987654321",
		Text: "quero saber mais"}
}

func editedOf(id, text string) formats.Message {
	return formats.Message{Format: "uazapi", Kind: formats.Edited, ID: id, Phone: "5511987654321", Text: text}
}

func ownOf(id, text string) formats.Message {
	return formats.Message{Format: "uazapi", Kind: formats.Own, FromMe: true, ID: id, Phone: "5511987654321",
		Text: text}
}

var _ = Describe("a message that the cache is behind of", func() {
	It("is stored after a second look at what was sent", func(ctx SpecContext) {
		shop := openPhoneShop(ctx)
		message := inboundOf("m-1")
		got, err := staleServer(env.Client).hear(ctx, shop.instance, &message)
		Expect(err).NotTo(HaveOccurred())
		Expect(got).To(Equal(outcome{Result: resultRecorded, Lead: shop.lead.Name}))
		Expect(shop.current(ctx).Status.Conversation).To(HaveLen(2))

		By("and not twice")
		got, err = staleServer(env.Client).hear(ctx, shop.instance, &message)
		Expect(err).NotTo(HaveOccurred())
		Expect(got.Result).To(Equal(resultUnchanged))
	})

	It("is stored when nothing was sent yet", func(ctx SpecContext) {
		shop := openPhoneShop(ctx, func(l *v1alpha1.CartRecovery) { l.Status.Conversation = nil })
		message := inboundOf("m-1")
		got, err := staleServer(env.Client).hear(ctx, shop.instance, &message)
		Expect(err).NotTo(HaveOccurred())
		Expect(got).To(Equal(outcome{Result: resultRecorded, Lead: shop.lead.Name}))
		Expect(shop.current(ctx).Status).To(And(HaveField("Conversation", HaveLen(1)),
			HaveField("Phase", v1alpha1.PhaseEngaged)))
	})

	It("is ignored when the lead is gone meanwhile", func(ctx SpecContext) {
		shop := openPhoneShop(ctx)
		behind, message := shop.lead.DeepCopy(), inboundOf("m-1")
		Expect(env.Client.Delete(ctx, shop.lead)).To(Succeed())
		fresh, err := staleServer(env.Client).liveLeads(ctx, shop.instance, &message, []v1alpha1.CartRecovery{*behind})
		Expect(err).NotTo(HaveOccurred())
		Expect(fresh).To(BeEmpty())
	})

	It("is to be delivered again when the API server does not answer", func(ctx SpecContext) {
		shop := openPhoneShop(ctx)
		message := inboundOf("m-1")
		got := staleServer(brokenReader()).hearAll(ctx, shop.instance, []formats.Message{message})
		Expect(got.status).To(Equal(http.StatusServiceUnavailable))
		Expect(got.retry).To(BeTrue())
	})

	It("is no other person's when it is ours", func(ctx SpecContext) {
		shop := openPhoneShop(ctx, ours, func(l *v1alpha1.CartRecovery) {
			l.Status.Conversation[0].State, l.Status.Conversation[0].GatewayID = v1alpha1.MessageClaimed, ""
		})
		shop.shop.lead(ctx, named("another-cart"))
		message := ownOf("g-1", "Oi, tudo bem?")
		got, err := staleServer(env.Client).hear(ctx, shop.instance, &message)
		Expect(err).NotTo(HaveOccurred())
		Expect(got.Reason).To(Equal(formats.ReasonSentByAPI))
		for _, each := range shop.leads(ctx) {
			Expect(lead.HandedOff(&each)).To(BeFalse())
		}
	})

	It("finds what a reaction is to", func(ctx SpecContext) {
		shop := openPhoneShop(ctx, ours)
		forgetful := staleServer(env.Client)
		forgetful.Client = withoutMessages(forgetful.Client)
		message := formats.Message{Format: "uazapi", Kind: formats.Reaction, ID: "r-1", Target: "g-1", Text: "👍",
			Phone: "5511987654321"}
		got, err := forgetful.hear(ctx, shop.instance, &message)
		Expect(err).NotTo(HaveOccurred())
		Expect(got.Result).To(Equal(resultRecorded))
	})
})

// withoutMessages is a cache whose index of messages is empty.
func withoutMessages(cache client.Client) client.Client {
	return testenv.Intercept(cache, interceptor.Funcs{List: func(
		ctx context.Context, cache client.WithWatch, list client.ObjectList, opts ...client.ListOption,
	) error {
		for _, option := range opts {
			fields, isFields := option.(client.MatchingFields)
			if _, byMessage := fields[index.LeadByMessage]; isFields && byMessage {
				return nil
			}
		}
		return cache.List(ctx, list, opts...)
	}})
}

var _ = Describe("a message that the customer edits", func() {
	It("is changed where it is, with the same id", func(ctx SpecContext) {
		shop := openPhoneShop(ctx, heard("m-1"))
		shop.hears(ctx, inboundOf("m-2"))
		Expect(shop.hears(ctx, editedOf("m-1", "quero dois")).Result).To(Equal(resultRecorded))
		conversation := shop.current(ctx).Status.Conversation
		Expect(conversation).To(HaveLen(3))
		Expect(conversation[1]).To(And(HaveField("ID", "m-1"), HaveField("Text", "quero dois"),
			HaveField("EditedAt", Not(BeNil()))))

		cached(ctx, shop.lead)
		version := shop.lead.ResourceVersion
		Expect(shop.hears(ctx, editedOf("m-1", "quero dois")).Result).To(Equal(resultUnchanged))
		Expect(shop.current(ctx).ResourceVersion).To(Equal(version))
	})

	It("is taken as new when it comes first, and its original then changes nothing", func(ctx SpecContext) {
		shop := openPhoneShop(ctx)
		Expect(shop.hears(ctx, editedOf("m-1", "quero dois")).Result).To(Equal(resultRecorded))
		Expect(shop.hears(ctx, inboundOf("m-1")).Result).To(Equal(resultUnchanged))
		conversation := shop.current(ctx).Status.Conversation
		Expect(conversation).To(HaveLen(2))
		Expect(conversation[1]).To(And(HaveField("Text", "quero dois"), HaveField("Role", v1alpha1.RoleCustomer)))
	})

	It("is found by its id when the number is hidden", func(ctx SpecContext) {
		shop := openPhoneShop(ctx, heard("m-1"))
		edited, unknown := editedOf("m-1", "quero dois"), editedOf("m-9", "quero dois")
		edited.Phone, unknown.Phone = "", ""
		Expect(shop.hears(ctx, edited).Result).To(Equal(resultRecorded))
		Expect(shop.hears(ctx, unknown)).To(Equal(unmatched(formats.ReasonNoPhone)))
	})

	It("is left alone when nothing of it can be read", func(ctx SpecContext) {
		shop := openPhoneShop(ctx, heard("m-1"))
		Expect(shop.hears(ctx, editedOf("m-1", "")).Reason).To(Equal(formats.ReasonEmpty))
	})

	It("is changed in a lead that is over, too", func(ctx SpecContext) {
		shop := openPhoneShop(ctx, heard("m-1"), isFinished)
		Expect(shop.hears(ctx, editedOf("m-1", "quero dois")).Result).To(Equal(resultRecorded))
		Expect(shop.current(ctx).Status.Conversation[1].Text).To(Equal("quero dois"))
	})
})

var _ = Describe("a reaction", func() {
	reaction := func(target, emoji, phone string) formats.Message {
		return formats.Message{Format: "uazapi", Kind: formats.Reaction, ID: "r-1", Target: target, Text: emoji,
			Phone: phone}
	}

	It("is kept with the message that it is to, and goes with it", func(ctx SpecContext) {
		shop := openPhoneShop(ctx, ours, heard("m-1"))
		phase := shop.current(ctx).Status.Phase
		for _, row := range []struct {
			target string
			at     int
		}{{"g-1", 0}, {"m-1", 1}} {
			for _, emoji := range []string{"❤️", "👍", ""} {
				cached(ctx, shop.current(ctx))
				Expect(shop.hears(ctx, reaction(row.target, emoji, "5511987654321")).Result).To(Equal(resultRecorded))
				Expect(shop.current(ctx).Status.Conversation[row.at].Reaction).To(Equal(emoji))
			}
		}
		Expect(shop.current(ctx).Status).To(And(HaveField("Phase", phase), HaveField("Conversation", HaveLen(2))))
	})

	It("to a message that nobody knows is not guessed", func(ctx SpecContext) {
		shop := openPhoneShop(ctx, ours)
		Expect(shop.hears(ctx, reaction("g-9", "👍", "5511987654321"))).To(Equal(unmatched(ignoredReaction)))
		Expect(shop.hears(ctx, reaction("g-1", "👍", "5521911112222"))).To(Equal(unmatched(ignoredReaction)))
		Expect(shop.hears(ctx, reaction("", "👍", ""))).To(Equal(unmatched(ignoredReaction)))
		mine := reaction("g-1", "👍", "5511987654321")
		mine.FromMe = true
		Expect(shop.hears(ctx, mine)).To(Equal(ignored(ignoredOwn)))
		Expect(shop.current(ctx).Status.Conversation[0].Reaction).To(BeEmpty())
	})

	It("is found by its target when the number is hidden", func(ctx SpecContext) {
		shop := openPhoneShop(ctx, ours)
		Expect(shop.hears(ctx, reaction("g-1", "👍", "")).Result).To(Equal(resultRecorded))
	})
})

var _ = Describe("a person who writes from the paired phone", func() {
	It("takes over every open conversation with the customer, once", func(ctx SpecContext) {
		shop := openPhoneShop(ctx, ours)
		shop.shop.lead(ctx, named("another-cart"))
		shop.shop.lead(ctx, named("over"), isFinished)
		shop.shop.lead(ctx, named("somebody-else"), withPhone("+5521911112222"))
		got := plain(ctx, shop.message("o-1", map[string]any{"fromMe": true, "text": "Aqui é a Ana"}))
		Expect(got.Body).To(HaveKeyWithValue("result", resultRecorded), got.Raw)
		Expect(got.Body["leads"]).To(ConsistOf(shop.lead.Name, "another-cart"))
		versions := map[string]string{}
		for _, each := range shop.leads(ctx) {
			versions[each.Name] = each.ResourceVersion
			taken := each.Name == shop.lead.Name || each.Name == "another-cart"
			Expect(lead.HandedOff(&each)).To(Equal(taken), each.Name)
			if taken {
				Expect(handedOff(&each)).To(Equal("True/PersonWrote"))
				last := each.Status.Conversation[len(each.Status.Conversation)-1]
				Expect(last).To(And(HaveField("ID", "o-1"), HaveField("Role", v1alpha1.RolePerson),
					HaveField("Text", "Aqui é a Ana")))
			}
		}
		again := plain(ctx, shop.message("o-1", map[string]any{"fromMe": true, "text": "Aqui é a Ana"}))
		Expect(again.Body).To(HaveKeyWithValue("result", resultUnchanged))
		for _, each := range shop.leads(ctx) {
			Expect(each.ResourceVersion).To(Equal(versions[each.Name]))
		}
	})

	It("fences what was about to be claimed", func(ctx SpecContext) {
		shop := openPhoneShop(ctx, ours)
		before := shop.current(ctx).DeepCopy()
		Expect(shop.hears(ctx, ownOf("o-1", "Aqui é a Ana")).Result).To(Equal(resultRecorded))
		before.Status.TokensUsed = 1
		Expect(env.Client.Status().Update(ctx, before)).NotTo(Succeed())
	})

	It("is not we ourselves", func(ctx SpecContext) {
		shop := openPhoneShop(ctx, ours)
		Expect(shop.hears(ctx, ownOf("g-1", "changed on the way")).Reason).To(Equal(formats.ReasonSentByAPI))
		unconfirmed := openPhoneShop(ctx, ours, func(l *v1alpha1.CartRecovery) {
			l.Status.Conversation[0].GatewayID = ""
		})
		Expect(unconfirmed.hears(ctx, ownOf("other-id", " Oi,\u2060 tudo bem?")).Reason).To(
			Equal(formats.ReasonSentByAPI))
		Expect(shop.current(ctx).Status.Conditions).To(BeEmpty())
		Expect(unconfirmed.current(ctx).Status.Conditions).To(BeEmpty())
	})

	It("in the words of the AI takes over, once they are no echo any more", func(ctx SpecContext) {
		shop := openPhoneShop(ctx, ours)
		Expect(shop.hears(ctx, ownOf("o-1", "Oi, tudo bem?"))).To(Equal(outcome{Result: resultIgnored,
			Reason: formats.ReasonSentByAPI, Lead: shop.lead.Name}))
		Expect(lead.HandedOff(shop.current(ctx))).To(BeFalse())
		shop.lead.Status.Conversation[0].At = v1alpha1.NewTimestamp(time.Now().Add(-11 * time.Minute))
		Expect(env.Client.Status().Update(ctx, shop.lead)).To(Succeed())
		cached(ctx, shop.lead)
		Expect(shop.hears(ctx, ownOf("o-2", "Oi, tudo bem?")).Result).To(Equal(resultRecorded))
		Expect(lead.HandedOff(shop.current(ctx))).To(BeTrue())
	})

	DescribeTable("changes what the AI wrote, and takes over", func(ctx SpecContext, edited formats.Message) {
		shop := openPhoneShop(ctx, ours)
		edited.Kind = formats.Edited
		Expect(shop.hears(ctx, edited).Result).To(Equal(resultRecorded))
		Expect(lead.HandedOff(shop.current(ctx))).To(BeTrue())
		Expect(shop.lead.Status.Conversation).To(ConsistOf(And(HaveField("Text", "Aqui é a Ana"),
			HaveField("Role", v1alpha1.RoleAssistant))))
		cached(ctx, shop.lead)
		Expect(shop.hears(ctx, edited).Reason).To(Equal(formats.ReasonSentByAPI))
	},
		Entry("told as it is", ownOf("g-1", "Aqui é a Ana")),
		Entry("told as if the customer had, of a hidden number", formats.Message{Format: "evolution", ID: "g-1",
			Text: "Aqui é a Ana"}),
	)

	It("is not we ourselves when the message was claimed a moment ago", func(ctx SpecContext) {
		shop := openPhoneShop(ctx)
		hooked.before(func(ctx context.Context, verb string, object client.Object) error {
			if _, isLead := object.(*v1alpha1.CartRecovery); isLead && verb == "patch status" {
				hooked.before(nil)
				current := shop.current(ctx).DeepCopy()
				current.Status.Conversation = append(current.Status.Conversation, v1alpha1.Message{
					ID: "c0-reply-1", Role: v1alpha1.RoleAssistant, State: v1alpha1.MessageClaimed,
					Text: "Posso ajudar?", At: v1alpha1.NewTimestamp(time.Now()),
				})
				return env.Client.Status().Update(ctx, current)
			}
			return nil
		})
		Expect(shop.hears(ctx, ownOf("g-2", "Posso ajudar?")).Result).To(Equal(resultUnchanged))
		Expect(shop.current(ctx).Status).To(And(HaveField("Conditions", BeEmpty()),
			HaveField("Conversation", HaveLen(2))))
	})

	It("writes to somebody without a lead", func(ctx SpecContext) {
		shop := openPhoneShop(ctx)
		stranger := ownOf("o-1", "oi")
		stranger.Phone = "5521911112222"
		Expect(shop.hears(ctx, stranger)).To(Equal(ignored(ignoredOwn)))
		stranger.Phone = ""
		Expect(shop.hears(ctx, stranger)).To(Equal(unmatched(formats.ReasonNoPhone)))
	})

	It("is not guessed between two numbers", func(ctx SpecContext) {
		shop := openPhoneShop(ctx)
		shop.shop.lead(ctx, named("mobile"), withPhone("+5511932345678"))
		shop.shop.lead(ctx, named("landline"), withPhone("+551132345678"))
		message := ownOf("o-1", "oi")
		message.Phone = "551132345678"
		Expect(shop.hears(ctx, message).Reason).To(Equal(ignoredAmbiguous))
	})

	It("is to be told again when one of the leads could not be written", func(ctx SpecContext) {
		shop := openPhoneShop(ctx, ours)
		refuseWrites("patch status")
		body := shop.message("o-1", map[string]any{"fromMe": true, "text": "Aqui é a Ana"})
		Expect(plain(ctx, body).Status).To(Equal(http.StatusServiceUnavailable))
		hooked.before(nil)
		Expect(plain(ctx, body).Body).To(HaveKeyWithValue("result", resultRecorded))
	})
})

var _ = Describe("messages that belong to nobody", func() {
	It("are counted", func(ctx SpecContext) {
		shop := openPhoneShop(ctx)
		before := count("uazapi", resultUnmatched)
		Expect(plain(ctx, shop.message("m-1", map[string]any{"chatid": "5521911112222@s.whatsapp.net"})).Body).To(
			HaveKeyWithValue("reason", "NoOpenLead"))
		Expect(plain(ctx, shop.message("m-3", map[string]any{"chatid": "123456789012345@lid"})).Body).To(
			HaveKeyWithValue("reason", "NoPhone"))
		Expect(count("uazapi", resultUnmatched)).To(Equal(before + 2))
		Expect(shop.current(ctx).Status.Conversation).To(HaveLen(1))
	})
})
