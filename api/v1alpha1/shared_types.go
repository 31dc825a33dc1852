package v1alpha1

// Finalizer guards what an object has at a gateway.
const Finalizer = "cartrecovery.dev/gateway"

// Labels of CartRecovery objects. The customer's are hashes and show no number and no
// address; but there are so few phone numbers that whoever reads a hash can find its
// number by trying. Guard them like the objects themselves.
const (
	// LabelStore is the name of the Store.
	LabelStore = "cartrecovery.dev/store"
	// LabelPhoneKey is the hash of the customer's phone key. Selecting it finds, or
	// deletes, everything known of a customer's phone.
	LabelPhoneKey = "cartrecovery.dev/phone-key"
	// LabelEmailKey is the hash of the customer's e-mail address.
	LabelEmailKey = "cartrecovery.dev/email-key"
	// LabelPhonePrefix is followed by the hash of a number, and has no value: a label for each number that is known
	// of the customer. Purchases find their leads by them.
	LabelPhonePrefix = "phone-key.cartrecovery.dev/"
	// LabelEmailPrefix is followed by the hash of an address, and has no value: a label for each address that is
	// known of the customer. Purchases find their leads by them.
	LabelEmailPrefix = "email-key.cartrecovery.dev/"
	// LabelSalePrefix is followed by a hash of a transaction's id, and has no value: a label for each sale that a
	// lead is about. Refunds that name no buyer find it so.
	LabelSalePrefix = "sale.cartrecovery.dev/"
)

// What came with an import (docs/moving-in.md) and has not been released is suspended.
const (
	// LabelImport is the name of the import that a CartRecovery or WhatsAppInstance came with.
	LabelImport = "cartrecovery.dev/import"
	// LabelImportEnded is on a held CartRecovery that was given up in the other backend after it was imported; it has
	// no value. `kubectl cartrecovery release` leaves it out.
	LabelImportEnded = "cartrecovery.dev/import-ended"
	// AnnotationImportIncomplete stands on it until all of it is there: the conversation of a lead, the token of a
	// number. Nothing is sent before, even if somebody takes spec.suspend off.
	AnnotationImportIncomplete = "cartrecovery.dev/import-incomplete"
)

// AnnotationPairRequested asks a WhatsAppInstance for a new pairing attempt; its value
// is when (RFC 3339). `POST /api/whatsapp/connect/{clientId}` sets it.
const AnnotationPairRequested = "cartrecovery.dev/pair-requested-at"

// AnnotationPairPhone is the phone, E.164, that a pairing attempt is asked for by code, behind
// the value of AnnotationPairRequested and a blank. It goes before spec.pairing as long as both
// name the same request. `POST /api/whatsapp/connect/{clientId}` sets it, because the spec is
// its owner's.
const AnnotationPairPhone = "cartrecovery.dev/pair-phone"

// AnnotationResumeRequested gives the conversation of a CartRecovery back to the AI after
// a person took it over (condition HandedOff); its value is when (RFC 3339).
const AnnotationResumeRequested = "cartrecovery.dev/resume-requested-at"

// AnnotationRestoreAcknowledged is set by a person on a Store that was restored from a backup,
// after looking at it. Messages of which no gateway can tell whether they were sent are then sent.
// Its value is when (RFC 3339); it holds for leads that were restored before.
const AnnotationRestoreAcknowledged = "cartrecovery.dev/restore-acknowledged-at"

// AnnotationGatewayIdentity is kept on a WhatsAppInstance by its controller: under which UID the
// gateway has the instance, with a seal. An object that is made again from a backup has another
// UID, and finds its number by this one. It is no secret.
const AnnotationGatewayIdentity = "cartrecovery.dev/gateway-identity"

// AnnotationConnectionChanged is set on a WhatsAppInstance by the webhook server when the
// gateway says that the connection has changed: the gateway is asked at once, and not at
// the next poll. Its value is when (RFC 3339).
const AnnotationConnectionChanged = "cartrecovery.dev/connection-changed-at"

// AnnotationStatusRequested is set on a WhatsAppInstance by the webhook server for a caller of
// `GET /api/whatsapp/status/{clientId}`, where it runs without the controllers: the gateway is
// asked at once. Its value is when (RFC 3339).
const AnnotationStatusRequested = "cartrecovery.dev/status-requested-at"

// AnnotationEraseRequested on a Suppression asks the operator to keep it without the customer's number:
// a Suppression with spec.phoneHMAC takes its place, and it is deleted. Any value but none does; the time
// of the request, for example.
const AnnotationEraseRequested = "cartrecovery.dev/erase-requested-at"

// AnnotationAllowedHosts is set by people on a Secret that is sent somewhere: the hosts that it
// may be sent to, separated by commas (host, host:port, *.example.com, or * for any). A Secret
// without it may only be sent to the operator's own hosts and those of --allowed-hosts.
const AnnotationAllowedHosts = "cartrecovery.dev/allowed-hosts"

// Annotations of CartRecovery objects that the webhook server keeps. They make the outcome
// independent of the order in which deliveries come in.
const (
	// AnnotationPlanned says, on a lead that was not written to yet, what was planned when it
	// was made: when the first message is due, and of which step. From the first write of the
	// controller on, status.nextAction says what comes next.
	AnnotationPlanned = "cartrecovery.dev/planned"
	// AnnotationPreviousCompleted is when the cycle before the current one was finished (RFC
	// 3339). Only what happened later belongs to the current cycle.
	AnnotationPreviousCompleted = "cartrecovery.dev/previous-completed-at"
	// AnnotationFirstAbandoned is the earliest abandonment that was reported of a lead
	// (RFC 3339), where that is not spec.abandonedAt: a cart that was followed by an open
	// PIX. It decides which purchases of other products stop the lead.
	AnnotationFirstAbandoned = "cartrecovery.dev/first-abandoned-at"
	// AnnotationLastPurchase is the latest purchase that was reported of a lead (RFC 3339),
	// where that is not spec.purchase: a subscription that was renewed. It decides which
	// leads of other products the customer's purchases stop.
	AnnotationLastPurchase = "cartrecovery.dev/last-purchase-at"
	// AnnotationPurchases are the purchases that were reported of a lead beside
	// spec.purchase, the latest of them: for each when it was (RFC 3339) and a hash of its
	// event id. A purchase that is delivered again is recognised by it.
	AnnotationPurchases = "cartrecovery.dev/other-purchases"
	// AnnotationReversals are the sales that were reported as taken back, beside that of
	// spec.reversal: a hash of each transaction id.
	AnnotationReversals = "cartrecovery.dev/other-reversals"
	// AnnotationExpiredPayments are the open payments that were reported as expired, for each
	// when (RFC 3339) and a hash of its transaction id: one that is reported first, and printed
	// afterwards, is expired all the same.
	AnnotationExpiredPayments = "cartrecovery.dev/expired-payments"
)

// ObjectReference names an object in the same namespace.
// +structType=atomic
type ObjectReference struct {
	// name of the object, in the namespace of the object that refers to it. At most 253
	// characters.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name,omitempty"`
}

// SecretKeyReference names a key of a Secret in the same namespace. The Secret is
// read when it is needed and remembered for seconds.
// +structType=atomic
type SecretKeyReference struct {
	// name of the Secret, in the namespace of the object that refers to it. At most 253
	// characters.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name,omitempty"`
	// key in the Secret's data whose value is used. Letters, digits, "-", "_" and ".", at most 253
	// characters.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[-._a-zA-Z0-9]+$`
	Key string `json:"key,omitempty"`
}

// Trigger is what made a lead.
// +kubebuilder:validation:Enum=AbandonedCart;PixPending;BoletoPending;PaymentRefused
type Trigger string

const (
	// TriggerAbandonedCart: the customer left the checkout.
	TriggerAbandonedCart Trigger = "AbandonedCart"
	// TriggerPixPending: a PIX code was made and not paid.
	TriggerPixPending Trigger = "PixPending"
	// TriggerBoletoPending: a boleto was printed and not paid.
	TriggerBoletoPending Trigger = "BoletoPending"
	// TriggerPaymentRefused: the payment was refused.
	TriggerPaymentRefused Trigger = "PaymentRefused"
)

// PlatformName is a sales platform, as it stands in the webhook URL: hotmart, kiwify, eduzz, kirvano, cakto,
// ticto, perfectpay, monetizze or generic, which is any other platform, read by the Store's mapping.
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=32
// +kubebuilder:validation:XValidation:rule="self in ['hotmart', 'kiwify', 'eduzz', 'kirvano', 'cakto', 'ticto', 'perfectpay', 'monetizze', 'generic']",message="expected hotmart, kiwify, eduzz, kirvano, cakto, ticto, perfectpay, monetizze, or generic: a platform that is not in this list is described by the field generic of a platform named generic"
type PlatformName string

const (
	// PlatformHotmart is Hotmart.
	PlatformHotmart PlatformName = "hotmart"
	// PlatformKiwify is Kiwify.
	PlatformKiwify PlatformName = "kiwify"
	// PlatformEduzz is Eduzz, both the legacy and the Developer Hub format.
	PlatformEduzz PlatformName = "eduzz"
	// PlatformKirvano is Kirvano.
	PlatformKirvano PlatformName = "kirvano"
	// PlatformCakto is Cakto.
	PlatformCakto PlatformName = "cakto"
	// PlatformTicto is Ticto.
	PlatformTicto PlatformName = "ticto"
	// PlatformPerfectPay is PerfectPay.
	PlatformPerfectPay PlatformName = "perfectpay"
	// PlatformMonetizze is Monetizze.
	PlatformMonetizze PlatformName = "monetizze"
	// PlatformGeneric is any other platform, read by the Store's mapping.
	PlatformGeneric PlatformName = "generic"
)

// Conditions that several kinds have.
const (
	// ConditionReady says whether an object is well: a Store, Product or WhatsAppInstance works, a Suppression is taken
	// into account, and nothing stands in the way of a CartRecovery.
	ConditionReady = "Ready"
	// ConditionCanSend says whether recoveries can begin: on a WhatsAppInstance from this number, on a Store from any
	// of its numbers.
	ConditionCanSend = "CanSend"
	// ConditionReconciling is True while an object that is not ready goes on by itself, and else absent. A convention
	// of kstatus (sigs.k8s.io/cli-utils).
	ConditionReconciling = "Reconciling"
	// ConditionStalled is True while an object that is not ready waits for a person, and else absent. A convention of
	// kstatus.
	ConditionStalled = "Stalled"
)

// RecoveryPolicy says when and how often customers are written to. What a Product
// leaves out comes from its Store, and what the Store leaves out from the defaults
// given here.
type RecoveryPolicy struct {
	// sequences are the messages to send, one sequence for each trigger, at most 4. A trigger
	// without a sequence starts no recovery. Setting this list replaces the default, which is one
	// AbandonedCart sequence with a single step, written by the AI 15m after the abandonment.
	// +optional
	// +listType=map
	// +listMapKey=trigger
	// +kubebuilder:validation:MaxItems=4
	Sequences []Sequence `json:"sequences,omitempty"`
	// quietHours are the hours of the day, in the Store's time zone, in which nothing is sent.
	// Default: none, messages are sent day and night.
	// +optional
	QuietHours *QuietHours `json:"quietHours,omitempty"`
	// cooldown is the minimum time between two recoveries of one customer. It starts with a first
	// message; until it ends, no other lead of the same phone in the Store gets a first message. A
	// duration such as 72h, from 0s (no cooldown) to 8760h. Default: 168h (a week).
	// +optional
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,6}([.][0-9]{1,9})?h|[0-9]{1,8}([.][0-9]{1,9})?(ms|s|m))+$') || duration(self) >= duration('0s') && duration(self) <= duration('8760h')",message="cooldown must be between 0s and 8760h"
	Cooldown *Duration `json:"cooldown,omitempty"`
	// maxUnanswered is how many messages in a row may stay unanswered before the sequence ends.
	// From 1 to 20. Default: 3.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=20
	MaxUnanswered *int32 `json:"maxUnanswered,omitempty"`
	// maxAnswersPerHour is how many answers one lead gets within any 60 minutes. After that the
	// lead is Blocked, reason TooManyAnswers, until an answer is allowed again. From 1 to 60.
	// Default: 20.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=60
	MaxAnswersPerHour *int32 `json:"maxAnswersPerHour,omitempty"`
	// maxAnswersPerDay is how many answers one lead gets within any 24 hours. After that the lead
	// is Blocked, reason TooManyAnswers, until an answer is allowed again. From 1 to 240. Default:
	// 60.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=240
	MaxAnswersPerDay *int32 `json:"maxAnswersPerDay,omitempty"`
	// replyDebounce is how long the customer must be silent before they are answered, so that
	// several messages in a row get one answer. A duration such as 10s, from 0s to 1h. Default:
	// 3s.
	// +optional
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,6}([.][0-9]{1,9})?h|[0-9]{1,8}([.][0-9]{1,9})?(ms|s|m))+$') || duration(self) >= duration('0s') && duration(self) <= duration('1h')",message="replyDebounce must be between 0s and 1h"
	ReplyDebounce *Duration `json:"replyDebounce,omitempty"`
	// expireAfter is how long a lead stays open after its last event: the abandonment, a message
	// that was sent, or a message from the customer or from a person of the store. Steps that
	// would be due later are not sent. A duration such as 96h, more than 0s and at most 8760h.
	// Default: 72h.
	// +optional
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,6}([.][0-9]{1,9})?h|[0-9]{1,8}([.][0-9]{1,9})?(ms|s|m))+$') || duration(self) > duration('0s') && duration(self) <= duration('8760h')",message="expireAfter must be more than 0s and at most 8760h"
	ExpireAfter *Duration `json:"expireAfter,omitempty"`
	// ttlAfterFinished is how long a finished lead is kept before it is deleted. A lead that ended
	// with a purchase is kept until ttlAfterPurchaseOnly after the purchase, if that is later. A
	// duration such as 2160h, from 0s to 8760h. Default: 720h (30 days). Keep it longer than
	// cooldown: a deleted lead no longer counts for it.
	// +optional
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,6}([.][0-9]{1,9})?h|[0-9]{1,8}([.][0-9]{1,9})?(ms|s|m))+$') || duration(self) >= duration('0s') && duration(self) <= duration('8760h')",message="ttlAfterFinished must be between 0s and 8760h"
	TTLAfterFinished *Duration `json:"ttlAfterFinished,omitempty"`
	// ttlAfterPurchaseOnly is how long a lead without a cart event is kept, above all a purchase,
	// so that a cart event that arrives late starts nothing. A duration such as 96h, from 0s to
	// 8760h. Default: 72h.
	// +optional
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,6}([.][0-9]{1,9})?h|[0-9]{1,8}([.][0-9]{1,9})?(ms|s|m))+$') || duration(self) >= duration('0s') && duration(self) <= duration('8760h')",message="ttlAfterPurchaseOnly must be between 0s and 8760h"
	TTLAfterPurchaseOnly *Duration `json:"ttlAfterPurchaseOnly,omitempty"`
	// ttlByPhase replaces ttlAfterFinished for leads that ended in a certain phase. A Product overrides
	// it phase by phase. Default: none.
	// +optional
	TTLByPhase *PhaseTTL `json:"ttlByPhase,omitempty"`
	// killSwitchScope says which purchases stop a lead. Customer: any purchase of the customer in
	// this Store. Product: only a purchase of the lead's product. Default: Customer.
	// +optional
	KillSwitchScope KillSwitchScope `json:"killSwitchScope,omitempty"`
	// optOutKeywords are messages that opt the customer out, in addition to the built-in ones
	// (parar, sair, stop and others; see docs/policy.md). A keyword matches when it is the whole
	// message; case, accents and punctuation do not matter. At most 50, of 1 to 64 characters.
	// Default: none.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=50
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=64
	OptOutKeywords []string `json:"optOutKeywords,omitempty"`
	// optOutConfirmation is sent once to a customer who opted out. If it cannot be sent within ten
	// minutes it is not sent at all. A template with the variables of the system prompt, at most
	// 1000 characters; "" sends nothing. Default: a sentence in the language of the Store's
	// locale.
	// +optional
	// +kubebuilder:validation:MaxLength=1000
	OptOutConfirmation *string `json:"optOutConfirmation,omitempty"`
	// handOffKeywords are messages that ask for a person, in addition to the built-in ones
	// (atendente, falar com uma pessoa and others; see docs/policy.md). A keyword matches when it
	// is the whole message; case, accents and punctuation do not matter. At most 50, of 1 to 64
	// characters. Default: none.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=50
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=64
	HandOffKeywords []string `json:"handOffKeywords,omitempty"`
	// handOffText is sent once to a customer who asked for a person. If it cannot be sent within
	// ten minutes it is not sent at all. A template with the variables of the system prompt, at
	// most 1000 characters. Default: nothing is sent.
	// +optional
	// +kubebuilder:validation:MaxLength=1000
	HandOffText string `json:"handOffText,omitempty"`
	// lateReplies says what happens when the customer writes to a lead that has expired and is not
	// deleted yet. Answer: the lead is opened again, and only answers are sent. HandOff: the lead
	// is opened again for a person. Ignore: the message is stored and nothing else happens.
	// Default: Answer.
	// +optional
	LateReplies LateReplies `json:"lateReplies,omitempty"`
	// claimsPaidAfter is how long the operator waits for the platform to confirm the purchase of a
	// customer who says that they have paid. Meanwhile nothing is sold to them; afterwards a
	// person gets the conversation (condition HandedOff, reason PaymentClaimed). A duration such
	// as 24h, from 0s to 168h. Default: 1h.
	// +optional
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,6}([.][0-9]{1,9})?h|[0-9]{1,8}([.][0-9]{1,9})?(ms|s|m))+$') || duration(self) >= duration('0s') && duration(self) <= duration('168h')",message="claimsPaidAfter must be between 0s and 168h"
	ClaimsPaidAfter *Duration `json:"claimsPaidAfter,omitempty"`
	// handOff says when a conversation that a person took over goes back to the AI. Default: only
	// when a person gives it back.
	// +optional
	HandOff *HandOffPolicy `json:"handOff,omitempty"`
	// firstMessageNotice is added below the first message that the AI writes in a recovery: who
	// writes, and how to opt out. It is not added to fixed texts. A template with the variables of
	// the system prompt, at most 500 characters; "" adds nothing. Default: a sentence in the
	// language of the Store's locale.
	// +optional
	// +kubebuilder:validation:MaxLength=500
	FirstMessageNotice *string `json:"firstMessageNotice,omitempty"`
	// numberLost says what happens to the open conversations of a WhatsApp number that is gone, or
	// that has been logged out for ten minutes. Wait: they wait for the number, and expire if it
	// does not come back. Move: they continue on another number of the Store. Default: Wait.
	// +optional
	NumberLost NumberLost `json:"numberLost,omitempty"`
	// fallbackText is sent in place of a text by the AI when the AI has been unavailable for 15
	// minutes, when the guard refused two texts in a row, when a review did not answer (see
	// ai.review.onError of the Store), or when a token budget is used up (dailyTokenBudget; for
	// steps also leadTokenBudget). A template with the variables of the system prompt, at most 2000
	// characters. Default: none, the lead waits and is Blocked.
	// +optional
	// +kubebuilder:validation:MaxLength=2000
	FallbackText string `json:"fallbackText,omitempty"`
	// allowedLinkHosts are hosts, such as shop.example.com, that a message may link to in addition
	// to the checkout's host. Their subdomains are allowed too. At most 20, of 1 to 253
	// characters. Default: none.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=20
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=253
	AllowedLinkHosts []string `json:"allowedLinkHosts,omitempty"`
}

// LateReplies says what becomes of messages to a lead that has expired.
// +kubebuilder:validation:Enum=Answer;HandOff;Ignore
type LateReplies string

const (
	// LateRepliesAnswer: they are answered.
	LateRepliesAnswer LateReplies = "Answer"
	// LateRepliesHandOff: a person of the store gets the conversation.
	LateRepliesHandOff LateReplies = "HandOff"
	// LateRepliesIgnore: they are stored, and nothing happens.
	LateRepliesIgnore LateReplies = "Ignore"
)

// HandOffPolicy is when a conversation that a person took over goes back to the AI.
type HandOffPolicy struct {
	// resumeAfter is how long after the person's last message the AI takes the conversation back.
	// It applies when the person took over by writing from the paired phone, not when the customer
	// asked for a person. A duration such as 24h, from 1m to 8760h. Default: never.
	// +optional
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,6}([.][0-9]{1,9})?h|[0-9]{1,8}([.][0-9]{1,9})?(ms|s|m))+$') || duration(self) >= duration('1m') && duration(self) <= duration('8760h')",message="resumeAfter must be between 1m and 8760h"
	ResumeAfter *Duration `json:"resumeAfter,omitempty"`
}

// PhaseTTL is how long leads are kept after a certain ending. What is left out is
// ttlAfterFinished.
type PhaseTTL struct {
	// recovered is how long leads are kept whose customer bought after a message. A duration such
	// as 2160h, from 0s to 8760h. Default: ttlAfterFinished.
	// +optional
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,6}([.][0-9]{1,9})?h|[0-9]{1,8}([.][0-9]{1,9})?(ms|s|m))+$') || duration(self) >= duration('0s') && duration(self) <= duration('8760h')",message="recovered must be between 0s and 8760h"
	Recovered *Duration `json:"recovered,omitempty"`
	// converted is how long leads are kept whose customer bought before a message, or bought
	// something that no recovery gets credit for. A duration such as 2160h, from 0s to 8760h.
	// Default: ttlAfterFinished, or ttlAfterPurchaseOnly for leads without a cart event.
	// +optional
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,6}([.][0-9]{1,9})?h|[0-9]{1,8}([.][0-9]{1,9})?(ms|s|m))+$') || duration(self) >= duration('0s') && duration(self) <= duration('8760h')",message="converted must be between 0s and 8760h"
	Converted *Duration `json:"converted,omitempty"`
	// failed is how long failed leads are kept, including those whose purchase was refunded or
	// charged back. A duration such as 24h, from 0s to 8760h. Default: ttlAfterFinished, or
	// ttlAfterPurchaseOnly for leads without a cart event.
	// +optional
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,6}([.][0-9]{1,9})?h|[0-9]{1,8}([.][0-9]{1,9})?(ms|s|m))+$') || duration(self) >= duration('0s') && duration(self) <= duration('8760h')",message="failed must be between 0s and 8760h"
	Failed *Duration `json:"failed,omitempty"`
	// optedOut is how long leads are kept whose customer opted out. The Suppression is not deleted
	// with them. A duration such as 24h, from 0s to 8760h. Default: ttlAfterFinished.
	// +optional
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,6}([.][0-9]{1,9})?h|[0-9]{1,8}([.][0-9]{1,9})?(ms|s|m))+$') || duration(self) >= duration('0s') && duration(self) <= duration('8760h')",message="optedOut must be between 0s and 8760h"
	OptedOut *Duration `json:"optedOut,omitempty"`
	// expired is how long expired leads are kept. A duration such as 24h, from 0s to 8760h.
	// Default: ttlAfterFinished, or ttlAfterPurchaseOnly for leads without a cart event.
	// +optional
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,6}([.][0-9]{1,9})?h|[0-9]{1,8}([.][0-9]{1,9})?(ms|s|m))+$') || duration(self) >= duration('0s') && duration(self) <= duration('8760h')",message="expired must be between 0s and 8760h"
	Expired *Duration `json:"expired,omitempty"`
}

// NumberLost says what becomes of conversations on a number that is logged out or gone.
// +kubebuilder:validation:Enum=Wait;Move
type NumberLost string

const (
	// NumberLostWait: they wait for the number, and expire if it does not come back.
	NumberLostWait NumberLost = "Wait"
	// NumberLostMove: they go on from another number of the Store.
	NumberLostMove NumberLost = "Move"
)

// EffectivePolicy is a recovery policy with nothing left out, in words, for people.
type EffectivePolicy struct {
	// sequences are described one by one, for example "AbandonedCart: first after 15m, second
	// after 24h (fixed text)".
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=4
	// +kubebuilder:validation:items:MaxLength=1024
	Sequences []string `json:"sequences,omitempty"`
	// quietHours with their time zone, for example "21:00-08:00 America/Sao_Paulo, every day,
	// spread over 30m", or "none".
	// +optional
	// +kubebuilder:validation:MaxLength=256
	QuietHours string `json:"quietHours,omitempty"`
	// cooldown between two recoveries of one customer, for example "168h".
	// +optional
	// +kubebuilder:validation:MaxLength=32
	Cooldown string `json:"cooldown,omitempty"`
	// maxUnanswered is how many messages in a row may stay unanswered.
	// +optional
	MaxUnanswered int32 `json:"maxUnanswered,omitempty"`
	// answers is how many answers one lead gets at most, for example "20 an hour, 60 a day".
	// +optional
	// +kubebuilder:validation:MaxLength=32
	Answers string `json:"answers,omitempty"`
	// replyDebounce is how long the customer must be silent before they are answered, for example
	// "3s".
	// +optional
	// +kubebuilder:validation:MaxLength=32
	ReplyDebounce string `json:"replyDebounce,omitempty"`
	// expireAfter is how long a lead stays open after its last event, for example "72h".
	// +optional
	// +kubebuilder:validation:MaxLength=32
	ExpireAfter string `json:"expireAfter,omitempty"`
	// ttl is how long finished leads are kept, for example "720h, Expired 24h, purchases without a
	// cart 72h".
	// +optional
	// +kubebuilder:validation:MaxLength=256
	TTL string `json:"ttl,omitempty"`
	// killSwitchScope says which purchases stop a lead: Customer or Product.
	// +optional
	// +kubebuilder:validation:MaxLength=32
	KillSwitchScope string `json:"killSwitchScope,omitempty"`
	// lateReplies says what happens to messages to an expired lead: Answer, HandOff or Ignore.
	// +optional
	// +kubebuilder:validation:MaxLength=32
	LateReplies string `json:"lateReplies,omitempty"`
	// claimsPaidAfter is how long the platform may take to confirm a payment that a customer
	// claims, for example "1h".
	// +optional
	// +kubebuilder:validation:MaxLength=32
	ClaimsPaidAfter string `json:"claimsPaidAfter,omitempty"`
	// handOff says when the AI takes a conversation back from a person: for example "resumes after
	// 24h", or "stays" when only a person gives it back.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	HandOff string `json:"handOff,omitempty"`
	// numberLost says what happens to the conversations of a lost number: Wait or Move.
	// +optional
	// +kubebuilder:validation:MaxLength=32
	NumberLost string `json:"numberLost,omitempty"`
	// optOutKeywords that the policy adds to the built-in ones.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=50
	// +kubebuilder:validation:items:MaxLength=64
	OptOutKeywords []string `json:"optOutKeywords,omitempty"`
	// handOffKeywords that the policy adds to the built-in ones.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=50
	// +kubebuilder:validation:items:MaxLength=64
	HandOffKeywords []string `json:"handOffKeywords,omitempty"`
	// allowedLinkHosts that messages may link to in addition to the checkout's host.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=20
	// +kubebuilder:validation:items:MaxLength=253
	AllowedLinkHosts []string `json:"allowedLinkHosts,omitempty"`
	// texts names the texts that are set, without their content: firstMessageNotice,
	// optOutConfirmation, handOffText, fallbackText; or "none".
	// +optional
	// +kubebuilder:validation:MaxLength=128
	Texts string `json:"texts,omitempty"`
}

// KillSwitchScope says which purchases stop a lead.
// +kubebuilder:validation:Enum=Customer;Product
type KillSwitchScope string

const (
	// KillSwitchCustomer: any purchase of the customer in the store.
	KillSwitchCustomer KillSwitchScope = "Customer"
	// KillSwitchProduct: only a purchase of the lead's product.
	KillSwitchProduct KillSwitchScope = "Product"
)

// Sequence is the messages that one trigger leads to.
type Sequence struct {
	// trigger is the event that starts the sequence.
	// +required
	Trigger Trigger `json:"trigger,omitempty"`
	// steps are the messages in the order in which they are sent, from 1 to 10. The sequence ends
	// as soon as the customer answers; from then on the AI answers.
	// +required
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=10
	Steps []Step `json:"steps,omitempty"`
}

// Step is one message of a sequence.
// +kubebuilder:validation:XValidation:rule="!(has(self.instructions) && has(self.text))",message="a step has instructions for the AI or a fixed text, not both"
type Step struct {
	// name of the step, unique in its sequence; status.conversation of a lead shows it. Lower-case
	// letters, digits and "-", at most 40 characters.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=40
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	Name string `json:"name,omitempty"`
	// after is how long to wait before the message: from the abandonment for the first step, from
	// the moment the previous step was sent for the others. A duration such as 15m or 24h, from 0s
	// to 2160h.
	// +required
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,6}([.][0-9]{1,9})?h|[0-9]{1,8}([.][0-9]{1,9})?(ms|s|m))+$') || duration(self) >= duration('0s') && duration(self) <= duration('2160h')",message="after must be between 0s and 2160h"
	After Duration `json:"after"`
	// instructions tell the AI what this message is about; they are not sent as they are. At most
	// 2000 characters. Cannot be combined with text. Default: the AI is told only the trigger.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2000
	Instructions string `json:"instructions,omitempty"`
	// text is sent as it stands, without the AI. A template with the variables of the system
	// prompt, at most 2000 characters. Cannot be combined with instructions. Default: the AI
	// writes.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2000
	Text string `json:"text,omitempty"`
}

// QuietHours are daily times in which nothing is sent, in the Store's time zone.
// +kubebuilder:validation:XValidation:rule="self.start != self.end",message="start and end must differ"
type QuietHours struct {
	// start of the quiet hours, as HH:MM on a 24-hour clock in the Store's time zone. From this
	// minute on nothing is sent.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule="self.matches('^([01][0-9]|2[0-3]):[0-5][0-9]$')",message="expected HH:MM on a 24-hour clock, such as 09:00"
	Start string `json:"start,omitempty"`
	// end of the quiet hours, as HH:MM on a 24-hour clock. From this minute on messages are sent
	// again. Earlier than start when the quiet hours go past midnight.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule="self.matches('^([01][0-9]|2[0-3]):[0-5][0-9]$')",message="expected HH:MM on a 24-hour clock, such as 09:00"
	End string `json:"end,omitempty"`
	// days on which the quiet hours start: 21:00 to 08:00 on Fri is quiet until Saturday 08:00.
	// Default: every day.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=7
	Days []Weekday `json:"days,omitempty"`
	// spread is the time after end over which the messages that were held back are distributed. 0s
	// sends them all at once. A duration such as 30m, from 0s to 12h. Default: 30m.
	// +optional
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,6}([.][0-9]{1,9})?h|[0-9]{1,8}([.][0-9]{1,9})?(ms|s|m))+$') || duration(self) >= duration('0s') && duration(self) <= duration('12h')",message="spread must be between 0s and 12h"
	Spread *Duration `json:"spread,omitempty"`
}

// Weekday is a day of the week.
// +kubebuilder:validation:Enum=Mon;Tue;Wed;Thu;Fri;Sat;Sun
type Weekday string
