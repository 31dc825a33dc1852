package suppression

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/status"
)

// kind describes the status of Suppressions. Neither reason of Active is a warning.
var kind = status.Kind[*v1alpha1.Suppression]{
	Name:       "Suppression",
	Condition:  v1alpha1.ConditionActive,
	Conditions: func(suppression *v1alpha1.Suppression) *[]metav1.Condition { return &suppression.Status.Conditions },
}

// write writes the findings to the status.
func (r *Reconciler) write(ctx context.Context, suppression *v1alpha1.Suppression, found findings) error {
	writer := status.Writer[*v1alpha1.Suppression]{Kind: kind, Client: r.Client, Recorder: r.Recorder, Clock: r.Clock}
	return writer.Write(ctx, suppression, found.Finding, func(suppression *v1alpha1.Suppression) {
		suppression.Status.ObservedGeneration = suppression.Generation
	})
}
