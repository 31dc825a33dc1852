package platforms

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestForms: what is written wrongly in one field costs no other.
func TestForms(t *testing.T) {
	for body, want := range map[string]fields{
		"a=1&b=2":                           {"a": "1", "b": "2"},
		"a=S%C3%A3o+Paulo&b%5Bc%5D=2":       {"a": "São Paulo", "b": map[string]any{"c": "2"}},
		"product=100%&email=a%40b.c":        {"product": "100%", "email": "a@b.c"},
		"product=%zz+%C3&email=a@b.c":       {"product": "%zz+%C3", "email": "a@b.c"},
		"product=a;b&email=a@b.c":           {"product": "a;b", "email": "a@b.c"},
		"%=1&a=2":                           {"%": "1", "a": "2"},
		"a=1&&b&=3&c=4=5&":                  {"a": "1", "b": "", "": "3", "c": "4=5"},
		"a=" + strings.Repeat("%", 100_000): {"a": strings.Repeat("%", 100_000)},
	} {
		root, form, err := readBody(Delivery{Body: []byte(body)})
		if err != nil || !form || !reflect.DeepEqual(root, want) {
			t.Errorf("%.40s: got %.200v, %t, %v", body, root, form, err)
		}
	}
	root, _, err := readBody(Delivery{Body: []byte("first=1" + strings.Repeat("&x=", 100_000) + "&last=1")})
	if err != nil || root["first"] != "1" || root["last"] != nil {
		t.Errorf("a form of too many fields: %v, %v", root, err)
	}
}

func TestMultipartForms(t *testing.T) {
	const content = "multipart/form-data; boundary=xYz"
	part := func(name, value string) string {
		return "--xYz\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n"
	}
	const file = "--xYz\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a.txt\"\r\n\r\nfile\r\n"
	const end = "--xYz--\r\n"
	for name, row := range map[string]struct {
		body string
		want fields
	}{
		"values": {part("venda[codigo]", "7") + part("comprador[nome]", "Zé\n& Cia") + end,
			fields{"venda": map[string]any{"codigo": "7"}, "comprador": map[string]any{"nome": "Zé\n& Cia"}}},
		"no files":         {part("a", "1") + file + part("b", "2") + end, fields{"a": "1", "b": "2"}},
		"the last of two":  {part("a", "1") + part("a", "2") + end, fields{"a": "2"}},
		"no parts":         {end, nil},
		"cut":              {part("a", "1") + "--xYz\r\nContent-Disp", nil},
		"another boundary": {strings.ReplaceAll(part("a", "1")+end, "xYz", "abc"), nil},
	} {
		root, form, err := readBody(Delivery{Body: []byte(row.body), ContentType: content})
		if (err == nil) != (row.want != nil) || !form || err == nil && !reflect.DeepEqual(root, row.want) {
			t.Errorf("%s: got %v, %t, %v", name, root, form, err)
		}
	}
	root, _, err := readBody(Delivery{Body: []byte(part("first", "1") + strings.Repeat(part("x", ""), 10_000) +
		part("last", "1") + end), ContentType: content})
	if err != nil || root["first"] != "1" || root["last"] != nil {
		t.Errorf("a form of too many parts: %d fields, %v", len(root), err)
	}
	if root, form, err := readBody(Delivery{Body: []byte(`{"a":1}`), ContentType: content}); form || err != nil ||
		root.text(maxID, "a") != "1" {
		t.Errorf("JSON that says it is a form: %v, %t, %v", root, form, err)
	}
}

// strictly reads a body as encoding/json does: one object and nothing after it.
func strictly(body []byte) (map[string]any, bool) {
	decoder := json.NewDecoder(bytes.NewReader(withoutBOM(body)))
	decoder.UseNumber()
	var tree map[string]any
	if decoder.Decode(&tree) != nil || tree == nil {
		return nil, false
	}
	_, err := decoder.Token()
	return tree, errors.Is(err, io.EOF)
}

// lenient are the ways in which a body may be read that encoding/json refuses. Each brings
// a body to what encoding/json takes for it.
var lenient = []struct {
	name string
	mend func([]byte) []byte
}{
	{"control characters in strings", func(body []byte) []byte {
		return withinStrings(body, func(text []byte) []byte {
			return bytes.Map(func(r rune) rune {
				if r < ' ' {
					return ' '
				}
				return r
			}, text)
		})
	}},
	{"escapes that there are not", func(body []byte) []byte {
		return withinStrings(body, func(text []byte) []byte {
			var mended []byte
			for i := 0; i < len(text); i++ {
				if text[i] != '\\' || i+1 == len(text) {
					mended = append(mended, text[i])
					continue
				}
				_, isRune := escapedRune(text[i:])
				if known := bytes.IndexByte([]byte(`"\/bfnrt`), text[i+1]) >= 0; !known && !isRune {
					mended = append(mended, '\\')
				}
				mended = append(mended, '\\', text[i+1])
				i++
			}
			return mended
		})
	}},
	{"numbers that are none", func(body []byte) []byte {
		var mended []byte
		start := 0
		flush := func(end int) {
			if word := body[start:end]; len(word) > 0 {
				if !json.Valid(word) {
					word = []byte("null")
				}
				mended = append(mended, word...)
			}
		}
		inString := false
		for i := 0; i < len(body); i++ {
			c := body[i]
			if inString {
				mended = append(mended, c)
				if c == '\\' && i+1 < len(body) {
					i++
					mended = append(mended, body[i])
				}
				inString, start = c != '"', i+1
				continue
			}
			if strings.IndexByte(" \t\r\n{}[],:\"", c) >= 0 {
				flush(i)
				mended, start, inString = append(mended, c), i+1, c == '"'
			}
		}
		flush(len(body))
		return mended
	}},
}

// withinStrings changes what is between quotation marks.
func withinStrings(body []byte, change func([]byte) []byte) []byte {
	var changed []byte
	for {
		start := bytes.IndexByte(body, '"')
		if start < 0 {
			return append(changed, body...)
		}
		changed, body = append(changed, body[:start+1]...), body[start+1:]
		end := 0
		for end < len(body) && body[end] != '"' {
			if body[end] == '\\' {
				end++
			}
			end++
		}
		end = min(end, len(body))
		changed, body = append(changed, change(body[:end])...), body[end:]
		if len(body) > 0 {
			changed, body = append(changed, '"'), body[1:]
		}
	}
}

// FuzzReadJSON compares with encoding/json: what that accepts is accepted and means the
// same, and what it refuses is only accepted for a reason that is listed in lenient. Both
// may differ where a body is not UTF-8 or nests deeper than any delivery.
func FuzzReadJSON(f *testing.F) {
	for _, name := range []string{"hotmart/purchase.json", "kiwify/renewal.json", "eduzz/legacy-invoice.json"} {
		f.Add(fixture(f, name))
	}
	for _, body := range broken {
		if len(body) < 1000 {
			f.Add([]byte(body))
		}
	}
	for _, body := range []string{
		`{}`, "\ufeff {\"a\":null}\r\n", `{"a":[1,-0,1.50,2e3,{"b":[]},true,false,"x"],"a":{"c":1}}`, `{"":{"":""}}`,
		`{"a":"\ud83d\ude00 \ud83d x \ude00 \u0000 \/ \\ud83d"}`, `{"\u0061":1,"a":2}`, `{"a":"\ud83d\u0041"}`,
		`{"a":"\\\"","b":"\\"}`, "{\"a\":\"two\nlines\"}", `{"a":"\x \u12 \u"}`,
		`{"a":NaN,"b":-Inf,"c":01,"d":+1,"e":1.,"f":.5,"g":-,"h":1e}`, `{"a":1,}`, `{a:1}`, `{'a':1}`, `{"a":tru}`,
		`{"a":nullx}`, `{"a" 1}`, "{\"a\":1}\x00", strings.Repeat(`{"a":`, 70) + "1" + strings.Repeat("}", 70),
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := readJSON(body)
		want, accepted := strictly(body)
		if err != nil {
			checkInputError(t, err)
			if accepted && refusesShape(body) == "" {
				t.Fatalf("refused, and encoding/json accepts it: %v", err)
			}
			return
		}
		if !accepted {
			mended := body
			for _, way := range lenient {
				mended = way.mend(mended)
			}
			if _, accepted = strictly(mended); !accepted && utf8.Valid(body) {
				t.Fatalf("accepted for no reason that is known: %q", mended)
			}
		} else if utf8.Valid(body) && !reflect.DeepEqual(map[string]any(got), want) {
			t.Fatalf("got %v, encoding/json has %v", got, want)
		}
		before, _ := json.Marshal(got)
		for i := range body {
			body[i] = 'x'
		}
		if _, err := readJSON(
			[]byte(`{"another":"body, that is longer than the one before","and":[1,2,3]}`)); err != nil {
			t.Fatal(err)
		}
		if after, _ := json.Marshal(got); !bytes.Equal(after, before) {
			t.Fatalf("what was read shares memory with the body or the parser: %s, then %s", before, after)
		}
	})
}

func TestReadJSON(t *testing.T) {
	for _, test := range []struct{ name, body, want string }{
		{"raw line break in a text", "{\"a\":\"Rua A\nCasa 2\"}", `{"a":"Rua A\nCasa 2"}`},
		{"byte order mark and blanks", "\ufeff \n{\"a\":1}\r\n ", `{"a":1}`},
		{"an emoji", `{"a":"Ana \ud83d\ude00"}`, `{"a":"Ana 😀"}`},
		{"half an emoji at the end", `{"a":"Ana \ud83d"}`, `{"a":"Ana �"}`},
		{"half an emoji before a letter", `{"a":"\ud83d\u0041na"}`, `{"a":"�Ana"}`},
		{"the other half", `{"a":"\uDE00Ana"}`, `{"a":"�Ana"}`},
		{"what only looks like half an emoji", `{"a":"C:\\ud83d"}`, `{"a":"C:\\ud83d"}`},
		{"digits are kept", `{"a":1.50,"b":90071992547409931234}`, `{"a":1.50,"b":90071992547409931234}`},
		{"numbers that are none", `{"a":NaN,"b":01,"c":1.,"d":+1,"e":1e}`,
			`{"a":null,"b":null,"c":null,"d":null,"e":null}`},
		{"escapes that there are not", `{"a":"50\% \u12"}`, `{"a":"50\\% \\u12"}`},
		{"brackets in texts are no nesting", `{"a":"` + strings.Repeat("{[", 100) + `\"["}`,
			`{"a":"` + strings.Repeat("{[", 100) + `\"["}`},
		{"as deep as may be", strings.Repeat(`{"a":`, maxDepth) + "1" + strings.Repeat("}", maxDepth),
			strings.Repeat(`{"a":`, maxDepth) + "1" + strings.Repeat("}", maxDepth)},
	} {
		t.Run(test.name, func(t *testing.T) {
			root, err := readJSON([]byte(test.body))
			if err != nil {
				t.Fatal(err)
			}
			got, err := json.Marshal(root)
			if err != nil || string(got) != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
	for name, body := range map[string]string{
		"too deep":             strings.Repeat(`{"a":`, maxDepth+1) + "1" + strings.Repeat("}", maxDepth+1),
		"too deep in brackets": `{"a":` + strings.Repeat("[", maxDepth) + strings.Repeat("]", maxDepth) + `}`,
		"garbage, deep within": `{"a":` + strings.Repeat("[", 298) + "t" + strings.Repeat("x", 1<<20),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := readJSON([]byte(body))
			checkInputError(t, err)
		})
	}
}

func TestIsNumber(t *testing.T) {
	for _, text := range []string{"0", "-0", "10", "1.5", "-1.50", "1e3", "1E+3", "0.1e-9", "", "-", "01", "-01", "1.",
		".5", "+1", "1e", "1e+", "1.e3", "NaN", "inf", "1x", "0x1", "1e3.5", "--1"} {
		if got, want := isNumber([]byte(text)), json.Valid([]byte(text)); got != want {
			t.Errorf("isNumber(%q) = %t, encoding/json says %t", text, got, want)
		}
	}
}

func FuzzIsNumber(f *testing.F) {
	for _, text := range []string{"0", "-1.50e+3", "01", "1.", "-"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Trim(text, "0123456789+-.eE") != "" {
			return
		}
		if got, want := isNumber([]byte(text)), json.Valid([]byte(text)); got != want {
			t.Errorf("isNumber(%q) = %t, encoding/json says %t", text, got, want)
		}
	})
}

func TestInner(t *testing.T) {
	for name, body := range map[string]string{
		"object":         `{"a":{"b":"x"}}`,
		"list of one":    `{"a":[{"b":"x"},{"b":"y"}]}`,
		"JSON in a text": `{"a":" {\"b\":\"x\"} "}`,
		"second name":    `{"a":7,"c":{"b":"x"}}`,
	} {
		root, err := readJSON([]byte(body))
		if err != nil || root.inner("a", "c").raw("b") != "x" {
			t.Errorf("%s: got %v, %v", name, root, err)
		}
	}
	for _, body := range []string{`{}`, `{"a":null}`, `{"a":[]}`, `{"a":["x"]}`, `{"a":"{"}`, `{"a":"x"}`, `{"a":1}`} {
		root, err := readJSON([]byte(body))
		if err != nil || root.inner("a") != nil {
			t.Errorf("%s: got %v, %v", body, root.inner("a"), err)
		}
	}
}
