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

// This file has an event reach every lead of its customer, whichever replica made them and
// however far this one's cache is behind. The event is first written to one lead, and that write
// is the fence (see internal/fence): leads that were created before it are found. A lead that is
// created after it is the leader's: whoever sees it in a cache sees what was written before it
// too, and plans with the purchases on the customer's other leads (index.StoppingPurchase).

// Fence tells when the cache has taken in a write; a *fence.Fence is one.
type Fence interface {
	// Await returns nil once the cache knows every lead of the namespace that was written before
	// this version, and fence.ErrNotSeen when that cannot be told.
	Await(ctx context.Context, namespace, resourceVersion string) error
}

// decision says which of a customer's leads an event is written to, those that it is about first.
type decision func(leads []v1alpha1.CartRecovery) ([]note, error)

// byPlan is the decision of a plan that needs nothing else.
func byPlan(plan func([]v1alpha1.CartRecovery) []note) decision {
	return func(leads []v1alpha1.CartRecovery) ([]note, error) { return plan(leads), nil }
}

// spread writes an event to a lead that it is about, its own where there is none, and then to
// every other that is concerned.
func (s *Server) spread(ctx context.Context, r *report, decide decision, facts func() lead.Facts, into *noted) error {
	known, err := index.LeadsOf(ctx, s.Client, r.store.Namespace, r.store.Name, r.customer())
	if err != nil {
		return err
	}
	notes, err := decide(known)
	if err != nil {
		return err
	}
	first, err := s.writeFirst(ctx, r, notes, facts())
	if err != nil {
		return err
	}
	first.record(into)
	all, err := s.allLeads(ctx, r, first)
	if err != nil {
		return err
	}
	if notes, err = decide(all); err != nil {
		return err
	}
	for i := range notes {
		if first.changed && notes[i].lead.Name == first.lead.Name {
			continue
		}
		done, err := s.writeNote(ctx, &notes[i])
		if err != nil {
			return err
		}
		if done.lead != nil {
			into.add(done)
		}
	}
	return nil
}

// writtenLead is what became of a lead that an event was written to.
type writtenLead struct {
	// lead as it is stored; nil when it is gone.
	lead *v1alpha1.CartRecovery
	// changed says that it was written, says that the event told it something new, and wasOpen
	// that it was worked on until then.
	changed, says, wasOpen bool
	created                bool
}

// record records the first write. One that changed nothing is looked at once more, live, with
// the others.
func (w *writtenLead) record(into *noted) {
	switch {
	case w.created:
		into.created = append(into.created, w.lead.Name)
	case w.changed:
		into.add(*w)
	}
}

// writeFirst writes the event to the first lead that it is about and that is still there, and
// creates its own when there is none.
func (s *Server) writeFirst(ctx context.Context, r *report, notes []note, facts lead.Facts) (writtenLead, error) {
	for i := range notes {
		if notes[i].about == nil {
			continue
		}
		if done, err := s.writeNote(ctx, &notes[i]); err != nil || done.lead != nil {
			return done, err
		}
	}
	created := r.leadWith(facts)
	err := s.Client.Create(ctx, created)
	if err == nil {
		return writtenLead{lead: created, changed: true, created: true}, nil
	}
	if !apierrors.IsAlreadyExists(err) {
		return writtenLead{}, fmt.Errorf("create a lead: %w", err)
	}
	existing := &v1alpha1.CartRecovery{}
	err = s.Live.Get(ctx, client.ObjectKeyFromObject(created), existing)
	if apierrors.IsNotFound(err) {
		return writtenLead{}, errGone
	}
	if err != nil {
		return writtenLead{}, fmt.Errorf("read a lead: %w", err)
	}
	done, err := s.writeNote(ctx, &note{lead: existing, facts: facts, about: r})
	if err == nil && done.lead == nil {
		err = errGone
	}
	return done, err
}

// writeNote writes an event to a lead. One that is gone needs nothing.
func (s *Server) writeNote(ctx context.Context, next *note) (writtenLead, error) {
	var done writtenLead
	stored, changed, err := s.patchLead(ctx, next.lead, s.writeSpec,
		func(recovery *v1alpha1.CartRecovery) (changed bool) {
			done.wasOpen = !lead.Over(recovery) && isUnsold(recovery)
			changed, done.says = saying(recovery, next.add)
			return changed
		})
	done.lead, done.changed = stored, changed
	return done, err
}

// allLeads are the leads of the event's customer, none of those missing that were created before
// the event was written: from the cache once it has that write, else from the API server. Where
// nothing was written there is no fence.
func (s *Server) allLeads(ctx context.Context, r *report, first writtenLead) ([]v1alpha1.CartRecovery, error) {
	if first.changed {
		seen, err := s.seen(ctx, first.lead)
		if err != nil {
			return nil, err
		}
		if seen {
			return index.LeadsOf(ctx, s.Client, r.store.Namespace, r.store.Name, r.customer())
		}
	}
	found, err := s.leadsLive(ctx, r.store.Namespace, r.store.Name, r.customer())
	if err != nil {
		return nil, err
	}
	own := func(each v1alpha1.CartRecovery) bool { return each.Name == first.lead.Name }
	if !slices.ContainsFunc(found, own) {
		found = append(found, *first.lead)
	}
	return found, nil
}

// seen says whether the cache knows everything that was written before this version of a lead.
func (s *Server) seen(ctx context.Context, stored *v1alpha1.CartRecovery) (bool, error) {
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
