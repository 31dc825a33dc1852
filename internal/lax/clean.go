package lax

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"cartrecovery.dev/operator/internal/clip"
)

// Clean is a string or a number as a clean text (see the function Clean); "" for anything else.
func (v Value) Clean(limit int) string {
	if v.Kind() == Number {
		return Clean(v.Digits(), limit)
	}
	return Clean(v.Text(), limit)
}

// Text is the first of the fields that is a text or a number, cleaned.
func (f *Fields) Text(limit int, names ...string) string {
	for _, name := range names {
		if text := f.At(name).Clean(limit); text != "" {
			return text
		}
	}
	return ""
}

// MaxID bounds an id, in characters.
const MaxID = 128

// ID is Text for an id.
func (f *Fields) ID(names ...string) string { return f.Text(MaxID, names...) }

// Name is the first of the fields that names something as a string: for names whose absence something else makes up
// for. In small letters.
func (f *Fields) Name(names ...string) string {
	for _, name := range names {
		if text := strings.TrimSpace(f.At(name).Text()); text != "" {
			return strings.ToLower(text)
		}
	}
	return ""
}

// Integer is a whole number, whether it was sent as 3, 3.0, "3" or "3.0".
func (f *Fields) Integer(name string) (int, bool) { return f.At(name).Integer() }

// Integer is Fields.Integer of one value.
func (v Value) Integer() (int, bool) {
	number, err := strconv.ParseFloat(v.Clean(MaxID), 64)
	if err != nil || number != float64(int32(number)) {
		return 0, false
	}
	return int(number), true
}

// Digits is a number as an id is written: 3.0 and 1.355458e6 without point and exponent; "" for anything else.
func (v Value) Digits() string {
	if v.Kind() != Number {
		return ""
	}
	text := v.raw
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

// Clean makes a text fit to be kept: valid UTF-8, no control characters, trimmed, at
// most limit characters.
func Clean(text string, limit int) string {
	if !isClean(text) {
		text = strings.Map(func(r rune) rune {
			if breaksLine(r) {
				return ' '
			}
			return r
		}, strings.ToValidUTF8(text, ""))
	}
	return strings.TrimSpace(clip.Characters(strings.TrimSpace(text), limit))
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
