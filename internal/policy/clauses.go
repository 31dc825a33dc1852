package policy

import (
	"regexp"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"cartrecovery.dev/operator/internal/clip"
)

// maxRead is how many characters of a message are read for its sense. Whoever has more to
// say has said by then what must not wait for an AI.
const maxRead = 2048

// clause is what stands between two punctuation marks of a message, in plain words: lower
// case, no accents, no letter twice in a row ("paraaaar" and "parar" are one word), digits
// that stand for letters read as these.
type clause struct {
	words []string
	// asks is true when a question mark ends it.
	asks bool
}

// lookAlikes are letters of other scripts and signs that are drawn like Latin letters, and
// small capitals, which no normalisation knows as letters.
var lookAlikes = func() map[rune]rune {
	known := map[rune]rune{}
	for _, pair := range [][2]string{
		{"ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ", "abcdefghijklmnoprstuvwyz"},
		{"аеорсхуіѕјкмтвнАЕОРСХУІЅЈКМТВН", "aeopcxyisjkmtbhaeopcxyisjkmtbh"},
		{"αεορτνικΑΕΟΡΤΝΙΚΗΜ", "aeoptvikaeoptnikhm"},
		{"ıøłđ", "iold"},
	} {
		from, to := []rune(pair[0]), []rune(pair[1])
		for i := range from {
			known[from[i]] = to[i]
		}
	}
	for i := range rune(26) {
		known['🅰'+i], known['🅐'+i], known['🇦'+i] = 'a'+i, 'a'+i, 'a'+i
	}
	return known
}()

// stopSigns are emojis that say nothing else.
const stopSigns = "⛔🛑"

// stopSign is the word that stands for one of them.
const stopSign = "stopsign"

// clauses reads a message, bounded.
func clauses(text string) []clause {
	folded := spelled.ReplaceAllStringFunc(foldMarks(text), func(letters string) string {
		return strings.Map(func(r rune) rune {
			if strings.ContainsRune(spelling, r) {
				return -1
			}
			return r
		}, letters)
	})
	var all []clause
	for part := range strings.SplitSeq(strings.ReplaceAll(folded, ".", "\n"), "\n") {
		part, asks := strings.CutSuffix(part, "?")
		words := strings.Fields(part)
		if len(words) == 0 {
			continue
		}
		for i, word := range words {
			words[i] = inFull(oneSpelling(word))
		}
		all = append(all, clause{words: words, asks: asks})
	}
	return all
}

const spelling = " .-_*"

// spelled finds a word whose letters stand apart: "p a r a r", "S.T.O.P".
var spelled = regexp.MustCompile(`\b[a-z](?:[ .\-_*][a-z]){3,}\b`)

// foldMarks is a text in lower case without accents. Its clauses are lines; a question mark
// stays at the end of its own.
func foldMarks(text string) string {
	text = strings.TrimSpace(strings.ToValidUTF8(text, " "))
	runes := []rune(norm.NFKD.String(clip.Characters(text, maxRead)))
	var out strings.Builder
	for i, r := range runes {
		if known, ok := lookAlikes[r]; ok {
			r = known
		}
		before, after := at(runes, i-1), at(runes, i+1)
		switch {
		case r == 0x301 && before == 'e' && !unicode.IsLetter(at(runes, i-2)) && !unicode.IsLetter(after):
			out.WriteByte('h') // "é" is no "e"
		case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		case unicode.IsLetter(r), unicode.IsDigit(r):
			out.WriteRune(unicode.ToLower(r))
		default:
			out.WriteString(markOf(r, before, after))
		}
	}
	return out.String()
}

// markOf is what becomes of a character that is neither letter nor digit.
func markOf(r, before, after rune) string {
	within := unicode.IsLetter(before) && unicode.IsLetter(after)
	switch {
	case strings.ContainsRune("'’‘ʼ`*_~", r):
		return ""
	case r == '@' && within:
		return "a"
	case r == '$' && unicode.IsLetter(after):
		return "s"
	case r == '+' && !unicode.IsDigit(after):
		return " mais " // as in "não quero + mensagens"
	case r == '?':
		return "?\n"
	case strings.ContainsRune(stopSigns, r):
		return "\n" + stopSign + "\n"
	case r == '.' && within:
		return "." // it may spell a word
	case r == '-' && within, unicode.IsSpace(r) && r != '\n':
		return " "
	}
	return "\n"
}

func at(runes []rune, i int) rune {
	if i < 0 || i >= len(runes) {
		return 0
	}
	return runes[i]
}

// digitLetters are the letters that digits stand for within a word.
var digitLetters = strings.NewReplacer("0", "o", "1", "i", "3", "e", "4", "a", "5", "s", "7", "t")

// oneSpelling is a word as words are compared.
func oneSpelling(word string) string {
	letters := strings.Count(word, "") - 1 - digitsIn(word)
	if digits := digitsIn(word); digits > 0 && letters >= 2 && digits <= letters {
		word = digitLetters.Replace(word)
	}
	return singleLetters(word)
}

// abbreviations are words that are usually written short, by what is written.
var abbreviations = map[string]string{"q": "que", "d": "de", "qro": "quero", "kero": "quero", "kiero": "quiero",
	"xfa": "porfa", "nr": "numero", "w": "with",
	"pagto": "pagamento", "pgto": "pagamento", "ur": "your", "txting": "texting", "txted": "texted", "txts": "texts",
	"msgd": "mesaged"}

// inFull is a word that is not abbreviated.
func inFull(word string) string {
	if full, is := abbreviations[word]; is {
		return full
	}
	return word
}

func digitsIn(word string) int {
	count := 0
	for _, r := range word {
		if unicode.IsDigit(r) {
			count++
		}
	}
	return count
}

// singleLetters takes every letter once that stands several times in a row; digits stay.
func singleLetters(word string) string {
	var out strings.Builder
	var last rune
	for _, r := range word {
		if r != last || !unicode.IsLetter(r) {
			out.WriteRune(r)
		}
		last = r
	}
	return out.String()
}

// joints are the words that join two statements; what stands before some of them is no end.
var (
	joints    = wordSet("e y and mas pero but porque pq pois because cause senao sino so entao ou or then")
	noJointBy = wordSet("nao n nem que numero isso aqui voce vc so eh no este esse")
)

// parts are a clause's statements: it is cut where a word joins two. A clause of one
// statement is its own part.
func (c clause) parts() []clause {
	var parts []clause
	from := 0
	for i, word := range c.words {
		if joints[word] && (i == 0 || !noJointBy[c.words[i-1]]) {
			if i > from {
				parts = append(parts, clause{words: c.words[from:i]})
			}
			from = i + 1
		}
	}
	if from < len(c.words) {
		parts = append(parts, clause{words: c.words[from:], asks: c.asks})
	}
	return parts
}

func wordSet(list string) map[string]bool {
	set := map[string]bool{}
	for word := range strings.FieldsSeq(list) {
		set[word] = true
	}
	return set
}

// interruptions are courtesies that are said in the middle of a request.
var interruptions = affixesOf([]string{
	"por favor", "porfavor", "por favorzinho", "por gentileza", "por obséquio", "pf", "pfv", "pfvr", "porfa",
	"por deus", "por dios", "pelo amor de deus", "por el amor de dios", "please", "pls", "plz",
})

// noWords end no statement that a courtesy interrupts: "não, por favor, mande mensagem".
var noWords = wordSet("nao n nn num naum no not nunca jamais sim si yes ok")

// uninterrupted are the clauses that courtesies cut in two, put together: "pare, por favor, de
// mandar mensagens", "parem por favor com isso".
func uninterrupted(read []clause) []clause {
	var whole []clause
	for i := 0; i < len(read); i++ {
		one, cut := read[i].withoutInner(interruptions)
		for i+2 < len(read) && len(read[i+1].without(interruptions).words) == 0 && !one.asks &&
			!noWords[one.lastWord()] {
			one, cut = clause{words: slices.Concat(one.words, read[i+2].words), asks: read[i+2].asks}, true
			i += 2
		}
		if cut {
			whole = append(whole, one)
		}
	}
	return whole
}

// lastWord is the word that a clause ends in; "" where it has none.
func (c clause) lastWord() string {
	if len(c.words) == 0 {
		return ""
	}
	return c.words[len(c.words)-1]
}

// withoutInner takes phrases out of the middle of a clause.
func (c clause) withoutInner(phrases *affixes) (clause, bool) {
	rest := clause{asks: c.asks}
	for i := 0; i < len(c.words); {
		found := 0
		if last := rest.lastWord(); last != "" && !noWords[last] {
			found = longest(phrases.first[c.words[i]], func(p []string) bool { return startsWith(c.words[i:], p) })
		}
		if found == 0 {
			rest.words = append(rest.words, c.words[i])
			found = 1
		}
		i += found
	}
	return rest, len(rest.words) < len(c.words)
}

// without takes phrases off both ends of a clause.
func (c clause) without(affixes *affixes) clause {
	words := c.words
	for before := -1; before != len(words); {
		before = len(words)
		if len(words) > 0 {
			words = words[longest(affixes.first[words[0]], func(p []string) bool { return startsWith(words, p) }):]
		}
		if len(words) > 0 {
			words = words[:len(words)-longest(affixes.last[words[len(words)-1]], func(p []string) bool {
				return endsWith(words, p)
			})]
		}
	}
	return clause{words: words, asks: c.asks}
}

// withoutFirst takes phrases off the beginning of a clause.
func (c clause) withoutFirst(affixes *affixes) clause {
	words := c.words
	for before := -1; before != len(words) && len(words) > 0; {
		before = len(words)
		words = words[longest(affixes.first[words[0]], func(p []string) bool { return startsWith(words, p) }):]
	}
	return clause{words: words, asks: c.asks}
}

// affixes are phrases that change nothing of a request, by their first and last word.
type affixes struct{ first, last map[string][][]string }

func affixesOf(phrases []string) *affixes {
	known := &affixes{first: map[string][][]string{}, last: map[string][][]string{}}
	for _, phrase := range phrases {
		words := plainPhrase(phrase)
		end := words[len(words)-1]
		known.first[words[0]] = append(known.first[words[0]], words)
		known.last[end] = append(known.last[end], words)
	}
	return known
}

// plainPhrase is the words of a phrase of one clause.
func plainPhrase(phrase string) []string {
	var words []string
	for _, part := range clauses(phrase) {
		words = append(words, part.words...)
	}
	return words
}

// longest is how many words the longest phrase has of which something holds; 0 for none.
func longest(phrases [][]string, holds func([]string) bool) int {
	most := 0
	for _, phrase := range phrases {
		if len(phrase) > most && holds(phrase) {
			most = len(phrase)
		}
	}
	return most
}

func startsWith(words, phrase []string) bool {
	return len(phrase) <= len(words) && slices.Equal(words[:len(phrase)], phrase)
}

func endsWith(words, phrase []string) bool {
	return len(phrase) <= len(words) && slices.Equal(words[len(words)-len(phrase):], phrase)
}
