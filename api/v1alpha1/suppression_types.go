package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ConditionActive says whether a Suppression holds.
const ConditionActive = "Active"

// Reasons of a Suppression's Active condition, beside StoreNotFound.
const (
	// ReasonSuppressing: the number is not written to.
	ReasonSuppressing = "Suppressing"
	// ReasonLapsed: spec.expiresAt has passed; the number may be written to again.
	ReasonLapsed = "Lapsed"
)

// SuppressionSpec is one phone number of a store that must not be messaged.
// +kubebuilder:validation:XValidation:rule="has(self.phone) != has(self.phoneHash)",message="set exactly one of phone and phoneHash"
type SuppressionSpec struct {
	// StoreRef names the Store the number is suppressed in. Immutable.
	// +required
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="storeRef is immutable"
	StoreRef ObjectReference `json:"storeRef"`
	// Phone in E.164. Immutable.
	// +optional
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:Pattern=`^\+[1-9][0-9]{6,14}$`
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="phone is immutable"
	Phone string `json:"phone,omitempty"`
	// PhoneHash is the hash of the number, as in the label cartrecovery.dev/phone-key of a
	// CartRecovery: the number itself need not be kept. Immutable.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^[0-9a-f]{16,64}$`
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="phoneHash is immutable"
	PhoneHash string `json:"phoneHash,omitempty"`
	// Reason is why it is suppressed.
	// +optional
	// +kubebuilder:default=Manual
	// +kubebuilder:validation:Enum=OptOut;Manual;Complaint;WrongNumber
	Reason string `json:"reason,omitempty"`
	// ExpiresAt lifts the suppression; it holds for ever without it.
	// +optional
	ExpiresAt *metav1.Time `json:"expiresAt,omitempty"`
}

// SuppressionStatus is what the operator knows of a Suppression.
type SuppressionStatus struct {
	// ObservedGeneration is the generation the conditions speak of.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// Conditions: Active.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=8
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// Suppression is one phone number of a store that must not be messaged. Deleting it
// lifts it.
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:categories=cart-recovery
// +kubebuilder:selectablefield:JSONPath=`.spec.storeRef.name`
// +kubebuilder:printcolumn:name="Store",type=string,JSONPath=`.spec.storeRef.name`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.spec.reason`
// +kubebuilder:printcolumn:name="Active",type=string,JSONPath=`.status.conditions[?(@.type=="Active")].status`
// +kubebuilder:printcolumn:name="Expires",type=string,JSONPath=`.spec.expiresAt`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type Suppression struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// +required
	Spec SuppressionSpec `json:"spec"`
	// +optional
	// +kubebuilder:default={"observedGeneration":-1}
	Status SuppressionStatus `json:"status,omitempty"`
}

// SuppressionList is a list of Suppressions.
// +kubebuilder:object:root=true
type SuppressionList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Suppression `json:"items"`
}
