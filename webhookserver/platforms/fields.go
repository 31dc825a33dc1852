package platforms

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"cartrecovery.dev/operator/internal/lax"
)

// The limits that CartRecovery's schema sets, in characters, and that of an event name.
const (
	maxName    = 200
	maxID      = lax.MaxID
	maxURL     = 2048
	maxEmail   = 254
	maxEvent   = 64
	maxNesting = 8
	// maxListed bounds the values of a list that are looked at.
	maxListed = 1000
)

// fields are those of a JSON object or form, read leniently: the same platform sends the same
// field as a number, a string or not at all.
type fields = *lax.Fields

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
	root, err = readJSON(body, charset)
	return unbracket(root), false, err
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

// readJSON reads a JSON object and nothing after it. Numbers keep their digits, and of
// a key given twice the last one counts. See lax.Checked for what else is let pass.
func readJSON(body []byte, charset charset) (fields, error) {
	checked, err := checkedJSON(body, charset)
	if err != nil {
		return nil, err
	}
	return lax.Parse(checked).Object(), nil
}

// checkedJSON returns a JSON object that lax can read.
func checkedJSON(body []byte, charset charset) ([]byte, error) {
	if charset.spansBytes() {
		body = []byte(charset.text(string(body)))
	}
	var text func(string) string
	if body = withoutBOM(body); !utf8.Valid(body) || !charset.isUTF8() && !charset.spansBytes() {
		text = charset.text
	}
	checked, expected := lax.Checked(body, text)
	if expected == "" && body[0] != '{' {
		expected = "one JSON object and nothing after it"
	}
	if expected != "" {
		return nil, &InputError{Expected: expected}
	}
	return checked, nil
}

// credentials reads the fields of a body's top level that can hold a credential, and no others: nobody has proved
// yet that the body is authentic. What it returns is valid as long as the body is. The error is an *InputError. See
// readBody for what a body is.
func credentials(delivery Delivery, names ...string) (fields, error) {
	if delivery.memo != nil && delivery.memo.read {
		return delivery.memo.root, delivery.memo.err
	}
	body, charset := withoutBOM(delivery.Body), charsetOf(delivery.ContentType)
	if boundaryOf(body, delivery.ContentType) != "" || isForm(body, delivery.ContentType) || charset.spansBytes() {
		root, _, err := readBody(delivery)
		return root, err
	}
	checked, err := checkedJSON(body, charset)
	if err != nil {
		return nil, err
	}
	return lax.Pick(checked, names...), nil
}

// maxFormFields bounds the fields of a form that are read. Deliveries have a hundred or two.
const maxFormFields = 2000

// readForm reads a URL-encoded form; of a field given twice the last one counts. What is
// encoded wrongly is kept as it was written: a product named "100%" must not cost the sale.
func readForm(body []byte, charset charset) fields {
	root, rest := &lax.Fields{}, string(body)
	for range maxFormFields {
		pair, after, more := strings.Cut(rest, "&")
		if name, value, _ := strings.Cut(pair, "="); pair != "" {
			root.Set(charset.text(unescaped(name)), lax.Of(charset.text(unescaped(value))))
		}
		if !more {
			break
		}
		rest = after
	}
	return unbracket(root)
}

func unescaped(text string) string {
	if plain, err := url.QueryUnescape(text); err == nil {
		return plain
	}
	return text
}

// readMultipart reads the values of a multipart form, and no files.
func readMultipart(body []byte, boundary string, charset charset) (fields, error) {
	root, parts := &lax.Fields{}, multipart.NewReader(bytes.NewReader(body), boundary)
	for range maxFormFields {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) && root.Len() > 0 {
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
		root.Set(charset.text(part.FormName()), lax.Of(charset.text(string(value))))
	}
	return unbracket(root), nil
}

// unbracket turns flat keys such as "customer[phone]" into nested objects, as PHP does.
// Eduzz sends them even in JSON.
func unbracket(root fields) fields {
	var bracketed []string
	for name := range root.Each() {
		if strings.HasSuffix(name, "]") && strings.Contains(name, "[") && strings.Count(name, "[") < maxNesting {
			bracketed = append(bracketed, name)
		}
	}
	if bracketed == nil {
		return root
	}
	nested := root.Without(bracketed...)
	slices.Sort(bracketed)
	for _, name := range slices.Compact(bracketed) {
		path := strings.Split(strings.TrimSuffix(name, "]"), "[")
		for i := 1; i < len(path)-1; i++ {
			path[i] = strings.TrimSuffix(path[i], "]")
		}
		set(nested, path, root.At(name))
	}
	return nested
}

func set(object fields, path []string, value lax.Value) {
	for _, name := range path[:len(path)-1] {
		next := object.Child(name)
		if next == nil {
			next = &lax.Fields{}
			object.Set(name, lax.Made(next))
		}
		object = next
	}
	name := path[len(path)-1]
	if name == "" { // items[]
		name = strconv.Itoa(object.Len())
	}
	object.Set(name, value)
}

// word returns a field that names something (an event, a status): "" when it is absent
// or null, an *InputError when it is no string.
func word(root fields, name string) (string, error) {
	value := root.At(name)
	if value.Is() && value.Kind() != lax.Text {
		return "", &InputError{Field: name, Expected: "a string"}
	}
	return strings.TrimSpace(value.Text()), nil
}
