package v1alpha1_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/internal/testenv"
)

// guides applies what the guides to the first store have their reader apply, in both languages.
func guides(t *testing.T, kube client.Client, namespace string) {
	for _, guide := range []string{"first-store.md", "first-store.pt-BR.md"} {
		t.Run(guide, func(t *testing.T) {
			content, err := os.ReadFile(filepath.Join(testenv.Root(), "docs", guide))
			if err != nil {
				t.Fatal(err)
			}
			var kinds []string
			for _, block := range strings.Split(string(content), "```yaml\n")[1:] {
				block, _, _ = strings.Cut(block, "```")
				object := &unstructured.Unstructured{}
				if err := yaml.Unmarshal([]byte(block), &object.Object); err != nil {
					t.Fatalf("%v in\n%s", err, block)
				}
				kinds = append(kinds, object.GetKind())
				object.SetNamespace(namespace)
				object.SetName(object.GetName() + "-" + strings.ToLower(strings.TrimSuffix(guide, ".md")))
				strict := client.WithFieldValidation(kube, metav1.FieldValidationStrict)
				if err := strict.Create(t.Context(), object); err != nil {
					t.Errorf("%v in\n%s", err, block)
				}
			}
			if diff := cmp.Diff([]string{"Store", "Product", "WhatsAppInstance"}, kinds); diff != "" {
				t.Errorf("kinds (-want +got):\n%s", diff)
			}
		})
	}
}
