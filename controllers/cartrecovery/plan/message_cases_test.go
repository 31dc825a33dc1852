package plan

import (
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/policy"
)

// noSenderCases are the rows about numbers that cannot send.
func noSenderCases() []planCase {
	away := *gen.InstanceObject(func(i *v1alpha1.WhatsAppInstance) {
		i.Status.Conditions[0].Status = metav1.ConditionFalse
	})
	other := *gen.InstanceObject(func(i *v1alpha1.WhatsAppInstance) { i.Name = "second" })
	paused := *gen.InstanceObject(func(i *v1alpha1.WhatsAppInstance) {
		i.Status.NewConversationsPausedUntil = &metav1.Time{Time: gen.T0.Add(24 * time.Hour)}
	})
	sent := gen.FromUs(gen.FirstID, v1alpha1.MessageSent, gen.T0.Add(gen.FirstDue))
	replyID := lead.ReplyID(0, "m1")
	return []planCase{
		{name: "without an instance the lead is blocked", now: gen.FirstDue, instances: []v1alpha1.WhatsAppInstance{},
			want: Wait, until: gen.ExpiresAt, blocked: v1alpha1.ReasonNoConnectedInstance},
		{name: "the lead is blocked with a disconnected instance", now: gen.FirstDue,
			instances: []v1alpha1.WhatsAppInstance{away}, want: Wait, until: gen.ExpiresAt,
			blocked: v1alpha1.ReasonNoConnectedInstance},
		{name: "a new conversation goes to an instance that is connected", now: gen.FirstDue, text: ready(),
			instances: []v1alpha1.WhatsAppInstance{away, other}, want: Send, message: gen.FirstID},
		{name: "a restricted number starts no conversation", now: gen.FirstDue, text: ready(),
			instances: []v1alpha1.WhatsAppInstance{paused}, want: Wait, until: 24 * time.Hour,
			blocked: v1alpha1.ReasonRestricted},
		{name: "a restricted number still answers", now: time.Hour + 3*time.Second, text: ready(),
			instances: []v1alpha1.WhatsAppInstance{paused},
			lead:      []gen.LeadMod{sent, gen.FromCustomer("m1", gen.T0.Add(time.Hour))}, want: Send,
			message: replyID},
		{name: "a conversation never moves to another number unasked", now: time.Hour + 3*time.Second, text: ready(),
			instances: []v1alpha1.WhatsAppInstance{away, other},
			lead:      []gen.LeadMod{sent, gen.FromCustomer("m1", gen.T0.Add(time.Hour))}, want: Wait,
			until: time.Hour + gen.ExpiresAt, blocked: v1alpha1.ReasonNoConnectedInstance},
	}
}

// claimCases are the rows about claims without a confirmation.
func claimCases() []planCase {
	minute := time.Minute
	return []planCase{
		{name: "a fresh claim is left alone", now: gen.FirstDue + time.Second,
			lead: []gen.LeadMod{gen.FromUs(gen.FirstID, v1alpha1.MessageClaimed, gen.T0.Add(gen.FirstDue))}, want: Wait,
			until: gen.FirstDue + AskAfter},
		{name: "a claim as old as a call can last is asked for", now: gen.FirstDue + AskAfter,
			lead: []gen.LeadMod{gen.FromUs(gen.FirstID, v1alpha1.MessageClaimed, gen.T0.Add(gen.FirstDue))},
			want: Resolve, message: gen.FirstID},
		{name: "a claim the gateway did not know is not asked for again before its time", now: gen.FirstDue + AskAfter +
			time.Second,
			lead: []gen.LeadMod{gen.FromUs(gen.FirstID, v1alpha1.MessageClaimed, gen.T0.Add(gen.FirstDue)),
				unconfirmedUntil(gen.T0.Add(gen.FirstDue + 30*time.Second))},
			want: Wait, until: gen.FirstDue + 30*time.Second, blocked: v1alpha1.ReasonUnconfirmed},
		{name: "a claim the gateway did not know is asked for again at its time", now: gen.FirstDue + 30*time.Second,
			lead: []gen.LeadMod{gen.FromUs(gen.FirstID, v1alpha1.MessageClaimed, gen.T0.Add(gen.FirstDue)),
				unconfirmedUntil(gen.T0.Add(gen.FirstDue + 30*time.Second))}, want: Resolve, message: gen.FirstID},
		{name: "a claim is resolved before a purchase is counted", now: gen.FirstDue + minute,
			lead: []gen.LeadMod{gen.FromUs(gen.FirstID, v1alpha1.MessageClaimed, gen.T0.Add(gen.FirstDue)),
				gen.Bought(gen.T0.Add(gen.FirstDue + time.Second))}, want: Resolve, message: gen.FirstID},
		{name: "a claim is resolved even when suspended", now: gen.FirstDue + minute, suspended: true,
			lead: []gen.LeadMod{gen.FromUs(gen.FirstID, v1alpha1.MessageClaimed, gen.T0.Add(gen.FirstDue))},
			want: Resolve, message: gen.FirstID},
		{name: "an unknown message is not sent again", now: time.Hour,
			lead: []gen.LeadMod{gen.FromUs(gen.FirstID, v1alpha1.MessageUnknown, gen.T0.Add(gen.FirstDue))}, want: Wait,
			until: gen.ExpiresAt},
		{name: "a cancelled message is not sent again", now: time.Hour,
			lead: []gen.LeadMod{gen.FromUs(gen.FirstID, v1alpha1.MessageCancelled, gen.T0.Add(gen.FirstDue))},
			want: Wait, until: gen.ExpiresAt},
	}
}

// refusedCases are the rows about messages that the gateway refuses.
func refusedCases() []planCase {
	minute := time.Minute
	return []planCase{
		{name: "a refused message waits for its next attempt", now: gen.FirstDue + time.Second,
			lead: []gen.LeadMod{gen.FromUs(gen.FirstID, v1alpha1.MessageFailed, gen.T0.Add(gen.FirstDue),
				attempts(1, gen.T0.Add(gen.FirstDue+2*minute)))}, want: Wait, until: gen.FirstDue + minute},
		{name: "a refused message is sent again with the same text", now: gen.FirstDue + 2*minute,
			lead: []gen.LeadMod{gen.FromUs(gen.FirstID, v1alpha1.MessageFailed, gen.T0.Add(gen.FirstDue),
				attempts(2, gen.T0.Add(gen.FirstDue+2*minute)))}, want: Send, message: gen.FirstID},
		{name: "after three attempts the lead fails", now: gen.FirstDue + 2*minute,
			lead: []gen.LeadMod{gen.FromUs(gen.FirstID, v1alpha1.MessageFailed, gen.T0.Add(gen.FirstDue),
				attempts(3, gen.T0.Add(gen.FirstDue+2*minute)))}, want: Finish, outcome: v1alpha1.ReasonSendFailed},
		{name: "a number without WhatsApp ends the lead", now: gen.FirstDue + time.Second,
			lead: []gen.LeadMod{gen.FromUs(gen.FirstID, v1alpha1.MessageFailed, gen.T0.Add(gen.FirstDue),
				func(m *v1alpha1.Message) { m.Error = v1alpha1.ReasonNotOnWhatsApp })}, want: Finish,
			outcome: v1alpha1.ReasonNotOnWhatsApp},
		{name: "a number that had no WhatsApp in the cycle before is written to", now: prepareFrom,
			lead: []gen.LeadMod{gen.FromUs(gen.FirstID, v1alpha1.MessageFailed, gen.T0,
				func(m *v1alpha1.Message) { m.Error = v1alpha1.ReasonNotOnWhatsApp }),
				func(l *v1alpha1.CartRecovery) { l.Status.Cycle = 1 }}, want: Prepare, message: "c1-step-first"},
		{name: "a refused message without a text is written anew", now: gen.FirstDue + 2*minute,
			lead: []gen.LeadMod{gen.FromUs(gen.FirstID, v1alpha1.MessageFailed, gen.T0.Add(gen.FirstDue),
				func(m *v1alpha1.Message) { m.Text = "" })}, want: Prepare, message: gen.FirstID},
		{name: "a refused message keeps its text for fifteen minutes", now: gen.FirstDue + FreshFor, text: ready(),
			lead: []gen.LeadMod{gen.FromUs(gen.FirstID, v1alpha1.MessageFailed, gen.T0.Add(gen.FirstDue))}, want: Send,
			message: gen.FirstID, says: "Oi!"},
		{name: "a refused message has another text a second later", now: gen.FirstDue + FreshFor + time.Second,
			text: ready(),
			lead: []gen.LeadMod{gen.FromUs(gen.FirstID, v1alpha1.MessageFailed, gen.T0.Add(gen.FirstDue))}, want: Send,
			message: gen.FirstID, says: "Oi, Maria!"},
	}
}

// answerCases are the rows about answers.
func answerCases() []planCase {
	sent := gen.FromUs(gen.FirstID, v1alpha1.MessageSent, gen.T0.Add(gen.FirstDue))
	replyID, minute := lead.ReplyID(0, "m1"), time.Minute
	refusedReply := func(count int32, retryAt time.Duration) gen.LeadMod {
		return gen.FromUs(replyID, v1alpha1.MessageFailed, gen.T0.Add(time.Hour), attempts(count, gen.T0.Add(retryAt)),
			func(m *v1alpha1.Message) { m.Step = "" })
	}
	return []planCase{
		{name: "an answer waits for the debounce", now: time.Hour + time.Second,
			lead: []gen.LeadMod{sent, gen.FromCustomer("m1", gen.T0.Add(time.Hour))}, want: Wait,
			until: time.Hour + policy.DefaultReplyDebounce},
		{name: "an answer's text is written after the debounce", now: time.Hour + policy.DefaultReplyDebounce,
			lead: []gen.LeadMod{sent, gen.FromCustomer("m1", gen.T0.Add(time.Hour))}, want: Prepare, message: replyID},
		{name: "an answer is sent after the debounce", now: time.Hour + policy.DefaultReplyDebounce, text: ready(),
			lead: []gen.LeadMod{sent, gen.FromCustomer("m1", gen.T0.Add(time.Hour))}, want: Send, message: replyID},
		{name: "several messages get one answer, to the last", now: time.Hour + policy.DefaultReplyDebounce,
			lead: []gen.LeadMod{sent, gen.FromCustomer("m0", gen.T0.Add(time.Hour-time.Second)),
				gen.FromCustomer("m1", gen.T0.Add(time.Hour))}, want: Prepare, message: replyID},
		{name: "an answered message is not answered again", now: 2 * time.Hour,
			lead: []gen.LeadMod{sent, gen.FromCustomer("m1", gen.T0.Add(time.Hour)),
				gen.FromUs(replyID, v1alpha1.MessageSent, gen.T0.Add(time.Hour+5*time.Second))}, want: Wait,
			until: time.Hour + 5*time.Second + gen.ExpiresAt},
		{name: "a refused answer waits for its next attempt", now: time.Hour + minute, want: Wait,
			until: time.Hour + 2*minute, message: replyID, lead: []gen.LeadMod{sent,
				gen.FromCustomer("m1", gen.T0.Add(time.Hour)), refusedReply(1, time.Hour+2*minute)}},
		{name: "an answer that was refused three times fails the lead", now: time.Hour + 3*minute, want: Finish,
			outcome: v1alpha1.ReasonSendFailed, lead: []gen.LeadMod{sent,
				gen.FromCustomer("m1", gen.T0.Add(time.Hour)), refusedReply(maxAttempts, time.Hour+2*minute)}},
		{name: "the debounce of an answer is a wait for its time", now: time.Hour + time.Second, want: Wait,
			gate: "DueTime", lead: []gen.LeadMod{sent, gen.FromCustomer("m1", gen.T0.Add(time.Hour))}},
	}
}

// sequenceCases are the rows about the steps of a sequence.
func sequenceCases() []planCase {
	sent := gen.FromUs(gen.FirstID, v1alpha1.MessageSent, gen.T0.Add(gen.FirstDue))
	replyID := lead.ReplyID(0, "m1")
	minute := time.Minute
	return []planCase{
		{name: "the second step counts from the first", now: gen.FirstDue + minute, steps: twoSteps,
			lead: []gen.LeadMod{sent}, want: Wait, until: gen.FirstDue + time.Hour - PrepareAhead},
		{name: "the second step is sent", now: gen.FirstDue + time.Hour, steps: twoSteps, text: ready(),
			lead: []gen.LeadMod{sent}, want: Send, message: "c0-step-second"},
		{name: "an answer ends the sequence", now: 3 * time.Hour, steps: twoSteps,
			lead: []gen.LeadMod{sent, gen.FromCustomer("m1", gen.T0.Add(time.Hour)),
				gen.FromUs(replyID, v1alpha1.MessageSent, gen.T0.Add(time.Hour+5*time.Second))}, want: Wait,
			until: time.Hour + 5*time.Second + gen.ExpiresAt},
		{name: "a step that was renamed does not write to everybody again", now: 2 * time.Hour, text: ready(),
			steps: []v1alpha1.Step{{Name: "hello", After: v1alpha1.Duration{Duration: gen.FirstDue}}},
			lead:  []gen.LeadMod{sent}, want: Wait, until: gen.FirstDue + gen.ExpiresAt},
		{name: "a step that was put before another does not write to everybody again", now: 2 * time.Hour,
			text: ready(),
			steps: []v1alpha1.Step{{Name: "hello", After: v1alpha1.Duration{Duration: minute}},
				{Name: "first", After: v1alpha1.Duration{Duration: gen.FirstDue}}}, lead: []gen.LeadMod{sent},
			want: Wait, until: gen.FirstDue + gen.ExpiresAt},
		{name: "a step that was put after another is sent", now: 2 * time.Hour, text: ready(),
			steps: []v1alpha1.Step{{Name: "hello", After: v1alpha1.Duration{Duration: minute}},
				{Name: "last", After: v1alpha1.Duration{Duration: minute}}}, lead: []gen.LeadMod{sent}, want: Send,
			message: "c0-step-last"},
		{name: "two machines that answer each other come to an end", now: 90 * time.Minute, text: ready(),
			lead: append([]gen.LeadMod{sent}, chatter(gen.T0.Add(time.Hour), 20)...), want: Wait,
			until: 2*time.Hour + time.Second, blocked: v1alpha1.ReasonTooManyAnswers},
		{name: "two machines may go on an hour later", now: 2*time.Hour + time.Second, text: ready(),
			lead: append([]gen.LeadMod{sent}, chatter(gen.T0.Add(time.Hour), 20)...), want: Send,
			message: lead.ReplyID(0, "again")},
		{name: "a trigger without a sequence is blocked", now: gen.FirstDue,
			lead: []gen.LeadMod{func(l *v1alpha1.CartRecovery) { l.Spec.Trigger = v1alpha1.TriggerPixPending }},
			want: Wait, until: gen.ExpiresAt, blocked: v1alpha1.ReasonNoSequence},
		{name: "no more steps go unanswered than the policy says", now: 2 * time.Hour, steps: twoSteps, text: ready(),
			lead: []gen.LeadMod{sent}, with: func(s *Snapshot) { s.Policy.MaxUnanswered = 1 }, want: Wait,
			until: gen.FirstDue + gen.ExpiresAt},
		{name: "the second step counts from when the gateway took the first", now: gen.FirstDue + time.Hour,
			steps: twoSteps, lead: []gen.LeadMod{sent, on(sentAt(gen.T0.Add(gen.FirstDue + minute)))}, text: ready(),
			want: Wait, until: gen.FirstDue + time.Hour + minute},
	}
}

// chatter is a conversation with a machine: it answers at once, and is answered.
func chatter(from time.Time, times int) []gen.LeadMod {
	mods := make([]gen.LeadMod, 0, 2*times+1)
	for n := range times {
		at := from.Add(time.Duration(n) * time.Minute)
		id := fmt.Sprintf("auto-%d", n)
		mods = append(mods, gen.Says(id, fmt.Sprintf("Resposta %d", n), at), gen.FromUs(lead.ReplyID(0, id),
			v1alpha1.MessageSent, at.Add(time.Second), func(m *v1alpha1.Message) { m.Step = "" }))
	}
	return append(mods, gen.FromCustomer("again", from.Add(time.Duration(times)*time.Minute)))
}
