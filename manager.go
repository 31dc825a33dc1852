package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	ctrlmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/controllers/cartrecovery"
	"cartrecovery.dev/operator/controllers/cartrecovery/plan"
	"cartrecovery.dev/operator/controllers/product"
	"cartrecovery.dev/operator/controllers/store"
	"cartrecovery.dev/operator/controllers/suppression"
	"cartrecovery.dev/operator/controllers/whatsappinstance"
	"cartrecovery.dev/operator/internal/ai"
	"cartrecovery.dev/operator/internal/budget"
	"cartrecovery.dev/operator/internal/census"
	"cartrecovery.dev/operator/internal/election"
	"cartrecovery.dev/operator/internal/fence"
	"cartrecovery.dev/operator/internal/gateway"
	"cartrecovery.dev/operator/internal/gateway/registry"
	"cartrecovery.dev/operator/internal/guard"
	"cartrecovery.dev/operator/internal/heartbeat"
	"cartrecovery.dev/operator/internal/index"
	"cartrecovery.dev/operator/internal/metrics"
	"cartrecovery.dev/operator/internal/pace"
	"cartrecovery.dev/operator/internal/secrets"
	"cartrecovery.dev/operator/internal/serving"
	"cartrecovery.dev/operator/internal/shares"
	"cartrecovery.dev/operator/internal/webhookkeys"
	"cartrecovery.dev/operator/webhookserver"
)

const (
	leaderElectionID = "cart-recovery-operator.cartrecovery.dev"
	// shutdownGrace is what the runnables get to finish what they have begun: a message
	// that is being sent, its outcome, and the deliveries under way. It is less than the
	// Deployment's terminationGracePeriodSeconds.
	shutdownGrace = 45 * time.Second
)

// newManager builds everything the operator is made of: the one place where the outside
// (gateways, AI, clock) is chosen.
func newManager(ctx context.Context, config *rest.Config, settings settings, lock *election.Lock) (manager.Manager,
	error) {
	mgr, err := ctrl.NewManager(config, managerOptions(settings, lock))
	if err != nil {
		return nil, fmt.Errorf("build the manager: %w", err)
	}
	if err := index.Register(ctx, mgr.GetFieldIndexer(), settings.suppressionKeys); err != nil {
		return nil, err
	}
	counters, err := metrics.New(ctrlmetrics.Registry)
	if err != nil {
		return nil, err
	}
	wiring := &wiring{
		mgr: mgr, settings: settings,
		client:     shares.Writes(mgr.GetClient(), settings.namespaceWrites, time.Now),
		deliveries: shares.Writes(mgr.GetClient(), settings.namespaceWrites, time.Now),
		metrics:    counters, clock: clock.RealClock{},
		secrets: secrets.NewReader(mgr.GetAPIReader(), time.Now), lock: lock,
	}
	counters.StartAtZero(knownLabels())
	wiring.connector = &gateway.Connector{
		Secrets:  wiring.secrets,
		Types:    gateway.ByName(registry.Types()...),
		Defaults: settings.gateways,
		Client:   gateway.NewHTTPClient(),
		Guarded:  gateway.NewGuardedClient(settings.outbound),
		Rules:    settings.outbound,
		Observe: func(of v1alpha1.GatewayType, method string, took time.Duration, err error) {
			counters.GatewayCall(string(of), method, err).Observe(took.Seconds())
		},
	}
	if wiring.fence, err = fence.New(ctx, mgr.GetCache(), &v1alpha1.CartRecovery{}, fence.DefaultWait); err != nil {
		return nil, err
	}
	for _, add := range wiring.parts() {
		if err := add(); err != nil {
			return nil, err
		}
	}
	return mgr, nil
}

// parts add what the process does.
func (w *wiring) parts() []func() error {
	parts := []func() error{w.addHeartbeat, w.addProbes}
	if w.settings.roles.webhooks {
		parts = append(parts, w.addWebhookServer)
	}
	if w.settings.roles.controllers {
		parts = append(parts, w.addControllers)
	}
	return parts
}

// copies are what a webhook server without the controllers reads.
func (w *wiring) copies() *webhookkeys.Reader {
	if w.settings.roles.controllers {
		return nil
	}
	return &webhookkeys.Reader{Secrets: w.secrets}
}

// copier writes the copies; nil where the webhook server runs with the controllers and reads the Secrets themselves.
func (w *wiring) copier() *webhookkeys.Writer {
	if w.settings.roles.webhooks {
		return nil
	}
	return &webhookkeys.Writer{Client: w.mgr.GetClient(), Live: w.mgr.GetAPIReader(), Secrets: w.secrets}
}

func managerOptions(settings settings, lock *election.Lock) ctrl.Options {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme} {
		// Registering compiled-in types fails only when they contradict each other, which
		// the first test that builds a manager shows.
		_ = add(scheme)
	}
	grace := shutdownGrace
	options := ctrl.Options{
		Scheme:                 scheme,
		Cache:                  cache.Options{DefaultTransform: cache.TransformStripManagedFields()},
		Metrics:                settings.metrics.Options(),
		HealthProbeBindAddress: settings.probeAddress,
		// Only the controllers have a leader.
		LeaderElection:          settings.leaderElection && settings.roles.controllers,
		LeaderElectionID:        leaderElectionID,
		LeaderElectionNamespace: settings.leaderElectionNamespace,
		// Gives up what the lock has not; the process ends when the manager does.
		LeaderElectionReleaseOnCancel: true,
		LeaseDuration:                 &settings.leaseDuration,
		RenewDeadline:                 &settings.renewDeadline,
		RetryPeriod:                   &settings.retryPeriod,
		GracefulShutdownTimeout:       &grace,
	}
	if lock != nil {
		options.LeaderElectionResourceLockInterface = lock
	}
	if len(settings.namespaces) > 0 {
		options.Cache.DefaultNamespaces = map[string]cache.Config{}
		for _, name := range settings.namespaces {
			options.Cache.DefaultNamespaces[name] = cache.Config{}
		}
	}
	return options
}

// wiring holds what the parts share while they are put together.
type wiring struct {
	mgr manager.Manager
	// client has the controllers' writes take turns by namespace, deliveries those of the webhook server.
	client, deliveries client.Client
	settings           settings
	metrics            *metrics.Metrics
	clock              clock.PassiveClock
	secrets            *secrets.Reader
	connector          *gateway.Connector
	heartbeat          *heartbeat.Keeper
	fence              *fence.Fence
	// listens says whether the webhook server does; nil where there is none.
	listens func() bool
	// lock is nil without leader election.
	lock *election.Lock
}

// leaving says whether this process has given up the lead, or takes it no more.
func (w *wiring) leaving() bool { return w.lock != nil && w.lock.Leaving() }

// leads says whether nobody else can lead.
func (w *wiring) leads() bool { return w.lock == nil || w.lock.Leads() }

func (w *wiring) addWebhookServer() error {
	proxies, err := webhookserver.ParseProxies(w.settings.trustedProxies)
	if err != nil {
		return fmt.Errorf("flag --trusted-proxies: %w", err)
	}
	authorizer, err := w.authorizer()
	if err != nil {
		return err
	}
	protected, err := w.webhookTLS()
	if err != nil {
		return err
	}
	server, err := webhookserver.New(webhookserver.Options{
		Client: w.deliveries, Live: w.mgr.GetAPIReader(), Fence: w.fence, Secrets: w.secrets, Connector: w.connector,
		Authorizer: authorizer, NoClaims: w.settings.namespaced,
		Copies: w.copies(), Metrics: w.metrics, Clock: w.clock, Logger: w.mgr.GetLogger().WithName("webhooks"),
		Recorder:    w.mgr.GetEventRecorder("cart-recovery-operator"),
		BindAddress: w.settings.webhookAddress, TLS: protected, DrainTimeout: w.settings.drain, Ready: w.cachesFilled,
		TrustedProxies: proxies, MaxConnections: w.settings.connections, MaxConnectionsPerSource: w.settings.perSource,
	})
	if err != nil {
		return err
	}
	if err := w.mgr.Add(server); err != nil {
		return fmt.Errorf("add the webhook server: %w", err)
	}
	w.listens = func() bool { return server.Addr() != nil }
	return nil
}

// webhookTLS is how the webhook server speaks TLS; nil where it does not.
func (w *wiring) webhookTLS() (*tls.Config, error) {
	if w.settings.webhookCertDir == "" {
		return nil, nil
	}
	watcher, config, err := serving.Watch(w.settings.webhookCertDir)
	if err != nil {
		return nil, fmt.Errorf("flag --webhook-cert-dir: %w", err)
	}
	if err := w.mgr.Add(watcher); err != nil {
		return nil, fmt.Errorf("watch the certificate of the webhook server: %w", err)
	}
	return config, nil
}

// authorizer asks about callers of connect and status with the callers' own tokens where the process may not ask
// about others; nil asks as usual.
func (w *wiring) authorizer() (webhookserver.Authorizer, error) {
	if !w.settings.namespaced {
		return nil, nil
	}
	return webhookserver.NewSelfAuthorizer(w.mgr.GetConfig())
}

func (w *wiring) addControllers() error {
	recorder := w.mgr.GetEventRecorder("cart-recovery-operator")
	pacer, tokens := pace.NewPacer(w.clock, pace.Settle), budget.NewLedger()
	dues, err := w.addCensus(tokens)
	if err != nil {
		return err
	}
	writers := &ai.Settings{Secrets: w.secrets, Defaults: w.settings.ai, Rules: w.settings.outbound}
	writer := ai.NewOpenAI(ai.NewHTTPClient()).Guard(ai.NewGuardedClient(w.settings.outbound))
	stores := &store.Reconciler{
		Client: w.client, Secrets: w.secrets, Clock: w.clock, Recorder: recorder,
		PublicURL: w.settings.publicURL, HasAIKey: w.settings.ai.APIKey != "", AI: writers, Tokens: tokens,
		NoClaims: w.settings.namespaced,
	}
	instances := &whatsappinstance.Reconciler{
		Client: w.client, Live: w.mgr.GetAPIReader(), Connector: w.connector, Clock: w.clock,
		Recorder: recorder, PublicURL: w.settings.publicURL, Paced: pacer, Leaving: w.leaving, Leads: w.leads,
	}
	if copier := w.copier(); copier != nil {
		stores.Copies, instances.Copies = copier, copier
	}
	for _, controller := range []interface{ SetupWithManager(ctrl.Manager) error }{
		stores, instances,
		&product.Reconciler{Client: w.client, Clock: w.clock, Recorder: recorder},
		&suppression.Reconciler{
			Client: w.client, Live: w.mgr.GetAPIReader(), Clock: w.clock, Recorder: recorder,
			Keys: w.settings.suppressionKeys,
		},
		&cartrecovery.Reconciler{
			Client: w.client, Live: w.mgr.GetAPIReader(), Connector: w.connector, AI: writers,
			Writer: writer, Reviewer: writer, Recorder: recorder, Metrics: w.metrics, Clock: w.clock,
			Concurrency: w.settings.concurrency, Writers: w.settings.writers, Pacer: pacer, Budget: tokens, Dues: dues,
			Began: w.heartbeat.Began, Leads: w.leads, RestoreHold: w.settings.restoreHold,
			SuppressionKeys: w.settings.suppressionKeys,
		},
	} {
		if err := controller.SetupWithManager(w.mgr); err != nil {
			return err
		}
	}
	return nil
}

// addCensus has the leader export what the Stores have.
func (w *wiring) addCensus(tokens *budget.Ledger) (*census.Dues, error) {
	counts, dues := census.NewCounts(plan.BlockedReasons()), census.NewDues()
	if err := counts.Watch(context.Background(), w.mgr.GetCache()); err != nil {
		return nil, err
	}
	collector := census.NewCollector(census.Options{
		Reader: w.mgr.GetClient(), Counts: counts, Dues: dues, Tokens: tokens, Clock: w.clock,
		Leads: w.exports, ShowStore: w.settings.metricsStoreLabel,
	})
	if err := ctrlmetrics.Registry.Register(collector); err != nil {
		return nil, fmt.Errorf("register the metrics of the Stores: %w", err)
	}
	return dues, nil
}

// exports says whether this process is the one that exports what the Stores have.
func (w *wiring) exports() bool {
	select {
	case <-w.mgr.Elected():
		return w.leads() && !w.leaving()
	default:
		return false
	}
}

// knownLabels are the values of labels that are counted from the start.
func knownLabels() metrics.Known {
	known := webhookserver.KnownLabels()
	known.Methods = gateway.Methods
	for _, each := range registry.Types() {
		known.Gateways = append(known.Gateways, string(each.Name))
	}
	for _, reason := range guard.Reasons() {
		known.Refusals = append(known.Refusals, string(reason))
	}
	for _, reason := range ai.ReviewReasons() {
		known.Reviews = append(known.Reviews, string(reason))
	}
	return known
}

// addHeartbeat has the leader notice that the cluster was restored from a backup, and every
// process that it went back under it.
func (w *wiring) addHeartbeat() error {
	host, _ := os.Hostname()
	w.heartbeat = &heartbeat.Keeper{
		Client: w.mgr.GetClient(), Live: w.mgr.GetAPIReader(), Clock: w.clock, Holder: host,
		Namespace: ownNamespace(w.settings.leaderElectionNamespace), History: w.workedOn,
		StateDir: w.settings.stateDir,
		Watch:    !w.settings.roles.controllers,
	}
	return w.heartbeat.SetupWithManager(w.mgr)
}

// workedOn says whether there is a lead with a message.
func (w *wiring) workedOn(ctx context.Context) (bool, error) {
	var leads v1alpha1.CartRecoveryList
	if err := w.mgr.GetClient().List(ctx, &leads, client.UnsafeDisableDeepCopy); err != nil {
		return false, fmt.Errorf("look for leads that were worked on: %w", err)
	}
	return slices.ContainsFunc(leads.Items, func(l v1alpha1.CartRecovery) bool {
		return len(l.Status.Conversation) > 0
	}), nil
}

// podNamespace is where Kubernetes tells a pod its namespace.
const podNamespace = "/var/run/secrets/kubernetes.io/serviceaccount/namespace"

// ownNamespace is where the operator's Leases are: the one that was configured, the pod's, or,
// outside of a cluster, the default one.
func ownNamespace(configured string) string {
	if configured != "" {
		return configured
	}
	if own, err := os.ReadFile(podNamespace); err == nil && len(bytes.TrimSpace(own)) > 0 {
		return string(bytes.TrimSpace(own))
	}
	return metav1.NamespaceDefault
}

// addProbes serves liveness always, and readiness once the caches are filled and the webhook
// server listens: before that a delivery would not find its Store, or nobody at all.
func (w *wiring) addProbes() error {
	if err := w.mgr.AddHealthzCheck("ping", healthz.Ping); err != nil {
		return fmt.Errorf("add the liveness probe: %w", err)
	}
	ready := func(request *http.Request) error {
		if !w.cachesFilled(request.Context()) {
			return errors.New("the caches are not filled yet")
		}
		if w.listens != nil && !w.listens() {
			return errors.New("the webhook server does not listen yet")
		}
		return nil
	}
	if err := w.mgr.AddReadyzCheck("caches", ready); err != nil {
		return fmt.Errorf("add the readiness probe: %w", err)
	}
	return nil
}

func (w *wiring) cachesFilled(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	return w.mgr.GetCache().WaitForCacheSync(ctx)
}
