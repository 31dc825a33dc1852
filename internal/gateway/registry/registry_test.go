package registry_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"

	"cartrecovery.dev/operator/internal/gateway/registry"
)

// root is the module's folder.
var root = filepath.Join("..", "..", "..")

// TestRows: every row says all that a row says.
func TestRows(t *testing.T) {
	var names []string
	for _, row := range registry.Types() {
		names = append(names, string(row.Name))
		if row.New == nil || len(row.Dialects) == 0 {
			t.Errorf("%s: a row needs a factory and a dialect", row.Name)
		}
		if !row.BuiltIn() && row.AdminTokenVariable == "" {
			t.Errorf("%s: a gateway with a server needs AdminTokenVariable", row.Name)
		}
		for i, dialect := range row.Dialects {
			if dialect.For == "" || dialect.Name == "" && i > 0 {
				t.Errorf("%s, dialect %d: a dialect needs a purpose and, beside others, a name", row.Name, i)
			}
		}
	}
	if unique := slices.Compact(slices.Sorted(slices.Values(names))); len(unique) != len(names) {
		t.Errorf("the names %q are not all different", names)
	}
}

// TestSchemaTakesTheRows: the enums of the CRD are the types and dialects of the rows.
func TestSchemaTakesTheRows(t *testing.T) {
	var types, dialects []string
	for _, row := range registry.Types() {
		types = append(types, string(row.Name))
		for _, dialect := range row.Dialects {
			if dialect.Name != "" {
				dialects = append(dialects, string(dialect.Name))
			}
		}
	}
	gateway := gatewaySchema(t).Properties
	for field, names := range map[string][]string{"type": types, "dialect": dialects} {
		want := slices.Compact(slices.Sorted(slices.Values(names)))
		if diff := cmp.Diff(want, enum(gateway[field])); diff != "" {
			t.Errorf("spec.gateway.%s of the CRD and the rows, -rows +CRD:\n%s", field, diff)
		}
	}
}

// TestSettingsOfTheRows: the variables of the rows are documented, and the Deployment passes them on.
func TestSettingsOfTheRows(t *testing.T) {
	for _, path := range []string{"docs/configuration.md", "docs/gateways.md", "config/manager/manager.yaml"} {
		content, err := os.ReadFile(filepath.Join(root, path))
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range registry.Types() {
			for _, variable := range []string{row.BaseURLVariable, row.AdminTokenVariable} {
				if !strings.Contains(string(content), variable) {
					t.Errorf("%s does not name %s of gateway type %s", path, variable, row.Name)
				}
			}
		}
	}
}

// gatewaySchema is the schema of spec.gateway.
func gatewaySchema(t *testing.T) apiextensionsv1.JSONSchemaProps {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, "config", "crd", "bases",
		"cartrecovery.dev_whatsappinstances.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var crd apiextensionsv1.CustomResourceDefinition
	if err := yaml.UnmarshalStrict(content, &crd); err != nil {
		t.Fatal(err)
	}
	return crd.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"].Properties["gateway"]
}

// enum are the values that a schema allows, sorted.
func enum(schema apiextensionsv1.JSONSchemaProps) []string {
	var values []string
	for _, each := range schema.Enum {
		values = append(values, strings.Trim(string(each.Raw), `"`))
	}
	slices.Sort(values)
	return values
}
