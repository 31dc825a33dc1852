package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// ClientIDClaimSpec says whose a clientID is.
type ClientIDClaimSpec struct {
	// clientID that the claim is about, as in spec.clientID of Stores: letters, digits, ".", "_"
	// and "-", at most 128 characters. Immutable.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$`
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="clientID is immutable: create another ClientIDClaim instead"
	ClientID string `json:"clientID,omitempty"`
	// namespace whose Stores may use the clientID. Changing it hands the clientID over, and with
	// it every delivery that platforms post for it.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	Namespace string `json:"namespace,omitempty"`
}

// ClientIDClaim keeps a clientID with the namespace whose Store first had it, also while that
// Store is deleted: purchases of its customers must not go to another namespace's Store. The
// operator makes it; a person lets go of the clientID by deleting it, or hands it over by
// changing spec.namespace. There is no status: a backup that keeps no status keeps all of it.
// +kubebuilder:object:root=true
// +kubebuilder:resource:scope=Cluster
// +kubebuilder:selectablefield:JSONPath=`.spec.clientID`
// +kubebuilder:selectablefield:JSONPath=`.spec.namespace`
// +kubebuilder:printcolumn:name="ClientID",type=string,JSONPath=`.spec.clientID`
// +kubebuilder:printcolumn:name="Namespace",type=string,JSONPath=`.spec.namespace`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type ClientIDClaim struct {
	metav1.TypeMeta `json:",inline"`
	// metadata is the object's name, namespace, labels and annotations.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec says whose the clientID is. The operator writes it; a person may change it.
	// +required
	Spec ClientIDClaimSpec `json:"spec,omitzero"`
}

// ClientIDClaimList is a list of ClientIDClaims.
// +kubebuilder:object:root=true
type ClientIDClaimList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []ClientIDClaim `json:"items"`
}
