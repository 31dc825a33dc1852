package lead

import (
	"cmp"
	"maps"
	"strings"
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/instant"
)

// This file joins what is known of an open payment, of the sales that a lead is about, and of
// the customer's consent. Like those of facts.go, no rule asks what came first.

// Expired is what the end of an open payment says of its lead: the payment of this transaction,
// of whichever where the platform names none, cannot be made after this time.
func Expired(transactionID string, at v1alpha1.Timestamp) Facts {
	return Facts{ExpiredPayments: at.UTC().Format(eventTime) + " " + saleHash(transactionID)}
}

// lastExpiry is when the last of the payments that were reported as expired ran out; nil for none.
func lastExpiry(expired string) *v1alpha1.Timestamp {
	var last time.Time
	for _, member := range members(expired) {
		if at, _, ok := readEvent(member); ok {
			last = instant.Later(last, at)
		}
	}
	if last.IsZero() {
		return nil
	}
	at := v1alpha1.NewTimestamp(last)
	return &at
}

// ended is a payment that expires when it was reported to have, where that is earlier than what
// was told when it was made.
func ended(payment *v1alpha1.Payment, expired string) *v1alpha1.Payment {
	if payment == nil {
		return nil
	}
	var first time.Time
	for _, member := range members(expired) {
		if at, sale, ok := readEvent(member); ok && ends(payment, sale, at) {
			first = instant.EarlierSet(first, at)
		}
	}
	if first.IsZero() || payment.ExpiresAt != nil && !first.Before(payment.ExpiresAt.Time) {
		return payment
	}
	shorter, at := payment.DeepCopy(), v1alpha1.NewTimestamp(first)
	shorter.ExpiresAt = &at
	return shorter
}

// ends says whether the reported end of a sale's payment, at a time, is the end of this payment. Where one of the two
// does not name its sale, it is, unless the payment was made later.
func ends(payment *v1alpha1.Payment, sale string, at time.Time) bool {
	if payment.TransactionID != "" && sale == saleHash(payment.TransactionID) {
		return true
	}
	untold := payment.TransactionID == "" || sale == saleHash("")
	return untold && (payment.CreatedAt == nil || !at.Before(payment.CreatedAt.Time))
}

// comparePayments puts the latest first: a customer pays with the last code that was made. When
// a payment expires comes last, so that its end never decides which payment it is; of two ends
// the earlier counts.
func comparePayments(a, b *v1alpha1.Payment) int {
	return cmp.Or(
		timeOf(b.CreatedAt).Compare(timeOf(a.CreatedAt)),
		someFirst(a.TransactionID, b.TransactionID),
		someFirst(string(a.Method), string(b.Method)),
		someFirst(a.PixCode, b.PixCode),
		someFirst(a.BoletoLine, b.BoletoLine),
		someFirst(a.URL, b.URL),
		falseFirst(a.ExpiresAt == nil, b.ExpiresAt == nil),
		timeOf(a.ExpiresAt).Compare(timeOf(b.ExpiresAt)),
	)
}

// compareConsents puts the latest first, and one that tells no time last; of two that were
// given at one time, that which does not agree.
func compareConsents(a, b *v1alpha1.Consent) int {
	return cmp.Or(
		timeOf(b.At).Compare(timeOf(a.At)),
		falseFirst(a.Basis != v1alpha1.ConsentOptedOut, b.Basis != v1alpha1.ConsentOptedOut),
		cmp.Compare(a.Basis, b.Basis),
		someFirst(a.Source, b.Source),
	)
}

// someFirst orders texts, "" last.
func someFirst(a, b string) int {
	return cmp.Or(falseFirst(a == "", b == ""), cmp.Compare(a, b))
}

func timeOf(at *v1alpha1.Timestamp) time.Time {
	if at == nil {
		return time.Time{}
	}
	return at.Time
}

// salesOf is the set of the sales that a lead's labels name.
func salesOf(recovery *v1alpha1.CartRecovery) string {
	var sales []string
	for key := range recovery.Labels {
		if sale, is := strings.CutPrefix(key, v1alpha1.LabelSalePrefix); is {
			sales = append(sales, sale)
		}
	}
	return setOf(maxEvents, sales...)
}

// labelSales gives a lead the labels of its sales, and takes those of others off.
func labelSales(recovery *v1alpha1.CartRecovery, sales string) {
	wanted := members(sales)
	if len(wanted) > 0 && recovery.Labels == nil {
		recovery.Labels = map[string]string{}
	}
	kept := make(map[string]bool, len(wanted))
	for _, sale := range wanted {
		kept[v1alpha1.LabelSalePrefix+sale] = true
		recovery.Labels[v1alpha1.LabelSalePrefix+sale] = ""
	}
	maps.DeleteFunc(recovery.Labels, func(key, _ string) bool {
		return strings.HasPrefix(key, v1alpha1.LabelSalePrefix) && !kept[key]
	})
}

// SaleKey is the key of the label of a transaction.
func SaleKey(transactionID string) string { return v1alpha1.LabelSalePrefix + SaleHash(transactionID) }

// SalesOf are the hashes of all transactions that a lead knows: those that it is about, and that
// of a purchase which stopped it.
func SalesOf(recovery *v1alpha1.CartRecovery) []string {
	sales := salesOf(recovery)
	if purchase := recovery.Spec.Purchase; purchase != nil {
		sales = union(maxEvents+1, sales, SaleHash(purchase.TransactionID))
	}
	return members(sales)
}
