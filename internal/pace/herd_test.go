package pace_test

import (
	"container/heap"
	"fmt"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
	clocktesting "k8s.io/utils/clock/testing"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/pace"
)

// alarms are the leads that come back, the next one first. One that is woken is in it twice.
type alarms []alarm

type alarm struct {
	lead int
	at   time.Time
}

func (a alarms) Len() int           { return len(a) }
func (a alarms) Less(i, j int) bool { return a[i].at.Before(a[j].at) }
func (a alarms) Swap(i, j int)      { a[i], a[j] = a[j], a[i] }
func (a *alarms) Push(x any)        { *a = append(*a, x.(alarm)) }
func (a *alarms) Pop() any {
	last := (*a)[len(*a)-1]
	*a = (*a)[:len(*a)-1]
	return last
}

// crowd is many leads that wait for one number and do as they are told.
type crowd struct {
	*desk
	names  []types.NamespacedName
	number map[types.NamespacedName]int
	class  func(lead int) pace.Class
	back   []time.Time
	alarms alarms
	asks   int
	// perSecond counts how often was asked in each second.
	perSecond map[int64]int
	went      []int
}

func newCrowd(t testing.TB, count int, class func(int) pace.Class) *crowd {
	c := &crowd{desk: open(t), class: class, number: map[types.NamespacedName]int{}, perSecond: map[int64]int{},
		back: make([]time.Time, count)}
	c.of.Limits = pace.LimitsOf(v1alpha1.InstanceLimits{})
	c.of.FirstConnected = noon.AddDate(-1, 0, 0)
	for i := range count {
		c.names = append(c.names, key(fmt.Sprintf("lead-%05d", i)))
		c.number[c.names[i]] = i
	}
	return c
}

// register has all leads ask within some seconds, in no order; then counting starts.
func (c *crowd) register() {
	c.Open(instance)
	for i := range c.names {
		if i%500 == 0 {
			c.forward(time.Second)
		}
		c.come(i * 7919 % len(c.names))
	}
	c.asks, c.perSecond = 0, map[int64]int{}
}

// come has a lead ask, and go when it may. The lead of a higher number is due later.
func (c *crowd) come(lead int) {
	c.asks++
	c.perSecond[c.clock.Now().Unix()]++
	turn := c.Request(instance, c.of, c.names[lead], c.class(lead), noon.Add(time.Duration(lead)*time.Second))
	if turn.Now {
		if !c.Acquire(instance, c.of, c.names[lead], c.class(lead), c.clock.Now()) {
			c.t.Fatalf("lead %d may go and cannot take", lead)
		}
		c.went = append(c.went, lead)
		c.back[lead] = time.Time{}
	} else {
		c.setAlarm(lead, turn.At)
	}
	for len(c.Woken()) > 0 {
		woken := <-c.Woken()
		called := c.number[types.NamespacedName{Namespace: woken.Object.Namespace, Name: woken.Object.Name}]
		if !c.back[called].IsZero() {
			c.setAlarm(called, c.clock.Now())
		}
	}
}

func (c *crowd) setAlarm(lead int, at time.Time) {
	c.back[lead] = at
	heap.Push(&c.alarms, alarm{lead: lead, at: at})
}

// leave has a lead give up, as when the customer buys.
func (c *crowd) leave(lead int) {
	c.back[lead] = time.Time{}
	c.Forget(c.names[lead])
}

// until has all come back as they were told, until a time.
func (c *crowd) until(end time.Time) {
	for len(c.alarms) > 0 && !c.alarms[0].at.After(end) {
		next := heap.Pop(&c.alarms).(alarm)
		if !c.back[next.lead].Equal(next.at) {
			continue
		}
		if next.at.After(c.clock.Now()) {
			c.clock.SetTime(next.at)
		}
		c.come(next.lead)
	}
	c.clock.SetTime(end)
}

func (c *crowd) mostPerSecond() int {
	most := 0
	for _, asks := range c.perSecond {
		most = max(most, asks)
	}
	return most
}

// Ten thousand first messages wait for one number: they go in order and as fast as they may,
// and hardly anybody asks in vain.
func TestNoThunderingHerd(t *testing.T) {
	const count = 10_000
	c := newCrowd(t, count, func(int) pace.Class { return pace.First })
	c.register()
	c.until(noon.Add(13*time.Hour - time.Second))
	// The day's 200, and from midnight on the hour's 64.
	if len(c.went) != 264 {
		t.Errorf("%d went", len(c.went))
	}
	for i, lead := range c.went {
		if i != lead {
			t.Fatalf("lead %d went as number %d", lead, i)
		}
	}
	if most := c.mostPerSecond(); most > 60 {
		t.Errorf("%d asked within a second", most)
	}
	if perLead := c.asks / count; perLead > 20 {
		t.Errorf("each asked %d times in 13 hours", perLead)
	}
	t.Logf("%d went, %d asks, at most %d a second", len(c.went), c.asks, c.mostPerSecond())
}

// When most of those ahead give up, nobody sleeps through a turn.
func TestTurnsAreNotSleptThrough(t *testing.T) {
	c := newCrowd(t, 2000, func(int) pace.Class { return pace.First })
	c.of.Limits.NewPerDay = 100_000
	c.register()
	c.until(noon.Add(time.Hour))
	before := len(c.went)
	for lead := range 1990 {
		if !c.back[lead].IsZero() {
			c.leave(lead)
		}
	}
	c.come(1999) // Whoever comes next hears who is called.
	c.until(noon.Add(2 * time.Hour))
	if got := len(c.went) - before; got != 10 {
		t.Errorf("%d of the 10 that stayed went within the hour", got)
	}
}

// Answers, first messages and follow-ups that are due together go in this order, and the
// follow-ups, too, in the end.
func TestCatchesUpInOrder(t *testing.T) {
	c := newCrowd(t, 150, func(lead int) pace.Class { return pace.Class((lead + 1) % 3) })
	c.register()
	c.until(noon.Add(6 * time.Hour))
	if len(c.went) != 150 {
		t.Fatalf("%d of 150 went", len(c.went))
	}
	place := map[pace.Class]int{}
	for at, lead := range c.went {
		place[c.class(lead)] += at
	}
	if !(place[pace.Answer] < place[pace.First] && place[pace.First] < place[pace.FollowUp]) {
		t.Errorf("mean places %v", place)
	}
}

func BenchmarkAsk(b *testing.B) {
	for _, count := range []int{10, 10_000, 100_000} {
		b.Run(fmt.Sprint(count), func(b *testing.B) {
			c := newCrowd(b, count, func(lead int) pace.Class { return pace.Class(lead % 3) })
			c.register()
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				lead := i * 7919 % count
				c.Request(instance, c.of, c.names[lead], c.class(lead), noon.Add(time.Duration(lead)*time.Second))
			}
		})
	}
}

// A lead that comes and goes moves all behind it.
func BenchmarkAskAndForget(b *testing.B) {
	c := newCrowd(b, 10_000, func(int) pace.Class { return pace.First })
	c.register()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		lead := i * 7919 % 10_000
		c.Forget(c.names[lead])
		c.Request(instance, c.of, c.names[lead], pace.First, noon.Add(time.Duration(lead)*time.Second))
	}
}

func BenchmarkEarliest(b *testing.B) {
	var history []pace.Sent
	for i := range 400 {
		history = append(history, pace.Sent{At: noon.Add(time.Duration(i-400) * time.Minute), New: i%2 == 0})
	}
	limits := pace.LimitsOf(v1alpha1.InstanceLimits{})
	b.ReportAllocs()
	for b.Loop() {
		pace.Earliest(history, pace.First, limits, time.Time{}, noon, saoPaulo, "seed")
	}
}

func BenchmarkSeed(b *testing.B) {
	pacer := pace.NewPacer(clocktesting.NewFakePassiveClock(noon), 0)
	history := make([]pace.Sent, 2000)
	for i := range history {
		history[i] = pace.Sent{At: noon.Add(time.Duration(i-2000) * time.Second), New: true, Lead: key(fmt.Sprint(i))}
	}
	b.ReportAllocs()
	for b.Loop() {
		pacer.Seed(instance, history)
	}
}
