package dialects

import (
	"bytes"
	"encoding/json"
	"strings"

	"cartrecovery.dev/operator/internal/phone"
)

// dialect is one gateway's way of telling things.
type dialect struct {
	// matches looks at the names of a delivery's top-level fields.
	matches func(has func(name string) bool) bool
	parse   func(body []byte) ([]Message, error)
}

// known is every dialect that is understood; the first that matches reads the delivery.
// A new dialect is one file and one line here.
var known = []dialect{
	{matchesUAZAPI, parseUAZAPI},
	{matchesLegacy, parseLegacy},
}

// Parse reads a gateway's delivery; its shape tells the dialect. A delivery can tell
// several things, such as the receipts of several messages. The error is an
// *InputError.
func Parse(body []byte) ([]Message, error) {
	var top map[string]json.RawMessage
	if err := json.Unmarshal(withoutBOM(body), &top); err != nil || top == nil {
		return nil, &InputError{Expected: "a JSON object"}
	}
	has := func(name string) bool { _, found := top[name]; return found }
	for _, dialect := range known {
		if dialect.matches(has) {
			return dialect.parse(withoutBOM(body))
		}
	}
	return nil, &InputError{Expected: "a delivery of a known gateway"}
}

func withoutBOM(body []byte) []byte {
	return bytes.TrimPrefix(body, []byte("\ufeff"))
}

// decode reads a delivery into its dialect's shape. The types of the shapes take
// whatever they find, so that only broken JSON fails.
func decode(body []byte, shape any) error {
	if json.Unmarshal(body, shape) != nil {
		return &InputError{Expected: "a JSON object"}
	}
	return nil
}

// whereFrom tells why a chat is none of a single customer; "" when it is one.
func whereFrom(chats ...string) (reason string) {
	for _, chat := range chats {
		_, server, _ := strings.Cut(strings.ToLower(chat), "@")
		switch server {
		case "g.us":
			return ReasonGroup
		case "broadcast", "newsletter":
			return ReasonBroadcast
		}
	}
	return ""
}

// firstPhone returns the phone of the first id that holds one; "" when none does.
func firstPhone(jids ...string) string {
	for _, jid := range jids {
		if digits, ok := phone.FromJID(jid); ok {
			return digits
		}
	}
	return ""
}
