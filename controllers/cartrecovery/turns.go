package cartrecovery

import (
	"cmp"
	"container/heap"
	"context"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"cartrecovery.dev/operator/controllers/cartrecovery/plan"
	"cartrecovery.dev/operator/internal/shares"
)

// turns decides whose text is written next. The namespaces take turns, and within a namespace its
// stores; within a store the earliest due comes first. So ten thousand texts of one delay another's
// by a text or two, and so do the texts of ten thousand stores of one namespace. It knows of no lock
// and no clock: drafts holds both.
type turns struct {
	// tenants that have texts waiting, in the order of their turns.
	tenants []*tenant
	named   map[string]*tenant
	keys    map[laneKey]*lane
	// writing is who holds the workers.
	writing *shares.Shares
	// starved are the stores whose budget is set aside for what is being written.
	starved map[types.NamespacedName]bool
	pauses  map[string]pause
	serial  uint64
}

// tenant is a namespace with texts waiting.
type tenant struct {
	namespace string
	// lanes of its stores, in the order of their turns.
	lanes []*lane
}

// lane holds what waits for one endpoint of one store.
type lane struct {
	key     laneKey
	waiting jobs
}

type laneKey struct {
	store    types.NamespacedName
	endpoint string
}

// queued is a text that waits for its turn, or is being written.
type queued struct {
	job
	// asked is when it was asked for.
	asked time.Time
	lane  laneKey
	// serial orders what is due at the same time.
	serial uint64
	// index in its lane, negative once it no longer waits.
	index int
	// abandon ends the writing of it; nil before that begins.
	abandon context.CancelFunc
}

// pause is what an endpoint asked for that is called too often.
type pause struct {
	// since is when it first did, until when it may be called again.
	since, until time.Time
	// why is its failure, in words that are safe to show.
	why string
}

func newTurns(workers int) *turns {
	return &turns{
		named: map[string]*tenant{}, keys: map[laneKey]*lane{}, writing: shares.New(workers),
		starved: map[types.NamespacedName]bool{}, pauses: map[string]pause{},
	}
}

// push has a job wait for its turn. An endpoint without a name is the store's own.
func (t *turns) push(wanted job, asked time.Time) *queued {
	key := laneKey{store: wanted.store, endpoint: cmp.Or(wanted.endpoint, "store/"+wanted.store.String())}
	found := t.keys[key]
	if found == nil {
		found = &lane{key: key}
		t.keys[key] = found
		t.join(found)
	}
	t.serial++
	added := &queued{job: wanted, asked: asked, lane: key, serial: t.serial}
	heap.Push(&found.waiting, added)
	return added
}

// join puts a lane at the end of those of its namespace.
func (t *turns) join(added *lane) {
	of := t.named[added.key.store.Namespace]
	if of == nil {
		of = &tenant{namespace: added.key.store.Namespace}
		t.named[of.namespace] = of
		t.tenants = append(t.tenants, of)
	}
	of.lanes = append(of.lanes, added)
}

// remove takes out what waits; what is being written already is left alone.
func (t *turns) remove(dropped *queued) {
	if dropped == nil || dropped.index < 0 {
		return
	}
	found := t.keys[dropped.lane]
	heap.Remove(&found.waiting, dropped.index)
	if len(found.waiting) > 0 {
		return
	}
	delete(t.keys, found.key)
	of := t.named[found.key.store.Namespace]
	of.lanes = slices.DeleteFunc(of.lanes, func(l *lane) bool { return l == found })
	if len(of.lanes) == 0 {
		t.leave(slices.Index(t.tenants, of))
	}
}

// take returns what is to be written now, nil when that is nothing. Every take is ended.
func (t *turns) take(now time.Time) *queued {
	for at, of := range t.tenants {
		if !t.writing.OpenTo(of.namespace) {
			continue
		}
		next := t.takeOf(of, now)
		if next == nil {
			continue
		}
		t.leave(at)
		if len(of.lanes) > 0 {
			t.named[of.namespace] = of
			t.tenants = append(t.tenants, of)
		}
		t.writing.Take(next.store)
		return next
	}
	return nil
}

// takeOf takes the next text of a namespace out of its lane, which goes to the end.
func (t *turns) takeOf(of *tenant, now time.Time) *queued {
	for at, current := range of.lanes {
		if !t.open(current.key, now) {
			continue
		}
		next := heap.Pop(&current.waiting).(*queued)
		of.lanes = slices.Delete(of.lanes, at, at+1)
		if len(current.waiting) > 0 {
			of.lanes = append(of.lanes, current)
		} else {
			delete(t.keys, current.key)
		}
		return next
	}
	return nil
}

// leave takes a namespace out of the order.
func (t *turns) leave(at int) {
	delete(t.named, t.tenants[at].namespace)
	t.tenants = slices.Delete(t.tenants, at, at+1)
}

// open says whether a lane may take a worker: its namespace and its store hold no more than their
// share (see package shares), and its endpoint is not left alone.
func (t *turns) open(key laneKey, now time.Time) bool {
	if t.starved[key.store] || !t.writing.Open(key.store) {
		return false
	}
	_, paused := t.paused(key.endpoint, now)
	return !paused
}

// ended gives back the worker that a take held.
func (t *turns) ended(written *queued) {
	t.writing.Give(written.store)
	delete(t.starved, written.store)
}

// starve has a store wait until one of its texts that are being written is ended.
func (t *turns) starve(store types.NamespacedName) {
	if t.writing.Held(store) > 0 {
		t.starved[store] = true
	}
}

// pause leaves an endpoint alone until a time. What lapsed long ago is dropped: it is no
// part of a row of failures any more.
func (t *turns) pause(endpoint string, until time.Time, why string, now time.Time) {
	for name, old := range t.pauses {
		if now.Sub(old.until) > maxDraftBackoff {
			delete(t.pauses, name)
		}
	}
	known, again := t.pauses[endpoint]
	if !again {
		known.since = now
	}
	t.pauses[endpoint] = pause{since: known.since, until: plan.Latest(known.until, until), why: why}
}

// paused returns the pause that an endpoint is in.
func (t *turns) paused(endpoint string, now time.Time) (pause, bool) {
	found, ok := t.pauses[endpoint]
	return found, ok && now.Before(found.until)
}

// answered ends the row of failures of an endpoint. An answer to a call from before a pause
// does not end the pause.
func (t *turns) answered(endpoint string, now time.Time) {
	if _, paused := t.paused(endpoint, now); !paused {
		delete(t.pauses, endpoint)
	}
}

// lapses is when the next pause ends; zero when there is none.
func (t *turns) lapses(now time.Time) time.Time {
	next := time.Time{}
	for _, p := range t.pauses {
		if now.Before(p.until) && (next.IsZero() || p.until.Before(next)) {
			next = p.until
		}
	}
	return next
}

// waiting is how many texts wait for their turn.
func (t *turns) waiting() int {
	count := 0
	for _, l := range t.keys {
		count += len(l.waiting)
	}
	return count
}

// jobs is a heap of texts to write, the earliest due first.
type jobs []*queued

func (j jobs) Len() int { return len(j) }

func (j jobs) Less(a, b int) bool {
	if !j[a].due.Equal(j[b].due) {
		return j[a].due.Before(j[b].due)
	}
	return j[a].serial < j[b].serial
}

func (j jobs) Swap(a, b int) {
	j[a], j[b] = j[b], j[a]
	j[a].index, j[b].index = a, b
}

// Push adds a job; for container/heap.
func (j *jobs) Push(x any) {
	added := x.(*queued)
	added.index = len(*j)
	*j = append(*j, added)
}

// Pop takes the last job; for container/heap.
func (j *jobs) Pop() any {
	old := *j
	last := old[len(old)-1]
	last.index = -1
	old[len(old)-1] = nil
	*j = old[:len(old)-1]
	return last
}
