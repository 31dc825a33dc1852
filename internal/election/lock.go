// Package election makes the change of the leader short. Kubernetes' elector asks for a Lease
// that another process holds every RetryPeriod and a half or two, and a manager gives its own
// up only when everything in it has ended. The Lock here looks for a free Lease several times a
// second and can be given up as soon as a process is told to stop.
package election

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/utils/clock"
)

// DefaultLook is how often a process that does not lead looks whether the Lease is free: one
// read of one object, which costs the API server about a millisecond.
const DefaultLook = 250 * time.Millisecond

// ErrReleased: this process has given the Lease up and takes it no more.
var ErrReleased = errors.New("the Lease was given up because this process is stopping")

// ErrTaken: another process has the Lease that this one had, and this one takes it no more.
var ErrTaken = errors.New(
	"another process leads: this one did not renew the Lease for longer than it lasts, as when it is frozen")

// Lock is a resource lock of client-go that is quick to be taken over.
//
// Its Get waits as long as another process holds the Lease, so that the elector's own pause
// between two attempts does not matter. A Lease that was not renewed for the length its holder
// promised is shown as held by nobody.
type Lock struct {
	resourcelock.Interface
	clock clock.WithTicker
	look  time.Duration

	// calls guards Interface, which keeps the Lease it read last.
	calls sync.Mutex

	mu sync.Mutex
	// held says that this process has written itself into the Lease, released that it takes it
	// no more.
	held, released bool
	// acquired is since when this process holds the Lease.
	acquired metav1.Time
	// renewed is when this process last wrote the Lease, by its own clock before the call; term is for how long that
	// holds.
	renewed time.Time
	term    time.Duration
	// taken says that another process was seen in a Lease that this one had.
	taken bool
	// lost is closed with taken.
	lost chan struct{}
	// seen is the record of another holder as it was read last, and since when it is the same.
	seen  []byte
	since time.Time
}

// NewLock makes the lock of a Lease quick; look is how often a Lease of others is looked at.
func NewLock(lease resourcelock.Interface, look time.Duration, ticking clock.WithTicker) *Lock {
	return &Lock{Interface: lease, clock: ticking, look: look, lost: make(chan struct{})}
}

// Get returns the Lease's record once this process may take or renew it, or when the context
// ends.
func (l *Lock) Get(ctx context.Context) (*resourcelock.LeaderElectionRecord, []byte, error) {
	for {
		record, raw, err := l.read(ctx)
		if err != nil {
			return nil, nil, err
		}
		if l.isTaken(record) || l.free(record, raw) {
			return record, raw, nil
		}
		select {
		case <-ctx.Done():
			return nil, nil, fmt.Errorf("wait for Lease %s: %w", l.Describe(), ctx.Err())
		case <-l.clock.After(l.look):
		}
	}
}

func (l *Lock) read(ctx context.Context) (*resourcelock.LeaderElectionRecord, []byte, error) {
	l.calls.Lock()
	defer l.calls.Unlock()
	return l.Interface.Get(ctx)
}

// free says whether this process may try to write a Lease, and takes the holder out of one
// whose time is over. As the elector does it counts from when it saw the last change, by its own
// clock: the clocks of two nodes may differ.
func (l *Lock) free(record *resourcelock.LeaderElectionRecord, raw []byte) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if record.HolderIdentity == "" || record.HolderIdentity == l.Identity() {
		return true
	}
	now := l.clock.Now()
	if !bytes.Equal(raw, l.seen) {
		l.seen, l.since = raw, now
	}
	if now.Sub(l.since) < time.Duration(record.LeaseDurationSeconds)*time.Second {
		return false
	}
	record.HolderIdentity = ""
	return true
}

// isTaken says whether another process has a Lease that this one had, because this one was frozen for longer than the
// Lease lasts. Get then waits for nothing.
func (l *Lock) isTaken(record *resourcelock.LeaderElectionRecord) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held && !l.released && !l.taken && record.HolderIdentity != "" && record.HolderIdentity != l.Identity() {
		l.taken = true
		close(l.lost)
	}
	return l.taken
}

// Lost is closed once another process has a Lease that this one had and did not give up.
func (l *Lock) Lost() <-chan struct{} { return l.lost }

// Leads says whether the Lease that this process wrote itself into still holds, so that nobody else can lead.
// A process that was frozen learns so before it asks the API server: by the clock that stands still with the
// machine, and by the one that does not.
func (l *Lock) Leads() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.clock.Now()
	return l.held && !l.taken && now.Sub(l.renewed) < l.term && now.Round(0).Sub(l.renewed.Round(0)) < l.term
}

// Create makes the Lease with this process as its holder.
func (l *Lock) Create(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	return l.write(record, func(dated resourcelock.LeaderElectionRecord) error {
		return l.Interface.Create(ctx, dated)
	})
}

// Update takes or renews the Lease. After Release it writes nothing: the elector of a process
// that is stopping goes on until everything has ended, and must not take the Lease back.
func (l *Lock) Update(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	return l.write(record, func(dated resourcelock.LeaderElectionRecord) error {
		return l.Interface.Update(ctx, dated)
	})
}

// write dates a record again: the elector takes the time before it calls Get, which may wait for
// days.
func (l *Lock) write(record resourcelock.LeaderElectionRecord,
	write func(resourcelock.LeaderElectionRecord) error) error {
	l.calls.Lock()
	defer l.calls.Unlock()
	l.mu.Lock()
	held, released, taken, acquired := l.held, l.released, l.taken, l.acquired
	l.mu.Unlock()
	switch {
	case released && held:
		return nil
	case released:
		return ErrReleased
	case taken:
		return ErrTaken
	}
	record.RenewTime = metav1.NewTime(l.clock.Now())
	if !held {
		acquired = record.RenewTime
	}
	record.AcquireTime = acquired
	if err := write(record); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held, l.acquired = record.HolderIdentity == l.Identity(), acquired
	l.renewed, l.term = record.RenewTime.Time, time.Duration(record.LeaseDurationSeconds)*time.Second
	return nil
}

// Release gives the Lease up where this process holds it, and says whether it did. From then on
// this process takes it no more.
func (l *Lock) Release(ctx context.Context) (led bool, err error) {
	l.calls.Lock()
	defer l.calls.Unlock()
	l.mu.Lock()
	l.released = true
	led = l.held
	l.mu.Unlock()
	if !led {
		return false, nil
	}
	// client-go's RetryOnConflict would give up after so many steps. Here only the context ends the attempts.
	for {
		record, _, err := l.Interface.Get(ctx)
		if err != nil {
			return true, fmt.Errorf("give up Lease %s: %w", l.Describe(), err)
		}
		if record.HolderIdentity != l.Identity() {
			return true, nil
		}
		record.HolderIdentity, record.LeaseDurationSeconds = "", 1
		err = l.Interface.Update(ctx, *record)
		if err == nil {
			return true, nil
		}
		// A renewal that was cut off may have been written all the same.
		if !apierrors.IsConflict(err) {
			return true, fmt.Errorf("give up Lease %s: %w", l.Describe(), err)
		}
	}
}

// Leaving says whether Release was called: a process that is on its way out begins nothing that
// the next leader may begin as well.
func (l *Lock) Leaving() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.released
}
