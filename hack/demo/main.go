// Command demo runs the operator's main job from end to end and shows it: a control plane,
// simulated WhatsApp gateways and AI (the real ones when their keys are in the
// environment), the manager, three abandoned carts and what becomes of them. It checks
// what it shows and exits with 0 only when everything was as it should be. With --stay it
// stays up, for you to try things.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"

	"cartrecovery.dev/operator/hack/sandbox"
	"cartrecovery.dev/operator/hack/story"
	"cartrecovery.dev/operator/internal/testenv"
)

func main() {
	var o options
	flag.BoolVar(&o.stay, "stay", false, "stay up after the story, until Ctrl-C")
	flag.StringVar(&o.export, "export", "", "the file to write all custom resources to, after the story")
	flag.StringVar(&o.metrics, "metrics", "", "the folder to write the metrics of every second to, during the story")
	flag.Parse()
	ctrl.SetLogger(logr.Discard())
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, o)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "\nThe demo failed:", err)
		os.Exit(1)
	}
}

// options are what the demo is told.
type options struct {
	stay            bool
	export, metrics string
}

// run starts everything, tells the story, and takes everything down again.
func run(ctx context.Context, o options) (failed error) {
	began := time.Now()
	out := story.NewScreen(os.Stdout)
	out.Title("cart-recovery-operator: abandoned carts, won back over WhatsApp")

	out.Step("Starting a Kubernetes control plane and installing the operator (about 10 s)")
	dir := filepath.Join(testenv.Root(), ".demo")
	cluster, err := sandbox.StartCluster(ctx, dir)
	if err != nil {
		return err
	}
	defer func() { failed = errors.Join(failed, cluster.Stop()) }()
	out.Done("kube-apiserver, etcd, CRDs, RBAC")

	services, err := sandbox.StartServices(sandbox.Options{AILatency: func() time.Duration {
		return 400 * time.Millisecond
	}})
	if err != nil {
		return err
	}
	defer func() { failed = errors.Join(failed, services.Stop()) }()
	manager, err := sandbox.StartManager(ctx, cluster, services)
	if err != nil {
		return err
	}
	defer func() { failed = errors.Join(failed, manager.Stop()) }()
	out.Done("the manager, with its own service account, webhooks on " + manager.URL)
	out.Done("WhatsApp gateways: UAZAPI " + kindOf(services.Gateway != nil) + ", Evolution " +
		kindOf(services.Evolution != nil) +
		"; AI: " + kindOf(services.AI != nil))

	s := story.New(story.On(cluster, services, out, manager.URL))
	tell := s.TellAndCount
	if o.metrics != "" {
		tell = func(ctx context.Context) error { return manager.Scraped(ctx, o.metrics, time.Second, s.TellAndCount) }
	}
	if err := tell(ctx); err != nil {
		return fmt.Errorf("%w\n(the manager's log is in %s)", err, manager.Log)
	}
	if err := exportAll(ctx, cluster, o.export); err != nil {
		return err
	}
	out.Title(fmt.Sprintf("Everything was as it should be (%.0f s)", time.Since(began).Seconds()))
	if o.stay {
		s.Invite(cluster, manager)
		<-ctx.Done()
	}
	return nil
}

// exportAll writes what the operator has stored, as make previous keeps it.
func exportAll(ctx context.Context, cluster *sandbox.Cluster, path string) error {
	if path == "" {
		return nil
	}
	all, err := cluster.Kubectl(ctx, "get", "--all-namespaces", "-o", "yaml", "stores.cartrecovery.dev,"+
		"products.cartrecovery.dev,whatsappinstances.cartrecovery.dev,cartrecoveries.cartrecovery.dev,"+
		"suppressions.cartrecovery.dev,recoveryledgers.cartrecovery.dev,clientidclaims.cartrecovery.dev")
	if err != nil {
		return err
	}
	return os.WriteFile(path, []byte(all), 0o600)
}

func kindOf(simulated bool) string {
	if simulated {
		return "simulated"
	}
	return "real, from the environment"
}
