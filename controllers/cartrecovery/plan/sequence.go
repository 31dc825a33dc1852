package plan

import (
	"strconv"
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/instant"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/pace"
)

// This file decides which message comes next: an answer, or a step of the sequence.

// answerCustomer answers the customer's last message, and with it all before it. A message that a person of the
// store has answered is not answered again.
func answerCustomer(s *Snapshot) (Action, bool) {
	inbound := lead.LastInbound(s.Lead)
	if inbound == nil || AnsweredByPerson(s.Lead) {
		return Action{}, false
	}
	answer := Message{
		ID:      lead.ReplyID(s.Lead.Status.Cycle, inbound.ID),
		ReplyTo: inbound.ID,
		Due:     lastWrote(inbound, s.Now).Add(s.Policy.ReplyDebounce),
		Class:   pace.Answer,
	}
	state, due := progress(s, answer)
	switch state {
	case stepDone:
		return Action{}, false
	case stepGivenUp:
		return Action{Kind: Finish, Outcome: v1alpha1.ReasonSendFailed}, true
	}
	answer.first, answer.Due = answer.Due, due
	return nextForMessage(s, answer, 0), true
}

// lastWrote is when the customer wrote a message, or last edited it.
func lastWrote(inbound *v1alpha1.Message, now time.Time) time.Time {
	if edited := inbound.EditedAt; edited != nil && !edited.After(now) {
		return instant.Later(inbound.At.Time, edited.Time)
	}
	return inbound.At.Time
}

// limitAnswers waits until one more answer stays within the policy's limits for an hour and a day. Two machines
// that answer each other would never end otherwise.
func limitAnswers(s *Snapshot, _ *candidate) (Action, bool) {
	times := lead.AnswerTimes(&s.Lead.Status, s.Now)
	hour := lead.RoomForAnswer(times, s.Policy.MaxAnswersPerHour, time.Hour, s.Now)
	day := lead.RoomForAnswer(times, s.Policy.MaxAnswersPerDay, 24*time.Hour, s.Now)
	free, within := hour, "an hour"
	if day.After(hour) {
		free, within = day, "a day"
	}
	why := "the customer, or a machine that answers for them, was answered too often within " + within
	return BlockedUntil(free, v1alpha1.ReasonTooManyAnswers, why), !free.IsZero()
}

// leaveMachine answers no machine that seems to write for the customer.
func leaveMachine(s *Snapshot, _ *candidate) (Action, bool) {
	return blocked(s, v1alpha1.ReasonAutomaticReplies,
		"a machine seems to answer for the customer; it is answered when something else comes in"), answeredByMachine(s)
}

// nextStep brings the next message of the sequence. The sequence ends when the customer answers.
func nextStep(s *Snapshot) (Action, bool) {
	if lead.LastInbound(s.Lead) != nil {
		return Action{}, false
	}
	if s.Lead.Spec.AbandonedAt == nil && s.Lead.Spec.Trigger == "" {
		// Only the end of a payment is known, that was not reported to be open.
		return Action{}, false
	}
	steps, ok := s.Policy.Steps(triggerOf(s))
	if !ok && paymentExpired(s) {
		return Action{}, false
	}
	if !ok {
		return blocked(s, v1alpha1.ReasonNoSequence, "the policy has no sequence for trigger "+
			string(s.Lead.Spec.Trigger)), true
	}
	done, base := stepsDone(s)
	// Somebody who has just heard from a person of the store is left in peace as long.
	base = instant.Later(base, lead.LastOperator(s.Lead))
	for i := done; i < len(steps) && i < s.Policy.MaxUnanswered; i++ {
		step := Message{
			ID:   lead.StepID(s.Lead.Status.Cycle, steps[i].Name),
			Step: &steps[i], fixed: steps[i].Text, field: "the text of step " + strconv.Quote(steps[i].Name),
			Due: base.Add(steps[i].After.Duration),
		}
		state, due := progress(s, step)
		switch state {
		case stepDone:
			continue
		case stepGivenUp:
			return Action{Kind: Finish, Outcome: v1alpha1.ReasonSendFailed}, true
		}
		step.first, step.Due, step.Class = step.Due, due, pace.FollowUp
		if opens(s) {
			step.Class = pace.First
		}
		return nextForMessage(s, step, PrepareAhead), true
	}
	return Action{}, false
}

// PlannedFor is the value of v1alpha1.AnnotationPlanned for a lead that a person made and that has no message yet;
// "" for none. The webhook server sets it on all others.
func PlannedFor(s *Snapshot) string {
	spec := &s.Lead.Spec
	if s.Store == nil || lead.Over(s.Lead) || HasBegun(s.Lead) || spec.AbandonedAt == nil || spec.Purchase != nil {
		return ""
	}
	steps, _ := s.Policy.Steps(spec.Trigger)
	if len(steps) == 0 {
		return ""
	}
	key := lead.PlanKey(s.Lead.Name, lead.StepID(s.Lead.Status.Cycle, steps[0].Name))
	step, due, _ := s.Policy.Planned(spec.Trigger, spec.AbandonedAt.Time, key)
	return due.UTC().Format(time.RFC3339) + " " + step
}

// stepsDone counts the steps of this cycle that went, or may have gone, and says when the last of them did. The
// sequence goes on by position: a step that is renamed, or put before them, must not write to everybody once more.
func stepsDone(s *Snapshot) (count int, last time.Time) {
	last = abandonedAt(s.Lead)
	for i := range s.Lead.Status.Conversation {
		m := &s.Lead.Status.Conversation[i]
		if m.Cycle != s.Lead.Status.Cycle || m.Step == "" || m.State == v1alpha1.MessageFailed {
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
func progress(s *Snapshot, wanted Message) (stepState, time.Time) {
	m := lead.Find(s.Lead.Status.Conversation, wanted.ID)
	switch {
	case m == nil:
		return stepOpen, wanted.Due
	case m.State != v1alpha1.MessageFailed:
		return stepDone, time.Time{}
	case m.Attempts >= maxAttempts:
		return stepGivenUp, time.Time{}
	case m.RetryAt != nil:
		return stepOpen, instant.Later(m.RetryAt.Time, wanted.Due)
	default:
		return stepOpen, wanted.Due
	}
}
