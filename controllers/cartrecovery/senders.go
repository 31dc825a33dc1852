package cartrecovery

import (
	"cmp"
	"slices"
	"time"

	apimeta "k8s.io/apimachinery/pkg/api/meta"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/connection"
)

// This file decides which number a message leaves from. Pure functions.

// senderFor is the number to send from now, or what to do without one. A conversation that
// has begun never leaves its number unasked; a new one begins on the number the customer
// knows, where there is one, else on the one with the most head-room.
func senderFor(s *situation) (*v1alpha1.WhatsAppInstance, action) {
	current := s.knownNumber()
	if hasBegun(s.lead) && s.lead.Status.InstanceRef != nil {
		if current != nil && connection.CanSend(current, false, s.now) {
			return current, action{}
		}
		if s.policy.NumberLost != v1alpha1.NumberLostMove || !isLost(current, s.now) {
			return nil, withoutNumber(s, current)
		}
	} else if current != nil && !isLost(current, s.now) {
		if connection.CanSend(current, true, s.now) {
			return current, action{}
		}
		return nil, withoutSender(s, []*v1alpha1.WhatsAppInstance{current})
	}
	if free := s.mostFree(); free != nil {
		return free, action{}
	}
	return nil, withoutSender(s, s.all())
}

// hasBegun says whether the customer and we have talked in this cycle: something of ours
// went or may have gone, or somebody else wrote.
func hasBegun(recovery *v1alpha1.CartRecovery) bool {
	return slices.ContainsFunc(recovery.Status.Conversation, func(m v1alpha1.Message) bool {
		return m.Cycle == recovery.Status.Cycle && counts(&m)
	})
}

// counts says whether a message is part of what was said.
func counts(m *v1alpha1.Message) bool {
	if m.Role != v1alpha1.RoleAssistant {
		return true
	}
	return m.State == v1alpha1.MessageSent || m.State == v1alpha1.MessageUnknown || m.State == v1alpha1.MessageClaimed
}

// movesTo says whether a conversation that has begun would go on from another number.
func movesTo(s *situation, sender *v1alpha1.WhatsAppInstance) bool {
	return hasBegun(s.lead) && s.lead.Status.InstanceRef != nil && s.lead.Status.InstanceRef.Name != sender.Name
}

// knownNumber is the number that the customer was written to from before, in this lead or,
// if it has none, another; nil when there is none (any more).
func (s *situation) knownNumber() *v1alpha1.WhatsAppInstance {
	talked := slices.ContainsFunc(s.lead.Status.Conversation, func(m v1alpha1.Message) bool { return counts(&m) })
	if talked && s.lead.Status.InstanceRef != nil {
		return instanceOf(s)
	}
	return s.named(s.other.instance)
}

// instanceOf is the instance that the lead was last written to from, nil when there is
// none (any more).
func instanceOf(s *situation) *v1alpha1.WhatsAppInstance {
	if s.lead.Status.InstanceRef == nil {
		return nil
	}
	return s.named(s.lead.Status.InstanceRef.Name)
}

func (s *situation) named(name string) *v1alpha1.WhatsAppInstance {
	for i := range s.instances {
		if s.instances[i].Name == name {
			return &s.instances[i]
		}
	}
	return nil
}

func (s *situation) all() []*v1alpha1.WhatsAppInstance {
	all := make([]*v1alpha1.WhatsAppInstance, 0, len(s.instances))
	for i := range s.instances {
		all = append(all, &s.instances[i])
	}
	return all
}

// isLost says whether a number is gone, or has been logged out for long enough that its
// conversations may move. One that is only away, restricted or suspended is not.
func isLost(instance *v1alpha1.WhatsAppInstance, now time.Time) bool {
	if instance == nil || instance.DeletionTimestamp != nil {
		return true
	}
	ready := apimeta.FindStatusCondition(instance.Status.Conditions, v1alpha1.ConditionReady)
	if ready == nil || now.Sub(ready.LastTransitionTime.Time) < lostAfter {
		return false
	}
	switch ready.Reason {
	case v1alpha1.ReasonLoggedOut, v1alpha1.ReasonPairingTimedOut, v1alpha1.ReasonGatewayUnauthorized:
		return true
	}
	return false
}

// mostFree is the number that may start a conversation first and, of several, the one that
// may start most today; nil when none may.
func (s *situation) mostFree() *v1alpha1.WhatsAppInstance {
	var able []*v1alpha1.WhatsAppInstance
	for _, each := range s.all() {
		if connection.CanSend(each, true, s.now) {
			able = append(able, each)
		}
	}
	if len(able) < 2 {
		return slices.Concat(able, []*v1alpha1.WhatsAppInstance{nil})[0]
	}
	return slices.MinFunc(able, func(a, b *v1alpha1.WhatsAppInstance) int {
		first, second := s.headroom(a), s.headroom(b)
		return cmp.Or(latest(first.free, s.now).Compare(latest(second.free, s.now)), cmp.Compare(second.left, first.left), cmp.Compare(a.Name, b.Name))
	})
}

// withoutNumber is what a conversation waits for whose number cannot send.
func withoutNumber(s *situation, current *v1alpha1.WhatsAppInstance) action {
	name := ""
	if s.lead.Status.InstanceRef != nil {
		name = s.lead.Status.InstanceRef.Name
	}
	if isLost(current, s.now) {
		return blocked(s, v1alpha1.ReasonNumberLost, "WhatsAppInstance "+name+", which the conversation is on, is logged out or gone; pair it again, or set recovery.numberLost: Move")
	}
	if s.policy.NumberLost == v1alpha1.NumberLostMove {
		ready := apimeta.FindStatusCondition(current.Status.Conditions, v1alpha1.ConditionReady)
		if ready != nil && ready.LastTransitionTime.Add(lostAfter).After(s.now) {
			planned := withoutSender(s, []*v1alpha1.WhatsAppInstance{current})
			planned.until = earliest(planned.until, ready.LastTransitionTime.Add(lostAfter))
			return planned
		}
	}
	return withoutSender(s, []*v1alpha1.WhatsAppInstance{current})
}

// withoutSender is what a message waits for that none of these numbers can send.
func withoutSender(s *situation, numbers []*v1alpha1.WhatsAppInstance) action {
	if len(numbers) == 0 {
		return blocked(s, v1alpha1.ReasonNoConnectedInstance, "the Store has no WhatsAppInstance; create one and pair it")
	}
	reason, why, until := v1alpha1.ReasonNoConnectedInstance, "no WhatsAppInstance of the Store can send; see their condition Ready", expiry(s)
	if len(numbers) == 1 {
		why = "WhatsAppInstance " + numbers[0].Name + " cannot send; see its condition Ready"
	}
	for _, each := range numbers {
		paused := each.Status.NewConversationsPausedUntil
		switch {
		case connection.CanSend(each, false, s.now) && paused != nil:
			reason, until = v1alpha1.ReasonRestricted, earliest(until, paused.Time)
			why = "WhatsApp lets WhatsAppInstance " + each.Name + " start no new conversations for now"
		case reason == v1alpha1.ReasonNoConnectedInstance && apimeta.IsStatusConditionFalse(each.Status.Conditions, v1alpha1.ConditionGatewayReachable):
			reason, why = v1alpha1.ReasonGatewayUnreachable, "the gateway of WhatsAppInstance "+each.Name+" does not answer; see its condition GatewayReachable"
		}
	}
	return blockedUntil(until, reason, why)
}
