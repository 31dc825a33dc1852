package guard

const (
	hundred  = -100 // the English word, which multiplies
	thousand = 1000
	// mostNumerals bounds the words of one number.
	mostNumerals = 12
	// endless is more than any numeral is worth.
	endless = 1 << 30
)

// numerals are the words for numbers of the three languages.
var numerals = worths(map[int]string{
	0: "zero cero", 2: "dois duas dos two", 3: "tres three", 4: "quatro cuatro four", 5: "cinco five", 6: "seis six",
	7: "sete siete seven", 8: "oito ocho eight", 9: "nove nueve nine", 10: "dez diez ten", 11: "onze once eleven",
	12: "doze doce twelve duzia docena dozen", 13: "treze trece thirteen", 14: "quatorze catorze catorce fourteen",
	15: "quinze quince fifteen", 16: "dezesseis dezasseis dieciseis sixteen",
	17: "dezessete dezassete diecisiete seventeen", 18: "dezoito dieciocho eighteen",
	19: "dezenove dezanove diecinueve nineteen", 20: "vinte veinte twenty", 21: "veintiuno veintiun", 22: "veintidos",
	23: "veintitres", 24: "veinticuatro", 25: "veinticinco", 26: "veintiseis", 27: "veintisiete", 28: "veintiocho",
	29: "veintinueve", 30: "trinta treinta thirty", 40: "quarenta cuarenta forty fourty",
	50: "cinquenta cincuenta fifty", 60: "sessenta sesenta sixty", 70: "setenta seventy", 80: "oitenta ochenta eighty",
	90: "noventa ninety", 100: "cem cento cien ciento", 200: "duzentos duzentas doscientos doscientas",
	300: "trezentos trezentas trescientos trescientas", 400: "quatrocentos quatrocentas cuatrocientos cuatrocientas",
	500: "quinhentos quinhentas quinientos quinientas", 600: "seiscentos seiscentas seiscientos seiscientas",
	700: "setecentos setecentas setecientos setecientas", 800: "oitocentos oitocentas ochocientos ochocientas",
	900: "novecentos novecentas novecientos novecientas", hundred: "hundred", thousand: "mil thousand",
})

var (
	// articles may be the number one, where a unit follows.
	articles = set("um uma un una uno one a an")
	// ones end a number: "vinte e um".
	ones = set("um uma uno una un one")
	// joints stand between the parts of a number in words.
	joints = set("e y and")
)

func worths(words map[int]string) map[string]int {
	all := map[string]int{}
	for value, list := range words {
		for word := range set(list) {
			all[word] = value
		}
	}
	return all
}

// numeral is a number in words while it is read.
type numeral struct {
	// whole are the thousands, group what is below them, last what the last word was worth.
	whole, group, last int
}

// take adds a word's worth; false when it belongs to the number no more: "dez, vinte" is two.
func (n *numeral) take(worth int) bool {
	switch {
	case worth == hundred:
		if n.group > 9 {
			return false
		}
		n.group, n.last = max(n.group, 1)*100, 100
	case worth == thousand:
		if n.whole > 0 {
			return false
		}
		n.whole, n.group, n.last = max(n.group, 1)*thousand, 0, thousand
	case worth >= n.last || n.last < 20:
		return false
	default:
		n.group, n.last = n.group+worth, max(worth, 1)
	}
	return true
}

// spelledNumber reads the number that words begin with, and says how many words it has; 0 when
// there is none.
func spelledNumber(words []string) (value, count int) {
	read := numeral{last: endless}
	at := 0
	if len(words) > 1 && articles[words[0]] && multiplies(words[1]) {
		at = 1 // "a hundred"
	}
	for at < min(len(words), mostNumerals) {
		next := at
		if count > 0 && joints[words[next]] && next+1 < len(words) {
			next++
		}
		worth, known := numerals[words[next]]
		if !known && count > 0 && ones[words[next]] && read.last >= 20 {
			worth, known = 1, true
		}
		if !known || !read.take(worth) {
			break
		}
		at = next + 1
		count = at
	}
	return read.whole + read.group, count
}

func multiplies(word string) bool {
	return numerals[word] == hundred || numerals[word] == thousand || word == "duzia" || word == "docena" ||
		word == "dozen"
}
