package plan

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

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

func TestClaim(t *testing.T) {
	status := statusAfter(Waiting(Action{Blocked: v1alpha1.ReasonAIUnavailable, Why: "down", Until: gen.T0}, gen.T0),
		Claim(wantedFirst(), 7, gen.T0))
	want := []v1alpha1.Message{{
		ID: gen.FirstID, Role: v1alpha1.RoleAssistant, Step: "first", Text: "Oi, Maria!",
		State: v1alpha1.MessageClaimed, At: v1alpha1.NewTimestamp(gen.T0), Attempts: 1, Tokens: 40,
		Instance: gen.Instance,
	}}
	if !reflect.DeepEqual(status.Conversation, want) {
		t.Errorf("conversation %+v", status.Conversation)
	}
	if status.InstanceRef == nil || status.InstanceRef.Name != gen.Instance || status.Attempts != 1 {
		t.Errorf("status %+v", status)
	}
	if apimeta.FindStatusCondition(status.Conditions, v1alpha1.ConditionBlocked) != nil {
		t.Error("still blocked")
	}
	succeeded := apimeta.FindStatusCondition(status.Conditions, v1alpha1.ConditionSucceeded)
	if succeeded == nil || succeeded.Status != metav1.ConditionUnknown ||
		succeeded.Reason != v1alpha1.ReasonInProgress || succeeded.ObservedGeneration != 7 {
		t.Errorf("condition %+v", succeeded)
	}
}

func TestClaimAgain(t *testing.T) {
	again := wantedFirst()
	again.Tokens = 0
	status := statusAfter(Claim(wantedFirst(), 1, gen.T0), Refused(gen.FirstID, refusedOnce()),
		Claim(again, 1, gen.T0.Add(time.Minute)))
	if len(status.Conversation) != 1 {
		t.Fatalf("the message is there %d times", len(status.Conversation))
	}
	m := status.Conversation[0]
	if m.State != v1alpha1.MessageClaimed || m.Attempts != 2 || m.Error != "" || m.RetryAt != nil ||
		!m.At.Equal(gen.T0.Add(time.Minute)) {
		t.Errorf("message %+v", m)
	}
	if status.Attempts != 2 || m.Tokens != 40 {
		t.Errorf("status %+v", status)
	}
}

func TestClaimOfAnAnswer(t *testing.T) {
	answer := Message{ID: lead.ReplyID(2, "in-1"), ReplyTo: "in-1", Instance: gen.InstanceObject(), Text: "Claro!"}
	status := &v1alpha1.CartRecoveryStatus{Cycle: 2}
	Claim(answer, 1, gen.T0)(status)
	if m := status.Conversation[0]; m.Step != "" || m.Cycle != 2 || m.ID != answer.ID {
		t.Errorf("message %+v", m)
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
			m := status.Conversation[0]
			if m.State != v1alpha1.MessageSent || m.GatewayID != "3EB0" || m.SentAt == nil || !m.SentAt.Equal(c.want) ||
				m.Error != "" || m.RetryAt != nil {
				t.Errorf("message %+v", m)
			}
			if apimeta.FindStatusCondition(status.Conditions, v1alpha1.ConditionBlocked) != nil {
				t.Error("still blocked")
			}
		})
	}
}

func TestRefused(t *testing.T) {
	counted := statusAfter(Claim(wantedFirst(), 1, gen.T0), Refused(gen.FirstID, refusedOnce()))
	m := counted.Conversation[0]
	if m.State != v1alpha1.MessageFailed || m.Attempts != 1 || m.Error != "Refused" || m.RetryAt == nil ||
		!m.RetryAt.Equal(gen.T0.Add(time.Minute)) {
		t.Errorf("message %+v", m)
	}
	blocked := apimeta.FindStatusCondition(counted.Conditions, v1alpha1.ConditionBlocked)
	if blocked == nil || blocked.Status != metav1.ConditionTrue ||
		blocked.Reason != v1alpha1.ReasonGatewayUnavailable || blocked.Message != "refused" {
		t.Errorf("condition %+v", blocked)
	}
	uncounted := refusedOnce()
	uncounted.CountsAsAttempt = false
	if m := statusAfter(Claim(wantedFirst(), 1, gen.T0),
		Refused(gen.FirstID, uncounted)).Conversation[0]; m.Attempts != 0 {
		t.Errorf("an attempt that does not count: %+v", m)
	}
}

func TestNotSentAndUnknown(t *testing.T) {
	for _, c := range []struct {
		name  string
		apply Change
		state v1alpha1.MessageState
		word  string
		retry bool
	}{
		{"wanted", NotSent(gen.FirstID, true, gen.T0), v1alpha1.MessageFailed, "NotSent", true},
		{"not wanted any more", NotSent(gen.FirstID, false, gen.T0), v1alpha1.MessageCancelled, "", false},
		{"unknown", Unknown(gen.FirstID), v1alpha1.MessageUnknown, "Unresolved", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := statusAfter(Claim(wantedFirst(), 1, gen.T0), c.apply).Conversation[0]
			if m.State != c.state || m.Error != c.word || (m.RetryAt != nil) != c.retry || m.Attempts != 1 {
				t.Errorf("message %+v", m)
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

func TestOutcomesChangeClaimsOnly(t *testing.T) {
	for first, before := range outcomes(gen.FirstID) {
		for second, after := range outcomes(gen.FirstID) {
			status := statusAfter(Claim(wantedFirst(), 1, gen.T0), before)
			want := status.DeepCopy()
			if after(status) || !reflect.DeepEqual(status, want) {
				t.Errorf("%s after %s changes %+v to %+v", second, first, want.Conversation, status.Conversation)
			}
		}
	}
	for name, apply := range outcomes(gen.FirstID) {
		if status := (&v1alpha1.CartRecoveryStatus{}); apply(status) ||
			!reflect.DeepEqual(status, &v1alpha1.CartRecoveryStatus{}) {
			t.Errorf("%s of a message that is not there changes %+v", name, status)
		}
		if status := statusAfter(Claim(wantedFirst(), 1, gen.T0)); outcomes("other")[name](status) {
			t.Errorf("%s of another message changes %+v", name, status)
		}
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
				if got.Conversation[i].ID != gen.FirstID && !reflect.DeepEqual(got.Conversation[i],
					before.Conversation[i]) {
					t.Fatalf("round %d: %s changes %+v", round, name, before.Conversation[i])
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
			want := metav1.ConditionFalse
			if strings.Contains(outcome, "Bought") || strings.Contains(outcome, "Purchase") {
				want = metav1.ConditionTrue
			}
			got := apimeta.FindStatusCondition(recovery.Status.Conditions, v1alpha1.ConditionSucceeded)
			if got.Status != want || got.Reason != outcome || got.Message != text || text == "" ||
				got.ObservedGeneration != 3 {
				t.Errorf("condition %+v", got)
			}
			if len(recovery.Status.Conditions) != 1 {
				t.Errorf("something is still to come: %+v", recovery.Status)
			}
			if !recovery.Status.CompletionTime.Equal(&metav1.Time{Time: gen.T0.Add(time.Second)}) ||
				OutcomeOf(recovery) != outcome {
				t.Errorf("finished at %v with %q", recovery.Status.CompletionTime, OutcomeOf(recovery))
			}
		})
	}
}

func TestFinishedAgain(t *testing.T) {
	status := statusAfter(Finished(gen.Lead(gen.T0), nil, v1alpha1.ReasonUnanswered, gen.T0),
		Finished(gen.Lead(gen.T0), nil, v1alpha1.ReasonBoughtAfterContact, gen.T0.Add(time.Hour)))
	if !status.CompletionTime.Equal(&metav1.Time{Time: gen.T0}) {
		t.Errorf("finished at %v, which was not the first time", status.CompletionTime)
	}
	if got := apimeta.FindStatusCondition(status.Conditions,
		v1alpha1.ConditionSucceeded); got.Reason != v1alpha1.ReasonBoughtAfterContact ||
		got.Status != metav1.ConditionTrue {
		t.Errorf("condition %+v", got)
	}
	same := status.DeepCopy()
	Finished(gen.Lead(gen.T0), nil, v1alpha1.ReasonBoughtAfterContact, gen.T0.Add(2*time.Hour))(status)
	if !reflect.DeepEqual(same, status) {
		t.Errorf("finishing the same way again changes %+v", status)
	}
}

func TestWaiting(t *testing.T) {
	down := Action{Blocked: v1alpha1.ReasonAIUnavailable, Why: "HTTP 500", Until: gen.T0.Add(time.Minute)}
	status := statusAfter()
	if Waiting(Action{Until: gen.T0.Add(time.Hour)}, gen.T0)(status) {
		t.Error("a wait with nothing in the way writes")
	}
	if !Waiting(down, gen.T0)(status) || status.NextActionTime == nil {
		t.Errorf("status %+v", status)
	}
	down.Until = gen.T0.Add(time.Hour)
	if Waiting(down, gen.T0.Add(time.Minute))(status) {
		t.Error("the same thing in the way is written again")
	}
	down.Why = "HTTP 503"
	if !Waiting(down, gen.T0.Add(time.Minute))(status) {
		t.Error("another message is not written")
	}
	if got := status.Conditions[0]; got.Message != "HTTP 503" ||
		!got.LastTransitionTime.Equal(&metav1.Time{Time: gen.T0}) {
		t.Errorf("condition %+v", got)
	}
	down.Blocked, down.Until = v1alpha1.ReasonStoreNotFound, time.Time{}
	if !Waiting(down, gen.T0)(status) || status.NextActionTime != nil {
		t.Errorf("status %+v", status)
	}
	if !Waiting(Action{Until: gen.T0}, gen.T0)(status) || len(status.Conditions) != 0 {
		t.Errorf("still blocked: %+v", status.Conditions)
	}
}

func TestWaitingForAnotherAttempt(t *testing.T) {
	again := Action{Until: gen.T0.Add(time.Hour), refused: true}
	for reason, kept := range map[string]bool{
		v1alpha1.ReasonGatewayUnavailable: true, v1alpha1.ReasonThrottled: true,
		v1alpha1.ReasonSuspended: false, v1alpha1.ReasonNoConnectedInstance: false,
	} {
		status := statusAfter(Waiting(Action{Blocked: reason, Why: "why"}, gen.T0))
		if Waiting(again, gen.T0)(status) == kept || len(status.Conditions) == 1 != kept {
			t.Errorf("%s: %+v", reason, status.Conditions)
		}
	}
	if Waiting(again, gen.T0)(statusAfter()) {
		t.Error("writes with nothing in the way")
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
			Refusal{Word: "Unavailable", Blocked: v1alpha1.ReasonGatewayUnavailable}, 30 * time.Second},
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
		{"throttled without a time", failed(failure.Throttled, failure.RateLimited, time.Time{}), 1,
			Refusal{Word: "RateLimited", Blocked: v1alpha1.ReasonThrottled}, base},
		{"throttled until a time that has passed", failed(failure.Throttled, failure.RateLimited,
			gen.T0.Add(-time.Hour)), 1,
			Refusal{Word: "RateLimited", Blocked: v1alpha1.ReasonThrottled}, base},
		{"restricted", failed(failure.Throttled, failure.Restricted, at), 1,
			Refusal{Word: "Restricted", Blocked: v1alpha1.ReasonRestricted}, 30 * time.Second},
		{"not connected", failed(failure.Transient, failure.NotConnected, time.Time{}), 1,
			Refusal{Word: "NotConnected", Blocked: v1alpha1.ReasonGatewayUnavailable}, 30 * time.Second},
		{"a bad token", failed(failure.Terminal, failure.Unauthorized, time.Time{}), 3,
			Refusal{Word: "Unauthorized", Blocked: v1alpha1.ReasonGatewayUnavailable}, 30 * time.Second},
		{"an instance that is gone", failed(failure.Terminal, failure.NotFound, time.Time{}), 3,
			Refusal{Word: "NotFound", Blocked: v1alpha1.ReasonGatewayUnavailable}, 30 * time.Second},
		{"a wrong setting", failed(failure.Terminal, failure.Misconfigured, time.Time{}), 3,
			Refusal{Word: "Misconfigured", Blocked: v1alpha1.ReasonGatewayUnavailable}, 30 * time.Second},
		{"an error nobody classed", errors.New("+5511987654321"), 1,
			Refusal{Word: "Refused", CountsAsAttempt: true, Blocked: v1alpha1.ReasonGatewayUnavailable}, base},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := RefusalOf(c.err, c.attempt, base, exactly, gen.T0)
			if wait := got.RetryAt.Sub(gen.T0); wait != c.wait {
				t.Errorf("waits %s, want %s", wait, c.wait)
			}
			if got.Word != c.want.Word || got.CountsAsAttempt != c.want.CountsAsAttempt ||
				got.Blocked != c.want.Blocked || !got.Now.Equal(gen.T0) {
				t.Errorf("got %+v", got)
			}
			if got.message == "" || strings.Contains(got.message, gen.Phone) {
				t.Errorf("says %q", got.message)
			}
		})
	}
}

func TestSumUp(t *testing.T) {
	recovery := gen.Lead(gen.T0, gen.FromUs(gen.FirstID, v1alpha1.MessageSent, gen.T0))
	recovery.Generation = 5
	SetPhase(recovery)
	if recovery.Status.Phase != v1alpha1.PhaseContacted || recovery.Status.ObservedGeneration != 5 {
		t.Errorf("status %+v", recovery.Status)
	}
	gen.FromCustomer("in-1", gen.T0)(recovery)
	SetPhase(recovery)
	if recovery.Status.Phase != v1alpha1.PhaseEngaged {
		t.Errorf("phase %s", recovery.Status.Phase)
	}
	Finished(gen.Lead(gen.T0), nil, v1alpha1.ReasonConversationEnded, gen.T0)(&recovery.Status)
	SetPhase(recovery)
	if recovery.Status.Phase != v1alpha1.PhaseExpired {
		t.Errorf("phase %s", recovery.Status.Phase)
	}
	if OutcomeOf(gen.Lead(gen.T0)) != "" {
		t.Error("a lead that is worked on has an outcome")
	}
}
