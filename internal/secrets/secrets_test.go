package secrets_test

import (
	"context"
	"errors"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/secrets"
)

var name = types.NamespacedName{Namespace: "shop", Name: "keys"}

// rig is a Reader over a counted client, with a clock that only moves when told.
type rig struct {
	*secrets.Reader
	client.Client
	now   time.Time
	reads int
	fail  error
}

func newRig(objects ...client.Object) *rig {
	r := &rig{now: time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)}
	r.Client = fake.NewClientBuilder().WithObjects(objects...).WithInterceptorFuncs(interceptor.Funcs{
		Get: func(ctx context.Context, inner client.WithWatch, key client.ObjectKey, object client.Object,
			options ...client.GetOption) error {
			r.reads++
			if r.fail != nil {
				return r.fail
			}
			return inner.Get(ctx, key, object, options...)
		},
	}).Build()
	r.Reader = secrets.NewReader(r.Client, func() time.Time { return r.now })
	return r
}

func (r *rig) get(t *testing.T, key string) (string, error) {
	t.Helper()
	value, err := r.Reader.Get(t.Context(), name.Namespace, v1alpha1.SecretKeyReference{Name: name.Name, Key: key})
	return string(value), err
}

func secret(data map[string][]byte) *corev1.Secret {
	return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: name.Namespace, Name: name.Name}, Data: data}
}

func TestReadsAreRememberedForSeconds(t *testing.T) {
	r := newRig(secret(map[string][]byte{"a": []byte("one")}))
	for range 3 {
		if value, err := r.get(t, "a"); err != nil || value != "one" {
			t.Fatalf("got %q, %v", value, err)
		}
	}
	if r.reads != 1 {
		t.Errorf("read %d times, want once", r.reads)
	}
	if err := r.Update(t.Context(), secret(map[string][]byte{"a": []byte("two")})); err != nil {
		t.Fatal(err)
	}
	r.now = r.now.Add(secrets.Remembered)
	if value, err := r.get(t, "a"); err != nil || value != "two" {
		t.Errorf("after rotation: got %q, %v", value, err)
	}
	r.Forget(name)
	if _, err := r.get(t, "a"); err != nil || r.reads != 3 {
		t.Errorf("after Forget: %d reads, %v", r.reads, err)
	}
}

func TestRefreshIsLimited(t *testing.T) {
	r := newRig()
	refreshed := func(want bool) {
		t.Helper()
		if r.Refresh(name) != want {
			t.Errorf("refreshed: %v", !want)
		}
	}
	refreshed(false)
	_, _ = r.get(t, "a")
	refreshed(false)
	r.now = r.now.Add(secrets.Settled)
	refreshed(true)
	if err := r.Create(t.Context(), secret(map[string][]byte{"a": []byte("one")})); err != nil {
		t.Fatal(err)
	}
	if value, err := r.get(t, "a"); err != nil || value != "one" || r.reads != 2 {
		t.Errorf("got %q, %v after %d reads", value, err, r.reads)
	}
	refreshed(false)
}

func TestWhatIsMissing(t *testing.T) {
	r := newRig(secret(map[string][]byte{"empty": {}}))
	for _, key := range []string{"other", "empty"} {
		if _, err := r.get(t, key); !errors.Is(err, secrets.ErrNotFound) {
			t.Errorf("key %q: got %v, want ErrNotFound", key, err)
		}
	}
	absent := newRig()
	for range 2 {
		if _, err := absent.get(t, "a"); !errors.Is(err, secrets.ErrNotFound) {
			t.Errorf("no Secret: got %v, want ErrNotFound", err)
		}
	}
	if absent.reads != 1 {
		t.Errorf("an absent Secret was read %d times: a stranger could make us read", absent.reads)
	}
}

func TestAnAPIServerThatDoesNotAnswerIsNotAnAbsentSecret(t *testing.T) {
	r := newRig(secret(map[string][]byte{"a": []byte("one")}))
	r.fail = errors.New("connection refused")
	if _, err := r.get(t, "a"); err == nil || errors.Is(err, secrets.ErrNotFound) {
		t.Fatalf("got %v", err)
	}
	r.fail = nil
	if value, err := r.get(t, "a"); err != nil || value != "one" {
		t.Errorf("the failure was remembered: got %q, %v", value, err)
	}
}
