package lead

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

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

// phoneForm is the form of a phone in the schemas.
var phoneForm = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)

// IsPhone says whether a number is in E.164, as the schemas have it.
func IsPhone(number string) bool { return phoneForm.MatchString(number) }

// NewSuppression is the Suppression of a number in a Store: the same whoever makes it and however the number is
// written, so that there is one. The number itself stands in it only where the Store keeps numbers. It has no owner: a
// Store that is deleted and created again, as GitOps tools do, must not lift it.
func NewSuppression(namespace, store, number string, keepPhone bool, reason v1alpha1.SuppressionReason,
) *v1alpha1.Suppression {
	hash := PhoneHash(number)
	made := &v1alpha1.Suppression{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: SuppressionName(store, hash)},
		Spec: v1alpha1.SuppressionSpec{
			StoreRef: v1alpha1.ObjectReference{Name: store}, Reason: reason, PhoneHash: hash,
		},
	}
	if full := FullNumber(number); keepPhone && IsPhone(full) && PhoneHash(full) == hash {
		made.Spec.Phone, made.Spec.PhoneHash = full, ""
	}
	made.Labels = SuppressionLabels(made)
	return made
}

// Renew has a Suppression hold for ever for a customer who asks for that: one that has lapsed, and one with an end that
// was written before they asked. An end that was written after it stays: somebody has decided since, and a gateway can
// deliver an old request again. False when nothing changes.
func Renew(suppression *v1alpha1.Suppression, asked, now time.Time) (changed bool) {
	if suppression.Spec.ExpiresAt == nil || !Lapsed(suppression, now) && !asked.After(specWritten(suppression)) {
		return false
	}
	suppression.Spec.ExpiresAt = nil
	return true
}

// specWritten is when a Suppression was last written, its status aside, as the API server recorded it. It takes an
// object that was read from there: the cache drops what it is found by.
func specWritten(suppression *v1alpha1.Suppression) time.Time {
	last := suppression.CreationTimestamp.Time
	for _, each := range suppression.ManagedFields {
		if each.Subresource == "" && each.Time != nil && each.Time.After(last) {
			last = each.Time.Time
		}
	}
	return last
}

// Extend has a Suppression hold until a time, nil for ever; false when it holds as long already.
func Extend(suppression *v1alpha1.Suppression, until *metav1.Time) (changed bool) {
	if !EndsLater(until, suppression.Spec.ExpiresAt) {
		return false
	}
	suppression.Spec.ExpiresAt = until.DeepCopy()
	return true
}

// EndsLater says whether a Suppression that holds until a time, nil for ever, holds longer than until another.
func EndsLater(until, than *metav1.Time) bool {
	return than != nil && (until == nil || until.After(than.Time))
}
