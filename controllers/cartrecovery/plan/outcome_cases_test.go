package plan

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/policy"
)

// boughtCases are the rows about purchases, and reversals of them.
func boughtCases() []planCase {
	sent := gen.FromUs(gen.FirstID, v1alpha1.MessageSent, gen.T0.Add(gen.FirstDue))
	minute := time.Minute
	return []planCase{
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
		{name: "a lead that was reversed stays so", now: 100 * time.Hour,
			lead: []gen.LeadMod{sent, gen.Bought(gen.T0.Add(time.Hour)), func(l *v1alpha1.CartRecovery) {
				l.Spec.Reversal = &v1alpha1.Reversal{EventID: "e2", Kind: v1alpha1.ReversalRefund,
					At: v1alpha1.NewTimestamp(gen.T0.Add(99 * time.Hour))}
			}, done(v1alpha1.ReasonReversed, gen.T0.Add(99*time.Hour))}, want: Wait},
	}
}

// otherSaleCases are the rows about sales that stand for another.
func otherSaleCases() []planCase {
	sent := gen.FromUs(gen.FirstID, v1alpha1.MessageSent, gen.T0.Add(gen.FirstDue))
	return []planCase{
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
	}
}

// obstacleCases are the rows about people's wishes, and what else stands in the way.
func obstacleCases() []planCase {
	sent := gen.FromUs(gen.FirstID, v1alpha1.MessageSent, gen.T0.Add(gen.FirstDue))
	return []planCase{
		{name: "a suppressed number is never written to", now: gen.FirstDue, text: ready(), suppressed: true,
			want: Finish, outcome: v1alpha1.ReasonOptedOut},
		{name: "a customer who asks us to stop is not answered", now: time.Hour + policy.DefaultReplyDebounce,
			text: ready(),
			lead: []gen.LeadMod{sent, gen.FromCustomer("m1", gen.T0.Add(time.Hour)), func(l *v1alpha1.CartRecovery) {
				l.Status.Conversation[1].Text = "PARAR"
			}}, want: Send, message: lead.OptOutID(0)},
		{name: "a customer who asks us to stop is told once that nothing more will come", now: time.Hour + time.Minute,
			text: ready(),
			lead: []gen.LeadMod{sent, gen.FromCustomer("m1", gen.T0.Add(time.Hour)), func(l *v1alpha1.CartRecovery) {
				l.Status.Conversation[1].Text = "PARAR"
			}, gen.FromUs(lead.OptOutID(0), v1alpha1.MessageSent, gen.T0.Add(time.Hour+time.Second))}, want: Finish,
			outcome: v1alpha1.ReasonOptedOut},
		{name: "a customer who asks us to stop is told nothing after ten minutes", now: time.Hour + noticeWithin,
			text: ready(),
			lead: []gen.LeadMod{sent, gen.FromCustomer("m1", gen.T0.Add(time.Hour)), func(l *v1alpha1.CartRecovery) {
				l.Status.Conversation[1].Text = "PARAR"
			}}, want: Finish, outcome: v1alpha1.ReasonOptedOut},
		{name: "a lead without its labels gets them before anything is sent", now: gen.FirstDue, text: ready(),
			lead: []gen.LeadMod{func(l *v1alpha1.CartRecovery) { l.Labels = nil }}, want: Label},
		{name: "a Suppression of nobody knows whom holds everything", now: gen.FirstDue, text: ready(), want: Wait,
			with: func(s *Snapshot) { s.SuppressedUnknown = true }, until: gen.ExpiresAt,
			blocked: v1alpha1.ReasonSuppressionKeyMissing},
		{name: "and lets a lead expire", now: gen.ExpiresAt, want: Finish,
			with: func(s *Snapshot) { s.SuppressedUnknown = true }, outcome: v1alpha1.ReasonNeverContacted},
		{name: "a suspended store waits", now: gen.FirstDue, text: ready(), suspended: true, want: Wait,
			until: gen.ExpiresAt, blocked: v1alpha1.ReasonSuspended},
		{name: "a suspended lead waits", now: gen.FirstDue, text: ready(),
			lead: []gen.LeadMod{func(l *v1alpha1.CartRecovery) { l.Spec.Suspend = true }}, want: Wait,
			until: gen.ExpiresAt, blocked: v1alpha1.ReasonSuspended},
		{name: "a lead without its store waits", now: gen.FirstDue, noStore: true, want: Wait, until: gen.ExpiresAt,
			blocked: v1alpha1.ReasonStoreNotFound},
	}
}

// endCases are the rows about how leads end.
func endCases() []planCase {
	sent := gen.FromUs(gen.FirstID, v1alpha1.MessageSent, gen.T0.Add(gen.FirstDue))
	return []planCase{
		{name: "a lead that was never contacted expires", now: gen.ExpiresAt, want: Finish,
			outcome: v1alpha1.ReasonNeverContacted},
		{name: "a lead expires although it is suspended", now: gen.ExpiresAt, suspended: true, want: Finish,
			outcome: v1alpha1.ReasonNeverContacted},
		{name: "a lead that nobody answered expires", now: gen.FirstDue + gen.ExpiresAt, lead: []gen.LeadMod{sent},
			want:    Finish,
			outcome: v1alpha1.ReasonUnanswered},
		{name: "a conversation without a purchase ends", now: time.Hour + gen.ExpiresAt,
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
		{name: "an open lead keeps its open payment", now: 0, text: ready(), lead: []gen.LeadMod{paying}, want: Wait,
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
		{name: "a claim is waited for beyond the lead's end", now: gen.ExpiresAt + time.Second,
			lead: []gen.LeadMod{gen.FromUs(gen.FirstID, v1alpha1.MessageClaimed,
				gen.T0.Add(gen.ExpiresAt-time.Second))},
			want: Wait, until: gen.ExpiresAt - time.Second + AskAfter},
	}
}

func paying(l *v1alpha1.CartRecovery) {
	l.Spec.Payment = &v1alpha1.Payment{Method: v1alpha1.PaymentPix}
}

// worth is what a recovery was written to be worth, by a purchase at a time.
func worth(amount string, at time.Time) gen.LeadMod {
	return func(l *v1alpha1.CartRecovery) {
		boughtAt := v1alpha1.NewTimestamp(at)
		l.Status.Result = &v1alpha1.RecoveryResult{Amount: amount, BoughtAt: &boughtAt}
	}
}
