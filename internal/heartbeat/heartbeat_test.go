package heartbeat

import (
	"context"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

var now = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// beaten is a Lease that was last written so long ago.
func beaten(ago time.Duration, heldSince string) *coordinationv1.Lease {
	at := metav1.NewMicroTime(now.Add(-ago))
	lease := &coordinationv1.Lease{Spec: coordinationv1.LeaseSpec{RenewTime: &at}}
	if heldSince != "" {
		lease.Annotations = map[string]string{AnnotationHeldSince: heldSince}
	}
	return lease
}

func TestHeld(t *testing.T) {
	earlier := now.Add(-time.Hour)
	for name, test := range map[string]struct {
		lease   *coordinationv1.Lease
		history bool
		want    time.Time
	}{
		"a new cluster":              {nil, false, time.Time{}},
		"leads without a heartbeat":  {nil, true, now},
		"a failover":                 {beaten(time.Minute, ""), true, time.Time{}},
		"a downtime that is short":   {beaten(staleAfter, ""), true, time.Time{}},
		"an old heartbeat":           {beaten(staleAfter+time.Second, ""), false, now},
		"one that was never written": {&coordinationv1.Lease{}, false, now},
		"a predecessor that held":    {beaten(time.Minute, earlier.Format(time.RFC3339Nano)), true, earlier},
		"and was restored again":     {beaten(time.Hour, earlier.Format(time.RFC3339Nano)), true, now},
		"nonsense":                   {beaten(time.Minute, "yesterday"), true, time.Time{}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := held(test.lease, test.history, now); !got.Equal(test.want) {
				t.Errorf("held since %s, want %s", got, test.want)
			}
		})
	}
}

func TestWentBack(t *testing.T) {
	seen := sighting{uid: "a", version: 100, beats: 7, renewed: now}
	for name, test := range map[string]struct {
		after sighting
		want  bool
	}{
		"the same":                            {seen, false},
		"written since":                       {sighting{uid: "a", version: 120, beats: 8}, false},
		"restored":                            {sighting{uid: "a", version: 90, beats: 5}, true},
		"restored, with the revisions bumped": {sighting{uid: "a", version: 1_000_000, beats: 5}, true},
		"restored from before it was there":   {sighting{uid: "b", version: 60, beats: 1}, true},
		"deleted by somebody, and made again": {sighting{uid: "b", version: 130, beats: 1,
			renewed: now.Add(time.Minute)}, false},
		"restored from another one's time": {sighting{uid: "b", version: 130,
			renewed: now.Add(-markTolerance - time.Second)}, true},
		"made again where the clock is behind": {sighting{uid: "b", version: 130, renewed: now.Add(-markTolerance)},
			false},
		"written where the clock is behind": {sighting{uid: "a", version: 130, beats: 8,
			renewed: now.Add(-time.Hour)}, false},
		"restored, and written since by another": {sighting{uid: "a", version: 101, beats: 6}, true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := wentBack(seen, test.after); got != test.want {
				t.Errorf("%t, want %t", got, test.want)
			}
		})
	}
	if wentBack(sighting{}, seen) {
		t.Error("what is seen first did not go back")
	}
}

// panicking is an API server whose client has a fault. It ends the work after the last of its reads.
type panicking struct {
	client.Reader
	left int
	end  context.CancelFunc
}

func (p *panicking) Get(context.Context, client.ObjectKey, client.Object, ...client.GetOption) error {
	if p.left--; p.left == 0 {
		p.end()
	}
	panic("the API server")
}

// TestAPanicEndsNothing: the leader does not begin, every process looks again.
func TestAPanicEndsNothing(t *testing.T) {
	for name, made := range map[string]func(*Keeper) interface{ Start(context.Context) error }{
		"the leader":    func(k *Keeper) interface{ Start(context.Context) error } { return leader{k} },
		"every process": func(k *Keeper) interface{ Start(context.Context) error } { return watcher{k} },
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			server := &panicking{left: 1, end: cancel}
			keeper := &Keeper{Live: server, Look: time.Millisecond, Every: time.Millisecond}
			if err := made(keeper).Start(ctx); err != nil || server.left > 0 {
				t.Errorf("it ended with %v, and %d reads were left", err, server.left)
			}
		})
	}
}
