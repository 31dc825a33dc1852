// Package lax reads JSON that others write: in place, and without insisting on types. A body is checked once
// and kept as one string; of an object only the fields are found, and what stands in them is read when somebody
// asks for it. It serves every reader of deliveries. What a value means is for the reader to say.
package lax

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"unsafe"

	"github.com/tidwall/gjson"
)

// Kind is what a value is.
type Kind uint8

const (
	// Nothing is an absent value, or null.
	Nothing Kind = iota
	// Truth is true or false.
	Truth
	// Number is a number.
	Number
	// Text is a string.
	Text
	// Object is an object.
	Object
	// List is an array.
	List
)

// Value is a value of a body. The zero Value is an absent one.
type Value struct {
	// raw is the value as it stands in the body: its first byte tells the kind. A Text has a quotation mark in
	// front of its characters, and none behind them.
	raw string
	// fields are those of an Object whose fields were found, or that was made.
	fields *Fields
}

// Of makes a Text.
func Of(text string) Value { return Value{raw: `"` + text} }

// Made makes an Object of fields, which it shares.
func Made(fields *Fields) Value { return Value{fields: fields} }

// Parse reads a body that Checked has accepted.
func Parse(body []byte) Value { return valueOf(gjson.Parse(string(body))) }

// Pick finds fields of the object that such a body is, and keeps nothing else of it: no stranger's body is
// copied. What it returns are pieces of the body, and valid as long as that is.
func Pick(body []byte, names ...string) *Fields {
	//nolint:gosec // G103: nothing writes to the body while a delivery is looked at.
	whole := valueOf(gjson.Parse(unsafe.String(unsafe.SliceData(body), len(body))))
	found := &Fields{}
	whole.each(func(name string, value Value) {
		if slices.Contains(names, name) {
			found.Set(name, value)
		}
	})
	return found
}

// valueOf takes a value over from the library.
func valueOf(from gjson.Result) Value {
	switch {
	case from.Type == gjson.Null:
		return Value{}
	case from.Type != gjson.String:
		return Value{raw: from.Raw}
	case strings.IndexByte(from.Raw, '\\') < 0:
		return Value{raw: from.Raw[:len(from.Raw)-1]}
	}
	return Of(unescaped(from.Raw, from.Str))
}

// unescaped reads a string with its quotation marks. read is what the library makes of it, which is wrong about half
// a character.
func unescaped(quoted, read string) string {
	if !strings.Contains(quoted, `\ud`) && !strings.Contains(quoted, `\uD`) {
		return read
	}
	var text string
	if json.Unmarshal([]byte(quoted), &text) != nil {
		return read
	}
	return text
}

// Kind is what the value is.
func (v Value) Kind() Kind {
	if v.raw == "" {
		if v.fields != nil {
			return Object
		}
		return Nothing
	}
	switch v.raw[0] {
	case '"':
		return Text
	case '{':
		return Object
	case '[':
		return List
	case 't', 'f':
		return Truth
	}
	return Number
}

// Is says whether the value is there and not null.
func (v Value) Is() bool { return v.Kind() != Nothing }

// Text is a string; "" for anything else.
func (v Value) Text() string {
	if v.Kind() != Text {
		return ""
	}
	return v.raw[1:]
}

// Word is a string, or a number with the digits it was written with; "" for anything else.
func (v Value) Word() string {
	if v.Kind() == Number {
		return v.raw
	}
	return v.Text()
}

// True says whether the value is true, also as a text ("True") or a number.
func (v Value) True() bool {
	truth, err := strconv.ParseBool(strings.ToLower(strings.Trim(strings.TrimPrefix(v.raw, `"`), " ")))
	return err == nil && truth
}

// Raw is an object or a list as it stands in the body.
func (v Value) Raw() string {
	if v.Kind() != Object && v.Kind() != List {
		return ""
	}
	return v.raw
}

// Object finds the fields of an object; nil for anything else. They are found again at each call, but for those of
// an object that was made.
func (v Value) Object() *Fields {
	if v.fields != nil || v.Kind() != Object {
		return v.fields
	}
	var usual [48]field // a list that grows costs more than the reading
	all := usual[:0]
	v.each(func(name string, value Value) { all = append(all, field{name, value}) })
	found := &Fields{all: slices.Clone(all)}
	found.added(0)
	return found
}

// Folded is a copy of Object by the fields' names in small letters.
func (v Value) Folded() *Fields {
	object := v.Object()
	if object == nil {
		return nil
	}
	folded := &Fields{}
	for name, value := range object.Each() {
		folded.Set(strings.ToLower(name), value)
	}
	return folded
}

// each calls found with every field of an object, in their order.
func (v Value) each(found func(name string, value Value)) {
	if v.Kind() != Object {
		return
	}
	gjson.Result{Type: gjson.JSON, Raw: v.raw}.ForEach(func(name, value gjson.Result) bool {
		if strings.IndexByte(name.Raw, '\\') >= 0 {
			name.Str = unescaped(name.Raw, name.Str)
		}
		found(name.Str, valueOf(value))
		return true
	})
}

// List finds the first values of an array, as many as are asked for; nil for anything else.
func (v Value) List(limit int) []Value {
	if v.Kind() != List {
		return nil
	}
	found := []Value{}
	gjson.Result{Type: gjson.JSON, Raw: v.raw}.ForEach(func(_, value gjson.Result) bool {
		found = append(found, valueOf(value))
		return len(found) < limit
	})
	return found
}

// Elements is List, and of an object the values by its names: numbers in their order, as forms number their lists.
func (v Value) Elements(limit int) []Value {
	fields := v.Object()
	if fields == nil {
		return v.List(limit)
	}
	names := fields.Names()
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(len(a), len(b)) })
	values := make([]Value, 0, min(len(names), limit))
	for _, name := range names[:min(len(names), limit)] {
		values = append(values, fields.At(name))
	}
	return values
}

// Within reads a string that is JSON itself, as proxies that know only flat fields pass an object on; any other
// value is itself. A string longer than the limit is not read.
func (v Value) Within(limit int) Value {
	text := strings.TrimSpace(v.Text())
	if len(text) > limit || !strings.HasPrefix(text, "{") {
		return v
	}
	body, expected := Checked([]byte(text), nil)
	if expected != "" {
		return v
	}
	return Parse(body)
}

// MarshalJSON writes the value, for whoever prints one.
func (v Value) MarshalJSON() ([]byte, error) {
	switch {
	case v.fields != nil:
		return json.Marshal(v.fields)
	case v.Kind() == Text:
		return json.Marshal(v.Text())
	case v.Kind() == Nothing:
		return []byte("null"), nil
	}
	return []byte(v.raw), nil
}
