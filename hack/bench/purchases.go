package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/fence"
	"cartrecovery.dev/operator/internal/gateway"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/metrics"
	"cartrecovery.dev/operator/internal/secrets"
	"cartrecovery.dev/operator/internal/testenv"
	"cartrecovery.dev/operator/webhookserver"
)

const (
	// sequential is how many deliveries are made one after the other, inFlight how many at a
	// time otherwise, and parallelTime for how long.
	sequential   = 100
	inFlight     = 20
	parallelTime = 6 * time.Second
	// makers create leads at a time.
	makers = 16
	token  = "bench-hottok"
)

// runPurchases measures what a purchase costs with so many leads in its namespace: with a list
// from the API server, and with the fence. Carts likewise, without the wait and with it.
func runPurchases(ctx context.Context, sizes []int) (failed error) {
	env, err := testenv.Start()
	if err != nil {
		return err
	}
	defer func() { failed = errors.Join(failed, env.Stop()) }()
	b := &purchaseBench{env: env}
	if err := b.prepare(ctx); err != nil {
		return err
	}
	if err := b.start(ctx); err != nil {
		return err
	}
	defer func() { failed = errors.Join(failed, b.stop()) }()
	made := 0
	for _, size := range sizes {
		if err := makeLeads(ctx, b.env.Client, made, size, benchLead); err != nil {
			return err
		}
		made = size
		for _, each := range []struct {
			what   string
			server *webhookserver.Server
		}{{"behind the fence", b.fenced}, {"listed live", b.listing}} {
			if err := b.measure(ctx, size, each.what, each.server); err != nil {
				return err
			}
		}
	}
	return nil
}

type purchaseBench struct {
	env *testenv.Environment
	// listing lists live, fenced waits for its cache.
	listing, fenced *webhookserver.Server
	stop            func() error
	// next numbers customers who bought.
	next atomic.Int64
}

// poster keeps a connection for each delivery in flight.
var poster = &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: inFlight}}

func (b *purchaseBench) prepare(ctx context.Context) error {
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: benchNamespace}}
	if err := b.env.Client.Create(ctx, namespace); err != nil {
		return fmt.Errorf("create the namespace: %w", err)
	}
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: benchNamespace, Name: "hotmart"},
		StringData: map[string]string{"hottok": token}}
	if err := b.env.Client.Create(ctx, secret); err != nil {
		return fmt.Errorf("create the secret: %w", err)
	}
	store := &v1alpha1.Store{ObjectMeta: metav1.ObjectMeta{Namespace: benchNamespace, Name: "bench"}}
	store.Spec.ClientID = "bench"
	store.Spec.Platforms = []v1alpha1.StorePlatform{{
		Name: v1alpha1.PlatformHotmart, SecretRefs: []v1alpha1.SecretKeyReference{{Name: "hotmart", Key: "hottok"}},
	}}
	if err := b.env.Client.Create(ctx, store); err != nil {
		return fmt.Errorf("create the store: %w", err)
	}
	return nil
}

// start starts the servers, which share a cache.
func (b *purchaseBench) start(ctx context.Context) error {
	mgr, err := b.env.NewManager(ctrl.Options{Logger: logr.Discard()})
	if err != nil {
		return err
	}
	seen, err := fence.New(ctx, mgr.GetCache(), &v1alpha1.CartRecovery{}, 0)
	if err != nil {
		return err
	}
	for _, each := range []struct {
		server **webhookserver.Server
		fence  webhookserver.Fence
	}{{&b.listing, nil}, {&b.fenced, seen}} {
		if *each.server, err = benchServer(mgr, each.fence); err != nil {
			return err
		}
	}
	running := testenv.Run(mgr)
	b.stop = running.Stop
	for b.listing.Addr() == nil || b.fenced.Addr() == nil {
		select {
		case <-running.Ended():
			return fmt.Errorf("the servers did not start: %w", running.Stop())
		case <-time.After(20 * time.Millisecond):
		}
	}
	return nil
}

func benchServer(mgr manager.Manager, seen webhookserver.Fence) (*webhookserver.Server, error) {
	counted, err := metrics.New(prometheus.NewRegistry())
	if err != nil {
		return nil, err
	}
	reader := secrets.NewReader(mgr.GetAPIReader(), time.Now)
	server, err := webhookserver.New(webhookserver.Options{
		Client: mgr.GetClient(), Live: mgr.GetAPIReader(), Fence: seen, Secrets: reader,
		Connector: &gateway.Connector{Secrets: reader}, Metrics: counted, BindAddress: "127.0.0.1:0",
	})
	if err != nil {
		return nil, err
	}
	if err := mgr.Add(server); err != nil {
		return nil, fmt.Errorf("add a server: %w", err)
	}
	return server, nil
}

func customerNumber(n int) v1alpha1.LeadCustomer {
	return v1alpha1.LeadCustomer{
		Name: "Maria Souza", Email: fmt.Sprintf("customer-%d@example.com", n), Phone: fmt.Sprintf("+55119%08d",
			10_000_000+n),
	}
}

// makeLeads makes the leads from one number up to another.
func makeLeads(
	ctx context.Context, kube client.Client, from, to int, lead func(int) *v1alpha1.CartRecovery,
) error {
	start := time.Now()
	var next atomic.Int64
	next.Store(int64(from))
	failed := make(chan error, makers)
	var group sync.WaitGroup
	for range makers {
		group.Go(func() {
			for n := int(next.Add(1)) - 1; n < to && ctx.Err() == nil; n = int(next.Add(1)) - 1 {
				if err := makeLead(ctx, kube, lead(n)); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	group.Wait()
	select {
	case err := <-failed:
		return err
	default:
	}
	sayf("%d leads, after %s", to, time.Since(start).Round(time.Second))
	return ctx.Err()
}

// makeLead makes a lead, with its status if that says that it has ended.
func makeLead(ctx context.Context, kube client.Client, made *v1alpha1.CartRecovery) error {
	status := made.Status
	if err := kube.Create(ctx, made); err != nil {
		return fmt.Errorf("create a lead: %w", err)
	}
	if status.CompletionTime == nil {
		return nil
	}
	// The operator writes to a lead that it sees before its status is there.
	ended := made.DeepCopy()
	ended.Status = status
	if err := kube.Status().Patch(ctx, ended, client.MergeFrom(made)); err != nil {
		return fmt.Errorf("write the status of a lead: %w", err)
	}
	return nil
}

func benchLead(n int) *v1alpha1.CartRecovery {
	customer, at := customerNumber(n), v1alpha1.NewTimestamp(time.Now())
	return &v1alpha1.CartRecovery{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: benchNamespace, Labels: lead.Labels("bench", customer),
			Name: lead.Name(lead.Identity{ClientID: "bench", Platform: v1alpha1.PlatformHotmart, ProductID: "1001",
				Email: customer.Email}),
		},
		Spec: v1alpha1.CartRecoverySpec{
			StoreRef: v1alpha1.ObjectReference{Name: "bench"}, Platform: v1alpha1.PlatformHotmart,
			Trigger: v1alpha1.TriggerAbandonedCart, Customer: customer, Product: v1alpha1.LeadProduct{ID: "1001",
				Name: "Curso de Violão"}, AbandonedAt: &at, ClientID: "bench",
		},
	}
}

// measure delivers to a server one after the other, and then so many at a time.
func (b *purchaseBench) measure(ctx context.Context, size int, what string, server *webhookserver.Server) error {
	// The first one fills the caches, which a manager fills before it serves.
	if err := b.deliver(ctx, size, server); err != nil {
		return err
	}
	var took []time.Duration
	for range sequential {
		start := time.Now()
		if err := b.deliver(ctx, size, server); err != nil {
			return err
		}
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	var delivered, refused atomic.Int64
	var group sync.WaitGroup
	start := time.Now()
	for range inFlight {
		group.Go(func() {
			for time.Since(start) < parallelTime {
				if err := b.deliver(ctx, size, server); err != nil {
					refused.Add(1)
					continue
				}
				delivered.Add(1)
			}
		})
	}
	group.Wait()
	sayf("%-16s %6d leads: p50 %6.1f ms, p99 %6.1f ms; %d in flight %6.0f a second, %d refused", what, size,
		milliseconds(took[len(took)/2]), milliseconds(took[len(took)*99/100]), inFlight,
		float64(delivered.Load())/time.Since(start).Seconds(), refused.Load())
	return nil
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// deliver posts a purchase of the next customer, one of the leads in turn.
func (b *purchaseBench) deliver(ctx context.Context, size int, server *webhookserver.Server) error {
	n := int(b.next.Add(1))
	customer := customerNumber(n % size)
	body := fmt.Sprintf(
		`{"id":"e-%d","creation_date":%d,"event":"PURCHASE_APPROVED","version":"2.0.0","data":{"product":{"id":1001,"name":"Curso de Violão"},`+
			`"buyer":{"name":"Maria Souza","email":%q,"phone":%q},"purchase":{"transaction":"HP%d","price":{"value":149.9,"currency_value":"BRL"}}}}`,
		n, time.Now().UnixMilli(), customer.Email, customer.Phone, n)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+server.Addr().String()+
		"/api/webhooks/hotmart/bench", bytes.NewReader([]byte(body)))
	if err != nil {
		return fmt.Errorf("build a request: %w", err)
	}
	request.Header.Set("X-HOTMART-HOTTOK", token)
	response, err := poster.Do(request)
	if err != nil {
		return fmt.Errorf("post a delivery: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	said, err := io.ReadAll(response.Body)
	if err != nil {
		return fmt.Errorf("read an answer: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("a delivery was answered with %d: %s", response.StatusCode, said)
	}
	return nil
}
