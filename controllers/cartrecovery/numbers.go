package cartrecovery

import (
	"context"

	ctrl "sigs.k8s.io/controller-runtime"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/controllers/cartrecovery/plan"
	"cartrecovery.dev/operator/internal/contacts"
	"cartrecovery.dev/operator/internal/gateway"
	"cartrecovery.dev/operator/internal/phone"
)

// recipient is the number that messages of a lead go to, digits with country code: the one
// WhatsApp knows the customer by, where it is known.
func recipient(recovery *v1alpha1.CartRecovery) string {
	if id := recovery.Status.WhatsAppID; contacts.SameSubscriber(id, recovery.Spec.Customer.Phone) {
		return id
	}
	return phone.Digits(recovery.Spec.Customer.Phone)
}

// check asks the gateway whether the customer's number is on WhatsApp. Whatever comes of it
// is only remembered: nothing is written, and a failure is no reason to wait.
func (r *Reconciler) check(ctx context.Context, s plan.Snapshot, instance *v1alpha1.WhatsAppInstance) (ctrl.Result,
	error) {
	key := contacts.KeyOf(s.Lead)
	if !r.contacts.Begin(key, instance.UID) {
		return r.soon(), nil
	}
	if can, known := r.Connector.Capabilities(instance); known && !can.CheckNumber {
		r.contacts.CannotTell(key, instance.UID)
		return r.soon(), nil
	}
	number, err := r.lookUpNumber(ctx, instance, phone.Digits(key.Phone))
	if ctx.Err() != nil {
		r.contacts.Forget(key)
		return ctrl.Result{}, ctx.Err()
	}
	r.contacts.End(key, instance.UID, number, err)
	return r.soon(), nil
}

func (r *Reconciler) lookUpNumber(ctx context.Context, instance *v1alpha1.WhatsAppInstance,
	digits string) (gateway.Number, error) {
	ctx, cancel := context.WithTimeout(ctx, contacts.CheckTimeout)
	defer cancel()
	gate, err := r.Connector.For(ctx, instance)
	if err != nil {
		return gateway.Number{}, err
	}
	return gate.CheckNumber(ctx, digits)
}
