package formats

import (
	"slices"
	"strings"

	"cartrecovery.dev/operator/internal/phone"
)

// This file reads WhatsApp's ids of chats and of the paired number.

const (
	// maxChatIDs bounds Message.ChatIDs; a person has one of the phone and one hidden id.
	maxChatIDs = 4
	// maxHidden bounds the digits of a hidden id; WhatsApp's have fifteen.
	maxHidden = 24
)

// chatIDs returns the ids of persons among these, each once and in one form: without the
// device, and the server as WhatsApp itself writes it.
func chatIDs(jids ...string) []string {
	var found []string
	for _, jid := range jids {
		id := personID(jid)
		if id != "" && len(found) < maxChatIDs && !slices.Contains(found, id) {
			found = append(found, id)
		}
	}
	return found
}

// personID returns an id in its one form; "" when it is not a person's.
func personID(jid string) string {
	if digits, ok := phone.FromJID(jid); ok {
		return digits + "@s.whatsapp.net"
	}
	user, server, _ := strings.Cut(strings.TrimSpace(jid), "@")
	if server = strings.ToLower(server); server != "lid" && server != "hosted.lid" {
		return ""
	}
	user, _, _ = strings.Cut(user, ":")
	user, _, _ = strings.Cut(user, ".")
	if user == "" || len(user) > maxHidden || phone.Digits(user) != user {
		return ""
	}
	return user + "@lid"
}

// ownNumber returns the paired number out of the first of these that holds one, which is an id
// or the digits alone.
func ownNumber(values ...string) string {
	for _, value := range values {
		jid := strings.TrimSpace(value)
		if !strings.Contains(jid, "@") {
			jid = strings.TrimPrefix(jid, "+") + "@s.whatsapp.net"
		}
		if digits, ok := phone.FromJID(jid); ok {
			return digits
		}
	}
	return ""
}

// isSame says whether two ids are one person's.
func isSame(a, b string) bool {
	id := personID(a)
	return id != "" && id == personID(b)
}

// isToSelf says whether a message of the paired number went to that number.
func isToSelf(message Message) bool {
	return message.FromMe && message.Phone != "" && message.Owner != "" &&
		phone.Key(message.Phone) == phone.Key(message.Owner)
}
