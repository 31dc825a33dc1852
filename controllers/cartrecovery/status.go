package cartrecovery

import (
	"context"
	"fmt"
	"reflect"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/controllers/cartrecovery/plan"
	"cartrecovery.dev/operator/internal/budget"
)

// outcomeWriteTimeout bounds the write of an outcome, which happens even when the
// reconcile itself has run out of time or the manager is stopping.
const outcomeWriteTimeout = 10 * time.Second

// outcomeWrites is how often an outcome is written at most, because of conflicts. Nothing is waited for in between:
// the lead is read from the API server.
const outcomeWrites = 20

// write applies a change to a lead under an optimistic lock: it fails with a
// conflict when the lead has changed since it was read. With it goes what the lead's texts have
// cost since the last write. A change that changes nothing is not sent.
func (r *Reconciler) write(ctx context.Context, s plan.Snapshot, apply plan.Change) (*v1alpha1.CartRecovery, error) {
	next, name := s.Lead.DeepCopy(), client.ObjectKeyFromObject(s.Lead)
	if !apply(&next.Status) {
		return s.Lead, nil
	}
	tokens := r.drafts.Unbooked(name)
	next.Status.TokensUsed = budget.Sum(next.Status.TokensUsed, tokens)
	if reflect.DeepEqual(s.Lead.Status, next.Status) {
		return s.Lead, nil
	}
	s.UnbookedTokens = 0
	plan.Summarize(next, r.Clock.Now())
	plan.SetNext(s, next)
	patch := client.MergeFromWithOptions(s.Lead, client.MergeFromWithOptimisticLock{})
	if err := r.Client.Status().Patch(ctx, next, patch); err != nil {
		return nil, fmt.Errorf("write status of CartRecovery %s: %w", s.Lead.Name, err)
	}
	r.drafts.Book(name, tokens)
	return next, nil
}

// writeOutcome applies a change that must not be lost: a conflict is read again and tried
// again, and neither a timeout of the reconcile nor a stopping manager prevents it.
func (r *Reconciler) writeOutcome(ctx context.Context, s plan.Snapshot, apply plan.Change) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), outcomeWriteTimeout)
	defer cancel()
	tried := false
	return retry.RetryOnConflict(wait.Backoff{Steps: outcomeWrites}, func() error {
		if tried {
			fresh := &v1alpha1.CartRecovery{}
			if err := r.Live.Get(ctx, client.ObjectKeyFromObject(s.Lead), fresh); err != nil {
				return fmt.Errorf("read CartRecovery %s again: %w", s.Lead.Name, err)
			}
			s.Lead = fresh
		}
		tried = true
		_, err := r.write(ctx, s, apply)
		return err
	})
}
