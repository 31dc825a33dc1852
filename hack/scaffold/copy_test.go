package scaffold

import (
	"context"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// root is the module's folder.
var root = filepath.Join("..", "..")

// module is a copy of the module in which a recipe is followed.
type module struct {
	dir string
	// touched are the files that were written by hand.
	touched map[string]bool
}

// copyModule copies the tracked files of the module, and those that are not ignored.
func copyModule(t *testing.T) *module {
	t.Helper()
	if testing.Short() {
		t.Skip("builds the module")
	}
	command := exec.CommandContext(t.Context(), "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	command.Dir = root
	listed, err := command.Output()
	if err != nil {
		t.Skipf("the module is not in a git repository: %v", err)
	}
	m := &module{dir: t.TempDir(), touched: map[string]bool{}}
	for name := range strings.SplitSeq(strings.Trim(string(listed), "\x00"), "\x00") {
		content, err := os.ReadFile(filepath.Join(root, name))
		if os.IsNotExist(err) { // deleted, and not committed yet
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		m.store(t, name, string(content))
	}
	return m
}

// store writes a file of the copy.
func (m *module) store(t *testing.T, name, content string) {
	t.Helper()
	path := filepath.Join(m.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// load reads a file of the copy.
func (m *module) load(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(m.dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// write makes a file by hand.
func (m *module) write(t *testing.T, name, content string) {
	t.Helper()
	m.touched[name] = true
	m.store(t, name, content)
}

// edit puts something before or in place of a text that is in a file once.
func (m *module) edit(t *testing.T, name, old, fresh string) {
	t.Helper()
	content := m.load(t, name)
	if strings.Count(content, old) != 1 {
		t.Fatalf("%s has %q %d times, want once: the scaffold's step is stale", name, old, strings.Count(content, old))
	}
	m.write(t, name, strings.Replace(content, old, fresh, 1))
}

// run runs a command in the copy, and returns what it writes.
func (m *module) run(t *testing.T, name string, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, name, args...)
	command.Dir = m.dir
	// Without -trimpath: what other modules' packages compile to is in the cache already.
	command.Env = append(os.Environ(), "GOFLAGS=-buildvcs=false")
	output, err := command.CombinedOutput()
	return string(output), err
}

// must runs a go command that has to succeed.
func (m *module) must(t *testing.T, args ...string) {
	t.Helper()
	if output, err := m.run(t, "go", args...); err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, output)
	}
}

// failsBy runs tests that have to fail and to say a name.
func (m *module) failsBy(t *testing.T, says string, args ...string) {
	t.Helper()
	output, err := m.run(t, "go", append([]string{"test"}, args...)...)
	if err == nil || !strings.Contains(output, says) {
		t.Fatalf("go test %s: %v; want a failure that says %q\n%s", strings.Join(args, " "), err, says, output)
	}
}

// follows compares the files that were written by hand with those that a recipe of AGENTS.md names.
func (m *module) follows(t *testing.T, recipe, name string) {
	t.Helper()
	var named []string
	for _, path := range recipeOf(t, recipe) {
		named = append(named, strings.ReplaceAll(path, "NAME", name))
	}
	var touched []string
	for file := range maps.Keys(m.touched) {
		// A folder that a recipe names stands for what is in it.
		for _, path := range named {
			if strings.HasSuffix(path, "/") && strings.HasPrefix(file, path) {
				file = path
			}
		}
		touched = append(touched, file)
	}
	slices.Sort(named)
	slices.Sort(touched)
	if diff := cmp.Diff(named, slices.Compact(touched)); diff != "" {
		t.Errorf("AGENTS.md, %q, and the files that were written by hand, -recipe +needed:\n%s", recipe, diff)
	}
	t.Logf("%s: %d places written by hand: %s", recipe, len(named), strings.Join(named, ", "))
}

// step is a step of a recipe: a number, and first the file.
var step = regexp.MustCompile("^\\d+\\. `([^`]+)`")

// recipeOf are the files that the numbered steps of a recipe name.
func recipeOf(t *testing.T, recipe string) []string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, "AGENTS.md"))
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	within := false
	for line := range strings.Lines(string(content)) {
		if strings.HasPrefix(line, "#") {
			within = strings.TrimSpace(strings.TrimLeft(line, "#")) == recipe
		}
		if found := step.FindStringSubmatch(line); within && found != nil {
			paths = append(paths, found[1])
		}
	}
	if len(paths) == 0 {
		t.Fatalf("AGENTS.md has no recipe %q with numbered steps", recipe)
	}
	return paths
}
