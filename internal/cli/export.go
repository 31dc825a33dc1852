package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"cartrecovery.dev/operator/api/v1alpha1"
)

// export is everything that is stored of a customer in a namespace.
type export struct {
	ExportedAt time.Time     `json:"exportedAt"`
	Namespace  string        `json:"namespace"`
	Stores     []storeExport `json:"stores"`
	// NotHere is where else there may be something.
	NotHere []string `json:"notHere"`
}

// storeExport is what one Store has.
type storeExport struct {
	Store string `json:"store"`
	// Phones and Emails are all that are known of the customer.
	Phones []string `json:"phones,omitempty"`
	Emails []string `json:"emails,omitempty"`
	// Leads have the customer, the product, what was paid and, in status.conversation, what was said.
	Leads []v1alpha1.CartRecovery `json:"leads"`
	// Suppressions are why and since when the customer is not written to.
	Suppressions []v1alpha1.Suppression `json:"suppressions"`
	// Ledger is what a restore from a backup would know of the leads.
	Ledger []v1alpha1.LedgerEntry `json:"ledger"`
}

// notExported is what the cluster does not have.
var notExported = []string{
	"the chats on the paired phone and at the gateway",
	"what the AI's provider keeps of the conversations",
	"the orders and the customer at the sales platform",
	"copies in backups of the cluster",
	"entries in the audit log of the API server and in logs, which name objects by hashes",
	"a keyed Suppression, which remains of an erasure before: without the operator's key nobody can tell whose it is",
}

func exportCommand(t *tool) *cobra.Command {
	var which selector
	var format, path string
	command := &cobra.Command{
		Use:   "export",
		Short: "Print everything that is stored of one customer",
		Long: "Print everything that is stored of one customer in a namespace: their leads with conversation and\n" +
			"payments, Suppressions and ledger entries. It answers a request for access; docs/privacy.md says what\n" +
			"else there may be.",
		Example: "  kubectl cartrecovery export -n shop --phone-file - --to customer.json\n" +
			"  kubectl cartrecovery export -n shop --email ana@example.com -o yaml",
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			if format != "json" && format != "yaml" {
				return usageErrorf(command, "-o: expected json or yaml")
			}
			given, err := which.customer(command, t.In)
			if err != nil {
				return err
			}
			reader, namespace, err := t.connect()
			if err != nil {
				return err
			}
			found, err := t.export(command.Context(), newFinder(reader, namespace, which, given))
			if err != nil {
				return err
			}
			return t.print(found, format, path)
		},
	}
	which.bind(command.Flags())
	command.Flags().StringVarP(&format, "output", "o", "json", "json or yaml")
	command.Flags().StringVar(&path, "to", "", "Write to a new file, which only you may read")
	return command
}

// export reads everything.
func (t *tool) export(ctx context.Context, f *finder) (*export, error) {
	records, err := f.find(ctx)
	if err != nil {
		return nil, err
	}
	made := &export{
		ExportedAt: t.clock.Now().UTC(), Namespace: f.namespace, Stores: []storeExport{}, NotHere: notExported,
	}
	for _, each := range records {
		if each.empty() {
			continue
		}
		part, err := exportOf(ctx, f.reader, f.namespace, each)
		if err != nil {
			return nil, err
		}
		made.Stores = append(made.Stores, *part)
	}
	if len(made.Stores) == 0 {
		return nil, fmt.Errorf("nothing is stored of this customer in the namespace %s", f.namespace)
	}
	return made, nil
}

func exportOf(ctx context.Context, reader client.Reader, namespace string, found *record) (*storeExport, error) {
	part := &storeExport{
		Store: found.store, Leads: []v1alpha1.CartRecovery{}, Suppressions: []v1alpha1.Suppression{},
		Phones: known(found.customer.Phone, found.customer.OtherPhones),
		Emails: known(found.customer.Email, found.customer.OtherEmails),
	}
	names := map[string]bool{}
	for _, each := range found.leads {
		names[each.Name] = true
		each.ManagedFields = nil
		part.Leads = append(part.Leads, each)
	}
	for _, each := range found.suppressions {
		each.ManagedFields = nil
		part.Suppressions = append(part.Suppressions, each)
	}
	var err error
	part.Ledger, err = ledgerOf(ctx, reader, namespace, names)
	return part, err
}

func known(one string, others []string) []string {
	if one == "" {
		return others
	}
	return append([]string{one}, others...)
}

// print writes an export to the output, or to a file that is made for it.
func (t *tool) print(found *export, format, path string) error {
	content, err := json.MarshalIndent(found, "", "  ")
	if err != nil {
		return fmt.Errorf("write the export: %w", err)
	}
	if format == "yaml" {
		if content, err = yaml.JSONToYAML(content); err != nil {
			return fmt.Errorf("write the export: %w", err)
		}
	}
	if path == "" {
		_, err = fmt.Fprintln(t.Out, string(content))
		return err
	}
	return writeNew(path, content, t.Err)
}

// writeNew writes a file that must not be there yet, for nobody else to read.
func writeNew(path string, content []byte, told io.Writer) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // the caller's own file
	if err != nil {
		return fmt.Errorf("write the export to a new file: %w", err)
	}
	_, err = file.Write(append(content, '\n'))
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return fmt.Errorf("write the export: %w", err)
	}
	_, err = fmt.Fprintf(told, "Written to %s, which only you may read. It holds everything of the customer.\n", path)
	return err
}
