package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Conditions of a CartRecovery.
const (
	// ConditionSucceeded is Unknown while the lead is worked on, True when the customer
	// bought, False when the recovery ended without a purchase.
	ConditionSucceeded = "Succeeded"
	// ConditionBlocked is present, and True, only while something stands in the way.
	ConditionBlocked = "Blocked"
	// ConditionHandedOff is True while a person of the store has the conversation: the AI
	// stays silent there until a person resumes it (see AnnotationResumeRequested).
	ConditionHandedOff = "HandedOff"
)

// Reasons of a CartRecovery's HandedOff condition.
const (
	// ReasonPersonWrote: a person wrote to the customer from the paired phone.
	ReasonPersonWrote = "PersonWrote"
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
	// ReasonLeadTokenBudget: the lead's texts have used the Store's ai.leadTokenBudget. It is also
	// a reason of the Blocked condition, where a step would be written and the policy has no
	// fallbackText.
	ReasonLeadTokenBudget = "LeadTokenBudgetExhausted"
)

// Reasons of a CartRecovery's Succeeded condition.
const (
	// ReasonInProgress: the lead is worked on.
	ReasonInProgress = "InProgress"
	// ReasonBoughtAfterContact: the customer bought after a message was sent.
	ReasonBoughtAfterContact = "BoughtAfterContact"
	// ReasonBoughtBeforeContact: the customer bought before any message was sent.
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
	// ReasonOptedOut: the customer asked not to be written to, or the number is suppressed in the store.
	ReasonOptedOut = "OptedOut"
	// ReasonWrongNumber: whoever has the number says that they are not the customer.
	ReasonWrongNumber = "WrongNumber"
	// ReasonUnanswered: the sequence ended and the customer did not answer.
	ReasonUnanswered = "Unanswered"
	// ReasonConversationEnded: the conversation went quiet without a purchase.
	ReasonConversationEnded = "ConversationEnded"
	// ReasonNeverContacted: the time ran out before a first message could be sent.
	ReasonNeverContacted = "NeverContacted"
)

// Reasons of a CartRecovery's Blocked condition, beside Suspended, StoreNotFound, InvalidTemplate,
// NoCredentials, SecretNotAllowed, EndpointNotAllowed, Restricted, GatewayUnreachable and
// LeadTokenBudgetExhausted.
const (
	// ReasonNoSequence: the store's policy has no sequence for the lead's trigger.
	ReasonNoSequence = "NoSequence"
	// ReasonNoConnectedInstance: no WhatsAppInstance of the store is connected.
	ReasonNoConnectedInstance = "NoConnectedInstance"
	// ReasonInternalError: the operator has a fault that the object's data brings out; its log
	// has the stack. The work is tried again, ever later. Also the reason of an event, on any
	// kind.
	ReasonInternalError = "InternalError"
	// ReasonAIUnavailable: the AI does not answer; the text is asked for again.
	ReasonAIUnavailable = "AIUnavailable"
	// ReasonAIRefused: the AI refused the request (key, model or prompt); see the message.
	ReasonAIRefused = "AIRefused"
	// ReasonGatewayUnavailable: the gateway did not take the message; it is sent again.
	ReasonGatewayUnavailable = "GatewayUnavailable"
	// ReasonThrottled: the gateway asked to wait.
	ReasonThrottled = "Throttled"
	// ReasonTooManyAnswers: the customer was answered as often as recovery.maxAnswersPerHour or
	// recovery.maxAnswersPerDay allows; it goes on when there is room again.
	ReasonTooManyAnswers = "TooManyAnswers"
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
	// ReasonSuppressionKeyMissing: a Suppression of the Store has a phoneHMAC of a key that the
	// controllers do not have, so nobody can tell who must not be written to. A Store's Ready has
	// it, too.
	ReasonSuppressionKeyMissing = "SuppressionKeyMissing"
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
	// PhaseRecovered: the customer bought after a message.
	PhaseRecovered Phase = "Recovered"
	// PhaseConverted: the customer bought before a message.
	PhaseConverted Phase = "Converted"
	// PhaseFailed: ended without a purchase; see the Succeeded condition.
	PhaseFailed Phase = "Failed"
	// PhaseOptedOut: the customer asked not to be written to.
	PhaseOptedOut Phase = "OptedOut"
	// PhaseExpired: the sequence ended unanswered, or the conversation went quiet.
	PhaseExpired Phase = "Expired"
)

// CartRecoverySpec is one lead: a customer and a product. The webhook server writes it.
// +kubebuilder:validation:XValidation:rule="has(self.abandonedAt) || has(self.purchase) || has(self.reversal) || has(self.paymentExpiredAt)",message="a lead starts with an abandonedAt, a purchase, a reversal or a paymentExpiredAt"
// +kubebuilder:validation:XValidation:rule="!has(self.abandonedAt) || (has(self.trigger) && has(self.customer.phone))",message="a lead with abandonedAt needs a trigger and customer.phone"
type CartRecoverySpec struct {
	// storeRef names the Store that the lead belongs to, in the same namespace. Immutable.
	// +required
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="storeRef is immutable: create another CartRecovery instead"
	StoreRef ObjectReference `json:"storeRef,omitzero"`
	// platform that reported the lead. Immutable.
	// +required
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="platform is immutable: create another CartRecovery instead"
	Platform PlatformName `json:"platform,omitempty"`
	// trigger is the event that started the recovery, and selects its sequence. Absent when only a
	// purchase, a refund or an expired payment is known.
	// +optional
	Trigger Trigger `json:"trigger,omitempty"`
	// customer who left the checkout.
	// +required
	Customer LeadCustomer `json:"customer"`
	// product that was in the cart, as the platform names it.
	// +required
	Product LeadProduct `json:"product"`
	// productRef names the Product in the same namespace. Absent when the Store has none for it;
	// then the Store's settings apply.
	// +optional
	ProductRef *ObjectReference `json:"productRef,omitempty"`
	// checkoutURL is the customer's link back to the checkout, as the platform sent it. Absent:
	// checkoutURL of the Product is used.
	// +optional
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:Pattern=`^https?://[^/@\s]+(/[^\s]*)?([?#][^\s]*)?$`
	CheckoutURL string `json:"checkoutURL,omitempty"`
	// amount of the cart, a decimal with a point, such as "297.00".
	// +optional
	// +kubebuilder:validation:MaxLength=24
	// +kubebuilder:validation:Pattern=`^[0-9]{1,15}(\.[0-9]{1,6})?$`
	Amount string `json:"amount,omitempty"`
	// currency of amount (ISO 4217), such as BRL.
	// +optional
	// +kubebuilder:validation:MaxLength=3
	// +kubebuilder:validation:Pattern=`^[A-Z]{3}$`
	Currency string `json:"currency,omitempty"`
	// payment is the open payment that the customer could still make, as the platform reported it.
	// It is removed when the lead ends.
	// +optional
	Payment *Payment `json:"payment,omitempty"`
	// paymentExpiredAt is set when the first thing the platform reports is that an open payment
	// has expired. Nothing is sent then, even if the notice of that payment arrives later. RFC
	// 3339.
	// +optional
	PaymentExpiredAt *Timestamp `json:"paymentExpiredAt,omitempty"`
	// consent is what the customer answered when the platform asked whether they may be written
	// to. For information; the operator does not act on it.
	// +optional
	Consent *Consent `json:"consent,omitempty"`
	// clientID is the Store's spec.clientID at the time the lead was created. Purchases find their
	// leads by it while the Store is deleted.
	// +optional
	// +kubebuilder:validation:MaxLength=128
	ClientID string `json:"clientID,omitempty"`
	// receivedAt is when the webhook server created the lead. If metadata.creationTimestamp is
	// more than a minute later, the lead was restored from a backup. RFC 3339.
	// +optional
	ReceivedAt *Timestamp `json:"receivedAt,omitempty"`
	// eventID is the platform's id of the event that created the lead.
	// +optional
	// +kubebuilder:validation:MaxLength=200
	EventID string `json:"eventID,omitempty"`
	// abandonedAt is when the customer left the checkout; the first step and expireAfter count
	// from it. Requires trigger and customer.phone. RFC 3339.
	// +optional
	AbandonedAt *Timestamp `json:"abandonedAt,omitempty"`
	// purchase is the customer's purchase. As soon as it is set, no message of this lead is begun.
	// +optional
	Purchase *Purchase `json:"purchase,omitempty"`
	// otherPurchases are further purchases of this product by the customer, at most 8. If purchase
	// is refunded, the first of them that was not refunded takes its place.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=8
	OtherPurchases []Purchase `json:"otherPurchases,omitempty"`
	// reversal is a refund or chargeback of the purchase.
	// +optional
	Reversal *Reversal `json:"reversal,omitempty"`
	// stop says that the customer asked not to be written to, in any conversation of the Store. It
	// is written to every open lead of the phone before the customer's message is acknowledged.
	// +optional
	Stop *Stop `json:"stop,omitempty"`
	// suspend stops sending for this lead. Purchases and opt-outs still take effect, and the lead
	// still expires. Default: false.
	// +optional
	Suspend bool `json:"suspend,omitempty"`
}

// Stop is a customer's request not to be written to.
type Stop struct {
	// reason for the request. OptOut: the customer asked not to be written to. WrongNumber:
	// whoever has the number is not the customer.
	// +required
	Reason StopReason `json:"reason,omitempty"`
	// at is when the customer's message came in. RFC 3339.
	// +required
	At Timestamp `json:"at"`
}

// StopReason is why a customer must not be written to.
// +kubebuilder:validation:Enum=OptOut;WrongNumber
type StopReason string

const (
	// StopOptOut: the customer asked not to be written to.
	StopOptOut StopReason = "OptOut"
	// StopWrongNumber: whoever has the number is not the customer.
	StopWrongNumber StopReason = "WrongNumber"
)

// Payment is an open payment of a lead.
type Payment struct {
	// method of the payment: Pix, Boleto, Card or Other.
	// +optional
	Method PaymentMethod `json:"method,omitempty"`
	// pixCode is the PIX code that the customer copies into their bank's app ("copia e cola").
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	PixCode string `json:"pixCode,omitempty"`
	// boletoLine is the number of a boleto that the customer types in, digits and separators.
	// +optional
	// +kubebuilder:validation:MaxLength=128
	BoletoLine string `json:"boletoLine,omitempty"`
	// url shows the payment: a boleto to print, or a QR code.
	// +optional
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:Pattern=`^https?://[^/@\s]+(/[^\s]*)?([?#][^\s]*)?$`
	URL string `json:"url,omitempty"`
	// expiresAt is the time until which it can be paid. RFC 3339.
	// +optional
	ExpiresAt *Timestamp `json:"expiresAt,omitempty"`
	// createdAt is when the platform created the payment; of several open payments the latest is
	// kept. RFC 3339.
	// +optional
	CreatedAt *Timestamp `json:"createdAt,omitempty"`
	// transactionID is the platform's id of the sale that this payment would complete.
	// +optional
	// +kubebuilder:validation:MaxLength=128
	TransactionID string `json:"transactionID,omitempty"`
}

// PaymentMethod is how a customer wanted to pay.
// +kubebuilder:validation:Enum=Pix;Boleto;Card;Other
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
	// basis is the customer's answer. OptedIn: they agreed to be written to. OptedOut: they did
	// not agree.
	// +required
	Basis ConsentBasis `json:"basis,omitempty"`
	// source is the path of the field in the delivery that says so.
	// +optional
	// +kubebuilder:validation:MaxLength=128
	Source string `json:"source,omitempty"`
	// at is when the customer answered, if the platform tells it. RFC 3339.
	// +optional
	At *Timestamp `json:"at,omitempty"`
}

// ConsentBasis says whether a customer agreed to be written to.
// +kubebuilder:validation:Enum=OptedIn;OptedOut
type ConsentBasis string

const (
	// ConsentOptedIn: the customer agreed to be written to.
	ConsentOptedIn ConsentBasis = "OptedIn"
	// ConsentOptedOut: the customer did not agree.
	ConsentOptedOut ConsentBasis = "OptedOut"
)

// LeadCustomer is the customer of a lead.
type LeadCustomer struct {
	// name of the customer, as the platform sent it.
	// +optional
	// +kubebuilder:validation:MaxLength=200
	Name string `json:"name,omitempty"`
	// phone that messages are sent to, in E.164 such as +5511900000001: "+" and 7 to 15 digits.
	// +optional
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^[+][1-9][0-9]{6,14}$')",message="expected E.164, such as +5511999990000: a plus sign, the country code and the number, without blanks"
	Phone string `json:"phone,omitempty"`
	// email is the customer's e-mail address, in lower case. If several are known, the
	// alphabetically first; the rest are in otherEmails.
	// +optional
	// +kubebuilder:validation:MaxLength=254
	Email string `json:"email,omitempty"`
	// otherEmails are further addresses of the customer, in lower case, at most 7. A purchase with
	// any of them counts as the customer's.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=7
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=254
	OtherEmails []string `json:"otherEmails,omitempty"`
	// otherPhones are further numbers of the customer, in E.164 such as +5511900000001, at most 8.
	// Nothing is sent to them; a purchase with any of them counts as the customer's.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:items:MaxLength=32
	// +kubebuilder:validation:items:XValidation:rule="self.matches('^[+][1-9][0-9]{6,14}$')",message="expected E.164, such as +5511999990000: a plus sign, the country code and the number, without blanks"
	OtherPhones []string `json:"otherPhones,omitempty"`
}

// LeadProduct is the product of a lead, as the platform named it.
type LeadProduct struct {
	// id of the product at the platform.
	// +optional
	// +kubebuilder:validation:MaxLength=128
	ID string `json:"id,omitempty"`
	// name of the product at the platform.
	// +optional
	// +kubebuilder:validation:MaxLength=200
	Name string `json:"name,omitempty"`
}

// Purchase says that the customer bought.
type Purchase struct {
	// eventID is the platform's id of the event that reported the purchase. Absent when only the
	// time of the purchase is known.
	// +optional
	// +kubebuilder:validation:MaxLength=200
	EventID string `json:"eventID,omitempty"`
	// transactionID is the platform's id of the sale.
	// +optional
	// +kubebuilder:validation:MaxLength=128
	TransactionID string `json:"transactionID,omitempty"`
	// amount of the sale, a decimal with a point, such as "297.00".
	// +optional
	// +kubebuilder:validation:MaxLength=24
	// +kubebuilder:validation:Pattern=`^[0-9]{1,15}(\.[0-9]{1,6})?$`
	Amount string `json:"amount,omitempty"`
	// currency of amount (ISO 4217), such as BRL.
	// +optional
	// +kubebuilder:validation:MaxLength=3
	// +kubebuilder:validation:Pattern=`^[A-Z]{3}$`
	Currency string `json:"currency,omitempty"`
	// at is when the customer bought. RFC 3339.
	// +required
	At Timestamp `json:"at"`
	// unattributed is set on a purchase that stops the lead without being its success: a renewal,
	// or a purchase of another product.
	// +optional
	Unattributed bool `json:"unattributed,omitempty"`
}

// Reversal says that a purchase was taken back.
type Reversal struct {
	// eventID is the platform's id of the event that reported the reversal.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=200
	EventID string `json:"eventID,omitempty"`
	// kind of the reversal. Refund: the store returned the money. Chargeback: the customer or the
	// bank took it back.
	// +required
	Kind ReversalKind `json:"kind,omitempty"`
	// transactionID is the platform's id of the sale that was reversed.
	// +optional
	// +kubebuilder:validation:MaxLength=128
	TransactionID string `json:"transactionID,omitempty"`
	// at is when the purchase was reversed. RFC 3339.
	// +required
	At Timestamp `json:"at"`
}

// ReversalKind is who took a purchase back.
// +kubebuilder:validation:Enum=Refund;Chargeback
type ReversalKind string

const (
	// ReversalRefund: the money was given back.
	ReversalRefund ReversalKind = "Refund"
	// ReversalChargeback: the customer or the bank took it back.
	ReversalChargeback ReversalKind = "Chargeback"
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
// +kubebuilder:validation:Enum=Customer;Assistant;Person
type Role string

const (
	// RoleCustomer: the customer.
	RoleCustomer Role = "Customer"
	// RoleAssistant: the AI, or a fixed text of the policy.
	RoleAssistant Role = "Assistant"
	// RolePerson: a person of the store, from the paired phone.
	RolePerson Role = "Person"
)

// MessageState is how far a message of the operator got.
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
	// id of the message, unique in the conversation. For messages of the customer and of a person
	// it is the gateway's id. For messages that the operator sends it is made of the cycle and the
	// step, or of the message that is answered; together with the lead's name it is the track id
	// at the gateway.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=160
	ID string `json:"id,omitempty"`
	// role of the writer. Customer: the customer. Assistant: the AI, or a fixed text of the
	// policy. Person: a person of the store, from the paired phone.
	// +required
	Role Role `json:"role,omitempty"`
	// step of the sequence that the message is, by name. Absent on answers and on messages of
	// people.
	// +optional
	// +kubebuilder:validation:MaxLength=40
	Step string `json:"step,omitempty"`
	// cycle of the recovery that the message belongs to, counted from 0.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Cycle int32 `json:"cycle,omitempty"`
	// text of the message, at most 2048 characters and 4 KiB; see shortened.
	// +optional
	// +kubebuilder:validation:MaxLength=2048
	Text string `json:"text,omitempty"`
	// shortened is set when text is not the whole message, because the message or the conversation
	// was too long. text then ends with "…".
	// +optional
	Shortened bool `json:"shortened,omitempty"`
	// media is the kind of a message that is more than text: image, video, audio, document,
	// sticker, location, contact, poll or file. Absent on text messages.
	// +optional
	// +kubebuilder:validation:MaxLength=32
	Media string `json:"media,omitempty"`
	// automatic is set when the message seems to come from a machine, such as a greeting or an
	// away message. It does not hand the conversation to a person.
	// +optional
	Automatic bool `json:"automatic,omitempty"`
	// instance is the name of the WhatsAppInstance that the message was sent from, or came in at.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	Instance string `json:"instance,omitempty"`
	// state of a message that the operator sends. Claimed: about to be sent, or sent and not
	// confirmed yet. Sent: the gateway accepted it. Failed: the gateway refused it; it may be
	// tried again at retryAt. Unknown: it cannot be found out whether it was sent; it is not sent
	// again. Cancelled: not sent, and no longer wanted. Absent on messages of people.
	// +optional
	State MessageState `json:"state,omitempty"`
	// at is when a message of the customer or of a person came in, or when a message of the
	// operator was last claimed for sending. RFC 3339.
	// +required
	At Timestamp `json:"at"`
	// editedAt is when the operator learned of the last edit, by the customer or by a person of
	// the store; text is the edited text. RFC 3339.
	// +optional
	EditedAt *Timestamp `json:"editedAt,omitempty"`
	// sentAt is when the gateway accepted the message. RFC 3339.
	// +optional
	SentAt *Timestamp `json:"sentAt,omitempty"`
	// deliveredAt is when the message reached the customer's phone, as the gateway reports.
	// Receipts are stored some seconds late, several together, and no decision depends on them.
	// RFC 3339.
	// +optional
	DeliveredAt *Timestamp `json:"deliveredAt,omitempty"`
	// readAt is when the customer read the message, as the gateway reports. Stored late, like
	// deliveredAt. RFC 3339.
	// +optional
	ReadAt *Timestamp `json:"readAt,omitempty"`
	// reaction of the customer to the message, an emoji. It is not answered.
	// +optional
	// +kubebuilder:validation:MaxLength=32
	Reaction string `json:"reaction,omitempty"`
	// gatewayID is the id that the gateway gave a message of the operator.
	// +optional
	// +kubebuilder:validation:MaxLength=160
	GatewayID string `json:"gatewayID,omitempty"`
	// attempts is how many attempts to send the message count. Attempts that failed because the
	// number or the gateway was unavailable do not count. After 3 the lead fails.
	// +optional
	Attempts int32 `json:"attempts,omitempty"`
	// retryAt is when a message in state Failed may be tried again. RFC 3339.
	// +optional
	RetryAt *Timestamp `json:"retryAt,omitempty"`
	// tokens is how many AI tokens this text cost, including versions that were refused.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Tokens int64 `json:"tokens,omitempty"`
	// error is why the last attempt failed, one word such as Refused, NotOnWhatsApp, NotSent or
	// Unresolved. Absent when it did not fail.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	Error string `json:"error,omitempty"`
}

// NextAction is what is planned next for a lead, as it was known at the last write.
type NextAction struct {
	// action that is planned, one word such as Wait, Prepare, Send, Reply, Resolve, Finish or
	// Delete. For people; the values may change between versions.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=32
	Action string `json:"action,omitempty"`
	// messageID is the id in the conversation of the message that the action is about.
	// +optional
	// +kubebuilder:validation:MaxLength=160
	MessageID string `json:"messageID,omitempty"`
	// time of the action. Absent when the lead waits for a change and not for a time.
	// +optional
	Time *metav1.Time `json:"time,omitempty"`
	// message says why this action, or why at this time: a sentence for people.
	// +optional
	// +kubebuilder:validation:MaxLength=512
	Message string `json:"message,omitempty"`
}

// RecoveryResult is what a recovery was worth.
type RecoveryResult struct {
	// step that was the last one sent before the purchase.
	// +optional
	// +kubebuilder:validation:MaxLength=40
	Step string `json:"step,omitempty"`
	// messages is how many messages the operator sent in this cycle before the purchase, steps and
	// answers, as far as the conversation still contains them.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Messages int32 `json:"messages,omitempty"`
	// amount of the purchase, a decimal with a point, such as "297.00".
	// +optional
	// +kubebuilder:validation:MaxLength=24
	Amount string `json:"amount,omitempty"`
	// currency of amount (ISO 4217), such as BRL.
	// +optional
	// +kubebuilder:validation:MaxLength=3
	Currency string `json:"currency,omitempty"`
	// boughtAt is when the customer bought. RFC 3339.
	// +optional
	BoughtAt *Timestamp `json:"boughtAt,omitempty"`
	// timeToRecovery is the time from the abandonment to the purchase, in whole seconds, such as
	// 3h12m5s.
	// +optional
	TimeToRecovery *Duration `json:"timeToRecovery,omitempty"`
	// timeFromMessage is the time from the last step before the purchase to the purchase, in whole
	// seconds, such as 12m5s.
	// +optional
	TimeFromMessage *Duration `json:"timeFromMessage,omitempty"`
	// reversedAt is when the purchase was refunded or charged back. Absent when it was not. RFC
	// 3339.
	// +optional
	ReversedAt *Timestamp `json:"reversedAt,omitempty"`
}

// CartRecoveryStatus is the conversation and its outcome.
type CartRecoveryStatus struct {
	// observedGeneration is the metadata.generation that this status describes; -1 before the
	// operator has seen the object.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// conditions of the lead. Ready: nothing stands in its way. Succeeded: Unknown while the lead is
	// open, True when the customer bought, False when the recovery ended without a purchase. Blocked,
	// only present while True: something prevents the next message, and the reason says what.
	// HandedOff: True while a person of the store has the conversation.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=8
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// phase sums the lead up, for people; programs should read the conditions. PendingRecovery: no
	// message was sent yet. Contacted: a message was sent. Engaged: the customer wrote. Recovered:
	// the customer bought after a message. Converted: they bought before one, or something no
	// recovery gets credit for. Failed: no message could be delivered, the number is not the
	// customer's, or the purchase was reversed. OptedOut: the customer asked not to be written to,
	// or the number is suppressed. Expired: time ran out without a purchase.
	// +optional
	Phase Phase `json:"phase,omitempty"`
	// state is the phase or what matters more, for people, such as "Blocked (QuietHours)", "HandedOff
	// (CustomerAsked)" or "Expired (Unanswered)". The words in brackets are reasons of the conditions.
	// +optional
	// +kubebuilder:validation:MaxLength=128
	State string `json:"state,omitempty"`
	// cycle counts the recoveries of this customer and product, from 0. A cart event after the
	// lead has ended begins the next cycle once the cooldown has passed.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Cycle int32 `json:"cycle,omitempty"`
	// conversation is the messages of all cycles, oldest first: at most 64, and 24 KiB together.
	// When there is no room, the oldest texts are shortened and the oldest messages dropped.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	Conversation []Message `json:"conversation,omitempty"`
	// nextActionTime is the time of nextAction.
	// +optional
	NextActionTime *metav1.Time `json:"nextActionTime,omitempty"`
	// nextAction is what is planned next and why, as of the last change of this object.
	// +optional
	NextAction *NextAction `json:"nextAction,omitempty"`
	// result is what the recovery was worth. Only present when the customer bought after a
	// message.
	// +optional
	Result *RecoveryResult `json:"result,omitempty"`
	// handledResumeRequest is the last value of the annotation cartrecovery.dev/resume-requested-at that
	// was acted on.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	HandledResumeRequest string `json:"handledResumeRequest,omitempty"`
	// attempts is how often the current message was tried.
	// +optional
	Attempts int32 `json:"attempts,omitempty"`
	// instanceRef names the WhatsAppInstance that the conversation takes place on.
	// +optional
	InstanceRef *ObjectReference `json:"instanceRef,omitempty"`
	// whatsAppID is the number under which WhatsApp knows the customer, digits with the country
	// code and without "+", as the gateway reported it. Messages are sent to it. It can differ
	// from customer.phone: older Brazilian mobiles lack the ninth digit there.
	// +optional
	// +kubebuilder:validation:MaxLength=20
	WhatsAppID string `json:"whatsAppID,omitempty"`
	// chatIDs are the gateway's ids of chats with the customer, such as
	// 5215512345678@s.whatsapp.net or 123@lid, at most 8. A message in any of these chats counts
	// as the customer's.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=64
	ChatIDs []string `json:"chatIDs,omitempty"`
	// tokensUsed is how many AI tokens the texts of this lead and their reviews have cost in all
	// its cycles, including texts that were refused or never sent.
	// +optional
	// +kubebuilder:validation:Minimum=0
	TokensUsed int64 `json:"tokensUsed,omitempty"`
	// tokensUsedBefore is the part of tokensUsed that no longer counts towards ai.leadTokenBudget of the
	// Store: its value when the cycle began, or when a person last gave the conversation back.
	// +optional
	// +kubebuilder:validation:Minimum=0
	TokensUsedBefore int64 `json:"tokensUsedBefore,omitempty"`
	// answeredAt are the times of the answers and notices of the last 24 hours, oldest first, at
	// most 240. maxAnswersPerHour and maxAnswersPerDay are counted by them, even when the
	// conversation no longer contains the messages.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=240
	AnsweredAt []Timestamp `json:"answeredAt,omitempty"`
	// completionTime is when the lead ended. Absent while it is open.
	// +optional
	CompletionTime *metav1.Time `json:"completionTime,omitempty"`
}

// CartRecovery is one customer and one product: a checkout that was left, a purchase, or both.
// All texts call it a lead. Its status is the conversation and the outcome.
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=cartrec,categories=cart-recovery
// +kubebuilder:selectablefield:JSONPath=`.spec.storeRef.name`
// +kubebuilder:selectablefield:JSONPath=`.spec.platform`
// +kubebuilder:selectablefield:JSONPath=`.spec.product.id`
// +kubebuilder:selectablefield:JSONPath=`.status.phase`
// +kubebuilder:printcolumn:name="Store",type=string,JSONPath=`.spec.storeRef.name`
// +kubebuilder:printcolumn:name="Product",type=string,JSONPath=`.spec.product.name`
// +kubebuilder:printcolumn:name="Platform",type=string,JSONPath=`.spec.platform`,priority=1
// +kubebuilder:printcolumn:name="Trigger",type=string,JSONPath=`.spec.trigger`,priority=1
// +kubebuilder:printcolumn:name="State",type=string,JSONPath=`.status.state`
// +kubebuilder:printcolumn:name="Next",type=string,JSONPath=`.status.nextActionTime`
// +kubebuilder:printcolumn:name="Number",type=string,JSONPath=`.status.instanceRef.name`
// +kubebuilder:printcolumn:name="Phase",type=string,JSONPath=`.status.phase`,priority=1
// +kubebuilder:printcolumn:name="Outcome",type=string,JSONPath=`.status.conditions[?(@.type=="Succeeded")].reason`,priority=1
// +kubebuilder:printcolumn:name="Amount",type=string,JSONPath=`.status.result.amount`,priority=1
// +kubebuilder:printcolumn:name="Currency",type=string,JSONPath=`.status.result.currency`,priority=1
// +kubebuilder:printcolumn:name="Tokens",type=integer,JSONPath=`.status.tokensUsed`,priority=1
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type CartRecovery struct {
	metav1.TypeMeta `json:",inline"`
	// metadata is the object's name, namespace, labels and annotations.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is what the platform reported; the webhook server writes it.
	// +required
	Spec CartRecoverySpec `json:"spec,omitzero"`
	// status is the conversation and the outcome; only the operator writes it.
	// +optional
	// +kubebuilder:default={"observedGeneration":-1,"phase":"PendingRecovery","state":"PendingRecovery"}
	Status CartRecoveryStatus `json:"status,omitempty,omitzero"`
}

// CartRecoveryList is a list of CartRecoveries.
// +kubebuilder:object:root=true
type CartRecoveryList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []CartRecovery `json:"items"`
}
