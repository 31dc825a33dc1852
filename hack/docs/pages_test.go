package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"cartrecovery.dev/operator/controllers/cartrecovery/plan"
	"cartrecovery.dev/operator/internal/ai"
	"cartrecovery.dev/operator/internal/guard"
)

// pages are all pages of the documentation that are for readers of this version: decisions say what was true on their
// date.
func pages(t *testing.T) map[string]string {
	t.Helper()
	root := filepath.Join("..", "..")
	read := map[string]string{}
	add := func(path string) {
		content, err := os.ReadFile(filepath.Join(root, path))
		if err != nil {
			t.Fatal(err)
		}
		read[filepath.ToSlash(path)] = string(content)
	}
	for _, path := range []string{"README.md", "README.pt-BR.md", "CONTRIBUTING.md", "AGENTS.md", "SECURITY.md",
		"CHANGELOG.md", "charts/cart-recovery-operator/README.md"} {
		add(path)
	}
	err := filepath.WalkDir(filepath.Join(root, "docs"), func(path string, _ fs.DirEntry, err error) error {
		if err == nil && filepath.Ext(path) == ".md" {
			path, _ = filepath.Rel(root, path)
			add(path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return read
}

// TestReasonsAreDocumented: the reasons of every condition are on the page where one looks for what to do.
func TestReasonsAreDocumented(t *testing.T) {
	said, err := readDeclared(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	read := pages(t)
	where := map[string]string{
		"Reasons of a CartRecovery's Blocked":                      "docs/policy.md",
		"Reasons of a CartRecovery's HandedOff":                    "docs/policy.md",
		"Reasons of a CartRecovery's Succeeded":                    "docs/policy.md",
		"Reasons of a Product's Ready":                             "docs/troubleshooting.md",
		"Reasons of a Store's Ready":                               "docs/troubleshooting.md",
		"Reasons of a Store's CanSend":                             "docs/troubleshooting.md",
		"ReasonNeverActs":                                          "docs/policy.md",
		"Reasons for which a delivery was rejected":                "docs/platforms.md",
		"Reasons for which an authentic delivery could not be use": "docs/configuration.md",
		"Reasons of a Suppression's Active":                        "docs/policy.md",
		"Reasons of a Suppression's Erased":                        "docs/privacy.md",
		"Reasons of a WhatsAppInstance's":                          "docs/instances.md",
	}
	wanted := map[string][]string{"docs/policy.md": plan.BlockedReasons()}
	for _, each := range said.groups {
		if !regexp.MustCompile(`^(Reason|Rejected|Unusable)[A-Z]`).MatchString(each.constants[0].name) {
			continue
		}
		page := ""
		for begins, on := range where {
			if strings.HasPrefix(each.says, begins) {
				page = on
			}
		}
		if page == "" {
			t.Errorf("no page is known for: %s", each.says)
		}
		for _, one := range each.constants {
			wanted[page] = append(wanted[page], one.value)
		}
	}
	for page, reasons := range wanted {
		for _, reason := range reasons {
			if !strings.Contains(read[page], "`"+reason+"`") {
				t.Errorf("%s does not say what to do about the reason %s", page, reason)
			}
		}
	}
}

// TestNamesAreDocumented: docs/api.md has every annotation, label and finalizer that the sources name.
func TestNamesAreDocumented(t *testing.T) {
	root := filepath.Join("..", "..")
	paths, err := sourcesOf(root, "api", "controllers", "internal", "webhookserver")
	if err != nil {
		t.Fatal(err)
	}
	name := regexp.MustCompile(`"((?:[a-z-]+\.)?cartrecovery\.dev/[a-z-]*)"`)
	found := map[string]string{}
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range name.FindAllStringSubmatch(string(content), -1) {
			found[match[1]] = path
		}
	}
	if len(found) < 20 {
		t.Errorf("only %d names were found: how they are written has changed", len(found))
	}
	page := pages(t)["docs/api.md"]
	for name, path := range found {
		if !strings.Contains(page, "`"+name+"`") {
			t.Errorf("docs/api.md does not say what %s is, which %s has", name, path)
		}
	}
}

// TestMakeTargetsExist: no page names a target of make that is not there.
func TestMakeTargetsExist(t *testing.T) {
	makefile, err := os.ReadFile(filepath.Join("..", "..", "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	var targets []string
	for _, rule := range regexp.MustCompile(`(?m)^([a-z][\w-]*):`).FindAllStringSubmatch(string(makefile), -1) {
		targets = append(targets, rule[1])
	}
	// In code, or alone in a line of a block.
	named := regexp.MustCompile("(?m)(?:`|^\\s*|\\$\\()make((?: +-s)?(?: +[a-z][a-z-]+)+)")
	for path, content := range pages(t) {
		for _, found := range named.FindAllStringSubmatch(content, -1) {
			for target := range strings.FieldsSeq(found[1]) {
				if target != "-s" && !slices.Contains(targets, target) {
					t.Errorf("%s names make %s, which does not exist", path, target)
				}
			}
		}
	}
}

// TestPagesAreListed: docs/README.md lists every page of docs/ and README.md every page of docs/ itself, so that none
// is found by accident only.
func TestPagesAreListed(t *testing.T) {
	read := pages(t)
	for path := range read {
		folder, name := filepath.Split(path)
		if folder != "docs/" || name == "README.md" {
			continue
		}
		if !strings.Contains(read["docs/README.md"], "("+name+")") {
			t.Errorf("docs/README.md does not list %s", path)
		}
	}
	for _, folder := range []string{"docs/runbooks/", "docs/decisions/"} {
		for path := range read {
			name, inside := strings.CutPrefix(path, folder)
			if inside && name != "README.md" && !strings.Contains(read[folder+"README.md"], "("+name+")") {
				t.Errorf("%sREADME.md does not list %s", folder, path)
			}
		}
	}
}

var (
	fenced  = regexp.MustCompile("(?ms)^[ \t]*```.*?\n[ \t]*```[^\n]*$")
	heading = regexp.MustCompile(`(?m)^#{1,6} +(.+)$`)
	linked  = regexp.MustCompile(`\]\(([^()\s]+)\)`)
	named1  = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
)

// TestLinksLeadSomewhere: every relative link of the documentation leads to a file that is there and, with an anchor,
// to a heading of it.
func TestLinksLeadSomewhere(t *testing.T) {
	read := pages(t)
	anchors := map[string]map[string]bool{}
	for path, content := range read {
		anchors[path] = anchorsOf(content)
	}
	for path, content := range read {
		text := inCode.ReplaceAllString(fenced.ReplaceAllString(content, ""), "")
		for _, found := range linked.FindAllStringSubmatch(text, -1) {
			target, anchor, hasAnchor := strings.Cut(found[1], "#")
			if strings.Contains(target, ":") {
				continue
			}
			to := path
			if target != "" {
				to = filepath.ToSlash(filepath.Join(filepath.Dir(path), target))
			}
			if _, err := os.Stat(filepath.Join("..", "..", to)); err != nil {
				t.Errorf("%s links to %s, which does not exist", path, found[1])
			}
			if _, isPage := read[to]; hasAnchor && (!isPage || !anchors[to][anchor]) {
				t.Errorf("%s links to %s: there is no such heading", path, found[1])
			}
		}
	}
}

// anchorsOf are the anchors that a page's headings get.
func anchorsOf(content string) map[string]bool {
	found := map[string]bool{}
	for _, match := range heading.FindAllStringSubmatch(fenced.ReplaceAllString(content, ""), -1) {
		text := strings.ToLower(named1.ReplaceAllString(match[1], "$1"))
		text = regexp.MustCompile(`[^\p{L}\p{N}\p{M} _-]`).ReplaceAllString(text, "")
		found[strings.ReplaceAll(strings.TrimSpace(text), " ", "-")] = true
	}
	return found
}

// TestPathsExist: no page names a file or folder of the checkout that is not there. The recipes of AGENTS.md name files
// that are yet to be made, with NAME in them.
func TestPathsExist(t *testing.T) {
	path := regexp.MustCompile("`((?:api|charts|config|controllers|docs|hack|internal|webhookserver)/[\\w./-]*)`")
	// What the commands of the page make, or a pattern of names.
	made := []string{"config/mine"}
	for page, content := range pages(t) {
		if strings.HasPrefix(page, "docs/decisions/") || page == "CHANGELOG.md" {
			continue
		}
		for _, found := range path.FindAllStringSubmatch(content, -1) {
			if strings.Contains(found[1], "NAME") || slices.Contains(made, found[1]) {
				continue
			}
			if _, err := os.Stat(filepath.Join("..", "..", filepath.FromSlash(found[1]))); err != nil {
				t.Errorf("%s names %s, which does not exist", page, found[1])
			}
		}
	}
}

// TestLinesEnd: lines of prose end at 120 columns. Tables, code, what is generated, lines with a link, and what is
// history do not count.
func TestLinesEnd(t *testing.T) {
	generated := regexp.MustCompile("(?s)" + regexp.QuoteMeta("<!-- begin generated") + ".*?" +
		regexp.QuoteMeta("<!-- end generated -->"))
	for path, content := range pages(t) {
		if strings.HasPrefix(path, "docs/decisions/") || path == "CHANGELOG.md" {
			continue
		}
		text := fenced.ReplaceAllString(generated.ReplaceAllString(content, ""), "")
		for line := range strings.Lines(text) {
			line = strings.TrimRight(line, "\n")
			if utf8.RuneCountInString(line) > lineLength && !strings.HasPrefix(strings.TrimSpace(line), "|") &&
				!strings.Contains(line, "](") {
				t.Errorf("%s has a line that is longer than %d columns: %s", path, lineLength, line)
			}
		}
	}
}

// TestAnswersAreDocumented: docs/configuration.md has every result and reason that a delivery is answered with.
func TestAnswersAreDocumented(t *testing.T) {
	paths, err := sourcesOf(filepath.Join("..", ".."), "webhookserver")
	if err != nil {
		t.Fatal(err)
	}
	page, found := pages(t)["docs/configuration.md"], 0
	answer := regexp.MustCompile(`(?m)^\s*(?:result|ignored|recorded|Reason|Ignored)[A-Z]\w*\s+= "(\w+)"`)
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range answer.FindAllStringSubmatch(string(content), -1) {
			found++
			if !strings.Contains(page, "`"+match[1]+"`") {
				t.Errorf("docs/configuration.md does not say what the answer %s of %s means", match[1], path)
			}
		}
	}
	if found < 40 {
		t.Errorf("only %d answers were found: how they are declared has changed", found)
	}
}

// TestRefusalsAreDocumented: docs/guard.md has every reason for which a text is refused.
func TestRefusalsAreDocumented(t *testing.T) {
	page := pages(t)["docs/guard.md"]
	for _, reason := range guard.Reasons() {
		if !strings.Contains(page, "| `"+string(reason)+"` |") {
			t.Errorf("docs/guard.md has no row for the reason %s", reason)
		}
	}
	for _, reason := range ai.ReviewReasons() {
		if !strings.Contains(page, "`"+string(reason)+"`") {
			t.Errorf("docs/guard.md does not name the review's reason %s", reason)
		}
	}
}
