package whatsappinstance

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/connection"
	"cartrecovery.dev/operator/internal/failure"
	"cartrecovery.dev/operator/internal/gateway"
)

const (
	// keyCreation is the key of when the creation at the gateway began (RFC 3339), or
	// creationDone once its outcome is stored.
	keyCreation  = "creation"
	creationDone = "done"
	// maxPicture bounds the QR that is kept, in bytes of its data URI.
	maxPicture = 256 << 10
	// maxGatewayID bounds the gateway's id of the instance, in bytes.
	maxGatewayID = 128

	pictureType = "data:image/png;base64,"
)

// errNotOwned: a Secret that this controller would write belongs to something else.
var errNotOwned = errors.New("the Secret does not belong to this object")

// store changes the status under an optimistic lock, and tells of a transition. A change
// that changes nothing is not sent.
func (r *Reconciler) store(ctx context.Context, instance *v1alpha1.WhatsAppInstance,
	change func(*v1alpha1.WhatsAppInstance)) error {
	before := instance.DeepCopy()
	change(instance)
	if apiequality.Semantic.DeepEqual(before.Status, instance.Status) {
		return nil
	}
	patch := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
	err := r.Client.Status().Patch(ctx, instance, patch)
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("write the status: %w", err)
	}
	if err == nil {
		r.tell(before, instance)
	}
	return nil
}

// tell emits an event for every condition that has got another reason; one is enough for
// those that have the same.
func (r *Reconciler) tell(before, after *v1alpha1.WhatsAppInstance) {
	told := map[string]bool{}
	for _, kind := range []string{v1alpha1.ConditionReady, v1alpha1.ConditionGatewayReachable,
		v1alpha1.ConditionWebhookRegistered} {
		was := apimeta.FindStatusCondition(before.Status.Conditions, kind)
		is := apimeta.FindStatusCondition(after.Status.Conditions, kind)
		begins := was == nil && is != nil && is.Status == metav1.ConditionTrue && kind != v1alpha1.ConditionReady
		if is == nil || begins || told[is.Reason] || (was != nil && was.Reason == is.Reason) {
			continue
		}
		told[is.Reason] = true
		r.Recorder.Eventf(after, nil, eventType(is), is.Reason, "Reconcile", "%s", is.Message)
	}
}

func eventType(condition *metav1.Condition) string {
	switch condition.Reason {
	case v1alpha1.ReasonPairing, v1alpha1.ReasonProvisioning, v1alpha1.ReasonSuspended, v1alpha1.ReasonNotConnected:
		return corev1.EventTypeNormal
	}
	if condition.Status == metav1.ConditionTrue && condition.Reason != v1alpha1.ReasonRestricted {
		return corev1.EventTypeNormal
	}
	return corev1.EventTypeWarning
}

// setFinalizer adds or removes the finalizer.
func (r *Reconciler) setFinalizer(ctx context.Context, instance *v1alpha1.WhatsAppInstance, present bool) error {
	before := instance.DeepCopy()
	change := controllerutil.RemoveFinalizer
	if present {
		change = controllerutil.AddFinalizer
	}
	if !change(instance, v1alpha1.Finalizer) {
		return nil
	}
	patch := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
	if err := r.Client.Patch(ctx, instance, patch); err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("write the finalizer: %w", err)
	}
	return nil
}

// owned reads a Secret of this instance; nil when there is none that belongs to it.
func (r *Reconciler) owned(ctx context.Context, instance *v1alpha1.WhatsAppInstance,
	name types.NamespacedName) (*corev1.Secret, error) {
	secret := &corev1.Secret{}
	err := r.Live.Get(ctx, name, secret)
	switch {
	case apierrors.IsNotFound(err):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("read Secret %s: %w", name.Name, err)
	case !metav1.IsControlledBy(secret, instance):
		return nil, nil
	}
	return secret, nil
}

// writeSecret creates or changes a Secret that belongs to the instance, under an
// optimistic lock. A change that changes nothing is not sent.
func (r *Reconciler) writeSecret(ctx context.Context, instance *v1alpha1.WhatsAppInstance, name types.NamespacedName,
	change func(*corev1.Secret)) error {
	defer r.Connector.Secrets.Forget(name)
	secret, err := r.owned(ctx, instance, name)
	if err != nil {
		return err
	}
	if secret == nil {
		return r.createSecret(ctx, instance, name, change)
	}
	before := secret.DeepCopy()
	if secret.Data == nil {
		secret.Data = map[string][]byte{}
	}
	change(secret)
	if apiequality.Semantic.DeepEqual(before.Data, secret.Data) {
		return nil
	}
	if err := r.Client.Patch(ctx, secret, client.MergeFromWithOptions(before,
		client.MergeFromWithOptimisticLock{})); err != nil {
		return fmt.Errorf("write Secret %s: %w", name.Name, err)
	}
	return nil
}

func (r *Reconciler) createSecret(ctx context.Context, instance *v1alpha1.WhatsAppInstance, name types.NamespacedName,
	change func(*corev1.Secret)) error {
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: name.Namespace, Name: name.Name},
		Data:       map[string][]byte{},
	}
	change(secret)
	if err := controllerutil.SetControllerReference(instance, secret, r.Client.Scheme()); err != nil {
		return fmt.Errorf("own Secret %s: %w", name.Name, err)
	}
	err := r.Client.Create(ctx, secret)
	if apierrors.IsAlreadyExists(err) {
		return r.takeOver(ctx, instance, name, change)
	}
	if err != nil {
		return fmt.Errorf("create Secret %s: %w", name.Name, err)
	}
	return nil
}

// takeOver gives the instance a Secret that a backup has brought back for an object of its name. The token, and all
// else that the gateway knows, is looked up there again.
func (r *Reconciler) takeOver(
	ctx context.Context, instance *v1alpha1.WhatsAppInstance, name types.NamespacedName, change func(*corev1.Secret),
) error {
	secret := &corev1.Secret{}
	if err := r.Live.Get(ctx, name, secret); err != nil {
		return fmt.Errorf("read Secret %s: %w", name.Name, err)
	}
	if !isFormer(secret, instance) {
		return fmt.Errorf("%w: %s", errNotOwned, name.Name)
	}
	before := secret.DeepCopy()
	secret.OwnerReferences, secret.Data = nil, map[string][]byte{}
	change(secret)
	if err := controllerutil.SetControllerReference(instance, secret, r.Client.Scheme()); err != nil {
		return fmt.Errorf("own Secret %s: %w", name.Name, err)
	}
	patch := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
	if err := r.Client.Patch(ctx, secret, patch); err != nil {
		return fmt.Errorf("write Secret %s: %w", name.Name, err)
	}
	return nil
}

// isFormer says whether a Secret belongs to an earlier object of the instance's name, or has no owner and was written
// by this controller: some backups leave the owners out.
func isFormer(secret *corev1.Secret, instance *v1alpha1.WhatsAppInstance) bool {
	switch of := metav1.GetControllerOf(secret); {
	case of != nil:
		ours := strings.HasPrefix(of.APIVersion, v1alpha1.GroupVersion.Group+"/") && of.Kind == "WhatsAppInstance"
		return ours && of.Name == instance.Name && of.UID != instance.UID
	case len(secret.OwnerReferences) > 0:
		return false
	}
	return len(secret.Data[gateway.KeyWebhook]) > 0 && len(secret.Data[gateway.KeyGateway]) > 0
}

// readCredentials tells what the Secret holds, for the gateway of this fingerprint.
func readCredentials(data map[string][]byte, gatewayNow string) credentials {
	since, err := time.Parse(time.RFC3339Nano, string(data[keyCreation]))
	if err != nil {
		since = time.Time{}
	}
	token := len(data[gateway.KeyToken]) > 0
	return credentials{
		found: true, webhookKey: len(data[gateway.KeyWebhook]) > 0, token: token,
		elsewhere: token && string(data[gateway.KeyGateway]) != gatewayNow,
		begun:     len(data[keyCreation]) > 0, creatingSince: since,
	}
}

// prepared writes that the instance is being made.
func prepared(instance *v1alpha1.WhatsAppInstance, now time.Time) {
	instance.Status.CredentialsSecretRef = &v1alpha1.ObjectReference{Name: gateway.CredentialsSecret(instance).Name}
	connection.Unready(instance, v1alpha1.InstancePending, v1alpha1.ReasonProvisioning,
		"the instance is being made at the gateway", now)
}

// provisioned writes that the gateway has the instance; whether it knows the webhook is not known.
func provisioned(instance *v1alpha1.WhatsAppInstance, id string) {
	if len(id) > maxGatewayID {
		id = ""
	}
	instance.Status.GatewayInstanceID = id
	instance.Status.RegisteredWebhook = ""
}

// lost writes that the gateway does not have the instance that it had.
func lost(instance *v1alpha1.WhatsAppInstance, now time.Time) {
	instance.Status.GatewayInstanceID = ""
	instance.Status.RegisteredWebhook = ""
	connection.Unready(instance, v1alpha1.InstancePending, v1alpha1.ReasonProvisioning,
		"the instance is being made at the gateway again", now)
}

func webhookRegistered(instance *v1alpha1.WhatsAppInstance, hash string, can gateway.Capabilities, now time.Time) {
	instance.Status.RegisteredWebhook = hash
	message := "the gateway posts to the operator's webhook"
	if !can.Posts {
		message = "the gateway has nothing to post"
	}
	connection.Webhook(instance, metav1.ConditionTrue, v1alpha1.ReasonRegistered, message, now)
}

func webhookRefused(instance *v1alpha1.WhatsAppInstance, err error, now time.Time) {
	reason := v1alpha1.ReasonGatewayUnreachable
	if failure.ClassOf(err) == failure.Terminal {
		reason = v1alpha1.ReasonGatewayRefused
	}
	connection.Webhook(instance, metav1.ConditionFalse, reason, connection.Message(err), now)
}

func webhookUnknown(instance *v1alpha1.WhatsAppInstance, now time.Time) {
	connection.Webhook(instance, metav1.ConditionFalse, v1alpha1.ReasonNoPublicURL,
		"the operator does not know its public URL (--public-url): no answers of customers will come in", now)
}

// pairingOf is the status of the pairing, made if there is none.
func pairingOf(instance *v1alpha1.WhatsAppInstance) *v1alpha1.PairingStatus {
	if instance.Status.Pairing == nil {
		instance.Status.Pairing = &v1alpha1.PairingStatus{}
	}
	return instance.Status.Pairing
}

// begin writes that a pairing attempt begins. An attempt that goes on is only prolonged, so
// that what it shows can still be used.
func begin(instance *v1alpha1.WhatsAppInstance, request string, now time.Time) {
	timeout := connection.DefaultPairingTimeout
	if set := instance.Spec.Pairing.Timeout; set != nil {
		timeout = set.Duration
	}
	pairing := pairingOf(instance)
	if request != "" {
		pairing.HandledRequest = request
	}
	if !connection.PairingOpen(instance, now) {
		pairing.StartedAt = &metav1.Time{Time: now.UTC().Truncate(time.Second)}
		pairing.Attempts++
		pairing.SecretRef = nil
		connection.AskedToPair(instance, now)
	}
	pairing.ExpiresAt = &metav1.Time{Time: now.Add(timeout).UTC().Truncate(time.Second)}
}

// ended writes that there is nothing to scan any more. An attempt that was cut off before it succeeded or timed out
// leaves the phase as if it had not begun.
func ended(instance *v1alpha1.WhatsAppInstance, now time.Time) {
	pairing := pairingOf(instance)
	pairing.SecretRef = nil
	switch {
	case connection.PairingOpen(instance, now):
		pairing.ExpiresAt = nil
		instance.Status.Phase = v1alpha1.InstancePending
		if instance.Status.LastConnectedTime != nil {
			instance.Status.Phase = v1alpha1.InstanceDisconnected
		}
	case connection.PairingTimedOut(instance, now) && instance.Status.Phase == v1alpha1.InstancePairing:
		connection.TimedOut(instance, now)
	}
}

// showing writes where the QR or pair code is. This is stored before the Secret is filled, so that the Secret is
// emptied whatever happens.
func showing(instance *v1alpha1.WhatsAppInstance) {
	pairingOf(instance).SecretRef = &v1alpha1.ObjectReference{Name: gateway.PairingSecret(instance).Name}
}

// pairingContent is what the Secret holds for people to pair with: the QR as a data URI and as a file, or the pair
// code. Anything but a PNG is not shown.
func pairingContent(state gateway.State) map[string][]byte {
	if state.PairCode != "" {
		return map[string][]byte{gateway.KeyPairCode: []byte(state.PairCode)}
	}
	encoded, ok := strings.CutPrefix(state.QRCode, pictureType)
	if !ok || len(encoded) > maxPicture {
		return nil
	}
	picture, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return nil
	}
	return map[string][]byte{gateway.KeyQR: []byte(state.QRCode), gateway.KeyQRImage: picture}
}

// webhookURL is where the gateway posts to, without the key.
func webhookURL(publicURL string, instance *v1alpha1.WhatsAppInstance) string {
	return strings.TrimRight(publicURL, "/") + "/api/whatsapp/webhook/" + instance.Namespace + "/" + instance.Name
}

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
