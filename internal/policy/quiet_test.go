package policy_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/policy"
)

const (
	saoPaulo = "America/Sao_Paulo"
	newYork  = "America/New_York"
	lisbon   = "Europe/Lisbon"
)

func zone(tb testing.TB, name string) *time.Location {
	tb.Helper()
	loaded, err := time.LoadLocation(name)
	if err != nil {
		tb.Fatal(err)
	}
	return loaded
}

func quietPolicy(tb testing.TB, zoneName, start, end string, days ...v1alpha1.Weekday) *policy.Policy {
	tb.Helper()
	return &policy.Policy{
		Location:   zone(tb, zoneName),
		QuietHours: &v1alpha1.QuietHours{Start: start, End: end, Days: days},
	}
}

func at(tb testing.TB, text string) time.Time {
	tb.Helper()
	parsed, err := time.Parse(time.RFC3339, text)
	if err != nil {
		tb.Fatal(err)
	}
	return parsed
}

// quietRow is a time, and whether quiet hours silence it.
type quietRow struct {
	zone, start, end string
	days             []v1alpha1.Weekday
	at               string
	// until is when it ends; "" when it is not quiet.
	until string
}

func TestQuiet(t *testing.T) {
	weekend := []v1alpha1.Weekday{"Sat", "Sun"}
	silences(t, map[string]quietRow{
		"within the day": {saoPaulo, "12:00", "14:00", nil, "2026-11-25T13:00:00-03:00",
			"2026-11-25T14:00:00-03:00"},
		"at the start": {saoPaulo, "12:00", "14:00", nil, "2026-11-25T12:00:00-03:00",
			"2026-11-25T14:00:00-03:00"},
		"just before the start": {saoPaulo, "12:00", "14:00", nil, "2026-11-25T11:59:59-03:00", ""},
		"at the end":            {saoPaulo, "12:00", "14:00", nil, "2026-11-25T14:00:00-03:00", ""},
		"just before the end": {saoPaulo, "12:00", "14:00", nil, "2026-11-25T13:59:59-03:00",
			"2026-11-25T14:00:00-03:00"},
		"told in another zone": {saoPaulo, "12:00", "14:00", nil, "2026-11-25T16:00:00Z",
			"2026-11-25T17:00:00Z"},
		"over midnight, evening": {saoPaulo, "21:00", "08:00", nil, "2026-11-25T23:30:00-03:00",
			"2026-11-26T08:00:00-03:00"},
		"over midnight, night": {saoPaulo, "21:00", "08:00", nil, "2026-11-26T00:00:00-03:00",
			"2026-11-26T08:00:00-03:00"},
		"over midnight, by day": {saoPaulo, "21:00", "08:00", nil, "2026-11-26T08:00:00-03:00", ""},
		"over the end of a year": {saoPaulo, "21:00", "08:00", nil, "2026-12-31T22:00:00-03:00",
			"2027-01-01T08:00:00-03:00"},
		"from midnight": {saoPaulo, "00:00", "08:00", nil, "2026-11-25T00:00:00-03:00",
			"2026-11-25T08:00:00-03:00"},
		"until midnight": {saoPaulo, "20:00", "00:00", nil, "2026-11-25T23:59:59-03:00",
			"2026-11-26T00:00:00-03:00"},
		"one minute of silence": {saoPaulo, "12:00", "12:01", nil, "2026-11-25T12:00:30-03:00",
			"2026-11-25T12:01:00-03:00"},
		"one minute open: in it": {saoPaulo, "12:01", "12:00", nil, "2026-11-25T12:00:30-03:00", ""},
		"one minute open: after it": {saoPaulo, "12:01", "12:00", nil, "2026-11-25T12:01:00-03:00",
			"2026-11-26T12:00:00-03:00"},
		"a day it does not start on": {saoPaulo, "12:00", "14:00", weekend, "2026-11-25T13:00:00-03:00", ""},
		"a day it starts on": {saoPaulo, "12:00", "14:00", weekend, "2026-11-28T13:00:00-03:00",
			"2026-11-28T14:00:00-03:00"},
		"days: Friday night is not": {saoPaulo, "21:00", "08:00", weekend, "2026-11-28T07:00:00-03:00", ""},
		"days: Saturday night is": {saoPaulo, "21:00", "08:00", weekend, "2026-11-29T07:00:00-03:00",
			"2026-11-29T08:00:00-03:00"},
		"days: Monday morning is": {saoPaulo, "21:00", "08:00", weekend, "2026-11-30T07:00:00-03:00",
			"2026-11-30T08:00:00-03:00"},
		"days: Monday night is not": {saoPaulo, "21:00", "08:00", weekend, "2026-11-30T22:00:00-03:00", ""},
		"the day of the store's zone": {saoPaulo, "21:00", "23:00", []v1alpha1.Weekday{"Wed"}, "2026-11-26T01:00:00Z",
			"2026-11-26T02:00:00Z"},
		"far in the future": {newYork, "21:00", "08:00", nil, "2126-07-01T23:00:00-04:00",
			"2126-07-02T08:00:00-04:00"},
		"at the end of time": {lisbon, "21:00", "08:00", nil, "9999-12-31T23:00:00Z", "10000-01-01T08:00:00Z"},
	})
}

// TestQuietWhenClocksChange: 2018-11-04 had no 00:00 to 01:00 in São Paulo, and 23:00 to 24:00 came twice on
// 2019-02-16.
func TestQuietWhenClocksChange(t *testing.T) {
	silences(t, map[string]quietRow{
		"São Paulo forward, over it": {saoPaulo, "21:00", "08:00", nil, "2018-11-03T23:59:59-03:00",
			"2018-11-04T08:00:00-02:00"},
		"São Paulo forward, starts in the gap": {saoPaulo, "00:00", "08:00", nil, "2018-11-04T01:00:00-02:00",
			"2018-11-04T08:00:00-02:00"},
		"São Paulo forward, before the gap": {saoPaulo, "00:00", "08:00", nil, "2018-11-03T23:59:59-03:00", ""},
		"São Paulo forward, ends in the gap": {saoPaulo, "21:00", "00:30", nil, "2018-11-03T23:59:59-03:00",
			"2018-11-04T01:00:00-02:00"},
		"São Paulo forward, at the skip":    {saoPaulo, "21:00", "00:30", nil, "2018-11-04T01:00:00-02:00", ""},
		"São Paulo forward, all in the gap": {saoPaulo, "00:15", "00:45", nil, "2018-11-04T01:00:00-02:00", ""},
		"São Paulo forward, the gap's Sunday": {saoPaulo, "00:00", "02:00", []v1alpha1.Weekday{"Sun"},
			"2018-11-04T01:30:00-02:00", "2018-11-04T02:00:00-02:00"},
		"São Paulo forward, not the Saturday": {saoPaulo, "00:00", "02:00", []v1alpha1.Weekday{"Sat"},
			"2018-11-04T01:30:00-02:00", ""},
		"São Paulo back, starts in it": {saoPaulo, "23:30", "06:00", nil, "2019-02-16T23:30:00-02:00",
			"2019-02-17T06:00:00-03:00"},
		"São Paulo back, read again": {saoPaulo, "23:30", "06:00", nil, "2019-02-16T23:15:00-03:00",
			"2019-02-17T06:00:00-03:00"},
		"São Paulo back, ends in it": {saoPaulo, "20:00", "23:30", nil, "2019-02-16T23:30:00-02:00",
			"2019-02-16T23:30:00-03:00"},
		"São Paulo back, until midnight": {saoPaulo, "20:00", "00:00", nil, "2019-02-16T23:59:00-02:00",
			"2019-02-17T00:00:00-03:00"},

		"Lisbon forward, starts in the gap": {lisbon, "01:00", "06:00", nil, "2026-03-29T02:00:00+01:00",
			"2026-03-29T06:00:00+01:00"},
		"Lisbon back, starts in it":  {lisbon, "01:30", "06:00", nil, "2026-10-25T01:10:00Z", "2026-10-25T06:00:00Z"},
		"Apia, the day that was not": {"Pacific/Apia", "09:00", "17:00", nil, "2011-12-31T08:59:59+14:00", ""},
		"Apia, over it": {"Pacific/Apia", "21:00", "08:00", nil, "2011-12-29T22:00:00-10:00",
			"2011-12-31T08:00:00+14:00"},
		"Lord Howe, half an hour": {"Australia/Lord_Howe", "21:00", "02:15", nil, "2026-10-04T01:45:00+10:30",
			"2026-10-04T02:30:00+11:00"},
	})
}

// TestQuietWhenNewYorkChanges: New York skipped 02:00 to 03:00 on 2026-03-08 and had 01:00 to 02:00 twice on
// 2026-11-01.
func TestQuietWhenNewYorkChanges(t *testing.T) {
	silences(t, map[string]quietRow{
		"New York forward, over it": {newYork, "22:00", "07:00", nil, "2026-03-08T01:59:59-05:00",
			"2026-03-08T07:00:00-04:00"},
		"New York forward, ends in the gap": {newYork, "22:00", "02:30", nil, "2026-03-08T01:30:00-05:00",
			"2026-03-08T03:00:00-04:00"},
		"New York forward, at the skip": {newYork, "22:00", "02:30", nil, "2026-03-08T03:00:00-04:00", ""},
		"New York forward, from the gap": {newYork, "02:30", "07:00", nil, "2026-03-08T03:00:00-04:00",
			"2026-03-08T07:00:00-04:00"},
		"New York forward, before the gap": {newYork, "02:30", "07:00", nil, "2026-03-08T01:59:59-05:00", ""},
		"New York forward, opening skipped": {newYork, "02:45", "02:15", nil, "2026-03-08T01:00:00-05:00",
			"2026-03-09T02:15:00-04:00"},
		"New York back, over it": {newYork, "22:00", "07:00", nil, "2026-11-01T01:30:00-04:00",
			"2026-11-01T07:00:00-05:00"},
		"New York back, ends in it": {newYork, "22:00", "01:30", nil, "2026-11-01T01:29:00-04:00",
			"2026-11-01T01:30:00-05:00"},
		"New York back, ends in it again": {newYork, "22:00", "01:30", nil, "2026-11-01T01:29:00-05:00",
			"2026-11-01T01:30:00-05:00"},
		"New York back, over": {newYork, "22:00", "01:30", nil, "2026-11-01T01:30:00-05:00", ""},
		"New York back, all in it": {newYork, "01:15", "01:45", nil, "2026-11-01T01:50:00-04:00",
			"2026-11-01T01:45:00-05:00"},
		"New York back, windows join": {newYork, "01:45", "01:15", nil, "2026-11-01T01:20:00-04:00",
			"2026-11-02T01:15:00-05:00"},
	})
}

// silences compares every row with what the policy says.
func silences(t *testing.T, rows map[string]quietRow) {
	t.Helper()
	for name, test := range rows {
		t.Run(name, func(t *testing.T) {
			until, quiet := quietPolicy(t, test.zone, test.start, test.end, test.days...).Quiet(at(t, test.at))
			if quiet != (test.until != "") {
				t.Fatalf("quiet = %t, until %s", quiet, until.Format(time.RFC3339))
			}
			if test.until == "10000-01-01T08:00:00Z" {
				test.until = "9999-12-31T23:59:59Z" // what RFC 3339 can hold
				until = until.Add(-8*time.Hour - time.Second)
			}
			if quiet && !until.Equal(at(t, test.until)) {
				t.Errorf("until %s, want %s", until.In(zone(t, test.zone)).Format(time.RFC3339), test.until)
			}
		})
	}
}

// TestNoQuietHours: what the schema does not allow is no silence either.
func TestNoQuietHours(t *testing.T) {
	for name, hours := range map[string]*v1alpha1.QuietHours{
		"none":            nil,
		"start is end":    {Start: "08:00", End: "08:00"},
		"empty":           {},
		"no time":         {Start: "25:00", End: "08:00"},
		"no end":          {Start: "21:00"},
		"no day there is": {Start: "00:00", End: "23:59", Days: []v1alpha1.Weekday{"Dom"}},
	} {
		p := policy.Policy{QuietHours: hours}
		now := at(t, "2026-11-25T12:00:00Z")
		if until, quiet := p.Quiet(now); quiet || !until.IsZero() {
			t.Errorf("%s: quiet until %s", name, until)
		}
		if opening := p.Opening(now, "key", false); opening != now {
			t.Errorf("%s: moved to %s", name, opening)
		}
	}
	zoneless := policy.Policy{QuietHours: &v1alpha1.QuietHours{Start: "12:00", End: "13:00"}}
	if until, quiet := zoneless.Quiet(at(t, "2026-11-25T12:30:00-03:00")); !quiet ||
		!until.Equal(at(t, "2026-11-25T13:00:00-03:00")) {
		t.Errorf("a policy without a zone: quiet %t, until %s", quiet, until)
	}
}

func TestOpeningSpreads(t *testing.T) {
	end := at(t, "2026-11-26T08:00:00-03:00")
	for name, test := range map[string]struct {
		start, end string
		spread     *v1alpha1.Duration
		answer     bool
		most       time.Duration
	}{
		"by default": {"21:00", "08:00", nil, false, 30 * time.Minute},
		"as the policy says": {"21:00", "08:00", &v1alpha1.Duration{Duration: 2 * time.Hour}, false,
			2 * time.Hour},
		"half of the day at most": {"10:00", "08:00", &v1alpha1.Duration{Duration: 2 * time.Hour}, false,
			time.Hour},
		"half of a minute": {"08:01", "08:00", nil, false, 30 * time.Second},
		"more than the schema allows": {"07:59", "08:00", &v1alpha1.Duration{Duration: 1000 * time.Hour}, false,
			12 * time.Hour},
		"answers": {"21:00", "08:00", nil, true, 2 * time.Minute},
		"answers, with a smaller spread": {"21:00", "08:00", &v1alpha1.Duration{Duration: time.Minute}, true,
			time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			p := quietPolicy(t, saoPaulo, test.start, test.end)
			p.QuietHours.Spread = test.spread
			var tenths [10]int
			for n := range 10_000 {
				after := p.Opening(end.Add(-30*time.Second), fmt.Sprintf("6f1c.c0-step-%d", n), test.answer).Sub(end)
				if after < 0 || after >= test.most {
					t.Fatalf("key %d is moved to %s after the end, want at most %s", n, after, test.most)
				}
				tenths[10*after/test.most]++
			}
			for tenth, count := range tenths {
				if count < 800 || count > 1200 {
					t.Errorf("%d of 10000 keys are in tenth %d", count, tenth)
				}
			}
		})
	}
	at0 := quietPolicy(t, saoPaulo, "21:00", "08:00")
	at0.QuietHours.Spread = &v1alpha1.Duration{}
	if opening := at0.Opening(end.Add(-time.Hour), "key", false); !opening.Equal(end) {
		t.Errorf("without a spread: %s", opening)
	}
	at0.QuietHours.Spread = &v1alpha1.Duration{Duration: -time.Hour}
	if opening := at0.Opening(end.Add(-time.Hour), "key", false); !opening.Equal(end) {
		t.Errorf("with a spread that cannot be: %s", opening)
	}
}

// TestOpeningKeepsItsPlace: every time of one silence yields the same opening, so that a
// lead keeps its place when its due time moves within the night.
func TestOpeningKeepsItsPlace(t *testing.T) {
	p := quietPolicy(t, saoPaulo, "21:00", "08:00")
	first := p.Opening(at(t, "2026-11-25T21:00:00-03:00"), "key", false)
	if later := p.Opening(at(t, "2026-11-26T07:59:59-03:00"), "key", false); !later.Equal(first) {
		t.Errorf("opens at %s and at %s", first, later)
	}
	if other := p.Opening(at(t, "2026-11-25T21:00:00-03:00"), "another", false); other.Equal(first) {
		t.Error("two keys open together")
	}
}

// checkOpening holds what is always true of a policy and a time.
func checkOpening(t *testing.T, p *policy.Policy, due time.Time, key string, answer bool) {
	t.Helper()
	until, quiet := p.Quiet(due)
	opening := p.Opening(due, key, answer)
	_, still := p.Quiet(opening)
	most := policy.DefaultQuietSpread
	if p.QuietHours.Spread != nil {
		most = p.QuietHours.Spread.Duration
	}
	if answer {
		most = min(most, 2*time.Minute)
	}
	problem := ""
	switch {
	case still:
		problem = "the opening is in the quiet hours"
	case opening.Before(due):
		problem = "the opening is before the due time"
	case !quiet && opening != due:
		problem = "it was moved without need"
	case quiet && (opening.Before(until) || opening.Sub(until) > most):
		problem = "it is not within the spread of the end"
	case p.Opening(opening, key, answer) != opening:
		problem = "moved twice it goes elsewhere"
	case p.Opening(due, key, answer) != opening:
		problem = "it is not the same twice"
	case quiet != quietByWallClock(p, due) && !nearChange(due, p.Location):
		problem = "the wall clock says otherwise"
	case !quiet && quietByWallClock(p, due):
		problem = "the wall clock says that it is quiet"
	}
	if problem != "" {
		t.Fatalf("%s: %+v in %s, due %s, key %q, answer %t: quiet %t until %s, opening %s", problem, *p.QuietHours,
			p.Location,
			due.In(p.Location).Format(time.RFC3339Nano), key, answer, quiet, until.In(p.Location),
			opening.In(p.Location))
	}
	if quiet {
		if _, last := p.Quiet(until.Add(-1)); !last {
			t.Fatalf("%+v in %s: quiet until %s, and not just before it", *p.QuietHours, p.Location,
				until.In(p.Location))
		}
		if _, over := p.Quiet(until); over {
			t.Fatalf("%+v in %s: quiet until %s, and at it", *p.QuietHours, p.Location, until.In(p.Location))
		}
	}
}

// quietByWallClock is what somebody says who looks at a clock and a calendar on the wall.
func quietByWallClock(p *policy.Policy, now time.Time) bool {
	local := now.In(p.Location)
	clock := local.Format("15:04")
	starts := func(day time.Weekday) bool {
		if len(p.QuietHours.Days) == 0 {
			return true
		}
		for _, name := range p.QuietHours.Days {
			if string(name) == day.String()[:3] {
				return true
			}
		}
		return false
	}
	start, end := p.QuietHours.Start, p.QuietHours.End
	if start < end {
		return starts(local.Weekday()) && clock >= start && clock < end
	}
	return starts(local.Weekday()) && clock >= start || starts((local.Weekday()+6)%7) && clock < end
}

// nearChange says whether the clock of a zone changes within two days of a time.
func nearChange(now time.Time, location *time.Location) bool {
	begin, end := now.In(location).ZoneBounds()
	return !begin.IsZero() && now.Sub(begin) < 48*time.Hour || !end.IsZero() && end.Sub(now) < 48*time.Hour
}

var manyZones = []string{
	saoPaulo, newYork, lisbon, "UTC", "America/Noronha", "America/Santiago", "America/Havana", "Europe/Dublin",
	"Africa/Casablanca", "Asia/Kathmandu", "Asia/Tehran", "Australia/Lord_Howe", "Pacific/Apia", "Pacific/Kiritimati",
	"Pacific/Chatham", "America/St_Johns",
}

func loadZones(tb testing.TB) []*time.Location {
	tb.Helper()
	zones := make([]*time.Location, len(manyZones))
	for i, name := range manyZones {
		zones[i] = zone(tb, name)
	}
	return zones
}

func clockText(minute int) string { return fmt.Sprintf("%02d:%02d", minute/60, minute%60) }

// TestOpeningAlways: for random policies and times, half of them around changes of the
// clock, nothing is ever sent in quiet hours.
func TestOpeningAlways(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 11)) // the same every time
	zones := loadZones(t)
	from, to := at(t, "2000-01-01T00:00:00Z").Unix(), at(t, "2060-01-01T00:00:00Z").Unix()
	moved := 0
	const pairs = 150_000
	for n := range pairs {
		start := random.IntN(1440)
		end := (start + 1 + random.IntN(1439)) % 1440
		if n%10 == 0 {
			end = (start + 1439) % 1440 // one minute a day is open
		}
		hours := &v1alpha1.QuietHours{Start: clockText(start), End: clockText(end)}
		for _, day := range []v1alpha1.Weekday{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"} {
			if n%3 == 0 && random.IntN(2) == 0 {
				hours.Days = append(hours.Days, day)
			}
		}
		if n%2 == 0 {
			hours.Spread = &v1alpha1.Duration{Duration: time.Duration(random.Int64N(int64(12 * time.Hour)))}
		}
		p := &policy.Policy{Location: zones[random.IntN(len(zones))], QuietHours: hours}
		due := time.Unix(from+random.Int64N(to-from), random.Int64N(1e9))
		if _, change := due.In(p.Location).ZoneBounds(); n%4 < 2 && !change.IsZero() {
			due = change.Add(time.Duration(random.Int64N(int64(72*time.Hour))) - 36*time.Hour)
		}
		checkOpening(t, p, due, fmt.Sprint(n), n%5 == 0)
		if !p.Opening(due, "", false).Equal(due) {
			moved++
		}
	}
	if moved < pairs/10 {
		t.Errorf("only %d of %d were moved: nothing was tested", moved, pairs)
	}
}

func FuzzOpening(f *testing.F) {
	zones := loadZones(f)
	f.Add(int64(1541300400), uint16(0), uint16(480), uint8(0), int64(1800), uint8(0), "key", false)
	f.Add(int64(1772953200), uint16(1320), uint16(150), uint8(0x7f), int64(0), uint8(1), "", true)
	f.Add(int64(1793511000), uint16(105), uint16(75), uint8(1), int64(43200), uint8(1), "c0-step-first", false)
	f.Add(int64(1325152800), uint16(720), uint16(719), uint8(0), int64(1), uint8(12), "\xff", false)
	f.Add(int64(253402300799), uint16(1439), uint16(0), uint8(0x55), int64(60), uint8(2), "late", false)
	f.Fuzz(func(t *testing.T, unix int64, start, end uint16, days uint8, spread int64, zoneAt uint8, key string,
		answer bool) {
		const years = 7999 * 365 * 24 * 3600
		first, last := int(start)%1440, int(end)%1440
		if first == last {
			return
		}
		hours := &v1alpha1.QuietHours{
			Start: clockText(first), End: clockText(last),
			Spread: &v1alpha1.Duration{Duration: time.Duration(uint64(spread)%43201) * time.Second},
		}
		for n, day := range []v1alpha1.Weekday{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"} {
			if days>>n&1 == 1 {
				hours.Days = append(hours.Days, day)
			}
		}
		p := &policy.Policy{Location: zones[int(zoneAt)%len(zones)], QuietHours: hours}
		checkOpening(t, p, time.Unix(unix%years, 0), key, answer)
	})
}

func BenchmarkOpening(b *testing.B) {
	p := quietPolicy(b, saoPaulo, "21:00", "08:00")
	night := at(b, "2026-11-25T23:00:00-03:00")
	b.ReportAllocs()
	for b.Loop() {
		p.Opening(night, "6f1c.c0-step-first", false)
	}
}

// Nobody who was held back loses their place when the quiet hours are over.
func TestHeld(t *testing.T) {
	p := policy.Resolve(gen.StoreObject(func(s *v1alpha1.Store) {
		s.Spec.Recovery.QuietHours = &v1alpha1.QuietHours{Start: "21:00", End: "08:00"}
	}), nil)
	at := func(day, hour, minute int) time.Time {
		return time.Date(2026, time.March, day, hour, minute, 0, 0, p.Location)
	}
	place := p.Opening(at(2, 23, 0), "a", false)
	if !place.After(at(3, 8, 0)) || place.After(at(3, 8, 30)) {
		t.Fatalf("the place is %s", place)
	}
	for name, row := range map[string]struct{ due, now, want time.Time }{
		"due by day":                               {at(2, 20, 0), at(2, 20, 30), at(2, 20, 0)},
		"due at night":                             {at(2, 23, 0), at(2, 23, 30), place},
		"due before the night, and it is night":    {at(2, 20, 0), at(2, 23, 0), place},
		"the night is just over":                   {at(2, 20, 0), at(3, 8, 0), place},
		"still due the day before, later that day": {at(2, 20, 0), at(3, 12, 0), at(2, 20, 0)},
		"due after the night":                      {at(3, 8, 1), at(3, 8, 2), at(3, 8, 1)},
		"days ago":                                 {at(1, 20, 0), at(3, 8, 0), place},
	} {
		if got := p.Held(row.due, row.now, "a", false); !got.Equal(row.want) {
			t.Errorf("%s: %s, want %s", name, got, row.want)
		}
	}
}
