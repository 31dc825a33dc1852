package webhookserver

import (
	"context"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/secrets"
	"cartrecovery.dev/operator/internal/webhookkeys"
)

// Deliveries are checked with the Secrets themselves where the controllers run in the same process, else with the
// copies that the controllers keep (Options.Copies).

// keysOf are the secrets of a platform of a Store, none when none exists.
func (s *Server) keysOf(
	ctx context.Context, store *v1alpha1.Store, configured *v1alpha1.StorePlatform,
) ([][]byte, error) {
	if s.Copies != nil {
		return s.Copies.Platform(ctx, store, configured)
	}
	values := make([][]byte, 0, len(configured.SecretRefs))
	for _, ref := range configured.SecretRefs {
		value, err := s.Secrets.Get(ctx, store.Namespace, ref)
		switch {
		case errors.Is(err, secrets.ErrNotFound):
		case err != nil:
			return nil, err
		default:
			values = append(values, value)
		}
	}
	return values, nil
}

// token and webhookKey read the credentials of an instance, as they are compared with what was
// presented.
func (s *Server) token() credential {
	if s.Copies != nil {
		return s.Copies.Token
	}
	return s.Connector.Token
}

func (s *Server) webhookKey() credential {
	if s.Copies != nil {
		return s.Copies.WebhookKey
	}
	return s.Connector.WebhookKey
}

// comparable is a credential that was presented, as it is compared.
func (s *Server) comparable(presented string) []byte {
	if s.Copies != nil {
		return webhookkeys.Digest([]byte(presented))
	}
	return []byte(presented)
}

// refreshCredentials reads the credentials of an instance again, unless that was just done.
func (s *Server) refreshCredentials(instance *v1alpha1.WhatsAppInstance) bool {
	if s.Copies != nil {
		return s.Copies.Refresh(webhookkeys.OfInstance, instance)
	}
	return s.Connector.Secrets.Refresh(types.NamespacedName{
		Namespace: instance.Namespace, Name: instance.Status.CredentialsSecretRef.Name,
	})
}

// copiedPairing is the copy of what an instance shows to pair with. It changes every few seconds, so it is not
// remembered.
func (s *Server) copiedPairing(ctx context.Context, instance *v1alpha1.WhatsAppInstance) (map[string][]byte, error) {
	s.Copies.Refresh(webhookkeys.OfPairing, instance)
	data, err := s.Copies.Pairing(ctx, instance)
	if err != nil {
		return nil, fmt.Errorf("read the copy of what %s shows: %w", client.ObjectKeyFromObject(instance), err)
	}
	return data, nil
}
