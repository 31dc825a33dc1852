// Package heartbeat notices that a cluster was restored from a backup. The leader writes a
// Lease every ten seconds; what a restore brings back is older than what was written. A leader
// that finds an old one says so to those who send; a process that sees it go back ends, since
// its caches would wait for changes that never come.
package heartbeat

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/go-logr/logr"
	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"cartrecovery.dev/operator/internal/instant"
	"cartrecovery.dev/operator/internal/panics"
)

const (
	// Name of the Lease.
	Name = "cart-recovery-operator-heartbeat"
	// AnnotationHeldSince says on the Lease since when what was due before waits until it is
	// known whether it was sent (RFC 3339).
	AnnotationHeldSince = "cartrecovery.dev/held-since"
	// AnnotationRestored says on the Lease when it was last certain that the data went back, and
	// not only likely (RFC 3339).
	AnnotationRestored = "cartrecovery.dev/restored-at"
	// DefaultEvery is how often the leader writes the Lease. A backup that is younger than the
	// last write cannot be told from the data itself.
	DefaultEvery = 10 * time.Second
	// DefaultLook is how often every process looks whether the Lease went back.
	DefaultLook = 10 * time.Second
	// staleAfter is how old the Lease must be for a new leader to take the cluster for restored.
	staleAfter = 10 * time.Minute
	// callTimeout bounds one call to the API server.
	callTimeout = 10 * time.Second
	// retryAfter is the pause after a failed call while nothing may be sent yet.
	retryAfter = time.Second
)

// ErrRolledBack: the API server's data is older than what this process has seen of it.
var ErrRolledBack = errors.New("the heartbeat Lease went back: the cluster's data was restored from a backup; " +
	"start again, with caches that are filled anew (see docs/backup.md)")

// Start is how this process began to lead.
type Start struct {
	// Led is when it began: another process may have sent a message that was due before.
	Led time.Time
	// Held is when the cluster was last taken for restored, zero for never: of a message that
	// was due before, somebody must know that it was not sent.
	Held time.Time
	// Restored is when it was last certain that the data went back, zero for never. It is not
	// after Held.
	Restored time.Time
}

// Keeper keeps the heartbeat. Every field down to History must be set.
type Keeper struct {
	// Client writes.
	Client client.Client
	// Live reads from the API server.
	Live client.Reader
	// Clock tells the time.
	Clock clock.PassiveClock
	// Namespace of the Lease.
	Namespace string
	// Holder names this process in it.
	Holder string
	// History says whether there are leads that were worked on: without a Lease, that is what
	// tells a restored cluster from a new one.
	History func(context.Context) (bool, error)
	// Watch says that this process never leads: it only looks whether the Lease went back.
	Watch bool
	// Every is how often the leader writes, Look how often every process looks. The defaults
	// when 0.
	Every, Look time.Duration
	// StateDir is a directory outside of the API server where a process keeps what it saw of the
	// Lease, for the next one; "" for none.
	StateDir string

	// looking is held while the Lease is read and what it says is acted on.
	looking sync.Mutex

	once  sync.Once
	began chan struct{}

	mu    sync.Mutex
	start Start
	seen  sighting
	// before is what the last process with this state directory saw, until this one has compared
	// it with the Lease; then it is zero.
	before sighting
	// unkept says that the mark could not be written last time: it is logged once.
	unkept bool
}

// sighting is what was last seen of the Lease.
type sighting struct {
	uid types.UID
	// version is its resourceVersion, beats how often it was written.
	version uint64
	beats   int32
	// renewed is when, by the clock of who wrote it.
	renewed time.Time
}

func sightingOf(lease *coordinationv1.Lease) sighting {
	version, _ := strconv.ParseUint(lease.ResourceVersion, 10, 64)
	seen := sighting{uid: lease.UID, version: version}
	if lease.Spec.LeaseTransitions != nil {
		seen.beats = *lease.Spec.LeaseTransitions
	}
	if lease.Spec.RenewTime != nil {
		seen.renewed = lease.Spec.RenewTime.Time
	}
	return seen
}

// wentBack says whether the Lease that was read later is the older one. A Lease that was deleted and made again counts
// from the start, and has not gone back.
func wentBack(before, after sighting) bool {
	if after.uid == before.uid {
		return after.version < before.version || after.beats < before.beats
	}
	return after.version < before.version || before.renewed.Sub(after.renewed) > markTolerance
}

// held says since when what was due before is held, once a process begins to lead: from now,
// when the Lease is old, or there is none and leads were worked on; else what its predecessor
// says.
func held(lease *coordinationv1.Lease, history bool, now time.Time) time.Time {
	if lease == nil {
		if history {
			return now
		}
		return time.Time{}
	}
	since := timeOf(lease, AnnotationHeldSince)
	if beat := lease.Spec.RenewTime; beat == nil || now.Sub(beat.Time) > staleAfter {
		return now
	}
	return since
}

// timeOf is a time that stands in an annotation of the Lease, zero for none.
func timeOf(lease *coordinationv1.Lease, annotation string) time.Time {
	if lease == nil {
		return time.Time{}
	}
	at, _ := time.Parse(time.RFC3339Nano, lease.Annotations[annotation])
	return at
}

// SetupWithManager adds the two halves to a manager: one for the leader, one for every process.
func (k *Keeper) SetupWithManager(mgr ctrl.Manager) error {
	if k.Client == nil || k.Live == nil || k.Clock == nil || k.Namespace == "" || k.History == nil {
		return errors.New("set up the heartbeat: set all of Client, Live, Clock, Namespace and History")
	}
	if k.Every == 0 {
		k.Every = DefaultEvery
	}
	if k.Look == 0 {
		k.Look = DefaultLook
	}
	k.recall(mgr.GetLogger())
	if !k.Watch {
		if err := mgr.Add(leader{k}); err != nil {
			return fmt.Errorf("set up the heartbeat: %w", err)
		}
	}
	if err := mgr.Add(watcher{k}); err != nil {
		return fmt.Errorf("set up the heartbeat: %w", err)
	}
	return nil
}

// Began waits until it is known how this process began to lead.
func (k *Keeper) Began(ctx context.Context) (Start, error) {
	select {
	case <-k.ready():
	case <-ctx.Done():
		return Start{}, fmt.Errorf("wait for the heartbeat: %w", ctx.Err())
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.start, nil
}

func (k *Keeper) ready() chan struct{} {
	k.once.Do(func() { k.began = make(chan struct{}) })
	return k.began
}

// leader writes the Lease while this process leads.
type leader struct{ *Keeper }

var _ manager.LeaderElectionRunnable = leader{}

// NeedLeaderElection says that only the leader does.
func (leader) NeedLeaderElection() bool { return true }

// Start writes the Lease until the context ends; its error is ErrRolledBack.
func (l leader) Start(ctx context.Context) error {
	for {
		err := panics.Do(ctx, panics.Heartbeat, func() error { return l.begin(ctx) })
		if err == nil {
			break
		}
		if errors.Is(err, ErrRolledBack) {
			return err
		}
		log.FromContext(ctx).Error(err, "Sending nothing before the heartbeat is known")
		if !sleep(ctx, retryAfter) {
			return nil
		}
	}
	close(l.ready())
	for sleep(ctx, l.Every) {
		err := panics.Do(ctx, panics.Heartbeat, func() error { return l.beat(ctx) })
		if errors.Is(err, ErrRolledBack) {
			return err
		}
		if err != nil && ctx.Err() == nil {
			log.FromContext(ctx).Error(err, "Cannot write the heartbeat")
		}
	}
	return nil
}

// begin reads what the last leader wrote, and decides.
func (k *Keeper) begin(ctx context.Context) error {
	k.looking.Lock()
	defer k.looking.Unlock()
	lease, err := k.look(ctx)
	if err != nil {
		return err
	}
	gone := lease == nil && k.hadMark()
	history := gone
	if lease == nil && !gone {
		if history, err = k.History(ctx); err != nil {
			return err
		}
	}
	now := k.Clock.Now()
	start := Start{Led: now, Held: held(lease, history, now), Restored: timeOf(lease, AnnotationRestored)}
	if gone {
		start.Restored = now
	}
	start.Held = instant.Later(start.Held, start.Restored)
	if err := k.write(ctx, lease, start); err != nil {
		return err
	}
	k.mu.Lock()
	k.start, k.before = start, sighting{}
	k.mu.Unlock()
	if start.Held.Equal(now) {
		log.FromContext(ctx).Info("Holding what was due before until it is known that it was not sent: " +
			"the cluster may have been restored from a backup; see docs/backup.md")
	}
	return nil
}

// beat writes the Lease once more. Another process may have noted meanwhile that the data went
// back, by what it saw before: this one holds what was due, too.
func (k *Keeper) beat(ctx context.Context) error {
	k.looking.Lock()
	defer k.looking.Unlock()
	lease, err := k.look(ctx)
	if err != nil {
		return err
	}
	return k.write(ctx, lease, k.heed(lease))
}

// heed takes over what the Lease says of a restore that this process has not noticed itself.
func (k *Keeper) heed(lease *coordinationv1.Lease) Start {
	k.mu.Lock()
	defer k.mu.Unlock()
	if since := timeOf(lease, AnnotationHeldSince); since.After(k.start.Held) {
		k.start.Held = since
	}
	if at := timeOf(lease, AnnotationRestored); at.After(k.start.Restored) {
		k.start.Restored = at
	}
	k.start.Held = instant.Later(k.start.Held, k.start.Restored)
	return k.start
}

// recall reads what the last process with this state directory saw.
func (k *Keeper) recall(logger logr.Logger) {
	if k.StateDir == "" {
		return
	}
	before, err := readMark(k.StateDir)
	if err != nil {
		logger.Error(err, "Cannot read what was seen of the heartbeat before; writing the file again")
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.before = before
}

// hadMark says whether an earlier process saw a Lease, and this one has not yet.
func (k *Keeper) hadMark() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.before != sighting{}
}

// look reads the Lease, nil when there is none, and compares it with what was seen before, by
// this process or by the last one. The lock of looking is held.
func (k *Keeper) look(ctx context.Context) (*coordinationv1.Lease, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	lease := &coordinationv1.Lease{}
	err := k.Live.Get(ctx, types.NamespacedName{Namespace: k.Namespace, Name: Name}, lease)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the Lease %s: %w", Name, err)
	}
	k.mu.Lock()
	seen, before := k.seen, k.before
	k.mu.Unlock()
	after := sightingOf(lease)
	if wentBack(seen, after) {
		if _, err := k.noteRestore(ctx, lease); err != nil {
			log.FromContext(ctx).Error(err, "Cannot note in the heartbeat that the cluster was restored")
		}
		return nil, ErrRolledBack
	}
	if wentBack(before, after) {
		// The caches of this process are as new as the Lease: it goes on, and holds what was due.
		if lease, err = k.noteRestore(ctx, lease); err != nil {
			return nil, err
		}
		log.FromContext(ctx).Info(
			"The heartbeat is older than this pod has seen it: the cluster was restored from a backup")
		after = sightingOf(lease)
	}
	k.saw(ctx, after)
	return lease, nil
}

// saw remembers the latest of what was seen, also for the next process.
func (k *Keeper) saw(ctx context.Context, after sighting) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.before = sighting{}
	if after.version <= k.seen.version {
		return
	}
	k.seen = after
	k.keep(ctx, after)
}

// keep writes the mark. Where that fails, a later restore may go unnoticed: it is said once.
func (k *Keeper) keep(ctx context.Context, seen sighting) {
	if k.StateDir == "" {
		return
	}
	err := writeMark(k.StateDir, seen)
	if err != nil && !k.unkept {
		log.FromContext(ctx).Error(err, "Cannot keep what was seen of the heartbeat: "+
			"a restore while no process runs may go unnoticed")
	}
	k.unkept = err != nil
}

// noteRestore tells every later leader that the data went back, however young the Lease is. The
// mark follows the Lease, so that the next process does not notice the same again.
func (k *Keeper) noteRestore(ctx context.Context, lease *coordinationv1.Lease) (*coordinationv1.Lease, error) {
	now := k.Clock.Now()
	written, err := k.put(ctx, lease, Start{Held: now, Restored: now})
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.keep(ctx, sightingOf(written))
	return written, nil
}

// write writes the Lease as it was read, nil for a first one.
func (k *Keeper) write(ctx context.Context, read *coordinationv1.Lease, start Start) error {
	written, err := k.put(ctx, read, start)
	if err == nil {
		k.saw(ctx, sightingOf(written))
	}
	return err
}

// put writes the Lease and remembers nothing.
func (k *Keeper) put(ctx context.Context, read *coordinationv1.Lease, start Start) (*coordinationv1.Lease, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	next := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: k.Namespace, Name: Name}}
	if read != nil {
		next = read.DeepCopy()
	}
	beats := sightingOf(next).beats + 1
	renewed, seconds := metav1.NewMicroTime(k.Clock.Now()), int32(k.Every.Seconds())
	next.Spec.HolderIdentity, next.Spec.LeaseTransitions, next.Spec.RenewTime = &k.Holder, &beats, &renewed
	next.Spec.LeaseDurationSeconds = new(max(seconds, 1))
	for annotation, at := range map[string]time.Time{AnnotationHeldSince: start.Held,
		AnnotationRestored: start.Restored} {
		if !at.IsZero() {
			metav1.SetMetaDataAnnotation(&next.ObjectMeta, annotation, at.UTC().Format(time.RFC3339Nano))
		}
	}
	var err error
	if read == nil {
		err = k.Client.Create(ctx, next)
	} else {
		err = k.Client.Update(ctx, next)
	}
	if err != nil {
		return nil, fmt.Errorf("write the Lease %s: %w", Name, err)
	}
	return next, nil
}

// watcher looks in every process, also where it does not lead, whether the Lease went back.
type watcher struct{ *Keeper }

// NeedLeaderElection says that every process does.
func (watcher) NeedLeaderElection() bool { return false }

// Start looks until the context ends; its error is ErrRolledBack.
func (w watcher) Start(ctx context.Context) error {
	for {
		err := panics.Do(ctx, panics.Heartbeat, func() error { return w.lookOnce(ctx) })
		if errors.Is(err, ErrRolledBack) {
			return err
		}
		if !sleep(ctx, w.Look) {
			return nil
		}
	}
}

// lookOnce also has a leader take over at once what another process has noted.
func (k *Keeper) lookOnce(ctx context.Context) error {
	k.looking.Lock()
	defer k.looking.Unlock()
	lease, err := k.look(ctx)
	if err == nil && lease != nil {
		k.heed(lease)
	}
	return err
}

// sleep waits, and is false when the context ended.
func sleep(ctx context.Context, length time.Duration) bool {
	timer := time.NewTimer(length)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
