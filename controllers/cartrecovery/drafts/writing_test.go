package drafts

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"k8s.io/utils/ptr"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/controllers/cartrecovery/plan"
	"cartrecovery.dev/operator/internal/ai"
	"cartrecovery.dev/operator/internal/budget"
	"cartrecovery.dev/operator/internal/failure"
	"cartrecovery.dev/operator/internal/gen"
)

// ask asks for a text of a store's lead; the pen is told the lead's name as the model.
func (d *desk) ask(store, lead string, mods ...func(*Job)) {
	wanted := jobOf(store, lead, 0)
	wanted.Request.Model = lead
	for _, mod := range mods {
		mod(&wanted)
	}
	d.Request(wanted)
}

// armed waits until the end of a pause is watched.
func (d *desk) armed() {
	d.t.Helper()
	for deadline := time.Now().Add(patience); !d.clock.HasWaiters(); runtime.Gosched() {
		if time.Now().After(deadline) {
			d.t.Fatal("nobody watches for the end of the pause")
		}
	}
}

func throttled(wait time.Duration) error {
	return &failure.Error{Class: failure.Throttled, Code: failure.RateLimited, Op: "ai: write", Status: 429,
		RetryAt: gen.T0.Add(wait)}
}

// strict refuses what holds a price, and asks for another text as "again".
func strict(j *Job) {
	j.Check = func(text string) (string, string) {
		if strings.Contains(text, "R$") {
			return "Price", "it names a price"
		}
		return "", ""
	}
	j.Rewrite = func(refused, detail string) ai.Request {
		return ai.Request{Model: "again", Messages: []ai.Message{{Text: refused}, {Text: detail}}}
	}
}

func within1000(estimate int64) func(*Job) {
	return func(j *Job) { j.Limit, j.Estimate = ptr.To[int64](1000), estimate }
}

func TestTenThousandTextsDelayNoOtherStore(t *testing.T) {
	d := newDesk(t, 1)
	d.ask("big", "first")
	d.began()
	for i := range 10_000 {
		d.ask("big", fmt.Sprintf("big-%d", i))
	}
	d.ask("small", "small")
	for range 3 {
		d.pen.writes("Oi")
		d.told()
	}
	if got := d.pen.order(); got[1] != "small" && got[2] != "small" {
		t.Errorf("written first: %v", got)
	}
}

func TestAHangingStoreHoldsAQuarterOfTheWorkers(t *testing.T) {
	d := newDesk(t, 8)
	for i := range 10 {
		d.ask("hangs", fmt.Sprintf("hangs-%d", i))
	}
	d.began()
	d.began()
	d.ask("well", "well")
	if got := d.began(); got != "well" {
		t.Errorf("%s is written, beyond a quarter of the workers", got)
	}
}

func TestThrottlingPausesTheEndpoint(t *testing.T) {
	d := newDesk(t, 1)
	for i, lead := range []string{"a", "b"} {
		d.ask("one", lead, func(j *Job) { j.Endpoint, j.Due = "shared", gen.T0.Add(time.Duration(i)*time.Second) })
	}
	d.began()
	d.ask("two", "c", func(j *Job) { j.Endpoint, j.Due = "shared", gen.T0 })
	d.pen.fails(throttled(30 * time.Second))
	d.told()
	d.armed()
	if got := d.of("a"); got.State != plan.DraftFailed || !got.RetryAt.Equal(gen.T0.Add(30*time.Second)) ||
		!got.FirstFailedAt.Equal(gen.T0) {
		t.Errorf("the text that was told to wait: %+v", got)
	}
	for _, lead := range []string{"b", "c"} {
		got := d.of(lead)
		if got.State != plan.DraftPending || got.Failures == 0 || got.Reason != v1alpha1.ReasonAIUnavailable ||
			!strings.Contains(got.Why, "429") ||
			!got.RetryAt.Equal(gen.T0.Add(30*time.Second)) || !got.FirstFailedAt.Equal(gen.T0) {
			t.Errorf("another text of the endpoint: %+v", got)
		}
	}
	d.ask("two", "own")
	if got := d.began(); got != "own" {
		t.Fatalf("%s is written while its endpoint is paused", got)
	}
	d.pen.writes("Oi")
	d.told()
	d.clock.Step(30 * time.Second)
	d.pen.writes("Oi")
	d.pen.writes("Oi")
	first, second := d.told(), d.told()
	if got := d.of("b"); first == second || got.State != plan.DraftReady || !got.FirstFailedAt.IsZero() ||
		got.Failures != 0 {
		t.Errorf("after the pause: %s and %s, %+v", first, second, got)
	}
	d.ask("one", "a", func(j *Job) { j.Endpoint, j.Due = "shared", gen.T0 })
	d.ask("one", "late", func(j *Job) { j.Endpoint, j.Due = "shared", gen.T0.Add(time.Second) })
	d.began()
	d.began()
	if got := d.began(); got != "a" {
		t.Errorf("%s is written before the one that was told to wait", got)
	}
}

func TestAPauseEndsWhenTheClockIsSetForward(t *testing.T) {
	d := newDesk(t, 1)
	d.ask("one", "a")
	d.began()
	d.ask("one", "b")
	d.pen.fails(throttled(30 * time.Second))
	d.told()
	d.armed()
	d.clock.FakePassiveClock.SetTime(gen.T0.Add(time.Minute)) // its timers see nothing of it
	d.of("b")
	if got := d.began(); got != "b" {
		t.Errorf("%s is written", got)
	}
}

func TestWhatMayNotBeSent(t *testing.T) {
	for _, c := range []struct {
		name    string
		answers []string
		mod     func(*Job)
		want    plan.Draft
		result  string
		refused float64
	}{
		{"nothing wrong", []string{"Oi"}, strict, plan.Draft{State: plan.DraftReady, Text: "Oi", Tokens: 7}, "written",
			0},
		{"the first", []string{"R$ 5", "Oi"}, strict, plan.Draft{State: plan.DraftReady, Text: "Oi", Tokens: 14},
			"rewritten", 1},
		{
			"both", []string{"R$ 5", "R$ 6"}, strict,
			plan.Draft{State: plan.DraftRefused, Tokens: 14, Reason: v1alpha1.ReasonTextRefused,
				Why: "it names a price"}, "refused", 2,
		},
		{
			"the only one", []string{"R$ 5"}, func(j *Job) { strict(j); j.Rewrite = nil },
			plan.Draft{State: plan.DraftRefused, Tokens: 7, Reason: v1alpha1.ReasonTextRefused,
				Why: "it names a price"}, "refused", 1,
		},
		{
			"the first, and no budget for another", []string{"R$ 5"}, func(j *Job) { strict(j); within1000(995)(j) },
			plan.Draft{State: plan.DraftExhausted, Tokens: 7, Reason: v1alpha1.ReasonTokenBudget}, "exhausted", 1,
		},
		{"nobody looks", []string{"R$ 5"}, func(*Job) {}, plan.Draft{State: plan.DraftReady, Text: "R$ 5", Tokens: 7},
			"written", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDesk(t, 1)
			for _, answer := range c.answers {
				d.pen.writes(answer)
			}
			d.ask("one", "a", c.mod)
			d.told()
			got := d.of("a")
			if got.State != c.want.State || got.Text != c.want.Text || got.Tokens != c.want.Tokens ||
				got.Reason != c.want.Reason ||
				c.want.Why != "" && got.Why != c.want.Why {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
			if order := d.pen.order(); len(order) != len(c.answers) || len(order) == 2 && order[1] != "again" {
				t.Errorf("asked for %v", order)
			}
			if d.counted("cartrecovery_ai_texts_total", c.result) != 1 || d.counted("cartrecovery_ai_refusals_total",
				"Price") != c.refused {
				t.Error("counted something else")
			}
			d.ask("one", "a", c.mod)
			if order := d.pen.order(); len(order) != len(c.answers) || d.of("a").State != c.want.State {
				t.Errorf("asked again: %v", order)
			}
		})
	}
}

func TestRefusedTextsAreKept(t *testing.T) {
	d := newDesk(t, 1)
	refuse := func() {
		t.Helper()
		d.pen.writes("R$ 5")
		d.pen.writes("R$ 6")
		d.ask("one", "a", strict)
		d.told()
	}
	refuse()
	d.clock.SetTime(gen.T0.Add(keepRefused - time.Second))
	if got := d.of("a"); got.State != plan.DraftRefused || !got.RetryAt.Equal(gen.T0.Add(keepRefused)) {
		t.Errorf("for as long as it is kept: %+v", got)
	}
	d.clock.SetTime(gen.T0.Add(keepRefused))
	if got := d.of("a"); got.State != plan.DraftNone || got.Tokens != 14 {
		t.Errorf("after that: %+v", got)
	}
	refuse()
	changed := idOf("a")
	changed.Basis = "store/2"
	d.put(leadKey("a"), changed, "Oi!")
	if got := d.Get(leadKey("a"), changed); got.State != plan.DraftReady || got.Tokens != 28 {
		t.Errorf("what is sent instead costs what was refused: %+v", got)
	}
	other := plan.TextID{UID: "uid-a", MessageID: "other"}
	d.put(leadKey("a"), other, "Oi!")
	if got := d.Get(leadKey("a"), other); got.Tokens != 0 {
		t.Errorf("another message of the lead costs %d tokens", got.Tokens)
	}
}

func TestTheAIAsksForAPerson(t *testing.T) {
	d := newDesk(t, 1)
	d.pen.answer <- func() (ai.Answer, error) {
		return ai.Answer{WantsHuman: true, Usage: ai.Usage{Prompt: 9}}, nil
	}
	d.ask("one", "a", strict)
	d.told()
	if got := d.of("a"); got.State != plan.DraftHandOff || got.Tokens != 9 || got.Text != "" {
		t.Errorf("got %+v", got)
	}
	if d.counted("cartrecovery_ai_texts_total", "handoff") != 1 {
		t.Error("not counted")
	}
}

func TestABudgetThatIsUsedUp(t *testing.T) {
	d := newDesk(t, 2)
	today := budget.Day(gen.T0, nil)
	d.options.Budget.Seed(storeKey("one"), today, 950)
	d.ask("one", "a", within1000(51))
	d.told()
	tomorrow := budget.NextDay(gen.T0, nil)
	if got := d.of("a"); got.State != plan.DraftExhausted || !got.RetryAt.Equal(tomorrow) ||
		got.Reason != v1alpha1.ReasonTokenBudget || len(d.pen.order()) != 0 {
		t.Fatalf("got %+v, asked for %v", got, d.pen.order())
	}
	d.ask("one", "a", within1000(51))
	if got := d.of("a"); got.State != plan.DraftExhausted {
		t.Errorf("asked again on the same day: %+v", got)
	}
	d.pen.writes("Oi")
	d.ask("one", "fits", within1000(50))
	d.told()
	if got := d.options.Budget.Used(storeKey("one"), today); got != 957 {
		t.Errorf("used %d", got)
	}
	d.clock.SetTime(tomorrow)
	d.pen.writes("Oi")
	d.ask("one", "a", within1000(51))
	d.told()
	if got := d.of("a"); got.State != plan.DraftReady || d.options.Budget.Used(storeKey("one"),
		budget.Day(tomorrow, nil)) != 7 {
		t.Errorf("on the next day: %+v", got)
	}
}

// TestABudgetThatIsSetAside: two texts that each may use most of the budget are written one
// after the other; the second is not put off to the next day.
func TestABudgetThatIsSetAside(t *testing.T) {
	d := newDesk(t, 8)
	for i := range 4 {
		d.ask("one", fmt.Sprint(i), within1000(900))
	}
	for range 4 {
		d.began()
		d.pen.writes("Oi")
		d.told()
	}
	if got := d.options.Budget.Used(storeKey("one"), budget.Day(gen.T0, nil)); got != 28 || len(d.pen.order()) != 4 {
		t.Errorf("used %d in %d calls", got, len(d.pen.order()))
	}
}

func TestSpent(t *testing.T) {
	told := ai.Answer{Usage: ai.Usage{Prompt: 3, Completion: 4}}
	class := func(code failure.Code, status int) error {
		return &failure.Error{Class: failure.Transient, Code: code, Status: status}
	}
	for _, c := range []struct {
		name   string
		answer ai.Answer
		err    error
		want   int64
	}{
		{"what the AI told", told, nil, 7},
		{"what it told of an answer that cannot be used", told, class(failure.InvalidAnswer, 200), 7},
		{"a text whose cost it did not tell", ai.Answer{Text: "Oi"}, nil, 100},
		{"no answer in time", ai.Answer{}, class(failure.TimedOut, 0), 100},
		{"an answer nobody can read", ai.Answer{}, class(failure.InvalidAnswer, 200), 100},
		{"an error nobody classed", ai.Answer{}, context.Canceled, 100},
		{"an endpoint that gave up", ai.Answer{}, class(failure.TimedOut, 408), 0},
		{"an endpoint that is down", ai.Answer{}, class(failure.Unavailable, 0), 0},
		{"too many calls", ai.Answer{}, throttled(time.Minute), 0},
	} {
		if got := spent(c.answer, c.err, 100); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}

func TestFirstFailure(t *testing.T) {
	d := newDesk(t, 1)
	for i := range 3 {
		d.clock.SetTime(gen.T0.Add(time.Duration(i) * time.Minute))
		d.pen.fails(errors.New("down"))
		d.ask("one", "a")
		d.told()
		if got := d.of("a"); !got.FirstFailedAt.Equal(gen.T0) {
			t.Errorf("failure %d: the first was at %s", i, got.FirstFailedAt)
		}
	}
	d.pen.writes("Oi")
	d.ask("one", "a")
	d.told()
	if got := d.of("a"); !got.FirstFailedAt.IsZero() {
		t.Errorf("after it was written: %+v", got)
	}
}

func TestForgottenWhileItIsWritten(t *testing.T) {
	d := newDesk(t, 2)
	d.ask("one", "a", within1000(300))
	d.began()
	d.ask("one", "b", within1000(300))
	d.Forget(leadKey("b"))
	d.Forget(leadKey("a"))
	d.told()
	d.mu.Lock()
	if q := d.queue; len(d.entries) != 0 || q.writing.Busy() != 0 || q.waiting() != 0 {
		t.Errorf("left behind: %+v", q)
	}
	d.mu.Unlock()
	if got := d.options.Budget.Used(storeKey("one"), budget.Day(gen.T0, nil)); got != 300 {
		t.Errorf("used %d: what is broken off may be billed whole", got)
	}
	if release, ok := d.options.Budget.Reserve(storeKey("one"), budget.Day(gen.T0, nil), ptr.To[int64](1000),
		700); !ok {
		t.Error("its reservation was never released")
	} else {
		release(0)
	}
}

func TestPutWhileItIsWritten(t *testing.T) {
	d := newDesk(t, 1)
	d.ask("one", "a")
	d.began()
	d.put(leadKey("a"), idOf("a"), "fallback")
	d.pen.writes("Oi")
	d.told()
	if got := d.of("a"); got.State != plan.DraftReady || got.Text != "fallback" || got.Tokens != 7 {
		t.Errorf("got %+v", got)
	}
}

// TestAskedForLongAgo: what waited for long is asked for anew, with the key of today.
func TestAskedForLongAgo(t *testing.T) {
	d := newDesk(t, 1)
	d.ask("one", "a")
	d.began()
	d.ask("one", "b")
	d.clock.SetTime(gen.T0.Add(plan.FreshFor + time.Second))
	d.pen.writes("Oi")
	if first, second := d.told(), d.told(); first != "a" || second != "b" {
		t.Errorf("told of %s and %s", first, second)
	}
	if got := d.of("b"); got.State != plan.DraftNone || len(d.pen.order()) != 1 {
		t.Errorf("got %+v", got)
	}
	d.pen.writes("Oi")
	d.ask("one", "b")
	d.told()
	if got := d.of("b"); got.State != plan.DraftReady {
		t.Errorf("asked for anew: %+v", got)
	}
}

func TestPoolCountWhateverBecomesOfAText(t *testing.T) {
	d := newDesk(t, 2)
	name := leadKey("a")
	d.want("a", 0)
	d.began()
	d.pen.writes("Oi")
	d.told()
	first := d.Unbooked(name)
	if first == 0 {
		t.Fatal("a text costs nothing")
	}
	d.Forget(name)
	if got := d.Unbooked(name); got != first {
		t.Errorf("%d tokens once the text was dropped, want %d", got, first)
	}
	d.ask("one", "a", within1000(300))
	d.began()
	d.Forget(name)
	d.told()
	if got := d.Unbooked(name); got != first+300 {
		t.Errorf("%d tokens after another text that nobody wanted any more, want %d", got, first+300)
	}
	d.Book(name, d.Unbooked(name))
	if got := d.Unbooked(name); got != 0 || len(d.unbooked) != 0 {
		t.Errorf("%d tokens are left once they are written down", got)
	}
}
