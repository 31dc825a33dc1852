package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

func TestLimits(t *testing.T) {
	for name, test := range map[string]struct {
		schema apiextensionsv1.JSONSchemaProps
		want   []string
	}{
		"nothing": {},
		"a text": {apiextensionsv1.JSONSchemaProps{MinLength: new(int64(1)), MaxLength: new(int64(64)),
			Pattern: "^(a|b)$"}, []string{"1 to 64 characters", "pattern `^(a\\|b)$`"}},
		"a number":       {apiextensionsv1.JSONSchemaProps{Minimum: new(0.0)}, []string{"at least 0"}},
		"a few words":    {apiextensionsv1.JSONSchemaProps{Enum: words("A", "B")}, []string{"one of `A`, `B`"}},
		"a rule of CEL":  {ruled("no * here"), []string{"“no \\* here”"}},
		"a set of texts": {setOf(3, 9), []string{"at most 3 entries", "no value twice", "each: at most 9 characters"}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, limits(&test.schema)); diff != "" {
				t.Errorf("limits (-want +got):\n%s", diff)
			}
		})
	}
}

func words(values ...string) []apiextensionsv1.JSON {
	made := make([]apiextensionsv1.JSON, 0, len(values))
	for _, value := range values {
		made = append(made, apiextensionsv1.JSON{Raw: []byte(`"` + value + `"`)})
	}
	return made
}

func ruled(message string) apiextensionsv1.JSONSchemaProps {
	return apiextensionsv1.JSONSchemaProps{XValidations: apiextensionsv1.ValidationRules{{Message: message}}}
}

func setOf(items, length int64) apiextensionsv1.JSONSchemaProps {
	return apiextensionsv1.JSONSchemaProps{MaxItems: &items, XListType: new("set"),
		Items: &apiextensionsv1.JSONSchemaPropsOrArray{Schema: &apiextensionsv1.JSONSchemaProps{MaxLength: &length}}}
}

// TestATypesOwnLimits: what holds at every place of a type is the type's, and a field shows only what it adds.
func TestATypesOwnLimits(t *testing.T) {
	met := &places{met: [][]string{{"a", "b"}, {"b", "c"}}}
	if diff := cmp.Diff([]string{"b"}, met.common()); diff != "" {
		t.Errorf("common (-want +got):\n%s", diff)
	}
	list := field{limits: []string{"at most 2 entries", "each: b", "each: c"}, named: met}
	if diff := cmp.Diff([]string{"at most 2 entries", "each: c"}, list.own()); diff != "" {
		t.Errorf("own (-want +got):\n%s", diff)
	}
}

func TestProse(t *testing.T) {
	said := &declared{values: map[string]string{"AnnotationOne": "example.com/one"}}
	for name, test := range map[string]struct{ text, want string }{
		"a constant":  {"set by AnnotationOne", "set by `example.com/one`"},
		"no constant": {"AnnotationTwo", "AnnotationTwo"},
		"a page":      {"see docs/policy.md", "see [policy.md](policy.md)"},
		"Markdown":    {"a * and a_b | c", "a \\* and a\\_b \\| c"},
		"code":        {"`a*b|c`", "`a*b\\|c`"},
		"lines":       {"one\n  two", "one two"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := said.prose(test.text); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestThousands(t *testing.T) {
	for number, want := range map[int64]string{0: "0", 7: "10", 990: "990", 1_001: "1,010", 1_650_000: "1,650,000"} {
		if got := thousands(number); got != want {
			t.Errorf("%d: got %s, want %s", number, got, want)
		}
	}
}
