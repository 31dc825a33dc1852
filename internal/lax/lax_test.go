package lax

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// whole reads an object with all that is in it, in the types of encoding/json; false where it is refused.
func whole(t testing.TB, body []byte) (map[string]any, bool) {
	t.Helper()
	checked, expected := Checked(body, nil)
	if expected != "" {
		return nil, false
	}
	fields := Parse(checked).Object()
	if fields == nil {
		return nil, false
	}
	return treeOf(t, Made(fields)).(map[string]any), true
}

// treeOf is a value in the types of encoding/json. It goes into everything, as whoever reads a delivery can.
func treeOf(t testing.TB, value Value) any {
	t.Helper()
	switch value.Kind() {
	case Object:
		made := map[string]any{}
		for name, each := range value.Object().Each() {
			made[name] = treeOf(t, each)
		}
		return made
	case List:
		made := []any{}
		for _, each := range value.List(MaxValues + 1) {
			made = append(made, treeOf(t, each))
		}
		return made
	case Text:
		return value.Text()
	case Number:
		return json.Number(value.Word())
	case Truth:
		return value.True()
	}
	return nil
}

// strictly reads a body as encoding/json does: one object and nothing after it.
func strictly(body []byte) (map[string]any, bool) {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var tree map[string]any
	if decoder.Decode(&tree) != nil || tree == nil {
		return nil, false
	}
	_, err := decoder.Token()
	return tree, errors.Is(err, io.EOF)
}

// FuzzObject compares with encoding/json: what that accepts is accepted and means the same. It may differ where a
// body is not UTF-8 or exceeds a limit. What is accepted beside that is JSON when it is mended.
func FuzzObject(f *testing.F) {
	for _, body := range []string{
		`{}`, "{\"a\":null}\r\n", `{"a":[1,-0,1.50,2e3,{"b":[]},true,false,"x"],"a":{"c":1}}`, `{"":{"":""}}`,
		`{"a":"\ud83d\ude00 \ud83d x \ude00 \u0000 \/ \\ud83d"}`, `{"\u0061":1,"a":2}`, `{"a":"\ud83d\u0041"}`,
		`{"a":"\\\"","b":"\\"}`, "{\"a\":\"two\nlines\"}", `{"a":"\x \u12 \u"}`, `{"\ud83d\u0041":1}`,
		`{"a":NaN,"b":-Inf,"c":01,"d":+1,"e":1.,"f":.5,"g":-,"h":1e}`, `{"a":1,}`, `{a:1}`, `{'a':1}`, `{"a":tru}`,
		`{"a":nullx}`, `{"a" 1}`, "{\"a\":1}\x00", strings.Repeat(`{"a":`, 600) + "1" + strings.Repeat("}", 600),
		`{"a":"{\"b\":1}","c":[{"d":"e"}]}`, `[1]`, `1`, ``, `{"a":"`, `{"a":"\`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		got, ok := whole(t, body)
		want, accepted := strictly(body)
		switch {
		case !ok && accepted && exceeds(body) == "":
			t.Fatal("refused, and encoding/json accepts it")
		case ok && accepted && utf8.Valid(body) && !reflect.DeepEqual(got, want):
			t.Fatalf("it differs from encoding/json: %s", cmp.Diff(want, got))
		case ok && !accepted:
			mended, fine := strictly(mended(body, nil))
			if !fine || utf8.Valid(body) && !reflect.DeepEqual(got, mended) {
				t.Fatalf("what is read is not what was mended: %s", cmp.Diff(mended, got))
			}
		}
		checked, expected := Checked(body, nil)
		if expected != "" {
			return
		}
		if picked, same := Pick(checked, "a").At("a"), Parse(checked).Object().At("a"); treeOf(t, picked) != nil &&
			!reflect.DeepEqual(treeOf(t, picked), treeOf(t, same)) {
			t.Fatalf("picked %v, and read %v", picked, same)
		}
	})
}

// TestObjectsAreReadLeniently: what encoding/json refuses and deliveries have all the same, and what it reads.
func TestObjectsAreReadLeniently(t *testing.T) {
	deep := strings.Repeat(`{"a":`, MaxDepth) + "1" + strings.Repeat("}", MaxDepth)
	for _, test := range []struct{ name, body, want string }{
		{"raw line break in a text", "{\"a\":\"Rua A\nCasa 2\"}", `{"a":"Rua A\nCasa 2"}`},
		{"blanks around it", " \n{\"a\":1}\r\n ", `{"a":1}`},
		{"an emoji", `{"a":"Ana \ud83d\ude00"}`, `{"a":"Ana 😀"}`},
		{"half an emoji at the end", `{"a":"Ana \ud83d"}`, `{"a":"Ana �"}`},
		{"half an emoji before a letter", `{"a":"\ud83d\u0041na"}`, `{"a":"�Ana"}`},
		{"half an emoji in a name", `{"\ud83d\u0041na":1}`, `{"�Ana":1}`},
		{"the other half", `{"a":"\uDE00Ana"}`, `{"a":"�Ana"}`},
		{"what only looks like half an emoji", `{"a":"C:\\ud83d"}`, `{"a":"C:\\ud83d"}`},
		{"digits are kept", `{"a":1.50,"b":90071992547409931234}`, `{"a":1.50,"b":90071992547409931234}`},
		{"numbers that are none", `{"a":NaN,"b":01,"c":1.,"d":+1,"e":1e,"f":-Inf}`,
			`{"a":null,"b":null,"c":null,"d":null,"e":null,"f":null}`},
		{"escapes that there are not", `{"a":"50\% \u12"}`, `{"a":"50\\% \\u12"}`},
		{"an escaped name", `{"\u0061":1,"a":2}`, `{"a":2}`},
		{"the last of two", `{"a":1,"b":2,"a":null}`, `{"a":null,"b":2}`},
		{"brackets in texts are no nesting", `{"a":"` + strings.Repeat("{[", 100) + `\"["}`,
			`{"a":"` + strings.Repeat("{[", 100) + `\"["}`},
		{"as deep as may be", deep, deep},
	} {
		t.Run(test.name, func(t *testing.T) {
			read, ok := whole(t, []byte(test.body))
			if !ok {
				t.Fatal("refused")
			}
			got, err := json.Marshal(read)
			if diff := cmp.Diff(test.want, string(got)); diff != "" || err != nil {
				t.Errorf("(-want +got):\n%s%v", diff, err)
			}
		})
	}
}

func TestObjectsAreRefused(t *testing.T) {
	for name, body := range map[string]string{
		"too deep":             strings.Repeat(`{"a":`, MaxDepth+1) + "1" + strings.Repeat("}", MaxDepth+1),
		"too deep in brackets": `{"a":` + strings.Repeat("[", MaxDepth) + strings.Repeat("]", MaxDepth) + `}`,
		"too many values":      `{"a":[0` + strings.Repeat(",1", MaxValues) + `]}`,
		"garbage, deep within": `{"a":` + strings.Repeat("[", MaxDepth-2) + "t" + strings.Repeat("x", 1<<20),
		"a word":               `{"a":yes}`,
		"more than one":        `{"a":1}{"b":2}`,
		"half of it":           `{"a":1`,
		"half a text":          `{"a":"x`,
		"nothing":              ``,
	} {
		t.Run(name, func(t *testing.T) {
			if got, ok := whole(t, []byte(body)); ok {
				t.Errorf("it is read as %v", got)
			}
		})
	}
}

func TestPick(t *testing.T) {
	for _, test := range []struct{ name, body, want string }{
		{"a field", `{"a":1,"token":"x","b":2}`, `{"token":"x"}`},
		{"the last of two", `{"token":"x","token":"y"}`, `{"token":"y"}`},
		{"an escaped name", `{"token":"x","\u0074oken":"y"}`, `{"token":"y"}`},
		{"deeper", `{"a":{"token":"x"},"b":["token",{"token":"y"}]}`, `{}`},
		{"behind brackets in texts", `{"a":"}]{[\"","b":{"c":"}\\"},"token":"x"}`, `{"token":"x"}`},
		{"a number", `{"token":17}`, `{"token":17}`},
		{"an object as it stands there", `{"token":{"a":[1, {}]},"b":null}`, `{"token":{"a":[1,{}]}}`},
		{"nothing in it", `{}`, `{}`},
		{"a list", `[{"token":"x"}]`, `{}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := json.Marshal(Pick([]byte(test.body), "token"))
			if diff := cmp.Diff(test.want, string(got)); diff != "" || err != nil {
				t.Errorf("(-want +got):\n%s%v", diff, err)
			}
		})
	}
}

// TestManyFields: an object of many is read as one of few.
func TestManyFields(t *testing.T) {
	for name, count := range map[string]int{"few": 10, "as many as are searched": maxSearched, "many": 5000} {
		t.Run(name, func(t *testing.T) {
			fields, want := &Fields{}, map[string]Value{}
			for i := range count {
				name := strings.Repeat("x", i%7) + string(rune('a'+i%26)) + string(rune('a'+i/26%26))
				fields.Set(name, Of(name))
				want[name] = Of(name)
			}
			for name, value := range want {
				if fields.At(name).Text() != value.Text() {
					t.Errorf("At(%q) = %q", name, fields.At(name).Text())
				}
			}
			if fields.Len() != len(want) || fields.Without("xb").Len() > len(want) || fields.At("none").Is() {
				t.Errorf("%d fields, want %d", fields.Len(), len(want))
			}
		})
	}
}

func TestInner(t *testing.T) {
	for name, body := range map[string]string{
		"object":         `{"a":{"b":"x"}}`,
		"list of one":    `{"a":[{"b":"x"},{"b":"y"}]}`,
		"JSON in a text": `{"a":" {\"b\":\"x\"} "}`,
		"second name":    `{"a":7,"c":{"b":"x"}}`,
	} {
		t.Run(name, func(t *testing.T) {
			if got := Parse([]byte(body)).Object().Inner("a", "c").At("b").Text(); got != "x" {
				t.Errorf("got %q", got)
			}
		})
	}
	for _, body := range []string{`{}`, `{"a":null}`, `{"a":[]}`, `{"a":["x"]}`, `{"a":"{"}`, `{"a":"x"}`, `{"a":1}`} {
		t.Run(body, func(t *testing.T) {
			if got := Parse([]byte(body)).Object().Inner("a"); got != nil {
				t.Errorf("got %v", got)
			}
		})
	}
}
