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
// +kubebuilder:validation:Enum=V2;Legacy;V1
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
	// storeRef names the Store that writes from this number, in the same namespace. Immutable.
	// +required
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="storeRef is immutable: create another WhatsAppInstance instead"
	StoreRef ObjectReference `json:"storeRef,omitzero"`
	// instanceName is the name of the instance at the gateway. Letters, digits, ".", "_" and "-",
	// at most 128 characters. Immutable. Default: the namespace and the name of this object, with
	// a point between them.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$`
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="instanceName is immutable: create another WhatsAppInstance instead"
	InstanceName string `json:"instanceName,omitempty"`
	// gateway says which WhatsApp gateway the number is connected to. Default: the operator's own
	// UAZAPI server.
	// +optional
	// +kubebuilder:default={"type":"UAZAPI"}
	Gateway GatewaySpec `json:"gateway,omitempty,omitzero"`
	// pairing says how the phone is paired. Default: by QR code.
	// +optional
	// +kubebuilder:default={"method":"QRCode"}
	Pairing PairingSpec `json:"pairing,omitempty,omitzero"`
	// limits say how fast messages are sent, to keep WhatsApp from banning the number. Default:
	// the defaults of all fields.
	// +optional
	Limits InstanceLimits `json:"limits,omitempty,omitzero"`
	// deletionPolicy says what happens at the gateway when this object is deleted. Retain:
	// nothing, the instance stays there and stays paired. Delete: the phone is logged out and the
	// instance is deleted. Default: Retain.
	// +optional
	// +kubebuilder:default=Retain
	DeletionPolicy DeletionPolicy `json:"deletionPolicy,omitempty"`
	// suspend stops sending from this number, and asking the gateway about it. Its conversations
	// wait. Default: false.
	// +optional
	Suspend bool `json:"suspend,omitempty"`
}

// GatewaySpec is how to reach a gateway.
// +kubebuilder:validation:XValidation:rule="self.type == 'Simulated' || !has(self.baseURL) || has(self.adminTokenSecretRef)",message="an own baseURL needs its own adminTokenSecretRef: the operator's token is only ever sent to the operator's own gateway"
// +kubebuilder:validation:XValidation:rule="!has(self.dialect) || self.dialect != 'Legacy' || self.type == 'UAZAPI'",message="the Legacy dialect is for gateway type UAZAPI"
// +kubebuilder:validation:XValidation:rule="!has(self.dialect) || self.dialect != 'V1' || self.type == 'Evolution'",message="the V1 dialect is for gateway type Evolution"
type GatewaySpec struct {
	// type of the gateway. UAZAPI: UAZAPI v2. Evolution: the Evolution API. Simulated: built in;
	// it pairs by itself and records messages instead of sending them. Default: UAZAPI.
	// +optional
	// +kubebuilder:default=UAZAPI
	Type GatewayType `json:"type,omitempty"`
	// baseURL of the gateway, such as https://example.uazapi.com, at most 512 characters. It must
	// use https and have a public address unless the operator allows others, and the Secret of
	// adminTokenSecretRef must allow its host with the annotation cartrecovery.dev/allowed-hosts.
	// Default: the operator's own server of this type.
	// +optional
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:Pattern=`^https?://[^/@\s]+(/[^\s]*)?$`
	BaseURL string `json:"baseURL,omitempty"`
	// adminTokenSecretRef names the Secret key with the token of the gateway account, which
	// creates instances. Required with baseURL, except for Simulated. Default: the operator's own
	// token.
	// +optional
	AdminTokenSecretRef *SecretKeyReference `json:"adminTokenSecretRef,omitempty"`
	// aliases are further names by which deliveries may call the instance, for example a name that
	// a proxy uses. At most 8, of 1 to 128 characters. Default: none, only the instance's name at
	// the gateway.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=128
	Aliases []string `json:"aliases,omitempty"`
	// dialect is the variant of the gateway's protocol. V2: the published API of UAZAPI v2 or
	// Evolution v2. V1 (Evolution only): the message body of Evolution version 1. Legacy (UAZAPI
	// only): sends with POST /message/text, for servers behind a proxy; it cannot look a message
	// up, so an unconfirmed message stays Unknown. Default: V2.
	// +optional
	Dialect GatewayDialect `json:"dialect,omitempty"`
}

// PairingSpec is how a phone is paired.
// +kubebuilder:validation:XValidation:rule="self.method != 'PairCode' || has(self.phone)",message="method PairCode needs the phone that will enter the code"
type PairingSpec struct {
	// method of pairing. QRCode: the phone scans a QR code. PairCode: a code is entered on the
	// phone, which needs the field phone. Default: QRCode.
	// +optional
	// +kubebuilder:default=QRCode
	Method PairingMethod `json:"method,omitempty"`
	// phone that enters the code, in E.164 such as +5531988776655: "+" and 7 to 15 digits.
	// Required for PairCode, ignored for QRCode.
	// +optional
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^[+][1-9][0-9]{6,14}$')",message="expected E.164, such as +5511999990000: a plus sign, the country code and the number, without blanks"
	Phone string `json:"phone,omitempty"`
	// timeout is how long one pairing attempt waits for a phone. A duration such as 10m, from 30s
	// to 24h. Default: 10m.
	// +optional
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,6}([.][0-9]{1,9})?h|[0-9]{1,8}([.][0-9]{1,9})?(ms|s|m))+$') || duration(self) >= duration('30s') && duration(self) <= duration('24h')",message="timeout must be between 30s and 24h"
	Timeout *Duration `json:"timeout,omitempty"`
}

// InstanceLimits keep a number from being banned. Answers to customers may use all of a
// limit, first messages 80 % and follow-ups 70 %, so that there is always room for answers.
type InstanceLimits struct {
	// messagesPerMinute is how many messages of all kinds are sent within any 60 seconds. From 1
	// to 6000. Default: 20.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=6000
	MessagesPerMinute *int32 `json:"messagesPerMinute,omitempty"`
	// messagesPerHour is how many messages of all kinds are sent within any 60 minutes. From 1 to
	// 100000. Default: 80.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100000
	MessagesPerHour *int32 `json:"messagesPerHour,omitempty"`
	// newConversationsPerDay is how many conversations are started in a day of the Store's time
	// zone. From 1 to 100000. Default: 200.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100000
	NewConversationsPerDay *int32 `json:"newConversationsPerDay,omitempty"`
	// newConversationGap is the pause before each new conversation, a random length between min
	// and max. Default: from 5s to 30s.
	// +optional
	NewConversationGap *ConversationGap `json:"newConversationGap,omitempty"`
	// warmUp limits how many conversations a newly connected number may start; the limit grows
	// evenly each day until it reaches newConversationsPerDay. Default: 20 on the first day,
	// newConversationsPerDay from the 15th day on.
	// +optional
	WarmUp *WarmUp `json:"warmUp,omitempty"`
}

// ConversationGap is a pause between a least and a longest time.
// +kubebuilder:validation:XValidation:rule="![self.min, self.max].all(d, d.matches('^([0-9]{1,6}([.][0-9]{1,9})?h|[0-9]{1,8}([.][0-9]{1,9})?(ms|s|m))+$')) || duration(self.min) <= duration(self.max)",message="min must not be longer than max"
type ConversationGap struct {
	// min is the shortest pause. A duration such as 5s, from 0s to 1h, not longer than max.
	// +required
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,6}([.][0-9]{1,9})?h|[0-9]{1,8}([.][0-9]{1,9})?(ms|s|m))+$') || duration(self) >= duration('0s') && duration(self) <= duration('1h')",message="min must be between 0s and 1h"
	Min Duration `json:"min"`
	// max is the longest pause. A duration such as 30s, from 0s to 1h.
	// +required
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,6}([.][0-9]{1,9})?h|[0-9]{1,8}([.][0-9]{1,9})?(ms|s|m))+$') || duration(self) >= duration('0s') && duration(self) <= duration('1h')",message="max must be between 0s and 1h"
	Max Duration `json:"max"`
}

// WarmUp is a daily number of new conversations that grows.
type WarmUp struct {
	// startPerDay is how many new conversations are allowed on the first day. From 1 to 100000.
	// Default: 20.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100000
	StartPerDay *int32 `json:"startPerDay,omitempty"`
	// days until newConversationsPerDay is reached, counted from status.firstConnectedTime. From 0
	// (no warm-up) to 90. Default: 14.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=90
	Days *int32 `json:"days,omitempty"`
}

// WhatsAppInstanceStatus is what the operator knows of a number.
type WhatsAppInstanceStatus struct {
	// observedGeneration is the metadata.generation that this status describes; -1 before the
	// operator has seen the object.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// conditions of the number. Ready: it is connected. CanSend: recoveries can begin from it now.
	// GatewayReachable: the gateway answers. WebhookRegistered: the gateway posts incoming messages
	// to the operator. Reconciling and Stalled, only present while True: it is not ready, and goes on
	// by itself, or waits for a person.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=8
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// phase sums the status up, for people; programs should read the conditions. Pending: not
	// created at the gateway yet, or never paired. Pairing: waiting for a phone. Connected:
	// messages can be sent. Disconnected: no phone is paired, or it is away. Restricted:
	// connected, but WhatsApp allows no new conversations. Failed: a person must act, see the
	// condition Ready.
	// +optional
	Phase InstancePhase `json:"phase,omitempty"`
	// phone is the paired number as the gateway reports it: "+" and digits, such as +5531988776655.
	// +optional
	// +kubebuilder:validation:MaxLength=24
	Phone string `json:"phone,omitempty"`
	// gatewayInstanceID is the id that the gateway gave the instance.
	// +optional
	// +kubebuilder:validation:MaxLength=128
	GatewayInstanceID string `json:"gatewayInstanceID,omitempty"`
	// credentialsSecretRef names the Secret, owned by this object, with the instance's token and
	// the key of its webhook URL.
	// +optional
	CredentialsSecretRef *ObjectReference `json:"credentialsSecretRef,omitempty"`
	// pairing is the current pairing attempt, or the last one.
	// +optional
	Pairing *PairingStatus `json:"pairing,omitempty"`
	// registeredWebhook is a hash of the webhook URL that was registered at the gateway; the URL
	// itself is secret.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	RegisteredWebhook string `json:"registeredWebhook,omitempty"`
	// lastConnectedTime is when the number last became connected.
	// +optional
	LastConnectedTime *metav1.Time `json:"lastConnectedTime,omitempty"`
	// firstConnectedTime is when this object's number first became connected; the warm-up counts
	// from it. Pairing again does not change it.
	// +optional
	FirstConnectedTime *metav1.Time `json:"firstConnectedTime,omitempty"`
	// pace shows what was sent from this number and what waits. Updated at most once a minute.
	// +optional
	Pace *PaceStatus `json:"pace,omitempty"`
	// lastDisconnectReason is why the number last disconnected, in the gateway's words if they are
	// known ones. Otherwise it is "the gateway gave a reason": unknown words could contain a
	// token.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	LastDisconnectReason string `json:"lastDisconnectReason,omitempty"`
	// handledStatusRequest is the last value of the annotation
	// cartrecovery.dev/status-requested-at for which the gateway was asked.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	HandledStatusRequest string `json:"handledStatusRequest,omitempty"`
	// newConversationsPausedUntil is when WhatsApp allows new conversations again. Absent when the
	// number is not restricted.
	// +optional
	NewConversationsPausedUntil *metav1.Time `json:"newConversationsPausedUntil,omitempty"`
}

// PaceStatus is what was sent from a number, and what waits.
type PaceStatus struct {
	// sentLastHour is how many messages were sent within the last 60 minutes.
	// +optional
	// +kubebuilder:default=0
	// +kubebuilder:validation:Minimum=0
	SentLastHour int32 `json:"sentLastHour,omitempty"`
	// newConversationsToday is how many conversations were started today, in the Store's time zone.
	// +optional
	// +kubebuilder:default=0
	// +kubebuilder:validation:Minimum=0
	NewConversationsToday int32 `json:"newConversationsToday,omitempty"`
	// newConversationsAllowedToday is how many conversations may be started today: newConversationsPerDay, or
	// less during the warm-up.
	// +optional
	// +kubebuilder:default=0
	// +kubebuilder:validation:Minimum=0
	NewConversationsAllowedToday int32 `json:"newConversationsAllowedToday,omitempty"`
	// waiting is how many messages are due and wait for their turn.
	// +optional
	// +kubebuilder:default=0
	// +kubebuilder:validation:Minimum=0
	Waiting int32 `json:"waiting,omitempty"`
}

// PairingStatus is a pairing attempt.
type PairingStatus struct {
	// secretRef names the Secret, owned by this object, with the QR code (keys qr.png, a picture,
	// and qr, a data URI) or the code to enter (key pairCode). The Secret is emptied when the
	// attempt ends.
	// +optional
	SecretRef *ObjectReference `json:"secretRef,omitempty"`
	// startedAt is when the attempt began.
	// +optional
	StartedAt *metav1.Time `json:"startedAt,omitempty"`
	// expiresAt is when the attempt ends if no phone is paired.
	// +optional
	ExpiresAt *metav1.Time `json:"expiresAt,omitempty"`
	// attempts is how many pairing attempts were begun for this object.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Attempts int32 `json:"attempts,omitempty"`
	// handledRequest is the last value of the annotation cartrecovery.dev/pair-requested-at that
	// was acted on.
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
// +kubebuilder:printcolumn:name="CanSend",type=string,JSONPath=`.status.conditions[?(@.type=="CanSend")].status`,priority=1
// +kubebuilder:printcolumn:name="Phone",type=string,JSONPath=`.status.phone`,priority=1
// +kubebuilder:printcolumn:name="Connected",type=date,JSONPath=`.status.lastConnectedTime`,priority=1
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type WhatsAppInstance struct {
	metav1.TypeMeta `json:",inline"`
	// metadata is the object's name, namespace, labels and annotations.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is what is wanted; people and Git write it.
	// +required
	Spec WhatsAppInstanceSpec `json:"spec,omitzero"`
	// status is what the operator observed; only the operator writes it.
	// +optional
	// +kubebuilder:default={"observedGeneration":-1,"phase":"Pending"}
	Status WhatsAppInstanceStatus `json:"status,omitempty,omitzero"`
}

// WhatsAppInstanceList is a list of WhatsAppInstances.
// +kubebuilder:object:root=true
type WhatsAppInstanceList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []WhatsAppInstance `json:"items"`
}
