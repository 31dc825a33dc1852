package shares

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// slowServer is an API server that writes when the test lets it.
type slowServer struct {
	client.Client
	begun    chan string
	goOn     chan struct{}
	underWay atomic.Int64
	most     atomic.Int64
}

func (s *slowServer) write(object client.Object) error {
	s.most.Store(max(s.most.Load(), s.underWay.Add(1)))
	defer s.underWay.Add(-1)
	s.begun <- object.GetNamespace()
	<-s.goOn
	return nil
}

func (s *slowServer) Status() client.SubResourceWriter { return slowStatus{server: s} }

type slowStatus struct {
	client.SubResourceWriter
	server *slowServer
}

func (s slowStatus) Patch(_ context.Context, object client.Object, _ client.Patch,
	_ ...client.SubResourcePatchOption) error {
	return s.server.write(object)
}

func objectIn(namespace string) client.Object {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace}}
}

// TestWritesAreShared: of one namespace so many writes are under way, and another's wait for
// none of them.
func TestWritesAreShared(t *testing.T) {
	const flood = 20
	server := &slowServer{begun: make(chan string, 2*flood), goOn: make(chan struct{}, 1)}
	clock := clocktesting.NewFakePassiveClock(time.Unix(1000, 0))
	shared := Writes(server, 2, clock.Now)
	ctx := InTurn(t.Context())
	server.goOn <- struct{}{}
	if err := shared.Status().Patch(ctx, objectIn("quiet"), nil); err != nil {
		t.Fatal(err)
	}
	<-server.begun
	var group sync.WaitGroup
	for range flood {
		group.Go(func() {
			if err := shared.Status().Patch(ctx, objectIn("busy"), nil); err != nil {
				t.Error(err)
			}
		})
	}
	for range 2 {
		<-server.begun
	}
	// Another namespace's waits for none of them, nor does what cannot wait.
	for other, as := range map[string]context.Context{"quiet": ctx, "busy": t.Context()} {
		group.Go(func() {
			if err := shared.Status().Patch(as, objectIn(other), nil); err != nil {
				t.Error(err)
			}
		})
		if got := <-server.begun; got != other {
			t.Fatalf("%q is written while %q waits", got, other)
		}
	}
	broken, cancel := context.WithCancel(ctx)
	cancel()
	if err := shared.Status().Patch(broken, objectIn("busy"), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("one that is broken off while it waits: %v", err)
	}
	close(server.goOn)
	group.Wait()
	if most := server.most.Load(); most > 4 {
		t.Errorf("%d writes were under way at once, want 4 at most", most)
	}
	clock.SetTime(clock.Now().Add(aloneAfter))
	if _, isAlone := shared.(*sharedWriter).turns.enter("busy"); !isAlone {
		t.Error("who writes alone has to share")
	}
	shared.(*sharedWriter).turns.leave("busy", shared.(*sharedWriter).turns.of["busy"])
	if left := shared.(*sharedWriter).turns.of; len(left) != 0 {
		t.Errorf("%d namespaces are remembered", len(left))
	}
}
