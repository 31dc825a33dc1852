package drafts

import (
	"cmp"
	"container/heap"
	"context"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"cartrecovery.dev/operator/internal/instant"
	"cartrecovery.dev/operator/internal/shares"
)

// queue is a fair queue of texts to write. The namespaces take turns, and within a namespace its Stores;
// within a Store the earliest due text comes first. So ten thousand texts of one Store delay another's
// by a text or two, and so do the texts of ten thousand Stores of one namespace. It has no lock and no
// clock: Pool holds both.
type queue struct {
	// tenants are the namespaces with texts waiting, in the order of their turns.
	tenants []*tenant
	named   map[string]*tenant
	keys    map[flowKey]*flow
	// writing counts the workers by namespace and Store.
	writing *shares.Shares
	// held are the Stores whose budget is set aside for texts that are being written.
	held   map[types.NamespacedName]bool
	pauses map[string]pause
	serial uint64
}

// tenant is a namespace with texts waiting.
type tenant struct {
	namespace string
	// flows of its Stores, in the order of their turns.
	flows []*flow
}

// flow holds the texts of one Store that wait for one endpoint.
type flow struct {
	key     flowKey
	waiting jobs
}

type flowKey struct {
	store    types.NamespacedName
	endpoint string
}

// queued is a text that waits for its turn, or is being written.
type queued struct {
	Job
	// asked is when it was asked for.
	asked time.Time
	flow  flowKey
	// serial orders what is due at the same time.
	serial uint64
	// index in its flow, negative once it no longer waits.
	index int
	// abandon breaks off the writing of it; nil before that begins.
	abandon context.CancelFunc
}

// pause is the time for which an endpoint asked not to be called.
type pause struct {
	// since is when it first asked, until is when it may be called again.
	since, until time.Time
	// why is the endpoint's failure, in words that are safe to show.
	why string
}

func newQueue(workers int) *queue {
	return &queue{
		named: map[string]*tenant{}, keys: map[flowKey]*flow{}, writing: shares.New(workers),
		held: map[types.NamespacedName]bool{}, pauses: map[string]pause{},
	}
}

// push adds a job. An endpoint without a name is the Store's own.
func (q *queue) push(wanted Job, asked time.Time) *queued {
	key := flowKey{store: wanted.Store, endpoint: cmp.Or(wanted.Endpoint, "store/"+wanted.Store.String())}
	found := q.keys[key]
	if found == nil {
		found = &flow{key: key}
		q.keys[key] = found
		q.join(found)
	}
	q.serial++
	added := &queued{Job: wanted, asked: asked, flow: key, serial: q.serial}
	heap.Push(&found.waiting, added)
	return added
}

// join puts a flow at the end of those of its namespace.
func (q *queue) join(added *flow) {
	of := q.named[added.key.store.Namespace]
	if of == nil {
		of = &tenant{namespace: added.key.store.Namespace}
		q.named[of.namespace] = of
		q.tenants = append(q.tenants, of)
	}
	of.flows = append(of.flows, added)
}

// remove takes out a text that waits, and leaves alone one that is being written already.
func (q *queue) remove(dropped *queued) {
	if dropped == nil || dropped.index < 0 {
		return
	}
	found := q.keys[dropped.flow]
	heap.Remove(&found.waiting, dropped.index)
	if len(found.waiting) > 0 {
		return
	}
	delete(q.keys, found.key)
	of := q.named[found.key.store.Namespace]
	of.flows = slices.DeleteFunc(of.flows, func(l *flow) bool { return l == found })
	if len(of.flows) == 0 {
		q.leave(slices.Index(q.tenants, of))
	}
}

// take returns the text to write now, nil for none. The caller gives it back to ended.
func (q *queue) take(now time.Time) *queued {
	for at, of := range q.tenants {
		if !q.writing.OpenTo(of.namespace) {
			continue
		}
		next := q.takeOf(of, now)
		if next == nil {
			continue
		}
		q.leave(at)
		if len(of.flows) > 0 {
			q.named[of.namespace] = of
			q.tenants = append(q.tenants, of)
		}
		q.writing.Take(next.Store)
		return next
	}
	return nil
}

// takeOf takes the next text of a namespace out of its flow, which goes to the end.
func (q *queue) takeOf(of *tenant, now time.Time) *queued {
	for at, current := range of.flows {
		if !q.open(current.key, now) {
			continue
		}
		next := heap.Pop(&current.waiting).(*queued)
		of.flows = slices.Delete(of.flows, at, at+1)
		if len(current.waiting) > 0 {
			of.flows = append(of.flows, current)
		} else {
			delete(q.keys, current.key)
		}
		return next
	}
	return nil
}

// leave takes a namespace out of the order.
func (q *queue) leave(at int) {
	delete(q.named, q.tenants[at].namespace)
	q.tenants = slices.Delete(q.tenants, at, at+1)
}

// open says whether a flow may take a worker: its namespace and its Store hold no more than their share
// (see package shares), and its endpoint is not paused.
func (q *queue) open(key flowKey, now time.Time) bool {
	if q.held[key.store] || !q.writing.Open(key.store) {
		return false
	}
	_, paused := q.paused(key.endpoint, now)
	return !paused
}

// ended gives back the worker that a take held.
func (q *queue) ended(written *queued) {
	q.writing.Give(written.Store)
	delete(q.held, written.Store)
}

// hold has a Store wait until one of its texts that are being written is ended.
func (q *queue) hold(store types.NamespacedName) {
	if q.writing.Held(store) > 0 {
		q.held[store] = true
	}
}

// pause leaves an endpoint alone until a time. It drops pauses that ended long ago, which no longer
// belong to a row of failures.
func (q *queue) pause(endpoint string, until time.Time, why string, now time.Time) {
	for name, old := range q.pauses {
		if now.Sub(old.until) > maxBackoff {
			delete(q.pauses, name)
		}
	}
	known, again := q.pauses[endpoint]
	if !again {
		known.since = now
	}
	q.pauses[endpoint] = pause{since: known.since, until: instant.Later(known.until, until), why: why}
}

// paused returns the pause that an endpoint is in.
func (q *queue) paused(endpoint string, now time.Time) (pause, bool) {
	found, ok := q.pauses[endpoint]
	return found, ok && now.Before(found.until)
}

// answered ends the row of failures of an endpoint. An answer to a call that began before a pause does
// not end the pause.
func (q *queue) answered(endpoint string, now time.Time) {
	if _, paused := q.paused(endpoint, now); !paused {
		delete(q.pauses, endpoint)
	}
}

// lapses is when the next pause ends; zero for none.
func (q *queue) lapses(now time.Time) time.Time {
	next := time.Time{}
	for _, p := range q.pauses {
		if now.Before(p.until) {
			next = instant.EarlierSet(next, p.until)
		}
	}
	return next
}

// waiting is how many texts wait.
func (q *queue) waiting() int {
	count := 0
	for _, l := range q.keys {
		count += len(l.waiting)
	}
	return count
}

// jobs is a heap of texts to write, the earliest due first; it implements heap.Interface.
type jobs []*queued

func (j jobs) Len() int { return len(j) }

func (j jobs) Less(a, b int) bool {
	if !j[a].Due.Equal(j[b].Due) {
		return j[a].Due.Before(j[b].Due)
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
