package budget

import (
	"math"
	"testing"
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
)

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	found, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func at(t *testing.T, text string) time.Time {
	t.Helper()
	parsed, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func TestDayAndNextDay(t *testing.T) {
	for _, c := range []struct {
		name, zone, now string
		day, next       string
	}{
		{"a day like any", "America/Sao_Paulo", "2026-11-24T15:04:05.5Z", "2026-11-24", "2026-11-25T03:00:00Z"},
		{"an hour that is another day in UTC", "America/Sao_Paulo", "2026-11-24T02:30:00Z", "2026-11-23",
			"2026-11-24T03:00:00Z"},
		{"midnight itself", "America/Sao_Paulo", "2026-11-24T03:00:00Z", "2026-11-24", "2026-11-25T03:00:00Z"},
		{"the last instant of a day", "UTC", "2026-11-24T23:59:59.999999999Z", "2026-11-24", "2026-11-25T00:00:00Z"},
		{"the end of a year", "Pacific/Kiritimati", "2026-12-31T09:59:59Z", "2026-12-31", "2026-12-31T10:00:00Z"},
		{"a zone of half hours", "Asia/Kolkata", "2026-11-24T12:00:00Z", "2026-11-24", "2026-11-24T18:30:00Z"},
		{"a day of 23 hours", "America/New_York", "2026-03-08T05:00:00Z", "2026-03-08", "2026-03-09T04:00:00Z"},
		{"a day of 25 hours", "America/New_York", "2026-11-01T04:00:00Z", "2026-11-01", "2026-11-02T05:00:00Z"},
		{"a midnight that is left out", "America/Sao_Paulo", "2018-11-03T20:00:00Z", "2018-11-03",
			"2018-11-04T03:00:00Z"},
		{"an evening that comes twice", "America/Sao_Paulo", "2018-02-18T01:30:00Z", "2018-02-17",
			"2018-02-18T03:00:00Z"},
		{"a midnight that comes twice", "America/Havana", "2026-10-31T20:00:00Z", "2026-10-31", "2026-11-01T04:00:00Z"},
		{"a date that is left out", "Pacific/Apia", "2011-12-30T09:00:00Z", "2011-12-29", "2011-12-30T10:00:00Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			now, in := at(t, c.now), zone(t, c.zone)
			if got := Day(now, in); got != c.day {
				t.Errorf("it is %s, want %s", got, c.day)
			}
			next := NextDay(now, in)
			if !next.Equal(at(t, c.next)) {
				t.Errorf("the next day begins at %s, want %s", next.UTC(), c.next)
			}
			if Day(next, in) <= c.day || Day(next.Add(-time.Nanosecond), in) != c.day {
				t.Errorf("%s is not when a day begins", next.In(in))
			}
		})
	}
	now := at(t, "2026-11-24T15:00:00Z")
	if Day(now, nil) != "2026-11-24" || !NextDay(now, nil).Equal(at(t, "2026-11-25T00:00:00Z")) {
		t.Error("no time zone is not UTC")
	}
}

// TestEveryDayEnds walks through years of days; every one must begin where the last ended.
func TestEveryDayEnds(t *testing.T) {
	for _, name := range []string{"America/Sao_Paulo", "Europe/Lisbon", "Africa/Cairo", "Asia/Beirut",
		"Australia/Lord_Howe"} {
		in, now := zone(t, name), at(t, "2017-01-01T12:00:00Z")
		for range 1000 {
			next := NextDay(now, in)
			if length := next.Sub(now); length <= 0 || length > 25*time.Hour {
				t.Fatalf("%s: from %s the next day begins at %s", name, now.In(in), next.In(in))
			}
			now = next
		}
	}
}

func TestUsedOf(t *testing.T) {
	in := zone(t, "America/Sao_Paulo")
	lead := func(store string, messages ...v1alpha1.Message) v1alpha1.CartRecovery {
		made := v1alpha1.CartRecovery{}
		made.Spec.StoreRef.Name, made.Status.Conversation = store, messages
		return made
	}
	cost := func(tokens int64, when string) v1alpha1.Message {
		return v1alpha1.Message{Tokens: tokens, At: v1alpha1.NewTimestamp(at(t, when))}
	}
	leads := []v1alpha1.CartRecovery{
		lead("ours", cost(100, "2026-11-24T03:00:00Z"), cost(20, "2026-11-25T02:59:59Z"),
			cost(3, "2026-11-24T02:59:59Z"), cost(4, "2026-11-25T03:00:00Z")),
		lead("ours"),
		lead("ours", cost(1, "2026-11-24T12:00:00Z"), cost(-50, "2026-11-24T12:00:00Z"),
			cost(0, "2026-11-24T12:00:00Z")),
		lead("theirs", cost(1000, "2026-11-24T12:00:00Z")),
		lead("huge", cost(math.MaxInt64, "2026-11-24T12:00:00Z"), cost(math.MaxInt64, "2026-11-24T12:00:00Z")),
	}
	for store, want := range map[string]int64{"ours": 121, "theirs": 1000, "nobody": 0, "huge": math.MaxInt64} {
		if got := UsedOf(leads, store, "2026-11-24", in); got != want {
			t.Errorf("%s used %d, want %d", store, got, want)
		}
	}
	if got := UsedOf(nil, "ours", "2026-11-24", nil); got != 0 {
		t.Errorf("no lead used %d", got)
	}
}
