package suppression

import (
	"context"

	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/status"
)

// kind describes the status of Suppressions.
var kind = status.Kind[*v1alpha1.Suppression]{
	Name:       "Suppression",
	Condition:  v1alpha1.ConditionActive,
	Conditions: func(suppression *v1alpha1.Suppression) *[]metav1.Condition { return &suppression.Status.Conditions },
	Warns:      func(active *metav1.Condition) bool { return active.Reason == v1alpha1.ReasonKeyMissing },
}

// write writes the findings to the status.
func (r *Reconciler) write(ctx context.Context, suppression *v1alpha1.Suppression, found findings) error {
	writer := status.Writer[*v1alpha1.Suppression]{Kind: kind, Client: r.Client, Recorder: r.Recorder, Clock: r.Clock}
	return writer.Write(ctx, suppression, found.Finding, func(suppression *v1alpha1.Suppression) {
		suppression.Status.ObservedGeneration = suppression.Generation
		if found.notErased == nil {
			apimeta.RemoveStatusCondition(&suppression.Status.Conditions, v1alpha1.ConditionErased)
			return
		}
		apimeta.SetStatusCondition(&suppression.Status.Conditions, *found.notErased)
	})
}
