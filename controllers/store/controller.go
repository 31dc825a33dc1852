// Package store says of every Store whether it can work, where its platforms post to, and
// how its leads are doing.
package store

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
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
	"cartrecovery.dev/operator/internal/ai"
	"cartrecovery.dev/operator/internal/index"
	"cartrecovery.dev/operator/internal/secrets"
)

const (
	// concurrency is how many Stores are handled at once.
	concurrency = 8
	// reconcileTimeout bounds one pass.
	reconcileTimeout = time.Minute
	// minBackoff and maxBackoff bound the pause after an error.
	minBackoff = time.Second
	maxBackoff = 2 * time.Minute
)

// Pace is how often a Store is looked at again. What is zero takes its default.
type Pace struct {
	// Count is the least time between two counts of a Store's leads. Default 30s.
	Count time.Duration
	// Recheck is when a Store's Secrets are looked for again, which nobody tells us of.
	// Default 60s.
	Recheck time.Duration
	// RecheckMissing is the same while one is missing. Default 15s.
	RecheckMissing time.Duration
}

// TokenLedger is how many AI tokens each Store used in a day, in the leader's memory.
type TokenLedger interface {
	// Used is how many tokens a Store used on a day, in its time zone, as 2006-01-02.
	Used(store types.NamespacedName, day string) int64
	// Seed tells how many it is known to have used at least; more are not forgotten.
	Seed(store types.NamespacedName, day string, used int64)
}

// Reconciler keeps the status of Stores.
type Reconciler struct {
	// Client reads from the cache and writes.
	Client client.Client
	// Secrets looks for the Secrets that Stores refer to.
	Secrets *secrets.Reader
	// AI says whether a Store's endpoint may be called; nil leaves that to the calls.
	AI *ai.Settings
	// Clock tells the time.
	Clock clock.PassiveClock
	// Recorder emits events on transitions.
	Recorder events.EventRecorder
	// PublicURL is where the webhook server can be reached from outside, "" when unknown.
	PublicURL string
	// HasAIKey: the operator has an API key of its own for Stores without one.
	HasAIKey bool
	// Tokens is told what leads and status say of today's tokens, which is how it learns of
	// them after a start, and is what the status then shows. nil leaves status.tokens alone.
	Tokens TokenLedger
	// Pace is how often a Store is looked at again.
	Pace Pace
	// Rand returns a number in [0,1) for jitter. Default math/rand.
	Rand func() float64
	// SkipNameValidation allows several controllers of this name in one process.
	SkipNameValidation bool

	mu      sync.Mutex
	counted map[types.NamespacedName]counted
}

// counted is the last count of a Store's leads.
type counted struct {
	at time.Time
	// restored is how many waited until it is known what was sent before a restore.
	restored int
}

// +kubebuilder:rbac:groups=cartrecovery.dev,resources=stores,verbs=get;list;watch
// +kubebuilder:rbac:groups=cartrecovery.dev,resources=stores/status,verbs=patch
// +kubebuilder:rbac:groups=cartrecovery.dev,resources=cartrecoveries,verbs=get;list;watch
// +kubebuilder:rbac:groups="",resources=secrets,verbs=get
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// SetupWithManager adds the controller to the manager. The cache must have the indexes of
// internal/index.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager) error {
	if err := r.complete(); err != nil {
		return err
	}
	return ctrl.NewControllerManagedBy(mgr).
		Named("store").
		For(&v1alpha1.Store{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		// A clientID never changes, so only Stores that come or go matter to others.
		Watches(&v1alpha1.Store{}, handler.EnqueueRequestsFromMapFunc(r.rivalsOf), builder.WithPredicates(
			predicate.Funcs{UpdateFunc: func(event.UpdateEvent) bool { return false }},
		)).
		WithOptions(controller.Options{
			MaxConcurrentReconciles: concurrency,
			RateLimiter:             workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](minBackoff, maxBackoff),
			ReconciliationTimeout:   reconcileTimeout,
			SkipNameValidation:      &r.SkipNameValidation,
		}).
		Complete(r)
}

// complete rejects missing dependencies and fills in defaults.
func (r *Reconciler) complete() error {
	for name, missing := range map[string]bool{
		"Client": r.Client == nil, "Secrets": r.Secrets == nil, "Clock": r.Clock == nil, "Recorder": r.Recorder == nil,
	} {
		if missing {
			return fmt.Errorf("store controller: %s is needed", name)
		}
	}
	for _, setting := range []struct {
		value     *time.Duration
		otherwise time.Duration
	}{
		{&r.Pace.Count, 30 * time.Second},
		{&r.Pace.Recheck, time.Minute},
		{&r.Pace.RecheckMissing, 15 * time.Second},
	} {
		if *setting.value <= 0 {
			*setting.value = setting.otherwise
		}
	}
	if r.Rand == nil {
		r.Rand = rand.Float64
	}
	r.counted = map[types.NamespacedName]counted{}
	return nil
}

// Reconcile looks at one Store and writes what there is to say of it.
func (r *Reconciler) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	store := &v1alpha1.Store{}
	err := r.Client.Get(ctx, request.NamespacedName, store)
	if apierrors.IsNotFound(err) {
		r.forget(request.NamespacedName)
		return reconcile.Result{}, nil
	}
	if err != nil {
		return reconcile.Result{}, fmt.Errorf("read Store: %w", err)
	}
	seen, err := r.look(ctx, store)
	if err != nil {
		return reconcile.Result{}, err
	}
	findings := plan(seen)
	if err := r.write(ctx, store, findings); err != nil {
		return reconcile.Result{}, err
	}
	return reconcile.Result{RequeueAfter: r.after(findings), Priority: new(0)}, nil
}

// after is when to look again, spread so that Stores do not all come at once.
func (r *Reconciler) after(found findings) time.Duration {
	pause := r.Pace.Recheck
	if found.leads != nil {
		pause = min(pause, r.Pace.Count)
	}
	if found.reason == v1alpha1.ReasonSecretNotFound || found.reason == v1alpha1.ReasonSecretNotAllowed {
		pause = min(pause, r.Pace.RecheckMissing)
	}
	return pause + time.Duration(float64(pause)*r.Rand()/6)
}

// rivalsOf are the other Stores, in any namespace, that claim the same clientID.
func (r *Reconciler) rivalsOf(ctx context.Context, object client.Object) []reconcile.Request {
	store, ok := object.(*v1alpha1.Store)
	if !ok {
		return nil
	}
	var claimants v1alpha1.StoreList
	if err := r.Client.List(ctx, &claimants, client.MatchingFields{index.StoreByClientID: store.Spec.ClientID}); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "list the Stores of a clientID")
		return nil
	}
	var requests []reconcile.Request
	for i := range claimants.Items {
		if claimants.Items[i].UID != store.UID {
			requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&claimants.Items[i])})
		}
	}
	return requests
}
