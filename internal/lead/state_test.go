package lead_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/lead"
)

func TestSummarize(t *testing.T) {
	condition := func(kind string, status metav1.ConditionStatus, reason string) gen.LeadMod {
		return func(l *v1alpha1.CartRecovery) {
			l.Status.Conditions = append(l.Status.Conditions,
				metav1.Condition{Type: kind, Status: status, Reason: reason})
		}
	}
	blocked := condition(v1alpha1.ConditionBlocked, metav1.ConditionTrue, v1alpha1.ReasonQuietHours)
	handedOff := condition(v1alpha1.ConditionHandedOff, metav1.ConditionTrue, v1alpha1.ReasonCustomerAsked)
	resumed := condition(v1alpha1.ConditionHandedOff, metav1.ConditionFalse, v1alpha1.ReasonResumed)
	for name, row := range map[string]struct {
		mods    []gen.LeadMod
		outcome string
		phase   v1alpha1.Phase
		state   string
	}{
		"nothing sent yet": {nil, "", v1alpha1.PhasePendingRecovery, "PendingRecovery"},
		"worked on":        {nil, v1alpha1.ReasonInProgress, v1alpha1.PhasePendingRecovery, "PendingRecovery"},
		"blocked":          {[]gen.LeadMod{blocked}, "", v1alpha1.PhasePendingRecovery, "Blocked (QuietHours)"},
		"with a person, which matters more than what stands in the way": {[]gen.LeadMod{blocked, handedOff}, "",
			v1alpha1.PhasePendingRecovery, "HandedOff (CustomerAsked)"},
		"given back by the person": {[]gen.LeadMod{resumed}, "", v1alpha1.PhasePendingRecovery, "PendingRecovery"},
		"ended without an answer": {[]gen.LeadMod{blocked}, v1alpha1.ReasonUnanswered, v1alpha1.PhaseExpired,
			"Expired (Unanswered)"},
		"ended with a refund": {nil, v1alpha1.ReasonReversed, v1alpha1.PhaseFailed, "Failed (Reversed)"},
		"bought, while a person had the conversation": {[]gen.LeadMod{handedOff}, v1alpha1.ReasonBoughtAfterContact,
			v1alpha1.PhaseRecovered, "Recovered"},
		"opted out": {nil, v1alpha1.ReasonOptedOut, v1alpha1.PhaseOptedOut, "OptedOut"},
	} {
		t.Run(name, func(t *testing.T) {
			recovery := gen.Lead(time.Now(), row.mods...)
			lead.Summarize(recovery, row.outcome, gen.T0)
			got := []string{string(recovery.Status.Phase), recovery.Status.State}
			if diff := cmp.Diff([]string{string(row.phase), row.state}, got); diff != "" {
				t.Errorf("phase and state (-want +got):\n%s", diff)
			}
		})
	}
}
