package v1alpha1_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
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

// manifests creates every whole object of the group that a page shows, as a dry run: its fields exist, and no rule
// refuses it.
func manifests(t *testing.T, kube client.Client, namespace string) {
	paths, err := filepath.Glob(filepath.Join(testenv.Root(), "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	shown := 0
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range regexp.MustCompile("(?ms)^ *```yaml\n(.*?)\n *```").FindAllStringSubmatch(string(content), -1) {
			for manifest := range strings.SplitSeq(block[1], "\n---\n") {
				object := &unstructured.Unstructured{}
				if err := yaml.Unmarshal([]byte(manifest), &object.Object); err != nil {
					// Parts of a manifest, and templates, are no objects.
					continue
				}
				if object.GroupVersionKind().GroupVersion() != v1alpha1.GroupVersion || object.GetName() == "" {
					continue
				}
				shown++
				object.SetNamespace(namespace)
				// Pages show objects of the same names.
				object.SetName("")
				object.SetGenerateName("shown-")
				strict := client.NewDryRunClient(client.WithFieldValidation(kube, metav1.FieldValidationStrict))
				if err := strict.Create(t.Context(), object); err != nil {
					t.Errorf("%s: %v in\n%s", filepath.Base(path), err, manifest)
				}
			}
		}
	}
	if shown < 10 {
		t.Errorf("only %d manifests were found: how they are shown has changed", shown)
	}
}
