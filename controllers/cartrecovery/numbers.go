package cartrecovery

import (
	"context"
	"errors"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"k8s.io/utils/lru"
	ctrl "sigs.k8s.io/controller-runtime"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/controllers/cartrecovery/plan"
	"cartrecovery.dev/operator/internal/failure"
	"cartrecovery.dev/operator/internal/gateway"
	"cartrecovery.dev/operator/internal/phone"
)

const (
	// checkTimeout bounds the question whether a number is on WhatsApp. It is short: the
	// message goes all the same when there is no answer.
	checkTimeout = 3 * time.Second
	// registeredFor, absentFor and unsureFor are how long an answer is believed.
	registeredFor = 24 * time.Hour
	absentFor     = time.Hour
	unsureFor     = 10 * time.Minute
	// checkPause is how long an instance whose gateway did not answer is not asked for any
	// number: leads that wait for it in vain would hold the workers that others need.
	checkPause = time.Minute
	// maxNumbers is how many answers are remembered; some 20 MB.
	maxNumbers = 50_000
)

// contactKey is a customer's number in a store.
type contactKey struct{ namespace, store, phone string }

func contactOf(recovery *v1alpha1.CartRecovery) contactKey {
	return contactKey{recovery.Namespace, recovery.Spec.StoreRef.Name, recovery.Spec.Customer.Phone}
}

// contacts remembers what gateways said of numbers, in the leader's memory: a restart
// loses it, and they are asked again.
type contacts struct {
	clock clock.PassiveClock

	mu sync.Mutex
	// answers holds a contact for each contactKey, and for the UID of an instance that is
	// not to be asked until when.
	answers *lru.Cache
}

func newContacts(passive clock.PassiveClock) *contacts {
	return &contacts{clock: passive, answers: lru.New(maxNumbers)}
}

// get returns what is known of a number that an instance would be asked for.
func (c *contacts) get(key contactKey, instance types.UID) plan.Contact {
	if known, ok := c.answers.Get(key); ok && c.clock.Now().Before(known.(plan.Contact).Until) {
		return known.(plan.Contact)
	}
	if pause, ok := c.answers.Get(instance); ok && c.clock.Now().Before(pause.(time.Time)) {
		return plan.Contact{State: plan.ContactUnsure}
	}
	return plan.Contact{}
}

// begin says that a number is being asked for; false when somebody else asks already, or
// has just had the answer.
func (c *contacts) begin(key contactKey, instance types.UID) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.get(key, instance).State != plan.ContactUnasked {
		return false
	}
	c.answers.Add(key, plan.Contact{State: plan.ContactAsking, Until: c.clock.Now().Add(checkTimeout)})
	return true
}

// end remembers the answer.
func (c *contacts) end(key contactKey, instance types.UID, number gateway.Number, err error) {
	now := c.clock.Now()
	c.answers.Add(key, contactFrom(number, err, key.phone, now))
	switch {
	case errors.Is(err, gateway.ErrNoLookup):
		c.answers.Add(instance, now.Add(unsureFor))
	case err != nil && failure.ClassOf(err) != failure.Terminal:
		c.answers.Add(instance, now.Add(checkPause))
	}
}

func (c *contacts) forget(key contactKey) { c.answers.Remove(key) }

// contactFrom is what an answer says of a number.
func contactFrom(number gateway.Number, err error, customer string, now time.Time) plan.Contact {
	switch {
	case err != nil:
		return plan.Contact{State: plan.ContactUnsure, Until: now.Add(unsureFor)}
	case !number.Registered:
		return plan.Contact{State: plan.ContactAbsent, Until: now.Add(absentFor)}
	case !plan.SameSubscriber(number.ID, customer):
		return plan.Contact{State: plan.ContactRegistered, Until: now.Add(registeredFor)}
	default:
		return plan.Contact{State: plan.ContactRegistered, ID: number.ID, Until: now.Add(registeredFor)}
	}
}

// recipient is the number that messages of a lead go to, digits with country code: the one
// WhatsApp knows the customer by, where it is known.
func recipient(recovery *v1alpha1.CartRecovery) string {
	if id := recovery.Status.WhatsAppID; plan.SameSubscriber(id, recovery.Spec.Customer.Phone) {
		return id
	}
	return phone.Digits(recovery.Spec.Customer.Phone)
}

// check asks the gateway whether the customer's number is on WhatsApp. Whatever comes of it
// is only remembered: nothing is written, and a failure is no reason to wait.
func (r *Reconciler) check(ctx context.Context, s plan.Snapshot, instance *v1alpha1.WhatsAppInstance) (ctrl.Result, error) {
	key := contactOf(s.Lead)
	if !r.contacts.begin(key, instance.UID) {
		return r.soon(), nil
	}
	number, err := r.lookUpNumber(ctx, instance, phone.Digits(key.phone))
	if ctx.Err() != nil {
		r.contacts.forget(key)
		return ctrl.Result{}, ctx.Err()
	}
	r.contacts.end(key, instance.UID, number, err)
	return r.soon(), nil
}

func (r *Reconciler) lookUpNumber(ctx context.Context, instance *v1alpha1.WhatsAppInstance, digits string) (gateway.Number, error) {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	gate, err := r.Connector.For(ctx, instance)
	if err != nil {
		return gateway.Number{}, err
	}
	return gate.CheckNumber(ctx, digits)
}
