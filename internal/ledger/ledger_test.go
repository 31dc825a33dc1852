package ledger_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/ledger"
)

var (
	t0    = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	store = types.NamespacedName{Namespace: gen.Namespace, Name: gen.Store}
)

// worked is a lead that was written to, answered, was handed over, and ended.
func worked() *v1alpha1.CartRecovery {
	return gen.Lead(t0, func(l *v1alpha1.CartRecovery) {
		at := func(minutes int) v1alpha1.Timestamp {
			return v1alpha1.NewTimestamp(t0.Add(time.Duration(minutes) * time.Minute))
		}
		l.Status.Conversation = []v1alpha1.Message{
			{ID: "c0-step-first", Role: v1alpha1.RoleAssistant, Step: "first", State: v1alpha1.MessageSent,
				Text: "Oi, Maria!", At: at(15), Instance: gen.Instance},
			{ID: "c0-step-second", Role: v1alpha1.RoleAssistant, Step: "second", State: v1alpha1.MessageUnknown,
				Text: "Oi de novo!", At: at(20)},
			{ID: "c0-step-third", Role: v1alpha1.RoleAssistant, Step: "third", State: v1alpha1.MessageFailed,
				At: at(30)},
			{ID: "in-1", Role: v1alpha1.RoleCustomer, Text: "Tem desconto?", At: at(40)},
			{ID: "in-2", Role: v1alpha1.RoleCustomer, Text: "?", At: at(41)},
		}
		done := metav1.NewTime(t0.Add(time.Hour))
		l.Status.CompletionTime = &done
		l.Status.Conditions = []metav1.Condition{
			{Type: v1alpha1.ConditionHandedOff, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonCustomerAsked,
				LastTransitionTime: done},
			{Type: v1alpha1.ConditionSucceeded, Status: metav1.ConditionFalse,
				Reason: v1alpha1.ReasonConversationEnded},
		}
	})
}

func TestEntriesOf(t *testing.T) {
	entries := ledger.EntriesOf(worked())
	var events []string
	for _, each := range entries {
		events = append(events, string(each.Event)+each.Step+each.Reason)
	}
	if got, want := strings.Join(events,
		" "), "Sentfirst Sentsecond Replied HandedOffCustomerAsked EndedConversationEnded"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	written, err := json.Marshal(entries)
	if err != nil {
		t.Fatal(err)
	}
	for _, private := range []string{"Maria", "desconto", gen.Phone, gen.Email, "in-1"} {
		if strings.Contains(string(written), private) {
			t.Errorf("the ledger tells %q", private)
		}
	}
	if got := ledger.EntriesOf(gen.Lead(t0)); len(got) != 0 {
		t.Errorf("a lead that nothing happened to: %+v", got)
	}
}

func TestALedgerIsWrittenOnce(t *testing.T) {
	l, lead := ledger.New(), worked()
	for range 3 {
		l.Observe(lead)
	}
	first := l.Next(store, 2)
	if len(first) != 2 || len(l.Next(store, 100)) != 5 || len(l.Unsaved()) != 1 {
		t.Fatalf("%d of %d entries", len(first), len(l.Next(store, 100)))
	}
	l.Saved(store, first)
	if rest := l.Next(store, 100); len(rest) != 3 || rest[0].Event != v1alpha1.LedgerReplied {
		t.Errorf("what is left: %+v", rest)
	}
	again := ledger.New()
	again.Observe(lead)
	again.Learn(&v1alpha1.RecoveryLedger{
		ObjectMeta: metav1.ObjectMeta{Namespace: gen.Namespace},
		Spec: v1alpha1.RecoveryLedgerSpec{StoreRef: v1alpha1.ObjectReference{Name: gen.Store},
			Entries: l.Of(lead)},
	})
	if len(again.Unsaved()) != 0 || len(again.Of(lead)) != 5 {
		t.Errorf("what was written down is not known: %+v", again.Next(store, 100))
	}
	l.Drop(store)
	if len(l.Unsaved()) != 0 || len(l.Of(lead)) != 0 {
		t.Error("a Store that is gone is kept")
	}
	again.Forget(store, again.Of(lead))
	if len(again.Of(lead)) != 0 {
		t.Error("what can go is kept")
	}
}

func TestAHandOffCanComeAgain(t *testing.T) {
	l, lead := ledger.New(), worked()
	lead.Status.CompletionTime = nil
	l.Observe(lead)
	turn := func(status metav1.ConditionStatus, at time.Time) *v1alpha1.LedgerEntry {
		lead.Status.Conditions[0].Status, lead.Status.Conditions[0].LastTransitionTime = status, metav1.NewTime(at)
		l.Observe(lead)
		return ledger.Tell(l.Of(lead)).HandedOff
	}
	if turn(metav1.ConditionFalse, t0.Add(2*time.Hour)) != nil {
		t.Error("a person still has it")
	}
	if turn(metav1.ConditionTrue, t0.Add(3*time.Hour)) == nil {
		t.Error("a person does not have it again")
	}
}

func TestTellTheCycle(t *testing.T) {
	lead := worked()
	l := ledger.New()
	l.Observe(lead)
	lead.Status.Cycle, lead.Status.CompletionTime, lead.Status.Conditions = 1, nil, nil
	lead.Status.Conversation = append(lead.Status.Conversation, v1alpha1.Message{
		ID: "c1-step-first", Cycle: 1, Role: v1alpha1.RoleAssistant, Step: "first", State: v1alpha1.MessageSent,
		At: v1alpha1.NewTimestamp(t0.Add(100 * time.Hour)),
	})
	l.Observe(lead)
	told := ledger.Tell(l.Of(lead))
	if told.Cycle != 1 || told.Ended != nil || told.HandedOff != nil || len(told.Messages) != 5 {
		t.Errorf("%+v", told)
	}
	if joined, changed := ledger.Join(lead.Status.Conversation, told.Messages); changed {
		t.Errorf("a conversation that lacks nothing was changed: %+v", joined)
	}
	joined, changed := ledger.Join(nil, told.Messages)
	if !changed || len(joined) != 5 || joined[4].ID != "c1-step-first" {
		t.Errorf("%+v", joined)
	}
	ids := map[string]bool{}
	for i := range joined {
		ids[joined[i].ID] = true
	}
	if len(ids) != len(joined) {
		t.Errorf("ids are not unique: %v", ids)
	}
}

// A full conversation keeps its steps: one that fell out of it would be added for ever.
// TestJoinTakesEachOnce: what entries tell of twice, because the ledger was restored as well, is one message.
func TestJoinTakesEachOnce(t *testing.T) {
	told := ledger.Tell(ledger.EntriesOf(worked())).Messages
	once, _ := ledger.Join(nil, told)
	twice, _ := ledger.Join(nil, slices.Concat(told, told))
	if len(once) == 0 || len(twice) != len(once) {
		t.Errorf("%d messages of what is told twice, want %d", len(twice), len(once))
	}
}

func TestJoinAFullConversation(t *testing.T) {
	told := ledger.Tell(ledger.EntriesOf(worked())).Messages
	full := []v1alpha1.Message{told[0]}
	for n := range v1alpha1.MaxConversation - 1 {
		full = append(full, v1alpha1.Message{
			ID: fmt.Sprint("op-", n), Role: v1alpha1.RolePerson, At: v1alpha1.NewTimestamp(t0.Add(16 * time.Minute)),
		})
	}
	joined, changed := ledger.Join(full, told)
	if !changed || len(joined) != v1alpha1.MaxConversation {
		t.Fatalf("%d messages, changed %t", len(joined), changed)
	}
	if _, changed := ledger.Join(joined, told); changed {
		t.Error("lacks something still")
	}
}

func TestAFullPartIsSmall(t *testing.T) {
	entries := make([]v1alpha1.LedgerEntry, v1alpha1.MaxLedgerEntries)
	for i := range entries {
		entries[i] = v1alpha1.LedgerEntry{
			Lead: fmt.Sprintf("perfectpay-%024d", i), Event: v1alpha1.LedgerSent, Cycle: 3,
			Step: strings.Repeat("s", 40), Instance: strings.Repeat("i", 63), At: v1alpha1.NewTimestamp(t0),
		}
	}
	written, err := json.Marshal(entries)
	if err != nil || len(written) > 256<<10 {
		t.Errorf("a full part has %d bytes: %v", len(written), err)
	}
}

func TestAClaimOfPaymentIsKept(t *testing.T) {
	l, lead := ledger.New(), worked()
	lead.Status.CompletionTime, lead.Status.Conditions = nil, []metav1.Condition{{
		Type: v1alpha1.ConditionBlocked, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonClaimsPaid,
		LastTransitionTime: metav1.NewTime(t0),
	}}
	l.Observe(lead)
	lead.Status.Conditions[0].LastTransitionTime = metav1.NewTime(t0.Add(time.Hour))
	l.Observe(lead)
	entries := l.Of(lead)
	claims := 0
	for _, entry := range entries {
		if entry.Event == v1alpha1.LedgerClaimedPaid {
			claims++
		}
	}
	if claims != 1 {
		t.Fatalf("%d claims, want 1: %+v", claims, entries)
	}
	told, stands := ledger.Tell(entries), 0
	for i := range told.Messages {
		if ledger.ClaimsPaid(entries, &told.Messages[i]) {
			stands++
		}
	}
	if stands != 1 {
		t.Errorf("%d messages stand for the claim, want 1", stands)
	}
	for i := range lead.Status.Conversation {
		if ledger.ClaimsPaid(entries, &lead.Status.Conversation[i]) {
			t.Error("a message that is known says for itself what it claims")
		}
	}
}
