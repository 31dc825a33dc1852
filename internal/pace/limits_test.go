package pace_test

import (
	"testing"
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/pace"
)

var saoPaulo = mustLoad("America/Sao_Paulo")

func mustLoad(name string) *time.Location {
	loc, err := time.LoadLocation(name)
	if err != nil {
		panic(err)
	}
	return loc
}

func TestLimitsOf(t *testing.T) {
	number := func(n int32) *int32 { return &n }
	duration := func(d time.Duration) v1alpha1.Duration { return v1alpha1.Duration{Duration: d} }
	defaults := pace.Limits{
		PerMinute: 20, PerHour: 80, NewPerDay: 200,
		GapMin: 5 * time.Second, GapMax: 30 * time.Second, WarmUpStart: 20, WarmUpDays: 14,
	}
	for name, row := range map[string]struct {
		spec v1alpha1.InstanceLimits
		want func(*pace.Limits)
	}{
		"nothing said": {want: func(*pace.Limits) {}},
		"all limits": {
			spec: v1alpha1.InstanceLimits{
				MessagesPerMinute: number(1), MessagesPerHour: number(2), NewConversationsPerDay: number(3),
				NewConversationGap: &v1alpha1.ConversationGap{Min: duration(0), Max: duration(time.Minute)},
			},
			want: func(l *pace.Limits) {
				l.PerMinute, l.PerHour, l.NewPerDay, l.GapMin, l.GapMax = 1, 2, 3, 0, time.Minute
			},
		},
		"no warm-up": {
			spec: v1alpha1.InstanceLimits{WarmUp: &v1alpha1.WarmUp{Days: number(0)}},
			want: func(l *pace.Limits) { l.WarmUpDays = 0 },
		},
		"warm-up from 5": {
			spec: v1alpha1.InstanceLimits{WarmUp: &v1alpha1.WarmUp{StartPerDay: number(5)}},
			want: func(l *pace.Limits) { l.WarmUpStart = 5 },
		},
	} {
		want := defaults
		row.want(&want)
		if got := pace.LimitsOf(row.spec); got != want {
			t.Errorf("%s: got %+v, want %+v", name, got, want)
		}
	}
}

func TestNewAllowed(t *testing.T) {
	limits := pace.LimitsOf(v1alpha1.InstanceLimits{})
	first := time.Date(2026, 3, 1, 23, 59, 0, 0, saoPaulo)
	for _, row := range []struct {
		name   string
		change func(*pace.Limits)
		first  time.Time
		now    time.Time
		loc    *time.Location
		want   int
	}{
		{name: "never connected", now: first, want: 20},
		{name: "a minute before it was connected", first: first, now: first.Add(-time.Hour), want: 20},
		{name: "the clock was set back by days", first: first, now: first.AddDate(0, 0, -3), want: 20},
		{name: "at once", first: first, now: first, want: 20},
		{name: "two minutes later it is the next day", first: first, now: first.Add(2 * time.Minute), want: 32},
		{name: "in UTC it is not", first: first, now: first.Add(2 * time.Minute), loc: time.UTC, want: 20},
		{name: "seventh day later", first: first, now: first.AddDate(0, 0, 7), want: 110},
		{name: "thirteenth", first: first, now: first.AddDate(0, 0, 13), want: 187},
		{name: "fourteenth", first: first, now: first.AddDate(0, 0, 14), want: 200},
		{name: "years later", first: first, now: first.AddDate(9, 0, 0), want: 200},
		{name: "no warm-up", change: func(l *pace.Limits) { l.WarmUpDays = 0 }, first: first, now: first, want: 200},
		{name: "no warm-up, never connected", change: func(l *pace.Limits) { l.WarmUpDays = 0 }, now: first, want: 200},
		{name: "a start beyond the limit", change: func(l *pace.Limits) { l.NewPerDay = 7 }, first: first, now: first,
			want: 7},
	} {
		t.Run(row.name, func(t *testing.T) {
			changed, loc := limits, row.loc
			if row.change != nil {
				row.change(&changed)
			}
			if loc == nil {
				loc = saoPaulo
			}
			if got := changed.NewAllowed(row.first, row.now, loc); got != row.want {
				t.Errorf("got %d, want %d", got, row.want)
			}
		})
	}
}

// The table in docs/instances.md.
func TestNewAllowedOfEachDay(t *testing.T) {
	limits := pace.LimitsOf(v1alpha1.InstanceLimits{})
	first := time.Date(2026, 3, 1, 9, 0, 0, 0, saoPaulo)
	for day, want := range []int{20, 32, 45, 58, 71, 84, 97, 110, 122, 135, 148, 161, 174, 187, 200, 200} {
		if got := limits.NewAllowed(first, first.AddDate(0, 0, day), saoPaulo); got != want {
			t.Errorf("day %d: got %d, want %d", day+1, got, want)
		}
	}
}
