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
	// LabelPhonePrefix and LabelEmailPrefix, each followed by such a hash, are labels without
	// a value: one for each number and address that is known of the customer. Purchases find
	// their leads by them.
	LabelPhonePrefix = "phone-key.cartrecovery.dev/"
	// LabelEmailPrefix: see LabelPhonePrefix.
	LabelEmailPrefix = "email-key.cartrecovery.dev/"
	// LabelSalePrefix, followed by a hash of a transaction's id, is the key of a label without
	// a value: one for each sale that a lead is about. Refunds that name no buyer find it so.
	LabelSalePrefix = "sale.cartrecovery.dev/"
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

// AnnotationRestoreAcknowledged says of a Store that was restored from a backup that a person
// has looked at it: what no gateway can tell whether it was sent may be sent. Its value is when
// (RFC 3339); it holds for what was restored before.
const AnnotationRestoreAcknowledged = "cartrecovery.dev/restore-acknowledged-at"

// AnnotationGatewayIdentity is kept on a WhatsAppInstance by its controller: under which UID the
// gateway has the instance, with a seal. An object that is made again from a backup has another UID,
// and finds its number by this one. It is no secret.
const AnnotationGatewayIdentity = "cartrecovery.dev/gateway-identity"

// AnnotationConnectionChanged is set on a WhatsAppInstance by the webhook server when the
// gateway says that the connection has changed: the gateway is asked at once, and not at
// the next poll. Its value is when (RFC 3339).
const AnnotationConnectionChanged = "cartrecovery.dev/connection-changed-at"

// AnnotationStatusRequested is set on a WhatsAppInstance by the webhook server for a caller of
// `GET /api/whatsapp/status/{clientId}`, where it runs without the controllers: the gateway is
// asked at once. Its value is when (RFC 3339).
const AnnotationStatusRequested = "cartrecovery.dev/status-requested-at"

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
type ObjectReference struct {
	// Name of the object.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`
}

// SecretKeyReference names a key of a Secret in the same namespace. The Secret is
// read when it is needed and remembered for seconds.
type SecretKeyReference struct {
	// Name of the Secret.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`
	// Key in the Secret's data.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[-._a-zA-Z0-9]+$`
	Key string `json:"key"`
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

// PlatformName is a sales platform, as it stands in the webhook URL.
// +kubebuilder:validation:Enum=hotmart;kiwify;eduzz;kirvano;cakto;ticto;perfectpay;monetizze;generic
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

// ConditionReady says whether a Store, Product or WhatsAppInstance is well.
const ConditionReady = "Ready"

// RecoveryPolicy says when and how often customers are written to. What a Product
// leaves out comes from its Store, and what the Store leaves out from the defaults
// given here.
type RecoveryPolicy struct {
	// Sequences of messages, one for each trigger. A trigger without a sequence starts
	// no recovery. Default: one AbandonedCart sequence with one step after 15m.
	// +optional
	// +listType=map
	// +listMapKey=trigger
	// +kubebuilder:validation:MaxItems=4
	Sequences []Sequence `json:"sequences,omitempty"`
	// QuietHours are times, in the Store's time zone, in which nothing is sent.
	// +optional
	QuietHours *QuietHours `json:"quietHours,omitempty"`
	// Cooldown is the least time between two recoveries of one customer: after a first
	// message, no other lead of that phone in the Store gets one for as long. Default 168h.
	// +optional
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('0s') && duration(self) <= duration('8760h')",message="cooldown must be between 0s and 8760h"
	Cooldown *Duration `json:"cooldown,omitempty"`
	// MaxUnanswered is how many messages may go unanswered before we fall silent.
	// Default 3.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=20
	MaxUnanswered *int32 `json:"maxUnanswered,omitempty"`
	// MaxAnswersPerHour is how many answers one lead gets within any 60 minutes. Beyond it the
	// lead is Blocked, reason TooManyReplies, until there is room. Default 20.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=60
	MaxAnswersPerHour *int32 `json:"maxAnswersPerHour,omitempty"`
	// MaxAnswersPerDay is the same within any 24 hours. Default 60.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=240
	MaxAnswersPerDay *int32 `json:"maxAnswersPerDay,omitempty"`
	// ReplyDebounce is how long to wait for a customer's further messages before
	// answering: several messages in a row get one answer. Default 3s.
	// +optional
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('0s') && duration(self) <= duration('1h')",message="replyDebounce must be between 0s and 1h"
	ReplyDebounce *Duration `json:"replyDebounce,omitempty"`
	// ExpireAfter is how long a lead is worked on after the last thing that happened in
	// it; a step that is due later than that is not sent. Default 72h.
	// +optional
	// +kubebuilder:validation:XValidation:rule="duration(self) > duration('0s') && duration(self) <= duration('8760h')",message="expireAfter must be more than 0s and at most 8760h"
	ExpireAfter *Duration `json:"expireAfter,omitempty"`
	// TTLAfterFinished is how long a finished lead is kept before it is deleted; one that
	// was bought is kept for ttlAfterPurchaseOnly after the purchase at least. Default 720h.
	// +optional
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('0s') && duration(self) <= duration('8760h')",message="ttlAfterFinished must be between 0s and 8760h"
	TTLAfterFinished *Duration `json:"ttlAfterFinished,omitempty"`
	// TTLAfterPurchaseOnly is the same for a purchase that never had a cart event; it is
	// kept so that a late cart event starts nothing. Default 72h.
	// +optional
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('0s') && duration(self) <= duration('8760h')",message="ttlAfterPurchaseOnly must be between 0s and 8760h"
	TTLAfterPurchaseOnly *Duration `json:"ttlAfterPurchaseOnly,omitempty"`
	// TTL overrides ttlAfterFinished for single endings.
	// +optional
	TTL *EndingTTL `json:"ttl,omitempty"`
	// KillSwitchScope says which purchases stop a lead: Customer (the default), any
	// purchase of this customer in the Store; Product, only one of the same product.
	// +optional
	// +kubebuilder:validation:Enum=Customer;Product
	KillSwitchScope KillSwitchScope `json:"killSwitchScope,omitempty"`
	// OptOutKeywords are further words that stop everything for a customer, beside the
	// built-in ones (parar, sair, stop, …), matched against the whole message.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=50
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=64
	OptOutKeywords []string `json:"optOutKeywords,omitempty"`
	// OptOutConfirmation is sent once to a customer who asked us to stop, within ten minutes
	// or not at all. The variables of the system prompt may be used. "" sends nothing. Default:
	// a sentence in the language of the Store's locale.
	// +optional
	// +kubebuilder:validation:MaxLength=1000
	OptOutConfirmation *string `json:"optOutConfirmation,omitempty"`
	// HandOffKeywords are further messages with which a customer asks for a person, beside the
	// built-in ones (atendente, falar com uma pessoa, …), matched against the whole message.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=50
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=64
	HandOffKeywords []string `json:"handOffKeywords,omitempty"`
	// HandOffText is sent once when a customer asks for a person. The variables of the system
	// prompt may be used. Default: nothing is sent.
	// +optional
	// +kubebuilder:validation:MaxLength=1000
	HandOffText string `json:"handOffText,omitempty"`
	// LateReplies says what becomes of a customer's message to a lead that has expired, until
	// the lead is deleted: Answer (the default) opens the lead again, for answers only; HandOff
	// gives it to a person; Ignore stores the message and does nothing.
	// +optional
	// +kubebuilder:validation:Enum=Answer;HandOff;Ignore
	LateReplies LateReplies `json:"lateReplies,omitempty"`
	// ClaimsPaidAfter is how long the platform's word is waited for once a customer said that
	// they have paid; then the conversation is a person's. Default 1h.
	// +optional
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('0s') && duration(self) <= duration('168h')",message="claimsPaidAfter must be between 0s and 168h"
	ClaimsPaidAfter *Duration `json:"claimsPaidAfter,omitempty"`
	// HandOff is when a conversation that a person took over goes back to the AI.
	// +optional
	HandOff *HandOffPolicy `json:"handOff,omitempty"`
	// FirstMessageNotice is put under a first message that the AI wrote: who writes, and how
	// to stop. The variables of the system prompt may be used. "" adds nothing. Default: a
	// sentence in the language of the Store's locale.
	// +optional
	// +kubebuilder:validation:MaxLength=500
	FirstMessageNotice *string `json:"firstMessageNotice,omitempty"`
	// NumberLost says what becomes of the conversations on a number that is logged out or
	// gone: Wait (the default) for it; Move to another number of the Store after ten minutes.
	// +optional
	// +kubebuilder:validation:Enum=Wait;Move
	NumberLost NumberLost `json:"numberLost,omitempty"`
	// FallbackText is sent when the AI stays unavailable for 15 minutes, writes twice what may
	// not be sent, or has used its dailyTokenBudget or, in a step, the lead's tokensPerLead;
	// without it the lead waits, Blocked. The variables of the system prompt may be used.
	// +optional
	// +kubebuilder:validation:MaxLength=2000
	FallbackText string `json:"fallbackText,omitempty"`
	// AllowedLinkHosts are hosts that a message may link to, beside the checkout's.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=20
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=253
	AllowedLinkHosts []string `json:"allowedLinkHosts,omitempty"`
}

// LateReplies says what becomes of messages to a lead that has expired.
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
	// ResumeAfter is how long after the person's last message a hand-off that a message from
	// the paired phone made ends by itself. Default: never. One that the customer asked for
	// never does.
	// +optional
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('1m') && duration(self) <= duration('8760h')",message="resumeAfter must be between 1m and 8760h"
	ResumeAfter *Duration `json:"resumeAfter,omitempty"`
}

// EndingTTL is how long leads are kept after a certain ending. What is left out is
// ttlAfterFinished.
type EndingTTL struct {
	// Recovered leads: bought after a message.
	// +optional
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('0s') && duration(self) <= duration('8760h')",message="recovered must be between 0s and 8760h"
	Recovered *Duration `json:"recovered,omitempty"`
	// Converted leads: bought before a message.
	// +optional
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('0s') && duration(self) <= duration('8760h')",message="converted must be between 0s and 8760h"
	Converted *Duration `json:"converted,omitempty"`
	// Failed leads, those whose purchase was reversed among them.
	// +optional
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('0s') && duration(self) <= duration('8760h')",message="failed must be between 0s and 8760h"
	Failed *Duration `json:"failed,omitempty"`
	// OptedOut leads. The Suppression stays.
	// +optional
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('0s') && duration(self) <= duration('8760h')",message="optedOut must be between 0s and 8760h"
	OptedOut *Duration `json:"optedOut,omitempty"`
	// Expired leads.
	// +optional
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('0s') && duration(self) <= duration('8760h')",message="expired must be between 0s and 8760h"
	Expired *Duration `json:"expired,omitempty"`
}

// NumberLost says what becomes of conversations on a number that is logged out or gone.
type NumberLost string

const (
	// NumberLostWait: they wait for the number, and expire if it does not come back.
	NumberLostWait NumberLost = "Wait"
	// NumberLostMove: they go on from another number of the Store.
	NumberLostMove NumberLost = "Move"
)

// EffectivePolicy is a recovery policy with nothing left out, in words, for people.
type EffectivePolicy struct {
	// Sequences by trigger, each with its steps and their delays.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=4
	// +kubebuilder:validation:items:MaxLength=1024
	Sequences []string `json:"sequences,omitempty"`
	// QuietHours in which nothing is sent, with the time zone; "none" when there are none.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	QuietHours string `json:"quietHours,omitempty"`
	// Cooldown between two recoveries of one customer.
	// +optional
	// +kubebuilder:validation:MaxLength=32
	Cooldown string `json:"cooldown,omitempty"`
	// MaxUnanswered messages.
	// +optional
	MaxUnanswered int32 `json:"maxUnanswered,omitempty"`
	// Answers that one lead gets at most, within an hour and within a day.
	// +optional
	// +kubebuilder:validation:MaxLength=32
	Answers string `json:"answers,omitempty"`
	// ReplyDebounce before an answer.
	// +optional
	// +kubebuilder:validation:MaxLength=32
	ReplyDebounce string `json:"replyDebounce,omitempty"`
	// ExpireAfter the last thing that happened.
	// +optional
	// +kubebuilder:validation:MaxLength=32
	ExpireAfter string `json:"expireAfter,omitempty"`
	// TTL of finished leads, by ending.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	TTL string `json:"ttl,omitempty"`
	// KillSwitchScope is which purchases stop a lead.
	// +optional
	// +kubebuilder:validation:MaxLength=32
	KillSwitchScope string `json:"killSwitchScope,omitempty"`
	// LateReplies is what becomes of messages to a lead that has expired.
	// +optional
	// +kubebuilder:validation:MaxLength=32
	LateReplies string `json:"lateReplies,omitempty"`
	// ClaimsPaidAfter is how long the platform's word is waited for when a customer says that
	// they have paid.
	// +optional
	// +kubebuilder:validation:MaxLength=32
	ClaimsPaidAfter string `json:"claimsPaidAfter,omitempty"`
	// HandOff is when a conversation goes back to the AI; "stays" when only a person gives it.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	HandOff string `json:"handOff,omitempty"`
	// NumberLost is what becomes of conversations on a number that is lost.
	// +optional
	// +kubebuilder:validation:MaxLength=32
	NumberLost string `json:"numberLost,omitempty"`
	// OptOutKeywords beside the built-in ones.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=50
	// +kubebuilder:validation:items:MaxLength=64
	OptOutKeywords []string `json:"optOutKeywords,omitempty"`
	// HandOffKeywords beside the built-in ones.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=50
	// +kubebuilder:validation:items:MaxLength=64
	HandOffKeywords []string `json:"handOffKeywords,omitempty"`
	// AllowedLinkHosts beside the checkout's.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=20
	// +kubebuilder:validation:items:MaxLength=253
	AllowedLinkHosts []string `json:"allowedLinkHosts,omitempty"`
	// Texts that are set: firstMessageNotice, optOutConfirmation, handOffText, fallbackText.
	// +optional
	// +kubebuilder:validation:MaxLength=128
	Texts string `json:"texts,omitempty"`
}

// KillSwitchScope says which purchases stop a lead.
type KillSwitchScope string

const (
	// KillSwitchCustomer: any purchase of the customer in the store.
	KillSwitchCustomer KillSwitchScope = "Customer"
	// KillSwitchProduct: only a purchase of the lead's product.
	KillSwitchProduct KillSwitchScope = "Product"
)

// Sequence is the messages that one trigger leads to.
type Sequence struct {
	// Trigger that starts the sequence.
	// +required
	Trigger Trigger `json:"trigger"`
	// Steps in order. The sequence stops when the customer answers.
	// +required
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=10
	Steps []Step `json:"steps"`
}

// Step is one message of a sequence.
// +kubebuilder:validation:XValidation:rule="!(has(self.instructions) && has(self.text))",message="a step has instructions for the AI or a fixed text, not both"
type Step struct {
	// Name of the step, unique in its sequence; it is shown in the conversation.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=40
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	Name string `json:"name"`
	// After is the delay: for the first step from the abandonment, for the others from
	// the previous step.
	// +required
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('0s') && duration(self) <= duration('2160h')",message="after must be between 0s and 2160h"
	After Duration `json:"after"`
	// Instructions tell the AI what this message is about.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2000
	Instructions string `json:"instructions,omitempty"`
	// Text is sent instead of asking the AI. The variables of the system prompt may be
	// used.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2000
	Text string `json:"text,omitempty"`
}

// QuietHours are daily times in which nothing is sent, in the Store's time zone.
// +kubebuilder:validation:XValidation:rule="self.start != self.end",message="start and end must differ"
type QuietHours struct {
	// Start of the silence, HH:MM.
	// +required
	// +kubebuilder:validation:MaxLength=5
	// +kubebuilder:validation:Pattern=`^([01][0-9]|2[0-3]):[0-5][0-9]$`
	Start string `json:"start"`
	// End of the silence, HH:MM; before Start when it goes over midnight.
	// +required
	// +kubebuilder:validation:MaxLength=5
	// +kubebuilder:validation:Pattern=`^([01][0-9]|2[0-3]):[0-5][0-9]$`
	End string `json:"end"`
	// Days on which the silence starts; empty means every day.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=7
	Days []Weekday `json:"days,omitempty"`
	// Spread is over how long after the end the messages that were held are spread, so that
	// they do not all leave at once. Default 30m.
	// +optional
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('0s') && duration(self) <= duration('12h')",message="spread must be between 0s and 12h"
	Spread *Duration `json:"spread,omitempty"`
}

// Weekday is a day of the week.
// +kubebuilder:validation:Enum=Mon;Tue;Wed;Thu;Fri;Sat;Sun
type Weekday string
