package testenv

import (
	"context"
	"errors"
	"fmt"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"cartrecovery.dev/operator/internal/index"
)

// endTimeout is how long a manager is waited for that was told to stop.
const endTimeout = 30 * time.Second

// NewManager returns a manager for the API server, with the indexes of internal/index. It serves neither metrics
// nor probes. The options say what is different, such as the logger or the namespaces of the cache.
func (e *Environment) NewManager(options ctrl.Options) (ctrl.Manager, error) {
	options.Scheme = e.Client.Scheme()
	options.Metrics = metricsserver.Options{BindAddress: "0"}
	options.HealthProbeBindAddress = "0"
	mgr, err := ctrl.NewManager(e.Config, options)
	if err != nil {
		return nil, fmt.Errorf("build manager: %w", err)
	}
	if err := index.Register(context.Background(), mgr.GetFieldIndexer(), e.SuppressionKeys); err != nil {
		return nil, fmt.Errorf("build manager: %w", err)
	}
	return mgr, nil
}

// Running is a manager that was started.
type Running struct {
	cancel context.CancelFunc
	ended  chan struct{}
	err    error
}

// Run starts a manager. It runs until Stop, or until it ends by itself.
func Run(mgr ctrl.Manager) *Running {
	ctx, cancel := context.WithCancel(context.Background())
	r := &Running{cancel: cancel, ended: make(chan struct{})}
	go func() {
		defer close(r.ended)
		r.err = mgr.Start(ctx)
	}()
	return r
}

// Ended is closed when the manager has ended.
func (r *Running) Ended() <-chan struct{} { return r.ended }

// Stop stops the manager, waits for its end, and returns the error it ended with. It may be called more than once.
func (r *Running) Stop() error {
	r.cancel()
	select {
	case <-r.ended:
		return r.err
	case <-time.After(endTimeout):
		return errors.New("the manager does not end")
	}
}
