package lead_test

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/lead"
)

func completed(minutes int) func(*v1alpha1.CartRecovery) {
	return func(l *v1alpha1.CartRecovery) { l.Status.CompletionTime = &metav1.Time{Time: after(minutes).Time} }
}

func previous(minutes int) func(*v1alpha1.CartRecovery) {
	return func(l *v1alpha1.CartRecovery) {
		l.Annotations = map[string]string{v1alpha1.AnnotationPreviousCompleted: after(minutes).Format(time.RFC3339)}
	}
}

func wrote(cycle int32, minutes int) func(*v1alpha1.CartRecovery) {
	return func(l *v1alpha1.CartRecovery) {
		l.Status.Conversation = append(l.Status.Conversation, v1alpha1.Message{
			ID: lead.StepID(cycle, "first"), Role: v1alpha1.RoleAssistant, State: v1alpha1.MessageSent, Cycle: cycle,
			At: after(minutes),
		})
	}
}

func second(l *v1alpha1.CartRecovery) { l.Status.Cycle = 1 }

func sold(l *v1alpha1.CartRecovery) {
	l.Spec.Purchase = &v1alpha1.Purchase{EventID: "e", At: after(50)}
}
func refused(l *v1alpha1.CartRecovery) {
	l.Spec.Reversal = &v1alpha1.Reversal{EventID: "e", At: after(50)}
}

func TestCycles(t *testing.T) {
	type mods = []func(*v1alpha1.CartRecovery)
	garbled := func(l *v1alpha1.CartRecovery) {
		l.Annotations = map[string]string{v1alpha1.AnnotationPreviousCompleted: "yesterday"}
	}
	for name, row := range map[string]struct {
		lead                  mods
		asked, reopened, over bool
		// ended and contact of EndedCycle in minutes, -1 for none.
		ended, contact int
	}{
		"of the first cycle":      {mods{}, false, false, false, -1, -1},
		"finished":                {mods{completed(9)}, false, false, true, 9, -1},
		"finished, contacted":     {mods{completed(9), wrote(0, 1)}, false, false, true, 9, 1},
		"asked for":               {mods{completed(9), previous(9), wrote(0, 1)}, true, true, false, 9, 1},
		"asked for, and bought":   {mods{completed(9), previous(9), sold}, true, false, true, 9, -1},
		"asked for, and reversed": {mods{completed(9), previous(9), refused}, true, false, true, 9, -1},
		"begun":                   {mods{previous(9), second, wrote(0, 1)}, false, false, false, 9, 1},
		"begun, contacted": {mods{previous(9), second, wrote(0, 1), wrote(1, 30)}, false, false, false,
			9, 1},
		"begun, contacted for once": {mods{previous(9), second, wrote(1, 30)}, false, false, false, 9, -1},
		"finished again": {mods{previous(9), second, wrote(0, 1), wrote(1, 30), completed(40)}, false,
			false, true, 40, 30},
		"asked for again": {mods{previous(40), second, wrote(0, 1), wrote(1, 30), completed(40)}, true,
			true, false, 40, 30},
		"finished, the annotation broken": {mods{completed(9), garbled}, false, false, true, 9, -1},
		"open, the annotation broken":     {mods{garbled}, false, false, false, -1, -1},
	} {
		recovery := gen.Lead(noon, row.lead...)
		if got := lead.CycleAsked(recovery); got != row.asked {
			t.Errorf("%s: asked %t", name, got)
		}
		if got := lead.Reopened(recovery); got != row.reopened {
			t.Errorf("%s: reopened %t", name, got)
		}
		if got := lead.Over(recovery); got != row.over {
			t.Errorf("%s: over %t", name, got)
		}
		ended, contact := lead.EndedCycle(recovery)
		for what, pair := range map[string]struct {
			got  time.Time
			want int
		}{"ended": {ended, row.ended}, "contact": {contact, row.contact}} {
			if pair.want < 0 && !pair.got.IsZero() || pair.want >= 0 && !pair.got.Equal(after(pair.want).Time) {
				t.Errorf("%s: %s %s, want minute %d", name, what, pair.got, pair.want)
			}
		}
	}
}

func TestBelongsToCycle(t *testing.T) {
	if !lead.BelongsToCycle(gen.Lead(noon), after(-9).Time) {
		t.Error("something does not belong to the only cycle")
	}
	for minutes, want := range map[int]bool{8: false, 9: false, 10: true} {
		if lead.BelongsToCycle(gen.Lead(noon, previous(9)), after(minutes).Time) != want {
			t.Errorf("minute %d: want %t", minutes, want)
		}
	}
}

// A purchase of another product must stop a lead whose next cycle was asked for, as it does
// one whose cycle has begun.
func TestReachesTheCycleThatWasAskedFor(t *testing.T) {
	for name, row := range map[string]struct {
		lead []func(*v1alpha1.CartRecovery)
		want bool
	}{
		"over":      {[]func(*v1alpha1.CartRecovery){completed(-9)}, false},
		"asked for": {[]func(*v1alpha1.CartRecovery){completed(-9), previous(-9)}, true},
		"begun":     {[]func(*v1alpha1.CartRecovery){previous(-9), second}, true},
	} {
		if lead.Reaches(after(1).Time, gen.Lead(noon, row.lead...)) != row.want {
			t.Errorf("%s: want %t", name, row.want)
		}
	}
}
