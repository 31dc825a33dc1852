package install

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"cartrecovery.dev/operator/internal/testenv"
)

// notExecuted are the beginnings of commands that cannot be run here, each with why.
var notExecuted = map[string]string{
	"make image-push ": "there need be no registry; hack/image tests it with one of its own",
	"kubectl -n cart-recovery-system rollout status ": "no pods run in this control plane, so it would wait for ever",
}

// chapter is a part of a page whose commands are run one after the other on a control plane of their own.
type chapter struct {
	title string
	// commands are run as they are, apart from those that are notExecuted.
	commands []string
}

// TestDocumentedCommands runs the commands of docs/install.md and of the README's section "Install" as a reader
// would. What stands first in docs/install.md is run before each of its chapters.
func TestDocumentedCommands(t *testing.T) {
	t.Parallel()
	used := &sync.Map{}
	pages := chapters(t, filepath.Join("docs", "install.md"))
	first := pages[0]
	if first.title != "First, either way" {
		t.Fatalf("docs/install.md begins with %q", first.title)
	}
	scripts := map[string][]string{}
	for _, each := range pages[1:] {
		scripts[each.title] = slices.Concat(first.commands, each.commands)
	}
	for _, each := range chapters(t, "README.md") {
		if each.title == "Install" {
			scripts["README"] = each.commands
		}
	}
	if len(scripts["README"]) == 0 {
		t.Error("README.md has no commands in its section Install")
	}
	for title, commands := range scripts {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			runCommands(t, commands, used)
		})
	}
	// Once all of them are through.
	t.Cleanup(func() {
		for prefix := range notExecuted {
			if _, is := used.Load(prefix); !is && !t.Failed() && !testing.Short() {
				t.Errorf("no command begins with %q: take the exception away", prefix)
			}
		}
	})
}

func runCommands(t *testing.T, commands []string, used *sync.Map) {
	t.Helper()
	p := startPlane(t)
	for _, command := range commands {
		if prefix := exception(command); prefix != "" {
			used.Store(prefix, true)
			t.Logf("not executed, because %s: %s", notExecuted[prefix], command)
			continue
		}
		began := time.Now()
		printed, err := p.run(t, command)
		if err != nil {
			t.Fatalf("%s\n%v:\n%s", command, err, printed)
		}
		if testing.Verbose() {
			t.Logf("%s (%s)\n%s", command, time.Since(began).Round(time.Millisecond), printed)
		}
	}
}

func exception(command string) string {
	for prefix := range notExecuted {
		if strings.HasPrefix(command, prefix) {
			return prefix
		}
	}
	return ""
}

var heading = regexp.MustCompile(`^## (.*)$`)

// chapters are the parts of a page under headings of the second level that have commands.
func chapters(t *testing.T, page string) []chapter {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(testenv.Root(), page))
	if err != nil {
		t.Fatal(err)
	}
	var found []chapter
	title, inBlock := "", false
	var block []string
	for line := range strings.Lines(string(content)) {
		line = strings.TrimRight(line, "\n")
		switch {
		case inBlock && line == "```":
			inBlock = false
			if len(found) == 0 || found[len(found)-1].title != title {
				found = append(found, chapter{title: title})
			}
			last := &found[len(found)-1]
			last.commands = append(last.commands, commandsIn(t, block)...)
			block = nil
		case inBlock:
			block = append(block, line)
		case line == "```sh":
			inBlock = true
		case heading.MatchString(line):
			title = heading.FindStringSubmatch(line)[1]
		}
	}
	if len(found) == 0 {
		t.Fatalf("%s has no commands", page)
	}
	return found
}

// commandsIn takes a block apart: a command ends with its line, unless that ends with \ or begins a here-document.
func commandsIn(t *testing.T, lines []string) []string {
	t.Helper()
	var commands []string
	var open []string
	end := ""
	for _, line := range lines {
		open = append(open, line)
		if _, delimiter, begins := strings.Cut(line, "<<"); begins && end == "" {
			end = strings.Trim(delimiter, "'\"- ")
			continue
		}
		if end != "" && line != end || end == "" && strings.HasSuffix(line, `\`) {
			continue
		}
		end = ""
		if command := strings.TrimSpace(strings.Join(open, "\n")); command != "" && !strings.HasPrefix(command, "#") {
			commands = append(commands, command)
		}
		open = nil
	}
	if len(open) > 0 {
		t.Fatalf("a command does not end: %q", open)
	}
	return commands
}

// TestCommandsIn: blocks are taken apart as a shell would.
func TestCommandsIn(t *testing.T) {
	got := commandsIn(t, strings.Split("one\ntwo \\\n  more\n# a remark\ncat > x <<'EOF'\na: b \\\nEOF\nlast", "\n"))
	want := []string{"one", "two \\\n  more", "cat > x <<'EOF'\na: b \\\nEOF", "last"}
	if strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("got %q, want %q", got, want)
	}
}
