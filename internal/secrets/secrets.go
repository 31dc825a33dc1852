// Package secrets reads Secrets by name when they are needed and remembers them for
// seconds: no watch on all Secrets, and a rotated one is seen almost at once.
package secrets

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
)

const (
	// Remembered is how long a Secret, or its absence, is remembered.
	Remembered = 10 * time.Second
	// Settled is how long at least a Secret is remembered, whoever doubts it.
	Settled = time.Second
	// maxRemembered bounds the memory; past it everything is forgotten.
	maxRemembered = 4096
)

// ErrNotFound: the Secret or its key does not exist, or is empty. Wrapped with which.
var ErrNotFound = errors.New("secret not found")

// Reader reads Secrets. It is safe for concurrent use.
type Reader struct {
	live client.Reader
	now  func() time.Time

	mu      sync.Mutex
	entries map[types.NamespacedName]entry
}

type entry struct {
	data        map[string][]byte
	annotations map[string]string
	found       bool
	expires     time.Time
}

// NewReader returns a Reader over live, which must not be a cache (the operator does not
// watch Secrets).
func NewReader(live client.Reader, now func() time.Time) *Reader {
	return &Reader{live: live, now: now, entries: map[types.NamespacedName]entry{}}
}

// Get returns the value that a reference in this namespace names. The error is ErrNotFound
// when there is none, and anything else only when the API server did not answer.
func (r *Reader) Get(ctx context.Context, namespace string, ref v1alpha1.SecretKeyReference) ([]byte, error) {
	value, _, err := r.Annotated(ctx, namespace, ref)
	return value, err
}

// Annotated is Get, and the annotations of the Secret, which must not be changed.
func (r *Reader) Annotated(
	ctx context.Context, namespace string, ref v1alpha1.SecretKeyReference,
) ([]byte, map[string]string, error) {
	read, err := r.read(ctx, types.NamespacedName{Namespace: namespace, Name: ref.Name})
	if err != nil {
		return nil, nil, err
	}
	value := read.data[ref.Key]
	if len(value) == 0 {
		return nil, nil, fmt.Errorf("%w: Secret %q has no key %q, or it is empty", ErrNotFound, ref.Name, ref.Key)
	}
	return value, read.annotations, nil
}

// Data returns all keys of a Secret; the map must not be changed.
func (r *Reader) Data(ctx context.Context, name types.NamespacedName) (map[string][]byte, error) {
	read, err := r.read(ctx, name)
	return read.data, err
}

// read returns what is remembered of a Secret, or reads it.
func (r *Reader) read(ctx context.Context, name types.NamespacedName) (entry, error) {
	if remembered, ok := r.lookup(name); ok {
		return remembered.result(name)
	}
	var secret corev1.Secret
	err := r.live.Get(ctx, name, &secret)
	if err != nil && !apierrors.IsNotFound(err) {
		return entry{}, fmt.Errorf("read Secret %q: %w", name.Name, err)
	}
	fresh := entry{
		data: secret.Data, annotations: secret.Annotations, found: err == nil, expires: r.now().Add(Remembered),
	}
	r.remember(name, fresh)
	return fresh.result(name)
}

// Forget makes the next read of a Secret a live one; for whoever has just written it.
func (r *Reader) Forget(name types.NamespacedName) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.entries, name)
}

// Refresh makes the next read of a Secret a live one when it is remembered and was not read
// within Settled, and says whether it does; for whoever was shown something else than is
// remembered. Strangers can make the API server be asked once in Settled for each Secret.
func (r *Reader) Refresh(name types.NamespacedName) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	remembered, is := r.entries[name]
	if !is || r.now().Before(remembered.expires.Add(Settled-Remembered)) {
		return false
	}
	delete(r.entries, name)
	return true
}

func (e entry) result(name types.NamespacedName) (entry, error) {
	if !e.found {
		return entry{}, fmt.Errorf("%w: Secret %q does not exist", ErrNotFound, name.Name)
	}
	return e, nil
}

func (r *Reader) lookup(name types.NamespacedName) (entry, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	remembered, ok := r.entries[name]
	return remembered, ok && r.now().Before(remembered.expires)
}

func (r *Reader) remember(name types.NamespacedName, fresh entry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.entries) >= maxRemembered {
		clear(r.entries)
	}
	r.entries[name] = fresh
}
