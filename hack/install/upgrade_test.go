package install

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"cartrecovery.dev/operator/hack/sandbox"
	"cartrecovery.dev/operator/hack/story"
	"cartrecovery.dev/operator/internal/testenv"
)

// previous has what the release before this one stores, as "make previous" writes it: its CRDs, the objects that its
// demo left behind, and its commit.
var previous = filepath.Join("testdata", "previous")

// theOperator is its Deployment.
var theOperator = client.ObjectKey{Namespace: namespace, Name: "cart-recovery-controller-manager"}

// installPrevious installs this chart with the CRDs of the release before.
const installPrevious = `cp -r charts/cart-recovery-operator previous
rm previous/files/crds/*.yaml; cp "$PREVIOUS"/crds/*.yaml previous/files/crds/
kubectl create namespace cart-recovery-system; kubectl create namespace demo; kubectl create namespace anew
helm install cart-recovery previous --namespace cart-recovery-system
kubectl -n demo apply -f config/samples/secret.yaml`

// TestUpgrade: what the release before stored is there after helm upgrade, can be read and written, means the same to
// the operator, and would be taken if it were written now. On the older CRDs this operator does not start, and says
// which field is missing.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	p := startPlane(t)
	folder, err := filepath.Abs(previous)
	if err != nil {
		t.Fatal(err)
	}
	p.must(t, "PREVIOUS="+folder+"\n"+installPrevious)
	objects := previousObjects(t)
	before := p.store(t, objects, "")
	doesNotStart(t, p)

	p.must(t, "helm upgrade cart-recovery charts/cart-recovery-operator --namespace cart-recovery-system")
	within(t, "the API server has the new CRDs", time.Minute, func() bool {
		printed, err := p.run(t, "kubectl explain cartrecovery.status.state")
		return err == nil && strings.Contains(printed, "state")
	})
	for key, old := range before {
		now := p.get(t, old)
		if lost := lostFrom(contentOf(old), contentOf(now), ""); len(lost) > 0 {
			t.Errorf("%s: after the upgrade it has not, or has otherwise: %s", key, strings.Join(lost, ", "))
		}
		readable(t, key, now)
		p.writable(t, key, now)
	}
	p.store(t, objects, "anew") // these CRDs take what the operator before writes

	running := p.startManager(t, managerProgram(t), theOperator,
		map[string]string{"PUBLIC_URL": "https://hooks.example.com", "OPENAI_API_KEY": "example"})
	running.mustBeReady(t)
	open := strings.Fields(p.must(t, "kubectl -n demo get cartrecoveries --field-selector status.phase=Contacted "+
		"-o name"))
	if len(open) == 0 {
		t.Fatal("testdata/previous has no lead that goes on")
	}
	p.must(t, "kubectl -n demo patch "+open[0]+` --type=merge -p '{"spec":{"suspend":true}}'`)
	within(t, "the operator goes on with a lead", time.Minute, func() bool {
		return strings.Contains(p.must(t, "kubectl -n demo get "+open[0]+" -o jsonpath='{.status.state}'"), "Suspended")
	})
	p.meansTheSame(t, before)
	running.stop(t)

	p.must(t, "helm rollback cart-recovery --namespace cart-recovery-system")
	within(t, "the API server has the older CRDs again", time.Minute, func() bool {
		_, err := p.run(t, "kubectl explain cartrecovery.status.state")
		return err != nil
	})
	p.meansTheSame(t, before)
}

// meansTheSame says whether objects still say what they said, whatever else was written into them.
func (p *plane) meansTheSame(t *testing.T, before map[string]*unstructured.Unstructured) {
	t.Helper()
	for key, old := range before {
		now := p.get(t, old)
		for _, path := range meaning[old.GetKind()] {
			was, _, _ := unstructured.NestedFieldNoCopy(old.Object, path...)
			is, _, _ := unstructured.NestedFieldNoCopy(now.Object, path...)
			if entries, ok := was.([]any); ok && slices.Equal(path, []string{"spec", "entries"}) {
				is = firstOf(is, len(entries)) // what happened since is behind them
			}
			if lost := lostFrom(was, is, strings.Join(path, ".")); len(lost) > 0 {
				t.Errorf("%s: changed: %s", key, strings.Join(lost, ", "))
			}
		}
	}
}

// firstOf are the first elements of a list.
func firstOf(list any, count int) any {
	elements, _ := list.([]any)
	return elements[:min(count, len(elements))]
}

// meaning are the fields of each kind that a reconciliation without anything new must leave alone.
var meaning = map[string][][]string{
	"CartRecovery": {{"spec"}, {"status", "phase"}, {"status", "conversation"}, {"status", "cycle"}},
	"Product":      {{"spec"}}, "RecoveryLedger": {{"spec", "storeRef"}, {"spec", "entries"}},
	"Store": {{"spec"}}, "Suppression": {{"spec"}},
	"WhatsAppInstance": {{"spec"}}, "ClientIDClaim": {{"spec"}},
}

// doesNotStart runs this operator on CRDs that lack something: it names that, and ends.
func doesNotStart(t *testing.T, p *plane) {
	t.Helper()
	missing := missingFromPrevious(t)
	if missing == "" {
		t.Log("testdata/previous lacks no field of status that this version has")
		return
	}
	m := p.prepareManager(t, managerProgram(t), theOperator, nil)
	printed, err := m.command.CombinedOutput()
	if err == nil || !strings.Contains(string(printed), "cartrecovery.dev.") ||
		!strings.Contains(string(printed), missing) {
		t.Errorf("got %v and\n%s\nwant it to end, and to name %s", err, printed, missing)
	}
}

// missingFromPrevious is a field of status that this version has and the one before has not, "" where both have the
// same.
func missingFromPrevious(t *testing.T) string {
	t.Helper()
	for _, path := range crdFiles(t) {
		old, now := map[string]any{}, map[string]any{}
		for from, into := range map[string]map[string]any{
			filepath.Join(previous, "crds", filepath.Base(path)): old, path: now,
		} {
			content, err := os.ReadFile(from)
			if err != nil {
				t.Fatal(err)
			}
			if err := yaml.Unmarshal(content, &into); err != nil {
				t.Fatal(err)
			}
		}
		for _, missing := range lostFrom(schemaOf(now), schemaOf(old), "") {
			if name, ok := strings.CutPrefix(strings.ReplaceAll(missing, ".properties", ""), "."); ok &&
				!strings.Contains(name, ".x-") && !strings.Contains(name, "[") && strings.HasPrefix(name, "status.") &&
				strings.Count(name, ".") == 1 {
				return name
			}
		}
	}
	return ""
}

func crdFiles(t *testing.T) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(testenv.Root(), "config", "crd", "bases", "*.yaml"))
	if err != nil || len(paths) != 7 {
		t.Fatalf("got %q, %v, want the 7 CRDs", paths, err)
	}
	return paths
}

// schemaOf are the properties of a CRD's only version.
func schemaOf(crd map[string]any) any {
	versions, _, _ := unstructured.NestedSlice(crd, "spec", "versions")
	if len(versions) == 0 {
		return nil
	}
	version, _ := versions[0].(map[string]any)
	properties, _, _ := unstructured.NestedFieldNoCopy(version, "schema", "openAPIV3Schema", "properties")
	return properties
}

// previousObjects are those of testdata/previous, owners first.
func previousObjects(t *testing.T) []unstructured.Unstructured {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(previous, "objects.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var list unstructured.UnstructuredList
	asJSON, err := yaml.YAMLToJSON(content)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(asJSON, &list); err != nil {
		t.Fatal(err)
	}
	kinds := map[string]bool{}
	for _, object := range list.Items {
		kinds[object.GetKind()] = true
	}
	if want := slices.Sorted(maps.Keys(meaning)); !slices.Equal(slices.Sorted(maps.Keys(kinds)), want) {
		t.Errorf("testdata/previous has the kinds %q, want %q", slices.Sorted(maps.Keys(kinds)), want)
	}
	slices.SortStableFunc(list.Items, func(a, b unstructured.Unstructured) int {
		return len(a.GetOwnerReferences()) - len(b.GetOwnerReferences())
	})
	return list.Items
}

// store creates objects as their writer did, with status, in their own namespace or in another, and returns them as
// they are stored, by kind and name.
func (p *plane) store(t *testing.T, objects []unstructured.Unstructured,
	other string) map[string]*unstructured.Unstructured {
	t.Helper()
	strict := client.WithFieldValidation(p.client, metav1.FieldValidationStrict)
	uids := map[string]string{}
	stored := map[string]*unstructured.Unstructured{}
	for i := range objects {
		object := objects[i].DeepCopy()
		if object.GetNamespace() == "" && other != "" {
			continue // there is one of it in the cluster
		}
		was := string(object.GetUID())
		object.SetUID("")
		object.SetResourceVersion("")
		if other != "" {
			object.SetNamespace(other)
		}
		owners := object.GetOwnerReferences()
		for i := range owners {
			owners[i].UID = types.UID(uids[string(owners[i].UID)])
		}
		object.SetOwnerReferences(owners)
		status, hasStatus := object.Object["status"]
		key := fmt.Sprintf("%s %s/%s", object.GetKind(), object.GetNamespace(), object.GetName())
		if err := strict.Create(t.Context(), object); err != nil {
			t.Errorf("create %s: %v", key, err)
			continue
		}
		uids[was] = string(object.GetUID())
		if hasStatus {
			object.Object["status"] = status
			if err := strict.Status().Update(t.Context(), object); err != nil {
				t.Errorf("write the status of %s: %v", key, err)
			}
		}
		stored[key] = p.get(t, object)
	}
	return stored
}

func (p *plane) get(t *testing.T, of *unstructured.Unstructured) *unstructured.Unstructured {
	t.Helper()
	now := &unstructured.Unstructured{}
	now.SetGroupVersionKind(of.GroupVersionKind())
	if err := p.client.Get(t.Context(), client.ObjectKeyFromObject(of), now); err != nil {
		t.Fatal(err)
	}
	return now
}

// contentOf is what of an object must be the same after an upgrade.
func contentOf(object *unstructured.Unstructured) map[string]any {
	metadata := map[string]any{}
	for _, name := range []string{"labels", "annotations", "finalizers", "ownerReferences", "uid"} {
		if value, has, _ := unstructured.NestedFieldNoCopy(object.Object, "metadata", name); has {
			metadata[name] = value
		}
	}
	return map[string]any{"metadata": metadata, "spec": object.Object["spec"], "status": object.Object["status"]}
}

// readable says whether the operator's own types have every field of an object.
func readable(t *testing.T, key string, object *unstructured.Unstructured) {
	t.Helper()
	known, err := testenv.Scheme()
	if err != nil {
		t.Fatal(err)
	}
	typed, err := known.New(object.GroupVersionKind())
	if err != nil {
		t.Fatal(err)
	}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(object.Object, typed,
		true); err != nil {
		t.Errorf("%s: %v", key, err)
	}
}

// writable says whether an object and its status can be written as they are.
func (p *plane) writable(t *testing.T, key string, object *unstructured.Unstructured) {
	t.Helper()
	strict := client.WithFieldValidation(p.client, metav1.FieldValidationStrict)
	written := object.DeepCopy()
	if err := strict.Update(t.Context(), written); err != nil {
		t.Errorf("write %s: %v", key, err)
	}
	if status, has := object.Object["status"]; has {
		written.Object["status"] = status
		if err := strict.Status().Update(t.Context(), written); err != nil {
			t.Errorf("write the status of %s: %v", key, err)
		}
	}
}

// lostFrom are the paths of what a value had and another has not, or has otherwise. What the other has besides is fine.
func lostFrom(was, is any, path string) []string {
	var lost []string
	switch was := was.(type) {
	case map[string]any:
		is, _ := is.(map[string]any)
		for _, name := range slices.Sorted(maps.Keys(was)) {
			lost = append(lost, lostFrom(was[name], is[name], path+"."+name)...)
		}
	case []any:
		is, _ := is.([]any)
		if len(is) != len(was) {
			return []string{path}
		}
		for i := range was {
			lost = append(lost, lostFrom(was[i], is[i], fmt.Sprintf("%s[%d]", path, i))...)
		}
	default:
		if was != is {
			return []string{path}
		}
	}
	return lost
}

func TestLostFrom(t *testing.T) {
	old := map[string]any{"a": "1", "b": []any{map[string]any{"c": int64(2)}}, "d": map[string]any{}}
	for name, row := range map[string]struct {
		is   map[string]any
		want string
	}{
		"the same": {map[string]any{"a": "1", "b": []any{map[string]any{"c": int64(2)}}}, ""},
		"something new": {map[string]any{"a": "1", "b": []any{map[string]any{"c": int64(2), "e": "3"}},
			"f": "4"}, ""},
		"a field is gone": {map[string]any{"b": []any{map[string]any{"c": int64(2)}}}, ".a"},
		"another value":   {map[string]any{"a": "1", "b": []any{map[string]any{"c": int64(3)}}}, ".b[0].c"},
		"a shorter list":  {map[string]any{"a": "1", "b": []any{}}, ".b"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := strings.Join(lostFrom(old, row.is, ""), " "); got != row.want {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}

// TestRollingUpgrade: the operator of the release before runs on these CRDs with the rights of this chart, as it does
// while a Deployment is rolled out, begins the demo's story, and this one ends it.
func TestRollingUpgrade(t *testing.T) {
	t.Parallel()
	program := previousProgram(t)
	p := startPlane(t)
	services, err := sandbox.StartServices(sandbox.Options{ForceSimulated: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = services.Stop() })
	p.must(t, `kubectl create namespace cart-recovery-system
helm install cart-recovery charts/cart-recovery-operator --namespace cart-recovery-system`)
	ingress := newIngress(t)
	secret := secretOf(ingress, services)
	// The arguments that its own Deployment had, as far as both know them.
	older := p.prepareManager(t, program, theOperator, secret, "--leader-elect", "--webhook-bind-address=",
		"--metrics-bind-address=", "--health-probe-bind-address=", "--state-dir=")
	older.ended = background(t, older.command)
	older.mustBeReady(t)
	ingress.forwardTo(t, []string{older.url})
	told := story.New(story.Stage{Screen: story.NewScreen(io.Discard), Client: p.Client, Kubectl: p.kubectl,
		Token: p.token, Services: services, URL: ingress.url, Disturbance: 30 * time.Second})
	if err := told.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	newer := p.startManager(t, managerProgram(t), theOperator, secret)
	newer.mustBeReady(t)
	ingress.forwardTo(t, []string{older.url, newer.url})
	older.stop(t)
	ingress.forwardTo(t, []string{newer.url})
	if err := told.End(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// previousProgram is the manager of the release before, built from its commit and kept in bin.
func previousProgram(t *testing.T) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(previous, "commit"))
	if err != nil {
		t.Fatal(err)
	}
	commit := strings.TrimSpace(string(content))
	program := filepath.Join(testenv.Root(), "bin", "manager-"+commit)
	if _, err := os.Stat(program); err == nil {
		return program
	}
	source := filepath.Join(t.TempDir(), "source")
	if err := os.MkdirAll(source, 0o750); err != nil {
		t.Fatal(err)
	}
	script := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c",
		`git cat-file -e "$0^{commit}" && git archive "$0" | tar -x -C "$1"`, commit, source)
	script.Dir = testenv.Root()
	if printed, err := script.CombinedOutput(); err != nil {
		t.Skipf("the operator of the release before cannot be built, as this clone has no commit %s (git fetch "+
			"--unshallow gets it): %v: %s", commit, err, printed)
	}
	if err := buildFrom(source, program); err != nil {
		t.Fatal(err)
	}
	return program
}
