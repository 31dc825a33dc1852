package cli

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
)

// paged answers lists with pages as the API server writes them, by the token that asks for each.
type paged struct {
	client.Reader
	pages map[string]string
}

func (p *paged) List(_ context.Context, list client.ObjectList, options ...client.ListOption) error {
	page, has := p.pages[(&client.ListOptions{}).ApplyOptions(options).Continue]
	if !has {
		return errors.New("there is no such page")
	}
	return json.Unmarshal([]byte(page), list)
}

// TestPagesAreReadByThemselves: an object has nothing of the one that stood in its place on the page before.
func TestPagesAreReadByThemselves(t *testing.T) {
	reader := &paged{pages: map[string]string{
		"": `{"metadata":{"continue":"2"},"items":[{"metadata":{"name":"a","labels":{"cartrecovery.dev/import-ended":""}},
			"spec":{"suspend":true},"status":{"completionTime":"2026-03-02T12:00:00Z"}}]}`,
		"2": `{"metadata":{"continue":""},"items":[{"metadata":{"name":"b"},"spec":{}}]}`,
	}}
	var got []string
	err := pages(t.Context(), reader, nil, func(list *v1alpha1.CartRecoveryList) {
		for i := range list.Items {
			each := &list.Items[i]
			what := each.Name
			if each.Spec.Suspend {
				what += " suspended"
			}
			if len(each.Labels) > 0 {
				what += " labelled"
			}
			if each.Status.CompletionTime != nil {
				what += " completed"
			}
			got = append(got, what)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a suspended labelled completed", "b"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
