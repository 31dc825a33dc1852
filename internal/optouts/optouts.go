// Package optouts stores Suppressions: whoever makes one meets another that is there, that ends sooner, or that
// somebody is taking away at that moment.
package optouts

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
)

// ErrLifting: somebody is deleting the Suppression that is there. It is tried again until it is gone, because what is
// being deleted holds no longer than that.
var ErrLifting = errors.New("it is being deleted")

// Outcome is what became of a Suppression.
type Outcome int

const (
	// Unchanged: one that is there says as much.
	Unchanged Outcome = iota
	// Created: there was none.
	Created
	// Changed: one that was there has been changed.
	Changed
)

// Keep creates a Suppression or, where there is one of its name, changes that: change says whether there is something
// to change, or why it is none of the same customer. It is given what live reads, which must not be a cache, and asked
// again where somebody writes in between.
func Keep(ctx context.Context, writer client.Writer, live client.Reader, wanted *v1alpha1.Suppression,
	change func(*v1alpha1.Suppression) (bool, error)) (Outcome, error) {
	err := writer.Create(ctx, wanted.DeepCopy())
	if err == nil {
		return Created, nil
	}
	if !apierrors.IsAlreadyExists(err) {
		return Unchanged, fmt.Errorf("create Suppression %s: %w", wanted.Name, err)
	}
	outcome := Unchanged
	err = retry.RetryOnConflict(retry.DefaultRetry, func() error {
		stored := &v1alpha1.Suppression{}
		if err := live.Get(ctx, client.ObjectKeyFromObject(wanted), stored); err != nil {
			return fmt.Errorf("read Suppression %s: %w", wanted.Name, err)
		}
		if stored.DeletionTimestamp != nil {
			return fmt.Errorf("keep Suppression %s: %w", wanted.Name, ErrLifting)
		}
		next := stored.DeepCopy()
		changes, err := change(next)
		if err != nil || !changes {
			return err
		}
		patch := client.MergeFromWithOptions(stored, client.MergeFromWithOptimisticLock{})
		if err := writer.Patch(ctx, next, patch); err != nil {
			return fmt.Errorf("change Suppression %s: %w", wanted.Name, err)
		}
		outcome = Changed
		return nil
	})
	return outcome, err
}
