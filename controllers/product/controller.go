// Package product says of every Product whether leads can be recovered with it.
package product

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
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/index"
	"cartrecovery.dev/operator/internal/panics"
	"cartrecovery.dev/operator/internal/status"
)

const (
	// concurrency is how many Products are handled at once.
	concurrency = 8
	// reconcileTimeout bounds one pass.
	reconcileTimeout = time.Minute
	// minBackoff and maxBackoff bound the pause after an error.
	minBackoff = time.Second
	maxBackoff = 2 * time.Minute
)

// Reconciler keeps the status of Products.
type Reconciler struct {
	// Client reads from the cache and writes.
	Client client.Client
	// Clock tells the time.
	Clock clock.PassiveClock
	// Recorder emits events on transitions.
	Recorder events.EventRecorder
	// SkipNameValidation allows several controllers of this name in one process.
	SkipNameValidation bool
}

// +kubebuilder:rbac:groups=cartrecovery.dev,resources=products,verbs=list;watch
// +kubebuilder:rbac:groups=cartrecovery.dev,resources=products/status,verbs=patch
// +kubebuilder:rbac:groups=cartrecovery.dev,resources=stores,verbs=list;watch
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// SetupWithManager adds the controller to the manager. The cache must have the indexes of
// internal/index.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager) error {
	for name, missing := range map[string]bool{"Client": r.Client == nil, "Clock": r.Clock == nil,
		"Recorder": r.Recorder == nil} {
		if missing {
			return fmt.Errorf("product controller: %s is needed", name)
		}
	}
	return ctrl.NewControllerManagedBy(mgr).
		Named("product").
		For(&v1alpha1.Product{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&v1alpha1.Product{}, handler.EnqueueRequestsFromMapFunc(panics.Map(r.rivalsOf)),
			builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		// A Product's policy is its Store's where it has none of its own.
		Watches(&v1alpha1.Store{}, handler.EnqueueRequestsFromMapFunc(panics.Map(r.ofStore)),
			builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		WithOptions(controller.Options{
			MaxConcurrentReconciles: concurrency,
			RateLimiter: workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](minBackoff,
				maxBackoff),
			ReconciliationTimeout: reconcileTimeout,
			SkipNameValidation:    &r.SkipNameValidation,
		}).
		Complete(panics.Reconciler(r, r.Client, r.Recorder, func() client.Object { return &v1alpha1.Product{} }))
}

// Reconcile looks at one Product and writes what there is to say of it. Everything it
// depends on is watched, so nothing is periodic.
func (r *Reconciler) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	product := &v1alpha1.Product{}
	if err := r.Client.Get(ctx, request.NamespacedName, product); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	seen, err := r.look(ctx, product)
	if err != nil {
		return reconcile.Result{}, err
	}
	return status.Requeue(reconcile.Result{}, r.write(ctx, product, plan(seen)))
}

// rivalsOf are the other Products that claim one of the same ids. After a change it is called for the old ids as well.
func (r *Reconciler) rivalsOf(ctx context.Context, object client.Object) []reconcile.Request {
	product, ok := object.(*v1alpha1.Product)
	if !ok {
		return nil
	}
	rivals, err := r.rivals(ctx, product)
	if err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "Cannot list the Products of an id")
		return nil
	}
	return requests(rivals)
}

// ofStore are the Products of a Store.
func (r *Reconciler) ofStore(ctx context.Context, store client.Object) []reconcile.Request {
	var products v1alpha1.ProductList
	if err := r.Client.List(ctx, &products, client.InNamespace(store.GetNamespace()),
		client.MatchingFields{index.ProductByStore: store.GetName()}); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "Cannot list the Products of a Store", "store", store.GetName())
		return nil
	}
	return requests(products.Items)
}

func requests(products []v1alpha1.Product) []reconcile.Request {
	all := make([]reconcile.Request, 0, len(products))
	for i := range products {
		all = append(all, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&products[i])})
	}
	return all
}
