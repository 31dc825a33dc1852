package formats

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
	maxText = 2048
	// beyondText is how much more of a text is read, by which whoever keeps it sees that it was longer.
	beyondText  = 64
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

// moment is a time in seconds since 1970, or in thousandths, millionths or billionths of one,
// as a number, a string or a 64-bit number of JavaScript, or in RFC 3339; zero for anything else.
type moment struct{ time.Time }

// UnmarshalJSON never fails.
func (m *moment) UnmarshalJSON(data []byte) error {
	m.Time = time.Time{}
	if data[0] == '{' {
		data = longNumber(data)
	}
	value := strings.TrimSpace(string(bytes.Trim(data, `" `)))
	// The year 5138 in seconds, 1973 in milliseconds, and so on.
	const firstMillis, firstMicros, firstNanos, end = 1e11, 1e14, 1e17, 1e19
	number, err := strconv.ParseFloat(value, 64)
	if err != nil {
		if at, err := time.Parse(time.RFC3339, value); err == nil {
			m.Time = instant(at)
		}
		return nil
	}
	switch {
	case !(number > 0 && number < end):
	case number < firstMillis:
		m.Time = instant(time.Unix(int64(number), 0))
	case number < firstMicros:
		m.Time = instant(time.UnixMilli(int64(number)))
	case number < firstNanos:
		m.Time = instant(time.UnixMilli(int64(number / 1e3)))
	default:
		m.Time = instant(time.UnixMilli(int64(number / 1e6)))
	}
	return nil
}

// longNumber returns a 64-bit number of JavaScript {low, high, unsigned}, whose halves can be
// negative, or the seconds of a time that is written in two parts.
func longNumber(data []byte) []byte {
	from := fieldsOf(data)
	if seconds := firstText(from.text("seconds"), from.text("_seconds")); seconds != "" {
		return []byte(seconds)
	}
	low, errLow := strconv.ParseInt(string(from.text("low")), 10, 64)
	if errLow != nil {
		return nil
	}
	high, errHigh := strconv.ParseInt(string(from.text("high")), 10, 64)
	if errHigh != nil {
		high = 0
	}
	//nolint:gosec // the halves are of 32 bits
	return strconv.AppendUint(nil, uint64(uint32(high))<<32|uint64(uint32(low)), 10)
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
		if clean = cut(clean, maxText+beyondText); clean != "" {
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
	from := message.Phone
	if from == "" && len(message.ChatIDs) > 0 {
		from = message.ChatIDs[0]
	}
	for _, part := range []string{from, message.Text, message.Media, message.Target,
		strconv.FormatInt(message.At.UnixMilli(), 10)} {
		_, _ = hash.Write([]byte(part))
		_, _ = hash.Write([]byte{0})
	}
	return "sha256-" + hex.EncodeToString(hash.Sum(nil)[:16])
}
