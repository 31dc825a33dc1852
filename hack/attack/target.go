package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/hack/sandbox"
	"cartrecovery.dev/operator/webhookserver/platforms"
)

const (
	namespace = "attacked"
	client    = "attacked"
	token     = "a-token-of-the-attacked"
)

// target is the manager under attack.
type target struct {
	// url of the webhook server, address its host and port.
	url, address string
	rate         int
	ingress      bool
	next         atomic.Int64
	poster       *http.Client
}

// attacked are the platforms of the Store: all but the one that needs a mapping.
func attacked() []v1alpha1.PlatformName {
	return slices.DeleteFunc(platforms.Names(), func(name v1alpha1.PlatformName) bool {
		return name == v1alpha1.PlatformGeneric
	})
}

// prepare makes the Store that good deliveries are for, with a platform for each way of authenticating.
func prepare(ctx context.Context, cluster *sandbox.Cluster, manager *sandbox.Manager, s settings) (*target, error) {
	if err := cluster.Client.Create(ctx,
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}); err != nil {
		return nil, fmt.Errorf("create the namespace: %w", err)
	}
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "platforms"},
		StringData: map[string]string{"token": token},
	}
	if err := cluster.Client.Create(ctx, secret); err != nil {
		return nil, fmt.Errorf("create the secret: %w", err)
	}
	store := &v1alpha1.Store{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: client}}
	store.Spec.ClientID, store.Spec.Suspend = client, true
	for _, name := range attacked() {
		store.Spec.Platforms = append(store.Spec.Platforms, v1alpha1.StorePlatform{
			Name: name, SecretRefs: []v1alpha1.SecretKeyReference{{Name: "platforms", Key: "token"}},
		})
	}
	if err := cluster.Client.Create(ctx, store); err != nil {
		return nil, fmt.Errorf("create the store: %w", err)
	}
	parsed, err := url.Parse(manager.URL)
	if err != nil {
		return nil, fmt.Errorf("read the manager's URL: %w", err)
	}
	t := &target{url: manager.URL, address: parsed.Host, rate: s.rate, ingress: s.ingress}
	// As an Ingress does, good deliveries come over connections that are kept.
	t.poster = &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 16,
		IdleConnTimeout: 30 * time.Second}}
	for range 50 { // until the manager knows the Store, and is warm
		t.deliver(ctx)
	}
	return t, sleep(ctx, time.Second)
}

// dialer connects the n-th stranger, from an address of its own. Behind an Ingress everybody has the same one.
func (t *target) dialer(n int) *net.Dialer {
	dialer := &net.Dialer{Timeout: 5 * time.Second}
	if !t.ingress {
		dialer.LocalAddr = &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(1+n%addresses))} //nolint:gosec // there are few
	}
	return dialer
}

// measured is how good deliveries fared.
type measured struct {
	took    []time.Duration
	refused int
}

func (m measured) at(share float64) time.Duration {
	if len(m.took) == 0 {
		return time.Minute
	}
	return m.took[int(share*float64(len(m.took)-1))]
}

func (m measured) p99() time.Duration { return m.at(.99) }

func (m measured) String() string {
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	return fmt.Sprintf("%.1f/%.1f, %d of %d", ms(m.at(.5)), ms(m.p99()), m.refused, len(m.took)+m.refused)
}

// good posts good deliveries at the steady rate, every second one over a new connection.
func (t *target) good(ctx context.Context, lasts time.Duration) measured {
	var mu sync.Mutex
	var all measured
	var group sync.WaitGroup
	tick := time.NewTicker(time.Second / time.Duration(t.rate))
	defer tick.Stop()
	for start := time.Now(); time.Since(start) < lasts && ctx.Err() == nil; {
		<-tick.C
		group.Go(func() {
			took, ok := t.deliver(ctx)
			mu.Lock()
			defer mu.Unlock()
			if !ok {
				all.refused++
				return
			}
			all.took = append(all.took, took)
		})
	}
	group.Wait()
	slices.Sort(all.took)
	return all
}

// deliver posts one abandoned cart.
func (t *target) deliver(ctx context.Context) (time.Duration, bool) {
	n := t.next.Add(1)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, t.url+"/api/webhooks/hotmart/"+client,
		strings.NewReader(cart(n)))
	if err != nil {
		return 0, false
	}
	request.Header.Set("X-HOTMART-HOTTOK", token)
	request.Close = n%2 == 0
	start := time.Now()
	answer, err := t.poster.Do(request)
	if err != nil {
		return 0, false
	}
	defer answer.Body.Close() //nolint:errcheck // it was only read
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return 0, false
	}
	return time.Since(start), answer.StatusCode == http.StatusOK
}

func cart(n int64) string {
	return fmt.Sprintf(
		`{"id":"a-%d","creation_date":%d,"event":"PURCHASE_OUT_OF_SHOPPING_CART","version":"2.0.0","data":{`+
			`"product":{"id":1001,"name":"Curso de Violão"},"buyer":{"name":"Maria Souza","email":"customer%d@example.com","phone":"+55119%08d"}}}`,
		n, time.Now().UnixMilli(), n, 10_000_000+n)
}
