package plan

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/lead"
)

// TestSetNext: what a status says of what comes next.
func TestSetNext(t *testing.T) {
	now := gen.T0.Add(gen.FirstDue)
	reply := Message{ID: lead.ReplyID(0, "m1"), Due: now.Add(time.Minute)}
	step := Message{ID: gen.FirstID, Due: now.Add(time.Minute)}
	long := strings.Repeat("ã", maxReason+1)
	for _, c := range []struct {
		name string
		does Action
		want v1alpha1.NextAction
	}{
		{"an action is now", Action{Kind: Finish, Outcome: v1alpha1.ReasonUnanswered},
			v1alpha1.NextAction{Action: "Finish", Time: WholeSecond(now), Message: v1alpha1.ReasonUnanswered}},
		{"a wait says until when", Action{Kind: Wait, Until: now.Add(time.Hour), Why: "the lead expires then"},
			v1alpha1.NextAction{Action: "Wait", Time: WholeSecond(now.Add(time.Hour)),
				Message: "the lead expires then"}},
		{"a wait without an end says none", Action{Kind: Wait}, v1alpha1.NextAction{Action: "Wait"}},
		{"a wait that is only looked at again says none", Action{Kind: Wait, Until: now.Add(time.Minute),
			Blocked: v1alpha1.ReasonAIUnavailable},
			v1alpha1.NextAction{Action: "Wait"}},
		{"a wait for a message is for when it goes", Action{Kind: Wait, Until: now.Add(time.Second), Message: step},
			v1alpha1.NextAction{Action: "Send", MessageID: step.ID, Time: WholeSecond(step.Due)}},
		{"a wait for an answer as well", Action{Kind: Wait, Until: now.Add(time.Second), Message: reply},
			v1alpha1.NextAction{Action: "Reply", MessageID: reply.ID, Time: WholeSecond(reply.Due)}},
		{"a reason is cut to its length", Action{Kind: Wait, Why: long}, v1alpha1.NextAction{Action: "Wait",
			Message: long[:len(long)-len("ã")]}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := (&planCase{now: gen.FirstDue}).snapshot()
			s.Decided = &c.does
			next := s.Lead.DeepCopy()
			SetNext(s, next)
			if differs := cmp.Diff(&c.want, next.Status.NextAction); differs != "" {
				t.Errorf("want -, got +:\n%s", differs)
			}
			if !next.Status.NextActionTime.Equal(c.want.Time) {
				t.Errorf("the next time is %v, want %v", next.Status.NextActionTime, c.want.Time)
			}
		})
	}
}

// TestTimesThatAreShown: when a lead that waits is looked at again, and when the time it shows is written again.
func TestTimesThatAreShown(t *testing.T) {
	now := gen.T0
	in := now.Add
	for _, c := range []struct {
		name  string
		shown time.Duration // from now; 0 for none
		over  bool
		does  Action
		look  time.Duration // 0 for never
		again bool
	}{
		{name: "nothing is shown", does: Action{Kind: Wait, Until: in(time.Hour)}, look: time.Hour},
		{name: "what is shown comes first", shown: time.Minute, does: Action{Kind: Wait, Until: in(time.Hour)},
			look: time.Minute, again: true},
		{name: "what is shown is far off", shown: 30 * time.Minute, does: Action{Kind: Wait, Until: in(time.Hour)},
			look: 30 * time.Minute},
		{name: "what is shown has passed", shown: -time.Minute, does: Action{Kind: Wait, Until: in(time.Hour)},
			look: time.Hour, again: true},
		{name: "a blocked lead may be a little late", shown: -time.Second, look: 5 * time.Second,
			does: Action{Kind: Wait, Until: in(5 * time.Second), Blocked: v1alpha1.ReasonPaced}},
		{name: "and no more", shown: -time.Second, look: 15 * time.Second, again: true,
			does: Action{Kind: Wait, Until: in(15 * time.Second), Blocked: v1alpha1.ReasonPaced}},
		{name: "a wait without an end", shown: -2 * time.Minute, does: Action{Kind: Wait}, again: true},
		{name: "a text that is being written is no wait", shown: -time.Minute,
			does: Action{Kind: Wait, Until: in(time.Hour), Writing: true}, look: time.Hour},
		{name: "a lead that is over", shown: time.Minute, over: true, does: Action{Kind: Wait, Until: in(time.Hour)},
			look: time.Hour},
	} {
		t.Run(c.name, func(t *testing.T) {
			status := &v1alpha1.CartRecoveryStatus{}
			if c.shown != 0 {
				status.NextActionTime = WholeSecond(in(c.shown))
			}
			if c.over {
				status.CompletionTime = WholeSecond(now)
			}
			got := LookAgain(status, c.does, now)
			if c.look == 0 && !got.IsZero() || c.look != 0 && !got.Equal(in(c.look)) {
				t.Errorf("looked at again at %v, want %s from now", got, c.look)
			}
			if again := overdue(status, c.does, now); again != c.again {
				t.Errorf("written again: %v, want %v", again, c.again)
			}
		})
	}
}
