package connection

import (
	"strings"
	"testing"
	"time"

	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gateway"
)

// TestNotSending: what the gateway says of the connection does not end it; another connection
// and a message that went do. A number that is not sending can send nothing.
func TestNotSending(t *testing.T) {
	open := gateway.State{Connection: gateway.Connected}
	instance := fresh(connectedBefore)
	Observe(instance, open, now)
	NotSending(instance, now)
	since := *apimeta.FindStatusCondition(instance.Status.Conditions, v1alpha1.ConditionReady)
	Observe(instance, open, now.Add(time.Hour))
	expectReady(t, instance, v1alpha1.InstanceConnected, v1alpha1.ReasonNotSending, false)
	if is := apimeta.FindStatusCondition(instance.Status.Conditions,
		v1alpha1.ConditionReady); !is.LastTransitionTime.Equal(&since.LastTransitionTime) {
		t.Error("it is not sending since another time")
	}
	if CanSend(instance, false, now) {
		t.Error("it can send")
	}
	SendsAgain(instance, now)
	Observe(instance, open, now)
	expectReady(t, instance, v1alpha1.InstanceConnected, v1alpha1.ReasonConnected, true)
	SendsAgain(instance, now)
	expectReady(t, instance, v1alpha1.InstanceConnected, v1alpha1.ReasonConnected, true)
	NotSending(instance, now)
	Observe(instance, gateway.State{Connection: gateway.Disconnected}, now)
	expectReady(t, instance, v1alpha1.InstanceDisconnected, v1alpha1.ReasonLoggedOut, false)
}

// TestNoQRCode: an attempt without anything to pair with says so after a minute, and names no
// Secret before there is one.
func TestNoQRCode(t *testing.T) {
	connecting := gateway.State{Connection: gateway.Connecting}
	began := func(since time.Duration, mods ...func(*v1alpha1.WhatsAppInstance)) *v1alpha1.WhatsAppInstance {
		return fresh(append([]func(*v1alpha1.WhatsAppInstance){pairingUntil(10 * time.Minute),
			func(i *v1alpha1.WhatsAppInstance) {
				i.Status.Pairing.StartedAt = at(-since)
				reachable(i, metav1.ConditionTrue, v1alpha1.ReasonReachable, "", now.Add(-since))
			}}, mods...)...)
	}
	shows := func(i *v1alpha1.WhatsAppInstance) {
		i.Status.Pairing.SecretRef = &v1alpha1.ObjectReference{Name: "pairing"}
	}
	wasAway := func(i *v1alpha1.WhatsAppInstance) {
		reachable(i, metav1.ConditionFalse, v1alpha1.ReasonGatewayUnreachable, "", now.Add(-time.Minute))
	}
	for name, test := range map[string]struct {
		instance *v1alpha1.WhatsAppInstance
		reason   string
		secret   bool
	}{
		"just begun":                  {began(time.Second), v1alpha1.ReasonPairing, false},
		"begun a minute ago":          {began(time.Minute), v1alpha1.ReasonNoQRCode, false},
		"it shows one":                {began(time.Minute, shows), v1alpha1.ReasonPairing, true},
		"the gateway was away so far": {began(time.Hour, wasAway), v1alpha1.ReasonPairing, false},
	} {
		t.Run(name, func(t *testing.T) {
			Observe(test.instance, connecting, now)
			expectReady(t, test.instance, v1alpha1.InstancePairing, test.reason, false)
			ready := apimeta.FindStatusCondition(test.instance.Status.Conditions, v1alpha1.ConditionReady)
			if strings.Contains(ready.Message, "secretRef") != test.secret {
				t.Errorf("it says: %s", ready.Message)
			}
		})
	}
	ended := began(time.Minute)
	Observe(ended, connecting, now)
	ended.Status.Pairing.ExpiresAt = at(0)
	Observe(ended, connecting, now)
	expectReady(t, ended, v1alpha1.InstanceDisconnected, v1alpha1.ReasonNoQRCode, false)
}
