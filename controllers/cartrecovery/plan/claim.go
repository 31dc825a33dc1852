package plan

import (
	"time"

	apimeta "k8s.io/apimachinery/pkg/api/meta"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/lead"
)

// AsStored is a time as the API keeps it.
func AsStored(at time.Time) time.Time { return v1alpha1.NewTimestamp(at).Time }

// StillWanted says whether a message that did not go may be claimed again. It looks only at what stops all
// messages; the rest is planned.
func StillWanted(s *Snapshot) bool {
	return PurchaseOf(s) == nil && !isReversed(s) && !s.Suppressed && lead.Stopped(s.Lead) == nil
}

// Uncalled says that the claim of this time did not go, and counts as no attempt. Another claim
// of the message, by a later leader, is not touched.
func Uncalled(id string, at time.Time, wanted bool, now time.Time) Change {
	return func(status *v1alpha1.CartRecoveryStatus) bool {
		m := lead.Find(status.Conversation, id)
		if m == nil || m.State != v1alpha1.MessageClaimed || !m.At.Time.Equal(AsStored(at)) {
			return false
		}
		m.Attempts--
		status.Attempts = m.Attempts
		return NotSent(id, wanted, now)(status)
	}
}

// resolveClaim comes before the rules that end a lead or write to the customer: until it is known whether a
// claimed message went, neither the next message nor the outcome can be decided.
func resolveClaim(s *Snapshot) (Action, bool) {
	claimed := lead.Claimed(s.Lead)
	if claimed == nil {
		return Action{}, false
	}
	if s.Uncalled != nil && s.Uncalled(claimed.ID, claimed.At.Time) {
		return Action{Kind: Settle, Message: Message{ID: claimed.ID, Due: claimed.At.Time,
			Instance: s.named(lead.NumberOf(s.Lead))}}, true
	}
	if ask := claimed.At.Add(AskAfter); s.Now.Before(ask) {
		return Action{Kind: Wait, Until: ask, Why: "the gateway's word for message " + claimed.ID}, true
	}
	if again := askedAgainAt(s.Lead); s.Now.Before(again) {
		return BlockedUntil(again, v1alpha1.ReasonUnconfirmed, Unconfirmed), true
	}
	return Action{Kind: Resolve, Message: Message{ID: claimed.ID, Due: claimed.At.Time,
		Instance: s.named(lead.NumberOf(s.Lead))}}, true
}

// Unconfirmed says in words what a claimed message waits for.
const Unconfirmed = "a message was handed to the gateway and is not confirmed; the gateway is asked for it"

// askedAgainAt is when the gateway is to be asked again for a claimed message it did not
// know, as it was first written; zero when it was not asked yet.
func askedAgainAt(recovery *v1alpha1.CartRecovery) time.Time {
	waits := apimeta.FindStatusCondition(recovery.Status.Conditions, v1alpha1.ConditionBlocked)
	if waits == nil || waits.Reason != v1alpha1.ReasonUnconfirmed || recovery.Status.NextActionTime == nil {
		return time.Time{}
	}
	return recovery.Status.NextActionTime.Time
}

// NextResolve is when the gateway is asked again about a message that was claimed at a time.
func NextResolve(claimedAt, now time.Time) time.Time {
	for _, after := range []time.Duration{AskAfter, 30 * time.Second, Grace} {
		if at := claimedAt.Add(after); at.After(now) {
			return at
		}
	}
	return now.Add(time.Minute)
}
