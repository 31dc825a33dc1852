package optouts_test

import (
	"context"
	"errors"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/optouts"
)

var errOther = errors.New("another customer's")

func suppression(finalizers ...string) *v1alpha1.Suppression {
	return &v1alpha1.Suppression{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "optout", Finalizers: finalizers},
		Spec: v1alpha1.SuppressionSpec{StoreRef: v1alpha1.ObjectReference{Name: "acme"},
			PhoneHash: "0123456789abcdef"},
	}
}

// complained has the reason be another one, which is a change that can be seen.
func complained(stored *v1alpha1.Suppression) (bool, error) {
	changes := stored.Spec.Reason != v1alpha1.SuppressionComplaint
	stored.Spec.Reason = v1alpha1.SuppressionComplaint
	return changes, nil
}

func TestKeep(t *testing.T) {
	conflict := apierrors.NewConflict(schema.GroupResource{Resource: "suppressions"}, "optout", nil)
	done := suppression()
	done.Spec.Reason = v1alpha1.SuppressionComplaint
	for name, row := range map[string]struct {
		there   *v1alpha1.Suppression
		deleted bool
		// refusals are what the first writes are answered with.
		refusals []error
		change   func(*v1alpha1.Suppression) (bool, error)
		want     optouts.Outcome
		err      error
	}{
		"there is none":              {nil, false, nil, complained, optouts.Created, nil},
		"one that says as much":      {done, false, nil, complained, optouts.Unchanged, nil},
		"one that does not":          {suppression(), false, nil, complained, optouts.Changed, nil},
		"somebody writes in between": {suppression(), false, []error{conflict}, complained, optouts.Changed, nil},
		"the API server does not take": {suppression(), false, []error{errOther}, complained, optouts.Unchanged,
			errOther},
		"one that is being deleted": {suppression("x/slow"), true, nil, complained, optouts.Unchanged,
			optouts.ErrLifting},
		"one that is another's": {suppression(), false, nil,
			func(*v1alpha1.Suppression) (bool, error) { return false, errOther }, optouts.Unchanged, errOther},
	} {
		t.Run(name, func(t *testing.T) {
			api := apiWith(t, row.there, row.deleted, row.refusals)
			got, err := optouts.Keep(t.Context(), api, api, suppression(), row.change)
			if got != row.want || !errors.Is(err, row.err) {
				t.Errorf("got %d and %v, want %d and %v", got, err, row.want, row.err)
			}
		})
	}
}

// apiWith is an API server with an object, and answers for the first patches.
func apiWith(t *testing.T, there *v1alpha1.Suppression, deleted bool, refusals []error) client.Client {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	building := fake.NewClientBuilder().WithScheme(scheme)
	if there != nil {
		building.WithObjects(there.DeepCopy())
	}
	api := building.WithInterceptorFuncs(interceptor.Funcs{Patch: func(ctx context.Context, c client.WithWatch,
		object client.Object, patch client.Patch, options ...client.PatchOption) error {
		if len(refusals) > 0 {
			refusal := refusals[0]
			refusals = refusals[1:]
			return refusal
		}
		return c.Patch(ctx, object, patch, options...)
	}}).Build()
	if deleted {
		if err := api.Delete(t.Context(), suppression()); err != nil {
			t.Fatal(err)
		}
	}
	return api
}
