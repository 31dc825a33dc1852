package election

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/utils/clock"
	clocktesting "k8s.io/utils/clock/testing"
)

// shelf is a Lease that several processes share.
type shelf struct {
	mu      sync.Mutex
	record  *resourcelock.LeaderElectionRecord
	version int
	writes  int
	reads   chan struct{}
}

// lease is a process's view of a shelf: a write fails when another one wrote since it read.
type lease struct {
	*shelf
	name string
	seen int
}

func (l *lease) Get(context.Context) (*resourcelock.LeaderElectionRecord, []byte, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case l.reads <- struct{}{}:
	default:
	}
	if l.record == nil {
		return nil, nil, apierrors.NewNotFound(schema.GroupResource{}, "lease")
	}
	l.seen = l.version
	record := *l.record
	raw, err := json.Marshal(record)
	return &record, raw, err
}

func (l *lease) Create(_ context.Context, record resourcelock.LeaderElectionRecord) error {
	return l.put(record)
}

func (l *lease) Update(_ context.Context, record resourcelock.LeaderElectionRecord) error {
	return l.put(record)
}

func (l *lease) put(record resourcelock.LeaderElectionRecord) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.seen != l.version {
		return apierrors.NewConflict(schema.GroupResource{}, "lease", errors.New("it was changed"))
	}
	l.version++
	l.writes++
	l.record, l.seen = &record, l.version
	return nil
}

func (*lease) RecordEvent(string)     {}
func (l *lease) Identity() string     { return l.name }
func (*lease) Describe() string       { return "system/lease" }
func (s *shelf) holder() string       { s.mu.Lock(); defer s.mu.Unlock(); return s.record.HolderIdentity }
func (s *shelf) view(n string) *lease { return &lease{shelf: s, name: n} }

func held(by string, seconds int) *shelf {
	return &shelf{
		record:  &resourcelock.LeaderElectionRecord{HolderIdentity: by, LeaseDurationSeconds: seconds},
		version: 1, reads: make(chan struct{}, 100),
	}
}

// got is what Get returned.
type got struct {
	record *resourcelock.LeaderElectionRecord
	err    error
}

func getting(ctx context.Context, lock *Lock) <-chan got {
	answer := make(chan got, 1)
	go func() {
		record, _, err := lock.Get(ctx)
		answer <- got{record, err}
	}()
	return answer
}

// waits waits until Get waits for the clock.
func waits(t *testing.T, fake *clocktesting.FakeClock, answer <-chan got) {
	t.Helper()
	for !fake.HasWaiters() {
		select {
		case a := <-answer:
			t.Fatalf("Get returned %+v too early", a)
		case <-t.Context().Done():
			t.Fatal("nobody waits for the clock")
		case <-time.After(time.Millisecond):
		}
	}
}

// steps moves the clock a second each time that Get waits for it.
func steps(t *testing.T, fake *clocktesting.FakeClock, count int, answer <-chan got) {
	t.Helper()
	for range count {
		waits(t, fake, answer)
		fake.Step(time.Second)
	}
}

func TestGetWaitsUntilTheLeaseIsGivenUp(t *testing.T) {
	store, fake := held("other", 10), clocktesting.NewFakeClock(time.Unix(1000, 0))
	lock := NewLock(store.view("me"), time.Second, fake)
	answer := getting(t.Context(), lock)
	steps(t, fake, 5, answer)
	waits(t, fake, answer)
	if _, err := lock.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	if store.holder() != "other" {
		t.Fatal("a process that does not lead gave up the Lease of another")
	}
	store.mu.Lock()
	store.record.HolderIdentity = ""
	store.mu.Unlock()
	steps(t, fake, 1, answer)
	if a := <-answer; a.err != nil || a.record.HolderIdentity != "" {
		t.Errorf("got %+v, %v", a.record, a.err)
	}
}

func TestGetShowsALeaseThatWasNotRenewedAsFree(t *testing.T) {
	store, fake := held("other", 10), clocktesting.NewFakeClock(time.Unix(1000, 0))
	lock := NewLock(store.view("me"), time.Second, fake)
	answer := getting(t.Context(), lock)
	steps(t, fake, 6, answer)
	waits(t, fake, answer)
	store.mu.Lock()
	store.record.RenewTime = metav1.NewTime(fake.Now())
	store.mu.Unlock()
	// It is seen at the next look, the seventh, and free ten seconds after that.
	steps(t, fake, 11, answer)
	if a := <-answer; a.err != nil || a.record.HolderIdentity != "" {
		t.Errorf("got %+v, %v", a.record, a.err)
	}
	if passed := fake.Since(time.Unix(1000, 0)); passed != 17*time.Second {
		t.Errorf("the Lease was free after %s, want 17s", passed)
	}
}

func TestGetEndsWithItsContext(t *testing.T) {
	lock := NewLock(held("other", 10).view("me"), time.Hour, clock.RealClock{})
	ctx, cancel := context.WithCancel(t.Context())
	answer := getting(ctx, lock)
	cancel()
	if a := <-answer; !errors.Is(a.err, context.Canceled) {
		t.Errorf("got %v, want the context's error", a.err)
	}
}

func TestAReleasedLeaseIsNotTakenBack(t *testing.T) {
	store := held("", 1)
	fake := clocktesting.NewFakeClock(time.Unix(1000, 0))
	lock := NewLock(store.view("me"), time.Second, fake)
	record := resourcelock.LeaderElectionRecord{HolderIdentity: "me", LeaseDurationSeconds: 10}
	if _, _, err := lock.Get(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := lock.Update(t.Context(), record); err != nil || store.holder() != "me" {
		t.Fatalf("%v, %s holds it", err, store.holder())
	}
	if !store.record.AcquireTime.Time.Equal(fake.Now()) || !store.record.RenewTime.Time.Equal(fake.Now()) {
		t.Errorf("the record is dated %s and %s, want %s", store.record.AcquireTime, store.record.RenewTime, fake.Now())
	}
	// A renewal that was cut off and written all the same: what was read is out of date.
	store.version++
	led, err := lock.Release(t.Context())
	if err != nil || !led || store.holder() != "" || !lock.Leaving() {
		t.Fatalf("Release = %t, %v; %q holds it", led, err, store.holder())
	}
	if err := lock.Update(t.Context(), record); err != nil || store.holder() != "" {
		t.Errorf("a renewal after Release: %v, %q holds it", err, store.holder())
	}
}

// TestAFrozenLeaderLearnsIt: who was frozen for longer than the Lease lasts leads no more before it asks, and
// waits for nothing when another has it.
func TestAFrozenLeaderLearnsIt(t *testing.T) {
	store, fake := held("", 1), clocktesting.NewFakeClock(time.Unix(1000, 0))
	lock := NewLock(store.view("me"), time.Second, fake)
	record := resourcelock.LeaderElectionRecord{HolderIdentity: "me", LeaseDurationSeconds: 10}
	renew := func() error {
		if _, _, err := lock.Get(t.Context()); err != nil {
			return err
		}
		return lock.Update(t.Context(), record)
	}
	if lock.Leads() {
		t.Error("leads before it has the Lease")
	}
	for _, frozen := range []time.Duration{0, 9 * time.Second, 11 * time.Second} {
		fake.Step(frozen)
		if got, want := lock.Leads(), frozen == 9*time.Second; got != want {
			t.Errorf("leads after %s: %t", frozen, got)
		}
		if err := renew(); err != nil || !lock.Leads() {
			t.Errorf("renewed after %s: %v, leads: %t", frozen, err, lock.Leads())
		}
	}
	other := NewLock(store.view("other"), time.Second, fake)
	answer := getting(t.Context(), other)
	steps(t, fake, 10, answer)
	if a := <-answer; a.err != nil ||
		other.Update(t.Context(), resourcelock.LeaderElectionRecord{HolderIdentity: "other",
			LeaseDurationSeconds: 10}) != nil {
		t.Fatalf("the other cannot take it: %v", a.err)
	}
	select {
	case <-lock.Lost():
		t.Error("is said to be lost before anybody looked")
	default:
	}
	if err := renew(); !errors.Is(err, ErrTaken) || lock.Leads() || store.holder() != "other" {
		t.Errorf("renewed what is another's: %v, leads: %t, held by %s", err, lock.Leads(), store.holder())
	}
	<-lock.Lost()
	record.HolderIdentity = ""
	if err := renew(); !errors.Is(err, ErrTaken) || store.holder() != "other" {
		t.Errorf("gave up what is another's: %v, held by %s", err, store.holder())
	}
}

func TestAProcessThatStopsTakesNoLease(t *testing.T) {
	store := held("", 1)
	lock := NewLock(store.view("me"), time.Second, clock.RealClock{})
	if led, err := lock.Release(t.Context()); led || err != nil {
		t.Fatalf("Release = %t, %v", led, err)
	}
	err := lock.Update(t.Context(), resourcelock.LeaderElectionRecord{HolderIdentity: "me"})
	if !errors.Is(err, ErrReleased) || store.writes != 0 {
		t.Errorf("got %v after %d writes, want ErrReleased and none", err, store.writes)
	}
}

// The elector of client-go takes over at once what another one gives up.
func TestElectorsHandOver(t *testing.T) {
	store := held("", 1)
	first := NewLock(store.view("first"), 5*time.Millisecond, clock.RealClock{})
	second := NewLock(store.view("second"), 5*time.Millisecond, clock.RealClock{})
	ctx, cancel := context.WithCancel(t.Context())
	var electors sync.WaitGroup
	defer electors.Wait()
	defer cancel()
	leads := func(lock *Lock) <-chan struct{} {
		leading := make(chan struct{})
		elector, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
			Lock: lock, LeaseDuration: time.Hour, RenewDeadline: 30 * time.Minute, RetryPeriod: 10 * time.Minute,
			ReleaseOnCancel: true, Callbacks: leaderelection.LeaderCallbacks{OnStartedLeading: func(context.Context) {
				close(leading)
			}, OnStoppedLeading: func() {}},
		})
		if err != nil {
			t.Fatal(err)
		}
		electors.Go(func() { elector.Run(ctx) })
		return leading
	}
	await := func(leading <-chan struct{}) {
		t.Helper()
		select {
		case <-leading:
		case <-time.After(30 * time.Second):
			t.Fatal("nobody took the Lease over")
		}
	}
	await(leads(first))
	waits := leads(second)
	if led, err := first.Release(t.Context()); !led || err != nil {
		t.Fatalf("Release = %t, %v", led, err)
	}
	await(waits)
	if store.holder() != "second" {
		t.Errorf("%q holds the Lease", store.holder())
	}
}
