package plan

import (
	"testing"
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/pace"
)

// TestPaced: what is left of an action until its turn comes.
func TestPaced(t *testing.T) {
	in := func(after time.Duration) time.Time { return gen.T0.Add(gen.FirstDue + after) }
	for _, c := range []struct {
		name    string
		kind    Kind
		now     time.Duration // after the message is due
		turn    pace.Turn
		goneBy  time.Time
		want    Kind
		until   time.Duration
		blocked string
	}{
		{name: "a message whose turn has come goes", kind: Send, turn: pace.Turn{Now: true}, want: Send},
		{name: "a message waits for its turn", kind: Send, turn: pace.Turn{At: in(20 * time.Second), Ahead: 3},
			want:  Wait,
			until: 20 * time.Second},
		{name: "a wait is looked at again when it is to be shown", kind: Send, turn: pace.Turn{At: in(time.Hour),
			Ahead: 3}, want: Wait, until: pacedAfter},
		{name: "a wait of a minute is shown", kind: Send, now: pacedAfter, turn: pace.Turn{At: in(time.Hour), Ahead: 3},
			want: Wait, until: time.Hour,
			blocked: v1alpha1.ReasonPaced},
		{name: "a notice is not waited for longer than it may go", kind: Send,
			turn:   pace.Turn{At: in(50 * time.Second)},
			goneBy: in(30 * time.Second), want: Wait,
			until: 30 * time.Second},
		{name: "the first behind a gateway that takes nothing is blocked", kind: Send,
			turn: pace.Turn{At: in(30 * time.Second), Held: true}, want: Wait,
			until: 30 * time.Second, blocked: v1alpha1.ReasonGatewayUnavailable},
		{name: "a text is written a little ahead of the turn", kind: Prepare,
			turn: pace.Turn{At: in(20 * time.Second), Expected: in(PrepareAhead), Ahead: 3}, want: Prepare},
		{name: "a text is not written long before the turn", kind: Prepare, turn: pace.Turn{At: in(time.Hour),
			Expected: in(PrepareAhead + 10*time.Second), Ahead: 3},
			want: Wait, until: 10 * time.Second},
		{name: "while the gateway takes nothing no text behind the next is written", kind: Prepare,
			turn: pace.Turn{At: in(20 * time.Second), Expected: in(30 * time.Second), Ahead: 1, Held: true}, want: Wait,
			until: 20 * time.Second},
		{name: "while the gateway takes nothing the next text is written", kind: Prepare,
			turn: pace.Turn{At: in(20 * time.Second), Expected: in(30 * time.Second),
				Held: true}, want: Prepare},
		{name: "a wait of less than a minute is not shown", kind: Send, now: pacedAfter - time.Second,
			turn: pace.Turn{At: in(time.Hour), Ahead: 3}, want: Wait, until: pacedAfter},
		{name: "a text is waited for beyond that while its message is not due", kind: Prepare, now: -30 * time.Second,
			turn: pace.Turn{At: in(time.Hour), Expected: in(time.Hour), Ahead: 3}, want: Wait,
			until: time.Hour - PrepareAhead},
		{name: "a message that is not due is not blocked by a gateway that takes nothing", kind: Prepare,
			now: -30 * time.Second, turn: pace.Turn{At: in(20 * time.Second), Expected: in(time.Hour), Held: true},
			want: Wait, until: 20 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := (&planCase{now: gen.FirstDue + c.now}).snapshot()
			planned := Action{Rule: "NextStep", Kind: c.kind, Message: Message{ID: gen.FirstID, Due: in(0),
				goneBy: c.goneBy}}
			got := Paced(&s, planned, c.turn)
			if got.Kind != c.want || got.Blocked != c.blocked || got.Rule != planned.Rule {
				t.Fatalf("got %s %q by rule %s, want %s %q", got.Kind, got.Blocked, got.Rule, c.want, c.blocked)
			}
			if until := got.Until.Sub(in(0)); got.Kind == Wait && until != c.until {
				t.Errorf("waits until %s after it is due, want %s", until, c.until)
			}
		})
	}
}
