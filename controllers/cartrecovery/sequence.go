package cartrecovery

import (
	"strconv"
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/pace"
)

// This file decides which message comes next: an answer, or a step of the sequence. Pure
// functions.

// answerCustomer answers the customer's last message, and with it all before it. What a
// person of the store has answered is not answered again.
func answerCustomer(s *situation) (action, bool) {
	inbound := lead.LastInbound(s.lead)
	if inbound == nil || answeredByPerson(s.lead) {
		return action{}, false
	}
	answer := message{
		id:      lead.ReplyID(s.lead.Status.Cycle, inbound.ID),
		replyTo: inbound.ID,
		due:     lastWrote(inbound, s.now).Add(s.policy.ReplyDebounce),
		class:   pace.Answer,
	}
	state, due := progress(s, answer)
	switch state {
	case stepDone:
		return action{}, false
	case stepGivenUp:
		return action{kind: finish, outcome: v1alpha1.ReasonSendFailed}, true
	}
	if wait, full := tooManyAnswers(s); full {
		return wait, true
	}
	if answeredByMachine(s) {
		return blocked(s, v1alpha1.ReasonAutomaticReplies, "a machine seems to answer for the customer; it is answered when something else comes in"), true
	}
	answer.due = due
	return bring(s, answer, 0), true
}

// lastWrote is when the customer wrote a message, or last changed it.
func lastWrote(inbound *v1alpha1.Message, now time.Time) time.Time {
	if edited := inbound.EditedAt; edited != nil && !edited.After(now) {
		return latest(inbound.At.Time, edited.Time)
	}
	return inbound.At.Time
}

// tooManyAnswers waits until one more answer keeps within what the policy allows an hour and a
// day. Two machines that answer each other would never end otherwise.
func tooManyAnswers(s *situation) (action, bool) {
	times := lead.AnswerTimes(&s.lead.Status, s.now)
	hour := lead.RoomForAnswer(times, s.policy.MaxAnswersPerHour, time.Hour, s.now)
	day := lead.RoomForAnswer(times, s.policy.MaxAnswersPerDay, 24*time.Hour, s.now)
	free, within := hour, "an hour"
	if day.After(hour) {
		free, within = day, "a day"
	}
	why := "the customer, or a machine that answers for them, was answered too often within " + within
	return blockedUntil(free, v1alpha1.ReasonTooManyReplies, why), !free.IsZero()
}

// nextStep brings the sequence's next message; the sequence ends when the customer
// answers.
func nextStep(s *situation) (action, bool) {
	if lead.LastInbound(s.lead) != nil {
		return action{}, false
	}
	if s.lead.Spec.AbandonedAt == nil && s.lead.Spec.Trigger == "" {
		// Only the end of a payment is known, that was not reported to be open.
		return action{}, false
	}
	steps, ok := s.policy.Steps(triggerOf(s))
	if !ok && paymentExpired(s) {
		return action{}, false
	}
	if !ok {
		return blocked(s, v1alpha1.ReasonNoSequence, "the policy has no sequence for trigger "+string(s.lead.Spec.Trigger)), true
	}
	done, base := stepsDone(s)
	// Somebody who has just heard from a person of the store is left in peace as long.
	base = latest(base, lead.LastOperator(s.lead))
	for i := done; i < len(steps) && i < s.policy.MaxUnanswered; i++ {
		step := message{
			id:   lead.StepID(s.lead.Status.Cycle, steps[i].Name),
			step: &steps[i], fixed: steps[i].Text, field: "the text of step " + strconv.Quote(steps[i].Name),
			due: base.Add(steps[i].After.Duration),
		}
		state, due := progress(s, step)
		switch state {
		case stepDone:
			continue
		case stepGivenUp:
			return action{kind: finish, outcome: v1alpha1.ReasonSendFailed}, true
		}
		step.due, step.class = due, pace.FollowUp
		if opens(s) {
			step.class = pace.First
		}
		return bring(s, step, prepareAhead), true
	}
	return action{}, false
}

// plannedFor is what v1alpha1.AnnotationPlanned says of a lead that a person made and that nobody
// was written to yet; "" for nothing. On others the webhook server says it.
func plannedFor(s *situation) string {
	spec := &s.lead.Spec
	if s.store == nil || lead.Over(s.lead) || hasBegun(s.lead) || spec.AbandonedAt == nil || spec.Purchase != nil {
		return ""
	}
	steps, _ := s.policy.Steps(spec.Trigger)
	if len(steps) == 0 {
		return ""
	}
	key := lead.PlanKey(s.lead.Name, lead.StepID(s.lead.Status.Cycle, steps[0].Name))
	step, due, _ := s.policy.Planned(spec.Trigger, spec.AbandonedAt.Time, key)
	return due.UTC().Format(time.RFC3339) + " " + step
}

// stepsDone counts the steps of this cycle that went, or may have gone, and says when the
// last of them did. The sequence goes on by place: a step that is renamed, or put before
// them, must not write to everybody once more.
func stepsDone(s *situation) (count int, last time.Time) {
	last = abandonedAt(s.lead)
	for i := range s.lead.Status.Conversation {
		m := &s.lead.Status.Conversation[i]
		if m.Cycle != s.lead.Status.Cycle || m.Role != v1alpha1.RoleAssistant || m.Step == "" || m.State == v1alpha1.MessageFailed {
			continue
		}
		count, last = count+1, m.At.Time
		if m.SentAt != nil {
			last = m.SentAt.Time
		}
	}
	return count, last
}

func abandonedAt(recovery *v1alpha1.CartRecovery) time.Time {
	if recovery.Spec.AbandonedAt != nil {
		return recovery.Spec.AbandonedAt.Time
	}
	return recovery.CreationTimestamp.Time
}

type stepState int

const (
	stepOpen stepState = iota
	stepDone
	stepGivenUp
)

// progress says how far a message is, and when its next attempt is due.
func progress(s *situation, wanted message) (stepState, time.Time) {
	m := lead.Find(s.lead.Status.Conversation, wanted.id)
	switch {
	case m == nil:
		return stepOpen, wanted.due
	case m.State != v1alpha1.MessageFailed:
		return stepDone, time.Time{}
	case m.Attempts >= maxAttempts:
		return stepGivenUp, time.Time{}
	case m.RetryAt != nil:
		return stepOpen, latest(m.RetryAt.Time, wanted.due)
	default:
		return stepOpen, wanted.due
	}
}
