package lead

import (
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
)

// This file tells the cycles of a lead apart. A customer who leaves the checkout again,
// long after the lead has ended, re-opens it: the webhook server writes the new start and
// v1alpha1.AnnotationPreviousCompleted, and the controller then begins the cycle by counting
// status.cycle up and removing status.completionTime. Between the two the lead is Reopened.

// PreviousCompleted is when the cycle before the current one, or before the one that was
// asked for, was finished; zero when there was none.
func PreviousCompleted(recovery *v1alpha1.CartRecovery) time.Time {
	return annotated(recovery, v1alpha1.AnnotationPreviousCompleted)
}

// BelongsToCycle says whether what happened at a time belongs to the current cycle, or to the
// one that was asked for, and not to one before it.
func BelongsToCycle(recovery *v1alpha1.CartRecovery, at time.Time) bool {
	return at.After(PreviousCompleted(recovery))
}

// CycleAsked says whether a next cycle was asked for that the controller has not begun, of
// a lead that is finished; what became of the lead since does not matter.
func CycleAsked(recovery *v1alpha1.CartRecovery) bool {
	return Finished(recovery) && !PreviousCompleted(recovery).Before(recovery.Status.CompletionTime.Time)
}

// Unsold says whether neither a purchase nor a reversal of the lead is known.
func Unsold(recovery *v1alpha1.CartRecovery) bool {
	return recovery.Spec.Purchase == nil && recovery.Spec.Reversal == nil
}

// Reopened says whether the controller is to begin the next cycle of the lead: it is
// finished and unsold, and a new cycle was asked for.
func Reopened(recovery *v1alpha1.CartRecovery) bool {
	return Unsold(recovery) && CycleAsked(recovery)
}

// Over says whether the lead has its outcome and is not Reopened: nothing is going to be
// sent for it.
func Over(recovery *v1alpha1.CartRecovery) bool {
	return Finished(recovery) && !Reopened(recovery)
}

// EndedCycle is the last cycle of a lead that is over, as opposed to the one that is worked
// on or was asked for: when it was finished, and when the customer was first written to in
// it, as FirstContact counts. Zero times when there was none.
func EndedCycle(recovery *v1alpha1.CartRecovery) (completed, contact time.Time) {
	cycle := recovery.Status.Cycle
	switch {
	case Finished(recovery) && !CycleAsked(recovery):
		completed = recovery.Status.CompletionTime.Time
	case Finished(recovery):
		completed = PreviousCompleted(recovery)
	default:
		completed, cycle = PreviousCompleted(recovery), cycle-1
	}
	if completed.IsZero() {
		return time.Time{}, time.Time{}
	}
	ended := v1alpha1.CartRecovery{Status: v1alpha1.CartRecoveryStatus{Cycle: cycle,
		Conversation: recovery.Status.Conversation}}
	return completed, FirstContact(&ended)
}
