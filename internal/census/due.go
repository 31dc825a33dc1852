package census

import (
	"container/heap"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// Grace is how late a message may be before it counts as overdue: turns, texts and calls take some seconds.
const Grace = 30 * time.Second

// Dues are when the next message of each lead is due. A change costs the logarithm of a Store's leads, and each lead
// is looked at once when it becomes overdue: what is asked for at a scrape costs nothing for the leads that are not.
// It is safe for concurrent use, and a nil one keeps nothing.
type Dues struct {
	mu     sync.Mutex
	leads  map[types.NamespacedName]*due
	stores map[types.NamespacedName]*line
}

// line are the leads of a Store, the earliest first: those that are not overdue yet, and those that are.
type line struct{ waiting, overdue queue }

// due is one lead in one of the queues of its Store.
type due struct {
	store types.NamespacedName
	at    time.Time
	in    *queue
	index int
}

// NewDues returns Dues without leads.
func NewDues() *Dues {
	return &Dues{leads: map[types.NamespacedName]*due{}, stores: map[types.NamespacedName]*line{}}
}

// Set says when the next message of a lead is due; zero for a lead that nothing is owed to.
func (d *Dues) Set(lead types.NamespacedName, store string, at time.Time) {
	if d == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	of := types.NamespacedName{Namespace: lead.Namespace, Name: store}
	known := d.leads[lead]
	switch {
	case known == nil && at.IsZero():
		return
	case known != nil && known.store == of && known.at.Equal(at):
		return
	case known != nil:
		d.remove(lead, known)
	}
	if at.IsZero() {
		return
	}
	if d.stores[of] == nil {
		d.stores[of] = &line{}
	}
	added := &due{store: of, at: at, in: &d.stores[of].waiting}
	heap.Push(added.in, added)
	d.leads[lead] = added
}

func (d *Dues) remove(lead types.NamespacedName, known *due) {
	heap.Remove(known.in, known.index)
	delete(d.leads, lead)
	if of := d.stores[known.store]; len(of.waiting)+len(of.overdue) == 0 {
		delete(d.stores, known.store)
	}
}

// Late is what is overdue in a Store.
type Late struct {
	// Leads are how many leads are.
	Leads int
	// Oldest is how long the one has been due that has been for longest; zero when there is none.
	Oldest time.Duration
}

// Overdue is what is overdue now, by Store.
func (d *Dues) Overdue(now time.Time) map[types.NamespacedName]Late {
	if d == nil {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	found := map[types.NamespacedName]Late{}
	for store, of := range d.stores {
		for len(of.waiting) > 0 && now.Sub(of.waiting[0].at) > Grace {
			late, _ := heap.Pop(&of.waiting).(*due)
			late.in = &of.overdue
			heap.Push(late.in, late)
		}
		if len(of.overdue) > 0 {
			found[store] = Late{len(of.overdue), now.Sub(of.overdue[0].at)}
		}
	}
	return found
}

// queue is a heap of leads by when they are due.
type queue []*due

func (q queue) Len() int           { return len(q) }
func (q queue) Less(i, j int) bool { return q[i].at.Before(q[j].at) }
func (q queue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].index, q[j].index = i, j
}

// Push is called by container/heap.
func (q *queue) Push(value any) {
	added, _ := value.(*due)
	added.index = len(*q)
	*q = append(*q, added)
}

// Pop is called by container/heap.
func (q *queue) Pop() any {
	last := (*q)[len(*q)-1]
	(*q)[len(*q)-1] = nil
	*q = (*q)[:len(*q)-1]
	return last
}
