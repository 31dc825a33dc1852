package platforms

import (
	"html"
	"mime"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"

	"cartrecovery.dev/operator/internal/lax"
)

// charset is what the texts of a body are written in: what its content type says, UTF-8
// where that says nothing. The zero charset is UTF-8.
type charset struct{ encoding encoding.Encoding }

// charsetOf reads the charset of a content type. One that is not known is UTF-8.
func charsetOf(contentType string) charset {
	const parameter = "charset="
	at := strings.Index(strings.ToLower(contentType), parameter)
	if at < 0 || at+len(parameter) > len(contentType) || saysUTF8(contentType[at+len(parameter):]) {
		return charset{}
	}
	_, parameters, err := mime.ParseMediaType(contentType)
	if err != nil {
		return charset{}
	}
	found, err := htmlindex.Get(parameters["charset"])
	if err != nil {
		return charset{}
	}
	if name, err := htmlindex.Name(found); err != nil || name == "utf-8" || name == "replacement" {
		return charset{}
	}
	return charset{encoding: found}
}

// saysUTF8 tells the charset of nearly every delivery without reading all of its type.
func saysUTF8(label string) bool {
	const utf8 = "utf-8"
	return len(label) == len(utf8) && strings.EqualFold(label, utf8)
}

// isUTF8 says whether nothing else is told.
func (c charset) isUTF8() bool { return c.encoding == nil }

// spansBytes says whether a text of it is to be read as a whole, because a byte of it may look
// like a quotation mark or a bracket that it is not.
func (c charset) spansBytes() bool {
	_, single := c.encoding.(*charmap.Charmap)
	return c.encoding != nil && !single
}

// text writes bytes in UTF-8. What says that it is of one byte a character and yet is UTF-8
// with characters of several bytes is UTF-8: no one means "JoÃ£o". What is no UTF-8 and was
// to be is Windows-1252, or, where it has such characters too, damaged.
func (c charset) text(text string) string {
	if !c.spansBytes() && utf8.ValidString(text) {
		return text
	}
	from := c.encoding
	if from == nil {
		if hasWideRunes(text) {
			return text
		}
		from = charmap.Windows1252
	}
	decoded, err := from.NewDecoder().String(text)
	if err != nil {
		return text
	}
	return decoded
}

// hasWideRunes says whether a text has characters of several bytes.
func hasWideRunes(text string) bool {
	for _, r := range text {
		if r >= utf8.RuneSelf && r != utf8.RuneError {
			return true
		}
	}
	return false
}

// readable is a text as people read it: without the entities of HTML ("Jos&eacute;"), and in
// UTF-8 once, where it was encoded twice ("JoÃ£o").
func readable(text string) string {
	if strings.Contains(text, "&") {
		text = lax.Clean(html.UnescapeString(text), maxName)
	}
	if !strings.ContainsAny(text, "ÃÂ") {
		return text
	}
	once, err := charmap.Windows1252.NewEncoder().String(text)
	if err != nil || !utf8.ValidString(once) {
		return text
	}
	return lax.Clean(once, maxName)
}
