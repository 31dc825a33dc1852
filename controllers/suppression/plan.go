package suppression

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/status"
	"cartrecovery.dev/operator/internal/suppressionkeys"
)

// longestWait bounds how far ahead a Suppression's end is waited for.
const longestWait = 24 * time.Hour

// snapshot is everything plan decides on.
type snapshot struct {
	suppression *v1alpha1.Suppression
	// storeFound: the Store exists.
	storeFound bool
	now        time.Time
	// keys make and recognise keyed Suppressions; nil for none.
	keys *suppressionkeys.Keys
}

// findings are what there is to say of a Suppression.
type findings struct {
	// Finding is whether the Suppression holds.
	status.Finding
	// labels that it lacks, or has with another value.
	labels map[string]string
	// again is when to look next, from now; zero when only a change makes a difference.
	again time.Duration
	// erase: the Suppression gives its place to a keyed one, or just goes where it does not hold.
	erase bool
	// notErased is why an erasure that was asked for is not done; nil where none was, or where it is.
	notErased *metav1.Condition
}

// plan judges a Suppression. It holds for the name of a Store, whether or not the Store exists, so that deleting a
// Store and applying it again does not lift it.
func plan(s *snapshot) findings {
	found := findings{
		Finding: status.Finding{
			Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonSuppressing, Message: "the number is not written to",
		},
		labels: missing(s.suppression),
	}
	found.erase, found.notErased = erasure(s)
	found.Also = []metav1.Condition{{Type: v1alpha1.ConditionReady, Status: metav1.ConditionTrue,
		Reason: v1alpha1.ReasonReady, Message: "the Suppression is taken into account"}}
	until := s.suppression.Spec.ExpiresAt
	switch {
	case lead.Lapsed(s.suppression, s.now):
		found.Status, found.Reason = metav1.ConditionFalse, v1alpha1.ReasonLapsed
		found.Message = "spec.expiresAt has passed: the number may be written to again"
		return found
	case until != nil:
		found.Message = "the number is not written to until spec.expiresAt"
		found.again = min(until.Sub(s.now), longestWait)
	}
	if mac := s.suppression.Spec.PhoneHMAC; mac != "" && !s.keys.Knows(mac) {
		found.Reason = v1alpha1.ReasonKeyMissing
		found.Message = "SUPPRESSION_KEYS of the controllers lacks the key with the id " + suppressionkeys.ID(mac) +
			": nobody can tell whose number it is, so nothing is sent in the Store until the key is back or this " +
			"Suppression is deleted"
		found.Also[0].Status, found.Also[0].Reason = metav1.ConditionFalse, v1alpha1.ReasonKeyMissing
		found.Also[0].Message = "see the condition Active"
	}
	if !s.storeFound {
		found.Message += "; spec.storeRef: there is no Store " + s.suppression.Spec.StoreRef.Name +
			" in this namespace, and it holds for one of that name"
	}
	return found
}

// erasure says whether a Suppression is to be erased now, or why an erasure that was asked for cannot be done.
func erasure(s *snapshot) (erase bool, notErased *metav1.Condition) {
	not := func(reason, message string) (bool, *metav1.Condition) {
		return false, &metav1.Condition{
			Type: v1alpha1.ConditionErased, Status: metav1.ConditionFalse, Reason: reason, Message: message,
			ObservedGeneration: s.suppression.Generation, LastTransitionTime: metav1.NewTime(s.now.UTC()),
		}
	}
	switch {
	case s.suppression.Annotations[v1alpha1.AnnotationEraseRequested] == "":
		return false, nil
	case s.suppression.Spec.PhoneHMAC != "":
		return not(v1alpha1.ReasonAlreadyKeyed, "the number is not in it, and without it the customer would be "+
			"written to again: delete it to lift it")
	case lead.Lapsed(s.suppression, s.now), s.keys.Count() > 0:
		return true, nil
	}
	return not(v1alpha1.ReasonNoKey, "set SUPPRESSION_KEYS of the controllers, see docs/privacy.md; until then the "+
		"Suppression stays as it is")
}

// missing are the labels that a Suppression is to be found by and does not have.
func missing(suppression *v1alpha1.Suppression) map[string]string {
	lacks := map[string]string{}
	for label, value := range lead.SuppressionLabels(suppression) {
		if suppression.Labels[label] != value {
			lacks[label] = value
		}
	}
	return lacks
}
