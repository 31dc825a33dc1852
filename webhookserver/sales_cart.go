package webhookserver

import (
	"context"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/index"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/webhookserver/platforms"
)

// maxOpenLeads is how many open leads a customer has in a Store before a further cart starts none. No customer leaves
// so many checkouts, but somebody who can post for a platform can say so.
const maxOpenLeads = 20

// abandoned starts a lead, or joins what the cart says to the lead that there is.
func (s *Server) abandoned(ctx context.Context, event *salesEvent) (outcome, error) {
	existing := event.matchLead(event.leads)
	switch {
	case existing != nil:
		return s.joinCart(ctx, event, existing)
	case tooManyOpen(event.leads):
		return ignored(ignoredTooManyLeads), nil
	}
	return s.startLead(ctx, event)
}

// refusal is why an abandoned cart starts nothing, whatever leads there are; "" when it may start one.
func (e *salesEvent) refusal() string {
	if e.event.Kind != platforms.Abandoned {
		return ""
	}
	_, hasSequence := e.policy.Steps(e.event.Trigger)
	switch {
	case e.customer.Phone == "":
		return ignoredNoPhone
	case !hasSequence:
		return ignoredNoSequence
	case e.suppressed:
		return ignoredSuppressed
	case e.now.Sub(e.occurred.Time) > e.policy.ExpireAfter:
		return ignoredTooOld
	}
	return ""
}

// tooManyOpen says whether a customer has as many open leads as they may have.
func tooManyOpen(leads []v1alpha1.CartRecovery) bool {
	open := 0
	for i := range leads {
		if isOpen(&leads[i]) && lead.Unsold(&leads[i]) {
			open++
		}
	}
	return open >= maxOpenLeads
}

// startLead creates the lead of a cart. Where the lead exists after all, the cart joins it.
func (s *Server) startLead(ctx context.Context, event *salesEvent) (outcome, error) {
	created := event.startedLead()
	err := s.Client.Create(ctx, created)
	switch {
	case apierrors.IsAlreadyExists(err):
		existing := &v1alpha1.CartRecovery{}
		if err := s.Live.Get(ctx, client.ObjectKeyFromObject(created), existing); err != nil {
			return outcome{}, fmt.Errorf("read the lead of a cart: %w", err)
		}
		return s.joinCart(ctx, event, existing)
	case err != nil:
		return outcome{}, fmt.Errorf("create a lead: %w", err)
	case created.Spec.Purchase != nil:
		return outcome{Result: resultRecorded, Lead: created.Name}, nil
	}
	return outcome{Result: resultCreated, Lead: created.Name}, nil
}

// startedLead is the new lead of a cart, with a purchase that stops it from the beginning.
func (e *salesEvent) startedLead() *v1alpha1.CartRecovery {
	started := e.leadWith(e.started())
	lead.Add(started, lead.Bought(lead.StoppedByAny(started, e.leads, e.policy.KillSwitchScope)))
	e.annotatePlanned(started)
	return started
}

// cartWrite is what a cart writes to a lead that exists.
type cartWrite struct {
	*salesEvent
	// purchase stops the lead; nil when none does.
	purchase *v1alpha1.Purchase
	// lifted is a request to stop that the customer's Suppression no longer stands for; nil when there is none.
	lifted *v1alpha1.Stop
}

// joinCart joins a cart to a lead, or re-opens the lead, and joins a purchase that stops the lead now.
func (s *Server) joinCart(ctx context.Context, event *salesEvent, existing *v1alpha1.CartRecovery) (outcome, error) {
	write := cartWrite{salesEvent: event}
	verdict := event.verdictOn(existing)
	if verdict == verdictReopens && existing.Spec.Stop != nil {
		isStopped, err := s.isStillStopped(ctx, event, existing)
		if err != nil {
			return outcome{}, err
		}
		if isStopped {
			return ignored(ignoredSuppressed), nil
		}
		write.lifted = existing.Spec.Stop.DeepCopy()
	}
	joined := existing.DeepCopy()
	write.applyTo(joined, verdict)
	var err error
	if write.purchase, err = s.stoppingPurchase(ctx, event, joined); err != nil {
		return outcome{}, err
	}
	return s.writeCart(ctx, write, existing)
}

// writeCart writes a cart to its lead.
func (s *Server) writeCart(ctx context.Context, write cartWrite, existing *v1alpha1.CartRecovery) (outcome, error) {
	var verdict verdict
	hasNews := false
	stored, _, err := s.patchLead(ctx, existing, s.writeSpec, func(recovery *v1alpha1.CartRecovery) (changed bool) {
		verdict = write.verdictOn(recovery)
		changed, hasNews = applyChange(recovery, func(recovery *v1alpha1.CartRecovery) bool {
			return write.applyTo(recovery, verdict)
		})
		return changed
	})
	switch {
	case err != nil:
		return outcome{}, fmt.Errorf("write a cart to its lead: %w", err)
	case stored == nil:
		return outcome{}, errGone
	}
	return verdict.answer(stored, hasNews), nil
}

// applyTo joins a cart to a lead, or starts the lead's next cycle, and says whether that changed the lead. A lead that
// is over stays as it is, unless the cart re-opens it, or it was bought or reversed before its cart was known.
func (w cartWrite) applyTo(recovery *v1alpha1.CartRecovery, on verdict) (changed bool) {
	switch on {
	case verdictJoins:
		return w.addTo(recovery, w.started().Join(lead.Bought(w.purchase)))
	case verdictReopens:
		w.reopen(recovery)
		return true
	case verdictCooling, verdictEarlier, verdictClosed:
	}
	return false
}

// stoppingPurchase finds the purchase that stops a cart's lead from the beginning, nil when there is none. joined is
// the lead with what the cart says. Its customer's leads are those of the event where both have the same number and
// address; else they are looked up.
func (s *Server) stoppingPurchase(
	ctx context.Context, event *salesEvent, joined *v1alpha1.CartRecovery,
) (*v1alpha1.Purchase, error) {
	isListed := leadNamed(event.leads, joined.Name) != nil
	if isListed && isKnownBySame(&joined.Spec.Customer, &event.customer) {
		return lead.StoppedByAny(joined, event.leads, event.policy.KillSwitchScope), nil
	}
	return index.StoppingPurchase(ctx, s.Client, joined, event.policy.KillSwitchScope)
}

// isKnownBySame says whether a customer has the number and the address of another, and no further ones.
func isKnownBySame(customer, other *v1alpha1.LeadCustomer) bool {
	return len(customer.OtherPhones)+len(customer.OtherEmails)+len(other.OtherPhones)+len(other.OtherEmails) == 0 &&
		customer.Phone == other.Phone && strings.EqualFold(customer.Email, other.Email)
}
