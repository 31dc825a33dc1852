package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cartrecovery.dev/operator/internal/testenv"
)

// TestChartIsUpToDate: what is generated is what the sources say.
func TestChartIsUpToDate(t *testing.T) {
	if err := run(testenv.Root(), true); err != nil {
		t.Error(err)
	}
}

// TestRun: a change of a source is told, written, and then no difference any more; so is a source that goes.
func TestRun(t *testing.T) {
	root := t.TempDir()
	for _, folder := range []string{"config/crd/bases", "config/rbac", "config/split", "config/monitoring/tests"} {
		if err := os.MkdirAll(filepath.Join(root, folder), 0o750); err != nil {
			t.Fatal(err)
		}
	}
	put := func(path, content string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(root, path), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	role := "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: r}\nrules:\n" +
		"- {apiGroups: [a], resources: [clientidclaims, stores], verbs: [list]}\n" +
		"- {apiGroups: [b], resources: [tokenreviews], verbs: [create]}\n"
	for _, path := range []string{"rbac/role.yaml", "split/controllers_role.yaml", "split/webhooks_role.yaml"} {
		put("config/"+path, role)
	}
	put("config/crd/bases/things.yaml", "kind: CustomResourceDefinition\n")
	put("config/monitoring/rules.yaml", "groups: [{name: a}]\n")
	put("config/monitoring/kustomization.yaml", "resources: []\n")
	put("config/monitoring/tests/rules_test.yaml", "rule_files: []\n")
	put("config/monitoring/board.json", "{}\n")
	if err := run(root, true); err == nil || !strings.Contains(err.Error(), "things.yaml is not up to date: run make") {
		t.Errorf("got %v, want what to run", err)
	}
	for _, check := range []bool{false, true} {
		if err := run(root, check); err != nil {
			t.Fatal(err)
		}
	}
	for path, wanted := range map[string]bool{
		chartFiles + "/rules/rules.yaml": true, chartFiles + "/dashboards/board.json": true,
		chartFiles + "/rules/kustomization.yaml": false, chartFiles + "/rules/rules_test.yaml": false,
	} {
		if _, err := os.Stat(filepath.Join(root, path)); (err == nil) != wanted {
			t.Errorf("%s: %v, want it there: %t", path, err, wanted)
		}
	}
	made, err := os.ReadFile(filepath.Join(root, "config", "namespaced", "one", "manager_role.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if text := string(made); !strings.Contains(text, "kind: Role\n") || !strings.Contains(text, "stores") ||
		strings.Contains(text, "clientidclaims") || strings.Contains(text, "tokenreviews") {
		t.Errorf("got %s, want a Role of what is in a namespace", text)
	}
	if err := os.Remove(filepath.Join(root, "config", "monitoring", "board.json")); err != nil {
		t.Fatal(err)
	}
	if err := run(root, true); err == nil || !strings.Contains(err.Error(), "no source") {
		t.Errorf("got %v, want that a source is gone", err)
	}
}
