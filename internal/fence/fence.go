// Package fence makes a look-up in the cache know everything that was written before a moment.
//
// The moment is a write of one's own: its resourceVersion orders it among all writes of the
// same resource, and once this process's cache has taken it in, the cache knows every object
// that was written before. What is written after it can see the write. So whoever writes first
// and looks then misses nothing, at the cost of a look-up in an index; a list from the API
// server costs time for each object of the namespace.
package fence

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/features"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/internal/panics"
)

// DefaultWait is how long a write is awaited by default. A watch delivers within milliseconds;
// one that does not is behind, and the API server is asked instead.
const DefaultWait = 500 * time.Millisecond

// ErrNotSeen says that the cache has not taken a write in. What it says of the time before the
// write cannot be relied on: list live.
var ErrNotSeen = errors.New("the cache has not seen the write in time")

// Informers hand out the informer of a kind; a manager's cache does.
type Informers interface {
	GetInformer(ctx context.Context, object client.Object, options ...cache.InformerGetOption) (cache.Informer, error)
}

// Fence knows how far the cache of one kind is. Its methods may be called concurrently.
type Fence struct {
	wait time.Duration
	// whole says that one informer watches all namespaces, so that they have one line.
	whole bool
	// blind says that the cache does not tell how far it is.
	blind bool

	mu    sync.Mutex
	lines map[string]*line
}

// line is how far the informer of a namespace is.
type line struct {
	seen    uint64
	waiting []waiter
}

type waiter struct {
	version uint64
	seen    chan struct{}
}

// New returns the Fence of a kind, which awaits each write for wait at the longest; zero for
// DefaultWait. Call it before the manager starts, so that the handler sees the first list too.
func New(ctx context.Context, informers Informers, object client.Object, wait time.Duration) (*Fence, error) {
	if wait <= 0 {
		wait = DefaultWait
	}
	f := &Fence{wait: wait, lines: map[string]*line{}}
	// Without it a list replaces the store object by object, in no order, and what a handler is
	// told says nothing of the rest.
	f.blind = !features.FeatureGates().Enabled(features.AtomicFIFO)
	informer, err := informers.GetInformer(ctx, object, cache.BlockUntilSynced(false))
	if err != nil {
		return nil, fmt.Errorf("get the informer of a fence: %w", err)
	}
	// A cache of several namespaces has an informer for each, whose handlers are told of one
	// namespace; it is no SharedIndexInformer itself.
	_, f.whole = informer.(toolscache.SharedIndexInformer)
	if _, err := informer.AddEventHandler(f.handler()); err != nil { //nolint:contextcheck // an informer has none
		return nil, fmt.Errorf("watch the informer of a fence: %w", err)
	}
	return f, nil
}

// handler learns from an informer. Handlers run after the store has changed: a list replaces
// it, and a batch of events is applied, as a whole before the first of them is told. So what a
// handler is told is what look-ups find, unlike the informer's LastSyncResourceVersion, which
// the reflector sets before the store has anything.
func (f *Fence) handler() toolscache.ResourceEventHandler {
	return toolscache.ResourceEventHandlerFuncs{
		AddFunc:    f.safely,
		UpdateFunc: func(_, object any) { f.safely(object) },
		// A tombstone's object is an old one and is passed over; a delete that was watched has
		// the version of the deletion.
		DeleteFunc: f.safely,
	}
}

// safely notes an object in the informer's goroutine, whose panic would end the process.
func (f *Fence) safely(object any) {
	_ = panics.Do(context.Background(), panics.Watch, func() error {
		f.took(object)
		return nil
	})
}

// took notes that the store has an object.
func (f *Fence) took(object any) {
	meta, ok := object.(metav1.Object)
	if !ok {
		return
	}
	version, err := strconv.ParseUint(meta.GetResourceVersion(), 10, 64)
	if err != nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	at := f.line(meta.GetNamespace())
	if version <= at.seen {
		return
	}
	at.seen = version
	at.waiting = slices.DeleteFunc(at.waiting, func(w waiter) bool {
		if w.version > version {
			return false
		}
		close(w.seen)
		return true
	})
}

func (f *Fence) line(namespace string) *line {
	if f.whole {
		namespace = ""
	}
	at := f.lines[namespace]
	if at == nil {
		at = &line{}
		f.lines[namespace] = at
	}
	return at
}

// Await waits until the cache has taken in a write of this version in a namespace. Then the
// cache's indexes know every object of the namespace that was written before. It returns
// ErrNotSeen when that takes too long or cannot be told. Versions compare within one kind:
// those of other kinds fence nothing.
func (f *Fence) Await(ctx context.Context, namespace, resourceVersion string) error {
	version, err := strconv.ParseUint(resourceVersion, 10, 64)
	if f == nil || f.blind || err != nil || version == 0 {
		return ErrNotSeen
	}
	seen := f.register(namespace, version)
	if seen == nil {
		return nil
	}
	timer := time.NewTimer(f.wait)
	defer timer.Stop()
	select {
	case <-seen:
		return nil
	case <-timer.C:
		err = ErrNotSeen
	case <-ctx.Done():
		err = ctx.Err()
	}
	f.forget(namespace, seen)
	return err
}

// register returns what is closed when the version was seen; nil when it was already.
func (f *Fence) register(namespace string, version uint64) chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	at := f.line(namespace)
	if at.seen >= version {
		return nil
	}
	seen := make(chan struct{})
	at.waiting = append(at.waiting, waiter{version, seen})
	return seen
}

func (f *Fence) forget(namespace string, seen chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	at := f.line(namespace)
	at.waiting = slices.DeleteFunc(at.waiting, func(w waiter) bool { return w.seen == seen })
}
