package pace

import (
	"slices"
	"sort"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// entry is a lead that waits.
type entry struct {
	lead types.NamespacedName
	due  time.Time
	// back is when it was told to ask again.
	back time.Time
}

func (e *entry) before(other *entry) bool {
	if order := e.due.Compare(other.due); order != 0 {
		return order < 0
	}
	return compareNames(e.lead, other.lead) < 0
}

// gone says that it has not come back. An entry that is to come back later than any is told to dates from before the
// clock was set back.
func (e *entry) gone(now time.Time) bool {
	if latestBack := now.Add(2 * maxWait); e.back.After(latestBack) {
		e.back = latestBack
	}
	return now.Sub(e.back) > patience
}

// line is who waits with messages of one class, the next one first.
type line []*entry

// find is how many are before an entry, and whether the next one is of the same lead.
func (l line) find(e *entry) (int, bool) {
	at := sort.Search(len(l), func(i int) bool { return !l[i].before(e) })
	return at, at < len(l) && l[at].lead == e.lead
}

func (l *line) insert(e *entry) {
	at, _ := l.find(e)
	*l = slices.Insert(*l, at, e)
}

func (l *line) remove(e *entry) {
	if at, found := l.find(e); found {
		*l = slices.Delete(*l, at, at+1)
	}
}

// drop takes out those that have not come back, all or only those in front, and returns them.
func (l *line) drop(all bool, now time.Time) []*entry {
	if len(*l) == 0 || !all && !(*l)[0].gone(now) {
		return nil
	}
	var dropped []*entry
	*l = slices.DeleteFunc(*l, func(e *entry) bool {
		if e.gone(now) {
			dropped = append(dropped, e)
			return true
		}
		return false
	})
	return dropped
}
