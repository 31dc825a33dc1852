package lead

import (
	"cmp"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"cartrecovery.dev/operator/api/v1alpha1"
)

// New is the lead of a customer and what a platform calls a product, before anything else is known of it. product is
// nil where no Product has it. Whoever learns of the same cart makes the same lead.
func New(store *v1alpha1.Store, platform v1alpha1.PlatformName, customer v1alpha1.LeadCustomer,
	told v1alpha1.LeadProduct, product *v1alpha1.Product) *v1alpha1.CartRecovery {
	made := &v1alpha1.CartRecovery{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: store.Namespace,
			Name: Name(Identity{
				ClientID: store.Spec.ClientID, Platform: platform, Email: customer.Email, Phone: customer.Phone,
				ProductID: cmp.Or(told.ID, told.Name),
			}),
			Labels: Labels(store.Name, customer),
		},
		Spec: v1alpha1.CartRecoverySpec{
			StoreRef: v1alpha1.ObjectReference{Name: store.Name},
			Platform: platform,
			Customer: customer,
			Product:  told,
			ClientID: store.Spec.ClientID,
		},
	}
	if product != nil {
		made.Spec.ProductRef = &v1alpha1.ObjectReference{Name: product.Name}
		made.Spec.Product.Name = cmp.Or(told.Name, product.Spec.DisplayName)
	}
	return made
}

// Begin adds the start of a lead to what is known of it.
func Begin(facts Facts, start Start) Facts {
	facts.Start, facts.FirstAbandoned = &start, start.AbandonedAt.Time
	return facts
}

// Received says when a lead came in: one that is made much later than that was restored from a backup.
func Received(recovery *v1alpha1.CartRecovery, at time.Time) {
	received := v1alpha1.NewTimestamp(at)
	recovery.Spec.ReceivedAt = &received
}

// ImportIncomplete says whether a part of what an import brings is not there yet.
func ImportIncomplete(object metav1.Object) bool {
	_, incomplete := object.GetAnnotations()[v1alpha1.AnnotationImportIncomplete]
	return incomplete
}
