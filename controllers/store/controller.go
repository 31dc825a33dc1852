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
	"cartrecovery.dev/operator/internal/backoff"
	"cartrecovery.dev/operator/internal/index"
	"cartrecovery.dev/operator/internal/panics"
	"cartrecovery.dev/operator/internal/secrets"
	"cartrecovery.dev/operator/internal/status"
	"cartrecovery.dev/operator/internal/webhookkeys"
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

// Pace is how often a Store is looked at again. A field that is zero takes its default.
type Pace struct {
	// Count is the least time between two counts of a Store's leads. Default 30s.
	Count time.Duration
	// Recheck is how often a Store's Secrets are read again, because no watch tells of them. Default 60s.
	Recheck time.Duration
	// RecheckMissing is the same while a Secret is missing. Default 15s.
	RecheckMissing time.Duration
}

// TokenLedger is how many AI tokens each Store used in a day, in the leader's memory.
type TokenLedger interface {
	// Used is how many tokens a Store used on a day, in its time zone, as 2006-01-02.
	Used(store types.NamespacedName, day string) int64
	// Seed tells the least that the Store has used; a larger number that is known already stays.
	Seed(store types.NamespacedName, day string, used int64)
}

// Copies writes what a webhook server needs that may not read the Stores' Secrets; webhookkeys.Writer does.
type Copies interface {
	// PutStore copies the secrets of a Store's platforms.
	PutStore(ctx context.Context, store *v1alpha1.Store, now time.Time) error
	// Drop removes the copy of an object.
	Drop(ctx context.Context, kind webhookkeys.Kind, object types.NamespacedName) error
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
	// Copies writes for a webhook server in another process; nil where there is none.
	Copies Copies
	// Tokens learns from leads and status, after a start, what today's texts have used. The status shows its count. nil
	// leaves status.tokens alone.
	Tokens TokenLedger
	// Pace is how often a Store is looked at again.
	Pace Pace
	// Rand returns a number in [0,1) for jitter. Default math/rand.
	Rand backoff.Random
	// SkipNameValidation allows several controllers of this name in one process.
	SkipNameValidation bool
	// NoClaims leaves ClientIDClaims alone, where the process may not use what is in no namespace: the
	// oldest Store has a clientID then, and nothing keeps it once that Store is gone.
	NoClaims bool

	mu      sync.Mutex
	counted map[types.NamespacedName]counted
}

// counted is the last count of a Store's leads.
type counted struct {
	at time.Time
	// restored is how many waited until it is known what was sent before a restore.
	restored int
}

// +kubebuilder:rbac:groups=cartrecovery.dev,resources=stores,verbs=list;watch
// +kubebuilder:rbac:groups=cartrecovery.dev,resources=stores/status,verbs=patch
// +kubebuilder:rbac:groups=cartrecovery.dev,resources=clientidclaims,verbs=list;watch;create
// +kubebuilder:rbac:groups=cartrecovery.dev,resources=cartrecoveries,verbs=list;watch
// +kubebuilder:rbac:groups=cartrecovery.dev,resources=suppressions;whatsappinstances,verbs=list;watch
// +kubebuilder:rbac:groups="",resources=secrets,verbs=get
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// SetupWithManager adds the controller to the manager. The cache must have the indexes of
// internal/index.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager) error {
	if err := r.complete(); err != nil {
		return err
	}
	building := ctrl.NewControllerManagedBy(mgr)
	if !r.NoClaims {
		building.Watches(&v1alpha1.ClientIDClaim{}, handler.EnqueueRequestsFromMapFunc(r.claimantsOf))
	}
	return building.
		Named("store").
		For(&v1alpha1.Store{}, builder.WithPredicates(predicate.Or(
			predicate.GenerationChangedPredicate{}, r.refusesForKeys(),
		))).
		// A clientID never changes, so only Stores that come or go matter to others.
		Watches(&v1alpha1.Store{}, handler.EnqueueRequestsFromMapFunc(panics.Map(r.rivalsOf)), builder.WithPredicates(
			predicate.Funcs{UpdateFunc: func(event.UpdateEvent) bool { return false }},
		)).
		Watches(&v1alpha1.WhatsAppInstance{}, handler.EnqueueRequestsFromMapFunc(panics.Map(ofNumber)),
			builder.WithPredicates(matters())).
		WithOptions(controller.Options{
			MaxConcurrentReconciles: concurrency,
			RateLimiter: workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](minBackoff,
				maxBackoff),
			ReconciliationTimeout: reconcileTimeout,
			SkipNameValidation:    &r.SkipNameValidation,
		}).
		Complete(panics.Reconciler(r, r.Client, r.Recorder, func() client.Object { return &v1alpha1.Store{} }))
}

// copy keeps the copy of the secrets of a Store's platforms. A Store whose clientID another one has gets no deliveries,
// and has no copy.
func (r *Reconciler) copy(ctx context.Context, store *v1alpha1.Store, found findings) error {
	if r.Copies == nil {
		return nil
	}
	if found.Reason == v1alpha1.ReasonClientIDTaken {
		return r.dropCopy(ctx, client.ObjectKeyFromObject(store))
	}
	return r.Copies.PutStore(ctx, store, r.Clock.Now())
}

func (r *Reconciler) dropCopy(ctx context.Context, store types.NamespacedName) error {
	if r.Copies == nil {
		return nil
	}
	return r.Copies.Drop(ctx, webhookkeys.OfStore, store)
}

// refusesForKeys passes on that a delivery was refused which other keys might accept. Where there are copies, they are
// then compared with their sources.
func (r *Reconciler) refusesForKeys() predicate.Predicate {
	return predicate.Funcs{
		CreateFunc: func(event.CreateEvent) bool { return false }, DeleteFunc: func(event.DeleteEvent) bool {
			return false
		},
		GenericFunc: func(event.GenericEvent) bool { return false },
		UpdateFunc: func(change event.UpdateEvent) bool {
			before, isStore := change.ObjectOld.(*v1alpha1.Store)
			after, isToo := change.ObjectNew.(*v1alpha1.Store)
			if r.Copies == nil || !isStore || !isToo || after.Status.LastRejectedDelivery == nil {
				return false
			}
			was, is := before.Status.LastRejectedDelivery, after.Status.LastRejectedDelivery
			return webhookkeys.IsAboutKeys(is.Reason) && (was == nil || !was.Time.Equal(&is.Time) ||
				was.Reason != is.Reason)
		},
	}
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
		return reconcile.Result{}, r.dropCopy(ctx, request.NamespacedName)
	}
	if err != nil {
		return reconcile.Result{}, fmt.Errorf("read Store: %w", err)
	}
	seen, err := r.look(ctx, store)
	if err != nil {
		return reconcile.Result{}, err
	}
	findings := plan(seen)
	if findings.claims && !r.NoClaims {
		if err := r.claim(ctx, store); err != nil {
			return reconcile.Result{}, client.IgnoreAlreadyExists(err)
		}
	}
	// The copy goes first: who is told that the Store is Ready may post at once.
	if err := r.copy(ctx, store, findings); err != nil {
		return reconcile.Result{}, err
	}
	err = r.write(ctx, store, findings)
	if err != nil {
		// What was counted is not in the status, where the next pass would look for it.
		r.forget(request.NamespacedName)
	}
	return status.Requeue(reconcile.Result{RequeueAfter: r.after(findings), Priority: new(0)}, err)
}

// after is when to look again, spread so that Stores do not all come at once.
func (r *Reconciler) after(found findings) time.Duration {
	pause := r.Pace.Recheck
	if found.leads != nil {
		pause = min(pause, r.Pace.Count)
	}
	if found.Reason == v1alpha1.ReasonSecretNotFound || found.Reason == v1alpha1.ReasonSecretNotAllowed {
		pause = min(pause, r.Pace.RecheckMissing)
	}
	return backoff.Beyond(pause, 1.0/6, r.Rand)
}

// rivalsOf are the other Stores, in any namespace, that claim the same clientID.
func (r *Reconciler) rivalsOf(ctx context.Context, object client.Object) []reconcile.Request {
	store, ok := object.(*v1alpha1.Store)
	if !ok {
		return nil
	}
	return r.storesOf(ctx, store.Spec.ClientID, store.UID)
}

// claimantsOf are the Stores, in any namespace, of the clientID that a ClientIDClaim is of.
func (r *Reconciler) claimantsOf(ctx context.Context, object client.Object) []reconcile.Request {
	claim, ok := object.(*v1alpha1.ClientIDClaim)
	if !ok {
		return nil
	}
	return r.storesOf(ctx, claim.Spec.ClientID, "")
}

// storesOf are the Stores of a clientID but one.
func (r *Reconciler) storesOf(ctx context.Context, clientID string, but types.UID) []reconcile.Request {
	var claimants v1alpha1.StoreList
	if err := r.Client.List(ctx, &claimants, client.MatchingFields{index.StoreByClientID: clientID}); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "Cannot list the Stores of a clientID")
		return nil
	}
	var requests []reconcile.Request
	for i := range claimants.Items {
		if claimants.Items[i].UID != but {
			requests = append(requests,
				reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&claimants.Items[i])})
		}
	}
	return requests
}
