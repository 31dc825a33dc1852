package plan

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/clip"
	"cartrecovery.dev/operator/internal/instant"
	"cartrecovery.dev/operator/internal/lead"
)

// This file says in the status what comes next. It costs no write of its own: it goes with
// every write that there is for another reason.

// maxReason is the length, in characters, that the schema allows for a reason.
const maxReason = 512

// SetNext writes what is planned for the lead, as it is after a change, into its status.
func SetNext(s Snapshot, next *v1alpha1.CartRecovery) {
	s.Lead = next
	planned := Next(s)
	if s.Decided != nil {
		planned = *s.Decided
	}
	next.Status.NextAction = nextOf(&s, planned)
	next.Status.NextActionTime = next.Status.NextAction.Time
}

// nextOf is an action as people read it.
func nextOf(s *Snapshot, planned Action) *v1alpha1.NextAction {
	next := &v1alpha1.NextAction{Action: string(planned.Kind), MessageID: planned.Message.ID,
		Message: clip.Characters(planned.Why, maxReason)}
	switch {
	case !planned.Until.IsZero() && !planned.Writing &&
		!blockedReasons[planned.Blocked].isTimeless:
		next.Time = WholeSecond(planned.Until)
	case planned.Kind != Wait:
		next.Time = WholeSecond(s.Now)
	}
	unhindered := planned.Blocked == "" || planned.Blocked == v1alpha1.ReasonQuietHours
	if planned.Kind == Wait && unhindered && planned.Message.ID != "" && planned.Message.Due.After(s.Now) {
		// That a text is written ahead is of no interest to people; when the message goes is.
		next.Action = waitedFor(planned.Message.ID)
		next.Time = WholeSecond(instant.Later(planned.Message.Due, planned.Until))
	}
	if next.Message == "" {
		next.Message = planned.Outcome
	}
	return next
}

const (
	// lateLook is how much later than the shown time a lead may be looked at.
	lateLook = 10 * time.Second
	// unblockedLook is the same for a message that nothing stands in the way of: within it its turn comes, or the
	// lead is shown as Paced.
	unblockedLook = pacedAfter
	// soonShown is how long ahead a shown time is brought up to date. Every message moves the end of a lead, and
	// that must not cost a write.
	soonShown = 2 * PrepareAhead
)

// LookAgain is when a waiting lead is looked at again: at the end of its wait, or earlier, when the time that its
// status shows has come.
func LookAgain(status *v1alpha1.CartRecoveryStatus, planned Action, now time.Time) time.Time {
	shown := status.NextActionTime
	if shown == nil || status.CompletionTime != nil || !shown.After(now) {
		return planned.Until
	}
	return instant.Earlier(planned.Until, shown.Time)
}

// overdue says whether the time that the status shows has passed, or soon will have, while the lead waits longer;
// then it is written again. Waiting for a text that is being written does not count.
func overdue(status *v1alpha1.CartRecoveryStatus, planned Action, now time.Time) bool {
	shown := status.NextActionTime
	if shown == nil || status.CompletionTime != nil || planned.Writing || shown.Sub(now) > soonShown {
		return false
	}
	allowed := lateLook
	if planned.Blocked == "" && !planned.HandedOff {
		allowed = unblockedLook
	}
	if planned.Until.IsZero() {
		return now.Sub(shown.Time) > allowed
	}
	return planned.Until.Sub(shown.Time) > allowed
}

// waitedFor is the action that a wait for a message is shown as.
func waitedFor(id string) string {
	if lead.IsReplyID(id) {
		return "Reply"
	}
	return string(Send)
}

// WholeSecond is a time in the resolution of conditions and other fields of whole seconds.
func WholeSecond(at time.Time) *metav1.Time {
	return &metav1.Time{Time: at.UTC().Truncate(time.Second)}
}
