package webhookserver

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/phone"
	"cartrecovery.dev/operator/webhookserver/dialects"
)

// This file decides which leads a message belongs to, and what it changes there. Pure
// functions.

const (
	maxMessageID = 160
	maxMedia     = 32
	maxReaction  = 32
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

// settle finds the lead that a customer's message belongs to, or the one that has it where
// it was edited. leads are those with the customer's phone key in the store of the
// instance; without a lead the outcome says why. Of a hidden number only a message that is
// known is the customer's: whoever else edited something is not guessed.
func settle(leads []v1alpha1.CartRecovery, instance string, message *dialects.Message) (*v1alpha1.CartRecovery, outcome) {
	id := messageID(message)
	var open, contacted []*v1alpha1.CartRecovery
	for i := range leads {
		each := &leads[i]
		switch {
		case isOurs(each, id):
			return nil, outcome{Result: resultIgnored, Reason: ignoredOwn, Lead: each.Name}
		case lead.Find(each.Status.Conversation, id) != nil:
			return onKnown(each, message)
		case !isOpen(each), message.Phone == "", !mayBeFrom(each, message.Phone):
			continue
		}
		open = append(open, each)
		if !lastContact(each).IsZero() {
			contacted = append(contacted, each)
		}
	}
	switch {
	case message.Phone == "":
		return nil, unmatched(dialects.ReasonNoPhone)
	case len(open) == 0:
		return nil, unmatched(ignoredNoOpenLead)
	case len(contacted) == 0:
		return nil, unmatched(ignoredNoConversation)
	}
	contacted = preferring(contacted, instance)
	if !oneNumber(contacted) {
		return nil, ignored(ignoredAmbiguous)
	}
	return slices.MaxFunc(contacted, func(a, b *v1alpha1.CartRecovery) int {
		return lastContact(a).Compare(lastContact(b))
	}), outcome{}
}

// isOurs says whether a lead's message of this id is the AI's or a person's of the store.
func isOurs(recovery *v1alpha1.CartRecovery, id string) bool {
	known := lead.Find(recovery.Status.Conversation, id)
	if known == nil {
		known = atGateway(recovery, id)
	}
	return known != nil && known.Role != v1alpha1.RoleCustomer
}

// editsOurs says whether a message, told as if the customer had written it, is an edit of one
// of ours: where the number is hidden, Evolution's messages.edited does not tell who edited.
// A gateway that says it was the customer is believed.
func editsOurs(leads []v1alpha1.CartRecovery, message *dialects.Message) bool {
	return message.Kind == dialects.Edited && message.Phone == "" &&
		slices.ContainsFunc(leads, func(each v1alpha1.CartRecovery) bool { return isOurs(&each, message.ID) })
}

// onKnown is what a message means to a lead that has one of its id.
func onKnown(recovery *v1alpha1.CartRecovery, message *dialects.Message) (*v1alpha1.CartRecovery, outcome) {
	switch {
	case message.Kind != dialects.Edited:
		return nil, outcome{Result: resultUnchanged, Lead: recovery.Name}
	case !isOpen(recovery):
		return nil, outcome{Result: resultIgnored, Reason: ignoredAlreadyFinished, Lead: recovery.Name}
	}
	return recovery, outcome{}
}

// isOpen says whether a lead is worked on.
func isOpen(recovery *v1alpha1.CartRecovery) bool {
	return !lead.Finished(recovery) && recovery.DeletionTimestamp == nil
}

// oneNumber says whether leads with one phone key are all of one number.
func oneNumber(leads []*v1alpha1.CartRecovery) bool {
	return !slices.ContainsFunc(leads, func(each *v1alpha1.CartRecovery) bool {
		return !lead.SamePhone(each.Spec.Customer.Phone, leads[0].Spec.Customer.Phone)
	})
}

// mayBeFrom says whether a message of this number, with a lead's phone key, can be of the
// lead's customer. A number with the ninth digit is whole; one without it can be that of
// a landline or of an old account of a mobile.
func mayBeFrom(recovery *v1alpha1.CartRecovery, number string) bool {
	digits := phone.Digits(number)
	if len(digits) != brazilFull || !strings.HasPrefix(digits, "55") {
		return true
	}
	return lead.SamePhone(recovery.Spec.Customer.Phone, digits)
}

// isOf says whether a message of this number, "" when it is hidden, can be of the lead's
// customer.
func isOf(recovery *v1alpha1.CartRecovery, number string) bool {
	return number == "" || phone.Key(number) == phone.Key(recovery.Spec.Customer.Phone) && mayBeFrom(recovery, number)
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
		if !lead.MayHaveGone(message) {
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

// take brings what a customer wrote into a lead's conversation: a message is added, one
// that was edited is changed, and added where it was not known; that it was sent before it
// was edited then changes nothing any more.
func take(recovery *v1alpha1.CartRecovery, message *dialects.Message, now time.Time) bool {
	if isOurs(recovery, messageID(message)) {
		return false
	}
	if known := lead.Find(recovery.Status.Conversation, messageID(message)); known != nil {
		return message.Kind == dialects.Edited && edit(recovery, known, message, now)
	}
	return message.Phone != "" && hear(recovery, message, now)
}

// hear adds a customer's message to a lead's conversation; false when there is nothing to
// add, or the lead is over.
func hear(recovery *v1alpha1.CartRecovery, message *dialects.Message, now time.Time) bool {
	if lead.Finished(recovery) || lead.Find(recovery.Status.Conversation, messageID(message)) != nil {
		return false
	}
	status := &recovery.Status
	status.Conversation = lead.Append(status.Conversation, entry(recovery, v1alpha1.RoleCustomer, message, now))
	reason := ""
	if succeeded := apimeta.FindStatusCondition(status.Conditions, v1alpha1.ConditionSucceeded); succeeded != nil {
		reason = succeeded.Reason
	}
	status.Phase = lead.PhaseOf(recovery, reason)
	return true
}

// entry is what somebody wrote, as the conversation keeps it.
func entry(recovery *v1alpha1.CartRecovery, role v1alpha1.Role, message *dialects.Message, now time.Time) v1alpha1.Message {
	return v1alpha1.Message{
		ID: messageID(message), Role: role, Cycle: recovery.Status.Cycle,
		Text:  bounded(message.Text, v1alpha1.MaxMessageLength),
		Media: bounded(message.Media, maxMedia),
		At:    v1alpha1.NewTimestamp(now),
	}
}

// edit changes the text of a message of the conversation. It keeps its id and its place, so
// that it is not answered again. EditedAt is when the edit came in, as all that is compared
// with our own times must be.
func edit(recovery *v1alpha1.CartRecovery, known *v1alpha1.Message, message *dialects.Message, now time.Time) bool {
	text := bounded(message.Text, v1alpha1.MaxMessageLength)
	if lead.Finished(recovery) || text == known.Text || overtaken(known, message.At) {
		return false
	}
	edited := v1alpha1.NewTimestamp(now)
	known.Text, known.EditedAt = text, &edited
	return true
}

// overtaken says whether an edit of this time, as WhatsApp tells it, is from before the last
// one. The clocks differ, and an opt-out must not be lost for it, so within clockSkew the last
// to come in counts; some gateways tell the time of the original, which says nothing.
func overtaken(known *v1alpha1.Message, at time.Time) bool {
	return known.EditedAt != nil && !at.Before(known.At.Time) && at.Add(clockSkew).Before(known.EditedAt.Time)
}

// react sets or removes the customer's reaction to a message, ours or the customer's own.
func react(recovery *v1alpha1.CartRecovery, message *dialects.Message) bool {
	target := atGateway(recovery, message.Target)
	reaction := bounded(message.Text, maxReaction)
	if target == nil || lead.Finished(recovery) || target.Reaction == reaction {
		return false
	}
	target.Reaction = reaction
	return true
}

// atGateway finds the message that has this id at the gateway; nil when there is none.
func atGateway(recovery *v1alpha1.CartRecovery, id string) *v1alpha1.Message {
	for i := range recovery.Status.Conversation {
		message := &recovery.Status.Conversation[i]
		known := message.ID
		if message.Role == v1alpha1.RoleAssistant {
			known = message.GatewayID
		}
		if known == id && id != "" {
			return message
		}
	}
	return nil
}

// isEcho says whether a message of the paired number is one that we sent: it has the id
// that the gateway gave one of ours or, of one whose id is not known, says what it says. Not
// every gateway tells our messages from those a person writes, and the message can be faster
// than the gateway's word that it went. An edit of ours is one while it says what we sent.
func isEcho(recovery *v1alpha1.CartRecovery, message *dialects.Message) bool {
	text := gist(message.Text)
	for i := range recovery.Status.Conversation {
		ours := &recovery.Status.Conversation[i]
		if ours.Role != v1alpha1.RoleAssistant {
			continue
		}
		same := text != "" && gist(ours.Text) == text
		switch {
		case ours.GatewayID == "" && same && lead.MayHaveGone(ours):
			return true
		case ours.GatewayID != "" && ours.GatewayID == message.ID:
			return message.Kind != dialects.Edited || text == "" || same
		}
	}
	return false
}

// gist is a text without what gateways change in it: space, and the invisible
// character that keeps them from substituting what looks like a variable.
func gist(text string) string {
	text = strings.ReplaceAll(text, "\u2060", "")
	return bounded(strings.Join(strings.Fields(text), " "), v1alpha1.MaxMessageLength)
}

// handOver gives a conversation to the person who wrote to the customer from the paired
// phone, or changed there what the AI wrote. false when the message is known already, is ours,
// or the lead is over.
func handOver(recovery *v1alpha1.CartRecovery, message *dialects.Message, now time.Time) bool {
	if !isOpen(recovery) || isEcho(recovery, message) {
		return false
	}
	known := atGateway(recovery, message.ID)
	if known == nil {
		known = lead.Find(recovery.Status.Conversation, messageID(message))
	}
	switch {
	case known == nil:
		recovery.Status.Conversation = lead.Append(recovery.Status.Conversation, entry(recovery, v1alpha1.RoleOperator, message, now))
	case message.Kind != dialects.Edited, known.Role == v1alpha1.RoleCustomer, !edit(recovery, known, message, now):
		return false
	case known.Role == v1alpha1.RoleOperator:
		return true
	}
	handOff(recovery, now)
	return true
}

// handOff says in a lead's conditions that a person has its conversation, and that nothing
// else comes next.
func handOff(recovery *v1alpha1.CartRecovery, now time.Time) {
	recovery.Status.NextActionTime = nil
	recovery.Status.NextAction = &v1alpha1.NextAction{Action: "Wait", Reason: lead.HandedOffMessage}
	apimeta.SetStatusCondition(&recovery.Status.Conditions, metav1.Condition{
		Type: v1alpha1.ConditionHandedOff, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonOperatorWrote,
		Message:            lead.HandedOffMessage,
		ObservedGeneration: recovery.Generation, LastTransitionTime: metav1.NewTime(now.UTC().Truncate(time.Second)),
	})
}

// planHandOver decides on a message of the paired number itself: the leads that a person
// takes over with it, or why there are none. leads are those with the customer's phone key
// in the store.
func planHandOver(leads []v1alpha1.CartRecovery, message *dialects.Message) ([]*v1alpha1.CartRecovery, outcome) {
	var open []*v1alpha1.CartRecovery
	for i := range leads {
		each := &leads[i]
		switch {
		case !mayBeFrom(each, message.Phone):
		case isEcho(each, message):
			return nil, outcome{Result: resultIgnored, Reason: dialects.ReasonSentByAPI, Lead: each.Name}
		case isOpen(each):
			open = append(open, each)
		}
	}
	switch {
	case len(open) == 0:
		return nil, ignored(ignoredOwn)
	case !oneNumber(open):
		return nil, ignored(ignoredAmbiguous)
	}
	return open, outcome{}
}
