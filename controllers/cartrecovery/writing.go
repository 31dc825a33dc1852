package cartrecovery

import (
	"context"
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/ai"
	"cartrecovery.dev/operator/internal/budget"
	"cartrecovery.dev/operator/internal/failure"
	"cartrecovery.dev/operator/internal/panics"
)

// outcome is what came of writing a text.
type outcome struct {
	// state the draft is in then. draftNone has it asked for anew, draftPending has it wait
	// for its turn again.
	state draftState
	// text is what was written, also what was refused.
	text string
	// why is what is wrong with a refused text, in fixed words.
	why string
	// unreviewed is true for a text that is refused because its review did not answer.
	unreviewed bool
	// tokens it cost.
	tokens int64
	// err is the failure of a failed one.
	err error
}

// composeSafely is compose, whose panic is the failure of this text.
func (d *drafts) composeSafely(ctx context.Context, next *queued) (made outcome) {
	err := panics.Do(ctx, panics.Text, func() error {
		made = d.compose(ctx, next)
		return nil
	})
	if err != nil {
		return outcome{state: draftFailed, err: err}
	}
	return made
}

// compose has a text written, and once more, with the reason, when it may not be sent.
func (d *drafts) compose(ctx context.Context, next *queued) outcome {
	if d.clock.Since(next.asked) > freshFor {
		// It waited so long that the key or the settings it would be written with may have
		// changed since.
		return outcome{state: draftNone}
	}
	made := d.try(ctx, next, next.request, next.estimate)
	result := "written"
	if made.state == draftRefused && !made.unreviewed && next.rewrite != nil && ctx.Err() == nil {
		result = "rewritten"
		made = d.rewrite(ctx, next, made)
	}
	switch {
	case ctx.Err() != nil:
		return made
	case made.unreviewed:
		result = "unreviewed"
	case made.state == draftRefused:
		result = "refused"
	case made.state == draftHandOff:
		result = "handoff"
	case made.state == draftStop, made.state == draftWrongNumber:
		result = "stop"
	case made.state == draftExhausted:
		result = "exhausted"
	case made.state != draftReady:
		return made
	}
	d.metrics.AITexts.WithLabelValues(result).Inc()
	return made
}

func (d *drafts) rewrite(ctx context.Context, next *queued, refused outcome) outcome {
	// What is added to the prompt has no more tokens than bytes.
	estimate := next.estimate + int64(len(refused.text)+len(refused.why))
	made := d.try(ctx, next, next.rewrite(refused.text, refused.why), estimate)
	if made.state == draftPending {
		made = refused
		made.tokens = 0
	}
	made.tokens = budget.Sum(made.tokens, refused.tokens)
	return made
}

// try calls the AI once, within the store's budget, and judges what it wrote.
func (d *drafts) try(ctx context.Context, next *queued, request ai.Request, estimate int64) outcome {
	day := budget.Day(d.clock.Now(), next.zone)
	release, ok := d.ledger.Reserve(next.store, day, next.limit, estimate)
	// What a panic leaves set aside may have been used.
	defer func() { release(estimate) }()
	if !ok && d.ledger.Used(next.store, day) <= *next.limit-estimate {
		// It would fit: other texts that are being written hold more than they may use.
		return outcome{state: draftPending}
	}
	if !ok {
		return outcome{state: draftExhausted}
	}
	calling, cancel := context.WithTimeout(ctx, ai.Timeout)
	defer cancel()
	answer, err := d.writer.Write(calling, request)
	made := outcome{tokens: spent(answer, err, estimate)}
	if ctx.Err() != nil {
		// It is no longer wanted, and billed all the same.
		made.tokens = max(made.tokens, estimate)
	} else {
		d.count(answer, err)
		d.judge(next, answer, err, &made)
		d.review(ctx, next, &made)
	}
	release(made.tokens)
	return made
}

// judge sets what came of a call.
func (d *drafts) judge(next *queued, answer ai.Answer, err error, made *outcome) {
	switch {
	case err != nil:
		made.state, made.err = draftFailed, err
		return
	case answer.WantsStop:
		made.state = draftStop
		return
	case answer.WrongNumber:
		made.state = draftWrongNumber
		return
	case answer.WantsHuman:
		made.state = draftHandOff
		return
	}
	made.state, made.text = draftReady, ai.CleanAnswer(answer.Text)
	if next.check == nil {
		return
	}
	if reason, detail := next.check(made.text); reason != "" {
		made.state, made.why = draftRefused, detail
		d.metrics.AIRefusals.WithLabelValues(reason).Inc()
	}
}

func (d *drafts) count(answer ai.Answer, err error) {
	result := "written"
	if err != nil {
		result = string(failure.ClassOf(err))
	}
	d.metrics.AIRequests.WithLabelValues(result).Inc()
	d.metrics.AITokens.Add(float64(answer.Usage.Total()))
}

// spent is what a call is counted as: what the AI told, else what was estimated when it may
// be billed all the same.
func spent(answer ai.Answer, err error, estimate int64) int64 {
	if used := answer.Usage.Total(); used > 0 {
		return used
	}
	if err == nil || mayBeBilled(err) {
		return estimate
	}
	return 0
}

// mayBeBilled says whether the AI may have written a text in a call that failed: it did not
// answer in time, or what it answered could not be read.
func mayBeBilled(err error) bool {
	failed, classed := failure.As(err)
	if !classed {
		return true
	}
	return failed.Code == failure.InvalidAnswer || failed.Code == failure.TimedOut && failed.Status == 0
}

// settleDraft records what came of writing a text. The tokens of all tries add up: what is sent
// in the end has cost them all.
func settleDraft(d *draft, made outcome, now time.Time, zone *time.Location) {
	tokens := budget.Sum(d.tokens, made.tokens)
	switch made.state {
	case draftFailed:
		failDraft(d, made.err, now)
		d.tokens = tokens
	case draftReady:
		*d = draft{state: draftReady, text: made.text, tokens: tokens, readyAt: now}
	case draftRefused:
		if made.unreviewed {
			*d = draft{
				state: draftRefused, tokens: tokens, readyAt: now, retryAt: now.Add(unreviewedRetry),
				reason: v1alpha1.ReasonTextUnreviewed, why: made.why,
			}
			return
		}
		*d = draft{
			state: draftRefused, tokens: tokens, readyAt: now, retryAt: now.Add(keepRefused),
			reason: v1alpha1.ReasonTextRefused, why: made.why,
		}
	case draftHandOff, draftStop, draftWrongNumber:
		*d = draft{state: made.state, tokens: tokens, readyAt: now}
	case draftExhausted:
		*d = draft{
			state: draftExhausted, tokens: tokens, retryAt: budget.NextDay(now, zone), reason: v1alpha1.ReasonTokenBudget,
			why: "the Store's spec.ai.dailyTokenBudget is used up; the text is written when the store's next day begins",
		}
	default:
		d.state, d.tokens = made.state, tokens
	}
}

// failDraft records a failed call and when to ask again: when the service said so, else after
// an exponential backoff with jitter.
func failDraft(d *draft, err error, now time.Time) {
	d.state = draftFailed
	d.failures++
	if d.firstFailedAt.IsZero() {
		d.firstFailedAt = now
	}
	d.reason, d.why = v1alpha1.ReasonAIUnavailable, "the AI does not answer; the text is asked for again"
	wait := min(draftBackoff<<min(d.failures-1, 10), maxDraftBackoff)
	failed, classed := failure.As(err)
	if classed {
		d.why = failed.Shown()
	}
	if until, throttled := throttledUntil(err, now); throttled {
		d.retryAt = until
		return
	}
	if classed && failed.Code == failure.Fault {
		d.reason = v1alpha1.ReasonInternalError
	}
	if classed && failed.Class == failure.Terminal {
		d.reason = failure.ReasonOf(err, v1alpha1.ReasonAIRefused)
		wait = refusedRetry
	}
	d.retryAt = now.Add(jitter(wait))
}

// throttledUntil is until when the AI asked not to be called, if it did.
func throttledUntil(err error, now time.Time) (time.Time, bool) {
	failed, classed := failure.As(err)
	if !classed || failed.Class != failure.Throttled || !failed.RetryAt.After(now) {
		return time.Time{}, false
	}
	return failed.RetryAt, true
}
