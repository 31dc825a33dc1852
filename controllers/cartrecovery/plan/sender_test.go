package plan

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/pace"
	"cartrecovery.dev/operator/internal/policy"
)

// TestIsLost: a number is lost that is gone, or that was logged out for ten minutes, and not one that is only away.
func TestIsLost(t *testing.T) {
	const since = -LostAfter
	out := func(reason string, since time.Duration,
		mods ...func(*v1alpha1.WhatsAppInstance)) *v1alpha1.WhatsAppInstance {
		number := changedBut(numberWith(gen.Instance, metav1.ConditionFalse, reason, since), mods...)
		return &number
	}
	deleted := func(i *v1alpha1.WhatsAppInstance) { i.DeletionTimestamp = &metav1.Time{Time: gen.T0} }
	unknown := func(i *v1alpha1.WhatsAppInstance) { i.Status.Conditions = nil }
	for name, row := range map[string]struct {
		number *v1alpha1.WhatsAppInstance
		want   bool
	}{
		"gone":                         {nil, true},
		"being deleted":                {out(v1alpha1.ReasonConnected, 0, deleted), true},
		"nothing is known of it":       {out("", 0, unknown), false},
		"logged out for ten minutes":   {out(v1alpha1.ReasonLoggedOut, since), true},
		"for a second less":            {out(v1alpha1.ReasonLoggedOut, since+time.Second), false},
		"nobody paired it":             {out(v1alpha1.ReasonPairingTimedOut, since), true},
		"the gateway knows it not":     {out(v1alpha1.ReasonGatewayUnauthorized, since), true},
		"it sends nothing":             {out(v1alpha1.ReasonNotSending, since), true},
		"it is not connected":          {out(v1alpha1.ReasonNotConnected, since), false},
		"it is being paired":           {out(v1alpha1.ReasonPairing, since), false},
		"it has always been connected": {out(v1alpha1.ReasonConnected, since), false},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(row.want, isLost(row.number, gen.T0)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestMostFree: a conversation begins on the number that may start one first, then on that with the most room, and
// leaves the line it waits in only for one that is clearly earlier.
func TestMostFree(t *testing.T) {
	for name, row := range map[string]struct {
		// free is when each may start, after now; room how many today.
		free    map[string]time.Duration
		room    map[string]int
		waitsAt string
		want    string
	}{
		"the first by name where all is alike": {nil, nil, "", "a"},
		"the one that is free first": {
			map[string]time.Duration{"a": 2 * time.Second, "c": time.Second, "b": 3 * time.Second}, nil, "", "c",
		},
		"the one with the most room": {nil, map[string]int{"a": 1, "b": 5, "c": 3}, "", "b"},
		"what has been free for longer is no earlier": {
			map[string]time.Duration{"a": -time.Hour, "b": -time.Minute, "c": 0}, map[string]int{"c": 1}, "", "c",
		},
		"it stays in its line": {map[string]time.Duration{"c": 2*time.Minute - time.Second}, nil, "c", "c"},
		"and leaves it for one that is two minutes earlier": {
			map[string]time.Duration{"c": 2 * time.Minute}, nil, "c", "a",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := (&planCase{instances: []v1alpha1.WhatsAppInstance{
				numberWith("b", metav1.ConditionTrue, v1alpha1.ReasonConnected, 0),
				numberWith("a", metav1.ConditionTrue, v1alpha1.ReasonConnected, 0),
				numberWith("c", metav1.ConditionTrue, v1alpha1.ReasonConnected, 0),
				numberWith("off", metav1.ConditionFalse, v1alpha1.ReasonLoggedOut, 0),
			}}).snapshot()
			for i := range s.Instances {
				each := &s.Instances[i]
				if each.UID = "uid-"; each.Name == row.waitsAt {
					each.UID, s.WaitsAt = "here", "here"
				}
			}
			s.Capacity = func(i *v1alpha1.WhatsAppInstance, _ time.Time) Capacity {
				return Capacity{Free: s.Now.Add(row.free[i.Name]), Left: row.room[i.Name]}
			}
			best := s.mostFree(s.Now, true)
			if best == nil {
				t.Fatal("there is no number")
			}
			if diff := cmp.Diff(row.want, best.Name); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestMovesTo: only a conversation that has begun can move.
func TestMovesTo(t *testing.T) {
	sent := gen.FromUs(gen.FirstID, v1alpha1.MessageSent, gen.T0)
	second := numberWith("second", metav1.ConditionTrue, v1alpha1.ReasonConnected, 0)
	for name, row := range map[string]struct {
		lead []gen.LeadMod
		to   *v1alpha1.WhatsAppInstance
		want bool
	}{
		"nobody wrote":                    {nil, &second, false},
		"only the customer wrote":         {[]gen.LeadMod{gen.FromCustomer("m1", gen.T0)}, &second, false},
		"it stays":                        {[]gen.LeadMod{sent}, gen.InstanceObject(), false},
		"it moves":                        {[]gen.LeadMod{sent}, &second, true},
		"the cycle before was on another": {[]gen.LeadMod{sent, nextCycle}, &second, false},
		"then the customer wrote to it": {
			[]gen.LeadMod{sent, nextCycle, gen.FromCustomer("m1", gen.T0), on(inCycle(1))}, &second, true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := (&planCase{lead: row.lead}).snapshot()
			if diff := cmp.Diff(row.want, MovesTo(&s, row.to)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestNoticeSender: a notice leaves from the conversation's number, before the first message of the store from the
// one that the customer wrote to or, when that cannot send, from any that can.
func TestNoticeSender(t *testing.T) {
	sent, asks := gen.FromUs(gen.FirstID, v1alpha1.MessageSent, gen.T0), gen.FromCustomer("m1", gen.T0)
	can := func(name string, mods ...func(*v1alpha1.WhatsAppInstance)) v1alpha1.WhatsAppInstance {
		return changedBut(numberWith(name, metav1.ConditionTrue, v1alpha1.ReasonConnected, 0), mods...)
	}
	off := func(name string) v1alpha1.WhatsAppInstance {
		return numberWith(name, metav1.ConditionFalse, v1alpha1.ReasonLoggedOut, 0)
	}
	paused := func(i *v1alpha1.WhatsAppInstance) {
		i.Status.NewConversationsPausedUntil = &metav1.Time{Time: gen.T0.Add(time.Hour)}
	}
	type numbers = []v1alpha1.WhatsAppInstance
	wroteTo := []gen.LeadMod{asks, on(atNumber("b"))}
	for name, row := range map[string]struct {
		lead    []gen.LeadMod
		numbers numbers
		want    string
	}{
		"the conversation's": {
			[]gen.LeadMod{sent, asks}, numbers{can("a"), can(gen.Instance)}, gen.Instance,
		},
		"although the customer wrote to another": {
			[]gen.LeadMod{sent, asks, on(atNumber("a"))}, numbers{can("a"), can(gen.Instance)}, gen.Instance,
		},
		"although it cannot send": {
			[]gen.LeadMod{sent, asks}, numbers{can("a"), off(gen.Instance)}, gen.Instance,
		},
		"the one that they wrote to":               {wroteTo, numbers{can("a"), can("b")}, "b"},
		"also one that may start no conversations": {wroteTo, numbers{can("a"), can("b", paused)}, "b"},
		"another when that cannot send":            {wroteTo, numbers{can("a"), off("b")}, "a"},
		"another when that is gone":                {wroteTo, numbers{can("a")}, "a"},
		"any that can":                             {[]gen.LeadMod{asks}, numbers{off("a"), can("b")}, "b"},
		"any that may start no conversations":      {[]gen.LeadMod{asks}, numbers{off("a"), can("b", paused)}, "b"},
		"none":                                     {[]gen.LeadMod{asks}, numbers{off("a"), off("b")}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := (&planCase{lead: row.lead, instances: row.numbers}).snapshot()
			from := ""
			if sender := noticeSender(&s); sender != nil {
				from = sender.Name
			}
			if diff := cmp.Diff(row.want, from); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestPlacesInTheLine: who wrote to us is answered before anybody is written to first, and steps come last. A
// conversation that moves is a first message for its new number.
func TestPlacesInTheLine(t *testing.T) {
	const hour = time.Hour
	sent, asks := gen.FromUs(gen.FirstID, v1alpha1.MessageSent, gen.T0.Add(gen.FirstDue)), gen.FromCustomer("m1",
		gen.T0.Add(hour))
	answerAt := hour + policy.DefaultReplyDebounce
	steps := []v1alpha1.Step{{Name: "first"}, {Name: "second", After: v1alpha1.Duration{Duration: hour}}}
	lost := numberWith(gen.Instance, metav1.ConditionFalse, v1alpha1.ReasonLoggedOut, -hour)
	second := numberWith("second", metav1.ConditionTrue, v1alpha1.ReasonConnected, 0)
	for name, row := range map[string]struct {
		planCase
		want pace.Class
	}{
		"a first message":    {planCase{now: gen.FirstDue}, pace.First},
		"a second":           {planCase{now: 2 * hour, lead: []gen.LeadMod{sent}, steps: steps}, pace.FollowUp},
		"an answer":          {planCase{now: answerAt, lead: []gen.LeadMod{sent, asks}}, pace.Answer},
		"an answer to a new": {planCase{now: answerAt, lead: []gen.LeadMod{asks}}, pace.Answer},
		"a notice": {planCase{now: answerAt, lead: []gen.LeadMod{sent, gen.Says("m1", "PARAR", gen.T0.Add(hour))}},
			pace.Answer},
		"an answer that moves": {planCase{now: answerAt, lead: []gen.LeadMod{sent, asks},
			instances: []v1alpha1.WhatsAppInstance{lost, second},
			with:      func(s *Snapshot) { s.Policy.NumberLost = v1alpha1.NumberLostMove }}, pace.First},
	} {
		t.Run(name, func(t *testing.T) {
			row.text = ready()
			got := Next(row.snapshot())
			if got.Kind != Send {
				t.Fatalf("%s of %q, want a message", got.Kind, got.Message.ID)
			}
			if diff := cmp.Diff(row.want, got.Message.Class); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
