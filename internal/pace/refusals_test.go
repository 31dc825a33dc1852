package pace_test

import (
	"testing"
	"time"

	"cartrecovery.dev/operator/internal/pace"
)

// TestRefusals: three refusals in a row over a minute make a number dead; a message that went,
// and another connection, begin again.
func TestRefusals(t *testing.T) {
	const fails, works, forgiven = "fails", "works", "is forgiven"
	type step struct {
		after time.Duration
		what  string
	}
	for _, row := range []struct {
		name  string
		steps []step
		count int
		dead  bool
	}{
		{"nothing was refused", nil, 0, false},
		{"twice", []step{{0, fails}, {time.Minute, fails}}, 2, false},
		{"three times, over a minute", []step{{0, fails}, {30 * time.Second, fails}, {30 * time.Second, fails}}, 3,
			true},
		{"three times, at once", []step{{0, fails}, {time.Second, fails}, {time.Second, fails}}, 3, false},
		{"a message went in between", []step{{0, fails}, {time.Minute, works}, {time.Minute, fails},
			{time.Minute, fails}}, 2, false},
		{"a message went at last", []step{{0, fails}, {time.Minute, fails}, {time.Minute, fails}, {time.Minute, works}},
			0, false},
		{"the connection is another one", []step{{0, fails}, {time.Minute, fails}, {time.Minute, fails}, {0, forgiven},
			{0, fails}}, 1, false},
		{"long ago, and once now", []step{{0, fails}, {time.Minute, fails}, {2 * time.Hour, fails}}, 1, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			d := open(t)
			for _, step := range row.steps {
				d.forward(step.after)
				switch step.what {
				case fails:
					d.Failed(instance, d.clock.Now())
				case works:
					d.Succeeded(instance)
				case forgiven:
					d.Forgive(instance)
				}
			}
			if got := d.Refusals(instance); got.Count != row.count || got.Dead(d.clock.Now()) != row.dead {
				t.Errorf("got %+v, dead %t", got, got.Dead(d.clock.Now()))
			}
		})
	}
	if got := open(t).Refusals("unknown"); got != (pace.Refusals{}) {
		t.Errorf("an unknown number has %+v", got)
	}
}
