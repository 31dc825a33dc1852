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
		{"a wait for an answer is for when it goes", Action{Kind: Wait, Until: now.Add(time.Second), Message: reply},
			v1alpha1.NextAction{Action: "Reply", MessageID: reply.ID, Time: WholeSecond(reply.Due)}},
		{"what stands in the way of a message is shown, and not the message", Action{Kind: Wait,
			Until: now.Add(time.Hour), Message: step, Blocked: v1alpha1.ReasonSuspended},
			v1alpha1.NextAction{Action: "Wait", MessageID: step.ID, Time: WholeSecond(now.Add(time.Hour))}},
		{"quiet hours are no other way", Action{Kind: Wait, Until: now.Add(time.Second), Message: step,
			Blocked: v1alpha1.ReasonQuietHours},
			v1alpha1.NextAction{Action: "Send", MessageID: step.ID, Time: WholeSecond(step.Due)}},
		{"a wait for no message is none for one that is due", Action{Kind: Wait, Until: now.Add(time.Hour),
			Message: Message{Due: step.Due}},
			v1alpha1.NextAction{Action: "Wait", Time: WholeSecond(now.Add(time.Hour))}},
		{"a message that is overdue is waited for", Action{Kind: Wait, Until: now.Add(time.Hour),
			Message: Message{ID: step.ID, Due: now}},
			v1alpha1.NextAction{Action: "Wait", MessageID: step.ID, Time: WholeSecond(now.Add(time.Hour))}},
		{"a text that is being written tells no time", Action{Kind: Wait, Until: now.Add(time.Hour), Writing: true},
			v1alpha1.NextAction{Action: "Wait"}},
		{"a text that is written ahead is written now", Action{Kind: Prepare, Message: step},
			v1alpha1.NextAction{Action: "Prepare", MessageID: step.ID, Time: WholeSecond(now)}},
		{"a reason is cut to its length", Action{Kind: Wait, Why: long}, v1alpha1.NextAction{Action: "Wait",
			Message: long[:len(long)-len("ã")]}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := (&planCase{now: gen.FirstDue}).snapshot()
			s.Decided = &c.does
			next := s.Lead.DeepCopy()
			SetNext(s, next)
			if differs := cmp.Diff(&c.want, next.Status.NextAction); differs != "" {
				t.Errorf("(-want +got):\n%s", differs)
			}
			if diff := cmp.Diff(c.want.Time, next.Status.NextActionTime); diff != "" {
				t.Errorf("the next time (-want +got):\n%s", diff)
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
		shown time.Duration // from now; 0 for none, a nanosecond for now
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
		{name: "what is shown is now", shown: time.Nanosecond, does: Action{Kind: Wait, Until: in(time.Hour)},
			look: time.Hour, again: true},
		{name: "what is shown is two minutes off", shown: soonShown, does: Action{Kind: Wait, Until: in(time.Hour)},
			look: soonShown, again: true},
		{name: "what is shown is further off", shown: soonShown + time.Second,
			does: Action{Kind: Wait, Until: in(time.Hour)}, look: soonShown + time.Second},
		{name: "a blocked lead may be ten seconds late", shown: -time.Second, look: 9 * time.Second,
			does: Action{Kind: Wait, Until: in(9 * time.Second), Blocked: v1alpha1.ReasonPaced}},
		{name: "a blocked lead may not be eleven seconds late", shown: -time.Second, look: 10 * time.Second,
			again: true,
			does:  Action{Kind: Wait, Until: in(10 * time.Second), Blocked: v1alpha1.ReasonPaced}},
		{name: "one with a person may be ten seconds late", shown: -time.Second, look: 9 * time.Second,
			does: Action{Kind: Wait, Until: in(9 * time.Second), HandedOff: true}},
		{name: "one with a person may not be eleven seconds late", shown: -time.Second, look: 10 * time.Second,
			again: true,
			does:  Action{Kind: Wait, Until: in(10 * time.Second), HandedOff: true}},
		{name: "one with nothing in its way may be a minute late", shown: -time.Second, look: 59 * time.Second,
			does: Action{Kind: Wait, Until: in(59 * time.Second)}},
		{name: "one with nothing in its way may be no later than a minute", shown: -time.Second, look: time.Minute,
			again: true,
			does:  Action{Kind: Wait, Until: in(time.Minute)}},
		{name: "a wait without an end is a minute late", shown: -time.Minute, does: Action{Kind: Wait}},
		{name: "a wait without an end is more than a minute late", shown: -time.Minute - time.Second,
			does: Action{Kind: Wait}, again: true},
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
			type times struct {
				Look  time.Duration
				Again bool
			}
			got := times{Again: overdue(status, c.does, now)}
			if look := LookAgain(status, c.does, now); !look.IsZero() {
				got.Look = look.Sub(now)
			}
			if diff := cmp.Diff(times{c.look, c.again}, got); diff != "" {
				t.Errorf("looked at again after, and written again (-want +got):\n%s", diff)
			}
		})
	}
}

// TestSetNextPlans: without another decision a status says what is planned for the lead as it has become.
func TestSetNextPlans(t *testing.T) {
	s := (&planCase{now: gen.FirstDue}).snapshot()
	next := s.Lead.DeepCopy()
	gen.FromUs(gen.FirstID, v1alpha1.MessageSent, s.Now)(next)
	SetNext(s, next)
	want := &v1alpha1.NextAction{Action: "Wait", Time: WholeSecond(lead.LastActivity(next).Add(gen.ExpiresAt)),
		Message: "nothing more is to be sent; the lead expires then"}
	if diff := cmp.Diff(want, next.Status.NextAction); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
