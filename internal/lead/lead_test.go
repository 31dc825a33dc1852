package lead_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/lead"
)

func TestTheSameCartHasTheSameName(t *testing.T) {
	base := lead.Identity{ClientID: "u1", Platform: v1alpha1.PlatformHotmart, ProductID: "1001",
		Email: "maria@example.com", Phone: "+5511987654321"}
	name := lead.Name(base)
	if problems := validation.IsDNS1123Subdomain(name); len(problems) > 0 || !strings.HasPrefix(name, "hotmart-") {
		t.Fatalf("%q is no good name: %v", name, problems)
	}
	otherPhone := base
	otherPhone.Phone = "+5521999990000"
	if lead.Name(otherPhone) != name {
		t.Error("with an e-mail, the phone must not matter")
	}
	byPhone, older := base, base
	byPhone.Email, older.Email = "", ""
	older.Phone = "+551187654321" // without the ninth digit
	if lead.Name(byPhone) != lead.Name(older) {
		t.Error("the ninth digit must not matter")
	}
	for what, change := range map[string]func(*lead.Identity){
		"store":    func(i *lead.Identity) { i.ClientID = "u2" },
		"platform": func(i *lead.Identity) { i.Platform = v1alpha1.PlatformKiwify },
		"product":  func(i *lead.Identity) { i.ProductID = "1002" },
		"e-mail":   func(i *lead.Identity) { i.Email = "ana@example.com" },
	} {
		other := base
		change(&other)
		if lead.Name(other) == name {
			t.Errorf("another %s has the same name", what)
		}
	}
}

func TestLabelsHoldNothingPersonal(t *testing.T) {
	labels := lead.Labels(gen.Store, v1alpha1.LeadCustomer{
		Name: "Maria", Phone: gen.Phone, OtherPhones: []string{"+5511912987654321"}, Email: gen.Email,
		OtherEmails: []string{"maria@example.org"},
	})
	for key, value := range labels {
		if problems := validation.IsQualifiedName(key); len(problems) > 0 || strings.Contains(key, "987654321") ||
			strings.Contains(key, "maria") {
			t.Errorf("%s: %v", key, problems)
		}
		if problems := validation.IsValidLabelValue(value); len(problems) > 0 {
			t.Errorf("%s: %v", key, problems)
		}
		if strings.Contains(value, "987654321") || strings.Contains(value, "maria") {
			t.Errorf("%s shows the customer", key)
		}
	}
	if len(labels) != 7 {
		t.Errorf("got %d labels, want store, phone and e-mail, and one for each number and address", len(labels))
	}
	if labels := lead.Labels(strings.Repeat("s", 64), v1alpha1.LeadCustomer{}); len(labels) != 0 {
		t.Errorf("a name that is no label value must be left out: %v", labels)
	}
}

func TestReplyIDs(t *testing.T) {
	for id, want := range map[string]bool{
		lead.ReplyID(0, "x"): true, lead.ReplyID(12, "y"): true,
		lead.StepID(0, "first"): false, lead.StepID(0, "reply-later"): false, "": false,
	} {
		if lead.IsReplyID(id) != want {
			t.Errorf("%q: got %t", id, !want)
		}
	}
}

// TestAppendKeepsWhatDecides floods a conversation: what says which messages were sent, or
// must be resolved, may never be pushed out.
func TestAppendKeepsWhatDecides(t *testing.T) {
	conversation := []v1alpha1.Message{
		{ID: "c0-step-first", Role: v1alpha1.RoleAssistant, Step: "first", State: v1alpha1.MessageSent},
		{ID: "c0-reply-1", Role: v1alpha1.RoleAssistant, State: v1alpha1.MessageClaimed},
	}
	for n := range 500 {
		conversation = lead.Append(conversation, v1alpha1.Message{ID: fmt.Sprintf("in-%d", n),
			Role: v1alpha1.RoleCustomer})
	}
	for n := range 500 {
		conversation = lead.Append(conversation, v1alpha1.Message{ID: fmt.Sprintf("c0-reply-x%d", n),
			Role: v1alpha1.RoleAssistant, State: v1alpha1.MessageSent})
	}
	if len(conversation) != v1alpha1.MaxConversation {
		t.Fatalf("the conversation has %d messages", len(conversation))
	}
	for _, id := range []string{"c0-step-first", "c0-reply-1", "in-499", "c0-reply-x499"} {
		if lead.Find(conversation, id) == nil {
			t.Errorf("%s was pushed out", id)
		}
	}
}

func TestAppendLeavesTheOriginalAlone(t *testing.T) {
	original := make([]v1alpha1.Message, 1, 10)
	original[0] = v1alpha1.Message{ID: "a"}
	lead.Append(original, v1alpha1.Message{ID: "b"})
	if again := original[:2]; again[1].ID != "" {
		t.Error("Append wrote into the original's memory, which may be the cache's")
	}
}

func TestPhaseOf(t *testing.T) {
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	sent := v1alpha1.Message{ID: "c0-step-first", Role: v1alpha1.RoleAssistant, State: v1alpha1.MessageSent,
		At: v1alpha1.NewTimestamp(now)}
	failed, inbound := sent, v1alpha1.Message{ID: "m1", Role: v1alpha1.RoleCustomer, At: v1alpha1.NewTimestamp(now)}
	failed.State = v1alpha1.MessageFailed
	for _, row := range []struct {
		outcome  string
		messages []v1alpha1.Message
		want     v1alpha1.Phase
	}{
		{"", nil, v1alpha1.PhasePendingRecovery},
		{"", []v1alpha1.Message{failed}, v1alpha1.PhasePendingRecovery},
		{"", []v1alpha1.Message{sent}, v1alpha1.PhaseContacted},
		{v1alpha1.ReasonInProgress, []v1alpha1.Message{sent, inbound}, v1alpha1.PhaseEngaged},
		{v1alpha1.ReasonBoughtAfterContact, []v1alpha1.Message{sent}, v1alpha1.PhaseRecovered},
		{v1alpha1.ReasonBoughtBeforeContact, nil, v1alpha1.PhaseConverted},
		{v1alpha1.ReasonPurchaseNotAttributed, nil, v1alpha1.PhaseConverted},
		{v1alpha1.ReasonOptedOut, nil, v1alpha1.PhaseOptedOut},
		{v1alpha1.ReasonUnanswered, nil, v1alpha1.PhaseExpired},
		{v1alpha1.ReasonConversationEnded, nil, v1alpha1.PhaseExpired},
		{v1alpha1.ReasonNeverContacted, nil, v1alpha1.PhaseExpired},
		{v1alpha1.ReasonSendFailed, nil, v1alpha1.PhaseFailed},
		{v1alpha1.ReasonReversed, nil, v1alpha1.PhaseFailed},
	} {
		recovery := &v1alpha1.CartRecovery{Status: v1alpha1.CartRecoveryStatus{Conversation: row.messages}}
		if got := lead.PhaseOf(recovery, row.outcome); got != row.want {
			t.Errorf("outcome %q with %d messages: got %s, want %s", row.outcome, len(row.messages), got, row.want)
		}
	}
}

func TestLastActivity(t *testing.T) {
	left := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	recovery := gen.Lead(left)
	if got := lead.LastActivity(recovery); !got.Equal(left) {
		t.Errorf("without messages: got %s", got)
	}
	recovery.Status.Conversation = []v1alpha1.Message{
		{ID: "a", Role: v1alpha1.RoleAssistant, State: v1alpha1.MessageSent,
			At: v1alpha1.NewTimestamp(left.Add(time.Minute))},
		{ID: "b", Role: v1alpha1.RoleAssistant, State: v1alpha1.MessageFailed,
			At: v1alpha1.NewTimestamp(left.Add(time.Hour))},
	}
	if got := lead.LastActivity(recovery); !got.Equal(left.Add(time.Minute)) {
		t.Errorf("a failed message is no activity: got %s", got)
	}
	recovery.Spec.AbandonedAt, recovery.CreationTimestamp, recovery.Status.Conversation = nil,
		metav1.NewTime(left.Add(time.Second)), nil
	if got := lead.LastActivity(recovery); !got.Equal(left.Add(time.Second)) {
		t.Errorf("without an abandonment: got %s", got)
	}
}

func TestLabelled(t *testing.T) {
	type mod = func(*v1alpha1.CartRecovery)
	without := func(key string) mod { return func(l *v1alpha1.CartRecovery) { delete(l.Labels, key) } }
	for name, row := range map[string]struct {
		mod  mod
		want bool
	}{
		"all of them":           {func(*v1alpha1.CartRecovery) {}, true},
		"more than them":        {func(l *v1alpha1.CartRecovery) { l.Labels["team"] = "a" }, true},
		"none":                  {func(l *v1alpha1.CartRecovery) { l.Labels = nil }, false},
		"another store":         {func(l *v1alpha1.CartRecovery) { l.Labels[v1alpha1.LabelStore] = "b" }, false},
		"without the phone's":   {without(v1alpha1.LabelPhonePrefix + lead.PhoneHash(gen.Phone)), false},
		"without the address's": {without(v1alpha1.LabelEmailPrefix + lead.EmailHash(gen.Email)), false},
		"with an address by hand": {func(l *v1alpha1.CartRecovery) {
			l.Spec.Customer.OtherEmails = []string{"b@example.com"}
		}, false},
	} {
		if got := lead.Labelled(gen.Lead(time.Now(), row.mod)); got != row.want {
			t.Errorf("%s: got %t", name, got)
		}
	}
}

// TestOneNumberInTwoWays: what a platform calls a customer's number and what WhatsApp calls it
// are one customer, one name, and one label.
func TestOneNumberInTwoWays(t *testing.T) {
	for name, forms := range map[string][2]string{
		"Mexico": {"+525512345678", "5215512345678"}, "Argentina": {"+541123456789", "5491123456789"},
		"Ivory Coast": {"+2250707123456", "22507123456"}, "Benin": {"+2290197123456", "22997123456"},
		"Brazil": {"+5511987654321", "551187654321"},
	} {
		if !lead.SamePhone(forms[0], forms[1]) {
			t.Errorf("%s: two phones", name)
		}
		if lead.PhoneHash(forms[0]) != lead.PhoneHash(forms[1]) {
			t.Errorf("%s: two hashes", name)
		}
		if lead.Name(lead.Identity{Phone: forms[0]}) != lead.Name(lead.Identity{Phone: forms[1]}) {
			t.Errorf("%s: two names", name)
		}
	}
	for name, pair := range map[string][2]string{
		"two operators of Ivory Coast": {"+2250707123456", "+2250507123456"},
		"a landline and a mobile":      {"+551132345678", "+5511932345678"},
	} {
		if lead.SamePhone(pair[0], pair[1]) {
			t.Errorf("%s are one phone", name)
		}
	}
	if hashes := lead.PhoneHashes("+5215512345678"); len(hashes) != 2 || hashes[0] != lead.PhoneHash("525512345678") {
		t.Errorf("hashes %v", hashes)
	}
	if lead.PhoneHashes("") != nil {
		t.Error("no number has a hash")
	}
}
