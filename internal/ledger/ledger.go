// Package ledger knows what happened to the leads of every Store: which steps were sent, whom
// a person took over, what ended and how. Leads that come back from a backup without their
// status are told by it. It holds no text and nothing of a customer. No I/O: who writes it
// down and reads it back is its caller's concern.
package ledger

import (
	"slices"
	"sync"
	"time"

	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/lead"
)

// EntriesOf is what a lead's status says that belongs into the ledger.
func EntriesOf(recovery *v1alpha1.CartRecovery) []v1alpha1.LedgerEntry {
	var entries []v1alpha1.LedgerEntry
	heard := map[int32]bool{}
	for i := range recovery.Status.Conversation {
		m := &recovery.Status.Conversation[i]
		entry := v1alpha1.LedgerEntry{Lead: recovery.Name, Cycle: m.Cycle, At: m.At}
		switch {
		case m.Role == v1alpha1.RoleCustomer && !heard[m.Cycle]:
			heard[m.Cycle], entry.Event = true, v1alpha1.LedgerReplied
		case m.Step != "" && (m.State == v1alpha1.MessageSent || m.State == v1alpha1.MessageUnknown):
			entry.Event, entry.Step, entry.Instance = v1alpha1.LedgerSent, m.Step, m.Instance
		default:
			continue
		}
		entries = append(entries, entry)
	}
	return append(entries, conditionsOf(recovery)...)
}

// conditionsOf is what a lead's conditions say that belongs into the ledger.
func conditionsOf(recovery *v1alpha1.CartRecovery) []v1alpha1.LedgerEntry {
	var entries []v1alpha1.LedgerEntry
	entry := v1alpha1.LedgerEntry{Lead: recovery.Name, Cycle: recovery.Status.Cycle}
	if taken := apimeta.FindStatusCondition(recovery.Status.Conditions, v1alpha1.ConditionHandedOff); taken != nil {
		entry.Event, entry.Reason = v1alpha1.LedgerHandedOff, short(taken.Reason)
		entry.At = v1alpha1.NewTimestamp(taken.LastTransitionTime.Time)
		if taken.Status != metav1.ConditionTrue {
			entry.Event = v1alpha1.LedgerResumed
		}
		entries = append(entries, entry)
	}
	waits := apimeta.FindStatusCondition(recovery.Status.Conditions, v1alpha1.ConditionBlocked)
	if waits != nil && waits.Reason == v1alpha1.ReasonClaimsPaid {
		claimed := v1alpha1.LedgerEntry{Lead: recovery.Name, Cycle: recovery.Status.Cycle,
			Event: v1alpha1.LedgerClaimedPaid}
		claimed.At = v1alpha1.NewTimestamp(waits.LastTransitionTime.Time)
		entries = append(entries, claimed)
	}
	ended := apimeta.FindStatusCondition(recovery.Status.Conditions, v1alpha1.ConditionSucceeded)
	if lead.Finished(recovery) && ended != nil {
		entry.Event, entry.Reason = v1alpha1.LedgerEnded, short(ended.Reason)
		entry.At = v1alpha1.NewTimestamp(recovery.Status.CompletionTime.Time)
		entries = append(entries, entry)
	}
	return entries
}

// maxReason is what the schema takes of a reason.
const maxReason = 64

func short(reason string) string { return reason[:min(len(reason), maxReason)] }

// key tells entries of a lead apart.
type key struct {
	event  v1alpha1.LedgerEvent
	cycle  int32
	step   string
	reason string
	at     int64
}

func keyOf(entry *v1alpha1.LedgerEntry) key {
	k := key{event: entry.Event, cycle: entry.Cycle, step: entry.Step, reason: entry.Reason}
	switch entry.Event {
	case v1alpha1.LedgerHandedOff, v1alpha1.LedgerResumed:
		// It can happen again, as itself.
		k.at = entry.At.Unix()
	case v1alpha1.LedgerSent, v1alpha1.LedgerReplied, v1alpha1.LedgerClaimedPaid, v1alpha1.LedgerEnded:
	}
	return k
}

// Ledger is what is known of every Store, and what of it is not written down yet. It is safe
// for concurrent use.
type Ledger struct {
	mu    sync.Mutex
	books map[types.NamespacedName]*book
}

// book is one Store's part.
type book struct {
	// leads are the entries by lead, in the order in which they became known.
	leads map[string][]v1alpha1.LedgerEntry
	// unsaved are those that are not written down, the first first.
	unsaved []v1alpha1.LedgerEntry
}

// New returns an empty Ledger.
func New() *Ledger { return &Ledger{books: map[types.NamespacedName]*book{}} }

func storeOf(recovery *v1alpha1.CartRecovery) types.NamespacedName {
	return types.NamespacedName{Namespace: recovery.Namespace, Name: recovery.Spec.StoreRef.Name}
}

// Observe takes in what a lead's status says and is not known yet, to be written down.
func (l *Ledger) Observe(recovery *v1alpha1.CartRecovery) {
	entries := EntriesOf(recovery)
	if len(entries) == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	of := l.open(storeOf(recovery))
	for i := range entries {
		if of.add(&entries[i]) {
			of.unsaved = append(of.unsaved, entries[i])
		}
	}
}

// Learn takes in what was written down.
func (l *Ledger) Learn(written *v1alpha1.RecoveryLedger) {
	l.mu.Lock()
	defer l.mu.Unlock()
	of := l.open(types.NamespacedName{Namespace: written.Namespace, Name: written.Spec.StoreRef.Name})
	for i := range written.Spec.Entries {
		of.add(&written.Spec.Entries[i])
	}
	of.saved(written.Spec.Entries)
}

// Of is what is known of a lead.
func (l *Ledger) Of(recovery *v1alpha1.CartRecovery) []v1alpha1.LedgerEntry {
	l.mu.Lock()
	defer l.mu.Unlock()
	of := l.books[storeOf(recovery)]
	if of == nil {
		return nil
	}
	return slices.Clone(of.leads[recovery.Name])
}

// Unsaved are the Stores of which something is not written down yet.
func (l *Ledger) Unsaved() []types.NamespacedName {
	l.mu.Lock()
	defer l.mu.Unlock()
	var stores []types.NamespacedName
	for name, of := range l.books {
		if len(of.unsaved) > 0 {
			stores = append(stores, name)
		}
	}
	return stores
}

// Next are the first entries of a Store that are not written down yet.
func (l *Ledger) Next(store types.NamespacedName, most int) []v1alpha1.LedgerEntry {
	l.mu.Lock()
	defer l.mu.Unlock()
	of := l.open(store)
	return slices.Clone(of.unsaved[:min(len(of.unsaved), max(most, 0))])
}

// Saved says that entries are written down.
func (l *Ledger) Saved(store types.NamespacedName, entries []v1alpha1.LedgerEntry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open(store).saved(entries)
}

// Drop forgets a Store, whose namespace is gone.
func (l *Ledger) Drop(store types.NamespacedName) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.books, store)
}

// Forget drops entries that no lead can need any more.
func (l *Ledger) Forget(store types.NamespacedName, entries []v1alpha1.LedgerEntry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	of := l.open(store)
	for i := range entries {
		wanted := keyOf(&entries[i])
		kept := slices.DeleteFunc(of.leads[entries[i].Lead], func(e v1alpha1.LedgerEntry) bool {
			return keyOf(&e) == wanted
		})
		of.leads[entries[i].Lead] = kept
		if len(kept) == 0 {
			delete(of.leads, entries[i].Lead)
		}
	}
}

func (l *Ledger) open(store types.NamespacedName) *book {
	of := l.books[store]
	if of == nil {
		of = &book{leads: map[string][]v1alpha1.LedgerEntry{}}
		l.books[store] = of
	}
	return of
}

// add takes an entry in; false when it is known.
func (b *book) add(entry *v1alpha1.LedgerEntry) bool {
	known := b.leads[entry.Lead]
	wanted := keyOf(entry)
	if slices.ContainsFunc(known, func(e v1alpha1.LedgerEntry) bool { return keyOf(&e) == wanted }) {
		return false
	}
	b.leads[entry.Lead] = append(known, *entry)
	return true
}

func (b *book) saved(entries []v1alpha1.LedgerEntry) {
	if len(b.unsaved) == 0 {
		return
	}
	type named struct {
		lead string
		key
	}
	done := make(map[named]bool, len(entries))
	for i := range entries {
		done[named{entries[i].Lead, keyOf(&entries[i])}] = true
	}
	b.unsaved = slices.DeleteFunc(b.unsaved, func(e v1alpha1.LedgerEntry) bool {
		return done[named{e.Lead, keyOf(&e)}]
	})
}

// Newest is when the last of some entries happened; zero for none.
func Newest(entries []v1alpha1.LedgerEntry) time.Time {
	var newest time.Time
	for i := range entries {
		if at := entries[i].At.Time; at.After(newest) {
			newest = at
		}
	}
	return newest
}
