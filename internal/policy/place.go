package policy

import (
	"sync"
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
)

// The defaults of a Store's timeZone and locale, as documented on its fields.
const (
	DefaultTimeZone = "America/Sao_Paulo"
	DefaultLocale   = "pt-BR"
)

// placeOf is where, and in which language, a store works.
func placeOf(store *v1alpha1.Store) (*time.Location, string) {
	if store == nil {
		return location(""), DefaultLocale
	}
	locale := store.Spec.Locale
	if locale == "" {
		locale = DefaultLocale
	}
	return location(store.Spec.TimeZone), locale
}

// Zone is the time zone that a store works in.
func Zone(store *v1alpha1.Store) *time.Location {
	zone, _ := placeOf(store)
	return zone
}

// locations remembers the time zones that exist: reading one takes longer than everything
// else Resolve does. There are some hundreds, so that it stays small.
var locations sync.Map

// location is the IANA time zone of a name; the default one where there is none of that
// name. "Local" is whatever the machine is set to, which is no store's.
func location(name string) *time.Location {
	if name == "" || name == "Local" {
		name = DefaultTimeZone
	}
	if known, ok := locations.Load(name); ok {
		return known.(*time.Location)
	}
	loaded, err := time.LoadLocation(name)
	switch {
	case err == nil:
		locations.Store(name, loaded)
		return loaded
	case name == DefaultTimeZone:
		// Without any time zone data: Brazil has had no daylight saving since 2019.
		return time.FixedZone(DefaultTimeZone, -3*60*60)
	default:
		return location(DefaultTimeZone)
	}
}
