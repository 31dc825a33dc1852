package formats

import (
	"slices"
	"strings"

	"cartrecovery.dev/operator/internal/lax"
)

// maxQuoteParts bounds the objects that are looked into for the message that is quoted.
const maxQuoteParts = 64

// quoted finds the id of the message that one answers to: the stanzaId of the contextInfo,
// which is in the type of the message (extendedTextMessage, buttonsResponseMessage …), however
// often that is wrapped. What the quoted message quoted itself is not looked at.
func quoted(data lax.Value) string {
	if !strings.Contains(data.Raw(), "tanza") { // most quote nothing, and need not be gone through
		return ""
	}
	left := maxQuoteParts
	return quotedIn(data, 0, &left)
}

func quotedIn(data lax.Value, depth int, left *int) string {
	from := data.Object()
	if *left--; from == nil || *left < 0 || depth > maxDepth {
		return ""
	}
	if id := contextID(from); id != "" {
		return id
	}
	for _, name := range messagesOf(from) {
		if id := quotedIn(from.At(name), depth+1, left); id != "" {
			return id
		}
	}
	return ""
}

// contextID returns the quoted id of the contextInfo beside these fields.
func contextID(from fields) string {
	for _, name := range []string{"contextInfo", "ContextInfo"} {
		about := from.Child(name)
		for _, id := range []string{"stanzaId", "stanzaID", "StanzaID", "StanzaId", "stanza_id"} {
			if found := unowned(about.Word(id)); found != "" {
				return found
			}
		}
	}
	return ""
}

// maxTypes bounds the fields of an object that are taken for messages; real ones have one or two.
const maxTypes = 16

// messagesOf are the names of the fields that can hold a message, in their order, at most
// maxTypes.
func messagesOf(f fields) []string {
	var names []string
	for name, data := range f.Each() {
		if data.Kind() == lax.Object && holdsMessage(name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	return names[:min(len(names), maxTypes)]
}

// holdsMessage says whether a field of this name can hold a message.
func holdsMessage(name string) bool {
	lower := strings.ToLower(name)
	return strings.Contains(lower, "message") && !strings.HasPrefix(lower, "quoted") &&
		!strings.HasSuffix(lower, "contextinfo") && !strings.HasSuffix(lower, "key") &&
		!strings.HasSuffix(lower, "history")
}
