// Command chart writes what of the Helm chart and of config is made of other manifests: the CRDs and roles in
// charts/cart-recovery-operator/files, the rules and dashboards of config/monitoring there, and the Roles of
// config/namespaced. Run it in the module's root. With -check it writes nothing and fails when a file is
// not up to date.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"

	"sigs.k8s.io/yaml"
)

// chartFiles is what the chart's templates read.
const chartFiles = "charts/cart-recovery-operator/files"

// generatedFolders hold what this program writes, and nothing else.
var generatedFolders = []string{
	chartFiles + "/crds", chartFiles + "/rbac", chartFiles + "/namespaced", chartFiles + "/rules",
	chartFiles + "/dashboards",
}

// generatedFiles are in folders with others.
var generatedFiles = []string{
	"config/namespaced/one/manager_role.yaml", "config/namespaced/split/controllers_role.yaml",
	"config/namespaced/split/webhooks_role.yaml",
}

// placeholder keeps a folder in Git that may be empty.
const placeholder = ".gitkeep"

func main() {
	check := flag.Bool("check", false, "write nothing; fail when a file is not up to date")
	flag.Parse()
	if err := run(".", *check); err != nil {
		fmt.Fprintln(os.Stderr, "chart:", err)
		os.Exit(1)
	}
}

// run brings the generated folders up to date, or says what is not.
func run(root string, check bool) error {
	wanted, err := files(root)
	if err != nil {
		return err
	}
	found, err := existing(root)
	if err != nil {
		return err
	}
	var problems []error
	for _, path := range slices.Sorted(maps.Keys(wanted)) {
		content, there := found[path]
		delete(found, path)
		switch {
		case there && bytes.Equal(content, wanted[path]):
		case check:
			problems = append(problems, fmt.Errorf("%s is not up to date: run make manifests, commit the result", path))
		default:
			problems = append(problems, write(filepath.Join(root, filepath.FromSlash(path)), wanted[path]))
		}
	}
	for _, path := range slices.Sorted(maps.Keys(found)) {
		if check {
			problems = append(problems, fmt.Errorf("%s has no source any more: run make manifests, commit the result",
				path))
			continue
		}
		problems = append(problems, os.Remove(filepath.Join(root, filepath.FromSlash(path))))
	}
	return errors.Join(problems...)
}

// files are the generated files with their content, by path.
func files(root string) (map[string][]byte, error) {
	all := map[string][]byte{}
	for _, folder := range generatedFolders {
		all[folder+"/"+placeholder] = nil
	}
	for from, to := range map[string]string{
		"config/crd/bases/*.yaml":    chartFiles + "/crds",
		"config/rbac/*_role.yaml":    chartFiles + "/rbac",
		"config/rbac/role.yaml":      chartFiles + "/rbac",
		"config/split/*_role.yaml":   chartFiles + "/rbac",
		"config/monitoring/*.json":   chartFiles + "/dashboards",
		"config/monitoring/*/*.json": chartFiles + "/dashboards",
	} {
		if err := copies(root, from, to, all); err != nil {
			return nil, err
		}
	}
	if err := rules(root, all); err != nil {
		return nil, err
	}
	return all, namespacedRoles(root, all)
}

// copies adds the files of a pattern as they are; those that are named alike must not be two.
func copies(root, pattern, to string, all map[string][]byte) error {
	paths, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(pattern)))
	if err != nil {
		return err
	}
	for _, path := range paths {
		name := to + "/" + filepath.Base(path)
		if _, twice := all[name]; twice {
			return fmt.Errorf("%s: another file is called so; give it another name", path)
		}
		if all[name], err = os.ReadFile(path); err != nil { //nolint:gosec // a file of this repository
			return err
		}
	}
	return nil
}

// rules adds the files below config/monitoring that hold rules of Prometheus, alone or in a PrometheusRule.
func rules(root string, all map[string][]byte) error {
	start := filepath.Join(root, "config", "monitoring")
	err := filepath.WalkDir(start, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".yaml" {
			return err
		}
		content, err := os.ReadFile(path) //nolint:gosec // a file of this repository
		if err != nil {
			return err
		}
		if hasRules(content) {
			all[chartFiles+"/rules/"+entry.Name()] = content
		}
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// hasRules says whether a file is one of rules. What stands beside those, such as their tests, is none of the chart's.
func hasRules(content []byte) bool {
	var document struct {
		Kind   string `json:"kind"`
		Groups []any  `json:"groups"`
	}
	err := yaml.Unmarshal(content, &document)
	return err == nil && (document.Kind == "PrometheusRule" || document.Kind == "" && len(document.Groups) > 0)
}

// existing are the files that are there now.
func existing(root string) (map[string][]byte, error) {
	found := map[string][]byte{}
	for _, name := range generatedFiles {
		content, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name))) //nolint:gosec // as above
		if err == nil {
			found[name] = content
		}
	}
	for _, folder := range generatedFolders {
		entries, err := os.ReadDir(filepath.Join(root, filepath.FromSlash(folder)))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		for _, entry := range entries {
			name := folder + "/" + entry.Name()
			content, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name))) //nolint:gosec // as above
			if err != nil {
				return nil, err
			}
			found[name] = content
		}
	}
	return found, nil
}

func write(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return err
	}
	return os.WriteFile(path, content, 0o644) //nolint:gosec // manifests are for everybody to read
}

// clusterWide are the resources that no Role can grant; the process does without them (--namespaced).
var clusterWide = []string{"clientidclaims", "subjectaccessreviews", "tokenreviews"}

// namespacedRoles adds Roles of what the generated ClusterRoles grant in a namespace.
func namespacedRoles(root string, all map[string][]byte) error {
	for from, to := range map[string]string{
		"config/rbac/role.yaml":              "config/namespaced/one/manager_role.yaml",
		"config/split/controllers_role.yaml": "config/namespaced/split/controllers_role.yaml",
		"config/split/webhooks_role.yaml":    "config/namespaced/split/webhooks_role.yaml",
	} {
		content, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(from))) //nolint:gosec // as above
		if err != nil {
			return err
		}
		role, err := inNamespace(content)
		if err != nil {
			return fmt.Errorf("%s: %w", from, err)
		}
		all[to], all[chartFiles+"/namespaced/"+path.Base(to)] = role, role
	}
	return nil
}

// policyRule is a rule of a role, its fields in the order of the generated manifests.
type policyRule struct {
	APIGroups     []string `json:"apiGroups"`
	ResourceNames []string `json:"resourceNames,omitempty"`
	Resources     []string `json:"resources"`
	Verbs         []string `json:"verbs"`
}

// inNamespace makes a Role of a ClusterRole.
func inNamespace(clusterRole []byte) ([]byte, error) {
	var role struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
		Metadata   struct {
			Name string `json:"name"`
		} `json:"metadata"`
		Rules []policyRule `json:"rules"`
	}
	if err := yaml.UnmarshalStrict(clusterRole, &role); err != nil {
		return nil, err
	}
	role.Kind = "Role"
	role.Rules = slices.DeleteFunc(role.Rules, func(rule policyRule) bool {
		return !slices.ContainsFunc(rule.Resources, grantable)
	})
	for i := range role.Rules {
		role.Rules[i].Resources = slices.DeleteFunc(role.Rules[i].Resources, func(resource string) bool {
			return !grantable(resource)
		})
	}
	content, err := yaml.Marshal(role)
	if err != nil {
		return nil, err
	}
	return append([]byte("# Generated from the ClusterRole: run \"make manifests\".\n"), content...), nil
}

func grantable(resource string) bool { return !slices.Contains(clusterWide, resource) }
