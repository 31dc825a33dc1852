package cartrecovery

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clocktesting "k8s.io/utils/clock/testing"
	"k8s.io/utils/ptr"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/failure"
	"cartrecovery.dev/operator/internal/gateway"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/heartbeat"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/ledger"
	"cartrecovery.dev/operator/internal/policy"
)

// restoredWhen is a lead that was restored so long after it was abandoned and received.
func restoredWhen(after time.Duration) gen.LeadMod {
	return func(l *v1alpha1.CartRecovery) {
		at := v1alpha1.NewTimestamp(gen.T0)
		l.Spec.ReceivedAt, l.CreationTimestamp = &at, metav1.NewTime(gen.T0.Add(after))
	}
}

func tells(entries ...v1alpha1.LedgerEntry) func(*situation) {
	return func(s *situation) { s.ledger = entries }
}

func noted(event v1alpha1.LedgerEvent, after time.Duration) v1alpha1.LedgerEntry {
	made := v1alpha1.LedgerEntry{Lead: "hotmart-lead", Event: event, At: v1alpha1.NewTimestamp(gen.T0.Add(after))}
	if event == v1alpha1.LedgerSent {
		made.Step, made.Instance = policy.DefaultStepName, gen.Instance
	}
	return made
}

// proves is a process that began to lead at a time, and what it knows of the message.
func proves(led, held time.Duration, known proof) func(*situation) {
	return func(s *situation) {
		s.began.Led = gen.T0.Add(led)
		if held != 0 {
			s.began.Held = gen.T0.Add(held)
		}
		s.proof = func(string) proof { return known }
	}
}

func both(all ...func(*situation)) func(*situation) {
	return func(s *situation) {
		for _, each := range all {
			each(s)
		}
	}
}

func restoredCases() []planCase {
	const hour = time.Hour
	unsure := proof{state: proofUnsure, until: gen.T0.Add(3 * hour)}
	never := proof{state: proofUnsure, until: gen.T0.Add(3 * hour), never: true}
	found := proof{state: proofFound, at: gen.T0.Add(gen.FirstDue), gatewayID: "g1"}
	says := func(at time.Duration) func(*situation) {
		return func(s *situation) {
			metav1.SetMetaDataAnnotation(&s.store.ObjectMeta, v1alpha1.AnnotationRestoreAcknowledged, gen.T0.Add(at).Format(time.RFC3339))
		}
	}
	// holds is a certain restore so long after t0, none before it.
	holds := func(restored, length time.Duration) func(*situation) {
		return func(s *situation) {
			s.restoreHold = length
			if restored >= 0 {
				s.began.Restored = gen.T0.Add(restored)
			}
		}
	}
	sent := gen.FromUs(gen.FirstID, v1alpha1.MessageSent, gen.T0.Add(gen.FirstDue))
	worked := done(v1alpha1.ReasonUnanswered, gen.T0.Add(hour))
	return []planCase{
		// A lead that came back.
		{name: "a restored lead waits for the rest of the backup", now: 2*hour + time.Minute, text: ready(), lead: []gen.LeadMod{restoredWhen(2 * hour)},
			want: wait, until: 2*hour + settleRestored, blocked: v1alpha1.ReasonRestoredFromBackup},
		{name: "also one that was bought", now: 2*hour + time.Minute, lead: []gen.LeadMod{restoredWhen(2 * hour), gen.Bought(gen.T0.Add(hour))},
			want: wait, until: 2*hour + settleRestored, blocked: v1alpha1.ReasonRestoredFromBackup},
		{name: "what the ledger knows of it is written first", now: 2*hour + time.Minute, lead: []gen.LeadMod{restoredWhen(2 * hour), gen.Bought(gen.T0.Add(hour))},
			with: tells(noted(v1alpha1.LedgerSent, gen.FirstDue)), want: rebuild},
		{name: "also of one that an earlier version made", now: 2 * hour, lead: []gen.LeadMod{func(l *v1alpha1.CartRecovery) { l.CreationTimestamp = metav1.NewTime(gen.T0.Add(hour)) }},
			with: tells(noted(v1alpha1.LedgerSent, gen.FirstDue)), want: rebuild},
		{name: "a status that came back with it stands", now: 2 * hour, lead: []gen.LeadMod{restoredWhen(2 * hour), sent, worked},
			with: tells(noted(v1alpha1.LedgerSent, gen.FirstDue)), want: wait},
		{name: "but not without what was sent since", now: 2 * hour, lead: []gen.LeadMod{worked, func(l *v1alpha1.CartRecovery) { l.Status.CompletionTime = nil }},
			with: tells(noted(v1alpha1.LedgerSent, gen.FirstDue)), want: rebuild},
		{name: "a new lead of a name that was deleted is its own", now: gen.FirstDue, text: ready(), lead: []gen.LeadMod{restoredWhen(0)},
			with: tells(noted(v1alpha1.LedgerSent, -hour), noted(v1alpha1.LedgerEnded, -hour)), want: send, message: gen.FirstID},

		// Its messages.
		{name: "a restored lead is asked for at the gateway", now: 2*hour + settleRestored, text: ready(), lead: []gen.LeadMod{restoredWhen(2 * hour)},
			with: proves(0, 0, proof{}), want: verify, message: gen.FirstID},
		{name: "and then written to", now: 2*hour + settleRestored, text: ready(), lead: []gen.LeadMod{restoredWhen(2 * hour)},
			with: proves(0, 0, proof{state: proofNotFound}), want: send, message: gen.FirstID},
		{name: "or not", now: 2*hour + settleRestored, text: ready(), lead: []gen.LeadMod{restoredWhen(2 * hour)}, with: proves(0, 0, found), want: verify, message: gen.FirstID},
		{name: "it waits for a gateway that could not tell", now: 2*hour + settleRestored, text: ready(), lead: []gen.LeadMod{restoredWhen(2 * hour)},
			with: proves(0, 0, unsure), want: wait, until: 3 * hour, blocked: v1alpha1.ReasonRestoredFromBackup},
		{name: "and for a person, where that never can", now: 2*hour + settleRestored, text: ready(), lead: []gen.LeadMod{restoredWhen(2 * hour)},
			with: proves(0, 0, never), want: wait, until: gen.ExpiresAt, blocked: v1alpha1.ReasonRestoredFromBackup},
		{name: "who says go", now: 2*hour + settleRestored, text: ready(), lead: []gen.LeadMod{restoredWhen(2 * hour)},
			with: both(proves(0, 0, never), says(2*hour)), want: send, message: gen.FirstID},
		{name: "but not before that restore", now: 2*hour + settleRestored, text: ready(), lead: []gen.LeadMod{restoredWhen(2 * hour)},
			with: both(proves(0, 0, never), says(hour)), want: wait, blocked: v1alpha1.ReasonRestoredFromBackup},

		// A pause after a restore that is certain.
		{name: "nothing is sent for a while after a restore", now: hour, text: ready(), with: both(proves(0, 0, proof{state: proofNotFound}), holds(hour, 2*hour)),
			want: wait, until: 3 * hour, blocked: v1alpha1.ReasonRestoredFromBackup},
		{name: "nor an answer", now: 2 * hour, text: ready(), lead: []gen.LeadMod{sent, gen.FromCustomer("m1", gen.T0.Add(hour))},
			with: both(proves(0, 0, proof{state: proofNotFound}), holds(hour, 2*hour)), want: wait, until: 3 * hour, blocked: v1alpha1.ReasonRestoredFromBackup},
		{name: "nor to a lead that was restored", now: 2*hour + settleRestored, text: ready(), lead: []gen.LeadMod{restoredWhen(2 * hour)},
			with: both(proves(0, 0, proof{state: proofNotFound}), holds(-1, hour)), want: wait, until: 3 * hour, blocked: v1alpha1.ReasonRestoredFromBackup},
		{name: "unless a person says go", now: hour, text: ready(), with: both(proves(0, 0, proof{state: proofNotFound}), holds(hour, 2*hour), says(hour)),
			want: send, message: gen.FirstID},
		{name: "or the while is over", now: 3 * hour, text: ready(), with: both(proves(0, 0, proof{state: proofNotFound}), holds(hour, 2*hour)), want: send, message: gen.FirstID},
		{name: "or none is asked for", now: hour, text: ready(), with: both(proves(0, 0, proof{state: proofNotFound}), holds(hour, 0)), want: send, message: gen.FirstID},
		{name: "or nothing was restored", now: hour, text: ready(), with: both(proves(0, 0, proof{state: proofNotFound}), holds(-1, 2*hour)), want: send, message: gen.FirstID},

		// A cluster that came back, and a process that is new.
		{name: "what was due before the process is asked for", now: hour, text: ready(), with: proves(hour, 0, proof{}), want: verify, message: gen.FirstID},
		{name: "what is due after it is not", now: hour, text: ready(), with: proves(gen.FirstDue-time.Second, 0, proof{}), want: send, message: gen.FirstID},
		{name: "a failover goes on without the gateway's word", now: hour, text: ready(), with: proves(hour, 0, unsure), want: send, message: gen.FirstID},
		{name: "a restored cluster does not", now: hour, text: ready(), with: proves(hour, hour, unsure), want: wait, until: 3 * hour, blocked: v1alpha1.ReasonRestoredFromBackup},
		{name: "without a person's", now: hour, text: ready(), with: both(proves(hour, hour, never), says(hour)), want: send, message: gen.FirstID},
		{name: "what was due after the restore is sent", now: hour, text: ready(), with: proves(gen.FirstDue-time.Second, gen.FirstDue-time.Second, never), want: send, message: gen.FirstID},
		{name: "a turn is waited for without being blocked", now: hour, text: ready(), with: proves(hour, hour, proof{state: proofWaiting, until: gen.T0.Add(hour + time.Second)}), want: wait, until: hour + time.Second},
		{name: "answers as well", now: 2 * hour, text: ready(), lead: []gen.LeadMod{sent, gen.FromCustomer("m1", gen.T0.Add(hour))}, with: proves(2*hour, 2*hour, proof{}), want: verify, message: lead.ReplyID(0, "m1")},
		{name: "what this process sent is known without asking", now: 2 * hour, text: ready(), lead: []gen.LeadMod{func(l *v1alpha1.CartRecovery) { l.CreationTimestamp = metav1.NewTime(gen.T0) }},
			with: proves(0, 0, found), want: verify, message: gen.FirstID},
		{name: "but not for a lead that was made later", now: 2 * hour, text: ready(), lead: []gen.LeadMod{func(l *v1alpha1.CartRecovery) { l.CreationTimestamp = metav1.NewTime(gen.T0.Add(hour)) }},
			with: proves(0, 0, found), want: send, message: gen.FirstID},
	}
}

func TestRebuilt(t *testing.T) {
	const hour = time.Hour
	ended := noted(v1alpha1.LedgerEnded, 2*hour)
	ended.Reason = v1alpha1.ReasonBoughtAfterContact
	taken := noted(v1alpha1.LedgerHandedOff, hour)
	taken.Reason = v1alpha1.ReasonCustomerAsked
	sent, heard := noted(v1alpha1.LedgerSent, gen.FirstDue), noted(v1alpha1.LedgerHeard, hour)
	for name, test := range map[string]struct {
		lead    []gen.LeadMod
		entries []v1alpha1.LedgerEntry
		phase   v1alpha1.Phase
		next    kind
	}{
		"sent":                       {nil, []v1alpha1.LedgerEntry{sent}, v1alpha1.PhaseContacted, wait},
		"heard":                      {nil, []v1alpha1.LedgerEntry{heard, sent}, v1alpha1.PhaseEngaged, wait},
		"claimed to have paid":       {nil, []v1alpha1.LedgerEntry{sent, heard, noted(v1alpha1.LedgerClaimedPaid, hour)}, v1alpha1.PhaseEngaged, handOver},
		"handed off":                 {nil, []v1alpha1.LedgerEntry{sent, heard, taken}, v1alpha1.PhaseEngaged, wait},
		"recovered":                  {[]gen.LeadMod{gen.Bought(gen.T0.Add(2 * hour))}, []v1alpha1.LedgerEntry{sent, ended}, v1alpha1.PhaseRecovered, wait},
		"bought before it was known": {[]gen.LeadMod{gen.Bought(gen.T0.Add(2 * hour))}, []v1alpha1.LedgerEntry{sent}, v1alpha1.PhaseContacted, finish},
		"a customer who wrote meanwhile is answered": {[]gen.LeadMod{gen.FromCustomer("m1", gen.T0.Add(3*hour))}, []v1alpha1.LedgerEntry{sent}, v1alpha1.PhaseEngaged, send},
	} {
		t.Run(name, func(t *testing.T) {
			c := planCase{now: 4 * hour, text: ready(), lead: append([]gen.LeadMod{restoredWhen(3 * hour)}, test.lead...), with: both(tells(test.entries...), proves(0, 0, proof{}))}
			s := c.situation()
			if got := plan(s); got.kind != rebuild {
				t.Fatalf("%s, want Rebuild", got.kind)
			}
			if !rebuilt(&s)(&s.lead.Status) {
				t.Fatal("nothing was changed")
			}
			sumUp(s.lead)
			if s.lead.Status.Phase != test.phase {
				t.Errorf("phase %s, want %s", s.lead.Status.Phase, test.phase)
			}
			if (s.lead.Status.Result != nil) != (test.phase == v1alpha1.PhaseRecovered) {
				t.Errorf("result %+v", s.lead.Status.Result)
			}
			if got := plan(s); got.kind != test.next {
				t.Errorf("then %s of %q, want %s", got.kind, got.message.id, test.next)
			}
			told := 0
			for _, entry := range test.entries {
				if entry.Event != v1alpha1.LedgerClaimedPaid { // the ledger alone says that of a text that is not known
					told++
				}
			}
			if got := ledger.EntriesOf(s.lead); len(got) < told {
				t.Errorf("it says less than it was told: %+v", got)
			}
		})
	}
}

func TestRebuiltKeepsWhatTheStatusSays(t *testing.T) {
	c := planCase{now: 2 * time.Hour, lead: []gen.LeadMod{gen.FromUs(gen.FirstID, v1alpha1.MessageSent, gen.T0.Add(gen.FirstDue)), done(v1alpha1.ReasonUnanswered, gen.T0.Add(time.Hour))}}
	s := c.situation()
	second := noted(v1alpha1.LedgerSent, time.Hour)
	second.Step = "second"
	s.ledger = []v1alpha1.LedgerEntry{noted(v1alpha1.LedgerSent, gen.FirstDue), second, noted(v1alpha1.LedgerHandedOff, time.Hour)}
	if !rebuilt(&s)(&s.lead.Status) || len(s.lead.Status.Conversation) != 2 || !lead.Finished(s.lead) {
		t.Errorf("%+v", s.lead.Status)
	}
	if apimeta.FindStatusCondition(s.lead.Status.Conditions, v1alpha1.ConditionHandedOff) != nil {
		t.Error("a hand-off was added")
	}
	if rebuilt(&s)(&s.lead.Status) {
		t.Error("changed once more")
	}
}

// TestNoticesAreNotRepeated: what a customer was told before the restore is not said again.
func TestNoticesAreNotRepeated(t *testing.T) {
	asked := gen.T0.Add(time.Hour)
	s := (&planCase{now: time.Hour + 2*time.Second, lead: []gen.LeadMod{gen.FromUs(gen.FirstID, v1alpha1.MessageSent, gen.T0.Add(gen.FirstDue)), func(l *v1alpha1.CartRecovery) {
		gen.FromCustomer("m1", asked)(l)
		l.Status.Conversation[1].Text = "PARAR"
	}}}).situation()
	if got := plan(s); got.kind != send {
		t.Fatalf("%s, want a confirmation", got.kind)
	}
	s.began = heartbeat.Start{Held: s.now}
	if got := plan(s); got.kind != finish || got.outcome != v1alpha1.ReasonOptedOut {
		t.Errorf("%s %s, want the end", got.kind, got.outcome)
	}
}

func TestProofs(t *testing.T) {
	clock := clocktesting.NewFakePassiveClock(gen.T0)
	p := newProofs(clock, maxProofs)
	key := func(n int) proofKey { return proofKey{"shop", fmt.Sprint(n)} }
	asked := 0
	for n := range 1000 {
		if p.begin(key(n), "number") {
			asked++
			p.end(key(n), "number", proofFrom(gateway.Receipt{}, false, nil, gen.T0))
		}
	}
	if asked != verifyBurst {
		t.Errorf("%d questions at once, want %d", asked, verifyBurst)
	}
	last := p.get(key(999))
	if want := gen.T0.Add((1000 - verifyBurst) * time.Second / verifyRate); last.state != proofWaiting || last.until.Sub(want).Abs() > time.Second {
		t.Errorf("the last is asked for at %s, want %s", last.until, want)
	}
	clock.SetTime(last.until)
	if !p.begin(key(999), "number") || p.get(key(0)).state != proofNotFound {
		t.Error("its turn does not come")
	}
	p.end(key(999), "number", proofFrom(gateway.Receipt{}, false, &failure.Error{Class: failure.Transient}, clock.Now()))
	if p.begin(key(500), "number") || p.get(key(500)).state != proofUnsure {
		t.Error("a gateway that does not answer is not left alone")
	}
	if !p.begin(key(501), "other") {
		t.Error("another number waits as well")
	}
	for n := range verifyAtOnce {
		if got := p.begin(key(600+n), "other"); got != (n < verifyAtOnce-1) {
			t.Errorf("question %d at once: %t", n+2, got)
		}
	}
	p.close("number")
	p.end(key(999), "number", proof{state: proofFound})
}

// TestEveryTurnComes: more messages than answers are remembered, all due at once.
func TestEveryTurnComes(t *testing.T) {
	clock := clocktesting.NewFakePassiveClock(gen.T0)
	const remembered, messages = 8_000, 20_000
	p := newProofs(clock, remembered)
	next := make([]time.Time, messages)
	asked := make([]bool, messages)
	left := messages
	for now := gen.T0; left > 0; now = now.Add(10 * time.Second) {
		if now.Sub(gen.T0) > 2*messages/verifyRate*time.Second {
			t.Fatalf("%d of %d were not asked for after %s", left, messages, now.Sub(gen.T0))
		}
		clock.SetTime(now)
		for n := range messages {
			key := proofKey{"shop", strconv.Itoa(n)}
			if asked[n] || now.Before(next[n]) {
				continue
			}
			if p.begin(key, "number") {
				p.end(key, "number", proof{state: proofNotFound})
				asked[n], left = true, left-1
				continue
			}
			next[n] = p.get(key).until
		}
	}
}

// twoIDs is a gateway that knows messages by their track ids.
type twoIDs struct {
	gateway.Gateway
	known map[string]bool
	err   error
}

func (g twoIDs) FindSent(_ context.Context, track, _ string) (gateway.Receipt, bool, error) {
	return gateway.Receipt{MessageID: track}, g.known[track], g.err
}

func TestFindSentAsksByTheFormerIDToo(t *testing.T) {
	recovery := gen.Lead(gen.T0)
	former := lead.FormerTrackID(recovery.UID, gen.FirstID)
	gate := twoIDs{known: map[string]bool{former: true}}
	if receipt, found, err := findSent(t.Context(), gate, recovery, gen.FirstID); !found || err != nil || receipt.MessageID != former {
		t.Errorf("%v %t %v", receipt, found, err)
	}
	at := v1alpha1.NewTimestamp(gen.T0)
	recovery.Spec.ReceivedAt = &at
	if _, found, err := findSent(t.Context(), gate, recovery, gen.FirstID); found || err != nil {
		t.Errorf("a lead of this version has no former id: %t %v", found, err)
	}
	recovery.Spec.ReceivedAt = nil
	if _, _, err := findSent(t.Context(), twoIDs{err: errors.New("no")}, recovery, gen.FirstID); err == nil {
		t.Error("an error is no answer")
	}
}

func TestPrunable(t *testing.T) {
	old, young := gen.T0.Add(-48*time.Hour), gen.T0
	names := func(parts []part) string {
		all := ""
		for _, each := range parts {
			all += each.name
		}
		return all
	}
	if got := names(prunable([]part{{"c", "", old}, {"a", "", old}, {"b", "", young}}, gen.T0.Add(-time.Hour))); got != "a" {
		t.Errorf("%q can go, want a alone", got)
	}
	many := make([]part, maxLedgerParts+2)
	for i := range many {
		many[i] = part{fmt.Sprintf("%05d;", i), "", young}
	}
	if got := names(prunable(many, old)); got != "00000;00001;" {
		t.Errorf("%q can go of too many", got)
	}
	if len(prunable(nil, gen.T0)) != 0 {
		t.Error("nothing can go of nothing")
	}
}

// TestAGatewayThatIsDownCostsALeadOneWrite: leads that are held look again every half minute.
func TestAGatewayThatIsDownCostsALeadOneWrite(t *testing.T) {
	c := planCase{now: time.Hour, text: ready(), with: proves(time.Hour, time.Hour, proof{})}
	s, known, writes := c.situation(), proof{}, 0
	s.proof = func(string) proof { return known }
	for range 20 {
		for _, known = range []proof{{state: proofUnsure}, {state: proofWaiting}} {
			known.until = s.now.Add(30 * time.Second)
			planned, next := plan(s), s.lead.DeepCopy()
			if waiting(planned, s.now)(&next.Status) {
				decided := s
				decided.decided = &planned
				withNext(decided, next)
				s.lead, writes = next, writes+1
			}
			s.now = known.until
		}
	}
	if writes != 1 {
		t.Errorf("%d writes", writes)
	}
}

func TestNumbersToAsk(t *testing.T) {
	const hour = time.Hour
	seen := func(number v1alpha1.WhatsAppInstance) v1alpha1.WhatsAppInstance {
		number.Status.LastConnectedTime = ptr.To(metav1.NewTime(gen.T0.Add(-hour)))
		return number
	}
	lost := func(name string, since time.Duration) v1alpha1.WhatsAppInstance {
		return seen(numberWith(name, metav1.ConditionFalse, v1alpha1.ReasonLoggedOut, since))
	}
	all := []v1alpha1.WhatsAppInstance{
		*gen.InstanceObject(), numberWith("b-connected", metav1.ConditionTrue, v1alpha1.ReasonConnected, -hour),
		lost("c-lost-before", -hour), lost("d-lost-since", hour/2),
		numberWith("e-never", metav1.ConditionFalse, v1alpha1.ReasonPairing, -hour),
		seen(numberWith("f-away", metav1.ConditionFalse, v1alpha1.ReasonPairing, -hour)),
	}
	sent := gen.FromUs(gen.FirstID, v1alpha1.MessageSent, gen.T0.Add(gen.FirstDue))
	for name, test := range map[string]struct {
		held time.Duration
		lead []gen.LeadMod
		want string
	}{
		"a failover asks its own":    {0, nil, gen.Instance},
		"a restore asks all":         {2 * hour, nil, gen.Instance + " b-connected d-lost-since f-away"},
		"not where one has the lead": {2 * hour, []gen.LeadMod{sent}, gen.Instance},
	} {
		t.Run(name, func(t *testing.T) {
			made := func(l *v1alpha1.CartRecovery) { l.CreationTimestamp = metav1.NewTime(gen.T0) }
			c := planCase{now: 2 * hour, lead: append(test.lead, made), instances: all, with: proves(2*hour, test.held, proof{})}
			s := c.situation()
			var asked []string
			for _, number := range numbersToAsk(&s, message{instance: &all[0]}) {
				asked = append(asked, number.Name)
			}
			if got := strings.Join(asked, " "); got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}

func TestIsOwn(t *testing.T) {
	recovery := gen.Lead(gen.T0, func(l *v1alpha1.CartRecovery) { l.CreationTimestamp = metav1.NewTime(gen.T0) })
	for name, test := range map[string]struct {
		sent, restored time.Time
		want           bool
	}{
		"sent since":                   {gen.T0.Add(time.Minute), time.Time{}, true},
		"the gateway does not say":     {time.Time{}, time.Time{}, true},
		"by a clock that is behind":    {gen.T0.Add(-time.Minute), time.Time{}, true},
		"by a lead that was deleted":   {gen.T0.Add(-72 * time.Hour), time.Time{}, false},
		"before the lead was restored": {gen.T0.Add(-72 * time.Hour), gen.T0, true},
	} {
		if got := isOwn(recovery, test.sent, test.restored); got != test.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
