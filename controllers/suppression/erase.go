package suppression

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/optouts"
	"cartrecovery.dev/operator/internal/suppressionkeys"
)

// This file takes a customer's number out of a Suppression that goes on holding. It writes in an order in which one of
// the two always holds, wherever the process dies:
//
//  1. The keyed Suppression is created, or the one that is there is made to hold as long as the original.
//  2. The original is deleted, as it was read: one that was written since, to hold for longer for example, is looked
//     at again.
//
// A process that dies between them finds both, and goes on with the second.

// erase has a keyed Suppression take the place of this one; one that has lapsed just goes.
func (r *Reconciler) erase(ctx context.Context, original *v1alpha1.Suppression) error {
	if !lead.Lapsed(original, r.Clock.Now()) {
		if err := r.keep(ctx, keyed(r.Keys, original)); err != nil {
			return err
		}
	}
	err := r.Client.Delete(ctx, original, client.Preconditions{
		UID: &original.UID, ResourceVersion: &original.ResourceVersion,
	})
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("delete the Suppression that is to be erased: %w", err)
	}
	return nil
}

// keep creates a keyed Suppression, or has the one that is there hold as long.
func (r *Reconciler) keep(ctx context.Context, wanted *v1alpha1.Suppression) error {
	_, err := optouts.Keep(ctx, r.Client, r.Live, wanted, func(stored *v1alpha1.Suppression) (bool, error) {
		if stored.Spec.PhoneHMAC != wanted.Spec.PhoneHMAC || stored.Spec.StoreRef != wanted.Spec.StoreRef {
			return false, fmt.Errorf("keep Suppression %s: expected its storeRef and phoneHMAC to be those of the "+
				"Suppression that is to be erased; delete it", wanted.Name)
		}
		return lead.Extend(stored, wanted.Spec.ExpiresAt), nil
	})
	return err
}

// keyed is what remains of a Suppression: everything but whose number it is. It has neither the labels nor the
// annotations of the original, which a person may have written the number into.
func keyed(keys *suppressionkeys.Keys, original *v1alpha1.Suppression) *v1alpha1.Suppression {
	mac := keys.Make(original.Spec.StoreRef.Name, lead.SuppressedHash(original))
	made := &v1alpha1.Suppression{
		ObjectMeta: metav1.ObjectMeta{Namespace: original.Namespace, Name: suppressionkeys.Name(mac)},
		Spec: v1alpha1.SuppressionSpec{
			StoreRef: original.Spec.StoreRef, PhoneHMAC: mac, Reason: original.Spec.Reason,
			ExpiresAt: original.Spec.ExpiresAt.DeepCopy(),
		},
	}
	made.Labels = lead.SuppressionLabels(made)
	return made
}
