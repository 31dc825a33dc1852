package webhookserver

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"time"
)

// TestStrangersAreSpaced: what a namespace's strangers write beyond a burst is read at a pace, and no other
// namespace waits for it.
func TestStrangersAreSpaced(t *testing.T) {
	at := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	s := newStrangers()
	s.now = func() time.Time { return at }
	for n := range strangersBurst {
		if got := s.reserve("shop"); got != 0 {
			t.Fatalf("message %d of a burst waits %v, want nothing", n, got)
		}
	}
	for n := range int(strangersMost / strangersPace) {
		if got, want := s.reserve("shop"), time.Duration(n+1)*strangersPace; got != want {
			t.Fatalf("message %d after the burst waits %v, want %v", n, got, want)
		}
	}
	for range 1000 {
		if got := s.reserve("shop"); got != strangersMost {
			t.Fatalf("one of very many waits %v, want %v", got, strangersMost)
		}
	}
	if got := s.reserve("quiet"); got != 0 {
		t.Errorf("another namespace's waits %v, want nothing", got)
	}
	at = at.Add(strangersMost)
	if got := s.reserve("shop"); got <= 0 || got > strangersPace {
		t.Errorf("the next after all had their time waits %v, want %v", got, strangersPace)
	}
	at = at.Add(time.Minute)
	if got := s.reserve("shop"); got != 0 {
		t.Errorf("the first after a minute waits %v, want nothing", got)
	}
}

func TestStrangersWhoLeaveDoNotWait(t *testing.T) {
	s := newStrangers()
	s.after = func(time.Duration) <-chan time.Time { return nil }
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var err error
	for range strangersBurst + 1 {
		err = s.wait(ctx, "shop")
	}
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}

func TestQuietStrangersAreForgotten(t *testing.T) {
	at := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	s := newStrangers()
	s.now = func() time.Time { return at }
	for n := range 10 * idleStrangers {
		s.reserve(strconv.Itoa(n))
		at = at.Add(time.Second)
	}
	if got := len(s.next); got > idleStrangers {
		t.Errorf("%d namespaces are remembered, want %d at most", got, idleStrangers)
	}
}
