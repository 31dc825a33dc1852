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

// Reasons of a Store's CanSend condition, beside those of its Ready.
const (
	// ReasonNumbersCanSend: at least one number can begin recoveries; the message has how many of how many.
	ReasonNumbersCanSend = "NumbersCanSend"
	// ReasonNoNumber: the Store has no WhatsAppInstance.
	ReasonNoNumber = "NoNumber"
	// ReasonNoNumberCanSend: none of its WhatsAppInstances can begin recoveries; see their condition CanSend.
	ReasonNoNumberCanSend = "NoNumberCanSend"
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
	// clientID identifies this store in the URLs that platforms and your backend call. Letters,
	// digits, ".", "_" and "-", at most 128 characters. Immutable. If several Stores have the same
	// clientID, the oldest gets the traffic and the others are Ready=False, reason ClientIDTaken.
	// The namespace keeps the clientID after the Store is deleted, until its ClientIDClaim is
	// deleted.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$`
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="clientID is immutable: platforms post to URLs that hold it; create another Store instead"
	ClientID string `json:"clientID,omitempty"`
	// displayName is the store's name in messages to customers. At most 100 characters. Default:
	// the name of this object.
	// +optional
	// +kubebuilder:validation:MaxLength=100
	DisplayName string `json:"displayName,omitempty"`
	// timeZone is the IANA time zone of quiet hours, of daily limits and of times that a platform
	// sends without a zone. At most 64 characters. Default: America/Sao_Paulo.
	// +optional
	// +kubebuilder:default="America/Sao_Paulo"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	TimeZone string `json:"timeZone,omitempty"`
	// locale is the language that the AI and the built-in texts use, as a BCP 47 tag such as
	// pt-BR, es or en-US, at most 16 characters. Built-in texts exist in Portuguese and Spanish;
	// every other locale gets English. Default: pt-BR.
	// +optional
	// +kubebuilder:default="pt-BR"
	// +kubebuilder:validation:MinLength=2
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:Pattern=`^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$`
	Locale string `json:"locale,omitempty"`
	// region is the country (ISO 3166-1 alpha-2, such as BR) that phone numbers without a country
	// code belong to. Default: BR.
	// +optional
	// +kubebuilder:default="BR"
	// +kubebuilder:validation:MaxLength=2
	// +kubebuilder:validation:Pattern=`^[A-Z]{2}$`
	Region string `json:"region,omitempty"`
	// currency is the currency (ISO 4217, such as BRL) of sales for which the platform names none.
	// Default: BRL.
	// +optional
	// +kubebuilder:default="BRL"
	// +kubebuilder:validation:MaxLength=3
	// +kubebuilder:validation:Pattern=`^[A-Z]{3}$`
	Currency string `json:"currency,omitempty"`
	// platforms are the sales platforms whose deliveries this store accepts, one entry for each,
	// at most 32. Deliveries of other platforms are refused. Default: none.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=32
	Platforms []StorePlatform `json:"platforms,omitempty"`
	// recovery says when and how often customers are written to. A Product can override single
	// fields. A field that neither of them sets has the default that its description names.
	// Default: the defaults of all fields.
	// +optional
	Recovery RecoveryPolicy `json:"recovery,omitempty,omitzero"`
	// ai says which model writes the messages, with which prompt and within which budget. Default:
	// the operator's own endpoint and key, and the defaults of all fields.
	// +optional
	AI AISettings `json:"ai,omitempty,omitzero"`
	// suppressedPhones says how the Suppressions that the operator creates for customers who opted
	// out name the phone. Hashed: by its hash, in phoneHash. Clear: by the number itself, in phone.
	// Default: Hashed.
	// +optional
	SuppressedPhones SuppressedPhones `json:"suppressedPhones,omitempty"`
	// suspend stops all sending of this store. Deliveries are still stored, purchases and opt-outs
	// still take effect, and leads still expire. Default: false.
	// +optional
	Suspend bool `json:"suspend,omitempty"`
}

// SuppressedPhones is how the Suppressions of customers who opted out name the phone.
// +kubebuilder:validation:Enum=Hashed;Clear
type SuppressedPhones string

const (
	// SuppressedPhonesHashed: by its hash.
	SuppressedPhonesHashed SuppressedPhones = "Hashed"
	// SuppressedPhonesClear: by the number in clear text.
	SuppressedPhonesClear SuppressedPhones = "Clear"
)

// StorePlatform is one sales platform of a store.
// +kubebuilder:validation:XValidation:rule="(self.name == 'generic') == has(self.generic)",message="the platform named generic, and only it, has a generic mapping"
// +kubebuilder:validation:XValidation:rule="!has(self.tokenLocation) || self.name in ['kirvano', 'cakto', 'ticto', 'perfectpay', 'monetizze']",message="tokenLocation is for platforms that send a plain token: kirvano, cakto, ticto, perfectpay, monetizze"
type StorePlatform struct {
	// name of the platform, as it appears in the webhook URL. generic stands for a platform that
	// the operator does not know; it needs the field generic. A Store has one entry of each name.
	// +required
	Name PlatformName `json:"name,omitempty"`
	// secretRefs are the Secrets with what this platform authenticates with: Hotmart's hottok,
	// Kiwify's token, Eduzz's origin secret or signature key (see docs/platforms.md). A delivery
	// is accepted if it matches any of them, so a secret can be rotated without losing a delivery.
	// From 1 to 8.
	// +required
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	// +listType=atomic
	SecretRefs []SecretKeyReference `json:"secretRefs,omitempty"`
	// tokenLocation says where deliveries carry their token; it is then looked for nowhere else.
	// Only for platforms that send a plain token. Default: where the platform usually puts it; see
	// docs/platforms.md.
	// +optional
	TokenLocation *TokenLocation `json:"tokenLocation,omitempty"`
	// generic says how to authenticate and read the deliveries of the platform named generic.
	// Required for that platform and forbidden for all others.
	// +optional
	Generic *GenericMapping `json:"generic,omitempty"`
}

// TokenLocation is where a delivery carries its token.
// +kubebuilder:validation:XValidation:rule="has(self.header) != has(self.bodyField)",message="set exactly one of header and bodyField"
type TokenLocation struct {
	// header is the name of the HTTP header that carries the token: letters, digits and "-", at
	// most 64 characters. Set either header or bodyField.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9-]+$`
	Header string `json:"header,omitempty"`
	// bodyField is the name of the top-level field of the body that carries the token, at most 64
	// characters. Set either header or bodyField.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	BodyField string `json:"bodyField,omitempty"`
}

// GenericMapping reads the deliveries of a platform the operator does not know.
// +kubebuilder:validation:XValidation:rule="has(self.event) || has(self.eventHeader)",message="set event, eventHeader or both: one of them names the event"
type GenericMapping struct {
	// auth says how a delivery proves that the platform sent it.
	// +required
	Auth GenericAuth `json:"auth,omitzero"`
	// event is the path of the field that names the event, such as $.data.event, at most 256
	// characters; see docs/platforms.md for paths. Its value may be a text, a number, true or
	// false, and is compared with the values of start, purchase, reversal and paymentExpired; case
	// and surrounding blanks do not matter. If several paths are given, with "|" between them, the
	// first whose value is one of those counts. Set event, eventHeader or both.
	// +optional
	Event JSONPath `json:"event,omitempty"`
	// eventHeader is the name of the HTTP header that names the event, such as X-Shopify-Topic:
	// letters, digits and "-", at most 64 characters. If event is set too, it counts when the
	// header's value is none of those of start, purchase, reversal and paymentExpired.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9-]+$`
	EventHeader string `json:"eventHeader,omitempty"`
	// start lists the event values that start a recovery, each with its trigger. At most 20.
	// Default: none, only purchases are read.
	// +optional
	// +listType=map
	// +listMapKey=value
	// +kubebuilder:validation:MaxItems=20
	Start []GenericStart `json:"start,omitempty"`
	// purchase lists the event values that mean that the customer bought. From 1 to 20, of 1 to 128
	// characters.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=20
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=128
	Purchase []string `json:"purchase,omitempty"`
	// paymentExpired lists the event values that mean that an open payment (PIX, boleto) can no
	// longer be paid; the customer is then not reminded of it. At most 20, of 1 to 128 characters.
	// Default: none.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=20
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=128
	PaymentExpired []string `json:"paymentExpired,omitempty"`
	// reversal lists the event values that mean that a purchase was refunded or charged back. At
	// most 20, of 1 to 128 characters. Default: none.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=20
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=128
	Reversal []string `json:"reversal,omitempty"`
	// fields are the paths of everything else that is read from a delivery, each such as
	// $.data.buyer.email, at most 256 characters; see docs/platforms.md for paths.
	// +required
	Fields GenericFields `json:"fields,omitzero"`
}

// JSONPath is a path into a body, for example `$.data.buyer.email`: fields (`.name`,
// `['any name']`), indexes (`[0]`) and every element (`[*]`); filters, slices and `..` are
// not understood. Several paths with `|` between them lead to the first value that there is.
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=256
type JSONPath string

// GenericStart is an event that starts a recovery.
type GenericStart struct {
	// value of the event that starts a recovery, of 1 to 128 characters; case and surrounding
	// blanks do not matter.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	Value string `json:"value,omitempty"`
	// trigger of the recovery, which selects its sequence.
	// +required
	Trigger Trigger `json:"trigger,omitempty"`
	// unless is the path of a field that shows that the cart was not abandoned after all, such as
	// $.completed_at. A delivery in which it has a value starts nothing. Default: every delivery
	// with this value starts a recovery.
	// +optional
	Unless JSONPath `json:"unless,omitempty"`
}

// GenericAuth is how a generic delivery proves where it comes from.
// +kubebuilder:validation:XValidation:rule="!has(self.header) || self.type != 'Bearer'",message="header is for the types HMACSHA256 and Token: a bearer token is always in the Authorization header"
// +kubebuilder:validation:XValidation:rule="!has(self.encoding) || self.type == 'HMACSHA256'",message="encoding is for type HMACSHA256"
// +kubebuilder:validation:XValidation:rule="!has(self.field) || self.type == 'Token'",message="field is for type Token"
// +kubebuilder:validation:XValidation:rule="self.type != 'Token' || has(self.header) != has(self.field)",message="type Token takes exactly one of header and field"
type GenericAuth struct {
	// type of the proof. HMACSHA256: a header contains the HMAC-SHA256 of the raw body. Bearer:
	// the Authorization header contains the secret as a bearer token. Token: a header or a field
	// of the body contains the secret.
	// +required
	Type GenericAuthType `json:"type,omitempty"`
	// header is the name of the HTTP header that carries the HMAC or the token: letters, digits
	// and "-", at most 64 characters. For HMACSHA256 (default: X-Signature) and Token; with Token
	// set either header or field.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9-]+$`
	Header string `json:"header,omitempty"`
	// encoding of the HMAC: Hex or Base64. A prefix such as "sha256=" is ignored. Only for
	// HMACSHA256. Default: Hex.
	// +optional
	Encoding HMACEncoding `json:"encoding,omitempty"`
	// field is the path of the field of the body that carries the token. Only for Token; set
	// either header or field.
	// +optional
	Field JSONPath `json:"field,omitempty"`
}

// GenericAuthType is how a generic delivery proves where it comes from.
// +kubebuilder:validation:Enum=HMACSHA256;Bearer;Token
type GenericAuthType string

const (
	// GenericAuthHMAC: a header has the HMAC-SHA256 of the raw body.
	GenericAuthHMAC GenericAuthType = "HMACSHA256"
	// GenericAuthBearer: the Authorization header has the secret as a bearer token.
	GenericAuthBearer GenericAuthType = "Bearer"
	// GenericAuthToken: a header or a field of the body has the secret.
	GenericAuthToken GenericAuthType = "Token"
)

// HMACEncoding is how an HMAC is written.
// +kubebuilder:validation:Enum=Hex;Base64
type HMACEncoding string

const (
	// HMACEncodingHex: hexadecimal digits.
	HMACEncodingHex HMACEncoding = "Hex"
	// HMACEncodingBase64: base64.
	HMACEncodingBase64 HMACEncoding = "Base64"
)

// AmountUnit is what a whole number of an amount counts.
// +kubebuilder:validation:Enum=Units;Cents
type AmountUnit string

const (
	// AmountUnits: whole reais, dollars and so on.
	AmountUnits AmountUnit = "Units"
	// AmountCents: hundredths of them.
	AmountCents AmountUnit = "Cents"
)

// GenericFields are where a generic delivery keeps what the operator needs.
// +kubebuilder:validation:XValidation:rule="has(self.email) || has(self.phone)",message="map at least one of email and phone: a purchase is matched to its lead by them"
type GenericFields struct {
	// eventID is the path of the platform's id of the event, by which a repeated delivery is
	// recognised. Default: a hash of the body, so that a repeated delivery with any difference
	// counts as new.
	// +optional
	EventID JSONPath `json:"eventID,omitempty"`
	// name is the path of the customer's name.
	// +optional
	Name JSONPath `json:"name,omitempty"`
	// phone is the path of the customer's phone: a text, a number, an object of country code, area
	// code and number, or a list of them. At least one of phone and email is required.
	// +optional
	Phone JSONPath `json:"phone,omitempty"`
	// email is the path of the customer's e-mail address. At least one of phone and email is
	// required.
	// +optional
	Email JSONPath `json:"email,omitempty"`
	// productID is the path of the product's id. If it leads to several values ($.items[*].id),
	// each becomes a lead of its own; productName, amount and currency are then each product's own
	// if their paths go through the same list.
	// +required
	ProductID JSONPath `json:"productID,omitempty"`
	// productName is the path of the product's name.
	// +optional
	ProductName JSONPath `json:"productName,omitempty"`
	// checkoutURL is the path of the link back to the checkout, http or https.
	// +optional
	CheckoutURL JSONPath `json:"checkoutURL,omitempty"`
	// amount is the path of the amount of the cart or sale: a number, or a text such as "R$
	// 1.169,80".
	// +optional
	Amount JSONPath `json:"amount,omitempty"`
	// amountUnit says what a whole number in amount counts: Units (whole reais, dollars, …) or
	// Cents. An amount with a decimal point or comma is always in units. Not a path. Default:
	// Units.
	// +optional
	AmountUnit AmountUnit `json:"amountUnit,omitempty"`
	// currency is the path of the currency, three letters (ISO 4217). Default: the one that the
	// amount names, else the Store's currency.
	// +optional
	Currency JSONPath `json:"currency,omitempty"`
	// transactionID is the path of the platform's id of the sale, by which a refund finds its
	// purchase.
	// +optional
	TransactionID JSONPath `json:"transactionID,omitempty"`
	// occurredAt is the path of the time of the event, in any usual format; a time without a zone
	// is in the Store's time zone. Default: the time at which the delivery arrives.
	// +optional
	OccurredAt JSONPath `json:"occurredAt,omitempty"`
	// pixCode is the path of the PIX code ("copia e cola") of an open payment.
	// +optional
	PixCode JSONPath `json:"pixCode,omitempty"`
	// boletoLine is the path of the number of a boleto that the customer types in, digits and
	// separators.
	// +optional
	BoletoLine JSONPath `json:"boletoLine,omitempty"`
	// paymentURL is the path of a link that shows an open payment: a boleto to print, or a QR
	// code.
	// +optional
	PaymentURL JSONPath `json:"paymentURL,omitempty"`
	// paymentExpiresAt is the path of the time until which an open payment can be paid; a time
	// without a zone is in the Store's time zone.
	// +optional
	PaymentExpiresAt JSONPath `json:"paymentExpiresAt,omitempty"`
	// consent is the path of the customer's answer to whether they may be written to: true or
	// false, a word such as subscribed, or an object that has it as state. It is stored in
	// spec.consent of the lead for information; the operator does not act on it.
	// +optional
	Consent JSONPath `json:"consent,omitempty"`
}

// AISettings are who writes, and how.
// +kubebuilder:validation:XValidation:rule="!has(self.baseURL) || has(self.apiKeySecretRef)",message="an own baseURL needs its own apiKeySecretRef: the operator's key is only ever sent to the operator's own endpoint"
type AISettings struct {
	// model that writes the messages. At most 128 characters. Default: gpt-4o-mini.
	// +optional
	// +kubebuilder:validation:MaxLength=128
	Model string `json:"model,omitempty"`
	// apiKeySecretRef names the Secret key with the API key. Required with baseURL. Default: the
	// operator's own key.
	// +optional
	APIKeySecretRef *SecretKeyReference `json:"apiKeySecretRef,omitempty"`
	// baseURL of an OpenAI-compatible API, such as https://llm.example.com/v1, at most 512
	// characters. It must use https and have a public address unless the operator allows others,
	// and the Secret of apiKeySecretRef must allow its host with the annotation
	// cartrecovery.dev/allowed-hosts. Default: the operator's own endpoint.
	// +optional
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:Pattern=`^https?://[^/@\s]+(/[^\s]*)?$`
	BaseURL string `json:"baseURL,omitempty"`
	// maxTokens is the maximum length of one text, in tokens. From 1 to 4096. Default: 150.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=4096
	MaxTokens *int32 `json:"maxTokens,omitempty"`
	// temperature of the model, a decimal in quotes from "0" to "2", with at most 4 digits after
	// the point. Default: "0.7".
	// +optional
	// +kubebuilder:validation:MaxLength=8
	// +kubebuilder:validation:Pattern=`^([01](\.[0-9]{1,4})?|2(\.0{1,4})?)$`
	Temperature string `json:"temperature,omitempty"`
	// presencePenalty of the model, a decimal in quotes from "-2" to "2", with at most 4 digits
	// after the point. Default: "0.6".
	// +optional
	// +kubebuilder:validation:MaxLength=8
	// +kubebuilder:validation:Pattern=`^-?([01](\.[0-9]{1,4})?|2(\.0{1,4})?)$`
	PresencePenalty string `json:"presencePenalty,omitempty"`
	// historyMessages is how many of the conversation's last messages the AI is shown. From 0 to
	// 50. Default: 6.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=50
	HistoryMessages *int32 `json:"historyMessages,omitempty"`
	// systemPrompt is the instruction for the AI, a Go text/template; docs/prompting.md lists its
	// variables. A Product's systemPrompt replaces it. At most 8000 characters. Default: the
	// built-in prompt.
	// +optional
	// +kubebuilder:validation:MaxLength=8000
	SystemPrompt string `json:"systemPrompt,omitempty"`
	// dailyTokenBudget is how many tokens all texts of this store may use in a day of the Store's
	// time zone, including reviews and texts that were not sent. When it is used up, fallbackText
	// is sent; without one, leads are Blocked until the next day. From 1 to 1000000000000.
	// Default: no limit.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000000000000
	DailyTokenBudget *int64 `json:"dailyTokenBudget,omitempty"`
	// leadTokenBudget is how many tokens the texts of one lead and their reviews may use, including
	// texts that were not sent. It counts again from 0 in each new cycle, and when a person gives
	// the conversation back. When it is used up, a person gets the conversation (condition
	// HandedOff, reason LeadTokenBudgetExhausted); in place of a step fallbackText is sent, or the
	// lead is Blocked. The text that reaches the limit may exceed it. From 1 to 1000000000.
	// Default: 100000.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000000000
	LeadTokenBudget *int64 `json:"leadTokenBudget,omitempty"`
	// review is a second check of each text, by an AI that sees the facts and the text but not
	// what the customer wrote; see docs/guard.md. Default: enabled.
	// +optional
	Review *AIReview `json:"review,omitempty"`
}

// AIReview is the second look at what the AI wrote. It is asked at the same endpoint, and
// counts in dailyTokenBudget.
type AIReview struct {
	// enabled turns the review on. Without it, texts are only checked by the rules on words and
	// numbers. Default: true.
	// +optional
	Enabled *bool `json:"enabled,omitempty"`
	// model that reviews. At most 128 characters. Default: the model that writes.
	// +optional
	// +kubebuilder:validation:MaxLength=128
	Model string `json:"model,omitempty"`
	// onError says what happens to a text whose review did not answer in time. Fallback:
	// fallbackText is sent instead, or the lead is Blocked if there is none. Send: the text is
	// sent, as the rules on words and numbers allow it. Default: Fallback.
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
	// observedGeneration is the metadata.generation that this status describes; -1 before the
	// operator has seen the object.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// conditions of the Store. Ready: it takes deliveries, and everything it needs is there. CanSend:
	// it is Ready, and one of its numbers can begin recoveries. PolicyWarning, only present while True:
	// spec.recovery has something that can never take effect. Reconciling and Stalled, only present
	// while True: it is not ready, and goes on by itself, or waits for a person.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=8
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// summary says in a few characters what kubectl get shows.
	// +optional
	Summary *StoreSummary `json:"summary,omitempty"`
	// webhooks are the URLs to enter at the platforms, one for each entry of spec.platforms.
	// +optional
	// +listType=map
	// +listMapKey=platform
	// +kubebuilder:validation:MaxItems=32
	Webhooks []StoreWebhook `json:"webhooks,omitempty"`
	// lastRejectedDelivery is the last delivery that was refused, and why. Updated at most once a
	// minute for each reason.
	// +optional
	LastRejectedDelivery *RejectedDelivery `json:"lastRejectedDelivery,omitempty"`
	// lastUnusableDelivery is the last authentic purchase or refund that could not be used, and
	// what it lacked. Updated at most once a minute for each reason.
	// +optional
	LastUnusableDelivery *UnusableDelivery `json:"lastUnusableDelivery,omitempty"`
	// leads counts this store's leads that have not been deleted yet. Updated at most every 30s.
	// +optional
	Leads *LeadCounts `json:"leads,omitempty"`
	// tokens is how many AI tokens this store used on the last day on which it used any. Updated
	// together with leads.
	// +optional
	Tokens *TokenUsage `json:"tokens,omitempty"`
	// effectivePolicy is the policy of leads without a Product: spec.recovery completed with the
	// defaults, in words.
	// +optional
	EffectivePolicy *EffectivePolicy `json:"effectivePolicy,omitempty"`
}

// StoreSummary is what kubectl get shows of a Store, as text.
type StoreSummary struct {
	// numbers that can begin recoveries, of all WhatsAppInstances of the Store, such as "1/2".
	// +optional
	// +kubebuilder:validation:MaxLength=32
	Numbers string `json:"numbers,omitempty"`
	// revenue of the recovered leads by currency, those of most leads first, such as
	// "BRL 1169.80, USD 20.00". Of more than three the others are counted.
	// +optional
	// +kubebuilder:validation:MaxLength=128
	Revenue string `json:"revenue,omitempty"`
}

// TokenUsage is how many AI tokens were used on a day.
type TokenUsage struct {
	// day in the Store's time zone, as YYYY-MM-DD.
	// +required
	// +kubebuilder:validation:MinLength=10
	// +kubebuilder:validation:MaxLength=10
	Day string `json:"day,omitempty"`
	// used tokens, including those of texts that were not sent.
	// +required
	// +kubebuilder:validation:Minimum=1
	Used int64 `json:"used,omitempty"`
}

// Revenue is what recoveries were worth in one currency.
type Revenue struct {
	// currency of the amount (ISO 4217).
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=3
	Currency string `json:"currency,omitempty"`
	// amount of the purchases of recovered leads, a decimal with a point, such as "1169.80".
	// Reversed purchases are left out; a sale that recovered several leads counts once.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=32
	Amount string `json:"amount,omitempty"`
	// leads is how many recovered leads the amount was added up from.
	// +required
	// +kubebuilder:validation:Minimum=1
	Leads int32 `json:"leads,omitempty"`
}

// StoreWebhook is the URL of one platform.
type StoreWebhook struct {
	// platform that posts to the URL.
	// +required
	Platform PlatformName `json:"platform,omitempty"`
	// url to enter at the platform.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	URL string `json:"url,omitempty"`
}

// RejectedDelivery is a delivery that was refused.
type RejectedDelivery struct {
	// time at which the delivery arrived.
	// +required
	Time metav1.Time `json:"time"`
	// platform that the delivery was posted for.
	// +required
	Platform PlatformName `json:"platform,omitempty"`
	// reason for the refusal, one word: NoCredential, BadCredential, PlatformNotConfigured,
	// SecretMissing, Misconfigured or Malformed. Later versions may have more.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	Reason string `json:"reason,omitempty"`
	// message says what was expected, for people.
	// +optional
	// +kubebuilder:validation:MaxLength=512
	Message string `json:"message,omitempty"`
}

// UnusableDelivery is an authentic delivery that stops nothing though it should.
type UnusableDelivery struct {
	// time at which the delivery arrived.
	// +required
	Time metav1.Time `json:"time"`
	// platform that sent the delivery.
	// +required
	Platform PlatformName `json:"platform,omitempty"`
	// event of the delivery, as the platform calls it.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	Event string `json:"event,omitempty"`
	// reason why it could not be used, one word: NoCustomer or NoSale. Later versions may have
	// more.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	Reason string `json:"reason,omitempty"`
	// field of the body that was missing or could not be used.
	// +optional
	// +kubebuilder:validation:MaxLength=128
	Field string `json:"field,omitempty"`
	// message says what was expected, for people.
	// +optional
	// +kubebuilder:validation:MaxLength=512
	Message string `json:"message,omitempty"`
}

// LeadCounts counts leads by phase.
type LeadCounts struct {
	// pending leads wait for their first message (phase PendingRecovery).
	// +optional
	// +kubebuilder:default=0
	// +kubebuilder:validation:Minimum=0
	Pending int32 `json:"pending,omitempty"`
	// active leads are in phase Contacted or Engaged.
	// +optional
	// +kubebuilder:default=0
	// +kubebuilder:validation:Minimum=0
	Active int32 `json:"active,omitempty"`
	// recovered leads ended with a purchase after a message.
	// +optional
	// +kubebuilder:default=0
	// +kubebuilder:validation:Minimum=0
	Recovered int32 `json:"recovered,omitempty"`
	// converted leads ended with a purchase before a message, or with one that no recovery gets
	// credit for.
	// +optional
	// +kubebuilder:default=0
	// +kubebuilder:validation:Minimum=0
	Converted int32 `json:"converted,omitempty"`
	// closed leads are in phase Failed, OptedOut or Expired.
	// +optional
	// +kubebuilder:default=0
	// +kubebuilder:validation:Minimum=0
	Closed int32 `json:"closed,omitempty"`
	// optedOut leads are in phase OptedOut. They are part of closed.
	// +optional
	// +kubebuilder:default=0
	// +kubebuilder:validation:Minimum=0
	OptedOut int32 `json:"optedOut,omitempty"`
	// reversed leads had a purchase that was refunded or charged back. They are part of closed.
	// +optional
	// +kubebuilder:default=0
	// +kubebuilder:validation:Minimum=0
	Reversed int32 `json:"reversed,omitempty"`
	// blocked leads have the condition Blocked. They are part of pending or active.
	// +optional
	// +kubebuilder:default=0
	// +kubebuilder:validation:Minimum=0
	Blocked int32 `json:"blocked,omitempty"`
	// handedOff leads are with a person of the store. They are part of pending or active.
	// +optional
	// +kubebuilder:default=0
	// +kubebuilder:validation:Minimum=0
	HandedOff int32 `json:"handedOff,omitempty"`
	// revenue of the recovered leads, one entry for each currency, at most 16.
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
// +kubebuilder:printcolumn:name="ClientID",type=string,JSONPath=`.spec.clientID`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Numbers",type=string,JSONPath=`.status.summary.numbers`
// +kubebuilder:printcolumn:name="CanSend",type=string,JSONPath=`.status.conditions[?(@.type=="CanSend")].status`,priority=1
// +kubebuilder:printcolumn:name="Pending",type=integer,JSONPath=`.status.leads.pending`
// +kubebuilder:printcolumn:name="Active",type=integer,JSONPath=`.status.leads.active`
// +kubebuilder:printcolumn:name="Blocked",type=integer,JSONPath=`.status.leads.blocked`
// +kubebuilder:printcolumn:name="HandedOff",type=integer,JSONPath=`.status.leads.handedOff`
// +kubebuilder:printcolumn:name="Recovered",type=integer,JSONPath=`.status.leads.recovered`
// +kubebuilder:printcolumn:name="Revenue",type=string,JSONPath=`.status.summary.revenue`
// +kubebuilder:printcolumn:name="Rejected",type=date,JSONPath=`.status.lastRejectedDelivery.time`,priority=1
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type Store struct {
	metav1.TypeMeta `json:",inline"`
	// metadata is the object's name, namespace, labels and annotations.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is what is wanted; people and Git write it.
	// +required
	Spec StoreSpec `json:"spec,omitzero"`
	// status is what the operator observed; only the operator writes it.
	// +optional
	// +kubebuilder:default={"observedGeneration":-1}
	Status StoreStatus `json:"status,omitempty,omitzero"`
}

// StoreList is a list of Stores.
// +kubebuilder:object:root=true
type StoreList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Store `json:"items"`
}
