package plan

import (
	stdcmp "cmp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/lead"
)

// told is what the conditions of a status say, by their types: status, reason and message. Ready follows from Blocked.
func told(status *v1alpha1.CartRecoveryStatus) map[string]string {
	said := map[string]string{}
	for _, each := range status.Conditions {
		if each.Type == v1alpha1.ConditionReady {
			continue
		}
		said[each.Type] = string(each.Status) + " " + each.Reason + ": " + each.Message
	}
	return said
}

// changed is what a change makes of a status, beside its conversation.
type changed struct {
	Changes    bool
	Cycle      int32
	Over       bool
	Instance   string
	Result     bool
	Conditions map[string]string
}

func changedBy(change Change, status *v1alpha1.CartRecoveryStatus) changed {
	changes := change(status)
	got := changed{
		Changes: changes, Cycle: status.Cycle, Over: status.CompletionTime != nil, Result: status.Result != nil,
		Conditions: told(status),
	}
	if status.InstanceRef != nil {
		got.Instance = status.InstanceRef.Name
	}
	return got
}

type statusMod = func(*v1alpha1.CartRecoveryStatus)

func isOver(s *v1alpha1.CartRecoveryStatus) { s.CompletionTime = &metav1.Time{Time: gen.T0} }

func isBlocked(s *v1alpha1.CartRecoveryStatus) {
	Waiting(Action{Blocked: v1alpha1.ReasonSuspended, Why: "why"}, gen.T0)(s)
}

func isWithPerson(s *v1alpha1.CartRecoveryStatus) {
	HandedOverFor(v1alpha1.ReasonLateReply, 1, gen.T0)(s)
}

// TestWhoseConversationItIs is about leads that go to people and come back.
func TestWhoseConversationItIs(t *testing.T) {
	const late, handed = "Unknown InProgress: the customer wrote after the end",
		"True LateReply: " + lead.LateReplyMessage
	only := func(handedOff string) map[string]string {
		return map[string]string{v1alpha1.ConditionHandedOff: handedOff}
	}
	handOver, answer := HandedOverFor(v1alpha1.ReasonLateReply, 1, gen.T0), AnsweredLate(1, gen.T0)
	for name, row := range map[string]struct {
		before []statusMod
		change Change
		want   changed
	}{
		"an open lead is given to a person": {
			[]statusMod{isBlocked}, handOver, changed{Changes: true, Conditions: only(handed)},
		},
		"one that is over is given to a person": {[]statusMod{isOver, isBlocked}, handOver, changed{
			Changes: true, Conditions: map[string]string{v1alpha1.ConditionHandedOff: handed,
				v1alpha1.ConditionSucceeded: late},
		}},
		"one that was with a person and is over": {[]statusMod{isWithPerson, isOver}, handOver, changed{
			Changes: true, Conditions: map[string]string{v1alpha1.ConditionHandedOff: handed,
				v1alpha1.ConditionSucceeded: late},
		}},
		"one that is with a person": {
			[]statusMod{isWithPerson}, handOver, changed{Conditions: only(handed)},
		},
		"an open lead is not opened": {nil, answer, changed{Conditions: map[string]string{}}},
		"one that is over is opened": {[]statusMod{isOver, isBlocked}, answer, changed{
			Changes: true, Conditions: map[string]string{v1alpha1.ConditionSucceeded: late},
		}},
		"a person gives it back": {
			nil, ResumedFor(v1alpha1.ReasonResumed, "r", 1, gen.T0),
			changed{Changes: true, Conditions: only("False Resumed: " + resumedMessage)},
		},
		"it goes back by itself": {
			nil, ResumedFor(v1alpha1.ReasonResumedByTime, "r", 1, gen.T0),
			changed{Changes: true, Conditions: only("False ResumedByTime: " + resumedByTimeMessage)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			status := &v1alpha1.CartRecoveryStatus{}
			for _, mod := range row.before {
				mod(status)
			}
			if diff := cmp.Diff(row.want, changedBy(row.change, status)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestWhatGoesIntoTheNextCycle has messages and the cycle that each is in after the lead was opened again:
// those of the customer go along that came after the end, and are not too old.
func TestWhatGoesIntoTheNextCycle(t *testing.T) {
	const late = 24 * time.Hour
	ended := gen.T0
	said := func(after time.Duration, mods ...func(*v1alpha1.Message)) v1alpha1.Message {
		m := v1alpha1.Message{Role: v1alpha1.RoleCustomer, Text: "Oi", Cycle: 1,
			At: v1alpha1.NewTimestamp(ended.Add(after))}
		for _, mod := range mods {
			mod(&m)
		}
		return m
	}
	by := func(role v1alpha1.Role) func(*v1alpha1.Message) { return func(m *v1alpha1.Message) { m.Role = role } }
	automatic := func(m *v1alpha1.Message) { m.Automatic = true }
	long := func(m *v1alpha1.Message) { m.Cycle = 0 }
	for name, row := range map[string]struct {
		messages []v1alpha1.Message
		outcome  string
		open     bool
		// opens is how long after the end the next cycle begins, a day less an hour where it is 0.
		opens time.Duration
		want  []int32
	}{
		"one after the end": {messages: []v1alpha1.Message{said(time.Hour)}, want: []int32{2}},
		"two after the end": {
			messages: []v1alpha1.Message{said(time.Hour), said(2 * time.Hour)}, want: []int32{2, 2},
		},
		"one before the end": {
			messages: []v1alpha1.Message{said(-time.Hour), said(time.Hour)}, want: []int32{1, 2},
		},
		"just before the end":          {messages: []v1alpha1.Message{said(-lateSkew + time.Second)}, want: []int32{2}},
		"a little more before the end": {messages: []v1alpha1.Message{said(-lateSkew)}, want: []int32{1}},
		"one of the cycle before":      {messages: []v1alpha1.Message{said(time.Hour, long)}, want: []int32{0}},
		"one that is too old": {
			messages: []v1alpha1.Message{said(time.Hour)}, opens: late + time.Hour, want: []int32{1},
		},
		"one that is almost as old": {
			messages: []v1alpha1.Message{said(time.Hour)}, opens: late + time.Hour - time.Second, want: []int32{2},
		},
		"one of ours": {
			messages: []v1alpha1.Message{said(time.Hour, by(v1alpha1.RoleAssistant))}, want: []int32{1},
		},
		"one of a machine": {messages: []v1alpha1.Message{said(time.Hour, automatic)}, want: []int32{1}},
		"one that a person has answered": {
			messages: []v1alpha1.Message{said(time.Hour), said(2*time.Hour, by(v1alpha1.RolePerson))},
			want:     []int32{1, 1},
		},
		"one since a person has": {
			messages: []v1alpha1.Message{said(time.Hour, by(v1alpha1.RolePerson)), said(2 * time.Hour)},
			want:     []int32{1, 2},
		},
		"of a lead that was bought": {
			messages: []v1alpha1.Message{said(time.Hour)}, outcome: v1alpha1.ReasonBoughtAfterContact, want: []int32{1},
		},
		"of a lead without an end": {messages: []v1alpha1.Message{said(time.Hour)}, open: true, want: []int32{1}},
	} {
		t.Run(name, func(t *testing.T) {
			outcome, opens := stdcmp.Or(row.outcome, v1alpha1.ReasonUnanswered), stdcmp.Or(row.opens, late-time.Hour)
			status := &v1alpha1.CartRecoveryStatus{Cycle: 1, Conversation: row.messages}
			setSucceeded(status, metav1.ConditionFalse, outcome, "", 1, ended)
			if !row.open {
				isOver(status)
			}
			Reopened(1, late, ended.Add(opens))(status)
			var got []int32
			for _, each := range status.Conversation {
				got = append(got, each.Cycle)
			}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("cycles (-want +got):\n%s", diff)
			}
		})
	}
}

// TestSentBefore: what the gateway tells of a message is written as if it had been sent just so.
func TestSentBeforeAsToldByTheGateway(t *testing.T) {
	now := gen.T0.Add(time.Hour)
	stamp := func(at time.Time) *v1alpha1.Timestamp { s := v1alpha1.NewTimestamp(at); return &s }
	step := Message{ID: gen.FirstID, Step: &v1alpha1.Step{Name: "first"}, Instance: gen.InstanceObject()}
	answer := Message{ID: "c1-reply-1", Instance: gen.InstanceObject()}
	sent := func(id, step, from string, at time.Time, gatewayID string) v1alpha1.Message {
		return v1alpha1.Message{
			ID: id, Step: step, Role: v1alpha1.RoleAssistant, Cycle: 1, State: v1alpha1.MessageSent, Instance: from,
			At: *stamp(at), SentAt: stamp(at), Attempts: 1, GatewayID: gatewayID,
		}
	}
	written := sent(gen.FirstID, "first", gen.Instance, gen.T0, "g")
	written.Text, written.Tokens = "Oi", 40
	for name, row := range map[string]struct {
		wanted Message
		known  Proof
		before []v1alpha1.Message
		want   v1alpha1.Message
	}{
		"a step": {
			step, Proof{At: gen.T0, GatewayID: "g"}, nil, sent(gen.FirstID, "first", gen.Instance, gen.T0, "g"),
		},
		"an answer, by another number": {
			answer, Proof{At: gen.T0, GatewayID: "g", Number: "second"}, nil,
			sent("c1-reply-1", "", "second", gen.T0, "g"),
		},
		"nobody knows when": {step, Proof{}, nil, sent(gen.FirstID, "first", gen.Instance, now, "")},
		"in the future": {
			step, Proof{At: now.Add(time.Hour)}, nil, sent(gen.FirstID, "first", gen.Instance, now, ""),
		},
		"what was written is kept": {
			step, Proof{At: gen.T0, GatewayID: "g"},
			[]v1alpha1.Message{{ID: gen.FirstID, Text: "Oi", Tokens: 40, Error: "e"}}, written,
		},
		"as long an id as is kept": {
			step, Proof{At: gen.T0, GatewayID: strings.Repeat("g", maxGatewayID)}, nil,
			sent(gen.FirstID, "first", gen.Instance, gen.T0, strings.Repeat("g", 160)),
		},
		"a longer id": {
			step, Proof{At: gen.T0, GatewayID: strings.Repeat("g", maxGatewayID+1)}, nil,
			sent(gen.FirstID, "first", gen.Instance, gen.T0, strings.Repeat("g", 160)),
		},
	} {
		t.Run(name, func(t *testing.T) {
			status := &v1alpha1.CartRecoveryStatus{Cycle: 1, Conversation: row.before}
			isBlocked(status)
			got := changedBy(SentBefore(row.wanted, row.known, 1, now), status)
			want := changed{Changes: true, Cycle: 1, Instance: row.want.Instance, Conditions: map[string]string{
				v1alpha1.ConditionSucceeded: "Unknown InProgress: the lead is worked on",
			}}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("status (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]v1alpha1.Message{row.want}, status.Conversation); diff != "" {
				t.Errorf("conversation (-want +got):\n%s", diff)
			}
		})
	}
}

// ledgered is an entry of the ledger with a reason.
func ledgered(
	event v1alpha1.LedgerEvent, after time.Duration, reason string, mods ...func(*v1alpha1.LedgerEntry),
) v1alpha1.LedgerEntry {
	entry := noted(event, after)
	entry.Reason = reason
	for _, mod := range mods {
		mod(&entry)
	}
	return entry
}

// TestRebuiltStatus is what the ledger tells of a lead that came back without its status.
func TestRebuiltStatus(t *testing.T) {
	const working = "Unknown InProgress: the lead is worked on; its status was restored from the ledger"
	inCycle := func(cycle int32) func(*v1alpha1.LedgerEntry) {
		return func(e *v1alpha1.LedgerEntry) { e.Cycle = cycle }
	}
	nowhere := func(e *v1alpha1.LedgerEntry) { e.Instance = "" }
	sent := ledgered(v1alpha1.LedgerSent, gen.FirstDue, "")
	ended := func(reason string) v1alpha1.LedgerEntry { return ledgered(v1alpha1.LedgerEnded, 3*time.Hour, reason) }
	handed := func(reason string) v1alpha1.LedgerEntry { return ledgered(v1alpha1.LedgerHandedOff, time.Hour, reason) }
	only := func(succeeded string) map[string]string {
		return map[string]string{v1alpha1.ConditionSucceeded: succeeded}
	}
	withPerson := func(handedOff string) map[string]string {
		return map[string]string{v1alpha1.ConditionSucceeded: working, v1alpha1.ConditionHandedOff: handedOff}
	}
	outcome := func(status, reason string) map[string]string {
		return only(status + " " + reason + ": " + OutcomeMessages[reason])
	}
	for name, row := range map[string]struct {
		ledger []v1alpha1.LedgerEntry
		before []statusMod
		want   changed
	}{
		"a step": {
			[]v1alpha1.LedgerEntry{sent}, []statusMod{isBlocked},
			changed{Instance: gen.Instance, Conditions: only(working)},
		},
		"a step of a later cycle, from nowhere": {
			[]v1alpha1.LedgerEntry{ledgered(v1alpha1.LedgerSent, gen.FirstDue, "", inCycle(2), nowhere)}, nil,
			changed{Cycle: 2, Conditions: only(working)},
		},
		"a step from somewhere, then one from nowhere": {
			[]v1alpha1.LedgerEntry{sent, ledgered(v1alpha1.LedgerSent, 2*gen.FirstDue, "", inCycle(1), nowhere)}, nil,
			changed{Cycle: 1, Instance: gen.Instance, Conditions: only(working)},
		},
		"a person had it": {
			[]v1alpha1.LedgerEntry{handed(v1alpha1.ReasonPersonWrote)}, nil,
			changed{Conditions: withPerson("True PersonWrote: " + lead.HandedOffMessage)},
		},
		"the customer asked for one": {
			[]v1alpha1.LedgerEntry{handed(v1alpha1.ReasonCustomerAsked)}, nil,
			changed{Conditions: withPerson("True CustomerAsked: " + lead.CustomerAskedMessage)},
		},
		"a person had it, which the status says": {
			[]v1alpha1.LedgerEntry{handed(v1alpha1.ReasonCustomerAsked)},
			[]statusMod{func(s *v1alpha1.CartRecoveryStatus) { ResumedFor(v1alpha1.ReasonResumed, "r", 1, gen.T0)(s) }},
			changed{Conditions: withPerson("False Resumed: " + resumedMessage)},
		},
		"it expired": {
			[]v1alpha1.LedgerEntry{ended(v1alpha1.ReasonUnanswered)}, nil,
			changed{Over: true, Conditions: outcome("False", v1alpha1.ReasonUnanswered)},
		},
		"it was bought after our message": {
			[]v1alpha1.LedgerEntry{sent, ended(v1alpha1.ReasonBoughtAfterContact)}, nil,
			changed{
				Over: true, Instance: gen.Instance, Result: true,
				Conditions: outcome("True", v1alpha1.ReasonBoughtAfterContact),
			},
		},
		"it was bought before": {
			[]v1alpha1.LedgerEntry{ended(v1alpha1.ReasonBoughtBeforeContact)}, nil,
			changed{Over: true, Conditions: outcome("True", v1alpha1.ReasonBoughtBeforeContact)},
		},
		"it was bought, for nobody's credit": {
			[]v1alpha1.LedgerEntry{ended(v1alpha1.ReasonPurchaseNotAttributed)}, nil,
			changed{Over: true, Conditions: outcome("True", v1alpha1.ReasonPurchaseNotAttributed)},
		},
		"it was reversed": {
			[]v1alpha1.LedgerEntry{sent, ended(v1alpha1.ReasonReversed)}, nil,
			changed{Over: true, Instance: gen.Instance, Result: true,
				Conditions: outcome("False", v1alpha1.ReasonReversed)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			recovery := gen.Lead(gen.T0, gen.Bought(gen.T0.Add(2*time.Hour)))
			for _, mod := range row.before {
				mod(&recovery.Status)
			}
			row.want.Changes = true
			snapshot := &Snapshot{Lead: recovery, Ledger: row.ledger, Now: gen.T0.Add(4 * time.Hour)}
			got := changedBy(Rebuilt(snapshot), &recovery.Status)
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestRebuiltResult: what a recovery was worth is told by the messages that the ledger knows.
func TestRebuiltResult(t *testing.T) {
	recovery := gen.Lead(gen.T0, gen.Bought(gen.T0.Add(2*time.Hour)))
	status := recovery.Status.DeepCopy()
	Rebuilt(&Snapshot{Lead: recovery, Now: gen.T0.Add(4 * time.Hour), Ledger: []v1alpha1.LedgerEntry{
		ledgered(v1alpha1.LedgerSent, gen.FirstDue, ""),
		ledgered(v1alpha1.LedgerEnded, 3*time.Hour, v1alpha1.ReasonBoughtAfterContact),
	}})(status)
	want := &v1alpha1.RecoveryResult{
		BoughtAt: &recovery.Spec.Purchase.At, Messages: 1, Step: "first",
		TimeToRecovery:  &v1alpha1.Duration{Duration: 2 * time.Hour},
		TimeFromMessage: &v1alpha1.Duration{Duration: 2*time.Hour - gen.FirstDue},
	}
	if diff := cmp.Diff(want, status.Result); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestClaimsOfStepsAndAnswers: only answers are counted, and a number's id is kept once it is known.
func TestClaimsOfStepsAndAnswers(t *testing.T) {
	type kept struct {
		Answers    int
		WhatsAppID string
	}
	known := Message{ID: "a", Instance: gen.InstanceObject(), whatsAppID: "5511@s.whatsapp.net"}
	for name, row := range map[string]struct {
		wanted Message
		want   kept
	}{
		"a step":              {wantedFirst(), kept{0, "before"}},
		"an answer":           {Message{ID: "a", Instance: gen.InstanceObject()}, kept{1, "before"}},
		"an id that is known": {known, kept{1, "5511@s.whatsapp.net"}},
	} {
		t.Run(name, func(t *testing.T) {
			status := &v1alpha1.CartRecoveryStatus{WhatsAppID: "before"}
			if !Claim(row.wanted, 1, gen.T0)(status) {
				t.Fatal("changes nothing")
			}
			if diff := cmp.Diff(row.want, kept{len(status.AnsweredAt), status.WhatsAppID}); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestOutcomeOfALeadWithoutACondition(t *testing.T) {
	recovery := gen.Lead(gen.T0)
	setSucceeded(&recovery.Status, metav1.ConditionUnknown, v1alpha1.ReasonInProgress, "", 1, gen.T0)
	if diff := cmp.Diff("", OutcomeOf(recovery)); diff != "" {
		t.Errorf("of one that is worked on (-want +got):\n%s", diff)
	}
	isOver(&recovery.Status)
	apimeta.RemoveStatusCondition(&recovery.Status.Conditions, v1alpha1.ConditionSucceeded)
	if diff := cmp.Diff("", OutcomeOf(recovery)); diff != "" {
		t.Errorf("of one that is over (-want +got):\n%s", diff)
	}
}

// TestWhatBecomesOfAClaim is about the edges of times and ids, and what is shown after it.
func TestWhatBecomesOfAClaim(t *testing.T) {
	claimed, now := gen.T0, gen.T0.Add(time.Minute)
	between := Receipt{At: claimed.Add(time.Second)}
	long := func(id int) Receipt { return Receipt{GatewayID: strings.Repeat("g", id)} }
	type outcome struct {
		SentAt    time.Duration // after the claim
		GatewayID int
		Blocked   bool
	}
	for name, row := range map[string]struct {
		change Change
		want   outcome
	}{
		"sent at its claim":      {Confirm(gen.FirstID, Receipt{At: claimed}, now), outcome{SentAt: time.Minute}},
		"sent between":           {Confirm(gen.FirstID, between, now), outcome{SentAt: time.Second}},
		"an id that is as long":  {Confirm(gen.FirstID, long(160), now), outcome{time.Minute, 160, false}},
		"an id that is too long": {Confirm(gen.FirstID, long(161), now), outcome{time.Minute, 160, false}},
		"not sent":               {NotSent(gen.FirstID, true, now), outcome{}},
		"unknown":                {Unknown(gen.FirstID), outcome{}},
	} {
		t.Run(name, func(t *testing.T) {
			status := statusAfter(Claim(wantedFirst(), 1, claimed), isBlockedChange)
			if !row.change(status) {
				t.Fatal("changes nothing")
			}
			m := status.Conversation[0]
			got := outcome{GatewayID: len(m.GatewayID), Blocked: told(status)[v1alpha1.ConditionBlocked] != ""}
			if m.SentAt != nil {
				got.SentAt = m.SentAt.Sub(claimed)
			}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func isBlockedChange(status *v1alpha1.CartRecoveryStatus) bool { isBlocked(status); return true }

// TestEndsAndBeginnings: what a cycle leaves behind when it ends, and when the next begins.
func TestEndsAndBeginnings(t *testing.T) {
	const hour = time.Hour
	sent := gen.FromUs(gen.FirstID, v1alpha1.MessageSent, gen.T0.Add(gen.FirstDue))
	bought := gen.Bought(gen.T0.Add(hour))
	asked := func(l *v1alpha1.CartRecovery) {
		done(v1alpha1.ReasonUnanswered, gen.T0.Add(hour))(l)
		cycleAsked(gen.T0.Add(2*hour), gen.T0.Add(hour))(l)
	}
	reversed := func(l *v1alpha1.CartRecovery) {
		l.Spec.Reversal = &v1alpha1.Reversal{At: v1alpha1.NewTimestamp(gen.T0.Add(2 * hour))}
		l.Status.Result = &v1alpha1.RecoveryResult{Amount: "1"}
	}
	finished := func(reason string) func(*v1alpha1.CartRecovery) Change {
		return func(l *v1alpha1.CartRecovery) Change {
			return Finished(l, l.Spec.Purchase, reason, gen.T0.Add(3*hour))
		}
	}
	boughtAfter, boughtBefore := finished(v1alpha1.ReasonBoughtAfterContact),
		finished(v1alpha1.ReasonBoughtBeforeContact)
	reopened := func(*v1alpha1.CartRecovery) Change { return Reopened(1, hour, gen.T0.Add(3*hour)) }
	was := func(mods ...statusMod) gen.LeadMod {
		return func(l *v1alpha1.CartRecovery) {
			for _, mod := range mods {
				mod(&l.Status)
			}
		}
	}
	attempted := func(s *v1alpha1.CartRecoveryStatus) { s.Attempts, s.Result = 2, &v1alpha1.RecoveryResult{} }
	type left struct {
		Changed  changed
		Attempts int32
		Ended    time.Duration
		Reversed bool
	}
	succeeded := func(text string) map[string]string { return map[string]string{v1alpha1.ConditionSucceeded: text} }
	outcome := func(status, reason string) map[string]string {
		return succeeded(status + " " + reason + ": " + OutcomeMessages[reason])
	}
	for name, row := range map[string]struct {
		lead   []gen.LeadMod
		change func(*v1alpha1.CartRecovery) Change
		want   left
	}{
		"bought after our message": {[]gen.LeadMod{sent, bought, was(isBlocked)}, boughtAfter, left{
			Changed: changed{Over: true, Result: true, Conditions: outcome("True", v1alpha1.ReasonBoughtAfterContact)},
			Ended:   3 * hour,
		}},
		"reversed": {[]gen.LeadMod{sent, bought, reversed}, finished(v1alpha1.ReasonReversed), left{
			Changed: changed{Over: true, Result: true, Conditions: outcome("False", v1alpha1.ReasonReversed)},
			Ended:   3 * hour, Reversed: true,
		}},
		"bought before the cycle that was asked for": {[]gen.LeadMod{asked, bought}, boughtBefore, left{
			Changed: changed{Cycle: 1, Over: true, Conditions: outcome("True", v1alpha1.ReasonBoughtBeforeContact)},
			Ended:   3 * hour,
		}},
		"the next cycle": {[]gen.LeadMod{asked, was(isWithPerson, isOver, isBlocked, attempted)}, reopened, left{
			Changed: changed{Cycle: 1,
				Conditions: succeeded("Unknown InProgress: the customer left the checkout again")},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			recovery := gen.Lead(gen.T0, row.lead...)
			status := recovery.Status.DeepCopy()
			got := left{Changed: changedBy(row.change(recovery), status), Attempts: status.Attempts}
			if status.CompletionTime != nil {
				got.Ended = status.CompletionTime.Sub(gen.T0)
			}
			got.Reversed = status.Result != nil && status.Result.ReversedAt != nil
			row.want.Changed.Changes, row.want.Changed.Instance = true, got.Changed.Instance
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestStepsThatAStatusLacks: of the ledger only the steps of the cycle that the status is in are added.
func TestStepsThatAStatusLacks(t *testing.T) {
	inNext := func(e *v1alpha1.LedgerEntry) { e.Cycle = 1 }
	recovery := gen.Lead(gen.T0)
	setSucceeded(&recovery.Status, metav1.ConditionUnknown, v1alpha1.ReasonInProgress, "", 1, gen.T0)
	Rebuilt(&Snapshot{Lead: recovery, Now: gen.T0.Add(time.Hour), Ledger: []v1alpha1.LedgerEntry{
		noted(v1alpha1.LedgerSent, gen.FirstDue), noted(v1alpha1.LedgerReplied, 2*gen.FirstDue),
		ledgered(v1alpha1.LedgerSent, 3*gen.FirstDue, "", inNext),
	}})(&recovery.Status)
	var got []string
	for _, each := range recovery.Status.Conversation {
		got = append(got, each.ID)
	}
	if diff := cmp.Diff([]string{gen.FirstID}, got); diff != "" {
		t.Errorf("conversation (-want +got):\n%s", diff)
	}
}
