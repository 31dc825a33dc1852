package mapping

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"cartrecovery.dev/operator/internal/lax"
)

// The limits of a path. The schema holds a path to fewer characters than maxSteps can take.
const (
	maxSteps  = 128
	maxDigits = 4
	maxFound  = 1000
)

// step is one step of a path: into a field, to an index, or to every element.
type step struct {
	// name of the field; an index in its digits, as forms number their lists.
	name  string
	index int
	kind  stepKind
}

type stepKind uint8

const (
	toField stepKind = iota
	toIndex
	toEach
)

// Path leads to a value in a JSON body. It is the part of JSONPath that always ends: fields
// (.name, ['name']), indexes ([0]) and every element ([*]). The zero Path leads nowhere.
type Path []step

// Paths are one path, or several of which one leads to the value: "$.order.email | $.email".
type Paths []Alternative

// Alternative is one of several paths.
type Alternative struct {
	Path
	// Text is the path as it was written.
	Text string
}

// ParsePaths reads paths with | between them; false when one of them is not a path.
func ParsePaths(text string) (Paths, bool) {
	if path, ok := ParsePath(text); ok {
		return Paths{{Path: path, Text: text}}, true
	}
	var paths Paths
	for part := range strings.SplitSeq(text, "|") {
		part = strings.TrimSpace(part)
		path, ok := ParsePath(part)
		if !ok {
			return nil, false
		}
		paths = append(paths, Alternative{Path: path, Text: part})
	}
	return paths, true
}

// First returns the first value that one of the paths leads to, in their order; nothing when there is none. A blank
// text counts as no value.
func (p Paths) First(root *lax.Fields) lax.Value {
	for _, each := range p {
		if value := each.Path.First(root); !isBlank(value) {
			return value
		}
	}
	return lax.Value{}
}

// All returns every value of the first path that leads to any.
func (p Paths) All(root *lax.Fields) []lax.Value {
	for _, each := range p {
		values := each.Path.All(root)
		if slices.ContainsFunc(values, func(value lax.Value) bool { return !isBlank(value) }) {
			return values
		}
	}
	return nil
}

// Every returns all values of all paths, in their order.
func (p Paths) Every(root *lax.Fields) []lax.Value {
	var found []lax.Value
	for _, each := range p {
		found = append(found, each.Path.All(root)...)
	}
	return found
}

func isBlank(value lax.Value) bool {
	return !value.Is() || value.Kind() == lax.Text && strings.TrimSpace(value.Text()) == ""
}

// ParsePath reads a path; false when the text is not a path, or uses what is not understood: filters, slices, unions,
// recursive descent, escapes.
func ParsePath(text string) (Path, bool) {
	rest, found := strings.CutPrefix(text, "$")
	if !found || rest == "" || !utf8.ValidString(text) {
		return nil, false
	}
	path := make(Path, 0, 1+strings.Count(rest, ".")+strings.Count(rest, "["))
	for rest != "" {
		var next step
		next, rest, found = cutStep(rest)
		if !found || len(path) == maxSteps {
			return nil, false
		}
		path = append(path, next)
	}
	return path, true
}

// cutStep reads the first step of what is left of a path.
func cutStep(text string) (next step, rest string, found bool) {
	if text[0] == '.' {
		return cutName(text[1:])
	}
	if text[0] != '[' || len(text) < 3 {
		return step{}, "", false
	}
	switch text = text[1:]; text[0] {
	case '*':
		rest, found = strings.CutPrefix(text[1:], "]")
		return step{kind: toEach}, rest, found
	case '\'', '"':
		return cutQuoted(text)
	}
	digits, rest, found := strings.Cut(text, "]")
	if !found || digits == "" || len(digits) > maxDigits || strings.Trim(digits, "0123456789") != "" ||
		digits[0] == '0' && digits != "0" {
		return step{}, "", false
	}
	index, err := strconv.Atoi(digits)
	return step{name: digits, index: index, kind: toIndex}, rest, err == nil
}

// cutName reads a field's name after a dot.
func cutName(text string) (next step, rest string, found bool) {
	end := strings.IndexFunc(text, func(r rune) bool {
		return r != '_' && r != '-' && !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
	if end < 0 {
		end = len(text)
	}
	return step{name: text[:end]}, text[end:], end > 0
}

// cutQuoted reads a field's name in quotes, up to the bracket that ends it.
func cutQuoted(text string) (next step, rest string, found bool) {
	name, rest, found := strings.Cut(text[1:], text[:1]+"]")
	if !found || name == "" || strings.ContainsAny(name, text[:1]+`\`) ||
		strings.ContainsFunc(name, unicode.IsControl) {
		return step{}, "", false
	}
	return step{name: name}, rest, true
}

// First returns the value that the path leads to, of several the first that is not null; nothing when there is
// none.
func (p Path) First(root *lax.Fields) lax.Value {
	if len(p) == 0 {
		return lax.Value{}
	}
	return first(p.begin(root))
}

// begin takes the first step, which is into a field of the body. An index names one too, as forms number their
// lists.
func (p Path) begin(root *lax.Fields) ([]lax.Value, Path) {
	if p[0].kind == toEach {
		return lax.Made(root).Elements(maxFound), p[1:]
	}
	return []lax.Value{root.At(p[0].name)}, p[1:]
}

// first is the first value that is not null and that a path leads to from one of the values.
func first(from []lax.Value, path Path) lax.Value {
	for _, value := range from {
		for i, next := range path {
			if next.kind == toEach {
				value = first(value.Elements(maxFound), path[i+1:])
				break
			}
			value = next.into(value)
		}
		if value.Is() {
			return value
		}
	}
	return lax.Value{}
}

// All returns every value that the path leads to, and for each element without one nothing, so
// that the values of two paths into one list stand at the same place. More than a thousand
// are not looked at.
func (p Path) All(root *lax.Fields) []lax.Value {
	if len(p) == 0 {
		return nil
	}
	found, rest := p.begin(root)
	for _, next := range rest {
		var reached []lax.Value
		for _, value := range found[:min(len(found), maxFound)] {
			if next.kind == toEach {
				reached = append(reached, value.Elements(maxFound)...)
			} else {
				reached = append(reached, next.into(value))
			}
		}
		found = reached
	}
	return found[:min(len(found), maxFound)]
}

// into takes one step from a value; it leads to nothing where there is no such step.
func (s step) into(value lax.Value) lax.Value {
	if fields := value.Object(); fields != nil {
		return fields.At(s.name)
	}
	if s.kind != toIndex {
		return lax.Value{}
	}
	if list := value.List(s.index + 1); s.index < len(list) {
		return list[s.index]
	}
	return lax.Value{}
}

// Tops returns the fields of a body's top level that the paths begin with.
func (p Paths) Tops() []string {
	var names []string
	for _, each := range p {
		if len(each.Path) > 0 && each.Path[0].name != "" && !slices.Contains(names, each.Path[0].name) {
			names = append(names, each.Path[0].name)
		}
	}
	return names
}
