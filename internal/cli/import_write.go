package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/index"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/movein"
	"cartrecovery.dev/operator/internal/optouts"
)

// What becomes of rows.
const (
	resultMade      = "made"
	resultMadeHeld  = "made, held"
	resultJoined    = "joined to a lead that was there, held"
	resultCompleted = "completed"
	resultUnchanged = "unchanged"
	resultRenewed   = "had lapsed, holds again"
	resultExtended  = "holds longer"
	resultOver      = "there, and ended"
	resultWritten   = "there, and written to from here"
	resultOthers    = "there, and not imported"
	resultFailed    = "not written"
	resultRight     = "right"
	resultBought    = "ended: bought"
	resultEnded     = "ended: given up there"
	resultGivenUp   = "ended there, held here: delete it or release it"
)

const (
	// clockBehind is how much later than it was received a lead may be created: one that is made a minute later counts
	// as restored from a backup.
	clockBehind = 20 * time.Second
	// progressEvery is after how many rows a line tells how far the import is.
	progressEvery = 1000
)

// writer writes what rows become.
type writer struct {
	*importing
	client client.Client
	target *movein.Target
	report *report
	// behind is how much this machine's clock is behind the API server's, in nanoseconds.
	behind atomic.Int64
	// open are the leads of earlier imports that have not ended, by name.
	open map[string]bool
	// held: something waits for its release.
	held atomic.Bool
}

// write makes the objects of a file, several at once. A missing right, and an interrupt, end it; other failures are of
// one row.
func (w *writer) write(ctx context.Context, f *file) error {
	if err := w.findOpen(ctx, f); err != nil {
		return fmt.Errorf("%s: %w", f.kind.flag, err)
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(w.concurrency)
	var done atomic.Int64
	err := f.each(func(row movein.Row, problem *movein.Problem) error {
		if ctx.Err() != nil || problem != nil {
			return ctx.Err()
		}
		made, skipped, problems := f.kind.make(w.target, row)
		ends := w.ends(f, &made, skipped, row.Number)
		if !ends && (skipped != "" || len(problems) > 0 || f.wanted[made.name()].row != row.Number) {
			return nil
		}
		group.Go(func() error {
			if err := w.row(ctx, f.kind.flag, row.Place, &made, ends); err != nil || ends {
				return err
			}
			if n := done.Add(1); n%progressEvery == 0 {
				_, _ = fmt.Fprintf(w.Err, "%s: %d of %d\n", f.kind.flag, n, len(f.wanted))
			}
			return nil
		})
		return nil
	})
	failed := group.Wait()
	if failed == nil {
		failed = err
	}
	if failed != nil {
		return fmt.Errorf("%s: stopped after %d of %d; run it again to go on: %w", f.kind.flag, done.Load(),
			len(f.wanted), failed)
	}
	return nil
}

// row writes what a row becomes, and counts what became of it. An error ends the import.
func (w *writer) row(ctx context.Context, kind, place string, made *item, ends bool) error {
	var result string
	var err error
	if ends {
		result, err = w.end(ctx, made.lead)
	} else {
		result, err = w.item(ctx, made)
	}
	var denied *forbidden
	if errors.As(err, &denied) || ctx.Err() != nil {
		return err
	}
	if err != nil {
		result = resultFailed
		w.report.fail(fmt.Sprintf("%s: %s: %s", kind, place, plainly(err)))
	}
	switch {
	case !ends:
		w.report.count(kind, result)
	case result != resultUnchanged:
		w.report.recount(kind, skippedAs(movein.SkippedEnded), result)
	}
	return nil
}

func (w *writer) item(ctx context.Context, made *item) (string, error) {
	switch {
	case made.number != nil:
		return w.number(ctx, made.number)
	case made.suppress != nil:
		return w.suppression(ctx, made.suppress)
	}
	return w.lead(ctx, made.lead)
}

// create makes an object, and says whether it was there. A request that failed may have made it.
func (w *writer) create(ctx context.Context, object client.Object) (exists bool, err error) {
	err = again(ctx, func() error { return w.client.Create(ctx, object) })
	if apierrors.IsAlreadyExists(err) {
		return true, nil
	}
	return false, err
}

func (w *writer) get(ctx context.Context, like, into client.Object) error {
	return again(ctx, func() error { return w.client.Get(ctx, client.ObjectKeyFromObject(like), into) })
}

// patch writes a change to an object that must be as it was read.
func (w *writer) patch(ctx context.Context, from, to client.Object) error {
	return again(ctx, func() error {
		return w.client.Patch(ctx, to, client.MergeFromWithOptions(from, client.MergeFromWithOptimisticLock{}))
	})
}

// suppression makes a Suppression, or has the one that is there hold as long.
func (w *writer) suppression(ctx context.Context, wanted *v1alpha1.Suppression) (result string, err error) {
	results := map[optouts.Outcome]string{optouts.Created: resultMade, optouts.Unchanged: resultUnchanged,
		optouts.Changed: resultExtended}
	err = again(ctx, func() error {
		outcome, err := optouts.Keep(ctx, w.client, w.client, wanted, func(stored *v1alpha1.Suppression) (bool, error) {
			if lead.Lapsed(stored, w.clock.Now()) {
				results[optouts.Changed] = resultRenewed
			}
			return lead.Extend(stored, wanted.Spec.ExpiresAt), nil
		})
		result = results[outcome]
		return err
	})
	return result, err
}

// lead makes a lead, or joins what the row says to one that is there and was not written to from here. A conversation
// is in the status, which is written after the lead: until then the lead is marked, and nothing is sent for it.
func (w *writer) lead(ctx context.Context, wanted *movein.Lead) (string, error) {
	created := wanted.Object.DeepCopy()
	lead.Received(created, w.clock.Now().Add(time.Duration(w.behind.Load())))
	exists, err := w.create(ctx, created)
	if err != nil {
		return "", err
	}
	if exists {
		return w.join(ctx, wanted)
	}
	result := resultMadeHeld
	if wanted.Ended != "" {
		result = resultMade
	}
	w.hold(wanted.Ended == "")
	if w.dryRun == dryRunServer {
		return result, nil
	}
	if err := w.received(ctx, created); err != nil {
		return "", err
	}
	_, err = w.complete(ctx, wanted)
	return result, err
}

// hold notes that something waits for its release.
func (w *writer) hold(isHeld bool) {
	if isHeld {
		w.held.Store(true)
	}
}

// received corrects when a lead was received, where this machine's clock is behind.
func (w *writer) received(ctx context.Context, created *v1alpha1.CartRecovery) error {
	behind := created.CreationTimestamp.Sub(created.Spec.ReceivedAt.Time)
	if behind < clockBehind {
		return nil
	}
	w.behind.Add(int64(behind))
	corrected := created.DeepCopy()
	lead.Received(corrected, created.CreationTimestamp.Time)
	return again(ctx, func() error { return w.client.Patch(ctx, corrected, client.MergeFrom(created)) })
}

// join adds what a row says to a lead that is there. One that is held from an import gets what was said since.
func (w *writer) join(ctx context.Context, wanted *movein.Lead) (result string, err error) {
	err = retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		stored := &v1alpha1.CartRecovery{}
		if err := w.get(ctx, wanted.Object, stored); err != nil {
			return err
		}
		if result = joinable(stored); result != resultJoined {
			return nil
		}
		joined := stored.DeepCopy()
		lead.Add(joined, wanted.Facts)
		wanted.Mark(joined, w.target.Batch)
		return w.patch(ctx, stored, joined)
	})
	isImported := result == resultCompleted || result == resultUnchanged
	switch {
	case err == nil && wanted.Bought && isImported:
		return w.buy(ctx, wanted)
	case err != nil || result != resultJoined && result != resultCompleted:
		return result, err
	case wanted.Ended == "":
		w.hold(true)
	case result == resultCompleted:
		result = resultEnded
	}
	if w.dryRun == dryRunServer {
		return result, nil
	}
	changed, err := w.complete(ctx, wanted)
	if isImported && !changed {
		result = resultUnchanged
	}
	return result, err
}

// joinable is what becomes of a row whose lead is there.
func joinable(stored *v1alpha1.CartRecovery) string {
	_, imported := stored.Labels[v1alpha1.LabelImport]
	switch {
	case imported && isHeld(stored):
		return resultCompleted
	case imported:
		return resultUnchanged
	case lead.Over(stored), !lead.Unsold(stored):
		return resultOver
	case stored.Status.Cycle > 0, !lead.LastContact(stored).IsZero():
		return resultWritten
	}
	return resultJoined
}

// isHeld says whether a lead waits for its release, or for the rest of its import.
func isHeld(stored *v1alpha1.CartRecovery) bool {
	return lead.ImportIncomplete(stored) || stored.Spec.Suspend && !lead.Over(stored)
}

// complete writes what a row says of the status of its lead, and takes the mark off; it says whether that changed the
// lead.
func (w *writer) complete(ctx context.Context, wanted *movein.Lead) (changed bool, err error) {
	if !wanted.HasStatus() {
		return false, nil
	}
	err = retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		stored := &v1alpha1.CartRecovery{}
		if err := w.get(ctx, wanted.Object, stored); err != nil || !isHeld(stored) {
			return err
		}
		completed := stored.DeepCopy()
		if wanted.Complete(completed, w.clock.Now()) {
			changed = true
			if err := again(ctx, func() error {
				return w.client.Status().Patch(ctx, completed, client.MergeFromWithOptions(stored,
					client.MergeFromWithOptimisticLock{}))
			}); err != nil {
				return err
			}
		}
		if !lead.ImportIncomplete(completed) {
			return nil
		}
		changed = true
		return w.unmark(ctx, completed)
	})
	return changed, err
}

// unmark says that all of an object is there.
func (w *writer) unmark(ctx context.Context, object client.Object) error {
	before, ok := object.DeepCopyObject().(client.Object)
	if !ok {
		return errors.New("copied an object into something else")
	}
	annotations := object.GetAnnotations()
	delete(annotations, v1alpha1.AnnotationImportIncomplete)
	object.SetAnnotations(annotations)
	return again(ctx, func() error { return w.client.Patch(ctx, object, client.MergeFrom(before)) })
}

// number makes a WhatsAppInstance, and the Secret with its token in its name.
func (w *writer) number(ctx context.Context, wanted *movein.Number) (string, error) {
	if other := w.otherOf(wanted.Object); other {
		return resultOthers, nil
	}
	instance := wanted.Object.DeepCopy()
	exists, err := w.create(ctx, instance)
	if err != nil {
		return "", err
	}
	result := resultMadeHeld
	if exists {
		// Into a new one: what the stored one leaves out would stay as it is wanted.
		instance = &v1alpha1.WhatsAppInstance{}
		if err := w.get(ctx, wanted.Object, instance); err != nil {
			return "", err
		}
		switch _, imported := instance.Labels[v1alpha1.LabelImport]; {
		case !imported:
			return resultOthers, nil
		case !lead.ImportIncomplete(instance):
			w.hold(instance.Spec.Suspend)
			return resultUnchanged, nil
		}
		result = resultCompleted
	}
	w.hold(instance.Spec.Suspend)
	secret := wanted.Secret.DeepCopy()
	if err := controllerutil.SetControllerReference(instance, secret, w.client.Scheme()); err != nil {
		return "", err
	}
	secretExists, err := w.create(ctx, secret)
	if err == nil && secretExists {
		err = w.keepToken(ctx, instance, wanted.Secret)
	}
	if err != nil || w.dryRun == dryRunServer {
		return result, err
	}
	return result, w.unmark(ctx, instance)
}

// otherOf says whether another WhatsAppInstance has the name at the gateway.
func (w *writer) otherOf(wanted *v1alpha1.WhatsAppInstance) bool {
	for i := range w.target.Instances {
		each := &w.target.Instances[i]
		if each.Name != wanted.Name && index.GatewayName(each) == wanted.Spec.InstanceName &&
			each.Spec.Gateway.Type == wanted.Spec.Gateway.Type {
			return true
		}
	}
	return false
}

// keepToken adds the token to the Secret that the instance has already.
func (w *writer) keepToken(ctx context.Context, instance *v1alpha1.WhatsAppInstance, wanted *corev1.Secret) error {
	return retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		stored := &corev1.Secret{}
		if err := w.get(ctx, wanted, stored); err != nil {
			return err
		}
		if !metav1.IsControlledBy(stored, instance) {
			return fmt.Errorf("there is a Secret %s that does not belong to the WhatsAppInstance: delete it, or "+
				"name the "+
				"instance differently (column name)", wanted.Name)
		}
		kept := stored.DeepCopy()
		if kept.Data == nil {
			kept.Data = map[string][]byte{}
		}
		maps.Copy(kept.Data, wanted.Data)
		if apiequality.Semantic.DeepEqual(stored.Data, kept.Data) {
			return nil
		}
		return w.patch(ctx, stored, kept)
	})
}
