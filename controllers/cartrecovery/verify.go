package cartrecovery

import (
	"context"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/controllers/cartrecovery/plan"
	"cartrecovery.dev/operator/internal/backoff"
	"cartrecovery.dev/operator/internal/connection"
	"cartrecovery.dev/operator/internal/contacts"
	"cartrecovery.dev/operator/internal/failure"
	"cartrecovery.dev/operator/internal/gateway"
	"cartrecovery.dev/operator/internal/lead"
)

// This file asks gateways for messages that may have been sent before.

const (
	// verifyTimeout bounds one question; it is short, because many are asked after a restore.
	verifyTimeout = 3 * time.Second
	// verifyRate is how many questions a second a number's gateway is asked, after the first
	// verifyBurst; ten thousand leads take eight minutes.
	verifyRate, verifyBurst = 20, 40
	// verifyAhead is how long a turn is waited for at most. Who would wait longer has none and
	// asks for one later: those that have one are remembered, and there is room for so many.
	verifyAhead = 5 * time.Minute
	// verifyAtOnce is how many questions about a number are under way at once: a gateway that
	// hangs must not hold the workers that others need.
	verifyAtOnce = 4
	// unsureProof is how long a gateway that could not tell is left alone, for the message and
	// for the number.
	unsureProof = 30 * time.Second
	// maxProofs is how many answers are remembered, and how many that have no turn yet; some 20 MB.
	maxProofs = 50_000
)

// proofs remembers what is known of messages that may have been sent before, in the leader's
// memory: what it sent itself, and what gateways told. A restart asks again.
type proofs struct {
	clock  clock.PassiveClock
	random backoff.Random

	mu sync.Mutex
	// known holds a proof for each namespace and track id.
	known *lru.Cache[proofKey, plan.Proof]
	// crowd holds those that have no turn yet, so that they push out nobody who has one.
	crowd *lru.Cache[proofKey, plan.Proof]
	// lines are the turns of the numbers.
	lines map[types.UID]*verifyLine
}

// proofKey is a message's track id in a namespace.
type proofKey struct{ namespace, track string }

// verifyLine is the turn-taking of the questions about one number.
type verifyLine struct {
	limit *rate.Limiter
	// asking counts the questions under way.
	asking int
	// pausedUntil is until when the gateway is left alone, never that it has no look-up.
	pausedUntil time.Time
	never       bool
	// hangsUntil is until when nothing unconfirmed is looked up, because the gateway did not answer.
	hangsUntil time.Time
}

func newProofs(passive clock.PassiveClock, most int, random backoff.Random) *proofs {
	return &proofs{clock: passive, random: random, known: newest[proofKey, plan.Proof](most),
		crowd: newest[proofKey, plan.Proof](most), lines: map[types.UID]*verifyLine{}}
}

// spread has waits differ, as the Reconciler has.
func (p *proofs) spread(wait time.Duration) time.Duration {
	return backoff.Around(wait, backoff.Spread, p.random)
}

func (p *proofs) get(key proofKey) plan.Proof {
	for _, from := range []*lru.Cache[proofKey, plan.Proof]{p.known, p.crowd} {
		if known, ok := from.Get(key); ok {
			return known
		}
	}
	return plan.Proof{}
}

// sent remembers a message that this process has sent.
func (p *proofs) sent(key proofKey, number string, receipt gateway.Receipt, now time.Time) {
	at := receipt.At
	if at.IsZero() || at.After(now) {
		at = now
	}
	p.known.Add(key, plan.Proof{State: plan.ProofFound, At: at, GatewayID: receipt.MessageID, Number: number})
}

// begin says whether a question may be asked now. If not, it is remembered when, or that
// there is no use in it.
func (p *proofs) begin(key proofKey, instance types.UID) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	now, known, line := p.clock.Now(), p.get(key), p.line(instance)
	switch {
	case now.Before(line.pausedUntil):
		p.known.Add(key, plan.Proof{State: plan.ProofUnsure, Until: line.pausedUntil, Never: line.never})
		return false
	case known.State != plan.ProofWaiting:
		switch later := line.turn(now, p.spread); later.State {
		case plan.ProofWaiting:
			p.known.Add(key, later)
			return false
		case plan.ProofCrowded:
			p.crowd.Add(key, later)
			return false
		}
	}
	if line.asking >= verifyAtOnce {
		p.known.Add(key, plan.Proof{State: plan.ProofWaiting, Until: now.Add(p.spread(time.Second))})
		return false
	}
	line.asking++
	return true
}

// line is the line of a number. The lock is held.
func (p *proofs) line(instance types.UID) *verifyLine {
	line := p.lines[instance]
	if line == nil {
		line = &verifyLine{limit: rate.NewLimiter(verifyRate, verifyBurst)}
		p.lines[instance] = line
	}
	return line
}

// pause leaves a number alone that could not tell.
func (p *proofs) pause(instance types.UID, answer plan.Proof) {
	p.mu.Lock()
	defer p.mu.Unlock()
	line := p.line(instance)
	line.pausedUntil, line.never = answer.Until, answer.Never
}

// lookedUp leaves a number alone whose gateway did not answer a look-up in time: while it hangs, each of
// its unconfirmed messages would hold a worker.
func (p *proofs) lookedUp(instance *v1alpha1.WhatsAppInstance, err error) {
	if instance == nil || failure.CodeOf(err) != failure.TimedOut {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	line := p.line(instance.UID)
	line.hangsUntil = p.clock.Now().Add(p.spread(unsureProof))
}

// hangsUntil is until when a number is not asked for what is unconfirmed; zero for now.
func (p *proofs) hangsUntil(instance *v1alpha1.WhatsAppInstance) time.Time {
	if instance == nil {
		return time.Time{}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.line(instance.UID).hangsUntil
}

// paused is what a number that is left alone tells; the zero proof for one that is not.
func (p *proofs) paused(instance types.UID) plan.Proof {
	p.mu.Lock()
	defer p.mu.Unlock()
	line := p.line(instance)
	if !p.clock.Now().Before(line.pausedUntil) {
		return plan.Proof{}
	}
	return plan.Proof{State: plan.ProofUnsure, Until: line.pausedUntil, Never: line.never}
}

// turn takes the next turn of a number; the zero proof is that it is now.
func (l *verifyLine) turn(now time.Time, spread func(time.Duration) time.Duration) plan.Proof {
	reserved := l.limit.ReserveN(now, 1)
	switch wait := reserved.DelayFrom(now); {
	case wait <= 0:
		return plan.Proof{}
	case wait > verifyAhead:
		reserved.CancelAt(now)
		return plan.Proof{State: plan.ProofCrowded, Until: now.Add(spread(verifyAhead))}
	default:
		return plan.Proof{State: plan.ProofWaiting, Until: now.Add(wait)}
	}
}

// end remembers the answer.
func (p *proofs) end(key proofKey, instance types.UID, answer plan.Proof) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if line := p.lines[instance]; line != nil {
		line.asking--
	}
	if line := p.lines[instance]; line != nil && answer.State == plan.ProofUnsure && !answer.Elsewhere {
		line.pausedUntil, line.never = answer.Until, answer.Never
	}
	p.known.Add(key, answer)
}

// close forgets a number that is gone.
func (p *proofs) close(instance types.UID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.lines, instance)
}

// proofFrom is what an answer says.
func proofFrom(
	receipt gateway.Receipt, found bool, err error, spread func(time.Duration) time.Duration, now time.Time,
) plan.Proof {
	switch {
	case err != nil:
		return plan.Proof{State: plan.ProofUnsure, Until: now.Add(spread(unsureProof))}
	case found:
		return plan.Proof{State: plan.ProofFound, At: receipt.At, GatewayID: receipt.MessageID}
	default:
		return plan.Proof{State: plan.ProofNotFound}
	}
}

// verify finds out whether a message was sent before, and writes it down when it was.
func (r *Reconciler) verify(ctx context.Context, s plan.Snapshot, wanted plan.Message) (ctrl.Result, error) {
	key := proofKey{s.Lead.Namespace, lead.TrackID(s.Lead.Name, wanted.ID)}
	known := plan.ProofOf(&s, wanted, plan.RestoredAt(&s))
	if known.State != plan.ProofFound {
		if !r.proofs.begin(key, wanted.Instance.UID) {
			return r.soon(), nil
		}
		r.proofs.end(key, wanted.Instance.UID, r.ask(ctx, &s, wanted))
		known = plan.ProofOf(&s, wanted, plan.RestoredAt(&s))
	}
	if known.State != plan.ProofFound {
		return r.soon(), nil
	}
	if _, err := r.write(ctx, s, plan.SentBefore(wanted, known, s.Lead.Generation, r.Clock.Now())); err != nil {
		return afterConflict(err)
	}
	r.count(wanted.ID, "resolved")
	log.FromContext(ctx).Info("A message was sent before; it is not sent again", "message", wanted.ID)
	return ctrl.Result{}, nil
}

// ask asks the numbers that may have sent a message. That one has it goes before that another has
// no look-up; after one that does not answer no other is asked, so that a worker waits for one.
func (r *Reconciler) ask(ctx context.Context, s *plan.Snapshot, wanted plan.Message) plan.Proof {
	answer := plan.Proof{State: plan.ProofNotFound}
	for _, number := range plan.NumbersToAsk(s, wanted) {
		of := wanted
		of.Instance = number
		told := r.proofs.paused(number.UID)
		if told.State != plan.ProofUnsure {
			told = r.askNumber(ctx, s, of)
		}
		told.Elsewhere = number.Name != wanted.Instance.Name
		if told.State == plan.ProofUnsure {
			r.proofs.pause(number.UID, told)
		}
		switch {
		case told.State == plan.ProofFound, told.State == plan.ProofUnsure && !told.Never:
			return told
		case told.State == plan.ProofUnsure && answer.State != plan.ProofUnsure:
			answer = told
		}
	}
	return answer
}

// askNumber asks the number that a message is from.
func (r *Reconciler) askNumber(ctx context.Context, s *plan.Snapshot, wanted plan.Message) plan.Proof {
	if can, known := r.Connector.Capabilities(wanted.Instance); known && !can.FindSent {
		return plan.Proof{State: plan.ProofUnsure, Never: true, Until: r.Clock.Now().Add(contacts.UnsureFor),
			Number: wanted.Instance.Name}
	}
	receipt, found, err := r.wasSent(ctx, s.Lead, wanted)
	if err != nil {
		log.FromContext(ctx).V(1).Info("The gateway cannot tell whether a message was sent before",
			"message", wanted.ID, "instance", wanted.Instance.Name, "cause", connection.Message(err))
	}
	found = found && plan.IsOwn(s.Lead, receipt.At, plan.RestoredAt(s))
	told := proofFrom(receipt, found, err, r.spread, r.Clock.Now())
	told.Number = wanted.Instance.Name
	return told
}

// wasSent asks the gateway for a message, also by the track id that earlier versions gave it.
func (r *Reconciler) wasSent(
	ctx context.Context, recovery *v1alpha1.CartRecovery, wanted plan.Message,
) (gateway.Receipt, bool, error) {
	gate, err := r.Connector.For(ctx, wanted.Instance)
	if err != nil {
		return gateway.Receipt{}, false, err
	}
	ctx, cancel := context.WithTimeout(ctx, verifyTimeout)
	defer cancel()
	return findSent(ctx, gate, recovery, wanted.ID)
}

// findSent looks for a message by its track id and, of a lead that an earlier version may have
// made, by the one that the message had then.
func findSent(
	ctx context.Context, gate gateway.Gateway, recovery *v1alpha1.CartRecovery, messageID string,
) (gateway.Receipt, bool, error) {
	receipt, found, err := gate.FindSent(ctx, lead.TrackID(recovery.Name, messageID), recipient(recovery))
	if err != nil || found || recovery.Spec.ReceivedAt != nil {
		return receipt, found, err
	}
	return gate.FindSent(ctx, lead.FormerTrackID(recovery.UID, messageID), recipient(recovery))
}

// rebuild writes what the ledger knows into a status that lacks it.
func (r *Reconciler) rebuild(ctx context.Context, s plan.Snapshot) (ctrl.Result, error) {
	if _, err := r.write(ctx, s, plan.Rebuilt(&s)); err != nil {
		return afterConflict(err)
	}
	log.FromContext(ctx).Info("The status lacked what the ledger knows; it was added")
	return ctrl.Result{}, nil
}
