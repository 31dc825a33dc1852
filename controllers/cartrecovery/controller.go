// Package cartrecovery works on leads: plan decides the one thing to do next, act does it,
// status writes what came of it.
package cartrecovery

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"k8s.io/client-go/tools/events"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/controllers/cartrecovery/drafts"
	"cartrecovery.dev/operator/controllers/cartrecovery/plan"
	"cartrecovery.dev/operator/internal/ai"
	"cartrecovery.dev/operator/internal/backoff"
	"cartrecovery.dev/operator/internal/budget"
	"cartrecovery.dev/operator/internal/census"
	"cartrecovery.dev/operator/internal/contacts"
	"cartrecovery.dev/operator/internal/gateway"
	"cartrecovery.dev/operator/internal/heartbeat"
	"cartrecovery.dev/operator/internal/metrics"
	"cartrecovery.dev/operator/internal/pace"
	"cartrecovery.dev/operator/internal/panics"
	"cartrecovery.dev/operator/internal/suppressionkeys"
)

const (
	// DefaultConcurrency is how many leads are worked on at once. They wait on the gateway,
	// so there are dozens: half of them for one namespace, a quarter for one number.
	DefaultConcurrency = 64
	// DefaultWriters is how many texts are written at once.
	DefaultWriters = drafts.DefaultWorkers
	// DefaultRetryBase is the wait after the first definite refusal of the gateway; it
	// doubles with every further one.
	DefaultRetryBase = 5 * time.Second
	// reconcileTimeout bounds one reconcile: longer than a gateway call and the writes
	// around it.
	reconcileTimeout = 45 * time.Second
	// leadAgain is when it is looked again whether this process leads.
	leadAgain = time.Second
	// maxClaims is how many claims are remembered: those that are under way, and those of
	// which nobody knows what came.
	maxClaims = 10_000
)

// Reconciler works on leads. Every field down to Clock must be set.
type Reconciler struct {
	// Client reads from the cache and writes.
	Client client.Client
	// Live reads from the API server.
	Live client.Reader
	// Connector builds the gateway of an instance.
	Connector *gateway.Connector
	// AI builds requests with a Store's settings.
	AI *ai.Settings
	// Writer writes texts.
	Writer ai.Writer
	// Reviewer looks at what was written, where the Store's ai.review is on; nobody does when nil.
	Reviewer ai.Reviewer
	// Recorder makes events.
	Recorder events.EventRecorder
	// Metrics counts.
	Metrics *metrics.Metrics
	// Clock tells the time.
	Clock clock.PassiveClock
	// Rand returns a number in [0,1) for jitter. Default math/rand.
	Rand backoff.Random
	// Concurrency is how many leads are worked on at once; DefaultConcurrency when 0.
	Concurrency int
	// Writers is how many texts are written at once; DefaultWriters when 0.
	Writers int
	// RetryBase is the wait after a first refusal; DefaultRetryBase when 0.
	RetryBase time.Duration
	// Pacer keeps the pace of the numbers; one of its own when nil.
	Pacer *pace.Pacer
	// Budget keeps the tokens of the Stores; one of its own when nil.
	Budget *budget.Ledger
	// Dues are told when the next message of each lead is due; nobody is when nil.
	Dues *census.Dues
	// Began waits until it is known how this process began to lead; nil for nothing that was
	// there before.
	Began func(context.Context) (heartbeat.Start, error)
	// Leads says whether no other process can lead: one that was frozen for long begins nothing until it
	// knows. nil for a process that is alone.
	Leads func() bool
	// SuppressionKeys are the operator's keys of keyed Suppressions; nil for none.
	SuppressionKeys *suppressionkeys.Keys
	// RestoreHold is how long after a restore that is certain nothing is sent; none when 0.
	RestoreHold time.Duration
	// LedgerEvery is how often a Store's ledger is written at most; DefaultLedgerEvery when 0.
	LedgerEvery time.Duration
	// SkipNameValidation allows several controllers of this name in one process.
	SkipNameValidation bool

	drafts   *drafts.Pool
	contacts *contacts.Cache
	// notified are the hand-overs that an event was made of.
	notified *lru.Cache[takeover, struct{}]
	// claims are the gateways' ids of the instances that unconfirmed messages were claimed
	// for, by track id.
	claims        *lru.Cache[string, string]
	firstContacts *firstContacts
	calls         *calls
	// uncalled are the claims that this process made and has not handed over.
	uncalled *uncalledClaims
	// proofs are what is known of messages that may have been sent before.
	proofs *proofs
	keeper *keeper
	// meanings are what customers' texts were understood as.
	meanings *plan.Meanings
}

// +kubebuilder:rbac:groups=cartrecovery.dev,resources=cartrecoveries,verbs=get;list;watch;patch;delete
// +kubebuilder:rbac:groups=cartrecovery.dev,resources=cartrecoveries/status,verbs=patch
// +kubebuilder:rbac:groups=cartrecovery.dev,resources=stores;products,verbs=list;watch
// +kubebuilder:rbac:groups=cartrecovery.dev,resources=suppressions,verbs=get;list;watch;create;patch
// +kubebuilder:rbac:groups=cartrecovery.dev,resources=whatsappinstances,verbs=get;list;watch
// +kubebuilder:rbac:groups=cartrecovery.dev,resources=whatsappinstances/status,verbs=patch
// +kubebuilder:rbac:groups=cartrecovery.dev,resources=recoveryledgers,verbs=get;list;create;patch;delete
// +kubebuilder:rbac:groups="",resources=secrets,verbs=get
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// Reconcile reads what there is to know of a lead, plans, lets messages wait for their
// turn, and does the one thing that is left to do.
func (r *Reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	if r.Leads != nil && !r.Leads() {
		return ctrl.Result{RequeueAfter: leadAgain}, nil
	}
	s, err := r.read(ctx, request)
	if err != nil || s == nil {
		return ctrl.Result{}, err
	}
	planned, err := r.inTurn(ctx, s, plan.Next(*s))
	if err != nil {
		return ctrl.Result{}, err
	}
	r.Dues.Set(request.NamespacedName, s.Lead.Spec.StoreRef.Name, planned.Owed())
	log.FromContext(ctx).V(1).Info("Planned", "rule", planned.Rule, "gate", planned.Gate, "action", planned.Kind,
		"reason", planned.Blocked)
	return r.act(ctx, *s, planned)
}

// SetupWithManager adds the controller to a manager whose cache has the indexes of
// internal/index.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager) error {
	if err := r.complete(); err != nil {
		return fmt.Errorf("set up the CartRecovery controller: %w", err)
	}
	for _, runnable := range []manager.Runnable{r.drafts, r.keeper} {
		if err := mgr.Add(runnable); err != nil {
			return fmt.Errorf("set up the CartRecovery controller: %w", err)
		}
	}
	settings := controller.Options{
		MaxConcurrentReconciles: r.Concurrency,
		ReconciliationTimeout:   reconcileTimeout,
		SkipNameValidation:      &r.SkipNameValidation,
		RateLimiter: workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](
			500*time.Millisecond, 2*time.Minute),
	}
	return ctrl.NewControllerManagedBy(mgr).
		For(&v1alpha1.CartRecovery{}).
		Watches(&v1alpha1.CartRecovery{}, handler.EnqueueRequestsFromMapFunc(panics.Map(r.siblings)), siblingChanges()).
		Watches(&v1alpha1.Store{}, handler.EnqueueRequestsFromMapFunc(panics.Map(r.leadsOfStore)), storeChanges()).
		Watches(&v1alpha1.Product{}, handler.EnqueueRequestsFromMapFunc(panics.Map(r.leadsOfProduct)), specChanges()).
		Watches(&v1alpha1.WhatsAppInstance{}, handler.EnqueueRequestsFromMapFunc(panics.Map(r.leadsOfInstance)),
			instanceChanges()).
		Watches(&v1alpha1.CartRecovery{}, handler.Funcs{DeleteFunc: func(_ context.Context, gone event.DeleteEvent,
			_ workqueue.TypedRateLimitingInterface[reconcile.Request]) {
			if recovery, ok := gone.Object.(*v1alpha1.CartRecovery); ok {
				r.contacts.Forget(contacts.KeyOf(recovery))
			}
		}}).
		Watches(&v1alpha1.WhatsAppInstance{}, handler.Funcs{DeleteFunc: func(_ context.Context, gone event.DeleteEvent,
			_ workqueue.TypedRateLimitingInterface[reconcile.Request]) {
			r.Pacer.Close(gone.Object.GetUID())
			r.proofs.close(gone.Object.GetUID())
		}}).
		Watches(&v1alpha1.Suppression{}, handler.EnqueueRequestsFromMapFunc(panics.Map(r.leadsOfSuppression))).
		WatchesRawSource(source.TypedChannel(r.drafts.Done(),
			&handler.TypedEnqueueRequestForObject[*v1alpha1.CartRecovery]{})).
		WatchesRawSource(source.TypedChannel(r.calls.woken,
			&handler.TypedEnqueueRequestForObject[*v1alpha1.CartRecovery]{})).
		WatchesRawSource(source.TypedChannel(r.Pacer.Woken(),
			&handler.TypedEnqueueRequestForObject[*v1alpha1.CartRecovery]{})).
		WithOptions(settings).
		Named("cartrecovery").
		Complete(panics.Reconciler(r, r.Client, r.Recorder, func() client.Object { return &v1alpha1.CartRecovery{} }))
}

// spread has waits differ, so that not all leads that wait for one thing come back at once.
func (r *Reconciler) spread(wait time.Duration) time.Duration {
	return backoff.Around(wait, backoff.Spread, r.Rand)
}

func (r *Reconciler) complete() error {
	if r.Client == nil || r.Live == nil || r.Connector == nil || r.AI == nil || r.Writer == nil ||
		r.Recorder == nil || r.Metrics == nil || r.Clock == nil {
		return errors.New("set all of Client, Live, Connector, AI, Writer, Recorder, Metrics and Clock")
	}
	if r.Concurrency == 0 {
		r.Concurrency = DefaultConcurrency
	}
	if r.Writers == 0 {
		r.Writers = DefaultWriters
	}
	if r.RetryBase == 0 {
		r.RetryBase = DefaultRetryBase
	}
	if r.Pacer == nil {
		r.Pacer = pace.NewPacer(r.Clock, pace.Settle)
	}
	if r.Rand == nil {
		r.Rand = rand.Float64
	}
	if r.Budget == nil {
		r.Budget = budget.NewLedger()
	}
	r.drafts = drafts.New(drafts.Options{
		Writer: r.Writer, Reviewer: r.Reviewer, Clock: r.Clock, Random: r.Rand, Metrics: r.Metrics, Budget: r.Budget,
		Workers: r.Writers,
	})
	r.contacts = contacts.New(r.Clock)
	r.proofs = newProofs(r.Clock, maxProofs, r.Rand)
	r.keeper = newKeeper(r.Client, r.Live, r.Clock, cmp.Or(r.LedgerEvery, DefaultLedgerEvery))
	r.notified, r.claims = newest[takeover, struct{}](maxNotified), newest[string, string](maxClaims)
	r.firstContacts, r.uncalled = newFirstContacts(), newUncalledClaims()
	r.meanings, r.calls = plan.NewMeanings(), newCalls(r.Concurrency)
	return nil
}

// newest remembers the most recent entries, at most so many.
func newest[K comparable, V any](most int) *lru.Cache[K, V] {
	// New fails only for a size that is not positive.
	cache, _ := lru.New[K, V](most)
	return cache
}
