package policy_test

import (
	"strings"
	"testing"
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/policy"
)

func hours(n int) v1alpha1.Duration { return v1alpha1.Duration{Duration: time.Duration(n) * time.Hour} }

// startsAfter makes a sequence whose first step is due after some hours, and its second
// half a year later.
func startsAfter(trigger v1alpha1.Trigger, after int) v1alpha1.Sequence {
	return v1alpha1.Sequence{Trigger: trigger, Steps: []v1alpha1.Step{{Name: "hello", After: hours(after)},
		{Name: "late", After: hours(2000)}}}
}

func TestProblemOfAStore(t *testing.T) {
	for name, row := range map[string]struct {
		own  v1alpha1.RecoveryPolicy
		want string
	}{
		"nothing": {v1alpha1.RecoveryPolicy{}, ""},
		"usable words": {v1alpha1.RecoveryPolicy{OptOutKeywords: []string{"Não!", "nao", "不要", "stop", "1"},
			HandOffKeywords: []string{"gerente"}}, ""},
		"an unsayable": {v1alpha1.RecoveryPolicy{OptOutKeywords: []string{"chega", "!!"}},
			`spec.recovery.optOutKeywords[1]: expected letters or digits; nobody can be understood to say "!!"`},
		"only a picture": {v1alpha1.RecoveryPolicy{HandOffKeywords: []string{"🙋"}},
			"spec.recovery.handOffKeywords[0]: expected letters"},
		"blanks": {v1alpha1.RecoveryPolicy{OptOutKeywords: []string{" \u00a0"}},
			"spec.recovery.optOutKeywords[0]"},
		"a mark alone": {v1alpha1.RecoveryPolicy{OptOutKeywords: []string{"\u0301"}},
			"spec.recovery.optOutKeywords[0]"},
		"bytes": {v1alpha1.RecoveryPolicy{OptOutKeywords: []string{"\xff\xfe"}}, "spec.recovery.optOutKeywords[0]"},
		"hosts": {v1alpha1.RecoveryPolicy{AllowedLinkHosts: []string{"shop.example.com", "WA.me", "10.0.0.1",
			"xn--caf-dma.example", "café.example"}}, ""},
		"a URL": {v1alpha1.RecoveryPolicy{AllowedLinkHosts: []string{"wa.me", "https://wa.me"}},
			`spec.recovery.allowedLinkHosts[1]: expected a host such as shop.example.com, without https:// and path; got "https://wa.me"`},
		"too early an end": {v1alpha1.RecoveryPolicy{ExpireAfter: &v1alpha1.Duration{Duration: 15 * time.Minute}},
			"spec.recovery.expireAfter: expected more than sequences[AbandonedCart].steps[first].after, " +
				"which is 15m0s"},
		"just in time": {v1alpha1.RecoveryPolicy{ExpireAfter: &v1alpha1.Duration{Duration: 15*time.Minute +
			time.Second}}, ""},
		"too late a start": {
			v1alpha1.RecoveryPolicy{Sequences: []v1alpha1.Sequence{startsAfter(v1alpha1.TriggerAbandonedCart, 1),
				startsAfter(v1alpha1.TriggerPixPending, 72)}},
			"spec.recovery.sequences[PixPending].steps[hello].after: expected less than expireAfter, which is 72h0m0s"},
		"a late second step": {
			v1alpha1.RecoveryPolicy{Sequences: []v1alpha1.Sequence{startsAfter(v1alpha1.TriggerAbandonedCart, 71)}},
			""},
		"no steps": {v1alpha1.RecoveryPolicy{Sequences: []v1alpha1.Sequence{{Trigger: v1alpha1.TriggerPixPending}}},
			""},
	} {
		t.Run(name, func(t *testing.T) {
			effective := policy.Resolve(gen.StoreObject(func(s *v1alpha1.Store) { s.Spec.Recovery = row.own }), nil)
			if got := policy.Problem(&row.own, &effective); (row.want == "") != (got == "") ||
				!strings.HasPrefix(got, row.want) {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}

func TestNoHost(t *testing.T) {
	for _, text := range []string{
		"", ".", "a.", ".a", "a..b", "shop", "http://a.b", "a.b/", "a.b/c", "a.b:443", "u@a.b", "a.b?c", "a.b#c",
		"a b.c", "*.a.b", "-a.b", "a-.b", "a_b.c", "a.b\n", "[::1]", "::1", "a.b,c.d", strings.Repeat("a", 64) + ".b",
		"a.\xff",
	} {
		own := v1alpha1.RecoveryPolicy{AllowedLinkHosts: []string{text}}
		effective := policy.Resolve(nil, nil)
		if policy.Problem(&own, &effective) == "" {
			t.Errorf("%q passes for a host", text)
		}
	}
}

// A Product is told whose field it is that it cannot be recovered with.
func TestProblemOfAProduct(t *testing.T) {
	three := hours(3)
	late := []v1alpha1.Sequence{startsAfter(v1alpha1.TriggerAbandonedCart, 3)}
	for name, row := range map[string]struct {
		store, own v1alpha1.RecoveryPolicy
		want       string
	}{
		"the Store's words are the Store's": {v1alpha1.RecoveryPolicy{OptOutKeywords: []string{"!"}},
			v1alpha1.RecoveryPolicy{}, ""},
		"its own words": {v1alpha1.RecoveryPolicy{}, v1alpha1.RecoveryPolicy{OptOutKeywords: []string{"!"}},
			"spec.recovery.optOutKeywords[0]"},
		"its own end": {v1alpha1.RecoveryPolicy{Sequences: late},
			v1alpha1.RecoveryPolicy{ExpireAfter: &three},
			"spec.recovery.expireAfter: expected more than sequences[AbandonedCart].steps[hello].after"},
		"its own start": {v1alpha1.RecoveryPolicy{ExpireAfter: &three},
			v1alpha1.RecoveryPolicy{Sequences: late},
			"spec.recovery.sequences[AbandonedCart].steps[hello].after: expected less than"},
		"both the Store's": {v1alpha1.RecoveryPolicy{ExpireAfter: &three, Sequences: late},
			v1alpha1.RecoveryPolicy{}, "the Store's spec.recovery.expireAfter"},
		"it puts the Store's right": {v1alpha1.RecoveryPolicy{ExpireAfter: &three, Sequences: late},
			v1alpha1.RecoveryPolicy{Sequences: []v1alpha1.Sequence{startsAfter(v1alpha1.TriggerAbandonedCart, 1)}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			store := gen.StoreObject(func(s *v1alpha1.Store) { s.Spec.Recovery = row.store })
			effective := policy.Resolve(store, gen.ProductObject(func(p *v1alpha1.Product) {
				p.Spec.Recovery = row.own
			}))
			if got := policy.Problem(&row.own, &effective); (row.want == "") != (got == "") ||
				!strings.HasPrefix(got, row.want) {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}
