package policy

import (
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"
)

// optOutPhrases stop everything for a customer, in every store: the words that integrators
// of WhatsApp gateways use in Brazil, the ones that carriers in the United States must
// honour, and how people say it. None is an ordinary answer to a question ("não", "no").
var optOutPhrases = phrases{
	Portuguese: {
		"parar", "pare", "parem", "pode parar", "sair", "cancelar", "remover", "descadastrar", "chega",
		"cancelar inscrição", "cancelar mensagens", "descadastre-me", "me descadastre", "me descadastra",
		"quero me descadastrar", "parar mensagens", "parar de receber", "parar de receber mensagens",
		"quero parar de receber", "quero parar de receber mensagens", "pare de enviar mensagens",
		"pare de mandar mensagem", "pare de mandar mensagens", "pare de me mandar mensagem",
		"pare de me mandar mensagens", "para de mandar mensagem", "para de me mandar mensagem",
		"não quero mais", "não quero mais receber", "não quero mais receber mensagem",
		"não quero mais receber mensagens", "não quero mais mensagens", "não quero receber",
		"não quero receber mensagens", "não quero receber mais mensagens", "não mande mais", "não mande mais mensagem",
		"não mande mais mensagens", "não me mande mais", "não me mande mais mensagem",
		"não me mande mais mensagens", "não envie mais", "não envie mais mensagens", "não me envie mais mensagens",
		"me tire da lista", "me tira da lista", "me tire dessa lista", "me tira dessa lista", "me remova",
		"me remova da lista", "me exclua da lista", "remover da lista", "sair da lista", "quero sair",
		"quero sair da lista",
	},
	Spanish: {
		"baja", "darse de baja", "dar de baja", "darme de baja", "dame de baja", "denme de baja",
		"quiero darme de baja", "salir", "detener", "basta", "no más", "no más mensajes", "no quiero más",
		"no quiero más mensajes", "no quiero recibir más", "no quiero recibir mensajes",
		"no quiero recibir más mensajes", "no enviar más", "no envíen más mensajes",
		"no me escriban más", "no me escribas más", "no me escriba más", "no me manden más mensajes",
		"cancelar suscripción", "anular suscripción", "desuscribir", "desuscribirme",
		"sácame de la lista", "sáquenme de la lista", "bórrame de la lista", "bórrenme de la lista",
	},
	English: {
		"stop", "stop all", "stopall", "unsubscribe", "unsubscribe me", "opt out", "optout", "remove me", "end", "quit",
		"cancel", "please stop", "stop it", "stop messages", "stop messaging me", "stop texting me",
		"stop writing to me", "stop sending messages", "stop sending me messages", "no more messages",
		"remove me from the list", "remove me from your list", "take me off the list",
		"take me off your list", "do not contact me", "don't contact me", "dont contact me", "do not message me",
		"don't message me", "dont message me", "do not text me", "don't text me", "dont text me",
	},
}

var plainOptOut = optOutPhrases.plain()

// OptOutWords are the built-in opt-out words of some languages, of all where none is named:
// a sorted copy.
func OptOutWords(languages ...string) []string { return optOutPhrases.sorted(languages) }

// OptsOut says whether a customer's message asks to be left alone. It does as a whole where
// it is one of the built-in opt-out words or the policy's own; case, accents, punctuation and
// courtesies around it do not matter. It does in the customer's own words where it holds a
// whole request: a verb and what it is about.
func (p *Policy) OptsOut(text string) bool {
	if says(text, plainOptOut, p.OptOutKeywords) {
		return true
	}
	read := clauses(text)
	return isMistyped(text) || isBare(read) || asksWeakly(read) || asksWholly(read) || asksWholly(uninterrupted(read))
}

// asksWholly is whether a clause is a whole request, or one to be erased.
func asksWholly(read []clause) bool { return asksStrongly(read) || asksToErase(read) }

// AsksToErase says whether a message asks for what is known of the customer to be erased.
// Who asks for that opts out as well.
func (p *Policy) AsksToErase(text string) bool {
	read := clauses(text)
	return asksToErase(read) || asksToErase(uninterrupted(read))
}

// longestRequest is how many words a clause may have to be a request.
const longestRequest = 24

// requests are the patterns, compiled when they are first needed.
var requests = sync.OnceValue(func() (compiled struct {
	strong, weak, polite, bare, neutral, erase, reasons,
	reasoned *regexp.Regexp
}) {
	compiled.strong = requestWords.within("<pre>", strongRequests, "<end>")
	compiled.weak = requestWords.within("<pre>", weakRequests+politeRequests, "<end>")
	compiled.polite = requestWords.within("<ask> [<you>] [por favor|please|me] [<ask>]", politeRequests, "<end>")
	compiled.bare = requestWords.within("", bareRequests, "")
	compiled.neutral = requestWords.within("", neutralWords+reasons, "")
	compiled.reasons = requestWords.within("", reasons, "")
	compiled.reasoned = requestWords.within("<pre>", reasonedRequests, "<end>")
	compiled.erase = requestWords.within("<pre>", eraseRequests, "<end>")
	return compiled
})

var (
	plainAffixes   = affixesOf(courtesies)
	requestAffixes = affixesOf(slices.Concat(courtesies, affixesOfRequests))
)

// matches says whether a clause as a whole, or without what is only said around it, is one
// of some patterns.
func (c clause) matches(g *grammar, patterns *regexp.Regexp) bool {
	if len(c.words) == 0 || len(c.words) > 2*longestRequest {
		return false
	}
	before := len(c.words) - len(c.withoutFirst(requestAffixes).words)
	bare := c.without(requestAffixes)
	behind := c.words[:min(before+len(bare.words), len(c.words))] // with what is said before it
	tried := 0
	for _, words := range [][]string{c.words, behind, bare.words} {
		if len(words) > 0 && len(words) <= longestRequest && len(words) != tried && g.matches(patterns, words) {
			return true
		}
		tried = len(words)
	}
	return false
}

// isBare is whether nothing is said but a word that, alone, stops everything, and what is
// said beside a request and takes nothing back.
func isBare(read []clause) bool {
	said := false
	for _, one := range read {
		written := requestWords.write(one.words)
		switch {
		case !one.asks && requests().bare.MatchString(written):
			said = true
		case !requests().neutral.MatchString(written):
			return false
		}
	}
	return said
}

// isMistyped is whether a message is one of the words that stop everything, mistyped.
func isMistyped(text string) bool {
	words := strings.FieldsFunc(foldMarks(text), func(r rune) bool { return !unicode.IsLetter(r) })
	return len(words) == 1 && mistyped[words[0]]
}

// asksStrongly looks for a clause, or a statement in one, that is a whole request.
func asksStrongly(read []clause) bool {
	return anyStatement(read, func(c clause) bool { return c.matches(requestWords, requests().strong) })
}

func asksToErase(read []clause) bool {
	return anyStatement(read, func(c clause) bool { return c.matches(requestWords, requests().erase) })
}

func anyStatement(read []clause, holds func(clause) bool) bool {
	for _, one := range read {
		if holds(one) {
			return true
		}
		parts := one.parts()
		if len(parts) > 0 && len(parts[0].words) < len(one.words) && slices.ContainsFunc(parts, holds) {
			return true
		}
	}
	return false
}

// asksWeakly looks for a request in a message that says nothing else.
func asksWeakly(read []clause) bool {
	isAsked := isWeak
	if slices.ContainsFunc(read, givesReason) {
		isAsked = func(c clause) bool { return isWeak(c) || c.matches(requestWords, requests().reasoned) }
	}
	asked := false
	for _, one := range read {
		parts := []clause{one}
		if !isAsked(one) && !isNeutral(one) {
			parts = one.parts()
		}
		for _, part := range parts {
			switch {
			case isAsked(part) && (!part.asks || part.matches(requestWords, requests().polite)):
				asked = true
			case !isNeutral(part):
				return false
			}
		}
	}
	return asked
}

func isWeak(c clause) bool {
	return c.matches(requestWords, requests().weak) || weakWords[strings.Join(c.without(requestAffixes).words, " ")]
}

// givesReason is whether a clause says why the customer must not be written to.
func givesReason(c clause) bool { return c.matches(requestWords, requests().reasons) }

func isNeutral(c clause) bool {
	return len(c.without(requestAffixes).words) == 0 || c.matches(requestWords, requests().neutral) ||
		c.matches(paymentWords, payments().claims)
}

// weakWords are the built-in words that may stand beside something that takes nothing back;
// the others can be about something else then.
var weakWords = func() map[string]bool {
	ambiguous := wordSet("cancelar cancel remover end quit detener")
	set := map[string]bool{}
	for _, phrase := range optOutPhrases.sorted(nil) {
		if plain := strings.Join(plainPhrase(phrase), " "); !ambiguous[plain] {
			set[plain] = true
		}
	}
	return set
}()

// mistyped are the words that stop everything with two letters changed over or, in longer ones, a letter left out;
// words of their own are left out.
var mistyped = func() map[string]bool {
	set := map[string]bool{"parr": true, "paar": true, "stahp": true}
	for word := range strings.FieldsSeq("parar stop sair salir remover descadastrar unsubscribe desuscribir parem") {
		for i := range len(word) - 1 {
			set[word[:i]+word[i+1:i+2]+word[i:i+1]+word[i+2:]] = true
			if len(word) > 5 {
				set[word[:i]+word[i+1:]] = true
			}
		}
	}
	for word := range strings.FieldsSeq("apar remove emover sari") {
		delete(set, word)
	}
	return set
}()
