package lead

import (
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
)

// maxLabel is how long the value of a label can be.
const maxLabel = 63

// SuppressedHash is the PhoneHash of the number that a Suppression is of.
func SuppressedHash(suppression *v1alpha1.Suppression) string {
	if suppression.Spec.PhoneHash != "" {
		return suppression.Spec.PhoneHash
	}
	return PhoneHash(suppression.Spec.Phone)
}

// SuppressionLabels are the labels that a Suppression is found by, those that Labels gives a
// lead of the same phone and store. A value that is too long for a label is left out.
func SuppressionLabels(suppression *v1alpha1.Suppression) map[string]string {
	labels := map[string]string{}
	for label, value := range map[string]string{
		v1alpha1.LabelStore: suppression.Spec.StoreRef.Name, v1alpha1.LabelPhoneKey: SuppressedHash(suppression),
	} {
		if value != "" && len(value) <= maxLabel {
			labels[label] = value
		}
	}
	return labels
}

// Lapsed says whether a Suppression does not hold any more.
func Lapsed(suppression *v1alpha1.Suppression, now time.Time) bool {
	until := suppression.Spec.ExpiresAt
	return until != nil && !until.After(now)
}
