package index_test

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/index"
)

// slowReader answers lists once it is told to, with a lead of two Stores each.
type slowReader struct {
	client.Reader
	answer       chan struct{}
	lists, pages atomic.Int32
}

func (r *slowReader) List(_ context.Context, list client.ObjectList, options ...client.ListOption) error {
	r.lists.Add(1)
	asked := (&client.ListOptions{}).ApplyOptions(options)
	if asked.Limit > 0 && asked.LabelSelector == nil {
		r.pages.Add(1)
	}
	<-r.answer
	other := gen.Lead(noon)
	other.Name, other.Spec.StoreRef.Name = "other", "another"
	list.(*v1alpha1.CartRecoveryList).Items = []v1alpha1.CartRecovery{*gen.Lead(noon), *other}
	return nil
}

// TestManyAskForAPage: what strangers can have listed is listed a few times, however many they are.
func TestManyAskForAPage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reader := &slowReader{answer: make(chan struct{})}
		live := index.NewLive(reader)
		const strangers = 50
		found := make(chan int, strangers)
		for range strangers {
			go func() {
				leads, err := live.Page(t.Context(), gen.Namespace, gen.Store)
				if err != nil {
					t.Error(err)
				}
				found <- len(leads)
			}()
		}
		synctest.Wait()
		close(reader.answer)
		for range strangers {
			if got := <-found; got != 1 {
				t.Errorf("%d leads of the Store, want 1", got)
			}
		}
		if lists := reader.lists.Load(); lists > 5 || lists != reader.pages.Load() {
			t.Errorf("%d lists, %d of them pages", lists, reader.pages.Load())
		}
	})
}

func TestTogether(t *testing.T) {
	named := func(names ...string) (leads []v1alpha1.CartRecovery) {
		for _, name := range names {
			made := *gen.Lead(noon)
			made.Name = name
			leads = append(leads, made)
		}
		return leads
	}
	for _, row := range []struct{ leads, more, want []string }{
		{nil, nil, nil},
		{[]string{"a"}, nil, []string{"a"}},
		{nil, []string{"a", "b"}, []string{"a", "b"}},
		{[]string{"b", "a"}, []string{"c", "a", "d", "b"}, []string{"b", "a", "c", "d"}},
	} {
		var got []string
		for _, each := range index.Together(named(row.leads...), named(row.more...)) {
			got = append(got, each.Name)
		}
		if !slices.Equal(got, row.want) {
			t.Errorf("%v and %v are %v", row.leads, row.more, got)
		}
	}
}
