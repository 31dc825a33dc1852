package lead_test

import (
	"testing"
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/lead"
)

func uttered(role v1alpha1.Role, at time.Time, mods ...func(*v1alpha1.Message)) func(*v1alpha1.CartRecovery) {
	return func(l *v1alpha1.CartRecovery) {
		m := v1alpha1.Message{ID: "m" + at.Format(time.RFC3339Nano), Role: role, Cycle: l.Status.Cycle, Text: "Oi",
			At: v1alpha1.NewTimestamp(at)}
		for _, mod := range mods {
			mod(&m)
		}
		l.Status.Conversation = append(l.Status.Conversation, m)
	}
}

func TestMachinesAreNobody(t *testing.T) {
	at := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	automatic := func(m *v1alpha1.Message) { m.Automatic = true }
	l := gen.Lead(at, uttered(v1alpha1.RolePerson, at.Add(time.Hour)), uttered(v1alpha1.RolePerson,
		at.Add(2*time.Hour), automatic))
	if got := lead.LastOperator(l); !got.Equal(at.Add(time.Hour)) {
		t.Errorf("a person last wrote at %s", got)
	}
	if got := lead.LastActivity(l); !got.Equal(at.Add(time.Hour)) {
		t.Errorf("something last happened at %s", got)
	}
}

func TestWroteFirst(t *testing.T) {
	at := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	customer, person := uttered(v1alpha1.RoleCustomer, at), uttered(v1alpha1.RolePerson, at)
	ours := func(state v1alpha1.MessageState) func(*v1alpha1.CartRecovery) {
		return uttered(v1alpha1.RoleAssistant, at, func(m *v1alpha1.Message) { m.ID, m.State = "c0-step-first", state })
	}
	next := func(l *v1alpha1.CartRecovery) { l.Status.Cycle++ }
	for name, row := range map[string]struct {
		mods          []func(*v1alpha1.CartRecovery)
		first, begins bool
	}{
		"nobody wrote": {nil, false, false},
		"the customer": {[]func(*v1alpha1.CartRecovery){customer}, true, false},
		"we": {[]func(*v1alpha1.CartRecovery){ours(v1alpha1.MessageSent), customer},
			false, true},
		"we, perhaps": {[]func(*v1alpha1.CartRecovery){ours(v1alpha1.MessageUnknown), customer},
			false, true},
		"we tried": {[]func(*v1alpha1.CartRecovery){ours(v1alpha1.MessageFailed), customer},
			true, false},
		"a person": {[]func(*v1alpha1.CartRecovery){person, customer}, false, false},
		"the customer, and we after": {[]func(*v1alpha1.CartRecovery){customer, ours(v1alpha1.MessageSent)}, true,
			true},
		"we in a cycle before, they in it": {[]func(*v1alpha1.CartRecovery){ours(v1alpha1.MessageSent), next, customer},
			true, false},
	} {
		l := gen.Lead(at, row.mods...)
		if got := lead.WroteFirst(l); got != row.first {
			t.Errorf("%s: wrote first %t", name, got)
		}
		if got := lead.Written(l); got != row.begins {
			t.Errorf("%s: written %t", name, got)
		}
	}
}

func TestHeardOn(t *testing.T) {
	at := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	on := func(name string) func(*v1alpha1.Message) { return func(m *v1alpha1.Message) { m.Instance = name } }
	l := gen.Lead(at, uttered(v1alpha1.RoleCustomer, at, on("one")), uttered(v1alpha1.RoleCustomer, at.Add(time.Second),
		on("two")), uttered(v1alpha1.RoleCustomer, at.Add(time.Minute)))
	if got := lead.HeardOn(l); got != "two" {
		t.Errorf("heard on %q", got)
	}
	l.Status.Cycle++
	if got := lead.HeardOn(l); got != "" {
		t.Errorf("in the next cycle heard on %q", got)
	}
}

func TestStopped(t *testing.T) {
	at := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	stop := func(at time.Time) func(*v1alpha1.CartRecovery) {
		return func(l *v1alpha1.CartRecovery) {
			l.Spec.Stop = &v1alpha1.Stop{Reason: v1alpha1.StopOptOut, At: v1alpha1.NewTimestamp(at)}
		}
	}
	before := func(l *v1alpha1.CartRecovery) {
		l.Annotations = map[string]string{v1alpha1.AnnotationPreviousCompleted: at.Format(time.RFC3339)}
	}
	for name, row := range map[string]struct {
		lead *v1alpha1.CartRecovery
		want bool
	}{
		"none":                             {gen.Lead(at), false},
		"in the first cycle":               {gen.Lead(at, stop(at)), true},
		"before the cycle":                 {gen.Lead(at, stop(at.Add(-time.Hour)), before), false},
		"in the second the last one ended": {gen.Lead(at, stop(at.Add(900*time.Millisecond)), before), false},
		"in the cycle":                     {gen.Lead(at, stop(at.Add(time.Second)), before), true},
	} {
		if got := lead.Stopped(row.lead) != nil; got != row.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

func TestNoticeIDs(t *testing.T) {
	for id, want := range map[string]bool{
		lead.OptOutID(3): true, lead.HandOffID(0, "x"): true, lead.PaidID(1, "x"): true, lead.WrongNumberID(0): true,
		lead.ReplyID(0, "x"): false, lead.StepID(0, "not-paid-yet"): false, lead.StepID(0, "first-optout"): false,
		"": false,
	} {
		if got := lead.IsNoticeID(id); got != want {
			t.Errorf("%s: %t", id, got)
		}
	}
	if !lead.IsPaidID(lead.PaidID(1, "x")) || lead.IsPaidID(lead.HandOffID(1, "x")) {
		t.Error("thanks are not told from a hand-off")
	}
}
