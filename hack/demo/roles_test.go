package main

import (
	"bytes"
	"context"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"cartrecovery.dev/operator/hack/sandbox"
	"cartrecovery.dev/operator/hack/story"
	"cartrecovery.dev/operator/internal/testenv"
)

// account begins the name of the operator's service accounts.
const account = "system:serviceaccount:cart-recovery-system:"

// unseen are the rights of each ServiceAccount that the story does not need, or not each time, with why
// they are granted all the same.
var unseen = map[string]map[string]string{
	"default/cart-recovery-controller-manager": merged(controllersUnseen, map[string]string{
		"whatsappinstances.cartrecovery.dev create": "connect for a Store without an instance",
	}),
	"default-split/cart-recovery-controller-manager": merged(controllersUnseen, map[string]string{
		"suppressions.cartrecovery.dev create":             "the AI understands that a customer wants no messages",
		"subjectaccessreviews.authorization.k8s.io create": "somebody reads metrics with a token",
		"tokenreviews.authentication.k8s.io create":        "somebody reads metrics with a token",
	}),
	"default-split/cart-recovery-webhooks": merged(informers, map[string]string{
		"cartrecoveries.cartrecovery.dev get":       "a lead whose write met another one is read anew",
		"events.events.k8s.io create":               "a purchase that could not be used",
		"events.events.k8s.io patch":                "an event that is repeated within minutes",
		"leases.coordination.k8s.io update":         "the cluster was restored from a backup",
		"suppressions.cartrecovery.dev get":         "a Suppression that exists already is read",
		"suppressions.cartrecovery.dev patch":       "a Suppression that lapsed is renewed",
		"whatsappinstances.cartrecovery.dev create": "connect for a Store without an instance",
		"whatsappinstances.cartrecovery.dev get":    "connect finds an instance that was just made",
	}),
}

// controllersUnseen are those of whoever runs the controllers.
var controllersUnseen = merged(informers, map[string]string{
	"cartrecoveries.cartrecovery.dev delete":  "a lead after ttlAfterFinished",
	"cartrecoveries.cartrecovery.dev get":     "a lead whose write met another one is read anew",
	"events.events.k8s.io patch":              "an event that is repeated within minutes",
	"recoveryledgers.cartrecovery.dev delete": "a ledger that no lead needs",
	"recoveryledgers.cartrecovery.dev get":    "a ledger whose write met another one is read anew",
	"suppressions.cartrecovery.dev delete":    "a customer is erased, and a keyed Suppression takes the place",
	"whatsappinstances.cartrecovery.dev/finalizers update": "clusters with OwnerReferencesPermissionEnforcement ask " +
		"for it where a Secret is owned",
})

// informers list where the API server does not stream what is there (WatchList).
var informers = map[string]string{
	"cartrecoveries.cartrecovery.dev list":    "an informer",
	"clientidclaims.cartrecovery.dev list":    "an informer",
	"products.cartrecovery.dev list":          "an informer",
	"stores.cartrecovery.dev list":            "an informer",
	"suppressions.cartrecovery.dev list":      "an informer",
	"whatsappinstances.cartrecovery.dev list": "an informer",
}

func merged(one, other map[string]string) map[string]string {
	both := maps.Clone(one)
	maps.Copy(both, other)
	return both
}

// TestRolesAreUsed plays the story against an API server that writes down who asks it for what, and
// compares that with what the roles grant: nothing is refused, and nothing is granted in vain.
func TestRolesAreUsed(t *testing.T) {
	if testing.Short() || os.Getenv("KUBEBUILDER_ASSETS") == "" {
		t.Skip("needs an API server")
	}
	build := exec.CommandContext(t.Context(), "make", "-C", testenv.Root(), "build")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	ctrl.SetLogger(logr.Discard())
	for _, manifests := range []string{"default", "default-split"} {
		t.Run(manifests, func(t *testing.T) { playAndCompare(t, manifests) })
	}
}

func playAndCompare(t *testing.T, manifests string) {
	dir := t.TempDir()
	log := filepath.Join(dir, "audit.log")
	audited, err := sandbox.Audited(dir, log, "system:serviceaccounts:cart-recovery-system")
	if err != nil {
		t.Fatal(err)
	}
	cluster, err := sandbox.StartClusterOf(t.Context(), dir, manifests, audited)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := cluster.Stop(); err != nil {
			t.Error(err)
		}
	}()
	played := play(t, cluster, manifests == "default-split")
	used, refused, err := sandbox.ReadAudit(log, account, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	for _, request := range slices.Sorted(maps.Keys(refused)) {
		t.Errorf("refused: %s", request)
	}
	if !played {
		t.Fatal("the story was not played to its end, so nothing is said of rights that it did not need")
	}
	granted := grantedTo(t, cluster)
	for _, right := range slices.Sorted(maps.Keys(granted)) {
		who, what, _ := strings.Cut(right, " ")
		if _, known := unseen[manifests+"/"+who][what]; !used[right] && !known {
			t.Errorf("granted to %s and not used: %s", who, what)
		}
	}
}

// play tells the story with one manager, or with one for each role, and says whether it came to
// its end.
func play(t *testing.T, cluster *sandbox.Cluster, split bool) bool {
	t.Helper()
	services, err := sandbox.StartServices(sandbox.Options{ForceSimulated: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = services.Stop() }()
	told := &sandbox.Manager{}
	var managers []*sandbox.Manager
	if split {
		webhooks, controllers, err := sandbox.StartSplit(t.Context(), cluster, services)
		if err != nil {
			t.Fatal(err)
		}
		managers = append(managers, webhooks, controllers)
		told.URL, told.MetricsURL, told.Log = webhooks.URL, controllers.MetricsURL, controllers.Log
	} else {
		if told, err = sandbox.StartManager(t.Context(), cluster, services); err != nil {
			t.Fatal(err)
		}
		managers = append(managers, told)
	}
	stage := story.On(cluster, services, story.NewScreen(io.Discard), told.URL)
	stage.Apart = split
	err = story.New(stage).Tell(t.Context())
	for _, manager := range managers {
		if stopped := manager.Stop(); stopped != nil {
			t.Error(stopped)
		}
		if err != nil {
			content, _ := os.ReadFile(manager.Log)
			t.Logf("%s:\n%s", manager.Log, content[max(0, len(content)-8192):])
		}
	}
	if err != nil {
		t.Error(err)
	}
	return err == nil
}

// grantedTo is what the roles grant that are bound to the operator's service accounts.
func grantedTo(t *testing.T, cluster *sandbox.Cluster) map[string]bool {
	t.Helper()
	granted := map[string]bool{}
	var clusterBindings rbacv1.ClusterRoleBindingList
	var bindings rbacv1.RoleBindingList
	if err := cluster.Client.List(t.Context(), &clusterBindings); err != nil {
		t.Fatal(err)
	}
	if err := cluster.Client.List(t.Context(), &bindings); err != nil {
		t.Fatal(err)
	}
	for i := range clusterBindings.Items {
		binding := &clusterBindings.Items[i]
		grant(t, cluster, granted, binding.Subjects, binding.RoleRef, "")
	}
	for i := range bindings.Items {
		binding := &bindings.Items[i]
		grant(t, cluster, granted, binding.Subjects, binding.RoleRef, binding.Namespace)
	}
	if len(granted) == 0 {
		t.Fatal("nothing is granted")
	}
	return granted
}

func grant(t *testing.T, cluster *sandbox.Cluster, granted map[string]bool, subjects []rbacv1.Subject,
	ref rbacv1.RoleRef, namespace string) {
	t.Helper()
	for _, subject := range subjects {
		if subject.Kind != "ServiceAccount" || subject.Namespace != "cart-recovery-system" {
			continue
		}
		rules, err := rulesOf(t.Context(), cluster, ref, namespace)
		if err != nil {
			t.Fatal(err)
		}
		for _, rule := range rules {
			for _, each := range rightsOf(rule) {
				granted[subject.Name+" "+each] = true
			}
		}
	}
}

func rulesOf(ctx context.Context, cluster *sandbox.Cluster, ref rbacv1.RoleRef, namespace string) ([]rbacv1.PolicyRule,
	error) {
	if ref.Kind == "Role" {
		role := &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: ref.Name}}
		err := cluster.Client.Get(ctx, client.ObjectKeyFromObject(role), role)
		return role.Rules, err
	}
	role := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: ref.Name}}
	err := cluster.Client.Get(ctx, client.ObjectKeyFromObject(role), role)
	return role.Rules, err
}

func rightsOf(rule rbacv1.PolicyRule) []string {
	var rights []string
	for _, group := range rule.APIGroups {
		for _, resource := range rule.Resources {
			name, subresource, _ := strings.Cut(resource, "/")
			for _, verb := range rule.Verbs {
				rights = append(rights, sandbox.ResourceOf(name, group, subresource)+" "+verb)
			}
		}
	}
	return rights
}

// TestExceptionsAreGranted: an exception for what no role grants is a leftover.
func TestExceptionsAreGranted(t *testing.T) {
	for who, files := range map[string][]string{
		"default/cart-recovery-controller-manager": {"rbac/role.yaml", "rbac/leader_election_role.yaml"},
		"default-split/cart-recovery-controller-manager": {"split/controllers_role.yaml",
			"rbac/leader_election_role.yaml"},
		"default-split/cart-recovery-webhooks": {"split/webhooks_role.yaml", "split/webhooks_lease_role.yaml"},
	} {
		granted := map[string]bool{}
		for _, file := range files {
			for _, rule := range rulesIn(t, filepath.Join(testenv.Root(), "config", filepath.FromSlash(file))) {
				for _, right := range rightsOf(rule) {
					granted[right] = true
				}
			}
		}
		for right := range unseen[who] {
			if !granted[right] {
				t.Errorf("%s: no role grants %s", who, right)
			}
		}
	}
}

// rulesIn are the rules of the first document of a file.
func rulesIn(t *testing.T, path string) []rbacv1.PolicyRule {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var role rbacv1.ClusterRole
	if err := yaml.Unmarshal(bytes.SplitN(bytes.TrimPrefix(content, []byte("---\n")), []byte("\n---"), 2)[0],
		&role); err != nil {
		t.Fatal(err)
	}
	return role.Rules
}
