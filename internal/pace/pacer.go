package pace

import (
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/instant"
)

const (
	// patience is how long after its time a lead may come back and still be waited for: the
	// others must not wait for one that was deleted.
	patience = 10 * time.Second
	// sweepEvery is how often a whole line is searched for leads that did not come back.
	sweepEvery = time.Minute
	// maxWait is how long a lead is told to wait at most, give or take a quarter.
	maxWait = time.Hour
	// step is how far apart leads come back that could all be sent at once: longer than a
	// claim takes.
	step = time.Second
	// early is how much sooner than announced the turn of a lead must be for it to be woken.
	early = 10 * time.Millisecond
	// maxWoken is how many leads wait to be woken; those beyond come back when they were told.
	maxWoken = 1024
	// skew is how far in the future something may have been sent: the clock of an earlier
	// leader was ahead. What is further off is the work of a clock that was set back.
	skew = time.Minute
	// firstHold and longestHold bound how long a number is left alone after its gateway failed.
	firstHold = 30 * time.Second
	// unclearAtMost is after how many calls in succession that ended unclear a number is left alone.
	unclearAtMost = 3
	longestHold   = 5 * time.Minute
	// tryFor is how long the others wait for the one message that tries again: longer than a
	// call of the gateway can last.
	tryFor = 15 * time.Second
	// sameMessage is how far apart the time of a turn and that of its claim may be.
	sameMessage = 30 * time.Second
)

// Number is what paces a number beside what was sent from it.
type Number struct {
	// Limits of the number.
	Limits Limits
	// FirstConnected is when it was first connected; zero when it never was.
	FirstConnected time.Time
	// Location is the Store's time zone; nil is UTC.
	Location *time.Location
	// Seed the gaps are drawn from: the instance's UID.
	Seed string
}

// Woken is a lead that was told to come back later than its turn is now. Only its namespace and
// name are set.
type Woken = event.TypedGenericEvent[*v1alpha1.CartRecovery]

// Settle is how long after a number became able to send only answers should leave, so that
// everything that waited for it lines up first.
const Settle = 2 * time.Second

// NumberOf is what paces an instance of a Store in this time zone.
func NumberOf(instance *v1alpha1.WhatsAppInstance, location *time.Location) Number {
	number := Number{Limits: LimitsOf(instance.Spec.Limits), Location: location, Seed: string(instance.UID)}
	if first := instance.Status.FirstConnectedTime; first != nil {
		number.FirstConnected = first.Time
	}
	return number
}

// Turn is what a waiting lead is told.
type Turn struct {
	// Now: the message may be sent at once, if Take agrees.
	Now bool
	// At is when to ask again. Leads that are far back ask before it can be their turn, in
	// case others give up.
	At time.Time
	// Expected is when the message will about be sent, for people.
	Expected time.Time
	// Ahead is how many messages that wait now go before.
	Ahead int
	// Held: the gateway took none of the last messages from the number.
	Held bool
}

// Pacer knows what was sent from each number, and which leads wait for it. Its methods may be called
// at once. An instance is known by its UID; a lead waits at one instance at most.
type Pacer struct {
	clock  clock.PassiveClock
	settle time.Duration

	mu      sync.Mutex
	numbers map[types.UID]*number
	// waits is where each lead waits.
	waits map[types.NamespacedName]waiting
	woken chan Woken
}

// waiting is a lead's place.
type waiting struct {
	instance types.UID
	class    Class
	*entry
}

// NewPacer makes a Pacer that knows of nothing sent. For the time of settle after Open a number sends
// answers only.
func NewPacer(passive clock.PassiveClock, settle time.Duration) *Pacer {
	return &Pacer{
		clock: passive, settle: settle, woken: make(chan Woken, maxWoken),
		numbers: map[types.UID]*number{}, waits: map[types.NamespacedName]waiting{},
	}
}

// Woken tells which leads are to ask at once, because those before them have gone sooner than
// was expected. Nothing is lost but time when nobody reads it.
func (p *Pacer) Woken() <-chan Woken { return p.woken }

// Seed sets what was sent from an instance, as HistoryOf derives it since HistoryLength ago.
// What this process has taken itself and the leads do not show (yet) is kept. Until it is
// called nothing is sent.
func (p *Pacer) Seed(instance types.UID, derived []Sent) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := p.number(instance)
	n.seed(derived)
	n.keepTime(p.clock.Now())
	p.wake(n, p.clock.Now())
}

// Seeded says whether Seed was called for an instance.
func (p *Pacer) Seeded(instance types.UID) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	n, known := p.numbers[instance]
	return known && n.seeded
}

// Open says that a number can send, for the first time or again, and ends what Failed began:
// the leads that were kept waiting now register, and go in order once settle is over.
func (p *Pacer) Open(instance types.UID) { p.OpenWithin(instance, p.settle) }

// OpenWithin is Open where part of the time of settle has passed already.
func (p *Pacer) OpenWithin(instance types.UID, rest time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := p.number(instance)
	n.settled = p.clock.Now().Add(min(rest, p.settle))
	n.release()
}

// Close forgets an instance that was deleted, and who waits for it.
func (p *Pacer) Close(instance types.UID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n, known := p.numbers[instance]; known {
		for class := range n.lines {
			for _, e := range n.lines[class] {
				delete(p.waits, e.lead)
			}
		}
		delete(p.numbers, instance)
	}
}

// Request has a lead wait for an instance, or still wait, and says whether it is its turn: it is
// the first by class, due time and name of those whose class may be sent now. A lead that
// waits elsewhere, or for another message, leaves that place. One that does not come back
// when it was told to loses its place 10 s later, and gets it again when it asks.
func (p *Pacer) Request(instance types.UID, of Number, lead types.NamespacedName, class Class, due time.Time) Turn {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.clock.Now()
	n := p.number(instance)
	n.ofNumber(of)
	n.keepTime(now)
	e := p.register(instance, n, lead, class, due)
	e.back = now
	p.sweep(n, now)
	turn := n.turn(of, e, class, now)
	e.back = turn.At
	p.wake(n, now)
	return turn
}

// Peek is when a lead's message would about be sent from an instance, if it waited there. It
// registers nothing.
func (p *Pacer) Peek(instance types.UID, of Number, lead types.NamespacedName, class Class, due time.Time) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	n, known := p.numbers[instance]
	if !known {
		n = &number{}
	}
	now := p.clock.Now()
	rank, _ := n.lines[class].find(&entry{lead: lead, due: due})
	return instant.Later(n.expected(of, class, rank, now), n.opens(class))
}

// Acquire takes a lead's turn, just before its message is claimed with the time at. It is false
// when it is not, or no longer, the lead's turn: ask again. When the claim fails call
// Refused.
func (p *Pacer) Acquire(instance types.UID, of Number, lead types.NamespacedName, class Class, at time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	place, waits := p.waits[lead]
	n, known := p.numbers[instance]
	if !waits || !known || place.instance != instance || place.class != class {
		return false
	}
	n.ofNumber(of)
	n.keepTime(at)
	if !n.turn(of, place.entry, class, at).Now {
		return false
	}
	p.drop(lead)
	if n.holdFor > 0 {
		// The others wait for what comes of this one.
		n.trial, n.heldUntil = lead, instant.Later(n.heldUntil, at.Add(tryFor))
	}
	n.add(Sent{At: v1alpha1.NewTimestamp(at).Time, New: class == First, Lead: lead, Claimed: true})
	p.wake(n, at)
	return true
}

// Refused gives a turn back and takes a message of a lead out of what was sent, because its
// claim failed or the gateway has definitely not taken it. It makes no difference whether it
// was this process that claimed it.
func (p *Pacer) Refused(instance types.UID, lead types.NamespacedName) { p.release(instance, lead) }

func (p *Pacer) release(instance types.UID, lead types.NamespacedName) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n, known := p.numbers[instance]; known {
		n.takeBack(lead)
		p.wake(n, p.clock.Now())
	}
}

// Failed says that the gateway of an instance did not take a message, whose turn was taken at
// a time, for a reason that is not the message's own. The number is then left alone, ever
// longer, and one message at a time tries again. Several that were under way when the gateway
// failed are one failure.
func (p *Pacer) Failed(instance types.UID, taken time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n, now := p.number(instance), p.clock.Now()
	if n.hasFailedSince(taken) {
		return
	}
	n.refusals = n.refusals.with(n.failedAt, now)
	n.hold(now)
}

// TimedOut says that the gateway of an instance did not answer in time to a message, whose turn was taken
// at a time. It may have gone, so it is no refusal; the number is left alone as after one.
func (p *Pacer) TimedOut(instance types.UID, taken time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n, now := p.number(instance), p.clock.Now()
	if n.hasFailedSince(taken) {
		return
	}
	n.hold(now)
}

// Unclear says that a call to the gateway of an instance, for a message whose turn was taken at a time, ended in a way
// that tells nothing of the message: its connection broke, or its answer could not be read. Once is bad luck; after
// several in succession the number is left alone as after a timeout.
func (p *Pacer) Unclear(instance types.UID, taken time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n, now := p.number(instance), p.clock.Now()
	if n.hasFailedSince(taken) || taken.Before(n.unclearAt) {
		return
	}
	n.unclearAt = now
	if n.unclear++; n.holdFor > 0 || n.unclear >= unclearAtMost {
		n.hold(now)
	}
}

// Throttled says that the gateway of an instance asked to be left alone until a time; the zero
// time is Failed. It is left alone for an hour at most.
func (p *Pacer) Throttled(instance types.UID, taken, until time.Time) {
	if until.IsZero() {
		p.Failed(instance, taken)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	n, now := p.number(instance), p.clock.Now()
	n.failedAt, n.trial, n.holdFor = now, types.NamespacedName{}, max(n.holdFor, firstHold)
	n.heldUntil = instant.Later(n.heldUntil, instant.Earlier(until, now.Add(maxWait)))
}

// Succeeded says that the gateway of an instance took a message.
func (p *Pacer) Succeeded(instance types.UID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := p.number(instance)
	n.refusals = Refusals{Succeeded: p.clock.Now()}
	n.unclear, n.unclearAt = 0, time.Time{}
	if n.holdFor == 0 {
		return
	}
	n.release()
	p.wake(n, p.clock.Now())
}

// WaitsAt is the instance that a lead waits for, "" for none.
func (p *Pacer) WaitsAt(lead types.NamespacedName) types.UID {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.waits[lead].instance
}

// Forget has a lead wait nowhere: it was deleted, or has nothing to send.
func (p *Pacer) Forget(lead types.NamespacedName) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.leave(lead)
}

// Stats is what was sent from an instance, and how many wait for it.
func (p *Pacer) Stats(instance types.UID, of Number) v1alpha1.PaceStatus {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.clock.Now()
	allowed := of.Limits.NewAllowed(of.FirstConnected, now, of.Location)
	stats := v1alpha1.PaceStatus{NewConversationsAllowedToday: count32(allowed)}
	if n, known := p.numbers[instance]; known {
		n.keepTime(now)
		p.sweep(n, now)
		stats.SentLastHour = count32(n.sentSince(now.Add(-time.Hour)))
		stats.NewConversationsToday = count32(newOn(n.history, now, of.Location))
		stats.Waiting = count32(len(n.lines[Answer]) + len(n.lines[First]) + len(n.lines[FollowUp]))
	}
	return stats
}

func count32(count int) int32 { return int32(min(count, 1<<30)) } //nolint:gosec // Bounded.

func (p *Pacer) number(instance types.UID) *number {
	n, known := p.numbers[instance]
	if !known {
		n = &number{}
		p.numbers[instance] = n
	}
	return n
}

// register gives a lead its place.
func (p *Pacer) register(instance types.UID, n *number, lead types.NamespacedName, class Class, due time.Time) *entry {
	if place, waits := p.waits[lead]; waits {
		if place.instance == instance && place.class == class && place.due.Equal(due) {
			return place.entry
		}
		p.leave(lead)
	}
	e := &entry{lead: lead, due: due}
	n.lines[class].insert(e)
	p.waits[lead] = waiting{instance: instance, class: class, entry: e}
	return e
}

// leave takes a lead out of its place, and calls who has it now.
func (p *Pacer) leave(lead types.NamespacedName) {
	if place, waits := p.waits[lead]; waits {
		p.drop(lead)
		p.wake(p.numbers[place.instance], p.clock.Now())
	}
}

func (p *Pacer) drop(lead types.NamespacedName) {
	if place, waits := p.waits[lead]; waits {
		p.numbers[place.instance].lines[place.class].remove(place.entry)
		delete(p.waits, lead)
	}
}

// wake calls the first in line who were told to come back later than their turn is now.
func (p *Pacer) wake(n *number, now time.Time) {
	if !n.changed() {
		return
	}
	for class, head := range n.heads {
		if head == nil {
			continue
		}
		turn := n.turn(n.of, head, Class(class), now)
		if head.back.Sub(instant.Later(turn.At, now)) <= early {
			continue
		}
		select {
		case p.woken <- Woken{Object: &v1alpha1.CartRecovery{
			ObjectMeta: metav1.ObjectMeta{Namespace: head.lead.Namespace, Name: head.lead.Name},
		}}:
			head.back = instant.Later(turn.At, now)
		default:
			n.stale = true
		}
	}
}

// sweep drops those that did not come back: the first of each line, whom all wait for, at
// once, the others now and then.
func (p *Pacer) sweep(n *number, now time.Time) {
	all := now.Sub(n.swept).Abs() >= sweepEvery
	if all {
		n.swept = now
		n.compact(now)
	}
	for class := range n.lines {
		for _, e := range n.lines[class].drop(all, now) {
			delete(p.waits, e.lead)
		}
	}
}
