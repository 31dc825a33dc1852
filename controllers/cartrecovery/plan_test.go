package cartrecovery

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/policy"
)

// t0 is when every lead of these tests was abandoned.
var t0 = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

type leadMod = func(*v1alpha1.CartRecovery)

func ours(id string, state v1alpha1.MessageState, at time.Time, mods ...func(*v1alpha1.Message)) leadMod {
	return func(recovery *v1alpha1.CartRecovery) {
		m := v1alpha1.Message{
			ID: id, Role: v1alpha1.RoleAssistant, Step: policy.DefaultStepName, Text: "Oi!",
			State: state, At: v1alpha1.NewTimestamp(at), Attempts: 1,
		}
		if state == v1alpha1.MessageSent {
			sent := v1alpha1.NewTimestamp(at)
			m.SentAt = &sent
		}
		for _, mod := range mods {
			mod(&m)
		}
		recovery.Status.Conversation = append(recovery.Status.Conversation, m)
		recovery.Status.InstanceRef = &v1alpha1.ObjectReference{Name: gen.Instance}
	}
}

func theirs(id string, at time.Time) leadMod {
	return func(recovery *v1alpha1.CartRecovery) {
		recovery.Status.Conversation = append(recovery.Status.Conversation, v1alpha1.Message{
			ID: id, Role: v1alpha1.RoleCustomer, Text: "Tem desconto?", At: v1alpha1.NewTimestamp(at),
		})
	}
}

func says(id, text string, at time.Time) leadMod {
	return func(recovery *v1alpha1.CartRecovery) {
		theirs(id, at)(recovery)
		recovery.Status.Conversation[len(recovery.Status.Conversation)-1].Text = text
	}
}

// chatter is a conversation with a machine: it answers at once, and is answered.
func chatter(from time.Time, times int) []leadMod {
	mods := make([]leadMod, 0, 2*times+1)
	for n := range times {
		at := from.Add(time.Duration(n) * time.Minute)
		id := fmt.Sprintf("auto-%d", n)
		mods = append(mods, says(id, fmt.Sprintf("Resposta %d", n), at), ours(lead.ReplyID(0, id), v1alpha1.MessageSent, at.Add(time.Second), func(m *v1alpha1.Message) { m.Step = "" }))
	}
	return append(mods, theirs("again", from.Add(time.Duration(times)*time.Minute)))
}

func bought(at time.Time) leadMod {
	return func(recovery *v1alpha1.CartRecovery) {
		recovery.Spec.Purchase = &v1alpha1.Purchase{EventID: "e1", At: v1alpha1.NewTimestamp(at)}
	}
}

func done(outcome string, at time.Time) leadMod {
	return func(recovery *v1alpha1.CartRecovery) {
		finished(recovery, recovery.Spec.Purchase, outcome, at)(&recovery.Status)
		sumUp(recovery)
	}
}

func unconfirmedUntil(until time.Time) leadMod {
	return func(recovery *v1alpha1.CartRecovery) {
		waiting(blockedUntil(until, v1alpha1.ReasonUnconfirmed, unconfirmed), t0)(&recovery.Status)
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
	lead []leadMod

	noStore, suspended, suppressed bool
	twin                           *v1alpha1.Purchase
	steps                          []v1alpha1.Step
	instances                      []v1alpha1.WhatsAppInstance // one that is connected when nil
	text                           draft
	// contact is what is known of the number: nothing, and the gateway cannot tell, when
	// empty.
	contact *contact

	// with changes the situation further.
	with func(*situation)

	want kind
	// from is the instance that a message is sent from, says its text.
	from, says string
	// until is when a wait ends, after the abandonment.
	until   time.Duration
	blocked string
	outcome string
	message string
}

const (
	firstDue    = policy.DefaultFirstDelay
	firstID     = "c0-step-first"
	expiresAt   = policy.DefaultExpireAfter
	prepareFrom = firstDue - prepareAhead
)

func ready() draft { return draft{state: draftReady, text: "Oi, Maria!"} }

// messageCases are the rows about messages: the first, answers, refusals, claims.
func messageCases() []planCase {
	away := *gen.InstanceObject(func(i *v1alpha1.WhatsAppInstance) { i.Status.Conditions[0].Status = metav1.ConditionFalse })
	other := *gen.InstanceObject(func(i *v1alpha1.WhatsAppInstance) { i.Name = "second" })
	paused := *gen.InstanceObject(func(i *v1alpha1.WhatsAppInstance) {
		i.Status.NewConversationsPausedUntil = &metav1.Time{Time: t0.Add(24 * time.Hour)}
	})
	sent := ours(firstID, v1alpha1.MessageSent, t0.Add(firstDue))
	replyID := lead.ReplyID(0, "m1")
	twoSteps := []v1alpha1.Step{
		{Name: "first", After: v1alpha1.Duration{Duration: firstDue}},
		{Name: "second", After: v1alpha1.Duration{Duration: time.Hour}},
	}
	minute := time.Minute
	return []planCase{
		// The first message.
		{name: "a fresh lead waits until its text is wanted", now: 0, want: wait, until: prepareFrom},
		{name: "a little ahead of the due time the text is written", now: prepareFrom, want: prepare, message: firstID},
		{name: "a text that is being written is waited for", now: prepareFrom, text: draft{state: draftPending}, want: wait, until: firstDue},
		{name: "a text that is ready early waits for its due time", now: prepareFrom + time.Second, text: ready(), want: wait, until: firstDue},
		{name: "a text that is ready is sent when due", now: firstDue, text: ready(), want: send, message: firstID},
		{name: "an overdue lead with no text after a restart has it written at once", now: 5 * time.Hour, want: prepare, message: firstID},
		{name: "an overdue lead with a text sends at once", now: 5 * time.Hour, text: ready(), want: send, message: firstID},
		{name: "after the only step the lead waits for an answer", now: time.Hour, lead: []leadMod{sent}, want: wait, until: firstDue + expiresAt},

		// The AI fails.
		{name: "a failed text before the due time is asked for again, unblocked", now: firstDue - 30*time.Second,
			text: draft{state: draftFailed, reason: v1alpha1.ReasonAIUnavailable, retryAt: t0.Add(firstDue - 20*time.Second)}, want: wait, until: firstDue - 20*time.Second},
		{name: "a failed text after the due time blocks", now: firstDue + minute,
			text: draft{state: draftFailed, reason: v1alpha1.ReasonAIUnavailable, retryAt: t0.Add(firstDue + 2*minute)}, want: wait, until: firstDue + 2*minute, blocked: v1alpha1.ReasonAIUnavailable},
		{name: "a failed text is asked for again when it is time", now: firstDue + 2*minute,
			text: draft{state: draftFailed, retryAt: t0.Add(firstDue + 2*minute)}, want: prepare, message: firstID},

		// No number to send from.
		{name: "without an instance the lead is blocked", now: firstDue, instances: []v1alpha1.WhatsAppInstance{}, want: wait, until: expiresAt, blocked: v1alpha1.ReasonNoConnectedInstance},
		{name: "with a disconnected instance the lead is blocked", now: firstDue, instances: []v1alpha1.WhatsAppInstance{away}, want: wait, until: expiresAt, blocked: v1alpha1.ReasonNoConnectedInstance},
		{name: "a new conversation goes to an instance that is connected", now: firstDue, text: ready(), instances: []v1alpha1.WhatsAppInstance{away, other}, want: send, message: firstID},
		{name: "a restricted number starts no conversation", now: firstDue, text: ready(), instances: []v1alpha1.WhatsAppInstance{paused}, want: wait, until: 24 * time.Hour, blocked: v1alpha1.ReasonRestricted},
		{name: "a restricted number still answers", now: time.Hour + 3*time.Second, text: ready(), instances: []v1alpha1.WhatsAppInstance{paused},
			lead: []leadMod{sent, theirs("m1", t0.Add(time.Hour))}, want: send, message: replyID},
		{name: "a conversation never moves to another number unasked", now: time.Hour + 3*time.Second, text: ready(), instances: []v1alpha1.WhatsAppInstance{away, other},
			lead: []leadMod{sent, theirs("m1", t0.Add(time.Hour))}, want: wait, until: time.Hour + expiresAt, blocked: v1alpha1.ReasonNoConnectedInstance},

		// A claim without a confirmation.
		{name: "a fresh claim is left alone", now: firstDue + time.Second, lead: []leadMod{ours(firstID, v1alpha1.MessageClaimed, t0.Add(firstDue))}, want: wait, until: firstDue + askAfter},
		{name: "a claim as old as a call can last is asked for", now: firstDue + askAfter, lead: []leadMod{ours(firstID, v1alpha1.MessageClaimed, t0.Add(firstDue))}, want: resolve, message: firstID},
		{name: "a claim the gateway did not know is not asked for again before its time", now: firstDue + askAfter + time.Second,
			lead: []leadMod{ours(firstID, v1alpha1.MessageClaimed, t0.Add(firstDue)), unconfirmedUntil(t0.Add(firstDue + 30*time.Second))},
			want: wait, until: firstDue + 30*time.Second, blocked: v1alpha1.ReasonUnconfirmed},
		{name: "and then it is", now: firstDue + 30*time.Second,
			lead: []leadMod{ours(firstID, v1alpha1.MessageClaimed, t0.Add(firstDue)), unconfirmedUntil(t0.Add(firstDue + 30*time.Second))}, want: resolve, message: firstID},
		{name: "a claim is resolved before a purchase is counted", now: firstDue + minute, lead: []leadMod{ours(firstID, v1alpha1.MessageClaimed, t0.Add(firstDue)), bought(t0.Add(firstDue + time.Second))}, want: resolve, message: firstID},
		{name: "a claim is resolved even when suspended", now: firstDue + minute, suspended: true, lead: []leadMod{ours(firstID, v1alpha1.MessageClaimed, t0.Add(firstDue))}, want: resolve, message: firstID},
		{name: "an unknown message is not sent again", now: time.Hour, lead: []leadMod{ours(firstID, v1alpha1.MessageUnknown, t0.Add(firstDue))}, want: wait, until: expiresAt},
		{name: "a cancelled message is not sent again", now: time.Hour, lead: []leadMod{ours(firstID, v1alpha1.MessageCancelled, t0.Add(firstDue))}, want: wait, until: expiresAt},

		// The gateway refuses.
		{name: "a refused message waits for its next attempt", now: firstDue + time.Second, lead: []leadMod{ours(firstID, v1alpha1.MessageFailed, t0.Add(firstDue), attempts(1, t0.Add(firstDue+2*minute)))}, want: wait, until: firstDue + minute},
		{name: "a refused message is sent again with the same text", now: firstDue + 2*minute, lead: []leadMod{ours(firstID, v1alpha1.MessageFailed, t0.Add(firstDue), attempts(2, t0.Add(firstDue+2*minute)))}, want: send, message: firstID},
		{name: "after three attempts the lead fails", now: firstDue + 2*minute, lead: []leadMod{ours(firstID, v1alpha1.MessageFailed, t0.Add(firstDue), attempts(3, t0.Add(firstDue+2*minute)))}, want: finish, outcome: v1alpha1.ReasonSendFailed},
		{name: "a number without WhatsApp ends the lead", now: firstDue + time.Second, lead: []leadMod{ours(firstID, v1alpha1.MessageFailed, t0.Add(firstDue), func(m *v1alpha1.Message) { m.Error = v1alpha1.ReasonNotOnWhatsApp })}, want: finish, outcome: v1alpha1.ReasonNotOnWhatsApp},

		// Answers.
		{name: "an answer waits for the debounce", now: time.Hour + time.Second, lead: []leadMod{sent, theirs("m1", t0.Add(time.Hour))}, want: wait, until: time.Hour + policy.DefaultReplyDebounce},
		{name: "then its text is written", now: time.Hour + policy.DefaultReplyDebounce, lead: []leadMod{sent, theirs("m1", t0.Add(time.Hour))}, want: prepare, message: replyID},
		{name: "and sent", now: time.Hour + policy.DefaultReplyDebounce, text: ready(), lead: []leadMod{sent, theirs("m1", t0.Add(time.Hour))}, want: send, message: replyID},
		{name: "several messages get one answer, to the last", now: time.Hour + policy.DefaultReplyDebounce, lead: []leadMod{sent, theirs("m0", t0.Add(time.Hour-time.Second)), theirs("m1", t0.Add(time.Hour))}, want: prepare, message: replyID},
		{name: "an answered message is not answered again", now: 2 * time.Hour, lead: []leadMod{sent, theirs("m1", t0.Add(time.Hour)), ours(replyID, v1alpha1.MessageSent, t0.Add(time.Hour+5*time.Second))}, want: wait, until: time.Hour + 5*time.Second + expiresAt},

		// The sequence.
		{name: "the second step counts from the first", now: firstDue + minute, steps: twoSteps, lead: []leadMod{sent}, want: wait, until: firstDue + time.Hour - prepareAhead},
		{name: "the second step is sent", now: firstDue + time.Hour, steps: twoSteps, text: ready(), lead: []leadMod{sent}, want: send, message: "c0-step-second"},
		{name: "an answer ends the sequence", now: 3 * time.Hour, steps: twoSteps, lead: []leadMod{sent, theirs("m1", t0.Add(time.Hour)), ours(replyID, v1alpha1.MessageSent, t0.Add(time.Hour+5*time.Second))}, want: wait, until: time.Hour + 5*time.Second + expiresAt},
		{name: "a step that was renamed does not write to everybody again", now: 2 * time.Hour, text: ready(),
			steps: []v1alpha1.Step{{Name: "hello", After: v1alpha1.Duration{Duration: firstDue}}}, lead: []leadMod{sent}, want: wait, until: firstDue + expiresAt},
		{name: "nor does one that was put before it", now: 2 * time.Hour, text: ready(),
			steps: []v1alpha1.Step{{Name: "hello", After: v1alpha1.Duration{Duration: minute}}, {Name: "first", After: v1alpha1.Duration{Duration: firstDue}}}, lead: []leadMod{sent}, want: wait, until: firstDue + expiresAt},
		{name: "one that is put after it is sent", now: 2 * time.Hour, text: ready(),
			steps: []v1alpha1.Step{{Name: "hello", After: v1alpha1.Duration{Duration: minute}}, {Name: "last", After: v1alpha1.Duration{Duration: minute}}}, lead: []leadMod{sent}, want: send, message: "c0-step-last"},
		{name: "two machines that answer each other come to an end", now: 90 * time.Minute, text: ready(),
			lead: append([]leadMod{sent}, chatter(t0.Add(time.Hour), 20)...), want: wait, until: 2*time.Hour + time.Second, blocked: v1alpha1.ReasonTooManyReplies},
		{name: "an hour later they may go on", now: 2*time.Hour + time.Second, text: ready(),
			lead: append([]leadMod{sent}, chatter(t0.Add(time.Hour), 20)...), want: send, message: lead.ReplyID(0, "again")},
		{name: "a trigger without a sequence is blocked", now: firstDue, lead: []leadMod{func(l *v1alpha1.CartRecovery) { l.Spec.Trigger = v1alpha1.TriggerPixPending }}, want: wait, until: expiresAt, blocked: v1alpha1.ReasonNoSequence},
	}
}

// outcomeCases are the rows about purchases, people's wishes, and the end.
func outcomeCases() []planCase {
	sent := ours(firstID, v1alpha1.MessageSent, t0.Add(firstDue))
	minute := time.Minute
	return []planCase{
		// The kill switch.
		{name: "bought before contact", now: minute, lead: []leadMod{bought(t0.Add(minute))}, want: finish, outcome: v1alpha1.ReasonBoughtBeforeContact},
		{name: "bought after contact", now: time.Hour, lead: []leadMod{sent, bought(t0.Add(time.Hour))}, want: finish, outcome: v1alpha1.ReasonBoughtAfterContact},
		{name: "bought, by the platform's clock, before our message", now: time.Hour, lead: []leadMod{sent, bought(t0.Add(minute))}, want: finish, outcome: v1alpha1.ReasonBoughtBeforeContact},
		{name: "a purchase wins over a text that is due", now: firstDue, text: ready(), lead: []leadMod{bought(t0.Add(minute))}, want: finish, outcome: v1alpha1.ReasonBoughtBeforeContact},
		{name: "a purchase that stands on another lead of the customer counts", now: firstDue, text: ready(), twin: &v1alpha1.Purchase{EventID: "e1", At: v1alpha1.NewTimestamp(t0.Add(minute))}, want: finish, outcome: v1alpha1.ReasonBoughtBeforeContact},
		{name: "a purchase wins over a suspended store", now: firstDue, suspended: true, lead: []leadMod{bought(t0.Add(minute))}, want: finish, outcome: v1alpha1.ReasonBoughtBeforeContact},
		{name: "a purchase of another product stops and is not ours", now: time.Hour, lead: []leadMod{sent, bought(t0.Add(time.Hour)), func(l *v1alpha1.CartRecovery) { l.Spec.Purchase.Unattributed = true }}, want: finish, outcome: v1alpha1.ReasonPurchaseNotAttributed},
		{name: "a failed message is no contact", now: time.Hour, lead: []leadMod{ours(firstID, v1alpha1.MessageFailed, t0.Add(firstDue), attempts(1, t0.Add(firstDue))), bought(t0.Add(time.Hour))}, want: finish, outcome: v1alpha1.ReasonBoughtBeforeContact},
		{name: "a purchase after we gave up still counts", now: 100 * time.Hour, lead: []leadMod{sent, done(v1alpha1.ReasonUnanswered, t0.Add(90*time.Hour)), bought(t0.Add(99 * time.Hour))}, want: finish, outcome: v1alpha1.ReasonBoughtAfterContact},
		{name: "a reversal of another sale leaves the purchase", now: 100 * time.Hour, lead: []leadMod{sent, bought(t0.Add(time.Hour)), func(l *v1alpha1.CartRecovery) {
			l.Spec.Purchase.TransactionID = "T1"
			l.Spec.Reversal = &v1alpha1.Reversal{EventID: "e2", Kind: v1alpha1.ReversalRefund, TransactionID: "T2", At: v1alpha1.NewTimestamp(t0.Add(99 * time.Hour))}
		}}, want: finish, outcome: v1alpha1.ReasonBoughtAfterContact},
		{name: "a reversal takes the purchase back", now: 100 * time.Hour, lead: []leadMod{sent, done(v1alpha1.ReasonBoughtAfterContact, t0.Add(time.Hour)), bought(t0.Add(time.Hour)), func(l *v1alpha1.CartRecovery) {
			l.Spec.Reversal = &v1alpha1.Reversal{EventID: "e2", Kind: v1alpha1.ReversalRefund, At: v1alpha1.NewTimestamp(t0.Add(99 * time.Hour))}
		}}, want: finish, outcome: v1alpha1.ReasonReversed},

		{name: "another sale stands for the one that was taken back", now: 100 * time.Hour, lead: []leadMod{
			sent, done(v1alpha1.ReasonReversed, t0.Add(time.Hour)), bought(t0.Add(2 * time.Hour)), worth("10", t0.Add(time.Hour)), func(l *v1alpha1.CartRecovery) {
				l.Spec.Purchase.TransactionID = "T2"
				l.Spec.Reversal = &v1alpha1.Reversal{
					EventID: "e2", Kind: v1alpha1.ReversalRefund, TransactionID: "T1", At: v1alpha1.NewTimestamp(t0.Add(3 * time.Hour)),
				}
			},
		}, want: finish, outcome: v1alpha1.ReasonBoughtAfterContact},
		{name: "another sale counts than the result tells", now: 100 * time.Hour, lead: []leadMod{
			sent, done(v1alpha1.ReasonBoughtAfterContact, t0.Add(time.Hour)), bought(t0.Add(time.Hour)), worth("1000", t0.Add(time.Hour)),
		}, want: finish, outcome: v1alpha1.ReasonBoughtAfterContact},
		{name: "the result tells of the sale that counts", now: 100 * time.Hour, lead: []leadMod{
			sent, done(v1alpha1.ReasonBoughtAfterContact, t0.Add(time.Hour)), bought(t0.Add(time.Hour)), worth("", t0.Add(time.Hour)),
		}, want: wait, until: 720*time.Hour + time.Hour},

		// People's wishes, and what stands in the way.
		{name: "a suppressed number is never written to", now: firstDue, text: ready(), suppressed: true, want: finish, outcome: v1alpha1.ReasonOptedOut},
		{name: "a customer who asks us to stop is not answered", now: time.Hour + policy.DefaultReplyDebounce, text: ready(),
			lead: []leadMod{sent, theirs("m1", t0.Add(time.Hour)), func(l *v1alpha1.CartRecovery) { l.Status.Conversation[1].Text = "PARAR" }}, want: send, message: lead.OptOutID(0)},
		{name: "but told once that nothing more will come", now: time.Hour + time.Minute, text: ready(),
			lead: []leadMod{sent, theirs("m1", t0.Add(time.Hour)), func(l *v1alpha1.CartRecovery) { l.Status.Conversation[1].Text = "PARAR" }, ours(lead.OptOutID(0), v1alpha1.MessageSent, t0.Add(time.Hour+time.Second))}, want: finish, outcome: v1alpha1.ReasonOptedOut},
		{name: "and not after ten minutes", now: time.Hour + noticeWithin, text: ready(),
			lead: []leadMod{sent, theirs("m1", t0.Add(time.Hour)), func(l *v1alpha1.CartRecovery) { l.Status.Conversation[1].Text = "PARAR" }}, want: finish, outcome: v1alpha1.ReasonOptedOut},
		{name: "a lead without its labels gets them before anything is sent", now: firstDue, text: ready(), lead: []leadMod{func(l *v1alpha1.CartRecovery) { l.Labels = nil }}, want: label},
		{name: "a suspended store waits", now: firstDue, text: ready(), suspended: true, want: wait, until: expiresAt, blocked: v1alpha1.ReasonSuspended},
		{name: "a suspended lead waits", now: firstDue, text: ready(), lead: []leadMod{func(l *v1alpha1.CartRecovery) { l.Spec.Suspend = true }}, want: wait, until: expiresAt, blocked: v1alpha1.ReasonSuspended},
		{name: "a lead without its store waits", now: firstDue, noStore: true, want: wait, until: expiresAt, blocked: v1alpha1.ReasonStoreNotFound},

		// The end.
		{name: "never contacted", now: expiresAt, want: finish, outcome: v1alpha1.ReasonNeverContacted},
		{name: "expires although suspended", now: expiresAt, suspended: true, want: finish, outcome: v1alpha1.ReasonNeverContacted},
		{name: "unanswered", now: firstDue + expiresAt, lead: []leadMod{sent}, want: finish, outcome: v1alpha1.ReasonUnanswered},
		{name: "the conversation ended", now: time.Hour + expiresAt, lead: []leadMod{sent, theirs("m1", t0.Add(time.Hour))}, want: finish, outcome: v1alpha1.ReasonConversationEnded},
		{name: "a finished lead is kept", now: 2 * time.Hour, lead: []leadMod{bought(t0.Add(time.Hour)), done(v1alpha1.ReasonBoughtBeforeContact, t0.Add(time.Hour))}, want: wait, until: time.Hour + policy.DefaultTTLAfterFinished},
		{name: "a finished lead is deleted after its time", now: time.Hour + policy.DefaultTTLAfterFinished, lead: []leadMod{bought(t0.Add(time.Hour)), done(v1alpha1.ReasonBoughtBeforeContact, t0.Add(time.Hour))}, want: remove},
		{name: "a purchase without a cart goes sooner", now: time.Hour + policy.DefaultTTLAfterPurchaseOnly, lead: []leadMod{bought(t0.Add(time.Hour)), done(v1alpha1.ReasonBoughtBeforeContact, t0.Add(time.Hour)), func(l *v1alpha1.CartRecovery) { l.Spec.AbandonedAt = nil }}, want: remove},
		{name: "one that ended keeps no open payment", now: 2 * expiresAt, lead: []leadMod{sent, done(v1alpha1.ReasonUnanswered, t0.Add(expiresAt)), paying}, want: label},
		{name: "an open one does", now: 0, text: ready(), lead: []leadMod{paying}, want: wait, until: firstDue - prepareAhead},
		{name: "the end of a payment that nobody reported as open writes to nobody", now: firstDue, text: ready(), lead: []leadMod{func(l *v1alpha1.CartRecovery) { l.Spec.AbandonedAt, l.Spec.Trigger = nil, "" }}, want: wait, until: expiresAt},
		{name: "a purchase is remembered however long ago we gave up", now: 721 * time.Hour, lead: []leadMod{bought(t0.Add(719 * time.Hour)), done(v1alpha1.ReasonBoughtBeforeContact, t0)},
			want: wait, until: 719*time.Hour + policy.DefaultTTLAfterPurchaseOnly},
		{name: "a lead that is being deleted is left alone", now: firstDue, text: ready(), lead: []leadMod{func(l *v1alpha1.CartRecovery) { l.DeletionTimestamp = &metav1.Time{Time: t0} }}, want: wait},
	}
}

func paying(l *v1alpha1.CartRecovery) {
	l.Spec.Payment = &v1alpha1.Payment{Method: v1alpha1.PaymentPix}
}

func (c *planCase) situation() situation {
	s := situation{
		lead: gen.Lead(t0, c.lead...), store: gen.StoreObject(), suppressed: c.suppressed, twin: c.twin,
		instances: c.instances, now: t0.Add(c.now),
		draft:    func(textID) draft { return c.text },
		headroom: func(*v1alpha1.WhatsAppInstance, time.Time) headroom { return headroom{} },
		contact:  func(*v1alpha1.WhatsAppInstance) contact { return contact{state: contactUnsure} },
	}
	if c.contact != nil {
		s.contact = func(*v1alpha1.WhatsAppInstance) contact { return *c.contact }
	}
	s.store.Spec.Suspend = c.suspended
	s.store.Spec.Recovery.FirstMessageNotice = ptr.To("")
	if c.steps != nil {
		s.store.Spec.Recovery.Sequences = []v1alpha1.Sequence{{Trigger: v1alpha1.TriggerAbandonedCart, Steps: c.steps}}
	}
	if c.instances == nil {
		s.instances = []v1alpha1.WhatsAppInstance{*gen.InstanceObject()}
	}
	s.policy = policy.Resolve(s.store, nil)
	if c.noStore {
		s.store = nil
	}
	if c.with != nil {
		c.with(&s)
	}
	return s
}

// worth is what a recovery was written to be worth, by a purchase at a time.
func worth(amount string, at time.Time) leadMod {
	return func(l *v1alpha1.CartRecovery) {
		boughtAt := v1alpha1.NewTimestamp(at)
		l.Status.Result = &v1alpha1.RecoveryResult{Amount: amount, BoughtAt: &boughtAt}
	}
}

func TestPlan(t *testing.T) {
	for _, c := range slices.Concat(messageCases(), outcomeCases(), handOffCases(), contactCases(), senderCases(), wishCases(), textCases(), quietCases(),
		earlyCases(), lateCases(), costCases(), paidCases(), machineCases(), stopCases(), paymentCases(), resumeCases(), noticeCases(), restoredCases()) {
		t.Run(c.name, func(t *testing.T) {
			s := c.situation()
			before := s.lead.DeepCopy()
			got := plan(s)
			if got.kind != c.want || got.blocked != c.blocked || got.outcome != c.outcome {
				t.Fatalf("got %s blocked=%q outcome=%q, want %s blocked=%q outcome=%q", got.kind, got.blocked, got.outcome, c.want, c.blocked, c.outcome)
			}
			if c.message != "" && got.message.id != c.message {
				t.Fatalf("got message %q, want %q", got.message.id, c.message)
			}
			if got.kind == wait && c.until != 0 && !got.until.Equal(t0.Add(c.until)) {
				t.Fatalf("waits until %s after the abandonment, want %s", got.until.Sub(t0), c.until)
			}
			if c.from != "" && (got.message.instance == nil || got.message.instance.Name != c.from) {
				t.Fatalf("from %+v, want %s", got.message.instance, c.from)
			}
			if c.says != "" && got.message.text != c.says {
				t.Fatalf("says %q, want %q", got.message.text, c.says)
			}
			if got.kind == send && (got.message.text == "" || got.message.instance == nil) {
				t.Fatalf("sends without a text or an instance: %+v", got.message)
			}
			if !equalLead(before, s.lead) {
				t.Fatal("plan changed the lead")
			}
		})
	}
}

func TestPlanNextResolve(t *testing.T) {
	for age, want := range map[time.Duration]time.Duration{
		0:                askAfter,
		10 * time.Second: 30 * time.Second,
		31 * time.Second: grace,
		grace:            2 * time.Minute,
		5 * time.Minute:  6 * time.Minute,
	} {
		if got := nextResolve(t0, t0.Add(age)); !got.Equal(t0.Add(want)) {
			t.Errorf("at age %s: asks again at %s, want %s", age, got.Sub(t0), want)
		}
	}
}

func BenchmarkPlan(b *testing.B) {
	c := planCase{now: firstDue, text: ready()}
	s := c.situation()
	b.ReportAllocs()
	for b.Loop() {
		if plan(s).kind != send {
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
		"a cart":                  {func(*v1alpha1.CartRecovery) {}, t0.Add(firstDue).UTC().Format(time.RFC3339) + " first"},
		"one that was written to": {ours(firstID, v1alpha1.MessageSent, t0.Add(firstDue)), ""},
		"one that was bought":     {bought(t0), ""},
		"a purchase alone":        {func(l *v1alpha1.CartRecovery) { l.Spec.AbandonedAt = nil }, ""},
		"no sequence":             {func(l *v1alpha1.CartRecovery) { l.Spec.Trigger = v1alpha1.TriggerPixPending }, ""},
	} {
		recovery := gen.Lead(t0)
		row.change(recovery)
		s := situation{lead: recovery, store: store, policy: policy.Resolve(store, nil), now: t0}
		if got := plannedFor(&s); got != row.want {
			t.Errorf("%s: %q, want %q", name, got, row.want)
		}
	}
}
