// Package progress writes the conditions Reconciling and Stalled, by which tools that wait for objects (kstatus: Flux,
// kpt, cli-utils) tell what goes on by itself from what waits for a person.
package progress

import (
	"time"

	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"cartrecovery.dev/operator/api/v1alpha1"
)

// stalled are the reasons for which an object is not ready until a person changes something. With any other one it goes
// on by itself, or once something is there that is applied beside it, such as a Secret.
var stalled = map[string]bool{
	v1alpha1.ReasonClientIDTaken: true, v1alpha1.ReasonInvalidTimeZone: true, v1alpha1.ReasonInvalidRegion: true,
	v1alpha1.ReasonInvalidMapping: true, v1alpha1.ReasonInvalidTemplate: true, v1alpha1.ReasonInvalidPolicy: true,
	v1alpha1.ReasonNoCredentials: true, v1alpha1.ReasonSecretNotAllowed: true,
	v1alpha1.ReasonEndpointNotAllowed: true, v1alpha1.ReasonPlatformIDTaken: true,
	v1alpha1.ReasonPairingTimedOut: true, v1alpha1.ReasonLoggedOut: true, v1alpha1.ReasonNotSending: true,
	v1alpha1.ReasonGatewayRefused: true, v1alpha1.ReasonGatewayUnauthorized: true,
	v1alpha1.ReasonGatewayUnsupported: true, v1alpha1.ReasonKeyMissing: true,
	v1alpha1.ReasonSuppressionKeyMissing: true,
}

// Tell writes what follows from whether an object is ready. What is suspended rests because somebody wants that, and
// has neither condition.
func Tell(conditions *[]metav1.Condition, now time.Time) {
	ready := apimeta.FindStatusCondition(*conditions, v1alpha1.ConditionReady)
	holds := ""
	switch {
	case ready == nil || ready.Status == metav1.ConditionTrue || ready.Reason == v1alpha1.ReasonSuspended:
	case stalled[ready.Reason]:
		holds = v1alpha1.ConditionStalled
	default:
		holds = v1alpha1.ConditionReconciling
	}
	for _, kind := range []string{v1alpha1.ConditionReconciling, v1alpha1.ConditionStalled} {
		if kind != holds {
			apimeta.RemoveStatusCondition(conditions, kind)
		}
	}
	if holds == "" {
		return
	}
	apimeta.SetStatusCondition(conditions, metav1.Condition{
		Type: holds, Status: metav1.ConditionTrue, Reason: ready.Reason, Message: "see the condition Ready",
		ObservedGeneration: ready.ObservedGeneration,
		LastTransitionTime: metav1.NewTime(now.UTC().Truncate(time.Second)),
	})
}
