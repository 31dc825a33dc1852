package main

import (
	"cmp"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

//go:embed switches.go.txt
var switches string

const (
	// memoryKiB is how much a test may take: a mutant that never stops would take all there is.
	memoryKiB = "8000000"
	// slower is how many times as long as the tests without a mutant those with one may take, beside
	// the patience that all of them are granted.
	slower = 8
)

// outcome is what became of a mutant.
type outcome string

const (
	killed    outcome = "killed"
	timedOut  outcome = "killed by the time limit"
	survived  outcome = "survived"
	unreached outcome = "unreached"
)

// trial is a test binary with all mutants of a package in it.
type trial struct {
	target
	// dir is where the tests run, binary what runs them.
	dir, binary string
	// patience is how long a mutant may take in any case.
	patience time.Duration
	// skip are tests that do not run, nil for none.
	skip *regexp.Regexp
	// groups are the tests that run together: those that take no longer than the binary needs to start, then
	// each of the others, the shortest first, by itself. Most mutants are seen by the first of them.
	groups [][]test
}

// test is a test that passes without a mutant.
type test struct {
	name string
	took time.Duration
	// reached are the mutants that it comes by.
	reached map[int]bool
}

// build compiles the tests of a package with its mutants. Nothing is written beside them: the
// compiler is told of other files in their place.
func build(ctx context.Context, t target, l *loaded, files map[string][]byte, scratch string) (*trial, error) {
	files[filepath.Join(l.dir, "mutant_switches.go")] = []byte(strings.Replace(switches, "PACKAGE", l.name, 1))
	overlay := struct{ Replace map[string]string }{map[string]string{}}
	for path, text := range files {
		instead := filepath.Join(scratch, filepath.Base(path))
		if err := os.WriteFile(instead, text, 0o600); err != nil {
			return nil, err
		}
		overlay.Replace[path] = instead
	}
	written, err := json.Marshal(overlay)
	if err != nil {
		return nil, err
	}
	list, binary := filepath.Join(scratch, "overlay.json"), filepath.Join(scratch, "mutants.test")
	if err := os.WriteFile(list, written, 0o600); err != nil {
		return nil, err
	}
	//nolint:gosec // the developer's own package
	cmd := exec.CommandContext(ctx, "go", "test", "-c", "-overlay", list, "-o", binary, t.folder)
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("the mutants of %s do not compile, which is a fault of this tool: %w\n%s", t.folder,
			err, out)
	}
	return &trial{target: t, dir: l.dir, binary: binary}, nil
}

// reach runs each test without a mutant to see which mutants it comes by, and how long it takes.
func (t *trial) reach(ctx context.Context, scratch string) error {
	names, err := t.names(ctx)
	if err != nil {
		return err
	}
	begun := time.Now()
	if out, err := t.run(ctx, "^$", 0, time.Minute); err != nil {
		return fmt.Errorf("the tests of %s do not start: %w\n%s", t.folder, err, out)
	}
	start := time.Since(begun)
	var quick, slow []test
	for _, name := range names {
		each, err := t.measure(ctx, name, filepath.Join(scratch, "reached-"+name))
		if err != nil {
			return err
		}
		if each.took < 2*start {
			quick = append(quick, each)
		} else {
			slow = append(slow, each)
		}
	}
	slices.SortFunc(slow, func(a, b test) int { return cmp.Compare(a.took, b.took) })
	t.groups = [][]test{quick}
	for i := range slow {
		t.groups = append(t.groups, slow[i:i+1])
	}
	return nil
}

// names are the tests that run.
func (t *trial) names(ctx context.Context) ([]string, error) {
	cmd := exec.CommandContext(ctx, t.binary, "-test.list", cmp.Or(t.tests, ".")) //nolint:gosec // built here
	cmd.Dir = t.dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("the tests of %s cannot be listed: %w\n%s", t.folder, err, out)
	}
	return slices.DeleteFunc(strings.Fields(string(out)), func(name string) bool {
		return strings.HasPrefix(name, "Benchmark") || t.skip != nil && t.skip.MatchString(name)
	}), nil
}

// measure runs one test without a mutant.
func (t *trial) measure(ctx context.Context, name, list string) (test, error) {
	measured, begun := test{name: name, reached: map[int]bool{}}, time.Now()
	out, err := t.run(ctx, "^"+name+"$", 0, 10*time.Minute, "MUTANTS_REACHED="+list)
	if err != nil {
		return test{}, fmt.Errorf("%s of %s fails without a mutant: %w: make it pass first\n%s", name, t.folder,
			err, out)
	}
	measured.took = time.Since(begun)
	text, err := os.ReadFile(list) //nolint:gosec // written by the test just now
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return test{}, err
	}
	for line := range strings.FieldsSeq(string(text)) {
		id, err := strconv.Atoi(line)
		if err != nil {
			return test{}, fmt.Errorf("reading which mutants %s reaches: %w", name, err)
		}
		measured.reached[id] = true
	}
	return measured, nil
}

// run runs tests with a mutant, 0 for none, and returns what they print.
func (t *trial) run(
	ctx context.Context, tests string, id int, limit time.Duration, environment ...string,
) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	bounded := "ulimit -v " + memoryKiB + `; exec "$0" "$@"`
	//nolint:gosec // the binary that was built here
	cmd := exec.CommandContext(ctx, "sh", "-c", bounded, t.binary, "-test.failfast", "-test.run", tests)
	cmd.Dir = t.dir
	cmd.Env = append(append(os.Environ(), "MUTANT="+strconv.Itoa(id)), environment...)
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return out, err
}

// judge says what becomes of a mutant, and which test has seen it. Only tests that come by it run.
func (t *trial) judge(ctx context.Context, id int) (became outcome, by string, err error) {
	became = unreached
	for _, group := range t.groups {
		tests, limit := reaching(group, id)
		if tests == "" {
			continue
		}
		out, failure := t.run(ctx, tests, id, t.patience+slower*limit)
		switch {
		case ctx.Err() != nil:
			return "", "", ctx.Err()
		case errors.Is(failure, context.DeadlineExceeded):
			return timedOut, "", nil
		case failure != nil:
			return killed, failed(out), nil //nolint:nilerr // a test that fails has killed the mutant
		}
		became = survived
	}
	return became, "", nil
}

// reaching are the tests of a group that come by a mutant, as a regular expression, and how long they
// take without it; "" when there are none.
func reaching(group []test, id int) (tests string, took time.Duration) {
	var names []string
	for _, each := range group {
		if each.reached[id] {
			names, took = append(names, each.name), took+each.took
		}
	}
	if len(names) == 0 {
		return "", 0
	}
	return "^(" + strings.Join(names, "|") + ")$", took
}

var failure = regexp.MustCompile(`(?m)^\s*--- FAIL: (\S+)`)

// failed is the test that failed, with its row; what was printed last where none says so.
func failed(out []byte) string {
	found := failure.FindAllSubmatch(out, -1)
	if len(found) == 0 {
		first, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
		return first
	}
	return string(found[len(found)-1][1])
}
