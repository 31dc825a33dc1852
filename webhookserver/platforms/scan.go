package platforms

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"
)

// This file finds the credential in a body that nobody has proved to be authentic yet. It goes through the
// body once and keeps nothing of it but the fields it looks for, so that a stranger's body costs hardly
// more than it took to receive.

// maxCredential bounds a credential in a body, in bytes.
const maxCredential = 4096

// largeTree is how many bytes are read whole to find a credential that is deeper in a body.
const largeTree = 8 << 10

// credentials reads the fields of a body's top level that can hold a credential, and no others. The error
// is an *InputError. See readBody for what a body is.
func credentials(delivery Delivery, names ...string) (fields, error) {
	if delivery.memo != nil && delivery.memo.read {
		return delivery.memo.root, delivery.memo.err
	}
	body, charset := withoutBOM(delivery.Body), charsetOf(delivery.ContentType)
	isJSON := boundaryOf(body, delivery.ContentType) == "" && !isForm(body, delivery.ContentType)
	if !isJSON || charset.spansBytes() {
		root, _, err := readBody(delivery)
		return root, err
	}
	found, ok := scanTop(body, names...)
	if !ok {
		return nil, &InputError{Expected: "one JSON object and nothing after it"}
	}
	root := make(fields, len(found))
	for name, value := range found {
		if text, ok := scannedText(value); ok {
			if !charset.isUTF8() || !utf8.ValidString(text) {
				text = charset.text(text)
			}
			root[name] = text
		}
	}
	return root, nil
}

// credentialTree is credentials for a credential that is deeper in the body: it reads whole the fields of
// the top level that it may be in. One that is larger than any delivery is not gone through for it.
func credentialTree(delivery Delivery, names ...string) (fields, error) {
	if delivery.memo != nil && delivery.memo.read {
		return delivery.memo.root, delivery.memo.err
	}
	body := withoutBOM(delivery.Body)
	if len(body) <= largeTree || len(body) == 0 || body[0] != '{' {
		root, _, err := readBody(delivery)
		return root, err
	}
	found, ok := scanTop(body, names...)
	if !ok {
		return nil, &InputError{Expected: "one JSON object and nothing after it"}
	}
	var tree bytes.Buffer
	tree.WriteByte('{')
	for name, value := range found {
		quoted, err := json.Marshal(name)
		if err != nil || tree.Len()+len(quoted)+len(value) > largeTree {
			continue
		}
		if tree.Len() > 1 {
			tree.WriteByte(',')
		}
		tree.Write(quoted)
		tree.WriteByte(':')
		tree.Write(value)
	}
	tree.WriteByte('}')
	return readJSONIn(tree.Bytes(), charsetOf(delivery.ContentType))
}

// scannedText reads a string as it stands in a body. One that is too long is no credential.
func scannedText(value []byte) (string, bool) {
	if len(value) < 2 || value[0] != '"' || len(value) > maxCredential {
		return "", false
	}
	if bytes.IndexByte(value, '\\') < 0 {
		return string(value[1 : len(value)-1]), true
	}
	var text string
	return text, json.Unmarshal(value, &text) == nil
}

// scanTop finds fields of the object that a body is, as they stand there; of one that is given twice the
// last one. ok is false when the body is no object that ends where the body ends; whether all of it is
// valid is for the parser to say.
func scanTop(body []byte, names ...string) (found map[string][]byte, ok bool) {
	body = bytes.TrimSpace(body)
	if len(body) == 0 || body[0] != '{' {
		return nil, false
	}
	found = map[string][]byte{}
	at := 1
	for {
		at = skipBlanks(body, at)
		if at == len(body)-1 && body[at] == '}' {
			return found, true
		}
		name, next, ok := scanName(body, at)
		if !ok {
			return nil, false
		}
		start := skipBlanks(body, next)
		end, ok := skipValue(body, start)
		if !ok {
			return nil, false
		}
		for _, wanted := range names {
			if string(name) == wanted {
				found[wanted] = body[start:end]
			}
		}
		if at = skipBlanks(body, end); at >= len(body) {
			return nil, false
		}
		if body[at] == ',' {
			at++
		} else if body[at] != '}' {
			return nil, false
		}
	}
}

// scanName reads a name and its colon.
func scanName(body []byte, at int) (name []byte, next int, ok bool) {
	if at >= len(body) || body[at] != '"' {
		return nil, 0, false
	}
	end, ok := skipString(body, at)
	if !ok {
		return nil, 0, false
	}
	next = skipBlanks(body, end)
	if next >= len(body) || body[next] != ':' {
		return nil, 0, false
	}
	return body[at+1 : end-1], next + 1, true
}

func skipBlanks(body []byte, at int) int {
	for at < len(body) && (body[at] == ' ' || body[at] == '\t' || body[at] == '\n' || body[at] == '\r') {
		at++
	}
	return at
}

// skipString returns where a string ends that begins at a position.
func skipString(body []byte, at int) (end int, ok bool) {
	for at++; ; {
		quote := bytes.IndexByte(body[at:], '"')
		if quote < 0 {
			return 0, false
		}
		quote += at
		escapes := 0
		for quote-escapes > at && body[quote-escapes-1] == '\\' {
			escapes++
		}
		at = quote + 1
		if escapes%2 == 0 {
			return at, true
		}
	}
}

// skipValue returns where a value ends. Of an object or a list only the brackets and the strings are
// looked at.
func skipValue(body []byte, at int) (end int, ok bool) {
	for depth := 0; at < len(body); {
		switch body[at] {
		case '"':
			if at, ok = skipString(body, at); !ok {
				return 0, false
			}
			if depth == 0 {
				return at, true
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth < 0 {
				return at, true
			}
			if depth == 0 {
				return at + 1, true
			}
		case ',':
			if depth == 0 {
				return at, true
			}
		}
		at++
	}
	return 0, false
}
