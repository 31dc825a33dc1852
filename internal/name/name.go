// Package name reads what people and machines write where a customer's name is asked for.
// Half of it is no name: a placeholder of a checkout, a title, a company, an address.
package name

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"
)

// longest bounds what is looked at, in bytes. A person's name is far shorter.
const longest = 800

// Known returns a customer's name as it can be kept: without invisible characters and blanks
// too many; "" where it is no name at all (a placeholder, an e-mail address, a number).
func Known(text string) string {
	text = visible(text)
	if text == "" || strings.Contains(text, "@") && !strings.Contains(text, " ") || isPlaceholder(text) {
		return ""
	}
	for _, r := range text {
		if unicode.IsLetter(r) {
			return text
		}
	}
	return ""
}

// First returns what to greet a customer by: the first name, without titles, with proper
// capitals where it was typed without; "" where there is none (a placeholder, a company, an
// address, a number).
func First(full string) string {
	full = Known(withWholeMary(full))
	if full == "" || isAddress(full) || isCompany(full) || isBroken(full) {
		return ""
	}
	if family, given, found := strings.Cut(full, ","); found {
		return firstOfTwo(family, given)
	}
	return firstOf(full)
}

// isBroken tells a name that lost letters on its way: what is left of it is nobody's name.
func isBroken(text string) bool { return strings.ContainsAny(text, "?\ufffd") }

// withWholeMary writes the usual abbreviation of Maria in full: "Mª Clara".
func withWholeMary(text string) string {
	if !strings.ContainsAny(text, "ªº") {
		return text
	}
	return strings.NewReplacer("Mª.", "Maria", "M.ª", "Maria", "Mª", "Maria", "mª", "Maria").Replace(text)
}

// firstOfTwo is the first name of what has a comma: "Silva, Maria" puts the family's name first,
// and "Maria, mãe do Pedro" says behind it who she is.
func firstOfTwo(before, behind string) string {
	if !strings.Contains(before, " ") && !saysWho(behind) {
		if first := firstOf(behind); first != "" {
			return first
		}
	}
	if first := firstOf(before); first != "" {
		return first
	}
	return firstOf(behind)
}

// saysWho tells what stands behind a name and does not belong to it: "mãe do Pedro", "aluno 3", "advogada".
func saysWho(text string) bool {
	words := strings.Fields(folded(text))
	if len(words) == 0 {
		return false
	}
	first := strings.Trim(words[0], ".")
	return relations[first] || noNames[first] || articles[first]
}

// firstOf returns the first word that is neither a title nor an initial, if it is a name; the
// initial, where there is nothing else.
func firstOf(text string) string {
	words := strings.FieldsFunc(withoutEither(text), func(r rune) bool {
		return unicode.IsSpace(r) || strings.ContainsRune("./,;|()", r)
	})
	initial, initials := "", 0
	for i, word := range words {
		word = strings.TrimFunc(word, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
		plain := folded(word)
		switch {
		case word == "" || titles[plain] || relations[plain] || isTitleHere(plain, i, len(words)):
			continue
		case strings.ContainsFunc(word, unicode.IsDigit) || noNames[plain] || isRepeated(plain) || particles[plain]:
			return ""
		case isInitial(word):
			initials++
			if initial == "" {
				initial = cased(word)
			}
			continue
		case initials > 1:
			return "" // "A. B. Costa" gives the family's name only
		}
		return cased(word)
	}
	return initial
}

// isTitleHere tells a title that is something else within a name: it begins one, and a name of at
// least two words follows ("MC Daniel", "Me. Carlos Alberto").
func isTitleHere(word string, at, words int) bool { return at == 0 && words > 1 && firstTitles[word] }

// withoutEither takes the ending for the other gender off a title: "Sr(a). Ana".
func withoutEither(text string) string {
	if !strings.Contains(text, "(") {
		return text
	}
	return strings.NewReplacer("(a)", "", "(A)", "", "(as)", "", "(o)", "", "(ª)", "").Replace(text)
}

// isInitial tells a single letter of an alphabet that writes names with several.
func isInitial(word string) bool {
	r, size := utf8.DecodeRuneInString(word)
	return size == len(word) && unicode.Is(unicode.Latin, r)
}

// isRepeated tells what was typed to get past a field: "aaaa", "xxx".
func isRepeated(word string) bool {
	first, _ := utf8.DecodeRuneInString(word)
	return utf8.RuneCountInString(word) > 2 && strings.Trim(word, string(first)) == ""
}

// isAddress tells an e-mail or web address, and what has no place in a name.
func isAddress(text string) bool {
	return strings.ContainsAny(text, `@\{}<>`) || strings.Contains(text, "://") ||
		strings.HasPrefix(folded(text), "www.")
}

// isCompany tells a company by a word that only companies have.
func isCompany(text string) bool {
	plain := folded(text)
	for _, form := range companyForms {
		if strings.HasSuffix(plain, " "+form) || strings.Contains(plain, " "+form+" ") {
			return true
		}
	}
	words := strings.FieldsFunc(plain, func(r rune) bool {
		return unicode.IsSpace(r) || r == ',' || r == '-' || r == '/'
	})
	for i, word := range words {
		word = strings.Trim(word, ".")
		if companyWords[word] || i == 0 && shopWords[word] || i > 0 && i == len(words)-1 && lastWords[word] {
			return true
		}
	}
	return false
}

// cased gives a name that was typed in one case, or that begins with a small letter, proper
// capitals.
func cased(word string) string {
	first, _ := utf8.DecodeRuneInString(word)
	if word != strings.ToUpper(word) && !unicode.IsLower(first) {
		return word
	}
	start := true
	return strings.Map(func(r rune) rune {
		is := unicode.ToLower(r)
		if start {
			is = unicode.ToTitle(r)
		}
		start = r == '-' || r == '\'' || r == '’'
		return is
	}, word)
}

// visible removes what is not seen (control characters, and those that turn the direction of
// writing round), and puts one blank where there are several.
func visible(text string) string {
	if len(text) > longest {
		text = text[:longest]
	}
	if isTidy(text) {
		return text
	}
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r), unicode.IsControl(r):
			return ' '
		case unicode.Is(unicode.Cf, r), unicode.Is(unicode.Co, r), isFiller(r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, ""))
	return strings.Join(strings.Fields(text), " ")
}

// isFiller tells letters that show nothing.
func isFiller(r rune) bool {
	return r == '\u115f' || r == '\u1160' || r == '\u3164' || r == '\uffa0' || r == '\u034f' || r == '\ufffc'
}

// isTidy tells a text of Latin letters with single blanks between them, which nearly every
// name is.
func isTidy(text string) bool {
	blank := true
	for _, r := range text {
		if r == ' ' && blank || r < ' ' || r > '\u024f' || r >= '\u007f' && r < '\u00c0' {
			return false
		}
		blank = r == ' '
	}
	return !blank
}

// longestPlaceholder is the longest text that is compared with the placeholders, in bytes.
const longestPlaceholder = 40

// frames are what stands around a placeholder: "[null]", "{{name}}".
const frames = "[]{}()<>\"'-_.*#: "

// isPlaceholder tells what stands where a name is missing. It is asked for every name, and
// needs no memory for most.
func isPlaceholder(text string) bool {
	if len(text) > longestPlaceholder {
		return false
	}
	if !isASCII(text) {
		plain := strings.Trim(folded(text), frames)
		return plain == "" || placeholders[plain] || isRepeated(plain)
	}
	var small [longestPlaceholder]byte
	for i := range len(text) {
		small[i] = text[i]
		if 'A' <= text[i] && text[i] <= 'Z' {
			small[i] += 'a' - 'A'
		}
	}
	plain := bytes.Trim(small[:len(text)], frames)
	if len(plain) == 0 || placeholders[string(plain)] {
		return true
	}
	return len(plain) > 2 && len(bytes.Trim(plain, string(rune(plain[0])))) == 0
}

// folded writes a text in small letters, without accents.
func folded(text string) string {
	text = strings.ToLower(text)
	if isASCII(text) {
		return text
	}
	return strings.Map(withoutAccent, text)
}

// withoutAccent is a letter as it is compared; -1 for a mark that stands on one.
func withoutAccent(r rune) rune {
	const accented, plain = "áàâãäåéèêëíìîïóòôõöúùûüçñýÿ", "aaaaaaeeeeiiiiooooouuuucnyy"
	switch {
	case r < utf8.RuneSelf:
		return r
	case unicode.Is(unicode.Mn, r) || r == 'ª' || r == 'º':
		return -1
	}
	at := 0
	for _, each := range accented {
		if each == r {
			return rune(plain[at])
		}
		at++
	}
	return r
}

func isASCII(text string) bool {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
