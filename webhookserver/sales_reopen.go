package webhookserver

import (
	"context"
	"fmt"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/lead"
)

// This file decides what a cart event means for a lead that has ended: nothing, or the next
// cycle. A cycle ends at a time that the lead keeps, and no rule asks which event came first,
// so that any order and repetition of the next cycle's events, and of late ones of the cycle
// before, ends in the same spec. All but stillStopped are pure.

// fit is what a cart event is to a lead that exists.
type fit int

const (
	// fitJoins: it is of the cycle that is worked on or was asked for.
	fitJoins fit = iota
	// fitReopens: it starts the next cycle of a lead that is over.
	fitReopens
	// fitCooling: it came too soon after the first message of the cycle before.
	fitCooling
	// fitEarlier: it happened before the cycle before was finished.
	fitEarlier
	// fitClosed: the lead was bought or reversed, and is over.
	fitClosed
)

// fitOf says what the event is to a lead as it was read last.
func (r *report) fitOf(recovery *v1alpha1.CartRecovery) fit {
	at, ends := r.occurred().Time, lead.Finished(recovery) && !lead.CycleAsked(recovery)
	switch {
	case ends && !isUnsold(recovery) && recovery.Spec.AbandonedAt == nil:
		// Bought or reversed before its cart was known.
		return fitJoins
	case ends && !isUnsold(recovery):
		return fitClosed
	case ends && r.event.ID != "" && r.event.ID == recovery.Spec.EventID:
		return fitEarlier
	}
	completed, contact := lead.EndedCycle(recovery)
	switch {
	case !completed.IsZero() && !at.After(completed):
		return fitEarlier
	case !contact.IsZero() && at.Before(contact.Add(r.policy().Cooldown)):
		return fitCooling
	case ends:
		return fitReopens
	}
	return fitJoins
}

// reopen makes what the event says, and a purchase that stops it, the start of a lead's next
// cycle. What the cycle before was about goes; who the customer is stays.
func (r *report) reopen(recovery *v1alpha1.CartRecovery, purchase *v1alpha1.Purchase) {
	completed := recovery.Status.CompletionTime.UTC().Format(time.RFC3339)
	delete(recovery.Annotations, v1alpha1.AnnotationFirstAbandoned)
	delete(recovery.Annotations, v1alpha1.AnnotationLastPurchase)
	delete(recovery.Annotations, v1alpha1.AnnotationExpiredPayments)
	recovery.Spec.AbandonedAt, recovery.Spec.Payment = nil, nil
	if stop, lifted := recovery.Spec.Stop, r.lifted; stop != nil && lifted != nil && stop.At.Equal(lifted.At.Time) {
		recovery.Spec.Stop = nil
	}
	lead.Add(recovery, r.started().Join(lead.Bought(purchase)))
	setAnnotation(recovery, v1alpha1.AnnotationPreviousCompleted, completed)
	r.annotatePlanned(recovery)
}

// stillStopped says whether the customer of a lead that the event would re-open asked us to stop,
// and nobody took that back: their Suppression is read from the API server by its name. One that
// was lifted is no longer in the way of the next cycle.
func (s *Server) stillStopped(ctx context.Context, r *report, recovery *v1alpha1.CartRecovery) (bool, error) {
	if recovery.Spec.Stop == nil || r.fitOf(recovery) != fitReopens {
		return false, nil
	}
	customer := &recovery.Spec.Customer
	for _, number := range append([]string{customer.Phone}, customer.OtherPhones...) {
		hash := lead.PhoneHash(number)
		if hash == "" {
			continue
		}
		var suppression v1alpha1.Suppression
		key := client.ObjectKey{Namespace: recovery.Namespace, Name: lead.SuppressionName(r.store.Name, hash)}
		err := s.Live.Get(ctx, key, &suppression)
		if err == nil && !lead.Lapsed(&suppression, r.now) {
			return true, nil
		}
		if client.IgnoreNotFound(err) != nil {
			return false, fmt.Errorf("read a suppression: %w", err)
		}
	}
	r.lifted = recovery.Spec.Stop.DeepCopy()
	return false, nil
}

// annotatePlanned says on a lead that was just started what is planned for it: nothing where
// it was bought.
func (r *report) annotatePlanned(recovery *v1alpha1.CartRecovery) {
	cycle := recovery.Status.Cycle
	if lead.Finished(recovery) {
		cycle++
	}
	planned := plannedAnnotation(r, recovery, cycle)
	if planned == "" || recovery.Spec.Purchase != nil {
		delete(recovery.Annotations, v1alpha1.AnnotationPlanned)
		return
	}
	setAnnotation(recovery, v1alpha1.AnnotationPlanned, planned)
}

// plannedAnnotation is the value of v1alpha1.AnnotationPlanned of a lead that the event has
// started: when the first message is due, and its step. "" when there is no step.
func plannedAnnotation(r *report, recovery *v1alpha1.CartRecovery, cycle int32) string {
	steps, _ := r.policy().Steps(r.event.Trigger)
	if len(steps) == 0 {
		return ""
	}
	key := lead.PlanKey(recovery.Name, lead.StepID(cycle, steps[0].Name))
	step, due, _ := r.policy().Planned(r.event.Trigger, r.occurred().Time, key)
	return due.UTC().Format(time.RFC3339) + " " + step
}

func setAnnotation(recovery *v1alpha1.CartRecovery, name, value string) {
	if recovery.Annotations == nil {
		recovery.Annotations = map[string]string{}
	}
	recovery.Annotations[name] = value
}

// answer is the answer to a cart event whose lead is stored as given; says tells whether it
// said something new.
func (f fit) answer(stored *v1alpha1.CartRecovery, says bool) outcome {
	switch {
	case stored.Spec.Purchase != nil:
	case f == fitReopens:
		return outcome{Result: resultReopened, Lead: stored.Name}
	case f == fitCooling:
		return outcome{Result: resultIgnored, Reason: ignoredCooldown, Lead: stored.Name}
	case f == fitEarlier:
		return outcome{Result: resultIgnored, Reason: ignoredAlreadyFinished, Lead: stored.Name}
	}
	return startedOn(stored, says)
}
