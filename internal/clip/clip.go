// Package clip cuts texts to a length. No function cuts inside a character.
package clip

import "unicode/utf8"

// mark stands at the end of a text that is not whole.
const mark = "…"

// Characters returns the first characters of a text, at most so many.
func Characters(text string, most int) string {
	if len(text) <= most {
		return text
	}
	count := 0
	for at := range text {
		if count >= most {
			return text[:at]
		}
		count++
	}
	return text
}

// Bytes returns as many characters from the beginning of a text as fit into so many bytes.
func Bytes(text string, most int) string {
	if len(text) <= most {
		return text
	}
	end := max(most, 0)
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end]
}

// Marked returns a text of at most so many characters. One that had more ends with "…", which
// counts as one of them.
func Marked(text string, most int) string {
	if len(text) <= most || utf8.RuneCountInString(text) <= most {
		return text
	}
	return Characters(text, most-1) + mark
}
