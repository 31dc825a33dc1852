package webhookserver

import (
	"context"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/index"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/policy"
)

// purchased is the kill switch: when it returns without an error the purchase is stored in
// every lead that it stops, and in one of its own product at least, so that a late cart
// event starts nothing.
func (s *Server) purchased(ctx context.Context, r *report) (outcome, error) {
	leads, err := s.leadsOf(ctx, r)
	if err != nil {
		return outcome{}, err
	}
	r.recognise(leads)
	scopes, err := s.scopes(ctx, r, leads)
	if err != nil {
		return outcome{}, err
	}
	notes := r.planPurchase(leads, func(each *v1alpha1.CartRecovery) v1alpha1.KillSwitchScope { return scopes[each.Name] })
	var done noted
	if err := s.note(ctx, r, notes, r.purchased(), &done); err != nil {
		return outcome{}, fmt.Errorf("store a purchase: %w", err)
	}
	return done.purchase(), nil
}

// reversed writes a refund or chargeback to the leads of the purchase, and keeps one that
// comes before its purchase.
func (s *Server) reversed(ctx context.Context, r *report) (outcome, error) {
	leads, err := s.leadsOf(ctx, r)
	if err != nil {
		return outcome{}, err
	}
	var done noted
	if err := s.note(ctx, r, r.planReversal(leads), r.reversed(), &done); err != nil {
		return outcome{}, fmt.Errorf("store a reversal: %w", err)
	}
	return done.reversal(), nil
}

// noted collects what became of the leads that an event was written to.
type noted struct {
	// stopped are leads that were worked on, recorded are others that changed, created are
	// new ones, known are those that the event says nothing new of.
	stopped, recorded, created, known []string
	inFlight                          bool
	// kept says that a lead of the event's product has what it says.
	kept bool
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

func (n *noted) outcome() outcome {
	return outcome{Result: resultUnchanged, Leads: slices.Concat(n.stopped, n.recorded, n.created, n.known)}
}

// note writes an event to leads, and creates the event's own when none of its product has
// what it says: there was none, or it was deleted meanwhile.
func (s *Server) note(ctx context.Context, r *report, notes []note, facts lead.Facts, into *noted) error {
	for i := range notes {
		if err := s.noteOn(ctx, &notes[i], into); err != nil {
			return err
		}
	}
	if into.kept {
		return nil
	}
	created := r.leadWith(facts)
	err := s.Client.Create(ctx, created)
	if err == nil {
		into.created = append(into.created, created.Name)
		return nil
	}
	if !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("create a lead: %w", err)
	}
	var existing v1alpha1.CartRecovery
	err = s.Live.Get(ctx, client.ObjectKeyFromObject(created), &existing)
	if apierrors.IsNotFound(err) {
		return errGone
	}
	if err != nil {
		return fmt.Errorf("read a lead: %w", err)
	}
	if err := s.noteOn(ctx, &note{lead: &existing, facts: facts, about: r}, into); err != nil {
		return err
	}
	if !into.kept {
		return errGone
	}
	return nil
}

// noteOn writes an event to a lead. A lead that is gone needs nothing.
func (s *Server) noteOn(ctx context.Context, next *note, into *noted) error {
	name, wasOpen, says := next.lead.Name, false, false
	stored, _, err := s.patchLead(ctx, next.lead, s.writeSpec, func(recovery *v1alpha1.CartRecovery) (changed bool) {
		wasOpen = !lead.Over(recovery) && isUnsold(recovery)
		changed, says = saying(recovery, next.add)
		return changed
	})
	if err != nil || stored == nil {
		return err
	}
	into.kept = into.kept || next.about != nil
	switch {
	case !says:
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

// leadsOf reads, from the API server and not from the cache, the event's own lead and every
// lead of its customer in the Store, by phone and by e-mail address. Only where what is found
// names others of the customer (see lead.Linked) is it asked for those too.
func (s *Server) leadsOf(ctx context.Context, r *report) ([]v1alpha1.CartRecovery, error) {
	var found []v1alpha1.CartRecovery
	seen, asked := map[string]bool{}, map[string]bool{}
	customer := r.customer()
	for wanted, hop := customer, 0; hop < 2; hop++ {
		for _, key := range lead.CustomerKeys(&wanted) {
			if asked[key] {
				continue
			}
			asked[key] = true
			var leads v1alpha1.CartRecoveryList
			if err := s.Live.List(ctx, &leads, client.InNamespace(r.store.Namespace), client.HasLabels{key}); err != nil {
				return nil, fmt.Errorf("list the leads of a customer: %w", err)
			}
			for i := range leads.Items {
				if each := &leads.Items[i]; each.Spec.StoreRef.Name == r.store.Name && !seen[each.Name] {
					seen[each.Name] = true
					found = append(found, *each)
				}
			}
		}
		wanted = lead.Linked(&customer, r.store.Name, found)
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
