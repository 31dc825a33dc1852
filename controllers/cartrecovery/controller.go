// Package cartrecovery works on leads: plan decides the one thing to do next, act does it,
// status writes what came of it.
package cartrecovery

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/clock"
	"k8s.io/utils/lru"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/ai"
	"cartrecovery.dev/operator/internal/budget"
	"cartrecovery.dev/operator/internal/gateway"
	"cartrecovery.dev/operator/internal/heartbeat"
	"cartrecovery.dev/operator/internal/index"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/metrics"
	"cartrecovery.dev/operator/internal/pace"
	"cartrecovery.dev/operator/internal/panics"
	"cartrecovery.dev/operator/internal/policy"
)

const (
	// DefaultConcurrency is how many leads are worked on at once. They wait on the gateway,
	// so there are dozens: half of them for one namespace, a quarter for one number.
	DefaultConcurrency = 64
	// DefaultWriters is how many texts are written at once: half of them for one namespace, a quarter
	// for one Store.
	DefaultWriters = 128
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
	// Concurrency is how many leads are worked on at once; DefaultConcurrency when 0.
	Concurrency int
	// Writers is how many texts are written at once; DefaultWriters when 0.
	Writers int
	// RetryBase is the wait after a first refusal; DefaultRetryBase when 0.
	RetryBase time.Duration
	// Book keeps the pace of the numbers; one of its own when nil.
	Book *pace.Book
	// Budget keeps the tokens of the Stores; one of its own when nil.
	Budget *budget.Ledger
	// Began waits until it is known how this process began to lead; nil for nothing that was
	// there before.
	Began func(context.Context) (heartbeat.Start, error)
	// Leads says whether no other process can lead: one that was frozen for long begins nothing until it
	// knows. nil for a process that is alone.
	Leads func() bool
	// RestoreHold is how long after a restore that is certain nothing is sent; none when 0.
	RestoreHold time.Duration
	// LedgerEvery is how often a Store's ledger is written at most; DefaultLedgerEvery when 0.
	LedgerEvery time.Duration
	// SkipNameValidation allows several controllers of this name in one process.
	SkipNameValidation bool

	drafts   *drafts
	contacts *contacts
	// told are the hand-overs that an event was made of.
	told *lru.Cache
	// claims are the gateways' ids of the instances that unconfirmed messages were claimed
	// for, by track id.
	claims   *lru.Cache
	openings *openings
	calls    *calls
	// uncalled are the claims that this process made and has not handed over.
	uncalled *uncalledClaims
	// proofs are what is known of messages that may have been sent before.
	proofs *proofs
	keeper *keeper
	// meanings are what customers' texts were understood as.
	meanings *meanings
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
	planned, err := r.inTurn(ctx, s, plan(*s))
	if err != nil {
		return ctrl.Result{}, err
	}
	return r.act(ctx, *s, planned)
}

// read gathers the situation of a lead from the cache; nil when the lead is gone.
func (r *Reconciler) read(ctx context.Context, request ctrl.Request) (*situation, error) {
	recovery := &v1alpha1.CartRecovery{}
	if err := r.Client.Get(ctx, request.NamespacedName, recovery); err != nil {
		r.drafts.gone(request.NamespacedName)
		r.Book.Forget(request.NamespacedName)
		r.openings.forget(request.NamespacedName)
		return nil, client.IgnoreNotFound(err)
	}
	s := &situation{lead: recovery, now: r.Clock.Now(), meanings: r.meanings, restoreHold: r.RestoreHold}
	s.unbooked = r.drafts.spent(request.NamespacedName)
	if err := r.readPast(ctx, s); err != nil {
		return nil, err
	}
	s.draft = func(text textID) draft { return r.drafts.get(request.NamespacedName, text) }
	s.headroom = func(instance *v1alpha1.WhatsAppInstance, due time.Time) headroom { return r.headroom(s, instance, due) }
	s.waitsAt = r.Book.WaitsAt(request.NamespacedName)
	s.contact = func(instance *v1alpha1.WhatsAppInstance) contact {
		return r.contacts.get(contactOf(recovery), instance.UID)
	}
	s.uncalled = func(id string, at time.Time) bool { return r.uncalled.has(recovery, id, at) }
	var err error
	if s.store, err = r.store(ctx, recovery); err != nil {
		return nil, err
	}
	if s.product, err = index.ProductOf(ctx, r.Client, recovery); err != nil {
		return nil, err
	}
	s.policy = policy.Resolve(s.store, s.product)
	if s.twin, err = index.StoppingPurchase(ctx, r.Client, recovery, s.policy.KillSwitchScope); err != nil {
		return nil, err
	}
	if s.other, err = r.others(ctx, recovery); err != nil {
		return nil, err
	}
	if s.instances, err = r.instances(ctx, recovery); err != nil {
		return nil, err
	}
	s.suppressed, err = index.Suppressed(ctx, r.Client, recovery.Namespace, recovery.Spec.StoreRef.Name, recovery.Spec.Customer.Phone, s.now)
	return s, err
}

// textID names the text of a message as Store and Product want it now, and after what was
// said so far.
func (s *situation) textID(messageID string) textID {
	basis := ""
	if s.store != nil {
		basis = fmt.Sprintf("%s/%d", s.store.UID, s.store.Generation)
	}
	if s.product != nil {
		basis += fmt.Sprintf("/%s/%d", s.product.UID, s.product.Generation)
	}
	return textID{uid: s.lead.UID, messageID: messageID, basis: basis + "/" + facts(triggerOf(s), &s.lead.Spec) + "/" + said(s.lead.Status.Conversation)}
}

// facts is a hash of what the AI is told of a lead: a text about a cart is none about the PIX
// that it became.
func facts(trigger v1alpha1.Trigger, spec *v1alpha1.CartRecoverySpec) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q%q%q%q%q%q", trigger, spec.CheckoutURL, spec.Amount, spec.Currency, spec.Product.Name, spec.Customer.Name))
	return hex.EncodeToString(sum[:12])
}

// saidBytes is how much of a text tells it from another: less than is kept of one that is
// shortened, which is the same message all the same.
const saidBytes = v1alpha1.ShortenedBytes / 2

// said is a hash of what others than us wrote: a text for a message that its writer has
// changed since, or from before a person of the store wrote, is never sent.
func said(conversation []v1alpha1.Message) string {
	sum := sha256.New()
	for i := range conversation {
		if m := &conversation[i]; m.Role == v1alpha1.RoleCustomer || lead.ByPerson(m) {
			begins, _ := lead.Clip(m.Text, v1alpha1.MaxMessageLength, saidBytes)
			_, _ = fmt.Fprintf(sum, "%q%q%v", m.ID, begins, m.EditedAt)
		}
	}
	return hex.EncodeToString(sum.Sum(nil)[:12])
}

func (r *Reconciler) store(ctx context.Context, recovery *v1alpha1.CartRecovery) (*v1alpha1.Store, error) {
	store := &v1alpha1.Store{}
	err := r.Client.Get(ctx, client.ObjectKey{Namespace: recovery.Namespace, Name: recovery.Spec.StoreRef.Name}, store)
	if err != nil {
		return nil, client.IgnoreNotFound(err)
	}
	return store, nil
}

func (r *Reconciler) instances(ctx context.Context, recovery *v1alpha1.CartRecovery) ([]v1alpha1.WhatsAppInstance, error) {
	var instances v1alpha1.WhatsAppInstanceList
	err := r.Client.List(ctx, &instances, client.InNamespace(recovery.Namespace),
		client.MatchingFields{index.InstanceByStore: recovery.Spec.StoreRef.Name})
	// An index has no order, and what is said of several must not change with it.
	slices.SortFunc(instances.Items, func(a, b v1alpha1.WhatsAppInstance) int { return cmp.Compare(a.Name, b.Name) })
	return instances.Items, err
}

// others reads what the other leads of the customer's phone say, and the earlier cycles of
// this one.
func (r *Reconciler) others(ctx context.Context, recovery *v1alpha1.CartRecovery) (others, error) {
	customer := recovery.Spec.Customer.Phone
	if customer == "" {
		return others{}, nil
	}
	var leads v1alpha1.CartRecoveryList
	key := index.LeadPhoneKey(recovery.Spec.StoreRef.Name, lead.PhoneHash(customer))
	err := r.Client.List(ctx, &leads, client.InNamespace(recovery.Namespace), client.MatchingFields{index.LeadByPhone: key}, client.UnsafeDisableDeepCopy)
	if err != nil {
		return others{}, fmt.Errorf("find the other leads of a customer: %w", err)
	}
	return othersOf(recovery, leads.Items, r.openings.get(openingOf(recovery))), nil
}

// othersOf is what the leads of a phone say that matters to one of them. claimed is the last
// first message that was claimed for any of them, which they may not show yet.
func othersOf(recovery *v1alpha1.CartRecovery, leads []v1alpha1.CartRecovery, claimed opening) others {
	var said others
	var contact time.Time
	for i := range leads {
		each := &leads[i]
		if each.Name == recovery.Name || !lead.SamePhone(each.Spec.Customer.Phone, recovery.Spec.Customer.Phone) {
			continue
		}
		said.opened = latest(said.opened, lead.LastOpening(each, math.MaxInt32))
		if each.UID == claimed.lead {
			said.opened = latest(said.opened, claimed.at)
		}
		if last := lead.LastContact(each); last.After(contact) {
			contact, said.instance = last, lead.NumberOf(each)
		}
		if !lead.Finished(each) {
			said.handedOff = said.handedOff || lead.HandedOff(each)
			said.claimsPaid = said.claimsPaid || isBlockedBy(each, v1alpha1.ReasonClaimsPaid)
			said.talkingUntil = latest(said.talkingUntil, talkingUntil(each))
		}
	}
	said.opened = latest(said.opened, lead.LastOpening(recovery, recovery.Status.Cycle))
	return said
}

// talkingUntil is how long the conversation of a lead lasts that the customer, and not a machine
// for them, has written in; zero where there is none.
func talkingUntil(recovery *v1alpha1.CartRecovery) time.Time {
	wrote := slices.ContainsFunc(recovery.Status.Conversation, func(m v1alpha1.Message) bool {
		theirs := m.Cycle == recovery.Status.Cycle && m.Role == v1alpha1.RoleCustomer
		return theirs && !m.Automatic && !policy.LooksAutomatic(m.Text)
	})
	if !wrote {
		return time.Time{}
	}
	return lead.LastActivity(recovery).Add(conversationLasts)
}

func isBlockedBy(recovery *v1alpha1.CartRecovery, reason string) bool {
	waits := apimeta.FindStatusCondition(recovery.Status.Conditions, v1alpha1.ConditionBlocked)
	return waits != nil && waits.Status == metav1.ConditionTrue && waits.Reason == reason
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
		RateLimiter:             workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](500*time.Millisecond, 2*time.Minute),
	}
	return ctrl.NewControllerManagedBy(mgr).
		For(&v1alpha1.CartRecovery{}).
		Watches(&v1alpha1.CartRecovery{}, handler.EnqueueRequestsFromMapFunc(panics.Map(r.siblings)), siblingChanges()).
		Watches(&v1alpha1.Store{}, handler.EnqueueRequestsFromMapFunc(panics.Map(r.leadsOfStore)), storeChanges()).
		Watches(&v1alpha1.Product{}, handler.EnqueueRequestsFromMapFunc(panics.Map(r.leadsOfProduct)), specChanges()).
		Watches(&v1alpha1.WhatsAppInstance{}, handler.EnqueueRequestsFromMapFunc(panics.Map(r.leadsOfInstance)), instanceChanges()).
		Watches(&v1alpha1.WhatsAppInstance{}, handler.Funcs{DeleteFunc: func(_ context.Context, gone event.DeleteEvent, _ workqueue.TypedRateLimitingInterface[reconcile.Request]) {
			r.Book.Close(gone.Object.GetUID())
			r.proofs.close(gone.Object.GetUID())
		}}).
		Watches(&v1alpha1.Suppression{}, handler.EnqueueRequestsFromMapFunc(panics.Map(r.leadsOfSuppression))).
		WatchesRawSource(source.TypedChannel(r.drafts.done, &handler.TypedEnqueueRequestForObject[*v1alpha1.CartRecovery]{})).
		WatchesRawSource(source.TypedChannel(r.calls.woken, &handler.TypedEnqueueRequestForObject[*v1alpha1.CartRecovery]{})).
		WatchesRawSource(source.TypedChannel(r.Book.Woken(), &handler.TypedEnqueueRequestForObject[*v1alpha1.CartRecovery]{})).
		WithOptions(settings).
		Named("cartrecovery").
		Complete(panics.Reconciler(r, r.Client, r.Recorder, func() client.Object { return &v1alpha1.CartRecovery{} }))
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
	if r.Book == nil {
		r.Book = pace.NewBook(r.Clock, pace.Settle)
	}
	if r.Budget == nil {
		r.Budget = budget.NewLedger()
	}
	r.drafts = newDrafts(r.Writer, r.Clock, r.Metrics, r.Budget, r.Writers)
	r.drafts.reviewer = r.Reviewer
	r.contacts = newContacts(r.Clock)
	r.proofs = newProofs(r.Clock, maxProofs)
	r.keeper = newKeeper(r.Client, r.Live, r.Clock, cmp.Or(r.LedgerEvery, DefaultLedgerEvery))
	r.told, r.claims, r.openings = lru.New(maxTold), lru.New(maxClaims), newOpenings()
	r.uncalled, r.meanings, r.calls = newUncalledClaims(), newMeanings(), newCalls(r.Concurrency)
	return nil
}
