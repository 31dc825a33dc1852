package webhookserver

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/backoff"
)

const (
	// maxTries is how often a write is tried that others keep getting ahead of.
	maxTries = 10
	// firstPause is the pause after the first such try; it doubles up to longestPause.
	firstPause   = 2 * time.Millisecond
	longestPause = 50 * time.Millisecond
)

var (
	// errBusy: others kept writing a lead.
	errBusy = errors.New("the lead was changed by others in every try")
	// errGone: a lead was deleted while it was written.
	errGone = errors.New("the lead was deleted meanwhile")
)

// patcher writes one half of a lead: its spec or its status.
type patcher func(ctx context.Context, recovery *v1alpha1.CartRecovery, patch client.Patch) error

func (s *Server) writeSpec(ctx context.Context, recovery *v1alpha1.CartRecovery, patch client.Patch) error {
	return s.Client.Patch(ctx, recovery, patch)
}

func (s *Server) writeStatus(ctx context.Context, recovery *v1alpha1.CartRecovery, patch client.Patch) error {
	return s.Client.Status().Patch(ctx, recovery, patch)
}

// patchLead changes a lead as it was last read, and reads it again whenever somebody else has written it since. change
// says whether there is anything to write. It returns the lead as it is stored, nil when it is gone, and whether it was
// written. It does not use client-go's RetryOnConflict, whose pauses go on after the delivery's context has ended, and
// have no jitter: many deliveries of one customer come at once.
func (s *Server) patchLead(
	ctx context.Context, read *v1alpha1.CartRecovery, write patcher, change func(*v1alpha1.CartRecovery) bool,
) (stored *v1alpha1.CartRecovery, changed bool, err error) {
	for try := range maxTries {
		wanted := read.DeepCopy()
		if !change(wanted) {
			return read, false, nil
		}
		err := write(ctx, wanted, client.MergeFromWithOptions(read, client.MergeFromWithOptimisticLock{}))
		switch {
		case err == nil:
			return wanted, true, nil
		case apierrors.IsNotFound(err):
			return nil, false, nil
		case !apierrors.IsConflict(err):
			return nil, false, err
		}
		if err := pause(ctx, try); err != nil {
			return nil, false, err
		}
		fresh := &v1alpha1.CartRecovery{}
		err = s.Live.Get(ctx, client.ObjectKeyFromObject(read), fresh)
		if apierrors.IsNotFound(err) {
			return nil, false, nil
		}
		if err != nil {
			return nil, false, fmt.Errorf("read a lead: %w", err)
		}
		read = fresh
	}
	return nil, false, errBusy
}

// pause waits a little, with jitter, after a try that someone else got ahead of.
func pause(ctx context.Context, try int) error {
	longest := backoff.Doubled(firstPause, longestPause, try+1)
	timer := time.NewTimer(backoff.Beyond(longest/2, 1, rand.Float64))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
