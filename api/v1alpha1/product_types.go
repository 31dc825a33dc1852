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
	// StoreRef names the Store that sells the product. Immutable.
	// +required
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="storeRef is immutable: create another Product instead"
	StoreRef ObjectReference `json:"storeRef"`
	// PlatformIDs are the product's ids at the sales platforms.
	// +required
	// +listType=map
	// +listMapKey=platform
	// +listMapKey=id
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	PlatformIDs []PlatformID `json:"platformIDs"`
	// DisplayName is the product's name as the AI says it. Default: the name the platform
	// sent.
	// +optional
	// +kubebuilder:validation:MaxLength=200
	DisplayName string `json:"displayName,omitempty"`
	// Description is what the AI may say about the product.
	// +optional
	// +kubebuilder:validation:MaxLength=4000
	Description string `json:"description,omitempty"`
	// Persona is in whose voice the AI writes.
	// +optional
	Persona Persona `json:"persona,omitempty"`
	// SystemPrompt is a Go text/template; docs/prompting.md lists its variables. It
	// replaces the Store's.
	// +optional
	// +kubebuilder:validation:MaxLength=8000
	SystemPrompt string `json:"systemPrompt,omitempty"`
	// CheckoutURL leads to the product's checkout; used where the platform sends none.
	// +optional
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:Pattern=`^https?://[^/@\s]+(/[^\s]*)?$`
	CheckoutURL string `json:"checkoutURL,omitempty"`
	// Coupon that the AI may offer.
	// +optional
	Coupon *Coupon `json:"coupon,omitempty"`
	// Recovery overrides parts of the Store's policy for this product.
	// +optional
	Recovery RecoveryPolicy `json:"recovery,omitempty"`
}

// PlatformID is a product's id at a sales platform.
type PlatformID struct {
	// Platform that uses the id.
	// +required
	Platform PlatformName `json:"platform"`
	// ID of the product there.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	ID string `json:"id"`
}

// Persona is in whose voice the AI writes.
type Persona struct {
	// Name the persona gives itself.
	// +optional
	// +kubebuilder:validation:MaxLength=100
	Name string `json:"name,omitempty"`
	// Tone, for example "warm, informal, no slang".
	// +optional
	// +kubebuilder:validation:MaxLength=500
	Tone string `json:"tone,omitempty"`
}

// Coupon that the AI may offer.
type Coupon struct {
	// Code to enter at the checkout.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	Code string `json:"code"`
	// Text says what the coupon gives, for example "10% off until Sunday".
	// +optional
	// +kubebuilder:validation:MaxLength=300
	Text string `json:"text,omitempty"`
}

// ProductStatus is what the operator knows of a Product.
type ProductStatus struct {
	// ObservedGeneration is the generation the conditions speak of.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// Conditions: Ready.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=8
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// EffectivePolicy is the policy that holds for the product's leads: its own overrides,
	// then the Store's, then the defaults.
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
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// +required
	Spec ProductSpec `json:"spec"`
	// +optional
	// +kubebuilder:default={"observedGeneration":-1}
	Status ProductStatus `json:"status,omitempty"`
}

// ProductList is a list of Products.
// +kubebuilder:object:root=true
type ProductList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Product `json:"items"`
}
