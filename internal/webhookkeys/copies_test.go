package webhookkeys

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/yaml"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gateway"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/secrets"
	"cartrecovery.dev/operator/internal/testenv"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// rig has a Writer as the controllers have it, and a Reader that may read the copies only.
type rig struct {
	client.Client
	writer *Writer
	reader *Reader
	now    time.Time
	writes int
}

func newRig(t *testing.T, objects ...client.Object) *rig {
	t.Helper()
	scheme, err := testenv.Scheme()
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{now: noon}
	r.Client = fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).WithInterceptorFuncs(
		interceptor.Funcs{
			Patch: func(ctx context.Context, inner client.WithWatch, object client.Object, patch client.Patch,
				options ...client.PatchOption) error {
				r.writes++
				return inner.Patch(ctx, object, patch, options...)
			},
			Create: func(ctx context.Context, inner client.WithWatch, object client.Object,
				options ...client.CreateOption) error {
				r.writes++
				return inner.Create(ctx, object, options...)
			},
		}).Build()
	clock := func() time.Time { return r.now }
	r.writer = &Writer{Client: r.Client, Live: r.Client, Secrets: secrets.NewReader(r.Client, clock)}
	r.reader = &Reader{Secrets: secrets.NewReader(onlyCopies{r.Client}, clock)}
	return r
}

// onlyCopies refuses what the webhook server's role does not grant.
type onlyCopies struct{ client.Reader }

func (o onlyCopies) Get(ctx context.Context, name client.ObjectKey, object client.Object,
	options ...client.GetOption) error {
	if !slices.Contains(SecretNames(), name.Name) {
		return errors.New("forbidden: " + name.Name)
	}
	return o.Reader.Get(ctx, name, object, options...)
}

func source(value string) *corev1.Secret {
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: gen.Namespace, Name: "platforms"},
		Data:       map[string][]byte{"hotmart": []byte(value)},
	}
}

func aStore() *v1alpha1.Store {
	return gen.In(gen.Namespace, gen.StoreObject(func(s *v1alpha1.Store) {
		s.UID = "store-1"
		s.Spec.Platforms = []v1alpha1.StorePlatform{{
			Name: v1alpha1.PlatformHotmart, SecretRefs: []v1alpha1.SecretKeyReference{{Name: "platforms",
				Key: "hotmart"}},
		}}
	}))
}

func (r *rig) put(t *testing.T, store *v1alpha1.Store) {
	t.Helper()
	if err := r.writer.PutStore(t.Context(), store, r.now); err != nil {
		t.Fatal(err)
	}
}

func (r *rig) keys(t *testing.T, store *v1alpha1.Store) ([][]byte, error) {
	t.Helper()
	return r.reader.Platform(t.Context(), store, &store.Spec.Platforms[0])
}

func TestAStoresKeysAreCopied(t *testing.T) {
	store := aStore()
	r := newRig(t, store, source("one"))
	if _, err := r.keys(t, store); !errors.Is(err, ErrNotCopied) {
		t.Fatalf("before there is a copy: %v", err)
	}
	r.put(t, store)
	r.now = r.now.Add(2 * secrets.Settled)
	if keys, err := r.keys(t, store); err != nil || len(keys) != 1 || string(keys[0]) != "one" {
		t.Fatalf("got %q, %v", keys, err)
	}
	r.put(t, store)
	if r.writes != 1 {
		t.Errorf("%d writes for one copy", r.writes)
	}

	other := store.DeepCopy()
	other.Spec.Platforms[0].SecretRefs[0].Key = "new"
	r.now = r.now.Add(2 * secrets.Settled)
	if _, err := r.keys(t, other); !errors.Is(err, ErrNotCopied) {
		t.Errorf("a Store that names other Secrets now: %v", err)
	}
	r.put(t, other)
	r.now = r.now.Add(2 * secrets.Settled)
	if keys, err := r.keys(t, other); err != nil || len(keys) != 0 {
		t.Errorf("a Secret that does not exist: %q, %v", keys, err)
	}
	again := other.DeepCopy()
	again.UID = "store-2"
	if _, err := r.keys(t, again); !errors.Is(err, ErrNotCopied) {
		t.Errorf("a Store that was made again: %v", err)
	}
}

// A delivery that was refused has the copy compared with its source, past what is remembered.
func TestARefusedDeliveryHasTheCopyCompared(t *testing.T) {
	store, secret := aStore(), source("old")
	r := newRig(t, store, secret)
	r.put(t, store)
	isFresh := func() bool {
		t.Helper()
		r.reader.Secrets.Forget(SecretOf(OfStore, client.ObjectKeyFromObject(store)))
		fresh, err := r.reader.IsFresh(t.Context(), store, r.now)
		if err != nil {
			t.Fatal(err)
		}
		return fresh
	}
	if isFresh() {
		t.Error("a copy that nobody doubted yet is fresh")
	}
	secret.Data["hotmart"] = []byte("new")
	if err := r.Update(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
	store.Status.LastRejectedDelivery = &v1alpha1.RejectedDelivery{Time: metav1.NewTime(r.now),
		Reason: v1alpha1.RejectedBadCredential}
	r.put(t, store)
	if !isFresh() {
		t.Error("the copy does not say that it was compared")
	}
	if keys, err := r.keys(t, store); err != nil || string(keys[0]) != "new" {
		t.Errorf("got %q, %v", keys, err)
	}
	writes := r.writes
	r.put(t, store)
	if r.writes != writes {
		t.Error("one refused delivery has the copy written twice")
	}
	r.now = r.now.Add(Fresh)
	if isFresh() {
		t.Error("the copy is fresh after a minute")
	}
}

// Of tokens that are only compared there are hashes.
func TestAnInstancesTokenIsNotInTheCopy(t *testing.T) {
	instance := gen.In(gen.Namespace, gen.InstanceObject(func(i *v1alpha1.WhatsAppInstance) { i.UID = "instance-1" }))
	r := newRig(t, instance)
	if _, err := r.reader.Token(t.Context(), instance); !errors.Is(err, ErrNotCopied) {
		t.Errorf("before there is a copy: %v", err)
	}
	if err := r.writer.PutInstance(t.Context(), instance, []byte("the-token"), []byte("the-key")); err != nil {
		t.Fatal(err)
	}
	if err := r.writer.PutPairing(t.Context(), instance, []byte("data:image/png;base64,AAAA"), nil); err != nil {
		t.Fatal(err)
	}
	r.now = r.now.Add(secrets.Remembered)
	token, err := r.reader.Token(t.Context(), instance)
	key, keyErr := r.reader.WebhookKey(t.Context(), instance)
	if err != nil || keyErr != nil || !bytes.Equal(token, Digest([]byte("the-token"))) ||
		!bytes.Equal(key, Digest([]byte("the-key"))) {
		t.Errorf("got %x, %x, %v, %v", token, key, err, keyErr)
	}
	shown, err := r.reader.Pairing(t.Context(), instance)
	if err != nil || !strings.HasPrefix(string(shown[gateway.KeyQR]), "data:") {
		t.Errorf("got %q, %v", shown, err)
	}
	var copied corev1.Secret
	if err := r.Get(t.Context(), SecretOf(OfInstance, client.ObjectKeyFromObject(instance)), &copied); err != nil {
		t.Fatal(err)
	}
	for _, content := range copied.Data {
		if bytes.Contains(content, []byte("the-token")) || bytes.Contains(content, []byte("the-key")) {
			t.Error("the copy holds a token")
		}
	}
	if err := r.writer.PutPairing(t.Context(), instance, nil, nil); err != nil {
		t.Fatal(err)
	}
	r.now = r.now.Add(secrets.Remembered)
	if shown, err := r.reader.Pairing(t.Context(), instance); err != nil || len(shown) != 0 {
		t.Errorf("after the pairing: %q, %v", shown, err)
	}
}

func TestCopiesOfWhatIsGoneAreRemoved(t *testing.T) {
	gone, kept := aStore(), aStore()
	r := newRig(t, kept, source("one"))
	// Another name that shares the Secret.
	for i := 0; SecretOf(OfStore, client.ObjectKeyFromObject(gone)) != SecretOf(OfStore,
		client.ObjectKeyFromObject(kept)) || gone.Name == kept.Name; i++ {
		gone.Name = "gone-" + strings.Repeat("x", i)
	}
	r.put(t, gone)
	r.put(t, kept)
	var copied corev1.Secret
	if err := r.Get(t.Context(), SecretOf(OfStore, client.ObjectKeyFromObject(kept)), &copied); err != nil {
		t.Fatal(err)
	}
	if _, is := copied.Data[entryOf(OfStore, kept.Name)]; !is || len(copied.Data) != 1 {
		t.Errorf("got %d copies", len(copied.Data))
	}
	if err := r.writer.Drop(t.Context(), OfStore, types.NamespacedName{Namespace: gen.Namespace,
		Name: kept.Name}); err != nil {
		t.Fatal(err)
	}
	if err := r.Get(t.Context(), client.ObjectKeyFromObject(&copied), &copied); err != nil || len(copied.Data) != 0 {
		t.Errorf("%v, %d copies are left", err, len(copied.Data))
	}
}

func TestACopyIsBounded(t *testing.T) {
	store := aStore()
	r := newRig(t, store, source(strings.Repeat("x", maxCopy)))
	if err := r.writer.PutStore(t.Context(), store, r.now); err == nil || strings.Contains(err.Error(), "xx") {
		t.Errorf("got %v", err)
	}
}

// TestTheRoleNamesTheSecrets: what is written is what the webhook server may read, and nothing
// else of the kind.
func TestTheRoleNamesTheSecrets(t *testing.T) {
	content, err := os.ReadFile(filepath.Join(testenv.Root(), "config", "split", "webhooks_role.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var role rbacv1.ClusterRole
	if err := yaml.Unmarshal(content, &role); err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, rule := range role.Rules {
		if !slices.Contains(rule.Resources, "secrets") {
			continue
		}
		found++
		names := SecretNames()
		slices.Sort(names)
		if !slices.Equal(rule.ResourceNames, names) || !slices.Equal(rule.Verbs, []string{"get"}) {
			t.Errorf("the role may %v %v, want to get %v", rule.Verbs, rule.ResourceNames, names)
		}
	}
	if found != 1 {
		t.Errorf("%d rules of Secrets", found)
	}
}
