package main

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/hack/docs/sections"
)

// typeSet are the types of the API, as they are met in the schemas of the kinds.
type typeSet struct {
	// kind is the one that is gone through.
	kind string
	// order has the structs as they were met first.
	order    []string
	structs  map[string]*structure
	scalars  map[string]*places
	problems []error
}

// structure is a struct with its fields.
type structure struct {
	name string
	// kinds that have it, and where it is in them.
	kinds, paths []string
	fields       []field
	places
}

// field is a field of a struct.
type field struct {
	name string
	// kind is the type in words, with links.
	kind     string
	required bool
	standard string
	limits   []string
	// named is where else the type of the value, or of each element, is met; nil for types without a name.
	named *places
	says  string
}

// places are the limits of a type at each place where it is met.
type places struct{ met [][]string }

// common are the limits at every place, which are the type's own.
func (p *places) common() []string {
	var common []string
	for _, limit := range p.met[0] {
		if !slices.ContainsFunc(p.met, func(place []string) bool { return !slices.Contains(place, limit) }) {
			common = append(common, limit)
		}
	}
	return common
}

// scalarNames are the named types of one value, in the order of their names.
func (t *typeSet) scalarNames() []string { return slices.Sorted(maps.Keys(t.scalars)) }

func (t *typeSet) err() error { return errors.Join(t.problems...) }

// elsewhere are types of Kubernetes, with their own documentation.
var elsewhere = map[reflect.Type]string{
	reflect.TypeFor[metav1.ObjectMeta](): "[ObjectMeta](https://kubernetes.io/docs/reference/kubernetes-api/" +
		"common-definitions/object-meta/)",
	reflect.TypeFor[metav1.Condition](): "[Condition](https://pkg.go.dev/k8s.io/apimachinery/pkg/apis/meta/v1" +
		"#Condition)",
	reflect.TypeFor[metav1.Time](): "time, RFC 3339",
	reflect.TypeFor[string]():      "string",
	reflect.TypeFor[bool]():        "boolean",
	reflect.TypeFor[int32]():       "integer",
	reflect.TypeFor[int64]():       "integer",
}

// meet notes a type at a path, and says what it is in words, and where a named type is met besides.
func (t *typeSet) meet(of reflect.Type, schema *apiextensionsv1.JSONSchemaProps, path string) (string, *places) {
	for of.Kind() == reflect.Pointer {
		of = of.Elem()
	}
	words, known := elsewhere[of]
	switch ours := of.PkgPath() == reflect.TypeFor[v1alpha1.Store]().PkgPath(); {
	case known:
		return words, nil
	case of.Kind() == reflect.Slice && schema.Items != nil:
		words, named := t.meet(of.Elem(), schema.Items.Schema, path+"[]")
		return "list of " + words, named
	case ours && schema.Type == "string":
		named := t.scalars[of.Name()]
		if named == nil {
			named = &places{}
			t.scalars[of.Name()] = named
		}
		named.met = append(named.met, limits(schema))
		return link(of.Name()), named
	case ours && of.Kind() == reflect.Struct:
		return link(of.Name()), t.meetStruct(of, schema, path)
	}
	t.problems = append(t.problems, fmt.Errorf("%s: a %s, which the reference has no words for", path, of))
	return "", nil
}

// meetStruct notes a struct at a path.
func (t *typeSet) meetStruct(of reflect.Type, schema *apiextensionsv1.JSONSchemaProps, path string) *places {
	met := t.structs[of.Name()]
	isNew := met == nil
	if isNew {
		met = &structure{name: of.Name()}
		t.structs[met.name], t.order = met, append(t.order, met.name)
	}
	met.paths, met.met = append(met.paths, path), append(met.met, rules(schema))
	if !slices.Contains(met.kinds, t.kind) {
		met.kinds = append(met.kinds, t.kind)
	}
	for declared := range of.Fields() {
		name, _, _ := strings.Cut(declared.Tag.Get("json"), ",")
		if name == "" {
			continue
		}
		property, ok := schema.Properties[name]
		if !ok {
			t.problems = append(t.problems, fmt.Errorf("%s: the CRD has no field %s", path, name))
			continue
		}
		words, named := t.meet(declared.Type, &property, path+"."+name)
		if !isNew {
			continue
		}
		made := field{name: name, kind: words, required: slices.Contains(schema.Required, name), named: named,
			limits: limits(&property), says: property.Description}
		if property.Default != nil {
			made.standard = "`" + string(property.Default.Raw) + "`"
		}
		if said, stated, ok := strings.Cut(flat(made.says), " Default: "); ok {
			stated, more, _ := strings.Cut(strings.TrimSuffix(stated, ".")+". ", ". ")
			made.says, made.standard = strings.TrimSpace(said+" "+more), stated
		}
		if name == "metadata" && made.says == "" {
			made.says = "the object's name, namespace, labels and annotations."
		}
		met.fields = append(met.fields, made)
	}
	return &met.places
}

// oneOf begins the limit of a type with a list of values.
const oneOf = "one of "

// limits are the bounds and rules of a value in words. A list has its own and those of each of its values.
func limits(schema *apiextensionsv1.JSONSchemaProps) []string {
	var found []string
	for _, bound := range [][2]string{
		{between(schema.MinLength, schema.MaxLength), " characters"}, {between(schema.Minimum, schema.Maximum), ""},
		{between(schema.MinItems, schema.MaxItems), " entries"},
	} {
		if bound[0] != "" {
			found = append(found, bound[0]+bound[1])
		}
	}
	switch ptr.Deref(schema.XListType, "") {
	case "map":
		found = append(found, "one entry for each "+strings.Join(codesOf(schema.XListMapKeys), " and "))
	case "set":
		found = append(found, "no value twice")
	}
	if schema.Pattern != "" {
		found = append(found, "pattern "+escapedCode(schema.Pattern))
	}
	if len(schema.Enum) > 0 {
		values := make([]string, 0, len(schema.Enum))
		for _, value := range schema.Enum {
			values = append(values, strings.Trim(string(value.Raw), `"`))
		}
		found = append(found, oneOf+codes(values))
	}
	found = append(found, rules(schema)...)
	if schema.Items != nil && schema.Items.Schema.Type != "object" {
		for _, limit := range limits(schema.Items.Schema) {
			found = append(found, "each: "+limit)
		}
	}
	return found
}

// rules are the messages of the rules (CEL) that a value has to follow.
func rules(schema *apiextensionsv1.JSONSchemaProps) []string {
	var messages []string
	for _, rule := range schema.XValidations {
		messages = append(messages, "“"+escaped(flat(rule.Message))+"”")
	}
	return messages
}

// between are two bounds in words, "" for none.
func between[N int64 | float64](least, largest *N) string {
	switch {
	case largest == nil && least == nil:
		return ""
	case largest == nil:
		return fmt.Sprintf("at least %d", int64(*least))
	case least == nil:
		return fmt.Sprintf("at most %d", int64(*largest))
	}
	return fmt.Sprintf("%d to %d", int64(*least), int64(*largest))
}

// own are a field's limits without those that its named type has everywhere.
func (f *field) own() []string {
	if f.named == nil {
		return f.limits
	}
	common := f.named.common()
	return slices.DeleteFunc(slices.Clone(f.limits), func(limit string) bool {
		return slices.Contains(common, strings.TrimPrefix(limit, "each: "))
	})
}

// table is a struct's fields.
func (s *structure) table(said *declared) string {
	lines := make([][]string, 0, len(s.fields))
	for i := range s.fields {
		of := &s.fields[i]
		kind := strings.Join(append([]string{of.kind}, of.own()...), "<br>")
		standard := said.prose(of.standard)
		if of.required {
			standard = "**required**"
		}
		lines = append(lines, []string{"`" + of.name + "`", kind, standard, said.prose(of.says)})
	}
	return sections.Table([]string{"field", "type and limits", "default", "what it is"}, lines)
}

// chapter is a struct's section.
func (s *structure) chapter(said *declared) string {
	text := "### " + s.name + "\n\n" + said.paragraph(said.types[s.name]+" In "+codes(s.paths)+".") + "\n"
	if rules := s.common(); len(rules) > 0 {
		text += wrapped("Rules: "+strings.Join(rules, "; ")+".", "") + "\n"
	}
	return text + s.table(said) + "\n"
}
