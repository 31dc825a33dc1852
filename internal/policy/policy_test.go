package policy_test

import (
	"strings"
	"testing"
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/policy"
	"cartrecovery.dev/operator/internal/templates"
)

func TestResolve(t *testing.T) {
	none := policy.Resolve(nil, nil)
	if steps, ok := none.Steps(v1alpha1.TriggerAbandonedCart); !ok || len(steps) != 1 ||
		steps[0].After.Duration != 15*time.Minute {
		t.Errorf("the default sequence is %v", steps)
	}
	if _, ok := none.Steps(v1alpha1.TriggerPixPending); ok {
		t.Error("by default only abandoned carts start a recovery")
	}
	if none.MaxUnanswered != 3 || none.ReplyDebounce != 3*time.Second || none.ExpireAfter != 72*time.Hour ||
		none.KillSwitchScope != v1alpha1.KillSwitchCustomer {
		t.Errorf("the defaults are %+v", none)
	}

	hour, zero := v1alpha1.Duration{Duration: time.Hour}, v1alpha1.Duration{}
	one := int32(1)
	store := gen.StoreObject(func(s *v1alpha1.Store) {
		s.Spec.Recovery = v1alpha1.RecoveryPolicy{ExpireAfter: &hour, MaxUnanswered: &one, FallbackText: "store"}
	})
	product := gen.ProductObject(func(p *v1alpha1.Product) {
		p.Spec.Recovery = v1alpha1.RecoveryPolicy{ReplyDebounce: &zero, FallbackText: "product",
			KillSwitchScope: v1alpha1.KillSwitchProduct}
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

func TestResolveMergesFields(t *testing.T) {
	hour, day := v1alpha1.Duration{Duration: time.Hour}, v1alpha1.Duration{Duration: 24 * time.Hour}
	night := &v1alpha1.QuietHours{Start: "21:00", End: "08:00"}
	store := gen.StoreObject(func(s *v1alpha1.Store) {
		s.Spec.Recovery = v1alpha1.RecoveryPolicy{
			QuietHours: night, Cooldown: &hour, NumberLost: v1alpha1.NumberLostMove, HandOffText: "store",
			HandOffKeywords: []string{"gerente"}, OptOutConfirmation: new("store"), OptOutKeywords: []string{"fora"},
			AllowedLinkHosts: []string{"example.com"}, TTLByPhase: &v1alpha1.PhaseTTL{Recovered: &hour, Expired: &hour},
			TTLAfterPurchaseOnly: &hour,
		}
	})
	inherits := policy.Resolve(store, gen.ProductObject())
	if inherits.QuietHours != night || inherits.NumberLost != v1alpha1.NumberLostMove ||
		inherits.HandOffText != "store" ||
		inherits.OptOutConfirmation != "store" || len(inherits.HandOffKeywords) != 1 || inherits.Cooldown != time.Hour {
		t.Errorf("what the product leaves out comes from the store: %+v", inherits)
	}
	product := gen.ProductObject(func(p *v1alpha1.Product) {
		p.Spec.Recovery = v1alpha1.RecoveryPolicy{
			OptOutConfirmation: new(""), NumberLost: v1alpha1.NumberLostWait, HandOffKeywords: []string{"chefe",
				"dono"}, HandOffText: "product",
			TTLByPhase: &v1alpha1.PhaseTTL{Expired: &day},
			QuietHours: &v1alpha1.QuietHours{Start: "12:00", End: "13:00"},
		}
	})
	both := policy.Resolve(store, product)
	if both.OptOutConfirmation != "" || both.HandOffText != "product" || both.NumberLost != v1alpha1.NumberLostWait {
		t.Errorf("the product goes before the store, with an empty text too: %+v", both)
	}
	if len(both.HandOffKeywords) != 2 || both.QuietHours.Start != "12:00" || both.QuietHours.End != "13:00" {
		t.Errorf("lists and quiet hours are replaced as a whole: %+v", both)
	}
	if both.TTLOf(v1alpha1.PhaseRecovered, false) != time.Hour || both.TTLOf(v1alpha1.PhaseExpired,
		false) != 24*time.Hour {
		t.Error("the TTL of each ending is merged by itself")
	}
	if store.Spec.Recovery.TTLByPhase.Expired.Duration != time.Hour {
		t.Error("merging changed the Store")
	}
}

// TestResolveWhatCustomersSay: the fields about late replies, claimed payments and hand-offs.
func TestResolveWhatCustomersSay(t *testing.T) {
	hour, day := v1alpha1.Duration{Duration: time.Hour}, v1alpha1.Duration{Duration: 24 * time.Hour}
	none := policy.Resolve(nil, nil)
	if none.LateReplies != v1alpha1.LateRepliesAnswer || none.ClaimsPaidAfter != time.Hour ||
		none.HandOffResumeAfter != 0 ||
		!strings.Contains(none.FirstMessageNotice, "PARAR") {
		t.Errorf("the defaults are %+v", none)
	}
	store := gen.StoreObject(func(s *v1alpha1.Store) {
		s.Spec.Locale = "es-MX"
		s.Spec.Recovery = v1alpha1.RecoveryPolicy{
			LateReplies: v1alpha1.LateRepliesHandOff, ClaimsPaidAfter: &day,
			HandOff: &v1alpha1.HandOffPolicy{ResumeAfter: &day},
		}
	})
	inherits := policy.Resolve(store, gen.ProductObject(func(p *v1alpha1.Product) {
		p.Spec.Recovery.HandOff = &v1alpha1.HandOffPolicy{}
	}))
	if inherits.LateReplies != v1alpha1.LateRepliesHandOff || inherits.ClaimsPaidAfter != 24*time.Hour ||
		inherits.HandOffResumeAfter != 24*time.Hour || !strings.Contains(inherits.FirstMessageNotice, "BAJA") {
		t.Errorf("what the product leaves out comes from the store: %+v", inherits)
	}
	product := gen.ProductObject(func(p *v1alpha1.Product) {
		p.Spec.Recovery = v1alpha1.RecoveryPolicy{
			LateReplies: v1alpha1.LateRepliesIgnore, ClaimsPaidAfter: &v1alpha1.Duration{},
			HandOff: &v1alpha1.HandOffPolicy{ResumeAfter: &hour}, FirstMessageNotice: new(""),
		}
	})
	both := policy.Resolve(store, product)
	if both.LateReplies != v1alpha1.LateRepliesIgnore || both.ClaimsPaidAfter != 0 ||
		both.HandOffResumeAfter != time.Hour || both.FirstMessageNotice != "" {
		t.Errorf("the product goes before the store: %+v", both)
	}
}

func TestResolvePlace(t *testing.T) {
	for name, test := range map[string]struct{ zone, locale, wantZone, wantLocale, confirms string }{
		"given":                {"Europe/Lisbon", "pt-PT", "Europe/Lisbon", "pt-PT", "não vai mais"},
		"left out":             {"", "", "America/Sao_Paulo", "pt-BR", "não vai mais"},
		"unknown zone":         {"Brazil/Nowhere", "es-MX", "America/Sao_Paulo", "es-MX", "no recibirá"},
		"the machine's zone":   {"Local", "es", "America/Sao_Paulo", "es", "no recibirá"},
		"outside of the files": {"../../etc/passwd", "EN-us", "America/Sao_Paulo", "EN-us", "will not get"},
		"another language":     {"UTC", "fr-FR", "UTC", "fr-FR", "will not get"},
		"Papiamento is not pt": {"America/Curacao", "pap", "America/Curacao", "pap", "will not get"},
	} {
		t.Run(name, func(t *testing.T) {
			for range 2 { // the second time it is remembered
				got := policy.Resolve(gen.StoreObject(func(s *v1alpha1.Store) {
					s.Spec.TimeZone, s.Spec.Locale = test.zone, test.locale
				}), nil)
				if got.Location == nil || got.Location.String() != test.wantZone || got.Locale != test.wantLocale {
					t.Errorf("in %s, %s", got.Location, got.Locale)
				}
				if !strings.Contains(got.OptOutConfirmation, test.confirms) {
					t.Errorf("confirms with %q", got.OptOutConfirmation)
				}
				if problem := templates.Problem("", "",
					&v1alpha1.RecoveryPolicy{OptOutConfirmation: &got.OptOutConfirmation}); problem != "" {
					t.Error(problem)
				}
			}
		})
	}
	if none := policy.Resolve(nil, nil); none.Location == nil || none.Location.String() != "America/Sao_Paulo" ||
		none.Locale != "pt-BR" || none.NumberLost != v1alpha1.NumberLostWait {
		t.Errorf("without a Store: %+v", none)
	}
}

func TestTTLOf(t *testing.T) {
	zero, day := v1alpha1.Duration{}, v1alpha1.Duration{Duration: 24 * time.Hour}
	p := policy.Policy{TTLAfterFinished: 720 * time.Hour, TTLAfterPurchaseOnly: 72 * time.Hour,
		TTL: v1alpha1.PhaseTTL{Failed: &zero, OptedOut: &day}}
	all := policy.Policy{TTL: v1alpha1.PhaseTTL{Recovered: &day, Converted: &day, Failed: &day, OptedOut: &day,
		Expired: &day}}
	for phase, want := range map[v1alpha1.Phase]time.Duration{
		v1alpha1.PhaseRecovered: 720 * time.Hour, v1alpha1.PhaseConverted: 720 * time.Hour,
		v1alpha1.PhaseExpired: 720 * time.Hour, v1alpha1.PhaseFailed: 0, v1alpha1.PhaseOptedOut: 24 * time.Hour,
	} {
		if got := p.TTLOf(phase, false); got != want {
			t.Errorf("%s: %s, want %s", phase, got, want)
		}
		if got := all.TTLOf(phase, true); got != 24*time.Hour {
			t.Errorf("%s with an override: %s", phase, got)
		}
	}
	if got := p.TTLOf(v1alpha1.PhaseConverted, true); got != 72*time.Hour {
		t.Errorf("a purchase without a cart: %s", got)
	}
	if got := p.TTLOf(v1alpha1.PhasePendingRecovery, false); got != 720*time.Hour {
		t.Errorf("a lead that is not finished: %s", got)
	}
}

func TestPlanned(t *testing.T) {
	p := quietPolicy(t, saoPaulo, "21:00", "08:00")
	p.Sequences = []v1alpha1.Sequence{
		{Trigger: v1alpha1.TriggerAbandonedCart,
			Steps: []v1alpha1.Step{{Name: "first", After: v1alpha1.Duration{Duration: time.Hour}}, {Name: "second"}}},
		{Trigger: v1alpha1.TriggerPixPending},
	}
	noon, night := at(t, "2026-11-25T12:00:00-03:00"), at(t, "2026-11-25T20:30:00-03:00")
	if step, due, ok := p.Planned(v1alpha1.TriggerAbandonedCart, noon, "key"); !ok || step != "first" ||
		!due.Equal(noon.Add(time.Hour)) {
		t.Errorf("by day: %q at %s, %t", step, due, ok)
	}
	if step, due, ok := p.Planned(v1alpha1.TriggerAbandonedCart, night, "key"); !ok || step != "first" ||
		due != p.Opening(night.Add(time.Hour), "key", false) || due.Equal(night.Add(time.Hour)) {
		t.Errorf("at night: %q at %s, %t", step, due, ok)
	}
	for _, trigger := range []v1alpha1.Trigger{v1alpha1.TriggerPixPending, v1alpha1.TriggerBoletoPending, ""} {
		if step, due, ok := p.Planned(trigger, noon, "key"); ok || step != "" || !due.IsZero() {
			t.Errorf("%s: %q at %s", trigger, step, due)
		}
	}
}

func TestOptsOut(t *testing.T) {
	resolved := policy.Resolve(gen.StoreObject(func(s *v1alpha1.Store) {
		s.Spec.Recovery.OptOutKeywords = []string{"Não quero mais", "!!"}
	}), nil)
	for text, want := range map[string]bool{
		"PARAR": true, "  parar!! ": true, "Stop.": true, "Descadastrar": true, "nao quero MAIS": true,
		"Não, quero mais?": true, "": false, "!!": false, "parar de enviar quando?": false,
		"não quero mais pagar frete": false, "vou cancelar o cartão": false,
	} {
		if got := resolved.OptsOut(text); got != want {
			t.Errorf("%q: got %t", text, got)
		}
	}
}
