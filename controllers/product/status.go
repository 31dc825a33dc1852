package product

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/status"
)

// kind describes the status of Products.
var kind = status.Kind[*v1alpha1.Product]{
	Name:       "Product",
	Condition:  v1alpha1.ConditionReady,
	Conditions: func(product *v1alpha1.Product) *[]metav1.Condition { return &product.Status.Conditions },
	Warns:      func(ready *metav1.Condition) bool { return ready.Status != metav1.ConditionTrue },
}

// write writes the findings to the status.
func (r *Reconciler) write(ctx context.Context, product *v1alpha1.Product, found findings) error {
	writer := status.Writer[*v1alpha1.Product]{Kind: kind, Client: r.Client, Recorder: r.Recorder, Clock: r.Clock}
	return writer.Write(ctx, product, found.Finding, func(product *v1alpha1.Product) {
		product.Status.ObservedGeneration, product.Status.EffectivePolicy = product.Generation, found.effective
	})
}
