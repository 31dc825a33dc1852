package sandbox

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"cartrecovery.dev/operator/internal/simulator"
)

// SimulatedAdminToken is the simulated gateway's admin token.
const (
	SimulatedAdminToken = "sandbox-admin-token"
	simulatedAPIKey     = "sandbox-api-key"
	simulatedGlobalKey  = "sandbox-global-key"
	// simulatedSuppressionKey is the key of keyed Suppressions.
	simulatedSuppressionKey = "c2FuZGJveC1zdXBwcmVzc2lvbi1rZXktb2YtMzItYnl0ZXM="
)

// Services are the gateway and the AI that the manager calls: simulated, or real where the
// environment has the keys.
type Services struct {
	// Gateway is the simulated UAZAPI server; nil when the real one is used.
	Gateway *simulator.UAZAPI
	// GatewayURL is where the gateway is.
	GatewayURL string
	// Evolution is the simulated Evolution server; nil when the real one is used.
	Evolution *simulator.Evolution
	// AI is the simulated endpoint; nil when the real one is used.
	AI *simulator.OpenAI

	env     []string
	servers []*simulator.Server
}

// Options change the simulated services.
type Options struct {
	// AILatency is how long the simulated AI takes.
	AILatency func() time.Duration
	// ForceSimulated ignores keys in the environment.
	ForceSimulated bool
}

// StartServices starts the simulators that are needed. The real gateway is used with
// UAZAPI_BASE_URL and UAZAPI_ADMIN_TOKEN, the real Evolution server with EVOLUTION_BASE_URL and
// EVOLUTION_API_KEY, the real AI with OPENAI_API_KEY.
func StartServices(options Options) (*Services, error) {
	s := &Services{env: []string{"SUPPRESSION_KEYS=" + simulatedSuppressionKey}}
	if err := s.startGateway(options); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	if err := s.startEvolution(options); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	if err := s.startAI(options); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

func (s *Services) startEvolution(options Options) error {
	if os.Getenv("EVOLUTION_BASE_URL") != "" && os.Getenv("EVOLUTION_API_KEY") != "" && !options.ForceSimulated {
		return nil
	}
	s.Evolution = simulator.NewEvolution(simulator.EvolutionOptions{APIKey: simulatedGlobalKey, Receipts: true})
	server, err := simulator.Serve(s.Evolution)
	if err != nil {
		return fmt.Errorf("start the simulated Evolution server: %w", err)
	}
	s.servers = append(s.servers, server)
	s.env = append(s.env, "EVOLUTION_BASE_URL="+server.URL(), "EVOLUTION_API_KEY="+simulatedGlobalKey)
	return nil
}

func (s *Services) startGateway(options Options) error {
	if url := os.Getenv("UAZAPI_BASE_URL"); url != "" && os.Getenv("UAZAPI_ADMIN_TOKEN") != "" &&
		!options.ForceSimulated {
		s.GatewayURL = url
		return nil
	}
	s.Gateway = simulator.NewUAZAPI(simulator.UAZAPIOptions{AdminToken: SimulatedAdminToken})
	server, err := simulator.Serve(s.Gateway)
	if err != nil {
		return fmt.Errorf("start the simulated gateway: %w", err)
	}
	s.servers, s.GatewayURL = append(s.servers, server), server.URL()
	s.env = append(s.env, "UAZAPI_BASE_URL="+server.URL(), "UAZAPI_ADMIN_TOKEN="+SimulatedAdminToken)
	return nil
}

func (s *Services) startAI(options Options) error {
	if os.Getenv("OPENAI_API_KEY") != "" && !options.ForceSimulated {
		return nil
	}
	s.AI = simulator.NewOpenAI(simulator.OpenAIOptions{APIKey: simulatedAPIKey, Latency: options.AILatency})
	server, err := simulator.Serve(s.AI)
	if err != nil {
		return fmt.Errorf("start the simulated AI: %w", err)
	}
	s.servers = append(s.servers, server)
	s.env = append(s.env, "OPENAI_BASE_URL="+server.URL()+"/v1", "OPENAI_API_KEY="+simulatedAPIKey)
	return nil
}

// Env is what of the environment tells the manager where they are: NAME=value.
func (s *Services) Env() []string { return s.env }

// Stop stops the simulators.
func (s *Services) Stop() error {
	var failed error
	if s.Gateway != nil {
		failed = s.Gateway.Close()
	}
	if s.Evolution != nil {
		failed = errors.Join(failed, s.Evolution.Close())
	}
	for _, server := range s.servers {
		failed = errors.Join(failed, server.Close())
	}
	return failed
}

// Credentials are what the manager is given that nobody else may learn.
func (s *Services) Credentials() []string {
	var secret []string
	for _, entry := range s.env {
		name, value, _ := strings.Cut(entry, "=")
		if !strings.HasSuffix(name, "_URL") {
			secret = append(secret, value)
		}
	}
	return secret
}
