package cartrecovery

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/controllers/cartrecovery/plan"
	"cartrecovery.dev/operator/internal/failure"
	"cartrecovery.dev/operator/internal/gateway"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/lead"
)

func TestProofs(t *testing.T) {
	clock := clocktesting.NewFakePassiveClock(gen.T0)
	p := newProofs(clock, maxProofs, rand.Float64)
	key := func(n int) proofKey { return proofKey{"shop", fmt.Sprint(n)} }
	asked := 0
	for n := range 1000 {
		if p.begin(key(n), "number") {
			asked++
			p.end(key(n), "number", proofFrom(gateway.Receipt{}, false, nil, p.spread, gen.T0))
		}
	}
	if asked != verifyBurst {
		t.Errorf("%d questions at once, want %d", asked, verifyBurst)
	}
	last := p.get(key(999))
	if want := gen.T0.Add((1000 - verifyBurst) * time.Second / verifyRate); last.State != plan.ProofWaiting ||
		last.Until.Sub(want).Abs() > time.Second {
		t.Errorf("the last is asked for at %s, want %s", last.Until, want)
	}
	clock.SetTime(last.Until)
	if !p.begin(key(999), "number") || p.get(key(0)).State != plan.ProofNotFound {
		t.Error("its turn does not come")
	}
	p.end(key(999), "number", proofFrom(gateway.Receipt{}, false, &failure.Error{Class: failure.Transient}, p.spread,
		clock.Now()))
	if p.begin(key(500), "number") || p.get(key(500)).State != plan.ProofUnsure {
		t.Error("a gateway that does not answer is not left alone")
	}
	if !p.begin(key(501), "other") {
		t.Error("another number waits as well")
	}
	for n := range verifyAtOnce {
		if got := p.begin(key(600+n), "other"); got != (n < verifyAtOnce-1) {
			t.Errorf("question %d at once: %t", n+2, got)
		}
	}
	p.close("number")
	p.end(key(999), "number", plan.Proof{State: plan.ProofFound})
}

// TestEveryTurnComes: more messages than answers are remembered, all due at once.
func TestEveryTurnComes(t *testing.T) {
	clock := clocktesting.NewFakePassiveClock(gen.T0)
	const remembered, messages = 8_000, 20_000
	p := newProofs(clock, remembered, rand.Float64)
	next := make([]time.Time, messages)
	asked := make([]bool, messages)
	left := messages
	for now := gen.T0; left > 0; now = now.Add(10 * time.Second) {
		if now.Sub(gen.T0) > 2*messages/verifyRate*time.Second {
			t.Fatalf("%d of %d were not asked for after %s", left, messages, now.Sub(gen.T0))
		}
		clock.SetTime(now)
		for n := range messages {
			key := proofKey{"shop", strconv.Itoa(n)}
			if asked[n] || now.Before(next[n]) {
				continue
			}
			if p.begin(key, "number") {
				p.end(key, "number", plan.Proof{State: plan.ProofNotFound})
				asked[n], left = true, left-1
				continue
			}
			next[n] = p.get(key).Until
		}
	}
}

// twoIDs is a gateway that knows messages by their track ids.
type twoIDs struct {
	gateway.Gateway
	known map[string]bool
	err   error
}

func (g twoIDs) FindSent(_ context.Context, track, _ string) (gateway.Receipt, bool, error) {
	return gateway.Receipt{MessageID: track}, g.known[track], g.err
}

func TestFindSentAsksByTheFormerIDToo(t *testing.T) {
	recovery := gen.Lead(gen.T0)
	former := lead.FormerTrackID(recovery.UID, gen.FirstID)
	gate := twoIDs{known: map[string]bool{former: true}}
	if receipt, found, err := findSent(t.Context(), gate, recovery, gen.FirstID); !found || err != nil ||
		receipt.MessageID != former {
		t.Errorf("%v %t %v", receipt, found, err)
	}
	at := v1alpha1.NewTimestamp(gen.T0)
	recovery.Spec.ReceivedAt = &at
	if _, found, err := findSent(t.Context(), gate, recovery, gen.FirstID); found || err != nil {
		t.Errorf("a lead of this version has no former id: %t %v", found, err)
	}
	recovery.Spec.ReceivedAt = nil
	if _, _, err := findSent(t.Context(), twoIDs{err: errors.New("no")}, recovery, gen.FirstID); err == nil {
		t.Error("an error is no answer")
	}
}

func TestPrunable(t *testing.T) {
	old, young := gen.T0.Add(-48*time.Hour), gen.T0
	names := func(parts []part) string {
		all := ""
		for _, each := range parts {
			all += each.name
		}
		return all
	}
	if got := names(prunable([]part{{"c", "", old}, {"a", "", old}, {"b", "", young}},
		gen.T0.Add(-time.Hour))); got != "a" {
		t.Errorf("%q can go, want a alone", got)
	}
	many := make([]part, maxLedgerParts+2)
	for i := range many {
		many[i] = part{fmt.Sprintf("%05d;", i), "", young}
	}
	if got := names(prunable(many, old)); got != "00000;00001;" {
		t.Errorf("%q can go of too many", got)
	}
	if len(prunable(nil, gen.T0)) != 0 {
		t.Error("nothing can go of nothing")
	}
}
