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

// module is a copy of the module in which recipes are followed. One serves all of them: what depends on the API is
// compiled once.
type module struct{ dir string }

// recipe is what is written by hand in a copy for one recipe of AGENTS.md.
type recipe struct {
	*module
	title, name string
	// touched are the files.
	touched map[string]bool
}

// recipe begins to follow a recipe, for something of a name.
func (m *module) recipe(title, name string) *recipe {
	return &recipe{module: m, title: title, name: name, touched: map[string]bool{}}
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
	m := &module{dir: t.TempDir()}
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
func (r *recipe) write(t *testing.T, name, content string) {
	t.Helper()
	r.touched[name] = true
	r.store(t, name, content)
}

// edit puts something before or in place of a text that is in a file once.
func (r *recipe) edit(t *testing.T, name, old, fresh string) {
	t.Helper()
	content := r.load(t, name)
	if strings.Count(content, old) != 1 {
		t.Fatalf("%s has %q %d times, want once: the scaffold's step is stale", name, old, strings.Count(content, old))
	}
	r.write(t, name, strings.Replace(content, old, fresh, 1))
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

// failsBy runs tests that have to fail and to say names.
func (m *module) failsBy(t *testing.T, names []string, args ...string) {
	t.Helper()
	output, err := m.run(t, "go", append([]string{"test", "-vet=off"}, args...)...)
	for _, name := range names {
		if err == nil || !strings.Contains(output, name) {
			t.Errorf("go test %s: %v; want a failure that says %q\n%s", strings.Join(args, " "), err, name, output)
		}
	}
}

// like makes files of those that match a pattern, with other words in their names and texts.
func (r *recipe) like(t *testing.T, pattern string, words *strings.Replacer) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(r.dir, filepath.FromSlash(pattern)))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: no files, %v", pattern, err)
	}
	for _, path := range files {
		name, err := filepath.Rel(r.dir, path)
		if err != nil {
			t.Fatal(err)
		}
		r.write(t, words.Replace(filepath.ToSlash(name)), words.Replace(r.load(t, name)))
	}
}

// follows compares the files that were written by hand with those that a recipe of AGENTS.md names.
func (r *recipe) follows(t *testing.T) {
	t.Helper()
	var named []string
	for _, path := range recipeOf(t, r.title) {
		named = append(named, strings.ReplaceAll(path, "NAME", r.name))
	}
	var touched []string
	for file := range maps.Keys(r.touched) {
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
		t.Errorf("AGENTS.md, %q, and the files that were written by hand, -recipe +needed:\n%s", r.title, diff)
	}
	t.Logf("%s: %d places written by hand: %s", r.title, len(named), strings.Join(named, ", "))
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
