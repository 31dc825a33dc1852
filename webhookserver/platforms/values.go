package platforms

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"cartrecovery.dev/operator/internal/phone"
)

// textOf turns a string or a number into a clean text; "" for anything else.
func textOf(value any, limit int) string {
	switch value := value.(type) {
	case string:
		return clean(value, limit)
	case json.Number:
		return clean(numberText(value), limit)
	}
	return ""
}

// numberText writes a number as an id is written: 3.0 and 1.355458e6 without point and
// exponent.
func numberText(number json.Number) string {
	text := number.String()
	if !strings.ContainsAny(text, ".eE") {
		return text
	}
	value, err := strconv.ParseFloat(text, 64)
	const exact = 1 << 53
	if err != nil || value < -exact || value > exact || value != float64(int64(value)) {
		return text
	}
	return strconv.FormatInt(int64(value), 10)
}

// clean makes a text fit to be kept: valid UTF-8, no control characters, trimmed, at
// most limit characters.
func clean(text string, limit int) string {
	if !isClean(text) {
		text = strings.Map(func(r rune) rune {
			if breaksLine(r) {
				return ' '
			}
			return r
		}, strings.ToValidUTF8(text, ""))
	}
	text = strings.TrimSpace(text)
	if len(text) <= limit || utf8.RuneCountInString(text) <= limit {
		return text
	}
	count := 0
	for at := range text {
		if count == limit {
			return strings.TrimSpace(text[:at])
		}
		count++
	}
	return text
}

// isClean tells whether a text can be kept as it is, which nearly every one can.
func isClean(text string) bool {
	for _, r := range text {
		if r == utf8.RuneError || breaksLine(r) {
			return utf8.ValidString(text) && !strings.ContainsFunc(text, breaksLine)
		}
	}
	return true
}

// breaksLine tells control characters, and Unicode's two that end a line or paragraph.
func breaksLine(r rune) bool {
	return unicode.IsControl(r) || r == '\u2028' || r == '\u2029'
}

// safeInNames is what an event's name is made of.
const safeInNames = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-/"

// eventName joins the parts of an event's name with "/", and makes it safe to log.
func eventName(parts ...string) string {
	if len(parts) == 1 && len(parts[0]) <= maxEvent && strings.Trim(parts[0], safeInNames) == "" {
		return parts[0]
	}
	var name strings.Builder
	for _, part := range parts {
		if part == "" {
			continue
		}
		if name.Len() > 0 {
			name.WriteByte('/')
		}
		for _, r := range part {
			if strings.ContainsRune(safeInNames, r) {
				name.WriteRune(r)
			} else {
				name.WriteByte('_')
			}
			if name.Len() == maxEvent {
				return name.String()
			}
		}
	}
	return name.String()
}

// eventID joins the parts of an event's id. Without its first part, which tells one
// sale from another, the body itself is the id; and so that two long ids never become
// one by cutting, an id too long is hashed.
func eventID(body []byte, parts ...string) string {
	if parts[0] == "" {
		return digest(body)
	}
	id := strings.Join(slices.DeleteFunc(parts, func(part string) bool { return part == "" }), "/")
	if utf8.RuneCountInString(id) > maxID {
		return digest([]byte(id))
	}
	return id
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return "sha256-" + hex.EncodeToString(sum[:16])
}

// emailOf returns the first of the values that is an e-mail address, in lower case; ""
// when none is.
func emailOf(values ...any) string {
	for _, value := range values {
		if email := addressOf(value); email != "" {
			return email
		}
	}
	return ""
}

func addressOf(value any) string {
	text, _ := value.(string)
	if !utf8.ValidString(text) {
		return ""
	}
	text = strings.ToLower(strings.TrimSpace(text))
	local, domain, found := strings.Cut(text, "@")
	if !found || local == "" || domain == "" || strings.Contains(domain, "@") ||
		utf8.RuneCountInString(text) > maxEmail {
		return ""
	}
	if strings.ContainsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }) {
		return ""
	}
	return text
}

// phoneOf returns the first usable phone number in E.164. country is the ISO country
// that the delivery names, "" when it names none; region is the store's.
func phoneOf(country, region string, values ...any) string {
	country = strings.TrimSpace(country)
	foreign := len(country) == 2 && !strings.EqualFold(country, region)
	read := func(text string) string {
		if foreign {
			if e164, ok := phone.Normalize(text, country); ok {
				return e164
			}
		}
		e164, _ := phone.Normalize(text, region)
		return e164
	}
	return firstPhone(values, read)
}

// firstPhone reads phones that are strings, numbers, lists, or objects of their parts
// (Eduzz's contracts: countryCode, areaCode, number), until one is usable.
func firstPhone(values []any, read func(string) string) string {
	for _, value := range values {
		e164 := ""
		switch value := value.(type) {
		case string:
			e164 = read(strings.TrimSuffix(strings.TrimSpace(value), ".0")) // a number on its way through a spreadsheet
		case json.Number:
			e164 = read(numberText(value))
		case []any:
			e164 = firstPhone(value, read)
		case map[string]any:
			e164 = joinedPhone(value, read)
		}
		if e164 != "" {
			return e164
		}
	}
	return ""
}

// joinedPhone reads a phone of its parts, which platforms let customers fill in as they like:
// the number may begin with the area code, or be complete. Of the ways to put the parts
// together the first counts whose number has the country and area code that are told. Where
// none has, the area code is taken for rubbish; the country code is not.
func joinedPhone(parts fields, read func(string) string) string {
	number := parts.text(maxID, "number", "phone", "phone_number")
	if number == "" {
		return ""
	}
	country := strings.TrimLeft(phone.Digits(parts.text(maxID, "countryCode", "country_code", "ddi")), "0")
	area := strings.TrimPrefix(phone.Digits(parts.text(maxID, "areaCode", "area_code", "ddd")), "0")
	local := strings.TrimLeft(phone.Digits(parts.text(maxID, "phone_local_code")), "0")
	if country != "" || area != "" || local == "" {
		return joined(country, area, number, read)
	}
	// Some fill the country's code in, some the area's, which the number then lacks.
	if e164 := joined("", local, number, read); e164 != "" && read(number) == "" {
		return e164
	}
	return joined(local, "", number, read)
}

// joined puts the codes and the number of a phone together.
func joined(country, area, number string, read func(string) string) string {
	inParts, whole := waysToJoin(country, area, number)
	for _, candidate := range append(inParts, whole...) {
		if e164 := read(candidate); hasCodes(e164, country, area) {
			return e164
		}
	}
	for _, candidate := range whole {
		if e164 := read(candidate); strings.HasPrefix(e164, "+"+country) {
			return e164
		}
	}
	return ""
}

// waysToJoin are the ways to put the parts of a phone together, with its area code and
// without. A number that begins with the area code, and has room for it beside a subscriber's
// number, has it.
func waysToJoin(country, area, number string) (joined, whole []string) {
	const shortest = 8
	bare := strings.TrimPrefix(strings.TrimPrefix(number, "+"), "0")
	digits, plus := phone.Digits(bare), ""
	if country != "" {
		plus = "+" + country
	}
	if area != "" && !(strings.HasPrefix(digits, area) && len(digits) >= len(area)+shortest) {
		joined = []string{plus + area + bare}
	}
	whole = []string{plus + bare, number}
	if country != "" && strings.HasPrefix(digits, country) {
		whole = append(whole, "+"+bare)
	}
	return joined, whole
}

// hasCodes says whether a number has the country and the area code that are told, as far as
// any are. An area code without a country is Brazil's, in its country alone.
func hasCodes(e164, country, area string) bool {
	switch {
	case e164 == "":
		return false
	case country == "" && strings.HasPrefix(e164, "+55"):
		country = "55"
	case country == "":
		return area == ""
	}
	return strings.HasPrefix(e164, "+"+country+area)
}

// linkOf returns an address that leads somewhere on the web; "" for anything else.
func linkOf(value any) string {
	text, _ := value.(string)
	text = strings.TrimSpace(text)
	if text == "" || len(text) > maxURL {
		return ""
	}
	link, err := url.Parse(text)
	if err != nil || link.User != nil || link.Hostname() == "" || link.Scheme != "http" && link.Scheme != "https" {
		return ""
	}
	text = link.String()
	if len(text) > maxURL || !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r)
	}) {
		return ""
	}
	return text
}
