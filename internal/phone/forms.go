package phone

import "strings"

// This file knows the countries whose numbers are written in several ways that are one
// number. WhatsApp's id of an account is in the way of the day it was made, or in one that only
// WhatsApp has, so that a number at a sales platform and the id of the same customer differ:
//
//   - Mexico: until 2019 a mobile had a 1 after the country code when it was called from abroad
//     (+52 1 55 1234 5678), and 044 or 045 before it at home. WhatsApp has kept the 1.
//   - Argentina: a mobile is called with a 9 after the country code from abroad, and with 15
//     after the area code at home; people give it with either, both or none. WhatsApp has the 9.
//   - Ivory Coast: in January 2021 eight digits became ten, by two digits of the operator.
//   - Benin: in November 2024 eight digits became ten, with 01 before them.
//   - Vietnam: in 2018 mobiles of ten digits became nine, with another prefix.
//
// Trunk zeros that belong to a number (Italy) stay, and those that do not are taken off by the
// library.

const (
	mexicoCode     = "52"
	argentinaCode  = "54"
	vietnamCode    = "84"
	ivoryCoastCode = "225"
	beninCode      = "229"
	// tenDigits is how long a national number of Mexico and Argentina is.
	tenDigits = 10
	// oldDigits is how long a national number of Ivory Coast and Benin was; the new one ends
	// with it.
	oldDigits = 8
	// beninPrefix is what each of Benin's numbers got before it.
	beninPrefix = "01"
)

// mexicanPrefixes stood before the ten digits of a Mexican number, by where it was called from.
var mexicanPrefixes = []string{"1", "01", "044", "045"}

// vietnamese are the prefixes of mobiles before 2018 (after the country code) and since.
var vietnamese = map[string]string{
	"120": "70", "121": "79", "122": "77", "126": "76", "128": "78",
	"123": "83", "124": "84", "125": "85", "127": "81", "129": "82",
	"162": "32", "163": "33", "164": "34", "165": "35", "166": "36", "167": "37", "168": "38", "169": "39",
	"186": "56", "188": "58", "199": "59",
}

// ivorianOperators are the digits that a number of Ivory Coast got before it, by its second
// digit: Moov's, MTN's and Orange's.
var ivorianOperators = [10]string{"01", "01", "01", "01", "05", "05", "05", "07", "07", "07"}

// current brings the digits of a number with country code to the way that it is written in
// today; what is written so, and every other country's, stays as it is.
func current(digits string) string {
	switch code, national := split(digits); code {
	case mexicoCode:
		return code + withoutPrefix(national, mexicanPrefixes, tenDigits)
	case argentinaCode:
		// The library understands 15, but not behind the 9.
		if rest, found := strings.CutPrefix(national, "9"); found && len(rest) == tenDigits+2 {
			return code + rest
		}
	case ivoryCoastCode:
		if len(national) == oldDigits {
			return code + ivorian(national)
		}
	case beninCode:
		if len(national) == oldDigits {
			return code + beninPrefix + national
		}
	case vietnamCode:
		return code + vietnam(national)
	}
	return digits
}

// atHome is current for digits without country code, as they are written in the region itself.
func atHome(digits, region string) string {
	switch {
	case region == "MX":
		return withoutPrefix(digits, mexicanPrefixes, tenDigits)
	case region == "CI" && len(digits) == oldDigits:
		return ivorian(digits)
	case region == "BJ" && len(digits) == oldDigits:
		return beninPrefix + digits
	case region == "VN" && digits[0] == '0':
		return "0" + vietnam(digits[1:])
	}
	return digits
}

// keyOf is Key for the countries of this file: what all ways of writing a number have in
// common.
func keyOf(digits string) string {
	switch code, national := split(digits); code {
	case mexicoCode:
		return code + withoutPrefix(national, mexicanPrefixes[:1], tenDigits)
	case argentinaCode:
		return code + withoutPrefix(national, []string{"9"}, tenDigits)
	case ivoryCoastCode:
		if len(national) == oldDigits+2 {
			return code + national[2:]
		}
	case beninCode:
		return code + withoutPrefix(national, []string{beninPrefix}, oldDigits)
	case vietnamCode:
		return code + vietnam(national)
	}
	return digits
}

// otherForms are the ways of writing a number that were its key once: all its digits.
func otherForms(digits string) []string {
	switch code, national := split(keyOf(digits)); {
	case code == mexicoCode && len(national) == tenDigits:
		return []string{code + "1" + national}
	case code == argentinaCode && len(national) == tenDigits:
		return []string{code + "9" + national}
	case code == ivoryCoastCode && len(national) == oldDigits:
		return []string{code + ivorian(national)}
	case code == beninCode && len(national) == oldDigits:
		return []string{code + beninPrefix + national}
	}
	return nil
}

// split takes the country code off the digits of a number; "" for one that is not of a country
// of this file.
func split(digits string) (code, national string) {
	for _, code := range []string{mexicoCode, argentinaCode, vietnamCode, ivoryCoastCode, beninCode} {
		if national, found := strings.CutPrefix(digits, code); found {
			return code, national
		}
	}
	return "", digits
}

// withoutPrefix takes one of these prefixes off a number, where the rest has this length.
func withoutPrefix(national string, prefixes []string, length int) string {
	for _, prefix := range prefixes {
		if rest, found := strings.CutPrefix(national, prefix); found && len(rest) == length {
			return rest
		}
	}
	return national
}

// ivorian is an old number of Ivory Coast as it is now: landlines (they began with 2 or 3) by
// their third digit, mobiles by their second.
func ivorian(old string) string {
	if old[0] != '2' && old[0] != '3' {
		return ivorianOperators[old[1]-'0'] + old
	}
	if old[2] == '0' {
		return "25" + old
	}
	return "27" + old
}

// vietnam is an old mobile number of Vietnam as it is now.
func vietnam(national string) string {
	if len(national) != tenDigits {
		return national
	}
	if prefix, old := vietnamese[national[:3]]; old {
		return prefix + national[3:]
	}
	return national
}
