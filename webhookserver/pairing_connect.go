package webhookserver

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/connection"
	"cartrecovery.dev/operator/internal/gateway"
)

const (
	// lookEvery is how often connect looks whether there is something to answer.
	lookEvery = 100 * time.Millisecond
	// failureGrace is how long a failure from before the call is given to pass.
	failureGrace = 5 * time.Second
)

// errDeleting: the instance is being deleted.
var errDeleting = errors.New("the instance is being deleted")

// connected is the answer to connect: how to pair the number, or that it is paired.
type connected struct {
	Instance  string                 `json:"instance"`
	Namespace string                 `json:"namespace"`
	State     v1alpha1.InstancePhase `json:"state"`
	QRCode    string                 `json:"qrCode,omitempty"`
	PairCode  string                 `json:"pairCode,omitempty"`
	ExpiresAt string                 `json:"expiresAt,omitempty"`
	Phone     string                 `json:"phone,omitempty"`
}

// connect makes or reuses the client's WhatsAppInstance, asks for pairing, and waits for
// something to show.
func (s *Server) connect(ctx context.Context, c *fiber.Ctx) answer {
	store, refusal := s.admit(ctx, c, verbConnect)
	if refusal != nil {
		return *refusal
	}
	request, field, expected := readConnect(c.BodyRaw(), store.Spec.Region, s.gatewayTypes())
	if expected != "" {
		return malformed(field, expected)
	}
	instances, err := s.instancesOf(ctx, store)
	if err != nil {
		return *s.cannotTell("find the store's instances", err)
	}
	name := strings.Clone(c.Query("instance"))
	instance, asked := chooseInstance(instances, name), ""
	switch {
	case instance == nil && name != "":
		return notFound()
	case instance == nil:
		instance, refusal = s.createInstance(ctx, store, request)
	}
	if refusal == nil {
		asked, refusal = s.askInstance(ctx, instance, request)
	}
	if refusal != nil {
		return *refusal
	}
	return s.awaitPairing(ctx, instance, asked)
}

// gatewayTypes are the gateway types that this operator speaks.
func (s *Server) gatewayTypes() []string {
	types := make([]string, 0, len(s.Connector.Types))
	for each := range s.Connector.Types {
		types = append(types, string(each))
	}
	slices.Sort(types)
	return types
}

// createInstance makes the WhatsAppInstance of a Store without one. Where someone was
// faster it returns theirs.
func (s *Server) createInstance(ctx context.Context, store *v1alpha1.Store,
	request connectRequest) (*v1alpha1.WhatsAppInstance, *answer) {
	created := newInstance(store, request, s.Clock.Now())
	err := s.Client.Create(ctx, created)
	if err == nil {
		return created, nil
	}
	if !apierrors.IsAlreadyExists(err) {
		return nil, s.cannotTell("create the instance", err)
	}
	var existing v1alpha1.WhatsAppInstance
	if err := s.Live.Get(ctx, client.ObjectKeyFromObject(created), &existing); err != nil {
		return nil, s.cannotTell("read the instance", err)
	}
	if existing.Spec.StoreRef.Name != store.Name {
		return nil, conflict("a WhatsAppInstance of this name belongs to another Store: create one for this Store")
	}
	if existing.DeletionTimestamp != nil {
		return nil, s.cannotTell("create the instance", errDeleting)
	}
	return &existing, nil
}

// askInstance asks an instance for a pairing attempt where there is none. It returns the
// request that was made, or that still waits.
func (s *Server) askInstance(ctx context.Context, instance *v1alpha1.WhatsAppInstance, request connectRequest) (string,
	*answer) {
	if request.Gateway != "" && request.Gateway != instance.Spec.Gateway.Type {
		return "", conflict("the client's WhatsAppInstance has gateway type " + string(instance.Spec.Gateway.Type))
	}
	before := instance.DeepCopy()
	if !askToPair(instance, request, s.Clock.Now()) {
		return connection.PairingRequest(instance), nil
	}
	if err := s.Client.Patch(ctx, instance, client.MergeFrom(before)); err != nil {
		return "", s.cannotTell("ask for pairing", err)
	}
	return connection.PairingRequest(instance), nil
}

func conflict(text string) *answer {
	return &answer{status: fiber.StatusConflict, body: problem{Error: text}}
}

// awaitPairing waits until there is something to show, for Options.ConnectWait at the
// longest.
func (s *Server) awaitPairing(ctx context.Context, instance *v1alpha1.WhatsAppInstance, asked string) answer {
	ctx, cancel := context.WithTimeout(ctx, s.ConnectWait)
	defer cancel()
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	grace := time.NewTimer(failureGrace)
	defer grace.Stop()
	name, version, patient := client.ObjectKeyFromObject(instance), instance.ResourceVersion, true
	for {
		current, err := s.instance(ctx, name)
		if err == nil && current != nil {
			instance = current
			if done := s.pairingAnswer(ctx, current, asked, patient &&
				current.ResourceVersion == version); done != nil {
				return *done
			}
		}
		select {
		case <-ticker.C:
		case <-grace.C:
			patient = false
		case <-ctx.Done():
			return answer{status: fiber.StatusAccepted, body: connected{Instance: name.Name, Namespace: name.Namespace,
				State: phaseOf(instance)}}
		case <-s.draining:
			return answer{status: fiber.StatusAccepted, body: connected{Instance: name.Name, Namespace: name.Namespace,
				State: phaseOf(instance)}}
		}
	}
}

// pairingAnswer is the answer to connect, nil when there is nothing to show yet. patient ignores a failure, which may
// be older than the call.
func (s *Server) pairingAnswer(ctx context.Context, instance *v1alpha1.WhatsAppInstance, asked string,
	patient bool) *answer {
	body := connected{Instance: instance.Name, Namespace: instance.Namespace, State: phaseOf(instance)}
	switch progressOf(instance, asked, s.Clock.Now()) {
	case progressConnected:
		body.Phone = instance.Status.Phone
		return &answer{status: fiber.StatusOK, body: body, private: true}
	case progressShowing:
		data, err := s.pairingData(ctx, instance)
		if err != nil && ctx.Err() == nil {
			return s.cannotTell("read the pairing secret", err)
		}
		body.QRCode, body.PairCode = string(data[gateway.KeyQR]), string(data[gateway.KeyPairCode])
		if body.QRCode == "" && body.PairCode == "" {
			return nil
		}
		body.ExpiresAt = instance.Status.Pairing.ExpiresAt.UTC().Format(time.RFC3339)
		return &answer{status: fiber.StatusOK, body: body, private: true}
	case progressFailing:
		if !patient {
			return failing(instance)
		}
	}
	return nil
}

// pairingData reads the Secret of a pairing attempt, not from a cache: it is there for a
// short time only. No Secret is no data.
func (s *Server) pairingData(ctx context.Context, instance *v1alpha1.WhatsAppInstance) (map[string][]byte, error) {
	if s.Copies != nil {
		return s.copiedPairing(ctx, instance)
	}
	name := gateway.PairingSecret(instance)
	if ref := instance.Status.Pairing.SecretRef; ref != nil {
		name = types.NamespacedName{Namespace: instance.Namespace, Name: ref.Name}
	}
	var secret corev1.Secret
	if err := s.Live.Get(ctx, name, &secret); err != nil {
		return nil, client.IgnoreNotFound(err)
	}
	return secret.Data, nil
}

// failing is the answer when the gateway, or what it is configured with, stands in the
// way.
func failing(instance *v1alpha1.WhatsAppInstance) *answer {
	ready := apimeta.FindStatusCondition(instance.Status.Conditions, v1alpha1.ConditionReady)
	status := fiber.StatusBadGateway
	if ready.Reason == v1alpha1.ReasonGatewayUnreachable {
		status = fiber.StatusServiceUnavailable
	}
	return &answer{status: status, retry: true, body: problem{
		Error:  fmt.Sprintf("WhatsAppInstance %s cannot be paired: %s", instance.Name, ready.Message),
		Reason: ready.Reason,
	}}
}

// phaseOf is the instance's phase, Pending before it has one.
func phaseOf(instance *v1alpha1.WhatsAppInstance) v1alpha1.InstancePhase {
	if instance.Status.Phase == "" {
		return v1alpha1.InstancePending
	}
	return instance.Status.Phase
}
