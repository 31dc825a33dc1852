package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/hack/sandbox"
	"cartrecovery.dev/operator/internal/simulator"
	"cartrecovery.dev/operator/internal/testenv"
)

const benchNamespace = "bench"

// runOperator posts a cart for every lead and measures how late its message arrives.
func runOperator(ctx context.Context, cluster *sandbox.Cluster, services *sandbox.Services, manager *sandbox.Manager,
	p plan) (lateness, map[string]float64, error) {
	if err := prepareStore(ctx, cluster, services, p); err != nil {
		return nil, nil, err
	}
	arrivals := watchArrivals(services.Gateway, p.leads)
	before, err := leadWrites(ctx, cluster)
	if err != nil {
		return nil, nil, err
	}
	due, err := postCarts(ctx, manager, p)
	if err != nil {
		return nil, nil, err
	}
	if err := arrivals.wait(ctx, p.delay+p.window+time.Minute); err != nil {
		return nil, nil, err
	}
	if err := settled(ctx, cluster, p.leads); err != nil {
		return nil, nil, err
	}
	after, err := leadWrites(ctx, cluster)
	if err != nil {
		return nil, nil, err
	}
	for name, count := range before {
		after[name] -= count
	}
	late, err := arrivals.lateness(due)
	return late, after, err
}

// unpaced lifts the limits of the number. The benchmark measures the operator, and not the pace that keeps a number
// from being banned.
const unpaced = `{"spec":{"limits":{"messagesPerMinute":6000,"messagesPerHour":100000,"newConversationsPerDay":100000,` +
	`"newConversationGap":{"min":"0s","max":"0s"},"warmUp":{"days":0}}}}`

// prepareStore applies the samples, connects the number and sets the delay.
func prepareStore(ctx context.Context, cluster *sandbox.Cluster, services *sandbox.Services, p plan) error {
	if err := cluster.Client.Create(ctx,
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: benchNamespace}}); err != nil {
		return fmt.Errorf("create namespace: %w", err)
	}
	policy := fmt.Sprintf(
		`{"spec":{"recovery":{"sequences":[{"trigger":"AbandonedCart","steps":[{"name":"first","after":%q}]}]}}}`,
		p.delay)
	for _, args := range [][]string{
		{"apply", "-k", filepath.Join(testenv.Root(), "config", "samples")},
		{"patch", "store", "acme", "--type=merge", "-p", policy},
		{"patch", "whatsappinstance", "acme", "--type=merge", "-p", unpaced},
	} {
		if _, err := cluster.Kubectl(ctx, append([]string{"-n", benchNamespace}, args...)...); err != nil {
			return err
		}
	}
	if err := scan(ctx, services); err != nil {
		return err
	}
	_, err := cluster.Kubectl(ctx, "-n", benchNamespace, "wait", "--for=condition=Ready", "wai/acme", "store/acme",
		"--timeout=30s")
	return err
}

// scan has a phone scan the QR as soon as there is one.
func scan(ctx context.Context, services *sandbox.Services) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		err := services.Gateway.Scan(benchNamespace+".acme", "5511977770000")
		if err == nil {
			return nil
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("scan the QR: %w", err)
		}
	}
}

// phoneOf is the number of the n-th customer.
func phoneOf(n int) string { return fmt.Sprintf("55119%08d", 10_000_001+n) }

// postCarts posts the carts evenly over the window and returns when each message is due.
func postCarts(ctx context.Context, manager *sandbox.Manager, p plan) (map[string]time.Time, error) {
	due := make(map[string]time.Time, p.leads)
	start, failures := time.Now(), make(chan error, p.leads)
	var posting sync.WaitGroup
	for n := range p.leads {
		at := start.Add(p.window * time.Duration(n) / time.Duration(p.leads)).Truncate(time.Millisecond)
		select {
		case <-time.After(time.Until(at)):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		due[phoneOf(n)] = at.Add(p.delay)
		posting.Go(func() { failures <- postCart(ctx, manager, n, at) })
	}
	posting.Wait()
	close(failures)
	for err := range failures {
		if err != nil {
			return nil, err
		}
	}
	return due, nil
}

func postCart(ctx context.Context, manager *sandbox.Manager, n int, at time.Time) error {
	body, err := json.Marshal(map[string]any{
		"id": fmt.Sprintf("bench-%d", n), "creation_date": at.UnixMilli(), "event": "PURCHASE_OUT_OF_SHOPPING_CART",
		"version": "2.0.0", "data": map[string]any{
			"product": map[string]any{"id": 1001, "name": "Curso de Violão"},
			"buyer": map[string]any{"name": "Maria Souza", "email": fmt.Sprintf("customer%d@example.com", n),
				"phone": "+" + phoneOf(n)},
		},
	})
	if err != nil {
		return fmt.Errorf("build cart: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, manager.URL+"/api/webhooks/hotmart/acme",
		bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("build request: %w", err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-Hotmart-Hottok", "sample-hottok")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("post cart: %w", err)
	}
	defer answer.Body.Close() //nolint:errcheck // it was only read
	if _, err := io.Copy(io.Discard, io.LimitReader(answer.Body, 1<<20)); err != nil {
		return fmt.Errorf("post cart: %w", err)
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("post cart: answered %d", answer.StatusCode)
	}
	return nil
}

// arrivals are the messages as they reach the gateway.
type arrivals struct {
	mu    sync.Mutex
	first map[string]time.Time
	twice int
	want  int
	all   chan struct{}
}

func watchArrivals(gateway *simulator.UAZAPI, want int) *arrivals {
	a := &arrivals{first: map[string]time.Time{}, want: want, all: make(chan struct{})}
	gateway.OnSent(func(sent simulator.SentMessage) {
		a.mu.Lock()
		defer a.mu.Unlock()
		if _, known := a.first[sent.Number]; known {
			a.twice++
			return
		}
		a.first[sent.Number] = sent.ReceivedAt
		if len(a.first) == a.want {
			close(a.all)
		}
	})
	return a
}

func (a *arrivals) wait(ctx context.Context, limit time.Duration) error {
	select {
	case <-a.all:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(limit):
		a.mu.Lock()
		defer a.mu.Unlock()
		return fmt.Errorf("only %d of %d messages reached the gateway", len(a.first), a.want)
	}
}

func (a *arrivals) lateness(due map[string]time.Time) (lateness, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.twice > 0 {
		return nil, fmt.Errorf("%d messages reached the gateway twice", a.twice)
	}
	late := make(lateness, 0, len(due))
	for phone, at := range due {
		arrived, ok := a.first[phone]
		if !ok {
			return nil, fmt.Errorf("a message is missing")
		}
		late = append(late, arrived.Sub(at))
	}
	return late, nil
}

// settled waits until every lead's message is confirmed.
func settled(ctx context.Context, cluster *sandbox.Cluster, want int) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		var leads v1alpha1.CartRecoveryList
		err := cluster.Client.List(ctx, &leads, client.InNamespace(benchNamespace),
			client.MatchingFields{"status.phase": string(v1alpha1.PhaseContacted)})
		if err != nil {
			return fmt.Errorf("list leads: %w", err)
		}
		if len(leads.Items) == want {
			return nil
		}
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return fmt.Errorf("only %d of %d leads are Contacted", len(leads.Items), want)
		}
	}
}

// leadWrites reads the API server's own count of successful writes of CartRecoveries.
func leadWrites(ctx context.Context, cluster *sandbox.Cluster) (map[string]float64, error) {
	clientset, err := kubernetes.NewForConfig(cluster.Config)
	if err != nil {
		return nil, fmt.Errorf("build client: %w", err)
	}
	text, err := clientset.RESTClient().Get().AbsPath("/metrics").DoRaw(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the API server's metrics: %w", err)
	}
	writes := map[string]float64{}
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		if !strings.HasPrefix(line, "apiserver_request_total{") ||
			!strings.Contains(line, `resource="cartrecoveries"`) {
			continue
		}
		verb := label(line, "verb")
		if verb != "POST" && verb != "PATCH" && verb != "PUT" && verb != "DELETE" {
			continue
		}
		count, err := strconv.ParseFloat(line[strings.LastIndexByte(line, ' ')+1:], 64)
		if err != nil {
			return nil, fmt.Errorf("read the API server's metrics: %w", err)
		}
		writes[strings.TrimSpace(verb+" "+label(line, "subresource")+" "+label(line, "code"))] += count
	}
	return writes, lines.Err()
}

func label(line, name string) string {
	_, rest, _ := strings.Cut(line, name+`="`)
	value, _, _ := strings.Cut(rest, `"`)
	return value
}
