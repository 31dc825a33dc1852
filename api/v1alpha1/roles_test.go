package v1alpha1_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/yaml"

	"cartrecovery.dev/operator/internal/testenv"
)

// personal are the resources that hold data of customers.
var personal = []string{"cartrecoveries", "cartrecoveries/status", "suppressions", "suppressions/status",
	"recoveryledgers"}

// Whoever has a built-in role in a namespace must not read customers' data with it.
func TestPersonalDataIsInNoBuiltInRole(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(testenv.Root(), "config", "rbac", "*_role.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatal(err, len(files))
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var role rbacv1.ClusterRole
		if err := yaml.Unmarshal(content, &role); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for label := range role.Labels {
			if strings.HasPrefix(label, "rbac.authorization.k8s.io/aggregate-to-") && grants(&role, personal) {
				t.Errorf("%s has the label %s, and grants customers' data", role.Name, label)
			}
		}
	}
}

func grants(role *rbacv1.ClusterRole, resources []string) bool {
	return slices.ContainsFunc(role.Rules, func(rule rbacv1.PolicyRule) bool {
		return slices.ContainsFunc(rule.Resources, func(each string) bool {
			return each == "*" || slices.Contains(resources, each)
		})
	})
}
