package webhookkeys

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gateway"
	"cartrecovery.dev/operator/internal/secrets"
)

// Fresh is how long after a copy was compared with its sources it is trusted that a credential which it lacks is wrong.
const Fresh = 10 * time.Second

// Reader reads the copies. It is safe for concurrent use.
type Reader struct {
	// Secrets reads Secrets, of which only those with copies are asked for.
	Secrets *secrets.Reader
}

// Platform returns the secrets of a platform of a Store, none when none exists. The error is
// ErrNotCopied before the controllers have copied what the Store refers to now.
func (r *Reader) Platform(
	ctx context.Context, store *v1alpha1.Store, platform *v1alpha1.StorePlatform,
) ([][]byte, error) {
	for again := false; ; again = true {
		copied, err := r.store(ctx, store)
		if err == nil {
			for i := range copied.Platforms {
				if copied.Platforms[i].isOf(platform) {
					return copied.Platforms[i].Keys, nil
				}
			}
			err = ErrNotCopied
		}
		// What is remembered may be older than the Store.
		if again || !errors.Is(err, ErrNotCopied) || !r.Refresh(OfStore, store) {
			return nil, err
		}
	}
}

// IsFresh says whether the copy of a Store was compared with its sources a short time ago.
func (r *Reader) IsFresh(ctx context.Context, store *v1alpha1.Store, now time.Time) (bool, error) {
	copied, err := r.store(ctx, store)
	return err == nil && now.Sub(copied.Checked) < Fresh, err
}

func (r *Reader) store(ctx context.Context, store *v1alpha1.Store) (Store, error) {
	var copied Store
	err := r.read(ctx, OfStore, store, &copied)
	if err == nil && copied.UID != store.UID {
		err = ErrNotCopied
	}
	return copied, err
}

// Token returns the Digest of an instance's gateway token, and WebhookKey that of the key in its
// webhook URL. The error is secrets.ErrNotFound where it has none, and ErrNotCopied before the
// controllers have copied the instance's credentials.
func (r *Reader) Token(ctx context.Context, instance *v1alpha1.WhatsAppInstance) ([]byte, error) {
	copied, err := r.instance(ctx, instance)
	return present(copied.Token, err)
}

// WebhookKey returns what proves an instance's webhook key; see Token.
func (r *Reader) WebhookKey(ctx context.Context, instance *v1alpha1.WhatsAppInstance) ([]byte, error) {
	copied, err := r.instance(ctx, instance)
	return present(copied.WebhookKey, err)
}

func (r *Reader) instance(ctx context.Context, instance *v1alpha1.WhatsAppInstance) (Instance, error) {
	var copied Instance
	if instance.Status.CredentialsSecretRef == nil {
		return copied, fmt.Errorf("%w: the instance is not provisioned yet", secrets.ErrNotFound)
	}
	err := r.read(ctx, OfInstance, instance, &copied)
	if err == nil && copied.UID != instance.UID {
		err = ErrNotCopied
	}
	return copied, err
}

func present(digest []byte, err error) ([]byte, error) {
	if err == nil && len(digest) == 0 {
		err = fmt.Errorf("%w: the instance has none", secrets.ErrNotFound)
	}
	return digest, err
}

// Pairing returns what an instance shows to pair with, by the keys of its own Secret; none when it
// shows nothing.
func (r *Reader) Pairing(ctx context.Context, instance *v1alpha1.WhatsAppInstance) (map[string][]byte, error) {
	var copied Pairing
	err := r.read(ctx, OfPairing, instance, &copied)
	if errors.Is(err, ErrNotCopied) || err == nil && copied.UID != instance.UID {
		r.Refresh(OfPairing, instance)
		return nil, nil
	}
	return map[string][]byte{
		gateway.KeyQR: []byte(copied.QR), gateway.KeyPairCode: []byte(copied.PairCode),
	}, err
}

// Refresh makes the next read of an object's copy a live one, as secrets.Reader does.
func (r *Reader) Refresh(kind Kind, object client.Object) bool {
	return r.Secrets.Refresh(SecretOf(kind, client.ObjectKeyFromObject(object)))
}

func (r *Reader) read(ctx context.Context, kind Kind, object client.Object, into any) error {
	name := types.NamespacedName{Namespace: object.GetNamespace(), Name: object.GetName()}
	data, err := r.Secrets.Data(ctx, SecretOf(kind, name))
	if errors.Is(err, secrets.ErrNotFound) {
		return ErrNotCopied
	}
	if err != nil {
		return err
	}
	found, err := readEntry(data, kind, name.Name, into)
	if err == nil && !found {
		err = ErrNotCopied
	}
	return err
}
