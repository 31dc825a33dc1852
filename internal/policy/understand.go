package policy

import (
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"
)

// This file tells, from a customer's own words, what must not be left to an AI. What no
// pattern sees is the AI's, which has tools for it (see internal/ai).

// ClaimsPaid says whether a message says that the customer has paid, or bought, already.
// What says in the same breath that it went wrong, or was something else, is no such claim.
func (p *Policy) ClaimsPaid(text string) bool {
	read := clauses(text)
	claims := func(c clause) bool { return !c.asks && c.matches(paymentWords, payments().claims) }
	denies := func(c clause) bool { return payments().denies.MatchString(paymentWords.write(c.words)) }
	alone := len(read) == 1 && !read[0].asks && payments().alone.MatchString(paymentWords.write(read[0].without(plainAffixes).words))
	return (alone || anyStatement(read, claims)) && !slices.ContainsFunc(read, denies)
}

// payments are the patterns of paying, compiled when they are first needed.
var payments = sync.OnceValue(func() (compiled struct{ claims, alone, denies *regexp.Regexp }) {
	compiled.alone = paymentWords.within("", paidAlone, "")
	compiled.claims = paymentWords.within("", paidClaims, "")
	compiled.denies = paymentWords.anywhere(paidDenials)
	return compiled
})

// WrongNumber says whether a message says that the number is not the customer's.
func (p *Policy) WrongNumber(text string) bool {
	capitals := capitalised(text)
	return anyStatement(clauses(text), func(c clause) bool {
		return !c.asks && (c.matches(strangerWords, strangers().plain) || c.named(capitals).matches(strangerWords, strangers().named))
	})
}

var strangers = sync.OnceValue(func() (compiled struct{ plain, named *regexp.Regexp }) {
	compiled.plain, compiled.named = strangerWords.within("", strangerClaims, ""), strangerWords.within("", strangerNames, "")
	return compiled
})

// aName stands for a frequent first name, aCapital for a word that is written like a name.
const (
	aName    = "aname"
	aCapital = "acapital"
)

// named is the clause with a word in place of every name: those of the list, and those with
// a capital that does not begin the clause.
func (c clause) named(capitals map[string]bool) clause {
	words := slices.Clone(c.words)
	for i, word := range words {
		switch {
		case firstNames[word] || firstNames[strings.TrimSuffix(word, "s")]:
			words[i] = aName
		case i > 0 && capitals[word] && !noNames[word]:
			words[i] = aCapital
		}
	}
	return clause{words: words, asks: c.asks}
}

// capitalised are the words of a message that begin with a capital and go on without one.
func capitalised(text string) map[string]bool {
	known := map[string]bool{}
	for word := range strings.FieldsFuncSeq(firstRunes(text, maxRead), func(r rune) bool { return !unicode.IsLetter(r) }) {
		runes := []rune(word)
		if len(runes) > 1 && unicode.IsUpper(runes[0]) && unicode.IsLower(runes[1]) {
			for _, plain := range plainPhrase(word) {
				known[plain] = true
			}
		}
	}
	return known
}

// LooksAutomatic says whether a machine seems to have written a message: an away message, a
// greeting of the Business app, a menu. One mark that people do not write is enough, or two
// that they hardly write together.
func LooksAutomatic(text string) bool {
	read := clauses(text)
	words := []string{"/"}
	asks := false
	for _, one := range read {
		asks = asks || one.asks
		if one.asks && asking[one.words[0]] {
			continue // "is this an automatic message?"
		}
		words = append(append(words, one.words...), "/")
	}
	whole := machineWords.write(words)
	if machines().certain.MatchString(whole) {
		return true
	}
	marks := len(machines().likely.FindAllStringIndex(whole, 2))
	if !asks && len(menuLine.FindAllStringIndex(firstRunes(text, maxRead), 3)) == 3 {
		marks++
	}
	return marks >= 2
}

// asking are the words that begin a person's question of who writes, and no machine's.
var asking = wordSet("iso isto e eh voce vc voces vcs sera es eres esto eso usted is are this u you")

// menuLine is a line of a menu: "1 - Vendas", "2️⃣ Suporte", "*3.* Financeiro".
var menuLine = regexp.MustCompile(`(?m)^[\s*_\[(]*\d{1,2}(?:\x{FE0F}?\x{20E3}|[*_)\].: -])`)

var machines = sync.OnceValue(func() (compiled struct{ certain, likely *regexp.Regexp }) {
	compiled.certain = machineWords.anywhere(certainlyMachines)
	compiled.likely = machineWords.anywhere(likelyMachines)
	return compiled
})
