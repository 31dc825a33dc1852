package webhookserver

import (
	"context"
	"fmt"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/lead"
)

// What a cart means for a lead that has ended: nothing, or the next cycle. A cycle ends at a time that the lead keeps,
// and no rule depends on which event came first. So the events of the next cycle, and late events of the cycle before,
// end in the same spec in any order and however often they are repeated. All but isStillStopped are pure.

// verdict is what a cart means for a lead that exists.
type verdict int

const (
	// verdictJoins: the cart is of the cycle that is worked on or was asked for.
	verdictJoins verdict = iota
	// verdictReopens: the cart starts the next cycle of a lead that is over.
	verdictReopens
	// verdictCooling: the cart came too soon after the first message of the cycle before.
	verdictCooling
	// verdictEarlier: the cart was left before the cycle before was finished.
	verdictEarlier
	// verdictClosed: the lead was bought or reversed, and is over.
	verdictClosed
)

// String is the verdict's name.
func (v verdict) String() string {
	return [...]string{
		verdictJoins: "joins", verdictReopens: "reopens", verdictCooling: "cooling", verdictEarlier: "earlier",
		verdictClosed: "closed",
	}[v]
}

// verdictOn decides what the cart means for a lead as it was read last.
func (e *salesEvent) verdictOn(recovery *v1alpha1.CartRecovery) verdict {
	at, isOver := e.occurred.Time, lead.Finished(recovery) && !lead.CycleAsked(recovery)
	switch {
	case isOver && !lead.Unsold(recovery) && recovery.Spec.AbandonedAt == nil:
		// Bought or reversed before its cart was known.
		return verdictJoins
	case isOver && !lead.Unsold(recovery):
		return verdictClosed
	case isOver && e.event.ID != "" && e.event.ID == recovery.Spec.EventID:
		return verdictEarlier
	}
	completed, contact := lead.EndedCycle(recovery)
	switch {
	case !completed.IsZero() && !at.After(completed):
		return verdictEarlier
	case !contact.IsZero() && at.Before(contact.Add(e.policy.Cooldown)):
		return verdictCooling
	case isOver:
		return verdictReopens
	}
	return verdictJoins
}

// answer is the answer to a cart whose lead is stored as given. hasNews says whether the cart told it something new.
func (v verdict) answer(stored *v1alpha1.CartRecovery, hasNews bool) outcome {
	done := outcome{Result: resultUnchanged, Lead: stored.Name}
	switch {
	case stored.Spec.Purchase != nil:
		done.Result, done.Reason = resultIgnored, ignoredAlreadyPurchased
	case v == verdictReopens:
		done.Result = resultReopened
	case v == verdictCooling:
		done.Result, done.Reason = resultIgnored, ignoredCooldown
	case v == verdictEarlier, lead.Over(stored), stored.Spec.Reversal != nil:
		done.Result, done.Reason = resultIgnored, ignoredAlreadyFinished
	case hasNews:
		done.Result = resultRecorded
	}
	return done
}

// reopen makes what the cart says, and a purchase that stops it, the start of a lead's next cycle. What the cycle
// before was about goes; who the customer is stays.
func (w cartWrite) reopen(recovery *v1alpha1.CartRecovery) {
	completed := recovery.Status.CompletionTime.UTC().Format(time.RFC3339)
	delete(recovery.Annotations, v1alpha1.AnnotationFirstAbandoned)
	delete(recovery.Annotations, v1alpha1.AnnotationLastPurchase)
	delete(recovery.Annotations, v1alpha1.AnnotationExpiredPayments)
	recovery.Spec.AbandonedAt, recovery.Spec.Payment = nil, nil
	if stop := recovery.Spec.Stop; stop != nil && w.lifted != nil && stop.At.Equal(w.lifted.At.Time) {
		recovery.Spec.Stop = nil
	}
	lead.Add(recovery, w.started().Join(lead.Bought(w.purchase)))
	setAnnotation(recovery, v1alpha1.AnnotationPreviousCompleted, completed)
	w.annotatePlanned(recovery)
}

// isStillStopped says whether a request to stop of a lead's customer still holds: whether a Suppression of one of the
// customer's numbers does. Suppressions are read from the API server by their names.
func (s *Server) isStillStopped(ctx context.Context, event *salesEvent, recovery *v1alpha1.CartRecovery) (bool, error) {
	customer := &recovery.Spec.Customer
	for _, number := range append([]string{customer.Phone}, customer.OtherPhones...) {
		hash := lead.PhoneHash(number)
		if hash == "" {
			continue
		}
		var suppression v1alpha1.Suppression
		key := client.ObjectKey{Namespace: recovery.Namespace, Name: lead.SuppressionName(event.store.Name, hash)}
		err := s.Live.Get(ctx, key, &suppression)
		if err == nil && !lead.Lapsed(&suppression, event.now) {
			return true, nil
		}
		if client.IgnoreNotFound(err) != nil {
			return false, fmt.Errorf("read a suppression: %w", err)
		}
	}
	return false, nil
}

// annotatePlanned writes on a lead that the cart has just started what is planned for it. Nothing is planned for a
// lead that was bought.
func (e *salesEvent) annotatePlanned(recovery *v1alpha1.CartRecovery) {
	planned := e.plannedAnnotation(recovery)
	if planned == "" || recovery.Spec.Purchase != nil {
		delete(recovery.Annotations, v1alpha1.AnnotationPlanned)
		return
	}
	setAnnotation(recovery, v1alpha1.AnnotationPlanned, planned)
}

// plannedAnnotation is the value of v1alpha1.AnnotationPlanned for a lead that the cart has started: when the first
// message is due, and its step. It is "" when there is no step.
func (e *salesEvent) plannedAnnotation(recovery *v1alpha1.CartRecovery) string {
	steps, _ := e.policy.Steps(e.event.Trigger)
	if len(steps) == 0 {
		return ""
	}
	cycle := recovery.Status.Cycle
	if lead.Finished(recovery) {
		cycle++
	}
	key := lead.PlanKey(recovery.Name, lead.StepID(cycle, steps[0].Name))
	step, due, _ := e.policy.Planned(e.event.Trigger, e.occurred.Time, key)
	return due.UTC().Format(time.RFC3339) + " " + step
}

func setAnnotation(recovery *v1alpha1.CartRecovery, name, value string) {
	if recovery.Annotations == nil {
		recovery.Annotations = map[string]string{}
	}
	recovery.Annotations[name] = value
}
