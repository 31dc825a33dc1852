package webhookserver

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/connection"
	"cartrecovery.dev/operator/internal/phone"
)

// What a call to connect changes, and when it is answered. Pure functions.

// connectRequest is the optional body of a call to connect.
type connectRequest struct {
	// Gateway is the type of a WhatsAppInstance that has to be made.
	Gateway v1alpha1.GatewayType `json:"gateway"`
	// Phone to pair by code; without it a QR is shown.
	Phone string `json:"phone"`
}

// readConnect reads a connectRequest; types are the gateway types there are. Otherwise it
// says which field is wrong, and what is expected there.
func readConnect(body []byte, region string, types []string) (request connectRequest, field, expected string) {
	if len(strings.TrimSpace(string(body))) == 0 {
		return request, "", ""
	}
	if err := json.Unmarshal(body, &request); err != nil {
		var wrong *json.UnmarshalTypeError
		if errors.As(err, &wrong) && wrong.Field != "" {
			return request, wrong.Field, "a text"
		}
		return request, "", "a JSON object"
	}
	if request.Gateway != "" && !slices.Contains(types, string(request.Gateway)) {
		return request, "gateway", "one of " + strings.Join(types, ", ")
	}
	if request.Phone != "" {
		number, ok := phone.Normalize(request.Phone, region)
		if !ok {
			return request, "phone", "a phone number with country code, such as +5511987654321"
		}
		request.Phone = number
	}
	return request, "", ""
}

// chooseInstance picks the WhatsAppInstance of this name, or the first by name that is not
// being deleted; nil when there is none.
func chooseInstance(instances []v1alpha1.WhatsAppInstance, name string) *v1alpha1.WhatsAppInstance {
	var first *v1alpha1.WhatsAppInstance
	for i := range instances {
		each := &instances[i]
		switch {
		case each.DeletionTimestamp != nil:
		case name != "":
			if each.Name == name {
				return each
			}
		case first == nil || each.Name < first.Name:
			first = each
		}
	}
	return first
}

// newInstance is the WhatsAppInstance that connect makes for a Store without one.
func newInstance(store *v1alpha1.Store, request connectRequest, now time.Time) *v1alpha1.WhatsAppInstance {
	instance := &v1alpha1.WhatsAppInstance{
		ObjectMeta: metav1.ObjectMeta{Namespace: store.Namespace, Name: store.Name},
		Spec: v1alpha1.WhatsAppInstanceSpec{
			StoreRef: v1alpha1.ObjectReference{Name: store.Name},
			Gateway:  v1alpha1.GatewaySpec{Type: request.Gateway},
			Pairing:  v1alpha1.PairingSpec{Method: v1alpha1.PairingQRCode},
		},
	}
	if request.Gateway == "" {
		instance.Spec.Gateway.Type = v1alpha1.GatewayUAZAPI
	}
	if request.Phone != "" {
		instance.Spec.Pairing = v1alpha1.PairingSpec{Method: v1alpha1.PairingPairCode, Phone: request.Phone}
	}
	askToPair(instance, request, now)
	return instance
}

// askToPair asks for a pairing attempt, unless the number is connected or an attempt is
// asked for or under way; false when there is nothing to write. Where a phone is given
// the attempt must be one by pair code for that phone. It writes annotations alone: the spec
// of what exists is its owner's, who may keep it in Git.
func askToPair(instance *v1alpha1.WhatsAppInstance, request connectRequest, now time.Time) bool {
	if isConnected(instance) {
		return false
	}
	pairing := connection.Pairing(instance)
	other := request.Phone != "" && (pairing.Method != v1alpha1.PairingPairCode || pairing.Phone != request.Phone)
	if !other && (connection.PairingRequest(instance) != "" || connection.PairingOpen(instance, now)) {
		return false
	}
	connection.AskToPair(instance, now.UTC().Format(time.RFC3339Nano), request.Phone)
	return true
}

func isConnected(instance *v1alpha1.WhatsAppInstance) bool {
	return instance.Status.Phase == v1alpha1.InstanceConnected || instance.Status.Phase == v1alpha1.InstanceRestricted
}

// progress is how far pairing is.
type progress int

const (
	// progressNone: nothing to tell yet.
	progressNone progress = iota
	// progressConnected: the number is connected.
	progressConnected
	// progressShowing: an attempt is under way; its Secret has the QR or pair code, or
	// will have it soon.
	progressShowing
	// progressFailing: the gateway or its configuration stands in the way, or it makes nothing
	// to pair with.
	progressFailing
)

// String is the name of the progress.
func (p progress) String() string {
	return [...]string{
		progressNone: "none", progressConnected: "connected", progressShowing: "showing", progressFailing: "failing",
	}[p]
}

// failingReasons are the reasons of Ready with which waiting for a QR is in vain.
var failingReasons = []string{
	v1alpha1.ReasonGatewayUnreachable, v1alpha1.ReasonGatewayRefused, v1alpha1.ReasonGatewayUnauthorized,
	v1alpha1.ReasonGatewayUnsupported, v1alpha1.ReasonNoCredentials, v1alpha1.ReasonSecretNotFound,
	v1alpha1.ReasonStoreNotFound, v1alpha1.ReasonSuspended, v1alpha1.ReasonThrottled,
	v1alpha1.ReasonSecretNotAllowed, v1alpha1.ReasonEndpointNotAllowed,
}

// progressOf says how far pairing is since it was asked for; request is what was asked
// with, "" when an attempt was under way already. A state from before is no answer.
func progressOf(instance *v1alpha1.WhatsAppInstance, request string, now time.Time) progress {
	if !notBefore(instance.Annotations[v1alpha1.AnnotationPairRequested], request) {
		return progressNone
	}
	ready := apimeta.FindStatusCondition(instance.Status.Conditions, v1alpha1.ConditionReady)
	pairing := instance.Status.Pairing
	switch {
	case isConnected(instance):
		return progressConnected
	case ready != nil && ready.Reason == v1alpha1.ReasonNoQRCode && pairing != nil && notBefore(pairing.HandledRequest,
		request):
		return progressFailing
	case connection.PairingOpen(instance, now) && notBefore(pairing.HandledRequest, request):
		return progressShowing
	case ready != nil && ready.Status == metav1.ConditionFalse && slices.Contains(failingReasons, ready.Reason):
		return progressFailing
	}
	return progressNone
}

// notBefore says whether one request is the other or a later one.
func notBefore(request, than string) bool {
	if than == "" || request == than {
		return true
	}
	at, err := time.Parse(time.RFC3339Nano, request)
	since, sinceErr := time.Parse(time.RFC3339Nano, than)
	return err == nil && sinceErr == nil && !at.Before(since)
}
