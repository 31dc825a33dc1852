package platforms

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestForms: what is written wrongly in one field costs no other.
func TestForms(t *testing.T) {
	for body, want := range map[string]map[string]any{
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
		if err != nil || !form || !cmp.Equal(tree(t, root), want) {
			t.Errorf("%.40s: got %.200v, %t, %v", body, root, form, err)
		}
	}
	root, _, err := readBody(Delivery{Body: []byte("first=1" + strings.Repeat("&x=", 100_000) + "&last=1")})
	if err != nil || root.At("first").Text() != "1" || root.Has("last") {
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
		want map[string]any
	}{
		"values": {part("venda[codigo]", "7") + part("comprador[nome]", "Zé\n& Cia") + end,
			map[string]any{"venda": map[string]any{"codigo": "7"}, "comprador": map[string]any{"nome": "Zé\n& Cia"}}},
		"no files":         {part("a", "1") + file + part("b", "2") + end, map[string]any{"a": "1", "b": "2"}},
		"the last of two":  {part("a", "1") + part("a", "2") + end, map[string]any{"a": "2"}},
		"no parts":         {end, nil},
		"cut":              {part("a", "1") + "--xYz\r\nContent-Disp", nil},
		"another boundary": {strings.ReplaceAll(part("a", "1")+end, "xYz", "abc"), nil},
	} {
		root, form, err := readBody(Delivery{Body: []byte(row.body), ContentType: content})
		if (err == nil) != (row.want != nil) || !form || err == nil && !cmp.Equal(tree(t, root), row.want) {
			t.Errorf("%s: got %v, %t, %v", name, root, form, err)
		}
	}
	root, _, err := readBody(Delivery{Body: []byte(part("first", "1") + strings.Repeat(part("x", ""), 10_000) +
		part("last", "1") + end), ContentType: content})
	if err != nil || root.At("first").Text() != "1" || root.Has("last") {
		t.Errorf("a form of too many parts: %d fields, %v", root.Len(), err)
	}
	if root, form, err := readBody(Delivery{Body: []byte(`{"a":1}`), ContentType: content}); form || err != nil ||
		root.ID("a") != "1" {
		t.Errorf("JSON that says it is a form: %v, %t, %v", root, form, err)
	}
}

// tree is an object in the types of encoding/json.
func tree(t *testing.T, root fields) map[string]any {
	t.Helper()
	data, err := json.Marshal(root)
	if err != nil {
		t.Fatal(err)
	}
	var made map[string]any
	if err := json.Unmarshal(data, &made); err != nil {
		t.Fatal(err)
	}
	return made
}
