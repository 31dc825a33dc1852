package plan

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/policy"
)

// numberWith is a number whose Ready condition has been so since a time after t0.
func numberWith(name string, value metav1.ConditionStatus, reason string,
	since time.Duration) v1alpha1.WhatsAppInstance {
	return *gen.InstanceObject(func(i *v1alpha1.WhatsAppInstance) {
		i.Name, i.UID = name, "uid-"+i.UID
		i.Status.Conditions[0].Status, i.Status.Conditions[0].Reason = value, reason
		i.Status.Conditions[0].LastTransitionTime = metav1.NewTime(gen.T0.Add(since))
	})
}

// changedBut is a number with something else of its own.
func changedBut(
	number v1alpha1.WhatsAppInstance, mods ...func(*v1alpha1.WhatsAppInstance),
) v1alpha1.WhatsAppInstance {
	for _, mod := range mods {
		mod(&number)
	}
	return number
}

// loggedOut is the number of a lead's conversation that has been logged out since a time after t0.
func loggedOut(since time.Duration) v1alpha1.WhatsAppInstance {
	return numberWith(gen.Instance, metav1.ConditionFalse, v1alpha1.ReasonLoggedOut, since)
}

// pausedSince is that number, connected only since a moment before a first message is due, and restricted.
func pausedSince() v1alpha1.WhatsAppInstance {
	connected := numberWith(gen.Instance, metav1.ConditionTrue, v1alpha1.ReasonConnected, gen.FirstDue-time.Minute)
	return changedBut(connected, func(i *v1alpha1.WhatsAppInstance) {
		i.Status.NewConversationsPausedUntil = &metav1.Time{Time: gen.T0.Add(24 * time.Hour)}
	})
}

// senderCases are the rows about which number a message leaves from in a conversation that has begun.
func senderCases() []planCase {
	const hour = time.Hour
	second := numberWith("second", metav1.ConditionTrue, v1alpha1.ReasonConnected, 0)
	sent, unknown := gen.FromUs(gen.FirstID, v1alpha1.MessageSent, gen.T0.Add(gen.FirstDue)), gen.FromUs(gen.FirstID,
		v1alpha1.MessageUnknown, gen.T0.Add(gen.FirstDue))
	asks := gen.FromCustomer("m1", gen.T0.Add(hour))
	answerAt, answer := hour+policy.DefaultReplyDebounce, lead.ReplyID(0, "m1")
	move := func(s *Snapshot) { s.Policy.NumberLost = v1alpha1.NumberLostMove }
	return []planCase{
		{name: "an answer leaves from the number whose message nobody confirmed", now: answerAt, text: ready(),
			lead: []gen.LeadMod{unknown, asks}, instances: []v1alpha1.WhatsAppInstance{second, *gen.InstanceObject()},
			want: Send, message: answer, from: gen.Instance},
		{name: "an answer leaves from that number although it may start no conversations", now: answerAt, text: ready(),
			lead: []gen.LeadMod{unknown, asks}, instances: []v1alpha1.WhatsAppInstance{pausedSince(), second},
			want: Send, message: answer, from: gen.Instance},
		{name: "a number that has just logged out is waited for, and looked at again when it counts as lost",
			now: answerAt, text: ready(), lead: []gen.LeadMod{sent, asks},
			instances: []v1alpha1.WhatsAppInstance{loggedOut(hour), second}, want: Wait, until: hour + LostAfter,
			blocked: v1alpha1.ReasonNoConnectedInstance},
		{name: "a number that is lost is named", now: hour + LostAfter, text: ready(), lead: []gen.LeadMod{sent, asks},
			instances: []v1alpha1.WhatsAppInstance{loggedOut(hour), second}, want: Wait, until: hour + gen.ExpiresAt,
			blocked: v1alpha1.ReasonNumberLost},
		{name: "a number that is gone is named", now: answerAt, text: ready(), lead: []gen.LeadMod{sent, asks},
			instances: []v1alpha1.WhatsAppInstance{second}, want: Wait, until: hour + gen.ExpiresAt,
			blocked: v1alpha1.ReasonNumberLost},
		{name: "a conversation moves from a number that is lost where the policy says so", now: hour + LostAfter,
			text: ready(),
			lead: []gen.LeadMod{sent, asks}, instances: []v1alpha1.WhatsAppInstance{loggedOut(hour), second},
			with: move,
			want: Send, message: answer, from: "second"},
		{name: "a conversation does not move from a number that has just logged out", now: answerAt, text: ready(),
			lead: []gen.LeadMod{sent, asks}, instances: []v1alpha1.WhatsAppInstance{loggedOut(hour), second},
			with: move,
			want: Wait, until: hour + LostAfter, blocked: v1alpha1.ReasonNoConnectedInstance},
		{name: "a conversation does not move from a number that is only not connected", now: 5 * hour, text: ready(),
			lead: []gen.LeadMod{sent, asks},
			instances: []v1alpha1.WhatsAppInstance{numberWith(gen.Instance, metav1.ConditionFalse,
				v1alpha1.ReasonNotConnected, hour), second}, with: move, want: Wait, until: hour + gen.ExpiresAt,
			blocked: v1alpha1.ReasonNoConnectedInstance},
		{name: "a number that may start none goes on with its conversations", now: gen.FirstDue + hour, text: ready(),
			steps: twoSteps, lead: []gen.LeadMod{sent}, instances: []v1alpha1.WhatsAppInstance{pausedSince(), second},
			want: Send, message: "c0-step-second", from: gen.Instance},
		{name: "a number that was not connected for ten minutes is waited for until the lead ends",
			now:  hour + LostAfter,
			text: ready(), lead: []gen.LeadMod{sent, asks}, instances: []v1alpha1.WhatsAppInstance{
				numberWith(gen.Instance, metav1.ConditionFalse, v1alpha1.ReasonNotConnected, hour), second}, want: Wait,
			until: hour + gen.ExpiresAt, blocked: v1alpha1.ReasonNoConnectedInstance},
	}
}

// newSenderCases are the rows about which number begins a conversation.
func newSenderCases() []planCase {
	const hour = time.Hour
	second := numberWith("second", metav1.ConditionTrue, v1alpha1.ReasonConnected, 0)
	knows := func(s *Snapshot) { s.Others.instance = gen.Instance }
	lines := func(waitsAt string, first, then time.Duration) func(*Snapshot) {
		return func(s *Snapshot) {
			for i := range s.Instances {
				if s.Instances[i].Name == waitsAt {
					s.WaitsAt = s.Instances[i].UID
				}
			}
			s.Capacity = func(i *v1alpha1.WhatsAppInstance, _ time.Time) Capacity {
				if i.Name == gen.Instance {
					return Capacity{Free: s.Now.Add(first)}
				}
				return Capacity{Free: s.Now.Add(then)}
			}
		}
	}
	two := []v1alpha1.WhatsAppInstance{*gen.InstanceObject(), second}
	return []planCase{
		{name: "a new conversation begins on the number the customer knows", now: gen.FirstDue, text: ready(),
			instances: two, with: func(s *Snapshot) { s.Others.instance = "second" }, want: Send, message: gen.FirstID,
			from: "second"},
		{name: "a new conversation waits for a known number that is only just away", now: gen.FirstDue, text: ready(),
			instances: []v1alpha1.WhatsAppInstance{loggedOut(gen.FirstDue - time.Minute), second}, with: knows,
			want: Wait, until: gen.FirstDue + LostAfter - time.Minute, blocked: v1alpha1.ReasonNoConnectedInstance},
		{name: "a new conversation begins on another once the known number was away for ten minutes",
			now: gen.FirstDue + LostAfter - time.Minute, text: ready(),
			instances: []v1alpha1.WhatsAppInstance{loggedOut(gen.FirstDue - time.Minute), second}, with: knows,
			want: Send, message: gen.FirstID, from: "second"},
		{name: "a new conversation begins on another at once when the known number is restricted", now: gen.FirstDue,
			text:      ready(),
			instances: []v1alpha1.WhatsAppInstance{pausedSince(), second}, with: knows, want: Send,
			message: gen.FirstID,
			from:    "second"},
		{name: "a new conversation begins on the number that is free first", now: gen.FirstDue, text: ready(),
			instances: two, with: lines("", time.Hour, time.Minute), want: Send, message: gen.FirstID, from: "second"},
		{name: "a lead stays in its line", now: gen.FirstDue, text: ready(), instances: two,
			with: lines(gen.Instance, time.Minute, 0), want: Send, message: gen.FirstID, from: gen.Instance},
		{name: "a lead leaves its line for one that is clearly earlier", now: gen.FirstDue, text: ready(),
			instances: two,
			with:      lines(gen.Instance, time.Hour, 0), want: Send, message: gen.FirstID, from: "second"},
		{name: "a gateway that does not answer is named", now: gen.FirstDue, text: ready(),
			instances: []v1alpha1.WhatsAppInstance{*gen.InstanceObject(func(i *v1alpha1.WhatsAppInstance) {
				i.Status.Conditions = append(i.Status.Conditions,
					metav1.Condition{Type: v1alpha1.ConditionGatewayReachable, Status: metav1.ConditionFalse})
			})}, want: Wait, until: gen.ExpiresAt, blocked: v1alpha1.ReasonGatewayUnreachable},
		{name: "the next cycle is bound to no number that is lost", now: gen.FirstDue, text: ready(),
			lead: []gen.LeadMod{gen.FromUs(gen.FirstID, v1alpha1.MessageSent, gen.T0.Add(-hour)),
				func(l *v1alpha1.CartRecovery) { l.Status.Cycle = 1 }},
			instances: []v1alpha1.WhatsAppInstance{loggedOut(-hour), second}, want: Send, message: "c1-step-first",
			from: "second"},
		{name: "a known number that is suspended is not waited for", now: gen.FirstDue, text: ready(), with: knows,
			instances: []v1alpha1.WhatsAppInstance{changedBut(loggedOut(gen.FirstDue-time.Minute),
				func(i *v1alpha1.WhatsAppInstance) { i.Spec.Suspend = true }), second}, want: Send,
			message: gen.FirstID, from: "second"},
		{name: "a known number that is being deleted is not waited for", now: gen.FirstDue, text: ready(), with: knows,
			instances: []v1alpha1.WhatsAppInstance{changedBut(loggedOut(gen.FirstDue-time.Minute),
				func(i *v1alpha1.WhatsAppInstance) { i.DeletionTimestamp = &metav1.Time{Time: gen.T0} }), second},
			want: Send, message: gen.FirstID, from: "second"},
	}
}

// wishCases are the rows about what a customer asks for.
func wishCases() []planCase {
	const hour = time.Hour
	sent := gen.FromUs(gen.FirstID, v1alpha1.MessageSent, gen.T0.Add(gen.FirstDue))
	wish := func(text string) gen.LeadMod { return gen.Says("m1", text, gen.T0.Add(hour)) }
	handOffID := lead.HandOffID(0, "m1")
	notice := func(state v1alpha1.MessageState) gen.LeadMod {
		return gen.FromUs(handOffID, state, gen.T0.Add(hour+time.Second))
	}
	tells := func(s *Snapshot) { s.Policy.HandOffText = "Já chamo alguém." }
	quiet := func(s *Snapshot) { s.Policy.QuietHours = &v1alpha1.QuietHours{Start: "10:00", End: "12:00"} }
	soon := hour + 2*time.Second
	return []planCase{
		{name: "a customer who asks for a person gets one", now: soon, text: ready(),
			lead: []gen.LeadMod{sent, wish("atendente")}, want: HandOver},
		{name: "a customer who asks for a person is told so first, where the policy says", now: soon,
			lead: []gen.LeadMod{sent, wish("atendente")},
			with: tells, want: Send, message: handOffID},
		{name: "a customer who was told that a person comes is given to one", now: soon,
			lead: []gen.LeadMod{sent, wish("atendente"),
				notice(v1alpha1.MessageSent)}, with: tells, want: HandOver},
		{name: "a customer whom only the AI understood, and who was told, is given to a person",
			now: soon + time.Minute, text: ready(),
			lead: []gen.LeadMod{sent, wish("me passa pra alguém daí"), notice(v1alpha1.MessageSent)}, with: tells,
			want: HandOver},
		{name: "a customer whom the AI understands to ask for a person gets one", now: soon + time.Minute,
			text: Draft{State: DraftHandOff, Tokens: 40},
			lead: []gen.LeadMod{sent, wish("me passa pra alguém daí")}, want: HandOver},
		{name: "in quiet hours nobody is told, and a person has it all the same", now: soon,
			lead: []gen.LeadMod{sent, wish("atendente")}, with: func(s *Snapshot) { tells(s); quiet(s) },
			want: HandOver},
		{name: "what was asked for before a person gave the conversation back counts no more", now: soon + hour,
			text: ready(), lead: []gen.LeadMod{sent, wish("atendente"), resumedBy(gen.T0.Add(hour + time.Minute))},
			want: Send, message: lead.ReplyID(0, "m1")},
		{name: "an opt-out is confirmed at once or not at all: not in quiet hours", now: soon,
			lead: []gen.LeadMod{sent, wish("PARAR")}, with: quiet, want: Finish, outcome: v1alpha1.ReasonOptedOut},
		{name: "an opt-out is not confirmed without a text", now: soon, lead: []gen.LeadMod{sent, wish("PARAR")},
			with: func(s *Snapshot) {
				s.Policy.OptOutConfirmation = ""
			}, want: Finish, outcome: v1alpha1.ReasonOptedOut},
		{name: "an opt-out is not confirmed while the store is suspended", now: soon, suspended: true,
			lead: []gen.LeadMod{sent, wish("PARAR")},
			want: Finish, outcome: v1alpha1.ReasonOptedOut},
		{name: "an opt-out is not confirmed over a person", now: soon,
			lead: []gen.LeadMod{sent, gen.FromPerson("o1", gen.T0.Add(hour-time.Minute)), wish("PARAR")}, want: Finish,
			outcome: v1alpha1.ReasonOptedOut},
		{name: "what it cost to understand a wish for a person counts", now: soon + time.Minute, with: tells,
			text: Draft{State: DraftHandOff, Tokens: 40}, lead: []gen.LeadMod{sent, wish("me passa pra alguém daí")},
			want: Send, message: handOffID, tokens: 40},
	}
}

// otherRecoveryCases are the rows about other recoveries of the customer.
func otherRecoveryCases() []planCase {
	const hour = time.Hour
	sent := gen.FromUs(gen.FirstID, v1alpha1.MessageSent, gen.T0.Add(gen.FirstDue))
	aDayApart := []v1alpha1.Step{
		{Name: "first", After: v1alpha1.Duration{Duration: gen.FirstDue}},
		{Name: "second", After: v1alpha1.Duration{Duration: 24 * hour}},
	}
	asks, answerAt, answer := gen.FromCustomer("m1", gen.T0.Add(hour)), hour+
		policy.DefaultReplyDebounce, lead.ReplyID(0, "m1")
	return []planCase{
		{name: "nobody is written to by two recoveries within the cooldown", now: gen.FirstDue, text: ready(),
			with: func(s *Snapshot) { s.Others.opened = gen.T0 }, want: Wait, until: gen.ExpiresAt,
			blocked: v1alpha1.ReasonCooldown},
		{name: "a customer is written to by another recovery after the cooldown", now: gen.FirstDue, text: ready(),
			with: func(s *Snapshot) {
				s.Others.opened = gen.T0.Add(gen.FirstDue - policy.DefaultCooldown)
			}, want: Send, message: gen.FirstID},
		{name: "a conversation that has begun goes on", now: hour + policy.DefaultReplyDebounce, text: ready(),
			lead: []gen.LeadMod{sent, asks}, with: func(s *Snapshot) { s.Others.opened = gen.T0 },
			want: Send, message: lead.ReplyID(0, "m1")},
		{name: "no step goes while the customer writes about another recovery", now: gen.FirstDue, text: ready(),
			with: func(s *Snapshot) { s.Others.talkingUntil = gen.T0.Add(20 * hour) }, want: Wait, until: 20 * hour,
			blocked: v1alpha1.ReasonInConversation},
		{name: "a step goes when the conversation about another recovery is over", now: 20 * hour, text: ready(),
			with: func(s *Snapshot) { s.Others.talkingUntil = gen.T0.Add(20 * hour) }, want: Send,
			message: gen.FirstID},
		{name: "no step goes in a conversation that has begun", now: 30 * hour, text: ready(),
			lead: []gen.LeadMod{sent}, steps: aDayApart,
			with: func(s *Snapshot) { s.Others.talkingUntil = gen.T0.Add(40 * hour) }, want: Wait, until: 40 * hour,
			blocked: v1alpha1.ReasonInConversation},
		{name: "no step goes while the customer says of another recovery that they have paid", now: 30 * hour,
			text: ready(),
			lead: []gen.LeadMod{sent}, steps: aDayApart,
			with: func(s *Snapshot) { s.Others.claimsPaid = true }, want: Wait, until: gen.FirstDue + gen.ExpiresAt,
			blocked: v1alpha1.ReasonInConversation},
		{name: "no step goes while a person has another conversation", now: 30 * hour, text: ready(),
			lead:  []gen.LeadMod{sent},
			steps: aDayApart,
			with:  func(s *Snapshot) { s.Others.handedOff = true }, want: Wait, until: gen.FirstDue + gen.ExpiresAt,
			blocked: v1alpha1.ReasonWithPerson},
		{name: "an answer goes whatever there is about another recovery", now: answerAt, text: ready(),
			lead: []gen.LeadMod{sent, asks},
			with: func(s *Snapshot) {
				s.Others.claimsPaid, s.Others.handedOff, s.Others.talkingUntil = true, true, gen.T0.Add(40*hour)
			}, want: Send, message: answer},
		{name: "nobody is written to while a person has another conversation with them", now: gen.FirstDue,
			text: ready(), with: func(s *Snapshot) { s.Others.handedOff = true }, want: Wait, until: gen.ExpiresAt,
			blocked: v1alpha1.ReasonWithPerson},
	}
}

// nextCycleCases are the rows about cycles that were asked for.
func nextCycleCases() []planCase {
	const hour = time.Hour
	sent := gen.FromUs(gen.FirstID, v1alpha1.MessageSent, gen.T0.Add(gen.FirstDue))
	return []planCase{
		{name: "a cycle that was asked for begins", now: 100 * hour,
			lead: []gen.LeadMod{sent, done(v1alpha1.ReasonUnanswered, gen.T0.Add(90*hour)),
				cycleAsked(gen.T0.Add(99*hour), gen.T0.Add(90*hour))}, want: Reopen},
		{name: "a cycle does not begin when the customer has bought meanwhile, and wins nothing", now: 100 * hour,
			lead: []gen.LeadMod{sent, done(v1alpha1.ReasonUnanswered, gen.T0.Add(90*hour)),
				cycleAsked(gen.T0.Add(99*hour), gen.T0.Add(90*hour)), gen.Bought(gen.T0.Add(99*hour + time.Minute))},
			want: Finish, outcome: v1alpha1.ReasonBoughtBeforeContact},
		{name: "a purchase that stands on another lead begins no cycle", now: 100 * hour,
			twin: &v1alpha1.Purchase{EventID: "e1", At: v1alpha1.NewTimestamp(gen.T0)},
			lead: []gen.LeadMod{done(v1alpha1.ReasonBoughtBeforeContact, gen.T0.Add(90*hour)),
				cycleAsked(gen.T0.Add(99*hour), gen.T0.Add(90*hour))}, want: Wait},
	}
}

// cycleAsked is a lead whose customer left the checkout again.
func cycleAsked(at, completed time.Time) gen.LeadMod {
	return func(l *v1alpha1.CartRecovery) {
		abandoned := v1alpha1.NewTimestamp(at)
		l.Spec.AbandonedAt = &abandoned
		l.Annotations = map[string]string{v1alpha1.AnnotationPreviousCompleted: completed.Format(time.RFC3339)}
	}
}

// textCases are the rows about what happens when there is no text.
func textCases() []planCase {
	unusable := []v1alpha1.Step{{Name: "first", After: v1alpha1.Duration{Duration: gen.FirstDue},
		Text: "Oi, {{.Nobody}}!"}}
	fallback := func(s *Snapshot) { s.Policy.FallbackText = "Oi! Posso ajudar?" }
	failing := func(since time.Duration) Draft {
		return Draft{State: DraftFailed, Reason: v1alpha1.ReasonAIUnavailable, Failures: 3,
			FirstFailedAt: gen.T0.Add(since), RetryAt: gen.T0.Add(gen.FirstDue + time.Hour)}
	}
	refusedText := Draft{State: DraftRefused, Why: "a link that was not given", Tokens: 80}
	const again = gen.FirstDue + 2*time.Minute
	unreviewed := Draft{State: DraftRefused, Reason: v1alpha1.ReasonTextUnreviewed, Why: "the review did not answer",
		RetryAt: gen.T0.Add(again)}
	exhausted := Draft{State: DraftExhausted, RetryAt: gen.T0.Add(12 * time.Hour)}
	sameLast := gen.FromUs(gen.FirstID, v1alpha1.MessageSent, gen.T0.Add(gen.FirstDue), func(m *v1alpha1.Message) {
		m.Text = "Oi! Posso ajudar?"
	})
	asks := gen.FromCustomer("m1", gen.T0.Add(time.Hour))
	reply := time.Hour + policy.DefaultReplyDebounce
	return []planCase{
		{name: "a fixed text that cannot be rendered blocks the lead", now: gen.FirstDue, steps: unusable, want: Wait,
			until: gen.ExpiresAt, blocked: v1alpha1.ReasonInvalidTemplate},
		{name: "an AI that fails is waited for", now: gen.FirstDue + time.Minute, text: failing(gen.FirstDue),
			with: fallback, want: Wait, until: gen.FirstDue + fallbackAfter, blocked: v1alpha1.ReasonAIUnavailable},
		{name: "an AI that fails for fifteen minutes is replaced", now: gen.FirstDue + fallbackAfter,
			text: failing(gen.FirstDue), with: fallback,
			want: Send, message: gen.FirstID, says: "Oi! Posso ajudar?"},
		{name: "the fifteen minutes of an AI that fails count from the due time", now: gen.FirstDue + time.Minute,
			text: failing(0), with: fallback,
			want: Wait, until: gen.FirstDue + fallbackAfter, blocked: v1alpha1.ReasonAIUnavailable},
		{name: "an AI that fails is waited for longer without a fallback", now: gen.FirstDue + fallbackAfter,
			text: failing(gen.FirstDue),
			want: Wait, until: gen.FirstDue + time.Hour, blocked: v1alpha1.ReasonAIUnavailable},
		{name: "a text that may not be sent is replaced", now: gen.FirstDue, text: refusedText, with: fallback,
			want: Send, message: gen.FirstID, says: "Oi! Posso ajudar?", tokens: 80},
		{name: "a text that may not be sent is not replaced before it is due", now: gen.FirstDue - time.Second,
			text: refusedText, with: fallback, want: Wait,
			until: gen.FirstDue},
		{name: "a text that may not be sent blocks without a fallback", now: gen.FirstDue, text: refusedText,
			want: Wait, until: gen.ExpiresAt,
			blocked: v1alpha1.ReasonTextRefused},
		{name: "nobody is told the same twice in a row", now: reply, text: refusedText,
			lead: []gen.LeadMod{sameLast, asks}, with: fallback, want: Wait, until: time.Hour + gen.ExpiresAt,
			blocked: v1alpha1.ReasonTextRefused},
		{name: "a text that nobody reviewed is replaced", now: gen.FirstDue, text: unreviewed, with: fallback,
			want: Send, message: gen.FirstID, says: "Oi! Posso ajudar?"},
		{name: "a text that nobody reviewed blocks until it is written again", now: gen.FirstDue, text: unreviewed,
			want: Wait, until: again,
			blocked: v1alpha1.ReasonTextUnreviewed},
		{name: "a budget that is used up is replaced", now: gen.FirstDue, text: exhausted, with: fallback, want: Send,
			message: gen.FirstID, says: "Oi! Posso ajudar?"},
		{name: "a budget that is used up blocks until tomorrow", now: gen.FirstDue, text: exhausted, want: Wait,
			until:   12 * time.Hour,
			blocked: v1alpha1.ReasonTokenBudget},
		{name: "a text is asked for again when the budget begins anew", now: 12 * time.Hour, text: exhausted,
			want:    Prepare,
			message: gen.FirstID},
		{name: "a fallback that cannot be written is none", now: gen.FirstDue, text: refusedText,
			with: func(s *Snapshot) { s.Policy.FallbackText = "{{.Nobody}}" }, want: Wait, until: gen.ExpiresAt,
			blocked: v1alpha1.ReasonTextRefused},
		{name: "a text that is overdue and being written is looked at every minute", now: gen.FirstDue,
			text: Draft{State: DraftPending}, want: Wait, until: gen.FirstDue + time.Minute},
		{name: "a refused message is sent with another text when its own is old", now: gen.FirstDue + time.Hour,
			text: ready(),
			lead: []gen.LeadMod{gen.FromUs(gen.FirstID, v1alpha1.MessageFailed, gen.T0.Add(gen.FirstDue),
				attempts(1, gen.T0.Add(gen.FirstDue+time.Minute)))}, want: Send, message: gen.FirstID,
			says: "Oi, Maria!"},
		{name: "a failure whose beginning nobody knows is waited for", now: gen.FirstDue + 20*time.Minute,
			text: Draft{State: DraftFailed, Reason: v1alpha1.ReasonAIUnavailable,
				RetryAt: gen.T0.Add(gen.FirstDue + time.Hour)}, with: fallback, want: Wait,
			until: gen.FirstDue + time.Hour, blocked: v1alpha1.ReasonAIUnavailable},
		{name: "without a fallback nothing is looked at before the AI is asked again", now: gen.FirstDue + time.Minute,
			text: failing(gen.FirstDue), want: Wait, until: gen.FirstDue + time.Hour,
			blocked: v1alpha1.ReasonAIUnavailable},
		{name: "an answer whose fallback cannot be written is none", now: reply, text: refusedText,
			lead: []gen.LeadMod{sameLast, asks}, with: func(s *Snapshot) { s.Policy.FallbackText = "{{.Nobody}}" },
			want: Wait, until: time.Hour + gen.ExpiresAt, blocked: v1alpha1.ReasonTextRefused},
	}
}

// quietCases are the rows about the quiet hours; t0 is 09:00 in São Paulo.
func quietCases() []planCase {
	hours := func(start, end string) func(*Snapshot) {
		return func(s *Snapshot) {
			s.Policy.QuietHours = &v1alpha1.QuietHours{Start: start, End: end, Spread: &v1alpha1.Duration{}}
		}
	}
	sent := gen.FromUs(gen.FirstID, v1alpha1.MessageSent, gen.T0.Add(gen.FirstDue))
	return []planCase{
		{name: "what the quiet hours will hold is looked at when it would have left", now: 0,
			with: hours("09:10", "11:00"), want: Wait, until: gen.FirstDue},
		{name: "what the quiet hours hold is said to be held when it would have left", now: gen.FirstDue,
			with: hours("09:10", "11:00"), text: ready(), want: Wait,
			until: 2*time.Hour - PrepareAhead, blocked: v1alpha1.ReasonQuietHours},
		{name: "a text that was held is written a little ahead of the opening", now: 2*time.Hour - PrepareAhead,
			with: hours("09:10", "11:00"), want: Prepare, message: gen.FirstID},
		{name: "a text that was held waits for the opening", now: 2*time.Hour - time.Second,
			with: hours("09:10", "11:00"), text: ready(), want: Wait,
			until: 2 * time.Hour, blocked: v1alpha1.ReasonQuietHours},
		{name: "what was held leaves at the opening", now: 2 * time.Hour, with: hours("09:10", "11:00"), text: ready(),
			want:    Send,
			message: gen.FirstID},
		{name: "an overdue message waits for the opening", now: 3 * time.Hour, with: hours("11:00", "13:00"),
			text: ready(),
			want: Wait, until: 4*time.Hour - PrepareAhead, blocked: v1alpha1.ReasonQuietHours},
		{name: "an answer waits for the opening", now: time.Hour + policy.DefaultReplyDebounce,
			with: hours("10:00", "11:00"),
			text: ready(), lead: []gen.LeadMod{sent, gen.FromCustomer("m1", gen.T0.Add(time.Hour))}, want: Wait,
			until: 2 * time.Hour, blocked: v1alpha1.ReasonQuietHours},
		{name: "a lead that would be held beyond its time ends", now: gen.ExpiresAt - time.Minute,
			with: hours("08:00", "10:00"), text: ready(), want: Wait, until: gen.ExpiresAt,
			blocked: v1alpha1.ReasonQuietHours},
		{name: "what is due in the first quiet minute waits", now: gen.FirstDue, with: hours("09:15", "11:00"),
			text: ready(), want: Wait, until: 2*time.Hour - PrepareAhead, blocked: v1alpha1.ReasonQuietHours,
			gate: "QuietHours"},
		{name: "what is due when the quiet hours end is not held", now: gen.FirstDue, with: hours("08:00", "09:15"),
			text: ready(), want: Send, message: gen.FirstID},
	}
}
