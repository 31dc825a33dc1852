package guard

import (
	"regexp"
	"strings"
	"unicode"
)

// stopWords are frequent words that the other languages here do not have.
var stopWords = map[string]map[string]bool{
	"pt": set(
		`voce voces nao com uma seu sua ou em na da das dos do mais obrigado obrigada ola oi tem ainda aqui ajudar pode isso muito
		esta ao pelo pela nos foi ate quando ja so sobre quer eu meu minha tudo bem algum alguma posso ficou compra quanto custa qual quero onde comprar preciso valor desconto`),
	"es": set(
		`usted tu con los las el y su esta eso del mas gracias hola tiene aun aqui ayudar puede pero muy que como es una hay
		ya lo le ella yo mi todo bien algun alguna puedo quieres tienes compra sobre cuando hasta nosotros al`),
	"en": set(
		`the you your and is to of with for it if can have i we this that here help would like still any about are was will
		my be on not at just let know did do does our from what how`),
	"fr": set(
		`le la les et vous votre est une des pour dans pas que qui avec sur nous je il elle ce cette avez bonjour merci encore plus
		votre vos aussi mais ou si toujours`),
	"de": set(
		`der die das und sie ist nicht ein eine mit fur auf ich wir ihr ihre haben noch hallo danke bei auch wenn konnen zu den dem
		im von oder wie`),
	"it": set(
		`il lo gli di che e non per una con sei hai ciao grazie ancora piu suo sua della del nel questo questa posso puoi se ma come
		sono anche tuo tua`),
}

// namesOf are the words with which a customer asks for a language.
var namesOf = map[string]*regexp.Regexp{
	"pt": regexp.MustCompile(`\b(?:portugues|portuguese)\b`),
	"es": regexp.MustCompile(`\b(?:espanol|espanhol|spanish|castellano)\b`),
	"en": regexp.MustCompile(`\b(?:english|ingles)\b`),
	"fr": regexp.MustCompile(`\b(?:francais|frances|french)\b`),
	"de": regexp.MustCompile(`\b(?:deutsch|alemao|aleman|german)\b`),
	"it": regexp.MustCompile(`\b(?:italiano|italian)\b`),
}

// scripts are those a text is told apart by; what is in none of them counts as Latin.
var scripts = map[string]*unicode.RangeTable{
	"Cyrillic": unicode.Cyrillic, "Han": unicode.Han, "Hiragana": unicode.Hiragana, "Katakana": unicode.Katakana,
	"Hangul": unicode.Hangul, "Arabic": unicode.Arabic, "Hebrew": unicode.Hebrew, "Greek": unicode.Greek,
	"Thai": unicode.Thai, "Devanagari": unicode.Devanagari,
}

// scriptsOf are the scripts of the languages that are not written in Latin.
var scriptsOf = map[string][]string{
	"ru": {"Cyrillic"}, "uk": {"Cyrillic"}, "bg": {"Cyrillic"}, "sr": {"Cyrillic"}, "be": {"Cyrillic"},
	"mk": {"Cyrillic"}, "kk": {"Cyrillic"}, "zh": {"Han"}, "ja": {"Han", "Hiragana", "Katakana"},
	"ko": {"Hangul", "Han"}, "ar": {"Arabic"}, "fa": {"Arabic"}, "ur": {"Arabic"}, "he": {"Hebrew"}, "el": {"Greek"},
	"th": {"Thai"}, "hi": {"Devanagari"}, "mr": {"Devanagari"}, "ne": {"Devanagari"},
}

const (
	leastWords   = 8 // a shorter text can be in any language
	leastHits    = 4 // different stop words that make a language certain
	leastLetters = 4 // letters of a script that make it more than an ornament
)

// inOtherLanguage says whether the text is certainly in a language that is neither the
// store's nor the customer's.
func (s *subject) inOtherLanguage() bool {
	home, _, _ := strings.Cut(strings.ToLower(strings.ReplaceAll(s.facts.Locale, "_", "-")), "-")
	said := strings.Join(foldAll(s.facts.Customer), "\n")
	if home == "" {
		return false
	}
	return inOtherScript(s.folded, said, home) || inOtherWords(s.folded, said, home)
}

// inOtherScript looks for a script that a third of the letters are in.
func inOtherScript(text, said, home string) bool {
	total := 0
	for _, r := range text {
		if unicode.IsLetter(r) {
			total++
		}
	}
	for name, table := range scripts {
		count := lettersIn(text, table)
		if count < leastLetters || count*3 < total || lettersIn(said, table) > 0 {
			continue
		}
		ours := false
		for _, own := range scriptsOf[home] {
			ours = ours || own == name
		}
		if !ours {
			return true
		}
	}
	return false
}

func lettersIn(text string, table *unicode.RangeTable) int {
	count := 0
	for _, r := range text {
		if unicode.Is(table, r) {
			count++
		}
	}
	return count
}

// inOtherWords counts stop words. Where the store's language is none of those known here,
// nothing is certain.
func inOtherWords(text, said, home string) bool {
	words := codeWord.FindAllString(text, -1)
	if stopWords[home] == nil || len(words) < leastWords {
		return false
	}
	heard := codeWord.FindAllString(said, -1)
	best, expected := 0, 0
	for language := range stopWords {
		hits := hitsOf(words, language)
		if language == home || hitsOf(heard, language) > 0 || namesOf[language].MatchString(said) {
			expected = max(expected, hits)
			continue
		}
		best = max(best, hits)
	}
	return best >= leastHits && best > 2*expected
}

// hitsOf counts the different stop words of a language.
func hitsOf(words []string, language string) int {
	seen := map[string]bool{}
	for _, word := range words {
		if stopWords[language][word] {
			seen[word] = true
		}
	}
	return len(seen)
}

// tongueOf is which of the three languages a text is in: the one most of its stop words are
// of, else the store's.
func tongueOf(folded, locale string) string {
	home, _, _ := strings.Cut(strings.ToLower(strings.ReplaceAll(locale, "_", "-")), "-")
	words := codeWord.FindAllString(folded, -1)
	best, most := home, hitsOf(words, home)
	for _, language := range []string{"pt", "es", "en"} {
		if hits := hitsOf(words, language); hits > most {
			best, most = language, hits
		}
	}
	return best
}
