package sections

import (
	"strings"
	"testing"
)

func TestRewrite(t *testing.T) {
	sections := map[string]string{"one": "| 1 |\n", "two": "| 2 |\n"}
	const before = "# Title\n\n<!-- begin generated: one -->\nold\nolder\n<!-- end generated -->\ntext\n" +
		"  <!-- begin generated: two -->  \n<!-- end generated -->"
	const after = "# Title\n\n<!-- begin generated: one -->\n| 1 |\n<!-- end generated -->\ntext\n" +
		"  <!-- begin generated: two -->  \n| 2 |\n<!-- end generated -->"
	for name, document := range map[string]string{"old": before, "up to date": after} {
		got, err := Rewrite(document, sections)
		if err != nil || got != after {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
	}
	if got, err := Rewrite("no markers", nil); err != nil || got != "no markers" {
		t.Errorf("without sections: got %q, %v", got, err)
	}
}

func TestRewriteRefuses(t *testing.T) {
	const one = "<!-- begin generated: one -->\n<!-- end generated -->\n"
	for name, test := range map[string]struct{ document, says string }{
		"no marker": {"text\n", `the markers of the section "one" are missing`},
		"an unknown section": {one + "<!-- begin generated: two -->\n<!-- end generated -->\n",
			`line 3: the section "two"`},
		"a section twice": {one + one, `line 3: the section "one"`},
		"no end":          {"<!-- begin generated: one -->\n", `the section "one" does not end`},
		"no beginning":    {one + "<!-- end generated -->\n", "line 3: \"<!-- end generated -->\" without"},
		"one in another": {"<!-- begin generated: one -->\n" + one,
			`line 2: "<!-- begin generated: one -->" begins before "one" ends`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Rewrite(test.document, map[string]string{"one": "x\n"})
			if err == nil || got != "" || !strings.Contains(err.Error(), test.says) {
				t.Errorf("got %q, %v; want an error with %q", got, err, test.says)
			}
		})
	}
}
