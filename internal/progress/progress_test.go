package progress

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"cartrecovery.dev/operator/api/v1alpha1"
)

var now = time.Date(2027, 3, 1, 12, 0, 0, 0, time.UTC)

func TestTell(t *testing.T) {
	reconciling, stalled := v1alpha1.ConditionReconciling, v1alpha1.ConditionStalled
	for name, test := range map[string]struct {
		status metav1.ConditionStatus
		reason string
		want   string
	}{
		"well":                       {metav1.ConditionTrue, v1alpha1.ReasonReady, ""},
		"well, with a restriction":   {metav1.ConditionTrue, v1alpha1.ReasonRestricted, ""},
		"suspended":                  {metav1.ConditionFalse, v1alpha1.ReasonSuspended, ""},
		"waits for a Secret":         {metav1.ConditionFalse, v1alpha1.ReasonSecretNotFound, reconciling},
		"waits for a Store":          {metav1.ConditionFalse, v1alpha1.ReasonStoreNotFound, reconciling},
		"waits for a phone":          {metav1.ConditionFalse, v1alpha1.ReasonPairing, reconciling},
		"waits for its gateway":      {metav1.ConditionFalse, v1alpha1.ReasonGatewayUnreachable, reconciling},
		"restored":                   {metav1.ConditionFalse, v1alpha1.ReasonRestoredFromBackup, reconciling},
		"for a reason of tomorrow":   {metav1.ConditionFalse, "Tomorrow", reconciling},
		"a template that is none":    {metav1.ConditionFalse, v1alpha1.ReasonInvalidTemplate, stalled},
		"a clientID of another":      {metav1.ConditionFalse, v1alpha1.ReasonClientIDTaken, stalled},
		"logged out":                 {metav1.ConditionFalse, v1alpha1.ReasonLoggedOut, stalled},
		"refused by its gateway":     {metav1.ConditionFalse, v1alpha1.ReasonGatewayUnauthorized, stalled},
		"no attempt to pair is left": {metav1.ConditionFalse, v1alpha1.ReasonPairingTimedOut, stalled},
	} {
		for _, before := range []string{"", reconciling, stalled} {
			t.Run(name+" after "+before, func(t *testing.T) {
				conditions := []metav1.Condition{{Type: v1alpha1.ConditionReady, Status: test.status,
					Reason: test.reason, Message: "why", ObservedGeneration: 3}}
				if before != "" {
					conditions = append(conditions,
						metav1.Condition{Type: before, Status: metav1.ConditionTrue, Reason: "Before"})
				}
				Tell(&conditions, now)
				want := conditions[:1:1]
				if test.want != "" {
					said := metav1.Condition{Type: test.want, Status: metav1.ConditionTrue, Reason: test.reason,
						Message: "see the condition Ready", ObservedGeneration: 3,
						LastTransitionTime: metav1.NewTime(now)}
					if before == test.want {
						said.LastTransitionTime = metav1.Time{}
					}
					want = append(want, said)
				}
				if diff := cmp.Diff(want, conditions); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		}
	}
}

func TestNothingIsKnownYet(t *testing.T) {
	conditions := []metav1.Condition{{Type: v1alpha1.ConditionGatewayReachable, Status: metav1.ConditionTrue}}
	Tell(&conditions, now)
	if len(conditions) != 1 {
		t.Errorf("got %d conditions, want the one that was there", len(conditions))
	}
}
