package webhookserver

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/clip"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/phone"
	"cartrecovery.dev/operator/webhookserver/formats"
)

// What a message changes in the conversation of a lead. "Our" messages are those of the AI or of a person of the store.
// Pure functions.

const (
	maxMessageID = 160
	maxReaction  = 32
	maxChatID    = 64
	maxChatIDs   = 8
	// brazilFull is how many digits a Brazilian mobile has with its ninth digit.
	brazilFull = 13
)

// messageID is the id that a customer's message has in the conversation. A gateway that
// gives none, or one that is too long, gets one that the same message always has.
func messageID(message *formats.Message) string {
	if _, long := lead.Clip(message.ID, maxMessageID, maxMessageID); message.ID != "" && !long {
		return message.ID
	}
	parts := []string{message.ID, message.Phone, message.Text, message.Media, message.At.UTC().Format(time.RFC3339Nano)}
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return "sha256-" + hex.EncodeToString(sum[:16])
}

// isOurs says whether a lead's message of this id is the AI's or a person's of the store.
func isOurs(recovery *v1alpha1.CartRecovery, id string) bool {
	known := lead.Find(recovery.Status.Conversation, id)
	if known == nil {
		known = atGateway(recovery, id)
	}
	return known != nil && known.Role != v1alpha1.RoleCustomer
}

// editsOurs says whether a message that seems to be the customer's is an edit of one of our messages. Where the number
// is hidden, Evolution's messages.edited does not tell who edited. A gateway that says it was the customer is believed.
func editsOurs(leads []v1alpha1.CartRecovery, message *formats.Message) bool {
	return message.Kind == formats.Edited && message.Phone == "" &&
		slices.ContainsFunc(leads, func(each v1alpha1.CartRecovery) bool { return isOurs(&each, message.ID) })
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
// lead's customer. In Brazil a number with the ninth digit is whole; one without it can be that
// of a landline or of an old account of a mobile.
func mayBeFrom(recovery *v1alpha1.CartRecovery, number string) bool {
	digits := phone.Digits(number)
	if strings.HasPrefix(digits, "55") && len(digits) < brazilFull {
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

// lastContact is when the customer last got, or may have got, one of our messages; zero when never. An answer can be
// faster than the gateway's confirmation that our message went.
func lastContact(recovery *v1alpha1.CartRecovery) time.Time {
	var last time.Time
	for i := range recovery.Status.Conversation {
		message := &recovery.Status.Conversation[i]
		if !lead.MayHaveGone(message) {
			continue
		}
		if at := wentAt(message); at.After(last) {
			last = at
		}
	}
	return last
}

// wentAt is when one of our messages went or, where that is not known, was claimed.
func wentAt(ours *v1alpha1.Message) time.Time {
	if ours.SentAt != nil {
		return ours.SentAt.Time
	}
	return ours.At.Time
}

// take writes a customer's message into a lead's conversation. A new message is added. An edit changes its message, or
// adds it where it is not known; the original, if it comes later, then changes nothing. An edit from a hidden number of
// a message that is not known is not taken, because nobody can tell who edited.
func take(recovery *v1alpha1.CartRecovery, message *formats.Message, instance string, now time.Time) bool {
	if isOurs(recovery, messageID(message)) {
		return false
	}
	if known := lead.Find(recovery.Status.Conversation, messageID(message)); known != nil {
		return message.Kind == formats.Edited && editIn(recovery, known, message, now)
	}
	return (message.Phone != "" || message.Kind != formats.Edited) && hear(recovery, message, instance, now)
}

// hear adds a customer's message to a lead's conversation, in every state of the lead: before our first message it
// begins the conversation, and after the end the policy says what follows. It is false when the message is known.
func hear(recovery *v1alpha1.CartRecovery, message *formats.Message, instance string, now time.Time) bool {
	if lead.Find(recovery.Status.Conversation, messageID(message)) != nil {
		return false
	}
	status := &recovery.Status
	greetedAhead(recovery, message, now)
	added := entry(recovery, v1alpha1.RoleCustomer, message, now)
	added.Instance = instance
	added.Automatic = isAutomaticAnswer(recovery, message, now)
	status.Conversation = lead.Append(status.Conversation, added)
	learnChats(recovery, message.ChatIDs)
	lead.Summarize(recovery, lead.SucceededReason(recovery), now)
	return true
}

// unhear removes a customer's message, and the chats that were learned from it, from a conversation that it does not
// belong to. It is false when somebody else has written since, or the message is not there. before is the lead without
// the message.
func unhear(recovery, before *v1alpha1.CartRecovery, message *formats.Message) bool {
	conversation := recovery.Status.Conversation
	for i := len(conversation) - 1; i >= 0 && conversation[i].Role == v1alpha1.RoleCustomer; i-- {
		if conversation[i].ID == messageID(message) {
			recovery.Status.Conversation = slices.Delete(slices.Clone(conversation), i, i+1)
			unlearnChats(recovery, before, message.ChatIDs)
			return true
		}
	}
	return false
}

// learnChats keeps the ids of the chat of a message from or to the customer; the oldest go first.
func learnChats(recovery *v1alpha1.CartRecovery, chatIDs []string) (changed bool) {
	known := recovery.Status.ChatIDs
	for _, id := range chatIDs {
		if id != "" && len(id) <= maxChatID && !slices.Contains(known, id) {
			known, changed = append(slices.Clip(known), id), true
		}
	}
	recovery.Status.ChatIDs = known[max(0, len(known)-maxChatIDs):]
	return changed
}

// unlearnChats takes the chats off a lead that it did not have before.
func unlearnChats(recovery, before *v1alpha1.CartRecovery, chatIDs []string) {
	recovery.Status.ChatIDs = slices.DeleteFunc(slices.Clone(recovery.Status.ChatIDs), func(id string) bool {
		return slices.Contains(chatIDs, id) && !slices.Contains(before.Status.ChatIDs, id)
	})
}

// withoutLearned returns the leads without the chats that the lead which has a message learned from it: to know the
// chat from this very message is no reason to keep the message.
func withoutLearned(
	leads []v1alpha1.CartRecovery, before *v1alpha1.CartRecovery, message *formats.Message,
) []v1alpha1.CartRecovery {
	leads = slices.Clone(leads)
	if has := leadNamed(leads, before.Name); has != nil {
		unlearnChats(has, before, message.ChatIDs)
	}
	return leads
}

// entry is a message as the conversation keeps it.
func entry(
	recovery *v1alpha1.CartRecovery, role v1alpha1.Role, message *formats.Message, now time.Time,
) v1alpha1.Message {
	text, shortened := kept(message.Text)
	return v1alpha1.Message{
		ID: messageID(message), Role: role, Cycle: recovery.Status.Cycle,
		Text: text, Shortened: shortened,
		Media: message.Media,
		At:    v1alpha1.NewTimestamp(now),
	}
}

// kept is the part of a text that a message keeps, and whether the text was shortened.
func kept(text string) (clipped string, shortened bool) {
	return lead.Clip(text, v1alpha1.MaxMessageLength, v1alpha1.MaxMessageBytes)
}

// edit changes the text of a message of the conversation. It keeps its id and its place, so
// that it is not answered again. EditedAt is when the edit came in, as all that is compared
// with our own times must be.
func edit(known *v1alpha1.Message, message *formats.Message, now time.Time) bool {
	text, shortened := kept(message.Text)
	if text == known.Text || known.EditedAt != nil && lead.SameText(known, text) || overtaken(known, message.At) {
		return false
	}
	edited := v1alpha1.NewTimestamp(now)
	known.Text, known.Shortened, known.EditedAt = text, shortened, &edited
	return true
}

// editIn is edit, and keeps the conversation within its bounds.
func editIn(recovery *v1alpha1.CartRecovery, known *v1alpha1.Message, message *formats.Message, now time.Time) bool {
	if !edit(known, message, now) {
		return false
	}
	recovery.Status.Conversation = lead.Bounded(recovery.Status.Conversation)
	return true
}

// overtaken says whether an edit made at this time, by WhatsApp's clock, is older than the last one. Clocks differ, and
// an opt-out must not be lost for that, so within clockSkew the edit that came in last counts. Some gateways tell the
// time of the original instead, which says nothing.
func overtaken(known *v1alpha1.Message, at time.Time) bool {
	return known.EditedAt != nil && !at.Before(known.At.Time) && at.Add(clockSkew).Before(known.EditedAt.Time)
}

// react sets or removes the customer's reaction to a message of either side.
func react(recovery *v1alpha1.CartRecovery, message *formats.Message) bool {
	target := atGateway(recovery, message.Target)
	reaction := clip.Characters(message.Text, maxReaction)
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

// echoWindow is how long after one of our messages the same text to the same customer is that message: a gateway can
// report it under another id than it gave us.
const echoWindow = 10 * time.Minute

// isEcho says whether a message of the paired number is one that the AI sent. It is when it has the gateway's id of
// such a message, or the text of one whose id is not known or that went within echoWindow. Not every gateway tells our
// messages from those that a person writes, and the report can be faster than the confirmation of the call. An edit is
// an echo as long as it has the text that was sent.
func isEcho(recovery *v1alpha1.CartRecovery, message *formats.Message, now time.Time) bool {
	text, found := gist(message.Text), false
	for i := range recovery.Status.Conversation {
		ours := &recovery.Status.Conversation[i]
		if ours.Role != v1alpha1.RoleAssistant {
			continue
		}
		same := text != "" && saysGist(ours, text)
		if ours.GatewayID != "" && ours.GatewayID == message.ID {
			return message.Kind != formats.Edited || text == "" || same
		}
		recent := ours.GatewayID == "" || message.Kind != formats.Edited && now.Sub(wentAt(ours)) <= echoWindow
		found = found || same && recent && lead.MayHaveGone(ours)
	}
	return found
}

// saysGist says whether one of our messages has this gist, as far as its text was kept.
func saysGist(ours *v1alpha1.Message, text string) bool {
	whole := *ours
	whole.Text = gist(ours.Text)
	return lead.SameText(&whole, text)
}

// gist is a text without what gateways change: white space, and the invisible character that keeps them from replacing
// what looks like a variable.
func gist(text string) string {
	text = strings.ReplaceAll(text, "\u2060", "")
	return clip.Characters(strings.Join(strings.Fields(text), " "), v1alpha1.MaxMessageLength)
}
