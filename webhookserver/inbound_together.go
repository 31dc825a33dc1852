package webhookserver

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/shares"
)

// This file joins what comes in for one lead in quick succession into few writes. The first of
// the requests writes for all that wait behind it, in the order in which they came, and each is
// answered only once its own message is stored: see
// docs/decisions/0072-a-flood-is-written-together.md.

const (
	// togetherPace is the least time between two such writes of a lead. The first of a flood waits
	// for nothing, and a request that stops everything never does.
	togetherPace = 250 * time.Millisecond
	// togetherShare is the least time between two such writes of a namespace, whatever leads they are of: written
	// one after the other they are its share, written in step they would be everybody's wait. togetherMost is the
	// longest that a request waits for it, well before who waits for an answer thinks that it will not come. A
	// lead that was not written for so long is not part of a flood.
	togetherShare = 200 * time.Millisecond
	togetherMost  = 4 * time.Second
	// togetherTimeout bounds one write that others wait for.
	togetherTimeout = 10 * time.Second
	// idleTogether is how many leads are remembered before those are looked for that are quiet.
	idleTogether = 1024
)

// errUnfinished is what the others get where the request that wrote for them did not get through.
var errUnfinished = errors.New("the request that wrote for this one was broken off")

// leadChange is what a request changes in a lead; false when there is nothing to change.
type leadChange func(*v1alpha1.CartRecovery) bool

// joiner joins the writes of requests that concern one lead.
type joiner struct {
	pace  time.Duration
	now   func() time.Time
	after func(time.Duration) <-chan time.Time
	// write writes a change to a lead, as Server.patchLead does.
	write func(context.Context, *v1alpha1.CartRecovery, leadChange) (*v1alpha1.CartRecovery, bool, error)

	mu    sync.Mutex
	leads map[types.NamespacedName]*crowd
	// next is when a flood of a namespace may be written again.
	next map[string]time.Time
	// sweepAt is with how many leads those are looked for that are quiet.
	sweepAt int
}

// crowd is the requests that wait to be written to one lead.
type crowd struct {
	namespace string
	waiting   []*member
	// led says that one of the requests is writing, or waits for the time to.
	led bool
	// wrote is when the last write ended, at when the request that leads may write.
	wrote, at time.Time
	// hurry has an element when something came in that must not wait.
	hurry chan struct{}
}

// member is one request of a crowd.
type member struct {
	read   *v1alpha1.CartRecovery
	change leadChange
	urgent bool
	// leads is closed when the request is to write for all, done when it was written.
	leads, done chan struct{}

	stored  *v1alpha1.CartRecovery
	changed bool
	err     error
}

func newJoiner(
	write func(context.Context, *v1alpha1.CartRecovery, leadChange) (*v1alpha1.CartRecovery, bool, error),
) *joiner {
	return &joiner{
		pace: togetherPace, now: time.Now, after: time.After, write: write,
		leads: map[types.NamespacedName]*crowd{}, next: map[string]time.Time{},
	}
}

// do changes a lead together with what other requests change in it, and returns once that is
// stored: the lead, nil when it is gone, and whether this change was one. urgent is asked only
// where there is something to wait for.
func (j *joiner) do(
	ctx context.Context, read *v1alpha1.CartRecovery, urgent func() bool, change leadChange,
) (stored *v1alpha1.CartRecovery, changed bool, err error) {
	name := client.ObjectKeyFromObject(read)
	mine := &member{read: read, change: change, leads: make(chan struct{}), done: make(chan struct{})}
	if waits := j.enter(name, mine); waits && urgent() {
		j.hurry(name, mine)
	}
	select {
	case <-mine.done:
	case <-mine.leads:
		j.lead(ctx, name, mine)
	case <-ctx.Done():
		j.leave(ctx, name, mine)
	}
	return mine.stored, mine.changed, mine.err
}

// enter has a request join its lead's crowd, and says whether it has to wait for anything.
func (j *joiner) enter(name types.NamespacedName, mine *member) (waits bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	found := j.leads[name]
	if found == nil {
		j.sweep()
		found = &crowd{namespace: name.Namespace, hurry: make(chan struct{}, 1)}
		j.leads[name] = found
	}
	found.waiting = append(found.waiting, mine)
	if found.led {
		return true
	}
	found.led = true
	close(mine.leads)
	return j.reserve(found) > 0
}

// reserve sets when a lead is written next, and returns how long that is from now. It is set once for each write,
// so that nobody waits who was told that there is nothing to wait for, nor for those who left. The caller holds
// the lock.
func (j *joiner) reserve(found *crowd) time.Duration {
	now := j.now()
	found.at = now
	if now.Sub(found.wrote) >= togetherMost || isUrgent(found.waiting) {
		return 0
	}
	wait := max(found.wrote.Add(j.pace).Sub(now), j.next[found.namespace].Sub(now), 0)
	wait = min(wait, togetherMost)
	found.at = now.Add(wait)
	j.next[found.namespace] = found.at.Add(togetherShare)
	return wait
}

// sweep forgets the leads that are quiet, where there are many.
func (j *joiner) sweep() {
	if len(j.leads) < max(j.sweepAt, idleTogether) {
		return
	}
	for name, each := range j.leads {
		if !each.led && j.now().Sub(each.wrote) >= togetherMost {
			delete(j.leads, name)
		}
	}
	maps.DeleteFunc(j.next, func(_ string, next time.Time) bool { return j.now().After(next) })
	j.sweepAt = 2 * len(j.leads)
}

// hurry says that a request must not wait longer than for the write that is under way.
func (j *joiner) hurry(name types.NamespacedName, mine *member) {
	j.mu.Lock()
	defer j.mu.Unlock()
	mine.urgent = true
	select {
	case j.leads[name].hurry <- struct{}{}:
	default:
	}
}

// lead waits for the time to write, writes for all that wait by then, and gives the next of them
// the lead.
func (j *joiner) lead(ctx context.Context, name types.NamespacedName, mine *member) {
	j.mu.Lock()
	found := j.leads[name]
	wait := found.at.Sub(j.now())
	j.mu.Unlock()
	if wait > 0 {
		select {
		case <-j.after(wait):
		case <-found.hurry:
		case <-ctx.Done():
			j.leave(ctx, name, mine)
			return
		}
	}
	j.writeAll(ctx, found, wait > 0)
}

// isUrgent says whether one of the requests must not wait.
func isUrgent(all []*member) bool {
	return slices.ContainsFunc(all, func(each *member) bool { return each.urgent })
}

// leave takes a request out that was broken off. Where it is being written already it waits for
// the outcome; where it was to lead, the next does.
func (j *joiner) leave(ctx context.Context, name types.NamespacedName, mine *member) {
	j.mu.Lock()
	found := j.leads[name]
	at := slices.Index(found.waiting, mine)
	if at < 0 {
		j.mu.Unlock()
		<-mine.done
		return
	}
	defer j.mu.Unlock()
	found.waiting = slices.Delete(found.waiting, at, at+1)
	mine.err = ctx.Err()
	select {
	case <-mine.leads:
		j.pass(found)
	default:
	}
}

// pass gives the lead to the next request, which writes when the one before it was to. The caller holds the lock.
func (j *joiner) pass(found *crowd) {
	if found.led = len(found.waiting) > 0; found.led {
		close(found.waiting[0].leads)
	}
}

// writeAll writes for all requests that wait: a flood when it is its namespace's turn, and at once where one of
// them must not wait. That the request which does so is broken off must not break the others.
func (j *joiner) writeAll(ctx context.Context, found *crowd, isFlood bool) {
	j.mu.Lock()
	all := found.waiting
	found.waiting = nil
	select {
	case <-found.hurry:
	default:
	}
	j.mu.Unlock()
	for _, each := range all {
		each.err = errUnfinished
	}
	defer func() {
		j.mu.Lock()
		defer j.mu.Unlock()
		for _, each := range all {
			close(each.done)
		}
		found.wrote = j.now()
		if len(found.waiting) > 0 {
			j.reserve(found)
		}
		j.pass(found)
	}()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), togetherTimeout)
	defer cancel()
	if isFlood && !isUrgent(all) {
		ctx = shares.InTurn(ctx)
	}
	if j.writeOnce(ctx, all) && len(all) > 1 {
		// One that the API server does not take must not take the others with it.
		for _, each := range all {
			j.writeOnce(ctx, []*member{each})
		}
	}
}

// writeOnce writes what these requests change, in one write, and says whether the API server
// refused it for what it says.
func (j *joiner) writeOnce(ctx context.Context, all []*member) (refused bool) {
	changed := make([]bool, len(all))
	stored, _, err := j.write(ctx, all[len(all)-1].read, func(recovery *v1alpha1.CartRecovery) bool {
		changes := false
		for i, each := range all {
			changed[i] = each.change(recovery)
			changes = changes || changed[i]
		}
		return changes
	})
	for i, each := range all {
		each.stored, each.changed, each.err = stored, err == nil && stored != nil && changed[i], err
		if i > 0 {
			each.stored = stored.DeepCopy()
		}
	}
	return apierrors.IsInvalid(err) || apierrors.IsBadRequest(err) || apierrors.IsRequestEntityTooLargeError(err)
}

// patchTogether changes the status of a lead as patchLead does, together with what other requests
// change in it at the same time. urgent says of a change that it must not wait for others.
func (s *Server) patchTogether(
	ctx context.Context, read *v1alpha1.CartRecovery, urgent func() bool, change leadChange,
) (stored *v1alpha1.CartRecovery, changed bool, err error) {
	return s.joiner.do(ctx, read, urgent, change)
}

// never says of what can wait a moment that it can.
func never() bool { return false }

// always says of what must be known at once that it must.
func always() bool { return true }
