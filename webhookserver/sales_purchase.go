package webhookserver

import (
	"context"
	"fmt"
	"slices"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/index"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/policy"
)

// purchased is the kill switch: when it returns without an error the purchase is stored in
// every lead that it stops, and in one of its own product at least, so that a late cart
// event starts nothing.
func (s *Server) purchased(ctx context.Context, r *report) (outcome, error) {
	decide := func(leads []v1alpha1.CartRecovery) ([]note, error) {
		r.recognise(leads)
		scopes, err := s.scopes(ctx, r, leads)
		if err != nil {
			return nil, err
		}
		return r.planPurchase(leads, func(each *v1alpha1.CartRecovery) v1alpha1.KillSwitchScope {
			return scopes[each.Name]
		}), nil
	}
	var done noted
	if err := s.spread(ctx, r, decide, r.purchased, &done); err != nil {
		return outcome{}, fmt.Errorf("store a purchase: %w", err)
	}
	return done.purchase(), nil
}

// reversed writes a refund or chargeback to the leads of the purchase, and keeps one that
// comes before its purchase.
func (s *Server) reversed(ctx context.Context, r *report) (outcome, error) {
	var done noted
	if err := s.spread(ctx, r, byPlan(r.planReversal), r.reversed, &done); err != nil {
		return outcome{}, fmt.Errorf("store a reversal: %w", err)
	}
	return done.reversal(), nil
}

// expired writes the end of an open payment to the leads that it is about. One that comes before
// its payment is kept, so that the payment's notice is not sent when it comes.
func (s *Server) expired(ctx context.Context, r *report) (outcome, error) {
	known, err := index.LeadsOf(ctx, s.Client, r.store.Namespace, r.store.Name, r.customer())
	if err != nil {
		return outcome{}, err
	}
	if reason := r.refusesEnd(known); reason != "" {
		return ignored(reason), nil
	}
	var done noted
	if err := s.spread(ctx, r, byPlan(r.planEnd), r.ended, &done); err != nil {
		return outcome{}, fmt.Errorf("store the end of a payment: %w", err)
	}
	return done.end(), nil
}

// noted collects what became of the leads that an event was written to.
type noted struct {
	// stopped are leads that were worked on, recorded are others that changed, created are
	// new ones, known are those that the event says nothing new of.
	stopped, recorded, created, known []string
	// inFlight says that a message to one of them was being sent when it was read or written.
	inFlight bool
}

// purchase is the answer to a purchase.
func (n *noted) purchase() outcome {
	done := n.outcome()
	done.InFlight = &n.inFlight
	switch {
	case len(n.stopped) > 0:
		done.Result = resultStopped
	case len(n.recorded)+len(n.created) > 0:
		done.Result = resultRecorded
	}
	return done
}

// reversal is the answer to a refund or chargeback.
func (n *noted) reversal() outcome {
	done := n.outcome()
	switch {
	case len(n.stopped)+len(n.recorded) > 0:
		done.Result = resultReversed
	case len(n.created) > 0:
		done.Result = resultRecorded
	}
	return done
}

// end is the answer to the end of an open payment.
func (n *noted) end() outcome {
	done := n.outcome()
	if len(n.stopped)+len(n.recorded)+len(n.created) > 0 {
		done.Result = resultRecorded
	}
	return done
}

// add records what became of a lead.
func (n *noted) add(done writtenLead) {
	name := done.lead.Name
	n.inFlight = n.inFlight || lead.Claimed(done.lead) != nil
	switch {
	case !done.says:
		n.known = append(n.known, name)
	case done.wasOpen:
		n.stopped = append(n.stopped, name)
	default:
		n.recorded = append(n.recorded, name)
	}
}

func (n *noted) outcome() outcome {
	return outcome{Result: resultUnchanged, Leads: slices.Concat(n.stopped, n.recorded, n.created, n.known)}
}

// scopes resolves the killSwitchScope of every lead of another product that a purchase may
// stop.
func (s *Server) scopes(ctx context.Context, r *report,
	leads []v1alpha1.CartRecovery) (map[string]v1alpha1.KillSwitchScope, error) {
	scopes, about := map[string]v1alpha1.KillSwitchScope{}, r.about(leads)
	for i := range leads {
		each := &leads[i]
		if lead.Over(each) || slices.Contains(about, each) {
			continue
		}
		product, err := index.ProductOf(ctx, s.Client, each)
		if err != nil {
			return nil, err
		}
		resolved := policy.Resolve(r.store, product)
		scopes[each.Name] = resolved.KillSwitchScope
	}
	return scopes, nil
}
