package webhookserver

import (
	"context"
	"fmt"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/phone"
	"cartrecovery.dev/operator/webhookserver/formats"
)

// storedMessage is the outcome of a customer's message, and the lead that has it; nil when no lead does.
type storedMessage struct {
	outcome
	lead *v1alpha1.CartRecovery
	// changed says that the message was written just now.
	changed bool
}

// takeWritten stores what a customer wrote, or changed of it, in the conversation it
// belongs to, and that the customer asked not to be written to.
func (s *Server) takeWritten(
	ctx context.Context, instance *v1alpha1.WhatsAppInstance, message *formats.Message,
) (outcome, error) {
	if message.Kind == formats.Edited && message.Text == "" && message.Media == "" {
		return ignored(formats.ReasonEmpty), nil
	}
	leads, err := s.cachedLeads(ctx, instance, message)
	if err != nil {
		return outcome{}, err
	}
	if editsOurs(leads, message) {
		return s.takeOwn(ctx, instance, message)
	}
	part, leads, err := s.storeWritten(ctx, instance, message, leads)
	if err != nil {
		return outcome{}, err
	}
	return s.honour(ctx, instance, message, leads, part)
}

// storeWritten stores what a customer wrote in the one of these leads that it belongs to, and
// returns the leads that were looked at. Nothing is ignored on the word of the cache, which may
// be behind, and what it chose is looked at again once it is not.
func (s *Server) storeWritten(
	ctx context.Context, instance *v1alpha1.WhatsAppInstance, message *formats.Message, leads []v1alpha1.CartRecovery,
) (storedMessage, []v1alpha1.CartRecovery, error) {
	chosen, settled := matchLead(leads, instance.Name, message)
	fromCache := chosen != nil
	if chosen == nil && settled.Result == resultIgnored && settled.Reason != ignoredOwn {
		err := s.strangersTurn(ctx, instance, leads)
		if err != nil {
			return storedMessage{}, nil, err
		}
		if leads, err = s.liveLeads(ctx, instance, message, leads); err != nil {
			return storedMessage{}, nil, err
		}
		chosen, settled = matchLead(leads, instance.Name, message)
	}
	if chosen == nil {
		return storedMessage{outcome: settled, lead: leadNamed(leads, settled.Lead)}, leads, nil
	}
	part, err := s.storeIn(ctx, instance, message, chosen)
	if err != nil {
		return storedMessage{}, nil, err
	}
	if part.changed && fromCache && message.Kind != formats.Edited {
		if part, leads, err = s.placeAgain(ctx, instance, message, chosen, part); err != nil {
			return storedMessage{}, nil, err
		}
	}
	return part, leads, s.addNumber(ctx, part.lead, message)
}

// storeIn stores a customer's message in a lead.
func (s *Server) storeIn(
	ctx context.Context, instance *v1alpha1.WhatsAppInstance, message *formats.Message, chosen *v1alpha1.CartRecovery,
) (storedMessage, error) {
	now := s.Clock.Now()
	if message.Kind != formats.Edited && lead.Find(chosen.Status.Conversation, messageID(message)) != nil {
		// It is delivered again, maybe because others of its delivery could not be stored in time.
		return storedMessage{outcome: outcome{Result: resultUnchanged, Lead: chosen.Name}, lead: chosen}, nil
	}
	stored, changed, err := s.patchTogether(ctx, chosen, joining{
		text: message.Text,
		urgent: func(before []string) bool {
			return s.mayAskToStop(ctx, instance, chosen, before, message)
		},
		change: func(recovery *v1alpha1.CartRecovery) bool { return take(recovery, message, instance.Name, now) },
	})
	switch {
	case err != nil:
		return storedMessage{}, fmt.Errorf("store a message: %w", err)
	case changed:
		return storedMessage{outcome: outcome{Result: resultRecorded, Lead: stored.Name}, lead: stored,
			changed: true}, nil
	case stored != nil && lead.Find(stored.Status.Conversation, messageID(message)) != nil:
		return storedMessage{outcome: outcome{Result: resultUnchanged, Lead: stored.Name}, lead: stored}, nil
	}
	return storedMessage{outcome: unmatched(ignoredNoOpenLead)}, nil
}

// placeAgain looks, with all that was written before the message, at which lead it belongs to,
// and moves it where the cache did not know of a better one. chosen is the lead that it is in, as it
// was before.
func (s *Server) placeAgain(
	ctx context.Context, instance *v1alpha1.WhatsAppInstance, message *formats.Message,
	chosen *v1alpha1.CartRecovery, part storedMessage,
) (storedMessage, []v1alpha1.CartRecovery, error) {
	leads, err := s.fencedLeads(ctx, instance, message, part.lead)
	if err != nil {
		return storedMessage{}, nil, err
	}
	better, _ := chooseLead(withoutLearned(leads, chosen, message), instance.Name, message)
	if better == nil || better.Name == part.lead.Name {
		return part, leads, nil
	}
	// It is never in both, which would each answer it. Where it goes from is not acknowledged before
	// it is where it goes to.
	stored, unheard, err := s.patchLead(ctx, part.lead, s.writeStatus, func(recovery *v1alpha1.CartRecovery) bool {
		return unhear(recovery, chosen, message)
	})
	if err != nil {
		return storedMessage{}, nil, fmt.Errorf("move a message: %w", err)
	}
	if !unheard && stored != nil {
		return part, leads, nil
	}
	moved, err := s.storeIn(ctx, instance, message, better)
	if err == nil && moved.lead == nil {
		err = errGone
	}
	return moved, leads, err
}

// addNumber adds the number that a message came from to the customer whose conversation it
// belongs to, where they are not known by it.
func (s *Server) addNumber(ctx context.Context, recovery *v1alpha1.CartRecovery, message *formats.Message) error {
	number := lead.FullNumber(message.Phone)
	switch {
	case recovery == nil, message.Phone == "", !lead.IsPhone(number):
		return nil
	case isOneOf(&recovery.Spec.Customer, message.Phone):
		return nil
	}
	_, _, err := s.patchLead(ctx, recovery, s.writeSpec, func(recovery *v1alpha1.CartRecovery) bool {
		return !isOneOf(&recovery.Spec.Customer, number) && lead.Add(recovery, lead.Facts{Phones: number})
	})
	if err != nil {
		return fmt.Errorf("add a number to a customer: %w", err)
	}
	return nil
}

// takeReaction stores a customer's reaction with the message that it is to. It is never
// answered.
func (s *Server) takeReaction(
	ctx context.Context, instance *v1alpha1.WhatsAppInstance, message *formats.Message,
) (outcome, error) {
	if message.FromMe {
		return ignored(ignoredOwn), nil
	}
	leads, err := s.leadsByMessage(ctx, instance.Namespace, instance.Spec.StoreRef.Name, message.Target)
	if err == nil && len(leads) == 0 && message.Phone != "" {
		// The cache may not know yet what was just sent.
		if err = s.strangersTurn(ctx, instance, nil); err == nil {
			leads, err = s.liveLeads(ctx, instance, message, nil)
		}
	}
	if err != nil {
		return outcome{}, err
	}
	parts := make([]outcome, 0, len(leads))
	for i := range leads {
		if atGateway(&leads[i], message.Target) == nil || message.Phone != "" &&
			bondOf(&leads[i], message) == bondNone {
			continue
		}
		stored, changed, err := s.patchTogether(ctx, &leads[i], joining{
			urgent: never, change: func(recovery *v1alpha1.CartRecovery) bool { return react(recovery, message) },
		})
		if err != nil {
			return outcome{}, fmt.Errorf("store a reaction: %w", err)
		}
		parts = append(parts, storedAs(stored, changed))
	}
	return together(parts, unmatched(ignoredReaction)), nil
}

// takeOwn gives the conversations with a customer to the person who wrote from the paired phone. An echo of one of our
// messages changes nothing, and a message of a machine hands nothing over. The cache may not know yet what is being
// sent, nor that there is a lead, so it decides one thing only: that a message is an echo.
func (s *Server) takeOwn(
	ctx context.Context, instance *v1alpha1.WhatsAppInstance, message *formats.Message,
) (outcome, error) {
	now := s.Clock.Now()
	repeated := s.ownTexts.repeated(instance.Namespace+"/"+instance.Name, chatOf(message), message.Text, now)
	leads, err := s.cachedLeads(ctx, instance, message)
	if err != nil {
		return outcome{}, err
	}
	taken, settled := planHandOver(leads, message, now)
	if len(taken) > 0 || settled.Reason != formats.ReasonSentByAPI {
		if err := s.strangersTurn(ctx, instance, leads); err != nil {
			return outcome{}, err
		}
		if leads, err = s.liveLeads(ctx, instance, message, leads); err != nil {
			return outcome{}, err
		}
		taken, settled = planHandOver(leads, message, now)
	}
	self := isPairedPhone(instance, message)
	parts := make([]outcome, 0, len(taken))
	for _, each := range taken {
		stored, changed, err := s.patchTogether(ctx, each, joining{
			// While a person has the conversation the AI sends nothing that would have to be stopped.
			urgent: func([]string) bool { return !lead.HandedOff(each) },
			change: func(recovery *v1alpha1.CartRecovery) bool {
				if self {
					return noteSelf(recovery, message, now)
				}
				return handOver(recovery, message, isAutomaticOwn(recovery, message, repeated, now), now)
			},
		})
		if err != nil {
			return outcome{}, fmt.Errorf("hand a conversation over: %w", err)
		}
		parts = append(parts, ownStoredAs(stored, changed, message, self))
	}
	return together(parts, settled), nil
}

// chatOf identifies the chat of a message.
func chatOf(message *formats.Message) string {
	if message.Phone == "" && len(message.ChatIDs) > 0 {
		return message.ChatIDs[0]
	}
	return phone.Key(message.Phone)
}

// ownStoredAs is storedAs of a message of the paired number, which says why it handed nothing
// over.
func ownStoredAs(stored *v1alpha1.CartRecovery, changed bool, message *formats.Message, self bool) outcome {
	part := storedAs(stored, changed)
	if stored == nil {
		return part
	}
	known := lead.Find(stored.Status.Conversation, messageID(message))
	switch {
	case self:
		part.Reason = recordedPairedPhone
	case known != nil && known.Automatic:
		part.Reason = recordedAutomatic
	}
	return part
}

// storedAs is the outcome of a write to one lead, which is nil when it was deleted meanwhile.
func storedAs(stored *v1alpha1.CartRecovery, changed bool) outcome {
	switch {
	case stored == nil:
		return unmatched(ignoredNoOpenLead)
	case changed:
		return outcome{Result: resultRecorded, Lead: stored.Name}
	}
	return outcome{Result: resultUnchanged, Lead: stored.Name}
}

// together makes one outcome of the writes of one message; otherwise is the outcome when there was no write.
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
