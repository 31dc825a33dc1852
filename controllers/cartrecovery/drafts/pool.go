package drafts

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
	"cartrecovery.dev/operator/internal/instant"
	"cartrecovery.dev/operator/internal/metrics"
	"cartrecovery.dev/operator/internal/panics"
)

const (
	// DefaultWorkers is how many texts are written at once: half of them for one namespace, a quarter
	// for one Store.
	DefaultWorkers = 128
	// refusedRetry is how long a request the AI refused for good is left alone: until then
	// a person may have changed the key, the model or the prompt.
	refusedRetry = 2 * time.Minute
	// firstBackoff and maxBackoff bound the wait after a failed call to the AI.
	firstBackoff = 2 * time.Second
	maxBackoff   = time.Minute
	// keepRefused is how long a text that was refused twice is not written again.
	keepRefused = 4 * plan.FreshFor
	// longestNap bounds how long a pause goes unwatched: a timer does not see that the clock
	// was set forward.
	longestNap = time.Minute
)

// Pool has texts written by a bounded number of workers, and keeps what they wrote until it is sent.
type Pool struct {
	options Options
	// reviewAtMost is how long a due text waits for its review; reviewAhead is how long a text waits
	// that is written ahead.
	reviewAtMost, reviewAhead time.Duration
	// timer makes the timers that end pauses.
	timer func(time.Duration) clock.Timer
	// done carries the leads whose draft is ready or has failed.
	done chan event.TypedGenericEvent[*v1alpha1.CartRecovery]
	// rearm says that a new pause has begun.
	rearm chan struct{}

	mu      sync.Mutex
	wake    *sync.Cond
	queue   *queue
	entries map[types.NamespacedName]*entry
	// unbooked are the tokens that a lead's texts have cost, sent or not, and that its status does not
	// count yet.
	unbooked map[types.NamespacedName]int64
}

// entry is the draft of one lead: at most one message of a lead is wanted at a time.
type entry struct {
	text  plan.TextID
	draft plan.Draft
	// job is set while the draft is pending.
	job *queued
	// keepsPlace says that the endpoint failed, not the text: it keeps its place in the queue.
	keepsPlace bool
}

// Job is a text to write.
type Job struct {
	// Lead that the text is for.
	Lead types.NamespacedName
	// Store of the lead. The queue is fair among Stores, and each has a budget.
	Store types.NamespacedName
	// Text names the message and what it answers.
	Text plan.TextID
	// Due is when the message is to be sent.
	Due time.Time
	// Request is what the AI is asked.
	Request ai.Request
	// Endpoint names the AI and the account: when it asks to wait, all its texts do. "" is an endpoint that
	// no other Store shares.
	Endpoint string
	// Estimate is how many tokens the request costs, its answer and its review included.
	Estimate int64
	// Limit is the Store's budget of tokens for a day; nil for none.
	Limit *int64
	// Zone is the time zone of that day; nil for UTC.
	Zone *time.Location
	// Check says why a text may not be sent: the reason in one fixed word, "" for a text that may be
	// sent, and the detail in words that hold nothing of the text. Nil lets every text pass.
	Check func(text string) (reason, detail string)
	// Review is the second look at a text that Check has passed; nil for none.
	Review *Review
	// Rewrite makes the request for another text in place of a refused one; nil for no second try.
	Rewrite func(refused, detail string) ai.Request
}

// Options are what a Pool is made of. Every field but Reviewer must be set.
type Options struct {
	// Writer writes the texts.
	Writer ai.Writer
	// Reviewer looks at what was written; nil for nobody.
	Reviewer ai.Reviewer
	// Clock tells the time.
	Clock clock.PassiveClock
	// Random returns numbers in [0,1), which spread waits.
	Random backoff.Random
	// Metrics counts texts, calls and tokens.
	Metrics *metrics.Metrics
	// Budget keeps the tokens of the Stores; whoever asks for a text seeds it before.
	Budget *budget.Ledger
	// Workers is how many texts are written at once.
	Workers int
}

// New makes a Pool. It writes nothing before Start.
func New(options Options) *Pool {
	p := &Pool{
		options: options, reviewAtMost: reviewAtMost, reviewAhead: reviewAhead,
		timer:   clock.RealClock{}.NewTimer,
		done:    make(chan event.TypedGenericEvent[*v1alpha1.CartRecovery], options.Workers),
		rearm:   make(chan struct{}, 1),
		queue:   newQueue(options.Workers),
		entries: map[types.NamespacedName]*entry{}, unbooked: map[types.NamespacedName]int64{},
	}
	p.wake = sync.NewCond(&p.mu)
	return p
}

// Done carries the leads whose draft is ready or has failed.
func (p *Pool) Done() <-chan event.TypedGenericEvent[*v1alpha1.CartRecovery] { return p.done }

// Get returns the draft of a lead's message.
func (p *Pool) Get(name types.NamespacedName, text plan.TextID) plan.Draft {
	p.mu.Lock()
	defer p.mu.Unlock()
	found, ok := p.entries[name]
	if !ok || found.text != text {
		return plan.Draft{}
	}
	now := p.options.Clock.Now()
	if isOutdated(&found.draft, now) {
		found.draft = plan.Draft{Tokens: found.draft.Tokens}
	}
	if found.job != nil && found.job.index >= 0 {
		return p.waitingDraft(found, now)
	}
	return found.draft
}

// isOutdated says whether a draft is too old to be used. A refused one is kept longer: writing it again
// costs as much and is as likely to be refused.
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

// waitingDraft returns a draft that waits in the queue. While its endpoint is paused it shows the pause
// as a failure of the AI.
func (p *Pool) waitingDraft(found *entry, now time.Time) plan.Draft {
	paused, ok := p.queue.paused(found.job.flow.endpoint, now)
	if !ok {
		if !paused.until.IsZero() {
			p.wake.Broadcast() // the pause has ended, whatever its timer says
		}
		return found.draft
	}
	if found.draft.FirstFailedAt.IsZero() {
		found.draft.FirstFailedAt = instant.Later(paused.since, found.job.asked)
	}
	shown := found.draft
	shown.Failures = max(shown.Failures, 1)
	shown.Reason, shown.Why, shown.RetryAt = v1alpha1.ReasonAIUnavailable, paused.why, paused.until
	return shown
}

// Request has a text written, unless it is being written already, is written, was refused, or has no
// budget left today.
func (p *Pool) Request(wanted Job) {
	p.mu.Lock()
	defer p.mu.Unlock()
	found, now := p.open(wanted.Lead, wanted.Text), p.options.Clock.Now()
	switch found.draft.State {
	case plan.DraftNone, plan.DraftFailed:
	case plan.DraftExhausted:
		if now.Before(found.draft.RetryAt) {
			return
		}
	default:
		return
	}
	if found.draft.Failures > 0 && !found.keepsPlace && wanted.Due.Before(now) {
		// A text that keeps failing must not stay ahead of all others.
		wanted.Due = now
	}
	found.draft.State = plan.DraftPending
	found.job = p.queue.push(wanted, now)
	p.wake.Signal()
}

// open returns the entry of a text. A new one replaces the entry of the lead's older text, which is no
// longer written: a customer who goes on writing has one text written at a time. The new text of the
// same message carries the cost of the older one.
func (p *Pool) open(name types.NamespacedName, id plan.TextID) *entry {
	old, ok := p.entries[name]
	if ok && old.text == id {
		return old
	}
	made := &entry{text: id}
	if ok {
		p.drop(old.job)
		if old.text.SameMessage(id) {
			made.draft.Tokens = old.draft.Tokens
		}
	}
	p.entries[name] = made
	return made
}

// Refuse records that a text could not even be asked for, and the reason that blocks the lead then.
func (p *Pool) Refuse(name types.NamespacedName, id plan.TextID, reason string, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	found := p.open(name, id)
	p.drop(found.job)
	found.job = nil
	fail(&found.draft, err, p.options.Clock.Now(), p.options.Random)
	found.draft.Reason = reason
}

// Unbooked is how many tokens the texts of a lead have cost that its status does not count yet.
func (p *Pool) Unbooked(name types.NamespacedName) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.unbooked[name]
}

// Book records that a lead's status counts so many more tokens of its texts now.
func (p *Pool) Book(name types.NamespacedName, tokens int64) {
	if tokens == 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.unbooked[name] -= tokens; p.unbooked[name] <= 0 {
		delete(p.unbooked, name)
	}
}

// Claim records that a lead's message was claimed with so many tokens of its text.
func (p *Pool) Claim(name types.NamespacedName, tokens int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if found, ok := p.entries[name]; ok {
		found.draft.Tokens = max(0, found.draft.Tokens-tokens)
	}
}

// Remove drops all that is known of a lead that was deleted.
func (p *Pool) Remove(name types.NamespacedName) {
	p.Forget(name)
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.unbooked, name)
}

// Forget drops a lead's draft; its cost stays known until it is booked.
func (p *Pool) Forget(name types.NamespacedName) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if found, ok := p.entries[name]; ok {
		p.drop(found.job)
		delete(p.entries, name)
	}
}

// drop takes an unwanted text out of the queue, or breaks off its writing. The caller holds the lock.
func (p *Pool) drop(unwanted *queued) {
	p.queue.remove(unwanted)
	if unwanted != nil && unwanted.abandon != nil {
		unwanted.abandon()
	}
}

// Waiting is how many texts wait for a worker.
func (p *Pool) Waiting() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.queue.waiting()
}

// NeedLeaderElection is true: only the leader sends.
func (p *Pool) NeedLeaderElection() bool { return true }

// Start runs the workers until the context ends.
func (p *Pool) Start(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.wake.Broadcast()
	})
	defer stop()
	var workers sync.WaitGroup
	workers.Go(func() { p.endPauses(ctx) })
	for range p.options.Workers {
		workers.Go(func() { p.work(ctx) })
	}
	workers.Wait()
	return nil
}

// endPauses wakes the workers whenever a pause ends.
func (p *Pool) endPauses(ctx context.Context) {
	for ctx.Err() == nil {
		var timer clock.Timer
		var ended <-chan time.Time
		if wait := panics.Keep(ctx, panics.Pauses, longestNap, p.wakeAndWait); wait > 0 {
			timer = p.timer(min(wait, longestNap))
			ended = timer.C()
		}
		select {
		case <-ended:
		case <-p.rearm:
		case <-ctx.Done():
		}
		if timer != nil {
			timer.Stop()
		}
	}
}

// wakeAndWait wakes the workers and returns how long the next pause lasts, 0 for none. It does both under
// one lock, so that no pause ends in between unseen.
func (p *Pool) wakeAndWait() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wake.Broadcast()
	now := p.options.Clock.Now()
	if lapses := p.queue.lapses(now); !lapses.IsZero() {
		return lapses.Sub(now)
	}
	return 0
}

func (p *Pool) work(ctx context.Context) {
	for {
		writing, next := p.next(ctx)
		if next == nil {
			return
		}
		made := p.composeSafely(writing, next)
		next.abandon()
		if panics.Keep(ctx, panics.Text, true, func() bool { return p.finish(ctx, next, made) }) {
			p.tell(ctx, next.Lead)
		}
	}
}

// next waits for a text to write; nil when the context ends. The text's own context ends when nobody
// wants the text any more. A worker that gets one wakes another, which may find one too.
func (p *Pool) next(ctx context.Context) (context.Context, *queued) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for ctx.Err() == nil {
		if next := p.queue.take(p.options.Clock.Now()); next != nil {
			var writing context.Context
			writing, next.abandon = context.WithCancel(ctx)
			p.wake.Signal()
			return writing, next
		}
		p.wake.Wait()
	}
	return ctx, nil
}

// finish records the outcome of a text, and says whether the controller has to look at its lead.
func (p *Pool) finish(ctx context.Context, written *queued, made outcome) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.queue.ended(written)
	p.wake.Signal()
	p.count(written.Lead, made.tokens)
	if ctx.Err() != nil {
		return false
	}
	now := p.options.Clock.Now()
	throttled := p.heed(written.flow.endpoint, made, now)
	found, ok := p.entries[written.Lead]
	switch {
	case !ok || !found.text.SameMessage(written.Text):
		return true
	case found.job != written:
		// Another text has taken its place, and is sent at the price of both.
		found.draft.Tokens = budget.Sum(found.draft.Tokens, made.tokens)
		return true
	}
	found.job, found.keepsPlace = nil, throttled
	settle(&found.draft, made, now, written.Zone, p.options.Random)
	if made.state == plan.DraftPending {
		p.queue.hold(written.Store)
		found.job = p.queue.push(written.Job, written.asked)
	}
	return made.state != plan.DraftPending
}

// count adds the cost of a text, whatever becomes of it.
func (p *Pool) count(name types.NamespacedName, tokens int64) {
	if tokens > 0 {
		p.unbooked[name] = budget.Sum(p.unbooked[name], tokens)
	}
}

// heed pauses an endpoint that asked to wait, and says whether it did.
func (p *Pool) heed(endpoint string, made outcome, now time.Time) bool {
	until, throttled := throttledUntil(made.err, now)
	switch {
	case throttled:
		failed, _ := failure.As(made.err)
		p.queue.pause(endpoint, until, failed.Shown(), now)
		select {
		case p.rearm <- struct{}{}:
		default:
		}
	case made.state == plan.DraftReady, made.state == plan.DraftRefused, made.state == plan.DraftHandOff,
		made.state == plan.DraftStop, made.state == plan.DraftWrongNumber:
		p.queue.answered(endpoint, now)
	}
	return throttled
}

// tell has a lead planned again.
func (p *Pool) tell(ctx context.Context, name types.NamespacedName) {
	lead := &v1alpha1.CartRecovery{}
	lead.Namespace, lead.Name = name.Namespace, name.Name
	select {
	case p.done <- event.TypedGenericEvent[*v1alpha1.CartRecovery]{Object: lead}:
	case <-ctx.Done():
	}
}
