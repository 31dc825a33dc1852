package webhookserver

import (
	"context"
	"errors"
	"fmt"

	"github.com/gofiber/fiber/v2"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/owner"
	"cartrecovery.dev/operator/internal/secrets"
	"cartrecovery.dev/operator/webhookserver/dialects"
)

// sourceGateway counts gateway deliveries whose dialect is not known.
const sourceGateway = "gateway"

// inboundKeyed takes a gateway's delivery to the URL of one WhatsAppInstance, whose key
// authenticates it. A token in the body must be the instance's all the same.
func (s *Server) inboundKeyed(ctx context.Context, c *fiber.Ctx) answer {
	instance, err := s.instance(ctx, types.NamespacedName{Namespace: param(c, "namespace"), Name: param(c, "instance")})
	if err != nil {
		return s.failed(sourceGateway, err)
	}
	if instance == nil {
		return notFound().from(sourceGateway)
	}
	authentic, err := matches(ctx, s.Connector.WebhookKey, instance, c.Params("key"))
	if err != nil {
		return s.failed(sourceGateway, err)
	}
	if !authentic {
		return unauthorized().from(sourceGateway)
	}
	messages, err := dialects.Parse(c.BodyRaw())
	if input, is := inputAnswer(err); is {
		return input.from(sourceGateway)
	}
	if err != nil {
		return s.failed(sourceGateway, err)
	}
	for i := range messages {
		if messages[i].Token == "" {
			continue
		}
		authentic, err := matches(ctx, s.Connector.Token, instance, messages[i].Token)
		if err != nil {
			return s.failed(messages[i].Dialect, err)
		}
		if !authentic {
			return unauthorized().from(messages[i].Dialect)
		}
	}
	return s.hearAll(ctx, instance, messages)
}

// inbound takes a gateway's delivery to the URL that all instances share: the body names
// the instance, and its token authenticates it.
func (s *Server) inbound(ctx context.Context, c *fiber.Ctx) answer {
	messages, err := dialects.Parse(c.BodyRaw())
	if input, is := inputAnswer(err); is {
		return input.from(sourceGateway)
	}
	if err != nil {
		return s.failed(sourceGateway, err)
	}
	if len(messages) == 0 {
		return malformed("", "a delivery that tells of something").from(sourceGateway)
	}
	first := &messages[0]
	for i := range messages {
		if messages[i].Instance != first.Instance || messages[i].Token != first.Token {
			return malformed("", "messages of one instance").from(first.Dialect)
		}
	}
	candidates, err := s.instancesNamed(ctx, first.Instance)
	if err != nil {
		return s.failed(first.Dialect, err)
	}
	if len(candidates) == 0 {
		return notFound().from(first.Dialect)
	}
	var authentic []v1alpha1.WhatsAppInstance
	var failure error
	for i := range candidates {
		is, err := matches(ctx, s.Connector.Token, &candidates[i], first.Token)
		if err != nil {
			failure = err
		}
		if is {
			authentic = append(authentic, candidates[i])
		}
	}
	switch at := owner.Oldest(authentic); {
	case at >= 0:
		return s.hearAll(ctx, &authentic[at], messages)
	case failure != nil:
		return s.failed(first.Dialect, failure)
	}
	return unauthorized().from(first.Dialect)
}

// matches says whether presented is a credential of an instance. One that is not there
// yet matches nothing.
func matches(
	ctx context.Context, credential func(context.Context, *v1alpha1.WhatsAppInstance) ([]byte, error),
	instance *v1alpha1.WhatsAppInstance, presented string,
) (bool, error) {
	value, err := credential(ctx, instance)
	if errors.Is(err, secrets.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return equal(value, []byte(presented)), nil
}

// hearAll stores what an authentic delivery tells.
func (s *Server) hearAll(ctx context.Context, instance *v1alpha1.WhatsAppInstance, messages []dialects.Message) answer {
	source := sourceGateway
	parts := make([]outcome, 0, len(messages))
	for i := range messages {
		source = messages[i].Dialect
		part, err := s.hear(ctx, instance, &messages[i])
		if err != nil {
			return s.failed(source, err)
		}
		s.Logger.V(1).Info("took a gateway's delivery", "instance", instance.Namespace+"/"+instance.Name,
			"kind", messages[i].Kind, "result", part.Result, "reason", part.Reason)
		parts = append(parts, part)
	}
	return handled(parts).from(source)
}

// hear stores one message in the conversation it belongs to.
func (s *Server) hear(ctx context.Context, instance *v1alpha1.WhatsAppInstance, message *dialects.Message) (outcome, error) {
	switch message.Kind {
	case dialects.Inbound:
	case dialects.Receipt:
		return ignored(ignoredReceipt), nil
	case dialects.ConnectionChange:
		return ignored(ignoredConnection), nil
	default:
		return ignored(message.Reason), nil
	}
	if message.Phone == "" {
		return ignored(dialects.ReasonNoPhone), nil
	}
	if message.FromMe {
		return ignored(dialects.ReasonOwnMessage), nil
	}
	leads, err := s.leadsByPhone(ctx, instance.Namespace, instance.Spec.StoreRef.Name, message.Phone)
	if err != nil {
		return outcome{}, err
	}
	chosen, settled := settle(leads, instance.Name, message)
	if chosen == nil && settled.Reason == ignoredNoConversation {
		// The cache may not know yet what was just sent; an answer to it must not be lost.
		if leads, err = s.readAgain(ctx, leads); err != nil {
			return outcome{}, err
		}
		chosen, settled = settle(leads, instance.Name, message)
	}
	if chosen == nil {
		return settled, nil
	}
	now := s.Clock.Now()
	stored, changed, err := s.patchLead(ctx, chosen, s.writeStatus, func(recovery *v1alpha1.CartRecovery) bool {
		return hear(recovery, message, now)
	})
	switch {
	case err != nil:
		return outcome{}, fmt.Errorf("store a message: %w", err)
	case changed:
		return outcome{Result: resultRecorded, Lead: stored.Name}, nil
	case stored != nil && lead.Find(stored.Status.Conversation, messageID(message)) != nil:
		return outcome{Result: resultUnchanged, Lead: stored.Name}, nil
	}
	return ignored(ignoredNoOpenLead), nil
}

// readAgain reads the leads that are worked on from the API server.
func (s *Server) readAgain(ctx context.Context, leads []v1alpha1.CartRecovery) ([]v1alpha1.CartRecovery, error) {
	fresh := make([]v1alpha1.CartRecovery, 0, len(leads))
	for i := range leads {
		if lead.Finished(&leads[i]) {
			continue
		}
		var read v1alpha1.CartRecovery
		err := s.Live.Get(ctx, client.ObjectKeyFromObject(&leads[i]), &read)
		if apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read a lead: %w", err)
		}
		fresh = append(fresh, read)
	}
	return fresh, nil
}
