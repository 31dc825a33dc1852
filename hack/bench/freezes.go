package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/hack/sandbox"
)

const (
	// frozenFor is how long a process is frozen: longer than the lease of a claim.
	frozenFor = 22 * time.Second
	// claimLease is how long after its claim a call may begin, as docs/architecture.md says.
	claimLease = 20 * time.Second
	// restFor is how long after a burst its outcomes are written.
	restFor = 3 * time.Second
)

// runFreezes freezes a manager that sends as much as it can, and counts what leaves it after it
// wakes up although it was claimed before it fell asleep.
func runFreezes(ctx context.Context, p plan, rounds int) (failed error) {
	b, err := newFailoverBench(ctx, p)
	if err != nil {
		return err
	}
	defer func() { failed = errors.Join(failed, b.services.Stop(), b.cluster.Stop()) }()
	manager, err := sandbox.StartManager(ctx, b.cluster, b.services, "--leader-elect=false")
	if err != nil {
		return err
	}
	defer func() { failed = errors.Join(failed, manager.Stop()) }()
	if err := prepareStore(ctx, b.cluster, b.services, b.plan); err != nil {
		return err
	}
	for n := range rounds {
		late, err := b.freeze(ctx, manager, n)
		if err != nil {
			return err
		}
		sayf("%d freezes of %s: %d messages left later than the lease of their claim", n+1, frozenFor, late)
	}
	return nil
}

// freeze stops the process in the middle of a burst.
func (b *failoverBench) freeze(ctx context.Context, manager *sandbox.Manager, round int) (int, error) {
	due := map[string]time.Time{}
	// All fall due at once: as many as there are workers are between their claim and the wire.
	at := time.Now().Truncate(time.Millisecond)
	for range b.leads {
		if err := postCart(ctx, manager, b.customer, at); err != nil {
			return 0, err
		}
		due[phoneOf(b.customer)] = at.Add(b.delay)
		b.customer++
	}
	select {
	// A little later within the burst each time.
	case <-time.After(time.Until(at.Add(b.delay + time.Duration(20+15*round)*time.Millisecond))):
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	if err := manager.Signal(syscall.SIGSTOP); err != nil {
		return 0, err
	}
	time.Sleep(frozenFor)
	if err := errors.Join(manager.Signal(syscall.SIGCONT), b.wait(ctx, due)); err != nil {
		return 0, err
	}
	time.Sleep(restFor)
	return b.pastTheirLease(ctx)
}

// pastTheirLease counts the messages that reached the gateway later than their claim allows.
func (b *failoverBench) pastTheirLease(ctx context.Context) (int, error) {
	var leads v1alpha1.CartRecoveryList
	if err := b.cluster.Client.List(ctx, &leads, client.InNamespace(benchNamespace)); err != nil {
		return 0, fmt.Errorf("list leads: %w", err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	count := 0
	for i := range leads.Items {
		for _, m := range leads.Items[i].Status.Conversation {
			times := b.arrived[strings.TrimPrefix(leads.Items[i].Spec.Customer.Phone, "+")]
			if len(times) > 0 && times[len(times)-1].Sub(m.At.Time) > claimLease {
				count++
			}
		}
	}
	return count, nil
}
