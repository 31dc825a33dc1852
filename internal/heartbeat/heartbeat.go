// Package heartbeat notices that a cluster was restored from a backup. The leader writes a
// Lease once a minute; what a restore brings back is older than what was written. A leader
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

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/manager"
)

const (
	// Name of the Lease.
	Name = "cart-recovery-operator-heartbeat"
	// AnnotationHeldSince says on the Lease since when what was due before waits until it is
	// known whether it was sent (RFC 3339).
	AnnotationHeldSince = "cartrecovery.dev/held-since"
	// DefaultEvery is how often the leader writes the Lease.
	DefaultEvery = time.Minute
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
	// Led is when: a message that was due before may have been sent by another.
	Led time.Time
	// Held is when the cluster was last taken for restored, zero for never: of a message that
	// was due before, somebody must know that it was not sent.
	Held time.Time
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

	once  sync.Once
	began chan struct{}

	mu    sync.Mutex
	start Start
	seen  sighting
}

// sighting is what was last seen of the Lease.
type sighting struct {
	uid types.UID
	// version is its resourceVersion, beats how often it was written.
	version uint64
	beats   int32
}

func sightingOf(lease *coordinationv1.Lease) sighting {
	version, _ := strconv.ParseUint(lease.ResourceVersion, 10, 64)
	seen := sighting{uid: lease.UID, version: version}
	if lease.Spec.LeaseTransitions != nil {
		seen.beats = *lease.Spec.LeaseTransitions
	}
	return seen
}

// wentBack says whether a Lease that was read after another is the older one. One that was
// deleted and made anew has counted from the start, and is none.
func wentBack(before, after sighting) bool {
	return after.version < before.version || after.uid == before.uid && after.beats < before.beats
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
	since, _ := time.Parse(time.RFC3339Nano, lease.Annotations[AnnotationHeldSince])
	if beat := lease.Spec.RenewTime; beat == nil || now.Sub(beat.Time) > staleAfter {
		return now
	}
	return since
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
		err := l.begin(ctx)
		if err == nil {
			break
		}
		if errors.Is(err, ErrRolledBack) {
			return err
		}
		log.FromContext(ctx).Error(err, "Nothing is sent before the heartbeat is known")
		if !sleep(ctx, retryAfter) {
			return nil
		}
	}
	close(l.ready())
	for sleep(ctx, l.Every) {
		err := l.beat(ctx)
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
	lease, err := k.look(ctx)
	if err != nil {
		return err
	}
	history := false
	if lease == nil {
		if history, err = k.History(ctx); err != nil {
			return err
		}
	}
	now := k.Clock.Now()
	start := Start{Led: now, Held: held(lease, history, now)}
	if err := k.write(ctx, lease, start.Held); err != nil {
		return err
	}
	k.mu.Lock()
	k.start = start
	k.mu.Unlock()
	if start.Held.Equal(now) {
		log.FromContext(ctx).Info("The cluster may have been restored from a backup: " +
			"what was due before is sent once it is known that it was not; see docs/backup.md")
	}
	return nil
}

// beat writes the Lease once more.
func (k *Keeper) beat(ctx context.Context) error {
	lease, err := k.look(ctx)
	if err != nil {
		return err
	}
	k.mu.Lock()
	since := k.start.Held
	k.mu.Unlock()
	return k.write(ctx, lease, since)
}

// look reads the Lease, nil when there is none, and compares it with what was seen before.
func (k *Keeper) look(ctx context.Context) (*coordinationv1.Lease, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	k.mu.Lock()
	before := k.seen
	k.mu.Unlock()
	lease := &coordinationv1.Lease{}
	err := k.Live.Get(ctx, types.NamespacedName{Namespace: k.Namespace, Name: Name}, lease)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the Lease %s: %w", Name, err)
	}
	after := sightingOf(lease)
	if wentBack(before, after) {
		k.mark(ctx, lease)
		return nil, ErrRolledBack
	}
	k.saw(after)
	return lease, nil
}

// saw remembers the latest of what was seen.
func (k *Keeper) saw(after sighting) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if after.version > k.seen.version {
		k.seen = after
	}
}

// mark tells the next leader that the data went back, however young the Lease is. Another
// process may do it as well.
func (k *Keeper) mark(ctx context.Context, lease *coordinationv1.Lease) {
	if err := k.write(ctx, lease, k.Clock.Now()); err != nil {
		log.FromContext(ctx).Error(err, "Cannot note in the heartbeat that the cluster was restored")
	}
}

// write writes the Lease as it was read, nil for a first one.
func (k *Keeper) write(ctx context.Context, read *coordinationv1.Lease, since time.Time) error {
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
	if !since.IsZero() {
		metav1.SetMetaDataAnnotation(&next.ObjectMeta, AnnotationHeldSince, since.UTC().Format(time.RFC3339Nano))
	}
	var err error
	if read == nil {
		err = k.Client.Create(ctx, next)
	} else {
		err = k.Client.Update(ctx, next)
	}
	if err != nil {
		return fmt.Errorf("write the Lease %s: %w", Name, err)
	}
	k.saw(sightingOf(next))
	return nil
}

// watcher looks in every process, also where it does not lead, whether the Lease went back.
type watcher struct{ *Keeper }

// NeedLeaderElection says that every process does.
func (watcher) NeedLeaderElection() bool { return false }

// Start looks until the context ends; its error is ErrRolledBack.
func (w watcher) Start(ctx context.Context) error {
	for sleep(ctx, w.Look) {
		if _, err := w.look(ctx); errors.Is(err, ErrRolledBack) {
			return err
		}
	}
	return nil
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
