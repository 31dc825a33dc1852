package main

import (
	"bytes"
	"flag"
	"fmt"
	"go/format"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write what is found to testdata/shapes.txt")

const fixture = "./testdata/fixture"

// listOf writes a list of equivalent mutants.
func listOf(t *testing.T, lines ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "equivalent.txt")
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// report runs the tool over the fixture. How long it took is left out.
func report(t *testing.T, s settings) (string, error) {
	t.Helper()
	if testing.Short() {
		t.Skip("compiles a package, and runs its tests for every mutant")
	}
	var out bytes.Buffer
	s.patience, s.jobs = time.Second, 2
	do := s.run
	if s.mutant > 0 {
		do = s.show
	}
	err := do(t.Context(), &out, named([]string{fixture}))
	return regexp.MustCompile(` +[0-9ms]+ {2}(\./)`).ReplaceAllString(out.String(), "    0s  $1"), err
}

func TestReport(t *testing.T) {
	s := settings{least: 75, list: listOf(t,
		"# a remark", "",
		fixture+" | fixture.go:Countdown | > in `from > 0` becomes >= | nobody looks at what is left",
		fixture+" | fixture.go:Countdown | `0` becomes less by 1 | the same",
	)}
	got, err := report(t, s)
	if err == nil || !strings.Contains(err.Error(), "75 % of the mutants were killed in "+fixture) {
		t.Errorf("the error is %v, want it to name the package and what it lacks", err)
	}
	want := strings.ReplaceAll(`./testdata/fixture/fixture.go:9: 8 survived: > in 'count > 0' becomes >=
	if count > 0 {
./testdata/fixture/fixture.go:9: 9 survived: '0' becomes greater by 1
	if count > 0 {
./testdata/fixture/fixture.go:9: 10 survived: '0' becomes less by 1
	if count > 0 {
./testdata/fixture/fixture.go:24: 16 unreached: 'true' becomes the opposite
	func Forgotten() bool { return true }
  mutants  killed  of these by time  survived  unreached  equivalent  percent  took  package
       14      10                 1         3          1           2     71.4    0s  ./testdata/fixture
`, "'", "`")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestShapes(t *testing.T) {
	l, err := load(t.Context(), "./testdata/shapes")
	if err != nil {
		t.Fatal(err)
	}
	found, files := find(l, nil)
	for path, text := range files {
		if _, err := format.Source(text); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	var got strings.Builder
	for _, each := range found {
		fmt.Fprintf(&got, "%d %s: %s\n", each.line, each.function, each.change)
	}
	golden := "testdata/shapes.txt"
	if *update {
		if err := os.WriteFile(golden, []byte(got.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("other mutants than those of %s (-want +got):\n%s", golden, diff)
	}
	scratch := t.TempDir()
	trial, err := build(t.Context(), target{folder: "./testdata/shapes"}, l, files, scratch)
	if err != nil {
		t.Fatal(err)
	}
	if err := trial.reach(t.Context(), scratch); err != nil {
		t.Errorf("with every mutant switched off: %v", err)
	}
}

func TestEquivalentsThatAreWrong(t *testing.T) {
	for name, row := range map[string]struct{ line, says string }{
		"a line without a reason": {fixture + " | fixture.go:Label", "write folder | file:function | change | reason"},
		"a mutant that is not": {
			fixture + " | fixture.go:Label | `5` becomes `6` | it is not there",
			"take it out of the list of equivalent ones",
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := report(t, settings{list: listOf(t, row.line)})
			if err == nil || !strings.Contains(err.Error(), row.says) {
				t.Errorf("the error is %v and the output %q, want an error that says %q", err, got, row.says)
			}
		})
	}
}

func TestOneMutantIsShown(t *testing.T) {
	for name, row := range map[string]struct {
		mutant int
		says   string
	}{
		"one that a test sees": {1, "--- FAIL: TestAdult/too_young"},
		"one that none sees":   {8, "No test has seen it."},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := report(t, settings{mutant: row.mutant, list: listOf(t)})
			if err != nil || !strings.Contains(got, row.says) {
				t.Errorf("%v, printed\n%s\nwant it to say %q", err, got, row.says)
			}
		})
	}
}

func TestNamed(t *testing.T) {
	for name, row := range map[string]struct {
		folders []string
		want    []target
	}{
		"all":             {nil, targets},
		"one of them":     {[]string{"internal/lead/"}, targets[:1]},
		"another package": {[]string{"./internal/gen"}, []target{{folder: "./internal/gen"}}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(fmt.Sprint(row.want), fmt.Sprint(named(row.folders))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
