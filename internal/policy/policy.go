// Package policy resolves what a Store and a Product say, and what they leave out, into
// the policy that holds for a lead. Pure functions.
package policy

import (
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
)

// Resolve returns the policy that holds for the leads of a product: the product's own
// fields, then the store's, then the defaults. Both may be nil.
func Resolve(store *v1alpha1.Store, product *v1alpha1.Product) Policy {
	var policy Policy
	policy.Location, policy.Locale = placeOf(store)
	for i := range fields {
		if reset := fields[i].reset; reset != nil {
			reset(&policy)
		}
	}
	if store != nil {
		policy.Override(&store.Spec.Recovery)
	}
	if product != nil {
		policy.Override(&product.Spec.Recovery)
	}
	return policy
}

// Override takes over what a Store or Product says.
func (p *Policy) Override(by *v1alpha1.RecoveryPolicy) {
	for i := range fields {
		fields[i].override(p, by)
	}
}

func (p *Policy) overrideTTL(by *v1alpha1.PhaseTTL) {
	setPointer(&p.TTL.Recovered, by.Recovered)
	setPointer(&p.TTL.Converted, by.Converted)
	setPointer(&p.TTL.Failed, by.Failed)
	setPointer(&p.TTL.OptedOut, by.OptedOut)
	setPointer(&p.TTL.Expired, by.Expired)
}

func setPointer[T any](target **T, value *T) {
	if value != nil {
		*target = value
	}
}

func setList[T any](target *[]T, value []T) {
	if len(value) > 0 {
		*target = value
	}
}

func setText[T ~string](target *T, value T) {
	if value != "" {
		*target = value
	}
}

func setCount(target *int, value *int32) {
	if value != nil {
		*target = int(*value)
	}
}

func setDuration(target *time.Duration, value *v1alpha1.Duration) {
	if value != nil {
		*target = value.Duration
	}
}

// Steps returns the steps of the trigger's sequence; false when the policy has none for
// it.
func (p *Policy) Steps(trigger v1alpha1.Trigger) ([]v1alpha1.Step, bool) {
	for i := range p.Sequences {
		if p.Sequences[i].Trigger == trigger {
			return p.Sequences[i].Steps, true
		}
	}
	return nil, false
}

// Planned returns the first step of the trigger's sequence and when it is due, moved out of
// the quiet hours as Opening does with the same key; false when the policy has no sequence
// for the trigger.
func (p *Policy) Planned(trigger v1alpha1.Trigger, abandonedAt time.Time, key string) (step string, due time.Time,
	ok bool) {
	steps, ok := p.Steps(trigger)
	if !ok || len(steps) == 0 {
		return "", time.Time{}, false
	}
	return steps[0].Name, p.Opening(abandonedAt.Add(steps[0].After.Duration), key, false), true
}

// TTLOf is how long a lead is kept after an ending. purchaseOnly says that the lead is a
// purchase that never had a cart event.
func (p *Policy) TTLOf(phase v1alpha1.Phase, purchaseOnly bool) time.Duration {
	own := map[v1alpha1.Phase]*v1alpha1.Duration{
		v1alpha1.PhaseRecovered: p.TTL.Recovered,
		v1alpha1.PhaseConverted: p.TTL.Converted,
		v1alpha1.PhaseFailed:    p.TTL.Failed,
		v1alpha1.PhaseOptedOut:  p.TTL.OptedOut,
		v1alpha1.PhaseExpired:   p.TTL.Expired,
	}[phase]
	switch {
	case own != nil:
		return own.Duration
	case purchaseOnly:
		return p.TTLAfterPurchaseOnly
	default:
		return p.TTLAfterFinished
	}
}
