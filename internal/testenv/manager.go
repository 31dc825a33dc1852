package testenv

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
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
	if err := index.Register(context.Background(), mgr.GetFieldIndexer()); err != nil {
		return nil, fmt.Errorf("build manager: %w", err)
	}
	return mgr, nil
}

// Intercepted makes the client of a manager one whose calls go through funcs.
func Intercepted(funcs interceptor.Funcs) client.NewClientFunc {
	return func(config *rest.Config, options client.Options) (client.Client, error) {
		inner, err := client.NewWithWatch(config, options)
		if err != nil {
			return nil, fmt.Errorf("build client: %w", err)
		}
		return interceptor.NewClient(inner, funcs), nil
	}
}

// Run starts a manager. stop stops it, waits for its end, and returns the error it ended with; it may be called
// more than once.
func Run(mgr ctrl.Manager) (stop func() error) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	return sync.OnceValue(func() error {
		cancel()
		select {
		case err := <-ended:
			return err
		case <-time.After(endTimeout):
			return errors.New("the manager does not end")
		}
	})
}
