// Package census counts what the Stores have for /metrics: leads, suppressions, numbers, pace, tokens and revenue. A
// hundred thousand leads are not walked for it: they are counted as they change, and what is read at a scrape is the
// Stores and their numbers.
package census

import (
	"context"
	"fmt"
	"slices"
	"sync"

	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/panics"
)

// otherReason is the label of a value that is none of the known ones: a label has no more values than those.
const otherReason = "Other"

// phases are the phases that leads are counted by.
var phases = []v1alpha1.Phase{
	v1alpha1.PhasePendingRecovery, v1alpha1.PhaseContacted, v1alpha1.PhaseEngaged, v1alpha1.PhaseRecovered,
	v1alpha1.PhaseConverted, v1alpha1.PhaseFailed, v1alpha1.PhaseOptedOut, v1alpha1.PhaseExpired,
}

// suppressionReasons are the reasons that suppressions are counted by.
var suppressionReasons = []v1alpha1.SuppressionReason{
	v1alpha1.SuppressionOptOut, v1alpha1.SuppressionWrongNumber, v1alpha1.SuppressionComplaint,
	v1alpha1.SuppressionManual,
}

// fact is one thing that an object is counted under.
type fact struct {
	store types.NamespacedName
	kind  kind
	value string
}

// kind of a fact.
type kind int

const (
	ofPhase kind = iota
	ofBlocked
	ofHandedOff
	ofSuppressed
)

// Counts are how many leads and suppressions each Store has, kept by the events of the cache. It is safe for concurrent
// use.
type Counts struct {
	// reasons are the known reasons of the condition Blocked.
	reasons []string

	mu     sync.Mutex
	stores map[types.NamespacedName]map[fact]int
}

// NewCounts returns Counts of nothing. The reasons are those of the condition Blocked; any other is counted as Other.
func NewCounts(reasons []string) *Counts {
	return &Counts{reasons: reasons, stores: map[types.NamespacedName]map[fact]int{}}
}

// Watch counts what the cache holds from now on.
func (c *Counts) Watch(ctx context.Context, informers cache.Informers) error {
	for _, object := range []client.Object{&v1alpha1.CartRecovery{}, &v1alpha1.Suppression{}} {
		informer, err := informers.GetInformer(ctx, object)
		if err != nil {
			return fmt.Errorf("count the %T: %w", object, err)
		}
		_, err = informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{
			AddFunc:    func(added any) { c.change(ctx, nil, added) },
			UpdateFunc: func(before, after any) { c.change(ctx, before, after) },
			DeleteFunc: func(gone any) { c.change(ctx, gone, nil) },
		})
		if err != nil {
			return fmt.Errorf("count the %T: %w", object, err)
		}
	}
	return nil
}

// change counts what an object was no longer, and what it is.
func (c *Counts) change(ctx context.Context, before, after any) {
	// What went wrong is counted and logged; there is nobody to tell.
	_ = panics.Do(ctx, panics.Watch, func() error {
		was, is := c.factsOf(before), c.factsOf(after)
		if slices.Equal(was, is) {
			return nil
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, each := range was {
			c.add(each, -1)
		}
		for _, each := range is {
			c.add(each, 1)
		}
		return nil
	})
}

func (c *Counts) add(counted fact, by int) {
	of := c.stores[counted.store]
	if of == nil {
		of = map[fact]int{}
		c.stores[counted.store] = of
	}
	of[counted] += by
	if of[counted] == 0 {
		delete(of, counted)
	}
	if len(of) == 0 {
		delete(c.stores, counted.store)
	}
}

// each calls a function with all counts that are not zero.
func (c *Counts) each(do func(counted fact, number int)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, of := range c.stores {
		for counted, number := range of {
			do(counted, number)
		}
	}
}

// factsOf is what an object of the cache is counted under.
func (c *Counts) factsOf(object any) []fact {
	switch of := object.(type) {
	case toolscache.DeletedFinalStateUnknown:
		return c.factsOf(of.Obj)
	case *v1alpha1.CartRecovery:
		return c.leadFacts(of)
	case *v1alpha1.Suppression:
		return suppressionFacts(of)
	default:
		return nil
	}
}

func (c *Counts) leadFacts(lead *v1alpha1.CartRecovery) []fact {
	store := types.NamespacedName{Namespace: lead.Namespace, Name: lead.Spec.StoreRef.Name}
	phase := lead.Status.Phase
	if !slices.Contains(phases, phase) {
		phase = v1alpha1.PhasePendingRecovery
	}
	facts := []fact{{store, ofPhase, string(phase)}}
	if lead.Status.CompletionTime != nil {
		return facts
	}
	blocked := apimeta.FindStatusCondition(lead.Status.Conditions, v1alpha1.ConditionBlocked)
	if blocked != nil && blocked.Status == metav1.ConditionTrue {
		reason := blocked.Reason
		if !slices.Contains(c.reasons, reason) {
			reason = otherReason
		}
		facts = append(facts, fact{store, ofBlocked, reason})
	}
	if apimeta.IsStatusConditionTrue(lead.Status.Conditions, v1alpha1.ConditionHandedOff) {
		facts = append(facts, fact{store, ofHandedOff, ""})
	}
	return facts
}

// suppressionFacts are those of one that holds.
func suppressionFacts(suppression *v1alpha1.Suppression) []fact {
	if apimeta.IsStatusConditionFalse(suppression.Status.Conditions, v1alpha1.ConditionActive) {
		return nil
	}
	reason := suppression.Spec.Reason
	if !slices.Contains(suppressionReasons, reason) {
		reason = v1alpha1.SuppressionManual
	}
	store := types.NamespacedName{Namespace: suppression.Namespace, Name: suppression.Spec.StoreRef.Name}
	return []fact{{store, ofSuppressed, string(reason)}}
}
