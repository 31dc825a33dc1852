package plan

import (
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/instant"
	"cartrecovery.dev/operator/internal/lead"
)

// This file decides how a lead ends, and what happens to one that is over.

func finishReversed(s *Snapshot) (Action, bool) {
	return Action{Kind: Finish, Outcome: v1alpha1.ReasonReversed}, isReversed(s) &&
		OutcomeOf(s.Lead) != v1alpha1.ReasonReversed
}

// finishBought holds for finished leads too: a purchase after the store gave up is still one, and another purchase
// may count than before.
func finishBought(s *Snapshot) (Action, bool) {
	purchase := PurchaseOf(s)
	if purchase == nil || isReversed(s) {
		return Action{}, false
	}
	outcome := boughtOutcome(s.Lead, purchase)
	return Action{Kind: Finish, Outcome: outcome}, OutcomeOf(s.Lead) != outcome || isOfAnother(s.Lead.Status.Result,
		purchase)
}

// isOfAnother says whether the stored result belongs to another purchase than the one that counts.
func isOfAnother(result *v1alpha1.RecoveryResult, purchase *v1alpha1.Purchase) bool {
	if result == nil {
		return false
	}
	return result.ReversedAt != nil || result.Amount != purchase.Amount || result.Currency != purchase.Currency ||
		result.BoughtAt == nil || !result.BoughtAt.Equal(purchase.At.Time)
}

// PurchaseOf is the purchase that counts: the lead's own or a sibling's.
func PurchaseOf(s *Snapshot) *v1alpha1.Purchase {
	return lead.PurchaseThatCounts(s.Lead, s.SiblingPurchase)
}

func isReversed(s *Snapshot) bool { return lead.Reversed(s.Lead, PurchaseOf(s)) }

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
func reopenEnded(s *Snapshot) (Action, bool) {
	return Action{Kind: Reopen}, lead.Reopened(s.Lead) && s.SiblingPurchase == nil
}

// forgetPayment takes the code or slip of an open payment off a lead that is over. A lead that was bought or
// reversed has lost it already, in the same write.
func forgetPayment(s *Snapshot) (Action, bool) {
	return Action{Kind: Label}, lead.Over(s.Lead) && s.Lead.Spec.Payment != nil
}

func keepFinished(s *Snapshot) (Action, bool) {
	if !lead.Finished(s.Lead) {
		return Action{}, false
	}
	end := s.Lead.Status.CompletionTime.Add(s.Policy.TTLOf(s.Lead.Status.Phase, s.Lead.Spec.AbandonedAt == nil))
	if purchase := s.Lead.Spec.Purchase; purchase != nil {
		// However long ago we gave up: a late cart event must still find the purchase.
		end = instant.Later(end, purchase.At.Add(s.Policy.TTLAfterPurchaseOnly))
	}
	if s.Now.Before(end) {
		return Action{Kind: Wait, Until: end, Why: "the lead is over; it is deleted then"}, true
	}
	return Action{Kind: Remove}, true
}

func finishNotOnWhatsApp(s *Snapshot) (Action, bool) {
	if lead.LastInbound(s.Lead) != nil {
		// Whoever writes to us has WhatsApp.
		return Action{}, false
	}
	for i := range s.Lead.Status.Conversation {
		m := &s.Lead.Status.Conversation[i]
		if m.Cycle == s.Lead.Status.Cycle && m.Error == v1alpha1.ReasonNotOnWhatsApp {
			return Action{Kind: Finish, Outcome: v1alpha1.ReasonNotOnWhatsApp}, true
		}
	}
	return Action{}, false
}

func finishExpired(s *Snapshot) (Action, bool) {
	if !expired(s) {
		return Action{}, false
	}
	outcome := v1alpha1.ReasonNeverContacted
	switch {
	case lead.LastInbound(s.Lead) != nil:
		outcome = v1alpha1.ReasonConversationEnded
	case !lead.FirstContact(s.Lead).IsZero(), !lead.LastOperator(s.Lead).IsZero():
		outcome = v1alpha1.ReasonUnanswered
	}
	return Action{Kind: Finish, Outcome: outcome}, true
}

func expired(s *Snapshot) bool { return !s.Now.Before(expiry(s)) }

func expiry(s *Snapshot) time.Time { return lead.LastActivity(s.Lead).Add(s.Policy.ExpireAfter) }
