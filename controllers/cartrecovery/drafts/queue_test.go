package drafts

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"cartrecovery.dev/operator/internal/gen"
)

func storeKey(name string) types.NamespacedName {
	return types.NamespacedName{Namespace: "shop", Name: name}
}

// jobOf is a text of a store's lead, due some seconds from t0.
func jobOf(store, lead string, due int) Job {
	return Job{Lead: leadKey(lead), Store: storeKey(store), Text: idOf(lead),
		Due: gen.T0.Add(time.Duration(due) * time.Second)}
}

// jobIn is jobOf, of a store that is written namespace/name.
func jobIn(store, lead string, due int) Job {
	wanted := jobOf("", lead, due)
	wanted.Store.Namespace, wanted.Store.Name, _ = strings.Cut(store, "/")
	return wanted
}

// taken takes until nothing more is to be had, and returns the leads.
func taken(q *queue, now time.Time) []string {
	var leads []string
	for next := q.take(now); next != nil; next = q.take(now) {
		leads = append(leads, next.Lead.Name)
	}
	return leads
}

func TestQueueOrder(t *testing.T) {
	q := newQueue(1)
	for i, due := range []int{5, 3, 3, 9} {
		q.push(jobOf("a", fmt.Sprintf("a%d", i), due), gen.T0)
	}
	q.push(jobOf("b", "b0", 100), gen.T0)
	q.push(jobOf("c", "c0", 50), gen.T0)
	q.push(jobOf("b", "b1", 7), gen.T0)
	var order []string
	for next := q.take(gen.T0); next != nil; next = q.take(gen.T0) {
		order = append(order, next.Lead.Name)
		q.ended(next)
	}
	if want := []string{"a1", "b1", "c0", "a2", "b0", "a0", "a3"}; !slices.Equal(order, want) {
		t.Errorf("in the order %v, want %v", order, want)
	}
	if len(q.tenants) != 0 || len(q.named) != 0 || len(q.keys) != 0 || q.writing.Busy() != 0 {
		t.Errorf("left behind: %+v", q)
	}
}

// TestQueueShares: how many workers stores hold that all have more texts than there are
// workers, and none of whose texts is ever written. A store is its namespace and its name.
func TestQueueShares(t *testing.T) {
	for _, c := range []struct {
		name    string
		workers int
		stores  []string
		want    []int
	}{
		{"one worker", 1, []string{"a/1", "b/1"}, []int{1, 0}},
		{"two workers", 2, []string{"a/1", "b/1", "c/1"}, []int{1, 1, 0}},
		{"stores of a namespace share its half", 64, []string{"a/1", "a/2", "a/3", "a/4", "b/1"},
			[]int{16, 8, 4, 2, 16}},
		{"namespaces", 64, []string{"a/1", "a/2", "b/1", "b/2", "c/1", "d/1"}, []int{16, 8, 16, 4, 10, 5}},
		{"the default", 128, []string{"a/1", "a/2", "a/3", "b/1"}, []int{32, 16, 8, 32}},
	} {
		t.Run(c.name, func(t *testing.T) {
			q := newQueue(c.workers)
			for i, want := range c.want {
				for j := range 200 {
					q.push(jobIn(c.stores[i], fmt.Sprintf("%d-%d", i, j), j), gen.T0)
				}
				if got := len(taken(q, gen.T0)); got != want {
					t.Errorf("store %s gets %d, want %d", c.stores[i], got, want)
				}
			}
		})
	}
}

// TestQueueOfNamespaces: a thousand stores of one namespace whose AI hangs, and then one store of another.
func TestQueueOfNamespaces(t *testing.T) {
	q := newQueue(DefaultWorkers)
	for i := range 1000 {
		q.push(jobIn(fmt.Sprintf("a/%d", i), fmt.Sprintf("a-%d", i), 0), gen.T0)
	}
	hanging := taken(q, gen.T0)
	if len(hanging) != DefaultWorkers/2 {
		t.Errorf("a namespace holds %d of %d workers", len(hanging), DefaultWorkers)
	}
	q.push(jobIn("b/1", "b", 1000), gen.T0)
	if got := taken(q, gen.T0); !slices.Equal(got, []string{"b"}) {
		t.Errorf("took %v before the text of another namespace", got)
	}
}

// TestQueueAmongNamespaces: with one worker, a namespace of many stores comes every second time.
func TestQueueAmongNamespaces(t *testing.T) {
	q := newQueue(1)
	for i := range 5 {
		q.push(jobIn(fmt.Sprintf("a/%d", i), fmt.Sprintf("a%d", i), 0), gen.T0)
	}
	for i := range 3 {
		q.push(jobIn("b/1", fmt.Sprintf("b%d", i), 10+i), gen.T0)
	}
	var order []string
	for next := q.take(gen.T0); next != nil; next = q.take(gen.T0) {
		order = append(order, next.Lead.Name)
		q.ended(next)
	}
	if want := []string{"a0", "b0", "a1", "b1", "a2", "b2", "a3", "a4"}; !slices.Equal(order, want) {
		t.Errorf("in the order %v, want %v", order, want)
	}
}

func TestQueuePauses(t *testing.T) {
	q := newQueue(16)
	add := func(store, lead, endpoint string) {
		wanted := jobOf(store, lead, 0)
		wanted.Endpoint = endpoint
		q.push(wanted, gen.T0)
	}
	add("a", "shared-a", "shared")
	add("b", "shared-b", "shared")
	add("b", "own-b", "own")
	add("c", "unnamed-c", "")
	add("d", "unnamed-d", "")
	q.pause("shared", gen.T0.Add(20*time.Second), "why", gen.T0)
	q.pause("shared", gen.T0.Add(10*time.Second), "why", gen.T0)
	q.pause("store/shop/c", gen.T0.Add(5*time.Second), "why", gen.T0)
	for _, step := range []struct {
		at     time.Duration
		leads  []string
		lapses time.Duration
	}{
		{0, []string{"own-b", "unnamed-d"}, 5 * time.Second},
		{5*time.Second - 1, nil, 5 * time.Second},
		{5 * time.Second, []string{"unnamed-c"}, 20 * time.Second},
		{20*time.Second - 1, nil, 20 * time.Second},
		{20 * time.Second, []string{"shared-a", "shared-b"}, 0},
	} {
		now := gen.T0.Add(step.at)
		if got := taken(q, now); !slices.Equal(got, step.leads) {
			t.Errorf("after %s: %v, want %v", step.at, got, step.leads)
		}
		if got := q.lapses(now); step.lapses == 0 && !got.IsZero() || step.lapses != 0 &&
			!got.Equal(gen.T0.Add(step.lapses)) {
			t.Errorf("after %s: the next pause ends at %s", step.at, got)
		}
	}
}

func TestQueuePausesInARow(t *testing.T) {
	q := newQueue(2)
	since := func(at time.Duration) time.Duration {
		t.Helper()
		now := gen.T0.Add(at)
		q.pause("e", now.Add(10*time.Second), "why", now)
		found, ok := q.paused("e", now)
		if !ok {
			t.Fatal("not paused")
		}
		return found.since.Sub(gen.T0)
	}
	if got := since(0); got != 0 {
		t.Errorf("the first: since %s", got)
	}
	if got := since(15 * time.Second); got != 0 {
		t.Errorf("again, soon after: since %s", got)
	}
	if got := since(10 * time.Minute); got != 10*time.Minute {
		t.Errorf("again, long after: since %s", got)
	}
	q.answered("e", gen.T0.Add(10*time.Minute+5*time.Second))
	if _, ok := q.paused("e", gen.T0.Add(10*time.Minute+6*time.Second)); !ok {
		t.Error("an answer to an earlier call ended the pause")
	}
	q.answered("e", gen.T0.Add(10*time.Minute+11*time.Second))
	if got := since(10*time.Minute + 12*time.Second); got != 10*time.Minute+12*time.Second {
		t.Errorf("again, after an answer: since %s", got)
	}
	for i := range 1000 {
		now := gen.T0.Add(time.Hour + time.Duration(i)*time.Minute)
		q.pause(fmt.Sprint(i), now.Add(time.Second), "why", now)
	}
	if len(q.pauses) > 3 {
		t.Errorf("%d pauses are remembered", len(q.pauses))
	}
}

func TestQueueStarve(t *testing.T) {
	q := newQueue(8)
	q.hold(storeKey("a"))
	for i := range 3 {
		q.push(jobOf("a", fmt.Sprint(i), i), gen.T0)
	}
	first := q.take(gen.T0)
	if first == nil {
		t.Fatal("a store without a text under way waits for one")
	}
	q.hold(storeKey("a"))
	q.push(jobOf("b", "b", 0), gen.T0)
	if got := taken(q, gen.T0); !slices.Equal(got, []string{"b"}) {
		t.Errorf("took %v", got)
	}
	q.ended(first)
	if got := taken(q, gen.T0); !slices.Equal(got, []string{"1", "2"}) {
		t.Errorf("took %v once a text had ended", got)
	}
}

// TestQueueHold runs random histories: nothing is lost or written twice, what was removed is
// not written, and no store holds more than its share.
func TestQueueHold(t *testing.T) {
	for history := range 300 {
		random := rand.New(rand.NewPCG(uint64(history), 3))
		workers := 1 + random.IntN(20)
		q, now := newQueue(workers), gen.T0
		waiting, writing := map[*queued]bool{}, map[*queued]bool{}
		for step := range 400 {
			now = now.Add(time.Duration(random.IntN(3000)) * time.Millisecond)
			switch random.IntN(6) {
			case 0, 1:
				wanted := jobIn(fmt.Sprintf("%d/%d", random.IntN(3), random.IntN(3)), fmt.Sprint(step),
					random.IntN(100))
				wanted.Endpoint = []string{"", "x", "y"}[random.IntN(3)]
				waiting[q.push(wanted, now)] = true
			case 2, 3:
				next := q.take(now)
				if next == nil {
					continue
				}
				if !waiting[next] {
					t.Fatalf("history %d: took what does not wait", history)
				}
				if _, paused := q.paused(next.flow.endpoint, now); paused {
					t.Fatalf("history %d: took what is paused", history)
				}
				delete(waiting, next)
				writing[next] = true
				if q.writing.Held(next.Store) > max(1, workers/4) || q.writing.Busy() > workers {
					t.Fatalf("history %d: a store holds %d of %d workers", history, q.writing.Held(next.Store), workers)
				}
			case 4:
				for written := range writing {
					q.remove(written)
					q.ended(written)
					delete(writing, written)
					break
				}
				for dropped := range waiting {
					q.remove(dropped)
					q.remove(dropped)
					delete(waiting, dropped)
					break
				}
			case 5:
				q.pause([]string{"x", "y"}[random.IntN(2)], now.Add(time.Duration(random.IntN(9))*time.Second), "why",
					now)
			}
			if q.waiting() != len(waiting) || q.writing.Busy() != len(writing) || len(q.tenants) != len(q.named) {
				t.Fatalf("history %d: %d wait and %d are written, want %d and %d",
					history, q.waiting(), q.writing.Busy(), len(waiting), len(writing))
			}
		}
		now = now.Add(time.Hour)
		for written := range writing {
			q.ended(written)
		}
		for next := q.take(now); next != nil; next = q.take(now) {
			delete(waiting, next)
			q.ended(next)
		}
		if len(waiting) != 0 || q.waiting() != 0 || q.writing.Busy() != 0 {
			t.Fatalf("history %d: %d texts are never written", history, len(waiting))
		}
	}
}
