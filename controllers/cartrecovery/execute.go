package cartrecovery

import (
	"context"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	ctrl "sigs.k8s.io/controller-runtime"

	"cartrecovery.dev/operator/controllers/cartrecovery/plan"
)

// conflictRetry is how soon a lead is planned again after a write that failed because the
// lead had changed; the change itself usually comes in before.
const conflictRetry = 100 * time.Millisecond

// act carries out one action.
func (r *Reconciler) act(ctx context.Context, s plan.Snapshot, planned plan.Action) (ctrl.Result, error) {
	if result, done, err := r.actOnNumber(ctx, s, planned); done {
		return result, err
	}
	switch planned.Kind {
	case plan.Rebuild:
		return r.rebuild(ctx, s)
	case plan.Prepare:
		return r.prepare(ctx, s, planned.Message)
	case plan.HandOver:
		return r.handOver(ctx, s, planned.Outcome)
	case plan.Stop:
		return r.stop(ctx, s, *planned.Stop)
	case plan.Settle:
		return r.settle(ctx, s, planned.Message)
	case plan.Resume:
		return r.resume(ctx, s, planned.Outcome)
	case plan.ReopenForAnswer:
		return r.reopenForAnswer(ctx, s)
	case plan.Reopen:
		return r.reopen(ctx, s)
	case plan.Finish:
		return r.finish(ctx, s, planned.Outcome)
	case plan.Remove:
		return r.remove(ctx, s.Lead)
	case plan.Label:
		return r.label(ctx, s)
	default:
		return r.wait(ctx, s, planned)
	}
}

func (r *Reconciler) wait(ctx context.Context, s plan.Snapshot, planned plan.Action) (ctrl.Result, error) {
	if planned.Blocked != "" {
		r.notifyBlocked(s.Lead, planned)
	}
	if planned.HandedOff {
		r.notifyHandedOff(s.Lead, s.Now)
	}
	s.Decided = &planned
	written, err := r.write(ctx, s, plan.Waiting(planned, s.Now))
	if err != nil {
		return afterConflict(err)
	}
	return r.until(plan.LookAgain(&written.Status, planned, s.Now)), nil
}

// longestRest bounds how long a lead is not looked at: nothing tells of a policy that lets it
// be deleted earlier.
const longestRest = 24 * time.Hour

// until asks to be called again at a time; zero asks for nothing. The priority is always
// the normal one: the low one of a restart's first listing must not stay with a lead that
// waits.
func (r *Reconciler) until(at time.Time) ctrl.Result {
	normal := 0
	if at.IsZero() {
		return ctrl.Result{Priority: &normal}
	}
	return ctrl.Result{RequeueAfter: min(max(at.Sub(r.Clock.Now()), time.Millisecond), longestRest), Priority: &normal}
}

// soon asks to be called again at once, where nothing was written that would come back as
// a change.
func (r *Reconciler) soon() ctrl.Result {
	return r.until(r.Clock.Now())
}

// afterConflict plans again from what the lead has become; anything else is an error.
func afterConflict(err error) (ctrl.Result, error) {
	if apierrors.IsConflict(err) {
		normal := 0
		return ctrl.Result{RequeueAfter: conflictRetry, Priority: &normal}, nil
	}
	if apierrors.IsNotFound(err) {
		return ctrl.Result{}, nil
	}
	return ctrl.Result{}, err
}
