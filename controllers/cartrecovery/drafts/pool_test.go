package drafts

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/types"
	clocktesting "k8s.io/utils/clock/testing"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/controllers/cartrecovery/plan"
	"cartrecovery.dev/operator/internal/ai"
	"cartrecovery.dev/operator/internal/budget"
	"cartrecovery.dev/operator/internal/failure"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/metrics"
	"cartrecovery.dev/operator/internal/panics"
)

// patience is how long these tests wait for what must happen.
const patience = 10 * time.Second

// pen is a Writer whose answers a test hands out one by one.
type pen struct {
	mu     sync.Mutex
	asked  []string
	began  chan string
	answer chan func() (ai.Answer, error)
}

func newPen() *pen {
	return &pen{began: make(chan string, 1000), answer: make(chan func() (ai.Answer, error), 1000)}
}

// Write answers with what the test put into answer.
func (p *pen) Write(ctx context.Context, request ai.Request) (ai.Answer, error) {
	p.mu.Lock()
	p.asked = append(p.asked, request.Model)
	p.mu.Unlock()
	p.began <- request.Model
	select {
	case answer := <-p.answer:
		return answer()
	case <-ctx.Done():
		return ai.Answer{}, ctx.Err()
	}
}

func (p *pen) order() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.asked)
}

func (p *pen) writes(text string) {
	p.answer <- func() (ai.Answer, error) {
		return ai.Answer{Text: text, Usage: ai.Usage{Prompt: 3, Completion: 4}}, nil
	}
}

func (p *pen) fails(err error) { p.answer <- func() (ai.Answer, error) { return ai.Answer{}, err } }

// desk is a pool of drafts that runs, and what is around it.
type desk struct {
	*Pool
	t      *testing.T
	pen    *pen
	clock  *clocktesting.FakeClock
	meters *prometheus.Registry
	cancel context.CancelFunc
	ended  chan error
}

func newDesk(t *testing.T, workers int) *desk {
	t.Helper()
	meters := prometheus.NewRegistry()
	counters, err := metrics.New(meters)
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{t: t, pen: newPen(), clock: clocktesting.NewFakeClock(gen.T0), meters: meters,
		ended: make(chan error, 1)}
	d.Pool = New(Options{
		Writer: d.pen, Clock: d.clock, Random: rand.Float64, Metrics: counters, Budget: budget.NewLedger(),
		Workers: workers,
	})
	d.timer = d.clock.NewTimer
	ctx, cancel := context.WithCancel(t.Context())
	d.cancel = cancel
	go func() { d.ended <- d.Start(ctx) }()
	t.Cleanup(func() {
		cancel()
		d.stopped()
	})
	return d
}

// stopped waits until the workers have ended.
func (d *desk) stopped() {
	d.t.Helper()
	select {
	case err := <-d.ended:
		if err != nil {
			d.t.Fatalf("the workers ended with %v", err)
		}
		d.ended <- nil
	case <-time.After(patience):
		d.t.Fatal("the workers do not end")
	}
}

// began waits until a text is being written, and returns which.
func (d *desk) began() string {
	d.t.Helper()
	return receive(d.t, d.pen.began, "no text is being written")
}

// told waits until the controller is told of a lead, and returns which.
func (d *desk) told() string {
	d.t.Helper()
	return receive(d.t, d.done, "nobody is told").Object.Name
}

// counted is the value of a counter with this result; "" for one without results.
func (d *desk) counted(name, result string) float64 {
	d.t.Helper()
	families, err := d.meters.Gather()
	if err != nil {
		d.t.Fatal(err)
	}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			labels := metric.GetLabel()
			if family.GetName() == name && (result == "" || labels[0].GetValue() == result) {
				return metric.GetCounter().GetValue()
			}
		}
	}
	return 0
}

func receive[T any](t *testing.T, from <-chan T, otherwise string) T {
	t.Helper()
	select {
	case value := <-from:
		return value
	case <-time.After(patience):
		t.Fatal(otherwise)
	}
	panic("unreachable")
}

func (d *desk) of(lead string) plan.Draft { return d.Get(leadKey(lead), idOf(lead)) }

func (d *desk) want(lead string, due time.Duration) {
	d.Request(Job{Lead: leadKey(lead), Text: idOf(lead), Due: gen.T0.Add(due), Request: ai.Request{Model: lead}})
}

func leadKey(lead string) types.NamespacedName {
	return types.NamespacedName{Namespace: "shop", Name: lead}
}

func idOf(lead string) plan.TextID { return plan.TextID{UID: types.UID("uid-" + lead), MessageID: "m"} }

func TestPoolEarliestDueFirst(t *testing.T) {
	d := newDesk(t, 1)
	d.want("busy", 0)
	d.began()
	for _, number := range []int{4, 1, 5, 3, 2} {
		d.want(fmt.Sprint(number), time.Duration(number)*time.Minute)
	}
	for range 6 {
		d.pen.writes("Oi")
		d.told()
	}
	if got, want := d.pen.order(), []string{"busy", "1", "2", "3", "4", "5"}; !slices.Equal(got, want) {
		t.Errorf("written in the order %v, want %v", got, want)
	}
}

func TestPoolReady(t *testing.T) {
	d := newDesk(t, 2)
	if got := d.of("a"); got.State != plan.DraftNone {
		t.Errorf("before it is asked for: %+v", got)
	}
	d.want("a", 0)
	d.began()
	if got := d.of("a"); got.State != plan.DraftPending {
		t.Errorf("while it is written: %+v", got)
	}
	d.want("a", 0)
	d.pen.writes(`"Oi, **Maria**!"`)
	if name := d.told(); name != "a" {
		t.Errorf("told of %q", name)
	}
	if got := d.of("a"); got.State != plan.DraftReady || got.Text != "Oi, *Maria*!" || got.Tokens != 7 {
		t.Errorf("when it is written: %+v", got)
	}
	d.want("a", 0)
	if got := d.pen.order(); len(got) != 1 {
		t.Errorf("asked %d times for one text", len(got))
	}
	if got := d.Get(leadKey("a"), plan.TextID{UID: "uid-a", MessageID: "other"}); got.State != plan.DraftNone {
		t.Errorf("another message of the lead: %+v", got)
	}
	if got := d.Get(leadKey("a"), plan.TextID{UID: "uid-new", MessageID: "m"}); got.State != plan.DraftNone {
		t.Errorf("the same message of a lead made anew: %+v", got)
	}
	if written, tokens := d.counted("cartrecovery_ai_requests_total",
		"written"), d.counted("cartrecovery_ai_tokens_total", ""); written != 1 || tokens != 7 {
		t.Errorf("counted %v requests and %v tokens", written, tokens)
	}
}

func TestPoolForget(t *testing.T) {
	d := newDesk(t, 1)
	d.want("writing", 0)
	d.began()
	d.want("waiting", time.Minute)
	d.want("kept", 2*time.Minute)
	d.Forget(leadKey("writing"))
	d.Forget(leadKey("waiting"))
	d.told()
	if got := d.of("writing"); got.State != plan.DraftNone {
		t.Errorf("what was forgotten while it was written came back: %+v", got)
	}
	if name := d.began(); name != "kept" {
		t.Errorf("wrote %q, which was forgotten", name)
	}
	d.pen.writes("Oi")
	d.told()
	d.Forget(leadKey("kept"))
	if len(d.entries) != 0 {
		t.Errorf("%d entries are left", len(d.entries))
	}
}

func TestPoolReplaced(t *testing.T) {
	d := newDesk(t, 8)
	d.want("a", 0)
	d.began()
	newer := Job{Lead: leadKey("a"), Text: plan.TextID{UID: "uid-a", MessageID: "newer"}, Due: gen.T0,
		Request: ai.Request{Model: "newer"}}
	d.Request(newer)
	d.told()
	if got := d.Get(newer.Lead, newer.Text); got.State != plan.DraftPending {
		t.Fatalf("the newer text: %+v", got)
	}
	if name := d.began(); name != "newer" {
		t.Fatalf("wrote %q", name)
	}
	d.pen.writes("Oi")
	d.told()
	if got := d.of("a"); got.State != plan.DraftNone {
		t.Errorf("the older text: %+v", got)
	}
	if got := d.Get(newer.Lead, newer.Text); got.State != plan.DraftReady {
		t.Errorf("the newer text: %+v", got)
	}
}

func TestPoolPutAndRefuse(t *testing.T) {
	d := newDesk(t, 1)
	d.put(leadKey("a"), idOf("a"), "Oi")
	if got := d.of("a"); got.State != plan.DraftReady || got.Text != "Oi" || got.Tokens != 0 {
		t.Errorf("a fixed text: %+v", got)
	}
	d.Refuse(leadKey("b"), idOf("b"), v1alpha1.ReasonInvalidTemplate, &failure.Error{Class: failure.Terminal, Op: "op",
		Code: failure.Misconfigured, Detail: "line 1"})
	got := d.of("b")
	if got.State != plan.DraftFailed || got.Reason != v1alpha1.ReasonInvalidTemplate || got.Why != "line 1" {
		t.Errorf("a refused text: %+v", got)
	}
	within(t, "a refused text", got.RetryAt, refusedRetry)
	d.want("b", 0)
	d.began()
	d.pen.writes("Oi")
	d.told()
	if got := d.of("b"); got.State != plan.DraftReady {
		t.Errorf("a refused text, asked for again: %+v", got)
	}
}

// within checks a wait from t0 that may vary by a fifth.
func within(t *testing.T, what string, at time.Time, wait time.Duration) {
	t.Helper()
	if got := at.Sub(gen.T0); got < wait-wait/5 || got > wait+wait/5 {
		t.Errorf("%s: waits %s, want about %s", what, got, wait)
	}
}

func TestPoolBackOff(t *testing.T) {
	d := newDesk(t, 1)
	down := &failure.Error{Class: failure.Transient, Code: failure.Unavailable, Op: "ai: write", Status: 500}
	for i, wait := range []int{2, 4, 8, 16, 32, 60, 60, 60, 60, 60, 60, 60, 60} {
		d.want("a", 0)
		d.began()
		d.pen.fails(down)
		d.told()
		got := d.of("a")
		if got.State != plan.DraftFailed || got.Failures != i+1 || got.Reason != v1alpha1.ReasonAIUnavailable ||
			got.Why != down.Error() {
			t.Fatalf("failure %d: %+v", i+1, got)
		}
		within(t, fmt.Sprintf("failure %d", i+1), got.RetryAt, time.Duration(wait)*time.Second)
	}
	if counted := d.counted("cartrecovery_ai_requests_total", "Transient"); counted != 13 {
		t.Errorf("counted %v failures", counted)
	}
}

func TestDraftFail(t *testing.T) {
	asked := gen.T0.Add(90 * time.Second)
	for _, c := range []struct {
		name   string
		err    error
		reason string
		wait   time.Duration
		exact  bool
	}{
		{"an outage", &failure.Error{Class: failure.Transient}, v1alpha1.ReasonAIUnavailable, firstBackoff, false},
		{"a bad key", &failure.Error{Class: failure.Terminal, Code: failure.Unauthorized}, v1alpha1.ReasonAIRefused,
			refusedRetry, false},
		{"a limit with a time", &failure.Error{Class: failure.Throttled, RetryAt: asked}, v1alpha1.ReasonAIUnavailable,
			90 * time.Second, true},
		{"a limit without one", &failure.Error{Class: failure.Throttled}, v1alpha1.ReasonAIUnavailable, firstBackoff,
			false},
		{"a limit that has passed", &failure.Error{Class: failure.Throttled, RetryAt: gen.T0.Add(-time.Second)},
			v1alpha1.ReasonAIUnavailable, firstBackoff, false},
		{"an error nobody classed", errors.New("Maria's message"), v1alpha1.ReasonAIUnavailable, firstBackoff, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got plan.Draft
			fail(&got, c.err, gen.T0, rand.Float64)
			if got.State != plan.DraftFailed || got.Reason != c.reason {
				t.Errorf("got %+v", got)
			}
			if _, classed := failure.As(c.err); !classed && got.Why == c.err.Error() {
				t.Errorf("shows the text of an error that nobody classed: %q", got.Why)
			}
			if c.exact && !got.RetryAt.Equal(gen.T0.Add(c.wait)) {
				t.Errorf("asks again at %s", got.RetryAt)
			}
			within(t, c.name, got.RetryAt, c.wait)
		})
	}
}

func TestPoolStop(t *testing.T) {
	t.Run("while they wait", func(t *testing.T) {
		d := newDesk(t, 3)
		d.cancel()
		d.stopped()
	})
	t.Run("while they write", func(t *testing.T) {
		d := newDesk(t, 1)
		d.want("a", 0)
		d.began()
		d.cancel()
		d.stopped()
		if got := d.of("a"); got.State == plan.DraftFailed {
			t.Errorf("a call that was broken off counts as a failure: %+v", got)
		}
	})
	t.Run("while nobody listens", func(t *testing.T) {
		d := newDesk(t, 1)
		for i := range 3 {
			d.want(fmt.Sprint(i), time.Duration(i)*time.Minute)
			d.pen.writes("Oi")
		}
		d.began()
		d.began() // the first filled the channel; the second cannot be told any more
		d.cancel()
		d.stopped()
	})
	t.Run("only on the leader", func(t *testing.T) {
		if !New(Options{Workers: 1}).NeedLeaderElection() {
			t.Error("every replica would pay for texts")
		}
	})
}

func TestPoolManyAtOnce(t *testing.T) {
	const count = 200
	d := newDesk(t, 16)
	for range count {
		d.pen.writes("Oi")
	}
	var told sync.WaitGroup
	names := make(chan string, count)
	told.Go(func() {
		for range count {
			names <- (<-d.done).Object.Name
		}
	})
	var askers sync.WaitGroup
	for asker := range 4 {
		askers.Go(func() {
			for i := range count {
				d.want(fmt.Sprint((i*7+asker)%count), time.Duration(i)*time.Second)
			}
		})
	}
	askers.Wait()
	told.Wait()
	close(names)
	seen := map[string]bool{}
	for name := range names {
		if seen[name] {
			t.Errorf("told twice of %s", name)
		}
		seen[name] = true
	}
	if len(d.pen.order()) != count {
		t.Errorf("asked %d times for %d texts", len(d.pen.order()), count)
	}
}

func TestPoolThatAreTooOldAreWrittenAgain(t *testing.T) {
	d := newDesk(t, 1)
	d.put(leadKey("a"), idOf("a"), "Oi!")
	d.clock.SetTime(gen.T0.Add(plan.FreshFor))
	if got := d.of("a"); got.State != plan.DraftReady {
		t.Fatalf("a fresh text: %+v", got)
	}
	d.clock.SetTime(gen.T0.Add(plan.FreshFor + time.Second))
	if got := d.of("a"); got.State != plan.DraftNone {
		t.Errorf("a text that is too old: %+v", got)
	}
}

func TestPoolOfAnOlderPromptAreWrittenAgain(t *testing.T) {
	d := newDesk(t, 1)
	d.put(leadKey("a"), idOf("a"), "Oi!")
	changed := idOf("a")
	changed.Basis = "store/2"
	if got := d.Get(leadKey("a"), changed); got.State != plan.DraftNone {
		t.Errorf("a text of before the change: %+v", got)
	}
}

// put makes a text ready, as if it had been written.
func (d *Pool) put(name types.NamespacedName, id plan.TextID, text string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	found := d.open(name, id)
	d.queue.remove(found.job)
	found.job = nil
	found.draft = plan.Draft{State: plan.DraftReady, Text: text, Tokens: found.draft.Tokens,
		ReadyAt: d.options.Clock.Now()}
}

// TestAPanicIsOneTextsFailure: the worker goes on with the next text, and nothing of it is told.
func TestAPanicIsOneTextsFailure(t *testing.T) {
	d := newDesk(t, 1)
	d.ask("one", "a")
	d.began()
	d.ask("two", "b")
	d.pen.answer <- func() (ai.Answer, error) { panic("maria") }
	if got := d.told(); got != "a" {
		t.Fatalf("told of %s", got)
	}
	got := d.of("a")
	if got.State != plan.DraftFailed || got.Reason != v1alpha1.ReasonInternalError || got.Failures != 1 ||
		!got.RetryAt.After(gen.T0) ||
		strings.Contains(got.Why, "maria") {
		t.Errorf("the text whose writing panicked: %+v", got)
	}
	d.began()
	d.pen.writes("Oi")
	if told, got := d.told(), d.of("b"); told != "b" || got.State != plan.DraftReady {
		t.Errorf("the next text: %+v", got)
	}
	if count := d.counted("cartrecovery_panics_total", panics.Text); count == 0 {
		t.Error("it is not counted")
	}
}

// TestAPanicInACheckIsOneTextsFailure: so is one of the guard, on what a model wrote.
func TestAPanicInACheckIsOneTextsFailure(t *testing.T) {
	d := newDesk(t, 1)
	d.ask("one", "a", func(j *Job) { j.Check = func(string) (string, string) { panic("maria") } })
	d.began()
	d.pen.writes("Oi")
	d.told()
	if got := d.of("a"); got.State != plan.DraftFailed || got.Reason != v1alpha1.ReasonInternalError {
		t.Errorf("the text whose check panicked: %+v", got)
	}
}
