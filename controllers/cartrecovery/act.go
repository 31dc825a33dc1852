package cartrecovery

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/retry"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/controllers/cartrecovery/drafts"
	"cartrecovery.dev/operator/controllers/cartrecovery/plan"
	"cartrecovery.dev/operator/internal/budget"
	"cartrecovery.dev/operator/internal/connection"
	"cartrecovery.dev/operator/internal/failure"
	"cartrecovery.dev/operator/internal/gateway"
	"cartrecovery.dev/operator/internal/index"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/panics"
)

// claimLease is how long after its claim a call may still begin. A leader that was frozen
// in between must not wake up and send what its successor has taken over.
const claimLease = 20 * time.Second

// conflictRetry is how soon a lead is planned again after a write that failed because the
// lead had changed; the change itself usually comes in before.
const conflictRetry = 100 * time.Millisecond

// act carries out one action.
func (r *Reconciler) act(ctx context.Context, s plan.Snapshot, planned plan.Action) (ctrl.Result, error) {
	if result, done, err := r.actOnNumber(ctx, s, planned); done {
		return result, err
	}
	switch planned.Kind {
	case plan.Rebuild:
		return r.rebuild(ctx, s)
	case plan.Prepare:
		return r.prepare(ctx, s, planned.Message)
	case plan.HandOver:
		return r.handOver(ctx, s, planned.Outcome)
	case plan.Stop:
		return r.stop(ctx, s, *planned.Stop)
	case plan.Settle:
		return r.settle(ctx, s, planned.Message)
	case plan.Resume:
		return r.resume(ctx, s, planned.Outcome)
	case plan.ReopenForAnswer:
		return r.reopenForAnswer(ctx, s)
	case plan.Reopen:
		return r.reopen(ctx, s)
	case plan.Finish:
		return r.finish(ctx, s, planned.Outcome)
	case plan.Remove:
		return r.remove(ctx, s.Lead)
	case plan.Label:
		return r.label(ctx, s)
	default:
		return r.wait(ctx, s, planned)
	}
}

func (r *Reconciler) wait(ctx context.Context, s plan.Snapshot, planned plan.Action) (ctrl.Result, error) {
	if planned.Blocked != "" {
		r.tellBlocked(s.Lead, planned)
	}
	if planned.HandedOff {
		r.tellHandedOff(s.Lead, s.Now)
	}
	s.Decided = &planned
	written, err := r.write(ctx, s, plan.Waiting(planned, s.Now))
	if err != nil {
		return afterConflict(err)
	}
	return r.until(plan.LookAgain(&written.Status, planned, s.Now)), nil
}

// prepare asks for the text of a message and does not wait for it; the draft's end brings
// the lead back.
func (r *Reconciler) prepare(ctx context.Context, s plan.Snapshot, wanted plan.Message) (ctrl.Result, error) {
	name, text := client.ObjectKeyFromObject(s.Lead), s.TextID(wanted.ID)
	reason := v1alpha1.ReasonNoCredentials
	// What the text before has cost is written before another costs more: a process that ends
	// loses no more than one.
	booked, err := r.write(ctx, s, plan.CountTokens)
	if err != nil {
		return afterConflict(err)
	}
	s.Lead = booked
	request, err := r.AI.Request(ctx, s.Store)
	wants := drafts.Job{}
	if err == nil {
		reason = v1alpha1.ReasonInvalidTemplate
		wants, err = jobFor(s, wanted, request)
	}
	if _, classed := failure.As(err); classed {
		r.drafts.Refuse(name, text, failure.ReasonOf(err, reason), err)
		return r.soon(), nil
	}
	if err != nil {
		return ctrl.Result{}, err
	}
	if err := r.seedBudget(ctx, s); err != nil {
		return ctrl.Result{}, err
	}
	r.drafts.Request(wants)
	return r.soon(), nil
}

// seedBudget counts the tokens that the Store used today before this process began to.
func (r *Reconciler) seedBudget(ctx context.Context, s plan.Snapshot) error {
	store, day := client.ObjectKeyFromObject(s.Store), budget.Day(s.Now, s.Policy.Location)
	if s.Store.Spec.AI.DailyTokenBudget == nil || r.Budget.Seeded(store, day) {
		return nil
	}
	var leads v1alpha1.CartRecoveryList
	err := r.Client.List(ctx, &leads, client.InNamespace(store.Namespace),
		client.MatchingFields{index.LeadOfStore: store.Name}, client.UnsafeDisableDeepCopy)
	if err != nil {
		return fmt.Errorf("count the tokens of a Store: %w", err)
	}
	used := budget.UsedOf(leads.Items, store.Name, day, s.Policy.Location)
	if tokens := s.Store.Status.Tokens; tokens != nil && tokens.Day == day {
		used = max(used, tokens.Used)
	}
	r.Budget.Seed(store, day, used)
	return nil
}

// send claims, sends and confirms. From the claim on, every way out leaves the message
// Sent, Failed, or Claimed for resolve to find out.
func (r *Reconciler) send(ctx context.Context, s plan.Snapshot, wanted plan.Message) (ctrl.Result, error) {
	gate, err := r.Connector.For(ctx, wanted.Instance)
	if err != nil {
		return r.misconfigured(ctx, s, err)
	}
	now := r.Clock.Now()
	if !r.takeTurn(&s, wanted, now) {
		return r.until(now.Add(turnRetry)), nil
	}
	// Not before the turn is taken: whoever holds it up keeps all behind it waiting.
	if may, err := r.mayBegin(ctx, &s, wanted); err != nil || !may {
		r.giveTurnBack(&s, wanted.Instance)
		if err != nil {
			return ctrl.Result{}, err
		}
		s.Suppressed = true
		return r.act(ctx, s, plan.Next(s))
	}
	claimed, err := r.claim(ctx, s, wanted, now)
	if err != nil {
		r.giveTurnBack(&s, wanted.Instance)
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

// afterSend writes what came of a call.
func (r *Reconciler) afterSend(ctx context.Context, s plan.Snapshot, wanted plan.Message, receipt gateway.Receipt,
	failed error) (ctrl.Result, error) {
	now := r.Clock.Now()
	switch {
	case failed == nil:
		r.count(wanted.ID, "sent")
		r.Book.Worked(wanted.Instance.UID)
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
			r.Book.TimedOut(wanted.Instance.UID, taken)
		} else if failure.CodeOf(failed) != failure.Fault {
			r.Book.Unclear(wanted.Instance.UID, taken)
		}
		return r.until(now.Add(plan.AskAfter)), nil
	}
	r.claims.Remove(lead.TrackID(s.Lead.Name, wanted.ID))
	r.giveTurnBack(&s, wanted.Instance)
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
		r.Book.Failed(wanted.Instance.UID, taken)
	case why.Blocked == v1alpha1.ReasonThrottled:
		r.Book.Throttled(wanted.Instance.UID, taken, why.RetryAt)
	default:
		r.Book.Worked(wanted.Instance.UID)
	}
	return ctrl.Result{}, r.writeOutcome(ctx, s, plan.Refused(wanted.ID, why))
}

func sentOf(receipt gateway.Receipt) plan.Receipt {
	return plan.Receipt{GatewayID: receipt.MessageID, At: receipt.At}
}

// resolve asks the gateway for a message that was claimed and not confirmed.
func (r *Reconciler) resolve(ctx context.Context, s plan.Snapshot, claimed plan.Message) (ctrl.Result, error) {
	age := s.Now.Sub(claimed.Due)
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
		r.giveTurnBack(&s, claimed.Instance)
		return ctrl.Result{}, r.writeOutcome(ctx, s, plan.NotSent(claimed.ID, plan.StillWanted(&s), r.Clock.Now()))
	case errors.Is(err, gateway.ErrNoLookup), age >= plan.GiveUpAfter:
		r.count(claimed.ID, "unknown")
		return ctrl.Result{}, r.writeOutcome(ctx, s, plan.Unknown(claimed.ID))
	}
	return r.wait(ctx, s, plan.BlockedUntil(plan.NextResolve(claimed.Due, s.Now), v1alpha1.ReasonUnconfirmed,
		plan.Unconfirmed))
}

// sameInstance says whether the gateway still has the instance that a message was claimed
// for. One that was lost and made anew knows nothing of what went before: from it, "not
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

func (r *Reconciler) finish(ctx context.Context, s plan.Snapshot, outcome string) (ctrl.Result, error) {
	written, err := r.write(ctx, s, plan.Finished(s.Lead, plan.PurchaseOf(&s), outcome, s.Now))
	if err != nil {
		return afterConflict(err)
	}
	r.drafts.Forget(client.ObjectKeyFromObject(s.Lead))
	log.FromContext(ctx).Info("Finished", "outcome", outcome)
	first := plan.OutcomeOf(s.Lead) != outcome
	if result := written.Status.Result; first && outcome == v1alpha1.ReasonBoughtAfterContact && result != nil &&
		result.TimeToRecovery != nil {
		r.Metrics.TimeToRecovery.Observe(result.TimeToRecovery.Seconds())
	}
	if written.Status.Phase == v1alpha1.PhaseFailed {
		r.Recorder.Eventf(written, nil, corev1.EventTypeWarning, outcome, "Finish", "%s", plan.OutcomeMessages[outcome])
	}
	return ctrl.Result{}, nil
}

// reopen begins the next cycle.
func (r *Reconciler) reopen(ctx context.Context, s plan.Snapshot) (ctrl.Result, error) {
	if _, err := r.write(ctx, s, plan.Reopened(s.Lead.Generation, plan.AnswersLate(&s.Policy), s.Now)); err != nil {
		return afterConflict(err)
	}
	log.FromContext(ctx).Info("Opened again", "cycle", s.Lead.Status.Cycle+1)
	return r.soon(), nil
}

// reopenForAnswer writes that a lead that had ended is answered again.
func (r *Reconciler) reopenForAnswer(ctx context.Context, s plan.Snapshot) (ctrl.Result, error) {
	if _, err := r.write(ctx, s, plan.AnsweredLate(s.Lead.Generation, s.Now)); err != nil {
		return afterConflict(err)
	}
	log.FromContext(ctx).Info("Opened again for an answer")
	return r.soon(), nil
}

func (r *Reconciler) remove(ctx context.Context, recovery *v1alpha1.CartRecovery) (ctrl.Result, error) {
	uid, version := recovery.UID, recovery.ResourceVersion
	err := r.Client.Delete(ctx, recovery, client.Preconditions{UID: &uid, ResourceVersion: &version})
	if err != nil && !apierrors.IsNotFound(err) {
		return afterConflict(fmt.Errorf("delete CartRecovery %s: %w", recovery.Name, err))
	}
	r.drafts.Remove(client.ObjectKeyFromObject(recovery))
	return ctrl.Result{}, nil
}

// label gives a lead the labels that it is found by, and takes the open payment off one that is
// over.
func (r *Reconciler) label(ctx context.Context, s plan.Snapshot) (ctrl.Result, error) {
	recovery := s.Lead
	labelled := recovery.DeepCopy()
	if labelled.Labels == nil {
		labelled.Labels = map[string]string{}
	}
	maps.Copy(labelled.Labels, lead.Labels(recovery.Spec.StoreRef.Name, recovery.Spec.Customer))
	if lead.Over(recovery) {
		labelled.Spec.Payment = nil
	}
	if planned := plan.PlannedFor(&s); planned != "" {
		metav1.SetMetaDataAnnotation(&labelled.ObjectMeta, v1alpha1.AnnotationPlanned, planned)
	}
	// A cart that re-opens the lead meanwhile may bring a payment of its own.
	if err := r.Client.Patch(ctx, labelled, client.MergeFromWithOptions(recovery,
		client.MergeFromWithOptimisticLock{})); err != nil {
		return afterConflict(fmt.Errorf("label CartRecovery %s: %w", recovery.Name, err))
	}
	return ctrl.Result{}, nil
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

// tellBlocked makes an event of something that stands in the way for the first time.
func (r *Reconciler) tellBlocked(recovery *v1alpha1.CartRecovery, planned plan.Action) {
	if !plan.IsTold(planned.Blocked) {
		return
	}
	for _, condition := range recovery.Status.Conditions {
		if condition.Type == v1alpha1.ConditionBlocked && condition.Reason == planned.Blocked {
			return
		}
	}
	r.Recorder.Eventf(recovery, nil, corev1.EventTypeWarning, planned.Blocked, "Wait", "%s", planned.Why)
}

func (r *Reconciler) count(id, result string) {
	kind := "step"
	switch {
	case lead.IsReplyID(id):
		kind = "reply"
	case lead.IsNoticeID(id):
		kind = "notice"
	}
	r.Metrics.Messages.WithLabelValues(kind, result).Inc()
}

// longestRest bounds how long a lead is not looked at: nothing tells of a policy that lets it
// be deleted earlier.
const longestRest = 24 * time.Hour

// until asks to be called again at a time; zero asks for nothing. The priority is always
// the normal one: the low one of a restart's first listing must not stay with a lead that
// waits.
func (r *Reconciler) until(at time.Time) ctrl.Result {
	normal := 0
	if at.IsZero() {
		return ctrl.Result{Priority: &normal}
	}
	return ctrl.Result{RequeueAfter: min(max(at.Sub(r.Clock.Now()), time.Millisecond), longestRest), Priority: &normal}
}

// soon asks to be called again at once, where nothing was written that would come back as
// a change.
func (r *Reconciler) soon() ctrl.Result {
	return r.until(r.Clock.Now())
}

// afterConflict plans anew on what the lead has become; anything else is an error.
func afterConflict(err error) (ctrl.Result, error) {
	if apierrors.IsConflict(err) {
		normal := 0
		return ctrl.Result{RequeueAfter: conflictRetry, Priority: &normal}, nil
	}
	if apierrors.IsNotFound(err) {
		return ctrl.Result{}, nil
	}
	return ctrl.Result{}, err
}
