package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/failure"
	"cartrecovery.dev/operator/internal/index"
	"cartrecovery.dev/operator/internal/owner"
	"cartrecovery.dev/operator/internal/policy"
	"cartrecovery.dev/operator/internal/secrets"
)

// look reads everything plan decides on.
func (r *Reconciler) look(ctx context.Context, store *v1alpha1.Store) (*snapshot, error) {
	seen := &snapshot{
		store: store, hasAIKey: r.HasAIKey, publicURL: r.PublicURL,
		leads: store.Status.Leads, tokens: store.Status.Tokens, policy: policy.Resolve(store, nil),
	}
	var claimants v1alpha1.StoreList
	if err := r.Client.List(ctx, &claimants,
		client.MatchingFields{index.StoreByClientID: store.Spec.ClientID}); err != nil {
		return nil, fmt.Errorf("list the Stores of the clientID: %w", err)
	}
	seen.claimants = claimants.Items
	var err error
	if seen.numbers, err = r.numbersOf(ctx, store); err != nil {
		return nil, err
	}
	seen.keyMissing, err = index.SuppressedUnknown(ctx, r.Client, store.Namespace, store.Name, r.Clock.Now())
	if err != nil {
		return nil, err
	}
	if !r.NoClaims {
		claimedBy, err := owner.ClaimedBy(ctx, r.Client, store.Spec.ClientID)
		if err != nil {
			return nil, err
		}
		seen.claimedBy = claimedBy
	}
	missing, err := r.missingSecret(ctx, store)
	if err != nil {
		return nil, err
	}
	seen.missing = missing
	if seen.refused, err = r.refusedEndpoint(ctx, store); err != nil {
		return nil, err
	}
	due, restored := r.countDue(client.ObjectKeyFromObject(store))
	seen.restored = restored
	if due {
		if err := r.recount(ctx, seen); err != nil {
			return nil, err
		}
	}
	return seen, nil
}

// claim gives the clientID to the Store's namespace. Where another namespace was faster, the next pass sees its claim.
func (r *Reconciler) claim(ctx context.Context, store *v1alpha1.Store) error {
	err := r.Client.Create(ctx, &v1alpha1.ClientIDClaim{
		ObjectMeta: metav1.ObjectMeta{Name: owner.ClaimName(store.Spec.ClientID)},
		Spec:       v1alpha1.ClientIDClaimSpec{ClientID: store.Spec.ClientID, Namespace: store.Namespace},
	})
	if err != nil {
		return fmt.Errorf("keep the clientID with the namespace: %w", err)
	}
	return nil
}

// missingSecret names a Secret that the Store refers to and that does not exist; "" for none.
func (r *Reconciler) missingSecret(ctx context.Context, store *v1alpha1.Store) (string, error) {
	for _, reference := range references(store) {
		_, err := r.Secrets.Get(ctx, store.Namespace, reference.SecretKeyReference)
		if errors.Is(err, secrets.ErrNotFound) {
			return fmt.Sprintf("%s: Secret %q with a key %q is needed", reference.field, reference.Name,
				reference.Key), nil
		}
		if err != nil {
			return "", err
		}
	}
	return "", nil
}

// refusedEndpoint says why the Store's AI endpoint may not be called, or not with its Secret; nil
// when it may.
func (r *Reconciler) refusedEndpoint(ctx context.Context, store *v1alpha1.Store) (*failure.Error, error) {
	if r.AI == nil {
		return nil, nil
	}
	_, err := r.AI.Request(ctx, store)
	failed, classed := failure.As(err)
	switch {
	case !classed:
		return nil, err
	case failed.Reason != "":
		return failed, nil
	}
	return nil, nil
}

// reference is a Secret the Store refers to, and the field that does.
type reference struct {
	field string
	v1alpha1.SecretKeyReference
}

func references(store *v1alpha1.Store) []reference {
	var all []reference
	for i := range store.Spec.Platforms {
		platform := &store.Spec.Platforms[i]
		for _, ref := range platform.SecretRefs {
			all = append(all, reference{"spec.platforms[" + string(platform.Name) + "].secretRefs", ref})
		}
	}
	if ref := store.Spec.AI.APIKeySecretRef; ref != nil {
		all = append(all, reference{"spec.ai.apiKeySecretRef", *ref})
	}
	return all
}

// recount counts the Store's leads in place in the cache. It copies nothing, and looks at no other Store's leads.
func (r *Reconciler) recount(ctx context.Context, seen *snapshot) error {
	name, now := client.ObjectKeyFromObject(seen.store), r.Clock.Now()
	var leads v1alpha1.CartRecoveryList
	err := r.Client.List(ctx, &leads, client.InNamespace(name.Namespace),
		client.MatchingFields{index.LeadOfStore: name.Name}, client.UnsafeDisableDeepCopy)
	if err != nil {
		return fmt.Errorf("count the leads: %w", err)
	}
	today := dayOf(now, seen.policy.Location)
	added := count(leads.Items, today)
	seen.leads, seen.restored = added.leads, added.restored
	if r.Tokens != nil {
		seen.tokens = r.settle(name, today.String(), added.tokens, seen.store.Status.Tokens)
	}
	r.mu.Lock()
	r.counted[name] = counted{at: now, restored: added.restored}
	r.mu.Unlock()
	return nil
}

// settle tells the ledger what is known of a day's tokens, and returns what it knows. While a day has none, the status
// keeps the day before it.
func (r *Reconciler) settle(name types.NamespacedName, today string, derived int64,
	last *v1alpha1.TokenUsage) *v1alpha1.TokenUsage {
	known := derived
	if last != nil && last.Day == today {
		known = max(known, last.Used)
	}
	r.Tokens.Seed(name, today, known)
	if used := r.Tokens.Used(name, today); used > 0 {
		return &v1alpha1.TokenUsage{Day: today, Used: used}
	}
	return last
}

// countDue says whether the last count is old enough, and how many leads waited for a restore
// then.
func (r *Reconciler) countDue(name types.NamespacedName) (due bool, restored int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	last, ok := r.counted[name]
	return !ok || r.Clock.Since(last.at) >= r.Pace.Count-time.Millisecond, last.restored
}

func (r *Reconciler) forget(name types.NamespacedName) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.counted, name)
}
