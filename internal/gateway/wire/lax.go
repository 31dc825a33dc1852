package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"

	"cartrecovery.dev/operator/internal/clip"
)

const (
	// MaxID bounds an id or token that is believed, in bytes.
	MaxID = 512
	// MaxReason bounds a disconnect reason, in runes.
	MaxReason = 256
	// PicturePrefix begins the picture to scan.
	PicturePrefix = "data:image/png;base64,"
)

// Decode reads JSON into target. A field of another type than expected keeps its
// zero value: versions of the servers differ in the types of fields, and one that is
// not needed must not make an answer useless.
func Decode(body []byte, target any) bool {
	err := json.Unmarshal(body, target)
	var mistyped *json.UnmarshalTypeError
	return err == nil || errors.As(err, &mistyped)
}

// IsObject tells whether body begins as a JSON object.
func IsObject(body []byte) bool { return begins(body, '{') }

// IsList tells whether body begins as a JSON array.
func IsList(body []byte) bool { return begins(body, '[') }

func begins(body []byte, with byte) bool {
	trimmed := bytes.TrimLeft(body, " \t\r\n")
	return len(trimmed) > 0 && trimmed[0] == with
}

// Text is a JSON string; a number or boolean is kept as it is written, everything
// else is empty.
type Text string

// UnmarshalJSON reads the value; it never fails.
func (t *Text) UnmarshalJSON(data []byte) error {
	*t = ""
	switch {
	case len(data) == 0:
	case data[0] == '"':
		var value string
		if json.Unmarshal(data, &value) == nil {
			*t = Text(value)
		}
	case data[0] != '{' && data[0] != '[' && data[0] != 'n':
		*t = Text(data)
	}
	return nil
}

// Bounded is the text if it is no longer than any real id; a longer one is dropped.
func (t Text) Bounded() string {
	if len(t) > MaxID {
		return ""
	}
	return string(t)
}

// Picture is the text as the data URI of a QR; some servers leave the prefix out.
func (t Text) Picture() string {
	if t == "" || strings.HasPrefix(string(t), "data:") {
		return string(t)
	}
	return PicturePrefix + string(t)
}

// Reason is the text bounded and on one line.
func (t Text) Reason() string {
	clean := strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, string(t))
	return strings.TrimSpace(clip.Characters(clean, MaxReason))
}

// Flag is a JSON boolean, which some versions write as a string or number.
type Flag struct {
	// Known is whether there was one.
	Known bool
	// Value is what it was; false when there was none.
	Value bool
}

// IsFalse tells whether the flag was there and false.
func (f Flag) IsFalse() bool { return f.Known && !f.Value }

// UnmarshalJSON reads the value; it never fails.
func (f *Flag) UnmarshalJSON(data []byte) error {
	var written Text
	_ = written.UnmarshalJSON(data)
	value, err := strconv.ParseBool(strings.ToLower(string(written)))
	*f = Flag{Known: err == nil, Value: err == nil && value}
	return nil
}

// Moment is a time in milliseconds or seconds since 1970, as a number or string, or in RFC 3339, with a space for the T
// in some versions. Zero for anything else.
type Moment struct{ time.Time }

// UnmarshalJSON reads the value; it never fails.
func (m *Moment) UnmarshalJSON(data []byte) error {
	m.Time = time.Time{}
	var written Text
	_ = written.UnmarshalJSON(data)
	value := strings.TrimSpace(string(written))
	if number, err := strconv.ParseFloat(value, 64); err == nil {
		m.Time = since1970(number)
		return nil
	}
	if at, err := time.Parse(time.RFC3339, strings.Replace(value, " ", "T", 1)); err == nil {
		m.Time = at.UTC()
	}
	return nil
}

// since1970 is the time that many seconds or, from 1e11 on (in seconds the year
// 5138), milliseconds after the epoch; zero when it cannot be one.
func since1970(number float64) time.Time {
	switch {
	case math.IsNaN(number) || number <= 0 || number >= 1e14:
		return time.Time{}
	case number >= 1e11:
		return time.UnixMilli(int64(number)).UTC()
	}
	return time.UnixMilli(int64(number * 1000)).UTC()
}
