package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	"cartrecovery.dev/operator/hack/sandbox"
	"cartrecovery.dev/operator/internal/simulator"
	"cartrecovery.dev/operator/internal/testenv"
)

// failoverBench measures what customers notice of the end of a leader: two managers, a message
// due every tenth of a second, and a signal to the leader in the middle.
type failoverBench struct {
	plan
	cluster  *sandbox.Cluster
	services *sandbox.Services
	// args go to every manager.
	args []string

	mu       sync.Mutex
	arrived  map[string][]time.Time
	customer int
}

// runFailover ends leaders by each signal, some rounds each.
func runFailover(ctx context.Context, p plan, rounds int) (failed error) {
	b, err := newFailoverBench(ctx, p)
	if err != nil {
		return err
	}
	defer func() { failed = errors.Join(failed, b.services.Stop(), b.cluster.Stop()) }()
	leader, err := sandbox.StartManager(ctx, b.cluster, b.services)
	if err != nil {
		return err
	}
	managers := []*sandbox.Manager{leader}
	defer func() {
		for _, manager := range managers {
			failed = errors.Join(failed, manager.Stop())
		}
	}()
	b.args = []string{"--public-url=" + leader.URL}
	if err := prepareStore(ctx, b.cluster, b.services, b.plan); err != nil {
		return err
	}
	for _, end := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		for range rounds {
			standby, err := sandbox.StartManager(ctx, b.cluster, b.services, b.args...)
			if err != nil {
				return err
			}
			managers = append(managers, standby)
			late, twice, err := b.round(ctx, leader, standby, end)
			leader = standby
			if err != nil {
				return err
			}
			slices.Sort(late)
			over := len(late) - countUpTo(late, time.Second)
			late.print(end.String())
			sayf("  %d later than 1 s, %d twice", over, twice)
		}
	}
	return nil
}

func newFailoverBench(ctx context.Context, p plan) (*failoverBench, error) {
	sayf("a message every %s for %s, AI takes %s; the leader ends after a third", p.window/time.Duration(p.leads),
		p.window, p.ai)
	cluster, err := sandbox.StartCluster(ctx, filepath.Join(testenv.Root(), ".demo", "bench"))
	if err != nil {
		return nil, err
	}
	services, err := sandbox.StartServices(sandbox.Options{ForceSimulated: true, AILatency: func() time.Duration {
		return p.ai
	}})
	if err != nil {
		return nil, errors.Join(err, cluster.Stop())
	}
	b := &failoverBench{plan: p, cluster: cluster, services: services, arrived: map[string][]time.Time{}}
	services.Gateway.OnSent(func(sent simulator.SentMessage) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.arrived[sent.Number] = append(b.arrived[sent.Number], sent.ReceivedAt)
	})
	return b, nil
}

// round posts carts to the standby, ends the leader, and tells how late the messages were.
func (b *failoverBench) round(ctx context.Context, leader, standby *sandbox.Manager, end os.Signal) (lateness, int,
	error) {
	ending := time.AfterFunc(b.delay+b.window/3, func() { _ = leader.Signal(end) })
	defer ending.Stop()
	due := map[string]time.Time{}
	for start, n := time.Now(), 0; n < b.leads; n++ {
		at := start.Add(b.window * time.Duration(n) / time.Duration(b.leads)).Truncate(time.Millisecond)
		select {
		case <-time.After(time.Until(at)):
		case <-ctx.Done():
			return nil, 0, ctx.Err()
		}
		if err := postCart(ctx, standby, b.customer, at); err != nil {
			return nil, 0, err
		}
		due[phoneOf(b.customer)] = at.Add(b.delay)
		b.customer++
	}
	if err := b.wait(ctx, due); err != nil {
		return nil, 0, err
	}
	late, twice := b.lateness(due)
	return late, twice, nil
}

// wait waits until all have been written to.
func (b *failoverBench) wait(ctx context.Context, due map[string]time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, b.delay+2*time.Minute)
	defer cancel()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		late, _ := b.lateness(due)
		if len(late) == len(due) {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("only %d of %d messages reached the gateway", len(late), len(due))
		}
	}
}

func (b *failoverBench) lateness(due map[string]time.Time) (late lateness, twice int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for phone, at := range due {
		if times := b.arrived[phone]; len(times) > 0 {
			late = append(late, times[0].Sub(at))
			twice += len(times) - 1
		}
	}
	return late, twice
}

// countUpTo counts, in an ascending list, what is not longer than a limit.
func countUpTo(sorted lateness, limit time.Duration) int {
	count, _ := slices.BinarySearch(sorted, limit+1)
	return count
}
