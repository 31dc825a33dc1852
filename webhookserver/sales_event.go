package webhookserver

import (
	"context"
	"fmt"
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/index"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/policy"
	"cartrecovery.dev/operator/webhookserver/platforms"
)

// An event of a sales platform is resolved once, into a salesEvent: whose it is, which product it names, when it
// happened, which leads the customer has. Everything that is decided about it afterwards reads that value.

// clockSkew is how far ahead the clock of a platform or gateway may be.
const clockSkew = 2 * time.Minute

// salesEvent is an event of a sales platform for one Store. What newSalesEvent has filled in does not change.
type salesEvent struct {
	store    *v1alpha1.Store
	platform v1alpha1.PlatformName
	event    platforms.Event
	// product is nil where no Product has the event's product.
	product *v1alpha1.Product
	// policy is set for carts and for payments that ended. What a purchase stops is decided by the policies of the
	// leads that are found.
	policy policy.Policy
	// name is the name of the event's own lead; customer is the customer that the event names.
	name     string
	customer v1alpha1.LeadCustomer
	// own is the event's own lead with what every kind of event tells about it. It is shared: read it only.
	own *v1alpha1.CartRecovery
	// now is when the event came in, occurred when it happened.
	now      time.Time
	occurred v1alpha1.Timestamp

	// suppressed says, of a cart, that the number must not be written to.
	suppressed bool
	// leads are the customer's leads in the cache.
	leads []v1alpha1.CartRecovery
}

// newSalesEvent fills in what follows from an event and its Product.
func newSalesEvent(
	store *v1alpha1.Store, platform v1alpha1.PlatformName, event platforms.Event, product *v1alpha1.Product,
	now time.Time,
) *salesEvent {
	e := &salesEvent{
		store: store, platform: platform, event: event, product: product, now: now,
		occurred: occurredAt(event.OccurredAt, now),
		customer: v1alpha1.LeadCustomer{Name: event.Customer.Name, Phone: event.Customer.Phone,
			Email: event.Customer.Email},
	}
	e.own = lead.New(store, platform, e.customer, leadProduct(event.Product), product)
	e.name = e.own.Name
	if event.Kind == platforms.Abandoned || event.Kind == platforms.PaymentExpired {
		e.policy = policy.Resolve(store, product)
	}
	return e
}

// occurredAt is when an event happened by the platform's clock, or now, where the platform tells no time or one in the
// future. An old time stays: a delivery that is repeated days later is as old as it was.
func occurredAt(told, now time.Time) v1alpha1.Timestamp {
	if told.IsZero() || told.After(now.Add(clockSkew)) {
		told = now
	}
	return v1alpha1.NewTimestamp(told)
}

func leadProduct(product platforms.Product) v1alpha1.LeadProduct {
	return v1alpha1.LeadProduct{ID: product.ID, Name: product.Name}
}

// asKnownBy is the event with the time that these leads keep of it, where they know it as a purchase. A purchase that
// is delivered again without a time would otherwise count as a new one.
func (e *salesEvent) asKnownBy(leads []v1alpha1.CartRecovery) *salesEvent {
	at, isKnown := lead.PurchasedAt(leads, e.event.ID)
	if !isKnown {
		return e
	}
	known := *e
	known.occurred = occurredAt(at, e.now)
	return &known
}

// take stores what one event says.
func (s *Server) take(
	ctx context.Context, store *v1alpha1.Store, platform v1alpha1.PlatformName, told platforms.Event,
) (outcome, error) {
	if told.Kind == platforms.Ignored {
		return ignored(told.Reason), nil
	}
	told = inForm(told)
	told.Currency = currencyOf(store, &told)
	told, refusal, err := s.identify(ctx, store, platform, told)
	if err != nil {
		return outcome{}, err
	}
	if refusal != nil {
		return *refusal, nil
	}
	event, err := s.resolve(ctx, store, platform, told)
	if err != nil {
		return outcome{}, err
	}
	if reason := event.refusal(); reason != "" {
		return ignored(reason), nil
	}
	event.leads, err = index.LeadsOf(ctx, s.Client, store.Namespace, store.Name, event.customer)
	if err != nil {
		return outcome{}, err
	}
	return s.apply(ctx, event)
}

// resolve looks up what an event names: its Product and, of a cart, whether the number is suppressed.
func (s *Server) resolve(
	ctx context.Context, store *v1alpha1.Store, platform v1alpha1.PlatformName, told platforms.Event,
) (*salesEvent, error) {
	now := s.Clock.Now()
	product, err := index.ProductFor(ctx, s.Client, store.Namespace, store.Name, platform, leadProduct(told.Product))
	if err != nil {
		return nil, err
	}
	event := newSalesEvent(store, platform, told, product, now)
	if told.Kind == platforms.Abandoned {
		event.suppressed, err = index.Suppressed(ctx, s.Client, nil, store.Namespace, store.Name, event.customer.Phone,
			now)
	}
	return event, err
}

// apply writes an event to the leads that it concerns.
func (s *Server) apply(ctx context.Context, event *salesEvent) (outcome, error) {
	switch event.event.Kind {
	case platforms.Abandoned:
		return s.abandoned(ctx, event)
	case platforms.Purchased:
		return s.purchased(ctx, event)
	case platforms.Reversed:
		return s.reversed(ctx, event)
	case platforms.PaymentExpired:
		return s.expired(ctx, event)
	case platforms.Unusable, platforms.Ignored:
		// identify has answered them.
	}
	return outcome{}, fmt.Errorf("platform %s: an event of unknown kind", event.platform)
}
