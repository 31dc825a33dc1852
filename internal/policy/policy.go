// Package policy resolves what a Store and a Product say, and what they leave out, into
// the policy that holds for a lead. Pure functions.
package policy

import (
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
)

// The defaults of RecoveryPolicy, as documented on its fields.
const (
	DefaultFirstDelay           = 15 * time.Minute
	DefaultCooldown             = 7 * 24 * time.Hour
	DefaultMaxUnanswered        = 3
	DefaultReplyDebounce        = 3 * time.Second
	DefaultExpireAfter          = 72 * time.Hour
	DefaultTTLAfterFinished     = 30 * 24 * time.Hour
	DefaultTTLAfterPurchaseOnly = 72 * time.Hour
	// DefaultStepName is the name of the default sequence's only step.
	DefaultStepName = "first"
)

// Policy is a policy with nothing left out.
type Policy struct {
	Sequences            []v1alpha1.Sequence
	QuietHours           *v1alpha1.QuietHours
	Cooldown             time.Duration
	MaxUnanswered        int
	ReplyDebounce        time.Duration
	ExpireAfter          time.Duration
	TTLAfterFinished     time.Duration
	TTLAfterPurchaseOnly time.Duration
	KillSwitchScope      v1alpha1.KillSwitchScope
	OptOutKeywords       []string
	FallbackText         string
	AllowedLinkHosts     []string
}

// Resolve returns the policy that holds for the leads of a product: the product's own
// fields, then the store's, then the defaults. Both may be nil.
func Resolve(store *v1alpha1.Store, product *v1alpha1.Product) Policy {
	policy := defaults()
	if store != nil {
		policy.override(&store.Spec.Recovery)
	}
	if product != nil {
		policy.override(&product.Spec.Recovery)
	}
	return policy
}

func defaults() Policy {
	return Policy{
		Sequences: []v1alpha1.Sequence{{
			Trigger: v1alpha1.TriggerAbandonedCart,
			Steps:   []v1alpha1.Step{{Name: DefaultStepName, After: v1alpha1.Duration{Duration: DefaultFirstDelay}}},
		}},
		Cooldown:             DefaultCooldown,
		MaxUnanswered:        DefaultMaxUnanswered,
		ReplyDebounce:        DefaultReplyDebounce,
		ExpireAfter:          DefaultExpireAfter,
		TTLAfterFinished:     DefaultTTLAfterFinished,
		TTLAfterPurchaseOnly: DefaultTTLAfterPurchaseOnly,
		KillSwitchScope:      v1alpha1.KillSwitchCustomer,
	}
}

func (p *Policy) override(by *v1alpha1.RecoveryPolicy) {
	if len(by.Sequences) > 0 {
		p.Sequences = by.Sequences
	}
	if by.QuietHours != nil {
		p.QuietHours = by.QuietHours
	}
	setDuration(&p.Cooldown, by.Cooldown)
	setDuration(&p.ReplyDebounce, by.ReplyDebounce)
	setDuration(&p.ExpireAfter, by.ExpireAfter)
	setDuration(&p.TTLAfterFinished, by.TTLAfterFinished)
	setDuration(&p.TTLAfterPurchaseOnly, by.TTLAfterPurchaseOnly)
	if by.MaxUnanswered != nil {
		p.MaxUnanswered = int(*by.MaxUnanswered)
	}
	if by.KillSwitchScope != "" {
		p.KillSwitchScope = by.KillSwitchScope
	}
	if len(by.OptOutKeywords) > 0 {
		p.OptOutKeywords = by.OptOutKeywords
	}
	if by.FallbackText != "" {
		p.FallbackText = by.FallbackText
	}
	if len(by.AllowedLinkHosts) > 0 {
		p.AllowedLinkHosts = by.AllowedLinkHosts
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
