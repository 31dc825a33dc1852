package lead_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/lead"
)

// TestReadyFollowsBlocked: through a lead's life, with the time of each change.
func TestReadyFollowsBlocked(t *testing.T) {
	recovery := gen.Lead(gen.T0)
	recovery.Generation = 2
	after := func(d time.Duration) metav1.Time { return metav1.NewTime(gen.T0.Add(d).UTC()) }
	blocked := metav1.Condition{Type: v1alpha1.ConditionBlocked, Status: metav1.ConditionTrue,
		Reason: v1alpha1.ReasonNoConnectedInstance, Message: "no number", LastTransitionTime: after(0)}
	for _, step := range []struct {
		name    string
		at      time.Duration
		change  func(*v1alpha1.CartRecoveryStatus)
		outcome string
		want    metav1.Condition
	}{
		{"it begins", time.Minute, func(*v1alpha1.CartRecoveryStatus) {}, "",
			metav1.Condition{Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonReady,
				LastTransitionTime: after(time.Minute)}},
		{"something stands in the way", 2 * time.Minute, func(s *v1alpha1.CartRecoveryStatus) {
			s.Conditions = append(s.Conditions, blocked)
		}, "", metav1.Condition{Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonNoConnectedInstance,
			Message: "see the condition Blocked", LastTransitionTime: after(2 * time.Minute)}},
		{"it still does", 3 * time.Minute, func(*v1alpha1.CartRecoveryStatus) {}, "",
			metav1.Condition{Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonNoConnectedInstance,
				Message: "see the condition Blocked", LastTransitionTime: after(2 * time.Minute)}},
		{"it does no more", 4 * time.Minute, func(s *v1alpha1.CartRecoveryStatus) {
			apimeta.RemoveStatusCondition(&s.Conditions, v1alpha1.ConditionBlocked)
		}, "", metav1.Condition{Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonReady,
			LastTransitionTime: after(4 * time.Minute)}},
	} {
		step.change(&recovery.Status)
		lead.Summarize(recovery, step.outcome, gen.T0.Add(step.at))
		step.want.Type, step.want.ObservedGeneration = v1alpha1.ConditionReady, 2
		got := apimeta.FindStatusCondition(recovery.Status.Conditions, v1alpha1.ConditionReady)
		if diff := cmp.Diff(&step.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.name, diff)
		}
	}
}
