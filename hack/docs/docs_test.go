package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
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
		got, err := rewrite(document, sections)
		if err != nil || got != after {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
	}
	if got, err := rewrite("no markers", nil); err != nil || got != "no markers" {
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
			got, err := rewrite(test.document, map[string]string{"one": "x\n"})
			if err == nil || got != "" || !strings.Contains(err.Error(), test.says) {
				t.Errorf("got %q, %v; want an error with %q", got, err, test.says)
			}
		})
	}
}

// TestDocuments: the documentation is what the generator yields.
func TestDocuments(t *testing.T) {
	if err := run(filepath.Join("..", ".."), true); err != nil {
		t.Error(err)
	}
}

func TestUpdate(t *testing.T) {
	root := t.TempDir()
	path := filepath.Join(root, "file.md")
	const begin, end = "<!-- begin generated: one -->\n", "<!-- end generated -->\n"
	if err := os.WriteFile(path, []byte(begin+end), 0o600); err != nil {
		t.Fatal(err)
	}
	document := document{path: "file.md", sections: map[string]string{"one": table([2]string{"a", "b"},
		[][2]string{{"1", "2"}})}}
	if err := document.update(root, true); err == nil || !strings.Contains(err.Error(), "file.md is not up to date") {
		t.Errorf("checked an old file: %v", err)
	}
	if err := document.update(root, false); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if want := begin + "| a | b |\n|---|---|\n| 1 | 2 |\n" + end; err != nil || string(content) != want {
		t.Errorf("wrote %q, %v; want %q", content, err, want)
	}
	if err := document.update(root, true); err != nil {
		t.Errorf("checked a fresh file: %v", err)
	}
	document.path = "absent.md"
	if err := document.update(root, false); err == nil {
		t.Error("a file that is not there was updated")
	}
}

// named are the tests and Go files that a documentation names in code font.
var named = regexp.MustCompile("`((?:Test|Fuzz|Benchmark)[A-Z]\\w*|[\\w/]+\\.go)`")

// TestDocumentsNameWhatExists: no page names a test or a file that was renamed since. Decisions say what was true on
// their date, and AGENTS.md has files that are yet to be made.
func TestDocumentsNameWhatExists(t *testing.T) {
	root := filepath.Join("..", "..")
	tests, files := map[string]bool{}, map[string]bool{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".go" {
			return err
		}
		files[entry.Name()] = true
		content, err := os.ReadFile(path)
		for _, found := range regexp.MustCompile(`(?m)^func (\w+)\(`).FindAllSubmatch(content, -1) {
			tests[string(found[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	pages, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil || len(pages) == 0 {
		t.Fatal("no pages", err)
	}
	for _, page := range append(pages, filepath.Join(root, "README.md"), filepath.Join(root, "CONTRIBUTING.md")) {
		content, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range named.FindAllStringSubmatch(string(content), -1) {
			if name := found[1]; !tests[name] && !files[filepath.Base(name)] {
				t.Errorf("%s names %s, which does not exist", filepath.Base(page), name)
			}
		}
	}
}
