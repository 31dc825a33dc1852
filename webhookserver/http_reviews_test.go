package webhookserver

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
	clocktesting "k8s.io/utils/clock/testing"

	"cartrecovery.dev/operator/internal/metrics"
)

func jwt(header, claims string) string {
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(header)) + "." + encode([]byte(claims)) + "." + encode([]byte("signature"))
}

func tokenNumber(n int) string {
	return jwt(`{"alg":"RS256"}`, fmt.Sprintf(`{"iss":"i","sub":"%d"}`, n))
}

func TestLooksLikeToken(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	for name, test := range map[string]struct {
		token string
		want  bool
	}{
		"a token":                {tokenNumber(1), true},
		"one that is not over":   {jwt(`{"alg":"RS256"}`, `{"iss":"i","sub":"s","exp":1800000001}`), true},
		"one that is over":       {jwt(`{"alg":"RS256"}`, `{"iss":"i","sub":"s","exp":1799999999}`), false},
		"one that nobody signed": {jwt(`{"alg":"none"}`, `{"iss":"i","sub":"s"}`), false},
		"one of nobody":          {jwt(`{"alg":"RS256"}`, `{"iss":"i"}`), false},
		"one from nowhere":       {jwt(`{"alg":"RS256"}`, `{"sub":"s"}`), false},
		"no algorithm":           {jwt(`{}`, `{"iss":"i","sub":"s"}`), false},
		"a word":                 {"a-word-that-is-long-enough", false},
		"dots":                   {"....................", false},
		"two parts":              {"eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJpIiwic3ViIjoicyJ9", false},
		"no signature":           {"eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJpIiwic3ViIjoicyJ9.", false},
		"no base64":              {"eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJpIiwic3ViIjoicyJ9.!!!", false},
		"no JSON":                {jwt(`alg`, `{"iss":"i","sub":"s"}`), false},
		"nothing":                {"", false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := looksLikeToken(test.token, now); got != test.want {
				t.Errorf("got %t, want %t", got, test.want)
			}
		})
	}
}

// countingAuthorizer knows one token and counts how often it is asked.
type countingAuthorizer struct {
	Authorizer
	good  string
	fails bool
	asked int
}

func (a *countingAuthorizer) Authenticate(_ context.Context, token string) (Caller, bool, error) {
	a.asked++
	if a.fails {
		return Caller{}, false, errors.New("no answer")
	}
	return Caller{Username: "backend"}, token == a.good, nil
}

func TestFewTokensAreReviewed(t *testing.T) {
	stranger, other := netip.MustParsePrefix("198.51.100.7/32"), netip.MustParsePrefix("198.51.100.8/32")
	good := jwt(`{"alg":"RS256"}`, `{"iss":"i","sub":"good"}`)
	counted, err := metrics.New(prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	now := clocktesting.NewFakePassiveClock(time.Unix(1_800_000_000, 0))
	authorizer := &countingAuthorizer{good: good}
	reviews := newTokenReviews(authorizer, now, counted)
	ask := func(token string, from source) (known, limited bool) {
		_, known, err := reviews.authenticate(t.Context(), token, from)
		return known, errors.Is(err, errTooMany)
	}
	expect := func(what string, wantAsked int, known, wantKnown bool) {
		t.Helper()
		if authorizer.asked != wantAsked || known != wantKnown {
			t.Errorf("%s: asked %d times, known: %t; want %d, %t", what, authorizer.asked, known, wantAsked, wantKnown)
		}
	}
	known, _ := ask(good, stranger)
	expect("a good token", 1, known, true)
	known, _ = ask(good, stranger)
	expect("again", 1, known, true)
	now.SetTime(now.Now().Add(reviewedGood))
	known, _ = ask(good, stranger)
	expect("after a while", 2, known, true)

	known, _ = ask(tokenNumber(0), stranger)
	expect("a bad token", 3, known, false)
	for range 100 {
		known, _ = ask(tokenNumber(0), stranger)
	}
	expect("the same 100 times", 3, known, false)
	known, _ = ask("no token", stranger)
	expect("no token", 3, known, false)

	refused := 0
	for n := range 1000 {
		if _, limited := ask(tokenNumber(n+1), stranger); limited {
			refused++
		}
	}
	if authorizer.asked > 3+sourceReviewBurst || refused < 1000-sourceReviewBurst {
		t.Errorf("asked %d times for 1,000 forged tokens, %d refused", authorizer.asked-3, refused)
	}
	if _, limited := ask(tokenNumber(5000), other); limited {
		t.Error("another source was refused")
	}
	for n := range 1000 {
		ask(tokenNumber(n+10_000), source{})
	}
	if authorizer.asked > 3+reviewBurst+1 {
		t.Errorf("asked %d times in one moment", authorizer.asked)
	}
	before := authorizer.asked
	now.SetTime(now.Now().Add(reviewedGood - time.Millisecond))
	now.SetTime(now.Now().Add(time.Millisecond))
	known, _ = ask(good, stranger)
	expect("a token that was good before", before+1, known, true)

	authorizer.fails = true
	now.SetTime(now.Now().Add(reviewedGood))
	if _, _, err := reviews.authenticate(t.Context(), good, stranger); err == nil {
		t.Error("a review that failed is no answer")
	}
	authorizer.fails, authorizer.good = false, ""
	if known, _ := ask(good, stranger); known {
		t.Error("a token that was revoked is good")
	}
	before = authorizer.asked
	known, _ = ask(good, stranger)
	expect("a revoked token", before, known, false)
	if reviews.good.Len() > rememberedTokens || reviews.bad.Len() > rememberedTokens {
		t.Errorf("remembered %d and %d tokens", reviews.good.Len(), reviews.bad.Len())
	}
}

// TestRefusalsTakeTheirTime: who tries tokens waits, so many at once, and not when the server ends.
func TestRefusalsTakeTheirTime(t *testing.T) {
	for status, waits := range map[int]bool{
		fiber.StatusOK: false, fiber.StatusForbidden: false, fiber.StatusUnauthorized: true,
		fiber.StatusTooManyRequests: true,
	} {
		s, err := New(stubOptions(t))
		if err != nil {
			t.Fatal(err)
		}
		answered := make(chan int, 1)
		call := s.slowly(func(context.Context, *fiber.Ctx) answer { return answer{status: status} })
		go func() { answered <- call(t.Context(), nil).status }()
		for waits && len(s.pausing) == 0 {
			runtime.Gosched()
		}
		if waits {
			s.beginDrain()
		}
		if got := <-answered; got != status {
			t.Errorf("answered %d, want %d", got, status)
		}
		for range maxPausing {
			s.pausing <- struct{}{}
		}
		if got := call(t.Context(), nil).status; got != status {
			t.Errorf("when too many wait: answered %d, want %d", got, status)
		}
	}
}
