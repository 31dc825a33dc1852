package platforms

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/valyala/fastjson"
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
	if delivery.memo == nil {
		delivery.memo = &memo{}
	}
	memo := delivery.memo
	if !memo.read {
		memo.read = true
		memo.root, memo.form, memo.err = parseBody(delivery)
	}
	return memo.root, memo.form, memo.err
}

func parseBody(delivery Delivery) (root fields, form bool, err error) {
	body, charset := withoutBOM(delivery.Body), charsetOf(delivery.ContentType)
	if boundary := boundaryOf(body, delivery.ContentType); boundary != "" {
		root, err = readMultipart(body, boundary, charset)
		return root, true, err
	}
	if isForm(body, delivery.ContentType) {
		return readForm(body, charset), true, nil
	}
	root, err = readJSONIn(body, charset)
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

// boundaryOf returns what separates the parts of a multipart form; "" for any other body.
func boundaryOf(body []byte, contentType string) string {
	if !bytes.HasPrefix(body, []byte("--")) {
		return ""
	}
	media, parameters, err := mime.ParseMediaType(contentType)
	if err != nil || media != "multipart/form-data" {
		return ""
	}
	return parameters["boundary"]
}

// maxDepth bounds how deep a body nests. No delivery comes near it, and the parser's
// errors quote the rest of the body once for every level.
const maxDepth = 32

// usualBody is what deliveries stay below, in bytes: what a parser needed for more is not kept.
const usualBody = 64 << 10

// parsers are kept: one holds the tree of a body until it reads the next.
var parsers fastjson.ParserPool

// readJSON reads a JSON object and nothing after it. Numbers keep their digits, and of
// a key given twice the last one counts. What JSON does not allow and deliveries have all
// the same is let pass: raw line breaks and other control characters in strings, escapes
// that there are not (as they were written), and numbers that are none (as nothing).
func readJSON(body []byte) (fields, error) { return readJSONIn(body, charset{}) }

// readJSONIn is readJSON for a body in another charset.
func readJSONIn(body []byte, charset charset) (fields, error) {
	if charset.spansBytes() {
		return readJSON([]byte(charset.text(string(body))))
	}
	body = withoutBOM(body)
	if expected := refusesShape(body); expected != "" {
		return nil, &InputError{Expected: expected}
	}
	parser := parsers.Get()
	if len(body) <= usualBody {
		defer parsers.Put(parser)
	}
	value, err := parser.ParseBytes(withoutLoneSurrogates(body))
	if err != nil || value.Type() != fastjson.TypeObject {
		return nil, &InputError{Expected: "one JSON object and nothing after it"}
	}
	out := copier{charset: charset, foreign: !charset.isUTF8() || !utf8.Valid(body)}
	out.text.Grow(len(body))
	return out.object(value), nil
}

// maxValues bounds the values of a body. A Shopify order of a hundred lines has some eight thousand.
const maxValues = 20_000

// refusesShape is what is expected of a body that nests deeper than maxDepth or has more than maxValues
// values; "" for any other. Nearly every body has fewer brackets and commas than that altogether.
func refusesShape(body []byte) (expected string) {
	brackets := bytes.Count(body, []byte{'{'}) + bytes.Count(body, []byte{'['})
	if brackets <= maxDepth && bytes.Count(body, []byte{','}) < maxValues {
		return ""
	}
	depth, values := 0, 0
	for i := 0; i < len(body); i++ {
		switch body[i] {
		case '"':
			end, ok := skipString(body, i)
			if !ok {
				return ""
			}
			i = end - 1
		case '{', '[':
			if depth++; depth > maxDepth {
				return "an object that nests at most " + strconv.Itoa(maxDepth) + " levels deep"
			}
		case '}', ']':
			depth--
		case ',':
			if values++; values > maxValues {
				return "an object of at most " + strconv.Itoa(maxValues) + " values"
			}
		}
	}
	return ""
}

// withoutLoneSurrogates replaces escaped halves of a character whose other half is missing,
// as a name cut within an emoji ends with one, by U+FFFD. The parser would keep the escape
// itself as text.
func withoutLoneSurrogates(body []byte) []byte {
	if !bytes.Contains(body, []byte(`\ud`)) && !bytes.Contains(body, []byte(`\uD`)) {
		return body
	}
	body = bytes.Clone(body)
	for i := 0; i+1 < len(body); i++ {
		if body[i] != '\\' {
			continue
		}
		high, ok := escapedRune(body[i:])
		if !ok || !utf16.IsSurrogate(high) {
			i++ // what is escaped starts no escape
			continue
		}
		low, _ := escapedRune(body[i+6:])
		if utf16.DecodeRune(high, low) != unicode.ReplacementChar {
			i += 11
			continue
		}
		copy(body[i:], `\ufffd`)
		i += 5
	}
	return body
}

// escapedRune reads a \uXXXX.
func escapedRune(escape []byte) (rune, bool) {
	if len(escape) < 6 || escape[0] != '\\' || escape[1] != 'u' {
		return 0, false
	}
	value, err := strconv.ParseUint(string(escape[2:6]), 16, 16)
	return rune(value), err == nil
}

// copier copies values out of the parser, in the types of encoding/json. All texts of a
// body share one allocation.
type copier struct {
	text strings.Builder
	// digits is room for those of one number.
	digits []byte
	// foreign says that texts may be in charset and not in UTF-8.
	foreign bool
	charset charset
}

// string copies a text. What is in the builder is never written again, and it was given
// room for the whole body: texts are not longer than what they were written as.
func (c *copier) string(text []byte) string {
	if c.foreign {
		return c.charset.text(string(text))
	}
	start := c.text.Len()
	c.text.Write(text)
	return c.text.String()[start:]
}

func (c *copier) object(value *fastjson.Value) map[string]any {
	object, err := value.Object()
	if err != nil {
		return nil
	}
	copied := make(map[string]any, object.Len())
	object.Visit(func(key []byte, value *fastjson.Value) { copied[c.string(key)] = c.value(value) })
	return copied
}

func (c *copier) value(value *fastjson.Value) any {
	switch value.Type() {
	case fastjson.TypeObject:
		return c.object(value)
	case fastjson.TypeArray:
		values := value.GetArray()
		copied := make([]any, 0, len(values))
		for _, each := range values {
			copied = append(copied, c.value(each))
		}
		return copied
	case fastjson.TypeString:
		return c.string(value.GetStringBytes())
	case fastjson.TypeNumber:
		return c.number(value)
	case fastjson.TypeTrue:
		return true
	case fastjson.TypeFalse:
		return false
	}
	return nil
}

// number is a number with its digits as they were written. What is none by JSON's
// grammar (the parser lets NaN and 1.e pass) is nothing.
func (c *copier) number(value *fastjson.Value) any {
	c.digits = value.MarshalTo(c.digits[:0])
	if !isNumber(c.digits) {
		return nil
	}
	return json.Number(c.string(c.digits))
}

// isNumber tells whether digits are a number by JSON's grammar.
func isNumber(digits []byte) bool {
	rest := bytes.TrimPrefix(digits, []byte{'-'})
	whole := leadingDigits(rest)
	if whole == 0 || whole > 1 && rest[0] == '0' {
		return false
	}
	rest = rest[whole:]
	if len(rest) > 0 && rest[0] == '.' {
		fraction := leadingDigits(rest[1:])
		if fraction == 0 {
			return false
		}
		rest = rest[1+fraction:]
	}
	if len(rest) > 0 && (rest[0] == 'e' || rest[0] == 'E') {
		rest = rest[1:]
		if len(rest) > 0 && (rest[0] == '+' || rest[0] == '-') {
			rest = rest[1:]
		}
		exponent := leadingDigits(rest)
		return exponent > 0 && exponent == len(rest)
	}
	return len(rest) == 0
}

func leadingDigits(text []byte) int {
	for i, c := range text {
		if c < '0' || c > '9' {
			return i
		}
	}
	return len(text)
}

// maxFormFields bounds the fields of a form that are read. Deliveries have a hundred or two.
const maxFormFields = 2000

// readForm reads a URL-encoded form; of a field given twice the last one counts. What is
// encoded wrongly is kept as it was written: a product named "100%" must not cost the sale.
func readForm(body []byte, charset charset) fields {
	root, rest := fields{}, string(body)
	for range maxFormFields {
		pair, after, more := strings.Cut(rest, "&")
		if name, value, _ := strings.Cut(pair, "="); pair != "" {
			root[charset.text(unescaped(name))] = charset.text(unescaped(value))
		}
		if !more {
			break
		}
		rest = after
	}
	unbracket(root)
	return root
}

func unescaped(text string) string {
	if plain, err := url.QueryUnescape(text); err == nil {
		return plain
	}
	return text
}

// readMultipart reads the values of a multipart form, and no files.
func readMultipart(body []byte, boundary string, charset charset) (fields, error) {
	root, parts := fields{}, multipart.NewReader(bytes.NewReader(body), boundary)
	for range maxFormFields {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) && len(root) > 0 {
			break
		}
		if err != nil {
			return nil, &InputError{Expected: "a multipart form"}
		}
		if part.FormName() == "" || part.FileName() != "" {
			continue
		}
		value, err := io.ReadAll(part)
		if err != nil {
			return nil, &InputError{Expected: "a multipart form"}
		}
		root[charset.text(part.FormName())] = charset.text(string(value))
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

// child returns the first object among the fields; nil when none is one.
func (f fields) child(names ...string) fields {
	for _, name := range names {
		if value, ok := f[name].(map[string]any); ok {
			return value
		}
	}
	return nil
}

// inner is child, more forgiving: the object may be the first of a list, or JSON within a
// string, as proxies that know only flat fields pass it on.
func (f fields) inner(names ...string) fields {
	for _, name := range names {
		value := f[name]
		if list, ok := value.([]any); ok && len(list) > 0 {
			value = list[0]
		}
		switch value := value.(type) {
		case map[string]any:
			return value
		case string:
			if text := strings.TrimSpace(value); strings.HasPrefix(text, "{") {
				if object, err := readJSON([]byte(text)); err == nil {
					return object
				}
			}
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

// name returns the first of the fields that names something as a string: for names whose
// absence something else makes up for. In lower case.
func (f fields) name(names ...string) string {
	for _, name := range names {
		if text, _ := f[name].(string); strings.TrimSpace(text) != "" {
			return strings.ToLower(strings.TrimSpace(text))
		}
	}
	return ""
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
	text := textOf(f[name], maxID)
	if text == "" {
		return 0, false
	}
	number, err := strconv.ParseFloat(text, 64)
	if err != nil || number != float64(int32(number)) {
		return 0, false
	}
	return int(number), true
}
