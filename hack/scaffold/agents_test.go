package scaffold

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	// quotedPath is a path of the module in code.
	quotedPath = regexp.MustCompile(
		"`((?:api|config|controllers|docs|hack|internal|webhookserver)/[^`* ]*|[\\w]+\\.(?:go|md))`")
	// quotedTarget is a target of the Makefile.
	quotedTarget = regexp.MustCompile("`make ([a-z -]+)`")
	// quotedLink is a link to a file.
	quotedLink = regexp.MustCompile(`\]\(([^)#:]+)\)`)
)

// TestAgentsNamesWhatIsThere: the paths, links and targets of AGENTS.md exist, and it stays short.
func TestAgentsNamesWhatIsThere(t *testing.T) {
	content, err := os.ReadFile(filepath.Join(root, "AGENTS.md"))
	if err != nil {
		t.Fatal(err)
	}
	page := string(content)
	for _, found := range append(quotedPath.FindAllStringSubmatch(page, -1), quotedLink.FindAllStringSubmatch(page,
		-1)...) {
		if strings.Contains(found[1], "NAME") {
			continue
		}
		if _, err := os.Stat(filepath.Join(root, found[1])); err != nil {
			t.Errorf("AGENTS.md names %s: %v", found[1], err)
		}
	}
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	for _, found := range quotedTarget.FindAllStringSubmatch(page, -1) {
		for target := range strings.FieldsSeq(found[1]) {
			if !strings.HasPrefix(target, "-") && !strings.Contains(string(makefile), "\n"+target+":") {
				t.Errorf("AGENTS.md names make %s, which is no target", target)
			}
		}
	}
	if lines := strings.Count(page, "\n"); lines > 200 {
		t.Errorf("AGENTS.md has %d lines; want 200 at most", lines)
	}
}
