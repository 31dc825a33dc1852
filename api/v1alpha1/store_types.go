package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Reasons of a Store's Ready condition.
const (
	// ReasonReady: everything the object needs is there.
	ReasonReady = "Ready"
	// ReasonSuspended: spec.suspend is set; nothing is sent.
	ReasonSuspended = "Suspended"
	// ReasonClientIDTaken: an older Store, or another namespace by a ClientIDClaim, has the same
	// spec.clientID; this one gets no traffic.
	ReasonClientIDTaken = "ClientIDTaken"
	// ReasonInvalidTimeZone: spec.timeZone is no IANA time zone.
	ReasonInvalidTimeZone = "InvalidTimeZone"
	// ReasonInvalidRegion: spec.region is no region of ISO 3166-1 that has telephone numbers.
	ReasonInvalidRegion = "InvalidRegion"
	// ReasonSecretNotFound: a Secret, or its key, that the object refers to does not
	// exist or is empty.
	ReasonSecretNotFound = "SecretNotFound"
	// ReasonInvalidTemplate: a prompt or text template does not parse or uses unknown
	// variables.
	ReasonInvalidTemplate = "InvalidTemplate"
	// ReasonInvalidPolicy: a field of spec.recovery cannot be used; the message names it.
	ReasonInvalidPolicy = "InvalidPolicy"
	// ReasonInvalidMapping: the generic platform's mapping cannot be used; the message names
	// the field and what was expected there.
	ReasonInvalidMapping = "InvalidMapping"
	// ReasonNoCredentials: neither the object nor the operator's configuration has the
	// credentials it needs.
	ReasonNoCredentials = "NoCredentials"
	// ReasonSecretNotAllowed: a Secret would be sent to a host that neither its annotation
	// cartrecovery.dev/allowed-hosts nor the operator allows.
	ReasonSecretNotAllowed = "SecretNotAllowed"
	// ReasonEndpointNotAllowed: an endpoint that the object names is not https, or its address
	// is not public, and the operator does not allow it.
	ReasonEndpointNotAllowed = "EndpointNotAllowed"
)

// ConditionPolicyWarning is True while recovery holds something that can never act, such as a
// step that is due when the lead has expired. Nothing is stopped by it. It is on Stores and
// Products, and gone when there is nothing to say.
const ConditionPolicyWarning = "PolicyWarning"

// ReasonNeverActs is the reason of PolicyWarning; the message names each field.
const ReasonNeverActs = "NeverActs"

// Reasons for which a delivery was rejected, in Store.status.lastRejectedDelivery.
const (
	// RejectedNoCredential: the delivery carried no signature or token, or an empty one.
	RejectedNoCredential = "NoCredential"
	// RejectedBadCredential: its signature or token matches none of the configured
	// secrets.
	RejectedBadCredential = "BadCredential"
	// RejectedPlatformNotConfigured: spec.platforms does not name the platform.
	RejectedPlatformNotConfigured = "PlatformNotConfigured"
	// RejectedSecretMissing: the Secret with the platform's secret does not exist, so
	// nobody can be authenticated.
	RejectedSecretMissing = "SecretMissing"
	// RejectedMisconfigured: the platform's entry in spec.platforms cannot be used; see the
	// Ready condition.
	RejectedMisconfigured = "Misconfigured"
	// RejectedMalformed: the delivery was authentic and could not be read.
	RejectedMalformed = "Malformed"
)

// Reasons for which an authentic delivery could not be used, in
// Store.status.lastUnusableDelivery, and of the event on the Store.
const (
	// UnusableNoCustomer: it names neither a phone number nor an e-mail address of the buyer,
	// and no sale.
	UnusableNoCustomer = "NoCustomer"
	// UnusableNoSale: it names no buyer, and a sale that no lead knows.
	UnusableNoSale = "NoSale"
)

// StoreSpec describes one client of the platform.
type StoreSpec struct {
	// ClientID is the {clientId} of this store's webhook URLs: letters, digits, ".", "_",
	// "-". Immutable. When two Stores claim one clientID, the older gets the traffic, and its
	// namespace keeps the clientID, also when it is deleted, until the ClientIDClaim is.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$`
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="clientID is immutable: platforms post to URLs that hold it; create another Store instead"
	ClientID string `json:"clientID"`
	// DisplayName is the store's name as the AI may say it. Default: the object's name.
	// +optional
	// +kubebuilder:validation:MaxLength=100
	DisplayName string `json:"displayName,omitempty"`
	// TimeZone (IANA) of quiet hours and daily limits.
	// +optional
	// +kubebuilder:default="America/Sao_Paulo"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	TimeZone string `json:"timeZone,omitempty"`
	// Locale (BCP 47) the AI writes in.
	// +optional
	// +kubebuilder:default="pt-BR"
	// +kubebuilder:validation:MinLength=2
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:Pattern=`^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$`
	Locale string `json:"locale,omitempty"`
	// Region (ISO 3166 country) whose format phone numbers without a country code have.
	// +optional
	// +kubebuilder:default="BR"
	// +kubebuilder:validation:MaxLength=2
	// +kubebuilder:validation:Pattern=`^[A-Z]{2}$`
	Region string `json:"region,omitempty"`
	// Currency (ISO 4217) of sales whose platform tells none.
	// +optional
	// +kubebuilder:default="BRL"
	// +kubebuilder:validation:MaxLength=3
	// +kubebuilder:validation:Pattern=`^[A-Z]{3}$`
	Currency string `json:"currency,omitempty"`
	// Platforms that may post for this store.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=9
	Platforms []StorePlatform `json:"platforms,omitempty"`
	// Recovery is when and how often customers are written to.
	// +optional
	Recovery RecoveryPolicy `json:"recovery,omitempty"`
	// AI is who writes, and how.
	// +optional
	AI AISettings `json:"ai,omitempty"`
	// KeepSuppressedPhones has the Suppressions that opt-outs make hold the phone number
	// itself. Default: they hold its hash.
	// +optional
	KeepSuppressedPhones bool `json:"keepSuppressedPhones,omitempty"`
	// Suspend stops all sending of this store. Deliveries are still stored.
	// +optional
	Suspend bool `json:"suspend,omitempty"`
}

// StorePlatform is one sales platform of a store.
// +kubebuilder:validation:XValidation:rule="(self.name == 'generic') == has(self.generic)",message="the platform named generic, and only it, has a generic mapping"
// +kubebuilder:validation:XValidation:rule="!has(self.tokenLocation) || self.name in ['kirvano', 'cakto', 'ticto', 'perfectpay', 'monetizze']",message="tokenLocation is for platforms that send a plain token: kirvano, cakto, ticto, perfectpay, monetizze"
type StorePlatform struct {
	// Name of the platform, as in the webhook URL.
	// +required
	Name PlatformName `json:"name"`
	// SecretRefs hold the platform's webhook secret: Hotmart's hottok, Kiwify's token,
	// Eduzz' origin secret or signature keys. Several, so that a secret can be rotated
	// without losing a delivery.
	// +required
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	// +listType=atomic
	SecretRefs []SecretKeyReference `json:"secretRefs"`
	// TokenLocation says where the deliveries of kirvano, cakto, ticto, perfectpay or
	// monetizze carry their token, and then it is looked for nowhere else. Default: where
	// the platform is known to put it; see docs/platforms.md.
	// +optional
	TokenLocation *TokenLocation `json:"tokenLocation,omitempty"`
	// Generic is how to read the platform named generic.
	// +optional
	Generic *GenericMapping `json:"generic,omitempty"`
}

// TokenLocation is where a delivery carries its token.
// +kubebuilder:validation:XValidation:rule="has(self.header) != has(self.bodyField)",message="set exactly one of header and bodyField"
type TokenLocation struct {
	// Header that carries the token.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9-]+$`
	Header string `json:"header,omitempty"`
	// BodyField is the top-level field of the body that carries the token.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	BodyField string `json:"bodyField,omitempty"`
}

// GenericMapping reads the deliveries of a platform the operator does not know.
// +kubebuilder:validation:XValidation:rule="has(self.event) || has(self.eventHeader)",message="set event, eventHeader or both: one of them names the event"
type GenericMapping struct {
	// Auth is how a delivery proves where it comes from.
	// +required
	Auth GenericAuth `json:"auth"`
	// Event is the path of the field that names the event: a text, a number, true or false.
	// Its value is compared with those below without blanks around it, in either case. Of
	// several paths the first whose value is one of those counts.
	// +optional
	Event JSONPath `json:"event,omitempty"`
	// EventHeader names the header that names the event (X-Shopify-Topic). Where its value is
	// none of those below, and Event is set too, that counts.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9-]+$`
	EventHeader string `json:"eventHeader,omitempty"`
	// Start are values of the event field that start a recovery, by trigger.
	// +optional
	// +listType=map
	// +listMapKey=value
	// +kubebuilder:validation:MaxItems=20
	Start []GenericStart `json:"start,omitempty"`
	// Kill are values of the event field that mean a purchase.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=20
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=128
	Kill []string `json:"kill"`
	// Expired are values of the event field that mean that an open payment (PIX, boleto) can
	// no longer be made: its notice is not sent any more.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=20
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=128
	Expired []string `json:"expired,omitempty"`
	// Stop are values of the event field that mean a refund or chargeback.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=20
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=128
	Stop []string `json:"stop,omitempty"`
	// Fields are the paths of everything else.
	// +required
	Fields GenericFields `json:"fields"`
}

// JSONPath is a path into a body, for example `$.data.buyer.email`: fields (`.name`,
// `['any name']`), indexes (`[0]`) and every element (`[*]`); filters, slices and `..` are
// not understood. Several paths with `|` between them lead to the first value that there is.
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=256
type JSONPath string

// GenericStart is an event that starts a recovery.
type GenericStart struct {
	// Value of the event field.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	Value string `json:"value"`
	// Trigger it stands for.
	// +required
	Trigger Trigger `json:"trigger"`
	// Unless is the path of what shows that nothing was left, such as $.completed_at: where a
	// delivery has a value there, it starts nothing.
	// +optional
	Unless JSONPath `json:"unless,omitempty"`
}

// GenericAuth is how a generic delivery proves where it comes from.
// +kubebuilder:validation:XValidation:rule="!has(self.header) || self.type != 'Bearer'",message="header is for the types HMACSHA256 and Token: a bearer token is always in the Authorization header"
// +kubebuilder:validation:XValidation:rule="!has(self.encoding) || self.type == 'HMACSHA256'",message="encoding is for type HMACSHA256"
// +kubebuilder:validation:XValidation:rule="!has(self.field) || self.type == 'Token'",message="field is for type Token"
// +kubebuilder:validation:XValidation:rule="self.type != 'Token' || has(self.header) != has(self.field)",message="type Token takes exactly one of header and field"
type GenericAuth struct {
	// Type HMACSHA256: the header holds the HMAC-SHA256 of the raw body. Bearer: the
	// Authorization header holds the secret as a bearer token. Token: a header or a field of
	// the body holds the secret itself.
	// +required
	// +kubebuilder:validation:Enum=HMACSHA256;Bearer;Token
	Type string `json:"type"`
	// Header that carries the HMAC or the token. Default for HMACSHA256: X-Signature.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9-]+$`
	Header string `json:"header,omitempty"`
	// Encoding of the HMAC. Default Hex. A word and a sign in front of it ("sha256=") are
	// passed over.
	// +optional
	// +kubebuilder:validation:Enum=Hex;Base64
	Encoding string `json:"encoding,omitempty"`
	// Field is the path of the field of the body that carries the token.
	// +optional
	Field JSONPath `json:"field,omitempty"`
}

// GenericFields are where a generic delivery keeps what the operator needs.
// +kubebuilder:validation:XValidation:rule="has(self.email) || has(self.phone)",message="map at least one of email and phone: a purchase is matched to its lead by them"
type GenericFields struct {
	// EventID is the platform's id of the event. Default: derived from the body.
	// +optional
	EventID JSONPath `json:"eventID,omitempty"`
	// Name of the customer.
	// +optional
	Name JSONPath `json:"name,omitempty"`
	// Phone of the customer.
	// +optional
	Phone JSONPath `json:"phone,omitempty"`
	// Email of the customer.
	// +optional
	Email JSONPath `json:"email,omitempty"`
	// ProductID of the product. Where the path leads to several (`$.items[*].id`), each is a
	// lead of its own; ProductName, Amount and Currency then lie in the same list.
	// +required
	ProductID JSONPath `json:"productID"`
	// ProductName of the product.
	// +optional
	ProductName JSONPath `json:"productName,omitempty"`
	// CheckoutURL that leads back to the checkout.
	// +optional
	CheckoutURL JSONPath `json:"checkoutURL,omitempty"`
	// Amount of the sale.
	// +optional
	Amount JSONPath `json:"amount,omitempty"`
	// AmountUnit is what a whole number of Amount counts: Units (the default) or Cents. One
	// with a point or a comma is an amount as people write it.
	// +optional
	// +kubebuilder:validation:Enum=Units;Cents
	AmountUnit string `json:"amountUnit,omitempty"`
	// Currency of the amount.
	// +optional
	Currency JSONPath `json:"currency,omitempty"`
	// TransactionID of the sale.
	// +optional
	TransactionID JSONPath `json:"transactionID,omitempty"`
	// OccurredAt is when it happened: any of the usual forms of a time, in the Store's time
	// zone where it names none.
	// +optional
	OccurredAt JSONPath `json:"occurredAt,omitempty"`
	// PixCode of an open payment ("copia e cola").
	// +optional
	PixCode JSONPath `json:"pixCode,omitempty"`
	// BoletoLine is the number of a boleto that a customer types in.
	// +optional
	BoletoLine JSONPath `json:"boletoLine,omitempty"`
	// PaymentURL shows an open payment: a boleto to print, or a QR.
	// +optional
	PaymentURL JSONPath `json:"paymentURL,omitempty"`
	// PaymentExpiresAt is until when an open payment can be made.
	// +optional
	PaymentExpiresAt JSONPath `json:"paymentExpiresAt,omitempty"`
	// Consent says whether the customer agreed to be written to: true or false, a word such as
	// subscribed, or an object with it as state.
	// +optional
	Consent JSONPath `json:"consent,omitempty"`
}

// AISettings are who writes, and how.
// +kubebuilder:validation:XValidation:rule="!has(self.baseURL) || has(self.apiKeySecretRef)",message="an own baseURL needs its own apiKeySecretRef: the operator's key is only ever sent to the operator's own endpoint"
type AISettings struct {
	// Model to ask. Default gpt-4o-mini.
	// +optional
	// +kubebuilder:validation:MaxLength=128
	Model string `json:"model,omitempty"`
	// APIKeySecretRef holds the API key. Default: the operator's own.
	// +optional
	APIKeySecretRef *SecretKeyReference `json:"apiKeySecretRef,omitempty"`
	// BaseURL of an OpenAI-compatible API: https and public, unless the operator allows more,
	// and the Secret of apiKeySecretRef must allow its host with the annotation
	// cartrecovery.dev/allowed-hosts. Default: the operator's own.
	// +optional
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:Pattern=`^https?://[^/@\s]+(/[^\s]*)?$`
	BaseURL string `json:"baseURL,omitempty"`
	// MaxTokens of an answer. Default 150.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=4096
	MaxTokens *int32 `json:"maxTokens,omitempty"`
	// Temperature, a decimal from 0 to 2. Default "0.7".
	// +optional
	// +kubebuilder:validation:MaxLength=8
	// +kubebuilder:validation:Pattern=`^([01](\.[0-9]{1,4})?|2(\.0{1,4})?)$`
	Temperature string `json:"temperature,omitempty"`
	// PresencePenalty, a decimal from -2 to 2. Default "0.6".
	// +optional
	// +kubebuilder:validation:MaxLength=8
	// +kubebuilder:validation:Pattern=`^-?([01](\.[0-9]{1,4})?|2(\.0{1,4})?)$`
	PresencePenalty string `json:"presencePenalty,omitempty"`
	// HistoryMessages is how many of the last messages the AI sees. Default 6.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=50
	HistoryMessages *int32 `json:"historyMessages,omitempty"`
	// SystemPrompt is a Go text/template; docs/prompting.md lists its variables. A
	// Product's own prompt replaces it.
	// +optional
	// +kubebuilder:validation:MaxLength=8000
	SystemPrompt string `json:"systemPrompt,omitempty"`
	// DailyTokenBudget is how many tokens a day (in the store's time zone) this store may
	// use. When it is used up the policy's fallbackText is sent, or the lead is Blocked until
	// the next day. Default: no limit.
	// +optional
	// +kubebuilder:validation:Minimum=1
	DailyTokenBudget *int64 `json:"dailyTokenBudget,omitempty"`
	// TokensPerLead is how many tokens the texts of one lead may use, refused ones included,
	// from the beginning of its cycle, or since a person last gave the conversation back. Once
	// they are used no text is begun: a person gets the conversation (HandedOff, reason
	// LeadTokenBudgetExhausted), and in place of a step the policy's fallbackText is sent, or
	// the lead is Blocked. The text that reaches the limit may exceed it. Default 100000.
	// +optional
	// +kubebuilder:validation:Minimum=1
	TokensPerLead *int64 `json:"tokensPerLead,omitempty"`
	// Review is the second look, by an AI, at what the AI wrote: whether it says only what is
	// so. It sees the facts and the text, never what the customer wrote. Default: enabled.
	// See docs/guard.md.
	// +optional
	Review *AIReview `json:"review,omitempty"`
}

// AIReview is the second look at what the AI wrote. It is asked at the same endpoint, and
// counts in dailyTokenBudget.
type AIReview struct {
	// Enabled turns the review on. Default true. Without it the rules about words hold alone.
	// +optional
	Enabled *bool `json:"enabled,omitempty"`
	// Model to ask. Default: the model that writes.
	// +optional
	// +kubebuilder:validation:MaxLength=128
	Model string `json:"model,omitempty"`
	// OnError is what happens to a text when no usable answer came in time: Fallback
	// sends the policy's fallbackText, and blocks the lead where there is none; Send
	// sends the text, which the rules about words have passed. Default Fallback.
	// +optional
	OnError ReviewOnError `json:"onError,omitempty"`
}

// ReviewOnError is what happens to a text that could not be reviewed.
// +kubebuilder:validation:Enum=Fallback;Send
type ReviewOnError string

const (
	// ReviewOnErrorFallback has the fallbackText sent, else the lead blocked.
	ReviewOnErrorFallback ReviewOnError = "Fallback"
	// ReviewOnErrorSend has the text sent.
	ReviewOnErrorSend ReviewOnError = "Send"
)

// StoreStatus is what the operator knows of a Store.
type StoreStatus struct {
	// ObservedGeneration is the generation the conditions speak of.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// Conditions: Ready.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=8
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// Webhooks are the URLs to enter at the platforms.
	// +optional
	// +listType=map
	// +listMapKey=platform
	// +kubebuilder:validation:MaxItems=9
	Webhooks []StoreWebhook `json:"webhooks,omitempty"`
	// LastRejectedDelivery is the last delivery that was refused and why, written at
	// most once a minute and reason.
	// +optional
	LastRejectedDelivery *RejectedDelivery `json:"lastRejectedDelivery,omitempty"`
	// LastUnusableDelivery is the last authentic delivery that says what matters (a purchase, a
	// refund) and could not be used, and what was missing; written at most once a minute and
	// reason.
	// +optional
	LastUnusableDelivery *UnusableDelivery `json:"lastUnusableDelivery,omitempty"`
	// Leads counts the store's leads that are kept, by phase; refreshed at most every 30 s.
	// +optional
	Leads *LeadCounts `json:"leads,omitempty"`
	// Tokens is how many AI tokens the store used on the last day it used any; refreshed with
	// leads.
	// +optional
	Tokens *TokenUsage `json:"tokens,omitempty"`
	// EffectivePolicy is the policy that holds for leads without a Product: the spec's, with
	// the defaults for what it leaves out.
	// +optional
	EffectivePolicy *EffectivePolicy `json:"effectivePolicy,omitempty"`
}

// TokenUsage is how many AI tokens were used on a day.
type TokenUsage struct {
	// Day in the store's time zone, as 2006-01-02.
	// +required
	// +kubebuilder:validation:MaxLength=10
	Day string `json:"day"`
	// Used tokens, those of texts that were not sent among them.
	// +required
	Used int64 `json:"used"`
}

// Revenue is what recoveries were worth in one currency.
type Revenue struct {
	// Currency (ISO 4217).
	// +required
	// +kubebuilder:validation:MaxLength=3
	Currency string `json:"currency"`
	// Amount of all recovered leads that are kept and were not reversed, a decimal. A sale that
	// recovered several leads counts once.
	// +required
	// +kubebuilder:validation:MaxLength=32
	Amount string `json:"amount"`
	// Leads that it is the amount of.
	// +required
	Leads int32 `json:"leads"`
}

// StoreWebhook is the URL of one platform.
type StoreWebhook struct {
	// Platform that posts to the URL.
	// +required
	Platform PlatformName `json:"platform"`
	// URL to enter at the platform.
	// +required
	// +kubebuilder:validation:MaxLength=1024
	URL string `json:"url"`
}

// RejectedDelivery is a delivery that was refused.
type RejectedDelivery struct {
	// Time of the delivery.
	// +required
	Time metav1.Time `json:"time"`
	// Platform named in the URL.
	// +required
	Platform PlatformName `json:"platform"`
	// Reason in one word: NoCredential, BadCredential, PlatformNotConfigured,
	// SecretMissing, Misconfigured, Malformed.
	// +required
	// +kubebuilder:validation:MaxLength=64
	Reason string `json:"reason"`
	// Message says what was expected.
	// +optional
	// +kubebuilder:validation:MaxLength=512
	Message string `json:"message,omitempty"`
}

// UnusableDelivery is an authentic delivery that stops nothing though it should.
type UnusableDelivery struct {
	// Time of the delivery.
	// +required
	Time metav1.Time `json:"time"`
	// Platform that sent it.
	// +required
	Platform PlatformName `json:"platform"`
	// Event as the platform calls it.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	Event string `json:"event,omitempty"`
	// Reason in one word: NoCustomer, NoSale.
	// +required
	// +kubebuilder:validation:MaxLength=64
	Reason string `json:"reason"`
	// Field that was missing or could not be used.
	// +optional
	// +kubebuilder:validation:MaxLength=128
	Field string `json:"field,omitempty"`
	// Message says what was expected.
	// +optional
	// +kubebuilder:validation:MaxLength=512
	Message string `json:"message,omitempty"`
}

// LeadCounts counts leads by phase.
type LeadCounts struct {
	// Pending leads wait for their first message.
	// +optional
	Pending int32 `json:"pending,omitempty"`
	// Active leads are Contacted or Engaged.
	// +optional
	Active int32 `json:"active,omitempty"`
	// Recovered leads bought after a message.
	// +optional
	Recovered int32 `json:"recovered,omitempty"`
	// Converted leads bought before a message.
	// +optional
	Converted int32 `json:"converted,omitempty"`
	// Closed leads are Failed, OptedOut or Expired.
	// +optional
	Closed int32 `json:"closed,omitempty"`
	// OptedOut leads, which Closed counts too.
	// +optional
	OptedOut int32 `json:"optedOut,omitempty"`
	// Reversed leads were refunded or charged back; Closed counts them too.
	// +optional
	Reversed int32 `json:"reversed,omitempty"`
	// Blocked leads have something in their way; Pending or Active counts them too.
	// +optional
	Blocked int32 `json:"blocked,omitempty"`
	// HandedOff leads are a person's; Active counts them too.
	// +optional
	HandedOff int32 `json:"handedOff,omitempty"`
	// Revenue of the recovered leads, by currency.
	// +optional
	// +listType=map
	// +listMapKey=currency
	// +kubebuilder:validation:MaxItems=16
	Revenue []Revenue `json:"revenue,omitempty"`
}

// Store is one client of the platform: its webhook secrets, its recovery policy and its
// AI settings.
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:categories=cart-recovery
// +kubebuilder:selectablefield:JSONPath=`.spec.clientID`
// +kubebuilder:printcolumn:name="Client",type=string,JSONPath=`.spec.clientID`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Pending",type=integer,JSONPath=`.status.leads.pending`
// +kubebuilder:printcolumn:name="Active",type=integer,JSONPath=`.status.leads.active`
// +kubebuilder:printcolumn:name="Recovered",type=integer,JSONPath=`.status.leads.recovered`
// +kubebuilder:printcolumn:name="Rejected",type=date,JSONPath=`.status.lastRejectedDelivery.time`,priority=1
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type Store struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// +required
	Spec StoreSpec `json:"spec"`
	// +optional
	// +kubebuilder:default={"observedGeneration":-1}
	Status StoreStatus `json:"status,omitempty"`
}

// StoreList is a list of Stores.
// +kubebuilder:object:root=true
type StoreList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Store `json:"items"`
}
