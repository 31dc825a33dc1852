package main

import (
	"flag"
	"fmt"
	"strings"
	"time"

	"go.uber.org/zap/zapcore"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/controllers/cartrecovery"
	"cartrecovery.dev/operator/internal/ai"
	"cartrecovery.dev/operator/internal/gateway"
	"cartrecovery.dev/operator/internal/gateway/registry"
	"cartrecovery.dev/operator/internal/outbound"
	"cartrecovery.dev/operator/internal/serving"
	"cartrecovery.dev/operator/internal/shares"
	"cartrecovery.dev/operator/internal/suppressionkeys"
	"cartrecovery.dev/operator/webhookserver"
)

// settings are what the manager is told by flags and environment.
type settings struct {
	webhookAddress string
	// webhookCertDir has the certificate of the webhook server; "" is plain HTTP.
	webhookCertDir string
	metrics        serving.Metrics
	probeAddress   string
	// metricsStoreLabel has metrics of Stores carry their name.
	metricsStoreLabel bool
	// version asks for nothing but which program this is.
	version    bool
	publicURL  string
	namespaces []string
	// watchNamespaces is the flag as it was given.
	watchNamespaces string
	// namespaced says that the process has rights in its namespaces only, and none in the whole cluster.
	namespaced bool
	roles      roles

	leaderElection          bool
	leaderElectionNamespace string
	// stateDir is where a process keeps what it saw of the heartbeat.
	stateDir string
	// restoreHold is how long after a restore nothing is sent.
	restoreHold   time.Duration
	leaseDuration time.Duration
	renewDeadline time.Duration
	retryPeriod   time.Duration

	concurrency int
	writers     int
	// namespaceWrites is how many writes of a namespace are under way at once.
	namespaceWrites int
	drain           time.Duration
	// flagError is what is wrong with the flags as such; flag.ErrHelp when they are asked for.
	flagError error
	// logsRequests says that the log is so verbose that it has the requests to the API server.
	logsRequests bool
	// arguments are what was given besides flags, which is always a mistake.
	arguments []string
	// trustedProxies is the flag as it was given, read with webhookserver.ParseProxies.
	trustedProxies string
	// allowedHosts is the flag as it was given; outbound.Hosts has it read.
	allowedHosts string
	connections  int
	perSource    int

	// gateways are the operator's own, by type.
	gateways map[v1alpha1.GatewayType]gateway.Defaults
	ai       ai.Defaults
	outbound outbound.Rules
	// suppressionKeys recognise the numbers that were erased; nil for none. keysError is what is wrong with them.
	suppressionKeys *suppressionkeys.Keys
	keysError       error
}

// parseFlags reads flags and environment. Credentials come from the environment only: a
// command line can be read by everybody on the machine.
func parseFlags(flags *flag.FlagSet, args []string, getenv func(string) string) (settings, *zap.Options) {
	var s settings
	s.roles = roles{webhooks: true, controllers: true}
	flags.Var(&s.roles, "roles", "what this process does, separated by commas: "+
		"webhooks (takes deliveries, needs few rights), controllers (sends)")
	flags.StringVar(&s.watchNamespaces, "watch-namespaces", getenv("WATCH_NAMESPACES"),
		"namespaces to work in, separated by commas; all when empty (environment: WATCH_NAMESPACES)")
	flags.BoolVar(&s.namespaced, "namespaced", false, "do without rights in the whole cluster: needs "+
		"--watch-namespaces, asks about callers with their own tokens, and reads and makes no ClientIDClaims")
	flags.BoolVar(&s.version, "version", false, "print which program this is, and end")
	s.addressFlags(flags, getenv)
	s.electionFlags(flags)
	s.restoreFlags(flags)
	s.loadFlags(flags)
	s.endpointFlags(flags, getenv)
	logging := &zap.Options{EncoderConfigOptions: []zap.EncoderConfigOption{knownLevels}}
	logging.BindFlags(flags)
	s.flagError = flags.Parse(args)
	s.logsRequests = zap.New(zap.UseFlagOptions(logging)).V(maxLogLevel + 1).Enabled()
	s.arguments = flags.Args()
	s.publicURL = strings.TrimRight(strings.TrimSpace(s.publicURL), "/")
	for name := range strings.SplitSeq(s.watchNamespaces, ",") {
		if name = strings.TrimSpace(name); name != "" {
			s.namespaces = append(s.namespaces, name)
		}
	}
	s.readCredentials(getenv)
	s.outbound.Hosts = s.ownHosts().With(outbound.ParseHosts(s.allowedHosts))
	return s, logging
}

// knownLevels calls what is logged below debug debug, too: collectors of logs know no other name.
func knownLevels(config *zapcore.EncoderConfig) {
	config.EncodeLevel = func(level zapcore.Level, into zapcore.PrimitiveArrayEncoder) {
		zapcore.LowercaseLevelEncoder(max(level, zapcore.DebugLevel), into)
	}
}

// addressFlags are where the process listens, and who connects to it.
func (s *settings) addressFlags(flags *flag.FlagSet, getenv func(string) string) {
	flags.StringVar(&s.webhookAddress, "webhook-bind-address", webhookserver.DefaultBindAddress,
		"where the webhook server listens")
	flags.StringVar(&s.webhookCertDir, "webhook-cert-dir", "",
		"directory with tls.crt and tls.key, read again when they change: the webhook server speaks TLS; plain HTTP "+
			"when empty")
	s.metricsFlags(flags)
	flags.StringVar(&s.probeAddress, "health-probe-bind-address", ":8081", "where /healthz and /readyz are served")
	flags.StringVar(&s.publicURL, "public-url", getenv("PUBLIC_URL"),
		"where platforms and gateways reach the webhook server, for example https://hooks.example.com (environment: "+
			"PUBLIC_URL)")
	flags.StringVar(&s.trustedProxies, "trusted-proxies", getenv("TRUSTED_PROXIES"),
		"addresses and networks (CIDR) that load balancers and Ingresses connect from, separated by commas "+
			"(environment: TRUSTED_PROXIES)")
}

// metricsFlags are where metrics are served, to whom, and of what.
func (s *settings) metricsFlags(flags *flag.FlagSet) {
	flags.StringVar(&s.metrics.Address, "metrics-bind-address", ":8443", "where metrics are served; 0 for nowhere")
	s.metrics.Auth = serving.MetricsByToken
	flags.Func("metrics-auth", "what somebody needs who reads metrics: token (of Kubernetes, with the right to get "+
		"/metrics; the default), certificate (of --metrics-client-ca-file), or none (no TLS either, without "+
		"--metrics-cert-dir)", func(given string) error {
		s.metrics.Auth = serving.MetricsAuth(given)
		return nil
	})
	flags.StringVar(&s.metrics.CertDir, "metrics-cert-dir", "",
		"directory with tls.crt and tls.key of the server of metrics, read again when they change; it signs a "+
			"certificate itself when empty")
	flags.StringVar(&s.metrics.ClientCAFile, "metrics-client-ca-file", "",
		"file with the authorities (PEM) of certificates that may read metrics, for --metrics-auth=certificate")
	flags.BoolVar(&s.metricsStoreLabel, "metrics-store-label", true,
		"have metrics of Stores carry the Store's name; otherwise they are added up by namespace")
}

// electionFlags are how the replicas agree on a leader.
func (s *settings) electionFlags(flags *flag.FlagSet) {
	flags.BoolVar(&s.leaderElection, "leader-elect", false,
		"elect a leader among the replicas; needed with more than one")
	flags.StringVar(&s.leaderElectionNamespace, "leader-election-namespace", "",
		"namespace of the leader's Lease and of the heartbeat; the operator's own when empty")
	flags.DurationVar(&s.leaseDuration, "leader-election-lease-duration", 10*time.Second,
		"how long the lead of a process that has died is respected; whole seconds")
	flags.DurationVar(&s.renewDeadline, "leader-election-renew-deadline", 7*time.Second,
		"how long a leader that cannot renew its Lease goes on; less than the lease duration")
	flags.DurationVar(&s.retryPeriod, "leader-election-retry-period", 1500*time.Millisecond,
		"how often a leader renews its Lease")
}

// restoreFlags are how a restore from a backup is noticed, and what follows.
func (s *settings) restoreFlags(flags *flag.FlagSet) {
	flags.StringVar(&s.stateDir, "state-dir", "",
		"directory that outlives the process and is not in the API server, where it keeps "+
			"what it saw of the heartbeat: by it the next process notices a restore of etcd; none when empty")
	flags.DurationVar(&s.restoreHold, "restore-hold", 0,
		"how long nothing is sent after a restore from a backup that is certain, "+
			"by any gateway, or until the Store is annotated; 0 for not at all")
}

// loadFlags are how much is done at once.
func (s *settings) loadFlags(flags *flag.FlagSet) {
	flags.IntVar(&s.concurrency, "concurrent-leads", cartrecovery.DefaultConcurrency,
		"how many leads are worked on at once")
	flags.IntVar(&s.writers, "concurrent-writes", cartrecovery.DefaultWriters, "how many texts the AI writes at once")
	flags.IntVar(&s.namespaceWrites, "namespace-writes", shares.DefaultWritesAtOnce,
		"how many claims of messages, and writes of floods, of one namespace are under way at once while other "+
			"namespaces have some too")
	flags.DurationVar(&s.drain, "drain-timeout", webhookserver.DefaultDrainTimeout,
		"how long deliveries under way may take once the manager stops")
	flags.IntVar(&s.connections, "max-connections", webhookserver.DefaultMaxConnections,
		"how many connections the webhook server has open at once")
	flags.IntVar(&s.perSource, "max-connections-per-source", webhookserver.DefaultMaxConnectionsPerSource,
		"how many of them one address has, trusted proxies aside")
}

// endpointFlags are which endpoints may be called, and where Secrets may be sent to.
func (s *settings) endpointFlags(flags *flag.FlagSet, getenv func(string) string) {
	flags.BoolVar(&s.outbound.AllowHTTP, "allow-http-endpoints", false,
		"let Stores and WhatsAppInstances name endpoints without TLS")
	flags.Func("allow-endpoint-cidrs", "addresses, such as 10.0.0.0/8, that endpoints of Stores and WhatsAppInstances "+
		"may have beside public ones, separated by commas", func(list string) error {
		ranges, err := outbound.ParseCIDRs(list)
		s.outbound.AllowCIDRs = append(s.outbound.AllowCIDRs, ranges...)
		return err
	})
	flags.StringVar(&s.allowedHosts, "allowed-hosts", getenv("ALLOWED_HOSTS"),
		"hosts that a Secret without the annotation "+
			v1alpha1.AnnotationAllowedHosts+" may be sent to, beside the operator's own, separated by commas "+
			"(environment: ALLOWED_HOSTS)")
}

// readCredentials reads the operator's own endpoints and their credentials. A value out of a file often ends with
// a line break.
func (s *settings) readCredentials(getenv func(string) string) {
	get := func(name string) string { return strings.TrimSpace(getenv(name)) }
	s.gateways = map[v1alpha1.GatewayType]gateway.Defaults{}
	for _, each := range registry.Types() {
		if !each.BuiltIn() {
			s.gateways[each.Name] = gateway.Defaults{
				BaseURL: get(each.BaseURLVariable), AdminToken: get(each.AdminTokenVariable),
			}
		}
	}
	s.ai = ai.Defaults{BaseURL: get("OPENAI_BASE_URL"), APIKey: get("OPENAI_API_KEY")}
	if s.roles.controllers {
		s.suppressionKeys, s.keysError = suppressionkeys.Parse(get("SUPPRESSION_KEYS"))
	}
}

// ownHosts are the hosts that the operator itself calls: a Secret that names no other may be sent
// to them.
func (s *settings) ownHosts() outbound.Hosts {
	var own []string
	bases := []string{ai.DefaultBaseURL, s.ai.BaseURL}
	for _, each := range s.gateways {
		bases = append(bases, each.BaseURL)
	}
	for _, base := range bases {
		if parsed, err := outbound.ParseBase(base); err == nil {
			own = append(own, outbound.HostPort(parsed))
		}
	}
	return outbound.ParseHosts(strings.Join(own, ","))
}

// ownsGateway says whether the operator has a gateway of its own.
func (s *settings) ownsGateway() bool {
	for _, each := range s.gateways {
		if each.BaseURL != "" {
			return true
		}
	}
	return false
}

// The roles of a process.
const (
	roleWebhooks    = "webhooks"
	roleControllers = "controllers"
)

// roles are what a process does.
type roles struct{ webhooks, controllers bool }

// Set reads the roles of a flag.
func (r *roles) Set(list string) error {
	*r = roles{}
	for role := range strings.SplitSeq(list, ",") {
		switch strings.TrimSpace(role) {
		case roleWebhooks:
			r.webhooks = true
		case roleControllers:
			r.controllers = true
		default:
			return fmt.Errorf("%q is neither %s nor %s", role, roleWebhooks, roleControllers)
		}
	}
	return nil
}

// String is the roles as the flag has them.
func (r *roles) String() string {
	var names []string
	if r.webhooks {
		names = append(names, roleWebhooks)
	}
	if r.controllers {
		names = append(names, roleControllers)
	}
	return strings.Join(names, ",")
}
