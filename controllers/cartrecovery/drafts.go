package cartrecovery

import (
	"context"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/controllers/cartrecovery/plan"
	"cartrecovery.dev/operator/internal/ai"
	"cartrecovery.dev/operator/internal/backoff"
	"cartrecovery.dev/operator/internal/budget"
	"cartrecovery.dev/operator/internal/failure"
	"cartrecovery.dev/operator/internal/metrics"
	"cartrecovery.dev/operator/internal/panics"
)

const (
	// defaultWorkers is how many texts are written at once: half of them for one namespace, a quarter
	// for one Store.
	defaultWorkers = 128
	// refusedRetry is how long a request the AI refused for good is left alone: until then
	// a person may have changed the key, the model or the prompt.
	refusedRetry = 2 * time.Minute
	// draftBackoff and maxDraftBackoff bound the wait after a failed call to the AI.
	draftBackoff    = 2 * time.Second
	maxDraftBackoff = time.Minute
	// keepRefused is how long a text that was refused twice is not written again.
	keepRefused = 4 * plan.FreshFor
	// longestNap bounds how long a pause goes unwatched: a timer does not see that the clock
	// was set forward.
	longestNap = time.Minute
)

// drafts has texts written ahead by a bounded number of workers, off the reconcile
// workers, so that a slow AI delays nobody's message that is already written. They live in
// the leader's memory: a restart loses them, and they are simply written again.
type drafts struct {
	options draftOptions
	// reviewAtMost is how long a text that is due waits for its review, reviewAhead how long one
	// does that is written ahead.
	reviewAtMost, reviewAhead time.Duration
	// timer makes the timers that pauses end by.
	timer func(time.Duration) clock.Timer
	// done tells the controller that a lead's draft is ready or has failed.
	done chan event.TypedGenericEvent[*v1alpha1.CartRecovery]
	// rearm tells that there is a new pause.
	rearm chan struct{}

	mu      sync.Mutex
	wake    *sync.Cond
	turns   *turns
	entries map[types.NamespacedName]*entry
	// unbooked are the tokens that the texts of a lead have cost and that its status does not say
	// yet, sent or not.
	unbooked map[types.NamespacedName]int64
}

// entry is the draft of one lead: at most one message of a lead is wanted at a time.
type entry struct {
	text  plan.TextID
	draft plan.Draft
	// job is set while the draft is pending.
	job *queued
	// keepsPlace says that the last failure was none of the text's own.
	keepsPlace bool
}

// job is a text to write.
type job struct {
	lead types.NamespacedName
	// store of the lead: stores take turns, and each has a budget.
	store   types.NamespacedName
	text    plan.TextID
	due     time.Time
	request ai.Request
	// endpoint names the AI and the account: when it asks to wait, all texts for it do. ""
	// is one that no other store shares.
	endpoint string
	// estimate of the tokens of the request, its answer among them.
	estimate int64
	// limit is the store's budget of tokens for a day in its time zone; nil is none, a nil
	// zone UTC.
	limit *int64
	zone  *time.Location
	// check says why a text may not be sent: the reason in one fixed word, "" when it may be
	// sent, and the detail in words that hold nothing of the text. Nil lets everything pass.
	check func(text string) (reason, detail string)
	// review is the second look at a text that check has passed; nil for none.
	review *review
	// rewrite is the request for another text, in place of one that was refused; nil for
	// no second try.
	rewrite func(refused, detail string) ai.Request
}

// draftOptions are what drafts are made of. Every field but Reviewer must be set.
type draftOptions struct {
	// Writer writes the texts.
	Writer ai.Writer
	// Reviewer looks at what was written; nil for nobody.
	Reviewer ai.Reviewer
	// Clock tells the time.
	Clock clock.PassiveClock
	// Random spreads waits.
	Random backoff.Random
	// Metrics counts.
	Metrics *metrics.Metrics
	// Budget keeps the tokens of the Stores; whoever asks for a text seeds it before.
	Budget *budget.Ledger
	// Workers is how many texts are written at once.
	Workers int
}

// newDrafts makes the drafts, which Start works on.
func newDrafts(options draftOptions) *drafts {
	d := &drafts{
		options: options, reviewAtMost: reviewAtMost, reviewAhead: reviewAhead,
		timer:   clock.RealClock{}.NewTimer,
		done:    make(chan event.TypedGenericEvent[*v1alpha1.CartRecovery], options.Workers),
		rearm:   make(chan struct{}, 1),
		turns:   newTurns(options.Workers),
		entries: map[types.NamespacedName]*entry{}, unbooked: map[types.NamespacedName]int64{},
	}
	d.wake = sync.NewCond(&d.mu)
	return d
}

// Done tells the controller which lead's draft is ready or has failed.
func (d *drafts) Done() <-chan event.TypedGenericEvent[*v1alpha1.CartRecovery] { return d.done }

// get returns the draft of a lead's message.
func (d *drafts) get(name types.NamespacedName, text plan.TextID) plan.Draft {
	d.mu.Lock()
	defer d.mu.Unlock()
	found, ok := d.entries[name]
	if !ok || found.text != text {
		return plan.Draft{}
	}
	now := d.options.Clock.Now()
	if isOutdated(&found.draft, now) {
		found.draft = plan.Draft{Tokens: found.draft.Tokens}
	}
	if found.job != nil && found.job.index >= 0 {
		return d.waitingDraft(found, now)
	}
	return found.draft
}

// isOutdated says whether a draft was kept for as long as it may be. A refused one is kept
// longer: writing it again costs as much, and is refused as likely.
func isOutdated(d *plan.Draft, now time.Time) bool {
	switch d.State {
	case plan.DraftReady:
		return now.Sub(d.ReadyAt) > plan.FreshFor
	case plan.DraftRefused, plan.DraftHandOff, plan.DraftStop, plan.DraftWrongNumber:
		return now.Sub(d.ReadyAt) > keepRefused || !d.RetryAt.IsZero() && !now.Before(d.RetryAt)
	default:
		return false
	}
}

// waitingDraft shows a draft that waits for its turn: when its endpoint is paused it shows
// the pause as the failure it is.
func (d *drafts) waitingDraft(found *entry, now time.Time) plan.Draft {
	paused, ok := d.turns.paused(found.job.lane.endpoint, now)
	if !ok {
		if !paused.until.IsZero() {
			d.wake.Broadcast() // the pause has ended, whatever its timer says
		}
		return found.draft
	}
	if found.draft.FirstFailedAt.IsZero() {
		found.draft.FirstFailedAt = plan.Latest(paused.since, found.job.asked)
	}
	shown := found.draft
	shown.Failures = max(shown.Failures, 1)
	shown.Reason, shown.Why, shown.RetryAt = v1alpha1.ReasonAIUnavailable, paused.why, paused.until
	return shown
}

// request has a text written. What is being written already, is written, was refused, or has
// no budget left today is not asked for again.
func (d *drafts) request(wanted job) {
	d.mu.Lock()
	defer d.mu.Unlock()
	found, now := d.open(wanted.lead, wanted.text), d.options.Clock.Now()
	switch found.draft.State {
	case plan.DraftNone, plan.DraftFailed:
	case plan.DraftExhausted:
		if now.Before(found.draft.RetryAt) {
			return
		}
	default:
		return
	}
	if found.draft.Failures > 0 && !found.keepsPlace && wanted.due.Before(now) {
		// One that keeps failing must not stay before all others.
		wanted.due = now
	}
	found.draft.State = plan.DraftPending
	found.job = d.turns.push(wanted, now)
	d.wake.Signal()
}

// open returns the entry of a text, and makes it in place of the one of an older text, which is
// no longer written: a customer who goes on writing has one text written at a time. What the
// older text of the same message cost is carried over.
func (d *drafts) open(name types.NamespacedName, id plan.TextID) *entry {
	old, ok := d.entries[name]
	if ok && old.text == id {
		return old
	}
	made := &entry{text: id}
	if ok {
		d.drop(old.job)
		if old.text.SameMessage(id) {
			made.draft.Tokens = old.draft.Tokens
		}
	}
	d.entries[name] = made
	return made
}

// refuse records that a text could not even be asked for; reason is what then blocks the
// lead.
func (d *drafts) refuse(name types.NamespacedName, id plan.TextID, reason string, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	found := d.open(name, id)
	d.drop(found.job)
	found.job = nil
	failDraft(&found.draft, err, d.options.Clock.Now(), d.options.Random)
	found.draft.Reason = reason
}

// spent is what the texts of a lead have cost that does not stand in its status yet, in tokens.
func (d *drafts) spent(name types.NamespacedName) int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.unbooked[name]
}

// booked says that so many tokens of what a lead's texts have cost stand in its status now.
func (d *drafts) booked(name types.NamespacedName, tokens int64) {
	if tokens == 0 {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.unbooked[name] -= tokens; d.unbooked[name] <= 0 {
		delete(d.unbooked, name)
	}
}

// claimed says that so many tokens of what a lead's text has cost stand on its message now.
func (d *drafts) claimed(name types.NamespacedName, tokens int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if found, ok := d.entries[name]; ok {
		found.draft.Tokens = max(0, found.draft.Tokens-tokens)
	}
}

// gone drops all that is known of a lead that is no more.
func (d *drafts) gone(name types.NamespacedName) {
	d.forget(name)
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.unbooked, name)
}

// forget drops a lead's draft.
func (d *drafts) forget(name types.NamespacedName) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if found, ok := d.entries[name]; ok {
		d.drop(found.job)
		delete(d.entries, name)
	}
}

// drop has a text not written, or no longer: nobody wants it. The caller holds the lock.
func (d *drafts) drop(unwanted *queued) {
	d.turns.remove(unwanted)
	if unwanted != nil && unwanted.abandon != nil {
		unwanted.abandon()
	}
}

// waiting is how many texts wait for a worker.
func (d *drafts) waiting() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.turns.waiting()
}

// NeedLeaderElection is true: only the leader sends.
func (d *drafts) NeedLeaderElection() bool { return true }

// Start runs the workers until the context ends.
func (d *drafts) Start(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.wake.Broadcast()
	})
	defer stop()
	var workers sync.WaitGroup
	workers.Go(func() { d.endPauses(ctx) })
	for range d.options.Workers {
		workers.Go(func() { d.work(ctx) })
	}
	workers.Wait()
	return nil
}

// endPauses wakes the workers whenever a pause ends.
func (d *drafts) endPauses(ctx context.Context) {
	for ctx.Err() == nil {
		var timer clock.Timer
		var ended <-chan time.Time
		if wait := panics.Keep(ctx, panics.Pauses, longestNap, d.wakeAndWait); wait > 0 {
			timer = d.timer(min(wait, longestNap))
			ended = timer.C()
		}
		select {
		case <-ended:
		case <-d.rearm:
		case <-ctx.Done():
		}
		if timer != nil {
			timer.Stop()
		}
	}
}

// wakeAndWait wakes the workers and returns how long the next pause lasts, 0 when there is
// none. Both under one lock: no pause ends in between unseen.
func (d *drafts) wakeAndWait() time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.wake.Broadcast()
	now := d.options.Clock.Now()
	if lapses := d.turns.lapses(now); !lapses.IsZero() {
		return lapses.Sub(now)
	}
	return 0
}

func (d *drafts) work(ctx context.Context) {
	for {
		writing, next := d.next(ctx)
		if next == nil {
			return
		}
		made := d.composeSafely(writing, next)
		next.abandon()
		if panics.Keep(ctx, panics.Text, true, func() bool { return d.finish(ctx, next, made) }) {
			d.tell(ctx, next.lead)
		}
	}
}

// next waits for a text to write; nil when the context ends. The text's own context ends when
// nobody wants it any more. Whoever gets one wakes another, who may find one too.
func (d *drafts) next(ctx context.Context) (context.Context, *queued) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for ctx.Err() == nil {
		if next := d.turns.take(d.options.Clock.Now()); next != nil {
			var writing context.Context
			writing, next.abandon = context.WithCancel(ctx)
			d.wake.Signal()
			return writing, next
		}
		d.wake.Wait()
	}
	return ctx, nil
}

// finish records what came of a text, and says whether there is something to tell.
func (d *drafts) finish(ctx context.Context, written *queued, made outcome) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.turns.ended(written)
	d.wake.Signal()
	d.book(written.lead, made.tokens)
	if ctx.Err() != nil {
		return false
	}
	now := d.options.Clock.Now()
	throttled := d.heed(written.lane.endpoint, made, now)
	found, ok := d.entries[written.lead]
	switch {
	case !ok || !found.text.SameMessage(written.text):
		return true
	case found.job != written:
		// Another text has taken its place, which is sent at the price of both.
		found.draft.Tokens = budget.Sum(found.draft.Tokens, made.tokens)
		return true
	}
	found.job, found.keepsPlace = nil, throttled
	settleDraft(&found.draft, made, now, written.zone, d.options.Random)
	if made.state == plan.DraftPending {
		d.turns.starve(written.store)
		found.job = d.turns.push(written.job, written.asked)
	}
	return made.state != plan.DraftPending
}

// book counts what a text has cost, whatever becomes of it.
func (d *drafts) book(name types.NamespacedName, tokens int64) {
	if tokens > 0 {
		d.unbooked[name] = budget.Sum(d.unbooked[name], tokens)
	}
}

// heed keeps to what an endpoint asked for, and says whether it asked to wait.
func (d *drafts) heed(endpoint string, made outcome, now time.Time) bool {
	until, throttled := throttledUntil(made.err, now)
	switch {
	case throttled:
		failed, _ := failure.As(made.err)
		d.turns.pause(endpoint, until, failed.Shown(), now)
		select {
		case d.rearm <- struct{}{}:
		default:
		}
	case made.state == plan.DraftReady, made.state == plan.DraftRefused, made.state == plan.DraftHandOff,
		made.state == plan.DraftStop, made.state == plan.DraftWrongNumber:
		d.turns.answered(endpoint, now)
	}
	return throttled
}

// tell has a lead planned anew.
func (d *drafts) tell(ctx context.Context, name types.NamespacedName) {
	lead := &v1alpha1.CartRecovery{}
	lead.Namespace, lead.Name = name.Namespace, name.Name
	select {
	case d.done <- event.TypedGenericEvent[*v1alpha1.CartRecovery]{Object: lead}:
	case <-ctx.Done():
	}
}
