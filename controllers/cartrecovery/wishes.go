package cartrecovery

import (
	"time"

	apimeta "k8s.io/apimachinery/pkg/api/meta"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/connection"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/pace"
)

// This file decides what a customer's wish leads to: to be left alone, or to be answered
// by a person. Pure functions.

// endStopped ends a lead whose customer asked us to stop, who is not the customer, or whose
// number is suppressed. Who asked here gets one message that says so.
func endStopped(s *situation) (action, bool) {
	asked, outcome := stopAsked(s)
	if outcome == "" {
		return action{}, false
	}
	if asked != nil && !lead.HandedOff(s.lead) {
		if planned, ok := notify(s, stopNotice(s, asked, outcome), lastWrote(asked, s.now)); ok {
			return planned, true
		}
	}
	return action{kind: finish, outcome: outcome}, true
}

// lastSaid is the customer's last message of this cycle of which something holds, nil when
// there is none.
func lastSaid(s *situation, holds func(meaning) bool) *v1alpha1.Message {
	for i := len(s.lead.Status.Conversation) - 1; i >= 0; i-- {
		m := &s.lead.Status.Conversation[i]
		if m.Cycle == s.lead.Status.Cycle && m.Role == v1alpha1.RoleCustomer && holds(s.means(m.Text)) {
			return m
		}
	}
	return nil
}

// giveToPerson hands a conversation over whose customer asks for a person.
func giveToPerson(s *situation) (action, bool) {
	if apimeta.IsStatusConditionTrue(s.lead.Status.Conditions, v1alpha1.ConditionHandedOff) {
		return action{}, false
	}
	asked := asksForPerson(s)
	if asked == nil {
		return action{}, false
	}
	return handingOver(s, asked, 0), true
}

// handingOver gives the conversation to a person, after a message that says so where the
// policy has one. tokens is what it cost to find out that the customer wants one.
func handingOver(s *situation, asked *v1alpha1.Message, tokens int64) action {
	notice := message{
		id: lead.HandOffID(s.lead.Status.Cycle, asked.ID), replyTo: asked.ID,
		fixed: s.policy.HandOffText, field: "recovery.handOffText", tokens: tokens,
	}
	if planned, ok := notify(s, notice, lastWrote(asked, s.now)); ok {
		return planned
	}
	return action{kind: handOver}
}

// asksForPerson is the customer's message that asks for a person and was not answered since,
// by us or by one; nil when there is none.
func asksForPerson(s *situation) *v1alpha1.Message {
	resumed := resumedAt(s.lead)
	for i := len(s.lead.Status.Conversation) - 1; i >= 0; i-- {
		m := &s.lead.Status.Conversation[i]
		switch {
		case m.Cycle != s.lead.Status.Cycle, lead.ByPerson(m):
			return nil
		case m.Role == v1alpha1.RoleAssistant && m.State != v1alpha1.MessageFailed && !lead.IsHandOffID(m.ID):
			return nil
		case m.Role == v1alpha1.RoleCustomer && !m.At.After(resumed):
			return nil
		case m.Role == v1alpha1.RoleCustomer && (s.means(m.Text).asksForHuman || wasTold(s.lead, m)):
			return m
		}
	}
	return nil
}

// wasTold says whether we have begun to tell the customer, about this message, that a person
// will come: then one must. What the AI made of the message is in memory only.
func wasTold(recovery *v1alpha1.CartRecovery, asked *v1alpha1.Message) bool {
	return lead.Find(recovery.Status.Conversation, lead.HandOffID(asked.Cycle, asked.ID)) != nil
}

// resumedAt is when a person last gave the conversation back, or it went back by itself; zero
// when never.
func resumedAt(recovery *v1alpha1.CartRecovery) time.Time {
	condition := apimeta.FindStatusCondition(recovery.Status.Conditions, v1alpha1.ConditionHandedOff)
	if condition == nil || condition.Reason != v1alpha1.ReasonResumed && condition.Reason != v1alpha1.ReasonResumedByTime {
		return time.Time{}
	}
	return condition.LastTransitionTime.Time
}

// notify brings a message that only says what has been done, soon after the customer's
// wish or not at all; false when it went, or cannot go.
func notify(s *situation, notice message, asked time.Time) (action, bool) {
	notice.goneBy, notice.class = asked.Add(noticeWithin), pace.Answer
	silent := s.store == nil || s.store.Spec.Suspend || s.lead.Spec.Suspend || expired(s) || !asked.After(s.began.Held)
	if notice.fixed == "" || silent || !s.now.Before(notice.goneBy) {
		return action{}, false
	}
	notice.due = asked
	state, due := progress(s, notice)
	if until, quiet := s.policy.Quiet(latest(due, s.now)); quiet {
		due = latest(due, until)
	}
	notice.due, notice.instance = due, noticeSender(s)
	if state != stepOpen || !due.Before(notice.goneBy) || notice.instance == nil || !connection.CanSend(notice.instance, false, s.now) {
		return action{}, false
	}
	text, err := fixedText(*s, notice)
	if err != nil {
		return action{}, false
	}
	if s.now.Before(due) {
		return action{kind: wait, until: due, why: "the customer is told then"}, true
	}
	notice.text = text
	return action{kind: send, message: notice}, true
}
