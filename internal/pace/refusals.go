package pace

import (
	"time"

	"k8s.io/apimachinery/pkg/types"
)

const (
	// deadAfter and deadFor are how many refusals in a row, over which time at least, make a
	// number that its gateway calls connected one that sends nothing.
	deadAfter = 3
	deadFor   = time.Minute
	// inARow is the longest pause between two refusals that are told as one row.
	inARow = time.Hour
)

// Refusals are the messages that a number's gateway did not take since it last took one, for
// reasons that are not the messages' own. A leader that begins knows of none.
type Refusals struct {
	// Count is how many, Since when the first was.
	Count int
	Since time.Time
	// Succeeded is when the gateway last took a message; zero when it is not known.
	Succeeded time.Time
}

// Dead says whether a number that its gateway calls connected sends nothing.
func (r Refusals) Dead(now time.Time) bool {
	return r.Count >= deadAfter && now.Sub(r.Since) >= deadFor
}

// with returns the refusals with one more; last is when the one before was.
func (r Refusals) with(last, now time.Time) Refusals {
	if r.Count == 0 || now.Sub(last) > inARow {
		r.Count, r.Since = 0, now
	}
	r.Count++
	return r
}

// Refusals tells what the gateway of an instance refused in a row.
func (p *Pacer) Refusals(instance types.UID) Refusals {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n, known := p.numbers[instance]; known {
		return n.refusals
	}
	return Refusals{}
}

// Forgive starts the count of an instance's refusals again, because its connection is a new one.
func (p *Pacer) Forgive(instance types.UID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n, known := p.numbers[instance]; known {
		n.refusals = Refusals{Succeeded: n.refusals.Succeeded}
	}
}
