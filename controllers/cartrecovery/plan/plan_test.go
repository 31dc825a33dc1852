package plan

import (
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/contacts"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/policy"
)

// chatter is a conversation with a machine: it answers at once, and is answered.
func chatter(from time.Time, times int) []gen.LeadMod {
	mods := make([]gen.LeadMod, 0, 2*times+1)
	for n := range times {
		at := from.Add(time.Duration(n) * time.Minute)
		id := fmt.Sprintf("auto-%d", n)
		mods = append(mods, gen.Says(id, fmt.Sprintf("Resposta %d", n), at), gen.FromUs(lead.ReplyID(0, id),
			v1alpha1.MessageSent, at.Add(time.Second), func(m *v1alpha1.Message) { m.Step = "" }))
	}
	return append(mods, gen.FromCustomer("again", from.Add(time.Duration(times)*time.Minute)))
}

func done(outcome string, at time.Time) gen.LeadMod {
	return func(recovery *v1alpha1.CartRecovery) {
		Finished(recovery, recovery.Spec.Purchase, outcome, at)(&recovery.Status)
		SetPhase(recovery)
	}
}

func unconfirmedUntil(until time.Time) gen.LeadMod {
	return func(recovery *v1alpha1.CartRecovery) {
		Waiting(BlockedUntil(until, v1alpha1.ReasonUnconfirmed, Unconfirmed), gen.T0)(&recovery.Status)
	}
}

func attempts(count int32, retryAt time.Time) func(*v1alpha1.Message) {
	return func(m *v1alpha1.Message) {
		at := v1alpha1.NewTimestamp(retryAt)
		m.Attempts, m.RetryAt = count, &at
	}
}

// planCase is one row of the table: what is known, and the one thing that follows.
type planCase struct {
	name string
	now  time.Duration // after the abandonment
	lead []gen.LeadMod

	noStore, suspended, suppressed bool
	twin                           *v1alpha1.Purchase
	steps                          []v1alpha1.Step
	instances                      []v1alpha1.WhatsAppInstance // one that is connected when nil
	text                           Draft
	// contact is what is known of the number: nothing, and the gateway cannot tell, when
	// empty.
	contact *contacts.Contact

	// with changes the snapshot further.
	with func(*Snapshot)

	want Kind
	// from is the instance that a message is sent from, says its text.
	from, says string
	// until is when a wait ends, after the abandonment.
	until   time.Duration
	blocked string
	outcome string
	message string
}

const prepareFrom = gen.FirstDue - PrepareAhead

func ready() Draft { return Draft{State: DraftReady, Text: "Oi, Maria!"} }

// messageCases are the rows about messages: the first, answers, refusals, claims.
func messageCases() []planCase {
	away := *gen.InstanceObject(func(i *v1alpha1.WhatsAppInstance) {
		i.Status.Conditions[0].Status = metav1.ConditionFalse
	})
	other := *gen.InstanceObject(func(i *v1alpha1.WhatsAppInstance) { i.Name = "second" })
	paused := *gen.InstanceObject(func(i *v1alpha1.WhatsAppInstance) {
		i.Status.NewConversationsPausedUntil = &metav1.Time{Time: gen.T0.Add(24 * time.Hour)}
	})
	sent := gen.FromUs(gen.FirstID, v1alpha1.MessageSent, gen.T0.Add(gen.FirstDue))
	replyID := lead.ReplyID(0, "m1")
	twoSteps := []v1alpha1.Step{
		{Name: "first", After: v1alpha1.Duration{Duration: gen.FirstDue}},
		{Name: "second", After: v1alpha1.Duration{Duration: time.Hour}},
	}
	minute := time.Minute
	return []planCase{
		// The first message.
		{name: "a fresh lead waits until its text is wanted", now: 0, want: Wait, until: prepareFrom},
		{name: "a little ahead of the due time the text is written", now: prepareFrom, want: Prepare,
			message: gen.FirstID},
		{name: "a text that is being written is waited for", now: prepareFrom, text: Draft{State: DraftPending},
			want: Wait, until: gen.FirstDue},
		{name: "a text that is ready early waits for its due time", now: prepareFrom + time.Second, text: ready(),
			want: Wait, until: gen.FirstDue},
		{name: "a text that is ready is sent when due", now: gen.FirstDue, text: ready(), want: Send,
			message: gen.FirstID},
		{name: "an overdue lead with no text after a restart has it written at once", now: 5 * time.Hour, want: Prepare,
			message: gen.FirstID},
		{name: "an overdue lead with a text sends at once", now: 5 * time.Hour, text: ready(), want: Send,
			message: gen.FirstID},
		{name: "after the only step the lead waits for an answer", now: time.Hour, lead: []gen.LeadMod{sent},
			want: Wait, until: gen.FirstDue + gen.ExpiresAt},

		// The AI fails.
		{name: "a failed text before the due time is asked for again, unblocked", now: gen.FirstDue - 30*time.Second,
			text: Draft{State: DraftFailed, Reason: v1alpha1.ReasonAIUnavailable,
				RetryAt: gen.T0.Add(gen.FirstDue - 20*time.Second)}, want: Wait, until: gen.FirstDue - 20*time.Second},
		{name: "a failed text after the due time blocks", now: gen.FirstDue + minute,
			text: Draft{State: DraftFailed, Reason: v1alpha1.ReasonAIUnavailable,
				RetryAt: gen.T0.Add(gen.FirstDue + 2*minute)}, want: Wait, until: gen.FirstDue + 2*minute,
			blocked: v1alpha1.ReasonAIUnavailable},
		{name: "a failed text is asked for again when it is time", now: gen.FirstDue + 2*minute,
			text: Draft{State: DraftFailed, RetryAt: gen.T0.Add(gen.FirstDue + 2*minute)}, want: Prepare,
			message: gen.FirstID},

		// No number to send from.
		{name: "without an instance the lead is blocked", now: gen.FirstDue, instances: []v1alpha1.WhatsAppInstance{},
			want: Wait, until: gen.ExpiresAt, blocked: v1alpha1.ReasonNoConnectedInstance},
		{name: "with a disconnected instance the lead is blocked", now: gen.FirstDue,
			instances: []v1alpha1.WhatsAppInstance{away}, want: Wait, until: gen.ExpiresAt,
			blocked: v1alpha1.ReasonNoConnectedInstance},
		{name: "a new conversation goes to an instance that is connected", now: gen.FirstDue, text: ready(),
			instances: []v1alpha1.WhatsAppInstance{away, other}, want: Send, message: gen.FirstID},
		{name: "a restricted number starts no conversation", now: gen.FirstDue, text: ready(),
			instances: []v1alpha1.WhatsAppInstance{paused}, want: Wait, until: 24 * time.Hour,
			blocked: v1alpha1.ReasonRestricted},
		{name: "a restricted number still answers", now: time.Hour + 3*time.Second, text: ready(),
			instances: []v1alpha1.WhatsAppInstance{paused},
			lead:      []gen.LeadMod{sent, gen.FromCustomer("m1", gen.T0.Add(time.Hour))}, want: Send,
			message: replyID},
		{name: "a conversation never moves to another number unasked", now: time.Hour + 3*time.Second, text: ready(),
			instances: []v1alpha1.WhatsAppInstance{away, other},
			lead:      []gen.LeadMod{sent, gen.FromCustomer("m1", gen.T0.Add(time.Hour))}, want: Wait,
			until: time.Hour + gen.ExpiresAt, blocked: v1alpha1.ReasonNoConnectedInstance},

		// A claim without a confirmation.
		{name: "a fresh claim is left alone", now: gen.FirstDue + time.Second,
			lead: []gen.LeadMod{gen.FromUs(gen.FirstID, v1alpha1.MessageClaimed, gen.T0.Add(gen.FirstDue))}, want: Wait,
			until: gen.FirstDue + AskAfter},
		{name: "a claim as old as a call can last is asked for", now: gen.FirstDue + AskAfter,
			lead: []gen.LeadMod{gen.FromUs(gen.FirstID, v1alpha1.MessageClaimed, gen.T0.Add(gen.FirstDue))},
			want: Resolve, message: gen.FirstID},
		{name: "a claim the gateway did not know is not asked for again before its time", now: gen.FirstDue + AskAfter +
			time.Second,
			lead: []gen.LeadMod{gen.FromUs(gen.FirstID, v1alpha1.MessageClaimed, gen.T0.Add(gen.FirstDue)),
				unconfirmedUntil(gen.T0.Add(gen.FirstDue + 30*time.Second))},
			want: Wait, until: gen.FirstDue + 30*time.Second, blocked: v1alpha1.ReasonUnconfirmed},
		{name: "and then it is", now: gen.FirstDue + 30*time.Second,
			lead: []gen.LeadMod{gen.FromUs(gen.FirstID, v1alpha1.MessageClaimed, gen.T0.Add(gen.FirstDue)),
				unconfirmedUntil(gen.T0.Add(gen.FirstDue + 30*time.Second))}, want: Resolve, message: gen.FirstID},
		{name: "a claim is resolved before a purchase is counted", now: gen.FirstDue + minute,
			lead: []gen.LeadMod{gen.FromUs(gen.FirstID, v1alpha1.MessageClaimed, gen.T0.Add(gen.FirstDue)),
				gen.Bought(gen.T0.Add(gen.FirstDue + time.Second))}, want: Resolve, message: gen.FirstID},
		{name: "a claim is resolved even when suspended", now: gen.FirstDue + minute, suspended: true,
			lead: []gen.LeadMod{gen.FromUs(gen.FirstID, v1alpha1.MessageClaimed, gen.T0.Add(gen.FirstDue))},
			want: Resolve, message: gen.FirstID},
		{name: "an unknown message is not sent again", now: time.Hour,
			lead: []gen.LeadMod{gen.FromUs(gen.FirstID, v1alpha1.MessageUnknown, gen.T0.Add(gen.FirstDue))}, want: Wait,
			until: gen.ExpiresAt},
		{name: "a cancelled message is not sent again", now: time.Hour,
			lead: []gen.LeadMod{gen.FromUs(gen.FirstID, v1alpha1.MessageCancelled, gen.T0.Add(gen.FirstDue))},
			want: Wait, until: gen.ExpiresAt},

		// The gateway refuses.
		{name: "a refused message waits for its next attempt", now: gen.FirstDue + time.Second,
			lead: []gen.LeadMod{gen.FromUs(gen.FirstID, v1alpha1.MessageFailed, gen.T0.Add(gen.FirstDue),
				attempts(1, gen.T0.Add(gen.FirstDue+2*minute)))}, want: Wait, until: gen.FirstDue + minute},
		{name: "a refused message is sent again with the same text", now: gen.FirstDue + 2*minute,
			lead: []gen.LeadMod{gen.FromUs(gen.FirstID, v1alpha1.MessageFailed, gen.T0.Add(gen.FirstDue),
				attempts(2, gen.T0.Add(gen.FirstDue+2*minute)))}, want: Send, message: gen.FirstID},
		{name: "after three attempts the lead fails", now: gen.FirstDue + 2*minute,
			lead: []gen.LeadMod{gen.FromUs(gen.FirstID, v1alpha1.MessageFailed, gen.T0.Add(gen.FirstDue),
				attempts(3, gen.T0.Add(gen.FirstDue+2*minute)))}, want: Finish, outcome: v1alpha1.ReasonSendFailed},
		{name: "a number without WhatsApp ends the lead", now: gen.FirstDue + time.Second,
			lead: []gen.LeadMod{gen.FromUs(gen.FirstID, v1alpha1.MessageFailed, gen.T0.Add(gen.FirstDue),
				func(m *v1alpha1.Message) { m.Error = v1alpha1.ReasonNotOnWhatsApp })}, want: Finish,
			outcome: v1alpha1.ReasonNotOnWhatsApp},

		// Answers.
		{name: "an answer waits for the debounce", now: time.Hour + time.Second,
			lead: []gen.LeadMod{sent, gen.FromCustomer("m1", gen.T0.Add(time.Hour))}, want: Wait,
			until: time.Hour + policy.DefaultReplyDebounce},
		{name: "then its text is written", now: time.Hour + policy.DefaultReplyDebounce,
			lead: []gen.LeadMod{sent, gen.FromCustomer("m1", gen.T0.Add(time.Hour))}, want: Prepare, message: replyID},
		{name: "and sent", now: time.Hour + policy.DefaultReplyDebounce, text: ready(),
			lead: []gen.LeadMod{sent, gen.FromCustomer("m1", gen.T0.Add(time.Hour))}, want: Send, message: replyID},
		{name: "several messages get one answer, to the last", now: time.Hour + policy.DefaultReplyDebounce,
			lead: []gen.LeadMod{sent, gen.FromCustomer("m0", gen.T0.Add(time.Hour-time.Second)),
				gen.FromCustomer("m1", gen.T0.Add(time.Hour))}, want: Prepare, message: replyID},
		{name: "an answered message is not answered again", now: 2 * time.Hour,
			lead: []gen.LeadMod{sent, gen.FromCustomer("m1", gen.T0.Add(time.Hour)),
				gen.FromUs(replyID, v1alpha1.MessageSent, gen.T0.Add(time.Hour+5*time.Second))}, want: Wait,
			until: time.Hour + 5*time.Second + gen.ExpiresAt},

		// The sequence.
		{name: "the second step counts from the first", now: gen.FirstDue + minute, steps: twoSteps,
			lead: []gen.LeadMod{sent}, want: Wait, until: gen.FirstDue + time.Hour - PrepareAhead},
		{name: "the second step is sent", now: gen.FirstDue + time.Hour, steps: twoSteps, text: ready(),
			lead: []gen.LeadMod{sent}, want: Send, message: "c0-step-second"},
		{name: "an answer ends the sequence", now: 3 * time.Hour, steps: twoSteps,
			lead: []gen.LeadMod{sent, gen.FromCustomer("m1", gen.T0.Add(time.Hour)),
				gen.FromUs(replyID, v1alpha1.MessageSent, gen.T0.Add(time.Hour+5*time.Second))}, want: Wait,
			until: time.Hour + 5*time.Second + gen.ExpiresAt},
		{name: "a step that was renamed does not write to everybody again", now: 2 * time.Hour, text: ready(),
			steps: []v1alpha1.Step{{Name: "hello", After: v1alpha1.Duration{Duration: gen.FirstDue}}},
			lead:  []gen.LeadMod{sent}, want: Wait, until: gen.FirstDue + gen.ExpiresAt},
		{name: "nor does one that was put before it", now: 2 * time.Hour, text: ready(),
			steps: []v1alpha1.Step{{Name: "hello", After: v1alpha1.Duration{Duration: minute}},
				{Name: "first", After: v1alpha1.Duration{Duration: gen.FirstDue}}}, lead: []gen.LeadMod{sent},
			want: Wait, until: gen.FirstDue + gen.ExpiresAt},
		{name: "one that is put after it is sent", now: 2 * time.Hour, text: ready(),
			steps: []v1alpha1.Step{{Name: "hello", After: v1alpha1.Duration{Duration: minute}},
				{Name: "last", After: v1alpha1.Duration{Duration: minute}}}, lead: []gen.LeadMod{sent}, want: Send,
			message: "c0-step-last"},
		{name: "two machines that answer each other come to an end", now: 90 * time.Minute, text: ready(),
			lead: append([]gen.LeadMod{sent}, chatter(gen.T0.Add(time.Hour), 20)...), want: Wait,
			until: 2*time.Hour + time.Second, blocked: v1alpha1.ReasonTooManyAnswers},
		{name: "an hour later they may go on", now: 2*time.Hour + time.Second, text: ready(),
			lead: append([]gen.LeadMod{sent}, chatter(gen.T0.Add(time.Hour), 20)...), want: Send,
			message: lead.ReplyID(0, "again")},
		{name: "a trigger without a sequence is blocked", now: gen.FirstDue,
			lead: []gen.LeadMod{func(l *v1alpha1.CartRecovery) { l.Spec.Trigger = v1alpha1.TriggerPixPending }},
			want: Wait, until: gen.ExpiresAt, blocked: v1alpha1.ReasonNoSequence},
	}
}

// outcomeCases are the rows about purchases, people's wishes, and the end.
func outcomeCases() []planCase {
	sent := gen.FromUs(gen.FirstID, v1alpha1.MessageSent, gen.T0.Add(gen.FirstDue))
	minute := time.Minute
	return []planCase{
		// The kill switch.
		{name: "bought before contact", now: minute, lead: []gen.LeadMod{gen.Bought(gen.T0.Add(minute))}, want: Finish,
			outcome: v1alpha1.ReasonBoughtBeforeContact},
		{name: "bought after contact", now: time.Hour, lead: []gen.LeadMod{sent, gen.Bought(gen.T0.Add(time.Hour))},
			want: Finish, outcome: v1alpha1.ReasonBoughtAfterContact},
		{name: "bought, by the platform's clock, before our message", now: time.Hour,
			lead: []gen.LeadMod{sent, gen.Bought(gen.T0.Add(minute))}, want: Finish,
			outcome: v1alpha1.ReasonBoughtBeforeContact},
		{name: "a purchase wins over a text that is due", now: gen.FirstDue, text: ready(),
			lead: []gen.LeadMod{gen.Bought(gen.T0.Add(minute))}, want: Finish,
			outcome: v1alpha1.ReasonBoughtBeforeContact},
		{name: "a purchase that stands on another lead of the customer counts", now: gen.FirstDue, text: ready(),
			twin: &v1alpha1.Purchase{EventID: "e1", At: v1alpha1.NewTimestamp(gen.T0.Add(minute))}, want: Finish,
			outcome: v1alpha1.ReasonBoughtBeforeContact},
		{name: "a purchase wins over a suspended store", now: gen.FirstDue, suspended: true,
			lead: []gen.LeadMod{gen.Bought(gen.T0.Add(minute))}, want: Finish,
			outcome: v1alpha1.ReasonBoughtBeforeContact},
		{name: "a purchase of another product stops and is not ours", now: time.Hour,
			lead: []gen.LeadMod{sent, gen.Bought(gen.T0.Add(time.Hour)), func(l *v1alpha1.CartRecovery) {
				l.Spec.Purchase.Unattributed = true
			}}, want: Finish, outcome: v1alpha1.ReasonPurchaseNotAttributed},
		{name: "a failed message is no contact", now: time.Hour,
			lead: []gen.LeadMod{gen.FromUs(gen.FirstID, v1alpha1.MessageFailed, gen.T0.Add(gen.FirstDue),
				attempts(1, gen.T0.Add(gen.FirstDue))), gen.Bought(gen.T0.Add(time.Hour))}, want: Finish,
			outcome: v1alpha1.ReasonBoughtBeforeContact},
		{name: "a purchase after we gave up still counts", now: 100 * time.Hour,
			lead: []gen.LeadMod{sent, done(v1alpha1.ReasonUnanswered, gen.T0.Add(90*time.Hour)),
				gen.Bought(gen.T0.Add(99 * time.Hour))}, want: Finish, outcome: v1alpha1.ReasonBoughtAfterContact},
		{name: "a reversal of another sale leaves the purchase", now: 100 * time.Hour,
			lead: []gen.LeadMod{sent, gen.Bought(gen.T0.Add(time.Hour)), func(l *v1alpha1.CartRecovery) {
				l.Spec.Purchase.TransactionID = "T1"
				l.Spec.Reversal = &v1alpha1.Reversal{EventID: "e2", Kind: v1alpha1.ReversalRefund, TransactionID: "T2",
					At: v1alpha1.NewTimestamp(gen.T0.Add(99 * time.Hour))}
			}}, want: Finish, outcome: v1alpha1.ReasonBoughtAfterContact},
		{name: "a reversal takes the purchase back", now: 100 * time.Hour,
			lead: []gen.LeadMod{sent, done(v1alpha1.ReasonBoughtAfterContact, gen.T0.Add(time.Hour)),
				gen.Bought(gen.T0.Add(time.Hour)), func(l *v1alpha1.CartRecovery) {
					l.Spec.Reversal = &v1alpha1.Reversal{EventID: "e2", Kind: v1alpha1.ReversalRefund,
						At: v1alpha1.NewTimestamp(gen.T0.Add(99 * time.Hour))}
				}}, want: Finish, outcome: v1alpha1.ReasonReversed},

		{name: "another sale stands for the one that was taken back", now: 100 * time.Hour, lead: []gen.LeadMod{
			sent, done(v1alpha1.ReasonReversed, gen.T0.Add(time.Hour)), gen.Bought(gen.T0.Add(2 * time.Hour)),
			worth("10", gen.T0.Add(time.Hour)), func(l *v1alpha1.CartRecovery) {
				l.Spec.Purchase.TransactionID = "T2"
				l.Spec.Reversal = &v1alpha1.Reversal{
					EventID: "e2", Kind: v1alpha1.ReversalRefund, TransactionID: "T1",
					At: v1alpha1.NewTimestamp(gen.T0.Add(3 * time.Hour)),
				}
			},
		}, want: Finish, outcome: v1alpha1.ReasonBoughtAfterContact},
		{name: "another sale counts than the result tells", now: 100 * time.Hour, lead: []gen.LeadMod{
			sent, done(v1alpha1.ReasonBoughtAfterContact, gen.T0.Add(time.Hour)), gen.Bought(gen.T0.Add(time.Hour)),
			worth("1000", gen.T0.Add(time.Hour)),
		}, want: Finish, outcome: v1alpha1.ReasonBoughtAfterContact},
		{name: "the result tells of the sale that counts", now: 100 * time.Hour, lead: []gen.LeadMod{
			sent, done(v1alpha1.ReasonBoughtAfterContact, gen.T0.Add(time.Hour)), gen.Bought(gen.T0.Add(time.Hour)),
			worth("", gen.T0.Add(time.Hour)),
		}, want: Wait, until: 720*time.Hour + time.Hour},

		// People's wishes, and what stands in the way.
		{name: "a suppressed number is never written to", now: gen.FirstDue, text: ready(), suppressed: true,
			want: Finish, outcome: v1alpha1.ReasonOptedOut},
		{name: "a customer who asks us to stop is not answered", now: time.Hour + policy.DefaultReplyDebounce,
			text: ready(),
			lead: []gen.LeadMod{sent, gen.FromCustomer("m1", gen.T0.Add(time.Hour)), func(l *v1alpha1.CartRecovery) {
				l.Status.Conversation[1].Text = "PARAR"
			}}, want: Send, message: lead.OptOutID(0)},
		{name: "but told once that nothing more will come", now: time.Hour + time.Minute, text: ready(),
			lead: []gen.LeadMod{sent, gen.FromCustomer("m1", gen.T0.Add(time.Hour)), func(l *v1alpha1.CartRecovery) {
				l.Status.Conversation[1].Text = "PARAR"
			}, gen.FromUs(lead.OptOutID(0), v1alpha1.MessageSent, gen.T0.Add(time.Hour+time.Second))}, want: Finish,
			outcome: v1alpha1.ReasonOptedOut},
		{name: "and not after ten minutes", now: time.Hour + noticeWithin, text: ready(),
			lead: []gen.LeadMod{sent, gen.FromCustomer("m1", gen.T0.Add(time.Hour)), func(l *v1alpha1.CartRecovery) {
				l.Status.Conversation[1].Text = "PARAR"
			}}, want: Finish, outcome: v1alpha1.ReasonOptedOut},
		{name: "a lead without its labels gets them before anything is sent", now: gen.FirstDue, text: ready(),
			lead: []gen.LeadMod{func(l *v1alpha1.CartRecovery) { l.Labels = nil }}, want: Label},
		{name: "a suspended store waits", now: gen.FirstDue, text: ready(), suspended: true, want: Wait,
			until: gen.ExpiresAt, blocked: v1alpha1.ReasonSuspended},
		{name: "a suspended lead waits", now: gen.FirstDue, text: ready(),
			lead: []gen.LeadMod{func(l *v1alpha1.CartRecovery) { l.Spec.Suspend = true }}, want: Wait,
			until: gen.ExpiresAt, blocked: v1alpha1.ReasonSuspended},
		{name: "a lead without its store waits", now: gen.FirstDue, noStore: true, want: Wait, until: gen.ExpiresAt,
			blocked: v1alpha1.ReasonStoreNotFound},

		// The end.
		{name: "never contacted", now: gen.ExpiresAt, want: Finish, outcome: v1alpha1.ReasonNeverContacted},
		{name: "expires although suspended", now: gen.ExpiresAt, suspended: true, want: Finish,
			outcome: v1alpha1.ReasonNeverContacted},
		{name: "unanswered", now: gen.FirstDue + gen.ExpiresAt, lead: []gen.LeadMod{sent}, want: Finish,
			outcome: v1alpha1.ReasonUnanswered},
		{name: "the conversation ended", now: time.Hour + gen.ExpiresAt,
			lead: []gen.LeadMod{sent, gen.FromCustomer("m1", gen.T0.Add(time.Hour))}, want: Finish,
			outcome: v1alpha1.ReasonConversationEnded},
		{name: "a finished lead is kept", now: 2 * time.Hour, lead: []gen.LeadMod{gen.Bought(gen.T0.Add(time.Hour)),
			done(v1alpha1.ReasonBoughtBeforeContact, gen.T0.Add(time.Hour))}, want: Wait,
			until: time.Hour + policy.DefaultTTLAfterFinished},
		{name: "a finished lead is deleted after its time", now: time.Hour + policy.DefaultTTLAfterFinished,
			lead: []gen.LeadMod{gen.Bought(gen.T0.Add(time.Hour)), done(v1alpha1.ReasonBoughtBeforeContact,
				gen.T0.Add(time.Hour))}, want: Remove},
		{name: "a purchase without a cart goes sooner", now: time.Hour + policy.DefaultTTLAfterPurchaseOnly,
			lead: []gen.LeadMod{gen.Bought(gen.T0.Add(time.Hour)), done(v1alpha1.ReasonBoughtBeforeContact,
				gen.T0.Add(time.Hour)), func(l *v1alpha1.CartRecovery) { l.Spec.AbandonedAt = nil }}, want: Remove},
		{name: "one that ended keeps no open payment", now: 2 * gen.ExpiresAt,
			lead: []gen.LeadMod{sent, done(v1alpha1.ReasonUnanswered, gen.T0.Add(gen.ExpiresAt)), paying}, want: Label},
		{name: "an open one does", now: 0, text: ready(), lead: []gen.LeadMod{paying}, want: Wait,
			until: gen.FirstDue - PrepareAhead},
		{name: "the end of a payment that nobody reported as open writes to nobody", now: gen.FirstDue, text: ready(),
			lead: []gen.LeadMod{func(l *v1alpha1.CartRecovery) { l.Spec.AbandonedAt, l.Spec.Trigger = nil, "" }},
			want: Wait, until: gen.ExpiresAt},
		{name: "a purchase is remembered however long ago we gave up", now: 721 * time.Hour,
			lead: []gen.LeadMod{gen.Bought(gen.T0.Add(719 * time.Hour)), done(v1alpha1.ReasonBoughtBeforeContact,
				gen.T0)},
			want: Wait, until: 719*time.Hour + policy.DefaultTTLAfterPurchaseOnly},
		{name: "a lead that is being deleted is left alone", now: gen.FirstDue, text: ready(),
			lead: []gen.LeadMod{func(l *v1alpha1.CartRecovery) { l.DeletionTimestamp = &metav1.Time{Time: gen.T0} }},
			want: Wait},
	}
}

func paying(l *v1alpha1.CartRecovery) {
	l.Spec.Payment = &v1alpha1.Payment{Method: v1alpha1.PaymentPix}
}

func (c *planCase) snapshot() Snapshot {
	s := Snapshot{
		Lead: gen.Lead(gen.T0, c.lead...), Store: gen.StoreObject(), Suppressed: c.suppressed, SiblingPurchase: c.twin,
		Instances: c.instances, Now: gen.T0.Add(c.now),
		Draft:    func(TextID) Draft { return c.text },
		Capacity: func(*v1alpha1.WhatsAppInstance, time.Time) Capacity { return Capacity{} },
		Contact:  func(*v1alpha1.WhatsAppInstance) contacts.Contact { return contacts.Contact{State: contacts.Unsure} },
	}
	if c.contact != nil {
		s.Contact = func(*v1alpha1.WhatsAppInstance) contacts.Contact { return *c.contact }
	}
	s.Store.Spec.Suspend = c.suspended
	s.Store.Spec.Recovery.FirstMessageNotice = ptr.To("")
	if c.steps != nil {
		s.Store.Spec.Recovery.Sequences = []v1alpha1.Sequence{{Trigger: v1alpha1.TriggerAbandonedCart, Steps: c.steps}}
	}
	if c.instances == nil {
		s.Instances = []v1alpha1.WhatsAppInstance{*gen.InstanceObject()}
	}
	s.Policy = policy.Resolve(s.Store, nil)
	if c.noStore {
		s.Store = nil
	}
	if c.with != nil {
		c.with(&s)
	}
	return s
}

// worth is what a recovery was written to be worth, by a purchase at a time.
func worth(amount string, at time.Time) gen.LeadMod {
	return func(l *v1alpha1.CartRecovery) {
		boughtAt := v1alpha1.NewTimestamp(at)
		l.Status.Result = &v1alpha1.RecoveryResult{Amount: amount, BoughtAt: &boughtAt}
	}
}

// allCases are the rows of all tables.
func allCases() []planCase {
	return slices.Concat(messageCases(), outcomeCases(), handOffCases(), contactCases(), senderCases(), wishCases(),
		textCases(),
		quietCases(), earlyCases(), lateCases(), costCases(), paidCases(), machineCases(), stopCases(), paymentCases(),
		resumeCases(), noticeCases(), restoredCases())
}

func TestPlan(t *testing.T) {
	for _, c := range allCases() {
		t.Run(c.name, func(t *testing.T) {
			s := c.snapshot()
			before := s.Lead.DeepCopy()
			c.check(t, Next(s))
			if !equalLead(before, s.Lead) {
				t.Error("the lead was changed")
			}
		})
	}
}

// check compares what was decided with what a row wants.
func (c *planCase) check(t *testing.T, got Action) {
	t.Helper()
	differs := func(what string, got, want any) { t.Helper(); t.Errorf("%s is %v, want %v", what, got, want) }
	if got.Kind != c.want || got.Blocked != c.blocked || got.Outcome != c.outcome {
		differs("the action", []any{got.Kind, got.Blocked, got.Outcome}, []any{c.want, c.blocked, c.outcome})
	}
	if c.message != "" && got.Message.ID != c.message {
		differs("the message", got.Message.ID, c.message)
	}
	if until := got.Until.Sub(gen.T0); got.Kind == Wait && c.until != 0 && until != c.until {
		differs("the end of the wait, after the abandonment,", until, c.until)
	}
	if from := got.Message.Instance; c.from != "" && (from == nil || from.Name != c.from) {
		differs("the instance", from, c.from)
	}
	if c.says != "" && got.Message.Text != c.says {
		differs("the text", got.Message.Text, c.says)
	}
	if got.Kind == Send && (got.Message.Text == "" || got.Message.Instance == nil) {
		differs("what is sent", got.Message, "one with a text and an instance")
	}
	if t.Failed() {
		t.Logf("rule %s decided, because: %s", got.Rule, got.Why)
	}
}

// TestEveryRuleDecides: each rule has a row in which it is the one that decides, and a name of its own.
func TestEveryRuleDecides(t *testing.T) {
	rows := map[string]int{}
	for _, c := range allCases() {
		rows[Next(c.snapshot()).Rule]++
	}
	known := map[string]bool{ruleNone: true}
	for _, each := range rules {
		if known[each.name] {
			t.Errorf("two rules are named %s", each.name)
		}
		known[each.name] = true
	}
	for name := range known {
		if rows[name] == 0 {
			t.Errorf("there is no row in which rule %s decides", name)
		}
	}
}

// TestEveryGateHolds: each gate has a row in which it is the one that holds the message, and a name of its own.
func TestEveryGateHolds(t *testing.T) {
	rows := map[string]int{}
	for _, c := range allCases() {
		rows[Next(c.snapshot()).Gate]++
	}
	known := map[string]bool{gatePace: true}
	for i := range gates {
		if known[gates[i].name] {
			t.Errorf("two gates are named %s", gates[i].name)
		}
		known[gates[i].name] = true
		if rows[gates[i].name] == 0 {
			t.Errorf("there is no row in which gate %s holds a message", gates[i].name)
		}
	}
}

// TestGatesAreDocumented: the table of gates in the documentation has the gates, in their order, and the messages
// that have to pass them.
func TestGatesAreDocumented(t *testing.T) {
	written, err := os.ReadFile("../../../docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(written), "| gate | of | holds |")
	mark := func(of kinds) string {
		var names []string
		for i, name := range []string{"steps", "answers", "notices"} {
			if of&(1<<i) != 0 {
				names = append(names, name)
			}
		}
		return strings.Join(names, ", ")
	}
	for _, each := range append(slices.Clone(gates), gate{name: gatePace, of: steps | answers | notices}) {
		row := "| `" + each.name + "` | " + mark(each.of) + " |"
		_, after, found := strings.Cut(table, row)
		if !found {
			t.Fatalf("docs/architecture.md: the table of gates lacks %q, or has it in another place", row)
		}
		table = after
	}
}

// TestRulesAreDocumented: the table of rules in the documentation has the rules, in their order.
func TestRulesAreDocumented(t *testing.T) {
	written, err := os.ReadFile("../../../docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(written), "| rule | says |")
	for _, each := range rules {
		_, after, found := strings.Cut(table, "`"+each.name+"`")
		if !found {
			t.Fatalf("docs/architecture.md: the table of rules lacks %s, or has it in another place", each.name)
		}
		table = after
	}
}

func TestPlanNextResolve(t *testing.T) {
	for age, want := range map[time.Duration]time.Duration{
		0:                AskAfter,
		10 * time.Second: 30 * time.Second,
		31 * time.Second: Grace,
		Grace:            2 * time.Minute,
		5 * time.Minute:  6 * time.Minute,
	} {
		if got := NextResolve(gen.T0, gen.T0.Add(age)); !got.Equal(gen.T0.Add(want)) {
			t.Errorf("at age %s: asks again at %s, want %s", age, got.Sub(gen.T0), want)
		}
	}
}

func BenchmarkPlan(b *testing.B) {
	c := planCase{now: gen.FirstDue, text: ready()}
	s := c.snapshot()
	b.ReportAllocs()
	for b.Loop() {
		if Next(s).Kind != Send {
			b.Fatal("not sent")
		}
	}
}

func equalLead(a, b *v1alpha1.CartRecovery) bool {
	return reflect.DeepEqual(a, b)
}

// TestPlannedFor: a lead that a person made says what is planned for it, as others do.
func TestPlannedFor(t *testing.T) {
	store := gen.StoreObject()
	for name, row := range map[string]struct {
		change func(*v1alpha1.CartRecovery)
		want   string
	}{
		"a cart": {func(*v1alpha1.CartRecovery) {},
			gen.T0.Add(gen.FirstDue).UTC().Format(time.RFC3339) + " first"},
		"one that was written to": {gen.FromUs(gen.FirstID, v1alpha1.MessageSent, gen.T0.Add(gen.FirstDue)), ""},
		"one that was bought":     {gen.Bought(gen.T0), ""},
		"a purchase alone":        {func(l *v1alpha1.CartRecovery) { l.Spec.AbandonedAt = nil }, ""},
		"no sequence":             {func(l *v1alpha1.CartRecovery) { l.Spec.Trigger = v1alpha1.TriggerPixPending }, ""},
	} {
		recovery := gen.Lead(gen.T0)
		row.change(recovery)
		s := Snapshot{Lead: recovery, Store: store, Policy: policy.Resolve(store, nil), Now: gen.T0}
		if got := PlannedFor(&s); got != row.want {
			t.Errorf("%s: %q, want %q", name, got, row.want)
		}
	}
}
