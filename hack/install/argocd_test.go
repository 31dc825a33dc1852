package install

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	lua "github.com/yuin/gopher-lua"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"cartrecovery.dev/operator/api/v1alpha1"
)

// healths are the scripts of config/argocd by kind.
func healths(t *testing.T) map[string]string {
	t.Helper()
	var settings corev1.ConfigMap
	content, err := os.ReadFile(filepath.Join("..", "..", "config", "argocd", "argocd-cm.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalStrict(content, &settings); err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for key, script := range settings.Data {
		kind, is := strings.CutPrefix(key, "resource.customizations.health.cartrecovery.dev_")
		if !is {
			t.Errorf("%s is no health of a kind of the operator", key)
		}
		found[kind] = script
	}
	return found
}

// TestArgoCDKnowsEveryKind: the kinds that are kept in Git have the one script of health.lua.
func TestArgoCDKnowsEveryKind(t *testing.T) {
	t.Parallel()
	script, err := os.ReadFile(filepath.Join("..", "..", "config", "argocd", "health.lua"))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for _, kind := range []string{"Product", "Store", "Suppression", "WhatsAppInstance"} {
		want[kind] = string(script)
	}
	if diff := cmp.Diff(want, healths(t)); diff != "" {
		t.Errorf("config/argocd/argocd-cm.yaml (-health.lua +it):\n%s", diff)
	}
}

// TestArgoCDHealth runs the scripts as Argo CD does: obj is the resource, and a table comes back.
func TestArgoCDHealth(t *testing.T) {
	t.Parallel()
	ready := func(status metav1.ConditionStatus, reason string) []metav1.Condition {
		return []metav1.Condition{{Type: "PolicyWarning", Status: "True", Reason: "NeverActs", Message: "other"},
			{Type: v1alpha1.ConditionReady, Status: status, Reason: reason, Message: "why"}}
	}
	meta := metav1.ObjectMeta{Name: "acme", Generation: 3}
	store := func(seen int64, conditions []metav1.Condition) client.Object {
		return &v1alpha1.Store{ObjectMeta: meta,
			Status: v1alpha1.StoreStatus{ObservedGeneration: seen, Conditions: conditions}}
	}
	number := func(reason string) client.Object {
		return &v1alpha1.WhatsAppInstance{ObjectMeta: meta, Status: v1alpha1.WhatsAppInstanceStatus{
			ObservedGeneration: 3, Conditions: ready("False", reason)}}
	}
	for name, row := range map[string]struct {
		kind   string
		object client.Object
		health string
	}{
		"a Store that is well":         {"Store", store(3, ready("True", v1alpha1.ReasonReady)), "Healthy"},
		"a Store that nobody has seen": {"Store", store(-1, nil), "Progressing"},
		"a Store that was changed":     {"Store", store(2, ready("True", v1alpha1.ReasonReady)), "Progressing"},
		"a Store without its Secret": {"Store", store(3, ready("False", v1alpha1.ReasonSecretNotFound)),
			"Degraded"},
		"a Store that is suspended":         {"Store", store(3, ready("False", v1alpha1.ReasonSuspended)), "Suspended"},
		"a number that is made":             {"WhatsAppInstance", number(v1alpha1.ReasonProvisioning), "Progressing"},
		"a number that waits for its phone": {"WhatsAppInstance", number(v1alpha1.ReasonPairing), "Suspended"},
		"a number that is refused": {"WhatsAppInstance", number(v1alpha1.ReasonGatewayUnauthorized),
			"Degraded"},
		"a Suppression that has lapsed": {"Suppression", &v1alpha1.Suppression{ObjectMeta: meta,
			Status: v1alpha1.SuppressionStatus{ObservedGeneration: 3, Conditions: []metav1.Condition{
				{Type: v1alpha1.ConditionActive, Status: "False", Reason: v1alpha1.ReasonLapsed}}}}, "Healthy"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := healthOf(t, healths(t)[row.kind], row.object); got != row.health {
				t.Errorf("got %s, want %s", got, row.health)
			}
		})
	}
}

// healthOf runs a script over a resource and returns the status that it finds.
func healthOf(t *testing.T, script string, object client.Object) string {
	t.Helper()
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	if err != nil {
		t.Fatal(err)
	}
	state := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer state.Close()
	state.OpenLibs()
	state.SetGlobal("obj", toLua(state, content))
	if err := state.DoString(script); err != nil {
		t.Fatal(err)
	}
	health, ok := state.Get(-1).(*lua.LTable)
	if !ok {
		t.Fatalf("got a %s, want a table", state.Get(-1).Type())
	}
	statuses := []string{"Healthy", "Progressing", "Degraded", "Suspended"}
	if got := lua.LVAsString(health.RawGetString("status")); slices.Contains(statuses, got) {
		return got
	}
	t.Fatalf("%v is no status of Argo CD", health.RawGetString("status"))
	return ""
}

// toLua is a JSON value as Lua has it.
func toLua(state *lua.LState, value any) lua.LValue {
	switch value := value.(type) {
	case map[string]any:
		table := state.NewTable()
		for key, of := range value {
			table.RawSetString(key, toLua(state, of))
		}
		return table
	case []any:
		table := state.NewTable()
		for _, of := range value {
			table.Append(toLua(state, of))
		}
		return table
	case string:
		return lua.LString(value)
	case bool:
		return lua.LBool(value)
	case int64:
		return lua.LNumber(value)
	case float64:
		return lua.LNumber(value)
	default:
		return lua.LNil
	}
}
