package webhookserver

import (
	"context"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/connection"
	"cartrecovery.dev/operator/internal/failure"
	"cartrecovery.dev/operator/internal/gateway"
)

// connectionStatus is the answer to status.
type connectionStatus struct {
	Instance  string                 `json:"instance"`
	Namespace string                 `json:"namespace"`
	State     v1alpha1.InstancePhase `json:"state"`
	Connected bool                   `json:"connected"`
	Phone     string                 `json:"phone,omitempty"`
	// Stale is set when the gateway could not be asked, and this is what was last known;
	// Reason says why, AsOf since when nothing newer is known.
	Stale      bool   `json:"stale,omitempty"`
	Reason     string `json:"reason,omitempty"`
	AsOf       string `json:"asOf,omitempty"`
	AgeSeconds *int64 `json:"ageSeconds,omitempty"`
}

// status asks the gateway for the connection of the client's WhatsAppInstance and records
// it. When the gateway cannot be asked it tells what was last known, marked as such.
func (s *Server) status(ctx context.Context, c *fiber.Ctx) answer {
	store, refusal := s.admit(ctx, c, verbStatus)
	if refusal != nil {
		return *refusal
	}
	instances, err := s.instancesOf(ctx, store)
	if err != nil {
		return *s.cannotTell("find the store's instances", err)
	}
	instance := chooseInstance(instances, strings.Clone(c.Query("instance")))
	if instance == nil {
		return answer{status: fiber.StatusNotFound, body: problem{
			Error: "the client has no such WhatsAppInstance: POST /api/whatsapp/connect/{clientId} makes one",
		}}
	}
	if instance.Status.CredentialsSecretRef == nil {
		return answer{status: fiber.StatusOK, body: known(instance)}
	}
	if s.Copies != nil {
		answered, err := s.statusByControllers(ctx, instance)
		if err != nil {
			return *s.cannotTell("have the gateway asked", err)
		}
		return answer{status: fiber.StatusOK, private: true, body: answered}
	}
	state, err := s.ask(ctx, instance)
	if err != nil {
		s.logFailure("Cannot ask a gateway for its status", err,
			"instance", client.ObjectKeyFromObject(instance).String())
		return answer{status: fiber.StatusOK, private: true, body: stale(instance, err, s.Clock.Now())}
	}
	s.record(ctx, instance, state)
	return answer{status: fiber.StatusOK, private: true, body: known(instance)}
}

// ask asks the instance's gateway.
func (s *Server) ask(ctx context.Context, instance *v1alpha1.WhatsAppInstance) (gateway.State, error) {
	ctx, cancel := context.WithTimeout(ctx, gateway.Timeout)
	defer cancel()
	asked, err := s.Connector.For(ctx, instance)
	if err != nil {
		return gateway.State{}, err
	}
	return asked.Status(ctx)
}

// record writes what the gateway said into the instance, and into its status where that
// changed. When someone else has written it meanwhile theirs is as new.
func (s *Server) record(ctx context.Context, instance *v1alpha1.WhatsAppInstance, state gateway.State) {
	before := instance.DeepCopy()
	connection.Observe(instance, state, s.Clock.Now())
	if equality.Semantic.DeepEqual(before.Status, instance.Status) {
		return
	}
	written := instance.DeepCopy()
	err := s.Client.Status().Patch(ctx, written, client.MergeFromWithOptions(before,
		client.MergeFromWithOptimisticLock{}))
	if err != nil && !apierrors.IsConflict(err) && !apierrors.IsNotFound(err) {
		s.logFailure("Cannot record the status of an instance", err,
			"instance", client.ObjectKeyFromObject(instance).String())
	}
}

// known is the last known state of an instance.
func known(instance *v1alpha1.WhatsAppInstance) connectionStatus {
	return connectionStatus{
		Instance: instance.Name, Namespace: instance.Namespace,
		State: phaseOf(instance), Connected: isConnected(instance), Phone: instance.Status.Phone,
	}
}

// stale is the last known state of an instance, with the reason why nothing newer is known, and since when.
func stale(instance *v1alpha1.WhatsAppInstance, err error, now time.Time) connectionStatus {
	last := known(instance)
	last.Stale, last.Reason = true, string(failure.CodeOf(err))
	if last.Reason == "" {
		last.Reason = string(failure.Unavailable)
	}
	at := instance.CreationTimestamp.Time
	reachable := apimeta.FindStatusCondition(instance.Status.Conditions, v1alpha1.ConditionGatewayReachable)
	switch {
	case reachable != nil:
		at = reachable.LastTransitionTime.Time
	case instance.Status.LastConnectedTime != nil:
		at = instance.Status.LastConnectedTime.Time
	}
	age := max(0, int64(now.Sub(at).Seconds()))
	last.AsOf, last.AgeSeconds = at.UTC().Format(time.RFC3339), &age
	return last
}
