package pace

import (
	"slices"
	"sort"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"cartrecovery.dev/operator/internal/instant"
)

// number is what is known of an instance.
type number struct {
	seeded bool
	// settled is when more than answers may be sent.
	settled time.Time
	// heldUntil is until when nothing is sent because the gateway failed, and holdFor how long
	// that was the last time; 0 when it works.
	heldUntil time.Time
	holdFor   time.Duration
	// unclear is how many calls in succession ended without a word about the message, unclearAt when the last
	// one that counted did.
	unclear   int
	unclearAt time.Time
	// failedAt is when it failed last, trial the lead whose message tries again.
	failedAt time.Time
	trial    types.NamespacedName
	// refusals are what the gateway refused in a row.
	refusals Refusals
	// swept is when the lines were last searched.
	swept time.Time
	// history is what was sent, oldest first; own holds what this process itself took of it.
	history, own []Sent
	lines        [classes]line

	// of is the number as it was last asked with, heads who was first in line then; stale says
	// that their turns may have changed since.
	of    Number
	heads [classes]*entry
	stale bool
}

// ofNumber notes the limits that hold now.
func (n *number) ofNumber(of Number) {
	n.stale = n.stale || n.of != of
	n.of = of
}

// changed says whether the turns of the first in line may have changed since the last call.
func (n *number) changed() bool {
	changed := n.stale
	for class := range n.lines {
		var head *entry
		if len(n.lines[class]) > 0 {
			head = n.lines[class][0]
		}
		changed = changed || head != n.heads[class]
		n.heads[class] = head
	}
	n.stale = false
	return changed
}

// seed replaces the history, but for what is only in own.
func (n *number) seed(derived []Sent) {
	n.seeded, n.stale = true, true
	n.history = slices.Clone(derived)
	sortHistory(n.history)
	known := map[types.NamespacedName][]time.Time{}
	for i := range n.history {
		known[n.history[i].Lead] = append(known[n.history[i].Lead], n.history[i].At)
	}
	for _, mine := range n.own {
		times := known[mine.Lead]
		at := slices.IndexFunc(times, func(at time.Time) bool { return at.Sub(mine.At).Abs() <= sameMessage })
		if at < 0 {
			n.history = append(n.history, mine)
			continue
		}
		known[mine.Lead] = slices.Delete(times, at, at+1)
	}
	sortHistory(n.history)
}

// keepTime drops what is too old to matter. What a clock that was since set back has dated
// into the future was sent now at the latest.
func (n *number) keepTime(now time.Time) {
	n.history, n.own = keepTime(n.history, now), keepTime(n.own, now)
}

func keepTime(history []Sent, now time.Time) []Sent {
	old := sort.Search(len(history), func(i int) bool { return now.Sub(history[i].At) <= HistoryLength })
	history = history[old:]
	for i := len(history) - 1; i >= 0 && history[i].At.Sub(now) > skew; i-- {
		history[i].At = now.UTC().Truncate(time.Microsecond)
	}
	return history
}

// compact drops what only the limits per minute and hour needed.
func (n *number) compact(now time.Time) {
	for _, history := range []*[]Sent{&n.history, &n.own} {
		*history = slices.DeleteFunc(*history, func(sent Sent) bool {
			return !sent.New && now.Sub(sent.At) > time.Hour
		})
	}
}

// add notes a message; what the lead claimed before it is settled.
func (n *number) add(sent Sent) {
	for _, history := range []*[]Sent{&n.history, &n.own} {
		for i := range *history {
			if (*history)[i].Lead == sent.Lead {
				(*history)[i].Claimed = false
			}
		}
		at := sort.Search(len(*history), func(i int) bool { return (*history)[i].At.After(sent.At) })
		*history = slices.Insert(*history, at, sent)
	}
}

// hasFailedSince says whether the number is left alone for a failure after a turn was taken: what was under way
// with it is the same failure.
func (n *number) hasFailedSince(taken time.Time) bool {
	return n.holdFor > 0 && taken.Before(n.failedAt)
}

// hold leaves the number alone, ever longer.
func (n *number) hold(now time.Time) {
	n.failedAt, n.trial = now, types.NamespacedName{}
	n.holdFor = min(max(2*n.holdFor, firstHold), longestHold)
	n.heldUntil = now.Add(n.holdFor)
}

// release ends that the number is left alone.
func (n *number) release() {
	n.holdFor, n.heldUntil, n.trial, n.stale = 0, time.Time{}, types.NamespacedName{}, true
	n.unclear, n.unclearAt = 0, time.Time{}
}

func (n *number) takeBack(lead types.NamespacedName) {
	n.stale = true
	if n.holdFor > 0 && n.trial == lead {
		// The trial ended without a word about the gateway.
		n.trial, n.heldUntil = types.NamespacedName{}, n.failedAt
	}
	for _, history := range []*[]Sent{&n.history, &n.own} {
		*history = slices.DeleteFunc(*history, func(sent Sent) bool { return sent.Lead == lead && sent.Claimed })
	}
}

func (n *number) sentSince(since time.Time) int {
	return len(n.history) - sort.Search(len(n.history), func(i int) bool { return n.history[i].At.After(since) })
}

// opens is when a class may be sent at all.
func (n *number) opens(class Class) time.Time {
	if class == Answer {
		return n.heldUntil
	}
	return instant.Later(n.settled, n.heldUntil)
}

// turn says what a lead that waits is told.
func (n *number) turn(of Number, e *entry, class Class, now time.Time) Turn {
	if n.holdFor > 0 && now.Sub(n.heldUntil) > longestHold {
		// Nobody has tried for so long that nothing is known.
		n.release()
	}
	rank, _ := n.lines[class].find(e)
	ahead := rank + n.goBefore(of, class, now)
	expected := instant.Later(n.expected(of, class, rank, now), n.opens(class))
	if n.seeded && rank == 0 && !expected.After(now) && !n.yields(of, class, now) {
		return Turn{Now: true, At: now, Expected: now}
	}
	turn := Turn{Expected: expected, Ahead: ahead, Held: n.holdFor > 0}
	turn.At = n.askAgain(of, class, e.lead, ahead, expected, now)
	return turn
}

// askAgain is when to ask again: the first in line when it is its turn, the others halfway,
// each at another time.
func (n *number) askAgain(of Number, class Class, lead types.NamespacedName, ahead int, expected,
	now time.Time) time.Time {
	wait := expected.Sub(now)
	if ahead > 0 {
		part := 0.375 + fraction(lead.Name, uint64(ahead))/4
		spacing := of.Limits.spacing(class)
		soonest := max(min(wait, spacing), time.Duration(ahead)*min(spacing, step))
		wait = max(time.Duration(float64(wait)*part), soonest)
	}
	if wait > maxWait {
		wait = maxWait*3/4 + time.Duration(fraction(lead.Name, 0)*float64(maxWait)/2)
	}
	if wait <= 0 {
		// It only waits for somebody who is about to come back.
		wait = step
	}
	return now.Add(wait)
}

// expected is when a message of a class would be sent, with so many of its class before it.
func (n *number) expected(of Number, class Class, rank int, now time.Time) time.Time {
	at := Earliest(n.history, class, of.Limits, of.FirstConnected, now, of.Location, of.Seed)
	at = instant.Later(at, windowsOpen(n.history, class, of.Limits, now, rank+n.goBefore(of, class, now)))
	if class != First {
		return at
	}
	at = at.Add(time.Duration(rank) * of.Limits.gap())
	if left := n.newLeft(of, now); rank >= left {
		tomorrow := nextDay(now, of.Location).Add(time.Duration(rank-left) * of.Limits.spacing(First))
		at = instant.Later(at, tomorrow)
	}
	return at
}

// newLeft is how many conversations may still be started today.
func (n *number) newLeft(of Number, now time.Time) int {
	return max(of.Limits.NewAllowed(of.FirstConnected, now, of.Location)-newOn(n.history, now, of.Location), 0)
}

// goBefore is how many messages of other classes that wait go before a class. First messages
// that wait for their gap keep their places from being filled by follow-ups, unless the day's
// conversations are used up.
func (n *number) goBefore(of Number, class Class, now time.Time) int {
	switch class {
	case First:
		return len(n.lines[Answer])
	case FollowUp:
		return len(n.lines[Answer]) + n.reserved(of, now)
	default:
		return 0
	}
}

// reserved is how many first messages that wait can be sent within the hour.
func (n *number) reserved(of Number, now time.Time) int {
	if len(n.lines[First]) == 0 {
		return 0
	}
	within := 1 + int(time.Hour/max(of.Limits.GapMin, time.Second))
	return min(len(n.lines[First]), n.newLeft(of, now), within)
}

// yields says whether a lead of a class that goes before this one waits and may be sent now.
func (n *number) yields(of Number, class Class, now time.Time) bool {
	for before := range class {
		if len(n.lines[before]) == 0 || n.opens(before).After(now) {
			continue
		}
		if !Earliest(n.history, before, of.Limits, of.FirstConnected, now, of.Location, of.Seed).After(now) {
			return true
		}
	}
	return false
}
