// Package pace decides when a WhatsApp number may send its next message, so that it is not
// banned, and whose message that is. The decisions are pure functions of what was sent; Pacer
// holds, in the leader's memory, who waits.
package pace

import (
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
)

// The defaults of v1alpha1.InstanceLimits, as documented on its fields.
const (
	DefaultPerMinute   = 20
	DefaultPerHour     = 80
	DefaultNewPerDay   = 200
	DefaultShortestGap = 5 * time.Second
	DefaultLongestGap  = 30 * time.Second
	DefaultWarmUpStart = 20
	DefaultWarmUpDays  = 14
)

// Class is what a message is. A lower one goes first.
type Class int

const (
	// Answer answers a customer who wrote.
	Answer Class = iota
	// First is the first message of a conversation.
	First
	// FollowUp is a later message that nobody asked for.
	FollowUp

	classes = 3
)

// shares are the percentages of the limits that the messages of a class may fill, so that
// there is always room for those that go before them.
var shares = [classes]int{Answer: 100, First: 80, FollowUp: 70}

// Limits are a number's limits with nothing left out. A limit of 0 lets nothing pass.
type Limits struct {
	// PerMinute and PerHour are how many messages of all classes may be sent in any 60
	// seconds, and in any 60 minutes.
	PerMinute, PerHour int
	// NewPerDay is how many conversations may be started in a day of the Store's time zone.
	NewPerDay int
	// GapMin and GapMax are the shortest and the longest pause before a new conversation.
	GapMin, GapMax time.Duration
	// WarmUpStart is how many conversations may be started on the day the number was first
	// connected, WarmUpDays how many days later NewPerDay is reached.
	WarmUpStart, WarmUpDays int
}

// LimitsOf fills the defaults in.
func LimitsOf(spec v1alpha1.InstanceLimits) Limits {
	limits := Limits{
		PerMinute: or(spec.MessagesPerMinute, DefaultPerMinute),
		PerHour:   or(spec.MessagesPerHour, DefaultPerHour),
		NewPerDay: or(spec.NewConversationsPerDay, DefaultNewPerDay),
		GapMin:    DefaultShortestGap, GapMax: DefaultLongestGap,
		WarmUpStart: DefaultWarmUpStart, WarmUpDays: DefaultWarmUpDays,
	}
	if gap := spec.NewConversationGap; gap != nil {
		limits.GapMin, limits.GapMax = gap.Min.Duration, gap.Max.Duration
	}
	if warmUp := spec.WarmUp; warmUp != nil {
		limits.WarmUpStart = or(warmUp.StartPerDay, DefaultWarmUpStart)
		limits.WarmUpDays = or(warmUp.Days, DefaultWarmUpDays)
	}
	return limits
}

func or(value *int32, otherwise int) int {
	if value == nil {
		return otherwise
	}
	return int(*value)
}

// NewAllowed is how many conversations may be started on the local day of now: WarmUpStart
// on the day of firstConnected (and when it is zero, or yet to come), then more with each day.
func (l Limits) NewAllowed(firstConnected, now time.Time, loc *time.Location) int {
	day := 0
	if !firstConnected.IsZero() {
		day = max(daysBetween(firstConnected, now, loc), 0)
	}
	if day >= l.WarmUpDays || l.WarmUpStart >= l.NewPerDay {
		return l.NewPerDay
	}
	return l.WarmUpStart + (l.NewPerDay-l.WarmUpStart)*day/l.WarmUpDays
}

// share is how much of a limit a class may fill: 1 at least, or it could never send.
func share(limit int, class Class) int {
	return max(limit*shares[class]/100, min(limit, 1))
}

// gap is the mean pause between two new conversations.
func (l Limits) gap() time.Duration { return l.GapMin + max(l.GapMax-l.GapMin, 0)/2 }

// spacing is the mean pause between two messages of a class when many wait.
func (l Limits) spacing(class Class) time.Duration {
	pause := max(every(time.Minute, share(l.PerMinute, class)), every(time.Hour, share(l.PerHour, class)))
	if class == First {
		pause = max(pause, l.gap())
	}
	return pause
}

func every(window time.Duration, count int) time.Duration {
	return window / time.Duration(max(count, 1))
}
