package lead

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
)

// This file tells what the customer of a lead, and a person of the store, have said, and what
// a machine said in their place.

// ByPerson says whether a person of the store wrote a message. The greetings and away messages
// of the paired phone are nobody's.
func ByPerson(message *v1alpha1.Message) bool {
	return message.Role == v1alpha1.RolePerson && !message.Automatic
}

// HeardOn names the WhatsAppInstance that the customer last wrote to in this cycle; "" where
// that is not known.
func HeardOn(lead *v1alpha1.CartRecovery) string {
	for i := len(lead.Status.Conversation) - 1; i >= 0; i-- {
		message := &lead.Status.Conversation[i]
		if message.Cycle == lead.Status.Cycle && message.Role == v1alpha1.RoleCustomer && message.Instance != "" {
			return message.Instance
		}
	}
	return ""
}

// WroteFirst says whether the customer wrote in this cycle before any message of the store went, or
// may have gone, and before a person of the store wrote.
func WroteFirst(lead *v1alpha1.CartRecovery) bool {
	for i := range lead.Status.Conversation {
		message := &lead.Status.Conversation[i]
		if message.Cycle != lead.Status.Cycle {
			continue
		}
		if message.Role == v1alpha1.RoleCustomer {
			return true
		}
		if ByPerson(message) || MayHaveGone(message) {
			return false
		}
	}
	return false
}

// Written says whether a message of the store went, or may have gone, in this cycle.
func Written(lead *v1alpha1.CartRecovery) bool {
	for i := range lead.Status.Conversation {
		message := &lead.Status.Conversation[i]
		if message.Cycle == lead.Status.Cycle && MayHaveGone(message) {
			return true
		}
	}
	return false
}

// Stopped is the request not to be written to that stands on a lead and was made in its current
// cycle, or in the one that was asked for; nil when there is none. Times of completion are whole
// seconds, and so is the comparison: a request of the second in which the cycle before ended
// belongs to that one.
func Stopped(lead *v1alpha1.CartRecovery) *v1alpha1.Stop {
	stop := lead.Spec.Stop
	if stop == nil || !BelongsToCycle(lead, stop.At.Truncate(time.Second)) {
		return nil
	}
	return stop
}

// What follows the cycle in the ids of messages that only say what has been done.
const (
	handOff     = "-handoff-"
	paid        = "-paid-"
	wrongNumber = "-wrongnumber"
	optOut      = "-optout"
)

// PaidID is the id of the message that thanks a customer who said, in this message, that they
// have paid.
func PaidID(cycle int32, inboundID string) string {
	sum := sha256.Sum256([]byte(inboundID))
	return "c" + strconv.Itoa(int(cycle)) + paid + hex.EncodeToString(sum[:8])
}

// IsPaidID says whether an id was made by PaidID.
func IsPaidID(id string) bool { return strings.HasPrefix(ofCycle(id), paid) }

// WrongNumberID is the id of the message that apologises to a stranger who has the number: one a cycle.
func WrongNumberID(cycle int32) string { return "c" + strconv.Itoa(int(cycle)) + wrongNumber }

// ofCycle is what follows the cycle in the id of a message of the store, with the dash before it.
func ofCycle(id string) string {
	if at := strings.IndexByte(id, '-'); at >= 0 {
		return id[at:]
	}
	return ""
}

// IsNoticeID says whether an id is of a message that only says what has been done: one made by
// OptOutID, HandOffID, PaidID or WrongNumberID.
func IsNoticeID(id string) bool {
	rest := ofCycle(id)
	return IsHandOffID(id) || IsPaidID(id) || rest == optOut || rest == wrongNumber
}

// The messages of a HandedOff condition that is True, by why a person has the conversation,
// and of its event.
const (
	// PaymentClaimedMessage: the customer said that they have paid.
	PaymentClaimedMessage = "the customer says that they have paid, and the platform did not confirm it: the AI is " +
		"silent until the annotation " +
		v1alpha1.AnnotationResumeRequested + " gives the conversation back"
	// LateReplyMessage: the customer wrote after the end.
	LateReplyMessage = "the customer wrote after the lead had ended: the AI is silent until the annotation " +
		v1alpha1.AnnotationResumeRequested + " gives the conversation back"
	// LeadTokenBudgetMessage: the lead's texts have used what they may.
	LeadTokenBudgetMessage = "the lead's texts have used ai.leadTokenBudget of the Store: the AI is silent until the " +
		"annotation " + v1alpha1.AnnotationResumeRequested + " gives the conversation back, with as many tokens anew"
)

// HandOffMessage is the message of a HandedOff condition that the controller writes, by its
// reason.
func HandOffMessage(reason string) string {
	switch reason {
	case v1alpha1.ReasonPaymentClaimed:
		return PaymentClaimedMessage
	case v1alpha1.ReasonLateReply:
		return LateReplyMessage
	case v1alpha1.ReasonLeadTokenBudget:
		return LeadTokenBudgetMessage
	default:
		return CustomerAskedMessage
	}
}
