package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

// chart is the folder of the Helm chart.
const chart = "charts/cart-recovery-operator"

// valueSchema is what is read of the schema of the chart's values.
type valueSchema struct {
	Description string                  `json:"description"`
	Properties  map[string]*valueSchema `json:"properties"`
}

// chartValues are the values of the chart, by their schema, with the defaults of values.yaml.
func chartValues(root string) (string, error) {
	var schema valueSchema
	var defaults map[string]any
	for name, into := range map[string]any{"values.schema.json": &schema, "values.yaml": &defaults} {
		content, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(chart), name)) //nolint:gosec // our own
		if err != nil {
			return "", err
		}
		if err := yaml.Unmarshal(content, into); err != nil {
			return "", fmt.Errorf("%s/%s: %w", chart, name, err)
		}
	}
	rows := []string{"| value | default | meaning |", "|---|---|---|"}
	rows, err := valueRows(rows, "", &schema, defaults)
	return strings.Join(rows, "\n") + "\n", err
}

// valueRows adds a row for each value of a schema, those of sections with the names of these.
func valueRows(rows []string, prefix string, schema *valueSchema, defaults map[string]any) ([]string, error) {
	var err error
	for _, name := range slices.Sorted(maps.Keys(schema.Properties)) {
		property, value := schema.Properties[name], defaults[name]
		if section, isSection := value.(map[string]any); isSection && len(property.Properties) > 0 {
			if rows, err = valueRows(rows, prefix+name+".", property, section); err != nil {
				return nil, err
			}
			continue
		}
		written := ""
		if value != nil {
			content, err := json.Marshal(value)
			if err != nil {
				return nil, err
			}
			written = "`" + string(content) + "`"
		}
		meaning := property.Description
		if name == "enabled" {
			meaning = strings.TrimSpace(schema.Description + " " + meaning)
		}
		rows = append(rows, fmt.Sprintf("| `%s%s` | %s | %s |", prefix, name, written,
			strings.ReplaceAll(meaning, "|", `\|`)))
	}
	return rows, nil
}
