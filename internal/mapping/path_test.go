package mapping

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"cartrecovery.dev/operator/internal/lax"
)

const tree = `{
	"event": "paid",
	"data": {"buyer": {"e-mail": "ana@example.com", "nome completo": "Ana", "it's": 1, "idade_2": 30, "ação": "x"}},
	"items": [{"id": 7, "tags": ["a", "b"]}, {"name": "no id"}, {"id": 9, "tags": []}],
	"form": {"0": {"id": "first"}, "10": {"id": "last"}, "2": {"id": "second"}},
	"none": null, "list": [null, 0, 1], "text": "abc"
}`

func treeOf(t testing.TB, text string) *lax.Fields {
	t.Helper()
	body, expected := lax.Checked([]byte(text), nil)
	if expected != "" {
		t.Fatal("expected ", expected)
	}
	return lax.Parse(body).Object()
}

// TestPathsLead is what paths find: the first value, and all of them.
func TestPathsLead(t *testing.T) {
	root := treeOf(t, tree)
	for _, test := range []struct{ path, first, all string }{
		{`$.event`, `"paid"`, `["paid"]`},
		{`$['event']`, `"paid"`, `["paid"]`},
		{`$["event"]`, `"paid"`, `["paid"]`},
		{`$.data.buyer.e-mail`, `"ana@example.com"`, `["ana@example.com"]`},
		{`$.data['buyer']["nome completo"]`, `"Ana"`, `["Ana"]`},
		{`$.data.buyer["it's"]`, `1`, `[1]`},
		{`$.data.buyer.idade_2`, `30`, `[30]`},
		{`$.data.buyer.ação`, `"x"`, `["x"]`},
		{`$.items[0].id`, `7`, `[7]`},
		{`$.items[2].id`, `9`, `[9]`},
		{`$.items[1].id`, `null`, `[null]`},
		{`$.items[3].id`, `null`, `[null]`},
		{`$.items[*].id`, `7`, `[7,null,9]`},
		{`$.items[*].name`, `"no id"`, `[null,"no id",null]`},
		{`$.items[*].tags[*]`, `"a"`, `["a","b"]`},
		{`$.items[*].tags[1]`, `"b"`, `["b",null,null]`},
		{`$.form[0].id`, `"first"`, `["first"]`},
		{`$.form[10].id`, `"last"`, `["last"]`},
		{`$.form[*].id`, `"first"`, `["first","second","last"]`},
		{`$.list[*]`, `0`, `[null,0,1]`},
		{`$.none`, `null`, `[null]`},
		{`$.none.deeper`, `null`, `[null]`},
		{`$.none[*]`, `null`, `null`},
		{`$.text[0]`, `null`, `[null]`},
		{`$.text.length`, `null`, `[null]`},
		{`$.items.id`, `null`, `[null]`},
		{`$.absent[*].id`, `null`, `null`},
		{`$[0]`, `null`, `[null]`},
	} {
		t.Run(test.path, func(t *testing.T) {
			path, ok := ParsePath(test.path)
			if !ok {
				t.Fatal("not accepted")
			}
			if got := text(t, path.First(root)); got != test.first {
				t.Errorf("First = %s, want %s", got, test.first)
			}
			if got := text(t, path.All(root)); got != test.all {
				t.Errorf("All = %s, want %s", got, test.all)
			}
		})
	}
	var nowhere Path
	if nowhere.First(root).Is() || nowhere.All(root) != nil {
		t.Error("a path that is not mapped leads somewhere")
	}
}

func text(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestPathsAreRefused(t *testing.T) {
	for _, path := range []string{
		"", "$", "event", ".event", "@.event", "$event", "$ .event", " $.event", "$.event ", "$.", "$..event", "$.a..b",
		"$.a.", "$.*", "$.a b", "$[", "$[]", "$[ 0 ]", "$[-1]", "$[01]", "$[+1]", "$[1.0]", "$[99999]", "$[0", "$[0]x",
		"$[a]", "$[*", "$[**]", "$[0:2]", "$[0,1]", "$[?(@.a)]", "$[?@.a == 1]", "$[(@.length-1)]", "$['a", "$['a]",
		"$['']", `$['a"]`, `$['a','b']`, `$['a\'b']`, `$["a"b"]`, "$['a\nb']", "$.a{b}", "$.a'b'",
		"$.data\x00", "$.\xff", "$['\xff']", "{$.a}", "$" + strings.Repeat(".a", maxSteps+1),
	} {
		if got, ok := ParsePath(path); ok {
			t.Errorf("%q is accepted as %v", path, got)
		}
	}
	if _, ok := ParsePath("$" + strings.Repeat(".a", maxSteps)); !ok {
		t.Error("a long path is refused")
	}
}

// plant makes the smallest tree in which the steps lead to a value.
func plant(path Path, leaf any) any {
	for _, each := range slices.Backward(path) {
		switch each.kind {
		case toField:
			leaf = map[string]any{each.name: leaf}
		case toIndex:
			list := make([]any, each.index+1)
			list[each.index] = leaf
			leaf = list
		case toEach:
			leaf = []any{nil, leaf}
		}
	}
	return leaf
}

// FuzzPath: no path panics; one that is accepted finds what was put where it leads, and is
// read the same way again.
func FuzzPath(f *testing.F) {
	for _, path := range []string{
		"$.event", "$['a']['b c'][0][*].x", `$["it's"]`, "$..a", "$[?(@.a)]", "$[0:1]", "$.", "$[", "$['",
		"$[99999999999999999999]", "$[*][*][*]",
	} {
		f.Add(path, tree)
	}
	f.Fuzz(func(t *testing.T, text, body string) {
		path, ok := ParsePath(text)
		again, okAgain := ParsePath(text)
		if ok != okAgain || !reflect.DeepEqual(path, again) {
			t.Fatal("read in two ways")
		}
		if !ok {
			if path != nil {
				t.Fatalf("refused, and read as %v", path)
			}
			return
		}
		if len(path) == 0 || text[0] != '$' || text[1] != '.' && text[1] != '[' {
			t.Fatalf("accepted as %v", path)
		}
		if planted, ok := plant(path, "leaf").(map[string]any); ok && len(path) < lax.MaxDepth {
			content, err := json.Marshal(planted)
			if err != nil {
				t.Fatal(err)
			}
			checked, expected := lax.Checked(content, nil)
			if expected == "" && path.First(lax.Parse(checked).Object()).Text() != "leaf" {
				t.Fatalf("%v does not lead to what was put there", path)
			}
		}
		checked, expected := lax.Checked([]byte(body), nil)
		if expected != "" {
			return
		}
		root := lax.Parse(checked).Object()
		if found := path.First(root); found.Is() && !holds(path.All(root), found) {
			t.Fatal("First is not among All")
		}
	})
}

func holds(values []lax.Value, wanted lax.Value) bool {
	for _, value := range values {
		if reflect.DeepEqual(value, wanted) {
			return true
		}
	}
	return len(values) == maxFound
}
