package drafts

import (
	"context"
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/controllers/cartrecovery/plan"
	"cartrecovery.dev/operator/internal/ai"
	"cartrecovery.dev/operator/internal/failure"
)

const (
	// reviewAtMost is how long a due text waits for its review.
	reviewAtMost = 3 * time.Second
	// reviewAhead is how long a text that is written ahead of its time waits for its review.
	reviewAhead = 10 * time.Second
	// UnreviewedRetry is after how long a text that nobody reviewed is written again.
	UnreviewedRetry = 2 * time.Minute

	notReviewed = "the review of the text did not answer; it is written again"
)

// Review is the second look at a text.
type Review struct {
	// request without its draft.
	request ai.ReviewRequest
	// sendAnyway has a text sent that could not be reviewed.
	sendAnyway bool
}

// ReviewFor is the review that a Store's texts get; nil for none. The reviewer is told the facts that a
// text is judged by, and nothing about the customer.
func ReviewFor(store *v1alpha1.Store, endpoint ai.Endpoint, facts string) *Review {
	model := ai.ReviewModel(store)
	if model == "" {
		return nil
	}
	return &Review{
		request:    ai.ReviewRequest{Endpoint: endpoint, Model: model, Facts: facts},
		sendAnyway: ai.SendsUnreviewed(store),
	}
}

// Estimate is what the review of the longest text costs, in tokens.
func (r *Review) Estimate(maxTokens int) int64 {
	if r == nil {
		return 0
	}
	return r.request.EstimateTokens() + int64(max(maxTokens, 0))
}

// reviewWait is how long a text waits for its review.
func (p *Pool) reviewWait(next *queued) time.Duration {
	if ahead := next.Due.Sub(p.options.Clock.Now()); ahead > p.reviewAtMost {
		return min(ahead, p.reviewAhead)
	}
	return p.reviewAtMost
}

// review has a text reviewed that the guard has passed, and changes its outcome when it may not be sent.
func (p *Pool) review(ctx context.Context, next *queued, made *outcome) {
	if p.options.Reviewer == nil || next.Review == nil || made.state != plan.DraftReady {
		return
	}
	request := next.Review.request
	request.Draft = made.text
	asking, cancel := context.WithTimeout(ctx, p.reviewWait(next))
	defer cancel()
	began := p.options.Clock.Now()
	verdict, err := p.options.Reviewer.Review(asking, request)
	made.tokens += verdict.Billed(err, request.EstimateTokens())
	if ctx.Err() != nil {
		return
	}
	took := p.options.Clock.Since(began).Seconds()
	p.options.Metrics.AIReviewSeconds.Observe(took)
	p.options.Metrics.AICall("review", err).Observe(took)
	p.options.Metrics.AITokens.Add(float64(verdict.Usage.Total()))
	switch {
	case err != nil:
		p.options.Metrics.AIReview("failed", string(failure.ClassOf(err))).Inc()
		if !next.Review.sendAnyway {
			made.state, made.why, made.unreviewed = plan.DraftRefused, notReviewed, true
		}
	case verdict.Allowed:
		p.options.Metrics.AIReview("allowed", "").Inc()
	default:
		p.options.Metrics.AIReview("refused", string(verdict.Reason)).Inc()
		made.state, made.why = plan.DraftRefused, verdict.Reason.Instead()
	}
}
