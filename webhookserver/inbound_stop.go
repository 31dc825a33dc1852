package webhookserver

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/fence"
	"cartrecovery.dev/operator/internal/index"
	"cartrecovery.dev/operator/internal/lead"
)

// Every open lead of a customer who asks not to be written to is stopped before that is acknowledged. The message
// itself fences the lead whose conversation it is in. Its write also shows when the cache knows every other lead that
// was created before (see internal/fence). A lead that is created after the Suppression finds the Suppression, which is
// read before the first message is claimed. A lead that was created between the two is found by a list, once for each
// Suppression.

// stopAll stops every other open lead of these numbers, and stores the Suppressions. It names the
// leads that were written, and says whether a Suppression was.
func (s *Server) stopAll(
	ctx context.Context, instance *v1alpha1.WhatsAppInstance, numbers []string, part storedMessage,
	asked v1alpha1.Stop, keep bool,
) (stopped []string, suppressed bool, err error) {
	if part.changed {
		if stopped, err = s.stopOthers(ctx, instance, numbers, part, asked.Reason); err != nil {
			return nil, false, err
		}
	}
	suppressed, err = s.suppressAll(ctx, instance, numbers, asked, keep)
	if err != nil || part.changed && !suppressed {
		return stopped, suppressed, err
	}
	part.changed = false
	late, err := s.stopOthers(ctx, instance, numbers, part, asked.Reason)
	return append(stopped, late...), suppressed, err
}

// stopOthers writes to every other open lead of these numbers that their customer asked us to
// stop, and names those that were written.
func (s *Server) stopOthers(
	ctx context.Context, instance *v1alpha1.WhatsAppInstance, numbers []string, part storedMessage,
	reason v1alpha1.StopReason,
) ([]string, error) {
	leads, err := s.leadsToStop(ctx, instance, numbers, part)
	if err != nil {
		return nil, err
	}
	stop := v1alpha1.Stop{Reason: reason, At: v1alpha1.NewTimestamp(s.Clock.Now())}
	var stopped []string
	for i := range leads {
		if leads[i].Name == part.Lead || !hasOneOf(&leads[i], numbers) {
			continue
		}
		stored, changed, err := s.patchLead(ctx, &leads[i], s.writeSpec, func(recovery *v1alpha1.CartRecovery) bool {
			return stopLead(recovery, stop)
		})
		if err != nil {
			return nil, fmt.Errorf("stop a lead: %w", err)
		}
		if changed {
			stopped = append(stopped, stored.Name)
		}
	}
	return stopped, nil
}

// leadsToStop finds the leads of these numbers: in the cache, where the message's own write says
// that it is not behind; else at the API server.
func (s *Server) leadsToStop(
	ctx context.Context, instance *v1alpha1.WhatsAppInstance, numbers []string, part storedMessage,
) ([]v1alpha1.CartRecovery, error) {
	store, err := instance.Spec.StoreRef.Name, fence.ErrNotSeen
	if part.changed {
		err = s.Fence.Await(ctx, part.lead.Namespace, part.lead.ResourceVersion)
	}
	customer := &v1alpha1.LeadCustomer{Phone: numbers[0], OtherPhones: numbers[1:]}
	switch {
	case errors.Is(err, fence.ErrNotSeen):
		return s.live.Leads(ctx, instance.Namespace, store, lead.CustomerKeys(customer))
	case err != nil:
		return nil, fmt.Errorf("await a message in the cache: %w", err)
	}
	var found []v1alpha1.CartRecovery
	for _, number := range numbers {
		var leads v1alpha1.CartRecoveryList
		key := index.LeadPhoneKey(store, lead.PhoneHash(number))
		err := s.Client.List(ctx, &leads, client.InNamespace(instance.Namespace),
			client.MatchingFields{index.LeadByAnyPhone: key})
		if err != nil {
			return nil, fmt.Errorf("find the leads of a phone: %w", err)
		}
		found = index.Together(found, leads.Items)
	}
	return found, nil
}

// hasOneOf says whether a lead is of one of these numbers, as far as their keys tell: who asks
// us to stop by a number that two phones share is honoured for both.
func hasOneOf(recovery *v1alpha1.CartRecovery, numbers []string) bool {
	customer := &recovery.Spec.Customer
	for _, number := range numbers {
		if lead.PhoneHash(number) == lead.PhoneHash(customer.Phone) || isOneOf(customer, number) {
			return true
		}
	}
	return false
}

// stopLead writes to a lead that its customer asked not to be written to; false when nothing is going to
// be sent for it, or it says so already.
func stopLead(recovery *v1alpha1.CartRecovery, stop v1alpha1.Stop) bool {
	known := recovery.Spec.Stop
	// Times of completion are whole seconds.
	holds := known != nil && lead.BelongsToCycle(recovery, known.At.Truncate(time.Second))
	if holds || lead.Over(recovery) || recovery.DeletionTimestamp != nil {
		return false
	}
	recovery.Spec.Stop = &stop
	return true
}
