package uazapi_test

import (
	"testing"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gateway"
	"cartrecovery.dev/operator/internal/gateway/gatewaytest"
	"cartrecovery.dev/operator/internal/gateway/uazapi"
	"cartrecovery.dev/operator/internal/simulator"
)

// TestContract holds every dialect to the contract of gateway.Gateway.
func TestContract(t *testing.T) {
	for _, dialect := range []v1alpha1.GatewayDialect{v1alpha1.DialectV2, v1alpha1.DialectLegacy} {
		t.Run(string(dialect), func(t *testing.T) {
			gatewaytest.Run(t, gatewaytest.Options{Type: uazapi.Type(), Dialect: dialect,
				Start: func(t *testing.T) gatewaytest.Server { return start(t, dialect == v1alpha1.DialectLegacy) }})
		})
	}
}

// start runs a simulator until the test ends.
func start(t *testing.T, legacy bool) gatewaytest.Server {
	t.Helper()
	const admin = "admin-token-of-the-account"
	sim := simulator.NewUAZAPI(simulator.UAZAPIOptions{AdminToken: admin, LegacySend: legacy})
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
