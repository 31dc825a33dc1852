package policy_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/policy"
)

func sequenceOf(after ...time.Duration) []v1alpha1.Sequence {
	sequence := v1alpha1.Sequence{Trigger: v1alpha1.TriggerAbandonedCart}
	for i, each := range after {
		sequence.Steps = append(sequence.Steps, v1alpha1.Step{Name: string(rune('a' + i)),
			After: v1alpha1.Duration{Duration: each}})
	}
	return []v1alpha1.Sequence{sequence}
}

func quiet(start, end string, days ...v1alpha1.Weekday) *v1alpha1.QuietHours {
	return &v1alpha1.QuietHours{Start: start, End: end, Days: days}
}

func TestWarnings(t *testing.T) {
	day, two, ten := 24*time.Hour, int32(2), int32(10)
	for name, row := range map[string]struct {
		own  v1alpha1.RecoveryPolicy
		want []string
	}{
		"the defaults": {v1alpha1.RecoveryPolicy{}, nil},
		"all in time":  {v1alpha1.RecoveryPolicy{Sequences: sequenceOf(time.Hour, day, day)}, nil},
		"one after the end": {v1alpha1.RecoveryPolicy{Sequences: sequenceOf(time.Hour, day, 2*day)},
			[]string{"steps[c]: never sent, because it is due 73h"}},
		"just at the end": {v1alpha1.RecoveryPolicy{Sequences: sequenceOf(day, day, day)},
			[]string{"steps[c]: never sent"}},
		"the first is no one": {v1alpha1.RecoveryPolicy{Sequences: sequenceOf(4 * day)}, nil},
		"one too many": {v1alpha1.RecoveryPolicy{Sequences: sequenceOf(time.Hour, time.Hour, time.Hour),
			MaxUnanswered: &two},
			[]string{"steps[c]: never sent, because maxUnanswered is 2"}},
		"nearly all day": {v1alpha1.RecoveryPolicy{QuietHours: quiet("00:00", "23:59")},
			[]string{"quietHours: 00:00 to 23:59 leaves 1m a day"}},
		"nearly all night": {v1alpha1.RecoveryPolicy{QuietHours: quiet("20:00", "19:30")},
			[]string{"leaves 30m a day"}},
		"an hour is left": {v1alpha1.RecoveryPolicy{QuietHours: quiet("20:00", "19:00")}, nil},
		"on some days":    {v1alpha1.RecoveryPolicy{QuietHours: quiet("00:00", "23:59", "Sun")}, nil},
		"a usual night":   {v1alpha1.RecoveryPolicy{QuietHours: quiet("21:00", "08:00")}, nil},
		"deleted too soon": {v1alpha1.RecoveryPolicy{TTLAfterFinished: &v1alpha1.Duration{Duration: day}},
			[]string{"cooldown: a lead that is Expired is deleted after 24h"}},
		"one ending too soon": {
			v1alpha1.RecoveryPolicy{TTLByPhase: &v1alpha1.PhaseTTL{Recovered: &v1alpha1.Duration{Duration: day}}},
			[]string{"a lead that is Recovered"}},
		"purchases forgotten too soon": {v1alpha1.RecoveryPolicy{TTLAfterPurchaseOnly: &v1alpha1.Duration{
			Duration: time.Hour}},
			[]string{"ttlAfterPurchaseOnly: a purchase is forgotten after 1h"}},
		"purchases of a short recovery": {v1alpha1.RecoveryPolicy{
			TTLAfterPurchaseOnly: &v1alpha1.Duration{Duration: day}, ExpireAfter: &v1alpha1.Duration{Duration: day},
		}, nil},
		"a day below the default's hour": {v1alpha1.RecoveryPolicy{MaxAnswersPerDay: &ten}, nil},
		"bought and forgotten": {
			v1alpha1.RecoveryPolicy{TTLByPhase: &v1alpha1.PhaseTTL{Converted: &v1alpha1.Duration{Duration: time.Hour}}},
			[]string{"spec.recovery.ttlByPhase.converted: a purchase is forgotten"}},
		"an hour above a day": {v1alpha1.RecoveryPolicy{MaxAnswersPerHour: &ten, MaxAnswersPerDay: &two},
			[]string{"maxAnswersPerHour: 10 can never be"}},
		"a word for two things": {v1alpha1.RecoveryPolicy{OptOutKeywords: []string{"Pare"},
			HandOffKeywords: []string{"pare"}},
			[]string{"handOffKeywords: \"pare\" stops everything"}},
		"a night longer than a recovery": {v1alpha1.RecoveryPolicy{
			QuietHours: quiet("12:00", "11:00"), ExpireAfter: &v1alpha1.Duration{Duration: 6 * time.Hour},
		}, []string{"quietHours: 12:00 to 11:00 last 23h"}},
		"no cooldown": {v1alpha1.RecoveryPolicy{
			TTLAfterFinished: &v1alpha1.Duration{Duration: day}, Cooldown: &v1alpha1.Duration{},
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			effective := policy.Resolve(gen.StoreObject(func(s *v1alpha1.Store) { s.Spec.Recovery = row.own }), nil)
			got := effective.Warnings()
			if !slices.EqualFunc(got, row.want, strings.Contains) {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}

func TestUntold(t *testing.T) {
	hotmart := v1alpha1.StorePlatform{Name: v1alpha1.PlatformHotmart}
	generic := v1alpha1.StorePlatform{Name: v1alpha1.PlatformGeneric, Generic: &v1alpha1.GenericMapping{
		Start: []v1alpha1.GenericStart{{Value: "pix", Trigger: v1alpha1.TriggerPixPending}},
	}}
	effective := policy.Resolve(nil, nil)
	for name, row := range map[string]struct {
		platforms []v1alpha1.StorePlatform
		want      string
	}{
		"none":               {nil, "spec.platforms: there is none"},
		"one that tells all": {[]v1alpha1.StorePlatform{hotmart}, ""},
		"a mapping without":  {[]v1alpha1.StorePlatform{generic}, "sequences[AbandonedCart]: never begins"},
		"either":             {[]v1alpha1.StorePlatform{generic, hotmart}, ""},
	} {
		got := strings.Join(effective.Untold(row.platforms), "; ")
		if (got == "") != (row.want == "") || !strings.Contains(got, row.want) {
			t.Errorf("%s: got %q, want %q", name, got, row.want)
		}
	}
}
