package connection

import (
	"errors"
	"strings"
	"testing"
	"time"

	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/failure"
	"cartrecovery.dev/operator/internal/gateway"
	"cartrecovery.dev/operator/internal/gen"
)

var now = time.Date(2027, 3, 1, 12, 0, 0, 0, time.UTC)

func at(offset time.Duration) *metav1.Time { return &metav1.Time{Time: now.Add(offset)} }

// fresh is an instance that was never connected.
func fresh(mods ...func(*v1alpha1.WhatsAppInstance)) *v1alpha1.WhatsAppInstance {
	return gen.InstanceObject(append([]func(*v1alpha1.WhatsAppInstance){func(i *v1alpha1.WhatsAppInstance) {
		i.Generation = 7
		i.Status = v1alpha1.WhatsAppInstanceStatus{
			Phase: v1alpha1.InstancePending, CredentialsSecretRef: &v1alpha1.ObjectReference{Name: "credentials"},
		}
	}}, mods...)...)
}

func pairingUntil(offset time.Duration) func(*v1alpha1.WhatsAppInstance) {
	return func(i *v1alpha1.WhatsAppInstance) {
		i.Status.Pairing = &v1alpha1.PairingStatus{ExpiresAt: at(offset), Attempts: 1}
	}
}

func connectedBefore(i *v1alpha1.WhatsAppInstance) {
	i.Status.Phase, i.Status.LastConnectedTime = v1alpha1.InstanceConnected, at(-time.Hour)
}

func pausedUntil(offset time.Duration) func(*v1alpha1.WhatsAppInstance) {
	return func(i *v1alpha1.WhatsAppInstance) { i.Status.NewConversationsPausedUntil = at(offset) }
}

func suspended(i *v1alpha1.WhatsAppInstance) { i.Spec.Suspend = true }

func TestObserve(t *testing.T) {
	connected := gateway.State{Connection: gateway.Connected, Phone: "5511999990000"}
	disconnected := gateway.State{Connection: gateway.Disconnected}
	connecting := gateway.State{Connection: gateway.Connecting, QRCode: "data:image/png;base64,AAAA"}
	for name, test := range map[string]struct {
		instance *v1alpha1.WhatsAppInstance
		state    gateway.State
		phase    v1alpha1.InstancePhase
		reason   string
		ready    bool
	}{
		"never paired": {fresh(), disconnected, v1alpha1.InstancePending,
			v1alpha1.ReasonNotConnected, false},
		"somebody else pairs": {fresh(), connecting, v1alpha1.InstancePending,
			v1alpha1.ReasonNotConnected, false},
		"pairing": {fresh(pairingUntil(time.Minute)), connecting, v1alpha1.InstancePairing,
			v1alpha1.ReasonPairing, false},
		"pairing, the QR has expired": {fresh(pairingUntil(time.Minute)), disconnected, v1alpha1.InstancePairing,
			v1alpha1.ReasonPairing, false},
		"pairing timed out": {fresh(pairingUntil(0)), disconnected, v1alpha1.InstanceDisconnected,
			v1alpha1.ReasonPairingTimedOut, false},
		"pairing timed out, QR still shown": {fresh(pairingUntil(-time.Second)), connecting,
			v1alpha1.InstanceDisconnected, v1alpha1.ReasonPairingTimedOut, false},
		"paired in the last moment": {fresh(pairingUntil(-time.Second)), connected, v1alpha1.InstanceConnected,
			v1alpha1.ReasonConnected, true},
		"paired": {fresh(pairingUntil(time.Minute)), connected, v1alpha1.InstanceConnected,
			v1alpha1.ReasonConnected, true},
		"still connected": {fresh(connectedBefore), connected, v1alpha1.InstanceConnected,
			v1alpha1.ReasonConnected, true},
		"restricted": {fresh(connectedBefore, pausedUntil(time.Hour)), connected,
			v1alpha1.InstanceRestricted, v1alpha1.ReasonRestricted, true},
		"no longer restricted": {fresh(connectedBefore, pausedUntil(0)), connected,
			v1alpha1.InstanceConnected, v1alpha1.ReasonConnected, true},
		"logged out": {fresh(connectedBefore), disconnected, v1alpha1.InstanceDisconnected,
			v1alpha1.ReasonLoggedOut, false},
		"reconnecting": {fresh(connectedBefore), connecting, v1alpha1.InstanceDisconnected,
			v1alpha1.ReasonNotConnected, false},
		"suspended and connected": {fresh(connectedBefore, suspended), connected, v1alpha1.InstanceConnected,
			v1alpha1.ReasonSuspended, false},
		"suspended and logged out": {fresh(connectedBefore, suspended), disconnected,
			v1alpha1.InstanceDisconnected, v1alpha1.ReasonSuspended, false},
		"paired again after being connected": {fresh(connectedBefore, pairingUntil(time.Minute)), connecting,
			v1alpha1.InstancePairing, v1alpha1.ReasonPairing, false},
	} {
		t.Run(name, func(t *testing.T) {
			Observe(test.instance, test.state, now)
			expectReady(t, test.instance, test.phase, test.reason, test.ready)
			if !apimeta.IsStatusConditionTrue(test.instance.Status.Conditions, v1alpha1.ConditionGatewayReachable) {
				t.Error("a gateway that answers is not reachable")
			}
		})
	}
}

func expectReady(t *testing.T, instance *v1alpha1.WhatsAppInstance, phase v1alpha1.InstancePhase, reason string,
	ready bool) {
	t.Helper()
	condition := apimeta.FindStatusCondition(instance.Status.Conditions, v1alpha1.ConditionReady)
	if condition == nil {
		t.Fatal("there is no Ready condition")
	}
	if instance.Status.Phase != phase || condition.Reason != reason ||
		(condition.Status == metav1.ConditionTrue) != ready {
		t.Errorf("phase %s, Ready %s/%s; want %s, %t/%s", instance.Status.Phase, condition.Status, condition.Reason,
			phase, ready, reason)
	}
	if instance.Status.ObservedGeneration != instance.Generation ||
		condition.ObservedGeneration != instance.Generation {
		t.Error("the generation is not noted as observed")
	}
}

func TestObserveConnected(t *testing.T) {
	instance := fresh(pairingUntil(time.Minute))
	Observe(instance, gateway.State{Connection: gateway.Connected, Phone: "5511999990000"}, now)
	if instance.Status.Phone != "+5511999990000" || !instance.Status.LastConnectedTime.Equal(at(0)) {
		t.Errorf("phone %q, connected at %v", instance.Status.Phone, instance.Status.LastConnectedTime)
	}
	if PairingOpen(instance, now) || PairingTimedOut(instance, now.Add(time.Hour)) {
		t.Error("the pairing attempt has not ended with success")
	}
	before := instance.DeepCopy()
	Observe(instance, gateway.State{Connection: gateway.Connected, Phone: "5511999990000"}, now.Add(time.Minute))
	if !instance.Status.LastConnectedTime.Equal(before.Status.LastConnectedTime) {
		t.Error("to stay connected is not to become connected")
	}
	Observe(instance, gateway.State{Connection: gateway.Disconnected, DisconnectReason: strings.Repeat("ã", 300)},
		now.Add(time.Hour))
	expectReady(t, instance, v1alpha1.InstanceDisconnected, v1alpha1.ReasonLoggedOut, false)
	if got := instance.Status.LastDisconnectReason; got != gateway.UnknownReason {
		t.Errorf("the reason is shown as %q", got)
	}
}

// The warm-up counts from the first connection: what is written here must never move.
func TestFirstConnectedTime(t *testing.T) {
	connected := gateway.State{Connection: gateway.Connected}
	before := func(phase v1alpha1.InstancePhase, first, last *metav1.Time) *v1alpha1.WhatsAppInstance {
		return fresh(func(i *v1alpha1.WhatsAppInstance) {
			i.Status.Phase, i.Status.FirstConnectedTime, i.Status.LastConnectedTime = phase, first, last
		})
	}
	for name, test := range map[string]struct {
		instance    *v1alpha1.WhatsAppInstance
		first, last *metav1.Time
	}{
		"never connected": {before(v1alpha1.InstancePairing, nil, nil), at(0), at(0)},
		"stays connected": {before(v1alpha1.InstanceConnected, at(-72*time.Hour),
			at(-time.Hour)), at(-72 * time.Hour), at(-time.Hour)},
		"paired again": {before(v1alpha1.InstancePairing, at(-72*time.Hour), at(-time.Hour)),
			at(-72 * time.Hour), at(0)},
		"was made again": {before(v1alpha1.InstancePending, at(-72*time.Hour), at(-time.Hour)),
			at(-72 * time.Hour), at(0)},
		"connected since before it was noted": {before(v1alpha1.InstanceConnected, nil, at(-time.Hour)),
			at(-time.Hour), at(-time.Hour)},
		"restricted since before it was noted": {before(v1alpha1.InstanceRestricted, nil, at(-time.Hour)),
			at(-time.Hour), at(-time.Hour)},
		"away when it began to be noted": {before(v1alpha1.InstanceDisconnected, nil, at(-time.Hour)),
			at(-time.Hour), at(0)},
		"failing when it began to be noted": {before(v1alpha1.InstanceFailed, nil, at(-time.Hour)), at(-time.Hour),
			at(0)},
		"connected, and nobody knows how long": {before(v1alpha1.InstanceConnected, nil, nil), at(0), at(0)},
		"first connected, and last is not known": {before(v1alpha1.InstanceConnected, at(-time.Hour), nil),
			at(-time.Hour), at(0)},
	} {
		t.Run(name, func(t *testing.T) {
			for range 2 {
				Observe(test.instance, connected, now)
				if got := test.instance.Status; !got.FirstConnectedTime.Equal(test.first) ||
					!got.LastConnectedTime.Equal(test.last) {
					t.Errorf("first connected at %v, last at %v; want %v and %v", got.FirstConnectedTime,
						got.LastConnectedTime, test.first, test.last)
				}
			}
		})
	}
}

func TestPairingRequest(t *testing.T) {
	for name, test := range map[string]struct{ asked, handled, want string }{
		"nobody asks":               {"", "", ""},
		"asked":                     {"2027-03-01T12:00:00Z", "", "2027-03-01T12:00:00Z"},
		"asked, and handled":        {"2027-03-01T12:00:00Z", "2027-03-01T12:00:00Z", ""},
		"asked again":               {"2027-03-01T12:00:01Z", "2027-03-01T12:00:00Z", "2027-03-01T12:00:01Z"},
		"too long":                  {strings.Repeat("a", 65), "", strings.Repeat("a", 64)},
		"too long, and handled":     {strings.Repeat("a", 65), strings.Repeat("a", 64), ""},
		"cut in a character's half": {"a" + strings.Repeat("ã", 64), "", "a" + strings.Repeat("ã", 31)},
		"taken back":                {"", "2027-03-01T12:00:00Z", ""},
	} {
		t.Run(name, func(t *testing.T) {
			instance := fresh(pairingUntil(0), func(i *v1alpha1.WhatsAppInstance) {
				i.Annotations = map[string]string{v1alpha1.AnnotationPairRequested: test.asked}
				i.Status.Pairing.HandledRequest = test.handled
			})
			if got := PairingRequest(instance); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestRestrict(t *testing.T) {
	for name, test := range map[string]struct {
		instance *v1alpha1.WhatsAppInstance
		until    time.Duration
		phase    v1alpha1.InstancePhase
	}{
		"connected": {fresh(connectedBefore), time.Hour, v1alpha1.InstanceRestricted},
		"restricted for longer": {fresh(connectedBefore, pausedUntil(time.Minute)), time.Hour,
			v1alpha1.InstanceRestricted},
		"over already": {fresh(connectedBefore), -time.Second, v1alpha1.InstanceConnected},
		"logged out meanwhile": {fresh(func(i *v1alpha1.WhatsAppInstance) {
			i.Status.Phase = v1alpha1.InstanceDisconnected
		}), time.Hour, v1alpha1.InstanceDisconnected},
	} {
		t.Run(name, func(t *testing.T) {
			Restrict(test.instance, now.Add(test.until), now)
			paused := test.instance.Status.NewConversationsPausedUntil
			if test.instance.Status.Phase != test.phase || (test.until > 0) != paused.Equal(at(test.until)) {
				t.Errorf("phase %s, paused until %v", test.instance.Status.Phase, paused)
			}
			Observe(test.instance, gateway.State{Connection: gateway.Connected}, now.Add(2*time.Hour))
			expectReady(t, test.instance, v1alpha1.InstanceConnected, v1alpha1.ReasonConnected, true)
			if test.instance.Status.NewConversationsPausedUntil != nil {
				t.Error("the restriction has passed and is still written")
			}
		})
	}
}

func TestFailed(t *testing.T) {
	failed := func(class failure.Class, code failure.Code, status int) error {
		return &failure.Error{Class: class, Code: code, Op: "test: call", Status: status}
	}
	for name, test := range map[string]struct {
		instance  *v1alpha1.WhatsAppInstance
		err       error
		phase     v1alpha1.InstancePhase
		reason    string
		reachable string
	}{
		"down before it was ever connected": {fresh(), failed(failure.Transient, failure.Unavailable, 0),
			v1alpha1.InstancePending, v1alpha1.ReasonGatewayUnreachable, v1alpha1.ReasonGatewayUnreachable},
		"down while pairing": {fresh(func(i *v1alpha1.WhatsAppInstance) {
			i.Status.Phase = v1alpha1.InstancePairing
		}), failed(failure.Ambiguous, failure.TimedOut, 0), v1alpha1.InstancePairing, v1alpha1.ReasonGatewayUnreachable,
			v1alpha1.ReasonGatewayUnreachable},
		"down while connected": {fresh(connectedBefore), failed(failure.Transient, failure.Unavailable, 502),
			v1alpha1.InstanceConnected, "", v1alpha1.ReasonGatewayUnreachable},
		"throttled": {fresh(), failed(failure.Throttled, failure.RateLimited, 429), v1alpha1.InstancePending,
			v1alpha1.ReasonThrottled, v1alpha1.ReasonThrottled},
		"unauthorized": {fresh(connectedBefore), failed(failure.Terminal, failure.Unauthorized, 401),
			v1alpha1.InstanceFailed, v1alpha1.ReasonGatewayUnauthorized, v1alpha1.ReasonReachable},
		"refused": {fresh(), failed(failure.Terminal, failure.InvalidInput, 400), v1alpha1.InstanceFailed,
			v1alpha1.ReasonGatewayRefused, v1alpha1.ReasonReachable},
		"misconfigured": {fresh(), failed(failure.Terminal, failure.Misconfigured, 0), v1alpha1.InstanceFailed,
			v1alpha1.ReasonNoCredentials, ""},
		"not classed": {fresh(), errors.New("token=secret"), v1alpha1.InstancePending,
			v1alpha1.ReasonGatewayUnreachable, v1alpha1.ReasonGatewayUnreachable},
	} {
		t.Run(name, func(t *testing.T) {
			Failed(test.instance, test.err, now)
			if test.instance.Status.Phase != test.phase {
				t.Errorf("phase %s, want %s", test.instance.Status.Phase, test.phase)
			}
			expectReason(t, test.instance, v1alpha1.ConditionReady, test.reason)
			expectReason(t, test.instance, v1alpha1.ConditionGatewayReachable, test.reachable)
		})
	}
}

func expectReason(t *testing.T, instance *v1alpha1.WhatsAppInstance, kind, reason string) {
	t.Helper()
	condition := apimeta.FindStatusCondition(instance.Status.Conditions, kind)
	got := ""
	if condition != nil {
		got = condition.Reason
		if strings.Contains(condition.Message, "secret") {
			t.Errorf("%s holds the text of an error nobody classed: %s", kind, condition.Message)
		}
	}
	if got != reason {
		t.Errorf("%s has reason %q, want %q", kind, got, reason)
	}
}

func TestCanSend(t *testing.T) {
	for name, test := range map[string]struct {
		instance        *v1alpha1.WhatsAppInstance
		starts, answers bool
	}{
		"connected":              {gen.InstanceObject(), true, true},
		"restricted":             {gen.InstanceObject(pausedUntil(time.Minute)), false, true},
		"restriction has passed": {gen.InstanceObject(pausedUntil(0)), true, true},
		"suspended":              {gen.InstanceObject(suspended), false, false},
		"being deleted": {gen.InstanceObject(func(i *v1alpha1.WhatsAppInstance) {
			i.DeletionTimestamp = at(0)
		}), false, false},
		"not provisioned": {gen.InstanceObject(func(i *v1alpha1.WhatsAppInstance) {
			i.Status.CredentialsSecretRef = nil
		}), false, false},
		"not ready": {gen.InstanceObject(func(i *v1alpha1.WhatsAppInstance) { i.Status.Conditions = nil }), false,
			false},
	} {
		t.Run(name, func(t *testing.T) {
			if starts, answers := CanSend(test.instance, true, now), CanSend(test.instance, false,
				now); starts != test.starts || answers != test.answers {
				t.Errorf("starts %t, answers %t; want %t, %t", starts, answers, test.starts, test.answers)
			}
		})
	}
}

func TestUnreadyKeepsPhase(t *testing.T) {
	instance := fresh(connectedBefore)
	Unready(instance, "", v1alpha1.ReasonStoreNotFound, "no Store", now)
	expectReady(t, instance, v1alpha1.InstanceConnected, v1alpha1.ReasonStoreNotFound, false)
}
