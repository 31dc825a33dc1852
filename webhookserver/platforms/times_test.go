package platforms

import (
	"encoding/json"
	"testing"
	"time"

	"cartrecovery.dev/operator/internal/lax"
)

func TestTimes(t *testing.T) {
	lisbon, err := time.LoadLocation("Europe/Lisbon")
	if err != nil {
		t.Fatal(err)
	}
	at := func(hour, minute, second int) time.Time {
		return time.Date(2026, 5, 1, hour, minute, second, 0, time.UTC)
	}
	endOfDay := time.Date(2026, 5, 2, 2, 59, 59, 0, time.UTC)
	for _, test := range []struct {
		value any
		want  time.Time
	}{
		// With a zone.
		{"2026-05-01T10:00:00Z", at(10, 0, 0)},
		{"2026-05-01T10:00:00-03:00", at(13, 0, 0)},
		{"2026-05-01T10:00:00.123-03:00", at(13, 0, 0).Add(123 * time.Millisecond)},
		{"2026-05-01T10:00:00-0300", at(13, 0, 0)},
		{"2026-05-01T10:00:00-03", at(13, 0, 0)},
		{"2026-05-01 10:00:00 -0300", at(13, 0, 0)},
		{"2026-05-01 10:00:00 +00:00", at(10, 0, 0)},
		{"2026-05-01 10:00:00 UTC", at(10, 0, 0)},
		{"2026-05-01 10:00:00 GMT-03:00", at(13, 0, 0)},
		{"2026-05-01T10:00Z", at(10, 0, 0)},
		{"Fri, 01 May 2026 10:00:00 GMT", at(10, 0, 0)},
		{"01 May 2026 10:00:00 -0300", at(13, 0, 0)},
		{"Fri May 01 2026 10:00:00 GMT-0300 (Brasilia Standard Time)", at(13, 0, 0)},
		{"2026-05-01T10:00:00-03:00[America/Sao_Paulo]", at(13, 0, 0)},
		{"2026-05-01 10:00:00 BRT", at(13, 0, 0)},
		{"2026-05-01 10:00:00 Europe/Lisbon", at(9, 0, 0)},
		{"20260501T100000Z", at(10, 0, 0)},
		{"20260501T100000", at(13, 0, 0)},
		{"1 de maio de 2026 às 10:00", at(13, 0, 0)},
		{"sexta-feira, 1 de maio de 2026 10:00:00", at(13, 0, 0)},
		{"01/mai/2026 10:00", at(13, 0, 0)},
		{"May 1, 2026 10:00 AM", at(13, 0, 0)},
		{"1 de maio de 2026", endOfDay},
		{"1777629600000.0", at(10, 0, 0)},
		{"1 de foo de 2026", time.Time{}},

		// Without one.
		{"2026-05-01 10:00:00", at(13, 0, 0)},
		{"2026-05-01T10:00:00", at(13, 0, 0)},
		{"2026-05-01 10:00:00.000000", at(13, 0, 0)},
		{" 2026-05-01 10:00 ", at(13, 0, 0)},
		{"2026/05/01 10:00:00", at(13, 0, 0)},
		{"01/05/2026 10:00", at(13, 0, 0)},
		{"01/05/2026 10:00:07", at(13, 0, 7)},
		{"01/05/2026 às 10:00", at(13, 0, 0)},
		{"01-05-2026 10:00:00", at(13, 0, 0)},
		{"01.05.2026 10:00", at(13, 0, 0)},
		{"1/5/2026 10h00", at(13, 0, 0)},
		{"01/05/2026, 10:00:00 PM", time.Date(2026, 5, 2, 1, 0, 0, 0, time.UTC)},
		{"05/13/2026 10:00", time.Date(2026, 5, 13, 13, 0, 0, 0, time.UTC)},
		{"20260501100000", at(13, 0, 0)},

		// A date is the end of its day.
		{"2026-05-01", endOfDay},
		{"01/05/2026", endOfDay},
		{"20260501", endOfDay},
		{json.Number("20260501"), endOfDay},
		{"2026-05-01T00:00:00", at(3, 0, 0)},

		// Numbers.
		{json.Number("1777629600"), at(10, 0, 0)},
		{"1777629600", at(10, 0, 0)},
		{json.Number("1777629600000"), at(10, 0, 0)},
		{json.Number("1.7776296e12"), at(10, 0, 0)},
		{json.Number("1777629600000000"), at(10, 0, 0)},
		{json.Number("1777629600000000000"), at(10, 0, 0)},
		{json.Number("1777629600.5"), at(10, 0, 0)},

		// Old ones are told as well as new ones.
		{"2019-09-04 12:00:00", time.Date(2019, 9, 4, 15, 0, 0, 0, time.UTC)},

		// What cannot be one.
		{"", time.Time{}},
		{nil, time.Time{}},
		{true, time.Time{}},
		{"yesterday", time.Time{}},
		{"0000-00-00 00:00:00", time.Time{}},
		{"1970-01-01 00:00:00", time.Time{}},
		{"9999-12-31 23:59:59", time.Time{}},
		{"2026-02-30 10:00:00", time.Time{}},
		{"31/02/2026 10:00", time.Time{}},
		{"13/13/2026", time.Time{}},
		{"2026-05-01 25:00:00", time.Time{}},
		{"2026-05-01 13:00 PM", time.Time{}},
		{"10:00:00", time.Time{}},
		{"01/05/26", time.Time{}},
		{json.Number("0"), time.Time{}},
		{json.Number("3"), time.Time{}},
		{json.Number("-1777629600"), time.Time{}},
		{json.Number("99999999999999999999"), time.Time{}},
	} {
		if got := timeOf(sent(test.value), nil); !got.Equal(test.want) {
			t.Errorf("timeOf(%#v) = %s, want %s", test.value, got, test.want)
		}
	}
	if got, want := timeOf(lax.Of("2026-05-01 10:00:00"), lisbon), at(9, 0, 0); !got.Equal(want) {
		t.Errorf("in Lisbon: got %s, want %s", got, want)
	}
	for _, test := range []struct {
		date, clock any
		want        time.Time
	}{
		{"20260501", "10:00:00", at(13, 0, 0)}, {"2026-05-01", "10:00", at(13, 0, 0)}, {"20260501", "", endOfDay},
		{"20260501", "x", endOfDay}, {"", "10:00:00", time.Time{}},
	} {
		if got := timeOfBoth(sent(test.date), sent(test.clock), nil); !got.Equal(test.want) {
			t.Errorf("timeOfBoth(%v, %v) = %s, want %s", test.date, test.clock, got, test.want)
		}
	}
}

// TestPurchasesToTheMinute: who bought in the minute of our first message bought after it. What
// else is told to the minute stays as it is told.
func TestPurchasesToTheMinute(t *testing.T) {
	at := func(second int) time.Time { return time.Date(2026, 5, 1, 13, 0, second, 0, time.UTC) }
	for _, test := range []struct {
		kind  Kind
		value any
		want  time.Time
	}{
		{Purchased, "2026-05-01 10:00", at(59)},
		{Purchased, " 01/05/2026 10h00 ", at(59)},
		{Purchased, "2026-05-01T13:00Z", at(59)},
		{Purchased, "2026-05-01 10:00:00", at(0)},
		{Purchased, "2026-05-01T10:00:00-03:00", at(0)},
		{Purchased, "20260501100000", at(0)},
		{Purchased, json.Number("1777640400"), at(0)},
		{Purchased, "2026-04-30", time.Date(2026, 5, 1, 2, 59, 59, 0, time.UTC)},
		{Purchased, "2026-05-01 10:60", time.Time{}},
		{Purchased, nil, time.Time{}},
		{Abandoned, "2026-05-01 10:00", at(0)},
		{Reversed, "2026-05-01 10:00", at(0)},
		{PaymentExpired, "2026-05-01 10:00", at(0)},
	} {
		if got := happenedAt(test.kind, sent(test.value), nil); !got.Equal(test.want) {
			t.Errorf("happenedAt(%s, %#v) = %s, want %s", test.kind, test.value, got, test.want)
		}
	}
}

// FuzzTime: whatever is read is a time of this century, and is read again from its own form.
func FuzzTime(f *testing.F) {
	for _, text := range []string{"2026-05-01T10:00:00Z", "01/05/2026 10:00", "20260501", "1777629600000",
		"Fri, 01 May 2026 10:00:00 GMT", "2026-05-01 10:00:00 +99:99"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, value := range []any{text, json.Number(text)} {
			at := timeOf(sent(value), nil)
			if at.IsZero() {
				continue
			}
			if at.Year() < firstYear || at.Year() > lastYear || at.Location() != time.UTC {
				t.Fatalf("%q: out of time: %s", text, at)
			}
			if again := timeOf(lax.Of(at.Format(time.RFC3339Nano)), nil); !again.Equal(at) {
				t.Fatalf("%q: %s, then %s", text, at, again)
			}
		}
	})
}
