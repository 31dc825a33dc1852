package policy

import (
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"cartrecovery.dev/operator/internal/clip"
)

// This file tells, from a customer's own words, what must not be left to an AI. What no
// pattern sees is the AI's, which has tools for it (see internal/ai).

// ClaimsPaid says whether a message says that the customer has paid, or bought, already. A message that says in the
// same breath that it went wrong, or was something else, is no such claim.
func (p *Policy) ClaimsPaid(text string) bool {
	read := clauses(text)
	claims := func(c clause) bool { return !c.asks && c.matches(paymentWords, payments().claims) }
	denies := func(c clause) bool { return payments().denies.MatchString(paymentWords.write(c.words)) }
	named := func(c clause) bool { return !c.asks && claimsNamed(c) }
	alone := len(read) == 1 && !read[0].asks &&
		payments().alone.MatchString(paymentWords.write(read[0].without(plainAffixes).words))
	return (alone || anyStatement(read, claims) || anyStatement(read, named)) && !slices.ContainsFunc(read, denies)
}

// DeniesPaid says whether a message says that nothing was paid, or that it could not be: it takes
// an earlier claim back. A bare "not yet" does not, which answers any question.
func (p *Policy) DeniesPaid(text string) bool {
	return anyStatement(clauses(text), func(c clause) bool {
		return !c.asks && c.matches(paymentWords, payments().takenBack)
	})
}

// longestProductName is how many words of a product's name may follow a claim of having paid for it.
const longestProductName = 6

// otherThings are words that say that something else was paid, or begin another statement.
var otherThings = wordSet(
	singleLetters(
		`nao no n not never que q who which mas pero but porem so only concorrente antigo antiga anterior passado passada errado errada wrong outro
	outra otro otra outros outras otros otras another other last parecido parecida similar semelhante igual like faculdade escola universidad universidade colegio college
	rent aluguel alquiler metade half mitad parte parcela primeira primera first quanto cuanto quando cuando when se si if e y and porque because car phone house`))

// claimsNamed is whether a clause says that something was paid whose name follows: "já paguei o
// Curso Vida Leve".
func claimsNamed(c clause) bool {
	written := paymentWords.write(c.words)
	begins := payments().named.FindString(written)
	if begins == "" {
		return false
	}
	rest := c.words[utf8.RuneCountInString(begins):]
	return len(rest) > 0 && len(rest) <= longestProductName &&
		!slices.ContainsFunc(rest, func(word string) bool { return otherThings[word] })
}

// payments are the patterns of paying, compiled when they are first needed.
var payments = sync.OnceValue(func() (compiled struct{ claims, alone, denies, named, takenBack *regexp.Regexp }) {
	compiled.alone = paymentWords.within("", paidAlone, "")
	compiled.claims = paymentWords.within("", paidClaims, "")
	compiled.denies = paymentWords.anywhere(paidDenials)
	compiled.named = paymentWords.beginning(paidNamed)
	compiled.takenBack = paymentWords.within("", paidTakenBack, "")
	return compiled
})

// WrongNumber says whether a message says that the number is not the customer's. Who wants to buy
// or to know something for the customer is no such stranger.
func (p *Policy) WrongNumber(text string) bool {
	capitals, read := capitalised(text), clauses(text)
	return (isStrangerAlone(said(read), capitals) || anyStatement(read, func(c clause) bool {
		return !c.asks && (c.matches(strangerWords, strangers().plain) || c.named(capitals).matches(strangerWords,
			strangers().named))
	})) && !anyStatement(read, wishes)
}

// isStrangerAlone is whether a message is one of the statements that mean it only by themselves.
func isStrangerAlone(read []clause, capitals map[string]bool) bool {
	if len(read) != 1 || read[0].asks {
		return false
	}
	return read[0].matches(strangerWords, strangers().alone) ||
		read[0].named(capitals).matches(strangerWords, strangers().namedAlone)
}

// said are the clauses that are more than a courtesy.
func said(read []clause) []clause {
	return slices.DeleteFunc(slices.Clone(read), func(c clause) bool {
		return len(c.without(requestAffixes).words) == 0
	})
}

// wishes is whether a clause that denies nothing says what only a customer wants.
func wishes(c clause) bool {
	return !slices.ContainsFunc(c.words, func(word string) bool { return noWords[word] }) &&
		strangers().wishes.MatchString(strangerWords.write(c.words))
}

var strangers = sync.OnceValue(func() (compiled struct{ plain, named, alone, namedAlone, wishes *regexp.Regexp }) {
	compiled.alone = strangerWords.within("", strangerAlone, "")
	compiled.namedAlone = strangerWords.within("", strangerNamesAlone, "")
	compiled.wishes = strangerWords.anywhere(strangerWishes)
	compiled.plain, compiled.named = strangerWords.within("", strangerClaims, ""), strangerWords.within("",
		strangerNames, "")
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
	for word := range strings.FieldsFuncSeq(clip.Characters(text, maxRead), func(r rune) bool {
		return !unicode.IsLetter(r)
	}) {
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
	if !asks && len(menuLine.FindAllStringIndex(clip.Characters(text, maxRead), 3)) == 3 {
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
