// Command guardeval judges a set of texts as the operator would: by words, and by the review of
// a real endpoint where OPENAI_API_KEY is in the environment (and OPENAI_BASE_URL, OPENAI_MODEL
// where they are not the defaults). It prints by kind what was refused and what passed, and fails
// when a hostile text passes or a benign one is refused. Run it in the module's root; further
// files of texts are its arguments.
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
	"slices"
	"strings"
	"text/tabwriter"

	"cartrecovery.dev/operator/internal/ai"
	"cartrecovery.dev/operator/internal/guard"
	"cartrecovery.dev/operator/internal/guard/corpus"
)

// own is the project's set of texts.
const own = "internal/guard/testdata/texts.json"

func main() {
	verbose := flag.Bool("v", false, "print every text with what refused it")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	e := evaluation{to: os.Stdout, verbose: *verbose, request: endpoint()}
	if e.request != nil {
		e.reviewer = ai.NewOpenAI(nil)
	}
	if err := e.run(ctx, append([]string{own}, flag.Args()...)); err != nil {
		fmt.Fprintln(os.Stderr, "guardeval:", err)
		os.Exit(1) //nolint:gocritic // nothing is left to be released
	}
}

// endpoint is the review's, nil where there is no key.
func endpoint() *ai.ReviewRequest {
	key := os.Getenv("OPENAI_API_KEY")
	if key == "" {
		return nil
	}
	return &ai.ReviewRequest{
		Endpoint: ai.Endpoint{BaseURL: os.Getenv("OPENAI_BASE_URL"), APIKey: key},
		Model:    cmp.Or(os.Getenv("OPENAI_MODEL"), ai.DefaultModel),
	}
}

// evaluation is a run over some files.
type evaluation struct {
	to      io.Writer
	verbose bool
	// reviewer looks at what the words pass, as request says; nil for nobody.
	reviewer ai.Reviewer
	request  *ai.ReviewRequest
}

// tally counts the texts of one kind.
type tally struct {
	texts, words, review, passed int
}

// judged is what became of one text.
type judged struct {
	// by is "words", "review" or "" for a text that passes; reason why.
	by, reason string
}

func (e *evaluation) run(ctx context.Context, files []string) error {
	e.printf("words: internal/guard\n")
	if e.reviewer == nil {
		e.printf("review: none, OPENAI_API_KEY is not set; what only a review can know is counted apart\n")
	} else {
		e.printf("review: model %s\n", e.request.Model)
	}
	var wrong []error
	for _, file := range files {
		read, err := corpus.Read(file)
		if err != nil {
			return err
		}
		e.printf("\n%s\n", file)
		hostile, err := e.group(ctx, read, "hostile", read.Hostile)
		wrong = append(wrong, err)
		benign, failed := e.group(ctx, read, "benign", read.Benign)
		wrong = append(wrong, failed)
		e.printf("%d of %d hostile refused (%d by words), %d of %d benign refused\n",
			hostile.words+hostile.review, hostile.texts, hostile.words, benign.words+benign.review, benign.texts)
	}
	return errors.Join(wrong...)
}

// group judges the hostile texts or the benign ones, and prints a line for each kind.
func (e *evaluation) group(ctx context.Context, read *corpus.Corpus, name string, texts []corpus.Text) (tally, error) {
	kinds, sum, missed := map[string]*tally{}, tally{}, []string{}
	for _, text := range texts {
		one, err := e.judge(ctx, read, text)
		if err != nil {
			return sum, fmt.Errorf("%s: %w", text.ID, err)
		}
		kind := kindOf(name, text)
		if kinds[kind] == nil {
			kinds[kind] = &tally{}
		}
		kinds[kind].add(one)
		sum.add(one)
		unknowable := e.reviewer == nil && text.Layer == corpus.Review
		if (name == "hostile") == (one.by == "") && !unknowable {
			missed = append(missed, text.ID)
		}
		if e.verbose {
			e.printf("%s\t%s\t%s\t%s\t%s\n", text.ID, text.Category, cmp.Or(one.by, "passed"), one.reason, text.Text)
		}
	}
	e.table(name, kinds)
	if len(missed) > 0 {
		return sum, fmt.Errorf("%s texts that were judged wrongly: %s", name, strings.Join(missed, ", "))
	}
	return sum, nil
}

// kindOf is what a text is counted as: its category up to the first hyphen.
func kindOf(group string, text corpus.Text) string {
	kind, _, _ := strings.Cut(text.Category, "-")
	if group == "benign" {
		kind = text.Context
	}
	return group + " " + kind
}

func (t *tally) add(one judged) {
	t.texts++
	switch one.by {
	case "words":
		t.words++
	case "review":
		t.review++
	default:
		t.passed++
	}
}

func (e *evaluation) table(name string, kinds map[string]*tally) {
	names := make([]string, 0, len(kinds))
	for kind := range kinds {
		names = append(names, kind)
	}
	slices.Sort(names)
	table := tabwriter.NewWriter(e.to, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintf(table, "%s\ttexts\trefused by words\tby review\tpassed\n", name)
	for _, kind := range names {
		t := kinds[kind]
		_, _ = fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%d\n", kind, t.texts, t.words, t.review, t.passed)
	}
	_ = table.Flush()
}

// judge does with one text what the operator would.
func (e *evaluation) judge(ctx context.Context, read *corpus.Corpus, text corpus.Text) (judged, error) {
	facts, err := read.Facts(text)
	if err != nil {
		return judged{}, err
	}
	if refusal := guard.Check(text.Text, facts); refusal != nil {
		return judged{"words", string(refusal.Reason)}, nil
	}
	if e.reviewer == nil {
		return judged{}, nil
	}
	request := *e.request
	request.Facts, request.Draft = facts.Prompt, text.Text
	verdict, err := e.reviewer.Review(ctx, request)
	if err != nil || verdict.Allowed {
		return judged{}, err
	}
	return judged{"review", string(verdict.Reason)}, nil
}

func (e *evaluation) printf(format string, args ...any) { _, _ = fmt.Fprintf(e.to, format, args...) }
