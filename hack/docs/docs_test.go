package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

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
