// Package gen makes objects for tests: valid ones, changed by modifiers, so that a test
// shows only what matters to it.
package gen

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/lead"
)

// The names of what the factories make refer to each other by.
const (
	Namespace = "shop"
	Store     = "acme"
	Instance  = "acme-phone"
	Product   = "course"
	ProductID = "1001"
	Phone     = "+5511987654321"
	Email     = "maria@example.com"
)

// StoreObject makes a Store with clientID gen.Store.
func StoreObject(mods ...func(*v1alpha1.Store)) *v1alpha1.Store {
	store := &v1alpha1.Store{
		ObjectMeta: metav1.ObjectMeta{Namespace: Namespace, Name: Store, UID: types.UID("uid-" + Store)},
		Spec:       v1alpha1.StoreSpec{ClientID: Store, TimeZone: "America/Sao_Paulo", Locale: "pt-BR", Region: "BR"},
	}
	return apply(store, mods)
}

// ProductObject makes a Product of gen.Store, with id gen.ProductID at Hotmart.
func ProductObject(mods ...func(*v1alpha1.Product)) *v1alpha1.Product {
	product := &v1alpha1.Product{
		ObjectMeta: metav1.ObjectMeta{Namespace: Namespace, Name: Product, UID: types.UID("uid-" + Product)},
		Spec: v1alpha1.ProductSpec{
			StoreRef:    v1alpha1.ObjectReference{Name: Store},
			PlatformIDs: []v1alpha1.PlatformID{{Platform: v1alpha1.PlatformHotmart, ID: ProductID}},
			DisplayName: "Curso de Violão",
			CheckoutURL: "https://pay.example.com/violao",
			Persona:     v1alpha1.Persona{Name: "Bia", Tone: "warm"},
		},
	}
	return apply(product, mods)
}

// InstanceObject makes a connected WhatsAppInstance of gen.Store.
func InstanceObject(mods ...func(*v1alpha1.WhatsAppInstance)) *v1alpha1.WhatsAppInstance {
	instance := &v1alpha1.WhatsAppInstance{
		ObjectMeta: metav1.ObjectMeta{Namespace: Namespace, Name: Instance, UID: types.UID("uid-" + Instance)},
		Spec: v1alpha1.WhatsAppInstanceSpec{
			StoreRef: v1alpha1.ObjectReference{Name: Store},
			Gateway:  v1alpha1.GatewaySpec{Type: v1alpha1.GatewayUAZAPI},
			Pairing:  v1alpha1.PairingSpec{Method: v1alpha1.PairingQRCode},
		},
		Status: v1alpha1.WhatsAppInstanceStatus{
			Phase:                v1alpha1.InstanceConnected,
			CredentialsSecretRef: &v1alpha1.ObjectReference{Name: Instance + "-gateway"},
			Conditions: []metav1.Condition{{
				Type: v1alpha1.ConditionReady, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonConnected,
			}},
		},
	}
	return apply(instance, mods)
}

// Unlimited lets an instance send as much and as fast as the schema allows.
func Unlimited(instance *v1alpha1.WhatsAppInstance) {
	most, minute, none := int32(100_000), int32(6000), int32(0)
	instance.Spec.Limits = v1alpha1.InstanceLimits{
		MessagesPerMinute: &minute, MessagesPerHour: &most, NewConversationsPerDay: &most,
		NewConversationGap: &v1alpha1.ConversationGap{}, WarmUp: &v1alpha1.WarmUp{Days: &none},
	}
}

// Lead makes a CartRecovery of gen.Store, abandoned at the given time.
func Lead(abandonedAt time.Time, mods ...func(*v1alpha1.CartRecovery)) *v1alpha1.CartRecovery {
	at := v1alpha1.NewTimestamp(abandonedAt)
	customer := v1alpha1.LeadCustomer{Name: "Maria Souza", Phone: Phone, Email: Email}
	recovery := &v1alpha1.CartRecovery{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: Namespace, Name: "hotmart-lead", UID: types.UID("uid-lead"),
			CreationTimestamp: metav1.NewTime(abandonedAt), Generation: 1,
			Labels: lead.Labels(Store, customer),
		},
		Spec: v1alpha1.CartRecoverySpec{
			StoreRef:    v1alpha1.ObjectReference{Name: Store},
			Platform:    v1alpha1.PlatformHotmart,
			Trigger:     v1alpha1.TriggerAbandonedCart,
			Customer:    customer,
			Product:     v1alpha1.LeadProduct{ID: ProductID, Name: "Curso de Violão"},
			AbandonedAt: &at,
		},
	}
	return apply(recovery, mods)
}

// In puts any object of this package into another namespace, without a UID, so that it can
// be created there.
func In[T metav1.Object](namespace string, object T) T {
	object.SetNamespace(namespace)
	object.SetUID("")
	object.SetCreationTimestamp(metav1.Time{})
	object.SetGeneration(0)
	return object
}

func apply[T any](object *T, mods []func(*T)) *T {
	for _, mod := range mods {
		mod(object)
	}
	return object
}
