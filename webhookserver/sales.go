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
	"cartrecovery.dev/operator/internal/index"
	"cartrecovery.dev/operator/internal/secrets"
	"cartrecovery.dev/operator/webhookserver/platforms"
)

// sourceDetected counts deliveries whose platform is not known yet.
const sourceDetected = "detect"

// sale takes a delivery of the platform that the URL names.
func (s *Server) sale(ctx context.Context, c *fiber.Ctx) answer {
	platform, known := platforms.Lookup(c.Params("platform"))
	if !known {
		return notFound().from("none")
	}
	source := string(platform.Name())
	store, err := s.store(ctx, param(c, "clientId"))
	if err != nil {
		return s.failed(source, err)
	}
	if store == nil {
		return notFound().from(source)
	}
	delivery := deliveryOf(c)
	reason, err := s.verify(ctx, store, platform, delivery)
	if input, is := inputAnswer(err); is {
		return input.from(source)
	}
	if err != nil {
		return s.failed(source, err)
	}
	if reason != "" {
		s.reject(store, platform.Name(), reason, "")
		return unauthorized().from(source)
	}
	return s.accept(ctx, store, platform, delivery)
}

// saleDetected takes a delivery of whichever platform of the Store it proves to come from.
func (s *Server) saleDetected(ctx context.Context, c *fiber.Ctx) answer {
	store, err := s.store(ctx, param(c, "clientId"))
	if err != nil {
		return s.failed(sourceDetected, err)
	}
	if store == nil {
		return notFound().from(sourceDetected)
	}
	delivery := deliveryOf(c)
	found, err := s.detect(ctx, store, delivery)
	if err != nil {
		return s.failed(sourceDetected, err)
	}
	switch {
	case len(found.accepted) == 1:
		return s.accept(ctx, store, found.accepted[0], delivery)
	case len(found.accepted) > 1:
		return answer{status: fiber.StatusBadRequest, result: resultMalformed, body: problem{
			Error: "several of the client's platforms accept this delivery: use the URL that names the platform",
		}}.from(sourceDetected)
	case found.unreadable != nil && found.reason == "":
		input, _ := inputAnswer(found.unreadable)
		return input.from(sourceDetected)
	}
	s.reject(store, found.closest, found.reason, "")
	refusal := unauthorized()
	refusal.body = problem{Error: "none of the client's platforms accepts this delivery: its credential is missing or wrong"}
	return refusal.from(sourceDetected)
}

// detection is what the platforms of a Store say of a delivery.
type detection struct {
	// accepted are the platforms it proves to come from.
	accepted []platforms.Platform
	// closest is the platform whose reason to reject it tells most, "" when there is none.
	closest v1alpha1.PlatformName
	reason  string
	// unreadable is why no platform could look for its credential.
	unreadable error
}

// detect asks every platform that the Store has configured, and no other, so that a body
// cannot choose the weakest check.
func (s *Server) detect(ctx context.Context, store *v1alpha1.Store, delivery platforms.Delivery) (detection, error) {
	var found detection
	for i := range store.Spec.Platforms {
		platform, known := platforms.Lookup(string(store.Spec.Platforms[i].Name))
		if !known {
			continue
		}
		reason, err := s.verify(ctx, store, platform, delivery)
		var input *platforms.InputError
		switch {
		case errors.As(err, &input):
			found.unreadable = err
		case err != nil:
			return detection{}, err
		case reason == "":
			found.accepted = append(found.accepted, platform)
		case found.reason == "" || reason == v1alpha1.RejectedBadCredential && found.reason != reason:
			found.closest, found.reason = platform.Name(), reason
		}
	}
	return found, nil
}

// verify decides whether a delivery comes from a platform of the Store: reason says why
// not. The error is the platform's InputError, or that a secret could not be read.
func (s *Server) verify(ctx context.Context, store *v1alpha1.Store, platform platforms.Platform, delivery platforms.Delivery) (reason string, err error) {
	configured := platformOf(store, platform.Name())
	if configured == nil {
		return v1alpha1.RejectedPlatformNotConfigured, nil
	}
	values := make([][]byte, 0, len(configured.SecretRefs))
	for _, ref := range configured.SecretRefs {
		value, err := s.Secrets.Get(ctx, store.Namespace, ref)
		switch {
		case errors.Is(err, secrets.ErrNotFound):
		case err != nil:
			return "", err
		default:
			values = append(values, value)
		}
	}
	if len(values) == 0 {
		return v1alpha1.RejectedSecretMissing, nil
	}
	err = platform.Verify(delivery, values)
	var input *platforms.InputError
	switch {
	case err == nil:
		return "", nil
	case errors.As(err, &input):
		return "", err
	case errors.Is(err, platforms.ErrNoCredential):
		return v1alpha1.RejectedNoCredential, nil
	}
	return v1alpha1.RejectedBadCredential, nil
}

func platformOf(store *v1alpha1.Store, name v1alpha1.PlatformName) *v1alpha1.StorePlatform {
	for i := range store.Spec.Platforms {
		if store.Spec.Platforms[i].Name == name {
			return &store.Spec.Platforms[i]
		}
	}
	return nil
}

// deliveryOf is a view of the request. The body is the raw one: what was signed, and never
// unpacked.
func deliveryOf(c *fiber.Ctx) platforms.Delivery {
	return platforms.Delivery{
		Body:        c.BodyRaw(),
		ContentType: c.Get(fiber.HeaderContentType),
		Header:      func(name string) string { return c.Get(name) },
		Query:       func(name string) string { return c.Query(name) },
	}
}

// accept reads and stores an authentic delivery.
func (s *Server) accept(ctx context.Context, store *v1alpha1.Store, platform platforms.Platform, delivery platforms.Delivery) answer {
	source := string(platform.Name())
	events, err := platform.Parse(delivery, store.Spec.Region)
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
		s.Logger.V(1).Info("took an event", "store", store.Namespace+"/"+store.Name, "platform", source,
			"event", events[i].Name, "result", part.Result, "reason", part.Reason)
		parts = append(parts, part)
	}
	return handled(parts).from(source)
}

// failed answers a delivery that could not be stored.
func (s *Server) failed(source string, err error) answer {
	s.Logger.Info("could not take a delivery", append(logged(err), "source", source)...)
	return storeAnswer(err).from(source)
}

// take stores what one event says.
func (s *Server) take(ctx context.Context, store *v1alpha1.Store, platform v1alpha1.PlatformName, event platforms.Event) (outcome, error) {
	if event.Kind == platforms.Ignored {
		return ignored(event.Reason), nil
	}
	r := &report{store: store, platform: platform, event: fitting(event), now: s.Clock.Now()}
	if r.event.Customer.Phone == "" && r.event.Customer.Email == "" {
		if event.Kind == platforms.Abandoned {
			return ignored(ignoredNoPhone), nil
		}
		return ignored(ignoredNoCustomer), nil
	}
	var err error
	if r.product, err = index.ProductByID(ctx, s.Client, store.Namespace, store.Name, platform, r.event.Product.ID); err != nil {
		return outcome{}, err
	}
	switch event.Kind {
	case platforms.Abandoned:
		return s.abandoned(ctx, r)
	case platforms.Purchased:
		return s.purchased(ctx, r)
	case platforms.Reversed:
		return s.reversed(ctx, r)
	}
	return outcome{}, fmt.Errorf("platform %s: an event of unknown kind", platform)
}

// abandoned starts a lead, unless there is one.
func (s *Server) abandoned(ctx context.Context, r *report) (outcome, error) {
	suppressed, err := index.Suppressed(ctx, s.Client, r.store.Namespace, r.store.Name, r.event.Customer.Phone, r.now)
	if err != nil {
		return outcome{}, err
	}
	if reason := r.refusal(suppressed); reason != "" {
		return ignored(reason), nil
	}
	var existing v1alpha1.CartRecovery
	err = s.Client.Get(ctx, types.NamespacedName{Namespace: r.store.Namespace, Name: r.leadName()}, &existing)
	if err == nil {
		return cartOn(&existing), nil
	}
	if !apierrors.IsNotFound(err) {
		return outcome{}, fmt.Errorf("find the lead of a cart: %w", err)
	}
	known, err := s.leadsByPhone(ctx, r.store.Namespace, r.store.Name, r.event.Customer.Phone)
	if err != nil {
		return outcome{}, err
	}
	if twin := r.twin(known); twin != nil {
		return cartOn(twin), nil
	}
	created := r.cart()
	err = s.Client.Create(ctx, created)
	if apierrors.IsAlreadyExists(err) {
		if err := s.Live.Get(ctx, client.ObjectKeyFromObject(created), &existing); err != nil {
			return outcome{}, fmt.Errorf("read the lead of a cart: %w", err)
		}
		return cartOn(&existing), nil
	}
	if err != nil {
		return outcome{}, fmt.Errorf("create a lead: %w", err)
	}
	return outcome{Result: resultCreated, Lead: created.Name}, nil
}
