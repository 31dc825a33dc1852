package policy

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// The languages of the built-in words (ISO 639-1).
const (
	Portuguese = "pt"
	Spanish    = "es"
	English    = "en"
)

// Languages are the languages of the built-in words, in the order of the documentation.
func Languages() []string { return []string{Portuguese, Spanish, English} }

// phrases are whole messages by language. Each stands in one language only, the first in
// which it is usual.
type phrases map[string][]string

// sorted is a sorted copy of the phrases of some languages; of all where none is named.
func (p phrases) sorted(languages []string) []string {
	if len(languages) == 0 {
		languages = Languages()
	}
	var chosen []string
	for _, language := range languages {
		chosen = append(chosen, p[language]...)
	}
	slices.Sort(chosen)
	return chosen
}

// plain is the set of the phrases as messages are compared.
func (p phrases) plain() map[string]bool {
	set := map[string]bool{}
	for _, phrase := range p.sorted(nil) {
		set[plainWords(phrase)] = true
	}
	return set
}

// courtesies are said around a request and change nothing of it.
var courtesies = []string{
	"por favor", "por gentileza", "favor", "pf", "pfv", "pfvr", "obrigado", "obrigada", "muito obrigado",
	"muito obrigada", "obg", "oi", "olá", "bom dia", "boa tarde", "boa noite",
	"gracias", "muchas gracias", "hola", "buenos días", "buenas tardes", "buenas noches",
	"please", "pls", "plz", "thanks", "thank you", "hi", "hello",
}

// plainCourtesies are the words of the courtesies as messages are compared, the longest
// courtesy first.
var plainCourtesies = func() [][]string {
	plain := make([][]string, len(courtesies))
	for i, courtesy := range courtesies {
		plain[i] = strings.Fields(plainWords(courtesy))
	}
	slices.SortStableFunc(plain, func(a, b []string) int { return len(b) - len(a) })
	return plain
}()

// says is whether a message, as a whole, is one of the built-in phrases or of the policy's
// own words, with or without courtesies around it.
func says(text string, builtIn map[string]bool, own []string) bool {
	said := plainWords(text)
	request := withoutCourtesies(said)
	if said == "" {
		return false
	}
	return builtIn[said] || builtIn[request] || slices.ContainsFunc(own, func(word string) bool {
		word = plainWords(word)
		return word != "" && (word == said || word == request)
	})
}

// withoutCourtesies takes courtesies off both ends of a normalised message; "" when there is
// nothing else. Each round looks at the ends only, so that a long message takes no longer
// than reading it.
func withoutCourtesies(said string) string {
	words := strings.Fields(said)
	for before := -1; before != len(words); {
		before = len(words)
		for _, courtesy := range plainCourtesies {
			if n := len(courtesy); n <= len(words) && slices.Equal(words[:n], courtesy) {
				words = words[n:]
			}
			if n := len(courtesy); n <= len(words) && slices.Equal(words[len(words)-n:], courtesy) {
				words = words[:len(words)-n]
			}
		}
	}
	return strings.Join(words, " ")
}

// plainWords is a text in lower case without accents, punctuation and superfluous space.
// What cannot be seen (soft hyphens, zero-width characters) separates no words, and letters
// in another shape (ＰＡＲＡＲ) are the letters.
func plainWords(text string) string {
	plain := strings.Map(func(r rune) rune {
		switch {
		case unicode.In(r, unicode.Mn, unicode.Cf):
			return -1
		case unicode.IsLetter(r), unicode.IsDigit(r):
			return unicode.ToLower(r)
		default:
			return ' '
		}
	}, norm.NFKD.String(strings.ToValidUTF8(text, " ")))
	return strings.Join(strings.Fields(plain), " ")
}
