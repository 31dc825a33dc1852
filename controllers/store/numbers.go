package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/connection"
	"cartrecovery.dev/operator/internal/index"
)

// maxCurrenciesShown is how many currencies the summary of the revenue names.
const maxCurrenciesShown = 3

// numbers are a Store's WhatsAppInstances.
type numbers struct{ all, sending int }

// numbersOf counts the WhatsAppInstances of a Store.
func (r *Reconciler) numbersOf(ctx context.Context, store *v1alpha1.Store) (numbers, error) {
	var instances v1alpha1.WhatsAppInstanceList
	err := r.Client.List(ctx, &instances, client.InNamespace(store.Namespace),
		client.MatchingFields{index.InstanceByStore: store.Name}, client.UnsafeDisableDeepCopy)
	if err != nil {
		return numbers{}, fmt.Errorf("list the WhatsAppInstances of the Store: %w", err)
	}
	return countNumbers(instances.Items, r.Clock.Now()), nil
}

func countNumbers(instances []v1alpha1.WhatsAppInstance, now time.Time) numbers {
	found := numbers{all: len(instances)}
	for i := range instances {
		if connection.CanSend(&instances[i], true, now) {
			found.sending++
		}
	}
	return found
}

// canSend says whether recoveries can begin, given whether the Store is ready.
func (n numbers) canSend(ready metav1.ConditionStatus, reason string) metav1.Condition {
	found := metav1.Condition{Type: v1alpha1.ConditionCanSend, Status: metav1.ConditionFalse}
	switch {
	case ready != metav1.ConditionTrue:
		found.Reason, found.Message = reason, "see the condition Ready"
	case n.all == 0:
		found.Reason, found.Message = v1alpha1.ReasonNoNumber,
			"the Store has no WhatsAppInstance; create one and pair it"
	case n.sending == 0:
		found.Reason = v1alpha1.ReasonNoNumberCanSend
		found.Message = fmt.Sprintf("none of the %d WhatsAppInstances can begin recoveries; see their condition "+
			"CanSend", n.all)
	default:
		found.Status, found.Reason = metav1.ConditionTrue, v1alpha1.ReasonNumbersCanSend
		found.Message = fmt.Sprintf("recoveries can begin from %d of %d numbers", n.sending, n.all)
	}
	return found
}

// summaryOf is what kubectl get shows.
func summaryOf(n numbers, leads *v1alpha1.LeadCounts) *v1alpha1.StoreSummary {
	summary := &v1alpha1.StoreSummary{Numbers: fmt.Sprintf("%d/%d", n.sending, n.all)}
	if leads != nil {
		summary.Revenue = revenueText(leads.Revenue)
	}
	return summary
}

func revenueText(revenue []v1alpha1.Revenue) string {
	sorted := slices.Clone(revenue)
	slices.SortStableFunc(sorted, func(a, b v1alpha1.Revenue) int { return cmp.Compare(b.Leads, a.Leads) })
	var parts []string
	for i, each := range sorted {
		if i == maxCurrenciesShown {
			parts = append(parts, fmt.Sprintf("%d more", len(sorted)-i))
			break
		}
		parts = append(parts, each.Currency+" "+each.Amount)
	}
	return strings.Join(parts, ", ")
}

// ofNumber is the Store of a WhatsAppInstance.
func ofNumber(_ context.Context, object client.Object) []reconcile.Request {
	instance, ok := object.(*v1alpha1.WhatsAppInstance)
	if !ok {
		return nil
	}
	return []reconcile.Request{{NamespacedName: types.NamespacedName{
		Namespace: instance.Namespace, Name: instance.Spec.StoreRef.Name,
	}}}
}

// matters lets through what changes how many numbers a Store has, or how many can send. Those that are there when the
// manager starts are in the cache before the first Store is looked at.
func matters() predicate.Funcs {
	return predicate.Funcs{
		CreateFunc:  func(made event.CreateEvent) bool { return !made.IsInInitialList },
		GenericFunc: func(event.GenericEvent) bool { return false },
		UpdateFunc: func(change event.UpdateEvent) bool {
			before, isOne := change.ObjectOld.(*v1alpha1.WhatsAppInstance)
			after, isToo := change.ObjectNew.(*v1alpha1.WhatsAppInstance)
			return isOne && isToo && (couldSend(before) != couldSend(after))
		},
	}
}

// couldSend is what a number's status and spec say, apart from the time that has passed.
func couldSend(instance *v1alpha1.WhatsAppInstance) bool {
	return apimeta.IsStatusConditionTrue(instance.Status.Conditions, v1alpha1.ConditionCanSend) &&
		!instance.Spec.Suspend && instance.DeletionTimestamp == nil
}
