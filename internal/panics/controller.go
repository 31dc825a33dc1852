package panics

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/failure"
)

// Told is the text of the event that a panic makes on its object.
const Told = "the operator has a fault that this object's data brings out: it is tried again, ever later; " +
	"the operator's log has the stack"

// Tell makes the event of a panic on an object.
func Tell(recorder events.EventRecorder, object client.Object) {
	recorder.Eventf(object, nil, corev1.EventTypeWarning, v1alpha1.ReasonInternalError, "Work", Told)
}

// Reconciler does what inner does. A panic is an error of the object's pass, which the controller tries again ever
// later, and an event on the object. made returns an empty object.
func Reconciler(
	inner reconcile.Reconciler, reader client.Reader, recorder events.EventRecorder, made func() client.Object,
) reconcile.Reconciler {
	return reconcile.Func(func(ctx context.Context, request reconcile.Request) (result reconcile.Result, err error) {
		err = Do(ctx, Reconcile, func() (failed error) {
			result, failed = inner.Reconcile(ctx, request)
			return failed
		})
		if failure.CodeOf(err) != failure.Fault {
			return result, err
		}
		// Reading the object may be what panicked.
		_ = Do(ctx, Reconcile, func() error {
			object := made()
			if err := reader.Get(ctx, request.NamespacedName, object); err != nil {
				return err
			}
			Tell(recorder, object)
			return nil
		})
		return reconcile.Result{}, err
	})
}

// Map is a handler.MapFunc whose panic concerns nobody: it runs in the informer's goroutine.
func Map(inner handler.MapFunc) handler.MapFunc {
	return func(ctx context.Context, object client.Object) []reconcile.Request {
		return Keep(ctx, Watch, nil, func() []reconcile.Request { return inner(ctx, object) })
	}
}

// Values is an index function whose panic leaves the object out of the index: it runs in the informer's
// goroutine.
func Values(inner client.IndexerFunc) client.IndexerFunc {
	return func(object client.Object) []string {
		return Keep(context.Background(), Index, nil, func() []string { return inner(object) })
	}
}

// Predicate is a predicate whose panic lets the change pass: it runs in the informer's goroutine.
func Predicate(inner predicate.Predicate) predicate.Predicate {
	passes := func(passes func() bool) bool { return Keep(context.Background(), Watch, true, passes) }
	return predicate.Funcs{
		CreateFunc:  func(e event.CreateEvent) bool { return passes(func() bool { return inner.Create(e) }) },
		UpdateFunc:  func(e event.UpdateEvent) bool { return passes(func() bool { return inner.Update(e) }) },
		DeleteFunc:  func(e event.DeleteEvent) bool { return passes(func() bool { return inner.Delete(e) }) },
		GenericFunc: func(e event.GenericEvent) bool { return passes(func() bool { return inner.Generic(e) }) },
	}
}
