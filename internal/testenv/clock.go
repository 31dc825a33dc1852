package testenv

import (
	"sync/atomic"
	"time"
)

// Clock is the real time, set forward by a test: hours pass at once, and timers still run. A test that needs no API
// server uses the clocks of k8s.io/utils/clock/testing, which stand still.
type Clock struct{ ahead atomic.Int64 }

// Now implements clock.PassiveClock.
func (c *Clock) Now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

// Since implements clock.PassiveClock.
func (c *Clock) Since(at time.Time) time.Duration { return c.Now().Sub(at) }

// Forward sets the clock forward.
func (c *Clock) Forward(by time.Duration) { c.ahead.Add(int64(by)) }

// Reset returns to the real time.
func (c *Clock) Reset() { c.ahead.Store(0) }
