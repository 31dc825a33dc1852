package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ConditionActive says whether a Suppression holds.
const ConditionActive = "Active"

// Reasons of a Suppression's Active condition.
const (
	// ReasonSuppressing: the number is not written to.
	ReasonSuppressing = "Suppressing"
	// ReasonLapsed: spec.expiresAt has passed; the number may be written to again.
	ReasonLapsed = "Lapsed"
	// ReasonKeyMissing: nobody can tell whose number it is, because the controllers lack the key that
	// spec.phoneHMAC was made with; nothing is sent in the Store.
	ReasonKeyMissing = "KeyMissing"
)

// ConditionErased is there while the erasure of a Suppression was asked for and could not be done: it is
// False, and its message says what to do.
const ConditionErased = "Erased"

// Reasons of a Suppression's Erased condition.
const (
	// ReasonNoKey: the controllers have no key to make the keyed Suppression with.
	ReasonNoKey = "NoKey"
	// ReasonAlreadyKeyed: the Suppression is a keyed one, and all that remains of a customer.
	ReasonAlreadyKeyed = "AlreadyKeyed"
)

// SuppressionSpec is one phone number of a store that must not be messaged.
// +kubebuilder:validation:XValidation:rule="[has(self.phone), has(self.phoneHash), has(self.phoneHMAC)].filter(isSet, isSet).size() == 1",message="set exactly one of phone, phoneHash and phoneHMAC"
// +kubebuilder:validation:XValidation:rule="has(self.phone) == has(oldSelf.phone) && has(self.phoneHash) == has(oldSelf.phoneHash)",message="phone, phoneHash and phoneHMAC are immutable: create another Suppression instead"
type SuppressionSpec struct {
	// storeRef names the Store that must not write to the number, in the same namespace.
	// Immutable.
	// +required
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="storeRef is immutable: create another Suppression instead"
	StoreRef ObjectReference `json:"storeRef,omitzero"`
	// phone that must not be written to, in E.164 such as +5511900000002: "+" and 7 to 15 digits.
	// Set one of phone, phoneHash and phoneHMAC. Immutable.
	// +optional
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^[+][1-9][0-9]{6,14}$')",message="expected E.164, such as +5511999990000: a plus sign, the country code and the number, without blanks"
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="phone is immutable: create another Suppression instead"
	Phone string `json:"phone,omitempty"`
	// phoneHash identifies the number without containing it: the value of the label
	// cartrecovery.dev/phone-key of the customer's leads, 16 to 64 hex digits. Set one of phone,
	// phoneHash and phoneHMAC. Immutable.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^[0-9a-f]{16,64}$`
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="phoneHash is immutable: create another Suppression instead"
	PhoneHash string `json:"phoneHash,omitempty"`
	// phoneHMAC is what remains of a number that was erased: "v1.", the id of one of the operator's
	// SUPPRESSION_KEYS, a dot, and the HMAC-SHA256 of the number and the Store's name under it. Nobody
	// without the key can tell whose it is. The operator writes it when a Suppression has the annotation
	// cartrecovery.dev/erase-requested-at. Set one of phone, phoneHash and phoneHMAC. Immutable.
	// +optional
	// +kubebuilder:validation:MaxLength=76
	// +kubebuilder:validation:Pattern=`^v1[.][0-9a-f]{8}[.][0-9a-f]{64}$`
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="phoneHMAC is immutable: create another Suppression instead"
	PhoneHMAC string `json:"phoneHMAC,omitempty"`
	// reason for the suppression. OptOut: the customer asked for it. WrongNumber: whoever has the
	// number is not the customer. Complaint: the customer complained. Manual: somebody decided so.
	// The operator creates the first two. Default: Manual.
	// +optional
	// +kubebuilder:default=Manual
	Reason SuppressionReason `json:"reason,omitempty"`
	// expiresAt is when the suppression ends; the number may then be written to again. RFC 3339.
	// Default: never.
	// +optional
	ExpiresAt *metav1.Time `json:"expiresAt,omitempty"`
}

// SuppressionReason is why a number must not be written to.
// +kubebuilder:validation:Enum=OptOut;WrongNumber;Complaint;Manual
type SuppressionReason string

const (
	// SuppressionOptOut: the customer asked for it.
	SuppressionOptOut SuppressionReason = "OptOut"
	// SuppressionWrongNumber: whoever has the number is not the customer.
	SuppressionWrongNumber SuppressionReason = "WrongNumber"
	// SuppressionComplaint: the customer complained.
	SuppressionComplaint SuppressionReason = "Complaint"
	// SuppressionManual: somebody decided so.
	SuppressionManual SuppressionReason = "Manual"
)

// SuppressionStatus is what the operator knows of a Suppression.
type SuppressionStatus struct {
	// observedGeneration is the metadata.generation that this status describes; -1 before the
	// operator has seen the object.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// conditions of the Suppression. Ready: it is taken into account. Active: True while the number
	// must not be written to, False once spec.expiresAt has passed. It also holds while the Store does
	// not exist. Erased: present, and False, while an erasure that was asked for cannot be done.
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
// +kubebuilder:printcolumn:name="State",type=string,JSONPath=`.status.conditions[?(@.type=="Active")].reason`
// +kubebuilder:printcolumn:name="Expires",type=string,JSONPath=`.spec.expiresAt`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type Suppression struct {
	metav1.TypeMeta `json:",inline"`
	// metadata is the object's name, namespace, labels and annotations.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is what is wanted; people and the operator write it.
	// +required
	Spec SuppressionSpec `json:"spec,omitzero"`
	// status is what the operator observed; only the operator writes it.
	// +optional
	// +kubebuilder:default={"observedGeneration":-1}
	Status SuppressionStatus `json:"status,omitempty,omitzero"`
}

// SuppressionList is a list of Suppressions.
// +kubebuilder:object:root=true
type SuppressionList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Suppression `json:"items"`
}
