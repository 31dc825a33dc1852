package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/hack/sandbox"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/simulator"
	"cartrecovery.dev/operator/internal/testenv"
)

const (
	// goodTenants are served while one attacks; each has so many leads, due over tenantWindow.
	goodTenants  = 9
	tenantLeads  = 20
	tenantDelay  = 8 * time.Second
	tenantWindow = 10 * time.Second
	// badLeads are those of the attacker, all due at once, badStores its Stores where it has many.
	badLeads  = 250
	badStores = 100
)

// runTenants measures how late the messages of nine tenants are while a tenth attacks in the ways that
// are named, or in all.
func runTenants(ctx context.Context, names []string) (failed error) {
	cluster, err := sandbox.StartCluster(ctx, filepath.Join(testenv.Root(), ".demo", "bench"))
	if err != nil {
		return err
	}
	defer func() { failed = errors.Join(failed, cluster.Stop()) }()
	services, err := sandbox.StartServices(sandbox.Options{
		ForceSimulated: true, AILatency: func() time.Duration { return time.Second },
	})
	if err != nil {
		return err
	}
	defer func() { failed = errors.Join(failed, services.Stop()) }()
	// On a busy machine the lease can be lost, which is not what is measured.
	manager, err := sandbox.StartManager(ctx, cluster, services, "--leader-elect=false")
	if err != nil {
		return err
	}
	defer func() { failed = errors.Join(failed, manager.Stop()) }()
	s := &square{cluster: cluster, services: services, manager: manager, arrived: map[string]time.Time{}}
	services.Gateway.OnSent(s.took)
	for n := range goodTenants {
		if err := s.openTenant(ctx, fmt.Sprintf("good-%d", n)); err != nil {
			return err
		}
	}
	if err := s.phase(ctx, "quiet"); err != nil {
		return err
	}
	for _, each := range append(slices.Clone(attacks), allOfIt()) {
		if len(names) > 0 && !slices.Contains(names, each.name) {
			continue
		}
		if err := s.under(ctx, each); err != nil {
			return fmt.Errorf("%s: %w (the manager's log is in %s)", each.name, err, manager.Log)
		}
	}
	return s.phase(ctx, "quiet after")
}

// square is where the tenants are.
type square struct {
	cluster  *sandbox.Cluster
	services *sandbox.Services
	manager  *sandbox.Manager
	phases   int

	mu      sync.Mutex
	arrived map[string]time.Time
}

func (s *square) took(sent simulator.SentMessage) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.arrived[sent.Number]; !known {
		s.arrived[sent.Number] = sent.ReceivedAt
	}
}

// create makes objects in a namespace.
func (s *square) create(ctx context.Context, objects ...client.Object) error {
	for _, object := range objects {
		if err := s.cluster.Client.Create(ctx, object); err != nil {
			return fmt.Errorf("create %T %s/%s: %w", object, object.GetNamespace(), object.GetName(), err)
		}
	}
	return nil
}

// storeIn makes a Store of its own clientID.
func storeIn(namespace, name string) *v1alpha1.Store {
	store := gen.In(namespace, gen.StoreObject())
	store.Name, store.Spec.ClientID, store.UID = name, namespace+"."+name, ""
	none := v1alpha1.Duration{}
	store.Spec.Recovery.Cooldown = &none
	store.Spec.Recovery.Sequences = []v1alpha1.Sequence{{
		Trigger: v1alpha1.TriggerAbandonedCart,
		Steps:   []v1alpha1.Step{{Name: "first", After: v1alpha1.Duration{Duration: tenantDelay}}},
	}}
	return store
}

// numberIn makes a number of a Store that sends as much as comes.
func numberIn(namespace, store string) *v1alpha1.WhatsAppInstance {
	number := gen.In(namespace, gen.InstanceObject(gen.Unlimited))
	number.Name, number.Spec.StoreRef.Name, number.UID = store, store, ""
	number.Status = v1alpha1.WhatsAppInstanceStatus{}
	return number
}

// openTenant makes a tenant that uses the operator's own gateway and AI.
func (s *square) openTenant(ctx context.Context, namespace string) error {
	made := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}
	err := s.create(ctx, made, storeIn(namespace, "acme"), numberIn(namespace, "acme"))
	if err != nil {
		return err
	}
	return s.pair(ctx, namespace, s.services.Gateway)
}

// pair scans the QR of a tenant's number and waits until it is connected.
func (s *square) pair(ctx context.Context, namespace string, gateway *simulator.UAZAPI) error {
	err := poll(ctx, time.Minute, func() error { return gateway.Scan(namespace+".acme", "5511977770000") })
	if err != nil {
		return fmt.Errorf("scan the QR of %s: %w", namespace, err)
	}
	return s.connected(ctx, namespace)
}

// connected waits until the numbers of a tenant are connected.
func (s *square) connected(ctx context.Context, namespace string) error {
	_, err := s.cluster.Kubectl(ctx, "-n", namespace, "wait", "--for=condition=Ready", "wai", "--all", "--timeout=60s")
	return err
}

// poll tries until it succeeds or the time is over.
func poll(ctx context.Context, limit time.Duration, try func() error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for {
		err := try()
		if err == nil {
			return nil
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return err
		}
	}
}

// under measures a phase while a tenant attacks.
func (s *square) under(ctx context.Context, does attack) (failed error) {
	bad := &attacker{
		attack: does.name, namespace: fmt.Sprintf("bad-%d", s.phases), firstCustomer: 9_000_000 + 1000*s.phases,
		manager: s.manager.URL,
	}
	elsewhere, err := bad.moveOut(ctx)
	if err != nil {
		return err
	}
	defer func() { failed = errors.Join(failed, elsewhere.end()) }()
	if err := s.openAttacker(ctx, bad, elsewhere, does); err != nil {
		return err
	}
	if err := elsewhere.ask(sayBegin); err != nil {
		return err
	}
	due := time.Now().Add(2 * time.Second)
	for n := range badLeads {
		store := "acme"
		if n > 0 && n < does.stores {
			store = fmt.Sprintf("store-%d", n)
		}
		if err := s.create(ctx, leadOf(bad.namespace, store, bad.firstCustomer+n, due)); err != nil {
			return err
		}
	}
	if err := elsewhere.ask(sayBeside); err != nil {
		return err
	}
	if err := s.phase(ctx, does.name); err != nil {
		return err
	}
	return s.remove(ctx, bad.namespace)
}

// remove deletes what a tenant had, and waits until its leads are gone, so that the next measurement does not include
// their end.
func (s *square) remove(ctx context.Context, namespace string) error {
	if _, err := s.cluster.Kubectl(ctx, "delete", "namespace", namespace, "--wait=false"); err != nil {
		return err
	}
	return poll(ctx, 2*time.Minute, func() error {
		var left v1alpha1.CartRecoveryList
		err := s.cluster.Client.List(ctx, &left, client.InNamespace(namespace))
		if err == nil && len(left.Items) > 0 {
			err = fmt.Errorf("%d leads are left in %s", len(left.Items), namespace)
		}
		return err
	})
}

// openAttacker makes the tenant that attacks.
func (s *square) openAttacker(ctx context.Context, bad *attacker, at *elsewhere, does attack) error {
	namespace, urls := bad.namespace, at.urls
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "keys"},
		StringData: map[string]string{"gateway": badAdminToken, "ai": badAIKey},
	}
	if !does.foreign {
		secret.Annotations = map[string]string{v1alpha1.AnnotationAllowedHosts: hostsOf(urls)}
	}
	number := numberIn(namespace, "acme")
	number.Spec.Gateway.BaseURL = urls[0]
	number.Spec.Gateway.AdminTokenSecretRef = &v1alpha1.SecretKeyReference{Name: "keys", Key: "gateway"}
	objects := []client.Object{&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}, secret, number}
	for n := range does.stores {
		name := "acme"
		if n > 0 {
			name = fmt.Sprintf("store-%d", n)
			simulated := numberIn(namespace, name)
			simulated.Spec.Gateway = v1alpha1.GatewaySpec{Type: v1alpha1.GatewaySimulated}
			objects = append(objects, simulated)
		}
		store := storeIn(namespace, name)
		store.Spec.AI.BaseURL = urls[1] + "/v1"
		store.Spec.AI.APIKeySecretRef = &v1alpha1.SecretKeyReference{Name: "keys", Key: "ai"}
		objects = append(objects, store)
	}
	if err := s.create(ctx, objects...); err != nil {
		return err
	}
	if does.foreign {
		// The number is not Ready either: its gateway is not called.
		return nil
	}
	if err := at.ask(sayPair); err != nil {
		return err
	}
	return s.connected(ctx, namespace)
}

// hostsOf are the hosts of URLs, as a Secret names them.
func hostsOf(urls []string) string {
	return strings.ReplaceAll(strings.Join(urls, ","), "http://", "")
}

// leadOf makes a lead of the n-th customer whose message is due at a time.
func leadOf(namespace, store string, n int, due time.Time) *v1alpha1.CartRecovery {
	recovery := gen.In(namespace, gen.Lead(due.Add(-tenantDelay)))
	recovery.Name, recovery.UID = fmt.Sprintf("hotmart-%d", n), ""
	recovery.Spec.StoreRef.Name = store
	recovery.Spec.Customer.Phone = "+" + phoneOf(n)
	recovery.Spec.Customer.Email = fmt.Sprintf("customer%d@example.com", n)
	recovery.Labels = lead.Labels(store, recovery.Spec.Customer)
	return recovery
}

// phase makes the leads of all good tenants, and prints how late their messages arrive.
func (s *square) phase(ctx context.Context, name string) error {
	s.phases++
	start, due := time.Now().Add(time.Second), map[string]time.Time{}
	for i := range goodTenants * tenantLeads {
		tenant, n := i%goodTenants, 100_000*s.phases+i
		at := start.Add(tenantWindow * time.Duration(i) / (goodTenants * tenantLeads))
		if err := s.create(ctx, leadOf(fmt.Sprintf("good-%d", tenant), "acme", n, at.Add(tenantDelay))); err != nil {
			return err
		}
		due[phoneOf(n)] = at.Add(tenantDelay)
	}
	err := poll(ctx, 3*time.Minute, func() error {
		if missing := s.missing(due); missing > 0 {
			return fmt.Errorf("%d of %d messages did not arrive", missing, len(due))
		}
		return nil
	})
	if err != nil {
		return err
	}
	s.lateness(due).print(name)
	return nil
}

func (s *square) missing(due map[string]time.Time) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	missing := 0
	for phone := range due {
		if _, arrived := s.arrived[phone]; !arrived {
			missing++
		}
	}
	return missing
}

func (s *square) lateness(due map[string]time.Time) lateness {
	s.mu.Lock()
	defer s.mu.Unlock()
	late := make(lateness, 0, len(due))
	for phone, at := range due {
		late = append(late, s.arrived[phone].Sub(at))
	}
	return late
}
