package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Conditions of a WhatsAppInstance, beside Ready.
const (
	// ConditionGatewayReachable says whether the gateway answered the last call.
	ConditionGatewayReachable = "GatewayReachable"
	// ConditionWebhookRegistered says whether the gateway knows where to post.
	ConditionWebhookRegistered = "WebhookRegistered"
)

// Reasons of a WhatsAppInstance's conditions, beside those it shares with Store.
const (
	// ReasonConnected: the number is paired and connected.
	ReasonConnected = "Connected"
	// ReasonProvisioning: the instance is being made at the gateway.
	ReasonProvisioning = "Provisioning"
	// ReasonPairing: waiting for a phone to scan the QR or enter the pair code.
	ReasonPairing = "Pairing"
	// ReasonPairingTimedOut: nobody paired a phone in time; a new attempt is asked for by
	// the annotation cartrecovery.dev/pair-requested-at or by POST connect.
	ReasonPairingTimedOut = "PairingTimedOut"
	// ReasonLoggedOut: the phone logged out, or the gateway lost the connection.
	ReasonLoggedOut = "LoggedOut"
	// ReasonRestricted: WhatsApp lets the number start no new conversations for a while.
	ReasonRestricted = "Restricted"
	// ReasonGatewayUnreachable: the gateway does not answer; see the message.
	ReasonGatewayUnreachable = "GatewayUnreachable"
	// ReasonGatewayRefused: the gateway refused a call; see the message.
	ReasonGatewayRefused = "GatewayRefused"
	// ReasonGatewayUnauthorized: the gateway refused the credentials.
	ReasonGatewayUnauthorized = "GatewayUnauthorized"
	// ReasonGatewayUnsupported: this version of the operator does not speak the gateway
	// type.
	ReasonGatewayUnsupported = "GatewayUnsupported"
	// ReasonReachable: the gateway answered.
	ReasonReachable = "Reachable"
	// ReasonRegistered: the gateway posts to the operator's webhook.
	ReasonRegistered = "Registered"
	// ReasonNoPublicURL: the operator does not know its public URL (--public-url), so
	// nothing can be registered and no answers will come in.
	ReasonNoPublicURL = "NoPublicURL"
	// ReasonNotConnected: the number is not connected.
	ReasonNotConnected = "NotConnected"
	// ReasonNotSending: the gateway calls the number connected and refuses every message; see
	// docs/instances.md.
	ReasonNotSending = "NotSending"
	// ReasonNoQRCode: the gateway makes no QR or pair code; the message says what to do.
	ReasonNoQRCode = "NoQRCode"
)

// GatewayType is the protocol of a WhatsApp gateway.
// +kubebuilder:validation:Enum=UAZAPI;Evolution;Simulated
type GatewayType string

const (
	// GatewayUAZAPI is UAZAPI v2.
	GatewayUAZAPI GatewayType = "UAZAPI"
	// GatewayEvolution is the Evolution API.
	GatewayEvolution GatewayType = "Evolution"
	// GatewaySimulated is built in: it shows a QR marked as a mock, pairs by itself, and
	// records messages instead of sending them.
	GatewaySimulated GatewayType = "Simulated"
)

// GatewayDialect is a variant of a gateway's protocol.
type GatewayDialect string

const (
	// DialectV2 is the gateway's published API.
	DialectV2 GatewayDialect = "V2"
	// DialectLegacy is the old backend's way of sending through UAZAPI.
	DialectLegacy GatewayDialect = "Legacy"
	// DialectV1 is version 1 of the Evolution API.
	DialectV1 GatewayDialect = "V1"
)

// PairingMethod is how a phone is paired.
// +kubebuilder:validation:Enum=QRCode;PairCode
type PairingMethod string

const (
	// PairingQRCode: the phone scans a QR.
	PairingQRCode PairingMethod = "QRCode"
	// PairingPairCode: a code is entered on the phone.
	PairingPairCode PairingMethod = "PairCode"
)

// DeletionPolicy says what happens at the gateway when the object is deleted.
// +kubebuilder:validation:Enum=Retain;Delete
type DeletionPolicy string

const (
	// DeletionRetain leaves the gateway's instance, and its pairing, alone.
	DeletionRetain DeletionPolicy = "Retain"
	// DeletionDelete logs the phone out and deletes the gateway's instance.
	DeletionDelete DeletionPolicy = "Delete"
)

// InstancePhase sums an instance's status up, for people.
// +kubebuilder:validation:Enum=Pending;Pairing;Connected;Disconnected;Restricted;Failed
type InstancePhase string

const (
	// InstancePending: not yet made at the gateway.
	InstancePending InstancePhase = "Pending"
	// InstancePairing: waiting for a phone.
	InstancePairing InstancePhase = "Pairing"
	// InstanceConnected: messages can be sent.
	InstanceConnected InstancePhase = "Connected"
	// InstanceDisconnected: no phone is paired or it is away.
	InstanceDisconnected InstancePhase = "Disconnected"
	// InstanceRestricted: connected, but WhatsApp allows no new conversations.
	InstanceRestricted InstancePhase = "Restricted"
	// InstanceFailed: a person must do something; see the Ready condition.
	InstanceFailed InstancePhase = "Failed"
)

// WhatsAppInstanceSpec is one WhatsApp number on a gateway.
// +kubebuilder:validation:XValidation:rule="has(self.instanceName) == has(oldSelf.instanceName)",message="instanceName is immutable: create another WhatsAppInstance instead"
type WhatsAppInstanceSpec struct {
	// StoreRef names the Store that writes from this number. Immutable.
	// +required
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="storeRef is immutable: create another WhatsAppInstance instead"
	StoreRef ObjectReference `json:"storeRef"`
	// InstanceName is the instance's name at the gateway. Immutable. Default: the
	// object's namespace and name.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$`
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="instanceName is immutable: create another WhatsAppInstance instead"
	InstanceName string `json:"instanceName,omitempty"`
	// Gateway is how to reach the number.
	// +optional
	// +kubebuilder:default={"type":"UAZAPI"}
	Gateway GatewaySpec `json:"gateway,omitempty"`
	// Pairing is how the phone is paired.
	// +optional
	// +kubebuilder:default={"method":"QRCode"}
	Pairing PairingSpec `json:"pairing,omitempty"`
	// Limits keep the number from being banned.
	// +optional
	Limits InstanceLimits `json:"limits,omitempty"`
	// DeletionPolicy says what happens at the gateway when this object is deleted.
	// +optional
	// +kubebuilder:default=Retain
	DeletionPolicy DeletionPolicy `json:"deletionPolicy,omitempty"`
	// Suspend stops sending from this number, and polling it.
	// +optional
	Suspend bool `json:"suspend,omitempty"`
}

// GatewaySpec is how to reach a gateway.
// +kubebuilder:validation:XValidation:rule="self.type == 'Simulated' || !has(self.baseURL) || has(self.adminTokenSecretRef)",message="an own baseURL needs its own adminTokenSecretRef: the operator's token is only ever sent to the operator's own gateway"
// +kubebuilder:validation:XValidation:rule="!has(self.dialect) || self.dialect != 'Legacy' || self.type == 'UAZAPI'",message="the Legacy dialect is for gateway type UAZAPI"
// +kubebuilder:validation:XValidation:rule="!has(self.dialect) || self.dialect != 'V1' || self.type == 'Evolution'",message="the V1 dialect is for gateway type Evolution"
type GatewaySpec struct {
	// Type is the gateway's protocol.
	// +required
	// +kubebuilder:default=UAZAPI
	Type GatewayType `json:"type"`
	// BaseURL of the gateway: https and public, unless the operator allows more, and the Secret of
	// adminTokenSecretRef must allow its host with the annotation cartrecovery.dev/allowed-hosts.
	// Default: the operator's own.
	// +optional
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:Pattern=`^https?://[^/@\s]+(/[^\s]*)?$`
	BaseURL string `json:"baseURL,omitempty"`
	// AdminTokenSecretRef holds the token of the gateway's account, which makes
	// instances. Default: the operator's own.
	// +optional
	AdminTokenSecretRef *SecretKeyReference `json:"adminTokenSecretRef,omitempty"`
	// Aliases are further names that deliveries may call the instance by, beside its name at
	// the gateway: a proxy's, or that of a gateway of another kind which only posts.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=128
	Aliases []string `json:"aliases,omitempty"`
	// Dialect V2 is the gateway's published API (the default). Legacy, of UAZAPI, sends
	// with POST /message/text, for installations that proxy it; it cannot look a message
	// up, so an unconfirmed send stays Unknown. V1, of Evolution, sends the body that
	// version 1 of its API takes.
	// +optional
	// +kubebuilder:validation:Enum=V2;Legacy;V1
	Dialect GatewayDialect `json:"dialect,omitempty"`
}

// PairingSpec is how a phone is paired.
// +kubebuilder:validation:XValidation:rule="self.method != 'PairCode' || has(self.phone)",message="method PairCode needs the phone that will enter the code"
type PairingSpec struct {
	// Method to pair with.
	// +required
	// +kubebuilder:default=QRCode
	Method PairingMethod `json:"method"`
	// Phone to pair, E.164. Needed by PairCode.
	// +optional
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:Pattern=`^\+[1-9][0-9]{6,14}$`
	Phone string `json:"phone,omitempty"`
	// Timeout is how long one attempt waits for a phone. Default 10m.
	// +optional
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('30s') && duration(self) <= duration('24h')",message="timeout must be between 30s and 24h"
	Timeout *Duration `json:"timeout,omitempty"`
}

// InstanceLimits keep a number from being banned. Answers to customers may use all of a
// limit, first messages 80 % and follow-ups 70 %, so that there is always room for answers.
type InstanceLimits struct {
	// MessagesPerMinute of all kinds. Default 20.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=6000
	MessagesPerMinute *int32 `json:"messagesPerMinute,omitempty"`
	// MessagesPerHour of all kinds. Default 80.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100000
	MessagesPerHour *int32 `json:"messagesPerHour,omitempty"`
	// NewConversationsPerDay, in the Store's time zone. Default 200.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100000
	NewConversationsPerDay *int32 `json:"newConversationsPerDay,omitempty"`
	// NewConversationGap is the pause before a new conversation, drawn anew each time.
	// Default 5s to 30s.
	// +optional
	NewConversationGap *ConversationGap `json:"newConversationGap,omitempty"`
	// WarmUp lets a number that was just paired start fewer conversations. Default: 20 on the
	// first day, newConversationsPerDay from the 15th on.
	// +optional
	WarmUp *WarmUp `json:"warmUp,omitempty"`
}

// ConversationGap is a pause between a least and a longest time.
// +kubebuilder:validation:XValidation:rule="duration(self.min) <= duration(self.max)",message="min must not be longer than max"
type ConversationGap struct {
	// Min is the shortest pause.
	// +required
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('0s') && duration(self) <= duration('1h')",message="min must be between 0s and 1h"
	Min Duration `json:"min"`
	// Max is the longest pause.
	// +required
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('0s') && duration(self) <= duration('1h')",message="max must be between 0s and 1h"
	Max Duration `json:"max"`
}

// WarmUp is a daily number of new conversations that grows.
type WarmUp struct {
	// StartPerDay is how many new conversations are allowed on the first day. Default 20.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100000
	StartPerDay *int32 `json:"startPerDay,omitempty"`
	// Days until newConversationsPerDay is reached; 0 for no warm-up. Default 14.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=90
	Days *int32 `json:"days,omitempty"`
}

// WhatsAppInstanceStatus is what the operator knows of a number.
type WhatsAppInstanceStatus struct {
	// ObservedGeneration is the generation the conditions speak of.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// Conditions: Ready, GatewayReachable, WebhookRegistered.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=8
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// Phase sums it up, for people.
	// +optional
	Phase InstancePhase `json:"phase,omitempty"`
	// Phone is the paired number, E.164.
	// +optional
	// +kubebuilder:validation:MaxLength=24
	Phone string `json:"phone,omitempty"`
	// GatewayInstanceID is the gateway's own id of the instance.
	// +optional
	// +kubebuilder:validation:MaxLength=128
	GatewayInstanceID string `json:"gatewayInstanceID,omitempty"`
	// CredentialsSecretRef names the owned Secret with the instance token and the key of
	// the webhook URL.
	// +optional
	CredentialsSecretRef *ObjectReference `json:"credentialsSecretRef,omitempty"`
	// Pairing is the current or last pairing attempt.
	// +optional
	Pairing *PairingStatus `json:"pairing,omitempty"`
	// RegisteredWebhook is a hash of the webhook URL that the gateway was told.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	RegisteredWebhook string `json:"registeredWebhook,omitempty"`
	// LastConnectedTime is when it last became connected.
	// +optional
	LastConnectedTime *metav1.Time `json:"lastConnectedTime,omitempty"`
	// FirstConnectedTime is when it first became connected; the warm-up counts from it. A
	// number that was paired before counts too.
	// +optional
	FirstConnectedTime *metav1.Time `json:"firstConnectedTime,omitempty"`
	// Pace is what was sent from the number, and what waits; refreshed at most once a minute.
	// +optional
	Pace *PaceStatus `json:"pace,omitempty"`
	// LastDisconnectReason is why it last disconnected, as the gateway says it in known words;
	// "the gateway gave a reason" for any others, which could hold a token.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	LastDisconnectReason string `json:"lastDisconnectReason,omitempty"`
	// ObservedStatusRequest is the value of the annotation cartrecovery.dev/status-requested-at
	// for which the gateway was last asked.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	ObservedStatusRequest string `json:"observedStatusRequest,omitempty"`
	// NewConversationsPausedUntil is how long WhatsApp allows no new conversations.
	// +optional
	NewConversationsPausedUntil *metav1.Time `json:"newConversationsPausedUntil,omitempty"`
}

// PaceStatus is what was sent from a number, and what waits.
type PaceStatus struct {
	// LastHour is how many messages were sent within the last hour.
	// +optional
	LastHour int32 `json:"lastHour,omitempty"`
	// NewToday is how many conversations were started today, in the Store's time zone.
	// +optional
	NewToday int32 `json:"newToday,omitempty"`
	// NewAllowedToday is how many may be, with the warm-up.
	// +optional
	NewAllowedToday int32 `json:"newAllowedToday,omitempty"`
	// Waiting messages are due and wait for their turn.
	// +optional
	Waiting int32 `json:"waiting,omitempty"`
}

// PairingStatus is a pairing attempt.
type PairingStatus struct {
	// SecretRef names the owned Secret with the QR (key qr.png and qr, a data URI) or the
	// pair code (key pairCode). It is emptied when pairing ends.
	// +optional
	SecretRef *ObjectReference `json:"secretRef,omitempty"`
	// StartedAt is when the attempt began.
	// +optional
	StartedAt *metav1.Time `json:"startedAt,omitempty"`
	// ExpiresAt is when the attempt ends without a phone.
	// +optional
	ExpiresAt *metav1.Time `json:"expiresAt,omitempty"`
	// Attempts counts the attempts so far.
	// +optional
	Attempts int32 `json:"attempts,omitempty"`
	// HandledRequest is the last value of the annotation
	// cartrecovery.dev/pair-requested-at that was acted on.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	HandledRequest string `json:"handledRequest,omitempty"`
}

// WhatsAppInstance is one WhatsApp number on a gateway; its status is the connection.
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=wai,categories=cart-recovery
// +kubebuilder:selectablefield:JSONPath=`.spec.storeRef.name`
// +kubebuilder:selectablefield:JSONPath=`.status.phase`
// +kubebuilder:printcolumn:name="Store",type=string,JSONPath=`.spec.storeRef.name`
// +kubebuilder:printcolumn:name="Gateway",type=string,JSONPath=`.spec.gateway.type`
// +kubebuilder:printcolumn:name="Phase",type=string,JSONPath=`.status.phase`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Phone",type=string,JSONPath=`.status.phone`,priority=1
// +kubebuilder:printcolumn:name="Connected",type=date,JSONPath=`.status.lastConnectedTime`,priority=1
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type WhatsAppInstance struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// +required
	Spec WhatsAppInstanceSpec `json:"spec"`
	// +optional
	// +kubebuilder:default={"observedGeneration":-1,"phase":"Pending"}
	Status WhatsAppInstanceStatus `json:"status,omitempty"`
}

// WhatsAppInstanceList is a list of WhatsAppInstances.
// +kubebuilder:object:root=true
type WhatsAppInstanceList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []WhatsAppInstance `json:"items"`
}
