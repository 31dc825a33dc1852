package install

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// atMost is how long removing the operator may take, whatever is there.
const atMost = time.Minute

// doomed is an instance that only the operator may let go of, as it has been deleted.
const doomed = `kubectl -n shop apply -f - <<'EOF'
apiVersion: cartrecovery.dev/v1alpha1
kind: WhatsAppInstance
metadata: {name: doomed, finalizers: [cartrecovery.dev/gateway]}
spec: {storeRef: {name: acme}, gateway: {type: Simulated}, deletionPolicy: Delete}
EOF
kubectl -n shop delete whatsappinstance doomed --wait=false`

// TestRemovals: the operator goes within a minute and leaves all data, whatever waits for it; data goes when somebody
// means it, and is exported before.
func TestRemovals(t *testing.T) {
	t.Parallel()
	p := startPlane(t)
	p.must(t, `make deploy; kubectl create namespace shop; kubectl -n shop apply -k config/samples
kubectl -n cart-recovery-system create secret generic cart-recovery-operator --from-literal=OPENAI_API_KEY=example`)
	p.must(t, doomed)
	for _, refused := range []string{"make uninstall", "make purge", "make purge CONFIRM=no"} {
		if printed, err := p.run(t, refused); err == nil || !strings.Contains(printed, "Say CONFIRM=yes") {
			t.Errorf("%s: got %v, %s; want it refused", refused, err, printed)
		}
	}

	// Data that could not be exported is not deleted.
	const failing = `printf '#!/bin/sh\ncase "$*" in %s) exit 1;; esac\nexec kubectl "$@"\n' '*"$0"*' > failing
chmod +x failing; make purge CONFIRM=yes KUBECTL=./failing`
	for _, fails := range []string{"get customresourcedefinitions", "-o yaml", "get deployments"} {
		if printed, err := p.run(t, strings.ReplaceAll(failing, "$0", fails)); err == nil {
			t.Errorf("where kubectl %s fails, make purge goes on:\n%s", fails, printed)
		}
		remain(t, p, "customresourcedefinitions", 7)
		remain(t, p, "whatsappinstances -n shop", 2)
	}
	p.must(t, "rm dist/export-*")

	began := time.Now()
	p.must(t, "make undeploy")
	if took := time.Since(began); took > atMost {
		t.Errorf("make undeploy took %s", took)
	}
	remain(t, p, "customresourcedefinitions", 7)
	remain(t, p, "stores,suppressions,cartrecoveries,products -n shop", 4)
	remain(t, p, "whatsappinstances -n shop", 2)
	remain(t, p, "secret cart-recovery-operator -n cart-recovery-system", 1)
	remain(t, p, "deployments,services,poddisruptionbudgets,roles,serviceaccounts -n cart-recovery-system "+
		"-l app.kubernetes.io/managed-by=kustomize", 0)
	remain(t, p, "clusterroles,clusterrolebindings -l app.kubernetes.io/managed-by=kustomize", 0)

	p.must(t, "make deploy")
	began = time.Now()
	printed := p.must(t, "make purge CONFIRM=yes PURGE_WAIT=2s")
	if took := time.Since(began); took > atMost {
		t.Errorf("make purge took %s", took)
	}
	if !strings.Contains(printed, "shop/doomed may still be at its gateway") ||
		strings.Contains(printed, "shop/acme may") {
		t.Errorf("got\n%s\nwant it to name the number that nobody deleted", printed)
	}
	remain(t, p, "customresourcedefinitions", 0)
	exported(t, p)
	if printed := p.must(t, "make purge CONFIRM=yes"); !strings.Contains(printed, "no data") {
		t.Errorf("got\n%s\nwant a purge of nothing to say so", printed)
	}
}

// remain says whether as many objects are there as should be.
func remain(t *testing.T, p *plane, what string, want int) {
	t.Helper()
	if got := names(p.must(t, "kubectl get --ignore-not-found -o name "+what)); len(got) != want {
		t.Errorf("%s: got %q, want %d", what, got, want)
	}
}

// exported says whether the export has the samples, for nobody else to read, and can be applied again.
func exported(t *testing.T, p *plane) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(p.dir, "dist", "export-*.yaml"))
	if err != nil || len(paths) != 1 {
		t.Fatalf("got %q, %v, want one export", paths, err)
	}
	info, err := os.Stat(paths[0])
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("got %v, %v, want a file that nobody else reads", info.Mode(), err)
	}
	content, err := os.ReadFile(paths[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"CartRecovery", "Product", "Store", "Suppression", "WhatsAppInstance"} {
		if !strings.Contains(string(content), "kind: "+kind+"\n") {
			t.Errorf("the export has no %s", kind)
		}
	}
}

// TestAReleaseLeavesItsData: opt-outs outlive helm uninstall, and the next release finds them.
func TestAReleaseLeavesItsData(t *testing.T) {
	t.Parallel()
	p := startPlane(t)
	const install = "helm install cart-recovery charts/cart-recovery-operator --namespace cart-recovery-system " +
		"--create-namespace"
	p.must(t, install+"; kubectl create namespace shop; kubectl -n shop apply -k config/samples")
	p.must(t, doomed)
	began := time.Now()
	p.must(t, "helm uninstall cart-recovery --namespace cart-recovery-system")
	if took := time.Since(began); took > atMost {
		t.Errorf("helm uninstall took %s", took)
	}
	remain(t, p, "customresourcedefinitions", 7)
	remain(t, p, "suppressions -n shop", 1)
	remain(t, p, "deployments -n cart-recovery-system", 0)
	p.must(t, install)
	remain(t, p, "suppressions -n shop", 1)

	// What was installed by kustomize becomes a release without a pause.
	p.must(t, "helm uninstall cart-recovery --namespace cart-recovery-system; make build-installer; "+
		"kubectl apply --server-side --force-conflicts -f dist/install.yaml")
	p.must(t, install+" --take-ownership --force-conflicts")
	remain(t, p, "deployments -n cart-recovery-system", 1)
}
