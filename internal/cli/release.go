package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/lead"
)

// releasing is what a release was told.
type releasing struct {
	*tool
	client           client.Client
	namespace, batch string
	store            string
	all, dryRun      bool
	// ended: also those that ended in the other backend after they were imported.
	ended            bool
	leads, instances bool
	perMinute        int
}

const releaseExample = `  # The numbers first: answers come in here from now on
  kubectl cartrecovery release move -n loja --instances

  # Then the leads, 20 a minute, those whose customers wait for an answer first
  kubectl cartrecovery release move -n loja --leads --per-minute 20`

func releaseCommand(t *tool) *cobra.Command {
	r := &releasing{tool: t}
	command := &cobra.Command{
		Use:   "release BATCH | --all",
		Short: "Let imported leads and numbers go",
		Long: "Let imported leads and numbers go: take spec.suspend off what an import has held.\n\n" +
			"Numbers go at once and first; leads go at a rate, because all that are overdue would otherwise stand " +
			"in\n" +
			"line together. Interrupt it and run it again as you like: what was released stays so.",
		Example: releaseExample,
		Args:    cobra.MaximumNArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			if len(args) == 1 {
				r.batch = args[0]
			}
			switch {
			case (r.batch == "") != r.all:
				return usageErrorf(command, "give the name of an import, or --all")
			case r.perMinute < 0 || r.perMinute > 6000:
				return usageErrorf(command, "--per-minute: expected a number from 1 to 6000, or 0 for no limit")
			}
			return r.run(command.Context())
		},
	}
	flags := command.Flags()
	flags.BoolVar(&r.all, "all", false, "Whatever import it came with")
	flags.StringVar(&r.store, "store", "", "Only of this Store")
	flags.BoolVar(&r.leads, "leads", false, "Only leads")
	flags.BoolVar(&r.instances, "instances", false, "Only numbers")
	flags.BoolVar(&r.ended, "ended", false, "Also leads that ended in the other backend after they were imported")
	flags.IntVar(&r.perMinute, "per-minute", 20, "How many leads are released a minute, 0 for all at once")
	flags.BoolVar(&r.dryRun, "dry-run", false, "Say what would be released, and write nothing")
	return command
}

func (r *releasing) run(ctx context.Context) error {
	c, namespace, err := r.connect()
	if err != nil {
		return err
	}
	r.client, r.namespace = c, namespace
	if r.leads == r.instances {
		r.leads, r.instances = true, true
	}
	found, err := findImported(ctx, c, namespace, importedFilter{batch: r.batch, store: r.store})
	if err != nil {
		return err
	}
	if len(found.instances) == 0 && len(found.leads) == 0 {
		return errors.New("nothing was imported under that name; 'kubectl cartrecovery import status' lists what was")
	}
	if r.instances {
		err = r.releaseAll(ctx, "instances", found.instances, 0)
	}
	if r.leads && err == nil {
		err = r.releaseAll(ctx, "leads", found.leads, r.perMinute)
	}
	return err
}

// releaseAll releases those that are held, so many a minute.
func (r *releasing) releaseAll(ctx context.Context, kind string, found []imported, perMinute int) error {
	held, incomplete, givenUp := r.sorted(found)
	released := 0
	if !r.dryRun {
		for i := range held {
			if i > 0 && perMinute > 0 {
				if err := r.pause(ctx, time.Minute/time.Duration(perMinute)); err != nil {
					return fmt.Errorf("%d of %d %s were released; run it again to go on: %w", released, len(held),
						kind, err)
				}
			}
			done, err := r.release(ctx, &held[i])
			if err != nil {
				return fmt.Errorf("release %s: %d of %d were; run it again to go on: %w", kind, released, len(held),
					err)
			}
			if done {
				released++
			}
			if (i+1)%100 == 0 {
				_, _ = fmt.Fprintf(r.Err, "%s: %d of %d\n", kind, i+1, len(held))
			}
		}
	}
	_, err := fmt.Fprintf(r.Out, "%s: %d held, %d released\n", kind, len(held), released)
	if givenUp > 0 {
		_, told := fmt.Fprintf(r.Err, "%s: %d are left. %s\n", kind, givenUp, givenUpHint(r.namespace))
		err = errors.Join(err, told)
	}
	if incomplete > 0 {
		err = errors.Join(err, fmt.Errorf("%d %s are not complete and stay held: run the import again", incomplete,
			kind))
	}
	return err
}

// sorted are those to release, in their order, and how many are left because they are not complete, or were given up.
func (r *releasing) sorted(found []imported) (held []imported, incomplete, givenUp int) {
	for _, each := range found {
		switch {
		case each.state == stateIncomplete:
			incomplete++
		case each.state == stateHeld && each.isGivenUp && !r.ended:
			givenUp++
		case each.state == stateHeld:
			held = append(held, each)
		}
	}
	slices.SortFunc(held, byUrgency)
	return held, incomplete, givenUp
}

// byUrgency is the order in which leads are released: customers who wait for an answer, then those who left last, whose
// leads are worth most and are not overdue for long.
func byUrgency(a, b imported) int {
	if a.waits != b.waits {
		if a.waits {
			return -1
		}
		return 1
	}
	return cmp.Or(b.since.Compare(a.since), cmp.Compare(a.name, b.name))
}

func (r *releasing) pause(ctx context.Context, pause time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-r.clock.After(pause):
		return nil
	}
}

// release takes the hold off one object; false where it was not held any more.
func (r *releasing) release(ctx context.Context, held *imported) (released bool, err error) {
	key := client.ObjectKey{Namespace: r.namespace, Name: held.name}
	err = again(ctx, func() error {
		object, suspend := held.object()
		if err := r.client.Get(ctx, key, object); err != nil {
			return client.IgnoreNotFound(err)
		}
		// It may have been given up since the leads were listed.
		_, isGivenUp := object.GetLabels()[v1alpha1.LabelImportEnded]
		if !*suspend || lead.ImportIncomplete(object) || isGivenUp && !r.ended {
			return nil
		}
		before, ok := object.DeepCopyObject().(client.Object)
		if !ok {
			return errors.New("copied an object into something else")
		}
		*suspend = false
		err := r.client.Patch(ctx, object, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}))
		released = err == nil
		if apierrors.IsConflict(err) {
			return apierrors.NewTooManyRequests("it was changed meanwhile", 0)
		}
		return err
	})
	return released, err
}

// object is a place for one, and where its hold is.
func (i *imported) object() (client.Object, *bool) {
	if i.isNumber {
		instance := &v1alpha1.WhatsAppInstance{}
		return instance, &instance.Spec.Suspend
	}
	recovery := &v1alpha1.CartRecovery{}
	return recovery, &recovery.Spec.Suspend
}
