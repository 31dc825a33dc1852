package guard

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// quantity is a number with what it counts.
type quantity struct {
	measure measure
	name    string
	value   string
	// back is true for how long money may be asked back: a guarantee is not access.
	back bool
	// loose is a number of a fact that stands in a line about prices and names no currency.
	loose bool
}

var (
	// partOf cuts a folded text into numbers, words, signs and the ends of lines.
	partOf = regexp.MustCompile(
		`\d{1,2}/\d{1,2}(?:/\d{2,4})?|\d{1,2}:\d{2}|\d{1,3}(?:[.,]\d{3})+(?:[.,]\d{1,2})?|\d+(?:[.,]\d+)?|` +
			`(?:us|mx|r|u)\$|\p{L}[\p{L}\p{N}_']*|[$€£¥₿%\n.,;:!?()/-]`)
	gluedTimes = regexp.MustCompile(`(\d)x(\d)`)
	gluedHour  = regexp.MustCompile(`(\d)h(\d\d)\b`)
	ordinals   = set("o a os as st nd rd th")
	// dayParts say which half of a day an hour is in.
	dayParts = map[string]int{
		"manha": 0, "manana": 0, "morning": 0, "madrugada": 0, "am": 0,
		"tarde": 12, "noite": 12, "noche": 12, "afternoon": 12, "evening": 12, "night": 12, "pm": 12,
	}
	// payVerbs name a price without a currency, in words: "sai por cinquenta".
	payVerbs = set("sai saiu fica faco custa deixo pago paga pagas pay cuesta queda sale dejo costs cost")
	// priceBefore stand between such a verb and its price, forBefore before how long it lasts.
	priceBefore = set("por a en em for so apenas only just solo somente")
	forBefore   = set("em en in por for durante")
	// labelled stand before the number of a part of the course: "aula 3".
	labelled = set(
		"aula clase lesson leccion licao modulo module passo paso step opcao opcion option parte part etapa item")
	// centJoints stand between an amount and its cents, centWords behind them, tailWords behind cents
	// that nobody named.
	centJoints = set("e y and com con with")
	centWords  = set("centavo centavos centimo centimos cent cents")
	tailWords  = set("no na sem sin en em al a cada por per each on with by ou o or pra para")
	// between stand between a number and its unit.
	between = set(
		"de of - ultimos ultimas proximos proximas uteis habiles business unico unica solo sola single simple " +
			"simples full mil k")
)

// part is a piece of a folded text.
type part struct {
	text string
	// number is true for digits, glued when nothing stands before it.
	number, glued bool
	// first is true at the beginning of a line.
	first bool
}

func partsOf(folded string) []part {
	folded = gluedHour.ReplaceAllString(gluedTimes.ReplaceAllString(folded, "${1}x $2"), "$1:$2 h")
	var all []part
	end, first := -1, true
	for _, at := range partOf.FindAllStringIndex(folded, -1) {
		text := folded[at[0]:at[1]]
		if text == "\n" {
			first = true
		}
		all = append(all, part{
			text: text, number: text[0] >= '0' && text[0] <= '9', glued: at[0] == end, first: first && text != "\n",
		})
		if text != "\n" {
			first = false
		}
		end = at[1]
	}
	return all
}

// reader reads the quantities of a text.
type reader struct {
	parts []part
	// tongue is the language the text is in: "dos" is two in Spanish only.
	tongue string
	// facts is true where nothing is exempt.
	facts bool
	found []quantity
}

// quantitiesIn are the quantities of a folded text, in a bounded number of steps for each word.
func quantitiesIn(folded, tongue string, facts bool) []quantity {
	r := reader{parts: partsOf(withoutPhones(folded)), tongue: tongue, facts: facts}
	for at := 0; at < len(r.parts); {
		at += r.read(at)
	}
	return r.found
}

// withoutPhones takes phone numbers out of a text: those that may not be given are links.
func withoutPhones(folded string) string {
	return phone.ReplaceAllStringFunc(folded, func(found string) string {
		if len(digits(found)) < 10 {
			return found
		}
		return " "
	})
}

// word is the part at a place; "" beyond the ends.
func (r *reader) word(at int) string {
	if at < 0 || at >= len(r.parts) {
		return ""
	}
	return r.parts[at].text
}

// read reads what begins at a place and returns how many parts it has.
func (r *reader) read(at int) int {
	one := r.parts[at]
	if one.number {
		return r.readDigits(at)
	}
	if _, numeral := numerals[one.text]; !numeral && !articles[one.text] || !r.mayCount(at) {
		return 1
	}
	value, count := spelledNumber(r.words(at))
	if count == 0 && r.isOne(at) {
		value, count = 1, 1
	}
	if count == 0 {
		return 1
	}
	count += r.hyphens(at, count)
	return count + r.readSpelled(at, at+count, value)
}

// words are the words from a place on that can be one number.
func (r *reader) words(at int) []string {
	var words []string
	for _, one := range r.parts[at:min(len(r.parts), at+2*mostNumerals)] {
		if one.text != "-" {
			words = append(words, one.text)
		}
	}
	return words
}

// mayCount says whether a word is a number in the language of the text.
func (r *reader) mayCount(at int) bool {
	switch r.word(at) {
	case "dos", "once":
		return r.tongue == "es"
	case "ten", "a", "an":
		return r.tongue == "en"
	case "cento", "ciento":
		return r.word(at-1) != "por"
	}
	return true
}

// isOne says whether an article counts: before weeks, months and years.
func (r *reader) isOne(at int) bool {
	if !articles[r.word(at)] {
		return false
	}
	known := unitsKnown[r.word(at+1)]
	if known.measure != lasting {
		return false
	}
	return known.times >= 7 || known.name == "month" || known.times > 1./1440 && soonOrFor(r.word(at-1))
}

func soonOrFor(word string) bool {
	return soonBefore[word] || forBefore[word]
}

// readSpelled keeps a number in words when it counts something, and returns how many parts its
// cents have.
func (r *reader) readSpelled(at, after, value int) int {
	made, found := r.unitAt(at, after)
	text := strconv.Itoa(value)
	switch {
	case found && made.measure == price:
		cents, count := r.centsBehind(after)
		r.keep(at, after, made, normal(text+cents))
		return count
	case found:
		r.keep(at, after, made, text)
	case r.boughtFor(at), r.instalmentOf(at):
		cents, count := r.cents(after)
		r.found = append(r.found, quantity{measure: price, value: normal(text + cents)})
		return count
	case value > 12 && value != thousand && value != 100:
		r.found = append(r.found, quantity{measure: unnamed, value: text})
	}
	return 0
}

// centsBehind are the cents behind a currency: "vinte e nove reais e dez centavos".
func (r *reader) centsBehind(after int) (cents string, count int) {
	for i := after; i < min(len(r.parts), after+2); i++ {
		if unitsKnown[r.word(i)].measure == price {
			if cents, count = r.cents(i + 1); count > 0 {
				return cents, count + i + 1 - after
			}
			break
		}
	}
	return "", 0
}

// cents are a number in words behind a joint, of cents or of nothing else: "vinte e nove e dez".
func (r *reader) cents(at int) (cents string, count int) {
	if !centJoints[r.word(at)] || at+1 >= len(r.parts) {
		return "", 0
	}
	value, count := spelledNumber(r.words(at + 1))
	end := at + 1 + count + r.hyphens(at+1, count)
	named := centWords[r.word(end)]
	if count == 0 || value > 99 || !named && (value < 10 || r.word(end) != "" && !stops[r.word(end)] &&
		!tailWords[r.word(end)]) {
		return "", 0
	}
	if named {
		end++
	}
	return "." + strconv.Itoa(value/10) + strconv.Itoa(value%10), end - at
}

// instalmentOf says whether a number is what one of several instalments comes to: "12x de nove".
func (r *reader) instalmentOf(at int) bool {
	before := r.word(at - 2)
	return (r.word(at-1) == "de" || r.word(at-1) == "of") &&
		(timesWords[before] || unitsKnown[before].measure == payments)
}

// hyphens are how many of them stand within a number in words.
func (r *reader) hyphens(at, count int) int {
	hyphens := 0
	for i := at; i < min(len(r.parts), at+count+hyphens); i++ {
		if r.word(i) == "-" {
			hyphens++
		}
	}
	return hyphens
}

// boughtFor says whether a verb of prices stands before a number: "sai por apenas dez".
func (r *reader) boughtFor(at int) bool {
	for i := at - 1; i >= max(0, at-3); i-- {
		switch word := r.word(i); {
		case payVerbs[word]:
			return true
		case !priceBefore[word]:
			return false
		}
	}
	return false
}

func (r *reader) readDigits(at int) int {
	text := r.word(at)
	switch {
	case strings.Contains(text, "/"):
		day, month, _ := strings.Cut(text, "/")
		month, _, _ = strings.Cut(month, "/")
		r.found = append(r.found, quantity{measure: calendar, value: normal(day) + "/" + normal(month)})
		return 1
	case strings.Contains(text, ":"):
		r.found = append(r.found, quantity{measure: clockTime, value: r.hour(at, at+1)})
		return 1
	case r.listed(at), r.ordinal(at):
		return 1
	}
	value := normal(text)
	if prefixes[r.word(at-1)] {
		currency := unitsKnown[r.word(at-1)].name
		r.found = append(r.found, quantity{measure: price, name: currency, value: r.thousands(at, value)})
		return 1
	}
	if r.isClock(at) {
		r.found = append(r.found, quantity{measure: clockTime, value: r.hour(at, at+1)})
		return 1
	}
	made, found := r.unitAt(at, at+1)
	switch {
	case found:
		r.keep(at, at+1, made, r.thousands(at, value))
	case r.ofMonth(at):
		r.found = append(r.found, quantity{measure: calendar, value: value})
	case strings.ContainsAny(text, ".,") && len(text)-strings.LastIndexAny(text, ".,") == 3:
		r.found = append(r.found, quantity{measure: price, value: value})
	default:
		r.keepPlain(at, value)
	}
	return 1
}

// keepPlain keeps a number with a noun nobody knows, or none.
func (r *reader) keepPlain(at int, value string) {
	small := len(value) == 1 && value <= "3" || len(value) <= 2 && value <= "12" && labelled[r.word(at-1)]
	next := r.word(at + 1)
	noun := next != "" && next[0] >= 'a' && next[0] <= 'z' && len(next) > 2
	switch {
	case small && !r.facts && !noun, labelled[r.word(at-1)] && small:
	case noun:
		r.found = append(r.found, quantity{measure: counted, value: value})
	default:
		r.found = append(r.found, quantity{measure: unnamed, value: value})
	}
}

// listed says whether a number only numbers a line: "1. Abra o link".
func (r *reader) listed(at int) bool {
	next := r.word(at + 1)
	return r.parts[at].first && len(r.word(at)) == 1 && (next == "." || next == ")" || next == "-")
}

// ordinal tells "1ª aula" from a number.
func (r *reader) ordinal(at int) bool {
	return at+1 < len(r.parts) && r.parts[at+1].glued && ordinals[r.word(at+1)] && len(r.word(at)) < 3 && !r.ofMonth(at)
}

// thousands multiplies "2 mil" and "2k".
func (r *reader) thousands(at int, value string) string {
	next := r.word(at + 1)
	if next != "mil" && next != "thousand" && (next != "k" || !r.parts[at+1].glued) {
		return value
	}
	parsed, err := strconv.ParseFloat(value, 64)
	if err != nil || parsed > 1e9 {
		return value
	}
	return strconv.FormatFloat(parsed*thousand, 'f', -1, 64)
}

// unitAt is the unit behind a number that ends before a place; a word or two may stand between.
func (r *reader) unitAt(at, after int) (unit, bool) {
	for i := after; i < min(len(r.parts), after+3); i++ {
		word := r.word(i)
		switch {
		case (word == "por" || word == "per") && (r.word(i+1) == "cento" || r.word(i+1) == "cent" ||
			r.word(i+1) == "ciento"):
			return unit{measure: share}, true
		case timesWords[word] && (r.into(at) || r.ofMoney(i+1)):
			return unit{measure: payments}, true
		case timesWords[word]:
			return unit{measure: exempt}, true
		case word == "x" && r.parts[i].glued && moreThan[r.word(i+1)]:
			return unit{measure: exempt}, true
		}
		if known, ok := unitsKnown[word]; ok && (len(word) > 1 || i == after) {
			return known, true
		}
		if !between[word] && (i > after || !adjective(word)) {
			return unit{}, false
		}
	}
	return unit{}, false
}

// adjective says whether a word can stand between a number and a known noun: "48 video
// lessons" has a noun there, "62 grandes aulas" an adjective.
func adjective(word string) bool { return len(word) > 3 && word[0] >= 'a' && word[0] <= 'z' }

// ofMoney says whether an amount begins at a place, behind "de": "doze vezes de R$ 10".
func (r *reader) ofMoney(at int) bool {
	if r.word(at) != "de" && r.word(at) != "of" || at+1 >= len(r.parts) {
		return false
	}
	_, numeral := numerals[r.word(at+1)]
	return numeral || r.parts[at+1].number || prefixes[r.word(at+1)]
}

// into says whether what comes in so many times is paid.
func (r *reader) into(at int) bool { return payingInto[r.word(at-1)] || payingInto[r.word(at-2)] }

// keep keeps a number with its unit.
func (r *reader) keep(at, after int, made unit, value string) {
	kept := quantity{measure: made.measure, name: made.name, value: value}
	switch made.measure {
	case exempt:
		return
	case payments:
		if value == "1" || value == "0" {
			return
		}
	case share:
		if value == "100" && r.whole(after) {
			return
		}
	case lasting:
		if !r.facts && r.brief(at, value, made) {
			return
		}
		kept.value, kept.back = days(value, made.times), r.givesBack(at, after)
	}
	r.found = append(r.found, kept)
}

var (
	// backWords are of guarantees; stops end what a number is said of.
	backWords = regexp.MustCompile(`^(?:garant|guarant|warrant|reembols|refund|devol|money|dinheiro|dinero)`)
	stops     = set(", . ; : ! ? e y and \n")
)

// givesBack says whether a duration is one of a guarantee.
func (r *reader) givesBack(at, after int) bool {
	for i := at - 1; i >= max(0, at-5); i-- {
		// "garantia é de", without its accent, is no "e".
		if stops[r.word(i)] && (r.word(i) != "e" || r.word(i+1) != "de" && r.word(i+1) != "por") {
			break
		}
		if backWords.MatchString(r.word(i)) {
			return true
		}
	}
	for i := after; i < min(len(r.parts), after+5) && !stops[r.word(i)]; i++ {
		if backWords.MatchString(r.word(i)) {
			return true
		}
	}
	return false
}

// whole says whether "100%" means wholly: "100% online".
func (r *reader) whole(after int) bool {
	for i := after; i < min(len(r.parts), after+3); i++ {
		if wholly[r.word(i)] {
			return true
		}
	}
	return false
}

// brief says whether a few minutes are how long something small takes, and no deadline.
func (r *reader) brief(at int, value string, made unit) bool {
	parsed, err := strconv.ParseFloat(value, 64)
	return err == nil && made.name == "day" && made.times <= 1./1440 && parsed*made.times <= 10./1440 &&
		!soonBefore[r.word(at-1)] && !soonBefore[r.word(at-2)]
}

func days(value string, times float64) string {
	parsed, err := strconv.ParseFloat(value, 64)
	if err != nil {
		return value
	}
	return strconv.FormatFloat(parsed*times, 'g', 6, 64)
}

// isClock says whether a number of digits is a time of day.
func (r *reader) isClock(at int) bool {
	next := r.word(at + 1)
	if next == "am" || next == "pm" {
		return true
	}
	if _, part := dayParts[r.word(at+2)]; part && (next == "da" || next == "de" || next == "a" || next == "in") {
		return true
	}
	if _, part := dayParts[r.word(at+3)]; part && (next == "de" || next == "in") {
		return true
	}
	return clockBefore[r.word(at-1)] && (next == "h" || next == "hs" || next == "hrs" || next == "horas")
}

// hour is a time of day in one form.
func (r *reader) hour(at, after int) string {
	hour, minute, _ := strings.Cut(r.word(at), ":")
	parsed, err := strconv.Atoi(digits(hour))
	if err != nil {
		return hour
	}
	for i := after; i < min(len(r.parts), after+3); i++ {
		if added, ok := dayParts[r.word(i)]; ok && parsed < 12 {
			parsed += added
			break
		}
	}
	if minute == "" {
		minute = "00"
	}
	return strconv.Itoa(parsed) + ":" + minute
}

// ofMonth says whether a number is a day of a month.
func (r *reader) ofMonth(at int) bool {
	if dayBefore[r.word(at-1)] {
		return true
	}
	for _, i := range []int{at - 2, at - 1, at + 1, at + 2, at + 3} {
		if name := r.word(i); months[name] || ambiguousMonths[name] && i >= at-1 && i <= at+2 {
			return true
		}
	}
	return false
}

// strange says whether a text has a quantity that the facts do not have, and of which measure.
func (s *subject) strange(wanted func(measure) bool) bool {
	for _, one := range s.quantities() {
		given := func(fact quantity) bool { return fact.allows(one) }
		if wanted(one.measure) && !slices.ContainsFunc(s.givenQuantities(), given) && !s.isAge(one) {
			return true
		}
	}
	return false
}

// allows says whether a quantity of the facts allows one of a text.
func (q quantity) allows(said quantity) bool {
	if q.value != said.value {
		return q.measure == clockTime && said.measure == lasting && q.hours() == said.value ||
			said.measure == clockTime && q.measure == lasting && said.hours() == q.value
	}
	switch said.measure {
	case unnamed:
		return true
	case price:
		return q.measure == price && sameMoney(q.name, said.name) || q.loose || q.measure == share && q.name == "off"
	case share:
		return q.measure == share || said.name == "off" && (q.measure == price || q.loose)
	case counted:
		return q.measure == unnamed || q.measure == counted && (said.name == "" || q.name == "" || q.name == said.name)
	case calendar:
		return q.measure == calendar
	case lasting:
		return q.measure == lasting && q.name == said.name && (q.back || !said.back)
	}
	return q.measure == said.measure && q.name == said.name
}

// hours is a time of day as a duration: "10h" may be either.
func (q quantity) hours() string {
	hour, minute, _ := strings.Cut(q.value, ":")
	if minute != "00" {
		return ""
	}
	return days(hour, 1./24)
}

// sameMoney says whether one currency may be written as the other.
func sameMoney(fact, said string) bool {
	dollar := func(name string) bool { return name == "$" || name == "USD" || name == "PESO" }
	return fact == said || fact == "" || said == "" || fact == "$" && dollar(said) || said == "$" && dollar(fact)
}

// isAge says whether years are the customer's own, who said so.
func (s *subject) isAge(one quantity) bool {
	if one.measure != lasting || one.name != "month" {
		return false
	}
	for _, said := range foldAll(s.facts.Customer) {
		theirs := quantitiesIn(said, s.tongue, true)
		if slices.Contains(theirs, one) && spokenAge.MatchString(s.folded) {
			return true
		}
	}
	return false
}

var spokenAge = regexp.MustCompile(`\b(?:aos|com|con|at|tem|tienes) (?:os |seus |tus |your )?\d+\s+(?:anos?|years?)` +
	`(?:[^a-z]|$| (?:da|se|you|it|es|e|de idade|de edad|old|nao|no|tambem|nunca|puedes|pode)\b)`)

// hasStrangePrice looks for money, shares and instalments that were not given.
func (s *subject) hasStrangePrice() bool {
	return s.strange(func(m measure) bool { return m == price || m == share || m == payments })
}

// hasStrangeNumber looks for other numbers that were not given.
func (s *subject) hasStrangeNumber() bool {
	return s.strange(func(m measure) bool {
		return m == unnamed || m == counted || m == lasting || m == clockTime || m == calendar
	})
}

// quantities are those of the text, read once.
func (s *subject) quantities() []quantity {
	if !s.quantified {
		s.said = quantitiesIn(s.withoutOwned(s.withoutEcho()), s.tongue, false)
		s.quantified = true
	}
	return s.said
}

// givenQuantities are those of the facts, read when there is something to compare.
func (s *subject) givenQuantities() []quantity {
	if s.known == nil {
		read := quantitiesIn(s.promptFolded, s.tongue, true)
		s.known = append(loosened(s.promptFolded, s.tongue), read...)
	}
	return s.known
}

// loosened are the numbers without a currency in those sentences of the facts that speak of
// prices and name no currency: "Valor: 97".
func loosened(folded, tongue string) []quantity {
	loose := []quantity{}
	for _, sentence := range sentenceEnd.Split(folded, -1) {
		if !priceLine.MatchString(sentence) {
			continue
		}
		read := quantitiesIn(sentence, tongue, true)
		if slices.ContainsFunc(read, func(one quantity) bool { return one.measure == price && one.name != "" }) {
			continue
		}
		for _, one := range read {
			if one.measure == unnamed || one.measure == counted && one.name == "" {
				one.loose = true
				loose = append(loose, one)
			}
		}
	}
	return loose
}
