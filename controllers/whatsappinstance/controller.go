// Package whatsappinstance makes WhatsAppInstances at their gateway, pairs phones with
// them, and keeps an eye on the connection.
package whatsappinstance

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
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
	"cartrecovery.dev/operator/internal/backoff"
	"cartrecovery.dev/operator/internal/connection"
	"cartrecovery.dev/operator/internal/failure"
	"cartrecovery.dev/operator/internal/gateway"
	"cartrecovery.dev/operator/internal/index"
	"cartrecovery.dev/operator/internal/pace"
	"cartrecovery.dev/operator/internal/panics"
	"cartrecovery.dev/operator/internal/policy"
	"cartrecovery.dev/operator/internal/shares"
)

const (
	// defaultConcurrency is how many instances are handled at once: they wait on HTTP.
	defaultConcurrency = 32
	// reconcileTimeout is longer than the three calls a pass makes at most, and their writes.
	reconcileTimeout = 4 * gateway.Timeout
	// minBackoff and maxBackoff bound the pause after an error of the API server.
	minBackoff = time.Second
	maxBackoff = 2 * time.Minute
	// callRetry is when an instance comes back that found no worker for its call, because its namespace or Store has
	// its share of them waiting for gateways.
	callRetry = time.Second
	// leadAgain is the pause before a process looks again whether it leads.
	leadAgain = time.Second
	// atOnce is the pause between an action and planning the next one.
	atOnce = time.Millisecond
)

// Pace is how often gateways are called. A field that is zero takes its default.
type Pace struct {
	// Pairing is the time between two polls while a phone is waited for. Default 2s.
	Pairing time.Duration
	// Connected is the time between two polls otherwise. Default 60s.
	Connected time.Duration
	// Retry is the pause after the first failure; it doubles with each. Default 2s.
	Retry time.Duration
	// GiveUpAfter is how long the deletion at a gateway is tried. Default 5m.
	GiveUpAfter time.Duration
}

// Reconciler brings WhatsAppInstances and their gateways together.
type Reconciler struct {
	// Client reads Stores from the cache and writes.
	Client client.Client
	// Live reads without the cache: instances, so that an action never rests on a state
	// from before the last one, and the Secrets this controller owns.
	Live client.Reader
	// Connector builds the gateways.
	Connector *gateway.Connector
	// Clock tells the time.
	Clock clock.PassiveClock
	// Recorder emits events on transitions.
	Recorder events.EventRecorder
	// PublicURL is where the webhook server can be reached from outside, "" when unknown.
	PublicURL string
	// Copies writes for a webhook server in another process; nil where there is none.
	Copies Copies
	// Pace is how often gateways are called.
	Pace Pace
	// Paced tells what was sent from a number and what waits, for the status; nil for nothing.
	Paced PaceStats
	// Leaving says whether this process has given up the lead: it begins nothing more, because the
	// next leader may begin it as well. nil for a process that ends with its lead.
	Leaving func() bool
	// Leads says whether no other process can lead: one that was frozen for long begins nothing until it
	// knows. nil for a process that is alone.
	Leads func() bool
	// Rand returns a number in [0,1) for jitter. Default math/rand.
	Rand backoff.Random
	// Concurrency is how many instances are handled at once. Default 32.
	Concurrency int
	// SkipNameValidation allows several controllers of this name in one process.
	SkipNameValidation bool

	mu       sync.Mutex
	memories map[types.NamespacedName]remembered
	// calling counts the workers that wait for gateways, by Store.
	calling *shares.Shares
}

// Copies writes what a webhook server needs that may not read the instances' Secrets; webhookkeys.Writer does.
type Copies interface {
	// PutInstance copies the credentials of an instance's webhook.
	PutInstance(ctx context.Context, instance *v1alpha1.WhatsAppInstance, token, webhookKey []byte) error
	// PutPairing copies what an instance shows to pair with, nothing where that is empty.
	PutPairing(ctx context.Context, instance *v1alpha1.WhatsAppInstance, qr, pairCode []byte) error
}

// PaceStats tells what was sent from a number and what waits: a pace.Pacer.
type PaceStats interface {
	// Seeded says whether it knows what was sent from an instance.
	Seeded(instance types.UID) bool
	// Stats is what it knows.
	Stats(instance types.UID, number pace.Number) v1alpha1.PaceStatus
	// Refusals is what the gateway refused in a row. Forgive starts the count again.
	Refusals(instance types.UID) pace.Refusals
	Forgive(instance types.UID)
}

// remembered is the memory of one generation of one instance. After a change of the spec, or of the way of pairing,
// everything is looked up again, and only what the gateway is busy with is still known.
type remembered struct {
	memory
	uid        types.UID
	generation int64
	pairing    string
}

// pairingKey tells one way of pairing a number from another.
func pairingKey(instance *v1alpha1.WhatsAppInstance) string {
	pairing := connection.Pairing(instance)
	return string(pairing.Method) + pairing.Phone
}

// +kubebuilder:rbac:groups=cartrecovery.dev,resources=whatsappinstances,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=cartrecovery.dev,resources=whatsappinstances/status,verbs=patch
// +kubebuilder:rbac:groups=cartrecovery.dev,resources=whatsappinstances/finalizers,verbs=update
// +kubebuilder:rbac:groups=cartrecovery.dev,resources=stores,verbs=list;watch
// +kubebuilder:rbac:groups="",resources=secrets,verbs=get;create;patch
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// SetupWithManager adds the controller to the manager. The cache must have the indexes of
// internal/index.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager) error {
	if err := r.complete(); err != nil {
		return err
	}
	return ctrl.NewControllerManagedBy(mgr).
		Named("whatsappinstance").
		For(&v1alpha1.WhatsAppInstance{}, builder.WithPredicates(predicate.Or(
			predicate.GenerationChangedPredicate{}, predicate.AnnotationChangedPredicate{},
		))).
		Watches(&v1alpha1.Store{}, handler.EnqueueRequestsFromMapFunc(panics.Map(r.ofStore)),
			builder.WithPredicates(comesOrGoes())).
		WithOptions(controller.Options{
			MaxConcurrentReconciles: r.Concurrency,
			RateLimiter: workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](minBackoff,
				maxBackoff),
			ReconciliationTimeout: reconcileTimeout,
			SkipNameValidation:    &r.SkipNameValidation,
		}).
		Complete(panics.Reconciler(r, r.Client, r.Recorder, func() client.Object {
			return &v1alpha1.WhatsAppInstance{}
		}))
}

// complete rejects missing dependencies and fills in defaults.
func (r *Reconciler) complete() error {
	for name, missing := range map[string]bool{
		"Client": r.Client == nil, "Live": r.Live == nil, "Clock": r.Clock == nil, "Recorder": r.Recorder == nil,
		"Connector": r.Connector == nil || r.Connector.Secrets == nil || len(r.Connector.Types) == 0,
	} {
		if missing {
			return fmt.Errorf("whatsappinstance controller: %s is needed", name)
		}
	}
	for _, setting := range []struct {
		value     *time.Duration
		otherwise time.Duration
	}{
		{&r.Pace.Pairing, 2 * time.Second},
		{&r.Pace.Connected, time.Minute},
		{&r.Pace.Retry, 2 * time.Second},
		{&r.Pace.GiveUpAfter, 5 * time.Minute},
	} {
		if *setting.value <= 0 {
			*setting.value = setting.otherwise
		}
	}
	if r.Rand == nil {
		r.Rand = rand.Float64
	}
	if r.Concurrency <= 0 {
		r.Concurrency = defaultConcurrency
	}
	r.memories = map[types.NamespacedName]remembered{}
	r.calling = shares.New(r.Concurrency)
	return nil
}

// beginCall takes one of the workers that may wait for a gateway; false when the Store has its share.
func (r *Reconciler) beginCall(store shares.Holder) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.calling.Open(store) {
		return false
	}
	r.calling.Take(store)
	return true
}

func (r *Reconciler) endCall(store shares.Holder) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calling.Give(store)
}

// Reconcile does the next thing for one instance: it reads, plans, does exactly one
// action, and writes.
func (r *Reconciler) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	if r.Leaving != nil && r.Leaving() {
		return reconcile.Result{}, nil
	}
	if r.Leads != nil && !r.Leads() {
		return reconcile.Result{RequeueAfter: leadAgain}, nil
	}
	instance := &v1alpha1.WhatsAppInstance{}
	err := r.Live.Get(ctx, request.NamespacedName, instance)
	if apierrors.IsNotFound(err) {
		r.remember(request.NamespacedName, nil, nil)
		return reconcile.Result{}, nil
	}
	if err != nil {
		return reconcile.Result{}, fmt.Errorf("read WhatsAppInstance: %w", err)
	}
	p, err := r.look(ctx, instance)
	if err != nil {
		return reconcile.Result{}, err
	}
	next := plan(&p.snapshot)
	if next.callsGateway() {
		store := shares.Holder{Namespace: instance.Namespace, Name: instance.Spec.StoreRef.Name}
		if !r.beginCall(store) {
			return reconcile.Result{RequeueAfter: r.jittered(callRetry), Priority: new(0)}, nil
		}
		defer r.endCall(store)
	}
	err = r.act(ctx, p, next)
	if err == nil {
		err = r.copy(ctx, p)
	}
	if err != nil {
		p.memory.nextPoll = time.Time{}
	}
	r.remember(request.NamespacedName, instance, &p.memory)
	return r.result(next, err)
}

// copy keeps the copies as the Secrets of the instance are now.
func (r *Reconciler) copy(ctx context.Context, p *pass) error {
	if r.Copies == nil || p.instance.DeletionTimestamp != nil {
		return nil
	}
	credentials, err := r.owned(ctx, p.instance, gateway.CredentialsSecret(p.instance))
	if err != nil || credentials == nil {
		return err
	}
	err = r.Copies.PutInstance(ctx, p.instance, credentials.Data[gateway.KeyToken],
		credentials.Data[gateway.KeyWebhook])
	if err != nil {
		return err
	}
	shown := &corev1.Secret{}
	if pairing := p.instance.Status.Pairing; pairing != nil && pairing.SecretRef != nil {
		if shown, err = r.owned(ctx, p.instance, gateway.PairingSecret(p.instance)); err != nil || shown == nil {
			return err
		}
	}
	return r.Copies.PutPairing(ctx, p.instance, shown.Data[gateway.KeyQR], shown.Data[gateway.KeyPairCode])
}

// result says when to look again. A conflict means that somebody else has just written:
// what was done is found out and noted in the next pass.
func (r *Reconciler) result(done action, err error) (reconcile.Result, error) {
	// Those listed at start keep their low priority otherwise, and would starve.
	result := reconcile.Result{Priority: new(0)}
	switch {
	case apierrors.IsConflict(err):
		result.RequeueAfter = r.jittered(100 * time.Millisecond)
	case err != nil:
		return reconcile.Result{}, err
	case done.kind == halt:
	case done.kind != wait:
		result.RequeueAfter = atOnce
	case !done.until.IsZero():
		result.RequeueAfter = max(done.until.Sub(r.Clock.Now()), atOnce)
	}
	return result, nil
}

// pass is one reconcile: what is known, and how to reach the gateway.
type pass struct {
	snapshot
	gateway gateway.Gateway
	// can is what the gateway can.
	can gateway.Capabilities
	// problem is why there is no gateway.
	problem error
	// token is the instance's, "" when there is none. A secret.
	token string
	// uid is the UID under which the gateway has the instance; sealed is the value of the annotation that keeps it.
	uid, sealed string
	// webhookAt is where the gateway is to post.
	webhookAt gateway.Webhook
	// location is the Store's time zone.
	location *time.Location
}

// look reads everything there is to know.
func (r *Reconciler) look(ctx context.Context, instance *v1alpha1.WhatsAppInstance) (*pass, error) {
	p := &pass{snapshot: snapshot{
		instance: instance, giveUpAfter: r.Pace.GiveUpAfter, memory: r.recall(instance), now: r.Clock.Now(),
	}}
	store := &v1alpha1.Store{}
	err := r.Client.Get(ctx, types.NamespacedName{Namespace: instance.Namespace, Name: instance.Spec.StoreRef.Name},
		store)
	if client.IgnoreNotFound(err) != nil {
		return nil, fmt.Errorf("read Store: %w", err)
	}
	p.storeFound = err == nil
	p.location = policy.Resolve(store, nil).Location
	_, p.supported = r.Connector.Types[instance.Spec.Gateway.Type]
	p.can, _ = r.Connector.Capabilities(instance)
	if err := r.lookAtCredentials(ctx, p); err != nil {
		return nil, err
	}
	if r.Paced != nil {
		p.refusals = r.Paced.Refusals(instance.UID)
	}
	p.gateway, err = r.gatewayOf(ctx, p)
	if err != nil && failure.CodeOf(err) != failure.Misconfigured {
		return nil, fmt.Errorf("read the gateway's credentials: %w", err)
	}
	p.problem, p.misconfigured = err, err != nil
	return p, r.lookAtIdentity(ctx, p)
}

// lookAtIdentity finds out under which UID the gateway has the instance. Without the account's token, which a deletion
// may lack, it is the object's own UID.
func (r *Reconciler) lookAtIdentity(ctx context.Context, p *pass) (err error) {
	p.uid, p.sealed, err = r.Connector.Identity(ctx, p.instance)
	if err != nil && failure.CodeOf(err) != failure.Misconfigured {
		return fmt.Errorf("read the gateway's credentials: %w", err)
	}
	p.unidentified = p.sealed != "" && p.instance.Annotations[v1alpha1.AnnotationGatewayIdentity] != p.sealed
	return nil
}

// gatewayOf builds the gateway. For a deletion the instance's token is enough, because the account's may be in a Secret
// that was deleted together with the instance.
func (r *Reconciler) gatewayOf(ctx context.Context, p *pass) (gateway.Gateway, error) {
	built, err := r.Connector.For(ctx, p.instance)
	deleting := p.instance.DeletionTimestamp != nil && p.credentials.token && !p.credentials.elsewhere
	if deleting && failure.CodeOf(err) == failure.Misconfigured {
		return r.Connector.WithToken(p.instance, p.token)
	}
	return built, err
}

func (r *Reconciler) lookAtCredentials(ctx context.Context, p *pass) error {
	secret, err := r.owned(ctx, p.instance, gateway.CredentialsSecret(p.instance))
	if err != nil || secret == nil {
		return err
	}
	p.credentials = readCredentials(secret.Data, r.Connector.Fingerprint(p.instance))
	p.token = string(secret.Data[gateway.KeyToken])
	if key := secret.Data[gateway.KeyWebhook]; r.PublicURL != "" && len(key) > 0 {
		p.webhookAt = gateway.Webhook{URL: webhookURL(r.PublicURL, p.instance), Key: string(key)}
		p.webhook = hash(p.webhookAt.KeyedURL())
	}
	return nil
}

func (r *Reconciler) recall(instance *v1alpha1.WhatsAppInstance) memory {
	r.mu.Lock()
	defer r.mu.Unlock()
	known := r.memories[client.ObjectKeyFromObject(instance)]
	switch {
	case known.uid != instance.UID:
		return memory{}
	case known.generation != instance.Generation || known.pairing != pairingKey(instance):
		return memory{pairingWith: known.pairingWith, display: known.display, revived: known.revived}
	}
	return known.memory
}

// remember keeps what is known of an instance; nil forgets it.
func (r *Reconciler) remember(name types.NamespacedName, instance *v1alpha1.WhatsAppInstance, known *memory) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if known == nil {
		delete(r.memories, name)
		return
	}
	r.memories[name] = remembered{
		memory: *known, uid: instance.UID, generation: instance.Generation, pairing: pairingKey(instance),
	}
}

// jittered spreads a pause over ±10 %.
func (r *Reconciler) jittered(pause time.Duration) time.Duration {
	return backoff.Around(pause, 0.1, r.Rand)
}

// ofStore are the instances of a Store.
func (r *Reconciler) ofStore(ctx context.Context, store client.Object) []reconcile.Request {
	var instances v1alpha1.WhatsAppInstanceList
	if err := r.Client.List(ctx, &instances, client.InNamespace(store.GetNamespace()),
		client.MatchingFields{index.InstanceByStore: store.GetName()}); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "Cannot list the WhatsAppInstances of a Store", "store", store.GetName())
		return nil
	}
	requests := make([]reconcile.Request, 0, len(instances.Items))
	for i := range instances.Items {
		requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&instances.Items[i])})
	}
	return requests
}

// comesOrGoes passes on creations and deletions.
func comesOrGoes() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(event.UpdateEvent) bool { return false }}
}
