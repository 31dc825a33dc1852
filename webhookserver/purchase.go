package webhookserver

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/index"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/policy"
)

// purchased is the kill switch: when it returns without an error the purchase is stored in
// every lead that it stops.
func (s *Server) purchased(ctx context.Context, r *report) (outcome, error) {
	leads, err := s.leadsOf(ctx, r)
	if err != nil {
		return outcome{}, err
	}
	scopes, err := s.scopes(ctx, r, leads)
	if err != nil {
		return outcome{}, err
	}
	plan := r.planPurchase(leads, func(each *v1alpha1.CartRecovery) v1alpha1.KillSwitchScope { return scopes[each.Name] })
	stopped := stopping{known: plan.known}
	for _, next := range plan.stop {
		if err := s.stop(ctx, r, next, &stopped); err != nil {
			return outcome{}, err
		}
	}
	if plan.create != nil {
		if err := s.createBought(ctx, r, plan.create, &stopped); err != nil {
			return outcome{}, err
		}
	}
	return stopped.outcome(), nil
}

// stopping collects what a purchase did.
type stopping struct {
	// stopped are leads that were worked on, recorded are others that got the purchase.
	stopped, recorded, known []string
	inFlight                 bool
}

func (s *stopping) outcome() outcome {
	done := outcome{Result: resultUnchanged, Leads: append(append(s.stopped, s.recorded...), s.known...), InFlight: &s.inFlight}
	switch {
	case len(s.stopped) > 0:
		done.Result = resultStopped
	case len(s.recorded) > 0:
		done.Result = resultRecorded
	}
	return done
}

// stop writes the purchase to a lead. A lead that is gone needs none, unless it is the
// event's own: then the delivery is asked for again, to keep the purchase anew.
func (s *Server) stop(ctx context.Context, r *report, next stop, into *stopping) error {
	name, wasOpen := next.lead.Name, false
	stored, changed, err := s.patchLead(ctx, next.lead, s.writeSpec, func(recovery *v1alpha1.CartRecovery) bool {
		if recovery.Spec.Purchase != nil {
			return false
		}
		wasOpen = !lead.Finished(recovery)
		recovery.Spec.Purchase = r.purchase(next.unattributed)
		return true
	})
	switch {
	case err != nil:
		return fmt.Errorf("write a purchase to a lead: %w", err)
	case stored == nil && name == r.leadName():
		return errGone
	case stored == nil:
		return nil
	case !changed:
		into.known = append(into.known, name)
		return nil
	case wasOpen:
		into.stopped = append(into.stopped, name)
	default:
		into.recorded = append(into.recorded, name)
	}
	into.inFlight = into.inFlight || lead.Claimed(stored) != nil
	return nil
}

// createBought keeps a purchase that has no lead. Where a cart event was faster it stops
// that cart's lead.
func (s *Server) createBought(ctx context.Context, r *report, created *v1alpha1.CartRecovery, into *stopping) error {
	err := s.Client.Create(ctx, created)
	if err == nil {
		into.recorded = append(into.recorded, created.Name)
		return nil
	}
	if !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("create a lead for a purchase: %w", err)
	}
	var existing v1alpha1.CartRecovery
	if err := s.Live.Get(ctx, client.ObjectKeyFromObject(created), &existing); err != nil {
		return fmt.Errorf("read the lead of a purchase: %w", err)
	}
	return s.stop(ctx, r, stop{&existing, !r.event.Attribute}, into)
}

// reversed writes a refund or chargeback to the leads of the purchase.
func (s *Server) reversed(ctx context.Context, r *report) (outcome, error) {
	leads, err := s.leadsOf(ctx, r)
	if err != nil {
		return outcome{}, err
	}
	write, names := r.planReversal(leads)
	result := resultUnchanged
	for _, each := range write {
		name := each.Name
		stored, changed, err := s.patchLead(ctx, each, s.writeSpec, func(recovery *v1alpha1.CartRecovery) bool {
			if recovery.Spec.Reversal != nil {
				return false
			}
			recovery.Spec.Reversal = r.reversal()
			return true
		})
		if err != nil {
			return outcome{}, fmt.Errorf("write a reversal to a lead: %w", err)
		}
		if changed {
			result = resultReversed
		}
		if stored != nil {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return ignored(ignoredNoLead), nil
	}
	return outcome{Result: result, Leads: names}, nil
}

// leadsOf reads, from the API server and not from the cache, the event's own lead and
// every lead with its customer's phone or e-mail address.
func (s *Server) leadsOf(ctx context.Context, r *report) ([]v1alpha1.CartRecovery, error) {
	var found []v1alpha1.CartRecovery
	seen := map[string]bool{}
	for label, value := range lead.Labels("", r.customer()) {
		if label == v1alpha1.LabelStore {
			continue
		}
		var leads v1alpha1.CartRecoveryList
		if err := s.Live.List(ctx, &leads, client.InNamespace(r.store.Namespace), client.MatchingLabels{label: value}); err != nil {
			return nil, fmt.Errorf("list the leads of a customer: %w", err)
		}
		for i := range leads.Items {
			if name := leads.Items[i].Name; !seen[name] {
				seen[name] = true
				found = append(found, leads.Items[i])
			}
		}
	}
	if seen[r.leadName()] {
		return found, nil
	}
	var own v1alpha1.CartRecovery
	err := s.Live.Get(ctx, types.NamespacedName{Namespace: r.store.Namespace, Name: r.leadName()}, &own)
	switch {
	case apierrors.IsNotFound(err):
		return found, nil
	case err != nil:
		return nil, fmt.Errorf("read the lead of an event: %w", err)
	}
	return append(found, own), nil
}

// scopes resolves the killSwitchScope of every lead of another product that a purchase may
// stop.
func (s *Server) scopes(ctx context.Context, r *report, leads []v1alpha1.CartRecovery) (map[string]v1alpha1.KillSwitchScope, error) {
	scopes := map[string]v1alpha1.KillSwitchScope{}
	for i := range leads {
		each := &leads[i]
		if lead.Finished(each) || r.isSameProduct(each) {
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
