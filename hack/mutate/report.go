package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// result is a mutant with what became of it, and the test that has seen it.
type result struct {
	mutant
	outcome outcome
	by      string
}

// tally is what became of the mutants of a package.
type tally struct {
	folder string
	// listed is how many were left out as equivalent.
	listed  int
	results []result
	took    time.Duration
}

func (t *tally) count(of outcome) int {
	count := 0
	for _, each := range t.results {
		if each.outcome == of {
			count++
		}
	}
	return count
}

// percent is how many of the mutants were killed; a package without any has lost none.
func (t *tally) percent() float64 {
	if len(t.results) == 0 {
		return 100
	}
	return 100 * float64(t.count(killed)+t.count(timedOut)) / float64(len(t.results))
}

// seen says whether a test told the mutant from the program.
func (r *result) seen() bool { return r.outcome == killed || r.outcome == timedOut }

// print writes what became of a mutant.
func (r *result) print(to io.Writer, folder string) error {
	text := fmt.Sprintf("%s/%s:%d: %d %s: %s\n", folder, r.file, r.line, r.id, r.outcome, r.change)
	if r.by != "" {
		text += "\tby " + r.by + "\n"
	}
	if !r.seen() {
		text += "\t" + r.source + "\n"
	}
	_, err := io.WriteString(to, text)
	return err
}

// row is a package's line of the table.
func (t *tally) row() string {
	late := t.count(timedOut)
	return fmt.Sprintf("%d\t%d\t%d\t%d\t%d\t%d\t%.1f\t%s\t  %s\n", len(t.results), t.count(killed)+late, late,
		t.count(survived), t.count(unreached), t.listed, t.percent(), t.took.Round(time.Second), t.folder)
}

// printTable writes a line for each package.
func printTable(to io.Writer, tallies []*tally) error {
	var rows strings.Builder
	rows.WriteString("mutants\tkilled\tof these by time\tsurvived\tunreached\tequivalent\tpercent\ttook\t  package\n")
	for _, t := range tallies {
		rows.WriteString(t.row())
	}
	table := tabwriter.NewWriter(to, 0, 0, 2, ' ', tabwriter.AlignRight)
	if _, err := io.WriteString(table, rows.String()); err != nil {
		return err
	}
	return table.Flush()
}
