// Package status writes what a controller has found out about an object to the object's status,
// and tells of it in events. It is for objects with one condition that sums everything up.
package status

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/clip"
	"cartrecovery.dev/operator/internal/policy"
	"cartrecovery.dev/operator/internal/progress"
)

const (
	// maxMessage bounds the message of a condition, in characters.
	maxMessage = 512
	// afterConflict is how long the cache is given to catch up with who wrote in between.
	afterConflict = 100 * time.Millisecond
)

// Kind describes the status of a kind of object.
type Kind[T client.Object] struct {
	// Name of the kind, for errors.
	Name string
	// Condition is the type of the condition that sums everything up.
	Condition string
	// Conditions returns the conditions of an object.
	Conditions func(T) *[]metav1.Condition
	// Tells is the type of a further condition whose changes are told, "" for none. Neither its first reason is, nor
	// one that Condition has too.
	Tells string
	// Warns tells whether a new reason of a condition is a warning. nil: it never is.
	Warns func(*metav1.Condition) bool
}

// Finding is what a controller has found out about an object.
type Finding struct {
	// Status, Reason and Message of the condition. The message is cut where it is too long.
	Status          metav1.ConditionStatus
	Reason, Message string
	// Also are further conditions: type, status, reason and message.
	Also []metav1.Condition
	// Warnings of the policy: what can never act.
	Warnings []string
}

// Writer writes the status of objects of one kind.
type Writer[T client.Object] struct {
	Kind[T]
	Client   client.Client
	Recorder events.EventRecorder
	Clock    clock.PassiveClock
}

// Write writes a finding, and whatever else change sets in the status. Nothing is written, and nothing told, when
// that changes nothing. The write is locked: it fails with a conflict when the object was written since it was
// read, so that a finding about an older object replaces no newer one, and no transition is told twice. An object
// that is gone is no error.
func (w Writer[T]) Write(ctx context.Context, object T, found Finding, change func(T)) error {
	before, ok := object.DeepCopyObject().(T)
	if !ok {
		return fmt.Errorf("write the status of the %s: the copy of a %T is a %T", w.Name, object, before)
	}
	change(object)
	w.set(object, found)
	if apiequality.Semantic.DeepEqual(before, object) {
		return nil
	}
	patch := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
	if err := w.Client.Status().Patch(ctx, object, patch); err != nil {
		if apierrors.IsNotFound(err) {
			return nil
		}
		return fmt.Errorf("write the status of the %s: %w", w.Name, err)
	}
	w.tell(object, *w.Conditions(before), *w.Conditions(object))
	return nil
}

// set puts a finding into the conditions.
func (w Writer[T]) set(object T, found Finding) {
	now := metav1.NewTime(w.Clock.Now().UTC())
	apimeta.SetStatusCondition(w.Conditions(object), metav1.Condition{
		Type: w.Condition, Status: found.Status, Reason: found.Reason,
		Message:            clip.Characters(found.Message, maxMessage),
		ObservedGeneration: object.GetGeneration(), LastTransitionTime: now,
	})
	for _, each := range found.Also {
		each.Message, each.ObservedGeneration = clip.Characters(each.Message, maxMessage), object.GetGeneration()
		each.LastTransitionTime = now
		apimeta.SetStatusCondition(w.Conditions(object), each)
	}
	progress.Tell(w.Conditions(object), now.Time)
	policy.Warn(w.Conditions(object), found.Warnings, object.GetGeneration(), now)
}

// tell emits an event when the reason of the condition has changed, and one for new warnings.
func (w Writer[T]) tell(object T, before, after []metav1.Condition) {
	if warning := policy.NewWarning(before, after); warning != "" {
		w.Recorder.Eventf(object, nil, corev1.EventTypeWarning, v1alpha1.ReasonNeverActs, "Reconcile", "%s", warning)
	}
	was, is := apimeta.FindStatusCondition(before, w.Condition), apimeta.FindStatusCondition(after, w.Condition)
	if is != nil && (was == nil || was.Reason != is.Reason) {
		w.tellOf(object, is)
	}
	also, now := apimeta.FindStatusCondition(before, w.Tells), apimeta.FindStatusCondition(after, w.Tells)
	if also != nil && now != nil && also.Reason != now.Reason && (is == nil || now.Reason != is.Reason) {
		w.tellOf(object, now)
	}
}

// tellOf emits the event of a condition.
func (w Writer[T]) tellOf(object T, is *metav1.Condition) {
	kind := corev1.EventTypeNormal
	if w.Warns != nil && w.Warns(is) {
		kind = corev1.EventTypeWarning
	}
	w.Recorder.Eventf(object, nil, kind, is.Reason, "Reconcile", "%s", is.Message)
}

// Requeue returns the result of a pass whose write ended with err. A conflict is no failure: the pass is repeated
// once the cache has what was written in between.
func Requeue(result reconcile.Result, err error) (reconcile.Result, error) {
	switch {
	case apierrors.IsConflict(err):
		return reconcile.Result{RequeueAfter: afterConflict, Priority: result.Priority}, nil
	case err != nil:
		return reconcile.Result{}, err
	}
	return result, nil
}
