package platforms

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"mime"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// The limits that CartRecovery's schema sets, in characters, and that of an event name.
const (
	maxName    = 200
	maxID      = 128
	maxURL     = 2048
	maxEmail   = 254
	maxEvent   = 64
	maxNesting = 8
)

// fields is a JSON object or form, read leniently: the same platform sends the same
// field as a number, a string or not at all. Reading from a nil fields finds nothing.
type fields map[string]any

// readBody reads a JSON object or a form, whichever the body is. The content type is
// only asked when the body itself does not tell.
func readBody(delivery Delivery) (root fields, form bool, err error) {
	body := withoutBOM(delivery.Body)
	if isForm(body, delivery.ContentType) {
		root, err = readForm(body)
		return root, true, err
	}
	root, err = readJSON(body)
	unbracket(root)
	return root, false, err
}

func withoutBOM(body []byte) []byte {
	return bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\ufeff")))
}

func isForm(body []byte, contentType string) bool {
	if len(body) == 0 || body[0] == '{' || body[0] == '[' {
		return false
	}
	if media, _, err := mime.ParseMediaType(contentType); err == nil && media == "application/x-www-form-urlencoded" {
		return true
	}
	name, _, found := bytes.Cut(body, []byte{'='})
	return found && len(name) > 0 && !bytes.ContainsAny(name, " \t\r\n\"'<>{}:")
}

// readJSON reads a JSON object and nothing after it. Numbers keep their digits, and of
// a key given twice the last one counts.
func readJSON(body []byte) (fields, error) {
	decoder := json.NewDecoder(bytes.NewReader(withoutBOM(body)))
	decoder.UseNumber()
	var root map[string]any
	if err := decoder.Decode(&root); err != nil || root == nil {
		return nil, &InputError{Expected: "a JSON object"}
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, &InputError{Expected: "one JSON object and nothing after it"}
	}
	return root, nil
}

// readForm reads a URL-encoded form; of a field given twice the last one counts.
func readForm(body []byte) (fields, error) {
	values, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, &InputError{Expected: "a JSON object or a URL-encoded form"}
	}
	root := make(map[string]any, len(values))
	for name, all := range values {
		root[name] = all[len(all)-1]
	}
	unbracket(root)
	return root, nil
}

// unbracket turns flat keys such as "customer[phone]" into nested objects, as PHP does.
// Eduzz sends them even in JSON.
func unbracket(root fields) {
	var bracketed []string
	for name := range root {
		if strings.HasSuffix(name, "]") && strings.Contains(name, "[") {
			bracketed = append(bracketed, name)
		}
	}
	slices.Sort(bracketed)
	for _, name := range bracketed {
		path := strings.Split(strings.TrimSuffix(name, "]"), "[")
		if len(path) > maxNesting {
			continue
		}
		for i := 1; i < len(path)-1; i++ {
			path[i] = strings.TrimSuffix(path[i], "]")
		}
		value := root[name]
		delete(root, name)
		set(root, path, value)
	}
}

func set(object map[string]any, path []string, value any) {
	for _, name := range path[:len(path)-1] {
		next, ok := object[name].(map[string]any)
		if !ok {
			next = map[string]any{}
			object[name] = next
		}
		object = next
	}
	name := path[len(path)-1]
	if name == "" { // items[]
		name = strconv.Itoa(len(object))
	}
	object[name] = value
}

// object returns the object in a field: nil when the field is absent or null, an
// *InputError naming path when it is anything else.
func (f fields) object(name, path string) (fields, error) {
	switch value := f[name].(type) {
	case nil:
		return nil, nil
	case map[string]any:
		return value, nil
	default:
		return nil, &InputError{Field: path, Expected: "an object"}
	}
}

// child returns the first object among the fields; nil when none is one.
func (f fields) child(names ...string) fields {
	for _, name := range names {
		if value, ok := f[name].(map[string]any); ok {
			return value
		}
	}
	return nil
}

// list returns the values of an array, or of a form's numbered fields in their order.
func (f fields) list(name string) []any {
	switch value := f[name].(type) {
	case []any:
		return value
	case map[string]any:
		keys := slices.Collect(maps.Keys(value))
		slices.SortFunc(keys, func(a, b string) int {
			if len(a) != len(b) {
				return len(a) - len(b)
			}
			return strings.Compare(a, b)
		})
		values := make([]any, 0, len(keys))
		for _, key := range keys {
			values = append(values, value[key])
		}
		return values
	}
	return nil
}

// raw returns a string as it was sent; for credentials.
func (f fields) raw(name string) string {
	text, _ := f[name].(string)
	return text
}

// word returns a field that names something (an event, a status): "" when it is absent
// or null, an *InputError when it is no string.
func (f fields) word(name, path string) (string, error) {
	switch value := f[name].(type) {
	case nil:
		return "", nil
	case string:
		return strings.TrimSpace(value), nil
	default:
		return "", &InputError{Field: path, Expected: "a string"}
	}
}

// text returns the first of the fields that holds a text or a number.
func (f fields) text(limit int, names ...string) string {
	for _, name := range names {
		if text := textOf(f[name], limit); text != "" {
			return text
		}
	}
	return ""
}

// id returns an id, whether it was sent as a string or a number.
func (f fields) id(names ...string) string {
	return f.text(maxID, names...)
}

// integer returns a whole number, whether it was sent as 3, 3.0, "3" or "3.0".
func (f fields) integer(name string) (int, bool) {
	number, err := strconv.ParseFloat(textOf(f[name], maxID), 64)
	if err != nil || number != float64(int32(number)) {
		return 0, false
	}
	return int(number), true
}
