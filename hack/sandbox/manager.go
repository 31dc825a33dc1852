package sandbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"cartrecovery.dev/operator/internal/testenv"
)

// Manager is the operator's manager, running as a process.
type Manager struct {
	// URL of its webhook server.
	URL string
	// MetricsURL of its metrics.
	MetricsURL string
	// Log is the file it logs to.
	Log string

	process *process
	health  string
}

// StartManager starts bin/manager against a cluster and services and waits until it is
// ready. Further arguments go to the manager.
func StartManager(ctx context.Context, cluster *Cluster, services *Services, args ...string) (*Manager, error) {
	return startAs(ctx, cluster, services, operatorAccount, "", args)
}

// StartSplit starts bin/manager twice, as config/default-split does: once for the webhooks and once
// for the controllers.
func StartSplit(ctx context.Context, cluster *Cluster, services *Services, args ...string) (webhooks,
	controllers *Manager, err error) {
	webhooks, err = startAs(ctx, cluster, &Services{}, webhooksAccount, "", append([]string{"--roles=webhooks"},
		args...))
	if err != nil {
		return nil, nil, err
	}
	controllers, err = startAs(ctx, cluster, services, operatorAccount, webhooks.URL,
		append([]string{"--roles=controllers"}, args...))
	if err != nil {
		return nil, nil, errors.Join(err, webhooks.Stop())
	}
	return webhooks, controllers, nil
}

// startAs starts bin/manager with the rights of a service account; publicURL is its own when "".
func startAs(ctx context.Context, cluster *Cluster, services *Services, account, publicURL string,
	args []string) (*Manager, error) {
	kubeconfig, err := cluster.kubeconfigFor(ctx, account)
	if err != nil {
		return nil, err
	}
	addresses, err := freeAddresses(3)
	if err != nil {
		return nil, err
	}
	m := &Manager{
		URL: "http://" + addresses[0], MetricsURL: "http://" + addresses[1] + "/metrics",
		health: "http://" + addresses[2], Log: filepath.Join(cluster.dir, cluster.nextLog(account)),
	}
	state := filepath.Join(cluster.dir, account+"-state")
	if err := os.MkdirAll(state, 0o750); err != nil {
		return nil, fmt.Errorf("make the manager's state directory: %w", err)
	}
	args = append([]string{
		"--state-dir=" + state,
		"--webhook-bind-address=" + addresses[0],
		"--metrics-bind-address=" + addresses[1], "--metrics-auth=none",
		"--health-probe-bind-address=" + addresses[2],
		"--leader-elect", "--leader-election-namespace=" + operatorNamespace,
		// Stores and instances that name a simulator as their own endpoint may do so.
		"--allow-http-endpoints", "--allow-endpoint-cidrs=127.0.0.0/8,::1",
	}, args...)
	env := append([]string{"KUBECONFIG=" + kubeconfig, "PUBLIC_URL=" + cmp.Or(publicURL, m.URL)}, services.env...)
	m.process, err = startProcess(m.Log, env, filepath.Join(testenv.Root(), "bin", "manager"), args...)
	if err != nil {
		return nil, err
	}
	if err := m.ready(ctx); err != nil {
		return nil, errors.Join(err, m.Stop())
	}
	return m, nil
}

func (m *Manager) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		if answersOK(ctx, m.health+"/readyz") {
			return nil
		}
		select {
		case <-m.process.ended:
			return fmt.Errorf("the manager ended before it was ready (%w); see %s", m.process.status, m.Log)
		case <-ctx.Done():
			return fmt.Errorf("the manager did not become ready within a minute; see %s", m.Log)
		case <-tick.C:
		}
	}
}

func answersOK(ctx context.Context, url string) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	return answer.Body.Close() == nil && answer.StatusCode == http.StatusOK
}

// Signal sends the manager's process a signal.
func (m *Manager) Signal(signal os.Signal) error {
	if err := m.process.command.Process.Signal(signal); err != nil {
		return fmt.Errorf("signal the manager: %w", err)
	}
	return nil
}

// Ended is closed when the manager's process has ended.
func (m *Manager) Ended() <-chan struct{} { return m.process.ended }

// Stop stops the manager, which finishes what it has begun.
func (m *Manager) Stop() error { return m.process.stop() }

// freeAddresses returns addresses on this machine that nobody listens on.
func freeAddresses(count int) (addresses []string, failed error) {
	listeners := make([]net.Listener, 0, count)
	defer func() {
		for _, listener := range listeners {
			failed = errors.Join(failed, listener.Close())
		}
	}()
	for range count {
		listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // closed at once
		if err != nil {
			return nil, fmt.Errorf("find a free port: %w", err)
		}
		listeners = append(listeners, listener)
		addresses = append(addresses, listener.Addr().String())
	}
	return addresses, nil
}
