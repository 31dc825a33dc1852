package cartrecovery

import (
	"cmp"
	"time"

	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/ledger"
)

// This file decides about leads and messages that were there before: before the lead was
// restored from a backup, before the cluster was, or before this process began to lead. Pure
// functions.

const (
	// restoredAfter is how much later than it was received a lead must have been created to be
	// one that was restored.
	restoredAfter = time.Minute
	// settleRestored is how long after a lead was restored the rest of the backup may take to
	// come back: the Store's ledger, above all.
	settleRestored = 2 * time.Minute
	// clocksDiffer is how much the clock of a gateway may be behind that of the API server.
	clocksDiffer = 10 * time.Minute
)

// proofState is what is known of a message that may have been sent before.
type proofState int

const (
	// The zero value: the gateway was not asked.
	_ proofState = iota
	// proofWaiting: the gateway is asked in its turn.
	proofWaiting
	// proofCrowded: so many are asked for before it that it has no turn yet.
	proofCrowded
	// proofFound: it was sent.
	proofFound
	// proofNotFound: it was not sent.
	proofNotFound
	// proofUnsure: the gateway cannot tell, or could not just now.
	proofUnsure
)

// proof is what is known of a message that may have been sent before.
type proof struct {
	state proofState
	// at is when it was sent, zero when that is not known; gatewayID is the gateway's id of it.
	at        time.Time
	gatewayID string
	// number names the WhatsAppInstance whose gateway told, "" where that is not known; elsewhere
	// says that it is another than the message would leave from.
	number    string
	elsewhere bool
	// until is when the gateway is asked, or asked again.
	until time.Time
	// never says that the gateway has no such look-up.
	never bool
}

// restoredAt is when a lead was restored from a backup, as fine as a second; zero for one that
// was not.
func restoredAt(s *situation) time.Time {
	created := s.lead.CreationTimestamp.Time
	if received := s.lead.Spec.ReceivedAt; received != nil {
		if created.Sub(received.Time) > restoredAfter {
			return created
		}
		return time.Time{}
	}
	for i := range s.ledger {
		if s.ledger[i].At.Time.Before(created) {
			return created
		}
	}
	return time.Time{}
}

// lived are the entries of the ledger about this lead, and not about one of the same name
// that was deleted before it.
func lived(s *situation) []v1alpha1.LedgerEntry {
	if !restoredAt(s).IsZero() {
		return s.ledger
	}
	var entries []v1alpha1.LedgerEntry
	for _, entry := range s.ledger {
		if !entry.At.Time.Before(s.lead.CreationTimestamp.Time) {
			entries = append(entries, entry)
		}
	}
	return entries
}

// rebuildRestored gives a lead that came back without its status, or with an older one, what
// the ledger knows of it. One that the ledger does not know waits for the rest of the backup.
func rebuildRestored(s *situation) (action, bool) {
	told := ledger.Tell(lived(s))
	fresh := apimeta.FindStatusCondition(s.lead.Status.Conditions, v1alpha1.ConditionSucceeded) == nil
	restored := restoredAt(s)
	if fresh && !restored.IsZero() {
		if len(s.ledger) > 0 {
			return action{kind: rebuild}, true
		}
		if settled := restored.Add(settleRestored); s.now.Before(settled) {
			why := "the lead was restored from a backup; the rest of it may follow"
			return blockedUntil(settled, v1alpha1.ReasonRestoredFromBackup, why), true
		}
	}
	if _, lacks := ledger.Join(s.lead.Status.Conversation, stepsOf(told, s.lead.Status.Cycle)); lacks {
		return action{kind: rebuild}, true
	}
	return action{}, false
}

// stepsOf are the steps that were sent in a cycle.
func stepsOf(told ledger.Told, cycle int32) []v1alpha1.Message {
	var steps []v1alpha1.Message
	for i := range told.Messages {
		if m := told.Messages[i]; m.Cycle == cycle && m.Step != "" {
			steps = append(steps, m)
		}
	}
	return steps
}

// rebuilt writes what the ledger knows into a status that lacks it. What the status says of
// hand-off and outcome is left alone, where it says anything.
func rebuilt(s *situation) change {
	told := ledger.Tell(lived(s))
	return func(status *v1alpha1.CartRecoveryStatus) bool {
		if apimeta.FindStatusCondition(status.Conditions, v1alpha1.ConditionSucceeded) != nil {
			joined, changed := ledger.Join(status.Conversation, stepsOf(told, status.Cycle))
			status.Conversation = joined
			return changed
		}
		status.Cycle = max(status.Cycle, told.Cycle)
		status.Conversation, _ = ledger.Join(status.Conversation, told.Messages)
		unblock(status)
		for i := range told.Messages {
			if from := told.Messages[i].Instance; from != "" {
				status.InstanceRef = &v1alpha1.ObjectReference{Name: from}
			}
		}
		setSucceeded(status, metav1.ConditionUnknown, v1alpha1.ReasonInProgress,
			"the lead is worked on; its status was restored from the ledger", s.lead.Generation, s.now)
		handOverAgain(status, told.HandedOff, s.lead.Generation)
		endAgain(s.lead, status, told.Ended)
		return true
	}
}

// handOverAgain gives a conversation that a person had back to them.
func handOverAgain(status *v1alpha1.CartRecoveryStatus, entry *v1alpha1.LedgerEntry, generation int64) {
	if entry == nil || apimeta.FindStatusCondition(status.Conditions, v1alpha1.ConditionHandedOff) != nil {
		return
	}
	message := lead.HandedOffMessage
	if entry.Reason == v1alpha1.ReasonCustomerAsked {
		message = lead.CustomerAskedMessage
	}
	apimeta.SetStatusCondition(&status.Conditions, metav1.Condition{
		Type: v1alpha1.ConditionHandedOff, Status: metav1.ConditionTrue, Reason: entry.Reason, Message: message,
		ObservedGeneration: generation, LastTransitionTime: *whole(entry.At.Time),
	})
}

// endAgain writes the outcome that a lead had. What it was worth is derived anew from its
// purchase.
func endAgain(recovery *v1alpha1.CartRecovery, status *v1alpha1.CartRecoveryStatus, entry *v1alpha1.LedgerEntry) {
	if entry == nil {
		return
	}
	ended := recovery.DeepCopy()
	ended.Status = *status.DeepCopy()
	status.CompletionTime = whole(entry.At.Time)
	value := metav1.ConditionFalse
	switch entry.Reason {
	case v1alpha1.ReasonBoughtAfterContact, v1alpha1.ReasonBoughtBeforeContact, v1alpha1.ReasonPurchaseNotAttributed:
		value = metav1.ConditionTrue
		status.Result = lead.Result(ended, recovery.Spec.Purchase)
	case v1alpha1.ReasonReversed:
		status.Result = lead.WithReversal(lead.Result(ended, recovery.Spec.Purchase), recovery.Spec.Reversal)
	}
	setSucceeded(status, value, entry.Reason, outcomeMessages[entry.Reason], recovery.Generation, entry.At.Time)
}

// holdRestored sends nothing for a while after it was certain that the cluster's data, or the lead,
// was restored from a backup: people need the time to have purchases and opt-outs of the gap
// delivered again. That a gateway has a look-up changes nothing.
func holdRestored(s *situation) (action, bool) {
	since := latest(s.began.Restored, restoredAt(s)).Truncate(time.Second)
	until := since.Add(s.restoreHold)
	if s.restoreHold <= 0 || since.Unix() <= 0 || !s.now.Before(until) || acknowledged(s.store, since) {
		return action{}, false
	}
	why := "restored from a backup: nothing is sent until " + until.UTC().Format(time.RFC3339) +
		" (--restore-hold), or until the Store is annotated with " + v1alpha1.AnnotationRestoreAcknowledged
	return blockedUntil(until, v1alpha1.ReasonRestoredFromBackup, why), true
}

// proveUnsent finds out whether a message that was due before this process, or this lead, was
// there has been sent already. Only then it is written and claimed.
func proveUnsent(s *situation, wanted message, due time.Time) (action, bool) {
	if s.proof == nil {
		return action{}, false
	}
	restored := restoredAt(s)
	known := proofOf(s, wanted, restored)
	if known.state == proofFound {
		return action{kind: verify, message: wanted}, true
	}
	before := s.began.Led
	if !restored.IsZero() {
		before = latest(before, restored.Add(time.Second))
	}
	if due.After(before) || known.state == proofNotFound {
		return action{}, false
	}
	switch held := mustBeKnown(s, due, restored); {
	case known.state == proofUnsure && !held:
		return action{}, false
	case known.state == proofUnsure && s.now.Before(known.until):
		return unproven(s, known), true
	case (known.state == proofWaiting || known.state == proofCrowded) && s.now.Before(known.until):
		why := "the gateway is asked whether message " + wanted.id + " was sent before"
		return action{kind: wait, until: known.until, message: wanted, writing: held, why: why}, true
	}
	return action{kind: verify, message: wanted}, true
}

// proofOf is what is known of a message of a lead, and not of one of the same name that is gone.
func proofOf(s *situation, wanted message, restored time.Time) proof {
	known := s.proof(lead.TrackID(s.lead.Name, wanted.id))
	if known.state == proofFound && !isOwn(s.lead, known.at, restored) {
		known.state = proofNotFound
	}
	return known
}

// isOwn says whether a message that was sent at a time is of this lead, and not of one of the same
// name that was deleted before it: the track ids of both are the same.
func isOwn(recovery *v1alpha1.CartRecovery, sent, restored time.Time) bool {
	return sent.IsZero() || !restored.IsZero() || !sent.Before(recovery.CreationTimestamp.Add(-clocksDiffer))
}

// numbersToAsk are the numbers that may have sent a message before: the one that it would leave
// from and, where somebody must know, all others that the lead can have begun on. What a restore
// has taken back may have left from any of them.
func numbersToAsk(s *situation, wanted message) []*v1alpha1.WhatsAppInstance {
	asked := []*v1alpha1.WhatsAppInstance{wanted.instance}
	if lead.NumberOf(s.lead) != "" || !mustBeKnown(s, s.began.Held, restoredAt(s)) {
		return asked
	}
	for _, each := range s.all() {
		if each.Name != wanted.instance.Name && mayHaveSent(s, each) {
			asked = append(asked, each)
		}
	}
	return asked
}

// mayHaveSent says whether a number can have sent a message of a lead: it was connected, and was
// not lost before the lead was there.
func mayHaveSent(s *situation, instance *v1alpha1.WhatsAppInstance) bool {
	made := s.lead.CreationTimestamp.Time
	if received := s.lead.Spec.ReceivedAt; received != nil {
		made = earliest(made, received.Time)
	}
	ready := apimeta.FindStatusCondition(instance.Status.Conditions, v1alpha1.ConditionReady)
	lost := ready != nil && isLost(instance, s.now) && ready.LastTransitionTime.Time.Before(made)
	connected := instance.Status.LastConnectedTime != nil || ready != nil && ready.Status == metav1.ConditionTrue
	return connected && !lost
}

// mustBeKnown says whether a message waits until somebody knows that it was not sent before:
// the gateway, or a person who has looked at what was restored.
func mustBeKnown(s *situation, due, restored time.Time) bool {
	since := restored
	if !due.After(s.began.Held) {
		since = latest(since, s.began.Held)
	}
	since = since.Truncate(time.Second)
	return !since.IsZero() && !acknowledged(s.store, since)
}

// acknowledged says whether a person said, after a restore, that what cannot be known may be
// sent. The annotation is as fine as a second.
func acknowledged(store *v1alpha1.Store, since time.Time) bool {
	if store == nil {
		return false
	}
	at, err := time.Parse(time.RFC3339, store.Annotations[v1alpha1.AnnotationRestoreAcknowledged])
	return err == nil && !at.Before(since)
}

// unproven waits for the gateway, or for a person.
func unproven(s *situation, known proof) action {
	why := "restored from a backup; the gateway could not tell whether the message was sent before, and is asked again"
	until := known.until
	if known.never {
		until = expiry(s)
		why = "restored from a backup; the gateway cannot tell whether the message was sent before: " +
			"annotate the Store with " + v1alpha1.AnnotationRestoreAcknowledged + " to have it sent (see docs/backup.md)"
	}
	return blockedUntil(until, v1alpha1.ReasonRestoredFromBackup, why)
}

// sentBefore writes that a message was sent before, as the gateway tells.
func sentBefore(wanted message, known proof, generation int64, now time.Time) change {
	return func(status *v1alpha1.CartRecoveryStatus) bool {
		at, from := v1alpha1.NewTimestamp(now), cmp.Or(known.number, wanted.instance.Name)
		if !known.at.IsZero() && known.at.Before(now) {
			at = v1alpha1.NewTimestamp(known.at)
		}
		sent := v1alpha1.Message{
			ID: wanted.id, Role: v1alpha1.RoleAssistant, Cycle: status.Cycle, State: v1alpha1.MessageSent, At: at, SentAt: &at,
			Attempts: 1, Instance: from, GatewayID: known.gatewayID[:min(len(known.gatewayID), maxGatewayID)],
		}
		if wanted.step != nil {
			sent.Step = wanted.step.Name
		}
		if before := lead.Find(status.Conversation, wanted.id); before != nil {
			sent.Text, sent.Tokens = before.Text, before.Tokens
			*before = sent
		} else {
			status.Conversation = lead.Append(status.Conversation, sent)
		}
		status.InstanceRef = &v1alpha1.ObjectReference{Name: from}
		unblock(status)
		setSucceeded(status, metav1.ConditionUnknown, v1alpha1.ReasonInProgress, "the lead is worked on", generation, now)
		return true
	}
}
