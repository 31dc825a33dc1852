package platforms

import (
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"cartrecovery.dev/operator/internal/lax"
	"cartrecovery.dev/operator/internal/phone"
)

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
func emailOf(values ...lax.Value) string {
	for _, value := range values {
		if email := addressOf(value); email != "" {
			return email
		}
	}
	return ""
}

func addressOf(value lax.Value) string {
	text := strings.TrimSpace(value.Text())
	if !utf8.ValidString(text) {
		return ""
	}
	text = strings.ToLower(text)
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
func phoneOf(country, region string, values ...lax.Value) string {
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
func firstPhone(values []lax.Value, read func(string) string) string {
	for _, value := range values {
		e164 := ""
		switch value.Kind() {
		case lax.Text: // ".0" comes from a number on its way through a spreadsheet
			e164 = read(strings.TrimSuffix(strings.TrimSpace(value.Text()), ".0"))
		case lax.Number:
			e164 = read(value.Digits())
		case lax.List:
			e164 = firstPhone(value.List(maxListed), read)
		case lax.Object:
			e164 = joinedPhone(value.Object(), read)
		}
		if e164 != "" {
			return e164
		}
	}
	return ""
}

// phoneInParts makes the object that joinedPhone reads.
func phoneInParts(country, area, number lax.Value) lax.Value {
	return lax.Made(lax.Some(map[string]lax.Value{"ddi": country, "ddd": area, "number": number}))
}

// joinedPhone reads a phone of its parts, which platforms let customers fill in as they like:
// the number may begin with the area code, or be complete. Of the ways to put the parts
// together the first counts whose number has the country and area code that are told. Where
// none has, the area code is taken for rubbish; the country code is not.
func joinedPhone(parts fields, read func(string) string) string {
	number := parts.ID("number", "phone", "phone_number")
	if number == "" {
		return ""
	}
	country := strings.TrimLeft(phone.Digits(parts.ID("countryCode", "country_code", "ddi")), "0")
	area := strings.TrimPrefix(phone.Digits(parts.ID("areaCode", "area_code", "ddd")), "0")
	local := strings.TrimLeft(phone.Digits(parts.ID("phone_local_code")), "0")
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
func linkOf(value lax.Value) string {
	text := strings.TrimSpace(value.Text())
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
