package webhookserver

import (
	"context"
	"errors"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/fence"
	"cartrecovery.dev/operator/internal/index"
	"cartrecovery.dev/operator/internal/lead"
)

// An event reaches every lead of its customer, whichever replica made them and however far this replica's cache is
// behind. It is first written to one lead, and that write is the fence (see internal/fence): leads that were created
// before it are found. A lead that is created after it is left to the leader: a cache that has the lead has what was
// written before it too, and the leader plans with the purchases on the customer's other leads
// (index.StoppingPurchase).

// Fence tells when the cache has taken in a write; a *fence.Fence is one.
type Fence interface {
	// Await returns nil once the cache knows every lead of the namespace that was written before
	// this version, and fence.ErrNotSeen when that cannot be told.
	Await(ctx context.Context, namespace, resourceVersion string) error
}

// planner plans which of a customer's leads an event is written to.
type planner func(leads []v1alpha1.CartRecovery) (salesPlan, error)

// alwaysPlanned is a planner that needs no look-up.
func alwaysPlanned(plan func([]v1alpha1.CartRecovery) salesPlan) planner {
	return func(leads []v1alpha1.CartRecovery) (salesPlan, error) { return plan(leads), nil }
}

// spread writes an event to one lead that it is about, or creates its own, and then to every other lead that it
// concerns.
func (s *Server) spread(ctx context.Context, event *salesEvent, plan planner) (writeResults, error) {
	var results writeResults
	planned, err := plan(event.leads)
	if err != nil {
		return results, err
	}
	first, err := s.writeFirst(ctx, event, planned)
	if err != nil {
		return results, err
	}
	// A first write that changed nothing is repeated with the others, on the lead as it is now.
	if first.changed {
		results.add(first)
	}
	all, err := s.allLeads(ctx, event, first)
	if err != nil {
		return results, err
	}
	if planned, err = plan(all); err != nil {
		return results, err
	}
	err = s.writeOthers(ctx, planned, first, &results)
	return results, err
}

// writeFirst writes the event to the first of its leads that still exists. If all are gone it creates the event's own
// lead.
func (s *Server) writeFirst(ctx context.Context, event *salesEvent, planned salesPlan) (writeResult, error) {
	for i := range planned.writes {
		if planned.writes[i].about == nil {
			continue
		}
		if done, err := s.writeTo(ctx, &planned.writes[i]); err != nil || done.lead != nil {
			return done, err
		}
	}
	created := event.leadWith(planned.own)
	err := s.Client.Create(ctx, created)
	switch {
	case err == nil:
		return writeResult{lead: created, changed: true, created: true}, nil
	case !apierrors.IsAlreadyExists(err):
		return writeResult{}, fmt.Errorf("create a lead: %w", err)
	}
	return s.writeToExisting(ctx, event, client.ObjectKeyFromObject(created), planned.own)
}

// writeToExisting writes the event to its own lead, which the cache does not know yet.
func (s *Server) writeToExisting(
	ctx context.Context, event *salesEvent, name client.ObjectKey, facts lead.Facts,
) (writeResult, error) {
	existing := &v1alpha1.CartRecovery{}
	err := s.Live.Get(ctx, name, existing)
	switch {
	case apierrors.IsNotFound(err):
		return writeResult{}, errGone
	case err != nil:
		return writeResult{}, fmt.Errorf("read a lead: %w", err)
	}
	done, err := s.writeTo(ctx, &leadWrite{lead: existing, facts: facts, about: event})
	if err == nil && done.lead == nil {
		err = errGone
	}
	return done, err
}

// writeOthers writes what is planned, but for the first lead where that is written.
func (s *Server) writeOthers(
	ctx context.Context, planned salesPlan, first writeResult, results *writeResults,
) error {
	for i := range planned.writes {
		if first.changed && planned.writes[i].lead.Name == first.lead.Name {
			continue
		}
		done, err := s.writeTo(ctx, &planned.writes[i])
		if err != nil {
			return err
		}
		if done.lead != nil {
			results.add(done)
		}
	}
	return nil
}

// writeTo writes an event to a lead. A lead that is gone needs nothing.
func (s *Server) writeTo(ctx context.Context, write *leadWrite) (writeResult, error) {
	var done writeResult
	stored, changed, err := s.patchLead(ctx, write.lead, s.writeSpec,
		func(recovery *v1alpha1.CartRecovery) (changed bool) {
			done.wasOpen = isWorkedOn(recovery)
			changed, done.hasNews = applyChange(recovery, write.applyTo)
			return changed
		})
	done.lead, done.changed = stored, changed
	return done, err
}

// allLeads are the leads of the event's customer, with every lead that was created before the event was written. They
// come from the cache once it has that write, else from the API server. Where nothing was written there is no fence.
func (s *Server) allLeads(ctx context.Context, event *salesEvent, first writeResult) ([]v1alpha1.CartRecovery, error) {
	if first.changed {
		isSeen, err := s.isSeen(ctx, first.lead)
		if err != nil {
			return nil, err
		}
		if isSeen {
			return index.LeadsOf(ctx, s.Client, event.store.Namespace, event.store.Name, event.customer)
		}
	}
	found, err := s.leadsLive(ctx, event.store.Namespace, event.store.Name, event.customer)
	if err != nil {
		return nil, err
	}
	if leadNamed(found, first.lead.Name) == nil {
		found = append(found, *first.lead)
	}
	return found, nil
}

// isSeen says whether the cache knows everything that was written before this version of a lead.
func (s *Server) isSeen(ctx context.Context, stored *v1alpha1.CartRecovery) (bool, error) {
	err := s.Fence.Await(ctx, stored.Namespace, stored.ResourceVersion)
	if errors.Is(err, fence.ErrNotSeen) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("wait for the cache: %w", err)
	}
	return true, nil
}

// leadsLive reads a customer's leads from the API server. Only where what is found names others
// of the customer (see lead.Linked) is it asked for those too.
func (s *Server) leadsLive(ctx context.Context, namespace, store string,
	customer v1alpha1.LeadCustomer) ([]v1alpha1.CartRecovery, error) {
	var found []v1alpha1.CartRecovery
	asked := map[string]bool{}
	for wanted, hop := customer, 0; hop < 2; hop++ {
		keys := slices.DeleteFunc(lead.CustomerKeys(&wanted), func(key string) bool { return asked[key] })
		for _, key := range keys {
			asked[key] = true
		}
		leads, err := s.live.Leads(ctx, namespace, store, keys)
		if err != nil {
			return nil, err
		}
		found = index.Together(found, leads)
		wanted = lead.Linked(&customer, store, found)
	}
	return found, nil
}
