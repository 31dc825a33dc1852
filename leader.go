package main

import (
	"context"
	"fmt"
	"os"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/uuid"
	coordinationv1 "k8s.io/client-go/kubernetes/typed/coordination/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"

	"cartrecovery.dev/operator/internal/election"
	"cartrecovery.dev/operator/internal/pace"
)

const (
	// handOver is how long a leader that is told to stop goes on after it gave the Lease up. It
	// sends what is due meanwhile, with the texts that only it has; the next one has texts written.
	// That one sends no first messages for pace.Settle, so that the two never pace a number at once.
	handOver = pace.Settle - 200*time.Millisecond
	// releaseTimeout bounds the giving up of the Lease; when it fails the Lease runs out.
	releaseTimeout = 2 * time.Second
)

// newLock is the Lease that elects the leader; nil without an election.
func newLock(config *rest.Config, settings settings) (*election.Lock, error) {
	if !settings.leaderElection || !settings.roles.controllers {
		return nil, nil
	}
	config = rest.AddUserAgent(rest.CopyConfig(config), "leader-election")
	// One call that hangs must not cost the Lease.
	config.Timeout = max(settings.renewDeadline/2, time.Second)
	client, err := coordinationv1.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("build the client of the leader election: %w", err)
	}
	host, err := os.Hostname()
	if err != nil {
		return nil, fmt.Errorf("name this process in the leader election: %w", err)
	}
	lease := &resourcelock.LeaseLock{
		LeaseMeta: metav1.ObjectMeta{Namespace: ownNamespace(settings.leaderElectionNamespace),
			Name: leaderElectionID},
		Client:     client,
		LockConfig: resourcelock.ResourceLockConfig{Identity: host + "_" + string(uuid.NewUUID())},
	}
	return election.NewLock(lease, election.DefaultLook, clock.RealClock{}), nil
}

// untilHandedOver is a context that ends some time after the given one. In between another
// process can take the lead, while this one still sends and takes deliveries. It ends at once when another
// has taken the lead unasked.
func untilHandedOver(stop context.Context, lock *election.Lock) context.Context {
	if lock == nil {
		return stop
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(stop))
	go func() {
		defer cancel()
		select {
		case <-lock.Lost():
			return
		case <-stop.Done():
		}
		releasing, done := context.WithTimeout(ctx, releaseTimeout)
		defer done()
		led, err := lock.Release(releasing)
		if err != nil {
			ctrl.Log.Error(err, "Cannot give up the lead; the next leader waits until the Lease has run out")
		}
		if led {
			ctrl.Log.Info("Gave up the lead; sending for a moment what is due and written", "for",
				handOver.String())
			timer := time.NewTimer(handOver)
			defer timer.Stop()
			<-timer.C
		}
	}()
	return ctx
}

// lost is why a process ended without being told to: election.ErrTaken, nil for any other reason.
func lost(lock *election.Lock) error {
	if lock == nil {
		return nil
	}
	select {
	case <-lock.Lost():
		return election.ErrTaken
	default:
		return nil
	}
}
