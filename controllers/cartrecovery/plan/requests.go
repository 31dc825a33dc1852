package plan

import (
	"time"

	apimeta "k8s.io/apimachinery/pkg/api/meta"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/pace"
)

// This file decides what a customer's wish leads to: to be left alone, or to be answered
// by a person.

// endStopped ends a lead whose customer asked to stop, who is not the customer, or whose number is suppressed. A
// customer who asked in this lead gets one message that says so.
func endStopped(s *Snapshot) (Action, bool) {
	asked, outcome := stopAsked(s)
	if outcome == "" {
		return Action{}, false
	}
	if asked != nil && !lead.HandedOff(s.Lead) {
		if planned, ok := notify(s, stopNotice(s, asked, outcome), lastWrote(asked, s.Now)); ok {
			return planned, true
		}
	}
	return Action{Kind: Finish, Outcome: outcome}, true
}

// lastSaid is the customer's last message of this cycle with a certain meaning; nil for none.
func lastSaid(s *Snapshot, holds func(Meaning) bool) *v1alpha1.Message {
	for i := len(s.Lead.Status.Conversation) - 1; i >= 0; i-- {
		m := &s.Lead.Status.Conversation[i]
		if m.Cycle == s.Lead.Status.Cycle && m.Role == v1alpha1.RoleCustomer && holds(s.means(m.Text)) {
			return m
		}
	}
	return nil
}

// giveToPerson hands over a conversation whose customer asks for a person.
func giveToPerson(s *Snapshot) (Action, bool) {
	if apimeta.IsStatusConditionTrue(s.Lead.Status.Conditions, v1alpha1.ConditionHandedOff) {
		return Action{}, false
	}
	asked := asksForPerson(s)
	if asked == nil {
		return Action{}, false
	}
	return handingOver(s, asked, 0), true
}

// handingOver gives the conversation to a person, after a message that says so where the policy has one. tokens is
// what it cost to find out that the customer wants a person.
func handingOver(s *Snapshot, asked *v1alpha1.Message, tokens int64) Action {
	notice := Message{
		ID: lead.HandOffID(s.Lead.Status.Cycle, asked.ID), ReplyTo: asked.ID,
		fixed: s.Policy.HandOffText, field: "recovery.handOffText", Tokens: tokens,
	}
	if planned, ok := notify(s, notice, lastWrote(asked, s.Now)); ok {
		return planned
	}
	return Action{Kind: HandOver}
}

// asksForPerson is the customer's message that asks for a person and that nobody, neither the AI nor a person, has
// answered since; nil for none.
func asksForPerson(s *Snapshot) *v1alpha1.Message {
	resumed := ResumedAt(s.Lead)
	for i := len(s.Lead.Status.Conversation) - 1; i >= 0; i-- {
		m := &s.Lead.Status.Conversation[i]
		switch {
		case m.Cycle != s.Lead.Status.Cycle, lead.ByPerson(m):
			return nil
		case m.Role == v1alpha1.RoleAssistant && m.State != v1alpha1.MessageFailed && !lead.IsHandOffID(m.ID):
			return nil
		case m.Role == v1alpha1.RoleCustomer && !m.At.After(resumed):
			return nil
		case m.Role == v1alpha1.RoleCustomer && (s.means(m.Text).asksForHuman || wasTold(s.Lead, m)):
			return m
		}
	}
	return nil
}

// wasTold says whether a message that a person will come has been begun about this message: then one must come.
// What the AI made of the message is kept in memory only.
func wasTold(recovery *v1alpha1.CartRecovery, asked *v1alpha1.Message) bool {
	return lead.Find(recovery.Status.Conversation, lead.HandOffID(asked.Cycle, asked.ID)) != nil
}

// ResumedAt is when a person last gave the conversation back, or it went back by itself; zero
// when never.
func ResumedAt(recovery *v1alpha1.CartRecovery) time.Time {
	condition := apimeta.FindStatusCondition(recovery.Status.Conditions, v1alpha1.ConditionHandedOff)
	if condition == nil || condition.Reason != v1alpha1.ReasonResumed &&
		condition.Reason != v1alpha1.ReasonResumedByTime {
		return time.Time{}
	}
	return condition.LastTransitionTime.Time
}

// notify brings a message that only says what has been done: soon after the customer's request, or not at all. It is
// false for a notice that went, or that cannot go in time.
func notify(s *Snapshot, notice Message, asked time.Time) (Action, bool) {
	silent := s.Store == nil || s.Store.Spec.Suspend || s.Lead.Spec.Suspend || expired(s) || !asked.After(s.Began.Held)
	notice.goneBy, notice.Class, notice.Due = asked.Add(noticeWithin), pace.Answer, asked
	if notice.fixed == "" || silent || !s.Now.Before(notice.goneBy) {
		return Action{}, false
	}
	state, due := progress(s, notice)
	if state != stepOpen {
		return Action{}, false
	}
	notice.Due = due
	planned := nextForMessage(s, notice, 0)
	waits := planned.Gate == "QuietHours" || planned.Gate == "DueTime"
	if !planned.Message.Due.Before(notice.goneBy) {
		return Action{}, false
	}
	return planned, waits || planned.Kind == Send
}
