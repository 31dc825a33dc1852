package plan

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/failure"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/lead"
)

// wantedFirst is the first step's message, ready to be claimed.
func wantedFirst() Message {
	return Message{
		ID: gen.FirstID, Step: &v1alpha1.Step{Name: "first"}, Due: gen.T0, Instance: gen.InstanceObject(),
		Text: "Oi, Maria!", Tokens: 40,
	}
}

// statusAfter is what changes make of an empty status.
func statusAfter(changes ...Change) *v1alpha1.CartRecoveryStatus {
	status := &v1alpha1.CartRecoveryStatus{}
	for _, apply := range changes {
		apply(status)
	}
	return status
}

// refusedOnce is a refusal that counts, with another attempt in a minute.
func refusedOnce() Refusal {
	return Refusal{Word: "Refused", CountsAsAttempt: true, RetryAt: gen.T0.Add(time.Minute), Now: gen.T0,
		Blocked: v1alpha1.ReasonGatewayUnavailable, message: "refused"}
}

// condition is what a status says of a type, without its time; nil for nothing.
func condition(status *v1alpha1.CartRecoveryStatus, kind string) *metav1.Condition {
	found := apimeta.FindStatusCondition(status.Conditions, kind).DeepCopy()
	if found != nil {
		found.LastTransitionTime = metav1.Time{}
	}
	return found
}

// claimedFirst is the first step's message as it is claimed at t0.
func claimedFirst(mods ...func(*v1alpha1.Message)) v1alpha1.Message {
	m := v1alpha1.Message{
		ID: gen.FirstID, Role: v1alpha1.RoleAssistant, Step: "first", Text: "Oi, Maria!",
		State: v1alpha1.MessageClaimed, At: v1alpha1.NewTimestamp(gen.T0), Attempts: 1, Tokens: 40,
		Instance: gen.Instance,
	}
	for _, mod := range mods {
		mod(&m)
	}
	return m
}

func TestClaim(t *testing.T) {
	status := statusAfter(Waiting(Action{Blocked: v1alpha1.ReasonAIUnavailable, Why: "down", Until: gen.T0}, gen.T0),
		Claim(wantedFirst(), 7, gen.T0))
	if diff := cmp.Diff([]v1alpha1.Message{claimedFirst()}, status.Conversation); diff != "" {
		t.Errorf("conversation (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(&v1alpha1.ObjectReference{Name: gen.Instance}, status.InstanceRef); diff != "" {
		t.Errorf("number (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(int32(1), status.Attempts); diff != "" {
		t.Errorf("attempts (-want +got):\n%s", diff)
	}
	want := []metav1.Condition{{Type: v1alpha1.ConditionSucceeded, Status: metav1.ConditionUnknown,
		Reason: v1alpha1.ReasonInProgress, Message: "the lead is worked on", ObservedGeneration: 7,
		LastTransitionTime: metav1.NewTime(gen.T0)}}
	if diff := cmp.Diff(want, status.Conditions); diff != "" {
		t.Errorf("conditions (-want +got):\n%s", diff)
	}
}

func TestClaimAgain(t *testing.T) {
	again := wantedFirst()
	again.Tokens = 0
	status := statusAfter(Claim(wantedFirst(), 1, gen.T0), Refused(gen.FirstID, refusedOnce()),
		Claim(again, 1, gen.T0.Add(time.Minute)))
	want := []v1alpha1.Message{claimedFirst(func(m *v1alpha1.Message) {
		m.Attempts, m.At = 2, v1alpha1.NewTimestamp(gen.T0.Add(time.Minute))
	})}
	if diff := cmp.Diff(want, status.Conversation); diff != "" {
		t.Errorf("conversation (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(int32(2), status.Attempts); diff != "" {
		t.Errorf("attempts (-want +got):\n%s", diff)
	}
}

func TestClaimOfAnAnswer(t *testing.T) {
	answer := Message{ID: lead.ReplyID(2, "in-1"), ReplyTo: "in-1", Instance: gen.InstanceObject(), Text: "Claro!"}
	status := &v1alpha1.CartRecoveryStatus{Cycle: 2}
	Claim(answer, 1, gen.T0)(status)
	want := []v1alpha1.Message{claimedFirst(func(m *v1alpha1.Message) {
		m.ID, m.Step, m.Text, m.Tokens, m.Cycle = answer.ID, "", "Claro!", 0, 2
	})}
	if diff := cmp.Diff(want, status.Conversation); diff != "" {
		t.Errorf("conversation (-want +got):\n%s", diff)
	}
}

func TestConfirm(t *testing.T) {
	earlier, between, later := gen.T0.Add(-time.Minute), gen.T0.Add(-time.Second), gen.T0.Add(time.Minute)
	for _, c := range []struct {
		name    string
		receipt time.Time
		want    time.Time
	}{
		{"with the gateway's time", between, between},
		{"with one from before it was claimed", earlier.Add(-time.Second), gen.T0},
		{"without one", time.Time{}, gen.T0},
		{"with one that is still to come", later, gen.T0},
	} {
		t.Run(c.name, func(t *testing.T) {
			status := statusAfter(Claim(wantedFirst(), 1, earlier), Waiting(Action{Blocked: v1alpha1.ReasonUnconfirmed},
				gen.T0),
				Confirm(gen.FirstID, Receipt{GatewayID: "3EB0", At: c.receipt}, gen.T0))
			want := claimedFirst(sentAt(c.want), func(m *v1alpha1.Message) {
				m.State, m.GatewayID, m.At = v1alpha1.MessageSent, "3EB0", v1alpha1.NewTimestamp(earlier)
			})
			if diff := cmp.Diff([]v1alpha1.Message{want}, status.Conversation); diff != "" {
				t.Errorf("conversation (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff((*metav1.Condition)(nil), condition(status, v1alpha1.ConditionBlocked)); diff != "" {
				t.Errorf("what stands in the way (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	type refused struct {
		Message  v1alpha1.Message
		Attempts int32
	}
	uncounted := refusedOnce()
	uncounted.CountsAsAttempt = false
	for name, row := range map[string]struct {
		why      Refusal
		attempts int32
	}{
		"an attempt that counts": {refusedOnce(), 1},
		"one that does not":      {uncounted, 0},
	} {
		t.Run(name, func(t *testing.T) {
			status := statusAfter(Claim(wantedFirst(), 1, gen.T0), Refused(gen.FirstID, row.why))
			want := refused{claimedFirst(attempts(row.attempts, gen.T0.Add(time.Minute)), func(m *v1alpha1.Message) {
				m.State, m.Error = v1alpha1.MessageFailed, "Refused"
			}), row.attempts}
			if diff := cmp.Diff(want, refused{status.Conversation[0], status.Attempts}); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			blocked := &metav1.Condition{Type: v1alpha1.ConditionBlocked, Status: metav1.ConditionTrue,
				Reason: v1alpha1.ReasonGatewayUnavailable, Message: "refused"}
			if diff := cmp.Diff(blocked, condition(status, v1alpha1.ConditionBlocked)); diff != "" {
				t.Errorf("what stands in the way (-want +got):\n%s", diff)
			}
		})
	}
}

func TestNotSentAndUnknown(t *testing.T) {
	failed := func(m *v1alpha1.Message) { m.State, m.Error = v1alpha1.MessageFailed, "NotSent" }
	for _, c := range []struct {
		name  string
		apply Change
		want  v1alpha1.Message
	}{
		{"wanted", NotSent(gen.FirstID, true, gen.T0), claimedFirst(failed, attempts(1, gen.T0))},
		{"not wanted any more", NotSent(gen.FirstID, false, gen.T0), claimedFirst(inState(v1alpha1.MessageCancelled))},
		{"unknown", Unknown(gen.FirstID), claimedFirst(func(m *v1alpha1.Message) {
			m.State, m.Error = v1alpha1.MessageUnknown, "Unresolved"
		})},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := statusAfter(Claim(wantedFirst(), 1, gen.T0), c.apply).Conversation
			if diff := cmp.Diff([]v1alpha1.Message{c.want}, got); diff != "" {
				t.Errorf("conversation (-want +got):\n%s", diff)
			}
		})
	}
}

// outcomes are the changes that say what came of a claim.
func outcomes(id string) map[string]Change {
	return map[string]Change{
		"confirm": Confirm(id, Receipt{GatewayID: "3EB0"}, gen.T0),
		"refused": Refused(id, refusedOnce()),
		"notSent": NotSent(id, true, gen.T0), "cancelled": NotSent(id, false, gen.T0), "unknown": Unknown(id),
	}
}

// TestOutcomesChangeClaimsOnly: what is no claim, or another message, is left as it is.
func TestOutcomesChangeClaimsOnly(t *testing.T) {
	leaves := func(t *testing.T, status *v1alpha1.CartRecoveryStatus, apply Change) {
		t.Helper()
		want := status.DeepCopy()
		if apply(status) {
			t.Error("says that it has changed something")
		}
		if diff := cmp.Diff(want, status); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	for second, after := range outcomes(gen.FirstID) {
		for first, before := range outcomes(gen.FirstID) {
			t.Run(second+" after "+first, func(t *testing.T) {
				leaves(t, statusAfter(Claim(wantedFirst(), 1, gen.T0), before), after)
			})
		}
		t.Run(second+" of a message that is not there", func(t *testing.T) { leaves(t, statusAfter(), after) })
		t.Run(second+" of another message", func(t *testing.T) {
			leaves(t, statusAfter(Claim(wantedFirst(), 1, gen.T0)), outcomes("other")[second])
		})
	}
}

// TestOutcomesKeepWhatCameIn has customers write, and the conversation overflow, between a
// claim and its outcome, in random orders: nothing but the claimed message may change.
func TestOutcomesKeepWhatCameIn(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for round := range 300 {
		status, inbound := &v1alpha1.CartRecoveryStatus{}, 0
		write := func() {
			inbound++
			status.Conversation = lead.Append(status.Conversation, v1alpha1.Message{
				ID: fmt.Sprintf("in-%d", inbound), Role: v1alpha1.RoleCustomer, Text: "Oi",
				At: v1alpha1.NewTimestamp(gen.T0),
			})
		}
		for range random.IntN(2 * v1alpha1.MaxConversation) {
			write()
		}
		Claim(wantedFirst(), 1, gen.T0)(status)
		for range random.IntN(2 * v1alpha1.MaxConversation) {
			write()
		}
		before := status.DeepCopy()
		for name, apply := range outcomes(gen.FirstID) {
			got := before.DeepCopy()
			if !apply(got) {
				t.Fatalf("round %d: %s finds no claim among %d messages", round, name, len(got.Conversation))
			}
			if len(got.Conversation) != len(before.Conversation) || len(got.Conversation) > v1alpha1.MaxConversation {
				t.Fatalf("round %d: %s leaves %d of %d messages", round, name, len(got.Conversation),
					len(before.Conversation))
			}
			for i := range got.Conversation {
				if got.Conversation[i].ID == gen.FirstID {
					continue
				}
				if !reflect.DeepEqual(before.Conversation[i], got.Conversation[i]) {
					t.Fatalf("round %d: %s changes another message (-want +got):\n%s", round, name,
						cmp.Diff(before.Conversation[i], got.Conversation[i]))
				}
			}
			if lead.Claimed(&v1alpha1.CartRecovery{Status: *got}) != nil {
				t.Fatalf("round %d: %s leaves the claim", round, name)
			}
		}
	}
}

func TestFinished(t *testing.T) {
	for outcome, text := range OutcomeMessages {
		t.Run(outcome, func(t *testing.T) {
			recovery := gen.Lead(gen.T0, gen.FromUs(gen.FirstID, v1alpha1.MessageSent, gen.T0))
			Waiting(Action{Blocked: v1alpha1.ReasonSuspended, Until: gen.T0.Add(time.Hour)}, gen.T0)(&recovery.Status)
			recovery.Generation = 3
			if !Finished(recovery, nil, outcome, gen.T0.Add(1500*time.Millisecond))(&recovery.Status) {
				t.Fatal("changes nothing")
			}
			ended := metav1.NewTime(gen.T0.Add(time.Second))
			want := []metav1.Condition{{Type: v1alpha1.ConditionSucceeded, Status: metav1.ConditionFalse,
				Reason:  outcome,
				Message: text, ObservedGeneration: 3, LastTransitionTime: ended}}
			if strings.Contains(outcome, "Bought") || strings.Contains(outcome, "Purchase") {
				want[0].Status = metav1.ConditionTrue
			}
			if diff := cmp.Diff(want, recovery.Status.Conditions); diff != "" || text == "" {
				t.Errorf("conditions, with the message %q (-want +got):\n%s", text, diff)
			}
			if diff := cmp.Diff(&ended, recovery.Status.CompletionTime); diff != "" {
				t.Errorf("finished at (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(outcome, OutcomeOf(recovery)); diff != "" {
				t.Errorf("outcome (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFinishedAgain(t *testing.T) {
	status := statusAfter(Finished(gen.Lead(gen.T0), nil, v1alpha1.ReasonUnanswered, gen.T0),
		Finished(gen.Lead(gen.T0), nil, v1alpha1.ReasonBoughtAfterContact, gen.T0.Add(time.Hour)))
	if diff := cmp.Diff(&metav1.Time{Time: gen.T0}, status.CompletionTime); diff != "" {
		t.Errorf("finished the first time at (-want +got):\n%s", diff)
	}
	want := map[string]string{v1alpha1.ConditionSucceeded: "True BoughtAfterContact: " +
		OutcomeMessages[v1alpha1.ReasonBoughtAfterContact]}
	if diff := cmp.Diff(want, told(status)); diff != "" {
		t.Errorf("conditions (-want +got):\n%s", diff)
	}
	same := status.DeepCopy()
	Finished(gen.Lead(gen.T0), nil, v1alpha1.ReasonBoughtAfterContact, gen.T0.Add(2*time.Hour))(status)
	if diff := cmp.Diff(same, status); diff != "" {
		t.Errorf("finishing the same way again changes something (-want +got):\n%s", diff)
	}
}

// TestWaiting: what stands in the way is written when it, or its message, is another, and when its time has passed.
func TestWaiting(t *testing.T) {
	const minute = time.Minute
	in := gen.T0.Add
	down := func(why string, until time.Duration) Action {
		return Action{Kind: Wait, Blocked: v1alpha1.ReasonAIUnavailable, Why: why, Until: in(until)}
	}
	written := map[string]string{v1alpha1.ConditionBlocked: "True AIUnavailable: HTTP 500"}
	type shown struct {
		Changes bool
		Says    map[string]string
		Next    time.Duration // after t0, 0 for none
		Since   time.Duration
	}
	none := map[string]string{}
	for name, row := range map[string]struct {
		before []Action
		does   Action
		want   shown
	}{
		"nothing, then nothing":   {nil, Action{Kind: Wait, Until: in(time.Hour)}, shown{Says: none}},
		"nothing, then something": {nil, down("HTTP 500", minute), shown{true, written, minute, 3 * minute}},
		"the same, for longer": {[]Action{down("HTTP 500", minute)}, down("HTTP 500", minute+10*time.Second),
			shown{false, written, minute, 0}},
		"the same, after its time": {[]Action{down("HTTP 500", minute)}, down("HTTP 500", minute+11*time.Second),
			shown{true, written, minute + 11*time.Second, 0}},
		"another message": {[]Action{down("HTTP 500", minute)}, down("HTTP 503", minute), shown{true,
			map[string]string{v1alpha1.ConditionBlocked: "True AIUnavailable: HTTP 503"}, minute, 0}},
		"another reason, without an end": {[]Action{down("HTTP 500", 10*minute)},
			Action{Kind: Wait, Blocked: v1alpha1.ReasonStoreNotFound, Why: "HTTP 500"},
			shown{true, map[string]string{v1alpha1.ConditionBlocked: "True StoreNotFound: HTTP 500"}, 0, 0}},
		"nothing any more, in time": {[]Action{down("HTTP 500", 10*minute)}, Action{Kind: Wait, Until: in(10 * minute)},
			shown{true, none, 10 * minute, 0}},
		"nothing any more, after its time": {
			[]Action{down("HTTP 500", minute)}, Action{Kind: Wait, Until: in(time.Hour)},
			shown{true, none, 0, 0}},
		"a text is waited for, after its time": {[]Action{down("HTTP 500", minute)},
			Action{Kind: Wait, Until: in(time.Hour), Writing: true}, shown{false, written, minute, 0}},
		"an attempt is waited for, after its time": {
			[]Action{{Kind: Wait, Blocked: v1alpha1.ReasonThrottled, Why: "HTTP 429", Until: in(minute)}},
			Action{Kind: Wait, Until: in(time.Hour), refused: true},
			shown{true, map[string]string{v1alpha1.ConditionBlocked: "True Throttled: HTTP 429"}, 0, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			status := statusAfter()
			for _, each := range row.before {
				Waiting(each, gen.T0)(status)
			}
			got := shown{Changes: Waiting(row.does, in(3*minute))(status), Says: told(status)}
			if status.NextActionTime != nil {
				got.Next = status.NextActionTime.Sub(gen.T0)
			}
			for _, each := range status.Conditions {
				got.Since = each.LastTransitionTime.Sub(gen.T0)
			}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestWaitingForAnotherAttempt(t *testing.T) {
	again := Action{Until: gen.T0.Add(time.Hour), refused: true}
	type kept struct{ Changes, IsThere bool }
	for reason, keeps := range map[string]bool{
		v1alpha1.ReasonGatewayUnavailable: true, v1alpha1.ReasonThrottled: true, v1alpha1.ReasonRestricted: true,
		v1alpha1.ReasonSuspended: false, v1alpha1.ReasonNoConnectedInstance: false,
	} {
		t.Run(reason, func(t *testing.T) {
			status := statusAfter(Waiting(Action{Blocked: reason, Why: "why"}, gen.T0))
			got := kept{Waiting(again, gen.T0)(status), len(status.Conditions) == 1}
			if diff := cmp.Diff(kept{!keeps, keeps}, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// exactly spreads no wait.
func exactly(wait time.Duration) time.Duration { return wait }

func TestRefusalOf(t *testing.T) {
	const base = 10 * time.Second
	at := gen.T0.Add(time.Hour)
	failed := func(class failure.Class, code failure.Code, retryAt time.Time) error {
		return fmt.Errorf("send: %w", &failure.Error{Class: class, Code: code, Op: "send", RetryAt: retryAt})
	}
	for _, c := range []struct {
		name    string
		err     error
		attempt int32
		want    Refusal
		wait    time.Duration
	}{
		{"the first", failed(failure.Terminal, failure.InvalidInput, time.Time{}), 1,
			Refusal{Word: "InvalidInput", CountsAsAttempt: true, Blocked: v1alpha1.ReasonGatewayUnavailable}, base},
		{"the second", failed(failure.Terminal, failure.InvalidInput, time.Time{}), 2,
			Refusal{Word: "InvalidInput", CountsAsAttempt: true, Blocked: v1alpha1.ReasonGatewayUnavailable}, 2 * base},
		{"an outage is not the message's fault", failed(failure.Transient, failure.Unavailable, time.Time{}), 2,
			Refusal{Word: "Unavailable", HoldsNumber: true, Blocked: v1alpha1.ReasonGatewayUnavailable},
			30 * time.Second},
		{"the third", failed(failure.Terminal, failure.InvalidInput, time.Time{}), 3,
			Refusal{Word: "InvalidInput", CountsAsAttempt: true, Blocked: v1alpha1.ReasonGatewayUnavailable}, 4 * base},
		{"no attempt yet", failed(failure.Terminal, failure.InvalidInput, time.Time{}), 0,
			Refusal{Word: "InvalidInput", CountsAsAttempt: true, Blocked: v1alpha1.ReasonGatewayUnavailable}, base},
		{"a very late one", failed(failure.Terminal, failure.InvalidInput, time.Time{}), 90,
			Refusal{Word: "InvalidInput", CountsAsAttempt: true, Blocked: v1alpha1.ReasonGatewayUnavailable},
			1024 * base},
		{"no WhatsApp", failed(failure.Terminal, failure.NotOnWhatsApp, time.Time{}), 1,
			Refusal{Word: v1alpha1.ReasonNotOnWhatsApp, CountsAsAttempt: true,
				Blocked: v1alpha1.ReasonGatewayUnavailable}, base},
		{"throttled until a time", failed(failure.Throttled, failure.RateLimited, at), 1,
			Refusal{Word: "RateLimited", Blocked: v1alpha1.ReasonThrottled}, time.Hour + time.Second},
		{"throttled until now", failed(failure.Throttled, failure.RateLimited, gen.T0), 1,
			Refusal{Word: "RateLimited", Blocked: v1alpha1.ReasonThrottled}, base},
		{"throttled without a time", failed(failure.Throttled, failure.RateLimited, time.Time{}), 1,
			Refusal{Word: "RateLimited", Blocked: v1alpha1.ReasonThrottled}, base},
		{"throttled until a time that has passed", failed(failure.Throttled, failure.RateLimited,
			gen.T0.Add(-time.Hour)), 1,
			Refusal{Word: "RateLimited", Blocked: v1alpha1.ReasonThrottled}, base},
		{"restricted", failed(failure.Throttled, failure.Restricted, at), 1,
			Refusal{Word: "Restricted", Blocked: v1alpha1.ReasonRestricted}, 30 * time.Second},
		{"not connected", failed(failure.Transient, failure.NotConnected, time.Time{}), 1,
			Refusal{Word: "NotConnected", HoldsNumber: true, Blocked: v1alpha1.ReasonGatewayUnavailable},
			30 * time.Second},
		{"not connected, and not for a moment", failed(failure.Terminal, failure.NotConnected, time.Time{}), 1,
			Refusal{Word: "NotConnected", HoldsNumber: true, Blocked: v1alpha1.ReasonGatewayUnavailable},
			30 * time.Second},
		{"a bad token", failed(failure.Terminal, failure.Unauthorized, time.Time{}), 3,
			Refusal{Word: "Unauthorized", HoldsNumber: true, Blocked: v1alpha1.ReasonGatewayUnavailable},
			30 * time.Second},
		{"an instance that is gone", failed(failure.Terminal, failure.NotFound, time.Time{}), 3,
			Refusal{Word: "NotFound", HoldsNumber: true, Blocked: v1alpha1.ReasonGatewayUnavailable}, 30 * time.Second},
		{"a wrong setting", failed(failure.Terminal, failure.Misconfigured, time.Time{}), 3,
			Refusal{Word: "Misconfigured", HoldsNumber: true, Blocked: v1alpha1.ReasonGatewayUnavailable},
			30 * time.Second},
		{"an error nobody classed", errors.New("+5511987654321"), 1,
			Refusal{Word: "Refused", CountsAsAttempt: true, Blocked: v1alpha1.ReasonGatewayUnavailable}, base},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := RefusalOf(c.err, c.attempt, base, exactly, gen.T0)
			if got.message == "" || strings.Contains(got.message, gen.Phone) {
				t.Errorf("says %q", got.message)
			}
			c.want.Now, c.want.RetryAt, c.want.message = gen.T0, gen.T0.Add(c.wait), got.message
			if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(Refusal{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestSumUp: what people see first is derived from the facts.
func TestSumUp(t *testing.T) {
	contacted := gen.FromUs(gen.FirstID, v1alpha1.MessageSent, gen.T0)
	wrote := gen.FromCustomer("in-1", gen.T0)
	type summary struct {
		Phase      v1alpha1.Phase
		Generation int64
		Outcome    string
	}
	for name, row := range map[string]struct {
		lead []gen.LeadMod
		want summary
	}{
		"nothing was sent": {nil, summary{v1alpha1.PhasePendingRecovery, 5, ""}},
		"a message went":   {[]gen.LeadMod{contacted}, summary{v1alpha1.PhaseContacted, 5, ""}},
		"it was answered":  {[]gen.LeadMod{contacted, wrote}, summary{v1alpha1.PhaseEngaged, 5, ""}},
		"it is over": {[]gen.LeadMod{contacted, wrote, done(v1alpha1.ReasonConversationEnded, gen.T0)},
			summary{v1alpha1.PhaseExpired, 5, v1alpha1.ReasonConversationEnded}},
	} {
		t.Run(name, func(t *testing.T) {
			recovery := gen.Lead(gen.T0, row.lead...)
			recovery.Generation = 5
			Summarize(recovery, gen.T0)
			got := summary{recovery.Status.Phase, recovery.Status.ObservedGeneration, OutcomeOf(recovery)}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestCountTokens: what texts have cost is written although nothing else changes.
func TestCountTokens(t *testing.T) {
	status := statusAfter()
	if !CountTokens(status) {
		t.Error("there is nothing to write")
	}
	if diff := cmp.Diff(statusAfter(), status); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
