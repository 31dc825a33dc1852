package platforms

import (
	"testing"
	"unicode/utf8"

	"cartrecovery.dev/operator/internal/lax"
)

// TestCharsets: a name in whatever charset a platform writes.
func TestCharsets(t *testing.T) {
	const form, latin1 = "application/x-www-form-urlencoded", "; charset=ISO-8859-1"
	for _, test := range []struct{ name, content, body, want string }{
		{"a form in Latin-1", form + latin1, "n=Jo%E3o", "João"},
		{"a form that does not say so", form, "n=Jo%E3o", "João"},
		{"a form without a type", "", "n=Jo%E3o", "João"},
		{"a form in UTF-8", form + "; charset=UTF-8", "n=Jo%C3%A3o", "João"},
		{"a form that says Latin-1 and is UTF-8", form + latin1, "n=Jo%C3%A3o", "João"},
		{"a form of raw bytes", form, "n=Jo\xe3o", "João"},
		{"a form in Windows-1252", form + "; charset=windows-1252", "n=%93Jo%E3o%94 %80", "“João” €"},
		{"a form in quotes", form + `; charset="iso-8859-1"`, "n=Jo%E3o", "João"},
		{"a form in a charset that there is not", form + "; charset=klingon", "n=Jo%E3o", "João"},
		{"a form in Latin-2", form + "; charset=iso-8859-2", "n=%A3ukasz", "Łukasz"},
		{"the name of a field", form, "%6E=x&n=Concei%E7%E3o", "Conceição"},
		{"JSON in Latin-1", "application/json" + latin1, "{\"n\":\"Jo\xe3o\"}", "João"},
		{"JSON that does not say so", "application/json", "{\"n\":\"Jo\xe3o\"}", "João"},
		{"JSON in UTF-8", "application/json;charset=utf-8", `{"n":"João"}`, "João"},
		{"JSON in capitals", "application/json; Charset=UTF-8", `{"n":"João"}`, "João"},
		{"JSON that says Latin-1 and is UTF-8", "application/json" + latin1, `{"n":"João"}`, "João"},
		{"JSON with escapes", "application/json" + latin1, `{"n":"Jo\u00e3o"}`, "João"},
		{"JSON in UTF-16", "application/json; charset=utf-16le", "{\x00\"\x00n\x00\"\x00:\x00\"\x00\xe3\x00\"\x00}\x00",
			"ã"},
		{"JSON in Shift JIS", "application/json; charset=shift_jis", "{\"n\":\"\x95\x5c\"}", "表"},
		{"one text in each", "application/json", "{\"m\":\"João\",\"n\":\"Jo\xe3o\"}", "João"},
		{"UTF-8 that is cut", "application/json", "{\"n\":\"José Concei\xc3\"}", "José Concei"},
	} {
		t.Run(test.name, func(t *testing.T) {
			root, _, err := readBody(Delivery{Body: []byte(test.body), ContentType: test.content})
			if err != nil || root.Text(maxName, "n") != test.want {
				t.Errorf("got %q, %v, want %q", root.Text(maxName, "n"), err, test.want)
			}
		})
	}
}

// FuzzCharset: whatever the bytes and the type say, what is kept is UTF-8.
func FuzzCharset(f *testing.F) {
	for _, content := range []string{"", "charset=", "application/json; charset=iso-8859-1", "x/y; charset=utf-16",
		"x/y; charset=gb18030", "x/y; CHARSET=\"big5\""} {
		f.Add([]byte("Jo\xe3o"), content)
	}
	f.Fuzz(func(t *testing.T, body []byte, content string) {
		text := lax.Clean(charsetOf(content).text(string(body)), maxName)
		if !utf8.ValidString(text) {
			t.Fatalf("not UTF-8: %q", text)
		}
		root, _, err := readBody(Delivery{Body: body, ContentType: content})
		if err != nil {
			checkInputError(t, hotmart{}, err)
			return
		}
		for name := range root.Each() {
			if text := root.Text(maxName, name); !utf8.ValidString(text) {
				t.Fatalf("not UTF-8: %q", text)
			}
		}
	})
}

// TestReadable: what was encoded twice, or for a page, is read as it was meant.
func TestReadable(t *testing.T) {
	for text, want := range map[string]string{
		"ConceiÃ§Ã£o": "Conceição", "L&uacute;cia": "Lúcia", "D&#39;Alva": "D'Alva", "A &amp; B": "A & B",
		"JOÃO": "JOÃO", "Ângela": "Ângela", "A & B": "A & B", "王Ã": "王Ã", "a&#10;b": "a b",
	} {
		if got := readable(text); got != want {
			t.Errorf("readable(%q) = %q, want %q", text, got, want)
		}
	}
}
