package install

import (
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/internal/testenv"
)

// manager is a process that runs as a pod of a Deployment would.
type manager struct {
	// url is that of its webhook server.
	url, metrics, health string
	command              *exec.Cmd
	ended                <-chan struct{}
}

var buildManager = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "manager-")
	if err != nil {
		return "", err
	}
	program := filepath.Join(dir, "manager")
	return program, buildFrom(testenv.Root(), program)
})

// managerProgram is the manager of this checkout, built once. TestMain removes it.
func managerProgram(t *testing.T) string {
	t.Helper()
	program, err := buildManager()
	if err != nil {
		t.Fatal(err)
	}
	return program
}

// buildFrom builds the manager of a checkout.
func buildFrom(checkout, program string) error {
	build := exec.Command("go", "build", "-buildvcs=false", "-o", program, ".")
	build.Dir, build.Stdout, build.Stderr = checkout, os.Stderr, os.Stderr
	return build.Run()
}

// startManager runs a program as a Deployment's pod would run it: its arguments, with addresses and folders of this
// machine, its ServiceAccount, its environment, and in place of the Secret the values that it would have.
func (p *plane) startManager(t *testing.T, program string, key client.ObjectKey, secret map[string]string) *manager {
	t.Helper()
	m := p.prepareManager(t, program, key, secret)
	m.ended = background(t, m.command)
	return m
}

// prepareManager is startManager without the start. Of further arguments, those take the place of the Deployment's.
func (p *plane) prepareManager(t *testing.T, program string, key client.ObjectKey, secret map[string]string,
	args ...string) *manager {
	t.Helper()
	var deployment appsv1.Deployment
	if err := p.client.Get(t.Context(), key, &deployment); err != nil {
		t.Fatal(err)
	}
	m := &manager{}
	bound := map[string]*string{"--webhook-bind-address": &m.url, "--metrics-bind-address": &m.metrics,
		"--health-probe-bind-address": &m.health}
	container := deployment.Spec.Template.Spec.Containers[0]
	if len(args) == 0 {
		args = container.Args
	}
	here := []string{"--leader-election-namespace=" + key.Namespace} // a pod reads it from a file
	for _, arg := range args {
		flag, _, _ := strings.Cut(arg, "=")
		if kept := bound[flag]; kept != nil {
			address := freeAddress(t)
			*kept, arg = "http://"+address, flag+"="+address
		} else if flag == "--state-dir" {
			arg = flag + "=" + t.TempDir()
		}
		here = append(here, arg)
	}
	account := deployment.Spec.Template.Spec.ServiceAccountName
	token := strings.TrimSpace(p.must(t, "kubectl -n "+key.Namespace+" create token "+account))
	m.command = exec.Command(program, here...)
	m.command.Env = append([]string{"PATH=" + os.Getenv("PATH"), "KUBECONFIG=" + p.kubeconfig(t,
		filepath.Join(t.TempDir(), "kubeconfig"), &clientcmdapi.AuthInfo{Token: token})},
		environment(container, secret)...)
	return m
}

// environment is that of a container, with what a Secret of its own holds.
func environment(container corev1.Container, secret map[string]string) []string {
	var set []string
	for _, variable := range container.Env {
		value := variable.Value
		if from := variable.ValueFrom; from != nil && from.SecretKeyRef != nil {
			kept, is := secret[from.SecretKeyRef.Key]
			if !is {
				continue
			}
			value = kept
		}
		set = append(set, variable.Name+"="+value)
	}
	return set
}

func (m *manager) isReady() bool {
	answer, err := http.Get(m.health + "/readyz")
	if err != nil {
		return false
	}
	return answer.Body.Close() == nil && answer.StatusCode == http.StatusOK
}

// mustBeReady waits until the process is, which is a minute at the most.
func (m *manager) mustBeReady(t *testing.T) {
	t.Helper()
	within(t, "the manager is ready", time.Minute, func() bool {
		select {
		case <-m.ended:
			t.Fatal("the manager ended")
		default:
		}
		return m.isReady()
	})
}

// stop ends the process as Kubernetes ends a pod.
func (m *manager) stop(t *testing.T) {
	t.Helper()
	_ = m.command.Process.Signal(os.Interrupt)
	within(t, "the manager ends", time.Minute, func() bool {
		select {
		case <-m.ended:
			return true
		default:
			return false
		}
	})
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}
