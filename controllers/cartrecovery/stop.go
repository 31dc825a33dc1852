package cartrecovery

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/controllers/cartrecovery/plan"
	"cartrecovery.dev/operator/internal/index"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/optouts"
)

// This file stores a request not to be written to that only the AI understood. What a customer
// says in words that are known is stored by the webhook server before it is acknowledged; this
// comes seconds later, and in an order that lets no message slip through:
//
//  1. spec.stop on every other open lead of the phone that the cache knows. It changes the lead's
//     resourceVersion, so that a claim that was planned before fails.
//  2. The Suppression. No lead of the phone begins a cycle any more, also none that the cache did
//     not know: before a first claim it is read from the API server (see suppressedLive). It comes
//     after the leads, which would else end by it before they know why.
//  3. spec.stop on the lead itself, which then ends as after any other request, with one
//     confirmation. It comes last: a process that dies before it has the AI asked again.

// stop stores that the customer is not to be written to.
func (r *Reconciler) stop(ctx context.Context, s plan.Snapshot, asked v1alpha1.Stop) (ctrl.Result, error) {
	if err := r.stopSiblings(ctx, s.Lead, asked); err != nil {
		return ctrl.Result{}, err
	}
	if err := r.suppress(ctx, &s, asked); err != nil {
		return ctrl.Result{}, err
	}
	if err := r.stopLead(ctx, s.Lead, asked); err != nil {
		return afterConflict(err)
	}
	log.FromContext(ctx).Info("The customer asked not to be written to", "reason", string(asked.Reason))
	return r.soon(), nil
}

// suppress makes the Suppression of the lead's phone; one with an end holds for ever (see lead.Renew).
func (r *Reconciler) suppress(ctx context.Context, s *plan.Snapshot, asked v1alpha1.Stop) error {
	keep := s.Store != nil && s.Store.Spec.SuppressedPhones == v1alpha1.SuppressedPhonesClear
	_, err := optouts.Keep(ctx, r.Client, r.Live, suppressionOf(s.Lead, asked.Reason, keep),
		func(stored *v1alpha1.Suppression) (bool, error) {
			return lead.Renew(stored, asked.At.Time, r.Clock.Now()), nil
		})
	return err
}

// suppressionOf is the Suppression of a lead's phone, the same that the webhook server makes.
func suppressionOf(recovery *v1alpha1.CartRecovery, reason v1alpha1.StopReason, keepPhone bool) *v1alpha1.Suppression {
	return lead.NewSuppression(recovery.Namespace, recovery.Spec.StoreRef.Name, recovery.Spec.Customer.Phone, keepPhone,
		v1alpha1.SuppressionReason(reason))
}

// stopSiblings writes the request to the other open leads of the phone.
func (r *Reconciler) stopSiblings(ctx context.Context, recovery *v1alpha1.CartRecovery, asked v1alpha1.Stop) error {
	var leads v1alpha1.CartRecoveryList
	key := index.LeadPhoneKey(recovery.Spec.StoreRef.Name, lead.PhoneHash(recovery.Spec.Customer.Phone))
	if err := r.Client.List(ctx, &leads, client.InNamespace(recovery.Namespace),
		client.MatchingFields{index.LeadByPhone: key}); err != nil {
		return fmt.Errorf("find the other leads of a customer: %w", err)
	}
	for i := range leads.Items {
		each := &leads.Items[i]
		if each.Name == recovery.Name || lead.Over(each) {
			continue
		}
		if err := r.stopLead(ctx, each, asked); err != nil && !apierrors.IsNotFound(err) {
			return err
		}
	}
	return nil
}

// stopLead writes the request to one lead. What it changes does not depend on what else the lead
// says, so it takes no lock: it must not fail for a lead that has changed.
func (r *Reconciler) stopLead(ctx context.Context, recovery *v1alpha1.CartRecovery, asked v1alpha1.Stop) error {
	stopped := recovery.DeepCopy()
	stopped.Spec.Stop = &asked
	if err := r.Client.Patch(ctx, stopped, client.MergeFrom(recovery)); err != nil {
		return fmt.Errorf("write spec.stop of CartRecovery %s: %w", recovery.Name, err)
	}
	return nil
}
