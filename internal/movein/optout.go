package movein

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/lead"
)

var reasons = map[string]v1alpha1.SuppressionReason{
	"optout": v1alpha1.SuppressionOptOut, "optedout": v1alpha1.SuppressionOptOut,
	"unsubscribed": v1alpha1.SuppressionOptOut, "stop": v1alpha1.SuppressionOptOut,
	"wrongnumber": v1alpha1.SuppressionWrongNumber, "complaint": v1alpha1.SuppressionComplaint,
	"spam": v1alpha1.SuppressionComplaint, "manual": v1alpha1.SuppressionManual, "blocked": v1alpha1.SuppressionManual,
}

// OptOut is the Suppression of a row, the same that the operator makes when a customer opts out; nil when the row is
// skipped, or wrong.
func (t *Target) OptOut(row Row) (made *v1alpha1.Suppression, skipped string, problems []Problem) {
	c := &cells{Target: t, row: row}
	if c.isOthers() {
		return nil, SkippedClient, nil
	}
	number, reason, until := c.phone("phone"), oneOf(c, "reason", reasons, v1alpha1.SuppressionOptOut,
		"OptOut, WrongNumber, Complaint or Manual"), c.time("expiresAt")
	if len(c.problems) > 0 {
		return nil, "", c.problems
	}
	if !until.IsZero() && !until.After(t.Now) {
		return nil, SkippedLapsed, nil
	}
	keep := t.Store.Spec.SuppressedPhones == v1alpha1.SuppressedPhonesClear
	made = lead.NewSuppression(t.Store.Namespace, t.Store.Name, number, keep, reason)
	if !until.IsZero() {
		made.Spec.ExpiresAt = &metav1.Time{Time: until}
	}
	return made, "", nil
}
