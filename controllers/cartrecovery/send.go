package cartrecovery

import (
	"context"
	"errors"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/retry"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/controllers/cartrecovery/plan"
	"cartrecovery.dev/operator/internal/connection"
	"cartrecovery.dev/operator/internal/failure"
	"cartrecovery.dev/operator/internal/gateway"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/panics"
)

// claimLease is how long after its claim a call may still begin. A leader that was frozen
// in between must not wake up and send what its successor has taken over.
const claimLease = 20 * time.Second

// send claims, sends and confirms. From the claim on, every way out leaves the message
// Sent, Failed, or Claimed for resolve to find out.
func (r *Reconciler) send(ctx context.Context, s plan.Snapshot, wanted plan.Message) (ctrl.Result, error) {
	gate, err := r.Connector.For(ctx, wanted.Instance)
	if err != nil {
		return r.misconfigured(ctx, s, err)
	}
	now := r.Clock.Now()
	if !r.acquireTurn(&s, wanted, now) {
		return r.until(now.Add(turnRetry)), nil
	}
	// Not before the turn is taken: whoever holds it up keeps all behind it waiting.
	if may, err := r.mayBegin(ctx, &s, wanted); err != nil || !may {
		r.releaseTurn(&s, wanted.Instance)
		if err != nil {
			return ctrl.Result{}, err
		}
		s.Suppressed = true
		return r.act(ctx, s, plan.Next(s))
	}
	claimed, err := r.claim(ctx, s, wanted, now)
	if err != nil {
		r.releaseTurn(&s, wanted.Instance)
		return afterConflict(err)
	}
	s.Lead = claimed
	r.drafts.Claim(client.ObjectKeyFromObject(claimed), wanted.Tokens)
	r.claims.Add(lead.TrackID(claimed.Name, wanted.ID), wanted.Instance.Status.GatewayInstanceID)
	if !leaseHolds(now, r.Clock.Now()) {
		return r.leaseLost(ctx, s, wanted, now)
	}
	r.uncalled.called(claimed, wanted.ID, now)
	r.Metrics.Lateness.Observe(max(0, r.Clock.Since(wanted.Due).Seconds()))
	leased := gateway.WithLease(ctx, func() bool { return leaseHolds(now, r.Clock.Now()) })
	receipt, err := r.call(leased, gate, claimed, wanted)
	if failure.CodeOf(err) == failure.LeaseLost {
		return r.leaseLost(ctx, s, wanted, now)
	}
	return r.afterSend(ctx, s, wanted, receipt, err)
}

// leaseHolds says whether the call of a message that was claimed at a time may still begin. It
// asks the wall clock, too: the other one stands still while a machine sleeps.
func leaseHolds(claimed, now time.Time) bool {
	return max(now.Sub(claimed), now.Round(0).Sub(claimed.Round(0))) <= claimLease
}

// leaseLost gives up a claim whose call may not begin any more. Nobody was called for it.
func (r *Reconciler) leaseLost(ctx context.Context, s plan.Snapshot, wanted plan.Message,
	claimedAt time.Time) (ctrl.Result, error) {
	log.FromContext(ctx).Info("The lease of a claim was over before the call began; the message is not sent", "message",
		wanted.ID)
	wanted.Due = claimedAt
	// It was to be called; the cache may still show it as claimed a while.
	r.uncalled.made(s.Lead, wanted.ID, claimedAt)
	return r.settle(ctx, s, wanted)
}

// call hands a claimed message to the gateway. A stopping manager waits for it: cancelled,
// nobody would know whether the message went.
func (r *Reconciler) call(ctx context.Context, gate gateway.Gateway, claimed *v1alpha1.CartRecovery,
	wanted plan.Message) (gateway.Receipt, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), gateway.Timeout)
	defer cancel()
	var receipt gateway.Receipt
	err := panics.Do(ctx, panics.Call, func() (failed error) {
		receipt, failed = gate.SendText(ctx, gateway.Text{
			Phone:   recipient(claimed),
			Body:    wanted.Text,
			TrackID: lead.TrackID(claimed.Name, wanted.ID),
			Heard:   lastHeard(claimed),
		})
		return failed
	})
	if failed, classed := failure.As(err); classed && failed.Code == failure.Fault {
		// It may have gone before the panic: the gateway is asked for it.
		failed.Class = failure.Ambiguous
		panics.Tell(r.Recorder, claimed)
	}
	return receipt, err
}

// lastHeard is when the customer last wrote in a lead; zero for never.
func lastHeard(recovery *v1alpha1.CartRecovery) time.Time {
	if last := lead.LastInbound(recovery); last != nil {
		return last.At.Time
	}
	return time.Time{}
}

// afterSend writes what came of a call.
func (r *Reconciler) afterSend(ctx context.Context, s plan.Snapshot, wanted plan.Message, receipt gateway.Receipt,
	failed error) (ctrl.Result, error) {
	now := r.Clock.Now()
	switch {
	case failed == nil:
		r.count(wanted.ID, "sent")
		r.Pacer.Succeeded(wanted.Instance.UID)
		r.claims.Remove(lead.TrackID(s.Lead.Name, wanted.ID))
		key := proofKey{s.Lead.Namespace, lead.TrackID(s.Lead.Name, wanted.ID)}
		r.proofs.sent(key, wanted.Instance.Name, receipt, now)
		if !lead.IsNoticeID(wanted.ID) {
			r.drafts.Forget(client.ObjectKeyFromObject(s.Lead))
		}
		return ctrl.Result{}, r.writeOutcome(ctx, s, plan.Confirm(wanted.ID, sentOf(receipt), now))
	case failure.ClassOf(failed) == failure.Ambiguous:
		r.count(wanted.ID, "ambiguous")
		log.FromContext(ctx).Info("It is not known whether a message went; the gateway will be asked", "message",
			wanted.ID, "cause", connection.Message(failed))
		taken := lead.Find(s.Lead.Status.Conversation, wanted.ID).At.Time
		if failure.CodeOf(failed) == failure.TimedOut {
			r.Pacer.TimedOut(wanted.Instance.UID, taken)
		} else if failure.CodeOf(failed) != failure.Fault {
			r.Pacer.Unclear(wanted.Instance.UID, taken)
		}
		return r.until(now.Add(plan.AskAfter)), nil
	}
	r.claims.Remove(lead.TrackID(s.Lead.Name, wanted.ID))
	r.releaseTurn(&s, wanted.Instance)
	r.count(wanted.ID, "refused")
	log.FromContext(ctx).Info("The gateway refused a message", "message", wanted.ID, "cause",
		connection.Message(failed))
	if failure.CodeOf(failed) == failure.Restricted {
		r.pauseNewConversations(ctx, wanted.Instance, failed)
	}
	attempt := lead.Find(s.Lead.Status.Conversation, wanted.ID).Attempts
	why := plan.RefusalOf(failed, attempt, r.RetryBase, r.spread, now)
	taken := lead.Find(s.Lead.Status.Conversation, wanted.ID).At.Time
	switch {
	case why.HoldsNumber:
		r.Pacer.Failed(wanted.Instance.UID, taken)
	case why.Blocked == v1alpha1.ReasonThrottled:
		r.Pacer.Throttled(wanted.Instance.UID, taken, why.RetryAt)
	default:
		r.Pacer.Succeeded(wanted.Instance.UID)
	}
	return ctrl.Result{}, r.writeOutcome(ctx, s, plan.Refused(wanted.ID, why))
}

func sentOf(receipt gateway.Receipt) plan.Receipt {
	return plan.Receipt{GatewayID: receipt.MessageID, At: receipt.At}
}

// pauseNewConversations records WhatsApp's restriction on the number, so that other leads
// do not run into it, also when somebody else is writing. Failing to do so loses nothing:
// the next send is refused again.
func (r *Reconciler) pauseNewConversations(ctx context.Context, instance *v1alpha1.WhatsAppInstance, err error) {
	failed, ok := failure.As(err)
	if !ok || failed.RetryAt.IsZero() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), outcomeWriteTimeout)
	defer cancel()
	known := instance
	err = retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		next := known.DeepCopy()
		connection.Restrict(next, failed.RetryAt, r.Clock.Now())
		err := r.Client.Status().Patch(ctx, next, client.MergeFromWithOptions(known,
			client.MergeFromWithOptimisticLock{}))
		if apierrors.IsConflict(err) {
			known = &v1alpha1.WhatsAppInstance{}
			if err := r.Live.Get(ctx, client.ObjectKeyFromObject(instance), known); err != nil {
				return err
			}
		}
		return err
	})
	if err != nil {
		log.FromContext(ctx).Error(err, "Cannot record the restriction of a number", "instance", instance.Name)
	}
}

// resolve asks the gateway for a message that was claimed and not confirmed.
func (r *Reconciler) resolve(ctx context.Context, s plan.Snapshot, claimed plan.Message) (ctrl.Result, error) {
	age := s.Now.Sub(claimed.Due)
	if can, known := r.Connector.Capabilities(claimed.Instance); known && !can.FindSent {
		r.count(claimed.ID, "unknown")
		return ctrl.Result{}, r.writeOutcome(ctx, s, plan.Unknown(claimed.ID))
	}
	if until := r.proofs.hangsUntil(claimed.Instance); until.After(s.Now) && age < plan.GiveUpAfter {
		return r.wait(ctx, s, plan.BlockedUntil(until, v1alpha1.ReasonUnconfirmed, plan.Unconfirmed))
	}
	receipt, found, err := r.lookUp(ctx, s.Lead, claimed)
	r.proofs.lookedUp(claimed.Instance, err)
	found = found && plan.IsOwn(s.Lead, receipt.At, plan.RestoredAt(&s))
	switch {
	case err == nil && found:
		r.count(claimed.ID, "resolved")
		return ctrl.Result{}, r.writeOutcome(ctx, s, plan.Confirm(claimed.ID, sentOf(receipt), r.Clock.Now()))
	case err == nil && age >= plan.Grace && r.sameInstance(s.Lead, claimed):
		r.releaseTurn(&s, claimed.Instance)
		return ctrl.Result{}, r.writeOutcome(ctx, s, plan.NotSent(claimed.ID, plan.StillWanted(&s), r.Clock.Now()))
	case age >= plan.GiveUpAfter:
		r.count(claimed.ID, "unknown")
		return ctrl.Result{}, r.writeOutcome(ctx, s, plan.Unknown(claimed.ID))
	}
	return r.wait(ctx, s, plan.BlockedUntil(plan.NextResolve(claimed.Due, s.Now), v1alpha1.ReasonUnconfirmed,
		plan.Unconfirmed))
}

// sameInstance says whether the gateway still has the instance that a message was claimed
// for. One that was lost and made again knows nothing of what went before: from it, "not
// found" does not mean "not sent". Where this process does not know which instance that was,
// an unbroken connection has to prove it.
func (r *Reconciler) sameInstance(recovery *v1alpha1.CartRecovery, claimed plan.Message) bool {
	if before, ok := r.claims.Get(lead.TrackID(recovery.Name, claimed.ID)); ok && before != "" {
		return before == claimed.Instance.Status.GatewayInstanceID
	}
	return connectedSince(claimed.Instance, claimed.Due)
}

// connectedSince says whether a number has been connected without a break since a time, as
// far as was seen.
func connectedSince(instance *v1alpha1.WhatsAppInstance, at time.Time) bool {
	ready := apimeta.FindStatusCondition(instance.Status.Conditions, v1alpha1.ConditionReady)
	last := instance.Status.LastConnectedTime
	return ready != nil && ready.Status == metav1.ConditionTrue && !ready.LastTransitionTime.After(at) &&
		(last == nil || !last.After(at))
}

func (r *Reconciler) lookUp(ctx context.Context, recovery *v1alpha1.CartRecovery,
	claimed plan.Message) (gateway.Receipt, bool, error) {
	if claimed.Instance == nil {
		return gateway.Receipt{}, false, errors.New("the WhatsAppInstance that the message was sent from is gone")
	}
	gate, err := r.Connector.For(ctx, claimed.Instance)
	if err != nil {
		return gateway.Receipt{}, false, err
	}
	ctx, cancel := context.WithTimeout(ctx, gateway.Timeout)
	defer cancel()
	return findSent(ctx, gate, recovery, claimed.ID)
}

// misconfigured blocks a lead whose gateway cannot even be called.
func (r *Reconciler) misconfigured(ctx context.Context, s plan.Snapshot, err error) (ctrl.Result, error) {
	if _, classed := failure.As(err); !classed {
		return ctrl.Result{}, err
	}
	return r.wait(ctx, s, plan.Action{
		Kind: plan.Wait, Until: s.Now.Add(r.spread(time.Minute)),
		Blocked: failure.ReasonOf(err, v1alpha1.ReasonNoCredentials), Why: connection.Message(err),
	})
}
