// Command cluster-controllers runs those controllers of the kube-controller-manager that a cluster without nodes needs:
// deletion of namespaces, garbage collection by owner, service accounts of new namespaces, and aggregated ClusterRoles.
// They are Kubernetes' own. The kube-controller-manager links fifty more, with the clients of clouds and volumes, and
// takes two minutes to build; this takes seconds where kube-apiserver was built before.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/controller-manager/pkg/informerfactory"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/pkg/controller/clusterroleaggregation"
	"k8s.io/kubernetes/pkg/controller/garbagecollector"
	"k8s.io/kubernetes/pkg/controller/namespace"
	"k8s.io/kubernetes/pkg/controller/serviceaccount"
)

// How often what is in a cluster is looked at anew, and by how many workers each; as the kube-controller-manager has it.
const (
	discoveryPeriod = 30 * time.Second
	resyncPeriod    = 5 * time.Minute
	workers         = 10
)

func main() {
	kubeconfig := flag.String("kubeconfig", "", "the kubeconfig of an administrator of the cluster")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, *kubeconfig)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "cluster-controllers:", err)
		os.Exit(1)
	}
}

// run starts the controllers and returns when ctx has ended and they have.
func run(ctx context.Context, kubeconfig string) error {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return fmt.Errorf("read -kubeconfig: %w", err)
	}
	// Discovery and deletion of a whole namespace are many small calls, to an API server of one's own.
	config.QPS, config.Burst = 400, 2000
	c, err := connect(ctx, config)
	if err != nil {
		return err
	}
	controllers, err := c.controllers(ctx)
	if err != nil {
		return err
	}
	c.informers.Start(ctx.Done())
	c.metadataInformers.Start(ctx.Done())
	close(c.started)
	var running sync.WaitGroup
	for _, controller := range controllers {
		running.Go(func() { controller(ctx) })
	}
	running.Wait()
	return nil
}

// cluster is what the controllers share.
type cluster struct {
	client            kubernetes.Interface
	metadata          metadata.Interface
	mapper            *restmapper.DeferredDiscoveryRESTMapper
	informers         informers.SharedInformerFactory
	metadataInformers metadatainformer.SharedInformerFactory
	// started is closed when the informers have been.
	started chan struct{}
}

func connect(ctx context.Context, config *rest.Config) (*cluster, error) {
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("build client: %w", err)
	}
	metadataClient, err := metadata.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("build metadata client: %w", err)
	}
	if _, err := client.CoreV1().Namespaces().Get(ctx, corev1.NamespaceDefault, metav1.GetOptions{}); err != nil {
		return nil, fmt.Errorf("reach the API server: %w", err)
	}
	return &cluster{
		client: client, metadata: metadataClient,
		mapper:            restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(client.Discovery())),
		informers:         informers.NewSharedInformerFactory(client, resyncPeriod),
		metadataInformers: metadatainformer.NewSharedInformerFactory(metadataClient, resyncPeriod),
		started:           make(chan struct{}),
	}, nil
}

// controllers are functions that each run one until its context ends. Their informers are known when it returns.
func (c *cluster) controllers(ctx context.Context) ([]func(context.Context), error) {
	namespaces := namespace.NewNamespaceController(ctx, c.client, c.metadata,
		c.client.Discovery().ServerPreferredNamespacedResources, c.informers.Core().V1().Namespaces(), resyncPeriod,
		corev1.FinalizerKubernetes)
	accounts, err := serviceaccount.NewServiceAccountsController(klog.FromContext(ctx),
		c.informers.Core().V1().ServiceAccounts(), c.informers.Core().V1().Namespaces(), c.client,
		serviceaccount.DefaultServiceAccountsControllerOptions())
	if err != nil {
		return nil, fmt.Errorf("service accounts: %w", err)
	}
	roles := clusterroleaggregation.NewClusterRoleAggregation(c.informers.Rbac().V1().ClusterRoles(), c.client.RbacV1())
	garbage, err := garbagecollector.NewGarbageCollector(ctx, c.client, c.metadata, c.mapper,
		garbagecollector.DefaultIgnoredResources(),
		informerfactory.NewInformerFactory(c.informers, c.metadataInformers), c.started)
	if err != nil {
		return nil, fmt.Errorf("garbage collector: %w", err)
	}
	return []func(context.Context){
		func(ctx context.Context) { namespaces.Run(ctx, workers) },
		func(ctx context.Context) { accounts.Run(ctx, 1) },
		func(ctx context.Context) { roles.Run(ctx, 1) },
		func(ctx context.Context) { garbage.Run(ctx, workers, discoveryPeriod) },
		func(ctx context.Context) { garbage.Sync(ctx, c.client.Discovery(), discoveryPeriod) },
		func(ctx context.Context) {
			wait.UntilWithContext(ctx, func(context.Context) { c.mapper.Reset() }, discoveryPeriod)
		},
	}, nil
}
