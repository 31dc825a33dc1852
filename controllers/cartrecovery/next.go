package cartrecovery

import (
	"time"
	"unicode/utf8"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/lead"
)

// This file says in the status what comes next. It costs no write of its own: it goes with
// every write that there is for another reason. Pure functions.

// maxReason is what the schema takes of a reason, in runes.
const maxReason = 512

// withNext writes into the status what is planned for the lead as it is after a change.
func withNext(s situation, next *v1alpha1.CartRecovery) {
	s.lead = next
	planned := plan(s)
	if s.decided != nil {
		planned = *s.decided
	}
	next.Status.NextAction = nextOf(&s, planned)
	next.Status.NextActionTime = next.Status.NextAction.Time
}

// nextOf is an action as people read it.
func nextOf(s *situation, planned action) *v1alpha1.NextAction {
	next := &v1alpha1.NextAction{Action: string(planned.kind), Message: planned.message.id, Reason: bounded(planned.why, maxReason)}
	switch {
	case planned.kind == wait && !planned.until.IsZero() && !planned.writing && !movesOn(planned.blocked):
		next.Time = whole(planned.until)
	case planned.kind != wait:
		next.Time = whole(s.now)
	}
	unhindered := planned.blocked == "" || planned.blocked == v1alpha1.ReasonQuietHours
	if planned.kind == wait && unhindered && planned.message.id != "" && planned.message.due.After(s.now) {
		// That a text is written ahead is of no interest to people; when the message goes is.
		next.Action, next.Time = waitedFor(planned.message.id), whole(latest(planned.message.due, planned.until))
	}
	if next.Reason == "" {
		next.Reason = planned.outcome
	}
	return next
}

// movesOn says whether the time of a wait for this reason is only when it is looked at again: what
// stands in the way tells no time, and writing each look would cost a write a minute and lead.
func movesOn(reason string) bool {
	switch reason {
	case v1alpha1.ReasonAIUnavailable, v1alpha1.ReasonAIRefused, v1alpha1.ReasonInternalError,
		v1alpha1.ReasonGatewayUnavailable, v1alpha1.ReasonNoCredentials, v1alpha1.ReasonSecretNotAllowed,
		v1alpha1.ReasonEndpointNotAllowed, v1alpha1.ReasonPaced, v1alpha1.ReasonRestoredFromBackup:
		return true
	default:
		return false
	}
}

const (
	// lateLook is how much later than the time that is shown a lead may be looked at.
	lateLook = 10 * time.Second
	// unblockedLook is the same for a message that nothing stands in the way of: within it its turn
	// comes, or the lead is Paced.
	unblockedLook = pacedAfter
	// soonShown is how long ahead a time that is shown is brought up to date: every message moves
	// the end of a lead, and that must not cost a write.
	soonShown = 2 * prepareAhead
)

// lookAgain is when a lead that waits is looked at again: when the wait is over, and before, when
// the time that it shows has come.
func lookAgain(status *v1alpha1.CartRecoveryStatus, planned action, now time.Time) time.Time {
	shown := status.NextActionTime
	if shown == nil || status.CompletionTime != nil || !shown.After(now) || planned.until.IsZero() {
		return planned.until
	}
	return earliest(planned.until, shown.Time)
}

// overdue says whether the time that the status shows has passed, or soon will have, while the
// lead waits longer: then it is written anew. A text that is being written is no wait.
func overdue(status *v1alpha1.CartRecoveryStatus, planned action, now time.Time) bool {
	shown := status.NextActionTime
	if shown == nil || status.CompletionTime != nil || planned.kind != wait || planned.writing || shown.Sub(now) > soonShown {
		return false
	}
	allowed := lateLook
	if planned.blocked == "" && !planned.handedOff {
		allowed = unblockedLook
	}
	if planned.until.IsZero() {
		return now.Sub(shown.Time) > allowed
	}
	return planned.until.Sub(shown.Time) > allowed
}

// waitedFor is what a wait for a message is a wait for.
func waitedFor(id string) string {
	if lead.IsReplyID(id) {
		return "Reply"
	}
	return string(send)
}

func whole(at time.Time) *metav1.Time {
	return &metav1.Time{Time: at.UTC().Truncate(time.Second)}
}

// bounded cuts a text to its first characters.
func bounded(text string, most int) string {
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return string([]rune(text)[:most])
}
