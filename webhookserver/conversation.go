package webhookserver

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	apimeta "k8s.io/apimachinery/pkg/api/meta"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/phone"
	"cartrecovery.dev/operator/webhookserver/dialects"
)

// This file decides which lead a customer's message belongs to, and what it changes there.
// Pure functions.

const (
	maxMessageID = 160
	maxMedia     = 32
	// brazilFull is how many digits a Brazilian mobile has with its ninth digit.
	brazilFull = 13
)

// messageID is the id that a customer's message has in the conversation. A gateway that
// gives none, or one that is too long, gets one that the same message always has.
func messageID(message *dialects.Message) string {
	if message.ID != "" && utf8.RuneCountInString(message.ID) <= maxMessageID {
		return message.ID
	}
	parts := []string{message.ID, message.Phone, message.Text, message.Media, message.At.UTC().Format(time.RFC3339Nano)}
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return "sha256-" + hex.EncodeToString(sum[:16])
}

// settle finds the lead that a customer's message belongs to. leads are those with the
// customer's phone key in the store of the instance; without a lead the outcome says why.
func settle(leads []v1alpha1.CartRecovery, instance string, message *dialects.Message) (*v1alpha1.CartRecovery, outcome) {
	id := messageID(message)
	var open, contacted []*v1alpha1.CartRecovery
	for i := range leads {
		each := &leads[i]
		if lead.Find(each.Status.Conversation, id) != nil {
			return nil, outcome{Result: resultUnchanged, Lead: each.Name}
		}
		if lead.Finished(each) || each.DeletionTimestamp != nil || !mayBeFrom(each, message.Phone) {
			continue
		}
		open = append(open, each)
		if !lastContact(each).IsZero() {
			contacted = append(contacted, each)
		}
	}
	switch {
	case len(open) == 0:
		return nil, ignored(ignoredNoOpenLead)
	case len(contacted) == 0:
		return nil, ignored(ignoredNoConversation)
	}
	contacted = preferring(contacted, instance)
	for _, each := range contacted {
		if fullNumber(each.Spec.Customer.Phone) != fullNumber(contacted[0].Spec.Customer.Phone) {
			return nil, ignored(ignoredAmbiguous)
		}
	}
	return slices.MaxFunc(contacted, func(a, b *v1alpha1.CartRecovery) int {
		return lastContact(a).Compare(lastContact(b))
	}), outcome{}
}

// mayBeFrom says whether a message of this number, with a lead's phone key, can be of the
// lead's customer. A number with the ninth digit is whole; one without it can be that of
// a landline or of an old account of a mobile.
func mayBeFrom(recovery *v1alpha1.CartRecovery, number string) bool {
	digits := phone.Digits(number)
	if len(digits) != brazilFull || !strings.HasPrefix(digits, "55") {
		return true
	}
	return fullNumber(recovery.Spec.Customer.Phone) == fullNumber(digits)
}

// preferring keeps the leads whose conversation is on this instance, all when there is
// none.
func preferring(leads []*v1alpha1.CartRecovery, instance string) []*v1alpha1.CartRecovery {
	var there []*v1alpha1.CartRecovery
	for _, each := range leads {
		if ref := each.Status.InstanceRef; ref != nil && ref.Name == instance {
			there = append(there, each)
		}
	}
	if len(there) > 0 {
		return there
	}
	return leads
}

// lastContact is when the customer last got a message of ours, or may have got one: an
// answer can be faster than the gateway's word that our message went. Zero when never.
func lastContact(recovery *v1alpha1.CartRecovery) time.Time {
	var last time.Time
	for i := range recovery.Status.Conversation {
		message := &recovery.Status.Conversation[i]
		if message.Role != v1alpha1.RoleAssistant {
			continue
		}
		switch message.State {
		case v1alpha1.MessageSent, v1alpha1.MessageClaimed, v1alpha1.MessageUnknown:
		default:
			continue
		}
		at := message.At.Time
		if message.SentAt != nil {
			at = message.SentAt.Time
		}
		if at.After(last) {
			last = at
		}
	}
	return last
}

// hear adds a customer's message to a lead's conversation; false when there is nothing to
// add, or the lead is over.
func hear(recovery *v1alpha1.CartRecovery, message *dialects.Message, now time.Time) bool {
	id := messageID(message)
	if lead.Finished(recovery) || lead.Find(recovery.Status.Conversation, id) != nil {
		return false
	}
	status := &recovery.Status
	status.Conversation = lead.Append(status.Conversation, v1alpha1.Message{
		ID: id, Role: v1alpha1.RoleCustomer, Cycle: status.Cycle,
		Text:  bounded(message.Text, v1alpha1.MaxMessageLength),
		Media: bounded(message.Media, maxMedia),
		At:    v1alpha1.NewTimestamp(now),
	})
	reason := ""
	if succeeded := apimeta.FindStatusCondition(status.Conditions, v1alpha1.ConditionSucceeded); succeeded != nil {
		reason = succeeded.Reason
	}
	status.Phase = lead.PhaseOf(recovery, reason)
	return true
}
