package plan

import (
	"strings"
	"time"
	"unicode/utf8"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/connection"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/ledger"
	"cartrecovery.dev/operator/internal/policy"
)

// This file decides what follows from what a customer says of themselves: that they are not to
// be written to, that they have paid, or, by how they write, that they are a machine.

// stopAsked is the outcome of a request not to be written to, "" for none, and the message of this lead that made
// it; nil for one that was made elsewhere. What the customer says here goes before the lead's spec.stop, and that
// before a Suppression, which has no reason.
func stopAsked(s *Snapshot) (asked *v1alpha1.Message, outcome string) {
	if asked := lastOptOut(s); asked != nil {
		return asked, v1alpha1.ReasonOptedOut
	}
	if asked := lastSaid(s, func(m Meaning) bool { return m.WrongNumber }); asked != nil {
		return asked, v1alpha1.ReasonWrongNumber
	}
	if stop := lead.Stopped(s.Lead); stop != nil {
		return saidAt(s.Lead, stop.At.Time), stopOutcome(stop.Reason)
	}
	if s.Suppressed {
		return nil, v1alpha1.ReasonOptedOut
	}
	return nil, ""
}

// lastOptOut is the customer's last message of this cycle that asks to be left alone, by itself or together with
// those just before it; nil for none.
func lastOptOut(s *Snapshot) *v1alpha1.Message {
	conversation := s.Lead.Status.Conversation
	for i := len(conversation) - 1; i >= 0; i-- {
		m := &conversation[i]
		if m.Cycle != s.Lead.Status.Cycle || m.Role != v1alpha1.RoleCustomer {
			continue
		}
		if s.means(m.Text).OptsOut || s.optOutTogether(lead.WrittenTogether(conversation, i, policy.MostTogether)) {
			return m
		}
	}
	return nil
}

// stopOutcome is the outcome of a lead whose customer asked not to be written to.
func stopOutcome(reason v1alpha1.StopReason) string {
	if reason == v1alpha1.StopWrongNumber {
		return v1alpha1.ReasonWrongNumber
	}
	return v1alpha1.ReasonOptedOut
}

// saidAt is the customer's message of this cycle with this time; nil for none. A stop request carries the time of
// the message that made it.
func saidAt(recovery *v1alpha1.CartRecovery, at time.Time) *v1alpha1.Message {
	for i := range recovery.Status.Conversation {
		m := &recovery.Status.Conversation[i]
		if m.Cycle == recovery.Status.Cycle && m.Role == v1alpha1.RoleCustomer && m.At.Equal(at) {
			return m
		}
	}
	return nil
}

// stopNotice is what the customer is told before a lead ends at their own request.
func stopNotice(s *Snapshot, asked *v1alpha1.Message, outcome string) Message {
	if outcome == v1alpha1.ReasonWrongNumber {
		return Message{
			ID: lead.WrongNumberID(s.Lead.Status.Cycle), ReplyTo: asked.ID,
			fixed: policy.WrongNumberApology(s.Policy.Locale), field: "the apology",
		}
	}
	return Message{
		ID: lead.OptOutID(s.Lead.Status.Cycle), ReplyTo: asked.ID,
		fixed: s.Policy.OptOutConfirmation, field: "recovery.optOutConfirmation",
	}
}

// noticeSender is the number that a notice leaves from: the conversation's. Before the first message of the store it
// is the one that the customer wrote to, or else any that can send.
func noticeSender(s *Snapshot) *v1alpha1.WhatsAppInstance {
	if from := lead.NumberOf(s.Lead); from != "" {
		return s.named(from)
	}
	if heard := s.named(lead.HeardOn(s.Lead)); heard != nil && connection.CanSend(heard, false, s.Now) {
		return heard
	}
	for _, each := range s.all() {
		if connection.CanSend(each, false, s.Now) {
			return each
		}
	}
	return nil
}

// waitForPlatform thanks a customer who says that they have paid, once, and sells them nothing more. It waits for
// the platform to confirm and, after recovery.claimsPaidAfter, gives the conversation to a person. Later messages
// of the customer are answered all the same; see answerCustomer.
func waitForPlatform(s *Snapshot) (Action, bool) {
	first, last := PaymentClaims(s)
	if first == nil {
		return Action{}, false
	}
	if planned, ok := thank(s, last); ok {
		return planned, true
	}
	if !s.Now.Before(claimEnds(s, first)) {
		return Action{Kind: HandOver, Outcome: v1alpha1.ReasonPaymentClaimed}, true
	}
	return waitsForPlatform(s, first), lead.LastInbound(s.Lead) == last
}

// keepWaitingForPlatform goes on waiting once the customer's messages after their claim are answered.
func keepWaitingForPlatform(s *Snapshot) (Action, bool) {
	first, _ := PaymentClaims(s)
	if first == nil {
		return Action{}, false
	}
	return waitsForPlatform(s, first), true
}

func waitsForPlatform(s *Snapshot, first *v1alpha1.Message) Action {
	return BlockedUntil(claimEnds(s, first), v1alpha1.ReasonClaimsPaid,
		"the customer says that they have paid; the platform's word is waited for, and then a person has the "+
			"conversation")
}

// claimEnds is until when the platform's confirmation is waited for.
func claimEnds(s *Snapshot, first *v1alpha1.Message) time.Time {
	return first.At.Add(s.Policy.ClaimsPaidAfter)
}

// thank says thanks for a payment, once a cycle.
func thank(s *Snapshot, claim *v1alpha1.Message) (Action, bool) {
	notice := Message{
		ID: lead.PaidID(s.Lead.Status.Cycle, claim.ID), ReplyTo: claim.ID,
		fixed: policy.PaymentThanks(s.Policy.Locale), field: "the thanks for a payment",
	}
	for i := range s.Lead.Status.Conversation {
		m := &s.Lead.Status.Conversation[i]
		if m.Cycle == s.Lead.Status.Cycle && lead.IsPaidID(m.ID) && lead.MayHaveGone(m) {
			return Action{}, false
		}
	}
	return notify(s, notice, lastWrote(claim, s.Now))
}

// PaymentClaims are the first and the last message in which the customer says that they have paid, since a person
// last wrote or gave the conversation back; nil for none. A claim that a person has seen is settled, and a
// customer who later says that they have not paid claims it no more.
func PaymentClaims(s *Snapshot) (first, last *v1alpha1.Message) {
	resumed := ResumedAt(s.Lead)
	for i := range s.Lead.Status.Conversation {
		m := &s.Lead.Status.Conversation[i]
		switch {
		case m.Cycle != s.Lead.Status.Cycle:
		case lead.ByPerson(m), m.Role == v1alpha1.RoleCustomer && s.means(m.Text).deniesPaid:
			first, last = nil, nil
		case m.Role == v1alpha1.RoleCustomer && m.At.After(resumed) && (s.means(m.Text).claimsPaid ||
			ledger.ClaimsPaid(s.Ledger, m)):
			if first == nil {
				first = m
			}
			last = m
		}
	}
	return first, last
}

const (
	// sameInARow is how often in a row, each time after a message of the store, a customer may write
	// the same before a machine is taken to answer for them, and shortInARow the same of a text
	// of less than sameWords words: people do answer "sim" twice.
	sameInARow, shortInARow, sameWords = 2, 4, 3
	// automaticInARow is the same for messages that look automatic, each by itself.
	automaticInARow = 2
)

// answeredByMachine says whether a machine seems to answer for the customer: their last messages look automatic,
// or repeat themselves. Any other message ends it, and so does a person of the store.
func answeredByMachine(s *Snapshot) bool {
	recovery := s.Lead
	var automatic, same int
	var text string
	var ours bool
	onlyAutomatic, onlySame := true, true
	for i := len(recovery.Status.Conversation) - 1; i >= 0 && (onlyAutomatic || onlySame); i-- {
		m := &recovery.Status.Conversation[i]
		switch {
		case m.Cycle != recovery.Status.Cycle:
		case lead.ByPerson(m):
			onlyAutomatic, onlySame = false, false
		case m.Role == v1alpha1.RoleAssistant:
			ours = ours || lead.MayHaveGone(m)
		case m.Role == v1alpha1.RoleCustomer:
			onlyAutomatic = onlyAutomatic && looksAutomatic(s, m)
			onlySame = onlySame && gist(m.Text) != "" && (same == 0 || ours && gist(m.Text) == text)
			if onlyAutomatic {
				automatic++
			}
			if onlySame {
				same, text = same+1, gist(m.Text)
			}
			ours = false
		}
	}
	most := sameInARow
	if len(strings.Fields(text)) < sameWords {
		most = shortInARow
	}
	return automatic >= automaticInARow || same >= most
}

// looksAutomatic says whether a machine seems to have written a customer's message.
func looksAutomatic(s *Snapshot, m *v1alpha1.Message) bool {
	return m.Automatic || s.means(m.Text).automatic
}

// gist is a text in lower case with single spaces: two texts of one gist say the same.
func gist(text string) string {
	return strings.ToLower(strings.Join(strings.Fields(text), " "))
}

// withNotice puts the policy's notice, who writes and how to stop, under the first message of a cycle where it
// fits. It is for texts of the AI; a fixed text says what the store wants said.
func withNotice(s *Snapshot, text string) string {
	if lead.Written(s.Lead) {
		return text
	}
	notice := NoticeOf(s)
	if utf8.RuneCountInString(text)+utf8.RuneCountInString(notice) > v1alpha1.MaxMessageLength {
		return text
	}
	return text + notice
}

// NoticeOf is the policy's notice, with the empty line before it; "" for none, or for one that cannot be rendered:
// then the Store or Product is not Ready and says why.
func NoticeOf(s *Snapshot) string {
	if s.Policy.FirstMessageNotice == "" || s.Store == nil {
		return ""
	}
	text, err := fixedText(*s, Message{fixed: s.Policy.FirstMessageNotice, field: "recovery.firstMessageNotice"})
	if err != nil {
		return ""
	}
	return "\n\n" + text
}
