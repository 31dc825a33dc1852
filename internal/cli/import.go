package cli

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/movein"
)

// What --dry-run can be.
const (
	dryRunNone   = "none"
	dryRunClient = "client"
	dryRunServer = "server"
)

// importing is what an import was told.
type importing struct {
	*tool
	store, format, batch, gatewayURL, zone, dryRun string
	// files by kind, "" for none.
	files       map[string]*string
	skipWrong   bool
	concurrency int
}

const importExample = `  # Look at everything, and write nothing
  kubectl cartrecovery import -n loja --store loja --opt-outs opt-outs.csv --leads leads.json --dry-run=server

  # Opt-outs first: they hold at once
  kubectl cartrecovery import -n loja --store loja --opt-outs opt-outs.csv

  # Open leads, held until they are released
  kubectl cartrecovery import -n loja --store loja --leads leads.json --batch move
  kubectl cartrecovery release move -n loja --leads`

func importCommand(t *tool) *cobra.Command {
	i := &importing{tool: t, files: map[string]*string{}}
	command := &cobra.Command{
		Use:   "import --store STORE [--opt-outs FILE] [--instances FILE] [--leads FILE]",
		Short: "Import opt-outs, paired numbers and open leads of another backend",
		Long: "Import opt-outs, paired numbers and open leads of another backend from CSV or JSON.\n\n" +
			"Opt-outs hold at once. Leads and numbers are held: nothing is sent to or from them before\n" +
			"'kubectl cartrecovery release'. Run it again as often as you like: what is there is not made twice.\n" +
			"docs/moving-in.md has the columns, and the order in which to move.",
		Example: importExample,
		Args:    cobra.NoArgs,
		RunE:    func(command *cobra.Command, _ []string) error { return i.run(command) },
	}
	flags := command.Flags()
	flags.StringVar(&i.store, "store", "", "The Store that gets everything, in the namespace")
	for _, kind := range kinds {
		i.files[kind.flag] = flags.String(kind.flag, "", "File of "+kind.flag+" (.csv, .json, .jsonl), - for the input")
	}
	flags.StringVar(&i.format, "format", "", "csv or json. By default what the file's name ends with")
	flags.StringVar(&i.batch, "batch", "", "Name of the import, to release it by. By default the day, such as "+
		"2026-03-02")
	flags.StringVar(&i.gatewayURL, "gateway-url", "", "Address of the gateway of instances whose rows name none")
	flags.StringVar(&i.zone, "time-zone", "UTC", "Time zone of times that name none, such as America/Sao_Paulo")
	flags.StringVar(&i.dryRun, "dry-run", dryRunNone,
		"none; client: check all rows; server: have the API server check them, too. Nothing is written")
	flags.Lookup("dry-run").NoOptDefVal = dryRunClient
	flags.BoolVar(&i.skipWrong, "skip-wrong", false, "Import the other rows where some are wrong")
	flags.IntVar(&i.concurrency, "concurrency", 8, "How many objects are written at once, from 1 to 64")
	command.AddCommand(importStatusCommand(t))
	return command
}

// run reads every file whole before anything is written.
func (i *importing) run(command *cobra.Command) error {
	if err := i.check(); err != nil {
		return usageError(command, err)
	}
	target, c, err := i.target(command.Context())
	if err != nil {
		return err
	}
	var files []*file
	wrong := 0
	for _, kind := range kinds {
		path := *i.files[kind.flag]
		if path == "" {
			continue
		}
		read, err := i.read(kind, path, target)
		if err != nil {
			return fmt.Errorf("--%s: %w", kind.flag, err)
		}
		files, wrong = append(files, read), wrong+read.wrong
		// What is imported with the leads is theirs already.
		target.Instances = append(target.Instances, read.instances...)
	}
	if wrong > 0 && !i.skipWrong {
		return fmt.Errorf("%d rows are wrong, see above. Nothing was written. Correct them, or leave them out with "+
			"--skip-wrong", wrong)
	}
	if i.dryRun == dryRunServer {
		c = client.NewDryRunClient(c)
	}
	w := &writer{importing: i, client: c, target: target, report: newReport()}
	for _, each := range files {
		w.report.take(each)
		if i.dryRun == dryRunClient {
			w.report.results[each.kind.flag][resultRight] = len(each.wanted)
			continue
		}
		if err != nil {
			w.report.results[each.kind.flag]["not begun, because of the error below"] = len(each.wanted)
			continue
		}
		err = w.write(command.Context(), each)
	}
	return errors.Join(err, w.report.print(i.Out), i.next(w))
}

// check says what is wrong with the flags.
func (i *importing) check() error {
	given, inputs := 0, 0
	for _, path := range i.files {
		if *path != "" {
			given++
		}
		if *path == "-" {
			inputs++
		}
	}
	switch {
	case i.store == "":
		return errors.New("--store is missing: the Store that gets everything")
	case given == 0:
		return errors.New("nothing to import: give --opt-outs, --instances or --leads")
	case inputs > 1:
		return errors.New("only one file can be the input (-)")
	case i.concurrency < 1 || i.concurrency > 64:
		return errors.New("--concurrency: expected a number from 1 to 64")
	case i.format != "" && i.format != string(movein.CSV) && i.format != string(movein.JSON):
		return errors.New("--format: expected csv or json")
	case i.dryRun != dryRunNone && i.dryRun != dryRunClient && i.dryRun != dryRunServer:
		return errors.New("--dry-run: expected none, client or server")
	case len(validation.IsValidLabelValue(i.batch)) > 0:
		return errors.New("--batch: expected at most 63 letters, digits, '-', '_' and '.'")
	}
	if _, err := time.LoadLocation(i.zone); err != nil {
		return errors.New("--time-zone: expected a name such as America/Sao_Paulo or UTC")
	}
	return nil
}

// target reads what rows are checked against.
func (i *importing) target(ctx context.Context) (*movein.Target, client.Client, error) {
	c, namespace, err := i.connect()
	if err != nil {
		return nil, nil, err
	}
	store := &v1alpha1.Store{}
	if err := c.Get(ctx, client.ObjectKey{Namespace: namespace, Name: i.store}, store); err != nil {
		return nil, nil, fmt.Errorf("read Store %s of the namespace %s: %w", i.store, namespace, err)
	}
	if store.Spec.ClientID == "" {
		return nil, nil, fmt.Errorf("the Store %s has no spec.clientID, by which leads are named: set it", i.store)
	}
	var products v1alpha1.ProductList
	if err := c.List(ctx, &products, client.InNamespace(namespace)); err != nil {
		return nil, nil, fmt.Errorf("list Products: %w", err)
	}
	var instances v1alpha1.WhatsAppInstanceList
	if err := c.List(ctx, &instances, client.InNamespace(namespace)); err != nil {
		return nil, nil, fmt.Errorf("list WhatsAppInstances: %w", err)
	}
	now := i.clock.Now()
	zone, _ := time.LoadLocation(i.zone) // checked
	return &movein.Target{
		Store: store, Products: products.Items, Instances: instances.Items, Now: now, Zone: zone,
		Batch: cmp.Or(i.batch, now.UTC().Format(time.DateOnly)), GatewayURL: i.gatewayURL,
	}, c, nil
}

// open opens a file, as often as it is read. The input is kept in memory.
func (i *importing) open(path string) (func() (io.ReadCloser, error), movein.Format, error) {
	format, known := movein.FormatOf(path)
	if i.format != "" {
		format, known = movein.Format(i.format), true
	}
	if !known {
		return nil, "", errors.New("its name does not tell whether it is CSV or JSON: add --format=csv or " +
			"--format=json")
	}
	if path != "-" {
		open := func() (io.ReadCloser, error) {
			return os.Open(path) //nolint:gosec // the file that its user names
		}
		return open, format, nil
	}
	content, err := io.ReadAll(io.LimitReader(i.In, movein.MaxFile+1))
	return func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil }, format, err
}

// next tells what is to be done next.
func (i *importing) next(w *writer) error {
	var err error
	switch {
	case i.dryRun != dryRunNone:
		_, err = fmt.Fprintf(i.Err, "Nothing was written (--dry-run=%s).\n", i.dryRun)
	case w.held.Load():
		_, err = fmt.Fprintln(i.Err, "Leads and numbers are held. See what is: kubectl cartrecovery import status. "+
			"Let them go: kubectl cartrecovery release --help")
	}
	if w.report.has(resultGivenUp) && i.dryRun == dryRunNone {
		_, told := fmt.Fprintln(i.Err, givenUpHint(w.target.Store.Namespace))
		err = errors.Join(err, told)
	}
	return err
}
