package webhookserver

import (
	"context"
	"errors"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/webhookkeys"
	"cartrecovery.dev/operator/webhookserver/platforms"
)

// errDoubted: a delivery matches none of the copied keys, which may be older than those of the
// Store. It is posted again, and by then the controllers have looked.
var errDoubted = errors.New("the delivery matches none of the copied keys; they are compared with the Store's")

// verify decides whether a delivery comes from a platform of the Store: reason says why not. The
// error is the platform's InputError, or that it cannot be known now. With copied keys a delivery
// is only refused for its credential when the copy was compared with its sources a short time ago:
// a key that was rotated must not cost a purchase.
func (s *Server) verify(
	ctx context.Context, store *v1alpha1.Store, name v1alpha1.PlatformName, delivery platforms.Delivery,
) (platform platforms.Platform, reason string, err error) {
	platform, reason, err = s.verifyKnown(ctx, store, name, delivery)
	if s.Copies == nil || err != nil || !webhookkeys.IsAboutKeys(reason) {
		return platform, reason, err
	}
	if s.Copies.Refresh(webhookkeys.OfStore, store) {
		platform, reason, err = s.verifyKnown(ctx, store, name, delivery)
		if err != nil || !webhookkeys.IsAboutKeys(reason) {
			return platform, reason, err
		}
	}
	isFresh, err := s.Copies.IsFresh(ctx, store, s.Clock.Now())
	if err != nil || isFresh {
		return platform, reason, err
	}
	// The controllers look for what is shown on the Store.
	s.reject(store, name, reason, "")
	return nil, "", errDoubted
}

// detection collects what the platforms of a Store say about a delivery.
type detection struct {
	// accepted are the platforms it proves to come from.
	accepted []platforms.Platform
	// closest is the platform whose reason to reject it tells most, "" when there is none.
	closest v1alpha1.PlatformName
	reason  string
	// ping is set on the test call of one of the platforms, which need not prove anything.
	ping bool
	// unreadable is why no platform could look for its credential.
	unreadable error
}

// detect asks every platform that the Store has configured, and no other, so that a body
// cannot choose the weakest check.
func (s *Server) detect(ctx context.Context, store *v1alpha1.Store, delivery platforms.Delivery) (detection, error) {
	found, err := s.detectBy(ctx, store, delivery, s.verifyKnown)
	if s.Copies == nil || err != nil || len(found.accepted) > 0 {
		return found, err
	}
	// None of the keys that are known fits: that is believed of fresh ones only.
	return s.detectBy(ctx, store, delivery, s.verify)
}

// verifier decides whether a delivery comes from a platform of a Store, as verify does.
type verifier func(
	context.Context, *v1alpha1.Store, v1alpha1.PlatformName, platforms.Delivery,
) (platforms.Platform, string, error)

// detectBy is detect with one way to verify.
func (s *Server) detectBy(
	ctx context.Context, store *v1alpha1.Store, delivery platforms.Delivery, verify verifier,
) (detection, error) {
	var found detection
	for i := range store.Spec.Platforms {
		name := store.Spec.Platforms[i].Name
		platform, reason, err := verify(ctx, store, name, delivery)
		found.ping = found.ping || err == nil && isPing(platform, reason, delivery)
		var input *platforms.InputError
		switch {
		case errors.As(err, &input):
			found.unreadable = err
		case err != nil:
			return detection{}, err
		case reason == "":
			found.accepted = append(found.accepted, platform)
		case found.reason == "" || reason == v1alpha1.RejectedBadCredential && found.reason != reason:
			found.closest, found.reason = name, reason
		}
	}
	return found, nil
}

// verifyKnown is verify by the keys that are known.
func (s *Server) verifyKnown(ctx context.Context, store *v1alpha1.Store, name v1alpha1.PlatformName,
	delivery platforms.Delivery) (platform platforms.Platform, reason string, err error) {
	configured := platformOf(store, name)
	if configured == nil {
		return nil, v1alpha1.RejectedPlatformNotConfigured, nil
	}
	platform, err = s.mappings.configured(store, configured)
	if err != nil {
		// The Store's Ready condition says what is wrong.
		return nil, v1alpha1.RejectedMisconfigured, nil //nolint:nilerr // it is the caller's reason
	}
	values, err := s.keysOf(ctx, store, configured)
	if err != nil {
		return nil, "", err
	}
	if len(values) == 0 {
		return platform, v1alpha1.RejectedSecretMissing, nil
	}
	err = platform.Verify(delivery, values)
	var input *platforms.InputError
	switch {
	case err == nil:
		return platform, "", nil
	case errors.As(err, &input):
		return nil, "", err
	case errors.Is(err, platforms.ErrNoCredential):
		return platform, v1alpha1.RejectedNoCredential, nil
	}
	return platform, v1alpha1.RejectedBadCredential, nil
}

func platformOf(store *v1alpha1.Store, name v1alpha1.PlatformName) *v1alpha1.StorePlatform {
	for i := range store.Spec.Platforms {
		if store.Spec.Platforms[i].Name == name {
			return &store.Spec.Platforms[i]
		}
	}
	return nil
}

// isPing says whether a delivery that is not authentic, for this reason, is a platform's test
// call: it has no effect, tells nothing and wants a 200, also while the platform signs with a
// key that the Store does not have yet.
func isPing(platform platforms.Platform, reason string, delivery platforms.Delivery) bool {
	if !platforms.MayBePing(delivery) {
		return false
	}
	switch reason {
	case v1alpha1.RejectedNoCredential, v1alpha1.RejectedSecretMissing, v1alpha1.RejectedBadCredential:
		pinger, pings := platform.(platforms.Pinger)
		return pings && pinger.IsPing(delivery)
	}
	return false
}
