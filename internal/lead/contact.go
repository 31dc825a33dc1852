package lead

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
)

// OptOutID is the id of the message that confirms an opt-out: one a cycle.
func OptOutID(cycle int32) string {
	return "c" + strconv.Itoa(int(cycle)) + optOut
}

// HandOffID is the id of the message that tells a customer who asked for a person, in this
// message, that one will come.
func HandOffID(cycle int32, inboundID string) string {
	sum := sha256.Sum256([]byte(inboundID))
	return "c" + strconv.Itoa(int(cycle)) + handOff + hex.EncodeToString(sum[:8])
}

// IsHandOffID says whether an id was made by HandOffID.
func IsHandOffID(id string) bool { return strings.HasPrefix(ofCycle(id), handOff) }

// PlanKey is what the place of a message among those that the quiet hours held back is drawn
// from: known before the lead has a UID, and always the same.
func PlanKey(leadName, messageID string) string { return leadName + "." + messageID }

// CustomerAskedMessage is the message of a HandedOff condition whose reason is that the
// customer asked for a person, and of its event.
const CustomerAskedMessage = "the customer asked for a person: the AI is silent until the annotation " +
	v1alpha1.AnnotationResumeRequested + " gives the conversation back"

// LastFirstContact is when a conversation of the lead was last opened, in a cycle before this one,
// by a message of the store that went or may have gone; zero when none was.
func LastFirstContact(lead *v1alpha1.CartRecovery, before int32) time.Time {
	var opened time.Time
	last := int32(-1)
	for i := range lead.Status.Conversation {
		message := &lead.Status.Conversation[i]
		if message.Cycle > last && message.Cycle < before && MayHaveGone(message) {
			opened, last = message.At.Time, message.Cycle
		}
	}
	return opened
}

// NumberOf names the WhatsAppInstance that a lead's conversation is on: the one that sent the last message that went or
// may have gone; "" when there is none.
func NumberOf(lead *v1alpha1.CartRecovery) string {
	for i := len(lead.Status.Conversation) - 1; i >= 0; i-- {
		message := &lead.Status.Conversation[i]
		if !MayHaveGone(message) {
			continue
		}
		if message.Instance == "" && lead.Status.InstanceRef != nil {
			return lead.Status.InstanceRef.Name
		}
		return message.Instance
	}
	return ""
}

// LastContact is when the customer of a lead last got a message of the store, or may have got
// one; zero when never.
func LastContact(lead *v1alpha1.CartRecovery) time.Time {
	for i := len(lead.Status.Conversation) - 1; i >= 0; i-- {
		message := &lead.Status.Conversation[i]
		if MayHaveGone(message) {
			return message.At.Time
		}
	}
	return time.Time{}
}

// MayHaveGone says whether a message is one of the store's that the gateway has sent, or may have.
func MayHaveGone(message *v1alpha1.Message) bool {
	if message.Role != v1alpha1.RoleAssistant {
		return false
	}
	switch message.State {
	case v1alpha1.MessageSent, v1alpha1.MessageUnknown, v1alpha1.MessageClaimed:
		return true
	case v1alpha1.MessageFailed, v1alpha1.MessageCancelled:
	}
	return false
}
