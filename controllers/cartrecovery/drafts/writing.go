package drafts

import (
	"context"
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/controllers/cartrecovery/plan"
	"cartrecovery.dev/operator/internal/ai"
	"cartrecovery.dev/operator/internal/backoff"
	"cartrecovery.dev/operator/internal/budget"
	"cartrecovery.dev/operator/internal/failure"
	"cartrecovery.dev/operator/internal/panics"
)

// outcome is the result of writing a text.
type outcome struct {
	// state of the draft then. DraftNone has the controller ask for it again, DraftPending has it wait in
	// the queue again.
	state plan.DraftState
	// text that was written, refused or not.
	text string
	// why a text was refused, in fixed words.
	why string
	// unreviewed says that a text was refused because its review did not answer.
	unreviewed bool
	// tokens it cost.
	tokens int64
	// err is why the writing failed.
	err error
}

// composeSafely is compose with a panic turned into a failure of this text alone.
func (p *Pool) composeSafely(ctx context.Context, next *queued) (made outcome) {
	err := panics.Do(ctx, panics.Text, func() error {
		made = p.compose(ctx, next)
		return nil
	})
	if err != nil {
		return outcome{state: plan.DraftFailed, err: err}
	}
	return made
}

// compose has a text written, and once more, with the reason, when the first one may not be sent.
func (p *Pool) compose(ctx context.Context, next *queued) outcome {
	if p.options.Clock.Since(next.asked) > plan.FreshFor {
		// It waited so long that its key or settings may have changed since.
		return outcome{state: plan.DraftNone}
	}
	made := p.try(ctx, next, next.Request, next.Estimate)
	result := "written"
	if made.state == plan.DraftRefused && !made.unreviewed && next.Rewrite != nil && ctx.Err() == nil {
		result = "rewritten"
		made = p.rewrite(ctx, next, made)
	}
	switch {
	case ctx.Err() != nil:
		return made
	case made.unreviewed:
		result = "unreviewed"
	case made.state == plan.DraftRefused:
		result = "refused"
	case made.state == plan.DraftHandOff:
		result = "handoff"
	case made.state == plan.DraftStop, made.state == plan.DraftWrongNumber:
		result = "stop"
	case made.state == plan.DraftExhausted:
		result = "exhausted"
	case made.state != plan.DraftReady:
		return made
	}
	p.options.Metrics.AIText(result).Inc()
	return made
}

func (p *Pool) rewrite(ctx context.Context, next *queued, refused outcome) outcome {
	// What is added to the prompt has no more tokens than bytes.
	estimate := next.Estimate + int64(len(refused.text)+len(refused.why))
	made := p.try(ctx, next, next.Rewrite(refused.text, refused.why), estimate)
	if made.state == plan.DraftPending {
		made = refused
		made.tokens = 0
	}
	made.tokens = budget.Sum(made.tokens, refused.tokens)
	return made
}

// try calls the AI once, within the store's budget, and judges what it wrote.
func (p *Pool) try(ctx context.Context, next *queued, request ai.Request, estimate int64) outcome {
	day := budget.Day(p.options.Clock.Now(), next.Zone)
	release, ok := p.options.Budget.Reserve(next.Store, day, next.Limit, estimate)
	// After a panic all that was set aside counts as used.
	defer func() { release(estimate) }()
	if !ok && p.options.Budget.Used(next.Store, day) <= *next.Limit-estimate {
		// It would fit: other texts that are being written have set aside more than they may use.
		return outcome{state: plan.DraftPending}
	}
	if !ok {
		return outcome{state: plan.DraftExhausted}
	}
	calling, cancel := context.WithTimeout(ctx, ai.Timeout)
	defer cancel()
	began := p.options.Clock.Now()
	answer, err := p.options.Writer.Write(calling, request)
	made := outcome{tokens: spent(answer, err, estimate)}
	if ctx.Err() != nil {
		// Nobody wants it any more, and it is billed all the same.
		made.tokens = max(made.tokens, estimate)
	} else {
		p.options.Metrics.AICall("write", err).Observe(p.options.Clock.Since(began).Seconds())
		p.measure(answer, err)
		p.judge(next, answer, err, &made)
		p.review(ctx, next, &made)
	}
	release(made.tokens)
	return made
}

// judge sets the outcome of a call: what the AI asked for instead of a text, or a text and whether it may
// be sent.
func (p *Pool) judge(next *queued, answer ai.Answer, err error, made *outcome) {
	switch {
	case err != nil:
		made.state, made.err = plan.DraftFailed, err
		return
	case answer.WantsStop:
		made.state = plan.DraftStop
		return
	case answer.WrongNumber:
		made.state = plan.DraftWrongNumber
		return
	case answer.WantsHuman:
		made.state = plan.DraftHandOff
		return
	}
	made.state, made.text = plan.DraftReady, ai.CleanAnswer(answer.Text)
	if next.Check == nil {
		return
	}
	if reason, detail := next.Check(made.text); reason != "" {
		made.state, made.why = plan.DraftRefused, detail
		p.options.Metrics.AIRefusal(reason).Inc()
	}
}

func (p *Pool) measure(answer ai.Answer, err error) {
	result := "written"
	if err != nil {
		result = string(failure.ClassOf(err))
	}
	p.options.Metrics.AIRequest(result).Inc()
	p.options.Metrics.AITokens.Add(float64(answer.Usage.Total()))
}

// spent is how many tokens a call counts: those that the AI names, or the estimate when it names none and
// may bill the call all the same.
func spent(answer ai.Answer, err error, estimate int64) int64 {
	if used := answer.Usage.Total(); used > 0 {
		return used
	}
	if err == nil || mayBeBilled(err) {
		return estimate
	}
	return 0
}

// mayBeBilled says whether the AI may have written a text in a call that failed: it did not answer in
// time, or its answer could not be read.
func mayBeBilled(err error) bool {
	failed, classed := failure.As(err)
	if !classed {
		return true
	}
	return failed.Code == failure.InvalidAnswer || failed.Code == failure.TimedOut && failed.Status == 0
}

// settle records the outcome in the draft. The tokens of all tries add up: the text that is sent in the
// end has cost them all.
func settle(d *plan.Draft, made outcome, now time.Time, zone *time.Location, random backoff.Random) {
	tokens := budget.Sum(d.Tokens, made.tokens)
	switch made.state {
	case plan.DraftFailed:
		fail(d, made.err, now, random)
		d.Tokens = tokens
	case plan.DraftReady:
		*d = plan.Draft{State: plan.DraftReady, Text: made.text, Tokens: tokens, ReadyAt: now}
	case plan.DraftRefused:
		if made.unreviewed {
			*d = plan.Draft{
				State: plan.DraftRefused, Tokens: tokens, ReadyAt: now, RetryAt: now.Add(UnreviewedRetry),
				Reason: v1alpha1.ReasonTextUnreviewed, Why: made.why,
			}
			return
		}
		*d = plan.Draft{
			State: plan.DraftRefused, Tokens: tokens, ReadyAt: now, RetryAt: now.Add(keepRefused),
			Reason: v1alpha1.ReasonTextRefused, Why: made.why,
		}
	case plan.DraftHandOff, plan.DraftStop, plan.DraftWrongNumber:
		*d = plan.Draft{State: made.state, Tokens: tokens, ReadyAt: now}
	case plan.DraftExhausted:
		*d = plan.Draft{
			State: plan.DraftExhausted, Tokens: tokens, RetryAt: budget.NextDay(now, zone),
			Reason: v1alpha1.ReasonTokenBudget,
			Why: "the Store's spec.ai.dailyTokenBudget is used up; the text is written when the store's next day " +
				"begins",
		}
	default:
		d.State, d.Tokens = made.state, tokens
	}
}

// fail records a failed call and when to ask again: when the service said so, else after
// an exponential backoff with jitter.
func fail(d *plan.Draft, err error, now time.Time, random backoff.Random) {
	d.State = plan.DraftFailed
	d.Failures++
	if d.FirstFailedAt.IsZero() {
		d.FirstFailedAt = now
	}
	d.Reason, d.Why = v1alpha1.ReasonAIUnavailable, "the AI does not answer; the text is asked for again"
	wait := backoff.Doubled(firstBackoff, maxBackoff, d.Failures)
	failed, classed := failure.As(err)
	if classed {
		d.Why = failed.Shown()
	}
	if until, throttled := throttledUntil(err, now); throttled {
		d.RetryAt = until
		return
	}
	if classed && failed.Code == failure.Fault {
		d.Reason = v1alpha1.ReasonInternalError
	}
	if classed && failed.Class == failure.Terminal {
		d.Reason = failure.ReasonOf(err, v1alpha1.ReasonAIRefused)
		wait = refusedRetry
	}
	d.RetryAt = now.Add(backoff.Around(wait, backoff.Spread, random))
}

// throttledUntil is until when the AI asked not to be called, if it did.
func throttledUntil(err error, now time.Time) (time.Time, bool) {
	failed, classed := failure.As(err)
	if !classed || failed.Class != failure.Throttled || !failed.RetryAt.After(now) {
		return time.Time{}, false
	}
	return failed.RetryAt, true
}
