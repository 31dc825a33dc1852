package lead

import (
	"slices"
	"strings"
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
)

// Sets within Facts are texts, so that Facts can be compared: their members in order, each
// once, one a line. Each set is bounded, and which members it keeps does not depend on when
// they came.

const (
	// maxKnown is how many addresses, and how many numbers, are kept of a customer.
	maxKnown = 8
	// maxEvents is how many purchases, and how many reversed sales, are kept of a lead.
	maxEvents = 16
)

func members(set string) []string {
	if set == "" {
		return nil
	}
	return strings.Split(set, "\n")
}

// setOf is the set of texts, the smallest where there are more than most; "" is no member. The texts
// are put in order where they are.
func setOf(most int, texts ...string) string {
	if len(texts) == 1 {
		return texts[0]
	}
	slices.Sort(texts)
	texts = slices.Compact(texts)
	if len(texts) > 0 && texts[0] == "" {
		texts = texts[1:]
	}
	return strings.Join(texts[:min(len(texts), most)], "\n")
}

// union is the set of what is in either.
func union(most int, a, b string) string {
	switch {
	case b == "" || a == b:
		return a
	case a == "":
		return b
	}
	return setOf(most, append(members(a), members(b)...)...)
}

// first is the smallest member, "" of an empty set.
func first(set string) string {
	smallest, _, _ := strings.Cut(set, "\n")
	return smallest
}

// without are the members but one, nil when there are none: so they are read back.
func without(set, member string) []string {
	if set == member {
		return nil
	}
	return slices.DeleteFunc(members(set), func(each string) bool { return each == member })
}

// eventTime has one width, so that texts that start with it are in the order of time.
const eventTime = "2006-01-02T15:04:05.000000Z"

// purchaseEvent is a member of Facts.Purchases: when the purchase was, and a hash of its
// event's id; "" where it has no id.
func purchaseEvent(purchase *v1alpha1.Purchase) string {
	if purchase == nil || purchase.EventID == "" {
		return ""
	}
	return purchase.At.UTC().Format(eventTime) + " " + shortHash("event", purchase.EventID)
}

// readEvent reads a member of Facts.Purchases.
func readEvent(member string) (at time.Time, hash string, ok bool) {
	stamp, hash, _ := strings.Cut(member, " ")
	at, err := time.Parse(eventTime, stamp)
	return at, hash, err == nil && len(hash) == shortHashLength
}

// unionOfEvents is union for Facts.Purchases: an event has one time, the earliest that was
// told, and of too many events the latest are kept.
func unionOfEvents(a, b string) string {
	switch {
	case b == "" || a == b:
		return a
	case a == "":
		return b
	}
	all := append(members(a), members(b)...)
	slices.Sort(all)
	seen := map[string]bool{}
	kept := all[:0]
	for _, member := range all {
		if _, hash, ok := readEvent(member); ok && !seen[hash] {
			seen[hash] = true
			kept = append(kept, member)
		}
	}
	return strings.Join(kept[max(0, len(kept)-maxEvents):], "\n")
}

// anySale stands among Facts.Reversals for a reversal that does not say of which sale it is.
const anySale = "-"

// reversedSale is a member of Facts.Reversals.
func reversedSale(reversal *v1alpha1.Reversal) string {
	switch {
	case reversal == nil:
		return ""
	case reversal.TransactionID == "":
		return anySale
	}
	return saleHash(reversal.TransactionID)
}

// SaleHash stands for a transaction in labels and indexes; "" for none.
func SaleHash(transactionID string) string {
	if transactionID == "" {
		return ""
	}
	return saleHash(transactionID)
}

func saleHash(transactionID string) string { return shortHash("transaction", transactionID) }

const shortHashLength = 16

func shortHash(kind, value string) string { return hash(kind, value)[:shortHashLength] }
