package story

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/phone"
)

// This file looks for what must not be told: in what a process logs, counts and tells of.

const (
	// shortest is how long something must be to be looked for: shorter things are in other words, too.
	shortest = 5
	// telling is how long a part of a text must be to tell of it.
	telling = 16
)

// hidden is something that must not be told.
type hidden struct {
	// what it is; the value itself is not shown.
	what, value string
	// isNumber has it found with anything between its digits.
	isNumber bool
}

// writings are the ways in which a value can stand somewhere.
func (h hidden) writings() map[string]string {
	ways := map[string]string{
		"as it is": strings.ToLower(h.value), "in a query": strings.ToLower(url.QueryEscape(h.value)),
		"in a path": strings.ToLower(url.PathEscape(h.value)), "in hex": hex.EncodeToString([]byte(h.value)),
	}
	quoted := inJSON(h.value)
	ways["in JSON"] = strings.ToLower(quoted)
	var ascii strings.Builder
	for _, r := range quoted {
		if r < 128 {
			ascii.WriteRune(r)
			continue
		}
		ascii.WriteString(`\u` + hex.EncodeToString([]byte{byte(r >> 8), byte(r)}))
	}
	ways["in JSON of ASCII"] = strings.ToLower(ascii.String())
	return ways
}

// inJSON is a value as JSON has it between quotation marks.
func inJSON(value string) string {
	quoted, err := json.Marshal(value)
	if err != nil {
		return value
	}
	return string(quoted[1 : len(quoted)-1])
}

// inBase64 are the parts of a value that its base64 has wherever it begins in what was encoded.
func (h hidden) inBase64() map[string]string {
	ways := map[string]string{}
	for offset, name := range []string{"in base64", "in base64, one byte on", "in base64, two bytes on"} {
		padded := append(make([]byte, offset), h.value...)
		// Whole groups of three bytes of the value alone.
		from, to := (offset+2)/3*3, len(padded)/3*3
		if to-from < 6 {
			continue
		}
		ways[name] = base64.StdEncoding.EncodeToString(padded[from:to])
		ways[name+", for URLs"] = base64.URLEncoding.EncodeToString(padded[from:to])
	}
	return ways
}

var betweenDigits = regexp.MustCompile(`[ ().+-]+`)

// leaks says what of the hidden a text tells, and how.
func leaks(text string, all []hidden) []string {
	lower, squeezed := strings.ToLower(text), betweenDigits.ReplaceAllString(text, "")
	var found []string
	add := func(h hidden, how string) {
		if told := h.what + ", " + how; !slices.Contains(found, told) {
			found = append(found, told)
		}
	}
	for _, each := range all {
		if len(each.value) < shortest {
			continue
		}
		for how, writing := range each.writings() {
			if strings.Contains(lower, writing) {
				add(each, how)
			}
		}
		for how, writing := range each.inBase64() {
			if strings.Contains(text, writing) {
				add(each, how)
			}
		}
		if each.isNumber && strings.Contains(squeezed, each.value) {
			add(each, "with other signs between the digits")
		}
	}
	slices.Sort(found)
	return found
}

// hiddenOf are all ways to tell who a customer is.
func hiddenOf(who customer) []hidden {
	all := []hidden{{what: who.name + "'s name", value: who.name}, {what: who.name + "'s address", value: who.email}}
	for part := range strings.FieldsSeq(who.name) {
		all = append(all, hidden{what: who.name + "'s name in part", value: part})
	}
	return append(all, numbersOf(who.name, who.phone)...)
}

// numbersOf are the ways to write a number that tell whose it is.
func numbersOf(whose, number string) []hidden {
	digits := number
	if normal, ok := phone.Normalize(number, "BR"); ok {
		digits = normal
	}
	digits = phone.Digits(digits)
	all := []hidden{{what: whose + "'s number as it was given", value: number}}
	for _, form := range []string{digits, digits[2:], digits[4:], digits[len(digits)-8:], phone.Key(digits)} {
		all = append(all, hidden{what: whose + "'s number", value: form, isNumber: true})
	}
	return all
}

// hashesOf are the hashes without a key that a customer's objects are found by.
func hashesOf(who customer) []hidden {
	normal, _ := phone.Normalize(who.phone, "BR")
	return []hidden{
		{what: who.name + "'s number, hashed", value: lead.PhoneHash(normal)},
		{what: who.name + "'s address, hashed", value: lead.EmailHash(who.email)},
	}
}

// textOf is a text, whole and in parts that tell of it.
func textOf(what, text string) []hidden {
	all := []hidden{{what: what, value: text}}
	for part := range strings.FieldsFuncSeq(text, func(r rune) bool { return strings.ContainsRune("\n.!?", r) }) {
		if part = strings.TrimSpace(part); len(part) >= telling {
			all = append(all, hidden{what: what + " in part", value: part})
		}
	}
	return all
}

// TestLeaksAreFound: what is planted is found, in whatever form.
func TestLeaksAreFound(t *testing.T) {
	who := customer{"João Souza", "joao@example.com", "(21) 97777-0002"}
	all := slices.Concat(hiddenOf(who), hashesOf(who), textOf("a text", "Oi! Quanto tempo tenho de acesso?"),
		[]hidden{{what: "a token", value: "sandbox-admin-token"}})
	const log = `{"level":"debug","ts":"2026-11-29T18:00:00Z","msg":"Planned","name":"hotmart-abcdefgh"}` + "\n"
	if found := leaks(log, all); len(found) > 0 {
		t.Errorf("found in a clean log: %v", found)
	}
	encoded := func(prefix, value string) string { return base64.StdEncoding.EncodeToString([]byte(prefix + value)) }
	for name, planted := range map[string]string{
		"the name":                     "João Souza",
		"a part of it":                 "Hello Souza",
		"the name in capitals":         "JOÃO SOUZA",
		"the name in JSON of ASCII":    `Jo\u00e3o Souza`,
		"the name in a path":           "/customers/Jo%C3%A3o%20Souza",
		"the address":                  "joao@example.com",
		"the address in a query":       "email=joao%40example.com",
		"the address in base64":        encoded("", "joao@example.com"),
		"the address further on":       encoded("x", "joao@example.com"),
		"the address yet further on":   encoded("{\"", "joao@example.com\"}"),
		"the address in hex":           hex.EncodeToString([]byte("joao@example.com")),
		"the number":                   "+5521977770002",
		"the number without plus":      "5521977770002@s.whatsapp.net",
		"without the country":          "21977770002",
		"without the ninth digit":      "552177770002",
		"the last eight digits":        "…77770002",
		"as it was given":              "(21) 97777-0002",
		"in another form":              "21.97777.0002",
		"in base64":                    encoded("tel:", "5521977770002"),
		"its hash":                     lead.PhoneHash("+5521977770002"),
		"the hash of the address":      lead.EmailHash("joao@example.com"),
		"what was said":                "text: Oi! Quanto tempo tenho de acesso?",
		"a part of what was said":      "Quanto tempo tenho de acesso",
		"what was said, in base64":     encoded("1", "Oi! Quanto tempo tenho de acesso?"),
		"a token":                      "Authorization: sandbox-admin-token",
		"a token in base64 for a URL":  base64.URLEncoding.EncodeToString([]byte("??sandbox-admin-token")),
		"a token in basic credentials": encoded("user:", "sandbox-admin-token"),
	} {
		if found := leaks(log+planted+log, all); len(found) == 0 {
			t.Errorf("%s is not found", name)
		}
		if found := leaks(log+`{"error":"`+planted+`"}`, all); len(found) == 0 {
			t.Errorf("%s is not found in an error", name)
		}
	}
}
