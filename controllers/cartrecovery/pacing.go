package cartrecovery

import (
	"context"
	"fmt"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/pace"
)

const (
	// turnRetry is how soon a lead is planned again whose turn another one took.
	turnRetry = time.Second
	// leastSettling is how long all that wait for a number are given at least to get in line.
	leastSettling = 300 * time.Millisecond
)

// pacedAfter is how late a message must be for its wait to be shown.
const pacedAfter = time.Minute

// inTurn lets a message that is to be written or sent wait for its turn in the line of its
// number; everything else, and a message that waits for something else, leaves the line.
func (r *Reconciler) inTurn(ctx context.Context, s *situation, planned action) (action, error) {
	name := client.ObjectKeyFromObject(s.lead)
	switch planned.kind {
	case check, prepare, send:
	default:
		r.Book.Forget(name)
		return planned, nil
	}
	wanted := planned.message
	if err := r.seed(ctx, s, wanted.instance); err != nil {
		return action{}, err
	}
	number := numberOf(s, wanted.instance)
	if wanted.due.After(s.now) {
		// It must not keep others waiting before it is due itself.
		at := latest(r.Book.Peek(wanted.instance.UID, number, name, wanted.class, wanted.due), wanted.due)
		return paced(s, planned, pace.Turn{At: at, Expected: at}), nil
	}
	return paced(s, planned, r.Book.Ask(wanted.instance.UID, number, name, wanted.class, wanted.due)), nil
}

// paced is what is left of an action until the turn of its message comes. Texts are written
// only a little ahead of it.
func paced(s *situation, planned action, turn pace.Turn) action {
	until := turn.At
	if planned.kind != send {
		ahead := turn.Expected.Add(-prepareAhead)
		// While the gateway takes nothing, only the text of the next message is paid for.
		soon := !ahead.After(s.now) && (!turn.Held || turn.Ahead == 0)
		if turn.Now || soon {
			return planned
		}
		if !turn.Held {
			until = earliest(until, ahead)
		}
	}
	if turn.Now {
		return planned
	}
	waits := action{kind: wait, until: until, message: planned.message, why: fmt.Sprintf("the pace of its number; %d messages are before this one", turn.Ahead)}
	if goneBy := planned.message.goneBy; !goneBy.IsZero() {
		waits.until = earliest(waits.until, goneBy)
	}
	overdue := s.now.Sub(planned.message.due)
	switch {
	case overdue >= 0 && turn.Held && turn.Ahead == 0:
		waits.blocked, waits.why = v1alpha1.ReasonGatewayUnavailable, "the gateway did not take the last message from the number; it is tried again"
	case overdue >= pacedAfter:
		waits.blocked, waits.why = v1alpha1.ReasonPaced, "the pace of its number; see spec.limits and status.pace of the WhatsAppInstance"
	case overdue >= 0:
		waits.until = earliest(waits.until, planned.message.due.Add(pacedAfter))
	}
	return withinLife(s, waits)
}

// seed counts what was sent from a number before this process began to: from the leads.
func (r *Reconciler) seed(ctx context.Context, s *situation, instance *v1alpha1.WhatsAppInstance) error {
	if r.Book.Seeded(instance.UID) {
		return nil
	}
	var leads v1alpha1.CartRecoveryList
	if err := r.Client.List(ctx, &leads, client.InNamespace(s.lead.Namespace), client.UnsafeDisableDeepCopy); err != nil {
		return fmt.Errorf("count what was sent from WhatsAppInstance %s: %w", instance.Name, err)
	}
	r.Book.Seed(instance.UID, pace.HistoryOf(leads.Items, instance.Name, s.now.Add(-pace.HistoryLength)))
	r.Book.OpenWithin(instance.UID, settleFor(s.began.Led, s.now))
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

// takeTurn takes the turn of a message just before it is claimed with this time, and the
// right to begin a conversation with the customer.
func (r *Reconciler) takeTurn(s *situation, wanted message, at time.Time) bool {
	if !hasBegun(s.lead) && wanted.class == pace.First && !r.openings.take(s.lead, s.policy.Cooldown, at) {
		// Others behind it in the line need not wait with it.
		r.Book.Forget(client.ObjectKeyFromObject(s.lead))
		return false
	}
	if r.Book.Take(wanted.instance.UID, numberOf(s, wanted.instance), client.ObjectKeyFromObject(s.lead), wanted.class, at) {
		return true
	}
	r.openings.giveBack(s.lead)
	return false
}

// giveTurnBack undoes takeTurn: nothing went.
func (r *Reconciler) giveTurnBack(s *situation, instance *v1alpha1.WhatsAppInstance) {
	r.Book.Refused(instance.UID, client.ObjectKeyFromObject(s.lead))
	r.openings.giveBack(s.lead)
}

// headroom is how free a number is to start a conversation that is due at a time.
func (r *Reconciler) headroom(s *situation, instance *v1alpha1.WhatsAppInstance, due time.Time) headroom {
	number := numberOf(s, instance)
	stats := r.Book.Stats(instance.UID, number)
	free := r.Book.Peek(instance.UID, number, client.ObjectKeyFromObject(s.lead), pace.First, due)
	if !free.After(r.Clock.Now()) {
		// At once: of two such numbers none is freer for having been asked for first.
		free = s.now
	}
	return headroom{free: free, left: int(stats.NewAllowedToday - stats.NewToday - stats.Waiting)}
}

func numberOf(s *situation, instance *v1alpha1.WhatsAppInstance) pace.Number {
	return pace.NumberOf(instance, s.policy.Location)
}
