package plan

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/contacts"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/policy"
)

// on changes the last message of a lead's conversation.
func on(mods ...func(*v1alpha1.Message)) gen.LeadMod {
	return func(l *v1alpha1.CartRecovery) {
		for _, mod := range mods {
			mod(&l.Status.Conversation[len(l.Status.Conversation)-1])
		}
	}
}

func sentAt(at time.Time) func(*v1alpha1.Message) {
	return func(m *v1alpha1.Message) {
		sent := v1alpha1.NewTimestamp(at)
		m.SentAt = &sent
	}
}

func atNumber(name string) func(*v1alpha1.Message) {
	return func(m *v1alpha1.Message) { m.Instance = name }
}

func inCycle(cycle int32) func(*v1alpha1.Message) {
	return func(m *v1alpha1.Message) { m.Cycle = cycle }
}

func inState(state v1alpha1.MessageState) func(*v1alpha1.Message) {
	return func(m *v1alpha1.Message) { m.State = state }
}

// replied is our answer to a customer's message.
func replied(to string, at time.Time) gen.LeadMod {
	return gen.FromUs(lead.ReplyID(0, to), v1alpha1.MessageSent, at, func(m *v1alpha1.Message) { m.Step = "" })
}

// earlyCases are the rows about customers who write before the first message.
func earlyCases() []planCase {
	away := numberWith(gen.Instance, metav1.ConditionFalse, v1alpha1.ReasonNotConnected, -24*time.Hour)
	second := numberWith("second", metav1.ConditionTrue, v1alpha1.ReasonConnected, 0)
	paused := *gen.InstanceObject(func(i *v1alpha1.WhatsAppInstance) {
		i.Status.NewConversationsPausedUntil = &metav1.Time{Time: gen.T0.Add(24 * time.Hour)}
	})
	early := gen.FromCustomer("m1", gen.T0.Add(10*time.Second))
	reply, due := lead.ReplyID(0, "m1"), 10*time.Second+policy.DefaultReplyDebounce
	quiet := func(s *Snapshot) {
		s.Policy.QuietHours = &v1alpha1.QuietHours{Start: "09:00", End: "10:00", Spread: &v1alpha1.Duration{}}
	}
	failed := gen.FromUs(gen.FirstID, v1alpha1.MessageFailed, gen.T0.Add(5*time.Second),
		attempts(1, gen.T0.Add(6*time.Second)))
	unreached := gen.FromUs(gen.FirstID, v1alpha1.MessageFailed, gen.T0.Add(5*time.Second), func(m *v1alpha1.Message) {
		m.Error = v1alpha1.ReasonNotOnWhatsApp
	})
	return []planCase{
		{name: "who writes first is answered after the debounce", now: 11 * time.Second, lead: []gen.LeadMod{early},
			want: Wait, until: due},
		{name: "who writes first gets a text of its own", now: due, lead: []gen.LeadMod{early}, want: Prepare,
			message: reply},
		{name: "who writes first is answered from a number that is free", now: due, text: ready(),
			lead:      []gen.LeadMod{early},
			instances: []v1alpha1.WhatsAppInstance{away, second}, want: Send, message: reply, from: "second"},
		{name: "who writes first is answered from a number that may start no conversations", now: due, text: ready(),
			lead:      []gen.LeadMod{early},
			instances: []v1alpha1.WhatsAppInstance{paused}, want: Send, message: reply},
		{name: "who writes first is answered from the number that they wrote to", now: due, text: ready(),
			lead:      []gen.LeadMod{early, on(atNumber("second"))},
			instances: []v1alpha1.WhatsAppInstance{*gen.InstanceObject(), second}, want: Send, message: reply,
			from: "second"},
		{name: "who writes first is answered although the gateway does not know their number", now: due, text: ready(),
			contact: &contacts.Contact{State: contacts.Absent}, lead: []gen.LeadMod{early}, want: Send, message: reply},
		{name: "who writes first gets no step", now: 5 * time.Hour, text: ready(),
			lead: []gen.LeadMod{early, replied("m1", gen.T0.Add(due))}, want: Wait, until: due + gen.ExpiresAt},
		{name: "a step that was refused before they wrote is not sent again", now: due, text: ready(),
			lead: []gen.LeadMod{failed, early}, want: Send, message: reply},
		{name: "a step that is on its way when they write is not forgotten", now: due, text: ready(),
			lead: []gen.LeadMod{gen.FromUs(gen.FirstID, v1alpha1.MessageClaimed, gen.T0.Add(due)), early}, want: Wait,
			until: due + AskAfter},
		{name: "who writes has WhatsApp, whatever the gateway said", now: due, text: ready(),
			lead: []gen.LeadMod{unreached, early}, want: Send, message: reply},
		{name: "quiet hours hold the answer to who writes first", now: due, text: ready(), lead: []gen.LeadMod{early},
			with: quiet,
			want: Wait, until: time.Hour, blocked: v1alpha1.ReasonQuietHours},
		{name: "the cooldown does not hold the answer to who writes first", now: due, text: ready(),
			lead: []gen.LeadMod{early}, with: func(s *Snapshot) {
				s.Others.opened = gen.T0
			}, want: Send, message: reply},
		{name: "who asks us to stop in two messages is heard", now: 14 * time.Second,
			lead: []gen.LeadMod{gen.Says("m1", "não quero", gen.T0.Add(9*time.Second)),
				gen.Says("m2", "receber mais mensagens", gen.T0.Add(13*time.Second))},
			want: Send, message: lead.OptOutID(0), from: gen.Instance},
		{name: "two messages that are no request together are answered", now: due, text: ready(),
			lead: []gen.LeadMod{gen.Says("m0", "não quero", gen.T0.Add(5*time.Second)), gen.Says("m1", "perder a vaga",
				gen.T0.Add(10*time.Second))},
			want: Send, message: reply},
		{name: "two messages with half an hour between them are no request together", now: 31 * time.Minute,
			text: ready(),
			lead: []gen.LeadMod{gen.Says("m0", "não quero", gen.T0), gen.Says("m1", "receber mais mensagens",
				gen.T0.Add(30*time.Minute))},
			want: Send, message: reply},
		{name: "who asks us to stop first is told that nothing will come", now: due,
			lead: []gen.LeadMod{gen.Says("m1", "PARAR", gen.T0.Add(10*time.Second))}, want: Send,
			message: lead.OptOutID(0), from: gen.Instance},
		{name: "a lead without a sequence is answered", now: due, text: ready(),
			lead: []gen.LeadMod{early, func(l *v1alpha1.CartRecovery) { l.Spec.Trigger = v1alpha1.TriggerPixPending }},
			want: Send, message: reply},
		{name: "a greeting of the paired phone is no conversation", now: gen.FirstDue, text: ready(),
			lead: []gen.LeadMod{func(l *v1alpha1.CartRecovery) {
				l.Status.Conversation = []v1alpha1.Message{{ID: "op", Role: v1alpha1.RolePerson, Automatic: true,
					Text: "Olá!", At: v1alpha1.NewTimestamp(gen.T0)}}
			}}, instances: []v1alpha1.WhatsAppInstance{paused}, want: Wait, until: 24 * time.Hour,
			blocked: v1alpha1.ReasonRestricted},
		{name: "who asks us to stop in four messages is heard", now: 20 * time.Second,
			lead: []gen.LeadMod{gen.Says("m1", "não quero", gen.T0.Add(9*time.Second)),
				gen.Says("m2", "que", gen.T0.Add(10*time.Second)), gen.Says("m3", "me", gen.T0.Add(11*time.Second)),
				gen.Says("m4", "mande mensagem", gen.T0.Add(12*time.Second))}, want: Send, message: lead.OptOutID(0)},
		{name: "who is not the customer and writes first gets an apology", now: due,
			lead: []gen.LeadMod{gen.Says("m1", "Número errado", gen.T0.Add(10*time.Second))}, want: Send,
			message: lead.WrongNumberID(0)},
		{name: "who asks for a person first gets one", now: due,
			lead: []gen.LeadMod{gen.Says("m1", "atendente", gen.T0.Add(10*time.Second))}, want: HandOver},
	}
}

// lateCases are the rows about customers who write after the end.
func lateCases() []planCase {
	const hour = time.Hour
	sent := gen.FromUs(gen.FirstID, v1alpha1.MessageSent, gen.T0.Add(gen.FirstDue))
	ended := gen.FirstDue + gen.ExpiresAt
	over := func(outcome string) gen.LeadMod { return done(outcome, gen.T0.Add(ended)) }
	late := gen.FromCustomer("m1", gen.T0.Add(ended+hour))
	byPolicy := func(what v1alpha1.LateReplies) func(*Snapshot) {
		return func(s *Snapshot) { s.Policy.LateReplies = what }
	}
	optOut, now := gen.Says("m1", "PARAR", gen.T0.Add(ended+hour)), ended+hour+time.Minute
	deleted := ended + policy.DefaultTTLAfterFinished
	opened := func(l *v1alpha1.CartRecovery) { AnsweredLate(1, gen.T0.Add(ended+hour))(&l.Status) }
	return []planCase{
		{name: "who answers late is heard", now: now, lead: []gen.LeadMod{sent, over(v1alpha1.ReasonUnanswered), late},
			want: ReopenForAnswer},
		{name: "who writes late is heard where the conversation had ended", now: now,
			lead: []gen.LeadMod{sent, gen.FromCustomer("m0", gen.T0.Add(hour)), over(v1alpha1.ReasonConversationEnded),
				late}, want: ReopenForAnswer},
		{name: "who writes late is heard although they were never written to", now: now,
			lead: []gen.LeadMod{over(v1alpha1.ReasonNeverContacted),
				late}, want: ReopenForAnswer},
		{name: "who writes late is heard by the clock of a replica that is behind", now: now,
			lead: []gen.LeadMod{sent, over(v1alpha1.ReasonUnanswered),
				gen.FromCustomer("m1", gen.T0.Add(ended-time.Second))}, want: ReopenForAnswer},
		{name: "who writes late is answered", now: now, text: ready(),
			lead: []gen.LeadMod{sent, over(v1alpha1.ReasonUnanswered), late,
				opened}, want: Send, message: lead.ReplyID(0, "m1")},
		{name: "no step goes after the answer to a late reply", now: now + 12*hour, text: ready(),
			lead: []gen.LeadMod{sent, over(v1alpha1.ReasonUnanswered), late, opened, replied("m1", gen.T0.Add(now))},
			steps: []v1alpha1.Step{{Name: "first", After: v1alpha1.Duration{Duration: gen.FirstDue}},
				{Name: "second", After: v1alpha1.Duration{Duration: hour}}}, want: Wait, until: now + gen.ExpiresAt},
		{name: "a lead that a late reply opened ends again", now: now + gen.ExpiresAt,
			lead: []gen.LeadMod{sent, over(v1alpha1.ReasonUnanswered), late, opened, replied("m1", gen.T0.Add(now))},
			want: Finish, outcome: v1alpha1.ReasonConversationEnded},
		{name: "a lead that a late reply opened stays ended", now: now + gen.ExpiresAt + hour,
			lead: []gen.LeadMod{sent, over(v1alpha1.ReasonUnanswered), late, opened, replied("m1", gen.T0.Add(now)),
				done(v1alpha1.ReasonConversationEnded, gen.T0.Add(now+gen.ExpiresAt))},
			want: Wait, until: now + gen.ExpiresAt + policy.DefaultTTLAfterFinished},
		{name: "a late reply that nobody saw in time opens nothing", now: ended + hour + gen.ExpiresAt,
			lead: []gen.LeadMod{sent, over(v1alpha1.ReasonUnanswered), late}, want: Wait, until: deleted},
		{name: "a late reply is a person's where the policy says so", now: now,
			lead: []gen.LeadMod{sent, over(v1alpha1.ReasonUnanswered), late},
			with: byPolicy(v1alpha1.LateRepliesHandOff), want: HandOver, outcome: v1alpha1.ReasonLateReply},
		{name: "a late reply is nobody's where the policy says so", now: now,
			lead: []gen.LeadMod{sent, over(v1alpha1.ReasonUnanswered), late},
			with: byPolicy(v1alpha1.LateRepliesIgnore), want: Wait, until: deleted},
		{name: "a late opt-out is confirmed, and is no matter for a person", now: now, suppressed: true,
			lead: []gen.LeadMod{sent, over(v1alpha1.ReasonUnanswered), optOut},
			with: byPolicy(v1alpha1.LateRepliesHandOff), want: ReopenForAnswer},
		{name: "a late opt-out is confirmed once the lead is open", now: now, suppressed: true,
			lead: []gen.LeadMod{sent, over(v1alpha1.ReasonUnanswered), optOut, opened}, want: Send,
			message: lead.OptOutID(0)},
		{name: "a suppressed number is not answered", now: now, suppressed: true,
			lead: []gen.LeadMod{sent, over(v1alpha1.ReasonUnanswered), late}, want: Wait, until: deleted},
		{name: "a machine's late reply opens nothing", now: now,
			lead: []gen.LeadMod{sent, over(v1alpha1.ReasonUnanswered), late, on(gen.Automatic)}, want: Wait,
			until: deleted},
		{name: "a late reply that a person has answered opens nothing", now: now,
			lead: []gen.LeadMod{sent, over(v1alpha1.ReasonUnanswered), late, gen.FromPerson("o1", gen.T0.Add(now))},
			want: Wait, until: deleted},
		{name: "a late reply of who bought opens nothing", now: now,
			lead: []gen.LeadMod{sent, gen.Bought(gen.T0.Add(hour)),
				done(v1alpha1.ReasonBoughtAfterContact, gen.T0.Add(ended)), late}, want: Wait},
		{name: "a late reply of who opted out opens nothing", now: now,
			lead: []gen.LeadMod{sent, over(v1alpha1.ReasonOptedOut), late},
			want: Wait, until: deleted},
		{name: "a late reply of whom no message reached opens nothing", now: now,
			lead: []gen.LeadMod{over(v1alpha1.ReasonSendFailed), late},
			want: Wait, until: deleted},
		{name: "a late reply of who is not the customer opens nothing", now: now,
			lead: []gen.LeadMod{sent, over(v1alpha1.ReasonWrongNumber),
				late}, want: Wait, until: deleted},
		{name: "a late reply and a purchase are a purchase", now: now,
			lead: []gen.LeadMod{sent, over(v1alpha1.ReasonUnanswered), late, gen.Bought(gen.T0.Add(now))}, want: Finish,
			outcome: v1alpha1.ReasonBoughtAfterContact},
		{name: "a new cart goes before a late reply", now: now,
			lead: []gen.LeadMod{sent, over(v1alpha1.ReasonUnanswered), late,
				cycleAsked(gen.T0.Add(now), gen.T0.Add(ended))}, want: Reopen},
		{name: "a person who has the conversation keeps it", now: now, text: ready(),
			lead: []gen.LeadMod{sent, gen.FromPerson("o1", gen.T0.Add(hour)), over(v1alpha1.ReasonUnanswered), late,
				opened}, want: Wait, until: ended + hour + gen.ExpiresAt},
		{name: "a late wrong number is apologised for, also where the number is suppressed", now: now, suppressed: true,
			lead: []gen.LeadMod{sent, over(v1alpha1.ReasonUnanswered),
				gen.Says("m1", "Número errado", gen.T0.Add(ended+hour))}, want: ReopenForAnswer},
		{name: "what was said before the end is not late, although leads may now last longer", now: now,
			lead: []gen.LeadMod{sent, gen.FromCustomer("m1", gen.T0.Add(ended-lateSkew)),
				over(v1alpha1.ReasonConversationEnded)},
			with: func(s *Snapshot) { s.Policy.ExpireAfter *= 2 }, want: Wait, until: deleted},
	}
}

// paidCases are the rows about customers who say that they have paid.
func paidCases() []planCase {
	const hour = time.Hour
	sent := gen.FromUs(gen.FirstID, v1alpha1.MessageSent, gen.T0.Add(gen.FirstDue))
	claim := gen.Says("m1", "Já paguei!", gen.T0.Add(hour))
	thanks := func() gen.LeadMod {
		return gen.FromUs(lead.PaidID(0, "m1"), v1alpha1.MessageSent, gen.T0.Add(hour+time.Second),
			func(m *v1alpha1.Message) { m.Step = "" })
	}
	later := gen.Says("m2", "Quando chega?", gen.T0.Add(hour+10*time.Minute))
	takesBack := gen.Says("m2", "mentira, ainda não paguei, quero desconto", gen.T0.Add(hour+10*time.Minute))
	soon := hour + 5*time.Second
	ends := hour + policy.DefaultClaimsPaidAfter
	handed := func(reason string, at time.Time) gen.LeadMod {
		return func(l *v1alpha1.CartRecovery) { HandedOverFor(reason, 1, at)(&l.Status) }
	}
	return []planCase{
		{name: "who says they have paid is thanked", now: soon, text: ready(), lead: []gen.LeadMod{sent, claim},
			want: Send, message: lead.PaidID(0, "m1"), says: policy.PaymentThanks("pt-BR")},
		{name: "who says they have paid is thanked before the first message", now: soon, text: ready(),
			lead: []gen.LeadMod{claim}, want: Send,
			message: lead.PaidID(0, "m1")},
		{name: "who says they have paid is thanked once", now: soon, text: ready(),
			lead: []gen.LeadMod{sent, claim, thanks()}, want: Wait, until: ends,
			blocked: v1alpha1.ReasonClaimsPaid},
		{name: "who says twice that they have paid is thanked once", now: soon + 2*time.Minute, text: ready(),
			lead: []gen.LeadMod{sent, claim,
				thanks(), gen.Says("m2", "já comprei", gen.T0.Add(hour+time.Minute))}, want: Wait, until: ends,
			blocked: v1alpha1.ReasonClaimsPaid},
		{name: "who says they have paid is not thanked after ten minutes", now: hour + noticeWithin, text: ready(),
			lead: []gen.LeadMod{sent, claim},
			want: Wait, until: ends, blocked: v1alpha1.ReasonClaimsPaid},
		{name: "no step follows a claim to have paid", now: hour + 30*time.Minute, text: ready(), steps: twoSteps,
			lead: []gen.LeadMod{sent, claim, thanks()}, want: Wait, until: ends, blocked: v1alpha1.ReasonClaimsPaid},
		{name: "when the platform stays silent a person gets it", now: ends, text: ready(),
			lead: []gen.LeadMod{sent, claim, thanks()}, want: HandOver, outcome: v1alpha1.ReasonPaymentClaimed},
		{name: "a claim that is with a person waits for them", now: ends, lead: []gen.LeadMod{sent, claim, thanks(),
			handed(v1alpha1.ReasonPaymentClaimed, gen.T0.Add(ends))}, want: Wait,
			until: hour + time.Second + gen.ExpiresAt},
		{name: "a claim that a person gave back is none any more", now: ends + hour, text: ready(),
			lead: []gen.LeadMod{sent, claim, thanks(), handed(v1alpha1.ReasonPaymentClaimed, gen.T0.Add(ends)),
				resumedBy(gen.T0.Add(ends + time.Minute)), gen.Says("m2", "E agora?", gen.T0.Add(ends+2*time.Minute))},
			want: Send, message: lead.ReplyID(0, "m2")},
		{name: "the purchase ends the wait for the platform", now: soon, lead: []gen.LeadMod{sent, claim, thanks(),
			gen.Bought(gen.T0.Add(soon))}, want: Finish, outcome: v1alpha1.ReasonBoughtAfterContact},
		{name: "what is asked after a claim to have paid is answered", now: hour + 11*time.Minute, text: ready(),
			lead: []gen.LeadMod{sent, claim, thanks(), later}, want: Send, message: lead.ReplyID(0, "m2")},
		{name: "after that answer the platform is waited for", now: hour + 12*time.Minute, text: ready(),
			lead: []gen.LeadMod{sent, claim, thanks(), later, replied("m2", gen.T0.Add(hour+11*time.Minute))},
			want: Wait, until: ends, blocked: v1alpha1.ReasonClaimsPaid},
		{name: "who takes their claim to have paid back is sold to again", now: hour + 11*time.Minute, text: ready(),
			lead: []gen.LeadMod{sent, claim, thanks(), takesBack}, want: Send, message: lead.ReplyID(0, "m2")},
		{name: "who says it anew after that is waited for", now: hour + 13*time.Minute, text: ready(),
			lead: []gen.LeadMod{sent, claim, thanks(), takesBack, replied("m2", gen.T0.Add(hour+11*time.Minute)),
				gen.Says("m3", "Agora paguei", gen.T0.Add(hour+12*time.Minute))},
			want: Wait, until: hour + 12*time.Minute + policy.DefaultClaimsPaidAfter,
			blocked: v1alpha1.ReasonClaimsPaid},
		{name: "questions make the wait for the platform no longer", now: ends, text: ready(),
			lead: []gen.LeadMod{sent, claim, thanks(), later},
			want: HandOver, outcome: v1alpha1.ReasonPaymentClaimed},
		{name: "a person gets a claim at once where the policy says so", now: soon, lead: []gen.LeadMod{sent, claim,
			thanks()}, with: func(s *Snapshot) { s.Policy.ClaimsPaidAfter = 0 }, want: HandOver,
			outcome: v1alpha1.ReasonPaymentClaimed},
		{name: "quiet hours do not put off the person's turn", now: hour + 11*time.Minute, text: ready(),
			lead: []gen.LeadMod{sent, claim, later},
			with: func(s *Snapshot) {
				s.Policy.QuietHours = &v1alpha1.QuietHours{Start: "10:00", End: "14:00", Spread: &v1alpha1.Duration{}}
			}, want: Wait, until: ends, blocked: v1alpha1.ReasonQuietHours},
		{name: "a suspended lead waits beyond the time of a claim", now: ends + hour, suspended: true,
			lead: []gen.LeadMod{sent, claim, thanks()}, want: Wait, until: hour + time.Second + gen.ExpiresAt,
			blocked: v1alpha1.ReasonSuspended},
		{name: "a suspended lead waits on when the time of a claim comes", now: ends, suspended: true,
			lead: []gen.LeadMod{sent, claim, thanks()}, want: Wait,
			until: hour + time.Second + gen.ExpiresAt, blocked: v1alpha1.ReasonSuspended},
	}
}

// machineCases are the rows about customers for whom a machine answers.
func machineCases() []planCase {
	const hour = time.Hour
	sent := gen.FromUs(gen.FirstID, v1alpha1.MessageSent, gen.T0.Add(gen.FirstDue))
	words := func(n int, text string) gen.LeadMod {
		return gen.Says("a"+string(rune('0'+n)), text, gen.T0.Add(hour+time.Duration(n)*time.Minute))
	}
	away := func(n int) gen.LeadMod { return words(n, "Agora não podemos responder") }
	sim := func(n int) gen.LeadMod { return words(n, "Sim") }
	answered := func(n int) gen.LeadMod {
		return replied("a"+string(rune('0'+n)), gen.T0.Add(hour+time.Duration(n)*time.Minute+5*time.Second))
	}
	silent := func(name string, mods ...gen.LeadMod) planCase {
		return planCase{name: name, now: 2 * hour, text: ready(), lead: append([]gen.LeadMod{sent}, mods...),
			want: Wait, blocked: v1alpha1.ReasonAutomaticReplies}
	}
	heard := func(name string, n int, mods ...gen.LeadMod) planCase {
		return planCase{name: name, now: 2 * hour, text: ready(), lead: append([]gen.LeadMod{sent}, mods...),
			want: Send, message: lead.ReplyID(0, "a"+string(rune('0'+n)))}
	}
	silence := func(m *v1alpha1.Message) { m.Text = "" }
	before := func(m *v1alpha1.Message) { m.Cycle = 7 }
	greeting := func(l *v1alpha1.CartRecovery) {
		l.Status.Conversation = append(l.Status.Conversation, v1alpha1.Message{ID: "auto", Role: v1alpha1.RolePerson,
			Automatic: true, Text: "Olá!", At: v1alpha1.NewTimestamp(gen.T0.Add(hour + 2*time.Minute))})
	}
	bot := func(n int) gen.LeadMod {
		return func(l *v1alpha1.CartRecovery) {
			away(n)(l)
			on(gen.Automatic)(l)
		}
	}
	return []planCase{
		heard("one automatic reply is answered", 1, bot(1)),
		silent("two automatic replies in a row are not answered", bot(1), answered(1), sim(2), on(gen.Automatic)),
		silent("the same text after an answer of ours is not answered", away(1), answered(1), away(2)),
		heard("a customer who repeats themselves because nobody answered is answered", 2, away(1), away(2)),
		heard("something else is answered again", 3, bot(1), answered(1), bot(2), sim(3)),
		heard("yes for the third time is answered", 3, sim(1), answered(1), sim(2), answered(2), sim(3)),
		silent("yes for the fourth time is a machine's", sim(1), answered(1), sim(2), answered(2), sim(3), answered(3),
			sim(4)),
		heard("an automatic reply after a person of the store wrote is the first again", 2, bot(1),
			gen.FromPerson("o1", gen.T0.Add(hour+90*time.Second)), resumedBy(gen.T0.Add(hour+95*time.Second)), bot(2)),
		{name: "no step goes to a machine", now: 9 * hour, text: ready(), lead: []gen.LeadMod{sent, bot(1), answered(1),
			bot(2)},
			steps: []v1alpha1.Step{{Name: "first", After: v1alpha1.Duration{Duration: gen.FirstDue}},
				{Name: "second", After: v1alpha1.Duration{Duration: hour}}},
			want: Wait, until: hour + 2*time.Minute + gen.ExpiresAt, blocked: v1alpha1.ReasonAutomaticReplies},
		{name: "a machine that writes first is not answered", now: 2 * hour, text: ready(),
			lead: []gen.LeadMod{bot(1), bot(2)},
			want: Wait, blocked: v1alpha1.ReasonAutomaticReplies},
		silent("two automatic messages of which the last has no text are not answered", bot(1), bot(2), on(silence)),
		silent("two different texts that look automatic are not answered",
			gen.Says("a1", "Esta é uma mensagem automática.", gen.T0.Add(hour)), answered(1),
			gen.Says("a2", "Mensagem automática: retornaremos em breve.", gen.T0.Add(hour+2*time.Minute))),
		heard("stickers without a text repeat nothing", 4, words(1, ""), answered(1), words(2, ""), answered(2),
			words(3, ""), answered(3), words(4, "")),
		heard("who comes back to what they asked before is answered", 3, away(1), answered(1), sim(2), answered(2),
			away(3)),
		heard("the same text in the cycle before is no repetition", 2, away(1), on(before), answered(1), away(2)),
		heard("the same text before a person wrote is no repetition", 2, away(1), answered(1),
			gen.FromPerson("o1", gen.T0.Add(hour+90*time.Second)), resumedBy(gen.T0.Add(hour+95*time.Second)), away(2)),
		heard("the same text after an answer that did not go is no repetition", 2, away(1), answered(1),
			on(inState(v1alpha1.MessageCancelled)), away(2)),
		silent("the same text after an answer that went, and one before it that did not, is one", away(1),
			gen.FromUs("c0-reply-x", v1alpha1.MessageCancelled,
				gen.T0.Add(hour+61*time.Second)), answered(1), away(2)),
		silent("the same text after an answer that went, and one after it that did not, is one", away(1), answered(1),
			gen.FromUs("c0-reply-x",
				v1alpha1.MessageCancelled, gen.T0.Add(hour+66*time.Second)), away(2)),
		heard("a greeting of the paired phone is no machine of theirs", 1, bot(1), greeting),
		heard("who says it three times before one answer has not said it four times", 4, sim(1), sim(2), sim(3),
			answered(3), sim(4)),
		silent("three words may be said once", words(1, "Sim eu quero"), answered(1), words(2, "sim  eu QUERO")),
		heard("two words may be said three times", 3, words(1, "eu quero"), answered(1), words(2, "eu quero"),
			answered(2), words(3, "eu quero")),
	}
}

// stopCases are the rows about requests not to be written to that are no opt-out words.
func stopCases() []planCase {
	const hour = time.Hour
	sent, asks := gen.FromUs(gen.FirstID, v1alpha1.MessageSent, gen.T0.Add(gen.FirstDue)), gen.FromCustomer("m1",
		gen.T0.Add(hour))
	stopped := func(reason v1alpha1.StopReason, at time.Duration) gen.LeadMod {
		return func(l *v1alpha1.CartRecovery) {
			l.Spec.Stop = &v1alpha1.Stop{Reason: reason, At: v1alpha1.NewTimestamp(gen.T0.Add(at))}
		}
	}
	wrong, now := gen.Says("m1", "Número errado", gen.T0.Add(hour)), hour+5*time.Second
	ended := gen.T0.Add(90 * hour)
	next := func(l *v1alpha1.CartRecovery) {
		done(v1alpha1.ReasonUnanswered, ended)(l)
		cycleAsked(ended.Add(hour), ended)(l)
		Reopened(1, gen.ExpiresAt, ended.Add(hour))(&l.Status)
	}
	return []planCase{
		{name: "who is not the customer gets an apology", now: now, text: ready(), lead: []gen.LeadMod{sent, wrong},
			want: Send, message: lead.WrongNumberID(0), says: policy.WrongNumberApology("pt-BR")},
		{name: "who is not the customer gets one apology", now: now,
			lead: []gen.LeadMod{sent, wrong, gen.FromUs(lead.WrongNumberID(0),
				v1alpha1.MessageSent, gen.T0.Add(now))}, want: Finish, outcome: v1alpha1.ReasonWrongNumber},
		{name: "who is not the customer gets no apology after ten minutes", now: hour + noticeWithin,
			lead: []gen.LeadMod{sent, wrong}, want: Finish,
			outcome: v1alpha1.ReasonWrongNumber},
		{name: "a request in another lead stops without a word", now: gen.FirstDue, text: ready(),
			lead: []gen.LeadMod{stopped(v1alpha1.StopOptOut, time.Minute)}, want: Finish,
			outcome: v1alpha1.ReasonOptedOut},
		{name: "a wrong number in another lead stops without a word", now: now, text: ready(),
			lead: []gen.LeadMod{sent, asks,
				stopped(v1alpha1.StopWrongNumber, time.Minute)}, want: Finish, outcome: v1alpha1.ReasonWrongNumber},
		{name: "what the AI understood here is confirmed here", now: now, text: ready(), lead: []gen.LeadMod{sent, asks,
			stopped(v1alpha1.StopOptOut, hour)}, want: Send, message: lead.OptOutID(0)},
		{name: "what the AI understood here ends the lead once it is confirmed", now: now,
			lead: []gen.LeadMod{sent, asks, stopped(v1alpha1.StopOptOut, hour),
				gen.FromUs(lead.OptOutID(0), v1alpha1.MessageSent, gen.T0.Add(now))}, want: Finish,
			outcome: v1alpha1.ReasonOptedOut},
		{name: "what the AI understood here is not confirmed over a person", now: now,
			lead: []gen.LeadMod{sent, gen.FromPerson("o1", gen.T0.Add(hour-time.Minute)), asks,
				stopped(v1alpha1.StopOptOut, hour)}, want: Finish, outcome: v1alpha1.ReasonOptedOut},
		{name: "a request of the cycle before is over", now: 91*hour + gen.FirstDue, text: ready(),
			lead: []gen.LeadMod{sent, stopped(v1alpha1.StopOptOut, hour), next}, want: Send, message: "c1-step-first"},
		{name: "a request of this cycle is not over", now: 91*hour + gen.FirstDue, text: ready(),
			lead: []gen.LeadMod{sent, stopped(v1alpha1.StopOptOut, 91*hour), next}, want: Finish,
			outcome: v1alpha1.ReasonOptedOut},
		{name: "the AI understands a request to stop", now: hour + time.Minute, text: Draft{State: DraftStop},
			lead: []gen.LeadMod{sent, asks}, want: Stop, stops: v1alpha1.StopOptOut},
		{name: "the AI understands that it is not the customer", now: hour + time.Minute,
			text: Draft{State: DraftWrongNumber},
			lead: []gen.LeadMod{sent, asks}, want: Stop, stops: v1alpha1.StopWrongNumber},
		{name: "a wrong number is apologised for until ten minutes have passed", now: hour + noticeWithin - time.Second,
			lead: []gen.LeadMod{sent, wrong}, want: Send, message: lead.WrongNumberID(0)},
		{name: "an opt-out that was asked for when we last wrote is confirmed to nobody", now: now,
			lead: []gen.LeadMod{sent, stopped(v1alpha1.StopOptOut, gen.FirstDue)}, want: Finish,
			outcome: v1alpha1.ReasonOptedOut},
		{name: "a wrong number of the cycle before is none", now: 0, want: Wait, until: prepareFrom,
			lead: []gen.LeadMod{wrong, func(l *v1alpha1.CartRecovery) { l.Status.Cycle = 1 }}},
		{name: "a wrong number of which we wrote is none", now: now, want: Wait, until: gen.FirstDue + gen.ExpiresAt,
			lead: []gen.LeadMod{sent, on(func(m *v1alpha1.Message) { m.Text = "Número errado" })}},
	}
}

// confirmationCases are the rows about the message that confirms a request not to be written to.
func confirmationCases() []planCase {
	const hour = time.Hour
	sent := gen.FromUs(gen.FirstID, v1alpha1.MessageSent, gen.T0.Add(gen.FirstDue))
	now := hour + 5*time.Second
	optOut := gen.Says("m1", "PARAR", gen.T0.Add(hour))
	refusedNotice := func(after time.Duration) gen.LeadMod {
		return gen.FromUs(lead.OptOutID(0), v1alpha1.MessageFailed, gen.T0.Add(hour),
			attempts(1, gen.T0.Add(hour+after)), func(m *v1alpha1.Message) { m.Step = "" })
	}
	quietUntil := func(end string) func(*Snapshot) {
		return func(s *Snapshot) {
			s.Policy.QuietHours = &v1alpha1.QuietHours{Start: "10:00", End: end, Spread: &v1alpha1.Duration{}}
		}
	}
	answeredOften := func(l *v1alpha1.CartRecovery) {
		for range policy.DefaultMaxAnswersPerHour {
			l.Status.AnsweredAt = append(l.Status.AnsweredAt, v1alpha1.NewTimestamp(gen.T0.Add(hour)))
		}
	}
	paused := *gen.InstanceObject(func(i *v1alpha1.WhatsAppInstance) {
		i.Status.NewConversationsPausedUntil = &metav1.Time{Time: gen.T0.Add(24 * time.Hour)}
	})
	lost := numberWith(gen.Instance, metav1.ConditionFalse, v1alpha1.ReasonLoggedOut, -hour)
	second := numberWith("second", metav1.ConditionTrue, v1alpha1.ReasonConnected, 0)
	return []planCase{
		{name: "a confirmation that was refused waits for its next attempt", now: hour + time.Minute,
			lead: []gen.LeadMod{sent, optOut, refusedNotice(2 * time.Minute)}, want: Wait, until: hour + 2*time.Minute,
			message: lead.OptOutID(0), gate: "DueTime"},
		{name: "a confirmation that was refused does not wait for an attempt after ten minutes",
			now:  hour + time.Minute,
			lead: []gen.LeadMod{sent, optOut, refusedNotice(noticeWithin)}, want: Finish,
			outcome: v1alpha1.ReasonOptedOut},
		{name: "a confirmation waits for quiet hours that end in time", now: hour, lead: []gen.LeadMod{sent, optOut},
			with: quietUntil("10:09"), want: Wait, until: hour + 9*time.Minute, blocked: v1alpha1.ReasonQuietHours},
		{name: "a confirmation does not wait for quiet hours that end after ten minutes", now: hour,
			lead: []gen.LeadMod{sent, optOut},
			with: quietUntil("10:10"), want: Finish, outcome: v1alpha1.ReasonOptedOut},
		{name: "a confirmation goes at the instant of the request", now: hour, lead: []gen.LeadMod{sent, optOut},
			want: Send, message: lead.OptOutID(0)},
		{name: "a confirmation goes although there were as many answers as may be", now: now,
			lead: []gen.LeadMod{sent, optOut, answeredOften}, want: Send, message: lead.OptOutID(0)},
		{name: "a confirmation goes from a number that may start no conversations", now: now,
			lead: []gen.LeadMod{sent, optOut}, instances: []v1alpha1.WhatsAppInstance{paused}, want: Send,
			message: lead.OptOutID(0)},
		{name: "no confirmation goes from another number than the conversation's", now: now,
			lead: []gen.LeadMod{sent, optOut}, instances: []v1alpha1.WhatsAppInstance{lost, second},
			with: func(s *Snapshot) { s.Policy.NumberLost = v1alpha1.NumberLostMove }, want: Finish,
			outcome: v1alpha1.ReasonOptedOut},
		{name: "no confirmation goes when the number is gone", now: now, lead: []gen.LeadMod{sent, optOut},
			instances: []v1alpha1.WhatsAppInstance{}, want: Finish, outcome: v1alpha1.ReasonOptedOut},
		{name: "no confirmation goes without the Store", now: now, noStore: true, lead: []gen.LeadMod{sent, optOut},
			want: Finish, outcome: v1alpha1.ReasonOptedOut},
		{name: "no confirmation goes while the lead is suspended", now: now,
			lead: []gen.LeadMod{sent, optOut, func(l *v1alpha1.CartRecovery) { l.Spec.Suspend = true }}, want: Finish,
			outcome: v1alpha1.ReasonOptedOut},
		{name: "no confirmation goes once the lead is over, by an edit that came then", now: hour + gen.ExpiresAt,
			lead: []gen.LeadMod{sent, optOut, editedAt(gen.T0.Add(hour + gen.ExpiresAt))}, want: Finish,
			outcome: v1alpha1.ReasonOptedOut},
		{name: "a confirmation of what was asked just when the cluster was restored may have gone", now: now,
			lead: []gen.LeadMod{sent, optOut}, with: func(s *Snapshot) { s.Began.Held = gen.T0.Add(hour) },
			want: Finish, outcome: v1alpha1.ReasonOptedOut},
		{name: "a confirmation of what was asked since the restore goes", now: now, lead: []gen.LeadMod{sent, optOut},
			with: func(s *Snapshot) { s.Began.Held = gen.T0.Add(hour - time.Second) }, want: Send,
			message: lead.OptOutID(0)},
	}
}

// paymentCases are the rows about payments that can no longer be made.
func paymentCases() []planCase {
	const hour = time.Hour
	pix := func(expires time.Duration) gen.LeadMod {
		return func(l *v1alpha1.CartRecovery) {
			at := v1alpha1.NewTimestamp(gen.T0.Add(expires))
			l.Spec.Trigger, l.Spec.Payment = v1alpha1.TriggerPixPending, &v1alpha1.Payment{Method: v1alpha1.PaymentPix,
				ExpiresAt: &at}
		}
	}
	of := func(triggers ...v1alpha1.Trigger) func(*Snapshot) {
		return func(s *Snapshot) {
			s.Policy.Sequences = nil
			for _, trigger := range triggers {
				s.Policy.Sequences = append(s.Policy.Sequences, v1alpha1.Sequence{Trigger: trigger,
					Steps: []v1alpha1.Step{
						{Name: string(trigger), After: v1alpha1.Duration{Duration: hour},
							Text: "Oi do " + string(trigger)},
					}})
			}
		}
	}
	both := of(v1alpha1.TriggerPixPending, v1alpha1.TriggerAbandonedCart)
	onlyPix := of(v1alpha1.TriggerPixPending)
	sent := gen.FromUs("c0-step-PixPending", v1alpha1.MessageSent, gen.T0.Add(hour), func(m *v1alpha1.Message) {
		m.Step = "PixPending"
	})
	asked, reply := gen.FromCustomer("m1", gen.T0.Add(2*hour-10*time.Minute)), lead.ReplyID(0, "m1")
	refusedAt := func(at time.Duration) gen.LeadMod {
		return gen.FromUs(reply, v1alpha1.MessageFailed, gen.T0.Add(at), func(m *v1alpha1.Message) { m.Step = "" })
	}
	return []planCase{
		{name: "a PIX that can be paid is asked for", now: hour, lead: []gen.LeadMod{pix(2 * hour)}, with: both,
			want: Send, message: "c0-step-PixPending"},
		{name: "a PIX that has expired is a cart", now: hour, lead: []gen.LeadMod{pix(hour)}, with: both, want: Send,
			message: "c0-step-AbandonedCart", says: "Oi do AbandonedCart"},
		{name: "a PIX that has expired is nothing without a sequence for carts", now: hour,
			lead: []gen.LeadMod{pix(hour)}, with: onlyPix, want: Finish,
			outcome: v1alpha1.ReasonNeverContacted},
		{name: "a PIX without a sequence for carts is waited for until it expires", now: 10 * time.Minute,
			lead: []gen.LeadMod{pix(30 * time.Minute)},
			with: onlyPix, want: Wait, until: 30 * time.Minute},
		{name: "a PIX whose notice went is waited for", now: 3 * hour, lead: []gen.LeadMod{pix(2 * hour), sent},
			with: onlyPix, want: Wait, until: hour + gen.ExpiresAt},
		{name: "a customer who wrote is answered", now: 3 * hour, text: ready(), lead: []gen.LeadMod{pix(2 * hour),
			gen.FromCustomer("m1", gen.T0.Add(2*hour))}, with: onlyPix, want: Send, message: lead.ReplyID(0, "m1")},
		{name: "a boleto is no other matter", now: hour, lead: []gen.LeadMod{pix(hour), func(l *v1alpha1.CartRecovery) {
			l.Spec.Trigger = v1alpha1.TriggerBoletoPending
		}}, with: of(v1alpha1.TriggerBoletoPending), want: Finish, outcome: v1alpha1.ReasonNeverContacted},
		{name: "a refused card does not expire", now: hour, text: ready(), lead: []gen.LeadMod{pix(hour),
			func(l *v1alpha1.CartRecovery) { l.Spec.Trigger = v1alpha1.TriggerPaymentRefused }},
			with: of(v1alpha1.TriggerPaymentRefused), want: Send, message: "c0-step-PaymentRefused"},
		{name: "a PIX whose end nobody knows does not expire", now: gen.ExpiresAt - hour,
			lead: []gen.LeadMod{pix(hour), func(l *v1alpha1.CartRecovery) { l.Spec.Payment.ExpiresAt = nil }},
			with: both, want: Send, message: "c0-step-PixPending"},
		{name: "a suspended lead waits beyond the end of its PIX", now: hour, suspended: true,
			lead: []gen.LeadMod{pix(hour)}, with: both, want: Wait, until: gen.ExpiresAt,
			blocked: v1alpha1.ReasonSuspended},
		{name: "a lead that was written to waits beyond the end of its PIX", now: 90 * time.Minute, suspended: true,
			lead: []gen.LeadMod{pix(2 * hour), sent}, with: onlyPix, want: Wait, until: hour + gen.ExpiresAt,
			blocked: v1alpha1.ReasonSuspended},
		{name: "an answer that was refused while the PIX could be paid is written anew once it cannot",
			now: 2 * hour, lead: []gen.LeadMod{pix(2 * hour), asked, refusedAt(2*hour - time.Second)}, with: both,
			want: Prepare, message: reply},
		{name: "an answer that was refused is sent as it is while the PIX can be paid", now: 2*hour - time.Second,
			lead: []gen.LeadMod{pix(2 * hour), asked, refusedAt(2*hour - time.Minute)}, with: both, want: Send,
			message: reply, says: "Oi!"},
		{name: "an answer that was refused is sent as it is when it was written after the PIX expired",
			now:  2*hour + time.Minute,
			lead: []gen.LeadMod{pix(2 * hour), asked, refusedAt(2 * hour)}, with: both, want: Send, message: reply,
			says: "Oi!"},
	}
}

// resumeCases are the rows about conversations that go back to the AI by themselves.
func resumeCases() []planCase {
	const hour = time.Hour
	sent, takes := gen.FromUs(gen.FirstID, v1alpha1.MessageSent, gen.T0.Add(gen.FirstDue)), gen.FromPerson("o1",
		gen.T0.Add(hour))
	after := func(s *Snapshot) { s.Policy.HandOffResumeAfter = 4 * hour }
	greets := func(l *v1alpha1.CartRecovery) {
		l.Status.Conversation = append(l.Status.Conversation, v1alpha1.Message{ID: "auto", Role: v1alpha1.RolePerson,
			Automatic: true, Text: "Olá!", At: v1alpha1.NewTimestamp(gen.T0.Add(4 * hour))})
	}
	asked := func(l *v1alpha1.CartRecovery) {
		HandedOverFor(v1alpha1.ReasonCustomerAsked, 1, gen.T0.Add(hour))(&l.Status)
	}
	back := func(l *v1alpha1.CartRecovery) {
		ResumedFor(v1alpha1.ReasonResumedByTime, "", 1, gen.T0.Add(5*hour))(&l.Status)
	}
	return []planCase{
		{name: "a person has it until they fall silent", now: 2 * hour, lead: []gen.LeadMod{sent, takes}, with: after,
			want: Wait, until: 5 * hour},
		{name: "a person who has fallen silent gives it back", now: 5 * hour, lead: []gen.LeadMod{sent, takes},
			with: after, want: Resume,
			outcome: v1alpha1.ReasonResumedByTime},
		{name: "the silence counts from the person's last message", now: 5 * hour, lead: []gen.LeadMod{sent, takes,
			gen.FromPerson("o2", gen.T0.Add(3*hour))}, with: after, want: Wait, until: 7 * hour},
		{name: "the silence does not count from what their phone says by itself", now: 5 * hour,
			lead: []gen.LeadMod{sent, takes, greets},
			with: after, want: Resume, outcome: v1alpha1.ReasonResumedByTime},
		{name: "nothing goes back by default", now: 5 * hour, lead: []gen.LeadMod{sent, takes}, want: Wait,
			until: hour + gen.ExpiresAt},
		{name: "nothing goes back where the customer asked for a person", now: 9 * hour,
			lead: []gen.LeadMod{sent, asked},
			with: after, want: Wait, until: gen.FirstDue + gen.ExpiresAt},
		{name: "nothing goes back where the customer asked, and a person has answered them", now: 9 * hour,
			lead: []gen.LeadMod{sent, gen.Says("m1", "atendente", gen.T0.Add(30*time.Minute)), takes}, with: after,
			want: Wait, until: hour + gen.ExpiresAt},
		{name: "nothing goes back later than the lead ends", now: 2 * hour, lead: []gen.LeadMod{sent, takes},
			with: func(s *Snapshot) { s.Policy.HandOffResumeAfter = 1000 * hour }, want: Wait,
			until: hour + gen.ExpiresAt},
		{name: "what came before it went back is answered", now: 5*hour + time.Minute, text: ready(),
			lead: []gen.LeadMod{sent, takes,
				gen.FromCustomer("m1", gen.T0.Add(2*hour)), back}, with: after, want: Send,
			message: lead.ReplyID(0, "m1")},
		{name: "what the person answered before it went back is not", now: 5*hour + time.Minute, text: ready(),
			lead: []gen.LeadMod{sent, gen.FromCustomer("m1", gen.T0.Add(30*time.Minute)), takes, back}, with: after,
			want: Wait, until: hour + gen.ExpiresAt},
		{name: "a greeting of the paired phone answers nobody", now: 9 * hour, text: ready(),
			lead: []gen.LeadMod{sent, gen.FromCustomer("m1", gen.T0.Add(2*hour)), greets}, want: Send,
			message: lead.ReplyID(0, "m1")},
	}
}

// noticeCases are the rows about what stands under a first message.
func noticeCases() []planCase {
	notice := func(s *Snapshot) { s.Policy.FirstMessageNotice = "Aqui é {{.Store.Name}}." }
	sent := gen.FromUs(gen.FirstID, v1alpha1.MessageSent, gen.T0.Add(gen.FirstDue))
	with := "Oi, Maria!\n\nAqui é acme."
	const room = v1alpha1.MaxMessageLength - len("Oi, Maria!\n\n")
	fixed := []v1alpha1.Step{{Name: "first", After: v1alpha1.Duration{Duration: gen.FirstDue},
		Text: "Oi! Seu carrinho."}}
	again := gen.FromUs(gen.FirstID, v1alpha1.MessageFailed, gen.T0.Add(gen.FirstDue),
		attempts(1, gen.T0.Add(gen.FirstDue+time.Minute)), func(m *v1alpha1.Message) { m.Text = with })
	return []planCase{
		{name: "a first message says who writes", now: gen.FirstDue, text: ready(), with: notice, want: Send,
			says: with},
		{name: "the answer to who wrote first says who writes", now: time.Hour, text: ready(),
			lead: []gen.LeadMod{gen.FromCustomer("m1", gen.T0)}, with: notice, want: Send, says: with},
		{name: "a second message does not say who writes", now: 2 * time.Hour, text: ready(), steps: twoSteps,
			lead: []gen.LeadMod{sent}, with: notice, want: Send, says: "Oi, Maria!"},
		{name: "an answer in a conversation does not say who writes", now: 2 * time.Hour, text: ready(),
			lead: []gen.LeadMod{sent, gen.FromCustomer("m1", gen.T0.Add(time.Hour))}, with: notice, want: Send,
			says: "Oi, Maria!"},
		{name: "a text of the store's own is left as it is", now: gen.FirstDue, steps: fixed, with: notice, want: Send,
			says: "Oi! Seu carrinho."},
		{name: "a message that is tried again says it once", now: gen.FirstDue + time.Minute,
			lead: []gen.LeadMod{again}, with: notice, want: Send, says: with},
		{name: "a notice that cannot be written is none", now: gen.FirstDue, text: ready(), with: func(s *Snapshot) {
			s.Policy.FirstMessageNotice = "{{.Nobody}}"
		}, want: Send, says: "Oi, Maria!"},
		{name: "a notice that does not fit is none", now: gen.FirstDue, text: ready(), with: func(s *Snapshot) {
			s.Policy.FirstMessageNotice = strings.Repeat("x", v1alpha1.MaxMessageLength-5)
		}, want: Send, says: "Oi, Maria!"},
		{name: "a notice goes under a text that leaves just enough room", now: gen.FirstDue, text: ready(),
			with: func(s *Snapshot) { s.Policy.FirstMessageNotice = strings.Repeat("x", room) }, want: Send,
			says: "Oi, Maria!\n\n" + strings.Repeat("x", room)},
		{name: "a notice does not go under a text that leaves a character less", now: gen.FirstDue, text: ready(),
			with: func(s *Snapshot) { s.Policy.FirstMessageNotice = strings.Repeat("x", room+1) }, want: Send,
			says: "Oi, Maria!"},
	}
}

// TestALateReplyGoesIntoTheNextCycle: one that comes together with a new cart is answered in the next cycle.
func TestALateReplyGoesIntoTheNextCycle(t *testing.T) {
	ended := gen.T0.Add(gen.FirstDue + gen.ExpiresAt)
	for name, row := range map[string]struct {
		lead []gen.LeadMod
		want map[string]int32 // the cycles of the customer's messages
	}{
		"a late reply": {[]gen.LeadMod{gen.FromUs(gen.FirstID, v1alpha1.MessageSent, gen.T0.Add(gen.FirstDue)),
			gen.FromCustomer("m0", gen.T0.Add(time.Hour)), done(v1alpha1.ReasonConversationEnded, ended),
			gen.FromCustomer("m1", ended.Add(time.Hour))}, map[string]int32{"m0": 0, "m1": 1}},
		"an opt-out that ended it": {[]gen.LeadMod{gen.Says("m0", "PARAR", ended.Add(500*time.Millisecond)),
			done(v1alpha1.ReasonOptedOut, ended.Add(time.Second/2))}, map[string]int32{"m0": 0}},
	} {
		t.Run(name, func(t *testing.T) {
			recovery := gen.Lead(gen.T0, append(row.lead, cycleAsked(ended.Add(2*time.Hour), ended))...)
			Reopened(1, gen.ExpiresAt, ended.Add(2*time.Hour))(&recovery.Status)
			got := map[string]int32{}
			for _, m := range recovery.Status.Conversation {
				if m.Role == v1alpha1.RoleCustomer {
					got[m.ID] = m.Cycle
				}
			}
			if diff := cmp.Diff(row.want, got); diff != "" || recovery.Status.Cycle != 1 {
				t.Errorf("in cycle %d, want 1; cycles of messages (-want +got):\n%s", recovery.Status.Cycle, diff)
			}
		})
	}
}

// What would have been answered no more does not begin the next cycle: its first message goes.
func TestWhatStaysInItsCycle(t *testing.T) {
	const hours = 2 * time.Hour
	ended := gen.T0.Add(gen.FirstDue + gen.ExpiresAt)
	late := ended.Add(time.Hour)
	asks, machine := gen.FromCustomer("m1", late), gen.Says("m1",
		"Esta é uma mensagem automática. Retornaremos em breve.", late)
	before, since := gen.FromPerson("o1", late.Add(-time.Minute)), gen.FromPerson("o1", late.Add(time.Minute))
	for name, test := range map[string]struct {
		mods        []gen.LeadMod
		after, late time.Duration
		stays       bool
	}{
		"an unanswered one does not":   {[]gen.LeadMod{asks}, hours, gen.ExpiresAt, false},
		"one that a person answered":   {[]gen.LeadMod{asks, since}, hours, gen.ExpiresAt, true},
		"one after what a person said": {[]gen.LeadMod{before, asks}, hours, gen.ExpiresAt, false},
		"one from long ago":            {[]gen.LeadMod{asks}, time.Hour + gen.ExpiresAt, gen.ExpiresAt, true},
		"one that the policy ignores":  {[]gen.LeadMod{asks}, hours, 0, true},
		"one that a machine wrote":     {[]gen.LeadMod{machine}, hours, gen.ExpiresAt, true},
	} {
		t.Run(name, func(t *testing.T) {
			over := []gen.LeadMod{gen.FromUs(gen.FirstID, v1alpha1.MessageSent, gen.T0.Add(gen.FirstDue)),
				done(v1alpha1.ReasonUnanswered, ended)}
			recovery := gen.Lead(gen.T0, append(over, test.mods...)...)
			Reopened(1, test.late, ended.Add(test.after))(&recovery.Status)
			if got := lead.LastInbound(recovery) == nil; got != test.stays {
				t.Errorf("stays in its cycle: %t", got)
			}
		})
	}
}

func TestHandedOverLate(t *testing.T) {
	recovery := gen.Lead(gen.T0, gen.FromUs(gen.FirstID, v1alpha1.MessageSent, gen.T0), done(v1alpha1.ReasonUnanswered,
		gen.T0.Add(gen.ExpiresAt)), gen.FromCustomer("m1", gen.T0.Add(gen.ExpiresAt+time.Hour)))
	HandedOverFor(v1alpha1.ReasonLateReply, 3, gen.T0.Add(gen.ExpiresAt+time.Hour))(&recovery.Status)
	Summarize(recovery, gen.T0)
	if diff := cmp.Diff(v1alpha1.PhaseEngaged, recovery.Status.Phase); diff != "" {
		t.Errorf("phase (-want +got):\n%s", diff)
	}
	want := map[string]string{v1alpha1.ConditionHandedOff: "True LateReply: " + lead.LateReplyMessage,
		v1alpha1.ConditionSucceeded: "Unknown InProgress: the customer wrote after the end"}
	if diff := cmp.Diff(want, told(&recovery.Status)); diff != "" {
		t.Errorf("conditions (-want +got):\n%s", diff)
	}
}

// BenchmarkPlanOfAChat plans a lead whose customer has written much.
func BenchmarkPlanOfAChat(b *testing.B) {
	mods := []gen.LeadMod{gen.FromUs(gen.FirstID, v1alpha1.MessageSent, gen.T0)}
	for n := range 30 {
		id, at := "m"+string(rune('A'+n)), gen.T0.Add(time.Duration(n)*time.Minute)
		mods = append(mods, gen.Says(id,
			"Oi, queria saber se o curso tem certificado e se posso parcelar no boleto, obrigada!", at),
			replied(id, at.Add(time.Second)))
	}
	c := planCase{now: 2 * time.Hour, text: ready(), lead: mods}
	s := c.snapshot()
	s.Meanings = NewMeanings()
	b.ReportAllocs()
	for b.Loop() {
		if Next(s).Kind != Wait {
			b.Fatal("it does not wait")
		}
	}
}
