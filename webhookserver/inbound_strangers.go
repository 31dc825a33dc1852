package webhookserver

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
)

// Messages of people that the cache knows no lead of are spaced. Nothing about them is stored, so no write holds them
// back, and each makes the API server look through the leads of its namespace.

const (
	// strangersPace is the time between two such messages of a namespace once strangersBurst have come at once.
	strangersPace  = 40 * time.Millisecond
	strangersBurst = 50
	// strangersMost is the longest that a delivery with such messages waits. It holds a connection, and a source,
	// which may be a gateway's that serves other tenants as well, has only some hundreds.
	strangersMost = 500 * time.Millisecond
	// idleStrangers is how many namespaces are remembered before those are looked for that are quiet.
	idleStrangers = 1024
)

// strangers is when the messages of a namespace that belong to no known lead are read. Make it with newStrangers.
type strangers struct {
	now   func() time.Time
	after func(time.Duration) <-chan time.Time

	mu sync.Mutex
	// next is when the burst of a namespace was used up, were no more to come.
	next map[string]time.Time
	// sweepAt is with how many namespaces those are looked for that are quiet.
	sweepAt int
}

func newStrangers() *strangers {
	return &strangers{now: time.Now, after: time.After, next: map[string]time.Time{}}
}

// strangersTurn has a message wait of whose customer the cache knows none of these leads: it returns at once
// where there are some, and where another message of the same delivery has waited.
func (s *Server) strangersTurn(ctx context.Context, instance *v1alpha1.WhatsAppInstance,
	known []v1alpha1.CartRecovery) error {
	if len(known) > 0 {
		return nil
	}
	if with := inboundDeliveryOf(ctx); with != nil {
		if with.waited {
			s.strangers.reserve(instance.Namespace)
			return nil
		}
		with.waited = true
	}
	return s.strangers.wait(ctx, instance.Namespace)
}

// wait returns when the next message of a namespace may be read.
func (s *strangers) wait(ctx context.Context, namespace string) error {
	wait := s.reserve(namespace)
	if wait == 0 {
		return nil
	}
	select {
	case <-s.after(wait):
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for other messages in namespace %s: %w", namespace, ctx.Err())
	}
}

// reserve takes the next place of a namespace, and returns how long that is from now. Who waits as long as
// anybody does takes none.
func (s *strangers) reserve(namespace string) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	next := s.next[namespace]
	if earliest := now.Add(-strangersBurst * strangersPace); next.Before(earliest) {
		next = earliest
	}
	next = next.Add(strangersPace)
	if next.Sub(now) > strangersMost {
		return strangersMost
	}
	s.sweep(now)
	s.next[namespace] = next
	return max(next.Sub(now), 0)
}

// sweep forgets the namespaces that are quiet. The caller holds the lock.
func (s *strangers) sweep(now time.Time) {
	if len(s.next) < max(s.sweepAt, idleStrangers) {
		return
	}
	maps.DeleteFunc(s.next, func(_ string, next time.Time) bool {
		return now.Sub(next) >= strangersBurst*strangersPace
	})
	s.sweepAt = 2 * len(s.next)
}
