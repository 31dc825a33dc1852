package install

import (
	"encoding/json"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/yannh/kubeconform/pkg/validator"
	"k8s.io/client-go/discovery"
)

// conform has kubeconform judge every file that the chart renders, set by set. Its own schemas come from a host that
// is not there on a machine with a Go module proxy alone, so they are made of what the API server says of its types,
// strict ones: a field that no type has is refused. The Prometheus operator's kinds are not among them.
func conform(t *testing.T, p *plane) {
	t.Helper()
	files := schemas(t, p) + "/{{ .Group }}_{{ .ResourceAPIVersion }}_{{ .ResourceKind }}.json"
	judge, err := validator.New([]string{files}, validator.Opts{Strict: true,
		SkipKinds: map[string]struct{}{"ServiceMonitor": {}, "PrometheusRule": {}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, set := range valueSets(t) {
		files, err := rendered(loadChart(t), release, valuesIn(t, set))
		if err != nil {
			t.Fatal(err)
		}
		valid := 0
		for _, name := range slices.Sorted(maps.Keys(files)) {
			if strings.HasSuffix(name, ".yaml") {
				valid += judged(t, judge, set+": "+name, files[name])
			}
		}
		if valid < 5 {
			t.Errorf("%s: only %d objects were judged", set, valid)
		}
	}
	planted := "apiVersion: v1\nkind: Service\nmetadata: {name: x}\nspec: {ports: [{port: 80, targetPrt: http}]}\n"
	for _, result := range judge.Validate("planted", io.NopCloser(strings.NewReader(planted))) {
		if result.Status != validator.Invalid {
			t.Errorf("a Service with targetPrt is judged %v, want it invalid", result.Status)
		}
	}
}

// judged tells what is wrong with the objects of a file, and how many are right.
func judged(t *testing.T, judge validator.Validator, name, content string) (valid int) {
	t.Helper()
	for _, result := range judge.Validate(name, io.NopCloser(strings.NewReader(content))) {
		switch result.Status {
		case validator.Valid:
			valid++
		case validator.Skipped, validator.Empty:
		default:
			t.Errorf("%s: %v", name, result.Err)
		}
	}
	return valid
}

// schemas writes a file for each type that the API server knows, and one with all definitions that these refer to.
// It returns the folder.
func schemas(t *testing.T, p *plane) string {
	t.Helper()
	server, err := discovery.NewDiscoveryClientForConfig(p.Config)
	if err != nil {
		t.Fatal(err)
	}
	content, err := server.RESTClient().Get().AbsPath("/openapi/v2").SetHeader("Accept", "application/json").
		DoRaw(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var said struct {
		Definitions map[string]map[string]any `json:"definitions"`
	}
	if err := json.Unmarshal(content, &said); err != nil {
		t.Fatal(err)
	}
	folder, all := t.TempDir(), "all.json"
	for name, definition := range said.Definitions {
		tighten(definition)
		for _, kind := range kindsOf(definition) {
			writeJSON(t, filepath.Join(folder, kind), map[string]any{"$ref": all + "#/definitions/" + name})
		}
	}
	writeJSON(t, filepath.Join(folder, all), said)
	return folder
}

// tighten makes a definition of the API server's a schema that refuses what it does not name. What is a number or a
// text is said in a format there, which schemas do not know.
func tighten(definition map[string]any) {
	if definition["format"] == "int-or-string" {
		definition["type"] = []string{"string", "integer"}
	}
	_, named := definition["properties"]
	_, open := definition["additionalProperties"]
	_, keeps := definition["x-kubernetes-preserve-unknown-fields"]
	if named && !open && !keeps {
		definition["additionalProperties"] = false
	}
}

// kindsOf are the names of the files by which kubeconform finds a definition.
func kindsOf(definition map[string]any) []string {
	var names []string
	listed, _ := definition["x-kubernetes-group-version-kind"].([]any)
	for _, each := range listed {
		kind, _ := each.(map[string]any)
		group, _ := kind["group"].(string)
		version, _ := kind["version"].(string)
		name, _ := kind["kind"].(string)
		if group == "" {
			group = version // as kubeconform calls the group of a Service
		}
		names = append(names, group+"_"+version+"_"+strings.ToLower(name)+".json")
	}
	return names
}

func writeJSON(t *testing.T, path string, value any) {
	t.Helper()
	content, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}
