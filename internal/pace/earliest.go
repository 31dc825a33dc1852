package pace

import (
	"encoding/binary"
	"hash/fnv"
	"slices"
	"sort"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/instant"
	"cartrecovery.dev/operator/internal/lead"
)

const (
	// HistoryLength is how far back what was sent is needed: the longest day.
	HistoryLength = 25 * time.Hour
	// never is how far off a message is that a limit of 0 keeps back; limits can be changed.
	never = 24 * time.Hour
)

// Sent is a message that was handed to the gateway, or may have been.
type Sent struct {
	// At is when it was claimed, in whole microseconds, as the API keeps it.
	At time.Time
	// New: it started a conversation.
	New bool
	// Lead it belongs to.
	Lead types.NamespacedName
	// Claimed: it is not known yet whether the gateway took it.
	Claimed bool
}

// HistoryOf is what the leads, all of one namespace, tell was sent from an instance since a
// time, oldest first. A message whose outcome is unknown counts. Where a message does not say
// which instance it was sent from, it counts at the one its lead is on.
func HistoryOf(leads []v1alpha1.CartRecovery, instance string, since time.Time) []Sent {
	var history []Sent
	for i := range leads {
		history = appendSent(history, &leads[i], instance, since)
	}
	sortHistory(history)
	return history
}

func appendSent(history []Sent, recovery *v1alpha1.CartRecovery, instance string, since time.Time) []Sent {
	// last is the cycle and the number of the message before: what follows from another one
	// starts a conversation.
	lastCycle, lastFrom := int32(-1), ""
	for i := range recovery.Status.Conversation {
		message := &recovery.Status.Conversation[i]
		if !lead.MayHaveGone(message) {
			continue
		}
		from := sentFrom(recovery, message)
		if from == instance && !message.At.Before(since) {
			history = append(history, Sent{
				At: message.At.UTC(), New: opens(message, lastCycle, from != lastFrom && lastFrom != ""),
				Claimed: message.State == v1alpha1.MessageClaimed,
				Lead:    types.NamespacedName{Namespace: recovery.Namespace, Name: recovery.Name},
			})
		}
		lastCycle, lastFrom = message.Cycle, from
	}
	return history
}

// opens says whether a message started a conversation: the first step of a cycle, or the first
// message from another number.
func opens(message *v1alpha1.Message, lastCycle int32, moved bool) bool {
	if message.Cycle != lastCycle {
		return message.Step != ""
	}
	return moved
}

func sentFrom(recovery *v1alpha1.CartRecovery, message *v1alpha1.Message) string {
	if message.Instance == "" && recovery.Status.InstanceRef != nil {
		return recovery.Status.InstanceRef.Name
	}
	return message.Instance
}

// sortHistory puts the oldest first, in one order whatever the order of the leads.
func sortHistory(history []Sent) {
	slices.SortStableFunc(history, func(a, b Sent) int {
		if order := a.At.Compare(b.At); order != 0 {
			return order
		}
		return compareNames(a.Lead, b.Lead)
	})
}

func compareNames(a, b types.NamespacedName) int {
	if order := strings.Compare(a.Namespace, b.Namespace); order != 0 {
		return order
	}
	return strings.Compare(a.Name, b.Name)
}

// Earliest is when the next message of a class may be sent after a history, oldest first; now when at once. Of any 60
// seconds and any 60 minutes at most the class's share of the limit is filled; conversations are counted by the
// calendar days of loc (nil is UTC) and keep a gap that is drawn from the seed and the last one's time, so that whoever
// asks, also after a restart, draws the same. A message dated in the future counts at its own time.
func Earliest(history []Sent, class Class, limits Limits, firstConnected, now time.Time, loc *time.Location,
	seed string) time.Time {
	at := instant.Later(now, windowsOpen(history, class, limits, now, 0))
	if class != First {
		return at
	}
	if last := lastNew(history); !last.IsZero() {
		at = instant.Later(at, last.Add(drawGap(limits, seed, last)))
	}
	return dayWithRoom(history, limits, firstConnected, at, loc)
}

// windowsOpen is when a message may be sent, as to the limits per minute and hour, once so
// many others have been sent as soon as they may be.
func windowsOpen(history []Sent, class Class, limits Limits, now time.Time, ahead int) time.Time {
	return instant.Later(
		windowOpens(history, share(limits.PerMinute, class), time.Minute, now, ahead),
		windowOpens(history, share(limits.PerHour, class), time.Hour, now, ahead),
	)
}

// windowOpens looks at the message that is count before the next one: the next may be sent
// when that one leaves the window. Where it is one of those ahead, it is itself sent when the
// one that is count before it leaves the window, and so on.
func windowOpens(history []Sent, count int, window time.Duration, now time.Time, ahead int) time.Time {
	if count < 1 {
		return now.Add(never)
	}
	before, rounds := len(history)+ahead-count, 1
	if over := before - len(history); over >= 0 {
		more := over/count + 1
		before, rounds = before-more*count, rounds+more
	}
	if before < 0 {
		return now.Add(time.Duration(rounds-1) * window)
	}
	return instant.Later(history[before].At.Add(window), now).Add(time.Duration(rounds-1) * window)
}

// lastNew is when the last conversation was started; zero when none was.
func lastNew(history []Sent) time.Time {
	for _, sent := range slices.Backward(history) {
		if sent.New {
			return sent.At
		}
	}
	return time.Time{}
}

// drawGap is the pause after the conversation that was started last.
func drawGap(limits Limits, seed string, last time.Time) time.Duration {
	spread := limits.GapMax - limits.GapMin
	if spread <= 0 {
		return limits.GapMin
	}
	drawn := fraction(seed, uint64(last.UnixMicro()))
	return limits.GapMin + time.Duration(drawn*float64(spread))
}

// fraction is a number in [0,1) that a text and a number always give.
func fraction(text string, number uint64) float64 {
	sum := fnv.New64a()
	_, _ = sum.Write(binary.BigEndian.AppendUint64([]byte(text), number))
	mixed := sum.Sum64()
	// FNV hardly carries its last bytes into the high bits.
	mixed ^= mixed >> 33
	mixed *= 0xff51afd7ed558ccd
	mixed ^= mixed >> 33
	return float64(mixed>>11) / (1 << 53)
}

// dayWithRoom is at, or the beginning of the first later day on which a conversation may be
// started.
func dayWithRoom(history []Sent, limits Limits, firstConnected, at time.Time, loc *time.Location) time.Time {
	// What was sent can fill today and, by a clock that was set back, tomorrow.
	for range 3 {
		if newOn(history, at, loc) < limits.NewAllowed(firstConnected, at, loc) {
			break
		}
		at = nextDay(at, loc)
	}
	return at
}

// newOn counts the conversations started on the local day of a time.
func newOn(history []Sent, at time.Time, loc *time.Location) int {
	begin, end := startOfDay(at, loc), nextDay(at, loc)
	first := sort.Search(len(history), func(i int) bool { return !history[i].At.Before(begin) })
	count := 0
	for i := first; i < len(history) && history[i].At.Before(end); i++ {
		if history[i].New {
			count++
		}
	}
	return count
}
