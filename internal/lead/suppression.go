package lead

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
)

// maxLabel is how long the value of a label can be.
const maxLabel = 63

// SuppressedHash is the PhoneHash of the number that a Suppression is of; "" for a keyed one, which does not tell.
func SuppressedHash(suppression *v1alpha1.Suppression) string {
	if suppression.Spec.PhoneHash != "" {
		return suppression.Spec.PhoneHash
	}
	return PhoneHash(suppression.Spec.Phone)
}

// SuppressionName is the name of the Suppression that a customer's own request makes in a
// Store, by the PhoneHash of the number: the same from every replica, so that whoever must
// know whether there is one reads it by name.
func SuppressionName(store, phoneHash string) string {
	sum := sha256.Sum256([]byte(store + "\x00" + phoneHash))
	return "optout-" + hex.EncodeToString(sum[:16])
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
