package policy_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/policy"
)

func TestEffectiveOfTheDefaults(t *testing.T) {
	resolved := policy.Resolve(nil, nil)
	want := &v1alpha1.EffectivePolicy{
		Sequences:       []string{"AbandonedCart: first after 15m"},
		QuietHours:      "none",
		Cooldown:        "168h",
		MaxUnanswered:   3,
		Answers:         "20 an hour, 60 a day",
		ReplyDebounce:   "3s",
		ExpireAfter:     "72h",
		TTL:             "720h, purchases without a cart 72h",
		KillSwitchScope: "Customer",
		LateReplies:     "Answer",
		ClaimsPaidAfter: "1h",
		HandOff:         "stays",
		NumberLost:      "Wait",
		Texts:           "firstMessageNotice, optOutConfirmation",
	}
	if diff := cmp.Diff(want, named(resolved.Effective(), want)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// named is an effective policy with the fields alone that another has. A new field is no matter of the
// tests here: TestFieldsAreMergedAndShown finds it.
func named(got, like *v1alpha1.EffectivePolicy) *v1alpha1.EffectivePolicy {
	got = got.DeepCopy()
	fields, names := reflect.ValueOf(got).Elem(), reflect.ValueOf(like).Elem()
	for i := range fields.NumField() {
		if names.Field(i).IsZero() {
			fields.Field(i).SetZero()
		}
	}
	return got
}

func TestEffective(t *testing.T) {
	hours := func(n int) v1alpha1.Duration { return v1alpha1.Duration{Duration: time.Duration(n) * time.Hour} }
	day := hours(24)
	resolved := policy.Resolve(nil, nil)
	resolved.Sequences = []v1alpha1.Sequence{
		{Trigger: v1alpha1.TriggerAbandonedCart, Steps: []v1alpha1.Step{
			{Name: "first", After: v1alpha1.Duration{Duration: 15 * time.Minute}, Instructions: "SECRET"},
			{Name: "second", After: day, Text: "SECRET"},
		}},
		{Trigger: v1alpha1.TriggerPixPending, Steps: []v1alpha1.Step{{Name: "now", After: hours(0)}}},
	}
	resolved.QuietHours = &v1alpha1.QuietHours{Start: "21:00", End: "08:00", Days: []v1alpha1.Weekday{"Sun", "Mon",
		"Sat"}}
	resolved.TTL = v1alpha1.PhaseTTL{Expired: &day, Converted: &day}
	resolved.OptOutConfirmation, resolved.HandOffText, resolved.FallbackText = "SECRET", "SECRET", "SECRET"
	resolved.OptOutKeywords = []string{"fora"}
	resolved.FirstMessageNotice, resolved.LateReplies = "", v1alpha1.LateRepliesHandOff
	resolved.ClaimsPaidAfter, resolved.HandOffResumeAfter = 90*time.Minute, 24*time.Hour
	got := resolved.Effective()
	want := &v1alpha1.EffectivePolicy{
		Sequences: []string{"AbandonedCart: first after 15m, second after 24h (fixed text)",
			"PixPending: now after 0s"},
		QuietHours:      "21:00-08:00 America/Sao_Paulo, from Mon, Sat, Sun, spread over 30m",
		Cooldown:        "168h",
		MaxUnanswered:   3,
		Answers:         "20 an hour, 60 a day",
		ReplyDebounce:   "3s",
		ExpireAfter:     "72h",
		TTL:             "720h, Converted 24h, Expired 24h, purchases without a cart 24h",
		KillSwitchScope: "Customer",
		LateReplies:     "HandOff",
		ClaimsPaidAfter: "1h30m",
		HandOff:         "resumes after 24h",
		NumberLost:      "Wait",
		OptOutKeywords:  []string{"fora"},
		Texts:           "optOutConfirmation, handOffText, fallbackText",
	}
	if diff := cmp.Diff(want, named(got, want)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	got.OptOutKeywords[0] = "changed"
	if resolved.OptOutKeywords[0] != "fora" {
		t.Error("what is described shares the policy's list")
	}

	resolved.QuietHours = &v1alpha1.QuietHours{Start: "21:30", End: "00:00",
		Spread: &v1alpha1.Duration{Duration: 90 * time.Minute}}
	resolved.OptOutConfirmation, resolved.HandOffText, resolved.FallbackText = "", "", ""
	got = resolved.Effective()
	if got.QuietHours != "21:30-00:00 America/Sao_Paulo, every day, spread over 1h30m" || got.Texts != "none" {
		t.Errorf("quiet hours %q, texts %q", got.QuietHours, got.Texts)
	}
}

// TestEffectiveFits: the longest policy that the schema allows, and one that it does not,
// can be written into a status.
func TestEffectiveFits(t *testing.T) {
	odd := v1alpha1.Duration{Duration: 2159*time.Hour + 59*time.Minute + 59*time.Second + 999999999}
	for name, length := range map[string]int{"the longest": 1, "too long": 30} {
		var steps []v1alpha1.Step
		for range 10 * length {
			steps = append(steps, v1alpha1.Step{Name: strings.Repeat("é", 40*length), After: odd, Text: "x"})
		}
		words := slices.Repeat([]string{strings.Repeat("ã", 64*length)}, 50*length)
		p := policy.Policy{
			Location: time.FixedZone(strings.Repeat("z", 64*length), 0),
			Sequences: slices.Repeat([]v1alpha1.Sequence{{Trigger: v1alpha1.TriggerAbandonedCart, Steps: steps}},
				4*length),
			QuietHours: &v1alpha1.QuietHours{Start: "21:00", End: "08:00", Days: []v1alpha1.Weekday{"Mon", "Tue", "Wed",
				"Thu", "Fri", "Sat", "Sun"}, Spread: &odd},
			Cooldown: odd.Duration, ReplyDebounce: odd.Duration, ExpireAfter: odd.Duration,
			TTLAfterPurchaseOnly: odd.Duration, MaxUnanswered: 1000, TTL: v1alpha1.PhaseTTL{Recovered: &odd,
				Converted: &odd, Failed: &odd, OptedOut: &odd, Expired: &odd},
			KillSwitchScope: v1alpha1.KillSwitchScope(strings.Repeat("k", 30*length)),
			NumberLost:      v1alpha1.NumberLost(strings.Repeat("n", 30*length)),
			LateReplies:     v1alpha1.LateReplies(strings.Repeat("l", 30*length)), ClaimsPaidAfter: odd.Duration,
			HandOffResumeAfter: odd.Duration, FirstMessageNotice: "x", OptOutKeywords: words, HandOffKeywords: words,
			AllowedLinkHosts: words, OptOutConfirmation: "x", HandOffText: "x", FallbackText: "x",
		}
		got := p.Effective()
		for field, list := range map[string]struct {
			texts       []string
			items, most int
		}{
			"sequences": {got.Sequences, 4, 1024},
			"short": {[]string{got.Cooldown, got.ReplyDebounce, got.ExpireAfter, got.KillSwitchScope,
				got.NumberLost, got.LateReplies, got.ClaimsPaidAfter}, 7, 32},
			"hand-off":       {[]string{got.HandOff}, 1, 64},
			"lines":          {[]string{got.QuietHours, got.TTL}, 2, 256},
			"texts":          {[]string{got.Texts}, 1, 128},
			"opt-out":        {got.OptOutKeywords, 50, 64},
			"hand-off words": {got.HandOffKeywords, 50, 64},
			"link hosts":     {got.AllowedLinkHosts, 20, 253},
		} {
			if len(list.texts) == 0 || len(list.texts) > list.items {
				t.Errorf("%s, %s: %d items", name, field, len(list.texts))
			}
			for _, text := range list.texts {
				if utf8.RuneCountInString(text) > list.most || length == 1 && strings.HasSuffix(text, "…") {
					t.Errorf("%s, %s: does not fit: %q", name, field, text)
				}
			}
		}
	}
}
