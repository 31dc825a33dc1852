package cartrecovery

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/pace"
)

const (
	// turnRetry is how soon a lead is planned again whose turn another one took.
	turnRetry = time.Second
	// pacedAfter is how late a message must be for its wait to be shown.
	pacedAfter = time.Minute
)

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
		if turn.Now || !ahead.After(s.now) {
			return planned
		}
		until = earliest(until, ahead)
	}
	if turn.Now {
		return planned
	}
	waits := action{
		kind: wait, until: until, message: planned.message,
		why: fmt.Sprintf("the pace of WhatsAppInstance %s; %d messages are before this one", planned.message.instance.Name, turn.Ahead),
	}
	if goneBy := planned.message.goneBy; !goneBy.IsZero() {
		waits.until = earliest(waits.until, goneBy)
	}
	if s.now.Sub(planned.message.due) >= pacedAfter {
		waits.blocked = v1alpha1.ReasonPaced
		waits.why = "the pace of WhatsAppInstance " + planned.message.instance.Name + "; see its spec.limits and status.pace"
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
	r.Book.Open(instance.UID)
	return nil
}

// takeTurn takes the turn of a message just before it is claimed with this time.
func (r *Reconciler) takeTurn(s *situation, wanted message, at time.Time) bool {
	return r.Book.Take(wanted.instance.UID, numberOf(s, wanted.instance), client.ObjectKeyFromObject(s.lead), wanted.class, at)
}

// headroom is how free a number is to start a conversation.
func (r *Reconciler) headroom(s *situation, instance *v1alpha1.WhatsAppInstance) headroom {
	number := numberOf(s, instance)
	stats := r.Book.Stats(instance.UID, number)
	return headroom{
		free: r.Book.Peek(instance.UID, number, client.ObjectKeyFromObject(s.lead), pace.First, s.now),
		left: int(stats.NewAllowedToday - stats.NewToday - stats.Waiting),
	}
}

func numberOf(s *situation, instance *v1alpha1.WhatsAppInstance) pace.Number {
	return pace.NumberOf(instance, s.policy.Location)
}

// opening is a first message that this process has claimed.
type opening struct {
	lead types.UID
	at   time.Time
}

// remember keeps what the cache may not know yet of a claim: that the customer is written
// to for the first time in this cycle.
func (r *Reconciler) remember(s *situation, wanted message, at time.Time) {
	if wanted.class == pace.First {
		r.opened.Add(contactOf(s.lead), opening{lead: s.lead.UID, at: at})
	}
}
