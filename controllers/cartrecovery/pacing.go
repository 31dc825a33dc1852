package cartrecovery

import (
	"context"
	"fmt"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/controllers/cartrecovery/plan"
	"cartrecovery.dev/operator/internal/instant"
	"cartrecovery.dev/operator/internal/pace"
)

const (
	// turnRetry is how soon a lead is planned again whose turn another one took.
	turnRetry = time.Second
	// leastSettling is how long all that wait for a number are given at least to get in line.
	leastSettling = 300 * time.Millisecond
)

// inTurn lets a message that is to be written or sent wait for its turn in the line of its
// number; everything else, and a message that waits for something else, leaves the line.
func (r *Reconciler) inTurn(ctx context.Context, s *plan.Snapshot, planned plan.Action) (plan.Action, error) {
	name := client.ObjectKeyFromObject(s.Lead)
	switch planned.Kind {
	case plan.Check, plan.Prepare, plan.Send:
	default:
		r.Pacer.Forget(name)
		return planned, nil
	}
	wanted := planned.Message
	if err := r.seed(ctx, s, wanted.Instance); err != nil {
		return plan.Action{}, err
	}
	number := numberOf(s, wanted.Instance)
	if wanted.Due.After(s.Now) {
		// It must not keep others waiting before it is due itself.
		at := instant.Later(r.Pacer.Peek(wanted.Instance.UID, number, name, wanted.Class, wanted.Due), wanted.Due)
		return plan.Paced(s, planned, pace.Turn{At: at, Expected: at}), nil
	}
	return plan.Paced(s, planned, r.Pacer.Request(wanted.Instance.UID, number, name, wanted.Class, wanted.Due)), nil
}

// seed counts what was sent from a number before this process began to: from the leads.
func (r *Reconciler) seed(ctx context.Context, s *plan.Snapshot, instance *v1alpha1.WhatsAppInstance) error {
	if r.Pacer.Seeded(instance.UID) {
		return nil
	}
	var leads v1alpha1.CartRecoveryList
	if err := r.Client.List(ctx, &leads, client.InNamespace(s.Lead.Namespace),
		client.UnsafeDisableDeepCopy); err != nil {
		return fmt.Errorf("count what was sent from WhatsAppInstance %s: %w", instance.Name, err)
	}
	r.Pacer.Seed(instance.UID, pace.HistoryOf(leads.Items, instance.Name, s.Now.Add(-pace.HistoryLength)))
	r.Pacer.OpenWithin(instance.UID, settleFor(s.Began.Led, s.Now))
	return nil
}

// settleFor is how long a number that this process paces for the first time sends only answers:
// for pace.Settle since the process leads, because the last leader may send until then, and a
// moment at least, so that all that wait are in line.
func settleFor(led, now time.Time) time.Duration {
	passed := now.Sub(led)
	if led.IsZero() || passed < 0 || passed >= pace.Settle {
		return pace.Settle
	}
	return max(pace.Settle-passed, leastSettling)
}

// acquireTurn takes the turn of a message just before it is claimed with this time, and the
// right to begin a conversation with the customer.
func (r *Reconciler) acquireTurn(s *plan.Snapshot, wanted plan.Message, at time.Time) bool {
	if !plan.HasBegun(s.Lead) && wanted.Class == pace.First && !r.firstContacts.take(s.Lead, s.Policy.Cooldown, at) {
		// Others behind it in the line need not wait with it.
		r.Pacer.Forget(client.ObjectKeyFromObject(s.Lead))
		return false
	}
	if r.Pacer.Acquire(wanted.Instance.UID, numberOf(s, wanted.Instance), client.ObjectKeyFromObject(s.Lead),
		wanted.Class,
		at) {
		return true
	}
	r.firstContacts.giveBack(s.Lead)
	return false
}

// releaseTurn undoes acquireTurn: nothing was sent.
func (r *Reconciler) releaseTurn(s *plan.Snapshot, instance *v1alpha1.WhatsAppInstance) {
	r.Pacer.Refused(instance.UID, client.ObjectKeyFromObject(s.Lead))
	r.firstContacts.giveBack(s.Lead)
}

// capacity is how free a number is to start a conversation that is due at a time.
func (r *Reconciler) capacity(s *plan.Snapshot, instance *v1alpha1.WhatsAppInstance, due time.Time) plan.Capacity {
	number := numberOf(s, instance)
	stats := r.Pacer.Stats(instance.UID, number)
	free := r.Pacer.Peek(instance.UID, number, client.ObjectKeyFromObject(s.Lead), pace.First, due)
	if !free.After(r.Clock.Now()) {
		// At once: of two such numbers none is freer for having been asked for first.
		free = s.Now
	}
	left := stats.NewConversationsAllowedToday - stats.NewConversationsToday - stats.Waiting
	return plan.Capacity{Free: free, Left: int(left)}
}

func numberOf(s *plan.Snapshot, instance *v1alpha1.WhatsAppInstance) pace.Number {
	return pace.NumberOf(instance, s.Policy.Location)
}
