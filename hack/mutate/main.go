// Command mutate changes the code that decides in small ways, one at a time, and says which of the
// changes no test sees. Run it in the module's root; packages to look at are its arguments, those
// of targets where there are none.
//
// All mutants of a package are compiled into one test binary, each behind a switch, and the binary
// runs once for each. The checkout is not written to.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

// target is a package, and what of it counts.
type target struct {
	folder string
	// only are the files and functions that are changed, as file:function; nil for all.
	only *regexp.Regexp
	// tests are those that run, "" for all.
	tests string
}

// targets are the packages whose code decides.
var targets = []target{
	{folder: "./internal/lead"},
	{
		folder: "./controllers/whatsappinstance",
		only:   regexp.MustCompile(`^plan\.go:|^revival\.go:(isNotSending|planRevival)$`),
		// The others need an API server.
		tests: "^Test(Plan|Begin|RequestIsBounded|WhatCallsTheGateway|AnsweredCaller)",
	},
	{folder: "./controllers/cartrecovery/plan"},
}

// settings are what the command is told.
type settings struct {
	least   float64
	match   *regexp.Regexp
	mutant  int
	verbose bool
	list    string
	// skip are tests that do not run, nil for none.
	skip *regexp.Regexp
	// patience is how long a mutant may take in any case.
	patience time.Duration
	// jobs are how many mutants run at once.
	jobs int
}

func main() {
	s := settings{}
	flag.Float64Var(&s.least, "min", 90, "how many percent of each package's mutants have to be killed")
	flag.IntVar(&s.mutant, "mutant", 0, "run one mutant of one package, and print what its tests say")
	flag.BoolVar(&s.verbose, "v", false, "print the mutants that were killed, and by which test")
	flag.StringVar(&s.list, "equivalent", "hack/mutate/equivalent.txt", "the list of mutants that are left out")
	flag.DurationVar(&s.patience, "patience", 10*time.Second, "how long the tests of a mutant may take in any case")
	flag.IntVar(&s.jobs, "jobs", runtime.NumCPU(), "how many mutants run at once")
	match := flag.String("match", "", "a regular expression for file:function: only mutants there run")
	skip := flag.String("skip", "^$", "a regular expression for tests that do not run, such as those that take long")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	do := s.run
	if s.mutant > 0 {
		do = s.show
	}
	var wrong [2]error
	s.match, wrong[0] = regexp.Compile(*match)
	s.skip, wrong[1] = regexp.Compile(*skip)
	err := errors.Join(wrong[:]...)
	if err == nil {
		err = do(ctx, os.Stdout, named(flag.Args()))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(1) //nolint:gocritic // nothing is left to be released
	}
}

// named are the targets with these folders, all where none is named. A package that is no target is
// changed as a whole.
func named(folders []string) []target {
	if len(folders) == 0 {
		return targets
	}
	var chosen []target
	for _, folder := range folders {
		each := target{folder: folder}
		for _, known := range targets {
			if strings.TrimPrefix(known.folder, "./") == strings.Trim(strings.TrimPrefix(folder, "./"), "/") {
				each = known
			}
		}
		chosen = append(chosen, each)
	}
	return chosen
}

// run looks at each package, prints what was found, and fails where too little was seen.
func (s *settings) run(ctx context.Context, to io.Writer, chosen []target) error {
	known, err := readEquivalents(s.list)
	if err != nil {
		return err
	}
	var tallies []*tally
	var low []string
	for _, each := range chosen {
		t, err := s.look(ctx, to, each, known)
		if err != nil {
			return err
		}
		if tallies = append(tallies, t); t.percent() < s.least {
			low = append(low, each.folder)
		}
	}
	if err := printTable(to, tallies); err != nil {
		return err
	}
	if len(low) > 0 {
		return fmt.Errorf("less than %g %% of the mutants were killed in %s: write tests that see those above",
			s.least, strings.Join(low, ", "))
	}
	return nil
}

// workshop is a package whose mutants are compiled.
type workshop struct {
	*trial
	scratch string
	mutants []mutant
}

// open compiles the mutants of a package, in a folder that has to be removed.
func open(ctx context.Context, of target) (*workshop, error) {
	scratch, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return nil, err
	}
	w := &workshop{scratch: scratch}
	l, err := load(ctx, of.folder)
	if err == nil {
		mutants, files := find(l, of.only)
		w.mutants = mutants
		w.trial, err = build(ctx, of, l, files, scratch)
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(scratch))
	}
	return w, nil
}

// look tries the mutants of one package.
func (s *settings) look(ctx context.Context, to io.Writer, of target, known equivalents) (t *tally, err error) {
	begun := time.Now()
	w, err := open(ctx, of)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(w.scratch)) }()
	mutants, err := known.without(of.folder, w.mutants)
	if err != nil {
		return nil, err
	}
	results, err := s.try(ctx, to, w, mutants)
	return &tally{
		folder: of.folder, listed: len(w.mutants) - len(mutants), results: results, took: time.Since(begun),
	}, err
}

// try runs the mutants that are asked for, several at once, and prints those that nobody has seen, in their order.
func (s *settings) try(ctx context.Context, to io.Writer, w *workshop, mutants []mutant) ([]result, error) {
	w.patience, w.skip = s.patience, s.skip
	if err := w.reach(ctx, w.scratch); err != nil {
		return nil, err
	}
	mutants = slices.DeleteFunc(slices.Clone(mutants), func(each mutant) bool {
		return s.match != nil && !s.match.MatchString(each.file+":"+each.function)
	})
	results, judged := make([]result, len(mutants)), make([]chan struct{}, len(mutants))
	for i := range judged {
		judged[i] = make(chan struct{})
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(max(1, s.jobs) + 1) // one of them prints
	group.Go(func() error { return s.report(ctx, to, w.folder, results, judged) })
	for i := range mutants {
		group.Go(func() error {
			became, by, err := w.judge(ctx, mutants[i].id)
			results[i] = result{mutant: mutants[i], outcome: became, by: by}
			if err == nil {
				close(judged[i])
			}
			return err
		})
	}
	return results, group.Wait()
}

// report prints each result once it is there.
func (s *settings) report(
	ctx context.Context, to io.Writer, folder string, results []result, judged []chan struct{},
) error {
	for i := range results {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-judged[i]:
		}
		if results[i].seen() && !s.verbose {
			continue
		}
		if err := results[i].print(to, folder); err != nil {
			return err
		}
	}
	return nil
}

// show runs one mutant of one package and prints what the tests say of it.
func (s *settings) show(ctx context.Context, to io.Writer, chosen []target) (err error) {
	if len(chosen) != 1 {
		return errors.New("name the one package whose mutant is to be shown")
	}
	w, err := open(ctx, chosen[0])
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(w.scratch)) }()
	if s.mutant > len(w.mutants) {
		return errors.New("there is no such mutant: the numbers stand after the lines of the survivors")
	}
	each := w.mutants[s.mutant-1]
	said, failed := w.run(ctx, cmp.Or(w.tests, "."), s.mutant, 10*time.Minute)
	if failed == nil {
		said = []byte("No test has seen it.\n")
	}
	_, err = fmt.Fprintf(to, "%s:%d: %s\n%s", each.file, each.line, each.change, said)
	return err
}
