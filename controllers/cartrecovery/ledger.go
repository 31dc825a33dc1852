package cartrecovery

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/ledger"
	"cartrecovery.dev/operator/internal/panics"
	"cartrecovery.dev/operator/internal/policy"
)

// This file writes the ledger down, in RecoveryLedgers, and reads it back.

const (
	// DefaultLedgerEvery is how often a Store's ledger is written at most.
	DefaultLedgerEvery = 10 * time.Second
	// ledgerPrune is how often what no lead can need is looked for.
	ledgerPrune = time.Hour
	// ledgerAgain is how soon the ledger of a namespace is read again, where a restored lead is
	// looked for that it does not know.
	ledgerAgain = 15 * time.Second
	// ledgerGrace is how much longer than its Store's longest lead an entry is kept.
	ledgerGrace = 30 * 24 * time.Hour
	// ledgerOrphaned is how long the entries of a Store that is gone are kept: longer than any
	// lead can be.
	ledgerOrphaned = 2 * 8760 * time.Hour
	// maxLedgerParts is how many RecoveryLedgers a Store has at most; the oldest goes first.
	maxLedgerParts = 1000
	// ledgerPage is how many RecoveryLedgers are read at once; some 4 MB.
	ledgerPage = 50
	// ledgerFlush bounds the last write of a manager that is stopping.
	ledgerFlush = 5 * time.Second
)

// keeper writes the ledger down while this process leads, and reads each namespace's when it
// is first asked for.
type keeper struct {
	client client.Client
	live   client.Reader
	clock  clock.PassiveClock
	every  time.Duration
	*ledger.Ledger

	// parts is held while parts are read or written, and guards heads.
	parts sync.Mutex
	// heads are the parts that are being written, the last of each Store.
	heads map[types.NamespacedName]*v1alpha1.RecoveryLedger

	mu sync.Mutex
	// read is when the ledger of a namespace was last read.
	read map[string]time.Time
}

func newKeeper(writer client.Client, live client.Reader, passive clock.PassiveClock, every time.Duration) *keeper {
	return &keeper{
		client: writer, live: live, clock: passive, every: every, Ledger: ledger.New(),
		read: map[string]time.Time{}, heads: map[types.NamespacedName]*v1alpha1.RecoveryLedger{},
	}
}

var _ manager.LeaderElectionRunnable = &keeper{}

// NeedLeaderElection says that only the leader writes it.
func (k *keeper) NeedLeaderElection() bool { return true }

// flushLast writes once more after the context has ended.
func (k *keeper) flushLast(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), ledgerFlush)
	defer cancel()
	k.flush(ctx)
}

// Start writes until the context ends, and then once more.
func (k *keeper) Start(ctx context.Context) error {
	pruned := k.clock.Now()
	ticker := time.NewTicker(k.every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			k.flushLast(ctx)
			return nil
		case <-ticker.C:
		}
		k.flush(ctx)
		if k.clock.Since(pruned) >= ledgerPrune {
			pruned = k.clock.Now()
			k.prune(ctx)
		}
	}
}

// load reads the ledger of a namespace, if it was never read, or not for a while and again is
// set. Others wait for it.
func (k *keeper) load(ctx context.Context, namespace string, again bool) error {
	if k.isRead(namespace, again) {
		return nil
	}
	k.parts.Lock()
	defer k.parts.Unlock()
	if k.isRead(namespace, again) {
		return nil
	}
	now := k.clock.Now()
	if err := k.readParts(ctx, namespace, k.take); err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.read[namespace] = now
	return nil
}

// isRead says whether the ledger of a namespace was read, and lately where it is wanted again.
func (k *keeper) isRead(namespace string, again bool) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	last, known := k.read[namespace]
	return known && (!again || k.clock.Since(last) < ledgerAgain)
}

// take learns a part, and has the last one be written on.
func (k *keeper) take(part *v1alpha1.RecoveryLedger) {
	k.Learn(part)
	store := types.NamespacedName{Namespace: part.Namespace, Name: part.Spec.StoreRef.Name}
	if head := k.heads[store]; head == nil || head.Name <= part.Name {
		k.heads[store] = part
	}
}

// readParts reads the RecoveryLedgers of a namespace from the API server.
func (k *keeper) readParts(ctx context.Context, namespace string, each func(*v1alpha1.RecoveryLedger)) error {
	page := client.ListOptions{Namespace: namespace, Limit: ledgerPage}
	for {
		var list v1alpha1.RecoveryLedgerList
		if err := k.live.List(ctx, &list, &page); err != nil {
			return fmt.Errorf("read the RecoveryLedgers: %w", err)
		}
		for i := range list.Items {
			each(&list.Items[i])
		}
		if page.Continue = list.Continue; page.Continue == "" {
			return nil
		}
	}
}

// flush writes what is not written down, one write a Store at most.
func (k *keeper) flush(ctx context.Context) {
	for _, store := range k.Unsaved() {
		err := panics.Do(ctx, panics.Ledger, func() error {
			if err := k.load(ctx, store.Namespace, false); err != nil {
				return err
			}
			return k.save(ctx, store)
		})
		if err != nil {
			log.FromContext(ctx).Error(err, "Cannot write the ledger", "store", store)
		}
	}
}

// save writes the next entries of a Store.
func (k *keeper) save(ctx context.Context, store types.NamespacedName) error {
	k.parts.Lock()
	defer k.parts.Unlock()
	head := k.heads[store]
	room := v1alpha1.MaxLedgerEntries
	if head != nil && len(head.Spec.Entries) < v1alpha1.MaxLedgerEntries {
		room -= len(head.Spec.Entries)
	}
	entries := k.Next(store, room)
	if len(entries) == 0 {
		return nil
	}
	written, err := k.put(ctx, store, head, entries)
	switch {
	case apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause), head == nil && apierrors.IsNotFound(err):
		// The namespace is gone, or going.
		delete(k.heads, store)
		k.Drop(store)
		return nil
	case apierrors.IsConflict(err), apierrors.IsNotFound(err), apierrors.IsAlreadyExists(err):
		// Somebody else wrote or deleted it: it is read again, and written the next time.
		delete(k.heads, store)
		k.mu.Lock()
		delete(k.read, store.Namespace)
		k.mu.Unlock()
		return nil
	case err != nil:
		return err
	}
	k.heads[store] = written
	k.Saved(store, entries)
	return nil
}

// put adds entries to the last part of a Store's ledger, or begins the next when that is full.
func (k *keeper) put(
	ctx context.Context, store types.NamespacedName, head *v1alpha1.RecoveryLedger, entries []v1alpha1.LedgerEntry,
) (*v1alpha1.RecoveryLedger, error) {
	if head != nil && len(head.Spec.Entries) < v1alpha1.MaxLedgerEntries {
		next := head.DeepCopy()
		next.Spec.Entries = append(next.Spec.Entries, entries...)
		patch := client.MergeFromWithOptions(head, client.MergeFromWithOptimisticLock{})
		if err := k.client.Patch(ctx, next, patch); err != nil {
			return nil, fmt.Errorf("write RecoveryLedger %s: %w", head.Name, err)
		}
		return next, nil
	}
	made := &v1alpha1.RecoveryLedger{
		ObjectMeta: metav1.ObjectMeta{Namespace: store.Namespace, Name: partName(store.Name, k.clock.Now())},
		Spec:       v1alpha1.RecoveryLedgerSpec{StoreRef: v1alpha1.ObjectReference{Name: store.Name}, Entries: entries},
	}
	if err := k.client.Create(ctx, made); err != nil {
		return nil, fmt.Errorf("create RecoveryLedger %s: %w", made.Name, err)
	}
	return made, nil
}

// partName is the name of a part that begins at a time: the parts of a Store sort by it.
func partName(store string, at time.Time) string {
	sum := sha256.Sum256([]byte(store))
	return fmt.Sprintf("ledger-%s-%012x", hex.EncodeToString(sum[:8]), at.UnixMilli())
}

// prune deletes the parts that no lead can need any more.
func (k *keeper) prune(ctx context.Context) {
	k.mu.Lock()
	namespaces := make([]string, 0, len(k.read))
	for namespace := range k.read {
		namespaces = append(namespaces, namespace)
	}
	k.mu.Unlock()
	for _, namespace := range namespaces {
		if err := panics.Do(ctx, panics.Ledger, func() error { return k.pruneNamespace(ctx, namespace) }); err != nil {
			log.FromContext(ctx).Error(err, "Cannot prune the ledger", "namespace", namespace)
		}
	}
}

func (k *keeper) pruneNamespace(ctx context.Context, namespace string) error {
	parts := map[string][]part{}
	err := k.readParts(ctx, namespace, func(read *v1alpha1.RecoveryLedger) {
		store := read.Spec.StoreRef.Name
		parts[store] = append(parts[store], part{read.Name, read.ResourceVersion, ledger.Newest(read.Spec.Entries)})
	})
	if err != nil {
		return err
	}
	for store, of := range parts {
		longest, err := k.longestKept(ctx, types.NamespacedName{Namespace: namespace, Name: store})
		if err != nil {
			return err
		}
		for _, gone := range prunable(of, k.clock.Now().Add(-longest)) {
			if err := k.drop(ctx, namespace, gone); err != nil {
				return err
			}
		}
	}
	return nil
}

// part is a RecoveryLedger without its entries.
type part struct {
	name, version string
	newest        time.Time
}

// prunable are the parts of a Store's ledger that can go: those whose entries are all from
// before a time, and the oldest of too many. The last, which is written on, stays.
func prunable(parts []part, before time.Time) []part {
	slices.SortFunc(parts, func(a, b part) int { return cmp.Compare(a.name, b.name) })
	var gone []part
	for i := range parts[:max(0, len(parts)-1)] {
		if parts[i].newest.Before(before) || len(parts)-i > maxLedgerParts {
			gone = append(gone, parts[i])
		}
	}
	return gone
}

// drop deletes a part, and forgets what it says.
func (k *keeper) drop(ctx context.Context, namespace string, gone part) error {
	read := &v1alpha1.RecoveryLedger{}
	if err := k.live.Get(ctx, types.NamespacedName{Namespace: namespace, Name: gone.name}, read); err != nil {
		return client.IgnoreNotFound(err)
	}
	err := k.client.Delete(ctx, read, client.Preconditions{ResourceVersion: &gone.version})
	if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
		return fmt.Errorf("delete RecoveryLedger %s: %w", gone.name, err)
	}
	if err == nil {
		k.Forget(types.NamespacedName{Namespace: namespace, Name: read.Spec.StoreRef.Name}, read.Spec.Entries)
	}
	return nil
}

// longestKept is how long an entry of a Store is kept: longer than any of its leads.
func (k *keeper) longestKept(ctx context.Context, name types.NamespacedName) (time.Duration, error) {
	store := &v1alpha1.Store{}
	if err := k.client.Get(ctx, name, store); err != nil {
		return ledgerOrphaned, client.IgnoreNotFound(err)
	}
	var products v1alpha1.ProductList
	if err := k.client.List(ctx, &products, client.InNamespace(name.Namespace)); err != nil {
		return 0, fmt.Errorf("list the Products of a Store: %w", err)
	}
	longest := longestOf(policy.Resolve(store, nil))
	for i := range products.Items {
		if products.Items[i].Spec.StoreRef.Name == name.Name {
			longest = max(longest, longestOf(policy.Resolve(store, &products.Items[i])))
		}
	}
	return longest + ledgerGrace, nil
}

// longestOf is how long a lead can be there after something happened to it.
func longestOf(of policy.Policy) time.Duration {
	longest := of.TTLAfterPurchaseOnly
	for _, phase := range []v1alpha1.Phase{
		v1alpha1.PhaseRecovered, v1alpha1.PhaseConverted, v1alpha1.PhaseFailed, v1alpha1.PhaseOptedOut,
		v1alpha1.PhaseExpired,
	} {
		longest = max(longest, of.TTLOf(phase, false))
	}
	return longest + of.ExpireAfter
}
