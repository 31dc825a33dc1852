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
		counts["skipped: "+reason] = count
	}
	if f.wrong > 0 {
		counts["skipped: wrong"] = f.wrong
	}
	r.results[f.kind.flag] = counts
}

func (r *report) count(kind, result string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.results[kind][result]++
}

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
