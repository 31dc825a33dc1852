package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// MaxLedgerEntries is how many entries one RecoveryLedger holds; a Store has as many of them
// as it needs.
const MaxLedgerEntries = 500

// LedgerEvent is what happened to a lead.
// +kubebuilder:validation:Enum=Sent;Replied;ClaimedPaid;HandedOff;Resumed;Ended
type LedgerEvent string

const (
	// LedgerSent: a message of the sequence went, or may have gone.
	LedgerSent LedgerEvent = "Sent"
	// LedgerReplied: the customer wrote, which ends the sequence.
	LedgerReplied LedgerEvent = "Replied"
	// LedgerClaimedPaid: the customer said that they have paid, and the platform's word is
	// waited for.
	LedgerClaimedPaid LedgerEvent = "ClaimedPaid"
	// LedgerHandedOff: a person of the store took the conversation over.
	LedgerHandedOff LedgerEvent = "HandedOff"
	// LedgerResumed: the conversation went back to the AI.
	LedgerResumed LedgerEvent = "Resumed"
	// LedgerEnded: the lead has its outcome.
	LedgerEnded LedgerEvent = "Ended"
)

// LedgerEntry is one thing that happened to a lead. It holds no text, and nothing of the
// customer but the hash that the lead's name is.
type LedgerEntry struct {
	// lead is the name of the CartRecovery.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Lead string `json:"lead,omitempty"`
	// event that happened. Sent: a message of the sequence was sent, or may have been. Replied: the
	// customer wrote. ClaimedPaid: the customer said that they have paid. HandedOff: a person took
	// the conversation over. Resumed: the AI has it again. Ended: the lead ended.
	// +required
	Event LedgerEvent `json:"event,omitempty"`
	// cycle of the recovery that the event belongs to, counted from 0.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Cycle int32 `json:"cycle,omitempty"`
	// step of the sequence that was sent, by name. Only for Sent.
	// +optional
	// +kubebuilder:validation:MaxLength=40
	Step string `json:"step,omitempty"`
	// instance is the name of the WhatsAppInstance that the message was sent from. Only for Sent.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	Instance string `json:"instance,omitempty"`
	// reason of the ending, of the hand-off or of its end, as in the lead's conditions. Only for
	// Ended, HandedOff and Resumed.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	Reason string `json:"reason,omitempty"`
	// at is when it happened. RFC 3339.
	// +required
	At Timestamp `json:"at"`
}

// RecoveryLedgerSpec is what happened to the leads of a Store. There is no status: a backup
// that keeps no status keeps all of it.
type RecoveryLedgerSpec struct {
	// storeRef names the Store whose leads the entries are about. The ledger stays when the Store
	// is deleted. Immutable.
	// +required
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="storeRef is immutable: create another RecoveryLedger instead"
	StoreRef ObjectReference `json:"storeRef,omitzero"`
	// entries in the order in which the operator learned of them, at most 500; further entries go
	// into another RecoveryLedger.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=500
	Entries []LedgerEntry `json:"entries,omitempty"`
}

// RecoveryLedger is a part of a Store's ledger: what was sent, handed over and ended, so that
// leads that come back from a backup without their status are not written to again. The
// operator writes it and deletes what no lead can need any more; see docs/backup.md.
// +kubebuilder:object:root=true
// +kubebuilder:selectablefield:JSONPath=`.spec.storeRef.name`
// +kubebuilder:printcolumn:name="Store",type=string,JSONPath=`.spec.storeRef.name`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type RecoveryLedger struct {
	metav1.TypeMeta `json:",inline"`
	// metadata is the object's name, namespace, labels and annotations.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is what happened to the Store's leads; only the operator writes it.
	// +required
	Spec RecoveryLedgerSpec `json:"spec,omitzero"`
}

// RecoveryLedgerList is a list of RecoveryLedgers.
// +kubebuilder:object:root=true
type RecoveryLedgerList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []RecoveryLedger `json:"items"`
}
