package drafts

import (
	"context"
	"testing"
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/controllers/cartrecovery/plan"
	"cartrecovery.dev/operator/internal/ai"
	"cartrecovery.dev/operator/internal/failure"
	"cartrecovery.dev/operator/internal/gen"
)

// judges is a Reviewer that says of each text what a test wrote down for it.
type judges struct {
	verdicts map[string]func(ctx context.Context) (ai.Verdict, error)
	asked    chan ai.ReviewRequest
}

// Review says what was written down for the draft.
func (j *judges) Review(ctx context.Context, request ai.ReviewRequest) (ai.Verdict, error) {
	j.asked <- request
	return j.verdicts[request.Draft](ctx)
}

func judged(verdict ai.Verdict) func(context.Context) (ai.Verdict, error) {
	verdict.Usage = ai.Usage{Prompt: 2, Completion: 1}
	return func(context.Context) (ai.Verdict, error) { return verdict, nil }
}

func never(ctx context.Context) (ai.Verdict, error) {
	<-ctx.Done()
	return ai.Verdict{}, &failure.Error{Class: failure.Transient, Code: failure.TimedOut}
}

func garbage(context.Context) (ai.Verdict, error) {
	return ai.Verdict{Usage: ai.Usage{Prompt: 3}}, &failure.Error{Class: failure.Transient, Code: failure.InvalidAnswer}
}

func TestReviewOfADraft(t *testing.T) {
	allowed, refused := judged(ai.Verdict{Allowed: true}), judged(ai.Verdict{Reason: ai.ReviewFact})
	type said = map[string]func(context.Context) (ai.Verdict, error)
	for _, c := range []struct {
		name     string
		answers  []string
		verdicts said
		send     bool
		want     plan.Draft
		texts    string
		reviews  string
		asked    int
	}{
		{"allows it", []string{"Oi"}, said{"Oi": allowed}, false, plan.Draft{State: plan.DraftReady, Text: "Oi",
			Tokens: 10}, "written", "allowed", 1},
		{
			"refuses the first", []string{"Tem tudo", "Oi"}, said{"Tem tudo": refused, "Oi": allowed}, false,
			plan.Draft{State: plan.DraftReady, Text: "Oi", Tokens: 20}, "rewritten", "refused", 2,
		},
		{
			"refuses both", []string{"Tem tudo", "Tem mais"}, said{"Tem tudo": refused, "Tem mais": refused}, false,
			plan.Draft{State: plan.DraftRefused, Tokens: 20, Reason: v1alpha1.ReasonTextRefused,
				Why: ai.ReviewFact.Instead()}, "refused", "refused", 2,
		},
		{
			"looks at nothing that the words refuse", []string{"R$ 5", "Oi"}, said{"Oi": allowed}, false,
			plan.Draft{State: plan.DraftReady, Text: "Oi", Tokens: 17}, "rewritten", "allowed", 1,
		},
		{
			"answers garbage, and nothing is written again", []string{"Oi"}, said{"Oi": garbage}, false,
			plan.Draft{State: plan.DraftRefused, Tokens: 10, Reason: v1alpha1.ReasonTextUnreviewed, Why: notReviewed},
			"unreviewed", "failed", 1,
		},
		{"answers garbage, and the text is sent", []string{"Oi"}, said{"Oi": garbage}, true,
			plan.Draft{State: plan.DraftReady, Text: "Oi", Tokens: 10}, "written", "failed", 1},
		{
			"never answers", []string{"Oi"}, said{"Oi": never}, false,
			plan.Draft{State: plan.DraftRefused, Reason: v1alpha1.ReasonTextUnreviewed, Why: notReviewed}, "unreviewed",
			"failed", 1,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDesk(t, 1)
			reviewer := &judges{verdicts: c.verdicts, asked: make(chan ai.ReviewRequest, 9)}
			d.mu.Lock()
			d.options.Reviewer, d.reviewAtMost, d.reviewAhead = reviewer, 20*time.Millisecond, 20*time.Millisecond
			d.mu.Unlock()
			for _, answer := range c.answers {
				d.pen.writes(answer)
			}
			d.ask("one", "a", strict, func(j *Job) {
				j.Review = &Review{request: ai.ReviewRequest{Model: "m", Facts: "f"}, sendAnyway: c.send}
			})
			d.told()
			got := d.of("a")
			if got.State != c.want.State || got.Text != c.want.Text || got.Reason != c.want.Reason ||
				got.Why != c.want.Why ||
				c.want.Tokens != 0 && got.Tokens != c.want.Tokens {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
			if d.counted("cartrecovery_ai_texts_total", c.texts) != 1 || len(reviewer.asked) != c.asked ||
				len(d.pen.order()) != len(c.answers) {
				t.Errorf("%d reviews, written %v", len(reviewer.asked), d.pen.order())
			}
			if d.reviewsCounted(c.reviews) == 0 {
				t.Errorf("no review is counted as %s", c.reviews)
			}
		})
	}
}

// reviewsCounted is how many reviews came out so.
func (d *desk) reviewsCounted(result string) (sum float64) {
	families, err := d.meters.Gather()
	if err != nil {
		d.t.Fatal(err)
	}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			for _, label := range metric.GetLabel() {
				if family.GetName() == "cartrecovery_ai_reviews_total" && label.GetName() == "result" &&
					label.GetValue() == result {
					sum += metric.GetCounter().GetValue()
				}
			}
		}
	}
	return sum
}

func TestATextThatNobodyReviewedIsWrittenAgain(t *testing.T) {
	d := newDesk(t, 1)
	reviewer := &judges{verdicts: map[string]func(context.Context) (ai.Verdict, error){
		"Oi": garbage, "Oi!": judged(ai.Verdict{Allowed: true})}, asked: make(chan ai.ReviewRequest, 9)}
	d.mu.Lock()
	d.options.Reviewer = reviewer
	d.mu.Unlock()
	reviewed := func(j *Job) { j.Review = &Review{request: ai.ReviewRequest{Model: "m"}} }
	d.pen.writes("Oi")
	d.ask("one", "a", reviewed)
	d.told()
	if got := d.of("a"); got.State != plan.DraftRefused || !got.RetryAt.Equal(gen.T0.Add(UnreviewedRetry)) {
		t.Fatalf("got %+v", got)
	}
	d.clock.Step(UnreviewedRetry)
	if got := d.of("a"); got.State != plan.DraftNone || got.Tokens == 0 {
		t.Fatalf("two minutes later: %+v", got)
	}
	d.pen.writes("Oi!")
	d.ask("one", "a", reviewed)
	d.told()
	if got := d.of("a"); got.State != plan.DraftReady || got.Text != "Oi!" {
		t.Errorf("got %+v", got)
	}
}

func TestReviewWait(t *testing.T) {
	d := newDesk(t, 1)
	for due, want := range map[time.Duration]time.Duration{
		-time.Hour: reviewAtMost, 0: reviewAtMost, 2 * time.Second: reviewAtMost, 6 * time.Second: 6 * time.Second,
		time.Hour: reviewAhead,
	} {
		if got := d.reviewWait(&queued{Job: Job{Due: gen.T0.Add(due)}}); got != want {
			t.Errorf("due in %v it waits %v, want %v", due, got, want)
		}
	}
}

func TestReviewFor(t *testing.T) {
	off := false
	store := &v1alpha1.Store{}
	if got := ReviewFor(store, ai.Endpoint{}, "facts"); got == nil || got.request.Model != ai.DefaultModel ||
		got.request.Facts != "facts" || got.Estimate(150) <= 150 {
		t.Errorf("by default: %+v", got)
	}
	store.Spec.AI.Review = &v1alpha1.AIReview{Enabled: &off}
	if got := ReviewFor(store, ai.Endpoint{}, "facts"); got != nil || got.Estimate(150) != 0 {
		t.Errorf("turned off: %+v", got)
	}
}
