package webhookserver

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/index"
	"cartrecovery.dev/operator/internal/policy"
	"cartrecovery.dev/operator/webhookserver/platforms"
)

// sourceDetected counts deliveries whose platform is not known yet.
const sourceDetected = "detect"

// sale takes a delivery of the platform that the URL names.
func (s *Server) sale(ctx context.Context, c *fiber.Ctx) answer {
	name, known := platforms.Known(c.Params("platform"))
	if !known {
		return notFound().from("none")
	}
	source := string(name)
	store, err := s.store(ctx, param(c, "clientId"))
	if err != nil {
		return s.failed(source, err)
	}
	if store == nil {
		return s.storeless(ctx, param(c, "clientId")).from(source)
	}
	delivery := deliveryOf(c)
	platform, reason, err := s.verify(ctx, store, name, delivery)
	if input, is := inputAnswer(err); is {
		return input.from(source)
	}
	if err != nil {
		return s.failed(source, err)
	}
	if reason != "" {
		if isPing(platform, reason, delivery) {
			return handled([]outcome{ignored(ignoredPing)}).from(source)
		}
		s.reject(store, name, reason, "")
		return unauthorized().from(source)
	}
	return s.accept(ctx, c, store, platform, delivery)
}

// storeless answers a delivery whose client has no Store. While there are leads of the client the
// Store may come back, and what is refused for good is a purchase that nobody tells again.
func (s *Server) storeless(ctx context.Context, clientID string) answer {
	has, err := index.HasLeadsOf(ctx, s.Client, clientID)
	switch {
	case err != nil:
		return storeAnswer(err)
	case has:
		return unavailable()
	}
	return notFound()
}

// saleDetected takes a delivery of whichever platform of the Store it proves to come from.
func (s *Server) saleDetected(ctx context.Context, c *fiber.Ctx) answer {
	store, err := s.store(ctx, param(c, "clientId"))
	if err != nil {
		return s.failed(sourceDetected, err)
	}
	if store == nil {
		return s.storeless(ctx, param(c, "clientId")).from(sourceDetected)
	}
	delivery := deliveryOf(c)
	found, err := s.detect(ctx, store, delivery)
	if err != nil {
		return s.failed(sourceDetected, err)
	}
	switch {
	case len(found.accepted) == 1:
		return s.accept(ctx, c, store, found.accepted[0], delivery)
	case len(found.accepted) > 1:
		s.reject(store, found.accepted[0].Name(), v1alpha1.RejectedMalformed, ambiguous)
		return answer{status: fiber.StatusBadRequest, result: resultMalformed,
			body: problem{Error: ambiguous}}.from(sourceDetected)
	case found.ping:
		return handled([]outcome{ignored(ignoredPing)}).from(sourceDetected)
	case found.unreadable != nil && found.reason == "":
		input, _ := inputAnswer(found.unreadable)
		return input.from(sourceDetected)
	}
	s.reject(store, found.closest, found.reason, "")
	refusal := unauthorized()
	refusal.body = problem{
		Error: "none of the client's platforms accepts this delivery: its credential is missing or wrong"}
	return refusal.from(sourceDetected)
}

const ambiguous = "several of the client's platforms accept this delivery: use the URL that names the platform"

// deliveryOf is a view of the request. The body is the raw one: what was signed, and never
// unpacked.
func deliveryOf(c *fiber.Ctx) platforms.Delivery {
	return platforms.Delivery{
		Body:        c.BodyRaw(),
		ContentType: c.Get(fiber.HeaderContentType),
		Header:      func(name string) string { return c.Get(name) },
		Query:       func(name string) string { return c.Query(name) },
	}.Remembering()
}

// accept reads and stores an authentic delivery.
func (s *Server) accept(
	ctx context.Context, c *fiber.Ctx, store *v1alpha1.Store, platform platforms.Platform, delivery platforms.Delivery,
) answer {
	source := string(platform.Name())
	events, err := platform.Parse(delivery, placeOf(store))
	s.giveLargeSlot(c)
	if input, is := inputAnswer(err); is {
		s.reject(store, platform.Name(), v1alpha1.RejectedMalformed, err.Error())
		return input.from(source)
	}
	if err != nil {
		return s.failed(source, err)
	}
	parts := make([]outcome, 0, len(events))
	for i := range events {
		part, err := s.take(ctx, store, platform.Name(), events[i])
		if err != nil {
			return s.failed(source, err)
		}
		if log := s.Logger.V(1); log.Enabled() {
			log.Info("Took an event", "store", store.Namespace+"/"+store.Name, "source", source,
				"event", events[i].Name, "result", part.Result, "reason", part.Reason)
		}
		parts = append(parts, part)
	}
	return handled(parts).from(source)
}

// placeOf is where a Store is, for what a delivery leaves open.
func placeOf(store *v1alpha1.Store) platforms.Place {
	return platforms.Place{Region: store.Spec.Region, Zone: policy.Zone(store)}
}

// cannotTake is logged where a delivery could not be stored.
const cannotTake = "Cannot take a delivery"

// failed answers a delivery that could not be stored.
func (s *Server) failed(source string, err error) answer {
	s.logFailure(cannotTake, err, "source", source)
	return storeAnswer(err).from(source)
}
