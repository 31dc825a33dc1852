package cartrecovery

import (
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/lead"
)

// simulateWeek prints the week; make simulate sets it.
var simulateWeek = flag.Bool("simulate", false, "print what happened in the simulated week")

// TestWeek plays a week of twenty stores and five thousand leads: purchases, answers,
// opt-outs, outages of the gateway and the AI, a number that is logged out, one that is
// restricted, and leaders that change.
func TestWeek(t *testing.T) {
	stores, leads := 20, 5000
	if testing.Short() {
		stores, leads = 4, 400
	}
	began := time.Now()
	start := time.Date(2026, time.March, 2, 3, 0, 0, 0, time.UTC)
	sim := newSimulation(start, 1)
	week := start.Add(7 * 24 * time.Hour)
	sim.answers = sim.customerReacts
	for n := range stores {
		sim.addStore(fmt.Sprintf("store-%02d", n), 1+n%3, weekPolicy(n))
	}
	random := rand.New(rand.NewPCG(1, 2))
	for n := range leads {
		store := sim.stores[random.IntN(stores)]
		// More carts are left by day than by night.
		at := start.Add(time.Duration(random.IntN(7))*24*time.Hour + time.Duration(8+random.NormFloat64()*4)*time.Hour +
			time.Duration(random.IntN(3600))*time.Second)
		if at.Before(start) {
			at = start
		}
		sim.at(at, func() {
			each := sim.addLead(store, fmt.Sprintf("+55119%08d", n))
			if random.IntN(100) < 8 {
				sim.at(at.Add(time.Duration(random.IntN(20))*time.Minute), func() { sim.buys(each) })
			}
		})
	}
	sim.weekOfTrouble(start)
	sim.run(week.Add(4 * 24 * time.Hour))
	for _, fault := range sim.faults {
		t.Error(fault)
	}
	if sim.counts["sent"] < leads/2 {
		t.Errorf("of %d leads only %d messages came", leads, sim.counts["sent"])
	}
	if *simulateWeek {
		sim.summary(os.Stdout, leads, time.Since(began))
	}
}

func weekPolicy(n int) func(*v1alpha1.Store) {
	return func(store *v1alpha1.Store) {
		recovery := &store.Spec.Recovery
		recovery.QuietHours = &v1alpha1.QuietHours{Start: "21:00", End: "08:00"}
		recovery.Sequences = []v1alpha1.Sequence{{Trigger: v1alpha1.TriggerAbandonedCart, Steps: []v1alpha1.Step{
			{Name: "first", After: after(15 * time.Minute)}, {Name: "second", After: after(20 * time.Hour)},
			{Name: "last", After: after(24 * time.Hour)},
		}}}
		if n%2 == 0 {
			recovery.FallbackText = "Oi, {{.Customer.FirstName}}! Posso ajudar com a sua compra?"
		}
		if n%4 == 0 {
			recovery.NumberLost = v1alpha1.NumberLostMove
		}
	}
}

// weekOfTrouble is what goes wrong in the week.
func (sim *simulation) weekOfTrouble(start time.Time) {
	hour := func(h float64) time.Time { return start.Add(time.Duration(h * float64(time.Hour))) }
	sim.at(hour(33), func() { sim.setReady(sim.stores[0], 0, false) })
	sim.at(hour(39), func() { sim.setReady(sim.stores[0], 0, true) })
	sim.at(hour(57), func() { sim.restrict(sim.stores[1], 0, hour(57+24)) })
	for _, store := range sim.stores {
		sim.at(hour(82), func() { sim.goesDown(store, 2*time.Hour) })
		sim.at(hour(106), func() { store.mute = true })
		sim.at(hour(106.5), func() { store.mute = false })
		sim.at(hour(130), func() { store.dumb = true })
		sim.at(hour(133), func() { store.dumb = false })
	}
	for _, at := range []float64{20, 58, 83, 107, 131, 150} {
		sim.at(hour(at), sim.restart)
	}
}

// customerReacts is what customers do about a message.
func (sim *simulation) customerReacts(each *simLead, id string) {
	soon := func(most time.Duration, what func()) {
		sim.at(sim.clock.Now().Add(time.Minute+time.Duration(sim.random.Int64N(int64(most)))), what)
	}
	switch dice := sim.random.IntN(100); {
	case lead.IsNoticeID(id):
	case dice < 3:
		soon(time.Hour, func() { sim.says(each, "PARAR") })
	case dice < 5:
		soon(time.Hour, func() { sim.says(each, "quero falar com um atendente") })
	case dice < 30:
		soon(2*time.Hour, func() { sim.says(each, "Tem desconto?") })
	case dice < 42:
		soon(6*time.Hour, func() { sim.buys(each) })
	case dice < 43:
		soon(time.Hour, func() { sim.takesOver(each) })
	}
}

// summary prints the week.
func (sim *simulation) summary(to io.Writer, leads int, took time.Duration) {
	_, _ = fmt.Fprintf(to, "\nA week of %d stores and %d leads, in %s: %d rules broken\n\n", len(sim.stores), leads,
		took.Round(10*time.Millisecond), len(sim.faults))
	table := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table,
		"STORE\tNUMBERS\tLEADS\tSENT\tBUSIEST HOUR\tNEW PER DAY\tRECOVERED\tCONVERTED\tOPTED "+
			"OUT\tEXPIRED\tFAILED\tHANDED OFF")
	for _, store := range sim.stores {
		phases, handed := map[v1alpha1.Phase]int{}, 0
		sent := 0
		var at []time.Time
		opened := map[string]int{}
		for _, each := range store.leads {
			phases[each.object.Status.Phase]++
			if lead.HandedOff(each.object) {
				handed++
			}
			for i := range each.object.Status.Conversation {
				m := &each.object.Status.Conversation[i]
				if m.Role != v1alpha1.RoleAssistant || m.State != v1alpha1.MessageSent {
					continue
				}
				sent++
				at = append(at, m.At.Time)
			}
			if first := lead.FirstContact(each.object); !first.IsZero() {
				opened[each.object.Status.InstanceRef.Name+first.In(store.policy.Location).Format(time.DateOnly)]++
			}
		}
		most := 0
		for _, count := range opened {
			most = max(most, count)
		}
		_, _ = fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\n", store.store.Name,
			len(store.instances), len(store.leads), sent, busiest(at), most,
			phases[v1alpha1.PhaseRecovered], phases[v1alpha1.PhaseConverted], phases[v1alpha1.PhaseOptedOut],
			phases[v1alpha1.PhaseExpired], phases[v1alpha1.PhaseFailed], handed)
	}
	_ = table.Flush()
	_, _ = fmt.Fprintf(to, "\n%.1f status writes a lead, %.1f passes; %.2f texts a message\n\n",
		float64(sim.counts["writes"])/float64(leads), float64(sim.counts["passes"])/float64(leads),
		float64(sim.counts["texts"])/float64(sim.counts["sent"]))
	var names []string
	for name := range sim.counts {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		_, _ = fmt.Fprintf(to, "%s%s%d\n", name, strings.Repeat(" ", max(1, 34-len(name))), sim.counts[name])
	}
}

// busiest is how many of these times lie within one hour.
func busiest(at []time.Time) int {
	slices.SortFunc(at, time.Time.Compare)
	most, from := 0, 0
	for to := range at {
		for at[to].Sub(at[from]) >= time.Hour {
			from++
		}
		most = max(most, to-from+1)
	}
	return most
}

// TestQueue has a thousand carts left at once, in a store with two slow numbers: they leave
// in turn, and waiting costs next to nothing.
func TestQueue(t *testing.T) {
	leads := 1000
	if testing.Short() {
		leads = 200
	}
	start := time.Date(2026, time.March, 2, 12, 0, 0, 0, time.UTC)
	sim := newSimulation(start, 5)
	store := sim.addStore("shop", 2, func(s *v1alpha1.Store) {
		s.Spec.Recovery.ExpireAfter = &v1alpha1.Duration{Duration: 12 * time.Hour}
	})
	for n := range leads {
		sim.at(start, func() { sim.addLead(store, fmt.Sprintf("+55119%08d", n)) })
	}
	sim.run(start.Add(24 * time.Hour))
	for _, fault := range sim.faults {
		t.Error(fault)
	}
	// 20 new conversations a number and day, on the first day and, of those that expire by
	// midnight, no second.
	if sent := sim.counts["sent"]; sent < 38 || sent > 40 {
		t.Errorf("%d messages left", sent)
	}
	if writes := float64(sim.counts["writes"]) / float64(leads); writes > 6 {
		t.Errorf("%.1f status writes a lead", writes)
	}
	if passes := float64(sim.counts["passes"]) / float64(leads); passes > 60 {
		t.Errorf("%.1f passes a lead", passes)
	}
}

// TestOutageOfSending has the gateway refuse every message while it answers every question:
// the numbers are left alone, and few messages try again.
func TestOutageOfSending(t *testing.T) {
	const leads = 400
	start := time.Date(2026, time.March, 2, 12, 0, 0, 0, time.UTC)
	sim := newSimulation(start, 5)
	store := sim.addStore("shop", 1)
	gen.Unlimited(&store.instances[0])
	store.down = true
	for n := range leads {
		sim.at(start, func() { sim.addLead(store, fmt.Sprintf("+55119%08d", n)) })
	}
	sim.run(start.Add(75 * time.Minute))
	for _, fault := range sim.faults {
		t.Error(fault)
	}
	if writes := sim.counts["writes"]; writes > 2*leads {
		t.Errorf("an hour without sending cost %d status writes", writes)
	}
	store.down = false
	sim.run(start.Add(2 * time.Hour))
	// The AI of the simulation refuses some.
	if sent := sim.counts["sent"]; sent < leads*90/100 {
		t.Errorf("an hour later %d messages of %d had left", sent, leads)
	}
}
