package webhookserver

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/webhookserver/dialects"
)

func contacted(at time.Time, state v1alpha1.MessageState) func(*v1alpha1.CartRecovery) {
	return func(l *v1alpha1.CartRecovery) {
		l.Status.Conversation = append(l.Status.Conversation, v1alpha1.Message{
			ID: "c0-step-first", Role: v1alpha1.RoleAssistant, Step: "first", State: state, At: v1alpha1.NewTimestamp(at),
		})
	}
}

func on(instance string) func(*v1alpha1.CartRecovery) {
	return func(l *v1alpha1.CartRecovery) { l.Status.InstanceRef = &v1alpha1.ObjectReference{Name: instance} }
}

func heard(id string) func(*v1alpha1.CartRecovery) {
	return func(l *v1alpha1.CartRecovery) {
		l.Status.Conversation = append(l.Status.Conversation, v1alpha1.Message{ID: id, Role: v1alpha1.RoleCustomer, At: v1alpha1.NewTimestamp(noon)})
	}
}

func TestSettle(t *testing.T) {
	sent := func(minute int) func(*v1alpha1.CartRecovery) {
		return contacted(noon.Add(time.Duration(minute)*time.Minute), v1alpha1.MessageSent)
	}
	const mobile, landline = "+5511932345678", "+551132345678"
	for _, row := range []struct {
		name  string
		phone string
		leads []*v1alpha1.CartRecovery
		want  string
	}{
		{name: "nobody", want: ignoredNoOpenLead},
		{name: "contacted", leads: leads(gen.Lead(noon, named("a"), sent(1))), want: "a"},
		{name: "an id without the ninth digit", phone: "551187654321", leads: leads(gen.Lead(noon, named("a"), sent(1))), want: "a"},
		{name: "finished", leads: leads(gen.Lead(noon, named("a"), sent(1), isFinished)), want: ignoredNoOpenLead},
		{name: "never contacted", leads: leads(gen.Lead(noon, named("a"))), want: ignoredNoConversation},
		{name: "only failed", leads: leads(gen.Lead(noon, named("a"), contacted(noon, v1alpha1.MessageFailed))), want: ignoredNoConversation},
		{name: "perhaps contacted", leads: leads(gen.Lead(noon, named("a"), contacted(noon, v1alpha1.MessageClaimed))), want: "a"},
		{name: "the latest", leads: leads(gen.Lead(noon, named("a"), sent(1)), gen.Lead(noon, named("b"), sent(3)), gen.Lead(noon, named("c"), sent(2))), want: "b"},
		{
			name: "this instance first", leads: leads(gen.Lead(noon, named("a"), sent(1), on(gen.Instance)), gen.Lead(noon, named("b"), sent(3), on("other"))),
			want: "a",
		},
		{name: "another instance at last", leads: leads(gen.Lead(noon, named("b"), sent(3), on("other"))), want: "b"},
		{
			name: "two numbers with one key", phone: "551132345678",
			leads: leads(gen.Lead(noon, named("a"), withPhone(mobile), sent(1)), gen.Lead(noon, named("b"), withPhone(landline), sent(2))),
			want:  ignoredAmbiguous,
		},
		{
			name: "a whole number is not ambiguous", phone: "5511932345678",
			leads: leads(gen.Lead(noon, named("a"), withPhone(mobile), sent(1)), gen.Lead(noon, named("b"), withPhone(landline), sent(2))),
			want:  "a",
		},
		{
			name: "a whole number is not a landline", phone: "5511932345678",
			leads: leads(gen.Lead(noon, named("b"), withPhone(landline), sent(2))), want: ignoredNoOpenLead,
		},
		{
			name:  "again, also when another lead is later by now",
			leads: leads(gen.Lead(noon, named("a"), sent(3)), gen.Lead(noon, named("b"), sent(1), heard("m-1"), isFinished)),
			want:  resultUnchanged,
		},
	} {
		phone := row.phone
		if phone == "" {
			phone = "5511987654321"
		}
		given := make([]v1alpha1.CartRecovery, 0, len(row.leads))
		for _, each := range row.leads {
			given = append(given, *each)
		}
		chosen, settled := settle(given, gen.Instance, &dialects.Message{ID: "m-1", Phone: phone})
		got := settled.Reason
		switch {
		case chosen != nil:
			got = chosen.Name
		case settled.Result == resultUnchanged:
			got = resultUnchanged
		}
		if got != row.want {
			t.Errorf("%s: got %q, want %q", row.name, got, row.want)
		}
	}
}

func TestHear(t *testing.T) {
	message := &dialects.Message{ID: "m-1", Phone: "5511987654321", Text: strings.Repeat("é", 3000), Media: "audio"}
	recovery := gen.Lead(noon, contacted(noon, v1alpha1.MessageSent), func(l *v1alpha1.CartRecovery) { l.Status.Cycle = 0 })
	if !hear(recovery, message, noon.Add(time.Minute)) {
		t.Fatal("the message was not added")
	}
	added := recovery.Status.Conversation[1]
	if added.ID != "m-1" || added.Role != v1alpha1.RoleCustomer || len([]rune(added.Text)) != v1alpha1.MaxMessageLength ||
		added.Media != "audio" || !added.At.Equal(noon.Add(time.Minute)) {
		t.Errorf("added %+v", added)
	}
	if recovery.Status.Phase != v1alpha1.PhaseEngaged {
		t.Errorf("phase %s", recovery.Status.Phase)
	}
	if hear(recovery, message, noon) {
		t.Error("it was added twice")
	}
	if hear(gen.Lead(noon, isFinished), message, noon) {
		t.Error("it was added to a finished lead")
	}
	stopped := gen.Lead(noon, contacted(noon, v1alpha1.MessageSent), func(l *v1alpha1.CartRecovery) {
		l.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionSucceeded, Reason: v1alpha1.ReasonBoughtAfterContact}}
	})
	if hear(stopped, message, noon); stopped.Status.Phase != v1alpha1.PhaseRecovered {
		t.Errorf("phase %s", stopped.Status.Phase)
	}
}

func TestMessageID(t *testing.T) {
	none := &dialects.Message{Phone: "1", Text: "a"}
	long := &dialects.Message{ID: strings.Repeat("x", 161)}
	for _, message := range []*dialects.Message{none, long} {
		if id := messageID(message); len(id) == 0 || len(id) > maxMessageID || id != messageID(message) {
			t.Errorf("id %q", id)
		}
	}
	if messageID(none) == messageID(&dialects.Message{Phone: "1", Text: "b"}) {
		t.Error("two messages have one id")
	}
	if messageID(&dialects.Message{ID: "m"}) != "m" {
		t.Error("the gateway's id was not kept")
	}
}
