package cli

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
)

// report is what became of rows. Several may tell it at once.
type report struct {
	mu sync.Mutex
	// kinds in their order, and how many of each have which result.
	kinds   []string
	results map[string]map[string]int
	// failures that are shown, and how many there are.
	failures []string
	failed   int
}

func newReport() *report { return &report{results: map[string]map[string]int{}} }

// take takes over what is known before anything is written.
func (r *report) take(f *file) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.kinds = append(r.kinds, f.kind.flag)
	counts := map[string]int{}
	for reason, count := range f.skipped {
		counts[skippedAs(reason)] = count
	}
	if f.wrong > 0 {
		counts[skippedAs("wrong")] = f.wrong
	}
	r.results[f.kind.flag] = counts
}

func (r *report) count(kind, result string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.results[kind][result]++
}

// recount counts a row that was counted as something else before it was known.
func (r *report) recount(kind, before, result string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.results[kind][result]++
	if r.results[kind][before]--; r.results[kind][before] == 0 {
		delete(r.results[kind], before)
	}
}

// has says whether a row has a result.
func (r *report) has(result string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, counts := range r.results {
		if counts[result] > 0 {
			return true
		}
	}
	return false
}

// skippedAs is the result of a row that is skipped for a reason.
func skippedAs(reason string) string { return "skipped: " + reason }

func (r *report) fail(why string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.failed++; r.failed <= maxShown {
		r.failures = append(r.failures, why)
	}
}

// print writes the table, and says what failed.
func (r *report) print(out io.Writer) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	table := tabwriter.NewWriter(out, 0, 8, 3, ' ', 0)
	_, _ = fmt.Fprintln(table, "ROWS OF\tRESULT\tCOUNT")
	for _, kind := range r.kinds {
		for _, result := range slices.Sorted(maps.Keys(r.results[kind])) {
			_, _ = fmt.Fprintf(table, "%s\t%s\t%d\n", kind, result, r.results[kind][result])
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if r.failed == 0 {
		return nil
	}
	return fmt.Errorf("%d rows were not written; run it again when it is mended:\n  %s", r.failed,
		strings.Join(r.failures, "\n  "))
}
