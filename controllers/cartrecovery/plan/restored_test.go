package plan

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"cartrecovery.dev/operator/api/v1alpha1"
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

func tells(entries ...v1alpha1.LedgerEntry) func(*Snapshot) {
	return func(s *Snapshot) { s.Ledger = entries }
}

func noted(event v1alpha1.LedgerEvent, after time.Duration) v1alpha1.LedgerEntry {
	made := v1alpha1.LedgerEntry{Lead: "hotmart-lead", Event: event, At: v1alpha1.NewTimestamp(gen.T0.Add(after))}
	if event == v1alpha1.LedgerSent {
		made.Step, made.Instance = policy.DefaultStepName, gen.Instance
	}
	return made
}

// proves is a process that began to lead at a time, and what it knows of the message.
func proves(led, held time.Duration, known Proof) func(*Snapshot) {
	return func(s *Snapshot) {
		s.Began.Led = gen.T0.Add(led)
		if held != 0 {
			s.Began.Held = gen.T0.Add(held)
		}
		s.Proof = func(string) Proof { return known }
	}
}

func both(all ...func(*Snapshot)) func(*Snapshot) {
	return func(s *Snapshot) {
		for _, each := range all {
			each(s)
		}
	}
}

// saysGo is a Store that a person has annotated so long after t0.
func saysGo(at time.Duration) func(*Snapshot) {
	return func(s *Snapshot) {
		metav1.SetMetaDataAnnotation(&s.Store.ObjectMeta, v1alpha1.AnnotationRestoreAcknowledged,
			gen.T0.Add(at).Format(time.RFC3339))
	}
}

// cameBackCases are the rows about leads that came back.
func cameBackCases() []planCase {
	const hour = time.Hour
	sent := gen.FromUs(gen.FirstID, v1alpha1.MessageSent, gen.T0.Add(gen.FirstDue))
	worked := done(v1alpha1.ReasonUnanswered, gen.T0.Add(hour))
	return []planCase{
		{name: "a restored lead waits for the rest of the backup", now: 2*hour + time.Minute, text: ready(),
			lead: []gen.LeadMod{restoredWhen(2 * hour)},
			want: Wait, until: 2*hour + SettleRestored, blocked: v1alpha1.ReasonRestoredFromBackup},
		{name: "a restored lead that was bought waits for the rest of the backup", now: 2*hour + time.Minute,
			lead: []gen.LeadMod{restoredWhen(2 * hour),
				gen.Bought(gen.T0.Add(hour))},
			want: Wait, until: 2*hour + SettleRestored, blocked: v1alpha1.ReasonRestoredFromBackup},
		{name: "what the ledger knows of a restored lead is written first", now: 2*hour + time.Minute,
			lead: []gen.LeadMod{restoredWhen(2 * hour), gen.Bought(gen.T0.Add(hour))},
			with: tells(noted(v1alpha1.LedgerSent, gen.FirstDue)), want: Rebuild},
		{name: "what the ledger knows of a lead of an earlier version is written first", now: 2 * hour,
			lead: []gen.LeadMod{func(l *v1alpha1.CartRecovery) {
				l.CreationTimestamp = metav1.NewTime(gen.T0.Add(hour))
			}},
			with: tells(noted(v1alpha1.LedgerSent, gen.FirstDue)), want: Rebuild},
		{name: "a status that came back with its lead stands", now: 2 * hour,
			lead: []gen.LeadMod{restoredWhen(2 * hour),
				sent, worked},
			with: tells(noted(v1alpha1.LedgerSent, gen.FirstDue)), want: Wait},
		{name: "a status that came back lacks what was sent since", now: 2 * hour,
			lead: []gen.LeadMod{worked, func(l *v1alpha1.CartRecovery) { l.Status.CompletionTime = nil }},
			with: tells(noted(v1alpha1.LedgerSent, gen.FirstDue)), want: Rebuild},
		{name: "a new lead of a name that was deleted is its own", now: gen.FirstDue, text: ready(),
			lead: []gen.LeadMod{restoredWhen(0)},
			with: tells(noted(v1alpha1.LedgerSent, -hour), noted(v1alpha1.LedgerEnded, -hour)), want: Send,
			message: gen.FirstID},
	}
}

// restoredCases are the rows about the messages of leads that came back.
func restoredCases() []planCase {
	const hour = time.Hour
	unsure := Proof{State: ProofUnsure, Until: gen.T0.Add(3 * hour)}
	never := Proof{State: ProofUnsure, Until: gen.T0.Add(3 * hour), Never: true}
	found := Proof{State: ProofFound, At: gen.T0.Add(gen.FirstDue), GatewayID: "g1"}
	return []planCase{
		{name: "a restored lead is asked for at the gateway", now: 2*hour + SettleRestored, text: ready(),
			lead: []gen.LeadMod{restoredWhen(2 * hour)},
			with: proves(0, 0, Proof{}), want: Verify, message: gen.FirstID},
		{name: "a restored lead whose message did not go is written to", now: 2*hour + SettleRestored, text: ready(),
			lead: []gen.LeadMod{restoredWhen(2 * hour)},
			with: proves(0, 0, Proof{State: ProofNotFound}), want: Send, message: gen.FirstID},
		{name: "a restored lead whose message went is not written to again", now: 2*hour + SettleRestored,
			text: ready(), lead: []gen.LeadMod{restoredWhen(2 * hour)},
			with: proves(0, 0, found), want: Verify, message: gen.FirstID},
		{name: "a restored lead waits for a gateway that could not tell", now: 2*hour + SettleRestored, text: ready(),
			lead: []gen.LeadMod{restoredWhen(2 * hour)},
			with: proves(0, 0, unsure), want: Wait, until: 3 * hour, blocked: v1alpha1.ReasonRestoredFromBackup},
		{name: "a restored lead waits for a person where the gateway never can tell", now: 2*hour + SettleRestored,
			text: ready(),
			lead: []gen.LeadMod{restoredWhen(2 * hour)},
			with: proves(0, 0, never), want: Wait, until: gen.ExpiresAt, blocked: v1alpha1.ReasonRestoredFromBackup},
		{name: "a restored lead is written to once a person says go", now: 2*hour + SettleRestored, text: ready(),
			lead: []gen.LeadMod{restoredWhen(2 * hour)},
			with: both(proves(0, 0, never), saysGo(2*hour)), want: Send, message: gen.FirstID},
		{name: "a person who said go before the restore is not heard", now: 2*hour + SettleRestored, text: ready(),
			lead: []gen.LeadMod{restoredWhen(2 * hour)},
			with: both(proves(0, 0, never), saysGo(hour)), want: Wait, blocked: v1alpha1.ReasonRestoredFromBackup},
		{name: "what was due within the second of the restore is asked for", now: gen.FirstDue + SettleRestored,
			text: ready(), lead: []gen.LeadMod{restoredWhen(gen.FirstDue - time.Second)}, with: proves(0, 0, Proof{}),
			want: Verify, message: gen.FirstID},
		{name: "what was due more than a second after the restore is not asked for", now: gen.FirstDue + SettleRestored,
			text: ready(),
			lead: []gen.LeadMod{restoredWhen(gen.FirstDue - 2*time.Second)}, with: proves(0, 0, Proof{}), want: Send,
			message: gen.FirstID},
		{name: "a gateway that could not tell is asked again when it is time", now: 3 * hour, text: ready(),
			lead: []gen.LeadMod{restoredWhen(2 * hour)}, with: proves(0, 0, unsure), want: Verify,
			message: gen.FirstID},
	}
}

// holdCases are the rows about the pause after a restore that is certain.
func holdCases() []planCase {
	const hour = time.Hour
	// holds is a certain restore so long after t0, none before it.
	holds := func(restored, length time.Duration) func(*Snapshot) {
		return func(s *Snapshot) {
			s.RestoreHold = length
			if restored >= 0 {
				s.Began.Restored = gen.T0.Add(restored)
			}
		}
	}
	sent := gen.FromUs(gen.FirstID, v1alpha1.MessageSent, gen.T0.Add(gen.FirstDue))
	return []planCase{
		{name: "nothing is sent for a while after a restore", now: hour, text: ready(),
			with: both(proves(0, 0, Proof{State: ProofNotFound}), holds(hour, 2*hour)),
			want: Wait, until: 3 * hour, blocked: v1alpha1.ReasonRestoredFromBackup},
		{name: "no answer is sent for a while after a restore", now: 2 * hour, text: ready(),
			lead: []gen.LeadMod{sent, gen.FromCustomer("m1", gen.T0.Add(hour))},
			with: both(proves(0, 0, Proof{State: ProofNotFound}), holds(hour, 2*hour)), want: Wait, until: 3 * hour,
			blocked: v1alpha1.ReasonRestoredFromBackup},
		{name: "nothing is sent for a while to a lead that was restored", now: 2*hour + SettleRestored, text: ready(),
			lead: []gen.LeadMod{restoredWhen(2 * hour)},
			with: both(proves(0, 0, Proof{State: ProofNotFound}), holds(-1, hour)), want: Wait, until: 3 * hour,
			blocked: v1alpha1.ReasonRestoredFromBackup},
		{name: "a message is sent after a restore once a person says go", now: hour, text: ready(),
			with: both(proves(0, 0, Proof{State: ProofNotFound}), holds(hour, 2*hour), saysGo(hour)),
			want: Send, message: gen.FirstID},
		{name: "a message is sent once the while after a restore is over", now: 3 * hour, text: ready(),
			with: both(proves(0, 0, Proof{State: ProofNotFound}), holds(hour, 2*hour)), want: Send,
			message: gen.FirstID},
		{name: "a message is sent after a restore where no while is asked for", now: hour, text: ready(),
			with: both(proves(0, 0, Proof{State: ProofNotFound}),
				holds(hour, 0)), want: Send, message: gen.FirstID},
		{name: "a message is sent where nothing was restored", now: hour, text: ready(),
			with: both(proves(0, 0, Proof{State: ProofNotFound}), holds(-1, 2*hour)), want: Send, message: gen.FirstID},
		{name: "the while after a restore counts whole seconds", now: hour + 2*time.Second, text: ready(),
			with: both(proves(0, 0, Proof{State: ProofNotFound}), holds(hour+1500*time.Millisecond, 2*hour)),
			want: Wait, until: 3*hour + time.Second, blocked: v1alpha1.ReasonRestoredFromBackup},
		{name: "without a while nothing is held, not even by a clock that is ahead", now: hour, text: ready(),
			with: both(proves(0, 0, Proof{State: ProofNotFound}), holds(hour+time.Second, 0)), want: Send,
			message: gen.FirstID},
	}
}

// failoverCases are the rows about a cluster that came back, and a process that is new.
func failoverCases() []planCase {
	const hour = time.Hour
	unsure := Proof{State: ProofUnsure, Until: gen.T0.Add(3 * hour)}
	never := Proof{State: ProofUnsure, Until: gen.T0.Add(3 * hour), Never: true}
	found := Proof{State: ProofFound, At: gen.T0.Add(gen.FirstDue), GatewayID: "g1"}
	sent := gen.FromUs(gen.FirstID, v1alpha1.MessageSent, gen.T0.Add(gen.FirstDue))
	return []planCase{
		{name: "what was due before the process is asked for", now: hour, text: ready(), with: proves(hour, 0, Proof{}),
			want: Verify, message: gen.FirstID},
		{name: "what is due after the process began is not asked for", now: hour, text: ready(),
			with: proves(gen.FirstDue-time.Second, 0,
				Proof{}), want: Send, message: gen.FirstID},
		{name: "a failover goes on without the gateway's word", now: hour, text: ready(), with: proves(hour, 0, unsure),
			want: Send, message: gen.FirstID},
		{name: "a restored cluster waits for the gateway's word", now: hour, text: ready(),
			with: proves(hour, hour, unsure), want: Wait,
			until: 3 * hour, blocked: v1alpha1.ReasonRestoredFromBackup},
		{name: "a restored cluster goes on by a person's word", now: hour, text: ready(),
			with: both(proves(hour, hour, never), saysGo(hour)),
			want: Send, message: gen.FirstID},
		{name: "what was due after the restore is sent", now: hour, text: ready(),
			with: proves(gen.FirstDue-time.Second, gen.FirstDue-time.Second, never), want: Send, message: gen.FirstID},
		{name: "a turn is waited for without being blocked", now: hour, text: ready(),
			with: proves(hour, hour, Proof{State: ProofWaiting, Until: gen.T0.Add(hour + time.Second)}), want: Wait,
			until: hour + time.Second},
		{name: "answers that were due before the process are asked for", now: 2 * hour, text: ready(),
			lead: []gen.LeadMod{sent, gen.FromCustomer("m1", gen.T0.Add(hour))}, with: proves(2*hour, 2*hour, Proof{}),
			want: Verify, message: lead.ReplyID(0, "m1")},
		{name: "what this process sent is known without asking", now: 2 * hour, text: ready(),
			lead: []gen.LeadMod{func(l *v1alpha1.CartRecovery) { l.CreationTimestamp = metav1.NewTime(gen.T0) }},
			with: proves(0, 0, found), want: Verify, message: gen.FirstID},
		{name: "what this process sent for a namesake is not a later lead's", now: 2 * hour, text: ready(),
			lead: []gen.LeadMod{func(l *v1alpha1.CartRecovery) {
				l.CreationTimestamp = metav1.NewTime(gen.T0.Add(hour))
			}},
			with: proves(0, 0, found), want: Send, message: gen.FirstID},
		{name: "a failover after a restore asks for no word of what was due between them", now: hour, text: ready(),
			with: proves(hour, gen.FirstDue-time.Second, unsure), want: Send, message: gen.FirstID},
		{name: "what was due at the restore waits for the gateway's word", now: hour, text: ready(),
			with: proves(hour, gen.FirstDue, unsure), want: Wait, until: 3 * hour,
			blocked: v1alpha1.ReasonRestoredFromBackup},
		{name: "a turn that has come is taken", now: hour, text: ready(),
			with: proves(hour, hour, Proof{State: ProofWaiting, Until: gen.T0.Add(hour)}), want: Verify,
			message: gen.FirstID},
		{name: "a turn behind many others is waited for", now: hour, text: ready(),
			with: proves(hour, hour, Proof{State: ProofCrowded, Until: gen.T0.Add(hour + time.Minute)}), want: Wait,
			until: hour + time.Minute},
		{name: "who says go in the second of the restore is heard", now: 2 * hour, text: ready(),
			with: both(proves(2*hour, hour+500*time.Millisecond, never), saysGo(hour)), want: Send,
			message: gen.FirstID},
		{name: "who said go in the second before is not", now: 2 * hour, text: ready(),
			with: both(proves(2*hour, hour+1500*time.Millisecond, never), saysGo(hour)), want: Wait,
			until: gen.ExpiresAt, blocked: v1alpha1.ReasonRestoredFromBackup},
	}
}

func TestRebuilt(t *testing.T) {
	const hour = time.Hour
	ended := noted(v1alpha1.LedgerEnded, 2*hour)
	ended.Reason = v1alpha1.ReasonBoughtAfterContact
	taken := noted(v1alpha1.LedgerHandedOff, hour)
	taken.Reason = v1alpha1.ReasonCustomerAsked
	sent, heard := noted(v1alpha1.LedgerSent, gen.FirstDue), noted(v1alpha1.LedgerReplied, hour)
	for name, test := range map[string]struct {
		lead    []gen.LeadMod
		entries []v1alpha1.LedgerEntry
		phase   v1alpha1.Phase
		next    Kind
	}{
		"sent":  {nil, []v1alpha1.LedgerEntry{sent}, v1alpha1.PhaseContacted, Wait},
		"heard": {nil, []v1alpha1.LedgerEntry{heard, sent}, v1alpha1.PhaseEngaged, Wait},
		"claimed to have paid": {nil, []v1alpha1.LedgerEntry{sent, heard, noted(v1alpha1.LedgerClaimedPaid,
			hour)}, v1alpha1.PhaseEngaged, HandOver},
		"handed off": {nil, []v1alpha1.LedgerEntry{sent, heard, taken}, v1alpha1.PhaseEngaged, Wait},
		"recovered": {[]gen.LeadMod{gen.Bought(gen.T0.Add(2 * hour))},
			[]v1alpha1.LedgerEntry{sent, ended}, v1alpha1.PhaseRecovered, Wait},
		"bought before it was known": {[]gen.LeadMod{gen.Bought(gen.T0.Add(2 * hour))},
			[]v1alpha1.LedgerEntry{sent}, v1alpha1.PhaseContacted, Finish},
		"a customer who wrote meanwhile is answered": {[]gen.LeadMod{gen.FromCustomer("m1", gen.T0.Add(3*hour))},
			[]v1alpha1.LedgerEntry{sent}, v1alpha1.PhaseEngaged, Send},
	} {
		t.Run(name, func(t *testing.T) {
			c := planCase{now: 4 * hour, text: ready(), lead: append([]gen.LeadMod{restoredWhen(3 * hour)},
				test.lead...), with: both(tells(test.entries...), proves(0, 0, Proof{}))}
			s := c.snapshot()
			if got := Next(s); got.Kind != Rebuild {
				t.Fatalf("%s, want Rebuild", got.Kind)
			}
			if !Rebuilt(&s)(&s.Lead.Status) {
				t.Fatal("nothing was changed")
			}
			Summarize(s.Lead, gen.T0)
			type rebuilt struct {
				Phase     v1alpha1.Phase
				HasResult bool
				Next      Kind
			}
			want := rebuilt{test.phase, test.phase == v1alpha1.PhaseRecovered, test.next}
			got := rebuilt{s.Lead.Status.Phase, s.Lead.Status.Result != nil, Next(s).Kind}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			told := 0
			for _, entry := range test.entries {
				if entry.Event != v1alpha1.LedgerClaimedPaid { // the ledger alone says that of a text that is not known
					told++
				}
			}
			if got := len(ledger.EntriesOf(s.Lead)); got < told {
				t.Errorf("it says %d things of the %d that it was told", got, told)
			}
		})
	}
}

func TestRebuiltKeepsWhatTheStatusSays(t *testing.T) {
	c := planCase{now: 2 * time.Hour, lead: []gen.LeadMod{gen.FromUs(gen.FirstID, v1alpha1.MessageSent,
		gen.T0.Add(gen.FirstDue)), done(v1alpha1.ReasonUnanswered, gen.T0.Add(time.Hour))}}
	s := c.snapshot()
	second := noted(v1alpha1.LedgerSent, time.Hour)
	second.Step = "second"
	s.Ledger = []v1alpha1.LedgerEntry{noted(v1alpha1.LedgerSent, gen.FirstDue), second, noted(v1alpha1.LedgerHandedOff,
		time.Hour)}
	want := changed{Changes: true, Over: true, Instance: gen.Instance, Conditions: told(&s.Lead.Status)}
	if diff := cmp.Diff(want, changedBy(Rebuilt(&s), &s.Lead.Status)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(2, len(s.Lead.Status.Conversation)); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
	if Rebuilt(&s)(&s.Lead.Status) {
		t.Error("changed once more")
	}
}

// TestNoticesAreNotRepeated: what a customer was told before the restore is not said again.
func TestNoticesAreNotRepeated(t *testing.T) {
	asked := gen.T0.Add(time.Hour)
	s := (&planCase{now: time.Hour + 2*time.Second, lead: []gen.LeadMod{gen.FromUs(gen.FirstID, v1alpha1.MessageSent,
		gen.T0.Add(gen.FirstDue)), func(l *v1alpha1.CartRecovery) {
		gen.FromCustomer("m1", asked)(l)
		l.Status.Conversation[1].Text = "PARAR"
	}}}).snapshot()
	if got := Next(s); got.Kind != Send {
		t.Fatalf("%s, want a confirmation", got.Kind)
	}
	s.Began = heartbeat.Start{Held: s.Now}
	if got := Next(s); got.Kind != Finish || got.Outcome != v1alpha1.ReasonOptedOut {
		t.Errorf("%s %s, want the end", got.Kind, got.Outcome)
	}
}

// TestAGatewayThatIsDownCostsALeadOneWrite: leads that are held look again every half minute.
func TestAGatewayThatIsDownCostsALeadOneWrite(t *testing.T) {
	c := planCase{now: time.Hour, text: ready(), with: proves(time.Hour, time.Hour, Proof{})}
	s, known, writes := c.snapshot(), Proof{}, 0
	s.Proof = func(string) Proof { return known }
	for range 20 {
		for _, known = range []Proof{{State: ProofUnsure}, {State: ProofWaiting}} {
			known.Until = s.Now.Add(30 * time.Second)
			planned, next := Next(s), s.Lead.DeepCopy()
			if Waiting(planned, s.Now)(&next.Status) {
				decided := s
				decided.Decided = &planned
				SetNext(decided, next)
				s.Lead, writes = next, writes+1
			}
			s.Now = known.Until
		}
	}
	if writes != 1 {
		t.Errorf("%d writes", writes)
	}
}

func TestNumbersToAsk(t *testing.T) {
	const hour = time.Hour
	seen := func(number v1alpha1.WhatsAppInstance) v1alpha1.WhatsAppInstance {
		number.Status.LastConnectedTime = new(metav1.NewTime(gen.T0.Add(-hour)))
		return number
	}
	lost := func(name string, since time.Duration) v1alpha1.WhatsAppInstance {
		return seen(numberWith(name, metav1.ConditionFalse, v1alpha1.ReasonLoggedOut, since))
	}
	unknown := func(i *v1alpha1.WhatsAppInstance) { i.Status.Conditions = nil }
	all := []v1alpha1.WhatsAppInstance{
		*gen.InstanceObject(), numberWith("b-connected", metav1.ConditionTrue, v1alpha1.ReasonConnected, -hour),
		lost("c-lost-before", -hour), lost("d-lost-since", hour/2),
		numberWith("e-never", metav1.ConditionFalse, v1alpha1.ReasonPairing, -hour),
		seen(numberWith("f-away", metav1.ConditionFalse, v1alpha1.ReasonPairing, -hour)),
		changedBut(seen(numberWith("g-going", "", "", 0)), unknown, func(i *v1alpha1.WhatsAppInstance) {
			i.DeletionTimestamp = &metav1.Time{Time: gen.T0}
		}),
		changedBut(numberWith("h-new", "", "", 0), unknown), lost("i-lost-then", 0),
	}
	sent := gen.FromUs(gen.FirstID, v1alpha1.MessageSent, gen.T0.Add(gen.FirstDue))
	receivedBefore := func(l *v1alpha1.CartRecovery) {
		at := v1alpha1.NewTimestamp(gen.T0.Add(-hour - time.Second))
		l.Spec.ReceivedAt = &at
	}
	for name, test := range map[string]struct {
		held    time.Duration
		lead    []gen.LeadMod
		noStore bool
		want    string
	}{
		"a failover asks its own": {0, nil, false, gen.Instance},
		"also without the Store":  {0, nil, true, gen.Instance},
		"a restore asks all": {
			2 * hour, nil, false, gen.Instance + " b-connected d-lost-since f-away g-going i-lost-then",
		},
		"also those that were lost since it was received": {2 * hour, []gen.LeadMod{receivedBefore}, false,
			gen.Instance + " b-connected c-lost-before d-lost-since f-away g-going i-lost-then"},
		"not where one has the lead": {2 * hour, []gen.LeadMod{sent}, false, gen.Instance},
	} {
		t.Run(name, func(t *testing.T) {
			made := func(l *v1alpha1.CartRecovery) { l.CreationTimestamp = metav1.NewTime(gen.T0) }
			c := planCase{now: 2 * hour, lead: append(test.lead, made), instances: all, noStore: test.noStore,
				with: proves(2*hour, test.held,
					Proof{})}
			s := c.snapshot()
			var asked []string
			for _, number := range NumbersToAsk(&s, Message{Instance: &all[0]}) {
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
		"sent since":                            {gen.T0.Add(time.Minute), time.Time{}, true},
		"the gateway does not say":              {time.Time{}, time.Time{}, true},
		"by a clock that is behind":             {gen.T0.Add(-time.Minute), time.Time{}, true},
		"by a clock that is ten minutes behind": {gen.T0.Add(-clocksDiffer), time.Time{}, true},
		"by one that is more than that behind":  {gen.T0.Add(-clocksDiffer - time.Second), time.Time{}, false},
		"by a lead that was deleted":            {gen.T0.Add(-72 * time.Hour), time.Time{}, false},
		"before the lead was restored":          {gen.T0.Add(-72 * time.Hour), gen.T0, true},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, IsOwn(recovery, test.sent, test.restored)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestAcknowledged: a person who has annotated the Store since the restore allows what nobody can know.
func TestAcknowledged(t *testing.T) {
	for name, row := range map[string]struct {
		annotation string
		none       bool
		want       bool
	}{
		"at the restore": {annotation: gen.T0.Format(time.RFC3339), want: true},
		"before it":      {annotation: gen.T0.Add(-time.Second).Format(time.RFC3339)},
		"at no time":     {annotation: "yes"},
		"never":          {},
		"of no Store":    {none: true},
	} {
		t.Run(name, func(t *testing.T) {
			store := gen.StoreObject(func(s *v1alpha1.Store) {
				s.Annotations = map[string]string{v1alpha1.AnnotationRestoreAcknowledged: row.annotation}
			})
			if row.none {
				store = nil
			}
			if diff := cmp.Diff(row.want, acknowledged(store, gen.T0)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestProofOfAnotherLead: only a message that was found can be that of a deleted lead of the same name. Whatever else
// is known of one must not pass for a look-up that found nothing, after which it is sent.
func TestProofOfAnotherLead(t *testing.T) {
	long := gen.T0.Add(-24 * time.Hour)
	for state, want := range map[ProofState]ProofState{
		ProofFound: ProofNotFound, ProofNotFound: ProofNotFound, ProofUnsure: ProofUnsure, ProofWaiting: ProofWaiting,
		ProofCrowded: ProofCrowded,
	} {
		s := (&planCase{now: gen.FirstDue}).snapshot()
		s.Proof = func(string) Proof { return Proof{State: state, At: long} }
		if got := ProofOf(&s, Message{ID: gen.FirstID}, time.Time{}).State; got != want {
			t.Errorf("%v, sent before the lead was made: got %v, want %v", state, got, want)
		}
	}
}

// TestSentBefore: a message that the gateway knows stands in the conversation as it tells.
func TestSentBefore(t *testing.T) {
	now, sent := gen.T0.Add(time.Hour), gen.T0.Add(gen.FirstDue)
	wanted := Message{ID: gen.FirstID, Step: &v1alpha1.Step{Name: "first"}, Instance: gen.InstanceObject()}
	for _, c := range []struct {
		name  string
		lead  []gen.LeadMod
		known Proof
		at    time.Time
		from  string
		text  string
	}{
		{"as it tells", nil, Proof{State: ProofFound, At: sent, GatewayID: "3EB0", Number: "second"}, sent, "second",
			""},
		{"without a time", nil, Proof{State: ProofFound, GatewayID: "3EB0"}, now, gen.Instance, ""},
		{"with a time to come", nil, Proof{State: ProofFound, At: now.Add(time.Hour), GatewayID: "3EB0"}, now,
			gen.Instance, ""},
		{"one that had failed", []gen.LeadMod{gen.FromUs(gen.FirstID, v1alpha1.MessageFailed, sent)},
			Proof{State: ProofFound, At: sent, GatewayID: "3EB0"}, sent, gen.Instance, "Oi!"},
	} {
		t.Run(c.name, func(t *testing.T) {
			recovery := gen.Lead(gen.T0, c.lead...)
			SentBefore(wanted, c.known, 1, now)(&recovery.Status)
			at := v1alpha1.NewTimestamp(c.at)
			want := v1alpha1.Message{ID: gen.FirstID, Role: v1alpha1.RoleAssistant, Step: "first", Text: c.text, At: at,
				State: v1alpha1.MessageSent, SentAt: &at, Attempts: 1, Instance: c.from, GatewayID: "3EB0"}
			if diff := cmp.Diff([]v1alpha1.Message{want}, recovery.Status.Conversation); diff != "" {
				t.Errorf("conversation (-want +got):\n%s", diff)
			}
			if got := lead.NumberOf(recovery); got != c.from {
				t.Errorf("the conversation's number is %s, want %s", got, c.from)
			}
		})
	}
}
