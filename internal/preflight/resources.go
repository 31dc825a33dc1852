// Package preflight looks, before anything is started, whether the cluster has what the operator
// needs: its custom resources, of this version, and the permissions to use them. A manager that
// finds out later waits for its caches for minutes and then names neither.
package preflight

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
)

// Install is how the resources and permissions are brought up to date.
const Install = "kubectl apply --server-side -k config/default, or config/default-split where it runs with --roles, " +
	"or helm upgrade (for the CRDs alone: make install); see docs/install.md"

// Patience is how long resources are waited for that were applied just now: the API server takes
// some seconds to serve them.
const Patience = 30 * time.Second

// lookEvery is how often they are looked for.
const lookEvery = time.Second

// maxNamed is how many fields or permissions an error names.
const maxNamed = 10

// ErrNotInstalled: the custom resources are not there, or of an older version.
var ErrNotInstalled = errors.New(
	"the operator's CustomResourceDefinitions are not installed as this version needs them")

// Resources says whether the API server serves the kinds of a group and version with every field
// that their Go types have, nil when it does. It waits for a moment for what is missing.
func Resources(ctx context.Context, server discovery.DiscoveryInterface, version schema.GroupVersion,
	kinds map[string]any, patience time.Duration) error {
	deadline := time.Now().Add(patience)
	for {
		err := resources(server, version, kinds)
		if err == nil || !errors.Is(err, ErrNotInstalled) || time.Now().After(deadline) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(lookEvery):
		}
	}
}

func resources(server discovery.DiscoveryInterface, version schema.GroupVersion, kinds map[string]any) error {
	list, err := server.ServerResourcesForGroupVersion(version.String())
	if apierrors.IsNotFound(err) {
		return fmt.Errorf("%w: the API server serves no %s; install them with %s", ErrNotInstalled, version, Install)
	}
	if err != nil {
		return fmt.Errorf("ask the API server for the resources of %s: %w", version, err)
	}
	plurals := map[string]string{}
	for i := range list.APIResources {
		if resource := &list.APIResources[i]; !strings.Contains(resource.Name, "/") {
			plurals[resource.Kind] = resource.Name
		}
	}
	var missing []string
	for kind := range kinds {
		if plurals[kind] == "" {
			missing = append(missing, kind)
		}
	}
	if len(missing) > 0 {
		slices.Sort(missing)
		return fmt.Errorf("%w: the CRD of %s is missing in %s; install it with %s",
			ErrNotInstalled, strings.Join(missing, ", "), version.Group, Install)
	}
	return fields(server, version, kinds, plurals)
}

// fields compares the schemas that are served with the Go types.
func fields(server discovery.DiscoveryInterface, version schema.GroupVersion, kinds map[string]any,
	plurals map[string]string) error {
	paths, err := server.OpenAPIV3().Paths()
	if err != nil {
		return fmt.Errorf("ask the API server for its schemas: %w", err)
	}
	path, served := paths["apis/"+version.String()]
	if !served {
		return fmt.Errorf("%w: the API server has no schema of %s yet", ErrNotInstalled, version)
	}
	content, err := path.Schema("application/json")
	if err != nil {
		return fmt.Errorf("ask the API server for the schemas of %s: %w", version, err)
	}
	schemas, err := schemasByKind(content, version)
	if err != nil {
		return err
	}
	var lacking []string
	for kind, value := range kinds {
		known, ok := schemas[kind]
		if !ok {
			return fmt.Errorf("%w: the API server has no schema of %s yet", ErrNotInstalled, kind)
		}
		for _, field := range lacks(known, reflect.TypeOf(value), "") {
			lacking = append(lacking, plurals[kind]+"."+version.Group+field)
		}
	}
	if len(lacking) == 0 {
		return nil
	}
	slices.Sort(lacking)
	return fmt.Errorf(
		"%w: CRDs of another version lack %s, and what is written there would be lost; bring them up to date with %s",
		ErrNotInstalled, named(lacking), Install)
}

// property is what matters of an OpenAPI schema.
type property struct {
	Properties map[string]*property `json:"properties"`
	Items      *property            `json:"items"`
	AllowsAll  bool                 `json:"x-kubernetes-preserve-unknown-fields"`
	Kinds      []struct {
		Group   string `json:"group"`
		Version string `json:"version"`
		Kind    string `json:"kind"`
	} `json:"x-kubernetes-group-version-kind"`
}

// schemasByKind reads the schemas of an OpenAPI document.
func schemasByKind(content []byte, version schema.GroupVersion) (map[string]*property, error) {
	var document struct {
		Components struct {
			Schemas map[string]*property `json:"schemas"`
		} `json:"components"`
	}
	if err := json.Unmarshal(content, &document); err != nil {
		return nil, fmt.Errorf("read the API server's schemas of %s: %w", version, err)
	}
	found := map[string]*property{}
	for _, each := range document.Components.Schemas {
		for _, kind := range each.Kinds {
			if kind.Group == version.Group && kind.Version == version.Version {
				found[kind.Kind] = each
			}
		}
	}
	return found, nil
}

var marshaler = reflect.TypeFor[json.Marshaler]()

// lacks are the fields of a Go type that a schema does not have, as paths.
func lacks(known *property, of reflect.Type, path string) []string {
	for of.Kind() == reflect.Pointer || of.Kind() == reflect.Slice {
		if of.Kind() == reflect.Slice && known != nil {
			known, path = known.Items, path+"[]"
		}
		of = of.Elem()
	}
	// A type that writes itself is a text or a number.
	if known == nil || known.AllowsAll || of.Kind() != reflect.Struct || of.Implements(marshaler) ||
		reflect.PointerTo(of).Implements(marshaler) {
		return nil
	}
	var missing []string
	for field := range of.Fields() {
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		switch {
		case options == "inline", name == "-", name == "", path == "" && name == "metadata":
		case known.Properties[name] == nil:
			missing = append(missing, path+"."+name)
		default:
			missing = append(missing, lacks(known.Properties[name], field.Type, path+"."+name)...)
		}
	}
	return missing
}

// named joins what an error names, at most maxNamed of it.
func named(all []string) string {
	if len(all) > maxNamed {
		return strings.Join(all[:maxNamed], ", ") + fmt.Sprintf(" and %d more", len(all)-maxNamed)
	}
	return strings.Join(all, ", ")
}
