package formats

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"
)

// This file looks for the names of an instance in a body that nobody has read yet, so that a stranger's
// body is not read: reading costs a hundred times as much as receiving.

const (
	// maxNames bounds the names that are found of a kind, maxMentions how often a field is looked at.
	maxNames    = 16
	maxMentions = 64
	// aboutInstance is how many bytes of an object that tells of the instance are looked at.
	aboutInstance = 2 << 10
)

// Names are what a body may call its instance, and the tokens it may show: all that Parse may find, and
// perhaps more. Pieces of the body, valid as long as that is.
type Names struct {
	Instances, Tokens [][]byte
	// Unsure says that there may be others, which only Parse can tell: something is written with escapes
	// or is no UTF-8, or is mentioned more often than is looked at.
	Unsure bool
}

// NamesIn looks for the names in a body, wherever they are: a delivery may be wrapped, even as a text.
func NamesIn(body []byte) Names {
	var found Names
	for _, field := range []string{"instanceName", "instance_key", "instance"} {
		found.each(body, field, func(value []byte, at int) {
			if len(value) > 0 && value[0] != '{' && value[0] != '[' {
				found.add(&found.Instances, value, maxInstance)
				return
			}
			about := body[at:min(len(body), at+aboutInstance)]
			for _, inner := range []string{"name", "instanceName", "id"} {
				found.each(about, inner, func(value []byte, _ int) { found.add(&found.Instances, value, maxInstance) })
			}
		})
	}
	for _, field := range []string{"token", "apikey"} {
		found.each(body, field, func(value []byte, _ int) { found.add(&found.Tokens, value, maxToken) })
	}
	return found
}

func (n *Names) add(to *[][]byte, value []byte, limit int) {
	value = bytes.TrimSpace(value)
	isSame := func(other []byte) bool { return bytes.Equal(other, value) }
	switch {
	case len(value) == 0 || len(value) > 4*limit || slices.ContainsFunc(*to, isSame):
	case len(*to) == maxNames:
		n.Unsure = true
	default:
		*to = append(*to, value)
	}
}

// each calls found with the value of every field of a name, and with where the value begins. The value of
// an object or a list is its bracket alone.
func (n *Names) each(body []byte, field string, found func(value []byte, at int)) {
	for from, mentions := 0, 0; ; {
		next := bytes.Index(body[from:], []byte(field))
		if next < 0 {
			return
		}
		from += next + len(field)
		at, isField := afterColon(body, from)
		if !isField {
			continue
		}
		if mentions++; mentions > maxMentions {
			n.Unsure = true
			return
		}
		value, whole := valueAt(body, at)
		n.Unsure = n.Unsure || !whole
		found(value, at)
	}
}

// afterColon returns where the value begins of a field whose name ends at a position. Within a text the
// quotation marks are escaped.
func afterColon(body []byte, at int) (int, bool) {
	at = skipAny(body, at, `\`)
	if at >= len(body) || body[at] != '"' {
		return 0, false
	}
	at = skipAny(body, at+1, " \t\r\n")
	if at >= len(body) || body[at] != ':' {
		return 0, false
	}
	at = skipAny(body, at+1, " \t\r\n")
	return at, at < len(body)
}

// valueAt reads the value at a position as it is written. whole is false where it is written with escapes.
func valueAt(body []byte, at int) (value []byte, whole bool) {
	start := skipAny(body, at, `\`)
	if start >= len(body) || body[start] != '"' {
		if start < len(body) && (body[start] == '{' || body[start] == '[') {
			return body[start : start+1], true
		}
		end := bytes.IndexAny(body[at:], ",]}\\ \t\r\n")
		if end < 0 {
			return nil, true
		}
		return body[at : at+end], utf8.Valid(body[at : at+end])
	}
	start++
	if object := skipAny(body, start, " \t\r\n"); object < len(body) && body[object] == '{' {
		return body[object : object+1], true
	}
	end := bytes.IndexAny(body[start:], `"\`)
	if end < 0 {
		return nil, true
	}
	// A text within a text ends with an escaped quotation mark.
	last := skipAny(body, start+end, `\`)
	value = body[start : start+end]
	return value, last < len(body) && body[last] == '"' && utf8.Valid(value)
}

func skipAny(body []byte, at int, of string) int {
	for at < len(body) && strings.IndexByte(of, body[at]) >= 0 {
		at++
	}
	return at
}
