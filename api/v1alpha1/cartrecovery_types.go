package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Conditions of a CartRecovery.
const (
	// ConditionSucceeded is Unknown while the lead is worked on, True when the customer
	// bought, False when we gave up.
	ConditionSucceeded = "Succeeded"
	// ConditionBlocked is present, and True, only while something stands in the way.
	ConditionBlocked = "Blocked"
	// ConditionHandedOff is True while a person of the store has the conversation: the AI
	// stays silent there until a person resumes it (see AnnotationResumeRequested).
	ConditionHandedOff = "HandedOff"
)

// Reasons of a CartRecovery's HandedOff condition.
const (
	// ReasonOperatorWrote: a person wrote to the customer from the paired phone.
	ReasonOperatorWrote = "OperatorWrote"
	// ReasonCustomerAsked: the customer asked for a person.
	ReasonCustomerAsked = "CustomerAsked"
	// ReasonResumed: a person gave the conversation back.
	ReasonResumed = "Resumed"
	// ReasonResumedByTime: recovery.handOff.resumeAfter has passed since a person last wrote.
	ReasonResumedByTime = "ResumedByTime"
	// ReasonPaymentClaimed: the customer said that they have paid, and the platform did not
	// confirm it within recovery.claimsPaidAfter.
	ReasonPaymentClaimed = "PaymentClaimed"
	// ReasonPairedPhone: the customer's number is the paired number itself, whose messages are
	// nobody's answer. The condition is False.
	ReasonPairedPhone = "PairedPhone"
	// ReasonLateReply: the customer wrote after the lead had ended, and recovery.lateReplies
	// is HandOff.
	ReasonLateReply = "LateReply"
	// ReasonLeadTokenBudget: the lead's texts have used the Store's ai.tokensPerLead. It is also
	// a reason of the Blocked condition, where a step would be written and the policy has no
	// fallbackText.
	ReasonLeadTokenBudget = "LeadTokenBudgetExhausted"
)

// Reasons of a CartRecovery's Succeeded condition.
const (
	// ReasonInProgress: the lead is worked on.
	ReasonInProgress = "InProgress"
	// ReasonBoughtAfterContact: the customer bought after a message of ours.
	ReasonBoughtAfterContact = "BoughtAfterContact"
	// ReasonBoughtBeforeContact: the customer bought before any message of ours.
	ReasonBoughtBeforeContact = "BoughtBeforeContact"
	// ReasonPurchaseNotAttributed: the customer bought, and no recovery may take credit for
	// it: another product, or a renewal.
	ReasonPurchaseNotAttributed = "PurchaseNotAttributed"
	// ReasonReversed: the purchase was refunded or charged back.
	ReasonReversed = "Reversed"
	// ReasonSendFailed: the gateway refused the message in every attempt.
	ReasonSendFailed = "SendFailed"
	// ReasonNotOnWhatsApp: the customer's number has no WhatsApp.
	ReasonNotOnWhatsApp = "NotOnWhatsApp"
	// ReasonOptedOut: the customer asked us to stop, or the number is suppressed in the store.
	ReasonOptedOut = "OptedOut"
	// ReasonWrongNumber: who has the number says that they are not the customer.
	ReasonWrongNumber = "WrongNumber"
	// ReasonUnanswered: the sequence ended and the customer did not answer.
	ReasonUnanswered = "Unanswered"
	// ReasonConversationEnded: the conversation went quiet without a purchase.
	ReasonConversationEnded = "ConversationEnded"
	// ReasonNeverContacted: the time ran out before a first message could be sent.
	ReasonNeverContacted = "NeverContacted"
)

// Reasons of a CartRecovery's Blocked condition, beside Suspended, StoreNotFound, InvalidTemplate, NoCredentials,
// SecretNotAllowed, EndpointNotAllowed, Restricted, GatewayUnreachable and LeadTokenBudgetExhausted.
const (
	// ReasonNoSequence: the store's policy has no sequence for the lead's trigger.
	ReasonNoSequence = "NoSequence"
	// ReasonNoConnectedInstance: no WhatsAppInstance of the store is connected.
	ReasonNoConnectedInstance = "NoConnectedInstance"
	// ReasonInternalError: the operator has a fault that the object's data brings out; its log has the
	// stack. The work is tried again, ever later. Also the reason of an event, on any kind.
	ReasonInternalError = "InternalError"
	// ReasonAIUnavailable: the AI does not answer; the text is asked for again.
	ReasonAIUnavailable = "AIUnavailable"
	// ReasonAIRefused: the AI refused the request (key, model or prompt); see the message.
	ReasonAIRefused = "AIRefused"
	// ReasonGatewayUnavailable: the gateway did not take the message; it is sent again.
	ReasonGatewayUnavailable = "GatewayUnavailable"
	// ReasonThrottled: the gateway asked to wait.
	ReasonThrottled = "Throttled"
	// ReasonTooManyReplies: the customer was answered as often as recovery.maxAnswersPerHour or
	// recovery.maxAnswersPerDay allows; it goes on when there is room again.
	ReasonTooManyReplies = "TooManyReplies"
	// ReasonQuietHours: the policy's quiet hours; the message goes when they are over.
	ReasonQuietHours = "QuietHours"
	// ReasonPaced: the number has reached a limit of its pace, or other messages are before
	// this one; see spec.limits of the WhatsAppInstance.
	ReasonPaced = "Paced"
	// ReasonCooldown: the customer was written to by another recovery a short time ago.
	ReasonCooldown = "Cooldown"
	// ReasonTokenBudget: the Store's dailyTokenBudget is used up, and the policy has no
	// fallbackText.
	ReasonTokenBudget = "TokenBudgetExhausted"
	// ReasonTextRefused: the AI wrote twice what may not be sent, and the policy has no
	// fallbackText that could be sent instead; see docs/guard.md.
	ReasonTextRefused = "TextRefused"
	// ReasonTextUnreviewed: the review of a text did not answer, the Store's ai.review.onError
	// is Fallback, and the policy has no fallbackText; see docs/guard.md.
	ReasonTextUnreviewed = "TextUnreviewed"
	// ReasonWithPerson: a person of the store has another conversation with the customer.
	ReasonWithPerson = "WithPerson"
	// ReasonInConversation: the customer has written about another recovery of the Store within
	// a day, or says there that they have paid; the next step waits.
	ReasonInConversation = "InConversation"
	// ReasonNumberLost: the number that the conversation is on is logged out or gone.
	ReasonNumberLost = "NumberLost"
	// ReasonUnconfirmed: a message was handed to the gateway and it is not known whether it
	// went; the gateway is asked.
	ReasonUnconfirmed = "Unconfirmed"
	// ReasonClaimsPaid: the customer says that they have paid; the platform's word is waited
	// for, and nothing is sold meanwhile.
	ReasonClaimsPaid = "ClaimsPaid"
	// ReasonAutomaticReplies: a machine seems to answer for the customer; it is not answered
	// until something else comes in.
	ReasonAutomaticReplies = "AutomaticReplies"
	// ReasonRestoredFromBackup: the resources seem to come from a backup, and it is not known
	// yet whether the message went before; see docs/backup.md.
	ReasonRestoredFromBackup = "RestoredFromBackup"
)

// Phase sums a lead up, for people. No code decides on it.
// +kubebuilder:validation:Enum=PendingRecovery;Contacted;Engaged;Recovered;Converted;Failed;OptedOut;Expired
type Phase string

const (
	// PhasePendingRecovery: known, first message not sent yet.
	PhasePendingRecovery Phase = "PendingRecovery"
	// PhaseContacted: at least one message sent.
	PhaseContacted Phase = "Contacted"
	// PhaseEngaged: the customer answered.
	PhaseEngaged Phase = "Engaged"
	// PhaseRecovered: bought after we contacted them.
	PhaseRecovered Phase = "Recovered"
	// PhaseConverted: bought before we contacted them.
	PhaseConverted Phase = "Converted"
	// PhaseFailed: gave up; see the Succeeded condition.
	PhaseFailed Phase = "Failed"
	// PhaseOptedOut: asked us to stop.
	PhaseOptedOut Phase = "OptedOut"
	// PhaseExpired: the sequence ended unanswered, or the conversation went quiet.
	PhaseExpired Phase = "Expired"
)

// CartRecoverySpec is one lead: a customer and a product. The webhook server writes it.
// +kubebuilder:validation:XValidation:rule="has(self.abandonedAt) || has(self.purchase) || has(self.reversal) || has(self.paymentExpiredAt)",message="a lead starts with an abandonedAt, a purchase, a reversal or a paymentExpiredAt"
// +kubebuilder:validation:XValidation:rule="!has(self.abandonedAt) || (has(self.trigger) && has(self.customer.phone))",message="a lead with abandonedAt needs a trigger and customer.phone"
type CartRecoverySpec struct {
	// StoreRef names the Store. Immutable.
	// +required
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="storeRef is immutable"
	StoreRef ObjectReference `json:"storeRef"`
	// Platform that reported the lead. Immutable.
	// +required
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="platform is immutable"
	Platform PlatformName `json:"platform"`
	// Trigger is what made the lead; absent when only a purchase is known.
	// +optional
	Trigger Trigger `json:"trigger,omitempty"`
	// Customer who left the checkout.
	// +required
	Customer LeadCustomer `json:"customer"`
	// Product that was left.
	// +required
	Product LeadProduct `json:"product"`
	// ProductRef names the Product, where there is one.
	// +optional
	ProductRef *ObjectReference `json:"productRef,omitempty"`
	// CheckoutURL leads back to the checkout, as the platform sent it.
	// +optional
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:Pattern=`^https?://[^/@\s]+(/[^\s]*)?([?#][^\s]*)?$`
	CheckoutURL string `json:"checkoutURL,omitempty"`
	// Amount of the cart, a decimal with a point.
	// +optional
	// +kubebuilder:validation:MaxLength=24
	// +kubebuilder:validation:Pattern=`^[0-9]{1,15}(\.[0-9]{1,6})?$`
	Amount string `json:"amount,omitempty"`
	// Currency of the amount (ISO 4217).
	// +optional
	// +kubebuilder:validation:MaxLength=3
	// +kubebuilder:validation:Pattern=`^[A-Z]{3}$`
	Currency string `json:"currency,omitempty"`
	// Payment is how an open payment can be made, as the platform told. It is removed when
	// the lead ends.
	// +optional
	Payment *Payment `json:"payment,omitempty"`
	// PaymentExpiredAt is when an open payment was reported to have run out, where nothing else
	// is known of the lead yet. Nobody is written to then, and not by the notice of that payment
	// when it comes either.
	// +optional
	PaymentExpiredAt *Timestamp `json:"paymentExpiredAt,omitempty"`
	// Consent is on which basis the customer may be written to, where the platform tells it.
	// +optional
	Consent *Consent `json:"consent,omitempty"`
	// ClientID is the Store's spec.clientID when the lead was made: purchases find their leads
	// by it while the Store is deleted.
	// +optional
	// +kubebuilder:validation:MaxLength=128
	ClientID string `json:"clientID,omitempty"`
	// ReceivedAt is when the webhook server made the lead. One that was created more than a
	// minute later was restored from a backup.
	// +optional
	ReceivedAt *Timestamp `json:"receivedAt,omitempty"`
	// EventID is the platform's id of the event that made the lead.
	// +optional
	// +kubebuilder:validation:MaxLength=200
	EventID string `json:"eventID,omitempty"`
	// AbandonedAt is when the customer left; delays count from it. RFC 3339.
	// +optional
	AbandonedAt *Timestamp `json:"abandonedAt,omitempty"`
	// Purchase is the kill switch: once it is there no message is sent any more.
	// +optional
	Purchase *Purchase `json:"purchase,omitempty"`
	// OtherPurchases are further sales of the product to the customer. Where the purchase is
	// taken back, the first of them that was not takes its place.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=8
	OtherPurchases []Purchase `json:"otherPurchases,omitempty"`
	// Reversal is a refund or chargeback of a purchase.
	// +optional
	Reversal *Reversal `json:"reversal,omitempty"`
	// Stop says that the customer asked us to stop, in whatever conversation of the Store: it
	// is written to every open lead of the phone before that message is acknowledged.
	// +optional
	Stop *Stop `json:"stop,omitempty"`
	// Suspend stops sending to this lead.
	// +optional
	Suspend bool `json:"suspend,omitempty"`
}

// Stop is a customer's request not to be written to.
type Stop struct {
	// Reason: OptOut, the customer asked us to stop; WrongNumber, who has the number is not
	// the customer.
	// +required
	// +kubebuilder:validation:Enum=OptOut;WrongNumber
	Reason StopReason `json:"reason"`
	// At is when the message came in.
	// +required
	At Timestamp `json:"at"`
}

// StopReason is why a customer must not be written to.
type StopReason string

const (
	// StopOptOut: the customer asked us to stop.
	StopOptOut StopReason = "OptOut"
	// StopWrongNumber: who has the number is not the customer.
	StopWrongNumber StopReason = "WrongNumber"
)

// Payment is an open payment of a lead.
type Payment struct {
	// Method of the payment: Pix, Boleto, Card or Other.
	// +optional
	// +kubebuilder:validation:Enum=Pix;Boleto;Card;Other
	Method PaymentMethod `json:"method,omitempty"`
	// PixCode is what a customer copies into their bank's app ("copia e cola").
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	PixCode string `json:"pixCode,omitempty"`
	// BoletoLine is the number of a boleto that a customer types in, digits and separators.
	// +optional
	// +kubebuilder:validation:MaxLength=128
	BoletoLine string `json:"boletoLine,omitempty"`
	// URL shows the payment: a boleto to print, or a QR.
	// +optional
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:Pattern=`^https?://[^/@\s]+(/[^\s]*)?([?#][^\s]*)?$`
	URL string `json:"url,omitempty"`
	// ExpiresAt is until when it can be paid.
	// +optional
	ExpiresAt *Timestamp `json:"expiresAt,omitempty"`
	// CreatedAt is when the platform made it; of several payments the latest is kept.
	// +optional
	CreatedAt *Timestamp `json:"createdAt,omitempty"`
	// TransactionID is the platform's id of the sale that it would pay.
	// +optional
	// +kubebuilder:validation:MaxLength=128
	TransactionID string `json:"transactionID,omitempty"`
}

// PaymentMethod is how a customer wanted to pay.
type PaymentMethod string

const (
	// PaymentPix: Brazil's instant payment.
	PaymentPix PaymentMethod = "Pix"
	// PaymentBoleto: Brazil's payment slip.
	PaymentBoleto PaymentMethod = "Boleto"
	// PaymentCard: a card.
	PaymentCard PaymentMethod = "Card"
	// PaymentOther: anything else.
	PaymentOther PaymentMethod = "Other"
)

// Consent is on which basis a customer may be written to.
type Consent struct {
	// Basis: OptedIn, the customer agreed to be written to; OptedOut, they did not agree.
	// +required
	// +kubebuilder:validation:Enum=OptedIn;OptedOut
	Basis ConsentBasis `json:"basis"`
	// Source is the platform's field that says so.
	// +optional
	// +kubebuilder:validation:MaxLength=128
	Source string `json:"source,omitempty"`
	// At is when the customer said so, where the platform tells it.
	// +optional
	At *Timestamp `json:"at,omitempty"`
}

// ConsentBasis says whether a customer agreed to be written to.
type ConsentBasis string

const (
	// ConsentOptedIn: the customer agreed to be written to.
	ConsentOptedIn ConsentBasis = "OptedIn"
	// ConsentOptedOut: the customer did not agree.
	ConsentOptedOut ConsentBasis = "OptedOut"
)

// LeadCustomer is the customer of a lead.
type LeadCustomer struct {
	// Name as the platform sent it.
	// +optional
	// +kubebuilder:validation:MaxLength=200
	Name string `json:"name,omitempty"`
	// Phone in E.164: the number that is written to.
	// +optional
	// +kubebuilder:validation:MaxLength=20
	// +kubebuilder:validation:Pattern=`^\+[1-9][0-9]{6,18}$`
	Phone string `json:"phone,omitempty"`
	// Email in lower case; the smallest where several are known.
	// +optional
	// +kubebuilder:validation:MaxLength=254
	Email string `json:"email,omitempty"`
	// OtherEmails are the customer's other addresses, in lower case. A purchase that names
	// any of them is the customer's.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=7
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=254
	OtherEmails []string `json:"otherEmails,omitempty"`
	// OtherPhones are the customer's other numbers in E.164. Nothing is sent to them; a
	// purchase that names any of them is the customer's.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:items:MaxLength=20
	// +kubebuilder:validation:items:Pattern=`^\+[1-9][0-9]{6,18}$`
	OtherPhones []string `json:"otherPhones,omitempty"`
}

// LeadProduct is the product of a lead, as the platform named it.
type LeadProduct struct {
	// ID at the platform.
	// +optional
	// +kubebuilder:validation:MaxLength=128
	ID string `json:"id,omitempty"`
	// Name at the platform.
	// +optional
	// +kubebuilder:validation:MaxLength=200
	Name string `json:"name,omitempty"`
}

// Purchase says that the customer bought.
type Purchase struct {
	// EventID is the platform's id of the event.
	// +required
	// +kubebuilder:validation:MaxLength=200
	EventID string `json:"eventID"`
	// TransactionID is the platform's id of the sale.
	// +optional
	// +kubebuilder:validation:MaxLength=128
	TransactionID string `json:"transactionID,omitempty"`
	// Amount of the sale, a decimal with a point.
	// +optional
	// +kubebuilder:validation:MaxLength=24
	// +kubebuilder:validation:Pattern=`^[0-9]{1,15}(\.[0-9]{1,6})?$`
	Amount string `json:"amount,omitempty"`
	// Currency of the amount (ISO 4217).
	// +optional
	// +kubebuilder:validation:MaxLength=3
	// +kubebuilder:validation:Pattern=`^[A-Z]{3}$`
	Currency string `json:"currency,omitempty"`
	// At is when the customer bought.
	// +required
	At Timestamp `json:"at"`
	// Unattributed is set on purchases no recovery may take credit for: renewals, and
	// purchases of another product that stopped this lead.
	// +optional
	Unattributed bool `json:"unattributed,omitempty"`
}

// Reversal says that a purchase was taken back.
type Reversal struct {
	// EventID is the platform's id of the event.
	// +required
	// +kubebuilder:validation:MaxLength=200
	EventID string `json:"eventID"`
	// Kind of the reversal.
	// +required
	// +kubebuilder:validation:Enum=Refund;Chargeback
	Kind string `json:"kind"`
	// TransactionID is the platform's id of the sale.
	// +optional
	// +kubebuilder:validation:MaxLength=128
	TransactionID string `json:"transactionID,omitempty"`
	// At is when it was reversed.
	// +required
	At Timestamp `json:"at"`
}

// Kinds of Reversal.
const (
	// ReversalRefund: the money was given back.
	ReversalRefund = "Refund"
	// ReversalChargeback: the customer or the bank took it back.
	ReversalChargeback = "Chargeback"
)

// The bounds of a lead's conversation. What is written in JSON counts, as it is stored: so is an
// accented letter two bytes, and a control character six.
const (
	// MaxConversation is how many messages are kept.
	MaxConversation = 64
	// MaxMessageLength is how many characters of a message are kept, and MaxMessageBytes how many
	// bytes.
	MaxMessageLength = 2048
	MaxMessageBytes  = 4 << 10
	// MaxConversationBytes is how many bytes all messages together have. What is older is
	// shortened to ShortenedBytes of text each.
	MaxConversationBytes = 24 << 10
	ShortenedBytes       = 160
	// MaxAnswerTimes is how many times of answers are kept.
	MaxAnswerTimes = 240
)

// Role is who wrote a message.
// +kubebuilder:validation:Enum=Customer;Assistant;Operator
type Role string

const (
	// RoleCustomer: the customer.
	RoleCustomer Role = "Customer"
	// RoleAssistant: the AI, or a fixed text of the policy.
	RoleAssistant Role = "Assistant"
	// RoleOperator: a person of the store, from the paired phone.
	RoleOperator Role = "Operator"
)

// MessageState is how far a message of ours got.
// +kubebuilder:validation:Enum=Claimed;Sent;Failed;Unknown;Cancelled
type MessageState string

const (
	// MessageClaimed: about to be handed to the gateway, or handed and not confirmed.
	MessageClaimed MessageState = "Claimed"
	// MessageSent: the gateway accepted it.
	MessageSent MessageState = "Sent"
	// MessageFailed: the gateway definitely refused it; it may be tried again.
	MessageFailed MessageState = "Failed"
	// MessageUnknown: nobody can tell whether it went; it is not sent again.
	MessageUnknown MessageState = "Unknown"
	// MessageCancelled: claimed, certainly not sent, and no longer wanted.
	MessageCancelled MessageState = "Cancelled"
)

// Message is one message of a conversation.
type Message struct {
	// ID of the message, unique in the conversation: the gateway's id of a customer's
	// message; for ours the cycle and step, or what it answers. Ours, after the lead's
	// name, is also the gateway's track id.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=160
	ID string `json:"id"`
	// Role of the writer.
	// +required
	Role Role `json:"role"`
	// Step of the sequence, on its messages.
	// +optional
	// +kubebuilder:validation:MaxLength=40
	Step string `json:"step,omitempty"`
	// Cycle of the recovery it belongs to.
	// +optional
	Cycle int32 `json:"cycle,omitempty"`
	// Text of the message.
	// +optional
	// +kubebuilder:validation:MaxLength=2048
	Text string `json:"text,omitempty"`
	// Shortened is set where text is not all that was written: it was longer than a message may
	// be, or was shortened to keep the conversation within its bounds. Then text ends with "…".
	// +optional
	Shortened bool `json:"shortened,omitempty"`
	// Media is the kind of a message that is more than text.
	// +optional
	// +kubebuilder:validation:MaxLength=32
	Media string `json:"media,omitempty"`
	// Automatic is set on a message that a machine seems to have written: a greeting or an
	// away message. It hands nothing over and is not answered.
	// +optional
	Automatic bool `json:"automatic,omitempty"`
	// Instance names the WhatsAppInstance that a message of ours was claimed for, or that a
	// customer's came in at.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	Instance string `json:"instance,omitempty"`
	// State of a message of ours.
	// +optional
	State MessageState `json:"state,omitempty"`
	// At is when a customer's message came in, or when one of ours was claimed.
	// +required
	At Timestamp `json:"at"`
	// EditedAt is when it came in that the text was last changed: by the customer, or, of a
	// message of ours, by a person of the store. Text is the text as changed.
	// +optional
	EditedAt *Timestamp `json:"editedAt,omitempty"`
	// SentAt is when the gateway accepted it.
	// +optional
	SentAt *Timestamp `json:"sentAt,omitempty"`
	// DeliveredAt is when a message of ours reached the customer's phone, ReadAt when it
	// was read, as the gateway tells. Written together, some seconds later: receipts decide
	// nothing.
	// +optional
	DeliveredAt *Timestamp `json:"deliveredAt,omitempty"`
	// ReadAt is when the customer read it.
	// +optional
	ReadAt *Timestamp `json:"readAt,omitempty"`
	// Reaction is the customer's reaction to the message, an emoji. It is not answered.
	// +optional
	// +kubebuilder:validation:MaxLength=32
	Reaction string `json:"reaction,omitempty"`
	// GatewayID is the gateway's id of a message of ours.
	// +optional
	// +kubebuilder:validation:MaxLength=160
	GatewayID string `json:"gatewayID,omitempty"`
	// Attempts counts how often it was claimed, less the attempts that failed for a reason
	// that is not the message's own: the number or the gateway was not available.
	// +optional
	Attempts int32 `json:"attempts,omitempty"`
	// RetryAt is when a failed message may be tried again.
	// +optional
	RetryAt *Timestamp `json:"retryAt,omitempty"`
	// Tokens is how many AI tokens the text cost, those of texts that were refused among them.
	// +optional
	Tokens int64 `json:"tokens,omitempty"`
	// Error is why the last attempt failed, in one word.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	Error string `json:"error,omitempty"`
}

// NextAction is what is planned next for a lead, as it was known at the last write.
type NextAction struct {
	// Action: Wait, Check, Verify, Prepare, Send, Reply, Resolve, Rebuild, HandOver, Resume,
	// Reopen, Finish, Delete, Label.
	// +required
	// +kubebuilder:validation:MaxLength=32
	Action string `json:"action"`
	// Message that it is about, by its id in the conversation.
	// +optional
	// +kubebuilder:validation:MaxLength=160
	Message string `json:"message,omitempty"`
	// Time of the action; none when only a change brings it.
	// +optional
	Time *metav1.Time `json:"time,omitempty"`
	// Reason for the action, or for its time, in words.
	// +optional
	// +kubebuilder:validation:MaxLength=512
	Reason string `json:"reason,omitempty"`
}

// RecoveryResult is what a recovery was worth.
type RecoveryResult struct {
	// Step that was sent last before the purchase: the one that won.
	// +optional
	// +kubebuilder:validation:MaxLength=40
	Step string `json:"step,omitempty"`
	// Messages of ours that were sent before the purchase, answers among them.
	// +optional
	Messages int32 `json:"messages,omitempty"`
	// Amount of the purchase, a decimal with a point.
	// +optional
	// +kubebuilder:validation:MaxLength=24
	Amount string `json:"amount,omitempty"`
	// Currency of the amount (ISO 4217).
	// +optional
	// +kubebuilder:validation:MaxLength=3
	Currency string `json:"currency,omitempty"`
	// BoughtAt is when the customer bought.
	// +optional
	BoughtAt *Timestamp `json:"boughtAt,omitempty"`
	// TimeToRecovery is from the abandonment to the purchase.
	// +optional
	TimeToRecovery *Duration `json:"timeToRecovery,omitempty"`
	// TimeFromMessage is from the winning step to the purchase.
	// +optional
	TimeFromMessage *Duration `json:"timeFromMessage,omitempty"`
	// ReversedAt is when the purchase was taken back.
	// +optional
	ReversedAt *Timestamp `json:"reversedAt,omitempty"`
}

// CartRecoveryStatus is the conversation and its outcome.
type CartRecoveryStatus struct {
	// ObservedGeneration is the generation the conditions speak of.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// Conditions: Succeeded, Blocked, HandedOff.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=8
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// Phase sums it up, for people.
	// +optional
	Phase Phase `json:"phase,omitempty"`
	// Cycle counts the recoveries of this lead, from 0.
	// +optional
	Cycle int32 `json:"cycle,omitempty"`
	// Conversation is the messages, oldest first.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	Conversation []Message `json:"conversation,omitempty"`
	// NextActionTime is when something happens next, as far as it was known at the last
	// write.
	// +optional
	NextActionTime *metav1.Time `json:"nextActionTime,omitempty"`
	// NextAction is what is planned next, and why, as far as it was known at the last write.
	// +optional
	NextAction *NextAction `json:"nextAction,omitempty"`
	// Result is what the recovery was worth, once the customer bought after a message.
	// +optional
	Result *RecoveryResult `json:"result,omitempty"`
	// HandledResume is the last value of the annotation cartrecovery.dev/resume-requested-at
	// that was acted on.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	HandledResume string `json:"handledResume,omitempty"`
	// Attempts is how often the current message was tried.
	// +optional
	Attempts int32 `json:"attempts,omitempty"`
	// InstanceRef names the WhatsAppInstance that the conversation is on.
	// +optional
	InstanceRef *ObjectReference `json:"instanceRef,omitempty"`
	// WhatsAppID is the number that WhatsApp knows the customer by (digits with country
	// code), as the gateway told when it was asked. Messages go to it. Older Brazilian
	// mobiles have one without the ninth digit.
	// +optional
	// +kubebuilder:validation:MaxLength=20
	WhatsAppID string `json:"whatsAppID,omitempty"`
	// ChatIDs are the gateway's own ids of the customer's chats, as messages came in with them
	// (5215512345678@s.whatsapp.net, 123@lid). A message of any of them is the customer's.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=64
	ChatIDs []string `json:"chatIDs,omitempty"`
	// TokensUsed is how many AI tokens the lead's texts cost, those that were refused or never
	// sent among them. What a text costs is written at the latest before the next is begun.
	// +optional
	TokensUsed int64 `json:"tokensUsed,omitempty"`
	// TokensBefore is what tokensUsed was when the lead's budget (ai.tokensPerLead of the Store)
	// last began anew: with the cycle, or when a person gave the conversation back.
	// +optional
	TokensBefore int64 `json:"tokensBefore,omitempty"`
	// AnsweredAt are the times at which messages outside the sequence, answers above all, were
	// last claimed, oldest first: those of the last 24 hours. They say how often the customer was
	// answered, also once the conversation has dropped the answers.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=240
	AnsweredAt []Timestamp `json:"answeredAt,omitempty"`
	// CompletionTime is when the lead was finished.
	// +optional
	CompletionTime *metav1.Time `json:"completionTime,omitempty"`
}

// CartRecovery is one lead: a customer who left a checkout. Its status is the conversation
// and the outcome.
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=cartrec,categories=cart-recovery
// +kubebuilder:selectablefield:JSONPath=`.spec.storeRef.name`
// +kubebuilder:selectablefield:JSONPath=`.spec.platform`
// +kubebuilder:selectablefield:JSONPath=`.spec.product.id`
// +kubebuilder:selectablefield:JSONPath=`.status.phase`
// +kubebuilder:printcolumn:name="Store",type=string,JSONPath=`.spec.storeRef.name`
// +kubebuilder:printcolumn:name="Product",type=string,JSONPath=`.spec.product.name`
// +kubebuilder:printcolumn:name="Trigger",type=string,JSONPath=`.spec.trigger`,priority=1
// +kubebuilder:printcolumn:name="Phase",type=string,JSONPath=`.status.phase`
// +kubebuilder:printcolumn:name="Outcome",type=string,JSONPath=`.status.conditions[?(@.type=="Succeeded")].reason`
// +kubebuilder:printcolumn:name="Blocked",type=string,JSONPath=`.status.conditions[?(@.type=="Blocked")].reason`
// +kubebuilder:printcolumn:name="Person",type=string,JSONPath=`.status.conditions[?(@.type=="HandedOff")].status`
// +kubebuilder:printcolumn:name="Next",type=string,JSONPath=`.status.nextActionTime`,priority=1
// +kubebuilder:printcolumn:name="Instance",type=string,JSONPath=`.status.instanceRef.name`,priority=1
// +kubebuilder:printcolumn:name="Amount",type=string,JSONPath=`.status.result.amount`,priority=1
// +kubebuilder:printcolumn:name="Tokens",type=integer,JSONPath=`.status.tokensUsed`,priority=1
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type CartRecovery struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// +required
	Spec CartRecoverySpec `json:"spec"`
	// +optional
	// +kubebuilder:default={"observedGeneration":-1,"phase":"PendingRecovery"}
	Status CartRecoveryStatus `json:"status,omitempty"`
}

// CartRecoveryList is a list of CartRecoveries.
// +kubebuilder:object:root=true
type CartRecoveryList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []CartRecovery `json:"items"`
}
