package webhookserver

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
)

func TestStopLead(t *testing.T) {
	stoppedAt := func(at time.Time) func(*v1alpha1.CartRecovery) {
		return func(l *v1alpha1.CartRecovery) {
			l.Spec.Stop = &v1alpha1.Stop{Reason: v1alpha1.StopOptOut, At: v1alpha1.NewTimestamp(at)}
		}
	}
	completed := func(at time.Time) func(*v1alpha1.CartRecovery) {
		return func(l *v1alpha1.CartRecovery) {
			l.Annotations = map[string]string{v1alpha1.AnnotationPreviousCompleted: at.Format(time.RFC3339)}
		}
	}
	now := v1alpha1.Stop{Reason: v1alpha1.StopWrongNumber, At: v1alpha1.NewTimestamp(noon.Add(time.Hour))}
	for name, row := range map[string]struct {
		lead *v1alpha1.CartRecovery
		want bool
	}{
		"open":           {gen.Lead(noon), true},
		"stopped before": {gen.Lead(noon, stoppedAt(noon.Add(time.Minute))), false},
		"stopped in the cycle before": {gen.Lead(noon, stoppedAt(noon.Add(-2*time.Hour)),
			completed(noon.Add(-time.Hour))), true},
		"over":                            {gen.Lead(noon, isFinished), false},
		"over, and a next cycle is asked": {gen.Lead(noon.Add(time.Minute), isFinished, completed(noon)), true},
		"being deleted": {gen.Lead(noon, func(l *v1alpha1.CartRecovery) {
			l.DeletionTimestamp = &metav1.Time{Time: noon}
		}), false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := stopLead(row.lead, now); got != row.want || got && *row.lead.Spec.Stop != now {
				t.Errorf("stopped is %v: %+v", got, row.lead.Spec.Stop)
			}
			if row.want && stopLead(row.lead, now) {
				t.Error("stopped twice")
			}
		})
	}
}
