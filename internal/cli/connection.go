package cli

import (
	"cmp"
	"fmt"
	"time"

	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/version"
)

// requestTimeout is how long one request to the API server may take when --request-timeout says nothing.
const requestTimeout = 30 * time.Second

// connection is which cluster and namespace commands act on, told by the flags that kubectl has.
type connection struct {
	kubeconfig string
	overrides  clientcmd.ConfigOverrides
}

// bind adds kubectl's flags. They are client-go's own: those of k8s.io/cli-runtime are the same, and come with
// kustomize.
func (c *connection) bind(flags *pflag.FlagSet) {
	flags.StringVar(&c.kubeconfig, "kubeconfig", "", "Path to the kubeconfig file to use")
	names := clientcmd.RecommendedConfigOverrideFlags("")
	names.Timeout.Description = "How long one request may take, such as 10s or 1m. 30s by default"
	clientcmd.BindOverrideFlags(&c.overrides, flags, names)
}

func (c *connection) config() clientcmd.ClientConfig {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = c.kubeconfig
	return clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, &c.overrides)
}

// connect makes a client, and tells the namespace that it is meant for.
func (c *connection) connect() (client.Client, string, error) {
	loader := c.config()
	namespace, _, err := loader.Namespace()
	if err != nil {
		return nil, "", fmt.Errorf("find out the namespace: %w", err)
	}
	config, err := loader.ClientConfig()
	if err != nil {
		return nil, "", fmt.Errorf("find a cluster (--kubeconfig, KUBECONFIG, --context): %w", err)
	}
	client, err := newClient(config)
	return client, namespace, err
}

// newClient makes a client that waits for a request as long as config.Timeout and explains what it may not do. Its
// requests are not held back here: the API server says when there are too many, and client-go waits then.
func newClient(config *rest.Config) (client.Client, error) {
	config = rest.CopyConfig(config)
	config.Timeout = cmp.Or(config.Timeout, requestTimeout)
	config.QPS = -1
	// Warnings repeat values of objects, such as a customer's phone.
	config.WarningHandler = rest.NoWarnings{}
	config.UserAgent = program + "/" + version.Get().Version
	scheme := runtime.NewScheme()
	if err := clientgoscheme.AddToScheme(scheme); err != nil {
		return nil, err
	}
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		return nil, err
	}
	c, err := client.NewWithWatch(config, client.Options{Scheme: scheme})
	if err != nil {
		return nil, fmt.Errorf("connect to the API server: %w", err)
	}
	return explaining(c), nil
}
