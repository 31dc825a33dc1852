package webhookserver

import (
	"context"
	"errors"
	"fmt"
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gateway"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/webhookserver/formats"
)

// Some gateways report every message that they have sent for us, also when the call took longer than we waited. Such a
// report confirms a message of which nobody knew whether it went.

const (
	// answerSoon is how long a claimed message is left to whoever makes the call, who has the
	// gateway's answer almost always sooner: what is told in that time waits here, not at the gateway.
	answerSoon = 3 * time.Second
	// answerNever is when nobody waits for the answer any more.
	answerNever = gateway.Timeout + 2*time.Second
	// sentWithin is how long after its claim a message can have been sent. Steps with a fixed text say the same in
	// every cycle: a message of today says nothing about that of last month.
	sentWithin = 15 * time.Minute
)

// errStillCalling has the gateway tell again of a message whose call may still end by itself.
var errStillCalling = errors.New("a message that the gateway tells of is still being sent; it has to tell again")

// takeSent confirms a message of which nobody knows whether it went, by a gateway's report that it has sent it. It
// never begins anything: any other message was sent by somebody else who uses the instance.
func (s *Server) takeSent(
	ctx context.Context, instance *v1alpha1.WhatsAppInstance, message *formats.Message,
) (outcome, error) {
	leads, err := s.cachedLeads(ctx, instance, message)
	if err != nil {
		return outcome{}, err
	}
	now := s.Clock.Now()
	for i := range leads {
		unsettled, settled := sentOf(&leads[i], instance.Name, message, now)
		switch {
		case settled:
			return outcome{Result: resultIgnored, Reason: formats.ReasonSentByAPI, Lead: leads[i].Name}, nil
		case unsettled == nil:
			continue
		case isUnderWay(unsettled, now):
			if now.Sub(unsettled.At.Time) < answerSoon && s.sent.add(later(instance, message, unsettled)) {
				return outcome{Result: resultIgnored, Reason: formats.ReasonSentByAPI, Lead: leads[i].Name}, nil
			}
			return outcome{}, errStillCalling
		}
		stored, changed, err := s.patchLead(ctx, &leads[i], s.writeStatus, func(recovery *v1alpha1.CartRecovery) bool {
			return confirmSent(recovery, instance.Name, message, now)
		})
		if err != nil {
			return outcome{}, fmt.Errorf("confirm a message: %w", err)
		}
		return storedAs(stored, changed), nil
	}
	return ignored(formats.ReasonSentByAPI), nil
}

// later is a delivery about a claimed message, to be looked at when nobody waits for the answer.
func later(instance *v1alpha1.WhatsAppInstance, message *formats.Message, claimed *v1alpha1.Message) waitingSent {
	kept := *message
	kept.Text = gist(message.Text)
	return waitingSent{instance: instance, message: kept, due: claimed.At.Add(answerNever)}
}

// sentOf finds the message of a lead that a gateway tells it has sent: settled says that its id
// is known already; else it is the last that may have gone from this instance then and says the same.
func sentOf(
	recovery *v1alpha1.CartRecovery, instance string, message *formats.Message, now time.Time,
) (unsettled *v1alpha1.Message, settled bool) {
	if known := atGateway(recovery, message.ID); known != nil {
		return nil, true
	}
	text, at := gist(message.Text), message.At
	if at.IsZero() {
		at = now
	}
	for i := len(recovery.Status.Conversation) - 1; i >= 0; i-- {
		ours := &recovery.Status.Conversation[i]
		if text != "" && isUnsettled(ours, instance, at) && gist(ours.Text) == text {
			return ours, false
		}
	}
	return nil, false
}

// isUnsettled says whether nobody knows if a message went, and whether it can have gone from this instance at this
// time.
func isUnsettled(ours *v1alpha1.Message, instance string, at time.Time) bool {
	open := ours.State == v1alpha1.MessageUnknown || ours.State == v1alpha1.MessageClaimed
	open = open && ours.Role == v1alpha1.RoleAssistant && ours.GatewayID == ""
	from, after := ours.Instance == "" || ours.Instance == instance, at.Sub(ours.At.Time)
	return open && from && -clockSkew <= after && after <= sentWithin
}

// isUnderWay says whether the call of a claimed message may still be waited for.
func isUnderWay(message *v1alpha1.Message, now time.Time) bool {
	return message.State == v1alpha1.MessageClaimed && now.Sub(message.At.Time) < answerNever
}

// confirmSent writes that a message went. What became of the lead meanwhile stays as it is.
func confirmSent(recovery *v1alpha1.CartRecovery, instance string, message *formats.Message, now time.Time) bool {
	ours, settled := sentOf(recovery, instance, message, now)
	if settled || ours == nil || isUnderWay(ours, now) {
		return false
	}
	at := v1alpha1.NewTimestamp(now)
	if message.At.After(ours.At.Time) && message.At.Before(now) {
		at = v1alpha1.NewTimestamp(message.At)
	}
	ours.State, ours.SentAt, ours.Error, ours.RetryAt = v1alpha1.MessageSent, &at, "", nil
	ours.GatewayID = message.ID
	if !lead.Finished(recovery) {
		lead.Summarize(recovery, "", now)
	}
	return true
}
