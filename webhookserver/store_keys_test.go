package webhookserver

import (
	"errors"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gateway"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/metrics"
	"cartrecovery.dev/operator/internal/secrets"
	"cartrecovery.dev/operator/internal/testenv"
	"cartrecovery.dev/operator/internal/webhookkeys"
	"cartrecovery.dev/operator/webhookserver/platforms"
)

// copying is a server without controllers beside it, and the Writer that these have.
type copying struct {
	*Server
	writer *webhookkeys.Writer
	store  *v1alpha1.Store
	source *corev1.Secret
	clock  *clocktesting.FakePassiveClock
}

func newCopying(t *testing.T) *copying {
	t.Helper()
	c := &copying{clock: clocktesting.NewFakePassiveClock(noon), source: &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: gen.Namespace, Name: "platforms"},
		Data:       map[string][]byte{"hotmart": []byte("old")},
	}}
	c.store = gen.In(gen.Namespace, gen.StoreObject(func(s *v1alpha1.Store) {
		s.UID = "store-1"
		s.Spec.Platforms = []v1alpha1.StorePlatform{platformWith(v1alpha1.PlatformHotmart, "hotmart")}
	}))
	scheme, err := testenv.Scheme()
	if err != nil {
		t.Fatal(err)
	}
	kube := fake.NewClientBuilder().WithScheme(scheme).WithObjects(c.store,
		c.source).WithStatusSubresource(c.store).Build()
	counted, err := metrics.New(prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	reader := secrets.NewReader(kube, c.clock.Now)
	c.Server, err = New(Options{
		Client: kube, Live: kube, Fence: seeing{}, Clock: c.clock, Metrics: counted, Secrets: reader,
		Connector: &gateway.Connector{}, Copies: &webhookkeys.Reader{Secrets: reader},
	})
	if err != nil {
		t.Fatal(err)
	}
	c.writer = &webhookkeys.Writer{Client: kube, Live: kube, Secrets: secrets.NewReader(kube, c.clock.Now)}
	return c
}

// controllers do what they do when they look at the Store.
func (c *copying) controllers(t *testing.T) {
	t.Helper()
	if err := c.writer.PutStore(t.Context(), c.store, c.clock.Now()); err != nil {
		t.Fatal(err)
	}
	// What the webhook server remembers is over.
	c.clock.SetTime(c.clock.Now().Add(2 * secrets.Settled))
}

// delivered is what becomes of a delivery with this token: the reason it is refused for, or why
// nobody can tell.
func (c *copying) delivered(t *testing.T, token string) (string, error) {
	t.Helper()
	delivery := platforms.Delivery{
		Body:   []byte(benchmarkCart),
		Header: func(name string) string { return map[string]string{"X-HOTMART-HOTTOK": token}[name] },
		Query:  func(string) string { return "" },
	}.Remembering()
	_, reason, err := c.verify(t.Context(), c.store, v1alpha1.PlatformHotmart, delivery)
	return reason, err
}

// shown writes what the server has to show on the Store, as it does on its own.
func (c *copying) shown(t *testing.T) {
	t.Helper()
	select {
	case next := <-c.rejections.queue:
		rejected, ok := next.value.(v1alpha1.RejectedDelivery)
		if !ok {
			t.Fatalf("got %T", next.value)
		}
		c.store.Status.LastRejectedDelivery = &rejected
	default:
		t.Fatal("the controllers are not told")
	}
}

// A key that was rotated must not cost a purchase: what matches none of the copied keys is refused
// once the controllers have looked, and asked to come again until then.
func TestADeliveryIsNotLostByAnOldCopy(t *testing.T) {
	c := newCopying(t)
	if _, err := c.delivered(t, "old"); !errors.Is(err, webhookkeys.ErrNotCopied) {
		t.Fatalf("before there is a copy: %v", err)
	}
	c.controllers(t)
	if reason, err := c.delivered(t, "old"); reason != "" || err != nil {
		t.Fatalf("a good delivery: %q, %v", reason, err)
	}

	c.source.Data["hotmart"] = []byte("new")
	if err := c.Client.Update(t.Context(), c.source); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if reason, err := c.delivered(t, "new"); !errors.Is(err, errDoubted) || reason != "" {
			t.Fatalf("before the controllers have looked: %q, %v", reason, err)
		}
	}
	c.shown(t)
	c.controllers(t)
	if reason, err := c.delivered(t, "new"); reason != "" || err != nil {
		t.Errorf("after they have looked: %q, %v", reason, err)
	}
	if reason, err := c.delivered(t, "forged"); reason != v1alpha1.RejectedBadCredential || err != nil {
		t.Errorf("a forged one: %q, %v", reason, err)
	}
	c.clock.SetTime(c.clock.Now().Add(webhookkeys.Fresh))
	if reason, err := c.delivered(t, "new"); reason != "" || err != nil {
		t.Errorf("a good one needs no fresh copy: %q, %v", reason, err)
	}
	if _, err := c.delivered(t, "forged"); !errors.Is(err, errDoubted) {
		t.Errorf("a minute later: %v", err)
	}
	if got := storeAnswer(errDoubted); got.status != 503 || !got.retry {
		t.Errorf("it is answered with %d", got.status)
	}
}

// Where the platform is found out, the keys of the others are no reason to ask for patience.
func TestADetectedDeliveryNeedsNoFreshCopyOfTheOthers(t *testing.T) {
	c := newCopying(t)
	c.source.Data["kiwify"] = []byte("kiwify")
	c.store.Spec.Platforms = append(
		[]v1alpha1.StorePlatform{platformWith(v1alpha1.PlatformKiwify, "kiwify")}, c.store.Spec.Platforms...)
	if err := c.Client.Update(t.Context(), c.source); err != nil {
		t.Fatal(err)
	}
	c.controllers(t)
	delivery := func(token string) platforms.Delivery {
		return platforms.Delivery{
			Body:   []byte(benchmarkCart),
			Header: func(name string) string { return map[string]string{"X-HOTMART-HOTTOK": token}[name] },
			Query:  func(string) string { return "bad" },
		}.Remembering()
	}
	found, err := c.detect(t.Context(), c.store, delivery("old"))
	if err != nil || len(found.accepted) != 1 || found.accepted[0].Name() != v1alpha1.PlatformHotmart {
		t.Errorf("got %+v, %v", found, err)
	}
	if _, err := c.detect(t.Context(), c.store, delivery("forged")); !errors.Is(err, errDoubted) {
		t.Errorf("a forged one: %v", err)
	}
}

func TestCopiedCredentialsOfAnInstance(t *testing.T) {
	c := newCopying(t)
	instance := gen.In(gen.Namespace, gen.InstanceObject(func(i *v1alpha1.WhatsAppInstance) { i.UID = "instance-1" }))
	if _, err := c.matches(t.Context(), c.webhookKey(), instance, "key"); !errors.Is(err, webhookkeys.ErrNotCopied) {
		t.Errorf("before there is a copy: %v", err)
	}
	if err := c.writer.PutInstance(t.Context(), instance, []byte("token"), []byte("key")); err != nil {
		t.Fatal(err)
	}
	c.clock.SetTime(c.clock.Now().Add(2 * time.Second))
	for presented, want := range map[string]bool{"key": true, "token": false, "": false,
		string(webhookkeys.Digest([]byte("key"))): false} {
		if is, err := c.matches(t.Context(), c.webhookKey(), instance, presented); is != want || err != nil {
			t.Errorf("key %q: %t, %v", presented, is, err)
		}
	}
	if is, err := c.matches(t.Context(), c.token(), instance, "token"); !is || err != nil {
		t.Errorf("token: %t, %v", is, err)
	}
}
