package evolution_test

import (
	"testing"
	"time"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gateway"
	"cartrecovery.dev/operator/internal/gateway/evolution"
	"cartrecovery.dev/operator/internal/gateway/gatewaytest"
	"cartrecovery.dev/operator/internal/simulator"
)

// TestContract holds every dialect to the contract of gateway.Gateway.
func TestContract(t *testing.T) {
	for _, dialect := range []v1alpha1.GatewayDialect{v1alpha1.DialectV2, v1alpha1.DialectV1} {
		t.Run(string(dialect), func(t *testing.T) {
			gatewaytest.Run(t, gatewaytest.Options{Type: evolution.Type(), Dialect: dialect,
				Start: func(t *testing.T) gatewaytest.Server { return start(t, dialect == v1alpha1.DialectV1) }})
		})
	}
}

// start runs a simulator until the test ends.
func start(t *testing.T, v1 bool) gatewaytest.Server {
	t.Helper()
	const admin = "global-key-of-the-server"
	sim := simulator.NewEvolution(simulator.EvolutionOptions{APIKey: admin, V1: v1, WebhookRetry: time.Millisecond})
	served, err := simulator.Serve(sim)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = served.Close(), sim.Close() })
	return gatewaytest.Server{
		BaseURL: served.URL(), AdminToken: admin, Scan: sim.Scan,
		Sent: func() []gateway.Text { return gatewaytest.Taken(sim.Sent()) },
		Reply: func(instance, customer, text string) error {
			_, err := sim.Reply(instance, customer, text)
			return err
		},
	}
}
