package policy

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// optOutWords stop everything for a customer, in every store (the words that integrators
// of WhatsApp gateways use in Brazil, and the English ones).
var optOutWords = []string{
	"parar", "pare", "sair", "cancelar", "remover", "descadastrar", "stop", "unsubscribe",
}

// OptsOut says whether a customer's message, as a whole, is one of the built-in opt-out
// words or the policy's own; case, accents and punctuation do not matter.
func (p *Policy) OptsOut(text string) bool {
	said := plainWords(text)
	if said == "" {
		return false
	}
	return slices.Contains(optOutWords, said) || slices.ContainsFunc(p.OptOutKeywords, func(word string) bool {
		return plainWords(word) == said
	})
}

// plainWords is a text in lower case without accents, punctuation and superfluous space.
func plainWords(text string) string {
	plain := strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Mn, r):
			return -1
		case unicode.IsLetter(r), unicode.IsDigit(r):
			return unicode.ToLower(r)
		default:
			return ' '
		}
	}, norm.NFD.String(strings.ToValidUTF8(text, " ")))
	return strings.Join(strings.Fields(plain), " ")
}
