package guard

import (
	"regexp"
	"strings"

	"cartrecovery.dev/operator/internal/clip"
)

// kind is what a number counts. A number of the prompt allows the same number of the same
// kind: "40 aulas" does not allow "40%".
type kind int

const (
	money kind = iota
	percent
	instalments
	// reduction is money or a percentage: "50 off".
	reduction
)

const number = `(\d{1,3}(?:[.,]\d{3})+(?:[.,]\d{1,2})?|\d+(?:[.,]\d{1,2})?)`

const currencies = `reais|real|dolar|dolares|dollars?|usd|us\$|brl|euros?|eur|mxn|ars|clp|cop|pesos?|centavos|contos?|pilas?|bucks|soles|libras|pounds?`

// amounts are the ways to write an amount; the first group is its number.
var amounts = []struct {
	kind kind
	form *regexp.Regexp
}{
	{money, regexp.MustCompile(`(?:\$|€|£|¥|\b(?:` + currencies + `)\b)\s*` + number)},
	{money, regexp.MustCompile(number + `\s*(?:(?:mil\s+)?(?:` + currencies + `)\b|r\$|u\$|\$|€|£)`)},
	{percent, regexp.MustCompile(number + `\s*(?:%|por ?cento\b|per ?cent\b|por ciento\b|pct\b)`)},
	{reduction, regexp.MustCompile(number + `\s*(?:off\b|de (?:desconto|descuento|cashback)\b|discount\b)`)},
	{instalments, regexp.MustCompile(`\b` + number +
		`\s*(?:x(?:\b|\d)|parcelas\b|cuotas\b|insta?llments?\b|prestacoes\b|mensualidades\b)`)},
	{instalments, regexp.MustCompile(`\b(?:em|ate|hasta|en)\s+` + number + `\s*(?:vezes|veces)\b`)},
	{money, regexp.MustCompile(`\dx\s*(?:de\s+|of\s+|por\s+)?` + number)},
	{money, regexp.MustCompile(`(?:\b(?:vezes|veces|parcelas|cuotas|insta?llments?)\s+(?:de|of)\s+)` + number)},
	{money,
		regexp.MustCompile(
			`\b(?:custa[m]?|custando|sai(?:ndo)?\s+(?:por|a)|fica\s+(?:por|em)|por\s+(?:apenas|so|somente|solo)|for\s+(?:only|just)|costs?|cuesta|` +
				`(?:preco|valor|precio|price|investimento)\s+(?:e|era|de|es|is|of))\s+(?:apenas\s+|so\s+|somente\s+|only\s+|just\s+|solo\s+|de\s+)?` + number)},
	{money,
		regexp.MustCompile(
			`\b(?:abat[oe]r?|tiro|tirar|baixo|baixar|cai[ur]?|deixo|deixar|faco|fazer|fecho|fechar|pag[ae]r?|descontar|desconto de)\s+` +
				`(?:so\s+|apenas\s+|por\s+|para\s+|pra\s+|ate\s+|a\s+)*` + number)},
	{money, regexp.MustCompile(`(?:^|[^\d.,])(\d{1,3}(?:[.,]\d{3})*[.,]\d{2}|\d+[.,]\d{2})(?:$|[^\d])`)},
}

var (
	half = regexp.MustCompile(
		`\b(?:metade d[oe] (?:preco|valor)|pela metade|half (?:the |of the )?price|half off|mitad del? precio)\b`)

	bareNumber = regexp.MustCompile(`\b` + number)
	priceLine  = regexp.MustCompile(
		`preco|valor|price|precio|custa|cuesta|cost|desconto|discount|descuento|cupom|coupon|cupon|\boff\b|amount|total|investimento`)
	reductionLine = regexp.MustCompile(`desconto|discount|descuento|cupom|coupon|cupon|\boff\b|cashback`)

	// units make a number a measure, "apenas 2 minutos".
	units = set(
		`minuto minutos minutes minute min hora horas hours hour h dia dias days day semana semanas weeks week mes meses months
		month ano anos years year aula aulas lessons clases modulo modulos modules pessoas people personas alunos students
		vezes veces times passo passos steps pasos frases clique cliques clicks clics segundos seconds km kg gb mb am pm x parcelas cuotas etapas`)
	// moreThan makes "2x" a comparison.
	moreThan = set("mais more mas melhor better mejor maior menos less faster")
	// wholly are what "100%" may say without being a discount.
	wholly = set(
		"online on-line digital digitais seguro segura seguros safe secure pratico pratica gravado gravada virtual " +
			"remoto remota original natural seu sua tua teu")
	clock = set("as at las v versao version das")
)

// amount is a number that must have been given.
type amount struct {
	kind  kind
	value string
}

// amountsIn are the amounts of a folded text.
func amountsIn(folded string) []amount {
	var found []amount
	for _, way := range amounts {
		for _, at := range way.form.FindAllStringSubmatchIndex(folded, -1) {
			value, before, after := folded[at[2]:at[3]], lastWord(folded[:at[2]]), firstWord(folded[at[3]:])
			switch {
			case way.kind == money && units[after] || way.kind == instalments && moreThan[firstWord(folded[at[1]:])]:
				continue
			case way.kind == money && clock[before] && !strings.HasPrefix(strings.TrimLeft(folded[at[3]:], " "), "r"):
				continue
			case way.kind == percent && value == "100" && wholly[firstWord(folded[at[1]:])]:
				continue
			}
			found = append(found, amount{way.kind, normal(value)})
		}
	}
	if half.MatchString(folded) {
		found = append(found, amount{percent, "50"})
	}
	return found
}

// given are the amounts a prompt allows: what amountsIn finds, and every number in a line
// that speaks of prices.
func given(folded string) map[amount]bool {
	all := map[amount]bool{}
	for _, found := range amountsIn(folded) {
		all[found] = true
	}
	for line := range strings.Lines(folded) {
		if !priceLine.MatchString(line) {
			continue
		}
		reduces := reductionLine.MatchString(line)
		for _, found := range bareNumber.FindAllString(line, -1) {
			all[amount{money, normal(found)}] = true
			if reduces {
				all[amount{percent, normal(found)}] = true
			}
		}
	}
	return all
}

// hasPrice looks for amounts that were not given. A denial changes nothing: "it is not
// R$ 97 but R$ 50" denies one price to name another.
func (s *subject) hasPrice() bool {
	if s.hasStrangePrice() || s.hasBargain() {
		return true
	}
	wanted := amountsIn(s.folded)
	if len(wanted) == 0 {
		return false
	}
	allowed := given(s.promptFolded)
	for _, one := range wanted {
		switch {
		case allowed[one]:
		case one.kind == reduction && (allowed[amount{money, one.value}] || allowed[amount{percent, one.value}]):
		default:
			return true
		}
	}
	return false
}

// normal is a number without thousands separators and idle zeros: 1.997,00 and 1997 are
// one.
func normal(text string) string {
	whole, fraction := text, ""
	if at := strings.LastIndexAny(text, ".,"); at >= 0 && len(text)-at-1 != 3 {
		whole, fraction = text[:at], strings.TrimRight(text[at+1:], "0")
	}
	whole = strings.TrimLeft(digits(whole), "0")
	if whole == "" {
		whole = "0"
	}
	if fraction == "" {
		return whole
	}
	return whole + "." + fraction
}

var (
	leading  = regexp.MustCompile(`^[\s"*_]*([\p{L}][\p{L}-]*)`)
	trailing = regexp.MustCompile(`([\p{L}]+)[\s"*_]*$`)
)

// firstWord is the word a text begins with.
func firstWord(text string) string {
	if found := leading.FindStringSubmatch(clip.Bytes(text, 60)); found != nil {
		return found[1]
	}
	return ""
}

// lastWord is the word a text ends with.
func lastWord(text string) string {
	start := max(0, len(text)-60)
	if found := trailing.FindStringSubmatch(text[start:]); found != nil {
		return found[1]
	}
	return ""
}
