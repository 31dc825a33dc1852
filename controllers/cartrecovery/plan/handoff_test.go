package plan

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/policy"
)

// resumedAt is the annotation that asks for it.
func resumeAskedAt(at time.Time) gen.LeadMod {
	return func(recovery *v1alpha1.CartRecovery) {
		recovery.Annotations = map[string]string{v1alpha1.AnnotationResumeRequested: at.Format(time.RFC3339)}
	}
}

// resumedBy is a lead that was given back.
func resumedBy(at time.Time) gen.LeadMod {
	return func(recovery *v1alpha1.CartRecovery) {
		resumeAskedAt(at)(recovery)
		ResumedFor(v1alpha1.ReasonResumed, lead.ResumeRequest(recovery), 1, at)(&recovery.Status)
	}
}

func editedAt(at time.Time) gen.LeadMod {
	return func(recovery *v1alpha1.CartRecovery) {
		edited := v1alpha1.NewTimestamp(at)
		recovery.Status.Conversation[len(recovery.Status.Conversation)-1].EditedAt = &edited
	}
}

// personCases are the rows about a person who takes over.
func personCases() []planCase {
	const hour = time.Hour
	sent := gen.FromUs(gen.FirstID, v1alpha1.MessageSent, gen.T0.Add(gen.FirstDue))
	asks, takes := gen.FromCustomer("m1", gen.T0.Add(hour)), gen.FromPerson("op1", gen.T0.Add(hour+time.Minute))
	asksBefore, gives := gen.FromCustomer("m1", gen.T0.Add(hour-time.Minute)), resumedBy(gen.T0.Add(2*hour))
	replyID := lead.ReplyID(0, "m1")
	later := 2*hour + time.Minute
	return []planCase{
		{name: "a person who took over is left alone", now: later, text: ready(), lead: []gen.LeadMod{sent, takes,
			asksBefore}, want: Wait, until: hour + time.Minute + gen.ExpiresAt},
		{name: "no text is written while a person has it", now: later, lead: []gen.LeadMod{sent, asksBefore, takes},
			want:  Wait,
			until: hour + time.Minute + gen.ExpiresAt},
		{name: "no step goes while a person has it", now: 3 * hour, text: ready(), steps: twoSteps,
			lead: []gen.LeadMod{sent, takes}, want: Wait, until: hour + time.Minute + gen.ExpiresAt},
		{name: "no first message goes while a person has it", now: later, text: ready(), lead: []gen.LeadMod{takes},
			want:  Wait,
			until: hour + time.Minute + gen.ExpiresAt},
		{name: "a purchase counts while a person has it", now: later, lead: []gen.LeadMod{sent, takes,
			gen.Bought(gen.T0.Add(later))}, want: Finish, outcome: v1alpha1.ReasonBoughtAfterContact},
		{name: "a wish to be left alone counts while a person has it", now: later,
			lead: []gen.LeadMod{sent, takes, asks,
				func(l *v1alpha1.CartRecovery) { l.Status.Conversation[2].Text = "parar" }}, want: Finish,
			outcome: v1alpha1.ReasonOptedOut},
		{name: "a suspended store is said while a person has it", now: later, suspended: true,
			lead: []gen.LeadMod{sent, takes}, want: Wait,
			until: hour + time.Minute + gen.ExpiresAt, blocked: v1alpha1.ReasonSuspended},
		{name: "a claim is resolved while a person has it", now: later,
			lead: []gen.LeadMod{gen.FromUs(gen.FirstID, v1alpha1.MessageClaimed, gen.T0.Add(gen.FirstDue)), takes},
			want: Resolve, message: gen.FirstID},
		{name: "a lead that a person has expires, counted from their message", now: hour + time.Minute + gen.ExpiresAt,
			lead: []gen.LeadMod{sent, takes}, want: Finish, outcome: v1alpha1.ReasonUnanswered},
		{name: "somebody whom a person wrote to was contacted", now: hour + time.Minute + gen.ExpiresAt,
			lead: []gen.LeadMod{takes}, want: Finish, outcome: v1alpha1.ReasonUnanswered},

		{name: "what was given back is resumed", now: later, text: ready(), lead: []gen.LeadMod{sent, takes,
			resumeAskedAt(gen.T0.Add(2 * hour))}, want: Resume},
		{name: "what was given back before the person wrote is not", now: later, lead: []gen.LeadMod{sent, takes,
			resumeAskedAt(gen.T0.Add(hour))}, want: Wait, until: hour + time.Minute + gen.ExpiresAt},
		{name: "what is no time gives nothing back", now: later, lead: []gen.LeadMod{sent, takes,
			func(l *v1alpha1.CartRecovery) {
				l.Annotations = map[string]string{v1alpha1.AnnotationResumeRequested: "yes"}
			}}, want: Wait, until: hour + time.Minute + gen.ExpiresAt},
		{name: "what the person answered is not answered again once it is given back", now: later, text: ready(),
			lead: []gen.LeadMod{sent, asksBefore, takes, gives}, want: Wait, until: hour + time.Minute + gen.ExpiresAt},
		{name: "what came after the person's message is answered once it is given back", now: later, text: ready(),
			lead: []gen.LeadMod{sent, takes, gen.FromCustomer("m1", gen.T0.Add(hour+2*time.Minute)), gives}, want: Send,
			message: replyID},
		{name: "what was given back is answered by the order in which messages came", now: later, text: ready(),
			lead: []gen.LeadMod{sent, takes, asks, gives}, want: Send, message: replyID},
		{name: "a step counts from the person's message once it is given back", now: hour + 2*time.Minute,
			text:  ready(),
			steps: twoSteps, lead: []gen.LeadMod{sent, takes, gives}, want: Wait,
			until: 2*hour + time.Minute - PrepareAhead},
		{name: "a step goes once it is given back", now: later, text: ready(), steps: twoSteps,
			lead: []gen.LeadMod{sent, takes, gives},
			want: Send, message: "c0-step-second"},
		{name: "no step goes once it is given back where the customer wrote", now: 3 * hour, text: ready(),
			steps: twoSteps,
			lead:  []gen.LeadMod{sent, asksBefore, takes, gives}, want: Wait,
			until: hour + time.Minute + gen.ExpiresAt},
		{name: "a refused step waits for its delay from the person's message", now: hour + 2*time.Minute, text: ready(),
			lead: []gen.LeadMod{gen.FromUs(gen.FirstID, v1alpha1.MessageFailed, gen.T0.Add(gen.FirstDue),
				attempts(1, gen.T0.Add(gen.FirstDue+time.Minute))), takes, gives}, want: Wait,
			until: hour + time.Minute + gen.FirstDue - PrepareAhead},
		{name: "a step that was refused is written anew once it is given back", now: later,
			lead: []gen.LeadMod{gen.FromUs(gen.FirstID, v1alpha1.MessageFailed,
				gen.T0.Add(gen.FirstDue), attempts(1, gen.T0.Add(gen.FirstDue+time.Minute))), takes, gives},
			want:    Prepare,
			message: gen.FirstID},
		{name: "a person whom the customer asked for is asked for once", now: later,
			lead: []gen.LeadMod{sent, gen.Says("m1", "atendente", gen.T0.Add(hour)), func(l *v1alpha1.CartRecovery) {
				HandedOverFor(v1alpha1.ReasonCustomerAsked, 1, gen.T0.Add(hour))(&l.Status)
			}}, want: Wait, until: hour + gen.ExpiresAt},
		{name: "a person has it as long as the lead lasts, whatever the customer says of a payment",
			now: hour + 2*time.Minute, lead: []gen.LeadMod{sent, gen.Says("m1", "já paguei", gen.T0.Add(hour)),
				func(l *v1alpha1.CartRecovery) {
					HandedOverFor(v1alpha1.ReasonCustomerAsked, 1, gen.T0.Add(hour+time.Minute))(&l.Status)
				}}, want: Wait, until: hour + gen.ExpiresAt},
	}
}

// editCases are the rows about messages that are edited, and receipts.
func editCases() []planCase {
	const hour = time.Hour
	sent := gen.FromUs(gen.FirstID, v1alpha1.MessageSent, gen.T0.Add(gen.FirstDue))
	asks, replyID := gen.FromCustomer("m1", gen.T0.Add(hour)), lead.ReplyID(0, "m1")
	later := 2*hour + time.Minute
	receipts := func(l *v1alpha1.CartRecovery) {
		at := v1alpha1.NewTimestamp(gen.T0.Add(hour))
		m := &l.Status.Conversation[0]
		m.DeliveredAt, m.ReadAt, m.Reaction = &at, &at, "👍"
	}
	reply := func(state v1alpha1.MessageState, at time.Duration) gen.LeadMod {
		return gen.FromUs(replyID, state, gen.T0.Add(at), func(m *v1alpha1.Message) { m.Step = "" },
			attempts(1, gen.T0.Add(at)))
	}
	return []planCase{
		{name: "an edited message is answered as edited, after the debounce", now: hour + 10*time.Second,
			lead: []gen.LeadMod{sent, asks, editedAt(gen.T0.Add(hour + 9*time.Second))}, want: Wait,
			until: hour + 9*time.Second + policy.DefaultReplyDebounce},
		{name: "an edit that is still to come delays nothing", now: hour + 10*time.Second, text: ready(),
			lead: []gen.LeadMod{sent, asks, editedAt(gen.T0.Add(24 * hour))}, want: Send, message: replyID},
		{name: "a refused answer to the old text is written anew", now: hour + 10*time.Minute,
			lead: []gen.LeadMod{sent, reply(v1alpha1.MessageFailed, hour+time.Minute), asks,
				editedAt(gen.T0.Add(hour + 2*time.Minute))}, want: Prepare, message: replyID},
		{name: "a refused answer to the text as it is is sent as it is", now: hour + 10*time.Minute,
			lead: []gen.LeadMod{sent, reply(v1alpha1.MessageFailed, hour+time.Minute), asks,
				editedAt(gen.T0.Add(hour + 30*time.Second))}, want: Send, message: replyID},
		{name: "an answered message that is edited is not answered again", now: later, text: ready(),
			lead: []gen.LeadMod{sent, reply(v1alpha1.MessageSent, hour+time.Minute), asks,
				editedAt(gen.T0.Add(hour + 2*time.Minute))}, want: Wait},
		{name: "receipts and reactions decide nothing", now: later, text: ready(), lead: []gen.LeadMod{sent, receipts},
			want: Wait, until: gen.FirstDue + gen.ExpiresAt},
		{name: "an edit of this moment counts", now: hour + 10*time.Second, text: ready(),
			lead: []gen.LeadMod{sent, asks, editedAt(gen.T0.Add(hour + 10*time.Second))}, want: Wait,
			until: hour + 10*time.Second + policy.DefaultReplyDebounce},
	}
}

// TestTextIDFollowsWhatOthersSay: a text is another once somebody else has said something else, or the Store or the
// Product is another. What becomes of our own messages changes nothing.
func TestTextIDFollowsWhatOthersSay(t *testing.T) {
	sent, long := gen.FromUs(gen.FirstID, v1alpha1.MessageSent, gen.T0), strings.Repeat("a", saidBytes)
	begins := long[:saidBytes-len("…")]
	says := func(text string) gen.LeadMod { return gen.Says("m1", text, gen.T0) }
	of := func(store *v1alpha1.Store, product *v1alpha1.Product, mods ...gen.LeadMod) Snapshot {
		return Snapshot{Lead: gen.Lead(gen.T0, mods...), Store: store, Product: product}
	}
	plain := func(mods ...gen.LeadMod) Snapshot { return of(gen.StoreObject(), gen.ProductObject(), mods...) }
	asks := plain(sent, says("Tem desconto?"))
	changedStore := gen.StoreObject(func(s *v1alpha1.Store) { s.Generation = 9 })
	changedProduct := gen.ProductObject(func(p *v1alpha1.Product) { p.Generation = 9 })
	unknown := gen.FromUs(gen.FirstID, v1alpha1.MessageUnknown, gen.T0)
	other := gen.FromUs(gen.FirstID, v1alpha1.MessageSent, gen.T0, func(m *v1alpha1.Message) { m.Text = "Olá!" })
	for name, row := range map[string]struct {
		one, other Snapshot
		same       bool
	}{
		"what became of a message of ours": {asks, plain(unknown, says("Tem desconto?")), true},
		"what a message of ours says":      {asks, plain(other, says("Tem desconto?")), true},
		"an edit":                          {asks, plain(sent, says("Tem boleto?")), false},
		"a person's text": {
			asks, plain(sent, says("Tem desconto?"), gen.FromPerson("op1", gen.T0)), false,
		},
		"another question": {
			asks, plain(sent, says("Tem desconto?"), gen.FromCustomer("m2", gen.T0)), false,
		},
		"a Store that changed": {
			asks, of(changedStore, gen.ProductObject(), sent, says("Tem desconto?")), false,
		},
		"a Product that changed": {
			asks, of(gen.StoreObject(), changedProduct, sent, says("Tem desconto?")), false,
		},
		"no Product":             {asks, of(gen.StoreObject(), nil, sent, says("Tem desconto?")), false},
		"no Store":               {asks, of(nil, gen.ProductObject(), sent, says("Tem desconto?")), false},
		"the end of a long text": {plain(says(begins + "bbbb")), plain(says(begins + "cccc")), true},
		"its beginning": {
			plain(says(begins[1:] + "bbbbb")), plain(says(begins[1:] + "ccccc")), false,
		},
		"a text that just fits": {plain(says(long)), plain(says(long[1:] + "b")), false},
	} {
		t.Run(name, func(t *testing.T) {
			one, other := row.one.TextID("c0-reply-1"), row.other.TextID("c0-reply-1")
			if same := one == other; same != row.same {
				t.Errorf("the same text: %t, want %t (-one +other):\n%s", same, row.same, cmp.Diff(one, other))
			}
		})
	}
}

func TestResumed(t *testing.T) {
	recovery := gen.Lead(gen.T0, gen.FromPerson("op1", gen.T0), resumeAskedAt(gen.T0.Add(time.Hour)))
	if lead.HandedOff(recovery) {
		t.Fatal("still handed off")
	}
	if !ResumedFor(v1alpha1.ReasonResumed, lead.ResumeRequest(recovery), 4,
		gen.T0.Add(90*time.Minute))(&recovery.Status) || ResumedFor(v1alpha1.ReasonResumed,
		lead.ResumeRequest(recovery), 4, gen.T0.Add(2*time.Hour))(&recovery.Status) {
		t.Error("it is written once")
	}
	want := []metav1.Condition{{Type: v1alpha1.ConditionHandedOff, Status: metav1.ConditionFalse,
		Reason: v1alpha1.ReasonResumed, Message: resumedMessage, ObservedGeneration: 4,
		LastTransitionTime: metav1.NewTime(gen.T0.Add(90*time.Minute + time.Second))}}
	if diff := cmp.Diff(want, recovery.Status.Conditions); diff != "" {
		t.Errorf("conditions (-want +got):\n%s", diff)
	}
	gen.FromPerson("op2", gen.T0.Add(3*time.Hour))(recovery)
	if !lead.HandedOff(recovery) {
		t.Error("a person who writes again has it again")
	}
}

// A request whose time is ahead of the clock gives a conversation back once, and not again
// when the customer asks for a person after it.
func TestResumedAheadOfTheClock(t *testing.T) {
	recovery := gen.Lead(gen.T0, gen.FromPerson("op1", gen.T0), resumeAskedAt(gen.T0.Add(time.Hour)))
	ResumedFor(v1alpha1.ReasonResumed, lead.ResumeRequest(recovery), 1, gen.T0.Add(time.Minute))(&recovery.Status)
	HandedOverFor(v1alpha1.ReasonCustomerAsked, 1, gen.T0.Add(2*time.Minute))(&recovery.Status)
	if !lead.HandedOff(recovery) {
		t.Error("it is given back again")
	}
	resumeAskedAt(gen.T0.Add(2 * time.Hour))(recovery)
	if lead.HandedOff(recovery) {
		t.Error("a new request gives nothing back")
	}
}

// What the customer asked for in the second in which the conversation was given back is over.
func TestResumedWithinTheSecond(t *testing.T) {
	c := planCase{now: time.Hour + time.Minute, text: ready(), lead: []gen.LeadMod{
		gen.FromUs(gen.FirstID, v1alpha1.MessageSent, gen.T0),
		gen.FromCustomer("m1", gen.T0.Add(time.Hour+300*time.Millisecond)), func(l *v1alpha1.CartRecovery) {
			l.Status.Conversation[1].Text = "atendente"
		}, resumedBy(gen.T0.Add(time.Hour + 500*time.Millisecond)),
	}}
	if got := Next(c.snapshot()); got.Kind != Send {
		t.Errorf("got %s, want the answer", got.Kind)
	}
}
