package whatsappinstance

import (
	"time"

	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/connection"
	"cartrecovery.dev/operator/internal/gateway"
	"cartrecovery.dev/operator/internal/instant"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/pace"
)

const (
	// connectEvery is the least time between two requests for a QR or pair code; slowConnect is
	// after one that timed out, which the gateway may still be busy with.
	connectEvery = 20 * time.Second
	slowConnect  = time.Minute
	// settleAfter is how long a creation whose outcome nobody knows is left alone before the
	// gateway is asked for it: longer than the call and its handling can take.
	settleAfter = 2 * gateway.Timeout
)

// snapshot is everything plan decides on.
type snapshot struct {
	instance *v1alpha1.WhatsAppInstance
	// storeFound: the Store exists.
	storeFound bool
	// supported: this version speaks the gateway's type.
	supported bool
	// misconfigured: the gateway cannot be called before a person changes something.
	misconfigured bool
	// credentials are what the owned Secret holds.
	credentials credentials
	// unidentified: the object does not say yet under which UID the gateway is to know it.
	unidentified bool
	// webhook is a hash of the URL the gateway should post to, "" when there is none.
	webhook string
	// giveUpAfter is how long the deletion at the gateway is tried.
	giveUpAfter time.Duration
	// refusals are the messages that the gateway refused in a row.
	refusals pace.Refusals
	memory   memory
	now      time.Time
}

// credentials are what plan needs to know of the owned Secret with the credentials.
type credentials struct {
	// found: the Secret exists.
	found bool
	// webhookKey and token: it holds them.
	webhookKey, token bool
	// elsewhere: the token belongs to another gateway than the one the spec names.
	elsewhere bool
	// begun: a creation at the gateway has begun, now or ever.
	begun bool
	// creatingSince is when one began whose outcome is not stored.
	creatingSince time.Time
}

// memory is what is known of an instance beside its resource. It may be lost at any time:
// what is missing is asked of the gateway again.
type memory struct {
	// state is the connection as the gateway told it last, "" when it was not asked.
	state gateway.Connection
	// askedFor is the pairing request for which the gateway was last called.
	askedFor string
	// changed is the connection change for which the gateway was last called.
	changed string
	// connectedFor is the pairing attempt that a QR or pair code was last asked for.
	connectedFor int32
	// pairingWith is what the gateway waits for, method and phone, "" when it waits for
	// nothing that is known. It is kept when the spec changes.
	pairingWith string
	// display is what is known of what the gateway shows to pair with.
	display display
	// revived is what was tried with a number that its gateway calls connected and that sends nothing.
	revived revival
	// paceAt is when the status may show the pace again.
	paceAt time.Time
	// settled is the beginning of the last creation, once its call has ended and its outcome
	// is known.
	settled time.Time
	// reprovisioned: the instance was gone and has been made again, and the gateway has not
	// accepted its new token yet.
	reprovisioned bool
	// tried: the deletion at the gateway was tried.
	tried bool
	// failures counts the failed calls in a row.
	failures int

	nextPoll, nextConnect time.Time
	// retryAt is when the gateway may be called again after a failure, webhookRetryAt when
	// the webhook may be registered again.
	retryAt, webhookRetryAt time.Time
}

// kind is what an action does.
type kind string

const (
	// wait does nothing until a time, or until something changes.
	wait kind = "Wait"
	// halt writes why nothing is done.
	halt kind = "Halt"
	// complain writes what is wrong with the configuration.
	complain kind = "Complain"
	// guard adds the finalizer, release removes it.
	guard   kind = "Guard"
	release kind = "Release"
	// identify writes under which UID the gateway is to know the instance.
	identify kind = "Identify"
	// prepare makes the Secret with the webhook key.
	prepare kind = "Prepare"
	// provision finds or creates the instance at the gateway.
	provision kind = "Provision"
	// forget drops a token that is of no use.
	forget kind = "Forget"
	// register tells the gateway where to post.
	register kind = "Register"
	// unregistered writes that there is no URL to post to.
	unregistered kind = "Unregistered"
	// poll asks for the connection.
	poll kind = "Poll"
	// acknowledge notes a pairing request that needs no action.
	acknowledge kind = "Acknowledge"
	// beginPairing begins or prolongs a pairing attempt, endPairing removes what it showed.
	beginPairing kind = "BeginPairing"
	endPairing   kind = "EndPairing"
	// connect asks for a QR or pair code.
	connect kind = "Connect"
	// revive restarts a number that its gateway calls connected and that sends nothing.
	revive kind = "Revive"
	// trace looks for the instance of an object that is being deleted, and deletes it.
	trace kind = "Trace"
	// destroy deletes the instance at the gateway, then releases.
	destroy kind = "Destroy"
	// abandon gives the deletion at the gateway up, then releases.
	abandon kind = "Abandon"
)

// action is the one thing to do next.
type action struct {
	kind kind
	// until is when to look again; zero: when something changes.
	until time.Time
	// phase, reason and message are what halt writes.
	phase           v1alpha1.InstancePhase
	reason, message string
}

// callsGateway says whether the action waits for the gateway.
func (a action) callsGateway() bool {
	switch a.kind {
	case provision, register, poll, connect, revive, trace, destroy:
		return true
	default:
		return false
	}
}

// plan decides what to do next.
func plan(s *snapshot) action {
	if s.instance.DeletionTimestamp != nil {
		return planDeletion(s)
	}
	for _, decide := range []func(*snapshot) (action, bool){
		planGuard, planPairingEnd, planHalt, planCredentials, planBackoff, planProvision, planWebhook, planPoll,
		planRevival, planPairing,
	} {
		if next, decided := decide(s); decided {
			return next
		}
	}
	return action{kind: wait, until: s.nextLook()}
}

// planDeletion deletes the instance at the gateway, where that is asked for, and gives up
// in time: no object and no namespace may hang on a gateway. It is tried once at least,
// whatever the API server's clock says.
func planDeletion(s *snapshot) action {
	instance, deadline := s.instance, s.instance.DeletionTimestamp.Add(s.giveUpAfter)
	neverMade := instance.Status.CredentialsSecretRef == nil ||
		(s.credentials.found && !s.credentials.token && !s.credentials.begun)
	switch {
	case !controllerutil.ContainsFinalizer(instance, v1alpha1.Finalizer):
		return action{kind: wait}
	case instance.Spec.DeletionPolicy != v1alpha1.DeletionDelete || neverMade:
		return action{kind: release}
	case !s.now.Before(deadline) && s.memory.tried:
		return action{kind: abandon}
	case s.now.Before(s.memory.retryAt):
		return action{kind: wait, until: instant.Earlier(s.memory.retryAt, deadline)}
	case s.misconfigured:
		return action{kind: complain}
	case s.credentials.elsewhere:
		return action{kind: forget}
	case s.credentials.token:
		return action{kind: destroy}
	case s.now.Before(s.settled()):
		return action{kind: wait, until: instant.Earlier(s.settled(), deadline)}
	}
	return action{kind: trace}
}

// planGuard keeps the finalizer exactly as long as there is something to do on deletion.
func planGuard(s *snapshot) (action, bool) {
	wanted := s.instance.Spec.DeletionPolicy == v1alpha1.DeletionDelete
	switch guarded := controllerutil.ContainsFinalizer(s.instance, v1alpha1.Finalizer); {
	case wanted && !guarded:
		return action{kind: guard}, true
	case !wanted && guarded:
		return action{kind: release}, true
	}
	return action{}, false
}

// planPairingEnd empties the Secret as soon as nobody needs what it shows.
func planPairingEnd(s *snapshot) (action, bool) {
	pairing := s.instance.Status.Pairing
	begun := connection.PairingOpen(s.instance, s.now)
	open := begun && !s.instance.Spec.Suspend && s.storeFound && s.supported
	return action{kind: endPairing}, pairing != nil && (pairing.SecretRef != nil || begun) && !open
}

// planHalt stops where only a change of the resources helps, and says why.
func planHalt(s *snapshot) (action, bool) {
	switch {
	case s.instance.Spec.Suspend:
		return action{kind: halt, reason: v1alpha1.ReasonSuspended, message: "suspended"}, true
	case lead.ImportIncomplete(s.instance):
		return action{
			kind: halt, reason: v1alpha1.ReasonSuspended,
			message: "its token was not imported; run the import again (docs/moving-in.md)",
		}, true
	case !s.storeFound:
		return action{
			kind: halt, reason: v1alpha1.ReasonStoreNotFound,
			message: "spec.storeRef: there is no such Store in this namespace",
		}, true
	case !s.supported:
		return action{
			kind: halt, phase: v1alpha1.InstanceFailed, reason: v1alpha1.ReasonGatewayUnsupported,
			message: "spec.gateway.type: this version of the operator does not speak " +
				string(s.instance.Spec.Gateway.Type),
		}, true
	}
	return action{}, false
}

// planCredentials sees to what is needed before the gateway may be called.
func planCredentials(s *snapshot) (action, bool) {
	switch {
	case s.misconfigured && s.now.Before(s.memory.retryAt):
		return action{kind: wait, until: s.orPairingEnd(s.memory.retryAt)}, true
	case s.misconfigured:
		return action{kind: complain}, true
	case s.unidentified:
		return action{kind: identify}, true
	case s.instance.Status.CredentialsSecretRef == nil || !s.credentials.webhookKey:
		if s.now.Before(s.memory.retryAt) {
			return action{kind: wait, until: s.orPairingEnd(s.memory.retryAt)}, true
		}
		return action{kind: prepare}, true
	case s.credentials.elsewhere:
		return action{kind: forget}, true
	}
	return action{}, false
}

// planBackoff waits after a failed call of the gateway, unless a person asks.
func planBackoff(s *snapshot) (action, bool) {
	backingOff := s.now.Before(s.memory.retryAt) && !s.isNewlyAsked()
	return action{kind: wait, until: s.nextLook()}, backingOff
}

// planProvision makes the instance. A creation whose outcome nobody knows, because it
// timed out or the operator was stopped, may still be under way at the gateway.
func planProvision(s *snapshot) (action, bool) {
	switch {
	case s.credentials.token:
		return action{}, false
	case s.now.Before(s.settled()):
		return action{kind: wait, until: s.orPairingEnd(s.settled())}, true
	}
	return action{kind: provision}, true
}

// settled is when the last creation has had its effect, if any.
func (s *snapshot) settled() time.Time {
	since := s.credentials.creatingSince
	if since.Equal(s.memory.settled) {
		return time.Time{}
	}
	return since.Add(settleAfter)
}

// planWebhook tells the gateway where to post, and again whenever that has changed.
func planWebhook(s *snapshot) (action, bool) {
	condition := apimeta.FindStatusCondition(s.instance.Status.Conditions, v1alpha1.ConditionWebhookRegistered)
	if s.webhook == "" {
		noted := condition != nil && condition.Reason == v1alpha1.ReasonNoPublicURL
		return action{kind: unregistered}, !noted
	}
	return action{kind: register}, s.webhookPending() && !s.now.Before(s.memory.webhookRetryAt)
}

// planPoll asks for the connection when it is time, when the gateway said that it has
// changed, when a restriction is over, and before anything is decided on a pairing request.
func planPoll(s *snapshot) (action, bool) {
	due := s.memory.state == "" || !s.now.Before(s.memory.nextPoll) || s.isNewlyAsked() ||
		s.change() != s.memory.changed
	until, restricted := s.restriction()
	return action{kind: poll}, due || (restricted && !s.now.Before(until))
}

// planPairing begins an attempt the first time and when it is asked for, and keeps a QR
// or pair code on show while it lasts.
func planPairing(s *snapshot) (action, bool) {
	pairing, connected := s.instance.Status.Pairing, s.memory.state == gateway.Connected
	requested := s.request() != ""
	first := s.instance.Status.LastConnectedTime == nil && (pairing == nil || pairing.ExpiresAt == nil)
	switch {
	case connected && requested:
		return action{kind: acknowledge}, true
	case connected:
		return action{}, false
	case requested || first:
		return action{kind: beginPairing}, true
	case s.wantsConnect() && !s.now.Before(s.memory.nextConnect):
		return action{kind: connect}, true
	}
	return action{}, false
}

// request is the pairing request that was not acted on yet, "" when there is none.
func (s *snapshot) request() string { return connection.PairingRequest(s.instance) }

// isNewlyAsked says whether there is a pairing request for which the gateway was not asked yet.
func (s *snapshot) isNewlyAsked() bool {
	request := s.request()
	return request != "" && request != s.memory.askedFor
}

// maxRequest bounds the value of an annotation that is kept in the status.
const maxRequest = 64

// change is the last connection change that the gateway told the webhook server of, and the last
// time that a caller asked for the connection; "" when there was neither.
func (s *snapshot) change() string {
	return s.instance.Annotations[v1alpha1.AnnotationConnectionChanged] +
		s.instance.Annotations[v1alpha1.AnnotationStatusRequested]
}

// answeredCaller writes that the gateway was asked for a caller.
func answeredCaller(instance *v1alpha1.WhatsAppInstance) {
	if request := instance.Annotations[v1alpha1.AnnotationStatusRequested]; len(request) <= maxRequest {
		instance.Status.HandledStatusRequest = request
	}
}

// wantsConnect says whether an attempt lacks its QR or pair code: none was asked for, or
// the gateway has given up waiting for the phone.
func (s *snapshot) wantsConnect() bool {
	if !connection.PairingOpen(s.instance, s.now) || s.memory.state == gateway.Connected {
		return false
	}
	return s.memory.connectedFor != s.instance.Status.Pairing.Attempts || s.memory.state == gateway.Disconnected
}

func (s *snapshot) webhookPending() bool {
	registered := apimeta.IsStatusConditionTrue(s.instance.Status.Conditions, v1alpha1.ConditionWebhookRegistered)
	return s.webhook != "" && (s.instance.Status.RegisteredWebhook != s.webhook || !registered)
}

// nextLook is when something is due that no event will tell of.
func (s *snapshot) nextLook() time.Time {
	next := s.memory.nextPoll
	if s.memory.state == "" {
		next = s.memory.retryAt
	}
	if s.webhookPending() {
		next = instant.Earlier(next, s.memory.webhookRetryAt)
	}
	if s.wantsConnect() {
		next = instant.Earlier(next, s.memory.nextConnect)
	}
	if s.memory.retryAt.After(next) {
		next = s.memory.retryAt
	}
	if until, restricted := s.restriction(); restricted {
		next = instant.Earlier(next, until)
	}
	return s.orPairingEnd(next)
}

// orPairingEnd is a time, or the end of the pairing attempt if that comes first.
func (s *snapshot) orPairingEnd(at time.Time) time.Time {
	if connection.PairingOpen(s.instance, s.now) {
		return instant.Earlier(at, s.instance.Status.Pairing.ExpiresAt.Time)
	}
	return at
}

// restriction is until when WhatsApp lets a connected number start no conversations; false
// when the status tells of none.
func (s *snapshot) restriction() (time.Time, bool) {
	paused := s.instance.Status.NewConversationsPausedUntil
	if paused == nil || s.memory.state != gateway.Connected {
		return time.Time{}, false
	}
	return paused.Time, true
}
