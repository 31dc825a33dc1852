package install

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/engine"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/yaml"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	sigsyaml "sigs.k8s.io/yaml"

	"cartrecovery.dev/operator/internal/testenv"
)

// The names under which config/default installs the operator, and the release that has the same.
const (
	release   = "cart-recovery"
	namespace = "cart-recovery-system"
)

var chartDir = filepath.Join(testenv.Root(), "charts", "cart-recovery-operator")

// scheme has every kind that the chart and config render.
func scheme(t testing.TB) *runtime.Scheme {
	t.Helper()
	s := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		clientgoscheme.AddToScheme, apiextensionsv1.AddToScheme, gatewayv1.Install, monitoringv1.AddToScheme,
	} {
		if err := add(s); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func loadChart(t testing.TB) *chart.Chart {
	t.Helper()
	loaded, err := loader.LoadDir(chartDir)
	if err != nil {
		t.Fatal(err)
	}
	return loaded
}

// valuesIn reads a file of testdata/values.
func valuesIn(t testing.TB, name string) map[string]any {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", "values", name+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]any{}
	if err := sigsyaml.Unmarshal(content, &values); err != nil {
		t.Fatal(err)
	}
	return values
}

// valueSets are the names of the files of testdata/values.
func valueSets(t testing.TB) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", "values", "*.yaml"))
	if err != nil || len(paths) < 6 {
		t.Fatalf("got %d value sets, %v", len(paths), err)
	}
	names := make([]string, 0, len(paths))
	for _, path := range paths {
		names = append(names, strings.TrimSuffix(filepath.Base(path), ".yaml"))
	}
	return names
}

// rendered is what the chart makes of values, as text.
func rendered(of *chart.Chart, name string, values map[string]any) (map[string]string, error) {
	options := common.ReleaseOptions{Name: name, Namespace: namespace, Revision: 1, IsInstall: true}
	all, err := util.ToRenderValues(of, values, options, nil)
	if err != nil {
		return nil, err
	}
	return engine.Render(of, all)
}

// fromChart are the objects that the chart makes of values, by kind and name.
func fromChart(t testing.TB, values map[string]any) objects {
	t.Helper()
	files, err := rendered(loadChart(t), release, values)
	if err != nil {
		t.Fatal(err)
	}
	found := objects{}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if strings.HasSuffix(name, ".yaml") {
			found.read(t, name, []byte(files[name]))
		}
	}
	return found
}

// fromKustomize are the objects of a folder of config.
func fromKustomize(t testing.TB, folder string) objects {
	t.Helper()
	return built(t, filepath.Join(testenv.Root(), "config", folder))
}

// withComponents are the objects of config/base with all components.
func withComponents(t *testing.T) objects {
	t.Helper()
	config := filepath.Join(t.TempDir(), "config")
	if err := os.CopyFS(config, os.DirFS(filepath.Join(testenv.Root(), "config"))); err != nil {
		t.Fatal(err)
	}
	// In the order that the comments of the components ask for.
	components := []string{"ingress", "gateway-api", "network-policy", "monitoring", "split", "namespaced",
		"webhook-tls"}
	overlay := "namespace: cart-recovery-system\nnamePrefix: cart-recovery-\nresources: [../base]\ncomponents:\n"
	for _, name := range components {
		overlay += "- ../components/" + name + "\n"
	}
	entries, err := os.ReadDir(filepath.Join(config, "components"))
	if err != nil || len(entries) != len(components) {
		t.Fatalf("config/components has %d folders, %v; want %q", len(entries), err, components)
	}
	if err := os.Mkdir(filepath.Join(config, "all"), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(config, "all", "kustomization.yaml"), []byte(overlay), 0o600); err != nil {
		t.Fatal(err)
	}
	return built(t, filepath.Join(config, "all"))
}

// built are the objects of a folder with a kustomization.
func built(t testing.TB, folder string) objects {
	t.Helper()
	resources, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), folder)
	if err != nil {
		t.Fatal(err)
	}
	content, err := resources.AsYaml()
	if err != nil {
		t.Fatal(err)
	}
	found := objects{}
	found.read(t, folder, content)
	return found
}

// objects are Kubernetes' own types, by kind, namespace and name.
type objects map[string]client.Object

// read adds the objects of a stream of documents. A field that the type does not have fails the test.
func (o objects) read(t testing.TB, name string, content []byte) {
	t.Helper()
	decoder := serializer.NewCodecFactory(scheme(t), serializer.EnableStrict).UniversalDeserializer()
	documents := yaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(content)))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if isEmpty(document) {
			continue
		}
		decoded, kind, err := decoder.Decode(document, nil, nil)
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, document)
		}
		object, ok := decoded.(client.Object)
		if !ok {
			t.Fatalf("%s: %s is no object", name, kind)
		}
		key := fmt.Sprintf("%s %s/%s", kind.Kind, object.GetNamespace(), object.GetName())
		if _, twice := o[key]; twice {
			t.Errorf("%s: %s is there twice", name, key)
		}
		o[key] = object
	}
}

// isEmpty says whether a document has nothing but comments.
func isEmpty(document []byte) bool {
	for line := range bytes.Lines(document) {
		if line = bytes.TrimSpace(line); len(line) > 0 && line[0] != '#' && string(line) != "---" {
			return false
		}
	}
	return true
}

// of are the objects of a kind, by namespace and name.
func of[T client.Object](from objects) map[string]T {
	found := map[string]T{}
	for key, object := range from {
		if typed, ok := object.(T); ok {
			_, name, _ := strings.Cut(key, " ")
			found[name] = typed
		}
	}
	return found
}
