// Command controlplane provides the Kubernetes control plane that the test
// suites and the demo run against: kube-apiserver, etcd, kubectl and
// cluster-controllers. It prints the directory that holds them on stdout,
// and nothing else; progress goes to stderr. Use it like this:
//
//	assets="$(go run ./hack/controlplane)" && KUBEBUILDER_ASSETS="$assets" go test ./...
//
// The programs come from the first of these that has them:
//
//  1. the directory that KUBEBUILDER_ASSETS names;
//  2. setup-envtest's store, as "setup-envtest use -i -p path 1.37.x" would find them;
//  3. a download by setup-envtest;
//  4. the Kubernetes and etcd sources, from the Go module proxy. This needs
//     nothing but Go and takes some minutes, once: the result goes to the store.
//
// cluster-controllers is our own: those controllers of the kube-controller-manager
// that the suites need. It is built from source in cases 2 and 3 too, and added to
// the store's entry. Nothing is ever written to the directory of case 1; what it
// lacks is built into a directory of the store that links to the rest.
//
// A kubectl on the PATH is linked to instead of built where Kubernetes supports it
// with the API server: one minor version older to one newer.
//
// The versions are those of kubernetes/go.mod, etcd/go.mod and hack/tools/go.mod.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) > 1 {
		fmt.Fprintln(os.Stderr, "control-plane: takes no arguments; it prints the directory of kube-apiserver, etcd, "+
			"kubectl and cluster-controllers, and prepares it if need be. See hack/controlplane/main.go.")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	dir, err := run(ctx, os.Stderr)
	interrupted := ctx.Err() != nil
	stop()
	switch {
	case err != nil && interrupted:
		fmt.Fprintln(os.Stderr, "control-plane: interrupted; nothing half-made was installed, run it again to go on")
		os.Exit(130)
	case err != nil:
		fmt.Fprintln(os.Stderr, "control-plane:", err)
		os.Exit(1)
	}
	fmt.Println(dir)
}

// run finds out where it is and provides the control plane for this machine.
func run(ctx context.Context, progress io.Writer) (string, error) {
	cwd, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("cannot tell the current directory: %w", err)
	}
	root, err := findRoot(cwd)
	if err != nil {
		return "", err
	}
	programs, err := pinnedPrograms(root)
	if err != nil {
		return "", err
	}
	entries, err := storeEntries(runtime.GOOS, os.Getenv)
	if err != nil {
		return "", err
	}
	builder := &goBuilder{root: root, progress: progress, heartbeat: 30 * time.Second}
	p := &provider{
		store: &store{dir: entries, version: kubernetesVersion(programs), platform: runtime.GOOS + "-" +
			runtime.GOARCH},
		programs: programs,
		progress: progress,
		build:    builder.build,
		reuse:    reuseKubectl,
		download: builder.download,
	}
	return p.provide(ctx, os.Getenv("KUBEBUILDER_ASSETS"))
}

// findRoot returns the directory of this repository: dir or one above it.
func findRoot(dir string) (string, error) {
	for d := dir; ; d = filepath.Dir(d) {
		_, err := os.Stat(filepath.Join(d, "hack", "controlplane", "kubernetes", "go.mod"))
		if err == nil {
			return d, nil
		}
		if !errors.Is(err, os.ErrNotExist) {
			return "", fmt.Errorf("cannot look for this repository in %s: %w", d, err)
		}
		if d == filepath.Dir(d) {
			return "", fmt.Errorf("%s is not inside this repository: run it there, as go run ./hack/controlplane", dir)
		}
	}
}
