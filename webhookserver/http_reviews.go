package webhookserver

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"
	"k8s.io/utils/clock"

	"cartrecovery.dev/operator/internal/metrics"
)

// Few tokens of strangers reach the API server's TokenReview: a text that cannot be a token is refused, reviews are
// remembered, and other tokens are reviewed at a bounded rate. See docs/decisions/0064-few-tokens-are-reviewed.md.

const (
	// reviewedGood is how long a good token is taken for good: so much later it is noticed that it was
	// revoked.
	reviewedGood = 10 * time.Second
	// reviewedBad is how long a token that is not known is refused without asking again.
	reviewedBad = time.Minute
	// rememberedTokens bounds the tokens that are remembered of each kind, rememberedSources the sources.
	rememberedTokens  = 4096
	rememberedSources = 4096
	// The reviews a second of tokens that were never good here, of everybody and of one source, and how many
	// may come at once.
	reviewRate, reviewBurst             = 20, 40
	sourceReviewRate, sourceReviewBurst = 5, 20
	// minToken and maxToken bound the length of a token.
	minToken, maxToken = 20, 12 << 10
)

// errTooMany: too many tokens that are not known wait to be looked at.
var errTooMany = errors.New("too many callers that are not known")

// The results of looking at a token, as the metric has them.
const (
	reviewAsked      = "asked"
	reviewRemembered = "remembered"
	reviewShapeless  = "shapeless"
	reviewLimited    = "limited"
)

// tokenHash stands for a token, which is not kept.
type tokenHash [sha256.Size]byte

// reviewed is a token that was good, and until when that is believed.
type reviewed struct {
	caller Caller
	until  time.Time
}

// tokenReviews looks at tokens.
type tokenReviews struct {
	authorizer Authorizer
	clock      clock.PassiveClock
	metrics    *metrics.Metrics
	// good stays after its time: a token that was good once is not held to the rate for strangers.
	good *lru.Cache[tokenHash, reviewed]
	bad  *lru.Cache[tokenHash, time.Time]

	total   *rate.Limiter
	sources *lru.Cache[source, *rate.Limiter]
}

func newTokenReviews(authorizer Authorizer, now clock.PassiveClock, counted *metrics.Metrics) *tokenReviews {
	r := &tokenReviews{
		authorizer: authorizer, clock: now, metrics: counted, total: rate.NewLimiter(reviewRate, reviewBurst),
	}
	// New fails only for a size that is not positive.
	r.good, _ = lru.New[tokenHash, reviewed](rememberedTokens)
	r.bad, _ = lru.New[tokenHash, time.Time](rememberedTokens)
	r.sources, _ = lru.New[source, *rate.Limiter](rememberedSources)
	return r
}

// authenticate returns the caller that a token belongs to; false when it belongs to none. The error is
// errTooMany, or that the API server could not be asked.
func (r *tokenReviews) authenticate(ctx context.Context, token string, from source) (Caller, bool, error) {
	now := r.clock.Now()
	if !looksLikeToken(token, now) {
		return Caller{}, false, r.count(reviewShapeless, nil)
	}
	hash := tokenHash(sha256.Sum256([]byte(token)))
	before, isKnown := r.good.Get(hash)
	if isKnown && now.Before(before.until) {
		return before.caller, true, r.count(reviewRemembered, nil)
	}
	if until, isBad := r.bad.Get(hash); isBad && now.Before(until) {
		return Caller{}, false, r.count(reviewRemembered, nil)
	}
	if !isKnown && !r.mayAsk(from, now) {
		return Caller{}, false, r.count(reviewLimited, errTooMany)
	}
	caller, known, err := r.authorizer.Authenticate(ctx, token)
	_ = r.count(reviewAsked, nil)
	switch {
	case err != nil:
		return Caller{}, false, err
	case known:
		r.good.Add(hash, reviewed{caller, now.Add(reviewedGood)})
	default:
		r.good.Remove(hash)
		r.bad.Add(hash, now.Add(reviewedBad))
	}
	return caller, known, nil
}

func (r *tokenReviews) count(result string, err error) error {
	r.metrics.TokenReview(result).Inc()
	return err
}

// mayAsk takes from what a source, and then everybody, may ask. Who is behind a proxy that does not say for
// whom it calls shares with everybody only.
func (r *tokenReviews) mayAsk(from source, now time.Time) bool {
	if from.IsValid() {
		own := rate.NewLimiter(sourceReviewRate, sourceReviewBurst)
		if before, found, _ := r.sources.PeekOrAdd(from, own); found {
			own = before
		}
		if !own.AllowN(now, 1) {
			return false
		}
	}
	return r.total.AllowN(now, 1)
}

// looksLikeToken says whether something can be a token of Kubernetes: a JWT in three parts, that is not
// over. What it says of itself is not believed beyond that.
func looksLikeToken(token string, now time.Time) bool {
	parts := strings.Split(token, ".")
	if len(token) < minToken || len(token) > maxToken || len(parts) != 3 || parts[2] == "" {
		return false
	}
	var header struct {
		Algorithm string `json:"alg"`
	}
	var claims struct {
		Issuer  string  `json:"iss"`
		Subject string  `json:"sub"`
		Expires float64 `json:"exp"`
	}
	if !decodePart(parts[0], &header) || !decodePart(parts[1], &claims) {
		return false
	}
	if _, err := base64.RawURLEncoding.DecodeString(parts[2]); err != nil {
		return false
	}
	return header.Algorithm != "" && header.Algorithm != "none" && claims.Issuer != "" && claims.Subject != "" &&
		(claims.Expires == 0 || float64(now.Unix()) <= claims.Expires)
}

func decodePart(part string, into any) bool {
	decoded, err := base64.RawURLEncoding.DecodeString(part)
	return err == nil && json.Unmarshal(decoded, into) == nil
}
