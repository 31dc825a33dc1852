package policy_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/gen"
	"cartrecovery.dev/operator/internal/policy"
)

// TestFields: every field of RecoveryPolicy is a row of the table of fields, and no other.
func TestFields(t *testing.T) {
	var want, got []string
	fields := reflect.TypeFor[v1alpha1.RecoveryPolicy]()
	for field := range fields.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		want = append(want, name)
	}
	for _, field := range policy.Fields() {
		got = append(got, field.Name)
		if field.Example == "" {
			t.Errorf("%s has no example for the documentation", field.Name)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows of Fields in internal/policy/fields.go, -want +got:\n%s", diff)
	}
}

// notShown are the fields that the effective policy leaves out, and why.
var notShown = map[string]string{
	"sequences.steps.instructions": "they are texts, and a status holds no text of the store's",
}

// TestFieldsAreMergedAndShown: a field that a Store or a Product sets holds, and the effective policy
// shows it.
func TestFieldsAreMergedAndShown(t *testing.T) {
	merged, shown := map[string]bool{}, map[string]bool{}
	var names []string
	for _, change := range gen.PolicyChanges() {
		if !slices.Contains(names, change.Field) {
			names = append(names, change.Field)
		}
		before, after := gen.StoreObject(), gen.StoreObject()
		before.Spec.Recovery, after.Spec.Recovery = change.Before, change.After
		product := gen.ProductObject(func(p *v1alpha1.Product) { p.Spec.Recovery = change.After })
		without, with := policy.Resolve(before, nil), policy.Resolve(after, nil)
		if reflect.DeepEqual(without, with) {
			continue
		}
		merged[change.Field] = true
		if got := policy.Resolve(gen.StoreObject(), product); !reflect.DeepEqual(got, with) {
			t.Errorf("%s holds otherwise for a Product than for a Store", change.Field)
		}
		if !reflect.DeepEqual(without.Effective(), with.Effective()) {
			shown[change.Field] = true
		}
	}
	for _, name := range names {
		if !merged[name] {
			t.Errorf("%s: no value makes a difference to what Resolve returns: override does not take it over", name)
		}
		if merged[name] && !shown[name] && notShown[name] == "" {
			t.Errorf("%s: no value makes a difference to status.effectivePolicy: show does not tell it", name)
		}
	}
	for name := range notShown {
		if shown[name] || !slices.Contains(names, name) {
			t.Errorf("%s is shown, or is no field any more: take it out of notShown", name)
		}
	}
}
