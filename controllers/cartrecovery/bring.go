package cartrecovery

import (
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/ai"
	"cartrecovery.dev/operator/internal/budget"
	"cartrecovery.dev/operator/internal/connection"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/pace"
)

// This file decides what a message that is wanted needs next: its time, a number to leave
// from, a text. Pure functions.

// bring does what a message needs next: its text, from so long ahead of its due time on,
// then, at its due time, to be sent.
func bring(s *situation, wanted message, ahead time.Duration) action {
	unheld := wanted.due
	wanted.due = s.opening(wanted)
	if s.now.Before(wanted.due.Add(-ahead)) {
		return waitFor(s, wanted, wanted.due.Add(-ahead), unheld)
	}
	if hold, restored := holdRestored(s); restored {
		return hold
	}
	if wait, held := heldByOthers(s, wanted); held {
		return wait
	}
	sender, missing := senderFor(s, wanted.due)
	if sender == nil {
		return missing
	}
	wanted.instance = sender
	if movesTo(s, sender) {
		wanted.class = pace.First
	}
	if planned, ok := proveUnsent(s, wanted, unheld); ok {
		return planned
	}
	text, failed := textOf(s, wanted)
	if failed != nil {
		return blocked(s, v1alpha1.ReasonInvalidTemplate, connection.Message(failed))
	}
	if planned, ok := reach(s, &wanted, text); ok {
		return planned
	}
	if s.now.Before(wanted.due) && text.state == draftReady {
		return waitFor(s, wanted, wanted.due, unheld)
	}
	return withText(s, wanted, text)
}

// opening is when a message is due once the quiet hours have held it back.
func (s *situation) opening(wanted message) time.Time {
	return s.policy.Held(wanted.due, s.now, lead.PlanKey(s.lead.Name, wanted.id), wanted.class == pace.Answer)
}

// waitFor waits for a message's time. What the quiet hours hold back is shown from when it
// would have left without them.
func waitFor(s *situation, wanted message, until, unheld time.Time) action {
	m := lead.Find(s.lead.Status.Conversation, wanted.id)
	planned := action{
		kind: wait, until: until, message: wanted, why: "message " + wanted.id + " is due at " + wanted.due.UTC().Format(time.RFC3339),
		refused: m != nil && m.State == v1alpha1.MessageFailed,
	}
	switch held := wanted.due.After(unheld); {
	case held && s.now.Before(unheld):
		planned.until = earliest(until, unheld)
	case held:
		planned.blocked, planned.refused = v1alpha1.ReasonQuietHours, false
		planned.why = "quiet hours; message " + wanted.id + " is sent at " + wanted.due.UTC().Format(time.RFC3339)
	}
	return planned
}

// heldByOthers waits for another recovery of the store that the customer has to do with: one that
// a person has, or that they write in (they may just have said that they paid), holds back every
// step; one that has written to them a short time ago, the first. A conversation that has begun
// goes on.
func heldByOthers(s *situation, wanted message) (action, bool) {
	switch sells, begun := wanted.step != nil, hasBegun(s.lead); {
	case s.other.handedOff && (sells || !begun):
		return blocked(s, v1alpha1.ReasonWithPerson, "a person of the store has another conversation with the customer"), true
	case s.other.claimsPaid && sells:
		return blocked(s, v1alpha1.ReasonInConversation, "the customer says of another recovery that they have paid"), true
	case s.now.Before(s.other.talkingUntil) && sells:
		return blockedUntil(s.other.talkingUntil, v1alpha1.ReasonInConversation, "the customer is in a conversation about another recovery"), true
	case begun:
		return action{}, false
	}
	return coolDown(s)
}

// coolDown waits while the customer was written to by another recovery a short time ago.
func coolDown(s *situation) (action, bool) {
	until := s.other.opened.Add(s.policy.Cooldown)
	if s.other.opened.IsZero() || !s.now.Before(until) {
		return action{}, false
	}
	return blockedUntil(until, v1alpha1.ReasonCooldown, "the customer was written to by another recovery; the policy's cooldown ends at "+until.UTC().Format(time.RFC3339)), true
}

// withText does what follows from how far the text of a message is.
func withText(s *situation, wanted message, text draft) action {
	overdue := !s.now.Before(wanted.due)
	switch text.state {
	case draftReady:
		wanted.text, wanted.tokens = text.text, text.tokens
		if wanted.fixed == "" && !text.whole {
			wanted.text = withNotice(s, text.text)
		}
		return action{kind: send, message: wanted}
	case draftPending:
		if text.failures > 0 && overdue {
			return orFallback(s, wanted, text, blocked(s, text.reason, text.why))
		}
		writing := action{kind: wait, until: wanted.due, message: wanted, writing: true, why: "the text of message " + wanted.id + " is being written"}
		if overdue {
			// What stands in its way meanwhile tells nobody.
			writing.until = s.now.Add(time.Minute)
		}
		return writing
	case draftFailed:
		return afterFailedDraft(s, wanted, text)
	case draftRefused:
		if text.reason == v1alpha1.ReasonTextUnreviewed {
			return instead(s, wanted, text, blockedUntil(text.retryAt, text.reason, text.why))
		}
		return instead(s, wanted, text, blocked(s, v1alpha1.ReasonTextRefused, text.why))
	case draftExhausted:
		if !s.now.Before(text.retryAt) {
			break
		}
		return instead(s, wanted, text, blockedUntil(text.retryAt, v1alpha1.ReasonTokenBudget, "spec.ai.dailyTokenBudget of the Store is used up for today"))
	case draftStop, draftWrongNumber:
		if asked := lead.LastInbound(s.lead); asked != nil {
			return stopping(asked, text.state)
		}
	case draftHandOff:
		if asked := lead.LastInbound(s.lead); asked != nil {
			return handingOver(s, asked, text.tokens)
		}
	case draftNone:
	}
	return askFor(s, wanted, text)
}

// askFor has the text of a message written, as long as the lead has tokens left for it. Beyond
// them a person answers the customer: whoever has written so much is worth a look.
func askFor(s *situation, wanted message, text draft) action {
	switch {
	case !tokensSpent(s):
		return action{kind: prepare, message: wanted}
	case wanted.replyTo != "":
		return action{kind: handOver, outcome: v1alpha1.ReasonLeadTokenBudget}
	}
	why := "the lead's texts have used ai.tokensPerLead of the Store"
	return instead(s, wanted, text, blocked(s, v1alpha1.ReasonLeadTokenBudget, why))
}

// tokensSpent says whether the lead's texts have used what they may since its budget began.
func tokensSpent(s *situation) bool {
	status := &s.lead.Status
	return budget.Sum(max(0, status.TokensUsed-status.TokensBefore), s.unbooked) >= ai.TokensPerLead(s.store)
}

// stopping stops everything for a customer of whom the AI says that they asked for it, in this
// message.
func stopping(asked *v1alpha1.Message, state draftState) action {
	reason := v1alpha1.StopOptOut
	if state == draftWrongNumber {
		reason = v1alpha1.StopWrongNumber
	}
	return action{kind: stop, stop: &v1alpha1.Stop{Reason: reason, At: asked.At}}
}

// afterFailedDraft asks again when it is time; the lead is blocked only once the message
// is due.
func afterFailedDraft(s *situation, wanted message, failed draft) action {
	if !s.now.Before(failed.retryAt) {
		return askFor(s, wanted, failed)
	}
	again := action{kind: wait, until: failed.retryAt, message: wanted, why: failed.why}
	if s.now.Before(wanted.due) {
		again.until = earliest(again.until, wanted.due)
		return again
	}
	again.blocked = failed.reason
	return orFallback(s, wanted, failed, again)
}

// orFallback sends the policy's fallbackText in place of one that the AI has failed to
// write for long enough.
func orFallback(s *situation, wanted message, failed draft, otherwise action) action {
	if failed.firstFailedAt.IsZero() || s.policy.FallbackText == "" {
		return otherwise
	}
	if since := latest(failed.firstFailedAt, wanted.due).Add(fallbackAfter); s.now.Before(since) {
		otherwise.until = earliest(otherwise.until, since)
		return otherwise
	}
	return instead(s, wanted, failed, otherwise)
}

// instead sends the policy's fallbackText in place of a text that there will not be, unless
// the customer has just read it: nobody is told the same twice in a row.
func instead(s *situation, wanted message, missing draft, otherwise action) action {
	if s.now.Before(wanted.due) {
		return action{kind: wait, until: wanted.due, message: wanted, why: otherwise.why}
	}
	wanted.fixed, wanted.field = s.policy.FallbackText, "recovery.fallbackText"
	if wanted.fixed == "" {
		return otherwise
	}
	text, err := fixedText(*s, wanted)
	if err != nil || text == lastOfOurs(s.lead) {
		return otherwise
	}
	wanted.text, wanted.tokens = text, missing.tokens
	return action{kind: send, message: wanted}
}

// lastOfOurs is the text of our last message that went, or may have gone.
func lastOfOurs(recovery *v1alpha1.CartRecovery) string {
	for i := len(recovery.Status.Conversation) - 1; i >= 0; i-- {
		m := &recovery.Status.Conversation[i]
		if m.Role == v1alpha1.RoleAssistant && (m.State == v1alpha1.MessageSent || m.State == v1alpha1.MessageUnknown) {
			return m.Text
		}
	}
	return ""
}

// textOf is the text of a message: a fixed one as it is now, the one it already has when it
// is tried again soon, else its draft. The error is a fixed text that cannot be written.
func textOf(s *situation, wanted message) (draft, error) {
	if wanted.fixed != "" {
		text, err := fixedText(*s, wanted)
		return draft{state: draftReady, text: text}, err
	}
	m := lead.Find(s.lead.Status.Conversation, wanted.id)
	outdated := paymentExpired(s) && m != nil && m.At.Before(paymentEnds(s))
	if m != nil && m.Text != "" && !outdated && s.now.Sub(m.At.Time) <= freshFor && !talkedSince(s.lead, m.At.Time) {
		return draft{state: draftReady, text: m.Text, whole: true}, nil
	}
	return s.draft(s.textID(wanted.id)), nil
}

// talkedSince says whether a person of the store wrote, or the customer changed a message,
// after a time: what was written before would be an answer to something else.
func talkedSince(recovery *v1alpha1.CartRecovery, at time.Time) bool {
	for i := range recovery.Status.Conversation {
		m := &recovery.Status.Conversation[i]
		switch {
		case lead.ByPerson(m) && m.At.After(at):
			return true
		case m.EditedAt != nil && m.EditedAt.After(at):
			return true
		}
	}
	return false
}

// reach finds out, ahead of the first message and before its text is paid for, whether the
// customer is on WhatsApp and by which id. It asks once, and not at all once there is a
// text that was paid for: from then on nothing may come between a message and its due time.
func reach(s *situation, wanted *message, text draft) (action, bool) {
	known := sameSubscriber(s.lead.Status.WhatsAppID, s.lead.Spec.Customer.Phone)
	if wanted.step == nil || known || !opens(s) {
		return action{}, false
	}
	asked := s.contact(wanted.instance)
	wanted.whatsAppID = asked.id
	switch {
	case asked.state == contactAbsent:
		return action{kind: finish, outcome: v1alpha1.ReasonNotOnWhatsApp}, true
	case text.state != draftNone && wanted.fixed == "":
		return action{}, false
	case asked.state == contactUnasked:
		return action{kind: check, message: *wanted}, true
	case asked.state == contactAsking && s.now.Before(wanted.due):
		return action{kind: wait, until: earliest(asked.until, wanted.due), message: *wanted, why: "the gateway is asked for the number"}, true
	default:
		return action{}, false
	}
}

// opens says whether the next message is the first of its cycle.
func opens(s *situation) bool {
	for i := range s.lead.Status.Conversation {
		m := &s.lead.Status.Conversation[i]
		ofNobody := m.Role == v1alpha1.RoleOperator && m.Automatic
		if m.Cycle == s.lead.Status.Cycle && m.State != v1alpha1.MessageFailed && !ofNobody {
			return false
		}
	}
	return true
}
