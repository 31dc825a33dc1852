package backoff_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"cartrecovery.dev/operator/internal/backoff"
)

func TestDoubled(t *testing.T) {
	for _, c := range []struct {
		name     string
		first    time.Duration
		failures int
		want     time.Duration
	}{
		{"the first", 2 * time.Second, 1, 2 * time.Second},
		{"the second", 2 * time.Second, 2, 4 * time.Second},
		{"the fifth", 2 * time.Second, 5, 32 * time.Second},
		{"the sixth is the most", 2 * time.Second, 6, time.Minute},
		{"very many", 2 * time.Second, math.MaxInt, time.Minute},
		{"none", 2 * time.Second, 0, 2 * time.Second},
		{"fewer than none", 2 * time.Second, math.MinInt, 2 * time.Second},
		{"a first that is more than the most", time.Hour, 1, time.Minute},
		{"no wait", 0, 3, 0},
		{"less than none", -time.Second, 3, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := backoff.Doubled(c.first, time.Minute, c.failures); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestDoubledDoesNotOverflow(t *testing.T) {
	if got := backoff.Doubled(time.Second, math.MaxInt64, 1000); got <= 0 {
		t.Errorf("got %s", got)
	}
}

func TestSpread(t *testing.T) {
	for name, c := range map[string]struct {
		spread      func(time.Duration, float64, backoff.Random) time.Duration
		least, most time.Duration
	}{
		"around": {backoff.Around, 8 * time.Second, 12 * time.Second},
		"beyond": {backoff.Beyond, 10 * time.Second, 12 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			for random, want := range map[float64]time.Duration{0: c.least, math.Nextafter(1, 0): c.most} {
				got := c.spread(10*time.Second, 0.2, func() float64 { return random })
				if (got - want).Abs() > time.Microsecond {
					t.Errorf("random %v: got %s, want %s", random, got, want)
				}
			}
			for range 1000 {
				if got := c.spread(10*time.Second, 0.2, rand.Float64); got < c.least || got > c.most {
					t.Fatalf("got %s, want %s to %s", got, c.least, c.most)
				}
			}
		})
	}
}
