package cartrecovery

import (
	"context"
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/controllers/cartrecovery/plan"
	"cartrecovery.dev/operator/internal/ai"
	"cartrecovery.dev/operator/internal/failure"
)

const (
	// reviewAtMost is how long a text that is due waits for its review.
	reviewAtMost = 3 * time.Second
	// reviewAhead is how long one waits that is written ahead of its time.
	reviewAhead = 10 * time.Second
	// unreviewedRetry is how long a text that nobody reviewed is not written again.
	unreviewedRetry = 2 * time.Minute

	notReviewed = "the review of the text did not answer; it is written again"
)

// review is the second look at a text, and what follows when there is none.
type review struct {
	// request without its draft.
	request ai.ReviewRequest
	// sendAnyway has a text sent that could not be reviewed.
	sendAnyway bool
}

// reviewFor is the review that a Store's texts get; nil for none. The reviewer is given what the
// text is judged by, and nothing of the customer's.
func reviewFor(store *v1alpha1.Store, endpoint ai.Endpoint, facts string) *review {
	model := ai.ReviewModel(store)
	if model == "" {
		return nil
	}
	return &review{
		request:    ai.ReviewRequest{Endpoint: endpoint, Model: model, Facts: facts},
		sendAnyway: ai.SendsUnreviewed(store),
	}
}

// estimate is what the review of the longest text costs, in tokens.
func (r *review) estimate(maxTokens int) int64 {
	if r == nil {
		return 0
	}
	return r.request.EstimateTokens() + int64(max(maxTokens, 0))
}

// reviewWait is how long a text may wait for its review.
func (d *drafts) reviewWait(next *queued) time.Duration {
	if ahead := next.due.Sub(d.options.Clock.Now()); ahead > d.reviewAtMost {
		return min(ahead, d.reviewAhead)
	}
	return d.reviewAtMost
}

// review has a text looked at that the words have passed, and changes what came of it when it
// may not be sent.
func (d *drafts) review(ctx context.Context, next *queued, made *outcome) {
	if d.options.Reviewer == nil || next.review == nil || made.state != plan.DraftReady {
		return
	}
	request := next.review.request
	request.Draft = made.text
	asking, cancel := context.WithTimeout(ctx, d.reviewWait(next))
	defer cancel()
	began := d.options.Clock.Now()
	verdict, err := d.options.Reviewer.Review(asking, request)
	made.tokens += verdict.Billed(err, request.EstimateTokens())
	if ctx.Err() != nil {
		return
	}
	d.options.Metrics.AIReviewSeconds.Observe(d.options.Clock.Since(began).Seconds())
	d.options.Metrics.AITokens.Add(float64(verdict.Usage.Total()))
	switch {
	case err != nil:
		d.options.Metrics.AIReviews.WithLabelValues("failed", string(failure.ClassOf(err))).Inc()
		if !next.review.sendAnyway {
			made.state, made.why, made.unreviewed = plan.DraftRefused, notReviewed, true
		}
	case verdict.Allowed:
		d.options.Metrics.AIReviews.WithLabelValues("allowed", "").Inc()
	default:
		d.options.Metrics.AIReviews.WithLabelValues("refused", string(verdict.Reason)).Inc()
		made.state, made.why = plan.DraftRefused, verdict.Reason.Instead()
	}
}
