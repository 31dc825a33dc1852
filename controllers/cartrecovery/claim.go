package cartrecovery

import (
	"context"
	"fmt"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/controllers/cartrecovery/plan"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/shares"
	"cartrecovery.dev/operator/internal/suppressionkeys"
)

// This file keeps what this process alone can know of its claims: that it made one and called
// nobody. Such a claim is settled at once, without asking the gateway, and without waiting for
// as long as the call of another process could take.

// claimReadTimeout bounds the reads around a claim: of a lead whose claim was not answered, and
// of a Suppression.
const claimReadTimeout = 2 * time.Second

// uncalledClaim is a claim that this process made, or tried to make.
type uncalledClaim struct {
	lead    types.UID
	trackID string
	// at is the time of the claim, in microseconds: what tells it from other claims of the message.
	at int64
}

// uncalledClaims are the claims of which this process knows that it has not begun a call. One
// that it forgets, for want of room, is resolved as any other's.
type uncalledClaims struct {
	known *lru.Cache[uncalledClaim, struct{}]
}

func newUncalledClaims() *uncalledClaims {
	return &uncalledClaims{known: newest[uncalledClaim, struct{}](maxClaims)}
}

func uncalledKey(recovery *v1alpha1.CartRecovery, id string, at time.Time) uncalledClaim {
	return uncalledClaim{lead: recovery.UID, trackID: lead.TrackID(recovery.Name, id), at: at.UnixMicro()}
}

// made says that a message is about to be claimed with a time.
func (c *uncalledClaims) made(recovery *v1alpha1.CartRecovery, id string, at time.Time) {
	c.known.Add(uncalledKey(recovery, id, at), struct{}{})
}

// called says that its call begins, or that there is no such claim.
func (c *uncalledClaims) called(recovery *v1alpha1.CartRecovery, id string, at time.Time) {
	c.known.Remove(uncalledKey(recovery, id, at))
}

// has says whether a claim with this time is one of them.
func (c *uncalledClaims) has(recovery *v1alpha1.CartRecovery, id string, at time.Time) bool {
	_, ok := c.known.Get(uncalledKey(recovery, id, at))
	return ok
}

// unanswered says whether a write that failed may have been done all the same: the API server
// did not say no. It may even be done later.
func unanswered(err error) bool {
	switch {
	case err == nil, apierrors.IsConflict(err), apierrors.IsNotFound(err), apierrors.IsInvalid(err),
		apierrors.IsForbidden(err), apierrors.IsUnauthorized(err), apierrors.IsBadRequest(err),
		apierrors.IsTooManyRequests(err), apierrors.IsRequestEntityTooLargeError(err):
		return false
	default:
		return true
	}
}

// claim writes a claim. When the answer to the write is lost, it reads the lead: a claim that stands there is this
// process's own, and it holds unless something has changed since that speaks against the message. Every other case is
// settled as soon as the lead is seen again (see settle).
func (r *Reconciler) claim(ctx context.Context, s plan.Snapshot, wanted plan.Message,
	now time.Time) (*v1alpha1.CartRecovery, error) {
	r.uncalled.made(s.Lead, wanted.ID, now)
	tokens := r.drafts.Unbooked(client.ObjectKeyFromObject(s.Lead))
	claimed, err := r.write(shares.InTurn(ctx), s, plan.Claim(wanted, s.Lead.Generation, now))
	if err == nil {
		return claimed, nil
	}
	if !unanswered(err) {
		r.uncalled.called(s.Lead, wanted.ID, now)
		return nil, err
	}
	log.FromContext(ctx).Info("The API server did not answer to a claim; reading what it made of it", "message",
		wanted.ID)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), claimReadTimeout)
	defer cancel()
	fresh := &v1alpha1.CartRecovery{}
	if r.Live.Get(ctx, client.ObjectKeyFromObject(s.Lead), fresh) != nil {
		return nil, err
	}
	m := lead.Find(fresh.Status.Conversation, wanted.ID)
	stands := m != nil && m.State == v1alpha1.MessageClaimed && r.uncalled.has(fresh, wanted.ID, m.At.Time)
	if !stands || fresh.Generation != s.Lead.Generation ||
		plan.HeardHash(fresh.Status.Conversation) != plan.HeardHash(s.Lead.Status.Conversation) {
		return nil, err
	}
	r.drafts.Book(client.ObjectKeyFromObject(fresh), tokens)
	return fresh, nil
}

// settle writes that a claim of this process was never called for: the message is planned again
// and, if it is still wanted, claimed again.
func (r *Reconciler) settle(ctx context.Context, s plan.Snapshot, claimed plan.Message) (ctrl.Result, error) {
	r.claims.Remove(lead.TrackID(s.Lead.Name, claimed.ID))
	if claimed.Instance != nil {
		r.releaseTurn(&s, claimed.Instance)
	}
	log.FromContext(ctx).Info("A claim was not called for; planning the message anew", "message", claimed.ID)
	return ctrl.Result{}, r.writeOutcome(ctx, s, plan.Uncalled(claimed.ID, claimed.Due, plan.StillWanted(&s),
		r.Clock.Now()))
}

// suppressedLive says whether the customer's own request has made a Suppression, by the word of
// the API server: the cache may be behind. It is asked before the first message of a cycle, and
// after the lead was read. Whoever opts out later than this answer changes the lead first, by
// the message or by spec.stop, and the claim fails. A keyed Suppression is made before the one that
// it replaces is deleted, so it is asked for after that.
func (r *Reconciler) suppressedLive(ctx context.Context, recovery *v1alpha1.CartRecovery) (bool, error) {
	hash, store := lead.PhoneHash(recovery.Spec.Customer.Phone), recovery.Spec.StoreRef.Name
	if hash == "" {
		return false, nil
	}
	ctx, cancel := context.WithTimeout(ctx, claimReadTimeout)
	defer cancel()
	plain := func(s *v1alpha1.Suppression) bool { return lead.SuppressedHash(s) == hash }
	found, err := r.suppressionLive(ctx, recovery, lead.SuppressionName(store, hash), plain)
	for _, mac := range r.SuppressionKeys.All(store, hash) {
		if found || err != nil {
			break
		}
		found, err = r.suppressionLive(ctx, recovery, suppressionkeys.Name(mac), func(s *v1alpha1.Suppression) bool {
			return s.Spec.PhoneHMAC == mac
		})
	}
	return found, err
}

// suppressionLive says whether a Suppression of this name holds, and is of the lead's Store and customer.
func (r *Reconciler) suppressionLive(ctx context.Context, recovery *v1alpha1.CartRecovery, name string,
	ofCustomer func(*v1alpha1.Suppression) bool) (bool, error) {
	found := &v1alpha1.Suppression{}
	err := r.Live.Get(ctx, client.ObjectKey{Namespace: recovery.Namespace, Name: name}, found)
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read the suppression of a customer before their first message: %w", err)
	}
	return found.Spec.StoreRef == recovery.Spec.StoreRef && ofCustomer(found) &&
		!lead.Lapsed(found, r.Clock.Now()), nil
}

// mayBegin says whether a message may be the first of its cycle as far as the customer's own
// word goes; one that only answers their request always may.
func (r *Reconciler) mayBegin(ctx context.Context, s *plan.Snapshot, wanted plan.Message) (bool, error) {
	if s.Suppressed || lead.IsNoticeID(wanted.ID) || lead.Written(s.Lead) {
		return true, nil
	}
	suppressed, err := r.suppressedLive(ctx, s.Lead)
	return !suppressed, err
}
