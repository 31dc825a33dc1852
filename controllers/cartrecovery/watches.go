package cartrecovery

import (
	"context"
	"math"
	"strings"
	"time"

	apiequality "k8s.io/apimachinery/pkg/api/equality"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/controllers/cartrecovery/plan"
	"cartrecovery.dev/operator/internal/connection"
	"cartrecovery.dev/operator/internal/index"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/panics"
)

func (r *Reconciler) leadsOfStore(ctx context.Context, store client.Object) []ctrl.Request {
	return r.leads(ctx, store.GetNamespace(), client.MatchingFields{index.LeadByStore: store.GetName()}, nil)
}

func (r *Reconciler) leadsOfInstance(ctx context.Context, object client.Object) []ctrl.Request {
	instance, ok := object.(*v1alpha1.WhatsAppInstance)
	if !ok {
		return nil
	}
	if connection.CanSend(instance, false, r.Clock.Now()) {
		r.Pacer.Open(instance.UID)
	}
	return r.leads(ctx, instance.Namespace, client.MatchingFields{index.LeadByStore: instance.Spec.StoreRef.Name}, nil)
}

func (r *Reconciler) leadsOfProduct(ctx context.Context, object client.Object) []ctrl.Request {
	product, ok := object.(*v1alpha1.Product)
	if !ok {
		return nil
	}
	ids := map[v1alpha1.PlatformID]bool{}
	for _, id := range product.Spec.PlatformIDs {
		ids[id] = true
	}
	return r.leads(ctx, product.Namespace, client.MatchingFields{index.LeadByStore: product.Spec.StoreRef.Name},
		func(recovery *v1alpha1.CartRecovery) bool {
			named := recovery.Spec.ProductRef != nil && recovery.Spec.ProductRef.Name == product.Name
			byName := recovery.Spec.Product.ID == "" && strings.EqualFold(recovery.Spec.Product.Name,
				product.Spec.DisplayName)
			return named || byName ||
				ids[v1alpha1.PlatformID{Platform: recovery.Spec.Platform, ID: recovery.Spec.Product.ID}]
		})
}

func (r *Reconciler) leadsOfSuppression(ctx context.Context, object client.Object) []ctrl.Request {
	suppression, ok := object.(*v1alpha1.Suppression)
	if !ok {
		return nil
	}
	store, number := suppression.Spec.StoreRef.Name, lead.SuppressedHash(suppression)
	if mac := suppression.Spec.PhoneHMAC; mac != "" {
		if !r.SuppressionKeys.Knows(mac) {
			return r.leadsOfUnknown(ctx, suppression)
		}
		number = mac
	}
	return r.leads(ctx, suppression.Namespace, client.MatchingFields{
		index.LeadByPhone: index.LeadPhoneKey(store, number),
	}, nil)
}

// leadsOfUnknown are the leads that a Suppression concerns of which nobody can tell whose number it is: all of the
// Store, once the last such Suppression is gone. Each that comes is found by whoever wants to send.
func (r *Reconciler) leadsOfUnknown(ctx context.Context, suppression *v1alpha1.Suppression) []ctrl.Request {
	store := suppression.Spec.StoreRef.Name
	unknown, err := index.SuppressedUnknown(ctx, r.Client, suppression.Namespace, store, r.Clock.Now())
	if err != nil || unknown {
		return nil
	}
	return r.leads(ctx, suppression.Namespace, client.MatchingFields{index.LeadByStore: store}, nil)
}

// siblings are the other open leads of a lead's phone: what becomes of one can be what
// another waits for.
func (r *Reconciler) siblings(ctx context.Context, object client.Object) []ctrl.Request {
	recovery, ok := object.(*v1alpha1.CartRecovery)
	if !ok || recovery.Spec.Customer.Phone == "" {
		return nil
	}
	key := index.LeadPhoneKey(recovery.Spec.StoreRef.Name, lead.PhoneHash(recovery.Spec.Customer.Phone))
	return r.leads(ctx, recovery.Namespace, client.MatchingFields{index.LeadByPhone: key},
		func(other *v1alpha1.CartRecovery) bool {
			return other.Name != recovery.Name && !lead.Finished(other)
		})
}

// siblingChanges lets pass what of a lead matters to the others of its phone.
func siblingChanges() builder.WatchesOption {
	return builder.WithPredicates(panics.Predicate(predicate.Funcs{
		CreateFunc: func(event.CreateEvent) bool { return false },
		UpdateFunc: func(change event.UpdateEvent) bool {
			before, okBefore := change.ObjectOld.(*v1alpha1.CartRecovery)
			after, okAfter := change.ObjectNew.(*v1alpha1.CartRecovery)
			return okBefore && okAfter && concernOf(before) != concernOf(after)
		},
	}))
}

// concern is what of a lead matters to the others of its phone.
type concern struct {
	finished, handedOff, bought, claimsPaid bool
	opened, heard                           int64
}

func concernOf(recovery *v1alpha1.CartRecovery) concern {
	return concern{
		finished: lead.Finished(recovery), handedOff: lead.HandedOff(recovery), bought: recovery.Spec.Purchase != nil,
		claimsPaid: plan.IsBlockedBy(recovery, v1alpha1.ReasonClaimsPaid), heard: heardAt(recovery).UnixMicro(),
		opened: lead.LastFirstContact(recovery, math.MaxInt32).UnixMicro(),
	}
}

// heardAt is when the customer last wrote in this cycle; zero for never. What they wrote is not
// read here: this runs for every change of every lead.
func heardAt(recovery *v1alpha1.CartRecovery) time.Time {
	if last := lead.LastInbound(recovery); last != nil {
		return last.At.Time
	}
	return time.Time{}
}

// leads are the leads of a cache index that are concerned; all of them when concerned is
// nil.
func (r *Reconciler) leads(ctx context.Context, namespace string, by client.MatchingFields,
	concerned func(*v1alpha1.CartRecovery) bool) []ctrl.Request {
	var list v1alpha1.CartRecoveryList
	if err := r.Client.List(ctx, &list, client.InNamespace(namespace), by, client.UnsafeDisableDeepCopy); err != nil {
		log.FromContext(ctx).Error(err, "Cannot list the leads that a change concerns")
		return nil
	}
	requests := make([]ctrl.Request, 0, len(list.Items))
	for i := range list.Items {
		if concerned == nil || concerned(&list.Items[i]) {
			requests = append(requests, ctrl.Request{NamespacedName: client.ObjectKeyFromObject(&list.Items[i])})
		}
	}
	return requests
}

// specChanges leaves out status writes.
func specChanges() builder.WatchesOption {
	return builder.WithPredicates(predicate.GenerationChangedPredicate{})
}

// storeChanges leaves out status writes; that a person has looked at what was restored is an
// annotation.
func storeChanges() builder.WatchesOption {
	acknowledged := predicate.Funcs{
		CreateFunc: func(event.CreateEvent) bool { return false }, DeleteFunc: func(event.DeleteEvent) bool {
			return false
		},
		GenericFunc: func(event.GenericEvent) bool { return false },
		UpdateFunc: func(change event.UpdateEvent) bool {
			const name = v1alpha1.AnnotationRestoreAcknowledged
			return change.ObjectOld.GetAnnotations()[name] != change.ObjectNew.GetAnnotations()[name]
		},
	}
	return builder.WithPredicates(panics.Predicate(predicate.Or(predicate.GenerationChangedPredicate{}, acknowledged)))
}

// instanceChanges leaves out everything that changes nothing about whether an instance can
// send: a poll of every number must not wake every lead.
func instanceChanges() builder.WatchesOption {
	return builder.WithPredicates(panics.Predicate(predicate.Funcs{UpdateFunc: func(change event.UpdateEvent) bool {
		before, okBefore := change.ObjectOld.(*v1alpha1.WhatsAppInstance)
		after, okAfter := change.ObjectNew.(*v1alpha1.WhatsAppInstance)
		return !okBefore || !okAfter || !apiequality.Semantic.DeepEqual(sendability(before), sendability(after))
	}}))
}

type sendFacts struct {
	Suspended, Deleted, Ready, Unreachable bool
	// Reason of Ready: a number that is logged out is lost one day, one that is only away is not.
	Reason      string
	Credentials *v1alpha1.ObjectReference
	PausedUntil int64
}

func sendability(instance *v1alpha1.WhatsAppInstance) sendFacts {
	facts := sendFacts{
		Suspended:   instance.Spec.Suspend,
		Deleted:     instance.DeletionTimestamp != nil,
		Ready:       apimeta.IsStatusConditionTrue(instance.Status.Conditions, v1alpha1.ConditionReady),
		Unreachable: apimeta.IsStatusConditionFalse(instance.Status.Conditions, v1alpha1.ConditionGatewayReachable),
		Credentials: instance.Status.CredentialsSecretRef,
	}
	if ready := apimeta.FindStatusCondition(instance.Status.Conditions, v1alpha1.ConditionReady); ready != nil {
		facts.Reason = ready.Reason
	}
	if until := instance.Status.NewConversationsPausedUntil; until != nil {
		facts.PausedUntil = until.Unix()
	}
	return facts
}
