package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Reasons of a Product's Ready condition, beside those it shares with Store.
const (
	// ReasonStoreNotFound: spec.storeRef names no Store in this namespace.
	ReasonStoreNotFound = "StoreNotFound"
	// ReasonPlatformIDTaken: an older Product of the same Store has one of the
	// platformIDs; leads of that id belong to it.
	ReasonPlatformIDTaken = "PlatformIDTaken"
)

// ProductSpec is what the AI must know of one product.
type ProductSpec struct {
	// storeRef names the Store that sells the product, in the same namespace. Immutable.
	// +required
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="storeRef is immutable: create another Product instead"
	StoreRef ObjectReference `json:"storeRef,omitzero"`
	// platformIDs are the ids that the sales platforms use for this product, from 1 to 32. If
	// several Products of a Store have the same id, it belongs to the oldest, and the others are
	// Ready=False, reason PlatformIDTaken.
	// +required
	// +listType=map
	// +listMapKey=platform
	// +listMapKey=id
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	PlatformIDs []PlatformID `json:"platformIDs,omitempty"`
	// displayName is the product's name in messages to customers. At most 200 characters. Default:
	// the name that the platform sent.
	// +optional
	// +kubebuilder:validation:MaxLength=200
	DisplayName string `json:"displayName,omitempty"`
	// description is what the AI may say about the product. The guard holds back prices, promises
	// and numbers that neither it, nor the prompt, the coupon or the step's instructions contain.
	// At most 4000 characters. Default: the AI knows only the name.
	// +optional
	// +kubebuilder:validation:MaxLength=4000
	Description string `json:"description,omitempty"`
	// persona is the character in whose name the AI writes. Default: none, the AI writes in the
	// name of the store.
	// +optional
	Persona Persona `json:"persona,omitempty,omitzero"`
	// systemPrompt is the instruction for the AI, a Go text/template; docs/prompting.md lists its
	// variables. At most 8000 characters. Default: ai.systemPrompt of the Store.
	// +optional
	// +kubebuilder:validation:MaxLength=8000
	SystemPrompt string `json:"systemPrompt,omitempty"`
	// checkoutURL is the link to the product's checkout, http or https, used when the platform
	// sends none. At most 2048 characters. Default: none.
	// +optional
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:Pattern=`^https?://[^/@\s]+(/[^\s]*)?$`
	CheckoutURL string `json:"checkoutURL,omitempty"`
	// coupon that the AI may offer. Default: none, and no message may promise one.
	// +optional
	Coupon *Coupon `json:"coupon,omitempty"`
	// recovery overrides parts of the Store's policy for this product. Fields that are left out
	// have the Store's value, and if the Store sets none either, the default that their
	// description names. Lists, quietHours and texts replace the Store's as a whole; ttlByPhase and
	// handOff are merged field by field.
	// +optional
	Recovery RecoveryPolicy `json:"recovery,omitempty,omitzero"`
}

// PlatformID is a product's id at a sales platform.
type PlatformID struct {
	// platform that uses the id.
	// +required
	Platform PlatformName `json:"platform,omitempty"`
	// id of the product at that platform, 1 to 128 characters.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	ID string `json:"id,omitempty"`
}

// Persona is in whose voice the AI writes.
type Persona struct {
	// name that the persona uses for itself, at most 100 characters.
	// +optional
	// +kubebuilder:validation:MaxLength=100
	Name string `json:"name,omitempty"`
	// tone of the persona, for example "warm, informal, no slang". At most 500 characters.
	// +optional
	// +kubebuilder:validation:MaxLength=500
	Tone string `json:"tone,omitempty"`
}

// Coupon that the AI may offer.
type Coupon struct {
	// code to enter at the checkout, 1 to 64 characters.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	Code string `json:"code,omitempty"`
	// text says what the coupon gives, for example "10% off until Sunday". At most 300 characters.
	// +optional
	// +kubebuilder:validation:MaxLength=300
	Text string `json:"text,omitempty"`
}

// ProductStatus is what the operator knows of a Product.
type ProductStatus struct {
	// observedGeneration is the metadata.generation that this status describes; -1 before the
	// operator has seen the object.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// conditions of the Product. Ready: its fields can be used. PolicyWarning, only present while
	// True: spec.recovery has something that can never take effect. Reconciling and Stalled, only
	// present while True: it is not ready, and goes on by itself, or waits for a person.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=8
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// effectivePolicy is the policy of this product's leads, in words: spec.recovery, completed
	// with the Store's and then with the defaults.
	// +optional
	EffectivePolicy *EffectivePolicy `json:"effectivePolicy,omitempty"`
}

// Product is what the AI must know of one product: persona, prompt, checkout link,
// coupon, and what of the Store's policy is different for it.
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:categories=cart-recovery
// +kubebuilder:selectablefield:JSONPath=`.spec.storeRef.name`
// +kubebuilder:printcolumn:name="Store",type=string,JSONPath=`.spec.storeRef.name`
// +kubebuilder:printcolumn:name="Product",type=string,JSONPath=`.spec.displayName`
// +kubebuilder:printcolumn:name="Persona",type=string,JSONPath=`.spec.persona.name`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type Product struct {
	metav1.TypeMeta `json:",inline"`
	// metadata is the object's name, namespace, labels and annotations.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is what is wanted; people and Git write it.
	// +required
	Spec ProductSpec `json:"spec,omitzero"`
	// status is what the operator observed; only the operator writes it.
	// +optional
	// +kubebuilder:default={"observedGeneration":-1}
	Status ProductStatus `json:"status,omitempty,omitzero"`
}

// ProductList is a list of Products.
// +kubebuilder:object:root=true
type ProductList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Product `json:"items"`
}
