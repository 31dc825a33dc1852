// Package phone brings phone numbers to one form and to one matching key. No I/O.
//
// The rules for Brazil are Anatel's: two digits of area code, then eight digits
// (landlines start with 2 to 5) or nine (mobiles start with 9, since 2016 in every
// area). WhatsApp's own ids of accounts older than that still lack the ninth digit,
// so that a customer's number at a sales platform and the id of the same customer at
// a WhatsApp gateway can differ by it: compare by Key, never by equality.
package phone

import (
	"strconv"
	"strings"
	"sync"
	"unicode"

	"github.com/nyaruka/phonenumbers/v2"
)

const (
	brazil     = "BR"
	brazilCode = "55"
	// maxRaw bounds what is looked at: no way of writing a phone number is longer.
	maxRaw = 64
	// minDigits and maxDigits are what a number with country code can have: E.164 ends
	// at 15, and fewer than 7 are short codes.
	minDigits = 7
	maxDigits = 15
)

// Normalize turns a phone number as people and platforms write it into E.164 with the
// plus. region is the ISO country whose format a number without a country code has.
// It is false where there is no phone to write to: letters, no area code, one digit
// repeated throughout, a service number, an impossible length. A subscriber number of one
// repeated digit (11 99999-9999) is a number like others.
//
// Numbers with a plus (or 00) of other countries are kept when their length is
// possible there; without a plus they are taken for foreign ones only when they are
// too long for the region and valid elsewhere. A Brazilian mobile without the ninth
// digit gets it, and so do other countries' numbers what they have got since (see forms.go).
func Normalize(raw, region string) (e164 string, ok bool) {
	digits, plus, ok := scan(raw)
	if !ok {
		return "", false
	}
	region = strings.ToUpper(strings.TrimSpace(region))
	switch {
	case plus:
		return international(digits, false)
	case strings.HasPrefix(digits, "00"):
		return international(digits[2:], false)
	case region == brazil:
		return brazilian(digits)
	default:
		return regional(digits, region)
	}
}

// Key is what two writings of one number have in common: for Brazil 55, the area code
// and the last eight digits, which survives the ninth digit; for the countries of forms.go
// what survives theirs; all digits for every other country. number has its country code, with
// or without the plus.
func Key(number string) string {
	digits := Digits(number)
	if isBrazil(digits) {
		return digits[:4] + digits[len(digits)-8:]
	}
	return keyOf(digits)
}

// Keys are the Key of a number, first, and what was or could have been its key before ways of
// writing it were known: what was stored under one of them is still found.
func Keys(number string) []string {
	key := Key(number)
	return append([]string{key}, otherForms(key)...)
}

// Shared says whether different numbers can have the Key of this one: a landline and a mobile
// in Brazil, two operators' in Ivory Coast. Elsewhere who has the key is who has the number.
func Shared(number string) bool {
	digits := Digits(number)
	return isBrazil(digits) || strings.HasPrefix(digits, ivoryCoastCode)
}

// IsRegion says whether a region (ISO 3166-1, two letters) has telephone numbers; "" is Brazil.
func IsRegion(region string) bool {
	region = strings.ToUpper(strings.TrimSpace(region))
	return region == "" || phonenumbers.GetCountryCodeForRegion(region) != 0
}

func isBrazil(digits string) bool {
	return strings.HasPrefix(digits, brazilCode) && (len(digits) == 12 || len(digits) == 13)
}

// FromJID takes the phone number out of a WhatsApp id of a person's account, as digits
// with country code and without the device ("5511987654321:12@s.whatsapp.net"). It is
// false for ids that hold no phone: hidden ids (@lid), groups, broadcasts, newsletters.
// The digits are WhatsApp's: they are not checked, because old Brazilian ones lack the
// ninth digit and are invalid by the book.
func FromJID(jid string) (digits string, ok bool) {
	user, server, found := strings.Cut(strings.TrimSpace(jid), "@")
	if !found {
		return "", false
	}
	switch strings.ToLower(server) {
	case "s.whatsapp.net", "c.us":
	default:
		return "", false
	}
	user, _, _ = strings.Cut(user, ":")
	user, _, _ = strings.Cut(user, ".")
	if len(user) < minDigits || len(user) > maxDigits || user[0] == '0' || Digits(user) != user {
		return "", false
	}
	return strings.Clone(user), true
}

// JID is the WhatsApp id of the account with these digits, as FromJID reads it.
func JID(digits string) string { return digits + "@s.whatsapp.net" }

// Digits drops everything that is no digit: the way a gateway wants an E.164 number.
func Digits(e164 string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, e164)
}

// scan collects the digits of a written number and whether a plus leads them. It is
// false when there is anything that does not belong into a phone number.
func scan(raw string) (digits string, plus, ok bool) {
	raw = strings.TrimSpace(raw)
	if raw == "" || len(raw) > maxRaw {
		return "", false, false
	}
	found := make([]byte, 0, len(raw))
	for _, r := range raw {
		switch {
		case r >= '0' && r <= '9':
			found = append(found, byte(r))
		case r == '+' && !plus && len(found) == 0:
			plus = true
		case !isSeparator(r):
			return "", false, false
		}
	}
	// A number can have up to four digits of trunk and carrier prefix.
	if len(found) < minDigits || len(found) > maxDigits+4 {
		return "", false, false
	}
	return string(found), plus, true
}

// isSeparator tells what people put between digits; the invisible marks come along
// when a number is pasted from an address book.
func isSeparator(r rune) bool {
	switch r {
	case '-', '.', '(', ')', '/', '\u2212':
		return true
	}
	return unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Pd, r)
}

// international reads digits that start with a country code. strict asks for a valid
// number, not only for one of a possible length.
func international(digits string, strict bool) (string, bool) {
	if national, found := strings.CutPrefix(digits, brazilCode); found {
		return brazilNational(withoutTrunk(national))
	}
	return foreign(digits, strict)
}

// brazilian reads digits without a plus in Brazil. "55" is a country code only where
// the length says so: it is an area code as well.
func brazilian(digits string) (string, bool) {
	switch {
	case digits[0] == '0':
		return brazilNational(withoutTrunk(digits))
	case len(digits) <= 11:
		return brazilNational(digits)
	default:
		return international(digits, true)
	}
}

// withoutTrunk takes the trunk zero off a Brazilian national number, and the two
// digits after it when they are a carrier's (0 15 11 98765-4321) or the country code.
func withoutTrunk(national string) string {
	rest, found := strings.CutPrefix(national, "0")
	if found && (len(rest) == 12 || len(rest) == 13) {
		return rest[2:]
	}
	return rest
}

// brazilNational reads an area code and a subscriber number.
func brazilNational(national string) (string, bool) {
	if len(national) != 10 && len(national) != 11 {
		return "", false
	}
	if allEqual(national) {
		return "", false
	}
	if isBrazilianLine(national) {
		return "+" + brazilCode + national, true
	}
	if len(national) == 10 && national[2] >= '6' {
		national = national[:2] + "9" + national[2:]
		if isBrazilianLine(national) {
			return "+" + brazilCode + national, true
		}
	}
	return "", false
}

// brazilianLines are the lines that there are: area codes and the first digit of a
// subscriber number, with as many digits as it has. The library, which would be asked for
// every delivery, is asked once for each: its rules for mobiles and landlines go no deeper.
var brazilianLines = sync.OnceValue(func() map[string]bool {
	lines := map[string]bool{}
	for area := 11; area <= 99; area++ {
		for first := '1'; first <= '9'; first++ {
			for _, rest := range []string{"1234567", "12345678"} {
				national := strconv.Itoa(area) + string(first) + rest
				lines[lineOf(national)] = libraryKnowsLine(national)
			}
		}
	}
	return lines
})

func lineOf(national string) string { return national[:3] + strconv.Itoa(len(national)) }

// isBrazilianLine tells whether a national number is a landline or a mobile: not a
// service number (0800, 0300, 4004) and not in an area that does not exist.
func isBrazilianLine(national string) bool { return brazilianLines()[lineOf(national)] }

func libraryKnowsLine(national string) bool {
	number, err := phonenumbers.Parse("+"+brazilCode+national, "")
	if err != nil || phonenumbers.GetNationalSignificantNumber(number) != national {
		return false
	}
	switch phonenumbers.GetNumberType(number) {
	case phonenumbers.MOBILE, phonenumbers.FIXED_LINE, phonenumbers.FIXED_LINE_OR_MOBILE:
		return true
	}
	return false
}

// foreign reads digits that start with another country's code.
func foreign(digits string, strict bool) (string, bool) {
	digits = current(digits)
	if len(digits) > maxDigits+1 {
		return "", false
	}
	number, err := phonenumbers.Parse("+"+digits, "")
	if err != nil {
		return "", false
	}
	return format(number, strict)
}

// regional reads digits without a plus in a country other than Brazil.
func regional(digits, region string) (string, bool) {
	if number, err := phonenumbers.Parse(atHome(digits, region), region); err == nil {
		if e164, ok := format(number, true); ok {
			return e164, true
		}
	}
	if len(digits) < 12 {
		return "", false
	}
	return international(digits, true)
}

func format(number *phonenumbers.PhoneNumber, strict bool) (string, bool) {
	if !phonenumbers.IsPossibleNumber(number) || strict && !phonenumbers.IsValidNumber(number) {
		return "", false
	}
	if allEqual(phonenumbers.GetNationalSignificantNumber(number)) {
		return "", false
	}
	e164 := phonenumbers.Format(number, phonenumbers.E164)
	if len(e164) < 1+minDigits || len(e164) > 1+maxDigits || !isStable(e164) {
		return "", false
	}
	return e164, true
}

// isStable tells whether E.164 reads back as itself. A number of a possible length that
// is not valid may not: its leading zeros can look like a trunk prefix.
func isStable(e164 string) bool {
	number, err := phonenumbers.Parse(e164, "")
	return err == nil && phonenumbers.Format(number, phonenumbers.E164) == e164
}

func allEqual(digits string) bool {
	return digits != "" && strings.Count(digits, digits[:1]) == len(digits)
}
