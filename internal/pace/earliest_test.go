package pace_test

import (
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/pace"
)

// wide limits are none of those a row does not speak of.
func wide(change func(*pace.Limits)) pace.Limits {
	limits := pace.Limits{PerMinute: 6000, PerHour: 100_000, NewPerDay: 100_000}
	change(&limits)
	return limits
}

// sent is a history of messages so long before now; those of new start a conversation.
func sent(now time.Time, newOnes bool, before ...time.Duration) []pace.Sent {
	var history []pace.Sent
	for _, ago := range before {
		history = append(history, pace.Sent{At: now.Add(-ago), New: newOnes})
	}
	return history
}

func times(count int, ago time.Duration) []time.Duration {
	return slices.Repeat([]time.Duration{ago}, count)
}

func TestEarliest(t *testing.T) {
	now := time.Date(2026, 3, 10, 15, 0, 0, 0, saoPaulo)
	at := func(hour, minute int) time.Time { return time.Date(2026, 3, 10, hour, minute, 0, 0, saoPaulo) }
	minute := func(count int) pace.Limits { return wide(func(l *pace.Limits) { l.PerMinute = count }) }
	hour := func(count int) pace.Limits { return wide(func(l *pace.Limits) { l.PerHour = count }) }
	day := func(count int) pace.Limits { return wide(func(l *pace.Limits) { l.NewPerDay = count }) }
	gap := func(least, most time.Duration) pace.Limits {
		return wide(func(l *pace.Limits) { l.GapMin, l.GapMax = least, most })
	}
	for _, row := range []struct {
		name           string
		history        []pace.Sent
		class          pace.Class
		limits         pace.Limits
		firstConnected time.Time
		now            time.Time
		want           time.Time
	}{
		{name: "nothing was sent", class: pace.First, limits: minute(1), want: now},

		{name: "minute, room", history: sent(now, false, 30*time.Second), limits: minute(2), want: now},
		{name: "minute, full", history: sent(now, false, 40*time.Second, 30*time.Second), limits: minute(2),
			want: now.Add(20 * time.Second)},
		{name: "minute, over, as after a limit was lowered", history: sent(now, false, 50*time.Second, 40*time.Second,
			30*time.Second), limits: minute(1), want: now.Add(30 * time.Second)},
		{name: "minute, just over", history: sent(now, false, time.Minute), limits: minute(1), want: now},
		{name: "minute, of the future", history: sent(now, false, -10*time.Second), limits: minute(1),
			want: now.Add(70 * time.Second)},

		{name: "hour, room", history: sent(now, false, times(79, time.Minute)...), limits: hour(80), want: now},
		{name: "hour, full", history: sent(now, false, times(80, 20*time.Minute)...), limits: hour(80),
			want: at(15, 40)},
		{name: "hour, over", history: append(sent(now, false, times(9, 20*time.Minute)...),
			sent(now, false, time.Minute)...), limits: hour(1), want: at(15, 59)},
		{name: "hour and minute", history: sent(now, false, times(80, time.Second)...),
			limits: pace.Limits{PerMinute: 20, PerHour: 80}, want: now.Add(time.Hour - time.Second)},

		{name: "share of answers", history: sent(now, false, times(9, time.Second)...), class: pace.Answer,
			limits: minute(10), want: now},
		{name: "share of first messages, room", history: sent(now, false, times(7, time.Second)...), class: pace.First,
			limits: minute(10), want: now},
		{name: "share of first messages, full", history: sent(now, false, times(8, time.Second)...), class: pace.First,
			limits: minute(10), want: now.Add(59 * time.Second)},
		{name: "share of follow-ups, room", history: sent(now, false, times(6, time.Second)...), class: pace.FollowUp,
			limits: minute(10), want: now},
		{name: "share of follow-ups, full", history: sent(now, false, times(7, time.Second)...), class: pace.FollowUp,
			limits: minute(10), want: now.Add(59 * time.Second)},
		{name: "share of an hour, full", history: sent(now, false, times(64, time.Second)...), class: pace.First,
			limits: hour(80), want: now.Add(time.Hour - time.Second)},
		{name: "share of one is one", class: pace.FollowUp, limits: minute(1), want: now},

		{name: "day, room", history: sent(now, true, 3*time.Hour), class: pace.First, limits: day(2), want: now},
		{name: "day, full", history: sent(now, true, 3*time.Hour, 2*time.Hour), class: pace.First, limits: day(2),
			want: at(24, 0)},
		{name: "day, full, for a follow-up", history: sent(now, true, 3*time.Hour), class: pace.FollowUp,
			limits: day(1), want: now},
		{name: "day, full, for an answer", history: sent(now, true, 3*time.Hour), class: pace.Answer, limits: day(1),
			want: now},
		{name: "day, answers do not count", history: sent(now, false, 3*time.Hour), class: pace.First, limits: day(1),
			want: now},
		{name: "day, yesterday does not count", history: sent(now, true, 15*time.Hour+time.Second), class: pace.First,
			limits: day(1), want: now},
		{name: "day, midnight is today", history: sent(now, true, 15*time.Hour), class: pace.First, limits: day(1),
			want: at(24, 0)},
		{name: "day, the clock was set back", history: sent(now, true, time.Hour, -20*time.Hour), class: pace.First,
			limits: day(1), want: at(48, 0)},
		{name: "day, midnight is over", now: at(24, 0), history: sent(now, true, time.Hour), class: pace.First,
			limits: day(1), want: at(24, 0)},

		{name: "first day", history: sent(now, true, times(20, time.Hour)...), class: pace.First,
			limits:         wide(func(l *pace.Limits) { l.WarmUpStart, l.WarmUpDays, l.NewPerDay = 20, 14, 200 }),
			firstConnected: at(9, 0), want: at(24, 0)},
		{name: "second day", history: sent(now, true, times(20, time.Hour)...), class: pace.First,
			limits:         wide(func(l *pace.Limits) { l.WarmUpStart, l.WarmUpDays, l.NewPerDay = 20, 14, 200 }),
			firstConnected: at(-1, 0), want: now},

		{name: "gap", history: sent(now, true, 10*time.Second), class: pace.First,
			limits: gap(time.Minute, time.Minute), want: now.Add(50 * time.Second)},
		{name: "gap, over", history: sent(now, true, time.Minute), class: pace.First,
			limits: gap(time.Minute, time.Minute), want: now},
		{name: "gap, most below least", history: sent(now, true, 0), class: pace.First, limits: gap(time.Minute, 0),
			want: now.Add(time.Minute)},
		{name: "gap, none for a follow-up", history: sent(now, true, 0), class: pace.FollowUp,
			limits: gap(time.Minute, time.Minute), want: now},
		{name: "gap, none after an answer", history: sent(now, false, 0), class: pace.First,
			limits: gap(time.Minute, time.Minute), want: now},
		{name: "gap over midnight into a day with room", now: at(23, 59), history: sent(at(23, 59), true, 0),
			class: pace.First, limits: wide(func(l *pace.Limits) { l.NewPerDay, l.GapMin = 1, 5*time.Minute }),
			want: at(24, 4)},

		{name: "no message is allowed", limits: pace.Limits{}, want: now.Add(24 * time.Hour)},
		{name: "no conversation is allowed", class: pace.First, limits: day(0), want: at(72, 0)},
	} {
		t.Run(row.name, func(t *testing.T) {
			asked := row.now
			if asked.IsZero() {
				asked = now
			}
			got := pace.Earliest(row.history, row.class, row.limits, row.firstConnected, asked, saoPaulo, "seed")
			if !got.Equal(row.want) {
				t.Errorf("got %s, want %s", got.In(saoPaulo), row.want)
			}
		})
	}
}

// Clocks are set at midnight, or a day has 23 or 25 hours: a day is full until the next
// one's first instant, and all of its messages count.
func TestEarliestOnOddDays(t *testing.T) {
	limits := wide(func(l *pace.Limits) { l.NewPerDay = 1 })
	for _, row := range []struct {
		zone            string
		sent, now, want string
	}{
		// No 0:00: the day begins at 1:00.
		{"America/Sao_Paulo", "2018-11-03T01:00:00-03:00", "2018-11-03T23:30:00-03:00", "2018-11-04T01:00:00-02:00"},
		// 23:00 twice: the day has 25 hours.
		{"America/Sao_Paulo", "2018-02-17T00:00:00-02:00", "2018-02-17T23:30:00-03:00", "2018-02-18T00:00:00-03:00"},
		// 0:00 twice: the day begins with the first.
		{"America/Havana", "2025-11-01T10:00:00-04:00", "2025-11-01T12:00:00-04:00", "2025-11-02T00:00:00-04:00"},
		{"America/Havana", "2025-11-02T00:10:00-04:00", "2025-11-02T00:20:00-05:00", "2025-11-03T00:00:00-05:00"},
		{"Atlantic/Azores", "2025-10-26T00:10:00+00:00", "2025-10-26T00:20:00-01:00", "2025-10-27T00:00:00-01:00"},
		{"Atlantic/Azores", "2025-10-25T12:00:00+00:00", "2025-10-25T13:00:00+00:00", "2025-10-26T00:00:00+00:00"},
		{"Asia/Amman", "2021-10-29T00:10:00+03:00", "2021-10-29T00:20:00+02:00", "2021-10-30T00:00:00+02:00"},
		{"Asia/Amman", "2021-10-28T12:00:00+03:00", "2021-10-28T13:00:00+03:00", "2021-10-29T00:00:00+03:00"},
		// 23 and 25 hours.
		{"Europe/Lisbon", "2026-03-29T00:00:00+00:00", "2026-03-29T12:00:00+01:00", "2026-03-30T00:00:00+01:00"},
		{"Europe/Lisbon", "2026-10-25T00:00:00+01:00", "2026-10-25T23:59:59+00:00", "2026-10-26T00:00:00+00:00"},
		// 30 December was left out.
		{"Pacific/Apia", "2011-12-29T01:00:00-10:00", "2011-12-29T12:00:00-10:00", "2011-12-31T00:00:00+14:00"},
		{"UTC", "2026-02-28T00:00:00Z", "2026-02-28T00:00:01Z", "2026-03-01T00:00:00Z"},
	} {
		loc := mustLoad(row.zone)
		history := []pace.Sent{{At: mustParse(row.sent), New: true}}
		got := pace.Earliest(history, pace.First, limits, time.Time{}, mustParse(row.now), loc, "")
		if !got.Equal(mustParse(row.want)) {
			t.Errorf("%s, sent %s: got %s, want %s", row.zone, row.sent, got.In(loc).Format(time.RFC3339), row.want)
		}
	}
}

func mustParse(text string) time.Time {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return at
}

// Without a zone days are those of UTC.
func TestEarliestWithoutZone(t *testing.T) {
	now := time.Date(2026, 3, 10, 22, 0, 0, 0, time.UTC)
	got := pace.Earliest(sent(now, true, time.Hour), pace.First, wide(func(l *pace.Limits) { l.NewPerDay = 1 }),
		time.Time{}, now, nil, "")
	if want := now.Add(2 * time.Hour); !got.Equal(want) {
		t.Errorf("got %s, want %s", got, want)
	}
}

// The gap is the same for all who ask, differs from one conversation to the next and from
// number to number, and fills its range.
func TestGapIsDrawn(t *testing.T) {
	limits := wide(func(l *pace.Limits) { l.GapMin, l.GapMax = 5*time.Second, 30*time.Second })
	start := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	draw := func(seed string, last, now time.Time) time.Duration {
		history := []pace.Sent{{At: last, New: true}}
		return pace.Earliest(history, pace.First, limits, time.Time{}, now, nil, seed).Sub(last)
	}
	var sum time.Duration
	tenths := map[time.Duration]int{}
	const draws = 1000
	for i := range draws {
		last := start.Add(time.Duration(i) * 17 * time.Second)
		gap := draw("a", last, last)
		if gap < limits.GapMin || gap > limits.GapMax {
			t.Fatalf("gap %s", gap)
		}
		if again := draw("a", last.In(saoPaulo), last.Add(3*time.Second)); again != gap {
			t.Fatalf("asked again: %s, first %s", again, gap)
		}
		sum += gap
		tenths[(gap-limits.GapMin)/(2500*time.Millisecond)]++
	}
	if mean := sum / draws; mean < 16500*time.Millisecond || mean > 18500*time.Millisecond {
		t.Errorf("mean gap %s", mean)
	}
	for tenth := range time.Duration(10) {
		if tenths[tenth] < draws/20 {
			t.Errorf("tenth %d was drawn %d times", tenth, tenths[tenth])
		}
	}
	if draw("a", start, start) == draw("b", start, start) {
		t.Error("two numbers draw the same")
	}
}

func TestHistoryOf(t *testing.T) {
	now := time.Date(2026, 3, 10, 15, 0, 0, 0, time.UTC)
	message := func(ago time.Duration, cycle int32, role v1alpha1.Role, state v1alpha1.MessageState) v1alpha1.Message {
		return v1alpha1.Message{At: v1alpha1.NewTimestamp(now.Add(-ago)), Cycle: cycle, Role: role, State: state,
			Step: "first"}
	}
	ours := func(ago time.Duration, cycle int32, state v1alpha1.MessageState) v1alpha1.Message {
		return message(ago, cycle, v1alpha1.RoleAssistant, state)
	}
	lead := func(name, instance string, conversation ...v1alpha1.Message) v1alpha1.CartRecovery {
		recovery := v1alpha1.CartRecovery{ObjectMeta: metav1.ObjectMeta{Namespace: "loja", Name: name}}
		recovery.Status.Conversation = conversation
		if instance != "" {
			recovery.Status.InstanceRef = &v1alpha1.ObjectReference{Name: instance}
		}
		return recovery
	}
	want := func(name string, ago time.Duration, isNew, claimed bool) pace.Sent {
		return pace.Sent{At: now.Add(-ago), New: isNew, Claimed: claimed, Lead: types.NamespacedName{Namespace: "loja",
			Name: name}}
	}
	got := pace.HistoryOf([]v1alpha1.CartRecovery{
		lead("none", ""),
		lead("elsewhere", "other", ours(time.Minute, 0, v1alpha1.MessageSent)),
		lead("b", "vendas",
			ours(30*time.Hour, 0, v1alpha1.MessageSent), // Too long ago, and yet the first one.
			ours(2*time.Hour, 0, v1alpha1.MessageSent),
			message(90*time.Minute, 0, v1alpha1.RoleCustomer, ""),
			message(80*time.Minute, 0, v1alpha1.RolePerson, ""),
			ours(time.Minute, 1, v1alpha1.MessageFailed),
			ours(50*time.Second, 1, v1alpha1.MessageCancelled),
			ours(40*time.Second, 1, v1alpha1.MessageUnknown),
			ours(30*time.Second, 1, v1alpha1.MessageClaimed),
		),
		lead("a", "vendas", ours(40*time.Second, 0, v1alpha1.MessageClaimed),
			ours(25*time.Hour, 0, v1alpha1.MessageSent)),
	}, "vendas", now.Add(-pace.HistoryLength))
	expected := []pace.Sent{
		want("a", 25*time.Hour, false, false),
		want("b", 2*time.Hour, false, false),
		want("a", 40*time.Second, true, true),
		want("b", 40*time.Second, true, false),
		want("b", 30*time.Second, false, true),
	}
	if !slices.Equal(got, expected) {
		t.Errorf("got  %+v\nwant %+v", got, expected)
	}
	if empty := pace.HistoryOf(nil, "vendas", now); len(empty) != 0 {
		t.Errorf("of no leads: %v", empty)
	}
}
