package webhookserver

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/index"
	"cartrecovery.dev/operator/internal/owner"
)

// +kubebuilder:rbac:groups=cartrecovery.dev,resources=stores;products;suppressions,verbs=list;watch
// +kubebuilder:rbac:groups=cartrecovery.dev,resources=cartrecoveries,verbs=get;list;watch;create;patch
// +kubebuilder:rbac:groups=cartrecovery.dev,resources=cartrecoveries/status,verbs=patch
// +kubebuilder:rbac:groups=cartrecovery.dev,resources=whatsappinstances,verbs=get;list;watch;create;patch

// +kubebuilder:rbac:groups=cartrecovery.dev,resources=clientidclaims,verbs=list;watch

// store finds the Store that has this clientID, nil when there is none.
func (s *Server) store(ctx context.Context, clientID string) (*v1alpha1.Store, error) {
	var stores v1alpha1.StoreList
	// Every delivery reads its Store, and none changes it.
	if err := s.Client.List(ctx, &stores, client.MatchingFields{index.StoreByClientID: clientID},
		client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("find the store of a client: %w", err)
	}
	if len(stores.Items) == 0 {
		return nil, nil
	}
	claimedBy := ""
	if !s.NoClaims {
		var err error
		if claimedBy, err = owner.ClaimedBy(ctx, s.Client, clientID); err != nil {
			return nil, err
		}
	}
	if at := owner.StoreOf(stores.Items, claimedBy); at >= 0 {
		return &stores.Items[at], nil
	}
	return nil, nil
}

// instance finds a WhatsAppInstance by name, nil when there is none.
func (s *Server) instance(ctx context.Context, name types.NamespacedName) (*v1alpha1.WhatsAppInstance, error) {
	var instance v1alpha1.WhatsAppInstance
	err := s.Client.Get(ctx, name, &instance)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("find an instance: %w", err)
	}
	return &instance, nil
}

// instancesNamed finds the WhatsAppInstances with this name at their gateways.
func (s *Server) instancesNamed(ctx context.Context, name string) ([]v1alpha1.WhatsAppInstance, error) {
	var instances v1alpha1.WhatsAppInstanceList
	if err := s.Client.List(ctx, &instances, client.MatchingFields{index.InstanceByGatewayName: name}); err != nil {
		return nil, fmt.Errorf("find the instances of a gateway name: %w", err)
	}
	return instances.Items, nil
}

// instancesOf finds the WhatsAppInstances of a Store.
func (s *Server) instancesOf(ctx context.Context, store *v1alpha1.Store) ([]v1alpha1.WhatsAppInstance, error) {
	var instances v1alpha1.WhatsAppInstanceList
	err := s.Client.List(ctx, &instances, client.InNamespace(store.Namespace),
		client.MatchingFields{index.InstanceByStore: store.Name})
	if err != nil {
		return nil, fmt.Errorf("find the instances of a store: %w", err)
	}
	return instances.Items, nil
}

// leadsByMessage finds the leads that have a message with this id at the gateway, from the
// cache.
func (s *Server) leadsByMessage(ctx context.Context, namespace, store, id string) ([]v1alpha1.CartRecovery, error) {
	if id == "" {
		return nil, nil
	}
	var leads v1alpha1.CartRecoveryList
	key := index.LeadMessageKey(store, id)
	err := s.Client.List(ctx, &leads, client.InNamespace(namespace), client.MatchingFields{index.LeadByMessage: key})
	if err != nil {
		return nil, fmt.Errorf("find the leads of a message: %w", err)
	}
	return leads.Items, nil
}
