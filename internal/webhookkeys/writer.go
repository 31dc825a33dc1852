package webhookkeys

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/secrets"
)

// maxCopy bounds the copy of one object, so that one tenant's does not fill a Secret that others
// need.
const maxCopy = 300 << 10

// Writer writes the copies, for the controllers. It is safe for concurrent use.
type Writer struct {
	// Client lists Stores and WhatsAppInstances from the cache, and writes.
	Client client.Client
	// Live reads the Secrets with copies.
	Live client.Reader
	// Secrets reads what is copied.
	Secrets *secrets.Reader
}

// PutStore copies the secrets of a Store's platforms. Where a delivery was refused since the copy was compared with its
// sources last, they are read again, and the copy says when.
func (w *Writer) PutStore(ctx context.Context, store *v1alpha1.Store, now time.Time) error {
	name := client.ObjectKeyFromObject(store)
	data, err := w.data(ctx, OfStore, name)
	if err != nil {
		return err
	}
	var copied Store
	// A copy that cannot be read is replaced.
	found, _ := readEntry(data, OfStore, name.Name, &copied)
	asked := isDoubted(store, copied.Checked)
	next, err := w.storeOf(ctx, store, asked)
	if err != nil {
		return err
	}
	next.Checked = copied.Checked
	if asked {
		next.Checked = now.UTC()
	} else if found && copied.isSame(&next) {
		return nil
	}
	return w.put(ctx, OfStore, name, next)
}

// isDoubted says whether a delivery to a Store was refused since a time, because it matched none of
// the keys.
func isDoubted(store *v1alpha1.Store, since time.Time) bool {
	rejected := store.Status.LastRejectedDelivery
	return rejected != nil && IsAboutKeys(rejected.Reason) && rejected.Time.After(since)
}

// IsAboutKeys says whether a delivery that is refused for this reason might be accepted with other
// keys.
func IsAboutKeys(reason string) bool {
	return reason == v1alpha1.RejectedBadCredential || reason == v1alpha1.RejectedSecretMissing
}

// storeOf reads the secrets of a Store's platforms; again does not believe what is remembered.
func (w *Writer) storeOf(ctx context.Context, store *v1alpha1.Store, again bool) (Store, error) {
	made := Store{Name: store.Name, UID: store.UID, Platforms: []Platform{}}
	for i := range store.Spec.Platforms {
		platform := Platform{Name: store.Spec.Platforms[i].Name, Refs: store.Spec.Platforms[i].SecretRefs}
		for _, ref := range platform.Refs {
			if again {
				w.Secrets.Forget(types.NamespacedName{Namespace: store.Namespace, Name: ref.Name})
			}
			value, err := w.Secrets.Get(ctx, store.Namespace, ref)
			switch {
			case errors.Is(err, secrets.ErrNotFound):
			case err != nil:
				return Store{}, err
			default:
				platform.Keys = append(platform.Keys, value)
			}
		}
		made.Platforms = append(made.Platforms, platform)
	}
	return made, nil
}

// PutInstance copies the credentials of an instance's webhook.
func (w *Writer) PutInstance(ctx context.Context, instance *v1alpha1.WhatsAppInstance, token, webhookKey []byte) error {
	return w.put(ctx, OfInstance, client.ObjectKeyFromObject(instance), Instance{
		Name: instance.Name, UID: instance.UID, Token: Digest(token), WebhookKey: Digest(webhookKey),
	})
}

// PutPairing copies what an instance shows to pair with, and removes the copy where that is
// nothing.
func (w *Writer) PutPairing(ctx context.Context, instance *v1alpha1.WhatsAppInstance, qr, pairCode []byte) error {
	name := client.ObjectKeyFromObject(instance)
	if len(qr) == 0 && len(pairCode) == 0 {
		return w.Drop(ctx, OfPairing, name)
	}
	return w.put(ctx, OfPairing, name, Pairing{
		Name: instance.Name, UID: instance.UID, QR: string(qr), PairCode: string(pairCode),
	})
}

// Drop removes the copy of an object.
func (w *Writer) Drop(ctx context.Context, kind Kind, object types.NamespacedName) error {
	return w.change(ctx, kind, object, nil)
}

func (w *Writer) put(ctx context.Context, kind Kind, object types.NamespacedName, made any) error {
	content, err := json.Marshal(made)
	if err != nil {
		return fmt.Errorf("copy the webhook keys of %s %s: %w", kind, object.Name, err)
	}
	if len(content) > maxCopy {
		return fmt.Errorf("copy the webhook keys of %s %s: they have more than %d bytes", kind, object.Name, maxCopy)
	}
	return w.change(ctx, kind, object, content)
}

// change writes the copy of an object; nil removes it. What is the same is not written.
func (w *Writer) change(ctx context.Context, kind Kind, object types.NamespacedName, content []byte) error {
	err := retry.RetryOnConflict(retry.DefaultRetry, func() error { return w.changeOnce(ctx, kind, object, content) })
	if err != nil {
		return fmt.Errorf("copy the webhook keys of %s %s: %w", kind, object.Name, err)
	}
	return nil
}

func (w *Writer) changeOnce(ctx context.Context, kind Kind, object types.NamespacedName, content []byte) error {
	name, entry := SecretOf(kind, object), entryOf(kind, object.Name)
	var secret corev1.Secret
	err := w.Live.Get(ctx, name, &secret)
	if apierrors.IsNotFound(err) {
		if content == nil {
			return nil
		}
		return w.create(ctx, name, entry, content)
	}
	if err != nil {
		return err
	}
	if bytes.Equal(secret.Data[entry], content) {
		return nil
	}
	before := secret.DeepCopy()
	if secret.Data == nil {
		secret.Data = map[string][]byte{}
	}
	if err := w.prune(ctx, &secret); err != nil {
		return err
	}
	delete(secret.Data, entry)
	if content != nil {
		secret.Data[entry] = content
	}
	return w.Client.Patch(ctx, &secret, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}))
}

// create makes a Secret with its first copy. Where somebody was faster it is a conflict.
func (w *Writer) create(ctx context.Context, name types.NamespacedName, entry string, content []byte) error {
	err := w.Client.Create(ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: name.Namespace, Name: name.Name,
			Labels: map[string]string{"app.kubernetes.io/managed-by": "cart-recovery-operator"},
		},
		Data: map[string][]byte{entry: content},
	})
	if apierrors.IsAlreadyExists(err) {
		return apierrors.NewConflict(corev1.Resource("secrets"), name.Name, err)
	}
	return err
}

// prune removes the copies of objects that are gone: nobody may have told of it.
func (w *Writer) prune(ctx context.Context, secret *corev1.Secret) error {
	var stores v1alpha1.StoreList
	var instances v1alpha1.WhatsAppInstanceList
	for _, list := range []client.ObjectList{&stores, &instances} {
		if err := w.Client.List(ctx, list, client.InNamespace(secret.Namespace),
			client.UnsafeDisableDeepCopy); err != nil {
			return fmt.Errorf("list what is copied: %w", err)
		}
	}
	kept := map[string]bool{}
	for i := range stores.Items {
		kept[entryOf(OfStore, stores.Items[i].Name)] = true
	}
	for i := range instances.Items {
		kept[entryOf(OfInstance, instances.Items[i].Name)] = true
		kept[entryOf(OfPairing, instances.Items[i].Name)] = true
	}
	for entry := range secret.Data {
		if !kept[entry] {
			delete(secret.Data, entry)
		}
	}
	return nil
}

// data is what the Secret with an object's copy holds.
func (w *Writer) data(ctx context.Context, kind Kind, object types.NamespacedName) (map[string][]byte, error) {
	var secret corev1.Secret
	err := client.IgnoreNotFound(w.Live.Get(ctx, SecretOf(kind, object), &secret))
	if err != nil {
		return nil, fmt.Errorf("read the webhook keys: %w", err)
	}
	return secret.Data, nil
}
