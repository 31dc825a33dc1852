package policy

import (
	"fmt"
	"strings"
	"unicode"

	"cartrecovery.dev/operator/api/v1alpha1"
)

// Problem says in one sentence which field of a Store's or Product's own spec.recovery cannot
// be used, and what was expected there; "" when all can. It sees what the schema cannot: own
// is what the object says, effective what holds with it. Templates are not its matter.
func Problem(own *v1alpha1.RecoveryPolicy, effective *Policy) string {
	for _, list := range []struct {
		field   string
		words   []string
		usable  func(string) bool
		expects string
	}{
		{"optOutKeywords", own.OptOutKeywords, canBeSaid, "letters or digits; nobody can be understood to say"},
		{"handOffKeywords", own.HandOffKeywords, canBeSaid, "letters or digits; nobody can be understood to say"},
		{"allowedLinkHosts", own.AllowedLinkHosts, isHost,
			"a host such as shop.example.com, without https:// and path; got"},
	} {
		for i, word := range list.words {
			if !list.usable(word) {
				return fmt.Sprintf("spec.recovery.%s[%d]: expected %s %q", list.field, i, list.expects, word)
			}
		}
	}
	return neverSends(own, effective)
}

// canBeSaid says whether a message can be understood as a keyword: one of nothing but
// punctuation is never matched.
func canBeSaid(keyword string) bool { return plainWords(keyword) != "" }

// isHost knows a host name with a domain, in any script, or an IPv4 address.
func isHost(text string) bool {
	labels := strings.Split(text, ".")
	for _, label := range labels {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		if strings.ContainsFunc(label, func(r rune) bool {
			return r != '-' && !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r)
		}) {
			return false
		}
	}
	return len(labels) > 1
}

// neverSends says which sequence has a first step that is due only when the lead has expired:
// nothing of it is ever sent.
func neverSends(own *v1alpha1.RecoveryPolicy, effective *Policy) string {
	for i := range effective.Sequences {
		sequence := &effective.Sequences[i]
		if len(sequence.Steps) == 0 || sequence.Steps[0].After.Duration < effective.ExpireAfter {
			continue
		}
		step := fmt.Sprintf("sequences[%s].steps[%s].after", sequence.Trigger, sequence.Steps[0].Name)
		if own.ExpireAfter == nil && len(own.Sequences) > 0 {
			return fmt.Sprintf("spec.recovery.%s: expected less than expireAfter, which is %s: it would never be sent",
				step, effective.ExpireAfter)
		}
		field := "spec.recovery.expireAfter"
		if own.ExpireAfter == nil {
			field = "the Store's " + field
		}
		return fmt.Sprintf("%s: expected more than %s, which is %s: it would never be sent", field, step,
			sequence.Steps[0].After.Duration)
	}
	return ""
}
