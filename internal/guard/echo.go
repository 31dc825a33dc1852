package guard

import (
	"regexp"
	"slices"
	"strings"
)

// What customers have just said of themselves may be said back to them: how many children they
// have, the day on which they want to pay. It is no fact: no deadline, and no price, may rest on it.

const mostOwned = `([2-9]|1\d|20)`

var (
	// owns is a small number of things that customers say they have, mirrors the same said back to
	// them; the groups are what stands before the number, the number, and the thing.
	owns = regexp.MustCompile(
		`\b(?:tenho|tengo|i have|i've got|i've|have|got|cuido de|mae de|pai de|madre de|padre de|mama de|papa de|mom of|dad of|mother of|` +
			`father of|com|con|with|my|meus|minhas|mis) (?:ja |ya |already )?` + mostOwned + ` (\p{L}{3,})`)
	mirrors = regexp.MustCompile(
		`(\b(?:tem|tienes|tiene|you have|you've got|you've|have|with|com|con|your|tus|seus|suas|those|cuidar de|mae de|mom of|madre de) ` +
			`(?:ja |ya |already )?)` + mostOwned + ` (\p{L}{3,})`)
	// dayOfMonth is a day without its month.
	dayOfMonth = regexp.MustCompile(`\bdia (\d{1,2})\b`)
	// brings are what happens on a day by the store's doing, which no customer can name: the price
	// that rises, the parcel that comes. They also stand for what ends on it.
	brings = regexp.MustCompile(
		` (?:ate|hasta|until|till|by|before|antes|so|solo|only|apenas|somente|ultim[oa]|last|deadline|prazo|plazo|preco|precio|price|valor|` +
			`desconto|descuento|discount|cupom|cupon|coupon|oferta|offer|promo\S*|vagas?|cupos?|spots?|seats?|cheg\S+|lleg\S+|arriv\S+|entreg\S+|deliver\S*|ship\S*|` +
			`envi\S+|mand\S+|send\S*|lig\S+|llam\S+|call\S*|comec\S+|empiez\S+|empez\S+|start\S*|begin\S*|abre\S*|open\S*|fech\S+|cierr\S+|clos\S+|acab\S+|` +
			`termin\S+|end|ends|ending|venc\S+|expir\S+|sobe\S*|sube\S*|ris\S+|reserv\S+|guard\S+|segur\S+|hold\S*|keep\S*|garant\S+|aula|aulas|clase|clases|lesson|lessons|` +
			`live|vivo|reembols\S+|refund\S*|devol\S+|cobr\S+|charg\S+|parcel\S+|cuota\S*|goes|gone|away|some|muda\S*|chang\S+|cambi\S+|volta\S*|vuelv\S+) `)
)

// withoutOwned takes the numbers that the customer has just named out of a folded text.
func (s *subject) withoutOwned(folded string) string {
	if len(s.facts.Customer) == 0 || !mirrors.MatchString(folded) && !dayOfMonth.MatchString(folded) {
		return folded
	}
	said := foldAll(s.facts.Customer)
	folded = mirrors.ReplaceAllStringFunc(folded, func(found string) string {
		parts := mirrors.FindStringSubmatch(found)
		if ownedBy(said, parts[2], parts[3]) {
			return parts[1] + parts[3]
		}
		return found
	})
	if s.mayEchoDays() {
		folded = dayOfMonth.ReplaceAllStringFunc(folded, func(found string) string {
			if slices.ContainsFunc(said, func(message string) bool { return holdsWord(message, found) }) {
				return "dia"
			}
			return found
		})
	}
	return folded
}

// ownedBy says whether one of the messages says that its writer has so many of a thing, which is
// nothing that the store sells by number.
func ownedBy(messages []string, count, thing string) bool {
	if _, sold := unitsKnown[thing]; sold {
		return false
	}
	return slices.ContainsFunc(messages, func(message string) bool {
		for _, found := range owns.FindAllStringSubmatch(message, -1) {
			if found[1] == count && found[2] == thing {
				return true
			}
		}
		return false
	})
}

// customerDays are the days of the week that the customer named, where the text may say them back.
func (s *subject) customerDays() []string {
	if len(s.facts.Customer) == 0 || !s.mayEchoDays() {
		return nil
	}
	var days []string
	for _, message := range foldAll(s.facts.Customer) {
		for _, day := range daysIn(spoken(message)) {
			if len(day) == 1 { // a month has its first letters
				days = append(days, day)
			}
		}
	}
	return days
}

// mayEchoDays says whether the text lets nothing happen, or end, on a day.
func (s *subject) mayEchoDays() bool {
	return !brings.MatchString(" " + strings.Join(spoken(s.folded), " ") + " ")
}
