package cartrecovery

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/time/rate"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"k8s.io/utils/lru"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/connection"
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
	clock clock.PassiveClock

	mu sync.Mutex
	// known holds a proof for each namespace and track id.
	known *lru.Cache
	// crowd holds those that have no turn yet, so that they push out nobody who has one.
	crowd *lru.Cache
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

func newProofs(passive clock.PassiveClock, most int) *proofs {
	return &proofs{clock: passive, known: lru.New(most), crowd: lru.New(most), lines: map[types.UID]*verifyLine{}}
}

func (p *proofs) get(key proofKey) proof {
	for _, from := range []*lru.Cache{p.known, p.crowd} {
		if known, ok := from.Get(key); ok {
			return known.(proof)
		}
	}
	return proof{}
}

// sent remembers a message that this process has sent.
func (p *proofs) sent(key proofKey, number string, receipt gateway.Receipt, now time.Time) {
	at := receipt.At
	if at.IsZero() || at.After(now) {
		at = now
	}
	p.known.Add(key, proof{state: proofFound, at: at, gatewayID: receipt.MessageID, number: number})
}

// begin says whether a question may be asked now. If not, it is remembered when, or that
// there is no use in it.
func (p *proofs) begin(key proofKey, instance types.UID) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	now, known, line := p.clock.Now(), p.get(key), p.line(instance)
	switch {
	case now.Before(line.pausedUntil):
		p.known.Add(key, proof{state: proofUnsure, until: line.pausedUntil, never: line.never})
		return false
	case known.state != proofWaiting:
		switch later := line.turn(now); later.state {
		case proofWaiting:
			p.known.Add(key, later)
			return false
		case proofCrowded:
			p.crowd.Add(key, later)
			return false
		}
	}
	if line.asking >= verifyAtOnce {
		p.known.Add(key, proof{state: proofWaiting, until: now.Add(jitter(time.Second))})
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
func (p *proofs) pause(instance types.UID, answer proof) {
	p.mu.Lock()
	defer p.mu.Unlock()
	line := p.line(instance)
	line.pausedUntil, line.never = answer.until, answer.never
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
	line.hangsUntil = p.clock.Now().Add(jitter(unsureProof))
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
func (p *proofs) paused(instance types.UID) proof {
	p.mu.Lock()
	defer p.mu.Unlock()
	line := p.line(instance)
	if !p.clock.Now().Before(line.pausedUntil) {
		return proof{}
	}
	return proof{state: proofUnsure, until: line.pausedUntil, never: line.never}
}

// turn takes the next turn of a number; the zero proof is that it is now.
func (l *verifyLine) turn(now time.Time) proof {
	reserved := l.limit.ReserveN(now, 1)
	switch wait := reserved.DelayFrom(now); {
	case wait <= 0:
		return proof{}
	case wait > verifyAhead:
		reserved.CancelAt(now)
		return proof{state: proofCrowded, until: now.Add(jitter(verifyAhead))}
	default:
		return proof{state: proofWaiting, until: now.Add(wait)}
	}
}

// end remembers the answer.
func (p *proofs) end(key proofKey, instance types.UID, answer proof) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if line := p.lines[instance]; line != nil {
		line.asking--
	}
	if line := p.lines[instance]; line != nil && answer.state == proofUnsure && !answer.elsewhere {
		line.pausedUntil, line.never = answer.until, answer.never
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
func proofFrom(receipt gateway.Receipt, found bool, err error, now time.Time) proof {
	switch {
	case errors.Is(err, gateway.ErrNoLookup):
		return proof{state: proofUnsure, never: true, until: now.Add(unsureFor)}
	case err != nil:
		return proof{state: proofUnsure, until: now.Add(jitter(unsureProof))}
	case found:
		return proof{state: proofFound, at: receipt.At, gatewayID: receipt.MessageID}
	default:
		return proof{state: proofNotFound}
	}
}

// verify finds out whether a message was sent before, and writes it down when it was.
func (r *Reconciler) verify(ctx context.Context, s situation, wanted message) (ctrl.Result, error) {
	key := proofKey{s.lead.Namespace, lead.TrackID(s.lead.Name, wanted.id)}
	known := proofOf(&s, wanted, restoredAt(&s))
	if known.state != proofFound {
		if !r.proofs.begin(key, wanted.instance.UID) {
			return r.soon(), nil
		}
		r.proofs.end(key, wanted.instance.UID, r.ask(ctx, &s, wanted))
		known = proofOf(&s, wanted, restoredAt(&s))
	}
	if known.state != proofFound {
		return r.soon(), nil
	}
	if _, err := r.write(ctx, s, sentBefore(wanted, known, s.lead.Generation, r.Clock.Now())); err != nil {
		return afterConflict(err)
	}
	r.count(wanted.id, "resolved")
	log.FromContext(ctx).Info("A message was sent before; it is not sent again", "message", wanted.id)
	return ctrl.Result{}, nil
}

// ask asks the numbers that may have sent a message. That one has it goes before that another has
// no look-up; after one that does not answer no other is asked, so that a worker waits for one.
func (r *Reconciler) ask(ctx context.Context, s *situation, wanted message) proof {
	answer := proof{state: proofNotFound}
	for _, number := range numbersToAsk(s, wanted) {
		of := wanted
		of.instance = number
		told := r.proofs.paused(number.UID)
		if told.state != proofUnsure {
			told = r.askNumber(ctx, s, of)
		}
		told.elsewhere = number.Name != wanted.instance.Name
		if told.state == proofUnsure {
			r.proofs.pause(number.UID, told)
		}
		switch {
		case told.state == proofFound, told.state == proofUnsure && !told.never:
			return told
		case told.state == proofUnsure && answer.state != proofUnsure:
			answer = told
		}
	}
	return answer
}

// askNumber asks the number that a message is from.
func (r *Reconciler) askNumber(ctx context.Context, s *situation, wanted message) proof {
	receipt, found, err := r.wasSent(ctx, s.lead, wanted)
	if err != nil {
		log.FromContext(ctx).V(1).Info("The gateway cannot tell whether a message was sent before",
			"message", wanted.id, "instance", wanted.instance.Name, "cause", connection.Message(err))
	}
	found = found && isOwn(s.lead, receipt.At, restoredAt(s))
	told := proofFrom(receipt, found, err, r.Clock.Now())
	told.number = wanted.instance.Name
	return told
}

// wasSent asks the gateway for a message, also by the track id that earlier versions gave it.
func (r *Reconciler) wasSent(
	ctx context.Context, recovery *v1alpha1.CartRecovery, wanted message,
) (gateway.Receipt, bool, error) {
	gate, err := r.Connector.For(ctx, wanted.instance)
	if err != nil {
		return gateway.Receipt{}, false, err
	}
	ctx, cancel := context.WithTimeout(ctx, verifyTimeout)
	defer cancel()
	return findSent(ctx, gate, recovery, wanted.id)
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
func (r *Reconciler) rebuild(ctx context.Context, s situation) (ctrl.Result, error) {
	if _, err := r.write(ctx, s, rebuilt(&s)); err != nil {
		return afterConflict(err)
	}
	log.FromContext(ctx).Info("The status lacked what the ledger knows; it was added")
	return ctrl.Result{}, nil
}

// readPast reads what is known of the time before: how this process began to lead, and what
// the ledger knows of the lead. What the lead says goes into the ledger.
func (r *Reconciler) readPast(ctx context.Context, s *situation) error {
	if r.Began != nil {
		began, err := r.Began(ctx)
		if err != nil {
			return err
		}
		s.began = began
	}
	if err := r.keeper.load(ctx, s.lead.Namespace, false); err != nil {
		return err
	}
	r.keeper.Observe(s.lead)
	s.ledger = r.keeper.Of(s.lead)
	if restored := restoredAt(s); len(s.ledger) == 0 && s.now.Before(restored.Add(settleRestored+ledgerAgain)) {
		if err := r.keeper.load(ctx, s.lead.Namespace, true); err != nil {
			return err
		}
		s.ledger = r.keeper.Of(s.lead)
	}
	s.proof = func(track string) proof { return r.proofs.get(proofKey{s.lead.Namespace, track}) }
	return nil
}
