package whatsappinstance

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/backoff"
	"cartrecovery.dev/operator/internal/connection"
	"cartrecovery.dev/operator/internal/failure"
	"cartrecovery.dev/operator/internal/gateway"
	"cartrecovery.dev/operator/internal/index"
	"cartrecovery.dev/operator/internal/pace"
)

const (
	// webhookKeyBytes is how many random bytes make a webhook URL unguessable.
	webhookKeyBytes = 32
	// maxTransientRetry and maxTerminalRetry bound the pause between two tries: of a gateway
	// that does not answer, and of one that refuses until a person changes something.
	maxTransientRetry = 2 * time.Minute
	maxTerminalRetry  = 5 * time.Minute
	// maxAskedRetry bounds the pause that a gateway asks for.
	maxAskedRetry = time.Hour
	// terminalFactor is how much longer than after another failure the pause is after a
	// refusal.
	terminalFactor = 5
	// createWithin is how long after the beginning of a creation was stored the gateway may be called for it. An
	// operator that was frozen in between leaves the call to its successor.
	createWithin = settleAfter / 4
)

// act does what was planned and writes the outcome.
func (r *Reconciler) act(ctx context.Context, p *pass, next action) error {
	p.memory.tried = p.memory.tried || (p.instance.DeletionTimestamp != nil && next.kind != wait)
	switch next.kind {
	case halt:
		return r.store(ctx, p.instance, func(i *v1alpha1.WhatsAppInstance) {
			connection.Unready(i, next.phase, next.reason, next.message, p.now)
		})
	case complain:
		return r.failed(ctx, p, p.problem)
	case guard:
		return r.setFinalizer(ctx, p.instance, true)
	case release:
		return r.setFinalizer(ctx, p.instance, false)
	case identify:
		return r.identify(ctx, p)
	case prepare:
		return r.prepare(ctx, p)
	case provision:
		return r.provision(ctx, p)
	case forget:
		return r.leave(ctx, p)
	case register:
		return r.register(ctx, p)
	case unregistered:
		return r.store(ctx, p.instance, func(i *v1alpha1.WhatsAppInstance) { webhookUnknown(i, p.now) })
	case poll:
		return r.poll(ctx, p)
	case acknowledge:
		request := p.request()
		p.memory.revived = revival{}
		return r.store(ctx, p.instance, func(i *v1alpha1.WhatsAppInstance) { pairingOf(i).HandledRequest = request })
	case beginPairing:
		return r.beginPairing(ctx, p)
	case endPairing:
		return r.endPairing(ctx, p)
	case connect:
		return r.connect(ctx, p)
	case revive:
		return r.revive(ctx, p)
	case trace:
		return r.trace(ctx, p)
	case destroy:
		return r.destroy(ctx, p)
	case abandon:
		return r.abandon(ctx, p)
	case wait:
	}
	return nil
}

// prepare makes the owned Secret with the webhook key, before anything at the gateway
// knows of the instance, so that its URL never changes.
func (r *Reconciler) prepare(ctx context.Context, p *pass) error {
	if !p.credentials.webhookKey {
		key := make([]byte, webhookKeyBytes)
		_, _ = rand.Read(key) // never fails
		err := r.writeSecret(ctx, p.instance, gateway.CredentialsSecret(p.instance), func(secret *corev1.Secret) {
			secret.Data[gateway.KeyWebhook] = []byte(base64.RawURLEncoding.EncodeToString(key))
		})
		if errors.Is(err, errNotOwned) {
			return r.failed(ctx, p, notOwned(gateway.CredentialsSecret(p.instance).Name))
		}
		if err != nil {
			return err
		}
	}
	return r.store(ctx, p.instance, func(i *v1alpha1.WhatsAppInstance) { prepared(i, p.now) })
}

// provision finds the instance that an earlier pass has made and could not store, or makes it. It stores first that a
// creation begins; that write fails when anybody else has written in the meantime.
func (r *Reconciler) provision(ctx context.Context, p *pass) error {
	found, ok, err := p.gateway.Find(ctx, identity(p))
	if err != nil {
		return r.failed(ctx, p, err)
	}
	r.tellRestored(p, ok)
	if ok {
		p.memory.display = display{}
		return r.adopt(ctx, p, found)
	}
	began := r.Clock.Now().UTC()
	if err := r.writeSecret(ctx, p.instance, gateway.CredentialsSecret(p.instance), func(secret *corev1.Secret) {
		secret.Data[keyCreation] = []byte(began.Format(time.RFC3339Nano))
	}); err != nil {
		return err
	}
	if r.Clock.Since(began) > createWithin {
		p.memory.settled = began
		return nil
	}
	made, err := p.gateway.Create(ctx, identity(p))
	if err == nil || failure.ClassOf(err) != failure.Ambiguous {
		p.memory.settled = began
	}
	if err != nil {
		return r.failed(ctx, p, err)
	}
	p.memory.display = display{known: true}
	return r.adopt(ctx, p, made)
}

// adopt stores the token of the instance, which is the last thing to be written: without
// it everything begins again with Find.
func (r *Reconciler) adopt(ctx context.Context, p *pass, found gateway.Instance) error {
	if err := r.store(ctx, p.instance, func(i *v1alpha1.WhatsAppInstance) { provisioned(i, found.ID) }); err != nil {
		return err
	}
	p.memory.succeeded()
	p.memory.state = ""
	return r.keepToken(ctx, p, found.Token)
}

func (r *Reconciler) keepToken(ctx context.Context, p *pass, token string) error {
	return r.writeSecret(ctx, p.instance, gateway.CredentialsSecret(p.instance), func(secret *corev1.Secret) {
		secret.Data[gateway.KeyToken] = []byte(token)
		secret.Data[gateway.KeyGateway] = []byte(r.Connector.Fingerprint(p.instance))
		secret.Data[keyCreation] = []byte(creationDone)
	})
}

// leave drops the token of a gateway that the spec no longer names. Only a person can delete the instance there.
func (r *Reconciler) leave(ctx context.Context, p *pass) error {
	ctrl.LoggerFrom(ctx).Info("Left the instance at its former gateway: spec.gateway names another", "instance",
		index.GatewayName(p.instance))
	r.Recorder.Eventf(p.instance, nil, corev1.EventTypeWarning, "InstanceLeftAtGateway", "Provision",
		"spec.gateway names another gateway: instance %s is left at the former one", index.GatewayName(p.instance))
	return r.forgetToken(ctx, p)
}

// forgetToken drops a token that the gateway no longer knows, or that belongs to another gateway, together with the QR
// or pair code.
func (r *Reconciler) forgetToken(ctx context.Context, p *pass) error {
	if err := r.conceal(ctx, p.instance); err != nil {
		return err
	}
	if err := r.store(ctx, p.instance, func(i *v1alpha1.WhatsAppInstance) { lost(i, p.now) }); err != nil {
		return err
	}
	p.memory.state = ""
	if !p.credentials.token {
		return nil
	}
	return r.writeSecret(ctx, p.instance, gateway.CredentialsSecret(p.instance), func(secret *corev1.Secret) {
		delete(secret.Data, gateway.KeyToken)
		delete(secret.Data, gateway.KeyGateway)
	})
}

// register tells the gateway where to post. A failure does not keep a phone from pairing.
func (r *Reconciler) register(ctx context.Context, p *pass) error {
	err := p.gateway.RegisterWebhook(ctx, p.webhookAt)
	if err != nil {
		p.memory.webhookRetryAt = r.retryAt(err, 2)
		return r.store(ctx, p.instance, func(i *v1alpha1.WhatsAppInstance) { webhookRefused(i, err, p.now) })
	}
	return r.store(ctx, p.instance, func(i *v1alpha1.WhatsAppInstance) {
		webhookRegistered(i, p.webhook, p.can, p.now)
	})
}

// poll asks for the connection.
func (r *Reconciler) poll(ctx context.Context, p *pass) error {
	state, err := p.gateway.Status(ctx)
	if isGone(err) {
		return r.gone(ctx, p, err)
	}
	if err != nil {
		return r.failed(ctx, p, err)
	}
	p.memory.reprovisioned = false
	return r.observe(ctx, p, state)
}

// connect asks for a QR or pair code, which the gateway shows until the phone is paired
// or it gives up waiting.
func (r *Reconciler) connect(ctx context.Context, p *pass) error {
	phone, pairing := "", connection.Pairing(p.instance)
	if pairing.Method == v1alpha1.PairingPairCode {
		phone = strings.TrimPrefix(pairing.Phone, "+")
	}
	attempt, with, before := p.instance.Status.Pairing.Attempts, string(pairing.Method)+phone, p.memory.state
	p.memory.nextConnect = r.Clock.Now().Add(r.jittered(connectEvery))
	var state gateway.State
	removed, err := r.stopPairing(ctx, p, with)
	if removed {
		return r.recreate(ctx, p)
	}
	if err == nil {
		p.memory.pairingWith = with
		state, err = p.gateway.Connect(ctx, phone)
	}
	if _, classed := failure.As(err); err != nil && !classed {
		return err
	}
	switch {
	case isGone(err):
		return r.gone(ctx, p, err)
	case failure.CodeOf(err) == failure.TimedOut && p.memory.connectedFor != attempt:
		// The pairing may go on all the same, so it is watched and not begun twice.
		now := r.Clock.Now()
		p.memory.connectedFor, p.memory.state = attempt, gateway.Connecting
		p.memory.nextPoll, p.memory.nextConnect = now.Add(r.Pace.Pairing), now.Add(r.jittered(slowConnect))
		p.memory.display.begin(gateway.State{}, true)
		return nil
	case err != nil:
		err = r.failed(ctx, p, err)
		// The next call is this one again, so that the failures add up.
		p.memory.state, p.memory.nextConnect = gateway.Disconnected, p.memory.retryAt
		p.memory.nextPoll = p.memory.retryAt.Add(r.Pace.Pairing)
		return err
	}
	p.memory.connectedFor = attempt
	if before != gateway.Connecting {
		p.memory.display.begin(state, p.instance.Status.LastConnectedTime != nil)
	}
	return r.observe(ctx, p, state)
}

// recreate has an instance created again that was deleted for another way of pairing. It gives the gateway time to free
// the name.
func (r *Reconciler) recreate(ctx context.Context, p *pass) error {
	p.memory.pairingWith, p.memory.nextConnect = "", time.Time{}
	p.memory.retryAt = r.Clock.Now().Add(r.jittered(r.Pace.Retry))
	return r.forgetToken(ctx, p)
}

// stopPairing ends a pairing that the gateway waits for when another phone or method is asked for now, because gateways
// go on with what they have begun. A gateway that refuses is asked for the new pairing all the same. removed says that
// the instance was deleted, because the gateway has no other way to stop.
func (r *Reconciler) stopPairing(ctx context.Context, p *pass, with string) (removed bool, err error) {
	if p.memory.pairingWith == "" || p.memory.pairingWith == with {
		return false, nil
	}
	if err := r.conceal(ctx, p.instance); err != nil {
		return false, err
	}
	err = p.gateway.Disconnect(ctx)
	switch {
	case err == nil:
		return !p.can.Logout, nil
	case failure.ClassOf(err) == failure.Terminal, failure.CodeOf(err) == failure.NotConnected:
		return false, nil
	}
	return false, err
}

// observe keeps what the gateway said: the connection in the status and, once this attempt
// has asked for it, the QR or pair code in the owned Secret.
func (r *Reconciler) observe(ctx context.Context, p *pass, state gateway.State) error {
	now := r.Clock.Now()
	p.memory.succeeded()
	p.memory.state, p.memory.askedFor, p.memory.changed = state.Connection, p.request(), p.change()
	if state.Connection != gateway.Connecting {
		p.memory.pairingWith = ""
	}
	isNew := p.memory.display.look(state)
	if isNew && connection.PairingOpen(p.instance, now) && p.memory.connectedFor == p.instance.Status.Pairing.Attempts {
		err := r.show(ctx, p.instance, state)
		if errors.Is(err, errNotOwned) {
			return r.failed(ctx, p, notOwned(gateway.PairingSecret(p.instance).Name))
		}
		if err != nil {
			return err
		}
	}
	if state.DisconnectReason == gateway.UnknownReason &&
		p.instance.Status.LastDisconnectReason != gateway.UnknownReason {
		ctrl.LoggerFrom(ctx).Info("Left out the gateway's reason: it is not in known words")
	}
	alive := state.Connection == gateway.Connected && r.answers(ctx, p)
	if err := r.store(ctx, p.instance, func(i *v1alpha1.WhatsAppInstance) {
		r.judge(i, p, state, alive, now)
		connection.Observe(i, state, now)
		answeredCaller(i)
		r.showPace(i, p, now)
	}); err != nil {
		return err
	}
	p.memory.nextPoll = now.Add(r.jittered(r.untilPoll(p.instance, state, now)))
	return nil
}

// showPace writes what was sent from a number and what waits, once that is known, and not
// with every poll while a phone is waited for.
func (r *Reconciler) showPace(instance *v1alpha1.WhatsAppInstance, p *pass, now time.Time) {
	if r.Paced == nil || !r.Paced.Seeded(instance.UID) || now.Before(p.memory.paceAt) {
		return
	}
	stats := r.Paced.Stats(instance.UID, pace.NumberOf(instance, p.location))
	instance.Status.Pace = &stats
	// A poll may be a tenth early.
	p.memory.paceAt = now.Add(r.Pace.Connected * 9 / 10)
}

// untilPoll is short while something is expected to change.
func (r *Reconciler) untilPoll(instance *v1alpha1.WhatsAppInstance, state gateway.State, now time.Time) time.Duration {
	switch {
	case connection.PairingOpen(instance, now):
		return r.Pace.Pairing
	case state.Connection == gateway.Connecting:
		return min(5*r.Pace.Pairing, r.Pace.Connected)
	}
	return r.Pace.Connected
}

// show writes the QR or pair code into the owned Secret, if it is another one than there.
func (r *Reconciler) show(ctx context.Context, instance *v1alpha1.WhatsAppInstance, state gateway.State) error {
	content := pairingContent(state)
	if len(content) == 0 {
		return nil
	}
	if err := r.store(ctx, instance, showing); err != nil {
		return err
	}
	return r.writeSecret(ctx, instance, gateway.PairingSecret(instance), func(secret *corev1.Secret) {
		secret.Data = content
	})
}

// beginPairing begins or prolongs an attempt. What an earlier one has left, or one by
// another method, is not for it.
func (r *Reconciler) beginPairing(ctx context.Context, p *pass) error {
	if pairing := p.instance.Status.Pairing; pairing != nil && pairing.Attempts != p.memory.connectedFor {
		if err := r.conceal(ctx, p.instance); err != nil {
			return err
		}
	}
	request := p.request()
	return r.store(ctx, p.instance, func(i *v1alpha1.WhatsAppInstance) { begin(i, request, p.now) })
}

// endPairing empties the Secret before the status says so.
func (r *Reconciler) endPairing(ctx context.Context, p *pass) error {
	if err := r.conceal(ctx, p.instance); err != nil {
		return err
	}
	return r.store(ctx, p.instance, func(i *v1alpha1.WhatsAppInstance) { ended(i, p.now) })
}

// conceal empties the Secret with the QR or pair code.
func (r *Reconciler) conceal(ctx context.Context, instance *v1alpha1.WhatsAppInstance) error {
	name := gateway.PairingSecret(instance)
	secret, err := r.owned(ctx, instance, name)
	if err != nil || secret == nil {
		return err
	}
	return r.writeSecret(ctx, instance, name, func(secret *corev1.Secret) { secret.Data = nil })
}

// believedAfter is how many times in a row the gateway refuses a token that it lists before people are told.
const believedAfter = 3

// errTokenRefused is the failure of a token that the gateway refuses and lists all the same. Evolution refuses every
// token while its database does not answer.
var errTokenRefused = &failure.Error{
	Class: failure.Transient, Code: failure.Unavailable, Op: "gateway: use the instance's token",
	Detail: "the gateway refuses the instance's token, and lists the same one; it is asked again",
}

// gone handles an instance that the gateway does not know, or a token that it refuses. The instance is looked for or
// made again once, and once more whenever a person asks for pairing. The token is forgotten only when the gateway has
// answered a call with the account's token, which sees every instance.
func (r *Reconciler) gone(ctx context.Context, p *pass, err error) error {
	if p.memory.reprovisioned && !p.isNewlyAsked() {
		return r.failed(ctx, p, err)
	}
	found, ok, failed := p.gateway.Find(ctx, identity(p))
	same := ok && subtle.ConstantTimeCompare([]byte(found.Token), []byte(p.token)) == 1
	switch {
	case failed != nil:
		return r.failed(ctx, p, failed)
	case same && p.memory.failures < believedAfter:
		return r.failed(ctx, p, errTokenRefused)
	case same:
		return r.failed(ctx, p, err)
	}
	p.memory.reprovisioned, p.memory.askedFor, p.memory.pairingWith = true, p.request(), ""
	r.Recorder.Eventf(p.instance, nil, corev1.EventTypeWarning, "InstanceLost", "Provision",
		"the gateway does not know the instance or its token any more; it is looked for and, if need be, made again")
	return r.forgetToken(ctx, p)
}

// trace looks for an instance that was made and whose token is not at hand, and deletes
// it. The token is not stored: a namespace that is being deleted takes no new Secret.
func (r *Reconciler) trace(ctx context.Context, p *pass) error {
	found, ok, err := p.gateway.Find(ctx, identity(p))
	if err != nil {
		return r.failed(ctx, p, err)
	}
	p.memory.reprovisioned = true
	if !ok { // something of it may be left all the same, and hold its name
		if err := p.gateway.Delete(ctx); err != nil && failure.ClassOf(err) != failure.Terminal {
			return r.failed(ctx, p, err)
		}
		return r.setFinalizer(ctx, p.instance, false)
	}
	if p.gateway, err = r.Connector.WithToken(p.instance, found.Token); err != nil {
		return r.failed(ctx, p, err)
	}
	return r.destroy(ctx, p)
}

// destroy logs the phone out and deletes the instance. Both succeed when there is nothing
// left to do.
func (r *Reconciler) destroy(ctx context.Context, p *pass) error {
	err := p.gateway.Disconnect(ctx)
	if err == nil && !p.can.Logout { // that was the deletion
		return r.setFinalizer(ctx, p.instance, false)
	}
	if err == nil || failure.ClassOf(err) == failure.Terminal || failure.CodeOf(err) == failure.NotConnected {
		err = p.gateway.Delete(ctx)
	}
	switch {
	case isGone(err) && !p.memory.reprovisioned:
		return r.trace(ctx, p)
	case err != nil && !isGone(err):
		return r.failed(ctx, p, err)
	}
	return r.setFinalizer(ctx, p.instance, false)
}

// abandon leaves the instance at the gateway, and says so.
func (r *Reconciler) abandon(ctx context.Context, p *pass) error {
	ctrl.LoggerFrom(ctx).Info("Left the instance at the gateway: it could not be deleted there", "instance",
		index.GatewayName(p.instance))
	r.Recorder.Eventf(p.instance, nil, corev1.EventTypeWarning, "InstanceLeftAtGateway", "Delete",
		"the gateway did not delete instance %s within %s: it is left there", index.GatewayName(p.instance),
		r.Pace.GiveUpAfter)
	return r.setFinalizer(ctx, p.instance, false)
}

// failed notes a failed call of the gateway: in memory when to try again, and in the status why. Other errors are the
// API server's and go to the rate limiter.
func (r *Reconciler) failed(ctx context.Context, p *pass, err error) error {
	if _, classed := failure.As(err); !classed {
		return err
	}
	p.memory.failures++
	p.memory.retryAt = r.retryAt(err, p.memory.failures)
	p.memory.nextPoll, p.memory.state, p.memory.askedFor, p.memory.changed = p.memory.retryAt, "", p.request(),
		p.change()
	ctrl.LoggerFrom(ctx).V(1).Info("Failed to call the gateway", "failure", connection.Message(err))
	return r.store(ctx, p.instance, func(i *v1alpha1.WhatsAppInstance) {
		connection.Failed(i, err, p.now)
		answeredCaller(i)
	})
}

// retryAt is when a call that has failed several times in a row may be tried again: when the gateway said, else
// exponentially later, and more slowly where a person must do something.
func (r *Reconciler) retryAt(err error, failures int) time.Time {
	now := r.Clock.Now()
	if failed, ok := failure.As(err); ok && failed.RetryAt.After(now) {
		return now.Add(min(failed.RetryAt.Sub(now), maxAskedRetry) + r.jittered(r.Pace.Retry))
	}
	first, most := r.Pace.Retry, maxTransientRetry
	if failure.ClassOf(err) == failure.Terminal {
		first, most = terminalFactor*first, maxTerminalRetry
	}
	return now.Add(r.jittered(backoff.Doubled(first, most, failures)))
}

// succeeded forgets the failures.
func (m *memory) succeeded() {
	m.failures, m.retryAt = 0, time.Time{}
}

// identity is what the gateway knows the instance by.
func identity(p *pass) gateway.Identity {
	return gateway.Identity{
		Name: index.GatewayName(p.instance), Owner: p.instance.Namespace + "/" + p.instance.Name, UID: p.uid,
	}
}

// identify writes the UID under which the gateway will know the instance, before the gateway knows it. A backup of the
// object keeps the UID, and by it the restored object finds its number.
func (r *Reconciler) identify(ctx context.Context, p *pass) error {
	before := p.instance.DeepCopy()
	metav1.SetMetaDataAnnotation(&p.instance.ObjectMeta, v1alpha1.AnnotationGatewayIdentity, p.sealed)
	patch := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
	if err := r.Client.Patch(ctx, p.instance, patch); err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("write the annotation %s: %w", v1alpha1.AnnotationGatewayIdentity, err)
	}
	return nil
}

// tellRestored says what became of the number of an object that was made again from a backup.
func (r *Reconciler) tellRestored(p *pass, found bool) {
	switch {
	case p.uid == string(p.instance.UID) || p.instance.Status.GatewayInstanceID != "":
	case found:
		r.Recorder.Eventf(p.instance, nil, corev1.EventTypeNormal, "InstanceAdopted", "Provision",
			"the object was made again from a backup; the gateway still has its instance, and the phone stays "+
				"paired there")
	default:
		r.Recorder.Eventf(p.instance, nil, corev1.EventTypeWarning, "InstanceLost", "Provision",
			"the object was made again from a backup; the gateway does not have its instance any more: "+
				"it is made anew, and the phone must be paired again")
	}
}

// isGone says whether the gateway does not know the instance, or its token.
func isGone(err error) bool {
	code := failure.CodeOf(err)
	return code == failure.NotFound || code == failure.Unauthorized
}

func notOwned(name string) error {
	return &failure.Error{
		Class: failure.Terminal, Code: failure.Misconfigured, Op: "gateway: keep credentials",
		Detail: "Secret " + name +
			" exists and does not belong to this object: delete it, or name the object differently",
	}
}
