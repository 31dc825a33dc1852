package cartrecovery

import (
	"context"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/controllers/cartrecovery/plan"
	"cartrecovery.dev/operator/internal/shares"
)

const (
	// callRetry is when a lead comes back at the latest that found no place for its call: the place
	// that it was woken for may have been taken by another.
	callRetry = 5 * time.Second
	// maxCallers is how many leads wait to be woken; those beyond come back by themselves.
	maxCallers = 1024
)

// calls are the workers that may wait for gateways at once, by share of namespace and number: those of
// a gateway that hangs are not there for anybody else. Who finds no place is woken when there may be one.
type calls struct {
	mu     sync.Mutex
	places *shares.Shares
	// waiting have found no place, the longest first.
	waiting []caller
	woken   chan event.TypedGenericEvent[*v1alpha1.CartRecovery]
}

// caller is a lead that waits for a place of its number.
type caller struct {
	lead types.NamespacedName
	from shares.Holder
}

func newCalls(workers int) *calls {
	return &calls{
		places: shares.New(workers),
		woken:  make(chan event.TypedGenericEvent[*v1alpha1.CartRecovery], maxCallers),
	}
}

// begin takes a place for a lead's call to a number's gateway; false when there is none.
func (c *calls) begin(lead types.NamespacedName, from shares.Holder) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waiting = slices.DeleteFunc(c.waiting, func(w caller) bool { return w.lead == lead })
	if c.places.Open(from) {
		c.places.Take(from)
		return true
	}
	if len(c.waiting) < maxCallers {
		c.waiting = append(c.waiting, caller{lead: lead, from: from})
	}
	return false
}

// end gives a place back, and wakes who has waited longest of those who may have it.
func (c *calls) end(from shares.Holder) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.places.Give(from)
	at := slices.IndexFunc(c.waiting, func(w caller) bool { return c.places.Open(w.from) })
	if at < 0 {
		return
	}
	next := &v1alpha1.CartRecovery{}
	next.Namespace, next.Name = c.waiting[at].lead.Namespace, c.waiting[at].lead.Name
	select {
	case c.woken <- event.TypedGenericEvent[*v1alpha1.CartRecovery]{Object: next}:
		c.waiting = slices.Delete(c.waiting, at, at+1)
	default:
	}
}

// callGateway does what calls the gateway of a number, in one of the places for that, or has the lead
// come back when there is one. Without a number nothing is called.
func (r *Reconciler) callGateway(
	s *plan.Snapshot, number *v1alpha1.WhatsAppInstance, do func() (ctrl.Result, error),
) (ctrl.Result, error) {
	if number == nil {
		return do()
	}
	from := client.ObjectKeyFromObject(number)
	if !r.calls.begin(client.ObjectKeyFromObject(s.Lead), from) {
		return r.until(r.Clock.Now().Add(r.spread(callRetry))), nil
	}
	defer r.calls.end(from)
	return do()
}

// actOnNumber carries out the actions that call the gateway of a number; false for any other.
func (r *Reconciler) actOnNumber(
	ctx context.Context, s plan.Snapshot, planned plan.Action,
) (result ctrl.Result, does bool, err error) {
	var do func() (ctrl.Result, error)
	number := planned.Message.Instance
	switch planned.Kind {
	case plan.Check:
		do = func() (ctrl.Result, error) { return r.check(ctx, s, number) }
	case plan.Verify:
		do = func() (ctrl.Result, error) { return r.verify(ctx, s, planned.Message) }
	case plan.Send:
		do = func() (ctrl.Result, error) { return r.send(ctx, s, planned.Message) }
	case plan.Resolve:
		do = func() (ctrl.Result, error) { return r.resolve(ctx, s, planned.Message) }
	default:
		return ctrl.Result{}, false, nil
	}
	result, err = r.callGateway(&s, number, do)
	return result, true, err
}
