package dialects

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// maxQuoteParts bounds the objects that are looked into for the message that is quoted.
const maxQuoteParts = 64

// quoted finds the id of the message that one answers to: the stanzaId of the contextInfo,
// which is in the type of the message (extendedTextMessage, buttonsResponseMessage …), however
// often that is wrapped. What the quoted message quoted itself is not looked at.
func quoted(data json.RawMessage) string {
	left := maxQuoteParts
	return quotedIn(data, 0, &left)
}

func quotedIn(data json.RawMessage, depth int, left *int) string {
	from := fieldsOf(data)
	if *left--; from == nil || *left < 0 || depth > maxDepth {
		return ""
	}
	if id := contextID(from); id != "" {
		return id
	}
	for _, name := range slices.Sorted(maps.Keys(from)) {
		if !holdsMessage(name) || len(from[name]) == 0 || from[name][0] != '{' {
			continue
		}
		if id := quotedIn(from[name], depth+1, left); id != "" {
			return id
		}
	}
	return ""
}

// contextID returns the quoted id of the contextInfo beside these fields.
func contextID(from fields) string {
	for _, name := range []string{"contextInfo", "ContextInfo"} {
		about := fieldsOf(from[name])
		for _, id := range []string{"stanzaId", "stanzaID", "StanzaID", "stanza_id"} {
			if found := unowned(about.text(id)); found != "" {
				return found
			}
		}
	}
	return ""
}

// holdsMessage says whether a field of this name can hold a message.
func holdsMessage(name string) bool {
	lower := strings.ToLower(name)
	return strings.Contains(lower, "message") && !strings.HasPrefix(lower, "quoted") && !strings.HasSuffix(lower, "contextinfo") &&
		!strings.HasSuffix(lower, "key") && !strings.HasSuffix(lower, "history")
}
