package pace_test

import (
	"testing"
	"time"

	"cartrecovery.dev/operator/internal/pace"
)

// A number whose gateway fails is left alone, answers included, and then tried by one
// message at a time, ever later.
func TestFailed(t *testing.T) {
	d := open(t)
	d.send("a", pace.Answer)
	d.Failed(instance, d.clock.Now())
	turn := d.ask("b", pace.Answer, 0)
	if turn.Now || !turn.Held {
		t.Fatalf("not left alone: %+v", turn)
	}
	d.forward(30 * time.Second)
	d.ask("c", pace.Answer, 0)
	d.now("b", pace.Answer, 0)
	if !d.take("b", pace.Answer) {
		t.Fatal("nobody tries")
	}
	if turn := d.ask("c", pace.Answer, 0); turn.Now {
		t.Error("two try at once")
	}
	d.Failed(instance, d.clock.Now())
	d.forward(45 * time.Second)
	if turn := d.ask("c", pace.Answer, 0); turn.Now {
		t.Error("the second time it is not left alone for longer")
	}
	d.forward(15 * time.Second)
	d.now("c", pace.Answer, 0)
	if !d.take("c", pace.Answer) {
		t.Fatal("nobody tries again")
	}
	d.ask("e", pace.Answer, 0)
	d.Succeeded(instance)
	d.now("e", pace.Answer, 0)
}

// Several messages that were under way when the gateway failed are one failure.
func TestFailedTogether(t *testing.T) {
	d := open(t)
	taken := d.clock.Now()
	d.forward(time.Second)
	for range 5 {
		d.Failed(instance, taken)
	}
	d.forward(30 * time.Second)
	d.now("a", pace.Answer, 0)
}

// A trial that ends without a word about the gateway is followed by the next at once.
func TestTrialWithoutAnOutcome(t *testing.T) {
	d := open(t)
	d.Failed(instance, d.clock.Now())
	d.forward(30 * time.Second)
	d.send("a", pace.Answer)
	d.Refused(instance, key("a"))
	d.now("b", pace.Answer, 0)
}

// What happened long ago says nothing of the gateway.
func TestFailedLongAgo(t *testing.T) {
	d := open(t)
	d.Failed(instance, d.clock.Now())
	d.forward(time.Hour)
	d.send("a", pace.Answer)
	d.now("b", pace.Answer, 0)
}

// A gateway that asks to wait is not asked until then, nor for more than an hour.
func TestThrottled(t *testing.T) {
	for name, row := range map[string]struct{ asked, waits time.Duration }{
		"for ten minutes": {10 * time.Minute, 10 * time.Minute},
		"for a day":       {24 * time.Hour, time.Hour},
		"without a time":  {0, 30 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			d := open(t)
			until := time.Time{}
			if row.asked > 0 {
				until = d.clock.Now().Add(row.asked)
			}
			d.Throttled(instance, d.clock.Now(), until)
			d.forward(row.waits - time.Second)
			if turn := d.ask("a", pace.Answer, 0); turn.Now {
				t.Error("asked too early")
			}
			d.forward(time.Second)
			d.now("a", pace.Answer, 0)
		})
	}
}

// That the gateway works again wakes whoever waits for it.
func TestWorkedWakes(t *testing.T) {
	d := open(t)
	d.Failed(instance, d.clock.Now())
	d.ask("a", pace.Answer, 0)
	for len(d.Woken()) > 0 {
		<-d.Woken()
	}
	d.Succeeded(instance)
	select {
	case woken := <-d.Woken():
		if woken.Object.GetName() != "a" {
			t.Errorf("woke %s", woken.Object.GetName())
		}
	default:
		t.Error("nobody was woken")
	}
}

// TestTimeoutsHoldANumber: a message that is not answered in time holds its number as one that is refused
// does, and does not count among the refusals that make a number dead.
func TestTimeoutsHoldANumber(t *testing.T) {
	d := open(t)
	for i, hold := range []time.Duration{30 * time.Second, time.Minute, 2 * time.Minute} {
		began := d.clock.Now()
		d.now("a", pace.Answer, 0)
		if !d.take("a", pace.Answer) {
			t.Fatalf("nobody tries after %d timeouts", i)
		}
		d.forward(10 * time.Second)
		d.TimedOut(instance, began)
		// Calls that were under way together are one.
		d.TimedOut(instance, began.Add(-time.Second))
		d.ask("a", pace.Answer, 0)
		d.forward(hold - time.Second)
		if turn := d.ask("a", pace.Answer, 0); turn.Now || !turn.Held {
			t.Errorf("after %d timeouts it is not left alone for %s: %+v", i+1, hold, turn)
		}
		d.forward(time.Second)
	}
	if refusals := d.Refusals(instance); refusals.Count != 0 {
		t.Errorf("they count as %d refusals", refusals.Count)
	}
}

// TestUnclearEndsHoldANumber: one call whose end tells nothing is bad luck, several in succession are not.
func TestUnclearEndsHoldANumber(t *testing.T) {
	d := open(t)
	held := func() bool { return d.ask("a", pace.Answer, 0).Held }
	began := d.clock.Now()
	unclear := func() {
		d.forward(time.Second)
		d.Unclear(instance, d.clock.Now())
		// Those that were under way together are one.
		d.Unclear(instance, began)
	}
	for range 2 {
		unclear()
		unclear()
		if held() {
			t.Fatal("two of them hold the number")
		}
		d.Succeeded(instance)
	}
	for range 3 {
		unclear()
	}
	if !held() {
		t.Fatal("three in succession do not hold the number")
	}
	d.Unclear(instance, d.clock.Now().Add(-time.Second))
	d.forward(30 * time.Second)
	if held() {
		t.Error("one that was under way when it failed makes it longer")
	}
	d.Unclear(instance, d.clock.Now())
	if !held() {
		t.Error("the one that tries again does not hold it")
	}
	if refusals := d.Refusals(instance); refusals.Count != 0 {
		t.Errorf("they count as %d refusals", refusals.Count)
	}
}
