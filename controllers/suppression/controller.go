// Package suppression says of every Suppression whether it holds, gives it the labels by which a customer's objects
// are found, and has a keyed one take its place when the customer's number is to be erased.
package suppression

import (
	"context"
	"fmt"
	"time"

	"k8s.io/client-go/tools/events"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/panics"
	"cartrecovery.dev/operator/internal/status"
	"cartrecovery.dev/operator/internal/suppressionkeys"
)

const (
	// concurrency is how many Suppressions are handled at once.
	concurrency = 8
	// reconcileTimeout bounds one pass.
	reconcileTimeout = time.Minute
	// minBackoff and maxBackoff bound the pause after an error.
	minBackoff = time.Second
	maxBackoff = 2 * time.Minute
)

// Reconciler keeps the status and the labels of Suppressions. Whether a number is written to
// does not depend on it: who sends reads the spec.
type Reconciler struct {
	// Client reads from the cache and writes.
	Client client.Client
	// Live reads from the API server.
	Live client.Reader
	// Keys make and recognise keyed Suppressions; nil for none.
	Keys *suppressionkeys.Keys
	// Clock tells the time.
	Clock clock.PassiveClock
	// Recorder emits events on transitions.
	Recorder events.EventRecorder
	// SkipNameValidation allows several controllers of this name in one process.
	SkipNameValidation bool
}

// +kubebuilder:rbac:groups=cartrecovery.dev,resources=suppressions,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=cartrecovery.dev,resources=suppressions/status,verbs=patch
// +kubebuilder:rbac:groups=cartrecovery.dev,resources=stores,verbs=list;watch
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// SetupWithManager adds the controller to the manager.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager) error {
	for name, missing := range map[string]bool{"Client": r.Client == nil, "Live": r.Live == nil,
		"Clock": r.Clock == nil, "Recorder": r.Recorder == nil} {
		if missing {
			return fmt.Errorf("suppression controller: %s is needed", name)
		}
	}
	return ctrl.NewControllerManagedBy(mgr).
		Named("suppression").
		For(&v1alpha1.Suppression{}, builder.WithPredicates(
			predicate.Or(predicate.GenerationChangedPredicate{}, predicate.LabelChangedPredicate{},
				predicate.AnnotationChangedPredicate{}),
		)).
		Watches(&v1alpha1.Store{}, handler.EnqueueRequestsFromMapFunc(panics.Map(r.ofStore)),
			builder.WithPredicates(appearance())).
		WithOptions(controller.Options{
			MaxConcurrentReconciles: concurrency,
			RateLimiter: workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](minBackoff,
				maxBackoff),
			ReconciliationTimeout: reconcileTimeout,
			SkipNameValidation:    &r.SkipNameValidation,
		}).
		Complete(panics.Reconciler(r, r.Client, r.Recorder, func() client.Object { return &v1alpha1.Suppression{} }))
}

// appearance lets through that a Store was made or is gone. The Stores that are there when
// the manager starts are in the cache before the first Suppression is looked at.
func appearance() predicate.Funcs {
	return predicate.Funcs{
		CreateFunc: func(made event.CreateEvent) bool { return !made.IsInInitialList },
		UpdateFunc: func(event.UpdateEvent) bool { return false },
	}
}

// Reconcile looks at one Suppression and writes what there is to say of it, and comes back
// when it lapses.
func (r *Reconciler) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	suppression := &v1alpha1.Suppression{}
	if err := r.Client.Get(ctx, request.NamespacedName, suppression); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	if suppression.DeletionTimestamp != nil {
		return reconcile.Result{}, nil
	}
	seen, err := r.look(ctx, suppression)
	if err != nil {
		return reconcile.Result{}, err
	}
	found := plan(seen)
	if found.erase {
		return status.Requeue(reconcile.Result{}, r.erase(ctx, suppression))
	}
	if len(found.labels) > 0 {
		// The write comes back as a change, and the spec may be another by then.
		return reconcile.Result{}, r.label(ctx, suppression, found.labels)
	}
	return status.Requeue(reconcile.Result{RequeueAfter: found.again}, r.write(ctx, suppression, found))
}

// ofStore are the Suppressions of a Store.
func (r *Reconciler) ofStore(ctx context.Context, store client.Object) []reconcile.Request {
	var all v1alpha1.SuppressionList
	if err := r.Client.List(ctx, &all, client.InNamespace(store.GetNamespace()),
		client.UnsafeDisableDeepCopy); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "Cannot list the Suppressions of a Store", "store", store.GetName())
		return nil
	}
	var requests []reconcile.Request
	for i := range all.Items {
		if all.Items[i].Spec.StoreRef.Name == store.GetName() {
			requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&all.Items[i])})
		}
	}
	return requests
}
