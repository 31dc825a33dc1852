package webhookserver

import (
	"reflect"
	"slices"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/lead"
)

// writeResult is what became of a lead that an event was written to.
type writeResult struct {
	// lead as it is stored; nil when it is gone.
	lead *v1alpha1.CartRecovery
	// created says that the event made the lead, changed that it was written, and hasNews that the event told it
	// something new.
	created, changed, hasNews bool
	// wasOpen says that the lead was worked on until then.
	wasOpen bool
}

// writeResults collects what became of the leads that an event was written to.
type writeResults struct {
	// The names of leads that were worked on until then, of others that changed, of new ones, and of those that the
	// event told nothing new.
	stopped, recorded, created, known []string
	// inFlight says that a message to one of them was being sent when it was read or written.
	inFlight bool
}

// add records what became of a lead.
func (r *writeResults) add(done writeResult) {
	name := done.lead.Name
	if done.created {
		r.created = append(r.created, name)
		return
	}
	r.inFlight = r.inFlight || lead.Claimed(done.lead) != nil
	switch {
	case !done.hasNews:
		r.known = append(r.known, name)
	case done.wasOpen:
		r.stopped = append(r.stopped, name)
	default:
		r.recorded = append(r.recorded, name)
	}
}

// ofPurchase is the answer to a purchase.
func (r *writeResults) ofPurchase() outcome {
	done := r.outcome()
	done.InFlight = &r.inFlight
	switch {
	case len(r.stopped) > 0:
		done.Result = resultStopped
	case len(r.recorded)+len(r.created) > 0:
		done.Result = resultRecorded
	}
	return done
}

// ofReversal is the answer to a refund or chargeback.
func (r *writeResults) ofReversal() outcome {
	done := r.outcome()
	switch {
	case len(r.stopped)+len(r.recorded) > 0:
		done.Result = resultReversed
	case len(r.created) > 0:
		done.Result = resultRecorded
	}
	return done
}

// ofEnd is the answer to the end of an open payment.
func (r *writeResults) ofEnd() outcome {
	done := r.outcome()
	if len(r.stopped)+len(r.recorded)+len(r.created) > 0 {
		done.Result = resultRecorded
	}
	return done
}

// outcome names all leads, as unchanged.
func (r *writeResults) outcome() outcome {
	return outcome{Result: resultUnchanged, Leads: slices.Concat(r.stopped, r.recorded, r.created, r.known)}
}

// applyChange changes a lead. It says whether the lead changed, and whether its spec has news: a time that only the
// annotations keep (see internal/lead) is written, and is no news.
func applyChange(
	recovery *v1alpha1.CartRecovery, change func(*v1alpha1.CartRecovery) bool,
) (changed, hasNews bool) {
	before := recovery.DeepCopy()
	changed = change(recovery)
	return changed, changed && !reflect.DeepEqual(before.Spec, recovery.Spec)
}
