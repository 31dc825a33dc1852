package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/hack/docs/sections"
)

// crdBases is the folder of the generated CRDs.
const crdBases = "config/crd/bases"

// kindOrder is the order of the kinds in the reference: those that people write first. Any other comes after them.
var kindOrder = []string{"Store", "Product", "WhatsAppInstance", "CartRecovery", "Suppression"}

// apiSections are docs/api.md: its table of contents, and all that the CRDs and the constants of the API say.
func apiSections(root string) (map[string]string, error) {
	crds, err := readCRDs(root)
	if err != nil {
		return nil, err
	}
	said, err := readDeclared(root)
	if err != nil {
		return nil, err
	}
	met, err := meetTypes(crds, said)
	if err != nil {
		return nil, err
	}
	kinds, contents := kindChapters(crds, met, said)
	return map[string]string{
		"contents":    contents,
		"kinds":       kindTable(crds, said),
		"reference":   kinds,
		"values":      valueChapters(met, said),
		"conditions":  table([2]string{"condition", "what it says"}, said.constants("Condition")),
		"reasons":     said.reasons(),
		"annotations": table([2]string{"annotation", "what it is"}, said.constants("Annotation")),
		"labels":      table([2]string{"label", "what it is"}, said.constants("Label")),
	}, nil
}

// readCRDs are the CRDs, in the order of the reference.
func readCRDs(root string) ([]apiextensionsv1.CustomResourceDefinition, error) {
	paths, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(crdBases), "*.yaml"))
	if err != nil || len(paths) == 0 {
		return nil, fmt.Errorf("no CRDs in %s: %w", crdBases, err)
	}
	crds := make([]apiextensionsv1.CustomResourceDefinition, len(paths))
	for i, path := range paths {
		content, err := os.ReadFile(path) //nolint:gosec // our own
		if err != nil {
			return nil, err
		}
		if err := yaml.UnmarshalStrict(content, &crds[i]); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if versions := len(crds[i].Spec.Versions); versions != 1 {
			return nil, fmt.Errorf("%s: the reference is of one version, there are %d", path, versions)
		}
	}
	slices.SortStableFunc(crds, func(a, b apiextensionsv1.CustomResourceDefinition) int {
		return cmp.Compare(place(a.Spec.Names.Kind), place(b.Spec.Names.Kind))
	})
	return crds, nil
}

// place is where a kind comes in the reference.
func place(kind string) int {
	if at := slices.Index(kindOrder, kind); at >= 0 {
		return at
	}
	return len(kindOrder)
}

// meetTypes goes through the schema of every kind.
func meetTypes(crds []apiextensionsv1.CustomResourceDefinition, said *declared) (*typeSet, error) {
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		return nil, err
	}
	met := &typeSet{structs: map[string]*structure{}, scalars: map[string]*places{}}
	for i := range crds {
		kind := crds[i].Spec.Names.Kind
		object, err := scheme.New(v1alpha1.GroupVersion.WithKind(kind))
		if err != nil {
			return nil, err
		}
		met.kind = kind
		met.meet(reflect.TypeOf(object), crds[i].Spec.Versions[0].Schema.OpenAPIV3Schema, kind)
	}
	for _, name := range met.order {
		if said.types[name] == "" {
			met.problems = append(met.problems, fmt.Errorf("%s: the type %s has no comment", apiTypes, name))
		}
	}
	if err := met.err(); err != nil {
		return nil, err
	}
	return met, nil
}

// kindTable is the table of all kinds.
func kindTable(crds []apiextensionsv1.CustomResourceDefinition, said *declared) string {
	lines := make([][]string, 0, len(crds))
	for i := range crds {
		names := crds[i].Spec.Names
		lines = append(lines, []string{link(names.Kind), "`" + names.Plural + "`", codes(names.ShortNames),
			strings.ToLower(string(crds[i].Spec.Scope)), said.prose(firstSentence(said.types[names.Kind]))})
	}
	return sections.Table([]string{"kind", "`kubectl get`", "short", "scope", "what it is"}, lines)
}

// kindChapters are the kinds with the types that only they have, then the types of several; and the table of contents.
func kindChapters(
	crds []apiextensionsv1.CustomResourceDefinition, met *typeSet, said *declared,
) (chapters, contents string) {
	var text, list strings.Builder
	for i := range crds {
		kind := crds[i].Spec.Names.Kind
		var own []string
		fmt.Fprintf(&text, "## %s\n\n%s\n%s\n", kind, said.paragraph(said.types[kind]), shown(&crds[i]))
		text.WriteString(met.structs[kind].table(said) + "\n")
		for _, name := range met.order {
			if of := met.structs[name]; name != kind && slices.Equal(of.kinds, []string{kind}) {
				own = append(own, link(name))
				text.WriteString(of.chapter(said))
			}
		}
		list.WriteString(wrapped("- **"+link(kind)+"**: "+strings.Join(own, ", "), "  "))
	}
	var shared []string
	text.WriteString("## Types of several kinds\n\n")
	for _, name := range met.order {
		if of := met.structs[name]; len(of.kinds) > 1 {
			shared = append(shared, link(name))
			text.WriteString(of.chapter(said))
		}
	}
	list.WriteString(wrapped("- **[Types of several kinds](#types-of-several-kinds)**: "+strings.Join(shared, ", "),
		"  "))
	var values []string
	for _, name := range met.scalarNames() {
		values = append(values, link(name))
	}
	list.WriteString(wrapped("- **[Values](#values)**: "+strings.Join(values, ", "), "  "))
	return strings.TrimSuffix(text.String(), "\n"), list.String()
}

// shown is how kubectl shows and selects the objects of a kind.
func shown(crd *apiextensionsv1.CustomResourceDefinition) string {
	version := &crd.Spec.Versions[0]
	var columns [][]string
	for _, column := range version.AdditionalPrinterColumns {
		name := "`" + strings.ToUpper(column.Name) + "`"
		if column.Priority > 0 {
			name += " (with `-o wide`)"
		}
		columns = append(columns, []string{name, "`" + strings.ReplaceAll(column.JSONPath, "|", `\|`) + "`"})
	}
	var selects []string
	for _, field := range version.SelectableFields {
		selects = append(selects, strings.TrimPrefix(field.JSONPath, "."))
	}
	text := "Select by field (`--field-selector`): " + codes(append(selects, "metadata.name")) + "."
	if categories := crd.Spec.Names.Categories; len(categories) > 0 {
		text += " Also in `kubectl get` " + codes(categories) + "."
	}
	return sections.Table([]string{"column", "shows"}, columns) + "\n" + wrapped(text, "")
}

// valueChapters are the types that are one value: what they may be, and what each value means.
func valueChapters(met *typeSet, said *declared) string {
	var text strings.Builder
	for _, name := range met.scalarNames() {
		values := said.valuesOf(name)
		limits := slices.DeleteFunc(met.scalars[name].common(), func(limit string) bool {
			return len(values) > 0 && strings.HasPrefix(limit, oneOf)
		})
		fmt.Fprintf(&text, "### %s\n\n%s", name, said.paragraph(said.types[name]))
		if len(limits) > 0 {
			text.WriteString("\n" + wrapped("Limits: "+strings.Join(limits, "; ")+".", ""))
		}
		if len(values) > 0 {
			text.WriteString("\n" + table([2]string{"value", "what it means"}, values))
		}
		text.WriteString("\n")
	}
	return strings.TrimSuffix(text.String(), "\n")
}

// link is a link to a type's section.
func link(name string) string { return "[" + name + "](#" + anchor(name) + ")" }

// codes are values in code, separated by commas.
func codes(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return "`" + strings.Join(values, "`, `") + "`"
}

// firstSentence is a text up to its first full stop.
func firstSentence(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if sentence, _, several := strings.Cut(text, ". "); several {
		return sentence + "."
	}
	return text
}
