package lead

import (
	"time"

	apimeta "k8s.io/apimachinery/pkg/api/meta"

	"cartrecovery.dev/operator/api/v1alpha1"
)

// Summarize writes phase, state and the condition Ready, which sum a lead up. outcome is the Succeeded condition's
// reason, "" or InProgress while the lead is worked on. Whoever changes a lead's conversation or conditions calls it
// last.
func Summarize(lead *v1alpha1.CartRecovery, outcome string, now time.Time) {
	setReady(lead, now)
	lead.Status.Phase = PhaseOf(lead, outcome)
	lead.Status.State = stateOf(lead, outcome)
}

// stateOf is the phase, or what matters more: that a person has the conversation, what stands in the way, or why the
// lead ended without a purchase.
func stateOf(lead *v1alpha1.CartRecovery, outcome string) string {
	phase := string(lead.Status.Phase)
	switch lead.Status.Phase {
	case v1alpha1.PhaseRecovered, v1alpha1.PhaseConverted, v1alpha1.PhaseOptedOut:
		return phase
	case v1alpha1.PhaseFailed, v1alpha1.PhaseExpired:
		return because(phase, outcome)
	}
	for _, condition := range []string{v1alpha1.ConditionHandedOff, v1alpha1.ConditionBlocked} {
		if apimeta.IsStatusConditionTrue(lead.Status.Conditions, condition) {
			return because(condition, apimeta.FindStatusCondition(lead.Status.Conditions, condition).Reason)
		}
	}
	return phase
}

// SucceededReason is the reason of the Succeeded condition, "" without one.
func SucceededReason(lead *v1alpha1.CartRecovery) string {
	if succeeded := apimeta.FindStatusCondition(lead.Status.Conditions, v1alpha1.ConditionSucceeded); succeeded != nil {
		return succeeded.Reason
	}
	return ""
}

func because(state, reason string) string {
	if reason == "" {
		return state
	}
	return state + " (" + reason + ")"
}
