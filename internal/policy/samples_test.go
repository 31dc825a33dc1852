package policy_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/policy"
)

// TestSamplesHaveNoWarnings: what newcomers apply first can act as it says.
func TestSamplesHaveNoWarnings(t *testing.T) {
	var store v1alpha1.Store
	var product v1alpha1.Product
	for name, object := range map[string]any{"store": &store, "product": &product} {
		content, err := os.ReadFile(filepath.Join("..", "..", "config", "samples",
			"cartrecovery_v1alpha1_"+name+".yaml"))
		if err != nil {
			t.Fatal(err)
		}
		if err := yaml.UnmarshalStrict(content, object); err != nil {
			t.Fatal(err)
		}
	}
	resolved := policy.Resolve(&store, &product)
	if difference := cmp.Diff([]string(nil), resolved.Warnings()); difference != "" {
		t.Errorf("warnings of config/samples (-none +got):\n%s", difference)
	}
}
