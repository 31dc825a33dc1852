package lead

import (
	"time"

	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"cartrecovery.dev/operator/api/v1alpha1"
)

// setReady says whether something stands in a lead's way: what Blocked says, the other way round, for tools that know
// the condition Ready of every kind.
func setReady(lead *v1alpha1.CartRecovery, now time.Time) {
	ready := metav1.Condition{
		Type: v1alpha1.ConditionReady, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonReady,
		ObservedGeneration: lead.Generation, LastTransitionTime: metav1.NewTime(now.UTC().Truncate(time.Second)),
	}
	if !Finished(lead) && apimeta.IsStatusConditionTrue(lead.Status.Conditions, v1alpha1.ConditionBlocked) {
		ready.Status, ready.Message = metav1.ConditionFalse, "see the condition Blocked"
		ready.Reason = apimeta.FindStatusCondition(lead.Status.Conditions, v1alpha1.ConditionBlocked).Reason
	}
	apimeta.SetStatusCondition(&lead.Status.Conditions, ready)
}
