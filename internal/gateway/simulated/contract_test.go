package simulated_test

import (
	"testing"
	"time"

	"cartrecovery.dev/operator/internal/gateway"
	"cartrecovery.dev/operator/internal/gateway/gatewaytest"
	"cartrecovery.dev/operator/internal/gateway/simulated"
)

// TestContract holds simulated numbers to the contract of gateway.Gateway.
func TestContract(t *testing.T) {
	time0 := &clock{at: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)}
	simulation := simulated.NewSimulation(time0.now)
	gatewaytest.Run(t, gatewaytest.Options{
		Type: simulated.Type().With(simulation.New),
		Start: func(*testing.T) gatewaytest.Server {
			before := len(simulation.Sent())
			return gatewaytest.Server{
				Scan: func(string, string) error { time0.move(simulated.PairingTime); return nil },
				Sent: func() []gateway.Text {
					var taken []gateway.Text
					for _, each := range simulation.Sent()[before:] {
						taken = append(taken, each.Text)
					}
					return taken
				},
			}
		},
	})
}
