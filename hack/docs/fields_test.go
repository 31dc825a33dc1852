package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

// TestFieldsExist: no page names a field in code that no kind has. Decisions and the changelog say what was.
func TestFieldsExist(t *testing.T) {
	crds, err := readCRDs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for i := range crds {
		collect(known, "", crds[i].Spec.Versions[0].Schema.OpenAPIV3Schema)
	}
	// An event of Evolution.
	others := []string{"status.instance"}
	path := regexp.MustCompile("`((?:spec|status)(?:\\.[A-Za-z]+(?:\\[\\])?)+)")
	inOutput := regexp.MustCompile(`\{?\.((?:spec|status)(?:\.[A-Za-z]+)+)`)
	for page, content := range pages(t) {
		if strings.HasPrefix(page, "docs/decisions/") || page == "CHANGELOG.md" {
			continue
		}
		found := append(path.FindAllStringSubmatch(content, -1), inOutput.FindAllStringSubmatch(content, -1)...)
		for _, match := range found {
			name := strings.ReplaceAll(match[1], "[]", "")
			if !known[name] && !strings.HasSuffix(name, ".go") && !slices.Contains(others, name) {
				t.Errorf("%s names the field %s, which no kind has", page, match[1])
			}
		}
	}
}

// collect notes the paths of all fields of a schema, without the brackets of lists.
func collect(known map[string]bool, prefix string, schema *apiextensionsv1.JSONSchemaProps) {
	if schema.Items != nil {
		collect(known, prefix, schema.Items.Schema)
	}
	for name := range schema.Properties {
		property := schema.Properties[name]
		path := strings.TrimPrefix(prefix+"."+name, ".")
		known[path] = true
		collect(known, path, &property)
	}
}

// TestMetricsExist: no page names a metric that is not exported.
func TestMetricsExist(t *testing.T) {
	list, err := os.ReadFile(filepath.Join("..", "..", "config", "monitoring", "exported.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for page, content := range pages(t) {
		if strings.HasPrefix(page, "docs/decisions/") {
			continue
		}
		for _, found := range regexp.MustCompile(`\bcartrecovery_[a-z_]+(?:\.go)?`).FindAllString(content, -1) {
			if strings.HasSuffix(found, ".go") {
				continue
			}
			name := regexp.MustCompile(`_(bucket|sum|count)$`).ReplaceAllString(found, "")
			if !strings.Contains("\n"+string(list), "\n"+name+" ") {
				t.Errorf("%s names the metric %s, which is not exported", page, found)
			}
		}
	}
}
