package webhookserver

import (
	"bytes"
	"net/http"
)

// The head of a request, its first line and headers, is read as strictly as RFC 9112 allows. A head that two programs
// in a row may understand differently is refused, because that is how a request is smuggled past the first of them.
// Pure functions.

const (
	// headerLimit bounds a request's first line and headers together, in bytes.
	headerLimit = 16 << 10
	// maxHeaders bounds how many headers a request has.
	maxHeaders = 100
	// maxLengthDigits bounds a Content-Length; no body that is taken has as many.
	maxLengthDigits = 10
)

// framing is where a request's body ends, and what its head says of the connection.
type framing struct {
	// length of the body in bytes; of a chunked one it is not known yet.
	length int64
	// chunked says that the body comes in chunks.
	chunked bool
	// old says that the request is of HTTP/1.0: the connection ends with its answer.
	old bool
	// expects is the name of the header that says that the body is sent once it is asked for, where it stands
	// in the head; nil for none.
	expects []byte
}

// endOfHead looks for the end of the head in what was received, from a position that was looked at before.
// It is 0 while more is to come. ok is false once there is a line that does not end as lines do: a request
// whose lines end in a line feed alone would otherwise be waited for.
func endOfHead(received []byte, from int) (end int, ok bool) {
	for {
		found := bytes.IndexByte(received[from:], '\n')
		if found < 0 {
			return 0, true
		}
		at := from + found
		if at < 2 || received[at-1] != '\r' {
			return 0, false
		}
		if received[at-2] == '\n' {
			return at + 1, true
		}
		from = at + 1
	}
}

// readHead reads a whole head, with the empty line at its end. status is 0, or what the request is to be
// refused with.
func readHead(head []byte) (framed framing, status int) {
	line, rest, _ := bytes.Cut(head, crlf)
	method, old, ok := readRequestLine(line)
	if !ok {
		return framing{}, http.StatusBadRequest
	}
	fields := headFields{}
	for {
		line, rest, _ = bytes.Cut(rest, crlf)
		if len(line) == 0 {
			break
		}
		if !fields.add(line) {
			return framing{}, http.StatusBadRequest
		}
	}
	return fields.framing(method, old)
}

var crlf = []byte("\r\n")

// readRequestLine reads a first line: a method, a path and a version with one blank between them. Other
// forms of a target are for proxies.
func readRequestLine(line []byte) (method []byte, old, ok bool) {
	method, rest, found := bytes.Cut(line, []byte{' '})
	if !found || !isToken(method) {
		return nil, false, false
	}
	target, version, found := bytes.Cut(rest, []byte{' '})
	if !found || len(target) == 0 || target[0] != '/' || !isValue(target) || bytes.IndexByte(target, '\t') >= 0 {
		return nil, false, false
	}
	switch string(version) {
	case "HTTP/1.1":
		return method, false, true
	case "HTTP/1.0":
		return method, true, true
	}
	return nil, false, false
}

// headFields are the headers that say where a request ends.
type headFields struct {
	count, hosts, lengths, codings int
	length                         []byte
	expects                        []byte
}

// add reads one header, and is false for a line that is not a header. A header that goes on in the next line begins
// with a blank there, which is not a name.
func (f *headFields) add(line []byte) bool {
	name, value, found := bytes.Cut(line, []byte{':'})
	f.count++
	if !found || !isToken(name) || !isValue(value) || f.count > maxHeaders {
		return false
	}
	value = bytes.Trim(value, " \t")
	switch {
	case bytes.EqualFold(name, []byte("Host")):
		f.hosts++
	case bytes.EqualFold(name, []byte("Content-Length")):
		f.lengths++
		f.length = value
	case bytes.EqualFold(name, []byte("Transfer-Encoding")):
		f.codings++
		return bytes.EqualFold(value, []byte("chunked"))
	case isExpectContinue(name, value):
		f.expects = name
	}
	return true
}

// framing decides where the body ends. Two answers to that question are no answer, even if they agree.
func (f *headFields) framing(method []byte, old bool) (framed framing, status int) {
	length, ok := readLength(f.length, f.lengths > 0)
	bare := bytes.Equal(method, []byte(http.MethodGet)) || bytes.Equal(method, []byte(http.MethodHead))
	switch {
	case !ok, f.lengths > 1, f.codings > 1, f.lengths > 0 && f.codings > 0,
		f.hosts > 1, f.hosts == 0 && !old, // which host is asked
		f.codings > 0 && old,
		bare && (f.codings > 0 || length > 0): // readers differ on whether such a request has a body
		return framing{}, http.StatusBadRequest
	case length > bodyLimit:
		return framing{}, http.StatusRequestEntityTooLarge
	}
	return framing{length: length, chunked: f.codings > 0, old: old, expects: f.expects}, 0
}

// readLength reads a Content-Length: digits and nothing else.
func readLength(digits []byte, given bool) (length int64, ok bool) {
	if !given {
		return 0, true
	}
	if len(digits) == 0 || len(digits) > maxLengthDigits {
		return 0, false
	}
	for _, digit := range digits {
		if digit < '0' || digit > '9' {
			return 0, false
		}
		length = length*10 + int64(digit-'0')
	}
	return length, true
}

// isToken says whether a name has only the characters that names of methods and headers have.
func isToken(name []byte) bool {
	for _, c := range name {
		if !tokenBytes[c] {
			return false
		}
	}
	return len(name) > 0
}

var tokenBytes = func() (is [256]bool) {
	for _, c := range "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" {
		is[c] = true
	}
	return is
}()

// isValue says whether a value is free of control characters, tabs aside.
func isValue(value []byte) bool {
	for _, c := range value {
		if c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}
