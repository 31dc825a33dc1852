package status

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/events"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
)

var now = time.Date(2027, 3, 1, 12, 0, 0, 0, time.UTC)

// world is a Writer of Stores, the API server it writes to, and what came of it.
type world struct {
	t      *testing.T
	writer Writer[*v1alpha1.Store]
	events chan string
	writes int
}

func newWorld(t *testing.T, objects ...client.Object) *world {
	t.Helper()
	types := scheme.Scheme
	if err := v1alpha1.AddToScheme(types); err != nil {
		t.Fatal(err)
	}
	w := &world{t: t}
	recorder := events.NewFakeRecorder(10)
	w.events = recorder.Events
	w.writer = Writer[*v1alpha1.Store]{
		Kind: Kind[*v1alpha1.Store]{
			Name: "Store", Condition: v1alpha1.ConditionReady,
			Conditions: func(store *v1alpha1.Store) *[]metav1.Condition { return &store.Status.Conditions },
			Warns:      func(ready *metav1.Condition) bool { return ready.Status != metav1.ConditionTrue },
		},
		Client: fake.NewClientBuilder().WithScheme(types).WithObjects(objects...).
			WithStatusSubresource(&v1alpha1.Store{}).
			WithInterceptorFuncs(interceptor.Funcs{SubResourcePatch: func(ctx context.Context, c client.Client,
				resource string, object client.Object, patch client.Patch,
				options ...client.SubResourcePatchOption) error {
				w.writes++
				return c.SubResource(resource).Patch(ctx, object, patch, options...)
			}}).Build(),
		Recorder: recorder, Clock: clocktesting.NewFakePassiveClock(now),
	}
	return w
}

// read reads the Store.
func (w *world) read() *v1alpha1.Store {
	w.t.Helper()
	store := gen.StoreObject()
	if err := w.writer.Client.Get(w.t.Context(), client.ObjectKeyFromObject(store), store); err != nil {
		w.t.Fatal(err)
	}
	return store
}

// write writes a finding about a Store.
func (w *world) write(store *v1alpha1.Store, found Finding) error {
	w.t.Helper()
	return w.writer.Write(w.t.Context(), store, found, func(store *v1alpha1.Store) {
		store.Status.ObservedGeneration = store.Generation
	})
}

// wrote fails the test unless so many writes and these events came since the last call.
func (w *world) wrote(what string, writes int, want ...string) {
	w.t.Helper()
	var got []string
	for len(w.events) > 0 {
		got = append(got, <-w.events)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		w.t.Errorf("%s: events (-want +got):\n%s", what, diff)
	}
	if w.writes != writes {
		w.t.Errorf("%s: %d writes, want %d", what, w.writes, writes)
	}
	w.writes = 0
}

func TestWriteOfTransitions(t *testing.T) {
	w := newWorld(t, gen.StoreObject())
	missing := Finding{Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonSecretNotFound, Message: "needed"}
	ready := Finding{Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonReady, Message: "all there"}
	warned := ready
	warned.Warnings = []string{"spec.x never acts"}
	for _, step := range []struct {
		name   string
		found  Finding
		writes int
		events []string
	}{
		{"the first finding", missing, 1, []string{"Warning SecretNotFound needed"}},
		{"the same again", missing, 0, nil},
		{"another message of the same reason", Finding{Status: missing.Status, Reason: missing.Reason, Message: "b"}, 1,
			nil},
		{"all well", ready, 1, []string{"Normal Ready all there"}},
		{"a warning", warned, 1, []string{"Warning NeverActs spec.x never acts"}},
		{"the same warning again", warned, 0, nil},
		{"no warning any more", ready, 1, nil},
	} {
		if err := w.write(w.read(), step.found); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		w.wrote(step.name, step.writes, step.events...)
	}
	if apimeta.FindStatusCondition(w.read().Status.Conditions, v1alpha1.ConditionPolicyWarning) != nil {
		t.Error("the condition PolicyWarning stays when there is nothing to say")
	}
}

func TestWriteOfAnOldObject(t *testing.T) {
	w := newWorld(t, gen.StoreObject())
	old := w.read()
	shown := w.read()
	shown.Status.LastRejectedDelivery = &v1alpha1.RejectedDelivery{Reason: v1alpha1.RejectedBadCredential}
	if err := w.writer.Client.Status().Update(t.Context(), shown); err != nil {
		t.Fatal(err)
	}
	w.writes = 0

	found := Finding{Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonReady}
	err := w.write(old, found)
	if !apierrors.IsConflict(err) {
		t.Errorf("got error %v, want a conflict", err)
	}
	w.wrote("a conflict", 1)
	if got, err := Requeue(reconcile.Result{RequeueAfter: time.Hour, Priority: new(3)}, err); err != nil ||
		got.RequeueAfter != afterConflict || got.Priority == nil || *got.Priority != 3 {
		t.Errorf("after a conflict: %v, %v; want the pass again, soon", got, err)
	}

	if err := w.write(w.read(), found); err != nil {
		t.Fatal(err)
	}
	if w.read().Status.LastRejectedDelivery == nil {
		t.Error("what the webhook server wrote is gone")
	}
}

func TestWriteOfWhatIsGone(t *testing.T) {
	w := newWorld(t)
	if err := w.write(gen.StoreObject(), Finding{Status: metav1.ConditionTrue, Reason: "Reason"}); err != nil {
		t.Errorf("got error %v, want none", err)
	}
	w.wrote("an object that is gone", 1)
}

func TestWriteBoundsTheMessage(t *testing.T) {
	w := newWorld(t, gen.StoreObject())
	err := w.write(w.read(), Finding{
		Status: metav1.ConditionTrue, Reason: "Reason", Message: strings.Repeat("ã", 600),
	})
	if err != nil {
		t.Fatal(err)
	}
	store := w.read()
	if got := len([]rune(store.Status.Conditions[0].Message)); got != maxMessage {
		t.Errorf("the message has %d characters, want %d", got, maxMessage)
	}
	if store.Status.ObservedGeneration != store.Generation {
		t.Errorf("observed generation %d, want %d", store.Status.ObservedGeneration, store.Generation)
	}
}

// TestAnotherConditionIsTold: its changes, but neither its beginning nor what the first condition says already.
func TestAnotherConditionIsTold(t *testing.T) {
	w := newWorld(t, gen.StoreObject())
	w.writer.Tells = v1alpha1.ConditionCanSend
	with := func(reason, canSend string) Finding {
		found := Finding{Status: metav1.ConditionTrue, Reason: reason, Message: "all there"}
		status := metav1.ConditionFalse
		if canSend == v1alpha1.ReasonNumbersCanSend {
			status = metav1.ConditionTrue
		}
		found.Also = []metav1.Condition{{Type: v1alpha1.ConditionCanSend, Status: status, Reason: canSend,
			Message: "why"}}
		return found
	}
	ready := v1alpha1.ReasonReady
	for _, step := range []struct {
		name   string
		found  Finding
		events []string
	}{
		{"its beginning", with(ready, v1alpha1.ReasonNoNumber), []string{"Normal Ready all there"}},
		{"a change", with(ready, v1alpha1.ReasonNumbersCanSend), []string{"Normal NumbersCanSend why"}},
		{"a change for the worse", with(ready, v1alpha1.ReasonNoNumberCanSend),
			[]string{"Warning NoNumberCanSend why"}},
		{"what Ready says", with(v1alpha1.ReasonSuspended, v1alpha1.ReasonSuspended),
			[]string{"Normal Suspended all there"}},
	} {
		if err := w.write(w.read(), step.found); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		w.wrote(step.name, 1, step.events...)
	}
}
