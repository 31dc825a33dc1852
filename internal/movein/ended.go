package movein

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/lead"
)

// This file tells what becomes of a lead that was imported while it was open, and that a later row says has ended.

// Buy writes the purchase of a row to a lead that is open, and says whether it did. It is the kill switch, as the
// webhook server writes it: where the row names the transaction, a delivery of the same purchase joins it.
func (l *Lead) Buy(recovery *v1alpha1.CartRecovery, now time.Time) bool {
	if !l.Bought || !l.isOf(recovery) {
		return false
	}
	at := l.boughtAt
	if at.IsZero() {
		at = now
	}
	spec := &l.Object.Spec
	purchase := &v1alpha1.Purchase{
		EventID: "import-" + l.Object.Name, TransactionID: l.sale, Amount: spec.Amount, Currency: spec.Currency,
		At: v1alpha1.NewTimestamp(at),
	}
	return lead.Add(recovery, lead.OfSale(l.sale).Join(lead.Bought(purchase)))
}

// GiveUp says whether a lead is held that the other backend gave up, and labels it: it is not released with others.
func (l *Lead) GiveUp(recovery *v1alpha1.CartRecovery) bool {
	if l.Bought || !recovery.Spec.Suspend || !l.isOf(recovery) {
		return false
	}
	metav1.SetMetaDataLabel(&recovery.ObjectMeta, v1alpha1.LabelImportEnded, "")
	return true
}

// isOf says whether a row that has ended is about what an imported lead is open for, and not about an earlier cart of
// the same customer. Exports write times with and without seconds.
func (l *Lead) isOf(recovery *v1alpha1.CartRecovery) bool {
	_, imported := recovery.Labels[v1alpha1.LabelImport]
	left := recovery.Spec.AbandonedAt
	if !imported || left == nil || lead.Over(recovery) || !lead.Unsold(recovery) || recovery.Status.Cycle > 0 {
		return false
	}
	isEarlier := l.Object.Spec.AbandonedAt.Truncate(time.Minute).Before(left.Truncate(time.Minute))
	return !isEarlier || l.boughtAt.After(left.Time)
}
