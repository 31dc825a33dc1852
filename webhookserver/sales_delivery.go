package webhookserver

import (
	"context"
	"errors"
	"fmt"

	"github.com/gofiber/fiber/v2"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/index"
	"cartrecovery.dev/operator/internal/lead"
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

// isPing says whether a delivery that is not authentic, for this reason, is a platform's test
// call: it has no effect, tells nothing and wants a 200, also while the platform signs with a
// key that the Store does not have yet.
func isPing(platform platforms.Platform, reason string, delivery platforms.Delivery) bool {
	if !platforms.MayBePing(delivery) {
		return false
	}
	switch reason {
	case v1alpha1.RejectedNoCredential, v1alpha1.RejectedSecretMissing, v1alpha1.RejectedBadCredential:
		pinger, pings := platform.(platforms.Pinger)
		return pings && pinger.IsPing(delivery)
	}
	return false
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

// detection is what the platforms of a Store say of a delivery.
type detection struct {
	// accepted are the platforms it proves to come from.
	accepted []platforms.Platform
	// closest is the platform whose reason to reject it tells most, "" when there is none.
	closest v1alpha1.PlatformName
	reason  string
	// ping is set on the test call of one of the platforms, which need not prove anything.
	ping bool
	// unreadable is why no platform could look for its credential.
	unreadable error
}

// detect asks every platform that the Store has configured, and no other, so that a body
// cannot choose the weakest check.
func (s *Server) detect(ctx context.Context, store *v1alpha1.Store, delivery platforms.Delivery) (detection, error) {
	found, err := s.detectBy(ctx, store, delivery, s.verifyKnown)
	if s.Copies == nil || err != nil || len(found.accepted) > 0 {
		return found, err
	}
	// None of the keys that are known fits: that is believed of fresh ones only.
	return s.detectBy(ctx, store, delivery, s.verify)
}

// verifier decides whether a delivery comes from a platform of a Store, as verify does.
type verifier func(
	context.Context, *v1alpha1.Store, v1alpha1.PlatformName, platforms.Delivery,
) (platforms.Platform, string, error)

// detectBy is detect with one way to verify.
func (s *Server) detectBy(
	ctx context.Context, store *v1alpha1.Store, delivery platforms.Delivery, verify verifier,
) (detection, error) {
	var found detection
	for i := range store.Spec.Platforms {
		name := store.Spec.Platforms[i].Name
		platform, reason, err := verify(ctx, store, name, delivery)
		found.ping = found.ping || err == nil && isPing(platform, reason, delivery)
		var input *platforms.InputError
		switch {
		case errors.As(err, &input):
			found.unreadable = err
		case err != nil:
			return detection{}, err
		case reason == "":
			found.accepted = append(found.accepted, platform)
		case found.reason == "" || reason == v1alpha1.RejectedBadCredential && found.reason != reason:
			found.closest, found.reason = name, reason
		}
	}
	return found, nil
}

// verifyKnown is verify by the keys that are known.
func (s *Server) verifyKnown(ctx context.Context, store *v1alpha1.Store, name v1alpha1.PlatformName,
	delivery platforms.Delivery) (platform platforms.Platform, reason string, err error) {
	configured := platformOf(store, name)
	if configured == nil {
		return nil, v1alpha1.RejectedPlatformNotConfigured, nil
	}
	platform, err = platforms.Configured(configured)
	if err != nil {
		// The Store's Ready condition says what is wrong.
		return nil, v1alpha1.RejectedMisconfigured, nil //nolint:nilerr // it is the caller's reason
	}
	values, err := s.keysOf(ctx, store, configured)
	if err != nil {
		return nil, "", err
	}
	if len(values) == 0 {
		return platform, v1alpha1.RejectedSecretMissing, nil
	}
	err = platform.Verify(delivery, values)
	var input *platforms.InputError
	switch {
	case err == nil:
		return platform, "", nil
	case errors.As(err, &input):
		return nil, "", err
	case errors.Is(err, platforms.ErrNoCredential):
		return platform, v1alpha1.RejectedNoCredential, nil
	}
	return platform, v1alpha1.RejectedBadCredential, nil
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
			log.Info("took an event", "store", store.Namespace+"/"+store.Name, "platform", source,
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

// failed answers a delivery that could not be stored.
func (s *Server) failed(source string, err error) answer {
	s.Logger.Info("could not take a delivery", append(logged(err), "source", source)...)
	return storeAnswer(err).from(source)
}

// take stores what one event says.
func (s *Server) take(ctx context.Context, store *v1alpha1.Store, platform v1alpha1.PlatformName,
	event platforms.Event) (outcome, error) {
	if event.Kind == platforms.Ignored {
		return ignored(event.Reason), nil
	}
	if event.Kind == platforms.Unusable {
		if event.TransactionID == "" {
			return s.unusable(store, platform, &event, v1alpha1.UnusableNoCustomer), nil
		}
		// A lead that knows the sale is the one that it is of, so the credit is its own.
		event.Kind, event.Attribute = platforms.Purchased, true
	}
	r := &report{store: store, platform: platform, event: fitting(event), now: s.Clock.Now()}
	r.event.Currency = currencyOf(store, &r.event)
	if r.isAnonymous() {
		if done, known, err := s.anonymous(ctx, r); err != nil || !known {
			return done, err
		}
	}
	var err error
	if r.product, err = index.ProductFor(ctx, s.Client, store.Namespace, store.Name, platform,
		r.eventProduct()); err != nil {
		return outcome{}, err
	}
	switch event.Kind {
	case platforms.Abandoned:
		return s.abandoned(ctx, r)
	case platforms.Purchased:
		return s.purchased(ctx, r)
	case platforms.Reversed:
		return s.reversed(ctx, r)
	case platforms.PaymentExpired:
		return s.expired(ctx, r)
	case platforms.Unusable, platforms.Ignored:
		// They were answered above.
	}
	return outcome{}, fmt.Errorf("platform %s: an event of unknown kind", platform)
}

// anonymous looks for the buyer of an event that names none. known says that it was found; else
// the outcome is what becomes of the event.
func (s *Server) anonymous(ctx context.Context, r *report) (done outcome, known bool, err error) {
	if r.event.Kind == platforms.Abandoned {
		return ignored(ignoredNoPhone), false, nil
	}
	known, err = s.findBuyer(ctx, r)
	switch {
	case err != nil || known:
		return outcome{}, known, err
	case r.event.Kind == platforms.PaymentExpired:
		return ignored(ignoredNoCustomer), false, nil
	}
	return s.unusable(r.store, r.platform, &r.event, unusableReason(&r.event)), false, nil
}

// abandoned starts a lead, or joins what the event says to the one there is.
func (s *Server) abandoned(ctx context.Context, r *report) (outcome, error) {
	suppressed, err := index.Suppressed(ctx, s.Client, r.store.Namespace, r.store.Name, r.event.Customer.Phone, r.now)
	if err != nil {
		return outcome{}, err
	}
	if reason := r.refusal(suppressed); reason != "" {
		return ignored(reason), nil
	}
	known, err := s.knownLeads(ctx, r)
	if err != nil {
		return outcome{}, err
	}
	existing := r.leadOf(known)
	if existing != nil {
		return s.startOn(ctx, r, existing)
	}
	if tooManyOpen(known) {
		return ignored(ignoredTooManyLeads), nil
	}
	created := r.leadWith(r.started())
	purchase := lead.StoppedByAny(created, known, r.scope())
	lead.Add(created, lead.Bought(purchase))
	r.annotatePlanned(created)
	err = s.Client.Create(ctx, created)
	switch {
	case apierrors.IsAlreadyExists(err):
		existing = &v1alpha1.CartRecovery{}
		if err := s.Live.Get(ctx, client.ObjectKeyFromObject(created), existing); err != nil {
			return outcome{}, fmt.Errorf("read the lead of a cart: %w", err)
		}
		return s.startOn(ctx, r, existing)
	case err != nil:
		return outcome{}, fmt.Errorf("create a lead: %w", err)
	}
	if purchase != nil {
		return outcome{Result: resultRecorded, Lead: created.Name}, nil
	}
	return outcome{Result: resultCreated, Lead: created.Name}, nil
}

// knownLeads finds the leads of a cart event's customer, in the cache. The one of the event's
// own name is among them, unless it is too new or has another address by now: then creating
// it says that it exists.
func (s *Server) knownLeads(ctx context.Context, r *report) ([]v1alpha1.CartRecovery, error) {
	return index.LeadsOf(ctx, s.Client, r.store.Namespace, r.store.Name, r.customer())
}

// startOn joins a cart event to a lead, or re-opens it, and joins a purchase that stops it now.
func (s *Server) startOn(ctx context.Context, r *report, existing *v1alpha1.CartRecovery) (outcome, error) {
	stopped, err := s.stillStopped(ctx, r, existing)
	if err != nil {
		return outcome{}, err
	}
	if stopped {
		return ignored(ignoredSuppressed), nil
	}
	wanted := existing.DeepCopy()
	r.startOn(wanted, nil)
	purchase, err := s.stopping(ctx, r, wanted)
	if err != nil {
		return outcome{}, err
	}
	says, fits := false, fitJoins
	stored, _, err := s.patchLead(ctx, existing, s.writeSpec, func(recovery *v1alpha1.CartRecovery) (changed bool) {
		fits = r.fitOf(recovery)
		changed, says = saying(recovery, func(recovery *v1alpha1.CartRecovery) bool {
			return r.startOn(recovery, purchase)
		})
		return changed
	})
	if err != nil {
		return outcome{}, fmt.Errorf("write a cart to its lead: %w", err)
	}
	if stored == nil {
		return outcome{}, errGone
	}
	return fits.answer(stored, says), nil
}

// stopping finds the purchase that stops a cart's lead from the start, nil when there is
// none.
func (s *Server) stopping(ctx context.Context, r *report, recovery *v1alpha1.CartRecovery) (*v1alpha1.Purchase, error) {
	return index.StoppingPurchase(ctx, s.Client, recovery, r.scope())
}
