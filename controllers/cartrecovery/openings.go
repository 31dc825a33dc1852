package cartrecovery

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/lru"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/lead"
)

// openingRace is how long the cache may take to show the first message of another lead.
const openingRace = time.Minute

// openingKey is a customer of a store, by their number's key.
type openingKey struct{ namespace, store, phone string }

func openingOf(recovery *v1alpha1.CartRecovery) openingKey {
	return openingKey{recovery.Namespace, recovery.Spec.StoreRef.Name, lead.PhoneHash(recovery.Spec.Customer.Phone)}
}

// opening is a first message that this process has claimed, or is about to.
type opening struct {
	lead types.UID
	at   time.Time
}

// openings keeps two leads of a customer from writing to them for the first time at once,
// before the cache shows either to the other. A restart loses it, and the leads tell.
type openings struct {
	mu    sync.Mutex
	known *lru.Cache
}

func newOpenings() *openings { return &openings{known: lru.New(maxClaims)} }

// get returns the last opening of a customer; the zero one when there is none.
func (o *openings) get(key openingKey) opening {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.read(key)
}

func (o *openings) read(key openingKey) opening {
	known, ok := o.known.Get(key)
	if !ok {
		return opening{}
	}
	return known.(opening)
}

// take begins a conversation; false when another lead has just begun one.
func (o *openings) take(key openingKey, by types.UID, at time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if known := o.read(key); known.lead != "" && known.lead != by && at.Sub(known.at).Abs() < openingRace {
		return false
	}
	o.known.Add(key, opening{lead: by, at: at})
	return true
}

// giveBack undoes take: nothing went.
func (o *openings) giveBack(key openingKey, by types.UID) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.read(key).lead == by {
		o.known.Remove(key)
	}
}
