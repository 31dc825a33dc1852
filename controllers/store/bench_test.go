package store

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/index"
)

// manyLeads makes leads of several Stores, as they are when most were bought.
func manyLeads(stores, each int) []v1alpha1.CartRecovery {
	leads := make([]v1alpha1.CartRecovery, 0, stores*each)
	for store := range stores {
		for n := range each {
			leads = append(leads, recovered("197.90", "BRL", func(l *v1alpha1.CartRecovery) {
				l.Name, l.Spec.StoreRef.Name = fmt.Sprintf("hotmart-%d-%d", store, n), fmt.Sprintf("store-%d", store)
				l.Status.Conversation = []v1alpha1.Message{
					{ID: "1", Role: v1alpha1.RoleAssistant, At: v1alpha1.NewTimestamp(now), Tokens: 120},
					{ID: "2", Role: v1alpha1.RoleCustomer, At: v1alpha1.NewTimestamp(now)},
					{ID: "3", Role: v1alpha1.RoleAssistant, At: v1alpha1.NewTimestamp(now.Add(-48 * time.Hour)),
						Tokens: 120},
				}
			}))
		}
	}
	return leads
}

// What is allocated does not grow with the leads.
func TestCountAllocatesAFewTimes(t *testing.T) {
	leads, today := manyLeads(1, 1000), dayOf(now, zone(t, "America/Sao_Paulo"))
	few := testing.AllocsPerRun(10, func() { count(leads[:10], today) })
	if many := testing.AllocsPerRun(10, func() { count(leads, today) }); many > few+2 {
		t.Errorf("%.0f allocations for 1000 leads, %.0f for 10", many, few)
	}
}

func BenchmarkCount100000(b *testing.B) {
	place, err := time.LoadLocation("America/Sao_Paulo")
	if err != nil {
		b.Fatal(err)
	}
	leads, today := manyLeads(1, 100_000), dayOf(now, place)
	b.ReportAllocs()
	for b.Loop() {
		if count(leads, today).leads.Recovered != 100_000 {
			b.Fatal("miscounted")
		}
	}
}

// The manager's cache, with 100 Stores of 1,000 leads in one namespace: by the index that a
// Store's leads are counted with, and by the namespace, which holds those of the others too.
func BenchmarkListOneStoreOf100(b *testing.B) {
	reader := cacheOf(b, manyLeads(100, 1000))
	for name, options := range map[string][]client.ListOption{
		"index": {client.InNamespace(gen.Namespace), client.UnsafeDisableDeepCopy,
			client.MatchingFields{index.LeadOfStore: "store-7"}},
		"namespace": {client.InNamespace(gen.Namespace), client.UnsafeDisableDeepCopy},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				var leads v1alpha1.CartRecoveryList
				if err := reader.List(b.Context(), &leads, options...); err != nil {
					b.Fatal(err)
				}
				if len(leads.Items) < 1000 {
					b.Fatalf("%d leads", len(leads.Items))
				}
			}
		})
	}
}

// cacheOf is a manager's cache that is fed from memory.
func cacheOf(b *testing.B, leads []v1alpha1.CartRecovery) client.Reader {
	b.Helper()
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		b.Fatal(err)
	}
	mapper := meta.NewDefaultRESTMapper(nil)
	mapper.Add(v1alpha1.GroupVersion.WithKind("CartRecovery"), meta.RESTScopeNamespace)
	source := &toolscache.ListWatch{
		ListWithContextFunc: func(context.Context, metav1.ListOptions) (runtime.Object, error) {
			return &v1alpha1.CartRecoveryList{Items: leads}, nil
		},
		WatchFuncWithContext: func(context.Context, metav1.ListOptions) (watch.Interface, error) {
			return watch.NewFake(), nil
		},
	}
	made, err := cache.New(&rest.Config{}, cache.Options{
		Scheme: scheme, Mapper: mapper, HTTPClient: http.DefaultClient,
		NewInformer: func(_ toolscache.ListerWatcher, object runtime.Object, resync time.Duration,
			indexers toolscache.Indexers) toolscache.SharedIndexInformer {
			return toolscache.NewSharedIndexInformer(notStreaming{source}, object, resync, indexers)
		},
	})
	if err != nil {
		b.Fatal(err)
	}
	register(b, made)
	ctx, stop := context.WithCancel(b.Context())
	ended := make(chan error, 1)
	go func() { ended <- made.Start(ctx) }()
	b.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			b.Error(err)
		}
	})
	if !made.WaitForCacheSync(ctx) {
		b.Fatal("the cache was not filled")
	}
	return made
}

// notStreaming has the informer list, and not watch for a list.
type notStreaming struct{ toolscache.ListerWatcher }

// IsWatchListSemanticsUnSupported says so to client-go.
func (notStreaming) IsWatchListSemanticsUnSupported() bool { return true }

// register adds the index of leads alone: the cache has no other objects.
func register(b *testing.B, made cache.Cache) {
	b.Helper()
	if err := index.Register(b.Context(), onlyLeads{made}, nil); err != nil {
		b.Fatal(err)
	}
}

type onlyLeads struct{ client.FieldIndexer }

func (o onlyLeads) IndexField(ctx context.Context, object client.Object, field string,
	values client.IndexerFunc) error {
	if _, ok := object.(*v1alpha1.CartRecovery); !ok {
		return nil
	}
	return o.FieldIndexer.IndexField(ctx, object, field, values)
}
