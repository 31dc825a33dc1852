package webhookserver

import (
	"context"
	"errors"

	"github.com/gofiber/fiber/v2"
	"k8s.io/apimachinery/pkg/types"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gateway"
	"cartrecovery.dev/operator/internal/owner"
	"cartrecovery.dev/operator/internal/secrets"
	"cartrecovery.dev/operator/internal/webhookkeys"
	"cartrecovery.dev/operator/webhookserver/formats"
)

// sourceGateway counts gateway deliveries whose format is not known.
const sourceGateway = "gateway"

// inboundKeyed takes a gateway's delivery to the URL of one WhatsAppInstance that ends in
// its key, for gateways that send no headers of our choice. Some add the name of the event to
// the URL: where there is a header, what ends the URL is no key.
func (s *Server) inboundKeyed(ctx context.Context, c *fiber.Ctx) answer {
	if key := c.Get(gateway.WebhookKeyHeader); key != "" {
		return s.inboundOf(ctx, c, key)
	}
	return s.inboundOf(ctx, c, c.Params("key"))
}

// inboundHeader takes a gateway's delivery to the URL of one WhatsAppInstance, with its key
// in a header.
func (s *Server) inboundHeader(ctx context.Context, c *fiber.Ctx) answer {
	return s.inboundOf(ctx, c, c.Get(gateway.WebhookKeyHeader))
}

// inboundOf takes a delivery to the URL of one WhatsAppInstance, whose key is proof enough of
// whose delivery it is. What the body calls the instance, and which token it shows, are the
// sender's own affair: docs/decisions/0033-the-key-of-the-url-is-proof-enough.md.
func (s *Server) inboundOf(ctx context.Context, c *fiber.Ctx, key string) answer {
	instance, err := s.instance(ctx, types.NamespacedName{Namespace: param(c, "namespace"), Name: param(c, "instance")})
	if err != nil {
		return s.failed(sourceGateway, err)
	}
	if instance == nil {
		return notFound().from(sourceGateway)
	}
	authentic, err := s.matches(ctx, s.webhookKey(), instance, key)
	if err != nil {
		return s.failed(sourceGateway, err)
	}
	if !authentic {
		return unauthorized().from(sourceGateway)
	}
	messages, err := s.messages(c)
	if input, is := inputAnswer(err); is {
		return input.from(sourceGateway)
	}
	if err != nil {
		return s.failed(sourceGateway, err)
	}
	return s.hearAll(ctx, instance, messages)
}

// messages reads the body of a gateway's delivery.
func (s *Server) messages(c *fiber.Ctx) ([]formats.Message, error) {
	defer s.giveLargeSlot(c)
	return formats.Parse(c.BodyRaw()) //nolint:wrapcheck // its kind is looked at
}

// inbound takes a gateway's delivery to the URL that all instances share: the body names the
// instance, by its name at the gateway or an alias, and its token (in the body or a header) or
// its key (in the header) authenticates it.
func (s *Server) inbound(ctx context.Context, c *fiber.Ctx) answer {
	names := formats.NamesIn(c.BodyRaw())
	if refusal := s.screen(ctx, c, names); refusal != nil {
		return refusal.from(sourceGateway)
	}
	if size := len(c.BodyRaw()); names.Unsure && size > smallBody && size <= largeBody {
		if !s.takeLargeSlot(ctx, c) {
			return busy().from(sourceGateway)
		}
		defer s.giveLargeSlot(c)
	}
	messages, err := s.messages(c)
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
			return malformed("", "messages of one instance").from(first.Format)
		}
	}
	candidates, err := s.instancesNamed(ctx, first.Instance)
	if err != nil {
		return s.failed(first.Format, err)
	}
	if len(candidates) == 0 {
		return notFound().from(first.Format)
	}
	authentic, err := s.authentic(ctx, candidates, tokenOf(c, first), c.Get(gateway.WebhookKeyHeader))
	switch at := owner.Oldest(authentic); {
	case at >= 0:
		return s.hearAll(ctx, &authentic[at], messages)
	case err != nil:
		return s.failed(first.Format, err)
	}
	return unauthorized().from(first.Format)
}

// smallBody is how many bytes are read whole to tell the sender what is wrong with them.
const smallBody = 1 << 10

// screen refuses a delivery to the URL that all instances share before its body is read, where it names no
// instance that there is or shows no credential of one that it may name. What it lets pass is looked at
// again once it is read.
func (s *Server) screen(ctx context.Context, c *fiber.Ctx, names formats.Names) *answer {
	if len(c.BodyRaw()) <= smallBody || names.Unsure {
		return nil
	}
	if len(names.Instances) == 0 {
		refusal := malformed("", "a delivery of a known gateway that names its instance")
		return &refusal
	}
	tokens := make([]string, 0, len(names.Tokens)+1)
	for _, each := range names.Tokens {
		tokens = append(tokens, string(each))
	}
	if token := tokenOf(c, &formats.Message{}); token != "" {
		tokens = append(tokens, token)
	}
	refusal := notFound()
	for _, name := range names.Instances {
		candidates, err := s.instancesNamed(ctx, string(name))
		if err != nil {
			s.logFailure(cannotTake, err, "source", sourceGateway)
			refusal = storeAnswer(err)
			return &refusal
		}
		if len(candidates) > 0 {
			refusal = unauthorized()
		}
		if s.showsOne(ctx, candidates, tokens, c.Get(gateway.WebhookKeyHeader)) {
			return nil
		}
	}
	return &refusal
}

// showsOne says whether one of the tokens, or the key, may be of one of the instances: what could not be
// looked at may be.
func (s *Server) showsOne(ctx context.Context, candidates []v1alpha1.WhatsAppInstance, tokens []string,
	key string) bool {
	for _, token := range append(tokens, "") {
		if authentic, err := s.authentic(ctx, candidates, token, key); err != nil || len(authentic) > 0 {
			return true
		}
	}
	return false
}

// tokenOf returns the token of the instance: of the body, else of the header that the sender's
// own gateway names it by, or of a bearer.
func tokenOf(c *fiber.Ctx, message *formats.Message) string {
	for _, token := range []string{
		message.Token, c.Get("token"), c.Get("apikey"), bearer(c.Get(fiber.HeaderAuthorization)),
	} {
		if token != "" {
			return token
		}
	}
	return ""
}

// authentic returns the instances that the token or the key is of. The error is of one that
// could not be looked at.
func (s *Server) authentic(
	ctx context.Context, candidates []v1alpha1.WhatsAppInstance, token, key string,
) (authentic []v1alpha1.WhatsAppInstance, failure error) {
	for i := range candidates {
		is, err := s.matches(ctx, s.token(), &candidates[i], token)
		if !is && err == nil && key != "" {
			is, err = s.matches(ctx, s.webhookKey(), &candidates[i], key)
		}
		if err != nil {
			failure = err
		}
		if is {
			authentic = append(authentic, candidates[i])
		}
	}
	return authentic, failure
}

// credential reads a credential of an instance, such as gateway.Connector.Token.
type credential func(context.Context, *v1alpha1.WhatsAppInstance) ([]byte, error)

// matches says whether presented is a credential of an instance. One that is not there
// yet matches nothing. What is remembered can be older than what was presented, so it looks
// once more before it says no.
func (s *Server) matches(ctx context.Context, read credential, instance *v1alpha1.WhatsAppInstance,
	presented string) (bool, error) {
	is, err := presents(ctx, read, instance, s.comparable(presented))
	if is || err != nil && !errors.Is(err, webhookkeys.ErrNotCopied) || instance.Status.CredentialsSecretRef == nil {
		return is, err
	}
	if !s.refreshCredentials(instance) {
		return false, err
	}
	return presents(ctx, read, instance, s.comparable(presented))
}

// presents is matches by what is remembered.
func presents(
	ctx context.Context, read credential, instance *v1alpha1.WhatsAppInstance, presented []byte,
) (bool, error) {
	value, err := read(ctx, instance)
	if errors.Is(err, secrets.ErrNotFound) {
		return false, nil
	}
	return err == nil && equal(value, presented), err
}

// hearAll stores what an authentic delivery tells.
func (s *Server) hearAll(ctx context.Context, instance *v1alpha1.WhatsAppInstance, messages []formats.Message) answer {
	source := sourceGateway
	parts := make([]outcome, 0, len(messages))
	ctx = delivering(ctx, messages)
	for i := range messages {
		source = messages[i].Format
		part, err := s.hear(ctx, instance, &messages[i])
		if err != nil {
			return s.failed(source, err)
		}
		if log := s.Logger.V(1); log.Enabled() {
			log.Info("Took a message", "instance", instance.Namespace+"/"+instance.Name, "source", source,
				"kind", messages[i].Kind, "result", part.Result, "reason", part.Reason)
		}
		parts = append(parts, part)
	}
	return handled(parts).from(source)
}

// hear takes one message of an authentic delivery.
func (s *Server) hear(ctx context.Context, instance *v1alpha1.WhatsAppInstance, message *formats.Message) (outcome,
	error) {
	switch message.Kind {
	case formats.Receipt:
		return s.takeReceipt(ctx, instance, message)
	case formats.ConnectionChange:
		return s.takeConnectionChange(ctx, instance, message)
	case formats.Own:
		return s.takeOwn(ctx, instance, message)
	case formats.Sent:
		return s.takeSent(ctx, instance, message)
	case formats.Reaction:
		return s.takeReaction(ctx, instance, message)
	case formats.Inbound, formats.Edited:
		if message.FromMe {
			return s.takeOwn(ctx, instance, message)
		}
		return s.takeWritten(ctx, instance, message)
	case formats.Ignored:
	}
	if message.Reason == formats.ReasonNoPhone {
		return unmatched(message.Reason), nil
	}
	return ignored(message.Reason), nil
}
