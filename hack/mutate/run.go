package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
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
	// limit and slowLimit are how long the fast tests, and all tests, may take.
	limit, slowLimit time.Duration
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
		return nil, fmt.Errorf("the mutants of %s do not compile, which is a fault of this tool: %w\n%s", t.folder, err, out)
	}
	return &trial{target: t, dir: l.dir, binary: binary}, nil
}

// reach runs the tests without a mutant, and returns the numbers of those that they come by.
func (t *trial) reach(ctx context.Context, scratch string, patience time.Duration) (map[int]bool, error) {
	list := filepath.Join(scratch, "reached")
	for _, each := range []struct {
		fast  bool
		limit *time.Duration
	}{{true, &t.limit}, {false, &t.slowLimit}} {
		begun := time.Now()
		out, err := t.run(ctx, each.fast, 0, 10*time.Minute, "MUTANTS_REACHED="+list)
		if err != nil {
			return nil, fmt.Errorf("the tests of %s fail without a mutant: %w: make them pass first\n%s", t.folder, err, out)
		}
		*each.limit = patience + slower*time.Since(begun)
	}
	text, err := os.ReadFile(list) //nolint:gosec // written by the tests just now
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	reached := map[int]bool{}
	for _, line := range strings.Fields(string(text)) {
		id, err := strconv.Atoi(line)
		if err != nil {
			return nil, fmt.Errorf("reading which mutants were reached: %w", err)
		}
		reached[id] = true
	}
	return reached, nil
}

// run runs the tests with a mutant, 0 for none, and returns what they print.
func (t *trial) run(
	ctx context.Context, fast bool, id int, limit time.Duration, environment ...string,
) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	arguments := []string{"-c", "ulimit -v " + memoryKiB + `; exec "$0" "$@"`, t.binary, "-test.failfast"}
	if t.tests != "" {
		arguments = append(arguments, "-test.run", t.tests)
	}
	if fast && t.slow != "" {
		arguments = append(arguments, "-test.skip", t.slow)
	}
	cmd := exec.CommandContext(ctx, "sh", arguments...) //nolint:gosec // the binary that was built here
	cmd.Dir = t.dir
	cmd.Env = append(append(os.Environ(), "MUTANT="+strconv.Itoa(id)), environment...)
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return out, err
}

// judge says what becomes of a mutant, and which test has seen it.
func (t *trial) judge(ctx context.Context, id int) (outcome, string, error) {
	for _, each := range []struct {
		fast  bool
		limit time.Duration
	}{{true, t.limit}, {false, t.slowLimit}} {
		if !each.fast && t.slow == "" {
			break
		}
		out, err := t.run(ctx, each.fast, id, each.limit)
		switch {
		case ctx.Err() != nil:
			return "", "", ctx.Err()
		case errors.Is(err, context.DeadlineExceeded):
			return timedOut, "", nil
		case err != nil:
			return killed, failed(out), nil
		}
	}
	return survived, "", nil
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
