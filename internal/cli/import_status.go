package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/lead"
)

// importedState is how far an imported object is.
type importedState string

const (
	stateIncomplete importedState = "incomplete"
	stateHeld       importedState = "held"
	stateReleased   importedState = "released"
	stateEnded      importedState = "ended"
)

// imported is what is known of an object that an import made.
type imported struct {
	name, batch, store string
	isNumber           bool
	state              importedState
	// waits: the customer wrote last.
	waits bool
	// isGivenUp: it ended in the other backend after it was imported.
	isGivenUp bool
	// since is when the customer left.
	since time.Time
}

// importedFilter selects; "" selects all.
type importedFilter struct{ batch, store string }

// importedObjects are those of a namespace.
type importedObjects struct{ leads, instances []imported }

// findImported lists what was imported.
func findImported(ctx context.Context, c client.Client, namespace string, filter importedFilter) (importedObjects,
	error) {
	var found importedObjects
	options := []client.ListOption{client.InNamespace(namespace), client.Limit(pageSize)}
	if filter.batch != "" {
		options = append(options, client.MatchingLabels{v1alpha1.LabelImport: filter.batch})
	} else {
		options = append(options, client.HasLabels{v1alpha1.LabelImport})
	}
	err := pages(ctx, c, options, func(list *v1alpha1.WhatsAppInstanceList) {
		for i := range list.Items {
			if each := ofNumber(&list.Items[i]); filter.store == "" || each.store == filter.store {
				found.instances = append(found.instances, each)
			}
		}
	})
	if err != nil {
		return found, fmt.Errorf("list WhatsAppInstances: %w", err)
	}
	err = pages(ctx, c, options, func(list *v1alpha1.CartRecoveryList) {
		for i := range list.Items {
			if each := ofLead(&list.Items[i]); filter.store == "" || each.store == filter.store {
				found.leads = append(found.leads, each)
			}
		}
	})
	if err != nil {
		return found, fmt.Errorf("list CartRecoveries: %w", err)
	}
	return found, nil
}

func ofNumber(instance *v1alpha1.WhatsAppInstance) imported {
	each := imported{name: instance.Name, batch: instance.Labels[v1alpha1.LabelImport], isNumber: true,
		store: instance.Spec.StoreRef.Name, state: stateReleased}
	switch {
	case lead.ImportIncomplete(instance):
		each.state = stateIncomplete
	case instance.Spec.Suspend:
		each.state = stateHeld
	}
	return each
}

func ofLead(recovery *v1alpha1.CartRecovery) imported {
	each := imported{name: recovery.Name, batch: recovery.Labels[v1alpha1.LabelImport],
		store: recovery.Spec.StoreRef.Name, state: stateReleased, since: recovery.CreationTimestamp.Time,
		isGivenUp: isGivenUp(recovery)}
	if recovery.Spec.AbandonedAt != nil {
		each.since = recovery.Spec.AbandonedAt.Time
	}
	if inbound := lead.LastInbound(recovery); inbound != nil {
		each.waits = inbound.At.After(lead.LastContact(recovery)) && !lead.HandedOff(recovery)
	}
	switch {
	case lead.ImportIncomplete(recovery):
		each.state = stateIncomplete
	case lead.Over(recovery):
		each.state = stateEnded
	case recovery.Spec.Suspend:
		each.state = stateHeld
	}
	return each
}

func importStatusCommand(t *tool) *cobra.Command {
	var filter importedFilter
	command := &cobra.Command{
		Use:   "status [BATCH]",
		Short: "Show what was imported, and what of it is still held",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			filter.batch = strings.Join(args, "")
			c, namespace, err := t.connect()
			if err != nil {
				return err
			}
			found, err := findImported(command.Context(), c, namespace, filter)
			if err != nil {
				return err
			}
			return t.printImported(found)
		},
	}
	command.Flags().StringVar(&filter.store, "store", "", "Only of this Store")
	return command
}

// printImported writes a line for each import, Store and kind.
func (t *tool) printImported(found importedObjects) error {
	lines := map[string]map[importedState]int{}
	for _, each := range slices.Concat(found.instances, found.leads) {
		kind := "leads"
		if each.isNumber {
			kind = "instances"
		}
		key := strings.Join([]string{each.batch, each.store, kind}, "\t")
		if lines[key] == nil {
			lines[key] = map[importedState]int{}
		}
		lines[key][each.state]++
	}
	if len(lines) == 0 {
		_, err := fmt.Fprintln(t.Err, "Nothing was imported into this namespace.")
		return err
	}
	table := tabwriter.NewWriter(t.Out, 0, 8, 3, ' ', 0)
	_, _ = fmt.Fprintln(table, "IMPORT\tSTORE\tWHAT\tHELD\tINCOMPLETE\tRELEASED\tENDED")
	for _, key := range slices.Sorted(maps.Keys(lines)) {
		counts := lines[key]
		_, _ = fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%d\n", key, counts[stateHeld], counts[stateIncomplete],
			counts[stateReleased], counts[stateEnded])
	}
	return table.Flush()
}
