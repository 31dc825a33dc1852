package outbound

import (
	"net/http"
	"testing"
	"time"
)

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	const most = time.Hour
	for value, want := range map[string]time.Duration{
		"5": 5 * time.Second, " 5 ": 5 * time.Second, "0": time.Second, "1.5": 1500 * time.Millisecond, "3600": most,
		"99999999999": most, "9223372036854775807": most, "18446744073709551616": most, "1e999": most, "Inf": most,
		"NaN": 0, "-5": 0, "-1e999": 0, "soon": 0, "": 0,
		"Fri, 01 May 2026 12:00:30 GMT": 30 * time.Second, "Fri, 01 May 1970 12:00:30 GMT": time.Second,
		"Fri, 31 Dec 9999 23:59:59 GMT": most,
	} {
		t.Run(value, func(t *testing.T) {
			got, ok := RetryAfter(http.Header{"Retry-After": {value}}, now, most)
			if ok != (want != 0) || got != want {
				t.Errorf("got %s, %t; want %s", got, ok, want)
			}
		})
	}
}

func TestRetryAfterMilliseconds(t *testing.T) {
	for value, want := range map[string]time.Duration{
		"2500": 2500 * time.Millisecond, "10": time.Second, "1e999": time.Hour, "-1": 0, "": 0, "soon": 0,
	} {
		t.Run(value, func(t *testing.T) {
			got, ok := RetryAfterMilliseconds(http.Header{"Retry-After-Ms": {value}}, time.Hour)
			if ok != (want != 0) || ok && got != want {
				t.Errorf("got %s, %t; want %s", got, ok, want)
			}
		})
	}
}
