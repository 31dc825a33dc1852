package platforms

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"cartrecovery.dev/operator/internal/lax"
)

// This file reads times, of every platform. A time that names no zone is in the platform's,
// as brazil and docs/platforms.md say, or else in the Store's.

// brazil is the time zone of the platforms whose times are Brasília's. Brazil has had no
// daylight saving time since 2019, which is all that a machine without time zone data lacks.
var brazil = loadZone("America/Sao_Paulo", -3*60*60)

func loadZone(name string, offset int) *time.Location {
	zone, err := time.LoadLocation(name)
	if err != nil {
		return time.FixedZone(name, offset)
	}
	return zone
}

// The years that a time may be in. What lies outside is a placeholder or a slip.
const (
	firstYear = 2000
	lastYear  = 2099
)

// instant returns a time of this century, in UTC; zero for any other.
func instant(at time.Time) time.Time {
	if year := at.UTC().Year(); year < firstYear || year > lastYear {
		return time.Time{}
	}
	return at.UTC()
}

// timeOf reads a time: a text in one of the usual forms, or a number of seconds,
// milliseconds or less since 1970; zero for anything else. A date alone is the end of its
// day: what is told of a day has happened by then, and what ends on a day lasts until then.
func timeOf(value lax.Value, zone *time.Location) time.Time {
	text := strings.TrimSpace(value.Clean(maxID))
	if text == "" {
		return time.Time{}
	}
	if isDigits(text) {
		return timeOfDigits(text, zone)
	}
	if whole, _, found := strings.Cut(text, "."); found && isDigits(whole) {
		if len(whole) == secondsSince1970 || len(whole) == millisSince1970 {
			return timeOfDigits(whole, zone)
		}
	}
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return instant(at)
	}
	if at, err := time.ParseInLocation(time.DateTime, text, in(zone)); err == nil {
		return instant(at)
	}
	if at := timeOfParts(text, zone); !at.IsZero() {
		return at
	}
	return timeOfWords(text, zone)
}

func isDigits(text string) bool { return strings.Trim(text, "0123456789") == "" }

// The forms that timeOfWords reads: a month by its name, between day and year or in front of
// them, a date without its separators (20060102T150405Z), and a zone's name behind.
var (
	dayMonthYear = regexp.MustCompile(`^(?:[\pL-]+,?\s+)?(\d{1,2})[-/ ](?:de )?(\pL{3,9})\.?[-/ ](?:de )?(\d{4})(.*)$`)
	monthDayYear = regexp.MustCompile(`^(?:\pL{3,9},?\s+)?(\pL{3,9})\.?\s+(\d{1,2}),?\s+(\d{4})(.*)$`)
	withoutGaps  = regexp.MustCompile(`^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})(.*)$`)
	bracketed    = regexp.MustCompile(`\s?(?:\[.*\]|\(.*\))$`)
	zoneNamed    = regexp.MustCompile(`\s(BRT|[A-Z][A-Za-z]+/[A-Z][A-Za-z_]+)$`)
)

// timeOfWords reads a time in the forms that are rare.
func timeOfWords(text string, zone *time.Location) time.Time {
	text = bracketed.ReplaceAllString(text, "")
	if named := zoneNamed.FindStringSubmatch(text); named != nil {
		text, zone = strings.TrimSuffix(text, named[0]), zoneByName(named[1], zone)
	}
	if parts := withoutGaps.FindStringSubmatch(text); parts != nil {
		date, clock := strings.Join(parts[1:4], "-"), strings.Join(parts[4:7], ":")
		return timeOfParts(date+" "+clock+parts[7], zone)
	}
	parts := dayMonthYear.FindStringSubmatch(text)
	if parts == nil {
		if parts = monthDayYear.FindStringSubmatch(text); parts == nil {
			return timeOfParts(text, zone)
		}
		parts[1], parts[2] = parts[2], parts[1]
	}
	month := strconv.Itoa(monthNamed(parts[2]))
	return timeOfParts(parts[3]+"-"+month+"-"+parts[1]+parts[4], zone)
}

// zoneByName is a zone by its name; the one that holds, where it is not known.
func zoneByName(name string, zone *time.Location) *time.Location {
	if name == "BRT" {
		return brazil
	}
	if found, err := time.LoadLocation(name); err == nil {
		return found
	}
	return zone
}

// monthNamed reads a month by the beginning of its English, Portuguese or Spanish name; 0 for
// none.
func monthNamed(name string) int {
	for i, names := range [...]string{
		"jan ene", "feb fev", "mar", "apr abr", "may mai", "jun",
		"jul", "aug ago", "sep set", "oct out", "nov", "dec dez dic",
	} {
		for begin := range strings.FieldsSeq(names) {
			if strings.HasPrefix(strings.ToLower(name), begin) {
				return i + 1
			}
		}
	}
	return 0
}

// happenedAt reads when an event happened. A purchase that is told to the minute is the end of
// that minute: by its beginning, who bought within a minute of our first message would have
// bought before it.
func happenedAt(kind Kind, value lax.Value, zone *time.Location) time.Time {
	at := timeOf(value, zone)
	form := timeForm.FindStringSubmatch(strings.TrimSpace(value.Clean(maxID)))
	if kind != Purchased || at.IsZero() || form == nil || form[formHour] == "" || form[formSecond] != "" {
		return at
	}
	return at.Add(time.Minute - time.Second)
}

// firstTimeOf reads the first of the values that is a time.
func firstTimeOf(zone *time.Location, values ...lax.Value) time.Time {
	for _, value := range values {
		if at := timeOf(value, zone); !at.IsZero() {
			return at
		}
	}
	return time.Time{}
}

// timeOfBoth reads a time whose date and time of day are two fields. Without the second it
// is a date.
func timeOfBoth(date, clock lax.Value, zone *time.Location) time.Time {
	day := date.Clean(maxID)
	if len(day) == 8 && isDigits(day) {
		day = day[:4] + "-" + day[4:6] + "-" + day[6:]
	}
	if clock := clock.Clean(maxID); clock != "" {
		if at := timeOf(lax.Of(day+" "+clock), zone); !at.IsZero() {
			return at
		}
	}
	return timeOf(lax.Of(day), zone)
}

// How many digits seconds and milliseconds have in this century.
const (
	secondsSince1970 = 10
	millisSince1970  = 13
)

func in(zone *time.Location) *time.Location {
	if zone == nil {
		return brazil
	}
	return zone
}

// timeOfDigits reads a number: a date (20060102), a date and a time (20060102150405), or
// what has passed since 1970 in seconds, milliseconds, microseconds or nanoseconds.
func timeOfDigits(digits string, zone *time.Location) time.Time {
	switch len(digits) {
	case 8:
		return timeOfParts(digits[:4]+"-"+digits[4:6]+"-"+digits[6:], zone)
	case 14:
		if at := timeOfParts(digits[:4]+"-"+digits[4:6]+"-"+digits[6:8]+" "+
			digits[8:10]+":"+digits[10:12]+":"+digits[12:], zone); !at.IsZero() {
			return at
		}
	}
	number, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return time.Time{}
	}
	switch {
	case len(digits) <= secondsSince1970:
		return instant(time.Unix(number, 0))
	case len(digits) <= 13:
		return instant(time.UnixMilli(number))
	case len(digits) <= 16:
		return instant(time.UnixMicro(number))
	}
	return instant(time.Unix(0, number))
}

// timeForm is a date as people and programs write it, with a time of day and a zone or
// without. A date's parts are put in order by datesParts.
var timeForm = regexp.MustCompile(`^(?:\pL{2,4}\.?,\s)?(\d{1,4})[-/. ](\d{1,2}|[A-Za-z]{3})[-/. ](\d{1,4})` +
	`(?:(?:[Tt]|,?\s+(?:às\s+|as\s+|at\s+|-\s+)?)(\d{1,2})[:h](\d{2})(?::(\d{2})(?:[.,](\d{1,9})\d*)?)?\s?([AaPp][Mm])?)?` +
	`\s?(Z|z|UTC|GMT|(?:UTC|GMT)?([+-])(\d{2}):?(\d{2})?)?$`)

// The groups of timeForm.
const (
	formFirst = iota + 1
	formMonth
	formLast
	formHour
	formMinute
	formSecond
	formFraction
	formHalf
	formZone
	formSign
	formOffsetHours
	formOffsetMinutes
)

// timeOfParts reads a time by its parts; zero for a day or an hour that there is not.
func timeOfParts(text string, zone *time.Location) time.Time {
	form := timeForm.FindStringSubmatch(text)
	if form == nil {
		return time.Time{}
	}
	year, month, day := datesParts(form)
	if form[formHour] == "" {
		form[formHour], form[formMinute], form[formSecond] = "23", "59", "59"
	}
	hour, minute, second := number(form[formHour]), number(form[formMinute]), number(form[formSecond])
	switch half := strings.ToLower(form[formHalf]); {
	case half != "" && (hour < 1 || hour > 12):
		return time.Time{}
	case half == "pm":
		hour = hour%12 + 12
	case half == "am":
		hour %= 12
	}
	nanos := number((form[formFraction] + "000000000")[:9])
	at := time.Date(year, time.Month(month), day, hour, minute, second, nanos, zoneOf(form, zone))
	if at.Day() != day || int(at.Month()) != month || hour > 23 || minute > 59 || second > 59 {
		return time.Time{}
	}
	return instant(at)
}

// datesParts are a date's year, month and day. The year has four digits. Where it comes last
// the day comes first, unless only the other way round makes a date.
func datesParts(form []string) (year, month, day int) {
	first, middle, last := number(form[formFirst]), monthOf(form[formMonth]), number(form[formLast])
	switch {
	case len(form[formFirst]) == 4:
		return first, middle, last
	case len(form[formLast]) != 4:
		return 0, 0, 0
	case middle > 12 && first <= 12:
		return last, first, middle
	}
	return last, middle, first
}

// monthOf reads a month: its number, or the first three letters of its English name.
func monthOf(text string) int {
	const names = "janfebmaraprmayjunjulaugsepoctnovdec"
	if text != "" && text[0] >= 'A' {
		if at := strings.Index(names, strings.ToLower(text)); at >= 0 && at%3 == 0 {
			return at/3 + 1
		}
		return 0
	}
	return number(text)
}

// zoneOf is the zone that a time names, else the one that holds for it.
func zoneOf(form []string, zone *time.Location) *time.Location {
	if form[formZone] == "" {
		return in(zone)
	}
	offset := number(form[formOffsetHours])*60 + number(form[formOffsetMinutes])
	if form[formSign] == "-" {
		offset = -offset
	}
	return time.FixedZone("", offset*60)
}

// number reads some digits; 0 for none.
func number(digits string) int {
	value, err := strconv.Atoi(digits)
	if err != nil {
		return 0
	}
	return value
}

// firstTime returns the first of the times that is set; the zero time without one.
func firstTime(times ...time.Time) time.Time {
	for _, at := range times {
		if !at.IsZero() {
			return at
		}
	}
	return time.Time{}
}
