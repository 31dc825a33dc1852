package plan

import (
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/ai"
	"cartrecovery.dev/operator/internal/budget"
	"cartrecovery.dev/operator/internal/contacts"
	"cartrecovery.dev/operator/internal/instant"
	"cartrecovery.dev/operator/internal/lead"
)

// This file decides what a message needs that has passed the gates: its text, or another in its place.

// withText does what follows from the state of a message's text.
func withText(s *Snapshot, wanted Message, text Draft) Action {
	overdue := !s.Now.Before(wanted.Due)
	switch text.State {
	case DraftReady:
		wanted.Text, wanted.Tokens = text.Text, text.Tokens
		if wanted.fixed == "" && !text.whole {
			wanted.Text = withNotice(s, text.Text)
		}
		return Action{Kind: Send, Message: wanted}
	case DraftPending:
		if text.Failures > 0 && overdue {
			return fallbackInTime(s, wanted, text, blocked(s, text.Reason, text.Why))
		}
		writing := Action{Kind: Wait, Until: wanted.Due, Message: wanted, Writing: true,
			Why: "the text of message " + wanted.ID + " is being written"}
		if overdue {
			// What stands in its way meanwhile tells nobody.
			writing.Until = s.Now.Add(time.Minute)
		}
		return writing
	case DraftFailed:
		return afterFailedDraft(s, wanted, text)
	case DraftRefused:
		if text.Reason == v1alpha1.ReasonTextUnreviewed {
			return fallback(s, wanted, text, BlockedUntil(text.RetryAt, text.Reason, text.Why))
		}
		return fallback(s, wanted, text, blocked(s, v1alpha1.ReasonTextRefused, text.Why))
	case DraftExhausted:
		if !s.Now.Before(text.RetryAt) {
			break
		}
		return fallback(s, wanted, text, BlockedUntil(text.RetryAt, v1alpha1.ReasonTokenBudget,
			"spec.ai.dailyTokenBudget of the Store is used up for today"))
	case DraftStop, DraftWrongNumber:
		if asked := lead.LastInbound(s.Lead); asked != nil {
			return stopping(asked, text.State)
		}
	case DraftHandOff:
		if asked := lead.LastInbound(s.Lead); asked != nil {
			return handingOver(s, asked, text.Tokens)
		}
	case DraftNone:
	}
	return askFor(s, wanted, text)
}

// askFor has the text of a message written, as long as the lead has tokens left for it. After that a person
// answers the customer: somebody who has written so much deserves a look.
func askFor(s *Snapshot, wanted Message, text Draft) Action {
	switch {
	case !tokensSpent(s):
		return Action{Kind: Prepare, Message: wanted}
	case wanted.ReplyTo != "":
		return Action{Kind: HandOver, Outcome: v1alpha1.ReasonLeadTokenBudget}
	}
	why := "the lead's texts have used ai.leadTokenBudget of the Store"
	return fallback(s, wanted, text, blocked(s, v1alpha1.ReasonLeadTokenBudget, why))
}

// tokensSpent says whether the lead's texts have used up its token budget.
func tokensSpent(s *Snapshot) bool {
	status := &s.Lead.Status
	return budget.Sum(status.TokensUsed-status.TokensUsedBefore, s.UnbookedTokens) >= ai.LeadTokenBudget(s.Store)
}

// stopping ends all messages to a customer who, as the AI says, asked for it in this message.
func stopping(asked *v1alpha1.Message, state DraftState) Action {
	reason := v1alpha1.StopOptOut
	if state == DraftWrongNumber {
		reason = v1alpha1.StopWrongNumber
	}
	return Action{Kind: Stop, Stop: &v1alpha1.Stop{Reason: reason, At: asked.At}}
}

// afterFailedDraft asks again when it is time. The lead is shown as blocked only once the message is due.
func afterFailedDraft(s *Snapshot, wanted Message, failed Draft) Action {
	if !s.Now.Before(failed.RetryAt) {
		return askFor(s, wanted, failed)
	}
	again := Action{Kind: Wait, Until: failed.RetryAt, Message: wanted, Why: failed.Why}
	if s.Now.Before(wanted.Due) {
		again.Until = instant.Earlier(again.Until, wanted.Due)
		return again
	}
	again.Blocked = failed.Reason
	return fallbackInTime(s, wanted, failed, again)
}

// fallbackInTime sends the policy's fallbackText once the AI has failed for long enough.
func fallbackInTime(s *Snapshot, wanted Message, failed Draft, otherwise Action) Action {
	if failed.FirstFailedAt.IsZero() || s.Policy.FallbackText == "" {
		return otherwise
	}
	if since := instant.Later(failed.FirstFailedAt, wanted.Due).Add(fallbackAfter); s.Now.Before(since) {
		otherwise.Until = instant.Earlier(otherwise.Until, since)
		return otherwise
	}
	return fallback(s, wanted, failed, otherwise)
}

// fallback sends the policy's fallbackText in place of a text that will not come, unless it is the last thing that
// the customer has read: nobody is told the same twice in a row.
func fallback(s *Snapshot, wanted Message, missing Draft, otherwise Action) Action {
	if s.Now.Before(wanted.Due) {
		return Action{Kind: Wait, Until: wanted.Due, Message: wanted, Why: otherwise.Why}
	}
	wanted.fixed, wanted.field = s.Policy.FallbackText, "recovery.fallbackText"
	text, err := fixedText(*s, wanted)
	if err != nil || text == lastOfOurs(s.Lead) {
		return otherwise
	}
	wanted.Text, wanted.Tokens = text, missing.Tokens
	return Action{Kind: Send, Message: wanted}
}

// lastOfOurs is the text of the store's last message that went, or may have gone.
func lastOfOurs(recovery *v1alpha1.CartRecovery) string {
	for i := len(recovery.Status.Conversation) - 1; i >= 0; i-- {
		m := &recovery.Status.Conversation[i]
		if m.State == v1alpha1.MessageSent || m.State == v1alpha1.MessageUnknown {
			return m.Text
		}
	}
	return ""
}

// textOf is the text of a message: its fixed text, the text it already has when it is tried again soon, or else
// its draft. The error is why a fixed text cannot be rendered.
func textOf(s *Snapshot, wanted Message) (Draft, error) {
	if wanted.fixed != "" {
		text, err := fixedText(*s, wanted)
		return Draft{State: DraftReady, Text: text, Tokens: wanted.Tokens}, err
	}
	m := lead.Find(s.Lead.Status.Conversation, wanted.ID)
	outdated := paymentExpired(s) && m != nil && m.At.Before(paymentEnds(s))
	if m != nil && m.Text != "" && !outdated && s.Now.Sub(m.At.Time) <= FreshFor && !talkedSince(s.Lead, m.At.Time) {
		return Draft{State: DraftReady, Text: m.Text, whole: true}, nil
	}
	return s.Draft(s.TextID(wanted.ID)), nil
}

// talkedSince says whether a person of the store wrote, or the customer edited a message, after a time. A text
// that was written before then would answer something else.
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

// checkNumber finds out whether the customer is on WhatsApp, and by which id. It asks once, ahead of the first
// message and before its text is paid for. Once there is a paid text it asks no more: from then on nothing may
// come between a message and its due time.
func checkNumber(s *Snapshot, c *candidate) (Action, bool) {
	known := contacts.SameSubscriber(s.Lead.Status.WhatsAppID, s.Lead.Spec.Customer.Phone)
	if known || !opens(s) {
		return Action{}, false
	}
	asked := s.Contact(c.Instance)
	c.whatsAppID = asked.ID
	switch {
	case asked.State == contacts.Absent:
		return Action{Kind: Finish, Outcome: v1alpha1.ReasonNotOnWhatsApp}, true
	case c.text.State != DraftNone && c.fixed == "":
		return Action{}, false
	case asked.State == contacts.Unasked:
		return Action{Kind: Check, Message: c.Message}, true
	case asked.State == contacts.Asking && s.Now.Before(c.Due):
		return Action{Kind: Wait, Until: instant.Earlier(asked.Until, c.Due), Message: c.Message,
			Why: "the gateway is asked for the number"}, true
	default:
		return Action{}, false
	}
}

// opens says whether the next message is the first of its cycle.
func opens(s *Snapshot) bool {
	for i := range s.Lead.Status.Conversation {
		m := &s.Lead.Status.Conversation[i]
		ofNobody := m.Role == v1alpha1.RolePerson && m.Automatic
		if m.Cycle == s.Lead.Status.Cycle && m.State != v1alpha1.MessageFailed && !ofNobody {
			return false
		}
	}
	return true
}
