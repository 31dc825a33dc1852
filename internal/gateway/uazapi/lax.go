package uazapi

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"
)

// text is a JSON string; a number or boolean is kept as it is written, everything
// else is empty.
type text string

// UnmarshalJSON reads the value; it never fails.
func (t *text) UnmarshalJSON(data []byte) error {
	*t = ""
	switch {
	case len(data) == 0:
	case data[0] == '"':
		var value string
		if json.Unmarshal(data, &value) == nil {
			*t = text(value)
		}
	case data[0] != '{' && data[0] != '[' && data[0] != 'n':
		*t = text(data)
	}
	return nil
}

// flag is a JSON boolean, which some versions write as a string or number.
type flag struct {
	// known is whether there was one.
	known bool
	value bool
}

// isFalse tells whether the flag was there and false.
func (f flag) isFalse() bool { return f.known && !f.value }

// UnmarshalJSON reads the value; it never fails.
func (f *flag) UnmarshalJSON(data []byte) error {
	var written text
	_ = written.UnmarshalJSON(data)
	value, err := strconv.ParseBool(strings.ToLower(string(written)))
	*f = flag{known: err == nil, value: err == nil && value}
	return nil
}

// jid is a WhatsApp id: null, a string, or an object with the number as user.
type jid string

// UnmarshalJSON reads the value; it never fails.
func (j *jid) UnmarshalJSON(data []byte) error {
	*j = ""
	if len(data) > 0 && data[0] == '{' {
		var object struct {
			User text `json:"user"`
		}
		_ = decode(data, &object)
		*j = jid(object.User)
		return nil
	}
	var written text
	_ = written.UnmarshalJSON(data)
	*j = jid(written)
	return nil
}

// moment is a time in milliseconds or seconds since 1970, as a number or string, or
// in RFC 3339, with a space for the T in some versions. Zero when it is none of them.
type moment struct{ time.Time }

// UnmarshalJSON reads the value; it never fails.
func (m *moment) UnmarshalJSON(data []byte) error {
	m.Time = time.Time{}
	var written text
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
