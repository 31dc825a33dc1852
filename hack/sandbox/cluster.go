// Package sandbox starts what the demo and the benchmarks run on: a control plane with the
// operator installed as a user installs it, the simulated services, and the manager as a
// process of its own with the permissions of its own service account.
package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"cartrecovery.dev/operator/internal/testenv"
)

// The names under which config/default installs the operator.
const (
	operatorNamespace = "cart-recovery-system"
	operatorAccount   = "cart-recovery-controller-manager"
	// webhooksAccount is that of the webhooks, where config/default-split installs the operator.
	webhooksAccount = "cart-recovery-webhooks"
)

// Cluster is a control plane with the operator installed.
type Cluster struct {
	*testenv.Environment
	// Kubeconfig is the administrator's.
	Kubeconfig string
	// dir holds kubeconfigs and logs.
	dir        string
	assets     string
	controller *process
	// managers is how many of each service account were started.
	managers map[string]int
}

// nextLog names the log of another manager of a service account: webhooks.log, webhooks-2.log, …
func (c *Cluster) nextLog(account string) string {
	if c.managers == nil {
		c.managers = map[string]int{}
	}
	c.managers[account]++
	if c.managers[account] == 1 {
		return account + ".log"
	}
	return fmt.Sprintf("%s-%d.log", account, c.managers[account])
}

// StartCluster starts the control plane of KUBEBUILDER_ASSETS and installs config/default.
// Its files are kept in dir.
func StartCluster(ctx context.Context, dir string) (*Cluster, error) {
	return StartClusterOf(ctx, dir, "default")
}

// StartClusterOf is StartCluster for another folder of config/, with an API server that options
// change.
func StartClusterOf(ctx context.Context, dir, manifests string, options ...func(*envtest.Environment)) (*Cluster,
	error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make folder for the control plane's files: %w", err)
	}
	environment, err := testenv.Start(options...)
	if err != nil {
		return nil, err
	}
	c := &Cluster{
		Environment: environment, dir: dir, assets: os.Getenv("KUBEBUILDER_ASSETS"),
		Kubeconfig: filepath.Join(dir, "kubeconfig"),
	}
	if err := c.prepare(ctx, manifests); err != nil {
		return nil, errors.Join(err, c.Stop())
	}
	return c, nil
}

func (c *Cluster) prepare(ctx context.Context, manifests string) error {
	admin, err := kubeconfigOf(c.Config, func(user *clientcmdapi.AuthInfo) {
		user.ClientCertificateData, user.ClientKeyData = c.Config.CertData, c.Config.KeyData
	})
	if err != nil {
		return err
	}
	if err := os.WriteFile(c.Kubeconfig, admin, 0o600); err != nil {
		return fmt.Errorf("write kubeconfig: %w", err)
	}
	if err := c.startControllers(); err != nil {
		return err
	}
	_, err = c.Kubectl(ctx, "apply", "--server-side", "--force-conflicts", "-k", filepath.Join(testenv.Root(), "config",
		manifests))
	return err
}

// startControllers runs what a cluster needs besides an API server: garbage
// collection by owner, namespace deletion and service accounts.
func (c *Cluster) startControllers() error {
	program := filepath.Join(c.assets, "cluster-controllers")
	if _, err := os.Stat(program); err != nil {
		return nil //nolint:nilerr // optional: without it owned objects are not collected
	}
	var err error
	c.controller, err = startProcess(filepath.Join(c.dir, "cluster-controllers.log"), nil, program,
		"--kubeconfig="+c.Kubeconfig)
	return err
}

// Kubectl runs kubectl as the administrator and returns what it prints. The error holds its complaint.
func (c *Cluster) Kubectl(ctx context.Context, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	//nolint:gosec // the control plane's own kubectl
	command := exec.CommandContext(ctx, filepath.Join(c.assets, "kubectl"), args...)
	command.Env = append(os.Environ(), "KUBECONFIG="+c.Kubeconfig)
	var complaint strings.Builder
	command.Stderr = &complaint
	printed, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("kubectl %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(complaint.String()))
	}
	return string(printed), nil
}

// kubeconfigFor writes a kubeconfig with a service account of the operator's namespace.
func (c *Cluster) kubeconfigFor(ctx context.Context, account string) (string, error) {
	token, err := c.Token(ctx, operatorNamespace, account)
	if err != nil {
		return "", err
	}
	content, err := kubeconfigOf(c.Config, func(user *clientcmdapi.AuthInfo) { user.Token = token })
	if err != nil {
		return "", err
	}
	path := filepath.Join(c.dir, account+".kubeconfig")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		return "", fmt.Errorf("write kubeconfig: %w", err)
	}
	return path, nil
}

// Token returns a bearer token of a service account.
func (c *Cluster) Token(ctx context.Context, namespace, account string) (string, error) {
	clientset, err := kubernetes.NewForConfig(c.Config)
	if err != nil {
		return "", fmt.Errorf("build client: %w", err)
	}
	day := int64((24 * time.Hour).Seconds())
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: &day}}
	answer, err := clientset.CoreV1().ServiceAccounts(namespace).CreateToken(ctx, account, request,
		metav1.CreateOptions{})
	if err != nil {
		return "", fmt.Errorf("get a token for service account %s/%s: %w", namespace, account, err)
	}
	return answer.Status.Token, nil
}

// Stop stops everything of the cluster.
func (c *Cluster) Stop() error {
	var stopped error
	if c.controller != nil {
		stopped = c.controller.stop()
	}
	return errors.Join(stopped, c.Environment.Stop())
}

func kubeconfigOf(config *rest.Config, credentials func(*clientcmdapi.AuthInfo)) ([]byte, error) {
	user := &clientcmdapi.AuthInfo{}
	credentials(user)
	content, err := clientcmd.Write(clientcmdapi.Config{
		Clusters: map[string]*clientcmdapi.Cluster{"sandbox": {Server: config.Host,
			CertificateAuthorityData: config.CAData}},
		AuthInfos:      map[string]*clientcmdapi.AuthInfo{"user": user},
		Contexts:       map[string]*clientcmdapi.Context{"sandbox": {Cluster: "sandbox", AuthInfo: "user"}},
		CurrentContext: "sandbox",
	})
	if err != nil {
		return nil, fmt.Errorf("write kubeconfig: %w", err)
	}
	return content, nil
}

// process is a program that runs beside, its output in a file.
type process struct {
	command *exec.Cmd
	log     io.Closer
	// ended is closed when the program has ended, with status.
	ended  chan struct{}
	status error
}

func startProcess(logFile string, env []string, program string, args ...string) (*process, error) {
	log, err := os.OpenFile(logFile, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600) //nolint:gosec // a file of the sandbox
	if err != nil {
		return nil, fmt.Errorf("open log: %w", err)
	}
	// No context, whose end would kill it: stop gives it time to drain.
	command := exec.Command(program, args...) //nolint:gosec,noctx // a program of this project
	command.Stdout, command.Stderr = log, log
	command.Env = append(os.Environ(), env...)
	if err := command.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", filepath.Base(program), err), log.Close())
	}
	p := &process{command: command, log: log, ended: make(chan struct{})}
	go func() {
		defer close(p.ended)
		p.status = command.Wait()
	}()
	return p, nil
}

// stop asks the program to end, and ends it when it does not within 20 s. Its own exit
// status says nothing here: it was told to go.
func (p *process) stop() error {
	_ = p.command.Process.Signal(os.Interrupt)
	killer := time.AfterFunc(20*time.Second, func() { _ = p.command.Process.Kill() })
	defer killer.Stop()
	<-p.ended
	return p.log.Close()
}
