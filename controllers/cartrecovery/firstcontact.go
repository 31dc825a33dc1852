package cartrecovery

import (
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"k8s.io/apimachinery/pkg/types"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/controllers/cartrecovery/plan"
	"cartrecovery.dev/operator/internal/lead"
)

// firstContactRace is how long the cache may take to show the first message of another lead.
const firstContactRace = time.Minute

// customerKey is a customer of a store, by their number.
type customerKey struct{ namespace, store, phone string }

func customerOf(recovery *v1alpha1.CartRecovery) customerKey {
	return customerKey{recovery.Namespace, recovery.Spec.StoreRef.Name, lead.FullNumber(recovery.Spec.Customer.Phone)}
}

// firstContacts keeps two leads of a customer from writing to them for the first time at once,
// before the cache shows either to the other. A restart loses it, and the leads tell.
type firstContacts struct {
	mu sync.Mutex
	// known are the last first contacts by customer.
	known *lru.Cache[customerKey, plan.FirstContact]
	// customers are the keys of known by lead.
	customers *lru.Cache[types.NamespacedName, customerKey]
}

func newFirstContacts() *firstContacts {
	return &firstContacts{
		known:     newest[customerKey, plan.FirstContact](maxClaims),
		customers: newest[types.NamespacedName, customerKey](maxClaims),
	}
}

// get returns the last first contact of a customer; the zero one for none.
func (o *firstContacts) get(key customerKey) plan.FirstContact {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.read(key)
}

func (o *firstContacts) read(key customerKey) plan.FirstContact {
	known, _ := o.known.Get(key)
	return known
}

// take begins a conversation; false when another lead has just begun one, and two are not
// wanted within the cooldown.
func (o *firstContacts) take(recovery *v1alpha1.CartRecovery, cooldown time.Duration, at time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	key := customerOf(recovery)
	name := types.NamespacedName{Namespace: recovery.Namespace, Name: recovery.Name}
	if known := o.read(key); known.Lead != "" && known.Name != name && at.Sub(known.At).Abs() < min(firstContactRace,
		cooldown) {
		return false
	}
	o.known.Add(key, plan.FirstContact{Lead: recovery.UID, Name: name, At: at})
	o.customers.Add(name, key)
	return true
}

// giveBack undoes take: nothing went.
func (o *firstContacts) giveBack(recovery *v1alpha1.CartRecovery) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if key := customerOf(recovery); o.read(key).Lead == recovery.UID {
		o.known.Remove(key)
	}
}

// forget drops what a lead that was deleted began.
func (o *firstContacts) forget(name types.NamespacedName) {
	o.mu.Lock()
	defer o.mu.Unlock()
	key, ok := o.customers.Get(name)
	if !ok {
		return
	}
	o.customers.Remove(name)
	if o.read(key).Name == name {
		o.known.Remove(key)
	}
}
