package lax

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"
)

// Checked returns a body that Parse and Pick can read: the body itself, if it is JSON with nothing after it, or a
// mended copy. What JSON does not allow and deliveries have all the same is let pass: raw line breaks and other control
// characters in texts, unknown escapes (as they were written), and malformed numbers (as null). text, where it is set,
// is what every text is read with first. expected says what is wrong with any other body.
func Checked(body []byte, text func(string) string) (checked []byte, expected string) {
	if expected := exceeds(body); expected != "" {
		return nil, expected
	}
	if text == nil && gjson.ValidBytes(body) {
		return body, ""
	}
	if body = mended(body, text); !gjson.ValidBytes(body) {
		return nil, "one JSON object and nothing after it"
	}
	return body, ""
}

// The limits of a body. No delivery comes near them: a Shopify order of a hundred lines has some eight thousand
// values.
const (
	MaxDepth  = 512
	MaxValues = 20_000
)

// exceeds says what is expected of a body that nests deeper than MaxDepth or has more than MaxValues values; ""
// for any other. Nearly every body has fewer brackets and commas than that altogether.
func exceeds(body []byte) (expected string) {
	brackets := bytes.Count(body, []byte{'{'}) + bytes.Count(body, []byte{'['})
	if brackets <= MaxDepth && bytes.Count(body, []byte{','}) < MaxValues {
		return ""
	}
	depth, values := 0, 1
	for at := 0; at < len(body); at++ {
		switch body[at] {
		case '"':
			at = textEnd(body, at+1)
		case '{', '[':
			if depth++; depth > MaxDepth {
				return "an object that nests at most " + strconv.Itoa(MaxDepth) + " levels deep"
			}
		case '}', ']':
			depth--
		case ',':
			if values++; values > MaxValues {
				return "an object of at most " + strconv.Itoa(MaxValues) + " values"
			}
		}
	}
	return ""
}

// textEnd is the place of the quotation mark that ends a text, or the end of the body.
func textEnd(body []byte, at int) int {
	for {
		next := bytes.IndexAny(body[at:], `"\`)
		if next < 0 {
			return len(body)
		}
		if at += next; body[at] == '"' {
			return at
		}
		if at += 2; at > len(body) {
			return len(body)
		}
	}
}

// mended makes JSON of a body that nearly is. Control characters within texts are escaped, a backslash that escapes
// nothing is doubled, and what a program wrote for a number without its being one (NaN, 01) becomes null.
func mended(body []byte, text func(string) string) []byte {
	made := make([]byte, 0, len(body)+len(body)/4)
	for at := 0; at < len(body); {
		if body[at] == '"' {
			end := textEnd(body, at+1)
			inner := string(body[at+1 : end])
			if text != nil {
				inner = text(inner)
			}
			made = appendText(append(made, '"'), inner)
			made = append(made, body[end:min(end+1, len(body))]...)
			at = end + 1
			continue
		}
		end := at
		for end < len(body) && strings.IndexByte(structure, body[end]) < 0 {
			end++
		}
		switch word := body[at:end]; {
		case end == at:
			made = append(made, body[at])
			end++
		case isNumberish(string(word)) && !gjson.ValidBytes(word):
			made = append(made, "null"...)
		default:
			made = append(made, word...)
		}
		at = end
	}
	return made
}

// structure is what ends a word.
const structure = " \t\r\n{}[],:\""

// isNumberish tells what a program wrote for a number.
func isNumberish(word string) bool {
	return strings.Trim(word, "+-.0123456789eE") == "" ||
		strings.EqualFold(strings.Trim(word, "+-"), "nan") || strings.EqualFold(strings.Trim(word, "+-"), "inf")
}

// appendText writes what stands between quotation marks as JSON has it.
func appendText(to []byte, text string) []byte {
	const digits = "0123456789abcdef"
	kept := 0 // from there on nothing is written yet
	for at := 0; at < len(text); at++ {
		switch c := text[at]; {
		case c < ' ':
			to = append(append(to, text[kept:at]...), '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
			kept = at + 1
		case c == '\\' && at+1 < len(text) && strings.IndexByte(`"\/bfnrt`, text[at+1]) >= 0:
			at++
		case c == '\\' && !isRune(text[at:]):
			to = append(append(to, text[kept:at]...), '\\')
			kept = at
		}
	}
	return append(to, text[kept:]...)
}

// isRune tells a \uXXXX.
func isRune(escape string) bool {
	return len(escape) >= 6 && escape[1] == 'u' && strings.Trim(escape[2:6], "0123456789abcdefABCDEF") == ""
}
