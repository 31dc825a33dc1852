package webhookserver

import (
	"context"
	"fmt"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/index"
	"cartrecovery.dev/operator/internal/policy"
)

// purchased is the kill switch. When it returns without an error, the purchase is stored in every lead that it stops,
// and in one of its own product at least, so that a cart that comes late starts nothing.
func (s *Server) purchased(ctx context.Context, event *salesEvent) (outcome, error) {
	results, err := s.spread(ctx, event, func(leads []v1alpha1.CartRecovery) (salesPlan, error) {
		event = event.asKnownBy(leads)
		about := event.about(leads)
		stopped, err := s.stoppedAs(ctx, event.store, event.stoppable(leads, about))
		return event.planPurchase(about, stopped), err
	})
	if err != nil {
		return outcome{}, fmt.Errorf("store a purchase: %w", err)
	}
	return results.ofPurchase(), nil
}

// stoppedAs are those of these leads whose killSwitchScope is Customer.
func (s *Server) stoppedAs(
	ctx context.Context, store *v1alpha1.Store, leads []*v1alpha1.CartRecovery,
) ([]*v1alpha1.CartRecovery, error) {
	var stopped []*v1alpha1.CartRecovery
	for _, each := range leads {
		product, err := index.ProductOf(ctx, s.Client, each)
		if err != nil {
			return nil, err
		}
		if resolved := policy.Resolve(store, product); resolved.KillSwitchScope == v1alpha1.KillSwitchCustomer {
			stopped = append(stopped, each)
		}
	}
	return stopped, nil
}

// reversed writes a refund or chargeback to the leads of the purchase, and keeps one that comes before its purchase.
func (s *Server) reversed(ctx context.Context, event *salesEvent) (outcome, error) {
	results, err := s.spread(ctx, event, alwaysPlanned(event.planReversal))
	if err != nil {
		return outcome{}, fmt.Errorf("store a reversal: %w", err)
	}
	return results.ofReversal(), nil
}

// expired writes the end of an open payment to the leads that it is about. An end that comes before its payment is
// kept, so that the payment's notice is not sent when it comes.
func (s *Server) expired(ctx context.Context, event *salesEvent) (outcome, error) {
	if reason := event.endRefusal(event.leads); reason != "" {
		return ignored(reason), nil
	}
	results, err := s.spread(ctx, event, alwaysPlanned(event.planEnd))
	if err != nil {
		return outcome{}, fmt.Errorf("store the end of a payment: %w", err)
	}
	return results.ofEnd(), nil
}
