package heartbeat

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
)

func TestMark(t *testing.T) {
	dir := t.TempDir()
	if read, err := readMark(dir); err != nil || read != (sighting{}) {
		t.Fatalf("a new directory has %+v, %v", read, err)
	}
	for _, written := range []sighting{
		{uid: "a", version: 100, beats: 7, renewed: now}, {uid: "b", version: 3, beats: 0,
			renewed: now.Add(-time.Hour)},
	} {
		if err := writeMark(dir, written); err != nil {
			t.Fatal(err)
		}
		if read, err := readMark(dir); err != nil || read != written {
			t.Errorf("read %+v, %v, want %+v", read, err, written)
		}
	}
	for name, content := range map[string]string{
		"empty": "", "half": `{"uid":"a","resourceVer`, "another": `{"resourceVersion":-1}`, "bare": "{}",
		"null": "null", "long": `{"uid":"` + strings.Repeat("a", maxMark) + `","resourceVersion":1}`,
	} {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(filepath.Join(dir, markName), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			if read, err := readMark(dir); err == nil || read != (sighting{}) {
				t.Errorf("read %+v, %v, want an error and nothing", read, err)
			}
		})
	}
	if err := writeMark(filepath.Join(dir, "nowhere"), sighting{uid: "a", version: 1}); err == nil {
		t.Error("a directory that is not there has an error")
	}
}

func FuzzReadMark(f *testing.F) {
	f.Add([]byte(`{"uid":"a","resourceVersion":100,"transitions":7,"renewTime":"2026-03-02T12:00:00Z"}`))
	f.Fuzz(func(t *testing.T, content []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, markName), content, 0o600); err != nil {
			t.Fatal(err)
		}
		if read, err := readMark(dir); err != nil && read != (sighting{}) {
			t.Errorf("read %+v beside the error %v", read, err)
		}
	})
}

// pod is where processes follow each other: they share a state directory.
type pod struct {
	t      *testing.T
	dir    string
	clock  *clocktesting.FakePassiveClock
	client client.Client
}

func newPod(t *testing.T) *pod {
	return &pod{t: t, dir: t.TempDir(), clock: clocktesting.NewFakePassiveClock(now),
		client: fake.NewClientBuilder().Build()}
}

// process is the next process of the pod.
func (p *pod) process() *Keeper {
	keeper := &Keeper{
		Client: p.client, Live: p.client, Clock: p.clock, Namespace: "system", Every: DefaultEvery, StateDir: p.dir,
		History: func(context.Context) (bool, error) { return false, nil },
	}
	keeper.recall(logr.Discard())
	return keeper
}

// leads begins to lead, and beats so often.
func (p *pod) leads(beats int) Start {
	p.t.Helper()
	keeper := p.process()
	if err := keeper.begin(p.t.Context()); err != nil {
		p.t.Fatal(err)
	}
	for range beats {
		p.clock.SetTime(p.clock.Now().Add(DefaultEvery))
		if err := keeper.beat(p.t.Context()); err != nil {
			p.t.Fatal(err)
		}
	}
	return keeper.start
}

func (p *pod) lease() *coordinationv1.Lease {
	p.t.Helper()
	lease := &coordinationv1.Lease{}
	if err := p.client.Get(p.t.Context(), types.NamespacedName{Namespace: "system", Name: Name}, lease); err != nil {
		p.t.Fatal(err)
	}
	return lease
}

// restore puts a Lease back as it was; nil is a backup from before it.
func (p *pod) restore(backup *coordinationv1.Lease) {
	p.t.Helper()
	builder := fake.NewClientBuilder()
	if backup != nil {
		builder = builder.WithObjects(backup)
	}
	p.client = builder.Build()
}

func TestRestoreWhileNoProcessRuns(t *testing.T) {
	for name, test := range map[string]struct {
		since    int
		whatElse func(*pod, *coordinationv1.Lease) *coordinationv1.Lease
		want     bool
	}{
		"a plain restart":         {0, nil, false},
		"a backup of ten seconds": {1, nil, true},
		"a backup of two minutes": {12, nil, true},
		"without a state directory": {12, func(p *pod, l *coordinationv1.Lease) *coordinationv1.Lease {
			p.dir = ""
			return l
		}, false},
		"a backup from before the heartbeat": {
			1, func(*pod, *coordinationv1.Lease) *coordinationv1.Lease { return nil }, true,
		},
		"a mark that is garbage": {12, func(p *pod, l *coordinationv1.Lease) *coordinationv1.Lease {
			if err := os.WriteFile(filepath.Join(p.dir, markName), []byte("garbage"), 0o600); err != nil {
				p.t.Fatal(err)
			}
			return l
		}, false},
		"revisions that were bumped": {12, func(_ *pod, l *coordinationv1.Lease) *coordinationv1.Lease {
			l.ResourceVersion = "1000000"
			return l
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPod(t)
			p.restore(&coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: "system", Name: Name, UID: "a"}})
			// The first finds a Lease that was never written; from then on it is young.
			p.leads(3)
			p.clock.SetTime(p.clock.Now().Add(time.Second))
			before, backup := p.leads(0), p.lease()
			p.leads(test.since)
			p.clock.SetTime(p.clock.Now().Add(time.Minute))
			if test.whatElse != nil {
				backup = test.whatElse(p, backup)
			}
			if test.since > 0 {
				p.restore(backup)
			}
			now := p.clock.Now()
			got := p.leads(0)
			if held := got.Held.After(before.Held); held != test.want || test.want && !got.Held.Equal(now) {
				t.Errorf("held since %s at %s, want it held: %t", got.Held, now, test.want)
			}
			if certain := got.Restored.Equal(now); certain != test.want {
				t.Errorf("certain since %s, want it certain: %t", got.Restored, test.want)
			}
			if again := p.leads(0); !again.Held.Equal(got.Held) {
				t.Errorf("the next process holds since %s, want %s: it was noticed before", again.Held, got.Held)
			}
		})
	}
}

func TestAnotherProcessNoticesTheRestore(t *testing.T) {
	p := newPod(t)
	p.restore(&coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: "system", Name: Name, UID: "a"}})
	p.leads(3)
	backup := p.lease()
	standby := p.process()
	p.leads(6)
	if err := standby.lookOnce(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.restore(backup)
	fresh := &pod{t: t, dir: t.TempDir(), clock: p.clock, client: p.client}
	leading := fresh.process()
	if err := leading.begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	standby.Client, standby.Live = p.client, p.client
	p.clock.SetTime(p.clock.Now().Add(time.Second))
	if err := standby.lookOnce(t.Context()); !errors.Is(err, ErrRolledBack) {
		t.Fatalf("the standby ends with %v, want ErrRolledBack", err)
	}
	if err := leading.lookOnce(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !leading.start.Held.Equal(p.clock.Now()) || !leading.start.Restored.Equal(p.clock.Now()) {
		t.Errorf("the leader holds since %s, certain since %s, want %s", leading.start.Held, leading.start.Restored,
			p.clock.Now())
	}
}
