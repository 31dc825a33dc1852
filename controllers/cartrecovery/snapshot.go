package cartrecovery

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/controllers/cartrecovery/plan"
	"cartrecovery.dev/operator/internal/contacts"
	"cartrecovery.dev/operator/internal/index"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/policy"
)

// read gathers what is known of a lead from the cache; nil when the lead is gone.
func (r *Reconciler) read(ctx context.Context, request ctrl.Request) (*plan.Snapshot, error) {
	recovery := &v1alpha1.CartRecovery{}
	if err := r.Client.Get(ctx, request.NamespacedName, recovery); err != nil {
		r.drafts.Remove(request.NamespacedName)
		r.Pacer.Forget(request.NamespacedName)
		r.firstContacts.forget(request.NamespacedName)
		r.Dues.Set(request.NamespacedName, "", time.Time{})
		return nil, client.IgnoreNotFound(err)
	}
	s := &plan.Snapshot{Lead: recovery, Now: r.Clock.Now(), Meanings: r.meanings, RestoreHold: r.RestoreHold}
	s.UnbookedTokens = r.drafts.Unbooked(request.NamespacedName)
	if err := r.readPast(ctx, s); err != nil {
		return nil, err
	}
	s.Draft = func(text plan.TextID) plan.Draft { return r.drafts.Get(request.NamespacedName, text) }
	s.Capacity = func(instance *v1alpha1.WhatsAppInstance, due time.Time) plan.Capacity {
		return r.capacity(s, instance, due)
	}
	s.WaitsAt = r.Pacer.WaitsAt(request.NamespacedName)
	s.Contact = func(instance *v1alpha1.WhatsAppInstance) contacts.Contact {
		return r.contacts.Get(contacts.KeyOf(recovery), instance.UID)
	}
	s.Uncalled = func(id string, at time.Time) bool { return r.uncalled.has(recovery, id, at) }
	var err error
	if s.Store, err = r.store(ctx, recovery); err != nil {
		return nil, err
	}
	if s.Product, err = index.ProductOf(ctx, r.Client, recovery); err != nil {
		return nil, err
	}
	s.Policy = policy.Resolve(s.Store, s.Product)
	if s.SiblingPurchase, err = index.StoppingPurchase(ctx, r.Client, recovery, s.Policy.KillSwitchScope); err != nil {
		return nil, err
	}
	if s.Others, err = r.others(ctx, recovery); err != nil {
		return nil, err
	}
	if s.Instances, err = r.instances(ctx, recovery); err != nil {
		return nil, err
	}
	return s, r.readSuppressions(ctx, s)
}

// readSuppressions reads whether the customer's number is not to be written to, and whether that can be told at all.
func (r *Reconciler) readSuppressions(ctx context.Context, s *plan.Snapshot) error {
	namespace, store := s.Lead.Namespace, s.Lead.Spec.StoreRef.Name
	var err error
	s.Suppressed, err = index.Suppressed(ctx, r.Client, r.SuppressionKeys, namespace, store,
		s.Lead.Spec.Customer.Phone, s.Now)
	if err != nil || s.Suppressed {
		return err
	}
	s.SuppressedUnknown, err = index.SuppressedUnknown(ctx, r.Client, namespace, store, s.Now)
	return err
}

func (r *Reconciler) store(ctx context.Context, recovery *v1alpha1.CartRecovery) (*v1alpha1.Store, error) {
	store := &v1alpha1.Store{}
	err := r.Client.Get(ctx, client.ObjectKey{Namespace: recovery.Namespace, Name: recovery.Spec.StoreRef.Name}, store)
	if err != nil {
		return nil, client.IgnoreNotFound(err)
	}
	return store, nil
}

func (r *Reconciler) instances(ctx context.Context, recovery *v1alpha1.CartRecovery) ([]v1alpha1.WhatsAppInstance,
	error) {
	var instances v1alpha1.WhatsAppInstanceList
	err := r.Client.List(ctx, &instances, client.InNamespace(recovery.Namespace),
		client.MatchingFields{index.InstanceByStore: recovery.Spec.StoreRef.Name})
	// An index has no order, and what is said of several must not change with it.
	slices.SortFunc(instances.Items, func(a, b v1alpha1.WhatsAppInstance) int { return cmp.Compare(a.Name, b.Name) })
	return instances.Items, err
}

// others reads what the other leads of the customer's phone say, and the earlier cycles of
// this one.
func (r *Reconciler) others(ctx context.Context, recovery *v1alpha1.CartRecovery) (plan.OtherLeads, error) {
	customer := recovery.Spec.Customer.Phone
	if customer == "" {
		return plan.OtherLeads{}, nil
	}
	var leads v1alpha1.CartRecoveryList
	key := index.LeadPhoneKey(recovery.Spec.StoreRef.Name, lead.PhoneHash(customer))
	err := r.Client.List(ctx, &leads, client.InNamespace(recovery.Namespace),
		client.MatchingFields{index.LeadByPhone: key}, client.UnsafeDisableDeepCopy)
	if err != nil {
		return plan.OtherLeads{}, fmt.Errorf("find the other leads of a customer: %w", err)
	}
	return plan.OthersOf(recovery, leads.Items, r.firstContacts.get(customerOf(recovery))), nil
}

// readPast reads what is known of the time before: how this process began to lead, and what
// the ledger knows of the lead. What the lead says goes into the ledger.
func (r *Reconciler) readPast(ctx context.Context, s *plan.Snapshot) error {
	if r.Began != nil {
		began, err := r.Began(ctx)
		if err != nil {
			return err
		}
		s.Began = began
	}
	if err := r.keeper.load(ctx, s.Lead.Namespace, false); err != nil {
		return err
	}
	r.keeper.Observe(s.Lead)
	s.Ledger = r.keeper.Of(s.Lead)
	if restored := plan.RestoredAt(s); len(s.Ledger) == 0 &&
		s.Now.Before(restored.Add(plan.SettleRestored+ledgerAgain)) {
		if err := r.keeper.load(ctx, s.Lead.Namespace, true); err != nil {
			return err
		}
		s.Ledger = r.keeper.Of(s.Lead)
	}
	s.Proof = func(track string) plan.Proof { return r.proofs.get(proofKey{s.Lead.Namespace, track}) }
	return nil
}
