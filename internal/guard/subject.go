package guard

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"cartrecovery.dev/operator/internal/clip"
)

const (
	maxFacts   = 64 << 10 // bytes of the prompt that are looked at
	maxMessage = 4 << 10  // bytes of a message of the conversation
	maxSaid    = 50       // messages of the conversation
)

// subject is a text with its facts, in the forms the rules look at.
type subject struct {
	facts *Facts
	// text is the text as it will be read: compatible characters are one, invisible ones
	// are gone, and so are the links that may be given.
	text string
	// folded is text in lower case and without accents.
	folded string
	// foreign is true when the text has a link to another host.
	foreign bool
	hosts   []string
	// prompt and promptFolded are the facts' prompt in the same forms, with its links.
	prompt, promptFolded string
	// tongue is the language that the numbers in words are read in.
	tongue string
	// said and known are the quantities of the text and of the facts, once they were read.
	said, known []quantity
	quantified  bool
	// sentences and promptSentences are those of the text and of the facts, clausesOfPrompt
	// what the latter are made of, once they were read.
	sentences, promptSentences []sentence
	clausesOfPrompt            []clause
}

func newSubject(text string, facts *Facts) *subject {
	s := &subject{facts: facts, hosts: cleanHosts(facts.Hosts), prompt: readable(clip.Bytes(facts.Prompt, maxFacts))}
	s.promptFolded = fold(s.prompt)
	s.text, s.foreign = withoutLinks(readable(text), s.hosts, linksOf(s.prompt))
	s.folded = fold(s.text)
	s.tongue = tongueOf(s.folded, facts.Locale)
	return s
}

// readable is a text as a reader, or the program that opens its links, sees it.
func readable(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case r == '。' || r == '۔' || r == '܂':
			return '.'
		case r == '⁄' || r == '∕':
			return '/'
		case r == '∶':
			return ':'
		case r == '’' || r == '‘' || r == 'ʼ' || r == '`' || r == '´':
			return '\''
		case r == '−' || r == '‐' || r == '‑' || r == '‒':
			return '-'
		case r >= '٠' && r <= '٩':
			return r - '٠' + '0'
		case r >= '۰' && r <= '۹':
			return r - '۰' + '0'
		case r >= '०' && r <= '९':
			return r - '०' + '0'
		case unicode.IsSpace(r):
			return ' '
		case unicode.Is(unicode.Cf, r) || unicode.IsControl(r) || unicode.Is(unicode.Variation_Selector, r):
			return -1
		}
		return r
	}, norm.NFKC.String(text))
}

// fold takes case, accents and diminutives away.
func fold(text string) string {
	return withoutDiminutives(norm.NFC.String(strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFD.String(text))))
}

// foldAll folds the last messages of a conversation, bounded.
func foldAll(messages []string) []string {
	folded := make([]string, 0, min(len(messages), maxSaid))
	for _, message := range messages[max(0, len(messages)-maxSaid):] {
		folded = append(folded, fold(readable(clip.Bytes(message, maxMessage))))
	}
	return folded
}

var (
	sentenceEnd = regexp.MustCompile(`[!?;\n]+|\.+(?:\s|$)`)
	wordOrPause = regexp.MustCompile(`[\p{L}\p{N}][\p{L}\p{N}'-]*|[,:()–—"“”]| - `)
)

// clause is a part of a sentence in which a denial holds.
type clause struct {
	words []string
	// sentence numbers what is between two full stops or words like "but".
	sentence int
}

// clauses cuts a folded text into clauses: at commas, and where "and" begins a new
// statement.
func clauses(folded string) []clause {
	var all []clause
	current := clause{}
	flush := func() {
		if len(current.words) > 0 {
			all = append(all, current)
			current.words = nil
		}
	}
	for _, sentence := range sentenceEnd.Split(folded, -1) {
		parts := wordOrPause.FindAllString(sentence, -1)
		for i, part := range parts {
			first, _ := utf8.DecodeRuneInString(part)
			switch {
			case !unicode.IsLetter(first) && !unicode.IsDigit(first):
				flush()
				continue
			case adversatives[part]:
				flush()
				current.sentence++
			case (part == "e" || part == "y" || part == "and") && i+1 < len(parts) && offerVerbs[parts[i+1]]:
				flush()
			}
			current.words = append(current.words, part)
		}
		flush()
		current.sentence++
	}
	return all
}

// set is the words of a list.
func set(words string) map[string]bool {
	all := map[string]bool{}
	for word := range strings.FieldsSeq(words) {
		all[word] = true
	}
	return all
}

var (
	adversatives = set("mas porem contudo todavia entretanto but however pero sino although embora though aunque yet")
	// offerVerbs make a clause a statement of its own.
	offerVerbs = set(
		`tem temos tenho ganha ganhe ganhou consigo conseguimos consegui posso podemos dou damos dar libero liberei
		liberamos ofereco oferecemos oferece aproveite aproveita use usa usar aplica aplique garanto garantimos recebe receba leva
		leve inclui esta valendo ativo get gets got have has give giving offer enjoy use can will includes you'll i'll we'll tienes
		tenemos tengo tiene ofrezco ofrecemos doy damos puedo podemos aprovecha recibe recibes lleva incluye`)
	denials = set(
		`nao nem nunca jamais nenhum nenhuma nada infelizmente tampouco not never none nothing unfortunately cannot unable
		neither nor ningun ninguna ninguno tampoco lamentablemente acabou encerrou terminou encerrado esgotado ended expired`)
	without = set("sem sin without zero")
	// pretences follow a word of denial that denies nothing: "não perca".
	pretences = set(
		`preocupe perca perder deixe so apenas somente demore esqueca quer hesite miss worry only pierdas preocupes solo
		hesitate forget olvides dejes want quieres wait espere`)
	conditions = set("se caso if si quando when cuando")
	fillers    = set("se te me e eh vai va just to o a")
	// afterNo makes the Spanish and English "no" a denial; the Portuguese one is "in the".
	afterNo = set(
		`hay tengo tenemos puedo podemos es existe existen ofrezco ofrecemos discount discounts coupon coupons guarantee need hurry rush pressure problem problema pressa prisa apuro te le lo la les nos vas va vamos hace necesitas
		necesito puede puedes podras quiero quiere soy somos son tiene tienes dependes
		refund refunds dispongo disponemos contamos cuento manejo manejamos conozco se voy incluye esta estoy sabria free gifts bonus`)
	// beforeNo make an English "no" a denial whatever follows: "there's no certificate".
	beforeNo = set("there's there is are have has had i've we've got offer offering with was were")
	topics   = set(
		`sobre about acerca regarding respeito quanto cuanto duvida duvidas pergunta pergunte perguntou perguntar question
		asked asking pregunta preguntaste preguntas consulta`)
)

// denies says whether the clause holds a denial.
func (c clause) denies() bool {
	if len(c.words) == 1 && c.words[0] == "no" {
		return true
	}
	for i, word := range c.words {
		if word == "no" && (i+1 < len(c.words) && afterNo[c.words[i+1]] || i > 0 && beforeNo[c.words[i-1]]) &&
			!c.supposes(i) {
			return true
		}
		if (denials[word] || strings.HasSuffix(word, "n't")) && !c.pretends(i+1) && !c.supposes(i) {
			return true
		}
	}
	return false
}

// pretends says whether a denial is taken back by what follows it.
func (c clause) pretends(next int) bool {
	for next < len(c.words) && fillers[c.words[next]] {
		next++
	}
	return next < len(c.words) && pretences[c.words[next]]
}

// supposes says whether a denial is only a condition: "se não gostar, …".
func (c clause) supposes(at int) bool {
	return slices.ContainsFunc(c.words[max(0, at-2):at], func(word string) bool { return conditions[word] })
}

func (c clause) offers() bool {
	return slices.ContainsFunc(c.words, func(word string) bool { return offerVerbs[word] })
}

// near says whether one of the three words before a place is in a set.
func (c clause) near(at int, words map[string]bool) bool {
	at = max(0, at)
	return slices.ContainsFunc(c.words[max(0, at-3):at], func(word string) bool { return words[word] })
}

// denied says whether what stands at a place of a clause is denied, or only named as what
// is spoken about. A clause without a statement of its own ("sobre desconto, …", "…, cupom
// ou brinde") shares the denial of its sentence.
func denied(all []clause, at, word int) bool {
	own := all[at]
	if own.denies() || own.near(word, without) {
		return true
	}
	if own.offers() {
		return false
	}
	if own.near(word, topics) {
		return true
	}
	for i := at - 1; i >= 0 && all[i].sentence == own.sentence; i-- {
		if all[i].denies() {
			return true
		}
	}
	for i := at + 1; i < len(all) && all[i].sentence == own.sentence; i++ {
		if all[i].denies() {
			return true
		}
	}
	return false
}
