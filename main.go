// Command manager runs cart-recovery-operator: the webhook server on every replica, the
// controllers on the leader. docs/configuration.md lists its flags and environment.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"time"
	_ "time/tzdata" // stores have time zones, and the image has none

	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zapio"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"

	"cartrecovery.dev/operator/internal/preflight"
	"cartrecovery.dev/operator/internal/version"
)

// fieldManager is the name under which Kubernetes records who has written a field.
const fieldManager = "cart-recovery-operator"

func main() {
	// A mistake is told in one line, which a list of all flags would push out of sight.
	flag.CommandLine.Init(os.Args[0], flag.ContinueOnError)
	flag.CommandLine.SetOutput(io.Discard)
	settings, logging := parseFlags(flag.CommandLine, os.Args[1:], os.Getenv)
	if errors.Is(settings.flagError, flag.ErrHelp) {
		flag.CommandLine.SetOutput(os.Stdout)
		flag.CommandLine.PrintDefaults()
		return
	}
	if settings.version && settings.flagError == nil {
		fmt.Println(version.Get())
		return
	}
	ctrl.SetLogger(zap.New(zap.UseFlagOptions(logging)))
	// What net/http says of clients that come and go is for whoever looks for it, and no plain text among JSON.
	own := zap.NewRaw(zap.UseFlagOptions(logging)).Named("net/http")
	log.SetFlags(0)
	log.SetOutput(&zapio.Writer{Log: own, Level: zapcore.DebugLevel})
	if err := run(settings); err != nil {
		ctrl.Log.Error(err, "The manager ended")
		fmt.Fprintln(os.Stderr, "cart-recovery-operator:", err)
		os.Exit(1)
	}
}

// run builds the manager and runs it until a signal ends it.
func run(settings settings) error {
	if err := settings.check(); err != nil {
		return fmt.Errorf("the settings cannot be used (see docs/configuration.md):\n%w", err)
	}
	for _, warning := range settings.warnings(os.Environ(), time.Now()) {
		ctrl.Log.Info("Warning: " + warning)
	}
	config, err := ctrl.GetConfig()
	if err != nil {
		return fmt.Errorf("find a Kubernetes configuration (KUBECONFIG, or run in a cluster): %w", err)
	}
	config = privately(config)
	config.UserAgent = fieldManager + "/" + rest.DefaultKubernetesUserAgent()
	lock, err := newLock(config, settings)
	if err != nil {
		return err
	}
	ctx := untilHandedOver(ctrl.SetupSignalHandler(), lock)
	if err := checkCluster(ctx, config, settings, preflight.Patience); err != nil {
		return err
	}
	mgr, err := newManager(ctx, config, settings, lock)
	if err != nil {
		return err
	}
	is := version.Get()
	ctrl.Log.Info("Starting", "version", is.Version, "revision", is.Revision, "go", is.Go,
		"publicURL", settings.publicURL, "ownGateway", settings.ownsGateway(), "ownAI", settings.ai.APIKey != "")
	return errors.Join(mgr.Start(ctx), lost(lock))
}
