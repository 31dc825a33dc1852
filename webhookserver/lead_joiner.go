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
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/policy"
	"cartrecovery.dev/operator/internal/shares"
)

// Requests that concern one lead in quick succession are joined into few writes. The first of them writes for all that
// wait behind it, in the order in which they came, and each is answered only once its own message is stored. See
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
	// lateParts is into how many places the leads are put that find no time of their own.
	lateParts = 16
	// togetherWaiting is how many requests of a namespace may wait: each holds a connection, of which a source, which
	// may be a gateway's that serves other tenants as well, has some hundreds. Further ones are to be delivered again.
	togetherWaiting = 128
	// togetherTimeout bounds one write that others wait for.
	togetherTimeout = 10 * time.Second
	// idleTogether is how many leads are remembered before those are looked for that are quiet.
	idleTogether = 1024
)

// errUnfinished is the error of requests whose leading request was broken off.
var errUnfinished = errors.New("the request that wrote for this one was broken off")

// errCrowded is the error of a request when too many of its namespace wait already.
var errCrowded = errors.New("too many messages of this namespace wait to be stored; deliver it again later")

// leadChange changes a lead, and is false when there is nothing to change.
type leadChange func(*v1alpha1.CartRecovery) bool

// joiner joins the writes of requests that concern one lead.
type joiner struct {
	pace  time.Duration
	now   func() time.Time
	after func(time.Duration) <-chan time.Time
	// write writes a change to a lead, as Server.patchLead does.
	write func(context.Context, *v1alpha1.CartRecovery, leadChange) (*v1alpha1.CartRecovery, bool, error)
	// read reads a lead from the cache; nil for not at all.
	read func(context.Context, types.NamespacedName, *v1alpha1.CartRecovery) error

	mu    sync.Mutex
	leads map[types.NamespacedName]*crowd
	// next is when a flood of a namespace may be written again.
	next map[string]time.Time
	// waiting is how many requests of a namespace are not answered yet.
	waiting map[string]int
	// late counts the leads that found no time of their own.
	late int
	// sweepAt is with how many leads those are looked for that are quiet.
	sweepAt int
}

// crowd is the requests that wait to be written to one lead.
type crowd struct {
	name    types.NamespacedName
	waiting []*member
	// led says that one of the requests is writing, or waits for the time to.
	led bool
	// wrote is when the last write ended, at when the next may be; zero where no time is set.
	wrote, at time.Time
	// stored is the lead as the last write left it, for those who joined before its end.
	stored *v1alpha1.CartRecovery
	// hurry has an element when something came in that must not wait.
	hurry chan struct{}
}

// joining is a request to change a lead.
type joining struct {
	change leadChange
	// text is what the customer writes by it, "" for nothing.
	text string
	// urgent says whether it must not wait for others. It is asked only where there is something to wait for, and
	// told what those wrote who wait already.
	urgent func(before []string) bool
}

// member is one request of a crowd.
type member struct {
	joining
	read *v1alpha1.CartRecovery
	// mustNot says that it must not wait for others.
	mustNot bool
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
		leads: map[types.NamespacedName]*crowd{}, next: map[string]time.Time{}, waiting: map[string]int{},
	}
}

// do changes a lead together with what other requests change in it, and returns once that is
// stored: the lead, nil when it is gone, and whether this change was one.
func (j *joiner) do(
	ctx context.Context, read *v1alpha1.CartRecovery, wants joining,
) (stored *v1alpha1.CartRecovery, changed bool, err error) {
	mine := &member{joining: wants, read: read, leads: make(chan struct{}), done: make(chan struct{})}
	found, before, waits := j.enter(mine)
	defer j.left(found)
	if waits {
		j.waitOrHurry(found, mine, before)
	}
	select {
	case <-mine.done:
		return mine.stored, mine.changed, mine.err
	default:
	}
	select {
	case <-mine.done:
	case <-mine.leads:
		j.lead(ctx, found, mine)
	case <-ctx.Done():
		j.leave(ctx.Err(), found, mine)
	}
	return mine.stored, mine.changed, mine.err
}

// enter has a request join its lead's crowd, and says whether it has to wait for anything, and what those wrote who
// wait already.
func (j *joiner) enter(mine *member) (found *crowd, before []string, waits bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	name := client.ObjectKeyFromObject(mine.read)
	found = j.leads[name]
	if found == nil {
		j.sweep()
		found = &crowd{name: name, hurry: make(chan struct{}, 1)}
		j.leads[name] = found
	}
	for _, each := range found.waiting[max(0, len(found.waiting)-policy.MostTogether):] {
		if each.text != "" {
			before = append(before, each.text)
		}
	}
	found.waiting = append(found.waiting, mine)
	j.waiting[name.Namespace]++
	if found.led {
		return found, before, true
	}
	found.led = true
	close(mine.leads)
	return found, before, j.reserve(found) > 0
}

// left says that a request of a crowd has its answer.
func (j *joiner) left(found *crowd) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.waiting[found.name.Namespace]--; j.waiting[found.name.Namespace] <= 0 {
		delete(j.waiting, found.name.Namespace)
	}
}

// reserve sets when a lead is written next, and returns how long that is from now. It is set once for each write, so
// that nobody waits who was told that there is nothing to wait for, nor for those who left. Where more leads of a
// namespace are flooded than have a time of their own within togetherMost, the others are spread over its end. The
// caller holds the lock.
func (j *joiner) reserve(found *crowd) time.Duration {
	now := j.now()
	if found.at.After(now) {
		return found.at.Sub(now)
	}
	found.at = now
	if now.Sub(found.wrote) >= togetherMost || isUrgent(found.waiting) {
		return 0
	}
	wait := max(found.wrote.Add(j.pace).Sub(now), j.next[found.name.Namespace].Sub(now), 0)
	if wait > togetherMost {
		j.late++
		found.at = now.Add(togetherMost - time.Duration(j.late%lateParts)*(togetherMost/4/lateParts))
		return found.at.Sub(now)
	}
	found.at = now.Add(wait)
	j.next[found.name.Namespace] = found.at.Add(togetherShare)
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

// waitOrHurry decides about a request that has to wait: it waits no longer than for the write that is under way where
// it must not, and leaves where too many wait already. It leaves, too, where its own question fails: a request that
// leads and never writes would hold up all behind it.
func (j *joiner) waitOrHurry(found *crowd, mine *member, before []string) {
	told := false
	defer func() {
		if !told {
			j.leave(errUnfinished, found, mine)
		}
	}()
	isUrgent := mine.urgent(before)
	told = true
	j.mu.Lock()
	isCrowded := j.waiting[found.name.Namespace] > togetherWaiting
	if mine.mustNot = isUrgent; isUrgent && slices.Contains(found.waiting, mine) {
		select {
		case found.hurry <- struct{}{}:
		default:
		}
	}
	j.mu.Unlock()
	if isCrowded && !isUrgent {
		j.leave(errCrowded, found, mine)
	}
}

// lead waits for the time to write, writes for all that wait by then, and gives the next of them
// the lead.
func (j *joiner) lead(ctx context.Context, found *crowd, mine *member) {
	j.mu.Lock()
	wait := found.at.Sub(j.now())
	j.mu.Unlock()
	if wait > 0 {
		select {
		case <-j.after(wait):
		case <-found.hurry:
		case <-ctx.Done():
			j.leave(ctx.Err(), found, mine)
			return
		}
	}
	j.writeAll(ctx, found, wait > 0)
}

// isUrgent says whether one of the requests must not wait. The caller holds the lock.
func isUrgent(all []*member) bool {
	return slices.ContainsFunc(all, func(each *member) bool { return each.mustNot })
}

// leave takes a request out that was broken off. Where it is being written already it waits for
// the outcome; where it was to lead, the next does.
func (j *joiner) leave(why error, found *crowd, mine *member) {
	j.mu.Lock()
	at := slices.Index(found.waiting, mine)
	if at < 0 {
		j.mu.Unlock()
		<-mine.done
		return
	}
	defer j.mu.Unlock()
	found.waiting = slices.Delete(found.waiting, at, at+1)
	mine.err = why
	close(mine.done)
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
func (j *joiner) writeAll(ctx context.Context, found *crowd, waited bool) {
	all, base, inTurn := j.begin(found, waited)
	var stored *v1alpha1.CartRecovery
	defer func() { j.end(found, all, stored) }()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), togetherTimeout)
	defer cancel()
	if inTurn {
		ctx = shares.InTurn(ctx)
	}
	if waited {
		base = j.newest(ctx, found.name, base)
	}
	stored, refused := j.writeOnce(ctx, base, all)
	if refused && len(all) > 1 {
		// One that the API server does not take must not take the others with it.
		for _, each := range all {
			stored, _ = j.writeOnce(ctx, each.read, []*member{each})
		}
	}
}

// begin takes the requests that are written now, and the newest of what is known of their lead.
func (j *joiner) begin(found *crowd, waited bool) (all []*member, base *v1alpha1.CartRecovery, inTurn bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	all, found.waiting, found.at = found.waiting, nil, time.Time{}
	select {
	case <-found.hurry:
	default:
	}
	base = found.stored
	for _, each := range all {
		each.err = errUnfinished
		base = newer(base, each.read)
	}
	return all, base, waited && !isUrgent(all)
}

// end answers the requests that were written, and gives the lead to the next.
func (j *joiner) end(found *crowd, all []*member, stored *v1alpha1.CartRecovery) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, each := range all {
		close(each.done)
	}
	found.wrote, found.stored = j.now(), nil
	if len(found.waiting) > 0 {
		// Whoever was answered may change what they got.
		found.stored = stored.DeepCopy()
		j.reserve(found)
	}
	j.pass(found)
}

// newest is a lead, or what the cache has by now: "nothing to change" is not believed of what was read before a wait.
func (j *joiner) newest(ctx context.Context, name types.NamespacedName,
	read *v1alpha1.CartRecovery) *v1alpha1.CartRecovery {
	if j.read == nil {
		return read
	}
	cached := &v1alpha1.CartRecovery{}
	if err := j.read(ctx, name, cached); err != nil {
		return read
	}
	return newer(read, cached)
}

// newer is the later of two versions of a lead, of which the first may be nil.
func newer(a, b *v1alpha1.CartRecovery) *v1alpha1.CartRecovery {
	if a == nil || a.UID != b.UID {
		return b
	}
	if order, err := resourceversion.CompareResourceVersion(a.ResourceVersion, b.ResourceVersion); err == nil &&
		order > 0 {
		return a
	}
	return b
}

// writeOnce writes what these requests change, in one write, and says whether the API server
// refused it for what it says.
func (j *joiner) writeOnce(
	ctx context.Context, base *v1alpha1.CartRecovery, all []*member,
) (stored *v1alpha1.CartRecovery, refused bool) {
	changed := make([]bool, len(all))
	stored, _, err := j.write(ctx, base, func(recovery *v1alpha1.CartRecovery) bool {
		changes := false
		for i, each := range all {
			changed[i] = each.change(recovery)
			changes = changes || changed[i]
		}
		return changes
	})
	for i, each := range all {
		each.stored, each.changed, each.err = stored.DeepCopy(), err == nil && stored != nil && changed[i], err
		if i == 0 {
			each.stored = stored
		}
	}
	return stored, apierrors.IsInvalid(err) || apierrors.IsBadRequest(err) ||
		apierrors.IsRequestEntityTooLargeError(err)
}

// patchTogether changes the status of a lead as patchLead does, together with what other requests
// change in it at the same time.
func (s *Server) patchTogether(
	ctx context.Context, read *v1alpha1.CartRecovery, wants joining,
) (stored *v1alpha1.CartRecovery, changed bool, err error) {
	return s.joiner.do(ctx, read, wants)
}

// never is what joining asks of messages that may wait a moment: no, none of them has to be written at once.
func never([]string) bool { return false }
