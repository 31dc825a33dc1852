package cartrecovery

import (
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/lead"
)

// This file decides how a lead ends, and what happens to one that is over. Pure functions.

func finishReversed(s *situation) (action, bool) {
	return action{kind: finish, outcome: v1alpha1.ReasonReversed}, isReversed(s) && outcomeOf(s.lead) != v1alpha1.ReasonReversed
}

// finishBought holds for finished leads too: a purchase that comes after we gave up is
// still one, and another may count than did.
func finishBought(s *situation) (action, bool) {
	purchase := purchaseOf(s)
	if purchase == nil || isReversed(s) {
		return action{}, false
	}
	outcome := boughtOutcome(s.lead, purchase)
	return action{kind: finish, outcome: outcome}, outcomeOf(s.lead) != outcome || isOfAnother(s.lead.Status.Result, purchase)
}

// isOfAnother says whether what a recovery was worth was written for another purchase than the
// one that counts.
func isOfAnother(result *v1alpha1.RecoveryResult, purchase *v1alpha1.Purchase) bool {
	if result == nil {
		return false
	}
	return result.ReversedAt != nil || result.Amount != purchase.Amount || result.Currency != purchase.Currency ||
		result.BoughtAt == nil || !result.BoughtAt.Equal(purchase.At.Time)
}

// purchaseOf is the purchase that counts, on the lead itself or on another of the customer.
func purchaseOf(s *situation) *v1alpha1.Purchase {
	return lead.PurchaseThatCounts(s.lead, s.twin)
}

func isReversed(s *situation) bool { return lead.Reversed(s.lead, purchaseOf(s)) }

func boughtOutcome(recovery *v1alpha1.CartRecovery, purchase *v1alpha1.Purchase) string {
	switch {
	case purchase.Unattributed:
		return v1alpha1.ReasonPurchaseNotAttributed
	case lead.Recovered(recovery, purchase):
		return v1alpha1.ReasonBoughtAfterContact
	default:
		return v1alpha1.ReasonBoughtBeforeContact
	}
}

// reopenEnded begins the next cycle of a lead whose customer left the checkout again.
func reopenEnded(s *situation) (action, bool) {
	return action{kind: reopen}, lead.Reopened(s.lead) && s.twin == nil
}

// forgetPayment takes the code or slip of an open payment off a lead that is over. One that was
// bought or reversed has none by then: the same write took it off.
func forgetPayment(s *situation) (action, bool) {
	return action{kind: label}, lead.Over(s.lead) && s.lead.Spec.Payment != nil
}

func keepFinished(s *situation) (action, bool) {
	if !lead.Finished(s.lead) {
		return action{}, false
	}
	end := s.lead.Status.CompletionTime.Add(s.policy.TTLOf(s.lead.Status.Phase, s.lead.Spec.AbandonedAt == nil))
	if purchase := s.lead.Spec.Purchase; purchase != nil {
		// However long ago we gave up: a late cart event must still find the purchase.
		end = latest(end, purchase.At.Add(s.policy.TTLAfterPurchaseOnly))
	}
	if s.now.Before(end) {
		return action{kind: wait, until: end, why: "the lead is over; it is deleted then"}, true
	}
	return action{kind: remove}, true
}

func finishNotOnWhatsApp(s *situation) (action, bool) {
	if lead.LastInbound(s.lead) != nil {
		// Whoever writes to us has WhatsApp.
		return action{}, false
	}
	for i := range s.lead.Status.Conversation {
		m := &s.lead.Status.Conversation[i]
		if m.Cycle == s.lead.Status.Cycle && m.State == v1alpha1.MessageFailed && m.Error == v1alpha1.ReasonNotOnWhatsApp {
			return action{kind: finish, outcome: v1alpha1.ReasonNotOnWhatsApp}, true
		}
	}
	return action{}, false
}

func finishExpired(s *situation) (action, bool) {
	if !expired(s) {
		return action{}, false
	}
	outcome := v1alpha1.ReasonNeverContacted
	switch {
	case lead.LastInbound(s.lead) != nil:
		outcome = v1alpha1.ReasonConversationEnded
	case !lead.FirstContact(s.lead).IsZero(), !lead.LastOperator(s.lead).IsZero():
		outcome = v1alpha1.ReasonUnanswered
	}
	return action{kind: finish, outcome: outcome}, true
}

func expired(s *situation) bool { return !s.now.Before(expiry(s)) }

func expiry(s *situation) time.Time { return lead.LastActivity(s.lead).Add(s.policy.ExpireAfter) }
