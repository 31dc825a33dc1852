package plan

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/policy"
)

// waiting is what a wait says of itself.
type waiting struct {
	Blocked, Why                string
	Refused, HandedOff, Writing bool
}

// waitCase is a row and what its wait says.
type waitCase struct {
	planCase
	want waiting
}

// messageWaits are waits for messages.
func messageWaits() map[string]waitCase {
	refused := gen.FromUs(gen.FirstID, v1alpha1.MessageFailed, gen.T0, attempts(1, gen.T0.Add(time.Hour)))
	quiet := func(s *Snapshot) {
		s.Policy.QuietHours = &v1alpha1.QuietHours{Start: "09:10", End: "11:00", Spread: &v1alpha1.Duration{}}
	}
	waits := Proof{State: ProofWaiting, Until: gen.T0.Add(2 * time.Hour)}
	often := func(limit func(*policy.Policy)) planCase {
		return planCase{now: 2 * time.Hour, with: func(s *Snapshot) { limit(&s.Policy) }, lead: []gen.LeadMod{
			gen.FromCustomer("m1", gen.T0.Add(time.Hour)), replied("m1", gen.T0.Add(time.Hour+time.Second)),
			gen.FromCustomer("m2", gen.T0.Add(time.Hour+time.Minute))}}
	}
	const tooOften = "the customer, or a machine that answers for them, was answered too often within "
	return map[string]waitCase{
		"a message that is due later": {
			planCase{}, waiting{Why: "message c0-step-first is due at 2026-03-02T12:15:00Z"},
		},
		"one that was refused": {planCase{lead: []gen.LeadMod{refused}}, waiting{
			Why: "message c0-step-first is due at 2026-03-02T13:00:00Z", Refused: true}},
		"one that is held in quiet hours": {planCase{now: gen.FirstDue, with: quiet}, waiting{
			Blocked: v1alpha1.ReasonQuietHours,
			Why:     "quiet hours; message c0-step-first is sent at 2026-03-02T14:00:00Z"}},
		"one whose text is being written": {planCase{now: gen.FirstDue, text: Draft{State: DraftPending}}, waiting{
			Why: "the text of message c0-step-first is being written", Writing: true}},
		"one that the gateway is asked for": {planCase{now: time.Hour, with: proves(time.Hour, 0, waits)}, waiting{
			Why: "the gateway is asked whether message c0-step-first was sent before"}},
		"one of a restored lead that it is asked for": {
			planCase{now: time.Hour, with: proves(time.Hour, time.Hour, waits)},
			waiting{Why: "the gateway is asked whether message c0-step-first was sent before", Writing: true},
		},
		"one of which the gateway can never tell": {planCase{now: time.Hour, with: proves(time.Hour, time.Hour,
			Proof{State: ProofUnsure, Never: true, Until: gen.T0.Add(2 * time.Hour)})}, waiting{
			Blocked: v1alpha1.ReasonRestoredFromBackup,
			Why: "restored from a backup; the gateway cannot tell whether the " +
				"message was sent before: annotate the Store with " + v1alpha1.AnnotationRestoreAcknowledged +
				" to have it sent (see docs/backup.md)"}},
		"too many answers in an hour": {often(func(p *policy.Policy) { p.MaxAnswersPerHour = 1 }), waiting{
			Blocked: v1alpha1.ReasonTooManyAnswers, Why: tooOften + "an hour"}},
		"too many answers in a day": {often(func(p *policy.Policy) { p.MaxAnswersPerDay = 1 }), waiting{
			Blocked: v1alpha1.ReasonTooManyAnswers, Why: tooOften + "a day"}},
	}
}

// personWaits are waits for a person of the store.
func personWaits() map[string]waitCase {
	const hour = time.Hour
	takes := gen.FromPerson("p1", gen.T0)
	after := func(length time.Duration) planCase {
		return planCase{now: hour, lead: []gen.LeadMod{takes},
			with: func(s *Snapshot) { s.Policy.HandOffResumeAfter = length }}
	}
	expires := waiting{HandedOff: true, Why: "a person of the store has the conversation; the lead expires then"}
	goesBack := waiting{HandedOff: true,
		Why: "a person of the store has the conversation; it goes back to the AI then"}
	return map[string]waitCase{
		"a person, for as long as the lead lasts": {after(0), expires},
		"a person, until it goes back":            {after(2 * hour), goesBack},
		"a person, until just before the end":     {after(gen.ExpiresAt - time.Second), goesBack},
		"a person, until the end":                 {after(gen.ExpiresAt), expires},
		"a person, who would have it for longer":  {after(gen.ExpiresAt + time.Second), expires},
	}
}

// numberWaits are waits for a number that can send.
func numberWaits() map[string]waitCase {
	off := func(name string) v1alpha1.WhatsAppInstance {
		return numberWith(name, metav1.ConditionFalse, v1alpha1.ReasonLoggedOut, -time.Hour)
	}
	until := func(hours int) func(*v1alpha1.WhatsAppInstance) {
		return func(i *v1alpha1.WhatsAppInstance) {
			i.Status.NewConversationsPausedUntil = &metav1.Time{Time: gen.T0.Add(time.Duration(hours) * time.Hour)}
		}
	}
	paused := changedBut(numberWith("paused", metav1.ConditionTrue, v1alpha1.ReasonConnected, 0), until(24))
	silent := changedBut(numberWith("silent", metav1.ConditionTrue, v1alpha1.ReasonConnected, 0),
		func(i *v1alpha1.WhatsAppInstance) {
			i.Status.Conditions = append(i.Status.Conditions,
				metav1.Condition{Type: v1alpha1.ConditionGatewayReachable, Status: metav1.ConditionFalse})
		})
	with := func(numbers ...v1alpha1.WhatsAppInstance) planCase {
		return planCase{now: gen.FirstDue, instances: append([]v1alpha1.WhatsAppInstance{}, numbers...)}
	}
	restricted := waiting{Blocked: v1alpha1.ReasonRestricted,
		Why: "WhatsApp lets WhatsAppInstance paused start no new conversations for now"}
	unreachable := waiting{Blocked: v1alpha1.ReasonGatewayUnreachable, Why: "the gateway of WhatsAppInstance silent " +
		"does not answer; see its condition GatewayReachable"}
	none := func(why string) waiting { return waiting{Blocked: v1alpha1.ReasonNoConnectedInstance, Why: why} }
	return map[string]waitCase{
		"a Store without a number": {with(), none("the Store has no WhatsAppInstance; create one and pair it")},
		"one number that is off": {with(off("a")),
			none("WhatsAppInstance a cannot send; see its condition Ready")},
		"two that are off": {with(off("a"), off("b")),
			none("no WhatsAppInstance of the Store can send; see their condition Ready")},
		"one that is restricted": {with(paused), restricted},
		"one that is restricted, and off": {
			with(changedBut(off("a"), until(24))), none("WhatsAppInstance a cannot send; see its condition Ready"),
		},
		"one whose gateway is silent":     {with(silent), unreachable},
		"one that is off, and one silent": {with(off("a"), silent), unreachable},
		"one silent, and one restricted":  {with(silent, paused), restricted},
		"one restricted, and one silent":  {with(paused, silent), restricted},
	}
}

// TestWhatAWaitSays: what people read of a wait, and what decides whether it is written.
func TestWhatAWaitSays(t *testing.T) {
	for _, cases := range []map[string]waitCase{messageWaits(), personWaits(), numberWaits()} {
		for name, row := range cases {
			t.Run(name, func(t *testing.T) {
				got := Next(row.snapshot())
				if got.Kind != Wait {
					t.Fatalf("%s of %q, want a wait", got.Kind, got.Message.ID)
				}
				said := waiting{got.Blocked, got.Why, got.refused, got.HandedOff, got.Writing}
				if diff := cmp.Diff(row.want, said); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		}
	}
}

// TestBehindQuietHours: steps are spread behind the quiet hours, answers go within two minutes of them.
func TestBehindQuietHours(t *testing.T) {
	const answers = 2 * time.Minute
	for name, row := range map[string]struct {
		lead          []gen.LeadMod
		least, within time.Duration // after the quiet hours
	}{
		"a step":    {nil, answers, 12 * time.Hour},
		"an answer": {[]gen.LeadMod{gen.FromCustomer("m1", gen.T0.Add(gen.FirstDue))}, 0, answers},
	} {
		t.Run(name, func(t *testing.T) {
			c := planCase{now: gen.FirstDue + time.Minute, lead: row.lead, with: func(s *Snapshot) {
				s.Policy.QuietHours = &v1alpha1.QuietHours{Start: "09:10", End: "11:00",
					Spread: &v1alpha1.Duration{Duration: 12 * time.Hour}}
			}}
			after := Next(c.snapshot()).Message.Due.Sub(gen.T0.Add(2 * time.Hour))
			if after < row.least || after > row.within {
				t.Errorf("due %s after the quiet hours, want from %s to %s", after, row.least, row.within)
			}
		})
	}
}
