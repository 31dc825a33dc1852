package shares

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	// DefaultWritesAtOnce is how many writes of one namespace are under way at once while others write too: at
	// 10 ms each some 200 a second. An API server that is slower gets no more of one tenant's at a time, and
	// stays quick for the others.
	DefaultWritesAtOnce = 2
	// aloneAtOnce is how many there are while no other namespace writes; aloneAfter is for how long none must have.
	aloneAtOnce = 32
	aloneAfter  = 10 * time.Second
)

// inTurn marks the contexts of writes that wait for their turn.
type inTurn struct{}

// InTurn is a context whose patches of a status wait for their namespace's turn. It is for what there can be
// much of and what can wait: claims, the messages of customers who write without end. What stops something,
// what was done already, and what would hold a worker while it waits, is written at once.
func InTurn(ctx context.Context) context.Context { return context.WithValue(ctx, inTurn{}, true) }

// Writes returns a client that has at most so many writes InTurn of each namespace under way at once, unless no other
// namespace writes. Further ones wait for their turn, in the order in which they came, until their context ends. All
// other writes, and reads, wait for nothing.
func Writes(inner client.Client, atOnce int, now func() time.Time) client.Client {
	return &sharedWriter{Client: inner, turns: &turns{atOnce: int64(atOnce), now: now, of: map[string]*turn{}}}
}

// turns are those of each namespace in which something is written.
type turns struct {
	atOnce int64
	now    func() time.Time
	mu     sync.Mutex
	of     map[string]*turn
	// last is who wrote last, and before whoever else did.
	last, before writing
}

// writing is a namespace and when something was written in it.
type writing struct {
	namespace string
	at        time.Time
}

// turn is the writes of a namespace.
type turn struct {
	// alone is what every write takes part of, shared also while other namespaces write.
	alone, shared *semaphore.Weighted
	// users is how many are under way or wait.
	users int
}

// do writes when it is the namespace's turn.
func (t *turns) do(ctx context.Context, namespace string, write func() error) error {
	if ctx.Value(inTurn{}) == nil {
		return write()
	}
	mine, isAlone := t.enter(namespace)
	defer t.leave(namespace, mine)
	if err := mine.alone.Acquire(ctx, 1); err != nil {
		return fmt.Errorf("wait for other writes in namespace %s: %w", namespace, err)
	}
	defer mine.alone.Release(1)
	if isAlone {
		return write()
	}
	if err := mine.shared.Acquire(ctx, 1); err != nil {
		return fmt.Errorf("wait for other writes in namespace %s: %w", namespace, err)
	}
	defer mine.shared.Release(1)
	return write()
}

// enter finds the turn of a namespace, and says whether no other one has written for a while.
func (t *turns) enter(namespace string) (mine *turn, isAlone bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	mine = t.of[namespace]
	if mine == nil {
		mine = &turn{alone: semaphore.NewWeighted(max(aloneAtOnce, t.atOnce)), shared: semaphore.NewWeighted(t.atOnce)}
		t.of[namespace] = mine
	}
	mine.users++
	now := t.now()
	if t.last.namespace != namespace {
		t.before = t.last
	}
	t.last = writing{namespace, now}
	return mine, now.Sub(t.before.at) >= aloneAfter
}

func (t *turns) leave(namespace string, mine *turn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if mine.users--; mine.users == 0 {
		delete(t.of, namespace)
	}
}

// sharedWriter has status writes wait for their turn. It passes errors on as they are: callers look at their kind.
type sharedWriter struct {
	client.Client
	turns *turns
}

func (w *sharedWriter) Status() client.SubResourceWriter {
	return &sharedStatus{SubResourceWriter: w.Client.Status(), turns: w.turns}
}

type sharedStatus struct {
	client.SubResourceWriter
	turns *turns
}

func (w *sharedStatus) Patch(
	ctx context.Context, object client.Object, patch client.Patch, options ...client.SubResourcePatchOption,
) error {
	return w.turns.do(ctx, object.GetNamespace(), func() error {
		return w.SubResourceWriter.Patch(ctx, object, patch, options...)
	})
}
