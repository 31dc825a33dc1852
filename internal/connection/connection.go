// Package connection turns what a gateway says of an instance into the status of its
// WhatsAppInstance. Pure functions, shared by the controller that polls and the webhook
// server that asks on demand.
package connection

import (
	"strings"
	"time"

	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/clip"
	"cartrecovery.dev/operator/internal/failure"
	"cartrecovery.dev/operator/internal/gateway"
	"cartrecovery.dev/operator/internal/progress"
)

// DefaultPairingTimeout is how long one pairing attempt waits for a phone.
const DefaultPairingTimeout = 10 * time.Minute

const (
	// maxPhone, maxReason and maxMessage bound what is stored of what a gateway says, in runes.
	maxPhone   = 24
	maxReason  = 256
	maxMessage = 512
	// maxRequest bounds the pairing request that is noted, in bytes.
	maxRequest = 64
)

const pairAgain = "POST /api/whatsapp/connect/{clientId} or the annotation " + v1alpha1.AnnotationPairRequested

// Observe writes what the gateway just said into the status: phase, number, and the
// conditions Ready and GatewayReachable. The caller patches only what changed.
func Observe(instance *v1alpha1.WhatsAppInstance, state gateway.State, now time.Time) {
	status := &instance.Status
	status.ObservedGeneration = instance.Generation
	reachable(instance, metav1.ConditionTrue, v1alpha1.ReasonReachable, "the gateway answers", now)
	if state.Connection != gateway.Connected && state.DisconnectReason != "" {
		// Once more, as this is where it is stored: a gateway could repeat a token in it.
		status.LastDisconnectReason = clip.Characters(gateway.KnownReason(state.DisconnectReason), maxReason)
	}
	switch {
	case state.Connection == gateway.Connected:
		connected(instance, state, now)
	case PairingOpen(instance, now):
		pairing(instance, now)
	default:
		away(instance, state, now)
	}
}

// connected also ends the pairing attempt: it had its outcome.
func connected(instance *v1alpha1.WhatsAppInstance, state gateway.State, now time.Time) {
	status := &instance.Status
	if status.FirstConnectedTime == nil {
		// A number that was connected before the status had this field is not a fresh one.
		status.FirstConnectedTime = status.LastConnectedTime.DeepCopy()
	}
	becomes := status.Phase != v1alpha1.InstanceConnected && status.Phase != v1alpha1.InstanceRestricted
	if becomes || status.LastConnectedTime == nil {
		status.LastConnectedTime = &metav1.Time{Time: whole(now)}
	}
	if status.FirstConnectedTime == nil {
		status.FirstConnectedTime = status.LastConnectedTime.DeepCopy()
	}
	if status.Pairing != nil {
		status.Pairing.ExpiresAt = nil
	}
	if state.Phone != "" {
		status.Phone = clip.Characters("+"+strings.TrimPrefix(state.Phone, "+"), maxPhone)
	}
	status.Phase = v1alpha1.InstanceConnected
	reason, message := v1alpha1.ReasonConnected, "the number is connected"
	if isNotSending(instance) {
		// The gateway calls a dead number connected all the time; see SendsAgain.
		ready(instance, metav1.ConditionFalse, v1alpha1.ReasonNotSending, notSending, now)
		return
	}
	if until := status.NewConversationsPausedUntil; until != nil && until.After(now) {
		status.Phase = v1alpha1.InstanceRestricted
		reason, message = v1alpha1.ReasonRestricted, "WhatsApp allows this number no new conversations until "+
			until.UTC().Format(time.RFC3339)
	} else {
		status.NewConversationsPausedUntil = nil
	}
	ready(instance, metav1.ConditionTrue, reason, message, now)
}

// away writes that a number is neither connected nor being paired.
func away(instance *v1alpha1.WhatsAppInstance, state gateway.State, now time.Time) {
	switch {
	case PairingTimedOut(instance, now):
		TimedOut(instance, now)
	case instance.Status.LastConnectedTime == nil:
		Unready(instance, v1alpha1.InstancePending, v1alpha1.ReasonNotConnected, "no phone is paired yet", now)
	case state.Connection == gateway.Connecting:
		Unready(instance, v1alpha1.InstanceDisconnected, v1alpha1.ReasonNotConnected,
			"the gateway is connecting the number; if it does not succeed, pair it again with "+pairAgain, now)
	default:
		Unready(instance, v1alpha1.InstanceDisconnected, v1alpha1.ReasonLoggedOut,
			"the number is not connected; pair it again with "+pairAgain, now)
	}
}

// TimedOut writes that the pairing attempt ended without a phone, or without anything that a
// phone could have been paired by.
func TimedOut(instance *v1alpha1.WhatsAppInstance, now time.Time) {
	if readyReason(instance) == v1alpha1.ReasonNoQRCode {
		Unready(instance, v1alpha1.InstanceDisconnected, v1alpha1.ReasonNoQRCode,
			noQRCode+"; then ask for a new attempt with "+pairAgain, now)
		return
	}
	Unready(instance, v1alpha1.InstanceDisconnected, v1alpha1.ReasonPairingTimedOut,
		"nobody paired a phone in time; ask for a new attempt with "+pairAgain, now)
}

// PairingOpen says whether a pairing attempt waits for a phone.
func PairingOpen(instance *v1alpha1.WhatsAppInstance, now time.Time) bool {
	pairing := instance.Status.Pairing
	return pairing != nil && pairing.ExpiresAt != nil && now.Before(pairing.ExpiresAt.Time)
}

// PairingRequest is the value of the annotation cartrecovery.dev/pair-requested-at that was
// not acted on yet, cut to what status.pairing.handledRequest takes; "" when there is none.
func PairingRequest(instance *v1alpha1.WhatsAppInstance) string {
	request := clip.Bytes(instance.Annotations[v1alpha1.AnnotationPairRequested], maxRequest)
	if pairing := instance.Status.Pairing; pairing != nil && pairing.HandledRequest == request {
		return ""
	}
	return request
}

// Restrict writes that WhatsApp lets the number start no new conversations until a time.
func Restrict(instance *v1alpha1.WhatsAppInstance, until, now time.Time) {
	instance.Status.NewConversationsPausedUntil = &metav1.Time{Time: until.UTC().Truncate(time.Second)}
	if instance.Status.Phase == v1alpha1.InstanceConnected || instance.Status.Phase == v1alpha1.InstanceRestricted {
		connected(instance, gateway.State{}, now)
	}
}

// PairingTimedOut says whether the last pairing attempt ended without a phone.
func PairingTimedOut(instance *v1alpha1.WhatsAppInstance, now time.Time) bool {
	pairing := instance.Status.Pairing
	return pairing != nil && pairing.ExpiresAt != nil && !now.Before(pairing.ExpiresAt.Time)
}

func pairingMessage(instance *v1alpha1.WhatsAppInstance) string {
	if instance.Spec.Pairing.Method == v1alpha1.PairingPairCode {
		return "waiting for the pair code to be entered on the phone; it is in the Secret that " +
			"status.pairing.secretRef names"
	}
	return "waiting for a phone to scan the QR; it is in the Secret that status.pairing.secretRef names"
}

// noQRCodeAfter is how long a gateway that answers may take for the first QR or pair code.
const noQRCodeAfter = time.Minute

const noQRCode = "the gateway makes no QR or pair code: its version may be too old for WhatsApp, or it does not " +
	"reach WhatsApp; look into the gateway's log, update or restart it"

// pairing writes how far an attempt is: the gateway was asked, has made something to pair with,
// or has made nothing for too long.
func pairing(instance *v1alpha1.WhatsAppInstance, now time.Time) {
	reason, message := v1alpha1.ReasonPairing, pairingMessage(instance)
	switch {
	case instance.Status.Pairing.SecretRef != nil:
	case now.Sub(waitsSince(instance)) >= noQRCodeAfter:
		reason, message = v1alpha1.ReasonNoQRCode, noQRCode
	default:
		message = asked
	}
	Unready(instance, v1alpha1.InstancePairing, reason, message, now)
}

// asked is what people are told before there is anything to pair with.
const asked = "the gateway is asked for a QR or pair code"

// waitsSince is since when a gateway that answers has owed an attempt its QR or pair code.
func waitsSince(instance *v1alpha1.WhatsAppInstance) time.Time {
	var since time.Time
	if began := instance.Status.Pairing.StartedAt; began != nil {
		since = began.Time
	}
	answers := apimeta.FindStatusCondition(instance.Status.Conditions, v1alpha1.ConditionGatewayReachable)
	if answers != nil && answers.Status == metav1.ConditionTrue && answers.LastTransitionTime.After(since) {
		since = answers.LastTransitionTime.Time
	}
	return since
}

// AskedToPair writes that an attempt has begun.
func AskedToPair(instance *v1alpha1.WhatsAppInstance, now time.Time) {
	Unready(instance, v1alpha1.InstancePairing, v1alpha1.ReasonPairing, asked, now)
}

const notSending = "the gateway calls the number connected and refuses every message; restart its instance there, " +
	"or pair it again: log it out on the phone and ask with the annotation " + v1alpha1.AnnotationPairRequested

// NotSending writes that a number which its gateway calls connected sends nothing.
func NotSending(instance *v1alpha1.WhatsAppInstance, now time.Time) {
	ready(instance, metav1.ConditionFalse, v1alpha1.ReasonNotSending, notSending, now)
}

// SendsAgain ends NotSending: a message went, or the connection is another one.
func SendsAgain(instance *v1alpha1.WhatsAppInstance, now time.Time) {
	if isNotSending(instance) {
		ready(instance, metav1.ConditionFalse, v1alpha1.ReasonNotConnected,
			"the gateway is asked for the connection anew", now)
	}
}

func isNotSending(instance *v1alpha1.WhatsAppInstance) bool {
	return readyReason(instance) == v1alpha1.ReasonNotSending
}

// readyReason is the reason of the condition Ready, "" when there is none.
func readyReason(instance *v1alpha1.WhatsAppInstance) string {
	if known := apimeta.FindStatusCondition(instance.Status.Conditions, v1alpha1.ConditionReady); known != nil {
		return known.Reason
	}
	return ""
}

// Failed writes a failed gateway call into the status. A gateway that does not answer
// leaves phase and Ready alone once connected: the last known state stays, marked by
// GatewayReachable.
func Failed(instance *v1alpha1.WhatsAppInstance, err error, now time.Time) {
	status := &instance.Status
	status.ObservedGeneration = instance.Generation
	message := clip.Characters(Message(err), maxMessage)
	if failure.ClassOf(err) != failure.Terminal {
		reason := v1alpha1.ReasonGatewayUnreachable
		if failure.ClassOf(err) == failure.Throttled {
			reason = v1alpha1.ReasonThrottled
		}
		reachable(instance, metav1.ConditionFalse, reason, message, now)
		if status.Phase != v1alpha1.InstanceConnected && status.Phase != v1alpha1.InstanceRestricted {
			ready(instance, metav1.ConditionFalse, reason, message, now)
		}
		return
	}
	if failed, ok := failure.As(err); ok && failed.Status != 0 {
		reachable(instance, metav1.ConditionTrue, v1alpha1.ReasonReachable, "the gateway answers", now)
	}
	Unready(instance, v1alpha1.InstanceFailed, refusalReason(err), message, now)
}

func refusalReason(err error) string {
	switch failure.CodeOf(err) {
	case failure.Unauthorized:
		return v1alpha1.ReasonGatewayUnauthorized
	case failure.Misconfigured:
		return failure.ReasonOf(err, v1alpha1.ReasonNoCredentials)
	default:
		return v1alpha1.ReasonGatewayRefused
	}
}

// Message is what may be shown of an error: a classed one's own words, and nothing of any
// other.
func Message(err error) string {
	if failed, ok := failure.As(err); ok {
		return failed.Shown()
	}
	return "the call failed; see the operator's log"
}

// Unready writes that nothing can be sent from the instance, and why; an empty phase
// leaves the phase as it is.
func Unready(instance *v1alpha1.WhatsAppInstance, phase v1alpha1.InstancePhase, reason, message string, now time.Time) {
	if phase != "" {
		instance.Status.Phase = phase
	}
	instance.Status.ObservedGeneration = instance.Generation
	ready(instance, metav1.ConditionFalse, reason, message, now)
}

// ready writes the Ready condition; a suspended instance is never ready, whatever the
// gateway says.
func ready(instance *v1alpha1.WhatsAppInstance, value metav1.ConditionStatus, reason, message string, now time.Time) {
	if instance.Spec.Suspend {
		value, reason, message = metav1.ConditionFalse, v1alpha1.ReasonSuspended,
			"spec.suspend is set: nothing is sent from this number, and its state is not asked for"
	}
	set(instance, v1alpha1.ConditionReady, value, reason, message, now)
	progress.Tell(&instance.Status.Conditions, now)
	tellCanSend(instance, now)
}

func reachable(instance *v1alpha1.WhatsAppInstance, value metav1.ConditionStatus, reason, message string,
	now time.Time) {
	set(instance, v1alpha1.ConditionGatewayReachable, value, reason, message, now)
	tellCanSend(instance, now)
}

// tellCanSend writes what CanSend says of new conversations. Where the status said it before and only time has passed,
// it is written with the next observation.
func tellCanSend(instance *v1alpha1.WhatsAppInstance, now time.Time) {
	if CanSend(instance, true, now) {
		set(instance, v1alpha1.ConditionCanSend, metav1.ConditionTrue, v1alpha1.ReasonConnected,
			"recoveries can begin from this number", now)
		return
	}
	because := v1alpha1.ConditionReady
	if apimeta.IsStatusConditionTrue(instance.Status.Conditions, because) && !CanSend(instance, false, now) {
		because = v1alpha1.ConditionGatewayReachable
	}
	reason := v1alpha1.ReasonNotConnected
	if found := apimeta.FindStatusCondition(instance.Status.Conditions, because); found != nil {
		reason = found.Reason
	}
	set(instance, v1alpha1.ConditionCanSend, metav1.ConditionFalse, reason, "see the condition "+because, now)
}

// Webhook writes whether the gateway knows where to post.
func Webhook(instance *v1alpha1.WhatsAppInstance, value metav1.ConditionStatus, reason, message string, now time.Time) {
	set(instance, v1alpha1.ConditionWebhookRegistered, value, reason, clip.Characters(message, maxMessage), now)
}

func set(instance *v1alpha1.WhatsAppInstance, kind string, value metav1.ConditionStatus, reason, message string,
	now time.Time) {
	apimeta.SetStatusCondition(&instance.Status.Conditions, metav1.Condition{
		Type: kind, Status: value, Reason: reason, Message: message,
		ObservedGeneration: instance.Generation, LastTransitionTime: metav1.NewTime(whole(now)),
	})
}

func whole(at time.Time) time.Time { return at.UTC().Truncate(time.Second) }

// CanSend says whether messages may be sent from this instance now; starts says that the
// message would start a conversation. While the gateway is known not to answer nothing is
// tried: every lead that is due would write its failure.
func CanSend(instance *v1alpha1.WhatsAppInstance, starts bool, now time.Time) bool {
	if instance.Spec.Suspend || instance.DeletionTimestamp != nil || instance.Status.CredentialsSecretRef == nil {
		return false
	}
	ready := apimeta.IsStatusConditionTrue(instance.Status.Conditions, v1alpha1.ConditionReady) &&
		!apimeta.IsStatusConditionFalse(instance.Status.Conditions, v1alpha1.ConditionGatewayReachable)
	paused := instance.Status.NewConversationsPausedUntil
	return ready && (!starts || paused == nil || !paused.After(now))
}
