package policy_test

import (
	"testing"
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/policy"
)

func TestResolve(t *testing.T) {
	none := policy.Resolve(nil, nil)
	if steps, ok := none.Steps(v1alpha1.TriggerAbandonedCart); !ok || len(steps) != 1 || steps[0].After.Duration != 15*time.Minute {
		t.Errorf("the default sequence is %v", steps)
	}
	if _, ok := none.Steps(v1alpha1.TriggerPixPending); ok {
		t.Error("by default only abandoned carts start a recovery")
	}
	if none.MaxUnanswered != 3 || none.ReplyDebounce != 3*time.Second || none.ExpireAfter != 72*time.Hour || none.KillSwitchScope != v1alpha1.KillSwitchCustomer {
		t.Errorf("the defaults are %+v", none)
	}

	hour, zero := v1alpha1.Duration{Duration: time.Hour}, v1alpha1.Duration{}
	one := int32(1)
	store := gen.StoreObject(func(s *v1alpha1.Store) {
		s.Spec.Recovery = v1alpha1.RecoveryPolicy{ExpireAfter: &hour, MaxUnanswered: &one, FallbackText: "store"}
	})
	product := gen.ProductObject(func(p *v1alpha1.Product) {
		p.Spec.Recovery = v1alpha1.RecoveryPolicy{ReplyDebounce: &zero, FallbackText: "product", KillSwitchScope: v1alpha1.KillSwitchProduct}
	})
	both := policy.Resolve(store, product)
	if both.ExpireAfter != time.Hour || both.MaxUnanswered != 1 {
		t.Error("what the product leaves out comes from the store")
	}
	if both.FallbackText != "product" || both.KillSwitchScope != v1alpha1.KillSwitchProduct {
		t.Error("the product goes before the store")
	}
	if both.ReplyDebounce != 0 {
		t.Error("a zero that somebody wrote is not a default")
	}
	if both.TTLAfterFinished != policy.DefaultTTLAfterFinished {
		t.Error("what both leave out is the default")
	}
}

func TestOptsOut(t *testing.T) {
	resolved := policy.Resolve(gen.StoreObject(func(s *v1alpha1.Store) { s.Spec.Recovery.OptOutKeywords = []string{"Não quero mais", "!!"} }), nil)
	for text, want := range map[string]bool{
		"PARAR": true, "  parar!! ": true, "Stop.": true, "Descadastrar": true, "nao quero MAIS": true, "Não, quero mais?": true,
		"": false, "!!": false, "parar de enviar quando?": false, "não quero mais pagar frete": false, "vou cancelar o cartão": false,
	} {
		if got := resolved.OptsOut(text); got != want {
			t.Errorf("%q: got %t", text, got)
		}
	}
}
