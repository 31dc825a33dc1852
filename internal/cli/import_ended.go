package cli

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/movein"
)

// This file ends leads that an earlier import made, and whose rows say now that they have ended.

// ending is a row that has ended, and of which no lead is made.
type ending struct {
	row       int
	wasBought bool
}

// noteEnded remembers a row for the lead that an earlier import may have made of it. A purchase counts before the end
// without one.
func (f *file) noteEnded(told *movein.Lead, skipped string, row int) {
	if told == nil || skipped != movein.SkippedEnded {
		return
	}
	name := told.Object.Name
	if known, has := f.ended[name]; !has || told.Bought && !known.wasBought {
		f.ended[name] = ending{row: row, wasBought: told.Bought}
	}
}

// leaveReopened forgets the ends of leads that another row has open.
func (f *file) leaveReopened() {
	for name := range f.ended {
		if known, has := f.wanted[name]; has && known.lead != nil && !known.lead.hasEnded {
			delete(f.ended, name)
		}
	}
}

// findOpen looks for the leads of earlier imports that are open, once and only where a row says that one has ended.
func (w *writer) findOpen(ctx context.Context, f *file) error {
	if len(f.ended) == 0 {
		return nil
	}
	found, err := findImported(ctx, w.client, w.target.Store.Namespace, importedFilter{store: w.target.Store.Name})
	if err != nil {
		return err
	}
	w.open = map[string]bool{}
	for _, each := range found.leads {
		w.open[each.name] = each.state != stateEnded
	}
	return nil
}

// ends says whether a row that is skipped ends a lead that is open.
func (w *writer) ends(f *file, made *item, skipped string, row int) bool {
	return skipped == movein.SkippedEnded && made.lead != nil && w.open[made.name()] && f.ended[made.name()].row == row
}

// end has a lead that is there end as its row says.
func (w *writer) end(ctx context.Context, told *movein.Lead) (result string, err error) {
	if told.Bought {
		return w.buy(ctx, told)
	}
	result = resultUnchanged
	_, err = w.change(ctx, told, func(stored *v1alpha1.CartRecovery) bool {
		_, isKnown := stored.Labels[v1alpha1.LabelImportEnded]
		if !told.GiveUp(stored) {
			return false
		}
		result = resultGivenUp
		w.hold(true)
		return !isKnown
	})
	return result, err
}

// buy writes a purchase to a lead of an earlier import. What was said before is added first: whether the store had
// written decides whether the purchase is a recovery.
func (w *writer) buy(ctx context.Context, told *movein.Lead) (string, error) {
	if w.dryRun != dryRunServer {
		open := *told
		open.Ended = ""
		if _, err := w.complete(ctx, &open); err != nil {
			return "", err
		}
	}
	bought, err := w.change(ctx, told, func(stored *v1alpha1.CartRecovery) bool {
		return told.Buy(stored, w.clock.Now())
	})
	if bought {
		return resultBought, err
	}
	return resultUnchanged, err
}

// change writes what change makes of the lead of a row, where it says that it changed it.
func (w *writer) change(ctx context.Context, told *movein.Lead, change func(*v1alpha1.CartRecovery) bool) (changed bool,
	err error) {
	err = retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		stored := &v1alpha1.CartRecovery{}
		if err := w.get(ctx, told.Object, stored); err != nil {
			return client.IgnoreNotFound(err)
		}
		to := stored.DeepCopy()
		if changed = change(to); !changed {
			return nil
		}
		return w.patch(ctx, stored, to)
	})
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	return changed && err == nil, err
}

// givenUpHint says what to do about held leads that ended in the other backend.
func givenUpHint(namespace string) string {
	return fmt.Sprintf("Leads that ended there are held here, and are not released with the others. Delete them: "+
		"kubectl delete cartrecoveries -n %s -l %s. Or release them, too: kubectl cartrecovery release --all --ended",
		namespace, v1alpha1.LabelImportEnded)
}

// isGivenUp says whether a lead was given up in the other backend.
func isGivenUp(recovery *v1alpha1.CartRecovery) bool {
	_, is := recovery.Labels[v1alpha1.LabelImportEnded]
	return is && !lead.Over(recovery)
}
