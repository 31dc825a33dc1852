package suppression

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/status"
)

// longestWait bounds how far ahead a Suppression's end is waited for.
const longestWait = 24 * time.Hour

// snapshot is everything plan decides on.
type snapshot struct {
	suppression *v1alpha1.Suppression
	// storeFound: the Store exists.
	storeFound bool
	now        time.Time
}

// findings are what there is to say of a Suppression.
type findings struct {
	// Finding is whether the Suppression holds.
	status.Finding
	// labels that it lacks, or has with another value.
	labels map[string]string
	// again is when to look next, from now; zero when only a change makes a difference.
	again time.Duration
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
	if !s.storeFound {
		found.Message += "; spec.storeRef: there is no Store " + s.suppression.Spec.StoreRef.Name +
			" in this namespace, and it holds for one of that name"
	}
	return found
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
