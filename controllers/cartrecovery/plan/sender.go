package plan

import (
	"cmp"
	"slices"
	"time"

	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/connection"
	"cartrecovery.dev/operator/internal/instant"
	"cartrecovery.dev/operator/internal/lead"
)

// This file decides which number a message leaves from.

// senderFor is the number that sends a message that is due at a time, or the action when there is none. A
// conversation that has begun never leaves its number by itself. A new one begins on the number the customer
// knows, if that can send or was lost only a moment ago, and else on the one with the most capacity.
func senderFor(s *Snapshot, due time.Time) (*v1alpha1.WhatsAppInstance, Action) {
	current := s.knownNumber()
	begun := HasBegun(s.Lead) && lead.NumberOf(s.Lead) != ""
	// Who wrote to us is answered, also from a number that may start no conversation.
	starts := !begun && lead.LastInbound(s.Lead) == nil
	switch {
	case current != nil && connection.CanSend(current, starts, s.Now):
		return current, Action{}
	case begun && (s.Policy.NumberLost != v1alpha1.NumberLostMove || !isLost(current, s.Now)):
		return nil, withoutNumber(s, current)
	case current != nil && s.Now.Before(awayUntil(current)):
		return nil, withoutNumber(s, current)
	}
	if free := s.mostFree(due, starts); free != nil {
		return free, Action{}
	}
	return nil, withoutSender(s, s.all())
}

// awayUntil is until when a number that cannot send counts as away for a moment; zero for one that is suspended or
// deleted.
func awayUntil(instance *v1alpha1.WhatsAppInstance) time.Time {
	if instance.Spec.Suspend || instance.DeletionTimestamp != nil {
		return time.Time{}
	}
	for _, kind := range []string{v1alpha1.ConditionReady, v1alpha1.ConditionGatewayReachable} {
		if condition := apimeta.FindStatusCondition(instance.Status.Conditions, kind); condition != nil &&
			condition.Status == metav1.ConditionFalse {
			return condition.LastTransitionTime.Add(LostAfter)
		}
	}
	return time.Time{}
}

// HasBegun says whether there is a conversation in this cycle: a message of the store went or may have gone, or
// somebody else wrote.
func HasBegun(recovery *v1alpha1.CartRecovery) bool {
	return slices.ContainsFunc(recovery.Status.Conversation, func(m v1alpha1.Message) bool {
		return m.Cycle == recovery.Status.Cycle && WasSaid(&m)
	})
}

// WasSaid says whether a message is part of the conversation as both sides know it.
func WasSaid(m *v1alpha1.Message) bool {
	return m.Role == v1alpha1.RoleCustomer || lead.ByPerson(m) || lead.MayHaveGone(m)
}

// MovesTo says whether a conversation that has begun would go on from another number.
func MovesTo(s *Snapshot, sender *v1alpha1.WhatsAppInstance) bool {
	from := lead.NumberOf(s.Lead)
	return HasBegun(s.Lead) && from != "" && from != sender.Name
}

// knownNumber is the number that this lead's customer was last written to from; else the one that they wrote to,
// or that another lead of theirs was written to from; nil when there is none any more.
func (s *Snapshot) knownNumber() *v1alpha1.WhatsAppInstance {
	if from := lead.NumberOf(s.Lead); from != "" {
		return s.named(from)
	}
	if heard := s.named(lead.HeardOn(s.Lead)); heard != nil {
		return heard
	}
	return s.named(s.Others.instance)
}

// isLost says whether a number is gone, or was logged out or refused by its gateway for so long that its
// conversations may move. A number that is only away, restricted or suspended is not lost.
func isLost(instance *v1alpha1.WhatsAppInstance, now time.Time) bool {
	if instance == nil || instance.DeletionTimestamp != nil {
		return true
	}
	ready := apimeta.FindStatusCondition(instance.Status.Conditions, v1alpha1.ConditionReady)
	if ready == nil || now.Sub(ready.LastTransitionTime.Time) < LostAfter {
		return false
	}
	switch ready.Reason {
	case v1alpha1.ReasonLoggedOut, v1alpha1.ReasonPairingTimedOut, v1alpha1.ReasonGatewayUnauthorized,
		v1alpha1.ReasonNotSending:
		return true
	}
	return false
}

// clearlyEarlier is how much earlier another number must be free for a lead to change queues, so that it does not
// run back and forth.
const clearlyEarlier = 2 * time.Minute

// mostFree is the number that may start a conversation first and, of several, the one that may start most today;
// nil when none may. starts is false for a conversation that the customer began. A lead stays in the queue it
// waits in unless another number is clearly earlier.
func (s *Snapshot) mostFree(due time.Time, starts bool) *v1alpha1.WhatsAppInstance {
	var best, stays *v1alpha1.WhatsAppInstance
	var room, stayRoom Capacity
	for _, each := range s.all() {
		if !connection.CanSend(each, starts, s.Now) {
			continue
		}
		has := s.Capacity(each, due)
		has.Free = instant.Later(has.Free, s.Now)
		if each.UID == s.WaitsAt {
			stays, stayRoom = each, has
		}
		if best == nil || cmp.Or(has.Free.Compare(room.Free), cmp.Compare(room.Left, has.Left),
			cmp.Compare(each.Name, best.Name)) < 0 {
			best, room = each, has
		}
	}
	if stays != nil && stayRoom.Free.Before(room.Free.Add(clearlyEarlier)) {
		return stays
	}
	return best
}

// withoutNumber waits for the number of a conversation that cannot send: until it comes back or, after ten
// minutes, counts as lost.
func withoutNumber(s *Snapshot, current *v1alpha1.WhatsAppInstance) Action {
	if isLost(current, s.Now) {
		return blocked(s, v1alpha1.ReasonNumberLost, "WhatsAppInstance "+lead.NumberOf(s.Lead)+
			", which the conversation is on, is logged out or gone; pair it again, or set recovery.numberLost: Move")
	}
	planned := withoutSender(s, []*v1alpha1.WhatsAppInstance{current})
	if lost := awayUntil(current); lost.After(s.Now) {
		planned.Until = instant.Earlier(planned.Until, lost)
	}
	return planned
}

// withoutSender waits for one of these numbers to be able to send.
func withoutSender(s *Snapshot, numbers []*v1alpha1.WhatsAppInstance) Action {
	if len(numbers) == 0 {
		return blocked(s, v1alpha1.ReasonNoConnectedInstance,
			"the Store has no WhatsAppInstance; create one and pair it")
	}
	reason, why, until := v1alpha1.ReasonNoConnectedInstance,
		"no WhatsAppInstance of the Store can send; see their condition Ready", expiry(s)
	if len(numbers) == 1 {
		why = "WhatsAppInstance " + numbers[0].Name + " cannot send; see its condition Ready"
	}
	for _, each := range numbers {
		paused := each.Status.NewConversationsPausedUntil
		switch {
		case connection.CanSend(each, false, s.Now) && paused != nil:
			reason, until = v1alpha1.ReasonRestricted, instant.Earlier(until, paused.Time)
			why = "WhatsApp lets WhatsAppInstance " + each.Name + " start no new conversations for now"
		case reason == v1alpha1.ReasonNoConnectedInstance && apimeta.IsStatusConditionFalse(each.Status.Conditions,
			v1alpha1.ConditionGatewayReachable):
			reason, why = v1alpha1.ReasonGatewayUnreachable, "the gateway of WhatsAppInstance "+each.Name+
				" does not answer; see its condition GatewayReachable"
		}
	}
	return BlockedUntil(until, reason, why)
}
