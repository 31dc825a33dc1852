package webhookserver

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/webhookserver/formats"
)

func contacted(at time.Time, state v1alpha1.MessageState) func(*v1alpha1.CartRecovery) {
	return func(l *v1alpha1.CartRecovery) {
		l.Status.Conversation = append(l.Status.Conversation, v1alpha1.Message{
			ID: "c0-step-first", Role: v1alpha1.RoleAssistant, Step: "first", State: state,
			At: v1alpha1.NewTimestamp(at),
		})
	}
}

func on(instance string) func(*v1alpha1.CartRecovery) {
	return func(l *v1alpha1.CartRecovery) { l.Status.InstanceRef = &v1alpha1.ObjectReference{Name: instance} }
}

func heard(id string) func(*v1alpha1.CartRecovery) {
	return func(l *v1alpha1.CartRecovery) {
		l.Status.Conversation = append(l.Status.Conversation, v1alpha1.Message{ID: id, Role: v1alpha1.RoleCustomer,
			At: v1alpha1.NewTimestamp(noon)})
	}
}

// inChats gives a lead chats that its customer wrote from.
func inChats(ids ...string) func(*v1alpha1.CartRecovery) {
	return func(l *v1alpha1.CartRecovery) { l.Status.ChatIDs = append(l.Status.ChatIDs, ids...) }
}

// finishedAt ends a lead some minutes after noon.
func finishedAt(minute int) func(*v1alpha1.CartRecovery) {
	return func(l *v1alpha1.CartRecovery) {
		l.Status.CompletionTime = &metav1.Time{Time: noon.Add(time.Duration(minute) * time.Minute)}
	}
}

// hasExpired ends a lead that nobody answered.
func hasExpired(minute int) func(*v1alpha1.CartRecovery) {
	return func(l *v1alpha1.CartRecovery) {
		finishedAt(minute)(l)
		l.Status.Conditions = append(l.Status.Conditions, metav1.Condition{
			Type: v1alpha1.ConditionSucceeded, Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonUnanswered,
			LastTransitionTime: metav1.Time{Time: noon},
		})
	}
}

func TestMatchLead(t *testing.T) {
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
		{name: "an id without the ninth digit", phone: "551187654321",
			leads: leads(gen.Lead(noon, named("a"), sent(1))), want: "a"},
		{name: "finished", leads: leads(gen.Lead(noon, named("a"), sent(1), isFinished)), want: "a"},
		{name: "the last to finish", leads: leads(gen.Lead(noon, named("a"), finishedAt(2)),
			gen.Lead(noon, named("b"), finishedAt(3)), gen.Lead(noon, named("c"), finishedAt(1))), want: "b"},
		{name: "an open one before a finished one", leads: leads(gen.Lead(noon, named("a")),
			gen.Lead(noon, named("b"), sent(3), isFinished)), want: "a"},
		{name: "never contacted", leads: leads(gen.Lead(noon, named("a"))), want: "a"},
		{name: "never contacted, the last that was left", leads: leads(gen.Lead(noon, named("a")),
			gen.Lead(noon.Add(time.Hour), named("b")), gen.Lead(noon.Add(time.Minute), named("c"))), want: "b"},
		{name: "contacted before one that was left since", leads: leads(gen.Lead(noon, named("a"), sent(1)),
			gen.Lead(noon.Add(time.Hour), named("b"))), want: "a"},
		{name: "only failed", leads: leads(gen.Lead(noon, named("a"), contacted(noon, v1alpha1.MessageFailed))),
			want: "a"},
		{name: "being deleted", leads: leads(gen.Lead(noon, named("a"), sent(1), func(l *v1alpha1.CartRecovery) {
			l.DeletionTimestamp = &metav1.Time{Time: noon}
		})), want: ignoredNoOpenLead},
		{name: "perhaps contacted", leads: leads(gen.Lead(noon, named("a"), contacted(noon, v1alpha1.MessageClaimed))),
			want: "a"},
		{name: "the latest", leads: leads(gen.Lead(noon, named("a"), sent(1)), gen.Lead(noon, named("b"), sent(3)),
			gen.Lead(noon, named("c"), sent(2))), want: "b"},
		{
			name: "this instance first", leads: leads(gen.Lead(noon, named("a"), sent(1), on(gen.Instance)),
				gen.Lead(noon, named("b"), sent(3), on("other"))),
			want: "a",
		},
		{name: "another instance at last", leads: leads(gen.Lead(noon, named("b"), sent(3), on("other"))), want: "b"},
		{
			name: "two numbers with one key", phone: "551132345678",
			leads: leads(gen.Lead(noon, named("a"), withPhone(mobile), sent(1)),
				gen.Lead(noon, named("b"), withPhone(landline), sent(2))),
			want: ignoredAmbiguous,
		},
		{
			name: "a whole number is not ambiguous", phone: "5511932345678",
			leads: leads(gen.Lead(noon, named("a"), withPhone(mobile), sent(1)),
				gen.Lead(noon, named("b"), withPhone(landline), sent(2))),
			want: "a",
		},
		{
			name: "a whole number is not a landline", phone: "5511932345678",
			leads: leads(gen.Lead(noon, named("b"), withPhone(landline), sent(2))), want: ignoredNoOpenLead,
		},
		{
			name: "again, also when another lead is later by now",
			leads: leads(gen.Lead(noon, named("a"), sent(3)), gen.Lead(noon, named("b"), sent(1), heard("m-1"),
				isFinished)),
			want: resultUnchanged,
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			phone := row.phone
			if phone == "" {
				phone = "5511987654321"
			}
			given := make([]v1alpha1.CartRecovery, 0, len(row.leads))
			for _, each := range row.leads {
				given = append(given, *each)
			}
			chosen, settled := matchLead(given, gen.Instance, &formats.Message{ID: "m-1", Phone: phone})
			got := settled.Reason
			switch {
			case chosen != nil:
				got = chosen.Name
			case settled.Result == resultUnchanged:
				got = resultUnchanged
			}
			if got != row.want {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}

func TestHear(t *testing.T) {
	message := &formats.Message{ID: "m-1", Phone: "5511987654321", Text: strings.Repeat("é", 3000), Media: "audio"}
	recovery := gen.Lead(noon, contacted(noon, v1alpha1.MessageSent), func(l *v1alpha1.CartRecovery) {
		l.Status.Cycle = 0
	})
	if !hear(recovery, message, gen.Instance, noon.Add(time.Minute)) {
		t.Fatal("the message was not added")
	}
	added := recovery.Status.Conversation[1]
	if added.ID != "m-1" || added.Role != v1alpha1.RoleCustomer || !added.Shortened ||
		added.Text != strings.Repeat("é", 2046)+"…" || added.Media != "audio" ||
		!added.At.Equal(noon.Add(time.Minute)) {
		t.Errorf("added %+v", added)
	}
	if recovery.Status.Phase != v1alpha1.PhaseEngaged {
		t.Errorf("phase %s", recovery.Status.Phase)
	}
	if hear(recovery, message, gen.Instance, noon) {
		t.Error("it was added twice")
	}
	if added.Instance != gen.Instance || added.Automatic {
		t.Errorf("added %+v", added)
	}
	late := gen.Lead(noon, isFinished)
	if !hear(late, message, gen.Instance, noon) || late.Status.CompletionTime == nil ||
		len(late.Status.Conversation) != 1 {
		t.Error("it was not added to a finished lead, or has changed more of it")
	}
	stopped := gen.Lead(noon, contacted(noon, v1alpha1.MessageSent), func(l *v1alpha1.CartRecovery) {
		l.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionSucceeded,
			Reason: v1alpha1.ReasonBoughtAfterContact}}
	})
	if hear(stopped, message, gen.Instance, noon); stopped.Status.Phase != v1alpha1.PhaseRecovered {
		t.Errorf("phase %s", stopped.Status.Phase)
	}
}

func TestMessageID(t *testing.T) {
	none := &formats.Message{Phone: "1", Text: "a"}
	long := &formats.Message{ID: strings.Repeat("x", 161)}
	for _, message := range []*formats.Message{none, long} {
		if id := messageID(message); len(id) == 0 || len(id) > maxMessageID || id != messageID(message) {
			t.Errorf("id %q", id)
		}
	}
	if messageID(none) == messageID(&formats.Message{Phone: "1", Text: "b"}) {
		t.Error("two messages have one id")
	}
	if messageID(&formats.Message{ID: "m"}) != "m" {
		t.Error("the gateway's id was not kept")
	}
}

// atTheGateway gives the first message of the conversation a text, and the gateway's id.
func atTheGateway(id, text string) func(*v1alpha1.CartRecovery) {
	return func(l *v1alpha1.CartRecovery) {
		l.Status.Conversation[0].GatewayID, l.Status.Conversation[0].Text = id, text
	}
}

// handedOff is what the lead's HandedOff condition says.
func handedOff(l *v1alpha1.CartRecovery) string {
	condition := apimeta.FindStatusCondition(l.Status.Conditions, v1alpha1.ConditionHandedOff)
	if condition == nil {
		return ""
	}
	return string(condition.Status) + "/" + condition.Reason
}

func TestMatchEdited(t *testing.T) {
	for _, row := range []struct {
		name  string
		leads []*v1alpha1.CartRecovery
		want  string
	}{
		{"the lead that has it", leads(gen.Lead(noon, named("a"), heard("m-1")),
			gen.Lead(noon, named("b"), contacted(noon, v1alpha1.MessageSent))), "a"},
		{"nobody has it", leads(gen.Lead(noon, named("a")),
			gen.Lead(noon, named("b"), contacted(noon, v1alpha1.MessageSent))), "b"},
		{"a finished lead has it", leads(gen.Lead(noon, named("a"), heard("m-1"), isFinished),
			gen.Lead(noon, named("b"), contacted(noon, v1alpha1.MessageSent))), "a"},
		{"nobody is there", nil, ignoredNoOpenLead},
	} {
		t.Run(row.name, func(t *testing.T) {
			given := make([]v1alpha1.CartRecovery, 0, len(row.leads))
			for _, each := range row.leads {
				given = append(given, *each)
			}
			chosen, settled := matchLead(given, gen.Instance, &formats.Message{Kind: formats.Edited, ID: "m-1",
				Phone: "5511987654321"})
			got := settled.Reason
			if chosen != nil {
				got = chosen.Name
			}
			if got != row.want {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}

func TestTakeEdited(t *testing.T) {
	minute := func(n int) time.Time { return noon.Add(time.Duration(n) * time.Minute) }
	edited := func(text string, at time.Time) *formats.Message {
		return &formats.Message{Kind: formats.Edited, ID: "m-1", Phone: "5511987654321", Text: text, At: at}
	}
	before := func(at time.Time) func(*v1alpha1.CartRecovery) {
		return func(l *v1alpha1.CartRecovery) {
			stamp := v1alpha1.NewTimestamp(at)
			l.Status.Conversation[0].EditedAt, l.Status.Conversation[0].Text = &stamp, "two"
		}
	}
	for _, row := range []struct {
		name    string
		lead    *v1alpha1.CartRecovery
		message *formats.Message
		changed bool
		text    string
		at      time.Time
	}{
		{"with the gateway's time", gen.Lead(noon, heard("m-1")), edited("new", minute(1)), true, "new", minute(9)},
		{"without a time", gen.Lead(noon, heard("m-1")), edited("new", time.Time{}), true, "new", minute(9)},
		{"with the original's time", gen.Lead(noon, heard("m-1")), edited("new", minute(-1)), true, "new", minute(9)},
		{"with a time to come", gen.Lead(noon, heard("m-1")), edited("new", minute(60)), true, "new", minute(9)},
		{"too long", gen.Lead(noon, heard("m-1")), edited(strings.Repeat("é", 3000), minute(1)), true,
			strings.Repeat("é", 2046) + "…", minute(9)},
		{"to the same text", gen.Lead(noon, heard("m-1"), before(minute(1))), edited("two", minute(2)), false, "two",
			minute(1)},
		{"again", gen.Lead(noon, heard("m-1"), before(minute(1))), edited("three", minute(2)), true, "three",
			minute(9)},
		{"again, of a clock that lags", gen.Lead(noon, heard("m-1"), before(minute(8))), edited("three", minute(7)),
			true, "three", minute(9)},
		{"again, with the original's time", gen.Lead(noon, heard("m-1"), before(minute(8))),
			edited("three", minute(-1)), true, "three", minute(9)},
		{"late, from before the last one", gen.Lead(noon, heard("m-1"), before(minute(8))), edited("one", minute(1)),
			false, "two", minute(8)},
		{"of a finished lead", gen.Lead(noon, heard("m-1"), before(minute(1)), isFinished), edited("three", minute(2)),
			true, "three", minute(9)},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := take(row.lead, row.message, gen.Instance, minute(9)); got != row.changed {
				t.Errorf("changed %t, want %t", got, row.changed)
			}
			message := row.lead.Status.Conversation[0]
			editedAt := v1alpha1.NewTimestamp(row.at)
			want := message
			want.ID, want.Text, want.EditedAt = "m-1", row.text, &editedAt
			if diff := cmp.Diff([]v1alpha1.Message{want}, row.lead.Status.Conversation); diff != "" {
				t.Errorf("conversation (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTakeEditedOfAnother(t *testing.T) {
	// A message id is the sender's to choose: it must not reach what we wrote.
	for _, role := range []v1alpha1.Role{v1alpha1.RoleAssistant, v1alpha1.RolePerson} {
		recovery := gen.Lead(noon, heard("m-1"), func(l *v1alpha1.CartRecovery) {
			l.Status.Conversation[0].Role = role
		})
		if take(recovery, &formats.Message{Kind: formats.Edited, ID: "m-1", Text: "new"}, gen.Instance, noon) ||
			recovery.Status.Conversation[0].Text != "" {
			t.Errorf("a customer changed what the %s wrote", role)
		}
	}
	unknown := gen.Lead(noon, contacted(noon, v1alpha1.MessageSent))
	if !take(unknown, &formats.Message{Kind: formats.Edited, ID: "m-1", Phone: "5511987654321", Text: "new"},
		gen.Instance, noon) || unknown.Status.Conversation[1].Text != "new" {
		t.Error("what was edited before it was known was lost")
	}
	if take(unknown, &formats.Message{Kind: formats.Inbound, ID: "m-1", Text: "old"}, gen.Instance, noon) ||
		unknown.Status.Conversation[1].Text != "new" {
		t.Error("the late original was taken")
	}
}

// TestEditedByUs: messages.edited of Evolution can hide who edited. What we wrote is then never
// the customer's, and a message that nobody knows is nobody's.
func TestEditedByUs(t *testing.T) {
	sent := gen.Lead(noon, named("a"), contacted(noon, v1alpha1.MessageSent), atTheGateway("g-1", "oi"))
	person := gen.Lead(noon, named("b"), contacted(noon, v1alpha1.MessageSent), heard("o-1"),
		func(l *v1alpha1.CartRecovery) {
			l.Status.Conversation[1].Role = v1alpha1.RolePerson
		})
	both := []v1alpha1.CartRecovery{*sent, *person}
	for _, row := range []struct {
		name    string
		message formats.Message
		ours    bool
		want    string
	}{
		{"ours, hidden", formats.Message{Kind: formats.Edited, ID: "g-1"}, true, ignoredOwn},
		{"a person's, hidden", formats.Message{Kind: formats.Edited, ID: "o-1"}, true, ignoredOwn},
		{"ours, as the customer's", formats.Message{Kind: formats.Edited, ID: "g-1", Phone: "5511987654321"}, false,
			ignoredOwn},
		{"ours, coming back as the customer's", formats.Message{Kind: formats.Inbound, ID: "g-1",
			Phone: "5511987654321"}, false, ignoredOwn},
		{"nobody's, hidden", formats.Message{Kind: formats.Edited, ID: "m-9"}, false, formats.ReasonNoPhone},
		{"our own name for it", formats.Message{Kind: formats.Edited, ID: "c0-step-first"}, true, ignoredOwn},
	} {
		t.Run(row.name, func(t *testing.T) {
			message := row.message
			message.Text = "oi!"
			if got := editsOurs(both, &message); got != row.ours {
				t.Errorf("ours is %t, want %t", got, row.ours)
			}
			if chosen, settled := matchLead(both, gen.Instance, &message); chosen != nil || settled.Reason != row.want {
				t.Errorf("the reason is %q, want %q", settled.Reason, row.want)
			}
			for i := range both {
				if take(both[i].DeepCopy(), &message, gen.Instance, noon) && message.Phone == "" {
					t.Errorf("%s took it for the customer's", both[i].Name)
				}
			}
		})
	}
	if take(sent, &formats.Message{Kind: formats.Inbound, ID: "g-1", Phone: "5511987654321", Text: "oi"},
		gen.Instance, noon) {
		t.Error("what we wrote was taken for an answer")
	}
}

func TestReact(t *testing.T) {
	sent := contacted(noon, v1alpha1.MessageSent)
	for _, row := range []struct {
		name, target, emoji string
		lead                *v1alpha1.CartRecovery
		changed             bool
		at                  int
		want                string
	}{
		{"ours", "g-1", "👍", gen.Lead(noon, sent, atTheGateway("g-1", "oi")), true, 0, "👍"},
		{"the customer's", "m-1", "👍", gen.Lead(noon, sent, heard("m-1")), true, 1, "👍"},
		{"our own id is none", "c0-step-first", "👍", gen.Lead(noon, sent), false, 0, ""},
		{"none", "", "👍", gen.Lead(noon, sent), false, 0, ""},
		{"unknown", "g-2", "👍", gen.Lead(noon, sent, atTheGateway("g-1", "oi")), false, 0, ""},
		{"too long", "g-1", strings.Repeat("👍", 40), gen.Lead(noon, sent, atTheGateway("g-1", "oi")), true, 0,
			strings.Repeat("👍", 32)},
		{"a finished lead", "g-1", "👍", gen.Lead(noon, sent, atTheGateway("g-1", "oi"), isFinished), false, 0, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			phase, message := row.lead.Status.Phase, &formats.Message{Kind: formats.Reaction, Target: row.target,
				Text: row.emoji}
			if got := react(row.lead, message); got != row.changed {
				t.Errorf("changed %t, want %t", got, row.changed)
			}
			if got := row.lead.Status.Conversation[row.at].Reaction; got != row.want || row.lead.Status.Phase != phase {
				t.Errorf("reaction %q, want %q, and phase %s, want %s", got, row.want, row.lead.Status.Phase, phase)
			}
			if react(row.lead, message) {
				t.Error("changed twice")
			}
			back := &formats.Message{Kind: formats.Reaction, Target: row.target}
			if react(row.lead, back) != row.changed || row.lead.Status.Conversation[row.at].Reaction != "" {
				t.Error("not taken back")
			}
		})
	}
}

func TestIsEcho(t *testing.T) {
	in := func(state v1alpha1.MessageState, text, gatewayID string) *v1alpha1.CartRecovery {
		return gen.Lead(noon, contacted(noon, state), atTheGateway(gatewayID, text))
	}
	const sent = v1alpha1.MessageSent
	for _, row := range []struct {
		name     string
		lead     *v1alpha1.CartRecovery
		id, text string
		want     bool
	}{
		{"its id", in(sent, "oi", "g-1"), "g-1", "something else", true},
		{"its text", in(sent, "Oi, Maria!", ""), "g-1", "Oi, Maria!", true},
		{"the text of one that has another id", in(sent, "Oi, Maria!", "g-2"), "g-1", "Oi, Maria!", true},
		{"the text of one that went long ago", gen.Lead(noon, contacted(noon.Add(-11*time.Minute), sent),
			atTheGateway("g-2", "Oi, Maria!")), "g-1", "Oi, Maria!", false},
		{"the text of one that was refused under an id", in(v1alpha1.MessageFailed, "Oi, Maria!", "g-2"), "g-1",
			"Oi, Maria!", false},
		{"its text, being sent", in(v1alpha1.MessageClaimed, "oi", ""), "g-1", "oi", true},
		{"its text, perhaps sent", in(v1alpha1.MessageUnknown, "oi", ""), "g-1", "oi", true},
		{"a text that was refused", in(v1alpha1.MessageFailed, "oi", ""), "g-1", "oi", false},
		{"a text that was cancelled", in(v1alpha1.MessageCancelled, "oi", ""), "g-1", "oi", false},
		{"with space around it", in(sent, "oi,\n\nMaria ", ""), "g-1", "oi,\r\nMaria", true},
		{"with what keeps variables apart", in(sent, "{{nome}}", ""), "g-1", "{\u2060{nome}\u2060}", true},
		{"another text", in(sent, "oi", "g-2"), "g-1", "oi, tudo bem?", false},
		{"a picture", in(sent, "", "g-2"), "g-1", "", false},
		{"without an id", in(sent, "oi", ""), "", "olá", false},
		{"the customer's words", gen.Lead(noon, heard("m-1"), atTheGateway("", "oi")), "g-1", "oi", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := isEcho(row.lead, &formats.Message{Kind: formats.Own, ID: row.id, Text: row.text},
				noon); got != row.want {
				t.Errorf("echo %t, want %t", got, row.want)
			}
		})
	}
}

func TestHandOver(t *testing.T) {
	own := &formats.Message{Kind: formats.Own, FromMe: true, ID: "o-1", Phone: "5511987654321", Text: "Aqui é a Ana",
		Media: "image"}
	recovery := gen.Lead(noon, contacted(noon, v1alpha1.MessageClaimed), func(l *v1alpha1.CartRecovery) {
		l.Status.Cycle = 2
	})
	if !handOver(recovery, own, false, noon.Add(time.Minute)) {
		t.Fatal("it was not handed over")
	}
	added := recovery.Status.Conversation[1]
	if added.ID != "o-1" || added.Role != v1alpha1.RolePerson || added.Text != "Aqui é a Ana" ||
		added.Media != "image" ||
		added.Cycle != 2 || added.State != "" || !added.At.Equal(noon.Add(time.Minute)) {
		t.Errorf("added %+v", added)
	}
	if handedOff(recovery) != "True/PersonWrote" || !lead.HandedOff(recovery) {
		t.Errorf("condition %q", handedOff(recovery))
	}
	if handOver(recovery, own, false, noon.Add(2*time.Minute)) {
		t.Error("it was handed over twice")
	}
	next := *own
	next.ID, next.Text = "o-2", "Posso ajudar?"
	first := apimeta.FindStatusCondition(recovery.Status.Conditions, v1alpha1.ConditionHandedOff).LastTransitionTime
	if !handOver(recovery, &next, false, noon.Add(time.Hour)) ||
		apimeta.FindStatusCondition(recovery.Status.Conditions,
			v1alpha1.ConditionHandedOff).LastTransitionTime != first {
		t.Error("the next message is lost, or changed since when")
	}
	changed := next
	changed.Kind, changed.Text = formats.Edited, "Posso te ajudar?"
	if !handOver(recovery, &changed, false, noon.Add(time.Hour)) || len(recovery.Status.Conversation) != 3 ||
		recovery.Status.Conversation[2].Text != "Posso te ajudar?" {
		t.Errorf("after the edit: %+v", recovery.Status.Conversation)
	}
	if handOver(gen.Lead(noon, isFinished), own, false, noon) {
		t.Error("a finished lead was handed over")
	}
}

// TestHandOverByAnEdit: a person who changes what the AI wrote has taken over.
func TestHandOverByAnEdit(t *testing.T) {
	edited := func(text string) *formats.Message {
		return &formats.Message{Kind: formats.Edited, FromMe: true, ID: "g-1", Phone: "5511987654321", Text: text}
	}
	recovery := gen.Lead(noon, contacted(noon, v1alpha1.MessageSent), atTheGateway("g-1", "Custa R$ {{preço}}"))
	if handOver(recovery, edited("Custa  R$ {\u2060{preço}}"), false, noon) || handedOff(recovery) != "" {
		t.Error("what we sent has handed it over")
	}
	if !handOver(recovery, edited("Custa R$ 10"), false, noon.Add(time.Minute)) ||
		handedOff(recovery) != "True/PersonWrote" {
		t.Fatalf("condition %q", handedOff(recovery))
	}
	changed := recovery.Status.Conversation[0]
	if changed.Text != "Custa R$ 10" || changed.Role != v1alpha1.RoleAssistant || changed.EditedAt == nil ||
		len(recovery.Status.Conversation) != 1 {
		t.Errorf("changed into %+v", changed)
	}
	if handOver(recovery, edited("Custa R$ 10"), false, noon.Add(2*time.Minute)) {
		t.Error("it was handed over twice")
	}
	if handOver(gen.Lead(noon, isFinished, contacted(noon, v1alpha1.MessageSent), atTheGateway("g-1", "oi")),
		edited("olá"), false, noon) {
		t.Error("a finished lead was handed over")
	}
	taken, settled := planHandOver([]v1alpha1.CartRecovery{*gen.Lead(noon, contacted(noon, v1alpha1.MessageSent),
		atTheGateway("g-1", "oi"))}, edited("olá"), noon)
	if len(taken) != 1 {
		t.Errorf("settled as %+v", settled)
	}
}

func TestHandOverAfterItWasGivenBack(t *testing.T) {
	recovery := gen.Lead(noon)
	own := &formats.Message{Kind: formats.Own, FromMe: true, ID: "o-1", Text: "oi"}
	handOver(recovery, own, false, noon)
	recovery.Annotations = map[string]string{v1alpha1.AnnotationResumeRequested: noon.Add(time.Minute).Format(
		time.RFC3339)}
	if lead.HandedOff(recovery) {
		t.Fatal("it was not given back")
	}
	again := &formats.Message{Kind: formats.Own, FromMe: true, ID: "o-2", Text: "oi de novo"}
	if !handOver(recovery, again, false, noon.Add(time.Hour)) || !lead.HandedOff(recovery) {
		t.Error("it was not handed over again")
	}
	if handOver(recovery, own, false, noon.Add(2*time.Hour)) {
		t.Error("an old message that comes again hands it over")
	}
}

func TestPlanHandOver(t *testing.T) {
	const mobile, landline = "+5511932345678", "+551132345678"
	sent := contacted(noon, v1alpha1.MessageSent)
	for _, row := range []struct {
		name, phone string
		leads       []*v1alpha1.CartRecovery
		want        string
	}{
		{"nobody", "", nil, ignoredOwn},
		{"before our first message", "", leads(gen.Lead(noon, named("a"))), "a"},
		{"every open lead", "", leads(gen.Lead(noon, named("a")), gen.Lead(noon, named("b"), sent),
			gen.Lead(noon, named("c"), isFinished)), "a,b"},
		{"only finished ones", "", leads(gen.Lead(noon, named("a"), isFinished)), ignoredOwn},
		{"only expired ones, the last", "", leads(gen.Lead(noon, named("a"), hasExpired(1)),
			gen.Lead(noon, named("b"), hasExpired(2))), "b"},
		{"an open one before an expired one", "", leads(gen.Lead(noon, named("a")),
			gen.Lead(noon, named("b"), hasExpired(2))), "a"},
		{"without the ninth digit", "551187654321", leads(gen.Lead(noon, named("a"))), "a"},
		{"ours", "", leads(gen.Lead(noon, named("a"), sent, atTheGateway("o-1", "x"))), formats.ReasonSentByAPI},
		{"ours, of another lead", "", leads(gen.Lead(noon, named("a")), gen.Lead(noon, named("b"), sent,
			atTheGateway("", "Aqui é a Ana"))), formats.ReasonSentByAPI},
		{"ours, of a lead that was finished since", "", leads(gen.Lead(noon, named("a")),
			gen.Lead(noon, named("b"), sent, isFinished, atTheGateway("o-1", "x"))), formats.ReasonSentByAPI},
		{
			"two numbers with one key", "551132345678",
			leads(gen.Lead(noon, named("a"), withPhone(mobile)), gen.Lead(noon, named("b"), withPhone(landline))),
			ignoredAmbiguous,
		},
		{
			"a whole number", "5511932345678",
			leads(gen.Lead(noon, named("a"), withPhone(mobile)), gen.Lead(noon, named("b"), withPhone(landline))), "a",
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			phone := row.phone
			if phone == "" {
				phone = "5511987654321"
			}
			given := make([]v1alpha1.CartRecovery, 0, len(row.leads))
			for _, each := range row.leads {
				given = append(given, *each)
			}
			taken, settled := planHandOver(given, &formats.Message{Kind: formats.Own, FromMe: true, ID: "o-1",
				Phone: phone, Text: "Aqui é a Ana"}, noon)
			names := make([]string, 0, len(taken))
			for _, each := range taken {
				names = append(names, each.Name)
			}
			if got := strings.Join(names, ",") + settled.Reason; got != row.want {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}
