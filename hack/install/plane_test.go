package install

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"cartrecovery.dev/operator/internal/testenv"
)

// plane is a control plane without the operator, and what commands need to reach it.
type plane struct {
	*testenv.Environment
	client client.Client
	// dir is a copy of what of the repository installs the operator; commands run there.
	dir string
	env []string
}

func init() { ctrl.SetLogger(logr.Discard()) }

// startPlane starts kube-apiserver, etcd, and what deletes namespaces and what is owned.
// Nothing runs pods.
func startPlane(t *testing.T, options ...func(*envtest.Environment)) *plane {
	t.Helper()
	if testing.Short() {
		t.Skip("needs an API server")
	}
	options = append(options, func(environment *envtest.Environment) {
		environment.CRDDirectoryPaths, environment.ErrorIfCRDPathMissing = nil, false
	})
	environment, err := testenv.Start(options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := environment.Stop(); err != nil {
			t.Error(err)
		}
	})
	dir := t.TempDir()
	p := &plane{Environment: environment, dir: filepath.Join(dir, "checkout")}
	if p.client, err = client.New(environment.Config, client.Options{Scheme: scheme(t)}); err != nil {
		t.Fatal(err)
	}
	kubeconfig := p.kubeconfig(t, filepath.Join(dir, "kubeconfig"), &clientcmdapi.AuthInfo{
		ClientCertificateData: environment.Config.CertData, ClientKeyData: environment.Config.KeyData,
	})
	assets := os.Getenv("KUBEBUILDER_ASSETS")
	bin := filepath.Join(dir, "bin")
	for name, target := range map[string]string{"kubectl": filepath.Join(assets, "kubectl"), "helm": helmProgram(t)} {
		link(t, target, filepath.Join(bin, name))
	}
	copyCheckout(t, p.dir)
	p.env = append(os.Environ(), "KUBECONFIG="+kubeconfig, "HOME="+dir, "PATH="+bin+":"+os.Getenv("PATH"),
		// What the go command has in the real home.
		"GOPATH="+goEnv(t, "GOPATH"), "GOCACHE="+goEnv(t, "GOCACHE"), "GOMODCACHE="+goEnv(t, "GOMODCACHE"))
	background(t, exec.Command(filepath.Join(assets, "cluster-controllers"), "--kubeconfig="+kubeconfig))
	return p
}

// kubeconfig writes a kubeconfig for a user and returns its path.
func (p *plane) kubeconfig(t *testing.T, path string, user *clientcmdapi.AuthInfo) string {
	t.Helper()
	content, err := clientcmd.Write(clientcmdapi.Config{
		Clusters: map[string]*clientcmdapi.Cluster{"plane": {Server: p.Config.Host,
			CertificateAuthorityData: p.Config.CAData}},
		AuthInfos:      map[string]*clientcmdapi.AuthInfo{"user": user},
		Contexts:       map[string]*clientcmdapi.Context{"plane": {Cluster: "plane", AuthInfo: "user"}},
		CurrentContext: "plane",
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// run runs a script as a user at the root of a checkout, and returns what it prints.
func (p *plane) run(t *testing.T, script string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", script)
	command.Dir, command.Env, command.WaitDelay = p.dir, p.env, 5*time.Second
	printed, err := command.CombinedOutput()
	return string(printed), err
}

// must runs a script that has to succeed.
func (p *plane) must(t *testing.T, script string) string {
	t.Helper()
	printed, err := p.run(t, script)
	if err != nil {
		t.Fatalf("%s\n%v:\n%s", script, err, printed)
	}
	return printed
}

// helmProgram is the helm of this module, built once and kept by the go command.
func helmProgram(t *testing.T) string {
	t.Helper()
	printed, err := exec.CommandContext(t.Context(), "go", "tool", "-n", "helm").Output()
	if err != nil {
		t.Fatalf("build helm: %v", err)
	}
	return strings.TrimSpace(string(printed))
}

func goEnv(t *testing.T, name string) string {
	t.Helper()
	printed, err := exec.CommandContext(t.Context(), "go", "env", name).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(printed))
}

// copyCheckout copies what of the repository the commands of the documentation read.
func copyCheckout(t *testing.T, to string) {
	t.Helper()
	for _, folder := range []string{"config", "charts", "hack/tools"} {
		from := filepath.Join(testenv.Root(), filepath.FromSlash(folder))
		if err := os.CopyFS(filepath.Join(to, filepath.FromSlash(folder)), os.DirFS(from)); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"Makefile", "go.mod", "go.sum"} {
		content, err := os.ReadFile(filepath.Join(testenv.Root(), name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(to, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func link(t *testing.T, target, path string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, path); err != nil {
		t.Fatal(err)
	}
}

// background starts a program that is ended with the test. What it wrote is shown where the test fails.
func background(t *testing.T, command *exec.Cmd) (ended <-chan struct{}) {
	t.Helper()
	log, err := os.Create(filepath.Join(t.TempDir(), filepath.Base(command.Path)+".log"))
	if err != nil {
		t.Fatal(err)
	}
	command.Stdout, command.Stderr = log, log
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = command.Wait()
	}()
	t.Cleanup(func() {
		_ = command.Process.Signal(os.Interrupt)
		select {
		case <-done:
		case <-time.After(20 * time.Second):
			_ = command.Process.Kill()
			<-done
		}
		if content, err := os.ReadFile(log.Name()); err == nil && t.Failed() {
			lines := strings.Split(string(content), "\n")
			t.Logf("%s:\n%s", log.Name(), strings.Join(lines[max(0, len(lines)-30):], "\n"))
		}
		_ = log.Close()
	})
	return done
}

// within waits until something holds.
func within(t *testing.T, what string, patience time.Duration, holds func() bool) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%s: not within %s", what, patience)
		}
	}
}

// names are the fields of what kubectl prints with -o name.
func names(printed string) []string { return slices.Sorted(strings.FieldsSeq(printed)) }
