// Package plan decides the one thing to do next for a lead: Next asks the rules of a table, in their order, about
// a Snapshot. It also has the status transactions that say what was done (Change). Everything in it is pure: time,
// randomness and what is known come in as values; it reads nothing, writes nothing and calls nobody.
package plan

import (
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/instant"
	"cartrecovery.dev/operator/internal/lead"
)

// rule decides what to do next for a lead. It is false where the rule does not apply.
type rule struct {
	name   string
	decide func(*Snapshot) (Action, bool)
}

// rules stand in the order in which they are asked. What may have been sent is cleared up before anything ends;
// everything that ends a lead comes before what writes to the customer; answers come before the sequence.
var rules = []rule{
	{"LeaveDeleted", leaveDeleted},
	{"LabelUnlabelled", labelUnlabelled},
	{"RebuildRestored", rebuildRestored},
	{"ResolveClaim", resolveClaim},
	{"FinishReversed", finishReversed},
	{"FinishBought", finishBought},
	{"ReopenEnded", reopenEnded},
	{"HearLate", hearLate},
	{"ForgetPayment", forgetPayment},
	{"KeepFinished", keepFinished},
	{"EndStopped", endStopped},
	{"WaitForStore", waitForStore},
	{"FinishNotOnWhatsApp", finishNotOnWhatsApp},
	{"FinishExpired", finishExpired},
	{"FinishUnpayable", finishUnpayable},
	{"GiveToPerson", giveToPerson},
	{"LeaveToPerson", leaveToPerson},
	{"WaitForPlatform", waitForPlatform},
	{"AnswerCustomer", answerCustomer},
	{"KeepWaitingForPlatform", keepWaitingForPlatform},
	{"NextStep", nextStep},
}

// ruleNone names the action of a lead to which no rule applies.
const ruleNone = "Expire"

// Next decides the one thing to do next for a lead: the first rule that applies decides. It is pure: no clock, no
// client, no logs.
func Next(s Snapshot) Action {
	for _, each := range rules {
		if decided, ok := each.decide(&s); ok {
			decided.Rule = each.name
			return withinLife(&s, decided)
		}
	}
	return Action{Rule: ruleNone, Kind: Wait, Until: expiry(&s),
		Why: "nothing more is to be sent; the lead expires then"}
}

const (
	// maxAttempts is how often the gateway may refuse a message before the lead fails.
	maxAttempts = 3
	// noticeWithin is how long after the customer's request a notice may still go. Later it would itself be
	// unwanted.
	noticeWithin = 10 * time.Minute
	// fallbackAfter is how long the AI may fail before the policy's fallbackText is sent.
	fallbackAfter = 15 * time.Minute
	// ConversationLasts is how long after its last message a conversation holds back the steps of the customer's
	// other recoveries: WhatsApp itself counts a conversation as open for as long.
	ConversationLasts = 24 * time.Hour
	// LostAfter is how long a number must be logged out before its conversations may move.
	LostAfter = 10 * time.Minute
	// PrepareAhead is how long before its due time a text is written. It is longer than one call to the AI may
	// take, so that a failed call can be repeated.
	PrepareAhead = 60 * time.Second
	// AskAfter is how long a claim is left alone before the gateway is asked about it: as long as a call to the
	// gateway can take.
	AskAfter = 10 * time.Second
	// Grace is how old a claim must be before "not found" means "not sent". It is longer than the claim's lease
	// and the call after it can last together.
	Grace = 60 * time.Second
	// GiveUpAfter is how old a claim is when the gateway has been asked for long enough without a useful answer.
	GiveUpAfter = 15 * time.Minute
)

// withinLife lets no wait of an open lead last longer than the lead, than the wait for the platform to confirm a
// payment, or than the open payment that the first message would be about.
func withinLife(s *Snapshot, decided Action) Action {
	if decided.Kind != Wait || lead.Finished(s.Lead) || expired(s) {
		return decided
	}
	decided.Until = instant.Earlier(decided.Until, expiry(s))
	if first, _ := PaymentClaims(s); first != nil && !lead.HandedOff(s.Lead) && claimEnds(s, first).After(s.Now) {
		decided.Until = instant.Earlier(decided.Until, claimEnds(s, first))
	}
	if ends := paymentEnds(s); ends.After(s.Now) && !HasBegun(s.Lead) {
		decided.Until = instant.Earlier(decided.Until, ends)
	}
	return decided
}

func leaveDeleted(s *Snapshot) (Action, bool) {
	return Action{Kind: Wait}, s.Lead.DeletionTimestamp != nil
}

// labelUnlabelled comes before anything is sent, because the kill switch finds leads by their labels.
func labelUnlabelled(s *Snapshot) (Action, bool) {
	return Action{Kind: Label}, !lead.Labelled(s.Lead)
}

// suppressionKeyMissing is why nothing is sent in a Store of which nobody can tell who must not be written to.
const suppressionKeyMissing = "a Suppression of the Store has a spec.phoneHMAC of a key that is not in " +
	"SUPPRESSION_KEYS of the controllers: nobody can tell whether it is this customer's"

func waitForStore(s *Snapshot) (Action, bool) {
	switch {
	case expired(s):
		return Action{}, false
	case s.Store == nil:
		return blocked(s, v1alpha1.ReasonStoreNotFound, "spec.storeRef names no Store in this namespace"), true
	case s.Store.Spec.Suspend:
		return blocked(s, v1alpha1.ReasonSuspended, "the Store is suspended"), true
	case s.Lead.Spec.Suspend:
		return blocked(s, v1alpha1.ReasonSuspended, "spec.suspend is set"), true
	case s.SuppressedUnknown:
		return blocked(s, v1alpha1.ReasonSuppressionKeyMissing, suppressionKeyMissing), true
	case lead.ImportIncomplete(s.Lead):
		return blocked(s, v1alpha1.ReasonSuspended, "its conversation was not imported to the end; run the import "+
			"again (docs/moving-in.md)"), true
	default:
		return Action{}, false
	}
}

// BlockedUntil waits until a time, or for a change before it. Reason and why are shown meanwhile.
func BlockedUntil(until time.Time, reason, why string) Action {
	return Action{Kind: Wait, Until: until, Blocked: reason, Why: why}
}

// blocked waits for a change, at the longest until the lead expires.
func blocked(s *Snapshot, reason, why string) Action {
	return BlockedUntil(expiry(s), reason, why)
}
