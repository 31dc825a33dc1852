// Package testenv starts a real API server with the operator's CRDs for tests, the demo
// and the benchmarks.
package testenv

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	k8sruntime "k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/outbound"
	"cartrecovery.dev/operator/internal/suppressionkeys"
)

// Environment is a running API server.
type Environment struct {
	// Config reaches it as an administrator, without client-side throttling.
	Config *rest.Config
	// Client reads and writes it directly, without a cache.
	Client client.WithWatch
	// Envtest is the environment itself.
	Envtest *envtest.Environment
	// SuppressionKeys are those that managers find keyed Suppressions with; nil for none.
	SuppressionKeys *suppressionkeys.Keys
}

// ErrNoControlPlane: KUBEBUILDER_ASSETS is not set.
var ErrNoControlPlane = errors.New(
	`KUBEBUILDER_ASSETS is not set: run "make test", or export KUBEBUILDER_ASSETS="$(go run ./hack/controlplane)"`)

// Scheme has Kubernetes' own resources and the operator's.
func Scheme() (*k8sruntime.Scheme, error) {
	scheme := k8sruntime.NewScheme()
	if err := clientgoscheme.AddToScheme(scheme); err != nil {
		return nil, fmt.Errorf("build scheme: %w", err)
	}
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		return nil, fmt.Errorf("build scheme: %w", err)
	}
	return scheme, nil
}

// Start starts etcd and kube-apiserver from KUBEBUILDER_ASSETS and installs the CRDs. The
// options change the environment before it starts.
func Start(options ...func(*envtest.Environment)) (*Environment, error) {
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		return nil, ErrNoControlPlane
	}
	scheme, err := Scheme()
	if err != nil {
		return nil, err
	}
	environment := &envtest.Environment{
		CRDDirectoryPaths:     []string{filepath.Join(Root(), "config", "crd", "bases")},
		ErrorIfCRDPathMissing: true,
		Scheme:                scheme,
	}
	for _, option := range options {
		option(environment)
	}
	config, err := environment.Start()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start the control plane: %w", err), environment.Stop())
	}
	config.QPS, config.Burst = -1, -1
	direct, err := client.NewWithWatch(config, client.Options{Scheme: scheme})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("build client: %w", err), environment.Stop())
	}
	return &Environment{Config: config, Client: direct, Envtest: environment}, nil
}

// Stop stops the API server.
func (e *Environment) Stop() error { return e.Envtest.Stop() }

// Namespace makes a new namespace and returns its name.
func (e *Environment) Namespace(ctx context.Context) (string, error) {
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "test-"}}
	if err := e.Client.Create(ctx, namespace); err != nil {
		return "", fmt.Errorf("create namespace: %w", err)
	}
	return namespace.Name, nil
}

// AnyEndpoint are the rules of an operator that lets endpoints be anything and Secrets go
// everywhere: simulators listen on the loopback, without TLS.
func AnyEndpoint() outbound.Rules {
	all := []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}
	return outbound.Rules{AllowHTTP: true, AllowCIDRs: all, Hosts: outbound.ParseHosts("*")}
}

// Root is the project's root folder, found from this file's own place in it.
func Root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..")
}
