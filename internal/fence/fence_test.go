package fence

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
)

// told is an informer that tells what the test has it tell. One of several namespaces is no
// SharedIndexInformer.
type told struct {
	cache.Informer
	handler toolscache.ResourceEventHandler
}

func (t *told) AddEventHandler(handler toolscache.ResourceEventHandler) (toolscache.ResourceEventHandlerRegistration,
	error) {
	t.handler = handler
	return nil, nil
}

type whole struct {
	toolscache.SharedIndexInformer
	*told
}

func (w whole) AddEventHandler(handler toolscache.ResourceEventHandler) (toolscache.ResourceEventHandlerRegistration,
	error) {
	return w.told.AddEventHandler(handler)
}

type informers struct{ informer cache.Informer }

func (i informers) GetInformer(context.Context, client.Object, ...cache.InformerGetOption) (cache.Informer, error) {
	return i.informer, nil
}

func at(namespace string, version int) *v1alpha1.CartRecovery {
	return &v1alpha1.CartRecovery{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "a",
		ResourceVersion: strconv.Itoa(version)}}
}

func newFence(t *testing.T, informer cache.Informer) *Fence {
	t.Helper()
	f, err := New(t.Context(), informers{informer}, &v1alpha1.CartRecovery{}, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestAwait(t *testing.T) {
	add := func(namespace string, version int) func(toolscache.ResourceEventHandler) {
		return func(h toolscache.ResourceEventHandler) { h.OnAdd(at(namespace, version), false) }
	}
	for name, row := range map[string]struct {
		several bool
		before  func(toolscache.ResourceEventHandler)
		while   func(toolscache.ResourceEventHandler)
		version string
		want    error
	}{
		"seen before":                 {before: add("n", 7), version: "7"},
		"a later one was seen before": {before: add("n", 9), version: "7"},
		"seen while it waits":         {before: add("n", 6), while: add("n", 7), version: "7"},
		"a later one while it waits":  {while: add("n", 12), version: "7"},
		"an update": {while: func(h toolscache.ResourceEventHandler) {
			h.OnUpdate(at("n", 1), at("n", 7))
		}, version: "7"},
		"a deletion": {while: func(h toolscache.ResourceEventHandler) { h.OnDelete(at("n", 8)) },
			version: "7"},
		"only an earlier one":             {while: add("n", 6), version: "7", want: ErrNotSeen},
		"never":                           {version: "7", want: ErrNotSeen},
		"a tombstone tells nothing":       {while: tombstone, version: "7", want: ErrNotSeen},
		"versions are numbers, not texts": {before: add("n", 9), version: "10", want: ErrNotSeen},
		"another namespace, one informer": {while: add("m", 8), version: "7"},
		"another namespace's informer":    {several: true, while: add("m", 8), version: "7", want: ErrNotSeen},
		"its own namespace's informer":    {several: true, while: add("n", 8), version: "7"},
		"no version":                      {before: add("n", 9), version: "", want: ErrNotSeen},
		"no number":                       {before: add("n", 9), version: "7a", want: ErrNotSeen},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				source := &told{}
				var informer cache.Informer = whole{told: source}
				if row.several {
					informer = source
				}
				f := newFence(t, informer)
				if row.before != nil {
					row.before(source.handler)
				}
				got := make(chan error, 1)
				go func() { got <- f.Await(t.Context(), "n", row.version) }()
				synctest.Wait()
				if row.while != nil {
					row.while(source.handler)
				}
				if err := <-got; !errors.Is(err, row.want) {
					t.Errorf("got %v, want %v", err, row.want)
				}
				for namespace, line := range f.lines {
					if len(line.waiting) != 0 {
						t.Errorf("%d still wait in %q", len(line.waiting), namespace)
					}
				}
			})
		})
	}
}

func tombstone(h toolscache.ResourceEventHandler) {
	h.OnDelete(toolscache.DeletedFinalStateUnknown{Key: "n/a", Obj: at("n", 9)})
}

func TestAwaitEndsWithItsContext(t *testing.T) {
	f := newFence(t, &told{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := f.Await(ctx, "n", "7"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestNoFenceSeesNothing(t *testing.T) {
	if err := (*Fence)(nil).Await(t.Context(), "n", "7"); !errors.Is(err, ErrNotSeen) {
		t.Errorf("got %v", err)
	}
}
