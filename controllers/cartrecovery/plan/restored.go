package plan

import (
	"time"

	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/instant"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/ledger"
)

// This file decides about leads and messages that were there before: before the lead was
// restored from a backup, before the cluster was, or before this process began to lead.

const (
	// restoredAfter is how much later than it was received a lead must have been created to count as restored.
	restoredAfter = time.Minute
	// SettleRestored is how long after a lead was restored the rest of the backup, above all the Store's ledger,
	// may take to come back.
	SettleRestored = 2 * time.Minute
	// clocksDiffer is how far the clock of a gateway may be behind that of the API server.
	clocksDiffer = 10 * time.Minute
)

// RestoredAt is when a lead was restored from a backup, in whole seconds; zero for one that was not.
func RestoredAt(s *Snapshot) time.Time {
	created := s.Lead.CreationTimestamp.Time
	if received := s.Lead.Spec.ReceivedAt; received != nil {
		if created.Sub(received.Time) > restoredAfter {
			return created
		}
		return time.Time{}
	}
	for i := range s.Ledger {
		if s.Ledger[i].At.Time.Before(created) {
			return created
		}
	}
	return time.Time{}
}

// lived are the ledger's entries about this lead, without those about a deleted lead of the same name.
func lived(s *Snapshot) []v1alpha1.LedgerEntry {
	if !RestoredAt(s).IsZero() {
		return s.Ledger
	}
	var entries []v1alpha1.LedgerEntry
	for _, entry := range s.Ledger {
		if !entry.At.Time.Before(s.Lead.CreationTimestamp.Time) {
			entries = append(entries, entry)
		}
	}
	return entries
}

// rebuildRestored gives a lead that came back without its status, or with an older one, what the ledger knows of
// it. A lead that the ledger does not know waits for the rest of the backup.
func rebuildRestored(s *Snapshot) (Action, bool) {
	told := ledger.Tell(lived(s))
	fresh := apimeta.FindStatusCondition(s.Lead.Status.Conditions, v1alpha1.ConditionSucceeded) == nil
	restored := RestoredAt(s)
	if fresh && !restored.IsZero() {
		if len(s.Ledger) > 0 {
			return Action{Kind: Rebuild}, true
		}
		if settled := restored.Add(SettleRestored); s.Now.Before(settled) {
			why := "the lead was restored from a backup; the rest of it may follow"
			return BlockedUntil(settled, v1alpha1.ReasonRestoredFromBackup, why), true
		}
	}
	if _, lacks := ledger.Join(s.Lead.Status.Conversation, stepsOf(told, s.Lead.Status.Cycle)); lacks {
		return Action{Kind: Rebuild}, true
	}
	return Action{}, false
}

// holdRestored sends nothing for a while after it was certain that the cluster's data, or the lead, was restored
// from a backup: people need that time to have purchases and opt-outs delivered again. A gateway's look-up does
// not shorten it.
func holdRestored(s *Snapshot) (Action, bool) {
	since := instant.Later(s.Began.Restored, RestoredAt(s)).Truncate(time.Second)
	until := since.Add(s.RestoreHold)
	if s.RestoreHold <= 0 || !s.Now.Before(until) || acknowledged(s.Store, since) {
		return Action{}, false
	}
	why := "restored from a backup: nothing is sent until " + until.UTC().Format(time.RFC3339) +
		" (--restore-hold), or until the Store is annotated with " + v1alpha1.AnnotationRestoreAcknowledged
	return BlockedUntil(until, v1alpha1.ReasonRestoredFromBackup, why), true
}

// proveUnsent finds out whether a message that was due before this process began to lead, or before this lead was
// restored, has been sent already. Only then is it written and claimed.
func proveUnsent(s *Snapshot, c *candidate) (Action, bool) {
	if s.Proof == nil {
		return Action{}, false
	}
	wanted, due, restored := c.Message, c.unheld, RestoredAt(s)
	known := ProofOf(s, wanted, restored)
	if known.State == ProofFound {
		return Action{Kind: Verify, Message: wanted}, true
	}
	if due.After(instant.Later(s.Began.Led, restored.Add(time.Second))) || known.State == ProofNotFound {
		return Action{}, false
	}
	switch held := mustBeKnown(s, due, restored); {
	case known.State == ProofUnsure && !held:
		return Action{}, false
	case known.State == ProofUnsure && s.Now.Before(known.Until):
		return unproven(s, known), true
	case s.Now.Before(known.Until):
		why := "the gateway is asked whether message " + wanted.ID + " was sent before"
		return Action{Kind: Wait, Until: known.Until, Message: wanted, Writing: held, Why: why}, true
	}
	return Action{Kind: Verify, Message: wanted}, true
}

// ProofOf is what is known of a message of this lead, as opposed to a deleted lead of the same name.
func ProofOf(s *Snapshot, wanted Message, restored time.Time) Proof {
	known := s.Proof(lead.TrackID(s.Lead.Name, wanted.ID))
	// Only what was found can be another lead's: whatever else is known must not pass for a look-up that found nothing.
	if known.State == ProofFound && !IsOwn(s.Lead, known.At, restored) {
		known.State = ProofNotFound
	}
	return known
}

// IsOwn says whether a message that was sent at a time belongs to this lead, and not to a deleted one of the same
// name, whose track ids are the same.
func IsOwn(recovery *v1alpha1.CartRecovery, sent, restored time.Time) bool {
	return sent.IsZero() || !restored.IsZero() || !sent.Before(recovery.CreationTimestamp.Add(-clocksDiffer))
}

// NumbersToAsk are the numbers that may have sent a message before: the one that it would leave from and, where
// the answer must be known, all others that the lead can have begun on. After a restore it may have left from any
// of them.
func NumbersToAsk(s *Snapshot, wanted Message) []*v1alpha1.WhatsAppInstance {
	asked := []*v1alpha1.WhatsAppInstance{wanted.Instance}
	if lead.NumberOf(s.Lead) != "" || !mustBeKnown(s, s.Began.Held, RestoredAt(s)) {
		return asked
	}
	for _, each := range s.all() {
		if each.Name != wanted.Instance.Name && mayHaveSent(s, each) {
			asked = append(asked, each)
		}
	}
	return asked
}

// mayHaveSent says whether a number can have sent a message of a lead: it was connected, and not lost before the
// lead was there.
func mayHaveSent(s *Snapshot, instance *v1alpha1.WhatsAppInstance) bool {
	made := s.Lead.CreationTimestamp.Time
	if received := s.Lead.Spec.ReceivedAt; received != nil {
		made = instant.Earlier(made, received.Time)
	}
	ready := apimeta.FindStatusCondition(instance.Status.Conditions, v1alpha1.ConditionReady)
	lost := ready != nil && isLost(instance, s.Now) && ready.LastTransitionTime.Time.Before(made)
	connected := instance.Status.LastConnectedTime != nil || ready != nil && ready.Status == metav1.ConditionTrue
	return connected && !lost
}

// mustBeKnown says whether a message waits until it is known that it was not sent before, by the gateway or by a
// person who has looked at what was restored.
func mustBeKnown(s *Snapshot, due, restored time.Time) bool {
	since := restored
	if !due.After(s.Began.Held) {
		since = instant.Later(since, s.Began.Held)
	}
	since = since.Truncate(time.Second)
	return !since.IsZero() && !acknowledged(s.Store, since)
}

// acknowledged says whether a person allowed, after a restore, messages of which nobody can know whether they were
// sent. The annotation has whole seconds.
func acknowledged(store *v1alpha1.Store, since time.Time) bool {
	if store == nil {
		return false
	}
	at, _ := time.Parse(time.RFC3339, store.Annotations[v1alpha1.AnnotationRestoreAcknowledged]) // zero for none
	return !at.Before(since)
}

// unproven waits for the gateway, or for a person.
func unproven(s *Snapshot, known Proof) Action {
	why := "restored from a backup; the gateway could not tell whether the message was sent before, and is asked again"
	until := known.Until
	if known.Never {
		until = expiry(s)
		why = "restored from a backup; the gateway cannot tell whether the message was sent before: " +
			"annotate the Store with " + v1alpha1.AnnotationRestoreAcknowledged +
			" to have it sent (see docs/backup.md)"
	}
	return BlockedUntil(until, v1alpha1.ReasonRestoredFromBackup, why)
}
