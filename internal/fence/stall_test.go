package fence_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/fence"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/index"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/testenv"
)

// TestAStalledWatch has a cache that is behind: nothing is found in it before the fence says so,
// and everything once it does. One watches all namespaces, one this and another.
func TestAStalledWatch(t *testing.T) {
	env := testenv.ForTest(t)
	namespace, err := env.Namespace(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name, options := range map[string]cache.Options{
		"all namespaces":     {},
		"several namespaces": {DefaultNamespaces: map[string]cache.Config{namespace: {}, "default": {}}},
	} {
		t.Run(name, func(t *testing.T) {
			options.Scheme = env.Client.Scheme()
			held, stall := env.Stalling("cartrecoveries")
			leads, err := cache.New(held.Config, options)
			if err != nil {
				t.Fatal(err)
			}
			f, err := fence.New(t.Context(), leads, &v1alpha1.CartRecovery{}, 300*time.Millisecond)
			if err != nil {
				t.Fatal(err)
			}
			start(t, leads)
			// What it is told while nothing is held.
			if err := f.Await(t.Context(), namespace, makeLead(t, env.Client, namespace)); err != nil {
				t.Fatal(err)
			}
			stall.Hold()
			t.Cleanup(stall.Release)
			version := makeLead(t, env.Client, namespace)
			if err := f.Await(t.Context(), namespace, version); !errors.Is(err, fence.ErrNotSeen) {
				t.Fatalf("while its watch stands still: %v", err)
			}
			known := count(t, leads, namespace)
			stall.Release()
			if err := f.Await(t.Context(), namespace, version); err != nil {
				t.Fatal(err)
			}
			if now := count(t, leads, namespace); now != known+1 {
				t.Errorf("the cache has %d leads, and had %d before the fence", now, known)
			}
			live, err := index.NewLive(env.Client).Leads(t.Context(), namespace, gen.Store, labels())
			if err != nil || len(live) != count(t, leads, namespace) {
				t.Errorf("live: %d leads, %v", len(live), err)
			}
		})
	}
}

func start(t *testing.T, leads cache.Cache) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- leads.Start(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	if !leads.WaitForCacheSync(t.Context()) {
		t.Fatal("the cache was not filled")
	}
}

// makeLead makes a lead of gen's customer and returns its version.
func makeLead(t *testing.T, api client.Client, namespace string) string {
	t.Helper()
	made := gen.In(namespace, gen.Lead(time.Now()))
	made.Name, made.GenerateName = "", "hotmart-"
	made.Labels = lead.Labels(gen.Store, made.Spec.Customer)
	if err := api.Create(t.Context(), made); err != nil {
		t.Fatal(err)
	}
	return made.ResourceVersion
}

func labels() []string {
	customer := gen.Lead(time.Now()).Spec.Customer
	return lead.CustomerKeys(&customer)
}

func count(t *testing.T, reader client.Reader, namespace string) int {
	t.Helper()
	var leads v1alpha1.CartRecoveryList
	if err := reader.List(t.Context(), &leads, client.InNamespace(namespace)); err != nil {
		t.Fatal(err)
	}
	return len(leads.Items)
}
