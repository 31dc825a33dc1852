package cartrecovery

import (
	"container/heap"
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/ai"
	"cartrecovery.dev/operator/internal/failure"
	"cartrecovery.dev/operator/internal/metrics"
)

const (
	// refusedRetry is how long a request the AI refused for good is left alone: until then
	// a person may have changed the key, the model or the prompt.
	refusedRetry = 2 * time.Minute
	// draftBackoff and maxDraftBackoff bound the wait after a failed call to the AI.
	draftBackoff    = 2 * time.Second
	maxDraftBackoff = time.Minute
	// freshFor is how long a text that is ready may wait to be sent: after that its coupon or
	// its tone may be out of date, and it is written again.
	freshFor = 15 * time.Minute
)

// drafts has texts written ahead by a bounded number of workers, off the reconcile
// workers, so that a slow AI delays nobody's message that is already written. They live in
// the leader's memory: a restart loses them, and they are simply written again.
type drafts struct {
	writer  ai.Writer
	clock   clock.PassiveClock
	metrics *metrics.Metrics
	workers int
	// done tells the controller that a lead's draft is ready or has failed.
	done chan event.TypedGenericEvent[*v1alpha1.CartRecovery]

	mu      sync.Mutex
	wake    *sync.Cond
	queue   jobs
	entries map[types.NamespacedName]*entry
}

// entry is the draft of one lead: at most one message of a lead is wanted at a time.
type entry struct {
	text  textID
	draft draft
}

// textID names the text of one message of one lead; the UID tells a lead from one that was
// deleted and made anew, the basis the Store, Product and conversation it was written for
// from what they are now.
type textID struct {
	uid       types.UID
	messageID string
	basis     string
}

// job is a text to write.
type job struct {
	lead    types.NamespacedName
	text    textID
	due     time.Time
	request ai.Request
}

func newDrafts(writer ai.Writer, passive clock.PassiveClock, counters *metrics.Metrics, workers int) *drafts {
	d := &drafts{
		writer: writer, clock: passive, metrics: counters, workers: workers,
		done:    make(chan event.TypedGenericEvent[*v1alpha1.CartRecovery], workers),
		entries: map[types.NamespacedName]*entry{},
	}
	d.wake = sync.NewCond(&d.mu)
	return d
}

// get returns the draft of a lead's message.
func (d *drafts) get(name types.NamespacedName, text textID) draft {
	d.mu.Lock()
	defer d.mu.Unlock()
	found, ok := d.entries[name]
	if !ok || found.text != text {
		return draft{}
	}
	if found.draft.state == draftReady && d.clock.Since(found.draft.readyAt) > freshFor {
		delete(d.entries, name)
		return draft{}
	}
	return found.draft
}

// request has a text written; the earliest due come first. A text that is being written
// already is not asked for again.
func (d *drafts) request(wanted job) {
	d.mu.Lock()
	defer d.mu.Unlock()
	found, ok := d.entries[wanted.lead]
	if !ok || found.text != wanted.text {
		found = &entry{text: wanted.text}
		d.entries[wanted.lead] = found
	}
	if found.draft.state == draftPending || found.draft.state == draftReady {
		return
	}
	if found.draft.failures > 0 && wanted.due.Before(d.clock.Now()) {
		// One that keeps failing must not stay before all others.
		wanted.due = d.clock.Now()
	}
	found.draft.state = draftPending
	heap.Push(&d.queue, wanted)
	d.wake.Signal()
}

// put stores a text that needs no AI.
func (d *drafts) put(name types.NamespacedName, id textID, text string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.entries[name] = &entry{text: id, draft: draft{state: draftReady, text: text, readyAt: d.clock.Now()}}
}

// refuse records that a text could not even be asked for; reason is what then blocks the
// lead.
func (d *drafts) refuse(name types.NamespacedName, id textID, reason string, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	found := &entry{text: id}
	found.draft.fail(err, d.clock.Now())
	found.draft.reason = reason
	d.entries[name] = found
}

// forget drops a lead's draft.
func (d *drafts) forget(name types.NamespacedName) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.entries, name)
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
	for range d.workers {
		workers.Go(func() { d.work(ctx) })
	}
	workers.Wait()
	return nil
}

func (d *drafts) work(ctx context.Context) {
	for {
		next, ok := d.next(ctx)
		if !ok {
			return
		}
		d.write(ctx, next)
	}
}

func (d *drafts) next(ctx context.Context) (job, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for ctx.Err() == nil {
		if len(d.queue) == 0 {
			d.wake.Wait()
			continue
		}
		next := heap.Pop(&d.queue).(job)
		if found, ok := d.entries[next.lead]; ok && found.text == next.text {
			return next, true
		}
	}
	return job{}, false
}

func (d *drafts) write(ctx context.Context, next job) {
	calling, cancel := context.WithTimeout(ctx, ai.Timeout)
	defer cancel()
	answer, err := d.writer.Write(calling, next.request)
	if ctx.Err() != nil {
		return
	}
	d.count(answer, err)
	d.finish(next, answer, err)
	lead := &v1alpha1.CartRecovery{}
	lead.Namespace, lead.Name = next.lead.Namespace, next.lead.Name
	select {
	case d.done <- event.TypedGenericEvent[*v1alpha1.CartRecovery]{Object: lead}:
	case <-ctx.Done():
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

func (d *drafts) finish(next job, answer ai.Answer, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	found, ok := d.entries[next.lead]
	if !ok || found.text != next.text {
		return
	}
	if err != nil {
		found.draft.fail(err, d.clock.Now())
		return
	}
	found.draft = draft{state: draftReady, text: ai.CleanAnswer(answer.Text), tokens: answer.Usage.Total(), readyAt: d.clock.Now()}
}

// fail records a failed call and when to ask again: when the service said so, else after
// an exponential backoff with jitter.
func (d *draft) fail(err error, now time.Time) {
	d.state = draftFailed
	d.failures++
	d.reason, d.why = v1alpha1.ReasonAIUnavailable, "the AI does not answer; the text is asked for again"
	wait := min(draftBackoff<<min(d.failures-1, 10), maxDraftBackoff)
	failed, classed := failure.As(err)
	if classed {
		d.why = failed.Error()
	}
	switch {
	case classed && failed.Class == failure.Throttled && failed.RetryAt.After(now):
		d.retryAt = failed.RetryAt
		return
	case classed && failed.Class == failure.Terminal:
		d.reason = v1alpha1.ReasonAIRefused
		wait = refusedRetry
	}
	d.retryAt = now.Add(jitter(wait))
}

// jitter spreads a wait by a fifth either way.
func jitter(wait time.Duration) time.Duration {
	return wait + time.Duration((rand.Float64()-0.5)*0.4*float64(wait)) //nolint:gosec // spreads load, guards nothing
}

// jobs is a heap of texts to write, the earliest due first.
type jobs []job

func (j jobs) Len() int           { return len(j) }
func (j jobs) Less(a, b int) bool { return j[a].due.Before(j[b].due) }
func (j jobs) Swap(a, b int)      { j[a], j[b] = j[b], j[a] }

// Push adds a job; for container/heap.
func (j *jobs) Push(x any) { *j = append(*j, x.(job)) }

// Pop takes the last job; for container/heap.
func (j *jobs) Pop() any {
	old := *j
	last := old[len(old)-1]
	old[len(old)-1] = job{}
	*j = old[:len(old)-1]
	return last
}
