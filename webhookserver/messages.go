package webhookserver

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/webhookserver/dialects"
)

// This file stores what was written in a conversation, by either side.

// takeWritten stores what a customer wrote, or changed of it, in the conversation it
// belongs to, and that the customer asked us to stop.
func (s *Server) takeWritten(ctx context.Context, instance *v1alpha1.WhatsAppInstance, message *dialects.Message) (outcome, error) {
	if message.Kind == dialects.Edited && message.Text == "" && message.Media == "" {
		return ignored(dialects.ReasonEmpty), nil
	}
	leads, err := s.leadsOfMessage(ctx, instance, message, messageID(message))
	if err != nil {
		return outcome{}, err
	}
	if message.Phone == "" && len(leads) == 0 {
		return unmatched(dialects.ReasonNoPhone), nil
	}
	if editsOurs(leads, message) {
		return s.takeOwn(ctx, instance, message)
	}
	part, err := s.storeWritten(ctx, instance, message, leads)
	if err != nil {
		return outcome{}, err
	}
	return s.honour(ctx, instance, message, leads, part)
}

// storeWritten stores what a customer wrote in the one of these leads that it belongs to.
func (s *Server) storeWritten(
	ctx context.Context, instance *v1alpha1.WhatsAppInstance, message *dialects.Message, leads []v1alpha1.CartRecovery,
) (outcome, error) {
	chosen, settled := settle(leads, instance.Name, message)
	if chosen == nil && settled.Reason == ignoredNoConversation {
		// The cache may not know yet what was just sent; an answer to it must not be lost.
		fresh, err := s.readAgain(ctx, leads)
		if err != nil {
			return outcome{}, err
		}
		chosen, settled = settle(fresh, instance.Name, message)
	}
	if chosen == nil {
		return settled, nil
	}
	now := s.Clock.Now()
	stored, changed, err := s.patchLead(ctx, chosen, s.writeStatus, func(recovery *v1alpha1.CartRecovery) bool {
		return take(recovery, message, now)
	})
	switch {
	case err != nil:
		return outcome{}, fmt.Errorf("store a message: %w", err)
	case changed:
		return outcome{Result: resultRecorded, Lead: stored.Name}, nil
	case stored != nil && lead.Find(stored.Status.Conversation, messageID(message)) != nil:
		return outcome{Result: resultUnchanged, Lead: stored.Name}, nil
	}
	return unmatched(ignoredNoOpenLead), nil
}

// takeReaction stores a customer's reaction with the message that it is to. It is never
// answered.
func (s *Server) takeReaction(ctx context.Context, instance *v1alpha1.WhatsAppInstance, message *dialects.Message) (outcome, error) {
	if message.FromMe {
		return ignored(ignoredOwn), nil
	}
	leads, err := s.leadsByMessage(ctx, instance.Namespace, instance.Spec.StoreRef.Name, message.Target)
	if err == nil && len(leads) == 0 && message.Phone != "" {
		// The cache may not know yet what was just sent.
		if leads, err = s.leadsByPhone(ctx, instance.Namespace, instance.Spec.StoreRef.Name, message.Phone); err == nil {
			leads, err = s.readAgain(ctx, leads)
		}
	}
	if err != nil {
		return outcome{}, err
	}
	parts := make([]outcome, 0, len(leads))
	for i := range leads {
		if !isOf(&leads[i], message.Phone) || atGateway(&leads[i], message.Target) == nil {
			continue
		}
		stored, changed, err := s.patchLead(ctx, &leads[i], s.writeStatus, func(recovery *v1alpha1.CartRecovery) bool {
			return react(recovery, message)
		})
		if err != nil {
			return outcome{}, fmt.Errorf("store a reaction: %w", err)
		}
		parts = append(parts, storedAs(stored, changed))
	}
	return together(parts, unmatched(ignoredReaction)), nil
}

// takeOwn gives the conversations with a customer to the person who wrote from the paired
// phone. A message of ours that comes back changes nothing.
func (s *Server) takeOwn(ctx context.Context, instance *v1alpha1.WhatsAppInstance, message *dialects.Message) (outcome, error) {
	leads, err := s.leadsOfMessage(ctx, instance, message, message.ID)
	if err != nil {
		return outcome{}, err
	}
	if message.Phone == "" && len(leads) == 0 {
		return unmatched(dialects.ReasonNoPhone), nil
	}
	taken, settled := planHandOver(leads, message)
	if len(taken) > 0 {
		// The cache may not know yet what we are just sending, on whichever of the leads.
		if leads, err = s.readAgain(ctx, leads); err != nil {
			return outcome{}, err
		}
		taken, settled = planHandOver(leads, message)
	}
	parts, now := make([]outcome, 0, len(taken)), s.Clock.Now()
	for _, each := range taken {
		stored, changed, err := s.patchLead(ctx, each, s.writeStatus, func(recovery *v1alpha1.CartRecovery) bool {
			return handOver(recovery, message, now)
		})
		if err != nil {
			return outcome{}, fmt.Errorf("hand a conversation over: %w", err)
		}
		parts = append(parts, storedAs(stored, changed))
	}
	return together(parts, settled), nil
}

// leadsOfMessage finds the leads that a message may belong to: by the other side's phone
// or, where that is hidden, by the message's id.
func (s *Server) leadsOfMessage(
	ctx context.Context, instance *v1alpha1.WhatsAppInstance, message *dialects.Message, id string,
) ([]v1alpha1.CartRecovery, error) {
	if message.Phone == "" {
		return s.leadsByMessage(ctx, instance.Namespace, instance.Spec.StoreRef.Name, id)
	}
	return s.leadsByPhone(ctx, instance.Namespace, instance.Spec.StoreRef.Name, message.Phone)
}

// storedAs is what became of a write to one lead; nil when it was deleted meanwhile.
func storedAs(stored *v1alpha1.CartRecovery, changed bool) outcome {
	switch {
	case stored == nil:
		return unmatched(ignoredNoOpenLead)
	case changed:
		return outcome{Result: resultRecorded, Lead: stored.Name}
	}
	return outcome{Result: resultUnchanged, Lead: stored.Name}
}

// together makes one outcome of the writes of one message; otherwise is that of none.
func together(parts []outcome, otherwise outcome) outcome {
	if len(parts) == 0 {
		return otherwise
	}
	_, body := combine(parts)
	if several, is := body.(outcomes); is {
		return several.outcome
	}
	return parts[0]
}

// readAgain reads the leads that are worked on from the API server.
func (s *Server) readAgain(ctx context.Context, leads []v1alpha1.CartRecovery) ([]v1alpha1.CartRecovery, error) {
	fresh := make([]v1alpha1.CartRecovery, 0, len(leads))
	for i := range leads {
		if lead.Finished(&leads[i]) {
			continue
		}
		var read v1alpha1.CartRecovery
		err := s.Live.Get(ctx, client.ObjectKeyFromObject(&leads[i]), &read)
		if apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read a lead: %w", err)
		}
		fresh = append(fresh, read)
	}
	return fresh, nil
}
