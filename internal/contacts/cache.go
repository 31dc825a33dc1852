package contacts

import (
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/failure"
	"cartrecovery.dev/operator/internal/gateway"
)

const (
	// CheckTimeout bounds the question whether a number is on WhatsApp. It is short: the
	// message goes all the same when there is no answer.
	CheckTimeout = 3 * time.Second
	// registeredFor is how long it is believed that a number is on WhatsApp.
	registeredFor = 24 * time.Hour
	// AbsentFor is how long it is believed that a number is not.
	AbsentFor = time.Hour
	// UnsureFor is how long a gateway that could not tell is not asked again.
	UnsureFor = 10 * time.Minute
	// checkPause is how long an instance whose gateway did not answer is not asked for any
	// number: leads that wait for it in vain would hold the workers that others need.
	checkPause = time.Minute
	// maxNumbers is how many answers are remembered; some 20 MB.
	maxNumbers = 50_000
	// maxInstances is how many instances are remembered whose gateway did not answer.
	maxInstances = 10_000
)

// Key is a customer's number in a store.
type Key struct {
	namespace, store string
	// Phone is the number, as the lead has it.
	Phone string
}

// KeyOf is the number of a lead's customer.
func KeyOf(recovery *v1alpha1.CartRecovery) Key {
	return Key{recovery.Namespace, recovery.Spec.StoreRef.Name, recovery.Spec.Customer.Phone}
}

// Cache remembers what gateways said of numbers, in the leader's memory: a restart
// loses it, and they are asked again.
type Cache struct {
	clock clock.PassiveClock

	mu      sync.Mutex
	answers *lru.Cache[Key, Contact]
	// paused says until when an instance, by its UID, is not asked for any number.
	paused *lru.Cache[types.UID, time.Time]
}

// New returns a Cache that knows nothing.
func New(passive clock.PassiveClock) *Cache {
	c := &Cache{clock: passive}
	// New fails only for a size that is not positive.
	c.answers, _ = lru.New[Key, Contact](maxNumbers)
	c.paused, _ = lru.New[types.UID, time.Time](maxInstances)
	return c
}

// Get returns what is known of a number that an instance would be asked for.
func (c *Cache) Get(key Key, instance types.UID) Contact {
	if known, ok := c.answers.Get(key); ok && c.clock.Now().Before(known.Until) {
		return known
	}
	if until, ok := c.paused.Get(instance); ok && c.clock.Now().Before(until) {
		return Contact{State: Unsure}
	}
	return Contact{}
}

// Begin says that a number is being asked for; false when somebody else asks already, or
// has just had the answer.
func (c *Cache) Begin(key Key, instance types.UID) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.Get(key, instance).State != Unasked {
		return false
	}
	c.answers.Add(key, Contact{State: Asking, Until: c.clock.Now().Add(CheckTimeout)})
	return true
}

// End remembers the answer.
func (c *Cache) End(key Key, instance types.UID, number gateway.Number, err error) {
	now := c.clock.Now()
	c.answers.Add(key, contactOf(number, err, key.Phone, now))
	if err != nil && failure.ClassOf(err) != failure.Terminal {
		c.paused.Add(instance, now.Add(checkPause))
	}
}

// CannotTell remembers that the gateway of an instance looks no number up.
func (c *Cache) CannotTell(key Key, instance types.UID) {
	until := c.clock.Now().Add(UnsureFor)
	c.answers.Add(key, Contact{State: Unsure, Until: until})
	c.paused.Add(instance, until)
}

// Forget says that the question of a number was broken off, or that its lead was deleted.
func (c *Cache) Forget(key Key) { c.answers.Remove(key) }

// contactOf is what an answer says of a number.
func contactOf(number gateway.Number, err error, customer string, now time.Time) Contact {
	switch {
	case err != nil:
		return Contact{State: Unsure, Until: now.Add(UnsureFor)}
	case !number.Registered:
		return Contact{State: Absent, Until: now.Add(AbsentFor)}
	case !SameSubscriber(number.ID, customer):
		return Contact{State: Registered, Until: now.Add(registeredFor)}
	default:
		return Contact{State: Registered, ID: number.ID, Until: now.Add(registeredFor)}
	}
}
