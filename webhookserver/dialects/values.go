package dialects

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// The limits of CartRecovery's schema, in characters, and of what a delivery can hold.
const (
	maxText     = 2048
	maxID       = 128
	maxInstance = 253
	maxToken    = 512
	// maxConnection bounds Message.Connection.
	maxConnection = 64
)

// text is a string, or a number as it was written; "" for anything else.
type text string

// UnmarshalJSON never fails.
func (t *text) UnmarshalJSON(data []byte) error {
	*t = ""
	switch {
	case data[0] == '"' && len(data) > 1 && bytes.IndexByte(data, '\\') < 0 && utf8.Valid(data):
		*t = text(data[1 : len(data)-1])
	case data[0] == '"':
		var value string
		if json.Unmarshal(data, &value) == nil {
			*t = text(value)
		}
	case data[0] == '-' || data[0] >= '0' && data[0] <= '9':
		*t = text(data)
	}
	return nil
}

// texts is a list of strings, or one.
type texts []text

// UnmarshalJSON never fails.
func (t *texts) UnmarshalJSON(data []byte) error {
	*t = nil
	if data[0] == '[' {
		var values []text
		if json.Unmarshal(data, &values) == nil {
			*t = values
		}
		return nil
	}
	var value text
	if json.Unmarshal(data, &value) == nil && value != "" {
		*t = texts{value}
	}
	return nil
}

// flag is a boolean, also as a string ("True") or a number.
type flag bool

// UnmarshalJSON never fails.
func (f *flag) UnmarshalJSON(data []byte) error {
	value, err := strconv.ParseBool(strings.ToLower(string(bytes.Trim(data, `" `))))
	*f = flag(err == nil && value)
	return nil
}

// moment is a time in seconds or milliseconds since 1970, as a number or a string, or in
// RFC 3339; zero for anything else.
type moment struct{ time.Time }

// UnmarshalJSON never fails.
func (m *moment) UnmarshalJSON(data []byte) error {
	m.Time = time.Time{}
	if data[0] == '{' { // a 64-bit number of JavaScript
		var long struct {
			Low text `json:"low"`
		}
		_ = json.Unmarshal(data, &long)
		data = []byte(long.Low)
	}
	value := string(bytes.Trim(data, `" `))
	const firstMillis = 1e11 // the year 5138 in seconds, 1973 in milliseconds
	number, err := strconv.ParseFloat(value, 64)
	if err != nil {
		if at, err := time.Parse(time.RFC3339, value); err == nil {
			m.Time = instant(at)
		}
		return nil
	}
	switch {
	case !(number > 0 && number < 1e14):
	case number < firstMillis:
		m.Time = instant(time.Unix(int64(number), 0))
	default:
		m.Time = instant(time.UnixMilli(int64(number)))
	}
	return nil
}

// instant returns a time within this century, in UTC; zero otherwise.
func instant(at time.Time) time.Time {
	if at.Year() < 2000 || at.Year() > 2099 {
		return time.Time{}
	}
	return at.UTC()
}

// object is an object of a known shape. It stays nil when it is absent, null or something
// else.
type object[T any] struct {
	value *T
}

// UnmarshalJSON never fails.
func (o *object[T]) UnmarshalJSON(data []byte) error {
	o.value = nil
	if data[0] != '{' {
		return nil
	}
	value := new(T)
	if json.Unmarshal(data, value) == nil {
		o.value = value
	}
	return nil
}

// or returns the object, or an empty one.
func (o object[T]) or() T {
	if o.value == nil {
		var empty T
		return empty
	}
	return *o.value
}

// line makes a text of one line fit to be kept.
func line(value text, limit int) string {
	clean := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(string(value), ""))
	return cut(clean, limit)
}

// body makes what somebody wrote fit to be kept: it keeps its lines.
func body(values ...text) string {
	for _, value := range values {
		clean := strings.ReplaceAll(strings.ToValidUTF8(string(value), ""), "\r\n", "\n")
		clean = strings.Map(func(r rune) rune {
			if unicode.IsControl(r) && r != '\n' && r != '\t' {
				return -1
			}
			return r
		}, clean)
		if clean = cut(clean, maxText); clean != "" {
			return clean
		}
	}
	return ""
}

func cut(value string, limit int) string {
	value = strings.TrimSpace(value)
	if utf8.RuneCountInString(value) <= limit {
		return value
	}
	count := 0
	for at := range value {
		if count == limit {
			return strings.TrimSpace(value[:at])
		}
		count++
	}
	return value
}

// token returns a secret as it was sent; "" when it is too long to be one.
func token(value text) string {
	if len(value) > maxToken {
		return ""
	}
	return string(value)
}

// derivedID is the id of a message whose gateway gave it none: the same message
// delivered twice has the same.
func derivedID(message Message) string {
	hash := sha256.New()
	for _, part := range []string{message.Phone, message.Text, message.Media, message.Target, strconv.FormatInt(message.At.UnixMilli(), 10)} {
		_, _ = hash.Write([]byte(part))
		_, _ = hash.Write([]byte{0})
	}
	return "sha256-" + hex.EncodeToString(hash.Sum(nil)[:16])
}
