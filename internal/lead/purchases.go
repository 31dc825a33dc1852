package lead

import (
	"cmp"
	"encoding/json"
	"slices"

	"cartrecovery.dev/operator/api/v1alpha1"
)

// This file joins what is known of purchases and of what was taken back. Like those of
// facts.go, no rule asks what came first.

// maxOtherPurchases is the schema's bound of spec.otherPurchases.
const maxOtherPurchases = 8

// joinPurchases returns the purchase of two facts that counts, and those that may count when
// it is taken back: of each further sale that a recovery may take credit for, the one that
// comes first.
func joinPurchases(f, other Facts, reversals string) (*v1alpha1.Purchase, string) {
	if f.OtherPurchases == "" && other.OtherPurchases == "" && !differ(f.Purchase, other.Purchase) {
		return better(f.Purchase, other.Purchase, comparePurchases), ""
	}
	known := slices.Concat(decodePurchases(f.OtherPurchases), decodePurchases(other.OtherPurchases))
	counts, sales := f.Purchase, members(reversals)
	if other.Purchase != nil {
		known = append(known, *other.Purchase)
	}
	for i := range known {
		counts = better(counts, &known[i], func(a, b *v1alpha1.Purchase) int { return compareStanding(a, b, sales) })
	}
	if f.Purchase != nil {
		known = append(known, *f.Purchase)
	}
	return counts, encodePurchases(besides(counts, known))
}

// differ says whether there are two purchases, of different sales.
func differ(a, b *v1alpha1.Purchase) bool {
	return a != nil && b != nil && saleKey(a) != saleKey(b)
}

// saleKey tells one sale of a lead's product from another: by its event, where the platform
// names no transaction.
func saleKey(purchase *v1alpha1.Purchase) string {
	if purchase.TransactionID != "" {
		return "transaction " + purchase.TransactionID
	}
	return "event " + purchase.EventID
}

// compareStanding puts a purchase that was taken back after one that was not, where a recovery
// may take credit for both.
func compareStanding(a, b *v1alpha1.Purchase, reversals []string) int {
	if a.Unattributed || b.Unattributed {
		return comparePurchases(a, b)
	}
	return cmp.Or(falseFirst(isReversed(reversals, a), isReversed(reversals, b)), comparePurchases(a, b))
}

// besides are the purchases of other sales than the one that counts that a recovery may take
// credit for, one a sale, in their order.
func besides(counts *v1alpha1.Purchase, known []v1alpha1.Purchase) []v1alpha1.Purchase {
	known = slices.SortedFunc(slices.Values(known), func(a, b v1alpha1.Purchase) int {
		return comparePurchases(&a, &b)
	})
	seen := map[string]bool{saleKey(counts): true}
	var rest []v1alpha1.Purchase
	for i := range known {
		each := &known[i]
		if !each.Unattributed && !seen[saleKey(each)] {
			seen[saleKey(each)] = true
			rest = append(rest, *each)
		}
	}
	return rest[:min(len(rest), maxOtherPurchases)]
}

// encodePurchases writes purchases as a text, so that Facts can be compared; "" for none.
func encodePurchases(purchases []v1alpha1.Purchase) string {
	if len(purchases) == 0 {
		return ""
	}
	text, err := json.Marshal(purchases)
	if err != nil {
		return "" // texts and times: there is nothing that JSON cannot say
	}
	return string(text)
}

func decodePurchases(text string) []v1alpha1.Purchase {
	if text == "" {
		return nil
	}
	var purchases []v1alpha1.Purchase
	if json.Unmarshal([]byte(text), &purchases) != nil {
		return nil
	}
	return purchases
}

// PurchaseThatCounts returns which of a lead's purchase and one that stands on another lead of
// the customer counts: of two that a recovery may take credit for, one that was not taken back.
// Either may be nil.
func PurchaseThatCounts(recovery *v1alpha1.CartRecovery, sibling *v1alpha1.Purchase) *v1alpha1.Purchase {
	if recovery.Spec.Purchase == nil || sibling == nil {
		return better(recovery.Spec.Purchase, sibling, comparePurchases)
	}
	reversals := members(FactsOf(recovery).Reversals)
	return better(recovery.Spec.Purchase, sibling, func(a, b *v1alpha1.Purchase) int {
		return compareStanding(a, b, reversals)
	})
}

// BetterPurchase returns which of two purchases counts: one that a recovery may take credit
// for, then the earlier, then the one with the smaller event id. Either may be nil.
func BetterPurchase(a, b *v1alpha1.Purchase) *v1alpha1.Purchase {
	return better(a, b, comparePurchases)
}

func comparePurchases(a, b *v1alpha1.Purchase) int {
	return cmp.Or(
		falseFirst(a.Unattributed, b.Unattributed),
		a.At.Compare(b.At.Time),
		falseFirst(a.EventID == "", b.EventID == ""), // known by its time alone: the other says more
		cmp.Compare(a.EventID, b.EventID),
		cmp.Compare(a.TransactionID, b.TransactionID),
		cmp.Compare(a.Amount, b.Amount),
		cmp.Compare(a.Currency, b.Currency),
	)
}

// Reversed says whether a purchase was taken back by what is known of a lead. A reversal is
// of the purchase unless both say of which sale they are, and not of the same: somebody who
// bought twice by mistake, and was given one back, has bought. Without a purchase, every
// reversal counts.
func Reversed(recovery *v1alpha1.CartRecovery, purchase *v1alpha1.Purchase) bool {
	if recovery.Spec.Reversal == nil || purchase == nil {
		return recovery.Spec.Reversal != nil
	}
	return isReversed(members(FactsOf(recovery).Reversals), purchase)
}

// isReversed says whether a purchase is of one of the sales that were taken back.
func isReversed(reversals []string, purchase *v1alpha1.Purchase) bool {
	switch {
	case len(reversals) == 0:
		return false
	case slices.Contains(reversals, anySale):
		return true
	case purchase.TransactionID != "":
		return slices.Contains(reversals, saleHash(purchase.TransactionID))
	}
	// A purchase without an event is one of another product, of which only the time is kept.
	return purchase.EventID != ""
}
