// Package webhookserver takes deliveries of sales platforms and WhatsApp gateways, and the platform team's own connect
// and status calls. It authenticates, parses and writes; it never sends a message and never calls the AI. It runs on
// every replica. A 2xx means that the fact is stored, except for receipts, which are gathered first.
//
// The files sort by subject: http_ has the server, its routes, answers and connections; sales_ and inbound_ have the
// deliveries of sales platforms and of gateways; pairing_ has connect and status; lead_ writes leads; store_ finds
// Stores and the keys of their deliveries.
package webhookserver

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	"github.com/gofiber/fiber/v2"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/fence"
	"cartrecovery.dev/operator/internal/gateway"
	"cartrecovery.dev/operator/internal/index"
	"cartrecovery.dev/operator/internal/metrics"
	"cartrecovery.dev/operator/internal/secrets"
	"cartrecovery.dev/operator/internal/webhookkeys"
)

// The defaults of Options.
const (
	// DefaultBindAddress is where the server listens.
	DefaultBindAddress = ":9090"
	// DefaultConnectWait is how long POST connect waits for a QR or pair code.
	DefaultConnectWait = 25 * time.Second
	// DefaultRequestTimeout bounds the work on one request, connect's wait aside.
	DefaultRequestTimeout = 15 * time.Second
	// DefaultDrainTimeout is how long requests under way may take once the server stops.
	DefaultDrainTimeout = 20 * time.Second
	// DefaultReceiptWindow is how long receipts of one lead are gathered.
	DefaultReceiptWindow = 10 * time.Second
	// DefaultMaxConnections is how many connections are open at once.
	DefaultMaxConnections = 8192
	// DefaultMaxConnectionsPerSource is how many of them one source has.
	DefaultMaxConnectionsPerSource = 256
)

// Options are what a Server needs.
type Options struct {
	// Client reads from the manager's cache, which must have the indexes of
	// internal/index, and writes. Required.
	Client client.Client
	// Live reads without the cache. Required.
	Live client.Reader
	// Fence tells when the cache behind Client has taken in a write of a CartRecovery (see
	// internal/fence); nil reads live wherever the cache may be behind.
	Fence Fence
	// Recorder tells of deliveries that could not be used, on their Store; nil tells nobody.
	Recorder events.EventRecorder
	// Secrets reads the platforms' secrets. Required.
	Secrets *secrets.Reader
	// Connector builds gateways and reads their credentials. Required.
	Connector *gateway.Connector
	// Copies are what deliveries are checked with, and what callers of connect are shown, where
	// the controllers run in another process; then no other Secret is read and no gateway is
	// called. nil reads the Secrets themselves.
	Copies *webhookkeys.Reader
	// Metrics counts deliveries. Required.
	Metrics *metrics.Metrics
	// Authorizer decides who may use connect and status. Default: NewAuthorizer(Client).
	Authorizer Authorizer
	// NoClaims leaves ClientIDClaims alone, where the process may not use what is in no namespace: the
	// oldest Store has a clientID then.
	NoClaims bool
	// Ready says whether the caches are filled; nil means that they are.
	Ready func(ctx context.Context) bool
	// Clock tells the time. Default: the real one.
	Clock clock.PassiveClock
	// Logger gets what people must know. It is never given anything of a customer.
	Logger logr.Logger
	// BindAddress is where to listen. Default DefaultBindAddress.
	BindAddress string
	// TLS is how to speak TLS; nil is plain HTTP, behind an Ingress that ends TLS.
	TLS *tls.Config
	// ConnectWait is how long POST connect waits for a QR or pair code. Default
	// DefaultConnectWait.
	ConnectWait time.Duration
	// RequestTimeout bounds the work on one request. Default DefaultRequestTimeout.
	RequestTimeout time.Duration
	// DrainTimeout is how long requests under way may take once the server stops. Default
	// DefaultDrainTimeout.
	DrainTimeout time.Duration
	// ReceiptWindow is how long receipts of one lead are gathered before they are stored
	// together. Default DefaultReceiptWindow.
	ReceiptWindow time.Duration
	// MaxConnections is how many connections are open at once. Default DefaultMaxConnections.
	MaxConnections int
	// MaxConnectionsPerSource is how many of them one address has, TrustedProxies aside. Default
	// DefaultMaxConnectionsPerSource.
	MaxConnectionsPerSource int
	// TrustedProxies are the addresses that load balancers and Ingresses connect from.
	TrustedProxies Proxies
}

// Server is the webhook server, a Runnable of the manager.
type Server struct {
	Options

	app *fiber.App
	// live lists customers' leads where the cache cannot be relied on.
	live       *index.Live
	rejections *rejections
	// mappings are the compiled mappings of generic platforms.
	mappings    *mappings
	connections *connections
	// receipts wait with their leads, and early ones, whose lead is not known yet, with the
	// store.
	receipts, early *receipts
	// sent are deliveries about messages that are still being sent.
	sent *sentLater
	// joiner joins what comes in for one lead at once.
	joiner *joiner
	// strangers spaces the messages that belong to no known lead.
	strangers *strangers
	// ownTexts tells what a machine of a paired number writes to everybody.
	ownTexts *ownTexts
	// requests is what every request's context derives from; it ends after the drain.
	requests    context.Context
	endRequests context.CancelFunc
	// draining is closed when the server begins to stop: who only waits, stops waiting.
	draining chan struct{}
	// limits bound the connections.
	limits doorLimits
	// reviews looks at the tokens of callers of connect and status.
	reviews *tokenReviews
	// largeSlots has an element for each large body that is being read.
	largeSlots chan struct{}
	// pausing has an element for each refusal that takes its time.
	pausing   chan struct{}
	stopOnce  sync.Once
	started   atomic.Bool
	boundAddr atomic.Pointer[net.Addr]
}

// New builds a Server; it listens once it is started.
func New(options Options) (*Server, error) {
	options, err := options.complete()
	if err != nil {
		return nil, err
	}
	s := &Server{
		Options: options, live: index.NewLive(options.Live),
		rejections: newRejections(), mappings: newMappings(), connections: newConnections(),
		receipts:  newReceipts(options.ReceiptWindow, v1alpha1.MaxConversation),
		ownTexts:  newOwnTexts(),
		sent:      newSentLater(),
		strangers: newStrangers(),
		limits:    options.doorLimits(),
		reviews:   newTokenReviews(options.Authorizer, options.Clock, options.Metrics),
		early:     newReceipts(options.ReceiptWindow, maxEarlyReceipts),
		draining:  make(chan struct{}), largeSlots: make(chan struct{}, largeBodies()),
		pausing: make(chan struct{}, maxPausing),
	}
	s.joiner = newJoiner(func(ctx context.Context, read *v1alpha1.CartRecovery,
		change leadChange) (*v1alpha1.CartRecovery, bool, error) {
		return s.patchLead(ctx, read, s.writeStatus, change)
	})
	s.joiner.read = func(ctx context.Context, name types.NamespacedName, into *v1alpha1.CartRecovery) error {
		return s.Client.Get(ctx, name, into)
	}
	s.requests, s.endRequests = context.WithCancel(context.Background())
	s.app = s.newApp()
	return s, nil
}

func (o Options) complete() (Options, error) {
	switch {
	case o.Client == nil:
		return o, errors.New("webhook server: Options.Client is required")
	case o.Live == nil:
		return o, errors.New("webhook server: Options.Live is required")
	case o.Secrets == nil:
		return o, errors.New("webhook server: Options.Secrets is required")
	case o.Connector == nil:
		return o, errors.New("webhook server: Options.Connector is required")
	case o.Metrics == nil:
		return o, errors.New("webhook server: Options.Metrics is required")
	}
	if o.Fence == nil {
		o.Fence = (*fence.Fence)(nil)
	}
	if o.Authorizer == nil {
		o.Authorizer = NewAuthorizer(o.Client)
	}
	if o.Ready == nil {
		o.Ready = func(context.Context) bool { return true }
	}
	if o.Clock == nil {
		o.Clock = clock.RealClock{}
	}
	if o.Logger.GetSink() == nil {
		o.Logger = logr.Discard()
	}
	if o.BindAddress == "" {
		o.BindAddress = DefaultBindAddress
	}
	defaultTo(&o.ConnectWait, DefaultConnectWait)
	defaultTo(&o.RequestTimeout, DefaultRequestTimeout)
	defaultTo(&o.DrainTimeout, DefaultDrainTimeout)
	defaultTo(&o.ReceiptWindow, DefaultReceiptWindow)
	defaultTo(&o.MaxConnections, DefaultMaxConnections)
	defaultTo(&o.MaxConnectionsPerSource, DefaultMaxConnectionsPerSource)
	return o, nil
}

func defaultTo[T ~int | ~int64](value *T, fallback T) {
	if *value <= 0 {
		*value = fallback
	}
}

// NeedLeaderElection is false: every replica takes deliveries.
func (s *Server) NeedLeaderElection() bool { return false }

// Addr is where the server listens; nil before it does.
func (s *Server) Addr() net.Addr {
	if addr := s.boundAddr.Load(); addr != nil {
		return *addr
	}
	return nil
}

// Start listens and serves until ctx ends, then finishes the requests under way, for
// Options.DrainTimeout at the longest. A Server starts once.
func (s *Server) Start(ctx context.Context) error {
	if !s.started.CompareAndSwap(false, true) {
		return errors.New("webhook server: it was started before")
	}
	defer s.endRequests()
	var config net.ListenConfig
	listening, err := config.Listen(ctx, "tcp", s.BindAddress)
	if ctx.Err() != nil && err != nil {
		return nil
	}
	if err != nil {
		return fmt.Errorf("webhook server: listen: %w", err)
	}
	if s.TLS != nil {
		// The handshake is part of the first reading, and has the time of a head.
		listening = tls.NewListener(listening, s.TLS)
	}
	listener := newDoor(listening, s.limits, s.TrustedProxies, s.Clock, s.Metrics)
	addr := listener.Addr()
	s.boundAddr.Store(&addr)
	s.Logger.Info("The webhook server listens", "address", addr.String(), "tls", s.TLS != nil)

	stop := make(chan struct{})
	var recorder sync.WaitGroup
	recorder.Go(func() { s.recordRejections(context.WithoutCancel(ctx), stop) })
	recorder.Go(func() { s.recordReceipts(context.WithoutCancel(ctx), stop) })
	recorder.Go(func() { s.confirmLater(context.WithoutCancel(ctx), stop) })
	recorder.Go(func() { s.recordConnections(context.WithoutCancel(ctx), stop) })
	defer recorder.Wait()
	defer close(stop)
	served := make(chan error, 1)
	go func() { served <- s.app.Listener(listener) }()
	select {
	case err := <-served:
		s.beginDrain()
		if err == nil {
			err = errors.New("the listener was closed")
		}
		return fmt.Errorf("webhook server: serve: %w", err)
	case <-ctx.Done():
		return s.drain(context.WithoutCancel(ctx), listener, served)
	}
}

func (o *Options) doorLimits() doorLimits {
	return doorLimits{
		connections: o.MaxConnections, perSource: o.MaxConnectionsPerSource,
		memory: largeMemory, memoryPerSource: largeMemory / 4,
		bandwidth: largeBandwidth, bandwidthPerSource: largeBandwidth / 4,
		head: headTimeout, idle: idleTimeout, body: bodyTimeout,
	}
}

// drain stops listening and lets the requests under way finish; those that take too long
// end with their context.
func (s *Server) drain(ctx context.Context, listener net.Listener, served <-chan error) error {
	s.beginDrain()
	ctx, cancel := context.WithTimeout(ctx, s.DrainTimeout)
	defer cancel()
	err := s.app.ShutdownWithContext(ctx)
	// Where serving had not begun yet there was nothing to shut down.
	_ = listener.Close()
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		s.Logger.Info("Requests were still under way when the time to finish them was over")
		return nil
	case err != nil:
		return fmt.Errorf("webhook server: stop: %w", err)
	}
	select {
	case err := <-served:
		if err != nil {
			return fmt.Errorf("webhook server: serve: %w", err)
		}
	case <-ctx.Done():
	}
	return nil
}

func (s *Server) beginDrain() { s.stopOnce.Do(func() { close(s.draining) }) }

func (s *Server) isDraining() bool {
	select {
	case <-s.draining:
		return true
	default:
		return false
	}
}
